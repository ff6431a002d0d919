/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CARDIAC_CUDA_H
#define CARDIAC_CUDA_H

#include "backends/backend.h"

#include <cuda_runtime.h>

/* The CUDA backend: matrix products by cublasLt, convolutions by cuDNN, the
 * rest by own kernels (kernels.h). Every operator has a kernel here, since
 * values live in device memory.
 *
 * A kernel's run() only enqueues work on the session's one stream: it never
 * waits, allocates or reports. What goes wrong is noted in the context, the
 * first failure wins, and the run of the program reports it. */

typedef struct CardiacCudaBlas CardiacCudaBlas;
typedef struct CardiacCudaDnn CardiacCudaDnn;
struct CardiacCudaResizer; /* preprocess.h */

/** One session on one device. */
typedef struct CardiacCudaContext {
  int device;              ///< cuda:N
  CardiacDType activation; ///< F32, BF16 or F16
  cudaStream_t stream;
  struct cudaDeviceProp properties;
  char description[384];

  CardiacCudaBlas *blas; ///< cublasLt and the algorithms chosen
  CardiacCudaDnn *dnn;   ///< cuDNN and its plans; NULL until one is needed
  char no_dnn[128];      ///< why cuDNN cannot be had; "": it can, or not tried
  struct CardiacCudaResizer *resizer; ///< NULL until a picture comes
  bool is_warm; ///< the device has been under load: times mean something

  cudaError_t failure;     ///< the first that no run has reported yet
  char failure_label[128]; ///< what was being enqueued
} CardiacCudaContext;

/** Enqueues one operator on `stream`. `in` holds device pointers, of constants
 * too (F32), NULL when absent. @param scratch device memory of the size that
 * was planned; no other operator uses it meanwhile. */
typedef cudaError_t (*CardiacCudaEnqueue) (const CardiacOp *op, void *const *in,
    void *out, void *scratch, cudaStream_t stream);

/** Fills a kernel of one piece that calls `enqueue`. Constants are uploaded as
 * F32 now and freed with the kernel; `op` is copied. */
bool cardiac_cuda_plan (CardiacCudaContext *context, const CardiacOp *op,
    CardiacKernel *kernel, CardiacCudaEnqueue enqueue, size_t scratch_bytes,
    const char *implementation, CardiacError **error);

/** False with an error when `status` is a failure; `doing` says of what:
 * "upload of weights", an operator's label. Out of memory says so. */
bool cardiac_cuda_ok (const CardiacCudaContext *context, cudaError_t status,
    const char *doing, CardiacError **error);

/** Keeps the first failure of a run and its operator's label. */
void cardiac_cuda_note (
    CardiacCudaContext *context, cudaError_t status, const char *label);

/** Device memory at planning time; freed by cudaFree(). NULL with an error
 * (NO_MEMORY says how much was asked and is free). */
void *cardiac_cuda_allocate (
    CardiacCudaContext *context, size_t bytes, CardiacError **error);

/** Bytes rounded up so that what comes after them is aligned as well as what
 * cudaMalloc gives. */
static inline size_t
cardiac_cuda_align (size_t bytes)
{
  return (bytes + 255) / 256 * 256;
}

/** New device memory with `count` floats of `data`, stored as `dtype`
 * (F32, BF16, F16), rounded to nearest even. */
void *cardiac_cuda_upload (CardiacCudaContext *context, const float *data,
    int64_t count, CardiacDType dtype, CardiacError **error);

/** Returns `holds`; when it does not, an INTERNAL error names the operator and
 * what it expects. */
bool cardiac_cuda_expect (const CardiacOp *op, bool holds, const char *expected,
    CardiacError **error);

/** For the backend's table: see there. run.c. */
bool cardiac_cuda_run (void *context, void **recording,
    void (*enqueue) (void *user), void *user, CardiacError **error);
void cardiac_cuda_forget (void *context, void *recording);

