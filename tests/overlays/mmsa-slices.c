/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Marks on short-axis slices, what is redrawn, files, and senseless views. */
#include "mmsa-scene.h"
#include "pixel.h"
#include "require.h"
#include "scene.h"

#include <float.h>
#include <limits.h>
#include <math.h>
#include <unistd.h>

#define DEGREE 0.017453292519943295

/* Columns of a polar picture that a segment has, in degrees after the anterior
 * insertion: written down from MODELS' rule a second time. */
static int
segment_at (int level, double degrees)
{
  static const int ring[] = { 2, 3, 4, 5, 6, 1 }, apex[] = { 14, 15, 16, 13 };
  degrees = fmod (degrees + 720.0, 360.0);
  if (level == 2)
    return apex[(int) (fmod (degrees + 345.0, 360.0) / 90.0)];
  return ring[(int) (degrees / 60.0)] + 6 * level;
}

static double
angle_of (const double centre[2], double x, double y)
{
  return atan2 (y - centre[1], x - centre[0]) / DEGREE;
}

/* Degrees after the anterior insertion, in the sense in which the inferior one
 * comes before 180. */
static double
after_anterior (const CardiacMmsaSlice *s, double x, double y)
{
  double a = angle_of (s->lv_centre, s->rv_anterior[0], s->rv_anterior[1]);
  double i = angle_of (s->lv_centre, s->rv_inferior[0], s->rv_inferior[1]);
  double sense = remainder (i - a, 360.0) > 0.0 ? 1.0 : -1.0;
  return sense * (angle_of (s->lv_centre, x, y) - a);
}

static bool
lies_in (const CardiacOverlayBox *box, double x, double y)
{
  return x >= box->x && y >= box->y && x <= box->x + box->width
         && y <= box->y + box->height;
}

/* As if the picture were seen from behind, or stood on its head. */
static void
turn_slice (CardiacMmsaSlice *s, int turn)
{
  double *points[] = { s->lv_centre, s->rv_anterior, s->rv_inferior };
  for (int i = 0; i < 3; i++) {
    double x = points[i][0] + 0.5 - s->rectangle.x;
    double y = points[i][1] + 0.5 - s->rectangle.y;
    if (turn & 1)
      x = s->rectangle.width - x;
    if (turn & 2)
      y = s->rectangle.height - y;
    points[i][0] = s->rectangle.x + x - 0.5;
    points[i][1] = s->rectangle.y + y - 0.5;
  }
}

static int
draw (CardiacOverlay *overlay, const MmsaScene *scene,
    const CardiacOverlayRectangle **rectangles)
{
  return cardiac_overlay_draw_mmsa (overlay, &scene->view, rectangles);
}

/* One segment after another has the only 4: where that dot is, the drawing
 * believes this segment to be. Also mirrored and upside down. */
static void
each_dot_stands_in_its_segment_outside_the_wall (void)
{
  for (int turn = 0; turn < 4; turn++)
    for (int k = 0; k < CARDIAC_OVERLAY_SEGMENTS; k++) {
      CardiacOverlay *overlay = cardiac_overlay_new ();
      const CardiacOverlayRectangle *rectangles;
      const CardiacOverlayText *texts;
      MmsaScene scene;
      int dots = 0, level = k < 6 ? 0 : k < 12 ? 1 : 2;
      mmsa_scene_init (&scene, 1200, 400, CARDIAC_OVERLAY_PANEL);
      memset (scene.view.scores, 1, sizeof scene.view.scores);
      scene.view.scores[k] = 4;
      for (int i = 0; i < 3; i++)
        turn_slice (&scene.view.slices[i], turn);
      draw (overlay, &scene, &rectangles);
      int n = cardiac_overlay_texts (overlay, &texts);
      for (int i = 0; i < n; i++) {
        double x = texts[i].ink.x + texts[i].ink.width / 2.0;
        double y = texts[i].ink.y + texts[i].ink.height / 2.0;
        if (texts[i].role != CARDIAC_OVERLAY_ROLE_SCORE || y > 400.0)
          continue;
        dots++;
        if (strcmp (texts[i].text, "4") != 0)
          continue;
        const CardiacMmsaSlice *s = &scene.view.slices[level];
        double after = after_anterior (s, x - 0.5, y - 0.5);
        double far = hypot (x - s->lv_centre[0], y - s->lv_centre[1]);
        double wall = hypot (s->rv_anterior[0] - s->lv_centre[0],
            s->rv_anterior[1] - s->lv_centre[1]);
        REQUIRE (
            lies_in (&s->rectangle, x, y) && segment_at (level, after) == k + 1,
            "turn %d: segment %d at %.0f degrees", turn, k + 1, after);
        REQUIRE (far > 1.1 * wall, "segment %d on the wall", k + 1);
      }
      REQUIRE (dots == 16, "%d dots", dots);
      cardiac_overlay_free (&overlay);
    }
}

