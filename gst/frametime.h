/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef FRAME_TIME_H
#define FRAME_TIME_H

#include <gst/video/video.h>

/* Numbers of frames and their times at a video's frame rate, from 0 on. A rate of
 * 0 is a still picture: one frame at 0. */

/** Begin of frame @n. */
GstClockTime frame_time (const GstVideoInfo *info, guint64 n);

/** The frame that is shown at a time. */
guint64 frame_at (const GstVideoInfo *info, GstClockTime time);

/** How many frames begin before a time. */
guint64 frames_before (const GstVideoInfo *info, GstClockTime time);

#endif
