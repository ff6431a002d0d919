/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "element.h"
#include "kernels.h"
#include "launch.h"
#include "reduce.h"
#include "tensor-core.h"

/* softmax (q kᵀ scale) v a head, without the logits ever leaving the chip
 * (Dao et al. 2022, with the running maximum of Milakov & Gimelshein 2018): keys
 * come by tiles; a row of queries keeps its largest logit m so far, the sum l of
 * exp (logit - m) and the sum of exp (logit - m) v, and scales both sums down
 * when m grows.
 *
 * Three kernels: on tensor cores for BF16 and F16, on plain ones for F32, both
 * for heads of up to 128 channels; and a slow one for wider heads. */

namespace {

enum { MOST_CHANNELS = 128 };

/** Exponentials are powers of 2: scale has a factor log2 (e). */
constexpr float LOG2_E = 1.4426950408889634f;

/** Where head `head` of picture `b` begins in an array [B,T,width]. */
__device__ inline size_t
head_start (unsigned b, int rows, int width, int offset, unsigned head, int d)
{
  return (size_t) b * rows * width + offset + head * d;
}

/* ---- tensor cores ------------------------------------------------------- */

enum { TILE_ROWS = 16 }; ///< queries of a warp
enum { LEAST_WARPS = 4, MOST_WARPS = 8, TENSOR_THREADS = MOST_WARPS * WARP };

/** Keys of a tile: K and V twice in at most 48 KiB. */
template <int D> constexpr int tile_keys = D > 64 ? 32 : 64;

/** Numbers from row to row in shared memory. 16 bytes more than a row, so that
 * ldmatrix finds its eight rows in different banks. */
template <int D> constexpr int tile_stride = D + 8;

template <typename T, int D> struct Tile {
  T at[tile_keys<D>][tile_stride<D>];
};

/** K and V, one in use and one under way. */
template <typename T, int D> struct Tiles {
  Tile<T, D> k[2], v[2];
};

/** Begins to load rows first .. of x [rows,width] (one head's channels); what
 * is beyond rows or head_dim becomes 0. */
template <typename T, int D>
__device__ inline void
load_tile (Tile<T, D> *tile, const T *x, int first, int rows, int width,
    int head_dim, bool wide)
{
  constexpr int STEP = 8, CHUNKS = D / STEP;
  for (int i = threadIdx.x; i < tile_keys<D> * CHUNKS; i += blockDim.x) {
    const int row = i / CHUNKS, column = i % CHUNKS * STEP;
    const T *from = x + (size_t) (first + row) * width + column;
    T *to = &tile->at[row][column];
    const bool inside = first + row < rows;
    if (inside && wide && column < head_dim)
      copy_async (to, from);
    else if (wide)
      *(uint4 *) to = make_uint4 (0, 0, 0, 0);
    else
      for (int j = 0; j < STEP; j++)
        if (inside && column + j < head_dim)
          to[j] = from[j];
        else
          narrow (0, &to[j]);
  }
}

/** Two neighbours in a register. */
template <typename T>
__device__ inline unsigned
load_pair (const T *x, int column, int head_dim, bool wide)
{
  if (wide)
    return column < head_dim ? pair_bits (*(const Pack<T, 2> *) (x + column))
                             : 0;
  return pack_pair (column < head_dim ? widen (x[column]) : 0,
      column + 1 < head_dim ? widen (x[column + 1]) : 0, (T *) nullptr);
}

template <typename T>
__device__ inline void
store_pair (T *y, int column, int head_dim, float low, float high, bool wide)
{
  const float pair[2] = { low, high };
  if (wide && column < head_dim) {
    store<2> (y + column, pair);
    return;
  }
  for (int i = 0; i < 2; i++)
    if (column + i < head_dim)
      narrow (pair[i], &y[column + i]);
}

/** The queries of a warp as A matrices, 16 channels each. */
template <typename T, int D>
__device__ inline void
load_queries (
    unsigned (&q)[D / 16][4], const CardiacAttention &a, int first, bool wide)
{
  const int lane = threadIdx.x % WARP;
  const T *x = (const T *) a.q
               + head_start (blockIdx.z, a.queries, a.q_width, a.q_offset,
                   blockIdx.y, a.head_dim);
#pragma unroll
  for (int c = 0; c < D / 16; c++)
#pragma unroll
    for (int i = 0; i < 4; i++) {
      const int row = first + lane / 4 + i % 2 * 8;
      const int column = 16 * c + lane % 4 * 2 + i / 2 * 8;
      q[c][i] = row < a.queries ? load_pair (
                    x + (size_t) row * a.q_width, column, a.head_dim, wide)
                                : 0;
    }
}

/** What a lane knows of its two rows of queries, 8 apart; `largest` before
 * scaling. */
template <int D> struct Rows {
  float largest[2], sum[2];
  float mixed[D / 8][4]; ///< D matrices, 8 channels each
};

/** s = q kᵀ, -inf past the `keys` keys that are left. */
template <typename T, int D>
__device__ inline void
logits (float (&s)[tile_keys<D> / 8][4], const unsigned (&q)[D / 16][4],
    const Tile<T, D> &k, int keys)
{
  const int lane = threadIdx.x % WARP;
#pragma unroll
  for (int n = 0; n < tile_keys<D> / 16; n++) {
#pragma unroll
    for (int i = 0; i < 8; i++)
      s[2 * n + i / 4][i % 4] = 0;
    if (16 * n < keys)
#pragma unroll
      for (int c = 0; c < D / 16; c++) {
        unsigned b[4]; /* 8 keys x 16 channels, then the next 8 keys */
        load_matrices (b, &k.at[16 * n + lane / 16 * 8 + lane % 8]
                               [16 * c + lane / 8 % 2 * 8]);
        multiply_add (s[2 * n], q[c], b[0], b[1], (T *) nullptr);
        multiply_add (s[2 * n + 1], q[c], b[2], b[3], (T *) nullptr);
      }
    if (16 * n + 16 > keys) /* the same for all */
#pragma unroll
      for (int i = 0; i < 8; i++)
        if (16 * n + i / 4 * 8 + lane % 4 * 2 + i % 2 >= keys)
          s[2 * n + i / 4][i % 4] = -INFINITY;
  }
}

/** s becomes exp ((s - m) scale), and what was summed up is made to fit: a
 * multiplication and addition in one, then a power of 2. */
template <int D>
__device__ inline void
exponentials (float (&s)[tile_keys<D> / 8][4], Rows<D> &rows, float scale)
{
#pragma unroll
  for (int r = 0; r < 2; r++) { /* s[n][2r], s[n][2r+1] */
    float largest = rows.largest[r];
#pragma unroll
    for (int n = 0; n < tile_keys<D> / 8; n++)
      largest = fmaxf (largest, fmaxf (s[n][2 * r], s[n][2 * r + 1]));
    largest = warp_max<4> (largest);
    const float shrink = fast_exp2 ((rows.largest[r] - largest) * scale);
    const float offset = -largest * scale;
    rows.largest[r] = largest;
    rows.sum[r] *= shrink;
#pragma unroll
    for (int n = 0; n < tile_keys<D> / 8; n++)
#pragma unroll
      for (int i = 2 * r; i < 2 * r + 2; i++) {
        s[n][i] = fast_exp2 (fmaf (s[n][i], scale, offset));
        rows.sum[r] += s[n][i];
      }
#pragma unroll
    for (int n = 0; n < D / 8; n++) {
      rows.mixed[n][2 * r] *= shrink;
      rows.mixed[n][2 * r + 1] *= shrink;
    }
  }
}

/** mixed += s v */
template <typename T, int D>
__device__ inline void
mix (Rows<D> &rows, const float (&s)[tile_keys<D> / 8][4], const Tile<T, D> &v,
    int keys)
{
  const int lane = threadIdx.x % WARP;
#pragma unroll
  for (int k = 0; k < tile_keys<D> / 16; k++) {
    if (16 * k >= keys)
      break;
    unsigned p[4]; /* two D matrices are an A matrix */
#pragma unroll
    for (int i = 0; i < 4; i++)
      p[i] = pack_pair (s[2 * k + i / 2][i % 2 * 2],
          s[2 * k + i / 2][i % 2 * 2 + 1], (T *) nullptr);
#pragma unroll
    for (int n = 0; n < D / 16; n++) {
      unsigned b[4]; /* 16 keys x 8 channels, then the next 8 channels */
      load_transposed (b, &v.at[16 * k + lane % 16][16 * n + lane / 16 * 8]);
      multiply_add (rows.mixed[2 * n], p, b[0], b[1], (T *) nullptr);
      multiply_add (rows.mixed[2 * n + 1], p, b[2], b[3], (T *) nullptr);
    }
  }
}

template <typename T, int D>
__device__ inline void
store_rows (
    const Rows<D> &rows, const CardiacAttention &a, int first, bool wide)
{
  const int lane = threadIdx.x % WARP;
#pragma unroll
  for (int r = 0; r < 2; r++) {
    const float share = 1 / warp_sum<4> (rows.sum[r]);
    const int row = first + lane / 4 + 8 * r;
    if (row >= a.queries)
      continue;
    T *y = (T *) a.y
           + (((size_t) blockIdx.z * a.queries + row) * a.heads + blockIdx.y)
                 * a.head_dim;
#pragma unroll
    for (int n = 0; n < D / 8; n++)
      store_pair (y, 8 * n + lane % 4 * 2, a.head_dim,
          rows.mixed[n][2 * r] * share, rows.mixed[n][2 * r + 1] * share, wide);
  }
}

/** 16 queries a warp of head blockIdx.y of picture blockIdx.z; D channels, those
 * past head_dim zero. `wide`: rows can be read 16 bytes at a time. */
template <typename T, int D>
__global__ void
__launch_bounds__ (TENSOR_THREADS)
tensor_kernel (CardiacAttention a, bool wide)
{
  constexpr int KEYS = tile_keys<D>;
  Tiles<T, D> *tiles = (Tiles<T, D> *) dynamic_shared ();
  const T *k = (const T *) a.k
               + head_start (blockIdx.z, a.keys, a.k_width, a.k_offset,
                   blockIdx.y, a.head_dim);
  const T *v = (const T *) a.v
               + head_start (blockIdx.z, a.keys, a.v_width, a.v_offset,
                   blockIdx.y, a.head_dim);
  const int first =
      (int) (blockIdx.x * blockDim.x / WARP + threadIdx.x / WARP) * TILE_ROWS;
  const int count = (a.keys + KEYS - 1) / KEYS;
  unsigned q[D / 16][4];
  Rows<D> rows = { { -INFINITY, -INFINITY }, { 0, 0 }, {} };

  load_tile<T, D> (&tiles->k[0], k, 0, a.keys, a.k_width, a.head_dim, wide);
  load_tile<T, D> (&tiles->v[0], v, 0, a.keys, a.v_width, a.head_dim, wide);
  copy_commit ();
  load_queries<T, D> (q, a, first, wide);

  for (int i = 0; i < count; i++) {
    if (i + 1 < count) {
      load_tile<T, D> (&tiles->k[(i + 1) % 2], k, (i + 1) * KEYS, a.keys,
          a.k_width, a.head_dim, wide);
      load_tile<T, D> (&tiles->v[(i + 1) % 2], v, (i + 1) * KEYS, a.keys,
          a.v_width, a.head_dim, wide);
      copy_commit ();
      copy_wait<1> ();
    } else {
      copy_wait<0> ();
    }
    __syncthreads (); /* tile i is there for all */
    if (first < a.queries) {
      float s[KEYS / 8][4];
      logits<T, D> (s, q, tiles->k[i % 2], a.keys - i * KEYS);
      exponentials<D> (s, rows, a.scale * LOG2_E);
      mix<T, D> (rows, s, tiles->v[i % 2], a.keys - i * KEYS);
    }
    __syncthreads (); /* nobody reads tile i any more */
  }
  if (first < a.queries)
    store_rows<T, D> (rows, a, first, wide);
}

template <typename T, int D>
cudaError_t
launch_tensor (const CardiacAttention &a, bool wide, cudaStream_t stream)
{
  /* As few blocks as 8 warps each allow, so that K and V are read least often;
   * few queries still get 4 warps, who load together. */
  const unsigned tiles = parts ((unsigned) a.queries, TILE_ROWS);
  const unsigned blocks = parts (tiles, MOST_WARPS);
  const unsigned warps = max (parts (tiles, blocks), (unsigned) LEAST_WARPS);
  return launch (tensor_kernel<T, D>,
      dim3 (blocks, (unsigned) a.heads, (unsigned) a.batch), warps * WARP,
      sizeof (Tiles<T, D>), stream, a, wide);
}

template <typename T>
cudaError_t
launch_tensor_by_width (
    const CardiacAttention &a, bool wide, cudaStream_t stream)
{
  return a.head_dim <= 32   ? launch_tensor<T, 32> (a, wide, stream)
         : a.head_dim <= 64 ? launch_tensor<T, 64> (a, wide, stream)
         : a.head_dim <= 96 ? launch_tensor<T, 96> (a, wide, stream)
                            : launch_tensor<T, 128> (a, wide, stream);
}

/* ---- F32 ---------------------------------------------------------------- */

/* 32 queries and 32 keys a tile; a thread has queries 2 ty, 2 ty + 1 and keys
 * tx, tx + 8, tx + 16, tx + 24, then channels 4 tx .. of each 32. */
enum {
  BLOCK = 32,
  FLOAT_THREADS = 128,
  ACROSS = 8,
  OWN_ROWS = 2,
  OWN_KEYS = 4
};

template <int D> struct alignas (16) FloatTiles
{
  float q[BLOCK][D + 4];
  float kv[BLOCK][D + 4];    ///< K, then V
  float p[BLOCK][BLOCK + 4]; ///< so that a warp stores to 32 banks
};

/** Rows first .. of x [rows,width]; 0 past rows and head_dim. */
template <int D>
__device__ inline void
load_floats (float (&tile)[BLOCK][D + 4], const float *x, int first, int rows,
    int width, int head_dim, bool wide)
{
  for (int i = threadIdx.x; i < BLOCK * D / 4; i += FLOAT_THREADS) {
    const int row = i / (D / 4), column = i % (D / 4) * 4;
    const float *from = x + (size_t) (first + row) * width + column;
    float numbers[4] = {};
    if (first + row < rows && wide && column < head_dim)
      load<4> (from, numbers);
    else
      for (int j = 0; j < 4; j++)
        if (first + row < rows && column + j < head_dim)
          numbers[j] = from[j];
    store<4> (&tile[row][column], numbers);
  }
}

/** s = q kᵀ scale, -inf past the `keys` keys that are left. */
template <int D>
__device__ inline void
float_logits (float (&s)[OWN_ROWS][OWN_KEYS], const FloatTiles<D> &tiles,
    int tx, int ty, int keys, float scale)
{
#pragma unroll
  for (int r = 0; r < OWN_ROWS; r++)
#pragma unroll
    for (int j = 0; j < OWN_KEYS; j++)
      s[r][j] = 0;
#pragma unroll 4
  for (int c = 0; c < D; c += 4) {
    float q[OWN_ROWS][4], k[4];
#pragma unroll
    for (int r = 0; r < OWN_ROWS; r++)
      load<4> (&tiles.q[OWN_ROWS * ty + r][c], q[r]);
#pragma unroll
    for (int j = 0; j < OWN_KEYS; j++) {
      load<4> (&tiles.kv[tx + ACROSS * j][c], k);
#pragma unroll
      for (int r = 0; r < OWN_ROWS; r++)
#pragma unroll
        for (int i = 0; i < 4; i++)
          s[r][j] += q[r][i] * k[i];
    }
  }
#pragma unroll
  for (int r = 0; r < OWN_ROWS; r++)
#pragma unroll
    for (int j = 0; j < OWN_KEYS; j++)
      s[r][j] = tx + ACROSS * j < keys ? s[r][j] * scale : -INFINITY;
}

/** y[first..first+3] = x share, those below head_dim. */
__device__ inline void
store_floats (float *y, int first, int head_dim, const float (&x)[4],
    float share, bool wide)
{
  const float four[4] = { x[0] * share, x[1] * share, x[2] * share,
    x[3] * share };
  if (wide && first < head_dim)
    store<4> (y + first, four);
  else
    for (int i = 0; i < 4; i++)
      if (first + i < head_dim)
        y[first + i] = four[i];
}

template <int D>
__global__ void
__launch_bounds__ (FLOAT_THREADS)
float_kernel (CardiacAttention a, bool wide)
{
  FloatTiles<D> &tiles = *(FloatTiles<D> *) dynamic_shared ();
  const float *q = (const float *) a.q
                   + head_start (blockIdx.z, a.queries, a.q_width, a.q_offset,
                       blockIdx.y, a.head_dim);
  const float *k = (const float *) a.k
                   + head_start (blockIdx.z, a.keys, a.k_width, a.k_offset,
                       blockIdx.y, a.head_dim);
  const float *v = (const float *) a.v
                   + head_start (blockIdx.z, a.keys, a.v_width, a.v_offset,
                       blockIdx.y, a.head_dim);
  const int tx = threadIdx.x % ACROSS, ty = threadIdx.x / ACROSS;
  const int first = (int) blockIdx.x * BLOCK;
  float largest[OWN_ROWS], sum[OWN_ROWS], mixed[OWN_ROWS][D / BLOCK][4] = {};
#pragma unroll
  for (int r = 0; r < OWN_ROWS; r++) {
    largest[r] = -INFINITY;
    sum[r] = 0;
  }

  load_floats<D> (tiles.q, q, first, a.queries, a.q_width, a.head_dim, wide);
  for (int start = 0; start < a.keys; start += BLOCK) {
    __syncthreads (); /* V of the tile before was used */
    load_floats<D> (tiles.kv, k, start, a.keys, a.k_width, a.head_dim, wide);
    __syncthreads ();
    float s[OWN_ROWS][OWN_KEYS];
    float_logits<D> (s, tiles, tx, ty, a.keys - start, a.scale * LOG2_E);
#pragma unroll
    for (int r = 0; r < OWN_ROWS; r++) {
      float now = largest[r];
#pragma unroll
      for (int j = 0; j < OWN_KEYS; j++)
        now = fmaxf (now, s[r][j]);
      now = warp_max<ACROSS> (now);
      const float shrink = fast_exp2 (largest[r] - now);
      largest[r] = now;
      sum[r] *= shrink;
#pragma unroll
      for (int j = 0; j < OWN_KEYS; j++) {
        const float p = fast_exp2 (s[r][j] - now);
        sum[r] += p;
        tiles.p[OWN_ROWS * ty + r][tx + ACROSS * j] = p;
      }
#pragma unroll
      for (int c = 0; c < D / BLOCK; c++)
#pragma unroll
        for (int i = 0; i < 4; i++)
          mixed[r][c][i] *= shrink;
    }
    __syncthreads (); /* K was used, P is there */
    load_floats<D> (tiles.kv, v, start, a.keys, a.v_width, a.head_dim, wide);
    __syncthreads ();
#pragma unroll 4
    for (int key = 0; key < BLOCK; key++)
#pragma unroll
      for (int c = 0; c < D / BLOCK; c++) {
        float numbers[4];
        load<4> (&tiles.kv[key][BLOCK * c + 4 * tx], numbers);
#pragma unroll
        for (int r = 0; r < OWN_ROWS; r++)
#pragma unroll
          for (int i = 0; i < 4; i++)
            mixed[r][c][i] += tiles.p[OWN_ROWS * ty + r][key] * numbers[i];
      }
  }

#pragma unroll
  for (int r = 0; r < OWN_ROWS; r++) {
    const float share = 1 / warp_sum<ACROSS> (sum[r]);
    const int row = first + OWN_ROWS * ty + r;
    if (row >= a.queries)
      continue;
    float *y =
        (float *) a.y
        + (((size_t) blockIdx.z * a.queries + row) * a.heads + blockIdx.y)
              * a.head_dim;
#pragma unroll
    for (int c = 0; c < D / BLOCK; c++)
      store_floats (
          y, BLOCK * c + 4 * tx, a.head_dim, mixed[r][c], share, wide);
  }
}

template <int D>
cudaError_t
launch_float (const CardiacAttention &a, bool wide, cudaStream_t stream)
{
  return launch (float_kernel<D>,
      dim3 (parts ((unsigned) a.queries, BLOCK), (unsigned) a.heads,
          (unsigned) a.batch),
      FLOAT_THREADS, sizeof (FloatTiles<D>), stream, a, wide);
}

cudaError_t
launch_float_by_width (
    const CardiacAttention &a, bool wide, cudaStream_t stream)
{
  return a.head_dim <= 32   ? launch_float<32> (a, wide, stream)
         : a.head_dim <= 64 ? launch_float<64> (a, wide, stream)
         : a.head_dim <= 96 ? launch_float<96> (a, wide, stream)
                            : launch_float<128> (a, wide, stream);
}

/* ---- wide heads --------------------------------------------------------- */

/** One query a block, its logits in shared memory [keys]. */
__global__ void
__launch_bounds__ (FLOAT_THREADS)
wide_kernel (CardiacAttention a)
{
  constexpr int WARPS = FLOAT_THREADS / WARP;
  float *weight = (float *) dynamic_shared ();
  const int d = a.head_dim;
  const unsigned q = (blockIdx.z * a.queries + blockIdx.x) * a.q_width
                     + a.q_offset + blockIdx.y * d;
  const unsigned k =
      blockIdx.z * a.keys * a.k_width + a.k_offset + blockIdx.y * d;
  const unsigned v =
      blockIdx.z * a.keys * a.v_width + a.v_offset + blockIdx.y * d;
  const Array q_array = { (void *) a.q, a.dtype };
  const Array k_array = { (void *) a.k, a.dtype };
  const Array v_array = { (void *) a.v, a.dtype };
  const Array y_array = { a.y, a.dtype };

  float largest = -INFINITY, sum = 0;
  for (int key = threadIdx.x / WARP; key < a.keys; key += WARPS) {
    float dot = 0;
    for (int c = threadIdx.x % WARP; c < d; c += WARP)
      dot += load (q_array, q + c) * load (k_array, k + key * a.k_width + c);
    dot = warp_sum (dot) * a.scale;
    largest = fmaxf (largest, dot);
    if (threadIdx.x % WARP == 0)
      weight[key] = dot;
  }
  largest = block_max<WARPS> (largest); /* and the weights are there */
  for (int key = threadIdx.x; key < a.keys; key += FLOAT_THREADS) {
    weight[key] = expf (weight[key] - largest);
    sum += weight[key];
  }
  const float share = 1 / block_sum<WARPS> (sum);
  for (int c = threadIdx.x; c < d; c += FLOAT_THREADS) {
    float mixed = 0;
    for (int key = 0; key < a.keys; key++)
      mixed += weight[key] * load (v_array, v + key * a.v_width + c);
    store (y_array,
        ((blockIdx.z * a.queries + blockIdx.x) * a.heads + blockIdx.y) * d + c,
        mixed * share);
  }
}

} // namespace

cudaError_t
cardiac_cuda_attention (const CardiacAttention *a, cudaStream_t stream)
{
  if (a->head_dim > MOST_CHANNELS)
    return launch (wide_kernel,
        dim3 ((unsigned) a->queries, (unsigned) a->heads, (unsigned) a->batch),
        FLOAT_THREADS, (size_t) a->keys * sizeof (float), stream, *a);
  const int parts_of_rows = a->q_width | a->k_width | a->v_width | a->q_offset
                            | a->k_offset | a->v_offset | a->head_dim;
  const bool wide = parts_of_rows % 8 == 0 && is_aligned (a->q)
                    && is_aligned (a->k) && is_aligned (a->v)
                    && is_aligned (a->y);
  if (a->dtype == CARDIAC_BF16)
    return launch_tensor_by_width<__nv_bfloat16> (*a, wide, stream);
  if (a->dtype == CARDIAC_F16)
    return launch_tensor_by_width<__half> (*a, wide, stream);
  return launch_float_by_width (*a, wide, stream);
}
