/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CARDIAC_EMULATION_CUDA_FP16_H
#define CARDIAC_EMULATION_CUDA_FP16_H

#include "backends/reference/storage.h"

struct __half {
  uint16_t bits;
};

static inline float
__half2float (__half x)
{
  return cardiac_from_f16 (x.bits);
}

static inline __half
__float2half_rn (float x)
{
  return { cardiac_to_f16 (x) };
}

struct alignas (4) __half2
{
  __half x, y;
};

static inline __half2
__floats2half2_rn (float x, float y)
{
  return { __float2half_rn (x), __float2half_rn (y) };
}

#endif
