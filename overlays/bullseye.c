/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The bull's-eye: 16 sectors seen from the apex, as the pictures show them. */
#include "bullseye.h"
#include "scorepalette.h"

#include <math.h>

#define TURN 6.283185307179586
#define DEGREE (TURN / 360.0)

/* Ticks of the insertions and the letters, in shares of the radius. */
#define TICK_INNER 1.025
#define TICK_OUTER 1.095
#define LETTERS 1.12

static TextSpec
spec (CardiacOverlayRole role, const char *string, double size, int weight,
    Ink name)
{
  return (TextSpec){ .role = role,
    .string = string,
    .size = size,
    .weight = weight,
    .ink = name,
    .lines = 1 };
}

static TextSpec
letters (int side, double em)
{
  return spec (CARDIAC_OVERLAY_ROLE_SIDE, aha_side (side)->letters, em,
      PANGO_WEIGHT_NORMAL, INK_QUIET);
}

Bullseye
bullseye_fit (TextKit *kit, Box box, double em)
{
  double width = 0.0, height = 0.0;
  for (int i = 0; i < AHA_SIDES; i++) {
    TextSpec side = letters (i, em);
    TextExtent extent = text_measure (kit, &side, 0.0);
    width = fmax (width, extent.width + 2.0);
    height = fmax (height, extent.height);
  }
  double across = (box.width - 2.0 * width) / (2.0 * LETTERS);
  double along = (box.height - 2.0 * height) / (2.0 * LETTERS);
  return (Bullseye){ box.x + box.width / 2.0, box.y + box.height / 2.0,
    fmax (floor (fmin (across, along)), 0.0) };
}

/* Cairo's angle of an angle after the anterior insertion: counter-clockwise on
 * the bull's-eye, clockwise for Cairo, whose y points down. */
static double
cairo_angle (const MmsaView *view, double degrees)
{
  return -(view->v.rv_anterior_angle + degrees) * DEGREE;
}

static void
sector_path (cairo_t *cr, const MmsaView *view, const Bullseye *at,
    const AhaSegment *segment)
{
  double inner, outer;
  double first = cairo_angle (view, segment->begin + segment->extent);
  double last = cairo_angle (view, segment->begin);
  aha_ring (segment->level, &inner, &outer);
  cairo_new_path (cr);
  cairo_arc (cr, at->x, at->y, outer * at->radius, first, last);
  cairo_arc_negative (cr, at->x, at->y, inner * at->radius, last, first);
  cairo_close_path (cr);
}

static void
hatch_lines (cairo_t *cr, Box box, double gap, double slope)
{
  double middle = box.y + box.height / 2.0;
  double rise = slope * box.height / 2.0;
  for (double x = box.x - box.height; x < box.x + box.width + box.height;
       x += gap) {
    cairo_move_to (cr, x - rise, middle - box.height / 2.0);
    cairo_line_to (cr, x + rise, middle + box.height / 2.0);
  }
}

/* Hatch of score 4 and cross-hatch of no score, inside the clip: they tell what
 * the colours tell, on paper and to everyone. */
static void
hatch (cairo_t *cr, int score, Box box, double gap)
{
  if (score != 4 && score != 0)
    return;
  cairo_new_path (cr);
  hatch_lines (cr, box, gap, 0.6);
  if (score == 0)
    hatch_lines (cr, box, gap, -0.6);
  set_ink (cr, INK_TEXT, score == 4 ? 0.5 : 0.3);
  cairo_set_line_width (cr, fmax (0.16 * gap, 0.8));
  cairo_stroke (cr);
}

static void
fill_score (cairo_t *cr, const CardiacMmsaPalette *palette, int score, Box box,
    double gap)
{
  Colour c = score_colour (palette, score);
  cairo_save (cr);
  cairo_set_source_rgb (cr, c.r, c.g, c.b);
  cairo_fill_preserve (cr);
  cairo_clip (cr);
  hatch (cr, score, box, gap);
  cairo_restore (cr);
}

/* Digit on a patch of the plain colour, so that no hatch runs through it. */
static void
draw_digit (cairo_t *cr, TextKit *kit, TextLog *log,
    const CardiacMmsaPalette *palette, int score, double x, double y,
    double size)
{
  Colour c = score_colour (palette, score);
  TextSpec digit = spec (CARDIAC_OVERLAY_ROLE_SCORE, score_digit (score), size,
      PANGO_WEIGHT_SEMIBOLD, score_ink (palette, score));
  TextExtent extent = text_measure (kit, &digit, 0.0);
  if (score == 0 || score == 4) {
    cairo_new_path (cr);
    cairo_arc (cr, x, y, 0.62 * size, 0.0, TURN);
    cairo_set_source_rgb (cr, c.r, c.g, c.b);
    cairo_fill (cr);
  }
  double width = extent.width + 2.0;
  text_draw (kit, cr, log, &digit,
      (Box){ x - width / 2.0, y - extent.height / 2.0, width, extent.height },
      TEXT_CENTRE);
}

static void
outline_unsure (
    cairo_t *cr, const MmsaView *view, const Bullseye *at, int number)
{
  const AhaSegment *segment = aha_segment (number);
  double line = fmax (0.018 * at->radius, 1.5);
  const double dashes[] = { 2.5 * line, 2.0 * line };
  cairo_save (cr);
  sector_path (cr, view, at, segment);
  cairo_clip_preserve (cr);
  set_ink (cr, score_ink (&view->palette, view->v.scores[number - 1]), 1.0);
  cairo_set_line_width (cr, 2.8 * line);
  cairo_set_dash (cr, dashes, 2, 0.0);
  cairo_stroke (cr);
  cairo_restore (cr);
}

