/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CARDIAC_OVERLAYS_FLOW_H
#define CARDIAC_OVERLAYS_FLOW_H

#include "text.h"

enum { FLOW_ITEMS = 12 };

/// One thing in a strip: a text, or a drawing of a given size.
typedef struct FlowItem {
  int id;           ///< author's name for it
  int priority;     ///< highest goes first when there is no room; 0 stays
  bool starts_line; ///< in a flow with paragraphs
  double inset_left, inset_right; ///< beside the text
  double least_width, least_height;
  TextSpec text;
  /* found by flow_place() */
  TextExtent natural; ///< of the text in one line
  bool measured;      ///< natural is known
  bool dropped;
  Box box;
} FlowItem;

/// Items in lines, left to right, wrapping.
typedef struct Flow {
  FlowItem items[FLOW_ITEMS];
  int count;
  double item_gap, line_gap, padding;
  double width, height; ///< found: outer size, padding included
  bool spoilt;          ///< found: an item that must stay was ellipsised
} Flow;

FlowItem *flow_add (Flow *flow, int id, int priority);
/// Finds the flow's size and its boxes, no wider than max_width and, as far as
/// dropping allows, no higher than max_height.
void flow_place (Flow *flow, TextKit *kit, double max_width, double max_height,
    bool paragraphs);
/// Widest item that is never dropped, padding included: below this width a
/// flow has to wrap or ellipsise it.
double flow_least_width (Flow *flow, TextKit *kit);

#endif
