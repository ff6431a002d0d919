/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The panel of wall motion: it covers nothing of the slices. */
#include "mmsapanel.h"
#include "age.h"
#include "mmsawording.h"
#include "wording.h"

#include <math.h>

enum { LEAST_WIDTH = 720, LEAST_ROWS = 360 };
/* Text of 11 units is never smaller than 10 pixels. */
#define LEAST_UNIT (10.0 / 11.0)
/* Rows of captions, units. */
#define CAPTION 24.0

static int
even (double pixels)
{
  return 2 * (int) ceil (pixels / 2.0);
}

bool
cardiac_mmsa_panel_is_below (int picture_width, int picture_height)
{
  return 5 * (int64_t) picture_width >= 12 * (int64_t) picture_height;
}

bool
cardiac_mmsa_panel_size (int picture_width, int picture_height,
    int *canvas_width, int *canvas_height)
{
  if (!cardiac_mmsa_panel_is_below (picture_width, picture_height))
    return cardiac_overlay_panel_size (
        picture_width, picture_height, canvas_width, canvas_height);
  *canvas_width = *canvas_height = 0;
  if (!picture_size_is_valid (picture_width, picture_height))
    return false;
  *canvas_width = MAX (even (picture_width), LEAST_WIDTH);
  /* High enough for every line in text of 2.2 % of the canvas' height. */
  double rows = fmax (1.25 * picture_height, 0.3 * *canvas_width);
  *canvas_height = even (picture_height) + even (fmax (rows, LEAST_ROWS));
  return true;
}

/* Place and size of the panel on the canvas. */
typedef struct Frame {
  int x, y, width, height;
  bool below;
} Frame;

static Frame
frame_of (const MmsaView *view)
{
  int w = view->v.picture_width, h = view->v.picture_height, width, height;
  bool below = cardiac_mmsa_panel_is_below (w, h);
  cardiac_mmsa_panel_size (w, h, &width, &height);
  return below ? (Frame){ 0, even (h), width, height - even (h), true }
               : (Frame){ w, 0, width - w, height, false };
}

double
mmsa_panel_unit (const MmsaView *view)
{
  Frame frame = frame_of (view);
  if (!frame.below)
    return fmax (fmin (frame.height / 500.0, frame.width / 280.0), LEAST_UNIT);
  return fmax (
      fmin ((frame.y + frame.height) / 500.0, frame.width / 560.0), LEAST_UNIT);
}

void
mmsa_panel_side_by_side (const ColumnPen *pen, const MmsaView *view, int width,
    int height, double head, Bullseye *bullseye, MmsaColumnPlaces *places)
{
  double u = pen->unit, margin = round (14.0 * u), em = 11.0 * u;
  Box box = { margin, head + 0.4 * margin, 0.0, 0.0 };
  box.height = height - box.y - 0.6 * margin;
  box.width = floor (fmin (box.height * 1.1, 0.45 * width));
  *bullseye = bullseye_fit (pen->kit, box, em);
  bullseye_draw (pen->cr, pen->kit, pen->log, view, bullseye, em);
  double x = box.x + box.width + 1.2 * margin;
  mmsa_column_draw (pen, view,
      (Box){ x, round (head + 0.5 * margin), width - x - margin,
          height - round (head + 1.2 * margin) },
      false, places);
}

static void
draw_beside (MmsaPanel *panel, const ColumnPen *pen, const MmsaView *view,
    const Frame *frame)
{
  double margin = round (15.0 * pen->unit);
  mmsa_column_draw (pen, view,
      (Box){ margin, round (13.0 * pen->unit), frame->width - 2.0 * margin,
          frame->height - round (26.0 * pen->unit) },
      true, &panel->places);
  panel->bullseye =
      bullseye_fit (pen->kit, panel->places.bullseye, 11.0 * pen->unit);
  bullseye_draw (
      pen->cr, pen->kit, pen->log, view, &panel->bullseye, 11.0 * pen->unit);
}

static void
place_captions_below (MmsaPanel *panel, const MmsaView *view)
{
  double u = panel->unit;
  for (int i = 0; i < CARDIAC_OVERLAY_SLICES; i++) {
    const CardiacMmsaSlice *slice = &view->v.slices[i];
    if (slice->shown)
      panel->places.captions[i] =
          (Box){ ceil (slice->rectangle.x + 4.0 * u), round (5.0 * u),
            floor (slice->rectangle.width - 8.0 * u), round (18.0 * u) };
  }
}

