/* SPDX-License-Identifier: LGPL-2.1-or-later */

#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include "cyclepicture.h"

#include <string.h>

static GstClockTime
get_end (const GstSegment *segment, GstBuffer *buffer)
{
  GstClockTime pts = GST_BUFFER_PTS (buffer);

  if (!GST_BUFFER_DURATION_IS_VALID (buffer))
    return GST_CLOCK_TIME_NONE;
  return gst_segment_to_running_time (
      segment, GST_FORMAT_TIME, pts + GST_BUFFER_DURATION (buffer));
}

void
cycle_buffer_times (const GstSegment *segment, GstBuffer *buffer,
    GstClockTime *begin, GstClockTime *end, GstClockTime *time)
{
  *begin = *end = *time = GST_CLOCK_TIME_NONE;
  if (segment->format != GST_FORMAT_TIME || !GST_BUFFER_PTS_IS_VALID (buffer))
    return;
  *begin = gst_segment_to_running_time (
      segment, GST_FORMAT_TIME, GST_BUFFER_PTS (buffer));
  *time = gst_segment_to_stream_time (
      segment, GST_FORMAT_TIME, GST_BUFFER_PTS (buffer));
  *end = get_end (segment, buffer);
}

CyclePicture *
cycle_picture_new (
    GstBuffer *buffer, const GstVideoInfo *info, const GstSegment *segment)
{
  const GstCardiacSliceMeta *slice =
      gst_buffer_get_cardiac_slice_meta (buffer, -1);
  CyclePicture *picture;
  GstVideoFrame frame;

  if (GST_VIDEO_INFO_WIDTH (info) != CARDIAC_POLAR_COLUMNS
      || GST_VIDEO_INFO_HEIGHT (info) != CARDIAC_POLAR_ROWS
      || !gst_video_frame_map (
          &frame, (GstVideoInfo *) info, buffer, GST_MAP_READ))
    return NULL;
  picture = g_new0 (CyclePicture, 1);
  for (gint y = 0; y < CARDIAC_POLAR_ROWS; y++)
    memcpy (picture->grey + y * CARDIAC_POLAR_COLUMNS,
        (guint8 *) GST_VIDEO_FRAME_PLANE_DATA (&frame, 0)
            + y * GST_VIDEO_FRAME_PLANE_STRIDE (&frame, 0),
        CARDIAC_POLAR_COLUMNS);
  gst_video_frame_unmap (&frame);

  cycle_buffer_times (
      segment, buffer, &picture->begin, &picture->end, &picture->time);
  picture->has_slice = slice != NULL;
  if (slice) {
    picture->phase = slice->phase;
    picture->phases = slice->phases;
    picture->loop = slice->loop;
    picture->level = slice->level;
    picture->has_landmarks = slice->landmarks != GST_CARDIAC_LANDMARKS_NONE;
  }
  return picture;
}
