/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "dnn.h"
#include "core/error.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
  MAX_CONFIGS = 32,           ///< engines asked for, of each list
  WORKSPACE_LIMIT = 256 << 20 ///< bytes
};

/* ---- the library ----------------------------------------------------------- */

static bool
start (CardiacCudaDnn *dnn, cudaStream_t stream, CardiacError **error)
{
  if (!cardiac_cuda_dnn_load (&dnn->api, error))
    return false;
  cudnnStatus_t status = dnn->api.create (&dnn->handle);
  if (status == CUDNN_STATUS_SUCCESS)
    status = dnn->api.set_stream (dnn->handle, stream);
  return status == CUDNN_STATUS_SUCCESS
         || cardiac_fail (error, CARDIAC_ERROR_DEVICE,
             "cuDNN does not start: %s", dnn->api.error_string (status));
}

/* Opens cuDNN, once. Without it networks run all the same, more slowly. */
static bool
open_dnn (CardiacCudaContext *context, CardiacError **error)
{
  if (context->dnn || context->no_dnn[0])
    return true;
  CardiacError *why = NULL;
  CardiacCudaDnn *dnn = calloc (1, sizeof *dnn);
  if (!dnn)
    return cardiac_fail (error, CARDIAC_ERROR_NO_MEMORY, "no memory");
  if (start (dnn, context->stream, &why)) {
    context->dnn = dnn;
    return true;
  }
  snprintf (context->no_dnn, sizeof context->no_dnn, "%s",
      cardiac_error_message (why));
  cardiac_error_free (&why);
  cardiac_cuda_dnn_free (dnn);
  return true;
}

static void
plan_free (CardiacCudaDnnPlan *plan)
{
  cardiac_cuda_dnn_clear (&plan->graph);
  free (plan);
}

void
cardiac_cuda_dnn_free (CardiacCudaDnn *dnn)
{
  if (!dnn)
    return;
  for (int i = 0; i < dnn->count; i++)
    plan_free (dnn->plans[i]);
  free (dnn->plans);
  if (dnn->handle)
    dnn->api.destroy (dnn->handle);
  free (dnn);
}

/* ---- engines --------------------------------------------------------------- */

/* Does an engine compute as we promise: sums in fp32, of inputs as they are,
 * without tf32, the same bits each time? */
static bool
is_exact (const CardiacCudaDnnApi *api, cudnnBackendDescriptor_t config,
    CardiacDType in)
{
  cudnnBackendNumericalNote_t notes[CUDNN_NUMERICAL_NOTE_TYPE_COUNT];
  cudnnBackendDescriptor_t engine = NULL;
  int64_t count = 0, one = 0;
  bool exact = api->create_descriptor (CUDNN_BACKEND_ENGINE_DESCRIPTOR, &engine)
                   == CUDNN_STATUS_SUCCESS
               && api->get_attribute (config, CUDNN_ATTR_ENGINECFG_ENGINE,
                      CUDNN_TYPE_BACKEND_DESCRIPTOR, 1, &one, &engine)
                      == CUDNN_STATUS_SUCCESS
               && api->get_attribute (engine, CUDNN_ATTR_ENGINE_NUMERICAL_NOTE,
                      CUDNN_TYPE_NUMERICAL_NOTE,
                      CUDNN_NUMERICAL_NOTE_TYPE_COUNT, &count, notes)
                      == CUDNN_STATUS_SUCCESS;
  for (int i = 0; exact && i < count; i++)
    switch (notes[i]) {
      case CUDNN_NUMERICAL_NOTE_DOWN_CONVERT_INPUTS:
      case CUDNN_NUMERICAL_NOTE_REDUCED_PRECISION_REDUCTION:
      case CUDNN_NUMERICAL_NOTE_NONDETERMINISTIC:
      case CUDNN_NUMERICAL_NOTE_FFT:
      case CUDNN_NUMERICAL_NOTE_WINOGRAD_TILE_6x6:
      case CUDNN_NUMERICAL_NOTE_WINOGRAD_TILE_13x13:
        exact = false;
        break;
      case CUDNN_NUMERICAL_NOTE_TENSOR_CORE: /* fp32 on them is tf32 */
        exact = in != CARDIAC_F32;
        break;
      default:
        break;
    }
  if (engine)
    api->destroy_descriptor (engine);
  return exact;
}

