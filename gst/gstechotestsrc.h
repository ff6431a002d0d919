/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef GST_ECHO_TEST_SRC_H
#define GST_ECHO_TEST_SRC_H

#include <gst/base/gstpushsrc.h>

G_BEGIN_DECLS

#define GST_TYPE_ECHO_TEST_SRC (gst_echo_test_src_get_type ())
G_DECLARE_FINAL_TYPE (
    GstEchoTestSrc, gst_echo_test_src, GST, ECHO_TEST_SRC, GstPushSrc)

GST_ELEMENT_REGISTER_DECLARE (echotestsrc)

G_END_DECLS

#endif
