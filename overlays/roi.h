/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CARDIAC_OVERLAYS_ROI_H
#define CARDIAC_OVERLAYS_ROI_H

#include "view.h"

/// Four corner brackets, clockwise from the top left. They are redrawn only
/// when their size changes; a box that drifts moves them.
void roi_draw (
    Piece corners[4], const View *view, Key *scratch, PieceCounter *counter);

#endif
