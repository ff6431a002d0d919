/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cuda.h"
#include "kernels.h"

/* Operators that move numbers. */

static cudaError_t
concat (const CardiacOp *op, void *const *in, void *out, void *scratch,
    cudaStream_t stream)
{
  return cardiac_cuda_concat (in, op->in, op->inputs, out, op->out.dtype,
      cardiac_tensor_count (&op->out), stream);
}

CARDIAC_CUDA_PREPARE (concat)
{
  return cardiac_cuda_plan (context, op, kernel, concat, 0, "concat", error);
}

static cudaError_t
slice (const CardiacOp *op, void *const *in, void *out, void *scratch,
    cudaStream_t stream)
{
  const int64_t width = cardiac_tensor_width (&op->out);
  return cardiac_cuda_copy_rows (in[0], op->in[0].dtype,
      cardiac_tensor_width (&op->in[0]), op->slice.first, out, op->out.dtype,
      width, 0, cardiac_tensor_rows (&op->out), width, stream);
}

CARDIAC_CUDA_PREPARE (slice)
{
  return cardiac_cuda_plan (context, op, kernel, slice, 0, "copy", error);
}

static cudaError_t
rows_load (const CardiacOp *op, void *const *in, void *out, void *scratch,
    cudaStream_t stream)
{
  const int64_t d = op->out.shape[2], inner = op->out.shape[1] * d;
  return cardiac_cuda_copy_rows (in[0], op->in[0].dtype, op->in[0].shape[1] * d,
      op->rows.first * d, out, op->out.dtype, inner, 0, op->out.shape[0], inner,
      stream);
}

CARDIAC_CUDA_PREPARE (rows_load)
{
  return cardiac_cuda_plan (context, op, kernel, rows_load, 0, "copy", error);
}

/* In place: the rows that stay are not touched. */
static cudaError_t
rows_store (const CardiacOp *op, void *const *in, void *out, void *scratch,
    cudaStream_t stream)
{
  const int64_t d = op->out.shape[2], inner = op->in[1].shape[1] * d;
  return cardiac_cuda_copy_rows (in[1], op->in[1].dtype, inner, 0, out,
      op->out.dtype, op->out.shape[1] * d, op->rows.first * d, op->out.shape[0],
      inner, stream);
}

CARDIAC_CUDA_PREPARE (rows_store)
{
  return cardiac_cuda_plan (context, op, kernel, rows_store, 0, "copy", error);
}

static cudaError_t
patchify (const CardiacOp *op, void *const *in, void *out, void *scratch,
    cudaStream_t stream)
{
  return cardiac_cuda_patchify (in[0], out, op->out.dtype, op->in[0].shape[0],
      op->in[0].shape[3], op->patchify.patch, stream);
}

CARDIAC_CUDA_PREPARE (patchify)
{
  return cardiac_cuda_plan (
      context, op, kernel, patchify, 0, "patchify", error);
}

static cudaError_t
tokens (const CardiacOp *op, void *const *in, void *out, void *scratch,
    cudaStream_t stream)
{
  const CardiacTensor *x = &op->in[0], *y = &op->out;
  return cardiac_cuda_tokens (in[0], x->dtype, in[1], in[2], out, y->dtype,
      y->shape[0], x->shape[1], y->shape[1], y->shape[2], stream);
}

CARDIAC_CUDA_PREPARE (tokens)
{
  return cardiac_cuda_plan (context, op, kernel, tokens, 0, "tokens", error);
}

static cudaError_t
nchw_to_nhwc (const CardiacOp *op, void *const *in, void *out, void *scratch,
    cudaStream_t stream)
{
  const int64_t *shape = op->in[0].shape;
  return cardiac_cuda_nchw_to_nhwc (in[0], out, op->out.dtype, shape[0],
      shape[1], shape[2] * shape[3], stream);
}

CARDIAC_CUDA_PREPARE (nchw_to_nhwc)
{
  return cardiac_cuda_plan (
      context, op, kernel, nchw_to_nhwc, 0, "transpose", error);
}

static cudaError_t
permute (const CardiacOp *op, void *const *in, void *out, void *scratch,
    cudaStream_t stream)
{
  return cardiac_cuda_permute (in[0], op->in[0].dtype, out, op->out.dtype,
      &op->out, op->permute.axes, stream);
}

CARDIAC_CUDA_PREPARE (permute)
{
  return cardiac_cuda_plan (context, op, kernel, permute, 0, "permute", error);
}
