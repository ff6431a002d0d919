/* SPDX-License-Identifier: LGPL-2.1-or-later */

#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include "mmsascoreparts.h"

/* ---- pictures ---------------------------------------------------------- */

static gboolean
has_room (GstMmsaScore *self, guint i)
{
  if (i < CYCLE_LEVELS && cycle_collector_is_full (self->collector, i))
    return FALSE;
  return i != mmsa_score_get_driver (self)
         || score_queue_has_room (self->queue);
}

/* Who keeps the others waiting; free with g_free(). */
static gchar *
list_silent (GstMmsaScore *self, guint waiting)
{
  GString *names = g_string_new (NULL);

  for (guint i = 0; i < SINKS; i++) {
    if (i == waiting || !self->sinks[i].pad || self->sinks[i].ended
        || !has_room (self, i))
      continue;
    g_string_append_printf (
        names, "%s%s", names->len ? ", " : "", mmsa_score_sink_names[i]);
  }
  return g_string_free (names, FALSE);
}

void
mmsa_score_post_timeout (GstMmsaScore *self, guint waiting, guint64 timeout)
{
  gchar *silent = list_silent (self, waiting);

  g_mutex_unlock (&self->lock);
  GST_ELEMENT_ERROR (self, STREAM, FAILED,
      ("The pad %s waits for pictures of %s since %.1f s: the streams do not "
       "belong together, or one lacks a queue of a cycle's length.",
          mmsa_score_sink_names[waiting], *silent ? silent : "another pad",
          timeout / (gdouble) GST_SECOND),
      (NULL));
  g_free (silent);
  g_mutex_lock (&self->lock);
}

static void
post_endless (GstMmsaScore *self, guint i)
{
  GST_ELEMENT_ERROR (self, STREAM, WRONG_TYPE,
      ("The cycle of the pad %s has no end: %d pictures came in without a "
       "phase. Use a source that says phases, or set phases=N.",
          mmsa_score_sink_names[i], CYCLE_MAX_PHASES),
      (NULL));
}

/* What a thread of a sink pad has to return at once, or OK. With the lock. */
static GstFlowReturn
get_flow (GstMmsaScore *self, guint i)
{
  if (self->stopped || self->sinks[i].flushing)
    return GST_FLOW_FLUSHING;
  if (self->sinks[i].ended)
    return GST_FLOW_EOS;
  return self->flow;
}

/* Waits for room on a pad. With the lock; gives it up while waiting and while
 * an error is posted. Waiting for the network or for what follows takes as long
 * as it takes; waiting for other pads ends in an error. */
static GstFlowReturn
wait_for_room (GstMmsaScore *self, guint i, guint64 timeout)
{
  gint64 limit = timeout / GST_USECOND;
  gint64 deadline = g_get_monotonic_time () + limit;
  guint progress = self->progress;
  GstFlowReturn flow;

  while ((flow = get_flow (self, i)) == GST_FLOW_OK && !has_room (self, i)) {
    if (timeout == 0) {
      g_cond_wait (&self->cond, &self->lock);
      continue;
    }
    if (g_cond_wait_until (&self->cond, &self->lock, deadline)
        && self->progress == progress && !self->busy)
      continue;
    if (self->progress == progress && !self->busy
        && !mmsa_score_has_work (self)) {
      mmsa_score_post_timeout (self, i, timeout);
      return GST_FLOW_ERROR;
    }
    progress = self->progress;
    deadline = g_get_monotonic_time () + limit;
  }
  return flow;
}

/* Adds a picture to its level. With the lock. */
static GstFlowReturn
add_picture (GstMmsaScore *self, guint i, CyclePicture *picture)
{
  if (!picture->has_slice && cycle_collector_is_endless (self->collector, i)) {
    g_mutex_unlock (&self->lock);
    post_endless (self, i);
    g_mutex_lock (&self->lock);
    g_free (picture);
    return GST_FLOW_ERROR;
  }
  cycle_collector_add (self->collector, i, picture);
  return GST_FLOW_OK;
}

guint64
mmsa_score_get_timeout (GstMmsaScore *self)
{
  guint64 timeout;

  GST_OBJECT_LOCK (self);
  timeout = self->timeout;
  GST_OBJECT_UNLOCK (self);
  return timeout;
}

