/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cuda.h"
#include "kernels.h"

static cudaError_t
eigencam (const CardiacOp *op, void *const *in, void *out, void *scratch,
    cudaStream_t stream)
{
  const int64_t *shape = op->in[0].shape;
  const CardiacEigencam e = {
    .frames = (unsigned) shape[0],
    .patches = (unsigned) shape[1],
    .channels = (unsigned) shape[2],
    .p = in[0],
    .mixed = in[1],
    .scratch = scratch,
    .y = out,
  };
  return cardiac_cuda_eigencam (&e, stream);
}

CARDIAC_CUDA_PREPARE (eigencam)
{
  enum { MOST = 1000, MOST_FRAMES = 65535 };
  const int64_t *shape = op->in[0].shape;
  return cardiac_cuda_expect (op,
             (shape[1] <= MOST || shape[2] <= MOST) && shape[0] <= MOST_FRAMES,
             "at most 1000 patches or channels and 65535 frames", error)
         && cardiac_cuda_plan (context, op, kernel, eigencam,
             cardiac_cuda_eigencam_scratch (shape[0], shape[1], shape[2]),
             "householder", error);
}
