/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "backends/reference/reference.h"

#include <math.h>

/* Operators that move numbers, and the element-by-element one. */

enum { PIECE_ROWS = 64, PIECE_ELEMENTS = 16384 };

/** Nearest neighbour, twice the size: one row of the result. */
static void
run_nearest2x (const CardiacKernel *kernel, void *const *in, void *out,
    int piece, void *scratch)
{
  const CardiacOp *op = cardiac_reference_op (kernel);
  const CardiacTensor *x = &op->in[0], *y = &op->out;
  const int64_t c = x->shape[3];
  const int64_t b = piece / y->shape[1], row = piece % y->shape[1];
  (void) scratch;

  for (int64_t column = 0; column < y->shape[2]; column++)
    cardiac_copy_row (out, y->dtype, (piece * y->shape[2] + column) * c, in[0],
        x->dtype, ((b * x->shape[1] + row / 2) * x->shape[2] + column / 2) * c,
        c);
}

/** Twice the size, bilinear: result i lies at (i + 1/2) / 2 - 1/2 of x, so it
 * takes 3/4 of the pixel that covers it and 1/4 of that one's neighbour on its
 * side; beyond the border the nearest pixel counts. One row. */
static void
run_bilinear2x (const CardiacKernel *kernel, void *const *in, void *out,
    int piece, void *scratch)
{
  const CardiacOp *op = cardiac_reference_op (kernel);
  const CardiacTensor *x = &op->in[0], *y = &op->out;
  const int64_t height = x->shape[1], width = x->shape[2], c = x->shape[3];
  const int64_t b = piece / y->shape[1], row = piece % y->shape[1];
  const int64_t rows[2] = { row / 2,
    cardiac_reference_clamp (row / 2 + (row % 2 ? 1 : -1), height) };
  static const double share[2] = { 0.75, 0.25 };
  (void) scratch;

  for (int64_t column = 0; column < y->shape[2]; column++) {
    const int64_t columns[2] = { column / 2,
      cardiac_reference_clamp (column / 2 + (column % 2 ? 1 : -1), width) };
    for (int64_t i = 0; i < c; i++) {
      double sum = 0;
      for (int v = 0; v < 2; v++)
        for (int h = 0; h < 2; h++)
          sum += share[v] * share[h]
                 * (double) cardiac_load (in[0], x->dtype,
                     ((b * height + rows[v]) * width + columns[h]) * c + i);
      cardiac_store (out, y->dtype, (piece * y->shape[2] + column) * c + i,
          (float) (sum * (double) op->upsample.scale));
    }
  }
}

CARDIAC_REFERENCE_PREPARE (upsample2x)
{
  if (!cardiac_reference_expect_tensors (op, 1, error))
    return false;
  const CardiacTensor *x = &op->in[0], *y = &op->out;
  const bool bilinear = op->upsample.bilinear;

  if (!cardiac_reference_expect (op,
          x->rank == 4 && y->rank == 4 && y->shape[0] == x->shape[0]
              && y->shape[1] == 2 * x->shape[1]
              && y->shape[2] == 2 * x->shape[2] && y->shape[3] == x->shape[3]
              && (bilinear || x->dtype == y->dtype),
          "x [B,H,W,C], out [B,2H,2W,C], of one dtype if nearest", error))
    return false;
  return cardiac_reference_plan (kernel, op,
      bilinear ? run_bilinear2x : run_nearest2x, y->shape[0] * y->shape[1], 0,
      error);
}

/** Rows of all inputs side by side. */
static void
run_concat (const CardiacKernel *kernel, void *const *in, void *out, int piece,
    void *scratch)
{
  const CardiacOp *op = cardiac_reference_op (kernel);
  const int64_t rows = cardiac_tensor_rows (&op->out);
  const int64_t width = cardiac_tensor_width (&op->out);
  const int64_t first = (int64_t) piece * PIECE_ROWS;
  const int64_t last = cardiac_reference_min (first + PIECE_ROWS, rows);
  (void) scratch;

  for (int64_t row = first; row < last; row++) {
    int64_t at = row * width;
    for (int i = 0; i < op->inputs; i++) {
      int64_t c = cardiac_tensor_width (&op->in[i]);
      cardiac_copy_row (
          out, op->out.dtype, at, in[i], op->in[i].dtype, row * c, c);
      at += c;
    }
  }
}

