/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "checkop.h"
#include "backends/reference/storage.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

/* ---- random numbers ------------------------------------------------------ */

/** splitmix64: small, and good enough for shapes and weights. */
static uint64_t
random_bits (uint64_t *state)
{
  uint64_t z = *state += 0x9e3779b97f4a7c15u;
  z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
  z = (z ^ z >> 27) * 0x94d049bb133111ebu;
  return z ^ z >> 31;
}

/** low .. high, both included. */
static int
random_int (uint64_t *state, int low, int high)
{
  return low + (int) (random_bits (state) % (uint64_t) (high - low + 1));
}

/** One of a list. */
#define RANDOM_OF(state, ...)                                                  \
  (((const int[]){ __VA_ARGS__ })[random_int (state, 0,                        \
      (int) (sizeof ((const int[]){ __VA_ARGS__ }) / sizeof (int)) - 1)])

/** N(0,1) (Box-Muller). */
static double
random_normal (uint64_t *state)
{
  double u = ((double) (random_bits (state) >> 11) + 1) * 0x1p-53;
  double v = (double) (random_bits (state) >> 11) * 0x1p-53;
  return sqrt (-2 * log (u)) * cos (6.283185307179586 * v);
}

/* ---- tensors ------------------------------------------------------------- */

size_t
check_tensor_count (const CardiacTensor *tensor)
{
  size_t count = 1;
  for (int i = 0; i < tensor->rank; i++)
    count *= (size_t) tensor->shape[i];
  return count;
}

size_t
check_tensor_bytes (const CardiacTensor *tensor)
{
  return check_tensor_count (tensor) * cardiac_storage_size (tensor->dtype);
}

double
check_load (const void *data, CardiacDType dtype, size_t i)
{
  return cardiac_load (data, dtype, (int64_t) i);
}

static void
set_tensor (
    CardiacTensor *tensor, CardiacDType dtype, int rank, const int64_t *shape)
{
  *tensor = (CardiacTensor){ .dtype = dtype, .rank = rank };
  for (int i = 0; i < rank; i++)
    tensor->shape[i] = shape[i];
}

#define SHAPE(...)                                                             \
  (int) (sizeof ((int64_t[]){ __VA_ARGS__ }) / sizeof (int64_t)), (int64_t[])  \
  {                                                                            \
    __VA_ARGS__                                                                \
  }

static CheckCase *
add (CheckCases *cases, CardiacOpKind kind)
{
  if (cases->count == cases->capacity) {
    cases->capacity = cases->capacity ? 2 * cases->capacity : 64;
    cases->items =
        realloc (cases->items, (size_t) cases->capacity * sizeof *cases->items);
    if (!cases->items)
      abort ();
  }
  CheckCase *it = &cases->items[cases->count++];
  *it = (CheckCase){ .op.kind = kind, .alias = -1 };
  for (int i = 0; i < CARDIAC_OP_MAX_INPUTS; i++)
    it->fill[i].scale = 1;
  return it;
}

void
check_cases_clear (CheckCases *cases)
{
  free (cases->items);
  *cases = (CheckCases){ 0 };
}

static void
add_input (CheckCase *it, CardiacDType dtype, int rank, const int64_t *shape)
{
  set_tensor (&it->op.in[it->op.inputs++], dtype, rank, shape);
}

/** Weights, filled with scale * N(0,1) + offset. */
static void
add_constant (
    CheckCase *it, float scale, float offset, int rank, const int64_t *shape)
{
  int i = it->op.inputs;
  add_input (it, CARDIAC_F32, rank, shape);
  it->op.constant[i] = true;
  it->fill[i].scale = scale;
  it->fill[i].offset = offset;
}

static void
add_absent (CheckCase *it)
{
  it->op.in[it->op.inputs++] = (CardiacTensor){ 0 };
}

static void
set_output (CheckCase *it, CardiacDType dtype, int rank, const int64_t *shape)
{
  set_tensor (&it->op.out, dtype, rank, shape);
}

/** Two directions that stand out of the noise of p, the first of them also in
 * the mixed map: vectors, their sign and the ratio then hang by no thread. */
static void
add_directions (const CheckCase *it, int i, float *data)
{
  int64_t n = it->op.in[0].shape[1], e = it->op.in[0].shape[2];
  int64_t count = (int64_t) check_tensor_count (&it->op.in[i]);
  for (int64_t j = 0; j < count; j++) {
    int64_t patch = (i == 0 ? j / e : j) % n, channel = j % e;
    double first = 3 * cos (0.37 * (double) (patch * patch % 61));
    double second = 2 * cos (0.9 + 0.23 * (double) (7 * patch % 53));
    if (i == 0) {
      first = channel & 1 ? -first : first;
      first += channel & 2 ? -second : second;
    }
    data[j] += (float) first;
  }
}

void *
check_case_fill (const CheckCase *it, int i, uint64_t seed)
{
  const CardiacTensor *tensor = &it->op.in[i];
  const CheckFill *fill = &it->fill[i];
  size_t count = check_tensor_count (tensor);
  void *data = malloc (check_tensor_bytes (tensor) + 1);
  uint64_t state = seed * 1000003 + (uint64_t) i;
  if (!data)
    abort ();
  for (size_t j = 0; j < count; j++) {
    double x = fill->offset + fill->scale * random_normal (&state);
    cardiac_store (data, tensor->dtype, (int64_t) j,
        (float) (fill->positive ? fabs (x) : x));
  }
  if (it->op.kind == CARDIAC_OP_EIGENCAM)
    add_directions (it, i, data);
  return data;
}

/* ---- cases, operator by operator ----------------------------------------- */

enum { WITH_BIAS = 1, WITH_RESIDUAL = 2, IN_PLACE = 4 };

typedef struct Linear {
  int m, k, n, flags, group;
  CardiacActivation activation;
  CardiacDType x, y;
} Linear;

