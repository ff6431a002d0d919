/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The bull's-eye: where its sectors are, and what colours they have. */
#include "mmsa-scene.h"
#include "pixel.h"
#include "require.h"
#include "scene.h"

#include <math.h>

#define DEGREE 0.017453292519943295

/* AHA's bull's-eye as matplotlib draws it: middles of the sectors, degrees
 * counter-clockwise from the right, and middles of the rings. Written down here
 * a second time, from the standard and not from the code. */
static const double middles[CARDIAC_OVERLAY_SEGMENTS] = { 90, 150, 210, 270,
  330, 30, 90, 150, 210, 270, 330, 30, 90, 180, 270, 0 };

static double
ring_of (int segment)
{
  return segment < 6 ? 13.0 / 15.0 : segment < 12 ? 0.6 : 1.0 / 3.0;
}

static uint32_t
packed (const double rgb[3])
{
  uint32_t value = 0;
  for (int i = 0; i < 3; i++)
    value = value << 8 | (uint32_t) lrint (255.0 * rgb[i]);
  return value;
}

typedef struct Drawing {
  CardiacOverlay *overlay;
  cairo_surface_t *canvas;
  double centre[2], radius;
} Drawing;

static Drawing
draw (const MmsaScene *scene)
{
  Drawing d = { .overlay = cardiac_overlay_new () };
  const CardiacOverlayRectangle *rectangles;
  int width, height;
  int count = cardiac_overlay_draw_mmsa (d.overlay, &scene->view, &rectangles);
  REQUIRE (count >= 1, "nothing drawn");
  mmsa_scene_canvas (scene, &width, &height);
  cairo_surface_t *picture = mmsa_scene_picture (scene);
  d.canvas = scene_compose (picture, width, height, rectangles, count);
  cairo_surface_destroy (picture);
  REQUIRE (cardiac_overlay_bullseye (d.overlay, d.centre, &d.radius),
      "no bull's-eye");
  return d;
}

static void
finish (Drawing *d)
{
  cairo_surface_destroy (d->canvas);
  cardiac_overlay_free (&d->overlay);
}

static uint32_t
at_polar (const Drawing *d, double share, double degrees)
{
  double angle = degrees * DEGREE;
  return pixel (d->canvas,
             (int) floor (d->centre[0] + share * d->radius * cos (angle)),
             (int) floor (d->centre[1] - share * d->radius * sin (angle)))
         & 0xffffff;
}

/* Share of the pixels around a sector's middle that have this very colour. A
 * digit stands there, and hatches cross it: none takes most of the place. */
static double
share_around (const Drawing *d, int segment, double turn, uint32_t colour)
{
  int same = 0, all = 0;
  for (double r = -0.09; r <= 0.09; r += 0.01)
    for (double a = -12.0; a <= 12.0; a += 1.0) {
      all++;
      same += at_polar (d, ring_of (segment) + r, middles[segment] + turn + a)
              == colour;
    }
  return (double) same / all;
}

/* A sector reaches to its corners: of even ones each pixel there is known. */
static void
require_corners (const Drawing *d, int segment, double turn, uint32_t colour,
    const char *where)
{
  double half = segment < 12 ? 30.0 : 45.0;
  for (int i = 0; i < 4; i++) {
    double degrees = middles[segment] + turn + (i & 1 ? 1 : -1) * (half - 7.0);
    double r = ring_of (segment) + (i & 2 ? 0.08 : -0.08);
    REQUIRE (at_polar (d, r, degrees) == colour,
        "%s: segment %d, corner %d: %06x", where, segment + 1, i,
        at_polar (d, r, degrees));
  }
}

static void
require_colours (const MmsaScene *scene, double turn, const char *where)
{
  Drawing d = draw (scene);
  CardiacMmsaPalette palette;
  cardiac_mmsa_palette_init (&palette);
  for (int k = 0; k < CARDIAC_OVERLAY_SEGMENTS; k++) {
    int score = scene->view.scores[k];
    double share = share_around (&d, k, turn, packed (palette.rgb[score]));
    REQUIRE (share > (score == 0 || score == 4 ? 0.4 : 0.55),
        "%s: segment %d, score %d: %.2f", where, k + 1, score, share);
    if (score > 0 && score < 4)
      require_corners (&d, k, turn, packed (palette.rgb[score]), where);
  }
  finish (&d);
}

