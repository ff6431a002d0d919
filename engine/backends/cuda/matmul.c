/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "core/error.h"
#include "cuda.h"
#include "product.h"

#include <stdio.h>
#include <stdlib.h>

/* out[b] = alpha a[b] w[b]ᵀ in fp32. */
typedef struct Matmul {
  CardiacCudaProduct *product;
  void *constant[2]; ///< owned; NULL: a value
  float alpha;
  char label[96];
} Matmul;

static void
run (const CardiacKernel *kernel, void *const *in, void *out, int piece,
    void *scratch)
{
  const Matmul *it = kernel->state;
  cardiac_cuda_product_run (it->product, it->alpha,
      it->constant[0] ? it->constant[0] : in[0],
      it->constant[1] ? it->constant[1] : in[1], NULL, NULL, out, scratch,
      it->label);
}

static void
destroy (CardiacKernel *kernel)
{
  Matmul *it = kernel->state;
  cardiac_cuda_product_free (it->product);
  cudaFree (it->constant[0]);
  cudaFree (it->constant[1]);
  free (it);
  kernel->state = NULL;
}

static bool
upload (Matmul *it, CardiacCudaContext *context, const CardiacOp *op,
    CardiacError **error)
{
  for (int i = 0; i < 2; i++)
    if (op->constant[i]
        && !(it->constant[i] = cardiac_cuda_upload (context, op->in[i].data,
                 cardiac_tensor_count (&op->in[i]), CARDIAC_F32, error)))
      return false;
  return true;
}

bool
cardiac_cuda_prepare_matmul (CardiacCudaContext *context, const CardiacOp *op,
    CardiacKernel *kernel, CardiacError **error)
{
  Matmul *it = calloc (1, sizeof *it);
  if (!it)
    return cardiac_fail (error, CARDIAC_ERROR_NO_MEMORY, "no memory");
  it->alpha = op->matmul.alpha;
  snprintf (
      it->label, sizeof it->label, "%s", op->label ? op->label : "matmul");
  const CardiacCudaShape shape = {
    .batch = op->out.shape[0],
    .M = op->out.shape[1],
    .N = op->out.shape[2],
    .K = op->in[0].shape[2],
    .in = CARDIAC_F32,
    .out = CARDIAC_F32,
  };
  *kernel = (CardiacKernel){
    .run = run,
    .destroy = destroy,
    .state = it,
    .pieces = 1,
    .consumed_constants = true,
    .flop = 2.0 * shape.batch * shape.M * shape.N * shape.K,
    .implementation = "cublasLt:f32",
  };
  it->product = cardiac_cuda_product_new (context, &shape, error);
  if (!it->product || !upload (it, context, op, error)) {
    destroy (kernel);
    return false;
  }
  kernel->scratch_bytes = cardiac_cuda_product_workspace (it->product);
  return true;
}
