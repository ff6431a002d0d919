/* SPDX-License-Identifier: LGPL-2.1-or-later */

#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include "mregreplay.h"

#include "jsonlines.h"
#include "mapsfile.h"
#include "mregreport.h"

struct _MregReplay {
  GstCardiacResult *record;
  MapsGeometry geometry;
  gboolean is_new; /* no frame carries it yet */
};

MregReplay *
mreg_replay_new (GstElement *element, const gchar *results, const gchar *maps)
{
  MregReplay *self = g_new0 (MregReplay, 1);
  GError *error = NULL;

  self->is_new = TRUE;
  self->record =
      json_lines_read_last (results, GST_CARDIAC_RESULT_MREG, &error);
  if (!self->record) {
    GST_ELEMENT_ERROR (element, RESOURCE, READ,
        ("Cannot use \"%s\" as results: %s. Write it with a first pass: "
         "mregclassify results-location=FILE.",
            results, error->message),
        (NULL));
  } else if (maps && *maps
             && gst_cardiac_state_has_finding (self->record->state)
             && !maps_file_read (maps, self->record, &self->geometry, &error)) {
    GST_ELEMENT_ERROR (element, RESOURCE, READ,
        ("Cannot use \"%s\" as maps: %s. Write it with a first pass: "
         "mregclassify maps-location=FILE.",
            maps, error->message),
        (NULL));
  } else {
    self->record->is_final = TRUE;
    self->record->serial = 1;
    return self;
  }
  g_clear_error (&error);
  mreg_replay_free (self);
  return NULL;
}

void
mreg_replay_free (MregReplay *self)
{
  if (!self)
    return;
  g_clear_pointer (&self->record, gst_cardiac_result_unref);
  g_free (self);
}

/* A box to draw: one that is less than the whole frame. */
static gboolean
has_box (const GstCardiacResult *record, const GstVideoInfo *info)
{
  const GstCardiacBox *roi = &record->roi;

  return record->has_roi
         && (roi->x > 0 || roi->y > 0 || roi->w < GST_VIDEO_INFO_WIDTH (info)
             || roi->h < GST_VIDEO_INFO_HEIGHT (info));
}

void
mreg_replay_attach (MregReplay *self, GstElement *element, GstBuffer *buffer,
    GstClockTime time, const GstVideoInfo *info)
{
  const MapsGeometry *geometry = &self->geometry;
  GstCardiacResult *record = self->record;
  GstCardiacResultMeta *meta =
      gst_buffer_add_cardiac_result_meta (buffer, record);
  const CardiacSquare *crop = NULL;
  gboolean same_size = geometry->width == GST_VIDEO_INFO_WIDTH (info)
                       && geometry->height == GST_VIDEO_INFO_HEIGHT (info);

  meta->is_new = self->is_new;
  if (self->is_new) {
    self->is_new = FALSE;
    gst_element_post_message (
        element, gst_message_new_element (GST_OBJECT (element),
                     gst_cardiac_result_to_structure (record)));
  }
  if (gst_cardiac_result_find_frame (
          record, time, &meta->map_instance, &meta->map_frame)
      && same_size && meta->map_instance < (gint) geometry->count)
    crop = &geometry->crops[meta->map_instance];
  if (same_size)
    mreg_attach_geometry (
        buffer, has_box (record, info) ? &record->roi : NULL, crop);
}
