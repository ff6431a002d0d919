/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef SCORE_RIG_H
#define SCORE_RIG_H

#include <cardiac/polar.h>
#include <gst/gst.h>

#include "meta/cardiac.h"

/* mmsascore between pads of our own, fed with made-up polar pictures. */

/** Pads by number; the first three are GstCardiacLevel's. */
enum { SCORE_BASAL, SCORE_MID, SCORE_APICAL, SCORE_VIDEO, SCORE_PADS };

/** As bits. */
enum {
  SCORE_LEVELS = 1 << SCORE_BASAL | 1 << SCORE_MID | 1 << SCORE_APICAL,
  SCORE_ALL = SCORE_LEVELS | 1 << SCORE_VIDEO,
};

enum { SCORE_PHASE_MS = 40 };

typedef struct {
  GstElement *element;
  GstElement *queue[SCORE_PADS]; ///< of one buffer; NULL: none
  GstBus *bus;
  GstPad *pad[SCORE_PADS]; ///< ours; NULL: not requested
  GstPad *out;             ///< ours, after the element

  GMutex lock; ///< protects what follows
  GCond cond;
  GQueue buffers;     ///< that came out
  gboolean ended;     ///< EOS came out
  gboolean held;      ///< what comes out is not taken
  gboolean holds;     ///< ... and something has come
  guint flushes;      ///< that came out
  GstFlowReturn flow; ///< that the element is told
} ScoreRig;

/** What a picture is like. */
typedef struct {
  guint phase, phases, loop;
  gboolean still;    ///< all phases are the same
  gboolean bare;     ///< no slice meta
  gboolean timeless; ///< no time stamps
  gboolean no_landmarks;
  gint level; ///< of the meta; -1: that of the pad
} ScorePicture;

/** Starts the element with these properties and the model of the tests.
 * @pads, @queues: bits */
void score_rig_start (
    ScoreRig *rig, const gchar *properties, guint pads, guint queues);
void score_rig_stop (ScoreRig *rig);

/** Events that go before buffers; done by score_rig_start(), and to be done
 * again after a flush. */
void score_rig_begin (ScoreRig *rig, guint pads);

GstBuffer *score_picture_new (guint pad, const ScorePicture *picture);
GstFlowReturn score_rig_push (
    ScoreRig *rig, guint pad, const ScorePicture *picture);

/** All phases of a loop, phase by phase to all pads, from this thread.
 * @last_first: whether the pads come in the opposite order */
void score_rig_push_cycle (
    ScoreRig *rig, const ScorePicture *picture, gboolean last_first);

/** EOS on these pads. */
void score_rig_end (ScoreRig *rig, guint pads);

/** Waits until so many buffers are out, or the end. */
void score_rig_wait (ScoreRig *rig, guint buffers);
void score_rig_wait_end (ScoreRig *rig);

/** Waits until something is out and held. */
void score_rig_wait_held (ScoreRig *rig);

/** The next buffer that came out; unref it. */
GstBuffer *score_rig_pop (ScoreRig *rig);

/** The record that a buffer carries, borrowed; stops the test without one. */
GstCardiacResult *score_record (GstBuffer *buffer);

/** The next record that was posted, or %NULL; unref it. */
GstCardiacResult *score_rig_pop_record (ScoreRig *rig);

/** The error that was posted, or %NULL; free it. */
GError *score_rig_pop_error (ScoreRig *rig);

guint64 score_rig_stat (ScoreRig *rig, const gchar *name);

/** The model that tests use; from the environment. */
const gchar *score_model (void);

#endif
