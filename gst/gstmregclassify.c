/* SPDX-License-Identifier: LGPL-2.1-or-later */

/**
 * SECTION:element-mregclassify
 * @title: mregclassify
 * @short_description: grades mitral regurgitation in colour-Doppler echo
 *
 * Grades mitral regurgitation in an apical four-chamber colour-Doppler video
 * with MReg on an X-CLIP backbone. Video passes untouched, one buffer in, one
 * buffer out; what is known at a frame is attached to it as
 * #GstCardiacResultMeta and #GstCardiacGeometryMeta. cardiacoverlay draws it,
 * cardiacmeta2json writes it down.
 *
 * Every record is also posted as an element message `cardiac-result`, whose
 * field `json` is the line that `results-location` receives.
 *
 * Research use only: not for diagnosis.
 *
 * ## Clips
 *
 * The network sees three clips of 16 frames, taken by time, so that any frame
 * rate gives the same grade. In a live pipeline a window of three clips slides
 * over the video; video never waits, and a network that is too slow skips
 * clips. Otherwise the video waits for the network, and at the end three clips
 * spread over the whole recording give the final result.
 *
 * ## Two passes over a file
 *
 * The first pass (`interim=false`) writes the result and the maps, the second
 * one (`results=`) attaches them to every frame without a network.
 *
 * ## Screens without a 2-D picture
 *
 * Where the video's #GstCardiacRegionMeta say that the screen shows M-mode or
 * spectra and no 2-D picture, the state is VIEW_NOT_A4C.
 *
 * ## Frames in GPU memory
 *
 * Where the build has it, video/x-raw(memory:CUDAMemory) passes, too. In a live
 * pipeline, and with the network in the same CUDA context, such frames are
 * graded where they lie; otherwise they are downloaded to be looked at.
 *
 * ## Example launch lines
 * |[
 * gst-launch-1.0 v4l2src ! videoconvert ! mregclassify ! cardiacoverlay ! videoconvert ! autovideosink
 * ]| Grades a live video.
 * |[
 * gst-launch-1.0 filesrc location=echo.mp4 ! decodebin ! mregclassify interim=false results-location=results.jsonl ! fakesink
 * ]| Grades a file.
 */

#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include "gstmregclassify.h"

#include <string.h>

#include "clipfeeder.h"
#include "framefeed.h"
#include "manualroi.h"
#include "mapsfile.h"
#include "meta/gstcardiacmeta.h"
#include "mregnetwork.h"
#include "mregreplay.h"
#include "mregreport.h"
#include "mregsettings.h"
#include "regions.h"
#include "resultstate.h"

GST_DEBUG_CATEGORY_STATIC (mreg_classify_debug);
#define GST_CAT_DEFAULT mreg_classify_debug

#define DEMO_MODEL "mreg-demo.safetensors"

/* Beats a minute that are believed. */
#define MIN_HEART_RATE 20
#define MAX_HEART_RATE 300

enum {
  PROP_0,
  PROP_SETTINGS, /* and those that follow */
  PROP_INSTANCES = PROP_SETTINGS + MREG_SETTINGS,
  PROP_ROI,
};

typedef struct {
  ClipFeederCounts frames;
  guint64 on_device, encoded, skipped, evaluations, failures, records;
  gdouble inference_ms;
} Stats;

struct _GstMregClassify {
  GstCardiacFilter parent;

  /* properties and statistics, under the object lock */
  MregSettings settings;
  ManualRoi roi;
  guint instances;
  Stats stats;

  /* the network; unlock() uses `worker` from other threads, under the lock */
  MregNetwork *network;
  Worker *worker;
  MregProvenance provenance;

  /* streaming thread */
  ClipFeeder *feeder;
  MregReport *report;
  guint epoch;               /* of clips; grows when they are forgotten */
  guint clips;               /* of this epoch */
  GstClockTime beat;         /* of this recording's heart; 0: unknown */
  GstClockTime heart_at;     /* when the detector last found one; NONE: never */
  guint64 looked, heartless; /* frames of this recording */
  Stats counts;
  guint warned_failure;
  gboolean drained;

