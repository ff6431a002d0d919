/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cuda.h"
#include "kernels.h"

static cudaError_t
layer_norm (const CardiacOp *op, void *const *in, void *out, void *scratch,
    cudaStream_t stream)
{
  return cardiac_cuda_layer_norm (in[0], op->in[0].dtype, in[1], in[2], out,
      op->out.dtype, cardiac_tensor_rows (&op->out),
      cardiac_tensor_width (&op->out), op->norm.epsilon, stream);
}

CARDIAC_CUDA_PREPARE (layer_norm)
{
  return cardiac_cuda_plan (
      context, op, kernel, layer_norm, 0, "layer_norm", error);
}

static cudaError_t
softmax (const CardiacOp *op, void *const *in, void *out, void *scratch,
    cudaStream_t stream)
{
  return cardiac_cuda_softmax (in[0], out, cardiac_tensor_rows (&op->out),
      cardiac_tensor_width (&op->out), stream);
}

CARDIAC_CUDA_PREPARE (softmax)
{
  return cardiac_cuda_plan (context, op, kernel, softmax, 0, "softmax", error);
}
