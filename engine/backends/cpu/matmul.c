/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cpu.h"

#include "core/error.h"

#include <limits.h>
#include <stdlib.h>

/* out[b] = alpha a[b] w[b]ᵀ, of two values of the program. */

enum { PIECE_ROWS = 256, FEW_COLUMNS = 16 };

typedef struct Matmul {
  int64_t m, k, n;
  int64_t rows, row_blocks;
  CpuPrimitive *whole, *last; ///< `last` NULL: all blocks are whole
} Matmul;

static void
run_matmul (const CardiacKernel *kernel, void *const *in, void *out, int piece,
    void *scratch)
{
  const Matmul *matmul = kernel->state;
  const int64_t b = piece / matmul->row_blocks;
  const int64_t first = piece % matmul->row_blocks * matmul->rows;
  const bool is_last = first + matmul->rows > matmul->m;
  cpu_primitive_run_with (is_last ? matmul->last : matmul->whole,
      (const float *) in[0] + (b * matmul->m + first) * matmul->k,
      (const float *) in[1] + b * matmul->n * matmul->k,
      (float *) out + (b * matmul->m + first) * matmul->n, scratch);
}

static void
matmul_free (Matmul *matmul)
{
  if (!matmul)
    return;
  cpu_primitive_free (matmul->whole);
  cpu_primitive_free (matmul->last);
  free (matmul);
}

static void
destroy_matmul (CardiacKernel *kernel)
{
  matmul_free (kernel->state);
  kernel->state = NULL;
}

static CpuPrimitive *
make_primitive (const CpuContext *context, const Matmul *matmul, int64_t rows,
    float alpha, CardiacError **error)
{
  CpuArray a = cpu_matrix (CARDIAC_F32, rows, matmul->k, matmul->k);
  CpuArray w = cpu_transposed (
      cpu_matrix (CARDIAC_F32, matmul->n, matmul->k, matmul->k));
  CpuArray y = cpu_matrix (CARDIAC_F32, rows, matmul->n, matmul->n);
  CpuEpilogue epilogue = { .alpha = alpha };
  return cpu_matmul_new (context->library, &a, &w, &y, &epilogue, NULL, error);
}

static bool
plan_with_onednn (const CpuContext *context, const CardiacOp *op,
    CardiacKernel *kernel, Matmul *matmul, CardiacError **error)
{
  const int64_t batch = op->in[0].shape[0];
  matmul->m = op->in[0].shape[1];
  matmul->k = op->in[0].shape[2];
  matmul->n = op->in[1].shape[1];
  matmul->rows = cpu_parts (matmul->m, cpu_parts (matmul->m, PIECE_ROWS));
  matmul->row_blocks = cpu_parts (matmul->m, matmul->rows);
  const int64_t last = matmul->m - (matmul->row_blocks - 1) * matmul->rows;
  const int64_t pieces = batch * matmul->row_blocks;
  if (pieces > INT_MAX)
    return false;
  matmul->whole =
      make_primitive (context, matmul, matmul->rows, op->matmul.alpha, error);
  if (!matmul->whole)
    return false;
  size_t scratch = cpu_primitive_scratch (matmul->whole);
  if (last != matmul->rows) {
    matmul->last =
        make_primitive (context, matmul, last, op->matmul.alpha, error);
    if (!matmul->last)
      return false;
    if (cpu_primitive_scratch (matmul->last) > scratch)
      scratch = cpu_primitive_scratch (matmul->last);
  }
  *kernel = (CardiacKernel){
    .run = run_matmul,
    .destroy = destroy_matmul,
    .state = matmul,
    .pieces = (int) pieces,
    .scratch_bytes = scratch,
  };
  cpu_name_implementation (
      kernel, cpu_primitive_implementation (matmul->whole));
  return true;
}

/** One b: dot products. */
static void
run_few (const CardiacKernel *kernel, void *const *in, void *out, int piece,
    void *scratch)
{
  const CpuLoop *loop = cpu_loop (kernel);
  const CardiacTensor *a = &loop->op.in[0], *w = &loop->op.in[1];
  const int64_t m = a->shape[1], k = a->shape[2], n = w->shape[1];
  const float *rows = (const float *) in[0] + piece * m * k;
  const float *columns = (const float *) in[1] + piece * n * k;
  float *y = (float *) out + piece * m * n;
  (void) scratch;
  for (int64_t i = 0; i < m; i++)
    for (int64_t j = 0; j < n; j++)
      y[i * n + j] = loop->op.matmul.alpha
                     * loop->vector->dot (rows + i * k, columns + j * k, k);
}

CPU_PREPARE (matmul)
{
  const CardiacTensor *a = &op->in[0], *w = &op->in[1], *y = &op->out;
  if (!cpu_expect (op, 2) || a->dtype != CARDIAC_F32 || w->dtype != CARDIAC_F32
      || y->dtype != CARDIAC_F32 || a->rank != 3 || w->rank != 3
      || a->shape[0] != w->shape[0] || a->shape[2] != w->shape[2]
      || cardiac_tensor_count (y) != a->shape[0] * a->shape[1] * w->shape[1])
    return false;
  const double flop =
      2.0 * (double) cardiac_tensor_count (a) * (double) w->shape[1];
  bool planned;
  if (w->shape[1] < FEW_COLUMNS || op->matmul.alpha == 0) {
    planned =
        cpu_loop_plan (context, op, kernel, run_few, a->shape[0], 1, 0, error);
  } else {
    Matmul *matmul = calloc (1, sizeof *matmul);
    if (!matmul)
      return cardiac_fail (error, CARDIAC_ERROR_NO_MEMORY, "no memory");
    planned = plan_with_onednn (context, op, kernel, matmul, error);
    if (!planned)
      matmul_free (matmul);
  }
  if (planned)
    kernel->flop = flop;
  return planned;
}