static void
add_linear (CheckCases *cases, Linear l)
{
  CheckCase *it = add (cases, CARDIAC_OP_LINEAR);
  bool in_place = l.flags & IN_PLACE;
  add_input (it, l.x, SHAPE (l.m, l.k));
  add_constant (it, 1 / sqrtf ((float) l.k), 0, SHAPE (l.n, l.k));
  if (l.flags & WITH_BIAS)
    add_constant (it, 0.5f, 0, SHAPE (l.n));
  else
    add_absent (it);
  if (in_place || l.flags & WITH_RESIDUAL)
    add_input (it, CARDIAC_F32, SHAPE (l.m, l.n));
  set_output (it, in_place ? CARDIAC_F32 : l.y, SHAPE (l.m, l.n));
  it->alias = in_place ? 3 : -1;
  it->op.linear.activation = l.activation;
  it->op.linear.group = l.group;
  it->floor = 1;
  snprintf (it->label, sizeof it->label, "%dx%dx%d%s%s%s act %d group %d", l.m,
      l.k, l.n, l.flags & WITH_BIAS ? " bias" : "", in_place ? " onto" : "",
      l.flags & WITH_RESIDUAL ? " residual" : "", (int) l.activation, l.group);
}

static void
cases_linear (CheckCases *cases, CardiacDType A, uint64_t *state)
{
  const CardiacDType F32 = CARDIAC_F32;
  const Linear fixed[] = {
    { 1, 1, 1, 0, 0, 0, F32, F32 },
    { 1, 512, 1, WITH_BIAS, 1, 0, F32, F32 },
    { 1, 768, 130, WITH_BIAS, 0, CARDIAC_ACTIVATION_QUICK_GELU, A, A },
    { 16, 96, 96, WITH_BIAS | IN_PLACE, 16, 0, A, F32 },
    { 50, 64, 192, WITH_BIAS, 50, 0, A, A },
    { 197, 48, 64, WITH_BIAS, 197, CARDIAC_ACTIVATION_QUICK_GELU, A, A },
    { 50, 24, 33, WITH_BIAS, 0, CARDIAC_ACTIVATION_QUICK_GELU, A, F32 },
    { 66, 64, 72, WITH_BIAS, 0, CARDIAC_ACTIVATION_SILU, A, A },
    { 40, 32, 24, 0, 0, CARDIAC_ACTIVATION_LEAKY_RELU, A, F32 },
    { 396, 192, 48, WITH_BIAS | IN_PLACE, 198, 0, A, F32 },
    { 153, 96, 100, WITH_BIAS | WITH_RESIDUAL, 51, 0, A, F32 },
    { 98, 147, 64, 0, 49, 0, A, F32 },
    { 147, 3, 1, 0, 49, 0, F32, F32 },
    { 48, 512, 512, 0, 16, 0, F32, F32 },
    { 33, 31, 29, WITH_BIAS, 0, CARDIAC_ACTIVATION_SILU, F32, A },
    { 5, 17, 7, WITH_BIAS, 0, CARDIAC_ACTIVATION_LEAKY_RELU, A, F32 },
    { 3, 512, 2048, WITH_BIAS, 3, CARDIAC_ACTIVATION_QUICK_GELU, F32, F32 },
    { 3, 2048, 512, WITH_BIAS | WITH_RESIDUAL, 3, 0, F32, F32 },
    { 20, 3072, 32, WITH_BIAS | IN_PLACE, 0, 0, A, F32 },
  };
  for (size_t i = 0; i < sizeof fixed / sizeof *fixed; i++)
    add_linear (cases, fixed[i]);

  for (int i = 0; i < 12; i++) {
    int group = RANDOM_OF (state, 0, 0, 1, 7, 50);
    int rows = random_int (state, 1, 4) * (group ? group : 37);
    int flags = random_int (state, 0, 7);
    if (flags & IN_PLACE)
      flags &= ~WITH_RESIDUAL;
    add_linear (
        cases, (Linear){ rows, random_int (state, 1, 300),
                   random_int (state, 1, 200), flags, group,
                   random_int (state, 0, 3), random_int (state, 0, 1) ? A : F32,
                   random_int (state, 0, 1) ? A : F32 });
  }
}

static void
add_layer_norm (CheckCases *cases, int m, int d, CardiacDType x, CardiacDType y)
{
  CheckCase *it = add (cases, CARDIAC_OP_LAYER_NORM);
  add_input (it, x, SHAPE (m, d));
  it->fill[0] = (CheckFill){ 2, 3, false };
  add_constant (it, 0.3f, 1, SHAPE (d));
  add_constant (it, 0.3f, 0, SHAPE (d));
  set_output (it, y, SHAPE (m, d));
  it->op.norm.epsilon = 1e-5f;
  it->floor = 1;
  snprintf (it->label, sizeof it->label, "%dx%d", m, d);
}

static void
cases_layer_norm (CheckCases *cases, CardiacDType A, uint64_t *state)
{
  add_layer_norm (cases, 1, 768, CARDIAC_F32, A);
  add_layer_norm (cases, 197, 768, CARDIAC_F32, A);
  add_layer_norm (cases, 50, 96, A, CARDIAC_F32);
  add_layer_norm (cases, 7, 1, CARDIAC_F32, CARDIAC_F32);
  add_layer_norm (cases, 33, 513, A, A);
  for (int i = 0; i < 6; i++)
    add_layer_norm (cases, random_int (state, 1, 100),
        random_int (state, 2, 1100), random_int (state, 0, 1) ? A : CARDIAC_F32,
        random_int (state, 0, 1) ? A : CARDIAC_F32);
}

typedef struct Attention {
  int b, queries, keys, heads, head_dim;
  bool packed; ///< q, k and v side by side in one array
} Attention;

static void
add_attention (CheckCases *cases, Attention a, CardiacDType dtype)
{
  CheckCase *it = add (cases, CARDIAC_OP_ATTENTION);
  int width = a.heads * a.head_dim;
  /* q k packed as networks do it; else k and v in one array, q alone and with
   * something before it. */
  int q_width = a.packed ? 3 * width : width + 5;
  int kv_width = a.packed ? 3 * width : 2 * width + 3;
  add_input (it, dtype, SHAPE (a.b, a.queries, q_width));
  add_input (it, dtype, SHAPE (a.b, a.keys, kv_width));
  add_input (it, dtype, SHAPE (a.b, a.keys, kv_width));
  set_output (it, dtype, SHAPE (a.b, a.queries, width));
  it->op.attention.heads = a.heads;
  it->op.attention.head_dim = a.head_dim;
  it->op.attention.scale = 1 / sqrtf ((float) a.head_dim);
  it->op.attention.q_offset = a.packed ? 0 : 5;
  it->op.attention.k_offset = a.packed ? width : 0;
  it->op.attention.v_offset = a.packed ? 2 * width : width + 3;
  snprintf (it->label, sizeof it->label, "%dx%d on %d, %d heads of %d%s", a.b,
      a.queries, a.keys, a.heads, a.head_dim, a.packed ? " packed" : "");
}

