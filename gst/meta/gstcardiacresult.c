/* SPDX-License-Identifier: LGPL-2.1-or-later */

#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include "gstcardiacresult.h"

#include <math.h>
#include <string.h>

GST_DEFINE_MINI_OBJECT_TYPE (GstCardiacResult, gst_cardiac_result);

static const GEnumValue states[] = {
  { GST_CARDIAC_STATE_RESULT, "A finding", "RESULT" },
  { GST_CARDIAC_STATE_UNSURE, "A finding near a border", "UNSURE" },
  { GST_CARDIAC_STATE_WAIT, "Frames of a first result come in", "WAIT" },
  { GST_CARDIAC_STATE_STALE, "The newest result is too old", "STALE" },
  { GST_CARDIAC_STATE_NO_SIGNAL, "No picture", "NO_SIGNAL" },
  { GST_CARDIAC_STATE_FROZEN, "The picture stands still", "FROZEN" },
  { GST_CARDIAC_STATE_NO_DOPPLER, "No colour in the picture", "NO_DOPPLER" },
  { GST_CARDIAC_STATE_VIEW_NOT_A4C, "Another view", "VIEW_NOT_A4C" },
  { GST_CARDIAC_STATE_POOR_IMAGE, "Poor image", "POOR_IMAGE" },
  { GST_CARDIAC_STATE_TOO_SHORT, "Recording too short", "TOO_SHORT" },
  { GST_CARDIAC_STATE_MODEL_ERROR, "The network failed", "MODEL_ERROR" },
  { GST_CARDIAC_STATE_PAUSED, "Analysis is switched off", "PAUSED" },
  { GST_CARDIAC_STATE_STACK_INCOMPLETE, "Slices are missing",
      "STACK_INCOMPLETE" },
  { GST_CARDIAC_STATE_PHASES_DIFFER, "Slices differ in phases",
      "PHASES_DIFFER" },
  { GST_CARDIAC_STATE_LEVEL_UNKNOWN, "Level of a slice unknown",
      "LEVEL_UNKNOWN" },
  { 0, NULL, NULL },
};

GType
gst_cardiac_state_get_type (void)
{
  static gsize type = 0;

  if (g_once_init_enter (&type))
    g_once_init_leave (
        &type, g_enum_register_static ("GstCardiacState", states));
  return type;
}

const gchar *
gst_cardiac_state_name (GstCardiacState state)
{
  for (guint i = 0; states[i].value_nick; i++)
    if (states[i].value == (gint) state)
      return states[i].value_nick;
  return "UNKNOWN";
}

gboolean
gst_cardiac_state_from_name (const gchar *name, GstCardiacState *state)
{
  for (guint i = 0; states[i].value_nick; i++) {
    if (g_strcmp0 (states[i].value_nick, name) == 0) {
      *state = states[i].value;
      return TRUE;
    }
  }
  return FALSE;
}

gboolean
gst_cardiac_state_has_finding (GstCardiacState state)
{
  return state == GST_CARDIAC_STATE_RESULT || state == GST_CARDIAC_STATE_UNSURE;
}

static void
gst_cardiac_result_free (GstMiniObject *object)
{
  GstCardiacResult *result = GST_CARDIAC_RESULT (object);

  g_free (result->reason);
  for (guint k = 0; k < GST_CARDIAC_MAX_CLASSES; k++)
    g_free (result->labels[k]);
  g_free (result->curve);
  g_free (result->motion);
  g_free (result->model_name);
  g_free (result->model_sha256);
  g_free (result->model_arch);
  g_free (result->device);
  g_free (result->precision);
  g_free (result->version);
  g_free (result->map_method);
  g_free (result->maps);
  g_free (result->frame_times);
  g_free (result);
}

static GstMiniObject *
gst_cardiac_result_copy_object (const GstMiniObject *object)
{
  return GST_MINI_OBJECT_CAST (
      gst_cardiac_result_copy ((const GstCardiacResult *) object));
}

static void
gst_cardiac_result_init (GstCardiacResult *result)
{
  gst_mini_object_init (GST_MINI_OBJECT_CAST (result), 0,
      GST_TYPE_CARDIAC_RESULT, gst_cardiac_result_copy_object, NULL,
      gst_cardiac_result_free);
}

