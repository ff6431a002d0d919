/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CARDIAC_OVERLAYS_PANEL_H
#define CARDIAC_OVERLAYS_PANEL_H

#include "view.h"

/// The panel and what moves on it. Places are relative to the panel and come
/// from its last drawing.
typedef struct Panel {
  Piece ground, playhead, age;
  Box plot_box, age_box; ///< zero width: not there
  double unit;           ///< pixels of 1/500 of the reference height
} Panel;

/// Draws what changed and puts the three pieces where they belong. A piece
/// that the view does not have loses its surface.
void panel_draw (Panel *panel, TextKit *kit, const View *view, Key *scratch,
    PieceCounter *counter);
void panel_clear (Panel *panel);

#endif
