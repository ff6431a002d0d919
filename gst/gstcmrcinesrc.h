/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef GST_CMR_CINE_SRC_H
#define GST_CMR_CINE_SRC_H

#include "gstcineplayer.h"

G_BEGIN_DECLS

#define GST_TYPE_CMR_CINE_SRC (gst_cmr_cine_src_get_type ())
G_DECLARE_FINAL_TYPE (
    GstCmrCineSrc, gst_cmr_cine_src, GST, CMR_CINE_SRC, GstCinePlayer)

GST_ELEMENT_REGISTER_DECLARE (cmrcinesrc);

G_END_DECLS

#endif
