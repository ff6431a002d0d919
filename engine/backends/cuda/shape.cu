/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "element.h"
#include "kernels.h"
#include "launch.h"

/* Operators that move numbers. A thread takes V neighbours of the result, so
 * that writes are always whole. */

namespace {

/** y[o,first:first+inner] = x[o,first:first+inner], rows of their own strides,
 * both starting at their own first. */
template <int V>
__global__ void
copy_kernel (Array x, unsigned x_stride, unsigned x_first, Array y,
    unsigned y_stride, unsigned y_first, unsigned inner, unsigned count)
{
  const unsigned i = thread_number () * V;
  if (i >= count)
    return;
  const unsigned outer = i / inner, at = i % inner;
  float numbers[V];
  load<V> (x, outer * x_stride + x_first + at, numbers);
  store<V> (y, outer * y_stride + y_first + at, numbers);
}

/** What lies side by side: input j has columns first[j] .. first[j+1]-1. */
struct Columns {
  Array x[CARDIAC_OP_MAX_INPUTS];
  unsigned first[CARDIAC_OP_MAX_INPUTS + 1];
};

template <int V>
__global__ void
concat_kernel (
    const __grid_constant__ Columns in, Array y, unsigned width, unsigned count)
{
  const unsigned i = thread_number () * V;
  if (i >= count)
    return;
  const unsigned row = i / width, column = i % width;
  int j = 0;
  while (column >= in.first[j + 1])
    j++;
  float numbers[V];
  load<V> (in.x[j],
      row * (in.first[j + 1] - in.first[j]) + column - in.first[j], numbers);
  store<V> (y, i, numbers);
}

/** x [B,3,side,side] to y [B*n*n,3*patch*patch], n = side / patch. */
template <int V>
__global__ void
patchify_kernel (
    const float *x, Array y, unsigned side, unsigned patch, unsigned count)
{
  const unsigned i = thread_number () * V;
  if (i >= count)
    return;
  const unsigned area = patch * patch, n = side / patch;
  const unsigned row = i / (3 * area), column = i % (3 * area);
  const unsigned plane = row / (n * n) * 3 + column / area;
  const unsigned down = row / n % n * patch + column % area / patch;
  const unsigned across = row % n * patch + column % patch;
  float pixels[V];
  load<V> (x + (plane * side + down) * side + across, pixels);
  store<V> (y, i, pixels);
}

/** y [B,rows,d]: class + position[0], x[n] + position[1+n], then zeros. */
template <int V>
__global__ void
tokens_kernel (Array x, const float *class_token, const float *position,
    Array y, unsigned n, unsigned rows, unsigned d, unsigned count)
{
  const unsigned i = thread_number () * V;
  if (i >= count)
    return;
  const unsigned column = i % d, row = i / d % rows, b = i / d / rows;
  float token[V] = {}, place[V];
  if (row <= n) {
    if (row == 0)
      load<V> (class_token + column, token);
    else
      load<V> (x, (b * n + row - 1) * d + column, token);
    load<V> (position + row * d + column, place);
#pragma unroll
    for (int j = 0; j < V; j++)
      token[j] += place[j];
  }
  store<V> (y, i, token);
}

/** Neighbours of the result are C channels of a pixel, then the next pixel: for
 * the few channels of pictures, reads share their lines as well. */
__global__ void
nchw_to_nhwc_kernel (
    const float *x, Array y, unsigned channels, unsigned area, unsigned count)
{
  const unsigned i = thread_number ();
  if (i >= count)
    return;
  const unsigned channel = i % channels, pixel = i / channels % area;
  const unsigned b = i / channels / area;
  store (y, i, x[(b * channels + channel) * area + pixel]);
}

/** Shape of the result; how far apart neighbours along its axes lie in x. */
struct Axes {
  unsigned rank, shape[CARDIAC_MAX_RANK], stride[CARDIAC_MAX_RANK];
};

__global__ void
permute_kernel (
    Array x, Array y, const __grid_constant__ Axes axes, unsigned count)
{
  const unsigned i = thread_number ();
  if (i >= count)
    return;
  unsigned from = 0, rest = i;
  for (unsigned axis = axes.rank; axis-- > 0;) {
    from += rest % axes.shape[axis] * axes.stride[axis];
    rest /= axes.shape[axis];
  }
  store (y, i, load (x, from));
}

} // namespace

