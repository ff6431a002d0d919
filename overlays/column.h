/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CARDIAC_OVERLAYS_COLUMN_H
#define CARDIAC_OVERLAYS_COLUMN_H

#include "text.h"

enum { COLUMN_BLOCKS = 24 };

/// One line of a column: a drawing, or a text at the left, at the right, or
/// both. Blocks are stacked; those with the highest priority number go first
/// when the column is too short, 0 stays in any case. Blocks that belong
/// together share a number.
typedef struct Block {
  int id; ///< author's name for it
  int priority;
  double gap;     ///< above, pixels; dropped with the block
  double least;   ///< least height, pixels (the height of a drawing)
  double stretch; ///< > 0: share of the spare height that it takes ...
  double most;    ///< ... up to this height
  double inset;   ///< left of and right of the texts
  TextSpec left, right;
  TextAlign align; ///< of `left`
  /* found by column_place() */
  bool dropped;
  Box box;
} Block;

typedef struct Column {
  Block blocks[COLUMN_BLOCKS];
  int count;
} Column;

Block *column_add (Column *column, int id, int priority, double gap);
/// Gives each block its box within `box`, top to bottom.
void column_place (Column *column, TextKit *kit, Box box, double text_gap);
/// The boxes of a block's two texts.
void column_text_boxes (
    const Block *block, TextKit *kit, double text_gap, Box *left, Box *right);

#endif