  MregReplay *replay; /* second pass: all that there is */
};

G_DEFINE_FINAL_TYPE (
    GstMregClassify, gst_mreg_classify, GST_TYPE_CARDIAC_FILTER);
GST_ELEMENT_REGISTER_DEFINE (
    mregclassify, "mregclassify", GST_RANK_NONE, GST_TYPE_MREG_CLASSIFY);

static void gst_mreg_classify_set_property (
    GObject *object, guint id, const GValue *value, GParamSpec *pspec);
static void gst_mreg_classify_get_property (
    GObject *object, guint id, GValue *value, GParamSpec *pspec);
static void gst_mreg_classify_finalize (GObject *object);
static gboolean gst_mreg_classify_needs_network (GstCardiacFilter *filter);
static gboolean gst_mreg_classify_open (GstCardiacFilter *filter,
    CardiacModel *model, const CardiacSettings *settings, CardiacError **error);
static void gst_mreg_classify_close (GstCardiacFilter *filter);
static void gst_mreg_classify_format (
    GstCardiacFilter *filter, const GstVideoInfo *info);
static void gst_mreg_classify_frame (
    GstCardiacFilter *filter, GstBuffer *buffer, GstClockTime time);
static void gst_mreg_classify_discard (GstCardiacFilter *filter);
static void gst_mreg_classify_unlock (
    GstCardiacFilter *filter, gboolean locked);
static void gst_mreg_classify_drain (GstCardiacFilter *filter);
static void forget_heart (GstMregClassify *self);
static gboolean gst_mreg_classify_sink_event (
    GstBaseTransform *trans, GstEvent *event);
static GstStructure *gst_mreg_classify_get_stats (GstCardiacFilter *filter);

static void
install_properties (GObjectClass *klass)
{
  mreg_settings_install (klass, PROP_SETTINGS);
  /**
   * GstMregClassify:instances:
   *
   * Clips behind one result; the model file says how many.
   */
  g_object_class_install_property (klass, PROP_INSTANCES,
      g_param_spec_uint ("instances", "Instances",
          "Clips behind one result, from the model file", 0,
          GST_CARDIAC_MAX_INSTANCES, 0,
          G_PARAM_READABLE | G_PARAM_STATIC_STRINGS));
  /**
   * GstMregClassify:roi:
   *
   * Where to look, "x,y,width,height" in pixels of the incoming video. It
   * comes before the box of mregroi.
   *
   * What cannot be read is an error at start; while it runs, the bus gets a
   * warning and the region stays.
   */
  g_object_class_install_property (klass, PROP_ROI,
      g_param_spec_string ("roi", "Region of interest",
          "x,y,width,height in pixels; empty: the box of mregroi, or the whole "
          "picture",
          MANUAL_ROI_DEFAULT,
          G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS
              | GST_PARAM_MUTABLE_PLAYING));
}

