/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cpu.h"

#include "core/error.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

/* softmax (q kᵀ scale) v, one frame and some heads a piece, all of it in
 * cache: heads are gathered to dense matrices (oneDNN is two to twenty times
 * slower on strided ones), multiplied in batches, and the rows of the result
 * are divided by their softmax sums on their way out. */

/** Multiply-accumulates that make a piece worth its overhead. */
static const double PIECE_WORK = 8e6;

/** Bytes of logits that stay in the second-level cache beside the rest. */
static const int64_t BATCH_BYTES = 256 << 10;

typedef struct Attention {
  const CpuVector *vector;
  CardiacDType dtype;
  int64_t tq, tk, d; ///< rows of q, rows of k and v, head_dim
  int64_t q_width, k_width, v_width;
  int64_t q_offset, k_offset, v_offset;
  int64_t heads, piece_heads, batch; ///< each divides the one before
  float scale;
  CpuPrimitive *logits, *mix;
  size_t primitive_scratch;
} Attention;

/** Parts of the scratch memory, for one batch of heads. */
typedef struct Parts {
  void *q, *k, *v; ///< [batch,T,d]
  float *logits;   ///< [batch,tq,tk]
  void *weights;   ///< [batch,tq,tk]; F32: the logits themselves
  float *sums;     ///< [batch,tq]
  float *mixed;    ///< [batch,tq,d]
  void *rest;      ///< oneDNN's
} Parts;

/** Lays the parts out at `memory` (may be NULL). @return bytes. */
static size_t
lay_out (const Attention *a, char *memory, Parts *parts)
{
  const size_t size = cpu_size (a->dtype);
  const size_t logits = (size_t) (a->batch * a->tq * a->tk);
  size_t used = 0;
#define TAKE(field, bytes)                                                     \
  parts->field = (void *) ((uintptr_t) memory + used), used += cpu_lines (bytes)
  TAKE (q, (size_t) (a->batch * a->tq * a->d) * size);
  TAKE (k, (size_t) (a->batch * a->tk * a->d) * size);
  TAKE (v, (size_t) (a->batch * a->tk * a->d) * size);
  TAKE (logits, logits * 4);
  TAKE (weights, a->dtype == CARDIAC_F32 ? 0 : logits * size);
  TAKE (sums, (size_t) (a->batch * a->tq) * 4);
  TAKE (mixed, (size_t) (a->batch * a->tq * a->d) * 4);
  TAKE (rest, a->primitive_scratch);
#undef TAKE
  if (a->dtype == CARDIAC_F32)
    parts->weights = parts->logits;
  return used;
}

/** to [rows,d] = columns `offset` .. offset+d-1 of from [rows,width]. */
static void
gather (const Attention *a, const void *from, int64_t rows, int64_t width,
    int64_t offset, void *to)
{
  const size_t size = cpu_size (a->dtype), bytes = (size_t) a->d * size;
  const char *source = (const char *) from + (size_t) offset * size;
  char *target = to;
  for (int64_t row = 0; row < rows; row++) {
    memcpy (target, source, bytes);
    source += (size_t) width * size;
    target += bytes;
  }
}

static void
run_batch (const Attention *a, const void *q, const void *k, const void *v,
    void *out, int64_t head, const Parts *parts)
{
  for (int64_t i = 0; i < a->batch; i++) {
    const int64_t offset = (head + i) * a->d;
    gather (a, q, a->tq, a->q_width, a->q_offset + offset,
        cpu_at (parts->q, a->dtype, i * a->tq * a->d));
    gather (a, k, a->tk, a->k_width, a->k_offset + offset,
        cpu_at (parts->k, a->dtype, i * a->tk * a->d));
    gather (a, v, a->tk, a->v_width, a->v_offset + offset,
        cpu_at (parts->v, a->dtype, i * a->tk * a->d));
  }
  cpu_primitive_run_with (
      a->logits, parts->q, parts->k, parts->logits, parts->rest);
  a->vector->exponentials (parts->logits, a->scale, parts->weights, a->dtype,
      parts->sums, a->batch * a->tq, a->tk);
  cpu_primitive_run_with (
      a->mix, parts->weights, parts->v, parts->mixed, parts->rest);
  for (int64_t i = 0; i < a->batch; i++)
    for (int64_t row = 0; row < a->tq; row++) {
      const int64_t from = i * a->tq + row;
      const int64_t to = (row * a->heads + head + i) * a->d;
      a->vector->scale (parts->mixed + from * a->d, 1.0f / parts->sums[from],
          cpu_at (out, a->dtype, to), a->dtype, a->d);
    }
}

static void
run_attention (const CardiacKernel *kernel, void *const *in, void *out,
    int piece, void *scratch)
{
  const Attention *a = kernel->state;
  const int64_t pieces_of_frame = a->heads / a->piece_heads;
  const int64_t b = piece / pieces_of_frame;
  const int64_t first = piece % pieces_of_frame * a->piece_heads;
  Parts parts;
  lay_out (a, scratch, &parts);
  for (int64_t head = first; head < first + a->piece_heads; head += a->batch)
    run_batch (a, cpu_at (in[0], a->dtype, b * a->tq * a->q_width),
        cpu_at (in[1], a->dtype, b * a->tk * a->k_width),
        cpu_at (in[2], a->dtype, b * a->tk * a->v_width),
        cpu_at (out, a->dtype, b * a->tq * a->heads * a->d), head, &parts);
}

