/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CARDIAC_CUDA_REDUCE_H
#define CARDIAC_CUDA_REDUCE_H

#include <cuda_runtime.h>

/* Sums and maxima over the 32 threads of a warp (or WIDTH neighbours in it) and
 * over a block; every thread gets the result, the same bits each run. */

enum { WARP = 32 };
#define ALL_LANES 0xffffffffu

template <int WIDTH = WARP, typename T>
__device__ static inline T
warp_sum (T x)
{
#pragma unroll
  for (int distance = WIDTH / 2; distance > 0; distance /= 2)
    x += __shfl_xor_sync (ALL_LANES, x, distance);
  return x;
}

__device__ static inline float
larger (float a, float b)
{
  return fmaxf (a, b);
}

__device__ static inline double
larger (double a, double b)
{
  return fmax (a, b);
}

template <int WIDTH = WARP, typename T>
__device__ static inline T
warp_max (T x)
{
#pragma unroll
  for (int distance = WIDTH / 2; distance > 0; distance /= 2)
    x = larger (x, __shfl_xor_sync (ALL_LANES, x, distance));
  return x;
}

/** Over the whole block, of WARPS warps. Ends so that it may be called again
 * at once. */
template <int WARPS, typename T>
__device__ static inline T
block_sum (T x)
{
  __shared__ T sums[WARPS];
  x = warp_sum (x);
  if (threadIdx.x % WARP == 0)
    sums[threadIdx.x / WARP] = x;
  __syncthreads ();
  x = 0;
#pragma unroll
  for (int i = 0; i < WARPS; i++)
    x += sums[i];
  __syncthreads ();
  return x;
}

template <int WARPS, typename T>
__device__ static inline T
block_max (T x)
{
  __shared__ T largest[WARPS];
  x = warp_max (x);
  if (threadIdx.x % WARP == 0)
    largest[threadIdx.x / WARP] = x;
  __syncthreads ();
#pragma unroll
  for (int i = 0; i < WARPS; i++)
    x = larger (x, largest[i]);
  __syncthreads ();
  return x;
}

#endif
