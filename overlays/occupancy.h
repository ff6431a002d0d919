/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CARDIAC_OVERLAYS_OCCUPANCY_H
#define CARDIAC_OVERLAYS_OCCUPANCY_H

#include "mreg-overlay.h"

/// Where a picture shows something: bright cells, remembered for a while, so
/// that a sector counts as a whole although its tissue moves.
typedef struct Occupancy {
  int width, height; ///< of the pictures, pixels; 0: none seen
  int cols, rows;    ///< cells
  float *levels;     ///< [rows][cols], 0 .. 1
  double *sums;      ///< [rows + 1][cols + 1], integral of levels
  uint64_t seen;     ///< pictures
} Occupancy;

void occupancy_observe (Occupancy *occupancy, const uint8_t *luma, int width,
    int height, int row_stride, int pixel_stride);
/// Share of the box that is occupied, 0 .. 1; 0 when nothing was seen.
double occupancy_share (
    const Occupancy *occupancy, const CardiacOverlayBox *box);
void occupancy_clear (Occupancy *occupancy);

#endif
