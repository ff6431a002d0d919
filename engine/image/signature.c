/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What a picture shows, as far as the states NO DOPPLER, FROZEN and NO SIGNAL
 * and the removal of repeated frames need it. README.md holds the measurements
 * behind the constants. */

#include "core/error.h"
#include "image/row.h"
#include "image/simd.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define SAME_MEAN 0.5f
#define SAME_MAX 6.0f
#define BLANK_SPREAD 6.0f

enum {
  COLUMNS = CARDIAC_SIGNATURE_COLUMNS,
  ROWS = CARDIAC_SIGNATURE_ROWS,
  COUNTED_ROWS = 540,
};

/* ---- regions ----------------------------------------------------------- */

static int
clip_edge (int64_t position, int length)
{
  return position < 0 ? 0 : position > length ? length : (int) position;
}

static CardiacRectangle
clip_region (const CardiacImage *image, const CardiacRectangle *region)
{
  int x0 = clip_edge (region->x, image->width);
  int y0 = clip_edge (region->y, image->height);
  int x1 = clip_edge ((int64_t) region->x + region->width, image->width);
  int y1 = clip_edge ((int64_t) region->y + region->height, image->height);
  return (
      CardiacRectangle){ x0, y0, x1 > x0 ? x1 - x0 : 0, y1 > y0 ? y1 - y0 : 0 };
}

CardiacRectangle
cardiac_image_inner_region (int width, int height)
{
  int x = (int) ((int64_t) width * 15 / 100);
  int y = (int) ((int64_t) height * 12 / 100);
  int bottom = (int) ((int64_t) height * 20 / 100);
  return (CardiacRectangle){ x, y, width - 2 * x, height - y - bottom };
}

/* ---- colour ------------------------------------------------------------ */

CARDIAC_LOOP static int
count_coloured (const uint32_t *pixels, int n, int threshold)
{
  int count = 0;
  for (int x = 0; x < n; x++) {
    int r = (int) CARDIAC_PIXEL_R (pixels[x]);
    int g = (int) CARDIAC_PIXEL_G (pixels[x]);
    int b = (int) CARDIAC_PIXEL_B (pixels[x]);
    int high = r > g ? r : g, low = r < g ? r : g;
    high = high > b ? high : b;
    low = low < b ? low : b;
    count += high - low > threshold;
  }
  return count;
}

float
cardiac_image_coloured_fraction (const CardiacImage *image,
    const CardiacRectangle *region, int threshold, CardiacError **error)
{
  if (!cardiac_image_validate (image, error))
    return -1;
  if (threshold < 0 || threshold > 254) {
    cardiac_fail (error, CARDIAC_ERROR_INVALID_ARGUMENT,
        "a colour threshold of %d is outside 0 to 254", threshold);
    return -1;
  }
  CardiacRectangle part =
      region ? clip_region (image, region)
             : cardiac_image_inner_region (image->width, image->height);
  if (part.width == 0 || part.height == 0
      || image->colour == CARDIAC_COLOUR_GRAY)
    return 0;

  size_t row_size = ((size_t) part.width * sizeof (uint32_t) + 63) / 64 * 64;
  char *memory =
      aligned_alloc (64, row_size + cardiac_rows_scratch_size (part.width));
  if (!memory) {
    cardiac_fail (error, CARDIAC_ERROR_NO_MEMORY,
        "out of memory for a row of %d pixels", part.width);
    return -1;
  }
  uint32_t *pixels = (uint32_t *) memory;
  CardiacRows rows;
  cardiac_rows_init (
      &rows, image, part.x, part.x + part.width, memory + row_size);
  int step = 1 + (part.height - 1) / COUNTED_ROWS;
  int64_t coloured = 0, seen = 0;
  for (int y = part.y; y < part.y + part.height; y += step) {
    cardiac_rows_read (&rows, y, pixels);
    coloured += count_coloured (pixels, part.width, threshold);
    seen += part.width;
  }
  free (memory);
  return (float) ((double) coloured / (double) seen);
}

/* ---- signatures -------------------------------------------------------- */

CARDIAC_TEMPLATE void
add_samples (uint32_t *sum, const uint8_t *samples, int step, int n)
{
  for (int x = 0; x < n; x++)
    sum[x] += samples[(ptrdiff_t) x * step];
}

/** Adds a row of luma samples. */
CARDIAC_LOOP static void
add_luma (uint32_t *restrict sum, const uint8_t *restrict luma, int step, int n)
{
  if (step == 1)
    add_samples (sum, luma, 1, n);
  else if (step == 2)
    add_samples (sum, luma, 2, n);
  else
    add_samples (sum, luma, step, n);
}

CARDIAC_TEMPLATE void
add_weighted (uint32_t *sum, const uint8_t *r, const uint8_t *g,
    const uint8_t *b, int step_r, int step_g, int step_b, int n)
{
  for (ptrdiff_t x = 0; x < n; x++)
    sum[x] += (77u * r[x * step_r] + 150u * g[x * step_g] + 29u * b[x * step_b]
                  + 128u)
              >> 8;
}

