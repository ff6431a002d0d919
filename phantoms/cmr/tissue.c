/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tissue.h"

#include <math.h>
#include <string.h>

static const double air = 2, lung = 17, muscle = 58, fat = 290, blood = 180,
                    liver = 68;

static double
cover (double inside, double soft)
{
  return fmin (fmax (0.5 + inside / soft, 0), 1);
}

static double
mix (double below, double above, double share)
{
  return below + (above - below) * share;
}

/* Smooth noise, -1 .. 1, with cells of `cell` mm. */
static double
noise (const Tissue *tissue, double x, double y, double cell)
{
  x = x / cell + tissue->texture[0];
  y = y / cell + tissue->texture[1];
  /* The origin keeps both positive, so that truncation is floor. */
  int i = (int) x, j = (int) y;
  x -= i;
  y -= j;
  i &= NOISE_SIDE - 1;
  j &= NOISE_SIDE - 1;
  int i1 = (i + 1) & (NOISE_SIDE - 1), j1 = (j + 1) & (NOISE_SIDE - 1);
  x = x * x * (3 - 2 * x);
  y = y * y * (3 - 2 * y);
  double top = mix (tissue->lattice[j][i], tissue->lattice[j][i1], x);
  double bottom = mix (tissue->lattice[j1][i], tissue->lattice[j1][i1], x);
  return mix (top, bottom, y);
}

/* Two octaves, turned against each other so that no grid shows. */
static double
cloud (const Tissue *tissue, double x, double y, double cell)
{
  double u = 0.8 * x + 0.6 * y, v = -0.6 * x + 0.8 * y;
  return 0.65 * noise (tissue, u, v, cell)
         + 0.45
               * noise (tissue, 0.92 * x - 0.38 * y, 0.38 * x + 0.92 * y,
                   0.43 * cell);
}

/* Distance inside an ellipse, mm, right near its border. */
static double
inside (const Blob *blob, const double mm[2])
{
  double x = mm[0] - blob->centre[0], y = mm[1] - blob->centre[1];
  double c = blob->axis[0], s = blob->axis[1];
  double u = (c * x + s * y) / blob->half[0];
  double v = (-s * x + c * y) / blob->half[1];
  return (1 - sqrt (u * u + v * v)) * fmin (blob->half[0], blob->half[1]);
}

/* How far a place lies inside the body, mm. */
static double
body_depth (const Tissue *t, const double mm[2])
{
  return inside (&t->body, mm);
}

/* Skin fat, muscle with ribs, lung with vessels; fat beside the heart. */
static double
thorax (const Tissue *t, const double mm[2], double soft)
{
  double depth = body_depth (t, mm) + 4 * noise (t, mm[0], mm[1], 34);
  if (depth < -soft)
    return air;
  double fine = cloud (t, mm[0], mm[1], 5);
  double coarse = cloud (t, mm[0], mm[1], 17);
  double signal =
      mix (air, fat * (1 + 0.25 * coarse), cover (depth, 1.5 * soft));
  double wall = muscle * (1 + 0.5 * fine);
  /* Ribs: marrow between dark strips of bone. */
  double rib = 18 * (coarse + 0.3 * fine - 0.12);
  wall = mix (wall, 22, cover (rib, soft));
  wall = mix (wall, 150, cover (rib - 3, soft));
  signal = mix (signal, wall, cover (depth - t->fat_mm - 4 * coarse, 2 * soft));
  double vessel = fmax (0, fine - 0.5) * 160;
  double air_filled = lung * (1 + 0.3 * coarse) + vessel;
  double thick = t->fat_mm + t->muscle_mm + 4 * fine;
  signal = mix (signal, air_filled, cover (depth - thick, 2 * soft));
  double pad = inside (&t->pad, mm) + 9 * coarse;
  return mix (signal, t->pad.signal * (1 + 0.35 * fine),
      cover (pad, 2 * soft) * cover (depth - t->fat_mm, 2 * soft));
}

static double
paint_blob (const Tissue *t, const Blob *blob, const double mm[2], double soft,
    double rough, double below)
{
  double at = inside (blob, mm);
  if (at < -3 * soft)
    return below;
  at += 1.5 * noise (t, mm[0], mm[1], 8);
  double content = blob->signal * (1 + rough * cloud (t, mm[0], mm[1], 7));
  /* Chemical shift draws a dark rim between fluid and fat. */
  below = mix (below, 15, cover (at + 1.5, 1.5 * soft));
  return mix (below, content, cover (at, soft));
}

static double
liver_signal (const Tissue *t, const double mm[2])
{
  double vessel = cloud (t, mm[0] + 90, mm[1], 8);
  double signal = liver * (1 + 0.2 * cloud (t, mm[0], mm[1], 4));
  if (vessel > 0.5)
    signal += (vessel - 0.5) * 200;
  return signal;
}

