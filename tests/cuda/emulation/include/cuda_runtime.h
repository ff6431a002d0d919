/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CARDIAC_EMULATION_CUDA_RUNTIME_H
#define CARDIAC_EMULATION_CUDA_RUNTIME_H

/* The part of the CUDA runtime's host API that the engine calls, for tests on
 * machines without it. Names and meaning are the runtime's; see ../runtime.cpp
 * for what stands behind them. The device side (threads, barriers, shared
 * memory) is ../device.h, which the .cu files get through this header, too. */

#include "cuda_emulation_version.h"

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* As CUDA counts: 12040 is 12.4. */
#define CUDART_VERSION CUDA_EMULATION_VERSION

typedef enum cudaError {
  cudaSuccess = 0,
  cudaErrorInvalidValue = 1,
  cudaErrorMemoryAllocation = 2,
  cudaErrorInvalidConfiguration = 9,
  cudaErrorInsufficientDriver = 35,
  cudaErrorNoDevice = 100,
  cudaErrorInvalidDevice = 101,
  cudaErrorNoKernelImageForDevice = 209,
  cudaErrorIllegalAddress = 700,
  cudaErrorNotReady = 600,
  cudaErrorMisalignedAddress = 716,
  cudaErrorLaunchFailure = 719,
  cudaErrorNotSupported = 801,
  cudaErrorStreamCaptureUnsupported = 900,
  cudaErrorStreamCaptureInvalidated = 901,
  cudaErrorUnknown = 999,
} cudaError_t;

typedef struct CUstream_st *cudaStream_t;
typedef struct CUevent_st *cudaEvent_t;
typedef struct CUgraph_st *cudaGraph_t;
typedef struct CUgraphExec_st *cudaGraphExec_t;

enum cudaMemcpyKind {
  cudaMemcpyHostToHost = 0,
  cudaMemcpyHostToDevice = 1,
  cudaMemcpyDeviceToHost = 2,
  cudaMemcpyDeviceToDevice = 3,
  cudaMemcpyDefault = 4,
};

enum cudaStreamCaptureMode {
  cudaStreamCaptureModeGlobal = 0,
  cudaStreamCaptureModeThreadLocal = 1,
  cudaStreamCaptureModeRelaxed = 2,
};

enum {
  cudaStreamNonBlocking = 1,
  cudaHostAllocDefault = 0,
  cudaEventDefault = 0,
  cudaEventDisableTiming = 2,
};

struct cudaDeviceProp {
  char name[256];
  size_t totalGlobalMem;
  size_t sharedMemPerBlock;
  size_t sharedMemPerBlockOptin;
  int major, minor;
  int multiProcessorCount;
  int l2CacheSize;
};

cudaError_t cudaGetDeviceCount (int *count);
cudaError_t cudaSetDevice (int device);
cudaError_t cudaGetDevice (int *device);
cudaError_t cudaGetDeviceProperties (struct cudaDeviceProp *prop, int device);
cudaError_t cudaDriverGetVersion (int *version);
cudaError_t cudaRuntimeGetVersion (int *version);

const char *cudaGetErrorName (cudaError_t error);
const char *cudaGetErrorString (cudaError_t error);
cudaError_t cudaGetLastError (void);
cudaError_t cudaPeekAtLastError (void);

cudaError_t cudaMalloc (void **memory, size_t bytes);
cudaError_t cudaFree (void *memory);
cudaError_t cudaHostAlloc (void **memory, size_t bytes, unsigned flags);
cudaError_t cudaFreeHost (void *memory);
cudaError_t cudaMemGetInfo (size_t *free, size_t *total);
cudaError_t cudaMemcpy (
    void *to, const void *from, size_t bytes, enum cudaMemcpyKind kind);
cudaError_t cudaMemcpyAsync (void *to, const void *from, size_t bytes,
    enum cudaMemcpyKind kind, cudaStream_t stream);
cudaError_t cudaMemset (void *memory, int value, size_t bytes);
cudaError_t cudaMemsetAsync (
    void *memory, int value, size_t bytes, cudaStream_t stream);

cudaError_t cudaStreamCreateWithFlags (cudaStream_t *stream, unsigned flags);
cudaError_t cudaStreamDestroy (cudaStream_t stream);
cudaError_t cudaStreamSynchronize (cudaStream_t stream);

cudaError_t cudaEventCreate (cudaEvent_t *event);
cudaError_t cudaEventDestroy (cudaEvent_t event);
cudaError_t cudaEventRecord (cudaEvent_t event, cudaStream_t stream);
cudaError_t cudaEventSynchronize (cudaEvent_t event);
cudaError_t cudaEventElapsedTime (
    float *ms, cudaEvent_t begin, cudaEvent_t end);

cudaError_t cudaStreamBeginCapture (
    cudaStream_t stream, enum cudaStreamCaptureMode mode);
cudaError_t cudaStreamEndCapture (cudaStream_t stream, cudaGraph_t *graph);
cudaError_t cudaGraphInstantiate (
    cudaGraphExec_t *exec, cudaGraph_t graph, unsigned long long flags);
cudaError_t cudaGraphDestroy (cudaGraph_t graph);
cudaError_t cudaGraphUpload (cudaGraphExec_t exec, cudaStream_t stream);
cudaError_t cudaGraphLaunch (cudaGraphExec_t exec, cudaStream_t stream);
cudaError_t cudaGraphExecDestroy (cudaGraphExec_t exec);

/* Not CUDA's: what the fakes share. */

/** Work given to a stream; runs when the stream is waited for, with device
 * memory accessible, or goes into the graph that is being captured. */
typedef cudaError_t (*CudaEmulationWork) (void *state);

/** Takes `state`, which `destroy` frees when the work will not run again. */
cudaError_t cuda_emulation_enqueue (cudaStream_t stream, CudaEmulationWork work,
    void *state, void (*destroy) (void *state));

/** Keeps an error for cudaGetLastError(); returns it. */
cudaError_t cuda_emulation_fail (cudaError_t error);

/** Is [memory, memory + bytes) inside one live device allocation? */
int cuda_emulation_is_device (const void *memory, size_t bytes);

/** The live allocation that holds an address, or NULL; its bytes. */
const void *cuda_emulation_find (const void *memory, size_t *bytes);

/** What fresh device memory holds in each two bytes: a NaN of every width. */
#define CUDA_EMULATION_FRESH 0xffe7

/** Calls of cudaMalloc so far. */
uint64_t cuda_emulation_allocations (void);

/** Copies from device to host done so far. */
uint64_t cuda_emulation_downloads (void);

/** Graphs instantiated so far. */
uint64_t cuda_emulation_recordings (void);

/** Called for what loads when it is first used, which must not happen while
 * `stream` is captured. */
cudaError_t cuda_emulation_load (const void *what, cudaStream_t stream);

/** Time goes by on the device, which else takes a microsecond for anything. */
void cuda_emulation_pass (unsigned microseconds);

/** Counts what engine `number` of the fake cuDNN was told to run; how often so
 * far. */
enum { CUDA_EMULATION_ENGINES = 16 };
void cuda_emulation_count_engine (int number);
uint64_t cuda_emulation_engine_runs (int number);

#ifdef __cplusplus
}
#include "../device.h"
#endif

#endif
