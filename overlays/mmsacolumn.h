/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CARDIAC_OVERLAYS_MMSA_COLUMN_H
#define CARDIAC_OVERLAYS_MMSA_COLUMN_H

#include "bullseye.h"
#include "columnparts.h"

/// Places that a column keeps free for what is drawn by others.
typedef struct MmsaColumnPlaces {
  Box bullseye; ///< zero width: not asked for
  Box age;
  Box captions[CARDIAC_OVERLAY_SLICES]; ///< zero width: not asked for
} MmsaColumnPlaces;

/// All that is said of wall motion: title, state, weights, index, legend,
/// reason, model, marking.
/// @param with_bullseye keep places for a bull's-eye and for captions in it
void mmsa_column_draw (const ColumnPen *pen, const MmsaView *view, Box box,
    bool with_bullseye, MmsaColumnPlaces *places);

#endif
