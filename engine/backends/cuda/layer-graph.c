/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "dnn.h"

#include <assert.h>

/* ---- descriptors ----------------------------------------------------------- */

cudnnBackendDescriptor_t
cardiac_cuda_dnn_make (
    CardiacCudaDnnGraph *graph, cudnnBackendDescriptorType_t type)
{
  cudnnBackendDescriptor_t made = NULL;
  if (graph->status != CUDNN_STATUS_SUCCESS)
    return NULL;
  assert (graph->count < CARDIAC_CUDA_MAX_DESCRIPTORS);
  graph->status = graph->api->create_descriptor (type, &made);
  if (graph->status != CUDNN_STATUS_SUCCESS)
    return NULL;
  return graph->owned[graph->count++] = made;
}

void
cardiac_cuda_dnn_set (CardiacCudaDnnGraph *graph,
    cudnnBackendDescriptor_t descriptor, cudnnBackendAttributeName_t name,
    cudnnBackendAttributeType_t type, int64_t count, const void *values)
{
  if (graph->status == CUDNN_STATUS_SUCCESS)
    graph->status =
        graph->api->set_attribute (descriptor, name, type, count, values);
}

void
cardiac_cuda_dnn_finalize (
    CardiacCudaDnnGraph *graph, cudnnBackendDescriptor_t descriptor)
{
  if (graph->status == CUDNN_STATUS_SUCCESS)
    graph->status = graph->api->finalize (descriptor);
}

void
cardiac_cuda_dnn_clear (CardiacCudaDnnGraph *graph)
{
  while (graph->count > 0)
    graph->api->destroy_descriptor (graph->owned[--graph->count]);
}

/* ---- attributes by type ---------------------------------------------------- */

static void
set_int64 (CardiacCudaDnnGraph *graph, cudnnBackendDescriptor_t descriptor,
    cudnnBackendAttributeName_t name, int64_t value)
{
  cardiac_cuda_dnn_set (graph, descriptor, name, CUDNN_TYPE_INT64, 1, &value);
}

static void
set_float (CardiacCudaDnnGraph *graph, cudnnBackendDescriptor_t descriptor,
    cudnnBackendAttributeName_t name, float value)
{
  cardiac_cuda_dnn_set (graph, descriptor, name, CUDNN_TYPE_FLOAT, 1, &value);
}

static void
set_double (CardiacCudaDnnGraph *graph, cudnnBackendDescriptor_t descriptor,
    cudnnBackendAttributeName_t name, double value)
{
  cardiac_cuda_dnn_set (graph, descriptor, name, CUDNN_TYPE_DOUBLE, 1, &value);
}

static void
set_data_type (CardiacCudaDnnGraph *graph, cudnnBackendDescriptor_t descriptor,
    cudnnBackendAttributeName_t name, cudnnDataType_t value)
{
  cardiac_cuda_dnn_set (
      graph, descriptor, name, CUDNN_TYPE_DATA_TYPE, 1, &value);
}

static void
set_descriptor (CardiacCudaDnnGraph *graph, cudnnBackendDescriptor_t descriptor,
    cudnnBackendAttributeName_t name, cudnnBackendDescriptor_t value)
{
  cardiac_cuda_dnn_set (
      graph, descriptor, name, CUDNN_TYPE_BACKEND_DESCRIPTOR, 1, &value);
}

/* The same number for rows and columns. */
static void
set_both (CardiacCudaDnnGraph *graph, cudnnBackendDescriptor_t descriptor,
    cudnnBackendAttributeName_t name, int64_t value)
{
  const int64_t both[] = { value, value };
  cardiac_cuda_dnn_set (graph, descriptor, name, CUDNN_TYPE_INT64, 2, both);
}

/* ---- tensors --------------------------------------------------------------- */

static cudnnDataType_t
data_type (CardiacDType dtype)
{
  return dtype == CARDIAC_BF16  ? CUDNN_DATA_BFLOAT16
         : dtype == CARDIAC_F16 ? CUDNN_DATA_HALF
                                : CUDNN_DATA_FLOAT;
}

