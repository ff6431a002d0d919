/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Stacks that are made up, written in many ways: whatever the way, the pixels,
 * their order and their place are known. */

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../require.h"
#include "cine.h"
#include "made-stack.h"

static const MadeOptions plain = { 0 };

static CineStack *
load (const char *location)
{
  CineError error;
  CineStack *stack = cine_stack_load (location, &error);

  if (!stack)
    printf ("%s [%s]\n", error.text, error.detail);
  REQUIRE (stack != NULL);
  return stack;
}

/* Fails to load with this problem and a sentence that holds these words. */
static void
require_problem (
    const char *location, CineProblem problem, const char *a, const char *b)
{
  CineError error;
  CineStack *stack = cine_stack_load (location, &error);

  REQUIRE (stack == NULL);
  printf ("%s\n", error.text);
  REQUIRE (error.problem == problem);
  REQUIRE (strstr (error.text, a) != NULL);
  REQUIRE (strstr (error.text, b) != NULL);
}

static void
require_pixels (const CineStack *stack, const MadeOptions *options)
{
  REQUIRE (stack->width == MADE_WIDTH && stack->height == MADE_HEIGHT);
  REQUIRE (stack->slices == MADE_SLICES && stack->phases == MADE_PHASES);
  for (int s = 0; s < stack->slices; s++)
    for (int p = 0; p < stack->phases; p++) {
      const uint16_t *pixel = cine_picture (stack, s, p);

      for (int y = 0; y < MADE_HEIGHT; y++)
        for (int x = 0; x < MADE_WIDTH; x++)
          REQUIRE (*pixel++ == made_grey (options, s, p, x, y));
    }
}

static void
require_place (const CineStack *stack, const MadeOptions *options)
{
  double row[3], column[3], position[3];

  REQUIRE (stack->has_geometry && stack->base_known);
  REQUIRE (fabs (stack->spacing_mm[0] - made_spacing_mm) < 1e-4);
  REQUIRE (fabs (stack->gap_mm - made_gap_mm) < 1e-3);
  made_axes (options, row, column);
  for (int i = 0; i < 3; i++) {
    REQUIRE (fabs (stack->row[i] - row[i]) < 1e-5);
    REQUIRE (fabs (stack->column[i] - column[i]) < 1e-5);
  }
  for (int s = 0; s < stack->slices; s++) {
    made_position (options, s, position);
    for (int i = 0; i < 3; i++)
      REQUIRE (fabs (stack->slice[s].position_mm[i] - position[i]) < 1e-2);
  }
}

static void
require_times (const CineStack *stack)
{
  REQUIRE (stack->timing == CINE_TIMING_TRIGGER);
  REQUIRE (fabs (stack->cycle_ms - made_cycle_ms) < 0.01);
  for (int p = 0; p < stack->phases; p++)
    REQUIRE (
        fabs (stack->times_ms[p] - p * made_cycle_ms / MADE_PHASES) < 0.01);
}

static void
require_same (const char *location, const MadeOptions *options)
{
  CineStack *stack = load (location);

  require_pixels (stack, options);
  require_place (stack, options);
  require_times (stack);
  cine_stack_free (&stack);
  REQUIRE (stack == NULL);
}

static void
require_same_dicom (const char *name, const MadeOptions *options)
{
  const char *folder = made_folder (name);

  made_write_dicom (folder, options);
  require_same (folder, options);
}

static void
a_directory_is_ordered_by_geometry_whatever_its_names (void)
{
  MadeOptions o = plain;

  require_same_dicom ("shuffled", &o);
  o.reversed_names = true;
  require_same_dicom ("reversed", &o);
  o.series_a_slice = true;
  require_same_dicom ("series", &o);
  o.mirrored = true;
  require_same_dicom ("mirrored", &o);
}

static void
every_way_of_writing_gives_the_same_pixels (void)
{
  const char *enhanced = made_path (made_folder ("enhanced"), "one");
  MadeOptions o = plain;

  o.syntax = MADE_IMPLICIT;
  require_same_dicom ("implicit", &o);
  o.syntax = MADE_RLE;
  require_same_dicom ("rle", &o);
  made_write_enhanced (enhanced, &plain);
  require_same (enhanced, &plain);
}

