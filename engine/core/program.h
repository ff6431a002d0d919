/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CARDIAC_CORE_PROGRAM_H
#define CARDIAC_CORE_PROGRAM_H

#include "backends/backend.h"
#include <cardiac/image.h>
#include <cardiac/session.h>

/* A network as a list of operators over values of fixed shape.
 *
 * Building never fails half-way: the first failure is kept, later calls do
 * nothing, and cardiac_program_plan() reports it. So a network's file reads
 * like its equations, without an `if` a line.
 *
 * Planning asks the backend for a kernel an operator, packs weights, and lays
 * all values out in one arena by their life spans. Running allocates nothing. */

typedef struct CardiacProgram CardiacProgram;

/** A value or constant of a program; 0 is "none" (an absent optional input). */
typedef int CardiacValue;

/** Which device, precision and pool a session runs with; counted by sessions. */
typedef struct CardiacRuntime CardiacRuntime;

struct CardiacBuffer; /* core/buffer.h */

/** Resolves device, precision and threads of `settings`. */
CARDIAC_API CardiacRuntime *cardiac_runtime_new (
    const CardiacSettings *settings, CardiacError **error);
CARDIAC_API void cardiac_runtime_free (CardiacRuntime **runtime);
CARDIAC_API const CardiacRunInfo *cardiac_runtime_info (
    const CardiacRuntime *runtime);

/** The dtype of activations between the first and last layer: F32, BF16, F16. */
CARDIAC_API CardiacDType cardiac_runtime_activation (
    const CardiacRuntime *runtime);

/** @param runtime outlives the program. */
CARDIAC_API CardiacProgram *cardiac_program_new (CardiacRuntime *runtime);
CARDIAC_API void cardiac_program_free (CardiacProgram **program);

/** The runtime's activation dtype. */
CARDIAC_API CardiacDType cardiac_program_activation (
    const CardiacProgram *program);

/** A value that the caller fills before each run, and one that it reads
 * after. Their memory stays where it is for the program's life. */
CARDIAC_API CardiacValue cardiac_program_input (CardiacProgram *program,
    const char *name, CardiacDType dtype, int rank, const int64_t *shape);
CARDIAC_API void cardiac_program_output (
    CardiacProgram *program, const char *name, CardiacValue value);

/** A constant: `data` (malloc'ed floats, or NULL after a failed load) becomes
 * the program's. With NULL data the program is marked failed with `error`
 * (which it takes). */
CARDIAC_API CardiacValue cardiac_program_constant (CardiacProgram *program,
    float *data, int rank, const int64_t *shape, CardiacError *error);

/** A value that operators write. */
CARDIAC_API CardiacValue cardiac_program_value (CardiacProgram *program,
    CardiacDType dtype, int rank, const int64_t *shape);

/** The same memory under another shape of the same count. */
CARDIAC_API CardiacValue cardiac_program_reshape (CardiacProgram *program,
    CardiacValue value, int rank, const int64_t *shape);

/** Appends an operator: fill kind and its parameters in `op`; inputs, out and
 * label are set here (label printf style). @return out. */
CARDIAC_API CardiacValue cardiac_program_op (CardiacProgram *program,
    const CardiacOp *op, const CardiacValue *inputs, int count,
    CardiacValue out, const char *label, ...)
    __attribute__ ((format (printf, 6, 7)));

/** Shape and dtype of a value (data NULL). */
CARDIAC_API CardiacTensor cardiac_program_describe (
    const CardiacProgram *program, CardiacValue value);

/** Marks the program failed (keeps the first; takes the error). */
CARDIAC_API void cardiac_program_fail (
    CardiacProgram *program, CardiacError *error);

/** Plans; false with the first failure. */
CARDIAC_API bool cardiac_program_plan (
    CardiacProgram *program, CardiacError **error);

/** Runs all operators in order. */
CARDIAC_API bool cardiac_program_run (
    CardiacProgram *program, CardiacError **error);

/** Before planning: a named input or output that is not copied from or to the
 * host in each run, but loaded from a buffer before it, or saved after. Its
 * cardiac_program_data() is NULL where values live on a device. */
CARDIAC_API void cardiac_program_keep (
    CardiacProgram *program, const char *name);

/** Copies all of a buffer to a kept input, from its float `offset` on. */
CARDIAC_API void cardiac_program_load (CardiacProgram *program,
    const char *name, int64_t offset, struct CardiacBuffer *from);

/** Copies a kept output, from its float `offset` on, to all of a buffer. */
CARDIAC_API void cardiac_program_save (CardiacProgram *program,
    const char *name, int64_t offset, struct CardiacBuffer *to);

/** Copies `count` floats of a kept output, after a run, to a kept input of
 * another program of the same runtime: where values live, before what runs
 * next. */
CARDIAC_API void cardiac_program_pass (CardiacProgram *from, const char *output,
    int64_t from_offset, CardiacProgram *to, const char *input,
    int64_t to_offset, int64_t count);

/** Makes a kept input, from its float `offset` on, of a picture in device
 * memory: enqueued before what runs next. UNSUPPORTED where values live in host
 * memory. */
CARDIAC_API bool cardiac_program_place (CardiacProgram *program,
    const char *name, int64_t offset, const CardiacImage *image,
    const CardiacResize *resize, CardiacError **error);

/** Memory of a named input or output, host side; NULL when there is none. */
CARDIAC_API void *cardiac_program_data (
    CardiacProgram *program, const char *name, CardiacTensor *tensor);

/** For benchmarks and tests: operators in order, their kernels and times. */
typedef struct CardiacStep {
  const CardiacOp *op;
  const CardiacKernel *kernel;
  const char *backend;
  double seconds; ///< of the last run, when timing is on
} CardiacStep;

CARDIAC_API int cardiac_program_steps (const CardiacProgram *program);
CARDIAC_API CardiacStep cardiac_program_step (
    const CardiacProgram *program, int index);
CARDIAC_API void cardiac_program_set_timing (CardiacProgram *program, bool on);

/** What a run copies between the host and a device. */
typedef enum CardiacCopies {
  CARDIAC_COPIES_AS_USED, ///< named values, but none that are kept
  CARDIAC_COPIES_INPUTS,  ///< kept inputs, too: they come from the host
  CARDIAC_COPIES_NONE,    ///< inputs are there, outputs stay
} CardiacCopies;

/** For benchmarks, between runs; nothing where values live in host memory. Kept
 * inputs get a host side, which cardiac_program_data() then gives. */
CARDIAC_API bool cardiac_program_set_copies (
    CardiacProgram *program, CardiacCopies copies, CardiacError **error);
CARDIAC_API size_t cardiac_program_arena_bytes (const CardiacProgram *program);

#endif