static void
gst_mreg_classify_class_init (GstMregClassifyClass *klass)
{
  GObjectClass *gobject_class = G_OBJECT_CLASS (klass);
  GstElementClass *element_class = GST_ELEMENT_CLASS (klass);
  GstCardiacFilterClass *filter_class = GST_CARDIAC_FILTER_CLASS (klass);

  GST_DEBUG_CATEGORY_INIT (
      mreg_classify_debug, "mregclassify", 0, "mitral regurgitation grading");

  gobject_class->set_property = gst_mreg_classify_set_property;
  gobject_class->get_property = gst_mreg_classify_get_property;
  gobject_class->finalize = gst_mreg_classify_finalize;
  install_properties (gobject_class);

  gst_element_class_set_static_metadata (element_class,
      "Mitral regurgitation grading", "Filter/Analyzer/Video",
      "Grades mitral regurgitation in colour-Doppler echo; research use only",
      "gst-cardiac");

  GST_BASE_TRANSFORM_CLASS (klass)->sink_event = gst_mreg_classify_sink_event;
  filter_class->demo_model = DEMO_MODEL;
  filter_class->needs_network = gst_mreg_classify_needs_network;
  filter_class->open = gst_mreg_classify_open;
  filter_class->close = gst_mreg_classify_close;
  filter_class->format = gst_mreg_classify_format;
  filter_class->frame = gst_mreg_classify_frame;
  filter_class->discard = gst_mreg_classify_discard;
  filter_class->unlock = gst_mreg_classify_unlock;
  filter_class->drain = gst_mreg_classify_drain;
  filter_class->get_stats = gst_mreg_classify_get_stats;
}

static void
gst_mreg_classify_init (GstMregClassify *self)
{
  mreg_settings_init (&self->settings);
  manual_roi_init (&self->roi);
}

static void
gst_mreg_classify_finalize (GObject *object)
{
  GstMregClassify *self = GST_MREG_CLASSIFY (object);

  manual_roi_clear (&self->roi);
  mreg_settings_clear (&self->settings);
  G_OBJECT_CLASS (gst_mreg_classify_parent_class)->finalize (object);
}

/* ---- properties -------------------------------------------------------- */

static void
gst_mreg_classify_set_property (
    GObject *object, guint id, const GValue *value, GParamSpec *pspec)
{
  GstMregClassify *self = GST_MREG_CLASSIFY (object);

  if (id == PROP_ROI) {
    manual_roi_set (&self->roi, GST_ELEMENT (self), g_value_get_string (value));
  } else if (id >= PROP_SETTINGS && id < PROP_SETTINGS + MREG_SETTINGS) {
    GST_OBJECT_LOCK (self);
    mreg_settings_set (&self->settings, id - PROP_SETTINGS, value);
    GST_OBJECT_UNLOCK (self);
  } else {
    G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
  }
}

static void
gst_mreg_classify_get_property (
    GObject *object, guint id, GValue *value, GParamSpec *pspec)
{
  GstMregClassify *self = GST_MREG_CLASSIFY (object);

  GST_OBJECT_LOCK (self);
  if (id == PROP_INSTANCES)
    g_value_set_uint (value, self->instances);
  else if (id == PROP_ROI)
    g_value_set_string (value, self->roi.text);
  else if (id >= PROP_SETTINGS && id < PROP_SETTINGS + MREG_SETTINGS)
    mreg_settings_get (&self->settings, id - PROP_SETTINGS, value);
  else
    G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
  GST_OBJECT_UNLOCK (self);
}

static MregTuning
get_tuning (GstMregClassify *self)
{
  MregTuning tuning;

  GST_OBJECT_LOCK (self);
  tuning = self->settings.tuning;
  GST_OBJECT_UNLOCK (self);
  return tuning;
}

static gchar *
dup_locked (GstMregClassify *self, gchar *const *string)
{
  gchar *copy;

  GST_OBJECT_LOCK (self);
  copy = g_strdup (*string);
  GST_OBJECT_UNLOCK (self);
  return copy;
}

static gboolean
is_empty (const gchar *text)
{
  return !text || !*text;
}

