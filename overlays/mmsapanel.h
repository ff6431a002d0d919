/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CARDIAC_OVERLAYS_MMSA_PANEL_H
#define CARDIAC_OVERLAYS_MMSA_PANEL_H

#include "mmsacolumn.h"

/// The panel of wall motion, below the picture or to its right, and what
/// changes on it. Places are relative to the panel.
typedef struct MmsaPanel {
  Piece ground, age, captions[CARDIAC_OVERLAY_SLICES];
  MmsaColumnPlaces places; ///< of the last drawing
  Bullseye bullseye;       ///< likewise
  double unit;             ///< pixels of 1/500 of the canvas' height
} MmsaPanel;

/// Draws what changed and puts the pieces where they belong.
void mmsa_panel_draw (MmsaPanel *panel, TextKit *kit, const MmsaView *view,
    Key *key, PieceCounter *counter);
void mmsa_panel_clear (MmsaPanel *panel);

/// Bull's-eye and column side by side on the panel's ground: the panel below a
/// picture without its captions, and the exported picture.
/// @param head rows that stay free above them, pixels
void mmsa_panel_side_by_side (const ColumnPen *pen, const MmsaView *view,
    int width, int height, double head, Bullseye *bullseye,
    MmsaColumnPlaces *places);

/// Pixels of 1/500 of a canvas' height, so that texts are as large as they
/// must be.
double mmsa_panel_unit (const MmsaView *view);

#endif
