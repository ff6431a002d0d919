/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Polar pictures of cine MR: geometry, equalisation and segments against values
 * worked out by hand. polar_oracle.py compares whole pictures. */
#include "image/clahe.h"

#include "../require.h"

#include <cardiac/polar.h>
#include <math.h>
#include <string.h>

enum { ROWS = CARDIAC_POLAR_ROWS, COLUMNS = CARDIAC_POLAR_COLUMNS };

static const CardiacSliceLandmarks septum_below = { .lv_centre = { 50, 40 },
  .rv_anterior = { 80, 40 },   // to the right: angle 0
  .rv_inferior = { 50, 60 } }; // below: 90 degrees, y down

static bool
near (double a, double b)
{
  return fabs (a - b) < 1e-9;
}

static CardiacPolarGeometry
geometry_of (const CardiacSliceLandmarks *landmarks, double side)
{
  CardiacPolarGeometry geometry;

  REQUIRE (cardiac_polar_geometry (landmarks, side, &geometry, NULL));
  return geometry;
}

static void
the_crop_follows_the_insertions (void)
{
  CardiacPolarGeometry g = geometry_of (&septum_below, 0);

  REQUIRE (g.centre[0] == 50 && g.centre[1] == 40);
  REQUIRE (near (g.side, 2.2 * 25 / 0.62));
  REQUIRE (near (g.angle0, 0) && g.sense == 1);
  REQUIRE (geometry_of (&septum_below, 120).side == 120);

  CardiacSliceLandmarks above = septum_below;
  above.rv_inferior[1] = 20;
  REQUIRE (geometry_of (&above, 0).sense == -1);

  /* The usual picture: anterior insertion upper left, inferior lower left. */
  CardiacSliceLandmarks usual = { { 0, 0 }, { -3, -3 }, { -3, 3 } };
  g = geometry_of (&usual, 0);
  REQUIRE (near (g.angle0, -3 * M_PI / 4) && g.sense == -1);
}

static void
columns_grow_from_the_anterior_insertion_through_the_septum (void)
{
  CardiacPolarGeometry g = geometry_of (&septum_below, 160);
  double x, y, row, column;

  cardiac_polar_to_picture (&g, 30, 0, &x, &y);
  REQUIRE (near (x, 80) && near (y, 40));
  cardiac_polar_to_picture (&g, 20, 48, &x, &y);
  REQUIRE (near (x, 50) && near (y, 60));

  for (int sense = -1; sense <= 1; sense += 2) {
    g.sense = sense;
    g.angle0 = 2.5;
    g.side = 93;
    for (double at = 0.5; at < COLUMNS; at += 7.3) {
      cardiac_polar_to_picture (&g, at / 3, at, &x, &y);
      cardiac_polar_from_picture (&g, x, y, &row, &column);
      REQUIRE (fabs (row - at / 3) < 1e-6 && fabs (column - at) < 1e-6);
    }
  }
}

static void
refuse_geometry (CardiacSliceLandmarks landmarks, double side, const char *word)
{
  CardiacPolarGeometry geometry;
  CardiacError *error = NULL;

  REQUIRE (!cardiac_polar_geometry (&landmarks, side, &geometry, &error));
  REQUIRE (cardiac_error_code (error) == CARDIAC_ERROR_INVALID_ARGUMENT);
  REQUIRE (strstr (cardiac_error_message (error), word));
  cardiac_error_free (&error);
}

static void
landmarks_that_say_nothing_are_refused (void)
{
  CardiacSliceLandmarks bad = septum_below;

  bad.rv_anterior[0] = 50;
  refuse_geometry (bad, 0, "less than a pixel");
  bad.rv_anterior[0] = NAN;
  refuse_geometry (bad, 0, "not a finite number");
  bad.rv_anterior[0] = 50;
  bad.rv_anterior[1] = 10;
  refuse_geometry (bad, 0, "one line");
  refuse_geometry (septum_below, -1, "no size");
  refuse_geometry (septum_below, INFINITY, "no size");
}

