/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a machine makes of moving blood: velocity along the beam, wrapped at the
 * Nyquist limit, its scatter, and a colour for both. */
#include "colour.h"

#include <math.h>
#include <string.h>

#include "common/random.h"

/* Flow is shown where power * gain is above this. */
#define SHOWN_FROM 0.4f

/* Red towards the transducer, blue away; each layout has its scanner's map. */
typedef struct MapColours {
  uint8_t toward_slow[3], toward_fast[3], away_slow[3], away_fast[3];
  uint8_t toward_mixed[3], away_mixed[3];
} MapColours;

static const MapColours map_colours[ECHO_LAYOUTS] = {
  { { 96, 4, 0 }, { 255, 190, 40 }, { 0, 8, 100 }, { 70, 210, 255 },
      { 235, 240, 60 }, { 40, 225, 150 } },
  { { 128, 8, 24 }, { 240, 90, 40 }, { 8, 20, 110 }, { 30, 120, 250 },
      { 230, 215, 60 }, { 40, 220, 140 } },
  { { 110, 0, 0 }, { 255, 150, 60 }, { 0, 0, 130 }, { 90, 150, 255 },
      { 240, 235, 90 }, { 60, 235, 180 } },
};

void
colour_map_make (const EchoSettings *s, ColourMap *map)
{
  const MapColours *m = &map_colours[s->layout];

  for (int i = 0; i < COLOUR_MAP; i++) {
    float velocity = (i + 0.5f) * 2 / COLOUR_MAP - 1;
    float speed = fabsf (velocity), t = powf (speed, 0.8f);
    const uint8_t *slow = velocity > 0 ? m->toward_slow : m->away_slow;
    const uint8_t *fast = velocity > 0 ? m->toward_fast : m->away_fast;
    const uint8_t *mixed = velocity > 0 ? m->toward_mixed : m->away_mixed;
    for (int k = 0; k < 3; k++) {
      float plain = mix (slow[k], fast[k], t);
      map->rgb[0][i][k] = (uint8_t) (plain + 0.5f);
      map->rgb[1][i][k] =
          (uint8_t) (mix (plain, mixed[k], 0.35f + 0.55f * t) + 0.5f);
    }
  }
}

/* Where a cell lies and how the beam runs through it, in heart coordinates. */
typedef struct Cell {
  float u, v;
  float beam_u, beam_v; ///< away from the transducer, unit
  float depth;          ///< share of the box
} Cell;

static float
wrap (float velocity, float nyquist)
{
  float turns = velocity / (2.0f * nyquist);
  return 2.0f * nyquist * (turns - floorf (turns + 0.5f));
}

static void
paint (const ColourMap *map, bool variance, float velocity, float nyquist,
    float disorder, ColourPixel *pixel)
{
  int i = (int) ((velocity / nyquist + 1) * 0.5f * COLOUR_MAP);
  i = i < 0 ? 0 : i >= COLOUR_MAP ? COLOUR_MAP - 1 : i;
  const uint8_t *rgb = map->rgb[variance && disorder > 0.5f][i];
  *pixel = (ColourPixel){ rgb[0], rgb[1], rgb[2], 255 };
}

typedef struct CellNoise {
  float estimate, patch, chance;
} CellNoise;

static void
draw_cell (const EchoSettings *s, const ColourMap *map, const Heart *h,
    const Flow *flow, const Cell *c, const CellNoise *noise, ColourPixel *pixel)
{
  float nyquist = (float) s->nyquist;
  float blood = blood_distance (heart_cavities (h, c->u, c->v));

  pixel->a = 0;
  if (blood > 0.08f)
    return;
  FlowSample f = flow_sample (s, h, flow, c->u, c->v);
  float power = f.power * (float) s->colour_gain + f.ragged * noise->patch;
  float along = -(f.u * c->beam_u + f.v * c->beam_v);
  bool moves = fabsf (along) > 0.09f * nyquist; /* the wall filter */

  if (power > SHOWN_FROM && (moves || f.disorder > 0.5f)) {
    float scatter = (0.06f + 0.75f * f.disorder) * nyquist;
    float velocity = wrap (along + scatter * noise->estimate, nyquist);
    float disorder =
        f.disorder * (0.75f + 0.5f * noise->patch) + 0.12f * noise->estimate;
    paint (map, s->variance, velocity, nyquist, disorder, pixel);
    return;
  }
  if (noise->chance < (float) s->colour_noise * (0.5f + c->depth))
    paint (map, s->variance, nyquist * wrap (0.7f * noise->estimate, 1),
        nyquist, noise->patch, pixel);
}

void
colour_draw (const EchoSettings *s, const Textures *t, const ColourMap *map,
    const Heart *h, const Flow *flow,
    ColourPixel pixels[COLOUR_BEAMS][COLOUR_DEPTHS])
{
  PhantomRandom r = phantom_random_new (
      s->seed, 17 + ((uint64_t) llround (h->time * 1e6) << 1));
  int shift_beam = phantom_random_below (&r, NOISE_BEAMS);
  int shift_depth = phantom_random_below (&r, NOISE_DEPTHS);
  float c = (float) cos (s->tilt), n = (float) sin (s->tilt);
  float per_scale = 1.0f / (float) s->scale;

  for (int b = 0; b < COLOUR_BEAMS; b++) {
    double angle =
        s->box_left + (s->box_right - s->box_left) * b / (COLOUR_BEAMS - 1);
    float sine = (float) sin (angle), cosine = (float) cos (angle);
    const float *estimate = t->noise[(b + shift_beam) & (NOISE_BEAMS - 1)];
    const float *patch = t->patches[(b / 2 + shift_beam) & (NOISE_BEAMS - 1)];
    for (int i = 0; i < COLOUR_DEPTHS; i++) {
      float share = (float) i / (COLOUR_DEPTHS - 1);
      float depth = mix ((float) s->box_top, (float) s->box_bottom, share);
      float x = (depth * sine - (float) s->heart_x) * per_scale;
      float y = (depth * cosine - (float) s->heart_y) * per_scale;
      Cell cell = { x * c + y * n, -x * n + y * c, sine * c + cosine * n,
        -sine * n + cosine * c, share };
      int k = (i + shift_depth) & (NOISE_DEPTHS - 1);
      CellNoise noise = { estimate[k], patch[k],
        (float) (phantom_random_bits (&r) >> 40) * 0x1p-24f };
      draw_cell (s, map, h, flow, &cell, &noise, &pixels[b][i]);
    }
  }
}
