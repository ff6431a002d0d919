/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The pieces of a frame with a result of mitral regurgitation. */
#include "contour.h"
#include "overlay.h"
#include "roi.h"

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
