/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cpu.h"

#include "core/error.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

/* y = act (x wᵀ + b) + residual, cut into blocks of rows, and of columns where
 * rows are few. oneDNN writes a block straight into y when it is as wide as y;
 * narrower blocks, and sums or conversions that it does not fuse, go through
 * scratch memory ("staged"). */

enum {
  PIECE_ROWS = 96, ///< fewer rows are cut into columns instead
  PIECE_ROWS_UNGROUPED = 128,
  PIECE_COLUMNS = 128, ///< the narrowest block
  WANTED_PIECES = 8,   ///< below, large products are cut into columns too
  FEW_COLUMNS = 16,    ///< below, plain dot products
};

/** Multiply-accumulates that make a piece worth its overhead. */
static const double PIECE_WORK = 2e6;

typedef struct Linear {
  const CpuVector *vector;
  CardiacDType x_dtype, y_dtype;
  int64_t m, k, n;
  int64_t rows, columns; ///< of a block
  int64_t row_blocks, column_blocks;
  bool residual, staged;
  /** [is the last block of rows shorter][the last of columns narrower] */
  CpuPrimitive *primitives[2][2];
  /** Packed weights, one a block of columns; [1] for the last block of rows,
   * NULL when it reads the others'. */
  CpuConstants **constants[2];
} Linear;

/* ---- cutting ------------------------------------------------------------------ */

/** Whole groups of rows: at least PIECE_ROWS, and the blocks as even as a
 * divisor of the number of groups makes them. */
static int64_t
rows_of_block (int64_t m, int64_t group)
{
  if (group <= 0 || m % group != 0) {
    int64_t blocks = m / PIECE_ROWS_UNGROUPED;
    return cpu_parts (m, blocks > 1 ? blocks : 1);
  }
  const int64_t groups = m / group;
  const int64_t least = cpu_min (cpu_parts (PIECE_ROWS, group), groups);
  for (int64_t taken = least; taken < 2 * least; taken++)
    if (groups % taken == 0)
      return taken * group;
  return least * group;
}

static int64_t
columns_of_block (int64_t n, int64_t row_blocks, double work)
{
  int64_t blocks = cpu_parts (WANTED_PIECES, row_blocks);
  blocks =
      cpu_min (blocks, (int64_t) (work / (double) row_blocks / PIECE_WORK));
  blocks = cpu_min (blocks, n / PIECE_COLUMNS);
  if (blocks <= 1)
    return n;
  return cpu_min (n, cpu_parts (cpu_parts (n, blocks), 64) * 64);
}

/* ---- running ------------------------------------------------------------------ */

/** y block = staged block (+ residual), in y's dtype. */
static void
store_staged (const Linear *linear, const float *staged, const float *residual,
    void *y, int64_t first, int64_t rows, int64_t column, int64_t columns)
{
  for (int64_t row = 0; row < rows; row++) {
    const int64_t at = (first + row) * linear->n + column;
    void *to = cpu_at (y, linear->y_dtype, at);
    const float *from = staged + row * columns;
    if (residual)
      linear->vector->binary (false, from, CARDIAC_F32, residual + at,
          CARDIAC_F32, to, linear->y_dtype, columns);
    else
      linear->vector->convert (to, linear->y_dtype, from, CARDIAC_F32, columns);
  }
}

static void
run_linear (const CardiacKernel *kernel, void *const *in, void *out, int piece,
    void *scratch)
{
  const Linear *linear = kernel->state;
  /* Blocks of rows come first: neighbours in time share weights in cache. */
  const int64_t row_block = piece % linear->row_blocks;
  const int64_t column_block = piece / linear->row_blocks;
  const int64_t first = row_block * linear->rows;
  const int64_t column = column_block * linear->columns;
  const int64_t rows = cpu_min (linear->rows, linear->m - first);
  const int64_t columns = cpu_min (linear->columns, linear->n - column);
  const int is_last = rows != linear->rows;
  const CpuPrimitive *primitive =
      linear->primitives[is_last][columns != linear->columns];
  const void *x = cpu_at (in[0], linear->x_dtype, first * linear->k);
  const float *residual = linear->residual ? in[3] : NULL;
  const CpuConstants *constants =
      linear->constants[is_last && linear->constants[1]][column_block];

  if (linear->staged) {
    float *staged = scratch;
    void *rest = (char *) scratch
                 + cpu_lines ((size_t) (linear->rows * linear->columns) * 4);
    cpu_primitive_run (primitive, x, constants, staged, rest);
    store_staged (linear, staged, residual, out, first, rows, column, columns);
    return;
  }
  void *y = cpu_at (out, linear->y_dtype, first * linear->n);
  if (residual && residual != out)
    memcpy (y, residual + first * linear->n, (size_t) (rows * linear->n) * 4);
  cpu_primitive_run (primitive, x, constants, y, scratch);
}

/* ---- planning ----------------------------------------------------------------- */

