/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The side panel: an opaque column that covers nothing of the picture. */
#include "panel.h"
#include "age.h"
#include "columnparts.h"
#include "curve.h"
#include "scale.h"
#include "wording.h"

#include <math.h>

enum { LEAST_ROWS = 480, LEAST_WIDTH = 300 };

static int
even (double pixels)
{
  return 2 * (int) ceil (pixels / 2.0);
}

bool
cardiac_overlay_panel_size (int picture_width, int picture_height,
    int *canvas_width, int *canvas_height)
{
  *canvas_width = *canvas_height = 0;
  if (!picture_size_is_valid (picture_width, picture_height))
    return false;
  int height = MAX (even (picture_height), LEAST_ROWS);
  /* 0.6 of the height holds every line in text of 2.2 % of the height; in
   * portrait the panel is not wider than the picture. */
  int width =
      MAX (MIN (even (0.6 * height), even (picture_width)), LEAST_WIDTH);
  *canvas_height = height;
  *canvas_width = even (picture_width + width);
  return true;
}

int
cardiac_overlay_panel_width (int picture_width, int picture_height)
{
  int width, height;
  return cardiac_overlay_panel_size (
             picture_width, picture_height, &width, &height)
             ? width - picture_width
             : 0;
}

typedef enum PanelBlock {
  BLOCK_TITLE,
  BLOCK_SCOPE,
  BLOCK_VIEW,
  BLOCK_WEIGHTS,
  BLOCK_GRADE,
  BLOCK_CONFIDENCE,
  BLOCK_SCALE,
  BLOCK_SCALE_LABELS,
  BLOCK_REASON,
  BLOCK_PROGRESS,
  BLOCK_CURVE_TITLE,
  BLOCK_PLOT,
  BLOCK_CURVE_ENDS,
  BLOCK_LEGEND,
  BLOCK_NYQUIST,
  BLOCK_NOTE,
  BLOCK_SPRING,
  BLOCK_RULE,
  BLOCK_MODEL,
  BLOCK_MARKING
} PanelBlock;

enum { PANEL_WORDS = 12 };

/* One drawing of the panel. */
typedef struct Sketch {
  const View *view;
  TextKit *kit;
  cairo_t *cr;
  TextLog *log;
  Column column;
  double unit;
  char *words[PANEL_WORDS];
  int n_words;
} Sketch;

static const char *
keep (Sketch *sketch, char *word)
{
  if (word)
    sketch->words[sketch->n_words++] = word;
  return word;
}

static TextSpec
spec (const Sketch *sketch, CardiacOverlayRole role, const char *string,
    double size, int weight, Ink name)
{
  return (TextSpec){ .role = role,
    .string = string,
    .size = size * sketch->unit,
    .weight = weight,
    .ink = name,
    .lines = 1 };
}

static TextSpec
quiet (const Sketch *sketch, CardiacOverlayRole role, const char *string)
{
  return spec (sketch, role, string, 11.0, PANGO_WEIGHT_NORMAL, INK_QUIET);
}

static void
add_head (Sketch *s)
{
  double u = s->unit;
  const View *view = s->view;
  Block *block = column_add (&s->column, BLOCK_TITLE, 0, 0.0);
  block->left = spec (s, CARDIAC_OVERLAY_ROLE_TITLE, WORD_TITLE, 13.5,
      PANGO_WEIGHT_SEMIBOLD, INK_TEXT);
  block->left.least_size = 11.0 * u;
  block->right = spec (s, CARDIAC_OVERLAY_ROLE_STATE,
      keep (s, word_chip (view)), 11.0, PANGO_WEIGHT_BOLD, INK_TEXT);
  block->least = 21.0 * u;

  block = column_add (&s->column, BLOCK_SCOPE, 6, 3.0 * u);
  block->left = quiet (s, CARDIAC_OVERLAY_ROLE_TITLE, WORD_SCOPE);
  if (view->has_finding && !view->v.view_checked) {
    block = column_add (&s->column, BLOCK_VIEW, 1, 1.0 * u);
    block->left = quiet (s, CARDIAC_OVERLAY_ROLE_NOTE, WORD_VIEW);
    block->left.ink = INK_CAUTION;
  }
  const char *weights = word_weights (view, view->has_finding);
  if (weights) {
    block = column_add (&s->column, BLOCK_WEIGHTS, 0, 9.0 * u);
    block->left = spec (s, CARDIAC_OVERLAY_ROLE_WEIGHTS, weights, 11.0,
        PANGO_WEIGHT_SEMIBOLD, INK_CAUTION);
    block->inset = 8.0 * u;
    block->least = 22.0 * u;
  }
}

