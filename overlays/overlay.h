/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CARDIAC_OVERLAYS_OVERLAY_H
#define CARDIAC_OVERLAYS_OVERLAY_H

/* What is behind CardiacOverlay: the caches of both kinds of result. */

#include "inside.h"
#include "mmsapanel.h"
#include "panel.h"
#include "slicemarks.h"

struct CardiacOverlay {
  TextKit *text;
  Key *scratch;
  PieceCounter counter;
  Occupancy occupancy;
  Piece fill, contour, corners[4];
  Panel panel;
  MmsaPanel mmsa_panel;
  SliceMarks slices[CARDIAC_OVERLAY_SLICES];
  Strip strip;
  Key *asked;    ///< what the newest answer about the strip's room is about
  bool has_room; ///< and that answer
  CardiacOverlayLayout layout;
  Bullseye bullseye; ///< of the last drawing, canvas pixels
  const Piece *shown[CARDIAC_OVERLAY_MAX_RECTANGLES];
  CardiacOverlayRectangle rectangles[CARDIAC_OVERLAY_MAX_RECTANGLES];
  int n_rectangles;
  GArray *texts; ///< CardiacOverlayText; strings belong to the pieces
};

/// Begins a frame: nothing is shown yet.
void overlay_begin (CardiacOverlay *overlay);
/// Adds a piece to the frame; one without a surface is left out.
void overlay_show (
    CardiacOverlay *overlay, CardiacOverlayPiece kind, const Piece *piece);

#endif
