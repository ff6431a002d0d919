/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The live layout: a small opaque strip where the picture is empty. */
#include "inside.h"
#include "flow.h"
#include "scale.h"
#include "wording.h"

#include <math.h>
#include <string.h>

enum { LATTICE = 12, PATIENCE = 6 };
#define WORTH_MOVING 0.04 /* less cost than here */
#define LEAST_FONT 11.0

typedef enum StripItem {
  ITEM_CHIP,
  ITEM_GRADE,
  ITEM_CONFIDENCE,
  ITEM_SCALE,
  ITEM_REASON,
  ITEM_AGE,
  ITEM_LEGEND,
  ITEM_VIEW,
  ITEM_WEIGHTS,
  ITEM_MODEL,
  ITEM_MARKING
} StripItem;

/* What a strip says, before it has a shape. */
typedef struct Draft {
  Flow flow;
  double em;
  char *chip, *grade, *age, *model;
} Draft;

static FlowItem *
add (Draft *draft, int id, int priority, CardiacOverlayRole role,
    const char *string, int weight, Ink name)
{
  if (string == NULL)
    return NULL;
  FlowItem *item = flow_add (&draft->flow, id, priority);
  item->text = (TextSpec){ .role = role,
    .string = string,
    .size = draft->em,
    .weight = weight,
    .ink = name,
    .lines = 1 };
  return item;
}

static void
add_state (Draft *d, const View *view)
{
  FlowItem *item = add (d, ITEM_CHIP, 0, CARDIAC_OVERLAY_ROLE_STATE, d->chip,
      PANGO_WEIGHT_BOLD, INK_TEXT);
  item->inset_left = item->inset_right = 0.5 * d->em;
  item->least_height = 1.6 * d->em;
  if (!view->has_finding) {
    item = add (d, ITEM_REASON, 1, CARDIAC_OVERLAY_ROLE_REASON,
        word_reason (view), PANGO_WEIGHT_NORMAL, INK_TEXT);
    if (item)
      item->text.lines = 3;
    return;
  }
  item = add (d, ITEM_GRADE, 0, CARDIAC_OVERLAY_ROLE_GRADE, d->grade,
      PANGO_WEIGHT_BOLD, INK_TEXT);
  item->text.size = 1.35 * d->em;
  item->text.least_size = d->em;
  item->text.lines = 2;
  if (view->has_scale) {
    item = flow_add (&d->flow, ITEM_SCALE, 3);
    item->least_width = 8.5 * d->em;
    item->least_height = 1.1 * d->em;
  }
  if (view->v.state == CARDIAC_OVERLAY_RESULT)
    add (d, ITEM_CONFIDENCE, 4, CARDIAC_OVERLAY_ROLE_CONFIDENCE,
        word_confidence (view), PANGO_WEIGHT_NORMAL, INK_TEXT);
}

static void
add_provenance (Draft *d, const View *view)
{
  FlowItem *item;
  bool lines = true;
  if (view->has_finding) {
    item = add (d, ITEM_AGE, 2, CARDIAC_OVERLAY_ROLE_AGE, d->age,
        PANGO_WEIGHT_NORMAL, INK_QUIET);
    if (item) {
      item->starts_line = lines;
      lines = false;
    }
  }
  item = add (d, ITEM_MODEL, 0, CARDIAC_OVERLAY_ROLE_MODEL, d->model,
      PANGO_WEIGHT_NORMAL, INK_QUIET);
  item->starts_line = lines;
  item->text.lines = 2;
  if (view->has_finding && view->v.map_mode != CARDIAC_OVERLAY_MAP_OFF
      && !view->v.hide_marks) {
    item = add (d, ITEM_LEGEND, 6, CARDIAC_OVERLAY_ROLE_LEGEND, WORD_LEGEND,
        PANGO_WEIGHT_NORMAL, INK_QUIET);
    item->inset_left = 1.9 * d->em;
    item->text.lines = 2;
  }
  item = add (d, ITEM_WEIGHTS, 0, CARDIAC_OVERLAY_ROLE_WEIGHTS,
      word_weights (view, false), PANGO_WEIGHT_SEMIBOLD, INK_CAUTION);
  lines = true;
  if (item) {
    item->starts_line = lines;
    lines = false;
  }
  if (!view->v.view_checked && view->has_finding) {
    item = add (d, ITEM_VIEW, 1, CARDIAC_OVERLAY_ROLE_NOTE, WORD_VIEW,
        PANGO_WEIGHT_NORMAL, INK_CAUTION);
    item->starts_line = lines;
  }
  item = add (d, ITEM_MARKING, 0, CARDIAC_OVERLAY_ROLE_MARKING,
      CARDIAC_OVERLAY_MARKING, PANGO_WEIGHT_BOLD, INK_TEXT);
  item->starts_line = true;
  item->text.lines = 2;
}