static void
add_finding (Sketch *s)
{
  double u = s->unit;
  const View *view = s->view;
  Block *block = column_add (&s->column, BLOCK_GRADE, 0, 9.0 * u);
  block->left = spec (s, CARDIAC_OVERLAY_ROLE_GRADE,
      keep (s, word_grade (view)), 34.0, PANGO_WEIGHT_BOLD, INK_TEXT);
  block->left.least_size = 17.0 * u;
  block->left.lines = 2;
  const char *value = keep (s, word_value (view));
  const char *confidence = word_confidence (view);
  if (value || confidence) {
    block = column_add (&s->column, BLOCK_CONFIDENCE, 4, 2.0 * u);
    block->left = spec (s, CARDIAC_OVERLAY_ROLE_CONFIDENCE, confidence, 12.5,
        PANGO_WEIGHT_NORMAL, INK_TEXT);
    block->right = spec (s, CARDIAC_OVERLAY_ROLE_VALUE, value, 12.5,
        PANGO_WEIGHT_NORMAL, INK_TEXT);
  }
  if (view->has_scale) {
    block = column_add (&s->column, BLOCK_SCALE, 3, 4.0 * u);
    block->least = 16.0 * u;
    block = column_add (&s->column, BLOCK_SCALE_LABELS, 3, 4.0 * u);
    block->least = 15.0 * u;
  }
  if (word_reason (view)) {
    block = column_add (&s->column, BLOCK_REASON, 2, 7.0 * u);
    block->left = quiet (s, CARDIAC_OVERLAY_ROLE_REASON, word_reason (view));
    block->left.lines = 2;
  }
}

static void
add_no_finding (Sketch *s)
{
  double u = s->unit;
  const View *view = s->view;
  /* The place of a grade, visibly empty. */
  Block *block = column_add (&s->column, BLOCK_GRADE, 1, 9.0 * u);
  block->left = spec (s, CARDIAC_OVERLAY_ROLE_REASON, WORD_NO_GRADE, 22.0,
      PANGO_WEIGHT_SEMIBOLD, INK_QUIET);
  block = column_add (&s->column, BLOCK_REASON, 0, 4.0 * u);
  block->left = spec (s, CARDIAC_OVERLAY_ROLE_REASON, word_reason (view), 13.0,
      PANGO_WEIGHT_NORMAL, INK_TEXT);
  block->left.lines = 5;
  if (view->v.enabled && view->v.state == CARDIAC_OVERLAY_WAIT
      && view->v.wait_total > 0) {
    block = column_add (&s->column, BLOCK_PROGRESS, 3, 12.0 * u);
    block->least = 5.0 * u;
  }
  if (view->v.enabled && view->v.note) {
    block = column_add (&s->column, BLOCK_NOTE, 5, 10.0 * u);
    block->left = quiet (s, CARDIAC_OVERLAY_ROLE_NOTE, view->v.note);
    block->left.lines = 2;
  }
}

static void
add_curve (Sketch *s)
{
  double u = s->unit;
  const View *view = s->view;
  char *from, *to;
  if (view->v.n_instances == 0)
    return;
  Block *block = column_add (&s->column, BLOCK_CURVE_TITLE, 7, 13.0 * u);
  block->left = spec (s, CARDIAC_OVERLAY_ROLE_CURVE, "Value per frame", 11.5,
      PANGO_WEIGHT_SEMIBOLD, INK_TEXT);
  block->right =
      quiet (s, CARDIAC_OVERLAY_ROLE_CURVE, keep (s, word_instance (view)));
  block = column_add (&s->column, BLOCK_PLOT, 7, 5.0 * u);
  block->least = 62.0 * u;
  block->stretch = 3.0;
  block->most = 110.0 * u;
  curve_ends (view, &from, &to);
  block = column_add (&s->column, BLOCK_CURVE_ENDS, 7, 3.0 * u);
  block->left = quiet (s, CARDIAC_OVERLAY_ROLE_CURVE, keep (s, from));
  block->right = quiet (s, CARDIAC_OVERLAY_ROLE_CURVE, keep (s, to));
}

