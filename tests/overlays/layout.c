/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Texts: which are there, where they stand, and that none meets another. */
#include "require.h"
#include "scene.h"
#include "texts.h"

#include <math.h>

static const int sizes[][2] = { { 304, 304 }, { 640, 480 }, { 1920, 1080 },
  { 480, 640 }, { 1080, 1920 }, { 305, 431 }, { 1280, 400 } };
enum { N_SIZES = sizeof sizes / sizeof *sizes };

/* Calls check for every state, size and layout. */
typedef void (*Check) (
    CardiacOverlay *overlay, Scene *scene, const char *where);

static void
for_all (Check check)
{
  for (int layout = 0; layout < 2; layout++)
    for (int i = 0; i < N_SIZES; i++)
      for (int s = 0; s < CARDIAC_OVERLAY_N_STATES; s++) {
        CardiacOverlay *overlay = cardiac_overlay_new ();
        Scene scene;
        char where[96];
        scene_init (
            &scene, sizes[i][0], sizes[i][1], (CardiacOverlayLayout) layout);
        scene_set_state (&scene, (CardiacOverlayState) s);
        snprintf (where, sizeof where, "%s %dx%d %s",
            layout ? "panel" : "inside", sizes[i][0], sizes[i][1],
            scene_state_name ((CardiacOverlayState) s));
        check (overlay, &scene, where);
        cardiac_overlay_free (&overlay);
      }
}

static int
draw (CardiacOverlay *overlay, const Scene *scene,
    const CardiacOverlayText **texts)
{
  const CardiacOverlayRectangle *rectangles;
  int count = cardiac_overlay_draw_mreg (overlay, &scene->view, &rectangles);
  REQUIRE (count >= 1, "nothing drawn");
  return cardiac_overlay_texts (overlay, texts);
}

static void
canvas_of (const Scene *scene, int *width, int *height)
{
  *width = scene->view.picture_width;
  *height = scene->view.picture_height;
  if (scene->view.layout == CARDIAC_OVERLAY_PANEL)
    cardiac_overlay_panel_size (*width, *height, width, height);
}

static void
check_boxes (CardiacOverlay *overlay, Scene *scene, const char *where)
{
  const CardiacOverlayText *texts;
  int width, height, count = draw (overlay, scene, &texts);
  canvas_of (scene, &width, &height);
  CardiacOverlayBox canvas = { 0, 0, width, height };
  if (scene->view.layout == CARDIAC_OVERLAY_PANEL) {
    canvas.x = scene->view.picture_width;
    canvas.width -= canvas.x;
  }
  require_boxes_apart (texts, count, &canvas, where);
}

static void
no_text_leaves_its_box_or_meets_another (void)
{
  for_all (check_boxes);
}

static void
check_long (CardiacOverlay *overlay, Scene *scene, const char *where)
{
  CardiacMRegView *v = &scene->view;
  v->n_classes = 4;
  v->labels[0] = "none, trace or physiological regurgitation";
  v->labels[1] = "m\xc3\xa4\xc3\x9fige Undichtigkeit der Mitralklappe";
  v->labels[2] = "WWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWW";
  v->labels[3] = "severe\nin two\tlines \xff\xfe broken";
  v->thresholds[2] = 1.51;
  v->reason =
      "A very long reason that nobody could have foreseen, with many "
      "words that say the same thing again and again until every line of every "
      "box that was kept free for reasons is full, and then some more of them.";
  v->model_name = "a-model-with-a-name-that-is-much-too-long-for-any-line-"
                  "of-it";
  v->device = "some accelerator with a marketing name (tm) 9000 Ultra Max";
  v->nyquist = "between fifty-two and seventy centimetres per second";
  v->note = "frame rate assumed, colour range assumed, depth unknown, and more";
  v->age_s = 86400.0;
  check_boxes (overlay, scene, where);
}

static void
long_and_broken_texts_stay_in_their_boxes (void)
{
  for_all (check_long);
}

static void
check_size (CardiacOverlay *overlay, Scene *scene, const char *where)
{
  const CardiacOverlayText *texts;
  int width, height, count = draw (overlay, scene, &texts);
  canvas_of (scene, &width, &height);
  for (int i = 0; i < count; i++)
    REQUIRE (texts[i].size >= least_size (texts[i].role, height)
                 && texts[i].size >= 10.0,
        "%s: '%s' is %.1f px of %d", where, texts[i].text, texts[i].size,
        height);
}

static void
text_is_at_least_2_2_percent_of_the_height (void)
{
  for_all (check_size);
}

static void
check_permanent (CardiacOverlay *overlay, Scene *scene, const char *where)
{
  for (int enabled = 0; enabled < 2; enabled++) {
    const CardiacOverlayText *texts;
    scene->view.enabled = enabled;
    int count = draw (overlay, scene, &texts);
    require_permanent (texts, count, "SYNTHETIC WEIGHTS", where);
  }
}