/* Liver, stomach, spleen and loops of bowel in fat, under the diaphragm. */
static double
abdomen (const Tissue *t, const double mm[2], double soft, double above)
{
  double x = mm[0] / 60;
  double top =
      t->diaphragm + t->dome * x * x + 3 * noise (t, mm[0], mm[1] * 0.2, 28);
  double depth = mm[1] - top;
  double within = body_depth (t, mm) - t->fat_mm - 0.5 * t->muscle_mm;
  if (depth < -3 * soft || within < -soft)
    return above;
  double below = 165 * (1 + 0.45 * cloud (t, mm[0], mm[1], 11));
  for (int i = 0; i < LOOPS; i++)
    below = paint_blob (t, &t->loop[i], mm, soft, 0.35, below);
  below = paint_blob (t, &t->spleen, mm, soft, 0.1, below);
  below = paint_blob (t, &t->stomach, mm, soft, 0.6, below);
  double edge = t->liver_edge - 0.55 * depth + 5 * noise (t, mm[0], mm[1], 20);
  below = mix (below, 20, cover (edge - mm[0] + 1.5, 1.5 * soft));
  below = mix (below, liver_signal (t, mm), cover (edge - mm[0], soft));
  /* The diaphragm itself. */
  below = mix (22, below, cover (depth - 2, 1.5 * soft));
  return mix (above, below, cover (depth, soft) * cover (within, 2 * soft));
}

/* The heart over what surrounds it. */
static double
heart_signal (const Tissue *t, const Heart *h, const double mm[2], double soft,
    double signal)
{
  double radius, angle;
  heart_ring (h, mm, &radius, &angle);
  if (radius > h->reach)
    return signal;
  double epi = ring_at (h->still[EPICARDIUM], angle);
  double gap = ring_at (h->rv_gap, angle);
  double outer = ring_at (h->still[RV_BORDER], angle);
  if (radius > outer + 12)
    return signal;
  double fine = cloud (t, mm[0] + 40, mm[1], 3.5);
  double coarse = cloud (t, mm[0] + 70, mm[1] + 30, 9);
  /* Fat lies in patches, thicker about the right ventricle. */
  double layer = outer - 1.5 + (gap > 0 ? 6 : 3) * fmax (0, coarse + 0.35);
  signal = mix (signal, 22, cover (outer - 1 - radius, soft));
  signal = mix (signal, t->layer_signal * (1 + 0.5 * fine),
      cover (layer - radius, soft) * fmin (1, fmax (0, 2 * coarse + 0.8)));
  signal = mix (signal, muscle * (1 + 0.2 * fine),
      cover (epi + gap + fmin (gap, 3) - radius, soft));
  double pool = blood * (1.03 + 0.05 * coarse);
  pool = mix (pool, 0.5 * blood, cover (inside (&t->band, mm), 1.5 * soft));
  if (gap > 0)
    signal = mix (signal, pool, cover (epi + gap - radius, soft));
  signal = mix (signal, muscle * (1 + 0.25 * fine + 0.2 * coarse),
      cover (epi - radius, soft));
  pool = blood * (1 + 0.03 * fine + 0.05 * coarse);
  for (int i = 0; i < 2; i++)
    pool = mix (pool, muscle * (1.1 + 0.15 * fine),
        cover (inside (&t->papillary[i], mm), soft));
  return mix (signal, pool,
      cover (ring_at (h->still[ENDOCARDIUM], angle) - radius, soft));
}

double
tissue_signal (
    const Tissue *tissue, const Heart *heart, const double mm[2], double soft)
{
  double signal = thorax (tissue, mm, soft);
  signal = abdomen (tissue, mm, soft, signal);
  return heart_signal (tissue, heart, mm, soft, signal);
}

double
tissue_sensitivity (const Tissue *t, const double mm[2], double bias)
{
  double across = -t->body.axis[1] * (mm[0] - t->body.centre[0])
                  + t->body.axis[0] * (mm[1] - t->body.centre[1]);
  double from_coil = fmax (across + t->body.half[1], 0);
  return 1 + bias * (1.9 * exp (-from_coil / 32) - 0.2);
}

static void
turn (Blob *blob)
{
  blob->axis[0] = cos (blob->direction);
  blob->axis[1] = sin (blob->direction);
}

static void
place_papillary (Tissue *t, const Heart *h, const CmrSettings *s)
{
  /* Anterolateral and posteromedial; they begin below the base. */
  static const double at[2] = { 292, 196 };
  Chance chance = chance_new (s->seed, 20);
  double grown = fmin (fmax ((h->depth - 0.1) / 0.25, 0), 1) * s->papillary;
  for (int i = 0; i < 2; i++) {
    double angle = (at[i] + chance_normal (&chance, 0, 8)) * M_PI / 180;
    double cavity = ring_at (h->still[ENDOCARDIUM], angle);
    double radius = cavity * chance_uniform (&chance, 0.68, 0.8);
    double direction = h->insertion - angle;
    t->papillary[i] = (Blob){
      .centre = { radius * cos (direction), radius * sin (direction) },
      .half = { 0.2 * cavity * grown + 0.01, 0.14 * cavity * grown + 0.01 },
      .direction = direction,
    };
  }
  double angle = h->septum * chance_uniform (&chance, 0.4, 0.7);
  double radius =
      ring_at (h->still[EPICARDIUM], angle) + 0.6 * ring_at (h->rv_gap, angle);
  t->band = (Blob){
    .centre = { radius * cos (h->insertion - angle),
        radius * sin (h->insertion - angle) },
    .half = { 5, 2.2 },
    .direction = chance_uniform (&chance, 0, M_PI),
  };
}

