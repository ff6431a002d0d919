/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Redrawing: only when what is shown changes, and never into a surface that
 * was handed out; and views that no sane caller would send. */
#include "require.h"
#include "scene.h"

#include <float.h>
#include <limits.h>
#include <math.h>

typedef struct Frame {
  CardiacOverlayRectangle rectangles[CARDIAC_OVERLAY_MAX_RECTANGLES];
  int count;
} Frame;

static Frame
draw (CardiacOverlay *overlay, const Scene *scene)
{
  Frame frame;
  const CardiacOverlayRectangle *rectangles;
  frame.count = cardiac_overlay_draw_mreg (overlay, &scene->view, &rectangles);
  memcpy (
      frame.rectangles, rectangles, sizeof *rectangles * (size_t) frame.count);
  return frame;
}

static const CardiacOverlayRectangle *
piece_of (const Frame *frame, CardiacOverlayPiece piece)
{
  for (int i = 0; i < frame->count; i++)
    if (frame->rectangles[i].piece == piece)
      return &frame->rectangles[i];
  return NULL;
}

static void
same_view_keeps_every_serial_and_surface (void)
{
  for (int layout = 0; layout < 2; layout++)
    for (int s = 0; s < CARDIAC_OVERLAY_N_STATES; s++) {
      CardiacOverlay *overlay = cardiac_overlay_new ();
      Scene scene, twin;
      scene_init (&scene, 640, 480, (CardiacOverlayLayout) layout);
      scene_set_state (&scene, (CardiacOverlayState) s);
      scene.view.map_mode = CARDIAC_OVERLAY_MAP_FILL;
      Frame a = draw (overlay, &scene);
      uint64_t redraws = cardiac_overlay_redraws (overlay);
      /* Equal content at another address. */
      twin = scene;
      twin.view.curve = twin.curve;
      twin.view.map = twin.map;
      Frame b = draw (overlay, &twin);
      REQUIRE (cardiac_overlay_redraws (overlay) == redraws, "%s redraws",
          scene_state_name ((CardiacOverlayState) s));
      REQUIRE (a.count == b.count, "%d %d", a.count, b.count);
      for (int i = 0; i < a.count; i++)
        REQUIRE (a.rectangles[i].serial == b.rectangles[i].serial
                     && a.rectangles[i].serial != 0
                     && a.rectangles[i].surface == b.rectangles[i].surface,
            "piece %d", a.rectangles[i].piece);
      cardiac_overlay_free (&overlay);
    }
}

static void
playhead_and_roi_move_without_redrawing (void)
{
  CardiacOverlay *overlay = cardiac_overlay_new ();
  Scene scene;
  scene_init (&scene, 640, 480, CARDIAC_OVERLAY_PANEL);
  Frame a = draw (overlay, &scene);
  uint64_t redraws = cardiac_overlay_redraws (overlay);
  scene.view.position_ns += 900000000;
  scene.view.roi.x += 11.0;
  Frame b = draw (overlay, &scene);
  REQUIRE (cardiac_overlay_redraws (overlay) == redraws, "redrawn");
  REQUIRE (piece_of (&b, CARDIAC_OVERLAY_PIECE_PLAYHEAD)->x
               > piece_of (&a, CARDIAC_OVERLAY_PIECE_PLAYHEAD)->x,
      "playhead stays");
  REQUIRE (piece_of (&b, CARDIAC_OVERLAY_PIECE_ROI)->x
               == piece_of (&a, CARDIAC_OVERLAY_PIECE_ROI)->x + 11,
      "ROI stays");
  cardiac_overlay_free (&overlay);
}

