/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "dnnl-compat.h"

#include "core/error.h"

#include <omp.h>
#include <oneapi/dnnl/dnnl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Memory descriptors are structs in 2.x and counted handles in 3.x. `Desc`
 * hides which; desc_arg() is how one is passed to oneDNN. */
#if DNNL_VERSION_MAJOR >= 3
typedef const_dnnl_memory_desc_t DescArg;
#else
typedef const dnnl_memory_desc_t *DescArg;
#endif

typedef struct Desc {
  bool set;
  dnnl_memory_desc_t md;
} Desc;

struct CpuLibrary {
  dnnl_engine_t engine;
  dnnl_stream_t stream;
};

struct CpuPrimitive {
  const CpuLibrary *library;
  dnnl_primitive_t primitive;
  Desc src, weights, bias, dst, scratch;
  char implementation[64];
};

struct CpuConstants {
  dnnl_memory_t weights, bias;
  void *weights_data, *bias_data;
};

/* Descriptors */

static DescArg
desc_arg (const Desc *desc)
{
  if (!desc->set)
    return NULL;
#if DNNL_VERSION_MAJOR >= 3
  return desc->md;
#else
  return &desc->md;
#endif
}

static void
desc_clear (Desc *desc)
{
#if DNNL_VERSION_MAJOR >= 3
  if (desc->set)
    dnnl_memory_desc_destroy (desc->md);
#endif
  desc->set = false;
}

static dnnl_data_type_t
data_type (CardiacDType dtype)
{
  return dtype == CARDIAC_BF16 ? dnnl_bf16 : dnnl_f32;
}

static bool
desc_init (Desc *desc, const CpuArray *array)
{
  dnnl_dims_t dims, strides;
  for (int i = 0; i < array->rank; i++) {
    dims[i] = array->shape[i];
    strides[i] = array->stride[i];
  }
  dnnl_data_type_t type = data_type (array->dtype);
  bool any = array->stride[0] == 0;
#if DNNL_VERSION_MAJOR >= 3
  dnnl_status_t status = any ? dnnl_memory_desc_create_with_tag (&desc->md,
                             array->rank, dims, type, dnnl_format_tag_any)
                             : dnnl_memory_desc_create_with_strides (
                                 &desc->md, array->rank, dims, type, strides);
#else
  dnnl_status_t status = any ? dnnl_memory_desc_init_by_tag (&desc->md,
                             array->rank, dims, type, dnnl_format_tag_any)
                             : dnnl_memory_desc_init_by_strides (
                                 &desc->md, array->rank, dims, type, strides);
#endif
  desc->set = status == dnnl_success;
  return desc->set;
}

static bool
desc_copy (Desc *desc, DescArg from)
{
  desc->set = false;
  if (!from)
    return false;
#if DNNL_VERSION_MAJOR >= 3
  desc->set = dnnl_memory_desc_clone (&desc->md, from) == dnnl_success;
#else
  desc->md = *from;
  desc->set = true;
#endif
  return desc->set;
}

static size_t
desc_bytes (const Desc *desc)
{
  return desc->set ? dnnl_memory_desc_get_size (desc_arg (desc)) : 0;
}

static dnnl_memory_t
memory_new (const CpuLibrary *library, const Desc *desc, void *data)
{
  dnnl_memory_t memory = NULL;
  if (dnnl_memory_create (&memory, desc_arg (desc), library->engine, data)
      != dnnl_success)
    return NULL;
  return memory;
}

/* Library */

CpuLibrary *
cpu_library_new (CardiacError **error)
{
  CpuLibrary *library = calloc (1, sizeof *library);
  if (library
      && dnnl_engine_create (&library->engine, dnnl_cpu, 0) == dnnl_success
      && dnnl_stream_create (
             &library->stream, library->engine, dnnl_stream_default_flags)
             == dnnl_success)
    return library;
  cpu_library_free (library);
  cardiac_fail (error, CARDIAC_ERROR_DEVICE,
      "oneDNN cannot make an engine for this processor");
  return NULL;
}

