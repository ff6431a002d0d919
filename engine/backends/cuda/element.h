/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CARDIAC_CUDA_ELEMENT_H
#define CARDIAC_CUDA_ELEMENT_H

#include "backends/backend.h"

#include <cuda_bf16.h>
#include <cuda_fp16.h>
#include <cuda_runtime.h>

/* Numbers of F32, BF16 and F16 as floats: kernels load, compute in float, and
 * round once as they store. V neighbours at a time, in accesses of up to 16
 * bytes; V > 1 needs addresses that are multiples of such an access. */

__device__ static inline float
widen (float x)
{
  return x;
}

__device__ static inline float
widen (__nv_bfloat16 x)
{
  return __bfloat162float (x);
}

__device__ static inline float
widen (__half x)
{
  return __half2float (x);
}

__device__ static inline void
narrow (float x, float *to)
{
  *to = x;
}

__device__ static inline void
narrow (float x, __nv_bfloat16 *to)
{
  *to = __float2bfloat16_rn (x);
}

__device__ static inline void
narrow (float x, __half *to)
{
  *to = __float2half_rn (x);
}

/** N numbers that are moved by one instruction. */
template <typename T, int N> struct alignas (sizeof (T) * N) Pack
{
  T at[N];
};

/** How many of V numbers fit in 16 bytes. */
template <typename T, int V>
constexpr int pack_size = V * sizeof (T) <= 16 ? V : 16 / (int) sizeof (T);

template <int V, typename T>
__device__ static inline void
load (const T *from, float (&x)[V])
{
  constexpr int N = pack_size<T, V>;
#pragma unroll
  for (int i = 0; i < V; i += N) {
    const Pack<T, N> pack = *(const Pack<T, N> *) (from + i);
#pragma unroll
    for (int j = 0; j < N; j++)
      x[i + j] = widen (pack.at[j]);
  }
}

template <int V, typename T>
__device__ static inline void
store (T *to, const float (&x)[V])
{
  constexpr int N = pack_size<T, V>;
#pragma unroll
  for (int i = 0; i < V; i += N) {
    Pack<T, N> pack;
#pragma unroll
    for (int j = 0; j < N; j++)
      narrow (x[i + j], &pack.at[j]);
    *(Pack<T, N> *) (to + i) = pack;
  }
}

/** An array whose dtype is known when the kernel runs: the same for all
 * threads, so that the branch costs next to nothing. */
struct Array {
  void *data;
  CardiacDType dtype;
};

static inline Array
array (const void *data, CardiacDType dtype)
{
  return { (void *) data, dtype };
}

template <int V>
__device__ static inline void
load (Array array, unsigned index, float (&x)[V])
{
  if (array.dtype == CARDIAC_BF16)
    load<V> ((const __nv_bfloat16 *) array.data + index, x);
  else if (array.dtype == CARDIAC_F16)
    load<V> ((const __half *) array.data + index, x);
  else
    load<V> ((const float *) array.data + index, x);
}

template <int V>
__device__ static inline void
store (Array array, unsigned index, const float (&x)[V])
{
  if (array.dtype == CARDIAC_BF16)
    store<V> ((__nv_bfloat16 *) array.data + index, x);
  else if (array.dtype == CARDIAC_F16)
    store<V> ((__half *) array.data + index, x);
  else
    store<V> ((float *) array.data + index, x);
}

__device__ static inline float
load (Array array, unsigned index)
{
  float x[1];
  load<1> (array, index, x);
  return x[0];
}

__device__ static inline void
store (Array array, unsigned index, float value)
{
  const float x[1] = { value };
  store<1> (array, index, x);
}

/** May kernels load and store 16 bytes of `data` at a time? */
static inline bool
is_aligned (const void *data)
{
  return (uintptr_t) data % 16 == 0;
}

/** One of three kernels by how many neighbours a thread takes. */
template <typename Kernel> struct Choice {
  int vector;
  Kernel kernel;
};

/** 8, or 4 where F32 is `stored`: two stores of 16 bytes a thread would write
 * each sector in halves, one after the other (second loads find in L1 what the
 * first have left there). 1 where `aligned` is not so. @param extents those that
 * vectors must divide, or-ed. */
template <typename Kernel>
static inline Choice<Kernel>
choose (bool aligned, int64_t extents, CardiacDType stored, Kernel eight,
    Kernel four, Kernel one)
{
  if (!aligned || extents % 4 != 0)
    return { 1, one };
  if (stored == CARDIAC_F32 || extents % 8 != 0)
    return { 4, four };
  return { 8, eight };
}

/** act (x): the fast exponential is good to a few units in the last place of
 * the result where that is not next to nothing. */
__device__ static inline float
activate (CardiacActivation activation, float x)
{
  switch (activation) {
    case CARDIAC_ACTIVATION_QUICK_GELU:
      return __fdividef (x, 1 + __expf (-1.702f * x));
    case CARDIAC_ACTIVATION_SILU:
      return __fdividef (x, 1 + __expf (-x));
    case CARDIAC_ACTIVATION_LEAKY_RELU:
      return x < 0 ? 0.2f * x : x;
    case CARDIAC_ACTIVATION_NONE:
      break;
  }
  return x;
}

#endif
