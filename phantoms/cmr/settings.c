/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cmr-phantom.h"

#include "chance.h"

#include <math.h>
#include <string.h>

#define DEGREES(x) ((x) *M_PI / 180)

/* Motion of a score: mean and sd of the excursion. */
static const double excursion_mean[] = { 0.31, 0.175, 0.05, -0.08 };
static const double excursion_sd[] = { 0.072, 0.042, 0.037, 0.039 };

/* Thickening goes with excursion, not quite. */
static const double thickening_slope = 1.3;
static const double thickening_sd = 0.05;

/* Standard normal quantiles of 794, 1142 and 1349 of 1440. */
static const double score_border[] = { 0.1293, 0.8171, 1.5283 };

void
cmr_settings_score (CmrSettings *settings, int segment, int score)
{
  settings->score[segment] = score;
  settings->excursion[segment] = excursion_mean[score - 1];
  settings->thickening[segment] =
      thickening_slope * settings->excursion[segment];
  settings->delay[segment] = 0;
}

void
cmr_settings_default (CmrSettings *settings)
{
  *settings = (CmrSettings){
    .width = 256,
    .height = 256,
    .phases = 20,
    .slices = 10,
    .spacing_mm = 1.3,
    .slice_spacing_mm = 8,
    .cycle_ms = 900,
    .centre_x = 131,
    .centre_y = 121,
    .insertion = DEGREES (-122),
    .septum = DEGREES (115),
    .misplacement = 0.8,
    .cavity_mm = 25,
    .wall_mm = 8.5,
    .rv_mm = 30,
    .papillary = 1,
    .trabeculation = 0.03,
    .border = DEGREES (9),
    .systole = 0.36,
    .twist_base = DEGREES (-2.5),
    .twist_apex = DEGREES (5),
    .rv_excursion = 0.35,
    .gain = 1,
    .noise = 4,
    .bias = 0.7,
    .unwarp = 0.1,
  };
  for (int k = 0; k < CMR_SEGMENTS; k++)
    cmr_settings_score (settings, k, CMR_NORMAL);
}

/* Centre of a segment on a cylinder about the axis. */
static void
segment_place (int segment, double place[3])
{
  int level = segment < 6 ? 0 : segment < 12 ? 1 : 2;
  double angle;
  if (level < 2)
    angle = DEGREES (60 * ((segment - level * 6 + 5) % 6) + 30);
  else
    angle = DEGREES (60 + 90 * ((segment - 12 + 3) % 4));
  double radius = level < 2 ? 1 : 0.75;
  place[0] = radius * cos (angle);
  place[1] = radius * sin (angle);
  place[2] = 1.1 * level;
}

/* A stationary Gaussian field by random Fourier features, plus one value for
 * the whole subject: variance 1 together. */
static void
draw_scores (Chance *chance, int score[CMR_SEGMENTS])
{
  enum { WAVES = 32 };
  const double common = 0.35;
  double wave[WAVES][4];
  for (int i = 0; i < WAVES; i++) {
    for (int axis = 0; axis < 3; axis++)
      wave[i][axis] = chance_normal (chance, 0, 1.1);
    wave[i][3] = chance_uniform (chance, 0, 2 * M_PI);
  }
  double subject = chance_normal (chance, 0, sqrt (common));
  for (int k = 0; k < CMR_SEGMENTS; k++) {
    double place[3], field = 0;
    segment_place (k, place);
    for (int i = 0; i < WAVES; i++)
      field += cos (wave[i][0] * place[0] + wave[i][1] * place[1]
                    + wave[i][2] * place[2] + wave[i][3]);
    field = subject + field * sqrt (2 * (1 - common) / WAVES);
    score[k] = 1 + (field > score_border[0]) + (field > score_border[1])
               + (field > score_border[2]);
  }
}

static void
draw_motion (CmrSettings *s, Chance *chance)
{
  draw_scores (chance, s->score);
  for (int k = 0; k < CMR_SEGMENTS; k++) {
    int class = s->score[k] - 1;
    s->excursion[k] =
        chance_normal (chance, excursion_mean[class], excursion_sd[class]);
    s->thickening[k] = thickening_slope * s->excursion[k]
                       + chance_normal (chance, 0, thickening_sd);
    s->delay[k] = chance_normal (chance, 0, class > 0 ? 0.025 : 0.012);
  }
  s->border = DEGREES (chance_uniform (chance, 6, 12));
  s->systole = chance_uniform (chance, 0.32, 0.42);
  s->twist_base = DEGREES (chance_normal (chance, -2.5, 1));
  s->twist_apex = DEGREES (chance_normal (chance, 5, 1.5));
  s->shift_x = chance_normal (chance, 0, 1);
  s->shift_y = chance_normal (chance, 0, 1);
  s->rv_excursion = chance_uniform (chance, 0.15, 0.45);
}

static void
draw_anatomy (CmrSettings *s, Chance *chance)
{
  s->rotation = DEGREES (chance_normal (chance, 0, 10));
  s->insertion = DEGREES (chance_normal (chance, -122, 8));
  s->septum = DEGREES (chance_normal (chance, 115, 8));
  s->misplacement = chance_uniform (chance, 0, 1.5);
  s->cavity_mm = chance_normal (chance, 25, 2.5);
  s->wall_mm = chance_normal (chance, 8.5, 1.1);
  s->rv_mm = chance_normal (chance, 30, 5);
  s->papillary = chance_uniform (chance, 0.6, 1.3);
  s->trabeculation = chance_uniform (chance, 0.01, 0.05);
}

