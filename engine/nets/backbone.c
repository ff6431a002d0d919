/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* X-CLIP's video backbone (Ni et al., ECCV 2022): a CLIP vision transformer
 * whose frames talk through message tokens, a multiframe integration
 * transformer over the frames, and a generator of video-specific prompts.
 *
 * Activations between the first layer and ln_post have the session's dtype
 * (`A`); the residual stream, and everything after ln_post, is float. */
#include "nets/backbone.h"
#include "core/error.h"
#include "core/runtime.h"
#include "nets/ops.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* ---- sizes -------------------------------------------------------------- */

/* Number of layers "PREFIX.0.", "PREFIX.1.", ...: the first index whose probe
 * tensor is not there. */
static int
count_layers (const CardiacModel *model, const char *prefix, const char *probe)
{
  for (int layer = 0;; layer++) {
    char name[160];
    snprintf (name, sizeof name, "%s.%d.%s", prefix, layer, probe);
    if (!cardiac_model_tensor (model, name))
      return layer;
  }
}

/* Rows of a layer's fc1: the free width of its MLP. */
static bool
read_mlp (const CardiacModel *model, const char *prefix, int width, int *mlp,
    CardiacError **error)
{
  char name[160];
  snprintf (name, sizeof name, "%s.0.mlp.fc1.weight", prefix);
  int64_t shape[2] = { -1, width };
  if (!cardiac_model_shape (model, name, 2, shape, error))
    return false;
  *mlp = (int) shape[0];
  return true;
}

static bool
read_heads (const CardiacModel *model, const char *key, int width, int *heads,
    CardiacError **error)
{
  int64_t value;
  if (!cardiac_model_config_int (model, key, 1, width, 0, &value, error))
    return false;
  if (width % value != 0)
    return cardiac_fail (error, CARDIAC_ERROR_MODEL,
        "%s: %s is %d, which does not divide the width %d",
        cardiac_model_path (model), key, (int) value, width);
  *heads = (int) value;
  return true;
}

static bool
read_normalisation (
    CardiacBackbone *b, const CardiacModel *model, CardiacError **error)
{
  double mean[3] = { 0.485, 0.456, 0.406 }, std[3] = { 0.229, 0.224, 0.225 };
  if (!cardiac_model_config_numbers (model, "image_mean", 3, mean, error)
      || !cardiac_model_config_numbers (model, "image_std", 3, std, error))
    return false;
  for (int i = 0; i < 3; i++) {
    if (!(std[i] > 0))
      return cardiac_fail (error, CARDIAC_ERROR_MODEL,
          "%s: image_std must be above 0, found %g", cardiac_model_path (model),
          std[i]);
    b->mean[i] = (float) mean[i];
    b->std[i] = (float) std[i];
  }
  return true;
}

