/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "backends/reference/reference.h"

#include <math.h>

/* Linear layers and products of matrices. */

enum {
  PIECE_ROWS = 16,     ///< rows of a piece, when nothing groups them
  PIECE_COLUMNS = 256, ///< outputs of a piece, likewise
};

double
cardiac_reference_dot (const float *x, const float *w, int64_t count)
{
  /* Eight sums that do not wait for each other. A product of two floats is
   * exact in double, so fused or not, this gives the same bits everywhere. */
  double sums[8] = { 0 };
  int64_t i = 0;
  for (; i + 8 <= count; i += 8)
    for (int lane = 0; lane < 8; lane++)
      sums[lane] += (double) x[i + lane] * (double) w[i + lane];
  for (; i < count; i++)
    sums[i & 7] += (double) x[i] * (double) w[i];
  return ((sums[0] + sums[1]) + (sums[2] + sums[3]))
         + ((sums[4] + sums[5]) + (sums[6] + sums[7]));
}

void
cardiac_reference_products (const float *x, int64_t rows, const float *w,
    int64_t columns, int64_t depth, double *sums)
{
  for (int64_t n = 0; n < columns; n++)
    for (int64_t r = 0; r < rows; r++)
      sums[r * columns + n] =
          cardiac_reference_dot (x + r * depth, w + n * depth, depth);
}

double
cardiac_reference_activate (CardiacActivation activation, double x)
{
  switch (activation) {
    case CARDIAC_ACTIVATION_QUICK_GELU:
      return x / (1 + exp (-1.702 * x));
    case CARDIAC_ACTIVATION_SILU:
      return x / (1 + exp (-x));
    case CARDIAC_ACTIVATION_LEAKY_RELU:
      return x < 0 ? 0.2 * x : x;
    case CARDIAC_ACTIVATION_NONE:
      break;
  }
  return x;
}

/** Which rows and columns a piece of a linear layer computes. */
typedef struct Cut {
  int64_t rows, columns; ///< of a piece
  int64_t row_pieces, column_pieces;
} Cut;

static Cut
cut_linear (const CardiacOp *op)
{
  int64_t m = cardiac_tensor_rows (&op->out);
  int64_t n = cardiac_tensor_width (&op->out);
  int64_t group = op->linear.group;
  Cut cut = { .rows = PIECE_ROWS, .columns = PIECE_COLUMNS };

  if (group > 0) {
    cut.rows = cardiac_reference_parts (PIECE_ROWS, group) * group;
    cut.columns = n;
  }
  cut.row_pieces = cardiac_reference_parts (m, cut.rows);
  cut.column_pieces = cardiac_reference_parts (n, cut.columns);
  return cut;
}

/** y = act(x wᵀ + b) + residual */
static void
run_linear (const CardiacKernel *kernel, void *const *in, void *out, int piece,
    void *scratch)
{
  const CardiacOp *op = cardiac_reference_op (kernel);
  const Cut cut = cut_linear (op);
  const int64_t m = cardiac_tensor_rows (&op->out);
  const int64_t n = cardiac_tensor_width (&op->out);
  const int64_t k = cardiac_tensor_width (&op->in[0]);
  const float *w = in[1];
  const float *bias = cardiac_op_has (op, 2) ? in[2] : NULL;
  const float *residual = cardiac_op_has (op, 3) ? in[3] : NULL;

  const int64_t first_row = piece / cut.column_pieces * cut.rows;
  const int64_t last_row = cardiac_reference_min (first_row + cut.rows, m);
  const int64_t first_column = piece % cut.column_pieces * cut.columns;
  const int64_t columns = cardiac_reference_min (cut.columns, n - first_column);
  double *sums = scratch;
  float *x = (float *) (sums + CARDIAC_REFERENCE_ROW_BLOCK * cut.columns);

  for (int64_t row = first_row; row < last_row;
       row += CARDIAC_REFERENCE_ROW_BLOCK) {
    int64_t rows =
        cardiac_reference_min (CARDIAC_REFERENCE_ROW_BLOCK, last_row - row);
    cardiac_load_row (in[0], op->in[0].dtype, row * k, rows * k, x);
    cardiac_reference_products (
        x, rows, w + first_column * k, columns, k, sums);
    for (int64_t r = 0; r < rows; r++)
      for (int64_t c = 0; c < columns; c++) {
        int64_t column = first_column + c;
        int64_t at = (row + r) * n + column;
        double y = sums[r * columns + c] + (bias ? bias[column] : 0);
        y = cardiac_reference_activate (op->linear.activation, y);
        if (residual)
          y += residual[at];
        cardiac_store (out, op->out.dtype, at, (float) y);
      }
  }
}