CARDIAC_REFERENCE_PREPARE (concat)
{
  if (!cardiac_reference_expect (op, op->inputs >= 1, "an input", error)
      || !cardiac_reference_expect_tensors (op, op->inputs, error))
    return false;
  const int64_t rows = cardiac_tensor_rows (&op->out);
  int64_t width = 0;
  bool fits = true;
  for (int i = 0; i < op->inputs; i++) {
    width += cardiac_tensor_width (&op->in[i]);
    fits = fits && cardiac_tensor_rows (&op->in[i]) == rows;
  }

  if (!cardiac_reference_expect (op,
          fits && width == cardiac_tensor_width (&op->out),
          "inputs [..., Ci], out [..., sum of Ci]", error))
    return false;
  return cardiac_reference_plan (kernel, op, run_concat,
      cardiac_reference_parts (rows, PIECE_ROWS), 0, error);
}

/** Channels first .. first+C-1 of some rows. */
static void
run_slice (const CardiacKernel *kernel, void *const *in, void *out, int piece,
    void *scratch)
{
  const CardiacOp *op = cardiac_reference_op (kernel);
  const int64_t rows = cardiac_tensor_rows (&op->out);
  const int64_t width = cardiac_tensor_width (&op->in[0]);
  const int64_t c = cardiac_tensor_width (&op->out);
  const int64_t first = (int64_t) piece * PIECE_ROWS;
  const int64_t last = cardiac_reference_min (first + PIECE_ROWS, rows);
  (void) scratch;

  for (int64_t row = first; row < last; row++)
    cardiac_copy_row (out, op->out.dtype, row * c, in[0], op->in[0].dtype,
        row * width + op->slice.first, c);
}

CARDIAC_REFERENCE_PREPARE (slice)
{
  if (!cardiac_reference_expect_tensors (op, 1, error))
    return false;
  const CardiacTensor *x = &op->in[0], *y = &op->out;
  const int64_t rows = cardiac_tensor_rows (x);

  if (!cardiac_reference_expect (op,
          cardiac_tensor_rows (y) == rows && op->slice.first >= 0
              && op->slice.first + cardiac_tensor_width (y)
                     <= cardiac_tensor_width (x),
          "x [..., Cx], out [..., C], first + C <= Cx", error))
    return false;
  return cardiac_reference_plan (kernel, op, run_slice,
      cardiac_reference_parts (rows, PIECE_ROWS), 0, error);
}

/** y = x + w or x * w, w repeated over the leading axes. */
static void
run_binary (const CardiacKernel *kernel, void *const *in, void *out, int piece,
    void *scratch)
{
  const CardiacOp *op = cardiac_reference_op (kernel);
  const int64_t period = cardiac_tensor_count (&op->in[1]);
  const int64_t first = (int64_t) piece * PIECE_ELEMENTS;
  const int64_t last = cardiac_reference_min (
      first + PIECE_ELEMENTS, cardiac_tensor_count (&op->out));
  (void) scratch;

  for (int64_t i = first; i < last; i++) {
    float x = cardiac_load (in[0], op->in[0].dtype, i);
    float w = cardiac_load (in[1], op->in[1].dtype, i % period);
    cardiac_store (out, op->out.dtype, i, op->binary.multiply ? x * w : x + w);
  }
}

/** Is b's shape the end of a's? */
static bool
is_suffix (const CardiacTensor *a, const CardiacTensor *b)
{
  if (b->rank > a->rank)
    return false;
  for (int i = 1; i <= b->rank; i++)
    if (b->shape[b->rank - i] != a->shape[a->rank - i])
      return false;
  return true;
}

CARDIAC_REFERENCE_PREPARE (binary)
{
  if (!cardiac_reference_expect_tensors (op, 2, error))
    return false;
  const int64_t count = cardiac_tensor_count (&op->out);

  if (!cardiac_reference_expect (op,
          is_suffix (&op->in[0], &op->in[1])
              && cardiac_tensor_count (&op->in[0]) == count,
          "w's shape to be the end of x's, and out like x", error))
    return false;
  return cardiac_reference_plan (kernel, op, run_binary,
      cardiac_reference_parts (count, PIECE_ELEMENTS), 0, error);
}

