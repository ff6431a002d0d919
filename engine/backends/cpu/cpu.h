/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CARDIAC_CPU_H
#define CARDIAC_CPU_H

#include "backends/backend.h"
#include "dnnl-compat.h"
#include "vector.h"

/* The CPU backend: matrix products and convolutions by oneDNN, the rest by own
 * loops. A prepare function that does not know an operator's shapes or dtypes
 * returns false without an error; the reference then takes it, or says what is
 * wrong with it. */

typedef struct CpuContext {
  CpuLibrary *library;
  const CpuVector *vector;
  char description[128];
} CpuContext;

typedef bool (*CpuPrepare) (const CpuContext *context, const CardiacOp *op,
    CardiacKernel *kernel, CardiacError **error);

#define CPU_PREPARE(name)                                                      \
  bool cpu_prepare_##name (const CpuContext *context, const CardiacOp *op,     \
      CardiacKernel *kernel, CardiacError **error)

CPU_PREPARE (linear);
CPU_PREPARE (layer_norm);
CPU_PREPARE (attention);
CPU_PREPARE (matmul);
CPU_PREPARE (conv2d);
CPU_PREPARE (max_pool2d);
CPU_PREPARE (avg_pool2d);
CPU_PREPARE (upsample2x);
CPU_PREPARE (concat);
CPU_PREPARE (slice);
CPU_PREPARE (softmax);
CPU_PREPARE (binary);
CPU_PREPARE (gate);
CPU_PREPARE (magnitude);
CPU_PREPARE (patchify);
CPU_PREPARE (tokens);
CPU_PREPARE (rows_load);
CPU_PREPARE (rows_store);
CPU_PREPARE (mean);
CPU_PREPARE (nchw_to_nhwc);
CPU_PREPARE (permute);
CPU_PREPARE (cosine);
CPU_PREPARE (amplify);
CPU_PREPARE (eigencam);
CPU_PREPARE (yolo_decode);

/* ---- kernels without packed weights: state is a copy of the operator -------- */

typedef struct CpuLoop {
  CardiacOp op;
  const CpuVector *vector;
  int64_t chunk; ///< what a piece takes, in a unit of the operator's own
} CpuLoop;

typedef void (*CpuRun) (const CardiacKernel *kernel, void *const *in, void *out,
    int piece, void *scratch);

/** Cuts `units` into pieces of `chunk`. */
bool cpu_loop_plan (const CpuContext *context, const CardiacOp *op,
    CardiacKernel *kernel, CpuRun run, int64_t units, int64_t chunk,
    size_t scratch_bytes, CardiacError **error);

static inline const CpuLoop *
cpu_loop (const CardiacKernel *kernel)
{
  return kernel->state;
}

/** Copies the name of what computes an operator. */
void cpu_name_implementation (CardiacKernel *kernel, const char *name);

/* ---- tensors ----------------------------------------------------------------- */

static inline bool
cpu_is_float (const CardiacTensor *t)
{
  return t->dtype == CARDIAC_F32 || t->dtype == CARDIAC_BF16;
}

/** Are the first `count` inputs and the output there, in F32 or BF16? */
bool cpu_expect (const CardiacOp *op, int count);

static inline size_t
cpu_size (CardiacDType dtype)
{
  return dtype == CARDIAC_BF16 ? 2 : 4;
}

/** Address of an element. */
static inline void *
cpu_at (const void *data, CardiacDType dtype, int64_t index)
{
  return (char *) data + (size_t) index * cpu_size (dtype);
}

static inline int64_t
cpu_min (int64_t a, int64_t b)
{
  return a < b ? a : b;
}

/** a / b, rounded up. */
static inline int64_t
cpu_parts (int64_t a, int64_t b)
{
  return (a + b - 1) / b;
}

/** Bytes rounded up to whole cache lines, so that parts of scratch memory
 * follow one another aligned. */
static inline size_t
cpu_lines (size_t bytes)
{
  return (bytes + 63) & ~(size_t) 63;
}

#endif
