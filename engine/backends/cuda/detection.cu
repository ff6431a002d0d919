/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "element.h"
#include "kernels.h"
#include "launch.h"
#include "reduce.h"

/* YOLOv8's decoding. A cell says how far its box reaches to the left, top,
 * right and bottom, each as a distribution over 16 bins; the distance is its
 * mean, in strides. */

namespace {

enum { BINS = 16, SCALES = 3, SIDES = 4 };

struct Scale {
  Array box, classes;
  unsigned width, first; ///< cells of a row; the number of its first cell
};

struct Scales {
  Scale at[SCALES];
};

/** Σ j softmax (logits)_j of the 16 logits from `index` on. */
__device__ inline float
expected_distance (Array logits, unsigned index)
{
  float x[BINS], largest = -INFINITY, sum = 0, mean = 0;
#pragma unroll
  for (int j = 0; j < BINS; j += 8) {
    float eight[8];
    load<8> (logits, index + j, eight);
#pragma unroll
    for (int k = 0; k < 8; k++) {
      x[j + k] = eight[k];
      largest = fmaxf (largest, eight[k]);
    }
  }
#pragma unroll
  for (int j = 0; j < BINS; j++) {
    const float p = expf (x[j] - largest);
    sum += p;
    mean += (float) j * p;
  }
  return mean / sum;
}

/** Four threads a cell, one a side; each also takes every fourth class. */
__global__ void
yolo_decode_kernel (const __grid_constant__ Scales scales, float *y,
    unsigned cells, unsigned classes)
{
  const unsigned i = thread_number ();
  const unsigned cell = min (i / SIDES, cells - 1), side = i % SIDES;
  const unsigned s = cell >= scales.at[2].first   ? 2
                     : cell >= scales.at[1].first ? 1
                                                  : 0;
  const Scale &scale = scales.at[s];
  const unsigned from = cell - scale.first;
  const float stride = (float) (8u << s);

  const float distance =
      expected_distance (scale.box, (from * SIDES + side) * BINS);
  const float opposite = __shfl_xor_sync (ALL_LANES, distance, 2);
  if (i / SIDES >= cells)
    return;
  /* Sides 0 and 1 write the centre, 2 and 3 the size. */
  const float place =
      (float) (side == 0 ? from % scale.width : from / scale.width);
  y[side * cells + cell] = (side < 2 ? place + 0.5f + (opposite - distance) / 2
                                     : opposite + distance)
                           * stride;
  for (unsigned c = side; c < classes; c += SIDES)
    y[(SIDES + c) * cells + cell] =
        1 / (1 + expf (-load (scale.classes, from * classes + c)));
}

} // namespace

cudaError_t
cardiac_cuda_yolo_decode (void *const *in, const CardiacTensor *shapes,
    float *y, int64_t cells, int64_t classes, cudaStream_t stream)
{
  Scales scales = {};
  unsigned first = 0;
  for (int s = 0; s < SCALES; s++) {
    const CardiacTensor *box = &shapes[2 * s];
    scales.at[s] = { array (in[2 * s], box->dtype),
      array (in[2 * s + 1], shapes[2 * s + 1].dtype), (unsigned) box->shape[2],
      first };
    first += (unsigned) (box->shape[1] * box->shape[2]);
    if (!is_aligned (in[2 * s]))
      return cudaErrorMisalignedAddress;
  }
  return launch_each (yolo_decode_kernel, (unsigned) cells * SIDES, stream,
      scales, y, (unsigned) cells, (unsigned) classes);
}