static const int sizes[][2] = { { 1200, 400 }, { 768, 256 }, { 600, 200 },
  { 1920, 640 }, { 640, 480 }, { 256, 256 } };

static void
each_centroid_shows_its_segments_colour (void)
{
  for (int i = 0; i < 6; i++)
    for (int shift = 0; shift < 5; shift++) {
      MmsaScene scene;
      char where[64];
      mmsa_scene_init (&scene, sizes[i][0], sizes[i][1], CARDIAC_OVERLAY_PANEL);
      memset (scene.view.unsure, 0, sizeof scene.view.unsure);
      /* No two neighbours alike, and each score on each ring. */
      for (int k = 0; k < CARDIAC_OVERLAY_SEGMENTS; k++)
        scene.view.scores[k] = (uint8_t) ((k * 2 + k / 6 + shift) % 5);
      snprintf (where, sizeof where, "%dx%d shift %d", sizes[i][0], sizes[i][1],
          shift);
      require_colours (&scene, 0.0, where);
    }
}

static void
the_map_turns_with_the_anterior_insertion (void)
{
  static const double angles[] = { 90, 135, 0, 250, 480, -240 };
  for (int i = 0; i < 6; i++) {
    MmsaScene scene;
    char where[32];
    mmsa_scene_init (&scene, 1200, 400, CARDIAC_OVERLAY_PANEL);
    memset (scene.view.unsure, 0, sizeof scene.view.unsure);
    scene.view.rv_anterior_angle = angles[i];
    snprintf (where, sizeof where, "%g degrees", angles[i]);
    require_colours (&scene, angles[i] - 120.0, where);
  }
}

static void
sides_are_named_where_they_are (void)
{
  static const struct {
    const char *letters;
    double degrees;
  } sides[] = { { "Ant", 90 }, { "Sept", 180 }, { "Inf", 270 }, { "Lat", 0 } };
  for (int layout = 0; layout < 2; layout++)
    for (int turn = 0; turn < 360; turn += 40)
      for (int s = 0; s < 4; s++) {
        MmsaScene scene;
        const CardiacOverlayText *texts, *found = NULL;
        mmsa_scene_init (&scene, 1200, 400, (CardiacOverlayLayout) layout);
        scene.view.rv_anterior_angle = 120.0 + turn;
        Drawing d = draw (&scene);
        int count = cardiac_overlay_texts (d.overlay, &texts);
        for (int i = 0; i < count; i++)
          if (texts[i].role == CARDIAC_OVERLAY_ROLE_SIDE
              && strcmp (texts[i].text, sides[s].letters) == 0)
            found = &texts[i];
        REQUIRE (found, "%s is missing", sides[s].letters);
        double x = found->ink.x + found->ink.width / 2.0 - d.centre[0];
        double y = d.centre[1] - found->ink.y - found->ink.height / 2.0;
        double away =
            remainder (atan2 (y, x) / DEGREE - sides[s].degrees - turn, 360.0);
        REQUIRE (fabs (away) < 2.0, "%s is %.1f degrees away", sides[s].letters,
            away);
        REQUIRE (hypot (x, y) > d.radius * 1.1, "%s is on the map",
            sides[s].letters);
        finish (&d);
      }
}

/* Whatever the scores and the state: no colour of a score, but "n/a". */
static void
the_apex_is_never_filled_in (void)
{
  CardiacMmsaPalette palette;
  cardiac_mmsa_palette_init (&palette);
  for (int score = 0; score < 5; score++) {
    MmsaScene scene;
    const CardiacOverlayText *texts;
    bool told = false;
    mmsa_scene_init (&scene, 1200, 400, CARDIAC_OVERLAY_PANEL);
    memset (scene.view.scores, score ? score : 1, sizeof scene.view.scores);
    Drawing d = draw (&scene);
    for (double r = 0.0; r < 0.185; r += 0.01)
      for (int a = 0; a < 360; a += 5) {
        uint32_t found = at_polar (&d, r, a);
        for (int s = 1; s < 5; s++)
          REQUIRE (
              found != packed (palette.rgb[s]), "score %d in the centre", s);
      }
    int count = cardiac_overlay_texts (d.overlay, &texts);
    for (int i = 0; i < count; i++)
      told = told
             || (texts[i].role == CARDIAC_OVERLAY_ROLE_CENTRE
                 && strcmp (texts[i].text, "n/a") == 0);
    REQUIRE (told, "no \"n/a\"");
    finish (&d);
  }
}

