/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The cine-MR phantom: its pictures show what its truth says. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "cmr/cmr-phantom.h"
#include "require.h"

#define DEGREE (M_PI / 180)

static uint16_t *
render (CmrPhantom *phantom, int slice, int phase)
{
  const CmrSettings *s = cmr_phantom_settings (phantom);
  uint16_t *grey = malloc (sizeof *grey * s->width * s->height);
  REQUIRE (grey);
  REQUIRE (cmr_phantom_render (
      phantom, slice, phase, grey, s->width * (ptrdiff_t) sizeof *grey));
  return grey;
}

/* Bilinear, inside the picture. */
static double
grey_at (const CmrSettings *s, const uint16_t *grey, double x, double y)
{
  int i = (int) x, j = (int) y;
  if (i < 0 || j < 0 || i + 1 >= s->width || j + 1 >= s->height)
    return 0;
  const uint16_t *at = grey + (size_t) j * s->width + i;
  double fx = x - i, fy = y - j;
  return (at[0] * (1 - fx) + at[1] * fx) * (1 - fy)
         + (at[s->width] * (1 - fx) + at[s->width + 1] * fx) * fy;
}

static CmrSettings
quiet (void)
{
  CmrSettings s;
  cmr_settings_default (&s);
  s.noise = 0;
  s.bias = 0;
  s.gain = 10;
  return s;
}

static uint8_t
tissue_at (const CmrPhantom *phantom, int slice, int phase, double x, double y)
{
  double point[2] = { x, y }, moved[2];
  uint8_t tissue;
  cmr_phantom_displace (phantom, slice, phase, phase, 1, point, moved, &tissue);
  REQUIRE (hypot (moved[0] - x, moved[1] - y) < 1e-3);
  return tissue;
}

static void
scores_come_as_often_as_in_the_paper (void)
{
  static const double share[] = { 794, 348, 207, 91 };
  int count[4] = { 0 }, subjects = 4000;
  for (int seed = 0; seed < subjects; seed++) {
    CmrSettings s;
    cmr_settings_draw (&s, seed);
    for (int k = 0; k < CMR_SEGMENTS; k++) {
      REQUIRE (s.score[k] >= 1 && s.score[k] <= 4);
      count[s.score[k] - 1]++;
    }
    REQUIRE (cmr_settings_clamp (&s));
  }
  for (int k = 0; k < 4; k++)
    REQUIRE (fabs (count[k] / (16.0 * subjects) - share[k] / 1440) < 0.015);
}

static void
settings_out_of_range_are_mended (void)
{
  CmrSettings s;
  cmr_settings_default (&s);
  s.phases = 1000;
  s.width = -3;
  s.excursion[3] = NAN;
  s.score[0] = 9;
  REQUIRE (!cmr_settings_clamp (&s));
  REQUIRE (s.phases == CMR_MAX_PHASES && s.width == 64 && s.score[0] == 4);
  REQUIRE (cmr_settings_clamp (&s));
  CmrPhantom *phantom = cmr_phantom_new (&s);
  free (render (phantom, 0, 0));
  cmr_phantom_free (&phantom);
  REQUIRE (!phantom);
}

/* Brightness alone, without the phantom's tables: the centroid of the bright
 * pool about the axis. */
static void
the_lv_centre_is_the_centroid_of_the_bright_cavity (void)
{
  CmrSettings s = quiet ();
  s.papillary = 0;
  CmrPhantom *phantom = cmr_phantom_new (&s);
  for (int level = 0; level < CMR_LEVELS; level++) {
    int slice = cmr_phantom_level_slice (phantom, level);
    CmrSliceTruth truth;
    cmr_phantom_slice_truth (phantom, slice, &truth);
    REQUIRE (truth.level == level);
    uint16_t *grey = render (phantom, slice, 0);
    double sum[3] = { 0 };
    for (int a = 0; a < 360; a++)
      for (double r = 0; r < 40; r += 0.25) {
        double x = truth.lv_centre[0] + r * cos (a * DEGREE);
        double y = truth.lv_centre[1] + r * sin (a * DEGREE);
        /* From the axis outwards to the first dark point: the wall. */
        if (grey_at (&s, grey, x, y) < 1200)
          break;
        sum[0] += r;
        sum[1] += r * x;
        sum[2] += r * y;
      }
    REQUIRE (hypot (sum[1] / sum[0] - truth.lv_centre[0],
                 sum[2] / sum[0] - truth.lv_centre[1])
             < 1);
    free (grey);
  }
  cmr_phantom_free (&phantom);
}

/* Just outside the wall, blood of the right ventricle lies on the septal side
 * of an insertion and none on the other; the same by brightness. */
