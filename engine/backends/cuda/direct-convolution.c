/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "core/error.h"
#include "cuda.h"
#include "kernels.h"

#include <stdlib.h>

/* The weights of the planned operator lie [kh,kw,Ci,Co]. */
static cudaError_t
convolve (const CardiacOp *op, void *const *in, void *out, void *scratch,
    cudaStream_t stream)
{
  const CardiacTensor *x = &op->in[0], *w = &op->in[1], *y = &op->out;
  const CardiacConvolution c = {
    .x = in[0],
    .x_dtype = x->dtype,
    .x_shape = { (unsigned) x->shape[0], (unsigned) x->shape[1],
        (unsigned) x->shape[2], (unsigned) x->shape[3] },
    .w = in[1],
    .bias = cardiac_op_has (op, 2) ? in[2] : NULL,
    .residual = cardiac_op_has (op, 3) ? in[3] : NULL,
    .residual_dtype = op->in[3].dtype,
    .y = out,
    .y_dtype = y->dtype,
    .y_shape = { (unsigned) y->shape[0], (unsigned) y->shape[1],
        (unsigned) y->shape[2], (unsigned) y->shape[3] },
    .kernel_height = (int) w->shape[0],
    .kernel_width = (int) w->shape[1],
    .stride = op->conv.stride,
    .padding = op->conv.padding,
    .activation = op->conv.activation,
  };
  return cardiac_cuda_convolution (&c, stream);
}

/** [Co,Ci,kh,kw] as [kh,kw,Ci,Co]; malloc'ed. */
static float *
turn_weights (const CardiacTensor *w)
{
  const int64_t co = w->shape[0], ci = w->shape[1];
  const int64_t area = w->shape[2] * w->shape[3];
  const float *from = w->data;
  float *turned = malloc ((size_t) (co * ci * area) * sizeof *turned);
  for (int64_t o = 0; turned && o < co; o++)
    for (int64_t i = 0; i < ci; i++)
      for (int64_t tap = 0; tap < area; tap++)
        turned[(tap * ci + i) * co + o] = from[(o * ci + i) * area + tap];
  return turned;
}

CARDIAC_CUDA_PREPARE (direct_conv2d)
{
  const CardiacTensor *w = &op->in[1];
  if (!cardiac_cuda_expect (op, op->constant[1], "constant weights", error))
    return false;
  float *turned = turn_weights (w);
  if (!turned)
    return cardiac_fail (
        error, CARDIAC_ERROR_NO_MEMORY, "no memory for weights");
  CardiacOp packed = *op;
  packed.in[1] = (CardiacTensor){ .dtype = CARDIAC_F32,
    .rank = 4,
    .shape = { w->shape[2], w->shape[3], w->shape[1], w->shape[0] },
    .data = turned };
  bool planned = cardiac_cuda_plan (
      context, &packed, kernel, convolve, 0, "direct", error);
  free (turned);
  if (planned)
    kernel->flop = 2.0 * (double) cardiac_tensor_count (&op->out)
                   * (double) cardiac_tensor_count (w) / (double) w->shape[0];
  return planned;
}