static void
refuse_map (CardiacPolarGeometry g, int width, int height, const char *word)
{
  CardiacError *error = NULL;

  REQUIRE (!cardiac_polar_map_new (&g, width, height, &error));
  REQUIRE (cardiac_error_code (error) == CARDIAC_ERROR_INVALID_ARGUMENT);
  REQUIRE (strstr (cardiac_error_message (error), word));
  cardiac_error_free (&error);
}

static void
maps_that_cannot_be_cut_out_are_refused (void)
{
  CardiacPolarGeometry g = geometry_of (&septum_below, 0);

  refuse_map (g, 0, 10, "outside 1 x 1");
  refuse_map (g, 40, 100, "outside the picture");
  g.sense = 0;
  refuse_map (g, 100, 100, "cannot be cut out");
  g.sense = 1;
  g.side = NAN;
  refuse_map (g, 100, 100, "cannot be cut out");

  g.side = 50;
  CardiacPolarMap *map = cardiac_polar_map_new (&g, 100, 100, NULL);
  uint8_t polar[ROWS * COLUMNS], grey[100] = { 0 };
  uint16_t deep[100] = { 0 };
  REQUIRE (map);
  REQUIRE (!cardiac_polar_map_run8 (map, grey, 99, polar, NULL));
  REQUIRE (!cardiac_polar_map_run8 (map, NULL, 100, polar, NULL));
  REQUIRE (!cardiac_polar_map_run16 (map, deep, 201, 0, 1, polar, NULL));
  REQUIRE (!cardiac_polar_map_run16 (map, deep, 200, 2, 1, polar, NULL));
  REQUIRE (!cardiac_polar_map_run16 (map, deep, 200, NAN, 1, polar, NULL));
  cardiac_polar_map_free (&map);
  REQUIRE (!map);
}

static int
sum (const int counts[CLAHE_BINS])
{
  int total = 0;

  for (int bin = 0; bin < CLAHE_BINS; bin++)
    total += counts[bin];
  return total;
}

static void
a_flat_tile_is_handed_out_to_the_lowest_bins (void)
{
  int counts[CLAHE_BINS] = { [200] = 400 };

  /* 398 too many: one for each of the other 255 bins, and 143 are left for the
   * bins from 0 on, one each. */
  clahe_clip (counts, 2);
  REQUIRE (sum (counts) == 400 && counts[200] == 2);
  REQUIRE (counts[0] == 2 && counts[142] == 2 && counts[143] == 1);
  REQUIRE (counts[255] == 1);
}

static void
a_small_excess_is_spread_in_steps (void)
{
  int counts[CLAHE_BINS] = { [100] = 5 }; // 3 too many, step 85

  clahe_clip (counts, 2);
  REQUIRE (sum (counts) == 5 && counts[100] == 2);
  REQUIRE (counts[0] == 1 && counts[85] == 1 && counts[170] == 1);

  /* Full bins are passed over: of 0, 85, 170 and 255 only the last has room, so
   * a second round begins at bin 1, in steps of 128. */
  int full[CLAHE_BINS] = { [0] = 2, [85] = 2, [100] = 5, [170] = 2 };
  clahe_clip (full, 2);
  REQUIRE (sum (full) == 11 && full[255] == 1);
  REQUIRE (full[1] == 1 && full[129] == 1 && full[86] == 0);
}

static void
bins_that_the_share_would_overfill_take_what_fits (void)
{
  int counts[CLAHE_BINS] = { [255] = 524 }; // 520 too many: a share of 2

  for (int bin = 0; bin < 100; bin++)
    counts[bin] = 3;
  clahe_clip (counts, 4);
  REQUIRE (sum (counts) == 300 + 524 && counts[255] == 4);
  for (int bin = 0; bin < 255; bin++)
    REQUIRE (
        bin < 100 ? counts[bin] == 4 : counts[bin] >= 2 && counts[bin] <= 4);
}

