/* SPDX-License-Identifier: LGPL-2.1-or-later */

/**
 * SECTION:element-mmsascore
 * @title: mmsascore
 * @short_description: scores regional wall motion in cine MR
 *
 * Scores the wall motion of 16 AHA segments with MMSA, from polar pictures of a
 * basal, a mid and an apical short-axis slice (cmrpolar) over one heart cycle.
 * What is known of the cycle is attached to every buffer of the `video` pad as
 * #GstCardiacResultMeta; cardiacoverlay draws it, cardiacmeta2json writes it
 * down. Without a `video` pad the basal polar picture leaves the element.
 *
 * Every record is also posted as an element message `cardiac-result`, whose
 * field `json` is the line that `results-location` receives. A source that
 * plays the cycle again and again gives one record a cycle.
 *
 * ## Cycles and waiting
 *
 * A cycle ends where the #GstCardiacSliceMeta of the pictures says so (phases,
 * loops), after #GstMmsaScore:phases pictures, or with the stream. Video of a
 * cycle is held until it is scored, one cycle at most. Pads may be fed by one
 * thread or by many, with or without queues; a picture that waits longer than
 * #GstMmsaScore:timeout for those of other pads is an error. A stream that begins
 * on the pads after the end of another one, as in a playlist, is a recording of
 * its own: it waits until the one before is scored and gone.
 *
 * ## States
 *
 * STACK_INCOMPLETE: a slice is missing. LEVEL_UNKNOWN: a slice has no
 * landmarks, or comes to the pad of another level. PHASES_DIFFER: the slices
 * have different numbers of phases. TOO_SHORT: fewer than 8 phases. FROZEN: all
 * phases of a slice are the same. Scores exist in RESULT only.
 *
 * Research use only: not for diagnosis.
 *
 * ## Example launch lines
 * |[
 * gst-launch-1.0 cmrcinesrc location=DIRECTORY landmarks=landmarks.json name=s mmsascore name=m results-location=results.jsonl ! cardiacoverlay layout=panel ! videoconvert ! autovideosink s.basal ! cmrpolar ! m.basal s.mid ! cmrpolar ! m.mid s.apical ! cmrpolar ! m.apical s.review ! m.video
 * ]| Scores a patient and shows the slices with the scores.
 * |[
 * gst-launch-1.0 -m cmrtestsrc name=s mmsascore name=m ! fakesink s.basal ! cmrpolar ! m.basal s.mid ! cmrpolar ! m.mid s.apical ! cmrpolar ! m.apical
 * ]| Scores a phantom and prints the record.
 */

#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include "gstmmsascore.h"

#include <gst/video/video.h>

#include "cyclepicture.h"
#include "mmsascorer.h"
#include "scorequeue.h"

GST_DEBUG_CATEGORY_STATIC (mmsa_score_debug);
#define GST_CAT_DEFAULT mmsa_score_debug

#define DEFAULT_PHASES 0
#define DEFAULT_TIMEOUT (10 * GST_SECOND)
#define DEFAULT_LOCATION NULL

/* Latency grows by this. */
#define LATENCY_STEP (50 * GST_MSECOND)

#define POLAR_CAPS                                                             \
  "video/x-raw, format = GRAY8, width = 192, height = 80, "                    \
  "framerate = " GST_VIDEO_FPS_RANGE

enum {
  PROP_0,
  PROP_NETWORK, /* and those that follow */
  PROP_PHASES = PROP_NETWORK + NETWORK_PROPERTIES,
  PROP_TIMEOUT,
  PROP_RESULTS_LOCATION,
  PROP_STATS,
};

/* Sinks are the three levels, by their numbers, and the video. */
enum { VIDEO = CYCLE_LEVELS, SINKS };

static const gchar *sink_names[SINKS] = { "basal", "mid", "apical", "video" };

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

G_DEFINE_FINAL_TYPE (GstMmsaScore, gst_mmsa_score, GST_TYPE_ELEMENT);
GST_ELEMENT_REGISTER_DEFINE (
    mmsascore, "mmsascore", GST_RANK_NONE, GST_TYPE_MMSA_SCORE);

