/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cuda.h"
#include "core/error.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- failures -------------------------------------------------------------- */

bool
cardiac_cuda_ok (const CardiacCudaContext *context, cudaError_t status,
    const char *doing, CardiacError **error)
{
  if (status == cudaSuccess)
    return true;
  cudaGetLastError (); /* or the next launch reports this one again */
  if (status == cudaErrorMemoryAllocation)
    return cardiac_fail (error, CARDIAC_ERROR_NO_MEMORY,
        "device cuda:%d is out of memory: it failed %s", context->device,
        doing);
  cardiac_fail (error, CARDIAC_ERROR_INTERNAL, "device cuda:%d failed %s: %s",
      context->device, doing, cudaGetErrorString (status));
  cardiac_error_set_detail (error, "%s", cudaGetErrorName (status));
  return false;
}

void
cardiac_cuda_note (
    CardiacCudaContext *context, cudaError_t status, const char *label)
{
  if (status == cudaSuccess || context->failure != cudaSuccess)
    return;
  context->failure = status;
  snprintf (context->failure_label, sizeof context->failure_label, "%s", label);
}

bool
cardiac_cuda_expect (
    const CardiacOp *op, bool holds, const char *expected, CardiacError **error)
{
  return holds
         || cardiac_fail (error, CARDIAC_ERROR_INTERNAL,
             "%s (%s) on cuda: %s expected", cardiac_op_name (op->kind),
             op->label ? op->label : "?", expected);
}

/* ---- memory ---------------------------------------------------------------- */

void *
cardiac_cuda_allocate (
    CardiacCudaContext *context, size_t bytes, CardiacError **error)
{
  void *memory = NULL;
  cudaError_t status = cudaMalloc (&memory, bytes ? bytes : 1);
  if (status == cudaErrorMemoryAllocation) {
    size_t unused = 0, total = 0;
    cudaGetLastError ();
    cudaMemGetInfo (&unused, &total);
    cardiac_fail (error, CARDIAC_ERROR_NO_MEMORY,
        "device cuda:%d is out of memory: %zu MiB asked, %zu of %zu MiB free; "
        "end other programs on it or use another device",
        context->device, (bytes >> 20) + 1, unused >> 20, total >> 20);
    return NULL;
  }
  return cardiac_cuda_ok (context, status, "to allocate memory", error) ? memory
                                                                        : NULL;
}

/* ---- operators ------------------------------------------------------------- */

typedef bool (*Prepare) (CardiacCudaContext *context, const CardiacOp *op,
    CardiacKernel *kernel, CardiacError **error);

static bool
cuda_prepare (void *context, const CardiacOp *op, CardiacKernel *kernel,
    CardiacError **error)
{
  static const Prepare prepare[CARDIAC_OP_KINDS] = {
    [CARDIAC_OP_LINEAR] = cardiac_cuda_prepare_linear,
    [CARDIAC_OP_LAYER_NORM] = cardiac_cuda_prepare_layer_norm,
    [CARDIAC_OP_ATTENTION] = cardiac_cuda_prepare_attention,
    [CARDIAC_OP_MATMUL] = cardiac_cuda_prepare_matmul,
    [CARDIAC_OP_CONV2D] = cardiac_cuda_prepare_conv2d,
    [CARDIAC_OP_MAX_POOL2D] = cardiac_cuda_prepare_max_pool2d,
    [CARDIAC_OP_AVG_POOL2D] = cardiac_cuda_prepare_avg_pool2d,
    [CARDIAC_OP_UPSAMPLE2X] = cardiac_cuda_prepare_upsample2x,
    [CARDIAC_OP_CONCAT] = cardiac_cuda_prepare_concat,
    [CARDIAC_OP_SLICE] = cardiac_cuda_prepare_slice,
    [CARDIAC_OP_SOFTMAX] = cardiac_cuda_prepare_softmax,
    [CARDIAC_OP_BINARY] = cardiac_cuda_prepare_binary,
    [CARDIAC_OP_GATE] = cardiac_cuda_prepare_gate,
    [CARDIAC_OP_MAGNITUDE] = cardiac_cuda_prepare_magnitude,
    [CARDIAC_OP_PATCHIFY] = cardiac_cuda_prepare_patchify,
    [CARDIAC_OP_TOKENS] = cardiac_cuda_prepare_tokens,
    [CARDIAC_OP_ROWS_LOAD] = cardiac_cuda_prepare_rows_load,
    [CARDIAC_OP_ROWS_STORE] = cardiac_cuda_prepare_rows_store,
    [CARDIAC_OP_MEAN] = cardiac_cuda_prepare_mean,
    [CARDIAC_OP_NCHW_TO_NHWC] = cardiac_cuda_prepare_nchw_to_nhwc,
    [CARDIAC_OP_COSINE] = cardiac_cuda_prepare_cosine,
    [CARDIAC_OP_AMPLIFY] = cardiac_cuda_prepare_amplify,
    [CARDIAC_OP_EIGENCAM] = cardiac_cuda_prepare_eigencam,
    [CARDIAC_OP_YOLO_DECODE] = cardiac_cuda_prepare_yolo_decode,
  };
  CardiacCudaContext *it = context;
  /* A device is current for a thread, and this is one of the pool's. */
  if (!cardiac_cuda_ok (it, cudaSetDevice (it->device), "to be used", error))
    return false;
  return prepare[op->kind](it, op, kernel, error);
}
