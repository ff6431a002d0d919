/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CARDIAC_CUDA_DNN_H
#define CARDIAC_CUDA_DNN_H

#include "cuda.h"

#include <cudnn.h>

/* Convolutions by cuDNN's graph API. The library is large and only networks
 * with convolutions want it, so it is opened when the first one is planned. */

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

/** What is convolved: NHWC pictures x [B,H,W,Ci] and y [B,Ho,Wo,Co], weights
 * [Co,kh,kw,Ci]. */
typedef struct CardiacCudaConvolution {
  int64_t B, H, W, Ci, Ho, Wo, Co, kh, kw;
  int stride, padding;
  CardiacDType in;  ///< of x and the weights
  CardiacDType out; ///< of y and the residual
  /** What follows in the same graph: y = act(conv(x) + bias) + residual. */
  bool bias, residual;
  CardiacActivation activation;
} CardiacCudaConvolution;

/** Tensors of a convolution's graph, as the variant pack names them. */
typedef enum CardiacCudaTensorId {
  CARDIAC_CUDA_X = 1,
  CARDIAC_CUDA_W,
  CARDIAC_CUDA_BIAS, ///< F32 [Co]
  CARDIAC_CUDA_RESIDUAL,
  CARDIAC_CUDA_Y,
  CARDIAC_CUDA_VIRTUAL, ///< and up: between operations
} CardiacCudaTensorId;

enum { CARDIAC_CUDA_MAX_DESCRIPTORS = 24 };

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

/** Describes `it` as an operation graph; needs no device. convolution-graph.c.
 * @param handle NULL without a device (cuDNN 9.19 and later).
 * @return the finalized operation graph, or NULL with graph->status. */
cudnnBackendDescriptor_t cardiac_cuda_convolution_describe (
    CardiacCudaDnnGraph *graph, cudnnHandle_t handle,
    const CardiacCudaConvolution *it);

/** An execution plan for one shape, shared by all convolutions of a session
 * that have it. */
typedef struct CardiacCudaDnnPlan {
  CardiacCudaConvolution shape;
  CardiacCudaDnnGraph graph;
  cudnnBackendDescriptor_t plan;
  size_t workspace_bytes;
} CardiacCudaDnnPlan;

struct CardiacCudaDnn {
  CardiacCudaDnnApi api;
  cudnnHandle_t handle;
  CardiacCudaDnnPlan **plans;
  int count;
};

/** The plan of the first engine, in the heuristics' order, that takes the
 * graph, sums in fp32 and gives the same bits each time; opens cuDNN when it is
 * not yet open.
 * @param plan receives it, owned by the session; NULL: no engine does, or cuDNN
 *   cannot be had (the context's description says why). False: failed. */
bool cardiac_cuda_dnn_plan (CardiacCudaContext *context,
    const CardiacCudaConvolution *shape, const CardiacCudaDnnPlan **plan,
    CardiacError **error);

/** Enqueues a plan. @param data by CardiacCudaTensorId; NULL: not in it. */
void cardiac_cuda_dnn_run (CardiacCudaContext *context,
    const CardiacCudaDnnPlan *plan, void *const data[CARDIAC_CUDA_VIRTUAL],
    void *workspace, const char *label);

#endif
