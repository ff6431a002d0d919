/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CARDIAC_CUDA_HOUSEHOLDER_H
#define CARDIAC_CUDA_HOUSEHOLDER_H

#include "launch.h"
#include "reduce.h"

/* A symmetric matrix of doubles becomes tridiagonal by Householder reflections,
 * in one block. The last row goes first: row k is reflected, 1 - u uᵀ with
 * |u|² = 2, to (0, ..., 0, side[k-1]), and keeps u in its place.
 *
 * Each of the n reflections needs the one before it, whole, twice: for u and
 * for q = G u. That is a barrier of the block here, and would be one of the
 * grid, or a launch, with several blocks. */

/** Numbers in the lower half of a matrix; where row `order` begins. */
__host__ __device__ inline unsigned
packed_size (unsigned order)
{
  return order * (order + 1) / 2;
}

/** What the threads of a block share: arrays of `n`, and partial sums. */
struct Work {
  unsigned n;
  double *g;        ///< the lower half by rows, in global memory
  double *diagonal; ///< of the tridiagonal matrix
  double *side;     ///< side[i] couples i and i+1
  double *u, *q;
  double *partial; ///< partial_size (n)
};

/** Of a row k: what it is reflected to, and u = scale (row - reflected e). */
struct Reflection {
  double reflected, scale;
};

__device__ inline Reflection
reflection (double length, double last)
{
  const double reflected = last > 0 ? -length : length;
  /* |a - reflected e|² = 2 length (length + |last|) */
  const double square = length * (length + fabs (last));
  return { reflected, square > 0 ? rsqrt (square) : 0 };
}

/* ---- in registers --------------------------------------------------------- */

/** Of a warp of HELD_WARPS: rows held_row (r), of them a lane's columns
 * held_column (m), m <= r / ROWS_AT_ONCE. */
enum {
  HELD_WARPS = 8,
  HELD_ROWS = 25,
  HELD_CHUNKS = 7,
  HELD_MOST = HELD_WARPS * HELD_ROWS, ///< 200: 14 x 14 patches
  ROWS_AT_ONCE = WARP / HELD_WARPS,
};

/** 91 doubles of it are there; what lies right of the diagonal is 0. */
typedef double Held[HELD_ROWS][HELD_CHUNKS];

__device__ inline unsigned
held_row (unsigned r)
{
  return threadIdx.x / WARP + HELD_WARPS * r;
}

__device__ inline unsigned
held_column (unsigned m)
{
  return threadIdx.x % WARP + WARP * m;
}

__device__ __forceinline__ void
hold (const Work &w, Held &a)
{
#pragma unroll
  for (unsigned r = 0; r < HELD_ROWS; r++)
#pragma unroll
    for (unsigned m = 0; m <= r / ROWS_AT_ONCE; m++) {
      const unsigned i = held_row (r), j = held_column (m);
      a[r][m] = i < w.n && j <= i ? w.g[packed_size (i) + j] : 0;
    }
}

/** Row `i` to w.u, by the warp that has it. */
__device__ __forceinline__ void
show_row (const Work &w, const Held &a, unsigned i)
{
#pragma unroll
  for (unsigned r = 0; r < HELD_ROWS; r++)
    if (held_row (r) == i)
#pragma unroll
      for (unsigned m = 0; m <= r / ROWS_AT_ONCE; m++)
        if (held_column (m) <= i)
          w.u[held_column (m)] = a[r][m];
}

/** By columns to by rows, within a warp: `rows` is the warp's own. */
__device__ __forceinline__ void
share (const double (&columns)[HELD_CHUNKS], double *rows)
{
  const unsigned lane = threadIdx.x % WARP;
  __syncwarp ();
#pragma unroll
  for (unsigned m = 0; m < HELD_CHUNKS; m++) {
    const unsigned r = ROWS_AT_ONCE * m + lane / HELD_WARPS;
    if (lane % HELD_WARPS == threadIdx.x / WARP && r < HELD_ROWS)
      rows[r] = columns[m];
  }
  __syncwarp ();
}

__device__ __forceinline__ double
warp_dot (const double (&a)[HELD_CHUNKS], const double (&b)[HELD_CHUNKS])
{
  double sum = 0;
#pragma unroll
  for (unsigned m = 0; m < HELD_CHUNKS; m++)
    sum += a[m] * b[m];
  return warp_sum (sum);
}