static void
linear_free (Linear *linear)
{
  if (!linear)
    return;
  for (int i = 0; i < 4; i++)
    cpu_primitive_free (linear->primitives[i / 2][i % 2]);
  for (int last = 0; last < 2; last++) {
    CpuConstants **constants = linear->constants[last];
    for (int64_t i = 0; constants && i < linear->column_blocks; i++)
      cpu_constants_free (constants[i]);
    free (constants);
  }
  free (linear);
}

static void
destroy_linear (CardiacKernel *kernel)
{
  linear_free (kernel->state);
  kernel->state = NULL;
}

static CpuPrimitive *
make_primitive (const CpuContext *context, const Linear *linear,
    const CardiacOp *op, int64_t rows, int64_t columns,
    const CpuPrimitive *like, CardiacError **error)
{
  CardiacDType stored = linear->staged ? CARDIAC_F32 : linear->y_dtype;
  CpuArray x = cpu_matrix (linear->x_dtype, rows, linear->k, linear->k);
  CpuArray w = { linear->x_dtype, 2, { linear->k, columns }, { 0 } };
  CpuArray y = cpu_matrix (stored, rows, columns, columns);
  CpuEpilogue epilogue = {
    .bias = cardiac_op_has (op, 2),
    .activation = op->linear.activation,
    .accumulate = linear->residual && !linear->staged,
  };
  return cpu_matmul_new (context->library, &x, &w, &y, &epilogue, like, error);
}

/** Primitives for a block of rows, whole (`last` 0) or the last, and each
 * width of columns. With `shared` they read the weights packed for whole
 * blocks. @return false when one cannot, or (with an error) on failure. */
static bool
make_primitives (const CpuContext *context, Linear *linear, const CardiacOp *op,
    int last, bool shared, CardiacError **error)
{
  const int64_t rows =
      last ? linear->m - (linear->row_blocks - 1) * linear->rows : linear->rows;
  const int64_t last_columns =
      linear->n - (linear->column_blocks - 1) * linear->columns;
  for (int narrow = 0; narrow < 2; narrow++) {
    if (narrow && last_columns == linear->columns)
      continue;
    const CpuPrimitive *whole = linear->primitives[0][narrow];
    CpuPrimitive *made = make_primitive (context, linear, op, rows,
        narrow ? last_columns : linear->columns, shared ? whole : NULL, error);
    cpu_primitive_free (linear->primitives[last][narrow]);
    linear->primitives[last][narrow] = made;
    if (!made
        || (shared && cpu_primitive_is_slow (made)
            && !cpu_primitive_is_slow (whole)))
      return false;
  }
  return true;
}

static bool
pack (Linear *linear, const CardiacOp *op, int last, CardiacError **error)
{
  CpuConstants **constants =
      calloc ((size_t) linear->column_blocks, sizeof *constants);
  linear->constants[last] = constants;
  if (!constants)
    return cardiac_fail (error, CARDIAC_ERROR_NO_MEMORY, "no memory");
  for (int64_t i = 0; i < linear->column_blocks; i++) {
    const int64_t column = i * linear->columns;
    const int64_t columns = cpu_min (linear->columns, linear->n - column);
    const float *w = (const float *) op->in[1].data + column * linear->k;
    const float *b = op->in[2].data;
    CpuArray array = cpu_transposed (
        cpu_matrix (CARDIAC_F32, columns, linear->k, linear->k));
    constants[i] =
        cpu_constants_new (linear->primitives[last][columns != linear->columns],
            &array, w, cardiac_op_has (op, 2) ? b + column : NULL, error);
    if (!constants[i])
      return false;
  }
  return true;
}

/** oneDNN packs by shape, and has only a slow implementation for the layout of
 * another: the last block of rows then gets weights of its own. */
static bool
make_and_pack (const CpuContext *context, Linear *linear, const CardiacOp *op,
    CardiacError **error)
{
  if (!make_primitives (context, linear, op, 0, false, error)
      || !pack (linear, op, 0, error))
    return false;
  if (linear->m % linear->rows == 0
      || make_primitives (context, linear, op, 1, true, NULL))
    return true;
  return make_primitives (context, linear, op, 1, false, error)
         && pack (linear, op, 1, error);
}

/** Of the slowest primitive. */
static const char *
implementation (const Linear *linear)
{
  for (int i = 0; i < 4; i++) {
    const CpuPrimitive *primitive = linear->primitives[i / 2][i % 2];
    if (primitive && cpu_primitive_is_slow (primitive))
      return cpu_primitive_implementation (primitive);
  }
  return cpu_primitive_implementation (linear->primitives[0][0]);
}

/** Without AVX-512, oneDNN has only its reference for a sum after an
 * activation: the residual is then added afterwards. */
static bool
sums_slowly (
    const CpuContext *context, const Linear *linear, const CardiacOp *op)
{
  if (!linear->residual || op->linear.activation == CARDIAC_ACTIVATION_NONE)
    return false;
  CpuPrimitive *primitive =
      make_primitive (context, linear, op, linear->rows, linear->n, NULL, NULL);
  const bool slow =
      !primitive
      || strncmp (cpu_primitive_implementation (primitive), "ref", 3) == 0;
  cpu_primitive_free (primitive);
  return slow;
}

