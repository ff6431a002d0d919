/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef GST_CARDIAC_CMR_TRUTH_META_H
#define GST_CARDIAC_CMR_TRUTH_META_H

#include <gst/gst.h>

#include "gstcardiacresult.h"

G_BEGIN_DECLS

typedef struct _GstCardiacCmrTruthMeta GstCardiacCmrTruthMeta;

/**
 * GstCardiacCmrTruthMeta:
 * @scores: of the AHA segments 1 to 16: 1 normal, 2 hypokinetic, 3 akinetic, 4
 *   dyskinetic
 * @excursion: mean inward motion of each segment's endocardium, share of the
 *   cavity's radius
 * @thickening: of each segment's wall, share of its thickness
 * @index: mean of the scores
 * @contraction: at this phase, 0 to 1
 *
 * What is true of a cine-MR phantom. Without coordinates and without
 * tags: it survives conversion, scaling, encoding and cudadownload. Landmarks
 * are in the #GstCardiacSliceMeta beside it.
 */
struct _GstCardiacCmrTruthMeta {
  GstMeta meta;

  gint scores[16];
  gdouble excursion[16], thickening[16];
  gdouble index;
  gdouble contraction;
};

GST_CARDIAC_API GType gst_cardiac_cmr_truth_meta_api_get_type (void);
GST_CARDIAC_API const GstMetaInfo *gst_cardiac_cmr_truth_meta_get_info (void);
#define GST_CARDIAC_CMR_TRUTH_META_API_TYPE                                    \
  (gst_cardiac_cmr_truth_meta_api_get_type ())

/** Adds an empty one to a writable buffer; fill it in. */
GST_CARDIAC_API GstCardiacCmrTruthMeta *gst_buffer_add_cardiac_cmr_truth_meta (
    GstBuffer *buffer);

/** The buffer's, or %NULL. */
GST_CARDIAC_API GstCardiacCmrTruthMeta *gst_buffer_get_cardiac_cmr_truth_meta (
    GstBuffer *buffer);

G_END_DECLS

#endif
