/* SPDX-License-Identifier: LGPL-2.1-or-later */

#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include "videoimage.h"

#include <math.h>

static CardiacMatrix
get_matrix (const GstVideoInfo *info)
{
  switch (info->colorimetry.matrix) {
    case GST_VIDEO_COLOR_MATRIX_BT709:
    case GST_VIDEO_COLOR_MATRIX_SMPTE240M:
      return CARDIAC_MATRIX_BT709;
    case GST_VIDEO_COLOR_MATRIX_BT2020:
      return CARDIAC_MATRIX_BT2020;
    default:
      return CARDIAC_MATRIX_BT601;
  }
}

static CardiacChromaSite
get_chroma_site (const GstVideoInfo *info)
{
  gboolean left = (info->chroma_site & GST_VIDEO_CHROMA_SITE_H_COSITED) != 0;
  gboolean top = (info->chroma_site & GST_VIDEO_CHROMA_SITE_V_COSITED) != 0;

  if (left)
    return top ? CARDIAC_CHROMA_TOP_LEFT : CARDIAC_CHROMA_LEFT;
  return top ? CARDIAC_CHROMA_TOP : CARDIAC_CHROMA_CENTRE;
}

void
video_image_describe (const GstVideoFrame *frame, CardiacImage *image)
{
  const GstVideoInfo *info = &frame->info;
  const GstVideoFormatInfo *format = info->finfo;
  guint components = 3;

  memset (image, 0, sizeof *image);
  image->width = GST_VIDEO_FRAME_WIDTH (frame);
  image->height = GST_VIDEO_FRAME_HEIGHT (frame);
  image->matrix = get_matrix (info);
  image->chroma_site = get_chroma_site (info);
  image->full_range = info->colorimetry.range == GST_VIDEO_COLOR_RANGE_0_255;

  if (GST_VIDEO_FORMAT_INFO_IS_GRAY (format)) {
    image->colour = CARDIAC_COLOUR_GRAY;
    components = 1;
  } else if (GST_VIDEO_FORMAT_INFO_IS_RGB (format)) {
    image->colour = CARDIAC_COLOUR_RGB;
  } else {
    image->colour = CARDIAC_COLOUR_YUV;
  }

  for (guint c = 0; c < components; c++) {
    CardiacComponent *component = &image->component[c];

    component->data = GST_VIDEO_FRAME_COMP_DATA (frame, c);
    component->stride = GST_VIDEO_FRAME_COMP_STRIDE (frame, c);
    component->pixel_stride = GST_VIDEO_FRAME_COMP_PSTRIDE (frame, c);
    component->hsub = GST_VIDEO_FORMAT_INFO_W_SUB (format, c);
    component->vsub = GST_VIDEO_FORMAT_INFO_H_SUB (format, c);
  }
}

/* Where a stretch of `side` lies along an axis of `size` pixels. */
static gdouble
place (gdouble middle, gint side, gint size)
{
  gdouble at = floor (middle - side / 2.0 + 0.5);

  if (side >= size)
    return -((side - size) / 2);
  return CLAMP (at, 0, size - side);
}

CardiacSquare
video_image_crop (gint width, gint height, const GstCardiacBox *roi)
{
  const GstCardiacBox whole = { 0, 0, width, height };
  CardiacSquare crop;
  gint side;

  if (!roi)
    roi = &whole;
  side = (gint) floor (MAX (roi->w, roi->h) + 0.5);
  side = CLAMP (side, 1, CARDIAC_IMAGE_MAX_SIZE);
  crop.side = side;
  crop.x = place (roi->x + roi->w / 2, side, width);
  crop.y = place (roi->y + roi->h / 2, side, height);
  return crop;
}

static gboolean
parse_numbers (const gchar *text, guint count, gdouble *numbers)
{
  gchar **parts = g_strsplit (text, ",", -1);
  gboolean ok = g_strv_length (parts) == count;

  for (guint i = 0; ok && i < count; i++) {
    gchar *rest, *part = g_strstrip (parts[i]);

    numbers[i] = g_ascii_strtod (part, &rest);
    ok = rest != part && *rest == '\0' && isfinite (numbers[i])
         && fabs (numbers[i]) <= CARDIAC_IMAGE_MAX_SIZE;
  }
  g_strfreev (parts);
  return ok;
}

gboolean
video_image_parse_box (const gchar *text, GstCardiacBox *box)
{
  gdouble numbers[4];

  if (!parse_numbers (text, 4, numbers) || numbers[2] < 1 || numbers[3] < 1)
    return FALSE;

  box->x = numbers[0];
  box->y = numbers[1];
  box->w = numbers[2];
  box->h = numbers[3];
  return TRUE;
}

gboolean
video_image_parse_point (const gchar *text, gdouble point[2])
{
  gdouble numbers[2];

  if (!parse_numbers (text, 2, numbers))
    return FALSE;
  point[0] = numbers[0];
  point[1] = numbers[1];
  return TRUE;
}