static GstStructure *
gst_mreg_classify_get_stats (GstCardiacFilter *filter)
{
  GstMregClassify *self = GST_MREG_CLASSIFY (filter);
  Stats stats;

  GST_OBJECT_LOCK (self);
  stats = self->stats;
  GST_OBJECT_UNLOCK (self);
  return gst_structure_new ("mregclassify-stats", "received", G_TYPE_UINT64,
      stats.frames.received, "analysed", G_TYPE_UINT64, stats.frames.analysed,
      "repeats", G_TYPE_UINT64, stats.frames.repeats, "corrupt", G_TYPE_UINT64,
      stats.frames.corrupt, "gaps", G_TYPE_UINT64, stats.frames.gaps, "untimed",
      G_TYPE_UINT64, stats.frames.untimed, "on-device", G_TYPE_UINT64,
      stats.on_device, "clips-encoded", G_TYPE_UINT64, stats.encoded,
      "clips-skipped", G_TYPE_UINT64, stats.skipped, "evaluations",
      G_TYPE_UINT64, stats.evaluations, "failures", G_TYPE_UINT64,
      stats.failures, "records", G_TYPE_UINT64, stats.records, "inference-ms",
      G_TYPE_DOUBLE, stats.inference_ms, NULL);
}

static void
publish_stats (GstMregClassify *self)
{
  if (self->feeder)
    self->counts.frames = *clip_feeder_get_counts (self->feeder);
  if (self->report)
    self->counts.records = mreg_report_count (self->report);
  GST_OBJECT_LOCK (self);
  self->stats = self->counts;
  GST_OBJECT_UNLOCK (self);
}

/* ---- life cycle -------------------------------------------------------- */

static gboolean
gst_mreg_classify_needs_network (GstCardiacFilter *filter)
{
  GstMregClassify *self = GST_MREG_CLASSIFY (filter);
  gboolean needed;

  GST_OBJECT_LOCK (self);
  needed = is_empty (self->settings.results) && !self->roi.wrong;
  GST_OBJECT_UNLOCK (self);
  return needed;
}

static gboolean
open_replay (GstMregClassify *self)
{
  gchar *results = dup_locked (self, &self->settings.results);
  gchar *maps = dup_locked (self, &self->settings.maps_location);

  self->replay = mreg_replay_new (GST_ELEMENT (self), results, maps);
  g_free (results);
  g_free (maps);
  return self->replay != NULL;
}

static gboolean
open_feeder (GstMregClassify *self, CardiacError **error)
{
  const CardiacMRegShape *shape = self->provenance.shape;
  MregTuning tuning = get_tuning (self);
  ClipFeederSettings feeder = {
    .frames = shape->frames,
    .side = shape->side,
    .duration = tuning.clip_duration,
    .stride = tuning.clip_stride,
    .budget = RECORDING_DEFAULT_BUDGET,
  };

  self->feeder = clip_feeder_new (&feeder, error);
  mreg_report_set_source (self->report, &self->provenance, self->feeder);
  return self->feeder != NULL;
}

static gboolean
gst_mreg_classify_open (GstCardiacFilter *filter, CardiacModel *model,
    const CardiacSettings *settings, CardiacError **error)
{
  GstMregClassify *self = GST_MREG_CLASSIFY (filter);
  Worker *worker;

  memset (&self->counts, 0, sizeof self->counts);
  self->warned_failure = 0;
  self->drained = FALSE;
  forget_heart (self);
  publish_stats (self);
  if (!manual_roi_check (&self->roi, GST_ELEMENT (self)))
    return FALSE;
  if (!model)
    return open_replay (self);
  self->report =
      mreg_report_new (GST_ELEMENT (self), &self->settings.results_location);
  if (!self->report)
    return FALSE;

  self->network = mreg_network_new (model, settings);
  worker = worker_new (&mreg_network_class, self->network, "mreg", error);
  if (!worker)
    return FALSE;
  self->provenance.model = model;
  self->provenance.shape = mreg_network_shape (self->network);
  self->provenance.run_info = mreg_network_run_info (self->network);
  gst_cardiac_filter_set_run_info (filter, self->provenance.run_info);
  GST_OBJECT_LOCK (self);
  self->worker = worker;
  self->instances = self->provenance.shape->instances;
  GST_OBJECT_UNLOCK (self);
  return open_feeder (self, error);
}

