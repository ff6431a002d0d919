/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CARDIAC_IMAGE_TAPS_H
#define CARDIAC_IMAGE_TAPS_H

#include <cardiac/export.h>
#include <stdbool.h>

/** What one direction of a resize is: `output` samples spread over the
 * interval [origin, origin + extent) of a row of `input` samples. */
typedef struct CardiacAxis {
  double origin, extent; ///< input samples; may lie outside [0, input)
  int input, output;     ///< samples
  bool antialias;        ///< widen the triangle when shrinking
} CardiacAxis;

/** The filter of an axis: output[i] = sum over k < count[i] of
 * weight[i * most + k] * input[start[i] + k]. Weights of one output sum to 1
 * unless part of the interval lies outside the input, which is black there. */
typedef struct CardiacTaps {
  CardiacAxis axis;
  int most;        ///< the longest filter, at least 2
  int first, last; ///< input samples that any output needs: [first, last)
  int *start;      ///< [output], all within [first, last - count]
  int *count;      ///< [output], 0 where nothing of the input is seen
  float *weight;   ///< [output, most], zero beyond count
} CardiacTaps;

/** Makes `taps` the filter of `axis`; does nothing if it already is. Starts
 * from an all-zero structure.
 * @return false if memory ran out; `taps` is empty then. */
CARDIAC_API bool cardiac_taps_set (CardiacTaps *taps, const CardiacAxis *axis);

CARDIAC_API void cardiac_taps_clear (CardiacTaps *taps);

#endif
