/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CARDIAC_OVERLAYS_SCORE_PALETTE_H
#define CARDIAC_OVERLAYS_SCORE_PALETTE_H

#include "mmsa-overlay.h"
#include "palette.h"

/// @param score 0 (not scored) .. 4
Colour score_colour (const CardiacMmsaPalette *palette, int score);
/// Ink of digits on that colour: dark on light, white on dark.
Ink score_ink (const CardiacMmsaPalette *palette, int score);
/// "1" .. "4", and a dash.
const char *score_digit (int score);
/// "normal" .. "dyskinetic", "not scored".
const char *score_word (int score);

#endif
