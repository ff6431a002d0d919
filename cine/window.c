/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "stack.h"

#include <stdlib.h>
#include <string.h>

/* The value below which a share of all lies. */
static uint16_t
percentile (const uint32_t *counts, size_t all, double share)
{
  size_t sum = 0;

  for (int v = 0; v < 65536; v++) {
    sum += counts[v];
    if (sum > share * all)
      return v;
  }
  return 65535;
}

void
cine_set_windows (CineStack *stack)
{
  size_t n = (size_t) stack->width * stack->height * stack->phases;
  uint32_t *counts = malloc (65536 * sizeof *counts);

  if (!counts)
    return;
  for (int s = 0; s < stack->slices; s++) {
    CineSlice *slice = &stack->slice[s];

    memset (counts, 0, 65536 * sizeof *counts);
    for (size_t i = 0; i < n; i++)
      counts[slice->pixels[i]]++;
    slice->window[0] = percentile (counts, n, 0.01);
    slice->window[1] = percentile (counts, n, 0.99);
    if (slice->window[1] <= slice->window[0])
      slice->window[1] =
          slice->window[0] < 65535 ? slice->window[0] + 1 : 65535;
  }
  free (counts);
}
