/* SPDX-License-Identifier: LGPL-2.1-or-later */

#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include "gstcardiaccmrtruthmeta.h"

#include <gst/video/video.h>
#include <string.h>

GType
gst_cardiac_cmr_truth_meta_api_get_type (void)
{
  static const gchar *tags[] = { NULL }; /* see gstcardiacmeta.c */
  static gsize type = 0;

  if (g_once_init_enter (&type))
    g_once_init_leave (
        &type, gst_meta_api_type_register ("GstCardiacCmrTruthMetaAPI", tags));
  return type;
}

static gboolean
truth_meta_init (GstMeta *meta, gpointer params, GstBuffer *buffer)
{
  GstCardiacCmrTruthMeta *self = (GstCardiacCmrTruthMeta *) meta;

  memset (
      (guint8 *) self + sizeof (GstMeta), 0, sizeof *self - sizeof (GstMeta));
  return TRUE;
}

/* Without coordinates, every transformation is a copy. */
static gboolean
truth_meta_transform (GstBuffer *dest, GstMeta *meta, GstBuffer *buffer,
    GQuark type, gpointer data)
{
  GstCardiacCmrTruthMeta *to = gst_buffer_add_cardiac_cmr_truth_meta (dest);
  GstMeta header = to->meta;

  *to = *(GstCardiacCmrTruthMeta *) meta;
  to->meta = header;
  return TRUE;
}

const GstMetaInfo *
gst_cardiac_cmr_truth_meta_get_info (void)
{
  static const GstMetaInfo *info = NULL;

  if (g_once_init_enter ((GstMetaInfo **) &info)) {
    const GstMetaInfo *meta =
        gst_meta_register (GST_CARDIAC_CMR_TRUTH_META_API_TYPE,
            "GstCardiacCmrTruthMeta", sizeof (GstCardiacCmrTruthMeta),
            truth_meta_init, NULL, truth_meta_transform);
    g_once_init_leave ((GstMetaInfo **) &info, (GstMetaInfo *) meta);
  }
  return info;
}

GstCardiacCmrTruthMeta *
gst_buffer_add_cardiac_cmr_truth_meta (GstBuffer *buffer)
{
  return (GstCardiacCmrTruthMeta *) gst_buffer_add_meta (
      buffer, gst_cardiac_cmr_truth_meta_get_info (), NULL);
}

GstCardiacCmrTruthMeta *
gst_buffer_get_cardiac_cmr_truth_meta (GstBuffer *buffer)
{
  return (GstCardiacCmrTruthMeta *) gst_buffer_get_meta (
      buffer, GST_CARDIAC_CMR_TRUTH_META_API_TYPE);
}
