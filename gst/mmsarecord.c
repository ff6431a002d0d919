/* SPDX-License-Identifier: LGPL-2.1-or-later */

#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include "mmsarecord.h"

#include <string.h>

#include "network.h"

static void
set_scores (GstCardiacResult *record, const MmsaOutcome *outcome)
{
  record->state = GST_CARDIAC_STATE_RESULT;
  record->has_scores = TRUE;
  memcpy (record->scores, outcome->scores, sizeof record->scores);
  record->index = outcome->index;
  record->scored = GST_CARDIAC_SEGMENTS;
  record->has_score_probabilities = TRUE;
  memcpy (record->score_probabilities, outcome->probabilities,
      sizeof record->score_probabilities);
  record->n_phases = outcome->phases;
  record->motion_step = outcome->step;
  record->motion = g_memdup2 (outcome->motion,
      (gsize) outcome->phases * GST_CARDIAC_SEGMENTS * 2 * sizeof (gfloat));
  record->device = g_strdup (outcome->device);
  record->precision = g_strdup (outcome->precision);
  record->inference_ms = outcome->inference_ms;
}

GstCardiacResult *
mmsa_record_new (
    const Cycle *cycle, const MmsaOutcome *outcome, CardiacModel *model)
{
  GstCardiacResult *record = gst_cardiac_result_new (GST_CARDIAC_RESULT_MMSA);

  network_fill_record (record, model);
  record->pts = cycle->last;
  if (GST_CLOCK_TIME_IS_VALID (cycle->first)
      && GST_CLOCK_TIME_IS_VALID (cycle->last)) {
    record->n_spans = 1;
    record->spans[0][0] = cycle->first;
    record->spans[0][1] = cycle->last;
  }

  if (!outcome) {
    record->state = cycle->state;
    record->reason = g_strdup (cycle->reason);
  } else if (outcome->failure) {
    record->state = GST_CARDIAC_STATE_MODEL_ERROR;
    record->reason = g_strdup (outcome->failure);
  } else {
    set_scores (record, outcome);
  }
  return record;
}
