/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The live layout: what a strip says of mitral regurgitation. */
#include "inside.h"
#include "scale.h"
#include "wording.h"

#include <math.h>

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
  StripContent strip;
  char *chip, *grade, *age, *model;
} Draft;

static FlowItem *
add (Draft *draft, int id, int priority, CardiacOverlayRole role,
    const char *string, int weight, Ink name)
{
  if (string == NULL)
    return NULL;
  FlowItem *item = flow_add (&draft->strip.flow, id, priority);
  item->text = (TextSpec){ .role = role,
    .string = string,
    .size = draft->strip.em,
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
  item->inset_left = item->inset_right = 0.5 * d->strip.em;
  item->least_height = 1.6 * d->strip.em;
  if (!view->has_finding) {
    item = add (d, ITEM_REASON, 1, CARDIAC_OVERLAY_ROLE_REASON,
        word_reason (view), PANGO_WEIGHT_NORMAL, INK_TEXT);
    if (item)
      item->text.lines = 3;
    return;
  }
  item = add (d, ITEM_GRADE, 0, CARDIAC_OVERLAY_ROLE_GRADE, d->grade,
      PANGO_WEIGHT_BOLD, INK_TEXT);
  item->text.size = 1.35 * d->strip.em;
  item->text.least_size = d->strip.em;
  item->text.lines = 2;
  if (view->has_scale) {
    item = flow_add (&d->strip.flow, ITEM_SCALE, 3);
    item->least_width = 8.5 * d->strip.em;
    item->least_height = 1.1 * d->strip.em;
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
    item->inset_left = 1.9 * d->strip.em;
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
draw_item (const StripContent *content, cairo_t *cr, TextKit *kit, TextLog *log,
    const FlowItem *item, Box box)
{
  (void) kit;
  (void) log;
  if (item->id == ITEM_SCALE)
    scale_draw (cr, content->user, box);
  if (item->id == ITEM_LEGEND) {
    double em = content->em;
    set_ink (cr, INK_ACCENT, 1.0);
    cairo_rectangle (cr, box.x, round (box.y + box.height / 2.0 - 0.08 * em),
        1.4 * em, fmax (round (0.16 * em), 1.0));
    cairo_fill (cr);
  }
}

/* The strip keeps off what it is about. */
static void
avoid (StripContent *strip, const CardiacMRegView *v)
{
  strip->no_draw = v->no_draw;
  strip->n_no_draw = v->n_no_draw;
  strip->pictures = v->pictures;
  strip->n_pictures = v->n_pictures;
  if (v->draw_roi)
    strip_avoid (strip, v->roi);
  if (v->map)
    strip_avoid (strip, v->crop);
}

static void
draft_make (Draft *d, const View *view)
{
  const CardiacMRegView *v = &view->v;
  *d = (Draft){ .strip = { .picture_width = v->picture_width,
                    .picture_height = v->picture_height,
                    .lit = view->has_finding,
                    .chip = ITEM_CHIP,
                    .draw = draw_item,
                    .user = view } };
  StripContent *strip = &d->strip;
  strip->em = fmax (0.0225 * v->picture_height, LEAST_FONT);
  /* What is never dropped takes some 13 x 14 em; it fits a thumbnail too. */
  strip->em = fmin (
      strip->em, fmin (v->picture_width / 13.0, v->picture_height / 14.0));
  strip->flow.padding = round (0.55 * strip->em);
  strip->flow.item_gap = round (0.8 * strip->em);
  strip->flow.line_gap = round (0.25 * strip->em);
  d->chip = word_chip (view);
  char *grade = word_grade (view);
  d->grade = grade ? g_strdup_printf ("MR: %s", grade) : NULL;
  g_free (grade);
  d->age = word_age (view);
  d->model = word_model (view);
  add_state (d, view);
  add_provenance (d, view);
  avoid (strip, v);
}

static void
draft_free (Draft *d)
{
  g_free (d->chip);
  g_free (d->grade);
  g_free (d->age);
  g_free (d->model);
}

void
inside_draw (Strip *strip, TextKit *kit, const View *view,
    const Occupancy *occupancy, Key *key, PieceCounter *counter)
{
  Draft d;
  draft_make (&d, view);
  key_begin (key, "strip");
  view_key (view, key);
  key_string (key, d.age);
  key_int (key, view->v.hide_marks);
  /* Places that the strip gives way to. */
  key_bytes (key, view->v.no_draw, sizeof (Box) * (size_t) view->v.n_no_draw);
  key_bytes (key, view->v.pictures, sizeof (Box) * (size_t) view->v.n_pictures);
  strip_draw (strip, kit, &d.strip, occupancy, key, counter);
  draft_free (&d);
}

bool
inside_has_room (TextKit *kit, const View *view)
{
  Draft d;
  draft_make (&d, view);
  bool room = strip_has_room (&d.strip, kit);
  draft_free (&d);
  return room;
}