GstCardiacResult *
gst_cardiac_result_new (GstCardiacResultType type)
{
  GstCardiacResult *result = g_new0 (GstCardiacResult, 1);

  gst_cardiac_result_init (result);
  result->type = type;
  result->state = GST_CARDIAC_STATE_WAIT;
  result->pts = GST_CLOCK_TIME_NONE;
  result->instance = -1;
  result->grade = -1;
  result->value = NAN;
  result->presence = NAN;
  result->index = NAN;
  result->scored = -1;
  result->inference_ms = -1;
  return result;
}

static gpointer
copy_array (gconstpointer array, gsize count, gsize size)
{
  return array ? g_memdup2 (array, count * size) : NULL;
}

GstCardiacResult *
gst_cardiac_result_copy (const GstCardiacResult *from)
{
  GstCardiacResult *result;
  gsize points, cells;

  g_return_val_if_fail (from != NULL, NULL);

  result = g_memdup2 (from, sizeof *from);
  gst_cardiac_result_init (result);
  points = (gsize) from->instances * from->n_points;
  cells = points * from->map_rows * from->map_cols;

  result->reason = g_strdup (from->reason);
  for (guint k = 0; k < GST_CARDIAC_MAX_CLASSES; k++)
    result->labels[k] = g_strdup (from->labels[k]);
  result->curve = copy_array (from->curve, points, sizeof (gfloat));
  result->motion = copy_array (from->motion,
      (gsize) from->n_phases * GST_CARDIAC_SEGMENTS * 2, sizeof (gfloat));
  result->model_name = g_strdup (from->model_name);
  result->model_sha256 = g_strdup (from->model_sha256);
  result->model_arch = g_strdup (from->model_arch);
  result->device = g_strdup (from->device);
  result->precision = g_strdup (from->precision);
  result->version = g_strdup (from->version);
  result->map_method = g_strdup (from->map_method);
  result->maps = copy_array (from->maps, cells, sizeof (gfloat));
  result->frame_times =
      copy_array (from->frame_times, points, sizeof (GstClockTime));
  return result;
}

void
gst_cardiac_result_clear_finding (GstCardiacResult *result)
{
  g_return_if_fail (result != NULL);

  result->grade = -1;
  result->value = NAN;
  result->presence = NAN;
  result->has_probabilities = FALSE;
  result->instance = -1;
  result->has_scores = FALSE;
  result->index = NAN;
  result->scored = -1;
  result->has_score_probabilities = FALSE;
  result->n_phases = result->motion_step = 0;
  result->inference_ms = -1;
  result->n_points = 0;
  result->map_rows = result->map_cols = 0;
  g_clear_pointer (&result->curve, g_free);
  g_clear_pointer (&result->motion, g_free);
  g_clear_pointer (&result->map_method, g_free);
  g_clear_pointer (&result->maps, g_free);
  g_clear_pointer (&result->frame_times, g_free);
}

static GstClockTime
distance (GstClockTime a, GstClockTime b)
{
  return a > b ? a - b : b - a;
}

gboolean
gst_cardiac_result_find_frame (const GstCardiacResult *result,
    GstClockTime time, gint *instance, gint *frame)
{
  g_return_val_if_fail (result != NULL, FALSE);

  if (!GST_CLOCK_TIME_IS_VALID (time) || !result->frame_times)
    return FALSE;

  for (guint i = 0; i < MIN (result->instances, result->n_spans); i++) {
    const GstClockTime *times = result->frame_times + i * result->n_points;

    if (time < result->spans[i][0] || time > result->spans[i][1])
      continue;
    *instance = i;
    *frame = 0;
    for (guint t = 1; t < result->n_points; t++)
      if (distance (times[t], time) < distance (times[*frame], time))
        *frame = t;
    return TRUE;
  }
  return FALSE;
}

const gfloat *
gst_cardiac_result_get_map (
    const GstCardiacResult *result, gint instance, gint frame)
{
  g_return_val_if_fail (result != NULL, NULL);

  if (!result->maps || instance < 0 || instance >= (gint) result->instances
      || frame < 0 || frame >= (gint) result->n_points)
    return NULL;
  return result->maps
         + ((gsize) instance * result->n_points + frame) * result->map_rows
               * result->map_cols;
}
