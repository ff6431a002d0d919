/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "checkop-run.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* Bytes before and after every array, and what they hold. A multiple of the
 * largest alignment that a backend may count on. */
enum { GUARD_BYTES = 4096, GUARD = 0x5a };

/* ---- targets ------------------------------------------------------------- */

static void
enter_thread (void *user, int piece, int worker)
{
  CheckTarget *target = user;
  if (target->backend->enter_thread)
    target->backend->enter_thread (target->context);
}

bool
check_target_open (CheckTarget *target, const CardiacBackend *backend,
    CardiacDType activation, int threads, CardiacError **error)
{
  CardiacBackendSettings settings = { .activation = activation,
    .threads = threads };
  *target = (CheckTarget){ .backend = backend, .activation = activation };
  target->context = backend->open (&settings, error);
  if (!target->context)
    return false;
  target->pool = cardiac_pool_new (threads, error);
  if (!target->pool) {
    check_target_close (target);
    return false;
  }
  enter_thread (target, 0, 0); /* this one */
  CardiacPoolStep step = {
    .work = enter_thread, .user = target, .pieces = CARDIAC_POOL_EACH_WORKER
  };
  cardiac_pool_run_steps (target->pool, &step, 1);
  return true;
}

void
check_target_close (CheckTarget *target)
{
  cardiac_pool_unref (&target->pool);
  if (target->context)
    target->backend->close (target->context);
  *target = (CheckTarget){ 0 };
}

/* ---- arrays between guards ----------------------------------------------- */

typedef struct Array {
  unsigned char *host; ///< GUARD_BYTES, bytes, GUARD_BYTES
  char *device;        ///< as many, when the backend has memory of its own
  size_t bytes;
} Array;

static size_t
whole_size (const Array *array)
{
  return array->bytes + 2 * GUARD_BYTES;
}

static unsigned char *
contents_of (const Array *array)
{
  return array->host + GUARD_BYTES;
}

static void *
data_of (const Array *array)
{
  return array->device ? array->device + GUARD_BYTES
                       : (char *) contents_of (array);
}

static void
array_new (Array *array, size_t bytes)
{
  void *memory = NULL;
  array->bytes = bytes;
  if (posix_memalign (&memory, GUARD_BYTES, whole_size (array)) != 0)
    abort ();
  array->host = memory;
  memset (array->host, GUARD, whole_size (array));
}

static void
array_free (Array *array, const CheckTarget *target)
{
  if (array->device)
    target->backend->release (target->context, array->device);
  free (array->host);
  *array = (Array){ 0 };
}

/** Enqueues host to device or back, guards included; nothing without device
 * memory. */
static void
array_move (Array *array, const CheckTarget *target, CardiacCopy direction)
{
  const bool up = direction == CARDIAC_COPY_UPLOAD;
  if (array->device)
    target->backend->copy (target->context,
        up ? (void *) array->device : array->host,
        up ? array->host : (const void *) array->device, whole_size (array),
        direction);
}

static bool
array_allocate_device (Array *array, const CheckTarget *target)
{
  if (!target->backend->allocate)
    return true;
  array->device =
      target->backend->allocate (target->context, whole_size (array), NULL);
  return array->device != NULL;
}

static bool
guards_hold (const Array *array)
{
  for (size_t i = 0; i < GUARD_BYTES; i++)
    if (array->host[i] != GUARD
        || array->host[GUARD_BYTES + array->bytes + i] != GUARD)
      return false;
  return true;
}

/* ---- jobs ---------------------------------------------------------------- */

struct CheckJob {
  const CheckTarget *target;
  const CheckCase *it;
  void *const *contents;
  CardiacKernel kernel;
  Array in[CARDIAC_OP_MAX_INPUTS], out;
  Array *scratch; ///< one a worker
  int workers;
  bool reversed;
  void *recording; ///< of a backend with device memory
  void *in_data[CARDIAC_OP_MAX_INPUTS], *out_data;
};

static bool
is_value (const CheckCase *it, int i)
{
  return cardiac_op_has (&it->op, i) && !it->op.constant[i];
}