static void
cases_attention (CheckCases *cases, CardiacDType A, uint64_t *state)
{
  const Attention fixed[] = {
    { 1, 1, 1, 1, 32, true },
    { 1, 16, 16, 8, 64, true },
    { 3, 198, 198, 2, 64, true },
    { 2, 51, 51, 3, 96, true },
    { 1, 3, 196, 8, 64, false },
    { 1, 3, 49, 2, 32, false },
    { 1, 257, 257, 1, 128, true },
    { 1, 2, 600, 1, 32, false },
    { 1, 600, 600, 1, 32, true },
    { 1, 600, 600, 1, 64, true },
    { 1, 300, 300, 1, 96, true },
    { 1, 70, 600, 1, 128, false },
    { 1, 40, 40, 2, 80, true },
    { 2, 10, 150, 1, 160, false },
    { 2, 8, 8, 4, 96, false },
    { 1, 50, 50, 12, 5, true },
    { 2, 40, 72, 2, 64, true },
  };
  for (size_t i = 0; i < sizeof fixed / sizeof *fixed; i++)
    add_attention (cases, fixed[i], A);
  for (int i = 0; i < 6; i++) {
    bool packed = random_int (state, 0, 1);
    int keys = RANDOM_OF (state, 1, 2, 15, 17, 33, 63, 130, 198);
    int queries = packed ? keys : random_int (state, 1, 70);
    add_attention (cases,
        (Attention){ random_int (state, 1, 3), queries, keys,
            random_int (state, 1, 4), RANDOM_OF (state, 32, 64, 96, 128),
            packed },
        A);
  }
}

static void
cases_matmul (CheckCases *cases, CardiacDType A, uint64_t *state)
{
  if (A != CARDIAC_F32)
    return;
  for (int i = 0; i < 8; i++) {
    int b = i == 0 ? 48 : random_int (state, 1, 5);
    int m = i == 0 ? 49 : random_int (state, 1, 200);
    int k = i == 0 ? 512 : random_int (state, 1, 300);
    int n = i == 0 ? 3 : random_int (state, 1, 70);
    CheckCase *it = add (cases, CARDIAC_OP_MATMUL);
    add_input (it, CARDIAC_F32, SHAPE (b, m, k));
    add_input (it, CARDIAC_F32, SHAPE (b, n, k));
    set_output (it, CARDIAC_F32, SHAPE (b, m, n));
    it->op.matmul.alpha = 1 / sqrtf ((float) k);
    it->floor = 1;
    snprintf (it->label, sizeof it->label, "%d of %dx%dx%d", b, m, k, n);
  }
}

typedef struct Conv {
  int b, h, w, ci, co, kernel, stride, flags;
  CardiacActivation activation;
  CardiacDType x, y;
} Conv;

static void
add_conv (CheckCases *cases, Conv c)
{
  CheckCase *it = add (cases, CARDIAC_OP_CONV2D);
  int padding = c.kernel == c.stride ? 0 : c.kernel / 2;
  int ho = (c.h + 2 * padding - c.kernel) / c.stride + 1;
  int wo = (c.w + 2 * padding - c.kernel) / c.stride + 1;
  add_input (it, c.x, SHAPE (c.b, c.h, c.w, c.ci));
  add_constant (it, 1 / sqrtf ((float) (c.ci * c.kernel * c.kernel)), 0,
      SHAPE (c.co, c.ci, c.kernel, c.kernel));
  if (c.flags & WITH_BIAS)
    add_constant (it, 0.5f, 0, SHAPE (c.co));
  else
    add_absent (it);
  if (c.flags & WITH_RESIDUAL)
    add_input (it, c.y, SHAPE (c.b, ho, wo, c.co));
  set_output (it, c.y, SHAPE (c.b, ho, wo, c.co));
  it->op.conv.stride = c.stride;
  it->op.conv.padding = padding;
  it->op.conv.activation = c.activation;
  it->floor = 1;
  snprintf (it->label, sizeof it->label,
      "%dx%dx%dx%d to %d, %dx%d s%d%s%s act %d", c.b, c.h, c.w, c.ci, c.co,
      c.kernel, c.kernel, c.stride, c.flags & WITH_BIAS ? " bias" : "",
      c.flags & WITH_RESIDUAL ? " residual" : "", (int) c.activation);
}

static void
cases_conv2d (CheckCases *cases, CardiacDType A, uint64_t *state)
{
  const CardiacActivation silu = CARDIAC_ACTIVATION_SILU;
  const Conv fixed[] = {
    { 1, 37, 43, 3, 16, 3, 2, WITH_BIAS, silu, A, A },
    { 1, 32, 64, 3, 16, 3, 2, WITH_BIAS, silu, CARDIAC_F32, A },
    { 2, 32, 32, 3, 24, 16, 16, 0, 0, A, A },
    { 1, 20, 20, 32, 32, 3, 1, WITH_BIAS | WITH_RESIDUAL, silu, A, A },
    { 1, 13, 17, 48, 64, 3, 2, WITH_BIAS, silu, A, A },
    { 1, 9, 11, 64, 80, 1, 1, WITH_BIAS, silu, A, A },
    { 1, 8, 8, 64, 1, 1, 1, WITH_BIAS, 0, A, CARDIAC_F32 },
    { 1, 8, 8, 64, 64, 1, 1, WITH_BIAS, 0, A, CARDIAC_F32 },
    { 1, 1, 1, 5, 3, 1, 1, 0, 0, A, A },
    { 1, 2, 2, 7, 5, 3, 1, WITH_BIAS, CARDIAC_ACTIVATION_LEAKY_RELU, A, A },
    { 3, 15, 14, 16, 16, 3, 1, 0, 0, A, A },
    { 1, 80, 6, 8, 16, 3, 1, WITH_BIAS, silu, A, A },
    { 1, 40, 40, 16, 32, 3, 2, WITH_BIAS, silu, A, A },
  };
  for (size_t i = 0; i < sizeof fixed / sizeof *fixed; i++)
    add_conv (cases, fixed[i]);
  for (int i = 0; i < 8; i++) {
    CardiacDType y = random_int (state, 0, 2) ? A : CARDIAC_F32;
    add_conv (cases,
        (Conv){ random_int (state, 1, 2), random_int (state, 3, 30),
            random_int (state, 3, 30), random_int (state, 1, 40),
            random_int (state, 1, 40), RANDOM_OF (state, 1, 3, 3),
            random_int (state, 1, 2), random_int (state, 0, 3),
            random_int (state, 0, 3), random_int (state, 0, 3) ? A : y, y });
  }
}