static GstStaticPadTemplate level_templates[CYCLE_LEVELS] = {
  GST_STATIC_PAD_TEMPLATE (
      "basal", GST_PAD_SINK, GST_PAD_REQUEST, GST_STATIC_CAPS (POLAR_CAPS)),
  GST_STATIC_PAD_TEMPLATE (
      "mid", GST_PAD_SINK, GST_PAD_REQUEST, GST_STATIC_CAPS (POLAR_CAPS)),
  GST_STATIC_PAD_TEMPLATE (
      "apical", GST_PAD_SINK, GST_PAD_REQUEST, GST_STATIC_CAPS (POLAR_CAPS)),
};

static GstStaticPadTemplate video_template = GST_STATIC_PAD_TEMPLATE ("video",
    GST_PAD_SINK, GST_PAD_REQUEST, GST_STATIC_CAPS ("video/x-raw(ANY)"));

static GstStaticPadTemplate src_template = GST_STATIC_PAD_TEMPLATE (
    "src", GST_PAD_SRC, GST_PAD_ALWAYS, GST_STATIC_CAPS ("video/x-raw(ANY)"));

static void gst_mmsa_score_set_property (
    GObject *object, guint id, const GValue *value, GParamSpec *pspec);
static void gst_mmsa_score_get_property (
    GObject *object, guint id, GValue *value, GParamSpec *pspec);
static void gst_mmsa_score_finalize (GObject *object);
static GstStateChangeReturn gst_mmsa_score_change_state (
    GstElement *element, GstStateChange transition);
static GstPad *gst_mmsa_score_request_new_pad (GstElement *element,
    GstPadTemplate *templ, const gchar *name, const GstCaps *caps);
static void gst_mmsa_score_release_pad (GstElement *element, GstPad *pad);
static gboolean gst_mmsa_score_activate_src (
    GstPad *pad, GstObject *parent, GstPadMode mode, gboolean active);
static gboolean gst_mmsa_score_src_query (
    GstPad *pad, GstObject *parent, GstQuery *query);
static GstFlowReturn gst_mmsa_score_chain (
    GstPad *pad, GstObject *parent, GstBuffer *buffer);
static gboolean gst_mmsa_score_sink_event (
    GstPad *pad, GstObject *parent, GstEvent *event);
static gboolean gst_mmsa_score_sink_query (
    GstPad *pad, GstObject *parent, GstQuery *query);
static void gst_mmsa_score_loop (gpointer data);

static void
install_properties (GObjectClass *klass)
{
  const GParamFlags flags =
      G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS | GST_PARAM_MUTABLE_READY;

  network_settings_install (klass, PROP_NETWORK,
      "the demonstration weights " MMSA_DEMO_MODEL
      ", trained on phantoms and not on patients; without them an error");
  /**
   * GstMmsaScore:phases:
   *
   * Pictures of a cycle, where they carry no #GstCardiacSliceMeta.
   */
  g_object_class_install_property (klass, PROP_PHASES,
      g_param_spec_uint ("phases", "Phases",
          "Pictures of a cycle where they do not say; 0: all up to the end", 0,
          CYCLE_MAX_PHASES, DEFAULT_PHASES, flags));
  /**
   * GstMmsaScore:timeout:
   *
   * How long a picture waits in nanoseconds for those of other pads before
   * that is an error. Waiting for the network or for what follows the element
   * does not count.
   */
  g_object_class_install_property (klass, PROP_TIMEOUT,
      g_param_spec_uint64 ("timeout", "Timeout",
          "Time in ns that a pad waits for others before that is an error; 0: "
          "no limit",
          0, G_MAXINT64, DEFAULT_TIMEOUT, flags));
  /**
   * GstMmsaScore:results-location:
   *
   * File that receives one JSON object a line for each record.
   */
  g_object_class_install_property (klass, PROP_RESULTS_LOCATION,
      g_param_spec_string ("results-location", "Results location",
          "File that receives one JSON object a line", DEFAULT_LOCATION,
          flags));
  g_object_class_install_property (klass, PROP_STATS,
      g_param_spec_boxed ("stats", "Statistics", "Counters and times",
          GST_TYPE_STRUCTURE, G_PARAM_READABLE | G_PARAM_STATIC_STRINGS));
}

