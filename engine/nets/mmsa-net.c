/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* MMSA (Xue et al.) as programs; section "MMSA" of docs/networks.md. Values
 * are NHWC; u, m, A, x, z are the paper's. */
#include "nets/mmsa-net.h"

#include "core/error.h"
#include "nets/kiconv.h"
#include "nets/ops.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
  SEGMENTS = CARDIAC_MMSA_SEGMENTS,
  ROWS = CARDIAC_MMSA_ROWS,
  COLUMNS = CARDIAC_MMSA_COLUMNS,
  MOST_CHANNELS = 1024,
  MOST_TAPS = 256,
  POSITIONS = (ROWS / 16) * (COLUMNS / SEGMENTS / 16), ///< after four poolings
};

/** How a scale is called in names of tensors and outputs. */
static const int reduction[CARDIAC_MMSA_SCALES] = { 1, 2, 4 };

static const CardiacActivation leaky = CARDIAC_ACTIVATION_LEAKY_RELU;

typedef struct Builder {
  const CardiacMmsaNet *net;
  CardiacProgram *program;
  CardiacWeights *weights;
  CardiacDType A;
} Builder;

/* ---- configuration and sizes ------------------------------------------------- */

static const char *const known_keys[] = { "labels", "flow_step",
  "flow_residual", "attention", "attention_scales", "attention_activation",
  "attention_gain", "enhancement", "tse_scale", "non_local", NULL };

static bool
read_choices (
    CardiacMmsaNet *net, const CardiacModel *model, CardiacError **error)
{
  static const char *const attention[] = { "msa", "concatenation", NULL };
  static const char *const scales[] = { "1", "1/2", "1/4", "all", NULL };
  static const char *const activation[] = { "none", "leaky_relu", NULL };
  static const char *const gain[] = { "1", "area", NULL };
  static const char *const enhancement[] = { "tse", "conv", NULL };
  static const char *const tse_scale[] = { "1", "C", NULL };
  int kind, which, act, by_area, enhance, by_width;
  int64_t d;
  if (!cardiac_model_config_known (model, known_keys, error)
      || !cardiac_model_config_int (
          model, "flow_step", 1, CARDIAC_MMSA_MIN_PHASES - 1, 3, &d, error)
      || !cardiac_model_config_bool (
          model, "flow_residual", false, &net->flow_residual, error)
      || !cardiac_model_config_choice (
          model, "attention", attention, 0, &kind, error)
      || !cardiac_model_config_choice (
          model, "attention_scales", scales, 3, &which, error)
      || !cardiac_model_config_choice (
          model, "attention_activation", activation, 0, &act, error)
      || !cardiac_model_config_choice (
          model, "attention_gain", gain, 0, &by_area, error)
      || !cardiac_model_config_choice (
          model, "enhancement", enhancement, 0, &enhance, error)
      || !cardiac_model_config_choice (
          model, "tse_scale", tse_scale, 0, &by_width, error)
      || !cardiac_model_config_bool (
          model, "non_local", true, &net->non_local, error))
    return false;
  net->d = (int) d;
  net->concatenate = kind == 1;
  for (int i = 0; i < CARDIAC_MMSA_SCALES; i++)
    net->attended[i] = which == 3 || which == i;
  net->leaky_attention = act == 1;
  net->gain_by_area = by_area == 1;
  net->tse = enhance == 0;
  net->tse_by_width = by_width == 1;
  return true;
}

/** The first extent of a tensor whose others are known (-1 takes any). */
static bool
read_width (const CardiacModel *model, const char *name, int rank,
    int64_t *shape, int *width, CardiacError **error)
{
  if (!cardiac_model_shape (model, name, rank, shape, error))
    return false;
  if (shape[0] < 1 || shape[0] > MOST_CHANNELS)
    return cardiac_fail (error, CARDIAC_ERROR_MODEL,
        "%s: %s gives %d channels, where 1 to %d are expected",
        cardiac_model_path (model), name, (int) shape[0], MOST_CHANNELS);
  *width = (int) shape[0];
  return true;
}

