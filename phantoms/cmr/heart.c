/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "heart.h"

#include <math.h>
#include <string.h>

static const double degree = M_PI / 180;

/* mm, thickness of the RV's free wall, of the pericardial layer elsewhere, and
 * of the surroundings that move along. */
static const double rv_wall_mm = 3;
static const double layer_mm = 2;
static const double margin_mm = 16;

/* No wall is thinner, nor does one turn inside out. */
static const double thinnest_mm = 1.5;

/* Depths of the slices that scoring looks at: of ten, the second, fifth and
 * eighth. */
static const double level_depth[CMR_LEVELS] = { 0.15, 0.45, 0.75 };

static double
slice_depth (const CmrSettings *s, int slice)
{
  return (slice + 0.5) / s->slices;
}

int
heart_level_slice (const CmrSettings *s, int level)
{
  int slice = (int) floor (level_depth[level] * s->slices);
  /* Of three slices, each is a level. */
  return slice < level ? level : slice;
}

static double
smooth_step (double x)
{
  x = fmin (fmax (x, 0), 1);
  return x * x * (3 - 2 * x);
}

/* Fast rise, relaxation with early filling, diastasis, atrial kick. */
double
heart_contraction (double time, double systole)
{
  const double filled = 0.18, rest = 0.1, early = 0.22, late = 0.85;
  double t = time - floor (time);
  if (t < systole)
    return smooth_step (t / systole);
  if (t < systole + early)
    return 1 - (1 - filled) * smooth_step ((t - systole) / early);
  if (t < late)
    return filled
           - (filled - rest)
                 * smooth_step (
                     (t - systole - early) / (late - systole - early));
  return rest * (1 - smooth_step ((t - late) / (1 - late)));
}

double
ring_at (const float table[RING + 1], double angle)
{
  /* Kept positive, so that truncation is floor. */
  double turns = angle * (1 / (2 * M_PI)) + 16;
  double x = (turns - (int) turns) * RING;
  int i = (int) x;
  double part = x - i;
  return table[i] + (table[i + 1] - table[i]) * part;
}

/* Borders of a segment, radians after the anterior insertion; the apical ones
 * are turned by 15 degrees. */
void
heart_segment_range (int segment, double *begin, double *end)
{
  if (segment < 12) {
    *begin = 60 * degree * ((segment % 6 + 5) % 6);
    *end = *begin + 60 * degree;
  } else {
    *begin = (15 + 90 * ((segment - 12 + 3) % 4)) * degree;
    *end = *begin + 90 * degree;
  }
}

static int
segment_at (int level, double degrees)
{
  if (level < 2)
    return level * 6 + ((int) (degrees / 60) + 1) % 6;
  return 12 + ((int) (fmod (degrees - 15 + 360, 360) / 90) + 1) % 4;
}

void
heart_level_motion (const CmrSettings *settings, const double *values,
    int level, float table[RING + 1])
{
  float raw[RING], weight[RING / 2];
  int reach = (int) fmin (RING / 2 - 1, ceil (3 * settings->border / degree));
  for (int i = 0; i < RING; i++)
    raw[i] = values[segment_at (level, i + 0.5)];
  for (int k = 0; k <= reach; k++)
    weight[k] = exp (-0.5 * pow (k * degree / settings->border, 2));
  for (int i = 0; i < RING; i++) {
    /* Entry i stands at i degrees, between raw values i - 1 and i. */
    double sum = 0, total = 0;
    for (int k = -reach; k < reach; k++) {
      double w = weight[k < 0 ? -k - 1 : k];
      sum += w * raw[(i + k + RING) % RING];
      total += w;
    }
    table[i] = sum / total;
  }
  table[RING] = table[0];
}

/* Between levels motion changes linearly with depth. */
static void
slice_motion (const Heart *heart, const CmrSettings *s, const double *values,
    float table[RING + 1])
{
  double at[CMR_LEVELS];
  for (int k = 0; k < CMR_LEVELS; k++)
    at[k] = slice_depth (s, heart_level_slice (s, k));
  double depth = fmin (fmax (heart->depth, at[0]), at[2]);
  int low = depth < at[1] ? 0 : 1;
  double part = (depth - at[low]) / (at[low + 1] - at[low]);
  float other[RING + 1];
  heart_level_motion (s, values, low, table);
  heart_level_motion (s, values, low + 1, other);
  for (int i = 0; i <= RING; i++)
    table[i] += part * (other[i] - table[i]);
}

/* A smooth closed curve about 0 without a mean or a shift: harmonics from the
 * second on. */
