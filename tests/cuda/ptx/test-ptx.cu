/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The interpreter of PTX computes what the manual says, and sees what it is
 * there to see: each of these faults ends in its message. */
#include "../run-kernel.h"
#include "reduce.h"
#include "tensor-core.h"

#include <cmath>
#include <cstdint>
#include <cstdlib>

/* ---- addresses ------------------------------------------------------------ */

__global__ static void
loads_off_a_vector (float *x)
{
  const float4 four = *(const float4 *) (x + 1);
  x[threadIdx.x] = four.x + four.y + four.z + four.w;
}

__global__ static void
copies_off_a_line (float *x)
{
  copy_async ((uint4 *) dynamic_shared () + threadIdx.x, x + 1);
  copy_commit ();
  copy_wait<0> ();
}

__global__ static void
matrices_off_a_line (float *x)
{
  unsigned *shared = (unsigned *) dynamic_shared (), matrix[4];
  for (int i = threadIdx.x; i < 4 * THREADS; i += THREADS)
    shared[i] = 0;
  __syncthreads ();
  load_matrices (matrix, shared + threadIdx.x % 32 * 4 + 2);
  x[threadIdx.x] = matrix[0];
}

__global__ static void
writes_behind_the_array (float *x)
{
  x[3 * THREADS + 1 + threadIdx.x] = 0;
}

__global__ static void
writes_before_the_array (float *x)
{
  x[(int) threadIdx.x - 1] = 0;
}

__global__ static void
writes_behind_shared (float *)
{
  ((float *) dynamic_shared ())[threadIdx.x + 1] = 0;
}

__global__ static void
writes_behind_local (float *x)
{
  float own[4] = {};
  x[threadIdx.x] = 0;
  for (int i = 0; i < 4 + (int) x[threadIdx.x]; i++)
    own[(int) x[threadIdx.x] + (int) threadIdx.x % 5] = 1;
  x[threadIdx.x] = own[(int) x[threadIdx.x]];
}

__global__ static void
reads_fresh_memory (float *x)
{
  x[threadIdx.x] = x[threadIdx.x + THREADS] + 1;
}

__global__ static void
reads_fresh_shared (float *x)
{
  x[threadIdx.x] = ((float *) dynamic_shared ())[threadIdx.x];
}

/* ---- races ---------------------------------------------------------------- */

/** Turns an array around in shared memory. */
template <bool BARRIER>
__global__ static void
turn_around (float *y)
{
  float *shared = (float *) dynamic_shared ();
  shared[threadIdx.x] = 0;
  __syncthreads ();
  shared[threadIdx.x] = (float) threadIdx.x;
  if (BARRIER)
    __syncthreads ();
  y[threadIdx.x] = shared[THREADS - 1 - threadIdx.x];
}

/** In two warps: lanes of one read what another lane of it wrote. */
template <bool BARRIER>
__global__ static void
turn_around_in_warps (float *y)
{
  float *shared = (float *) dynamic_shared ();
  shared[threadIdx.x] = (float) threadIdx.x;
  if (BARRIER)
    __syncwarp ();
  y[threadIdx.x] = shared[threadIdx.x ^ 31];
}

__global__ static void
overwrites_what_others_read (float *y)
{
  float *shared = (float *) dynamic_shared ();
  shared[threadIdx.x] = (float) threadIdx.x;
  __syncthreads ();
  y[threadIdx.x] = shared[threadIdx.x ^ 1];
  shared[threadIdx.x] = 0;
}

__global__ static void
two_write_one_place (float *)
{
  ((float *) dynamic_shared ())[threadIdx.x % 32] = (float) threadIdx.x;
}

/** After a barrier of all, a barrier of a warp does not order two warps. */
__global__ static void
a_warps_barrier_is_not_a_blocks (float *y)
{
  float *shared = (float *) dynamic_shared ();
  shared[threadIdx.x] = 0;
  __syncthreads ();
  shared[threadIdx.x] = (float) threadIdx.x;
  __syncwarp ();
  y[threadIdx.x] = shared[threadIdx.x ^ 32];
}

