/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "image/taps.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/** Weights below this come from rounding positions and cost a row each. */
#define NEGLIGIBLE 1e-9

/** The samples that one output's triangle covers, inside the interval. */
typedef struct Span {
  double centre;  ///< of the output, input samples, centres at half integers
  double support; ///< half the triangle's base
  int low, high;  ///< [low, high); may lie outside the input
} Span;

static Span
span_of (const CardiacAxis *axis, int i)
{
  double scale = axis->extent / axis->output;
  Span span;
  span.support = axis->antialias && scale > 1 ? scale : 1;
  span.centre = axis->origin + (i + 0.5) * scale;
  int edge_low = (int) floor (axis->origin);
  int edge_high = (int) ceil (axis->origin + axis->extent);
  /* Sample j has its centre at j + 0.5. */
  span.low = (int) floor (span.centre - span.support + 0.5);
  span.high = (int) ceil (span.centre + span.support - 0.5) + 1;
  if (span.low < edge_low)
    span.low = edge_low;
  if (span.high > edge_high)
    span.high = edge_high;
  return span;
}

static double
triangle (const Span *span, int j)
{
  double weight = 1 - fabs (j + 0.5 - span->centre) / span->support;
  return weight > NEGLIGIBLE ? weight : 0;
}

/** Shrinks a span to samples of the input that have a weight. */
static void
trim (Span *span, int input)
{
  if (span->low < 0)
    span->low = 0;
  if (span->high > input)
    span->high = input;
  while (span->low < span->high && triangle (span, span->low) == 0)
    span->low++;
  while (span->low < span->high && triangle (span, span->high - 1) == 0)
    span->high--;
}

static void
fill (CardiacTaps *taps, int i)
{
  Span span = span_of (&taps->axis, i);
  double sum = 0;
  for (int j = span.low; j < span.high; j++)
    sum += triangle (&span, j);
  trim (&span, taps->axis.input);
  int count = span.high > span.low ? span.high - span.low : 0;
  taps->start[i] = count ? span.low : 0;
  taps->count[i] = count;
  for (int k = 0; k < count; k++)
    taps->weight[(size_t) i * (size_t) taps->most + (size_t) k] =
        (float) (triangle (&span, span.low + k) / sum);
}

/** Sets `most`, `first` and `last`. */
static void
measure (CardiacTaps *taps)
{
  taps->most = 2;
  taps->first = taps->axis.input;
  taps->last = 0;
  for (int i = 0; i < taps->axis.output; i++) {
    Span span = span_of (&taps->axis, i);
    trim (&span, taps->axis.input);
    if (span.high <= span.low)
      continue;
    if (span.high - span.low > taps->most)
      taps->most = span.high - span.low;
    if (span.low < taps->first)
      taps->first = span.low;
    if (span.high > taps->last)
      taps->last = span.high;
  }
  if (taps->first >= taps->last)
    taps->first = taps->last = 0;
}

static bool
same_axis (const CardiacAxis *a, const CardiacAxis *b)
{
  return a->origin == b->origin && a->extent == b->extent
         && a->input == b->input && a->output == b->output
         && a->antialias == b->antialias;
}

bool
cardiac_taps_set (CardiacTaps *taps, const CardiacAxis *axis)
{
  if (taps->weight && same_axis (&taps->axis, axis))
    return true;
  cardiac_taps_clear (taps);
  taps->axis = *axis;
  measure (taps);
  size_t outputs = (size_t) axis->output;
  taps->start = calloc (outputs, sizeof *taps->start);
  taps->count = calloc (outputs, sizeof *taps->count);
  taps->weight = calloc (outputs * (size_t) taps->most, sizeof *taps->weight);
  if (!taps->start || !taps->count || !taps->weight) {
    cardiac_taps_clear (taps);
    return false;
  }
  for (int i = 0; i < axis->output; i++) {
    fill (taps, i);
    if (taps->count[i] == 0)
      taps->start[i] = taps->first;
  }
  return true;
}

void
cardiac_taps_clear (CardiacTaps *taps)
{
  free (taps->start);
  free (taps->count);
  free (taps->weight);
  memset (taps, 0, sizeof *taps);
}
