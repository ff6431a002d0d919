/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The words beside a bull's-eye. */
#include "mmsacolumn.h"
#include "mmsawording.h"
#include "scorelegend.h"
#include "slicemarks.h"
#include "wording.h"

#include <math.h>

typedef enum ColumnBlock {
  BLOCK_TITLE,
  BLOCK_SCOPE,
  BLOCK_WEIGHTS,
  BLOCK_CAPTION, /* and two more: one a slice */
  BLOCK_CAPTION_LAST = BLOCK_CAPTION + CARDIAC_OVERLAY_SLICES - 1,
  BLOCK_BULLSEYE,
  BLOCK_INDEX,
  BLOCK_LEGEND,
  BLOCK_REASON,
  BLOCK_PROGRESS,
  BLOCK_MOTION,
  BLOCK_NOTE,
  BLOCK_SPRING,
  BLOCK_RULE,
  BLOCK_AGE,
  BLOCK_LANDMARKS,
  BLOCK_MODEL,
  BLOCK_MARKING
} ColumnBlock;

enum { COLUMN_WORDS = 10 };

/* One drawing of the column. */
typedef struct Sketch {
  const MmsaView *view;
  const ColumnPen *pen;
  MmsaColumnPlaces *places;
  Column column;
  char *words[COLUMN_WORDS];
  int n_words;
} Sketch;

static const char *
keep (Sketch *s, char *word)
{
  if (word)
    s->words[s->n_words++] = word;
  return word;
}

static TextSpec
spec (const Sketch *s, CardiacOverlayRole role, const char *string, double size,
    int weight, Ink name)
{
  return (TextSpec){ .role = role,
    .string = string,
    .size = size * s->pen->unit,
    .weight = weight,
    .ink = name,
    .lines = 1 };
}

static TextSpec
quiet (const Sketch *s, CardiacOverlayRole role, const char *string)
{
  return spec (s, role, string, 11.0, PANGO_WEIGHT_NORMAL, INK_QUIET);
}

static void
add_head (Sketch *s)
{
  double u = s->pen->unit;
  Block *block = column_add (&s->column, BLOCK_TITLE, 0, 0.0);
  block->left = spec (s, CARDIAC_OVERLAY_ROLE_TITLE, WORD_MMSA_TITLE, 13.5,
      PANGO_WEIGHT_SEMIBOLD, INK_TEXT);
  block->left.least_size = 11.0 * u;
  block->right = spec (s, CARDIAC_OVERLAY_ROLE_STATE,
      keep (s, mmsa_word_chip (s->view)), 11.0, PANGO_WEIGHT_BOLD, INK_TEXT);
  block->least = 21.0 * u;

  block = column_add (&s->column, BLOCK_SCOPE, 6, 3.0 * u);
  block->left = quiet (
      s, CARDIAC_OVERLAY_ROLE_TITLE, keep (s, mmsa_word_scope (s->view)));
  const char *weights = word_weights (&s->view->common, s->view->has_finding);
  if (weights) {
    block = column_add (&s->column, BLOCK_WEIGHTS, 0, 6.0 * u);
    block->left = spec (s, CARDIAC_OVERLAY_ROLE_WEIGHTS, weights, 11.0,
        PANGO_WEIGHT_SEMIBOLD, INK_CAUTION);
    block->inset = 8.0 * u;
    block->least = 22.0 * u;
  }
}

static void
add_bullseye (Sketch *s)
{
  double u = s->pen->unit;
  for (int i = 0; i < CARDIAC_OVERLAY_SLICES; i++)
    if (s->view->v.slices[i].shown)
      column_add (&s->column, BLOCK_CAPTION + i, 5, 5.0 * u)->least = 16.0 * u;
  Block *block = column_add (&s->column, BLOCK_BULLSEYE, 0, 6.0 * u);
  block->least = 120.0 * u;
  block->stretch = 6.0;
  block->most = 290.0 * u;
}

static bool
has_unsure (const MmsaView *view)
{
  for (int k = 0; k < CARDIAC_OVERLAY_SEGMENTS; k++)
    if (view->v.unsure[k])
      return true;
  return false;
}

