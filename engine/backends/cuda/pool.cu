/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "element.h"
#include "kernels.h"
#include "launch.h"

/* Windows of NHWC pictures; a thread takes V channels of a pixel. */

namespace {

/** A thread's place in y [B,height,width,channels]. */
struct Place {
  unsigned channel, column, row, picture;
};

__device__ inline Place
place_of (unsigned i, const CardiacPictures &y)
{
  return { i % y.channels, i / y.channels % y.width,
    i / y.channels / y.width % y.height, i / y.channels / y.width / y.height };
}

__device__ inline unsigned
index_of (const CardiacPictures &x, unsigned picture, int row, int column)
{
  return ((picture * x.height + (unsigned) row) * x.width + (unsigned) column)
         * x.channels;
}

/** The largest of a window, or its sum over size², padding counting as 0. */
template <int V, bool MEAN>
__global__ void
pool_kernel (Array x, CardiacPictures in, Array y, CardiacPictures out,
    int size, int stride, int padding, unsigned count)
{
  const unsigned i = thread_number () * V;
  if (i >= count)
    return;
  const Place at = place_of (i, out);
  const int top = (int) at.row * stride - padding;
  const int left = (int) at.column * stride - padding;
  float result[V];
#pragma unroll
  for (int j = 0; j < V; j++)
    result[j] = MEAN ? 0 : -INFINITY;
  for (int row = max (top, 0); row < min (top + size, (int) in.height); row++)
    for (int column = max (left, 0); column < min (left + size, (int) in.width);
         column++) {
      float pixel[V];
      load<V> (x, index_of (in, at.picture, row, column) + at.channel, pixel);
#pragma unroll
      for (int j = 0; j < V; j++)
        result[j] = MEAN ? result[j] + pixel[j] : fmaxf (result[j], pixel[j]);
    }
  if (MEAN)
#pragma unroll
    for (int j = 0; j < V; j++)
      result[j] /= (float) (size * size);
  store<V> (y, i, result);
}

template <int V>
__global__ void
nearest2x_kernel (
    Array x, CardiacPictures in, Array y, CardiacPictures out, unsigned count)
{
  const unsigned i = thread_number () * V;
  if (i >= count)
    return;
  const Place at = place_of (i, out);
  float pixel[V];
  load<V> (x,
      index_of (in, at.picture, (int) at.row / 2, (int) at.column / 2)
          + at.channel,
      pixel);
  store<V> (y, i, pixel);
}

/** The pixel next to the one that covers `i`, on i's side; itself at the
 * border. */
__device__ inline int
neighbour (unsigned i, unsigned count)
{
  const int next = (int) (i / 2) + (i % 2 ? 1 : -1);
  return min (max (next, 0), (int) count - 1);
}

/** 9/16 of the pixel that covers the result, 3/16 of each direct neighbour,
 * 1/16 of the diagonal one; times `scale`. */
template <int V>
__global__ void
bilinear2x_kernel (Array x, CardiacPictures in, Array y, CardiacPictures out,
    float scale, unsigned count)
{
  const unsigned i = thread_number () * V;
  if (i >= count)
    return;
  const Place at = place_of (i, out);
  const int rows[2] = { (int) at.row / 2, neighbour (at.row, in.height) };
  const int columns[2] = { (int) at.column / 2,
    neighbour (at.column, in.width) };
  float sum[V] = {};
#pragma unroll
  for (int v = 0; v < 2; v++)
#pragma unroll
    for (int h = 0; h < 2; h++) {
      const float share = (v ? 0.25f : 0.75f) * (h ? 0.25f : 0.75f);
      float pixel[V];
      load<V> (x, index_of (in, at.picture, rows[v], columns[h]) + at.channel,
          pixel);
#pragma unroll
      for (int j = 0; j < V; j++)
        sum[j] += share * pixel[j];
    }
#pragma unroll
  for (int j = 0; j < V; j++)
    sum[j] *= scale;
  store<V> (y, i, sum);
}

unsigned
count_of (CardiacPictures y)
{
  return y.count * y.height * y.width * y.channels;
}

/** As choose(), by channels; of any dtype as many as possible: what a thread
 * does for its place costs more than how results are written. */
template <typename Kernel>
Choice<Kernel>
choose_by_channels (CardiacPictures y, const void *x, const void *out,
    Kernel eight, Kernel four, Kernel one)
{
  return choose (is_aligned (x) && is_aligned (out), y.channels, CARDIAC_BF16,
      eight, four, one);
}

} // namespace

cudaError_t
cardiac_cuda_pool2d (const void *x, CardiacDType x_dtype, CardiacPictures in,
    void *y, CardiacDType y_dtype, CardiacPictures out, int size, int stride,
    int padding, bool mean, cudaStream_t stream)
{
  const unsigned count = count_of (out);
  const auto choice =
      mean ? choose_by_channels (out, x, y, pool_kernel<8, true>,
          pool_kernel<4, true>, pool_kernel<1, true>)
           : choose_by_channels (out, x, y, pool_kernel<8, false>,
               pool_kernel<4, false>, pool_kernel<1, false>);
  return launch_each (choice.kernel, count / (unsigned) choice.vector, stream,
      array (x, x_dtype), in, array (y, y_dtype), out, size, stride, padding,
      count);
}

cudaError_t
cardiac_cuda_nearest2x (const void *x, void *y, CardiacDType dtype,
    CardiacPictures in, CardiacPictures out, cudaStream_t stream)
{
  const unsigned count = count_of (out);
  const auto choice = choose_by_channels (
      out, x, y, nearest2x_kernel<8>, nearest2x_kernel<4>, nearest2x_kernel<1>);
  return launch_each (choice.kernel, count / (unsigned) choice.vector, stream,
      array (x, dtype), in, array (y, dtype), out, count);
}

cudaError_t
cardiac_cuda_bilinear2x (const void *x, CardiacDType x_dtype,
    CardiacPictures in, void *y, CardiacDType y_dtype, CardiacPictures out,
    float scale, cudaStream_t stream)
{
  const unsigned count = count_of (out);
  const auto choice = choose_by_channels (out, x, y, bilinear2x_kernel<8>,
      bilinear2x_kernel<4>, bilinear2x_kernel<1>);
  return launch_each (choice.kernel, count / (unsigned) choice.vector, stream,
      array (x, x_dtype), in, array (y, y_dtype), out, scale, count);
}
