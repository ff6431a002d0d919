/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CARDIAC_OVERLAYS_BULLSEYE_H
#define CARDIAC_OVERLAYS_BULLSEYE_H

#include "mmsaview.h"

/// Where a bull's-eye lies in what it is drawn on. Zero radius: nowhere.
typedef struct Bullseye {
  double x, y, radius;
} Bullseye;

/// The largest one whose letters and ticks fit into the box.
/// @param em of the letters around it, pixels
Bullseye bullseye_fit (TextKit *kit, Box box, double em);
/// Sectors with their digits, letters, insertion ticks and the empty centre.
/// Without a finding the sectors are empty.
void bullseye_draw (cairo_t *cr, TextKit *kit, TextLog *log,
    const MmsaView *view, const Bullseye *place, double em);

/// A swatch of the legend: the score's colour, hatch and digit.
void bullseye_swatch (cairo_t *cr, TextKit *kit, TextLog *log,
    const CardiacMmsaPalette *palette, int score, Box box);

#endif
