/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* cublasLt for tests: D = alpha op(A) B + beta C + bias, column-major, summed in
 * fp32. It refuses what the library refuses (dtypes that do not go together,
 * shapes, leading dimensions, host pointers, a workspace that is too small) and
 * proposes two algorithms, of which one spoils its workspace and is the slower
 * for odd numbers of columns. Before them, unless the preference forbids it,
 * comes one that adds parts of a sum in the output's type: its results are
 * wrong.
 *
 *   CUDA_EMULATION_SLOW_CUBLASLT  set: every product takes a second */
#include "cublasLt.h"

#include "backends/reference/storage.h"

#include <cstdlib>
#include <cstring>
#include <vector>

struct cublasLtContext {
  int unused;
};

struct cublasLtMatmulDescOpaque {
  cublasOperation_t transposed_a = CUBLAS_OP_N;
  cublasLtEpilogue_t epilogue = CUBLASLT_EPILOGUE_DEFAULT;
  const void *bias = nullptr;
};

struct cublasLtMatrixLayoutOpaque {
  cudaDataType_t type;
  int64_t rows, columns, leading;
  int32_t batch = 1;
  int64_t stride = 0;
};

struct cublasLtMatmulPreferenceOpaque {
  uint64_t workspace = 0;
  uint32_t alignment = 256;
  uint32_t reductions = CUBLASLT_REDUCTION_SCHEME_MASK;
};

namespace {

constexpr size_t large_workspace = 64 << 10;

CardiacDType
dtype_of (cudaDataType_t type)
{
  return type == CUDA_R_16BF  ? CARDIAC_BF16
         : type == CUDA_R_16F ? CARDIAC_F16
                              : CARDIAC_F32;
}

/* Copies of all that a product needs, for when it runs. */
struct Product {
  cublasLtMatmulDescOpaque desc;
  cublasLtMatrixLayoutOpaque a, b, c, d;
  const void *a_data, *b_data, *c_data;
  void *d_data, *workspace;
  float alpha, beta;
  size_t spoilt; ///< bytes of workspace that are written
  bool careless; ///< of precision
};

/* Batch i of a matrix as floats, column-major and without gaps. */
std::vector<float>
load (const cublasLtMatrixLayoutOpaque &m, const void *data, int64_t i)
{
  std::vector<float> values ((size_t) (m.rows * m.columns));
  for (int64_t column = 0; column < m.columns; column++)
    cardiac_load_row (data, dtype_of (m.type),
        i * m.stride + column * m.leading, m.rows,
        &values[(size_t) (column * m.rows)]);
  return values;
}

float
dot (const float *a, const float *b, int64_t count)
{
  float part[8] = { 0 };
  int64_t i = 0;
  for (; i + 8 <= count; i += 8)
    for (int lane = 0; lane < 8; lane++)
      part[lane] += a[i + lane] * b[i + lane];
  for (; i < count; i++)
    part[0] += a[i] * b[i];
  float sum = 0;
  for (float it : part)
    sum += it;
  return sum;
}

void
run_batch (const Product &p, int64_t i)
{
  const std::vector<float> a = load (p.a, p.a_data, i),
                           b = load (p.b, p.b_data, i);
  const CardiacDType c_type = dtype_of (p.c.type), d_type = dtype_of (p.d.type);
  const int64_t depth = p.b.rows;
  for (int64_t column = 0; column < p.d.columns; column++)
    for (int64_t row = 0; row < p.d.rows; row++) {
      float value = p.alpha * dot (&a[row * depth], &b[column * depth], depth);
      const int64_t at = i * p.d.stride + column * p.d.leading + row;
      if (p.beta != 0)
        value += p.beta * cardiac_load (p.c_data, c_type, at);
      if (p.desc.epilogue == CUBLASLT_EPILOGUE_BIAS)
        value += cardiac_load (p.desc.bias, d_type, row);
      cardiac_store (p.d_data, d_type, at, p.careless ? 1e4f : value);
    }
}

cudaError_t
run (void *state)
{
  const Product &p = *static_cast<Product *> (state);
  if (p.spoilt) {
    memset (p.workspace, 0xff, p.spoilt);
    cuda_emulation_pass ((unsigned) p.d.columns % 2);
  }
  if (getenv ("CUDA_EMULATION_SLOW_CUBLASLT"))
    cuda_emulation_pass (1000000);
  for (int64_t i = 0; i < p.d.batch; i++)
    run_batch (p, i);
  return cudaSuccess;
}

size_t
bytes_of (const cublasLtMatrixLayoutOpaque &m)
{
  return (size_t) ((m.batch - 1) * m.stride + m.columns * m.leading)
         * cardiac_storage_size (dtype_of (m.type));
}

bool
is_there (const cublasLtMatrixLayoutOpaque &m, const void *data)
{
  return (uintptr_t) data % 64 == 0
         && cuda_emulation_is_device (data, bytes_of (m));
}

/* Does the library compute this? Only what the engine asks for: Aᵀ B; and, so
 * that this happens, no bias for an odd number of halves. */
bool
is_supported (const cublasLtMatmulDescOpaque &desc,
    const cublasLtMatrixLayoutOpaque &a, const cublasLtMatrixLayoutOpaque &b,
    const cublasLtMatrixLayoutOpaque &c, const cublasLtMatrixLayoutOpaque &d)
{
  const bool types = a.type == b.type && c.type == d.type
                     && (d.type == CUDA_R_32F || d.type == a.type);
  const bool shapes = a.rows == b.rows && d.rows == a.columns
                      && d.columns == b.columns && c.rows == d.rows
                      && c.columns == d.columns;
  const bool batches =
      a.batch == b.batch && a.batch == d.batch && c.batch == d.batch;
  const bool dense = a.leading >= a.rows && b.leading >= b.rows
                     && c.leading == d.leading && d.leading >= d.rows
                     && c.stride == d.stride;
  const bool biased = desc.epilogue == CUBLASLT_EPILOGUE_BIAS;
  const bool odd = d.type != CUDA_R_32F && d.rows % 2 == 1;
  return desc.transposed_a == CUBLAS_OP_T && types && shapes && batches && dense
         && !(biased && odd);
}

} // namespace

