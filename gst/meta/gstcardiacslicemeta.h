/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef GST_CARDIAC_SLICE_META_H
#define GST_CARDIAC_SLICE_META_H

#include "gstcardiacresult.h"

G_BEGIN_DECLS

/**
 * GstCardiacLevel:
 * @GST_CARDIAC_LEVEL_BASAL: segments 1 to 6
 * @GST_CARDIAC_LEVEL_MID: segments 7 to 12
 * @GST_CARDIAC_LEVEL_APICAL: segments 13 to 16
 */
typedef enum {
  GST_CARDIAC_LEVEL_BASAL,
  GST_CARDIAC_LEVEL_MID,
  GST_CARDIAC_LEVEL_APICAL,
} GstCardiacLevel;

/** Where landmarks come from. */
typedef enum {
  GST_CARDIAC_LANDMARKS_NONE,         ///< unknown: the points are not set
  GST_CARDIAC_LANDMARKS_PROPERTY,     ///< given by hand
  GST_CARDIAC_LANDMARKS_FILE,         ///< of a side file
  GST_CARDIAC_LANDMARKS_SEGMENTATION, ///< derived from labels
  GST_CARDIAC_LANDMARKS_ESTIMATED,    ///< found in the pictures
  GST_CARDIAC_LANDMARKS_TRUTH,        ///< of a phantom
} GstCardiacLandmarksSource;

typedef struct _GstCardiacSliceMeta GstCardiacSliceMeta;

/**
 * GstCardiacSliceMeta:
 * @level: of the slice
 * @rectangle: where the slice lies in this very picture, in its pixels; the
 *   whole picture but in a review picture, which holds three
 * @landmarks: source of the three points
 * @lv_centre: centre of the LV cavity, pixels of this picture (x = column, y =
 *   row, pixel centres at whole numbers; the rectangle's offset is included)
 * @rv_anterior: anterior RV insertion, likewise
 * @rv_inferior: inferior RV insertion, likewise
 * @slice: number of the slice, 0 is the most basal one; @slices: of the stack
 * @phase: number of the phase, from 0; @phases: of the cycle
 * @loop: how often the cycle has been played before
 * @trigger_ms: time of the phase after the R wave; NaN: unknown
 * @cycle_ms: length of the cycle (RR); NaN: unknown
 * @spacing_mm: between columns, then between rows, of the stored picture
 * @position_mm: patient position of the first pixel's centre (DICOM axes: x to
 *   the left, y posterior, z to the head); NaN: unknown
 * @row_direction: patient direction of a row (growing x); @column_direction:
 *   of a column (growing y)
 * @scale: pixels of this picture a pixel of the stored slice (of a picture
 *   stretched unevenly, the geometric mean)
 * @window: GRAY16 values that stand for black and white (1st and 99th
 *   percentile over the slice's cycle); 0, 0: unknown
 *
 * A short-axis slice of cine MR. One a buffer, three on a review picture.
 * Maps itself when the picture is copied or scaled (from GStreamer 1.28 on:
 * cropped or padded, too) and vanishes where it cannot be mapped or nothing of it
 * is left. A level is there once. On a polar picture (beside a
 * #GstCardiacPolarMeta) the points are those of the original and scaling leaves
 * them alone; both vanish when it is cropped or padded.
 */
struct _GstCardiacSliceMeta {
  GstMeta meta;

  GstCardiacLevel level;
  GstCardiacBox rectangle;
  GstCardiacLandmarksSource landmarks;
  gdouble lv_centre[2], rv_anterior[2], rv_inferior[2];
  guint slice, slices;
  guint phase, phases;
  guint loop;
  gdouble trigger_ms, cycle_ms;
  gdouble spacing_mm[2];
  gdouble position_mm[3], row_direction[3], column_direction[3];
  gdouble scale;
  guint16 window[2];
};

typedef struct _GstCardiacPolarMeta GstCardiacPolarMeta;

/**
 * GstCardiacPolarMeta:
 * @level: of the slice
 * @centre: LV centre, pixels of the original slice picture
 * @side: of the square crop, pixels of the original
 * @angle0: angle of column edge 0 (anterior RV insertion), radians, y down
 * @sense: +1 or -1: whether the picture's angle grows with the column
 * @width: of the original; @height: likewise
 *
 * How a polar picture lies in its original. A GstCardiacSliceMeta with the
 * phase, times and landmarks of the original travels beside it. Scaling the polar
 * picture changes nothing here: column c of n lies at c / n of the circle.
 */
struct _GstCardiacPolarMeta {
  GstMeta meta;

  GstCardiacLevel level;
  gdouble centre[2], side, angle0, sense;
  guint width, height;
};

GST_CARDIAC_API GType gst_cardiac_level_get_type (void);
GST_CARDIAC_API GType gst_cardiac_landmarks_source_get_type (void);
#define GST_TYPE_CARDIAC_LEVEL (gst_cardiac_level_get_type ())
#define GST_TYPE_CARDIAC_LANDMARKS_SOURCE                                      \
  (gst_cardiac_landmarks_source_get_type ())

GST_CARDIAC_API GType gst_cardiac_slice_meta_api_get_type (void);
GST_CARDIAC_API const GstMetaInfo *gst_cardiac_slice_meta_get_info (void);
GST_CARDIAC_API GType gst_cardiac_polar_meta_api_get_type (void);
GST_CARDIAC_API const GstMetaInfo *gst_cardiac_polar_meta_get_info (void);
#define GST_CARDIAC_SLICE_META_API_TYPE (gst_cardiac_slice_meta_api_get_type ())
#define GST_CARDIAC_POLAR_META_API_TYPE (gst_cardiac_polar_meta_api_get_type ())

/** Adds an empty slice; fill it in. */
GST_CARDIAC_API GstCardiacSliceMeta *gst_buffer_add_cardiac_slice_meta (
    GstBuffer *buffer);

/** The slice of this level, or %NULL; any slice when @level is -1. */
GST_CARDIAC_API GstCardiacSliceMeta *gst_buffer_get_cardiac_slice_meta (
    GstBuffer *buffer, gint level);

GST_CARDIAC_API GstCardiacPolarMeta *gst_buffer_add_cardiac_polar_meta (
    GstBuffer *buffer);
GST_CARDIAC_API GstCardiacPolarMeta *gst_buffer_get_cardiac_polar_meta (
    GstBuffer *buffer);

G_END_DECLS

#endif
