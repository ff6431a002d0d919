/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nets/ops.h"

#include <math.h>

static CardiacValue
same_shape (CardiacProgram *program, CardiacValue x, CardiacDType dtype)
{
  CardiacTensor t = cardiac_program_describe (program, x);
  return cardiac_program_value (program, dtype, t.rank, t.shape);
}

CardiacValue
cardiac_linear (CardiacProgram *program, CardiacValue x, CardiacValue w,
    CardiacValue b, CardiacActivation activation, CardiacValue residual,
    CardiacDType out, int group, const char *label)
{
  int64_t m = cardiac_program_describe (program, x).shape[0];
  int64_t n = cardiac_program_describe (program, w).shape[0];
  CardiacValue y = cardiac_program_value (program, out, 2, (int64_t[]){ m, n });
  CardiacOp op = { .kind = CARDIAC_OP_LINEAR,
    .linear = { .activation = activation, .group = group } };
  return cardiac_program_op (
      program, &op, (CardiacValue[]){ x, w, b, residual }, 4, y, "%s", label);
}

CardiacValue
cardiac_linear_onto (CardiacProgram *program, CardiacValue x, CardiacValue w,
    CardiacValue b, CardiacValue residual, int group, const char *label)
{
  CardiacOp op = { .kind = CARDIAC_OP_LINEAR, .linear = { .group = group } };
  return cardiac_program_op (program, &op,
      (CardiacValue[]){ x, w, b, residual }, 4, residual, "%s", label);
}

CardiacValue
cardiac_layer_norm (CardiacProgram *program, CardiacValue x, CardiacValue gamma,
    CardiacValue beta, float epsilon, CardiacDType out, const char *label)
{
  CardiacOp op = { .kind = CARDIAC_OP_LAYER_NORM,
    .norm = { .epsilon = epsilon } };
  return cardiac_program_op (program, &op, (CardiacValue[]){ x, gamma, beta },
      3, same_shape (program, x, out), "%s", label);
}

CardiacValue
cardiac_attention (CardiacProgram *program, CardiacValue q, int q_offset,
    CardiacValue k, int k_offset, CardiacValue v, int v_offset, int heads,
    int head_dim, const char *label)
{
  CardiacTensor t = cardiac_program_describe (program, q);
  CardiacValue out = cardiac_program_value (program, t.dtype, 3,
      (int64_t[]){ t.shape[0], t.shape[1], (int64_t) heads * head_dim });
  CardiacOp op = { .kind = CARDIAC_OP_ATTENTION,
    .attention = { .heads = heads,
        .head_dim = head_dim,
        .q_offset = q_offset,
        .k_offset = k_offset,
        .v_offset = v_offset,
        .scale = 1.0f / sqrtf ((float) head_dim) } };
  return cardiac_program_op (
      program, &op, (CardiacValue[]){ q, k, v }, 3, out, "%s", label);
}

CardiacValue
cardiac_matmul (CardiacProgram *program, CardiacValue a, CardiacValue w,
    float alpha, const char *label)
{
  CardiacTensor ta = cardiac_program_describe (program, a);
  CardiacTensor tw = cardiac_program_describe (program, w);
  CardiacValue out = cardiac_program_value (program, CARDIAC_F32, 3,
      (int64_t[]){ ta.shape[0], ta.shape[1], tw.shape[1] });
  CardiacOp op = { .kind = CARDIAC_OP_MATMUL, .matmul = { .alpha = alpha } };
  return cardiac_program_op (
      program, &op, (CardiacValue[]){ a, w }, 2, out, "%s", label);
}

static CardiacValue
binary (CardiacProgram *program, CardiacValue x, CardiacValue w, bool multiply,
    const char *label)
{
  CardiacTensor t = cardiac_program_describe (program, x);
  CardiacOp op = { .kind = CARDIAC_OP_BINARY,
    .binary = { .multiply = multiply } };
  return cardiac_program_op (program, &op, (CardiacValue[]){ x, w }, 2,
      same_shape (program, x, t.dtype), "%s", label);
}

CardiacValue
cardiac_add (
    CardiacProgram *program, CardiacValue x, CardiacValue w, const char *label)
{
  return binary (program, x, w, false, label);
}

CardiacValue
cardiac_multiply (
    CardiacProgram *program, CardiacValue x, CardiacValue w, const char *label)
{
  return binary (program, x, w, true, label);
}

CardiacValue
cardiac_concat (CardiacProgram *program, const CardiacValue *values, int count,
    const char *label)
{
  CardiacTensor t = cardiac_program_describe (program, values[0]);
  for (int i = 1; i < count; i++) {
    CardiacTensor other = cardiac_program_describe (program, values[i]);
    t.shape[t.rank - 1] += other.shape[other.rank - 1];
  }
  CardiacOp op = { .kind = CARDIAC_OP_CONCAT };
  return cardiac_program_op (program, &op, values, count,
      cardiac_program_value (program, t.dtype, t.rank, t.shape), "%s", label);
}

CardiacValue
cardiac_softmax (CardiacProgram *program, CardiacValue x, const char *label)
{
  CardiacOp op = { .kind = CARDIAC_OP_SOFTMAX };
  return cardiac_program_op (program, &op, (CardiacValue[]){ x }, 1,
      same_shape (program, x, CARDIAC_F32), "%s", label);
}

CardiacValue
cardiac_rows_load (CardiacProgram *program, CardiacValue x, int first,
    int count, CardiacDType out, const char *label)
{
  CardiacTensor t = cardiac_program_describe (program, x);
  CardiacValue y = cardiac_program_value (
      program, out, 3, (int64_t[]){ t.shape[0], count, t.shape[2] });
  CardiacOp op = { .kind = CARDIAC_OP_ROWS_LOAD, .rows = { .first = first } };
  return cardiac_program_op (
      program, &op, (CardiacValue[]){ x }, 1, y, "%s", label);
}

CardiacValue
cardiac_rows_store (CardiacProgram *program, CardiacValue y, CardiacValue x,
    int first, const char *label)
{
  CardiacOp op = { .kind = CARDIAC_OP_ROWS_STORE, .rows = { .first = first } };
  return cardiac_program_op (
      program, &op, (CardiacValue[]){ y, x }, 2, y, "%s", label);
}

CardiacValue
cardiac_mean (CardiacProgram *program, CardiacValue x, const char *label)
{
  CardiacTensor t = cardiac_program_describe (program, x);
  CardiacValue y = cardiac_program_value (
      program, CARDIAC_F32, 2, (int64_t[]){ t.shape[0], t.shape[2] });
  CardiacOp op = { .kind = CARDIAC_OP_MEAN };
  return cardiac_program_op (
      program, &op, (CardiacValue[]){ x }, 1, y, "%s", label);
}

CardiacValue
cardiac_view1 (CardiacProgram *program, CardiacValue x, int64_t a)
{
  return cardiac_program_reshape (program, x, 1, (int64_t[]){ a });
}

CardiacValue
cardiac_view2 (CardiacProgram *program, CardiacValue x, int64_t a, int64_t b)
{
  return cardiac_program_reshape (program, x, 2, (int64_t[]){ a, b });
}

CardiacValue
cardiac_view3 (
    CardiacProgram *program, CardiacValue x, int64_t a, int64_t b, int64_t c)
{
  return cardiac_program_reshape (program, x, 3, (int64_t[]){ a, b, c });
}
