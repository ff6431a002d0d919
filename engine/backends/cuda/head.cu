/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "element.h"
#include "kernels.h"
#include "launch.h"
#include "reduce.h"

/* What MReg's head and MMSA's squeeze need: means, lengths, cosines. */

namespace {

/** y[a] = mean over r of x[a,r], x [A,rows,d]. */
template <int V>
__global__ void
mean_kernel (
    const float *x, float *y, unsigned rows, unsigned d, unsigned count)
{
  const unsigned i = thread_number () * V;
  if (i >= count)
    return;
  const float *from = x + (size_t) (i / d) * rows * d + i % d;
  float sum[V] = {}, numbers[V];
#pragma unroll 4
  for (unsigned r = 0; r < rows; r++) {
    load<V> (from + (size_t) r * d, numbers);
#pragma unroll
    for (int j = 0; j < V; j++)
      sum[j] += numbers[j];
  }
#pragma unroll
  for (int j = 0; j < V; j++)
    sum[j] /= (float) rows;
  store<V> (y + i, sum);
}

enum { WARPS = 4 }; ///< of a block, each with a task of its own

__device__ inline unsigned
warp_number (void)
{
  return blockIdx.x * WARPS + threadIdx.x / WARP;
}

/** y[a,c] = scale cos (f[a], t[a,c]); 0 when either is 0. */
__global__ void
cosine_kernel (const float *f, const float *t, float *y, unsigned classes,
    unsigned e, unsigned count, float scale)
{
  const unsigned i = warp_number ();
  if (i >= count)
    return;
  f += (size_t) (i / classes) * e;
  t += (size_t) i * e;
  float ff = 0, tt = 0, ft = 0;
  for (unsigned c = threadIdx.x % WARP; c < e; c += WARP) {
    ff += f[c] * f[c];
    tt += t[c] * t[c];
    ft += f[c] * t[c];
  }
  const float lengths = sqrtf (warp_sum (ff)) * sqrtf (warp_sum (tt));
  ft = warp_sum (ft);
  if (threadIdx.x % WARP == 0)
    y[i] = lengths == 0 ? 0 : scale * (ft / lengths);
}

/** m[i] = |z[i]|, z [count,e]. */
__global__ void
length_kernel (const float *z, float *m, unsigned e, unsigned count)
{
  const unsigned i = warp_number ();
  if (i >= count)
    return;
  float sum = 0;
  for (unsigned c = threadIdx.x % WARP; c < e; c += WARP)
    sum += z[(size_t) i * e + c] * z[(size_t) i * e + c];
  sum = warp_sum (sum);
  if (threadIdx.x % WARP == 0)
    m[i] = sqrtf (sum);
}

/** m[i,t], or what pads it outside the instance. */
__device__ inline float
padded_length (const CardiacAmplify &a, unsigned instance, int t)
{
  if (!a.replicate && (t < 0 || t >= a.frames))
    return 0;
  return a.lengths[instance * (unsigned) a.frames
                   + (unsigned) min (max (t, 0), a.frames - 1)];
}

/** y = z + beta g of all frames, one channel (Eq. 1). Returns their sum. */
__device__ inline float
amplify_channel (const CardiacAmplify &a, float *y, unsigned channel)
{
  const float *w = a.weight + 3 * channel;
  const float before_share = w[0], here_share = w[1], after_share = w[2];
  const float bias = a.bias[channel];
  size_t at = channel;
  float sum = 0;
  for (int instance = 0; instance < a.instances; instance++) {
    float before = padded_length (a, (unsigned) instance, -1);
    float here = padded_length (a, (unsigned) instance, 0);
    for (int t = 0; t < a.frames; t++, at += (size_t) a.e) {
      const float after = padded_length (a, (unsigned) instance, t + 1);
      const float g = bias + before_share * before + here_share * here
                      + after_share * after;
      y[at] = a.z[at] + a.beta * g;
      sum += y[at];
      before = here;
      here = after;
    }
  }
  return sum;
}

/** One channel a thread: its moments over all frames, then Norm. */
__global__ void
amplify_kernel (CardiacAmplify a, float *y)
{
  const unsigned channel = thread_number ();
  const unsigned count = (unsigned) (a.instances * a.frames);
  if (channel >= (unsigned) a.e)
    return;
  float mean = amplify_channel (a, y, channel) / (float) count, variance = 0;
  y += channel;
  if (a.mean) {
    mean = a.mean[channel];
    variance = a.variance[channel];
  } else {
    for (unsigned i = 0; i < count; i++) {
      const float difference = y[i * (unsigned) a.e] - mean;
      variance += difference * difference;
    }
    variance /= (float) count;
  }
  const float scale = a.gain[channel] / sqrtf (variance + a.epsilon);
  for (unsigned i = 0; i < count; i++)
    y[i * (unsigned) a.e] =
        (y[i * (unsigned) a.e] - mean) * scale + a.offset[channel];
}

} // namespace

cudaError_t
cardiac_cuda_mean (const float *x, float *y, int64_t batch, int64_t rows,
    int64_t d, cudaStream_t stream)
{
  const unsigned count = (unsigned) (batch * d);
  const bool wide = d % 4 == 0 && is_aligned (x) && is_aligned (y);
  return launch_each (wide ? mean_kernel<4> : mean_kernel<1>,
      wide ? count / 4 : count, stream, x, y, (unsigned) rows, (unsigned) d,
      count);
}

cudaError_t
cardiac_cuda_cosine (const float *f, const float *t, float *y, int64_t batch,
    int64_t classes, int64_t e, float scale, cudaStream_t stream)
{
  const unsigned count = (unsigned) (batch * classes);
  return launch (cosine_kernel, dim3 (parts (count, WARPS)), WARPS * WARP, 0,
      stream, f, t, y, (unsigned) classes, (unsigned) e, count, scale);
}

cudaError_t
cardiac_cuda_amplify (const CardiacAmplify *a, float *y, cudaStream_t stream)
{
  enum { CHANNELS = 64 }; /* of a block: few, so that many blocks share */
  const unsigned count = (unsigned) (a->instances * a->frames);
  cudaError_t status = launch (length_kernel, dim3 (parts (count, WARPS)),
      WARPS * WARP, 0, stream, a->z, a->lengths, (unsigned) a->e, count);
  return status != cudaSuccess
             ? status
             : launch (amplify_kernel, dim3 (parts ((unsigned) a->e, CHANNELS)),
                 CHANNELS, 0, stream, *a, y);
}
