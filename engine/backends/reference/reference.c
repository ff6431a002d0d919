/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "backends/reference/reference.h"
#include "core/error.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>

static void
destroy_kernel (CardiacKernel *kernel)
{
  free (kernel->state);
  kernel->state = NULL;
}

bool
cardiac_reference_plan (CardiacKernel *kernel, const CardiacOp *op,
    CardiacReferenceRun run, int64_t pieces, size_t scratch_bytes,
    CardiacError **error)
{
  if (pieces < 1 || pieces > INT_MAX)
    return cardiac_fail (error, CARDIAC_ERROR_INTERNAL,
        "%s: too large for the reference backend",
        op->label ? op->label : cardiac_op_name (op->kind));
  CardiacOp *copy = malloc (sizeof *copy);
  if (!copy)
    return cardiac_fail (error, CARDIAC_ERROR_NO_MEMORY, "Out of memory");
  *copy = *op;
  copy->label = NULL; /* may not live as long as the kernel */

  *kernel = (CardiacKernel){
    .run = run,
    .destroy = destroy_kernel,
    .state = copy,
    .pieces = (int) pieces,
    .scratch_bytes = scratch_bytes,
    .implementation = "reference",
  };
  return true;
}

/** Writes "f32 [2,3]" at the end of `text`. */
static void
describe_tensor (const CardiacTensor *tensor, char *text, size_t size)
{
  size_t used = strlen (text);
  int rank = tensor->rank < CARDIAC_MAX_RANK ? tensor->rank : CARDIAC_MAX_RANK;

  used += (size_t) snprintf (
      text + used, size - used, " dtype %d [", (int) tensor->dtype);
  for (int i = 0; i < rank && used < size; i++)
    used += (size_t) snprintf (text + used, size - used, "%s%lld", i ? "," : "",
        (long long) tensor->shape[i]);
  if (used < size)
    snprintf (text + used, size - used, "]");
}

bool
cardiac_reference_expect (
    const CardiacOp *op, bool holds, const char *expected, CardiacError **error)
{
  if (holds)
    return true;

  char shapes[1024] = "in:";
  for (int i = 0; i < op->inputs && i < CARDIAC_OP_MAX_INPUTS; i++)
    describe_tensor (&op->in[i], shapes, sizeof shapes - 128);
  strcat (shapes, " out:");
  describe_tensor (&op->out, shapes, sizeof shapes);

  cardiac_fail (error, CARDIAC_ERROR_INTERNAL, "%s: operator %s expects %s",
      op->label ? op->label : "?", cardiac_op_name (op->kind), expected);
  cardiac_error_set_detail (error, "%s", shapes);
  return false;
}

static bool
is_sane (const CardiacTensor *tensor)
{
  if (!cardiac_storage_is_float (tensor->dtype) || tensor->rank < 1
      || tensor->rank > CARDIAC_MAX_RANK)
    return false;
  int64_t count = 1;
  for (int i = 0; i < tensor->rank; i++)
    if (tensor->shape[i] < 1
        || __builtin_mul_overflow (count, tensor->shape[i], &count))
      return false;
  return count <= INT64_MAX / 8;
}

bool
cardiac_reference_expect_tensors (
    const CardiacOp *op, int required, CardiacError **error)
{
  bool sane = op->inputs >= required && op->inputs <= CARDIAC_OP_MAX_INPUTS
              && is_sane (&op->out);
  for (int i = 0; sane && i < op->inputs; i++)
    if (i < required || cardiac_op_has (op, i))
      sane = is_sane (&op->in[i]);
  return cardiac_reference_expect (
      op, sane, "its inputs to be given as f32, bf16 or f16", error);
}

static bool
prepare (void *context, const CardiacOp *op, CardiacKernel *kernel,
    CardiacError **error)
{
  static const CardiacReferencePrepare table[CARDIAC_OP_KINDS] = {
    [CARDIAC_OP_LINEAR] = cardiac_reference_linear,
    [CARDIAC_OP_LAYER_NORM] = cardiac_reference_layer_norm,
    [CARDIAC_OP_ATTENTION] = cardiac_reference_attention,
    [CARDIAC_OP_MATMUL] = cardiac_reference_matmul,
    [CARDIAC_OP_CONV2D] = cardiac_reference_conv2d,
    [CARDIAC_OP_MAX_POOL2D] = cardiac_reference_max_pool2d,
    [CARDIAC_OP_AVG_POOL2D] = cardiac_reference_avg_pool2d,
    [CARDIAC_OP_UPSAMPLE2X] = cardiac_reference_upsample2x,
    [CARDIAC_OP_CONCAT] = cardiac_reference_concat,
    [CARDIAC_OP_SLICE] = cardiac_reference_slice,
    [CARDIAC_OP_SOFTMAX] = cardiac_reference_softmax,
    [CARDIAC_OP_BINARY] = cardiac_reference_binary,
    [CARDIAC_OP_GATE] = cardiac_reference_gate,
    [CARDIAC_OP_MAGNITUDE] = cardiac_reference_magnitude,
    [CARDIAC_OP_PATCHIFY] = cardiac_reference_patchify,
    [CARDIAC_OP_TOKENS] = cardiac_reference_tokens,
    [CARDIAC_OP_ROWS_LOAD] = cardiac_reference_rows_load,
    [CARDIAC_OP_ROWS_STORE] = cardiac_reference_rows_store,
    [CARDIAC_OP_MEAN] = cardiac_reference_mean,
    [CARDIAC_OP_NCHW_TO_NHWC] = cardiac_reference_nchw_to_nhwc,
    [CARDIAC_OP_PERMUTE] = cardiac_reference_permute,
    [CARDIAC_OP_COSINE] = cardiac_reference_cosine,
    [CARDIAC_OP_AMPLIFY] = cardiac_reference_amplify,
    [CARDIAC_OP_EIGENCAM] = cardiac_reference_eigencam,
    [CARDIAC_OP_YOLO_DECODE] = cardiac_reference_yolo_decode,
  };
  (void) context;

  if (op->kind < 0 || op->kind >= CARDIAC_OP_KINDS || !table[op->kind])
    return cardiac_fail (error, CARDIAC_ERROR_INTERNAL,
        "Operator %d is unknown", (int) op->kind);
  return table[op->kind](op, kernel, error);
}

static void *
open_backend (const CardiacBackendSettings *settings, CardiacError **error)
{
  (void) settings;
  (void) error;
  static char context; /* nothing to keep; only its address says "open" */
  return &context;
}

static void
close_backend (void *context)
{
  (void) context;
}

static CardiacDType
preferred (int device_index)
{
  return CARDIAC_F32;
}

static bool
supports (int device_index, CardiacDType activation)
{
  return cardiac_storage_is_float (activation);
}

static const char *
describe (void *context)
{
  (void) context;
  return "plain C";
}

const CardiacBackend *
cardiac_backend_reference (void)
{
  static const CardiacBackend backend = {
    .abi = CARDIAC_BACKEND_ABI,
    .name = "reference",
    .open = open_backend,
    .close = close_backend,
    .preferred = preferred,
    .supports = supports,
    .prepare = prepare,
    .describe = describe,
  };
  return &backend;
}
