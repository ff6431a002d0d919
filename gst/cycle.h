/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CYCLE_H
#define CYCLE_H

#include <cardiac/polar.h>
#include <gst/gst.h>

#include "meta/gstcardiacslicemeta.h"

/* Polar pictures of three levels, gathered into cycles. A cycle of a level ends
 * where its pictures say so (their phases and loops), after a number that is
 * given, or with the stream; a cycle is whole when all levels that take part
 * have ended theirs. */

enum {
  CYCLE_LEVELS = 3, ///< numbers are those of GstCardiacLevel
  CYCLE_MIN_PHASES = 8,
  CYCLE_MAX_PHASES = 64,
};

/** One polar picture. */
typedef struct {
  guint8 grey[CARDIAC_POLAR_ROWS * CARDIAC_POLAR_COLUMNS];
  GstClockTime time;       ///< stream time, or NONE
  GstClockTime begin, end; ///< running time, or NONE
  gboolean has_slice;      ///< the slice meta's fields that follow are set
  guint phase, phases, loop;
  GstCardiacLevel level;
  gboolean has_landmarks;
} CyclePicture;

/** One cycle of all levels. */
typedef struct {
  guint count[CYCLE_LEVELS];
  CyclePicture **pictures[CYCLE_LEVELS];
  guint declared;        ///< phases that the pictures speak of; 0: none do
  GstCardiacState state; ///< RESULT: it may be scored
  gchar *reason;         ///< one sentence; NULL: none
  gboolean partial;      ///< only a part of a cycle: the stream began or ended
  GstClockTime first, last; ///< stream time of pictures, or NONE
  GstClockTime end;         ///< running time, or NONE
} Cycle;

void cycle_free (Cycle *cycle);

/** Phases of a cycle that may be scored. */
guint cycle_phases (const Cycle *cycle);

/** P_pat [phases,80,512] of a cycle that may be scored; free with g_free(). */
gfloat *cycle_get_patient (const Cycle *cycle);

/* Not thread-safe. */
typedef struct _CycleCollector CycleCollector;

/** @phases: pictures of a cycle where they do not say; 0: up to the end */
CycleCollector *cycle_collector_new (guint phases);
void cycle_collector_free (CycleCollector *collector);

/** Whether a level takes part. None does at first. */
void cycle_collector_set_present (
    CycleCollector *collector, guint level, gboolean present);

/** Forgets a level's pictures and its end. */
void cycle_collector_clear (CycleCollector *collector, guint level);

/** Whether a level has all the pictures that it may hold: two cycles. */
gboolean cycle_collector_is_full (CycleCollector *collector, guint level);

/** Whether a level's cycle has no end: 64 pictures that say none. */
gboolean cycle_collector_is_endless (CycleCollector *collector, guint level);

/** The next picture of a level; takes it. */
void cycle_collector_add (
    CycleCollector *collector, guint level, CyclePicture *picture);

/** The end of a level's stream. */
void cycle_collector_end (CycleCollector *collector, guint level);
gboolean cycle_collector_is_ended (CycleCollector *collector);

/** Whether a cycle can be taken: all levels that take part have ended it. */
gboolean cycle_collector_is_ready (CycleCollector *collector);

/** Takes the cycle; also what there is of one at the end. */
Cycle *cycle_collector_take (CycleCollector *collector);

#endif
