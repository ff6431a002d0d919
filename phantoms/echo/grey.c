/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Tissue, blood and their speckle along each beam, in dB below the brightest.
 *
 * Speckle belongs to tissue: it is looked up at the place where the tissue was
 * at end-diastole, so it moves as the walls do. Blood's speckle and the
 * receiver's noise are new in every frame. */
#include "grey.h"

#include <math.h>

#include "common/random.h"

/* Echo levels, dB. */
#define LEVEL_ATRIAL_BLOOD -60.0f
#define LEVEL_VENTRICULAR_BLOOD -45.0f
#define LEVEL_SEPTUM -17.0f
#define LEVEL_LATERAL -24.0f
#define LEVEL_ATRIAL_WALL -20.0f
#define LEVEL_BORDER -9.0f /* pericardium and what lies against it */
#define LEVEL_BEYOND -50.0f
#define LEVEL_LEAFLET -9.0f
#define DYNAMIC_RANGE 56.0f

#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__)            \
    && !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
/* The same IEEE operations in wider registers: the same bits. */
#define CLONES                                                                 \
  __attribute__ ((                                                             \
      target_clones ("default", "arch=x86-64-v3", "arch=x86-64-v4")))
#else
#define CLONES
#endif

/* One beam's samples on their way to grey. */
typedef struct Beam {
  float u[GREY_DEPTHS], v[GREY_DEPTHS];           ///< heart coordinates
  float blood[GREY_DEPTHS];                       ///< to the nearest cavity
  float outside[GREY_DEPTHS];                     ///< to the heart's surface
  float level[GREY_DEPTHS];                       ///< dB
  float move_u[GREY_DEPTHS], move_v[GREY_DEPTHS]; ///< since end-diastole, cm
  float leaflet[GREY_DEPTHS];                     ///< squared distance, cm²
  float rough[GREY_DEPTHS]; ///< slow normal numbers of the tissue
} Beam;

void
grey_plan (const EchoSettings *s, GreyPlan *p)
{
  PhantomRandom r = phantom_random_new (s->seed, 3);
  double wave[3], place[3];

  p->step = ((float) s->depth - GREY_FIRST) / (GREY_DEPTHS - 1);
  p->angle_step = 2 * (float) s->sector / (GREY_BEAMS - 1);
  for (int k = 0; k < 3; k++) {
    wave[k] = phantom_random_between (&r, 4, 14);
    place[k] = phantom_random_between (&r, 0, 6.28);
  }
  for (int b = 0; b < GREY_BEAMS; b++) {
    double angle = -s->sector + b * (double) p->angle_step, sum = 0;
    p->sine[b] = (float) sin (angle);
    p->cosine[b] = (float) cos (angle);
    for (int k = 0; k < 3; k++)
      sum += sin (wave[k] * angle + place[k]);
    double edge = fabs (angle) / s->sector;
    p->shadow[b] = (float) (1.6 * sum + 9 * edge * edge * edge * edge);
  }
  for (int i = 0; i < GREY_DEPTHS; i++)
    p->tgc[i] = (float) (12 * log2 (s->grey_gain)
                         - 14 * s->depth_gain * i / GREY_DEPTHS);
}

/* ---- along a beam ------------------------------------------------------ */

/* Where the samples lie in the heart. */
CLONES static void
beam_place (const EchoSettings *s, const GreyPlan *p, int b, Beam *beam)
{
  float c = (float) (cos (s->tilt) / s->scale);
  float n = (float) (sin (s->tilt) / s->scale);
  float x = p->sine[b], y = p->cosine[b];
  float du = x * c + y * n, dv = -x * n + y * c;
  float u = -(float) s->heart_x * c - (float) s->heart_y * n;
  float v = (float) s->heart_x * n - (float) s->heart_y * c;

  for (int i = 0; i < GREY_DEPTHS; i++) {
    float r = GREY_FIRST + i * p->step;
    beam->u[i] = u + r * du;
    beam->v[i] = v + r * dv;
  }
}

