/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MMSA_NETWORK_H
#define MMSA_NETWORK_H

#include <cardiac/mmsa.h>
#include <glib.h>

#include "worker.h"

/* The MMSA network as a worker's job: one cycle at a time. Networks are planned
 * for a number of phases, and planned again when it changes; a cycle that is the
 * same as the one before (a loop) is not scored again. */

/** Set before the worker starts; the rest belongs to its thread. */
typedef struct _MmsaNetwork MmsaNetwork;

/** Takes a reference on the model and the pool, and copies the strings. */
MmsaNetwork *mmsa_network_new (
    CardiacModel *model, const CardiacSettings *settings);
void mmsa_network_free (MmsaNetwork *network);

extern const WorkerClass mmsa_network_class;

typedef struct {
  guint phases;
  gfloat *polar; ///< P_pat [phases,80,512]
} MmsaJob;

/** What a network said of a cycle, and where it ran. */
typedef struct {
  guint8 scores[CARDIAC_MMSA_SEGMENTS];
  gfloat probabilities[CARDIAC_MMSA_SEGMENTS][CARDIAC_MMSA_SCORES];
  gdouble index;
  guint phases, step;
  gfloat *motion; ///< [phases][16][2], as in GstCardiacResult
  gchar *device, *precision;
  gdouble inference_ms;
  gboolean repeated; ///< the same cycle as before: no network ran
  gchar *failure;    ///< one sentence; NULL: none. All else is unset then
  gchar *detail;     ///< for a log; NULL: none
} MmsaOutcome;

/** Takes @polar. */
MmsaJob *mmsa_job_new (guint phases, gfloat *polar);
void mmsa_job_free (MmsaJob *job);
void mmsa_outcome_free (MmsaOutcome *outcome);

/** Where the network that was planned at the start runs; valid once the worker
 * runs and before the first job. */
const CardiacRunInfo *mmsa_network_run_info (const MmsaNetwork *network);

/** Mean flow of each segment [phases][16][2] in pixels of the polar picture of
 * its level, of a flow [phases][2][80][512]. Free with g_free(). */
gfloat *mmsa_mean_motion (const gfloat *flow, guint phases);

#endif
