/* SPDX-License-Identifier: LGPL-2.1-or-later */

#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include "gstcineplayer.h"

#include <string.h>

#include "cinepads.h"
#include "cineproblem.h"
#include "segmentend.h"

GST_DEBUG_CATEGORY_STATIC (cine_player_debug);
#define GST_CAT_DEFAULT cine_player_debug

#define DEFAULT_LOOPS 1
#define DEFAULT_REVIEW_SIDE 0.0

enum {
  PROP_0,
  PROP_LOOPS,
  PROP_REVIEW_SIDE,
  PROP_STACK,
};

typedef struct {
  /* what a person sets; under the object lock */
  guint wanted_loops;
  gdouble review_side;
  gboolean live;

  CinePads pads;

  /* from READY to PAUSED on, constant while the task runs */
  CineShow show;
  guint loops;

  /* streaming thread; seeks hold the task's lock */
  GstTask *task;
  GRecMutex task_lock;
  guint64 next; /* picture, counted over all loops */

  /* under the object lock */
  guint32 last_seek;
  GstClockTime position;
  GstClockID wait;   /* of a live player for its picture's time */
  gboolean hurry;    /* waits end at once */
  gboolean finished; /* EOS or an error has been sent */
} GstCinePlayerPrivate;

static GstStaticPadTemplate templates[CINE_SHOWS] = {
  /* The first one is what "cmrcinesrc ! ..." gives. */
  GST_STATIC_PAD_TEMPLATE ("review", GST_PAD_SRC, GST_PAD_REQUEST,
      GST_STATIC_CAPS ("video/x-raw, format = (string) GRAY8, "
                       "width = (int) [ 1, MAX ], height = (int) [ 1, MAX ], "
                       "framerate = (fraction) [ 0, MAX ]")),
#define SLICE_TEMPLATE(name)                                                   \
  GST_STATIC_PAD_TEMPLATE (name, GST_PAD_SRC, GST_PAD_REQUEST,                 \
      GST_STATIC_CAPS ("video/x-raw, format = (string) { GRAY16_LE, GRAY8 }, " \
                       "width = (int) [ 1, MAX ], height = (int) [ 1, MAX ], " \
                       "framerate = (fraction) [ 0, MAX ]"))
  SLICE_TEMPLATE ("basal"),
  SLICE_TEMPLATE ("mid"),
  SLICE_TEMPLATE ("apical"),
};

G_DEFINE_ABSTRACT_TYPE_WITH_PRIVATE (
    GstCinePlayer, gst_cine_player, GST_TYPE_ELEMENT);
#define PRIVATE(self)                                                          \
  ((GstCinePlayerPrivate *) gst_cine_player_get_instance_private (self))

static void gst_cine_player_finalize (GObject *object);
static void gst_cine_player_set_property (
    GObject *object, guint id, const GValue *value, GParamSpec *pspec);
static void gst_cine_player_get_property (
    GObject *object, guint id, GValue *value, GParamSpec *pspec);
static GstPad *gst_cine_player_request_new_pad (GstElement *element,
    GstPadTemplate *template, const gchar *name, const GstCaps *caps);
static void gst_cine_player_release_pad (GstElement *element, GstPad *pad);
static GstStateChangeReturn gst_cine_player_change_state (
    GstElement *element, GstStateChange transition);
static void gst_cine_player_loop (gpointer data);
static gboolean gst_cine_player_event (
    GstPad *pad, GstObject *parent, GstEvent *event);
static gboolean gst_cine_player_query (
    GstPad *pad, GstObject *parent, GstQuery *query);

static void
install_properties (GObjectClass *klass)
{
  const GParamFlags flags =
      G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS | GST_PARAM_MUTABLE_READY;

  /**
   * GstCinePlayer:loops:
   *
   * How often the cycle is played; 0: for ever.
   */
  g_object_class_install_property (klass, PROP_LOOPS,
      g_param_spec_uint ("loops", "Loops",
          "How often the cycle is played; 0: for ever", 0, 1000000,
          DEFAULT_LOOPS, flags));
  /**
   * GstCinePlayer:review-side:
   *
   * Side in mm of the square around the LV that the review picture shows of
   * each slice; 0: whole slices.
   */
  g_object_class_install_property (klass, PROP_REVIEW_SIDE,
      g_param_spec_double ("review-side", "Review side",
          "Side in mm of what `review` shows of each slice, around the LV; 0: "
          "whole slices",
          0, 1000, DEFAULT_REVIEW_SIDE, flags));
  /**
   * GstCinePlayer:stack:
   *
   * What is known of the stack, from PAUSED on; as the message `cardiac-stack`.
   */
  g_object_class_install_property (klass, PROP_STACK,
      g_param_spec_boxed ("stack", "Stack",
          "Format, size, timing, slices and landmarks of the stack that plays",
          GST_TYPE_STRUCTURE, G_PARAM_READABLE | G_PARAM_STATIC_STRINGS));
}