static void
insertions_lie_where_the_right_ventricle_begins_and_ends (void)
{
  for (int mirrored = 0; mirrored < 2; mirrored++) {
    CmrSettings s = quiet ();
    s.mirror = mirrored;
    s.rotation = 0.3;
    CmrPhantom *phantom = cmr_phantom_new (&s);
    for (int level = 0; level < CMR_LEVELS; level++) {
      int slice = cmr_phantom_level_slice (phantom, level);
      CmrSliceTruth t;
      cmr_phantom_slice_truth (phantom, slice, &t);
      uint16_t *grey = render (phantom, slice, 0);
      double ax = t.rv_anterior[0] - t.lv_centre[0];
      double ay = t.rv_anterior[1] - t.lv_centre[1];
      double ix = t.rv_inferior[0] - t.lv_centre[0];
      double iy = t.rv_inferior[1] - t.lv_centre[1];
      double sense = ax * iy - ay * ix > 0 ? 1 : -1;
      REQUIRE (sense == (mirrored ? 1 : -1));
      for (int k = 0; k < 2; k++) {
        double angle = k ? atan2 (iy, ix) : atan2 (ay, ax);
        double inwards = k ? -sense : sense;
        double radius = hypot (k ? ix : ax, k ? iy : ay);
        uint8_t tissue[2];
        double bright[2];
        for (int side = 0; side < 2; side++) {
          double turned = angle + (side ? 1 : -1) * inwards * 15 * DEGREE;
          double x = t.lv_centre[0] + (radius + 3) * cos (turned);
          double y = t.lv_centre[1] + (radius + 3) * sin (turned);
          tissue[side] = tissue_at (phantom, slice, 0, x, y);
          bright[side] = grey_at (&s, grey, x, y);
        }
        REQUIRE (tissue[1] == CMR_RV_BLOOD && tissue[0] != CMR_RV_BLOOD);
        REQUIRE (bright[1] > 1300);
        REQUIRE (tissue_at (phantom, slice, 0,
                     t.lv_centre[0] + (radius - 2) * cos (angle),
                     t.lv_centre[1] + (radius - 2) * sin (angle))
                 == CMR_LV_WALL);
      }
      free (grey);
    }
    cmr_phantom_free (&phantom);
  }
}

/* Material keeps its brightness: a picture moved by the true displacement is
 * the other picture, in and about the heart. */
static void
displacement_carries_one_picture_to_another (void)
{
  CmrSettings s = quiet ();
  cmr_settings_score (&s, 1, CMR_DYSKINETIC);
  cmr_settings_score (&s, 9, CMR_AKINETIC);
  s.delay[9] = 0.03;
  s.shift_x = 1.5;
  CmrPhantom *phantom = cmr_phantom_new (&s);
  for (int slice = 0; slice < 9; slice += 2) {
    CmrSliceTruth t;
    cmr_phantom_slice_truth (phantom, slice, &t);
    uint16_t *from = render (phantom, slice, 2);
    uint16_t *to = render (phantom, slice, 7);
    double moved_error = 0, still_error = 0;
    int count = 0;
    for (double dy = -30; dy <= 30; dy++)
      for (double dx = -30; dx <= 30; dx++) {
        double p[2] = { t.lv_centre[0] + dx, t.lv_centre[1] + dy }, q[2];
        double back[2];
        uint8_t tissue;
        cmr_phantom_displace (phantom, slice, 2, 7, 1, p, q, &tissue);
        cmr_phantom_displace (phantom, slice, 7, 2, 1, q, back, NULL);
        if (tissue != CMR_LV_WALL && tissue != CMR_LV_BLOOD)
          continue;
        REQUIRE (hypot (back[0] - p[0], back[1] - p[1]) < 1e-3);
        double grey = grey_at (&s, from, p[0], p[1]);
        moved_error += pow (grey - grey_at (&s, to, q[0], q[1]), 2);
        still_error += pow (grey - grey_at (&s, to, p[0], p[1]), 2);
        count++;
      }
    REQUIRE (count > 200);
    REQUIRE (sqrt (moved_error / count) < 110);
    REQUIRE (moved_error < 0.1 * still_error);
    free (from);
    free (to);
  }
  cmr_phantom_free (&phantom);
}

/* Radius of the cavity along a ray by brightness: where blood ends. */
static double
cavity_radius (const CmrSettings *s, const uint16_t *grey,
    const double centre[2], double angle)
{
  double r = 2;
  while (r < 60
         && grey_at (s, grey, centre[0] + r * cos (angle),
                centre[1] + r * sin (angle))
                > 1200)
    r += 0.05;
  return r;
}

