/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CARDIAC_CPU_VECTOR_H
#define CARDIAC_CPU_VECTOR_H

#include <cardiac/tensor.h>
#include <stdbool.h>

/* Inner loops that oneDNN does not do for us, or not well. vector-tmpl.c is
 * compiled once for each instruction set; the table to use is chosen when the
 * backend is opened. Arrays are F32 or BF16 and need no alignment. */
typedef struct CpuVector {
  const char *name; ///< "avx512", "avx2", "baseline"

  void (*convert) (void *to, CardiacDType to_dtype, const void *from,
      CardiacDType from_dtype, int64_t count);

  /** y = x + w or x * w. */
  void (*binary) (bool multiply, const void *x, CardiacDType x_dtype,
      const void *w, CardiacDType w_dtype, void *y, CardiacDType y_dtype,
      int64_t count);

  /** y = a x + b w. */
  void (*blend) (float a, const void *x, CardiacDType x_dtype, float b,
      const void *w, CardiacDType w_dtype, void *y, CardiacDType y_dtype,
      int64_t count);

  /** y[i] = sqrt (x[2i]² + x[2i+1]²). */
  void (*magnitude) (const float *x, float *y, int64_t count);

  /** y = x scale. */
  void (*scale) (const float *x, float scale, void *y, CardiacDType y_dtype,
      int64_t count);

  /** sums += x. */
  void (*accumulate) (float *sums, const float *x, int64_t count);

  float (*dot) (const float *x, const float *y, int64_t count);

  void (*layer_norm) (const void *x, CardiacDType x_dtype, const float *gamma,
      const float *beta, float epsilon, void *y, CardiacDType y_dtype,
      int64_t rows, int64_t width);

  /** y = exp (scale (x - max x)) a row, dense rows; sums[row] = its sum. */
  void (*exponentials) (const float *x, float scale, void *y,
      CardiacDType y_dtype, float *sums, int64_t rows, int64_t width);

  /** y = 1 / (1 + exp (-x)). */
  void (*sigmoid) (
      const void *x, CardiacDType x_dtype, float *y, int64_t count);

  /** to = the larger of to and from. */
  void (*maximum) (
      float *to, const void *from, CardiacDType from_dtype, int64_t count);

  double (*dot_double) (const double *x, const double *y, int64_t count);

  /** row -= a x + b y. */
  void (*subtract_two) (double *row, double a, const double *x, double b,
      const double *y, int64_t count);

  /** to[i*channels + c] = planes[c*stride + i]. */
  void (*interleave) (const float *planes, int64_t stride, int64_t channels,
      int64_t count, void *to, CardiacDType to_dtype);
} CpuVector;

/** The best table for this processor, within the limits that oneDNN is set
 * ($ONEDNN_MAX_CPU_ISA). */
const CpuVector *cpu_choose_vector (void);

extern const CpuVector cardiac_cpu_vector_baseline;
extern const CpuVector cardiac_cpu_vector_avx2;
extern const CpuVector cardiac_cpu_vector_avx512;

#endif