void
cpu_library_free (CpuLibrary *library)
{
  if (!library)
    return;
  if (library->stream)
    dnnl_stream_destroy (library->stream);
  if (library->engine)
    dnnl_engine_destroy (library->engine);
  free (library);
}

void
cpu_library_enter_thread (void)
{
  omp_set_num_threads (1);
}

static bool
isa_has (unsigned isa, unsigned wanted)
{
  return (isa & wanted) == wanted;
}

CpuIsa
cpu_library_isa (void)
{
  unsigned isa = dnnl_get_effective_cpu_isa ();
#if DNNL_VERSION_MAJOR >= 3
  unsigned all = dnnl_cpu_isa_default;
#else
  unsigned all = dnnl_cpu_isa_all;
#endif
  if (isa == all)
    isa = ~0u;
  return (CpuIsa){
    .avx2 = isa_has (isa, dnnl_cpu_isa_avx2),
    .avx512 = isa_has (isa, dnnl_cpu_isa_avx512_core),
    .avx512_bf16 = isa_has (isa, dnnl_cpu_isa_avx512_core_bf16),
    .amx_bf16 = isa_has (isa, dnnl_cpu_isa_avx512_core_amx),
  };
}

const char *
cpu_library_version (void)
{
  static char text[32];
  const dnnl_version_t *version = dnnl_version ();
  snprintf (text, sizeof text, "oneDNN %d.%d.%d", version->major,
      version->minor, version->patch);
  return text;
}

/* Epilogues */

static dnnl_status_t
append_eltwise (
    dnnl_post_ops_t ops, dnnl_alg_kind_t kind, float alpha, float beta)
{
#if DNNL_VERSION_MAJOR >= 3
  return dnnl_post_ops_append_eltwise (ops, kind, alpha, beta);
#else
  return dnnl_post_ops_append_eltwise (ops, 1.0f, kind, alpha, beta);
#endif
}

static dnnl_status_t
append_activation (dnnl_post_ops_t ops, CardiacActivation activation)
{
  switch (activation) {
    case CARDIAC_ACTIVATION_QUICK_GELU:
      return append_eltwise (ops, dnnl_eltwise_swish, 1.702f, 0);
    case CARDIAC_ACTIVATION_SILU:
      return append_eltwise (ops, dnnl_eltwise_swish, 1.0f, 0);
    case CARDIAC_ACTIVATION_LEAKY_RELU:
      return append_eltwise (ops, dnnl_eltwise_relu, 0.2f, 0);
    case CARDIAC_ACTIVATION_NONE:
      break;
  }
  return dnnl_success;
}

static dnnl_primitive_attr_t
attributes_new (const CpuEpilogue *epilogue)
{
  dnnl_primitive_attr_t attributes = NULL;
  dnnl_post_ops_t ops = NULL;
  bool good =
      dnnl_primitive_attr_create (&attributes) == dnnl_success
      && dnnl_primitive_attr_set_scratchpad_mode (
             attributes, dnnl_scratchpad_mode_user)
             == dnnl_success
      && dnnl_post_ops_create (&ops) == dnnl_success
      && (epilogue->alpha == 0 || epilogue->alpha == 1
          || append_eltwise (ops, dnnl_eltwise_linear, epilogue->alpha, 0)
                 == dnnl_success)
      && append_activation (ops, epilogue->activation) == dnnl_success
      && (!epilogue->accumulate
#if DNNL_VERSION_MAJOR >= 3
          || dnnl_post_ops_append_sum (ops, 1.0f, 0, dnnl_data_type_undef)
                 == dnnl_success)
#else
          || dnnl_post_ops_append_sum (ops, 1.0f) == dnnl_success)
#endif
      && dnnl_primitive_attr_set_post_ops (attributes, ops) == dnnl_success;
  if (ops)
    dnnl_post_ops_destroy (ops);
  if (!good && attributes) {
    dnnl_primitive_attr_destroy (attributes);
    attributes = NULL;
  }
  return attributes;
}

/* Primitives */

