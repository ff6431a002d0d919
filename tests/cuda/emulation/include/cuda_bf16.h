/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CARDIAC_EMULATION_CUDA_BF16_H
#define CARDIAC_EMULATION_CUDA_BF16_H

#include "backends/reference/storage.h"

struct __nv_bfloat16 {
  uint16_t bits;
};

static inline float
__bfloat162float (__nv_bfloat16 x)
{
  return cardiac_from_bf16 (x.bits);
}

static inline __nv_bfloat16
__float2bfloat16_rn (float x)
{
  return { cardiac_to_bf16 (x) };
}

struct alignas (4) __nv_bfloat162
{
  __nv_bfloat16 x, y;
};

static inline __nv_bfloat162
__floats2bfloat162_rn (float x, float y)
{
  return { __float2bfloat16_rn (x), __float2bfloat16_rn (y) };
}

#endif
