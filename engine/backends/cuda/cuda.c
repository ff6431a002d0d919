/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cuda.h"
#include "core/error.h"
#include "preprocess.h"

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
        "device cuda:%d is out of memory (%s)", context->device, doing);
  cardiac_fail (error, CARDIAC_ERROR_INTERNAL, "device cuda:%d failed (%s): %s",
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
  return cardiac_cuda_ok (context, status, "allocation", error) ? memory : NULL;
}

static void *
allocate (void *context, size_t bytes, CardiacError **error)
{
  CardiacCudaContext *it = context;
  return cardiac_cuda_ok (it, cudaSetDevice (it->device), "choosing it", error)
             ? cardiac_cuda_allocate (it, bytes, error)
             : NULL;
}

static void
release (void *context, void *memory)
{
  cudaFree (memory);
}

static void *
allocate_host (void *context, size_t bytes, CardiacError **error)
{
  CardiacCudaContext *it = context;
  void *memory = NULL;
  return cardiac_cuda_ok (it, cudaSetDevice (it->device), "choosing it", error)
                 && cardiac_cuda_ok (it,
                     cudaHostAlloc (
                         &memory, bytes ? bytes : 1, cudaHostAllocDefault),
                     "locking host memory", error)
             ? memory
             : NULL;
}

static void
release_host (void *context, void *memory)
{
  cudaFreeHost (memory);
}

static void
copy (void *context, void *to, const void *from, size_t bytes,
    CardiacCopy direction)
{
  static const enum cudaMemcpyKind kinds[] = {
    [CARDIAC_COPY_UPLOAD] = cudaMemcpyHostToDevice,
    [CARDIAC_COPY_DOWNLOAD] = cudaMemcpyDeviceToHost,
    [CARDIAC_COPY_DEVICE] = cudaMemcpyDeviceToDevice,
  };
  CardiacCudaContext *it = context;
  cardiac_cuda_note (it,
      cudaMemcpyAsync (to, from, bytes, kinds[direction], it->stream), "copy");
}

/* ---- pictures --------------------------------------------------------------- */

static bool
place (void *context, const CardiacImage *image, const CardiacResize *resize,
    float *out, CardiacError **error)
{
  CardiacCudaContext *it = context;
  if (!cardiac_cuda_ok (it, cudaSetDevice (it->device), "choosing it", error))
    return false;
  if (!it->resizer && !(it->resizer = cardiac_cuda_resizer_new (it, error)))
    return false;
  return cardiac_cuda_resizer_place (it->resizer, image, resize, out, error);
}

/* ---- operators ------------------------------------------------------------- */

typedef bool (*Prepare) (CardiacCudaContext *context, const CardiacOp *op,
    CardiacKernel *kernel, CardiacError **error);

/* Kernels count elements in 32 bits. */
static bool
is_countable (const CardiacOp *op)
{
  bool countable = cardiac_tensor_count (&op->out) <= INT32_MAX;
  for (int i = 0; i < op->inputs; i++)
    countable = countable && cardiac_tensor_count (&op->in[i]) <= INT32_MAX;
  return countable;
}

/* Shapes are judged by the backend that says what operators mean. */
static bool
fits (const CardiacOp *op, CardiacError **error)
{
  CardiacKernel kernel = { 0 };
  if (!cardiac_backend_reference ()->prepare (NULL, op, &kernel, error))
    return false;
  if (kernel.destroy)
    kernel.destroy (&kernel);
  return cardiac_cuda_expect (
      op, is_countable (op), "less than 2^31 elements", error);
}

static bool
prepare (void *context, const CardiacOp *op, CardiacKernel *kernel,
    CardiacError **error)
{
  static const Prepare table[CARDIAC_OP_KINDS] = {
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
    [CARDIAC_OP_PERMUTE] = cardiac_cuda_prepare_permute,
    [CARDIAC_OP_COSINE] = cardiac_cuda_prepare_cosine,
    [CARDIAC_OP_AMPLIFY] = cardiac_cuda_prepare_amplify,
    [CARDIAC_OP_EIGENCAM] = cardiac_cuda_prepare_eigencam,
    [CARDIAC_OP_YOLO_DECODE] = cardiac_cuda_prepare_yolo_decode,
  };
  CardiacCudaContext *it = context;
  /* A device is current for a thread, and this is one of the pool's. */
  if (!fits (op, error)
      || !cardiac_cuda_ok (
          it, cudaSetDevice (it->device), "choosing it", error))
    return false;
  if (table[op->kind](it, op, kernel, error))
    return true;
  *kernel = (CardiacKernel){ 0 }; /* it has freed what it had */
  return false;
}

/* ---- devices --------------------------------------------------------------- */

/* 10 * major + minor; 0 when there is no such device. */
static int
capability_of (int device_index)
{
  struct cudaDeviceProp properties;
  if (cudaGetDeviceProperties (&properties, device_index) != cudaSuccess) {
    cudaGetLastError ();
    return 0;
  }
  return 10 * properties.major + properties.minor;
}

/* bf16 is multiplied from 8.0 on, fp16 from 7.5 on, the oldest we build for. */
static bool
supports (int device_index, CardiacDType activation)
{
  const int capability = capability_of (device_index);
  return activation == CARDIAC_F32 || capability == 0
         || capability >= (activation == CARDIAC_BF16 ? 80 : 75);
}

static CardiacDType
preferred (int device_index)
{
  const int capability = capability_of (device_index);
  return capability >= 80   ? CARDIAC_BF16
         : capability >= 75 ? CARDIAC_F16
                            : CARDIAC_F32;
}