static void
gst_cine_player_class_init (GstCinePlayerClass *klass)
{
  GstElementClass *element_class = GST_ELEMENT_CLASS (klass);
  GObjectClass *object_class = G_OBJECT_CLASS (klass);

  GST_DEBUG_CATEGORY_INIT (
      cine_player_debug, "cineplayer", 0, "player of cine MR slices");
  object_class->finalize = gst_cine_player_finalize;
  object_class->set_property = gst_cine_player_set_property;
  object_class->get_property = gst_cine_player_get_property;
  install_properties (object_class);

  element_class->request_new_pad = gst_cine_player_request_new_pad;
  element_class->release_pad = gst_cine_player_release_pad;
  element_class->change_state = gst_cine_player_change_state;
  for (guint i = 0; i < CINE_SHOWS; i++)
    gst_element_class_add_static_pad_template (element_class, &templates[i]);
  gst_type_mark_as_plugin_api (GST_TYPE_CINE_PLAYER, 0);
}

static void
gst_cine_player_init (GstCinePlayer *self)
{
  GstCinePlayerPrivate *own = PRIVATE (self);

  own->wanted_loops = DEFAULT_LOOPS;
  own->review_side = DEFAULT_REVIEW_SIDE;
  cine_pads_init (&own->pads, GST_ELEMENT (self), &own->show);
  g_rec_mutex_init (&own->task_lock);
  own->task = gst_task_new (gst_cine_player_loop, self, NULL);
  gst_task_set_lock (own->task, &own->task_lock);
  GST_OBJECT_FLAG_SET (self, GST_ELEMENT_FLAG_SOURCE);
}

static void
gst_cine_player_finalize (GObject *object)
{
  GstCinePlayerPrivate *own = PRIVATE (GST_CINE_PLAYER (object));

  cine_pads_clear (&own->pads);
  gst_object_unref (own->task);
  g_rec_mutex_clear (&own->task_lock);
  G_OBJECT_CLASS (gst_cine_player_parent_class)->finalize (object);
}

static void
gst_cine_player_set_property (
    GObject *object, guint id, const GValue *value, GParamSpec *pspec)
{
  GstCinePlayerPrivate *own = PRIVATE (GST_CINE_PLAYER (object));

  GST_OBJECT_LOCK (object);
  if (id == PROP_LOOPS)
    own->wanted_loops = g_value_get_uint (value);
  else if (id == PROP_REVIEW_SIDE)
    own->review_side = g_value_get_double (value);
  else
    G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
  GST_OBJECT_UNLOCK (object);
}

static void
gst_cine_player_get_property (
    GObject *object, guint id, GValue *value, GParamSpec *pspec)
{
  GstCinePlayerPrivate *own = PRIVATE (GST_CINE_PLAYER (object));

  GST_OBJECT_LOCK (object);
  if (id == PROP_LOOPS)
    g_value_set_uint (value, own->wanted_loops);
  else if (id == PROP_REVIEW_SIDE)
    g_value_set_double (value, own->review_side);
  else if (id == PROP_STACK)
    g_value_take_boxed (
        value, own->show.stack ? cine_show_describe (&own->show) : NULL);
  else
    G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
  GST_OBJECT_UNLOCK (object);
}

void
gst_cine_player_set_live (GstCinePlayer *self, gboolean live)
{
  GST_OBJECT_LOCK (self);
  PRIVATE (self)->live = live;
  GST_OBJECT_UNLOCK (self);
}

gboolean
gst_cine_player_is_live (GstCinePlayer *self)
{
  gboolean live;

  GST_OBJECT_LOCK (self);
  live = PRIVATE (self)->live;
  GST_OBJECT_UNLOCK (self);
  return live;
}

