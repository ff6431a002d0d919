/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Segments, insertions and motion on a short-axis slice. The wall stays free
 * but for short borders: dots stand outside it. */
#include "slicemarks.h"
#include "scorepalette.h"

#include <math.h>
#include <string.h>

#define TURN 6.283185307179586

/* In shares of the distance from the centre to the insertions. */
#define BORDER_INNER 0.74
#define BORDER_OUTER 1.06
#define WALL 0.90 /* where arrows begin */

/* Radius of a polar picture's crop, in its pixels; columns of a turn. */
#define POLAR_RADIUS 80.0
#define POLAR_COLUMNS 192.0

/* The part of a slice that marks may cover, whole pixels of the picture. */
typedef struct Ground {
  const MmsaView *view;
  int slice;
  const AhaOrientation *heart;
  int x, y, width, height;
  double em, dot; ///< radius of a dot
} Ground;

static double
dot_distance (const Ground *g)
{
  return fmax (1.16 * g->heart->radius + 1.7 * g->dot, 2.2 * g->dot);
}

/* The square around all marks, within the slice. False: none. */
static bool
find_ground (Ground *g, const MmsaView *view, int slice, double em)
{
  const Box *r = &view->v.slices[slice].rectangle;
  *g = (Ground){ .view = view,
    .slice = slice,
    .heart = &view->orientation[slice],
    .em = em,
    .dot = 0.68 * em };
  double reach = dot_distance (g) + 2.0 * g->dot;
  const double *c = g->heart->centre;
  /* Pixel centres lie at whole numbers, Cairo's at halves. */
  double x0 = fmax (ceil (r->x), floor (c[0] + 0.5 - reach));
  double y0 = fmax (ceil (r->y), floor (c[1] + 0.5 - reach));
  double x1 = fmin (floor (r->x + r->width), ceil (c[0] + 0.5 + reach));
  double y1 = fmin (floor (r->y + r->height), ceil (c[1] + 0.5 + reach));
  x1 = fmin (x1, view->v.picture_width);
  y1 = fmin (y1, view->v.picture_height);
  if (x1 - x0 < 8.0 || y1 - y0 < 8.0)
    return false;
  g->x = (int) x0;
  g->y = (int) y0;
  g->width = (int) (x1 - x0);
  g->height = (int) (y1 - y0);
  return true;
}

static void
place_of (
    const Ground *g, double degrees, double distance, double *x, double *y)
{
  double angle = aha_picture_angle (g->heart, degrees);
  *x = g->heart->centre[0] + 0.5 + distance * cos (angle);
  *y = g->heart->centre[1] + 0.5 + distance * sin (angle);
}

/* Light on a dark casing: visible on blood and on air. */
static void
stroke_cased (cairo_t *cr, Ink name, double alpha, double width)
{
  set_ink (cr, INK_CASING, 0.65 * alpha);
  cairo_set_line_width (cr, width + 2.0);
  cairo_stroke_preserve (cr);
  set_ink (cr, name, alpha);
  cairo_set_line_width (cr, width);
  cairo_stroke (cr);
}

static void
draw_borders (cairo_t *cr, const Ground *g)
{
  double r = g->heart->radius, x, y;
  cairo_new_path (cr);
  for (int number = 1; number <= AHA_SEGMENTS; number++) {
    const AhaSegment *segment = aha_segment (number);
    if ((int) segment->level != g->slice)
      continue;
    place_of (g, segment->begin, BORDER_INNER * r, &x, &y);
    cairo_move_to (cr, x, y);
    place_of (g, segment->begin, BORDER_OUTER * r, &x, &y);
    cairo_line_to (cr, x, y);
  }
  stroke_cased (cr, INK_TEXT, 0.85, fmax (0.09 * g->em, 1.0));
}