static void
gst_mmsa_score_class_init (GstMmsaScoreClass *klass)
{
  GObjectClass *gobject_class = G_OBJECT_CLASS (klass);
  GstElementClass *element_class = GST_ELEMENT_CLASS (klass);

  GST_DEBUG_CATEGORY_INIT (
      mmsa_score_debug, "mmsascore", 0, "regional wall motion scoring");

  gobject_class->set_property = gst_mmsa_score_set_property;
  gobject_class->get_property = gst_mmsa_score_get_property;
  gobject_class->finalize = gst_mmsa_score_finalize;
  install_properties (gobject_class);

  for (guint i = 0; i < CYCLE_LEVELS; i++)
    gst_element_class_add_static_pad_template (
        element_class, &level_templates[i]);
  gst_element_class_add_static_pad_template (element_class, &video_template);
  gst_element_class_add_static_pad_template (element_class, &src_template);
  gst_element_class_set_static_metadata (element_class, "Wall motion scoring",
      "Analyzer/Video",
      "Scores regional wall motion in cine MR; research use only",
      "gst-cardiac");

  element_class->change_state = gst_mmsa_score_change_state;
  element_class->request_new_pad = gst_mmsa_score_request_new_pad;
  element_class->release_pad = gst_mmsa_score_release_pad;
}

static void
gst_mmsa_score_init (GstMmsaScore *self)
{
  network_settings_init (&self->network);
  self->phases = DEFAULT_PHASES;
  self->timeout = DEFAULT_TIMEOUT;
  self->results_location = g_strdup (DEFAULT_LOCATION);
  g_mutex_init (&self->lock);
  g_cond_init (&self->cond);
  self->scorer = mmsa_scorer_new (GST_ELEMENT (self));
  self->queue = score_queue_new ();
  self->stopped = self->src_flushing = TRUE;

  self->src = gst_pad_new_from_static_template (&src_template, "src");
  gst_pad_set_activatemode_function (
      self->src, GST_DEBUG_FUNCPTR (gst_mmsa_score_activate_src));
  gst_pad_set_query_function (
      self->src, GST_DEBUG_FUNCPTR (gst_mmsa_score_src_query));
  gst_element_add_pad (GST_ELEMENT (self), self->src);
}

static void
gst_mmsa_score_finalize (GObject *object)
{
  GstMmsaScore *self = GST_MMSA_SCORE (object);

  score_queue_free (self->queue);
  mmsa_scorer_free (self->scorer);
  network_settings_clear (&self->network);
  g_free (self->results_location);
  g_cond_clear (&self->cond);
  g_mutex_clear (&self->lock);
  G_OBJECT_CLASS (gst_mmsa_score_parent_class)->finalize (object);
}

/* ---- properties -------------------------------------------------------- */

static void
gst_mmsa_score_set_property (
    GObject *object, guint id, const GValue *value, GParamSpec *pspec)
{
  GstMmsaScore *self = GST_MMSA_SCORE (object);

  GST_OBJECT_LOCK (self);
  switch (id) {
    case PROP_PHASES:
      self->phases = g_value_get_uint (value);
      break;
    case PROP_TIMEOUT:
      self->timeout = g_value_get_uint64 (value);
      break;
    case PROP_RESULTS_LOCATION:
      g_free (self->results_location);
      self->results_location = g_value_dup_string (value);
      break;
    default:
      if (id >= PROP_NETWORK && id < PROP_NETWORK + NETWORK_PROPERTIES)
        network_settings_set (&self->network, id - PROP_NETWORK, value);
      else
        G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
      break;
  }
  GST_OBJECT_UNLOCK (self);
}

static void
gst_mmsa_score_get_property (
    GObject *object, guint id, GValue *value, GParamSpec *pspec)
{
  GstMmsaScore *self = GST_MMSA_SCORE (object);
  GstStructure *stats;

  GST_OBJECT_LOCK (self);
  switch (id) {
    case PROP_PHASES:
      g_value_set_uint (value, self->phases);
      break;
    case PROP_TIMEOUT:
      g_value_set_uint64 (value, self->timeout);
      break;
    case PROP_RESULTS_LOCATION:
      g_value_set_string (value, self->results_location);
      break;
    case PROP_STATS:
      stats = mmsa_scorer_get_stats (self->scorer);
      gst_structure_set (stats, "frames", G_TYPE_UINT64, self->frames, NULL);
      g_value_take_boxed (value, stats);
      break;
    default:
      if (id >= PROP_NETWORK && id < PROP_NETWORK + NETWORK_PROPERTIES)
        network_settings_get (&self->network, id - PROP_NETWORK, value);
      else
        G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
      break;
  }
  GST_OBJECT_UNLOCK (self);
}