/* White where segments meet, and the accent where the insertions are. */
static void
borders_and_insertions_follow_the_landmarks (void)
{
  MmsaScene scene;
  CardiacOverlay *overlay = cardiac_overlay_new ();
  const CardiacOverlayRectangle *rectangles;
  mmsa_scene_init (&scene, 1200, 400, CARDIAC_OVERLAY_PANEL);
  scene.view.draw_motion = false;
  int n = draw (overlay, &scene, &rectangles);
  cairo_surface_t *black =
      cairo_image_surface_create (CAIRO_FORMAT_RGB24, 1200, 400);
  cairo_surface_t *canvas = scene_compose (black, 1200, 400, rectangles, n);
  for (int level = 0; level < 3; level++) {
    const CardiacMmsaSlice *s = &scene.view.slices[level];
    double anterior =
        angle_of (s->lv_centre, s->rv_anterior[0], s->rv_anterior[1]);
    double wall = hypot (s->rv_anterior[0] - s->lv_centre[0],
        s->rv_anterior[1] - s->lv_centre[1]);
    for (int d = 0; d < 360; d++) { /* the scene's sense is negative */
      double angle = (anterior - d) * DEGREE;
      double step = level == 2 ? 90.0 : 60.0, offset = level == 2 ? 15.0 : 0.0;
      double from_border = remainder (d - offset, step);
      int x = (int) floor (s->lv_centre[0] + 0.5 + 0.82 * wall * cos (angle));
      int y = (int) floor (s->lv_centre[1] + 0.5 + 0.82 * wall * sin (angle));
      unsigned bright = pixel (canvas, x, y) >> 8 & 255;
      if (from_border == 0.0)
        REQUIRE (
            bright > 110, "level %d, %d: no border (%u)", level, d, bright);
      if (fabs (from_border) > 5.0)
        REQUIRE (bright < 30, "level %d, %d: a border (%u)", level, d, bright);
    }
    const double *points[] = { s->rv_anterior, s->rv_inferior };
    for (int i = 0; i < 2; i++) {
      uint32_t found = pixel (
          canvas, (int) lrint (points[i][0]), (int) lrint (points[i][1]));
      REQUIRE ((found >> 16 & 255) > 200 && (found >> 8 & 255) < 130
                   && (found & 255) > 150,
          "level %d, insertion %d: %06x", level, i, found & 0xffffff);
    }
  }
  cairo_surface_destroy (black);
  cairo_surface_destroy (canvas);
  cardiac_overlay_free (&overlay);
}

static const CardiacOverlayRectangle *
piece_of (
    const CardiacOverlayRectangle *r, int count, CardiacOverlayPiece piece)
{
  for (int i = 0; i < count; i++)
    if (r[i].piece == piece)
      return &r[i];
  return NULL;
}

/* One segment moves, by one pixel of the polar picture: its arrow is as long as
 * magnification, crop and picture make it, and points where it should. */
