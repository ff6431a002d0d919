/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CARDIAC_OVERLAYS_AGE_H
#define CARDIAC_OVERLAYS_AGE_H

#include "piece.h"

/// Where a panel shows its result's age.
typedef struct AgePlace {
  Box box;     ///< in the panel; narrower than a pixel: not there
  int x, y;    ///< of the panel, canvas pixels
  double unit; ///< of the panel's sizes
  TextAlign align;
} AgePlace;

/// Draws the age of a panel's result: a piece of its own, because it changes each
/// second. word: NULL without a result
void age_draw (Piece *piece, TextKit *kit, const char *word,
    const AgePlace *place, Key *key, PieceCounter *counter);

#endif
