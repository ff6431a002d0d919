/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* MReg's head (Liu et al. 2025): presence and selection, feature
 * amplification (Eq. 1), the mixture of experts (Eq. 3), dot-product fusion
 * and regression. All float; less than 0.1 % of a backbone's pass. */
#include "nets/head.h"
#include "core/error.h"
#include "nets/ops.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

static bool
read_choices (CardiacHead *h, const CardiacModel *model, CardiacError **error)
{
  static const char *const paddings[] = { "zero", "replicate", NULL };
  static const char *const norms[] = { "video", "running", NULL };
  static const char *const selects[] = { "logit", "probability", NULL };
  static const char *const gates[] = { "matrix", "row", NULL };
  int padding, norm, select, gate;
  if (!cardiac_model_config_choice (
          model, "amp_padding", paddings, 1, &padding, error)
      || !cardiac_model_config_choice (model, "norm", norms, 0, &norm, error)
      || !cardiac_model_config_choice (
          model, "select", selects, 0, &select, error)
      || !cardiac_model_config_choice (
          model, "expert_gate", gates, 0, &gate, error))
    return false;
  h->replicate = padding == 1;
  h->running = norm == 1;
  h->probability = select == 1;
  h->gate_rows = gate == 1;
  return true;
}

bool
cardiac_head_read (
    CardiacHead *h, const CardiacModel *model, CardiacError **error)
{
  for (int i = 0; i < h->K - 1; i++)
    h->thresholds[i] = 0.5 + i;
  if (!read_choices (h, model, error)
      || !cardiac_model_config_number (model, "beta", 2, &h->beta, error)
      || !cardiac_model_config_number (
          model, "norm_eps", 1e-5, &h->norm_epsilon, error)
      || !cardiac_model_config_numbers (
          model, "thresholds", h->K - 1, h->thresholds, error))
    return false;
  for (int i = 1; i < h->K - 1; i++)
    if (!(h->thresholds[i] > h->thresholds[i - 1]))
      return cardiac_fail (error, CARDIAC_ERROR_MODEL,
          "%s: thresholds must increase, found %g after %g",
          cardiac_model_path (model), h->thresholds[i], h->thresholds[i - 1]);
  return true;
}

/* softmax over k of the Frobenius norm of W_k, or of its rows for each input
 * channel c: gate[k*E + c]. */
static void
expert_gates (const CardiacHead *h, const float *w, double *gate)
{
  int E = h->E, K = h->K;
  for (int k = 0; k < K; k++) {
    double frobenius = 0;
    for (int c = 0; c < E; c++) {
      double row = 0;
      for (int j = 0; j < E; j++) {
        double x = w[((int64_t) k * E + c) * E + j];
        row += x * x;
      }
      gate[k * E + c] = sqrt (row);
      frobenius += row;
    }
    if (!h->gate_rows)
      for (int c = 0; c < E; c++)
        gate[k * E + c] = sqrt (frobenius);
  }
  for (int c = 0; c < E; c++) {
    double top = gate[c], sum = 0;
    for (int k = 1; k < K; k++)
      top = fmax (top, gate[k * E + c]);
    for (int k = 0; k < K; k++)
      sum += gate[k * E + c] = exp (gate[k * E + c] - top);
    for (int k = 0; k < K; k++)
      gate[k * E + c] /= sum;
  }
}

/* Constants of the experts: Wv_k diag(wv_k), so that h_k = Wv_k (a ⊙ wv_k),
 * and diag(wt_k) Wt_kᵀ, so that q_k = Wt_kᵀ h_k ⊙ wt_k. */
static CardiacValue
expert_constant (const CardiacHead *h, CardiacProgram *program, const float *w,
    const double *gate, int k, bool transpose)
{
  int E = h->E;
  float *out = malloc (sizeof *out * E * E);
  for (int r = 0; out && r < E; r++)
    for (int c = 0; c < E; c++)
      out[(int64_t) r * E + c] =
          transpose
              ? (float) (w[((int64_t) k * E + c) * E + r] * gate[k * E + r])
              : (float) (w[((int64_t) k * E + r) * E + c] * gate[k * E + c]);
  return cardiac_program_constant (program, out, 2, (int64_t[]){ E, E }, NULL);
}