/* ---- barriers and warps --------------------------------------------------- */

__global__ static void
half_at_a_barrier (float *)
{
  if (threadIdx.x < THREADS / 2)
    __syncthreads ();
}

__global__ static void
at_two_barriers (float *x)
{
  if (threadIdx.x < THREADS / 2) {
    __syncthreads ();
    x[threadIdx.x] = 1;
  } else {
    __syncthreads ();
    x[threadIdx.x] = 2;
  }
}

__global__ static void
lanes_at_a_barrier (float *)
{
  if (threadIdx.x % 2)
    __syncthreads ();
}

__global__ static void
lane_leaves_its_warp (float *y)
{
  if (threadIdx.x == 3)
    return;
  y[threadIdx.x] = __shfl_xor_sync (ALL_LANES, (float) threadIdx.x, 1);
}

__global__ static void
shuffles_from_nobody (float *y)
{
  if (threadIdx.x % 32 < 16)
    y[threadIdx.x] = __shfl_xor_sync (0xffff, (float) threadIdx.x, 16);
}

__global__ static void
half_a_warp_multiplies (float *y)
{
  const unsigned a[4] = {};
  float d[4] = {};
  if (threadIdx.x % 32 < 16)
    multiply_add (d, a, 0, 0, (__half *) nullptr);
  y[threadIdx.x] = d[0];
}

__global__ static void
half_a_warp_loads_matrices (float *y)
{
  unsigned *shared = (unsigned *) dynamic_shared (), matrix[4] = {};
  for (int i = threadIdx.x; i < 4 * THREADS; i += THREADS)
    shared[i] = 0;
  __syncthreads ();
  if (threadIdx.x % 2)
    load_matrices (matrix, shared + threadIdx.x % 32 * 4);
  y[threadIdx.x] = matrix[0];
}

__global__ static void
multiplies_bf16 (float *y)
{
  const unsigned a[4] = {};
  float d[4] = {};
  multiply_add (d, a, 0, 0, (__nv_bfloat16 *) nullptr);
  y[threadIdx.x] = d[0];
}

/* ---- copies --------------------------------------------------------------- */

/** WAIT 0: reads before waiting; 1: never waits; 2: right. */
template <int WAIT>
__global__ static void
copies (float *x)
{
  uint4 *shared = (uint4 *) dynamic_shared ();
  for (int i = 0; i < 4; i++)
    x[4 * threadIdx.x + i] = (float) (4 * threadIdx.x + i);
  copy_async (shared + threadIdx.x, (uint4 *) x + threadIdx.x);
  copy_commit ();
  if (WAIT == 1)
    return;
  if (WAIT == 2)
    copy_wait<0> ();
  const float4 four = ((float4 *) shared)[threadIdx.x];
  copy_wait<0> ();
  x[threadIdx.x] = four.w;
}

__global__ static void
others_copies_need_a_barrier (float *x)
{
  uint4 *shared = (uint4 *) dynamic_shared ();
  for (int i = 0; i < 4; i++)
    x[4 * threadIdx.x + i] = 0;
  shared[threadIdx.x] = make_uint4 (0, 0, 0, 0);
  __syncthreads ();
  copy_async (shared + threadIdx.x, (uint4 *) x + threadIdx.x);
  copy_commit ();
  copy_wait<0> ();
  x[threadIdx.x] = ((float *) shared)[4 * (THREADS - 1 - threadIdx.x)];
}

__global__ static void
an_instruction_nobody_knows (float *x)
{
  unsigned y;
  asm volatile("brev.b32 %0, %1;" : "=r"(y) : "r"(threadIdx.x));
  x[threadIdx.x] = y;
}

__global__ static void __launch_bounds__ (32)
for_one_warp (float *x)
{
  x[threadIdx.x] = 0;
}

enum { LINES = THREADS * sizeof (uint4), FLOATS = THREADS * sizeof (float) };

