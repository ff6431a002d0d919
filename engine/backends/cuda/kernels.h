/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CARDIAC_CUDA_KERNELS_H
#define CARDIAC_CUDA_KERNELS_H

#include "backends/backend.h"

#include <cuda_runtime.h>

/* Launchers of the own kernels: each enqueues on `stream` and returns what the
 * launch says. Arrays are dense, row-major, in device memory, of less than 2^31
 * elements; those with a dtype are F32, BF16 or F16, each its own. */

#ifdef __cplusplus
extern "C" {
#endif

/* ---- elementwise.cu -------------------------------------------------------- */

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

#ifdef __cplusplus
}
#endif

#endif
