/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What reaches the picture: how much of it, where, and in which colours. */
#include "colour-difference.h"
#include "pixel.h"
#include "require.h"
#include "scene.h"

#include <math.h>

static cairo_surface_t *
flat_picture (int width, int height, double grey)
{
  cairo_surface_t *surface =
      cairo_image_surface_create (CAIRO_FORMAT_RGB24, width, height);
  cairo_t *cr = cairo_create (surface);
  cairo_set_source_rgb (cr, grey, grey, grey);
  cairo_paint (cr);
  cairo_destroy (cr);
  return surface;
}

static const CardiacOverlayRectangle *
piece_of (const CardiacOverlayRectangle *rectangles, int count,
    CardiacOverlayPiece piece)
{
  for (int i = 0; i < count; i++)
    if (rectangles[i].piece == piece)
      return &rectangles[i];
  return NULL;
}

/* Share of the box's pixels that differ between two images. */
static double
changed_share (cairo_surface_t *a, cairo_surface_t *b, CardiacOverlayBox box)
{
  long changed = 0, all = 0;
  for (int y = (int) ceil (box.y); y < (int) (box.y + box.height); y++)
    for (int x = (int) ceil (box.x); x < (int) (box.x + box.width); x++) {
      all++;
      changed += (pixel (a, x, y) ^ pixel (b, x, y)) & 0xffffff ? 1 : 0;
    }
  return (double) changed / all;
}

static void
contours_leave_97_percent_of_the_box_unchanged (void)
{
  static const int sizes[][2] = { { 304, 304 }, { 600, 430 }, { 640, 480 },
    { 1280, 960 }, { 1920, 1080 }, { 480, 640 } };
  for (int i = 0; i < 6; i++)
    for (int wild = 0; wild < 2; wild++) {
      CardiacOverlay *overlay = cardiac_overlay_new ();
      const CardiacOverlayRectangle *rectangles;
      Scene scene;
      scene_init (&scene, sizes[i][0], sizes[i][1], CARDIAC_OVERLAY_PANEL);
      scene.view.draw_roi = false;
      if (wild) /* many blobs, as random weights give */
        for (int k = 0; k < SCENE_GRID * SCENE_GRID; k++)
          scene.map[k] = (float) (k * 7919 % 101) / 100.0f;
      int count = cardiac_overlay_draw_mreg (overlay, &scene.view, &rectangles);
      cairo_surface_t *before = flat_picture (sizes[i][0], sizes[i][1], 0.3);
      cairo_surface_t *after =
          scene_compose (before, sizes[i][0], sizes[i][1], rectangles, count);
      double share = changed_share (before, after, scene.view.crop);
      REQUIRE (share > 0.0, "nothing drawn at %dx%d", sizes[i][0], sizes[i][1]);
      REQUIRE (share <= (wild ? 0.20 : 0.03), "%dx%d: %.3f changed",
          sizes[i][0], sizes[i][1], share);
      cairo_surface_destroy (before);
      cairo_surface_destroy (after);
      cardiac_overlay_free (&overlay);
    }
}

static void
marks_stay_inside_crop_and_picture (void)
{
  static const CardiacOverlayBox crops[] = { { 100, 80, 200, 200 },
    { -60, -40, 220, 220 }, { 500.4, 300.7, 250.3, 250.3 },
    { -100, -200, 900, 900 } };
  for (int i = 0; i < 4; i++)
    for (int mode = 1; mode < 3; mode++) {
      CardiacOverlay *overlay = cardiac_overlay_new ();
      const CardiacOverlayRectangle *rectangles;
      Scene scene;
      scene_init (&scene, 640, 480, CARDIAC_OVERLAY_INSIDE);
      scene.view.crop = crops[i];
      scene.view.map_mode = (CardiacOverlayMap) mode;
      scene.view.draw_roi = false;
      int count = cardiac_overlay_draw_mreg (overlay, &scene.view, &rectangles);
      for (int r = 0; r < count; r++) {
        const CardiacOverlayRectangle *rect = &rectangles[r];
        REQUIRE (rect->x >= 0 && rect->y >= 0 && rect->x + rect->width <= 640
                     && rect->y + rect->height <= 480,
            "piece %d leaves the canvas", rect->piece);
        if (rect->piece == CARDIAC_OVERLAY_PIECE_STRIP)
          continue;
        REQUIRE (rect->x >= crops[i].x && rect->y >= crops[i].y
                     && rect->x + rect->width <= crops[i].x + crops[i].width
                     && rect->y + rect->height <= crops[i].y + crops[i].height,
            "piece %d leaves crop %d", rect->piece, i);
      }
      cardiac_overlay_free (&overlay);
    }
}

