/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "core/program.h"
#include "core/arena.h"
#include "core/buffer.h"
#include "core/error.h"
#include "core/pool.h"
#include "core/runtime.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

typedef struct Value {
  CardiacTensor tensor; ///< data: constants, and after planning all
  int alias;            ///< the value whose memory this shares, or 0
  bool constant;
  char *name; ///< inputs and outputs: lives for the whole run
  void *host; ///< device memory only: host side of a named value
  bool is_input;
  bool is_kept;    ///< loaded or saved, not copied in each run
  int first, last; ///< first and last step that touches it; -1: none
  size_t offset;   ///< in the arena
} Value;

typedef struct Step {
  CardiacProgram *program;
  CardiacOp op;
  char *label;
  CardiacValue in[CARDIAC_OP_MAX_INPUTS];
  CardiacValue out;
  CardiacKernel kernel;
  const CardiacBackend *backend;
  void *in_data[CARDIAC_OP_MAX_INPUTS];
  void *out_data;
  double seconds;
} Step;

struct CardiacProgram {
  CardiacRuntime *runtime;
  Value *values; ///< [0] stands for "none"
  int value_count, value_room;
  Step *steps;
  int step_count, step_room;
  CardiacError *error; ///< first failure while building
  bool planned, timing;
  CardiacCopies copies;
  char *arena;
  size_t arena_bytes;
  char *scratch;
  size_t scratch_bytes; ///< a worker
  CardiacPoolStep *pool_steps;
  void *recording; ///< device memory only: what the backend replays
};

/* ---- building ---------------------------------------------------------- */

static bool
grow (CardiacProgram *program, void **array, int count, int *room, size_t size)
{
  if (count < *room)
    return true;
  int wanted = *room ? *room * 2 : 64;
  void *larger = realloc (*array, wanted * size);
  if (!larger)
    return cardiac_fail (&program->error, CARDIAC_ERROR_NO_MEMORY,
        "no memory for the network's plan");
  *array = larger;
  *room = wanted;
  return true;
}

static CardiacValue
add_value (
    CardiacProgram *program, CardiacDType dtype, int rank, const int64_t *shape)
{
  if (!grow (program, (void **) &program->values, program->value_count,
          &program->value_room, sizeof (Value)))
    return 0;
  assert (rank <= CARDIAC_MAX_RANK);
  Value *value = &program->values[program->value_count];
  *value = (Value){ .first = -1, .last = -1 };
  value->tensor.dtype = dtype;
  value->tensor.rank = rank;
  for (int i = 0; i < rank; i++)
    value->tensor.shape[i] = shape[i];
  return program->value_count++;
}

static Value *
value_at (CardiacProgram *program, CardiacValue value)
{
  return &program->values[value];
}

/* The value that owns the memory. */
static Value *
owner_of (CardiacProgram *program, CardiacValue value)
{
  int alias = program->values[value].alias;
  return &program->values[alias ? alias : value];
}

CardiacProgram *
cardiac_program_new (CardiacRuntime *runtime)
{
  CardiacProgram *program = calloc (1, sizeof *program);
  if (!program)
    return NULL;
  program->runtime = runtime;
  add_value (program, CARDIAC_F32, 0, NULL);
  return program;
}

CardiacDType
cardiac_program_activation (const CardiacProgram *program)
{
  return program->runtime->activation;
}

void
cardiac_program_fail (CardiacProgram *program, CardiacError *error)
{
  if (program->error || !error)
    cardiac_error_free (&error);
  else
    program->error = error;
}

CardiacValue
cardiac_program_input (CardiacProgram *program, const char *name,
    CardiacDType dtype, int rank, const int64_t *shape)
{
  CardiacValue value = add_value (program, dtype, rank, shape);
  if (value) {
    program->values[value].name = strdup (name);
    program->values[value].is_input = true;
  }
  return value;
}

void
cardiac_program_output (
    CardiacProgram *program, const char *name, CardiacValue value)
{
  if (program->error || !value)
    return;
  Value *it = value_at (program, value);
  free (it->name);
  it->name = strdup (name);
}

CardiacValue
cardiac_program_constant (CardiacProgram *program, float *data, int rank,
    const int64_t *shape, CardiacError *error)
{
  if (!data) {
    cardiac_program_fail (program, error);
    if (!program->error)
      cardiac_fail (
          &program->error, CARDIAC_ERROR_NO_MEMORY, "no memory for weights");
    return 0;
  }
  CardiacValue value = add_value (program, CARDIAC_F32, rank, shape);
  if (!value) {
    free (data);
    return 0;
  }
  program->values[value].constant = true;
  program->values[value].tensor.data = data;
  return value;
}

