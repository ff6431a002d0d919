/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CARDIAC_CUDA_TENSOR_CORE_H
#define CARDIAC_CUDA_TENSOR_CORE_H

#include <cuda_bf16.h>
#include <cuda_fp16.h>
#include <cuda_runtime.h>

#include <cstring>

/* Matrix products of a warp on tensor cores, and what feeds them: PTX under
 * nvcc, the emulation of the tests under a C++ compiler.
 *
 * A warp holds a matrix in registers, 16-bit numbers by pairs. Lane 4 g + m has
 *   A [16,16]: rows g, g + 8, g, g + 8 of columns 2m, 2m + 1; the last two
 *              registers eight columns on;
 *   B [16,8]:  rows 2m, 2m + 1 and those eight rows on, of column g;
 *   D [16,8]:  row g, columns 2m and 2m + 1, and the same of row g + 8. */

/** The bits of two numbers in one register, the first in its low half. */
template <typename Pair>
__device__ static inline unsigned
pair_bits (Pair pair)
{
  static_assert (sizeof pair == 4, "two numbers of 16 bits");
  unsigned bits;
  memcpy (&bits, &pair, sizeof bits);
  return bits;
}

__device__ static inline unsigned
pack_pair (float low, float high, __nv_bfloat16 *)
{
  return pair_bits (__floats2bfloat162_rn (low, high));
}

__device__ static inline unsigned
pack_pair (float low, float high, __half *)
{
  return pair_bits (__floats2half2_rn (low, high));
}

#ifdef __CUDACC__

/** d += a b in BF16, compute capability 8.0 and later; the backend refuses
 * BF16 on devices before. */
__device__ static inline void
multiply_add (float (&d)[4], const unsigned (&a)[4], unsigned b0, unsigned b1,
    __nv_bfloat16 *)
{
#if __CUDA_ARCH__ >= 800
  asm volatile("mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 "
               "{%0,%1,%2,%3}, {%4,%5,%6,%7}, {%8,%9}, {%0,%1,%2,%3};"
               : "+f"(d[0]), "+f"(d[1]), "+f"(d[2]), "+f"(d[3])
               : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b0), "r"(b1));
#else
  __trap ();
#endif
}

/** d += a b in F16. */
__device__ static inline void
multiply_add (
    float (&d)[4], const unsigned (&a)[4], unsigned b0, unsigned b1, __half *)
{
#if __CUDA_ARCH__ >= 800
  asm volatile("mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 "
               "{%0,%1,%2,%3}, {%4,%5,%6,%7}, {%8,%9}, {%0,%1,%2,%3};"
               : "+f"(d[0]), "+f"(d[1]), "+f"(d[2]), "+f"(d[3])
               : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b0), "r"(b1));
#else
  asm volatile("mma.sync.aligned.m16n8k8.row.col.f32.f16.f16.f32 "
               "{%0,%1,%2,%3}, {%4,%5}, {%6}, {%0,%1,%2,%3};"
               : "+f"(d[0]), "+f"(d[1]), "+f"(d[2]), "+f"(d[3])
               : "r"(a[0]), "r"(a[1]), "r"(b0));
  asm volatile("mma.sync.aligned.m16n8k8.row.col.f32.f16.f16.f32 "
               "{%0,%1,%2,%3}, {%4,%5}, {%6}, {%0,%1,%2,%3};"
               : "+f"(d[0]), "+f"(d[1]), "+f"(d[2]), "+f"(d[3])
               : "r"(a[2]), "r"(a[3]), "r"(b1));
#endif
}

/** 2^x by the special function unit, results below 2^-126 as 0. */
__device__ static inline float
fast_exp2 (float x)
{
  float y;
  asm("ex2.approx.ftz.f32 %0, %1;" : "=f"(y) : "f"(x));
  return y;
}

/** Four 8x8 matrices from shared memory: lane l gives the address of row l % 8
 * of matrix l / 8, a multiple of 16. Register i is this lane's part of matrix
 * i: of row g, columns 2m and 2m + 1. */
__device__ static inline void
load_matrices (unsigned (&matrix)[4], const void *row)
{
  asm volatile(
      "ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%0,%1,%2,%3}, [%4];"
      : "=r"(matrix[0]), "=r"(matrix[1]), "=r"(matrix[2]), "=r"(matrix[3])
      : "r"((unsigned) __cvta_generic_to_shared (row))
      : "memory");
}

/** The same of the transposed matrices. */
__device__ static inline void
load_transposed (unsigned (&matrix)[4], const void *row)
{
  asm volatile(
      "ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {%0,%1,%2,%3}, [%4];"
      : "=r"(matrix[0]), "=r"(matrix[1]), "=r"(matrix[2]), "=r"(matrix[3])
      : "r"((unsigned) __cvta_generic_to_shared (row))
      : "memory");
}

/** 16 bytes to shared memory, in the background where the device can. */
__device__ static inline void
copy_async (void *shared, const void *global)
{
#if __CUDA_ARCH__ >= 800
  asm volatile("cp.async.cg.shared.global [%0], [%1], 16;"
               :
               : "r"((unsigned) __cvta_generic_to_shared (shared)),
               "l"(__cvta_generic_to_global (global))
               : "memory");
#else
  *(uint4 *) shared = *(const uint4 *) global;
#endif
}

/** Closes a group of copies. */
__device__ static inline void
copy_commit (void)
{
#if __CUDA_ARCH__ >= 800
  asm volatile("cp.async.commit_group;" ::: "memory");
#endif
}

/** Waits until at most GROUPS of this thread's groups are under way. */
template <int GROUPS>
__device__ static inline void
copy_wait (void)
{
#if __CUDA_ARCH__ >= 800
  asm volatile("cp.async.wait_group %0;" ::"n"(GROUPS) : "memory");
#endif
}

#else /* the emulation */

template <typename T>
static inline void
multiply_add (
    float (&d)[4], const unsigned (&a)[4], unsigned b0, unsigned b1, T *)
{
  const unsigned b[2] = { b0, b1 };
  CudaEmulationMma mine = { d, a, b, std::is_same<T, __half>::value };
  cuda_emulation_warp (cuda_emulation_mma_work, &mine, __FILE__, __LINE__);
}

static inline float
fast_exp2 (float x)
{
  return exp2f (x);
}

static inline void
load_matrices (unsigned (&matrix)[4], const void *row)
{
  CudaEmulationLdmatrix mine = { row, matrix, false };
  cuda_emulation_warp (cuda_emulation_ldmatrix_work, &mine, __FILE__, __LINE__);
}

static inline void
load_transposed (unsigned (&matrix)[4], const void *row)
{
  CudaEmulationLdmatrix mine = { row, matrix, true };
  cuda_emulation_warp (cuda_emulation_ldmatrix_work, &mine, __FILE__, __LINE__);
}

static inline void
copy_async (void *shared, const void *global)
{
  cuda_emulation_copy_async (shared, global);
}

static inline void
copy_commit (void)
{
  cuda_emulation_copy_commit ();
}

template <int GROUPS>
static inline void
copy_wait (void)
{
  cuda_emulation_copy_wait (GROUPS);
}

#endif

#endif
