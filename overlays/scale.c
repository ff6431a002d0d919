/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "scale.h"

#include <math.h>

static double
position (const View *view, double value)
{
  double t = (value - view->low) / (view->high - view->low);
  return fmin (fmax (t, 0.0), 1.0);
}

static double
border (const View *view, int k)
{
  if (k <= 0)
    return 0.0;
  return k >= view->v.n_classes ? 1.0
                                : position (view, view->v.thresholds[k - 1]);
}

static void
pointer (cairo_t *cr, const View *view, Box box, double bar_top)
{
  double half = box.height * 0.30;
  double exact = box.x + position (view, view->v.value) * box.width;
  double x = fmin (fmax (exact, box.x + half), box.x + box.width - half);
  set_ink (cr, INK_TEXT, 1.0);
  cairo_move_to (cr, x - half, box.y);
  cairo_line_to (cr, x + half, box.y);
  cairo_line_to (cr, x, bar_top);
  cairo_close_path (cr);
  cairo_fill (cr);
  double width = fmax (box.height * 0.10, 1.5);
  double line =
      fmin (fmax (exact, box.x + width / 2.0), box.x + box.width - width / 2.0);
  set_ink (cr, INK_CASING, 0.55);
  cairo_rectangle (
      cr, line - width, bar_top, 2.0 * width, box.y + box.height - bar_top);
  cairo_fill (cr);
  set_ink (cr, INK_TEXT, 1.0);
  cairo_rectangle (cr, line - width / 2.0, bar_top - box.height * 0.06, width,
      box.y + box.height - bar_top + box.height * 0.06);
  cairo_fill (cr);
}

void
scale_draw (cairo_t *cr, const View *view, Box box)
{
  if (!view->has_scale)
    return;
  double top = box.y + box.height * 0.38;
  double gap = fmax (1.0, box.height * 0.07);
  cairo_save (cr);
  cairo_rectangle (cr, box.x, box.y, box.width, box.height);
  cairo_clip (cr);
  for (int k = 0; k < view->v.n_classes; k++) {
    double from = box.x + round (border (view, k) * box.width);
    double to = box.x + round (border (view, k + 1) * box.width);
    Colour c = ink_of_grade (k, view->v.n_classes);
    cairo_set_source_rgb (cr, c.r, c.g, c.b);
    cairo_rectangle (cr, from + (k > 0 ? gap / 2.0 : 0.0), top,
        fmax (to - from - gap / 2.0 * ((k > 0) + (k + 1 < view->v.n_classes)),
            1.0),
        box.y + box.height - top);
    cairo_fill (cr);
  }
  if (isfinite (view->v.value))
    pointer (cr, view, box, top);
  cairo_restore (cr);
}

/* Outer names may reach into the inner parts where those leave room. */
void
scale_labels (TextKit *kit, cairo_t *cr, TextLog *log, const View *view,
    Box box, double size)
{
  int classes = view->v.n_classes;
  double gap = size * 0.6, at = box.x, widths[CARDIAC_OVERLAY_MAX_CLASSES];
  double sum = 0.0;
  TextSpec spec = { .role = CARDIAC_OVERLAY_ROLE_SCALE,
    .size = size,
    .weight = PANGO_WEIGHT_NORMAL,
    .lines = 1 };
  for (int k = 0; k < classes; k++) {
    spec.string = view->v.labels[k];
    widths[k] = text_measure (kit, &spec, 0.0).width + 1.0;
    sum += widths[k];
  }
  double room = box.width - gap * (classes - 1);
  double share = sum > room ? room / sum : 1.0;
  double last = box.x + box.width - widths[classes - 1] * share;
  for (int k = 0; k < classes; k++) {
    double width = widths[k] * share;
    double centre =
        box.x + (border (view, k) + border (view, k + 1)) / 2.0 * box.width;
    double rest = 0.0; /* what the names to the right need */
    for (int j = k + 1; j < classes; j++)
      rest += widths[j] * share + gap;
    double x = k == 0 ? box.x : k == classes - 1 ? last : centre - width / 2.0;
    x = fmax (fmin (x, box.x + box.width - rest - width), at);
    spec.string = view->v.labels[k];
    bool named =
        view->v.state == CARDIAC_OVERLAY_UNSURE && !view->v.unsure_alone
            ? k == view->neighbour || k == view->neighbour + 1
            : k == view->v.grade;
    spec.ink = named ? INK_TEXT : INK_QUIET;
    text_draw (
        kit, cr, log, &spec, (Box){ x, box.y, width, box.height }, TEXT_LEFT);
    at = x + width + gap;
  }
}
