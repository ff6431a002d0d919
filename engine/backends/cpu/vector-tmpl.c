/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Compiled once for each instruction set, with CPU_VECTOR_TABLE the name of
 * the table and CPU_VECTOR_NAME its text. */
#include "vector.h"

#include "vector-isa.h"

#include <math.h>

#define ALWAYS_INLINE inline __attribute__ ((always_inline))

/* The functions below are written for a dtype argument; `always_inline` and
 * constant arguments make a loop without branches for each dtype. */

static ALWAYS_INLINE Floats
load (const void *p, bool half, int64_t i)
{
  return half ? floats_load_bf16 ((const uint16_t *) p + i)
              : floats_load ((const float *) p + i);
}

static ALWAYS_INLINE Floats
load_part (const void *p, bool half, int64_t i, int count)
{
  return half ? floats_load_bf16_part ((const uint16_t *) p + i, count)
              : floats_load_part ((const float *) p + i, count);
}

static ALWAYS_INLINE void
store (void *p, bool half, int64_t i, Floats x)
{
  if (half)
    floats_store_bf16 ((uint16_t *) p + i, x);
  else
    floats_store ((float *) p + i, x);
}

static ALWAYS_INLINE void
store_part (void *p, bool half, int64_t i, Floats x, int count)
{
  if (half)
    floats_store_bf16_part ((uint16_t *) p + i, x, count);
  else
    floats_store_part ((float *) p + i, x, count);
}

static ALWAYS_INLINE const void *
element (const void *p, bool half, int64_t i)
{
  return (const char *) p + i * (half ? 2 : 4);
}

/* exp (x) to 1.2e-7, by 2^n e^r with |r| <= ln 2 / 2. */
static ALWAYS_INLINE Floats
exponential (Floats x)
{
  const Floats shift = floats_set (12582912.0f); /* 1.5 2^23: rounds */
  x = floats_max (floats_set (-87.3f), x); /* in this order NaN stays NaN */
  x = floats_min (floats_set (88.3f), x);
  Floats shifted = x * floats_set (1.44269504f) + shift;
  Floats n = shifted - shift;
  Floats r = x - n * floats_set (0.693359375f);
  r = r - n * floats_set (-2.12194440e-4f);
  Floats p = floats_set (1.9875691500e-4f);
  p = p * r + floats_set (1.3981999507e-3f);
  p = p * r + floats_set (8.3334519073e-3f);
  p = p * r + floats_set (4.1665795894e-2f);
  p = p * r + floats_set (1.6666665459e-1f);
  p = p * r + floats_set (5.0000001201e-1f);
  p = p * (r * r) + r + floats_set (1.0f);
  return p * floats_power_of_two (shifted);
}

/* ---- element by element -------------------------------------------------- */

static ALWAYS_INLINE void
convert_as (
    void *to, bool to_half, const void *from, bool from_half, int64_t count)
{
  int64_t i = 0;
  for (; i + LANES <= count; i += LANES)
    store (to, to_half, i, load (from, from_half, i));
  if (i < count)
    store_part (to, to_half, i,
        load_part (from, from_half, i, (int) (count - i)), (int) (count - i));
}

static void
convert (void *to, CardiacDType to_dtype, const void *from,
    CardiacDType from_dtype, int64_t count)
{
  if (to_dtype == from_dtype)
    memcpy (to, from, (size_t) count * (to_dtype == CARDIAC_BF16 ? 2 : 4));
  else if (to_dtype == CARDIAC_BF16)
    convert_as (to, true, from, false, count);
  else
    convert_as (to, false, from, true, count);
}

static ALWAYS_INLINE void
binary_as (bool multiply, const void *x, bool x_half, const void *w,
    bool w_half, void *y, bool y_half, int64_t count)
{
  int64_t i = 0;
  for (; i + LANES <= count; i += LANES) {
    Floats a = load (x, x_half, i), b = load (w, w_half, i);
    store (y, y_half, i, multiply ? a * b : a + b);
  }
  if (i < count) {
    const int rest = (int) (count - i);
    Floats a = load_part (x, x_half, i, rest);
    Floats b = load_part (w, w_half, i, rest);
    store_part (y, y_half, i, multiply ? a * b : a + b, rest);
  }
}