static GstPad *
gst_cine_player_request_new_pad (GstElement *element, GstPadTemplate *template,
    const gchar *name, const GstCaps *caps)
{
  const gchar *wanted = GST_PAD_TEMPLATE_NAME_TEMPLATE (template);
  GstCinePlayer *self = GST_CINE_PLAYER (element);
  GstCinePlayerPrivate *own = PRIVATE (self);
  guint kind = 0;
  GstPad *pad;

  while (strcmp (wanted, cine_pad_names[kind]) != 0)
    kind++;
  pad = gst_pad_new_from_template (template, wanted);
  gst_pad_set_event_function (pad, gst_cine_player_event);
  gst_pad_set_query_function (pad, gst_cine_player_query);
  gst_pad_use_fixed_caps (pad);

  if (!cine_pads_add (&own->pads, kind, pad)) {
    GST_WARNING_OBJECT (self, "pad '%s' has been requested before", wanted);
    gst_object_unref (gst_object_ref_sink (pad));
    return NULL;
  }
  gst_pad_set_active (pad, TRUE);
  gst_element_add_pad (element, pad);
  return pad;
}

static void
gst_cine_player_release_pad (GstElement *element, GstPad *pad)
{
  GstCinePlayerPrivate *own = PRIVATE (GST_CINE_PLAYER (element));

  cine_pads_remove (&own->pads, pad);
  /* Ends a push that waits downstream. */
  gst_pad_set_active (pad, FALSE);
  gst_element_remove_pad (element, pad);
}

/* --- from READY to PAUSED --- */

static void
post_notes (GstCinePlayer *self)
{
  GstCinePlayerPrivate *own = PRIVATE (self);
  const CineStack *stack = own->show.stack;

  for (gint i = 0; i < stack->n_notes; i++)
    GST_ELEMENT_WARNING (self, STREAM, FORMAT, ("%s", stack->notes[i]), (NULL));
  gst_element_post_message (
      GST_ELEMENT (self), gst_message_new_element (GST_OBJECT (self),
                              cine_show_describe (&own->show)));
}

static void
reset_stream (GstCinePlayer *self)
{
  GstCinePlayerPrivate *own = PRIVATE (self);
  GstSegment *segment = &own->pads.segment;

  gst_segment_init (segment, GST_FORMAT_TIME);
  if (own->loops > 0)
    segment->duration = own->loops * cine_show_cycle (&own->show);
  cine_pads_begin (&own->pads);
  own->next = 0;
  GST_OBJECT_LOCK (self);
  own->last_seek = GST_SEQNUM_INVALID;
  own->finished = FALSE;
  own->position = GST_CLOCK_TIME_NONE;
  GST_OBJECT_UNLOCK (self);
}

static gboolean
gst_cine_player_open (GstCinePlayer *self)
{
  GstCinePlayerPrivate *own = PRIVATE (self);
  CineError error = { CINE_FINE, "", "" };
  CineShow show = { NULL };
  gboolean fine;

  GST_OBJECT_LOCK (self);
  show.review_side = own->review_side;
  GST_OBJECT_UNLOCK (self);
  fine = GST_CINE_PLAYER_GET_CLASS (self)->load (self, &show, &error);
  if (fine) {
    GST_OBJECT_LOCK (self);
    own->show = show;
    own->loops = own->wanted_loops;
    GST_OBJECT_UNLOCK (self);
    reset_stream (self);
    post_notes (self);
  } else {
    cine_stack_free (&show.stack);
    cine_problem_post (GST_ELEMENT (self), &error);
  }
  return fine;
}

static void
gst_cine_player_close (GstCinePlayer *self)
{
  GstCinePlayerPrivate *own = PRIVATE (self);
  GST_OBJECT_LOCK (self);
  cine_stack_free (&own->show.stack);
  GST_OBJECT_UNLOCK (self);
}

/* Ends a wait for the clock, and those to come, or allows them again. */
static void
set_hurry (GstCinePlayer *self, gboolean hurry)
{
  GstCinePlayerPrivate *own = PRIVATE (self);

  GST_OBJECT_LOCK (self);
  own->hurry = hurry;
  if (hurry && own->wait)
    gst_clock_id_unschedule (own->wait);
  GST_OBJECT_UNLOCK (self);
}

static gboolean
is_finished (GstCinePlayer *self)
{
  gboolean finished;

  GST_OBJECT_LOCK (self);
  finished = PRIVATE (self)->finished;
  GST_OBJECT_UNLOCK (self);
  return finished;
}

