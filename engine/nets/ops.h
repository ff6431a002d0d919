/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CARDIAC_NETS_OPS_H
#define CARDIAC_NETS_OPS_H

#include "core/program.h"

/* Operators as networks write them: each makes the value it returns, with the
 * shape that follows from its inputs, and appends one operator (see
 * backends/backend.h for what it computes). A value of 0 means "absent" for
 * optional inputs; on a failed program all return 0. */

/** y [M,N] = act(x wᵀ + b) + residual, of dtype `out`.
 * @param group rows that belong together, 0: any. */
CardiacValue cardiac_linear (CardiacProgram *program, CardiacValue x,
    CardiacValue w, CardiacValue b, CardiacActivation activation,
    CardiacValue residual, CardiacDType out, int group, const char *label);

/** As cardiac_linear() without activation, the sum written over `residual`. */
CardiacValue cardiac_linear_onto (CardiacProgram *program, CardiacValue x,
    CardiacValue w, CardiacValue b, CardiacValue residual, int group,
    const char *label);

CardiacValue cardiac_layer_norm (CardiacProgram *program, CardiacValue x,
    CardiacValue gamma, CardiacValue beta, float epsilon, CardiacDType out,
    const char *label);

/** q, k and v are the first, second and third `heads * head_dim` channels
 * after the given offsets of their values [B,T,L]. */
CardiacValue cardiac_attention (CardiacProgram *program, CardiacValue q,
    int q_offset, CardiacValue k, int k_offset, CardiacValue v, int v_offset,
    int heads, int head_dim, const char *label);

CardiacValue cardiac_matmul (CardiacProgram *program, CardiacValue a,
    CardiacValue w, float alpha, const char *label);

CardiacValue cardiac_add (
    CardiacProgram *program, CardiacValue x, CardiacValue w, const char *label);
CardiacValue cardiac_multiply (
    CardiacProgram *program, CardiacValue x, CardiacValue w, const char *label);
CardiacValue cardiac_concat (CardiacProgram *program,
    const CardiacValue *values, int count, const char *label);
CardiacValue cardiac_softmax (
    CardiacProgram *program, CardiacValue x, const char *label);

/** Rows first .. first+count-1 of x [B,R,D]. */
CardiacValue cardiac_rows_load (CardiacProgram *program, CardiacValue x,
    int first, int count, CardiacDType out, const char *label);

/** Writes x [B,n,D] over rows first .. of y [B,R,D], in place. @return y. */
CardiacValue cardiac_rows_store (CardiacProgram *program, CardiacValue y,
    CardiacValue x, int first, const char *label);

/** Mean over the middle axis of x [A,R,D]. */
CardiacValue cardiac_mean (
    CardiacProgram *program, CardiacValue x, const char *label);

/** Shorthand for a view. */
CardiacValue cardiac_view1 (CardiacProgram *program, CardiacValue x, int64_t a);
CardiacValue cardiac_view2 (
    CardiacProgram *program, CardiacValue x, int64_t a, int64_t b);
CardiacValue cardiac_view3 (
    CardiacProgram *program, CardiacValue x, int64_t a, int64_t b, int64_t c);

#endif