static void
arrows_are_as_long_as_the_motion_times_four (void)
{
  static const float motions[][2] = { { -3.0f, 0.0f }, { 3.0f, 0.0f },
    { 0.0f, 4.0f } };
  for (int i = 0; i < 3; i++) {
    CardiacOverlay *overlay = cardiac_overlay_new ();
    const CardiacOverlayRectangle *rectangles;
    MmsaScene scene;
    mmsa_scene_init (&scene, 1200, 400, CARDIAC_OVERLAY_PANEL);
    memset (scene.motion, 0, sizeof scene.motion);
    for (int j = 0; j < MMSA_SCENE_PHASES; j++) /* segment 11, opposite */
      memcpy (&scene.motion[(j * 16 + 10) * 2], motions[i], sizeof motions[i]);
    int n = draw (overlay, &scene, &rectangles);
    const CardiacMmsaSlice *s = &scene.view.slices[1];
    double wall = hypot (s->rv_anterior[0] - s->lv_centre[0],
        s->rv_anterior[1] - s->lv_centre[1]);
    double side = 2.2 * wall / 0.62, nearest = INFINITY, farthest = 0.0;
    double first = INFINITY, last = -INFINITY;
    for (int r = 0; r < n; r++) {
      const CardiacOverlayRectangle *piece = &rectangles[r];
      if (piece->piece != CARDIAC_OVERLAY_PIECE_MOTION)
        continue;
      for (int y = 0; y < piece->height; y++)
        for (int x = 0; x < piece->width; x++) {
          if (pixel (piece->surface, x, y) >> 24 < 200)
            continue;
          double px = piece->x + x, py = piece->y + y;
          double far = hypot (px - s->lv_centre[0], py - s->lv_centre[1]);
          double after = after_anterior (s, px, py);
          after = fmod (after + 720.0, 360.0);
          nearest = fmin (nearest, far);
          farthest = fmax (farthest, far);
          first = fmin (first, after);
          last = fmax (last, after);
        }
    }
    double long_ = 4.0 * fabs (motions[i][0]) * side / 160.0;
    double turn = 4.0 * motions[i][1] * 360.0 / 192.0;
    REQUIRE (nearest < INFINITY, "no arrow");
    if (i == 0)
      REQUIRE (fabs (0.9 * wall - long_ - nearest) < 3.0, "%.1f", nearest);
    if (i == 1)
      REQUIRE (fabs (0.9 * wall + long_ - farthest) < 3.0, "%.1f", farthest);
    if (i == 2) /* segment 11's middle is at 210 degrees; growing */
      REQUIRE (fabs (210.0 + turn - last) < 3.0 && fabs (210.0 - first) < 3.0,
          "%.1f .. %.1f", first, last);
    cardiac_overlay_free (&overlay);
  }
}

static void
a_new_phase_redraws_arrows_and_captions_only (void)
{
  CardiacOverlay *overlay = cardiac_overlay_new ();
  const CardiacOverlayRectangle *rectangles;
  MmsaScene scene;
  mmsa_scene_init (&scene, 1200, 400, CARDIAC_OVERLAY_PANEL);
  int n = draw (overlay, &scene, &rectangles);
  uint64_t panel =
      piece_of (rectangles, n, CARDIAC_OVERLAY_PIECE_PANEL)->serial;
  uint64_t segments =
      piece_of (rectangles, n, CARDIAC_OVERLAY_PIECE_SEGMENTS)->serial;
  uint64_t motion =
      piece_of (rectangles, n, CARDIAC_OVERLAY_PIECE_MOTION)->serial;
  uint64_t redraws = cardiac_overlay_redraws (overlay);
  draw (overlay, &scene, &rectangles);
  REQUIRE (cardiac_overlay_redraws (overlay) == redraws, "redrawn");
  mmsa_scene_set_phase (&scene, 7);
  n = draw (overlay, &scene, &rectangles);
  REQUIRE (cardiac_overlay_redraws (overlay) == redraws + 6, "%d redraws",
      (int) (cardiac_overlay_redraws (overlay) - redraws));
  REQUIRE (
      piece_of (rectangles, n, CARDIAC_OVERLAY_PIECE_PANEL)->serial == panel
          && piece_of (rectangles, n, CARDIAC_OVERLAY_PIECE_SEGMENTS)->serial
                 == segments
          && piece_of (rectangles, n, CARDIAC_OVERLAY_PIECE_MOTION)->serial
                 != motion,
      "the wrong ones");
  scene.view.scores[2] = 3;
  n = draw (overlay, &scene, &rectangles);
  REQUIRE (
      piece_of (rectangles, n, CARDIAC_OVERLAY_PIECE_PANEL)->serial != panel,
      "an old score");
  cardiac_overlay_free (&overlay);
}