static cudnnBackendDescriptor_t
tensor (CardiacCudaDnnGraph *graph, int64_t id, CardiacDType dtype, int rank,
    const int64_t *dims, const int64_t *strides)
{
  const bool is_virtual = id >= CARDIAC_CUDA_VIRTUAL;
  cudnnBackendDescriptor_t it =
      cardiac_cuda_dnn_make (graph, CUDNN_BACKEND_TENSOR_DESCRIPTOR);
  set_int64 (graph, it, CUDNN_ATTR_TENSOR_UNIQUE_ID, id);
  set_data_type (graph, it, CUDNN_ATTR_TENSOR_DATA_TYPE, data_type (dtype));
  cardiac_cuda_dnn_set (
      graph, it, CUDNN_ATTR_TENSOR_DIMENSIONS, CUDNN_TYPE_INT64, rank, dims);
  cardiac_cuda_dnn_set (
      graph, it, CUDNN_ATTR_TENSOR_STRIDES, CUDNN_TYPE_INT64, rank, strides);
  set_int64 (graph, it, CUDNN_ATTR_TENSOR_BYTE_ALIGNMENT, 16);
  cardiac_cuda_dnn_set (graph, it, CUDNN_ATTR_TENSOR_IS_VIRTUAL,
      CUDNN_TYPE_BOOLEAN, 1, &is_virtual);
  cardiac_cuda_dnn_finalize (graph, it);
  return it;
}

/* A dense [n,h,w,c]. Convolutions name it in the order n, c, h, w; products,
 * which take three axes only ("Matmul", cuDNN's documentation), n, h w, c. */
static cudnnBackendDescriptor_t
dense (CardiacCudaDnnGraph *graph, const CardiacCudaLayer *it, int64_t id,
    CardiacDType dtype, int64_t n, int64_t h, int64_t w, int64_t c)
{
  const int64_t rows[] = { n, h * w, c }, row_strides[] = { h * w * c, c, 1 };
  const int64_t pictures[] = { n, c, h, w };
  const int64_t picture_strides[] = { h * w * c, 1, w * c, c };
  if (it->is_product)
    return tensor (graph, id, dtype, 3, rows, row_strides);
  return tensor (graph, id, dtype, 4, pictures, picture_strides);
}

/* Where operation `index` of `count` writes: y at the end, before that an fp32
 * value that is never stored. */
static cudnnBackendDescriptor_t
result_of (CardiacCudaDnnGraph *graph, const CardiacCudaLayer *it, int index,
    int count)
{
  const bool last = index == count - 1;
  return dense (graph, it, last ? CARDIAC_CUDA_Y : CARDIAC_CUDA_VIRTUAL + index,
      last ? it->out : CARDIAC_F32, it->B, it->Ho, it->Wo, it->Co);
}

/* ---- operations ------------------------------------------------------------ */

static cudnnBackendDescriptor_t
convolve (CardiacCudaDnnGraph *graph, const CardiacCudaLayer *it,
    cudnnBackendDescriptor_t y)
{
  const cudnnConvolutionMode_t mode = CUDNN_CROSS_CORRELATION;
  cudnnBackendDescriptor_t x =
      dense (graph, it, CARDIAC_CUDA_X, it->in, it->B, it->H, it->W, it->Ci);
  cudnnBackendDescriptor_t w =
      dense (graph, it, CARDIAC_CUDA_W, it->in, it->Co, it->kh, it->kw, it->Ci);
  cudnnBackendDescriptor_t how =
      cardiac_cuda_dnn_make (graph, CUDNN_BACKEND_CONVOLUTION_DESCRIPTOR);
  set_int64 (graph, how, CUDNN_ATTR_CONVOLUTION_SPATIAL_DIMS, 2);
  set_data_type (
      graph, how, CUDNN_ATTR_CONVOLUTION_COMP_TYPE, CUDNN_DATA_FLOAT);
  cardiac_cuda_dnn_set (graph, how, CUDNN_ATTR_CONVOLUTION_CONV_MODE,
      CUDNN_TYPE_CONVOLUTION_MODE, 1, &mode);
  set_both (graph, how, CUDNN_ATTR_CONVOLUTION_PRE_PADDINGS, it->padding);
  set_both (graph, how, CUDNN_ATTR_CONVOLUTION_POST_PADDINGS, it->padding);
  set_both (graph, how, CUDNN_ATTR_CONVOLUTION_FILTER_STRIDES, it->stride);
  set_both (graph, how, CUDNN_ATTR_CONVOLUTION_DILATIONS, 1);
  cardiac_cuda_dnn_finalize (graph, how);

  cudnnBackendDescriptor_t operation = cardiac_cuda_dnn_make (
      graph, CUDNN_BACKEND_OPERATION_CONVOLUTION_FORWARD_DESCRIPTOR);
  set_descriptor (
      graph, operation, CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_X, x);
  set_descriptor (
      graph, operation, CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_W, w);
  set_descriptor (
      graph, operation, CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_Y, y);
  set_descriptor (graph, operation,
      CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_CONV_DESC, how);
  set_float (
      graph, operation, CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_ALPHA, 1);
  set_float (
      graph, operation, CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_BETA, 0);
  cardiac_cuda_dnn_finalize (graph, operation);
  return operation;
}

