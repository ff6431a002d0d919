/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef ROI_NETWORK_H
#define ROI_NETWORK_H

#include <cardiac/image.h>
#include <cardiac/yolov8.h>
#include <gst/gst.h>

#include "meta/gstcardiacresult.h"
#include "worker.h"

/* The detector of the cardiac region as a worker's job. */

typedef struct _RoiNetwork RoiNetwork;

RoiNetwork *roi_network_new (
    CardiacModel *model, const CardiacSettings *settings);
void roi_network_free (RoiNetwork *network);

/** Valid once the worker runs. */
const CardiacYolov8Shape *roi_network_shape (const RoiNetwork *network);
const CardiacRunInfo *roi_network_run_info (const RoiNetwork *network);

extern const WorkerClass roi_network_class;

/** One picture: letterboxed, or, for a network on a GPU, a whole frame there
 * that it letterboxes itself. */
typedef struct {
  GstClockTime time;
  CardiacLetterbox placement; ///< of `input`
  gfloat *input;              ///< [3, side, side]; owned; NULL: a frame
  GstBuffer *frame;           ///< in GPU memory; owned
  CardiacImage image;         ///< of `frame`
  GArray *pictures;           ///< see regions_get_pictures(); owned
} RoiJob;

typedef struct {
  GstClockTime time;
  gboolean found;
  GstCardiacBox box; ///< pixels of the frame
  gdouble confidence;
  gdouble inference_ms;
  gchar *failure, *detail;
} RoiOutcome;

RoiJob *roi_job_new (void);
void roi_job_free (RoiJob *job);
void roi_outcome_free (RoiOutcome *outcome);

#endif