/* Excursion told is excursion drawn, segment by segment, by brightness. */
static void
segments_move_as_their_truth_says (void)
{
  CmrSettings s = quiet ();
  s.papillary = s.trabeculation = 0;
  s.twist_base = s.twist_apex = 0;
  s.phases = 50;
  s.systole = 0.4;
  for (int k = 0; k < CMR_SEGMENTS; k++)
    cmr_settings_score (&s, k, 1 + k % 4);
  CmrPhantom *phantom = cmr_phantom_new (&s);
  CmrTruth truth;
  cmr_phantom_truth (phantom, &truth);
  for (int k = 0; k < CMR_SEGMENTS; k++) {
    int level = k < 6 ? 0 : k < 12 ? 1 : 2;
    int slice = cmr_phantom_level_slice (phantom, level);
    CmrSliceTruth t;
    cmr_phantom_slice_truth (phantom, slice, &t);
    uint16_t *diastole = render (phantom, slice, 0);
    uint16_t *systole = render (phantom, slice, 20);
    double step = k < 12 ? 60 : 90;
    double begin =
        k < 12 ? 60 * ((k % 6 + 5) % 6) : 15 + 90 * ((k - 12 + 3) % 4);
    double anterior = atan2 (
        t.rv_anterior[1] - t.lv_centre[1], t.rv_anterior[0] - t.lv_centre[0]);
    double sum = 0;
    int n = 0;
    for (double a = 0.5; a < step; a++, n++) {
      double angle = anterior - (begin + a) * DEGREE;
      double large = cavity_radius (&s, diastole, t.lv_centre, angle);
      sum += 1 - cavity_radius (&s, systole, t.lv_centre, angle) / large;
    }
    REQUIRE (fabs (sum / n - truth.excursion[k]) < 0.02);
    REQUIRE (truth.score[k] == 1 + k % 4);
    free (diastole);
    free (systole);
  }
  REQUIRE (fabs (truth.index - 2.5) < 1e-12);
  cmr_phantom_free (&phantom);
}

static void
any_picture_can_be_drawn_in_any_order_with_the_same_bits (void)
{
  CmrSettings s;
  cmr_settings_draw (&s, 5);
  CmrPhantom *a = cmr_phantom_new (&s), *b = cmr_phantom_new (&s);
  uint16_t *late = render (a, 7, 9), *first = render (a, 1, 0);
  uint16_t *again = render (b, 1, 0), *then = render (b, 7, 9);
  size_t size = sizeof *late * s.width * s.height;
  REQUIRE (memcmp (late, then, size) == 0);
  REQUIRE (memcmp (first, again, size) == 0);
  REQUIRE (memcmp (first, late, size) != 0);
  free (late);
  free (first);
  free (again);
  free (then);
  cmr_phantom_free (&a);
  cmr_phantom_free (&b);
}

static void
noise_is_rician (void)
{
  CmrSettings s;
  cmr_settings_default (&s);
  s.noise = 20;
  CmrPhantom *phantom = cmr_phantom_new (&s);
  uint16_t *grey = render (phantom, 1, 0);
  /* Air in the upper left corner: magnitude of noise alone, mean sd √(π/2);
   * the margin of the distortion correction is black. */
  double sum = 0;
  int n = 0;
  for (int y = 40; y < 70; y++)
    for (int x = 40; x < 70; x++, n++)
      sum += grey[y * s.width + x];
  REQUIRE (fabs (sum / n - 20 * sqrt (M_PI / 2)) < 1.5);
  REQUIRE (grey[s.height / 2 * s.width] == 0);
  free (grey);
  cmr_phantom_free (&phantom);
}

/* Weights and figures were made with this generator: a change of what it draws
 * needs new ones. */
static void
the_generator_is_the_one_that_weights_were_trained_on (void)
{
  static const struct {
    uint64_t seed;
    const char *scores;
    int width, height;
    double mean;
  } known[] = {
    { 0, "1311112211112211", 170, 152, 93.87608359133127 },
    { 1, "1132211122213342", 288, 260, 93.18170405982906 },
    { 1000000, "4432343321342113", 288, 263, 214.0585788973384 },
  };
  for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
    CmrSettings s;
    cmr_settings_draw (&s, known[i].seed);
    for (int k = 0; k < CMR_SEGMENTS; k++)
      REQUIRE (s.score[k] == known[i].scores[k] - '0');
    REQUIRE (s.width == known[i].width && s.height == known[i].height);
    CmrPhantom *phantom = cmr_phantom_new (&s);
    uint16_t *grey = render (phantom, 4, 3);
    double sum = 0;
    for (int p = 0; p < s.width * s.height; p++)
      sum += grey[p];
    REQUIRE (fabs (sum / (s.width * s.height) - known[i].mean) < 0.01);
    free (grey);
    cmr_phantom_free (&phantom);
  }
}

int
main (void)
{
  the_generator_is_the_one_that_weights_were_trained_on ();
  scores_come_as_often_as_in_the_paper ();
  settings_out_of_range_are_mended ();
  the_lv_centre_is_the_centroid_of_the_bright_cavity ();
  insertions_lie_where_the_right_ventricle_begins_and_ends ();
  displacement_carries_one_picture_to_another ();
  segments_move_as_their_truth_says ();
  any_picture_can_be_drawn_in_any_order_with_the_same_bits ();
  noise_is_rician ();
  return 0;
}