static void
marks_leave_no_draw_places_free (void)
{
  CardiacOverlay *overlay = cardiac_overlay_new ();
  const CardiacOverlayRectangle *rectangles;
  Scene scene;
  scene_init (&scene, 640, 480, CARDIAC_OVERLAY_INSIDE);
  CardiacOverlayBox crop = scene.view.crop;
  scene.no_draw[0] = (CardiacOverlayBox){ crop.x + crop.width * 0.5,
    crop.y + crop.height * 0.6, 40, 50 };
  scene.no_draw[1] = (CardiacOverlayBox){ 0, 0, 640, 200 };
  scene.view.no_draw = scene.no_draw;
  scene.view.n_no_draw = 2;
  scene.view.map_mode = CARDIAC_OVERLAY_MAP_FILL;
  scene.view.draw_roi = false;
  int count = cardiac_overlay_draw_mreg (overlay, &scene.view, &rectangles);
  cairo_surface_t *before = flat_picture (640, 480, 0.3);
  cairo_surface_t *after = scene_compose (before, 640, 480, rectangles, count);
  REQUIRE (changed_share (before, after, crop) > 0.01, "nothing drawn");
  for (int i = 0; i < 2; i++)
    REQUIRE (changed_share (before, after, scene.no_draw[i]) == 0.0,
        "no_draw %d is drawn on", i);
  cairo_surface_destroy (before);
  cairo_surface_destroy (after);
  cardiac_overlay_free (&overlay);
}

static void
fill_is_never_stronger_than_its_limit (void)
{
  static const double wishes[] = { 0.1, 0.25, 0.9, 1e9, NAN, -1.0 };
  for (int i = 0; i < 6; i++) {
    CardiacOverlay *overlay = cardiac_overlay_new ();
    const CardiacOverlayRectangle *rectangles;
    Scene scene;
    scene_init (&scene, 640, 480, CARDIAC_OVERLAY_PANEL);
    scene.view.map_mode = CARDIAC_OVERLAY_MAP_FILL;
    scene.view.fill_alpha = wishes[i];
    int count = cardiac_overlay_draw_mreg (overlay, &scene.view, &rectangles);
    const CardiacOverlayRectangle *fill =
        piece_of (rectangles, count, CARDIAC_OVERLAY_PIECE_FILL);
    REQUIRE (wishes[i] == -1.0 ? fill == NULL : fill != NULL, "%g", wishes[i]);
    double limit = fmin (
        isnan (wishes[i]) ? CARDIAC_OVERLAY_DEFAULT_FILL_ALPHA : wishes[i],
        CARDIAC_OVERLAY_MAX_FILL_ALPHA);
    unsigned most = 0;
    for (int y = 0; fill && y < fill->height; y++)
      for (int x = 0; x < fill->width; x++) {
        uint32_t p = pixel (fill->surface, x, y);
        unsigned a = p >> 24;
        most = a > most ? a : most;
        REQUIRE ((p >> 16 & 255) <= a && (p >> 8 & 255) <= a && (p & 255) <= a,
            "not premultiplied");
      }
    REQUIRE (
        !fill || (most <= 255.0 * limit + 1.0 && most >= 255.0 * limit - 3.0),
        "%g: %u", wishes[i], most);
    cardiac_overlay_free (&overlay);
  }
}

/* White and the ground's own colour inside the marking's box: letters. */
static void
marking_is_in_the_pixels_of_every_state (void)
{
  for (int layout = 0; layout < 2; layout++)
    for (int s = 0; s < 2 * CARDIAC_OVERLAY_N_STATES; s++) {
      CardiacOverlay *overlay = cardiac_overlay_new ();
      const CardiacOverlayRectangle *rectangles;
      const CardiacOverlayText *texts;
      Scene scene;
      int width = 640, height = 480, letters = 0;
      scene_init (&scene, width, height, (CardiacOverlayLayout) layout);
      scene_set_state (
          &scene, (CardiacOverlayState) (s % CARDIAC_OVERLAY_N_STATES));
      scene.view.enabled = s < CARDIAC_OVERLAY_N_STATES;
      scene.view.hide_marks = s & 1;
      int count = cardiac_overlay_draw_mreg (overlay, &scene.view, &rectangles);
      if (layout)
        cardiac_overlay_panel_size (width, height, &width, &height);
      cairo_surface_t *picture = flat_picture (640, 480, 0.0);
      cairo_surface_t *canvas =
          scene_compose (picture, width, height, rectangles, count);
      int n = cardiac_overlay_texts (overlay, &texts);
      for (int i = 0; i < n; i++)
        if (texts[i].role == CARDIAC_OVERLAY_ROLE_MARKING)
          for (int y = (int) texts[i].ink.y;
               y < texts[i].ink.y + texts[i].ink.height; y++)
            for (int x = (int) texts[i].ink.x;
                 x < texts[i].ink.x + texts[i].ink.width; x++)
              letters += (pixel (canvas, x, y) & 255) > 200;
      REQUIRE (letters > 250, "%s, layout %d: %d bright pixels",
          scene_state_name (scene.view.state), layout, letters);
      cairo_surface_destroy (picture);
      cairo_surface_destroy (canvas);
      cardiac_overlay_free (&overlay);
    }
}