/* Why no device at all can be had. */
static bool
explain_absence (cudaError_t status, CardiacError **error)
{
  int driver = 0;
  cudaGetLastError ();
  if (status == cudaErrorNoDevice)
    return cardiac_fail (error, CARDIAC_ERROR_DEVICE,
        "device 'cuda' cannot be had: the NVIDIA driver shows no GPU (is one "
        "there, and does CUDA_VISIBLE_DEVICES hide it?)");
  if (status != cudaErrorInsufficientDriver)
    cardiac_fail (error, CARDIAC_ERROR_DEVICE,
        "device 'cuda' cannot be had: %s", cudaGetErrorString (status));
  else if (cudaDriverGetVersion (&driver) != cudaSuccess || driver == 0)
    cardiac_fail (error, CARDIAC_ERROR_DEVICE,
        "device 'cuda' cannot be had: this machine has no NVIDIA driver "
        "(libcuda.so.1); install it, or use device=cpu");
  else
    cardiac_fail (error, CARDIAC_ERROR_DEVICE,
        "device 'cuda' cannot be had: the NVIDIA driver is for CUDA %d.%d, and "
        "%d.0 or later is needed; update the driver, or use device=cpu",
        driver / 1000, driver % 1000 / 10, CUDART_VERSION / 1000);
  cardiac_error_set_detail (error, "%s", cudaGetErrorName (status));
  return false;
}

static bool
choose_device (CardiacCudaContext *context, CardiacError **error)
{
  int count = 0;
  cudaError_t status = cudaGetDeviceCount (&count);
  if (status == cudaSuccess && count == 0)
    status = cudaErrorNoDevice;
  if (status != cudaSuccess)
    return explain_absence (status, error);
  if (context->device >= count)
    return cardiac_fail (error, CARDIAC_ERROR_DEVICE,
        "device 'cuda:%d' cannot be had: this machine has %d CUDA device%s, "
        "the last is cuda:%d",
        context->device, count, count == 1 ? "" : "s", count - 1);
  if (!cardiac_cuda_ok (context,
          cudaGetDeviceProperties (&context->properties, context->device),
          "reading its properties", error))
    return false;
  const struct cudaDeviceProp *p = &context->properties;
  if (10 * p->major + p->minor < 75)
    return cardiac_fail (error, CARDIAC_ERROR_DEVICE,
        "device 'cuda:%d' cannot be had: %s has compute capability %d.%d, and "
        "7.5 or later is needed",
        context->device, p->name, p->major, p->minor);
  if (!supports (context->device, context->activation))
    return cardiac_fail (error, CARDIAC_ERROR_UNSUPPORTED,
        "device 'cuda:%d' (%s) does not compute in bf16; use auto, fp16 or "
        "fp32",
        context->device, p->name);
  return true;
}

/* ---- sessions -------------------------------------------------------------- */

static void
close_backend (void *data)
{
  CardiacCudaContext *context = data;
  if (!context)
    return;
  cudaSetDevice (context->device);
  cardiac_cuda_resizer_free (&context->resizer);
  cardiac_cuda_dnn_free (context->dnn);
  cardiac_cuda_blas_free (context->blas);
  if (context->stream)
    cudaStreamDestroy (context->stream);
  free (context);
}

static void *
open_backend (const CardiacBackendSettings *settings, CardiacError **error)
{
  CardiacCudaContext *context = calloc (1, sizeof *context);
  if (!context) {
    cardiac_fail (error, CARDIAC_ERROR_NO_MEMORY, "no memory");
    return NULL;
  }
  context->device = settings->device_index;
  context->activation = settings->activation;
  /* The stream does not wait for others of this process, nor they for it. */
  if (!choose_device (context, error)
      || !cardiac_cuda_ok (
          context, cudaSetDevice (context->device), "choosing it", error)
      || !cardiac_cuda_ok (context,
          cudaStreamCreateWithFlags (&context->stream, cudaStreamNonBlocking),
          "making a stream", error)
      || !(context->blas = cardiac_cuda_blas_new (error))) {
    close_backend (context);
    return NULL;
  }
  return context;
}

static const char *
describe (void *data)
{
  CardiacCudaContext *context = data;
  int driver = 0;
  cudaDriverGetVersion (&driver);
  const size_t blas = cardiac_cuda_blas_version (context->blas);
  snprintf (context->description, sizeof context->description,
      "%.80s (%d.%d), driver for CUDA %d.%d; CUDA %d.%d, cublasLt %zu.%zu%s%s",
      context->properties.name, context->properties.major,
      context->properties.minor, driver / 1000, driver % 1000 / 10,
      CUDART_VERSION / 1000, CUDART_VERSION % 1000 / 10, blas / 10000,
      blas % 10000 / 100, context->no_dnn[0] ? "; no cuDNN: " : "",
      context->no_dnn);
  return context->description;
}

CARDIAC_API const CardiacBackend *cardiac_backend_module (void);

const CardiacBackend *
cardiac_backend_module (void)
{
  static const CardiacBackend cuda = {
    .abi = CARDIAC_BACKEND_ABI,
    .name = "cuda",
    .open = open_backend,
    .close = close_backend,
    .preferred = preferred,
    .supports = supports,
    .prepare = prepare,
    .allocate = allocate,
    .release = release,
    .allocate_host = allocate_host,
    .release_host = release_host,
    .copy = copy,
    .place = place,
    .run = cardiac_cuda_run,
    .forget = cardiac_cuda_forget,
    .describe = describe,
  };
  return &cuda;
}