static void
state_model_weights_and_marking_are_never_dropped (void)
{
  for_all (check_permanent);
}

static bool
mentions (const CardiacOverlayText *text, const char *word)
{
  return strstr (text->text, word) != NULL;
}

static void
check_withheld (CardiacOverlay *overlay, Scene *scene, const char *where)
{
  static const CardiacOverlayRole roles[] = { CARDIAC_OVERLAY_ROLE_GRADE,
    CARDIAC_OVERLAY_ROLE_CONFIDENCE, CARDIAC_OVERLAY_ROLE_VALUE,
    CARDIAC_OVERLAY_ROLE_SCALE, CARDIAC_OVERLAY_ROLE_CURVE };
  const CardiacOverlayText *texts;
  int count = draw (overlay, scene, &texts);
  bool graded = scene->view.state == CARDIAC_OVERLAY_RESULT
                || scene->view.state == CARDIAC_OVERLAY_UNSURE;
  if (graded) {
    const CardiacOverlayText *grade =
        find (texts, count, CARDIAC_OVERLAY_ROLE_GRADE);
    REQUIRE (grade && !grade->ellipsised, "%s: grade is missing or cut", where);
    return;
  }
  for (int i = 0; i < count; i++) {
    for (int r = 0; r < 5; r++)
      REQUIRE (texts[i].role != roles[r], "%s: '%s'", where, texts[i].text);
    for (int k = 0; k < scene->view.n_classes; k++)
      REQUIRE (!mentions (&texts[i], scene->view.labels[k]), "%s: '%s'", where,
          texts[i].text);
  }
  const CardiacOverlayRectangle *rectangles;
  int n = cardiac_overlay_draw_mreg (overlay, &scene->view, &rectangles);
  for (int i = 0; i < n; i++)
    REQUIRE (rectangles[i].piece != CARDIAC_OVERLAY_PIECE_CONTOUR
                 && rectangles[i].piece != CARDIAC_OVERLAY_PIECE_FILL
                 && rectangles[i].piece != CARDIAC_OVERLAY_PIECE_PLAYHEAD,
        "%s: marks of a withheld result", where);
}

static void
grade_is_drawn_in_result_and_unsure_only (void)
{
  for_all (check_withheld);
}

static void
check_reader_first (CardiacOverlay *overlay, Scene *scene, const char *where)
{
  const CardiacOverlayText *texts;
  scene->view.withhold_grade = true;
  int count = draw (overlay, scene, &texts);
  for (int i = 0; i < count; i++)
    for (int k = 0; k < scene->view.n_classes; k++)
      REQUIRE (!mentions (&texts[i], scene->view.labels[k]), "%s: '%s'", where,
          texts[i].text);
}

static void
reader_first_shows_no_grade (void)
{
  for_all (check_reader_first);
}

static void
check_words (CardiacOverlay *overlay, Scene *scene, const char *where)
{
  const CardiacOverlayText *texts;
  int count = draw (overlay, scene, &texts);
  for (int i = 0; i < count; i++) {
    REQUIRE (!mentions (&texts[i], "moderate-severe"), "%s", where);
    REQUIRE (!mentions (&texts[i], "%"), "%s: '%s'", where, texts[i].text);
  }
}

static void
no_percentages_and_no_moderate_severe (void)
{
  for_all (check_words);
}

static void
unsure_names_both_neighbours (void)
{
  CardiacOverlay *overlay = cardiac_overlay_new ();
  const CardiacOverlayText *texts;
  Scene scene;
  scene_init (&scene, 640, 480, CARDIAC_OVERLAY_PANEL);
  scene_set_state (&scene, CARDIAC_OVERLAY_UNSURE);
  int count = draw (overlay, &scene, &texts);
  const CardiacOverlayText *grade =
      find (texts, count, CARDIAC_OVERLAY_ROLE_GRADE);
  REQUIRE (strcmp (grade->text, "mild | \xe2\x89\xa5 moderate") == 0, "%s",
      grade->text);
  scene.view.value = 0.55;
  count = draw (overlay, &scene, &texts);
  grade = find (texts, count, CARDIAC_OVERLAY_ROLE_GRADE);
  REQUIRE (strcmp (grade->text, "none/trace | mild") == 0, "%s", grade->text);
  scene.view.unsure_low = 1;
  count = draw (overlay, &scene, &texts);
  grade = find (texts, count, CARDIAC_OVERLAY_ROLE_GRADE);
  REQUIRE (strcmp (grade->text, "mild | \xe2\x89\xa5 moderate") == 0, "%s",
      grade->text);
  cardiac_overlay_free (&overlay);
}

