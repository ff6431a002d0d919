/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef GST_CARDIAC_META_H
#define GST_CARDIAC_META_H

#include "gstcardiacresult.h"

G_BEGIN_DECLS

typedef struct _GstCardiacResultMeta GstCardiacResultMeta;
typedef struct _GstCardiacGeometryMeta GstCardiacGeometryMeta;

/**
 * GstCardiacResultMeta:
 * @result: the record; shared and immutable
 * @age: stream time between this frame and the newest one behind @result, or
 *   %GST_CLOCK_TIME_NONE
 * @is_new: this is the first frame that carries @result
 * @map_instance: instance of @result that this frame lies in, or -1
 * @map_frame: its sampled frame nearest to this one, or -1
 * @wait_done: frames in, of those that a first result needs
 * @wait_total: frames that a first result needs; 0: not waiting
 *
 * What is known at this frame. It holds no coordinates and has no
 * tags: it survives conversion, scaling, cropping, encoding and cudadownload.
 */
struct _GstCardiacResultMeta {
  GstMeta meta;

  GstCardiacResult *result;
  GstClockTime age;
  gboolean is_new;
  gint map_instance, map_frame;
  guint wait_done, wait_total;
};

/**
 * GstCardiacGeometryMeta:
 * @has_roi: whether @roi is set
 * @roi: the region that the analysis looks at
 * @roi_confidence: of the detector, 0 to 1; 1 for a region given by hand
 * @detected: a network found @roi (and not a person)
 * @searched: a trained detector looked for the region and gave its newest
 *   answer: without @has_roi it found no heart
 * @has_crop: whether @crop is set
 * @crop: the square that the network saw, in which maps lie; may exceed the
 *   picture
 *
 * Where things lie in this very picture, in its pixels. Maps itself when the
 * picture is copied or scaled (from GStreamer 1.28 on: cropped or padded, too)
 * and vanishes where it cannot be mapped (a flip, a cut through @roi): a missing
 * box beats a wrong one.
 */
struct _GstCardiacGeometryMeta {
  GstMeta meta;

  gboolean has_roi;
  GstCardiacBox roi;
  gdouble roi_confidence;
  gboolean detected;
  gboolean searched;
  gboolean has_crop;
  GstCardiacBox crop;
};

GST_CARDIAC_API GType gst_cardiac_result_meta_api_get_type (void);
GST_CARDIAC_API const GstMetaInfo *gst_cardiac_result_meta_get_info (void);
GST_CARDIAC_API GType gst_cardiac_geometry_meta_api_get_type (void);
GST_CARDIAC_API const GstMetaInfo *gst_cardiac_geometry_meta_get_info (void);
#define GST_CARDIAC_RESULT_META_API_TYPE                                       \
  (gst_cardiac_result_meta_api_get_type ())
#define GST_CARDIAC_GEOMETRY_META_API_TYPE                                     \
  (gst_cardiac_geometry_meta_api_get_type ())

/** Adds the record to a writable buffer, or replaces the record that is there.
 * Takes a reference of its own on @result. */
GST_CARDIAC_API GstCardiacResultMeta *gst_buffer_add_cardiac_result_meta (
    GstBuffer *buffer, GstCardiacResult *result);

/** The buffer's record, or %NULL. */
GST_CARDIAC_API GstCardiacResultMeta *gst_buffer_get_cardiac_result_meta (
    GstBuffer *buffer);

/** The buffer's geometry; an empty one is added when there is none. */
GST_CARDIAC_API GstCardiacGeometryMeta *gst_buffer_add_cardiac_geometry_meta (
    GstBuffer *buffer);

/** The buffer's geometry, or %NULL. */
GST_CARDIAC_API GstCardiacGeometryMeta *gst_buffer_get_cardiac_geometry_meta (
    GstBuffer *buffer);

G_END_DECLS

#endif