static void
require_same_nifti (const char *name, const MadeNifti *o)
{
  const char *path = made_path (made_folder ("nifti"), name);
  MadeOptions shown = o->stack;

  made_write_nifti (path, o);
  require_same (path, &shown);
}

static void
nifti_axes_are_told_by_the_affine (void)
{
  MadeNifti o = { 0 };
  char command[600];
  const char *path;

  require_same_nifti ("plain.nii", &o);
  o.quaternion = true;
  require_same_nifti ("quaternion.nii", &o);
  o.rows_turned = true;
  require_same_nifti ("rows.nii", &o);
  o.quaternion = false;
  o.slices_turned = true;
  require_same_nifti ("both.nii", &o);
  o.slices_first = true;
  require_same_nifti ("slices-first.nii", &o);

  path = made_path (made_folder ("nifti"), "both.nii");
  snprintf (command, sizeof command, "gzip -kf '%s'", path);
  if (system (command) == 0)
    require_same (made_path (made_folder ("nifti"), "both.nii.gz"), &o.stack);
}

static CineStack *
load_dicom (const char *name, const MadeOptions *options)
{
  const char *folder = made_folder (name);

  made_write_dicom (folder, options);
  return load (folder);
}

static bool
has_note (const CineStack *stack, const char *words)
{
  for (int i = 0; i < stack->n_notes; i++)
    if (strstr (stack->notes[i], words))
      return true;
  return false;
}

static void
each_slice_keeps_its_own_trigger_times (void)
{
  MadeOptions o = plain;
  CineStack *stack;

  o.late = true;
  stack = load_dicom ("late", &o);
  require_times (stack);
  REQUIRE (fabs (stack->slice[3].trigger_ms[0] - 25) < 0.01);
  REQUIRE (fabs (stack->slice[3].trigger_ms[1] - 115) < 0.01);
  cine_stack_free (&stack);
}

static void
phases_are_ordered_by_instance_where_triggers_are_missing (void)
{
  MadeOptions o = plain;
  CineStack *stack;

  o.no_triggers = true;
  stack = load_dicom ("instances", &o);
  require_pixels (stack, &o);
  REQUIRE (stack->timing == CINE_TIMING_INTERVAL);
  REQUIRE (fabs (stack->times_ms[5] - made_cycle_ms / 2) < 0.01);
  REQUIRE (has_note (stack, "instance number"));
  cine_stack_free (&stack);

  o.no_triggers = false;
  o.same_triggers = o.no_interval = true;
  stack = load_dicom ("timeless", &o);
  require_pixels (stack, &o);
  REQUIRE (stack->timing == CINE_TIMING_ASSUMED);
  REQUIRE (stack->cycle_ms == 1000 && has_note (stack, "1 s"));
  cine_stack_free (&stack);
}

static void
trigger_times_that_are_no_cycle_are_not_used (void)
{
  const double stretches[] = { 1e-6, 1e4 };
  MadeOptions o = plain;

  for (int i = 0; i < 2; i++) {
    CineStack *stack;

    o.stretch = stretches[i];
    stack = load_dicom (i ? "slow" : "fast", &o);
    require_pixels (stack, &o);
    REQUIRE (stack->timing == CINE_TIMING_INTERVAL);
    REQUIRE (fabs (stack->cycle_ms - made_cycle_ms) < 0.01);
    REQUIRE (has_note (stack, "no heart's cycle"));
    cine_stack_free (&stack);
  }
}

static void
overwrite (const char *path, long at, const void *bytes, size_t n)
{
  FILE *stream = fopen (path, "r+b");

  REQUIRE (stream && fseek (stream, at, SEEK_SET) == 0);
  REQUIRE (fwrite (bytes, 1, n, stream) == n && fclose (stream) == 0);
}