static bool
read_convolutions (
    CardiacMmsaNet *net, const CardiacModel *model, CardiacError **error)
{
  static const char *const flow[] = { "encoder1", "encoder2", "encoder4",
    "bottleneck" };
  char name[32];
  for (int i = 0; i < 4; i++) {
    int64_t shape[4] = { -1, i ? net->flow[i - 1] : 2, 3, 3 };
    snprintf (name, sizeof name, "flow.%s.conv1.weight", flow[i]);
    if (!read_width (model, name, 4, shape, &net->flow[i], error))
      return false;
  }
  for (int i = 0; i < 4; i++) {
    int64_t shape[4] = { -1, i ? net->C[i - 1] : -1, 3, 3 };
    snprintf (name, sizeof name, "cnn.block%d.conv1.weight", i + 1);
    if (!read_width (model, name, 4, shape, &net->C[i], error))
      return false;
    if (i == 0)
      net->T0 = (int) shape[1];
  }
  if (net->T0 < 1 || net->T0 > MOST_TAPS)
    return cardiac_fail (error, CARDIAC_ERROR_MODEL,
        "%s: cnn.block1.conv1.weight has %d taps in time, where 1 to %d are "
        "expected",
        cardiac_model_path (model), net->T0, MOST_TAPS);
  return true;
}

static bool
read_sizes (
    CardiacMmsaNet *net, const CardiacModel *model, CardiacError **error)
{
  if (!read_convolutions (net, model, error))
    return false;
  int64_t wide = net->C[3];
  for (int i = CARDIAC_MMSA_SCALES - 1; i >= 0 && !net->concatenate; i--) {
    char name[32];
    snprintf (name, sizeof name, "msa.scale%d.flow.weight", reduction[i]);
    if (net->attended[i]
        && !read_width (
            model, name, 3, (int64_t[]){ -1, 2, net->T0 }, &net->Q, error))
      return false;
  }
  net->scores = CARDIAC_MMSA_SCORES;
  return (!net->tse
             || read_width (model, "tse.fc1.weight", 2, (int64_t[]){ -1, wide },
                 &net->squeezed, error))
         && (!net->non_local
             || read_width (model, "nl.phi.weight", 2, (int64_t[]){ -1, wide },
                 &net->embedded, error))
         && read_width (model, "fc1.weight", 2,
             (int64_t[]){ -1, wide * POSITIONS }, &net->hidden, error);
}

bool
cardiac_mmsa_net_read (CardiacMmsaNet *net, const CardiacModel *model,
    int phases, CardiacError **error)
{
  *net = (CardiacMmsaNet){ .t = phases };
  if (!read_choices (net, model, error) || !read_sizes (net, model, error))
    return false;
  for (int k = 0; k < net->scores; k++)
    if (!cardiac_model_label (model, k))
      return cardiac_fail (error, CARDIAC_ERROR_MODEL,
          "%s: labels names %d scores; %d expected, normal first",
          cardiac_model_path (model), k, net->scores);
  return true;
}

/* ---- blocks ------------------------------------------------------------------ */

/** y = act (conv (x) + b) + residual, 3x3 with padding 1 or 1x1. */
static CardiacValue
conv (Builder *k, CardiacValue x, CardiacValue w, CardiacValue b,
    CardiacActivation activation, CardiacValue residual, CardiacDType dtype,
    const char *label)
{
  CardiacTensor t = cardiac_program_describe (k->program, x);
  CardiacTensor tw = cardiac_program_describe (k->program, w);
  t.shape[3] = tw.shape[0];
  CardiacOp op = { .kind = CARDIAC_OP_CONV2D,
    .conv = { .stride = 1,
        .padding = (int) tw.shape[2] / 2,
        .activation = activation } };
  return cardiac_program_op (k->program, &op,
      (CardiacValue[]){ x, w, b, residual }, 4,
      cardiac_program_value (k->program, dtype, 4, t.shape), "%s", label);
}