/** u of row k, which w.u has: every warp for itself; 0 from column k on. */
__device__ __forceinline__ void
reflect_held (const Work &w, unsigned k, double (&u)[HELD_CHUNKS])
{
#pragma unroll
  for (unsigned m = 0; m < HELD_CHUNKS; m++)
    u[m] = held_column (m) < k ? w.u[held_column (m)] : 0;
  const Reflection it = reflection (sqrt (warp_dot (u, u)), w.u[k - 1]);
  if (threadIdx.x == 0) {
    w.diagonal[k] = w.u[k];
    w.side[k - 1] = it.reflected;
  }
#pragma unroll
  for (unsigned m = 0; m < HELD_CHUNKS; m++) {
    u[m] = (u[m] - (held_column (m) == k - 1 ? it.reflected : 0)) * it.scale;
    if (threadIdx.x / WARP == k % HELD_WARPS && held_column (m) < k)
      w.g[packed_size (k) + held_column (m)] = u[m];
  }
}

/** Sums of ROWS_AT_ONCE numbers over a warp: lanes 8 s .. have that of x[s]. */
__device__ __forceinline__ double
sum_four (const double (&x)[ROWS_AT_ONCE])
{
  const bool high = threadIdx.x & 16, odd = threadIdx.x & 8;
  double even_sum = high ? x[2] : x[0], odd_sum = high ? x[3] : x[1];
  even_sum += __shfl_xor_sync (ALL_LANES, high ? x[0] : x[2], 16);
  odd_sum += __shfl_xor_sync (ALL_LANES, high ? x[1] : x[3], 16);
  double sum = odd ? odd_sum : even_sum;
  sum += __shfl_xor_sync (ALL_LANES, odd ? even_sum : odd_sum, 8);
  return warp_sum<HELD_WARPS> (sum);
}

/** Of G u, G's first k rows and columns: to w.q what rows give left of and on
 * the diagonal, to w.partial, a row a warp, what columns give below it.
 * @param rows u by rows */
__device__ __forceinline__ void
multiply_held (const Work &w, unsigned k, const Held &a,
    const double (&u)[HELD_CHUNKS], const double *rows)
{
  const unsigned warp = threadIdx.x / WARP, lane = threadIdx.x % WARP;
  double column[HELD_CHUNKS] = {};
#pragma unroll
  for (unsigned c = 0; c < HELD_CHUNKS; c++) {
    const unsigned first = warp + WARP * c;
    double sums[ROWS_AT_ONCE] = {};
    if (first >= k)
      break; /* the whole warp */
#pragma unroll
    for (unsigned s = 0; s < ROWS_AT_ONCE; s++) {
      const unsigned r = ROWS_AT_ONCE * c + s;
      if (r >= HELD_ROWS)
        continue;
      const double at_row = rows[r]; /* 0 from row k on */
#pragma unroll
      for (unsigned m = 0; m < c; m++) {
        sums[s] += a[r][m] * u[m];
        column[m] += a[r][m] * at_row;
      }
      sums[s] += a[r][c] * u[c];
      column[c] += lane == warp + HELD_WARPS * s ? 0 : a[r][c] * at_row;
    }
    const double sum = sum_four (sums);
    if (lane % HELD_WARPS == 0 && first + lane < k)
      w.q[first + lane] = sum;
  }
#pragma unroll
  for (unsigned m = 0; m < HELD_CHUNKS; m++)
    if (held_column (m) < k)
      w.partial[warp * w.n + held_column (m)] = column[m];
}

/** G -= u qᵀ + q uᵀ, rows and columns below k. */
__device__ __forceinline__ void
update_held (unsigned k, Held &a, const double (&u)[HELD_CHUNKS],
    const double (&q)[HELD_CHUNKS], const double *u_rows, const double *q_rows)
{
  const unsigned warp = threadIdx.x / WARP, lane = threadIdx.x % WARP;
#pragma unroll
  for (unsigned c = 0; c < HELD_CHUNKS; c++) {
    if (warp + WARP * c >= k)
      break;
#pragma unroll
    for (unsigned s = 0; s < ROWS_AT_ONCE; s++) {
      const unsigned r = ROWS_AT_ONCE * c + s;
      if (r >= HELD_ROWS)
        continue;
      const double ui = u_rows[r], qi = q_rows[r];
#pragma unroll
      for (unsigned m = 0; m < c; m++)
        a[r][m] = a[r][m] - ui * q[m] - qi * u[m];
      if (lane <= warp + HELD_WARPS * s)
        a[r][c] = a[r][c] - ui * q[c] - qi * u[c];
    }
  }
}

/** For matrices of up to HELD_MOST rows and HELD_WARPS warps: read once, then
 * held in registers. Shared memory has what a row costs, 3 barriers a row. */