static void
faults_are_caught (void)
{
  REQUIRE (is_caught (loads_off_a_vector, 0, "misaligned"));
  REQUIRE (is_caught (copies_off_a_line, LINES, "misaligned"));
  REQUIRE (is_caught (matrices_off_a_line, LINES, "misaligned"));
  REQUIRE (is_caught (writes_behind_the_array, 0, "thread 63: out of bounds"));
  REQUIRE (is_caught (writes_before_the_array, 0, "thread 0: out of bounds"));
  REQUIRE (is_caught (writes_behind_shared, FLOATS, "of 256 of shared memory"));
  REQUIRE (is_caught (writes_behind_local, 0, "of 16 of local memory"));
  REQUIRE (is_caught (reads_fresh_memory, 0, "uninitialised"));
  REQUIRE (is_caught (reads_fresh_shared, FLOATS, "uninitialised"));
  REQUIRE (is_caught (turn_around<false>, FLOATS, "was read by thread 31"));
  REQUIRE (is_caught (
      turn_around_in_warps<false>, FLOATS, "was written by thread 31"));
  REQUIRE (is_caught (overwrites_what_others_read, FLOATS, "was read by"));
  REQUIRE (is_caught (two_write_one_place, FLOATS, "was written by thread 0"));
  REQUIRE (is_caught (
      a_warps_barrier_is_not_a_blocks, FLOATS, "was read by thread 0"));
  REQUIRE (is_caught (half_at_a_barrier, 0, "warp 1 has left"));
  REQUIRE (is_caught (at_two_barriers, 0, "waits here, warp 0 at"));
  REQUIRE (is_caught (lanes_at_a_barrier, 0, "reach the barrier"));
  REQUIRE (is_caught (lane_leaves_its_warp, 0, "but fffffff7 do it"));
  REQUIRE (is_caught (shuffles_from_nobody, 0, "from lane 16"));
  REQUIRE (is_caught (half_a_warp_multiplies, 0, "but 0000ffff do it"));
  REQUIRE (is_caught (half_a_warp_loads_matrices, LINES, "but aaaaaaaa do it"));
  REQUIRE (is_caught (copies<0>, LINES, "before the copy was waited for"));
  REQUIRE (is_caught (copies<1>, LINES, "not waited for"));
  REQUIRE (
      is_caught (others_copies_need_a_barrier, LINES, "was read by thread"));
  REQUIRE (is_caught (an_instruction_nobody_knows, 0, "unknown instruction"));
  REQUIRE (is_caught (for_one_warp, 0, "more than its .maxntid, 32"));
  REQUIRE (is_caught (loads_off_a_vector, 0, "test-ptx.cu:17 "));
}

static void
older_devices_get_their_own_code (void)
{
  REQUIRE (setenv ("CUDA_EMULATION_CAPABILITY", "75", 1) == 0);
  REQUIRE (is_caught (multiplies_bf16, 0, "gives up"));
  REQUIRE (says (copies<0>, LINES, "", false)); /* copies at once */
  REQUIRE (unsetenv ("CUDA_EMULATION_CAPABILITY") == 0);
}

__global__ static void
has_static_and_dynamic (float *x)
{
  __shared__ float own[1024];
  own[threadIdx.x] = 1;
  ((float *) dynamic_shared ())[threadIdx.x] = 2;
  x[threadIdx.x] = own[threadIdx.x];
  x[threadIdx.x + THREADS] = ((float *) dynamic_shared ())[threadIdx.x];
}