static int
channels (Builder *k, CardiacValue x)
{
  return (int) cardiac_program_describe (k->program, x).shape[3];
}

/** NAME.weight [out,in,3,3] and NAME.bias on x. */
static CardiacValue
conv3x3 (Builder *k, CardiacValue x, int out, CardiacActivation activation,
    CardiacValue residual, CardiacDType dtype, const char *name)
{
  int64_t shape[4] = { out, channels (k, x), 3, 3 };
  float *w = cardiac_weights_floats (k->weights, 4, shape, "%s.weight", name);
  CardiacValue wv = cardiac_program_constant (k->program, w, 4, shape, NULL);
  CardiacValue bv = cardiac_weights_vector (k->weights, out, "%s.bias", name);
  return conv (k, x, wv, bv, activation, residual, dtype, name);
}

/** Two 3x3 convolutions, LeakyReLU after each. */
static CardiacValue
conv_block (
    Builder *k, CardiacValue x, int width, CardiacDType dtype, const char *name)
{
  char full[64];
  snprintf (full, sizeof full, "%s.conv1", name);
  x = conv3x3 (k, x, width, leaky, 0, k->A, full);
  snprintf (full, sizeof full, "%s.conv2", name);
  return conv3x3 (k, x, width, leaky, 0, dtype, full);
}

static CardiacValue
pool (Builder *k, CardiacOpKind kind, CardiacValue x, int kernel, int stride,
    const char *label)
{
  CardiacTensor t = cardiac_program_describe (k->program, x);
  t.shape[1] /= stride;
  t.shape[2] /= stride;
  CardiacOp op = { .kind = kind,
    .pool = { .kernel = kernel,
        .stride = stride,
        .padding = stride == 1 ? kernel / 2 : 0 } };
  return cardiac_program_op (k->program, &op, (CardiacValue[]){ x }, 1,
      cardiac_program_value (k->program, t.dtype, 4, t.shape), "%s", label);
}

static CardiacValue
halve (Builder *k, CardiacValue x, const char *label)
{
  return pool (k, CARDIAC_OP_MAX_POOL2D, x, 2, 2, label);
}

/** Bilinear, twice as large, times `scale`. */
static CardiacValue
up (Builder *k, CardiacValue x, float scale, const char *label)
{
  CardiacTensor t = cardiac_program_describe (k->program, x);
  t.shape[1] *= 2;
  t.shape[2] *= 2;
  CardiacOp op = { .kind = CARDIAC_OP_UPSAMPLE2X,
    .upsample = { .bilinear = true, .scale = scale } };
  return cardiac_program_op (k->program, &op, (CardiacValue[]){ x }, 1,
      cardiac_program_value (k->program, t.dtype, 4, t.shape), "%s", label);
}

/** Channels side by side. */
static CardiacValue
beside (Builder *k, const CardiacValue *parts, int count, CardiacDType dtype,
    const char *label)
{
  CardiacTensor t = cardiac_program_describe (k->program, parts[0]);
  for (int i = 1; i < count; i++)
    t.shape[3] += channels (k, parts[i]);
  CardiacOp op = { .kind = CARDIAC_OP_CONCAT };
  return cardiac_program_op (k->program, &op, parts, count,
      cardiac_program_value (k->program, dtype, 4, t.shape), "%s", label);
}

/* ---- optical flow, coarse to fine --------------------------------------------- */

/** e_de = convblock ([skip, up(e), up(u)]), u = conv3x3 (e_de); u is in pixels of
 * its scale, hence doubled on its way up.
 * @param u of the coarser scale, 0 at the coarsest; replaced
 * @return e_de. */
