/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "frames.h"

gchar *
frame_caps (
    const gchar *format, gint width, gint height, gint fps_n, gint fps_d)
{
  return g_strdup_printf (
      "video/x-raw,format=%s,width=%d,height=%d,framerate=%d/%d", format, width,
      height, fps_n, fps_d);
}

static guint
hash (guint x)
{
  x = (x ^ 61) ^ (x >> 16);
  x *= 9;
  x ^= x >> 4;
  x *= 0x27d4eb2d;
  return x ^ (x >> 15);
}

/* R, G, B of a pixel. */
static void
paint (FrameKind kind, guint index, gint x, gint y, gint width, gint height,
    gint rgb[3])
{
  gint cell = hash ((x / 8) * 131 + (y / 8) * 7919 + index * 104729) % 160;
  gint jet_x = width / 2 + (gint) (hash (index) % (width / 8));
  gint dx = x - jet_x, dy = y - height / 2;

  rgb[0] = rgb[1] = rgb[2] = kind == FRAME_BLACK ? 0 : 20 + cell;
  if (kind == FRAME_DOPPLER && dx * dx + dy * dy < width * width / 64) {
    rgb[0] = 230;
    rgb[1] = 40 + cell / 2;
    rgb[2] = 30;
  }
}

static gint
component (const GstVideoInfo *info, const gint rgb[3], guint c)
{
  gdouble r = rgb[0], g = rgb[1], b = rgb[2];

  if (c == 3)
    return 255;
  if (GST_VIDEO_INFO_IS_RGB (info))
    return rgb[c];
  if (c == 0)
    return 16 + (65.481 * r + 128.553 * g + 24.966 * b) / 255;
  if (c == 1)
    return 128 + (-37.797 * r - 74.203 * g + 112 * b) / 255;
  return 128 + (112 * r - 93.786 * g - 18.214 * b) / 255;
}

static GstBuffer *
allocate (const GstVideoInfo *info, gboolean padded)
{
  GstVideoInfo larger = *info;
  GstVideoAlignment alignment;
  GstBuffer *buffer;

  if (padded) {
    gst_video_alignment_reset (&alignment);
    alignment.padding_right = 24;
    alignment.padding_bottom = 8;
    gst_video_info_align (&larger, &alignment);
  }
  buffer = gst_buffer_new_allocate (NULL, larger.size, NULL);
  gst_buffer_memset (buffer, 0, 0x5a, larger.size);
  if (padded)
    gst_buffer_add_video_meta_full (buffer, GST_VIDEO_FRAME_FLAG_NONE,
        GST_VIDEO_INFO_FORMAT (info), GST_VIDEO_INFO_WIDTH (info),
        GST_VIDEO_INFO_HEIGHT (info), GST_VIDEO_INFO_N_PLANES (info),
        larger.offset, larger.stride);
  return buffer;
}

GstBuffer *
frame_new (const GstVideoInfo *info, FrameKind kind, guint index,
    GstClockTime pts, GstClockTime duration, gboolean padded)
{
  GstBuffer *buffer = allocate (info, padded);
  const GstVideoFormatInfo *format = info->finfo;
  GstVideoFrame frame;

  g_assert (gst_video_frame_map (
      &frame, (GstVideoInfo *) info, buffer, GST_MAP_WRITE));
  for (guint c = 0; c < GST_VIDEO_FRAME_N_COMPONENTS (&frame); c++) {
    gint pixel = GST_VIDEO_FRAME_COMP_PSTRIDE (&frame, c);

    for (gint y = 0; y < GST_VIDEO_FRAME_COMP_HEIGHT (&frame, c); y++) {
      guint8 *row = (guint8 *) GST_VIDEO_FRAME_COMP_DATA (&frame, c)
                    + y * GST_VIDEO_FRAME_COMP_STRIDE (&frame, c);

      for (gint x = 0; x < GST_VIDEO_FRAME_COMP_WIDTH (&frame, c); x++) {
        gint rgb[3];

        paint (kind, index, x << GST_VIDEO_FORMAT_INFO_W_SUB (format, c),
            y << GST_VIDEO_FORMAT_INFO_H_SUB (format, c), info->width,
            info->height, rgb);
        row[x * pixel] = component (info, rgb, c);
      }
    }
  }
  gst_video_frame_unmap (&frame);
  GST_BUFFER_PTS (buffer) = pts;
  GST_BUFFER_DURATION (buffer) = duration;
  return buffer;
}