static void
gst_mreg_classify_close (GstCardiacFilter *filter)
{
  GstMregClassify *self = GST_MREG_CLASSIFY (filter);
  Worker *worker;

  GST_OBJECT_LOCK (self);
  worker = self->worker;
  self->worker = NULL;
  self->instances = 0;
  GST_OBJECT_UNLOCK (self);

  memset (&self->provenance, 0, sizeof self->provenance);
  g_clear_pointer (&worker, worker_free);
  g_clear_pointer (&self->network, mreg_network_free);
  g_clear_pointer (&self->feeder, clip_feeder_free);
  g_clear_pointer (&self->report, mreg_report_free);
  g_clear_pointer (&self->replay, mreg_replay_free);
  self->clips = 0;
}

static void
gst_mreg_classify_unlock (GstCardiacFilter *filter, gboolean locked)
{
  GstMregClassify *self = GST_MREG_CLASSIFY (filter);

  GST_OBJECT_LOCK (self);
  if (self->worker)
    worker_set_flushing (self->worker, locked);
  GST_OBJECT_UNLOCK (self);
}

/* Forgets clips and results: the scene is another one. */
static void
forget_scene (GstMregClassify *self)
{
  worker_forget (self->worker);
  mreg_report_forget_finding (self->report);
  self->epoch++;
  self->clips = 0;
}

static void
gst_mreg_classify_discard (GstCardiacFilter *filter)
{
  GstMregClassify *self = GST_MREG_CLASSIFY (filter);

  if (!self->feeder)
    return;
  forget_scene (self);
  mreg_report_forget_shown (self->report);
  self->drained = FALSE;
  forget_heart (self);
  clip_feeder_reset (self->feeder);
}

static void
gst_mreg_classify_format (GstCardiacFilter *filter, const GstVideoInfo *info)
{
  GstMregClassify *self = GST_MREG_CLASSIFY (filter);
  GstClockTime period = 0;

  if (!self->feeder)
    return;
  if (GST_VIDEO_INFO_FPS_N (info) > 0)
    period = gst_util_uint64_scale (
        GST_SECOND, GST_VIDEO_INFO_FPS_D (info), GST_VIDEO_INFO_FPS_N (info));
  clip_feeder_set_period (self->feeder, period);
  clip_feeder_break (self->feeder);
  forget_scene (self);
}

/* A tag tells the heart rate before the first frame; each recording has its
 * own. */
static gboolean
gst_mreg_classify_sink_event (GstBaseTransform *trans, GstEvent *event)
{
  GstMregClassify *self = GST_MREG_CLASSIFY (trans);
  GstTagList *tags;
  gdouble rate;

  if (GST_EVENT_TYPE (event) == GST_EVENT_STREAM_START)
    self->beat = 0;
  if (GST_EVENT_TYPE (event) == GST_EVENT_TAG) {
    gst_event_parse_tag (event, &tags);
    if (gst_tag_list_get_double (tags, GST_TAG_BEATS_PER_MINUTE, &rate)
        && rate >= MIN_HEART_RATE && rate <= MAX_HEART_RATE)
      self->beat = 60 * GST_SECOND / rate;
  }
  return GST_BASE_TRANSFORM_CLASS (gst_mreg_classify_parent_class)
      ->sink_event (trans, event);
}

/* ---- the network's outcomes -------------------------------------------- */

static void
write_maps (GstMregClassify *self, const MregOutcome *outcome,
    const GstCardiacResult *record)
{
  const GstVideoInfo *info =
      gst_cardiac_filter_get_info (GST_CARDIAC_FILTER (self));
  gchar *path = dup_locked (self, &self->settings.maps_location);
  MapsGeometry geometry = {
    0,
  };
  GError *error = NULL;

  if (!is_empty (path)) {
    geometry.width = GST_VIDEO_INFO_WIDTH (info);
    geometry.height = GST_VIDEO_INFO_HEIGHT (info);
    geometry.count = outcome->count;
    for (guint i = 0; i < outcome->count; i++)
      geometry.crops[i] = outcome->clips[i]->pictures[0]->crop;
    if (!maps_file_write (path, record, &geometry, &error)) {
      GST_ELEMENT_ERROR (self, RESOURCE, WRITE,
          ("Maps cannot be written: %s. Check maps-location.", error->message),
          (NULL));
      g_error_free (error);
    }
  }
  g_free (path);
}

