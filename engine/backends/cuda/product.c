/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "product.h"
#include "core/error.h"

#include <cublasLt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
  CANDIDATES = 8,            ///< algorithms that are timed
  WORKSPACE_LIMIT = 32 << 20 ///< bytes
};

/** What was found to be fastest. */
typedef struct Choice {
  CardiacCudaShape shape;
  cublasLtMatmulAlgo_t algorithm;
  size_t workspace;
} Choice;

/** The functions of libcublasLt.so that are called. */
typedef struct Api {
  __typeof__ (&cublasLtGetVersion) get_version;
  __typeof__ (&cublasLtGetStatusName) status_name;
  __typeof__ (&cublasLtCreate) create;
  __typeof__ (&cublasLtDestroy) destroy;
  __typeof__ (&cublasLtMatmulDescCreate) desc_create;
  __typeof__ (&cublasLtMatmulDescDestroy) desc_destroy;
  __typeof__ (&cublasLtMatmulDescSetAttribute) desc_set;
  __typeof__ (&cublasLtMatrixLayoutCreate) layout_create;
  __typeof__ (&cublasLtMatrixLayoutDestroy) layout_destroy;
  __typeof__ (&cublasLtMatrixLayoutSetAttribute) layout_set;
  __typeof__ (&cublasLtMatmulPreferenceCreate) preference_create;
  __typeof__ (&cublasLtMatmulPreferenceDestroy) preference_destroy;
  __typeof__ (&cublasLtMatmulPreferenceSetAttribute) preference_set;
  __typeof__ (&cublasLtMatmulAlgoGetHeuristic) propose;
  __typeof__ (&cublasLtMatmul) multiply;
} Api;

struct CardiacCudaBlas {
  Api api;
  cublasLtHandle_t handle;
  Choice *choices;
  int count;
};

struct CardiacCudaProduct {
  CardiacCudaContext *context;
  CardiacCudaShape shape;
  cublasLtMatmulDesc_t desc;
  /* cublasLt is column-major: yᵀ = w xᵀ, where a row-major matrix is read as
   * its transpose. */
  cublasLtMatrixLayout_t w, x, y;
  Choice choice;
};

/* ---- the library ----------------------------------------------------------- */

static bool
load (Api *api, CardiacError **error)
{
  const CardiacCudaFunction wanted[] = {
    { "cublasLtGetVersion", &api->get_version },
    { "cublasLtGetStatusName", &api->status_name },
    { "cublasLtCreate", &api->create },
    { "cublasLtDestroy", &api->destroy },
    { "cublasLtMatmulDescCreate", &api->desc_create },
    { "cublasLtMatmulDescDestroy", &api->desc_destroy },
    { "cublasLtMatmulDescSetAttribute", &api->desc_set },
    { "cublasLtMatrixLayoutCreate", &api->layout_create },
    { "cublasLtMatrixLayoutDestroy", &api->layout_destroy },
    { "cublasLtMatrixLayoutSetAttribute", &api->layout_set },
    { "cublasLtMatmulPreferenceCreate", &api->preference_create },
    { "cublasLtMatmulPreferenceDestroy", &api->preference_destroy },
    { "cublasLtMatmulPreferenceSetAttribute", &api->preference_set },
    { "cublasLtMatmulAlgoGetHeuristic", &api->propose },
    { "cublasLtMatmul", &api->multiply },
  };
  return cardiac_cuda_load (
      CARDIAC_CUDA_LIBRARY ("libcublasLt.so.", CUBLAS_VER_MAJOR), wanted,
      sizeof wanted / sizeof *wanted, error);
}

static bool
blas_ok (const CardiacCudaBlas *blas, cublasStatus_t status, const char *doing,
    CardiacError **error)
{
  if (status == CUBLAS_STATUS_SUCCESS)
    return true;
  CardiacErrorCode code =
      status == CUBLAS_STATUS_ALLOC_FAILED    ? CARDIAC_ERROR_NO_MEMORY
      : status == CUBLAS_STATUS_NOT_SUPPORTED ? CARDIAC_ERROR_UNSUPPORTED
                                              : CARDIAC_ERROR_INTERNAL;
  return cardiac_fail (error, code, "cublasLt failed (%s): %s", doing,
      blas->api.status_name (status));
}