bool
cardiac_backbone_read (
    CardiacBackbone *b, const CardiacModel *model, CardiacError **error)
{
  *b = (CardiacBackbone){ 0 };
  static const char *const activations[] = { "quick_gelu", NULL };
  int activation;
  if (!cardiac_model_config_choice (
          model, "hidden_act", activations, 0, &activation, error))
    return false;

  int64_t patch[4] = { -1, 3, -1, -1 };
  int64_t position[2] = { -1, -1 };
  int64_t projection[2] = { -1, -1 };
  int64_t mit_position[2] = { -1, -1 };
  if (!cardiac_model_shape (
          model, "vision.patch_embedding.weight", 4, patch, error)
      || !cardiac_model_shape (
          model, "vision.position_embedding", 2, position, error)
      || !cardiac_model_shape (
          model, "vision.projection.weight", 2, projection, error)
      || !cardiac_model_shape (
          model, "mit.position_embedding", 2, mit_position, error))
    return false;
  b->D = (int) patch[0];
  b->P = (int) patch[2];
  b->N = (int) position[0] - 1;
  b->E = (int) projection[0];
  b->T = (int) mit_position[0];
  int grid = (int) lrint (sqrt ((double) b->N));
  if (b->N < 1 || grid * grid != b->N || patch[3] != b->P)
    return cardiac_fail (error, CARDIAC_ERROR_MODEL,
        "%s: vision.position_embedding has %d rows; 1 + a square number "
        "expected (patches are %d x %d px)",
        cardiac_model_path (model), b->N + 1, b->P, (int) patch[3]);
  b->S = grid * b->P;

  int64_t side, frames;
  double epsilon;
  if (!cardiac_model_config_int (
          model, "input_side", b->S, b->S, b->S, &side, error)
      || !cardiac_model_config_int (
          model, "frames", b->T, b->T, b->T, &frames, error)
      || !cardiac_model_config_number (
          model, "layer_norm_eps", 1e-5, &epsilon, error)
      || !read_heads (model, "vision_heads", b->D, &b->H, error)
      || !read_heads (model, "mit_heads", b->E, &b->mit_heads, error)
      || !read_heads (model, "prompt_heads", b->E, &b->prompt_heads, error)
      || !read_normalisation (b, model, error))
    return false;
  b->epsilon = (float) epsilon;

  b->L = count_layers (model, "vision.layers", "ln1.weight");
  b->mit_layers = count_layers (model, "mit.layers", "ln1.weight");
  b->prompt_layers = count_layers (model, "prompt.layers", "ln1.weight");
  if (!b->L || !b->mit_layers || !b->prompt_layers)
    return cardiac_fail (error, CARDIAC_ERROR_MODEL,
        "%s: found %d vision, %d MIT and %d prompt layers; at least one of "
        "each expected",
        cardiac_model_path (model), b->L, b->mit_layers, b->prompt_layers);
  return read_mlp (model, "vision.layers", b->D, &b->F, error)
         && read_mlp (model, "mit.layers", b->E, &b->mit_mlp, error)
         && read_mlp (model, "prompt.layers", b->E, &b->prompt_mlp, error);
}

/* ---- pieces of layers ---------------------------------------------------- */

/* What the functions below share. */
typedef struct Builder {
  const CardiacBackbone *b;
  CardiacProgram *program;
  CardiacWeights *weights;
  CardiacDType A; ///< dtype of activations
  char label[160];
} Builder;

static const char *
label (Builder *k, const char *prefix, int layer, const char *what)
{
  snprintf (k->label, sizeof k->label, "%s.%d.%s", prefix, layer, what);
  return k->label;
}

static CardiacValue
layer_norm (
    Builder *k, CardiacValue x, int width, CardiacDType out, const char *name)
{
  char held[160];
  snprintf (held, sizeof held, "%s", name);
  CardiacValue gamma =
      cardiac_weights_vector (k->weights, width, "%s.weight", held);
  CardiacValue beta =
      cardiac_weights_vector (k->weights, width, "%s.bias", held);
  return cardiac_layer_norm (
      k->program, x, gamma, beta, k->b->epsilon, out, held);
}

/* Self-attention of pre-normed rows [B*T,width], added to the residual.
 * @return residual. */
static CardiacValue
self_attention_onto (Builder *k, CardiacValue rows, CardiacValue residual,
    int B, int T, int width, int heads, CardiacDType dtype, const char *prefix,
    int layer, const char *block)
{
  static const char *const qkv[] = { "q", "k", "v" };
  char parts[3][32];
  const char *names[3];
  for (int i = 0; i < 3; i++) {
    snprintf (parts[i], sizeof parts[i], "%s.%s", block, qkv[i]);
    names[i] = parts[i];
  }
  CardiacValue w = cardiac_weights_stack (
      k->weights, names, 3, width, width, prefix, layer, "weight");
  CardiacValue b = cardiac_weights_stack (
      k->weights, names, 3, width, 0, prefix, layer, "bias");
  char what[48];
  snprintf (what, sizeof what, "%s.qkv", block);
  CardiacValue packed = cardiac_linear (k->program, rows, w, b,
      CARDIAC_ACTIVATION_NONE, 0, dtype, T, label (k, prefix, layer, what));
  packed = cardiac_view3 (k->program, packed, B, T, 3 * width);
  CardiacValue mixed = cardiac_attention (k->program, packed, 0, packed, width,
      packed, 2 * width, heads, width / heads, label (k, prefix, layer, block));
  mixed = cardiac_view2 (k->program, mixed, (int64_t) B * T, width);
  w = cardiac_weights_matrix (
      k->weights, width, width, "%s.%d.%s.out.weight", prefix, layer, block);
  b = cardiac_weights_vector (
      k->weights, width, "%s.%d.%s.out.bias", prefix, layer, block);
  snprintf (what, sizeof what, "%s.out", block);
  return cardiac_linear_onto (
      k->program, mixed, w, b, residual, T, label (k, prefix, layer, what));
}

