/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "backends/reference/reference.h"

#include <math.h>

/** y = exp(x - max x) / sum, one row. */
static void
run_softmax (const CardiacKernel *kernel, void *const *in, void *out, int piece,
    void *scratch)
{
  const CardiacOp *op = cardiac_reference_op (kernel);
  const int64_t width = cardiac_tensor_width (&op->out);
  const float *x = (const float *) in[0] + piece * width;
  float *y = (float *) out + piece * width;
  double *e = scratch;
  double highest = -INFINITY, sum = 0;

  for (int64_t i = 0; i < width; i++)
    highest = fmax (highest, (double) x[i]);
  for (int64_t i = 0; i < width; i++) {
    e[i] = exp ((double) x[i] - highest);
    sum += e[i];
  }
  for (int64_t i = 0; i < width; i++)
    y[i] = (float) (e[i] / sum);
}

CARDIAC_REFERENCE_PREPARE (softmax)
{
  if (!cardiac_reference_expect_tensors (op, 1, error))
    return false;
  const CardiacTensor *x = &op->in[0];

  if (!cardiac_reference_expect (op,
          x->dtype == CARDIAC_F32 && op->out.dtype == CARDIAC_F32
              && cardiac_reference_same_shape (x, &op->out),
          "x and out of one shape in f32", error))
    return false;
  return cardiac_reference_plan (kernel, op, run_softmax,
      cardiac_tensor_rows (x),
      (size_t) cardiac_tensor_width (x) * sizeof (double), error);
}
