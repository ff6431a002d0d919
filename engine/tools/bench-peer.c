/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "bench-peer.h"

#include "backends/cpu/cpu.h"
#include "core/error.h"

#include <omp.h>
#include <stdlib.h>
#include <string.h>

/* oneDNN runs on `threads` OpenMP threads here, one call after the other; the
 * loops between its calls are OpenMP loops. */

typedef struct Call {
  CpuPrimitive *primitive;
  CpuConstants *constants;
  void *src, *weights, *dst; ///< `weights` without constants
} Call;

enum { NORM_1, QKV, LOGITS, MIX, PROJECTION, NORM_2, FC1, FC2, STAGES };

struct BenchPeer {
  CpuLibrary *library;
  const CpuVector *vector;
  int threads;
  double flop;
  CardiacDType dtype;
  void *scratch;
  size_t scratch_bytes;

  Call *calls; ///< convolutions; an encoder's, by stage
  int count;
  void **memory; ///< to free
  int memories;

  BenchEncoder encoder; ///< layers 0: convolutions
  float *x, *norm;
  void *rows, *qkv, *q, *k, *v, *weights, *mixed, *hidden;
  float *logits;
};

/* ---- memory ------------------------------------------------------------------------ */

static void *
allocate (BenchPeer *peer, size_t bytes)
{
  void **grown =
      realloc (peer->memory, (size_t) (peer->memories + 1) * sizeof *grown);
  void *memory = NULL;
  if (!grown)
    return NULL;
  peer->memory = grown;
  if (posix_memalign (&memory, 64, bytes ? bytes : 64) != 0)
    return NULL;
  memset (memory, 0, bytes);
  peer->memory[peer->memories++] = memory;
  return memory;
}

/** Small numbers of both signs. */
static float *
noise (BenchPeer *peer, int64_t count)
{
  float *values = allocate (peer, (size_t) count * sizeof *values);
  uint32_t state = 1;
  for (int64_t i = 0; values && i < count; i++) {
    state = state * 1664525u + 1013904223u;
    values[i] = ((float) (state >> 16) / 65536.0f - 0.5f) * 0.05f;
  }
  return values;
}

/** The same in the peer's dtype. */
static void *
noise_input (BenchPeer *peer, int64_t count)
{
  float *values = noise (peer, count);
  void *input = allocate (peer, (size_t) count * cpu_size (peer->dtype));
  if (values && input)
    peer->vector->convert (input, peer->dtype, values, CARDIAC_F32, count);
  return input;
}

static BenchPeer *
peer_new (CardiacDType dtype, int threads, int calls, CardiacError **error)
{
  BenchPeer *peer = calloc (1, sizeof *peer);
  if (!peer)
    return NULL;
  peer->library = cpu_library_new (error);
  peer->calls = calloc ((size_t) calls, sizeof *peer->calls);
  peer->count = calls;
  peer->threads = threads;
  peer->dtype = dtype;
  peer->vector = cpu_choose_vector ();
  omp_set_num_threads (threads);
  if (peer->library && peer->calls)
    return peer;
  bench_peer_free (peer);
  return NULL;
}

void
bench_peer_free (BenchPeer *peer)
{
  if (!peer)
    return;
  for (int i = 0; peer->calls && i < peer->count; i++) {
    cpu_primitive_free (peer->calls[i].primitive);
    cpu_constants_free (peer->calls[i].constants);
  }
  for (int i = 0; i < peer->memories; i++)
    free (peer->memory[i]);
  free (peer->memory);
  free (peer->calls);
  cpu_library_free (peer->library);
  free (peer);
}

double
bench_peer_flop (const BenchPeer *peer)
{
  return peer->flop;
}

static bool
add_scratch (BenchPeer *peer)
{
  for (int i = 0; i < peer->count; i++)
    if (peer->calls[i].primitive) {
      size_t bytes = cpu_primitive_scratch (peer->calls[i].primitive);
      if (bytes > peer->scratch_bytes)
        peer->scratch_bytes = bytes;
    }
  peer->scratch = allocate (peer, peer->scratch_bytes);
  return peer->scratch != NULL;
}