cudaError_t
cardiac_cuda_copy_rows (const void *x, CardiacDType x_dtype, int64_t x_stride,
    int64_t x_first, void *y, CardiacDType y_dtype, int64_t y_stride,
    int64_t y_first, int64_t outer, int64_t inner, cudaStream_t stream)
{
  const unsigned count = (unsigned) (outer * inner);
  const auto choice = choose (is_aligned (x) && is_aligned (y),
      x_stride | x_first | y_stride | y_first | inner, y_dtype, copy_kernel<8>,
      copy_kernel<4>, copy_kernel<1>);
  return launch_each (choice.kernel, count / (unsigned) choice.vector, stream,
      array (x, x_dtype), (unsigned) x_stride, (unsigned) x_first,
      array (y, y_dtype), (unsigned) y_stride, (unsigned) y_first,
      (unsigned) inner, count);
}

cudaError_t
cardiac_cuda_concat (void *const *x, const CardiacTensor *shapes, int inputs,
    void *y, CardiacDType y_dtype, int64_t count, cudaStream_t stream)
{
  Columns in = {};
  bool aligned = is_aligned (y);
  int64_t widths = 0;
  for (int i = 0; i < inputs; i++) {
    const unsigned width = (unsigned) shapes[i].shape[shapes[i].rank - 1];
    in.x[i] = array (x[i], shapes[i].dtype);
    in.first[i + 1] = in.first[i] + width;
    aligned = aligned && is_aligned (x[i]);
    widths |= width;
  }
  const auto choice = choose (aligned, widths, y_dtype, concat_kernel<8>,
      concat_kernel<4>, concat_kernel<1>);
  return launch_each (choice.kernel, (unsigned) (count / choice.vector), stream,
      in, array (y, y_dtype), in.first[inputs], (unsigned) count);
}

cudaError_t
cardiac_cuda_patchify (const float *x, void *y, CardiacDType y_dtype,
    int64_t batch, int64_t side, int64_t patch, cudaStream_t stream)
{
  const unsigned count = (unsigned) (batch * 3 * side * side);
  const bool wide = patch % 8 == 0 && is_aligned (x) && is_aligned (y);
  return launch_each (wide ? patchify_kernel<8> : patchify_kernel<1>,
      wide ? count / 8 : count, stream, x, array (y, y_dtype), (unsigned) side,
      (unsigned) patch, count);
}

cudaError_t
cardiac_cuda_tokens (const void *x, CardiacDType x_dtype,
    const float *class_token, const float *position, void *y,
    CardiacDType y_dtype, int64_t batch, int64_t n, int64_t rows, int64_t d,
    cudaStream_t stream)
{
  const unsigned count = (unsigned) (batch * rows * d);
  const bool wide = d % 4 == 0 && is_aligned (x) && is_aligned (class_token)
                    && is_aligned (position) && is_aligned (y);
  return launch_each (wide ? tokens_kernel<4> : tokens_kernel<1>,
      wide ? count / 4 : count, stream, array (x, x_dtype), class_token,
      position, array (y, y_dtype), (unsigned) n, (unsigned) rows, (unsigned) d,
      count);
}

cudaError_t
cardiac_cuda_nchw_to_nhwc (const float *x, void *y, CardiacDType y_dtype,
    int64_t batch, int64_t channels, int64_t area, cudaStream_t stream)
{
  const unsigned count = (unsigned) (batch * channels * area);
  return launch_each (nchw_to_nhwc_kernel, count, stream, x, array (y, y_dtype),
      (unsigned) channels, (unsigned) area, count);
}

cudaError_t
cardiac_cuda_permute (const void *x, CardiacDType x_dtype, void *y,
    CardiacDType y_dtype, const CardiacTensor *shape, const int *axes,
    cudaStream_t stream)
{
  Axes a = {};
  a.rank = (unsigned) shape->rank;
  unsigned place[CARDIAC_MAX_RANK], stride = 1; /* an axis of x in y */
  for (unsigned i = 0; i < a.rank; i++) {
    a.shape[i] = (unsigned) shape->shape[i];
    place[axes[i]] = i;
  }
  for (unsigned axis = a.rank; axis-- > 0;) {
    a.stride[place[axis]] = stride;
    stride *= a.shape[place[axis]];
  }
  return launch_each (permute_kernel, stride, stream, array (x, x_dtype),
      array (y, y_dtype), a, stride);
}
