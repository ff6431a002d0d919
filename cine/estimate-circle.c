/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "estimate.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Millimetres. */
static const double grid = 3;         /* between candidates */
static const double reach = 75;       /* of candidates around the heart */
static const double heart_sigma = 22; /* of the blur that finds the heart */
static const double step = 2;         /* along rays */
static const double usual = 24;       /* radius of an LV */
static const double slice_shift = 6;  /* usual, between neighbours */

enum {
  RAYS = 24,
  SAMPLES = 24,   /* 46 mm */
  MIN_RADIUS = 4, /* in steps */
  MAX_RADIUS = 19,
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
  double score;

  for (int a = 0; a < RAYS; a++) {
    float inside = 0, outside = 0;

    for (int i = r / 3; i < r; i++)
      inside += rays[a][i];
    inside /= r - r / 3;
    for (int i = 1; i <= WALL_STEPS; i++)
      outside += rays[a][r + i] / WALL_STEPS;
    contrast[a] = inside - outside;
    wall[a] = outside;
    blood += inside / RAYS;
  }
  memcpy (sorted, contrast, sizeof sorted);
  qsort (sorted, RAYS, sizeof *sorted, compare);
  score = blood > 0 ? sorted[RAYS / 4] / blood * sqrt (r * step / usual) : 0;
  if (score <= circle->score)
    return;
  qsort (wall, RAYS, sizeof *wall, compare);
  circle->score = score;
  circle->radius = r * step / mm;
  circle->blood = blood;
  circle->wall = wall[RAYS / 4];
}

static void
try_centre (const CineImage *image, CineCircle *circle)
{
  float rays[RAYS][SAMPLES];

  for (int a = 0; a < RAYS; a++)
    for (int i = 0; i < SAMPLES; i++) {
      double angle = 2 * M_PI * a / RAYS, r = i * step / image->mm;

      rays[a][i] = cine_image_at (image, circle->centre[0] + r * cos (angle),
          circle->centre[1] + r * sin (angle));
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

/* The chain of circles with the highest sum of scores less what its bends cost
 * (Viterbi). */
static bool
find_chain (
    const CineCircle *candidates, int slices, int side, CineCircle *circles)
{
  int n = side * side, best = 0;
  double *sum = calloc ((size_t) slices * n, sizeof *sum);
  int *from = calloc ((size_t) slices * n, sizeof *from);
  bool fine = sum && from;

  for (int s = 0; fine && s < slices; s++)
    for (int i = 0; i < n; i++) {
      double most = s > 0 ? -INFINITY : 0;

      for (int j = 0; s > 0 && j < n; j++) {
        double d = hypot (i % side - j % side, i / side - j / side) * grid;
        double value = sum[(size_t) (s - 1) * n + j]
                       - 0.03 * (d / slice_shift) * (d / slice_shift);

        if (value > most) {
          most = value;
          from[(size_t) s * n + i] = j;
        }
      }
      sum[(size_t) s * n + i] = most + candidates[(size_t) s * n + i].score;
    }
  for (int i = 0; fine && i < n; i++)
    if (sum[(size_t) (slices - 1) * n + i]
        > sum[(size_t) (slices - 1) * n + best])
      best = i;
  for (int s = slices - 1; fine && s >= 0; s--) {
    circles[s] = candidates[(size_t) s * n + best];
    best = from[(size_t) s * n + best];
  }
  free (sum);
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