static void
draft_make (Draft *d, const View *view)
{
  *d = (Draft){ 0 };
  d->em = fmax (0.0225 * view->v.picture_height, LEAST_FONT);
  /* What is never dropped takes some 13 x 14 em; it fits a thumbnail too. */
  d->em = fmin (d->em,
      fmin (view->v.picture_width / 13.0, view->v.picture_height / 14.0));
  d->flow.padding = round (0.55 * d->em);
  d->flow.item_gap = round (0.8 * d->em);
  d->flow.line_gap = round (0.25 * d->em);
  d->chip = word_chip (view);
  char *grade = word_grade (view);
  d->grade = grade ? g_strdup_printf ("MR: %s", grade) : NULL;
  g_free (grade);
  d->age = word_age (view);
  d->model = word_model (view);
  add_state (d, view);
  add_provenance (d, view);
}

static void
draft_free (Draft *d)
{
  g_free (d->chip);
  g_free (d->grade);
  g_free (d->age);
  g_free (d->model);
}

static double
margin_of (const CardiacMRegView *v)
{
  return round (0.01 * MIN (v->picture_width, v->picture_height));
}

/* From one or two lines over the whole width to a block in a corner. */
static void
draft_shape (Draft *d, TextKit *kit, const CardiacMRegView *v, int shape)
{
  double all = v->picture_width - 2.0 * margin_of (v);
  double least = fmin (flow_least_width (&d->flow, kit), all);
  const double widths[STRIP_SHAPES / 2] = { all, fmax (0.62 * all, least),
    1.5 * least, least, 0.78 * least, 0.66 * least, 0.58 * least };
  /* Tall ones say all they can; low ones leave something out. */
  double most = shape < STRIP_SHAPES / 2 ? 0.55 : 0.42;
  int width = shape % (STRIP_SHAPES / 2);
  flow_place (&d->flow, kit, fmin (widths[width], all),
      most * v->picture_height, width > 0);
}

static Box
box_at (const Draft *d, const CardiacMRegView *v, int column, int row)
{
  double m = margin_of (v);
  Box box = { 0, 0, fmin (d->flow.width, v->picture_width),
    fmin (d->flow.height, v->picture_height) };
  double spare_x = fmax (v->picture_width - 2.0 * m - box.width, 0.0);
  double spare_y = fmax (v->picture_height - 2.0 * m - box.height, 0.0);
  box.x = floor (
      fmin (m + spare_x * column / LATTICE, v->picture_width - box.width));
  box.y = floor (
      fmin (m + spare_y * row / LATTICE, v->picture_height - box.height));
  return box;
}

static double
overlap_share (const Box *a, const Box *b)
{
  double w = fmin (a->x + a->width, b->x + b->width) - fmax (a->x, b->x);
  double h = fmin (a->y + a->height, b->y + b->height) - fmax (a->y, b->y);
  return w > 0.0 && h > 0.0 ? w * h / (a->width * a->height) : 0.0;
}

/* A box of nearly the whole picture is no detection that could be avoided. */
static bool
is_local (const Box *box, const CardiacMRegView *v)
{
  return box->width > 0.0 && box->height > 0.0
         && box->width * box->height
                < 0.6 * v->picture_width * v->picture_height;
}

