/* SPDX-License-Identifier: LGPL-2.1-or-later */

#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include "frametime.h"

GstClockTime
frame_time (const GstVideoInfo *info, guint64 n)
{
  if (GST_VIDEO_INFO_FPS_N (info) == 0)
    return 0;
  return gst_util_uint64_scale (n,
      GST_VIDEO_INFO_FPS_D (info) * (guint64) GST_SECOND,
      GST_VIDEO_INFO_FPS_N (info));
}

guint64
frame_at (const GstVideoInfo *info, GstClockTime time)
{
  guint64 n = gst_util_uint64_scale (time, GST_VIDEO_INFO_FPS_N (info),
      GST_VIDEO_INFO_FPS_D (info) * (guint64) GST_SECOND);

  /* Begins are rounded down: one that was asked for exactly is that frame's. */
  return GST_VIDEO_INFO_FPS_N (info) && frame_time (info, n + 1) <= time ? n + 1
                                                                         : n;
}

guint64
frames_before (const GstVideoInfo *info, GstClockTime time)
{
  guint64 n = frame_at (info, time);

  if (GST_VIDEO_INFO_FPS_N (info) == 0)
    return 1;
  return frame_time (info, n) < time ? n + 1 : n;
}
