/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "core/error.h"
#include "cuda.h"
#include "dnn.h"
#include "kernels.h"

#include <stdio.h>
#include <stdlib.h>

enum { MOST_CHANNELS = 128 }; ///< of a head; more have a kernel of their own

/* The own kernel, or cuDNN's, where it has one that is faster. */
typedef struct Attention {
  CardiacCudaContext *context;
  CardiacCudaDnnPlan *graph; ///< the session's; NULL: no graph
  CardiacAttention shape;    ///< without pointers
  char label[96];
} Attention;

static void
run_own (const Attention *it, void *const *in, void *y)
{
  CardiacAttention a = it->shape;
  a.q = in[0];
  a.k = in[1];
  a.v = in[2];
  a.y = y;
  cardiac_cuda_note (
      it->context, cardiac_cuda_attention (&a, it->context->stream), it->label);
}

/* The first head's channels of the first row. */
static void *
first_head (const Attention *it, void *array, int offset)
{
  return (char *) array + offset * cardiac_dtype_size (it->shape.dtype);
}

static bool
try_graph (const Attention *it, void *const *in, void *y, void *scratch)
{
  float scale = it->shape.scale; /* read while it is enqueued */
  void *const data[CARDIAC_CUDA_VIRTUAL] = {
    [CARDIAC_CUDA_Q] = first_head (it, in[0], it->shape.q_offset),
    [CARDIAC_CUDA_K] = first_head (it, in[1], it->shape.k_offset),
    [CARDIAC_CUDA_V] = first_head (it, in[2], it->shape.v_offset),
    [CARDIAC_CUDA_SCALE] = &scale,
    [CARDIAC_CUDA_Y] = y,
  };
  return cardiac_cuda_dnn_try (it->context, it->graph, data, scratch);
}

static void
run (const CardiacKernel *kernel, void *const *in, void *out, int piece,
    void *scratch)
{
  const Attention *it = kernel->state;
  if (!it->graph || !try_graph (it, in, out, scratch))
    run_own (it, in, out);
}

static void
destroy (CardiacKernel *kernel)
{
  free (kernel->state);
  kernel->state = NULL;
}

/* ---- own kernel or graph ---------------------------------------------------- */

/* Attention and memory to time it with. */
typedef struct Trial {
  const Attention *it;
  void *in[3], *y, *scratch;
} Trial;

static void
enqueue_own (void *user)
{
  const Trial *trial = user;
  run_own (trial->it, trial->in, trial->y);
}

static void
enqueue_graph (void *user)
{
  const Trial *trial = user;
  if (!try_graph (trial->it, trial->in, trial->y, trial->scratch))
    cardiac_cuda_note (trial->it->context, cudaErrorUnknown, "timing");
}

static size_t
bytes_of (const CardiacTensor *tensor)
{
  return cardiac_cuda_align ((size_t) cardiac_tensor_count (tensor)
                             * cardiac_dtype_size (tensor->dtype));
}

/* Times both, once a shape and session. All inputs share memory, as a packed
 * qkv does. What cannot be timed for want of memory is not taken. */
static void
time_graph (const Attention *it, const CardiacOp *op)
{
  size_t x_bytes = 0;
  for (int i = 0; i < 3; i++)
    if (bytes_of (&op->in[i]) > x_bytes)
      x_bytes = bytes_of (&op->in[i]);
  const size_t y_bytes = bytes_of (&op->out);
  CardiacError *error = NULL;
  char *memory = cardiac_cuda_allocate (it->context,
      x_bytes + y_bytes + cardiac_cuda_dnn_workspace (it->graph), &error);
  it->graph->is_timed = true;
  it->graph->chosen = -1;
  if (memory
      && cudaMemsetAsync (memory, 0, x_bytes, it->context->stream)
             == cudaSuccess)
    cardiac_cuda_dnn_choose (it->context, it->graph, enqueue_graph, enqueue_own,
        &(Trial){ it, { memory, memory, memory }, memory + x_bytes,
            memory + x_bytes + y_bytes });
  cudaFree (memory);
  cardiac_error_free (&error);
}