/* ---- life cycle -------------------------------------------------------- */

/* Everything but pads and threads as it is before the first buffer. */
static void
reset (GstMmsaScore *self)
{
  guint phases;

  GST_OBJECT_LOCK (self);
  self->frames = 0;
  phases = self->phases;
  GST_OBJECT_UNLOCK (self);

  g_mutex_lock (&self->lock);
  self->collector = cycle_collector_new (phases);
  for (guint i = 0; i < SINKS; i++) {
    Sink *sink = &self->sinks[i];

    gst_segment_init (&sink->segment, GST_FORMAT_UNDEFINED);
    gst_video_info_init (&sink->info);
    sink->flushing = sink->ended = FALSE;
    if (i < CYCLE_LEVELS)
      cycle_collector_set_present (self->collector, i, sink->pad != NULL);
  }
  score_queue_clear (self->queue);
  self->video_leaves = self->sinks[VIDEO].pad != NULL;
  self->flow = GST_FLOW_OK;
  self->stopped = self->concluded = FALSE;
  self->cycle_duration = self->network_time = 0;
  g_mutex_unlock (&self->lock);
}

static void
unlock_threads (GstMmsaScore *self)
{
  g_mutex_lock (&self->lock);
  self->stopped = TRUE;
  g_cond_broadcast (&self->cond);
  g_mutex_unlock (&self->lock);
  mmsa_scorer_set_flushing (self->scorer, TRUE);
}

static void
close_all (GstMmsaScore *self)
{
  mmsa_scorer_close (self->scorer);
  network_settings_set_run_info (&self->network, GST_ELEMENT (self), NULL);

  g_mutex_lock (&self->lock);
  g_clear_pointer (&self->collector, cycle_collector_free);
  score_queue_clear (self->queue);
  g_clear_pointer (&self->finding, gst_cardiac_result_unref);
  g_mutex_unlock (&self->lock);
}

static GstStateChangeReturn
gst_mmsa_score_change_state (GstElement *element, GstStateChange transition)
{
  GstMmsaScore *self = GST_MMSA_SCORE (element);
  GstStateChangeReturn ret;

  switch (transition) {
    case GST_STATE_CHANGE_READY_TO_PAUSED:
      if (!mmsa_scorer_open (
              self->scorer, &self->network, &self->results_location)) {
        close_all (self);
        return GST_STATE_CHANGE_FAILURE;
      }
      reset (self);
      break;
    case GST_STATE_CHANGE_PAUSED_TO_READY:
      unlock_threads (self);
      break;
    default:
      break;
  }

  ret = GST_ELEMENT_CLASS (gst_mmsa_score_parent_class)
            ->change_state (element, transition);

  if (transition == GST_STATE_CHANGE_PAUSED_TO_READY
      || (transition == GST_STATE_CHANGE_READY_TO_PAUSED
          && ret == GST_STATE_CHANGE_FAILURE)) {
    unlock_threads (self);
    close_all (self);
  }
  return ret;
}

/* ---- pads -------------------------------------------------------------- */

static guint
get_number (GstPad *pad)
{
  return GPOINTER_TO_UINT (gst_pad_get_element_private (pad));
}

/* The sink whose stream leaves the element, from PAUSED on the same one. With
 * the lock. */
static guint
get_driver (GstMmsaScore *self)
{
  return self->video_leaves ? VIDEO : GST_CARDIAC_LEVEL_BASAL;
}

static GstPad *
make_sink (guint i, GstPadTemplate *templ)
{
  GstPad *pad = gst_pad_new_from_template (templ, sink_names[i]);

  gst_pad_set_element_private (pad, GUINT_TO_POINTER (i));
  gst_pad_set_chain_function (pad, GST_DEBUG_FUNCPTR (gst_mmsa_score_chain));
  gst_pad_set_event_function (
      pad, GST_DEBUG_FUNCPTR (gst_mmsa_score_sink_event));
  gst_pad_set_query_function (
      pad, GST_DEBUG_FUNCPTR (gst_mmsa_score_sink_query));
  return pad;
}