/* q [I*T, K*E]: what each patch feature is multiplied with, before t'. */
static CardiacValue
experts (const CardiacHead *h, CardiacProgram *program, CardiacWeights *weights,
    CardiacValue a)
{
  int64_t shape[3] = { h->K, h->E, h->E };
  int64_t rows = (int64_t) h->I * h->T;
  float *video =
      cardiac_weights_floats (weights, 3, shape, "head.expert_video.weight");
  float *text =
      cardiac_weights_floats (weights, 3, shape, "head.expert_text.weight");
  double *gate = calloc (2 * (size_t) h->K * h->E, sizeof *gate);
  CardiacValue q[CARDIAC_MREG_MAX_CLASSES] = { 0 };
  if (video && text && gate) {
    double *text_gate = gate + (size_t) h->K * h->E;
    expert_gates (h, video, gate);
    expert_gates (h, text, text_gate);
    a = cardiac_view2 (program, a, rows, h->E);
    for (int k = 0; k < h->K; k++) {
      CardiacValue hk = cardiac_linear (program, a,
          expert_constant (h, program, video, gate, k, false), 0,
          CARDIAC_ACTIVATION_NONE, 0, CARDIAC_F32, h->T, "head.expert_video");
      q[k] = cardiac_linear (program, hk,
          expert_constant (h, program, text, text_gate, k, true), 0,
          CARDIAC_ACTIVATION_NONE, 0, CARDIAC_F32, h->T, "head.expert_text");
    }
  }
  free (video);
  free (text);
  free (gate);
  return cardiac_concat (program, q, h->K, "head.experts");
}

static CardiacValue
amplify (const CardiacHead *h, CardiacProgram *program, CardiacWeights *weights,
    CardiacValue z)
{
  int E = h->E;
  CardiacValue mean = 0, variance = 0;
  float *filter = cardiac_weights_floats (
      weights, 3, (int64_t[]){ E, 1, 3 }, "head.amp.conv.weight");
  CardiacValue conv =
      cardiac_program_constant (program, filter, 2, (int64_t[]){ E, 3 }, NULL);
  if (h->running) {
    mean = cardiac_weights_vector (weights, E, "head.amp.norm.running_mean");
    variance = cardiac_weights_vector (weights, E, "head.amp.norm.running_var");
  }
  CardiacOp op = { .kind = CARDIAC_OP_AMPLIFY,
    .amplify = { .beta = (float) h->beta,
        .epsilon = (float) h->norm_epsilon,
        .replicate = h->replicate } };
  return cardiac_program_op (program, &op,
      (CardiacValue[]){ z, conv,
          cardiac_weights_vector (weights, E, "head.amp.conv.bias"),
          cardiac_weights_vector (weights, E, "head.amp.norm.weight"),
          cardiac_weights_vector (weights, E, "head.amp.norm.bias"), mean,
          variance },
      7,
      cardiac_program_value (
          program, CARDIAC_F32, 3, (int64_t[]){ h->I, h->T, E }),
      "head.amplify");
}

/* s2 [I,2]: X-CLIP logits of (normal, regurgitation) an instance. */
static void
presence (const CardiacHead *h, CardiacProgram *program,
    CardiacWeights *weights, CardiacValue z)
{
  CardiacValue text = cardiac_program_input (
      program, "presence_text", CARDIAC_F32, 3, (int64_t[]){ h->I, 2, h->E });
  float *scale = cardiac_weights_floats (weights, 0, NULL, "logit_scale");
  CardiacOp cosine = { .kind = CARDIAC_OP_COSINE,
    .cosine = { .scale = scale ? expf (*scale) : 1 } };
  free (scale);
  CardiacValue f = cardiac_mean (program, z, "head.video_mean");
  CardiacValue s2 = cardiac_program_op (program, &cosine,
      (CardiacValue[]){ f, text }, 2,
      cardiac_program_value (program, CARDIAC_F32, 2, (int64_t[]){ h->I, 2 }),
      "head.s2");
  cardiac_program_output (program, "s2", s2);
  cardiac_program_output (
      program, "presence", cardiac_softmax (program, s2, "head.presence"));
}