/* x + fc2(QGELU(fc1(LN(x)))), in place. */
static CardiacValue
mlp_onto (Builder *k, CardiacValue x, int group, int width, int hidden,
    CardiacDType dtype, const char *prefix, int layer, const char *norm)
{
  CardiacValue y =
      layer_norm (k, x, width, dtype, label (k, prefix, layer, norm));
  CardiacValue w = cardiac_weights_matrix (
      k->weights, hidden, width, "%s.%d.mlp.fc1.weight", prefix, layer);
  CardiacValue b = cardiac_weights_vector (
      k->weights, hidden, "%s.%d.mlp.fc1.bias", prefix, layer);
  y = cardiac_linear (k->program, y, w, b, CARDIAC_ACTIVATION_QUICK_GELU, 0,
      dtype, group, label (k, prefix, layer, "mlp.fc1"));
  w = cardiac_weights_matrix (
      k->weights, width, hidden, "%s.%d.mlp.fc2.weight", prefix, layer);
  b = cardiac_weights_vector (
      k->weights, width, "%s.%d.mlp.fc2.bias", prefix, layer);
  return cardiac_linear_onto (
      k->program, y, w, b, x, group, label (k, prefix, layer, "mlp.fc2"));
}

/* ---- vision -------------------------------------------------------------- */

/* Patch embedding, class token, positions, ln_pre -> x [T,N+2,D] float. Row 0
 * is the class token, row N+1 the place of the message token, which each
 * layer fills anew. */
static CardiacValue
embed_patches (Builder *k, CardiacValue frames)
{
  const CardiacBackbone *b = k->b;
  int R = b->N + 2, K = 3 * b->P * b->P;
  CardiacOp patchify = { .kind = CARDIAC_OP_PATCHIFY,
    .patchify = { .patch = b->P } };
  CardiacValue rows =
      cardiac_program_op (k->program, &patchify, (CardiacValue[]){ frames }, 1,
          cardiac_program_value (
              k->program, k->A, 2, (int64_t[]){ (int64_t) b->T * b->N, K }),
          "vision.patchify");
  float *filters = cardiac_weights_floats (k->weights, 4,
      (int64_t[]){ b->D, 3, b->P, b->P }, "vision.patch_embedding.weight");
  CardiacValue w = cardiac_program_constant (
      k->program, filters, 2, (int64_t[]){ b->D, K }, NULL);
  CardiacValue patches = cardiac_linear (k->program, rows, w, 0,
      CARDIAC_ACTIVATION_NONE, 0, CARDIAC_F32, b->N, "vision.patch_embedding");
  patches = cardiac_view3 (k->program, patches, b->T, b->N, b->D);

  CardiacOp tokens = { .kind = CARDIAC_OP_TOKENS };
  CardiacValue x = cardiac_program_op (k->program, &tokens,
      (CardiacValue[]){ patches,
          cardiac_weights_vector (k->weights, b->D, "vision.class_embedding"),
          cardiac_weights_matrix (
              k->weights, b->N + 1, b->D, "vision.position_embedding") },
      3,
      cardiac_program_value (
          k->program, CARDIAC_F32, 3, (int64_t[]){ b->T, R, b->D }),
      "vision.tokens");
  x = cardiac_view2 (k->program, x, (int64_t) b->T * R, b->D);
  x = layer_norm (k, x, b->D, CARDIAC_F32, "vision.ln_pre");
  return cardiac_view3 (k->program, x, b->T, R, b->D);
}