/** y = x (offset + scale g), g [B,R,1] or [B,1,C]: one row. */
static void
run_gate (const CardiacKernel *kernel, void *const *in, void *out, int piece,
    void *scratch)
{
  const CardiacOp *op = cardiac_reference_op (kernel);
  const int64_t rows = op->out.shape[1], width = op->out.shape[2];
  const bool a_row = op->in[1].shape[1] == rows && op->in[1].shape[2] == 1;
  const float *g =
      (const float *) in[1] + (a_row ? piece : (int64_t) piece / rows * width);
  (void) scratch;

  for (int64_t c = 0; c < width; c++) {
    double factor = (double) op->gate.offset
                    + (double) op->gate.scale * (double) g[a_row ? 0 : c];
    int64_t at = (int64_t) piece * width + c;
    cardiac_store (out, op->out.dtype, at,
        (float) (factor * (double) cardiac_load (in[0], op->in[0].dtype, at)));
  }
}

CARDIAC_REFERENCE_PREPARE (gate)
{
  if (!cardiac_reference_expect_tensors (op, 2, error))
    return false;
  const CardiacTensor *x = &op->in[0], *g = &op->in[1];

  if (!cardiac_reference_expect (op,
          x->rank == 3 && cardiac_reference_is (g, CARDIAC_F32, 3)
              && cardiac_reference_same_shape (x, &op->out)
              && g->shape[0] == x->shape[0]
              && ((g->shape[1] == x->shape[1] && g->shape[2] == 1)
                  || (g->shape[1] == 1 && g->shape[2] == x->shape[2])),
          "x and out [B,R,C], g [B,R,1] or [B,1,C] in f32", error))
    return false;
  return cardiac_reference_plan (
      kernel, op, run_gate, x->shape[0] * x->shape[1], 0, error);
}

/** Lengths of pairs of neighbours. */
static void
run_magnitude (const CardiacKernel *kernel, void *const *in, void *out,
    int piece, void *scratch)
{
  const CardiacOp *op = cardiac_reference_op (kernel);
  const int64_t first = (int64_t) piece * PIECE_ELEMENTS;
  const int64_t last = cardiac_reference_min (
      first + PIECE_ELEMENTS, cardiac_tensor_count (&op->out));
  (void) scratch;

  for (int64_t i = first; i < last; i++) {
    double a = (double) cardiac_load (in[0], op->in[0].dtype, 2 * i);
    double b = (double) cardiac_load (in[0], op->in[0].dtype, 2 * i + 1);
    cardiac_store (out, op->out.dtype, i, (float) sqrt (a * a + b * b));
  }
}

CARDIAC_REFERENCE_PREPARE (magnitude)
{
  if (!cardiac_reference_expect_tensors (op, 1, error))
    return false;
  const CardiacTensor *x = &op->in[0], *y = &op->out;

  if (!cardiac_reference_expect (op,
          cardiac_tensor_width (x) == 2 * cardiac_tensor_width (y)
              && cardiac_tensor_rows (x) == cardiac_tensor_rows (y),
          "x [..., 2C], out [..., C]", error))
    return false;
  return cardiac_reference_plan (kernel, op, run_magnitude,
      cardiac_reference_parts (cardiac_tensor_count (y), PIECE_ELEMENTS), 0,
      error);
}

/** One row of patches of one picture: [3,P,P] each. */
static void
run_patchify (const CardiacKernel *kernel, void *const *in, void *out,
    int piece, void *scratch)
{
  const CardiacOp *op = cardiac_reference_op (kernel);
  const int64_t side = op->in[0].shape[3], p = op->patchify.patch;
  const int64_t n = side / p;
  const int64_t b = piece / n, y = piece % n;
  (void) scratch;

  for (int64_t x = 0; x < n; x++)
    for (int64_t c = 0; c < 3; c++)
      for (int64_t py = 0; py < p; py++)
        cardiac_copy_row (out, op->out.dtype,
            (((piece * n + x) * 3 + c) * p + py) * p, in[0], CARDIAC_F32,
            ((b * 3 + c) * side + y * p + py) * side + x * p, p);
}