static void
add_remarks (Sketch *s)
{
  double u = s->unit;
  const View *view = s->view;
  Block *block;
  if (view->v.map_mode != CARDIAC_OVERLAY_MAP_OFF) {
    block = column_add (&s->column, BLOCK_LEGEND, 5, 9.0 * u);
    block->left = quiet (s, CARDIAC_OVERLAY_ROLE_LEGEND, WORD_LEGEND);
    block->inset = 24.0 * u;
  }
  /* The age is a piece of its own: its place is kept free at the right. */
  block = column_add (&s->column, BLOCK_NYQUIST, 4, 4.0 * u);
  block->left =
      quiet (s, CARDIAC_OVERLAY_ROLE_NOTE, keep (s, word_nyquist (view)));
  block->least = 15.0 * u;
  if (view->v.note) {
    block = column_add (&s->column, BLOCK_NOTE, 8, 2.0 * u);
    block->left = quiet (s, CARDIAC_OVERLAY_ROLE_NOTE, view->v.note);
  }
}

static void
add_foot (Sketch *s)
{
  double u = s->unit;
  Block *block = column_add (&s->column, BLOCK_SPRING, 0, 0.0);
  block->stretch = 1.0;
  block = column_add (&s->column, BLOCK_RULE, 0, 6.0 * u);
  block->least = fmax (round (0.7 * u), 1.0);
  block = column_add (&s->column, BLOCK_MODEL, 0, 6.0 * u);
  block->left =
      quiet (s, CARDIAC_OVERLAY_ROLE_MODEL, keep (s, word_model (s->view)));
  block->left.least_size = 10.0 * u;
  block = column_add (&s->column, BLOCK_MARKING, 0, 2.0 * u);
  block->left = spec (s, CARDIAC_OVERLAY_ROLE_MARKING, CARDIAC_OVERLAY_MARKING,
      12.0, PANGO_WEIGHT_BOLD, INK_TEXT);
  block->left.least_size = 10.0 * u;
  block->left.lines = 2;
}

static void
draw_swatch (Sketch *s, Box box)
{
  set_ink (s->cr, INK_ACCENT, 1.0);
  cairo_rectangle (s->cr, box.x, round (box.y + box.height / 2.0 - s->unit),
      17.0 * s->unit, round (2.0 * s->unit));
  cairo_fill (s->cr);
}

/* The age shares its line with Nyquist: whatever that leaves. */
static Box
age_place (Sketch *s, const Block *block)
{
  double used = text_measure (s->kit, &block->left, 0.0).width + 10.0 * s->unit;
  used = fmin (used, 0.58 * block->box.width);
  Box box = { ceil (block->box.x + used), block->box.y, 0.0,
    block->box.height };
  box.width = fmax (floor (block->box.x + block->box.width - box.x), 0.0);
  return box;
}

static void
draw_block (Panel *panel, Sketch *s, const Block *block)
{
  const ColumnPen pen = { s->cr, s->kit, s->log, s->unit };
  const CardiacMRegView *v = &s->view->v;
  switch ((PanelBlock) block->id) {
    case BLOCK_TITLE:
      column_draw_chip (&pen, block, s->view->has_finding);
      break;
    case BLOCK_WEIGHTS:
      column_draw_frame (&pen, block->box);
      column_draw_texts (&pen, block);
      break;
    case BLOCK_SCALE:
      scale_draw (s->cr, s->view, block->box);
      break;
    case BLOCK_SCALE_LABELS:
      scale_labels (s->kit, s->cr, s->log, s->view, block->box, 11.0 * s->unit);
      break;
    case BLOCK_PROGRESS:
      column_draw_progress (&pen, block->box,
          (double) CLAMP (v->wait_done, 0, v->wait_total) / v->wait_total);
      break;
    case BLOCK_PLOT:
      curve_draw (s->cr, s->view, block->box, s->unit);
      panel->plot_box = block->box;
      break;
    case BLOCK_LEGEND:
      draw_swatch (s, block->box);
      column_draw_texts (&pen, block);
      break;
    case BLOCK_NYQUIST: {
      Block narrow = *block;
      panel->age_box = age_place (s, block);
      narrow.box.width = panel->age_box.x - block->box.x - 4.0 * s->unit;
      column_draw_texts (&pen, &narrow);
      break;
    }
    case BLOCK_RULE:
      column_draw_rule (&pen, block->box);
      break;
    default:
      column_draw_texts (&pen, block);
      break;
  }
}

