/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cuda.h"
#include "kernels.h"

static cudaError_t
yolo_decode (const CardiacOp *op, void *const *in, void *out, void *scratch,
    cudaStream_t stream)
{
  return cardiac_cuda_yolo_decode (
      in, op->in, out, op->out.shape[1], op->out.shape[0] - 4, stream);
}

CARDIAC_CUDA_PREPARE (yolo_decode)
{
  return cardiac_cuda_plan (
      context, op, kernel, yolo_decode, 0, "yolo_decode", error);
}