static void
binary (bool multiply, const void *x, CardiacDType x_dtype, const void *w,
    CardiacDType w_dtype, void *y, CardiacDType y_dtype, int64_t count)
{
  bool a = x_dtype == CARDIAC_BF16, b = w_dtype == CARDIAC_BF16;
  bool c = y_dtype == CARDIAC_BF16;
  if (!a && !b && !c && !multiply)
    binary_as (false, x, false, w, false, y, false, count);
  else if (!a && !b && c && !multiply)
    binary_as (false, x, false, w, false, y, true, count);
  else if (a && b && c && !multiply)
    binary_as (false, x, true, w, true, y, true, count);
  else if (!a && !b && !c)
    binary_as (true, x, false, w, false, y, false, count);
  else
    binary_as (multiply, x, a, w, b, y, c, count);
}

static ALWAYS_INLINE void
blend_as (float a, const void *x, bool x_half, float b, const void *w,
    bool w_half, void *y, bool y_half, int64_t count)
{
  const Floats of_x = floats_set (a), of_w = floats_set (b);
  int64_t i = 0;
  for (; i + LANES <= count; i += LANES)
    store (
        y, y_half, i, load (x, x_half, i) * of_x + load (w, w_half, i) * of_w);
  if (i < count) {
    const int rest = (int) (count - i);
    store_part (y, y_half, i,
        load_part (x, x_half, i, rest) * of_x
            + load_part (w, w_half, i, rest) * of_w,
        rest);
  }
}

static void
blend (float a, const void *x, CardiacDType x_dtype, float b, const void *w,
    CardiacDType w_dtype, void *y, CardiacDType y_dtype, int64_t count)
{
  bool xh = x_dtype == CARDIAC_BF16, wh = w_dtype == CARDIAC_BF16;
  bool yh = y_dtype == CARDIAC_BF16;
  if (!xh && !wh && !yh)
    blend_as (a, x, false, b, w, false, y, false, count);
  else if (!xh && !wh)
    blend_as (a, x, false, b, w, false, y, true, count);
  else
    blend_as (a, x, xh, b, w, wh, y, yh, count);
}

static void
magnitude (const float *restrict x, float *restrict y, int64_t count)
{
  for (int64_t i = 0; i < count; i++)
    y[i] = sqrtf (x[2 * i] * x[2 * i] + x[2 * i + 1] * x[2 * i + 1]);
}

static ALWAYS_INLINE void
scale_as (const float *x, float factor, void *y, bool half, int64_t count)
{
  const Floats factors = floats_set (factor);
  int64_t i = 0;
  for (; i + LANES <= count; i += LANES)
    store (y, half, i, floats_load (x + i) * factors);
  if (i < count) {
    const int rest = (int) (count - i);
    store_part (y, half, i, floats_load_part (x + i, rest) * factors, rest);
  }
}

static void
scale (
    const float *x, float factor, void *y, CardiacDType y_dtype, int64_t count)
{
  if (y_dtype == CARDIAC_BF16)
    scale_as (x, factor, y, true, count);
  else
    scale_as (x, factor, y, false, count);
}

static void
accumulate (float *sums, const float *x, int64_t count)
{
  binary_as (false, sums, false, x, false, sums, false, count);
}

static ALWAYS_INLINE void
maximum_as (float *to, const void *from, bool half, int64_t count)
{
  int64_t i = 0;
  for (; i + LANES <= count; i += LANES)
    floats_store (
        to + i, floats_max (floats_load (to + i), load (from, half, i)));
  if (i < count) {
    const int rest = (int) (count - i);
    floats_store_part (to + i,
        floats_max (
            floats_load_part (to + i, rest), load_part (from, half, i, rest)),
        rest);
  }
}

static void
maximum (float *to, const void *from, CardiacDType from_dtype, int64_t count)
{
  if (from_dtype == CARDIAC_BF16)
    maximum_as (to, from, true, count);
  else
    maximum_as (to, from, false, count);
}

static ALWAYS_INLINE void
sigmoid_as (const void *x, bool half, float *y, int64_t count)
{
  const Floats one = floats_set (1.0f);
  int64_t i = 0;
  for (; i + LANES <= count; i += LANES)
    floats_store (y + i, one / (one + exponential (-load (x, half, i))));
  if (i < count) {
    const int rest = (int) (count - i);
    Floats e = exponential (-load_part (x, half, i, rest));
    floats_store_part (y + i, one / (one + e), rest);
  }
}