static void
draw_recording (CmrSettings *s, Chance *chance)
{
  /* The paper: 0.6445 to 1.9792 mm; 65 of 90 subjects have 20 phases, the
   * others 25. */
  s->spacing_mm = chance_uniform (chance, 0.6445, 1.9792);
  s->width = (int) fmin (fmax (round (330 / s->spacing_mm), 160), 288);
  s->height = (int) round (s->width * chance_uniform (chance, 0.85, 1));
  s->phases = chance_uniform (chance, 0, 90) < 65 ? 20 : 25;
  s->cycle_ms = chance_uniform (chance, 650, 1150);
  s->centre_x = s->width * chance_uniform (chance, 0.46, 0.56);
  s->centre_y = s->height * chance_uniform (chance, 0.44, 0.53);
  s->slant_x = chance_normal (chance, 0, 2.5) / s->spacing_mm;
  s->slant_y = chance_normal (chance, -5, 2.5) / s->spacing_mm;
  s->gain = exp (chance_uniform (chance, log (0.6), log (5)));
  s->noise = chance_uniform (chance, 2.5, 7);
  s->bias = chance_uniform (chance, 0.2, 1.1);
  s->unwarp = fmax (0, chance_uniform (chance, -0.1, 0.14));
}

void
cmr_settings_draw (CmrSettings *settings, uint64_t seed)
{
  cmr_settings_default (settings);
  settings->seed = seed;
  Chance motion = chance_new (seed, 1);
  Chance anatomy = chance_new (seed, 2);
  Chance recording = chance_new (seed, 3);
  draw_motion (settings, &motion);
  draw_anatomy (settings, &anatomy);
  draw_recording (settings, &recording);
  cmr_settings_clamp (settings);
}

static bool
keep (double *value, double low, double high)
{
  double wanted = isfinite (*value) ? *value : low;
  double kept = fmin (fmax (wanted, low), high);
  bool same = kept == *value;
  *value = kept;
  return same;
}

static bool
keep_int (int *value, int low, int high)
{
  int kept = *value < low ? low : *value > high ? high : *value;
  bool same = kept == *value;
  *value = kept;
  return same;
}

static bool
clamp_motion (CmrSettings *s)
{
  bool ok = true;
  for (int k = 0; k < CMR_SEGMENTS; k++) {
    ok &= keep_int (&s->score[k], CMR_NORMAL, CMR_DYSKINETIC);
    ok &= keep (&s->excursion[k], -0.25, 0.6);
    ok &= keep (&s->thickening[k], -0.4, 0.9);
    ok &= keep (&s->delay[k], -0.1, 0.1);
  }
  ok &= keep (&s->border, DEGREES (1), DEGREES (30));
  ok &= keep (&s->systole, 0.25, 0.5);
  ok &= keep (&s->twist_base, -0.4, 0.4);
  ok &= keep (&s->twist_apex, -0.4, 0.4);
  ok &= keep (&s->shift_x, -6, 6);
  ok &= keep (&s->shift_y, -6, 6);
  ok &= keep (&s->rv_excursion, 0, 0.6);
  return ok;
}

static bool
clamp_anatomy (CmrSettings *s)
{
  bool ok = true;
  ok &= keep (&s->rotation, -2 * M_PI, 2 * M_PI);
  ok &= keep (&s->insertion, -2 * M_PI, 2 * M_PI);
  ok &= keep (&s->septum, 1.4, 2.8);
  ok &= keep (&s->misplacement, 0, 5);
  ok &= keep (&s->cavity_mm, 15, 40);
  ok &= keep (&s->wall_mm, 4, 16);
  ok &= keep (&s->rv_mm, 8, 50);
  ok &= keep (&s->papillary, 0, 1.5);
  ok &= keep (&s->trabeculation, 0, 0.08);
  return ok;
}

static bool
clamp_recording (CmrSettings *s)
{
  bool ok = true;
  ok &= keep_int (&s->width, 64, CMR_MAX_SIDE);
  ok &= keep_int (&s->height, 64, CMR_MAX_SIDE);
  ok &= keep_int (&s->phases, CMR_MIN_PHASES, CMR_MAX_PHASES);
  ok &= keep_int (&s->slices, CMR_LEVELS, CMR_MAX_SLICES);
  ok &= keep (&s->spacing_mm, 0.5, 3);
  ok &= keep (&s->slice_spacing_mm, 1, 20);
  ok &= keep (&s->cycle_ms, 200, 3000);
  ok &= keep (&s->centre_x, 0, s->width - 1);
  ok &= keep (&s->centre_y, 0, s->height - 1);
  ok &= keep (&s->slant_x, -20, 20);
  ok &= keep (&s->slant_y, -20, 20);
  ok &= keep (&s->gain, 0.05, 20);
  ok &= keep (&s->noise, 0, 60);
  ok &= keep (&s->bias, 0, 1.5);
  ok &= keep (&s->unwarp, 0, 0.2);
  return ok;
}

bool
cmr_settings_clamp (CmrSettings *settings)
{
  bool motion = clamp_motion (settings);
  bool anatomy = clamp_anatomy (settings);
  bool recording = clamp_recording (settings);
  return motion && anatomy && recording;
}

size_t
cmr_settings_size (void)
{
  return sizeof (CmrSettings);
}
