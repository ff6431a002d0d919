/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CARDIAC_EMULATION_DEVICE_H
#define CARDIAC_EMULATION_DEVICE_H

/* The device side of CUDA as a C++ compiler sees it: the .cu files of the
 * engine run with it on a machine without GPU or toolkit, in tests.
 *
 * Blocks run one after another, the threads of a block as fibres that give way
 * at barriers and warp-wide operations only. Blocks and threads are taken in
 * another order at every launch, so that a result which hangs on an order (a
 * missing barrier) shows as different bits. These end the process with a
 * message:
 *   - a barrier or warp-wide operation that some threads do not reach, or not
 *     at the same line;
 *   - a write just outside dynamic shared memory (anywhere, with
 *     AddressSanitizer); shared memory starts as NaNs;
 *   - an asynchronous copy that nobody waits for, or a misaligned one.
 * It says nothing of speed, nor of what nvcc makes of the same text. */

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <functional>
#include <tuple>
#include <type_traits>

#define __global__
#define __device__
#define __host__
#define __forceinline__ inline
#define __shared__ static
#define __launch_bounds__(...)
#define __grid_constant__

/* ---- types -------------------------------------------------------------- */

struct uint3 {
  unsigned x, y, z;
};

struct dim3 {
  unsigned x, y, z;
  dim3 (unsigned x = 1, unsigned y = 1, unsigned z = 1) : x (x), y (y), z (z)
  {
  }
};

struct alignas (16) uint4
{
  unsigned x, y, z, w;
};

static inline uint4
make_uint4 (unsigned x, unsigned y, unsigned z, unsigned w)
{
  return { x, y, z, w };
}

/* ---- threads ------------------------------------------------------------ */

struct CudaEmulationThread;
extern uint3 cuda_emulation_thread_index (void);
extern uint3 cuda_emulation_block_index;
extern dim3 cuda_emulation_block_dim, cuda_emulation_grid_dim;

#define threadIdx (cuda_emulation_thread_index ())
#define blockIdx cuda_emulation_block_index
#define blockDim cuda_emulation_block_dim
#define gridDim cuda_emulation_grid_dim

/** The block's dynamic shared memory. */
void *cuda_emulation_shared (void);

/** All threads of the block meet here. */
void cuda_emulation_barrier (const char *file, int line);
#define __syncthreads() cuda_emulation_barrier (__FILE__, __LINE__)

/** The 32 threads of a warp meet here; the last to come does the `work` for
 * all. @param lanes what each thread, in order, gave as `mine`. */
typedef void (*CudaEmulationWarpWork) (void *const *lanes);
void cuda_emulation_warp (
    CudaEmulationWarpWork work, void *mine, const char *file, int line);

/* ---- warp-wide operations ----------------------------------------------- */

struct CudaEmulationShuffle {
  uint64_t value, result;
  unsigned from;
};

void cuda_emulation_shuffle_work (void *const *lanes);

template <typename T>
static inline T
cuda_emulation_shuffle (T value, unsigned from, const char *file, int line)
{
  static_assert (sizeof (T) <= sizeof (uint64_t), "at most eight bytes");
  CudaEmulationShuffle mine = { 0, 0, from & 31 };
  memcpy (&mine.value, &value, sizeof value);
  cuda_emulation_warp (cuda_emulation_shuffle_work, &mine, file, line);
  memcpy (&value, &mine.result, sizeof value);
  return value;
}

/* Warps lie along x, as in every kernel of the engine. Only whole warps
 * shuffle, so the mask is not looked at. */
#define __shfl_sync(mask, value, lane)                                         \
  cuda_emulation_shuffle (value, lane, __FILE__, __LINE__)
#define __shfl_xor_sync(mask, value, bits)                                     \
  cuda_emulation_shuffle (value, threadIdx.x ^ (bits), __FILE__, __LINE__)
#define __syncwarp() cuda_emulation_warp (nullptr, nullptr, __FILE__, __LINE__)

/** d += a b of one warp, as mma.sync.m16n8k16: `half` says F16, else BF16. */
struct CudaEmulationMma {
  float *d;
  const uint32_t *a, *b;
  bool half;
};
void cuda_emulation_mma_work (void *const *lanes);

/** ldmatrix.x4: four 8x8 matrices of 16-bit numbers; a lane gives the address
 * of one row. */
struct CudaEmulationLdmatrix {
  const void *row;
  uint32_t *registers;
  bool transpose;
};
void cuda_emulation_ldmatrix_work (void *const *lanes);

/* ---- asynchronous copies ------------------------------------------------ */

/** cp.async of 16 bytes: done when waited for, not before. */
void cuda_emulation_copy_async (void *shared, const void *global);
void cuda_emulation_copy_commit (void);
/** Waits until at most `groups` groups are under way. */
void cuda_emulation_copy_wait (unsigned groups);

/* ---- arithmetic --------------------------------------------------------- */

template <typename T>
static inline T
min (T a, T b)
{
  return b < a ? b : a;
}

template <typename T>
static inline T
max (T a, T b)
{
  return a < b ? b : a;
}

/* No functions: glibc 2.42 has some of these names, and takes no others. */
#define rsqrtf(x) (1 / sqrtf (x))
#define rsqrt(x) (1 / sqrt (x))
#define __expf(x) expf (x)
#define __fdividef(x, y) ((x) / (y))
#define __fmul_rn(x, y) ((x) * (y))
#define __fadd_rn(x, y) ((x) + (y))

/* ---- launches ----------------------------------------------------------- */

struct cudaLaunchConfig_t {
  dim3 gridDim, blockDim;
  size_t dynamicSmemBytes;
  cudaStream_t stream;
};

/** Can a kernel be launched so? Else InvalidConfiguration or InvalidValue, as a
 * device would say. @param kernel identifies it. @param static_shared bytes of
 * shared memory that it has without asking. */
cudaError_t cuda_emulation_check_launch (
    const cudaLaunchConfig_t &config, const void *kernel, size_t static_shared);

/** Checks, then enqueues. */
cudaError_t cuda_emulation_launch (const cudaLaunchConfig_t &config,
    const void *kernel, std::function<void ()> thread);

template <typename... P, typename... A>
static inline cudaError_t
cudaLaunchKernelEx (
    const cudaLaunchConfig_t *config, void (*kernel) (P...), A &&...args)
{
  std::tuple<P...> kept (std::forward<A> (args)...);
  return cuda_emulation_launch (*config, (const void *) kernel,
      [kernel, kept] { std::apply (kernel, kept); });
}

enum cudaFuncAttribute { cudaFuncAttributeMaxDynamicSharedMemorySize = 8 };
cudaError_t cuda_emulation_allow_shared (
    const void *kernel, int bytes, size_t static_shared);

template <typename... P>
static inline cudaError_t
cudaFuncSetAttribute (void (*kernel) (P...), cudaFuncAttribute, int bytes)
{
  return cuda_emulation_allow_shared ((const void *) kernel, bytes, 0);
}

enum cudaDeviceAttr { cudaDevAttrMaxSharedMemoryPerBlockOptin = 97 };
cudaError_t cudaDeviceGetAttribute (
    int *value, cudaDeviceAttr which, int device);

#endif
