/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef GST_CMR_TEST_SRC_H
#define GST_CMR_TEST_SRC_H

#include "gstcineplayer.h"

G_BEGIN_DECLS

#define GST_TYPE_CMR_TEST_SRC (gst_cmr_test_src_get_type ())
G_DECLARE_FINAL_TYPE (
    GstCmrTestSrc, gst_cmr_test_src, GST, CMR_TEST_SRC, GstCinePlayer)

GST_ELEMENT_REGISTER_DECLARE (cmrtestsrc);

G_END_DECLS

#endif