static GstPad *
gst_mmsa_score_request_new_pad (GstElement *element, GstPadTemplate *templ,
    const gchar *name, const GstCaps *caps)
{
  GstMmsaScore *self = GST_MMSA_SCORE (element);
  const gchar *wanted = GST_PAD_TEMPLATE_NAME_TEMPLATE (templ);
  GstPad *pad = NULL;
  gboolean running;
  guint i = 0;

  while (i < SINKS && !g_str_equal (sink_names[i], wanted))
    i++;
  g_return_val_if_fail (i < SINKS, NULL);

  g_mutex_lock (&self->lock);
  running = self->collector != NULL;
  /* The stream that leaves the element cannot become another one midway. */
  if (!self->sinks[i].pad && !(i == VIDEO && self->collector)) {
    pad = self->sinks[i].pad = make_sink (i, templ);
    gst_segment_init (&self->sinks[i].segment, GST_FORMAT_UNDEFINED);
    self->sinks[i].flushing = self->sinks[i].ended = FALSE;
    if (self->collector && i < CYCLE_LEVELS)
      cycle_collector_set_present (self->collector, i, TRUE);
  }
  g_mutex_unlock (&self->lock);

  if (!pad) {
    GST_WARNING_OBJECT (
        self, "no second pad %s, and none for video later on", sink_names[i]);
    return NULL;
  }
  /* Otherwise it is when the element is PAUSED, not before: nothing that comes
   * in could be kept. */
  if (running)
    gst_pad_set_active (pad, TRUE);
  gst_element_add_pad (element, pad);
  return pad;
}

static void
gst_mmsa_score_release_pad (GstElement *element, GstPad *pad)
{
  GstMmsaScore *self = GST_MMSA_SCORE (element);
  guint i = get_number (pad);

  g_mutex_lock (&self->lock);
  self->sinks[i].flushing = TRUE;
  g_cond_broadcast (&self->cond);
  g_mutex_unlock (&self->lock);
  gst_pad_set_active (pad, FALSE);

  g_mutex_lock (&self->lock);
  self->sinks[i].pad = NULL;
  /* The stream that leaves the element ends with its pad. */
  if (self->collector && i == VIDEO && !self->sinks[i].ended) {
    self->sinks[i].ended = TRUE;
    score_queue_push (self->queue, GST_MINI_OBJECT_CAST (gst_event_new_eos ()),
        GST_CLOCK_TIME_NONE, GST_CLOCK_TIME_NONE);
  }
  if (self->collector && i < CYCLE_LEVELS)
    cycle_collector_set_present (self->collector, i, FALSE);
  self->progress++;
  g_cond_broadcast (&self->cond);
  g_mutex_unlock (&self->lock);
  gst_element_remove_pad (element, pad);
}

static gboolean
gst_mmsa_score_activate_src (
    GstPad *pad, GstObject *parent, GstPadMode mode, gboolean active)
{
  GstMmsaScore *self = GST_MMSA_SCORE (parent);

  if (mode != GST_PAD_MODE_PUSH)
    return FALSE;
  g_mutex_lock (&self->lock);
  self->src_flushing = !active;
  g_cond_broadcast (&self->cond);
  g_mutex_unlock (&self->lock);

  if (active) {
    mmsa_scorer_set_flushing (self->scorer, FALSE);
    return gst_pad_start_task (pad, gst_mmsa_score_loop, self, NULL);
  }
  mmsa_scorer_set_flushing (self->scorer, TRUE);
  return gst_pad_stop_task (pad);
}

/* ---- queries ----------------------------------------------------------- */

/* Caps of the video pass through; polar pictures have theirs. */
static GstCaps *
get_caps (GstPad *other, GstPad *pad, GstCaps *filter)
{
  GstCaps *templ = gst_pad_get_pad_template_caps (pad), *caps, *result;

  caps = gst_pad_peer_query_caps (other, filter);
  result = gst_caps_intersect_full (caps, templ, GST_CAPS_INTERSECT_FIRST);
  gst_caps_unref (caps);
  gst_caps_unref (templ);
  return result;
}

static GstCaps *
get_src_caps (GstMmsaScore *self, GstCaps *filter)
{
  GstPad *video = gst_element_get_static_pad (GST_ELEMENT (self), "video");
  GstCaps *caps, *all;

  if (video) {
    caps = get_caps (video, self->src, filter);
    gst_object_unref (video);
    return caps;
  }
  all = gst_static_pad_template_get_caps (&level_templates[0]);
  if (!filter)
    return all;
  caps = gst_caps_intersect_full (filter, all, GST_CAPS_INTERSECT_FIRST);
  gst_caps_unref (all);
  return caps;
}

