/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef FRAMES_H
#define FRAMES_H

#include <gst/video/video.h>

/* Made-up echo pictures, a few pixels large, in any 8-bit format. */

typedef enum {
  FRAME_DOPPLER, ///< a grey moving texture and a moving coloured jet
  FRAME_GREY,    ///< the texture alone
  FRAME_BLACK,
} FrameKind;

/** A frame with texture number @index: equal numbers give equal pictures.
 * @padded: rows are longer than they need to be, planes are apart */
GstBuffer *frame_new (const GstVideoInfo *info, FrameKind kind, guint index,
    GstClockTime pts, GstClockTime duration, gboolean padded);

/** "video/x-raw,format=..." */
gchar *frame_caps (
    const gchar *format, gint width, gint height, gint fps_n, gint fps_d);

#endif