static void
take_failure (GstMregClassify *self, const MregOutcome *outcome)
{
  mreg_report_set_failure (self->report, outcome->failure);
  self->counts.failures++;
  self->clips = 0;
  gst_cardiac_filter_warn_once (GST_CARDIAC_FILTER (self),
      &self->warned_failure, outcome->failure, outcome->detail);
}

static void
take_outcome (GstMregClassify *self, MregOutcome *outcome)
{
  MregTuning tuning = get_tuning (self);
  GstCardiacResult *record;

  self->counts.encoded += outcome->encoded;
  if (outcome->failure) {
    take_failure (self, outcome);
    return;
  }
  mreg_report_set_failure (self->report, NULL);
  if (!outcome->result)
    return;

  record = mreg_record_from_outcome (
      outcome, &self->provenance, tuning.heatmap, tuning.unsure_band);
  mreg_report_take_finding (self->report, record);
  self->counts.evaluations++;
  self->counts.inference_ms = outcome->inference_ms;
  if (outcome->is_final)
    write_maps (self, outcome, record);
}

static void
take_outcomes (GstMregClassify *self)
{
  MregOutcome *outcome;

  while ((outcome = worker_take (self->worker))) {
    take_outcome (self, outcome);
    mreg_outcome_free (outcome);
  }
}

static void
submit_clip (GstMregClassify *self, Clip *clip)
{
  MregJob *job = mreg_job_new ();

  job->epoch = self->epoch;
  job->count = 1;
  job->clips[0] = clip;
  self->clips++;
  if (worker_submit (self->worker, job))
    self->counts.skipped++;
  if (gst_cardiac_filter_is_exact (GST_CARDIAC_FILTER (self)))
    worker_wait (self->worker);
}

/* ---- one frame --------------------------------------------------------- */

static void
attach (GstMregClassify *self, GstBuffer *buffer, GstClockTime time)
{
  GstCardiacResultMeta *meta = mreg_report_attach (self->report, buffer, time);
  guint frames = self->provenance.shape->frames;

  if (!meta || meta->result->state != GST_CARDIAC_STATE_WAIT)
    return;
  meta->wait_total = self->instances * frames;
  meta->wait_done =
      MIN (self->clips * frames + clip_feeder_get_taken (self->feeder),
          meta->wait_total);
}

/* Notes whether a trained detector sees a heart, and whether the scanner says
 * that there is a picture to see one in. Without either, or with a region given
 * @by_hand, nobody has looked.
 * Returns: for how long there was none */
static GstClockTime
watch_heart (GstMregClassify *self, GstBuffer *buffer, gboolean by_hand,
    GstClockTime time)
{
  GstCardiacGeometryMeta *meta = gst_buffer_get_cardiac_geometry_meta (buffer);
  gboolean none, no_picture;

  if (meta && meta->has_roi && !meta->detected)
    by_hand = TRUE;
  no_picture = !by_hand && regions_show_no_picture (buffer);
  none = no_picture || (!by_hand && meta && meta->searched && !meta->has_roi);

  mreg_report_set_no_picture (self->report, no_picture);
  self->looked++;
  if (none)
    self->heartless++;
  if (!none || !GST_CLOCK_TIME_IS_VALID (self->heart_at))
    self->heart_at = time;
  return time > self->heart_at ? time - self->heart_at : 0;
}

static void
forget_heart (GstMregClassify *self)
{
  self->heart_at = GST_CLOCK_TIME_NONE;
  self->looked = self->heartless = 0;
}

