/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "jetpeak.h"

#include <math.h>

/* Mask pixels a cell of the map. */
#define FINE 8

static GstClockTime
frame_time (const GstCardiacResult *result, guint frame)
{
  return result->frame_times[result->instance * result->n_points + frame];
}

/* The highest cell of one frame's map; its height, or -1. */
static gfloat
find_cell (const GstCardiacResult *result, guint frame, guint *cell)
{
  const gfloat *map =
      gst_cardiac_result_get_map (result, result->instance, frame);
  gfloat best = -1;

  for (guint i = 0; map && i < result->map_rows * result->map_cols; i++)
    if (map[i] > best) { /* NaN is not */
      best = map[i];
      *cell = i;
    }
  return best;
}

static gint
find_highest_frame (const GstCardiacResult *result)
{
  gfloat best = 0;
  gint frame = -1;

  for (guint t = 0; t < result->n_points; t++) {
    guint cell;
    gfloat height = find_cell (result, t, &cell);

    if (height > best) {
      best = height;
      frame = t;
    }
  }
  return frame;
}

static gint
find_largest_jet (const GstCardiacResult *result, const EchoPhantom *phantom)
{
  gdouble largest = 0;
  gint frame = -1;

  for (guint t = 0; t < result->n_points; t++) {
    gdouble time = frame_time (result, t) / (gdouble) GST_SECOND;
    gdouble area = echo_phantom_moment (phantom, time).jet_area;

    if (area > largest) {
      largest = area;
      frame = t;
    }
  }
  return frame;
}

static gboolean
is_near_jet (const guint8 *jet, gint rows, gint columns, gint row, gint column)
{
  gint width = columns * FINE;
  gint top = MAX (0, row * FINE - FINE / 2);
  gint bottom = MIN (rows * FINE, (row + 1) * FINE + FINE / 2);
  gint left = MAX (0, column * FINE - FINE / 2);
  gint right = MIN (width, (column + 1) * FINE + FINE / 2);

  for (gint y = top; y < bottom; y++)
    for (gint x = left; x < right; x++)
      if (jet[y * width + x] >= 128)
        return TRUE;
  return FALSE;
}

gint
jet_peak (const GstCardiacResult *result, EchoPhantom *phantom,
    gboolean at_largest, JetPeakView view, gpointer data)
{
  gint rows = result->map_rows, columns = result->map_cols, frame;
  GstClockTime time;
  gboolean near;
  guint8 *jet;
  guint cell = 0;

  if (!result->maps || !result->frame_times || result->instance < 0)
    return -1;
  frame = at_largest ? find_largest_jet (result, phantom)
                     : find_highest_frame (result);
  if (frame < 0 || find_cell (result, frame, &cell) < 0)
    return -1;

  time = frame_time (result, frame);
  jet = g_malloc ((gsize) rows * columns * FINE * FINE);
  echo_phantom_masks (phantom, time / (gdouble) GST_SECOND, view (data, time),
      columns * FINE, rows * FINE, jet, NULL);
  near = is_near_jet (jet, rows, columns, cell / columns, cell % columns);
  g_free (jet);
  return near;
}
