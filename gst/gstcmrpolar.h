/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef GST_CMR_POLAR_H
#define GST_CMR_POLAR_H

#include <gst/video/gstvideofilter.h>

G_BEGIN_DECLS

#define GST_TYPE_CMR_POLAR (gst_cmr_polar_get_type ())
G_DECLARE_FINAL_TYPE (GstCmrPolar, gst_cmr_polar, GST, CMR_POLAR, GstVideoFilter)

GST_ELEMENT_REGISTER_DECLARE (cmrpolar);

G_END_DECLS

#endif
