/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef GST_CARDIAC_ENUMS_H
#define GST_CARDIAC_ENUMS_H

#include <gst/gst.h>

G_BEGIN_DECLS

/**
 * GstCardiacSyncMode:
 * @GST_CARDIAC_SYNC_AUTO: live when the pipeline is, else exact
 * @GST_CARDIAC_SYNC_LIVE: video never waits; newest finished result
 * @GST_CARDIAC_SYNC_EXACT: video waits for the network; two runs are equal
 */
typedef enum {
  GST_CARDIAC_SYNC_AUTO,
  GST_CARDIAC_SYNC_LIVE,
  GST_CARDIAC_SYNC_EXACT,
} GstCardiacSyncMode;

/**
 * GstCardiacPrecision:
 * @GST_CARDIAC_PRECISION_AUTO: what suits the processor
 * @GST_CARDIAC_PRECISION_FP32: 32-bit floating point
 * @GST_CARDIAC_PRECISION_BF16: bfloat16, accumulated in 32 bits
 * @GST_CARDIAC_PRECISION_FP16: half precision, accumulated in 32 bits
 */
typedef enum {
  GST_CARDIAC_PRECISION_AUTO,
  GST_CARDIAC_PRECISION_FP32,
  GST_CARDIAC_PRECISION_BF16,
  GST_CARDIAC_PRECISION_FP16,
} GstCardiacPrecision;

/**
 * GstCardiacHeatmap:
 * @GST_CARDIAC_HEATMAP_NONE: no map
 * @GST_CARDIAC_HEATMAP_ACTIVATION: patch activation of the grade
 * @GST_CARDIAC_HEATMAP_MIXED: of all grades, as they add up to the value
 * @GST_CARDIAC_HEATMAP_EIGENCAM: first principal component of the features
 */
typedef enum {
  GST_CARDIAC_HEATMAP_NONE,
  GST_CARDIAC_HEATMAP_ACTIVATION,
  GST_CARDIAC_HEATMAP_MIXED,
  GST_CARDIAC_HEATMAP_EIGENCAM,
} GstCardiacHeatmap;

/**
 * GstCardiacLayout:
 * @GST_CARDIAC_LAYOUT_INSIDE: a strip within the picture
 * @GST_CARDIAC_LAYOUT_PANEL: a panel beside the picture; the canvas grows
 */
typedef enum {
  GST_CARDIAC_LAYOUT_INSIDE,
  GST_CARDIAC_LAYOUT_PANEL,
} GstCardiacLayout;

/**
 * GstCardiacContent:
 * @GST_CARDIAC_CONTENT_AUTO: by the picture's shape
 * @GST_CARDIAC_CONTENT_MREG: mitral regurgitation
 * @GST_CARDIAC_CONTENT_MMSA: regional wall motion
 */
typedef enum {
  GST_CARDIAC_CONTENT_AUTO,
  GST_CARDIAC_CONTENT_MREG,
  GST_CARDIAC_CONTENT_MMSA,
} GstCardiacContent;

/**
 * GstCardiacMapStyle:
 * @GST_CARDIAC_MAP_STYLE_OFF: none
 * @GST_CARDIAC_MAP_STYLE_CONTOUR: two contours, nothing inside
 * @GST_CARDIAC_MAP_STYLE_FILL: a veil and the contours
 */
typedef enum {
  GST_CARDIAC_MAP_STYLE_OFF,
  GST_CARDIAC_MAP_STYLE_CONTOUR,
  GST_CARDIAC_MAP_STYLE_FILL,
} GstCardiacMapStyle;

/**
 * GstCardiacEchoWall:
 * @GST_CARDIAC_ECHO_WALL_SEPTAL: hugs the septal wall
 * @GST_CARDIAC_ECHO_WALL_NONE: a central jet
 * @GST_CARDIAC_ECHO_WALL_LATERAL: hugs the lateral wall
 */
typedef enum {
  GST_CARDIAC_ECHO_WALL_SEPTAL = -1,
  GST_CARDIAC_ECHO_WALL_NONE = 0,
  GST_CARDIAC_ECHO_WALL_LATERAL = 1,
} GstCardiacEchoWall;

GType gst_cardiac_sync_mode_get_type (void);
GType gst_cardiac_precision_get_type (void);
GType gst_cardiac_heatmap_get_type (void);
GType gst_cardiac_content_get_type (void);
GType gst_cardiac_layout_get_type (void);
GType gst_cardiac_map_style_get_type (void);
GType gst_cardiac_echo_wall_get_type (void);
#define GST_TYPE_CARDIAC_ECHO_WALL (gst_cardiac_echo_wall_get_type ())
#define GST_TYPE_CARDIAC_SYNC_MODE (gst_cardiac_sync_mode_get_type ())
#define GST_TYPE_CARDIAC_PRECISION (gst_cardiac_precision_get_type ())
#define GST_TYPE_CARDIAC_HEATMAP (gst_cardiac_heatmap_get_type ())
#define GST_TYPE_CARDIAC_CONTENT (gst_cardiac_content_get_type ())
#define GST_TYPE_CARDIAC_LAYOUT (gst_cardiac_layout_get_type ())
#define GST_TYPE_CARDIAC_MAP_STYLE (gst_cardiac_map_style_get_type ())

/** "activation", "mixed", "eigencam" or "none". */
const gchar *gst_cardiac_heatmap_name (GstCardiacHeatmap heatmap);

G_END_DECLS

#endif