/* Small ones get digits that nearly fill the ring. */
static double
digit_size (double ring)
{
  return fmin (0.85 * ring, fmax (0.48 * ring, 8.5));
}

static void
draw_sector (cairo_t *cr, TextKit *kit, TextLog *log, const MmsaView *view,
    const Bullseye *at, int number)
{
  const AhaSegment *segment = aha_segment (number);
  int score = view->v.scores[number - 1];
  double inner, outer, r = at->radius;
  aha_ring (segment->level, &inner, &outer);
  sector_path (cr, view, at, segment);
  if (!view->has_finding) {
    set_ink (cr, INK_WELL, 1.0);
    cairo_fill (cr);
    return;
  }
  fill_score (cr, &view->palette, score,
      (Box){ at->x - r, at->y - r, 2.0 * r, 2.0 * r }, fmax (0.058 * r, 7.5));
  if (view->v.unsure[number - 1])
    outline_unsure (cr, view, at, number);
  double angle = cairo_angle (view, segment->begin + segment->extent / 2.0);
  double middle = (inner + outer) / 2.0 * r;
  draw_digit (cr, kit, log, &view->palette, score, at->x + middle * cos (angle),
      at->y + middle * sin (angle), digit_size ((outer - inner) * r));
}

static void
draw_borders (cairo_t *cr, const MmsaView *view, const Bullseye *at)
{
  for (int number = 1; number <= AHA_SEGMENTS; number++) {
    sector_path (cr, view, at, aha_segment (number));
    set_ink (cr, view->has_finding ? INK_GROUND : INK_RULE, 1.0);
    cairo_set_line_width (cr, fmax (0.02 * at->radius, 1.0));
    cairo_stroke (cr);
  }
}

/* Nothing is known of the apex: it stays empty, in every state. */
static void
draw_centre (cairo_t *cr, TextKit *kit, TextLog *log, const Bullseye *at)
{
  static const char *lines[] = { "n/a", "17" };
  double r = AHA_CENTRE * at->radius, size = 0.55 * r;
  int n = size >= 7.0 ? 2 : 1; /* where two lines could not be read, one */
  if (n == 1)
    size = 0.85 * r;
  cairo_new_path (cr);
  cairo_arc (cr, at->x, at->y, r - fmax (0.008 * at->radius, 0.5), 0.0, TURN);
  set_ink (cr, INK_RULE, 1.0);
  cairo_fill (cr);
  for (int i = 0; i < n; i++) {
    TextSpec line = spec (CARDIAC_OVERLAY_ROLE_CENTRE, lines[i], size,
        PANGO_WEIGHT_NORMAL, INK_QUIET);
    double height = text_measure (kit, &line, 0.0).height;
    double up = n == 1 ? 0.5 : i;
    text_draw (kit, cr, log, &line,
        (Box){ at->x - r, at->y - up * height, 2.0 * r, height }, TEXT_CENTRE);
  }
}

static void
draw_tick (cairo_t *cr, const MmsaView *view, const Bullseye *at, double after)
{
  double angle = cairo_angle (view, after), r = at->radius;
  cairo_new_path (cr);
  cairo_move_to (cr, at->x + TICK_INNER * r * cos (angle),
      at->y + TICK_INNER * r * sin (angle));
  cairo_line_to (cr, at->x + TICK_OUTER * r * cos (angle),
      at->y + TICK_OUTER * r * sin (angle));
  set_ink (cr, INK_ACCENT, 1.0);
  cairo_set_line_width (cr, fmax (0.028 * r, 2.0));
  cairo_stroke (cr);
}

static void
draw_letters (cairo_t *cr, TextKit *kit, TextLog *log, const MmsaView *view,
    const Bullseye *at, double em)
{
  for (int i = 0; i < AHA_SIDES; i++) {
    TextSpec side = letters (i, em);
    TextExtent extent = text_measure (kit, &side, 0.0);
    double angle = cairo_angle (view, aha_side (i)->angle);
    double width = extent.width + 2.0, height = extent.height;
    /* So far out that the box just clears the ticks' circle. */
    double out = LETTERS * at->radius + fabs (cos (angle)) * width / 2.0
                 + fabs (sin (angle)) * height / 2.0;
    text_draw (kit, cr, log, &side,
        (Box){ at->x + out * cos (angle) - width / 2.0,
            at->y + out * sin (angle) - height / 2.0, width, height },
        TEXT_CENTRE);
  }
}

void
bullseye_draw (cairo_t *cr, TextKit *kit, TextLog *log, const MmsaView *view,
    const Bullseye *place, double em)
{
  if (place->radius < 16.0)
    return;
  cairo_save (cr);
  cairo_set_line_cap (cr, CAIRO_LINE_CAP_BUTT);
  for (int number = 1; number <= AHA_SEGMENTS; number++)
    draw_sector (cr, kit, log, view, place, number);
  draw_borders (cr, view, place);
  draw_centre (cr, kit, log, place);
  draw_tick (cr, view, place, 0.0);
  draw_tick (cr, view, place, view->septum_angle);
  draw_letters (cr, kit, log, view, place, em);
  cairo_restore (cr);
}

void
bullseye_swatch (cairo_t *cr, TextKit *kit, TextLog *log,
    const CardiacMmsaPalette *palette, int score, Box box)
{
  rounded_box (cr, box, 0.14 * box.height);
  fill_score (cr, palette, score, box, 0.25 * box.height);
  draw_digit (cr, kit, log, palette, score, box.x + box.width / 2.0,
      box.y + box.height / 2.0, 0.72 * box.height);
}
