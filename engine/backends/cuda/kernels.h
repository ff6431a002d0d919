/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CARDIAC_CUDA_KERNELS_H
#define CARDIAC_CUDA_KERNELS_H

#include "backends/backend.h"

#include <cuda_runtime.h>

/* Launchers of the own kernels: each enqueues on `stream` and returns what the
 * launch says. Arrays are dense, row-major, in device memory. */

#ifdef __cplusplus
extern "C" {
#endif

/** y = act(x + bias[i % channels]) + residual over `count` elements; x may be
 * y, and so may residual. x, residual and y are F32, BF16 or F16, each its own;
 * bias (F32) and residual may be NULL. Without any it is a cast. */
cudaError_t cardiac_cuda_epilogue (const void *x, CardiacDType x_dtype,
    const float *bias, int64_t channels, const void *residual,
    CardiacDType residual_dtype, void *y, CardiacDType y_dtype, int64_t count,
    CardiacActivation activation, cudaStream_t stream);

#ifdef __cplusplus
}
#endif

#endif