static void
panel_is_opaque_and_covers_nothing_of_the_picture (void)
{
  CardiacOverlay *overlay = cardiac_overlay_new ();
  const CardiacOverlayRectangle *rectangles;
  Scene scene;
  scene_init (&scene, 601, 431, CARDIAC_OVERLAY_PANEL);
  int count = cardiac_overlay_draw_mreg (overlay, &scene.view, &rectangles);
  const CardiacOverlayRectangle *panel =
      piece_of (rectangles, count, CARDIAC_OVERLAY_PIECE_PANEL);
  int width, height;
  cardiac_overlay_panel_size (601, 431, &width, &height);
  REQUIRE (panel->x == 601 && panel->y == 0 && panel->x + panel->width == width
               && panel->height == height,
      "panel is elsewhere");
  for (int y = 0; y < panel->height; y++)
    for (int x = 0; x < panel->width; x++)
      REQUIRE (
          pixel (panel->surface, x, y) >> 24 == 255, "hole at %d %d", x, y);
  cardiac_overlay_free (&overlay);
}

static void
strip_avoids_picture_content_and_no_draw_places (void)
{
  static const int sizes[][2] = { { 640, 480 }, { 800, 600 }, { 1280, 960 },
    { 1920, 1080 } };
  for (int i = 0; i < 4; i++) {
    CardiacOverlay *overlay = cardiac_overlay_new ();
    const CardiacOverlayRectangle *rectangles;
    Scene scene;
    int w = sizes[i][0], h = sizes[i][1];
    scene_init (&scene, w, h, CARDIAC_OVERLAY_INSIDE);
    scene.no_draw[0] = (CardiacOverlayBox){ 0, 0, w, 0.1 * h };
    scene.view.no_draw = scene.no_draw;
    scene.view.n_no_draw = 1;
    cairo_surface_t *picture = scene_picture (w, h, 0.5);
    scene_observe (overlay, picture);
    int count = cardiac_overlay_draw_mreg (overlay, &scene.view, &rectangles);
    const CardiacOverlayRectangle *strip =
        piece_of (rectangles, count, CARDIAC_OVERLAY_PIECE_STRIP);
    long bright = 0;
    for (int y = strip->y; y < strip->y + strip->height; y++)
      for (int x = strip->x; x < strip->x + strip->width; x++)
        bright += (pixel (picture, x, y) >> 8 & 255) > 60;
    REQUIRE (strip->y >= 0.1 * h, "%dx%d: strip on the header", w, h);
    REQUIRE (bright < 0.02 * strip->width * strip->height,
        "%dx%d: strip covers %ld bright pixels", w, h, bright);
    cairo_surface_destroy (picture);
    cardiac_overlay_free (&overlay);
  }
}

/* USERS: the accent is far from every Doppler colour and from tissue. */
static void
accent_is_far_from_doppler_and_tissue (void)
{
  static const double doppler[][3] = { { 0.6, 0.05, 0.05 }, { 1.0, 0.2, 0.1 },
    { 1.0, 0.85, 0.2 }, { 0.05, 0.1, 0.6 }, { 0.1, 0.4, 1.0 },
    { 0.2, 0.9, 0.9 }, { 0.1, 0.8, 0.2 } };
  double accent[3];
  cardiac_overlay_accent (accent);
  for (int i = 0; i < 7; i++)
    REQUIRE (delta_e_2000 (accent, doppler[i]) >= 25.0, "Doppler %d: %.1f", i,
        delta_e_2000 (accent, doppler[i]));
  for (int i = 0; i <= 10; i++) {
    double grey[3] = { i / 10.0, i / 10.0, i / 10.0 };
    REQUIRE (delta_e_2000 (accent, grey) >= 25.0, "grey %d: %.1f", i,
        delta_e_2000 (accent, grey));
  }
}

static void
viridis_grows_lighter_all_the_way (void)
{
  double last = -1.0;
  for (int i = 0; i <= 64; i++) {
    double rgb[3], lab[3];
    cardiac_overlay_viridis (i / 64.0, rgb);
    srgb_to_lab (rgb, lab);
    REQUIRE (lab[0] > last, "at %d", i);
    last = lab[0];
  }
}

int
main (int argc, char **argv)
{
  static const TestCase cases[] = {
    TEST (contours_leave_97_percent_of_the_box_unchanged),
    TEST (marks_stay_inside_crop_and_picture),
    TEST (marks_leave_no_draw_places_free),
    TEST (fill_is_never_stronger_than_its_limit),
    TEST (marking_is_in_the_pixels_of_every_state),
    TEST (panel_is_opaque_and_covers_nothing_of_the_picture),
    TEST (strip_avoids_picture_content_and_no_draw_places),
    TEST (accent_is_far_from_doppler_and_tissue),
    TEST (viridis_grows_lighter_all_the_way),
  };
  return RUN_TESTS (cases, argc, argv);
}