static void
add_finding (Sketch *s, double width)
{
  double u = s->pen->unit;
  Block *block = column_add (&s->column, BLOCK_INDEX, 1, 6.0 * u);
  block->least = 42.0 * u;
  block = column_add (&s->column, BLOCK_LEGEND, 3, 6.0 * u);
  block->least = score_legend_height (s->pen, has_unsure (s->view), width);
  if (mmsa_word_reason (s->view)) {
    block = column_add (&s->column, BLOCK_REASON, 2, 7.0 * u);
    block->left =
        quiet (s, CARDIAC_OVERLAY_ROLE_REASON, mmsa_word_reason (s->view));
    block->left.lines = 2;
  }
  if (s->view->v.motion && s->view->shown > 0) {
    block = column_add (&s->column, BLOCK_MOTION, 5, 5.0 * u);
    block->left = quiet (s, CARDIAC_OVERLAY_ROLE_LEGEND,
        keep (s, mmsa_word_motion (s->view, SLICE_MARKS_MAGNIFICATION)));
    block->inset = 24.0 * u;
  }
}

static void
add_no_finding (Sketch *s)
{
  double u = s->pen->unit;
  const CardiacMRegView *v = &s->view->common.v;
  Block *block = column_add (&s->column, BLOCK_REASON, 1, 9.0 * u);
  block->left = spec (s, CARDIAC_OVERLAY_ROLE_REASON, WORD_MMSA_NO_SCORES, 22.0,
      PANGO_WEIGHT_SEMIBOLD, INK_QUIET);
  block = column_add (&s->column, BLOCK_REASON, 0, 4.0 * u);
  block->left = spec (s, CARDIAC_OVERLAY_ROLE_REASON,
      mmsa_word_reason (s->view), 13.0, PANGO_WEIGHT_NORMAL, INK_TEXT);
  block->left.lines = 5;
  if (v->enabled && v->state == CARDIAC_OVERLAY_WAIT && v->wait_total > 0) {
    block = column_add (&s->column, BLOCK_PROGRESS, 3, 12.0 * u);
    block->least = 5.0 * u;
  }
}

/* Model and landmarks share a line where it is long enough. */
static void
add_model (Sketch *s, double width)
{
  double u = s->pen->unit;
  TextKit *kit = s->pen->kit;
  TextSpec model = quiet (
      s, CARDIAC_OVERLAY_ROLE_MODEL, keep (s, word_model (&s->view->common)));
  TextSpec marks = quiet (s, CARDIAC_OVERLAY_ROLE_NOTE, s->view->landmarks);
  bool fits = text_measure (kit, &model, 0.0).width
                  + text_measure (kit, &marks, 0.0).width + 12.0 * u
              <= width;
  Block *block;
  if (!fits) {
    block = column_add (&s->column, BLOCK_LANDMARKS, 4, 5.0 * u);
    block->left = marks;
  }
  block = column_add (&s->column, BLOCK_MODEL, 0, fits ? 4.0 * u : 1.0 * u);
  block->left = model;
  block->left.least_size = 10.0 * u;
  if (fits)
    block->right = marks;
}

static void
add_foot (Sketch *s, double width)
{
  double u = s->pen->unit;
  const CardiacMRegView *v = &s->view->common.v;
  Block *block;
  if (v->enabled && v->note) {
    block = column_add (&s->column, BLOCK_NOTE, 8, 5.0 * u);
    block->left = quiet (s, CARDIAC_OVERLAY_ROLE_NOTE, v->note);
  }
  block = column_add (&s->column, BLOCK_SPRING, 0, 0.0);
  block->stretch = 1.0;
  block = column_add (&s->column, BLOCK_RULE, 0, 4.0 * u);
  block->least = fmax (round (0.7 * u), 1.0);
  if (s->view->has_finding && v->age_s >= 0.0) {
    block = column_add (&s->column, BLOCK_AGE, 4, 5.0 * u);
    block->least = 15.0 * u;
  }
  add_model (s, width);
  block = column_add (&s->column, BLOCK_MARKING, 0, 2.0 * u);
  block->left = spec (s, CARDIAC_OVERLAY_ROLE_MARKING, CARDIAC_OVERLAY_MARKING,
      12.0, PANGO_WEIGHT_BOLD, INK_TEXT);
  block->left.least_size = 10.0 * u;
  block->left.lines = 2;
}

