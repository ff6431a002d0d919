/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cpu.h"

#include "core/error.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *
isa_name (CpuIsa isa)
{
  return isa.amx_bf16      ? "AMX bf16"
         : isa.avx512_bf16 ? "AVX-512 bf16"
         : isa.avx512      ? "AVX-512"
         : isa.avx2        ? "AVX2"
                           : "SSE4.1 or less";
}

/* ---- the table --------------------------------------------------------------- */

static bool
supports (int device_index, CardiacDType activation)
{
  return activation == CARDIAC_F32
         || (activation == CARDIAC_BF16 && cpu_library_isa ().avx512);
}

/* bf16 where the processor multiplies it faster than f32: AMX, and AMD's
 * AVX512_BF16. Intel's AVX512_BF16 without AMX runs at half the rate of f32. */
static CardiacDType
preferred (int device_index)
{
  CpuIsa isa = cpu_library_isa ();
  bool fast = isa.amx_bf16;
#if defined(__x86_64__)
  __builtin_cpu_init ();
  fast = fast || (isa.avx512_bf16 && __builtin_cpu_is ("amd"));
#endif
  return fast ? CARDIAC_BF16 : CARDIAC_F32;
}

static void
close_backend (void *data)
{
  CpuContext *context = data;
  if (!context)
    return;
  cpu_library_free (context->library);
  free (context);
}

static void *
open_backend (const CardiacBackendSettings *settings, CardiacError **error)
{
  if (!supports (0, settings->activation)) {
    cardiac_fail (error, CARDIAC_ERROR_UNSUPPORTED,
        "device 'cpu' computes in fp32%s; the precision asked for is not "
        "possible on this processor",
        supports (0, CARDIAC_BF16) ? " and bf16" : "");
    return NULL;
  }
  CpuContext *context = calloc (1, sizeof *context);
  if (!context) {
    cardiac_fail (error, CARDIAC_ERROR_NO_MEMORY, "no memory");
    return NULL;
  }
  context->library = cpu_library_new (error);
  if (!context->library) {
    close_backend (context);
    return NULL;
  }
  context->vector = cpu_choose_vector ();
  snprintf (context->description, sizeof context->description,
      "%s, %s; own loops: %s", cpu_library_version (),
      isa_name (cpu_library_isa ()), context->vector->name);
  return context;
}

static bool
prepare (void *context, const CardiacOp *op, CardiacKernel *kernel,
    CardiacError **error)
{
  static const CpuPrepare table[CARDIAC_OP_KINDS] = {
    [CARDIAC_OP_LINEAR] = cpu_prepare_linear,
    [CARDIAC_OP_LAYER_NORM] = cpu_prepare_layer_norm,
    [CARDIAC_OP_ATTENTION] = cpu_prepare_attention,
    [CARDIAC_OP_MATMUL] = cpu_prepare_matmul,
    [CARDIAC_OP_CONV2D] = cpu_prepare_conv2d,
    [CARDIAC_OP_MAX_POOL2D] = cpu_prepare_max_pool2d,
    [CARDIAC_OP_AVG_POOL2D] = cpu_prepare_avg_pool2d,
    [CARDIAC_OP_UPSAMPLE2X] = cpu_prepare_upsample2x,
    [CARDIAC_OP_CONCAT] = cpu_prepare_concat,
    [CARDIAC_OP_SLICE] = cpu_prepare_slice,
    [CARDIAC_OP_SOFTMAX] = cpu_prepare_softmax,
    [CARDIAC_OP_BINARY] = cpu_prepare_binary,
    [CARDIAC_OP_GATE] = cpu_prepare_gate,
    [CARDIAC_OP_MAGNITUDE] = cpu_prepare_magnitude,
    [CARDIAC_OP_PATCHIFY] = cpu_prepare_patchify,
    [CARDIAC_OP_TOKENS] = cpu_prepare_tokens,
    [CARDIAC_OP_ROWS_LOAD] = cpu_prepare_rows_load,
    [CARDIAC_OP_ROWS_STORE] = cpu_prepare_rows_store,
    [CARDIAC_OP_MEAN] = cpu_prepare_mean,
    [CARDIAC_OP_NCHW_TO_NHWC] = cpu_prepare_nchw_to_nhwc,
    [CARDIAC_OP_PERMUTE] = cpu_prepare_permute,
    [CARDIAC_OP_COSINE] = cpu_prepare_cosine,
    [CARDIAC_OP_AMPLIFY] = cpu_prepare_amplify,
    [CARDIAC_OP_EIGENCAM] = cpu_prepare_eigencam,
    [CARDIAC_OP_YOLO_DECODE] = cpu_prepare_yolo_decode,
  };
  if ((unsigned) op->kind >= CARDIAC_OP_KINDS || !table[op->kind])
    return false;
  /* Primitives keep the number of threads they were made with. */
  cpu_library_enter_thread ();
  return table[op->kind](context, op, kernel, error);
}

static void
enter_thread (void *context)
{
  (void) context;
  cpu_library_enter_thread ();
}

static const char *
describe (void *context)
{
  return ((const CpuContext *) context)->description;
}

static const CardiacBackend backend = {
  .abi = CARDIAC_BACKEND_ABI,
  .name = "cpu",
  .open = open_backend,
  .close = close_backend,
  .preferred = preferred,
  .supports = supports,
  .prepare = prepare,
  .enter_thread = enter_thread,
  .describe = describe,
};

CARDIAC_API const CardiacBackend *cardiac_backend_module (void);

const CardiacBackend *
cardiac_backend_module (void)
{
  return &backend;
}

/* ---- helpers ------------------------------------------------------------------ */

bool
cpu_expect (const CardiacOp *op, int count)
{
  if (op->inputs < count || !cpu_is_float (&op->out) || op->out.rank < 1)
    return false;
  for (int i = 0; i < op->inputs; i++) {
    if (!cardiac_op_has (op, i) && i >= count)
      continue;
    if (!cpu_is_float (&op->in[i]) || op->in[i].rank < 1)
      return false;
    for (int axis = 0; axis < op->in[i].rank; axis++)
      if (op->in[i].shape[axis] < 1)
        return false;
  }
  for (int axis = 0; axis < op->out.rank; axis++)
    if (op->out.shape[axis] < 1)
      return false;
  return true;
}

void
cpu_name_implementation (CardiacKernel *kernel, const char *name)
{
  snprintf (kernel->implementation, sizeof kernel->implementation, "%s", name);
}

static void
destroy_loop (CardiacKernel *kernel)
{
  free (kernel->state);
  kernel->state = NULL;
}

bool
cpu_loop_plan (const CpuContext *context, const CardiacOp *op,
    CardiacKernel *kernel, CpuRun run, int64_t units, int64_t chunk,
    size_t scratch_bytes, CardiacError **error)
{
  chunk = chunk < 1 ? 1 : chunk;
  const int64_t pieces = cpu_parts (units, chunk);
  if (pieces < 1 || pieces > INT_MAX)
    return false;
  CpuLoop *loop = malloc (sizeof *loop);
  if (!loop)
    return cardiac_fail (error, CARDIAC_ERROR_NO_MEMORY, "no memory");
  *loop = (CpuLoop){ *op, context->vector, chunk };
  loop->op.label = NULL; /* may not live as long as the kernel */
  *kernel = (CardiacKernel){
    .run = run,
    .destroy = destroy_loop,
    .state = loop,
    .pieces = (int) pieces,
    .scratch_bytes = scratch_bytes,
  };
  char name[32];
  snprintf (name, sizeof name, "loop:%s", context->vector->name);
  cpu_name_implementation (kernel, name);
  return true;
}
