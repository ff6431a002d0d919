/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "roi.h"

#include <math.h>

static bool
is_shown (const CardiacMRegView *v)
{
  if (!v->enabled || v->hide_marks || !v->draw_roi)
    return false;
  switch (v->state) {
    case CARDIAC_OVERLAY_WAIT:
    case CARDIAC_OVERLAY_RESULT:
    case CARDIAC_OVERLAY_UNSURE:
    case CARDIAC_OVERLAY_STALE:
      return true;
    default: /* the picture is not what the detector was made for */
      return false;
  }
}

static bool
is_reserved (const CardiacMRegView *v, int x, int y, int arm)
{
  for (int i = 0; i < v->n_no_draw; i++) {
    const CardiacOverlayBox *b = &v->no_draw[i];
    if (b->x < x + arm && x < b->x + b->width && b->y < y + arm
        && y < b->y + b->height)
      return true;
  }
  return false;
}

/* An L of two bars with a black casing, drawn for the top left corner and
 * mirrored for the others. */
static void
draw_corner (cairo_t *cr, int corner, int arm, int width, int casing)
{
  if (corner == 1 || corner == 2) {
    cairo_translate (cr, arm, 0);
    cairo_scale (cr, -1, 1);
  }
  if (corner >= 2) {
    cairo_translate (cr, 0, arm);
    cairo_scale (cr, 1, -1);
  }
  int outer = width + 2 * casing;
  set_ink (cr, INK_CASING, 1.0);
  cairo_rectangle (cr, 0, 0, arm, outer);
  cairo_rectangle (cr, 0, 0, outer, arm);
  cairo_fill (cr);
  set_ink (cr, INK_TEXT, 1.0);
  cairo_rectangle (cr, casing, casing, arm - 2 * casing, width);
  cairo_rectangle (cr, casing, casing, width, arm - 2 * casing);
  cairo_fill (cr);
}

void
roi_draw (Piece corners[4], const View *view, Key *key, PieceCounter *counter)
{
  const CardiacMRegView *v = &view->v;
  int left = (int) round (fmax (v->roi.x, 0.0));
  int top = (int) round (fmax (v->roi.y, 0.0));
  int right = (int) round (fmin (v->roi.x + v->roi.width, v->picture_width));
  int bottom = (int) round (fmin (v->roi.y + v->roi.height, v->picture_height));
  int side = MIN (right - left, bottom - top);
  if (!is_shown (v) || side < 24) {
    for (int i = 0; i < 4; i++)
      piece_clear (&corners[i]);
    return;
  }
  int width = CLAMP ((int) round (v->picture_height / 480.0), 1, 4);
  int casing = MAX (width / 2, 1);
  /* In steps, so that a box that breathes does not redraw its corners. */
  int arm = MAX (side / 40 * 4, 10);
  for (int i = 0; i < 4; i++) {
    int x = i == 1 || i == 2 ? right - arm : left;
    int y = i >= 2 ? bottom - arm : top;
    if (is_reserved (v, x, y, arm)) {
      piece_clear (&corners[i]);
      continue;
    }
    key_begin (key, "corner");
    key_int (key, i);
    key_int (key, arm);
    key_int (key, width);
    cairo_t *cr = piece_begin (&corners[i], key, arm, arm, counter);
    if (cr) {
      cairo_set_antialias (cr, CAIRO_ANTIALIAS_NONE);
      draw_corner (cr, i, arm, width, casing);
      piece_end (&corners[i], cr);
    }
    corners[i].x = x;
    corners[i].y = y;
  }
}
