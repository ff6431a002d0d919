/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a recording depends on, drawn by chance, and what is true of it. */
#include "echo-phantom.h"

#include <math.h>
#include <string.h>

#include "common/random.h"
#include "heart.h"

/* Severities are drawn no nearer than this to a border, in log. */
#define MARGIN 0.1

void
echo_settings_default (EchoSettings *settings)
{
  *settings = (EchoSettings){
    .seed = 1,
    .duration = 3.6,
    .clip = 1.0,
    .frame_rate = 25,
    .heart_rate = 75,
    .phase = 0,
    .systole = 0.38,
    .heart_x = 0.6,
    .heart_y = 2.9,
    .tilt = 0.02,
    .scale = 1.0,
    .lv_length = 7.4,
    .lv_width = 4.6,
    .la_length = 4.6,
    .la_width = 4.0,
    .rv_width = 2.9,
    .ra_width = 3.9,
    .ra_length = 4.3,
    .wall = 0.95,
    .shortening = 0.3,
    .excursion = 1.2,
    .inflow = 0.75,
    .inflow_a = 0.55,
    .outflow = 0.9,
    .pulmonary_vein = 0.4,
    .depth = 16,
    .sector = 0.66,
    .nyquist = 0.6,
    .colour_gain = 1.0,
    .colour_noise = 0.01,
    .grey_gain = 1.0,
    .grey_noise = 0.4,
    .depth_gain = 0.3,
    .variance = true,
    .box_left = -0.22,
    .box_right = 0.36,
    .box_top = 6.0,
    .box_bottom = 15.0,
    .layout = 0,
    .colour = true,
  };
  for (int i = 0; i < ECHO_BEATS; i++)
    settings->beat[i] = 1;
}

static bool
clamp (double *value, double low, double high)
{
  double in = *value;
  if (!(in >= low)) /* NaN too */
    *value = low;
  else if (in > high)
    *value = high;
  return in == *value;
}

static bool
clamp_int (int *value, int low, int high)
{
  int in = *value;
  *value = in < low ? low : in > high ? high : in;
  return in == *value;
}

static bool
clamp_jet (EchoJet *jet)
{
  bool ok = clamp (&jet->area, 0, 0.7);
  ok &= clamp (&jet->aspect, 1.2, 8);
  ok &= clamp_int (&jet->wall, -1, 1);
  ok &= clamp (&jet->direction, -0.6, 0.6);
  ok &= clamp (&jet->orifice, -1, 1);
  ok &= clamp (&jet->onset, 0, 0.9);
  ok &= clamp (&jet->duration, 0.1, 1 - jet->onset + 1e-9);
  return ok;
}

static bool
clamp_anatomy (EchoSettings *s)
{
  bool ok = clamp (&s->heart_x, -4, 4);
  ok &= clamp (&s->heart_y, 1, 6);
  ok &= clamp (&s->tilt, -0.6, 0.6);
  ok &= clamp (&s->scale, 0.6, 1.5);
  ok &= clamp (&s->lv_length, 5, 11);
  ok &= clamp (&s->lv_width, 3, 8);
  ok &= clamp (&s->la_length, 3, 8);
  ok &= clamp (&s->la_width, 2.5, 8);
  ok &= clamp (&s->rv_width, 1.5, 6);
  ok &= clamp (&s->ra_width, 2.5, 7);
  ok &= clamp (&s->ra_length, 2.5, 7);
  ok &= clamp (&s->wall, 0.5, 2);
  ok &= clamp (&s->shortening, 0, 0.5);
  ok &= clamp (&s->excursion, 0, 2);
  return ok;
}

static bool
clamp_flow (EchoSettings *s)
{
  bool ok = clamp (&s->inflow, 0, 3);
  ok &= clamp (&s->inflow_a, 0, 3);
  ok &= clamp (&s->outflow, 0, 6);
  ok &= clamp (&s->pulmonary_vein, 0, 1.5);
  ok &= clamp (&s->swirl, 0, 1);
  ok &= clamp (&s->tricuspid_jet, 0, 0.7);
  return ok;
}

