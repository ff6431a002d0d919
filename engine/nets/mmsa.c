/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* MMSA behind its public interface: the flow of all pairs of a cycle, some
 * pairs at a time, then the scores of the 16 segments. */
#include <cardiac/mmsa.h>

#include "core/error.h"
#include "nets/mmsa-net.h"
#include "nets/programs.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
  SEGMENTS = CARDIAC_MMSA_SEGMENTS,
  ROWS = CARDIAC_MMSA_ROWS,
  COLUMNS = CARDIAC_MMSA_COLUMNS,
  SCALES = CARDIAC_MMSA_SCALES,
  /** Pairs that go through the flow branch at once: enough work for some
   * threads, and memory that does not grow with the phases. */
  BATCH = 4,
};

static const struct {
  int rows, columns;
  const char *flow, *motion, *attention;
} scales[SCALES] = {
  { ROWS, COLUMNS, "flow1", "motion1", "attention1" },
  { ROWS / 2, COLUMNS / 2, "flow2", "motion2", "attention2" },
  { ROWS / 4, COLUMNS / 4, "flow4", "motion4", "attention3" },
};

struct CardiacMmsa {
  CardiacModel *model;
  CardiacRuntime *runtime;
  CardiacProgram *flow, *score;
  CardiacMmsaNet net;
  CardiacMmsaShape shape;
};

/* ---- making ---------------------------------------------------------------- */

static bool
plan (CardiacMmsa *m, CardiacError **error)
{
  m->flow = cardiac_program_new (m->runtime);
  m->score = cardiac_program_new (m->runtime);
  if (!m->flow || !m->score)
    return cardiac_fail (error, CARDIAC_ERROR_NO_MEMORY, "no memory");
  CardiacWeights weights;
  cardiac_weights_init (&weights, m->model, m->flow);
  cardiac_mmsa_build_flow (&m->net, m->flow, &weights, BATCH);
  cardiac_mmsa_build_scores (&m->net, m->score, &weights);
  cardiac_weights_all_used (&weights);
  cardiac_weights_clear (&weights);
  return cardiac_program_plan (m->flow, error)
         && cardiac_program_plan (m->score, error);
}

static bool
check_arguments (CardiacModel *model, int phases, CardiacError **error)
{
  if (cardiac_model_arch (model) != CARDIAC_ARCH_MMSA)
    return cardiac_fail (error, CARDIAC_ERROR_INVALID_ARGUMENT,
        "%s is a '%s' model; 'mmsa' expected", cardiac_model_path (model),
        cardiac_arch_name (cardiac_model_arch (model)));
  if (phases < CARDIAC_MMSA_MIN_PHASES || phases > CARDIAC_MMSA_MAX_PHASES)
    return cardiac_fail (error, CARDIAC_ERROR_INVALID_ARGUMENT,
        "a cycle of %d phases was given; %d to %d expected", phases,
        CARDIAC_MMSA_MIN_PHASES, CARDIAC_MMSA_MAX_PHASES);
  return true;
}

CardiacMmsa *
cardiac_mmsa_new (CardiacModel *model, int phases,
    const CardiacSettings *settings, CardiacError **error)
{
  if (!check_arguments (model, phases, error))
    return NULL;
  CardiacMmsa *m = calloc (1, sizeof *m);
  if (!m) {
    cardiac_fail (error, CARDIAC_ERROR_NO_MEMORY, "no memory");
    return NULL;
  }
  m->model = cardiac_model_ref (model);
  CardiacSettings chosen = *settings;
  if (chosen.precision == CARDIAC_PRECISION_AUTO)
    chosen.precision = CARDIAC_PRECISION_FP32;
  if (!cardiac_mmsa_net_read (&m->net, model, phases, error)
      || !(m->runtime = cardiac_runtime_new (&chosen, error))
      || !plan (m, error)) {
    cardiac_mmsa_free (&m);
    return NULL;
  }
  m->shape = (CardiacMmsaShape){ .phases = phases,
    .flow_step = m->net.d,
    .scores = m->net.scores,
    .kernel_taps = m->net.T0,
    .features = m->net.C[3] };
  return m;
}