/* Rows of 16 bytes, halves, and enough of them: few take no longer than a launch
 * does, whichever kernel it is, and each engine has to be compiled first. */
static bool
may_be_graph (const CardiacAttention *a)
{
  enum { LEAST_QUERIES = 17 }; /* more than a clip has frames */
  const int parts_of_rows = a->q_width | a->k_width | a->v_width | a->q_offset
                            | a->k_offset | a->v_offset | a->head_dim;
  return a->dtype != CARDIAC_F32 && parts_of_rows % 8 == 0
         && a->head_dim <= MOST_CHANNELS && a->queries >= LEAST_QUERIES;
}

/* @return scratch of a run. False with an error. */
static bool
choose_way (Attention *it, const CardiacOp *op, size_t *scratch_bytes,
    CardiacError **error)
{
  if (!may_be_graph (&it->shape))
    return true;
  if (!cardiac_cuda_dnn_plan (it->context, NULL, &it->shape, &it->graph, error))
    return false;
  if (it->graph && !it->graph->is_timed)
    time_graph (it, op);
  if (it->graph && it->graph->chosen < 0)
    it->graph = NULL;
  if (it->graph)
    *scratch_bytes = it->graph->engines[it->graph->chosen].workspace_bytes;
  return true;
}

/* ---- planning --------------------------------------------------------------- */

static CardiacAttention
shape_of (const CardiacOp *op)
{
  const CardiacTensor *q = &op->in[0], *k = &op->in[1], *v = &op->in[2];
  return (CardiacAttention){
    .dtype = op->out.dtype,
    .batch = (int) q->shape[0],
    .heads = op->attention.heads,
    .head_dim = op->attention.head_dim,
    .queries = (int) q->shape[1],
    .keys = (int) k->shape[1],
    .q_width = (int) q->shape[2],
    .k_width = (int) k->shape[2],
    .v_width = (int) v->shape[2],
    .q_offset = op->attention.q_offset,
    .k_offset = op->attention.k_offset,
    .v_offset = op->attention.v_offset,
    .scale = op->attention.scale,
  };
}

static bool
is_possible (const CardiacOp *op, bool wide, CardiacError **error)
{
  enum { MOST_KEYS = 12000, MOST_BLOCKS = 65535 };
  const CardiacTensor *q = &op->in[0], *k = &op->in[1], *v = &op->in[2];
  return cardiac_cuda_expect (op,
             !op->constant[0] && !op->constant[1] && !op->constant[2]
                 && k->dtype == q->dtype && v->dtype == q->dtype
                 && op->out.dtype == q->dtype,
             "q, k, v and out of one dtype, none of them constant", error)
         && cardiac_cuda_expect (op,
             q->shape[0] <= MOST_BLOCKS && op->attention.heads <= MOST_BLOCKS
                 && (!wide || k->shape[1] <= MOST_KEYS),
             "at most 65535 pictures and heads, and 12000 keys for heads of "
             "more than 128 channels",
             error);
}

CARDIAC_CUDA_PREPARE (attention)
{
  const bool wide = op->attention.head_dim > MOST_CHANNELS;
  if (!is_possible (op, wide, error))
    return false;
  Attention *it = calloc (1, sizeof *it);
  if (!it)
    return cardiac_fail (error, CARDIAC_ERROR_NO_MEMORY, "no memory");
  it->context = context;
  it->shape = shape_of (op);
  const CardiacAttention *a = &it->shape;
  snprintf (
      it->label, sizeof it->label, "%s", op->label ? op->label : "attention");
  *kernel = (CardiacKernel){
    .run = run,
    .destroy = destroy,
    .state = it,
    .pieces = 1,
    .flop =
        4.0 * a->batch * a->heads * (double) a->queries * a->keys * a->head_dim,
  };
  if (!choose_way (it, op, &kernel->scratch_bytes, error)) {
    destroy (kernel);
    return false;
  }
  snprintf (kernel->implementation, sizeof kernel->implementation, "%s",
      it->graph                 ? "cuDNN"
      : wide                    ? "attention"
      : a->dtype == CARDIAC_F32 ? "flash"
                                : "flash, tensor cores");
  return true;
}