static double
forbidden_share (const Box *box, const View *view)
{
  const CardiacMRegView *v = &view->v;
  double share = 0.0;
  for (int i = 0; i < v->n_no_draw; i++)
    share += overlap_share (box, &v->no_draw[i]);
  if (v->draw_roi && is_local (&v->roi, v))
    share += overlap_share (box, &v->roi);
  if (v->map && is_local (&v->crop, v))
    share += overlap_share (box, &v->crop);
  return fmin (share, 1.0);
}

/* Before anything is known a sector stands in the middle, its apex at the
 * top, header text at the top left and an ECG below. */
static double
prior (const Box *box, const CardiacMRegView *v)
{
  double x = (box->x + box->width / 2.0) / v->picture_width - 0.5;
  double y = (box->y + box->height / 2.0) / v->picture_height - 0.5;
  double middle = fmax (0.5 - fmax (fabs (x), fabs (y)), 0.0);
  double corner = fmax (0.5 - fmin (fabs (x), fabs (y)), 0.0);
  return 0.04 * middle + 0.004 * corner + (y < 0.0 ? 0.002 : 0.0);
}

/* What a shape has to leave out. */
static double
silence (const Flow *flow)
{
  double cost = 0.0;
  for (int i = 0; i < flow->count; i++)
    if (flow->items[i].dropped)
      cost += flow->items[i].priority == 1   ? 0.06
              : flow->items[i].priority <= 3 ? 0.025
                                             : 0.005;
  return cost;
}

static double
cost_of (const Draft *d, const View *view, const Occupancy *occupancy,
    int column, int row)
{
  const CardiacMRegView *v = &view->v;
  Box box = box_at (d, v, column, row);
  double area =
      box.width * box.height / ((double) v->picture_width * v->picture_height);
  /* What counts is how much of the picture is lost, not of the strip. */
  return 8.0 * forbidden_share (&box, view)
         + 12.0 * area * occupancy_share (occupancy, &box) + prior (&box, v)
         + 0.3 * area + silence (&d->flow);
}

typedef struct Place {
  int shape, column, row;
  double cost;
} Place;

static Place
best_place (
    Draft *d, TextKit *kit, const View *view, const Occupancy *occupancy)
{
  Place best = { 0, 0, 0, INFINITY };
  for (int shape = 0; shape < STRIP_SHAPES; shape++) {
    draft_shape (d, kit, &view->v, shape);
    if (d->flow.spoilt && best.cost < INFINITY)
      continue;
    for (int row = 0; row <= LATTICE; row++)
      for (int column = 0; column <= LATTICE; column++) {
        double cost = cost_of (d, view, occupancy, column, row);
        if (cost < best.cost - 1e-9)
          best = (Place){ shape, column, row, cost };
      }
  }
  return best;
}

/* How the strip stands where it is. */
typedef struct Standing {
  double cost;
  bool good;     /* nothing is covered, nothing important left out */
  bool hopeless; /* on a forbidden place, or a text that must stay is cut */
} Standing;

static Standing
standing (const Strip *strip, Draft *d, TextKit *kit, const View *view,
    const Occupancy *occupancy)
{
  draft_shape (d, kit, &view->v, strip->shape);
  Box box = box_at (d, &view->v, strip->column, strip->row);
  double forbidden = forbidden_share (&box, view);
  return (Standing){
    .cost = cost_of (d, view, occupancy, strip->column, strip->row),
    .good = !d->flow.spoilt && silence (&d->flow) < 0.02 && forbidden <= 0.0
            && occupancy_share (occupancy, &box) < 0.01,
    .hopeless = d->flow.spoilt || forbidden > 0.0,
  };
}

/* A strip that jumps is worse than one that covers a little: it moves at once
 * off a hopeless place only, else when several pictures in a row say so. */