/* Video waits for its cycle to be complete and then to be scored. */
static gboolean
query_latency (GstMmsaScore *self, GstQuery *query)
{
  GstClockTime min = 0, max = GST_CLOCK_TIME_NONE, held;
  gboolean live = FALSE;

  for (guint i = 0; i < SINKS; i++) {
    GstPad *pad =
        gst_element_get_static_pad (GST_ELEMENT (self), sink_names[i]);
    GstQuery *upstream = gst_query_new_latency ();
    GstClockTime its_min, its_max;
    gboolean its_live;

    if (pad && gst_pad_peer_query (pad, upstream)) {
      gst_query_parse_latency (upstream, &its_live, &its_min, &its_max);
      live |= its_live;
      min = MAX (min, its_min);
      max = MIN (max, its_max);
    }
    gst_query_unref (upstream);
    gst_clear_object (&pad);
  }
  g_mutex_lock (&self->lock);
  held = self->cycle_duration + self->network_time;
  g_mutex_unlock (&self->lock);
  if (GST_CLOCK_TIME_IS_VALID (max))
    max += held;
  gst_query_set_latency (query, live, min + held, max);
  return TRUE;
}

static gboolean
gst_mmsa_score_src_query (GstPad *pad, GstObject *parent, GstQuery *query)
{
  GstMmsaScore *self = GST_MMSA_SCORE (parent);
  GstCaps *filter, *caps;

  switch (GST_QUERY_TYPE (query)) {
    case GST_QUERY_CAPS:
      gst_query_parse_caps (query, &filter);
      caps = get_src_caps (self, filter);
      gst_query_set_caps_result (query, caps);
      gst_caps_unref (caps);
      return TRUE;
    case GST_QUERY_LATENCY:
      return query_latency (self, query);
    default:
      return gst_pad_query_default (pad, parent, query);
  }
}

static gboolean
gst_mmsa_score_sink_query (GstPad *pad, GstObject *parent, GstQuery *query)
{
  GstMmsaScore *self = GST_MMSA_SCORE (parent);
  GstCaps *filter, *caps;

  switch (GST_QUERY_TYPE (query)) {
    case GST_QUERY_CAPS:
      if (get_number (pad) != VIDEO)
        break;
      gst_query_parse_caps (query, &filter);
      caps = get_caps (self->src, pad, filter);
      gst_query_set_caps_result (query, caps);
      gst_caps_unref (caps);
      return TRUE;
    case GST_QUERY_ALLOCATION:
      /* A cycle of buffers is held: they cannot be those of a sink's pool. */
      return FALSE;
    default:
      break;
  }
  return gst_pad_query_default (pad, parent, query);
}

/* ---- what comes in ----------------------------------------------------- */

static gboolean
has_room (GstMmsaScore *self, guint i)
{
  if (i < CYCLE_LEVELS && cycle_collector_is_full (self->collector, i))
    return FALSE;
  return i != get_driver (self) || score_queue_has_room (self->queue);
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
        names, "%s%s", names->len ? ", " : "", sink_names[i]);
  }
  return g_string_free (names, FALSE);
}

static void
post_timeout (GstMmsaScore *self, guint waiting, gchar *silent, guint64 timeout)
{
  GST_ELEMENT_ERROR (self, STREAM, FAILED,
      ("The pad %s waits for pictures of %s since %.1f s: the streams do not "
       "belong together, or one lacks a queue of a cycle's length.",
          sink_names[waiting], *silent ? silent : "another pad",
          timeout / (gdouble) GST_SECOND),
      (NULL));
  g_free (silent);
}

