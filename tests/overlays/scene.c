/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "scene.h"

#include <math.h>
#include <string.h>

static void
fill_curve (Scene *scene)
{
  static const double peaks[3] = { 0.85, 1.85, 1.05 };
  for (int i = 0; i < 3; i++)
    for (int j = 0; j < SCENE_POINTS; j++) {
      double t = (j + 0.5) / SCENE_POINTS - 0.48;
      scene->curve[i * SCENE_POINTS + j] =
          (float) (0.55 + (peaks[i] - 0.55) * exp (-t * t / 0.045)
                   + 0.03 * sin (7.0 * j + i));
    }
}

static void
fill_map (Scene *scene)
{
  for (int r = 0; r < SCENE_GRID; r++)
    for (int c = 0; c < SCENE_GRID; c++) {
      double x = (c + 0.5) / SCENE_GRID - 0.58;
      double y = (r + 0.5) / SCENE_GRID - 0.72;
      double along = -0.2 * x + 0.98 * y, across = 0.98 * x + 0.2 * y;
      double value = exp (-along * along / 0.024 - across * across / 0.010);
      scene->map[r * SCENE_GRID + c] =
          (float) (1.8 * value - 0.1 + 0.05 * sin (3.0 * r + 2.0 * c));
    }
}

void
scene_init (Scene *scene, int width, int height, CardiacOverlayLayout layout)
{
  CardiacMRegView *v = &scene->view;
  memset (scene, 0, sizeof *scene);
  cardiac_mreg_view_init (v);
  fill_curve (scene);
  fill_map (scene);
  double side = 0.52 * fmin (width, height);
  v->picture_width = width;
  v->picture_height = height;
  v->layout = layout;
  v->state = CARDIAC_OVERLAY_RESULT;
  v->n_classes = 3;
  v->labels[0] = "none/trace";
  v->labels[1] = "mild";
  v->labels[2] = "\xe2\x89\xa5 moderate";
  v->thresholds[0] = 0.5;
  v->thresholds[1] = 1.5;
  v->grade = 2;
  v->value = 1.72;
  v->probability = 0.86;
  v->presence = 0.97;
  v->n_instances = 3;
  v->n_points = SCENE_POINTS;
  v->curve = scene->curve;
  for (int i = 0; i < 3; i++) {
    v->spans_ns[i][0] = (int64_t) i * 1400000000;
    v->spans_ns[i][1] = v->spans_ns[i][0] + 1000000000;
  }
  v->selected = 1;
  v->position_ns = 1880000000;
  v->duration_ns = 3800000000;
  v->crop = (CardiacOverlayBox){ width / 2.0 - side / 2.0,
    height * 0.52 - side / 2.0, side, side };
  v->roi = v->crop;
  v->draw_roi = true;
  v->map = scene->map;
  v->map_rows = v->map_cols = SCENE_GRID;
  v->age_s = 0.4;
  v->model_name = "mreg-demo";
  v->model_hash = "3f9a1c2b77d0";
  v->device = "cpu";
  v->precision = "bf16";
  v->trained = true;
  v->synthetic = true;
}

void
scene_set_state (Scene *scene, CardiacOverlayState state)
{
  CardiacMRegView *v = &scene->view;
  v->state = state;
  if (state == CARDIAC_OVERLAY_UNSURE) {
    v->value = 1.46;
    v->grade = 1;
    v->probability = 0.52;
  }
  if (state == CARDIAC_OVERLAY_WAIT) {
    v->wait_done = 29;
    v->wait_total = 48;
  }
  if (state == CARDIAC_OVERLAY_STALE)
    v->age_s = 4.2;
  if (state == CARDIAC_OVERLAY_FROZEN)
    v->state_time = "11:24:58";
}

const char *
scene_state_name (CardiacOverlayState state)
{
  static const char *names[CARDIAC_OVERLAY_N_STATES] = { "wait", "result",
    "unsure", "stale", "no-signal", "frozen", "no-doppler", "view-not-a4c",
    "poor-image", "too-short", "model-error", "paused", "stack-incomplete",
    "phases-differ", "level-unknown" };
  return names[state];
}

/* The picture. One reference height of 1.0; the apex is at the top. */

static uint32_t
noise (uint32_t *state)
{
  *state = *state * 1664525u + 1013904223u;
  return *state >> 8;
}

