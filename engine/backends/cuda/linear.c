/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "core/error.h"
#include "cuda.h"
#include "dnn.h"
#include "kernels.h"
#include "product.h"

#include <stdio.h>
#include <stdlib.h>

/* y = act(x wᵀ + b) + residual.
 *
 * cublasLt adds a bias and a residual of y's dtype while it stores. What it
 * cannot do (activations, a cast, a residual of another dtype) is left to one
 * pass of the own epilogue kernel, which then adds the bias, too. A cuDNN graph
 * may do product, bias and activation in one kernel: where it does, and is
 * faster, it is taken, and the other way stays for when it fails. */
typedef struct Linear {
  CardiacCudaContext *context;
  CardiacCudaDnnPlan *graph; ///< the session's; NULL: no graph
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

/* cublasLt, then what it cannot do. */
static void
run_product (const Linear *it, const void *x, const void *residual, void *y,
    void *scratch)
{
  void *product = it->apart ? (char *) scratch
                                  + cardiac_cuda_product_workspace (it->product)
                            : y;
  cardiac_cuda_product_run (it->product, 1, x, it->w,
      it->epilogue ? NULL : it->bias, it->epilogue ? NULL : residual, product,
      scratch, it->label);
  if (it->epilogue)
    cardiac_cuda_note (it->context,
        cardiac_cuda_epilogue (product, it->product_dtype, it->bias, it->N,
            residual, CARDIAC_F32, y, it->out, it->M * it->N, it->activation,
            it->context->stream),
        it->label);
}

static bool
try_graph (const Linear *it, void *x, void *y, void *scratch)
{
  void *const data[CARDIAC_CUDA_VIRTUAL] = {
    [CARDIAC_CUDA_X] = x,
    [CARDIAC_CUDA_W] = it->w,
    [CARDIAC_CUDA_BIAS] = it->bias,
    [CARDIAC_CUDA_Y] = y,
  };
  return cardiac_cuda_dnn_try (it->context, it->graph, data, scratch);
}

static void
run (const CardiacKernel *kernel, void *const *in, void *out, int piece,
    void *scratch)
{
  const Linear *it = kernel->state;
  if (!it->graph || !try_graph (it, in[0], out, scratch))
    run_product (it, in[0], in[3], out, scratch);
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

/* ---- product or graph ------------------------------------------------------ */

/* A layer and memory to time it with. */
typedef struct Trial {
  const Linear *layer;
  void *x, *y, *scratch;
} Trial;

static void
enqueue_product (void *user)
{
  const Trial *it = user;
  run_product (it->layer, it->x, NULL, it->y, it->scratch);
}

static void
enqueue_graph (void *user)
{
  const Trial *it = user;
  if (!try_graph (it->layer, it->x, it->y, it->scratch))
    cardiac_cuda_note (it->layer->context, cudaErrorUnknown, "timing");
}

/* Times both ways, once a shape and session. What cannot be timed for want of
 * memory is not taken. */
static void
time_graph (const Linear *it, const CardiacOp *op, size_t scratch_bytes)
{
  const size_t x_bytes =
      cardiac_cuda_align ((size_t) cardiac_tensor_count (&op->in[0])
                          * cardiac_dtype_size (op->in[0].dtype));
  const size_t y_bytes = cardiac_cuda_align (
      (size_t) (it->M * it->N) * cardiac_dtype_size (it->out));
  CardiacError *error = NULL;
  char *memory = cardiac_cuda_allocate (
      it->context, x_bytes + y_bytes + scratch_bytes, &error);
  it->graph->is_timed = true;
  it->graph->chosen = -1;
  if (memory
      && cudaMemsetAsync (memory, 0, x_bytes, it->context->stream)
             == cudaSuccess)
    cardiac_cuda_dnn_choose (it->context, it->graph, enqueue_graph,
        enqueue_product,
        &(Trial){ it, memory, memory + x_bytes, memory + x_bytes + y_bytes });
  cudaFree (memory);
  cardiac_error_free (&error);
}

/* Halves only: fp32 on tensor cores would be tf32. A residual may be y, which
 * graphs need not read before they write. */
static bool
may_be_graph (const CardiacOp *op)
{
  return op->linear.activation != CARDIAC_ACTIVATION_NONE
         && op->in[0].dtype != CARDIAC_F32 && !cardiac_op_has (op, 3);
}

static bool
plan_graph (Linear *it, const CardiacOp *op, CardiacError **error)
{
  const CardiacCudaLayer layer = {
    .is_product = true,
    .B = 1,
    .H = it->M,
    .W = 1,
    .Ci = op->in[0].shape[1],
    .Ho = it->M,
    .Wo = 1,
    .Co = it->N,
    .kh = 1,
    .kw = 1,
    .stride = 1,
    .in = op->in[0].dtype,
    .out = it->out,
    .bias = cardiac_op_has (op, 2),
    .activation = it->activation,
  };
  return !may_be_graph (op)
         || cardiac_cuda_dnn_plan (
             it->context, &layer, NULL, &it->graph, error);
}

static size_t
larger (size_t a, size_t b)
{
  return a > b ? a : b;
}

/* Drops the graph when it is not the faster way. @return scratch of a run. */
static size_t
choose_way (Linear *it, const CardiacOp *op)
{
  CardiacCudaDnnPlan *graph = it->graph;
  size_t bytes = cardiac_cuda_product_workspace (it->product);
  if (it->apart)
    bytes += (size_t) (it->M * it->N) * sizeof (float);
  if (graph && !graph->is_timed)
    time_graph (it, op, larger (bytes, cardiac_cuda_dnn_workspace (graph)));
  if (graph && graph->chosen >= 0)
    return larger (bytes, graph->engines[graph->chosen].workspace_bytes);
  it->graph = NULL;
  return bytes;
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
  if (!plan_product (it, op, error) || !upload (it, op, error)
      || !plan_graph (it, op, error)) {
    destroy (kernel);
    return false;
  }
  kernel->scratch_bytes = choose_way (it, op);
  snprintf (kernel->implementation, sizeof kernel->implementation, "%s:%s%s",
      it->graph ? "cuDNN" : "cublasLt", cardiac_dtype_name (op->in[0].dtype),
      it->graph      ? " fused"
      : it->epilogue ? "+epilogue"
                     : " alone");
  return true;
}