static void
sigmoid (const void *x, CardiacDType x_dtype, float *y, int64_t count)
{
  if (x_dtype == CARDIAC_BF16)
    sigmoid_as (x, true, y, count);
  else
    sigmoid_as (x, false, y, count);
}

/* ---- rows ----------------------------------------------------------------- */

static float
dot (const float *x, const float *y, int64_t count)
{
  Floats sum[4] = { floats_set (0), floats_set (0), floats_set (0),
    floats_set (0) };
  int64_t i = 0;
  for (; i + 4 * LANES <= count; i += 4 * LANES)
    for (int u = 0; u < 4; u++)
      sum[u] +=
          floats_load (x + i + u * LANES) * floats_load (y + i + u * LANES);
  for (; i + LANES <= count; i += LANES)
    sum[0] += floats_load (x + i) * floats_load (y + i);
  if (i < count) {
    const int rest = (int) (count - i);
    sum[1] += floats_load_part (x + i, rest) * floats_load_part (y + i, rest);
  }
  return floats_sum ((sum[0] + sum[1]) + (sum[2] + sum[3]));
}

static double
dot_double (const double *x, const double *y, int64_t count)
{
  enum { SUMS = 32 };
  double sums[SUMS] = { 0 }, sum = 0;
  int64_t i = 0;
  for (; i + SUMS <= count; i += SUMS)
    for (int lane = 0; lane < SUMS; lane++)
      sums[lane] += x[i + lane] * y[i + lane];
  for (; i < count; i++)
    sum += x[i] * y[i];
  for (int lane = 0; lane < SUMS; lane++)
    sum += sums[lane];
  return sum;
}

static void
subtract_two (double *restrict row, double a, const double *restrict x,
    double b, const double *restrict y, int64_t count)
{
  for (int64_t i = 0; i < count; i++)
    row[i] -= a * x[i] + b * y[i];
}

static ALWAYS_INLINE float
sum_of (const void *x, bool half, int64_t width)
{
  Floats even = floats_set (0), odd = floats_set (0);
  int64_t i = 0;
  for (; i + 2 * LANES <= width; i += 2 * LANES) {
    even += load (x, half, i);
    odd += load (x, half, i + LANES);
  }
  for (; i + LANES <= width; i += LANES)
    even += load (x, half, i);
  if (i < width)
    odd += load_part (x, half, i, (int) (width - i));
  return floats_sum (even + odd);
}

static ALWAYS_INLINE float
sum_of_squares (const void *x, bool half, float mean, int64_t width)
{
  const Floats centre = floats_set (mean);
  Floats even = floats_set (0), odd = floats_set (0);
  int64_t i = 0;
  for (; i + 2 * LANES <= width; i += 2 * LANES) {
    Floats a = load (x, half, i) - centre;
    Floats b = load (x, half, i + LANES) - centre;
    even += a * a;
    odd += b * b;
  }
  for (; i + LANES <= width; i += LANES) {
    Floats a = load (x, half, i) - centre;
    even += a * a;
  }
  if (i < width) {
    const int rest = (int) (width - i);
    Floats a = load_part (x, half, i, rest) - centre;
    a = floats_fill_from (a, rest, 0);
    odd += a * a;
  }
  return floats_sum (even + odd);
}

static ALWAYS_INLINE void
layer_norm_as (const void *x, bool x_half, const float *gamma,
    const float *beta, float epsilon, void *y, bool y_half, int64_t rows,
    int64_t width)
{
  for (int64_t row = 0; row < rows; row++) {
    const void *from = element (x, x_half, row * width);
    void *to = (void *) element (y, y_half, row * width);
    const float mean = sum_of (from, x_half, width) / (float) width;
    const float variance =
        sum_of_squares (from, x_half, mean, width) / (float) width;
    const Floats centre = floats_set (mean);
    const Floats factor = floats_set (1.0f / sqrtf (variance + epsilon));
    int64_t i = 0;
    for (; i + LANES <= width; i += LANES)
      store (to, y_half, i,
          (load (from, x_half, i) - centre) * factor * floats_load (gamma + i)
              + floats_load (beta + i));
    if (i < width) {
      const int rest = (int) (width - i);
      store_part (to, y_half, i,
          (load_part (from, x_half, i, rest) - centre) * factor
                  * floats_load_part (gamma + i, rest)
              + floats_load_part (beta + i, rest),
          rest);
    }
  }
}