CLONES static void
beam_distances (const Heart *heart, Beam *beam)
{
  const Heart h = *heart;

  for (int i = 0; i < GREY_DEPTHS; i++) {
    Cavities c = heart_cavities (&h, beam->u[i], beam->v[i]);

    /* trabeculae and uneven walls */
    float uneven = 0.11f * beam->rough[i];
    beam->blood[i] = blood_distance (c) + uneven;
    beam->outside[i] = lesser (lesser (c.lv - h.wall, c.rv - 0.4f),
                           lesser (c.la - 0.25f, c.ra - 0.25f))
                       + 2.0f * uneven;
  }
}

CLONES static void
beam_levels (const Heart *heart, const GreyPlan *p, int b, Beam *beam)
{
  const Heart h = *heart;
  const float sine = p->sine[b], per_step = 1.0f / p->step;
  const float lung = 14.0f * smooth ((__builtin_fabsf (sine) - 0.38f) / 0.3f);

  for (int i = 0; i < GREY_DEPTHS; i++) {
    float u = beam->u[i], v = beam->v[i];
    float r = GREY_FIRST + i * p->step;
    int next = i + 1 < GREY_DEPTHS ? i + 1 : i;
    /* how squarely the beam meets the surface, 0 .. 1 */
    float facing =
        __builtin_fabsf (beam->blood[next] - beam->blood[i]) * per_step;
    facing = lesser (facing, 1.0f);

    float below = smooth ((v - h.base) / 0.8f + 0.5f);
    float lateral = smooth (u / 1.2f + 0.5f);
    float wall = mix (mix (LEVEL_SEPTUM, LEVEL_LATERAL, lateral),
                     LEVEL_ATRIAL_WALL, below)
                 + 3.5f * beam->rough[i];
    /* drop-out of walls along the beam, but for the septum */
    wall -= 8.0f * (1.0f - facing) * mix (lateral, 0.8f, below);
    wall -=
        9.0f * smooth ((-u - h.lv_a - 0.8f * h.wall) / 0.8f) * (1.0f - below);
    float near_border = beam->blood[i] * 5.0f;
    wall += 8.0f * facing / (1.0f + near_border * near_border);

    /* beyond the heart: a bright border that fades */
    float out = beam->outside[i];
    float fade = smooth (out / 1.3f);
    float border = LEVEL_BORDER - 12.0f * (1.0f - facing) - lung
                   - 9.0f * (1.0f - below) * (1.0f - below)
                   + 3.0f * beam->rough[i];
    float beyond = mix (border, LEVEL_BEYOND - lung, fade);
    float tissue = mix (wall, beyond, smooth (out / 0.3f + 0.5f));

    /* the near field: haze over everything */
    float close = 1.0f - clamp01 (r / 8.0f);
    float blood =
        mix (LEVEL_VENTRICULAR_BLOOD + 9.0f * close, LEVEL_ATRIAL_BLOOD, below);
    float level = mix (blood, tissue, smooth (beam->blood[i] / 0.22f + 0.5f));
    float haze = -18.0f - 9.0f * r;
    level = greater (level, haze);
    level -= 10.0f * smooth (1.5f * __builtin_fabsf (sine) - 0.2f)
             * smooth ((3.5f - r) / 3.0f);
    beam->level[i] = level - p->shadow[b];
  }
}

/* Displacement since end-diastole, of tissue. */
CLONES static void
beam_motion (const EchoSettings *s, const Heart *heart, Beam *beam)
{
  const float c = heart->contraction, base = heart->base, roof = heart->roof;
  const float excursion = (float) s->excursion * c;
  const float inward = (float) s->shortening * c,
              reach = 1.0f / (heart->lv_a + 1.0f);

  for (int i = 0; i < GREY_DEPTHS; i++) {
    float u = beam->u[i], v = beam->v[i];
    float above = clamp01 (v / base),
          under = clamp01 ((roof - v) / (roof - base));
    float share = lesser (above, under);
    float x = u * reach, far = 1.0f / (1.0f + x * x);
    beam->move_v[i] = -excursion * share;
    beam->move_u[i] = -inward * u * far * lesser (1.0f, 2.0f * share);
  }
}

