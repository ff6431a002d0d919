/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CARDIAC_REFERENCE_H
#define CARDIAC_REFERENCE_H

#include "backends/backend.h"
#include "backends/reference/storage.h"

/* The plain C backend: what every operator means, in the shortest readable
 * form. Storage is F32, BF16 or F16; sums are taken in double and rounded once,
 * when the result is stored. checkop compares all other backends with it. */

/** A run function of a kernel; its state is the planned operator. */
typedef void (*CardiacReferenceRun) (const CardiacKernel *kernel,
    void *const *in, void *out, int piece, void *scratch);

/** Fills a kernel whose state is a copy of `op`. */
bool cardiac_reference_plan (CardiacKernel *kernel, const CardiacOp *op,
    CardiacReferenceRun run, int64_t pieces, size_t scratch_bytes,
    CardiacError **error);

static inline const CardiacOp *
cardiac_reference_op (const CardiacKernel *kernel)
{
  return kernel->state;
}

/** Returns `holds`; when it does not, an INTERNAL error names the operator,
 * what it expects, and (in its detail) all its shapes. */
bool cardiac_reference_expect (const CardiacOp *op, bool holds,
    const char *expected, CardiacError **error);

/** The first `required` inputs and the output are there, with sane shapes and
 * floating-point storage, and so are optional inputs that are given. Comes
 * first in every prepare function: the shapes may be read after it. */
bool cardiac_reference_expect_tensors (
    const CardiacOp *op, int required, CardiacError **error);

static inline bool
cardiac_reference_is (const CardiacTensor *tensor, CardiacDType dtype, int rank)
{
  return tensor->dtype == dtype && tensor->rank == rank;
}

/** Is input i absent, or F32 with `count` elements (a bias, a gain)? */
static inline bool
cardiac_reference_is_vector (const CardiacOp *op, int i, int64_t count)
{
  return !cardiac_op_has (op, i)
         || (op->in[i].dtype == CARDIAC_F32
             && cardiac_tensor_count (&op->in[i]) == count);
}

static inline bool
cardiac_reference_same_shape (const CardiacTensor *a, const CardiacTensor *b)
{
  if (a->rank != b->rank)
    return false;
  for (int i = 0; i < a->rank; i++)
    if (a->shape[i] != b->shape[i])
      return false;
  return true;
}

static inline int64_t
cardiac_reference_min (int64_t a, int64_t b)
{
  return a < b ? a : b;
}

/** The index within 0 .. count-1 that is nearest to i. */
static inline int64_t
cardiac_reference_clamp (int64_t i, int64_t count)
{
  return i < 0 ? 0 : cardiac_reference_min (i, count - 1);
}

/** a / b, rounded up. */
static inline int64_t
cardiac_reference_parts (int64_t a, int64_t b)
{
  return (a + b - 1) / b;
}

/* linear.c: what linear layers and convolutions share. */

/** Rows that are multiplied with one row of weights while it is in cache. */
enum { CARDIAC_REFERENCE_ROW_BLOCK = 8 };

/** Σ x[i] w[i]. The order of summation depends on `count` alone. */
double cardiac_reference_dot (const float *x, const float *w, int64_t count);

/** sums[r][n] = <x[r], w[n]>: x [rows,depth], w [columns,depth]. */
void cardiac_reference_products (const float *x, int64_t rows, const float *w,
    int64_t columns, int64_t depth, double *sums);

double cardiac_reference_activate (CardiacActivation activation, double x);

/* Prepare functions: one an operator. */

typedef bool (*CardiacReferencePrepare) (
    const CardiacOp *op, CardiacKernel *kernel, CardiacError **error);

#define CARDIAC_REFERENCE_PREPARE(name)                                        \
  bool cardiac_reference_##name (                                              \
      const CardiacOp *op, CardiacKernel *kernel, CardiacError **error)

CARDIAC_REFERENCE_PREPARE (linear);
CARDIAC_REFERENCE_PREPARE (matmul);
CARDIAC_REFERENCE_PREPARE (layer_norm);
CARDIAC_REFERENCE_PREPARE (attention);
CARDIAC_REFERENCE_PREPARE (conv2d);
CARDIAC_REFERENCE_PREPARE (max_pool2d);
CARDIAC_REFERENCE_PREPARE (avg_pool2d);
CARDIAC_REFERENCE_PREPARE (upsample2x);
CARDIAC_REFERENCE_PREPARE (concat);
CARDIAC_REFERENCE_PREPARE (slice);
CARDIAC_REFERENCE_PREPARE (softmax);
CARDIAC_REFERENCE_PREPARE (binary);
CARDIAC_REFERENCE_PREPARE (gate);
CARDIAC_REFERENCE_PREPARE (magnitude);
CARDIAC_REFERENCE_PREPARE (patchify);
CARDIAC_REFERENCE_PREPARE (tokens);
CARDIAC_REFERENCE_PREPARE (rows_load);
CARDIAC_REFERENCE_PREPARE (rows_store);
CARDIAC_REFERENCE_PREPARE (mean);
CARDIAC_REFERENCE_PREPARE (nchw_to_nhwc);
CARDIAC_REFERENCE_PREPARE (permute);
CARDIAC_REFERENCE_PREPARE (cosine);
CARDIAC_REFERENCE_PREPARE (amplify);
CARDIAC_REFERENCE_PREPARE (eigencam);
CARDIAC_REFERENCE_PREPARE (yolo_decode);

#endif
