/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Words about wall motion: which are there, where, and when. */
#include "mmsa-scene.h"
#include "pixel.h"
#include "require.h"
#include "scene.h"
#include "texts.h"

#include <math.h>

static const int sizes[][2] = { { 1200, 400 }, { 768, 256 }, { 600, 200 },
  { 1920, 640 }, { 1192, 383 }, { 640, 480 }, { 256, 256 }, { 480, 640 },
  { 192, 80 } };
enum { N_SIZES = sizeof sizes / sizeof *sizes };

typedef void (*Check) (
    CardiacOverlay *overlay, MmsaScene *scene, const char *where);

/* Calls check for every state, size and layout. */
static void
for_all (Check check)
{
  for (int layout = 0; layout < 2; layout++)
    for (int i = 0; i < N_SIZES; i++) {
      CardiacOverlay *overlay = cardiac_overlay_new ();
      for (int s = 0; s < CARDIAC_OVERLAY_N_STATES; s++) {
        MmsaScene scene;
        char where[96];
        mmsa_scene_init (
            &scene, sizes[i][0], sizes[i][1], (CardiacOverlayLayout) layout);
        mmsa_scene_set_state (&scene, (CardiacOverlayState) s);
        snprintf (where, sizeof where, "%s %dx%d %s",
            layout ? "panel" : "inside", sizes[i][0], sizes[i][1],
            scene_state_name ((CardiacOverlayState) s));
        check (overlay, &scene, where);
      }
      cardiac_overlay_free (&overlay);
    }
}

static int
draw (CardiacOverlay *overlay, const MmsaScene *scene,
    const CardiacOverlayText **texts)
{
  const CardiacOverlayRectangle *rectangles;
  int count = cardiac_overlay_draw_mmsa (overlay, &scene->view, &rectangles);
  REQUIRE (count >= 1, "nothing drawn");
  return cardiac_overlay_texts (overlay, texts);
}

static void
check_boxes (CardiacOverlay *overlay, MmsaScene *scene, const char *where)
{
  const CardiacOverlayText *texts;
  int width, height, count = draw (overlay, scene, &texts);
  mmsa_scene_canvas (scene, &width, &height);
  CardiacOverlayBox canvas = { 0, 0, width, height };
  /* A strip lies over what it has to cover; digits of dots may be below. */
  if (scene->view.layout == CARDIAC_OVERLAY_INSIDE)
    scene->view.hide_marks = true;
  count = draw (overlay, scene, &texts);
  require_boxes_apart (texts, count, &canvas, where);
}

static void
no_word_leaves_its_box_or_meets_another (void)
{
  for_all (check_boxes);
}

static void
check_long (CardiacOverlay *overlay, MmsaScene *scene, const char *where)
{
  CardiacMmsaView *v = &scene->view;
  v->reason =
      "A very long reason that nobody could have foreseen, with many words "
      "that say the same thing again and again until every line of every box "
      "that was kept free for reasons is full,\nand then \xff\xfe some more.";
  v->model_name = "a-model-with-a-name-that-is-much-too-long-for-any-line-"
                  "of-it";
  v->device = "some accelerator with a marketing name (tm) 9000 Ultra Max";
  v->landmarks = "landmarks from a file with a name that nobody can remember";
  v->note = "cycle length assumed, spacing unknown, and a few more remarks";
  v->age_s = 86400.0;
  for (int i = 0; i < CARDIAC_OVERLAY_SLICES; i++) {
    v->slices[i].slice = 9999;
    v->slices[i].phases = 9999;
    v->slices[i].phase = 9998;
  }
  check_boxes (overlay, scene, where);
}

static void
long_words_stay_in_their_boxes (void)
{
  for_all (check_long);
}

static void
check_size (CardiacOverlay *overlay, MmsaScene *scene, const char *where)
{
  const CardiacOverlayText *texts;
  int width, height, count = draw (overlay, scene, &texts);
  mmsa_scene_canvas (scene, &width, &height);
  bool panel = scene->view.layout == CARDIAC_OVERLAY_PANEL;
  if (!panel && (height < 140 || width < 130))
    return; /* a thumbnail: words shrink with it */
  for (int i = 0; i < count; i++) {
    CardiacOverlayRole role = texts[i].role;
    /* Digits of a small map follow its rings. */
    bool map = role == CARDIAC_OVERLAY_ROLE_SCORE
               || role == CARDIAC_OVERLAY_ROLE_CENTRE;
    double least = map ? 0.01 * height : least_size (role, height);
    REQUIRE (texts[i].size >= least && texts[i].size >= (map ? 7.0 : 9.99),
        "%s: '%s' is %.1f px of %d", where, texts[i].text, texts[i].size,
        height);
  }
}

