/* SPDX-License-Identifier: LGPL-2.1-or-later */

#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include "cineshow.h"

#include <math.h>
#include <string.h>

#include "enlarge.h"
#include "meta/gstcardiacslicemeta.h"

/* A review picture of fewer rows is enlarged to this. */
#define REVIEW_ENOUGH 480
#define REVIEW_ROWS 512
/* Columns between slices of a review picture. */
#define REVIEW_GAP 4

/* How one slice lies in a review picture. */
typedef struct {
  CineBox box; ///< of the stack's picture
  gint left, width, height;
} Tile;

static gint
even (gdouble x)
{
  return MAX (2, 2 * (gint) floor (x / 2 + 0.5));
}

/* All tiles have one size, their pixels are square. */
static Tile
get_tile (const CineShow *show, guint level)
{
  const CineStack *stack = show->stack;
  const CineChoice *choice = &show->choice[level];
  gdouble mm = MIN (stack->spacing_mm[0], stack->spacing_mm[1]), scale;
  Tile tile = { { -0.5, -0.5, stack->width, stack->height }, 0, 0, 0 };

  if (show->review_side > 0) {
    tile.box.w = show->review_side / stack->spacing_mm[0];
    tile.box.h = show->review_side / stack->spacing_mm[1];
    tile.box.x = (stack->width - 1 - tile.box.w) / 2;
    tile.box.y = (stack->height - 1 - tile.box.h) / 2;
    if (choice->points.has_centre) {
      tile.box.x = choice->points.lv_centre[0] - tile.box.w / 2;
      tile.box.y = choice->points.lv_centre[1] - tile.box.h / 2;
    }
  }
  scale = tile.box.h * stack->spacing_mm[1] / mm;
  scale = scale < REVIEW_ENOUGH ? REVIEW_ROWS / scale : 1;
  tile.width = even (tile.box.w * stack->spacing_mm[0] / mm * scale);
  tile.height = even (tile.box.h * stack->spacing_mm[1] / mm * scale);
  tile.left = level * (tile.width + REVIEW_GAP);
  return tile;
}

GstCaps *
cine_show_caps (const CineShow *show, CineShowKind kind)
{
  const CineStack *stack = show->stack;
  gint width = stack->width, height = stack->height, n, d, par_n = 1, par_d = 1;
  GstCaps *caps = gst_caps_new_empty ();
  const gchar *formats[] = { "GRAY16_LE", "GRAY8" };

  gst_util_double_to_fraction (stack->phases * 1000 / stack->cycle_ms, &n, &d);
  if (kind == CINE_SHOW_REVIEW) {
    Tile tile = get_tile (show, CINE_LEVELS - 1);

    width = tile.left + tile.width;
    height = tile.height;
  } else {
    gst_util_double_to_fraction (
        stack->spacing_mm[0] / stack->spacing_mm[1], &par_n, &par_d);
  }
  for (guint i = kind == CINE_SHOW_REVIEW; i < G_N_ELEMENTS (formats); i++)
    gst_caps_append (
        caps, gst_caps_new_simple ("video/x-raw", "format", G_TYPE_STRING,
                  formats[i], "width", G_TYPE_INT, width, "height", G_TYPE_INT,
                  height, "framerate", GST_TYPE_FRACTION, n, d,
                  "pixel-aspect-ratio", GST_TYPE_FRACTION, par_n, par_d,
                  "interlace-mode", G_TYPE_STRING, "progressive", NULL));
  return caps;
}

static GstCardiacLandmarksSource
get_source (const CineChoice *choice)
{
  static const GstCardiacLandmarksSource sources[] = {
    [CINE_SOURCE_NONE] = GST_CARDIAC_LANDMARKS_NONE,
    [CINE_SOURCE_PROPERTY] = GST_CARDIAC_LANDMARKS_PROPERTY,
    [CINE_SOURCE_FILE] = GST_CARDIAC_LANDMARKS_FILE,
    [CINE_SOURCE_SEGMENTATION] = GST_CARDIAC_LANDMARKS_SEGMENTATION,
    [CINE_SOURCE_ESTIMATED] = GST_CARDIAC_LANDMARKS_ESTIMATED,
    [CINE_SOURCE_TRUTH] = GST_CARDIAC_LANDMARKS_TRUTH,
  };

  return sources[choice->source];
}

