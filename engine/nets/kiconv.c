/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nets/kiconv.h"

void
cardiac_kiconv_resample (const float *w, int64_t out, int components, int taps,
    int64_t kernel, int phases, float *to, int64_t channels, int64_t first)
{
  const double gain = (double) taps / phases;
  for (int64_t o = 0; o < out; o++)
    for (int c = 0; c < components; c++) {
      const float *base = w + (o * components + c) * taps * kernel;
      for (int j = 0; j < phases; j++) {
        /* j T0 / t = low + share, without rounding */
        const int low = j * taps / phases, high = (low + 1) % taps;
        const double share = (double) (j * taps % phases) / phases;
        float *at = to + (o * channels + first + j * components + c) * kernel;
        for (int64_t i = 0; i < kernel; i++)
          at[i] = (float) (gain
                           * ((1 - share) * base[low * kernel + i]
                               + share * base[high * kernel + i]));
      }
    }
}