static void
a_tile_without_room_to_spare_is_filled (void)
{
  int counts[CLAHE_BINS] = { [9] = 512 };

  clahe_clip (counts, 2);
  for (int bin = 0; bin < CLAHE_BINS; bin++)
    REQUIRE (counts[bin] == 2);
}

static void
levels_follow_rayleigh (void)
{
  int counts[CLAHE_BINS] = { [10] = 200, [20] = 200 };
  double levels[CLAHE_BINS];

  /* v = 1 - exp (-3.125) = 0.956063; F = 1/2: sqrt (-0.32 ln (1 - v / 2)) =
   * sqrt (0.32 * 0.650174) = 0.456126, so 116.312. */
  clahe_levels (counts, levels);
  REQUIRE (levels[9] == 0);
  REQUIRE (fabs (levels[10] - 116.312) < 1e-3);
  REQUIRE (levels[19] == levels[10]);
  REQUIRE (fabs (levels[20] - 255) < 1e-9 && levels[255] <= 255);
}

static void
tiles_are_blended_between_their_centres (void)
{
  static ClaheScratch scratch;
  static uint8_t crop[CARDIAC_POLAR_SIDE * CARDIAC_POLAR_SIDE];
  static double out[CARDIAC_POLAR_SIDE * CARDIAC_POLAR_SIDE];
  double dark[CLAHE_BINS], bright[CLAHE_BINS];

  /* Left half 50, right half 200: tiles 0..3 and 4..7 are flat. Their levels at
   * both greys, by the counts of a_flat_tile_is_handed_out_to_the_lowest_bins:
   * 2 up to bin 142, then 1, but for the tile's own. */
  int counts_dark[CLAHE_BINS] = { [50] = 400 };
  int counts_bright[CLAHE_BINS] = { [200] = 400 };
  clahe_clip (counts_dark, 2);
  clahe_clip (counts_bright, 2);
  REQUIRE (
      counts_dark[143] == 2 && counts_dark[144] == 1); // 50 was passed over
  clahe_levels (counts_dark, dark);
  clahe_levels (counts_bright, bright);

  for (int i = 0; i < CARDIAC_POLAR_SIDE * CARDIAC_POLAR_SIDE; i++)
    crop[i] = i % CARDIAC_POLAR_SIDE < 80 ? 50 : 200;
  clahe_run (crop, out, &scratch);
  const double *row = out + 77 * CARDIAC_POLAR_SIDE;
  REQUIRE (near (row[0], dark[50]) && near (row[69], dark[50]));
  REQUIRE (near (row[90], bright[200]) && near (row[159], bright[200]));
  /* Pixel 79 is 9.5 + 0.5 px right of the centre of tile 3, of 20 to the next. */
  REQUIRE (near (row[79], dark[50] * (1 - 9.5 / 20) + bright[50] * 9.5 / 20));
  REQUIRE (
      near (row[80], dark[200] * (1 - 10.5 / 20) + bright[200] * 10.5 / 20));
}

static void
segments_are_in_the_order_of_the_aha (void)
{
  static uint8_t basal[ROWS * COLUMNS], mid[ROWS * COLUMNS];
  static uint8_t apical[ROWS * COLUMNS];
  static float out[ROWS * 512];
  static const int order[6] = { 2, 3, 4, 5, 6, 1 };

  for (int i = 0; i < ROWS * COLUMNS; i++) {
    int column = i % COLUMNS, degrees = column * 360 / COLUMNS;
    int turned = (degrees + 360 - 15) % 360;
    basal[i] = order[column / 32];
    mid[i] = 6 + order[column / 32];
    apical[i] = 13 + (turned / 90 + 1) % 4; // from 15 degrees: 14, 15, 16, 13
  }
  cardiac_polar_segments (basal, mid, apical, out);
  for (int i = 0; i < ROWS * 512; i++)
    REQUIRE (fabsf (out[i] * 255 - (1 + i % 512 / 32)) < 1e-4);
}

