/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A beating heart in the apical four-chamber plane. */
#include "heart.h"

#include <math.h>

/* A bump that rises over [a, b], stays and falls over [c, d] of the cycle. */
static float
bump (float x, float a, float b, float c, float d)
{
  return smooth ((x - a) / (b - a)) * (1.0f - smooth ((x - c) / (d - c)));
}

static void
heart_clock (const EchoSettings *s, double time, Heart *h)
{
  double cycles = time * s->heart_rate / 60 + s->phase;
  float p = (float) (cycles - floor (cycles)), e = (float) s->systole;

  h->time = time;
  h->beat = (int) floor (cycles);
  h->phase = p;
  h->systole = p / e;
  /* systole empties, early filling takes three quarters back, the atria the
   * rest */
  h->contraction = smooth ((p - 0.02f) / (e - 0.02f));
  if (p > e)
    h->contraction = 1.0f - 0.75f * smooth ((p - e - 0.02f) / 0.2f)
                     - 0.25f * smooth ((p - 0.84f) / 0.13f);
  h->early = bump (p, e + 0.03f, e + 0.1f, e + 0.12f, e + 0.27f);
  h->late = bump (p, 0.82f, 0.88f, 0.9f, 0.985f);
  h->opening =
      lesser (1.0f, h->early + 0.75f * h->late
                        + 0.3f * bump (p, e + 0.03f, e + 0.08f, 0.95f, 0.99f));
  h->ejection = bump (p, 0.03f, 0.1f, 0.6f * e, e);
  h->filling = bump (p, 0.08f, 0.2f, e - 0.02f, e + 0.05f)
               + 0.8f * bump (p, e + 0.04f, e + 0.12f, e + 0.2f, 0.8f);
}

void
heart_shape (const EchoSettings *s, float c, Heart *h)
{
  float exc = (float) s->excursion;

  h->base = (float) s->lv_length - exc * c;
  h->base_right = h->base - 0.45f - 0.25f * exc * c;
  h->lv_a = (float) s->lv_width / 2 * (1.0f - (float) s->shortening * c);
  h->lv_middle = 0.58f * h->base;
  h->wall = (float) s->wall * (1.0f + 0.35f * c);
  h->crux = -(0.8f * h->lv_a + 0.35f * (float) s->wall);
  h->annulus[0] = h->crux + 0.3f;
  h->annulus[1] = 0.86f * h->lv_a;
  h->roof = (float) (s->lv_length - s->excursion + s->la_length);

  /* atria hang from the moving annulus; their roofs rest */
  float length = h->roof - h->base;
  h->la.a = (float) s->la_width / 2 * (0.9f + 0.1f * c);
  h->la.b = 0.56f * length;
  h->la.u = h->crux + 0.2f + 0.94f * h->la.a;
  h->la.v = h->roof - h->la.b;
  length = (float) (s->lv_length - s->excursion - 0.6 + s->ra_length)
           - h->base_right;
  h->ra.a = (float) s->ra_width / 2 * (0.9f + 0.1f * c);
  h->ra.b = 0.56f * length;
  h->ra.u = h->crux - 0.2f - 0.94f * h->ra.a;
  h->ra.v = h->base_right + length - h->ra.b;

  h->rv.a = (float) s->rv_width * (1.0f - 0.22f * c);
  h->rv.b = 0.56f * h->base_right;
  h->rv.u = -(h->lv_a + h->wall);
  h->rv.v = 0.76f * h->base_right;
}

static void
set_leaflet (Leaflet *l, float u, float v, float closed_u, float closed_v,
    float open_u, float open_v, float opening, float bulge)
{
  float tip_u = mix (closed_u, open_u, opening);
  float tip_v = mix (closed_v, open_v, opening);

  l->u[0] = u;
  l->v[0] = v;
  l->u[2] = tip_u;
  l->v[2] = tip_v;
  l->u[1] = (u + tip_u) / 2 + bulge * opening;
  l->v[1] = (v + tip_v) / 2 - 0.22f + 0.1f * opening;
}

static void
heart_valves (Heart *h)
{
  float left = h->annulus[0], right = h->annulus[1], base = h->base;
  float meet = mix (left, right, 0.58f), width = right - left;

  set_leaflet (&h->leaflet[MITRAL_SEPTAL], left, base, meet, base - 0.3f,
      left + 0.28f * width, base - 0.62f * width, h->opening, 0.12f);
  set_leaflet (&h->leaflet[MITRAL_LATERAL], right, base, meet, base - 0.26f,
      right - 0.16f * width, base - 0.42f * width, h->opening, -0.1f);

  left = h->ra.u - 0.82f * h->ra.a;
  right = h->crux - 0.3f;
  base = h->base_right;
  width = right - left;
  meet = mix (left, right, 0.5f);
  set_leaflet (&h->leaflet[TRICUSPID_SEPTAL], right, base, meet, base - 0.25f,
      right - 0.2f * width, base - 0.45f * width, h->opening, -0.1f);
  set_leaflet (&h->leaflet[TRICUSPID_LATERAL], left, base + 0.15f, meet,
      base - 0.25f, left + 0.3f * width, base - 0.45f * width, h->opening,
      0.1f);
}

void
heart_at (const EchoSettings *s, double time, Heart *h)
{
  heart_clock (s, time, h);
  heart_shape (s, h->contraction, h);
  heart_valves (h);
}

/* The part of the ellipse beyond the annulus. */
float
heart_atrium_area (const EchoSettings *s)
{
  Heart h;
  double t, a;

  heart_shape (s, 1.0f, &h);
  a = h.la.a;
  t = (h.base - h.la.v) / h.la.b; /* -1 .. 1, from the centre */
  return (float) (a * h.la.b * (M_PI / 2 - asin (t) - t * sqrt (1 - t * t)));
}

void
heart_to_body (const EchoSettings *s, double u, double v, double *x, double *y)
{
  double c = cos (s->tilt), n = sin (s->tilt);
  *x = s->heart_x + s->scale * (u * c - v * n);
  *y = s->heart_y + s->scale * (u * n + v * c);
}