static void
words_are_large_enough_to_be_read (void)
{
  for_all (check_size);
}

static void
check_permanent (CardiacOverlay *overlay, MmsaScene *scene, const char *where)
{
  for (int i = 0; i < 3; i++) {
    const CardiacOverlayText *texts;
    scene->view.enabled = i != 1;
    scene->view.hide_marks = i == 2;
    scene->view.trained = i != 2;
    int count = draw (overlay, scene, &texts);
    require_permanent (texts, count,
        scene->view.trained ? "SYNTHETIC WEIGHTS" : "UNTRAINED WEIGHTS", where);
  }
}

static void
state_model_weights_and_marking_stay (void)
{
  for_all (check_permanent);
}

/* No patch of a score's colour; single pixels of it are edges of letters. */
static void
require_no_colours (const CardiacOverlayRectangle *piece, const char *where)
{
  CardiacMmsaPalette palette;
  cardiac_mmsa_palette_init (&palette);
  for (int s = 0; s < 5; s++) {
    uint32_t score = 0xff;
    long same = 0;
    for (int c = 0; c < 3; c++)
      score = score << 8 | (uint32_t) lrint (255 * palette.rgb[s][c]);
    for (int y = 0; y < piece->height; y++)
      for (int x = 0; x < piece->width; x++)
        same += pixel (piece->surface, x, y) == score;
    REQUIRE (same < 40, "%s: %ld pixels of score %d", where, same, s);
  }
}

/* Neither in pixels nor in words. */
static void
require_no_scores (
    CardiacOverlay *overlay, const MmsaScene *scene, const char *where)
{
  const CardiacOverlayRectangle *rectangles;
  const CardiacOverlayText *texts;
  int n = cardiac_overlay_draw_mmsa (overlay, &scene->view, &rectangles);
  for (int i = 0; i < n; i++) {
    REQUIRE (rectangles[i].piece != CARDIAC_OVERLAY_PIECE_MOTION,
        "%s: motion of a withheld result", where);
    require_no_colours (&rectangles[i], where);
  }
  int count = cardiac_overlay_texts (overlay, &texts);
  for (int i = 0; i < count; i++)
    REQUIRE (texts[i].role != CARDIAC_OVERLAY_ROLE_SCORE
                 && texts[i].role != CARDIAC_OVERLAY_ROLE_INDEX
                 && !strstr (texts[i].text, "/16"),
        "%s: '%s'", where, texts[i].text);
}

static void
check_withheld (CardiacOverlay *overlay, MmsaScene *scene, const char *where)
{
  const CardiacOverlayText *texts;
  bool found = scene->view.state == CARDIAC_OVERLAY_RESULT
               || scene->view.state == CARDIAC_OVERLAY_UNSURE;
  if (found) {
    int count = draw (overlay, scene, &texts);
    REQUIRE (
        find (texts, count, CARDIAC_OVERLAY_ROLE_INDEX), "%s: no index", where);
    scene->view.withhold_scores = true;
    require_no_scores (overlay, scene, where);
    scene->view.withhold_scores = false;
    scene->view.enabled = false;
  }
  require_no_scores (overlay, scene, where);
}

static void
scores_are_drawn_in_result_and_unsure_only (void)
{
  for_all (check_withheld);
}

static const CardiacOverlayText *
text_that_says (const CardiacOverlayText *texts, int count, const char *words)
{
  for (int i = 0; i < count; i++)
    if (strcmp (texts[i].text, words) == 0)
      return &texts[i];
  return NULL;
}

static void
index_is_the_mean_of_the_scored_segments (void)
{
  CardiacOverlay *overlay = cardiac_overlay_new ();
  const CardiacOverlayText *texts;
  MmsaScene scene;
  mmsa_scene_init (&scene, 1200, 400, CARDIAC_OVERLAY_PANEL);
  static const uint8_t scores[CARDIAC_OVERLAY_SEGMENTS] = { 1, 1, 1, 2, 2, 2, 3,
    0, 0, 0, 3, 4, 4, 1, 1, 1 }; /* 26 of 13 */
  memcpy (scene.view.scores, scores, sizeof scores);
  int count = draw (overlay, &scene, &texts);
  REQUIRE (text_that_says (texts, count, "2.00"), "no 2.00");
  REQUIRE (text_that_says (texts, count, "13/16 scored"), "no 13/16");
  REQUIRE (text_that_says (texts, count, "13/16 SCORED"), "no state");

  scene.view.least_scored = 14;
  count = draw (overlay, &scene, &texts);
  REQUIRE (!text_that_says (texts, count, "2.00"), "an index");
  REQUIRE (text_that_says (texts, count, "13/16 scored, 14 needed"), "why not");

  scene.view.least_scored = 1;
  scene.view.withhold_index = true;
  count = draw (overlay, &scene, &texts);
  REQUIRE (!text_that_says (texts, count, "2.00"), "an index of its own");

  scene.view.withhold_index = false;
  memset (scene.view.scores, 3, sizeof scores);
  count = draw (overlay, &scene, &texts);
  REQUIRE (text_that_says (texts, count, "3.00"), "no 3.00");
  REQUIRE (text_that_says (texts, count, "RESULT"), "no RESULT");
  cardiac_overlay_free (&overlay);
}

