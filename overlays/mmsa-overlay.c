/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The pieces of a frame with a result of wall motion. */
#include "mmsainside.h"
#include "overlay.h"

#include <math.h>

/* Digits on slices are as large as other text. */
static double
em_of (const MmsaView *view)
{
  if (view->v.layout == CARDIAC_OVERLAY_PANEL)
    return 11.0 * mmsa_panel_unit (view);
  return fmax (0.022 * view->v.picture_height, 10.0);
}

static void
draw_slices (CardiacOverlay *overlay, const MmsaView *view)
{
  double em = em_of (view);
  for (int i = 0; i < CARDIAC_OVERLAY_SLICES; i++) {
    SliceMarks *marks = &overlay->slices[i];
    slice_marks_draw (
        marks, overlay->text, view, i, em, overlay->scratch, &overlay->counter);
    overlay_show (overlay, CARDIAC_OVERLAY_PIECE_SEGMENTS, &marks->segments);
    overlay_show (overlay, CARDIAC_OVERLAY_PIECE_MOTION, &marks->motion);
  }
}

static void
draw_panel (CardiacOverlay *overlay, const MmsaView *view)
{
  MmsaPanel *panel = &overlay->mmsa_panel;
  mmsa_panel_draw (
      panel, overlay->text, view, overlay->scratch, &overlay->counter);
  overlay_show (overlay, CARDIAC_OVERLAY_PIECE_PANEL, &panel->ground);
  for (int i = 0; i < CARDIAC_OVERLAY_SLICES; i++)
    overlay_show (overlay, CARDIAC_OVERLAY_PIECE_CAPTION, &panel->captions[i]);
  overlay_show (overlay, CARDIAC_OVERLAY_PIECE_AGE, &panel->age);
  overlay->bullseye = panel->bullseye;
  overlay->bullseye.x += panel->ground.x;
  overlay->bullseye.y += panel->ground.y;
}

/* MR pictures are full of tissue: what counts is where the hearts are. */
static void
draw_strip (CardiacOverlay *overlay, const MmsaView *view)
{
  const Occupancy nothing = { 0 };
  mmsa_inside_draw (&overlay->strip, overlay->text, view, &nothing,
      overlay->scratch, &overlay->counter, &overlay->bullseye);
  overlay_show (overlay, CARDIAC_OVERLAY_PIECE_STRIP, &overlay->strip.piece);
}

int
cardiac_overlay_draw_mmsa (CardiacOverlay *overlay,
    const CardiacMmsaView *given, const CardiacOverlayRectangle **rectangles)
{
  MmsaView view;
  overlay_begin (overlay);
  if (mmsa_view_read (&view, given)) {
    draw_slices (overlay, &view);
    if (view.v.layout == CARDIAC_OVERLAY_PANEL)
      draw_panel (overlay, &view);
    else
      draw_strip (overlay, &view);
  }
  overlay->layout = view.v.layout;
  mmsa_view_clear (&view);
  *rectangles = overlay->rectangles;
  return overlay->n_rectangles;
}
