/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Levels and landmarks of made-up stacks, whose truth is known. */

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "../require.h"
#include "levels.h"
#include "made-stack.h"

static CineStack *
make (const char *name, const MadeOptions *options)
{
  const char *path = made_path (made_folder ("stacks"), name);
  MadeNifti o = { .stack = *options };
  CineError error;
  CineStack *stack;

  made_write_nifti (path, &o);
  stack = cine_stack_load (path, &error);
  REQUIRE (stack != NULL);
  return stack;
}

static const char *
write_text (const char *name, const char *text)
{
  const char *path = made_path (made_folder ("texts"), name);
  FILE *stream = fopen (path, "w");

  REQUIRE (stream != NULL);
  fputs (text, stream);
  fclose (stream);
  return path;
}

static double
distance (const double a[2], const double b[2])
{
  return hypot (a[0] - b[0], a[1] - b[1]);
}

static void
choose (CineStack *stack, const CineLevelOptions *options,
    CineChoice choices[CINE_LEVELS])
{
  CineError error;

  if (!cine_choose_levels (stack, options, choices, &error)) {
    printf ("%s\n", error.text);
    REQUIRE (false);
  }
}

static void
require_problem (CineStack *stack, const CineLevelOptions *options,
    CineProblem problem, const char *words)
{
  CineChoice choices[CINE_LEVELS];
  CineError error;

  REQUIRE (!cine_choose_levels (stack, options, choices, &error));
  printf ("%s\n", error.text);
  REQUIRE (error.problem == problem && strstr (error.text, words));
}

static const MadeOptions plain = { 0 };

static const char *const side_file =
    "{\"levels\": {"
    "\"basal\": {\"slice\": 1, \"lv_centre_xy\": [62.5, 46.5],"
    " \"rv_insertion_anterior_xy\": [50, 30],"
    " \"rv_insertion_inferior_xy\": [49.5, 60]},"
    "\"mid\": {\"slice\": 3, \"lv_centre_xy\": [64, 46]},"
    "\"apical\": {\"slice\": 6}}, \"by\": \"hand\"}";

static void
slices_are_thirds_of_the_lv (void)
{
  CineStack *stack = make ("thirds.nii", &plain);
  CineChoice choices[CINE_LEVELS];
  CineLevelOptions options;

  cine_level_options_init (&options);
  choose (stack, &options, choices);
  /* Seven slices without the apical cap. */
  REQUIRE (choices[CINE_BASAL].slice == 1);
  REQUIRE (choices[CINE_MID].slice == 3);
  REQUIRE (choices[CINE_APICAL].slice == 5);
  cine_stack_free (&stack);
}

/* A phantom is easier than a patient: this shows that the method works, not how
 * well (docs/cine-mr.md says that). */
static void
landmarks_are_found_in_the_pictures (bool mirrored)
{
  MadeOptions o = { .mirrored = mirrored };
  CineStack *stack = make ("found.nii", &o);
  CineFinding *findings = cine_find_in_pictures (stack);

  REQUIRE (findings != NULL);
  for (int s = 0; s < stack->slices; s++) {
    const CinePoints *found = &findings[s].points;
    double centre[2], radius, anterior[2], inferior[2];

    made_lv (&o, s, 0, centre, &radius);
    made_insertions (&o, s, anterior, inferior);
    /* NIfTI rows are turned so that pictures are seen from the apex. */
    if (stack->flipped) {
      centre[1] = MADE_HEIGHT - 1 - centre[1];
      anterior[1] = MADE_HEIGHT - 1 - anterior[1];
      inferior[1] = MADE_HEIGHT - 1 - inferior[1];
    }
    REQUIRE (found->has_centre && found->has_insertions);
    REQUIRE (distance (found->lv_centre, centre) < 1);
    REQUIRE (distance (found->rv_anterior, anterior) < 4);
    REQUIRE (distance (found->rv_inferior, inferior) < 4);
    REQUIRE (fabs (findings[s].lv_area_mm2 / (M_PI * radius * radius * 4) - 1)
             < 0.15);
  }
  free (findings);
  cine_stack_free (&stack);
}

static void
labels_give_landmarks_whatever_their_numbers (void)
{
  static const int numbers[][3] = { { 3, 2, 1 }, { 1, 2, 3 }, { 1, 2, 4 } };
  static const int unknown[3] = { 0, 0, 0 };
  CineStack *stack = make ("labelled.nii", &plain);

  for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
    const char *path = made_path (made_folder ("labels"), "labels.nii");
    MadeNifti o = {
      .labels = true, .rows_turned = i == 1, .slices_turned = i == 2
    };
    CineFinding *findings;
    CineError error;

    memcpy (o.label_numbers, numbers[i], sizeof numbers[i]);
    made_write_nifti (path, &o);
    findings = cine_find_by_labels (stack, path, unknown, &error);
    REQUIRE (findings != NULL);
    for (int s = 0; s < stack->slices; s++) {
      double centre[2], radius, anterior[2], inferior[2];

      made_lv (&plain, s, 0, centre, &radius);
      made_insertions (&plain, s, anterior, inferior);
      REQUIRE (distance (findings[s].points.lv_centre, centre) < 0.3);
      REQUIRE (findings[s].points.has_insertions);
      REQUIRE (distance (findings[s].points.rv_anterior, anterior) < 1.5);
      REQUIRE (distance (findings[s].points.rv_inferior, inferior) < 1.5);
    }
    free (findings);
  }
  cine_stack_free (&stack);
}