static bool
clamp_machine (EchoSettings *s)
{
  bool ok = clamp (&s->depth, 8, 30);
  ok &= clamp (&s->sector, 0.3, 0.8);
  ok &= clamp (&s->nyquist, 0.1, 2);
  ok &= clamp (&s->colour_gain, 0, 1.5);
  ok &= clamp (&s->colour_noise, 0, 0.1);
  ok &= clamp (&s->grey_gain, 0.5, 1.5);
  ok &= clamp (&s->grey_noise, 0, 1);
  ok &= clamp (&s->depth_gain, 0, 1);
  ok &= clamp (&s->box_left, -s->sector, s->sector - 0.1);
  ok &= clamp (&s->box_right, s->box_left + 0.1, s->sector);
  ok &= clamp (&s->box_top, 0.5, s->depth - 1);
  ok &= clamp (&s->box_bottom, s->box_top + 0.5, s->depth);
  ok &= clamp_int (&s->layout, 0, ECHO_LAYOUTS - 1);
  return ok;
}

bool
echo_settings_clamp (EchoSettings *s)
{
  bool ok = clamp (&s->clip, 0.1, 10);
  ok &= clamp (&s->duration, s->clip, 3600);
  ok &= clamp (&s->frame_rate, 1, 240);
  ok &= clamp (&s->heart_rate, 40, 160);
  ok &= clamp (&s->phase, 0, 1);
  ok &= clamp (&s->systole, 0.3, 0.5);
  ok &= clamp_anatomy (s);
  ok &= clamp_int (&s->jets, 0, ECHO_MAX_JETS);
  for (int j = 0; j < s->jets; j++)
    ok &= clamp_jet (&s->jet[j]);
  for (int i = 0; i < ECHO_BEATS; i++)
    ok &= clamp (&s->beat[i], 0, 1);
  ok &= clamp_flow (s);
  ok &= clamp_machine (s);
  return ok;
}

/* ---- truth ------------------------------------------------------------- */

int
echo_grade (double severity)
{
  return (severity >= ECHO_SEVERITY_MILD)
         + (severity >= ECHO_SEVERITY_MODERATE);
}

static double
jet_weight (const EchoJet *jet)
{
  return (jet->wall ? ECHO_ECCENTRIC_FACTOR : 1)
         * fmin (1, jet->duration / ECHO_FULL_DURATION);
}

/* Severity of a beat whose areas are not scaled. */
static double
full_severity (const EchoSettings *s)
{
  double sum = 0;
  for (int j = 0; j < s->jets; j++)
    sum += s->jet[j].area * jet_weight (&s->jet[j]);
  return sum;
}

/* The middle of the largest jet in beat i, s. */
static double
jet_middle (const EchoSettings *s, int beat)
{
  const EchoJet *largest = &s->jet[0];
  double share = 0.5;

  if (s->jets > 1 && s->jet[1].area > largest->area)
    largest = &s->jet[1];
  if (s->jets > 0)
    share = largest->onset + largest->duration / 2;
  return (beat - s->phase + share * s->systole) * 60 / s->heart_rate;
}

double
echo_beat_factor (const EchoSettings *s, int beat)
{
  return s->beat[(beat % ECHO_BEATS + ECHO_BEATS) % ECHO_BEATS];
}

EchoTruth
echo_truth (const EchoSettings *s, double begin, double end)
{
  EchoTruth truth = { .beat = -1 };
  int first = (int) floor (begin * s->heart_rate / 60 + s->phase) - 1;
  int last = (int) ceil (end * s->heart_rate / 60 + s->phase) + 1;
  double factor = 0;

  for (int i = first; i <= last; i++) {
    double middle = jet_middle (s, i);
    if (middle < begin || middle >= end)
      continue;
    if (truth.beat < 0 || echo_beat_factor (s, i) > factor) {
      truth.beat = i;
      factor = echo_beat_factor (s, i);
    }
  }
  double most = 0;
  for (int j = 0; j < s->jets; j++) {
    truth.area += s->jet[j].area * factor;
    truth.duration = fmax (truth.duration, s->jet[j].duration);
    if (s->jet[j].area > most) {
      most = s->jet[j].area;
      truth.eccentric = s->jet[j].wall != 0;
    }
  }
  truth.severity = full_severity (s) * factor;
  truth.grade = echo_grade (truth.severity);
  return truth;
}

