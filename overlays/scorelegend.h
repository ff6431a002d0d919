/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CARDIAC_OVERLAYS_SCORE_LEGEND_H
#define CARDIAC_OVERLAYS_SCORE_LEGEND_H

#include "columnparts.h"
#include "mmsa-overlay.h"

/// What the colours, digits and hatches mean: swatches with words, in as many
/// rows as the width asks for.
/// @param unsure say what outlines mean, too
double score_legend_height (const ColumnPen *pen, bool unsure, double width);
void score_legend_draw (const ColumnPen *pen, bool unsure,
    const CardiacMmsaPalette *palette, Box box);

#endif