static void
labels_of_nothing_are_refused (void)
{
  const char *path = made_path (made_folder ("labels"), "empty.nii");
  CineStack *stack = make ("unlabelled.nii", &plain);
  MadeNifti o = { .labels = true };
  CineLevelOptions options;

  made_write_nifti (path, &o);
  cine_level_options_init (&options);
  options.segmentation = path;
  require_problem (stack, &options, CINE_BAD_SETTING, "has no LV");
  options.segmentation = made_path (made_folder ("labels"), "none.nii");
  require_problem (stack, &options, CINE_UNREADABLE, "none.nii");
  cine_stack_free (&stack);
}

static void
the_surest_source_of_each_point_is_taken (void)
{
  CineStack *stack = make ("sources.nii", &plain);
  CineChoice choices[CINE_LEVELS];
  CineLevelOptions options;

  cine_level_options_init (&options);
  options.file = write_text ("side.json", side_file);
  REQUIRE (cine_points_parse (
      "70,40, 50,30, 50,61", &options.property[CINE_APICAL].points));
  choose (stack, &options, choices);
  REQUIRE (choices[CINE_BASAL].slice == 1);
  REQUIRE (choices[CINE_BASAL].source == CINE_SOURCE_FILE);
  REQUIRE (choices[CINE_BASAL].points.rv_inferior[0] == 49.5);
  /* The centre of the file, insertions of the pictures. */
  REQUIRE (choices[CINE_MID].source == CINE_SOURCE_ESTIMATED);
  REQUIRE (choices[CINE_MID].points.lv_centre[0] == 64);
  REQUIRE (choices[CINE_APICAL].slice == 6);
  REQUIRE (choices[CINE_APICAL].source == CINE_SOURCE_PROPERTY);
  REQUIRE (choices[CINE_APICAL].points.rv_inferior[1] == 61);

  options.estimate = false;
  choose (stack, &options, choices);
  REQUIRE (choices[CINE_MID].source == CINE_SOURCE_NONE);
  cine_stack_free (&stack);
}

/* Points of a side file belong to its slice. */
static void
points_of_another_slice_are_not_used (void)
{
  CineStack *stack = make ("other.nii", &plain);
  CineChoice choices[CINE_LEVELS];
  CineLevelOptions options;

  cine_level_options_init (&options);
  options.file = write_text ("side.json", side_file);
  options.property[CINE_BASAL].slice = 2;
  choose (stack, &options, choices);
  REQUIRE (choices[CINE_BASAL].slice == 2);
  REQUIRE (choices[CINE_BASAL].source == CINE_SOURCE_ESTIMATED);
  cine_stack_free (&stack);
}

/* A file whose rows run upwards: its points are given as it stores them. */
static void
points_follow_rows_that_are_turned (void)
{
  const char *path = made_path (made_folder ("stacks"), "turned.nii");
  MadeNifti o = { .rows_turned = true };
  CineChoice choices[CINE_LEVELS];
  CineLevelOptions options;
  CineError error;
  CineStack *stack;

  made_write_nifti (path, &o);
  stack = cine_stack_load (path, &error);
  REQUIRE (stack && stack->flipped);
  cine_level_options_init (&options);
  REQUIRE (cine_points_parse ("60,10", &options.property[CINE_BASAL].points));
  choose (stack, &options, choices);
  REQUIRE (choices[CINE_BASAL].points.lv_centre[1] == MADE_HEIGHT - 1 - 10);
  cine_stack_free (&stack);
}

static void
set_slices (CineLevelOptions *options)
{
  for (int l = 0; l < CINE_LEVELS; l++)
    options->property[l].slice = 1 + 2 * l;
}

static void
base_and_apex_that_cannot_be_told_apart_are_unknown (void)
{
  MadeOptions o = { .upside_down = true };
  const char *labels = made_path (made_folder ("labels"), "upside-down.nii");
  MadeNifti l = { .labels = true, .stack = o, .label_numbers = { 1, 2, 3 } };
  CineStack *stack = make ("upside-down.nii", &o);
  CineChoice choices[CINE_LEVELS];
  CineLevelOptions options;

  cine_level_options_init (&options);
  require_problem (stack, &options, CINE_LEVEL_UNKNOWN, "times larger");
  made_write_nifti (labels, &l);
  options.segmentation = labels;
  require_problem (stack, &options, CINE_LEVEL_UNKNOWN, "times larger");
  set_slices (&options);
  choose (stack, &options, choices);
  REQUIRE (choices[CINE_APICAL].slice == 5);
  cine_stack_free (&stack);

  o = plain;
  o.turned = true;
  stack = make ("long-axis.nii", &o);
  cine_level_options_init (&options);
  require_problem (stack, &options, CINE_LEVEL_UNKNOWN, "not short-axis");
  cine_stack_free (&stack);
}