static void
launches_have_limits (void)
{
  enum { PLAIN = 48 << 10, OWN = 4096, MOST = 227 << 10 };
  const auto kernel = has_static_and_dynamic;
  const auto limit = cudaFuncAttributeMaxDynamicSharedMemorySize;
  float *x = device_array (2 * THREADS), result[2 * THREADS];
  REQUIRE (launch (kernel, dim3 (1), 2048, 0, nullptr, x)
           == cudaErrorInvalidConfiguration);
  REQUIRE (launch (kernel, dim3 (1), THREADS, PLAIN - OWN + 1, nullptr, x)
           == cudaErrorInvalidValue);
  REQUIRE (launch (kernel, dim3 (1), THREADS, PLAIN - OWN, nullptr, x)
           == cudaSuccess);
  REQUIRE (cudaFuncSetAttribute (kernel, limit, MOST - OWN + 1)
           == cudaErrorInvalidValue);
  REQUIRE (cudaFuncSetAttribute (kernel, limit, MOST - OWN) == cudaSuccess);
  run (kernel, MOST - OWN, x, result, 2 * THREADS);
  for (int i = 0; i < 2 * THREADS; i++)
    REQUIRE (result[i] == 1 + i / THREADS);
  REQUIRE (cudaFree (x) == cudaSuccess);
}

/* ---- what must come out --------------------------------------------------- */

/** Runs a kernel and brings back `count` floats. */
static void
results (void (*kernel) (float *), size_t shared, float *result, size_t count)
{
  float *x = device_array (count);
  run (kernel, shared, x, result, count);
  REQUIRE (cudaFree (x) == cudaSuccess);
}

__global__ static void
thirty_two_results (float *y)
{
  unsigned *const bits = (unsigned *) y;
  const float nan = __uint_as_float (0x7fc00000 | threadIdx.x);
  const int least = (int) 0x80000000 + (int) threadIdx.x;
  int i = 0;
#define RESULT(instruction, ...)                                               \
  {                                                                            \
    unsigned it;                                                               \
    asm volatile(instruction : "=r"(it) : __VA_ARGS__);                        \
    if (threadIdx.x == 0)                                                      \
      bits[i] = it;                                                            \
    i++;                                                                       \
  }

  RESULT ("shl.b32 %0, %1, %2;", "r"(1), "r"(32))
  RESULT ("shl.b32 %0, %1, %2;", "r"(3), "r"(31))
  RESULT ("shr.s32 %0, %1, %2;", "r"(least), "r"(40))
  RESULT ("shr.u32 %0, %1, %2;", "r"(least), "r"(40))
  RESULT ("div.u32 %0, %1, %2;", "r"(7), "r"(threadIdx.x))
  RESULT ("div.s32 %0, %1, %2;", "r"(-7), "r"(2))
  RESULT ("rem.s32 %0, %1, %2;", "r"(-7), "r"(2))
  RESULT ("mul.hi.s32 %0, %1, %2;", "r"(least), "r"(4))
  RESULT ("mul.hi.u32 %0, %1, %2;", "r"(least), "r"(4))
  RESULT ("mad.lo.s32 %0, %1, %2, %3;", "r"(least), "r"(3), "r"(-1))
  RESULT ("bfi.b32 %0, %1, %2, 3, 29;", "r"(5), "r"(0xf))
  RESULT ("bfi.b32 %0, %1, %2, 4, 8;", "r"(0x123), "r"(0xffffffff))
  RESULT ("min.s32 %0, %1, %2;", "r"(least), "r"(1))
  RESULT ("min.u32 %0, %1, %2;", "r"(least), "r"(1))
  RESULT ("cvt.rzi.s32.f32 %0, %1;", "f"(-2.75f))
  RESULT ("cvt.rzi.s32.f32 %0, %1;", "f"(3e9f))
  RESULT ("cvt.rzi.s32.f32 %0, %1;", "f"(nan))
  RESULT ("cvt.rzi.u32.f32 %0, %1;", "f"(-1.0f))
  RESULT ("cvt.sat.f32.f32 %0, %1;", "f"(1.5f))
  RESULT ("cvt.sat.f32.f32 %0, %1;", "f"(nan))
  RESULT ("max.f32 %0, %1, %2;", "f"(nan), "f"(-3.0f))
  RESULT ("min.f32 %0, %1, %2;", "f"(-3.0f), "f"(nan))
  RESULT ("fma.rm.f32 %0, %1, %2, %3;", "f"(1.0f), "f"(-0x1p-30f), "f"(1.0f))
  RESULT ("fma.rm.f32 %0, %1, %2, %3;", "f"(1.0f), "f"(0x1p-30f), "f"(1.0f))
  RESULT ("fma.rn.f32 %0, %1, %2, %3;", "f"(1 + 0x1p-12f), "f"(1 + 0x1p-12f),
      "f"(-1.0f))
  RESULT ("{.reg .pred p; setp.leu.f32 p, %1, %2; selp.u32 %0, 1, 0, p;}",
      "f"(nan), "f"(1.0f))
  RESULT ("{.reg .pred p; setp.le.f32 p, %1, %2; selp.u32 %0, 1, 0, p;}",
      "f"(nan), "f"(1.0f))
  RESULT ("{.reg .pred p; setp.ne.f32 p, %1, %2; selp.u32 %0, 1, 0, p;}",
      "f"(nan), "f"(nan))
  RESULT ("{.reg .pred p; setp.neu.f32 p, %1, %2; selp.u32 %0, 1, 0, p;}",
      "f"(nan), "f"(nan))
  RESULT ("cvt.rn.f16x2.f32 %0, %1, %2;", "f"(1.0f), "f"(-2.0f))
  RESULT ("{.reg .b16 h; cvt.rn.f16.f32 h, %1; cvt.u32.u16 %0, h;}",
      "f"(1 + 0x1p-11f))
  RESULT (
      "{.reg .b16 h; mov.b32 {_, h}, %1; cvt.s32.s16 %0, h;}", "r"(0x80010000))
}

