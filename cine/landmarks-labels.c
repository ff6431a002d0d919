/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Landmarks from a segmentation: the LV's centre of mass, and the ends of the arc
 * at which the RV lies against the LV's wall. Numbers of labels differ between
 * data sets, so by default they are told by what touches what. */

#include "levels.h"
#include "reader.h"
#include "stack.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_LABEL = 15 };

/* Labels in the stack's own grid. */
typedef struct Labels {
  const CineStack *stack;
  uint8_t *value;   ///< [slices][height][width]
  int lv, wall, rv; ///< numbers; rv 0: there is none
} Labels;

static uint8_t *
get_slice (const Labels *labels, int slice)
{
  return labels->value
         + (size_t) slice * labels->stack->width * labels->stack->height;
}

/* Inverse of the affine's linear part. */
static bool
invert (const double m[3][4], double out[3][3])
{
  double rows[3][3], det;

  for (int i = 0; i < 3; i++)
    for (int j = 0; j < 3; j++)
      rows[i][j] = m[i][j];
  for (int i = 0; i < 3; i++) {
    double column[3];

    cine_cross (rows[(i + 1) % 3], rows[(i + 2) % 3], column);
    for (int j = 0; j < 3; j++)
      out[j][i] = column[j];
  }
  det =
      rows[0][0] * out[0][0] + rows[0][1] * out[1][0] + rows[0][2] * out[2][0];
  if (fabs (det) < 1e-9)
    return false;
  for (int i = 0; i < 3; i++)
    for (int j = 0; j < 3; j++)
      out[i][j] /= det;
  return true;
}

/* The voxel of a stack's pixel, by patient position. */
static void
find_voxel (const CineStack *stack, const CineVolume *volume,
    const double inverse[3][3], int s, int x, int y, long voxel[3])
{
  double offset[3];

  for (int i = 0; i < 3; i++)
    offset[i] = stack->slice[s].position_mm[i]
                + x * stack->spacing_mm[0] * stack->row[i]
                + y * stack->spacing_mm[1] * stack->column[i]
                - volume->to_patient[i][3];
  for (int i = 0; i < 3; i++)
    voxel[i] = lrint (cine_dot (inverse[i], offset));
}

/* Samples one volume of the label file in the stack's grid; returns how many
 * pixels it covers. */
static size_t
sample (Labels *labels, const CineVolume *volume, int phase)
{
  const CineStack *stack = labels->stack;
  const float *from =
      volume->values
      + (size_t) phase * volume->dim[0] * volume->dim[1] * volume->dim[2];
  bool placed = stack->has_geometry && volume->has_affine;
  double inverse[3][3];
  size_t covered = 0;

  if (placed && !invert (volume->to_patient, inverse))
    return 0;
  for (int s = 0; s < stack->slices; s++)
    for (int y = 0; y < stack->height; y++)
      for (int x = 0; x < stack->width; x++) {
        long v[3] = { x, stack->flipped ? stack->height - 1 - y : y,
          stack->slice[s].stored };
        uint8_t *to = get_slice (labels, s) + (size_t) y * stack->width + x;

        if (placed)
          find_voxel (stack, volume, inverse, s, x, y, v);
        *to = 0;
        if (v[0] < 0 || v[1] < 0 || v[2] < 0 || v[0] >= volume->dim[0]
            || v[1] >= volume->dim[1] || v[2] >= volume->dim[2])
          continue;
        float value = from[v[0]
                           + (size_t) volume->dim[0]
                                 * (v[1] + (size_t) volume->dim[1] * v[2])];
        *to = value > 0 && value <= MAX_LABEL ? (uint8_t) lrintf (value) : 0;
        covered++;
      }
  return covered;
}

/* How often labels lie beside each other. */
static void
count_contacts (
    const Labels *labels, size_t contacts[MAX_LABEL + 1][MAX_LABEL + 1])
{
  const CineStack *stack = labels->stack;

  memset (contacts, 0, (MAX_LABEL + 1) * sizeof *contacts);
  for (int s = 0; s < stack->slices; s++)
    for (int y = 0; y + 1 < stack->height; y++) {
      const uint8_t *row = get_slice (labels, s) + (size_t) y * stack->width;

      for (int x = 0; x + 1 < stack->width; x++) {
        contacts[row[x]][row[x + 1]]++;
        contacts[row[x + 1]][row[x]]++;
        contacts[row[x]][row[x + stack->width]]++;
        contacts[row[x + stack->width]][row[x]]++;
      }
    }
}

/* The cavity is the label that background touches least, the wall the one that
 * surrounds it, the RV the largest of the rest that touches the wall. */