static void
find_place (Strip *strip, Draft *d, TextKit *kit, const View *view,
    const Occupancy *occupancy)
{
  bool looked = strip->looked_at != occupancy->seen;
  bool first = !strip->placed || (strip->looked_at == 0 && looked);
  strip->looked_at = occupancy->seen;
  Standing here = { 0 };
  if (!first) {
    here = standing (strip, d, kit, view, occupancy);
    if (here.good)
      strip->better_seen = 0;
    if (here.good || (!looked && !here.hopeless))
      return;
  }
  Place best = best_place (d, kit, view, occupancy);
  if (!first) {
    bool better = best.cost < here.cost - WORTH_MOVING;
    strip->better_seen = better ? strip->better_seen + looked : 0;
    if (!better || (!here.hopeless && strip->better_seen < PATIENCE))
      return;
  }
  strip->shape = best.shape;
  strip->column = best.column;
  strip->row = best.row;
  strip->placed = true;
  strip->better_seen = 0;
}

static void
draw_item (Strip *strip, TextKit *kit, const View *view, cairo_t *cr,
    const Draft *d, const FlowItem *item)
{
  Box box = item->box;
  if (item->id == ITEM_SCALE) {
    scale_draw (cr, view, box);
    return;
  }
  if (item->id == ITEM_CHIP) {
    rounded_box (cr, box, 0.3 * d->em);
    set_ink (cr, view->has_finding ? INK_CHIP : INK_CHIP_IDLE, 1.0);
    cairo_fill (cr);
  }
  if (item->id == ITEM_LEGEND) {
    set_ink (cr, INK_ACCENT, 1.0);
    cairo_rectangle (cr, box.x, round (box.y + box.height / 2.0 - 0.08 * d->em),
        1.4 * d->em, fmax (round (0.16 * d->em), 1.0));
    cairo_fill (cr);
  }
  box.x += item->inset_left;
  box.width -= item->inset_left + item->inset_right;
  text_draw (kit, cr, &strip->piece.log, &item->text, box,
      item->id == ITEM_CHIP ? TEXT_CENTRE : TEXT_LEFT);
}

static void
draw (Strip *strip, TextKit *kit, const View *view, cairo_t *cr, const Draft *d)
{
  rounded_box (
      cr, (Box){ 0, 0, d->flow.width, d->flow.height }, floor (0.35 * d->em));
  set_ink (cr, INK_GROUND, 1.0);
  cairo_fill (cr);
  for (int i = 0; i < d->flow.count; i++)
    if (!d->flow.items[i].dropped)
      draw_item (strip, kit, view, cr, d, &d->flow.items[i]);
}

void
strip_draw (Strip *strip, TextKit *kit, const View *view,
    const Occupancy *occupancy, Key *key, PieceCounter *counter)
{
  const CardiacMRegView *v = &view->v;
  Draft d;
  draft_make (&d, view);
  key_begin (key, "strip");
  view_key (view, key);
  key_string (key, d.age);
  key_int (key, v->hide_marks);
  /* Places that the strip gives way to. */
  key_bytes (key, v->no_draw, sizeof (Box) * (size_t) v->n_no_draw);
  bool changed = strip->piece.key == NULL || strip->piece.key->len <= key->len
                 || memcmp (strip->piece.key->data, key->data, key->len) != 0;
  if (changed || strip->looked_at != occupancy->seen)
    find_place (strip, &d, kit, view, occupancy);
  key_int (key, strip->shape);

  if (!piece_is_current (&strip->piece, key)) {
    draft_shape (&d, kit, v, strip->shape);
    cairo_t *cr = piece_begin (&strip->piece, key,
        MIN ((int) d.flow.width, v->picture_width),
        MIN ((int) d.flow.height, v->picture_height), counter);
    draw (strip, kit, view, cr, &d);
    piece_end (&strip->piece, cr);
  } else if (strip->piece.surface) {
    d.flow.width = cairo_image_surface_get_width (strip->piece.surface);
    d.flow.height = cairo_image_surface_get_height (strip->piece.surface);
  }
  Box box = box_at (&d, v, strip->column, strip->row);
  strip->piece.x = (int) box.x;
  strip->piece.y = (int) box.y;
  strip->covers = fmin (
      forbidden_share (&box, view) + occupancy_share (occupancy, &box), 1.0);
  draft_free (&d);
}

void
strip_forget (Strip *strip)
{
  strip->placed = false;
  strip->better_seen = 0;
  strip->looked_at = 0;
}