/* The message token of each frame: from the class token, mixed over frames. */
static CardiacValue
message (Builder *k, CardiacValue x, int layer)
{
  const CardiacBackbone *b = k->b;
  const char *prefix = "vision.layers";
  CardiacValue cls = cardiac_rows_load (
      k->program, x, 0, 1, k->A, label (k, prefix, layer, "class_token"));
  cls = cardiac_view2 (k->program, cls, b->T, b->D);
  CardiacValue w = cardiac_weights_matrix (
      k->weights, b->D, b->D, "%s.%d.message_fc.weight", prefix, layer);
  CardiacValue bias = cardiac_weights_vector (
      k->weights, b->D, "%s.%d.message_fc.bias", prefix, layer);
  CardiacValue msg =
      cardiac_linear (k->program, cls, w, bias, CARDIAC_ACTIVATION_NONE, 0,
          CARDIAC_F32, b->T, label (k, prefix, layer, "message_fc"));
  CardiacValue normed =
      layer_norm (k, msg, b->D, k->A, label (k, prefix, layer, "message_ln"));
  msg = self_attention_onto (
      k, normed, msg, 1, b->T, b->D, b->H, k->A, prefix, layer, "message_attn");
  return cardiac_view3 (k->program, msg, b->T, 1, b->D);
}

static CardiacValue
vision_layer (Builder *k, CardiacValue x, int layer)
{
  const CardiacBackbone *b = k->b;
  const char *prefix = "vision.layers";
  int R = b->N + 2;
  int64_t rows = (int64_t) b->T * R;
  CardiacValue msg = message (k, x, layer);
  x = cardiac_rows_store (
      k->program, x, msg, b->N + 1, label (k, prefix, layer, "message_token"));
  CardiacValue flat = cardiac_view2 (k->program, x, rows, b->D);
  CardiacValue normed =
      layer_norm (k, flat, b->D, k->A, label (k, prefix, layer, "ln1"));
  flat = self_attention_onto (
      k, normed, flat, b->T, R, b->D, b->H, k->A, prefix, layer, "attn");
  mlp_onto (k, flat, R, b->D, b->F, k->A, prefix, layer, "ln2");
  return x;
}

/* ---- integration over frames, prompts ------------------------------------- */

/* z = blocks(c + positions) + c. */
static CardiacValue
integrate_frames (Builder *k, CardiacValue c)
{
  const CardiacBackbone *b = k->b;
  CardiacValue x = cardiac_add (k->program, c,
      cardiac_weights_matrix (k->weights, b->T, b->E, "mit.position_embedding"),
      "mit.position");
  for (int l = 0; l < b->mit_layers; l++) {
    CardiacValue normed =
        layer_norm (k, x, b->E, CARDIAC_F32, label (k, "mit.layers", l, "ln1"));
    x = self_attention_onto (k, normed, x, 1, b->T, b->E, b->mit_heads,
        CARDIAC_F32, "mit.layers", l, "attn");
    x = mlp_onto (
        k, x, b->T, b->E, b->mit_mlp, CARDIAC_F32, "mit.layers", l, "ln2");
  }
  return cardiac_add (k->program, x, c, "mit.residual");
}

