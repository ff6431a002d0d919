/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A real patient's stack, as DICOM and as NIfTI, and files that must end in a
 * message. Skipped where the data are absent. */

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "../require.h"
#include "levels.h"
#include "made-stack.h"

static const char *data;

static CineStack *
load (const char *name)
{
  CineError error;
  CineStack *stack = cine_stack_load (made_path (data, name), &error);

  if (!stack)
    printf ("%s\n", error.text);
  REQUIRE (stack != NULL);
  return stack;
}

#define PATIENT "cmr/SCD0000301/"

static void
dicom_and_nifti_give_the_same_stack (void)
{
  CineStack *a = load (PATIENT "dicom");
  CineStack *b = load (PATIENT "SCD0000301_sax_4d.nii.gz");
  size_t n = (size_t) a->width * a->height * a->slices * a->phases;

  REQUIRE (a->width == 256 && a->height == 256);
  REQUIRE (a->slices == 10 && a->phases == 20);
  REQUIRE (b->width == a->width && b->height == a->height);
  REQUIRE (b->slices == a->slices && b->phases == a->phases);
  REQUIRE (memcmp (a->pixels, b->pixels, n * sizeof *a->pixels) == 0);
  REQUIRE (fabs (a->cycle_ms - 923) < 0.01 && fabs (b->cycle_ms - 923) < 0.01);
  REQUIRE (a->base_known && b->base_known);
  for (int i = 0; i < 3; i++) {
    REQUIRE (fabs (a->row[i] - b->row[i]) < 1e-5);
    REQUIRE (fabs (a->column[i] - b->column[i]) < 1e-5);
    for (int s = 0; s < a->slices; s++)
      REQUIRE (fabs (a->slice[s].position_mm[i] - b->slice[s].position_mm[i])
               < 0.01);
  }
  for (int s = 0; s < a->slices; s++)
    REQUIRE (memcmp (a->slice[s].window, b->slice[s].window, 4) == 0);
  cine_stack_free (&a);
  cine_stack_free (&b);
}

/* Slices of the expert's side file, and contours of the label file. */
static void
levels_agree_with_the_expert (void)
{
  CineStack *stack = load (PATIENT "dicom");
  CineChoice by_file[CINE_LEVELS], alone[CINE_LEVELS];
  CineLevelOptions options;
  CineError error;

  cine_level_options_init (&options);
  REQUIRE (cine_choose_levels (stack, &options, alone, &error));
  options.file = made_path (data, PATIENT "landmarks.json");
  REQUIRE (cine_choose_levels (stack, &options, by_file, &error));
  for (int l = 0; l < CINE_LEVELS; l++) {
    const double *a = alone[l].points.lv_centre;
    const double *b = by_file[l].points.lv_centre;
    double off = hypot (a[0] - b[0], a[1] - b[1]) * stack->spacing_mm[0];

    REQUIRE (by_file[l].source == CINE_SOURCE_FILE);
    REQUIRE (alone[l].source == CINE_SOURCE_ESTIMATED);
    REQUIRE (alone[l].slice == by_file[l].slice);
    printf ("%s: LV centre off by %.1f mm\n", cine_level_name (l), off);
    REQUIRE (off < 5); /* a cavity is 25 mm wide or more */
  }
  options.file = NULL;
  options.segmentation =
      made_path (data, PATIENT "SCD0000301_label_ED_ES.nii.gz");
  REQUIRE (cine_choose_levels (stack, &options, alone, &error));
  for (int l = 0; l < CINE_LEVELS; l++)
    REQUIRE (
        hypot (alone[l].points.lv_centre[0] - by_file[l].points.lv_centre[0],
            alone[l].points.lv_centre[1] - by_file[l].points.lv_centre[1])
        < 1);
  cine_stack_free (&stack);
}