static void
untrained_weights_get_no_word_of_confidence (void)
{
  CardiacOverlay *overlay = cardiac_overlay_new ();
  const CardiacOverlayText *texts;
  Scene scene;
  scene_init (&scene, 640, 480, CARDIAC_OVERLAY_PANEL);
  int count = draw (overlay, &scene, &texts);
  REQUIRE (find (texts, count, CARDIAC_OVERLAY_ROLE_CONFIDENCE), "no word");
  scene.view.trained = false;
  count = draw (overlay, &scene, &texts);
  REQUIRE (!find (texts, count, CARDIAC_OVERLAY_ROLE_CONFIDENCE), "a word");
  const CardiacOverlayText *weights =
      find (texts, count, CARDIAC_OVERLAY_ROLE_WEIGHTS);
  REQUIRE (mentions (weights, "UNTRAINED WEIGHTS"), "%s", weights->text);
  cardiac_overlay_free (&overlay);
}

static void
result_without_labels_becomes_a_model_error (void)
{
  CardiacOverlay *overlay = cardiac_overlay_new ();
  const CardiacOverlayText *texts;
  Scene scene;
  scene_init (&scene, 640, 480, CARDIAC_OVERLAY_PANEL);
  scene.view.labels[2] = NULL;
  int count = draw (overlay, &scene, &texts);
  const CardiacOverlayText *state =
      find (texts, count, CARDIAC_OVERLAY_ROLE_STATE);
  REQUIRE (strcmp (state->text, "MODEL ERROR") == 0, "%s", state->text);
  cardiac_overlay_free (&overlay);
}

static void
odd_sizes_keep_texts_apart_and_pieces_on_the_canvas (void)
{
  static const int odd[][2] = { { 64, 64 }, { 65, 99 }, { 160, 120 },
    { 64, 1000 }, { 1000, 64 }, { 333, 777 }, { 2048, 128 }, { 720, 576 },
    { 3840, 2160 } };
  for (int i = 0; i < 9; i++)
    for (int layout = 0; layout < 2; layout++)
      for (int s = 0; s < CARDIAC_OVERLAY_N_STATES; s += i < 7 ? 1 : 5) {
        CardiacOverlay *overlay = cardiac_overlay_new ();
        const CardiacOverlayRectangle *rectangles;
        const CardiacOverlayText *texts;
        Scene scene;
        char where[64];
        int width, height;
        snprintf (where, sizeof where, "%dx%d layout %d state %d", odd[i][0],
            odd[i][1], layout, s);
        scene_init (
            &scene, odd[i][0], odd[i][1], (CardiacOverlayLayout) layout);
        scene_set_state (&scene, (CardiacOverlayState) s);
        check_boxes (overlay, &scene, where);
        canvas_of (&scene, &width, &height);
        int count =
            cardiac_overlay_draw_mreg (overlay, &scene.view, &rectangles);
        for (int r = 0; r < count; r++)
          REQUIRE (rectangles[r].x >= 0 && rectangles[r].y >= 0
                       && rectangles[r].x + rectangles[r].width <= width
                       && rectangles[r].y + rectangles[r].height <= height,
              "%s: piece %d leaves the canvas", where, rectangles[r].piece);
        count = cardiac_overlay_texts (overlay, &texts);
        const CardiacOverlayText *marking =
            find (texts, count, CARDIAC_OVERLAY_ROLE_MARKING);
        REQUIRE (marking && !marking->ellipsised, "%s: marking is cut", where);
        cardiac_overlay_free (&overlay);
      }
}

static void
panel_canvas_is_even_and_at_least_480_rows (void)
{
  for (int w = 64; w < 2000; w += 37)
    for (int h = 64; h < 2000; h += 41) {
      int cw, ch;
      REQUIRE (cardiac_overlay_panel_size (w, h, &cw, &ch), "%dx%d", w, h);
      REQUIRE (cw % 2 == 0 && ch % 2 == 0 && ch >= 480 && ch >= h
                   && cw - w >= 300
                   && cw - w == cardiac_overlay_panel_width (w, h),
          "%dx%d gives %dx%d", w, h, cw, ch);
    }
  int cw, ch;
  REQUIRE (!cardiac_overlay_panel_size (0, 480, &cw, &ch) && cw == 0, "0");
  REQUIRE (!cardiac_overlay_panel_size (640, 100000, &cw, &ch), "huge");
}

int
main (int argc, char **argv)
{
  static const TestCase cases[] = {
    TEST (no_text_leaves_its_box_or_meets_another),
    TEST (long_and_broken_texts_stay_in_their_boxes),
    TEST (text_is_at_least_2_2_percent_of_the_height),
    TEST (state_model_weights_and_marking_are_never_dropped),
    TEST (grade_is_drawn_in_result_and_unsure_only),
    TEST (reader_first_shows_no_grade),
    TEST (no_percentages_and_no_moderate_severe),
    TEST (unsure_names_both_neighbours),
    TEST (untrained_weights_get_no_word_of_confidence),
    TEST (result_without_labels_becomes_a_model_error),
    TEST (odd_sizes_keep_texts_apart_and_pieces_on_the_canvas),
    TEST (panel_canvas_is_even_and_at_least_480_rows),
  };
  return RUN_TESTS (cases, argc, argv);
}
