/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CARDIAC_REFERENCE_STORAGE_H
#define CARDIAC_REFERENCE_STORAGE_H

#include <cardiac/tensor.h>
#include <stdbool.h>
#include <string.h>

/* How numbers lie in memory: F32, BF16 and F16, rounded to nearest, ties to
 * even, as hardware does. Operators compute in float or double and pass through
 * here when they load and store. */

static inline bool
cardiac_storage_is_float (CardiacDType dtype)
{
  return dtype == CARDIAC_F32 || dtype == CARDIAC_BF16 || dtype == CARDIAC_F16;
}

/** Bytes of an F32, BF16 or F16 element. */
static inline size_t
cardiac_storage_size (CardiacDType dtype)
{
  return dtype == CARDIAC_F32 ? 4 : 2;
}

static inline uint32_t
cardiac_float_bits (float value)
{
  uint32_t bits;
  memcpy (&bits, &value, sizeof bits);
  return bits;
}

static inline float
cardiac_bits_float (uint32_t bits)
{
  float value;
  memcpy (&value, &bits, sizeof value);
  return value;
}

static inline float
cardiac_from_bf16 (uint16_t half)
{
  return cardiac_bits_float ((uint32_t) half << 16);
}

static inline uint16_t
cardiac_to_bf16 (float value)
{
  uint32_t bits = cardiac_float_bits (value);
  if ((bits & 0x7fffffffu) > 0x7f800000u) /* stays a (quiet) NaN */
    return (uint16_t) (bits >> 16 | 0x40);
  return (uint16_t) ((bits + 0x7fffu + (bits >> 16 & 1)) >> 16);
}

static inline float
cardiac_from_f16 (uint16_t half)
{
  uint32_t sign = (uint32_t) (half & 0x8000) << 16;
  uint32_t exponent = half >> 10 & 31, mantissa = half & 0x3ff;

  if (exponent == 31) /* infinity, NaN */
    return cardiac_bits_float (sign | 0x7f800000u | mantissa << 13);
  if (exponent) /* normal: 112 is the difference of the biases, 127 - 15 */
    return cardiac_bits_float (sign | (exponent + 112) << 23 | mantissa << 13);
  float subnormal = (float) mantissa * 0x1p-24f;
  return sign ? -subnormal : subnormal;
}

static inline uint16_t
cardiac_to_f16 (float value)
{
  uint32_t bits = cardiac_float_bits (value);
  uint16_t sign = (uint16_t) (bits >> 16 & 0x8000);
  uint32_t magnitude = bits & 0x7fffffffu;

  if (magnitude > 0x7f800000u)
    return sign | 0x7e00;
  if (magnitude >= 0x477ff000u) /* 65520 and above round to infinity */
    return sign | 0x7c00;
  if (magnitude >= 0x38800000u) { /* normal: 2^-14 and above */
    uint32_t rounded = magnitude + 0xfffu + (magnitude >> 13 & 1);
    return (uint16_t) (sign | (rounded - (112u << 23)) >> 13);
  }
  /* Subnormal. Adding ½ leaves exactly the bits from 2^-24 up, rounded. */
  float shifted = cardiac_bits_float (magnitude) + 0.5f;
  return (uint16_t) (sign | (cardiac_float_bits (shifted) - 0x3f000000u));
}

/** Element `index` of an array. */
static inline float
cardiac_load (const void *data, CardiacDType dtype, int64_t index)
{
  switch (dtype) {
    case CARDIAC_BF16:
      return cardiac_from_bf16 (((const uint16_t *) data)[index]);
    case CARDIAC_F16:
      return cardiac_from_f16 (((const uint16_t *) data)[index]);
    default:
      return ((const float *) data)[index];
  }
}

static inline void
cardiac_store (void *data, CardiacDType dtype, int64_t index, float value)
{
  switch (dtype) {
    case CARDIAC_BF16:
      ((uint16_t *) data)[index] = cardiac_to_bf16 (value);
      break;
    case CARDIAC_F16:
      ((uint16_t *) data)[index] = cardiac_to_f16 (value);
      break;
    default:
      ((float *) data)[index] = value;
  }
}

/** `row` [count] = elements first .. first+count-1 of `data`. */
static inline void
cardiac_load_row (const void *data, CardiacDType dtype, int64_t first,
    int64_t count, float *row)
{
  if (dtype == CARDIAC_F32)
    memcpy (row, (const float *) data + first, (size_t) count * sizeof (float));
  else
    for (int64_t i = 0; i < count; i++)
      row[i] = cardiac_load (data, dtype, first + i);
}

/** Copies `count` elements between arrays of any storage. The arrays may be
 * the same but must not overlap otherwise. */
static inline void
cardiac_copy_row (void *to, CardiacDType to_dtype, int64_t to_first,
    const void *from, CardiacDType from_dtype, int64_t from_first,
    int64_t count)
{
  if (to_dtype == from_dtype) {
    size_t size = cardiac_storage_size (to_dtype);
    memmove ((char *) to + (size_t) to_first * size,
        (const char *) from + (size_t) from_first * size,
        (size_t) count * size);
    return;
  }
  for (int64_t i = 0; i < count; i++)
    cardiac_store (to, to_dtype, to_first + i,
        cardiac_load (from, from_dtype, from_first + i));
}

#endif
