/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <cardiac/xclip.h>

#include "core/error.h"
#include "nets/backbone.h"
#include "nets/ops.h"
#include "nets/programs.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

struct CardiacXclip {
  CardiacModel *model;
  CardiacRuntime *runtime;
  CardiacProgram *program;
  CardiacBackbone backbone;
  CardiacXclipShape shape;
};

static const char *const known_keys[] = { "input_side", "frames",
  "vision_heads", "mit_heads", "prompt_heads", "hidden_act", "layer_norm_eps",
  "image_mean", "image_std", "labels", NULL };

/* exp(logit_scale) of the file. */
static float
read_logit_scale (CardiacWeights *weights)
{
  float *scale = cardiac_weights_floats (weights, 0, NULL, "logit_scale");
  float value = scale ? expf (*scale) : 1;
  free (scale);
  return value;
}

static void
build (CardiacXclip *x, CardiacWeights *weights)
{
  const CardiacBackbone *b = &x->backbone;
  CardiacProgram *program = x->program;
  int C = x->shape.classes;
  CardiacValue frames = cardiac_program_input (
      program, "frames", CARDIAC_F32, 4, (int64_t[]){ b->T, 3, b->S, b->S });
  CardiacValue t = cardiac_program_input (
      program, "text", CARDIAC_F32, 2, (int64_t[]){ C, b->E });
  CardiacBackboneValues v =
      cardiac_backbone_build (b, program, weights, frames, t, C);

  /* exp(logit_scale) cos(mean_t z, t'_c). */
  CardiacValue f = cardiac_mean (
      program, cardiac_view3 (program, v.z, 1, b->T, b->E), "video.mean");
  CardiacOp cosine = { .kind = CARDIAC_OP_COSINE,
    .cosine = { .scale = read_logit_scale (weights) } };
  CardiacValue logits = cardiac_program_op (program, &cosine,
      (CardiacValue[]){ f, cardiac_view3 (program, v.prompted, 1, C, b->E) }, 2,
      cardiac_program_value (program, CARDIAC_F32, 2, (int64_t[]){ 1, C }),
      "logits");
  cardiac_program_output (program, "frame_features", v.c);
  cardiac_program_output (program, "patch_features", v.p);
  cardiac_program_output (program, "video_features", v.z);
  cardiac_program_output (program, "prompted_text", v.prompted);
  cardiac_program_output (
      program, "logits", cardiac_view1 (program, logits, C));
  cardiac_weights_all_used (weights);
}

CardiacXclip *
cardiac_xclip_new (
    CardiacModel *model, const CardiacSettings *settings, CardiacError **error)
{
  if (cardiac_model_arch (model) != CARDIAC_ARCH_XCLIP) {
    cardiac_fail (error, CARDIAC_ERROR_INVALID_ARGUMENT,
        "%s is a '%s' model; 'xclip' expected", cardiac_model_path (model),
        cardiac_arch_name (cardiac_model_arch (model)));
    return NULL;
  }
  CardiacXclip *x = calloc (1, sizeof *x);
  if (!x) {
    cardiac_fail (error, CARDIAC_ERROR_NO_MEMORY, "no memory");
    return NULL;
  }
  x->model = cardiac_model_ref (model);
  CardiacBackbone *b = &x->backbone;
  int64_t text_shape[2] = { -1, -1 };
  if (!cardiac_model_config_known (model, known_keys, error)
      || !cardiac_backbone_read (b, model, error))
    goto failed;
  text_shape[1] = b->E;
  float *text =
      cardiac_model_floats (model, "text.embeddings", 2, text_shape, error);
  if (!text)
    goto failed;
  x->shape = (CardiacXclipShape){ .frames = b->T,
    .side = b->S,
    .patches = b->N,
    .embed = b->E,
    .classes = (int) text_shape[0] };
  memcpy (x->shape.mean, b->mean, sizeof b->mean);
  memcpy (x->shape.std, b->std, sizeof b->std);

  x->runtime = cardiac_runtime_new (settings, error);
  x->program = x->runtime ? cardiac_program_new (x->runtime) : NULL;
  bool planned = false;
  if (x->program) {
    CardiacWeights weights;
    cardiac_weights_init (&weights, model, x->program);
    cardiac_weights_note (&weights, "text.embeddings");
    build (x, &weights);
    cardiac_weights_clear (&weights);
    planned = cardiac_program_plan (x->program, error);
    if (planned)
      memcpy (cardiac_program_data (x->program, "text", NULL), text,
          sizeof (float) * text_shape[0] * text_shape[1]);
  }
  free (text);
  if (planned)
    return x;

failed:
  cardiac_xclip_free (&x);
  return NULL;
}

void
cardiac_xclip_free (CardiacXclip **xclip)
{
  if (!xclip || !*xclip)
    return;
  CardiacXclip *x = *xclip;
  cardiac_program_free (&x->program);
  cardiac_runtime_free (&x->runtime);
  cardiac_model_unref (&x->model);
  free (x);
  *xclip = NULL;
}

const CardiacRunInfo *
cardiac_xclip_run_info (const CardiacXclip *xclip)
{
  return cardiac_runtime_info (xclip->runtime);
}

const CardiacXclipShape *
cardiac_xclip_shape (const CardiacXclip *xclip)
{
  return &xclip->shape;
}

CardiacProgram *
cardiac_xclip_program (CardiacXclip *xclip)
{
  return xclip->program;
}

bool
cardiac_xclip_run (
    CardiacXclip *xclip, const float *frames, CardiacError **error)
{
  CardiacTensor input;
  float *to = cardiac_program_data (xclip->program, "frames", &input);
  memcpy (to, frames, sizeof *to * cardiac_tensor_count (&input));
  return cardiac_program_run (xclip->program, error);
}

bool
cardiac_xclip_output (
    const CardiacXclip *xclip, const char *name, CardiacTensor *tensor)
{
  return cardiac_program_data (xclip->program, name, tensor) != NULL;
}
