/* SPDX-License-Identifier: LGPL-2.1-or-later */

#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include "panelcopy.h"

#include <string.h>

#include "overlaycache.h"

/* One of the components that a plane holds. */
static guint
get_component (const GstVideoFormatInfo *format, guint plane)
{
  for (guint c = 0; c < GST_VIDEO_FORMAT_INFO_N_COMPONENTS (format); c++)
    if (GST_VIDEO_FORMAT_INFO_PLANE (format, c) == plane)
      return c;
  return 0;
}

/* Bytes of a row of a picture. The last colour of a packed row of odd width lies
 * behind its last luma. */
static gsize
get_row (const GstVideoFrame *picture, guint plane)
{
  const GstVideoFormatInfo *format = picture->info.finfo;
  gsize bytes = 0;

  for (guint c = 0; c < GST_VIDEO_FORMAT_INFO_N_COMPONENTS (format); c++)
    if (GST_VIDEO_FORMAT_INFO_PLANE (format, c) == plane)
      bytes = MAX (bytes, (gsize) GST_VIDEO_FRAME_COMP_WIDTH (picture, c)
                              * GST_VIDEO_FRAME_COMP_PSTRIDE (picture, c));
  return MIN (
      bytes, (gsize) ABS (GST_VIDEO_FRAME_PLANE_STRIDE (picture, plane)));
}

static gboolean
is_aligned (const GstVideoFormatInfo *format, gint x, gint y)
{
  for (guint c = 0; c < GST_VIDEO_FORMAT_INFO_N_COMPONENTS (format); c++)
    if (x % (1 << GST_VIDEO_FORMAT_INFO_W_SUB (format, c)) != 0
        || y % (1 << GST_VIDEO_FORMAT_INFO_H_SUB (format, c)) != 0)
      return FALSE;
  return TRUE;
}

void
panel_copy_frame (
    GstVideoFrame *canvas, gint x, gint y, const GstVideoFrame *picture)
{
  const GstVideoFormatInfo *format = canvas->info.finfo;

  for (guint p = 0; p < GST_VIDEO_FRAME_N_PLANES (canvas); p++) {
    guint c = get_component (format, p);
    gint pixel = GST_VIDEO_FORMAT_INFO_PSTRIDE (format, c);
    gsize from =
        (gsize) GST_VIDEO_FORMAT_INFO_SCALE_WIDTH (format, c, x) * pixel;
    gsize bytes = get_row (picture, p);
    gint top = GST_VIDEO_FORMAT_INFO_SCALE_HEIGHT (format, c, y);
    gint rows = MIN (GST_VIDEO_FRAME_COMP_HEIGHT (picture, c),
        GST_VIDEO_FRAME_COMP_HEIGHT (canvas, c) - top);
    gint to_stride = GST_VIDEO_FRAME_PLANE_STRIDE (canvas, p);
    gint from_stride = GST_VIDEO_FRAME_PLANE_STRIDE (picture, p);
    guint8 *to = (guint8 *) GST_VIDEO_FRAME_PLANE_DATA (canvas, p) + from
                 + (gssize) top * to_stride;
    const guint8 *row = GST_VIDEO_FRAME_PLANE_DATA (picture, p);

    bytes = MIN (bytes, (gsize) ABS (to_stride) - from);
    for (gint i = 0; i < rows; i++)
      memcpy (
          to + (gssize) i * to_stride, row + (gssize) i * from_stride, bytes);
  }
}

static guint8
get_black (const GstVideoInfo *info, guint component)
{
  if (component == 3)
    return 255;
  if (!GST_VIDEO_INFO_IS_YUV (info))
    return 0;
  if (component > 0)
    return 128;
  return info->colorimetry.range == GST_VIDEO_COLOR_RANGE_0_255 ? 0 : 16;
}

void
panel_copy_blacken (GstVideoFrame *canvas, gint x, gint y)
{
  const GstVideoFormatInfo *format = canvas->info.finfo;

  for (guint c = 0; c < GST_VIDEO_FRAME_N_COMPONENTS (canvas); c++) {
    guint8 black = get_black (&canvas->info, c);
    gint pixel = GST_VIDEO_FRAME_COMP_PSTRIDE (canvas, c);
    gint width = GST_VIDEO_FRAME_COMP_WIDTH (canvas, c);
    gint height = GST_VIDEO_FRAME_COMP_HEIGHT (canvas, c);
    gint below = GST_VIDEO_FORMAT_INFO_SCALE_HEIGHT (format, c, y);
    gint right = GST_VIDEO_FORMAT_INFO_SCALE_WIDTH (format, c, x);

    for (gint row = right < width ? 0 : below; row < height; row++) {
      guint8 *sample = (guint8 *) GST_VIDEO_FRAME_COMP_DATA (canvas, c)
                       + (gssize) row * GST_VIDEO_FRAME_COMP_STRIDE (canvas, c);
      gint first = row < below ? right : 0;

      if (pixel == 1) {
        memset (sample + first, black, width - first);
        continue;
      }
      for (gint i = first; i < width; i++)
        sample[(gsize) i * pixel] = black;
    }
  }
}

/* Converts the piece into `buffer`. */
static gboolean
convert (PanelCopy *self, const GstVideoInfo *canvas,
    const CardiacOverlayRectangle *panel)
{
  GstVideoOverlayRectangle *rectangle;
  GstVideoOverlayComposition *composition;
  GstVideoFrame frame;

  panel_copy_clear (self);
  gst_video_info_set_format (
      &self->info, GST_VIDEO_INFO_FORMAT (canvas), panel->width, panel->height);
  self->info.colorimetry = canvas->colorimetry;
  self->info.chroma_site = canvas->chroma_site;
  self->buffer = gst_buffer_new_allocate (NULL, self->info.size, NULL);
  if (!gst_video_frame_map (
          &frame, &self->info, self->buffer, GST_MAP_READWRITE))
    return FALSE;

  panel_copy_blacken (&frame, frame.info.width, 0);
  rectangle = overlay_cache_wrap (panel, 0, 0);
  composition = gst_video_overlay_composition_new (rectangle);
  gst_video_overlay_composition_blend (composition, &frame);
  gst_video_overlay_composition_unref (composition);
  gst_video_overlay_rectangle_unref (rectangle);
  gst_video_frame_unmap (&frame);
  self->serial = panel->serial;
  return TRUE;
}

gboolean
panel_copy_draw (PanelCopy *self, GstVideoFrame *canvas,
    const CardiacOverlayRectangle *panel)
{
  GstVideoFrame frame;

  if (!is_aligned (canvas->info.finfo, panel->x, panel->y))
    return FALSE;
  if (self->serial != panel->serial && !convert (self, &canvas->info, panel))
    return FALSE;
  if (!gst_video_frame_map (&frame, &self->info, self->buffer, GST_MAP_READ))
    return FALSE;
  panel_copy_frame (canvas, panel->x, panel->y, &frame);
  gst_video_frame_unmap (&frame);
  return TRUE;
}

void
panel_copy_clear (PanelCopy *self)
{
  gst_clear_buffer (&self->buffer);
  self->serial = 0;
}