static void
draw_insertion (cairo_t *cr, const Ground *g, const double point[2])
{
  double x = point[0] + 0.5, y = point[1] + 0.5;
  /* A small heart is not to be hidden by its marks. */
  double arm = fmin (0.5 * g->em, fmax (0.13 * g->heart->radius, 3.5));
  cairo_new_path (cr);
  cairo_move_to (cr, x - arm, y);
  cairo_line_to (cr, x + arm, y);
  cairo_move_to (cr, x, y - arm);
  cairo_line_to (cr, x, y + arm);
  stroke_cased (cr, INK_ACCENT, 1.0, fmax (0.14 * g->em, 1.4));
}

static bool
is_inside (const Ground *g, double x, double y)
{
  double margin = g->dot + 1.5;
  return x >= g->x + margin && x <= g->x + g->width - margin
         && y >= g->y + margin && y <= g->y + g->height - margin;
}

static bool
draw_dot (cairo_t *cr, TextKit *kit, TextLog *log, const Ground *g, int number)
{
  const AhaSegment *segment = aha_segment (number);
  double middle = segment->begin + segment->extent / 2.0, x, y;
  double distance = dot_distance (g);
  /* At the slice's edge a dot comes in along its ray, not sideways. */
  place_of (g, middle, distance, &x, &y);
  while (!is_inside (g, x, y) && distance > 0.35 * g->heart->radius + g->dot) {
    distance -= 1.0;
    place_of (g, middle, distance, &x, &y);
  }
  if (!is_inside (g, x, y))
    return false;
  int score = g->view->v.scores[number - 1];
  Colour c = score_colour (&g->view->palette, score);
  cairo_new_path (cr);
  cairo_arc (cr, x, y, g->dot, 0.0, TURN);
  cairo_set_source_rgb (cr, c.r, c.g, c.b);
  cairo_fill_preserve (cr);
  set_ink (cr, g->view->v.unsure[number - 1] ? INK_TEXT : INK_CASING, 0.9);
  cairo_set_line_width (cr, 1.5);
  cairo_stroke (cr);
  TextSpec digit = { .role = CARDIAC_OVERLAY_ROLE_SCORE,
    .string = score_digit (score),
    .size = g->em,
    .weight = PANGO_WEIGHT_BOLD,
    .ink = score_ink (&g->view->palette, score),
    .lines = 1 };
  TextExtent extent = text_measure (kit, &digit, 0.0);
  double width = fmax (extent.width + 1.0, g->dot);
  text_draw (kit, cr, log, &digit,
      (Box){ x - width / 2.0, y - extent.height / 2.0, width, extent.height },
      TEXT_CENTRE);
  return true;
}

/* Texts are logged in the piece's pixels; drawing is in the picture's. */
static void
shift_log (TextLog *log, const Ground *g)
{
  for (int i = 0; i < log->count; i++) {
    log->texts[i].box.x -= g->x;
    log->texts[i].box.y -= g->y;
    log->texts[i].ink.x -= g->x;
    log->texts[i].ink.y -= g->y;
  }
}

static void
draw_segments (Piece *piece, TextKit *kit, const Ground *g, cairo_t *cr)
{
  const CardiacMmsaSlice *slice = &g->view->v.slices[g->slice];
  cairo_translate (cr, -g->x, -g->y);
  draw_borders (cr, g);
  draw_insertion (cr, g, slice->rv_anterior);
  draw_insertion (cr, g, slice->rv_inferior);
  for (int number = 1; number <= AHA_SEGMENTS && g->view->has_finding; number++)
    if ((int) aha_segment (number)->level == g->slice)
      draw_dot (cr, kit, &piece->log, g, number);
  shift_log (&piece->log, g);
}

