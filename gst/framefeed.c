/* SPDX-License-Identifier: LGPL-2.1-or-later */

#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include "framefeed.h"

#include "cudaframe.h"
#include "videoimage.h"

/* Of a frame in GPU memory the host sees as many rows, or up to twice as many:
 * four for each of a signature's cells. */
#define DEVICE_ROWS (4 * CARDIAC_SIGNATURE_ROWS)

typedef struct {
  CudaFrames *cuda;
  GstVideoFrame frame;
} DeviceFrame;

static GstBuffer *
copy_device_frame (gpointer data, CardiacImage *image)
{
  DeviceFrame *device = data;

  return cuda_frames_copy (device->cuda, &device->frame, image);
}

/* Rows enough for the watch: every 2nd, 4th or 8th of a large picture. */
static gint
choose_step (gint height)
{
  gint step = 1;

  while (step < 8 && height >= 2 * step * DEVICE_ROWS)
    step *= 2;
  return step;
}

/* A frame that lies where the network computes: the host sees some of its rows,
 * and the network gets a copy of it there. A recording is kept on the host.
 * Returns: %FALSE, with nothing done, for every other frame */
static gboolean
push_device_frame (GstCardiacFilter *filter, ClipFeeder *feeder,
    GstBuffer *buffer, GstClockTime time, Observation *seen, Clip **clip,
    gboolean *ok, CardiacError **error)
{
  DeviceFrame device = { gst_cardiac_filter_get_cuda (filter) };
  FeederFrame feed = { .copy = copy_device_frame, .data = &device };
  gboolean seen_rows;

  if (gst_cardiac_filter_is_exact (filter)
      || !cuda_frames_map (device.cuda, buffer, &device.frame))
    return FALSE;
  feed.step = choose_step (GST_VIDEO_FRAME_HEIGHT (&device.frame));
  seen_rows =
      cuda_frames_glance (device.cuda, &device.frame, feed.step, &feed.image);
  *ok = seen_rows && clip_feeder_push (feeder, &feed, time, seen, clip, error);
  gst_video_frame_unmap (&device.frame);
  return TRUE;
}

gboolean
frame_feed_push (GstCardiacFilter *filter, ClipFeeder *feeder,
    GstBuffer *buffer, GstClockTime time, Observation *seen, Clip **clip,
    guint64 *on_device)
{
  FeederFrame feed = { .step = 1 };
  CardiacError *error = NULL;
  GstVideoFrame frame;
  gboolean ok;

  if (push_device_frame (
          filter, feeder, buffer, time, seen, clip, &ok, &error)) {
    *on_device += ok;
  } else {
    if (!gst_cardiac_filter_map (filter, buffer, &frame))
      return FALSE;
    video_image_describe (&frame, &feed.image);
    ok = clip_feeder_push (feeder, &feed, time, seen, clip, &error);
    gst_video_frame_unmap (&frame);
  }
  if (!ok)
    gst_cardiac_filter_warn_unread (filter, &error);
  return ok;
}
