/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CARDIAC_TESTS_MMSA_SCENE_H
#define CARDIAC_TESTS_MMSA_SCENE_H

#include "mmsa-overlay.h"

/* Drawn stand-ins for short-axis slices, and scores with invented values: they
 * test drawing and say nothing about any network. */

enum { MMSA_SCENE_PHASES = 20 };

/// A view with everything in it, and the arrays that it borrows.
typedef struct MmsaScene {
  CardiacMmsaView view;
  float motion[MMSA_SCENE_PHASES * CARDIAC_OVERLAY_SEGMENTS * 2];
} MmsaScene;

/// A RESULT over a picture of this size: three slices side by side where it is
/// wide, else a mid one.
void mmsa_scene_init (
    MmsaScene *scene, int width, int height, CardiacOverlayLayout layout);
/// As above in another state; the scores stay, to see that they are withheld.
void mmsa_scene_set_state (MmsaScene *scene, CardiacOverlayState state);
/// All slices show this phase.
void mmsa_scene_set_phase (MmsaScene *scene, int phase);
/// Size of the canvas that the view is drawn on.
void mmsa_scene_canvas (const MmsaScene *scene, int *width, int *height);

/// The slices as an RGB24 image.
cairo_surface_t *mmsa_scene_picture (const MmsaScene *scene);

#endif