static bool
name_labels (Labels *labels)
{
  size_t contacts[MAX_LABEL + 1][MAX_LABEL + 1];
  double least = 0.35;

  count_contacts (labels, contacts);
  labels->lv = labels->wall = labels->rv = 0;
  for (int a = 1; a <= MAX_LABEL; a++) {
    double border = 0;

    for (int b = 0; b <= MAX_LABEL; b++)
      border += b != a ? contacts[a][b] : 0;
    if (border > 0 && contacts[a][0] / border < least) {
      least = contacts[a][0] / border;
      labels->lv = a;
    }
  }
  for (int a = 1; labels->lv && a <= MAX_LABEL; a++)
    if (a != labels->lv && contacts[labels->lv][a] > 0
        && (!labels->wall
            || contacts[labels->lv][a] > contacts[labels->lv][labels->wall]))
      labels->wall = a;
  for (int a = 1; labels->wall && a <= MAX_LABEL; a++)
    if (a != labels->lv && a != labels->wall && contacts[a][labels->wall] > 0
        && (!labels->rv || contacts[a][a] > contacts[labels->rv][labels->rv]))
      labels->rv = a;
  return labels->wall != 0;
}

static double
measure_lv (const Labels *labels, int slice, double centre[2])
{
  const CineStack *stack = labels->stack;
  const uint8_t *value = get_slice (labels, slice);
  double n = 0, sum[2] = { 0, 0 };

  for (int y = 0; y < stack->height; y++)
    for (int x = 0; x < stack->width; x++)
      if (*value++ == labels->lv) {
        n++;
        sum[0] += x;
        sum[1] += y;
      }
  if (n > 0) {
    centre[0] = sum[0] / n;
    centre[1] = sum[1] / n;
  }
  return n * stack->spacing_mm[0] * stack->spacing_mm[1];
}

static int
get_label (const Labels *labels, int slice, const double centre[2],
    const double direction[2], double radius)
{
  long x = lrint (centre[0] + radius * direction[0]);
  long y = lrint (centre[1] + radius * direction[1]);

  if (x < 0 || y < 0 || x >= labels->stack->width || y >= labels->stack->height)
    return 0;
  return get_slice (labels, slice)[y * labels->stack->width + x];
}

static void
find_septum (const Labels *labels, int slice, CinePoints *points)
{
  double near = 4 / labels->stack->spacing_mm[0]; /* 4 mm beyond the wall */
  double radius[CINE_ANGLES];
  bool touches[CINE_ANGLES];

  for (int a = 0; a < CINE_ANGLES; a++) {
    double direction[2], r, limit = labels->stack->width;

    cine_direction (a, direction);
    radius[a] = 0;
    for (r = 0; r < limit; r += 0.5) {
      int label = get_label (labels, slice, points->lv_centre, direction, r);

      if (label == labels->lv || label == labels->wall)
        radius[a] = r;
      else if (r > radius[a] + near)
        break;
    }
    touches[a] = false;
    for (r = radius[a]; r <= radius[a] + near && !touches[a]; r += 0.5)
      touches[a] = get_label (labels, slice, points->lv_centre, direction, r)
                   == labels->rv;
  }
  cine_find_insertions (labels->stack, touches, radius, points);
}

/* The volume with the largest cavity: end-diastole. */
static int
find_widest (Labels *labels, const CineVolume *volume)
{
  double most = -1, centre[2];
  int best = 0;

  for (int phase = 0; phase < volume->dim[3]; phase++) {
    double all = 0;

    if (sample (labels, volume, phase) == 0)
      return -1;
    if (phase == 0 && !labels->lv && !name_labels (labels))
      continue;
    for (int s = 0; s < labels->stack->slices; s++)
      all += measure_lv (labels, s, centre);
    if (all > most) {
      most = all;
      best = phase;
    }
  }
  return most > 0 ? best : -1;
}

static bool
read (Labels *labels, const CineVolume *volume, const char *path,
    CineError *error)
{
  int phase = find_widest (labels, volume);

  if (phase < 0)
    return cine_fail (error, CINE_BAD_SETTING,
        "%s has no LV within its myocardium where the stack lies; expected "
        "labels of the same patient, and segmentation-labels if their numbers "
        "are unusual",
        path);
  sample (labels, volume, phase);
  return true;
}

CineFinding *
cine_find_by_labels (const CineStack *stack, const char *path,
    const int numbers[3], CineError *error)
{
  Labels labels = { stack, NULL, numbers[0], numbers[1], numbers[2] };
  CineFinding *findings = calloc (stack->slices, sizeof *findings);
  const CineNiftiReader *reader;
  CineVolume volume;
  bool fine;

  if (!cine_volume_load (path, &volume, &reader, error)) {
    free (findings);
    return NULL;
  }
  labels.value = malloc ((size_t) stack->slices * stack->width * stack->height);
  fine = findings && labels.value && read (&labels, &volume, path, error);
  reader->clear (&volume);
  for (int s = 0; fine && s < stack->slices; s++) {
    CineFinding *finding = &findings[s];

    finding->lv_area_mm2 = measure_lv (&labels, s, finding->points.lv_centre);
    finding->points.has_centre = finding->lv_area_mm2 > 0;
    if (finding->points.has_centre && labels.rv)
      find_septum (&labels, s, &finding->points);
  }
  free (labels.value);
  if (fine)
    return findings;
  free (findings);
  return NULL;
}
