/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "bench-ops.h"

#include "nets/ops.h"

#include <stdio.h>
#include <stdlib.h>

#define SHAPE(...)                                                             \
  (const int64_t[])                                                            \
  {                                                                            \
    __VA_ARGS__                                                                \
  }

typedef struct Builder {
  CardiacProgram *program;
  CardiacDType A;
} Builder;

/** A value that nothing writes: memory of a program starts as zeros. */
static CardiacValue
value (Builder *k, CardiacDType dtype, int rank, const int64_t *shape)
{
  return cardiac_program_value (k->program, dtype, rank, shape);
}

static CardiacValue
constant (Builder *k, int rank, const int64_t *shape)
{
  int64_t count = 1;
  for (int i = 0; i < rank; i++)
    count *= shape[i];
  float *data = malloc ((size_t) count * sizeof *data);
  uint32_t state = 1;
  for (int64_t i = 0; data && i < count; i++) {
    state = state * 1664525u + 1013904223u;
    data[i] = ((float) (state >> 16) / 65536.0f - 0.5f) * 0.1f;
  }
  return cardiac_program_constant (k->program, data, rank, shape, NULL);
}

static void
linear (Builder *k, int m, int in, int out, int group, const char *label)
{
  cardiac_linear (k->program, value (k, k->A, 2, SHAPE (m, in)),
      constant (k, 2, SHAPE (out, in)), constant (k, 1, SHAPE (out)),
      CARDIAC_ACTIVATION_NONE, 0, k->A, group, label);
}

static void
linear_gelu (Builder *k, int m, int in, int out, int group, const char *label)
{
  cardiac_linear (k->program, value (k, k->A, 2, SHAPE (m, in)),
      constant (k, 2, SHAPE (out, in)), constant (k, 1, SHAPE (out)),
      CARDIAC_ACTIVATION_QUICK_GELU, 0, k->A, group, label);
}

static void
linear_onto (Builder *k, int m, int in, int out, int group, const char *label)
{
  cardiac_linear_onto (k->program, value (k, k->A, 2, SHAPE (m, in)),
      constant (k, 2, SHAPE (out, in)), constant (k, 1, SHAPE (out)),
      value (k, CARDIAC_F32, 2, SHAPE (m, out)), group, label);
}

static void
attention (Builder *k, int frames, int tokens, int heads, const char *label)
{
  const int width = 64 * heads;
  CardiacValue qkv = value (k, k->A, 3, SHAPE (frames, tokens, 3 * width));
  cardiac_attention (
      k->program, qkv, 0, qkv, width, qkv, 2 * width, heads, 64, label);
}

static void
layer_norm (Builder *k, int rows, int width, const char *label)
{
  cardiac_layer_norm (k->program,
      value (k, CARDIAC_F32, 2, SHAPE (rows, width)),
      constant (k, 1, SHAPE (width)), constant (k, 1, SHAPE (width)), 1e-5f,
      k->A, label);
}

static void
conv (Builder *k, int side, int in, int out, int kernel, int stride,
    const char *label)
{
  CardiacOp op = { .kind = CARDIAC_OP_CONV2D,
    .conv = { .stride = stride,
        .padding = kernel / 2,
        .activation = CARDIAC_ACTIVATION_SILU } };
  cardiac_program_op (k->program, &op,
      (CardiacValue[]){ value (k, k->A, 4, SHAPE (1, side, side, in)),
          constant (k, 4, SHAPE (out, in, kernel, kernel)),
          constant (k, 1, SHAPE (out)) },
      3, value (k, k->A, 4, SHAPE (1, side / stride, side / stride, out)), "%s",
      label);
}

static void
transformer (Builder *k, int tokens)
{
  const int m = 16 * tokens;
  const char *name = tokens > 100 ? "B/16" : "B/32";
  char label[64];
#define LABEL(text) (snprintf (label, sizeof label, "%s " text, name), label)
  layer_norm (k, m, 768, LABEL ("layer norm"));
  linear (k, m, 768, 2304, tokens, LABEL ("qkv"));
  attention (k, 16, tokens, 12, LABEL ("attention"));
  linear_onto (k, m, 768, 768, tokens, LABEL ("projection, onto"));
  linear_gelu (k, m, 768, 3072, tokens, LABEL ("fc1, quick gelu"));
  linear_onto (k, m, 3072, 768, tokens, LABEL ("fc2, onto"));
#undef LABEL
}

static void
detector (Builder *k)
{
  conv (k, 640, 3, 16, 3, 2, "3x3 s2, 3 to 16 at 640");
  conv (k, 320, 16, 32, 3, 2, "3x3 s2, 16 to 32 at 320");
  conv (k, 160, 48, 32, 1, 1, "1x1, 48 to 32 at 160");
  conv (k, 160, 16, 16, 3, 1, "3x3, 16 to 16 at 160");
  conv (k, 80, 64, 64, 3, 1, "3x3, 64 to 64 at 80");
  conv (k, 80, 64, 128, 3, 2, "3x3 s2, 64 to 128 at 80");
  conv (k, 40, 192, 128, 1, 1, "1x1, 192 to 128 at 40");
  conv (k, 40, 64, 64, 3, 1, "3x3, 64 to 64 at 40");
  conv (k, 20, 128, 128, 3, 1, "3x3, 128 to 128 at 20");
  CardiacOp pool = { .kind = CARDIAC_OP_MAX_POOL2D,
    .pool = { .kernel = 5, .stride = 1, .padding = 2 } };
  cardiac_program_op (k->program, &pool,
      (CardiacValue[]){ value (k, k->A, 4, SHAPE (1, 20, 20, 128)) }, 1,
      value (k, k->A, 4, SHAPE (1, 20, 20, 128)), "max pool 5, 128 at 20");
  cardiac_concat (k->program,
      (CardiacValue[]){ value (k, k->A, 4, SHAPE (1, 80, 80, 128)),
          value (k, k->A, 4, SHAPE (1, 80, 80, 64)) },
      2, "concat, 128 and 64 at 80");
}

CardiacProgram *
bench_ops_program (CardiacRuntime *runtime, CardiacError **error)
{
  CardiacProgram *program = cardiac_program_new (runtime);
  if (!program)
    return NULL;
  Builder k = { program, cardiac_runtime_activation (runtime) };
  transformer (&k, 198);
  transformer (&k, 51);
  linear (&k, 16, 768, 768, 16, "message, 16 rows");
  attention (&k, 1, 16, 12, "message attention");
  detector (&k);
  if (!cardiac_program_plan (program, error))
    cardiac_program_free (&program);
  return program;
}