static void
layer_norm (const void *x, CardiacDType x_dtype, const float *gamma,
    const float *beta, float epsilon, void *y, CardiacDType y_dtype,
    int64_t rows, int64_t width)
{
  bool a = x_dtype == CARDIAC_BF16, b = y_dtype == CARDIAC_BF16;
  if (!a && !b)
    layer_norm_as (x, false, gamma, beta, epsilon, y, false, rows, width);
  else if (!a)
    layer_norm_as (x, false, gamma, beta, epsilon, y, true, rows, width);
  else if (!b)
    layer_norm_as (x, true, gamma, beta, epsilon, y, false, rows, width);
  else
    layer_norm_as (x, true, gamma, beta, epsilon, y, true, rows, width);
}

static ALWAYS_INLINE float
highest_of (const float *x, int64_t width)
{
  Floats even = floats_set (-INFINITY), odd = even;
  int64_t i = 0;
  for (; i + 2 * LANES <= width; i += 2 * LANES) {
    even = floats_max (even, floats_load (x + i));
    odd = floats_max (odd, floats_load (x + i + LANES));
  }
  for (; i + LANES <= width; i += LANES)
    even = floats_max (even, floats_load (x + i));
  if (i < width) {
    const int rest = (int) (width - i);
    odd = floats_max (odd,
        floats_fill_from (floats_load_part (x + i, rest), rest, -INFINITY));
  }
  return floats_highest (floats_max (even, odd));
}

static ALWAYS_INLINE void
exponentials_as (const float *x, float factor, void *y, bool half, float *sums,
    int64_t rows, int64_t width)
{
  const Floats factors = floats_set (factor);
  for (int64_t row = 0; row < rows; row++) {
    const float *from = x + row * width;
    void *to = (void *) element (y, half, row * width);
    const Floats top = floats_set (highest_of (from, width));
    Floats sum = floats_set (0);
    int64_t i = 0;
    for (; i + LANES <= width; i += LANES) {
      Floats e = exponential ((floats_load (from + i) - top) * factors);
      sum += e;
      store (to, half, i, e);
    }
    if (i < width) {
      const int rest = (int) (width - i);
      Floats e =
          exponential ((floats_load_part (from + i, rest) - top) * factors);
      e = floats_fill_from (e, rest, 0);
      sum += e;
      store_part (to, half, i, e, rest);
    }
    sums[row] = floats_sum (sum);
  }
}

static void
exponentials (const float *x, float factor, void *y, CardiacDType y_dtype,
    float *sums, int64_t rows, int64_t width)
{
  if (y_dtype == CARDIAC_BF16)
    exponentials_as (x, factor, y, true, sums, rows, width);
  else
    exponentials_as (x, factor, y, false, sums, rows, width);
}

/* ---- pictures -------------------------------------------------------------- */

static void
interleave (const float *planes, int64_t stride, int64_t channels,
    int64_t count, void *to, CardiacDType to_dtype)
{
  enum { BLOCK = 256 };
  float block[3 * BLOCK];
  if (channels != 3) {
    for (int64_t i = 0; i < count; i++)
      for (int64_t c = 0; c < channels; c++)
        convert (
            (void *) element (to, to_dtype == CARDIAC_BF16, i * channels + c),
            to_dtype, planes + c * stride + i, CARDIAC_F32, 1);
    return;
  }
  const float *red = planes, *green = planes + stride,
              *blue = planes + 2 * stride;
  for (int64_t first = 0; first < count; first += BLOCK) {
    const int64_t some = count - first < BLOCK ? count - first : BLOCK;
    for (int64_t i = 0; i < some; i++) {
      block[3 * i] = red[first + i];
      block[3 * i + 1] = green[first + i];
      block[3 * i + 2] = blue[first + i];
    }
    convert ((void *) element (to, to_dtype == CARDIAC_BF16, 3 * first),
        to_dtype, block, CARDIAC_F32, 3 * some);
  }
}

const CpuVector CPU_VECTOR_TABLE = {
  .name = CPU_VECTOR_NAME,
  .convert = convert,
  .binary = binary,
  .blend = blend,
  .magnitude = magnitude,
  .scale = scale,
  .accumulate = accumulate,
  .dot = dot,
  .dot_double = dot_double,
  .subtract_two = subtract_two,
  .layer_norm = layer_norm,
  .exponentials = exponentials,
  .sigmoid = sigmoid,
  .maximum = maximum,
  .interleave = interleave,
};
