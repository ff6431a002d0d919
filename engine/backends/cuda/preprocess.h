/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CARDIAC_CUDA_PREPROCESS_H
#define CARDIAC_CUDA_PREPROCESS_H

#include "cuda.h"

/** From a frame in device memory to a network's tensor there. The filters of
 * the last geometry are kept on the device: as long as it does not change,
 * nothing is allocated, uploaded or waited for. */
typedef struct CardiacCudaResizer CardiacCudaResizer;

/** @param context outlives the resizer. */
CardiacCudaResizer *cardiac_cuda_resizer_new (
    CardiacCudaContext *context, CardiacError **error);
void cardiac_cuda_resizer_free (CardiacCudaResizer **resizer);

/** Makes an input of a picture, enqueued on the context's stream.
 * @param image its component[].data are device pointers; they are read when
 *   the stream gets there
 * @param out [3, side, side] in device memory
 * @return false with INVALID_ARGUMENT (the picture), NO_MEMORY or a failure of
 * the device; failures of the launch are noted in the context. */
bool cardiac_cuda_resizer_place (CardiacCudaResizer *resizer,
    const CardiacImage *image, const CardiacResize *resize, float *out,
    CardiacError **error);

#endif
