/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MMSA_SCORE_PARTS_H
#define MMSA_SCORE_PARTS_H

#include <gst/video/video.h>

#include "cyclepicture.h"
#include "gstmmsascore.h"
#include "mmsascorer.h"
#include "scorequeue.h"

/* What the parts of mmsascore share: the element (gstmmsascore.c), what comes in
 * (mmsascoresinks.c), what leaves it (mmsascoreloop.c), and questions
 * (mmsascorequeries.c). */

/* Sinks are the three levels, by their numbers, and the video. */
enum { VIDEO = CYCLE_LEVELS, SINKS };

typedef struct {
  GstPad *pad; /* NULL: not requested */
  GstVideoInfo info;
  GstSegment segment;
  gboolean flushing, ended;
} Sink;

struct _GstMmsaScore {
  GstElement parent;

  GstPad *src;

  /* properties and statistics, under the object lock */
  NetworkSettings network;
  guint phases;
  guint64 timeout;
  gchar *results_location;
  guint64 frames;

  MmsaScorer *scorer;

  GMutex lock; /* protects what follows; taken before the object lock */
  GCond cond;  /* any of it has changed */
  Sink sinks[SINKS];
  CycleCollector *collector; /* NULL below PAUSED */
  ScoreQueue *queue;
  gboolean video_leaves;     /* the stream that leaves is the video's */
  gboolean stopped;          /* no thread may wait any more */
  gboolean src_flushing;     /* nor the one of the source pad */
  gboolean busy;             /* that one is scoring or pushing */
  GstFlowReturn flow;        /* of the source pad */
  guint progress;            /* grows with everything that happens */
  guint epoch;               /* of cycles; grows with every flush */
  gboolean concluded;        /* there is a record, or nothing to make one of */
  GstCardiacResult *finding; /* of the newest whole cycle */
  GstClockTime cycle_duration; /* the longest one */
  GstClockTime network_time;   /* the longest one, rounded up */
};

/** Names of the sinks' pads, by their numbers. */
extern const gchar *const mmsa_score_sink_names[SINKS];

/** The number of a sink's pad. */
guint mmsa_score_get_number (GstPad *pad);

/** The sink whose stream leaves the element, from PAUSED on the same one. With
 * the lock. */
guint mmsa_score_get_driver (GstMmsaScore *self);

/* ---- what comes in ---- */

GstFlowReturn mmsa_score_chain (
    GstPad *pad, GstObject *parent, GstBuffer *buffer);
gboolean mmsa_score_sink_event (
    GstPad *pad, GstObject *parent, GstEvent *event);

/** The property. Takes the object lock. */
guint64 mmsa_score_get_timeout (GstMmsaScore *self);

/** Posts that the sink @waiting waits for others in vain. With the lock; gives it
 * up meanwhile. */
void mmsa_score_post_timeout (
    GstMmsaScore *self, guint waiting, guint64 timeout);

/* ---- what leaves ---- */

/** The source pad's task. @data: the element */
void mmsa_score_loop (gpointer data);

/** Whether the source pad's thread has something to do, though it may not have
 * come to it yet: slices may go on after the video's end. With the lock. */
gboolean mmsa_score_has_work (GstMmsaScore *self);

/** Whether this is a failure that upstream must be told of. */
gboolean mmsa_score_is_failure (GstFlowReturn flow);

/* ---- queries ---- */

gboolean mmsa_score_src_query (GstPad *pad, GstObject *parent, GstQuery *query);
gboolean mmsa_score_sink_query (
    GstPad *pad, GstObject *parent, GstQuery *query);

#endif
