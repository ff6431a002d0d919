/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "householder.h"
#include "kernels.h"

#include <cfloat>

/* Eigen-CAM (Muhammad & Yeasin 2020): X v, X [N,E] a frame's centred patches and
 * v its first right singular vector, and the ratio of the second singular value
 * to the first. In double, by the reference's method: the smaller of X Xᵀ and
 * Xᵀ X becomes tridiagonal by Householder reflections, its two largest
 * eigenvalues are found by counting signs (Sturm), the first vector by one
 * twisted factorisation (Dhillon & Parlett 2004). Power iterations would fail
 * where singular values nearly tie, and that is what the ratio is there to see.
 *
 * The square matrix is many blocks' work, all that follows one block's a frame:
 * see householder.h. */

namespace {

__host__ __device__ inline unsigned
order_of (const CardiacEigencam &e)
{
  return e.patches < e.channels ? e.patches : e.channels;
}

/** Doubles of scratch of a frame: channels' means, map, matrix. */
__host__ __device__ inline size_t
frame_scratch (const CardiacEigencam &e)
{
  return (size_t) e.channels + e.patches + packed_size (order_of (e));
}

/** mean[c] over the patches of frame blockIdx.y. */
__global__ void
mean_kernel (CardiacEigencam e)
{
  const unsigned c = thread_number ();
  if (c >= e.channels)
    return;
  const float *p = e.p + (size_t) blockIdx.y * e.patches * e.channels;
  double sum = 0;
  for (unsigned i = 0; i < e.patches; i++)
    sum += (double) p[(size_t) i * e.channels + c];
  e.scratch[blockIdx.y * frame_scratch (e) + c] = sum / e.patches;
}

/* ---- X Xᵀ or Xᵀ X ------------------------------------------------------- */

enum { TILE = 32, DEPTH = 16, SQUARE_THREADS = 256, ACROSS = 16, OWN = 2 };

/** Row `i`, column `k` of X or, by channel, of Xᵀ; 0 outside. */
__device__ inline double
centred (const CardiacEigencam &e, const float *p, const double *mean,
    unsigned i, unsigned k, bool by_channel)
{
  const unsigned patch = by_channel ? k : i, channel = by_channel ? i : k;
  return patch < e.patches && channel < e.channels
             ? (double) p[(size_t) patch * e.channels + channel] - mean[channel]
             : 0;
}

/** One tile of the lower half: rows blockIdx.x / tiles, columns % tiles. */
__global__ void
__launch_bounds__ (SQUARE_THREADS)
square_kernel (CardiacEigencam e, unsigned tiles)
{
  __shared__ double a[DEPTH][TILE + 1], b[DEPTH][TILE + 1];
  const unsigned row = blockIdx.x / tiles * TILE;
  const unsigned column = blockIdx.x % tiles * TILE;
  if (column > row)
    return; /* the whole block */
  const bool by_channel = e.channels < e.patches;
  const unsigned order = order_of (e);
  const unsigned depth = by_channel ? e.patches : e.channels;
  const float *p = e.p + (size_t) blockIdx.y * e.patches * e.channels;
  double *mean = e.scratch + blockIdx.y * frame_scratch (e);
  double *g = mean + e.channels + e.patches;
  const unsigned tx = threadIdx.x % ACROSS, ty = threadIdx.x / ACROSS;
  double sum[OWN][OWN] = {};

  for (unsigned start = 0; start < depth; start += DEPTH) {
    for (unsigned i = threadIdx.x; i < TILE * DEPTH; i += SQUARE_THREADS) {
      /* Neighbours read neighbouring channels. */
      const unsigned r = by_channel ? i % TILE : i / DEPTH;
      const unsigned k = by_channel ? i / TILE : i % DEPTH;
      a[k][r] = centred (e, p, mean, row + r, start + k, by_channel);
      b[k][r] = centred (e, p, mean, column + r, start + k, by_channel);
    }
    __syncthreads ();
#pragma unroll
    for (unsigned k = 0; k < DEPTH; k++)
#pragma unroll
      for (unsigned i = 0; i < OWN; i++)
#pragma unroll
        for (unsigned j = 0; j < OWN; j++)
          sum[i][j] += a[k][ty + ACROSS * i] * b[k][tx + ACROSS * j];
    __syncthreads ();
  }
#pragma unroll
  for (unsigned i = 0; i < OWN; i++)
#pragma unroll
    for (unsigned j = 0; j < OWN; j++) {
      const unsigned r = row + ty + ACROSS * i, c = column + tx + ACROSS * j;
      if (r < order && c <= r)
        g[packed_size (r) + c] = sum[i][j];
    }
}

/* ---- one block a frame -------------------------------------------------- */

/** Divides the tridiagonal matrix by a bound of its eigenvalues (Gershgorin).
 * @return the bound; 0 for a matrix of zeros. */
template <int WARPS>
__device__ inline double
normalise (const Work &w)
{
  double bound = 0;
  for (unsigned i = threadIdx.x; i < w.n; i += WARPS * WARP)
    bound = larger (bound, fabs (w.diagonal[i]) + fabs (w.side[i])
                               + (i ? fabs (w.side[i - 1]) : 0));
  bound = block_max<WARPS> (bound) * (1 + 4 * DBL_EPSILON);
  const double divisor = bound > 0 ? bound : 1;
  for (unsigned i = threadIdx.x; i < w.n; i += WARPS * WARP) {
    w.diagonal[i] /= divisor;
    w.side[i] /= divisor;
  }
  __syncthreads ();
  return bound;
}

/** Stands for a pivot of 0, of a matrix with eigenvalues within -1 .. 1. */
constexpr double TINY = DBL_EPSILON * DBL_EPSILON;

/** Eigenvalues below `limit`: changes of sign in the leading minors of
 * T - limit (Givens). Minors shrink or grow by no more than TINY and 3 a step;
 * every eighth brings them back to about 1. */
__device__ inline unsigned
count_below (const Work &w, double limit)
{
  double minor = 1, before = 0, coupling = 0;
  unsigned count = 0;
  for (unsigned i = 0; i < w.n; i++) {
    double next = (w.diagonal[i] - limit) * minor - coupling * before;
    if (fabs (next) < TINY * fabs (minor))
      next = -TINY * minor;
    count += (next < 0) != (minor < 0);
    before = minor;
    minor = next;
    coupling = w.side[i] * w.side[i];
    if (i % 8 == 7) {
      const double scale = 1 / fmax (fabs (minor), fabs (before));
      minor *= scale;
      before *= scale;
    }
  }
  return count;
}

/** The two largest eigenvalues at once: half the block each tries as many
 * places, and goes on between the two where the count changes. */
template <int WARPS>
__device__ inline void
eigenvalues (const Work &w, double (&values)[2])
{
  enum { PLACES = WARPS * WARP / 2, ROUNDS = 8 }; /* 129^8 > 2^56 */
  __shared__ unsigned sums[WARPS];
  const unsigned rank = threadIdx.x / PLACES, place = threadIdx.x % PLACES;
  double low = -1, high = 1;
  for (int round = 0; round < ROUNDS; round++) {
    const double step = (high - low) / (PLACES + 1);
    const unsigned below = count_below (w, low + step * (place + 1));
    const unsigned warp_count =
        warp_sum (below + rank + 1 <= w.n ? 1u : 0u); /* still too low */
    if (threadIdx.x % WARP == 0)
      sums[threadIdx.x / WARP] = warp_count;
    __syncthreads ();
    unsigned low_places = 0;
    for (unsigned i = 0; i < WARPS / 2; i++)
      low_places += sums[rank * (WARPS / 2) + i];
    const double from = low;
    low = from + step * low_places;
    high = from + step * (low_places + 1);
    __syncthreads ();
  }
  if (place == 0)
    w.partial[rank] = low + (high - low) / 2;
  __syncthreads ();
  values[0] = w.partial[0];
  values[1] = w.n > 1 ? w.partial[1] : 0;
  __syncthreads ();
}

__device__ inline double
not_zero (double pivot)
{
  return fabs (pivot) < TINY ? TINY : pivot;
}

/** Factors T - value from one end; u or q receive the multipliers, `pivots` the
 * pivots. For one thread. */
__device__ inline void
factor (
    const Work &w, double value, bool down, double *pivots, double *multipliers)
{
  double coupling = 0;
  for (unsigned step = 0; step < w.n; step++) {
    const unsigned i = down ? step : w.n - 1 - step;
    const unsigned to = down ? i : i ? i - 1 : 0; /* the next coupling */
    const double pivot = not_zero (w.diagonal[i] - value - coupling);
    pivots[i] = pivot;
    if (step + 1 < w.n) {
      multipliers[to] = w.side[to] / pivot;
      coupling = multipliers[to] * w.side[to];
    }
  }
}

/** u = the vector of `value`: T - value factored from both ends; they meet where
 * the pivot is smallest, and there the vector is largest. diagonal is lost. */
template <int WARPS>
__device__ inline void
eigenvector (const Work &w, double value)
{
  /* Pivots from both ends. */
  double *down = w.partial, *up = w.partial + w.n;
  if (threadIdx.x == 0)
    factor (w, value, true, down, w.u);
  if (threadIdx.x == WARP)
    factor (w, value, false, up, w.q);
  __syncthreads ();
  if (threadIdx.x == 0) {
    double smallest = INFINITY, squares = 1;
    unsigned meet = 0;
    for (unsigned i = 0; i < w.n; i++) {
      const double pivot = fabs (down[i] + up[i] - (w.diagonal[i] - value));
      if (pivot < smallest) {
        smallest = pivot;
        meet = i;
      }
    }
    double *z = w.diagonal;
    z[meet] = 1;
    for (unsigned i = meet; i > 0; i--) {
      z[i - 1] = -w.u[i - 1] * z[i];
      squares += z[i - 1] * z[i - 1];
    }
    for (unsigned i = meet; i + 1 < w.n; i++) {
      z[i + 1] = -w.q[i] * z[i];
      squares += z[i + 1] * z[i + 1];
    }
    w.partial[0] = rsqrt (squares);
  }
  __syncthreads ();
  const double scale = w.partial[0];
  for (unsigned i = threadIdx.x; i < w.n; i += WARPS * WARP)
    w.u[i] = w.diagonal[i] * scale;
  __syncthreads ();
}

/** X v, unsigned: by patch that is the vector times the singular value. */
template <int WARPS>
__device__ inline void
make_map (const CardiacEigencam &e, const Work &w, const float *p,
    const double *mean, double singular, double *map)
{
  if (e.channels >= e.patches) {
    for (unsigned i = threadIdx.x; i < e.patches; i += WARPS * WARP)
      map[i] = singular * w.u[i];
  } else {
    for (unsigned i = threadIdx.x / WARP; i < e.patches; i += WARPS) {
      double sum = 0;
      for (unsigned c = threadIdx.x % WARP; c < e.channels; c += WARP)
        sum += w.u[c] * ((double) p[(size_t) i * e.channels + c] - mean[c]);
      sum = warp_sum (sum);
      if (threadIdx.x % WARP == 0)
        map[i] = sum;
    }
  }
  __syncthreads ();
}

/** +1 or -1: the map goes along with the mixed map, or where they have nothing
 * to do with one another, its extreme is positive. */
template <int WARPS>
__device__ inline double
sign_of (const double *map, const float *mixed, unsigned n)
{
  double map_mean = 0, mixed_mean = 0, product = 0;
  for (unsigned i = threadIdx.x; i < n; i += WARPS * WARP) {
    map_mean += map[i];
    mixed_mean += (double) mixed[i];
  }
  map_mean = block_sum<WARPS> (map_mean) / n;
  mixed_mean = block_sum<WARPS> (mixed_mean) / n;
  for (unsigned i = threadIdx.x; i < n; i += WARPS * WARP)
    product += (map[i] - map_mean) * ((double) mixed[i] - mixed_mean);
  product = block_sum<WARPS> (product);
  if (product == 0) {
    double extreme = 0;
    for (unsigned i = 0; i < n; i++)
      if (fabs (map[i]) > fabs (extreme))
        extreme = map[i];
    product = extreme;
  }
  return product < 0 ? -1 : 1;
}

template <int WARPS>
__global__ void
__launch_bounds__ (WARPS *WARP, 1)
solve_kernel (CardiacEigencam e)
{
  const unsigned n = order_of (e);
  double *mean = e.scratch + blockIdx.x * frame_scratch (e);
  double *map = mean + e.channels, *g = map + e.patches;
  double *shared = (double *) dynamic_shared ();
  const Work w = { n, g, shared, shared + n, shared + 2 * n, shared + 3 * n,
    shared + 4 * n };
  const float *p = e.p + (size_t) blockIdx.x * e.patches * e.channels;
  float *y = e.y + (size_t) blockIdx.x * (e.patches + 1);
  double values[2];

  tridiagonalise<WARPS> (w);
  const double bound = normalise<WARPS> (w);
  eigenvalues<WARPS> (w, values);
  eigenvector<WARPS> (w, values[0]);
  if (threadIdx.x < WARP)
    reflect_back<WARPS> (w);
  __syncthreads ();

  const double first = sqrt (fmax (values[0] * bound, 0.0));
  const double second = sqrt (fmax (values[1] * bound, 0.0));
  make_map<WARPS> (e, w, p, mean, first, map);
  const double sign = sign_of<WARPS> (
      map, e.mixed + (size_t) blockIdx.x * e.patches, e.patches);
  for (unsigned i = threadIdx.x; i < e.patches; i += WARPS * WARP)
    y[i] = (float) (sign * map[i]);
  if (threadIdx.x == 0) /* nothing varies: a tie */
    y[e.patches] = first > 0 ? (float) (second / first) : 1;
}

} // namespace

size_t
cardiac_cuda_eigencam_scratch (
    int64_t frames, int64_t patches, int64_t channels)
{
  CardiacEigencam e = {};
  e.patches = (unsigned) patches;
  e.channels = (unsigned) channels;
  return (size_t) frames * frame_scratch (e) * sizeof (double);
}

cudaError_t
cardiac_cuda_eigencam (const CardiacEigencam *e, cudaStream_t stream)
{
  const unsigned order = order_of (*e), tiles = parts (order, TILE);
  const unsigned warps = warps_for (order);
  cudaError_t status =
      launch (mean_kernel, dim3 (parts (e->channels, EACH_THREADS), e->frames),
          EACH_THREADS, 0, stream, *e);
  if (status == cudaSuccess)
    status = launch (square_kernel, dim3 (tiles * tiles, e->frames),
        SQUARE_THREADS, 0, stream, *e, tiles);
  if (status == cudaSuccess)
    status = launch (warps == HELD_WARPS ? solve_kernel<HELD_WARPS>
                                         : solve_kernel<STORED_WARPS>,
        dim3 (e->frames), warps * WARP, work_bytes (order), stream, *e);
  return status;
}