/* Degrees of the accent's colour just outside the ring. */
static bool
has_tick (const Drawing *d, double degrees)
{
  double rgb[3];
  cardiac_overlay_accent (rgb);
  return at_polar (d, 1.06, degrees) == packed (rgb);
}

static void
insertions_are_ticks_outside_the_ring (void)
{
  static const double septa[] = { 120, 75, 150 };
  for (int i = 0; i < 3; i++) {
    MmsaScene scene;
    mmsa_scene_init (&scene, 1200, 400, CARDIAC_OVERLAY_PANEL);
    scene.view.septum_angle = septa[i];
    Drawing d = draw (&scene);
    int ticks = 0;
    for (int a = 0; a < 360; a++) {
      bool near = fabs (remainder (a - 120.0, 360.0)) < 3.0
                  || fabs (remainder (a - 120.0 - septa[i], 360.0)) < 3.0;
      ticks += has_tick (&d, a);
      REQUIRE (near || !has_tick (&d, a), "a tick at %d degrees", a);
    }
    REQUIRE (
        ticks >= 2 && has_tick (&d, 120.0) && has_tick (&d, 120.0 + septa[i]),
        "%d ticks", ticks);
    finish (&d);
  }
}

/* The scene's basal and mid septa are 118 and 112 degrees wide. */
static void
the_inferior_tick_is_where_the_slices_have_it (void)
{
  MmsaScene scene;
  mmsa_scene_init (&scene, 1200, 400, CARDIAC_OVERLAY_PANEL);
  Drawing d = draw (&scene);
  REQUIRE (has_tick (&d, 235.0) && !has_tick (&d, 240.0), "115 degrees");
  finish (&d);
  for (int i = 0; i < 3; i++)
    scene.view.slices[i].has_landmarks = false;
  d = draw (&scene);
  REQUIRE (has_tick (&d, 240.0) && !has_tick (&d, 235.0), "120 degrees");
  finish (&d);
}

/* Four and unscored are told without colour: in grey, their sectors are not
 * even. */
static void
dyskinesia_and_no_score_are_hatched (void)
{
  for (int score = 0; score < 5; score++) {
    MmsaScene scene;
    CardiacMmsaPalette palette;
    mmsa_scene_init (&scene, 1200, 400, CARDIAC_OVERLAY_PANEL);
    cardiac_mmsa_palette_init (&palette);
    scene.view.scores[3] = (uint8_t) score;
    Drawing d = draw (&scene);
    int other = 0;
    for (double a = 246.0; a < 262.0; a += 0.5)
      other += at_polar (&d, 13.0 / 15.0, a) != packed (palette.rgb[score]);
    REQUIRE ((other > 4) == (score == 0 || score == 4), "score %d: %d", score,
        other);
    finish (&d);
  }
}

/* Unsure sectors keep their colour: a paler one would read as more normal. */
static void
unsure_sectors_are_outlined_not_paled (void)
{
  MmsaScene scene;
  mmsa_scene_init (&scene, 1200, 400, CARDIAC_OVERLAY_PANEL);
  memset (scene.view.scores, 2, sizeof scene.view.scores);
  memset (scene.view.unsure, 0, sizeof scene.view.unsure);
  Drawing plain = draw (&scene);
  scene.view.unsure[0] = true;
  Drawing outlined = draw (&scene);
  CardiacMmsaPalette palette;
  cardiac_mmsa_palette_init (&palette);
  REQUIRE (share_around (&outlined, 0, 0.0, packed (palette.rgb[2])) > 0.55,
      "paled");
  int changed = 0;
  for (double a = 61.0; a < 119.0; a += 0.25)
    changed += at_polar (&plain, 0.975, a) != at_polar (&outlined, 0.975, a);
  REQUIRE (changed > 20, "no outline: %d", changed);
  finish (&plain);
  finish (&outlined);
}

int
main (int argc, char **argv)
{
  static const TestCase cases[] = {
    TEST (each_centroid_shows_its_segments_colour),
    TEST (the_map_turns_with_the_anterior_insertion),
    TEST (sides_are_named_where_they_are),
    TEST (the_apex_is_never_filled_in),
    TEST (insertions_are_ticks_outside_the_ring),
    TEST (the_inferior_tick_is_where_the_slices_have_it),
    TEST (dyskinesia_and_no_score_are_hatched),
    TEST (unsure_sectors_are_outlined_not_paled),
  };
  return RUN_TESTS (cases, argc, argv);
}
