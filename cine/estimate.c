/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "estimate.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

float
cine_image_at (const CineImage *image, double x, double y)
{
  int i = (int) floor (x), j = (int) floor (y);
  float u = (float) (x - i), v = (float) (y - j);
  const float *p;

  if (i < 0 || j < 0 || i + 1 >= image->width || j + 1 >= image->height)
    return 0;
  p = image->value + (size_t) j * image->width + i;
  return (1 - v) * ((1 - u) * p[0] + u * p[1])
         + v * ((1 - u) * p[image->width] + u * p[image->width + 1]);
}

static bool
image_init (CineImage *image, const CineStack *stack)
{
  image->width = stack->width;
  image->height = stack->height;
  image->mm = (stack->spacing_mm[0] + stack->spacing_mm[1]) / 2;
  image->value = calloc ((size_t) stack->width * stack->height, sizeof (float));
  return image->value != NULL;
}

static void
fill (CineHeart *heart, int slice)
{
  const CineStack *stack = heart->stack;
  size_t n = (size_t) stack->width * stack->height;

  for (size_t i = 0; i < n; i++) {
    const uint16_t *p = stack->slice[slice].pixels + i;
    double sum = 0, squares = 0;

    for (int phase = 0; phase < stack->phases; phase++) {
      double v = p[phase * n];

      sum += v;
      squares += v * v;
    }
    sum /= stack->phases;
    squares = squares / stack->phases - sum * sum;
    heart->mean[slice].value[i] = (float) sum;
    heart->spread[slice].value[i] = squares > 0 ? (float) sqrt (squares) : 0;
  }
}

bool
cine_heart_init (CineHeart *heart, const CineStack *stack)
{
  heart->stack = stack;
  heart->mean = calloc (stack->slices, sizeof *heart->mean);
  heart->spread = calloc (stack->slices, sizeof *heart->spread);
  for (int s = 0; s < stack->slices; s++) {
    if (!heart->mean || !heart->spread || !image_init (&heart->mean[s], stack)
        || !image_init (&heart->spread[s], stack))
      return false;
    fill (heart, s);
  }
  return true;
}

void
cine_heart_clear (CineHeart *heart)
{
  for (int s = 0; s < heart->stack->slices; s++) {
    if (heart->mean)
      free (heart->mean[s].value);
    if (heart->spread)
      free (heart->spread[s].value);
  }
  free (heart->mean);
  free (heart->spread);
}

/* The picture of one phase as floats. */
static void
take_phase (const CineStack *stack, int slice, int phase, CineImage *image)
{
  const uint16_t *from = cine_picture (stack, slice, phase);

  for (size_t i = 0; i < (size_t) stack->width * stack->height; i++)
    image->value[i] = from[i];
}

static int
compare (const void *a, const void *b)
{
  double x = ((const CineCircle *) a)->score;
  double y = ((const CineCircle *) b)->score;

  return (x < y) - (x > y);
}

/* Scores below this show no LV: a share of what the better slices reach. */
static double
get_limit (const CineCircle *circles, int slices)
{
  CineCircle *sorted = malloc (slices * sizeof *sorted);
  double limit = INFINITY;

  if (sorted) {
    memcpy (sorted, circles, slices * sizeof *sorted);
    qsort (sorted, slices, sizeof *sorted, compare);
    limit = fmax (0.03, 0.25 * sorted[slices / 4].score);
  }
  free (sorted);
  return limit;
}

/* The phase at which the cavities are largest together. */
static int
find_end_diastole (const CineStack *stack, const CineCircle *circles,
    double limit, CineImage *image)
{
  double most = 0, radius[CINE_ANGLES];
  int best = 0;

  for (int phase = 0; phase < stack->phases; phase++) {
    double all = 0;

    for (int s = 0; s < stack->slices; s++) {
      CineCircle circle = circles[s];

      if (circle.score < limit)
        continue;
      take_phase (stack, s, phase, image);
      all += cine_find_contour (image, &circle, radius);
    }
    if (all > most) {
      most = all;
      best = phase;
    }
  }
  return best;
}

static void
find_in_slice (const CineHeart *heart, int slice, int phase, CineCircle circle,
    CineImage *image, CineFinding *finding)
{
  CinePoints *points = &finding->points;
  double radius[CINE_ANGLES];

  take_phase (heart->stack, slice, phase, image);
  finding->lv_area_mm2 = cine_find_contour (image, &circle, radius)
                         * heart->stack->spacing_mm[0]
                         * heart->stack->spacing_mm[1];
  memcpy (points->lv_centre, circle.centre, sizeof points->lv_centre);
  points->has_centre = true;
  cine_find_septum (heart, slice, image, &circle, radius, points);
}

CineFinding *
cine_find_in_pictures (const CineStack *stack)
{
  CineFinding *findings = calloc (stack->slices, sizeof *findings);
  CineCircle *circles = calloc (stack->slices, sizeof *circles);
  CineImage image = { 0, 0, 0, NULL };
  CineHeart heart;
  bool fine = cine_heart_init (&heart, stack) && findings && circles
              && image_init (&image, stack)
              && cine_find_circles (&heart, circles);

  if (fine) {
    double limit = get_limit (circles, stack->slices);
    int phase = find_end_diastole (stack, circles, limit, &image);

    for (int s = 0; s < stack->slices; s++)
      if (circles[s].score >= limit)
        find_in_slice (&heart, s, phase, circles[s], &image, &findings[s]);
  }
  cine_heart_clear (&heart);
  free (image.value);
  free (circles);
  if (fine)
    return findings;
  free (findings);
  return NULL;
}