CardiacValue
cardiac_program_value (
    CardiacProgram *program, CardiacDType dtype, int rank, const int64_t *shape)
{
  return program->error ? 0 : add_value (program, dtype, rank, shape);
}

CardiacValue
cardiac_program_reshape (
    CardiacProgram *program, CardiacValue value, int rank, const int64_t *shape)
{
  if (program->error || !value)
    return 0;
  Value *from = value_at (program, value);
  CardiacValue root = from->alias ? from->alias : value;
  CardiacValue view = add_value (program, from->tensor.dtype, rank, shape);
  if (!view)
    return 0;
  assert (cardiac_tensor_count (&program->values[view].tensor)
          == cardiac_tensor_count (&program->values[value].tensor));
  program->values[view].alias = root;
  return view;
}

CardiacTensor
cardiac_program_describe (const CardiacProgram *program, CardiacValue value)
{
  CardiacTensor tensor = program->values[value].tensor;
  tensor.data = NULL;
  return tensor;
}

CardiacValue
cardiac_program_op (CardiacProgram *program, const CardiacOp *op,
    const CardiacValue *inputs, int count, CardiacValue out, const char *label,
    ...)
{
  if (program->error || !out
      || !grow (program, (void **) &program->steps, program->step_count,
          &program->step_room, sizeof (Step)))
    return 0;
  Step *step = &program->steps[program->step_count];
  *step = (Step){ .program = program, .op = *op, .out = out };
  va_list args;
  va_start (args, label);
  if (vasprintf (&step->label, label, args) < 0)
    step->label = NULL;
  va_end (args);
  assert (count <= CARDIAC_OP_MAX_INPUTS);
  step->op.label = step->label;
  step->op.inputs = count;
  for (int i = 0; i < count; i++) {
    step->in[i] = inputs[i];
    step->op.in[i] = program->values[inputs[i]].tensor;
    step->op.constant[i] = program->values[inputs[i]].constant;
  }
  step->op.out = program->values[out].tensor;
  program->step_count++;
  return out;
}

/* ---- planning ---------------------------------------------------------- */

static void
touch (CardiacProgram *program, CardiacValue value, int step)
{
  if (!value)
    return;
  Value *it = owner_of (program, value);
  if (it->first < 0)
    it->first = step;
  it->last = step;
}

/* Named values (also through a view) are kept for the whole run. */
static void
find_life_spans (CardiacProgram *program)
{
  for (int s = 0; s < program->step_count; s++) {
    Step *step = &program->steps[s];
    for (int i = 0; i < step->op.inputs; i++)
      touch (program, step->in[i], s);
    touch (program, step->out, s);
  }
  for (int v = 1; v < program->value_count; v++)
    if (program->values[v].name) {
      Value *it = owner_of (program, v);
      it->first = 0;
      it->last = program->step_count;
    }
}

static size_t
bytes_of (const Value *value)
{
  return cardiac_tensor_count (&value->tensor)
         * cardiac_dtype_size (value->tensor.dtype);
}

static bool
lay_out_arena (CardiacProgram *program)
{
  CardiacArenaItem *items = calloc (program->value_count, sizeof *items);
  if (!items)
    return cardiac_fail (&program->error, CARDIAC_ERROR_NO_MEMORY,
        "no memory for the network's plan");
  int count = 0;
  for (int v = 1; v < program->value_count; v++) {
    Value *it = value_at (program, v);
    if (it->constant || it->alias || it->first < 0)
      continue;
    items[count++] = (CardiacArenaItem){
      .bytes = bytes_of (it),
      .first = it->first,
      .last = it->last,
      .user = v,
    };
  }
  program->arena_bytes = cardiac_arena_lay_out (items, count);
  for (int i = 0; i < count; i++)
    program->values[items[i].user].offset = items[i].offset;
  free (items);
  return true;
}

/* One kernel, of the session's backend or else of the reference. */
static bool
prepare_step (CardiacProgram *program, Step *step)
{
  CardiacRuntime *runtime = program->runtime;
  step->backend = runtime->backend;
  if (runtime->backend->prepare (
          runtime->context, &step->op, &step->kernel, &program->error))
    return true;
  if (program->error || runtime->backend->allocate)
    return cardiac_fail (&program->error, CARDIAC_ERROR_INTERNAL,
        "device '%s' has no kernel for %s (%s)", runtime->device,
        cardiac_op_name (step->op.kind), step->label);
  step->backend = cardiac_backend_reference ();
  step->kernel = (CardiacKernel){ 0 };
  return step->backend->prepare (
      NULL, &step->op, &step->kernel, &program->error);
}