/* y[m,n] = sum over k of x[m,k] w[n,k], in fp32: the weights [N,K] are B [K,N]
 * by their strides, and no axis is broadcast. */
static cudnnBackendDescriptor_t
multiply (CardiacCudaDnnGraph *graph, const CardiacCudaLayer *it,
    cudnnBackendDescriptor_t y)
{
  const int64_t K = it->Ci, N = it->Co;
  const int64_t dims[] = { 1, K, N }, strides[] = { K * N, 1, K };
  cudnnBackendDescriptor_t x =
      dense (graph, it, CARDIAC_CUDA_X, it->in, it->B, it->H, it->W, K);
  cudnnBackendDescriptor_t w =
      tensor (graph, CARDIAC_CUDA_W, it->in, 3, dims, strides);
  cudnnBackendDescriptor_t how =
      cardiac_cuda_dnn_make (graph, CUDNN_BACKEND_MATMUL_DESCRIPTOR);
  set_data_type (graph, how, CUDNN_ATTR_MATMUL_COMP_TYPE, CUDNN_DATA_FLOAT);
  cardiac_cuda_dnn_finalize (graph, how);

  cudnnBackendDescriptor_t operation =
      cardiac_cuda_dnn_make (graph, CUDNN_BACKEND_OPERATION_MATMUL_DESCRIPTOR);
  set_descriptor (graph, operation, CUDNN_ATTR_OPERATION_MATMUL_ADESC, x);
  set_descriptor (graph, operation, CUDNN_ATTR_OPERATION_MATMUL_BDESC, w);
  set_descriptor (graph, operation, CUDNN_ATTR_OPERATION_MATMUL_CDESC, y);
  set_descriptor (graph, operation, CUDNN_ATTR_OPERATION_MATMUL_DESC, how);
  cardiac_cuda_dnn_finalize (graph, operation);
  return operation;
}

/* y = x + b, or an activation of x (b is NULL). What is broadcast must be the
 * second input, and the sum so far the first ("Graphs", cuDNN's documentation,
 * on epilogues of the generic runtime fusion engines). */
static cudnnBackendDescriptor_t
pointwise (CardiacCudaDnnGraph *graph, cudnnBackendDescriptor_t how,
    cudnnBackendDescriptor_t x, cudnnBackendDescriptor_t b,
    cudnnBackendDescriptor_t y)
{
  set_data_type (graph, how, CUDNN_ATTR_POINTWISE_MATH_PREC, CUDNN_DATA_FLOAT);
  cardiac_cuda_dnn_finalize (graph, how);
  cudnnBackendDescriptor_t operation = cardiac_cuda_dnn_make (
      graph, CUDNN_BACKEND_OPERATION_POINTWISE_DESCRIPTOR);
  set_descriptor (
      graph, operation, CUDNN_ATTR_OPERATION_POINTWISE_PW_DESCRIPTOR, how);
  set_descriptor (graph, operation, CUDNN_ATTR_OPERATION_POINTWISE_XDESC, x);
  if (b)
    set_descriptor (graph, operation, CUDNN_ATTR_OPERATION_POINTWISE_BDESC, b);
  set_descriptor (graph, operation, CUDNN_ATTR_OPERATION_POINTWISE_YDESC, y);
  cardiac_cuda_dnn_finalize (graph, operation);
  return operation;
}