static void
draw_ground (Panel *panel, TextKit *kit, const View *view, cairo_t *cr,
    int width, int height)
{
  Sketch s = { .view = view, .kit = kit, .cr = cr, .log = &panel->ground.log };
  s.unit = panel->unit = fmin (height / 500.0, width / 280.0);
  set_ink (cr, INK_GROUND, 1.0);
  cairo_paint (cr);

  add_head (&s);
  if (view->has_finding) {
    add_finding (&s);
    add_curve (&s);
    add_remarks (&s);
  } else {
    add_no_finding (&s);
  }
  add_foot (&s);

  double margin = round (15.0 * s.unit);
  column_place (&s.column, kit,
      (Box){ margin, round (13.0 * s.unit), width - 2.0 * margin,
          height - round (26.0 * s.unit) },
      8.0 * s.unit);
  for (int i = 0; i < s.column.count; i++)
    if (!s.column.blocks[i].dropped)
      draw_block (panel, &s, &s.column.blocks[i]);
  for (int i = 0; i < s.n_words; i++)
    g_free (s.words[i]);
}

static void
draw_playhead (Panel *panel, const View *view, Key *key, PieceCounter *counter)
{
  TimeAxis axis;
  double share;
  Piece *piece = &panel->playhead;
  if (panel->plot_box.width <= 0.0 || !curve_axis (view, &axis)
      || !curve_playhead (view, &axis, &share)) {
    piece_clear (piece);
    return;
  }
  int line = MAX ((int) round (panel->unit * 1.3), 1), width = line + 2;
  int height = (int) panel->plot_box.height;
  key_begin (key, "playhead");
  key_int (key, width);
  key_int (key, height);
  cairo_t *cr = piece_begin (piece, key, width, height, counter);
  if (cr) {
    set_ink (cr, INK_CASING, 0.5);
    cairo_paint (cr);
    set_ink (cr, INK_TEXT, 1.0);
    cairo_rectangle (cr, 1, 0, line, height);
    cairo_fill (cr);
    piece_end (piece, cr);
  }
  piece->x = view->v.picture_width
             + (int) round (panel->plot_box.x + share * panel->plot_box.width
                            - width / 2.0);
  piece->y = (int) panel->plot_box.y;
}

static void
draw_age (Panel *panel, TextKit *kit, const View *view, Key *key,
    PieceCounter *counter)
{
  const AgePlace place = { panel->age_box, view->v.picture_width, 0,
    panel->unit, TEXT_RIGHT };
  char *word = view->has_finding ? word_age (view) : NULL;
  age_draw (&panel->age, kit, word, &place, key, counter);
  g_free (word);
}

void
panel_draw (Panel *panel, TextKit *kit, const View *view, Key *key,
    PieceCounter *counter)
{
  int width, height;
  cardiac_overlay_panel_size (
      view->v.picture_width, view->v.picture_height, &width, &height);
  width -= view->v.picture_width;
  key_begin (key, "panel");
  view_key (view, key);
  cairo_t *cr = piece_begin (&panel->ground, key, width, height, counter);
  if (cr) {
    panel->plot_box = panel->age_box = (Box){ 0 };
    draw_ground (panel, kit, view, cr, width, height);
    piece_end (&panel->ground, cr);
  }
  panel->ground.x = view->v.picture_width;
  panel->ground.y = 0;
  draw_playhead (panel, view, key, counter);
  draw_age (panel, kit, view, key, counter);
}

void
panel_clear (Panel *panel)
{
  piece_clear (&panel->ground);
  piece_clear (&panel->playhead);
  piece_clear (&panel->age);
  *panel = (Panel){ 0 };
}