void
cardiac_mmsa_free (CardiacMmsa **mmsa)
{
  if (!mmsa || !*mmsa)
    return;
  CardiacMmsa *m = *mmsa;
  cardiac_program_free (&m->flow);
  cardiac_program_free (&m->score);
  cardiac_runtime_free (&m->runtime);
  cardiac_model_unref (&m->model);
  free (m);
  *mmsa = NULL;
}

const CardiacMmsaShape *
cardiac_mmsa_shape (const CardiacMmsa *mmsa)
{
  return &mmsa->shape;
}

const CardiacRunInfo *
cardiac_mmsa_run_info (const CardiacMmsa *mmsa)
{
  return cardiac_runtime_info (mmsa->runtime);
}

CardiacProgram *
cardiac_mmsa_flow_program (CardiacMmsa *mmsa)
{
  return mmsa->flow;
}

CardiacProgram *
cardiac_mmsa_score_program (CardiacMmsa *mmsa)
{
  return mmsa->score;
}

int
cardiac_mmsa_flow_runs (const CardiacMmsa *mmsa)
{
  return (mmsa->net.t + BATCH - 1) / BATCH;
}

/* ---- results ----------------------------------------------------------------- */

static CardiacMmsaResult *
result_new (const CardiacMmsaNet *net)
{
  CardiacMmsaResult *r = calloc (1, sizeof *r);
  if (!r)
    return NULL;
  r->phases = net->t;
  float **flow[] = { &r->flow1, &r->flow2, &r->flow4 };
  float **attention[] = { &r->attention1, &r->attention2, &r->attention3 };
  bool there = true;
  for (int i = 0; i < SCALES; i++) {
    size_t area = (size_t) scales[i].rows * scales[i].columns;
    *flow[i] = calloc ((size_t) net->t * 2 * area, sizeof (float));
    there = there && *flow[i];
    if (!net->attended[i] || net->concatenate)
      continue;
    *attention[i] = calloc (area, sizeof (float));
    there = there && *attention[i];
  }
  r->features = calloc ((size_t) SEGMENTS * net->C[3] * 10, sizeof (float));
  if (!there || !r->features)
    cardiac_mmsa_result_free (&r);
  return r;
}

void
cardiac_mmsa_result_free (CardiacMmsaResult **result)
{
  if (!result || !*result)
    return;
  CardiacMmsaResult *r = *result;
  free (r->flow1);
  free (r->flow2);
  free (r->flow4);
  free (r->attention1);
  free (r->attention2);
  free (r->attention3);
  free (r->features);
  free (r);
  *result = NULL;
}

/* ---- running ------------------------------------------------------------------- */

/** (P_j, P_{j+d mod t}) side by side, a pixel after the other. */
static void
load_pair (const CardiacMmsaNet *net, const float *polar, int j, float *pair)
{
  const size_t area = (size_t) ROWS * COLUMNS;
  const float *a = polar + j * area, *b = polar + (j + net->d) % net->t * area;
  for (size_t i = 0; i < area; i++) {
    pair[2 * i] = a[i];
    pair[2 * i + 1] = b[i];
  }
}

/** u of a batch's pairs, of which `first` is the first, to the scoring branch. */
static void
pass_flow (CardiacMmsa *m, int first)
{
  for (int i = 0; i < SCALES; i++) {
    const int64_t flow = (int64_t) scales[i].rows * scales[i].columns * 2;
    cardiac_program_pass (m->flow, scales[i].flow, 0, m->score,
        scales[i].motion, first * flow, BATCH * flow);
  }
}

/** The last pairs go together with some that were there already: a batch is
 * always full, and a pair's flow does not depend on its neighbours. */
