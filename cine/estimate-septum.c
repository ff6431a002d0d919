/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "estimate.h"
#include "stack.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Millimetres. */
static const double clearance = 3; /* between the cavity and any RV */
static const double widest_wall = 18;
static const double chamber = 9;    /* depth below which blood is none */
static const double reach = 90;     /* of the RV around the LV */
static const double largest = 4000; /* area that counts, mm^2 */
static const double smallest = 60;

/* The RV lies to the right, in front and below in most patients. */
static void
expected_direction (const CineStack *stack, double out[2])
{
  static const double right[3] = { -1, -0.5, 0 };
  double length;

  out[0] = -1;
  out[1] = 0;
  if (!stack->has_geometry)
    return;
  out[0] = cine_dot (stack->row, right);
  out[1] = cine_dot (stack->column, right);
  length = hypot (out[0], out[1]);
  for (int i = 0; i < 2; i++)
    out[i] /= length > 0 ? length : 1;
}

static double
radius_towards (const double *radius, double dx, double dy)
{
  double turn = atan2 (dy, dx) / (2 * M_PI) * CINE_ANGLES;

  return radius[((int) floor (turn + 0.5) + CINE_ANGLES) % CINE_ANGLES];
}

/* Blood outside the cavity: 1; else 0. */
static void
mark_blood (const CineImage *image, const CineCircle *circle,
    const double *radius, int *mark)
{
  float limit = circle->wall + 0.5f * (circle->blood - circle->wall);

  for (int y = 0; y < image->height; y++)
    for (int x = 0; x < image->width; x++) {
      double dx = x - circle->centre[0], dy = y - circle->centre[1];
      double r = hypot (dx, dy);

      *mark++ = r * image->mm < reach
                && r > radius_towards (radius, dx, dy) + clearance / image->mm
                && image->value[(size_t) y * image->width + x] > limit;
    }
}

/* One connected piece of blood. */
typedef struct Piece {
  double pixels, sum[2], beat;
} Piece;

/* Fills the piece that holds a pixel with its number. */
static Piece
fill (const CineImage *image, const CineImage *spread, int *mark, int *pile,
    int seed, int number)
{
  Piece piece = { 0, { 0, 0 }, 0 };
  int n = 0;

  pile[n++] = seed;
  mark[seed] = number;
  while (n > 0) {
    int at = pile[--n], x = at % image->width, y = at / image->width;
    const int next[] = { x > 0 ? at - 1 : -1,
      x + 1 < image->width ? at + 1 : -1, y > 0 ? at - image->width : -1,
      y + 1 < image->height ? at + image->width : -1 };

    piece.pixels++;
    piece.sum[0] += x;
    piece.sum[1] += y;
    piece.beat += spread->value[at];
    for (int i = 0; i < 4; i++)
      if (next[i] >= 0 && mark[next[i]] == 1) {
        mark[next[i]] = number;
        pile[n++] = next[i];
      }
  }
  return piece;
}

/* How much a piece looks like the RV. */
static double
rate (const CineImage *image, const CineCircle *circle, const Piece *piece,
    const double expected[2])
{
  double area = piece->pixels * image->mm * image->mm;
  double dx = piece->sum[0] / piece->pixels - circle->centre[0];
  double dy = piece->sum[1] / piece->pixels - circle->centre[1];
  double length = hypot (dx, dy), cosine;

  cosine = length > 0 ? (dx * expected[0] + dy * expected[1]) / length : 0;
  if (area < smallest || cosine < 0)
    return 0;
  return fmin (area, largest) * (0.3 + cosine) * piece->beat / piece->pixels;
}

/* The number of the RV's piece, or 0. */
static int
find_rv (const CineHeart *heart, int slice, const CineImage *image,
    const CineCircle *circle, int *mark)
{
  int n = image->width * image->height, number = 1, best = 0;
  int *pile = malloc (n * sizeof *pile);
  double expected[2], most = 0;

  expected_direction (heart->stack, expected);
  for (int i = 0; pile && i < n; i++) {
    Piece piece;
    double value;

    if (mark[i] != 1)
      continue;
    piece = fill (image, &heart->spread[slice], mark, pile, i, ++number);
    value = rate (image, circle, &piece, expected);
    if (value > most) {
      most = value;
      best = number;
    }
  }
  free (pile);
  return best;
}

static int
compare (const void *a, const void *b)
{
  double x = *(const double *) a, y = *(const double *) b;

  return (x > y) - (x < y);
}

/* Whether a ray is in the RV at some distance from the cavity's border. */
static bool
is_in_rv (const CineImage *image, const CineCircle *circle, int angle, double r,
    const int *mark, int rv)
{
  double direction[2];
  long x, y;

  cine_direction (angle, direction);
  x = lrint (circle->centre[0] + r * direction[0]);
  y = lrint (circle->centre[1] + r * direction[1]);
  return x >= 0 && y >= 0 && x < image->width && y < image->height
         && mark[y * image->width + x] == rv;
}

/* Thickness of what lies between both chambers along each ray, pixels; 0 where
 * the RV is not met, or is as thin as fat. Returns its usual value, or 0. */
static double
measure_wall (const CineImage *image, const CineCircle *circle,
    const double *radius, const int *mark, int rv, double *wall)
{
  double sorted[CINE_ANGLES];
  int n = 0, deep = (int) (chamber / image->mm);

  for (int a = 0; a < CINE_ANGLES; a++) {
    double w = clearance / image->mm, widest = widest_wall / image->mm;
    int inside = 0;

    wall[a] = 0;
    while (w < widest && !is_in_rv (image, circle, a, radius[a] + w, mark, rv))
      w += 0.5;
    for (int i = 0; i < deep; i++)
      inside += is_in_rv (image, circle, a, radius[a] + w + i, mark, rv);
    if (w < widest && inside >= 0.8 * deep)
      sorted[n++] = wall[a] = w;
  }
  qsort (sorted, n, sizeof *sorted, compare);
  return n > 0 ? sorted[n / 3] : 0;
}

bool
cine_find_septum (const CineHeart *heart, int slice, const CineImage *image,
    const CineCircle *circle, const double *radius, CinePoints *points)
{
  int *mark = malloc ((size_t) image->width * image->height * sizeof *mark);
  double wall[CINE_ANGLES], border[CINE_ANGLES], usual = 0, mean = 0;
  bool touches[CINE_ANGLES];
  int rv = 0;

  if (mark) {
    mark_blood (image, circle, radius, mark);
    rv = find_rv (heart, slice, image, circle, mark);
    if (rv)
      usual = measure_wall (image, circle, radius, mark, rv, wall);
  }
  free (mark);
  if (usual <= 0)
    return false;
  for (int a = 0; a < CINE_ANGLES; a++)
    mean += radius[a] / CINE_ANGLES;
  for (int a = 0; a < CINE_ANGLES; a++) {
    touches[a] = wall[a] > 0 && wall[a] < 1.5 * usual + 2 / image->mm;
    border[a] = fmax (radius[a], mean) + usual;
  }
  return cine_find_insertions (heart->stack, touches, border, points);
}
