/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef GST_CARDIAC_FILTER_H
#define GST_CARDIAC_FILTER_H

#include <cardiac/image.h>
#include <cardiac/model.h>
#include <cardiac/session.h>
#include <gst/base/gstbasetransform.h>
#include <gst/video/video.h>

#include "cudaframe.h"
#include "gstcardiacenums.h"

G_BEGIN_DECLS

#define GST_TYPE_CARDIAC_FILTER (gst_cardiac_filter_get_type ())
G_DECLARE_DERIVABLE_TYPE (
    GstCardiacFilter, gst_cardiac_filter, GST, CARDIAC_FILTER, GstBaseTransform)

/**
 * GstCardiacFilterClass:
 * @demo_model: file that an empty `model` stands for
 * @model_optional: whether open() may be called without a model when `model` is
 *   empty and @demo_model is not installed
 * @needs_network: whether start() has to load a model; %NULL: yes
 * @open: makes the network, with the model's reference borrowed. False with
 *   @error, or after posting an error of its own
 * @close: ends the network; called when open() failed, too
 * @format: a new size or format of pictures
 * @frame: one frame, to which metas may be added
 * @discard: a seek: what comes next does not follow what came before
 * @unlock: true: nobody may wait until it is called with false
 * @drain: the end of the stream
 * @get_stats: counters for the `stats` property; thread-safe
 *
 * A video filter that runs a network and passes every frame on untouched. It
 * keeps the properties that all such elements share, loads the model, and
 * knows whether the pipeline is live. Frames in GPU memory pass, too; it keeps
 * what they need.
 */
struct _GstCardiacFilterClass {
  GstBaseTransformClass parent_class;

  const gchar *demo_model;
  gboolean model_optional;

  gboolean (*needs_network) (GstCardiacFilter *filter);
  gboolean (*open) (GstCardiacFilter *filter, CardiacModel *model,
      const CardiacSettings *settings, CardiacError **error);
  void (*close) (GstCardiacFilter *filter);
  void (*format) (GstCardiacFilter *filter, const GstVideoInfo *info);
  void (*frame) (
      GstCardiacFilter *filter, GstBuffer *buffer, GstClockTime time);
  void (*discard) (GstCardiacFilter *filter);
  void (*unlock) (GstCardiacFilter *filter, gboolean locked);
  void (*drain) (GstCardiacFilter *filter);
  GstStructure *(*get_stats) (GstCardiacFilter *filter);
};

/* For subclasses, in the streaming thread. */

const GstVideoInfo *gst_cardiac_filter_get_info (GstCardiacFilter *filter);

/** For frames in GPU memory. */
CudaFrames *gst_cardiac_filter_get_cuda (GstCardiacFilter *filter);

/** The model that open() got, or %NULL. */
CardiacModel *gst_cardiac_filter_get_model (GstCardiacFilter *filter);

/** Whether video may wait for the network. */
gboolean gst_cardiac_filter_is_exact (GstCardiacFilter *filter);

/** The `enabled` property. */
gboolean gst_cardiac_filter_is_enabled (GstCardiacFilter *filter);

/** What the network really runs on; posted and shown as `actual-device`. */
void gst_cardiac_filter_set_run_info (
    GstCardiacFilter *filter, const CardiacRunInfo *info);

/** Maps a frame for reading in host memory; unmap it with
 * gst_video_frame_unmap(). A frame that cannot be is said once. */
gboolean gst_cardiac_filter_map (
    GstCardiacFilter *filter, GstBuffer *buffer, GstVideoFrame *frame);

/** Says once that a picture could not be read, and frees @error; without one it
 * was in GPU memory. */
void gst_cardiac_filter_warn_unread (
    GstCardiacFilter *filter, CardiacError **error);

/** Posts a bus message about something the user ought to know, once. */
void gst_cardiac_filter_warn_once (GstCardiacFilter *filter, guint *done,
    const gchar *text, const gchar *detail);

G_END_DECLS

#endif