static gboolean
before_change (GstCinePlayer *self, GstStateChange transition)
{
  GstCinePlayerPrivate *own = PRIVATE (self);

  switch (transition) {
    case GST_STATE_CHANGE_READY_TO_PAUSED:
      set_hurry (self, FALSE);
      return gst_cine_player_open (self);
    case GST_STATE_CHANGE_PLAYING_TO_PAUSED:
      if (gst_cine_player_is_live (self)) {
        set_hurry (self, TRUE);
        gst_task_pause (own->task);
      }
      return TRUE;
    case GST_STATE_CHANGE_PAUSED_TO_READY:
      set_hurry (self, TRUE);
      gst_task_stop (own->task);
      return TRUE;
    default:
      return TRUE;
  }
}

static GstStateChangeReturn
gst_cine_player_change_state (GstElement *element, GstStateChange transition)
{
  GstCinePlayer *self = GST_CINE_PLAYER (element);
  GstCinePlayerPrivate *own = PRIVATE (self);
  gboolean live = gst_cine_player_is_live (self);
  GstStateChangeReturn result;

  if (!before_change (self, transition))
    return GST_STATE_CHANGE_FAILURE;

  result = GST_ELEMENT_CLASS (gst_cine_player_parent_class)
               ->change_state (element, transition);

  if (transition == GST_STATE_CHANGE_READY_TO_PAUSED) {
    if (result == GST_STATE_CHANGE_FAILURE)
      gst_cine_player_close (self);
    else if (!live)
      gst_task_start (own->task);
  }
  if (transition == GST_STATE_CHANGE_PAUSED_TO_PLAYING && live) {
    set_hurry (self, FALSE);
    if (!is_finished (self))
      gst_task_start (own->task);
  }
  if (transition == GST_STATE_CHANGE_PAUSED_TO_READY) {
    /* Pads are inactive by now, so no push waits. The last round may still
     * pause the task, which would then never be joined: let it end first. */
    g_rec_mutex_lock (&own->task_lock);
    g_rec_mutex_unlock (&own->task_lock);
    gst_task_join (own->task);
    gst_cine_player_close (self);
  }
  if (live && result == GST_STATE_CHANGE_SUCCESS
      && (transition == GST_STATE_CHANGE_READY_TO_PAUSED
          || transition == GST_STATE_CHANGE_PLAYING_TO_PAUSED))
    return GST_STATE_CHANGE_NO_PREROLL;
  return result;
}

/* --- streaming thread --- */

/* Start of a picture, counted over all loops. */
static GstClockTime
get_time (GstCinePlayer *self, guint64 picture)
{
  GstCinePlayerPrivate *own = PRIVATE (self);
  guint phases = own->show.stack->phases;

  return picture / phases * cine_show_cycle (&own->show)
         + cine_show_time (&own->show, picture % phases);
}

/* The picture that is shown at a time. */
static guint64
find_picture (GstCinePlayer *self, GstClockTime time)
{
  GstCinePlayerPrivate *own = PRIVATE (self);
  guint phases = own->show.stack->phases;
  guint64 picture = time / cine_show_cycle (&own->show) * phases;

  while (get_time (self, picture + 1) <= time)
    picture++;
  return picture;
}

/* The next picture of a pad. */
static GstBuffer *
make_buffer (
    gpointer data, guint kind, const GstVideoInfo *info, gboolean discont)
{
  GstCinePlayer *self = data;
  GstCinePlayerPrivate *own = PRIVATE (self);
  GstCinePlayerClass *klass = GST_CINE_PLAYER_GET_CLASS (self);
  guint phases = own->show.stack->phases;
  guint64 picture = own->next;
  GstBuffer *buffer = cine_show_buffer (
      &own->show, kind, info, picture % phases, picture / phases);

  if (!buffer)
    return NULL;
  if (klass->decorate)
    klass->decorate (self, picture % phases, buffer);
  GST_BUFFER_PTS (buffer) = get_time (self, picture);
  GST_BUFFER_DURATION (buffer) =
      get_time (self, picture + 1) - GST_BUFFER_PTS (buffer);
  GST_BUFFER_OFFSET (buffer) = picture;
  GST_BUFFER_OFFSET_END (buffer) = picture + 1;
  if (discont)
    GST_BUFFER_FLAG_SET (buffer, GST_BUFFER_FLAG_DISCONT);
  return buffer;
}