static CardiacValue
decode (Builder *k, CardiacValue skip, CardiacValue e, CardiacValue *u, int i)
{
  char name[32];
  CardiacValue parts[3] = { skip, up (k, e, 1, "flow.up e") };
  int count = 2;
  if (*u)
    parts[count++] = *u = up (k, *u, 2, "flow.up u");
  snprintf (name, sizeof name, "flow.decoder%d", reduction[i]);
  e = conv_block (
      k, beside (k, parts, count, k->A, name), k->net->flow[i], k->A, name);
  snprintf (name, sizeof name, "flow.output%d", reduction[i]);
  *u = conv3x3 (k, e, 2, CARDIAC_ACTIVATION_NONE,
      k->net->flow_residual ? *u : 0, CARDIAC_F32, name);
  snprintf (name, sizeof name, "flow%d", reduction[i]);
  cardiac_program_output (k->program, name, *u);
  cardiac_program_keep (k->program, name);
  return e;
}

void
cardiac_mmsa_build_flow (const CardiacMmsaNet *net, CardiacProgram *program,
    CardiacWeights *weights, int batch)
{
  weights->program = program;
  Builder k = { net, program, weights, cardiac_program_activation (program) };
  CardiacValue pairs = cardiac_program_input (
      program, "pairs", CARDIAC_F32, 4, (int64_t[]){ batch, ROWS, COLUMNS, 2 });
  const int *w = net->flow;
  CardiacValue skip[3], x;
  skip[0] = conv_block (&k, pairs, w[0], k.A, "flow.encoder1");
  x = halve (&k, skip[0], "flow.encoder1.pool");
  skip[1] = conv_block (&k, x, w[1], k.A, "flow.encoder2");
  x = halve (&k, skip[1], "flow.encoder2.pool");
  skip[2] = conv_block (&k, x, w[2], k.A, "flow.encoder4");
  x = halve (&k, skip[2], "flow.encoder4.pool");
  x = conv_block (&k, x, w[3], k.A, "flow.bottleneck");

  CardiacValue u = 0;
  for (int i = 2; i >= 0; i--)
    x = decode (&k, skip[i], x, &u, i);
}

/* ---- motion-based spatial attention -------------------------------------------- */

/** Adds KIConv weights NAME.weight [Q,components,T0] to a 1x1 kernel [.., channels]
 * of which `to` is the first row. */
static void
place_kiconv (Builder *k, int components, float *to, int64_t channels_in,
    int64_t first, const char *name)
{
  const CardiacMmsaNet *n = k->net;
  int64_t shape[3] = { n->Q, components, n->T0 };
  float *w = cardiac_weights_floats (k->weights, 3, shape, "%s.weight", name);
  if (w && to)
    cardiac_kiconv_resample (
        w, n->Q, components, n->T0, 1, n->t, to, channels_in, first);
  free (w);
}

/** Both encodings as one 1x1 kernel [2Q, 5t + C] on [mag, dir, m, x]: rows of A1
 * see mag, dir and x, rows of B1 see m. */
static CardiacValue
encoding_weights (Builder *k, int C, const char *name)
{
  const int64_t t = k->net->t, Q = k->net->Q;
  int64_t shape[4] = { 2 * Q, 5 * t + C, 1, 1 };
  char full[64];
  float *w = calloc ((size_t) (shape[0] * shape[1]), sizeof *w);
  snprintf (full, sizeof full, "%s.magnitude", name);
  place_kiconv (k, 1, w, shape[1], 0, full);
  snprintf (full, sizeof full, "%s.direction", name);
  place_kiconv (k, 2, w, shape[1], t, full);
  snprintf (full, sizeof full, "%s.flow", name);
  place_kiconv (k, 2, w ? w + Q * shape[1] : NULL, shape[1], 3 * t, full);
  float *x = cardiac_weights_floats (
      k->weights, 2, (int64_t[]){ Q, C }, "%s.feature.weight", name);
  for (int64_t q = 0; x && w && q < Q; q++)
    memcpy (w + q * shape[1] + 5 * t, x + q * C, (size_t) C * sizeof *x);
  free (x);
  return cardiac_program_constant (k->program, w, 4, shape, NULL);
}