static void
prepare_all (void *user, int piece, int worker)
{
  CardiacProgram *program = user;
  for (int s = 0; s < program->step_count; s++) {
    Step *step = &program->steps[s];
    if (!prepare_step (program, step))
      return;
    if (step->kernel.scratch_bytes > program->scratch_bytes)
      program->scratch_bytes = step->kernel.scratch_bytes;
  }
  program->scratch_bytes = (program->scratch_bytes + 127) & ~(size_t) 63;
}

/* Frees constants that every kernel has packed for itself. */
static void
drop_consumed_constants (CardiacProgram *program)
{
  bool *wanted = calloc (program->value_count, sizeof *wanted);
  if (!wanted)
    return;
  for (int s = 0; s < program->step_count; s++) {
    Step *step = &program->steps[s];
    if (!step->kernel.consumed_constants)
      for (int i = 0; i < step->op.inputs; i++)
        wanted[step->in[i]] = true;
  }
  for (int v = 1; v < program->value_count; v++)
    if (program->values[v].constant && !wanted[v]) {
      free (program->values[v].tensor.data);
      program->values[v].tensor.data = NULL;
    }
  free (wanted);
}

static void *
allocate_aligned (size_t bytes)
{
  void *memory = NULL;
  if (posix_memalign (&memory, 4096, bytes ? bytes : 64) != 0)
    return NULL;
  memset (memory, 0, bytes);
  return memory;
}

/* Memory of values and scratch, where kernels want it. */
static char *
allocate_values (CardiacProgram *program, size_t bytes)
{
  const CardiacRuntime *runtime = program->runtime;
  if (runtime->backend->allocate)
    return runtime->backend->allocate (
        runtime->context, bytes, &program->error);
  return allocate_aligned (bytes);
}

static void
release_values (CardiacProgram *program, char *memory)
{
  const CardiacRuntime *runtime = program->runtime;
  if (memory && runtime->backend->allocate)
    runtime->backend->release (runtime->context, memory);
  else
    free (memory);
}

/* The host side of a value that lives on a device. */
static bool
allocate_host_side (CardiacProgram *program, Value *it, CardiacError **error)
{
  const CardiacRuntime *runtime = program->runtime;
  it->host =
      runtime->backend->allocate_host (runtime->context, bytes_of (it), error);
  if (it->host)
    memset (it->host, 0, bytes_of (it));
  return it->host != NULL;
}

static bool
allocate_memory (CardiacProgram *program)
{
  const CardiacRuntime *runtime = program->runtime;
  const CardiacBackend *backend = runtime->backend;
  /* One thread enqueues for a device; else each worker has its scratch. */
  const size_t workers =
      backend->allocate ? 1 : cardiac_pool_threads (runtime->pool);
  program->arena = allocate_values (program, program->arena_bytes);
  program->scratch =
      allocate_values (program, program->scratch_bytes * workers);
  program->pool_steps =
      calloc (program->step_count + 1, sizeof *program->pool_steps);
  if (!program->arena || !program->scratch || !program->pool_steps)
    return cardiac_fail (&program->error, CARDIAC_ERROR_NO_MEMORY,
        "no memory for the network's values (%zu bytes on device '%s')",
        program->arena_bytes, runtime->device);

  for (int v = 1; v < program->value_count; v++) {
    Value *it = value_at (program, v);
    if (it->constant)
      continue;
    it->tensor.data = program->arena + owner_of (program, v)->offset;
    if (!it->name || it->is_kept || !backend->allocate)
      continue;
    if (!allocate_host_side (program, it, &program->error))
      return false;
  }
  return true;
}

static void
run_piece (void *user, int piece, int worker)
{
  Step *step = user;
  step->kernel.run (&step->kernel, step->in_data, step->out_data, piece,
      step->program->scratch + worker * step->program->scratch_bytes);
}

static void
bind_steps (CardiacProgram *program)
{
  for (int s = 0; s < program->step_count; s++) {
    Step *step = &program->steps[s];
    for (int i = 0; i < step->op.inputs; i++)
      step->in_data[i] = program->values[step->in[i]].tensor.data;
    step->out_data = program->values[step->out].tensor.data;
    program->pool_steps[s] = (CardiacPoolStep){
      .work = run_piece,
      .user = step,
      .pieces = step->kernel.pieces,
    };
  }
}

