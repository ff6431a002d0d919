/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The emulation of CUDA sees what it is there to see: kernels with faults end
 * in the right message, or give different bits, and right ones do not. */
#include "run-kernel.h"
#include "tensor-core.h"

/* ---- what must be seen -------------------------------------------------- */

static void
half_at_a_barrier (float *)
{
  if (threadIdx.x < THREADS / 2)
    __syncthreads ();
}

static void
at_two_barriers (float *)
{
  if (threadIdx.x < THREADS / 2)
    __syncthreads ();
  else
    __syncthreads ();
}

static void
lane_leaves_its_warp (float *y)
{
  if (threadIdx.x == 3)
    return;
  y[threadIdx.x] = __shfl_xor_sync (0xffffffffu, 1.0f, 1);
}

static void
lanes_at_two_shuffles (float *y)
{
  if (threadIdx.x % 2)
    y[threadIdx.x] = __shfl_xor_sync (0xffffffffu, 1.0f, 1);
  else
    y[threadIdx.x] = __shfl_xor_sync (0xffffffffu, 2.0f, 1);
}

static void
writes_behind_shared (float *)
{
  ((float *) dynamic_shared ())[threadIdx.x + 1] = 0;
}

static void
copies_without_waiting (float *x)
{
  uint4 *shared = (uint4 *) dynamic_shared ();
  copy_async (shared + threadIdx.x, (uint4 *) x + threadIdx.x);
  copy_commit ();
}

static void
copies_off_a_line (float *x)
{
  uint4 *shared = (uint4 *) dynamic_shared ();
  copy_async (shared + threadIdx.x, x + 1);
  copy_commit ();
  copy_wait<0> ();
}

static void
faults_are_caught (void)
{
  enum { LINES = THREADS * sizeof (uint4) };
#if defined(__SANITIZE_ADDRESS__)
  const char *const overrun = "heap-buffer-overflow";
#else
  const char *const overrun = "wrote behind its 256 bytes";
#endif
  REQUIRE (is_caught (half_at_a_barrier, 0, "has ended, others wait"));
  REQUIRE (is_caught (at_two_barriers, 0, "wait at two barriers"));
  REQUIRE (is_caught (lane_leaves_its_warp, 0, "for the rest of its warp"));
  REQUIRE (is_caught (lanes_at_two_shuffles, 0, "while its warp is at"));
  REQUIRE (is_caught (writes_behind_shared, THREADS * sizeof (float), overrun));
  REQUIRE (is_caught (copies_without_waiting, LINES, "not waited for"));
  REQUIRE (is_caught (copies_off_a_line, LINES, "no multiple of 16"));
}

/** Turns an array around in shared memory. */
template <bool BARRIER>
static void
turn_around (float *y)
{
  float *shared = (float *) dynamic_shared ();
  shared[threadIdx.x] = (float) threadIdx.x;
  if (BARRIER)
    __syncthreads ();
  y[threadIdx.x] = shared[THREADS - 1 - threadIdx.x];
}

template <bool BARRIER>
static int
differences (void)
{
  float *y = device_array (THREADS), result[4][THREADS];
  int count = 0;
  for (int i = 0; i < 4; i++) {
    run (turn_around<BARRIER>, sizeof result[i], y, result[i], THREADS);
    count += memcmp (result[0], result[i], sizeof result[i]) != 0;
  }
  cudaFree (y);
  return count;
}

static void
missing_barriers_change_bits (void)
{
  REQUIRE (differences<true> () == 0);
  REQUIRE (differences<false> () > 0);
}

static void
launches_have_limits (void)
{
  float *y = device_array (THREADS);
  REQUIRE (launch (turn_around<true>, dim3 (1), 2048, 0, nullptr, y)
           == cudaErrorInvalidConfiguration);
  REQUIRE (launch (turn_around<true>, dim3 (1, 65536), 32, 0, nullptr, y)
           == cudaErrorInvalidConfiguration);
  REQUIRE (launch (turn_around<true>, dim3 (1), 32, 64 << 10, nullptr, y)
           == cudaErrorInvalidValue);
  REQUIRE (cudaFuncSetAttribute (turn_around<true>,
               cudaFuncAttributeMaxDynamicSharedMemorySize, 64 << 10)
           == cudaSuccess);
  REQUIRE (launch (turn_around<true>, dim3 (1), THREADS, 64 << 10, nullptr, y)
           == cudaSuccess);
  REQUIRE (cudaFuncSetAttribute (turn_around<true>,
               cudaFuncAttributeMaxDynamicSharedMemorySize, 1 << 20)
           == cudaErrorInvalidValue);
}

/* ---- what must come out ------------------------------------------------- */

/** d = a b, a [16,16] row-major, b [16,8] row-major, as kernels of the engine
 * do it: through shared memory and ldmatrix. */
static void
multiply_on_tensor_cores (float *array)
{
  __nv_bfloat16 *a = (__nv_bfloat16 *) dynamic_shared (), *b = a + 256;
  const unsigned lane = threadIdx.x % 32, warp = threadIdx.x / 32;
  for (unsigned i = threadIdx.x; i < 256; i += THREADS)
    a[i] = __float2bfloat16_rn (array[i]);
  for (unsigned i = threadIdx.x; i < 256; i += THREADS)
    b[i] =
        __float2bfloat16_rn (i % 16 < 8 ? array[256 + i / 16 * 8 + i % 8] : 0);
  __syncthreads ();
  if (warp == 0) {
    unsigned left[4], right[4];
    float d[4] = { 0, 0, 0, 0 };
    load_matrices (left, a + lane % 16 * 16 + lane / 16 * 8);
    load_transposed (right, b + lane % 16 * 16 + lane / 16 * 8);
    multiply_add (d, left, right[0], right[1], (__nv_bfloat16 *) nullptr);
    for (int i = 0; i < 4; i++)
      array[384 + (lane / 4 + i / 2 * 8) * 8 + lane % 4 * 2 + i % 2] = d[i];
  }
}

static void
tensor_cores_multiply (void)
{
  enum { COUNT = 256 + 128 + 128 };
  float host[COUNT], result[COUNT];
  float *array = device_array (COUNT);
  for (int i = 0; i < COUNT; i++) /* exact in BF16, and so are their sums */
    host[i] = (float) (i * 37 % 23 - 11);
  REQUIRE (cudaMemcpy (array, host, sizeof host, cudaMemcpyHostToDevice)
           == cudaSuccess);
  REQUIRE (cudaStreamSynchronize (nullptr) == cudaSuccess);
  run (multiply_on_tensor_cores, 1024, array, result, COUNT);
  for (int i = 0; i < 16; i++)
    for (int j = 0; j < 8; j++) {
      float sum = 0;
      for (int k = 0; k < 16; k++)
        sum += host[16 * i + k] * host[256 + 8 * k + j];
      REQUIRE (result[384 + 8 * i + j] == sum);
    }
  cudaFree (array);
}

int
main (void)
{
  faults_are_caught ();
  missing_barriers_change_bits ();
  launches_have_limits ();
  tensor_cores_multiply ();
  return 0;
}