/* From the stack's picture to the shown one. */
static void
place (const Tile *tile, const gdouble from[2], gdouble to[2])
{
  to[0] =
      (from[0] - tile->box.x) * tile->width / tile->box.w - 0.5 + tile->left;
  to[1] = (from[1] - tile->box.y) * tile->height / tile->box.h - 0.5;
}

static void
add_meta (const CineShow *show, guint level, const Tile *tile, guint phase,
    guint loop, GstBuffer *buffer)
{
  GstCardiacSliceMeta *meta = gst_buffer_add_cardiac_slice_meta (buffer);
  const CineChoice *choice = &show->choice[level];
  const CineStack *stack = show->stack;
  const CineSlice *slice = &stack->slice[choice->slice];
  const GstCardiacBox rectangle = { tile->left, 0, tile->width, tile->height };

  meta->level = (GstCardiacLevel) level;
  meta->rectangle = rectangle;
  meta->landmarks = get_source (choice);
  if (choice->source != CINE_SOURCE_NONE) {
    place (tile, choice->points.lv_centre, meta->lv_centre);
    place (tile, choice->points.rv_anterior, meta->rv_anterior);
    place (tile, choice->points.rv_inferior, meta->rv_inferior);
  }
  meta->slice = choice->slice;
  meta->slices = stack->slices;
  meta->phase = phase;
  meta->phases = stack->phases;
  meta->loop = loop;
  meta->trigger_ms = slice->trigger_ms[phase];
  meta->cycle_ms = stack->timing == CINE_TIMING_ASSUMED ? NAN : stack->cycle_ms;
  meta->scale = sqrt (tile->width / tile->box.w * tile->height / tile->box.h);
  memcpy (meta->spacing_mm, stack->spacing_mm, sizeof meta->spacing_mm);
  memcpy (meta->position_mm, slice->position_mm, sizeof meta->position_mm);
  memcpy (meta->row_direction, stack->row, sizeof meta->row_direction);
  memcpy (meta->column_direction, stack->column, sizeof meta->column_direction);
  memcpy (meta->window, slice->window, sizeof meta->window);
}

static void
copy_slice (const CineShow *show, guint level, guint phase,
    const GstVideoInfo *info, guint8 *data)
{
  const CineStack *stack = show->stack;
  const CineSlice *slice = &stack->slice[show->choice[level].slice];
  const guint16 *from = cine_picture (stack, show->choice[level].slice, phase);

  for (gint y = 0; y < stack->height; y++) {
    guint8 *to = data + y * GST_VIDEO_INFO_PLANE_STRIDE (info, 0);

    if (GST_VIDEO_INFO_FORMAT (info) == GST_VIDEO_FORMAT_GRAY8)
      cine_window8 (from, stack->width, slice->window, to);
    else
      for (gint x = 0; x < stack->width; x++)
        GST_WRITE_UINT16_LE (to + 2 * x, from[x]);
    from += stack->width;
  }
}

static gboolean
draw_tile (const CineShow *show, guint level, const Tile *tile, guint phase,
    const GstVideoInfo *info, guint8 *data)
{
  const CineStack *stack = show->stack;
  const CineChoice *choice = &show->choice[level];

  return cine_enlarge (cine_picture (stack, choice->slice, phase), stack->width,
      stack->height, &tile->box, stack->slice[choice->slice].window,
      data + tile->left, tile->width, tile->height,
      GST_VIDEO_INFO_PLANE_STRIDE (info, 0));
}