static void
add_pool (CheckCases *cases, int b, int h, int w, int c, int kernel, int stride,
    CardiacDType A)
{
  CheckCase *it = add (cases, CARDIAC_OP_MAX_POOL2D);
  int padding = kernel % 2 ? kernel / 2 : 0;
  add_input (it, A, SHAPE (b, h, w, c));
  it->fill[0].offset = -4; /* padding of zeros would win */
  set_output (it, A,
      SHAPE (b, (h + 2 * padding - kernel) / stride + 1,
          (w + 2 * padding - kernel) / stride + 1, c));
  it->op.pool.kernel = kernel;
  it->op.pool.stride = stride;
  it->op.pool.padding = padding;
  snprintf (it->label, sizeof it->label, "%dx%dx%dx%d, %d s%d", b, h, w, c,
      kernel, stride);
}

static void
add_avg_pool (CheckCases *cases, int b, int h, int w, int c, int kernel,
    int stride, CardiacDType x, CardiacDType y)
{
  add_pool (cases, b, h, w, c, kernel, stride, x);
  CheckCase *it = &cases->items[cases->count - 1];
  it->op.kind = CARDIAC_OP_AVG_POOL2D;
  it->op.out.dtype = y;
  it->floor = 1;
}

static void
cases_avg_pool2d (CheckCases *cases, CardiacDType A, uint64_t *state)
{
  add_avg_pool (cases, 16, 20, 8, 40, 3, 1, A, A);
  add_avg_pool (cases, 2, 6, 5, 7, 2, 2, A, CARDIAC_F32);
  add_avg_pool (cases, 1, 1, 1, 1, 3, 1, CARDIAC_F32, A);
  for (int i = 0; i < 4; i++)
    add_avg_pool (cases, random_int (state, 1, 2), random_int (state, 5, 20),
        random_int (state, 5, 20), random_int (state, 1, 40),
        random_int (state, 2, 5), random_int (state, 1, 2), CARDIAC_F32, A);
}

static void
cases_max_pool2d (CheckCases *cases, CardiacDType A, uint64_t *state)
{
  add_pool (cases, 1, 20, 20, 128, 5, 1, A);
  add_pool (cases, 1, 2, 3, 16, 5, 1, A);
  add_pool (cases, 2, 13, 15, 7, 2, 2, A);
  add_pool (cases, 1, 1, 1, 1, 3, 1, A);
  for (int i = 0; i < 4; i++)
    add_pool (cases, random_int (state, 1, 2), random_int (state, 5, 20),
        random_int (state, 5, 20), random_int (state, 1, 40),
        random_int (state, 2, 5), random_int (state, 1, 2), A);
}

static void
cases_upsample2x (CheckCases *cases, CardiacDType A, uint64_t *state)
{
  for (int i = 0; i < 10; i++) {
    int b = random_int (state, 1, 2), h = random_int (state, 1, 20);
    int w = random_int (state, 1, 20);
    int c = i == 5 ? 2 : random_int (state, 1, 70);
    bool bilinear = i >= 4;
    CardiacDType x = bilinear && i % 2 ? CARDIAC_F32 : A;
    CheckCase *it = add (cases, CARDIAC_OP_UPSAMPLE2X);
    add_input (it, x, SHAPE (b, h, w, c));
    set_output (it, A, SHAPE (b, 2 * h, 2 * w, c));
    it->op.upsample.bilinear = bilinear;
    it->op.upsample.scale = bilinear ? 2 : 0;
    it->floor = bilinear ? 1 : 0;
    snprintf (it->label, sizeof it->label, "%dx%dx%dx%d %s", b, h, w, c,
        bilinear ? "bilinear" : "nearest");
  }
}

static void
cases_concat (CheckCases *cases, CardiacDType A, uint64_t *state)
{
  for (int i = 0; i < 5; i++) {
    int count = i == 0 ? CARDIAC_OP_MAX_INPUTS : random_int (state, 1, 5);
    int h = random_int (state, 1, 12), w = random_int (state, 1, 30), sum = 0;
    CheckCase *it = add (cases, CARDIAC_OP_CONCAT);
    for (int j = 0; j < count; j++) {
      int c = random_int (state, 1, 40);
      bool other = i >= 3 && random_int (state, 0, 1);
      add_input (it, other ? CARDIAC_F32 : A, SHAPE (1, h, w, c));
      sum += c;
    }
    set_output (it, A, SHAPE (1, h, w, sum));
    snprintf (it->label, sizeof it->label, "%dx%d, %d to %d", h, w, count, sum);
  }
}

static void
cases_slice (CheckCases *cases, CardiacDType A, uint64_t *state)
{
  for (int i = 0; i < 5; i++) {
    int rows = random_int (state, 1, 300), all = random_int (state, 1, 90);
    int c = random_int (state, 1, all);
    CheckCase *it = add (cases, CARDIAC_OP_SLICE);
    add_input (it, A, SHAPE (rows, 2, all));
    set_output (it, A, SHAPE (rows, 2, c));
    it->op.slice.first = random_int (state, 0, all - c);
    snprintf (it->label, sizeof it->label, "%dx2x%d, %d from %d", rows, all, c,
        it->op.slice.first);
  }
}

