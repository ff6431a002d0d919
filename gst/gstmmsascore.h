/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef GST_MMSA_SCORE_H
#define GST_MMSA_SCORE_H

#include <gst/gst.h>

G_BEGIN_DECLS

#define GST_TYPE_MMSA_SCORE (gst_mmsa_score_get_type ())
G_DECLARE_FINAL_TYPE (GstMmsaScore, gst_mmsa_score, GST, MMSA_SCORE, GstElement)

GST_ELEMENT_REGISTER_DECLARE (mmsascore);

G_END_DECLS

#endif
