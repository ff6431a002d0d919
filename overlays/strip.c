/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A small opaque strip where the picture is empty: its shape and place. */
#include "strip.h"

#include <math.h>
#include <string.h>

enum { LATTICE = 12, PATIENCE = 6 };
#define WORTH_MOVING 0.04 /* less cost than here */
/* A dark corner of the picture beside a sector is better than a bright ECG, and
 * worse than the empty screen. */
#define DARK_PICTURE 0.25
/* More than anything else together. */
#define FORBIDDEN 100.0

static double
margin_of (const StripContent *c)
{
  return round (0.01 * MIN (c->picture_width, c->picture_height));
}

/* From one or two lines over the whole width to a block in a corner. Tall ones
 * say all they can, low ones leave something out, the last say what must be
 * said and no more. */
static void
find_shape (StripContent *c, TextKit *kit, int shape)
{
  const double heights[STRIP_SHAPES / STRIP_WIDTHS] = { 0.55, 0.42, 0.0 };
  double all = c->picture_width - 2.0 * margin_of (c) - c->side;
  double least = fmin (flow_least_width (&c->flow, kit), all);
  const double widths[STRIP_WIDTHS] = { all, fmax (0.62 * all, least),
    1.5 * least, least, 0.78 * least, 0.66 * least, 0.58 * least };
  int width = shape % STRIP_WIDTHS;
  flow_place (&c->flow, kit, fmin (widths[width], all),
      heights[shape / STRIP_WIDTHS] * c->picture_height, width > 0);
  c->width = c->side + c->flow.width;
  c->height = fmax (c->side, c->flow.height);
}

static Box
box_at (const StripContent *c, int column, int row)
{
  double m = margin_of (c);
  Box box = { 0, 0, fmin (c->width, c->picture_width),
    fmin (c->height, c->picture_height) };
  double spare_x = fmax (c->picture_width - 2.0 * m - box.width, 0.0);
  double spare_y = fmax (c->picture_height - 2.0 * m - box.height, 0.0);
  box.x = floor (
      fmin (m + spare_x * column / LATTICE, c->picture_width - box.width));
  box.y = floor (
      fmin (m + spare_y * row / LATTICE, c->picture_height - box.height));
  return box;
}

static double
overlap_share (const Box *a, const Box *b)
{
  double w = fmin (a->x + a->width, b->x + b->width) - fmax (a->x, b->x);
  double h = fmin (a->y + a->height, b->y + b->height) - fmax (a->y, b->y);
  return w > 0.0 && h > 0.0 ? w * h / (a->width * a->height) : 0.0;
}

/* A box of nearly the whole picture is no place that could be avoided. */
static bool
is_local (const Box *box, const StripContent *c)
{
  return box->width > 0.0 && box->height > 0.0
         && box->width * box->height
                < 0.6 * c->picture_width * c->picture_height;
}

void
strip_avoid (StripContent *c, Box box)
{
  if (is_local (&box, c) && c->n_avoid < STRIP_AVOIDS)
    c->avoid[c->n_avoid++] = box;
}

static double
sum_of_shares (const Box *box, const Box *places, int n)
{
  double share = 0.0;
  for (int i = 0; i < n; i++)
    share += overlap_share (box, &places[i]);
  return fmin (share, 1.0);
}

static double
forbidden_share (const Box *box, const StripContent *c)
{
  return sum_of_shares (box, c->no_draw, c->n_no_draw);
}

static double
disliked_share (const Box *box, const StripContent *c)
{
  return fmin (
      forbidden_share (box, c) + sum_of_shares (box, c->avoid, c->n_avoid),
      1.0);
}

/* What the picture shows below a box, bright or by its description. */
static double
content_share (
    const Box *box, const StripContent *c, const Occupancy *occupancy)
{
  return fmax (occupancy_share (occupancy, box),
      DARK_PICTURE * sum_of_shares (box, c->pictures, c->n_pictures));
}

/* Before anything is known a sector stands in the middle, its apex at the
 * top, header text at the top left and an ECG below. */
