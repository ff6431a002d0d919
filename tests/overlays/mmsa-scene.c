/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "mmsa-scene.h"

#include <math.h>
#include <string.h>

#define TURN 6.283185307179586

/* A heart in a slice of side 1: LV, and the RV's insertions, by level. */
typedef struct Heart {
  double x, y, cavity, wall, anterior, septum; /* angles: degrees, y down */
} Heart;

static const Heart hearts[CARDIAC_OVERLAY_SLICES] = {
  { 0.55, 0.50, 0.150, 0.205, 228, -118 },
  { 0.54, 0.50, 0.130, 0.195, 224, -112 },
  { 0.55, 0.50, 0.085, 0.150, 218, -96 },
};

static const uint8_t scores[CARDIAC_OVERLAY_SEGMENTS] = { 2, 2, 1, 1, 1, 1, 3,
  3, 2, 1, 1, 2, 4, 3, 0, 2 };

static void
set_point (double point[2], const CardiacOverlayBox *r, double x, double y)
{
  point[0] = r->x + x * r->width - 0.5;
  point[1] = r->y + y * r->height - 0.5;
}

static void
set_insertion (double point[2], const CardiacOverlayBox *r, const Heart *heart,
    double degrees)
{
  double angle = degrees * TURN / 360.0;
  set_point (point, r, heart->x + heart->wall * cos (angle),
      heart->y + heart->wall * sin (angle));
}

static void
set_slice (CardiacMmsaSlice *slice, int level, double x, double side)
{
  static const int numbers[CARDIAC_OVERLAY_SLICES] = { 1, 4, 7 };
  const Heart *heart = &hearts[level];
  slice->shown = slice->has_landmarks = true;
  slice->rectangle = (CardiacOverlayBox){ x, 0, side, side };
  slice->slice = numbers[level];
  slice->phase = 6;
  slice->phases = MMSA_SCENE_PHASES;
  set_point (slice->lv_centre, &slice->rectangle, heart->x, heart->y);
  set_insertion (slice->rv_anterior, &slice->rectangle, heart, heart->anterior);
  set_insertion (slice->rv_inferior, &slice->rectangle, heart,
      heart->anterior + heart->septum);
}

/* Segments that move less have higher scores; dyskinetic ones go outwards. */
static void
fill_motion (MmsaScene *scene)
{
  static const double inward[] = { 0.0, 2.2, 1.1, 0.15, -1.0 };
  for (int j = 0; j < MMSA_SCENE_PHASES; j++)
    for (int k = 0; k < CARDIAC_OVERLAY_SEGMENTS; k++) {
      float *motion = &scene->motion[(j * CARDIAC_OVERLAY_SEGMENTS + k) * 2];
      double beat = sin (TURN * (j + 1.0) / MMSA_SCENE_PHASES);
      motion[0] = (float) (-1.6 * inward[scores[k]] * beat);
      motion[1] = (float) (0.8 * beat);
    }
}

void
mmsa_scene_init (
    MmsaScene *scene, int width, int height, CardiacOverlayLayout layout)
{
  CardiacMmsaView *v = &scene->view;
  memset (scene, 0, sizeof *scene);
  cardiac_mmsa_view_init (v);
  fill_motion (scene);
  v->picture_width = width;
  v->picture_height = height;
  v->layout = layout;
  if (cardiac_mmsa_panel_is_below (width, height)) {
    double side = floor (fmin (height, width / 3.0));
    double gap = floor ((width - 3.0 * side) / 2.0);
    for (int i = 0; i < CARDIAC_OVERLAY_SLICES; i++)
      set_slice (&v->slices[i], i, i * (side + gap), side);
  } else {
    set_slice (&v->slices[1], 1, 0.0, fmin (width, height));
  }
  v->state = CARDIAC_OVERLAY_RESULT;
  memcpy (v->scores, scores, sizeof v->scores);
  v->unsure[8] = true;
  v->reason =
      "Segment 15 is not scored: its wall leaves the slice in 4 phases.";
  v->motion = scene->motion;
  v->n_phases = MMSA_SCENE_PHASES;
  v->motion_step = 3;
  v->final = true;
  v->model_name = "mmsa-demo";
  v->model_hash = "81c02e97f0a4";
  v->device = "cpu";
  v->precision = "fp32";
  v->trained = true;
  v->synthetic = true;
  v->landmarks = "landmarks from file";
}