static void
instructions_compute_what_the_manual_says (void)
{
  static const uint32_t expected[32] = { 0, 0x80000000, 0xffffffff, 0,
    0xffffffff, (uint32_t) -3, (uint32_t) -1, (uint32_t) -2, 2, 0x7fffffff,
    0x2f, 0xfffff23f, 0x80000000, 1, (uint32_t) -2, 0x7fffffff, 0, 0,
    0x3f800000, 0, 0xc0400000, 0xc0400000, 0x3f7fffff, 0x3f800000, 0x3a000400,
    1, 0, 0, 1, 0x3c00c000, 0x3c00, 0xffff8001 };
  uint32_t got[32];
  results (thirty_two_results, 0, (float *) got, 32);
  for (int i = 0; i < 32; i++)
    if (got[i] != expected[i]) {
      fprintf (stderr, "result %d: %08x, not %08x\n", i, got[i], expected[i]);
      exit (1);
    }
}

__global__ static void
approximations (float *y)
{
  const float x = 0.37f * (float) threadIdx.x + 0.5f;
  asm("ex2.approx.ftz.f32 %0, %1;" : "=f"(y[threadIdx.x]) : "f"(x));
  asm("rsqrt.approx.f32 %0, %1;" : "=f"(y[THREADS + threadIdx.x]) : "f"(x));
  asm("div.approx.f32 %0, %1, %2;"
      : "=f"(y[2 * THREADS + threadIdx.x])
      : "f"(3.0f), "f"(x));
  asm("ex2.approx.ftz.f32 %0, %1;"
      : "=f"(y[3 * THREADS + threadIdx.x])
      : "f"(-126.5f - x));
}

static void
approximations_are_as_bad_as_the_manual_allows (void)
{
  float y[4 * THREADS];
  double largest[3] = {};
  results (approximations, 0, y, 4 * THREADS);
  for (int i = 0; i < THREADS; i++) {
    const float x = 0.37f * (float) i + 0.5f;
    const double exact[3] = { exp2 (x), 1 / sqrt (x), 3.0 / x };
    for (int j = 0; j < 3; j++)
      largest[j] = fmax (largest[j], fabs (y[j * THREADS + i] / exact[j] - 1));
    REQUIRE (y[3 * THREADS + i] == 0); /* a subnormal number */
  }
  for (int j = 0; j < 3; j++)
    REQUIRE (largest[j] > 0x1p-24 && largest[j] <= 0x1p-22);
}

/** Steps of Collatz from threadIdx.x + 1, with branches in a loop that lanes
 * leave one by one; then all of them meet. */
