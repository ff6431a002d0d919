/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "element.h"
#include "kernels.h"
#include "launch.h"

/* One result from one place of each input. A thread takes V neighbours. */

namespace {

struct Epilogue {
  Array x, residual, y;
  const float *bias;
  unsigned channels, count;
  CardiacActivation activation;
};

template <int V>
__global__ void
epilogue_kernel (Epilogue e)
{
  const unsigned i = thread_number () * V;
  if (i >= e.count)
    return;
  float x[V], more[V];
  load<V> (e.x, i, x);
  if (e.bias) {
    load<V> (e.bias + i % e.channels, more);
#pragma unroll
    for (int j = 0; j < V; j++)
      x[j] += more[j];
  }
#pragma unroll
  for (int j = 0; j < V; j++)
    x[j] = activate (e.activation, x[j]);
  if (e.residual.data) {
    load<V> (e.residual, i, more);
#pragma unroll
    for (int j = 0; j < V; j++)
      x[j] += more[j];
  }
  store<V> (e.y, i, x);
}

/** y = x + w or x w, w repeated every `period`. */
template <int V>
__global__ void
binary_kernel (
    Array x, Array w, Array y, unsigned period, unsigned count, bool multiply)
{
  const unsigned i = thread_number () * V;
  if (i >= count)
    return;
  float a[V], b[V];
  load<V> (x, i, a);
  load<V> (w, i % period, b);
#pragma unroll
  for (int j = 0; j < V; j++)
    a[j] = multiply ? a[j] * b[j] : a[j] + b[j];
  store<V> (y, i, a);
}

/** y = x (offset + scale g), x [count / width, width]; g one a row, or `width`
 * for each `rows` rows. */
template <int V>
__global__ void
gate_kernel (Array x, const float *g, Array y, unsigned rows, unsigned width,
    unsigned count, bool a_row, float offset, float scale)
{
  const unsigned i = thread_number () * V;
  if (i >= count)
    return;
  const unsigned row = i / width, column = i % width;
  float a[V], factor[V];
  load<V> (x, i, a);
  if (a_row) {
#pragma unroll
    for (int j = 0; j < V; j++)
      factor[j] = g[row];
  } else {
    load<V> (g + row / rows * width + column, factor);
  }
#pragma unroll
  for (int j = 0; j < V; j++)
    a[j] *= offset + scale * factor[j];
  store<V> (y, i, a);
}

/** y[i] = |(x[2i], x[2i+1])| */
template <int V>
__global__ void
magnitude_kernel (Array x, Array y, unsigned count)
{
  const unsigned i = thread_number () * V;
  if (i >= count)
    return;
  float pairs[2 * V], lengths[V];
  load<2 * V> (x, 2 * i, pairs);
#pragma unroll
  for (int j = 0; j < V; j++)
    lengths[j] = sqrtf (
        pairs[2 * j] * pairs[2 * j] + pairs[2 * j + 1] * pairs[2 * j + 1]);
  store<V> (y, i, lengths);
}

} // namespace

cudaError_t
cardiac_cuda_epilogue (const void *x, CardiacDType x_dtype, const float *bias,
    int64_t channels, const void *residual, CardiacDType residual_dtype,
    void *y, CardiacDType y_dtype, int64_t count, CardiacActivation activation,
    cudaStream_t stream)
{
  const Epilogue e = { array (x, x_dtype), array (residual, residual_dtype),
    array (y, y_dtype), bias, (unsigned) channels, (unsigned) count,
    activation };
  const auto choice = choose (is_aligned (x) && is_aligned (bias)
                                  && is_aligned (residual) && is_aligned (y),
      count | (bias ? channels : 0), y_dtype, epilogue_kernel<8>,
      epilogue_kernel<4>, epilogue_kernel<1>);
  return launch_each (
      choice.kernel, (unsigned) (count / choice.vector), stream, e);
}

cudaError_t
cardiac_cuda_binary (const void *x, CardiacDType x_dtype, const void *w,
    CardiacDType w_dtype, int64_t period, void *y, CardiacDType y_dtype,
    int64_t count, bool multiply, cudaStream_t stream)
{
  const auto choice = choose (
      is_aligned (x) && is_aligned (w) && is_aligned (y), count | period,
      y_dtype, binary_kernel<8>, binary_kernel<4>, binary_kernel<1>);
  return launch_each (choice.kernel, (unsigned) (count / choice.vector), stream,
      array (x, x_dtype), array (w, w_dtype), array (y, y_dtype),
      (unsigned) period, (unsigned) count, multiply);
}

cudaError_t
cardiac_cuda_gate (const void *x, CardiacDType x_dtype, const float *g,
    bool a_row, void *y, CardiacDType y_dtype, int64_t batch, int64_t rows,
    int64_t width, float offset, float scale, cudaStream_t stream)
{
  const unsigned count = (unsigned) (batch * rows * width);
  const auto choice =
      choose (is_aligned (x) && is_aligned (y) && (a_row || is_aligned (g)),
          width, y_dtype, gate_kernel<8>, gate_kernel<4>, gate_kernel<1>);
  return launch_each (choice.kernel, count / (unsigned) choice.vector, stream,
      array (x, x_dtype), g, array (y, y_dtype), (unsigned) rows,
      (unsigned) width, count, a_row, offset, scale);
}

cudaError_t
cardiac_cuda_magnitude (const void *x, CardiacDType x_dtype, void *y,
    CardiacDType y_dtype, int64_t count, cudaStream_t stream)
{
  const auto choice = choose (is_aligned (x) && is_aligned (y), count, y_dtype,
      magnitude_kernel<8>, magnitude_kernel<4>, magnitude_kernel<1>);
  return launch_each (choice.kernel, (unsigned) (count / choice.vector), stream,
      array (x, x_dtype), array (y, y_dtype), (unsigned) count);
}