static double
prior (const Box *box, const StripContent *c)
{
  double x = (box->x + box->width / 2.0) / c->picture_width - 0.5;
  double y = (box->y + box->height / 2.0) / c->picture_height - 0.5;
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
cost_of (const StripContent *c, const Occupancy *occupancy, int column, int row)
{
  Box box = box_at (c, column, row);
  double area =
      box.width * box.height / ((double) c->picture_width * c->picture_height);
  double forbidden = forbidden_share (&box, c);
  /* What counts is how much of the picture is lost, not of the strip. */
  return (forbidden > 0.0 ? FORBIDDEN * (1.0 + forbidden) : 0.0)
         + 8.0 * disliked_share (&box, c)
         + 12.0 * area * content_share (&box, c, occupancy) + prior (&box, c)
         + 0.3 * area + silence (&c->flow);
}

typedef struct Place {
  int shape, column, row;
  double cost;
} Place;

static Place
best_place (StripContent *c, TextKit *kit, const Occupancy *occupancy)
{
  Place best = { 0, 0, 0, INFINITY };
  for (int shape = 0; shape < STRIP_SHAPES; shape++) {
    /* Silence only where nothing else keeps off forbidden places. */
    if (shape >= 2 * STRIP_WIDTHS && best.cost < FORBIDDEN)
      break;
    find_shape (c, kit, shape);
    if (c->flow.spoilt && best.cost < INFINITY)
      continue;
    for (int row = 0; row <= LATTICE; row++)
      for (int column = 0; column <= LATTICE; column++) {
        double cost = cost_of (c, occupancy, column, row);
        if (cost < best.cost - 1e-9)
          best = (Place){ shape, column, row, cost };
      }
  }
  return best;
}

bool
strip_has_room (StripContent *c, TextKit *kit)
{
  for (int shape = 2 * STRIP_WIDTHS; shape < STRIP_SHAPES; shape++) {
    find_shape (c, kit, shape);
    for (int i = 0; i <= LATTICE * (LATTICE + 2) && !c->flow.spoilt; i++) {
      Box box = box_at (c, i % (LATTICE + 1), i / (LATTICE + 1));
      if (forbidden_share (&box, c) <= 0.0)
        return true;
    }
  }
  return false;
}

/* How the strip stands where it is. */
typedef struct Standing {
  double cost;
  bool good;     /* nothing is covered, nothing important left out */
  bool spoilt;   /* a text that must stay is cut */
  bool hopeless; /* on a forbidden place, or a text that must stay is cut */
} Standing;

static Standing
standing (const Strip *strip, StripContent *c, TextKit *kit,
    const Occupancy *occupancy)
{
  find_shape (c, kit, strip->shape);
  Box box = box_at (c, strip->column, strip->row);
  double disliked = disliked_share (&box, c);
  return (Standing){
    .cost = cost_of (c, occupancy, strip->column, strip->row),
    .good = !c->flow.spoilt && silence (&c->flow) < 0.02 && disliked <= 0.0
            && content_share (&box, c, occupancy) < 0.01,
    .spoilt = c->flow.spoilt,
    .hopeless = c->flow.spoilt || disliked > 0.0,
  };
}

/* A strip that jumps is worse than one that covers a little: it moves at once
 * off a hopeless place only, else when several pictures in a row say so. */
static void
find_place (
    Strip *strip, StripContent *c, TextKit *kit, const Occupancy *occupancy)
{
  bool looked = strip->looked_at != occupancy->seen;
  bool first = !strip->placed || (strip->looked_at == 0 && looked);
  strip->looked_at = occupancy->seen;
  Standing here = { 0 };
  if (!first) {
    here = standing (strip, c, kit, occupancy);
    if (here.good)
      strip->better_seen = 0;
    if (here.good || (!looked && !here.hopeless))
      return;
  }
  Place best = best_place (c, kit, occupancy);
  if (!first) {
    bool better = here.spoilt || best.cost < here.cost - WORTH_MOVING;
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
draw_item (const StripContent *c, TextKit *kit, cairo_t *cr, TextLog *log,
    const FlowItem *item)
{
  Box box = item->box;
  box.x += c->side;
  if (c->draw)
    c->draw (c, cr, kit, log, item, box);
  if (item->id == c->chip) {
    rounded_box (cr, box, 0.3 * c->em);
    set_ink (cr, c->lit ? INK_CHIP : INK_CHIP_IDLE, 1.0);
    cairo_fill (cr);
  }
  box.x += item->inset_left;
  box.width -= item->inset_left + item->inset_right;
  text_draw (kit, cr, log, &item->text, box,
      item->id == c->chip ? TEXT_CENTRE : TEXT_LEFT);
}

static void
draw (const StripContent *c, TextKit *kit, cairo_t *cr, TextLog *log)
{
  rounded_box (cr, (Box){ 0, 0, c->width, c->height }, floor (0.35 * c->em));
  set_ink (cr, INK_GROUND, 1.0);
  cairo_fill (cr);
  if (c->side > 0.0)
    c->draw (c, cr, kit, log, NULL,
        (Box){ 0.0, (c->height - c->side) / 2.0, c->side, c->side });
  for (int i = 0; i < c->flow.count; i++)
    if (!c->flow.items[i].dropped)
      draw_item (c, kit, cr, log, &c->flow.items[i]);
}

void
strip_draw (Strip *strip, TextKit *kit, StripContent *c,
    const Occupancy *occupancy, Key *key, PieceCounter *counter)
{
  Piece *piece = &strip->piece;
  bool changed = piece->key == NULL || piece->key->len <= key->len
                 || memcmp (piece->key->data, key->data, key->len) != 0;
  if (changed || strip->looked_at != occupancy->seen)
    find_place (strip, c, kit, occupancy);
  key_int (key, strip->shape);

  if (!piece_is_current (piece, key)) {
    find_shape (c, kit, strip->shape);
    cairo_t *cr =
        piece_begin (piece, key, MIN ((int) c->width, c->picture_width),
            MIN ((int) c->height, c->picture_height), counter);
    draw (c, kit, cr, &piece->log);
    piece_end (piece, cr);
  } else if (piece->surface) {
    c->width = cairo_image_surface_get_width (piece->surface);
    c->height = cairo_image_surface_get_height (piece->surface);
  }
  Box box = box_at (c, strip->column, strip->row);
  piece->x = (int) box.x;
  piece->y = (int) box.y;
  strip->covers =
      fmin (disliked_share (&box, c) + occupancy_share (occupancy, &box), 1.0);
}

void
strip_forget (Strip *strip)
{
  strip->placed = false;
  strip->better_seen = 0;
  strip->looked_at = 0;
}