GstBuffer *
cine_show_buffer (const CineShow *show, CineShowKind kind,
    const GstVideoInfo *info, guint phase, guint loop)
{
  GstBuffer *buffer =
      gst_buffer_new_allocate (NULL, GST_VIDEO_INFO_SIZE (info), NULL);
  gboolean fine = TRUE;
  GstMapInfo map;

  if (!buffer || !gst_buffer_map (buffer, &map, GST_MAP_WRITE)) {
    gst_clear_buffer (&buffer);
    return NULL;
  }
  memset (map.data, 0, map.size);
  if (kind != CINE_SHOW_REVIEW)
    copy_slice (show, kind, phase, info, map.data);
  for (guint l = 0; kind == CINE_SHOW_REVIEW && l < CINE_LEVELS; l++) {
    Tile tile = get_tile (show, l);

    fine = fine && draw_tile (show, l, &tile, phase, info, map.data);
    add_meta (show, l, &tile, phase, loop, buffer);
  }
  gst_buffer_unmap (buffer, &map);
  if (kind != CINE_SHOW_REVIEW) {
    const gint width = show->stack->width, height = show->stack->height;
    Tile tile = { { -0.5, -0.5, width, height }, 0, width, height };

    add_meta (show, kind, &tile, phase, loop, buffer);
  }
  if (!fine)
    gst_clear_buffer (&buffer);
  return buffer;
}

GstClockTime
cine_show_time (const CineShow *show, guint phase)
{
  return (GstClockTime) (show->stack->times_ms[phase] * GST_MSECOND + 0.5);
}

GstClockTime
cine_show_cycle (const CineShow *show)
{
  return (GstClockTime) (show->stack->cycle_ms * GST_MSECOND + 0.5);
}

static const gchar *
get_timing_name (CineTiming timing)
{
  return timing == CINE_TIMING_TRIGGER    ? "trigger"
         : timing == CINE_TIMING_INTERVAL ? "interval"
                                          : "assumed";
}

GstStructure *
cine_show_describe (const CineShow *show)
{
  const CineStack *stack = show->stack;
  GstStructure *s = gst_structure_new ("cardiac-stack", "format", G_TYPE_STRING,
      stack->format, "width", G_TYPE_INT, stack->width, "height", G_TYPE_INT,
      stack->height, "slices", G_TYPE_INT, stack->slices, "phases", G_TYPE_INT,
      stack->phases, "gap-mm", G_TYPE_DOUBLE, stack->gap_mm, "cycle-ms",
      G_TYPE_DOUBLE, stack->cycle_ms, "timing", G_TYPE_STRING,
      get_timing_name (stack->timing), NULL);

  for (guint l = 0; l < CINE_LEVELS; l++) {
    const gchar *name = cine_level_name (l);
    gchar *slice = g_strdup_printf ("%s-slice", name);
    gchar *landmarks = g_strdup_printf ("%s-landmarks", name);
    GEnumClass *sources = g_type_class_ref (GST_TYPE_CARDIAC_LANDMARKS_SOURCE);

    gst_structure_set (s, slice, G_TYPE_INT, show->choice[l].slice, landmarks,
        G_TYPE_STRING,
        g_enum_get_value (sources, (gint) get_source (&show->choice[l]))
            ->value_nick,
        NULL);
    g_type_class_unref (sources);
    g_free (slice);
    g_free (landmarks);
  }
  return s;
}

GstTagList *
cine_show_tags (const CineShow *show, CineShowKind kind)
{
  const CineStack *stack = show->stack;
  GstTagList *tags = gst_tag_list_new_empty ();
  gchar *title;

  if (kind == CINE_SHOW_REVIEW)
    title = g_strdup ("short-axis cine MR: basal, mid and apical slice");
  else
    title = g_strdup_printf (
        "short-axis cine MR: %s slice", cine_level_name ((CineLevel) kind));
  gst_tag_list_add (tags, GST_TAG_MERGE_REPLACE, GST_TAG_TITLE, title,
      GST_TAG_CONTAINER_FORMAT, stack->format, NULL);
  g_free (title);
  if (stack->timing != CINE_TIMING_ASSUMED)
    gst_tag_list_add (tags, GST_TAG_MERGE_REPLACE, GST_TAG_BEATS_PER_MINUTE,
        60000 / stack->cycle_ms, NULL);
  if (g_utf8_validate (stack->manufacturer, -1, NULL) && *stack->manufacturer)
    gst_tag_list_add (tags, GST_TAG_MERGE_REPLACE, GST_TAG_DEVICE_MANUFACTURER,
        stack->manufacturer, NULL);
  if (g_utf8_validate (stack->model, -1, NULL) && *stack->model)
    gst_tag_list_add (
        tags, GST_TAG_MERGE_REPLACE, GST_TAG_DEVICE_MODEL, stack->model, NULL);
  return tags;
}
