/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CARDIAC_OVERLAYS_SCORE_LEGEND_H
#define CARDIAC_OVERLAYS_SCORE_LEGEND_H

#include "columnparts.h"
#include "mmsa-overlay.h"

/// What the colours, digits and hatches mean: swatches with words, in as many
/// rows as the width asks for.
double score_legend_height (const ColumnPen *pen, double width);
void score_legend_draw (
    const ColumnPen *pen, const CardiacMmsaPalette *palette, Box box);

#endif