extern "C" {

size_t
cublasLtGetVersion (void)
{
  return CUDART_VERSION / 1000 * 10000 + CUDART_VERSION % 1000 * 10;
}

const char *
cublasLtGetStatusName (cublasStatus_t status)
{
  switch (status) {
    case CUBLAS_STATUS_SUCCESS:
      return "CUBLAS_STATUS_SUCCESS";
    case CUBLAS_STATUS_NOT_SUPPORTED:
      return "CUBLAS_STATUS_NOT_SUPPORTED";
    case CUBLAS_STATUS_INVALID_VALUE:
      return "CUBLAS_STATUS_INVALID_VALUE";
    default:
      return "CUBLAS_STATUS_NOT_INITIALIZED";
  }
}

cublasStatus_t
cublasLtCreate (cublasLtHandle_t *handle)
{
  if (getenv ("CUDA_EMULATION_NO_CUBLASLT"))
    return CUBLAS_STATUS_NOT_INITIALIZED;
  *handle = new cublasLtContext;
  return CUBLAS_STATUS_SUCCESS;
}

cublasStatus_t
cublasLtDestroy (cublasLtHandle_t handle)
{
  delete handle;
  return CUBLAS_STATUS_SUCCESS;
}

cublasStatus_t
cublasLtMatmulDescCreate (cublasLtMatmulDesc_t *desc,
    cublasComputeType_t compute, cudaDataType_t scale)
{
  *desc = new cublasLtMatmulDescOpaque;
  return CUBLAS_STATUS_SUCCESS;
}

cublasStatus_t
cublasLtMatmulDescDestroy (cublasLtMatmulDesc_t desc)
{
  delete desc;
  return CUBLAS_STATUS_SUCCESS;
}

cublasStatus_t
cublasLtMatmulDescSetAttribute (cublasLtMatmulDesc_t desc,
    cublasLtMatmulDescAttributes_t attribute, const void *value, size_t bytes)
{
  void *field = attribute == CUBLASLT_MATMUL_DESC_TRANSA ? &desc->transposed_a
                : attribute == CUBLASLT_MATMUL_DESC_EPILOGUE
                    ? (void *) &desc->epilogue
                    : &desc->bias;
  const size_t room = attribute == CUBLASLT_MATMUL_DESC_BIAS_POINTER ? 8 : 4;
  if (bytes != room)
    return CUBLAS_STATUS_INVALID_VALUE;
  memcpy (field, value, bytes);
  return CUBLAS_STATUS_SUCCESS;
}

cublasStatus_t
cublasLtMatrixLayoutCreate (cublasLtMatrixLayout_t *layout, cudaDataType_t type,
    uint64_t rows, uint64_t columns, int64_t leading)
{
  *layout = new cublasLtMatrixLayoutOpaque;
  (*layout)->type = type;
  (*layout)->rows = (int64_t) rows;
  (*layout)->columns = (int64_t) columns;
  (*layout)->leading = leading;
  return CUBLAS_STATUS_SUCCESS;
}

cublasStatus_t
cublasLtMatrixLayoutDestroy (cublasLtMatrixLayout_t layout)
{
  delete layout;
  return CUBLAS_STATUS_SUCCESS;
}

cublasStatus_t
cublasLtMatrixLayoutSetAttribute (cublasLtMatrixLayout_t layout,
    cublasLtMatrixLayoutAttribute_t attribute, const void *value, size_t bytes)
{
  if (attribute == CUBLASLT_MATRIX_LAYOUT_BATCH_COUNT
      && bytes == sizeof layout->batch)
    memcpy (&layout->batch, value, bytes);
  else if (attribute == CUBLASLT_MATRIX_LAYOUT_STRIDED_BATCH_OFFSET
           && bytes == sizeof layout->stride)
    memcpy (&layout->stride, value, bytes);
  else
    return CUBLAS_STATUS_INVALID_VALUE;
  return CUBLAS_STATUS_SUCCESS;
}

cublasStatus_t
cublasLtMatmulPreferenceCreate (cublasLtMatmulPreference_t *it)
{
  *it = new cublasLtMatmulPreferenceOpaque;
  return CUBLAS_STATUS_SUCCESS;
}

cublasStatus_t
cublasLtMatmulPreferenceDestroy (cublasLtMatmulPreference_t it)
{
  delete it;
  return CUBLAS_STATUS_SUCCESS;
}

cublasStatus_t
cublasLtMatmulPreferenceSetAttribute (cublasLtMatmulPreference_t it,
    cublasLtMatmulPreferenceAttributes_t attribute, const void *value,
    size_t bytes)
{
  if (attribute == CUBLASLT_MATMUL_PREF_MAX_WORKSPACE_BYTES
      && bytes == sizeof it->workspace)
    memcpy (&it->workspace, value, bytes);
  else if (bytes != sizeof it->alignment)
    return CUBLAS_STATUS_INVALID_VALUE;
  else if (attribute == CUBLASLT_MATMUL_PREF_REDUCTION_SCHEME_MASK)
    memcpy (&it->reductions, value, bytes);
  else
    memcpy (&it->alignment, value, bytes);
  return CUBLAS_STATUS_SUCCESS;
}

cublasStatus_t
cublasLtMatmulAlgoGetHeuristic (cublasLtHandle_t handle,
    cublasLtMatmulDesc_t desc, cublasLtMatrixLayout_t a,
    cublasLtMatrixLayout_t b, cublasLtMatrixLayout_t c,
    cublasLtMatrixLayout_t d, cublasLtMatmulPreference_t preference, int wanted,
    cublasLtMatmulHeuristicResult_t *found, int *count)
{
  *count = 0;
  if (!is_supported (*desc, *a, *b, *c, *d) || preference->alignment > 64)
    return CUBLAS_STATUS_NOT_SUPPORTED;
  if (*count < wanted
      && preference->reductions & CUBLASLT_REDUCTION_SCHEME_OUTPUT_TYPE) {
    found[*count] = cublasLtMatmulHeuristicResult_t ();
    found[(*count)++].algo.data[1] = 1;
  }
  const size_t workspaces[] = { large_workspace, 0 };
  for (size_t workspace : workspaces)
    if (*count < wanted && workspace <= preference->workspace) {
      found[*count] = cublasLtMatmulHeuristicResult_t ();
      found[*count].algo.data[0] = workspace;
      found[(*count)++].workspaceSize = workspace;
    }
  return CUBLAS_STATUS_SUCCESS;
}

cublasStatus_t
cublasLtMatmul (cublasLtHandle_t handle, cublasLtMatmulDesc_t desc,
    const void *alpha, const void *a, cublasLtMatrixLayout_t a_layout,
    const void *b, cublasLtMatrixLayout_t b_layout, const void *beta,
    const void *c, cublasLtMatrixLayout_t c_layout, void *d,
    cublasLtMatrixLayout_t d_layout, const cublasLtMatmulAlgo_t *algorithm,
    void *workspace, size_t workspace_bytes, cudaStream_t stream)
{
  const size_t needed = algorithm->data[0];
  const bool biased = desc->epilogue == CUBLASLT_EPILOGUE_BIAS;
  if (!is_supported (*desc, *a_layout, *b_layout, *c_layout, *d_layout)
      || !is_there (*a_layout, a) || !is_there (*b_layout, b)
      || !is_there (*c_layout, c) || !is_there (*d_layout, d)
      || workspace_bytes < needed
      || (needed && !cuda_emulation_is_device (workspace, needed))
      || (biased
          && !cuda_emulation_is_device (desc->bias,
              (size_t) d_layout->rows
                  * cardiac_storage_size (dtype_of (d_layout->type)))))
    return CUBLAS_STATUS_INVALID_VALUE;
  Product *product = new Product{ *desc, *a_layout, *b_layout, *c_layout,
    *d_layout, a, b, c, d, workspace, *static_cast<const float *> (alpha),
    *static_cast<const float *> (beta), needed, algorithm->data[1] != 0 };
  cuda_emulation_enqueue (stream, run, product,
      [] (void *state) { delete static_cast<Product *> (state); });
  return CUBLAS_STATUS_SUCCESS;
}
} /* extern "C" */
