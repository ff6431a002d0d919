/* SPDX-License-Identifier: LGPL-2.1-or-later */

#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include "polarslice.h"

#include <math.h>
#include <string.h>

static void
set_landmarks (PolarPlace *place, const GstCardiacSliceMeta *slice)
{
  for (guint i = 0; i < 2; i++) {
    place->landmarks.lv_centre[i] = slice->lv_centre[i];
    place->landmarks.rv_anterior[i] = slice->rv_anterior[i];
    place->landmarks.rv_inferior[i] = slice->rv_inferior[i];
  }
}

void
polar_place_init (PolarPlace *place, const GstVideoInfo *info,
    const GstCardiacSliceMeta *slice)
{
  gint width = GST_VIDEO_INFO_WIDTH (info);
  gint height = GST_VIDEO_INFO_HEIGHT (info);
  GstCardiacBox box = { 0, 0, width, height };
  gint right, bottom;

  memset (place, 0, sizeof *place); /* places are compared as bytes */
  if (slice) {
    box = slice->rectangle;
    set_landmarks (place, slice);
  }
  /* An empty rectangle stands for the whole picture, too. */
  if (!(box.w >= 1 && box.h >= 1)) {
    box.x = box.y = 0;
    box.w = width;
    box.h = height;
  }
  right = CLAMP (round (box.x + box.w), 1, width);
  bottom = CLAMP (round (box.y + box.h), 1, height);
  place->x = CLAMP (round (box.x), 0, right - 1);
  place->y = CLAMP (round (box.y), 0, bottom - 1);
  place->width = right - place->x;
  place->height = bottom - place->y;
}

gboolean
polar_slice_set_place (
    PolarSlice *slice, const PolarPlace *place, CardiacError **error)
{
  CardiacPolarGeometry inside;

  if (slice->map && memcmp (&slice->place, place, sizeof *place) == 0)
    return TRUE;
  polar_slice_clear (slice);
  if (!cardiac_polar_geometry (
          &place->landmarks, place->side, &slice->geometry, error))
    return FALSE;
  inside = slice->geometry;
  inside.centre[0] -= place->x;
  inside.centre[1] -= place->y;
  slice->map =
      cardiac_polar_map_new (&inside, place->width, place->height, error);
  slice->place = *place;
  return slice->map != NULL;
}

void
polar_slice_clear (PolarSlice *slice)
{
  cardiac_polar_map_free (&slice->map);
}

gboolean
polar_slice_run (PolarSlice *slice, const GstVideoFrame *frame,
    const gdouble window[2], guint8 *polar, CardiacError **error)
{
  const guint8 *data = GST_VIDEO_FRAME_PLANE_DATA (frame, 0);
  gint stride = GST_VIDEO_FRAME_PLANE_STRIDE (frame, 0);

  data += slice->place.y * stride;
  if (GST_VIDEO_FRAME_FORMAT (frame) == GST_VIDEO_FORMAT_GRAY8)
    return cardiac_polar_map_run8 (
        slice->map, data + slice->place.x, stride, polar, error);
  return cardiac_polar_map_run16 (slice->map,
      (const guint16 *) (gconstpointer) data + slice->place.x, stride,
      window[0], window[1], polar, error);
}

void
polar_find_window (const GstVideoFrame *frame, gdouble window[2])
{
  guint32 *counts = g_new0 (guint32, G_MAXUINT16 + 1);
  gint width = GST_VIDEO_FRAME_WIDTH (frame);
  gint height = GST_VIDEO_FRAME_HEIGHT (frame);
  gsize all = (gsize) width * height, sum = 0;
  guint grey = 0;

  for (gint y = 0; y < height; y++) {
    const guint16 *row =
        (gconstpointer) ((guint8 *) GST_VIDEO_FRAME_PLANE_DATA (frame, 0)
                         + y * GST_VIDEO_FRAME_PLANE_STRIDE (frame, 0));

    for (gint x = 0; x < width; x++)
      counts[row[x]]++;
  }
  for (guint side = 0; side < 2; side++) {
    gsize wanted = side == 0 ? all / 100 : all - all / 100 - 1;

    while (sum + counts[grey] <= wanted)
      sum += counts[grey++];
    window[side] = grey;
  }
  g_free (counts);
}