static void
three_apical_columns_become_two_by_area (void)
{
  static uint8_t empty[ROWS * COLUMNS], apical[ROWS * COLUMNS];
  static float out[ROWS * 512];

  apical[8] = 30; // first of segment 14
  apical[9] = 60;
  apical[10] = 90;
  cardiac_polar_segments (empty, empty, apical, out);
  REQUIRE (fabsf (out[13 * 32] * 255 - 40) < 1e-4);     // (2 * 30 + 60) / 3
  REQUIRE (fabsf (out[13 * 32 + 1] * 255 - 80) < 1e-4); // (60 + 2 * 90) / 3
  REQUIRE (out[13 * 32 + 2] == 0 && out[13 * 32 - 1] == 0);
}

static void
deep_pictures_are_windowed_like_flat_ones (void)
{
  static uint8_t grey[100 * 100], one[ROWS * COLUMNS], two[ROWS * COLUMNS];
  static uint16_t deep[100 * 100];
  CardiacPolarGeometry g = geometry_of (&septum_below, 70);
  CardiacPolarMap *map = cardiac_polar_map_new (&g, 100, 100, NULL);

  REQUIRE (map);
  for (int i = 0; i < 100 * 100; i++) {
    grey[i] = (i % 100 * 3 + i / 100 * 2) % 256;
    deep[i] = 1000 + 10 * grey[i];
  }
  REQUIRE (cardiac_polar_map_run8 (map, grey, 100, one, NULL));
  REQUIRE (cardiac_polar_map_run16 (map, deep, 200, 1000, 3550, two, NULL));
  REQUIRE (memcmp (one, two, sizeof one) == 0);

  /* What lies outside the window is black or white, never wrapped around. */
  for (int i = 0; i < 100 * 100; i++) {
    grey[i] = deep[i] > 1500 ? 255 : 0;
  }
  REQUIRE (cardiac_polar_map_run8 (map, grey, 100, one, NULL));
  REQUIRE (cardiac_polar_map_run16 (map, deep, 200, 1500, 1500, two, NULL));
  REQUIRE (memcmp (one, two, sizeof one) == 0);
  cardiac_polar_map_free (&map);
}

static void
a_crop_beyond_the_picture_is_black_there (void)
{
  static uint8_t grey[20 * 20], polar[ROWS * COLUMNS];
  CardiacPolarGeometry g = { { 0, 10 }, 40, 0, 1 };
  CardiacPolarMap *map = cardiac_polar_map_new (&g, 20, 20, NULL);

  REQUIRE (map);
  memset (grey, 255, sizeof grey);
  REQUIRE (cardiac_polar_map_run8 (map, grey, 20, polar, NULL));
  REQUIRE (polar[20 * COLUMNS] > 200);              // to the right: inside
  REQUIRE (polar[20 * COLUMNS + COLUMNS / 2] < 60); // to the left: outside
  cardiac_polar_map_free (&map);
}

int
main (void)
{
  the_crop_follows_the_insertions ();
  columns_grow_from_the_anterior_insertion_through_the_septum ();
  landmarks_that_say_nothing_are_refused ();
  maps_that_cannot_be_cut_out_are_refused ();
  a_flat_tile_is_handed_out_to_the_lowest_bins ();
  a_small_excess_is_spread_in_steps ();
  bins_that_the_share_would_overfill_take_what_fits ();
  a_tile_without_room_to_spare_is_filled ();
  levels_follow_rayleigh ();
  tiles_are_blended_between_their_centres ();
  segments_are_in_the_order_of_the_aha ();
  three_apical_columns_become_two_by_area ();
  deep_pictures_are_windowed_like_flat_ones ();
  a_crop_beyond_the_picture_is_black_there ();
  return 0;
}