static void
age_redraws_its_own_small_piece_twice_a_second (void)
{
  CardiacOverlay *overlay = cardiac_overlay_new ();
  Scene scene;
  scene_init (&scene, 640, 480, CARDIAC_OVERLAY_PANEL);
  scene.view.age_s = 0.01;
  Frame a = draw (overlay, &scene);
  uint64_t redraws = cardiac_overlay_redraws (overlay);
  for (int i = 0; i < 60; i++) {
    scene.view.age_s = 0.01 + i / 30.0;
    draw (overlay, &scene);
  }
  REQUIRE (cardiac_overlay_redraws (overlay) - redraws <= 4, "%d redraws",
      (int) (cardiac_overlay_redraws (overlay) - redraws));
  Frame b = draw (overlay, &scene);
  REQUIRE (piece_of (&a, CARDIAC_OVERLAY_PIECE_PANEL)->serial
               == piece_of (&b, CARDIAC_OVERLAY_PIECE_PANEL)->serial,
      "panel redrawn");
  REQUIRE (piece_of (&a, CARDIAC_OVERLAY_PIECE_AGE)->serial
               != piece_of (&b, CARDIAC_OVERLAY_PIECE_AGE)->serial,
      "age stands");
  cardiac_overlay_free (&overlay);
}

static void
surface_that_was_handed_out_is_never_written_again (void)
{
  CardiacOverlay *overlay = cardiac_overlay_new ();
  Scene scene;
  scene_init (&scene, 640, 480, CARDIAC_OVERLAY_PANEL);
  Frame a = draw (overlay, &scene);
  cairo_surface_t *kept = cairo_surface_reference (
      piece_of (&a, CARDIAC_OVERLAY_PIECE_PANEL)->surface);
  size_t size = (size_t) cairo_image_surface_get_stride (kept)
                * (size_t) cairo_image_surface_get_height (kept);
  unsigned char *copy = malloc (size);
  memcpy (copy, cairo_image_surface_get_data (kept), size);
  scene.view.grade = 1;
  scene.view.value = 1.0;
  Frame b = draw (overlay, &scene);
  REQUIRE (piece_of (&b, CARDIAC_OVERLAY_PIECE_PANEL)->serial
               != piece_of (&a, CARDIAC_OVERLAY_PIECE_PANEL)->serial,
      "same serial");
  REQUIRE (piece_of (&b, CARDIAC_OVERLAY_PIECE_PANEL)->surface != kept,
      "same surface");
  cardiac_overlay_free (&overlay);
  REQUIRE (
      memcmp (copy, cairo_image_surface_get_data (kept), size) == 0, "written");
  REQUIRE (overlay == NULL, "pointer stays");
  free (copy);
  cairo_surface_destroy (kept);
}

static void
every_switch_is_seen_at_the_next_frame (void)
{
  CardiacOverlay *overlay = cardiac_overlay_new ();
  Scene scene;
  scene_init (&scene, 640, 480, CARDIAC_OVERLAY_PANEL);
  Frame frame = draw (overlay, &scene);
  REQUIRE (piece_of (&frame, CARDIAC_OVERLAY_PIECE_CONTOUR), "no contour");
  scene.view.hide_marks = true;
  frame = draw (overlay, &scene);
  REQUIRE (!piece_of (&frame, CARDIAC_OVERLAY_PIECE_CONTOUR)
               && !piece_of (&frame, CARDIAC_OVERLAY_PIECE_ROI),
      "marks stay");
  scene.view.hide_marks = false;
  scene.view.map_mode = CARDIAC_OVERLAY_MAP_OFF;
  frame = draw (overlay, &scene);
  REQUIRE (!piece_of (&frame, CARDIAC_OVERLAY_PIECE_CONTOUR)
               && piece_of (&frame, CARDIAC_OVERLAY_PIECE_ROI),
      "map stays");
  scene.view.enabled = false;
  frame = draw (overlay, &scene);
  REQUIRE (frame.count == 1 && piece_of (&frame, CARDIAC_OVERLAY_PIECE_PANEL),
      "more than the panel");
  scene.view.layout = CARDIAC_OVERLAY_INSIDE;
  frame = draw (overlay, &scene);
  REQUIRE (frame.count == 1 && piece_of (&frame, CARDIAC_OVERLAY_PIECE_STRIP),
      "more than the strip");
  cardiac_overlay_free (&overlay);
}

