/* SPDX-License-Identifier: LGPL-2.1-or-later */

#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include "mmsascorer.h"

#include <string.h>

#include "gsterror.h"
#include "jsonlines.h"
#include "mmsanetwork.h"
#include "mmsarecord.h"

typedef struct {
  guint64 cycles, scored, repeated, failures, records;
  gdouble inference_ms;
} Stats;

struct _MmsaScorer {
  GstElement *element;
  Stats stats; /* under the element's lock */

  NetworkResources resources;
  MmsaNetwork *network;
  Worker *worker; /* NULL: closed */
  JsonLines *lines;
  guint64 serial;
  gboolean warned_write, warned_failure;
};

MmsaScorer *
mmsa_scorer_new (GstElement *element)
{
  MmsaScorer *self = g_new0 (MmsaScorer, 1);

  self->element = element;
  return self;
}

void
mmsa_scorer_free (MmsaScorer *self)
{
  mmsa_scorer_close (self);
  g_free (self);
}

static gboolean
open_network (MmsaScorer *self, NetworkSettings *settings)
{
  gchar *path = network_find_model (settings, self->element, MMSA_DEMO_MODEL);
  CardiacError *error = NULL;
  CardiacSettings engine;

  if (!path) {
    network_post_no_model (self->element, MMSA_DEMO_MODEL);
    return FALSE;
  }
  if (network_resources_open (&self->resources, settings, self->element, path,
          network_has_live_source (self->element), &engine, &error)) {
    self->network = mmsa_network_new (self->resources.model, &engine);
    self->worker =
        worker_new (&mmsa_network_class, self->network, "mmsa", &error);
  }
  if (self->worker)
    network_settings_set_run_info (
        settings, self->element, mmsa_network_run_info (self->network));
  else
    gst_cardiac_post_error (self->element, &error);
  g_free (path);
  return self->worker != NULL;
}

gboolean
mmsa_scorer_open (
    MmsaScorer *self, NetworkSettings *settings, gchar *const *results_location)
{
  GST_OBJECT_LOCK (self->element);
  memset (&self->stats, 0, sizeof self->stats);
  GST_OBJECT_UNLOCK (self->element);
  self->serial = 0;
  self->warned_write = self->warned_failure = FALSE;
  return open_network (self, settings)
         && json_lines_open_for (self->element, results_location, &self->lines);
}

void
mmsa_scorer_close (MmsaScorer *self)
{
  g_clear_pointer (&self->worker, worker_free);
  g_clear_pointer (&self->network, mmsa_network_free);
  network_resources_close (&self->resources);
  g_clear_pointer (&self->lines, json_lines_close);
}

void
mmsa_scorer_set_flushing (MmsaScorer *self, gboolean flushing)
{
  if (self->worker)
    worker_set_flushing (self->worker, flushing);
}

void
mmsa_scorer_forget (MmsaScorer *self)
{
  worker_forget (self->worker);
}

GstStructure *
mmsa_scorer_get_stats (const MmsaScorer *self)
{
  const Stats *stats = &self->stats;

  return gst_structure_new ("mmsascore-stats", "cycles", G_TYPE_UINT64,
      stats->cycles, "scored", G_TYPE_UINT64, stats->scored, "repeated",
      G_TYPE_UINT64, stats->repeated, "failures", G_TYPE_UINT64,
      stats->failures, "records", G_TYPE_UINT64, stats->records, "inference-ms",
      G_TYPE_DOUBLE, stats->inference_ms, NULL);
}

/* One message, and one line an evaluation. */
static void
say (MmsaScorer *self, GstCardiacResult *record, gboolean line)
{
  GError *error = NULL;

  record->serial = ++self->serial;
  GST_OBJECT_LOCK (self->element);
  self->stats.records++;
  GST_OBJECT_UNLOCK (self->element);
  if (line && self->lines && !json_lines_write (self->lines, record, &error)) {
    if (!self->warned_write)
      GST_ELEMENT_ERROR (self->element, RESOURCE, WRITE,
          ("Results cannot be written: %s.", error->message), (NULL));
    self->warned_write = TRUE;
    g_clear_error (&error);
  }
  gst_element_post_message (
      self->element, gst_message_new_element (GST_OBJECT (self->element),
                         gst_cardiac_result_to_structure (record)));
}

static void
count_outcome (MmsaScorer *self, const MmsaOutcome *outcome)
{
  GST_OBJECT_LOCK (self->element);
  self->stats.cycles++;
  if (outcome && outcome->failure)
    self->stats.failures++;
  else if (outcome && outcome->repeated)
    self->stats.repeated++;
  else if (outcome)
    self->stats.scored++;
  if (outcome && !outcome->repeated)
    self->stats.inference_ms = outcome->inference_ms;
  GST_OBJECT_UNLOCK (self->element);

  if (!outcome || !outcome->failure || self->warned_failure)
    return;
  self->warned_failure = TRUE;
  GST_ELEMENT_WARNING (self->element, STREAM, FAILED,
      ("The network failed: %s", outcome->failure), ("%s", outcome->detail));
}

/* NULL when a flush came in between. */
static MmsaOutcome *
run_network (MmsaScorer *self, const Cycle *cycle)
{
  guint phases = cycle_phases (cycle);

  worker_submit (
      self->worker, mmsa_job_new (phases, cycle_get_patient (cycle)));
  if (!worker_wait (self->worker))
    return NULL;
  return worker_take (self->worker);
}

GstCardiacResult *
mmsa_scorer_score (MmsaScorer *self, const Cycle *cycle, gboolean last,
    GstCardiacResult *finding, GstClockTime *time)
{
  gboolean part = cycle->partial && cycle->state == GST_CARDIAC_STATE_TOO_SHORT;
  MmsaOutcome *outcome = NULL;
  GstCardiacResult *record;

  *time = 0;
  if (part && last && finding) {
    count_outcome (self, NULL);
    return gst_cardiac_result_ref (finding);
  }
  if (cycle->state == GST_CARDIAC_STATE_RESULT) {
    outcome = run_network (self, cycle);
    if (!outcome)
      return NULL;
  }
  record = mmsa_record_new (cycle, outcome, self->resources.model);
  if (part && !last)
    record->state = GST_CARDIAC_STATE_WAIT;
  count_outcome (self, outcome);
  say (self, record, !part || last);
  if (outcome && !outcome->repeated && !outcome->failure)
    *time = outcome->inference_ms * GST_MSECOND;
  mmsa_outcome_free (outcome);
  return record;
}