bool
cardiac_program_plan (CardiacProgram *program, CardiacError **error)
{
  assert (!program->planned);
  if (!program->error) {
    find_life_spans (program);
    /* Backends decide by the threads they see, which is one on a worker. */
    cardiac_pool_run (program->runtime->pool, prepare_all, program, 1);
  }
  if (!program->error)
    drop_consumed_constants (program);
  if (!program->error && lay_out_arena (program) && allocate_memory (program)) {
    bind_steps (program);
    program->planned = true;
    return true;
  }
  if (error && !*error) {
    *error = program->error;
    program->error = NULL;
  }
  return false;
}

static double
seconds_now (void)
{
  struct timespec t;
  clock_gettime (CLOCK_MONOTONIC, &t);
  return t.tv_sec + 1e-9 * t.tv_nsec;
}

/* ---- on a device ----------------------------------------------------------- */

static bool
is_copied (const CardiacProgram *program, const Value *it)
{
  return it->is_kept ? program->copies == CARDIAC_COPIES_INPUTS
                     : program->copies != CARDIAC_COPIES_NONE;
}

/* Named inputs go up, or named outputs come down. */
static void
enqueue_copies (CardiacProgram *program, CardiacCopy direction)
{
  const CardiacRuntime *runtime = program->runtime;
  const bool up = direction == CARDIAC_COPY_UPLOAD;
  for (int v = 1; v < program->value_count; v++) {
    Value *it = value_at (program, v);
    if (it->host && it->is_input == up && is_copied (program, it))
      runtime->backend->copy (runtime->context, up ? it->tensor.data : it->host,
          up ? it->host : it->tensor.data, bytes_of (it), direction);
  }
}

static void
enqueue_step (void *user)
{
  run_piece (user, 0, 0);
}

static void
enqueue_inputs (void *user)
{
  enqueue_copies (user, CARDIAC_COPY_UPLOAD);
}

static void
enqueue_outputs (void *user)
{
  enqueue_copies (user, CARDIAC_COPY_DOWNLOAD);
}

static void
enqueue_all (void *user)
{
  CardiacProgram *program = user;
  enqueue_inputs (program);
  for (int s = 0; s < program->step_count; s++)
    enqueue_step (&program->steps[s]);
  enqueue_outputs (program);
}

static bool
run_on_device (CardiacProgram *program, CardiacError **error)
{
  const CardiacRuntime *runtime = program->runtime;
  const CardiacBackend *backend = runtime->backend;
  void *context = runtime->context;
  if (!program->timing)
    return backend->run (
        context, &program->recording, enqueue_all, program, error);
  if (!backend->run (context, NULL, enqueue_inputs, program, error))
    return false;
  for (int s = 0; s < program->step_count; s++) {
    double begin = seconds_now ();
    if (!backend->run (context, NULL, enqueue_step, &program->steps[s], error))
      return false;
    program->steps[s].seconds = seconds_now () - begin;
  }
  return backend->run (context, NULL, enqueue_outputs, program, error);
}

/* ---- running ----------------------------------------------------------- */

bool
cardiac_program_run (CardiacProgram *program, CardiacError **error)
{
  assert (program->planned);
  if (program->runtime->backend->run)
    return run_on_device (program, error);
  CardiacPool *pool = program->runtime->pool;
  if (!program->timing) {
    cardiac_pool_run_steps (pool, program->pool_steps, program->step_count);
    return true;
  }
  for (int s = 0; s < program->step_count; s++) {
    double begin = seconds_now ();
    cardiac_pool_run_steps (pool, &program->pool_steps[s], 1);
    program->steps[s].seconds = seconds_now () - begin;
  }
  return true;
}

static Value *
named (CardiacProgram *program, const char *name)
{
  for (int v = 1; v < program->value_count; v++) {
    Value *it = value_at (program, v);
    if (it->name && strcmp (it->name, name) == 0)
      return it;
  }
  return NULL;
}

void *
cardiac_program_data (
    CardiacProgram *program, const char *name, CardiacTensor *tensor)
{
  const Value *it = named (program, name);
  if (!it || (it->is_kept && !it->host && program->runtime->backend->allocate))
    return NULL;
  void *data = it->host ? it->host : it->tensor.data;
  if (tensor) {
    *tensor = it->tensor;
    tensor->data = data;
  }
  return data;
}

/* ---- buffers --------------------------------------------------------------- */

void
cardiac_program_keep (CardiacProgram *program, const char *name)
{
  Value *it = named (program, name);
  if (it) /* else building failed, and planning says so */
    it->is_kept = true;
}