static void
draw_ground (MmsaPanel *panel, TextKit *kit, const MmsaView *view, cairo_t *cr,
    const Frame *frame)
{
  ColumnPen pen = { cr, kit, &panel->ground.log, panel->unit };
  set_ink (cr, INK_GROUND, 1.0);
  cairo_paint (cr);
  panel->bullseye = (Bullseye){ 0 };
  if (!frame->below) {
    draw_beside (panel, &pen, view, frame);
    return;
  }
  mmsa_panel_side_by_side (&pen, view, frame->width, frame->height,
      view->shown ? round (CAPTION * panel->unit) : 0.0, &panel->bullseye,
      &panel->places);
  place_captions_below (panel, view);
}

static void
draw_caption (MmsaPanel *panel, TextKit *kit, const MmsaView *view, int i,
    const Frame *frame, Key *key, PieceCounter *counter)
{
  Piece *piece = &panel->captions[i];
  Box box = panel->places.captions[i];
  if (box.width < 24.0 || box.height < 8.0 || !view->v.enabled) {
    piece_clear (piece);
    return;
  }
  char *words = mmsa_word_slice (&view->v.slices[i]);
  key_begin (key, "caption");
  key_string (key, words);
  key_double (key, panel->unit);
  key_bytes (key, &box, sizeof box);
  cairo_t *cr =
      piece_begin (piece, key, (int) box.width, (int) box.height, counter);
  if (cr) {
    set_ink (cr, INK_GROUND, 1.0);
    cairo_paint (cr);
    TextSpec level = { CARDIAC_OVERLAY_ROLE_CAPTION,
      aha_level_name ((AhaLevel) i), 11.5 * panel->unit, 0.0,
      PANGO_WEIGHT_SEMIBOLD, INK_TEXT, 1 };
    TextSpec place = { CARDIAC_OVERLAY_ROLE_CAPTION, words, 11.0 * panel->unit,
      0.0, PANGO_WEIGHT_NORMAL, INK_QUIET, 1 };
    double left = fmin (text_measure (kit, &level, 0.0).width + 1.0, box.width);
    double rest = box.width - left - 8.0 * panel->unit;
    text_draw (kit, cr, &piece->log, &level,
        (Box){ 0.0, 0.0, left, box.height }, TEXT_LEFT);
    if (text_measure (kit, &place, 0.0).width + 1.0 <= rest)
      text_draw (kit, cr, &piece->log, &place,
          (Box){ box.width - rest, 0.0, rest, box.height }, TEXT_RIGHT);
    piece_end (piece, cr);
  }
  g_free (words);
  piece->x = frame->x + (int) box.x;
  piece->y = frame->y + (int) box.y;
}

static void
draw_age (MmsaPanel *panel, TextKit *kit, const MmsaView *view,
    const Frame *frame, Key *key, PieceCounter *counter)
{
  const AgePlace place = { panel->places.age, frame->x, frame->y, panel->unit,
    TEXT_LEFT };
  char *word = view->has_finding && view->common.v.age_s >= 0.0
                   ? word_age (&view->common)
                   : NULL;
  age_draw (&panel->age, kit, word, &place, key, counter);
  g_free (word);
}

void
mmsa_panel_draw (MmsaPanel *panel, TextKit *kit, const MmsaView *view, Key *key,
    PieceCounter *counter)
{
  Frame frame = frame_of (view);
  key_begin (key, "mmsa-panel");
  mmsa_view_key (view, key);
  /* Captions stand below their slices. */
  for (int i = 0; i < CARDIAC_OVERLAY_SLICES; i++)
    key_bytes (key, &view->v.slices[i].rectangle, sizeof (Box));
  cairo_t *cr =
      piece_begin (&panel->ground, key, frame.width, frame.height, counter);
  if (cr) {
    panel->unit = mmsa_panel_unit (view);
    draw_ground (panel, kit, view, cr, &frame);
    piece_end (&panel->ground, cr);
  }
  panel->ground.x = frame.x;
  panel->ground.y = frame.y;
  for (int i = 0; i < CARDIAC_OVERLAY_SLICES; i++)
    draw_caption (panel, kit, view, i, &frame, key, counter);
  draw_age (panel, kit, view, &frame, key, counter);
}

void
mmsa_panel_clear (MmsaPanel *panel)
{
  piece_clear (&panel->ground);
  piece_clear (&panel->age);
  for (int i = 0; i < CARDIAC_OVERLAY_SLICES; i++)
    piece_clear (&panel->captions[i]);
  *panel = (MmsaPanel){ 0 };
}