static bool
run_flow (CardiacMmsa *m, const float *polar, CardiacError **error)
{
  const size_t pair = (size_t) ROWS * COLUMNS * 2;
  float *pairs = cardiac_program_data (m->flow, "pairs", NULL);
  for (int next = 0; next < m->net.t; next += BATCH) {
    const int first = next + BATCH <= m->net.t ? next : m->net.t - BATCH;
    for (int i = 0; i < BATCH; i++)
      load_pair (&m->net, polar, first + i, pairs + i * pair);
    if (!cardiac_program_run (m->flow, error))
      return false;
    pass_flow (m, first);
  }
  return true;
}

static void
copy_out (CardiacProgram *program, const char *name, float *to)
{
  CardiacTensor tensor;
  const float *from = cardiac_program_data (program, name, &tensor);
  if (from && to)
    memcpy (to, from, sizeof *to * (size_t) cardiac_tensor_count (&tensor));
}

/** [16,h,w,C] to [16,C,h,w]. */
static void
copy_features (CardiacMmsa *m, float *to)
{
  CardiacTensor tensor;
  const float *from = cardiac_program_data (m->score, "features", &tensor);
  const int64_t C = m->net.C[3];
  const int64_t positions = cardiac_tensor_count (&tensor) / (SEGMENTS * C);
  for (int64_t k = 0; k < SEGMENTS; k++)
    for (int64_t c = 0; c < C; c++)
      for (int64_t p = 0; p < positions; p++)
        to[(k * C + c) * positions + p] = from[(k * positions + p) * C + c];
}

static bool
run_scores (CardiacMmsa *m, const float *polar, CardiacMmsaResult *r,
    CardiacError **error)
{
  memcpy (cardiac_program_data (m->score, "polar", NULL), polar,
      (size_t) m->net.t * ROWS * COLUMNS * sizeof *polar);
  if (!cardiac_program_run (m->score, error))
    return false;
  copy_out (m->score, "flow1", r->flow1);
  copy_out (m->score, "flow2", r->flow2);
  copy_out (m->score, "flow4", r->flow4);
  copy_out (m->score, "attention1", r->attention1);
  copy_out (m->score, "attention2", r->attention2);
  copy_out (m->score, "attention3", r->attention3);
  copy_out (m->score, "logits", r->logits[0]);
  copy_out (m->score, "probabilities", r->probabilities[0]);
  copy_features (m, r->features);
  return true;
}

/** Score = 1 + argmax, the lowest on ties; index = their mean. */
static bool
decide (CardiacMmsa *m, CardiacMmsaResult *r, CardiacError **error)
{
  int sum = 0;
  for (int k = 0; k < SEGMENTS; k++) {
    int best = 0;
    for (int s = 0; s < m->net.scores; s++) {
      if (!isfinite (r->logits[k][s]))
        return cardiac_fail (error, CARDIAC_ERROR_MODEL,
            "%s gives a result that is not a number: its weights are damaged, "
            "or too large for %s",
            cardiac_model_path (m->model),
            cardiac_mmsa_run_info (m)->precision);
      if (r->logits[k][s] > r->logits[k][best])
        best = s;
    }
    r->scores[k] = 1 + best;
    sum += r->scores[k];
  }
  r->index = (float) sum / SEGMENTS;
  return true;
}

CardiacMmsaResult *
cardiac_mmsa_run (CardiacMmsa *mmsa, const float *polar, CardiacError **error)
{
  CardiacMmsaResult *r = result_new (&mmsa->net);
  if (!r) {
    cardiac_fail (error, CARDIAC_ERROR_NO_MEMORY, "no memory for a result");
    return NULL;
  }
  if (!run_flow (mmsa, polar, error) || !run_scores (mmsa, polar, r, error)
      || !decide (mmsa, r, error))
    cardiac_mmsa_result_free (&r);
  return r;
}