/** Adds luma (BT.601 weights 77, 150, 29 of 256) of a row of R, G, B. */
CARDIAC_LOOP static void
add_rgb (uint32_t *restrict sum, const uint8_t *restrict r,
    const uint8_t *restrict g, const uint8_t *restrict b, const int step[3],
    int n)
{
  bool same = step[0] == step[1] && step[0] == step[2];
  if (same && step[0] == 3)
    add_weighted (sum, r, g, b, 3, 3, 3, n);
  else if (same && step[0] == 4)
    add_weighted (sum, r, g, b, 4, 4, 4, n);
  else
    add_weighted (sum, r, g, b, step[0], step[1], step[2], n);
}

static void
add_row (const CardiacImage *image, int x, int y, int n, uint32_t *sum)
{
  const uint8_t *row[3];
  int step[3];
  int used = image->colour == CARDIAC_COLOUR_RGB ? 3 : 1;
  for (int c = 0; c < used; c++) {
    const CardiacComponent *component = &image->component[c];
    step[c] = component->pixel_stride;
    row[c] = component->data + component->stride * y + (ptrdiff_t) x * step[c];
  }
  if (used == 3)
    add_rgb (sum, row[0], row[1], row[2], step, n);
  else
    add_luma (sum, row[0], step[0], n);
}

/** The i-th of `cells` parts of `length`: at least one sample each. */
static void
cell_span (int length, int cells, int i, int *from, int *to)
{
  *from = (int) ((int64_t) i * length / cells);
  *to = (int) ((int64_t) (i + 1) * length / cells);
  if (*to <= *from)
    *to = *from + 1;
}

static uint16_t
cell_value (const CardiacImage *image, uint64_t sum, int64_t samples)
{
  double luma = (double) sum / (double) samples;
  if (!image->full_range)
    luma = (luma - 16) * 255 / 219;
  luma = luma < 0 ? 0 : luma > 255 ? 255 : luma;
  return (uint16_t) (luma * 256 + 0.5);
}

static void
fill_cells (const CardiacImage *image, const CardiacRectangle *part,
    uint32_t *sum, CardiacSignature *signature)
{
  for (int i = 0; i < ROWS; i++) {
    int y0, y1;
    cell_span (part->height, ROWS, i, &y0, &y1);
    memset (sum, 0, (size_t) part->width * sizeof *sum);
    for (int y = y0; y < y1; y++)
      add_row (image, part->x, part->y + y, part->width, sum);
    for (int j = 0; j < COLUMNS; j++) {
      int x0, x1;
      cell_span (part->width, COLUMNS, j, &x0, &x1);
      uint64_t total = 0;
      for (int x = x0; x < x1; x++)
        total += sum[x];
      signature->cell[i][j] =
          cell_value (image, total, (int64_t) (y1 - y0) * (x1 - x0));
    }
  }
}

static void
summarise (CardiacSignature *signature)
{
  const uint16_t *cell = &signature->cell[0][0];
  uint64_t total = 0;
  uint16_t low = cell[0], high = cell[0];
  for (int i = 0; i < ROWS * COLUMNS; i++) {
    total += cell[i];
    low = cell[i] < low ? cell[i] : low;
    high = cell[i] > high ? cell[i] : high;
  }
  signature->mean = (float) ((double) total / (256.0 * ROWS * COLUMNS));
  signature->cell_min = low / 256.0f;
  signature->cell_max = high / 256.0f;
}

bool
cardiac_image_signature (const CardiacImage *image,
    const CardiacRectangle *region, CardiacSignature *signature,
    CardiacError **error)
{
  if (!cardiac_image_validate (image, error))
    return false;
  if (!signature)
    return cardiac_fail (error, CARDIAC_ERROR_INVALID_ARGUMENT,
        "no room was given for the signature");
  CardiacRectangle part = { 0, 0, image->width, image->height };
  if (region)
    part = clip_region (image, region);
  if (part.width == 0 || part.height == 0)
    return cardiac_fail (error, CARDIAC_ERROR_INVALID_ARGUMENT,
        "the region of %d x %d pixels at %d, %d lies outside the picture",
        region->width, region->height, region->x, region->y);

  uint32_t *sum = malloc ((size_t) part.width * sizeof *sum);
  if (!sum)
    return cardiac_fail (error, CARDIAC_ERROR_NO_MEMORY,
        "out of memory for a row of %d pixels", part.width);
  fill_cells (image, &part, sum, signature);
  free (sum);
  summarise (signature);
  return true;
}

CardiacSignatureDifference
cardiac_signature_difference (
    const CardiacSignature *a, const CardiacSignature *b)
{
  const uint16_t *p = &a->cell[0][0], *q = &b->cell[0][0];
  uint32_t total = 0, most = 0;
  for (int i = 0; i < ROWS * COLUMNS; i++) {
    uint32_t distance = (uint32_t) abs (p[i] - q[i]);
    total += distance;
    most = distance > most ? distance : most;
  }
  return (CardiacSignatureDifference){
    .mean = (float) ((double) total / (256.0 * ROWS * COLUMNS)),
    .max = (float) most / 256.0f,
  };
}

bool
cardiac_signature_same (const CardiacSignature *a, const CardiacSignature *b)
{
  CardiacSignatureDifference apart = cardiac_signature_difference (a, b);
  return apart.mean <= SAME_MEAN && apart.max <= SAME_MAX;
}

bool
cardiac_signature_is_blank (const CardiacSignature *signature)
{
  return signature->cell_max - signature->cell_min <= BLANK_SPREAD;
}