static void
cases_softmax (CheckCases *cases, CardiacDType A, uint64_t *state)
{
  if (A != CARDIAC_F32)
    return;
  for (int i = 0; i < 5; i++) {
    int rows = random_int (state, 1, 50);
    int width = i ? RANDOM_OF (state, 1, 2, 3, 4, 100, 600) : 2560;
    CheckCase *it = add (cases, CARDIAC_OP_SOFTMAX);
    add_input (it, CARDIAC_F32, SHAPE (rows, width));
    it->fill[0] = (CheckFill){ 10, 100, false }; /* exp(100) overflows */
    set_output (it, CARDIAC_F32, SHAPE (rows, width));
    snprintf (it->label, sizeof it->label, "%dx%d", rows, width);
  }
}

static void
cases_binary (CheckCases *cases, CardiacDType A, uint64_t *state)
{
  for (int i = 0; i < 10; i++) {
    int a = random_int (state, 1, 20), b = random_int (state, 1, 40);
    int c = random_int (state, 1, 60);
    bool constant = random_int (state, 0, 1);
    CardiacDType w = random_int (state, 0, 1) && !constant ? A : CARDIAC_F32;
    CheckCase *it = add (cases, CARDIAC_OP_BINARY);
    add_input (it, random_int (state, 0, 1) ? A : CARDIAC_F32, SHAPE (a, b, c));
    switch (i % 3) {
      case 0:
        add_input (it, w, SHAPE (c));
        break;
      case 1:
        add_input (it, w, SHAPE (b, c));
        break;
      default:
        add_input (it, w, SHAPE (a, b, c));
    }
    it->op.constant[1] = constant;
    set_output (
        it, random_int (state, 0, 1) ? A : CARDIAC_F32, SHAPE (a, b, c));
    it->op.binary.multiply = i & 1;
    it->floor = 1;
    snprintf (it->label, sizeof it->label, "%dx%dx%d %s %d axes", a, b, c,
        it->op.binary.multiply ? "times" : "plus", i % 3 + 1);
  }
}

static void
cases_gate (CheckCases *cases, CardiacDType A, uint64_t *state)
{
  for (int i = 0; i < 8; i++) {
    int b = random_int (state, 1, 16), rows = random_int (state, 1, 300);
    int c = random_int (state, 1, 70);
    bool a_row = i & 1;
    if (i == 0)
      c = 1; /* [B,1,1] is a channel's, although it looks like a row's */
    CheckCase *it = add (cases, CARDIAC_OP_GATE);
    add_input (it, i & 2 ? CARDIAC_F32 : A, SHAPE (b, rows, c));
    if (a_row)
      add_input (it, CARDIAC_F32, SHAPE (b, rows, 1));
    else
      add_input (it, CARDIAC_F32, SHAPE (b, 1, c));
    set_output (it, i & 4 ? CARDIAC_F32 : A, SHAPE (b, rows, c));
    it->op.gate.offset = a_row ? 1 : 0;
    it->op.gate.scale = i < 4 ? 1 : 12.5f;
    it->floor = 1;
    snprintf (it->label, sizeof it->label, "%dx%dx%d a %s", b, rows, c,
        a_row ? "row" : "channel");
  }
}

static void
cases_magnitude (CheckCases *cases, CardiacDType A, uint64_t *state)
{
  for (int i = 0; i < 4; i++) {
    int rows = random_int (state, 1, 700), c = random_int (state, 1, 64);
    CheckCase *it = add (cases, CARDIAC_OP_MAGNITUDE);
    add_input (it, i & 1 ? A : CARDIAC_F32, SHAPE (3, rows, 2 * c));
    set_output (it, i & 1 ? A : CARDIAC_F32, SHAPE (3, rows, c));
    it->floor = 1;
    snprintf (it->label, sizeof it->label, "3x%dx%d", rows, c);
  }
}

static void
add_patchify (CheckCases *cases, int b, int side, int patch, CardiacDType y)
{
  int n = side / patch;
  CheckCase *it = add (cases, CARDIAC_OP_PATCHIFY);
  add_input (it, CARDIAC_F32, SHAPE (b, 3, side, side));
  set_output (it, y, SHAPE ((int64_t) b * n * n, 3 * patch * patch));
  it->op.patchify.patch = patch;
  snprintf (it->label, sizeof it->label, "%d of %d px, %d", b, side, patch);
}

static void
cases_patchify (CheckCases *cases, CardiacDType A, uint64_t *state)
{
  add_patchify (cases, 2, 224, 32, A);
  add_patchify (cases, 1, 224, 16, A);
  add_patchify (cases, 3, 28, 14, CARDIAC_F32);
  add_patchify (cases, 1, 5, 1, A);
  int patch = random_int (state, 2, 9);
  add_patchify (cases, 2, patch * random_int (state, 1, 9), patch, A);
}

static void
add_tokens (CheckCases *cases, int b, int n, int rows, int d, CardiacDType x,
    CardiacDType y)
{
  CheckCase *it = add (cases, CARDIAC_OP_TOKENS);
  add_input (it, x, SHAPE (b, n, d));
  add_constant (it, 1, 0, SHAPE (d));
  add_constant (it, 1, 0, SHAPE (n + 1, d));
  set_output (it, y, SHAPE (b, rows, d));
  snprintf (it->label, sizeof it->label, "%dx%dx%d to %d", b, n, d, rows);
}

static void
cases_tokens (CheckCases *cases, CardiacDType A, uint64_t *state)
{
  add_tokens (cases, 2, 196, 198, 96, CARDIAC_F32, CARDIAC_F32);
  add_tokens (cases, 3, 49, 50, 33, A, A);
  add_tokens (cases, 2, 49, 51, 64, A, CARDIAC_F32);
  add_tokens (cases, 1, random_int (state, 1, 9), 16, random_int (state, 1, 70),
      CARDIAC_F32, A);
}