/* Where to look, when not by hand: what mregroi or another detector says. */
static gboolean
find_roi (GstBuffer *buffer, GstCardiacBox *roi)
{
  GstCardiacGeometryMeta *meta = gst_buffer_get_cardiac_geometry_meta (buffer);

  if (!meta || !meta->has_roi)
    return FALSE;
  *roi = meta->roi;
  return TRUE;
}

static void
pick_state (GstMregClassify *self, const MregTuning *tuning,
    const Observation *seen, GstClockTime heartless_for, GstClockTime time)
{
  GstCardiacResult *finding = mreg_report_get_finding (self->report);
  StateInput input = {
    .model_error = mreg_report_get_failure (self->report),
    .blank = seen->blank,
    .never_content = seen->never_content,
    .blank_for = seen->blank_for,
    .still_for = seen->still_for,
    .heartless_for = heartless_for,
    .colourless_for = seen->colourless_for,
    .slow = clip_feeder_is_slow (self->feeder),
    .stale_after = tuning->stale_time,
  };

  if (finding) {
    input.age = time > finding->pts ? time - finding->pts : 0;
    input.has_result = input.age < tuning->erase_time;
    input.unsure = finding->state == GST_CARDIAC_STATE_UNSURE;
    if (!input.has_result)
      mreg_report_forget_finding (self->report);
  }
  mreg_report_update (self->report, state_pick (&input), time);
}

static void
analyse (GstMregClassify *self, GstBuffer *buffer, GstClockTime time)
{
  const GstVideoInfo *info =
      gst_cardiac_filter_get_info (GST_CARDIAC_FILTER (self));
  GstClockTime last = clip_feeder_get_time (self->feeder);
  gboolean exact = gst_cardiac_filter_is_exact (GST_CARDIAC_FILTER (self));
  MregTuning tuning = get_tuning (self);
  GstCardiacBox roi;
  gboolean by_hand = manual_roi_get (&self->roi, GST_ELEMENT (self), &roi);
  Observation seen;
  Clip *clip;

  if (!GST_CLOCK_TIME_IS_VALID (last))
    clip_feeder_set_beat (self->feeder, self->beat);
  clip_feeder_set_recording (self->feeder, exact);
  if (GST_CLOCK_TIME_IS_VALID (last) && time < last) {
    GST_INFO_OBJECT (self,
        "time goes back from %" GST_TIME_FORMAT " to %" GST_TIME_FORMAT,
        GST_TIME_ARGS (last), GST_TIME_ARGS (time));
    clip_feeder_reset (self->feeder);
    forget_scene (self);
    forget_heart (self);
  }
  if (clip_feeder_set_region (self->feeder,
          by_hand || find_roi (buffer, &roi) ? &roi : NULL,
          GST_VIDEO_INFO_WIDTH (info), GST_VIDEO_INFO_HEIGHT (info)))
    forget_scene (self);

  if (!frame_feed_push (GST_CARDIAC_FILTER (self), self->feeder, buffer, time,
          &seen, &clip, &self->counts.on_device))
    return;
  if (clip && (!exact || tuning.interim))
    submit_clip (self, clip);
  else
    clip_free (clip);
  take_outcomes (self);
  pick_state (
      self, &tuning, &seen, watch_heart (self, buffer, by_hand, time), time);
}