/** Milliseconds of some runs of what `enqueue` enqueues, recorded as networks
 * are: what the host does for a launch does not count, unless it cannot be
 * recorded. Negative when it fails, which is then forgotten; for planning.
 * run.c. */
float cardiac_cuda_time (
    CardiacCudaContext *context, void (*enqueue) (void *user), void *user);

/* Libraries: product.c, dnn.c. Both are large, and opened when wanted. */
CardiacCudaBlas *cardiac_cuda_blas_new (CardiacError **error);
void cardiac_cuda_blas_free (CardiacCudaBlas *blas); ///< may be NULL
size_t cardiac_cuda_blas_version (const CardiacCudaBlas *blas);
void cardiac_cuda_dnn_free (CardiacCudaDnn *dnn); ///< may be NULL

/** A function to look up: its name and where it is to be put. */
typedef struct CardiacCudaFunction {
  const char *name;
  void *place; ///< address of a function pointer
} CardiacCudaFunction;

/** Opens a library, for as long as the process lives, and finds `count`
 * functions. False with a DEVICE error: it, or one of them, is missing.
 * load.c. */
bool cardiac_cuda_load (const char *library, const CardiacCudaFunction *wanted,
    int count, CardiacError **error);

/** "libcudnn.so." and 9: "libcudnn.so.9". */
#define CARDIAC_CUDA_TEXT(x) #x
#define CARDIAC_CUDA_LIBRARY(name, version) name CARDIAC_CUDA_TEXT (version)

/* Prepare functions: one an operator. False always has an error. */

#define CARDIAC_CUDA_PREPARE(name)                                             \
  bool cardiac_cuda_prepare_##name (CardiacCudaContext *context,               \
      const CardiacOp *op, CardiacKernel *kernel, CardiacError **error)

CARDIAC_CUDA_PREPARE (linear);        /* linear.c */
CARDIAC_CUDA_PREPARE (matmul);        /* matmul.c */
CARDIAC_CUDA_PREPARE (conv2d);        /* convolution.c */
CARDIAC_CUDA_PREPARE (direct_conv2d); /* direct-convolution.c */
CARDIAC_CUDA_PREPARE (layer_norm);    /* normalisation.c */
CARDIAC_CUDA_PREPARE (softmax);       /* normalisation.c */
CARDIAC_CUDA_PREPARE (attention);     /* attention.c */
CARDIAC_CUDA_PREPARE (max_pool2d);    /* pool.c */
CARDIAC_CUDA_PREPARE (avg_pool2d);    /* pool.c */
CARDIAC_CUDA_PREPARE (upsample2x);    /* pool.c */
CARDIAC_CUDA_PREPARE (concat);        /* shape.c */
CARDIAC_CUDA_PREPARE (slice);         /* shape.c */
CARDIAC_CUDA_PREPARE (patchify);      /* shape.c */
CARDIAC_CUDA_PREPARE (tokens);        /* shape.c */
CARDIAC_CUDA_PREPARE (rows_load);     /* shape.c */
CARDIAC_CUDA_PREPARE (rows_store);    /* shape.c */
CARDIAC_CUDA_PREPARE (nchw_to_nhwc);  /* shape.c */
CARDIAC_CUDA_PREPARE (permute);       /* shape.c */
CARDIAC_CUDA_PREPARE (binary);        /* elementwise.c */
CARDIAC_CUDA_PREPARE (gate);          /* elementwise.c */
CARDIAC_CUDA_PREPARE (magnitude);     /* elementwise.c */
CARDIAC_CUDA_PREPARE (mean);          /* head.c */
CARDIAC_CUDA_PREPARE (cosine);        /* head.c */
CARDIAC_CUDA_PREPARE (amplify);       /* head.c */
CARDIAC_CUDA_PREPARE (eigencam);      /* eigencam.c */
CARDIAC_CUDA_PREPARE (yolo_decode);   /* detection.c */

#endif
