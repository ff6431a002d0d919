/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "core/error.h"
#include "cuda.h"
#include "kernels.h"
#include "product.h"

#include <stdio.h>
#include <stdlib.h>

/* y = act(x wᵀ + b) + residual.
 *
 * cublasLt adds a bias and a residual of y's dtype while it stores. What it
 * cannot do (activations, a cast, a residual of another dtype) is left to one
 * pass of the own epilogue kernel, which then adds the bias, too. */
typedef struct Linear {
  CardiacCudaContext *context;
  CardiacCudaProduct *product;
  void *w;    ///< owned, of the product's dtype
  void *bias; ///< owned: as y, or F32 for the own epilogue; or NULL
  bool epilogue;
  bool apart; ///< the product goes to scratch first
  CardiacActivation activation;
  CardiacDType product_dtype, out;
  int64_t M, N;
  char label[96];
} Linear;

static void
run (const CardiacKernel *kernel, void *const *in, void *out, int piece,
    void *scratch)
{
  const Linear *it = kernel->state;
  const void *residual = in[3];
  void *product = it->apart ? (char *) scratch
                                  + cardiac_cuda_product_workspace (it->product)
                            : out;
  cardiac_cuda_product_run (it->product, 1, in[0], it->w,
      it->epilogue ? NULL : it->bias, it->epilogue ? NULL : residual, product,
      scratch, it->label);
  if (it->epilogue)
    cardiac_cuda_note (it->context,
        cardiac_cuda_epilogue (product, it->product_dtype, it->bias, it->N,
            residual, CARDIAC_F32, out, it->out, it->M * it->N, it->activation,
            it->context->stream),
        it->label);
}

static void
destroy (CardiacKernel *kernel)
{
  Linear *it = kernel->state;
  cardiac_cuda_product_free (it->product);
  cudaFree (it->w);
  cudaFree (it->bias);
  free (it);
  kernel->state = NULL;
}

/* Can cublasLt not do it all? */
static bool
needs_epilogue (const Linear *it, const CardiacOp *op)
{
  return it->activation != CARDIAC_ACTIVATION_NONE
         || (it->out != CARDIAC_F32
             && (it->out != op->in[0].dtype || cardiac_op_has (op, 3)));
}

/* Who does what, given who does the epilogue: the product's shape. */
static CardiacCudaShape
divide_work (Linear *it, const CardiacOp *op)
{
  const CardiacDType in = op->in[0].dtype;
  const bool residual = cardiac_op_has (op, 3);
  /* y may be the residual itself, which the epilogue still has to read. */
  it->apart =
      (it->out != CARDIAC_F32 && it->out != in) || (it->epilogue && residual);
  it->product_dtype = it->apart ? CARDIAC_F32 : it->out;
  return (CardiacCudaShape){
    .batch = 1,
    .M = it->M,
    .N = it->N,
    .K = op->in[0].shape[1],
    .in = in,
    .out = it->product_dtype,
    .bias = cardiac_op_has (op, 2) && !it->epilogue,
    .residual = residual && !it->epilogue,
  };
}

/* As much by cublasLt as it can, or else the product alone. */
static bool
plan_product (Linear *it, const CardiacOp *op, CardiacError **error)
{
  CardiacError *why = NULL;
  it->epilogue = needs_epilogue (it, op);
  CardiacCudaShape shape = divide_work (it, op);
  it->product = cardiac_cuda_product_new (it->context, &shape, &why);
  if (!it->product && !it->epilogue
      && cardiac_error_code (why) == CARDIAC_ERROR_UNSUPPORTED) {
    cardiac_error_free (&why);
    it->epilogue = true;
    shape = divide_work (it, op);
    it->product = cardiac_cuda_product_new (it->context, &shape, &why);
  }
  if (error && !*error)
    *error = why;
  else
    cardiac_error_free (&why);
  return it->product != NULL;
}

static bool
upload (Linear *it, const CardiacOp *op, CardiacError **error)
{
  it->w = cardiac_cuda_upload (it->context, op->in[1].data,
      cardiac_tensor_count (&op->in[1]), op->in[0].dtype, error);
  if (it->w && cardiac_op_has (op, 2))
    it->bias = cardiac_cuda_upload (it->context, op->in[2].data, it->N,
        it->epilogue ? CARDIAC_F32 : it->product_dtype, error);
  return it->w && (it->bias || !cardiac_op_has (op, 2));
}

bool
cardiac_cuda_prepare_linear (CardiacCudaContext *context, const CardiacOp *op,
    CardiacKernel *kernel, CardiacError **error)
{
  if (!cardiac_cuda_expect (op,
          op->constant[1] && (!cardiac_op_has (op, 2) || op->constant[2]),
          "constant w and b", error))
    return false;
  Linear *it = calloc (1, sizeof *it);
  if (!it)
    return cardiac_fail (error, CARDIAC_ERROR_NO_MEMORY, "no memory");
  it->context = context;
  it->activation = op->linear.activation;
  it->out = op->out.dtype;
  it->M = op->out.shape[0];
  it->N = op->out.shape[1];
  snprintf (
      it->label, sizeof it->label, "%s", op->label ? op->label : "linear");
  *kernel = (CardiacKernel){
    .run = run,
    .destroy = destroy,
    .state = it,
    .pieces = 1,
    .consumed_constants = true,
    .flop = 2.0 * it->M * it->N * op->in[0].shape[1],
  };
  if (!plan_product (it, op, error) || !upload (it, op, error)) {
    destroy (kernel);
    return false;
  }
  snprintf (kernel->implementation, sizeof kernel->implementation,
      "cublasLt:%s%s", cardiac_dtype_name (op->in[0].dtype),
      it->epilogue ? "+epilogue" : " alone");
  kernel->scratch_bytes = cardiac_cuda_product_workspace (it->product);
  if (it->apart)
    kernel->scratch_bytes += (size_t) (it->M * it->N) * sizeof (float);
  return true;
}