static void
stop_for (GstCinePlayer *self, GstFlowReturn flow)
{
  GstCinePlayerPrivate *own = PRIVATE (self);
  GstEvent *event;

  gst_task_pause (own->task);
  if (flow == GST_FLOW_EOS) {
    cine_pads_prepare_all (&own->pads); /* no buffer may have been */
    cine_pads_push_event (&own->pads,
        segment_end (GST_ELEMENT (self), &own->pads.segment, own->pads.seqnum));
    return;
  }
  if (flow == GST_FLOW_FLUSHING)
    return;
  if (flow == GST_FLOW_NOT_LINKED)
    GST_ELEMENT_ERROR (self, STREAM, FAILED,
        ("%s has no linked pad; link basal, mid, apical or review",
            GST_OBJECT_NAME (self)),
        (NULL));
  else if (flow == GST_FLOW_NOT_NEGOTIATED)
    GST_ELEMENT_ERROR (self, STREAM, FORMAT,
        ("what follows takes none of its formats; slices are GRAY16_LE or "
         "GRAY8, review is GRAY8: put videoconvert behind it"),
        (NULL));
  else
    GST_ELEMENT_FLOW_ERROR (self, flow);
  event = gst_event_new_eos ();
  gst_event_set_seqnum (event, own->pads.seqnum);
  cine_pads_push_event (&own->pads, event);
}

/* Until a live player's picture is due. False: told to stop. */
static gboolean
wait_for (GstCinePlayer *self, GstClockTime time)
{
  GstCinePlayerPrivate *own = PRIVATE (self);
  GstClock *clock = gst_element_get_clock (GST_ELEMENT (self));
  GstClockID id;
  gboolean fine;

  if (!clock)
    return TRUE;
  GST_OBJECT_LOCK (self);
  fine = !own->hurry;
  id = own->wait = gst_clock_new_single_shot_id (
      clock, GST_ELEMENT_CAST (self)->base_time + time);
  GST_OBJECT_UNLOCK (self);
  if (fine)
    gst_clock_id_wait (id, NULL);
  GST_OBJECT_LOCK (self);
  own->wait = NULL;
  fine = !own->hurry;
  GST_OBJECT_UNLOCK (self);
  gst_clock_id_unref (id);
  gst_object_unref (clock);
  return fine;
}

static void
gst_cine_player_loop (gpointer data)
{
  GstCinePlayer *self = data;
  GstCinePlayerPrivate *own = PRIVATE (self);
  guint64 all = (guint64) own->loops * own->show.stack->phases;
  GstClockTime time = get_time (self, own->next);
  GstFlowReturn flow = GST_FLOW_EOS;

  if ((all == 0 || own->next < all)
      && (!GST_CLOCK_TIME_IS_VALID (own->pads.segment.stop)
          || time < own->pads.segment.stop)) {
    if (gst_cine_player_is_live (self) && !wait_for (self, time))
      return;
    flow = cine_pads_push (&own->pads, make_buffer, self);
  }
  if (flow == GST_FLOW_OK) {
    own->next++;
    GST_OBJECT_LOCK (self);
    own->position = time;
    GST_OBJECT_UNLOCK (self);
  } else {
    GST_DEBUG_OBJECT (self, "stops: %s", gst_flow_get_name (flow));
    GST_OBJECT_LOCK (self);
    own->finished = flow != GST_FLOW_FLUSHING;
    GST_OBJECT_UNLOCK (self);
    stop_for (self, flow);
  }
}

/* --- seeks and queries --- */

static gboolean
take_seek (GstCinePlayer *self, guint32 seqnum)
{
  GstCinePlayerPrivate *own = PRIVATE (self);
  gboolean is_new;

  GST_OBJECT_LOCK (self);
  is_new = own->last_seek != seqnum;
  own->last_seek = seqnum;
  GST_OBJECT_UNLOCK (self);
  return is_new;
}

static void
apply_seek (GstCinePlayer *self, const GstSegment *segment, guint32 seqnum)
{
  GstCinePlayerPrivate *own = PRIVATE (self);

  cine_pads_seek (&own->pads, segment, seqnum);
  own->next = find_picture (self, segment->position);
}

