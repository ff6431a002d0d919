/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef GST_MREG_CLASSIFY_H
#define GST_MREG_CLASSIFY_H

#include "gstcardiacfilter.h"

G_BEGIN_DECLS

#define GST_TYPE_MREG_CLASSIFY (gst_mreg_classify_get_type ())
G_DECLARE_FINAL_TYPE (
    GstMregClassify, gst_mreg_classify, GST, MREG_CLASSIFY, GstCardiacFilter)

GST_ELEMENT_REGISTER_DECLARE (mregclassify);

G_END_DECLS

#endif