void
mmsa_scene_set_state (MmsaScene *scene, CardiacOverlayState state)
{
  CardiacMmsaView *v = &scene->view;
  v->state = state;
  if (state != CARDIAC_OVERLAY_RESULT)
    v->reason = NULL;
  if (state == CARDIAC_OVERLAY_WAIT) {
    v->wait_done = 7;
    v->wait_total = 20;
  }
  if (state == CARDIAC_OVERLAY_STALE)
    v->age_s = 4.2;
  if (state == CARDIAC_OVERLAY_FROZEN)
    v->state_time = "00:00:12";
}

void
mmsa_scene_set_phase (MmsaScene *scene, int phase)
{
  for (int i = 0; i < CARDIAC_OVERLAY_SLICES; i++)
    scene->view.slices[i].phase = phase;
}

void
mmsa_scene_canvas (const MmsaScene *scene, int *width, int *height)
{
  *width = scene->view.picture_width;
  *height = scene->view.picture_height;
  if (scene->view.layout == CARDIAC_OVERLAY_PANEL)
    cardiac_mmsa_panel_size (*width, *height, width, height);
}

/* The pictures. */

static void
disc (cairo_t *cr, double x, double y, double rx, double ry, double grey)
{
  cairo_save (cr);
  cairo_translate (cr, x, y);
  cairo_scale (cr, rx, ry);
  cairo_new_path (cr);
  cairo_arc (cr, 0.0, 0.0, 1.0, 0.0, TURN);
  cairo_restore (cr);
  cairo_set_source_rgb (cr, grey, grey, grey);
  cairo_fill (cr);
}

/* Chest wall, lung, liver, RV, LV; no anatomy that anybody should learn. */
static void
draw_slice (cairo_t *cr, const CardiacMmsaSlice *slice, const Heart *heart)
{
  const CardiacOverlayBox *r = &slice->rectangle;
  cairo_save (cr);
  cairo_rectangle (cr, r->x, r->y, r->width, r->height);
  cairo_clip (cr);
  cairo_translate (cr, r->x, r->y);
  cairo_scale (cr, r->width, r->height);
  cairo_set_source_rgb (cr, 0.07, 0.07, 0.07);
  cairo_paint (cr);
  disc (cr, 0.1, -0.05, 0.75, 0.34, 0.55);
  disc (cr, 0.16, 0.0, 0.7, 0.3, 0.1);
  disc (cr, 0.35, 1.12, 0.6, 0.36, 0.28);
  double rv = 1.15 * heart->wall;
  disc (cr, heart->x - 0.85 * heart->wall, heart->y, rv, 1.1 * rv, 0.34);
  disc (
      cr, heart->x - 0.85 * heart->wall, heart->y, 0.86 * rv, 0.96 * rv, 0.62);
  disc (cr, heart->x, heart->y, heart->wall, heart->wall, 0.2);
  disc (cr, heart->x, heart->y, heart->cavity, heart->cavity, 0.66);
  disc (cr, heart->x + 0.6 * heart->cavity, heart->y - 0.3 * heart->cavity,
      0.2 * heart->cavity, 0.2 * heart->cavity, 0.24);
  cairo_restore (cr);
}

cairo_surface_t *
mmsa_scene_picture (const MmsaScene *scene)
{
  cairo_surface_t *picture = cairo_image_surface_create (CAIRO_FORMAT_RGB24,
      scene->view.picture_width, scene->view.picture_height);
  cairo_t *cr = cairo_create (picture);
  for (int i = 0; i < CARDIAC_OVERLAY_SLICES; i++)
    if (scene->view.slices[i].shown)
      draw_slice (cr, &scene->view.slices[i], &hearts[i]);
  cairo_destroy (cr);
  return picture;
}