static void
post_endless (GstMmsaScore *self, guint i)
{
  GST_ELEMENT_ERROR (self, STREAM, WRONG_TYPE,
      ("The cycle of the pad %s has no end: %d pictures came in without a "
       "phase. Use a source that says phases, or set phases=N.",
          sink_names[i], CYCLE_MAX_PHASES),
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

/* Whether no further cycle will come. With the lock. */
static gboolean
is_over (GstMmsaScore *self)
{
  return !cycle_collector_is_ready (self->collector)
         && cycle_collector_is_ended (self->collector);
}

/* Whether the source pad's thread has something to do, though it may not have
 * come to it yet: slices may go on after the video's end. With the lock. */
static gboolean
has_work (GstMmsaScore *self)
{
  ScoreQueueHead head = score_queue_look (self->queue);
  gboolean ahead = score_queue_is_ahead (self->queue);

  if (head == SCORE_QUEUE_READY || (head == SCORE_QUEUE_EOS && ahead))
    return TRUE;
  if (cycle_collector_is_ready (self->collector))
    return !ahead;
  return head != SCORE_QUEUE_EMPTY && is_over (self);
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
  gchar *silent;

  while ((flow = get_flow (self, i)) == GST_FLOW_OK && !has_room (self, i)) {
    if (timeout == 0) {
      g_cond_wait (&self->cond, &self->lock);
      continue;
    }
    if (g_cond_wait_until (&self->cond, &self->lock, deadline)
        && self->progress == progress && !self->busy)
      continue;
    if (self->progress == progress && !self->busy && !has_work (self)) {
      silent = list_silent (self, i);
      g_mutex_unlock (&self->lock);
      post_timeout (self, i, silent, timeout);
      g_mutex_lock (&self->lock);
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

static guint64
get_timeout (GstMmsaScore *self)
{
  guint64 timeout;

  GST_OBJECT_LOCK (self);
  timeout = self->timeout;
  GST_OBJECT_UNLOCK (self);
  return timeout;
}

static GstFlowReturn
gst_mmsa_score_chain (GstPad *pad, GstObject *parent, GstBuffer *buffer)
{
  GstMmsaScore *self = GST_MMSA_SCORE (parent);
  guint64 timeout = get_timeout (self);
  guint i = get_number (pad);
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
            sink_names[i]),
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
  if (flow == GST_FLOW_OK && i == get_driver (self)) {
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
  drives = i == get_driver (self);
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
  drives = i == get_driver (self);
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
    gst_pad_start_task (self->src, gst_mmsa_score_loop, self, NULL);
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
  gst_pad_start_task (self->src, gst_mmsa_score_loop, self, NULL);
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
  if (self->flow == GST_FLOW_EOS && self->sinks[get_driver (self)].pad
      && !self->stopped && !self->src_flushing && !sink->flushing)
    start_anew (self);
  g_mutex_unlock (&self->lock);
}

/* Whether this is a failure that upstream must be told of. */
static gboolean
is_failure (GstFlowReturn flow)
{
  return flow == GST_FLOW_NOT_LINKED || flow < GST_FLOW_EOS;
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
  lost = !self->sinks[get_driver (self)].pad
         && !self->sinks[get_driver (self)].ended
         && cycle_collector_is_ended (self->collector);
  if (lost)
    self->flow = GST_FLOW_ERROR;
  flow = self->flow;
  fails = !lost && i == get_driver (self) && is_failure (flow);
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
  drives = i == get_driver (self);
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

static gboolean
gst_mmsa_score_sink_event (GstPad *pad, GstObject *parent, GstEvent *event)
{
  GstMmsaScore *self = GST_MMSA_SCORE (parent);
  guint i = get_number (pad);

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

/* ---- scoring, in the source pad's thread ------------------------------- */

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
  guint64 timeout = get_timeout (self);
  gint64 deadline = g_get_monotonic_time () + timeout / GST_USECOND;
  guint progress = self->progress, waiting;
  gchar *silent;

  if (timeout == 0 || !is_half_ended (self)) {
    g_cond_wait (&self->cond, &self->lock);
    return TRUE;
  }
  if (g_cond_wait_until (&self->cond, &self->lock, deadline)
      || self->progress != progress || !is_half_ended (self) || self->stopped
      || self->src_flushing)
    return TRUE;
  waiting = first_ended (self);
  silent = list_silent (self, waiting);
  self->flow = GST_FLOW_ERROR;
  g_cond_broadcast (&self->cond);
  g_mutex_unlock (&self->lock);
  post_timeout (self, waiting, silent, timeout);
  g_mutex_lock (&self->lock);
  return FALSE;
}

/* The next thing to push, or NULL when the thread shall end. With the lock. */
static GstMiniObject *
next_object (GstMmsaScore *self)
{
  while (!self->stopped && !self->src_flushing) {
    if (!has_work (self)) {
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
  return is_failure (flow) && self->sinks[get_driver (self)].ended;
}

static void
gst_mmsa_score_loop (gpointer data)
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
