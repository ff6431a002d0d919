/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "backends/reference/reference.h"

#include <math.h>

/** out[a] = mean over r of x[a,r] */
static void
run_mean (const CardiacKernel *kernel, void *const *in, void *out, int piece,
    void *scratch)
{
  const CardiacOp *op = cardiac_reference_op (kernel);
  const int64_t rows = op->in[0].shape[1], d = op->in[0].shape[2];
  const float *x = (const float *) in[0] + piece * rows * d;
  float *y = (float *) out + piece * d;
  double *sums = scratch;

  for (int64_t i = 0; i < d; i++)
    sums[i] = 0;
  for (int64_t r = 0; r < rows; r++)
    for (int64_t i = 0; i < d; i++)
      sums[i] += (double) x[r * d + i];
  for (int64_t i = 0; i < d; i++)
    y[i] = (float) (sums[i] / (double) rows);
}

CARDIAC_REFERENCE_PREPARE (mean)
{
  if (!cardiac_reference_expect_tensors (op, 1, error))
    return false;
  const CardiacTensor *x = &op->in[0], *y = &op->out;

  if (!cardiac_reference_expect (op,
          cardiac_reference_is (x, CARDIAC_F32, 3) && y->dtype == CARDIAC_F32
              && cardiac_tensor_width (y) == x->shape[2]
              && cardiac_tensor_rows (y) == x->shape[0],
          "x [A,R,D], out [A,D] in f32", error))
    return false;
  return cardiac_reference_plan (kernel, op, run_mean, x->shape[0],
      (size_t) x->shape[2] * sizeof (double), error);
}

/** out[a,c] = scale <f[a], t[a,c]> / (|f[a]| |t[a,c]|); 0 when either is 0. */
static void
run_cosine (const CardiacKernel *kernel, void *const *in, void *out, int piece,
    void *scratch)
{
  const CardiacOp *op = cardiac_reference_op (kernel);
  const int64_t classes = op->in[1].shape[1], e = op->in[1].shape[2];
  const float *f = (const float *) in[0] + piece * e;
  float *y = (float *) out + piece * classes;
  (void) scratch;

  for (int64_t c = 0; c < classes; c++) {
    const float *t = (const float *) in[1] + (piece * classes + c) * e;
    double lengths = sqrt (cardiac_reference_dot (f, f, e))
                     * sqrt (cardiac_reference_dot (t, t, e));
    double cosine =
        lengths == 0 ? 0 : cardiac_reference_dot (f, t, e) / lengths;
    y[c] = (float) ((double) op->cosine.scale * cosine);
  }
}

CARDIAC_REFERENCE_PREPARE (cosine)
{
  if (!cardiac_reference_expect_tensors (op, 2, error))
    return false;
  const CardiacTensor *f = &op->in[0], *t = &op->in[1], *y = &op->out;

  if (!cardiac_reference_expect (op,
          cardiac_reference_is (f, CARDIAC_F32, 2)
              && cardiac_reference_is (t, CARDIAC_F32, 3)
              && y->dtype == CARDIAC_F32 && t->shape[0] == f->shape[0]
              && t->shape[2] == f->shape[1]
              && cardiac_tensor_width (y) == t->shape[1]
              && cardiac_tensor_rows (y) == f->shape[0],
          "f [A,E], t [A,C,E], out [A,C] in f32", error))
    return false;
  return cardiac_reference_plan (kernel, op, run_cosine, f->shape[0], 0, error);
}
