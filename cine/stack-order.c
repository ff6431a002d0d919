/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "stack.h"

#include <math.h>
#include <stdlib.h>

void
cine_cross (const double a[3], const double b[3], double out[3])
{
  out[0] = a[1] * b[2] - a[2] * b[1];
  out[1] = a[2] * b[0] - a[0] * b[2];
  out[2] = a[0] * b[1] - a[1] * b[0];
}

double
cine_dot (const double a[3], const double b[3])
{
  return a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
}

double
cine_towards_base (const double direction[3])
{
  static const double base[3] = { -0.57735027, 0.57735027, 0.57735027 };
  double length = sqrt (cine_dot (direction, direction));

  return length > 0 ? cine_dot (direction, base) / length : 0;
}

static int
compare (const void *a, const void *b)
{
  double x = *(const double *) a, y = *(const double *) b;

  return (x > y) - (x < y);
}

bool
cine_check_gaps (
    const char *location, const double *distances, int slices, CineError *error)
{
  double *gaps = malloc (slices * sizeof *gaps), usual;

  if (slices < CINE_MIN_SLICES || !gaps) {
    free (gaps);
    return true;
  }
  for (int s = 0; s + 1 < slices; s++)
    gaps[s] = distances[s + 1] - distances[s];
  qsort (gaps, slices - 1, sizeof *gaps, compare);
  usual = gaps[(slices - 2) / 2];
  free (gaps);
  for (int s = 0; s + 1 < slices; s++) {
    double gap = distances[s + 1] - distances[s];

    if (gap > 1.6 * usual)
      return cine_fail (error, CINE_STACK_INCOMPLETE,
          "%s lacks a slice: %.1f mm lie between slices %d and %d, %.1f mm "
          "between the others; add the missing slice's files",
          location, gap, s, s + 1, usual);
  }
  return true;
}