static CardiacValue
encoding_bias (Builder *k, const char *name)
{
  const int64_t Q = k->net->Q, both = 2 * Q;
  float *a =
      cardiac_weights_floats (k->weights, 1, &Q, "%s.feature.bias", name);
  float *b = cardiac_weights_floats (k->weights, 1, &Q, "%s.flow.bias", name);
  float *bias = malloc ((size_t) both * sizeof *bias);
  if (a && b && bias) {
    memcpy (bias, a, (size_t) Q * sizeof *a);
    memcpy (bias + Q, b, (size_t) Q * sizeof *b);
  }
  free (a);
  free (b);
  return cardiac_program_constant (k->program, bias, 1, &both, NULL);
}

/** c = [max |m|, mean m, m, x], through A1 and B1 at once: [16,h,w,2Q]. Float:
 * a softmax makes ratios of differences. */
static CardiacValue
encode_motion (Builder *k, CardiacValue x, CardiacValue m, const char *name)
{
  char label[64];
  CardiacTensor t = cardiac_program_describe (k->program, m);
  t.shape[3] /= 2;
  CardiacOp length = { .kind = CARDIAC_OP_MAGNITUDE };
  CardiacValue mag =
      cardiac_program_op (k->program, &length, (CardiacValue[]){ m }, 1,
          cardiac_program_value (k->program, CARDIAC_F32, 4, t.shape),
          "%s.magnitude", name);
  mag = pool (k, CARDIAC_OP_MAX_POOL2D, mag, 3, 1, name);
  CardiacValue dir = pool (k, CARDIAC_OP_AVG_POOL2D, m, 3, 1, name);
  CardiacValue c =
      beside (k, (CardiacValue[]){ mag, dir, m, x }, 4, CARDIAC_F32, name);
  snprintf (label, sizeof label, "%s.encodings", name);
  return conv (k, c, encoding_weights (k, channels (k, x), name),
      encoding_bias (k, name),
      k->net->leaky_attention ? leaky : CARDIAC_ACTIVATION_NONE, 0, CARDIAC_F32,
      label);
}

/** z = A ⊗ x + x, A = softmax over h w of M (Eq. 11-13). */
static CardiacValue
msa (Builder *k, CardiacValue x, CardiacValue m, int i)
{
  const int64_t Q = k->net->Q;
  char name[32], label[64];
  snprintf (name, sizeof name, "msa.scale%d", reduction[i]);
  const CardiacTensor t = cardiac_program_describe (k->program, x);
  const int64_t area = t.shape[1] * t.shape[2], C = t.shape[3];

  CardiacValue encoded = encode_motion (k, x, m, name);
  encoded = cardiac_view2 (k->program, encoded, SEGMENTS * area, 2 * Q);
  snprintf (label, sizeof label, "%s.map", name);
  CardiacValue w =
      cardiac_weights_matrix (k->weights, 1, 2 * Q, "%s.weight", label);
  CardiacValue M = cardiac_linear (k->program, encoded, w, 0,
      CARDIAC_ACTIVATION_NONE, 0, CARDIAC_F32, (int) area, label);
  CardiacValue A = cardiac_softmax (
      k->program, cardiac_view2 (k->program, M, SEGMENTS, area), name);
  snprintf (label, sizeof label, "attention%d", i + 1);
  cardiac_program_output (k->program, label, A);

  CardiacOp gate = { .kind = CARDIAC_OP_GATE,
    .gate = { .offset = 1, .scale = k->net->gain_by_area ? (float) area : 1 } };
  CardiacValue z = cardiac_program_value (
      k->program, t.dtype, 3, (int64_t[]){ SEGMENTS, area, C });
  z = cardiac_program_op (k->program, &gate,
      (CardiacValue[]){ cardiac_view3 (k->program, x, SEGMENTS, area, C),
          cardiac_view3 (k->program, A, SEGMENTS, area, 1) },
      2, z, "%s", name);
  return cardiac_program_reshape (k->program, z, 4, t.shape);
}