CARDIAC_REFERENCE_PREPARE (patchify)
{
  if (!cardiac_reference_expect_tensors (op, 1, error))
    return false;
  const CardiacTensor *x = &op->in[0], *y = &op->out;
  const int64_t p = op->patchify.patch;

  if (!cardiac_reference_expect (op,
          cardiac_reference_is (x, CARDIAC_F32, 4) && x->shape[1] == 3
              && x->shape[2] == x->shape[3] && p >= 1 && x->shape[3] % p == 0
              && cardiac_tensor_width (y) == 3 * p * p
              && cardiac_tensor_count (y) == cardiac_tensor_count (x),
          "x [B,3,S,S] in f32, out [B*n*n,3*P*P], n = S/P", error))
    return false;
  return cardiac_reference_plan (
      kernel, op, run_patchify, x->shape[0] * (x->shape[3] / p), 0, error);
}

/** The class token and the patches of one frame, each with its position. */
static void
run_tokens (const CardiacKernel *kernel, void *const *in, void *out, int piece,
    void *scratch)
{
  const CardiacOp *op = cardiac_reference_op (kernel);
  const int64_t n = op->in[0].shape[1], d = op->in[0].shape[2];
  const int64_t rows = op->out.shape[1];
  const float *class = in[1], *position = in[2];
  (void) scratch;

  for (int64_t row = 0; row < rows; row++)
    for (int64_t i = 0; i < d; i++) {
      float value = 0;
      if (row == 0)
        value = class[i] + position[i];
      else if (row <= n)
        value =
            cardiac_load (in[0], op->in[0].dtype, (piece * n + row - 1) * d + i)
            + position[row * d + i];
      cardiac_store (out, op->out.dtype, (piece * rows + row) * d + i, value);
    }
}

CARDIAC_REFERENCE_PREPARE (tokens)
{
  if (!cardiac_reference_expect_tensors (op, 3, error))
    return false;
  const CardiacTensor *x = &op->in[0], *y = &op->out;

  if (!cardiac_reference_expect (op,
          x->rank == 3 && y->rank == 3 && y->shape[0] == x->shape[0]
              && y->shape[1] >= x->shape[1] + 1 && y->shape[2] == x->shape[2]
              && cardiac_reference_is_vector (op, 1, x->shape[2])
              && cardiac_reference_is_vector (
                  op, 2, (x->shape[1] + 1) * x->shape[2]),
          "x [B,N,D], class [D], position [N+1,D], y [B,R,D], R >= N+1", error))
    return false;
  return cardiac_reference_plan (kernel, op, run_tokens, x->shape[0], 0, error);
}

/** y[b] = x[b, first:first+n] */
static void
run_rows_load (const CardiacKernel *kernel, void *const *in, void *out,
    int piece, void *scratch)
{
  const CardiacOp *op = cardiac_reference_op (kernel);
  const int64_t rows = op->in[0].shape[1], d = op->in[0].shape[2];
  const int64_t n = op->out.shape[1];
  (void) scratch;

  cardiac_copy_row (out, op->out.dtype, piece * n * d, in[0], op->in[0].dtype,
      (piece * rows + op->rows.first) * d, n * d);
}

/** Can [B,n,D] be rows first .. first+n-1 of [B,R,D]? */
static bool
are_rows_of (const CardiacTensor *all, const CardiacTensor *some, int first)
{
  return all->rank == 3 && some->rank == 3 && some->shape[0] == all->shape[0]
         && some->shape[2] == all->shape[2] && first >= 0
         && first + some->shape[1] <= all->shape[1];
}

CARDIAC_REFERENCE_PREPARE (rows_load)
{
  if (!cardiac_reference_expect_tensors (op, 1, error)
      || !cardiac_reference_expect (op,
          are_rows_of (&op->in[0], &op->out, op->rows.first),
          "x [B,R,D], y [B,n,D], first + n <= R", error))
    return false;
  return cardiac_reference_plan (
      kernel, op, run_rows_load, op->out.shape[0], 0, error);
}

