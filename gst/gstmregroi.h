/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef GST_MREG_ROI_H
#define GST_MREG_ROI_H

#include "gstcardiacfilter.h"

G_BEGIN_DECLS

#define GST_TYPE_MREG_ROI (gst_mreg_roi_get_type ())
G_DECLARE_FINAL_TYPE (GstMregRoi, gst_mreg_roi, GST, MREG_ROI, GstCardiacFilter)

GST_ELEMENT_REGISTER_DECLARE (mregroi);

G_END_DECLS

#endif