/* Adds the plan of one engine; false when it does not take the graph. */
static bool
plan_engine (CardiacCudaDnn *dnn, CardiacCudaDnnPlan *plan,
    cudnnBackendDescriptor_t config)
{
  CardiacCudaDnnGraph *graph = &plan->graph;
  const int before = graph->count;
  int64_t bytes = 0, one = 0;
  cudnnBackendDescriptor_t engine =
      cardiac_cuda_dnn_make (graph, CUDNN_BACKEND_EXECUTION_PLAN_DESCRIPTOR);
  cardiac_cuda_dnn_set (graph, engine, CUDNN_ATTR_EXECUTION_PLAN_HANDLE,
      CUDNN_TYPE_HANDLE, 1, &dnn->handle);
  cardiac_cuda_dnn_set (graph, engine, CUDNN_ATTR_EXECUTION_PLAN_ENGINE_CONFIG,
      CUDNN_TYPE_BACKEND_DESCRIPTOR, 1, &config);
  cardiac_cuda_dnn_finalize (graph, engine);
  if (graph->status == CUDNN_STATUS_SUCCESS)
    graph->status = dnn->api.get_attribute (engine,
        CUDNN_ATTR_EXECUTION_PLAN_WORKSPACE_SIZE, CUDNN_TYPE_INT64, 1, &one,
        &bytes);
  if (graph->status == CUDNN_STATUS_SUCCESS && bytes <= WORKSPACE_LIMIT) {
    plan->engines[plan->count++] =
        (CardiacCudaDnnEngine){ engine, (size_t) bytes };
    return true;
  }
  if (graph->count > before)
    dnn->api.destroy_descriptor (graph->owned[--graph->count]);
  graph->status = CUDNN_STATUS_SUCCESS;
  return false;
}

/* Keeps the configuration that a plan was made of. */
static void
own (CardiacCudaDnnGraph *graph, cudnnBackendDescriptor_t *descriptor)
{
  graph->owned[graph->count++] = *descriptor;
  *descriptor = NULL;
}

/* The first `most` that can be had of one of the heuristics' lists. */
static bool
plan_first (CardiacCudaDnn *dnn, CardiacCudaDnnPlan *plan,
    cudnnBackendDescriptor_t operations, cudnnBackendHeurMode_t mode, int most)
{
  CardiacCudaDnnGraph *graph = &plan->graph;
  const CardiacCudaDnnApi *api = &dnn->api;
  cudnnBackendDescriptor_t configs[MAX_CONFIGS] = { 0 };
  int64_t count = 0;
  cudnnBackendDescriptor_t heuristics =
      cardiac_cuda_dnn_make (graph, CUDNN_BACKEND_ENGINEHEUR_DESCRIPTOR);
  cardiac_cuda_dnn_set (graph, heuristics,
      CUDNN_ATTR_ENGINEHEUR_OPERATION_GRAPH, CUDNN_TYPE_BACKEND_DESCRIPTOR, 1,
      &operations);
  cardiac_cuda_dnn_set (graph, heuristics, CUDNN_ATTR_ENGINEHEUR_MODE,
      CUDNN_TYPE_HEUR_MODE, 1, &mode);
  cardiac_cuda_dnn_finalize (graph, heuristics);
  for (int i = 0; i < MAX_CONFIGS && graph->status == CUDNN_STATUS_SUCCESS; i++)
    graph->status = api->create_descriptor (
        CUDNN_BACKEND_ENGINECFG_DESCRIPTOR, &configs[i]);
  if (graph->status != CUDNN_STATUS_SUCCESS
      || api->get_attribute (heuristics, CUDNN_ATTR_ENGINEHEUR_RESULTS,
             CUDNN_TYPE_BACKEND_DESCRIPTOR, MAX_CONFIGS, &count, configs)
             != CUDNN_STATUS_SUCCESS)
    count = 0;
  graph->status = CUDNN_STATUS_SUCCESS; /* no list is as good as an empty one */

  for (int i = 0; i < count && i < MAX_CONFIGS && plan->count < most; i++)
    if (is_exact (api, configs[i],
            plan->layer.B ? plan->layer.in : plan->attention.dtype)
        && plan_engine (dnn, plan, configs[i]))
      own (graph, &configs[i]);
  for (int i = 0; i < MAX_CONFIGS; i++)
    if (configs[i])
      api->destroy_descriptor (configs[i]);
  return plan->count > 0;
}