static void
run_call (const BenchPeer *peer, const Call *call)
{
  if (call->constants)
    cpu_primitive_run (
        call->primitive, call->src, call->constants, call->dst, peer->scratch);
  else
    cpu_primitive_run_with (
        call->primitive, call->src, call->weights, call->dst, peer->scratch);
}

/* ---- encoder ------------------------------------------------------------------------ */

static bool
add_linear (BenchPeer *peer, int stage, int64_t m, int64_t k, int64_t n,
    CardiacDType stored, CpuEpilogue epilogue, void *src, void *dst,
    CardiacError **error)
{
  Call *call = &peer->calls[stage];
  CpuArray x = cpu_matrix (peer->dtype, m, k, k);
  CpuArray w = { peer->dtype, 2, { k, n }, { 0 } };
  CpuArray y = cpu_matrix (stored, m, n, n);
  CpuArray plain = cpu_matrix (CARDIAC_F32, k, n, n);
  epilogue.bias = true;
  *call = (Call){ .src = src, .dst = dst };
  call->primitive =
      cpu_matmul_new (peer->library, &x, &w, &y, &epilogue, NULL, error);
  if (!call->primitive)
    return false;
  call->constants = cpu_constants_new (
      call->primitive, &plain, noise (peer, k * n), noise (peer, n), error);
  peer->flop += 2.0 * (double) m * (double) k * (double) n;
  return call->constants != NULL;
}

static bool
add_product (BenchPeer *peer, int stage, CpuArray x, CpuArray w, CpuArray y,
    void *src, void *weights, void *dst, CardiacError **error)
{
  const CpuEpilogue none = { 0 };
  peer->calls[stage] = (Call){
    .primitive = cpu_matmul_new (peer->library, &x, &w, &y, &none, NULL, error),
    .src = src,
    .weights = weights,
    .dst = dst,
  };
  peer->flop += 2.0 * (double) x.shape[0] * (double) x.shape[1]
                * (double) x.shape[2] * (double) w.shape[2];
  return peer->calls[stage].primitive != NULL;
}

static bool
add_attention (BenchPeer *peer, CardiacError **error)
{
  const BenchEncoder *s = &peer->encoder;
  const int64_t batch = (int64_t) s->frames * s->heads, t = s->tokens;
  const int64_t d = s->width / s->heads;
  CpuArray rows = cpu_batch (cpu_matrix (peer->dtype, t, d, d), batch, t * d);
  CpuArray keys = cpu_batch (
      cpu_transposed (cpu_matrix (peer->dtype, t, d, d)), batch, t * d);
  CpuArray square = cpu_batch (cpu_matrix (peer->dtype, t, t, t), batch, t * t);
  CpuArray logits = square;
  logits.dtype = CARDIAC_F32;
  return add_product (peer, LOGITS, rows, keys, logits, peer->q, peer->k,
             peer->logits, error)
         && add_product (peer, MIX, square, rows, rows, peer->weights, peer->v,
             peer->mixed, error);
}

static bool
allocate_encoder (BenchPeer *peer)
{
  const BenchEncoder *s = &peer->encoder;
  const int64_t m = (int64_t) s->frames * s->tokens;
  const size_t size = cpu_size (peer->dtype);
  const size_t row = (size_t) (m * s->width);
  const size_t square =
      (size_t) ((int64_t) s->frames * s->heads * s->tokens * s->tokens);
  peer->x = noise (peer, m * s->width);
  peer->norm = noise (peer, s->width);
  peer->rows = allocate (peer, row * size);
  peer->qkv = allocate (peer, 3 * row * size);
  peer->q = allocate (peer, row * size);
  peer->k = allocate (peer, row * size);
  peer->v = allocate (peer, row * size);
  peer->mixed = allocate (peer, row * size);
  peer->hidden = allocate (peer, (size_t) (m * s->hidden) * size);
  peer->logits = allocate (peer, square * 4);
  peer->weights = peer->dtype == CARDIAC_F32 ? (void *) peer->logits
                                             : allocate (peer, square * size);
  return peer->x && peer->norm && peer->rows && peer->qkv && peer->q && peer->k
         && peer->v && peer->mixed && peer->hidden && peer->logits
         && peer->weights;
}