static void
gst_mreg_classify_frame (
    GstCardiacFilter *filter, GstBuffer *buffer, GstClockTime time)
{
  GstMregClassify *self = GST_MREG_CLASSIFY (filter);

  if (self->replay) {
    mreg_replay_attach (self->replay, GST_ELEMENT (self), buffer, time,
        gst_cardiac_filter_get_info (filter));
    return;
  }

  if (!gst_cardiac_filter_is_enabled (filter)) {
    if (!mreg_report_shows (self->report, GST_CARDIAC_STATE_PAUSED)) {
      clip_feeder_break (self->feeder);
      forget_scene (self);
      mreg_report_update (self->report, GST_CARDIAC_STATE_PAUSED, time);
    }
  } else if (GST_BUFFER_FLAG_IS_SET (buffer, GST_BUFFER_FLAG_CORRUPTED)) {
    clip_feeder_skip_corrupt (self->feeder);
  } else if (!GST_CLOCK_TIME_IS_VALID (time)) {
    clip_feeder_skip_untimed (self->feeder);
  } else if (!GST_BUFFER_FLAG_IS_SET (buffer, GST_BUFFER_FLAG_GAP)) {
    analyse (self, buffer, time);
  }
  attach (self, buffer, time);
  publish_stats (self);
}

/* ---- the end of a recording -------------------------------------------- */

/* Why a recording cannot be graded; the first that applies. RESULT: it can. */
static GstCardiacState
judge_recording (GstMregClassify *self, Clip *const *clips, guint count)
{
  const ClipFeederCounts *counts = clip_feeder_get_counts (self->feeder);

  if (mreg_report_get_failure (self->report))
    return GST_CARDIAC_STATE_MODEL_ERROR;
  if (counts->blank * 2 > counts->received)
    return GST_CARDIAC_STATE_NO_SIGNAL;
  if (counts->frozen * 2 > counts->received)
    return GST_CARDIAC_STATE_FROZEN;
  if (self->heartless * 2 > self->looked)
    return GST_CARDIAC_STATE_VIEW_NOT_A4C;
  if (counts->coloured == 0)
    return GST_CARDIAC_STATE_NO_DOPPLER;
  for (guint i = 0; i < count; i++)
    if (clip_coloured (clips[i]) < CARDIAC_COLOURED_FRACTION)
      return GST_CARDIAC_STATE_NO_DOPPLER;
  if (clip_feeder_is_slow (self->feeder))
    return GST_CARDIAC_STATE_POOR_IMAGE;
  return count ? GST_CARDIAC_STATE_RESULT : GST_CARDIAC_STATE_TOO_SHORT;
}

static void
grade_recording (GstMregClassify *self, Clip **clips, guint count)
{
  MregJob *job = mreg_job_new ();

  job->is_final = TRUE;
  job->count = count;
  memcpy (job->clips, clips, count * sizeof clips[0]);
  worker_submit (self->worker, job);
  worker_wait (self->worker);
  take_outcomes (self);
}

static void
end_recording (GstMregClassify *self)
{
  Clip *clips[GST_CARDIAC_MAX_INSTANCES] = {
    NULL,
  };
  GstCardiacResult *finding;
  GstCardiacState state;
  guint count = 0;

  if (clip_feeder_get_clips (self->feeder, self->instances, clips))
    count = self->instances;
  state = judge_recording (self, clips, count);
  if (state == GST_CARDIAC_STATE_RESULT) {
    grade_recording (self, clips, count);
    count = 0; /* the job owns them */
    if (mreg_report_get_failure (self->report))
      state = GST_CARDIAC_STATE_MODEL_ERROR;
  }
  while (count > 0)
    clip_free (clips[--count]);

  finding = mreg_report_get_finding (self->report);
  if (state != GST_CARDIAC_STATE_RESULT)
    mreg_report_end (self->report, state);
  else if (finding && finding->is_final)
    mreg_report_update (self->report, finding->state, finding->pts);
}

static void
gst_mreg_classify_drain (GstCardiacFilter *filter)
{
  GstMregClassify *self = GST_MREG_CLASSIFY (filter);

  if (!self->feeder || self->drained)
    return;
  self->drained = TRUE;
  take_outcomes (self);
  if (gst_cardiac_filter_is_exact (filter)
      && GST_CLOCK_TIME_IS_VALID (clip_feeder_get_time (self->feeder))
      && gst_cardiac_filter_is_enabled (filter))
    end_recording (self);
  publish_stats (self);
}