CardiacCudaBlas *
cardiac_cuda_blas_new (CardiacError **error)
{
  CardiacCudaBlas *blas = calloc (1, sizeof *blas);
  if (!blas) {
    cardiac_fail (error, CARDIAC_ERROR_NO_MEMORY, "no memory");
    return NULL;
  }
  if (!load (&blas->api, error))
    cardiac_error_prefix (error, "device 'cuda' cannot be had");
  else if (blas_ok (blas, blas->api.create (&blas->handle), "start", error))
    return blas;
  free (blas);
  return NULL;
}

size_t
cardiac_cuda_blas_version (const CardiacCudaBlas *blas)
{
  return blas->api.get_version ();
}

void
cardiac_cuda_blas_free (CardiacCudaBlas *blas)
{
  if (!blas)
    return;
  blas->api.destroy (blas->handle);
  free (blas->choices);
  free (blas);
}

/* ---- descriptors ----------------------------------------------------------- */

static cudaDataType_t
data_type (CardiacDType dtype)
{
  return dtype == CARDIAC_BF16  ? CUDA_R_16BF
         : dtype == CARDIAC_F16 ? CUDA_R_16F
                                : CUDA_R_32F;
}

static cublasStatus_t
describe_operation (CardiacCudaProduct *product)
{
  const Api *api = &product->context->blas->api;
  const cublasOperation_t transposed = CUBLAS_OP_T;
  const cublasLtEpilogue_t epilogue = CUBLASLT_EPILOGUE_BIAS;
  /* Sums are plain fp32, also of fp32 inputs: no tf32. */
  cublasStatus_t status =
      api->desc_create (&product->desc, CUBLAS_COMPUTE_32F, CUDA_R_32F);
  if (status == CUBLAS_STATUS_SUCCESS)
    status = api->desc_set (product->desc, CUBLASLT_MATMUL_DESC_TRANSA,
        &transposed, sizeof transposed);
  if (status == CUBLAS_STATUS_SUCCESS && product->shape.bias)
    status = api->desc_set (product->desc, CUBLASLT_MATMUL_DESC_EPILOGUE,
        &epilogue, sizeof epilogue);
  return status;
}

/* A dense batch of row-major [rows,columns]. */
static cublasStatus_t
describe_matrix (const Api *api, cublasLtMatrixLayout_t *layout,
    CardiacDType dtype, int64_t batch, int64_t rows, int64_t columns)
{
  const int32_t count = (int32_t) batch;
  const int64_t stride = rows * columns;
  cublasStatus_t status =
      api->layout_create (layout, data_type (dtype), columns, rows, columns);
  if (status == CUBLAS_STATUS_SUCCESS)
    status = api->layout_set (
        *layout, CUBLASLT_MATRIX_LAYOUT_BATCH_COUNT, &count, sizeof count);
  if (status == CUBLAS_STATUS_SUCCESS)
    status = api->layout_set (*layout,
        CUBLASLT_MATRIX_LAYOUT_STRIDED_BATCH_OFFSET, &stride, sizeof stride);
  return status;
}

static bool
describe (CardiacCudaProduct *product, CardiacError **error)
{
  const CardiacCudaBlas *blas = product->context->blas;
  const Api *api = &blas->api;
  const CardiacCudaShape *s = &product->shape;
  cublasStatus_t status = describe_operation (product);
  if (status == CUBLAS_STATUS_SUCCESS)
    status = describe_matrix (api, &product->w, s->in, s->batch, s->N, s->K);
  if (status == CUBLAS_STATUS_SUCCESS)
    status = describe_matrix (api, &product->x, s->in, s->batch, s->M, s->K);
  if (status == CUBLAS_STATUS_SUCCESS)
    status = describe_matrix (api, &product->y, s->out, s->batch, s->M, s->N);
  return blas_ok (blas, status, "description of a product", error);
}

/* ---- running --------------------------------------------------------------- */

static cublasStatus_t
multiply (const CardiacCudaProduct *product, float alpha, const void *x,
    const void *w, const void *bias, const void *residual, void *y,
    void *workspace)
{
  const Api *api = &product->context->blas->api;
  const float beta = residual ? 1 : 0;
  if (product->shape.bias) {
    cublasStatus_t status = api->desc_set (
        product->desc, CUBLASLT_MATMUL_DESC_BIAS_POINTER, &bias, sizeof bias);
    if (status != CUBLAS_STATUS_SUCCESS)
      return status;
  }
  return api->multiply (product->context->blas->handle, product->desc, &alpha,
      w, product->w, x, product->x, &beta, residual ? residual : y, product->y,
      y, product->y, &product->choice.algorithm, workspace,
      product->choice.workspace, product->context->stream);
}

