/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "backends/reference/reference.h"

#include <math.h>

/** One head's channels of the rows of one b: into [rows,head_dim]. */
static void
load_head (const CardiacTensor *tensor, const void *data, int64_t b,
    int64_t channel, int64_t head_dim, float *head)
{
  const int64_t rows = tensor->shape[1], width = tensor->shape[2];
  for (int64_t t = 0; t < rows; t++)
    cardiac_load_row (data, tensor->dtype, (b * rows + t) * width + channel,
        head_dim, head + t * head_dim);
}

/** weights = softmax (q·k[j] scale) over j. */
static void
attend (const float *q, const float *k, int64_t keys, int64_t head_dim,
    double scale, double *weights)
{
  double highest = -INFINITY, sum = 0;
  for (int64_t j = 0; j < keys; j++) {
    weights[j] = scale * cardiac_reference_dot (q, k + j * head_dim, head_dim);
    highest = fmax (highest, weights[j]);
  }
  for (int64_t j = 0; j < keys; j++) {
    weights[j] = exp (weights[j] - highest);
    sum += weights[j];
  }
  for (int64_t j = 0; j < keys; j++)
    weights[j] /= sum;
}

/** All queries of one head of one b. */
static void
run_attention (const CardiacKernel *kernel, void *const *in, void *out,
    int piece, void *scratch)
{
  const CardiacOp *op = cardiac_reference_op (kernel);
  const int64_t heads = op->attention.heads, d = op->attention.head_dim;
  const int64_t queries = op->in[0].shape[1], keys = op->in[1].shape[1];
  const int64_t b = piece / heads, head = piece % heads;
  double *weights = scratch;
  double *sums = weights + keys;
  float *k = (float *) (sums + d);
  float *v = k + keys * d;
  float *q = v + keys * d;

  load_head (&op->in[0], in[0], b, op->attention.q_offset + head * d, d, q);
  load_head (&op->in[1], in[1], b, op->attention.k_offset + head * d, d, k);
  load_head (&op->in[2], in[2], b, op->attention.v_offset + head * d, d, v);

  for (int64_t t = 0; t < queries; t++) {
    attend (q + t * d, k, keys, d, (double) op->attention.scale, weights);
    for (int64_t i = 0; i < d; i++)
      sums[i] = 0;
    for (int64_t j = 0; j < keys; j++)
      for (int64_t i = 0; i < d; i++)
        sums[i] += weights[j] * (double) v[j * d + i];
    for (int64_t i = 0; i < d; i++)
      cardiac_store (out, op->out.dtype,
          ((b * queries + t) * heads + head) * d + i, (float) sums[i]);
  }
}

/** Do all heads lie within the last axis? */
static bool
heads_fit (const CardiacTensor *tensor, int64_t offset, int64_t channels)
{
  return tensor->rank == 3 && offset >= 0
         && offset + channels <= tensor->shape[2];
}

CARDIAC_REFERENCE_PREPARE (attention)
{
  if (!cardiac_reference_expect_tensors (op, 3, error))
    return false;
  const CardiacTensor *q = &op->in[0], *k = &op->in[1], *v = &op->in[2];
  const CardiacTensor *y = &op->out;
  const int64_t heads = op->attention.heads, d = op->attention.head_dim;

  if (!cardiac_reference_expect (op,
          heads >= 1 && d >= 1
              && heads_fit (q, op->attention.q_offset, heads * d)
              && heads_fit (k, op->attention.k_offset, heads * d)
              && heads_fit (v, op->attention.v_offset, heads * d),
          "q, k, v [B,T,L] with every head inside L", error)
      || !cardiac_reference_expect (op,
          k->shape[0] == q->shape[0] && v->shape[0] == q->shape[0]
              && v->shape[1] == k->shape[1] && y->rank == 3
              && y->shape[0] == q->shape[0] && y->shape[1] == q->shape[1]
              && y->shape[2] == heads * d,
          "k and v of one length, out [B,Tq,heads*head_dim]", error))
    return false;

  const int64_t queries = q->shape[1], keys = k->shape[1];
  size_t scratch = (size_t) (keys + d) * sizeof (double)
                   + (size_t) ((2 * keys + queries) * d) * sizeof (float);
  if (!cardiac_reference_plan (
          kernel, op, run_attention, q->shape[0] * heads, scratch, error))
    return false;
  kernel->flop = 4.0 * (double) (q->shape[0] * heads) * (double) queries
                 * (double) keys * (double) d;
  return true;
}