static void
hidden_marks_leave_the_slices_bare (void)
{
  for (int i = 0; i < 3; i++) {
    CardiacOverlay *overlay = cardiac_overlay_new ();
    const CardiacOverlayRectangle *rectangles;
    MmsaScene scene;
    mmsa_scene_init (&scene, 1200, 400, CARDIAC_OVERLAY_PANEL);
    int n = draw (overlay, &scene, &rectangles);
    REQUIRE (piece_of (rectangles, n, CARDIAC_OVERLAY_PIECE_SEGMENTS), "none");
    scene.view.hide_marks = i == 0;
    scene.view.enabled = i != 1;
    for (int s = 0; s < 3 && i == 2; s++) /* on one line: no orientation */
      memcpy (scene.view.slices[s].rv_inferior,
          scene.view.slices[s].rv_anterior, 2 * sizeof (double));
    n = draw (overlay, &scene, &rectangles);
    REQUIRE (!piece_of (rectangles, n, CARDIAC_OVERLAY_PIECE_SEGMENTS)
                 && !piece_of (rectangles, n, CARDIAC_OVERLAY_PIECE_MOTION),
        "case %d: marks", i);
    cardiac_overlay_free (&overlay);
  }
}

static void
marks_stay_on_their_slice (void)
{
  for (int i = 0; i < 60; i++) {
    CardiacOverlay *overlay = cardiac_overlay_new ();
    const CardiacOverlayRectangle *rectangles;
    MmsaScene scene;
    mmsa_scene_init (&scene, 960, 320, CARDIAC_OVERLAY_PANEL);
    CardiacMmsaSlice *s = &scene.view.slices[1];
    scene.view.slices[0].shown = scene.view.slices[2].shown = false;
    double shift[2] = { (i % 8 - 4) * 60.0, (i / 8 - 4) * 60.0 };
    for (int c = 0; c < 2; c++) {
      s->lv_centre[c] += shift[c];
      s->rv_anterior[c] += shift[c] * (i % 3 ? 1.0 : 1.5);
      s->rv_inferior[c] += shift[c];
    }
    int n = draw (overlay, &scene, &rectangles);
    for (int r = 0; r < n; r++)
      if (rectangles[r].piece == CARDIAC_OVERLAY_PIECE_SEGMENTS
          || rectangles[r].piece == CARDIAC_OVERLAY_PIECE_MOTION)
        REQUIRE (rectangles[r].x >= 320 && rectangles[r].y >= 0
                     && rectangles[r].x + rectangles[r].width <= 640
                     && rectangles[r].y + rectangles[r].height <= 320,
            "shift %g %g: piece %d leaves the slice", shift[0], shift[1],
            rectangles[r].piece);
    cardiac_overlay_free (&overlay);
  }
}

/* Files. */

static char *
read_whole (const char *path, long *length)
{
  FILE *file = fopen (path, "rb");
  REQUIRE (file && fseek (file, 0, SEEK_END) == 0, "%s", path);
  *length = ftell (file);
  rewind (file);
  char *text = calloc (1, (size_t) *length + 1);
  REQUIRE (
      fread (text, 1, (size_t) *length, file) == (size_t) *length, "%s", path);
  fclose (file);
  return text;
}