/** Operands of a primitive that is being made. */
typedef struct Plan {
  Desc src, weights, bias, dst;
  dnnl_primitive_attr_t attributes;
} Plan;

static bool
plan_init (Plan *plan, const CpuArray *src, const CpuArray *weights,
    const CpuArray *bias, const CpuArray *dst, const CpuEpilogue *epilogue,
    const CpuPrimitive *like)
{
  *plan = (Plan){ 0 };
  return desc_init (&plan->src, src)
         && (like ? desc_copy (&plan->weights, desc_arg (&like->weights))
                  : desc_init (&plan->weights, weights))
         && (!epilogue->bias || desc_init (&plan->bias, bias))
         && desc_init (&plan->dst, dst)
         && (plan->attributes = attributes_new (epilogue)) != NULL;
}

static void
plan_clear (Plan *plan)
{
  desc_clear (&plan->src);
  desc_clear (&plan->weights);
  desc_clear (&plan->bias);
  desc_clear (&plan->dst);
  if (plan->attributes)
    dnnl_primitive_attr_destroy (plan->attributes);
}

static bool
copy_queried (
    Desc *desc, const_dnnl_primitive_desc_t pd, dnnl_query_t query, int index)
{
  desc_copy (desc, dnnl_primitive_desc_query_md (pd, query, index));
  return desc->set;
}

/** Takes `pd`. */
static CpuPrimitive *
primitive_new (
    const CpuLibrary *library, dnnl_primitive_desc_t pd, const Plan *plan)
{
  CpuPrimitive *made = calloc (1, sizeof *made);
  bool good =
      made && dnnl_primitive_create (&made->primitive, pd) == dnnl_success
      && desc_copy (&made->src, desc_arg (&plan->src))
      && desc_copy (&made->dst, desc_arg (&plan->dst))
      && copy_queried (&made->weights, pd, dnnl_query_weights_md, 0)
      && (!plan->bias.set || desc_copy (&made->bias, desc_arg (&plan->bias)));
  if (good) {
    made->library = library;
    copy_queried (&made->scratch, pd, dnnl_query_scratchpad_md, 0);
    const char *name = "";
    dnnl_primitive_desc_query (pd, dnnl_query_impl_info_str, 0, (void *) &name);
    snprintf (made->implementation, sizeof made->implementation, "%s", name);
  }
  dnnl_primitive_desc_destroy (pd);
  if (good)
    return made;
  cpu_primitive_free (made);
  return NULL;
}

CpuPrimitive *
cpu_matmul_new (const CpuLibrary *library, const CpuArray *src,
    const CpuArray *weights, const CpuArray *dst, const CpuEpilogue *epilogue,
    const CpuPrimitive *like, CardiacError **error)
{
  const int64_t m = dst->shape[dst->rank - 2], n = dst->shape[dst->rank - 1];
  const int64_t k = src->shape[src->rank - 1];
  CpuArray bias = cpu_matrix (CARDIAC_F32, 1, n, n);
  Plan plan;
  dnnl_primitive_desc_t pd = NULL;
  dnnl_status_t status = dnnl_out_of_memory;
  if (plan_init (&plan, src, weights, &bias, dst, epilogue, like)) {
#if DNNL_VERSION_MAJOR >= 3
    status = dnnl_matmul_primitive_desc_create (&pd, library->engine,
        desc_arg (&plan.src), desc_arg (&plan.weights), desc_arg (&plan.bias),
        desc_arg (&plan.dst), plan.attributes);
#else
    dnnl_matmul_desc_t desc;
    status = dnnl_matmul_desc_init (&desc, desc_arg (&plan.src),
        desc_arg (&plan.weights), desc_arg (&plan.bias), desc_arg (&plan.dst));
    if (status == dnnl_success)
      status = dnnl_primitive_desc_create (
          &pd, &desc, plan.attributes, library->engine, NULL);
#endif
  }
  CpuPrimitive *made =
      status == dnnl_success ? primitive_new (library, pd, &plan) : NULL;
  plan_clear (&plan);
  if (!made && !like)
    cardiac_fail (error, CARDIAC_ERROR_INTERNAL,
        "oneDNN makes no matrix product of %lldx%lldx%lld (status %d)",
        (long long) m, (long long) k, (long long) n, (int) status);
  return made;
}