/* r[i,t] = Σ_k c_k e[i,t,k] + b and its means; the mixed map without b. */
static void
regress (const CardiacHead *h, CardiacProgram *program, CardiacWeights *weights,
    CardiacValue e)
{
  int I = h->I, T = h->T, N = h->N, K = h->K;
  float *mix =
      cardiac_weights_floats (weights, 1, (int64_t[]){ K }, "head.mix.weight");
  CardiacValue c =
      cardiac_program_constant (program, mix, 2, (int64_t[]){ 1, K }, NULL);
  float *bias = cardiac_weights_floats (weights, 0, NULL, "head.mix.bias");
  CardiacValue b =
      cardiac_program_constant (program, bias, 1, (int64_t[]){ 1 }, NULL);

  CardiacValue frame = cardiac_mean (program, e, "head.mean_patches");
  CardiacValue curve = cardiac_linear (program, frame, c, b,
      CARDIAC_ACTIVATION_NONE, 0, CARDIAC_F32, T, "head.curve");
  CardiacValue expert = cardiac_mean (
      program, cardiac_view3 (program, frame, I, T, K), "head.mean_frames");
  CardiacValue regression = cardiac_mean (
      program, cardiac_view3 (program, curve, I, T, 1), "head.regression");
  CardiacValue mixed = cardiac_linear (program,
      cardiac_view2 (program, e, (int64_t) I * T * N, K), c, 0,
      CARDIAC_ACTIVATION_NONE, 0, CARDIAC_F32, N, "head.mixed");
  cardiac_program_output (program, "experts", expert);
  cardiac_program_output (
      program, "curve", cardiac_view2 (program, curve, I, T));
  cardiac_program_output (
      program, "regression", cardiac_view1 (program, regression, I));
  cardiac_program_output (
      program, "mixed", cardiac_view3 (program, mixed, I, T, N));
}

void
cardiac_head_build (
    const CardiacHead *h, CardiacProgram *program, CardiacWeights *weights)
{
  int I = h->I, T = h->T, N = h->N, E = h->E, K = h->K;
  CardiacValue z = cardiac_program_input (
      program, "video_features", CARDIAC_F32, 3, (int64_t[]){ I, T, E });
  CardiacValue p = cardiac_program_input (
      program, "patch_features", CARDIAC_F32, 4, (int64_t[]){ I, T, N, E });
  presence (h, program, weights, z);
  CardiacValue a = amplify (h, program, weights, z);
  cardiac_program_output (program, "amplified", a);

  /* e[i,t,n,k] = <p[i,t,n], q_k[i,t] ⊙ t'[i,k]> / √E: f3 is never made. */
  CardiacValue q = experts (h, program, weights, a);
  q = cardiac_view3 (program, q, 1, (int64_t) I * T, (int64_t) K * E);
  for (int i = 0; i < I; i++) {
    char name[32];
    snprintf (name, sizeof name, "grade_text.%d", i);
    CardiacValue text = cardiac_program_input (
        program, name, CARDIAC_F32, 1, (int64_t[]){ (int64_t) K * E });
    CardiacValue rows =
        cardiac_rows_load (program, q, i * T, T, CARDIAC_F32, "head.instance");
    rows = cardiac_multiply (program, rows, text, "head.text");
    q = cardiac_rows_store (program, q, rows, i * T, "head.instance");
  }
  CardiacValue e = cardiac_matmul (program,
      cardiac_view3 (program, p, (int64_t) I * T, N, E),
      cardiac_view3 (program, q, (int64_t) I * T, K, E),
      (float) (1 / sqrt ((double) E)), "head.activation");
  cardiac_program_output (program, "activation",
      cardiac_program_reshape (program, e, 4, (int64_t[]){ I, T, N, K }));
  regress (h, program, weights, e);
}