void
cardiac_cuda_product_run (const CardiacCudaProduct *product, float alpha,
    const void *x, const void *w, const void *bias, const void *residual,
    void *y, void *workspace, const char *label)
{
  cublasStatus_t status =
      multiply (product, alpha, x, w, bias, residual, y, workspace);
  if (status == CUBLAS_STATUS_SUCCESS)
    return;
  char what[128];
  snprintf (what, sizeof what, "%.80s: %s", label,
      product->context->blas->api.status_name (status));
  cardiac_cuda_note (product->context, cudaErrorUnknown, what);
}

/* ---- choosing an algorithm ------------------------------------------------- */

/* Memory to time with; its contents do not matter but must be numbers. */
typedef struct Arena {
  char *memory, *workspace; ///< owned
  void *x, *w, *bias, *y;
} Arena;

static size_t
matrix_bytes (CardiacDType dtype, int64_t batch, int64_t rows, int64_t columns)
{
  return cardiac_cuda_align (
      (size_t) (batch * rows * columns) * cardiac_dtype_size (dtype));
}

static bool
arena_new (Arena *arena, CardiacCudaContext *context, const CardiacCudaShape *s,
    CardiacError **error)
{
  const size_t x = matrix_bytes (s->in, s->batch, s->M, s->K);
  const size_t w = matrix_bytes (s->in, s->batch, s->N, s->K);
  const size_t y = matrix_bytes (s->out, s->batch, s->M, s->N);
  const size_t bias = matrix_bytes (s->out, 1, 1, s->N);
  arena->memory = cardiac_cuda_allocate (context, x + w + y + bias, error);
  if (!arena->memory)
    return false;
  arena->x = arena->memory;
  arena->w = arena->memory + x;
  arena->y = arena->memory + x + w;
  arena->bias = arena->memory + x + w + y;
  return cardiac_cuda_ok (context,
      cudaMemsetAsync (arena->memory, 0, x + w + y + bias, context->stream),
      "clearing memory", error);
}

static void
arena_clear (Arena *arena)
{
  cudaFree (arena->memory);
  cudaFree (arena->workspace);
}

/* The workspace that suffices for every candidate. */
static bool
add_workspace (Arena *arena, CardiacCudaContext *context,
    const cublasLtMatmulHeuristicResult_t *found, int count,
    CardiacError **error)
{
  size_t largest = 0;
  for (int i = 0; i < count; i++)
    if (found[i].workspaceSize > largest)
      largest = found[i].workspaceSize;
  arena->workspace = cardiac_cuda_allocate (context, largest, error);
  return arena->workspace != NULL;
}

/* What cublasLt thinks is best, best first. */
static bool
propose (const CardiacCudaProduct *product, const Arena *arena,
    cublasLtMatmulHeuristicResult_t *found, int *count, CardiacError **error)
{
  const CardiacCudaBlas *blas = product->context->blas;
  const Api *api = &blas->api;
  const size_t limit = WORKSPACE_LIMIT;
  const uint32_t alignment = 64; /* of values in a program's arena */
  /* Parts of a sum meet in fp32, never in y's dtype. */
  const uint32_t reductions =
      CUBLASLT_REDUCTION_SCHEME_NONE | CUBLASLT_REDUCTION_SCHEME_COMPUTE_TYPE;
  static const cublasLtMatmulPreferenceAttributes_t alignments[] = {
    CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_A_BYTES,
    CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_B_BYTES,
    CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_C_BYTES,
    CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_D_BYTES,
  };
  cublasLtMatmulPreference_t preference = NULL;
  cublasStatus_t status = api->preference_create (&preference);
  /* What is proposed depends on how the bias is aligned. */
  if (status == CUBLAS_STATUS_SUCCESS && product->shape.bias)
    status = api->desc_set (product->desc, CUBLASLT_MATMUL_DESC_BIAS_POINTER,
        &arena->bias, sizeof arena->bias);
  if (status == CUBLAS_STATUS_SUCCESS)
    status = api->preference_set (preference,
        CUBLASLT_MATMUL_PREF_MAX_WORKSPACE_BYTES, &limit, sizeof limit);
  if (status == CUBLAS_STATUS_SUCCESS)
    status = api->preference_set (preference,
        CUBLASLT_MATMUL_PREF_REDUCTION_SCHEME_MASK, &reductions,
        sizeof reductions);
  for (int i = 0; i < 4 && status == CUBLAS_STATUS_SUCCESS; i++)
    status = api->preference_set (
        preference, alignments[i], &alignment, sizeof alignment);
  if (status == CUBLAS_STATUS_SUCCESS)
    status = api->propose (blas->handle, product->desc, product->w, product->x,
        product->y, product->y, preference, CANDIDATES, found, count);
  if (preference)
    api->preference_destroy (preference);
  if (status == CUBLAS_STATUS_SUCCESS && *count == 0)
    status = CUBLAS_STATUS_NOT_SUPPORTED;
  return blas_ok (blas, status, "choice of an algorithm", error);
}