/* From the middle of the wall; false when it is too short to be seen. */
static bool
arrow_ends (const Ground *g, int number, double from[2], double to[2])
{
  const AhaSegment *segment = aha_segment (number);
  const float *motion = mmsa_view_motion (g->view, g->slice, number);
  if (!isfinite (motion[0]) || !isfinite (motion[1]))
    return false;
  double pixel = g->view->v.slices[g->slice].crop_side / (2.0 * POLAR_RADIUS);
  double middle = segment->begin + segment->extent / 2.0;
  double wall = WALL * g->heart->radius, limit = 0.6 * g->heart->radius;
  double radial = motion[0] * pixel * SLICE_MARKS_MAGNIFICATION;
  double turn = motion[1] * 360.0 / POLAR_COLUMNS * SLICE_MARKS_MAGNIFICATION;
  radial = CLAMP (radial, -limit, limit);
  turn = CLAMP (turn, -35.0, 35.0);
  place_of (g, middle, wall, &from[0], &from[1]);
  place_of (g, middle + turn, wall + radial, &to[0], &to[1]);
  return hypot (to[0] - from[0], to[1] - from[1]) >= 5.0;
}

static void
draw_motion (const Ground *g, cairo_t *cr)
{
  cairo_translate (cr, -g->x, -g->y);
  cairo_set_line_cap (cr, CAIRO_LINE_CAP_ROUND);
  cairo_set_line_join (cr, CAIRO_LINE_JOIN_ROUND);
  cairo_new_path (cr);
  for (int number = 1; number <= AHA_SEGMENTS; number++) {
    double a[2], b[2];
    if ((int) aha_segment (number)->level != g->slice
        || !arrow_ends (g, number, a, b))
      continue;
    double length = hypot (b[0] - a[0], b[1] - a[1]);
    double head = fmin (0.42 * g->em, 0.6 * length);
    double angle = atan2 (b[1] - a[1], b[0] - a[0]);
    cairo_move_to (cr, a[0], a[1]);
    cairo_line_to (cr, b[0], b[1]);
    cairo_move_to (
        cr, b[0] - head * cos (angle - 0.55), b[1] - head * sin (angle - 0.55));
    cairo_line_to (cr, b[0], b[1]);
    cairo_line_to (
        cr, b[0] - head * cos (angle + 0.55), b[1] - head * sin (angle + 0.55));
  }
  stroke_cased (cr, INK_MOTION, 0.9, fmax (0.1 * g->em, 1.2));
}

static void
update_motion (Piece *piece, const Ground *g, Key *key, PieceCounter *counter)
{
  const float *motion = mmsa_view_motion (g->view, g->slice, 1);
  if (motion == NULL) {
    piece_clear (piece);
    return;
  }
  key_begin (key, "motion");
  mmsa_slice_key (g->view, g->slice, key);
  key_double (key, g->em);
  key_double (key, g->view->v.slices[g->slice].crop_side);
  key_bytes (key, motion, sizeof (float) * 2 * CARDIAC_OVERLAY_SEGMENTS);
  cairo_t *cr = piece_begin (piece, key, g->width, g->height, counter);
  if (cr) {
    draw_motion (g, cr);
    piece_end (piece, cr);
  }
  piece->x = g->x;
  piece->y = g->y;
}

void
slice_marks_draw (SliceMarks *marks, TextKit *kit, const MmsaView *view,
    int slice, double em, Key *key, PieceCounter *counter)
{
  Ground g;
  if (!view->v.enabled || view->v.hide_marks
      || !view->v.slices[slice].has_landmarks
      || !find_ground (&g, view, slice, em)) {
    slice_marks_clear (marks);
    return;
  }
  key_begin (key, "segments");
  key_double (key, em);
  mmsa_slice_key (view, slice, key);
  cairo_t *cr = piece_begin (&marks->segments, key, g.width, g.height, counter);
  if (cr) {
    draw_segments (&marks->segments, kit, &g, cr);
    piece_end (&marks->segments, cr);
  }
  marks->segments.x = g.x;
  marks->segments.y = g.y;
  update_motion (&marks->motion, &g, key, counter);
}

void
slice_marks_clear (SliceMarks *marks)
{
  piece_clear (&marks->segments);
  piece_clear (&marks->motion);
}