/* ---- leaflets ---------------------------------------------------------- */

CLONES static void
leaflet_distance (
    float u0, float v0, float u1, float v1, int first, int last, Beam *beam)
{
  float du = u1 - u0, dv = v1 - v0, per = 1.0f / (du * du + dv * dv + 1e-6f);

  for (int i = first; i < last; i++) {
    float x = beam->u[i] - u0, y = beam->v[i] - v0;
    float t = clamp01 ((x * du + y * dv) * per);
    x -= t * du;
    y -= t * dv;
    beam->leaflet[i] = lesser (beam->leaflet[i], x * x + y * y);
  }
}

/* Samples with v between low and high: v grows or falls along a beam. */
static void
beam_range (const Beam *beam, float low, float high, int *first, int *last)
{
  float v0 = beam->v[0], dv = beam->v[1] - beam->v[0];
  float a = (low - v0) / dv, b = (high - v0) / dv;
  if (a > b) {
    float t = a;
    a = b;
    b = t;
  }
  *first = a < 0 ? 0 : a > GREY_DEPTHS ? GREY_DEPTHS : (int) a;
  *last = b < 0 ? 0 : b > GREY_DEPTHS - 1 ? GREY_DEPTHS : (int) b + 1;
}

static void
beam_leaflets (const Heart *h, Beam *beam)
{
  int first, last;

  beam_range (beam, h->base - 3.2f, h->base + 0.5f, &first, &last);
  for (int i = first; i < last; i++)
    beam->leaflet[i] = 1.0f;
  for (int l = 0; l < LEAFLETS; l++)
    for (int k = 0; k < 2; k++) {
      const Leaflet *f = &h->leaflet[l];
      leaflet_distance (
          f->u[k], f->v[k], f->u[k + 1], f->v[k + 1], first, last, beam);
    }
  for (int i = first; i < last; i++) {
    float d = beam->leaflet[i] / (0.10f * 0.10f);
    float level = LEVEL_LEAFLET - 10.0f * d;
    beam->level[i] = greater (beam->level[i], greater (level, -70.0f));
  }
}

/* ---- speckle and grey -------------------------------------------------- */

static inline float
speckle_at (const Textures *t, float beam, float depth)
{
  const float *all = &t->speckle[0][0];
  int b = (int) beam, d = (int) depth; /* both are positive */
  float x = beam - (float) b, y = depth - (float) d;
  int row = (b & (SPECKLE_BEAMS - 1)) * SPECKLE_DEPTHS;
  int next = ((b + 1) & (SPECKLE_BEAMS - 1)) * SPECKLE_DEPTHS;
  int d0 = d & (SPECKLE_DEPTHS - 1), d1 = (d + 1) & (SPECKLE_DEPTHS - 1);
  return mix (mix (all[row + d0], all[row + d1], y),
      mix (all[next + d0], all[next + d1], y), x);
}

typedef struct FrameNoise {
  int blood_beam, blood_depth, noise_beam, noise_depth;
} FrameNoise;

static FrameNoise
frame_noise (const EchoSettings *s, const Heart *h)
{
  /* microseconds name a moment whatever the frame rate */
  PhantomRandom r =
      phantom_random_new (s->seed, 16 + (uint64_t) llround (h->time * 1e6));
  uint64_t bits = phantom_random_bits (&r);
  return (FrameNoise){ (int) (bits & 0xffff), (int) (bits >> 16 & 0xffff),
    (int) (bits >> 32 & 0xffff), (int) (bits >> 48) };
}

