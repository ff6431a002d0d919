/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CHECKOP_RUN_H
#define CHECKOP_RUN_H

#include "checkop.h"
#include "core/pool.h"

/** A backend that was opened for activations of one dtype. */
typedef struct CheckTarget {
  const CardiacBackend *backend;
  void *context;
  CardiacDType activation;
  CardiacPool *pool; ///< its threads have entered the backend
} CheckTarget;

/** Opens. @return false with an error (DEVICE, UNSUPPORTED): not here. */
bool check_target_open (CheckTarget *target, const CardiacBackend *backend,
    CardiacDType activation, int threads, CardiacError **error);
void check_target_close (CheckTarget *target);

/** A kernel with all memory that it needs, guarded. */
typedef struct CheckJob CheckJob;

typedef enum CheckPlan {
  CHECK_PLANNED,
  CHECK_NO_KERNEL, ///< the backend leaves the operator to `reference`
  CHECK_PLAN_FAILED,
} CheckPlan;

/** Plans a kernel and places the inputs.
 * @param contents of each input, as check_case_fill() made them; constants that
 *   the kernel consumed are wiped and not given to it again
 * @param why receives the reason of CHECK_PLAN_FAILED. */
CheckPlan check_job_new (CheckJob **job, const CheckTarget *target,
    const CheckCase *it, void *const *contents, char *why, size_t why_size);
void check_job_free (CheckJob *job);

const CardiacKernel *check_job_kernel (const CheckJob *job);

typedef enum CheckOrder {
  CHECK_FORWARD,
  CHECK_REVERSED,
  CHECK_THREADS, ///< on the target's pool
} CheckOrder;

/** Runs every piece once, then looks at what was written: inputs and guard
 * bytes must be as they were, whatever `garbage` scratch and output held
 * before. On a device, whose kernels have one piece, `order` means nothing, and
 * the second run and later ones replay what the backend recorded.
 * @param result check_tensor_bytes (out). */
bool check_job_run (CheckJob *job, CheckOrder order, int garbage, void *result,
    char *why, size_t why_size);

/** Fills the inputs, as every check_job_run() does, for check_job_time(). */
void check_job_place (CheckJob *job);

/** Runs the first `pieces` pieces on this thread, or all on the pool (-1),
 * without looking. @return seconds. */
double check_job_time (CheckJob *job, int pieces);

#endif
