/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a strip says of wall motion. */
#include "mmsainside.h"
#include "mmsawording.h"
#include "wording.h"

#include <math.h>

#define LEAST_FONT 10.0
/* The bull's-eye's square, em; left out where it would take too much. */
#define SIDE 17.0
#define MOST_OF_PICTURE 0.55

typedef enum StripItem {
  ITEM_CHIP,
  ITEM_INDEX,
  ITEM_REASON,
  ITEM_MODEL,
  ITEM_WEIGHTS,
  ITEM_MARKING
} StripItem;

/* A strip's words, freed with it. */
typedef struct Words {
  char *chip, *index, *model;
} Words;

static FlowItem *
add (StripContent *strip, int id, int priority, CardiacOverlayRole role,
    const char *string, int weight, Ink name)
{
  FlowItem *item = flow_add (&strip->flow, id, priority);
  item->text = (TextSpec){ .role = role,
    .string = string,
    .size = strip->em,
    .weight = weight,
    .ink = name,
    .lines = 1 };
  item->starts_line = true;
  return item;
}

static void
add_items (StripContent *strip, const MmsaView *view, const Words *words)
{
  FlowItem *item = add (strip, ITEM_CHIP, 0, CARDIAC_OVERLAY_ROLE_STATE,
      words->chip, PANGO_WEIGHT_BOLD, INK_TEXT);
  item->inset_left = item->inset_right = 0.5 * strip->em;
  item->least_height = 1.6 * strip->em;
  if (view->has_finding) {
    item = add (strip, ITEM_INDEX, 0, CARDIAC_OVERLAY_ROLE_INDEX, words->index,
        PANGO_WEIGHT_SEMIBOLD, INK_TEXT);
    item->text.lines = 2;
  }
  const char *reason = mmsa_word_reason (view);
  if (reason) {
    item = add (strip, ITEM_REASON, view->has_finding ? 3 : 1,
        CARDIAC_OVERLAY_ROLE_REASON, reason, PANGO_WEIGHT_NORMAL, INK_TEXT);
    item->text.lines = 3;
  }
  item = add (strip, ITEM_MODEL, 0, CARDIAC_OVERLAY_ROLE_MODEL, words->model,
      PANGO_WEIGHT_NORMAL, INK_QUIET);
  item->text.lines = 2;
  const char *weights = word_weights (&view->common, false);
  if (weights)
    add (strip, ITEM_WEIGHTS, 0, CARDIAC_OVERLAY_ROLE_WEIGHTS, weights,
        PANGO_WEIGHT_SEMIBOLD, INK_CAUTION);
  item = add (strip, ITEM_MARKING, 0, CARDIAC_OVERLAY_ROLE_MARKING,
      CARDIAC_OVERLAY_MARKING, PANGO_WEIGHT_BOLD, INK_TEXT);
  item->text.lines = 2;
}

static Bullseye
place_in (const StripContent *strip, TextKit *kit, Box box)
{
  double m = 0.5 * strip->em;
  return bullseye_fit (kit,
      (Box){ box.x + m, box.y + m, box.width - m, box.height - 2.0 * m },
      strip->em);
}

static void
draw_square (const StripContent *strip, cairo_t *cr, TextKit *kit, TextLog *log,
    const FlowItem *item, Box box)
{
  if (item)
    return;
  Bullseye place = place_in (strip, kit, box);
  bullseye_draw (cr, kit, log, strip->user, &place, strip->em);
}

/* The hearts, with their dots. */
static void
avoid (StripContent *strip, const MmsaView *view)
{
  strip->no_draw = view->v.no_draw;
  strip->n_no_draw = view->v.n_no_draw;
  for (int i = 0; i < CARDIAC_OVERLAY_SLICES; i++)
    if (view->v.slices[i].has_landmarks) {
      const AhaOrientation *heart = &view->orientation[i];
      double reach = 1.2 * heart->radius + 2.0 * strip->em;
      strip_avoid (
          strip, (Box){ heart->centre[0] - reach, heart->centre[1] - reach,
                     2.0 * reach, 2.0 * reach });
    }
}

static StripContent
content_of (const MmsaView *view, const Words *words)
{
  int w = view->v.picture_width, h = view->v.picture_height;
  StripContent strip = { .picture_width = w,
    .picture_height = h,
    .lit = view->has_finding,
    .chip = ITEM_CHIP,
    .draw = draw_square,
    .user = view };
  strip.em = fmin (fmax (0.022 * h, LEAST_FONT), fmin (w / 13.0, h / 14.0));
  strip.side = SIDE * strip.em;
  if (!view->has_finding || strip.side > MOST_OF_PICTURE * h
      || strip.side + 15.0 * strip.em > MOST_OF_PICTURE * w)
    strip.side = 0.0;
  strip.flow.padding = round (0.55 * strip.em);
  strip.flow.item_gap = round (0.8 * strip.em);
  strip.flow.line_gap = round (0.25 * strip.em);
  add_items (&strip, view, words);
  avoid (&strip, view);
  return strip;
}

void
mmsa_inside_draw (Strip *strip, TextKit *kit, const MmsaView *view,
    const Occupancy *occupancy, Key *key, PieceCounter *counter,
    Bullseye *bullseye)
{
  Words words = { mmsa_word_chip (view), mmsa_word_short_index (view),
    word_model (&view->common) };
  StripContent content = content_of (view, &words);
  key_begin (key, "mmsa-strip");
  mmsa_view_key (view, key);
  key_bytes (key, content.avoid, sizeof (Box) * (size_t) content.n_avoid);
  key_bytes (key, content.no_draw, sizeof (Box) * (size_t) content.n_no_draw);
  strip_draw (strip, kit, &content, occupancy, key, counter);
  *bullseye = (Bullseye){ 0 };
  if (content.side > 0.0 && strip->piece.surface) {
    double y = (content.height - content.side) / 2.0;
    *bullseye =
        place_in (&content, kit, (Box){ 0.0, y, content.side, content.side });
    bullseye->x += strip->piece.x;
    bullseye->y += strip->piece.y;
  }
  g_free (words.chip);
  g_free (words.index);
  g_free (words.model);
}
