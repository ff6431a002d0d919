/* SPDX-License-Identifier: LGPL-2.1-or-later */

#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include "gstcardiacenums.h"

static const GEnumValue sync_modes[] = {
  { GST_CARDIAC_SYNC_AUTO, "live in a live pipeline, else exact", "auto" },
  { GST_CARDIAC_SYNC_LIVE, "video never waits for the network", "live" },
  { GST_CARDIAC_SYNC_EXACT, "video waits, two runs are equal", "exact" },
  { 0, NULL, NULL },
};

static const GEnumValue precisions[] = {
  { GST_CARDIAC_PRECISION_AUTO, "what suits the processor", "auto" },
  { GST_CARDIAC_PRECISION_FP32, "32-bit floating point", "fp32" },
  { GST_CARDIAC_PRECISION_BF16, "bfloat16", "bf16" },
  { GST_CARDIAC_PRECISION_FP16, "half precision", "fp16" },
  { 0, NULL, NULL },
};

static const GEnumValue heatmaps[] = {
  { GST_CARDIAC_HEATMAP_NONE, "no map", "none" },
  { GST_CARDIAC_HEATMAP_ACTIVATION, "activation of the grade", "activation" },
  { GST_CARDIAC_HEATMAP_MIXED, "activation of all grades, signed", "mixed" },
  { GST_CARDIAC_HEATMAP_EIGENCAM, "Eigen-CAM of the features", "eigencam" },
  { 0, NULL, NULL },
};

static const GEnumValue layouts[] = {
  { GST_CARDIAC_LAYOUT_INSIDE, "a strip within the picture", "inside" },
  { GST_CARDIAC_LAYOUT_PANEL, "a panel beside the picture", "panel" },
  { 0, NULL, NULL },
};

static const GEnumValue contents[] = {
  { GST_CARDIAC_CONTENT_AUTO, "by the picture's shape", "auto" },
  { GST_CARDIAC_CONTENT_MREG, "mitral regurgitation", "mreg" },
  { GST_CARDIAC_CONTENT_MMSA, "regional wall motion", "mmsa" },
  { 0, NULL, NULL },
};

static const GEnumValue map_styles[] = {
  { GST_CARDIAC_MAP_STYLE_OFF, "none", "off" },
  { GST_CARDIAC_MAP_STYLE_CONTOUR, "two contours", "contour" },
  { GST_CARDIAC_MAP_STYLE_FILL, "a veil and two contours", "fill" },
  { 0, NULL, NULL },
};

static const GEnumValue echo_walls[] = {
  { GST_CARDIAC_ECHO_WALL_SEPTAL, "hugs the septal wall", "septal" },
  { GST_CARDIAC_ECHO_WALL_NONE, "central", "none" },
  { GST_CARDIAC_ECHO_WALL_LATERAL, "hugs the lateral wall", "lateral" },
  { 0, NULL, NULL },
};

/* Each is part of the plugin's interface, so that it gets documented. */
#define DEFINE_ENUM(function, name, values)                                    \
  GType function##_get_type (void)                                             \
  {                                                                            \
    static gsize type = 0;                                                     \
                                                                               \
    if (g_once_init_enter (&type)) {                                           \
      GType registered = g_enum_register_static (name, values);                \
                                                                               \
      gst_type_mark_as_plugin_api (registered, 0);                             \
      g_once_init_leave (&type, registered);                                   \
    }                                                                          \
    return type;                                                               \
  }

DEFINE_ENUM (gst_cardiac_sync_mode, "GstCardiacSyncMode", sync_modes)
DEFINE_ENUM (gst_cardiac_precision, "GstCardiacPrecision", precisions)
DEFINE_ENUM (gst_cardiac_heatmap, "GstCardiacHeatmap", heatmaps)
DEFINE_ENUM (gst_cardiac_layout, "GstCardiacLayout", layouts)
DEFINE_ENUM (gst_cardiac_content, "GstCardiacContent", contents)
DEFINE_ENUM (gst_cardiac_echo_wall, "GstCardiacEchoWall", echo_walls)
DEFINE_ENUM (gst_cardiac_map_style, "GstCardiacMapStyle", map_styles)

const gchar *
gst_cardiac_heatmap_name (GstCardiacHeatmap heatmap)
{
  return heatmaps[heatmap].value_nick;
}