BenchPeer *
bench_peer_encoder (const BenchEncoder *shape, CardiacDType dtype, int threads,
    CardiacError **error)
{
  BenchPeer *peer = peer_new (dtype, threads, STAGES, error);
  if (!peer)
    return NULL;
  peer->encoder = *shape;
  const int64_t m = (int64_t) shape->frames * shape->tokens;
  const int64_t d = shape->width, f = shape->hidden;
  const CpuEpilogue plain = { 0 }, onto = { .accumulate = true },
                    gelu = { .activation = CARDIAC_ACTIVATION_QUICK_GELU };
  if (allocate_encoder (peer) && add_attention (peer, error)
      && add_linear (
          peer, QKV, m, d, 3 * d, dtype, plain, peer->rows, peer->qkv, error)
      && add_linear (peer, PROJECTION, m, d, d, CARDIAC_F32, onto, peer->rows,
          peer->x, error)
      && add_linear (
          peer, FC1, m, d, f, dtype, gelu, peer->rows, peer->hidden, error)
      && add_linear (
          peer, FC2, m, f, d, CARDIAC_F32, onto, peer->hidden, peer->x, error)
      && add_scratch (peer)) {
    peer->flop *= shape->layers;
    return peer;
  }
  bench_peer_free (peer);
  return NULL;
}

static void
norm_rows (BenchPeer *peer)
{
  const int64_t m = (int64_t) peer->encoder.frames * peer->encoder.tokens;
  const int64_t d = peer->encoder.width;
#pragma omp parallel for num_threads(peer->threads)
  for (int64_t row = 0; row < m; row++)
    peer->vector->layer_norm (peer->x + row * d, CARDIAC_F32, peer->norm,
        peer->norm, 1e-5f, cpu_at (peer->rows, peer->dtype, row * d),
        peer->dtype, 1, d);
}

/** qkv [frames,tokens,3,heads,d] to three of [frames,heads,tokens,d]. */
static void
split_heads (BenchPeer *peer)
{
  const BenchEncoder *s = &peer->encoder;
  const int64_t m = (int64_t) s->frames * s->tokens;
  const int64_t d = s->width / s->heads;
  void *const parts[3] = { peer->q, peer->k, peer->v };
#pragma omp parallel for num_threads(peer->threads)
  for (int64_t row = 0; row < m; row++)
    for (int part = 0; part < 3; part++)
      for (int head = 0; head < s->heads; head++) {
        const int64_t frame = row / s->tokens, token = row % s->tokens;
        memcpy (cpu_at (parts[part], peer->dtype,
                    ((frame * s->heads + head) * s->tokens + token) * d),
            cpu_at (peer->qkv, peer->dtype,
                ((row * 3 + part) * s->heads + head) * d),
            (size_t) d * cpu_size (peer->dtype));
      }
}

static void
softmax_rows (BenchPeer *peer)
{
  const BenchEncoder *s = &peer->encoder;
  const int64_t rows = (int64_t) s->frames * s->heads * s->tokens;
  const int64_t t = s->tokens;
#pragma omp parallel for num_threads(peer->threads)
  for (int64_t row = 0; row < rows; row++) {
    float *logits = peer->logits + row * t, sum;
    peer->vector->exponentials (
        logits, 0.125f, logits, CARDIAC_F32, &sum, 1, t);
    peer->vector->scale (logits, 1.0f / sum,
        cpu_at (peer->weights, peer->dtype, row * t), peer->dtype, t);
  }
}

static void
merge_heads (BenchPeer *peer)
{
  const BenchEncoder *s = &peer->encoder;
  const int64_t m = (int64_t) s->frames * s->tokens;
  const int64_t d = s->width / s->heads;
#pragma omp parallel for num_threads(peer->threads)
  for (int64_t row = 0; row < m; row++)
    for (int head = 0; head < s->heads; head++) {
      const int64_t frame = row / s->tokens, token = row % s->tokens;
      memcpy (cpu_at (peer->rows, peer->dtype, (row * s->heads + head) * d),
          cpu_at (peer->mixed, peer->dtype,
              ((frame * s->heads + head) * s->tokens + token) * d),
          (size_t) d * cpu_size (peer->dtype));
    }
}