static void
a_file_without_orientation_needs_slices_by_hand (void)
{
  const char *path = made_path (made_folder ("stacks"), "nowhere.nii");
  MadeNifti o = { .no_affine = true };
  CineChoice choices[CINE_LEVELS];
  CineLevelOptions options;
  CineError error;
  CineStack *stack;

  made_write_nifti (path, &o);
  stack = cine_stack_load (path, &error);
  REQUIRE (stack && !stack->has_geometry);
  cine_level_options_init (&options);
  require_problem (stack, &options, CINE_LEVEL_UNKNOWN, "sform and qform");
  set_slices (&options);
  choose (stack, &options, choices);
  REQUIRE (choices[CINE_BASAL].source == CINE_SOURCE_ESTIMATED);
  cine_stack_free (&stack);
}

static void
settings_that_do_not_fit_are_refused (void)
{
  CineStack *stack = make ("settings.nii", &plain);
  CineLevelOptions options;

  cine_level_options_init (&options);
  options.property[CINE_MID].slice = 8;
  require_problem (stack, &options, CINE_BAD_SETTING, "mid slice is set to 8");
  cine_level_options_init (&options);
  REQUIRE (cine_points_parse (
      "300,40,50,30,50,60", &options.property[CINE_MID].points));
  require_problem (stack, &options, CINE_BAD_SETTING, "outside the picture");
  cine_level_options_init (&options);
  options.property[CINE_BASAL].slice = 6; /* the others are chosen: 3 and 5 */
  require_problem (stack, &options, CINE_BAD_SETTING, "are 6, 3 and 5");
  cine_level_options_init (&options);
  options.property[CINE_MID].slice = 5; /* that of the apical level */
  require_problem (stack, &options, CINE_BAD_SETTING, "three different ones");
  cine_stack_free (&stack);
}

static void
malformed_side_files_are_refused (void)
{
  static const struct {
    const char *text, *words;
  } cases[] = {
    { "", "is not JSON" },
    { "[1, 2", "is not JSON" },
    { "{\"levels\": {\"mid\": {}, \"mid\": {}}}", "is not JSON" },
    { "{}", "has no object 'levels'" },
    { "{\"levels\": {\"Basal\": {}}}", "names none" },
    { "{\"levels\": {\"mid\": 3}}", "'mid' is not an object" },
    { "{\"levels\": {\"mid\": {\"rv_insertion_anterior_xy\": [1, 2]}}}",
        "only one RV insertion" },
    { "{\"levels\": {\"mid\": {\"slice\": -1}}}", "'slice' of level 'mid'" },
    { "{\"levels\": {\"mid\": {\"slice\": 1.5}}}", "'slice' of level 'mid'" },
    { "{\"levels\": {\"mid\": {\"lv_centre_xy\": [1]}}}", "'lv_centre_xy'" },
    { "{\"levels\": {\"mid\": {\"rv_insertion_anterior_xy\": [1, \"2\"]}}}",
        "'rv_insertion_anterior_xy'" },
  };
  CineStack *stack = make ("malformed.nii", &plain);
  CineLevelOptions options;

  cine_level_options_init (&options);
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    options.file = write_text ("malformed.json", cases[i].text);
    require_problem (stack, &options, CINE_UNREADABLE, cases[i].words);
  }
  options.file = "/no/such/file.json";
  require_problem (stack, &options, CINE_NOT_FOUND, options.file);
  cine_stack_free (&stack);
}

static void
points_are_six_numbers_or_two (void)
{
  static const char *const wrong[] = { "", "1", "1,2,3", "1,2,3,4", "1,2,3,4,5",
    "1,2,3,4,5,6,7", "a,b", "1,2,", "1;2", "nan,1", "1,2,3,4,5,x" };
  CinePoints points;

  for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
    REQUIRE (!cine_points_parse (wrong[i], &points));
  REQUIRE (cine_points_parse (" 1.5, -2 ", &points));
  REQUIRE (points.has_centre && !points.has_insertions);
  REQUIRE (points.lv_centre[0] == 1.5 && points.lv_centre[1] == -2);
}

int
main (void)
{
  slices_are_thirds_of_the_lv ();
  landmarks_are_found_in_the_pictures (false);
  landmarks_are_found_in_the_pictures (true);
  labels_give_landmarks_whatever_their_numbers ();
  labels_of_nothing_are_refused ();
  the_surest_source_of_each_point_is_taken ();
  points_of_another_slice_are_not_used ();
  points_follow_rows_that_are_turned ();
  base_and_apex_that_cannot_be_told_apart_are_unknown ();
  a_file_without_orientation_needs_slices_by_hand ();
  settings_that_do_not_fit_are_refused ();
  malformed_side_files_are_refused ();
  points_are_six_numbers_or_two ();
  return 0;
}
