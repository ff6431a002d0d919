/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CARDIAC_CPU_DNNL_COMPAT_H
#define CARDIAC_CPU_DNNL_COMPAT_H

#include "backends/backend.h"

/* oneDNN as this backend uses it: matrix product and convolution with packed
 * constant weights and a fused epilogue, each run by the calling thread alone.
 * All that differs between oneDNN 2.6 (Debian 12) and 3.x is in dnnl-compat.c.
 *
 * Primitives ask for user scratch memory: this is what lets several threads
 * execute one primitive at a time, which oneDNN's own scratchpads do not. */

/** An engine and a stream. */
typedef struct CpuLibrary CpuLibrary;

CpuLibrary *cpu_library_new (CardiacError **error);
void cpu_library_free (CpuLibrary *library);

/** Makes oneDNN calls of this thread run on this thread alone. */
void cpu_library_enter_thread (void);

/** What oneDNN will use, after its own limits ($ONEDNN_MAX_CPU_ISA). */
typedef struct CpuIsa {
  bool avx2, avx512, avx512_bf16, amx_bf16;
} CpuIsa;

CpuIsa cpu_library_isa (void);

/** "oneDNN 2.6.3". */
const char *cpu_library_version (void);

enum { CPU_ARRAY_MAX_RANK = 4 };

/** Shape and layout of an operand in memory. */
typedef struct CpuArray {
  CardiacDType dtype; ///< F32 or BF16
  int rank;
  int64_t shape[CPU_ARRAY_MAX_RANK];
  int64_t stride[CPU_ARRAY_MAX_RANK]; ///< in elements; all 0: oneDNN chooses
} CpuArray;

/** Rows x columns; the next row `row_stride` elements further. */
static inline CpuArray
cpu_matrix (
    CardiacDType dtype, int64_t rows, int64_t columns, int64_t row_stride)
{
  return (CpuArray){ dtype, 2, { rows, columns }, { row_stride, 1 } };
}

/** A batch of such matrices, `stride` elements apart. */
static inline CpuArray
cpu_batch (CpuArray a, int64_t count, int64_t stride)
{
  return (CpuArray){ a.dtype, 3, { count, a.shape[0], a.shape[1] },
    { stride, a.stride[0], a.stride[1] } };
}

/** The transpose of a matrix. */
static inline CpuArray
cpu_transposed (CpuArray a)
{
  return (CpuArray){ a.dtype, 2, { a.shape[1], a.shape[0] },
    { a.stride[1], a.stride[0] } };
}

/** oneDNN's order of dimensions (N, C, H, W) over dense NHWC memory. */
static inline CpuArray
cpu_channels_last (CardiacDType dtype, int64_t batch, int64_t height,
    int64_t width, int64_t channels)
{
  return (CpuArray){ dtype, 4, { batch, channels, height, width },
    { height * width * channels, 1, width * channels, channels } };
}

/** What happens to each result before it is stored, in this order. */
typedef struct CpuEpilogue {
  bool bias;
  CardiacActivation activation;
  bool accumulate; ///< adds what the destination held before
  float alpha;     ///< multiplies the product; 0 reads as 1
} CpuEpilogue;

typedef struct CpuPrimitive CpuPrimitive;
typedef struct CpuConstants CpuConstants;

/** dst [M,N] = epilogue (src [M,K] weights [K,N]); without a bias also batches
 * of such products, the batch being the first axis of all three.
 * @param like NULL, or a primitive whose packed weights this one is to take:
 *   NULL is returned without an error when it cannot. */
CpuPrimitive *cpu_matmul_new (const CpuLibrary *library, const CpuArray *src,
    const CpuArray *weights, const CpuArray *dst, const CpuEpilogue *epilogue,
    const CpuPrimitive *like, CardiacError **error);

typedef struct CpuWindow {
  int kernel_height, kernel_width, stride;
  int top, bottom, left, right; ///< padding with zeros
} CpuWindow;

/** dst [N,Co,Ho,Wo] = epilogue (conv (src [N,Ci,H,W], weights
 * [Co,Ci,kh,kw])). `like` as above. */
CpuPrimitive *cpu_convolution_new (const CpuLibrary *library,
    const CpuArray *src, const CpuArray *weights, const CpuArray *dst,
    const CpuWindow *window, const CpuEpilogue *epilogue,
    const CpuPrimitive *like, CardiacError **error);

void cpu_primitive_free (CpuPrimitive *primitive);

const char *cpu_primitive_implementation (const CpuPrimitive *primitive);

/** oneDNN's fallbacks, ten and more times slower than its kernels. */
bool cpu_primitive_is_slow (const CpuPrimitive *primitive);

/** Scratch memory that a run needs. */
size_t cpu_primitive_scratch (const CpuPrimitive *primitive);

/** Packs weights into the layout that `primitive` chose.
 * @param array layout of `weights` (float), @param bias one a column or output
 *   channel, or NULL; copied. */
CpuConstants *cpu_constants_new (const CpuPrimitive *primitive,
    const CpuArray *array, const float *weights, const float *bias,
    CardiacError **error);
void cpu_constants_free (CpuConstants *constants);

/** Runs with packed weights. Any thread; none of the operands is kept. */
void cpu_primitive_run (const CpuPrimitive *primitive, const void *src,
    const CpuConstants *constants, void *dst, void *scratch);

/** Runs with weights in the layout that was asked for, without bias. */
void cpu_primitive_run_with (const CpuPrimitive *primitive, const void *src,
    const void *weights, void *dst, void *scratch);

#endif