double
echo_instance_begin (const EchoSettings *s, int k)
{
  return k * (s->duration - s->clip) / (ECHO_INSTANCES - 1);
}

EchoTruth
echo_recording_truth (const EchoSettings *s)
{
  EchoTruth worst = { .beat = -1, .severity = -1 };
  for (int k = 0; k < ECHO_INSTANCES; k++) {
    double begin = echo_instance_begin (s, k);
    EchoTruth truth = echo_truth (s, begin, begin + s->clip);
    if (truth.severity > worst.severity)
      worst = truth;
  }
  return worst;
}

void
echo_instance_times (const EchoSettings *s, int k, int frames, double *times)
{
  double begin = echo_instance_begin (s, k);
  int last = -1;
  for (int j = 0; j < frames; j++) {
    double shown = begin + (j + 0.5) * s->clip / frames;
    int n = (int) floor (shown * s->frame_rate + 1e-6);
    last = n > last ? n : last + 1;
    times[j] = last / s->frame_rate;
  }
}

/* ---- chance ------------------------------------------------------------ */

static double
log_between (PhantomRandom *r, double low, double high)
{
  return low * exp (phantom_random_unit (r) * log (high / low));
}

static bool
chance (PhantomRandom *r, double probability)
{
  return phantom_random_unit (r) < probability;
}

static void
draw_clock (EchoSettings *s, PhantomRandom *r)
{
  s->frame_rate = 20 + phantom_random_below (r, 11);
  s->duration = ceil (phantom_random_between (r, 3.1, 4.5) * s->frame_rate)
                / s->frame_rate;
  s->heart_rate = phantom_random_between (r, 62, 105);
  s->phase = phantom_random_unit (r);
  s->systole = phantom_random_between (r, 0.34, 0.42);
}

static void
draw_anatomy (EchoSettings *s, PhantomRandom *r)
{
  s->scale = phantom_random_between (r, 0.9, 1.1);
  s->tilt = phantom_random_between (r, -0.12, 0.2);
  s->heart_x = phantom_random_between (r, -0.1, 1.2);
  s->heart_y = phantom_random_between (r, 2.2, 3.4);
  s->lv_length = phantom_random_between (r, 6.6, 8.2);
  s->lv_width = phantom_random_between (r, 4.0, 5.4);
  s->la_length = phantom_random_between (r, 4.0, 5.6);
  s->la_width = phantom_random_between (r, 3.6, 4.8);
  s->rv_width = phantom_random_between (r, 2.6, 3.8);
  s->ra_width = phantom_random_between (r, 3.3, 4.6);
  s->ra_length = phantom_random_between (r, 3.8, 5.0);
  s->wall = phantom_random_between (r, 0.65, 1.05);
  s->shortening = phantom_random_between (r, 0.16, 0.38);
  s->excursion = phantom_random_between (r, 0.7, 1.5);
}

static void
draw_other_flow (EchoSettings *s, PhantomRandom *r)
{
  s->inflow = phantom_random_between (r, 0.5, 1.1);
  s->inflow_a = phantom_random_between (r, 0.3, 0.8);
  s->outflow = phantom_random_between (r, 0.7, 1.3);
  s->pulmonary_vein =
      chance (r, 0.8) ? phantom_random_between (r, 0.25, 0.6) : 0;
  s->swirl = chance (r, 0.5) ? phantom_random_between (r, 0.15, 0.4) : 0;
  s->tricuspid_jet = chance (r, 0.45) ? log_between (r, 0.03, 0.3) : 0;
}

/* The box covers the left atrium and the mitral valve, as the examination asks
 * for; how much of the right heart it shows differs. */
