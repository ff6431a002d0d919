/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CARDIAC_OVERLAYS_COLUMN_PARTS_H
#define CARDIAC_OVERLAYS_COLUMN_PARTS_H

#include "column.h"

/// What a column is drawn with.
typedef struct ColumnPen {
  cairo_t *cr;
  TextKit *kit;
  TextLog *log;
  double unit; ///< pixels of 1/500 of the reference height
} ColumnPen;

/// The block's two texts.
void column_draw_texts (const ColumnPen *pen, const Block *block);
/// Left text, and the right one in a chip. @param lit a state with a finding
void column_draw_chip (const ColumnPen *pen, const Block *block, bool lit);
/// The frame of what nobody vouches for.
void column_draw_frame (const ColumnPen *pen, Box box);
/// @param share 0 .. 1
void column_draw_progress (const ColumnPen *pen, Box box, double share);
void column_draw_rule (const ColumnPen *pen, Box box);

#endif
