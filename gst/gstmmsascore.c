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

#include "mmsascoreparts.h"

GST_DEBUG_CATEGORY_STATIC (mmsa_score_debug);
#define GST_CAT_DEFAULT mmsa_score_debug

#define DEFAULT_PHASES 0
#define DEFAULT_TIMEOUT (10 * GST_SECOND)
#define DEFAULT_LOCATION NULL

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

const gchar *const mmsa_score_sink_names[SINKS] = { "basal", "mid", "apical",
  "video" };

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
      self->src, GST_DEBUG_FUNCPTR (mmsa_score_src_query));
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

guint
mmsa_score_get_number (GstPad *pad)
{
  return GPOINTER_TO_UINT (gst_pad_get_element_private (pad));
}

guint
mmsa_score_get_driver (GstMmsaScore *self)
{
  return self->video_leaves ? VIDEO : GST_CARDIAC_LEVEL_BASAL;
}

static GstPad *
make_sink (guint i, GstPadTemplate *templ)
{
  GstPad *pad = gst_pad_new_from_template (templ, mmsa_score_sink_names[i]);

  gst_pad_set_element_private (pad, GUINT_TO_POINTER (i));
  gst_pad_set_chain_function (pad, GST_DEBUG_FUNCPTR (mmsa_score_chain));
  gst_pad_set_event_function (pad, GST_DEBUG_FUNCPTR (mmsa_score_sink_event));
  gst_pad_set_query_function (pad, GST_DEBUG_FUNCPTR (mmsa_score_sink_query));
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

  while (i < SINKS && !g_str_equal (mmsa_score_sink_names[i], wanted))
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
    GST_WARNING_OBJECT (self, "no second pad %s, and none for video later on",
        mmsa_score_sink_names[i]);
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
  guint i = mmsa_score_get_number (pad);

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
    return gst_pad_start_task (pad, mmsa_score_loop, self, NULL);
  }
  mmsa_scorer_set_flushing (self->scorer, TRUE);
  return gst_pad_stop_task (pad);
}
