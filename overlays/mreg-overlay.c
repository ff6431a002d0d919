/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The pieces of a frame with a result of mitral regurgitation. */
#include "contour.h"
#include "overlay.h"
#include "roi.h"

#include <string.h>

static void
draw (CardiacOverlay *overlay, const View *view)
{
  Key *key = overlay->scratch;
  PieceCounter *counter = &overlay->counter;
  contour_draw (&overlay->fill, &overlay->contour, view, key, counter);
  roi_draw (overlay->corners, view, key, counter);
  overlay_show (overlay, CARDIAC_OVERLAY_PIECE_FILL, &overlay->fill);
  overlay_show (overlay, CARDIAC_OVERLAY_PIECE_CONTOUR, &overlay->contour);
  for (int i = 0; i < 4; i++)
    overlay_show (overlay, CARDIAC_OVERLAY_PIECE_ROI, &overlay->corners[i]);
  if (view->v.layout == CARDIAC_OVERLAY_PANEL) {
    Panel *panel = &overlay->panel;
    panel_draw (panel, overlay->text, view, key, counter);
    overlay_show (overlay, CARDIAC_OVERLAY_PIECE_PANEL, &panel->ground);
    overlay_show (overlay, CARDIAC_OVERLAY_PIECE_PLAYHEAD, &panel->playhead);
    overlay_show (overlay, CARDIAC_OVERLAY_PIECE_AGE, &panel->age);
  } else {
    inside_draw (&overlay->strip, overlay->text, view, &overlay->occupancy, key,
        counter);
    overlay_show (overlay, CARDIAC_OVERLAY_PIECE_STRIP, &overlay->strip.piece);
  }
}

int
cardiac_overlay_draw_mreg (CardiacOverlay *overlay,
    const CardiacMRegView *given, const CardiacOverlayRectangle **rectangles)
{
  View view;
  overlay_begin (overlay);
  if (view_read (&view, given))
    draw (overlay, &view);
  overlay->layout = view.v.layout;
  view_clear (&view);
  *rectangles = overlay->rectangles;
  return overlay->n_rectangles;
}

/* What a view says in every state. */
static void
room_key (const CardiacMRegView *v, Key *key)
{
  key_begin (key, "room");
  key_int (key, v->picture_width);
  key_int (key, v->picture_height);
  key_bytes (key, v->no_draw, sizeof (Box) * (size_t) v->n_no_draw);
  key_int (key, v->enabled);
  key_int (key, v->withhold_grade);
  key_int (key, v->n_classes);
  for (int k = 0; k < v->n_classes; k++)
    key_string (key, v->labels[k]);
  view_key_model (v, key);
}

/* The longest words of a state; @grade: 0 .. n_classes-1 */
static bool
state_has_room (TextKit *kit, const CardiacMRegView *given,
    CardiacOverlayState state, int grade)
{
  CardiacMRegView longest = *given;
  longest.state = state;
  longest.state_time = "00:00:00";
  longest.wait_done = longest.wait_total = 999;
  longest.age_s = 9999.0;
  longest.grade = longest.unsure_low = grade;
  longest.unsure_alone = false;
  View view;
  bool room = view_read (&view, &longest) && inside_has_room (kit, &view);
  view_clear (&view);
  return room;
}

bool
cardiac_overlay_strip_has_room (
    CardiacOverlay *overlay, const CardiacMRegView *given)
{
  static const char *const usual[] = { "none/trace", "mild",
    "\xe2\x89\xa5 moderate" };
  CardiacMRegView v = *given;
  v.n_no_draw = CLAMP (v.n_no_draw, 0, CARDIAC_OVERLAY_MAX_NO_DRAW);
  if (v.no_draw == NULL || v.n_no_draw == 0)
    return true;
  v.n_classes = CLAMP (v.n_classes, 0, CARDIAC_OVERLAY_MAX_CLASSES);
  if (v.n_classes < 2) {
    v.n_classes = G_N_ELEMENTS (usual);
    memcpy (v.labels, usual, sizeof usual);
  }
  Key *key = overlay->scratch;
  room_key (&v, key);
  if (key->len == overlay->asked->len
      && memcmp (key->data, overlay->asked->data, key->len) == 0)
    return overlay->has_room;
  g_byte_array_set_size (overlay->asked, 0);
  g_byte_array_append (overlay->asked, key->data, key->len);
  overlay->has_room = true;
  for (int s = 0; s < CARDIAC_OVERLAY_N_STATES && overlay->has_room; s++) {
    bool graded = s == CARDIAC_OVERLAY_RESULT || s == CARDIAC_OVERLAY_UNSURE;
    for (int k = 0; k < (graded ? v.n_classes : 1) && overlay->has_room; k++)
      overlay->has_room =
          state_has_room (overlay->text, &v, (CardiacOverlayState) s, k);
  }
  return overlay->has_room;
}