static void
cases_rows (
    CheckCases *cases, CardiacOpKind kind, CardiacDType A, uint64_t *state)
{
  for (int i = 0; i < 6; i++) {
    int b = random_int (state, 1, 16), rows = random_int (state, 1, 60);
    int d = random_int (state, 1, 100), n = random_int (state, 1, rows);
    CardiacDType from = random_int (state, 0, 1) ? A : CARDIAC_F32;
    CardiacDType to = random_int (state, 0, 1) ? A : CARDIAC_F32;
    CheckCase *it = add (cases, kind);
    if (kind == CARDIAC_OP_ROWS_LOAD) {
      add_input (it, from, SHAPE (b, rows, d));
      set_output (it, to, SHAPE (b, n, d));
    } else {
      add_input (it, to, SHAPE (b, rows, d));
      add_input (it, from, SHAPE (b, n, d));
      set_output (it, to, SHAPE (b, rows, d));
      it->alias = 0;
    }
    it->op.rows.first = random_int (state, 0, rows - n);
    snprintf (it->label, sizeof it->label, "%dx%dx%d, %d from %d", b, rows, d,
        n, it->op.rows.first);
  }
}

static void
cases_mean (CheckCases *cases, CardiacDType A, uint64_t *state)
{
  if (A != CARDIAC_F32)
    return;
  for (int i = 0; i < 5; i++) {
    int a = i == 0 ? 1 : random_int (state, 1, 9);
    int rows = i == 0 ? 16 : random_int (state, 1, 200);
    int d = i == 0 ? 49 * 64 : random_int (state, 1, 600);
    CheckCase *it = add (cases, CARDIAC_OP_MEAN);
    add_input (it, CARDIAC_F32, SHAPE (a, rows, d));
    set_output (it, CARDIAC_F32, SHAPE (a, d));
    it->floor = 1;
    snprintf (it->label, sizeof it->label, "%dx%dx%d", a, rows, d);
  }
}

static void
cases_nchw_to_nhwc (CheckCases *cases, CardiacDType A, uint64_t *state)
{
  for (int i = 0; i < 4; i++) {
    int b = random_int (state, 1, 3), c = i ? random_int (state, 1, 20) : 3;
    int h = random_int (state, 1, 40), w = random_int (state, 1, 40);
    CheckCase *it = add (cases, CARDIAC_OP_NCHW_TO_NHWC);
    add_input (it, CARDIAC_F32, SHAPE (b, c, h, w));
    set_output (it, i & 1 ? CARDIAC_F32 : A, SHAPE (b, h, w, c));
    snprintf (it->label, sizeof it->label, "%dx%dx%dx%d", b, c, h, w);
  }
}

static void
cases_permute (CheckCases *cases, CardiacDType A, uint64_t *state)
{
  for (int rank = 1; rank <= CARDIAC_MAX_RANK; rank++) {
    CheckCase *it = add (cases, CARDIAC_OP_PERMUTE);
    int64_t shape[CARDIAC_MAX_RANK], turned[CARDIAC_MAX_RANK];
    int *axes = it->op.permute.axes;
    for (int i = 0; i < rank; i++) {
      const int j = random_int (state, 0, i);
      shape[i] = random_int (state, 1, 7);
      axes[i] = axes[j];
      axes[j] = i;
    }
    for (int i = 0; i < rank; i++)
      turned[i] = shape[axes[i]];
    add_input (it, rank & 1 ? CARDIAC_F32 : A, rank, shape);
    set_output (it, rank & 2 ? CARDIAC_F32 : A, rank, turned);
    snprintf (it->label, sizeof it->label, "%d axes", rank);
  }
}

static void
cases_cosine (CheckCases *cases, CardiacDType A, uint64_t *state)
{
  if (A != CARDIAC_F32)
    return;
  for (int i = 0; i < 5; i++) {
    int a = random_int (state, 1, 5), c = random_int (state, 1, 5);
    int e = i ? random_int (state, 1, 700) : 512;
    CheckCase *it = add (cases, CARDIAC_OP_COSINE);
    add_input (it, CARDIAC_F32, SHAPE (a, e));
    add_input (it, CARDIAC_F32, SHAPE (a, c, e));
    set_output (it, CARDIAC_F32, SHAPE (a, c));
    it->op.cosine.scale = 100;
    it->floor = 100;
    snprintf (it->label, sizeof it->label, "%dx%dx%d", a, c, e);
  }
}

static void
cases_amplify (CheckCases *cases, CardiacDType A, uint64_t *state)
{
  if (A != CARDIAC_F32)
    return;
  for (int i = 0; i < 6; i++) {
    int instances = i == 0 ? 3 : random_int (state, 1, 3);
    int t = i == 0 ? 16 : random_int (state, 2, 32);
    int e = i == 0 ? 512 : random_int (state, 1, 300);
    CheckCase *it = add (cases, CARDIAC_OP_AMPLIFY);
    add_input (it, CARDIAC_F32, SHAPE (instances, t, e));
    add_constant (it, 0.02f, 0, SHAPE (e, 3));
    add_constant (it, 0.02f, 0, SHAPE (e));
    add_constant (it, 0.2f, 1, SHAPE (e));
    add_constant (it, 0.2f, 0, SHAPE (e));
    if (i & 1) {
      add_constant (it, 1, 0, SHAPE (e));
      add_constant (it, 0.5f, 1, SHAPE (e));
      it->fill[6].positive = true;
    }
    set_output (it, CARDIAC_F32, SHAPE (instances, t, e));
    it->op.amplify.beta = 2;
    it->op.amplify.epsilon = 1e-5f;
    it->op.amplify.replicate = i % 4 < 2;
    it->floor = 1;
    snprintf (it->label, sizeof it->label, "%dx%dx%d %s %s", instances, t, e,
        i & 1 ? "running" : "video",
        it->op.amplify.replicate ? "replicate" : "zero");
  }
}

static void
add_eigencam (CheckCases *cases, int t, int n, int e)
{
  CheckCase *it = add (cases, CARDIAC_OP_EIGENCAM);
  add_input (it, CARDIAC_F32, SHAPE (t, n, e));
  add_input (it, CARDIAC_F32, SHAPE (t, n));
  it->fill[0].scale = it->fill[1].scale = 0.3f;
  set_output (it, CARDIAC_F32, SHAPE (t, n + 1));
  snprintf (it->label, sizeof it->label, "%dx%dx%d", t, n, e);
}

