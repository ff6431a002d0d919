/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CARDIAC_TESTS_SCENE_H
#define CARDIAC_TESTS_SCENE_H

#include "mreg-overlay.h"

/* Drawn stand-ins for what a scanner shows, and results with invented values:
 * they test drawing and say nothing about any network. */

enum { SCENE_POINTS = 16, SCENE_GRID = 14 };

/// A view with everything in it, and the arrays that it borrows.
typedef struct Scene {
  CardiacMRegView view;
  float curve[3 * SCENE_POINTS];
  float map[SCENE_GRID * SCENE_GRID];
  CardiacOverlayBox no_draw[4];
} Scene;

/// A RESULT over a picture of this size.
void scene_init (
    Scene *scene, int width, int height, CardiacOverlayLayout layout);
/// As above in another state; grade data stay, to see that they are withheld.
void scene_set_state (Scene *scene, CardiacOverlayState state);
const char *scene_state_name (CardiacOverlayState state);

/// An apical view with a colour box, ECG, bars and header, as an RGB24 image.
/// `time` in 0 .. 1 moves it through one beat.
cairo_surface_t *scene_picture (int width, int height, double time);
/// The picture (top left, on black) with the pieces blended over it, of the
/// canvas' size.
cairo_surface_t *scene_compose (cairo_surface_t *picture, int canvas_width,
    int canvas_height, const CardiacOverlayRectangle *rectangles, int count);
/// Shows the overlay the picture, as an element does.
void scene_observe (CardiacOverlay *overlay, cairo_surface_t *picture);

#endif
