/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CARDIAC_CUDA_LAUNCH_H
#define CARDIAC_CUDA_LAUNCH_H

#include <cuda_runtime.h>

/* How kernels are launched and see their dynamic shared memory. */

/** A launch without the <<<>>> that only nvcc reads: tests compile the same
 * text as C++. */
template <typename... P, typename... A>
static inline cudaError_t
launch (void (*kernel) (P...), dim3 grid, unsigned threads, size_t shared,
    cudaStream_t stream, A... args)
{
  cudaLaunchConfig_t config = {};
  config.gridDim = grid;
  config.blockDim = dim3 (threads);
  config.dynamicSmemBytes = shared;
  config.stream = stream;
  return cudaLaunchKernelEx (&config, kernel, static_cast<P> (args)...);
}

/** a / b, rounded up. */
__host__ __device__ static inline unsigned
parts (unsigned a, unsigned b)
{
  return (a + b - 1) / b;
}

enum { EACH_THREADS = 256 };

/** One thread for each of `count` things, numbered by thread_number(). */
template <typename... P, typename... A>
static inline cudaError_t
launch_each (
    void (*kernel) (P...), unsigned count, cudaStream_t stream, A... args)
{
  return launch (kernel, dim3 (parts (count, EACH_THREADS)), EACH_THREADS, 0,
      stream, args...);
}

__device__ static inline unsigned
thread_number (void)
{
  return blockIdx.x * blockDim.x + threadIdx.x;
}

/** The block's dynamic shared memory, aligned for any access. */
__device__ static inline void *
dynamic_shared (void)
{
#ifdef __CUDACC__
  extern __shared__ uint4 cardiac_dynamic_shared[];
  return cardiac_dynamic_shared;
#else
  return cuda_emulation_shared ();
#endif
}

#endif
