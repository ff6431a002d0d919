/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CARDIAC_OVERLAYS_CONTOUR_H
#define CARDIAC_OVERLAYS_CONTOUR_H

#include "view.h"

/// Draws the activation map's veil and lines where they changed; pieces that
/// the view does not have lose their surface.
void contour_draw (Piece *fill, Piece *contour, const View *view, Key *scratch,
    PieceCounter *counter);

#endif