/* The index, and beside it what it is made of. */
static void
draw_index (Sketch *s, Box box)
{
  const ColumnPen *pen = s->pen;
  bool known = isfinite (s->view->index);
  TextSpec index =
      spec (s, CARDIAC_OVERLAY_ROLE_INDEX, keep (s, mmsa_word_index (s->view)),
          34.0, PANGO_WEIGHT_BOLD, known ? INK_TEXT : INK_QUIET);
  TextSpec scored = quiet (
      s, CARDIAC_OVERLAY_ROLE_INDEX, keep (s, mmsa_word_scored (s->view)));
  TextSpec name = spec (s, CARDIAC_OVERLAY_ROLE_INDEX, WORD_MMSA_INDEX, 11.0,
      PANGO_WEIGHT_NORMAL, INK_TEXT);
  double width =
      fmin (text_measure (pen->kit, &index, 0.0).width + 2.0, 0.5 * box.width);
  double x = box.x + width + 14.0 * pen->unit, half = box.height / 2.0;
  double rest = box.x + box.width - x;
  text_draw (pen->kit, pen->cr, pen->log, &index,
      (Box){ box.x, box.y, width, box.height }, TEXT_LEFT);
  double line = text_measure (pen->kit, &name, 0.0).height;
  text_draw (pen->kit, pen->cr, pen->log, &scored,
      (Box){ x, box.y + half - line, rest, line }, TEXT_LEFT);
  text_draw (pen->kit, pen->cr, pen->log, &name,
      (Box){ x, box.y + half, rest, line }, TEXT_LEFT);
}

static void
draw_sample_arrow (const ColumnPen *pen, Box box)
{
  double u = pen->unit, y = round (box.y + box.height / 2.0);
  double x = box.x + 16.0 * u;
  cairo_new_path (pen->cr);
  cairo_move_to (pen->cr, box.x + u, y);
  cairo_line_to (pen->cr, x, y);
  cairo_move_to (pen->cr, x - 4.0 * u, y - 2.5 * u);
  cairo_line_to (pen->cr, x, y);
  cairo_line_to (pen->cr, x - 4.0 * u, y + 2.5 * u);
  set_ink (pen->cr, INK_MOTION, 1.0);
  cairo_set_line_width (pen->cr, fmax (1.3 * u, 1.2));
  cairo_stroke (pen->cr);
}

static void
draw_block (Sketch *s, const Block *block)
{
  const CardiacMRegView *v = &s->view->common.v;
  switch ((ColumnBlock) block->id) {
    case BLOCK_TITLE:
      column_draw_chip (s->pen, block, s->view->has_finding);
      break;
    case BLOCK_WEIGHTS:
      column_draw_frame (s->pen, block->box);
      column_draw_texts (s->pen, block);
      break;
    case BLOCK_BULLSEYE:
      s->places->bullseye = block->box;
      break;
    case BLOCK_INDEX:
      draw_index (s, block->box);
      break;
    case BLOCK_LEGEND:
      score_legend_draw (
          s->pen, has_unsure (s->view), &s->view->palette, block->box);
      break;
    case BLOCK_PROGRESS:
      column_draw_progress (s->pen, block->box,
          (double) CLAMP (v->wait_done, 0, v->wait_total) / v->wait_total);
      break;
    case BLOCK_MOTION:
      draw_sample_arrow (s->pen, block->box);
      column_draw_texts (s->pen, block);
      break;
    case BLOCK_RULE:
      column_draw_rule (s->pen, block->box);
      break;
    case BLOCK_AGE:
      s->places->age = block->box;
      break;
    default:
      if (block->id >= BLOCK_CAPTION && block->id <= BLOCK_CAPTION_LAST)
        s->places->captions[block->id - BLOCK_CAPTION] = block->box;
      else
        column_draw_texts (s->pen, block);
      break;
  }
}

void
mmsa_column_draw (const ColumnPen *pen, const MmsaView *view, Box box,
    bool with_bullseye, MmsaColumnPlaces *places)
{
  Sketch s = { .view = view, .pen = pen, .places = places };
  *places = (MmsaColumnPlaces){ 0 };
  add_head (&s);
  if (with_bullseye)
    add_bullseye (&s);
  if (view->has_finding)
    add_finding (&s, box.width);
  else
    add_no_finding (&s);
  add_foot (&s, box.width);
  column_place (&s.column, pen->kit, box, 8.0 * pen->unit);
  for (int i = 0; i < s.column.count; i++)
    if (!s.column.blocks[i].dropped)
      draw_block (&s, &s.column.blocks[i]);
  for (int i = 0; i < s.n_words; i++)
    g_free (s.words[i]);
}
