/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "element.h"
#include "kernels.h"
#include "launch.h"
#include "reduce.h"

namespace {

/* ---- layer norm --------------------------------------------------------- */

enum { ROWS = 4, NORM_THREADS = ROWS * WARP }; ///< of a block: a warp a row
/* Four numbers: neighbouring lanes' accesses touch in F32, too. */
enum { VECTOR = 4, CHUNKS = 8 };
enum { WIDEST = CHUNKS * VECTOR * WARP }; ///< that registers hold

/** A warp's row in registers, read once: lane l has columns (c WARP + l) VECTOR
 * of chunk c. */
__global__ void
__launch_bounds__ (NORM_THREADS)
layer_norm_kernel (Array x, const float *gamma, const float *beta, Array y,
    unsigned rows, unsigned d, float epsilon)
{
  const unsigned row = blockIdx.x * ROWS + threadIdx.x / WARP;
  const unsigned lane = threadIdx.x % WARP;
  if (row >= rows)
    return; /* a whole warp */
  float value[CHUNKS][VECTOR] = {};
  float sum = 0, squares = 0;
#pragma unroll
  for (int c = 0; c < CHUNKS; c++) {
    const unsigned column = (c * WARP + lane) * VECTOR;
    if (column < d)
      load<VECTOR> (x, row * d + column, value[c]);
#pragma unroll
    for (int j = 0; j < VECTOR; j++)
      sum += value[c][j];
  }
  const float mean = warp_sum (sum) / (float) d;
#pragma unroll
  for (int c = 0; c < CHUNKS; c++)
    if ((c * WARP + lane) * VECTOR < d)
#pragma unroll
      for (int j = 0; j < VECTOR; j++)
        squares += (value[c][j] - mean) * (value[c][j] - mean);
  const float scale = rsqrtf (warp_sum (squares) / (float) d + epsilon);
#pragma unroll
  for (int c = 0; c < CHUNKS; c++) {
    const unsigned column = (c * WARP + lane) * VECTOR;
    float gain[VECTOR], offset[VECTOR];
    if (column >= d)
      break;
    load<VECTOR> (gamma + column, gain);
    load<VECTOR> (beta + column, offset);
#pragma unroll
    for (int j = 0; j < VECTOR; j++)
      value[c][j] = (value[c][j] - mean) * scale * gain[j] + offset[j];
    store<VECTOR> (y, row * d + column, value[c]);
  }
}

/** Rows of any width, read three times. */
__global__ void
__launch_bounds__ (NORM_THREADS)
layer_norm_any_kernel (Array x, const float *gamma, const float *beta, Array y,
    unsigned rows, unsigned d, float epsilon)
{
  const unsigned row = blockIdx.x * ROWS + threadIdx.x / WARP;
  const unsigned lane = threadIdx.x % WARP;
  if (row >= rows)
    return;
  float sum = 0, squares = 0;
  for (unsigned i = lane; i < d; i += WARP)
    sum += load (x, row * d + i);
  const float mean = warp_sum (sum) / (float) d;
  for (unsigned i = lane; i < d; i += WARP) {
    const float difference = load (x, row * d + i) - mean;
    squares += difference * difference;
  }
  const float scale = rsqrtf (warp_sum (squares) / (float) d + epsilon);
  for (unsigned i = lane; i < d; i += WARP)
    store (y, row * d + i,
        (load (x, row * d + i) - mean) * scale * gamma[i] + beta[i]);
}

/* ---- softmax ------------------------------------------------------------ */

enum {
  SOFTMAX_WARPS = 8,
  SOFTMAX_THREADS = SOFTMAX_WARPS * WARP,
  NARROW = 256
};

/** A row by a warp (WARPS 1, SOFTMAX_WARPS rows a block) or by a block. */
template <int WARPS>
__global__ void
__launch_bounds__ (SOFTMAX_THREADS)
softmax_kernel (const float *x, float *y, unsigned rows, unsigned width)
{
  const unsigned row =
      WARPS == 1 ? blockIdx.x * SOFTMAX_WARPS + threadIdx.x / WARP : blockIdx.x;
  const unsigned step = WARPS * WARP, first = threadIdx.x % step;
  if (row >= rows)
    return; /* a whole warp, and never with WARPS > 1 */
  x += (size_t) row * width;
  y += (size_t) row * width;
  float largest = -INFINITY, sum = 0;
  for (unsigned i = first; i < width; i += step)
    largest = fmaxf (largest, x[i]);
  largest = WARPS == 1 ? warp_max (largest) : block_max<WARPS> (largest);
  for (unsigned i = first; i < width; i += step)
    sum += expf (x[i] - largest);
  const float share =
      1 / (WARPS == 1 ? warp_sum (sum) : block_sum<WARPS> (sum));
  for (unsigned i = first; i < width; i += step)
    y[i] = expf (x[i] - largest) * share;
}

} // namespace

cudaError_t
cardiac_cuda_layer_norm (const void *x, CardiacDType x_dtype,
    const float *gamma, const float *beta, void *y, CardiacDType y_dtype,
    int64_t rows, int64_t d, float epsilon, cudaStream_t stream)
{
  const bool wide = d % VECTOR == 0 && d <= WIDEST && is_aligned (x)
                    && is_aligned (gamma) && is_aligned (beta)
                    && is_aligned (y);
  return launch (wide ? layer_norm_kernel : layer_norm_any_kernel,
      dim3 (parts ((unsigned) rows, ROWS)), NORM_THREADS, 0, stream,
      array (x, x_dtype), gamma, beta, array (y, y_dtype), (unsigned) rows,
      (unsigned) d, epsilon);
}

cudaError_t
cardiac_cuda_softmax (
    const float *x, float *y, int64_t rows, int64_t width, cudaStream_t stream)
{
  const unsigned count = (unsigned) rows;
  const bool narrow = width <= NARROW;
  return launch (narrow ? softmax_kernel<1> : softmax_kernel<SOFTMAX_WARPS>,
      dim3 (narrow ? parts (count, SOFTMAX_WARPS) : count), SOFTMAX_THREADS, 0,
      stream, x, y, count, (unsigned) width);
}
