/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef GST_CARDIAC_OVERLAY_H
#define GST_CARDIAC_OVERLAY_H

#include <gst/video/gstvideofilter.h>

G_BEGIN_DECLS

#define GST_TYPE_CARDIAC_OVERLAY (gst_cardiac_overlay_get_type ())
G_DECLARE_FINAL_TYPE (GstCardiacOverlay, gst_cardiac_overlay, GST,
    CARDIAC_OVERLAY, GstVideoFilter)

GST_ELEMENT_REGISTER_DECLARE (cardiacoverlay);

G_END_DECLS

#endif
