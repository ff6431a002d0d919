/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cpu.h"

#include <string.h>

/* Operators that move numbers, and sums and products element by element. */

/** Elements that make a piece worth its overhead. */
enum { PIECE_ELEMENTS = 32768 };

static int64_t
rows_a_piece (int64_t width)
{
  return cpu_parts (PIECE_ELEMENTS, width);
}

/** to[to_at ..] = from[from_at ..] in each one's dtype. */
static void
copy (const CpuLoop *loop, void *to, const CardiacTensor *to_shape,
    int64_t to_at, const void *from, const CardiacTensor *from_shape,
    int64_t from_at, int64_t count)
{
  loop->vector->convert (cpu_at (to, to_shape->dtype, to_at), to_shape->dtype,
      cpu_at (from, from_shape->dtype, from_at), from_shape->dtype, count);
}

/* ---- last axis --------------------------------------------------------------------- */

static void
run_concat (const CardiacKernel *kernel, void *const *in, void *out, int piece,
    void *scratch)
{
  const CpuLoop *loop = cpu_loop (kernel);
  const CardiacOp *op = &loop->op;
  const size_t size = cpu_size (op->out.dtype);
  const size_t pitch = (size_t) cardiac_tensor_width (&op->out) * size;
  const int64_t first = piece * loop->chunk;
  const int64_t last =
      cpu_min (first + loop->chunk, cardiac_tensor_rows (&op->out));
  (void) scratch;
  char *column = out;
  for (int i = 0; i < op->inputs; i++) {
    const CardiacTensor *x = &op->in[i];
    const int64_t width = cardiac_tensor_width (x);
    for (int64_t row = first; row < last; row++)
      loop->vector->convert (column + (size_t) row * pitch, op->out.dtype,
          cpu_at (in[i], x->dtype, row * width), x->dtype, width);
    column += (size_t) width * size;
  }
}

CPU_PREPARE (concat)
{
  if (op->inputs < 1 || !cpu_expect (op, op->inputs))
    return false;
  const int64_t rows = cardiac_tensor_rows (&op->out);
  int64_t width = 0;
  for (int i = 0; i < op->inputs; i++) {
    if (cardiac_tensor_rows (&op->in[i]) != rows)
      return false;
    width += cardiac_tensor_width (&op->in[i]);
  }
  return width == cardiac_tensor_width (&op->out)
         && cpu_loop_plan (context, op, kernel, run_concat, rows,
             rows_a_piece (width), 0, error);
}

static void
run_slice (const CardiacKernel *kernel, void *const *in, void *out, int piece,
    void *scratch)
{
  const CpuLoop *loop = cpu_loop (kernel);
  const CardiacTensor *x = &loop->op.in[0], *y = &loop->op.out;
  const int64_t width = cardiac_tensor_width (y);
  const int64_t first = piece * loop->chunk;
  const int64_t last = cpu_min (first + loop->chunk, cardiac_tensor_rows (y));
  (void) scratch;
  for (int64_t row = first; row < last; row++)
    copy (loop, out, y, row * width, in[0], x,
        row * cardiac_tensor_width (x) + loop->op.slice.first, width);
}

CPU_PREPARE (slice)
{
  const CardiacTensor *x = &op->in[0], *y = &op->out;
  if (!cpu_expect (op, 1) || cardiac_tensor_rows (x) != cardiac_tensor_rows (y)
      || op->slice.first < 0
      || op->slice.first + cardiac_tensor_width (y) > cardiac_tensor_width (x))
    return false;
  return cpu_loop_plan (context, op, kernel, run_slice, cardiac_tensor_rows (y),
      rows_a_piece (cardiac_tensor_width (y)), 0, error);
}

/** Rows of x's own length a piece; w starts again after `period` of them. */
static void
run_binary (const CardiacKernel *kernel, void *const *in, void *out, int piece,
    void *scratch)
{
  const CpuLoop *loop = cpu_loop (kernel);
  const CardiacTensor *x = &loop->op.in[0], *w = &loop->op.in[1];
  const CardiacTensor *y = &loop->op.out;
  const int64_t period = cardiac_tensor_count (w);
  const int64_t last =
      cpu_min ((piece + 1) * loop->chunk, cardiac_tensor_count (x));
  (void) scratch;
  for (int64_t at = piece * loop->chunk; at < last;) {
    const int64_t from = at % period;
    const int64_t count = cpu_min (period - from, last - at);
    loop->vector->binary (loop->op.binary.multiply,
        cpu_at (in[0], x->dtype, at), x->dtype, cpu_at (in[1], w->dtype, from),
        w->dtype, cpu_at (out, y->dtype, at), y->dtype, count);
    at += count;
  }
}

