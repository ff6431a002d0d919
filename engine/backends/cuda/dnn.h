/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CARDIAC_CUDA_DNN_H
#define CARDIAC_CUDA_DNN_H

#include "cuda.h"
#include "kernels.h"

#include <cudnn.h>

/* Layers by cuDNN's graph API: convolutions, matrix products with what follows
 * them, attention. The library is large and not every network wants it, so it is
 * opened when the first such layer is planned. */

/** The functions of libcudnn.so.9 that are called. */
typedef struct CardiacCudaDnnApi {
  __typeof__ (&cudnnGetErrorString) error_string;
  __typeof__ (&cudnnCreate) create;
  __typeof__ (&cudnnDestroy) destroy;
  __typeof__ (&cudnnSetStream) set_stream;
  __typeof__ (&cudnnBackendCreateDescriptor) create_descriptor;
  __typeof__ (&cudnnBackendDestroyDescriptor) destroy_descriptor;
  __typeof__ (&cudnnBackendSetAttribute) set_attribute;
  __typeof__ (&cudnnBackendGetAttribute) get_attribute;
  __typeof__ (&cudnnBackendFinalize) finalize;
  __typeof__ (&cudnnBackendExecute) execute;
} CardiacCudaDnnApi;

/** False with a DEVICE error. dnn-api.c. */
bool cardiac_cuda_dnn_load (CardiacCudaDnnApi *api, CardiacError **error);

/** y = act(x * w + bias) + residual, all of it one graph. A convolution: NHWC
 * pictures x [B,H,W,Ci] and y [B,Ho,Wo,Co], weights [Co,kh,kw,Ci]. Or a matrix
 * product: rows x [H,Ci] and y [H,Co], weights [Co,Ci], which is the convolution
 * whose other sizes are 1. */
typedef struct CardiacCudaLayer {
  bool is_product;
  int64_t B, H, W, Ci, Ho, Wo, Co, kh, kw;
  int stride, padding;
  CardiacDType in;  ///< of x and the weights
  CardiacDType out; ///< of y and the residual
  bool bias, residual;
  CardiacActivation activation;
} CardiacCudaLayer;

/** Tensors of a layer's graph, as the variant pack names them. */
typedef enum CardiacCudaTensorId {
  CARDIAC_CUDA_X = 1,
  CARDIAC_CUDA_W,
  CARDIAC_CUDA_BIAS, ///< F32 [Co]
  CARDIAC_CUDA_RESIDUAL,
  CARDIAC_CUDA_Y,
  CARDIAC_CUDA_VIRTUAL, ///< and up: between operations
  /* Of attention; y is Y. */
  CARDIAC_CUDA_Q = CARDIAC_CUDA_X,
  CARDIAC_CUDA_K = CARDIAC_CUDA_W,
  CARDIAC_CUDA_V = CARDIAC_CUDA_BIAS,
  CARDIAC_CUDA_SCALE = CARDIAC_CUDA_RESIDUAL, ///< a float on the host
} CardiacCudaTensorId;

enum { CARDIAC_CUDA_MAX_DESCRIPTORS = 32 };

/** Descriptors that live and die together. The first failure is kept and later
 * calls do nothing, so that describing reads straight down. */
typedef struct CardiacCudaDnnGraph {
  const CardiacCudaDnnApi *api;
  cudnnBackendDescriptor_t owned[CARDIAC_CUDA_MAX_DESCRIPTORS];
  int count;
  cudnnStatus_t status;
} CardiacCudaDnnGraph;

cudnnBackendDescriptor_t cardiac_cuda_dnn_make (
    CardiacCudaDnnGraph *graph, cudnnBackendDescriptorType_t type);
void cardiac_cuda_dnn_set (CardiacCudaDnnGraph *graph,
    cudnnBackendDescriptor_t descriptor, cudnnBackendAttributeName_t name,
    cudnnBackendAttributeType_t type, int64_t count, const void *values);