/* The unevenness of the tissue that lies here now. */
CLONES static void
beam_rough (const EchoSettings *s, const GreyPlan *p, const Textures *t, int b,
    Beam *beam)
{
  float n = (float) (sin (s->tilt) * s->scale),
        c = (float) (cos (s->tilt) * s->scale);
  float sine = p->sine[b], cosine = p->cosine[b];
  const float *row = t->patches[(b / 2) & (NOISE_BEAMS - 1)];
  const float *next = t->patches[(b / 2 + 1) & (NOISE_BEAMS - 1)];
  const float per_step = 1.0f / p->step;

  for (int i = 0; i < GREY_DEPTHS; i++) {
    float x = beam->move_u[i] * c - beam->move_v[i] * n;
    float y = beam->move_u[i] * n + beam->move_v[i] * c;
    float depth =
        ((float) i - (x * sine + y * cosine) * per_step) * 0.5f + 256.0f;
    int d = (int) depth;
    float t1 = depth - (float) d;
    float a = mix (
        row[d & (NOISE_DEPTHS - 1)], row[(d + 1) & (NOISE_DEPTHS - 1)], t1);
    float z = mix (
        next[d & (NOISE_DEPTHS - 1)], next[(d + 1) & (NOISE_DEPTHS - 1)], t1);
    beam->rough[i] = mix (a, z, (b & 1) * 0.5f);
  }
}

CLONES static void
beam_to_grey (const EchoSettings *s, const GreyPlan *p, const Textures *t,
    int b, FrameNoise offset, const Beam *beam, uint8_t *grey)
{
  float c = (float) (cos (s->tilt) * s->scale),
        n = (float) (sin (s->tilt) * s->scale);
  float sine = p->sine[b], cosine = p->cosine[b];
  const float *blood_row =
      t->speckle[(b + offset.blood_beam) & (SPECKLE_BEAMS - 1)];
  const float *noise_row =
      t->speckle[(b + offset.noise_beam) & (SPECKLE_BEAMS - 1)];
  const float floor_level = -58.0f + 10.0f * (float) s->grey_noise;
  const float rise = 12.0f / (float) s->depth * (float) s->grey_noise;
  const float per_angle = 1.0f / p->angle_step, per_step = 1.0f / p->step;

  for (int i = 0; i < GREY_DEPTHS; i++) {
    float r = GREY_FIRST + i * p->step;
    float x = beam->move_u[i] * c - beam->move_v[i] * n;
    float y = beam->move_u[i] * n + beam->move_v[i] * c;
    float along = x * sine + y * cosine, across = x * cosine - y * sine;
    float solid = smooth (beam->blood[i] / 0.2f + 0.6f);
    float tissue = speckle_at (t, (float) (b + 512) - across / r * per_angle,
        (float) (i + 1024) - along * per_step);
    float blood = blood_row[(i + offset.blood_depth) & (SPECKLE_DEPTHS - 1)];
    float level =
        beam->level[i] + p->tgc[i] + 1.25f * mix (blood, tissue, solid);
    float noise =
        floor_level + rise * r
        + 0.7f * noise_row[(2 * i + offset.noise_depth) & (SPECKLE_DEPTHS - 1)];
    float shade =
        clamp01 (1.0f + greater (level, noise) * (1.0f / DYNAMIC_RANGE));
    grey[i] = (uint8_t) (int) (255.0f * shade * (0.35f + 0.65f * shade) + 0.5f);
  }
}

void
grey_draw (const EchoSettings *s, const GreyPlan *p, const Textures *t,
    const Heart *h, uint8_t pixels[GREY_BEAMS][GREY_DEPTHS])
{
  FrameNoise offset = frame_noise (s, h);
  Beam beam;

  for (int b = 0; b < GREY_BEAMS; b++) {
    beam_place (s, p, b, &beam);
    beam_motion (s, h, &beam);
    beam_rough (s, p, t, b, &beam);
    beam_distances (h, &beam);
    beam_levels (h, p, b, &beam);
    beam_leaflets (h, &beam);
    beam_to_grey (s, p, t, b, offset, &beam, pixels[b]);
  }
}
