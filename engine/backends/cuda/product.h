/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CARDIAC_CUDA_PRODUCT_H
#define CARDIAC_CUDA_PRODUCT_H

#include "cuda.h"

/* Matrix products by cublasLt. */

/** y[b] = alpha x[b] w[b]ᵀ (+ bias) (+ residual), all row-major: x [M,K],
 * w [N,K], y and residual [M,N], bias [N]. */
typedef struct CardiacCudaShape {
  int64_t batch, M, N, K;
  CardiacDType in;  ///< of x and w
  CardiacDType out; ///< of y, residual and bias: F32, or as `in`
  bool bias, residual;
} CardiacCudaShape;

/** A planned product: descriptors and the algorithm, which is the fastest of
 * those that cublasLt proposes, timed once a shape and session. */
typedef struct CardiacCudaProduct CardiacCudaProduct;

/** NULL with an error; UNSUPPORTED when cublasLt has nothing for the shape. */
CardiacCudaProduct *cardiac_cuda_product_new (CardiacCudaContext *context,
    const CardiacCudaShape *shape, CardiacError **error);
void cardiac_cuda_product_free (CardiacCudaProduct *product); ///< may be NULL

/** Bytes of workspace that a run needs, aligned to 256. */
size_t cardiac_cuda_product_workspace (const CardiacCudaProduct *product);

/** Enqueues on the context's stream. `residual` may be y. */
void cardiac_cuda_product_run (const CardiacCudaProduct *product, float alpha,
    const void *x, const void *w, const void *bias, const void *residual,
    void *y, void *workspace, const char *label);

#endif
