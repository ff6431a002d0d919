/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "estimate.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Millimetres. */
static const double grid = 4;         /* between candidates */
static const double reach = 75;       /* of candidates around the heart */
static const double heart_sigma = 22; /* of the blur that finds the heart */
static const double step = 2;         /* along rays */
static const double usual = 24;       /* radius of an LV */
static const double slice_shift = 6;  /* usual, between neighbours */

static const double bend_cost = 0.03;

enum {
  MAX_SHIFT = 5, /* steps of the grid between neighbours */
  RAYS = 24,
  SAMPLES = 24,   /* 46 mm */
  MIN_RADIUS = 4, /* in steps */
  MAX_RADIUS = 19,
  EDGE_STEPS = 3, /* inside that must be bright, too */
  WALL_STEPS = 3, /* the ring lies 1 to 3 steps outside */
};

/* One pass of a box filter along rows; the picture is turned on the way, so two
 * passes blur both ways. */
static void
blur_and_turn (const float *from, float *to, int width, int height, int half)
{
  for (int y = 0; y < height; y++) {
    double sum = 0;

    for (int x = -half; x < width; x++) {
      if (x + half < width)
        sum += from[(size_t) y * width + x + half];
      if (x - half - 1 >= 0)
        sum -= from[(size_t) y * width + x - half - 1];
      if (x >= 0)
        to[(size_t) x * height + y] = (float) (sum / (2 * half + 1));
    }
  }
}

/* Where most beats, summed over slices. */
static bool
find_heart (const CineHeart *heart, double centre[2])
{
  const CineImage *first = &heart->spread[0];
  int width = first->width, height = first->height;
  size_t n = (size_t) width * height, best = 0;
  int half = (int) ceil (heart_sigma / first->mm);
  float *sum = calloc (n, sizeof *sum), *other = malloc (n * sizeof *other);

  if (sum && other) {
    for (int s = 0; s < heart->stack->slices; s++)
      for (size_t i = 0; i < n; i++)
        sum[i] += heart->spread[s].value[i];
    for (int pass = 0; pass < 3; pass++) {
      blur_and_turn (sum, other, width, height, half);
      blur_and_turn (other, sum, height, width, half);
    }
    for (size_t i = 0; i < n; i++)
      if (sum[i] > sum[best])
        best = i;
    centre[0] = best % width;
    centre[1] = best / width;
  }
  n = sum && other;
  free (sum);
  free (other);
  return n;
}

static int
compare (const void *a, const void *b)
{
  float x = *(const float *) a, y = *(const float *) b;

  return (x > y) - (x < y);
}

/* Contrast on the worst quarter of the rays: a chamber that is walled in on some
 * sides only, as the RV is, has none there. */
static void
try_radius (
    const float rays[RAYS][SAMPLES], int r, CineCircle *circle, double mm)
{
  float contrast[RAYS], blood = 0, wall[RAYS], sorted[RAYS];
  double size;
  int better = 0;

  for (int a = 0; a < RAYS; a++) {
    float inside = 0, edge = 0, outside = 0;

    for (int i = r / 3; i < r; i++)
      inside += rays[a][i] / (r - r / 3);
    for (int i = r - EDGE_STEPS; i < r; i++)
      edge += rays[a][i] / EDGE_STEPS;
    for (int i = 1; i <= WALL_STEPS; i++)
      outside += rays[a][r + i] / WALL_STEPS;
    contrast[a] = fminf (inside, edge) - outside;
    wall[a] = outside;
    blood += inside / RAYS;
  }
  if (blood <= 0)
    return;
  size = sqrt (r * step / usual) / blood;
  for (int a = 0; a < RAYS; a++)
    better += contrast[a] * size > circle->score;
  if (better < RAYS - RAYS / 4)
    return;
  memcpy (sorted, contrast, sizeof sorted);
  qsort (sorted, RAYS, sizeof *sorted, compare);
  qsort (wall, RAYS, sizeof *wall, compare);
  circle->score = sorted[RAYS / 4] * size;
  circle->radius = r * step / mm;
  circle->blood = blood;
  circle->wall = wall[RAYS / 4];
}

