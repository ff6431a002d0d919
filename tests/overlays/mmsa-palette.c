/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Colours of scores: told apart by everybody, replaced by a file. */
#include "colour-difference.h"
#include "mmsa-overlay.h"
#include "require.h"

#include <unistd.h>

/* Pairs 1, 7, 17, 24 and 33 of Sharma, Wu and Dalal's test data. */
static void
colour_difference_is_that_of_its_authors (void)
{
  static const double pairs[][7] = {
    { 50.0, 2.6772, -79.7751, 50.0, 0.0, -82.7485, 2.0425 },
    { 50.0, 0.0, 0.0, 50.0, -1.0, 2.0, 2.3669 },
    { 50.0, 2.5, 0.0, 73.0, 25.0, -18.0, 27.1492 },
    { 50.0, 2.5, 0.0, 50.0, 3.2972, 0.0, 1.0 },
    { 6.7747, -0.2908, -2.4247, 5.8714, -0.0985, -2.2286, 0.6377 },
  };
  for (int i = 0; i < 5; i++) {
    double found = delta_e_lab (pairs[i], pairs[i] + 3);
    REQUIRE (fabs (found - pairs[i][6]) < 1e-3, "pair %d: %.4f, not %.4f", i,
        found, pairs[i][6]);
  }
}

/* Green and yellow that people without red or green cones see alike. */
static void
a_palette_of_pure_colours_is_found_weak (void)
{
  CardiacMmsaPalette palette;
  static const double pure[4][3] = { { 0, 1, 0 }, { 1, 1, 0 }, { 1, 0, 0 },
    { 0, 0, 1 } };
  cardiac_mmsa_palette_init (&palette);
  memcpy (palette.rgb[1], pure, sizeof pure);
  CardiacMmsaPaletteWeakness weak = cardiac_mmsa_palette_weakness (&palette);
  REQUIRE (weak.distance < 8.0 && weak.first == 1 && weak.second == 2
               && strcmp (weak.vision, "normal vision") != 0,
      "%s %.1f", weak.vision, weak.distance);
}

static void
the_default_palette_is_told_apart_by_everyone (void)
{
  CardiacMmsaPalette palette;
  cardiac_mmsa_palette_init (&palette);
  for (int vision = 0; vision < COLOUR_VISION_N; vision++)
    for (int a = 0; a < 5; a++)
      for (int b = a + 1; b < 5; b++) {
        double p[3], q[3];
        seen_colour (palette.rgb[a], (ColourVision) vision, p);
        seen_colour (palette.rgb[b], (ColourVision) vision, q);
        REQUIRE (delta_e_2000 (p, q) >= 20.0, "%d and %d, vision %d: %.1f", a,
            b, vision, delta_e_2000 (p, q));
      }
  CardiacMmsaPaletteWeakness weak = cardiac_mmsa_palette_weakness (&palette);
  REQUIRE (
      weak.distance >= CARDIAC_OVERLAY_PALETTE_DISTANCE && weak.distance < 30.0,
      "%.1f", weak.distance);
}

static void
scores_grow_darker_in_grey_prints (void)
{
  CardiacMmsaPalette palette;
  double last = 1e9;
  cardiac_mmsa_palette_init (&palette);
  for (int score = 1; score < 5; score++) {
    double lab[3];
    srgb_to_lab (palette.rgb[score], lab);
    REQUIRE (last - lab[0] >= 12.0, "score %d: %.1f after %.1f", score, lab[0],
        last);
    last = lab[0];
  }
}

static const char *
file_with (const char *text)
{
  static char path[64];
  snprintf (path, sizeof path, "palette-%d.ini", (int) getpid ());
  FILE *file = fopen (path, "w");
  REQUIRE (file && fputs (text, file) >= 0 && fclose (file) == 0, "%s", path);
  return path;
}

#define WHOLE                                                                  \
  "1 = #010203\n2=#FFFFFF\n 3 = #ff0000 \n4 = #000000\nunscored = #808080\n"

static void
a_palette_file_is_read (void)
{
  CardiacMmsaPalette palette;
  char message[300] = "";
  const char *path =
      file_with ("# a site's own\r\n\n[wall-motion]\n; more\n" WHOLE);
  bool good =
      cardiac_mmsa_palette_read (path, &palette, message, sizeof message);
  unlink (path);
  REQUIRE (good, "%s", message);
  REQUIRE (fabs (palette.rgb[1][2] * 255.0 - 3.0) < 1e-9
               && palette.rgb[3][0] == 1.0 && palette.rgb[3][1] == 0.0
               && fabs (palette.rgb[0][0] * 255.0 - 128.0) < 1e-9,
      "colours");
}

static void
a_bad_palette_file_is_refused_in_one_sentence (void)
{
  static const char *const bad[][2] = {
    { "", "no colour for" },
    { "[wall-motion]\n1 = #010203\n", "no colour for" },
    { WHOLE, "line 1" },
    { "[wall-motion]\n" WHOLE "5 = #000000\n", "line 7" },
    { "[wall-motion]\n" WHOLE "1 = #000000\n", "once" },
    { "[wall-motion]\n1 = red\n", "#RRGGBB" },
    { "[wall-motion]\n1 = #12345\n", "#RRGGBB" },
    { "[wall-motion]\n1 = #12345G\n", "#RRGGBB" },
    { "[wall-motion]\n1 = #1234567\n", "#RRGGBB" },
    { "[colours]\n", "[wall-motion]" },
    { "[wall-motion]\nnonsense\n", "line 2" },
    { "[wall-motion]\n\xff\xfe = \xff\n", "line 2" },
  };
  for (int i = 0; i < 12; i++) {
    CardiacMmsaPalette palette, before;
    char message[300] = "", tiny[8];
    cardiac_mmsa_palette_init (&palette);
    before = palette;
    const char *path = file_with (bad[i][0]);
    bool good =
        cardiac_mmsa_palette_read (path, &palette, message, sizeof message);
    bool again = cardiac_mmsa_palette_read (path, &palette, tiny, sizeof tiny);
    unlink (path);
    REQUIRE (!good && !again && strstr (message, bad[i][1])
                 && strstr (message, path) && strlen (tiny) < 8,
        "case %d: \"%s\"", i, message);
    REQUIRE (memcmp (&palette, &before, sizeof palette) == 0, "case %d", i);
  }
}

static void
what_is_no_palette_file_is_refused (void)
{
  static const char *const paths[] = { "no/such/file", ".", "/dev/zero" };
  CardiacMmsaPalette palette;
  char message[300];
  for (int i = 0; i < 3; i++)
    REQUIRE (
        !cardiac_mmsa_palette_read (paths[i], &palette, message, sizeof message)
            && strstr (message, paths[i]),
        "%s: %s", paths[i], message);
  char *text = calloc (1, 70001);
  memset (text, '#', 70000);
  const char *path = file_with (text);
  bool good =
      cardiac_mmsa_palette_read (path, &palette, message, sizeof message);
  unlink (path);
  free (text);
  REQUIRE (!good && strstr (message, "65536"), "%s", message);
}

int
main (int argc, char **argv)
{
  static const TestCase cases[] = {
    TEST (colour_difference_is_that_of_its_authors),
    TEST (a_palette_of_pure_colours_is_found_weak),
    TEST (the_default_palette_is_told_apart_by_everyone),
    TEST (scores_grow_darker_in_grey_prints),
    TEST (a_palette_file_is_read),
    TEST (a_bad_palette_file_is_refused_in_one_sentence),
    TEST (what_is_no_palette_file_is_refused),
  };
  return RUN_TESTS (cases, argc, argv);
}