static void
sector_path (cairo_t *cr)
{
  cairo_new_path (cr);
  cairo_move_to (cr, 0.0, 0.02);
  cairo_arc (cr, 0.0, 0.02, 0.84, 1.5708 - 0.55, 1.5708 + 0.55);
  cairo_close_path (cr);
}

static void
ring (cairo_t *cr, double x, double y, double rx, double ry, double grey)
{
  cairo_save (cr);
  cairo_translate (cr, x, y);
  cairo_scale (cr, rx, ry);
  cairo_new_path (cr);
  cairo_arc (cr, 0.0, 0.0, 1.0, 0.0, 6.2832);
  cairo_restore (cr);
  cairo_set_source_rgb (cr, 0.03, 0.03, 0.03);
  cairo_fill_preserve (cr);
  cairo_set_source_rgb (cr, grey, grey, grey);
  cairo_set_line_width (cr, 0.022);
  cairo_stroke (cr);
}

static void
draw_tissue (cairo_t *cr, double time)
{
  double squeeze = 1.0 - 0.12 * sin (3.14159 * time);
  cairo_save (cr);
  sector_path (cr);
  cairo_clip (cr);
  cairo_set_source_rgb (cr, 0.20, 0.20, 0.20);
  cairo_paint (cr);
  ring (cr, 0.07, 0.34, 0.085 * squeeze, 0.20 * squeeze, 0.62);
  ring (cr, -0.12, 0.36, 0.065 * squeeze, 0.17, 0.50);
  ring (cr, 0.07, 0.66, 0.10, 0.11 / squeeze, 0.48);
  ring (cr, -0.13, 0.65, 0.085, 0.10 / squeeze, 0.44);
  cairo_restore (cr);
}

static void
draw_jet (cairo_t *cr, double time)
{
  static const double colours[5][3] = { { 0.10, 0.35, 0.95 },
    { 0.10, 0.85, 0.80 }, { 0.95, 0.85, 0.15 }, { 0.90, 0.25, 0.10 },
    { 0.15, 0.75, 0.30 } };
  uint32_t seed = 7;
  /* A plume that leans to the septum; `spread` is that of a free jet. */
  double length = 0.06 + 0.16 * sin (3.14159 * time);
  for (int i = 0; i < 2200; i++) {
    double along = (noise (&seed) % 1000) / 1000.0, across = 0.0;
    for (int k = 0; k < 3; k++)
      across += ((noise (&seed) % 1000) / 1000.0 - 0.5) / 2.2;
    double spread = 0.018 + 0.075 * along * (1.25 - along);
    const double *c = colours[noise (&seed) % 5];
    double x = 0.062 - 0.035 * along + across * spread * 1.6;
    double y = 0.535 + along * length;
    cairo_set_source_rgba (cr, c[0], c[1], c[2], 0.55);
    cairo_arc (cr, x, y, 0.005, 0.0, 6.2832);
    cairo_fill (cr);
  }
}

static void
draw_colour_box (cairo_t *cr)
{
  cairo_new_path (cr);
  cairo_arc (cr, 0.0, 0.02, 0.40, 1.5708 - 0.40, 1.5708 + 0.30);
  cairo_arc_negative (cr, 0.0, 0.02, 0.78, 1.5708 + 0.30, 1.5708 - 0.40);
  cairo_close_path (cr);
  cairo_set_source_rgb (cr, 0.35, 0.75, 0.95);
  cairo_set_line_width (cr, 0.003);
  cairo_stroke (cr);
}

static void
draw_ecg (cairo_t *cr, double left, double right)
{
  cairo_set_source_rgb (cr, 0.1, 0.6, 0.2);
  cairo_set_line_width (cr, 0.004);
  cairo_move_to (cr, left, 0.95);
  for (int i = 0; i <= 300; i++) {
    double t = i / 300.0, beat = fmod (t * 4.0, 1.0);
    double y = exp (-pow ((beat - 0.3) / 0.02, 2.0)) * 0.05
               + exp (-pow ((beat - 0.6) / 0.07, 2.0)) * 0.012;
    cairo_line_to (cr, left + t * (right - left), 0.95 - y);
  }
  cairo_stroke (cr);
}

