/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CARDIAC_OVERLAYS_PALETTE_H
#define CARDIAC_OVERLAYS_PALETTE_H

#include "mreg-overlay.h"

/// Straight (not premultiplied) sRGB, 0 .. 1.
typedef struct Colour {
  double r, g, b;
} Colour;

/// The few colours of a drawing, by what they are for.
typedef enum Ink {
  INK_GROUND,    ///< panel and strip
  INK_WELL,      ///< plot
  INK_TEXT,      ///< what must be read
  INK_QUIET,     ///< what may be read; 7:1 on the ground
  INK_RULE,      ///< lines between parts
  INK_ACCENT,    ///< the network's marks: far from Doppler and tissue
  INK_CAUTION,   ///< weights and view that nobody vouches for; never a grade
  INK_CHIP,      ///< chip of RESULT and UNSURE
  INK_CHIP_IDLE, ///< chip of every other state
  INK_CASING,
  INK_MOTION, ///< arrows: none of the scores' colours
  INK_N
} Ink;

Colour ink (Ink name);
/// Neutral greys of the scale, darkest for grade 0: no hue tells good or bad.
Colour ink_of_grade (int grade, int n_classes);
void set_ink (cairo_t *cr, Ink name, double alpha);
/// Adds a rectangle with round corners to the path.
void rounded_box (cairo_t *cr, CardiacOverlayBox box, double radius);

#endif
