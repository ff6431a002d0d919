/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CARDIAC_CUDA_KERNELS_H
#define CARDIAC_CUDA_KERNELS_H

#include "backends/backend.h"

#include <cardiac/image.h>
#include <cuda_runtime.h>

/* Launchers of the own kernels: each enqueues on `stream` and returns what the
 * launch says. Arrays are dense, row-major, in device memory, of less than 2^31
 * elements; those with a dtype are F32, BF16 or F16, each its own. */

#ifdef __cplusplus
extern "C" {
#endif

/* ---- elementwise.cu ----------------------------------------------------- */

/** y = act(x + bias[i % channels]) + residual over `count` elements; x may be
 * y, and so may residual. bias (F32) and residual may be NULL. Without any it
 * is a cast. */
cudaError_t cardiac_cuda_epilogue (const void *x, CardiacDType x_dtype,
    const float *bias, int64_t channels, const void *residual,
    CardiacDType residual_dtype, void *y, CardiacDType y_dtype, int64_t count,
    CardiacActivation activation, cudaStream_t stream);

/** y = x + w or x w; w has `period` elements, over and over. */
cudaError_t cardiac_cuda_binary (const void *x, CardiacDType x_dtype,
    const void *w, CardiacDType w_dtype, int64_t period, void *y,
    CardiacDType y_dtype, int64_t count, bool multiply, cudaStream_t stream);

/** y = x (offset + scale g): x, y [batch,rows,width], g [batch,rows,1] (a_row)
 * or [batch,1,width]. */
cudaError_t cardiac_cuda_gate (const void *x, CardiacDType x_dtype,
    const float *g, bool a_row, void *y, CardiacDType y_dtype, int64_t batch,
    int64_t rows, int64_t width, float offset, float scale,
    cudaStream_t stream);

/** y[i] = sqrt (x[2i]² + x[2i+1]²), i < count. */
cudaError_t cardiac_cuda_magnitude (const void *x, CardiacDType x_dtype,
    void *y, CardiacDType y_dtype, int64_t count, cudaStream_t stream);

/* ---- shape.cu ----------------------------------------------------------- */

/** y[o, y_first + i] = x[o, x_first + i], o < outer, i < inner, in rows of
 * their own strides. */
cudaError_t cardiac_cuda_copy_rows (const void *x, CardiacDType x_dtype,
    int64_t x_stride, int64_t x_first, void *y, CardiacDType y_dtype,
    int64_t y_stride, int64_t y_first, int64_t outer, int64_t inner,
    cudaStream_t stream);

/** y [...,ΣCi] of `count` elements from up to 16 x [...,Ci]. */
cudaError_t cardiac_cuda_concat (void *const *x, const CardiacTensor *shapes,
    int inputs, void *y, CardiacDType y_dtype, int64_t count,
    cudaStream_t stream);

/** x [batch,3,side,side] to y [batch n n,3 patch patch], n = side / patch. */
cudaError_t cardiac_cuda_patchify (const float *x, void *y,
    CardiacDType y_dtype, int64_t batch, int64_t side, int64_t patch,
    cudaStream_t stream);

/** y [batch,rows,d]: class + position[0], the n rows of x + position[1..n],
 * then zeros. */
cudaError_t cardiac_cuda_tokens (const void *x, CardiacDType x_dtype,
    const float *class_token, const float *position, void *y,
    CardiacDType y_dtype, int64_t batch, int64_t n, int64_t rows, int64_t d,
    cudaStream_t stream);

/** x [batch,channels,area] to y [batch,area,channels]. */
cudaError_t cardiac_cuda_nchw_to_nhwc (const float *x, void *y,
    CardiacDType y_dtype, int64_t batch, int64_t channels, int64_t area,
    cudaStream_t stream);

/** y of `shape`, whose axis i is x's axis axes[i]. */
cudaError_t cardiac_cuda_permute (const void *x, CardiacDType x_dtype, void *y,
    CardiacDType y_dtype, const CardiacTensor *shape, const int *axes,
    cudaStream_t stream);

/* ---- pool.cu ------------------------------------------------------------ */

/** NHWC extents. */
typedef struct CardiacPictures {
  unsigned count, height, width, channels;
} CardiacPictures;

/** The largest of each window (padding never wins), or its sum over size². */
cudaError_t cardiac_cuda_pool2d (const void *x, CardiacDType x_dtype,
    CardiacPictures in, void *y, CardiacDType y_dtype, CardiacPictures out,
    int size, int stride, int padding, bool mean, cudaStream_t stream);

cudaError_t cardiac_cuda_nearest2x (const void *x, void *y, CardiacDType dtype,
    CardiacPictures in, CardiacPictures out, cudaStream_t stream);

/** Half-pixel centres, clamped at the border, times `scale`. */
cudaError_t cardiac_cuda_bilinear2x (const void *x, CardiacDType x_dtype,
    CardiacPictures in, void *y, CardiacDType y_dtype, CardiacPictures out,
    float scale, cudaStream_t stream);

/* ---- normalisation.cu --------------------------------------------------- */

cudaError_t cardiac_cuda_layer_norm (const void *x, CardiacDType x_dtype,
    const float *gamma, const float *beta, void *y, CardiacDType y_dtype,
    int64_t rows, int64_t d, float epsilon, cudaStream_t stream);

/** x, y [rows,width]; y may be x. */
cudaError_t cardiac_cuda_softmax (
    const float *x, float *y, int64_t rows, int64_t width, cudaStream_t stream);

/* ---- direct-convolution.cu ---------------------------------------------- */

typedef struct CardiacConvolution {
  const void *x; ///< NHWC
  CardiacDType x_dtype;
  CardiacPictures x_shape;
  const float *w;       ///< [kernel_height,kernel_width,Ci,Co]
  const float *bias;    ///< [Co] or NULL
  const void *residual; ///< as y, or NULL
  CardiacDType residual_dtype;
  void *y;
  CardiacDType y_dtype;
  CardiacPictures y_shape;
  int kernel_height, kernel_width, stride, padding;
  CardiacActivation activation;
} CardiacConvolution;

/** y = act (conv (x) + bias) + residual, any shape and dtypes, sums in float;
 * at most 2^20 output channels. */
cudaError_t cardiac_cuda_convolution (
    const CardiacConvolution *c, cudaStream_t stream);

/* ---- attention.cu ------------------------------------------------------- */

/** softmax (q kᵀ scale) v a head: q [batch,queries,q_width], k and v
 * [batch,keys,k_width or v_width], head h at offset + h head_dim;
 * y [batch,queries,heads head_dim]. All of one dtype. */
typedef struct CardiacAttention {
  CardiacDType dtype;
  const void *q, *k, *v;
  void *y;
  int batch, heads, head_dim;
  int queries, keys;
  int q_width, k_width, v_width;
  int q_offset, k_offset, v_offset;
  float scale; ///< > 0
} CardiacAttention;

/** Heads wider than 128 channels allow 12000 keys at most. */
cudaError_t cardiac_cuda_attention (
    const CardiacAttention *a, cudaStream_t stream);

/* ---- head.cu ------------------------------------------------------------ */

/** x [batch,rows,d] to y [batch,d]. */
cudaError_t cardiac_cuda_mean (const float *x, float *y, int64_t batch,
    int64_t rows, int64_t d, cudaStream_t stream);

/** f [batch,e], t [batch,classes,e] to y [batch,classes]. */
cudaError_t cardiac_cuda_cosine (const float *f, const float *t, float *y,
    int64_t batch, int64_t classes, int64_t e, float scale,
    cudaStream_t stream);

/** MReg's feature amplification (paper, Eq. 1). */
typedef struct CardiacAmplify {
  int instances, frames, e;
  const float *z;             ///< [instances,frames,e]
  const float *weight, *bias; ///< [e,3], [e]
  const float *gain, *offset; ///< [e]
  const float *mean;          ///< [e]; NULL: of this video
  const float *variance;      ///< [e]; NULL likewise
  float *lengths;             ///< scratch [instances,frames]
  float beta, epsilon;
  bool replicate; ///< padding over t: else zeros
} CardiacAmplify;

/** y [instances,frames,e]. */
cudaError_t cardiac_cuda_amplify (
    const CardiacAmplify *a, float *y, cudaStream_t stream);

/* ---- eigencam.cu -------------------------------------------------------- */

typedef struct CardiacEigencam {
  unsigned frames, patches, channels;
  const float *p;     ///< [frames,patches,channels]
  const float *mixed; ///< [frames,patches]: decides the map's sign
  double *scratch;    ///< cardiac_cuda_eigencam_scratch() bytes
  float *y;           ///< [frames,patches+1]: the map, then σ2 / σ1
} CardiacEigencam;

/** Bytes of scratch. */
size_t cardiac_cuda_eigencam_scratch (
    int64_t frames, int64_t patches, int64_t channels);

/** min (patches, channels) of at most 1000. */
cudaError_t cardiac_cuda_eigencam (
    const CardiacEigencam *e, cudaStream_t stream);

/* ---- detection.cu ------------------------------------------------------- */

/** Box and class logits of three scales (CARDIAC_OP_YOLO_DECODE) to
 * y [4+classes,cells]. */
cudaError_t cardiac_cuda_yolo_decode (void *const *in,
    const CardiacTensor *shapes, float *y, int64_t cells, int64_t classes,
    cudaStream_t stream);

/* ---- preprocess.cu ------------------------------------------------------ */

/** A filter of image/taps.h in device memory. */
typedef struct CardiacCudaTaps {
  const float *weight; ///< [outputs,most]
  const int *start, *count;
  int most;
} CardiacCudaTaps;

/** A picture and what is made of it. */
typedef struct CardiacCudaPicture {
  CardiacImage image; ///< component[].data in device memory
  /** Of YUV to RGB, for chroma times 64, as CardiacRows has them. */
  float luma, red_cr, green_cb, green_cr, blue_cb, offset[3];
  CardiacCudaTaps across, down; ///< of `resize`
  CardiacResize resize;
} CardiacCudaPicture;

/** out [3,side,side]. */
cudaError_t cardiac_cuda_place (
    const CardiacCudaPicture *picture, float *out, cudaStream_t stream);

#ifdef __cplusplus
}
#endif

#endif