/* A column of the affine: the step along the picture's columns. */
static void
write_with_step (const char *path, float mm)
{
  const MadeNifti o = { 0 };
  float step[3] = { mm, 0, 0 };

  made_write_nifti (path, &o);
  for (int i = 0; i < 3; i++)
    overwrite (path, 280 + 16 * i, &step[i], sizeof (float));
}

/* Of what a header claims, before any value is read: the file holds far fewer
 * than it claims, and that would be said otherwise. */
static void
a_nifti_header_is_checked_before_its_values (void)
{
  static const struct {
    int16_t dim[8], type;
    float offset;
    const char *a, *b;
  } cases[] = {
    { { 4, 1024, 1024, 16, 17, 1, 1, 1 }, 4, 352, "too large",
        "1024 x 1024 x 16 x 17 values, 544 MiB of 16 bits each; at most 512" },
    { { 4, 1024, 1024, 16, 16, 1, 1, 1 }, 4, 352, "damaged", "ends before" },
    { { 5, 112, 96, 8, 10, 2, 1, 1 }, 4, 352, "damaged", "expected columns" },
    { { 4, 112, -96, 8, 10, 1, 1, 1 }, 4, 352, "damaged", "112 x -96 x 8" },
    { { 4, 112, 96, 8, 10, 1, 1, 1 }, 32, 352, "damaged", "type COMPLEX64" },
    { { 4, 112, 96, 8, 10, 1, 1, 1 }, 4, 1e9f, "damaged", "from byte 1e+09" },
  };
  const char *path = made_path (made_folder ("nifti"), "claims.nii");
  const MadeNifti o = { 0 };

  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    made_write_nifti (path, &o);
    overwrite (path, 40, cases[i].dim, sizeof cases[i].dim);
    overwrite (path, 70, &cases[i].type, 2);
    overwrite (path, 108, &cases[i].offset, sizeof (float));
    require_problem (path, CINE_UNREADABLE, path, cases[i].a);
    require_problem (path, CINE_UNREADABLE, path, cases[i].b);
  }
}

static void
pixels_of_no_size_are_an_error (void)
{
  const char *path = made_path (made_folder ("nifti"), "sizes.nii");
  const float steps[] = { 0, 1e-20f, 1e-3f, 1e4f, 1e30f };

  for (int i = 0; i < 5; i++) {
    write_with_step (path, steps[i]);
    require_problem (path, CINE_UNREADABLE, path, "expected 0.05 to 50 mm");
  }
}

static void
names_of_any_bytes_give_sentences_of_text (void)
{
  require_problem (made_path (made_folder ("names"), "M\xfcller\n"),
      CINE_NOT_FOUND, "M\\xfcller\\x0a", "there is no");
}

static double
get_nifti_cycle (double step, int units, CineTiming timing)
{
  const char *path = made_path (made_folder ("nifti"), "times.nii");
  MadeNifti o = { 0 };
  CineStack *stack;
  double cycle;

  o.step = step;
  o.units = units;
  made_write_nifti (path, &o);
  stack = load (path);
  REQUIRE (stack->timing == timing);
  cycle = stack->cycle_ms;
  cine_stack_free (&stack);
  return cycle;
}

static void
only_believable_nifti_times_are_believed (void)
{
  REQUIRE (fabs (get_nifti_cycle (80, 16, CINE_TIMING_TRIGGER) - 800) < 0.1);
  REQUIRE (fabs (get_nifti_cycle (0.08, -1, CINE_TIMING_TRIGGER) - 800) < 0.1);
  REQUIRE (fabs (get_nifti_cycle (80, -1, CINE_TIMING_TRIGGER) - 800) < 0.1);
  REQUIRE (get_nifti_cycle (1, 8, CINE_TIMING_ASSUMED) == 1000);
  REQUIRE (get_nifti_cycle (1, -1, CINE_TIMING_ASSUMED) == 1000);
}

