/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CARDIAC_OVERLAYS_INSIDE_H
#define CARDIAC_OVERLAYS_INSIDE_H

#include "occupancy.h"
#include "view.h"

enum { STRIP_SHAPES = 14 };

/// The strip inside the picture, and the place it keeps.
typedef struct Strip {
  Piece piece;
  bool placed;
  int shape;          ///< 0 (widest) .. STRIP_SHAPES-1 (narrowest and lowest)
  int column, row;    ///< of a 13 x 13 lattice of positions
  int better_seen;    ///< pictures in a row in which another place was better
  uint64_t looked_at; ///< number of pictures at the last look
  double covers;      ///< share of content and no_draw below the strip
} Strip;

void strip_draw (Strip *strip, TextKit *kit, const View *view,
    const Occupancy *occupancy, Key *scratch, PieceCounter *counter);
/// Lets the strip look for a new place.
void strip_forget (Strip *strip);

#endif