__global__ static void
lanes_part_and_meet (float *y)
{
  unsigned n = threadIdx.x + 1, steps = 0;
  while (n != 1) {
    if (n % 2) {
      n = 3 * n + 1;
      for (unsigned i = 0; i < n % 3; i++)
        steps += threadIdx.x * 0;
    } else {
      n /= 2;
    }
    steps++;
  }
  y[threadIdx.x] = (float) warp_sum (steps);
  y[threadIdx.x + THREADS] = (float) steps;
}

static void
lanes_go_their_own_ways (void)
{
  float y[2 * THREADS];
  unsigned sum[2] = {};
  results (lanes_part_and_meet, 0, y, 2 * THREADS);
  for (unsigned i = 0; i < THREADS; i++) {
    unsigned steps = 0;
    for (unsigned n = i + 1; n != 1; n = n % 2 ? 3 * n + 1 : n / 2)
      steps++;
    REQUIRE (y[THREADS + i] == (float) steps);
    sum[i / 32] += steps;
  }
  for (unsigned i = 0; i < THREADS; i++)
    REQUIRE (y[i] == (float) sum[i / 32]);
}

__global__ static void
shuffles (float *y)
{
  const unsigned me = threadIdx.x;
  y[me] = __shfl_sync (ALL_LANES, (float) me, 3, 8);
  y[THREADS + me] = __shfl_up_sync (ALL_LANES, (float) me, 3, 8);
  y[2 * THREADS + me] = __shfl_down_sync (ALL_LANES, (float) me, 3, 8);
  y[3 * THREADS + me] = __shfl_xor_sync (ALL_LANES, (float) me, 5);
  y[4 * THREADS + me] = (float) __ballot_sync (ALL_LANES, me % 3 == 0);
}

static void
lanes_exchange_numbers (void)
{
  float y[5 * THREADS];
  results (shuffles, 0, y, 5 * THREADS);
  for (int i = 0; i < THREADS; i++) {
    const int first = i / 8 * 8;
    REQUIRE (y[i] == first + 3);
    REQUIRE (y[THREADS + i] == (i - 3 >= first ? i - 3 : i));
    REQUIRE (y[2 * THREADS + i] == (i + 3 < first + 8 ? i + 3 : i));
    REQUIRE (y[3 * THREADS + i] == (i ^ 5));
    REQUIRE (y[4 * THREADS + i] == (float) (i < 32 ? 0x49249249 : 0x92492492));
  }
}

/** As odd as parameters can be. */
struct Parcel {
  char letter;
  double number;
  short few;
  struct {
    float three[3];
    bool yes;
  } inner;
};

__global__ static void
unpack (float *y, char first, Parcel parcel, short last)
{
  const float all[8] = { (float) first, (float) parcel.letter,
    (float) parcel.number, (float) parcel.few, parcel.inner.three[0],
    parcel.inner.three[2], (float) parcel.inner.yes, (float) last };
  y[threadIdx.x] = all[threadIdx.x];
}

static void
parameters_arrive (void)
{
  const Parcel parcel = { 'b', 0.25, -300, { { 1.5f, 0, 2.5f }, true } };
  const float expected[8] = { 'a', 'b', 0.25, -300, 1.5f, 2.5f, 1, -7 };
  float *y = device_array (8), got[8];
  REQUIRE (launch (unpack, dim3 (1), 8, 0, nullptr, y, 'a', parcel, (short) -7)
           == cudaSuccess);
  REQUIRE (
      cudaMemcpy (got, y, sizeof got, cudaMemcpyDeviceToHost) == cudaSuccess);
  REQUIRE (memcmp (got, expected, sizeof got) == 0);
  REQUIRE (cudaFree (y) == cudaSuccess);
}

