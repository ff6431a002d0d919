/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <math.h>

#include "made-stack.h"

const double made_spacing_mm = 2, made_gap_mm = 9, made_cycle_ms = 900;
const double made_row[3] = { 0.7, 0.7, -0.14142135623730951 };
const double made_column[3] = { -0.2956805450277878, 0.1038267506585664,
  -0.9496278329639217 };
const double made_origin[3] = { -30, -120, 110 };

static double
along (const MadeOptions *options, int slice)
{
  double t = slice / (double) (MADE_SLICES - 1);

  return options->upside_down ? 1 - t : t;
}

void
made_lv (const MadeOptions *options, int slice, int phase, double centre[2],
    double *radius)
{
  double beat = 0.5 - 0.5 * cos (2 * M_PI * phase / MADE_PHASES);

  centre[0] = 62 + 0.7 * slice;
  centre[1] = 47 - 0.4 * slice;
  *radius = (13 - 6 * along (options, slice)) * (1 - 0.3 * beat);
}

static const double wall = 5;                 /* at end-diastole, pixels */
static const double septum[2] = { 130, 230 }; /* degrees, y down */

void
made_insertions (const MadeOptions *options, int slice, double anterior[2],
    double inferior[2])
{
  double centre[2], radius;

  made_lv (options, slice, 0, centre, &radius);
  for (int i = 0; i < 2; i++) {
    double *point = i ? anterior : inferior;

    point[0] = centre[0] + (radius + wall) * cos (septum[i] * M_PI / 180);
    point[1] = centre[1] + (radius + wall) * sin (septum[i] * M_PI / 180);
  }
  if (options->mirrored) {
    anterior[0] = 2 * centre[0] - anterior[0];
    inferior[0] = 2 * centre[0] - inferior[0];
  }
}

/* 0 outside, 1 LV, 2 wall, 3 RV. */
static int
get_part (const MadeOptions *options, int slice, int phase, int x, int y)
{
  double centre[2], radius, outer, at, r, turn;

  made_lv (options, slice, 0, centre, &radius);
  outer = radius + wall;
  made_lv (options, slice, phase, centre, &radius);
  r = hypot (x - centre[0], y - centre[1]);
  if (r < radius)
    return 1;
  if (r < outer)
    return 2;
  at = atan2 (y - centre[1], options->mirrored ? centre[0] - x : x - centre[0])
       * 180 / M_PI;
  at = at < 0 ? at + 360 : at;
  turn = radius / 13 * 0.6 + 0.4;
  if (at > septum[0] && at < septum[1] && r < outer + 14 * turn)
    return 3;
  return 0;
}

uint16_t
made_grey (const MadeOptions *options, int slice, int phase, int x, int y)
{
  static const uint16_t greys[] = { 60, 320, 90, 300 };
  int part = get_part (options, slice, phase, x, y);
  unsigned noise =
      (x * 7919u + y * 104729u + slice * 1299709u + phase * 15485863u) % 97u;

  /* A body, and air around it. */
  if (part == 0 && hypot ((x - 56) / 52.0, (y - 48) / 45.0) > 1)
    return noise % 6 + options->brighter;
  return greys[part] + noise % 12 + options->brighter;
}

int
made_label (
    const MadeOptions *options, int slice, int x, int y, const int numbers[3])
{
  int part = get_part (options, slice, 0, x, y);

  return part ? numbers[part - 1] : 0;
}

void
made_axes (const MadeOptions *options, double row[3], double column[3])
{
  static const double row2[3] = { 0, 1, 0 };
  static const double column2[3] = { -0.7071067811865476, 0,
    0.7071067811865476 };

  for (int i = 0; i < 3; i++) {
    row[i] = options->turned     ? row2[i]
             : options->mirrored ? -made_row[i]
                                 : made_row[i];
    column[i] = options->turned ? column2[i] : made_column[i];
  }
}

void
made_position (const MadeOptions *options, int slice, double out[3])
{
  double r[3], c[3], sign = options->mirrored ? -1 : 1;

  /* The normal leads to the base, unless pictures are mirrored. */
  made_axes (options, r, c);
  for (int i = 0; i < 3; i++) {
    int j = (i + 1) % 3, k = (i + 2) % 3;

    out[i] = made_origin[i]
             - sign * slice * made_gap_mm * (r[j] * c[k] - r[k] * c[j]);
    if (options->mirrored)
      out[i] += (MADE_WIDTH - 1) * made_spacing_mm * made_row[i];
  }
}