CPU_PREPARE (binary)
{
  const CardiacTensor *x = &op->in[0], *w = &op->in[1];
  if (!cpu_expect (op, 2)
      || cardiac_tensor_count (&op->out) != cardiac_tensor_count (x)
      || w->rank > x->rank)
    return false;
  for (int i = 1; i <= w->rank; i++)
    if (w->shape[w->rank - i] != x->shape[x->rank - i])
      return false;
  return cpu_loop_plan (context, op, kernel, run_binary,
      cardiac_tensor_count (x), PIECE_ELEMENTS, 0, error);
}

/** Some rows of x, or channels of pictures; the factors of a row come first. */
static void
run_gate (const CardiacKernel *kernel, void *const *in, void *out, int piece,
    void *scratch)
{
  const CpuLoop *loop = cpu_loop (kernel);
  const CardiacOp *op = &loop->op;
  const CardiacTensor *x = &op->in[0], *y = &op->out;
  const int64_t rows = x->shape[1], c = x->shape[2];
  const bool a_row = op->in[1].shape[1] == rows && op->in[1].shape[2] == 1;
  const int64_t first = piece * loop->chunk;
  const int64_t last = cpu_min (first + loop->chunk, x->shape[0] * rows);
  float *factors = scratch;
  for (int64_t row = first; row < last; row++) {
    const float *g = (const float *) in[1] + (a_row ? row : row / rows * c);
    if (a_row || row == first || row % rows == 0)
      for (int64_t i = 0; i < c; i++)
        factors[i] = op->gate.offset + op->gate.scale * g[a_row ? 0 : i];
    loop->vector->binary (true, cpu_at (in[0], x->dtype, row * c), x->dtype,
        factors, CARDIAC_F32, cpu_at (out, y->dtype, row * c), y->dtype, c);
  }
}

CPU_PREPARE (gate)
{
  const CardiacTensor *x = &op->in[0], *g = &op->in[1];
  if (!cpu_expect (op, 2) || x->rank != 3 || g->rank != 3
      || g->dtype != CARDIAC_F32 || op->out.rank != 3
      || g->shape[0] != x->shape[0]
      || !((g->shape[1] == x->shape[1] && g->shape[2] == 1)
           || (g->shape[1] == 1 && g->shape[2] == x->shape[2])))
    return false;
  for (int i = 0; i < 3; i++)
    if (op->out.shape[i] != x->shape[i])
      return false;
  return cpu_loop_plan (context, op, kernel, run_gate,
      x->shape[0] * x->shape[1], rows_a_piece (x->shape[2]),
      (size_t) x->shape[2] * 4, error);
}

static void
run_magnitude (const CardiacKernel *kernel, void *const *in, void *out,
    int piece, void *scratch)
{
  const CpuLoop *loop = cpu_loop (kernel);
  const int64_t first = piece * loop->chunk;
  const int64_t count =
      cpu_min (loop->chunk, cardiac_tensor_count (&loop->op.out) - first);
  (void) scratch;
  loop->vector->magnitude (
      (const float *) in[0] + 2 * first, (float *) out + first, count);
}

CPU_PREPARE (magnitude)
{
  const CardiacTensor *x = &op->in[0], *y = &op->out;
  if (!cpu_expect (op, 1) || x->dtype != CARDIAC_F32 || y->dtype != CARDIAC_F32
      || cardiac_tensor_width (x) != 2 * cardiac_tensor_width (y)
      || cardiac_tensor_rows (x) != cardiac_tensor_rows (y))
    return false;
  return cpu_loop_plan (context, op, kernel, run_magnitude,
      cardiac_tensor_count (y), PIECE_ELEMENTS, 0, error);
}

/* ---- tokens ------------------------------------------------------------------------- */

/** One row of patches: for each line of pixels, P of them go to each patch. */
static void
run_patchify (const CardiacKernel *kernel, void *const *in, void *out,
    int piece, void *scratch)
{
  const CpuLoop *loop = cpu_loop (kernel);
  const CardiacTensor *x = &loop->op.in[0], *y = &loop->op.out;
  const int64_t side = x->shape[3], p = loop->op.patchify.patch;
  const int64_t n = side / p, width = 3 * p * p;
  const int64_t b = piece / n, row = piece % n;
  (void) scratch;
  for (int64_t c = 0; c < 3; c++)
    for (int64_t line = 0; line < p; line++) {
      const int64_t from = ((b * 3 + c) * side + row * p + line) * side;
      const int64_t to = (int64_t) piece * n * width + (c * p + line) * p;
      for (int64_t column = 0; column < n; column++)
        copy (
            loop, out, y, to + column * width, in[0], x, from + column * p, p);
    }
}