static void
what_else_lies_in_the_directory_is_left_out (void)
{
  const char *folder = made_folder ("visitors");
  FILE *stream;

  made_write_dicom (folder, &plain);
  made_write_odd (made_path (folder, "long-axis"), "MR");
  made_write_odd (made_path (folder, "report"), "OT");
  stream = fopen (made_path (folder, "README"), "w");
  fputs ("not a picture\n", stream);
  fclose (stream);
  require_same (folder, &plain);
}

static void
a_slice_that_was_measured_again_is_taken_from_its_last_series (void)
{
  const char *folder = made_folder ("again");
  MadeOptions again = plain;
  CineStack *stack;

  made_write_dicom (folder, &plain);
  again.first_slice = 2;
  again.end_slice = 3;
  again.series = 4;
  again.prefix = "again-";
  again.brighter = 7;
  made_write_dicom (folder, &again);
  stack = load (folder);
  REQUIRE (*cine_picture (stack, 2, 0) == made_grey (&again, 2, 0, 0, 0));
  REQUIRE (*cine_picture (stack, 3, 0) == made_grey (&plain, 3, 0, 0, 0));
  REQUIRE (has_note (stack, "measured more than once"));
  cine_stack_free (&stack);
}

static void
files_that_are_there_twice_count_once (void)
{
  const char *folder = made_folder ("twice");
  MadeOptions copy = plain;

  made_write_dicom (folder, &plain);
  copy.prefix = "copy-";
  made_write_dicom (folder, &copy);
  require_same (folder, &plain);
}

static void
require_dicom_problem (const char *name, const MadeOptions *options,
    CineProblem problem, const char *a, const char *b)
{
  const char *folder = made_folder (name);

  made_write_dicom (folder, options);
  require_problem (folder, problem, a, b);
}

static void
stacks_that_lack_something_say_what (void)
{
  MadeOptions o = plain;

  o.skip_picture[0] = 4;
  o.skip_picture[1] = 5;
  require_dicom_problem ("phase", &o, CINE_PHASES_DIFFER, "9 phases",
      "none between 280 and 460 ms");
  o = plain;
  o.announced = MADE_PHASES + 2;
  require_dicom_problem (
      "announced", &o, CINE_STACK_INCOMPLETE, "10 phases", "announce 12");
  o = plain;
  o.skip_slice = 5;
  require_dicom_problem ("gap", &o, CINE_STACK_INCOMPLETE, "lacks a slice",
      "18.0 mm lie between slices 3 and 4");
  o = plain;
  o.phases = 1;
  require_dicom_problem (
      "still", &o, CINE_STACK_INCOMPLETE, "no time axis", "8 slices");
  o = plain;
  o.end_slice = 2;
  require_dicom_problem (
      "two", &o, CINE_STACK_INCOMPLETE, "has 2 slices", "expected 3");
  o = plain;
  o.other_patient = 6;
  require_dicom_problem ("patients", &o, CINE_STACK_INCOMPLETE,
      "mixes patients", "one patient a directory");
}

/* Compressed pictures, so that files may claim more than they hold. */
static void
a_series_of_more_than_is_read_says_how_much_it_claims (void)
{
  MadeOptions o = plain;

  o.syntax = MADE_RLE;
  o.side = 2048;
  require_dicom_problem ("large", &o, CINE_UNREADABLE,
      "claims 80 pictures of 2048 x 2048 pixels, 640 MiB", "at most 512 MiB");
  o.side = 64;
  o.frames = 1 << 16;
  require_dicom_problem ("many", &o, CINE_UNREADABLE,
      "claims more than 131072 pictures", "65536 of them in");
}

static void
files_that_are_no_stack_say_so (void)
{
  const char *folder = made_folder ("odd");
  MadeNifti o = { 0 };
  const char *path;

  require_problem (folder, CINE_UNREADABLE, "no DICOM file", folder);
  require_problem (
      made_path (folder, "none"), CINE_NOT_FOUND, "there is no", "none");
  path = made_path (folder, "capture");
  made_write_odd (path, "OT");
  require_problem (path, CINE_UNREADABLE, "modality 'OT'", path);
  path = made_path (made_folder ("nifti"), "still.nii");
  o.one_volume = true;
  made_write_nifti (path, &o);
  require_problem (path, CINE_STACK_INCOMPLETE, "no time axis", path);
  o.one_volume = false;
  o.cut = 1000;
  path = made_path (made_folder ("nifti"), "cut.nii");
  made_write_nifti (path, &o);
  require_problem (path, CINE_UNREADABLE, "ends before", path);
}

