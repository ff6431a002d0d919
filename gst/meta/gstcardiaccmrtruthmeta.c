/* SPDX-License-Identifier: LGPL-2.1-or-later */

#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include "gstcardiaccmrtruthmeta.h"

#include <string.h>

#include "metadefine.h"

static const gchar *const tags[] = { NULL }; /* see gstcardiacmeta.c */

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

GST_CARDIAC_DEFINE_META (
    CmrTruth, cmr_truth, tags, truth_meta_init, NULL, truth_meta_transform)

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
