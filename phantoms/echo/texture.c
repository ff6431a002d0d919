/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "texture.h"

#include <math.h>
#include <stdlib.h>

#include "common/random.h"

/* Box blur over `reach` neighbours on each side along depth, periodic. */
static void
blur_line (const float *in, float *out, int n, int step, int reach)
{
  float sum = 0;
  for (int k = -reach; k <= reach; k++)
    sum += in[((k + n) % n) * step];
  for (int i = 0; i < n; i++) {
    out[i * step] = sum;
    sum += in[((i + reach + 1) % n) * step] - in[((i - reach + n) % n) * step];
  }
}

static void
blur (float *data, float *room, int beams, int depths, int across, int along)
{
  for (int b = 0; b < beams; b++)
    blur_line (data + b * depths, room + b * depths, depths, 1, along);
  for (int d = 0; d < depths; d++)
    blur_line (room + d, data + d, beams, depths, across);
}

/* Cheap near-normal numbers: the sum of four uniform ones. */
static void
fill (float *data, int n, PhantomRandom *r)
{
  for (int i = 0; i < n; i++) {
    uint64_t bits = phantom_random_bits (r);
    float sum = 0;
    for (int k = 0; k < 4; k++)
      sum += (float) ((bits >> (16 * k)) & 0xffff) * (1.0f / 65536);
    data[i] = (sum - 2.0f) * 1.7320508f;
  }
}

static void
normalise (float *data, int n)
{
  double sum = 0;
  for (int i = 0; i < n; i++)
    sum += data[i] * data[i];
  float scale = (float) (1 / sqrt (sum / n + 1e-12));
  for (int i = 0; i < n; i++)
    data[i] *= scale;
}

/* The envelope of a complex normal field behind the beam's point spread. */
static void
make_speckle (Textures *t, float *room, PhantomRandom *r)
{
  enum { N = SPECKLE_BEAMS * SPECKLE_DEPTHS };
  float *real = room, *imaginary = room + N, *spare = room + 2 * N;

  for (int part = 0; part < 2; part++) {
    float *field = part ? imaginary : real;
    fill (field, N, r);
    blur (field, spare, SPECKLE_BEAMS, SPECKLE_DEPTHS, 2, 0);
    blur (field, spare, SPECKLE_BEAMS, SPECKLE_DEPTHS, 1, 1);
    normalise (field, N);
  }
  for (int i = 0; i < N; i++) {
    float power = 0.5f * (real[i] * real[i] + imaginary[i] * imaginary[i]);
    (&t->speckle[0][0])[i] = 10.0f * log10f (power + 1e-3f);
  }
}

bool
textures_make (Textures *t, uint64_t seed)
{
  enum { N = NOISE_BEAMS * NOISE_DEPTHS };
  PhantomRandom r = phantom_random_new (seed, 2);
  float *room = malloc (3 * SPECKLE_BEAMS * SPECKLE_DEPTHS * sizeof *room);

  if (room == NULL)
    return false;
  make_speckle (t, room, &r);
  fill (&t->noise[0][0], N, &r);
  blur (&t->noise[0][0], room, NOISE_BEAMS, NOISE_DEPTHS, 1, 0);
  normalise (&t->noise[0][0], N);
  fill (&t->patches[0][0], N, &r);
  for (int pass = 0; pass < 2; pass++)
    blur (&t->patches[0][0], room, NOISE_BEAMS, NOISE_DEPTHS, 2, 4);
  normalise (&t->patches[0][0], N);
  free (room);
  return true;
}