/** Through one pointer: this thread's memory, the block's, the device's. */
__global__ static void
points_anywhere (float *y)
{
  float own[4], *shared = (float *) dynamic_shared ();
  y[THREADS] = 1;
  for (int i = 0; i < 4; i++)
    own[i] = 10 + (float) i;
  shared[threadIdx.x] = 20;
  y[threadIdx.x] = 30;
  __syncthreads ();
  const int one = (int) y[THREADS];
  float sum = 0;
  for (int i = 0; i < 3 * one; i++) {
    const float *from = i == 0   ? own
                        : i == 1 ? shared + threadIdx.x
                                 : y + threadIdx.x;
    sum += from[i == 0 ? (int) threadIdx.x % 4 : 0];
  }
  y[threadIdx.x] = sum;
}

static void
pointers_lead_to_all_memory (void)
{
  float y[THREADS + 1];
  results (points_anywhere, FLOATS, y, THREADS + 1);
  for (int i = 0; i < THREADS; i++)
    REQUIRE (y[i] == (float) (60 + i % 4));
}

/** d = a b of small integers, a [16,16], b [16,8] at y + 128, d at y. */
template <typename T>
__global__ static void
multiply (float *y)
{
  T *a = (T *) dynamic_shared (), *b = a + 256;
  const unsigned lane = threadIdx.x % 32;
  for (unsigned i = threadIdx.x; i < 256; i += THREADS) {
    a[i] = (T) (float) ((int) (i * 37 % 23) - 11);
    b[i] = (T) (float) ((int) (i * 29 % 19) - 9);
  }
  __syncthreads ();
  unsigned left[4], right[4];
  float d[4] = { 0, 0, 0, 0 };
  load_matrices (left, a + lane % 16 * 16 + lane / 16 * 8);
  load_transposed (right, b + lane % 16 * 16 + lane / 16 * 8);
  multiply_add (d, left, right[0], right[1], (T *) nullptr);
  for (int i = 0; i < 4; i++)
    y[(lane / 4 + i / 2 * 8) * 8 + lane % 4 * 2 + i % 2] = d[i];
}

template <typename T>
static void
tensor_cores_multiply (void)
{
  float y[128];
  results (multiply<T>, 1024, y, 128);
  for (int i = 0; i < 16; i++)
    for (int j = 0; j < 8; j++) {
      int sum = 0;
      for (int k = 0; k < 16; k++)
        sum += ((16 * i + k) * 37 % 23 - 11) * ((16 * k + j) * 29 % 19 - 9);
      REQUIRE (y[8 * i + j] == (float) sum);
    }
}

/* ---- counts --------------------------------------------------------------- */

/** Reads and writes global memory 16 bytes apart, shared memory in one
 * bank. */
__global__ static void
wastes (float *y)
{
  float *shared = (float *) dynamic_shared ();
  shared[threadIdx.x * 32] = 1;
  y[threadIdx.x * 4] = shared[threadIdx.x * 32];
}

static void
waste_is_counted (void)
{
  REQUIRE (setenv ("PTX_COUNTS", "2", 1) == 0);
  REQUIRE (says (wastes, 32 * FLOATS,
      "global: 32 sectors, 8 ideal; shared: 64 passes, 62 of conflicts",
      false));
  REQUIRE (says (
      wastes, 32 * FLOATS, "100.0 % of sectors too many: test-ptx.cu", false));
  REQUIRE (unsetenv ("PTX_COUNTS") == 0);
}

int
main (void)
{
  faults_are_caught ();
  older_devices_get_their_own_code ();
  launches_have_limits ();
  waste_is_counted ();
  instructions_compute_what_the_manual_says ();
  approximations_are_as_bad_as_the_manual_allows ();
  lanes_go_their_own_ways ();
  lanes_exchange_numbers ();
  parameters_arrive ();
  pointers_lead_to_all_memory ();
  REQUIRE (says (turn_around<true>, FLOATS, "", false));
  REQUIRE (says (turn_around_in_warps<true>, FLOATS, "", false));
  REQUIRE (says (copies<2>, LINES, "", false));
  tensor_cores_multiply<__nv_bfloat16> ();
  for (const char *capability : { "90", "75" }) {
    REQUIRE (setenv ("CUDA_EMULATION_CAPABILITY", capability, 1) == 0);
    tensor_cores_multiply<__half> ();
  }
  return 0;
}
