/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "scorelegend.h"
#include "bullseye.h"
#include "scorepalette.h"

#include <math.h>

enum { ENTRIES = CARDIAC_OVERLAY_SCORES + 1 };

/* 1, 2, 3, 4, and no score at last. */
static int
score_at (int i)
{
  return (i + 1) % ENTRIES;
}

static TextSpec
word_at (const ColumnPen *pen, int i)
{
  return (TextSpec){ .role = CARDIAC_OVERLAY_ROLE_LEGEND,
    .string = score_word (score_at (i)),
    .size = 11.0 * pen->unit,
    .weight = PANGO_WEIGHT_NORMAL,
    .ink = INK_TEXT,
    .lines = 1 };
}

/* Boxes of the words; swatches lie left of them. Returns the height. */
static double
place (const ColumnPen *pen, double width, Box words[ENTRIES])
{
  double u = pen->unit, side = 15.0 * u, gap = 4.0 * u, row = 19.0 * u;
  double x = 0.0, y = 0.0;
  for (int i = 0; i < ENTRIES; i++) {
    TextSpec word = word_at (pen, i);
    double w = text_measure (pen->kit, &word, 0.0).width + 1.0;
    if (x > 0.0 && x + side + gap + w > width) {
      x = 0.0;
      y += row;
    }
    words[i] = (Box){ x + side + gap, y, fmin (w, width - side - gap), side };
    x += side + gap + w + 8.0 * u;
  }
  return ceil (y + side);
}

double
score_legend_height (const ColumnPen *pen, double width)
{
  Box words[ENTRIES];
  return place (pen, width, words);
}

void
score_legend_draw (
    const ColumnPen *pen, const CardiacMmsaPalette *palette, Box box)
{
  Box words[ENTRIES];
  double side = 15.0 * pen->unit;
  place (pen, box.width, words);
  for (int i = 0; i < ENTRIES; i++) {
    TextSpec word = word_at (pen, i);
    Box at = words[i];
    at.x += box.x;
    at.y += box.y;
    bullseye_swatch (pen->cr, pen->kit, pen->log, palette, score_at (i),
        (Box){ round (at.x - side - 4.0 * pen->unit), at.y, round (side),
            round (side) });
    text_draw (pen->kit, pen->cr, pen->log, &word, at, TEXT_LEFT);
  }
}