static void
a_damaged_file_is_named (void)
{
  const char *folder = made_folder ("damaged"), *path;

  made_write_dicom (folder, &plain);
  path = made_path (folder, "zz");
  made_write_dicom (folder, &plain);
  made_write_odd (path, "MR");
  REQUIRE (truncate (path, 5000) == 0);
  require_problem (folder, CINE_UNREADABLE, path, "cut off");
}

/* Every length of a file ends in a stack or in a message. */
static void
files_cut_anywhere_end_in_a_message (void)
{
  const char *folder = made_folder ("cuts");
  const char *path = made_path (folder, "one"),
             *nii = made_path (folder, "one.nii");
  const MadeNifti o = { 0 };
  CineError error;

  for (int length = 0; length < 2200; length += 37) {
    made_write_odd (path, "MR");
    REQUIRE (truncate (path, length) == 0);
    REQUIRE (cine_stack_load (path, &error) == NULL && *error.text);
  }
  made_write_nifti (nii, &o);
  for (int length = 700; length >= 0; length -= 50) {
    REQUIRE (truncate (nii, length) == 0);
    REQUIRE (cine_stack_load (nii, &error) == NULL && *error.text);
  }
}

static void
windows_hold_98_of_100_pixels (void)
{
  CineStack *stack = load_dicom ("window", &plain);
  const CineSlice *slice = &stack->slice[2];
  size_t n = (size_t) MADE_WIDTH * MADE_HEIGHT * MADE_PHASES, low = 0, high = 0;

  for (size_t i = 0; i < n; i++) {
    low += slice->pixels[i] < slice->window[0];
    high += slice->pixels[i] > slice->window[1];
  }
  REQUIRE (slice->window[1] > slice->window[0]);
  REQUIRE (low <= n / 100 && high <= n / 100);
  cine_stack_free (&stack);
}

static void
a_missing_module_is_named (void)
{
  char *path = getenv ("CARDIAC_READER_PATH");

  path = path ? strdup (path) : NULL;
  setenv ("CARDIAC_READER_PATH", "/nowhere", 1);
  require_problem (made_folder ("shuffled"), CINE_UNSUPPORTED,
      "libcardiac-dicom.so", "install libdcmtk-dev");
  require_problem (made_path (made_folder ("nifti"), "plain.nii"),
      CINE_UNSUPPORTED, "libcardiac-nifti.so", "install libnifti-dev");
  if (path)
    setenv ("CARDIAC_READER_PATH", path, 1);
  else
    unsetenv ("CARDIAC_READER_PATH");
  free (path);
}

int
main (void)
{
  a_directory_is_ordered_by_geometry_whatever_its_names ();
  every_way_of_writing_gives_the_same_pixels ();
  nifti_axes_are_told_by_the_affine ();
  each_slice_keeps_its_own_trigger_times ();
  phases_are_ordered_by_instance_where_triggers_are_missing ();
  trigger_times_that_are_no_cycle_are_not_used ();
  a_nifti_header_is_checked_before_its_values ();
  pixels_of_no_size_are_an_error ();
  names_of_any_bytes_give_sentences_of_text ();
  only_believable_nifti_times_are_believed ();
  what_else_lies_in_the_directory_is_left_out ();
  a_slice_that_was_measured_again_is_taken_from_its_last_series ();
  files_that_are_there_twice_count_once ();
  stacks_that_lack_something_say_what ();
  a_series_of_more_than_is_read_says_how_much_it_claims ();
  files_that_are_no_stack_say_so ();
  a_damaged_file_is_named ();
  files_cut_anywhere_end_in_a_message ();
  windows_hold_98_of_100_pixels ();
  a_missing_module_is_named ();
  return 0;
}