/* ---- plans ----------------------------------------------------------------- */

static bool
is_same_layer (const CardiacCudaLayer *a, const CardiacCudaLayer *b)
{
  return a->is_product == b->is_product && a->B == b->B && a->H == b->H
         && a->W == b->W && a->Ci == b->Ci && a->Ho == b->Ho && a->Wo == b->Wo
         && a->Co == b->Co && a->kh == b->kh && a->kw == b->kw
         && a->stride == b->stride && a->padding == b->padding && a->in == b->in
         && a->out == b->out && a->bias == b->bias && a->residual == b->residual
         && a->activation == b->activation;
}

static bool
is_same_attention (const CardiacAttention *a, const CardiacAttention *b)
{
  return a->dtype == b->dtype && a->batch == b->batch && a->heads == b->heads
         && a->head_dim == b->head_dim && a->queries == b->queries
         && a->keys == b->keys && a->q_width == b->q_width
         && a->k_width == b->k_width && a->v_width == b->v_width;
}

static bool
remember (CardiacCudaDnn *dnn, CardiacCudaDnnPlan *plan, CardiacError **error)
{
  CardiacCudaDnnPlan **more =
      realloc (dnn->plans, (dnn->count + 1) * sizeof *more);
  if (!more)
    return cardiac_fail (error, CARDIAC_ERROR_NO_MEMORY, "no memory");
  dnn->plans = more;
  dnn->plans[dnn->count++] = plan;
  return true;
}

/* Makes plans, or remembers that there are none. */
static bool
make_plan (CardiacCudaDnn *dnn, const CardiacCudaLayer *layer,
    const CardiacAttention *attention, CardiacError **error)
{
  CardiacCudaDnnPlan *plan = calloc (1, sizeof *plan);
  if (!plan)
    return cardiac_fail (error, CARDIAC_ERROR_NO_MEMORY, "no memory");
  plan->graph.api = &dnn->api;
  if (layer)
    plan->layer = *layer;
  else
    plan->attention = *attention;
  cudnnBackendDescriptor_t operations =
      layer ? cardiac_cuda_layer_describe (&plan->graph, dnn->handle, layer)
            : cardiac_cuda_attention_describe (
                &plan->graph, dnn->handle, attention);
  const int most = layer && !layer->is_product ? 1 : CARDIAC_CUDA_MAX_ENGINES;
  if (operations
      && !plan_first (dnn, plan, operations, CUDNN_HEUR_MODE_A, most))
    plan_first (dnn, plan, operations, CUDNN_HEUR_MODE_FALLBACK, most);
  if (remember (dnn, plan, error))
    return true;
  plan_free (plan);
  return false;
}

