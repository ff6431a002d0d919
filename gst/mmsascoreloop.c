/* SPDX-License-Identifier: LGPL-2.1-or-later */

#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include "mmsascoreparts.h"

/* Latency grows by this. */
#define LATENCY_STEP (50 * GST_MSECOND)

/* Whether no further cycle will come. With the lock. */
static gboolean
is_over (GstMmsaScore *self)
{
  return !cycle_collector_is_ready (self->collector)
         && cycle_collector_is_ended (self->collector);
}

gboolean
mmsa_score_has_work (GstMmsaScore *self)
{
  ScoreQueueHead head = score_queue_look (self->queue);
  gboolean ahead = score_queue_is_ahead (self->queue);

  if (head == SCORE_QUEUE_READY || (head == SCORE_QUEUE_EOS && ahead))
    return TRUE;
  if (cycle_collector_is_ready (self->collector))
    return !ahead;
  return head != SCORE_QUEUE_EMPTY && is_over (self);
}

gboolean
mmsa_score_is_failure (GstFlowReturn flow)
{
  return flow == GST_FLOW_NOT_LINKED || flow < GST_FLOW_EOS;
}

/* ---- scoring ----------------------------------------------------------- */

static void
decide (GstMmsaScore *self, GstCardiacResult *record, const Cycle *cycle)
{
  guint count = MAX (cycle->count[0], MAX (cycle->count[1], cycle->count[2]));

  score_queue_decide (self->queue, record, cycle->end, count);
  self->concluded = TRUE;
  self->progress++;
  g_cond_broadcast (&self->cond);
}

/* Makes the latency fit a cycle. With the lock. */
static void
note_duration (GstMmsaScore *self, const Cycle *cycle)
{
  const CyclePicture *first = cycle->count[0] ? cycle->pictures[0][0] : NULL;
  if (!first || !GST_CLOCK_TIME_IS_VALID (first->begin)
      || !GST_CLOCK_TIME_IS_VALID (cycle->end) || cycle->end < first->begin)
    return;
  self->cycle_duration = MAX (self->cycle_duration, cycle->end - first->begin);
}

/* ... and the network's time for it, in steps, lest it change all the time. */
static void
note_network_time (GstMmsaScore *self, GstClockTime time)
{
  guint64 steps = (time + LATENCY_STEP - 1) / LATENCY_STEP;

  self->network_time = MAX (self->network_time, steps * LATENCY_STEP);
}

/* With the lock; gives it up while the network runs. NULL when a flush came in
 * between. */
static GstCardiacResult *
make_record (GstMmsaScore *self, const Cycle *cycle, gboolean last)
{
  GstCardiacResult *finding = self->finding, *record;
  guint epoch = self->epoch;
  GstClockTime time;

  if (finding)
    gst_cardiac_result_ref (finding);
  g_mutex_unlock (&self->lock);
  record = mmsa_scorer_score (self->scorer, cycle, last, finding, &time);
  g_mutex_lock (&self->lock);

  g_clear_pointer (&finding, gst_cardiac_result_unref);
  note_network_time (self, time);
  if (epoch != self->epoch)
    g_clear_pointer (&record, gst_cardiac_result_unref);
  return record;
}

/* With the lock; gives it up while the network runs. */
static void
score_cycle (GstMmsaScore *self)
{
  Cycle *cycle = cycle_collector_take (self->collector);
  gboolean last = cycle_collector_is_ended (self->collector)
                  && !cycle_collector_is_ready (self->collector);
  GstClockTime before = self->cycle_duration + self->network_time;
  GstCardiacResult *record;

  self->busy = TRUE;
  note_duration (self, cycle);
  record = make_record (self, cycle, last);
  if (record) {
    decide (self, record, cycle);
    if (!cycle->partial) {
      g_clear_pointer (&self->finding, gst_cardiac_result_unref);
      self->finding = gst_cardiac_result_ref (record);
    }
    gst_cardiac_result_unref (record);
  }
  if (self->cycle_duration + self->network_time > before) {
    g_mutex_unlock (&self->lock);
    gst_element_post_message (
        GST_ELEMENT (self), gst_message_new_latency (GST_OBJECT (self)));
    g_mutex_lock (&self->lock);
  }
  self->busy = FALSE;
  cycle_free (cycle);
}