/* One prompt layer: class texts look at the video's patches v [N,E]. */
static CardiacValue
prompt_layer (
    Builder *k, CardiacValue text, CardiacValue v, int classes, int layer)
{
  static const char *const kv[] = { "attn.k", "attn.v" };
  const CardiacBackbone *b = k->b;
  const char *prefix = "prompt.layers";
  CardiacValue q =
      layer_norm (k, text, b->E, CARDIAC_F32, label (k, prefix, layer, "ln1"));
  q = cardiac_linear (k->program, q,
      cardiac_weights_matrix (
          k->weights, b->E, b->E, "%s.%d.attn.q.weight", prefix, layer),
      0, CARDIAC_ACTIVATION_NONE, 0, CARDIAC_F32, classes,
      label (k, prefix, layer, "attn.q"));
  CardiacValue packed = cardiac_linear (k->program, v,
      cardiac_weights_stack (
          k->weights, kv, 2, b->E, b->E, prefix, layer, "weight"),
      0, CARDIAC_ACTIVATION_NONE, 0, CARDIAC_F32, b->N,
      label (k, prefix, layer, "attn.kv"));
  q = cardiac_view3 (k->program, q, 1, classes, b->E);
  packed = cardiac_view3 (k->program, packed, 1, b->N, 2 * b->E);
  CardiacValue mixed = cardiac_attention (k->program, q, 0, packed, 0, packed,
      b->E, b->prompt_heads, b->E / b->prompt_heads,
      label (k, prefix, layer, "attn"));
  mixed = cardiac_view2 (k->program, mixed, classes, b->E);
  text = cardiac_linear (k->program, mixed,
      cardiac_weights_matrix (
          k->weights, b->E, b->E, "%s.%d.attn.out.weight", prefix, layer),
      cardiac_weights_vector (
          k->weights, b->E, "%s.%d.attn.out.bias", prefix, layer),
      CARDIAC_ACTIVATION_NONE, text, CARDIAC_F32, classes,
      label (k, prefix, layer, "attn.out"));
  return mlp_onto (
      k, text, classes, b->E, b->prompt_mlp, CARDIAC_F32, prefix, layer, "ln3");
}

/* t' = t + alpha ⊙ t_layers, with v = LN(mean_t p). */
static CardiacValue
prompt_texts (Builder *k, CardiacValue text, CardiacValue p, int classes)
{
  const CardiacBackbone *b = k->b;
  CardiacValue v =
      cardiac_view3 (k->program, p, 1, b->T, (int64_t) b->N * b->E);
  v = cardiac_mean (k->program, v, "prompt.mean");
  v = cardiac_view2 (k->program, v, b->N, b->E);
  v = layer_norm (k, v, b->E, CARDIAC_F32, "prompt.ln");
  CardiacValue stream = text;
  for (int l = 0; l < b->prompt_layers; l++)
    stream = prompt_layer (k, stream, v, classes, l);
  CardiacValue change = cardiac_multiply (k->program, stream,
      cardiac_weights_vector (k->weights, b->E, "prompt.alpha"),
      "prompt.alpha");
  return cardiac_add (k->program, change, text, "prompt.text");
}

CardiacBackboneValues
cardiac_backbone_build (const CardiacBackbone *b, CardiacProgram *program,
    CardiacWeights *weights, CardiacValue frames, CardiacValue text,
    int classes)
{
  Builder builder = { .b = b,
    .program = program,
    .weights = weights,
    .A = cardiac_program_activation (program) };
  Builder *k = &builder;
  CardiacBackboneValues out;

  CardiacValue x = embed_patches (k, frames);
  for (int l = 0; l < b->L; l++)
    x = vision_layer (k, x, l);

  CardiacValue cls =
      cardiac_rows_load (program, x, 0, 1, CARDIAC_F32, "vision.class");
  cls = cardiac_view2 (program, cls, b->T, b->D);
  cls = layer_norm (k, cls, b->D, CARDIAC_F32, "vision.ln_post");
  out.c = cardiac_linear (program, cls,
      cardiac_weights_matrix (weights, b->E, b->D, "vision.projection.weight"),
      0, CARDIAC_ACTIVATION_NONE, 0, CARDIAC_F32, b->T, "vision.projection");

  CardiacValue patches =
      cardiac_rows_load (program, x, 1, b->N, CARDIAC_F32, "vision.patches");
  patches = cardiac_view2 (program, patches, (int64_t) b->T * b->N, b->D);
  patches = layer_norm (k, patches, b->D, CARDIAC_F32, "prompt.ln_visual");
  CardiacValue p = cardiac_linear (program, patches,
      cardiac_weights_matrix (
          weights, b->E, b->D, "prompt.visual_projection.weight"),
      0, CARDIAC_ACTIVATION_NONE, 0, CARDIAC_F32, b->N,
      "prompt.visual_projection");
  out.p = cardiac_view3 (program, p, b->T, b->N, b->E);

  out.z = integrate_frames (k, out.c);
  out.prompted = prompt_texts (k, text, out.p, classes);
  return out;
}