bool
cardiac_cuda_dnn_plan (CardiacCudaContext *context,
    const CardiacCudaLayer *layer, const CardiacAttention *attention,
    CardiacCudaDnnPlan **plan, CardiacError **error)
{
  *plan = NULL;
  if (!open_dnn (context, error))
    return false;
  CardiacCudaDnn *dnn = context->dnn;
  if (!dnn)
    return true;
  int i = 0;
  while (i < dnn->count
         && !(layer ? is_same_layer (&dnn->plans[i]->layer, layer)
                    : is_same_attention (&dnn->plans[i]->attention, attention)))
    i++;
  if (i == dnn->count && !make_plan (dnn, layer, attention, error))
    return false;
  if (dnn->plans[i]->count > 0)
    *plan = dnn->plans[i];
  return true;
}

cudnnStatus_t
cardiac_cuda_dnn_execute (CardiacCudaContext *context,
    const CardiacCudaDnnPlan *plan, void *const data[CARDIAC_CUDA_VIRTUAL],
    void *workspace)
{
  CardiacCudaDnn *dnn = context->dnn;
  CardiacCudaDnnGraph pack = { .api = &dnn->api };
  int64_t ids[CARDIAC_CUDA_VIRTUAL];
  void *pointers[CARDIAC_CUDA_VIRTUAL];
  int count = 0;
  for (int id = CARDIAC_CUDA_X; id < CARDIAC_CUDA_VIRTUAL; id++)
    if (data[id]) {
      ids[count] = id;
      pointers[count++] = data[id];
    }
  cudnnBackendDescriptor_t it =
      cardiac_cuda_dnn_make (&pack, CUDNN_BACKEND_VARIANT_PACK_DESCRIPTOR);
  cardiac_cuda_dnn_set (&pack, it, CUDNN_ATTR_VARIANT_PACK_UNIQUE_IDS,
      CUDNN_TYPE_INT64, count, ids);
  cardiac_cuda_dnn_set (&pack, it, CUDNN_ATTR_VARIANT_PACK_DATA_POINTERS,
      CUDNN_TYPE_VOID_PTR, count, pointers);
  cardiac_cuda_dnn_set (&pack, it, CUDNN_ATTR_VARIANT_PACK_WORKSPACE,
      CUDNN_TYPE_VOID_PTR, 1, &workspace);
  cardiac_cuda_dnn_finalize (&pack, it);
  if (pack.status == CUDNN_STATUS_SUCCESS)
    pack.status =
        dnn->api.execute (dnn->handle, plan->engines[plan->chosen].plan, it);
  cardiac_cuda_dnn_clear (&pack);
  return pack.status;
}

/* ---- choosing -------------------------------------------------------------- */

bool
cardiac_cuda_dnn_try (CardiacCudaContext *context, CardiacCudaDnnPlan *plan,
    void *const data[CARDIAC_CUDA_VIRTUAL], void *workspace)
{
  if (plan->chosen < 0)
    return false;
  if (cardiac_cuda_dnn_execute (context, plan, data, workspace)
      == CUDNN_STATUS_SUCCESS)
    return true;
  cudaGetLastError (); /* or the next launch reports it */
  plan->chosen = -1;
  return false;
}

void
cardiac_cuda_dnn_choose (CardiacCudaContext *context, CardiacCudaDnnPlan *plan,
    void (*engine) (void *user), void (*other) (void *user), void *user)
{
  float best = cardiac_cuda_time (context, other, user);
  int chosen = -1;
  for (int i = 0; i < plan->count; i++) {
    plan->chosen = i;
    float ms = cardiac_cuda_time (context, engine, user);
    if (ms < 0 || (best >= 0 && ms >= best))
      continue;
    best = ms;
    chosen = i;
  }
  plan->chosen = chosen;
}

size_t
cardiac_cuda_dnn_workspace (const CardiacCudaDnnPlan *plan)
{
  size_t most = 0;
  for (int i = 0; i < plan->count; i++)
    if (plan->engines[i].workspace_bytes > most)
      most = plan->engines[i].workspace_bytes;
  return most;
}
