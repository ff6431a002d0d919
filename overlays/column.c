/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The panel's layout engine: measures, drops what does not fit, places. */
#include "column.h"

#include <math.h>

/* The right text may take this share of the line before it is ellipsised. */
#define RIGHT_SHARE 0.62

Block *
column_add (Column *column, int id, int priority, double gap)
{
  g_assert (column->count < COLUMN_BLOCKS);
  Block *block = &column->blocks[column->count++];
  *block = (Block){ .id = id, .priority = priority, .gap = gap };
  return block;
}

void
column_text_boxes (
    const Block *block, TextKit *kit, double text_gap, Box *left, Box *right)
{
  Box inner = block->box;
  inner.x += block->inset;
  inner.width -= 2.0 * block->inset;
  double wanted = text_measure (kit, &block->right, 0.0).width;
  if (wanted > 0.0) {
    bool alone = block->left.string == NULL;
    double most = alone ? inner.width : RIGHT_SHARE * inner.width;
    wanted = fmin (wanted + 1.0, most);
  }
  *right =
      (Box){ inner.x + inner.width - wanted, inner.y, wanted, inner.height };
  *left = inner;
  if (wanted > 0.0)
    left->width = fmax (inner.width - wanted - text_gap, 0.0);
}

static double
height_of (Block *block, TextKit *kit, double width, double text_gap)
{
  Box left, right;
  block->box = (Box){ 0.0, 0.0, width, 0.0 };
  column_text_boxes (block, kit, text_gap, &left, &right);
  double height = block->least;
  height = fmax (height, text_measure (kit, &block->left, left.width).height);
  height = fmax (height, text_measure (kit, &block->right, right.width).height);
  return ceil (height);
}

static double
total (const Column *column)
{
  double sum = 0.0;
  for (int i = 0; i < column->count; i++)
    if (!column->blocks[i].dropped)
      sum += column->blocks[i].gap + column->blocks[i].box.height;
  return sum;
}

static bool
drop_least_important (Column *column)
{
  int worst = 0;
  for (int i = 0; i < column->count; i++)
    if (!column->blocks[i].dropped)
      worst = MAX (worst, column->blocks[i].priority);
  for (int i = 0; i < column->count && worst > 0; i++)
    if (column->blocks[i].priority == worst)
      column->blocks[i].dropped = true;
  return worst > 0;
}

static void
stretch (Column *column, double spare)
{
  double shares = 0.0;
  for (int i = 0; i < column->count; i++)
    if (!column->blocks[i].dropped)
      shares += column->blocks[i].stretch;
  for (int i = 0; i < column->count && shares > 0.0; i++) {
    Block *block = &column->blocks[i];
    if (block->dropped || block->stretch <= 0.0)
      continue;
    double more = spare * block->stretch / shares;
    if (block->most > 0.0)
      more = fmin (more, fmax (block->most - block->box.height, 0.0));
    more = floor (more);
    block->box.height += more;
    spare -= more;
    shares -= block->stretch;
  }
}

void
column_place (Column *column, TextKit *kit, Box box, double text_gap)
{
  for (int i = 0; i < column->count; i++)
    column->blocks[i].box.height =
        height_of (&column->blocks[i], kit, box.width, text_gap);
  while (total (column) > box.height && drop_least_important (column))
    ;
  stretch (column, fmax (box.height - total (column), 0.0));

  double y = box.y;
  for (int i = 0; i < column->count; i++) {
    Block *block = &column->blocks[i];
    if (block->dropped)
      continue;
    y += block->gap;
    block->box = (Box){ box.x, round (y), box.width, block->box.height };
    y += block->box.height;
  }
}
