/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "estimate.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const double step = 1;          /* mm along rays */
static const double wall_mm = 7;       /* that must be dark outside */
static const double inside_cost = 0.1; /* papillary muscles belong inside */

enum {
  SAMPLES = 56,
  MIN_RADIUS = 4, /* in steps */
  MAX_RADIUS = 48,
  ROUNDS = 2, /* around the circle, so that its ends meet */
};

/* Cost of a border at each radius of one ray: what is dark within it, and bright
 * just outside. */
static void
get_costs (const CineImage *image, const CineCircle *circle, int angle,
    float costs[SAMPLES])
{
  float middle = (circle->blood + circle->wall) / 2;
  float range = fmaxf (circle->blood - circle->wall, 1e-3f);
  float dark[SAMPLES + 1] = { 0 }, bright[SAMPLES + 1] = { 0 };
  int wall = (int) (wall_mm / step);
  double direction[2];

  cine_direction (angle, direction);
  for (int i = 0; i < SAMPLES; i++) {
    double r = i * step / image->mm;
    float v = cine_image_at (image, circle->centre[0] + r * direction[0],
        circle->centre[1] + r * direction[1]);
    float off = fmaxf (-1, fminf (1, (v - middle) / range));

    dark[i + 1] = dark[i] + fmaxf (0, -off);
    bright[i + 1] = bright[i] + fmaxf (0, off);
  }
  for (int i = 0; i < SAMPLES; i++) {
    int end = i + wall < SAMPLES ? i + wall : SAMPLES;

    costs[i] = i < MIN_RADIUS || i > MAX_RADIUS
                   ? 1e6f
                   : (float) inside_cost * dark[i] + bright[end] - bright[i];
  }
}

/* The cheapest closed path that moves by one step at most from ray to ray. */
static void
find_path (float costs[CINE_ANGLES][SAMPLES], int path[CINE_ANGLES])
{
  enum { N = CINE_ANGLES * (ROUNDS + 1) };
  static const int moves[] = { 0, -1, 1 };
  signed char (*from)[SAMPLES] = calloc (N, sizeof *from);
  float sum[2][SAMPLES] = { { 0 } };
  int best = MIN_RADIUS;

  for (int i = 0; from && i < N; i++) {
    const float *last = sum[(i + 1) % 2];
    float *now = sum[i % 2];

    for (int r = 0; r < SAMPLES; r++) {
      float least = INFINITY;

      for (int m = 0; m < 3; m++) {
        int at = r + moves[m];
        float cost = at < 0 || at >= SAMPLES
                         ? INFINITY
                         : last[at] + (moves[m] ? 0.15f : 0);

        if (cost < least) {
          least = cost;
          from[i][r] = (signed char) moves[m];
        }
      }
      now[r] = least + costs[i % CINE_ANGLES][r];
    }
  }
  for (int r = 0; r < SAMPLES; r++)
    if (sum[(N - 1) % 2][r] < sum[(N - 1) % 2][best])
      best = r;
  /* The middle round knows both of its neighbours. */
  for (int i = N - 1; from && i >= CINE_ANGLES; i--) {
    if (i < 2 * CINE_ANGLES)
      path[i % CINE_ANGLES] = best;
    best += from[i][best];
  }
  for (int i = 0; !from && i < CINE_ANGLES; i++)
    path[i] = MIN_RADIUS;
  free (from);
}

/* Area and centroid of the polygon around the centre. */
static double
measure (const double *radius, double shift[2])
{
  double area = 0, sum[2] = { 0, 0 };

  for (int a = 0; a < CINE_ANGLES; a++) {
    int b = (a + 1) % CINE_ANGLES;
    double u[2], v[2], cross;

    cine_direction (a, u);
    cine_direction (b, v);
    cross = radius[a] * radius[b] * (u[0] * v[1] - u[1] * v[0]);
    area += cross / 2;
    for (int i = 0; i < 2; i++)
      sum[i] += cross * (radius[a] * u[i] + radius[b] * v[i]) / 6;
  }
  for (int i = 0; i < 2; i++)
    shift[i] = area > 0 ? sum[i] / area : 0;
  return area;
}

double
cine_find_contour (const CineImage *image, CineCircle *circle, double *radius)
{
  float costs[CINE_ANGLES][SAMPLES];
  int path[CINE_ANGLES];
  double area = 0, shift[2];

  for (int round = 0; round < 3; round++) {
    for (int a = 0; a < CINE_ANGLES; a++)
      get_costs (image, circle, a, costs[a]);
    find_path (costs, path);
    for (int a = 0; a < CINE_ANGLES; a++)
      radius[a] = path[a] * step / image->mm;
    area = measure (radius, shift);
    if (round < 2)
      for (int i = 0; i < 2; i++)
        circle->centre[i] += shift[i];
  }
  return area;
}