static void
draw_machine (EchoSettings *s, PhantomRandom *r)
{
  double base = s->heart_y + s->scale * s->lv_length;
  double roof = base + s->scale * s->la_length;
  double axis =
      atan2 (s->heart_x - s->scale * s->lv_length * sin (s->tilt), base);

  s->depth = fmin (30, roof + phantom_random_between (r, 0.6, 2.0));
  s->sector = phantom_random_between (r, 0.58, 0.74);
  s->nyquist = phantom_random_between (r, 0.4, 0.75);
  s->colour_gain = phantom_random_between (r, 0.65, 1.05);
  s->colour_noise = chance (r, 0.5) ? log_between (r, 0.002, 0.06) : 0;
  s->grey_gain = phantom_random_between (r, 0.8, 1.2);
  s->grey_noise = phantom_random_between (r, 0.1, 0.9);
  s->depth_gain = phantom_random_between (r, 0.1, 0.6);
  s->variance = chance (r, 0.6);
  s->box_left = fmax (-s->sector, axis - phantom_random_between (r, 0.26, 0.5));
  s->box_right =
      fmin (s->sector, axis + phantom_random_between (r, 0.27, 0.36));
  s->box_top = base - phantom_random_between (r, 2.2, 5.5);
  s->box_bottom =
      fmin (s->depth - 0.2, roof + phantom_random_between (r, 0.1, 0.9));
  s->layout = phantom_random_below (r, ECHO_LAYOUTS);
}

static void
draw_jet (EchoJet *jet, PhantomRandom *r, bool eccentric)
{
  jet->wall = eccentric ? (chance (r, 0.5) ? -1 : 1) : 0;
  jet->aspect = eccentric ? phantom_random_between (r, 3.5, 5.5)
                          : phantom_random_between (r, 1.5, 2.8);
  jet->direction = phantom_random_between (r, -0.3, 0.3);
  jet->orifice = phantom_random_between (r, -0.5, 0.5);
  jet->duration = chance (r, 0.5) ? phantom_random_between (r, 0.7, 1)
                                  : phantom_random_between (r, 0.3, 0.7);
  jet->onset = phantom_random_unit (r) * (1 - jet->duration);
}

/* Two jets part, and a large one stays on the atrium's axis. */
static void
place_jets (EchoSettings *s, PhantomRandom *r)
{
  EchoJet *first = &s->jet[0], *second = &s->jet[1];

  if (s->jets == 2) {
    double side = first->wall ? first->wall : chance (r, 0.5) ? -1 : 1;
    first->orifice = side * phantom_random_between (r, 0.3, 0.8);
    first->direction = side * phantom_random_between (r, 0.1, 0.3);
    second->orifice = -side * phantom_random_between (r, 0.4, 0.9);
    second->direction = -side * phantom_random_between (r, 0.05, 0.2);
  }
  for (int j = 0; j < s->jets; j++)
    s->jet[j].direction *= fmax (0.1, 1 - 2 * s->jet[j].area);
}

/* Jets whose severities add up to `severity`. Shapes are drawn again until the
 * areas can be shown: a wall jet is no larger than a quarter of the atrium. */
static void
draw_jets (EchoSettings *s, PhantomRandom *r, double severity, bool positive)
{
  double eccentric = positive ? 0.5 : 0.2;
  for (int attempt = 0; attempt < 64; attempt++) {
    double share = 1;
    s->jets = chance (r, positive ? 0.15 : 0) ? 2 : 1;
    draw_jet (&s->jet[0], r, chance (r, eccentric));
    if (s->jets == 2) {
      draw_jet (&s->jet[1], r, false);
      share = phantom_random_between (r, 0.6, 0.8);
    }
    s->jet[0].area = share * severity / jet_weight (&s->jet[0]);
    s->jet[1].area = (1 - share) * severity / jet_weight (&s->jet[1]);
    place_jets (s, r);
    double most = s->jets == 2 ? 0.4 : 0.6;
    if (s->jet[0].area <= (s->jet[0].wall ? 0.25 : most)
        && (s->jets < 2 || s->jet[1].area <= 0.2))
      return;
  }
  s->jets = 1;
  draw_jet (&s->jet[0], r, false);
  s->jet[0].duration = 0.8;
  s->jet[0].onset = 0.1;
  s->jet[0].area = severity;
  place_jets (s, r);
}

