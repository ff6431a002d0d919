/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef SCORE_QUEUE_H
#define SCORE_QUEUE_H

#include "meta/gstcardiacmeta.h"

/* The stream that leaves mmsascore: buffers that wait for the record of their
 * cycle, and the events between them. Not thread-safe. */

typedef struct _ScoreQueue ScoreQueue;

/** What can be done about the oldest thing in the queue. */
typedef enum {
  SCORE_QUEUE_EMPTY,
  SCORE_QUEUE_WAITS, ///< a buffer of a cycle without a record yet
  SCORE_QUEUE_READY, ///< an event, or a buffer of a cycle with a record
  SCORE_QUEUE_EOS,   ///< the end
} ScoreQueueHead;

ScoreQueue *score_queue_new (void);
void score_queue_free (ScoreQueue *queue);

/** Forgets everything. */
void score_queue_clear (ScoreQueue *queue);

/** Adds a buffer or a serialised event; takes it.
 * @begin: running time of a buffer, or NONE; @time: stream time, or NONE */
void score_queue_push (ScoreQueue *queue, GstMiniObject *object,
    GstClockTime begin, GstClockTime time);

/** Whether there is room for a buffer: one cycle waits at most. */
gboolean score_queue_has_room (ScoreQueue *queue);

/** The record of the next cycle; takes a reference.
 * @end: running time; buffers that begin before it belong to the cycle
 * @count: how many do where times are unknown */
void score_queue_decide (
    ScoreQueue *queue, GstCardiacResult *record, GstClockTime end, guint count);

/** Whether records of so many cycles wait for buffers that no more is worth
 * scoring. */
gboolean score_queue_is_ahead (ScoreQueue *queue);

ScoreQueueHead score_queue_look (ScoreQueue *queue);

/** Takes the oldest thing; a buffer gets its cycle's record, or the newest one
 * when its cycle never came. */
GstMiniObject *score_queue_pop (ScoreQueue *queue);

#endif