CpuPrimitive *
cpu_convolution_new (const CpuLibrary *library, const CpuArray *src,
    const CpuArray *weights, const CpuArray *dst, const CpuWindow *window,
    const CpuEpilogue *epilogue, const CpuPrimitive *like, CardiacError **error)
{
  CpuArray bias = { CARDIAC_F32, 1, { dst->shape[1] }, { 1 } };
  dnnl_dims_t strides = { window->stride, window->stride };
  dnnl_dims_t before = { window->top, window->left };
  dnnl_dims_t after = { window->bottom, window->right };
  Plan plan;
  dnnl_primitive_desc_t pd = NULL;
  dnnl_status_t status = dnnl_out_of_memory;
  if (plan_init (&plan, src, weights, &bias, dst, epilogue, like)) {
#if DNNL_VERSION_MAJOR >= 3
    dnnl_dims_t dilates = { 0, 0 };
    status = dnnl_convolution_forward_primitive_desc_create (&pd,
        library->engine, dnnl_forward_inference, dnnl_convolution_direct,
        desc_arg (&plan.src), desc_arg (&plan.weights), desc_arg (&plan.bias),
        desc_arg (&plan.dst), strides, dilates, before, after, plan.attributes);
#else
    dnnl_convolution_desc_t desc;
    status = dnnl_convolution_forward_desc_init (&desc, dnnl_forward_inference,
        dnnl_convolution_direct, desc_arg (&plan.src), desc_arg (&plan.weights),
        desc_arg (&plan.bias), desc_arg (&plan.dst), strides, before, after);
    if (status == dnnl_success)
      status = dnnl_primitive_desc_create (
          &pd, &desc, plan.attributes, library->engine, NULL);
#endif
  }
  CpuPrimitive *made =
      status == dnnl_success ? primitive_new (library, pd, &plan) : NULL;
  plan_clear (&plan);
  if (!made && !like)
    cardiac_fail (error, CARDIAC_ERROR_INTERNAL,
        "oneDNN makes no convolution of %lld to %lld channels (status %d)",
        (long long) src->shape[1], (long long) dst->shape[1], (int) status);
  return made;
}

void
cpu_primitive_free (CpuPrimitive *primitive)
{
  if (!primitive)
    return;
  if (primitive->primitive)
    dnnl_primitive_destroy (primitive->primitive);
  desc_clear (&primitive->src);
  desc_clear (&primitive->weights);
  desc_clear (&primitive->bias);
  desc_clear (&primitive->dst);
  desc_clear (&primitive->scratch);
  free (primitive);
}

const char *
cpu_primitive_implementation (const CpuPrimitive *primitive)
{
  return primitive->implementation;
}

bool
cpu_primitive_is_slow (const CpuPrimitive *primitive)
{
  return strncmp (primitive->implementation, "ref", 3) == 0
         || strncmp (primitive->implementation, "gemm:", 5) == 0;
}

size_t
cpu_primitive_scratch (const CpuPrimitive *primitive)
{
  return desc_bytes (&primitive->scratch);
}

/* Constants */

static void *
aligned_copy (const void *data, size_t bytes)
{
  void *copy = NULL;
  if (posix_memalign (&copy, 64, bytes ? bytes : 64) != 0)
    return NULL;
  if (data)
    memcpy (copy, data, bytes);
  return copy;
}