static void
strip_keeps_its_place_while_the_sector_moves (void)
{
  CardiacOverlay *overlay = cardiac_overlay_new ();
  Scene scene;
  scene_init (&scene, 800, 600, CARDIAC_OVERLAY_INSIDE);
  int x = -1, y = -1, moves = 0;
  for (int i = 0; i < 40; i++) {
    cairo_surface_t *picture = scene_picture (800, 600, i % 10 / 10.0);
    scene_observe (overlay, picture);
    cairo_surface_destroy (picture);
    scene.view.age_s = i % 8 / 4.0;
    Frame frame = draw (overlay, &scene);
    const CardiacOverlayRectangle *strip =
        piece_of (&frame, CARDIAC_OVERLAY_PIECE_STRIP);
    moves += i > 0 && (strip->x != x || strip->y != y);
    x = strip->x;
    y = strip->y;
  }
  REQUIRE (moves <= 1, "moved %d times", moves);
  cardiac_overlay_free (&overlay);
}

static void
senseless_views_are_survived (void)
{
  static const double odd[] = { NAN, INFINITY, -INFINITY, DBL_MAX, -DBL_MAX,
    1e-300, 0.0, -1.0 };
  CardiacOverlay *overlay = cardiac_overlay_new ();
  for (int i = 0; i < 8; i++)
    for (int layout = 0; layout < 2; layout++) {
      Scene scene;
      scene_init (&scene, 640, 480, (CardiacOverlayLayout) layout);
      CardiacMRegView *v = &scene.view;
      v->value = v->probability = v->presence = v->age_s = odd[i];
      v->thresholds[0] = v->map_peak = v->fill_alpha = odd[i];
      v->map_mode = CARDIAC_OVERLAY_MAP_FILL;
      for (int k = 0; k < SCENE_GRID; k++)
        scene.map[k * 9] = scene.curve[k] = (float) odd[i];
      REQUIRE (draw (overlay, &scene).count >= 1, "%g", odd[i]);
      v->crop.x = v->roi.width = odd[i];
      REQUIRE (draw (overlay, &scene).count >= 1, "%g", odd[i]);
      v->n_classes = i % 2 ? INT_MAX : INT_MIN;
      v->grade = v->selected = v->n_instances = v->n_points = v->map_rows =
          v->wait_total = v->n_no_draw = i % 2 ? INT_MAX : INT_MIN;
      v->spans_ns[0][0] = INT64_MIN;
      v->spans_ns[0][1] = v->duration_ns = v->position_ns = INT64_MAX;
      REQUIRE (draw (overlay, &scene).count >= 1, "%g", odd[i]);
      v->picture_width = i % 2 ? 0 : INT_MAX;
      REQUIRE (draw (overlay, &scene).count == 0, "size");
    }
  cardiac_overlay_observe_luma (overlay, NULL, 640, 480, 640, 1);
  cardiac_overlay_free (&overlay);
  cardiac_overlay_free (&overlay);
}

static void
font_is_told (void)
{
  CardiacOverlay *overlay = cardiac_overlay_new ();
  REQUIRE (*cardiac_overlay_font (overlay), "no name");
  printf ("drawn in %s\n", cardiac_overlay_font (overlay));
  REQUIRE (cardiac_overlay_font_is_intended (overlay)
               == (strncmp (cardiac_overlay_font (overlay), "Inter", 5) == 0),
      "%s", cardiac_overlay_font (overlay));
  cardiac_overlay_free (&overlay);
}

int
main (int argc, char **argv)
{
  static const TestCase cases[] = {
    TEST (same_view_keeps_every_serial_and_surface),
    TEST (playhead_and_roi_move_without_redrawing),
    TEST (age_redraws_its_own_small_piece_twice_a_second),
    TEST (surface_that_was_handed_out_is_never_written_again),
    TEST (every_switch_is_seen_at_the_next_frame),
    TEST (strip_keeps_its_place_while_the_sector_moves),
    TEST (senseless_views_are_survived),
    TEST (font_is_told),
  };
  return RUN_TESTS (cases, argc, argv);
}