static void
run_layer (BenchPeer *peer)
{
  norm_rows (peer);
  run_call (peer, &peer->calls[QKV]);
  split_heads (peer);
  run_call (peer, &peer->calls[LOGITS]);
  softmax_rows (peer);
  run_call (peer, &peer->calls[MIX]);
  merge_heads (peer);
  run_call (peer, &peer->calls[PROJECTION]);
  norm_rows (peer);
  run_call (peer, &peer->calls[FC1]);
  run_call (peer, &peer->calls[FC2]);
}

/* ---- convolutions -------------------------------------------------------------------- */

static bool
add_convolution (
    BenchPeer *peer, Call *call, const CardiacOp *op, CardiacError **error)
{
  const CardiacTensor *x = &op->in[0], *y = &op->out;
  const int64_t *w = op->in[1].shape;
  const int padding = op->conv.padding, stride = op->conv.stride;
  CpuArray from = cpu_channels_last (
      peer->dtype, x->shape[0], x->shape[1], x->shape[2], x->shape[3]);
  CpuArray to = cpu_channels_last (
      y->dtype, y->shape[0], y->shape[1], y->shape[2], y->shape[3]);
  CpuArray any = { peer->dtype, 4, { w[0], w[1], w[2], w[3] }, { 0 } };
  CpuArray plain = { CARDIAC_F32, 4, { w[0], w[1], w[2], w[3] },
    { w[1] * w[2] * w[3], w[2] * w[3], w[3], 1 } };
  CpuWindow window = {
    .stride = stride,
    .top = padding,
    .left = padding,
    .bottom = (int) ((y->shape[1] - 1) * stride + w[2] - padding - x->shape[1]),
    .right = (int) ((y->shape[2] - 1) * stride + w[3] - padding - x->shape[2]),
  };
  CpuEpilogue epilogue = { .bias = true, .activation = op->conv.activation };
  call->primitive = cpu_convolution_new (
      peer->library, &from, &any, &to, &window, &epilogue, NULL, error);
  if (!call->primitive)
    return false;
  call->constants = cpu_constants_new (call->primitive, &plain,
      noise (peer, w[0] * w[1] * w[2] * w[3]), noise (peer, w[0]), error);
  call->src = noise_input (peer, cardiac_tensor_count (x));
  call->dst =
      allocate (peer, (size_t) cardiac_tensor_count (y) * cpu_size (y->dtype));
  peer->flop +=
      2.0 * (double) cardiac_tensor_count (y) * (double) (w[1] * w[2] * w[3]);
  return call->constants && call->src && call->dst;
}

BenchPeer *
bench_peer_convolutions (const CardiacProgram *program, CardiacDType dtype,
    int threads, CardiacError **error)
{
  const int steps = cardiac_program_steps (program);
  BenchPeer *peer = peer_new (dtype, threads, steps, error);
  if (!peer)
    return NULL;
  int count = 0;
  for (int i = 0; i < steps; i++) {
    const CardiacOp *op = cardiac_program_step (program, i).op;
    if (op->kind != CARDIAC_OP_CONV2D)
      continue;
    if (!add_convolution (peer, &peer->calls[count++], op, error)) {
      bench_peer_free (peer);
      return NULL;
    }
  }
  peer->count = count;
  if (add_scratch (peer))
    return peer;
  bench_peer_free (peer);
  return NULL;
}

void
bench_peer_run (BenchPeer *peer)
{
  omp_set_num_threads (peer->threads);
  if (!peer->encoder.layers)
    for (int i = 0; i < peer->count; i++)
      run_call (peer, &peer->calls[i]);
  for (int layer = 0; layer < peer->encoder.layers; layer++)
    run_layer (peer);
}