static void
place_organs (Tissue *t, const Heart *h, const CmrSettings *s)
{
  Chance chance = chance_new (s->seed, 21);
  double apex = h->depth - 0.3;
  t->diaphragm = chance_normal (&chance, 40, 2.5) - 7 * apex;
  t->dome = chance_uniform (&chance, 2, 9);
  t->liver_edge = chance_normal (&chance, -14, 8) - 25 * apex;
  t->pad = (Blob){
    .centre = { chance_normal (&chance, -50, 5),
        chance_normal (&chance, -8, 8) + 14 * apex },
    .half = { chance_uniform (&chance, 20, 34),
        chance_uniform (&chance, 26, 40) },
    .direction = -0.8,
    .signal = chance_uniform (&chance, 130, 230),
  };
  t->stomach = (Blob){
    .centre = { chance_normal (&chance, 18, 8), t->diaphragm + 17 },
    .half = { chance_uniform (&chance, 26, 36), 13 },
    .direction = chance_normal (&chance, 0, 0.15),
    .signal = chance_uniform (&chance, 45, 150),
  };
  t->spleen = (Blob){
    .centre = { chance_normal (&chance, 82, 6), t->diaphragm + 24 },
    .half = { 19, 32 },
    .direction = chance_normal (&chance, -0.5, 0.2),
    .signal = 80,
  };
  for (int i = 0; i < LOOPS; i++) {
    double size = chance_uniform (&chance, 8, 20);
    t->loop[i] = (Blob){
      .centre = { chance_uniform (&chance, -60, 100),
          t->diaphragm + chance_uniform (&chance, 48, 110) },
      .half = { size, size * chance_uniform (&chance, 0.8, 1.5) },
      .direction = chance_uniform (&chance, 0, M_PI),
      .signal = chance_uniform (&chance, 30, 260),
    };
  }
}

/* The chest holds the heart: where it would reach through the wall, the wall
 * moves. */
static void
make_room (Tissue *t, const Heart *h)
{
  const double gap_mm = 7;
  double least = HUGE_VAL;
  for (int i = 0; i < RING; i += 3) {
    double direction = h->insertion - i * M_PI / 180;
    double radius = h->still[RV_BORDER][i];
    double mm[2] = { radius * cos (direction), radius * sin (direction) };
    least = fmin (least, body_depth (t, mm));
  }
  double missing = t->fat_mm + gap_mm - least;
  if (missing <= 0)
    return;
  t->body.centre[0] += t->body.axis[1] * missing;
  t->body.centre[1] -= t->body.axis[0] * missing;
}

void
tissue_init (Tissue *t, const Heart *h, const CmrSettings *s)
{
  memset (t, 0, sizeof *t);
  Chance chance = chance_new (s->seed, 22);
  for (int y = 0; y < NOISE_SIDE; y++)
    for (int x = 0; x < NOISE_SIDE; x++)
      t->lattice[y][x] = chance_uniform (&chance, -1, 1);
  double near = 12 * h->depth;
  t->body.centre[0] = chance_normal (&chance, 50, 4) + near;
  t->body.centre[1] = chance_normal (&chance, 50, 4) + near;
  t->body.half[0] = chance_uniform (&chance, 200, 230);
  t->body.half[1] = chance_uniform (&chance, 140, 158);
  t->body.direction = chance_normal (&chance, -48, 4) * M_PI / 180;
  t->fat_mm = chance_uniform (&chance, 7, 16);
  t->muscle_mm = chance_uniform (&chance, 10, 16);
  t->layer_signal = chance_uniform (&chance, 85, 170);
  /* Neighbouring slices look alike but are not the same. */
  t->texture[0] = chance_uniform (&chance, 6400, 6464) + 1.1 * h->depth;
  t->texture[1] = chance_uniform (&chance, 6400, 6464) + 2.3 * h->depth;
  place_papillary (t, h, s);
  place_organs (t, h, s);
  Blob *blobs[] = { &t->body, &t->pad, &t->stomach, &t->spleen, &t->band,
    &t->papillary[0], &t->papillary[1] };
  for (size_t i = 0; i < sizeof blobs / sizeof *blobs; i++)
    turn (blobs[i]);
  for (int i = 0; i < LOOPS; i++)
    turn (&t->loop[i]);
  make_room (t, h);
}
