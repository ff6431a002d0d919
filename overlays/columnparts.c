/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What columns of any kind of result are made of. */
#include "columnparts.h"

#include <math.h>

void
column_draw_texts (const ColumnPen *pen, const Block *block)
{
  Box left, right;
  column_text_boxes (block, pen->kit, 8.0 * pen->unit, &left, &right);
  text_draw (pen->kit, pen->cr, pen->log, &block->left, left, block->align);
  text_draw (pen->kit, pen->cr, pen->log, &block->right, right, TEXT_RIGHT);
}

void
column_draw_chip (const ColumnPen *pen, const Block *block, bool lit)
{
  double u = pen->unit, pad = 8.0 * u;
  Box line = block->box;
  double width = fmin (text_measure (pen->kit, &block->right, 0.0).width + 1.0,
      0.62 * line.width - 2.0 * pad);
  Box chip = { line.x + line.width - width - 2.0 * pad, line.y,
    width + 2.0 * pad, line.height };
  rounded_box (pen->cr, chip, 4.0 * u);
  set_ink (pen->cr, lit ? INK_CHIP : INK_CHIP_IDLE, 1.0);
  cairo_fill (pen->cr);
  text_draw (pen->kit, pen->cr, pen->log, &block->right,
      (Box){ chip.x + pad, chip.y, width, chip.height }, TEXT_CENTRE);
  text_draw (pen->kit, pen->cr, pen->log, &block->left,
      (Box){ line.x, line.y, chip.x - line.x - 8.0 * u, line.height },
      TEXT_LEFT);
}

void
column_draw_frame (const ColumnPen *pen, Box box)
{
  double width = fmax (pen->unit, 1.0);
  rounded_box (pen->cr,
      (Box){ box.x + width / 2.0, box.y + width / 2.0, box.width - width,
          box.height - width },
      3.0 * pen->unit);
  set_ink (pen->cr, INK_CAUTION, 0.12);
  cairo_fill_preserve (pen->cr);
  set_ink (pen->cr, INK_CAUTION, 0.75);
  cairo_set_line_width (pen->cr, width);
  cairo_stroke (pen->cr);
}

void
column_draw_progress (const ColumnPen *pen, Box box, double share)
{
  set_ink (pen->cr, INK_RULE, 1.0);
  cairo_rectangle (pen->cr, box.x, box.y, box.width, box.height);
  cairo_fill (pen->cr);
  set_ink (pen->cr, INK_QUIET, 1.0);
  cairo_rectangle (
      pen->cr, box.x, box.y, round (share * box.width), box.height);
  cairo_fill (pen->cr);
}

void
column_draw_rule (const ColumnPen *pen, Box box)
{
  set_ink (pen->cr, INK_RULE, 1.0);
  cairo_rectangle (pen->cr, box.x, box.y, box.width, box.height);
  cairo_fill (pen->cr);
}