static bool
reorder (const CpuLibrary *library, const Desc *from, void *from_data,
    const Desc *to, dnnl_memory_t to_memory)
{
  dnnl_primitive_desc_t pd = NULL;
  dnnl_primitive_t primitive = NULL;
  dnnl_memory_t memory = memory_new (library, from, from_data);
  dnnl_exec_arg_t args[] = { { DNNL_ARG_FROM, memory },
    { DNNL_ARG_TO, to_memory } };
  bool good = memory
              && dnnl_reorder_primitive_desc_create (&pd, desc_arg (from),
                     library->engine, desc_arg (to), library->engine, NULL)
                     == dnnl_success
              && dnnl_primitive_create (&primitive, pd) == dnnl_success
              && dnnl_primitive_execute (primitive, library->stream, 2, args)
                     == dnnl_success
              && dnnl_stream_wait (library->stream) == dnnl_success;
  if (primitive)
    dnnl_primitive_destroy (primitive);
  if (pd)
    dnnl_primitive_desc_destroy (pd);
  if (memory)
    dnnl_memory_destroy (memory);
  return good;
}

CpuConstants *
cpu_constants_new (const CpuPrimitive *primitive, const CpuArray *array,
    const float *weights, const float *bias, CardiacError **error)
{
  const CpuLibrary *library = primitive->library;
  CpuConstants *made = calloc (1, sizeof *made);
  Desc plain = { 0 };
  bool good = made && desc_init (&plain, array)
              && (made->weights_data =
                      aligned_copy (NULL, desc_bytes (&primitive->weights)))
              && (made->weights = memory_new (
                      library, &primitive->weights, made->weights_data))
              && reorder (library, &plain, (void *) weights,
                  &primitive->weights, made->weights)
              && (!primitive->bias.set
                  || ((made->bias_data = aligned_copy (
                           bias, desc_bytes (&primitive->bias)))
                      && (made->bias = memory_new (
                              library, &primitive->bias, made->bias_data))));
  desc_clear (&plain);
  if (good)
    return made;
  cpu_constants_free (made);
  cardiac_fail (
      error, CARDIAC_ERROR_NO_MEMORY, "weights cannot be packed for oneDNN");
  return NULL;
}

void
cpu_constants_free (CpuConstants *constants)
{
  if (!constants)
    return;
  if (constants->weights)
    dnnl_memory_destroy (constants->weights);
  if (constants->bias)
    dnnl_memory_destroy (constants->bias);
  free (constants->weights_data);
  free (constants->bias_data);
  free (constants);
}

/* Running */

static void
execute (const CpuPrimitive *primitive, const void *src, dnnl_memory_t weights,
    dnnl_memory_t bias, void *dst, void *scratch)
{
  const CpuLibrary *library = primitive->library;
  dnnl_memory_t src_memory =
      memory_new (library, &primitive->src, (void *) src);
  dnnl_memory_t dst_memory = memory_new (library, &primitive->dst, dst);
  dnnl_memory_t scratch_memory = primitive->scratch.set ? memory_new (
                                     library, &primitive->scratch, scratch)
                                                        : NULL;
  dnnl_exec_arg_t args[5] = {
    { DNNL_ARG_SRC, src_memory },
    { DNNL_ARG_WEIGHTS, weights },
    { DNNL_ARG_DST, dst_memory },
  };
  int count = 3;
  if (bias)
    args[count++] = (dnnl_exec_arg_t){ DNNL_ARG_BIAS, bias };
  if (scratch_memory)
    args[count++] = (dnnl_exec_arg_t){ DNNL_ARG_SCRATCHPAD, scratch_memory };
  dnnl_primitive_execute (primitive->primitive, library->stream, count, args);
  dnnl_memory_destroy (src_memory);
  dnnl_memory_destroy (dst_memory);
  if (scratch_memory)
    dnnl_memory_destroy (scratch_memory);
}

void
cpu_primitive_run (const CpuPrimitive *primitive, const void *src,
    const CpuConstants *constants, void *dst, void *scratch)
{
  execute (primitive, src, constants->weights, constants->bias, dst, scratch);
}

void
cpu_primitive_run_with (const CpuPrimitive *primitive, const void *src,
    const void *weights, void *dst, void *scratch)
{
  dnnl_memory_t memory =
      memory_new (primitive->library, &primitive->weights, (void *) weights);
  execute (primitive, src, memory, NULL, dst, scratch);
  dnnl_memory_destroy (memory);
}