/* A bin sends the same seek through each of its sinks: the first one counts. */
static gboolean
seek (GstCinePlayer *self, GstEvent *event)
{
  GstCinePlayerPrivate *own = PRIVATE (self);
  guint32 seqnum = gst_event_get_seqnum (event);
  GstSeekType start_type, stop_type;
  GstSegment segment;
  GstSeekFlags flags;
  gint64 start, stop;
  GstFormat format;
  GstEvent *flush;
  gdouble rate;
  gboolean fine;

  gst_event_parse_seek (
      event, &rate, &format, &flags, &start_type, &start, &stop_type, &stop);
  if (format != GST_FORMAT_TIME || rate <= 0 || !own->show.stack
      || gst_cine_player_is_live (self))
    return FALSE;
  if (!take_seek (self, seqnum))
    return TRUE;
  if (flags & GST_SEEK_FLAG_FLUSH) {
    flush = gst_event_new_flush_start ();
    gst_event_set_seqnum (flush, seqnum);
    cine_pads_push_event (&own->pads, flush);
  }
  gst_task_pause (own->task);
  g_rec_mutex_lock (&own->task_lock);
  segment = own->pads.segment;
  fine = gst_segment_do_seek (
      &segment, rate, format, flags, start_type, start, stop_type, stop, NULL);
  if (flags & GST_SEEK_FLAG_FLUSH) {
    flush = gst_event_new_flush_stop (TRUE);
    gst_event_set_seqnum (flush, seqnum);
    cine_pads_push_event (&own->pads, flush);
  }
  if (fine)
    apply_seek (self, &segment, seqnum);
  else if (flags & GST_SEEK_FLAG_FLUSH)
    cine_pads_forget_segments (&own->pads);
  gst_task_start (own->task);
  g_rec_mutex_unlock (&own->task_lock);
  return fine;
}

static gboolean
gst_cine_player_event (GstPad *pad, GstObject *parent, GstEvent *event)
{
  GstCinePlayer *self = GST_CINE_PLAYER (parent);
  gboolean done;

  switch (GST_EVENT_TYPE (event)) {
    case GST_EVENT_SEEK:
      done = seek (self, event);
      gst_event_unref (event);
      return done;
    case GST_EVENT_RECONFIGURE:
    case GST_EVENT_QOS:
    case GST_EVENT_LATENCY:
      gst_event_unref (event);
      return TRUE;
    default:
      return gst_pad_event_default (pad, parent, event);
  }
}

static gboolean
answer_duration (GstCinePlayer *self, GstQuery *query)
{
  GstCinePlayerPrivate *own = PRIVATE (self);
  GstFormat format;

  gst_query_parse_duration (query, &format, NULL);
  if (format != GST_FORMAT_TIME || !own->show.stack || own->loops == 0)
    return FALSE;
  gst_query_set_duration (
      query, format, own->loops * cine_show_cycle (&own->show));
  return TRUE;
}

static gboolean
answer_seeking (GstCinePlayer *self, GstQuery *query)
{
  GstCinePlayerPrivate *own = PRIVATE (self);
  GstFormat format;
  gint64 end = -1;

  gst_query_parse_seeking (query, &format, NULL, NULL, NULL);
  if (own->show.stack && own->loops > 0)
    end = own->loops * cine_show_cycle (&own->show);
  gst_query_set_seeking (
      query, format, format == GST_FORMAT_TIME && !own->live, 0, end);
  return TRUE;
}

static gboolean
gst_cine_player_query (GstPad *pad, GstObject *parent, GstQuery *query)
{
  GstCinePlayer *self = GST_CINE_PLAYER (parent);
  GstCinePlayerPrivate *own = PRIVATE (self);
  gboolean known = FALSE;
  GstFormat format;

  switch (GST_QUERY_TYPE (query)) {
    case GST_QUERY_DURATION:
      GST_OBJECT_LOCK (self);
      known = answer_duration (self, query);
      GST_OBJECT_UNLOCK (self);
      return known;
    case GST_QUERY_SEEKING:
      GST_OBJECT_LOCK (self);
      known = answer_seeking (self, query);
      GST_OBJECT_UNLOCK (self);
      return known;
    case GST_QUERY_POSITION:
      gst_query_parse_position (query, &format, NULL);
      GST_OBJECT_LOCK (self);
      if (format == GST_FORMAT_TIME && own->position != GST_CLOCK_TIME_NONE) {
        gst_query_set_position (query, format, own->position);
        known = TRUE;
      }
      GST_OBJECT_UNLOCK (self);
      return known;
    case GST_QUERY_LATENCY:
      gst_query_set_latency (
          query, gst_cine_player_is_live (self), 0, GST_CLOCK_TIME_NONE);
      return TRUE;
    default:
      return gst_pad_query_default (pad, parent, query);
  }
}
