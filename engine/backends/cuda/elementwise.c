/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cuda.h"
#include "kernels.h"

static cudaError_t
binary (const CardiacOp *op, void *const *in, void *out, void *scratch,
    cudaStream_t stream)
{
  return cardiac_cuda_binary (in[0], op->in[0].dtype, in[1], op->in[1].dtype,
      cardiac_tensor_count (&op->in[1]), out, op->out.dtype,
      cardiac_tensor_count (&op->out), op->binary.multiply, stream);
}

CARDIAC_CUDA_PREPARE (binary)
{
  return cardiac_cuda_plan (context, op, kernel, binary, 0, "binary", error);
}

static cudaError_t
gate (const CardiacOp *op, void *const *in, void *out, void *scratch,
    cudaStream_t stream)
{
  const int64_t *shape = op->out.shape;
  const bool a_row = op->in[1].shape[1] == shape[1] && op->in[1].shape[2] == 1;
  return cardiac_cuda_gate (in[0], op->in[0].dtype, in[1], a_row, out,
      op->out.dtype, shape[0], shape[1], shape[2], op->gate.offset,
      op->gate.scale, stream);
}

CARDIAC_CUDA_PREPARE (gate)
{
  return cardiac_cuda_plan (context, op, kernel, gate, 0, "gate", error);
}

static cudaError_t
magnitude (const CardiacOp *op, void *const *in, void *out, void *scratch,
    cudaStream_t stream)
{
  return cardiac_cuda_magnitude (in[0], op->in[0].dtype, out, op->out.dtype,
      cardiac_tensor_count (&op->out), stream);
}

CARDIAC_CUDA_PREPARE (magnitude)
{
  return cardiac_cuda_plan (
      context, op, kernel, magnitude, 0, "magnitude", error);
}
