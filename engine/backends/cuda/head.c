/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cuda.h"
#include "kernels.h"

static cudaError_t
mean (const CardiacOp *op, void *const *in, void *out, void *scratch,
    cudaStream_t stream)
{
  const int64_t *shape = op->in[0].shape;
  return cardiac_cuda_mean (in[0], out, shape[0], shape[1], shape[2], stream);
}

CARDIAC_CUDA_PREPARE (mean)
{
  return cardiac_cuda_plan (context, op, kernel, mean, 0, "mean", error);
}

static cudaError_t
cosine (const CardiacOp *op, void *const *in, void *out, void *scratch,
    cudaStream_t stream)
{
  const int64_t *shape = op->in[1].shape;
  return cardiac_cuda_cosine (in[0], in[1], out, shape[0], shape[1], shape[2],
      op->cosine.scale, stream);
}

CARDIAC_CUDA_PREPARE (cosine)
{
  return cardiac_cuda_plan (context, op, kernel, cosine, 0, "cosine", error);
}

static cudaError_t
amplify (const CardiacOp *op, void *const *in, void *out, void *scratch,
    cudaStream_t stream)
{
  const int64_t *shape = op->in[0].shape;
  const bool stored = cardiac_op_has (op, 5);
  const CardiacAmplify a = {
    .instances = (int) shape[0],
    .frames = (int) shape[1],
    .e = (int) shape[2],
    .z = in[0],
    .weight = in[1],
    .bias = in[2],
    .gain = in[3],
    .offset = in[4],
    .mean = stored ? in[5] : NULL,
    .variance = stored ? in[6] : NULL,
    .lengths = scratch,
    .beta = op->amplify.beta,
    .epsilon = op->amplify.epsilon,
    .replicate = op->amplify.replicate,
  };
  return cardiac_cuda_amplify (&a, out, stream);
}

CARDIAC_CUDA_PREPARE (amplify)
{
  const int64_t *shape = op->in[0].shape;
  return cardiac_cuda_plan (context, op, kernel, amplify,
      (size_t) (shape[0] * shape[1]) * sizeof (float), "amplify", error);
}
