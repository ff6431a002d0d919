/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Two metas, because tags decide what survives other elements. The record is
 * untagged and is kept by everything that keeps metas at all. The
 * geometry is tagged {video, size, orientation}: elements that move pixels in
 * a way it cannot follow drop it. So do those that know nothing of tags, such
 * as cudadownload; without tags they would keep it, but so would a crop. */

#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include "gstcardiacmeta.h"

#include <gst/video/video.h>

#include "mapping.h"
#include "metadefine.h"

/* cudadownload and cudaupload lose what has any. */
static const gchar *const result_tags[] = { NULL };

static gboolean
result_meta_init (GstMeta *meta, gpointer params, GstBuffer *buffer)
{
  GstCardiacResultMeta *self = (GstCardiacResultMeta *) meta;

  self->result = NULL;
  self->age = GST_CLOCK_TIME_NONE;
  self->is_new = FALSE;
  self->map_instance = self->map_frame = -1;
  self->wait_done = self->wait_total = 0;
  return TRUE;
}

static void
result_meta_free (GstMeta *meta, GstBuffer *buffer)
{
  GstCardiacResultMeta *self = (GstCardiacResultMeta *) meta;

  if (self->result)
    gst_cardiac_result_unref (self->result);
  self->result = NULL;
}

/* Without coordinates, every transformation is a copy. */
static gboolean
result_meta_transform (GstBuffer *dest, GstMeta *meta, GstBuffer *buffer,
    GQuark type, gpointer data)
{
  GstCardiacResultMeta *from = (GstCardiacResultMeta *) meta, *to;

  if (!from->result)
    return FALSE;
  to = gst_buffer_add_cardiac_result_meta (dest, from->result);
  to->age = from->age;
  to->is_new = from->is_new;
  to->map_instance = from->map_instance;
  to->map_frame = from->map_frame;
  to->wait_done = from->wait_done;
  to->wait_total = from->wait_total;
  return TRUE;
}

GST_CARDIAC_DEFINE_META (Result, result, result_tags, result_meta_init,
    result_meta_free, result_meta_transform)

GstCardiacResultMeta *
gst_buffer_get_cardiac_result_meta (GstBuffer *buffer)
{
  g_return_val_if_fail (GST_IS_BUFFER (buffer), NULL);

  return (GstCardiacResultMeta *) gst_buffer_get_meta (
      buffer, GST_CARDIAC_RESULT_META_API_TYPE);
}

GstCardiacResultMeta *
gst_buffer_add_cardiac_result_meta (GstBuffer *buffer, GstCardiacResult *result)
{
  GstCardiacResultMeta *meta;

  g_return_val_if_fail (GST_IS_BUFFER (buffer), NULL);
  g_return_val_if_fail (result != NULL, NULL);

  meta = gst_buffer_get_cardiac_result_meta (buffer);
  if (meta) {
    result_meta_free (&meta->meta, buffer);
    result_meta_init (&meta->meta, NULL, buffer);
  } else {
    meta = (GstCardiacResultMeta *) gst_buffer_add_meta (
        buffer, gst_cardiac_result_meta_get_info (), NULL);
  }
  meta->result = gst_cardiac_result_ref (result);
  return meta;
}

static const gchar *const geometry_tags[] = { GST_META_TAG_VIDEO_STR,
  GST_META_TAG_VIDEO_SIZE_STR, GST_META_TAG_VIDEO_ORIENTATION_STR, NULL };

static gboolean
geometry_meta_init (GstMeta *meta, gpointer params, GstBuffer *buffer)
{
  GstCardiacGeometryMeta *self = (GstCardiacGeometryMeta *) meta;
  const GstCardiacBox nowhere = { 0, 0, 0, 0 };

  self->has_roi = self->has_crop = self->detected = self->searched = FALSE;
  self->roi = self->crop = nowhere;
  self->roi_confidence = 0;
  return TRUE;
}

static gboolean
geometry_meta_transform (GstBuffer *dest, GstMeta *meta, GstBuffer *buffer,
    GQuark type, gpointer data)
{
  GstCardiacGeometryMeta *from = (GstCardiacGeometryMeta *) meta, *to;
  GstCardiacBox roi = from->roi, crop = from->crop;
  CardiacMapping mapping;

  if (!cardiac_mapping_init (&mapping, type, data))
    return FALSE;
  cardiac_mapping_box (&mapping, &roi);
  cardiac_mapping_box (&mapping, &crop);
  if (from->has_roi && !cardiac_mapping_shows (&mapping, &roi))
    return TRUE;

  to = gst_buffer_add_cardiac_geometry_meta (dest);
  to->has_roi = from->has_roi;
  to->roi = roi;
  to->roi_confidence = from->roi_confidence;
  to->detected = from->detected;
  to->searched = from->searched;
  to->has_crop = from->has_crop;
  to->crop = crop;
  return TRUE;
}

GST_CARDIAC_DEFINE_META (Geometry, geometry, geometry_tags, geometry_meta_init,
    NULL, geometry_meta_transform)

GstCardiacGeometryMeta *
gst_buffer_get_cardiac_geometry_meta (GstBuffer *buffer)
{
  g_return_val_if_fail (GST_IS_BUFFER (buffer), NULL);

  return (GstCardiacGeometryMeta *) gst_buffer_get_meta (
      buffer, GST_CARDIAC_GEOMETRY_META_API_TYPE);
}

GstCardiacGeometryMeta *
gst_buffer_add_cardiac_geometry_meta (GstBuffer *buffer)
{
  GstCardiacGeometryMeta *meta;

  g_return_val_if_fail (GST_IS_BUFFER (buffer), NULL);

  meta = gst_buffer_get_cardiac_geometry_meta (buffer);
  if (!meta)
    meta = (GstCardiacGeometryMeta *) gst_buffer_add_meta (
        buffer, gst_cardiac_geometry_meta_get_info (), NULL);
  return meta;
}
