/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "core/error.h"
#include "cuda.h"

#include <stdlib.h>

/* A program's work as a CUDA graph: one launch instead of hundreds, from its
 * second run on. The first run warms up: libraries load their kernels, which
 * must not happen while a stream is captured. */
typedef struct Recording {
  cudaGraphExec_t graph; ///< NULL: not recorded
  bool refused;          ///< something in it cannot be captured
} Recording;

/* Enqueues into a graph instead of the stream. When that fails, the work goes
 * to the stream as before, where failures are reported. */
static void
record (CardiacCudaContext *context, Recording *recording,
    void (*enqueue) (void *user), void *user)
{
  const cudaError_t before = context->failure;
  cudaGraph_t graph = NULL;
  /* Other threads of this process may go on allocating meanwhile. */
  cudaError_t status = cudaStreamBeginCapture (
      context->stream, cudaStreamCaptureModeThreadLocal);
  if (status == cudaSuccess) {
    enqueue (user);
    status = cudaStreamEndCapture (context->stream, &graph);
  }
  if (status == cudaSuccess && context->failure == before)
    cudaGraphInstantiate (&recording->graph, graph, 0);
  if (graph)
    cudaGraphDestroy (graph);
  recording->refused = !recording->graph;
  context->failure = before;
  cudaGetLastError ();
}

/* The recording that a second run makes. */
static Recording *
recording_of (CardiacCudaContext *context, void **slot,
    void (*enqueue) (void *user), void *user)
{
  if (!slot)
    return NULL;
  if (!*slot) { /* the first run */
    *slot = calloc (1, sizeof (Recording));
    return NULL;
  }
  Recording *recording = *slot;
  if (!recording->graph && !recording->refused)
    record (context, recording, enqueue, user);
  return recording;
}

bool
cardiac_cuda_run (void *data, void **slot, void (*enqueue) (void *user),
    void *user, CardiacError **error)
{
  CardiacCudaContext *context = data;
  if (!cardiac_cuda_ok (
          context, cudaSetDevice (context->device), "choosing it", error))
    return false;
  Recording *recording = recording_of (context, slot, enqueue, user);
  if (recording && recording->graph)
    cardiac_cuda_note (context,
        cudaGraphLaunch (recording->graph, context->stream),
        "running the network");
  else
    enqueue (user);
  cardiac_cuda_note (
      context, cudaStreamSynchronize (context->stream), "running the network");
  const cudaError_t failure = context->failure;
  context->failure = cudaSuccess;
  return cardiac_cuda_ok (context, failure, context->failure_label, error);
}

void
cardiac_cuda_forget (void *data, void *slot)
{
  CardiacCudaContext *context = data;
  Recording *recording = slot;
  cudaSetDevice (context->device);
  if (recording->graph)
    cudaGraphExecDestroy (recording->graph);
  free (recording);
}
