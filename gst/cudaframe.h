/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CUDA_FRAME_H
#define CUDA_FRAME_H

#include <cardiac/image.h>
#include <gst/video/video.h>

/** Of a frame that a copy or a glance failed for. */
#define CUDA_FRAMES_FAILED                                                     \
  "A frame in GPU memory cannot be copied. Is its memory full?"

/* Frames in GPU memory, `video/x-raw(memory:CUDAMemory)`: all that is known of
 * libgstcuda. Built without it (cudaframe-none.c), no caps are added and no
 * frame is ever found to lie there.
 *
 * Where such a frame cannot be used in place, it is mapped like any other one:
 * libgstcuda then downloads it. */

/** What one element knows of CUDA. Its own lock guards the context; all that
 * has to do with frames is for the streaming thread. */
typedef struct _CudaFrames CudaFrames;

CudaFrames *cuda_frames_new (void);
void cuda_frames_free (CudaFrames *frames);

/** Whether this build knows frames in GPU memory. */
gboolean cuda_frames_built (void);

/** The same caps with frames in GPU memory before them. Takes @caps. */
GstCaps *cuda_frames_caps (GstCaps *caps);

/** Before upstream elements make contexts of their own: offers them the primary
 * context of a device, in which the engine computes. Without a driver, or with
 * a context that somebody else gave, it does nothing.
 * @device: as of #CardiacSettings */
void cuda_frames_offer_context (
    CudaFrames *frames, GstElement *element, const gchar *device);

/** For #GstElementClass.set_context(); other contexts are left alone. */
void cuda_frames_set_context (
    CudaFrames *frames, GstElement *element, GstContext *context);

/** Answers a CONTEXT query. Returns: whether it did */
gboolean cuda_frames_answer (
    CudaFrames *frames, GstElement *element, GstQuery *query);

/** What the network computes on, as in #CardiacRunInfo; %NULL: nothing. */
void cuda_frames_set_device (CudaFrames *frames, const gchar *device);

/** Frames that follow are of this format. */
void cuda_frames_set_format (CudaFrames *frames, const GstVideoInfo *info);

/** Maps a frame in GPU memory that the network can read where it lies: in the
 * primary context of its device. What writes to it is finished then. Unmap it
 * with gst_video_frame_unmap(). False, with a line in the log the first time,
 * for every other frame. */
gboolean cuda_frames_map (
    CudaFrames *frames, GstBuffer *buffer, GstVideoFrame *frame);

/** Copies every @step-th row of a mapped frame to the host.
 * @image: receives them; it borrows memory until the next call
 * @step: 1, 2, 4 or 8
 * Returns: %FALSE when the device fails */
gboolean cuda_frames_glance (CudaFrames *frames, const GstVideoFrame *frame,
    gint step, CardiacImage *image);

/** Copies a mapped frame within GPU memory, so that upstream's buffer can go.
 * @image: receives the device's addresses of the copy
 * Returns: what keeps the copy alive, to unref from any thread; %NULL when the
 * device fails or its memory is full */
GstBuffer *cuda_frames_copy (
    CudaFrames *frames, const GstVideoFrame *frame, CardiacImage *image);

#endif