static void
cases_eigencam (CheckCases *cases, CardiacDType A, uint64_t *state)
{
  if (A != CARDIAC_F32)
    return;
  add_eigencam (cases, 2, 49, 512);
  add_eigencam (cases, 1, 196, 512);
  add_eigencam (cases, 2, 49, 20);
  add_eigencam (cases, 1, 200, 200); /* cuda holds no more in registers */
  add_eigencam (cases, 1, 201, 230);
  add_eigencam (cases, 3, random_int (state, 4, 30), random_int (state, 4, 30));
}

static void
add_yolo_decode (CheckCases *cases, int height, int width, int classes,
    CardiacDType box, CardiacDType class)
{
  CheckCase *it = add (cases, CARDIAC_OP_YOLO_DECODE);
  int cells = 0;
  for (int stride = 8; stride <= 32; stride *= 2) {
    int h = height / stride, w = width / stride;
    add_input (it, box, SHAPE (1, h, w, 64));
    add_input (it, class, SHAPE (1, h, w, classes));
    it->fill[it->op.inputs - 1].scale = 4;
    it->fill[it->op.inputs - 2].scale = 3;
    cells += h * w;
  }
  set_output (it, CARDIAC_F32, SHAPE (4 + classes, cells));
  snprintf (
      it->label, sizeof it->label, "%dx%d, %d classes", height, width, classes);
}

static void
cases_yolo_decode (CheckCases *cases, CardiacDType A, uint64_t *state)
{
  add_yolo_decode (cases, 320, 320, 1, A, A);
  add_yolo_decode (cases, 64, 96, 80, A, CARDIAC_F32);
  add_yolo_decode (cases, 32 * random_int (state, 1, 5),
      32 * random_int (state, 1, 5), random_int (state, 1, 5), CARDIAC_F32, A);
}

void
check_cases_add (
    CheckCases *cases, CardiacOpKind kind, CardiacDType A, uint64_t seed)
{
  uint64_t state = seed * 7919 + (uint64_t) kind;
  switch (kind) {
#define CASES(NAME, name)                                                      \
  case CARDIAC_OP_##NAME:                                                      \
    cases_##name (cases, A, &state);                                           \
    break;
    CASES (LINEAR, linear)
    CASES (LAYER_NORM, layer_norm)
    CASES (ATTENTION, attention)
    CASES (MATMUL, matmul)
    CASES (CONV2D, conv2d)
    CASES (MAX_POOL2D, max_pool2d)
    CASES (AVG_POOL2D, avg_pool2d)
    CASES (UPSAMPLE2X, upsample2x)
    CASES (CONCAT, concat)
    CASES (SLICE, slice)
    CASES (SOFTMAX, softmax)
    CASES (BINARY, binary)
    CASES (GATE, gate)
    CASES (MAGNITUDE, magnitude)
    CASES (PATCHIFY, patchify)
    CASES (TOKENS, tokens)
    CASES (MEAN, mean)
    CASES (NCHW_TO_NHWC, nchw_to_nhwc)
    CASES (PERMUTE, permute)
    CASES (COSINE, cosine)
    CASES (AMPLIFY, amplify)
    CASES (EIGENCAM, eigencam)
    CASES (YOLO_DECODE, yolo_decode)
#undef CASES
    case CARDIAC_OP_ROWS_LOAD:
    case CARDIAC_OP_ROWS_STORE:
      cases_rows (cases, kind, A, &state);
      break;
    case CARDIAC_OP_KINDS:
      break;
  }
}

/* ---- shapes worth timing ------------------------------------------------- */

/** A vision layer of width 768 on 16 frames of `tokens`. */
static void
bench_vision (CheckCases *cases, CardiacOpKind kind, CardiacDType A, int tokens)
{
  const CardiacDType F32 = CARDIAC_F32;
  int m = 16 * tokens;
  if (kind == CARDIAC_OP_LINEAR) {
    add_linear (cases, (Linear){ m, 768, 2304, WITH_BIAS, tokens, 0, A, A });
    add_linear (cases,
        (Linear){ m, 768, 768, WITH_BIAS | IN_PLACE, tokens, 0, A, F32 });
    add_linear (cases, (Linear){ m, 768, 3072, WITH_BIAS, tokens,
                           CARDIAC_ACTIVATION_QUICK_GELU, A, A });
    add_linear (cases,
        (Linear){ m, 3072, 768, WITH_BIAS | IN_PLACE, tokens, 0, A, F32 });
  }
  if (kind == CARDIAC_OP_LAYER_NORM)
    add_layer_norm (cases, m, 768, F32, A);
  if (kind == CARDIAC_OP_ATTENTION)
    add_attention (cases, (Attention){ 16, tokens, tokens, 12, 64, true }, A);
}

/** Convolutions of YOLOv8n at 640 px. */
static void
bench_detector (CheckCases *cases, CardiacDType A)
{
  const CardiacActivation silu = CARDIAC_ACTIVATION_SILU;
  const Conv convs[] = {
    { 1, 640, 640, 3, 16, 3, 2, WITH_BIAS, silu, A, A },
    { 1, 320, 320, 16, 32, 3, 2, WITH_BIAS, silu, A, A },
    { 1, 160, 160, 16, 16, 3, 1, WITH_BIAS | WITH_RESIDUAL, silu, A, A },
    { 1, 160, 160, 48, 32, 1, 1, WITH_BIAS, silu, A, A },
    { 1, 160, 160, 32, 64, 3, 2, WITH_BIAS, silu, A, A },
    { 1, 80, 80, 32, 32, 3, 1, WITH_BIAS | WITH_RESIDUAL, silu, A, A },
    { 1, 80, 80, 64, 64, 3, 1, WITH_BIAS, silu, A, A },
    { 1, 80, 80, 64, 128, 3, 2, WITH_BIAS, silu, A, A },
    { 1, 40, 40, 64, 64, 3, 1, WITH_BIAS | WITH_RESIDUAL, silu, A, A },
    { 1, 40, 40, 192, 128, 1, 1, WITH_BIAS, silu, A, A },
    { 1, 20, 20, 128, 128, 3, 1, WITH_BIAS | WITH_RESIDUAL, silu, A, A },
    { 1, 20, 20, 384, 256, 1, 1, WITH_BIAS, silu, A, A },
  };
  for (size_t i = 0; i < sizeof convs / sizeof *convs; i++)
    add_conv (cases, convs[i]);
}

