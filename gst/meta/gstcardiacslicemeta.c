/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Both metas are tagged {video, size, orientation}: elements that move pixels
 * in a way they cannot follow drop them. The polar one describes the original
 * of its picture, so scaling leaves it as it is, and the slice beside it too. */

#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include "gstcardiacslicemeta.h"

#include <gst/video/video.h>
#include <math.h>
#include <string.h>

#include "mapping.h"
#include "metadefine.h"

static const GEnumValue levels[] = {
  { GST_CARDIAC_LEVEL_BASAL, "segments 1 to 6", "basal" },
  { GST_CARDIAC_LEVEL_MID, "segments 7 to 12", "mid" },
  { GST_CARDIAC_LEVEL_APICAL, "segments 13 to 16", "apical" },
  { 0, NULL, NULL },
};

static const GEnumValue sources[] = {
  { GST_CARDIAC_LANDMARKS_NONE, "unknown", "none" },
  { GST_CARDIAC_LANDMARKS_PROPERTY, "given by hand", "property" },
  { GST_CARDIAC_LANDMARKS_FILE, "of a side file", "file" },
  { GST_CARDIAC_LANDMARKS_SEGMENTATION, "derived from labels", "segmentation" },
  { GST_CARDIAC_LANDMARKS_ESTIMATED, "found in the pictures", "estimated" },
  { GST_CARDIAC_LANDMARKS_TRUTH, "of a phantom", "truth" },
  { 0, NULL, NULL },
};

static const gchar *const tags[] = { GST_META_TAG_VIDEO_STR,
  GST_META_TAG_VIDEO_SIZE_STR, GST_META_TAG_VIDEO_ORIENTATION_STR, NULL };

GType
gst_cardiac_level_get_type (void)
{
  static gsize type = 0;

  if (g_once_init_enter (&type)) {
    GType registered = g_enum_register_static ("GstCardiacLevel", levels);

    gst_type_mark_as_plugin_api (registered, 0);
    g_once_init_leave (&type, registered);
  }
  return type;
}

GType
gst_cardiac_landmarks_source_get_type (void)
{
  static gsize type = 0;

  if (g_once_init_enter (&type)) {
    GType registered =
        g_enum_register_static ("GstCardiacLandmarksSource", sources);

    gst_type_mark_as_plugin_api (registered, 0);
    g_once_init_leave (&type, registered);
  }
  return type;
}

/* Forgets all but the meta's own head. */
static void
clear (gpointer meta, gsize size)
{
  memset ((guint8 *) meta + sizeof (GstMeta), 0, size - sizeof (GstMeta));
}

static void
copy (gpointer to, gconstpointer from, gsize size)
{
  memcpy ((guint8 *) to + sizeof (GstMeta),
      (const guint8 *) from + sizeof (GstMeta), size - sizeof (GstMeta));
}

static gboolean
slice_meta_init (GstMeta *meta, gpointer params, GstBuffer *buffer)
{
  GstCardiacSliceMeta *self = (GstCardiacSliceMeta *) meta;

  clear (self, sizeof *self);
  self->trigger_ms = self->cycle_ms = NAN;
  self->spacing_mm[0] = self->spacing_mm[1] = NAN;
  for (guint i = 0; i < 3; i++)
    self->position_mm[i] = self->row_direction[i] = self->column_direction[i] =
        NAN;
  self->scale = 1;
  return TRUE;
}

/* Pixel centres lie at whole numbers, half a pixel inside the edges. */
static void
map_centre (const CardiacMapping *mapping, gdouble point[2])
{
  point[0] += 0.5;
  point[1] += 0.5;
  cardiac_mapping_point (mapping, point);
  point[0] -= 0.5;
  point[1] -= 0.5;
}

static void
map_slice (const CardiacMapping *mapping, GstCardiacSliceMeta *slice)
{
  cardiac_mapping_box (mapping, &slice->rectangle);
  if (slice->landmarks != GST_CARDIAC_LANDMARKS_NONE) {
    map_centre (mapping, slice->lv_centre);
    map_centre (mapping, slice->rv_anterior);
    map_centre (mapping, slice->rv_inferior);
  }
  slice->scale *= sqrt (mapping->scale[0] * mapping->scale[1]);
}