GstFlowReturn
mmsa_score_chain (GstPad *pad, GstObject *parent, GstBuffer *buffer)
{
  GstMmsaScore *self = GST_MMSA_SCORE (parent);
  guint64 timeout = mmsa_score_get_timeout (self);
  guint i = mmsa_score_get_number (pad);
  CyclePicture *picture = NULL;
  GstClockTime begin, end, time;
  GstFlowReturn flow;

  if (i < CYCLE_LEVELS
      && !(picture = cycle_picture_new (
               buffer, &self->sinks[i].info, &self->sinks[i].segment))) {
    gst_buffer_unref (buffer);
    GST_ELEMENT_ERROR (self, STREAM, FORMAT,
        ("A polar picture of the pad %s cannot be read: GRAY8, 192x80 "
         "expected.",
            mmsa_score_sink_names[i]),
        (NULL));
    return GST_FLOW_NOT_NEGOTIATED;
  }
  cycle_buffer_times (&self->sinks[i].segment, buffer, &begin, &end, &time);

  g_mutex_lock (&self->lock);
  flow = wait_for_room (self, i, timeout);
  if (flow == GST_FLOW_OK && picture) {
    flow = add_picture (self, i, picture);
    picture = NULL;
  }
  if (flow == GST_FLOW_OK && i == mmsa_score_get_driver (self)) {
    score_queue_push (self->queue, GST_MINI_OBJECT_CAST (buffer), begin, time);
    buffer = NULL;
  }
  self->progress++;
  g_cond_broadcast (&self->cond);
  g_mutex_unlock (&self->lock);

  g_free (picture);
  gst_clear_buffer (&buffer);
  return flow;
}

/* ---- events of sinks --------------------------------------------------- */

static void
begin_flush (GstMmsaScore *self, guint i, GstEvent *event)
{
  gboolean drives;

  g_mutex_lock (&self->lock);
  drives = i == mmsa_score_get_driver (self);
  self->sinks[i].flushing = TRUE;
  self->src_flushing |= drives;
  self->epoch++;
  g_cond_broadcast (&self->cond);
  g_mutex_unlock (&self->lock);

  if (!drives) {
    gst_event_unref (event);
    return;
  }
  mmsa_scorer_set_flushing (self->scorer, TRUE);
  gst_pad_push_event (self->src, event);
  gst_pad_pause_task (self->src);
}

static void
end_flush (GstMmsaScore *self, guint i, GstEvent *event)
{
  Sink *sink = &self->sinks[i];
  gboolean drives;

  g_mutex_lock (&self->lock);
  drives = i == mmsa_score_get_driver (self);
  g_mutex_unlock (&self->lock);
  if (drives)
    gst_pad_push_event (self->src, event);
  else
    gst_event_unref (event);

  g_mutex_lock (&self->lock);
  sink->flushing = sink->ended = FALSE;
  gst_segment_init (&sink->segment, GST_FORMAT_UNDEFINED);
  if (i < CYCLE_LEVELS)
    cycle_collector_clear (self->collector, i);
  if (drives) {
    score_queue_clear (self->queue);
    g_clear_pointer (&self->finding, gst_cardiac_result_unref);
    self->flow = GST_FLOW_OK;
    self->src_flushing = self->concluded = FALSE;
  }
  self->progress++;
  g_cond_broadcast (&self->cond);
  g_mutex_unlock (&self->lock);

  mmsa_scorer_forget (self->scorer);
  if (drives) {
    mmsa_scorer_set_flushing (self->scorer, FALSE);
    gst_pad_start_task (self->src, mmsa_score_loop, self, NULL);
  }
}

/* Ready for other pictures after the end of all pads' old ones. With the lock. */
static void
start_anew (GstMmsaScore *self)
{
  for (guint i = 0; i < SINKS; i++) {
    self->sinks[i].ended = FALSE;
    if (i < CYCLE_LEVELS)
      cycle_collector_clear (self->collector, i);
  }
  score_queue_clear (self->queue);
  g_clear_pointer (&self->finding, gst_cardiac_result_unref);
  self->flow = GST_FLOW_OK;
  self->concluded = FALSE;
  gst_pad_start_task (self->src, mmsa_score_loop, self, NULL);
}

