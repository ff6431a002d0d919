/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CARDIAC_OVERLAYS_COLOUR_DIFFERENCE_H
#define CARDIAC_OVERLAYS_COLOUR_DIFFERENCE_H

/* CIELAB (D65) and CIEDE2000 after Sharma, Wu and Dalal, Color Research and
 * Application 30 (2005), and what dichromats see after Machado, Oliveira and
 * Fernandes, IEEE TVCG 15 (2009), severity 1; of straight sRGB in 0 .. 1. */

#include <math.h>

static inline double
srgb_to_linear (double c)
{
  return c <= 0.04045 ? c / 12.92 : pow ((c + 0.055) / 1.055, 2.4);
}

static inline double
linear_to_srgb (double c)
{
  c = fmin (fmax (c, 0.0), 1.0);
  return c <= 0.0031308 ? 12.92 * c : 1.055 * pow (c, 1.0 / 2.4) - 0.055;
}

/// How a colour looks to somebody.
typedef enum ColourVision {
  COLOUR_VISION_NORMAL,
  COLOUR_VISION_PROTANOPIA,
  COLOUR_VISION_DEUTERANOPIA,
  COLOUR_VISION_TRITANOPIA,
  COLOUR_VISION_N
} ColourVision;

static inline void
seen_colour (const double rgb[3], ColourVision vision, double seen[3])
{
  static const double matrices[COLOUR_VISION_N][3][3] = {
    { { 1, 0, 0 }, { 0, 1, 0 }, { 0, 0, 1 } },
    { { 0.152286, 1.052583, -0.204868 }, { 0.114503, 0.786281, 0.099216 },
        { -0.003882, -0.048116, 1.051998 } },
    { { 0.367322, 0.860646, -0.227968 }, { 0.280085, 0.672501, 0.047413 },
        { -0.011820, 0.042940, 0.968881 } },
    { { 1.255528, -0.076749, -0.178779 }, { -0.078411, 0.930809, 0.147602 },
        { 0.004733, 0.691367, 0.303900 } },
  };
  double linear[3];
  for (int i = 0; i < 3; i++)
    linear[i] = srgb_to_linear (rgb[i]);
  for (int i = 0; i < 3; i++) {
    const double *row = matrices[vision][i];
    seen[i] = linear_to_srgb (
        row[0] * linear[0] + row[1] * linear[1] + row[2] * linear[2]);
  }
}

static inline double
lab_root (double t)
{
  return t > 216.0 / 24389.0 ? cbrt (t) : (24389.0 / 27.0 * t + 16.0) / 116.0;
}

static inline void
srgb_to_lab (const double rgb[3], double lab[3])
{
  double r = srgb_to_linear (rgb[0]), g = srgb_to_linear (rgb[1]);
  double b = srgb_to_linear (rgb[2]);
  double x = lab_root ((0.4124 * r + 0.3576 * g + 0.1805 * b) / 0.95047);
  double y = lab_root (0.2126 * r + 0.7152 * g + 0.0722 * b);
  double z = lab_root ((0.0193 * r + 0.1192 * g + 0.9505 * b) / 1.08883);
  lab[0] = 116.0 * y - 16.0;
  lab[1] = 500.0 * (x - y);
  lab[2] = 200.0 * (y - z);
}

static inline double
degrees (double radians)
{
  double d = radians * 57.29577951308232;
  return d < 0.0 ? d + 360.0 : d;
}

static inline double
radians (double d)
{
  return d / 57.29577951308232;
}

static inline double
delta_e_lab (const double p[3], const double q[3])
{
  double c1 = hypot (p[1], p[2]), c2 = hypot (q[1], q[2]);
  double c7 = pow ((c1 + c2) / 2.0, 7.0);
  double g = 0.5 * (1.0 - sqrt (c7 / (c7 + 6103515625.0)));
  double a1 = (1.0 + g) * p[1], a2 = (1.0 + g) * q[1];
  c1 = hypot (a1, p[2]);
  c2 = hypot (a2, q[2]);
  double h1 = c1 > 0.0 ? degrees (atan2 (p[2], a1)) : 0.0;
  double h2 = c2 > 0.0 ? degrees (atan2 (q[2], a2)) : 0.0;
  double turn = h2 - h1, sum = h1 + h2;
  if (c1 * c2 == 0.0)
    turn = 0.0;
  else if (turn > 180.0)
    turn -= 360.0;
  else if (turn < -180.0)
    turn += 360.0;
  double h = c1 * c2 == 0.0            ? sum
             : fabs (h1 - h2) <= 180.0 ? sum / 2.0
             : sum < 360.0             ? (sum + 360.0) / 2.0
                                       : (sum - 360.0) / 2.0;
  double dl = q[0] - p[0], dc = c2 - c1;
  double dh = 2.0 * sqrt (c1 * c2) * sin (radians (turn) / 2.0);
  double l = (p[0] + q[0]) / 2.0, c = (c1 + c2) / 2.0;
  double t = 1.0 - 0.17 * cos (radians (h - 30.0))
             + 0.24 * cos (radians (2.0 * h))
             + 0.32 * cos (radians (3.0 * h + 6.0))
             - 0.20 * cos (radians (4.0 * h - 63.0));
  double l50 = (l - 50.0) * (l - 50.0);
  double sl = 1.0 + 0.015 * l50 / sqrt (20.0 + l50);
  double sc = 1.0 + 0.045 * c, sh = 1.0 + 0.015 * c * t;
  double theta = 30.0 * exp (-pow ((h - 275.0) / 25.0, 2.0));
  c7 = pow (c, 7.0);
  double rt =
      -2.0 * sqrt (c7 / (c7 + 6103515625.0)) * sin (radians (2.0 * theta));
  dl /= sl;
  dc /= sc;
  dh /= sh;
  return sqrt (dl * dl + dc * dc + dh * dh + rt * dc * dh);
}

static inline double
delta_e_2000 (const double rgb1[3], const double rgb2[3])
{
  double p[3], q[3];
  srgb_to_lab (rgb1, p);
  srgb_to_lab (rgb2, q);
  return delta_e_lab (p, q);
}

#endif
