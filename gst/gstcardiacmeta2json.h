/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef GST_CARDIAC_META2JSON_H
#define GST_CARDIAC_META2JSON_H

#include <gst/base/gstbasetransform.h>

G_BEGIN_DECLS

#define GST_TYPE_CARDIAC_META2JSON (gst_cardiac_meta2json_get_type ())
G_DECLARE_FINAL_TYPE (GstCardiacMeta2json, gst_cardiac_meta2json, GST,
    CARDIAC_META2JSON, GstBaseTransform)

GST_ELEMENT_REGISTER_DECLARE (cardiacmeta2json);

G_END_DECLS

#endif