/* A stream that ends without any picture of some level has a record as well. */
static void
conclude (GstMmsaScore *self)
{
  if (!self->concluded)
    score_cycle (self);
  self->concluded = TRUE;
}

/* Whether some pads are at their end and others are not: nobody might come any
 * more who waits for room and notices that nothing goes on. With the lock. */
static gboolean
is_half_ended (GstMmsaScore *self)
{
  gboolean ended = FALSE, going_on = FALSE;

  for (guint i = 0; i < SINKS; i++) {
    ended |= self->sinks[i].pad && self->sinks[i].ended;
    going_on |= self->sinks[i].pad && !self->sinks[i].ended;
  }
  return ended && going_on;
}

static guint
first_ended (GstMmsaScore *self)
{
  guint i = 0;

  while (i < VIDEO && !(self->sinks[i].pad && self->sinks[i].ended))
    i++;
  return i;
}

/* Until something has changed. With the lock; FALSE after an error. */
static gboolean
wait_for_more (GstMmsaScore *self)
{
  guint64 timeout = mmsa_score_get_timeout (self);
  gint64 deadline = g_get_monotonic_time () + timeout / GST_USECOND;
  guint progress = self->progress;

  if (timeout == 0 || !is_half_ended (self)) {
    g_cond_wait (&self->cond, &self->lock);
    return TRUE;
  }
  if (g_cond_wait_until (&self->cond, &self->lock, deadline)
      || self->progress != progress || !is_half_ended (self) || self->stopped
      || self->src_flushing)
    return TRUE;
  self->flow = GST_FLOW_ERROR;
  g_cond_broadcast (&self->cond);
  mmsa_score_post_timeout (self, first_ended (self), timeout);
  return FALSE;
}

/* The next thing to push, or NULL when the thread shall end. With the lock. */
static GstMiniObject *
next_object (GstMmsaScore *self)
{
  while (!self->stopped && !self->src_flushing) {
    if (!mmsa_score_has_work (self)) {
      if (!wait_for_more (self))
        return NULL;
    } else if (score_queue_look (self->queue) == SCORE_QUEUE_READY) {
      return score_queue_pop (self->queue);
    } else if (cycle_collector_is_ready (self->collector)
               && !score_queue_is_ahead (self->queue)) {
      score_cycle (self);
    } else if (is_over (self) && !self->concluded) {
      conclude (self);
    } else {
      return score_queue_pop (self->queue);
    }
  }
  return NULL;
}

static GstFlowReturn
push_object (GstMmsaScore *self, GstMiniObject *object)
{
  gboolean ends;

  if (GST_IS_BUFFER (object)) {
    GST_OBJECT_LOCK (self);
    self->frames++;
    GST_OBJECT_UNLOCK (self);
    return gst_pad_push (self->src, GST_BUFFER_CAST (object));
  }
  ends = GST_EVENT_TYPE (object) == GST_EVENT_EOS;
  gst_pad_push_event (self->src, GST_EVENT_CAST (object));
  return ends ? GST_FLOW_EOS : GST_FLOW_OK;
}

/* Those who push into the element learn of a failure by their next buffer;
 * without a next one somebody has to say it. */
static gboolean
is_lost (GstMmsaScore *self, GstFlowReturn flow)
{
  return mmsa_score_is_failure (flow)
         && self->sinks[mmsa_score_get_driver (self)].ended;
}

void
mmsa_score_loop (gpointer data)
{
  GstMmsaScore *self = GST_MMSA_SCORE (data);
  GstFlowReturn flow = GST_FLOW_FLUSHING;
  gboolean lost = FALSE;
  GstMiniObject *object;

  g_mutex_lock (&self->lock);
  object = next_object (self);
  if (object) {
    self->busy = TRUE;
    g_cond_broadcast (&self->cond); /* there is room */
    g_mutex_unlock (&self->lock);
    flow = push_object (self, object);
    g_mutex_lock (&self->lock);
    self->busy = FALSE;
    self->progress++;
    if (!self->src_flushing)
      self->flow = flow;
    lost = is_lost (self, flow);
    g_cond_broadcast (&self->cond);
  }
  /* With the lock, so that a new stream cannot have started it before. */
  if (flow != GST_FLOW_OK)
    gst_pad_pause_task (self->src);
  g_mutex_unlock (&self->lock);

  if (lost)
    GST_ELEMENT_FLOW_ERROR (self, flow);
}