/* A recording that follows another one (a playlist, a loop) waits until the
 * first one is scored and gone; the first pad that gets there opens all. */
static void
begin_stream (GstMmsaScore *self, guint i)
{
  Sink *sink = &self->sinks[i];

  g_mutex_lock (&self->lock);
  while (sink->ended && self->flow == GST_FLOW_OK && !self->stopped
         && !sink->flushing)
    g_cond_wait (&self->cond, &self->lock);
  if (self->flow == GST_FLOW_EOS
      && self->sinks[mmsa_score_get_driver (self)].pad && !self->stopped
      && !self->src_flushing && !sink->flushing)
    start_anew (self);
  g_mutex_unlock (&self->lock);
}

/* Without a stream that leaves the element nobody would ever learn of the end.
 * Nor would anybody of a failure after the last buffer. */
static void
end_stream (GstMmsaScore *self, guint i)
{
  GstFlowReturn flow;
  gboolean lost, fails;

  g_mutex_lock (&self->lock);
  self->sinks[i].ended = TRUE;
  if (i < CYCLE_LEVELS)
    cycle_collector_end (self->collector, i);
  lost = !self->sinks[mmsa_score_get_driver (self)].pad
         && !self->sinks[mmsa_score_get_driver (self)].ended
         && cycle_collector_is_ended (self->collector);
  if (lost)
    self->flow = GST_FLOW_ERROR;
  flow = self->flow;
  fails = !lost && i == mmsa_score_get_driver (self)
          && mmsa_score_is_failure (flow);
  self->progress++;
  g_cond_broadcast (&self->cond);
  g_mutex_unlock (&self->lock);
  if (lost)
    GST_ELEMENT_ERROR (self, CORE, PAD,
        ("mmsascore has neither a video nor a basal pad: link cmrpolar's basal "
         "slice to its pad basal."),
        (NULL));
  if (fails)
    GST_ELEMENT_FLOW_ERROR (self, flow);
}

static void
set_caps (GstMmsaScore *self, guint i, GstEvent *event)
{
  GstCaps *caps;

  gst_event_parse_caps (event, &caps);
  if (i < CYCLE_LEVELS)
    gst_video_info_from_caps (&self->sinks[i].info, caps);
}

/* The events of one sink are those of the source pad. */
static gboolean
forward_event (GstMmsaScore *self, guint i, GstEvent *event)
{
  gboolean drives;

  g_mutex_lock (&self->lock);
  drives = i == mmsa_score_get_driver (self);
  if (drives && GST_EVENT_IS_SERIALIZED (event)) {
    score_queue_push (self->queue, GST_MINI_OBJECT_CAST (event),
        GST_CLOCK_TIME_NONE, GST_CLOCK_TIME_NONE);
    event = NULL;
    self->progress++;
    g_cond_broadcast (&self->cond);
  }
  g_mutex_unlock (&self->lock);

  if (event && drives)
    return gst_pad_push_event (self->src, event);
  if (event)
    gst_event_unref (event);
  return TRUE;
}

gboolean
mmsa_score_sink_event (GstPad *pad, GstObject *parent, GstEvent *event)
{
  GstMmsaScore *self = GST_MMSA_SCORE (parent);
  guint i = mmsa_score_get_number (pad);

  switch (GST_EVENT_TYPE (event)) {
    case GST_EVENT_FLUSH_START:
      begin_flush (self, i, event);
      return TRUE;
    case GST_EVENT_FLUSH_STOP:
      end_flush (self, i, event);
      return TRUE;
    case GST_EVENT_STREAM_START:
      begin_stream (self, i);
      break;
    case GST_EVENT_SEGMENT:
      gst_event_copy_segment (event, &self->sinks[i].segment);
      break;
    case GST_EVENT_CAPS:
      set_caps (self, i, event);
      break;
    case GST_EVENT_EOS:
      end_stream (self, i);
      break;
    default:
      break;
  }
  return forward_event (self, i, event);
}
