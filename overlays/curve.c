/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "curve.h"

#include <math.h>

bool
curve_axis (const View *view, TimeAxis *axis)
{
  const CardiacMRegView *v = &view->v;
  if (!view->has_finding || v->n_instances == 0)
    return false;
  axis->from_ns = v->spans_ns[0][0];
  axis->to_ns = v->spans_ns[0][1];
  for (int i = 1; i < v->n_instances; i++) {
    axis->from_ns = MIN (axis->from_ns, v->spans_ns[i][0]);
    axis->to_ns = MAX (axis->to_ns, v->spans_ns[i][1]);
  }
  if (v->duration_ns > 0) {
    axis->from_ns = MIN (axis->from_ns, 0);
    axis->to_ns = MAX (axis->to_ns, v->duration_ns);
  }
  return true;
}

static double
along (const TimeAxis *axis, int64_t time_ns)
{
  return ((double) time_ns - (double) axis->from_ns)
         / ((double) axis->to_ns - (double) axis->from_ns);
}

bool
curve_playhead (const View *view, const TimeAxis *axis, double *share)
{
  if (view->v.position_ns < 0)
    return false;
  *share = along (axis, view->v.position_ns);
  return *share >= 0.0 && *share <= 1.0;
}

void
curve_ends (const View *view, char **from, char **to)
{
  TimeAxis axis;
  *from = *to = NULL;
  if (!curve_axis (view, &axis))
    return;
  if (view->v.duration_ns > 0) {
    *from = g_strdup_printf ("%.1f s", axis.from_ns / 1e9);
    *to = g_strdup_printf ("%.1f s", axis.to_ns / 1e9);
  } else {
    /* Live: hours of stream time would say nothing. */
    *from = g_strdup_printf (
        "\xe2\x88\x92%.1f s", (axis.to_ns - axis.from_ns) / 1e9);
    *to = g_strdup ("newest frame");
  }
}

typedef struct ValueAxis {
  double low, high;
} ValueAxis;

/* The scale's range, wider where the curve leaves it. */
static ValueAxis
value_axis (const View *view)
{
  const CardiacMRegView *v = &view->v;
  ValueAxis axis = { view->has_scale ? view->low : INFINITY,
    view->has_scale ? view->high : -INFINITY };
  for (int i = 0; i < v->n_instances * v->n_points; i++)
    if (isfinite (v->curve[i])) {
      axis.low = fmin (axis.low, v->curve[i]);
      axis.high = fmax (axis.high, v->curve[i]);
    }
  if (axis.low > axis.high) /* nothing finite at all */
    return (ValueAxis){ 0.0, 1.0 };
  if (axis.low == axis.high)
    return (ValueAxis){ axis.low - 1.0, axis.low + 1.0 };
  double margin = 0.06 * (axis.high - axis.low);
  return (ValueAxis){ axis.low - margin, axis.high + margin };
}

static double
height_of (const ValueAxis *axis, Box box, double value)
{
  return box.y
         + box.height * (1.0 - (value - axis->low) / (axis->high - axis->low));
}

static void
draw_ground (cairo_t *cr, const View *view, const TimeAxis *time, Box box)
{
  const CardiacMRegView *v = &view->v;
  set_ink (cr, INK_WELL, 1.0);
  cairo_rectangle (cr, box.x, box.y, box.width, box.height);
  cairo_fill (cr);
  for (int i = 0; i < v->n_instances; i++) {
    double from = box.x + along (time, v->spans_ns[i][0]) * box.width;
    double to = box.x + along (time, v->spans_ns[i][1]) * box.width;
    set_ink (cr, i == v->selected ? INK_ACCENT : INK_QUIET,
        i == v->selected ? 0.16 : 0.06);
    cairo_rectangle (cr, from, box.y, to - from, box.height);
    cairo_fill (cr);
  }
}

static void
draw_borders (
    cairo_t *cr, const View *view, const ValueAxis *axis, Box box, double unit)
{
  if (!view->has_scale)
    return;
  double dashes[] = { 3.5 * unit, 3.0 * unit };
  cairo_set_dash (cr, dashes, 2, 0.0);
  cairo_set_line_width (cr, fmax (0.75 * unit, 1.0));
  set_ink (cr, INK_QUIET, 0.55);
  for (int k = 0; k + 1 < view->v.n_classes; k++) {
    double y = round (height_of (axis, box, view->v.thresholds[k])) + 0.5;
    cairo_move_to (cr, box.x, y);
    cairo_line_to (cr, box.x + box.width, y);
  }
  cairo_stroke (cr);
  cairo_set_dash (cr, NULL, 0, 0.0);
}

static void
draw_instance (cairo_t *cr, const View *view, int i, const TimeAxis *time,
    const ValueAxis *axis, Box box, double unit)
{
  const CardiacMRegView *v = &view->v;
  double from = box.x + along (time, v->spans_ns[i][0]) * box.width;
  double width = box.x + along (time, v->spans_ns[i][1]) * box.width - from;
  bool pen_down = false;
  for (int j = 0; j < v->n_points; j++) {
    double value = v->curve[i * v->n_points + j];
    if (!isfinite (value)) {
      pen_down = false;
      continue;
    }
    /* A frame stands for the middle of its share of the instance. */
    double x = from + (j + 0.5) / v->n_points * width;
    double y = height_of (axis, box, value);
    if (pen_down)
      cairo_line_to (cr, x, y);
    else
      cairo_move_to (cr, x, y);
    pen_down = true;
  }
  bool chosen = i == v->selected;
  set_ink (cr, chosen ? INK_ACCENT : INK_QUIET, chosen ? 1.0 : 0.85);
  cairo_set_line_width (cr, (chosen ? 1.9 : 1.3) * unit);
  cairo_stroke (cr);
}

void
curve_draw (cairo_t *cr, const View *view, Box box, double unit)
{
  TimeAxis time;
  if (!curve_axis (view, &time))
    return;
  ValueAxis axis = value_axis (view);
  cairo_save (cr);
  cairo_rectangle (cr, box.x, box.y, box.width, box.height);
  cairo_clip (cr);
  draw_ground (cr, view, &time, box);
  draw_borders (cr, view, &axis, box, unit);
  cairo_set_line_join (cr, CAIRO_LINE_JOIN_ROUND);
  cairo_set_line_cap (cr, CAIRO_LINE_CAP_ROUND);
  for (int i = 0; i < view->v.n_instances; i++)
    draw_instance (cr, view, i, &time, &axis, box, unit);
  cairo_restore (cr);
}