__device__ inline void
tridiagonalise_held (const Work &w)
{
  double *u_rows =
      w.partial + HELD_WARPS * w.n + threadIdx.x / WARP * 2 * HELD_ROWS;
  double *q_rows = u_rows + HELD_ROWS;
  Held a;
  hold (w, a);
  show_row (w, a, w.n - 1);
  __syncthreads ();
#pragma unroll 1
  for (unsigned k = w.n - 1; k > 0; k--) {
    double u[HELD_CHUNKS], q[HELD_CHUNKS];
    reflect_held (w, k, u);
    share (u, u_rows);
    multiply_held (w, k, a, u, u_rows);
    __syncthreads ();
    if (threadIdx.x < k)
      for (unsigned warp = 0; warp < HELD_WARPS; warp++)
        w.q[threadIdx.x] += w.partial[warp * w.n + threadIdx.x];
    __syncthreads ();

    /* (1 - u uᵀ) G (1 - u uᵀ) = G - u qᵀ - q uᵀ, q = G u - ½ (uᵀ G u) u */
#pragma unroll
    for (unsigned m = 0; m < HELD_CHUNKS; m++)
      q[m] = held_column (m) < k ? w.q[held_column (m)] : 0;
    const double half = 0.5 * warp_dot (u, q);
#pragma unroll
    for (unsigned m = 0; m < HELD_CHUNKS; m++)
      q[m] -= half * u[m];
    share (q, q_rows);
    update_held (k, a, u, q, u_rows, q_rows);
    show_row (w, a, k - 1);
    __syncthreads ();
  }
  if (threadIdx.x == 0) {
    w.diagonal[0] = w.u[0];
    w.side[w.n - 1] = 0;
  }
  __syncthreads ();
}

__device__ __forceinline__ void
load_row (const Work &w, unsigned k, double (&row)[HELD_CHUNKS])
{
#pragma unroll
  for (unsigned m = 0; m < HELD_CHUNKS; m++)
    row[m] = k < w.n && held_column (m) < k
                 ? w.g[packed_size (k) + held_column (m)]
                 : 0;
}

/** Undoes the reflections of w.u, first row first, two at a time:
 * (1 - b bᵀ) (1 - a aᵀ) z = z - (aᵀz) a - (bᵀz - (aᵀz) (aᵀb)) b. For one warp. */
__device__ inline void
reflect_back_held (const Work &w)
{
  double z[HELD_CHUNKS], a[HELD_CHUNKS], b[HELD_CHUNKS];
#pragma unroll
  for (unsigned m = 0; m < HELD_CHUNKS; m++)
    z[m] = held_column (m) < w.n ? w.u[held_column (m)] : 0;
  load_row (w, 1, a);
  load_row (w, 2, b);
  for (unsigned k = 1; k < w.n; k += 2) {
    double next_a[HELD_CHUNKS], next_b[HELD_CHUNKS];
    load_row (w, k + 2, next_a); /* while this one's sums are made */
    load_row (w, k + 3, next_b);
    const double along = warp_dot (a, z);
    const double along_b = warp_dot (b, z) - along * warp_dot (a, b);
#pragma unroll
    for (unsigned m = 0; m < HELD_CHUNKS; m++) {
      z[m] -= along * a[m] + along_b * b[m];
      a[m] = next_a[m];
      b[m] = next_b[m];
    }
  }
#pragma unroll
  for (unsigned m = 0; m < HELD_CHUNKS; m++)
    if (held_column (m) < w.n)
      w.u[held_column (m)] = z[m];
}

/* ---- in global memory ------------------------------------------------------ */

enum { STORED_WARPS = 16, STORED_THREADS = STORED_WARPS * WARP };

/** q = G u, of the first k rows and columns of G; q[i] is there for the thread
 * that has i, before a barrier. */
__device__ inline void
multiply_stored (const Work &w, unsigned k)
{
  const unsigned warp = threadIdx.x / WARP, lane = threadIdx.x % WARP;
  const unsigned groups = parts (k, WARP); /* of 32 rows, a lane each */
  const unsigned cuts = groups < STORED_WARPS ? STORED_WARPS / groups : 1;
  const unsigned length = parts (k, cuts);
  for (unsigned task = warp; task < groups * cuts; task += STORED_WARPS) {
    const unsigned i = task % groups * WARP + lane,
                   first = task / groups * length;
    const unsigned end = min (first + length, k);
    double sum = 0;
    if (i < k)
#pragma unroll 4
      for (unsigned j = first; j < end; j++)
        sum += w.g[i >= j ? packed_size (i) + j : packed_size (j) + i] * w.u[j];
    w.partial[task / groups * groups * WARP + i] = sum;
  }
  __syncthreads ();
  for (unsigned i = threadIdx.x; i < k; i += STORED_THREADS) {
    double sum = 0;
    for (unsigned cut = 0; cut < cuts; cut++)
      sum += w.partial[cut * groups * WARP + i];
    w.q[i] = sum;
  }
}