/* A beat whose systole lies in instance k; -1 where there is none. */
static int
beat_within (const EchoSettings *s, int k)
{
  double begin = echo_instance_begin (s, k), cycle = 60 / s->heart_rate;
  int first = (int) ceil (begin / cycle + s->phase - 1e-9);
  double end = (first - s->phase + s->systole) * cycle;
  return end <= begin + s->clip ? first : -1;
}

/* Beats that are graded: those whose jets' middle lies in an instance. */
static void
set_instance (EchoSettings *s, int k, double factor)
{
  double begin = echo_instance_begin (s, k);
  int last = (int) ceil ((begin + s->clip) * s->heart_rate / 60 + s->phase) + 1;
  for (int i = -1; i <= last; i++) {
    double middle = jet_middle (s, i);
    if (middle >= begin && middle < begin + s->clip)
      s->beat[(i + ECHO_BEATS) % ECHO_BEATS] = factor;
  }
}

/* How much of the regurgitation the other two instances show: most of it or
 * next to nothing. Traces are mostly there in every beat; what counts often
 * comes and goes, so that neither a random instance nor the mean of all three
 * tells the grade (training/phantom_oracle.py prints what each cue is worth). */
static void
draw_other_instances (EchoSettings *s, PhantomRandom *r, int grade, int worst)
{
  static const double both_low[] = { 0.1, 0.85, 0.65 }; /* by grade */
  static const double one_low[] = { 0.05, 0.12, 0.2 };
  double u = phantom_random_unit (r);
  int lows = u < both_low[grade]                    ? 2
             : u < both_low[grade] + one_low[grade] ? 1
                                                    : 0;
  int first = (worst + 1 + phantom_random_below (r, 2)) % ECHO_INSTANCES;

  for (int k = 0; k < ECHO_INSTANCES; k++) {
    if (k == worst)
      continue;
    bool low = lows == 2 || (lows == 1 && k == first);
    set_instance (s, k,
        low ? phantom_random_between (r, 0.02, 0.12)
            : phantom_random_between (r, 0.8, 1));
  }
}

/* One beat, in a random instance, shows the whole regurgitation. */
static void
draw_beats (EchoSettings *s, PhantomRandom *r, int grade)
{
  int worst = phantom_random_below (r, ECHO_INSTANCES), beat;
  while ((beat = beat_within (s, worst)) < 0)
    s->phase = phantom_random_unit (r);
  for (int i = 0; i < ECHO_BEATS; i++)
    s->beat[i] = phantom_random_between (r, 0.02, 0.7);
  draw_other_instances (s, r, grade, worst);
  s->beat[(beat + ECHO_BEATS) % ECHO_BEATS] = 1;
}

static int
draw_grade (PhantomRandom *r)
{
  double u = phantom_random_unit (r) * (403 + 307 + 98);
  return u < 403 ? 0 : u < 403 + 307 ? 1 : 2;
}

static double
draw_severity (PhantomRandom *r, int grade)
{
  const double margin = exp (MARGIN);
  switch (grade) {
    case 0:
      if (chance (r, 0.45))
        return 0;
      return log_between (r, 0.012, ECHO_SEVERITY_MILD / margin);
    case 1:
      return log_between (
          r, ECHO_SEVERITY_MILD * margin, ECHO_SEVERITY_MODERATE / margin);
    default:
      return log_between (r, ECHO_SEVERITY_MODERATE * margin, 0.62);
  }
}

void
echo_settings_draw (EchoSettings *s, uint64_t seed, int grade)
{
  PhantomRandom r = phantom_random_new (seed, 1);

  echo_settings_default (s);
  s->seed = seed;
  if (grade < 0 || grade > 2)
    grade = draw_grade (&r);
  draw_clock (s, &r);
  draw_anatomy (s, &r);
  draw_other_flow (s, &r);
  draw_machine (s, &r);
  double severity = draw_severity (&r, grade);
  if (severity > 0)
    draw_jets (s, &r, severity, grade > 0);
  draw_beats (s, &r, grade);
}
