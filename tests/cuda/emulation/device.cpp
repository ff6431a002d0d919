/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cuda_runtime.h"
#include "backends/reference/storage.h"

#include <cstdarg>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <mutex>
#include <sys/mman.h>
#include <vector>
#if !defined(__x86_64__)
#include <ucontext.h>
#endif

enum {
  WARP = 32,
  MOST_THREADS = 1024,
  PLAIN_SHARED = 48 << 10, ///< what a kernel may have without asking
  STACK_BYTES = 256 << 10,
  PAGE = 4096,
  CANARY_BYTES = 64,
  CANARY = 0xa5,
};

uint3 cuda_emulation_block_index;
dim3 cuda_emulation_block_dim, cuda_emulation_grid_dim;

/* ---- fibres ------------------------------------------------------------- */

/* A switch keeps the registers that a call must keep, and the stack pointer. */
#if defined(__x86_64__)
typedef void *Context;
extern "C" void cuda_emulation_switch (Context *from, Context to);
asm(".text\n"
    ".globl cuda_emulation_switch\n"
    ".hidden cuda_emulation_switch\n"
    ".type cuda_emulation_switch, @function\n"
    "cuda_emulation_switch:\n"
    "  pushq %rbp\n  pushq %rbx\n  pushq %r12\n"
    "  pushq %r13\n  pushq %r14\n  pushq %r15\n"
    "  movq %rsp, (%rdi)\n"
    "  movq %rsi, %rsp\n"
    "  popq %r15\n  popq %r14\n  popq %r13\n"
    "  popq %r12\n  popq %rbx\n  popq %rbp\n"
    "  ret\n"
    ".size cuda_emulation_switch, . - cuda_emulation_switch\n");

static void
context_make (Context *context, char *stack, void (*enter) (void))
{
  void **top = (void **) (stack + STACK_BYTES);
  top[-2] = (void *) enter; /* where `ret` goes, the stack then as after call */
  *context = top - 8;
}

static void
context_switch (Context *from, Context *to)
{
  cuda_emulation_switch (from, *to);
}
#else
typedef ucontext_t Context;

static void
context_make (Context *context, char *stack, void (*enter) (void))
{
  getcontext (context);
  context->uc_stack.ss_sp = stack;
  context->uc_stack.ss_size = STACK_BYTES;
  context->uc_link = nullptr;
  makecontext (context, enter, 0);
}

static void
context_switch (Context *from, Context *to)
{
  swapcontext (from, to);
}
#endif

/* ---- a block ------------------------------------------------------------ */

enum State { READY, AT_BARRIER, AT_WARP, DONE };

struct Copy {
  void *shared;
  const void *global;
  unsigned group;
};

/** A thread of the block that runs. */
struct CudaEmulationThread {
  Context context;
  State state;
  unsigned number;
  uint3 index;
  const char *file; ///< where it waits
  int line;
  std::vector<Copy> copies;
  unsigned groups; ///< of copies, closed
};

/** Those of a warp who have come to an operation. */
struct Meeting {
  unsigned come;
  CudaEmulationWarpWork work;
  const char *file;
  int line;
  void *lanes[WARP];
};

/* One grid runs at a time in the process: kernels' shared variables are
 * static. */
static std::mutex running;
static CudaEmulationThread threads[MOST_THREADS], *self;
static Meeting meetings[MOST_THREADS / WARP];
static unsigned thread_count, ended;
static Context scheduler;
static char *stacks;
static const std::function<void ()> *body;
static unsigned char *shared_memory;
static size_t shared_bytes;

__attribute__ ((noreturn, format (printf, 1, 2))) static void
complain (const char *format, ...)
{
  va_list args;
  fprintf (stderr, "CUDA emulation: block (%u,%u,%u): ", blockIdx.x, blockIdx.y,
      blockIdx.z);
  va_start (args, format);
  vfprintf (stderr, format, args);
  va_end (args);
  fputc ('\n', stderr);
  abort ();
}

uint3
cuda_emulation_thread_index (void)
{
  return self->index;
}

void *
cuda_emulation_shared (void)
{
  return shared_memory;
}

static void
give_way (State state)
{
  self->state = state;
  context_switch (&self->context, &scheduler);
}

static void
enter_thread (void)
{
  (*body) ();
  if (!self->copies.empty ())
    complain (
        "thread %u ends with copies that were not waited for", self->number);
  give_way (DONE);
}

void
cuda_emulation_barrier (const char *file, int line)
{
  self->file = file;
  self->line = line;
  give_way (AT_BARRIER);
}