static void
a_png_shows_the_scores (void)
{
  CardiacOverlay *overlay = cardiac_overlay_new ();
  CardiacMmsaPalette palette;
  MmsaScene scene;
  char path[64], message[300];
  long counts[5] = { 0 }, bright = 0;
  snprintf (path, sizeof path, "bullseye-%d.png", (int) getpid ());
  mmsa_scene_init (&scene, 1200, 400, CARDIAC_OVERLAY_INSIDE);
  cardiac_mmsa_palette_init (&palette);
  for (int withheld = 0; withheld < 2; withheld++) {
    scene.view.withhold_scores = withheld;
    REQUIRE (cardiac_mmsa_write_png (
                 overlay, &scene.view, path, message, sizeof message),
        "%s", message);
    cairo_surface_t *png = cairo_image_surface_create_from_png (path);
    unlink (path);
    REQUIRE (cairo_image_surface_get_width (png) == CARDIAC_MMSA_EXPORT_WIDTH
                 && cairo_image_surface_get_height (png)
                        == CARDIAC_MMSA_EXPORT_HEIGHT,
        "size");
    memset (counts, 0, sizeof counts);
    bright = 0;
    for (int y = 0; y < CARDIAC_MMSA_EXPORT_HEIGHT; y++)
      for (int x = 0; x < CARDIAC_MMSA_EXPORT_WIDTH; x++) {
        uint32_t found = pixel (png, x, y) & 0xffffff;
        bright += y > CARDIAC_MMSA_EXPORT_HEIGHT - 60 && found == 0xffffff;
        for (int s = 0; s < 5; s++) {
          uint32_t score = 0;
          for (int c = 0; c < 3; c++)
            score = score << 8 | (uint32_t) lrint (255 * palette.rgb[s][c]);
          counts[s] += found == score;
        }
      }
    for (int s = 0; s < 5; s++)
      REQUIRE (withheld ? counts[s] < 100 : counts[s] > 1000,
          "withheld %d, score %d: %ld", withheld, s, counts[s]);
    REQUIRE (bright > 300, "no marking: %ld", bright);
    cairo_surface_destroy (png);
  }
  cardiac_overlay_free (&overlay);
}

static void
an_svg_is_whole_and_has_the_colours (void)
{
  CardiacOverlay *overlay = cardiac_overlay_new ();
  MmsaScene scene;
  char path[64], message[300];
  long length;
  snprintf (path, sizeof path, "bullseye-%d.svg", (int) getpid ());
  mmsa_scene_init (&scene, 1200, 400, CARDIAC_OVERLAY_PANEL);
  REQUIRE (cardiac_mmsa_write_svg (
               overlay, &scene.view, path, message, sizeof message),
      "%s", message);
  char *text = read_whole (path, &length);
  unlink (path);
  REQUIRE (strstr (text, "<svg") && strstr (text, "</svg>"), "not whole");
  /* Cairo writes colours in per cent: 0xD8F3DC, 0x33176E. */
  REQUIRE (strstr (text, "84.70") && strstr (text, "43.13"), "no colours");
  free (text);
  cardiac_overlay_free (&overlay);
}

static void
a_file_that_cannot_be_written_is_told (void)
{
  CardiacOverlay *overlay = cardiac_overlay_new ();
  MmsaScene scene;
  char message[300] = "";
  mmsa_scene_init (&scene, 1200, 400, CARDIAC_OVERLAY_PANEL);
  REQUIRE (!cardiac_mmsa_write_png (
               overlay, &scene.view, "no/such/dir/a.png", message, 300)
               && strstr (message, "no/such/dir/a.png"),
      "%s", message);
  REQUIRE (!cardiac_mmsa_write_svg (
               overlay, &scene.view, "no/such/dir/a.svg", message, 300)
               && strstr (message, "no/such/dir/a.svg"),
      "%s", message);
  cardiac_overlay_free (&overlay);
}