static cudnnBackendDescriptor_t
pointwise_mode (CardiacCudaDnnGraph *graph, cudnnPointwiseMode_t mode)
{
  cudnnBackendDescriptor_t how =
      cardiac_cuda_dnn_make (graph, CUDNN_BACKEND_POINTWISE_DESCRIPTOR);
  cardiac_cuda_dnn_set (graph, how, CUDNN_ATTR_POINTWISE_MODE,
      CUDNN_TYPE_POINTWISE_MODE, 1, &mode);
  return how;
}

static cudnnBackendDescriptor_t
add (CardiacCudaDnnGraph *graph, cudnnBackendDescriptor_t x,
    cudnnBackendDescriptor_t b, cudnnBackendDescriptor_t y)
{
  return pointwise (
      graph, pointwise_mode (graph, CUDNN_POINTWISE_ADD), x, b, y);
}

static cudnnBackendDescriptor_t
activate (CardiacCudaDnnGraph *graph, CardiacActivation activation,
    cudnnBackendDescriptor_t x, cudnnBackendDescriptor_t y)
{
  cudnnBackendDescriptor_t how = pointwise_mode (graph,
      activation == CARDIAC_ACTIVATION_LEAKY_RELU ? CUDNN_POINTWISE_RELU_FWD
                                                  : CUDNN_POINTWISE_SWISH_FWD);
  if (activation == CARDIAC_ACTIVATION_LEAKY_RELU)
    set_double (graph, how, CUDNN_ATTR_POINTWISE_RELU_LOWER_CLIP_SLOPE, 0.2);
  else
    set_double (graph, how, CUDNN_ATTR_POINTWISE_SWISH_BETA,
        activation == CARDIAC_ACTIVATION_QUICK_GELU ? 1.702 : 1);
  return pointwise (graph, how, x, NULL, y);
}

/* The finalized graph of all operations, or NULL. */
static cudnnBackendDescriptor_t
whole (CardiacCudaDnnGraph *graph, cudnnHandle_t handle,
    const cudnnBackendDescriptor_t *operations, int count)
{
  cudnnBackendDescriptor_t it =
      cardiac_cuda_dnn_make (graph, CUDNN_BACKEND_OPERATIONGRAPH_DESCRIPTOR);
  if (handle)
    cardiac_cuda_dnn_set (graph, it, CUDNN_ATTR_OPERATIONGRAPH_HANDLE,
        CUDNN_TYPE_HANDLE, 1, &handle);
  cardiac_cuda_dnn_set (graph, it, CUDNN_ATTR_OPERATIONGRAPH_OPS,
      CUDNN_TYPE_BACKEND_DESCRIPTOR, count, operations);
  cardiac_cuda_dnn_finalize (graph, it);
  return graph->status == CUDNN_STATUS_SUCCESS ? it : NULL;
}

/* ---- layers ---------------------------------------------------------------- */

cudnnBackendDescriptor_t
cardiac_cuda_layer_describe (CardiacCudaDnnGraph *graph, cudnnHandle_t handle,
    const CardiacCudaLayer *it)
{
  cudnnBackendDescriptor_t operations[4];
  const bool activated = it->activation != CARDIAC_ACTIVATION_NONE;
  const int total = 1 + it->bias + activated + it->residual;
  int count = 0;
  cudnnBackendDescriptor_t value = result_of (graph, it, count, total);
  operations[count++] = it->is_product ? multiply (graph, it, value)
                                       : convolve (graph, it, value);
  if (it->bias) {
    cudnnBackendDescriptor_t sum = result_of (graph, it, count, total);
    operations[count++] = add (graph, value,
        dense (graph, it, CARDIAC_CUDA_BIAS, CARDIAC_F32, 1, 1, 1, it->Co),
        sum);
    value = sum;
  }
  if (activated) {
    cudnnBackendDescriptor_t active = result_of (graph, it, count, total);
    operations[count++] = activate (graph, it->activation, value, active);
    value = active;
  }
  if (it->residual) {
    cudnnBackendDescriptor_t sum = result_of (graph, it, count, total);
    operations[count++] = add (graph, value,
        dense (graph, it, CARDIAC_CUDA_RESIDUAL, it->out, it->B, it->Ho, it->Wo,
            it->Co),
        sum);
  }
  return whole (graph, handle, operations, count);
}