void cardiac_cuda_dnn_finalize (
    CardiacCudaDnnGraph *graph, cudnnBackendDescriptor_t descriptor);
void cardiac_cuda_dnn_clear (CardiacCudaDnnGraph *graph);

/** Describes `it` as an operation graph; needs no device. layer-graph.c.
 * @param handle NULL without a device (cuDNN 9.19 and later).
 * @return the finalized operation graph, or NULL with graph->status. */
cudnnBackendDescriptor_t cardiac_cuda_layer_describe (
    CardiacCudaDnnGraph *graph, cudnnHandle_t handle,
    const CardiacCudaLayer *it);

/** The same of attention; its pointers do not matter. NULL, too, when this was
 * built with a cuDNN before 9.13, which had no such operation. */
cudnnBackendDescriptor_t cardiac_cuda_attention_describe (
    CardiacCudaDnnGraph *graph, cudnnHandle_t handle,
    const CardiacAttention *it);

/** Engines that take one graph, best first as the heuristics think. */
enum { CARDIAC_CUDA_MAX_ENGINES = 4 };

typedef struct CardiacCudaDnnEngine {
  cudnnBackendDescriptor_t plan;
  size_t workspace_bytes;
} CardiacCudaDnnEngine;

/** Plans of one graph, shared by all operators of a session that are described
 * alike: a convolution has that of the first engine; what else can do without a
 * graph has those of some, of which the fastest is chosen. */
typedef struct CardiacCudaDnnPlan {
  CardiacCudaLayer layer;     ///< B 0: it is attention
  CardiacAttention attention; ///< batch 0: it is a layer
  CardiacCudaDnnGraph graph;
  CardiacCudaDnnEngine engines[CARDIAC_CUDA_MAX_ENGINES];
  int count;     ///< 0: no engine takes it
  int chosen;    ///< which engine runs; -1: something else is better
  bool is_timed; ///< `chosen` says what was found
} CardiacCudaDnnPlan;

struct CardiacCudaDnn {
  CardiacCudaDnnApi api;
  cudnnHandle_t handle;
  CardiacCudaDnnPlan **plans;
  int count;
};

/** Plans for a layer, or for attention (the other is NULL), by engines that sum
 * in fp32 and give the same bits each time; opens cuDNN when it is not yet open.
 * @param plan receives them, owned by the session; NULL: no engine takes the
 *   layer, or cuDNN cannot be had (the context's description says why). False:
 *   failed. */
bool cardiac_cuda_dnn_plan (CardiacCudaContext *context,
    const CardiacCudaLayer *layer, const CardiacAttention *attention,
    CardiacCudaDnnPlan **plan, CardiacError **error);

/** Enqueues the chosen engine. @param data by CardiacCudaTensorId; NULL: not in
 * it. Not noted when it fails. */
cudnnStatus_t cardiac_cuda_dnn_execute (CardiacCudaContext *context,
    const CardiacCudaDnnPlan *plan, void *const data[CARDIAC_CUDA_VIRTUAL],
    void *workspace);

/** The same for what can do without: false when it cannot be enqueued, and then
 * no operator that shares the plan tries again. */
bool cardiac_cuda_dnn_try (CardiacCudaContext *context,
    CardiacCudaDnnPlan *plan, void *const data[CARDIAC_CUDA_VIRTUAL],
    void *workspace);

/** Chooses the fastest engine, or none (-1) when `other` is as fast: once.
 * @param engine enqueues the chosen engine, `other` what does without; both note
 *   when they fail. */
void cardiac_cuda_dnn_choose (CardiacCudaContext *context,
    CardiacCudaDnnPlan *plan, void (*engine) (void *user),
    void (*other) (void *user), void *user);

/** Bytes that suffice for each engine. */
size_t cardiac_cuda_dnn_workspace (const CardiacCudaDnnPlan *plan);

#endif
