/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef VIDEO_IMAGE_H
#define VIDEO_IMAGE_H

#include <cardiac/image.h>
#include <gst/video/video.h>

#include "meta/gstcardiacresult.h"

/** Formats that the engine reads where they lie: 8 bits a component, packed,
 * planar and semi-planar. */
#define CARDIAC_VIDEO_FORMATS                                                  \
  "{ I420, YV12, NV12, NV21, YUY2, UYVY, YVYU, VYUY, Y42B, Y444, NV16, "       \
  "NV61, NV24, Y41B, YUV9, YVU9, AYUV, VUYA, v308, IYU2, A420, RGB, BGR, "     \
  "RGBx, BGRx, xRGB, xBGR, RGBA, BGRA, ARGB, ABGR, GBR, GBRA, RGBP, BGRP, "    \
  "GRAY8 }"

/** Describes a mapped frame; the image borrows its samples. */
void video_image_describe (const GstVideoFrame *frame, CardiacImage *image);

/** The square that a network sees of a region, or of the whole picture when
 * @roi is %NULL: as large as its longer side, in whole pixels, shifted into the
 * picture where it fits and centred on it where it does not. */
CardiacSquare video_image_crop (
    gint width, gint height, const GstCardiacBox *roi);

/** Reads "x,y,w,h" in pixels. False for anything else but leaves @box alone. */
gboolean video_image_parse_box (const gchar *text, GstCardiacBox *box);

/** Reads "x,y" in pixels. False for anything else but leaves @point alone. */
gboolean video_image_parse_point (const gchar *text, gdouble point[2]);

#endif
