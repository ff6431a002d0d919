/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The strip's layout engine: words in lines, the least important dropped. */
#include "flow.h"

#include <math.h>

FlowItem *
flow_add (Flow *flow, int id, int priority)
{
  g_assert (flow->count < FLOW_ITEMS);
  FlowItem *item = &flow->items[flow->count++];
  *item = (FlowItem){ .id = id, .priority = priority };
  return item;
}

/* True when the text of an item that must stay was cut. */
static bool
measure (FlowItem *item, TextKit *kit, double most)
{
  if (!item->measured)
    item->natural = text_measure (kit, &item->text, 0.0);
  item->measured = true;
  double inset = item->inset_left + item->inset_right;
  TextExtent text = item->natural;
  double wanted = text.width > 0.0 ? text.width + 1.0 + inset : 0.0;
  wanted = ceil (fmax (item->least_width, wanted));
  item->box.width = fmin (wanted, floor (most));
  if (item->box.width < wanted)
    text = text_measure (kit, &item->text, item->box.width - inset);
  item->box.height = ceil (fmax (item->least_height, text.height));
  return item->priority == 0 && text.ellipsised;
}

double
flow_least_width (Flow *flow, TextKit *kit)
{
  double width = 0.0;
  for (int i = 0; i < flow->count; i++) {
    FlowItem *item = &flow->items[i];
    measure (item, kit, 1e6);
    if (item->priority == 0)
      width = fmax (width, item->box.width);
  }
  return width + 2.0 * flow->padding;
}

/* Gives items first .. last-1 their y: centred in their line. */
static double
close_line (Flow *flow, int first, int last, double y)
{
  double height = 0.0;
  for (int i = first; i < last; i++)
    if (!flow->items[i].dropped)
      height = fmax (height, flow->items[i].box.height);
  for (int i = first; i < last; i++)
    flow->items[i].box.y =
        y + floor ((height - flow->items[i].box.height) / 2.0);
  return y + height;
}

static void
set_lines (Flow *flow, TextKit *kit, double max_width, bool paragraphs)
{
  double room = floor (max_width - 2.0 * flow->padding);
  double x = 0.0, y = flow->padding, widest = 0.0;
  int first = 0;
  flow->spoilt = false;
  bool turn = false; /* the paragraph's first item may have been dropped */
  for (int i = 0; i < flow->count; i++) {
    FlowItem *item = &flow->items[i];
    turn = turn || (paragraphs && item->starts_line);
    if (item->dropped)
      continue;
    flow->spoilt |= measure (item, kit, room);
    if (x > 0.0 && (turn || x + flow->item_gap + item->box.width > room)) {
      y = close_line (flow, first, i, y) + flow->line_gap;
      first = i;
      x = 0.0;
    }
    turn = false;
    x += x > 0.0 ? flow->item_gap : 0.0;
    item->box.x = flow->padding + x;
    x += item->box.width;
    widest = fmax (widest, x);
  }
  flow->height =
      ceil (close_line (flow, first, flow->count, y) + flow->padding);
  flow->width = ceil (widest + 2.0 * flow->padding);
}

static bool
drop_least_important (Flow *flow)
{
  int worst = 0;
  for (int i = 0; i < flow->count; i++)
    if (!flow->items[i].dropped)
      worst = MAX (worst, flow->items[i].priority);
  for (int i = 0; i < flow->count && worst > 0; i++)
    if (flow->items[i].priority == worst)
      flow->items[i].dropped = true;
  return worst > 0;
}

void
flow_place (Flow *flow, TextKit *kit, double max_width, double max_height,
    bool paragraphs)
{
  for (int i = 0; i < flow->count; i++)
    flow->items[i].dropped = false;
  do
    set_lines (flow, kit, max_width, paragraphs);
  while (flow->height > max_height && drop_least_important (flow));
}