/** The kernel; afterwards consumed constants hold nothing of use. */
static CheckPlan
plan (CheckJob *job, char *why, size_t why_size)
{
  CardiacOp op = job->it->op;
  CardiacError *error = NULL;
  op.label = job->it->label;
  for (int i = 0; i < op.inputs; i++)
    if (op.constant[i] && cardiac_op_has (&op, i)) {
      memcpy (contents_of (&job->in[i]), job->contents[i], job->in[i].bytes);
      op.in[i].data = contents_of (&job->in[i]);
    }
  if (!job->target->backend->prepare (
          job->target->context, &op, &job->kernel, &error)) {
    CheckPlan result = error ? CHECK_PLAN_FAILED : CHECK_NO_KERNEL;
    if (error)
      snprintf (why, why_size, "%s (%s)", cardiac_error_message (error),
          cardiac_error_detail (error));
    cardiac_error_free (&error);
    return result;
  }
  memset (&op, 0xee, sizeof op); /* kernels must not keep it */
  for (int i = 0; i < job->it->op.inputs; i++) {
    bool constant = job->it->op.constant[i];
    if (constant && job->kernel.consumed_constants)
      memset (contents_of (&job->in[i]), 0xff, job->in[i].bytes);
    else if (constant && cardiac_op_has (&job->it->op, i))
      job->in_data[i] = contents_of (&job->in[i]);
  }
  if (job->kernel.pieces < 1 || !job->kernel.run
      || !job->kernel.implementation[0]) {
    snprintf (why, why_size, "the kernel has no pieces, run or name");
    return CHECK_PLAN_FAILED;
  }
  return CHECK_PLANNED;
}

CheckPlan
check_job_new (CheckJob **made, const CheckTarget *target, const CheckCase *it,
    void *const *contents, char *why, size_t why_size)
{
  CheckJob *job = calloc (1, sizeof *job);
  if (!job)
    abort ();
  *made = job;
  *job = (CheckJob){ .target = target, .it = it, .contents = contents };
  bool placed = true;
  for (int i = 0; i < it->op.inputs; i++)
    if (cardiac_op_has (&it->op, i)) {
      array_new (&job->in[i], check_tensor_bytes (&it->op.in[i]));
      if (is_value (it, i)) {
        placed = placed && array_allocate_device (&job->in[i], target);
        job->in_data[i] = data_of (&job->in[i]);
      }
    }
  if (it->alias >= 0) {
    job->out_data = job->in_data[it->alias];
  } else {
    array_new (&job->out, check_tensor_bytes (&it->op.out));
    placed = placed && array_allocate_device (&job->out, target);
    job->out_data = data_of (&job->out);
  }
  if (!placed) {
    snprintf (why, why_size, "no device memory");
    return CHECK_PLAN_FAILED;
  }
  CheckPlan result = plan (job, why, why_size);
  if (result != CHECK_PLANNED)
    return result;

  job->workers =
      target->backend->allocate ? 1 : cardiac_pool_threads (target->pool);
  job->scratch = calloc ((size_t) job->workers, sizeof *job->scratch);
  if (!job->scratch)
    abort ();
  for (int i = 0; i < job->workers; i++) {
    array_new (&job->scratch[i], job->kernel.scratch_bytes);
    if (!array_allocate_device (&job->scratch[i], target)) {
      snprintf (why, why_size, "no device memory for scratch");
      return CHECK_PLAN_FAILED;
    }
  }
  return CHECK_PLANNED;
}

void
check_job_free (CheckJob *job)
{
  if (!job)
    return;
  if (job->recording)
    job->target->backend->forget (job->target->context, job->recording);
  if (job->kernel.destroy)
    job->kernel.destroy (&job->kernel);
  for (int i = 0; i < CARDIAC_OP_MAX_INPUTS; i++)
    array_free (&job->in[i], job->target);
  array_free (&job->out, job->target);
  for (int i = 0; i < job->workers; i++)
    array_free (&job->scratch[i], job->target);
  free (job->scratch);
  free (job);
}

const CardiacKernel *
check_job_kernel (const CheckJob *job)
{
  return &job->kernel;
}

static void
run_piece (void *user, int piece, int worker)
{
  CheckJob *job = user;
  if (job->reversed)
    piece = job->kernel.pieces - 1 - piece;
  job->kernel.run (&job->kernel, job->in_data, job->out_data, piece,
      data_of (&job->scratch[worker]));
}

/** All copies that a run needs, one way. */
static void
move_all (CheckJob *job, CardiacCopy direction)
{
  for (int i = 0; i < job->it->op.inputs; i++)
    if (is_value (job->it, i))
      array_move (&job->in[i], job->target, direction);
  if (job->out.host)
    array_move (&job->out, job->target, direction);
  for (int i = 0; i < job->workers; i++)
    array_move (&job->scratch[i], job->target, direction);
}

