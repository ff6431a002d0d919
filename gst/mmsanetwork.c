/* SPDX-License-Identifier: LGPL-2.1-or-later */

#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include "mmsanetwork.h"

#include <string.h>

#include "network.h"

#define ROWS CARDIAC_MMSA_ROWS
#define COLUMNS CARDIAC_MMSA_COLUMNS
#define SEGMENTS CARDIAC_MMSA_SEGMENTS
#define SEGMENT_COLUMNS (COLUMNS / SEGMENTS)

/* A usual length of a cycle; a network is planned for it at the start, so that
 * a model that does not fit is an error there. */
#define USUAL_PHASES 20

/* Apical segments are 48 columns of the polar picture in 32. */
#define FIRST_APICAL_SEGMENT 12
#define APICAL_STRETCH 1.5f

struct _MmsaNetwork {
  NetworkPlan plan;

  CardiacMmsa *mmsa;
  gfloat *polar; /* of the last cycle that was scored */
  MmsaOutcome *last;
};

/* ---- jobs and outcomes ------------------------------------------------- */

static gsize
polar_size (guint phases)
{
  return (gsize) phases * ROWS * COLUMNS * sizeof (gfloat);
}

MmsaJob *
mmsa_job_new (guint phases, gfloat *polar)
{
  MmsaJob *job = g_new (MmsaJob, 1);

  job->phases = phases;
  job->polar = polar;
  return job;
}

void
mmsa_job_free (MmsaJob *job)
{
  g_free (job->polar);
  g_free (job);
}

void
mmsa_outcome_free (MmsaOutcome *outcome)
{
  if (!outcome)
    return;
  g_free (outcome->motion);
  g_free (outcome->device);
  g_free (outcome->precision);
  g_free (outcome->failure);
  g_free (outcome->detail);
  g_free (outcome);
}

static MmsaOutcome *
mmsa_outcome_copy (const MmsaOutcome *from)
{
  MmsaOutcome *outcome = g_memdup2 (from, sizeof *from);

  outcome->motion = g_memdup2 (
      from->motion, (gsize) from->phases * SEGMENTS * 2 * sizeof (gfloat));
  outcome->device = g_strdup (from->device);
  outcome->precision = g_strdup (from->precision);
  outcome->failure = g_strdup (from->failure);
  outcome->detail = g_strdup (from->detail);
  return outcome;
}

/* ---- the network ------------------------------------------------------- */

MmsaNetwork *
mmsa_network_new (CardiacModel *model, const CardiacSettings *settings)
{
  MmsaNetwork *self = g_new0 (MmsaNetwork, 1);

  network_plan_init (&self->plan, model, settings);
  return self;
}

void
mmsa_network_free (MmsaNetwork *self)
{
  if (!self)
    return;
  network_plan_clear (&self->plan);
  g_free (self);
}

const CardiacRunInfo *
mmsa_network_run_info (const MmsaNetwork *self)
{
  return cardiac_mmsa_run_info (self->mmsa);
}

static gboolean
plan (MmsaNetwork *self, guint phases, CardiacError **error)
{
  if (self->mmsa && cardiac_mmsa_shape (self->mmsa)->phases == (gint) phases)
    return TRUE;
  cardiac_mmsa_free (&self->mmsa);
  self->mmsa =
      cardiac_mmsa_new (self->plan.model, phases, &self->plan.settings, error);
  return self->mmsa != NULL;
}

static gboolean
mmsa_network_open (gpointer network, CardiacError **error)
{
  return plan (network, USUAL_PHASES, error);
}

static void
mmsa_network_close (gpointer network)
{
  MmsaNetwork *self = network;

  cardiac_mmsa_free (&self->mmsa);
  g_clear_pointer (&self->polar, g_free);
  g_clear_pointer (&self->last, mmsa_outcome_free);
}

static void
add_segment (const gfloat *plane, guint segment, gfloat *mean)
{
  gdouble sum = 0;

  for (guint row = 0; row < ROWS; row++)
    for (guint column = 0; column < SEGMENT_COLUMNS; column++)
      sum += plane[row * COLUMNS + segment * SEGMENT_COLUMNS + column];
  *mean = sum / (ROWS * SEGMENT_COLUMNS);
}

gfloat *
mmsa_mean_motion (const gfloat *flow, guint phases)
{
  gfloat *motion = g_new (gfloat, (gsize) phases * SEGMENTS * 2);

  for (guint t = 0; t < phases; t++) {
    const gfloat *radial = flow + (gsize) t * 2 * ROWS * COLUMNS;
    const gfloat *angular = radial + ROWS * COLUMNS;

    for (guint k = 0; k < SEGMENTS; k++) {
      gfloat *mean = motion + ((gsize) t * SEGMENTS + k) * 2;

      add_segment (radial, k, mean);
      add_segment (angular, k, mean + 1);
      if (k >= FIRST_APICAL_SEGMENT)
        mean[1] *= APICAL_STRETCH;
    }
  }
  return motion;
}

static void
fill (MmsaOutcome *outcome, const MmsaNetwork *self,
    const CardiacMmsaResult *result)
{
  const CardiacRunInfo *info = cardiac_mmsa_run_info (self->mmsa);

  for (guint k = 0; k < SEGMENTS; k++)
    outcome->scores[k] = result->scores[k];
  memcpy (outcome->probabilities, result->probabilities,
      sizeof outcome->probabilities);
  outcome->index = result->index;
  outcome->phases = result->phases;
  outcome->step = cardiac_mmsa_shape (self->mmsa)->flow_step;
  outcome->motion = mmsa_mean_motion (result->flow1, result->phases);
  outcome->device = g_strdup (info->device);
  outcome->precision = g_strdup (info->precision);
}

static gboolean
is_repeated (const MmsaNetwork *self, const MmsaJob *job)
{
  return self->last && self->last->phases == job->phases
         && memcmp (self->polar, job->polar, polar_size (job->phases)) == 0;
}

static void
keep (MmsaNetwork *self, MmsaJob *job, const MmsaOutcome *outcome)
{
  g_clear_pointer (&self->last, mmsa_outcome_free);
  self->last = mmsa_outcome_copy (outcome);
  self->last->repeated = TRUE;
  g_free (self->polar);
  self->polar = job->polar;
  job->polar = NULL;
}

static gpointer
mmsa_network_run (gpointer network, gpointer data)
{
  MmsaNetwork *self = network;
  MmsaJob *job = data;
  CardiacMmsaResult *result = NULL;
  CardiacError *error = NULL;
  MmsaOutcome *outcome;
  gint64 begin;

  if (is_repeated (self, job))
    return mmsa_outcome_copy (self->last);

  outcome = g_new0 (MmsaOutcome, 1);
  if (plan (self, job->phases, &error)) {
    begin = g_get_monotonic_time ();
    result = cardiac_mmsa_run (self->mmsa, job->polar, &error);
    outcome->inference_ms = (g_get_monotonic_time () - begin) / 1000.0;
  }
  if (!result) {
    network_take_failure (&error, &outcome->failure, &outcome->detail);
    return outcome;
  }
  fill (outcome, self, result);
  cardiac_mmsa_result_free (&result);
  keep (self, job, outcome);
  return outcome;
}

const WorkerClass mmsa_network_class = {
  mmsa_network_open,
  mmsa_network_run,
  mmsa_network_close,
  (GDestroyNotify) mmsa_job_free,
  (GDestroyNotify) mmsa_outcome_free,
};