/* Views that no sane caller would send. */
static void
senseless_views_of_wall_motion_are_survived (void)
{
  static const double odd[] = { NAN, INFINITY, -INFINITY, DBL_MAX, -DBL_MAX,
    1e-300, 0.0, -1.0 };
  CardiacOverlay *overlay = cardiac_overlay_new ();
  const CardiacOverlayRectangle *r;
  for (int i = 0; i < 8; i++)
    for (int layout = 0; layout < 2; layout++) {
      MmsaScene scene;
      CardiacMmsaPalette palette;
      mmsa_scene_init (&scene, 960, 320, (CardiacOverlayLayout) layout);
      CardiacMmsaView *v = &scene.view;
      for (int c = 0; c < 5; c++)
        palette.rgb[c][c % 3] = palette.rgb[c][(c + 1) % 3] =
            palette.rgb[c][(c + 2) % 3] = odd[i];
      v->palette = &palette;
      v->rv_anterior_angle = v->septum_angle = v->age_s = odd[i];
      for (int k = 0; k < 640; k += 3)
        scene.motion[k] = (float) odd[i];
      REQUIRE (draw (overlay, &scene, &r) >= 1, "%g", odd[i]);
      v->slices[0].lv_centre[1] = v->slices[1].rv_anterior[0] =
          v->slices[2].rectangle.width = v->slices[1].crop_side = odd[i];
      REQUIRE (draw (overlay, &scene, &r) >= 1, "%g", odd[i]);
      v->slices[0].rectangle.x = v->slices[1].rectangle.y = odd[i];
      memset (v->scores, i * 37, sizeof v->scores);
      v->n_phases = v->motion_step = v->least_scored = v->wait_total =
          v->n_no_draw = i % 2 ? INT_MAX : INT_MIN;
      for (int s = 0; s < 3; s++)
        v->slices[s].slice = v->slices[s].phase = v->slices[s].phases =
            i % 2 ? INT_MAX : INT_MIN;
      v->state = (CardiacOverlayState) (i % 2 ? 4711 : -3);
      v->layout = (CardiacOverlayLayout) (layout ? 77 : -1);
      REQUIRE (draw (overlay, &scene, &r) >= 1, "%g", odd[i]);
      v->picture_width = i % 2 ? 0 : INT_MAX;
      REQUIRE (draw (overlay, &scene, &r) == 0, "size");
    }
  cardiac_overlay_free (&overlay);
}

static void
both_kinds_of_result_are_drawn_by_one_overlay (void)
{
  CardiacOverlay *overlay = cardiac_overlay_new ();
  const CardiacOverlayRectangle *r;
  for (int i = 0; i < 6; i++) {
    CardiacOverlayLayout layout = (CardiacOverlayLayout) (i / 3 % 2);
    Scene echo;
    MmsaScene mr;
    double centre[2], radius;
    scene_init (&echo, 640, 480, layout);
    mmsa_scene_init (&mr, 640, 480, layout);
    REQUIRE (draw (overlay, &mr, &r) >= 1, "mr");
    REQUIRE (cardiac_overlay_bullseye (overlay, centre, &radius), "none");
    REQUIRE (cardiac_overlay_draw_mreg (overlay, &echo.view, &r) >= 1, "echo");
    REQUIRE (!cardiac_overlay_bullseye (overlay, centre, &radius), "stays");
  }
  cardiac_overlay_free (&overlay);
}

int
main (int argc, char **argv)
{
  static const TestCase cases[] = {
    TEST (each_dot_stands_in_its_segment_outside_the_wall),
    TEST (borders_and_insertions_follow_the_landmarks),
    TEST (arrows_are_as_long_as_the_motion_times_four),
    TEST (a_new_phase_redraws_arrows_and_captions_only),
    TEST (hidden_marks_leave_the_slices_bare),
    TEST (marks_stay_on_their_slice),
    TEST (a_png_shows_the_scores),
    TEST (an_svg_is_whole_and_has_the_colours),
    TEST (a_file_that_cannot_be_written_is_told),
    TEST (senseless_views_of_wall_motion_are_survived),
    TEST (both_kinds_of_result_are_drawn_by_one_overlay),
  };
  return RUN_TESTS (cases, argc, argv);
}
