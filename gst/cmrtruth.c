/* SPDX-License-Identifier: LGPL-2.1-or-later */

#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include "cmrtruth.h"

#include <gio/gio.h>
#include <jansson.h>
#include <string.h>

#include "stack.h"

#define SCHEMA "gst-cardiac-cmr-truth/1"

/* Patient directions of a usual short-axis slice: rows run to the left and back,
 * columns down, and the apex lies to the left, in front and below. */
static const gdouble row[3] = { 0.7071, 0.7071, 0 };
static const gdouble column[3] = { -0.375, 0.375, -0.8478 };
static const gdouble to_apex[3] = { 0.5995, -0.5995, -0.5303 };

static void
place_slice (CineSlice *slice, const CmrSettings *s, gint number)
{
  for (guint i = 0; i < 3; i++)
    slice->position_mm[i] = number * s->slice_spacing_mm * to_apex[i]
                            - s->width / 2 * s->spacing_mm * row[i]
                            - s->height / 2 * s->spacing_mm * column[i];
  slice->cycle_ms = s->cycle_ms;
  for (gint p = 0; p < s->phases; p++)
    slice->trigger_ms[p] = s->cycle_ms * p / s->phases;
}

static CineStack *
new_stack (const CmrSettings *s, CineError *error)
{
  CineStack *stack =
      cine_stack_new (s->width, s->height, s->slices, s->phases, error);

  if (!stack)
    return NULL;
  stack->spacing_mm[0] = stack->spacing_mm[1] = s->spacing_mm;
  stack->gap_mm = s->slice_spacing_mm;
  stack->has_geometry = stack->base_known = true;
  memcpy (stack->row, row, sizeof row);
  memcpy (stack->column, column, sizeof column);
  stack->format = "phantom";
  for (gint i = 0; i < s->slices; i++)
    place_slice (&stack->slice[i], s, i);
  cine_set_times (stack);
  return stack;
}

static void
choose (const CmrPhantom *phantom, gint level, CineChoice *choice)
{
  CmrSliceTruth truth;

  choice->slice = cmr_phantom_level_slice (phantom, level);
  choice->source = CINE_SOURCE_TRUTH;
  cmr_phantom_slice_truth (phantom, choice->slice, &truth);
  choice->points.has_centre = choice->points.has_insertions = true;
  for (guint i = 0; i < 2; i++) {
    choice->points.lv_centre[i] = truth.lv_centre[i];
    choice->points.rv_anterior[i] = truth.rv_anterior[i];
    choice->points.rv_inferior[i] = truth.rv_inferior[i];
  }
}

gboolean
cmr_truth_show (CmrPhantom *phantom, CineShow *show, CineError *error)
{
  const CmrSettings *s = cmr_phantom_settings (phantom);
  const gsize area = (gsize) s->width * s->height;

  show->stack = new_stack (s, error);
  if (!show->stack)
    return FALSE;
  /* Only the levels are ever shown: the other slices stay black. */
  for (gint level = 0; level < CINE_LEVELS; level++) {
    choose (phantom, level, &show->choice[level]);
    for (gint p = 0; p < s->phases; p++)
      if (!cmr_phantom_render (phantom, show->choice[level].slice, p,
              show->stack->slice[show->choice[level].slice].pixels + p * area,
              s->width * (ptrdiff_t) sizeof (guint16)))
        return cine_fail (error, CINE_NO_MEMORY,
            "slice %d of the phantom does not fit into memory",
            show->choice[level].slice);
  }
  cine_set_windows (show->stack);
  return TRUE;
}

/* --- side file --- */

static json_t *
numbers (const gdouble *values, gsize n)
{
  json_t *array = json_array ();

  for (gsize i = 0; i < n; i++)
    json_array_append_new (array, json_real (values[i]));
  return array;
}

static json_t *
level_object (const CmrPhantom *phantom, gint level)
{
  CmrSliceTruth truth;
  gint slice = cmr_phantom_level_slice (phantom, level);

  cmr_phantom_slice_truth (phantom, slice, &truth);
  return json_pack ("{s:i, s:o, s:o, s:o}", "slice", slice, "lv_centre_xy",
      numbers (truth.lv_centre, 2), "rv_insertion_anterior_xy",
      numbers (truth.rv_anterior, 2), "rv_insertion_inferior_xy",
      numbers (truth.rv_inferior, 2));
}

static json_t *
scores_array (const CmrTruth *truth)
{
  json_t *array = json_array ();

  for (gint k = 0; k < CMR_SEGMENTS; k++)
    json_array_append_new (array, json_integer (truth->score[k]));
  return array;
}

static json_t *
truth_object (const CmrPhantom *phantom)
{
  const CmrSettings *s = cmr_phantom_settings (phantom);
  CmrTruth truth;

  cmr_phantom_truth (phantom, &truth);
  return json_pack ("{s:s, s:I, s:o, s:f, s:o, s:o, s:{s:o, s:o, s:o}, s:i, "
                    "s:f, s:f, s:f}",
      "schema", SCHEMA, "seed", (json_int_t) s->seed, "scores",
      scores_array (&truth), "index", truth.index, "excursion",
      numbers (truth.excursion, CMR_SEGMENTS), "thickening",
      numbers (truth.thickening, CMR_SEGMENTS), "levels", "basal",
      level_object (phantom, 0), "mid", level_object (phantom, 1), "apical",
      level_object (phantom, 2), "phases", s->phases, "spacing_mm",
      s->spacing_mm, "cycle_ms", s->cycle_ms, "noise", s->noise);
}

gboolean
cmr_truth_write (const CmrPhantom *phantom, const gchar *path, GError **error)
{
  json_t *object = truth_object (phantom);
  gchar *text =
      object ? json_dumps (object, JSON_INDENT (1) | JSON_REAL_PRECISION (9))
             : NULL;
  gboolean fine = FALSE;

  if (text)
    fine = g_file_set_contents (path, text, -1, error);
  else
    g_set_error (error, G_IO_ERROR, G_IO_ERROR_FAILED, "no memory");
  free (text);
  json_decref (object);
  return fine;
}
