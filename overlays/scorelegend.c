/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "scorelegend.h"
#include "bullseye.h"
#include "scorepalette.h"

#include <math.h>

/* 1, 2, 3, 4, no score, and what is outlined. */
enum { SCORES = CARDIAC_OVERLAY_SCORES + 1, ENTRIES = SCORES + 1 };

static int
score_at (int i)
{
  return (i + 1) % SCORES;
}

static int
count_of (bool unsure)
{
  return unsure ? ENTRIES : SCORES;
}

static TextSpec
word_at (const ColumnPen *pen, int i)
{
  return (TextSpec){ .role = CARDIAC_OVERLAY_ROLE_LEGEND,
    .string = i < SCORES ? score_word (score_at (i)) : "unsure",
    .size = 11.0 * pen->unit,
    .weight = PANGO_WEIGHT_NORMAL,
    .ink = INK_TEXT,
    .lines = 1 };
}

/* Boxes of the words; swatches lie left of them. Returns the height. */
static double
place (const ColumnPen *pen, int count, double width, Box words[ENTRIES])
{
  double u = pen->unit, side = 15.0 * u, gap = 4.0 * u, row = 19.0 * u;
  double x = 0.0, y = 0.0;
  for (int i = 0; i < count; i++) {
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
score_legend_height (const ColumnPen *pen, bool unsure, double width)
{
  Box words[ENTRIES];
  return place (pen, count_of (unsure), width, words);
}

static void
draw_outline (const ColumnPen *pen, Box box)
{
  double line = fmax (1.6 * pen->unit, 1.5);
  const double dashes[] = { 2.0 * line, 1.6 * line };
  rounded_box (pen->cr, box, 0.14 * box.height);
  set_ink (pen->cr, INK_WELL, 1.0);
  cairo_fill (pen->cr);
  cairo_save (pen->cr);
  cairo_rectangle (pen->cr, box.x + line / 2.0, box.y + line / 2.0,
      box.width - line, box.height - line);
  set_ink (pen->cr, INK_TEXT, 1.0);
  cairo_set_line_width (pen->cr, line);
  cairo_set_dash (pen->cr, dashes, 2, 0.0);
  cairo_stroke (pen->cr);
  cairo_restore (pen->cr);
}

void
score_legend_draw (const ColumnPen *pen, bool unsure,
    const CardiacMmsaPalette *palette, Box box)
{
  Box words[ENTRIES];
  double side = round (15.0 * pen->unit);
  int count = count_of (unsure);
  place (pen, count, box.width, words);
  for (int i = 0; i < count; i++) {
    TextSpec word = word_at (pen, i);
    Box at = words[i];
    at.x += box.x;
    at.y += box.y;
    Box swatch = { round (at.x - 19.0 * pen->unit), at.y, side, side };
    if (i < SCORES)
      bullseye_swatch (
          pen->cr, pen->kit, pen->log, palette, score_at (i), swatch);
    else
      draw_outline (pen, swatch);
    text_draw (pen->kit, pen->cr, pen->log, &word, at, TEXT_LEFT);
  }
}
