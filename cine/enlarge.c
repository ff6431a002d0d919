/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "enlarge.h"

#include <math.h>
#include <stdlib.h>

void
cine_window8 (
    const uint16_t *from, size_t n, const uint16_t window[2], uint8_t *to)
{
  float scale = 255.f / (window[1] > window[0] ? window[1] - window[0] : 1);

  for (size_t i = 0; i < n; i++) {
    float v = ((float) from[i] - window[0]) * scale + 0.5f;

    to[i] = v > 0 ? v < 255 ? (uint8_t) v : 255 : 0;
  }
}

/* Four neighbours of a place between pixels, and their weights. */
typedef struct Tap {
  int first;
  float weight[4];
} Tap;

static Tap *
make_taps (double start, double length, int n)
{
  Tap *taps = malloc (n * sizeof *taps);

  for (int i = 0; taps && i < n; i++) {
    double at = start + (i + 0.5) * length / n;
    float t = (float) (at - floor (at));

    taps[i].first = (int) floor (at) - 1;
    taps[i].weight[0] = ((-0.5f * t + 1) * t - 0.5f) * t;
    taps[i].weight[1] = (1.5f * t - 2.5f) * t * t + 1;
    taps[i].weight[2] = ((-1.5f * t + 2) * t + 0.5f) * t;
    taps[i].weight[3] = (0.5f * t - 0.5f) * t * t;
  }
  return taps;
}

/* Half a pixel beyond the border still shows the border. */
static int
clamp (int i, int n)
{
  return i < 0 ? 0 : i < n ? i : n - 1;
}

static void
enlarge_row (const uint16_t *from, int width, const Tap *taps, int n, float *to)
{
  for (int i = 0; i < n; i++) {
    float sum = 0;

    for (int k = 0; k < 4; k++)
      sum += taps[i].weight[k] * from[clamp (taps[i].first + k, width)];
    to[i] = taps[i].first + 1 < -1 || taps[i].first + 1 >= width ? 0 : sum;
  }
}

static void
mix_rows (const float *rows, int height, int to_width, const Tap *tap,
    const uint16_t window[2], uint8_t *to)
{
  float scale = 255.f / (window[1] > window[0] ? window[1] - window[0] : 1);
  bool outside = tap->first + 1 < -1 || tap->first + 1 >= height;

  for (int i = 0; i < to_width; i++) {
    float v = 0;

    for (int k = 0; k < 4; k++)
      v += tap->weight[k]
           * rows[(size_t) clamp (tap->first + k, height) * to_width + i];
    v = (v - window[0]) * scale + 0.5f;
    to[i] = outside || v <= 0 ? 0 : v < 255 ? (uint8_t) v : 255;
  }
}

bool
cine_enlarge (const uint16_t *from, int width, int height, const CineBox *box,
    const uint16_t window[2], uint8_t *to, int to_width, int to_height,
    size_t stride)
{
  float *rows = malloc ((size_t) height * to_width * sizeof *rows);
  Tap *across = make_taps (box->x, box->w, to_width);
  Tap *down = make_taps (box->y, box->h, to_height);
  bool fine = rows && across && down;

  for (int y = 0; fine && y < height; y++)
    enlarge_row (from + (size_t) y * width, width, across, to_width,
        rows + (size_t) y * to_width);
  for (int y = 0; fine && y < to_height; y++)
    mix_rows (rows, height, to_width, &down[y], window, to + y * stride);
  free (rows);
  free (across);
  free (down);
  return fine;
}
