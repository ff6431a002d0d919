/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Two metas for the reason of gstcardiacmeta.c: what has no coordinates
 * survives more. */

#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include "gstcardiactruthmeta.h"

#include <gst/video/video.h>
#include <string.h>

#include "mapping.h"
#include "metadefine.h"

/* All that follows the GstMeta. */
#define clear_fields(self)                                                     \
  memset ((guint8 *) (self) + sizeof (GstMeta), 0,                             \
      sizeof *(self) - sizeof (GstMeta))

static const gchar *const truth_tags[] = { NULL };

static gboolean
truth_meta_init (GstMeta *meta, gpointer params, GstBuffer *buffer)
{
  GstCardiacEchoTruthMeta *self = (GstCardiacEchoTruthMeta *) meta;

  clear_fields (self);
  self->worst_beat = self->instance = -1;
  return TRUE;
}

/* Without coordinates, every transformation is a copy. */
static gboolean
truth_meta_transform (GstBuffer *dest, GstMeta *meta, GstBuffer *buffer,
    GQuark type, gpointer data)
{
  GstCardiacEchoTruthMeta *to = gst_buffer_add_cardiac_echo_truth_meta (dest);
  GstMeta header = to->meta;

  *to = *(GstCardiacEchoTruthMeta *) meta;
  to->meta = header;
  return TRUE;
}

GST_CARDIAC_DEFINE_META (EchoTruth, echo_truth, truth_tags, truth_meta_init,
    NULL, truth_meta_transform)

static const gchar *const places_tags[] = { GST_META_TAG_VIDEO_STR,
  GST_META_TAG_VIDEO_SIZE_STR, GST_META_TAG_VIDEO_ORIENTATION_STR, NULL };

static gboolean
places_meta_init (GstMeta *meta, gpointer params, GstBuffer *buffer)
{
  clear_fields ((GstCardiacEchoPlacesMeta *) meta);
  return TRUE;
}

static gboolean
places_meta_transform (GstBuffer *dest, GstMeta *meta, GstBuffer *buffer,
    GQuark type, gpointer data)
{
  GstCardiacEchoPlacesMeta *to;
  GstMeta header;
  CardiacMapping mapping;

  if (!cardiac_mapping_init (&mapping, type, data))
    return FALSE;
  to = gst_buffer_add_cardiac_echo_places_meta (dest);
  header = to->meta;
  *to = *(GstCardiacEchoPlacesMeta *) meta;
  to->meta = header;
  cardiac_mapping_box (&mapping, &to->roi);
  cardiac_mapping_point (&mapping, to->annulus[0]);
  cardiac_mapping_point (&mapping, to->annulus[1]);
  cardiac_mapping_point (&mapping, to->atrium);
  return TRUE;
}

GST_CARDIAC_DEFINE_META (EchoPlaces, echo_places, places_tags, places_meta_init,
    NULL, places_meta_transform)

GstCardiacEchoTruthMeta *
gst_buffer_add_cardiac_echo_truth_meta (GstBuffer *buffer)
{
  GstCardiacEchoTruthMeta *meta;

  g_return_val_if_fail (GST_IS_BUFFER (buffer), NULL);

  meta = gst_buffer_get_cardiac_echo_truth_meta (buffer);
  if (!meta)
    meta = (GstCardiacEchoTruthMeta *) gst_buffer_add_meta (
        buffer, gst_cardiac_echo_truth_meta_get_info (), NULL);
  return meta;
}

GstCardiacEchoPlacesMeta *
gst_buffer_add_cardiac_echo_places_meta (GstBuffer *buffer)
{
  GstCardiacEchoPlacesMeta *meta;

  g_return_val_if_fail (GST_IS_BUFFER (buffer), NULL);

  meta = gst_buffer_get_cardiac_echo_places_meta (buffer);
  if (!meta)
    meta = (GstCardiacEchoPlacesMeta *) gst_buffer_add_meta (
        buffer, gst_cardiac_echo_places_meta_get_info (), NULL);
  return meta;
}

GstCardiacEchoTruthMeta *
gst_buffer_get_cardiac_echo_truth_meta (GstBuffer *buffer)
{
  g_return_val_if_fail (GST_IS_BUFFER (buffer), NULL);

  return (GstCardiacEchoTruthMeta *) gst_buffer_get_meta (
      buffer, GST_CARDIAC_ECHO_TRUTH_META_API_TYPE);
}

GstCardiacEchoPlacesMeta *
gst_buffer_get_cardiac_echo_places_meta (GstBuffer *buffer)
{
  g_return_val_if_fail (GST_IS_BUFFER (buffer), NULL);

  return (GstCardiacEchoPlacesMeta *) gst_buffer_get_meta (
      buffer, GST_CARDIAC_ECHO_PLACES_META_API_TYPE);
}