/** For any matrix and STORED_WARPS warps. */
__device__ inline void
tridiagonalise_stored (const Work &w)
{
  for (unsigned k = w.n - 1; k > 0; k--) {
    double *row = w.g + packed_size (k);
    double sum = 0;
    for (unsigned i = threadIdx.x; i < k; i += STORED_THREADS)
      sum += row[i] * row[i];
    const Reflection it =
        reflection (sqrt (block_sum<STORED_WARPS> (sum)), row[k - 1]);
    if (threadIdx.x == 0) {
      w.diagonal[k] = row[k];
      w.side[k - 1] = it.reflected;
    }
    for (unsigned i = threadIdx.x; i < k; i += STORED_THREADS)
      w.u[i] = (row[i] - (i == k - 1 ? it.reflected : 0)) * it.scale;
    __syncthreads ();

    /* (1 - u uᵀ) G (1 - u uᵀ) = G - u qᵀ - q uᵀ, q = G u - ½ (uᵀ G u) u */
    multiply_stored (w, k);
    sum = 0;
    for (unsigned i = threadIdx.x; i < k; i += STORED_THREADS) {
      row[i] = w.u[i];
      sum += w.u[i] * w.q[i];
    }
    const double half = 0.5 * block_sum<STORED_WARPS> (sum);
    for (unsigned i = threadIdx.x; i < k; i += STORED_THREADS)
      w.q[i] -= half * w.u[i];
    __syncthreads ();
    for (unsigned i = threadIdx.x / WARP; i < k; i += STORED_WARPS)
      for (unsigned j = threadIdx.x % WARP; j <= i; j += WARP)
        w.g[packed_size (i) + j] -= w.u[i] * w.q[j] + w.q[i] * w.u[j];
    __syncthreads ();
  }
  if (threadIdx.x == 0) {
    w.diagonal[0] = w.g[0];
    w.side[w.n - 1] = 0;
  }
  __syncthreads ();
}

/** Undoes the reflections of u, first row first. For one warp, of which each
 * lane keeps to elements of its own. */
__device__ inline void
reflect_back_stored (const Work &w)
{
  const unsigned lane = threadIdx.x % WARP;
  for (unsigned k = 1; k < w.n; k++) {
    const double *row = w.g + packed_size (k);
    double along = 0;
    for (unsigned i = lane; i < k; i += WARP)
      along += row[i] * w.u[i];
    along = warp_sum (along);
    for (unsigned i = lane; i < k; i += WARP)
      w.u[i] -= along * row[i];
  }
}

/* ---- either ---------------------------------------------------------------- */

/** Warps of a block for a matrix of `n` rows. */
__host__ __device__ inline unsigned
warps_for (unsigned n)
{
  if (n <= HELD_MOST)
    return HELD_WARPS;
  return STORED_WARPS;
}

/** Held: a row a warp, u and q by rows. Stored: room for a row's parts times
 * rows in whole warps. Two arrays of n at least. */
__host__ __device__ inline unsigned
partial_size (unsigned n)
{
  const unsigned rows = parts (n, WARP) * WARP, least = STORED_THREADS;
  if (n <= HELD_MOST)
    return HELD_WARPS * (n + 2 * HELD_ROWS);
  return 2 * rows > least ? 2 * rows : least;
}

/** Bytes of shared memory of Work's arrays but g. */
__host__ __device__ inline size_t
work_bytes (unsigned n)
{
  return (4 * (size_t) n + partial_size (n)) * sizeof (double);
}

/** All threads of warps_for (w.n) warps. */
template <int WARPS>
__device__ inline void
tridiagonalise (const Work &w)
{
  if constexpr (WARPS == HELD_WARPS)
    tridiagonalise_held (w);
  else
    tridiagonalise_stored (w);
}

/** Undoes the reflections of w.u. For one warp. */
template <int WARPS>
__device__ inline void
reflect_back (const Work &w)
{
  if constexpr (WARPS == HELD_WARPS)
    reflect_back_held (w);
  else
    reflect_back_stored (w);
}

#endif