/* ---- attention ------------------------------------------------------------- */

#if CUDNN_VERSION >= 91300

/* Heads of one of the arrays: [batch,rows,width], each head's channels beside
 * one another, from the first head's on. */
static cudnnBackendDescriptor_t
heads (CardiacCudaDnnGraph *graph, const CardiacAttention *it, int64_t id,
    int64_t rows, int64_t width)
{
  const int64_t dims[] = { it->batch, it->heads, rows, it->head_dim };
  const int64_t strides[] = { rows * width, it->head_dim, width, 1 };
  return tensor (graph, id, it->dtype, 4, dims, strides);
}

/* A float that is given with each run. */
static cudnnBackendDescriptor_t
scalar (CardiacCudaDnnGraph *graph, int64_t id)
{
  const int64_t ones[] = { 1, 1, 1, 1 };
  const bool by_value = true;
  cudnnBackendDescriptor_t it =
      cardiac_cuda_dnn_make (graph, CUDNN_BACKEND_TENSOR_DESCRIPTOR);
  set_int64 (graph, it, CUDNN_ATTR_TENSOR_UNIQUE_ID, id);
  set_data_type (graph, it, CUDNN_ATTR_TENSOR_DATA_TYPE, CUDNN_DATA_FLOAT);
  cardiac_cuda_dnn_set (
      graph, it, CUDNN_ATTR_TENSOR_DIMENSIONS, CUDNN_TYPE_INT64, 4, ones);
  cardiac_cuda_dnn_set (
      graph, it, CUDNN_ATTR_TENSOR_STRIDES, CUDNN_TYPE_INT64, 4, ones);
  set_int64 (
      graph, it, CUDNN_ATTR_TENSOR_BYTE_ALIGNMENT, (int64_t) sizeof (float));
  cardiac_cuda_dnn_set (graph, it, CUDNN_ATTR_TENSOR_IS_BY_VALUE,
      CUDNN_TYPE_BOOLEAN, 1, &by_value);
  cardiac_cuda_dnn_finalize (graph, it);
  return it;
}

/* One operation, without masks: any number of queries and keys, channels in
 * multiples of 8 ("Attention", cuDNN's documentation). */
cudnnBackendDescriptor_t
cardiac_cuda_attention_describe (CardiacCudaDnnGraph *graph,
    cudnnHandle_t handle, const CardiacAttention *it)
{
  const int64_t y_width = (int64_t) it->heads * it->head_dim;
  cudnnBackendDescriptor_t q =
      heads (graph, it, CARDIAC_CUDA_Q, it->queries, it->q_width);
  cudnnBackendDescriptor_t k =
      heads (graph, it, CARDIAC_CUDA_K, it->keys, it->k_width);
  cudnnBackendDescriptor_t v =
      heads (graph, it, CARDIAC_CUDA_V, it->keys, it->v_width);
  cudnnBackendDescriptor_t y =
      heads (graph, it, CARDIAC_CUDA_Y, it->queries, y_width);
  cudnnBackendDescriptor_t scale = scalar (graph, CARDIAC_CUDA_SCALE);
  cudnnBackendDescriptor_t operation = cardiac_cuda_dnn_make (
      graph, CUDNN_BACKEND_OPERATION_SDPA_FWD_DESCRIPTOR);
  set_descriptor (graph, operation, CUDNN_ATTR_OPERATION_SDPA_FWD_QDESC, q);
  set_descriptor (graph, operation, CUDNN_ATTR_OPERATION_SDPA_FWD_KDESC, k);
  set_descriptor (graph, operation, CUDNN_ATTR_OPERATION_SDPA_FWD_VDESC, v);
  set_descriptor (graph, operation, CUDNN_ATTR_OPERATION_SDPA_FWD_ODESC, y);
  set_descriptor (
      graph, operation, CUDNN_ATTR_OPERATION_SDPA_FWD_SCALEDESC, scale);
  cardiac_cuda_dnn_finalize (graph, operation);
  return whole (graph, handle, &operation, 1);
}

#else

cudnnBackendDescriptor_t
cardiac_cuda_attention_describe (CardiacCudaDnnGraph *graph,
    cudnnHandle_t handle, const CardiacAttention *it)
{
  return NULL;
}

#endif
