/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What a picture shows: repeats, nothing, colour. */

#include <string.h>

#include "../require.h"
#include "watch.h"

#define WIDTH 96
#define HEIGHT 64

/* 4:2:0; the caller fills the planes. */
typedef struct {
  guint8 y[HEIGHT][WIDTH], cb[HEIGHT / 2][WIDTH / 2], cr[HEIGHT / 2][WIDTH / 2];
} Planes;

static Planes planes;

static void
fill (guint8 y, guint8 cb, guint8 cr)
{
  memset (planes.y, y, sizeof planes.y);
  memset (planes.cb, cb, sizeof planes.cb);
  memset (planes.cr, cr, sizeof planes.cr);
}

static Observation
look (Watch *watch, guint frame)
{
  CardiacImage image = { WIDTH, HEIGHT, CARDIAC_COLOUR_YUV };
  Observation seen;

  for (guint c = 0; c < 3; c++) {
    image.component[c].pixel_stride = 1;
    image.component[c].stride = c ? WIDTH / 2 : WIDTH;
    image.component[c].hsub = image.component[c].vsub = c > 0;
  }
  image.component[0].data = planes.y[0];
  image.component[1].data = planes.cb[0];
  image.component[2].data = planes.cr[0];
  REQUIRE (watch_frame (
      watch, &image, NULL, frame * 100 * GST_MSECOND, &seen, NULL));
  return seen;
}

static void
one_colour_all_over_is_nothing (void)
{
  static const guint8 colours[][3] = { { 16, 128, 128 }, { 128, 128, 128 },
    { 40, 240, 110 } };

  for (guint i = 0; i < 3; i++) {
    Watch watch;

    watch_reset (&watch);
    fill (colours[i][0], colours[i][1], colours[i][2]);
    REQUIRE (look (&watch, 0).blank && look (&watch, 1).never_content);
  }
}

static void
a_pattern_of_one_luma_is_something (void)
{
  Observation seen;
  Watch watch;

  watch_reset (&watch);
  fill (128, 128, 90);
  for (guint y = 0; y < HEIGHT / 2; y++)
    memset (planes.cr[y], 200, WIDTH / 4);
  seen = look (&watch, 0);
  REQUIRE (!seen.blank && !seen.never_content && !seen.repeat);
  REQUIRE (look (&watch, 1).repeat);
  for (guint y = 0; y < HEIGHT / 2; y++)
    memset (planes.cr[y] + 5, 90, WIDTH / 4);
  REQUIRE (!look (&watch, 2).repeat);
}

static void
standstill_and_darkness_are_timed (void)
{
  Observation seen;
  Watch watch;

  watch_reset (&watch);
  fill (100, 128, 128);
  memset (planes.y, 30, sizeof planes.y / 2);
  look (&watch, 0);
  seen = look (&watch, 12);
  REQUIRE (seen.repeat && seen.still_for == 1200 * GST_MSECOND);
  REQUIRE (seen.colourless_for == 1200 * GST_MSECOND);
  fill (16, 128, 128);
  REQUIRE (look (&watch, 13).blank_for == 0);
  seen = look (&watch, 15);
  REQUIRE (seen.blank_for == 200 * GST_MSECOND && !seen.never_content);
}

static void
colour_ends_the_time_without_it (void)
{
  Watch watch;

  watch_reset (&watch);
  fill (100, 128, 128);
  look (&watch, 0);
  memset (planes.cr[HEIGHT / 4], 230, WIDTH);
  REQUIRE (look (&watch, 10).colourless_for == 0);
  REQUIRE (look (&watch, 10).coloured > CARDIAC_COLOURED_FRACTION);
}

int
main (void)
{
  one_colour_all_over_is_nothing ();
  a_pattern_of_one_luma_is_something ();
  standstill_and_darkness_are_timed ();
  colour_ends_the_time_without_it ();
  return 0;
}