static void
enqueue_piece (void *user)
{
  run_piece (user, 0, 0);
}

static void
enqueue_inputs (void *user)
{
  move_all (user, CARDIAC_COPY_UPLOAD);
}

static void
enqueue_all (void *user)
{
  enqueue_inputs (user);
  enqueue_piece (user);
  move_all (user, CARDIAC_COPY_DOWNLOAD);
}

/** What `enqueue` enqueues, done; recorded from the second time on when
 * `recorded`. */
static bool
run_on_device (CheckJob *job, void (*enqueue) (void *user), bool recorded,
    char *why, size_t why_size)
{
  CardiacError *error = NULL;
  if (job->target->backend->run (job->target->context,
          recorded ? &job->recording : NULL, enqueue, job, &error))
    return true;
  snprintf (why, why_size, "%s", cardiac_error_message (error));
  cardiac_error_free (&error);
  return false;
}

/** Fills inputs, garbage elsewhere: on the host side. */
static void
place_inputs (CheckJob *job, int garbage)
{
  for (int i = 0; i < job->it->op.inputs; i++)
    if (is_value (job->it, i))
      memcpy (contents_of (&job->in[i]), job->contents[i], job->in[i].bytes);
  if (job->out.host)
    memset (contents_of (&job->out), garbage, job->out.bytes);
  for (int i = 0; i < job->workers; i++)
    memset (contents_of (&job->scratch[i]), garbage, job->scratch[i].bytes);
}

void
check_job_place (CheckJob *job)
{
  char why[256];
  place_inputs (job, 0);
  if (job->target->backend->run)
    run_on_device (job, enqueue_inputs, false, why, sizeof why);
}

/** Names what was written that should not have been. */
static bool
find_damage (CheckJob *job, char *why, size_t why_size)
{
  for (int i = 0; i < job->it->op.inputs; i++) {
    if (!cardiac_op_has (&job->it->op, i))
      continue;
    bool changed =
        i != job->it->alias
        && !(job->it->op.constant[i] && job->kernel.consumed_constants)
        && memcmp (
               contents_of (&job->in[i]), job->contents[i], job->in[i].bytes)
               != 0;
    if (changed || !guards_hold (&job->in[i])) {
      snprintf (
          why, why_size, "wrote %s input %d", changed ? "to" : "around", i);
      return true;
    }
  }
  if (job->out.host && !guards_hold (&job->out)) {
    snprintf (why, why_size, "wrote outside the output");
    return true;
  }
  for (int i = 0; i < job->workers; i++)
    if (!guards_hold (&job->scratch[i])) {
      snprintf (why, why_size, "wrote outside its scratch memory");
      return true;
    }
  return false;
}

/** Every piece once, on the host. */
static void
run_pieces (CheckJob *job, CheckOrder order)
{
  job->reversed = order == CHECK_REVERSED;
  if (order == CHECK_THREADS)
    cardiac_pool_run (job->target->pool, run_piece, job, job->kernel.pieces);
  else
    for (int piece = 0; piece < job->kernel.pieces; piece++)
      run_piece (job, piece, 0);
}

bool
check_job_run (CheckJob *job, CheckOrder order, int garbage, void *result,
    char *why, size_t why_size)
{
  place_inputs (job, garbage);
  if (!job->target->backend->run)
    run_pieces (job, order);
  else if (!run_on_device (job, enqueue_all, true, why, why_size))
    return false;
  if (find_damage (job, why, why_size))
    return false;
  const Array *out = job->it->alias >= 0 ? &job->in[job->it->alias] : &job->out;
  memcpy (result, contents_of (out), out->bytes);
  return true;
}

double
check_job_time (CheckJob *job, int pieces)
{
  struct timespec begin, end;
  char why[256];
  job->reversed = false;
  clock_gettime (CLOCK_MONOTONIC, &begin);
  if (job->target->backend->run)
    run_on_device (job, enqueue_piece, false, why, sizeof why);
  else if (pieces < 0)
    cardiac_pool_run (job->target->pool, run_piece, job, job->kernel.pieces);
  else
    for (int piece = 0; piece < pieces; piece++)
      run_piece (job, piece, 0);
  clock_gettime (CLOCK_MONOTONIC, &end);
  return (double) (end.tv_sec - begin.tv_sec)
         + 1e-9 * (double) (end.tv_nsec - begin.tv_nsec);
}
