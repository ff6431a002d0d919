/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <cardiac/tensor.h>

#include "core/model.h"

#include <assert.h>
#include <string.h>

size_t
cardiac_dtype_size (CardiacDType dtype)
{
  switch (dtype) {
    case CARDIAC_F32:
      return 4;
    case CARDIAC_BF16:
    case CARDIAC_F16:
      return 2;
    case CARDIAC_U8:
      return 1;
    case CARDIAC_I64:
      return 8;
  }
  return 0;
}

const char *
cardiac_dtype_name (CardiacDType dtype)
{
  switch (dtype) {
    case CARDIAC_F32:
      return "f32";
    case CARDIAC_BF16:
      return "bf16";
    case CARDIAC_F16:
      return "f16";
    case CARDIAC_U8:
      return "u8";
    case CARDIAC_I64:
      return "i64";
  }
  return "?";
}

int64_t
cardiac_tensor_count (const CardiacTensor *tensor)
{
  int64_t count = 1;
  for (int i = 0; i < tensor->rank; i++)
    count *= tensor->shape[i];
  return count;
}

static float
float_of_bits (uint32_t bits)
{
  float value;
  memcpy (&value, &bits, sizeof value);
  return value;
}

static uint32_t
bits_of_float (float value)
{
  uint32_t bits;
  memcpy (&bits, &value, sizeof bits);
  return bits;
}

/* IEEE 754 binary16 to binary32, exact, also for subnormals, infinities and
 * NaN (whose payload is kept). */
static float
float_of_half (uint16_t half)
{
  const uint32_t rebias = (127 - 15) << 23;
  const uint32_t exponent_mask = 0x1fu << 23;
  uint32_t bits = (uint32_t) (half & 0x7fff) << 13;
  uint32_t exponent = bits & exponent_mask;

  bits += rebias;
  if (exponent == exponent_mask) {
    bits += rebias; /* infinity and NaN: 31 becomes 255 */
  } else if (exponent == 0) {
    /* Zero and subnormals: read the fraction as 1.fraction * 2^-14, then take
     * the 1 away again; the subtraction normalises and is exact. */
    bits = bits_of_float (float_of_bits (bits + (1u << 23)) - 0x1p-14f);
  }
  return float_of_bits (bits | (uint32_t) (half & 0x8000) << 16);
}

void
cardiac_floats_from (
    float *out, const void *data, CardiacDType dtype, int64_t count)
{
  const uint8_t *bytes = data;
  uint16_t two;

  assert (
      dtype == CARDIAC_F32 || dtype == CARDIAC_F16 || dtype == CARDIAC_BF16);
  if (dtype == CARDIAC_F32) {
    memcpy (out, bytes, (size_t) count * sizeof *out);
  } else if (dtype == CARDIAC_F16) {
    for (int64_t i = 0; i < count; i++) {
      memcpy (&two, bytes + 2 * i, sizeof two);
      out[i] = float_of_half (two);
    }
  } else {
    for (int64_t i = 0; i < count; i++) {
      memcpy (&two, bytes + 2 * i, sizeof two);
      out[i] = float_of_bits ((uint32_t) two << 16);
    }
  }
}