/* ---- enhancement and scores ------------------------------------------------------ */

/** NAME.weight [out,in] and NAME.bias on rows of x. */
static CardiacValue
dense (Builder *k, CardiacValue x, int out, CardiacActivation activation,
    CardiacValue residual, const char *name)
{
  int64_t in = cardiac_program_describe (k->program, x).shape[1];
  CardiacValue w =
      cardiac_weights_matrix (k->weights, out, in, "%s.weight", name);
  CardiacValue b = cardiac_weights_vector (k->weights, out, "%s.bias", name);
  return cardiac_linear (
      k->program, x, w, b, activation, residual, CARDIAC_F32, 0, name);
}

/** s2 = softmax (W2 LReLU (W1 mean x)), x = s2 ⊗ x (Eq. 14-16). */
static CardiacValue
tse (Builder *k, CardiacValue x)
{
  const int C = k->net->C[3];
  x = cardiac_view3 (k->program, x, SEGMENTS, POSITIONS, C);
  CardiacValue s = cardiac_mean (k->program, x, "tse.squeeze");
  s = dense (k, s, k->net->squeezed, leaky, 0, "tse.fc1");
  s = dense (k, s, C, CARDIAC_ACTIVATION_NONE, 0, "tse.fc2");
  s = cardiac_softmax (k->program, s, "tse.softmax");
  CardiacOp gate = { .kind = CARDIAC_OP_GATE,
    .gate = { .scale = k->net->tse_by_width ? (float) C : 1 } };
  return cardiac_program_op (k->program, &gate,
      (CardiacValue[]){ x, cardiac_view3 (k->program, s, SEGMENTS, 1, C) }, 2,
      cardiac_program_value (
          k->program, CARDIAC_F32, 3, (int64_t[]){ SEGMENTS, POSITIONS, C }),
      "tse");
}

/** x + θ (softmax (φ(x) ψ(x)ᵀ) g(x)) over the positions of a segment (Eq. 17-19);
 * attention with one head and no 1/√d. */
static CardiacValue
non_local (Builder *k, CardiacValue x)
{
  const int C = k->net->C[3], E = k->net->embedded;
  static const char *const names[] = { "nl.phi", "nl.psi", "nl.g" };
  CardiacValue rows = cardiac_view2 (k->program, x, SEGMENTS * POSITIONS, C);
  CardiacValue qkv[3];
  for (int i = 0; i < 3; i++)
    qkv[i] = cardiac_view3 (k->program,
        dense (k, rows, E, CARDIAC_ACTIVATION_NONE, 0, names[i]), SEGMENTS,
        POSITIONS, E);
  CardiacOp op = { .kind = CARDIAC_OP_ATTENTION,
    .attention = { .heads = 1, .head_dim = E, .scale = 1 } };
  CardiacValue r = cardiac_program_op (k->program, &op, qkv, 3,
      cardiac_program_value (
          k->program, CARDIAC_F32, 3, (int64_t[]){ SEGMENTS, POSITIONS, E }),
      "nl.attention");
  r = cardiac_view2 (k->program, r, SEGMENTS * POSITIONS, E);
  return dense (k, r, C, CARDIAC_ACTIVATION_NONE, rows, "nl.theta");
}