static void
draw_bars_and_header (cairo_t *cr, double half_width)
{
  cairo_pattern_t *bar = cairo_pattern_create_linear (0, 0.06, 0, 0.34);
  cairo_pattern_add_color_stop_rgb (bar, 0.0, 1.0, 0.85, 0.2);
  cairo_pattern_add_color_stop_rgb (bar, 0.45, 0.6, 0.05, 0.05);
  cairo_pattern_add_color_stop_rgb (bar, 0.5, 0.0, 0.0, 0.0);
  cairo_pattern_add_color_stop_rgb (bar, 0.55, 0.05, 0.1, 0.6);
  cairo_pattern_add_color_stop_rgb (bar, 1.0, 0.2, 0.9, 0.9);
  cairo_set_source (cr, bar);
  cairo_rectangle (cr, half_width - 0.06, 0.06, 0.035, 0.28);
  cairo_fill (cr);
  cairo_pattern_destroy (bar);
  cairo_select_font_face (
      cr, "monospace", CAIRO_FONT_SLANT_NORMAL, CAIRO_FONT_WEIGHT_NORMAL);
  cairo_set_font_size (cr, 0.028);
  cairo_set_source_rgb (cr, 0.75, 0.75, 0.75);
  static const char *lines[] = { "DRAWN PICTURE", "no patient", "14 HZ" };
  for (int i = 0; i < 3; i++) {
    cairo_move_to (cr, -half_width + 0.02, 0.05 + 0.034 * i);
    cairo_show_text (cr, lines[i]);
  }
  cairo_move_to (cr, half_width - 0.075, 0.045);
  cairo_show_text (cr, "52");
}

static void
add_speckle (cairo_surface_t *surface)
{
  int width = cairo_image_surface_get_width (surface);
  int height = cairo_image_surface_get_height (surface);
  int stride = cairo_image_surface_get_stride (surface);
  cairo_surface_flush (surface);
  unsigned char *data = cairo_image_surface_get_data (surface);
  uint32_t seed = 1;
  for (int y = 0; y < height; y++) {
    uint32_t *row = (uint32_t *) (void *) (data + (size_t) y * stride);
    for (int x = 0; x < width; x++) {
      int r = row[x] >> 16 & 255, g = row[x] >> 8 & 255, b = row[x] & 255;
      int gain = 96 + (int) (noise (&seed) % 160 + noise (&seed) % 160) / 2;
      if (r != g || g != b || r < 6 || r > 170)
        continue;
      r = r * gain / 160;
      r = r > 255 ? 255 : r;
      row[x] = (uint32_t) r << 16 | (uint32_t) r << 8 | (uint32_t) r;
    }
  }
  cairo_surface_mark_dirty (surface);
}

cairo_surface_t *
scene_picture (int width, int height, double time)
{
  cairo_surface_t *surface =
      cairo_image_surface_create (CAIRO_FORMAT_RGB24, width, height);
  double scale = fmin (height, width * 0.98), half = width / scale / 2.0;
  cairo_t *cr = cairo_create (surface);
  cairo_set_source_rgb (cr, 0.0, 0.0, 0.0);
  cairo_paint (cr);
  cairo_translate (cr, width / 2.0, (height - scale) / 2.0);
  cairo_scale (cr, scale, scale);
  draw_tissue (cr, time);
  cairo_surface_flush (surface);
  add_speckle (surface);
  draw_jet (cr, time);
  draw_colour_box (cr);
  draw_ecg (cr, -half + 0.06, half - 0.35);
  draw_bars_and_header (cr, half);
  cairo_destroy (cr);
  cairo_surface_flush (surface);
  return surface;
}

cairo_surface_t *
scene_compose (cairo_surface_t *picture, int canvas_width, int canvas_height,
    const CardiacOverlayRectangle *rectangles, int count)
{
  cairo_surface_t *canvas = cairo_image_surface_create (
      CAIRO_FORMAT_RGB24, canvas_width, canvas_height);
  cairo_t *cr = cairo_create (canvas);
  cairo_set_source_rgb (cr, 0.0, 0.0, 0.0);
  cairo_paint (cr);
  cairo_set_source_surface (cr, picture, 0, 0);
  cairo_paint (cr);
  for (int i = 0; i < count; i++) {
    cairo_set_source_surface (
        cr, rectangles[i].surface, rectangles[i].x, rectangles[i].y);
    cairo_paint (cr);
  }
  cairo_destroy (cr);
  cairo_surface_flush (canvas);
  return canvas;
}

void
scene_observe (CardiacOverlay *overlay, cairo_surface_t *picture)
{
  cairo_surface_flush (picture);
  cardiac_overlay_observe_luma (overlay,
      cairo_image_surface_get_data (picture) + 1,
      cairo_image_surface_get_width (picture),
      cairo_image_surface_get_height (picture),
      cairo_image_surface_get_stride (picture), 4);
}