void
cuda_emulation_warp (
    CudaEmulationWarpWork work, void *mine, const char *file, int line)
{
  const unsigned first = self->number / WARP * WARP;
  Meeting *meeting = &meetings[self->number / WARP];
  if (meeting->come == 0) {
    meeting->work = work;
    meeting->file = file;
    meeting->line = line;
  } else if (meeting->work != work || meeting->line != line
             || strcmp (meeting->file, file) != 0) {
    complain ("thread %u is at %s:%d while its warp is at %s:%d", self->number,
        file, line, meeting->file, meeting->line);
  }
  meeting->lanes[self->number % WARP] = mine;
  self->file = file;
  self->line = line;
  if (++meeting->come < WARP) {
    give_way (AT_WARP);
    return;
  }
  meeting->come = 0;
  if (work)
    work (meeting->lanes);
  for (unsigned i = first; i < first + WARP; i++)
    threads[i].state = READY;
}

/** Nothing can run: either all threads are at one barrier, or this is a
 * deadlock. */
static void
open_barrier (void)
{
  for (unsigned i = 0; i < thread_count; i++) {
    const CudaEmulationThread *a = &threads[0], *b = &threads[i];
    if (b->state == AT_WARP)
      complain ("thread %u waits at %s:%d for the rest of its warp", i, b->file,
          b->line);
    if (b->state == DONE || a->state == DONE)
      complain ("thread %u has ended, others wait at %s:%d",
          b->state == DONE ? i : 0, b->state == DONE ? a->file : b->file,
          b->state == DONE ? a->line : b->line);
    if (a->line != b->line || strcmp (a->file, b->file) != 0)
      complain ("threads wait at two barriers: %s:%d and %s:%d", a->file,
          a->line, b->file, b->line);
  }
  for (unsigned i = 0; i < thread_count; i++)
    threads[i].state = READY;
}

static void
start_threads (void)
{
  for (unsigned i = 0; i < thread_count; i++) {
    CudaEmulationThread *thread = &threads[i];
    thread->number = i;
    thread->index = { i % blockDim.x, i / blockDim.x % blockDim.y,
      i / blockDim.x / blockDim.y };
    thread->state = READY;
    thread->groups = 0;
    context_make (&thread->context,
        stacks + (size_t) i * (STACK_BYTES + PAGE) + PAGE, enter_thread);
  }
}

/** The i-th of `count` things, in an order that changes with `turn`: forwards,
 * backwards, then strides of a number that shares no factor with count. */
static unsigned
in_order (unsigned i, unsigned count, unsigned turn)
{
  static const unsigned primes[] = { 4099, 5003, 6007, 7919 };
  const unsigned step = primes[turn / 3 % 4];
  if (turn % 3 == 0)
    return i;
  if (turn % 3 == 1 || count % step == 0)
    return count - 1 - i;
  return (unsigned) (((uint64_t) i * step + turn) % count);
}

/** Lets each of some threads run as far as it gets. False: none can run. */
static bool
run_threads (unsigned first, unsigned count, unsigned turn)
{
  bool any = false;
  for (unsigned i = 0; i < count; i++) {
    self = &threads[first + in_order (i, count, turn)];
    if (self->state != READY)
      continue;
    any = true;
    context_switch (&scheduler, &self->context);
    ended += self->state == DONE;
  }
  return any;
}

/** Every other turn a warp runs to the next barrier before another one starts,
 * else all go on side by side. */
static void
run_block (unsigned turn)
{
  const unsigned together = turn % 2 ? (unsigned) WARP : thread_count;
  const unsigned groups = (thread_count + together - 1) / together;
  start_threads ();
  for (ended = 0; ended < thread_count;) {
    bool any = false;
    for (unsigned i = 0; i < groups; i++) {
      const unsigned first = in_order (i, groups, turn) * together;
      while (run_threads (first, min (together, thread_count - first), turn))
        any = true;
    }
    if (!any)
      open_barrier ();
  }
}

/* ---- a grid ------------------------------------------------------------- */