/** fc1 of the file sees [C,h,w] flattened, ours [h,w,C]. */
static CardiacValue
first_dense (Builder *k, CardiacValue x)
{
  const int64_t C = k->net->C[3], hidden = k->net->hidden;
  int64_t shape[2] = { hidden, C * POSITIONS };
  float *w = cardiac_weights_floats (k->weights, 2, shape, "fc1.weight");
  float *turned =
      w ? malloc ((size_t) (shape[0] * shape[1]) * sizeof *w) : NULL;
  for (int64_t o = 0; turned && o < hidden; o++)
    for (int64_t c = 0; c < C; c++)
      for (int64_t p = 0; p < POSITIONS; p++)
        turned[(o * POSITIONS + p) * C + c] = w[(o * C + c) * POSITIONS + p];
  free (w);
  CardiacValue wv =
      cardiac_program_constant (k->program, turned, 2, shape, NULL);
  CardiacValue b = cardiac_weights_vector (k->weights, hidden, "fc1.bias");
  x = cardiac_view2 (k->program, x, SEGMENTS, C * POSITIONS);
  return cardiac_linear (k->program, x, wv, b, leaky, 0, CARDIAC_F32, 0, "fc1");
}

static void
classify (Builder *k, CardiacValue x)
{
  const int C = k->net->C[3];
  x = cardiac_view3 (k->program, x, SEGMENTS, POSITIONS, C);
  cardiac_program_output (k->program, "features", x);
  x = first_dense (k, x);
  CardiacValue logits =
      dense (k, x, k->net->scores, CARDIAC_ACTIVATION_NONE, 0, "fc2");
  cardiac_program_output (k->program, "logits", logits);
  cardiac_program_output (k->program, "probabilities",
      cardiac_softmax (k->program, logits, "scores"));
}

/* ---- the scoring branch ----------------------------------------------------------- */

/** Block 1: its first convolution is a KIConv over the phases. */
static CardiacValue
first_block (Builder *k, CardiacValue segments)
{
  const CardiacMmsaNet *n = k->net;
  int64_t stored[4] = { n->C[0], n->T0, 3, 3 },
          shape[4] = { n->C[0], n->t, 3, 3 };
  float *base =
      cardiac_weights_floats (k->weights, 4, stored, "cnn.block1.conv1.weight");
  float *w = base ? malloc ((size_t) (n->C[0] * n->t * 9) * sizeof *w) : NULL;
  if (w)
    cardiac_kiconv_resample (base, n->C[0], 1, n->T0, 9, n->t, w, n->t, 0);
  free (base);
  CardiacValue x = conv (k, segments,
      cardiac_program_constant (k->program, w, 4, shape, NULL),
      cardiac_weights_vector (k->weights, n->C[0], "cnn.block1.conv1.bias"),
      leaky, 0, k->A, "cnn.block1.conv1");
  return conv3x3 (k, x, n->C[0], leaky, 0, k->A, "cnn.block1.conv2");
}

/** Concatenation instead of MSA: the next block's first convolution sees [x, m],
 * m through KIConv weights [C,2,T0,3,3]. */
static CardiacValue
block_on_both (Builder *k, CardiacValue both, int C, CardiacDType dtype, int i)
{
  const CardiacMmsaNet *n = k->net;
  const int64_t out = n->C[i], all = C + 2 * n->t;
  int64_t shape[4] = { out, all, 3, 3 };
  char name[32];
  snprintf (name, sizeof name, "cnn.block%d", i + 1);
  float *x = cardiac_weights_floats (
      k->weights, 4, (int64_t[]){ out, C, 3, 3 }, "%s.conv1.weight", name);
  float *m = cardiac_weights_floats (k->weights, 5,
      (int64_t[]){ out, 2, n->T0, 3, 3 }, "%s.flow.weight", name);
  float *w = x && m ? malloc ((size_t) (out * all * 9) * sizeof *w) : NULL;
  for (int64_t o = 0; w && o < out; o++)
    memcpy (w + o * all * 9, x + o * C * 9, (size_t) C * 9 * sizeof *w);
  if (w)
    cardiac_kiconv_resample (m, out, 2, n->T0, 9, n->t, w, all, C);
  free (x);
  free (m);
  CardiacValue bias =
      cardiac_weights_vector (k->weights, out, "%s.conv1.bias", name);
  CardiacValue wv = cardiac_program_constant (k->program, w, 4, shape, NULL);
  CardiacValue y = conv (k, both, wv, bias, leaky, 0, k->A, name);
  snprintf (name, sizeof name, "cnn.block%d.conv2", i + 1);
  return conv3x3 (k, y, (int) out, leaky, 0, dtype, name);
}

