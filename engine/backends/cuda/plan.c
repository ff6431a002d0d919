/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "backends/reference/storage.h"
#include "core/error.h"
#include "cuda.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A planned operator: its constants on the device and what enqueues it. */
typedef struct Planned {
  CardiacCudaContext *context;
  CardiacOp op;
  CardiacCudaEnqueue enqueue;
  void *constant[CARDIAC_OP_MAX_INPUTS]; ///< owned; NULL: a value
  char label[96];
} Planned;

static void
run (const CardiacKernel *kernel, void *const *in, void *out, int piece,
    void *scratch)
{
  const Planned *planned = kernel->state;
  void *data[CARDIAC_OP_MAX_INPUTS];
  for (int i = 0; i < planned->op.inputs; i++)
    data[i] = planned->constant[i] ? planned->constant[i] : in[i];
  cardiac_cuda_note (planned->context,
      planned->enqueue (
          &planned->op, data, out, scratch, planned->context->stream),
      planned->label);
}

static void
destroy (CardiacKernel *kernel)
{
  Planned *planned = kernel->state;
  for (int i = 0; i < planned->op.inputs; i++)
    cudaFree (planned->constant[i]);
  free (planned);
  kernel->state = NULL;
}

void *
cardiac_cuda_upload (CardiacCudaContext *context, const float *data,
    int64_t count, CardiacDType dtype, CardiacError **error)
{
  const size_t bytes = (size_t) count * cardiac_storage_size (dtype);
  void *packed = dtype == CARDIAC_F32 ? NULL : malloc (bytes ? bytes : 1);
  if (dtype != CARDIAC_F32 && !packed) {
    cardiac_fail (error, CARDIAC_ERROR_NO_MEMORY, "no memory for weights");
    return NULL;
  }
  for (int64_t i = 0; packed && i < count; i++)
    cardiac_store (packed, dtype, i, data[i]);
  void *memory = cardiac_cuda_allocate (context, bytes, error);
  /* In the session's stream, so that its kernels come after. */
  cudaError_t status = memory ? cudaMemcpyAsync (memory, packed ? packed : data,
                           bytes, cudaMemcpyHostToDevice, context->stream)
                              : cudaSuccess;
  if (status == cudaSuccess)
    status = cudaStreamSynchronize (context->stream);
  free (packed);
  if (memory && cardiac_cuda_ok (context, status, "upload of weights", error))
    return memory;
  cudaFree (memory);
  return NULL;
}

bool
cardiac_cuda_plan (CardiacCudaContext *context, const CardiacOp *op,
    CardiacKernel *kernel, CardiacCudaEnqueue enqueue, size_t scratch_bytes,
    const char *implementation, CardiacError **error)
{
  Planned *planned = calloc (1, sizeof *planned);
  if (!planned)
    return cardiac_fail (error, CARDIAC_ERROR_NO_MEMORY, "no memory");
  planned->context = context;
  planned->op = *op;
  planned->op.label = planned->label;
  planned->enqueue = enqueue;
  snprintf (planned->label, sizeof planned->label, "%s",
      op->label ? op->label : cardiac_op_name (op->kind));
  *kernel = (CardiacKernel){
    .run = run,
    .destroy = destroy,
    .state = planned,
    .pieces = 1,
    .scratch_bytes = scratch_bytes,
    .consumed_constants = true,
  };
  snprintf (kernel->implementation, sizeof kernel->implementation, "%s",
      implementation);
  for (int i = 0; i < op->inputs; i++) {
    if (!op->constant[i] || !cardiac_op_has (op, i))
      continue;
    planned->constant[i] = cardiac_cuda_upload (context, op->in[i].data,
        cardiac_tensor_count (&op->in[i]), CARDIAC_F32, error);
    if (!planned->constant[i]) {
      destroy (kernel);
      return false;
    }
  }
  return true;
}