typedef struct Trial {
  const CardiacCudaProduct *product;
  const Arena *arena;
} Trial;

static void
enqueue_trial (void *user)
{
  const Trial *it = user;
  const Arena *arena = it->arena;
  cardiac_cuda_product_run (it->product, 1, arena->x, arena->w, arena->bias,
      it->product->shape.residual ? arena->y : NULL, arena->y, arena->workspace,
      "timing");
}

static bool
choose_fastest (CardiacCudaProduct *product, const Arena *arena,
    const cublasLtMatmulHeuristicResult_t *found, int count,
    CardiacError **error)
{
  Choice fastest;
  float best = -1;
  for (int i = 0; i < count; i++) {
    if (found[i].state != CUBLAS_STATUS_SUCCESS)
      continue;
    product->choice.algorithm = found[i].algo;
    product->choice.workspace = found[i].workspaceSize;
    float ms = cardiac_cuda_time (
        product->context, enqueue_trial, &(Trial){ product, arena });
    if (ms < 0 || (best >= 0 && ms >= best))
      continue;
    best = ms;
    fastest = product->choice;
  }
  if (best < 0)
    return cardiac_fail (error, CARDIAC_ERROR_INTERNAL,
        "cublasLt: none of %d algorithms runs", count);
  product->choice = fastest;
  return true;
}

static bool
same_shape (const CardiacCudaShape *a, const CardiacCudaShape *b)
{
  return a->batch == b->batch && a->M == b->M && a->N == b->N && a->K == b->K
         && a->in == b->in && a->out == b->out && a->bias == b->bias
         && a->residual == b->residual;
}

static bool
remember (CardiacCudaBlas *blas, const Choice *choice, CardiacError **error)
{
  Choice *more = realloc (blas->choices, (blas->count + 1) * sizeof *more);
  if (!more)
    return cardiac_fail (error, CARDIAC_ERROR_NO_MEMORY, "no memory");
  blas->choices = more;
  blas->choices[blas->count++] = *choice;
  return true;
}

static bool
choose (CardiacCudaProduct *product, CardiacError **error)
{
  CardiacCudaContext *context = product->context;
  CardiacCudaBlas *blas = context->blas;
  for (int i = 0; i < blas->count; i++)
    if (same_shape (&blas->choices[i].shape, &product->shape)) {
      product->choice = blas->choices[i];
      return true;
    }
  cublasLtMatmulHeuristicResult_t found[CANDIDATES];
  Arena arena = { 0 };
  int count = 0;
  bool chosen = arena_new (&arena, context, &product->shape, error)
                && propose (product, &arena, found, &count, error)
                && add_workspace (&arena, context, found, count, error)
                && choose_fastest (product, &arena, found, count, error);
  arena_clear (&arena);
  product->choice.shape = product->shape;
  return chosen && remember (blas, &product->choice, error);
}

/* ---- products -------------------------------------------------------------- */

CardiacCudaProduct *
cardiac_cuda_product_new (CardiacCudaContext *context,
    const CardiacCudaShape *shape, CardiacError **error)
{
  CardiacCudaProduct *product = calloc (1, sizeof *product);
  if (!product) {
    cardiac_fail (error, CARDIAC_ERROR_NO_MEMORY, "no memory");
    return NULL;
  }
  product->context = context;
  product->shape = *shape;
  if (describe (product, error) && choose (product, error))
    return product;
  cardiac_cuda_product_free (product);
  return NULL;
}

void
cardiac_cuda_product_free (CardiacCudaProduct *product)
{
  if (!product)
    return;
  const Api *api = &product->context->blas->api;
  if (product->desc)
    api->desc_destroy (product->desc);
  if (product->w)
    api->layout_destroy (product->w);
  if (product->x)
    api->layout_destroy (product->x);
  if (product->y)
    api->layout_destroy (product->y);
  free (product);
}

size_t
cardiac_cuda_product_workspace (const CardiacCudaProduct *product)
{
  return cardiac_cuda_align (product->choice.workspace);
}
