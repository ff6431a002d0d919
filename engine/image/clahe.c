/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "image/clahe.h"

#include <math.h>
#include <string.h>

#define CLIP_LIMIT 0.001
#define ALPHA 0.4

enum { SIDE = CARDIAC_POLAR_SIDE, PIXELS = CLAHE_TILE * CLAHE_TILE };

/* The first share: the same number to every bin, as far as it has room.
 * Returns what is left. */
static int
hand_out_evenly (int counts[CLAHE_BINS], int limit, int excess)
{
  int share = excess / CLAHE_BINS;

  for (int bin = 0; bin < CLAHE_BINS; bin++) {
    if (counts[bin] > limit) {
      counts[bin] = limit;
    } else if (counts[bin] > limit - share) {
      excess -= limit - counts[bin];
      counts[bin] = limit;
    } else {
      excess -= share;
      counts[bin] += share;
    }
  }
  return excess;
}

void
clahe_clip (int counts[CLAHE_BINS], int limit)
{
  int excess = 0;

  for (int bin = 0; bin < CLAHE_BINS; bin++)
    excess += counts[bin] > limit ? counts[bin] - limit : 0;
  excess = hand_out_evenly (counts, limit, excess);

  /* The rest one by one, in steps that spread it over the bins; every round
   * starts one bin further, so that dark bins are not preferred. */
  for (int start = 0; excess > 0; start = (start + 1) % CLAHE_BINS) {
    int step = CLAHE_BINS / excess > 1 ? CLAHE_BINS / excess : 1;

    for (int bin = start; bin < CLAHE_BINS && excess > 0; bin += step) {
      if (counts[bin] < limit) {
        counts[bin]++;
        excess--;
      }
    }
  }
}

/* Rayleigh: grey = 255 sqrt (-2 a^2 ln (1 - v F)), v = 1 - exp (-1 / 2 a^2), F
 * the share of pixels up to this level. */
void
clahe_levels (const int counts[CLAHE_BINS], double levels[CLAHE_BINS])
{
  const double twice = 2 * ALPHA * ALPHA, spread = 1 - exp (-1 / twice);
  int sum = 0;

  for (int bin = 0; bin < CLAHE_BINS; bin++) {
    sum += counts[bin];
    double grey = 255 * sqrt (-twice * log1p (-spread * sum / PIXELS));
    levels[bin] = grey < 255 ? grey : 255;
  }
}

static void
map_tile (const uint8_t *tile, double levels[CLAHE_BINS])
{
  const int average = (PIXELS + CLAHE_BINS - 1) / CLAHE_BINS;
  const int limit = average + (int) lround (CLIP_LIMIT * (PIXELS - average));
  int counts[CLAHE_BINS] = { 0 };

  for (int y = 0; y < CLAHE_TILE; y++)
    for (int x = 0; x < CLAHE_TILE; x++)
      counts[tile[y * SIDE + x]]++;
  clahe_clip (counts, limit);
  clahe_levels (counts, levels);
}

/* Nearer tile at the lower side of a pixel, and the next one's weight; pixels
 * beyond the outer centres belong to one tile alone. */
static int
find_tile (int pixel, double *weight)
{
  double position = (pixel + 0.5) / CLAHE_TILE - 0.5;
  double inside = position < 0                 ? 0
                  : position > CLAHE_TILES - 1 ? CLAHE_TILES - 1
                                               : position;
  int tile = (int) inside < CLAHE_TILES - 2 ? (int) inside : CLAHE_TILES - 2;

  *weight = inside - tile;
  return tile;
}

void
clahe_run (const uint8_t *crop, double *out, ClaheScratch *scratch)
{
  for (int row = 0; row < CLAHE_TILES; row++)
    for (int column = 0; column < CLAHE_TILES; column++)
      map_tile (crop + (row * SIDE + column) * CLAHE_TILE,
          scratch->levels[row][column]);

  for (int y = 0; y < SIDE; y++) {
    double down, right;
    int row = find_tile (y, &down);

    for (int x = 0; x < SIDE; x++) {
      int column = find_tile (x, &right), grey = crop[y * SIDE + x];
      const double (*upper)[CLAHE_BINS] = scratch->levels[row] + column;
      const double (*lower)[CLAHE_BINS] = scratch->levels[row + 1] + column;

      out[y * SIDE + x] =
          (1 - down) * ((1 - right) * upper[0][grey] + right * upper[1][grey])
          + down * ((1 - right) * lower[0][grey] + right * lower[1][grey]);
    }
  }
}