/** y[b, first:first+n] = x[b], in place: `out` is in[0]. */
static void
run_rows_store (const CardiacKernel *kernel, void *const *in, void *out,
    int piece, void *scratch)
{
  const CardiacOp *op = cardiac_reference_op (kernel);
  const int64_t rows = op->out.shape[1], d = op->out.shape[2];
  const int64_t n = op->in[1].shape[1];
  (void) scratch;

  cardiac_copy_row (out, op->out.dtype, (piece * rows + op->rows.first) * d,
      in[1], op->in[1].dtype, piece * n * d, n * d);
}

CARDIAC_REFERENCE_PREPARE (rows_store)
{
  if (!cardiac_reference_expect_tensors (op, 2, error)
      || !cardiac_reference_expect (op,
          are_rows_of (&op->out, &op->in[1], op->rows.first)
              && op->in[0].dtype == op->out.dtype
              && cardiac_reference_same_shape (&op->in[0], &op->out),
          "y0 [B,R,D], x [B,n,D], first + n <= R, out y0 itself", error))
    return false;
  return cardiac_reference_plan (
      kernel, op, run_rows_store, op->out.shape[0], 0, error);
}

/** One row of one picture, planes to pixels. */
static void
run_nchw_to_nhwc (const CardiacKernel *kernel, void *const *in, void *out,
    int piece, void *scratch)
{
  const CardiacOp *op = cardiac_reference_op (kernel);
  const CardiacTensor *y = &op->out;
  const int64_t height = y->shape[1], width = y->shape[2], c = y->shape[3];
  const int64_t b = piece / height, row = piece % height;
  const float *x = in[0];
  (void) scratch;

  for (int64_t column = 0; column < width; column++)
    for (int64_t i = 0; i < c; i++)
      cardiac_store (out, y->dtype, (piece * width + column) * c + i,
          x[((b * c + i) * height + row) * width + column]);
}

CARDIAC_REFERENCE_PREPARE (nchw_to_nhwc)
{
  if (!cardiac_reference_expect_tensors (op, 1, error))
    return false;
  const CardiacTensor *x = &op->in[0], *y = &op->out;

  if (!cardiac_reference_expect (op,
          cardiac_reference_is (x, CARDIAC_F32, 4) && y->rank == 4
              && y->shape[0] == x->shape[0] && y->shape[1] == x->shape[2]
              && y->shape[2] == x->shape[3] && y->shape[3] == x->shape[1],
          "x [B,C,H,W] in f32, out [B,H,W,C]", error))
    return false;
  return cardiac_reference_plan (
      kernel, op, run_nchw_to_nhwc, y->shape[0] * y->shape[1], 0, error);
}

/** y of one index along its first axis. */
static void
run_permute (const CardiacKernel *kernel, void *const *in, void *out, int piece,
    void *scratch)
{
  const CardiacOp *op = cardiac_reference_op (kernel);
  const CardiacTensor *x = &op->in[0], *y = &op->out;
  const int64_t count = cardiac_tensor_count (y) / y->shape[0];
  int64_t stride[CARDIAC_MAX_RANK], step = 1; /* of axes of x */
  (void) scratch;

  for (int axis = x->rank - 1; axis >= 0; axis--) {
    stride[axis] = step;
    step *= x->shape[axis];
  }
  for (int64_t i = 0; i < count; i++) {
    int64_t from = piece * stride[op->permute.axes[0]], rest = i;
    for (int axis = y->rank - 1; axis > 0; axis--) {
      from += rest % y->shape[axis] * stride[op->permute.axes[axis]];
      rest /= y->shape[axis];
    }
    cardiac_store (out, y->dtype, piece * count + i,
        cardiac_load (in[0], x->dtype, from));
  }
}

CARDIAC_REFERENCE_PREPARE (permute)
{
  if (!cardiac_reference_expect_tensors (op, 1, error))
    return false;
  const CardiacTensor *x = &op->in[0], *y = &op->out;
  unsigned seen = 0;
  bool fits = y->rank == x->rank;

  for (int i = 0; fits && i < y->rank; i++) {
    const int axis = op->permute.axes[i];
    fits = axis >= 0 && axis < x->rank && y->shape[i] == x->shape[axis];
    if (fits)
      seen |= 1u << axis;
  }
  return cardiac_reference_expect (op, fits && seen == (1u << x->rank) - 1,
             "x, out with each of x's axes once", error)
         && cardiac_reference_plan (
             kernel, op, run_permute, y->shape[0], 0, error);
}
