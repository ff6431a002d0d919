/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "core/error.h"
#include "cuda.h"

#include <stdlib.h>
#include <time.h>

/* A program's work as a CUDA graph: one launch instead of hundreds, from its
 * second run on. The first run warms up: libraries load their kernels, which
 * must not happen while a stream is captured. */
typedef struct Recording {
  cudaGraphExec_t graph; ///< NULL: not recorded
  bool refused;          ///< something in it cannot be captured
} Recording;

/* Enqueues into a graph instead of the stream. NULL: something in it failed or
 * cannot be captured; nothing of it is noted. */
static cudaGraphExec_t
record (CardiacCudaContext *context, void (*enqueue) (void *user), void *user)
{
  const cudaError_t before = context->failure;
  cudaGraph_t graph = NULL;
  cudaGraphExec_t made = NULL;
  /* Other threads of this process may go on allocating meanwhile. */
  cudaError_t status = cudaStreamBeginCapture (
      context->stream, cudaStreamCaptureModeThreadLocal);
  if (status == cudaSuccess) {
    enqueue (user);
    status = cudaStreamEndCapture (context->stream, &graph);
  }
  if (status == cudaSuccess && context->failure == before)
    cudaGraphInstantiate (&made, graph, 0);
  if (graph)
    cudaGraphDestroy (graph);
  context->failure = before;
  cudaGetLastError ();
  return made;
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
  /* When that fails, the work goes to the stream as before, where failures are
   * reported. */
  if (!recording->graph && !recording->refused)
    recording->graph = record (context, enqueue, user);
  recording->refused = !recording->graph;
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

/* ---- timing ---------------------------------------------------------------- */

enum { TIMED_RUNS = 5 };

/* An idle device lowers its clocks, and takes a while under load to raise them
 * again: what is timed before would look slow. */
static const double WARM_UP_SECONDS = 0.05;

static double
seconds_now (void)
{
  struct timespec t;
  clock_gettime (CLOCK_MONOTONIC, &t);
  return (double) t.tv_sec + 1e-9 * (double) t.tv_nsec;
}

/* Once a session. */
static void
warm_up (CardiacCudaContext *context, void (*enqueue) (void *user), void *user)
{
  const double begin = seconds_now ();
  while (!context->is_warm && context->failure == cudaSuccess) {
    enqueue (user);
    cardiac_cuda_note (
        context, cudaStreamSynchronize (context->stream), "timing");
    context->is_warm = seconds_now () - begin > WARM_UP_SECONDS;
  }
}

typedef struct Repeated {
  void (*enqueue) (void *user);
  void *user;
} Repeated;

static void
enqueue_repeated (void *user)
{
  const Repeated *it = user;
  for (int run = 0; run < TIMED_RUNS; run++)
    it->enqueue (it->user);
}

/* Milliseconds between two events around `graph`, or around the runs enqueued
 * one by one where they could not be recorded; negative: failed. */
static float
time_between (CardiacCudaContext *context, cudaEvent_t begin, cudaEvent_t end,
    cudaGraphExec_t graph, Repeated *repeated)
{
  float ms = -1;
  if (graph)
    cudaGraphUpload (graph, context->stream);
  cudaEventRecord (begin, context->stream);
  if (graph)
    cardiac_cuda_note (
        context, cudaGraphLaunch (graph, context->stream), "timing");
  else
    enqueue_repeated (repeated);
  cudaEventRecord (end, context->stream);
  cardiac_cuda_note (context, cudaEventSynchronize (end), "timing");
  if (context->failure != cudaSuccess
      || cudaEventElapsedTime (&ms, begin, end) != cudaSuccess)
    return -1;
  return ms;
}

float
cardiac_cuda_time (
    CardiacCudaContext *context, void (*enqueue) (void *user), void *user)
{
  Repeated repeated = { enqueue, user };
  cudaEvent_t begin = NULL, end = NULL;
  cudaGraphExec_t graph = NULL;
  float ms = -1;
  if (context->failure != cudaSuccess) /* not ours: the next run reports it */
    return -1;
  enqueue (user); /* loads what it needs; not timed */
  cardiac_cuda_note (
      context, cudaStreamSynchronize (context->stream), "timing");
  warm_up (context, enqueue, user);
  if (context->failure == cudaSuccess)
    graph = record (context, enqueue_repeated, &repeated);
  if (context->failure == cudaSuccess && cudaEventCreate (&begin) == cudaSuccess
      && cudaEventCreate (&end) == cudaSuccess)
    ms = time_between (context, begin, end, graph, &repeated);
  if (graph)
    cudaGraphExecDestroy (graph);
  if (begin)
    cudaEventDestroy (begin);
  if (end)
    cudaEventDestroy (end);
  context->failure = cudaSuccess;
  cudaGetLastError (); /* or the next launch reports it */
  return ms;
}
