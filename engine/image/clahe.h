/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CARDIAC_IMAGE_CLAHE_H
#define CARDIAC_IMAGE_CLAHE_H

#include <cardiac/polar.h>
#include <stdint.h>

/* Contrast-limited adaptive histogram equalisation with a Rayleigh target, as
 * Matlab's adapthisteq (NumTiles 8 x 8, ClipLimit 0.001, Distribution
 * 'rayleigh', Alpha 0.4, Range 'full'), for a crop of 160 x 160. */

enum {
  CLAHE_TILES = 8,                               ///< a side
  CLAHE_TILE = CARDIAC_POLAR_SIDE / CLAHE_TILES, ///< pixels a side
  CLAHE_BINS = 256,
};

/** Clips the counts of a tile at `limit` and hands the excess out to bins that
 * are below it. Their sum stays; it must not exceed 256 `limit`. */
void clahe_clip (int counts[CLAHE_BINS], int limit);

/** Grey levels 0..255 of a tile of 400 pixels with these (clipped) counts. */
void clahe_levels (const int counts[CLAHE_BINS], double levels[CLAHE_BINS]);

/** Working memory of clahe_run(). */
typedef struct ClaheScratch {
  double levels[CLAHE_TILES][CLAHE_TILES][CLAHE_BINS];
} ClaheScratch;

/** @param crop, @param out [160,160]; out in 0..255, not rounded. */
void clahe_run (const uint8_t *crop, double *out, ClaheScratch *scratch);

#endif
