/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MMSA_SCORER_H
#define MMSA_SCORER_H

#include "cycle.h"
#include "meta/gstcardiacresult.h"
#include "network.h"

/* From a cycle to its record: runs the network, says the record as a message and
 * as a line of `results-location`, and counts. */

/** What an empty `model` stands for. */
#define MMSA_DEMO_MODEL "mmsa-demo.safetensors"

typedef struct _MmsaScorer MmsaScorer;

/** @element: in whose name things are said; outlives the scorer */
MmsaScorer *mmsa_scorer_new (GstElement *element);
void mmsa_scorer_free (MmsaScorer *scorer);

/** Opens the network and the file, and begins to count at 0.
 * @settings, @results_location: properties, read under the element's lock
 * Returns: %FALSE after an error was posted; to be closed all the same */
gboolean mmsa_scorer_open (MmsaScorer *scorer, NetworkSettings *settings,
    gchar *const *results_location);
void mmsa_scorer_close (MmsaScorer *scorer);

/** While flushing, nobody waits for the network; from any thread. */
void mmsa_scorer_set_flushing (MmsaScorer *scorer, gboolean flushing);

/** Throws away what the network is at. */
void mmsa_scorer_forget (MmsaScorer *scorer);

/** Makes the record of a cycle and says it. A part of a cycle has no scores: in
 * the middle of a stream it is a WAIT that no line says, at its end the finding
 * holds.
 * @last: whether the stream ends with this cycle
 * @finding: of the newest whole cycle; %NULL: none
 * @time: receives how long the network ran; 0: it did not
 * Returns: the record to unref, or %NULL when it was flushed */
GstCardiacResult *mmsa_scorer_score (MmsaScorer *scorer, const Cycle *cycle,
    gboolean last, GstCardiacResult *finding, GstClockTime *time);

/** Counters, "mmsascore-stats"; with the element's lock. */
GstStructure *mmsa_scorer_get_stats (const MmsaScorer *scorer);

#endif