static void
make_stacks (void)
{
  const size_t bytes = (size_t) MOST_THREADS * (STACK_BYTES + PAGE);
  if (stacks)
    return;
  stacks = (char *) mmap (nullptr, bytes, PROT_READ | PROT_WRITE,
      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (stacks == MAP_FAILED)
    complain ("no memory for stacks");
  for (size_t i = 0; i < MOST_THREADS; i++) /* running over ends in a fault */
    mprotect (stacks + i * (STACK_BYTES + PAGE), PAGE, PROT_NONE);
}

/** Exactly as large as asked, so that AddressSanitizer knows its end. */
static unsigned char *
allocate_shared (size_t bytes)
{
  void *memory = nullptr;
  if (posix_memalign (&memory, 128, bytes + CANARY_BYTES) != 0)
    complain ("no shared memory");
#if defined(__SANITIZE_ADDRESS__)
  free (memory);
  if (posix_memalign (&memory, 128, bytes ? bytes : 1) != 0)
    complain ("no shared memory");
#endif
  return (unsigned char *) memory;
}

static void
fill_shared (void)
{
  memset (shared_memory, 0xff, shared_bytes);
#if !defined(__SANITIZE_ADDRESS__)
  memset (shared_memory + shared_bytes, CANARY, CANARY_BYTES);
#endif
}

static void
look_at_shared (void)
{
#if !defined(__SANITIZE_ADDRESS__)
  for (int i = 0; i < CANARY_BYTES; i++)
    if (shared_memory[shared_bytes + i] != CANARY)
      complain ("wrote behind its %zu bytes of shared memory", shared_bytes);
#endif
}

struct Launch {
  cudaLaunchConfig_t config;
  const void *kernel;
  std::function<void ()> thread;
};

static cudaError_t
run_grid (void *state)
{
  const Launch *launch = (const Launch *) state;
  const std::lock_guard<std::mutex> lock (running);
  static std::map<const void *, unsigned> turns;
  const unsigned turn = turns[launch->kernel]++;
  gridDim = launch->config.gridDim;
  blockDim = launch->config.blockDim;
  thread_count = blockDim.x * blockDim.y * blockDim.z;
  body = &launch->thread;
  shared_bytes = launch->config.dynamicSmemBytes;
  shared_memory = allocate_shared (shared_bytes);
  make_stacks ();
  const unsigned blocks = gridDim.x * gridDim.y * gridDim.z;
  for (unsigned i = 0; i < blocks; i++) {
    const unsigned block = in_order (i, blocks, turn);
    blockIdx = { block % gridDim.x, block / gridDim.x % gridDim.y,
      block / gridDim.x / gridDim.y };
    fill_shared ();
    run_block (turn);
    look_at_shared ();
  }
  free (shared_memory);
  cuda_emulation_pass (1); /* own kernels are slower than libraries' */
  return cudaSuccess;
}

static void
destroy_launch (void *state)
{
  delete (Launch *) state;
}

/* ---- launching ---------------------------------------------------------- */

static std::map<const void *, size_t> allowed_shared;
static std::mutex allowing;

cudaError_t
cudaDeviceGetAttribute (int *value, cudaDeviceAttr, int device)
{
  cudaDeviceProp properties;
  cudaError_t status = cudaGetDeviceProperties (&properties, device);
  if (status == cudaSuccess)
    *value = (int) properties.sharedMemPerBlockOptin;
  return status;
}

cudaError_t
cuda_emulation_allow_shared (
    const void *kernel, int bytes, size_t static_shared)
{
  int most = 0;
  if (cudaDeviceGetAttribute (&most, cudaDevAttrMaxSharedMemoryPerBlockOptin, 0)
          != cudaSuccess
      || bytes + (int) static_shared > most)
    return cuda_emulation_fail (cudaErrorInvalidValue);
  const std::lock_guard<std::mutex> lock (allowing);
  allowed_shared[kernel] = (size_t) bytes;
  return cudaSuccess;
}

static size_t
shared_limit (const void *kernel, size_t static_shared)
{
  const std::lock_guard<std::mutex> lock (allowing);
  const auto found = allowed_shared.find (kernel);
  return found == allowed_shared.end () ? PLAIN_SHARED - static_shared
                                        : found->second;
}

cudaError_t
cuda_emulation_check_launch (
    const cudaLaunchConfig_t &config, const void *kernel, size_t static_shared)
{
  const dim3 &grid = config.gridDim, &block = config.blockDim;
  const uint64_t count = (uint64_t) block.x * block.y * block.z;
  if (count < 1 || count > MOST_THREADS || block.z > 64 || grid.x < 1
      || grid.x > INT32_MAX || grid.y < 1 || grid.y > UINT16_MAX || grid.z < 1
      || grid.z > UINT16_MAX)
    return cuda_emulation_fail (cudaErrorInvalidConfiguration);
  if (config.dynamicSmemBytes > shared_limit (kernel, static_shared))
    return cuda_emulation_fail (cudaErrorInvalidValue);
  return cuda_emulation_load (kernel, config.stream);
}

cudaError_t
cuda_emulation_launch (const cudaLaunchConfig_t &config, const void *kernel,
    std::function<void ()> thread)
{
  const cudaError_t status = cuda_emulation_check_launch (config, kernel, 0);
  if (status != cudaSuccess)
    return status;
  return cuda_emulation_enqueue (config.stream, run_grid,
      new Launch{ config, kernel, std::move (thread) }, destroy_launch);
}

/* ---- warp-wide operations ----------------------------------------------- */

void
cuda_emulation_shuffle_work (void *const *lanes)
{
  for (int i = 0; i < WARP; i++) {
    CudaEmulationShuffle *lane = (CudaEmulationShuffle *) lanes[i];
    lane->result = ((CudaEmulationShuffle *) lanes[lane->from])->value;
  }
}

static float
number_of (uint32_t pair, int which, bool half)
{
  const uint16_t bits = (uint16_t) (pair >> 16 * which);
  return half ? cardiac_from_f16 (bits) : cardiac_from_bf16 (bits);
}

/* Where elements lie is written in the PTX manual, "Matrix Fragments for
 * mma.m16n8k16": lane = 4 group + member. A [16,16]: registers 0..3 hold rows
 * group, group+8, group, group+8 of columns 2 member + {0,1}, the last two
 * eight columns on. B [16,8]: registers 0, 1 hold rows 2 member + {0,1} and
 * eight rows on, of column group. D [16,8]: rows group, group, group+8,
 * group+8, columns 2 member + {0,1}. */
void
cuda_emulation_mma_work (void *const *lanes)
{
  float a[16][16], b[8][16];
  for (int i = 0; i < WARP; i++) {
    const CudaEmulationMma *lane = (const CudaEmulationMma *) lanes[i];
    const int group = i / 4, member = i % 4;
    for (int j = 0; j < 8; j++)
      a[group + j / 2 % 2 * 8][2 * member + j % 2 + j / 4 * 8] =
          number_of (lane->a[j / 2], j % 2, lane->half);
    for (int j = 0; j < 4; j++)
      b[group][2 * member + j % 2 + j / 2 * 8] =
          number_of (lane->b[j / 2], j % 2, lane->half);
  }
  for (int i = 0; i < WARP; i++) {
    float *d = ((const CudaEmulationMma *) lanes[i])->d;
    for (int j = 0; j < 4; j++) {
      const float *row = a[i / 4 + j / 2 * 8], *column = b[2 * (i % 4) + j % 2];
      float sum = 0;
      for (int k = 0; k < 16; k++)
        sum += row[k] * column[k];
      d[j] += sum;
    }
  }
}

void
cuda_emulation_ldmatrix_work (void *const *lanes)
{
  uint16_t rows[WARP][8]; /* matrix i / 8, row i % 8 */
  for (int i = 0; i < WARP; i++) {
    const void *row = ((const CudaEmulationLdmatrix *) lanes[i])->row;
    if ((uintptr_t) row % 16 != 0)
      complain ("ldmatrix from an address that is no multiple of 16");
    memcpy (rows[i], row, sizeof rows[i]);
  }
  for (int i = 0; i < WARP; i++) {
    const CudaEmulationLdmatrix *lane =
        (const CudaEmulationLdmatrix *) lanes[i];
    const int group = i / 4, first = 2 * (i % 4);
    for (int m = 0; m < 4; m++) {
      const auto matrix = &rows[8 * m];
      const uint32_t low =
          lane->transpose ? matrix[first][group] : matrix[group][first];
      const uint32_t high =
          lane->transpose ? matrix[first + 1][group] : matrix[group][first + 1];
      lane->registers[m] = low | high << 16;
    }
  }
}

/* ---- asynchronous copies ------------------------------------------------ */

void
cuda_emulation_copy_async (void *shared, const void *global)
{
  if ((uintptr_t) shared % 16 != 0 || (uintptr_t) global % 16 != 0)
    complain ("asynchronous copy of an address that is no multiple of 16");
  self->copies.push_back ({ shared, global, self->groups });
}

void
cuda_emulation_copy_commit (void)
{
  self->groups++;
}

void
cuda_emulation_copy_wait (unsigned groups)
{
  std::vector<Copy> left;
  for (const Copy &copy : self->copies)
    if (copy.group + groups < self->groups)
      memcpy (copy.shared, copy.global, 16);
    else
      left.push_back (copy);
  self->copies.swap (left);
}