static void
try_centre (const CineImage *image, CineCircle *circle)
{
  float rays[RAYS][SAMPLES];

  for (int a = 0; a < RAYS; a++) {
    double dx = step / image->mm * cos (2 * M_PI * a / RAYS);
    double dy = step / image->mm * sin (2 * M_PI * a / RAYS);

    for (int i = 0; i < SAMPLES; i++)
      rays[a][i] = cine_image_at (
          image, circle->centre[0] + i * dx, circle->centre[1] + i * dy);
  }
  circle->score = 0;
  for (int r = MIN_RADIUS; r <= MAX_RADIUS; r++)
    try_radius (rays, r, circle, image->mm);
}

/* Candidates of one slice on a grid around the heart. */
static void
try_slice (const CineHeart *heart, int slice, const double centre[2], int side,
    CineCircle *candidates)
{
  const CineImage *image = &heart->mean[slice];

  for (int j = 0; j < side; j++)
    for (int i = 0; i < side; i++) {
      CineCircle *circle = &candidates[j * side + i];
      double dx = (i - side / 2) * grid, dy = (j - side / 2) * grid;
      double far = hypot (dx, dy) / reach;

      memset (circle, 0, sizeof *circle);
      circle->centre[0] = centre[0] + dx / image->mm;
      circle->centre[1] = centre[1] + dy / image->mm;
      if (far > 1)
        continue;
      try_centre (image, circle);
      circle->score *= 1 - 0.4 * far * far;
    }
}

/* The best circle of the slice before for one of this slice: its sum, less what
 * the bend between both costs. */
static double
find_best_before (const double *sums, int side, int at, int *from)
{
  int x = at % side, y = at / side;
  double most = -INFINITY;

  for (int j = y > MAX_SHIFT ? y - MAX_SHIFT : 0;
       j < side && j <= y + MAX_SHIFT; j++)
    for (int i = x > MAX_SHIFT ? x - MAX_SHIFT : 0;
         i < side && i <= x + MAX_SHIFT; i++) {
      double shift = grid / slice_shift;
      double bend = ((i - x) * (i - x) + (j - y) * (j - y)) * shift * shift;
      double value = sums[j * side + i] - bend_cost * bend;

      if (value > most) {
        most = value;
        *from = j * side + i;
      }
    }
  return most;
}

/* The chain of circles with the highest sum of scores (Viterbi). */
static bool
find_chain (
    const CineCircle *candidates, int slices, int side, CineCircle *circles)
{
  size_t n = (size_t) side * side;
  double *sums = calloc (slices * n, sizeof *sums);
  int *from = calloc (slices * n, sizeof *from), best = 0;
  bool fine = sums && from;

  for (int s = 0; fine && s < slices; s++)
    for (size_t i = 0; i < n; i++) {
      sums[s * n + i] = candidates[s * n + i].score;
      if (s > 0)
        sums[s * n + i] += find_best_before (
            sums + (s - 1) * n, side, (int) i, &from[s * n + i]);
    }
  for (size_t i = 0; fine && i < n; i++)
    if (sums[(slices - 1) * n + i] > sums[(slices - 1) * n + best])
      best = (int) i;
  for (int s = slices - 1; fine && s >= 0; s--) {
    circles[s] = candidates[s * n + best];
    best = from[s * n + best];
  }
  free (sums);
  free (from);
  return fine;
}

bool
cine_find_circles (const CineHeart *heart, CineCircle *circles)
{
  int side = 2 * (int) ceil (reach / grid) + 1, n = side * side;
  int slices = heart->stack->slices;
  CineCircle *candidates = malloc ((size_t) slices * n * sizeof *candidates);
  double centre[2];
  bool fine = candidates && find_heart (heart, centre);

  for (int s = 0; fine && s < slices; s++)
    try_slice (heart, s, centre, side, candidates + (size_t) s * n);
  fine = fine && find_chain (candidates, slices, side, circles);
  free (candidates);
  return fine;
}