CARDIAC_REFERENCE_PREPARE (linear)
{
  if (!cardiac_reference_expect_tensors (op, 2, error))
    return false;
  const CardiacTensor *x = &op->in[0], *w = &op->in[1];
  const int64_t m = cardiac_tensor_rows (x);
  const int64_t k = cardiac_tensor_width (x);
  const int64_t n = cardiac_tensor_width (&op->out);

  if (!cardiac_reference_expect (op,
          cardiac_reference_is (w, CARDIAC_F32, 2) && w->shape[0] == n
              && w->shape[1] == k && cardiac_tensor_rows (&op->out) == m,
          "x [M,K], w [N,K], y [M,N]", error)
      || !cardiac_reference_expect (op,
          cardiac_reference_is_vector (op, 2, n)
              && cardiac_reference_is_vector (op, 3, m * n),
          "b [N] and a residual [M,N] in f32", error)
      || !cardiac_reference_expect (op,
          op->linear.group <= 0 || m % op->linear.group == 0,
          "M to be a whole number of groups", error))
    return false;

  const Cut cut = cut_linear (op);
  size_t scratch =
      CARDIAC_REFERENCE_ROW_BLOCK
      * ((size_t) cut.columns * sizeof (double) + (size_t) k * sizeof (float));
  if (!cardiac_reference_plan (kernel, op, run_linear,
          cut.row_pieces * cut.column_pieces, scratch, error))
    return false;
  kernel->flop = 2.0 * (double) m * (double) n * (double) k;
  return true;
}

/** out[b] = alpha a[b] w[b]ᵀ, some rows of one b. */
static void
run_matmul (const CardiacKernel *kernel, void *const *in, void *out, int piece,
    void *scratch)
{
  const CardiacOp *op = cardiac_reference_op (kernel);
  const int64_t m = op->out.shape[1], n = op->out.shape[2];
  const int64_t k = op->in[0].shape[2];
  const int64_t row_pieces = cardiac_reference_parts (m, PIECE_ROWS);
  const int64_t b = piece / row_pieces;
  const int64_t first_row = piece % row_pieces * PIECE_ROWS;
  const int64_t rows = cardiac_reference_min (PIECE_ROWS, m - first_row);
  const float *a = (const float *) in[0] + (b * m + first_row) * k;
  const float *w = (const float *) in[1] + b * n * k;
  float *y = (float *) out + (b * m + first_row) * n;
  double *sums = scratch;

  cardiac_reference_products (a, rows, w, n, k, sums);
  for (int64_t i = 0; i < rows * n; i++)
    y[i] = (float) ((double) op->matmul.alpha * sums[i]);
}

CARDIAC_REFERENCE_PREPARE (matmul)
{
  if (!cardiac_reference_expect_tensors (op, 2, error))
    return false;
  const CardiacTensor *a = &op->in[0], *w = &op->in[1], *y = &op->out;

  if (!cardiac_reference_expect (op,
          cardiac_reference_is (a, CARDIAC_F32, 3)
              && cardiac_reference_is (w, CARDIAC_F32, 3)
              && cardiac_reference_is (y, CARDIAC_F32, 3)
              && a->shape[0] == w->shape[0] && a->shape[2] == w->shape[2]
              && y->shape[0] == a->shape[0] && y->shape[1] == a->shape[1]
              && y->shape[2] == w->shape[1],
          "a [B,M,K], w [B,N,K], out [B,M,N] in f32", error))
    return false;

  int64_t pieces =
      a->shape[0] * cardiac_reference_parts (a->shape[1], PIECE_ROWS);
  size_t scratch = PIECE_ROWS * (size_t) w->shape[1] * sizeof (double);
  if (!cardiac_reference_plan (kernel, op, run_matmul, pieces, scratch, error))
    return false;
  kernel->flop = 2.0 * (double) cardiac_tensor_count (y) * (double) a->shape[2];
  return true;
}