static void
wobble (Chance *chance, double sd, int low, int high, float table[RING + 1])
{
  memset (table, 0, sizeof (float) * (RING + 1));
  for (int h = low; h <= high; h++) {
    double amplitude = chance_normal (chance, 0, sd / sqrt (high - low + 1));
    double phase = chance_uniform (chance, 0, 2 * M_PI);
    for (int i = 0; i <= RING; i++)
      table[i] += amplitude * M_SQRT2 * cos (h * i * degree + phase);
  }
}

/* The wall of a truncated ellipsoid; the right ventricle a crescent beside it,
 * ending before the apex. */
static void
shape (Heart *heart, const CmrSettings *s)
{
  Chance slow = chance_new (s->seed, 10);
  Chance own = chance_new (s->seed, 100 + (int) (heart->depth * 1000));
  double cavity = s->cavity_mm * sqrt (1 - pow (0.93 * heart->depth, 2.4));
  double wall = s->wall_mm * (1 - 0.15 * heart->depth);
  double rv = s->rv_mm * (1 - pow (heart->depth, 2));
  float oval[RING + 1], rough[RING + 1], thick[RING + 1], rv_form[RING + 1];
  wobble (&slow, 0.03, 2, 3, oval);
  wobble (&slow, 0.08, 1, 4, thick);
  wobble (&own, s->trabeculation * (0.4 + heart->depth), 7, 20, rough);
  wobble (&own, 0.06, 3, 9, rv_form);
  double mean = 0;
  for (int i = 0; i <= RING; i++) {
    double angle = i * degree, gap = 0;
    if (angle < heart->septum)
      gap = rv * pow (sin (M_PI * angle / heart->septum), 0.65)
            * (1 + rv_form[i]);
    double smooth = cavity * (1 + oval[i]);
    double epi = smooth + wall * (1 + thick[i]);
    double endo = fmin (smooth + cavity * rough[i], epi - thinnest_mm);
    heart->smooth[i] = smooth;
    heart->still[ENDOCARDIUM][i] = endo;
    heart->still[EPICARDIUM][i] = epi;
    heart->rv_gap[i] = gap;
    heart->still[RV_BORDER][i] = epi + layer_mm + gap + fmin (gap, rv_wall_mm);
    heart->still[LIMIT][i] = heart->still[RV_BORDER][i] + margin_mm;
    heart->reach = fmax (heart->reach, heart->still[LIMIT][i]);
    mean += epi / (RING + 1);
  }
  heart->inner = mean;
  heart->outer = mean + layer_mm + margin_mm;
}

static void
place (Heart *heart, const CmrSettings *s, int slice)
{
  Chance chance = chance_new (s->seed, 200 + slice);
  double from_middle = s->slices > 1 ? heart->depth - 0.5 : 0;
  double offset = s->misplacement / s->spacing_mm;
  heart->centre[0] = s->centre_x + s->slant_x * 2 * from_middle
                     + chance_normal (&chance, 0, offset);
  heart->centre[1] = s->centre_y + s->slant_y * 2 * from_middle
                     + chance_normal (&chance, 0, offset);
  heart->pixel_mm = s->spacing_mm;
  heart->turn[0] = cos (s->rotation);
  heart->turn[1] = sin (s->rotation);
  heart->mirror = s->mirror;
  heart->insertion = s->insertion;
  /* The septum narrows towards the apex. */
  heart->septum = s->septum * (1 - 0.15 * heart->depth);
}

void
heart_init (Heart *heart, const CmrSettings *s, int slice)
{
  memset (heart, 0, sizeof *heart);
  heart->depth = slice_depth (s, slice);
  place (heart, s, slice);
  shape (heart, s);
  slice_motion (heart, s, s->excursion, heart->excursion);
  slice_motion (heart, s, s->thickening, heart->thickening);
  slice_motion (heart, s, s->delay, heart->delay);
  heart->twist = s->twist_base + (s->twist_apex - s->twist_base) * heart->depth;
  heart->shift[0] = s->shift_x;
  heart->shift[1] = s->shift_y;
  heart->rv_excursion = s->rv_excursion;
  heart->systole = s->systole;
}

void
heart_moment (const Heart *heart, double time, Moment *moment)
{
  double whole = heart_contraction (time, heart->systole);
  moment->twist = heart->twist * whole;
  moment->shift[0] = heart->shift[0] * whole;
  moment->shift[1] = heart->shift[1] * whole;
  for (int i = 0; i <= RING; i++) {
    double own = heart_contraction (time - heart->delay[i], heart->systole);
    double epi = heart->still[EPICARDIUM][i], smooth = heart->smooth[i];
    double rest = heart->still[RV_BORDER][i] - epi;
    double endo =
        heart->still[ENDOCARDIUM][i] * (1 - heart->excursion[i] * own);
    epi += own
           * ((epi - smooth) * heart->thickening[i]
               - smooth * heart->excursion[i]);
    epi = fmax (epi, endo + thinnest_mm);
    moment->border[ENDOCARDIUM][i] = endo;
    moment->border[EPICARDIUM][i] = epi;
    moment->border[RV_BORDER][i] =
        epi + rest - heart->rv_gap[i] * heart->rv_excursion * whole;
    moment->border[LIMIT][i] = heart->still[LIMIT][i];
  }
}

