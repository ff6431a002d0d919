/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MREG_NETWORK_H
#define MREG_NETWORK_H

#include <cardiac/mreg.h>

#include "picture.h"
#include "worker.h"

/* The MReg network as a worker's job: the backbone runs once a clip, the
 * features of the last clips are kept, and the head runs over them. */

/** Set before the worker starts; the rest belongs to its thread. */
typedef struct _MregNetwork MregNetwork;

/** Takes a reference on the model and the pool, and copies the strings. */
MregNetwork *mreg_network_new (
    CardiacModel *model, const CardiacSettings *settings);
void mreg_network_free (MregNetwork *network);

/** Valid once the worker runs. */
const CardiacMRegShape *mreg_network_shape (const MregNetwork *network);
const CardiacRunInfo *mreg_network_run_info (const MregNetwork *network);

extern const WorkerClass mreg_network_class;

/** Clips to encode. The head runs when I clips of an epoch are encoded, over
 * the newest I. A final job brings all I and belongs to no epoch. */
typedef struct {
  guint epoch;       ///< clips of another epoch are forgotten first
  gboolean is_final; ///< of the whole recording
  guint count;       ///< clips, in order of time
  Clip *clips[GST_CARDIAC_MAX_INSTANCES];
} MregJob;

typedef struct {
  gboolean is_final;
  guint encoded;             ///< how many clips the backbone ran on
  CardiacMRegResult *result; ///< NULL: not enough clips yet, or failed
  guint count;               ///< clips behind `result`
  Clip *clips[GST_CARDIAC_MAX_INSTANCES];
  gdouble inference_ms; ///< of the networks, for this job
  gchar *failure;       ///< one sentence; NULL: none
  gchar *detail;        ///< for a log; NULL: none
} MregOutcome;

MregJob *mreg_job_new (void);
void mreg_job_free (MregJob *job);
void mreg_outcome_free (MregOutcome *outcome);

#endif