static size_t
scratch_bytes (const Linear *linear)
{
  size_t most = 0;
  for (int i = 0; i < 4; i++) {
    const CpuPrimitive *primitive = linear->primitives[i / 2][i % 2];
    if (primitive && cpu_primitive_scratch (primitive) > most)
      most = cpu_primitive_scratch (primitive);
  }
  if (linear->staged)
    most += cpu_lines ((size_t) (linear->rows * linear->columns) * 4);
  return most;
}

static bool
plan_with_onednn (const CpuContext *context, const CardiacOp *op,
    CardiacKernel *kernel, Linear *linear, CardiacError **error)
{
  const double work =
      (double) linear->m * (double) linear->k * (double) linear->n;
  linear->rows = rows_of_block (linear->m, op->linear.group);
  linear->row_blocks = cpu_parts (linear->m, linear->rows);
  linear->columns = columns_of_block (linear->n, linear->row_blocks, work);
  linear->column_blocks = cpu_parts (linear->n, linear->columns);
  const bool converts =
      linear->x_dtype == CARDIAC_F32 && linear->y_dtype == CARDIAC_BF16;
  const bool sums_half = linear->residual && linear->y_dtype == CARDIAC_BF16;
  linear->staged = linear->column_blocks > 1 || converts || sums_half
                   || sums_slowly (context, linear, op);
  if (linear->row_blocks * linear->column_blocks > INT_MAX
      || !make_and_pack (context, linear, op, error))
    return false;
  *kernel = (CardiacKernel){
    .run = run_linear,
    .destroy = destroy_linear,
    .state = linear,
    .pieces = (int) (linear->row_blocks * linear->column_blocks),
    .scratch_bytes = scratch_bytes (linear),
    .consumed_constants = true,
    .flop = 2 * work,
  };
  cpu_name_implementation (kernel, implementation (linear));
  return true;
}

/* ---- few columns ---------------------------------------------------------------- */

/** Dot products, for a handful of columns and no activation. */
static void
run_few (const CardiacKernel *kernel, void *const *in, void *out, int piece,
    void *scratch)
{
  const CpuLoop *loop = cpu_loop (kernel);
  const CardiacOp *op = &loop->op;
  const int64_t m = cardiac_tensor_rows (&op->in[0]),
                k = cardiac_tensor_width (&op->in[0]);
  const int64_t n = op->in[1].shape[0];
  const int64_t first = piece * loop->chunk;
  const int64_t last = cpu_min (first + loop->chunk, m);
  const float *w = in[1];
  const float *b = cardiac_op_has (op, 2) ? in[2] : NULL;
  const float *residual = cardiac_op_has (op, 3) ? in[3] : NULL;
  float *x = scratch;

  for (int64_t row = first; row < last; row++) {
    float y[FEW_COLUMNS];
    loop->vector->convert (x, CARDIAC_F32,
        cpu_at (in[0], op->in[0].dtype, row * k), op->in[0].dtype, k);
    for (int64_t c = 0; c < n; c++) {
      y[c] = loop->vector->dot (x, w + c * k, k) + (b ? b[c] : 0);
      if (residual)
        y[c] += residual[row * n + c];
    }
    loop->vector->convert (
        cpu_at (out, op->out.dtype, row * n), op->out.dtype, y, CARDIAC_F32, n);
  }
}

CPU_PREPARE (linear)
{
  if (!cpu_expect (op, 2) || !op->constant[1] || op->in[1].rank != 2)
    return false;
  const int64_t m = cardiac_tensor_rows (&op->in[0]),
                k = cardiac_tensor_width (&op->in[0]);
  const int64_t n = op->in[1].shape[0];
  const bool residual = cardiac_op_has (op, 3);
  const bool bias = cardiac_op_has (op, 2);
  if (op->in[1].shape[1] != k || cardiac_tensor_count (&op->out) != m * n
      || (bias && (cardiac_tensor_count (&op->in[2]) != n || !op->constant[2]))
      || (residual
          && (op->in[3].dtype != CARDIAC_F32
              || cardiac_tensor_count (&op->in[3]) != m * n)))
    return false;
  if (n < FEW_COLUMNS && op->linear.activation == CARDIAC_ACTIVATION_NONE) {
    if (!cpu_loop_plan (context, op, kernel, run_few, m,
            cpu_parts (200000, k * n), (size_t) k * 4, error))
      return false;
    kernel->flop = 2.0 * (double) m * (double) n * (double) k;
    return true;
  }

  Linear *linear = calloc (1, sizeof *linear);
  if (!linear)
    return cardiac_fail (error, CARDIAC_ERROR_NO_MEMORY, "no memory");
  linear->vector = context->vector;
  linear->x_dtype = op->in[0].dtype;
  linear->y_dtype = op->out.dtype;
  linear->m = m;
  linear->k = k;
  linear->n = n;
  linear->residual = residual;
  if (plan_with_onednn (context, op, kernel, linear, error))
    return true;
  linear_free (linear);
  return false;
}