/* Printed for docs/cine-mr.md. */
static void
report_estimates (void)
{
  CineStack *stack = load (PATIENT "dicom");
  CineGiven given[CINE_LEVELS] = { { -1 }, { -1 }, { -1 } };
  CineFinding *findings = cine_find_in_pictures (stack);
  CineError error;

  REQUIRE (findings != NULL);
  REQUIRE (cine_landmarks_read (
      made_path (data, PATIENT "landmarks.json"), given, &error));
  for (int l = 0; l < CINE_LEVELS; l++) {
    const CinePoints *truth = &given[l].points;
    const CinePoints *found = &findings[given[l].slice].points;
    const double *pairs[2][2] = {
      { truth->rv_anterior, found->rv_anterior },
      { truth->rv_inferior, found->rv_inferior },
    };

    for (int i = 0; i < 2; i++) {
      double d[2][2], turn;

      for (int j = 0; j < 2; j++) {
        d[0][j] = pairs[i][0][j] - truth->lv_centre[j];
        d[1][j] = pairs[i][1][j] - found->lv_centre[j];
      }
      turn = atan2 (d[1][1], d[1][0]) - atan2 (d[0][1], d[0][0]);
      printf ("%s %s insertion: off by %.1f mm, %.0f degrees\n",
          cine_level_name (l), i ? "inferior" : "anterior",
          hypot (
              pairs[i][0][0] - pairs[i][1][0], pairs[i][0][1] - pairs[i][1][1])
              * stack->spacing_mm[0],
          remainder (turn, 2 * M_PI) * 180 / M_PI);
    }
  }
  free (findings);
  cine_stack_free (&stack);
}

static void
bad_files_end_in_their_message (void)
{
  static const struct {
    const char *name;
    CineProblem problem;
    const char *words;
  } cases[] = {
    { "cmr_one_slice_missing_phase", CINE_STACK_INCOMPLETE,
        "1 slice of 19 phases of the 20 that are announced, none between 379 "
        "and 471 ms" },
    { "u_mr_truncated.dcm", CINE_UNREADABLE, "is cut off" },
    { "u_no_pixel_data_24f.dcm", CINE_UNREADABLE, "holds no pixels" },
    { "d_cmr_3d_no_time.nii.gz", CINE_STACK_INCOMPLETE, "no time axis" },
    { "d_cmr_4d_truncated.nii.gz", CINE_UNREADABLE, "ends before" },
    { "d_a4c_corrupt_frame12.dcm", CINE_UNREADABLE, "no MR picture" },
    { "d_a4c_rows_0.dcm", CINE_UNREADABLE, "no MR picture" },
    { "d_a4c_trunc_in_header.dcm", CINE_UNREADABLE, "is cut off" },
    { "d_empty.dcm", CINE_UNREADABLE, "no DICOM header" },
    { "d_text_named.dcm", CINE_UNREADABLE, "no DICOM header" },
    { "u_rgb_rle_2f.dcm", CINE_UNREADABLE, "no MR picture" },
    { "u_us_bigendian_planar_rgb_1f.dcm", CINE_UNREADABLE, "no MR picture" },
    { "u_us_j2k_rct_1f.dcm", CINE_UNREADABLE, "no MR picture" },
    { "d_colour_trunc_half.mp4", CINE_UNREADABLE, "no DICOM header" },
  };

  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    const char *path = made_path (made_path (data, "bad"), cases[i].name);
    CineError error;

    REQUIRE (cine_stack_load (path, &error) == NULL);
    printf ("%s\n", error.text);
    REQUIRE (error.problem == cases[i].problem);
    REQUIRE (strstr (error.text, path) && strstr (error.text, cases[i].words));
  }
}

int
main (void)
{
  struct stat status;

  data = getenv ("GST_CARDIAC_TEST_DATA");
  if (!data && getenv ("CARDIAC_PROJECT_ROOT"))
    data = made_path (getenv ("CARDIAC_PROJECT_ROOT"), "../shared/data");
  if (!data || stat (made_path (data, PATIENT "dicom"), &status) < 0)
    SKIP ("no real stack in GST_CARDIAC_TEST_DATA (%s)", data ? data : "unset");
  dicom_and_nifti_give_the_same_stack ();
  levels_agree_with_the_expert ();
  report_estimates ();
  bad_files_end_in_their_message ();
  return 0;
}
