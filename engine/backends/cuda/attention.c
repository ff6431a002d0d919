/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cuda.h"
#include "kernels.h"

static cudaError_t
attention (const CardiacOp *op, void *const *in, void *out, void *scratch,
    cudaStream_t stream)
{
  const CardiacTensor *q = &op->in[0], *k = &op->in[1], *v = &op->in[2];
  const CardiacAttention a = {
    .dtype = op->out.dtype,
    .q = in[0],
    .k = in[1],
    .v = in[2],
    .y = out,
    .batch = (int) q->shape[0],
    .heads = op->attention.heads,
    .head_dim = op->attention.head_dim,
    .queries = (int) q->shape[1],
    .keys = (int) k->shape[1],
    .q_width = (int) q->shape[2],
    .k_width = (int) k->shape[2],
    .v_width = (int) v->shape[2],
    .q_offset = op->attention.q_offset,
    .k_offset = op->attention.k_offset,
    .v_offset = op->attention.v_offset,
    .scale = op->attention.scale,
  };
  return cardiac_cuda_attention (&a, stream);
}

CARDIAC_CUDA_PREPARE (attention)
{
  enum { MOST_CHANNELS = 128, MOST_KEYS = 12000, MOST_BLOCKS = 65535 };
  const CardiacTensor *q = &op->in[0], *k = &op->in[1];
  const bool wide = op->attention.head_dim > MOST_CHANNELS;
  if (!cardiac_cuda_expect (op,
          k->dtype == q->dtype && op->in[2].dtype == q->dtype
              && op->out.dtype == q->dtype,
          "q, k, v and out of one dtype", error)
      || !cardiac_cuda_expect (op,
          q->shape[0] <= MOST_BLOCKS && op->attention.heads <= MOST_BLOCKS
              && (!wide || k->shape[1] <= MOST_KEYS),
          "at most 65535 pictures and heads, and 12000 keys for heads of more "
          "than 128 channels",
          error))
    return false;
  if (!cardiac_cuda_plan (context, op, kernel, attention, 0,
          wide                      ? "attention"
          : q->dtype == CARDIAC_F32 ? "flash"
                                    : "flash, tensor cores",
          error))
    return false;
  kernel->flop = 4.0 * (double) (q->shape[0] * op->attention.heads)
                 * (double) (q->shape[1] * k->shape[1])
                 * op->attention.head_dim;
  return true;
}