/* ---- planning ----------------------------------------------------------------- */

static void
attention_free (Attention *a)
{
  if (!a)
    return;
  cpu_primitive_free (a->logits);
  cpu_primitive_free (a->mix);
  free (a);
}

static void
destroy_attention (CardiacKernel *kernel)
{
  attention_free (kernel->state);
  kernel->state = NULL;
}

/** The largest divisor of n that is at most `limit`, at least 1. */
static int64_t
divisor_up_to (int64_t n, int64_t limit)
{
  for (int64_t i = cpu_min (n, limit); i > 1; i--)
    if (n % i == 0)
      return i;
  return 1;
}

static bool
make_primitives (const CpuContext *context, Attention *a, CardiacError **error)
{
  const CpuEpilogue none = { 0 };
  CpuArray q = cpu_batch (
      cpu_matrix (a->dtype, a->tq, a->d, a->d), a->batch, a->tq * a->d);
  CpuArray k =
      cpu_batch (cpu_transposed (cpu_matrix (a->dtype, a->tk, a->d, a->d)),
          a->batch, a->tk * a->d);
  CpuArray logits = cpu_batch (
      cpu_matrix (CARDIAC_F32, a->tq, a->tk, a->tk), a->batch, a->tq * a->tk);
  CpuArray weights = logits;
  weights.dtype = a->dtype;
  CpuArray v = cpu_batch (
      cpu_matrix (a->dtype, a->tk, a->d, a->d), a->batch, a->tk * a->d);
  CpuArray mixed = cpu_batch (
      cpu_matrix (CARDIAC_F32, a->tq, a->d, a->d), a->batch, a->tq * a->d);
  a->logits =
      cpu_matmul_new (context->library, &q, &k, &logits, &none, NULL, error);
  a->mix = cpu_matmul_new (
      context->library, &weights, &v, &mixed, &none, NULL, error);
  if (!a->logits || !a->mix)
    return false;
  size_t first = cpu_primitive_scratch (a->logits);
  size_t second = cpu_primitive_scratch (a->mix);
  a->primitive_scratch = first > second ? first : second;
  return true;
}

static bool
plan (const CpuContext *context, const CardiacOp *op, CardiacKernel *kernel,
    Attention *a, CardiacError **error)
{
  const int64_t frames = op->in[0].shape[0];
  const double head_work =
      2.0 * (double) a->tq * (double) a->tk * (double) a->d;
  a->piece_heads =
      divisor_up_to (a->heads, 1 + (int64_t) (PIECE_WORK / head_work));
  a->batch = divisor_up_to (a->piece_heads, BATCH_BYTES / (a->tq * a->tk * 4));
  const int64_t pieces = frames * (a->heads / a->piece_heads);
  if (pieces > INT_MAX || !make_primitives (context, a, error))
    return false;
  Parts parts;
  *kernel = (CardiacKernel){
    .run = run_attention,
    .destroy = destroy_attention,
    .state = a,
    .pieces = (int) pieces,
    .scratch_bytes = lay_out (a, NULL, &parts),
    .flop = 2 * head_work * (double) (a->heads * frames),
  };
  /* The slower one speaks for both. */
  cpu_name_implementation (
      kernel, cpu_primitive_implementation (
                  cpu_primitive_is_slow (a->mix) ? a->mix : a->logits));
  return true;
}

static bool
has_heads (const CardiacTensor *t, int offset, int64_t width, int64_t frames)
{
  return t->rank == 3 && t->shape[0] == frames && offset >= 0
         && offset + width <= t->shape[2];
}

CPU_PREPARE (attention)
{
  if (!cpu_expect (op, 3))
    return false;
  const CardiacTensor *q = &op->in[0], *k = &op->in[1], *v = &op->in[2];
  const int64_t heads = op->attention.heads, d = op->attention.head_dim;
  const int64_t frames = q->shape[0];
  if (heads < 1 || d < 1
      || !has_heads (q, op->attention.q_offset, heads * d, frames)
      || !has_heads (k, op->attention.k_offset, heads * d, frames)
      || !has_heads (v, op->attention.v_offset, heads * d, frames)
      || k->shape[1] != v->shape[1] || k->dtype != q->dtype
      || v->dtype != q->dtype || op->out.dtype != q->dtype
      || cardiac_tensor_count (&op->out) != frames * q->shape[1] * heads * d)
    return false;
  Attention *a = calloc (1, sizeof *a);
  if (!a)
    return cardiac_fail (error, CARDIAC_ERROR_NO_MEMORY, "no memory");
  *a = (Attention){
    .vector = context->vector,
    .dtype = q->dtype,
    .tq = q->shape[1],
    .tk = k->shape[1],
    .d = d,
    .q_width = q->shape[2],
    .k_width = k->shape[2],
    .v_width = v->shape[2],
    .q_offset = op->attention.q_offset,
    .k_offset = op->attention.k_offset,
    .v_offset = op->attention.v_offset,
    .heads = heads,
    .scale = op->attention.scale,
  };
  if (plan (context, op, kernel, a, error))
    return true;
  attention_free (a);
  return false;
}