void
check_cases_add_bench (CheckCases *cases, CardiacOpKind kind, CardiacDType A)
{
  const CardiacDType F32 = CARDIAC_F32;
  switch (kind) {
    case CARDIAC_OP_LINEAR:
      add_linear (cases, (Linear){ 3136, 768, 768, 0, 196, 0, A, F32 });
      add_linear (cases, (Linear){ 784, 3072, 768, 0, 49, 0, A, F32 });
      add_linear (cases, (Linear){ 48, 512, 512, 0, 16, 0, F32, F32 });
      bench_vision (cases, kind, A, 198);
      bench_vision (cases, kind, A, 51);
      break;
    case CARDIAC_OP_LAYER_NORM:
      bench_vision (cases, kind, A, 198);
      bench_vision (cases, kind, A, 51);
      break;
    case CARDIAC_OP_ATTENTION:
      bench_vision (cases, kind, A, 198);
      bench_vision (cases, kind, A, 51);
      add_attention (cases, (Attention){ 1, 16, 16, 12, 64, true }, A);
      add_attention (cases, (Attention){ 1, 3, 196, 8, 64, false }, F32);
      break;
    case CARDIAC_OP_CONV2D:
      bench_detector (cases, A);
      break;
    case CARDIAC_OP_MAX_POOL2D:
      add_pool (cases, 1, 20, 20, 128, 5, 1, A);
      break;
    case CARDIAC_OP_PATCHIFY:
      add_patchify (cases, 16, 224, 16, A);
      add_patchify (cases, 16, 224, 32, A);
      break;
    case CARDIAC_OP_TOKENS:
      add_tokens (cases, 16, 196, 198, 768, F32, F32);
      break;
    case CARDIAC_OP_EIGENCAM:
      add_eigencam (cases, 16, 196, 512);
      add_eigencam (cases, 16, 49, 512);
      break;
    case CARDIAC_OP_YOLO_DECODE:
      add_yolo_decode (cases, 640, 640, 1, A, A);
      break;
    default: { /* the operators that move memory: their check shapes will do */
      check_cases_add (cases, kind, A, 1);
      if (cases->count > 2)
        cases->count = 2;
    }
  }
}

/* ---- tolerances ---------------------------------------------------------- */

/** Relative to max|reference|, the reference's result not rounded to BF16 or
 * F16. F32: sums of up to a few thousand products in float, in any order. BF16
 * and F16: half a unit of the stored result (2^-8, 2^-11); where a backend may
 * also round operands (weights, probabilities), their errors have random signs
 * and add little: at most half as much again is allowed. 0: the operator only
 * moves numbers, or rounds them as it stores them: every bit must be there. */
static const double tolerances[CARDIAC_OP_KINDS][3] = {
  /* F32, BF16, F16 */
  [CARDIAC_OP_LINEAR] = { 1e-5, 6e-3, 8e-4 },
  [CARDIAC_OP_LAYER_NORM] = { 1e-5, 4e-3, 5e-4 },
  [CARDIAC_OP_ATTENTION] = { 1e-5, 6e-3, 8e-4 },
  [CARDIAC_OP_MATMUL] = { 1e-5, 1e-5, 1e-5 },
  [CARDIAC_OP_CONV2D] = { 1e-5, 6e-3, 8e-4 },
  [CARDIAC_OP_MAX_POOL2D] = { 0, 0, 0 },
  [CARDIAC_OP_AVG_POOL2D] = { 1e-6, 4e-3, 5e-4 },
  [CARDIAC_OP_UPSAMPLE2X] = { 0, 0, 0 }, /* bilinear: as BINARY */
  [CARDIAC_OP_CONCAT] = { 0, 0, 0 },
  [CARDIAC_OP_SLICE] = { 0, 0, 0 },
  [CARDIAC_OP_SOFTMAX] = { 1e-5, 1e-5, 1e-5 },
  [CARDIAC_OP_BINARY] = { 1e-6, 4e-3, 5e-4 },
  [CARDIAC_OP_GATE] = { 1e-6, 4e-3, 5e-4 },
  [CARDIAC_OP_MAGNITUDE] = { 1e-6, 4e-3, 5e-4 },
  [CARDIAC_OP_PATCHIFY] = { 0, 0, 0 },
  [CARDIAC_OP_TOKENS] = { 1e-6, 4e-3, 5e-4 },
  [CARDIAC_OP_ROWS_LOAD] = { 0, 0, 0 },
  [CARDIAC_OP_ROWS_STORE] = { 0, 0, 0 },
  [CARDIAC_OP_MEAN] = { 1e-5, 1e-5, 1e-5 },
  [CARDIAC_OP_NCHW_TO_NHWC] = { 0, 0, 0 },
  [CARDIAC_OP_PERMUTE] = { 0, 0, 0 },
  [CARDIAC_OP_COSINE] = { 1e-5, 1e-5, 1e-5 },
  [CARDIAC_OP_AMPLIFY] = { 1e-4, 1e-4, 1e-4 },
  [CARDIAC_OP_EIGENCAM] = { 1e-4, 1e-4, 1e-4 },
  [CARDIAC_OP_YOLO_DECODE] = { 1e-5, 1e-5, 1e-5 },
};

double
check_tolerance (const CheckCase *it)
{
  CardiacDType lowest = it->op.out.dtype;
  for (int i = 0; i < it->op.inputs; i++)
    if (cardiac_op_has (&it->op, i) && it->op.in[i].dtype != CARDIAC_F32)
      lowest = it->op.in[i].dtype;
  int column = lowest == CARDIAC_BF16 ? 1 : lowest == CARDIAC_F16 ? 2 : 0;
  bool blends =
      it->op.kind == CARDIAC_OP_UPSAMPLE2X && it->op.upsample.bilinear;
  return tolerances[blends ? CARDIAC_OP_BINARY : it->op.kind][column];
}