/* `count` of a kept value's floats, from `offset` on. */
static float *
kept_part (
    CardiacProgram *program, const char *name, int64_t offset, int64_t count)
{
  const Value *it = named (program, name);
  assert (it && it->is_kept && it->tensor.dtype == CARDIAC_F32);
  assert (offset + count <= cardiac_tensor_count (&it->tensor));
  return (float *) it->tensor.data + offset;
}

void
cardiac_program_load (CardiacProgram *program, const char *name, int64_t offset,
    CardiacBuffer *from)
{
  cardiac_buffer_copy_to (
      from, kept_part (program, name, offset, cardiac_buffer_count (from)));
}

void
cardiac_program_save (CardiacProgram *program, const char *name, int64_t offset,
    CardiacBuffer *to)
{
  cardiac_buffer_copy_from (
      to, kept_part (program, name, offset, cardiac_buffer_count (to)));
}

void
cardiac_program_pass (CardiacProgram *from, const char *output,
    int64_t from_offset, CardiacProgram *to, const char *input,
    int64_t to_offset, int64_t count)
{
  const CardiacRuntime *runtime = from->runtime;
  assert (to->runtime == runtime);
  const float *source = kept_part (from, output, from_offset, count);
  float *target = kept_part (to, input, to_offset, count);
  const size_t bytes = (size_t) count * sizeof *target;
  if (runtime->backend->copy)
    runtime->backend->copy (
        runtime->context, target, source, bytes, CARDIAC_COPY_DEVICE);
  else
    memcpy (target, source, bytes);
}

bool
cardiac_program_place (CardiacProgram *program, const char *name,
    int64_t offset, const CardiacImage *image, const CardiacResize *resize,
    CardiacError **error)
{
  const Value *it = named (program, name);
  const CardiacRuntime *runtime = program->runtime;
  assert (it && it->is_kept && it->tensor.dtype == CARDIAC_F32);
  assert (offset + 3 * (int64_t) resize->side * resize->side
          <= cardiac_tensor_count (&it->tensor));
  if (!runtime->backend->place)
    return cardiac_fail (error, CARDIAC_ERROR_UNSUPPORTED,
        "device '%s' reads no pictures in device memory", runtime->device);
  return runtime->backend->place (runtime->context, image, resize,
      (float *) it->tensor.data + offset, error);
}

void
cardiac_program_free (CardiacProgram **program)
{
  if (!program || !*program)
    return;
  CardiacProgram *it = *program;
  const CardiacRuntime *runtime = it->runtime;
  if (it->recording)
    runtime->backend->forget (runtime->context, it->recording);
  for (int s = 0; s < it->step_count; s++) {
    Step *step = &it->steps[s];
    if (step->kernel.destroy)
      step->kernel.destroy (&step->kernel);
    free (step->label);
  }
  for (int v = 0; v < it->value_count; v++) {
    if (it->values[v].constant)
      free (it->values[v].tensor.data);
    if (it->values[v].host)
      runtime->backend->release_host (runtime->context, it->values[v].host);
    free (it->values[v].name);
  }
  release_values (it, it->arena);
  release_values (it, it->scratch);
  free (it->pool_steps);
  free (it->values);
  free (it->steps);
  cardiac_error_free (&it->error);
  free (it);
  *program = NULL;
}

int
cardiac_program_steps (const CardiacProgram *program)
{
  return program->step_count;
}

CardiacStep
cardiac_program_step (const CardiacProgram *program, int index)
{
  const Step *step = &program->steps[index];
  return (CardiacStep){
    .op = &step->op,
    .kernel = &step->kernel,
    .backend = step->backend->name,
    .seconds = step->seconds,
  };
}

void
cardiac_program_set_timing (CardiacProgram *program, bool on)
{
  program->timing = on;
}

bool
cardiac_program_set_copies (
    CardiacProgram *program, CardiacCopies copies, CardiacError **error)
{
  const CardiacRuntime *runtime = program->runtime;
  if (!runtime->backend->allocate || program->copies == copies)
    return true;
  for (int v = 1; v < program->value_count; v++) {
    Value *it = value_at (program, v);
    if (copies == CARDIAC_COPIES_INPUTS && it->is_kept && it->is_input
        && !it->host && !allocate_host_side (program, it, error))
      return false;
  }
  program->copies = copies;
  if (program->recording) /* it has copied otherwise */
    runtime->backend->forget (runtime->context, program->recording);
  program->recording = NULL;
  return true;
}

size_t
cardiac_program_arena_bytes (const CardiacProgram *program)
{
  return program->arena_bytes;
}