/* An empty rectangle is the whole picture. */
static gboolean
is_left (const CardiacMapping *mapping, const GstCardiacSliceMeta *slice)
{
  GstCardiacBox box = slice->rectangle;

  cardiac_mapping_box (mapping, &box);
  return !(box.w > 0 && box.h > 0) || cardiac_mapping_touches (mapping, &box);
}

/* Elements may both copy and transform: a level is there once. */
static gboolean
slice_meta_transform (GstBuffer *dest, GstMeta *meta, GstBuffer *buffer,
    GQuark type, gpointer data)
{
  GstCardiacSliceMeta *from = (GstCardiacSliceMeta *) meta, *to;
  gboolean is_polar = gst_buffer_get_cardiac_polar_meta (buffer) != NULL;
  CardiacMapping mapping;

  if (!cardiac_mapping_init (&mapping, type, data))
    return FALSE;
  if (is_polar ? !mapping.whole : !is_left (&mapping, from))
    return TRUE;
  to = gst_buffer_get_cardiac_slice_meta (dest, (gint) from->level);
  if (!to)
    to = gst_buffer_add_cardiac_slice_meta (dest);
  copy (to, from, sizeof *to);
  if (!is_polar)
    map_slice (&mapping, to);
  return TRUE;
}

GST_CARDIAC_DEFINE_META (
    Slice, slice, tags, slice_meta_init, NULL, slice_meta_transform)

static gboolean
polar_meta_init (GstMeta *meta, gpointer params, GstBuffer *buffer)
{
  GstCardiacPolarMeta *self = (GstCardiacPolarMeta *) meta;

  clear (self, sizeof *self);
  self->sense = 1;
  return TRUE;
}

static gboolean
polar_meta_transform (GstBuffer *dest, GstMeta *meta, GstBuffer *buffer,
    GQuark type, gpointer data)
{
  GstCardiacPolarMeta *to;
  CardiacMapping mapping;

  if (!cardiac_mapping_init (&mapping, type, data))
    return FALSE;
  if (!mapping.whole)
    return TRUE;
  to = gst_buffer_get_cardiac_polar_meta (dest);
  if (!to)
    to = gst_buffer_add_cardiac_polar_meta (dest);
  copy (to, meta, sizeof *to);
  return TRUE;
}

GST_CARDIAC_DEFINE_META (
    Polar, polar, tags, polar_meta_init, NULL, polar_meta_transform)

GstCardiacSliceMeta *
gst_buffer_add_cardiac_slice_meta (GstBuffer *buffer)
{
  g_return_val_if_fail (GST_IS_BUFFER (buffer), NULL);

  return (GstCardiacSliceMeta *) gst_buffer_add_meta (
      buffer, gst_cardiac_slice_meta_get_info (), NULL);
}

GstCardiacSliceMeta *
gst_buffer_get_cardiac_slice_meta (GstBuffer *buffer, gint level)
{
  gpointer state = NULL;
  GstMeta *meta;

  g_return_val_if_fail (GST_IS_BUFFER (buffer), NULL);

  while ((meta = gst_buffer_iterate_meta_filtered (
              buffer, &state, GST_CARDIAC_SLICE_META_API_TYPE))) {
    GstCardiacSliceMeta *slice = (GstCardiacSliceMeta *) meta;

    if (level < 0 || slice->level == (GstCardiacLevel) level)
      return slice;
  }
  return NULL;
}

GstCardiacPolarMeta *
gst_buffer_add_cardiac_polar_meta (GstBuffer *buffer)
{
  g_return_val_if_fail (GST_IS_BUFFER (buffer), NULL);

  return (GstCardiacPolarMeta *) gst_buffer_add_meta (
      buffer, gst_cardiac_polar_meta_get_info (), NULL);
}

GstCardiacPolarMeta *
gst_buffer_get_cardiac_polar_meta (GstBuffer *buffer)
{
  g_return_val_if_fail (GST_IS_BUFFER (buffer), NULL);

  return (GstCardiacPolarMeta *) gst_buffer_get_meta (
      buffer, GST_CARDIAC_POLAR_META_API_TYPE);
}
