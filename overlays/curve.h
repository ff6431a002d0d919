/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CARDIAC_OVERLAYS_CURVE_H
#define CARDIAC_OVERLAYS_CURVE_H

#include "view.h"

/// Stream time that the plot's width stands for.
typedef struct TimeAxis {
  int64_t from_ns, to_ns;
} TimeAxis;

/// False when the view has no curve.
bool curve_axis (const View *view, TimeAxis *axis);
/// Values over time, one line an instance, the selected one tinted.
void curve_draw (cairo_t *cr, const View *view, Box box, double unit);
/// Texts of the axis' ends; freed with g_free().
void curve_ends (const View *view, char **from, char **to);
/// Where the playhead stands in 0 .. 1; false: outside the axis.
bool curve_playhead (const View *view, const TimeAxis *axis, double *share);

#endif
