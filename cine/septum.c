/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "levels.h"
#include "stack.h"

#include <math.h>

enum {
  MAX_HOLE = 4, /* angles of a gap within the septum */
  MIN_ARC = 8,  /* 24 degrees */
  MAX_ARC = CINE_ANGLES / 2,
};

void
cine_direction (int angle, double out[2])
{
  out[0] = cos (2 * M_PI * angle / CINE_ANGLES);
  out[1] = sin (2 * M_PI * angle / CINE_ANGLES);
}

static bool
is_near (const bool *touches, int angle)
{
  for (int i = 0; i <= MAX_HOLE; i++)
    if (touches[(angle + i) % CINE_ANGLES])
      return true;
  return false;
}

/* Length of the arc that begins here; holes count. */
static int
measure (const bool *touches, int first)
{
  int length = 0;

  for (int i = 0; i < CINE_ANGLES; i++) {
    int angle = (first + i) % CINE_ANGLES;

    if (touches[angle])
      length = i + 1;
    else if (!is_near (touches, angle))
      break;
  }
  return length;
}

/* Whether rows, columns and the way to the base are right-handed, as a picture
 * seen from the apex is. */
static double
get_sense (const CineStack *stack)
{
  double normal[3];

  if (!stack->has_geometry)
    return 1;
  cine_cross (stack->row, stack->column, normal);
  return cine_towards_base (normal) < 0 ? -1 : 1;
}

/* The anterior wall is clockwise of the septum when seen from the apex. */
bool
cine_find_insertions (const CineStack *stack, const bool *touches,
    const double *radius, CinePoints *points)
{
  double end[2][2], sense = get_sense (stack);
  int first = 0, longest = 0;

  for (int a = 0; a < CINE_ANGLES; a++) {
    int length = touches[a] ? measure (touches, a) : 0;

    if (length > longest) {
      longest = length;
      first = a;
    }
  }
  if (longest < MIN_ARC || longest > MAX_ARC)
    return false;
  for (int i = 0; i < 2; i++) {
    int angle = (first + i * (longest - 1)) % CINE_ANGLES;

    cine_direction (angle, end[i]);
    for (int j = 0; j < 2; j++)
      end[i][j] = points->lv_centre[j] + radius[angle] * end[i][j];
  }
  for (int j = 0; j < 2; j++) {
    points->rv_anterior[j] = end[sense > 0][j];
    points->rv_inferior[j] = end[sense < 0][j];
  }
  points->has_insertions = true;
  return true;
}
