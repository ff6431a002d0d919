/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CARDIAC_OVERLAYS_SCALE_H
#define CARDIAC_OVERLAYS_SCALE_H

#include "view.h"

/// Bar whose parts are the grades and whose borders are the thresholds, with a
/// pointer at the value. The pointer needs the upper third of the box.
void scale_draw (cairo_t *cr, const View *view, Box box);
/// The grades' names under the bar, each no wider than its share of it.
void scale_labels (TextKit *kit, cairo_t *cr, TextLog *log, const View *view,
    Box box, double size);

#endif
