/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cuda.h"
#include "kernels.h"

static CardiacPictures
pictures (const CardiacTensor *t)
{
  return (CardiacPictures){ (unsigned) t->shape[0], (unsigned) t->shape[1],
    (unsigned) t->shape[2], (unsigned) t->shape[3] };
}

static cudaError_t
pool2d (const CardiacOp *op, void *const *in, void *out, void *scratch,
    cudaStream_t stream)
{
  return cardiac_cuda_pool2d (in[0], op->in[0].dtype, pictures (&op->in[0]),
      out, op->out.dtype, pictures (&op->out), op->pool.kernel, op->pool.stride,
      op->pool.padding, op->kind == CARDIAC_OP_AVG_POOL2D, stream);
}

CARDIAC_CUDA_PREPARE (max_pool2d)
{
  return cardiac_cuda_plan (context, op, kernel, pool2d, 0, "pool", error);
}

CARDIAC_CUDA_PREPARE (avg_pool2d)
{
  return cardiac_cuda_plan (context, op, kernel, pool2d, 0, "pool", error);
}

static cudaError_t
upsample2x (const CardiacOp *op, void *const *in, void *out, void *scratch,
    cudaStream_t stream)
{
  const CardiacPictures from = pictures (&op->in[0]), to = pictures (&op->out);
  if (!op->upsample.bilinear)
    return cardiac_cuda_nearest2x (in[0], out, op->out.dtype, from, to, stream);
  return cardiac_cuda_bilinear2x (in[0], op->in[0].dtype, from, out,
      op->out.dtype, to, op->upsample.scale, stream);
}

CARDIAC_CUDA_PREPARE (upsample2x)
{
  return cardiac_cuda_plan (context, op, kernel, upsample2x, 0,
      op->upsample.bilinear ? "bilinear" : "nearest", error);
}
