/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "occupancy.h"

#include <glib.h>
#include <math.h>

enum {
  CELLS = 96, /* along the longer side */
  DARK = 24   /* luma that counts as empty, in full and limited range */
};
/* A cell that went dark is forgotten after some 60 pictures. */
#define KEEP 0.96f

static void
prepare (Occupancy *o, int width, int height)
{
  if (o->width == width && o->height == height)
    return;
  occupancy_clear (o);
  double side = MAX (width, height) / (double) CELLS;
  o->width = width;
  o->height = height;
  o->cols = MAX ((int) ceil (width / side), 1);
  o->rows = MAX ((int) ceil (height / side), 1);
  o->levels = g_new0 (float, (gsize) o->cols * o->rows);
  o->sums = g_new0 (double, (gsize) (o->cols + 1) * (o->rows + 1));
}

/* Thin lines and text light few pixels of a cell and still are content. */
static float
cell_level (const Occupancy *o, const uint8_t *luma, int row_stride,
    int pixel_stride, int r, int c)
{
  int x0 = c * o->width / o->cols, x1 = (c + 1) * o->width / o->cols;
  int y0 = r * o->height / o->rows, y1 = (r + 1) * o->height / o->rows;
  int bright = 0, all = 0;
  for (int y = y0 | 1; y < y1; y += 2) {
    const uint8_t *row = luma + (ptrdiff_t) y * row_stride;
    for (int x = x0; x < x1; x++, all++)
      bright += row[(ptrdiff_t) x * pixel_stride] > DARK;
  }
  if (bright < 1 || all == 0)
    return 0.0f;
  return fminf (0.5f + 2.0f * bright / all, 1.0f);
}

static void
integrate (Occupancy *o)
{
  int stride = o->cols + 1;
  for (int r = 0; r < o->rows; r++) {
    double row = 0.0;
    for (int c = 0; c < o->cols; c++) {
      row += o->levels[r * o->cols + c];
      o->sums[(r + 1) * stride + c + 1] = o->sums[r * stride + c + 1] + row;
    }
  }
}

void
occupancy_observe (Occupancy *o, const uint8_t *luma, int width, int height,
    int row_stride, int pixel_stride)
{
  prepare (o, width, height);
  for (int r = 0; r < o->rows; r++)
    for (int c = 0; c < o->cols; c++) {
      float *level = &o->levels[r * o->cols + c];
      *level = fmaxf (
          *level * KEEP, cell_level (o, luma, row_stride, pixel_stride, r, c));
    }
  integrate (o);
  o->seen++;
}

double
occupancy_share (const Occupancy *o, const CardiacOverlayBox *box)
{
  if (o->seen == 0)
    return 0.0;
  double sx = (double) o->cols / o->width, sy = (double) o->rows / o->height;
  int c0 = CLAMP ((int) floor (box->x * sx), 0, o->cols - 1);
  int r0 = CLAMP ((int) floor (box->y * sy), 0, o->rows - 1);
  int c1 = CLAMP ((int) ceil ((box->x + box->width) * sx), c0 + 1, o->cols);
  int r1 = CLAMP ((int) ceil ((box->y + box->height) * sy), r0 + 1, o->rows);
  int stride = o->cols + 1;
  double sum = o->sums[r1 * stride + c1] - o->sums[r0 * stride + c1]
               - o->sums[r1 * stride + c0] + o->sums[r0 * stride + c0];
  return sum / ((r1 - r0) * (c1 - c0));
}

void
occupancy_clear (Occupancy *o)
{
  g_free (o->levels);
  g_free (o->sums);
  *o = (Occupancy){ 0 };
}