static void
a_result_without_scores_is_a_model_error (void)
{
  CardiacOverlay *overlay = cardiac_overlay_new ();
  const CardiacOverlayText *texts;
  MmsaScene scene;
  mmsa_scene_init (&scene, 1200, 400, CARDIAC_OVERLAY_PANEL);
  for (int i = 0; i < 2; i++) {
    memset (scene.view.scores, i ? 200 : 0, sizeof scene.view.scores);
    int count = draw (overlay, &scene, &texts);
    REQUIRE (text_that_says (texts, count, "MODEL ERROR"), "scores of %d", i);
    require_no_scores (overlay, &scene, "no scores");
  }
  cardiac_overlay_free (&overlay);
}

static void
each_slice_says_level_number_and_phase (void)
{
  CardiacOverlay *overlay = cardiac_overlay_new ();
  const CardiacOverlayText *texts;
  MmsaScene scene;
  mmsa_scene_init (&scene, 1200, 400, CARDIAC_OVERLAY_PANEL);
  mmsa_scene_set_phase (&scene, 19);
  int count = draw (overlay, &scene, &texts);
  static const char *words[] = { "basal", "slice 1 \xc2\xb7 phase 20/20", "mid",
    "slice 4 \xc2\xb7 phase 20/20", "apical", "slice 7 \xc2\xb7 phase 20/20" };
  for (int i = 0; i < 6; i++) {
    const CardiacOverlayText *text = text_that_says (texts, count, words[i]);
    const CardiacOverlayBox *slice = &scene.view.slices[i / 2].rectangle;
    REQUIRE (text, "no '%s'", words[i]);
    REQUIRE (text->ink.x >= slice->x
                 && text->ink.x + text->ink.width <= slice->x + slice->width
                 && text->ink.y >= slice->y + slice->height,
        "'%s' is not below its slice", words[i]);
  }
  cardiac_overlay_free (&overlay);
}

static void
the_panel_covers_nothing_of_the_slices (void)
{
  for (int i = 0; i < N_SIZES; i++) {
    CardiacOverlay *overlay = cardiac_overlay_new ();
    const CardiacOverlayRectangle *rectangles;
    MmsaScene scene;
    int width, height, w = sizes[i][0], h = sizes[i][1];
    mmsa_scene_init (&scene, w, h, CARDIAC_OVERLAY_PANEL);
    scene.view.hide_marks = true;
    mmsa_scene_canvas (&scene, &width, &height);
    REQUIRE (width % 2 == 0 && height % 2 == 0, "%dx%d", width, height);
    int n = cardiac_overlay_draw_mmsa (overlay, &scene.view, &rectangles);
    for (int r = 0; r < n; r++) {
      const CardiacOverlayRectangle *piece = &rectangles[r];
      REQUIRE (piece->x >= w || piece->y >= h, "%dx%d: piece %d at %d %d", w, h,
          piece->piece, piece->x, piece->y);
      REQUIRE (piece->x + piece->width <= width
                   && piece->y + piece->height <= height,
          "%dx%d: piece %d leaves the canvas", w, h, piece->piece);
      for (int y = 0; y < piece->height; y++)
        for (int x = 0; x < piece->width; x++)
          REQUIRE (pixel (piece->surface, x, y) >> 24 == 255, "a hole");
    }
    cardiac_overlay_free (&overlay);
  }
}

int
main (int argc, char **argv)
{
  static const TestCase cases[] = {
    TEST (no_word_leaves_its_box_or_meets_another),
    TEST (long_words_stay_in_their_boxes),
    TEST (words_are_large_enough_to_be_read),
    TEST (state_model_weights_and_marking_stay),
    TEST (scores_are_drawn_in_result_and_unsure_only),
    TEST (index_is_the_mean_of_the_scored_segments),
    TEST (a_result_without_scores_is_a_model_error),
    TEST (each_slice_says_level_number_and_phase),
    TEST (the_panel_covers_nothing_of_the_slices),
  };
  return RUN_TESTS (cases, argc, argv);
}
