/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "backends/reference/reference.h"

#include <math.h>

enum { PIECE_ROWS = 16 };

/** y = (x - mean) / sqrt(variance + epsilon) * gamma + beta, a row. */
static void
run_layer_norm (const CardiacKernel *kernel, void *const *in, void *out,
    int piece, void *scratch)
{
  const CardiacOp *op = cardiac_reference_op (kernel);
  const int64_t rows = cardiac_tensor_rows (&op->out);
  const int64_t d = cardiac_tensor_width (&op->out);
  const float *gamma = in[1], *beta = in[2];
  const int64_t first = (int64_t) piece * PIECE_ROWS;
  const int64_t last = cardiac_reference_min (first + PIECE_ROWS, rows);
  float *x = scratch;

  for (int64_t row = first; row < last; row++) {
    cardiac_load_row (in[0], op->in[0].dtype, row * d, d, x);
    double mean = 0, variance = 0;
    for (int64_t i = 0; i < d; i++)
      mean += (double) x[i];
    mean /= (double) d;
    for (int64_t i = 0; i < d; i++)
      variance += ((double) x[i] - mean) * ((double) x[i] - mean);
    variance /= (double) d;

    double scale = 1 / sqrt (variance + (double) op->norm.epsilon);
    for (int64_t i = 0; i < d; i++) {
      double y = ((double) x[i] - mean) * scale * (double) gamma[i];
      cardiac_store (
          out, op->out.dtype, row * d + i, (float) (y + (double) beta[i]));
    }
  }
}

CARDIAC_REFERENCE_PREPARE (layer_norm)
{
  if (!cardiac_reference_expect_tensors (op, 3, error))
    return false;
  const CardiacTensor *x = &op->in[0];
  const int64_t d = cardiac_tensor_width (x);

  if (!cardiac_reference_expect (op,
          cardiac_tensor_width (&op->out) == d
              && cardiac_tensor_count (&op->out) == cardiac_tensor_count (x)
              && cardiac_reference_is_vector (op, 1, d)
              && cardiac_reference_is_vector (op, 2, d),
          "x [M,D], gamma [D], beta [D], y [M,D]", error))
    return false;
  return cardiac_reference_plan (kernel, op, run_layer_norm,
      cardiac_reference_parts (cardiac_tensor_rows (x), PIECE_ROWS),
      (size_t) d * sizeof (float), error);
}
