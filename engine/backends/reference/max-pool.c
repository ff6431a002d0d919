/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "backends/reference/reference.h"

#include <math.h>

/** The largest of a window, a channel; one row of one picture. */
static void
run_max_pool2d (const CardiacKernel *kernel, void *const *in, void *out,
    int piece, void *scratch)
{
  const CardiacOp *op = cardiac_reference_op (kernel);
  const CardiacTensor *x = &op->in[0], *y = &op->out;
  const int64_t height = x->shape[1], width = x->shape[2];
  const int64_t channels = x->shape[3];
  const int64_t b = piece / y->shape[1], row = piece % y->shape[1];
  const int64_t top = row * op->pool.stride - op->pool.padding;
  (void) scratch;

  for (int64_t column = 0; column < y->shape[2]; column++) {
    const int64_t left = column * op->pool.stride - op->pool.padding;
    for (int64_t c = 0; c < channels; c++) {
      float largest = -INFINITY;
      for (int64_t i = top; i < top + op->pool.kernel; i++)
        for (int64_t j = left; j < left + op->pool.kernel; j++)
          if (i >= 0 && i < height && j >= 0 && j < width)
            largest = fmaxf (
                largest, cardiac_load (in[0], x->dtype,
                             ((b * height + i) * width + j) * channels + c));
      cardiac_store (out, y->dtype,
          ((b * y->shape[1] + row) * y->shape[2] + column) * channels + c,
          largest);
    }
  }
}

CARDIAC_REFERENCE_PREPARE (max_pool2d)
{
  if (!cardiac_reference_expect_tensors (op, 1, error))
    return false;
  const CardiacTensor *x = &op->in[0], *y = &op->out;
  const int64_t size = op->pool.kernel, stride = op->pool.stride;
  const int64_t padding = op->pool.padding;

  if (!cardiac_reference_expect (op,
          x->rank == 4 && y->rank == 4 && x->dtype == y->dtype
              && x->shape[0] == y->shape[0] && x->shape[3] == y->shape[3],
          "x [B,H,W,C], y [B,Ho,Wo,C] of one dtype", error)
      || !cardiac_reference_expect (op,
          size >= 1 && stride >= 1 && padding >= 0 && 2 * padding <= size
              && x->shape[1] + 2 * padding >= size
              && x->shape[2] + 2 * padding >= size
              && y->shape[1] == (x->shape[1] + 2 * padding - size) / stride + 1
              && y->shape[2] == (x->shape[2] + 2 * padding - size) / stride + 1,
          "Ho = (H + 2 padding - kernel) / stride + 1, and Wo alike", error))
    return false;
  return cardiac_reference_plan (
      kernel, op, run_max_pool2d, y->shape[0] * y->shape[1], 0, error);
}