void
heart_to_patient (const Heart *heart, const double px[2], double mm[2])
{
  double x = (px[0] - heart->centre[0]) * heart->pixel_mm;
  double y = (px[1] - heart->centre[1]) * heart->pixel_mm;
  if (heart->mirror)
    x = -x;
  double c = heart->turn[0], s = heart->turn[1];
  mm[0] = c * x + s * y;
  mm[1] = -s * x + c * y;
}

void
heart_from_patient (const Heart *heart, const double mm[2], double px[2])
{
  double c = heart->turn[0], s = heart->turn[1];
  double x = c * mm[0] - s * mm[1];
  double y = s * mm[0] + c * mm[1];
  if (heart->mirror)
    x = -x;
  px[0] = heart->centre[0] + x / heart->pixel_mm;
  px[1] = heart->centre[1] + y / heart->pixel_mm;
}

void
heart_ring (
    const Heart *heart, const double mm[2], double *radius, double *angle)
{
  *radius = sqrt (mm[0] * mm[0] + mm[1] * mm[1]);
  /* Counter-clockwise on the screen: y points down. */
  *angle = heart->insertion - atan2 (mm[1], mm[0]);
}

/* Share of twist and shift at a radius. It depends on the present radius alone,
 * so that they can be undone before the radius is. */
static double
share_at (const Heart *heart, double radius)
{
  return 1
         - smooth_step (
             (radius - heart->inner) / (heart->outer - heart->inner));
}

/* Carries a radius from one set of borders to another, linear between them. */
static double
carry (const float from[BORDERS][RING + 1], const float to[BORDERS][RING + 1],
    double angle, double radius)
{
  double below_from = 0, below_to = 0;
  for (int k = 0; k < BORDERS; k++) {
    double above_from = ring_at (from[k], angle);
    double above_to = ring_at (to[k], angle);
    if (radius < above_from)
      return below_to
             + (radius - below_from) * (above_to - below_to)
                   / (above_from - below_from);
    below_from = above_from;
    below_to = above_to;
  }
  return radius;
}

bool
heart_unmove (const Heart *heart, const Moment *moment, const double mm[2],
    double *radius, double *angle)
{
  double share = share_at (heart, sqrt (mm[0] * mm[0] + mm[1] * mm[1]));
  double own[2] = { mm[0] - moment->shift[0] * share,
    mm[1] - moment->shift[1] * share };
  heart_ring (heart, own, radius, angle);
  if (*radius >= heart->reach)
    return false;
  *angle -= moment->twist * share_at (heart, *radius);
  if (*radius >= ring_at (heart->still[LIMIT], *angle))
    return false;
  *radius = carry (moment->border, heart->still, *angle, *radius);
  return true;
}

void
heart_move (const Heart *heart, const Moment *moment, double radius,
    double angle, double mm[2])
{
  radius = carry (heart->still, moment->border, angle, radius);
  angle += moment->twist * share_at (heart, radius);
  double own[2] = { radius * cos (heart->insertion - angle),
    radius * sin (heart->insertion - angle) };
  mm[0] = own[0];
  mm[1] = own[1];
  /* The shift's share depends on the place that it leads to: a contraction by
   * about shift / margin, a tenth. */
  for (int i = 0; i < 12; i++) {
    double share = share_at (heart, hypot (mm[0], mm[1]));
    mm[0] = own[0] + moment->shift[0] * share;
    mm[1] = own[1] + moment->shift[1] * share;
  }
}

CmrTissue
heart_tissue (const Heart *heart, double radius, double angle)
{
  double epi = ring_at (heart->still[EPICARDIUM], angle);
  if (radius < ring_at (heart->still[ENDOCARDIUM], angle))
    return CMR_LV_BLOOD;
  if (radius < epi)
    return CMR_LV_WALL;
  double gap = ring_at (heart->rv_gap, angle);
  if (radius < epi + gap)
    return CMR_RV_BLOOD;
  if (radius < epi + gap + fmin (gap, rv_wall_mm))
    return CMR_RV_WALL;
  return CMR_SURROUNDINGS;
}
