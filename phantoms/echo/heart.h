/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef ECHO_HEART_H
#define ECHO_HEART_H

#include "echo-phantom.h"

/* Anatomy at one moment, in the heart's own coordinates (cm): u to the
 * patient's left (lateral, right on the screen), v from the left ventricle's
 * apex to its base; the ventricle's axis is u = 0. */

/** An ellipse with axes along u and v. */
typedef struct Ellipse {
  float u, v; ///< centre
  float a, b; ///< semi-axes
} Ellipse;

/** A leaflet: attachment, middle, tip. */
typedef struct Leaflet {
  float u[3], v[3];
} Leaflet;

enum {
  MITRAL_SEPTAL,
  MITRAL_LATERAL,
  TRICUSPID_SEPTAL,
  TRICUSPID_LATERAL,
  LEAFLETS
};

typedef struct Heart {
  double time, phase; ///< s; of the cycle
  int beat;
  float contraction; ///< 0 end-diastole .. 1 end-systole
  float opening;     ///< of the atrioventricular valves, 0 .. 1
  float early, late; ///< E and A waves, 0 .. 1
  float ejection;    ///< through the LVOT, 0 .. 1
  float filling;     ///< of the atria from the veins, 0 .. 1
  float systole;     ///< place in systole, 0 .. 1; outside < 0 or > 1

  float base;       ///< v of the mitral annulus
  float base_right; ///< v of the tricuspid annulus
  float lv_a;       ///< half the width of the left ventricle
  float lv_middle;  ///< v of its widest place
  float wall;       ///< thickness of its wall
  float crux;       ///< u where the septa and both valves meet
  float annulus[2]; ///< u of the mitral annulus' ends
  Ellipse rv, la, ra;
  Leaflet leaflet[LEAFLETS];
  float roof; ///< v of the left atrium's roof
} Heart;

void heart_at (const EchoSettings *settings, double time, Heart *heart);

/** The heart at a contraction, without valves: for extents and areas. */
void heart_shape (
    const EchoSettings *settings, float contraction, Heart *heart);

/** Area of the left atrium at end-systole, cm² of the heart's coordinates. */
float heart_atrium_area (const EchoSettings *settings);

/** The factor of all jets' areas in a beat, also before the first one. */
double echo_beat_factor (const EchoSettings *settings, int beat);

/** Heart coordinates to cm from the transducer. */
void heart_to_body (
    const EchoSettings *settings, double u, double v, double *x, double *y);

/* ---- distances: negative inside, cm, near the border ------------------- */

static inline float
clamp01 (float x)
{
  x = x < 0.0f ? 0.0f : x;
  return x > 1.0f ? 1.0f : x;
}

/** 0 below 0, 1 above 1, smooth between. */
static inline float
smooth (float x)
{
  x = clamp01 (x);
  return x * x * (3.0f - 2.0f * x);
}

static inline float
mix (float a, float b, float t)
{
  return a + (b - a) * t;
}

static inline float
ellipse_distance (const Ellipse *e, float u, float v)
{
  float x = (u - e->u) / e->a, y = (v - e->v) / e->b;
  float f = __builtin_sqrtf (x * x + y * y + 1e-6f);
  float gx = x / e->a, gy = y / e->b;
  return (f - 1.0f) * f / __builtin_sqrtf (gx * gx + gy * gy + 1e-6f);
}

/** The left ventricle's cavity, open at its base. */
static inline float
ventricle_distance (const Heart *h, float u, float v)
{
  Ellipse top = { 0.0f, h->lv_middle, h->lv_a, h->lv_middle };
  float t = (v - h->lv_middle) / (h->base - h->lv_middle);
  float low = __builtin_fabsf (u) - h->lv_a * (1.0f - 0.2f * t * t);
  return t < 0.0f ? ellipse_distance (&top, u, v) : low;
}

static inline float
greater (float a, float b)
{
  return a > b ? a : b;
}

static inline float
lesser (float a, float b)
{
  return a < b ? a : b;
}

/** Distances to the four cavities; ventricles and atria overlap at the valves. */
typedef struct Cavities {
  float lv, rv, la, ra;
} Cavities;

static inline Cavities
heart_cavities (const Heart *h, float u, float v)
{
  Cavities c;
  c.lv = greater (ventricle_distance (h, u, v), v - h->base - 0.3f);
  c.la = greater (ellipse_distance (&h->la, u, v), h->base - 0.3f - v);
  c.ra = greater (ellipse_distance (&h->ra, u, v), h->base_right - 0.3f - v);
  c.rv = greater (ellipse_distance (&h->rv, u, v), v - h->base_right - 0.3f);
  c.rv = greater (c.rv, h->wall - c.lv);
  return c;
}

/** To the nearest cavity. */
static inline float
blood_distance (Cavities c)
{
  return lesser (lesser (c.lv, c.rv), lesser (c.la, c.ra));
}

#endif
