/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "backends/reference/reference.h"

#include <math.h>

/** The largest of a window, or its mean, a channel; one row of one picture. */
static void
run_pool2d (const CardiacKernel *kernel, void *const *in, void *out, int piece,
    void *scratch)
{
  const CardiacOp *op = cardiac_reference_op (kernel);
  const CardiacTensor *x = &op->in[0], *y = &op->out;
  const int64_t height = x->shape[1], width = x->shape[2];
  const int64_t channels = x->shape[3], size = op->pool.kernel;
  const int64_t b = piece / y->shape[1], row = piece % y->shape[1];
  const int64_t top = row * op->pool.stride - op->pool.padding;
  const bool mean = op->kind == CARDIAC_OP_AVG_POOL2D;
  (void) scratch;

  for (int64_t column = 0; column < y->shape[2]; column++) {
    const int64_t left = column * op->pool.stride - op->pool.padding;
    for (int64_t c = 0; c < channels; c++) {
      double largest = -INFINITY, sum = 0;
      for (int64_t i = top; i < top + size; i++)
        for (int64_t j = left; j < left + size; j++)
          if (i >= 0 && i < height && j >= 0 && j < width) {
            double value = cardiac_load (
                in[0], x->dtype, ((b * height + i) * width + j) * channels + c);
            largest = fmax (largest, value);
            sum += value;
          }
      cardiac_store (out, y->dtype,
          ((b * y->shape[1] + row) * y->shape[2] + column) * channels + c,
          (float) (mean ? sum / (double) (size * size) : largest));
    }
  }
}

static bool
plan_pool2d (const CardiacOp *op, CardiacKernel *kernel, CardiacError **error)
{
  if (!cardiac_reference_expect_tensors (op, 1, error))
    return false;
  const CardiacTensor *x = &op->in[0], *y = &op->out;
  const int64_t size = op->pool.kernel, stride = op->pool.stride;
  const int64_t padding = op->pool.padding;

  if (!cardiac_reference_expect (op,
          x->rank == 4 && y->rank == 4 && x->shape[0] == y->shape[0]
              && x->shape[3] == y->shape[3],
          "x [B,H,W,C], y [B,Ho,Wo,C]", error)
      || !cardiac_reference_expect (op,
          size >= 1 && stride >= 1 && padding >= 0 && 2 * padding <= size
              && x->shape[1] + 2 * padding >= size
              && x->shape[2] + 2 * padding >= size
              && y->shape[1] == (x->shape[1] + 2 * padding - size) / stride + 1
              && y->shape[2] == (x->shape[2] + 2 * padding - size) / stride + 1,
          "Ho = (H + 2 padding - kernel) / stride + 1, and Wo alike", error))
    return false;
  return cardiac_reference_plan (
      kernel, op, run_pool2d, y->shape[0] * y->shape[1], 0, error);
}

CARDIAC_REFERENCE_PREPARE (max_pool2d)
{
  if (!cardiac_reference_expect_tensors (op, 1, error)
      || !cardiac_reference_expect (
          op, op->in[0].dtype == op->out.dtype, "x and y of one dtype", error))
    return false;
  return plan_pool2d (op, kernel, error);
}

CARDIAC_REFERENCE_PREPARE (avg_pool2d)
{
  return plan_pool2d (op, kernel, error);
}