CPU_PREPARE (patchify)
{
  const CardiacTensor *x = &op->in[0];
  const int64_t p = op->patchify.patch;
  if (!cpu_expect (op, 1) || x->rank != 4 || x->shape[1] != 3
      || x->shape[2] != x->shape[3] || p < 1 || x->shape[3] % p != 0
      || cardiac_tensor_width (&op->out) != 3 * p * p
      || cardiac_tensor_count (&op->out) != cardiac_tensor_count (x))
    return false;
  return cpu_loop_plan (context, op, kernel, run_patchify,
      x->shape[0] * (x->shape[3] / p), 1, 0, error);
}

/** Some rows of y. */
static void
run_tokens (const CardiacKernel *kernel, void *const *in, void *out, int piece,
    void *scratch)
{
  const CpuLoop *loop = cpu_loop (kernel);
  const CardiacTensor *x = &loop->op.in[0], *y = &loop->op.out;
  const int64_t n = x->shape[1], d = x->shape[2], r = y->shape[1];
  const int64_t last = cpu_min ((piece + 1) * loop->chunk, y->shape[0] * r);
  const float *position = in[2];
  (void) scratch;
  for (int64_t at = piece * loop->chunk; at < last; at++) {
    const int64_t b = at / r, row = at % r;
    void *to = cpu_at (out, y->dtype, at * d);
    if (row > n)
      memset (to, 0, (size_t) d * cpu_size (y->dtype));
    else if (row == 0)
      loop->vector->binary (
          false, in[1], CARDIAC_F32, position, CARDIAC_F32, to, y->dtype, d);
    else
      loop->vector->binary (false,
          cpu_at (in[0], x->dtype, (b * n + row - 1) * d), x->dtype,
          position + row * d, CARDIAC_F32, to, y->dtype, d);
  }
}

CPU_PREPARE (tokens)
{
  const CardiacTensor *x = &op->in[0], *y = &op->out;
  if (!cpu_expect (op, 3) || x->rank != 3 || y->rank != 3
      || op->in[1].dtype != CARDIAC_F32 || op->in[2].dtype != CARDIAC_F32
      || cardiac_tensor_count (&op->in[1]) != x->shape[2]
      || cardiac_tensor_count (&op->in[2]) != (x->shape[1] + 1) * x->shape[2]
      || y->shape[0] != x->shape[0] || y->shape[2] != x->shape[2]
      || y->shape[1] <= x->shape[1])
    return false;
  return cpu_loop_plan (context, op, kernel, run_tokens,
      y->shape[0] * y->shape[1], rows_a_piece (y->shape[2]), 0, error);
}

/** Some rows of all the rows that are moved. */
static void
run_rows (const CardiacKernel *kernel, void *const *in, void *out, int piece,
    void *scratch)
{
  const CpuLoop *loop = cpu_loop (kernel);
  const CardiacOp *op = &loop->op;
  const bool stores = op->kind == CARDIAC_OP_ROWS_STORE;
  const CardiacTensor *few = stores ? &op->in[1] : &op->out;
  const CardiacTensor *all = stores ? &op->out : &op->in[0];
  const int64_t n = few->shape[1], r = all->shape[1], d = few->shape[2];
  const int64_t last = cpu_min ((piece + 1) * loop->chunk, few->shape[0] * n);
  (void) scratch;
  for (int64_t at = piece * loop->chunk; at < last; at++) {
    const int64_t whole = (at / n * r + op->rows.first + at % n) * d;
    if (stores)
      copy (loop, out, all, whole, in[1], few, at * d, d);
    else
      copy (loop, out, few, at * d, in[0], all, whole, d);
  }
}

static bool
rows_fit (
    const CardiacOp *op, const CardiacTensor *few, const CardiacTensor *all)
{
  return few->rank == 3 && all->rank == 3 && few->shape[0] == all->shape[0]
         && few->shape[2] == all->shape[2] && op->rows.first >= 0
         && op->rows.first + few->shape[1] <= all->shape[1];
}

CPU_PREPARE (rows_load)
{
  if (!cpu_expect (op, 1) || !rows_fit (op, &op->out, &op->in[0]))
    return false;
  return cpu_loop_plan (context, op, kernel, run_rows,
      op->out.shape[0] * op->out.shape[1], rows_a_piece (op->out.shape[2]), 0,
      error);
}

CPU_PREPARE (rows_store)
{
  const CardiacTensor *x = &op->in[1];
  if (!cpu_expect (op, 2) || !rows_fit (op, x, &op->out)
      || op->in[0].dtype != op->out.dtype
      || cardiac_tensor_count (&op->in[0]) != cardiac_tensor_count (&op->out))
    return false;
  return cpu_loop_plan (context, op, kernel, run_rows,
      x->shape[0] * x->shape[1], rows_a_piece (x->shape[2]), 0, error);
}
