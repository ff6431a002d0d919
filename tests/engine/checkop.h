/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CHECKOP_H
#define CHECKOP_H

#include "backends/backend.h"

/* Pieces of checkop: cases (shapes and random numbers), a second and slower
 * truth, and the running of kernels with everything around them watched. */

/** How an input is filled: offset + scale * N(0,1). */
typedef struct CheckFill {
  float scale, offset;
  bool positive; ///< the absolute value of that
} CheckFill;

/** One operator with shapes. */
typedef struct CheckCase {
  CardiacOp op;
  CheckFill fill[CARDIAC_OP_MAX_INPUTS];
  int alias;    ///< out is the memory of this input; -1: its own
  double floor; ///< errors are relative to max|reference|, but at least this:
                ///< the size results would typically have
  char label[96];
} CheckCase;

typedef struct CheckCases {
  CheckCase *items;
  int count, capacity;
} CheckCases;

/** Shapes that networks have and odd ones, for activations of dtype A.
 * @param seed decides the random shapes among them. */
void check_cases_add (
    CheckCases *cases, CardiacOpKind kind, CardiacDType A, uint64_t seed);

/** Shapes of ViT-B/16 and B/32 with 16 frames and of YOLOv8n at 640 px. */
void check_cases_add_bench (
    CheckCases *cases, CardiacOpKind kind, CardiacDType A);

void check_cases_clear (CheckCases *cases);

/** Random contents of input i, rounded to its dtype: malloc'ed. */
void *check_case_fill (const CheckCase *it, int i, uint64_t seed);

/** The largest error that is accepted, relative to max|reference|. Judged by
 * what a case really stores: one without BF16 or F16 must be as good as F32,
 * whatever the session's precision. */
double check_tolerance (const CheckCase *it);

/** The operator computed again, straight from its definition in double and
 * sharing no code with the reference backend.
 * @param in inputs as double (NULL when absent), @param out likewise. */
void check_naive (const CardiacOp *op, double *const *in, double *out);

size_t check_tensor_count (const CardiacTensor *tensor);
size_t check_tensor_bytes (const CardiacTensor *tensor);

/** Element i of an array of F32, BF16 or F16. */
double check_load (const void *data, CardiacDType dtype, size_t i);

#endif
