/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "core/error.h"
#include "cuda.h"
#include "dnn.h"
#include "kernels.h"

#include <stdio.h>
#include <stdlib.h>

/* y = act(conv(x) + b) + residual, NHWC: all of it one cuDNN graph where an
 * engine takes that, else the convolution alone and the own epilogue kernel;
 * where cuDNN cannot do that either, or is not there, the own convolution. */
typedef struct Convolution {
  CardiacCudaContext *context;
  CardiacCudaDnnPlan *plan; ///< the session's
  CardiacCudaLayer whole;   ///< what is asked for
  bool fused;
  bool apart;  ///< not fused: the convolution goes to scratch first
  void *w;     ///< owned: [Co,kh,kw,Ci] of the input's dtype
  float *bias; ///< owned, or NULL
  char label[96];
} Convolution;

static size_t
workspace_bytes (const Convolution *it)
{
  return cardiac_cuda_align (
      it->plan->engines[it->plan->chosen].workspace_bytes);
}

static void
note (const Convolution *it, cudnnStatus_t status)
{
  char what[128];
  snprintf (what, sizeof what, "%.80s: %s", it->label,
      it->context->dnn->api.error_string (status));
  cardiac_cuda_note (it->context, cudaErrorUnknown, what);
}

static void
run (const CardiacKernel *kernel, void *const *in, void *out, int piece,
    void *scratch)
{
  const Convolution *it = kernel->state;
  const CardiacCudaLayer *c = &it->whole;
  void *residual = c->residual ? in[3] : NULL;
  void *y = it->apart ? (char *) scratch + workspace_bytes (it) : out;
  void *const data[CARDIAC_CUDA_VIRTUAL] = {
    [CARDIAC_CUDA_X] = in[0],
    [CARDIAC_CUDA_W] = it->w,
    [CARDIAC_CUDA_BIAS] = it->fused ? it->bias : NULL,
    [CARDIAC_CUDA_RESIDUAL] = it->fused ? residual : NULL,
    [CARDIAC_CUDA_Y] = y,
  };
  cudnnStatus_t status =
      cardiac_cuda_dnn_execute (it->context, it->plan, data, scratch);
  if (status != CUDNN_STATUS_SUCCESS)
    note (it, status);
  if (!it->fused)
    cardiac_cuda_note (it->context,
        cardiac_cuda_epilogue (y, c->in, it->bias, c->Co, residual, c->out, out,
            c->out, c->B * c->Ho * c->Wo * c->Co, c->activation,
            it->context->stream),
        it->label);
}

static void
destroy (CardiacKernel *kernel)
{
  Convolution *it = kernel->state;
  cudaFree (it->w);
  cudaFree (it->bias);
  free (it);
  kernel->state = NULL;
}

/* [Co,Ci,kh,kw] to [Co,kh,kw,Ci] on the device. */
static void *
upload_weights (CardiacCudaContext *context, const CardiacCudaLayer *c,
    const float *w, CardiacError **error)
{
  const int64_t area = c->kh * c->kw, count = c->Co * c->Ci * area;
  float *packed = malloc ((size_t) count * sizeof *packed);
  if (!packed) {
    cardiac_fail (error, CARDIAC_ERROR_NO_MEMORY, "no memory for weights");
    return NULL;
  }
  for (int64_t o = 0; o < c->Co; o++)
    for (int64_t i = 0; i < c->Ci; i++)
      for (int64_t k = 0; k < area; k++)
        packed[(o * area + k) * c->Ci + i] = w[(o * c->Ci + i) * area + k];
  void *memory = cardiac_cuda_upload (context, packed, count, c->in, error);
  free (packed);
  return memory;
}

static bool
upload (Convolution *it, const CardiacOp *op, CardiacError **error)
{
  it->w = upload_weights (it->context, &it->whole, op->in[1].data, error);
  if (it->w && it->whole.bias)
    it->bias = cardiac_cuda_upload (
        it->context, op->in[2].data, it->whole.Co, CARDIAC_F32, error);
  return it->w && (it->bias || !it->whole.bias);
}

/* NULL plan without an error: cuDNN has none, or cannot be had. */
static bool
choose_plan (Convolution *it, CardiacError **error)
{
  if (!cardiac_cuda_dnn_plan (it->context, &it->whole, NULL, &it->plan, error))
    return false;
  it->fused = it->plan != NULL;
  if (it->fused)
    return true;
  CardiacCudaLayer alone = it->whole;
  alone.out = alone.in;
  alone.bias = alone.residual = false;
  alone.activation = CARDIAC_ACTIVATION_NONE;
  /* y may be the residual itself, which the epilogue still has to read. */
  it->apart = it->whole.residual || it->whole.in != it->whole.out;
  return cardiac_cuda_dnn_plan (it->context, &alone, NULL, &it->plan, error);
}

static CardiacCudaLayer
shape_of (const CardiacOp *op)
{
  const CardiacTensor *x = &op->in[0], *w = &op->in[1], *y = &op->out;
  return (CardiacCudaLayer){
    .B = x->shape[0],
    .H = x->shape[1],
    .W = x->shape[2],
    .Ci = x->shape[3],
    .Ho = y->shape[1],
    .Wo = y->shape[2],
    .Co = y->shape[3],
    .kh = w->shape[2],
    .kw = w->shape[3],
    .stride = op->conv.stride,
    .padding = op->conv.padding,
    .in = x->dtype,
    .out = y->dtype,
    .bias = cardiac_op_has (op, 2),
    .residual = cardiac_op_has (op, 3),
    .activation = op->conv.activation,
  };
}

bool
cardiac_cuda_prepare_conv2d (CardiacCudaContext *context, const CardiacOp *op,
    CardiacKernel *kernel, CardiacError **error)
{
  if (!cardiac_cuda_expect (op,
          op->constant[1] && (!cardiac_op_has (op, 2) || op->constant[2]),
          "constant w and b", error))
    return false;
  Convolution *it = calloc (1, sizeof *it);
  if (!it)
    return cardiac_fail (error, CARDIAC_ERROR_NO_MEMORY, "no memory");
  it->context = context;
  it->whole = shape_of (op);
  const CardiacCudaLayer *c = &it->whole;
  snprintf (
      it->label, sizeof it->label, "%s", op->label ? op->label : "conv2d");
  *kernel = (CardiacKernel){
    .run = run,
    .destroy = destroy,
    .state = it,
    .pieces = 1,
    .consumed_constants = true,
    .flop = 2.0 * c->B * c->Ho * c->Wo * c->Co * c->Ci * c->kh * c->kw,
  };
  const bool chosen = choose_plan (it, error);
  if (!chosen || !it->plan || !upload (it, op, error)) {
    const bool direct = chosen && !it->plan;
    destroy (kernel);
    return direct
           && cardiac_cuda_prepare_direct_conv2d (context, op, kernel, error);
  }
  snprintf (kernel->implementation, sizeof kernel->implementation, "cuDNN:%s%s",
      cardiac_dtype_name (c->in), it->fused ? " fused" : "+epilogue");
  kernel->scratch_bytes = workspace_bytes (it);
  if (it->apart)
    kernel->scratch_bytes +=
        (size_t) (c->B * c->Ho * c->Wo * c->Co) * cardiac_dtype_size (c->in);
  return true;
}