static CardiacValue
permute (
    Builder *k, CardiacValue x, int rank, const int *axes, const char *label)
{
  const CardiacTensor t = cardiac_program_describe (k->program, x);
  int64_t shape[CARDIAC_MAX_RANK];
  CardiacOp op = { .kind = CARDIAC_OP_PERMUTE };
  for (int i = 0; i < rank; i++) {
    op.permute.axes[i] = axes[i];
    shape[i] = t.shape[axes[i]];
  }
  return cardiac_program_op (k->program, &op, (CardiacValue[]){ x }, 1,
      cardiac_program_value (k->program, t.dtype, rank, shape), "%s", label);
}

/** Pictures x [t,h,16 w,C] to segments [16,h,w,t C]. */
static CardiacValue
split (Builder *k, CardiacValue x, const char *label)
{
  const CardiacTensor s = cardiac_program_describe (k->program, x);
  const int64_t t = s.shape[0], h = s.shape[1], w = s.shape[2] / SEGMENTS;
  const int64_t C = s.shape[3];
  x = cardiac_program_reshape (
      k->program, x, 5, (int64_t[]){ t, h, SEGMENTS, w, C });
  x = permute (k, x, 5, (int[]){ 2, 1, 3, 0, 4 }, label);
  return cardiac_program_reshape (
      k->program, x, 4, (int64_t[]){ SEGMENTS, h, w, t * C });
}

/** The flow at scale i: an output, and as the attention wants it. */
static CardiacValue
motion_input (Builder *k, int i)
{
  char name[32];
  snprintf (name, sizeof name, "motion%d", reduction[i]);
  CardiacValue u = cardiac_program_input (k->program, name, CARDIAC_F32, 4,
      (int64_t[]){ k->net->t, ROWS / reduction[i], COLUMNS / reduction[i], 2 });
  cardiac_program_keep (k->program, name);
  snprintf (name, sizeof name, "flow%d", reduction[i]);
  cardiac_program_output (
      k->program, name, permute (k, u, 4, (int[]){ 0, 3, 1, 2 }, name));
  return k->net->attended[i] ? split (k, u, name) : 0;
}

void
cardiac_mmsa_build_scores (
    const CardiacMmsaNet *net, CardiacProgram *program, CardiacWeights *weights)
{
  weights->program = program;
  Builder k = { net, program, weights, cardiac_program_activation (program) };
  CardiacValue polar = cardiac_program_input (program, "polar", CARDIAC_F32, 4,
      (int64_t[]){ net->t, ROWS, COLUMNS, 1 });
  CardiacValue segments = split (&k, polar, "cnn.segments");

  CardiacValue x = first_block (&k, segments);
  for (int i = 0; i < CARDIAC_MMSA_SCALES; i++) {
    char name[32];
    snprintf (name, sizeof name, "cnn.block%d", i + 2);
    /* What follows the last block is float. */
    CardiacDType dtype = i == CARDIAC_MMSA_SCALES - 1 ? CARDIAC_F32 : k.A;
    CardiacValue m = motion_input (&k, i);
    bool both = m && net->concatenate;
    if (both)
      x = beside (&k, (CardiacValue[]){ x, m }, 2, k.A, name);
    else if (m)
      x = msa (&k, x, m, i);
    x = halve (&k, x, name);
    x = both ? block_on_both (&k, x, net->C[i], dtype, i + 1)
             : conv_block (&k, x, net->C[i + 1], dtype, name);
  }
  x = halve (&k, x, "cnn.block4.pool");
  x = net->tse ? tse (&k, x)
               : conv_block (&k, x, net->C[3], CARDIAC_F32, "tse");
  if (net->non_local)
    x = non_local (&k, x);
  classify (&k, x);
}
