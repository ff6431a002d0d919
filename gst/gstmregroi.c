/* SPDX-License-Identifier: LGPL-2.1-or-later */

/**
 * SECTION:element-mregroi
 * @title: mregroi
 * @short_description: finds the heart in an echo video
 *
 * Finds the rectangle that covers the cardiac chambers with YOLOv8, every
 * #GstMregRoi:interval, and attaches the smoothed box to every frame as
 * #GstCardiacGeometryMeta and #GstVideoRegionOfInterestMeta ("cardiac").
 * mregclassify looks there. Video passes untouched and never waits in live use.
 *
 * An empty model means the demonstration detector, which was trained on drawn
 * phantoms alone. With #GstMregRoi:roi the box is given by hand, and no network
 * runs. Without a model, or with one that is marked untrained, frames carry no
 * box.
 *
 * Where the video's #GstCardiacRegionMeta tell which parts of the screen show
 * colour flow, or else tissue, a box elsewhere is none; on a screen of M-mode or
 * spectra alone there is none at all.
 *
 * Frames in GPU memory pass where the build has it. With the network in the same
 * CUDA context they are looked at where they lie, otherwise they are downloaded.
 *
 * Research use only: not for diagnosis.
 *
 * ## Example launch lines
 * |[
 * gst-launch-1.0 v4l2src ! videoconvert ! mregroi model=yolov8.safetensors ! mregclassify ! cardiacoverlay ! videoconvert ! autovideosink
 * ]| Grades what the detector finds.
 * |[
 * gst-launch-1.0 filesrc location=echo.mp4 ! decodebin ! mregroi roi=120,40,480,400 ! mregclassify results-location=results.jsonl ! fakesink
 * ]| Grades a region given by hand.
 */

#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include "gstmregroi.h"

#include <math.h>
#include <string.h>

#include "cudaframe.h"
#include "jsonlines.h"
#include "manualroi.h"
#include "meta/gstcardiacmeta.h"
#include "network.h"
#include "regions.h"
#include "roinetwork.h"
#include "videoimage.h"

GST_DEBUG_CATEGORY_STATIC (mreg_roi_debug);
#define GST_CAT_DEFAULT mreg_roi_debug

#define DEMO_MODEL "roi-demo.safetensors"
#define ROI_TYPE "cardiac"

#define DEFAULT_INTERVAL (500 * GST_MSECOND)
#define DEFAULT_SMOOTHING 0.7
#define DEFAULT_MIN_CONFIDENCE 0.5
#define DEFAULT_RESULTS_LOCATION NULL

/* Boxes that overlap less than this are of another view: no smoothing. */
#define SAME_BOX_IOU 0.3
/* So many detections without a box end the box. */
#define MAX_MISSES 3

enum {
  PROP_0,
  PROP_INTERVAL,
  PROP_SMOOTHING,
  PROP_MIN_CONFIDENCE,
  PROP_ROI,
  PROP_RESULTS_LOCATION,
};

typedef struct {
  guint64 received, on_device, detections, misses, skipped, failures;
  gdouble inference_ms;
} Stats;

struct _GstMregRoi {
  GstCardiacFilter parent;

  /* properties and statistics, under the object lock */
  GstClockTime interval;
  gdouble smoothing;
  gdouble min_confidence;
  gchar *results_location;
  ManualRoi roi;
  Stats stats;

  /* the network; unlock() uses `worker` from other threads, under the lock */
  RoiNetwork *network;
  Worker *worker;

  /* streaming thread */
  CardiacResizer *resizer;
  JsonLines *lines;
  GstClockTime asked; /* time of the newest frame that was looked at */
  gboolean has_box;
  gboolean has_looked; /* a detector that is used has given an answer */
  GstCardiacBox box;
  gdouble confidence;
  guint missed; /* detections in a row */
  guint64 serial;
  Stats counts;
  guint warned_failure, warned_untrained;
};

G_DEFINE_FINAL_TYPE (GstMregRoi, gst_mreg_roi, GST_TYPE_CARDIAC_FILTER);
GST_ELEMENT_REGISTER_DEFINE (
    mregroi, "mregroi", GST_RANK_NONE, GST_TYPE_MREG_ROI);

static void gst_mreg_roi_set_property (
    GObject *object, guint id, const GValue *value, GParamSpec *pspec);
static void gst_mreg_roi_get_property (
    GObject *object, guint id, GValue *value, GParamSpec *pspec);
static void gst_mreg_roi_finalize (GObject *object);
static gboolean gst_mreg_roi_needs_network (GstCardiacFilter *filter);
static gboolean gst_mreg_roi_open (GstCardiacFilter *filter,
    CardiacModel *model, const CardiacSettings *settings, CardiacError **error);
static void gst_mreg_roi_close (GstCardiacFilter *filter);
static void gst_mreg_roi_format (
    GstCardiacFilter *filter, const GstVideoInfo *info);
static void gst_mreg_roi_frame (
    GstCardiacFilter *filter, GstBuffer *buffer, GstClockTime time);
static void gst_mreg_roi_discard (GstCardiacFilter *filter);
static void gst_mreg_roi_unlock (GstCardiacFilter *filter, gboolean locked);
static void gst_mreg_roi_drain (GstCardiacFilter *filter);
static GstStructure *gst_mreg_roi_get_stats (GstCardiacFilter *filter);

static void
install_properties (GObjectClass *klass)
{
  const GParamFlags flags = G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS;

  /**
   * GstMregRoi:interval:
   *
   * Stream time from detection to detection in nanoseconds; 0: every frame.
   */
  g_object_class_install_property (klass, PROP_INTERVAL,
      g_param_spec_uint64 ("interval", "Interval",
          "Time in ns from detection to detection; 0: every frame", 0,
          3600 * GST_SECOND, DEFAULT_INTERVAL,
          flags | GST_PARAM_MUTABLE_PLAYING));
  /**
   * GstMregRoi:smoothing:
   *
   * Share of the earlier box in the new one.
   */
  g_object_class_install_property (klass, PROP_SMOOTHING,
      g_param_spec_double ("smoothing", "Smoothing",
          "Share of the earlier box in the new one; 0: none", 0, 0.99,
          DEFAULT_SMOOTHING, flags | GST_PARAM_MUTABLE_PLAYING));
  /**
   * GstMregRoi:min-confidence:
   *
   * A box the network is less sure of counts as none. The network itself
   * leaves out boxes below 0.25.
   */
  g_object_class_install_property (klass, PROP_MIN_CONFIDENCE,
      g_param_spec_double ("min-confidence", "Minimum confidence",
          "A box with a lower score counts as none (below 0.25 no box is made)",
          0, 1, DEFAULT_MIN_CONFIDENCE, flags | GST_PARAM_MUTABLE_PLAYING));
  /**
   * GstMregRoi:roi:
   *
   * The box given by hand, "x,y,width,height" in pixels. Set before start, no
   * model is needed.
   *
   * What cannot be read is an error at start; while it runs, the bus gets a
   * warning and the region stays.
   */
  g_object_class_install_property (klass, PROP_ROI,
      g_param_spec_string ("roi", "Region of interest",
          "x,y,width,height in pixels, instead of a network; empty: detect",
          MANUAL_ROI_DEFAULT, flags | GST_PARAM_MUTABLE_PLAYING));
  /**
   * GstMregRoi:results-location:
   *
   * File that receives one JSON object a line for each detection (type "roi").
   */
  g_object_class_install_property (klass, PROP_RESULTS_LOCATION,
      g_param_spec_string ("results-location", "Results location",
          "File that receives one JSON object a line for each detection",
          DEFAULT_RESULTS_LOCATION, flags | GST_PARAM_MUTABLE_READY));
}

static void
gst_mreg_roi_class_init (GstMregRoiClass *klass)
{
  GObjectClass *gobject_class = G_OBJECT_CLASS (klass);
  GstElementClass *element_class = GST_ELEMENT_CLASS (klass);
  GstCardiacFilterClass *filter_class = GST_CARDIAC_FILTER_CLASS (klass);

  GST_DEBUG_CATEGORY_INIT (
      mreg_roi_debug, "mregroi", 0, "cardiac region of interest");

  gobject_class->set_property = gst_mreg_roi_set_property;
  gobject_class->get_property = gst_mreg_roi_get_property;
  gobject_class->finalize = gst_mreg_roi_finalize;
  install_properties (gobject_class);

  gst_element_class_set_static_metadata (element_class,
      "Cardiac region of interest", "Filter/Analyzer/Video",
      "Finds the cardiac chambers in echo video; research use only",
      "gst-cardiac");

  filter_class->demo_model = DEMO_MODEL;
  filter_class->model_optional = TRUE;
  filter_class->needs_network = gst_mreg_roi_needs_network;
  filter_class->open = gst_mreg_roi_open;
  filter_class->close = gst_mreg_roi_close;
  filter_class->format = gst_mreg_roi_format;
  filter_class->frame = gst_mreg_roi_frame;
  filter_class->discard = gst_mreg_roi_discard;
  filter_class->unlock = gst_mreg_roi_unlock;
  filter_class->drain = gst_mreg_roi_drain;
  filter_class->get_stats = gst_mreg_roi_get_stats;
}

static void
gst_mreg_roi_init (GstMregRoi *self)
{
  self->interval = DEFAULT_INTERVAL;
  self->smoothing = DEFAULT_SMOOTHING;
  self->min_confidence = DEFAULT_MIN_CONFIDENCE;
  manual_roi_init (&self->roi);
}

static void
gst_mreg_roi_finalize (GObject *object)
{
  GstMregRoi *self = GST_MREG_ROI (object);

  manual_roi_clear (&self->roi);
  g_free (self->results_location);
  G_OBJECT_CLASS (gst_mreg_roi_parent_class)->finalize (object);
}

/* ---- properties -------------------------------------------------------- */

static void
gst_mreg_roi_set_property (
    GObject *object, guint id, const GValue *value, GParamSpec *pspec)
{
  GstMregRoi *self = GST_MREG_ROI (object);

  if (id == PROP_ROI) {
    manual_roi_set (&self->roi, GST_ELEMENT (self), g_value_get_string (value));
    return;
  }

  GST_OBJECT_LOCK (self);
  switch (id) {
    case PROP_INTERVAL:
      self->interval = g_value_get_uint64 (value);
      break;
    case PROP_SMOOTHING:
      self->smoothing = g_value_get_double (value);
      break;
    case PROP_MIN_CONFIDENCE:
      self->min_confidence = g_value_get_double (value);
      break;
    case PROP_RESULTS_LOCATION:
      g_free (self->results_location);
      self->results_location = g_value_dup_string (value);
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
      break;
  }
  GST_OBJECT_UNLOCK (self);
}

static void
gst_mreg_roi_get_property (
    GObject *object, guint id, GValue *value, GParamSpec *pspec)
{
  GstMregRoi *self = GST_MREG_ROI (object);

  GST_OBJECT_LOCK (self);
  switch (id) {
    case PROP_INTERVAL:
      g_value_set_uint64 (value, self->interval);
      break;
    case PROP_SMOOTHING:
      g_value_set_double (value, self->smoothing);
      break;
    case PROP_MIN_CONFIDENCE:
      g_value_set_double (value, self->min_confidence);
      break;
    case PROP_ROI:
      g_value_set_string (value, self->roi.text);
      break;
    case PROP_RESULTS_LOCATION:
      g_value_set_string (value, self->results_location);
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
      break;
  }
  GST_OBJECT_UNLOCK (self);
}

static GstStructure *
gst_mreg_roi_get_stats (GstCardiacFilter *filter)
{
  GstMregRoi *self = GST_MREG_ROI (filter);
  Stats stats;

  GST_OBJECT_LOCK (self);
  stats = self->stats;
  GST_OBJECT_UNLOCK (self);
  return gst_structure_new ("mregroi-stats", "received", G_TYPE_UINT64,
      stats.received, "on-device", G_TYPE_UINT64, stats.on_device, "detections",
      G_TYPE_UINT64, stats.detections, "misses", G_TYPE_UINT64, stats.misses,
      "skipped", G_TYPE_UINT64, stats.skipped, "failures", G_TYPE_UINT64,
      stats.failures, "inference-ms", G_TYPE_DOUBLE, stats.inference_ms, NULL);
}

/* ---- life cycle -------------------------------------------------------- */

static gboolean
gst_mreg_roi_needs_network (GstCardiacFilter *filter)
{
  return !manual_roi_get (
      &GST_MREG_ROI (filter)->roi, GST_ELEMENT (filter), NULL);
}

static gboolean
gst_mreg_roi_open (GstCardiacFilter *filter, CardiacModel *model,
    const CardiacSettings *settings, CardiacError **error)
{
  GstMregRoi *self = GST_MREG_ROI (filter);
  Worker *worker;

  memset (&self->counts, 0, sizeof self->counts);
  self->warned_failure = self->warned_untrained = 0;
  self->asked = GST_CLOCK_TIME_NONE;
  self->has_box = self->has_looked = FALSE;
  self->missed = 0;
  self->serial = 0;
  if (!manual_roi_check (&self->roi, GST_ELEMENT (self)))
    return FALSE;
  if (!json_lines_open_for (
          GST_ELEMENT (self), &self->results_location, &self->lines))
    return FALSE;
  if (!model) {
    if (gst_mreg_roi_needs_network (filter))
      GST_ELEMENT_INFO (self, RESOURCE, NOT_FOUND,
          ("There is no detector: frames carry no box, and the whole picture "
           "is looked at. Set roi=x,y,width,height or model=FILE."),
          (NULL));
    return TRUE;
  }

  if (cardiac_model_arch (model) != CARDIAC_ARCH_YOLOV8) {
    CardiacYolov8 *none = cardiac_yolov8_new (model, 0, 0, settings, error);

    cardiac_yolov8_free (&none); /* none: the error says what is expected */
    return FALSE;
  }
  if (!cardiac_model_trained (model)) {
    gst_cardiac_filter_warn_once (filter, &self->warned_untrained,
        "The detector's weights are untrained: it is not used, and frames "
        "carry no box. Set roi=x,y,width,height, or a trained model.",
        cardiac_model_path (model));
    return TRUE;
  }

  self->resizer = cardiac_resizer_new (error);
  if (!self->resizer)
    return FALSE;
  self->network = roi_network_new (model, settings);
  worker = worker_new (&roi_network_class, self->network, "mregroi", error);
  if (!worker)
    return FALSE;
  gst_cardiac_filter_set_run_info (
      filter, roi_network_run_info (self->network));
  GST_OBJECT_LOCK (self);
  self->worker = worker;
  GST_OBJECT_UNLOCK (self);
  return TRUE;
}

static void
gst_mreg_roi_close (GstCardiacFilter *filter)
{
  GstMregRoi *self = GST_MREG_ROI (filter);
  Worker *worker;

  GST_OBJECT_LOCK (self);
  worker = self->worker;
  self->worker = NULL;
  GST_OBJECT_UNLOCK (self);
  g_clear_pointer (&worker, worker_free);
  g_clear_pointer (&self->network, roi_network_free);
  g_clear_pointer (&self->lines, json_lines_close);
  cardiac_resizer_free (&self->resizer);
}

static void
gst_mreg_roi_unlock (GstCardiacFilter *filter, gboolean locked)
{
  GstMregRoi *self = GST_MREG_ROI (filter);

  GST_OBJECT_LOCK (self);
  if (self->worker)
    worker_set_flushing (self->worker, locked);
  GST_OBJECT_UNLOCK (self);
}

static void
gst_mreg_roi_discard (GstCardiacFilter *filter)
{
  GstMregRoi *self = GST_MREG_ROI (filter);

  if (self->worker)
    worker_forget (self->worker);
  self->has_box = self->has_looked = FALSE;
  self->missed = 0;
  self->asked = GST_CLOCK_TIME_NONE;
}

static void
gst_mreg_roi_format (GstCardiacFilter *filter, const GstVideoInfo *info)
{
  gst_mreg_roi_discard (filter);
}

static void
gst_mreg_roi_drain (GstCardiacFilter *filter)
{
}

/* ---- detections -------------------------------------------------------- */

static gdouble
intersection_over_union (const GstCardiacBox *a, const GstCardiacBox *b)
{
  gdouble w = MIN (a->x + a->w, b->x + b->w) - MAX (a->x, b->x);
  gdouble h = MIN (a->y + a->h, b->y + b->h) - MAX (a->y, b->y);
  gdouble common = w > 0 && h > 0 ? w * h : 0;

  return common / (a->w * a->h + b->w * b->h - common);
}

static gdouble
mix (gdouble before, gdouble now, gdouble share)
{
  return share * before + (1 - share) * now;
}

static void
smooth_box (GstMregRoi *self, const GstCardiacBox *found)
{
  GstCardiacBox *box = &self->box;
  gdouble share;

  GST_OBJECT_LOCK (self);
  share = self->smoothing;
  GST_OBJECT_UNLOCK (self);
  if (!self->has_box || intersection_over_union (box, found) < SAME_BOX_IOU) {
    *box = *found;
    return;
  }
  box->x = mix (box->x, found->x, share);
  box->y = mix (box->y, found->y, share);
  box->w = mix (box->w, found->w, share);
  box->h = mix (box->h, found->h, share);
}

static void
say (GstMregRoi *self, const RoiOutcome *outcome)
{
  CardiacModel *model =
      gst_cardiac_filter_get_model (GST_CARDIAC_FILTER (self));
  const CardiacRunInfo *run_info = roi_network_run_info (self->network);
  GstCardiacResult *record;
  GError *error = NULL;

  if (!self->lines || !outcome->found)
    return;
  record = gst_cardiac_result_new (GST_CARDIAC_RESULT_ROI);
  record->serial = ++self->serial;
  record->state = GST_CARDIAC_STATE_RESULT;
  record->reason = g_strdup ("cardiac region found");
  record->pts = outcome->time;
  record->has_roi = TRUE;
  record->roi = outcome->box;
  network_fill_record (record, model);
  record->device = g_strdup (run_info->device);
  record->precision = g_strdup (run_info->precision);
  record->inference_ms = outcome->inference_ms;
  if (!json_lines_write (self->lines, record, &error)) {
    GST_ELEMENT_ERROR (self, RESOURCE, WRITE,
        ("Results cannot be written: %s.", error->message), (NULL));
    g_clear_error (&error);
    g_clear_pointer (&self->lines, json_lines_close);
  }
  gst_cardiac_result_unref (record);
}

static void
take_outcome (GstMregRoi *self, const RoiOutcome *outcome)
{
  if (outcome->failure) {
    self->counts.failures++;
    self->has_box = FALSE;
    gst_cardiac_filter_warn_once (GST_CARDIAC_FILTER (self),
        &self->warned_failure, outcome->failure, outcome->detail);
    return;
  }

  self->has_looked = TRUE;
  self->counts.detections++;
  self->counts.inference_ms = outcome->inference_ms;
  if (outcome->found) {
    smooth_box (self, &outcome->box);
    self->confidence = outcome->confidence;
    self->has_box = TRUE;
    self->missed = 0;
  } else {
    self->counts.misses++;
    if (++self->missed >= MAX_MISSES)
      self->has_box = FALSE;
  }
  say (self, outcome);
}

static void
take_outcomes (GstMregRoi *self)
{
  RoiOutcome *outcome;
  gdouble least;

  GST_OBJECT_LOCK (self);
  least = self->min_confidence;
  GST_OBJECT_UNLOCK (self);
  while ((outcome = worker_take (self->worker))) {
    outcome->found = outcome->found && outcome->confidence >= least;
    take_outcome (self, outcome);
    roi_outcome_free (outcome);
  }
}

/* Of a frame that lies where the network computes: a copy of it there. Nothing of
 * it comes to the host.
 * Returns: %FALSE, with nothing done, for every other frame */
static gboolean
make_device_job (GstMregRoi *self, GstBuffer *buffer, RoiJob **job)
{
  CudaFrames *cuda = gst_cardiac_filter_get_cuda (GST_CARDIAC_FILTER (self));
  CardiacError *none = NULL;
  GstVideoFrame frame;
  CardiacImage image;
  GstBuffer *copy;

  if (!cuda_frames_map (cuda, buffer, &frame))
    return FALSE;
  copy = cuda_frames_copy (cuda, &frame, &image);
  gst_video_frame_unmap (&frame);
  *job = NULL;
  if (!copy) {
    gst_cardiac_filter_warn_unread (GST_CARDIAC_FILTER (self), &none);
    return TRUE;
  }
  self->counts.on_device++;
  *job = roi_job_new ();
  (*job)->frame = copy;
  (*job)->image = image;
  return TRUE;
}

static RoiJob *
make_host_job (GstMregRoi *self, GstBuffer *buffer)
{
  GstCardiacFilter *filter = GST_CARDIAC_FILTER (self);
  const CardiacYolov8Shape *shape = roi_network_shape (self->network);
  CardiacError *error = NULL;
  GstVideoFrame frame;
  CardiacImage image;
  RoiJob *job;
  gboolean ok;

  if (!gst_cardiac_filter_map (filter, buffer, &frame))
    return NULL;
  video_image_describe (&frame, &image);
  job = roi_job_new ();
  job->input = g_new (gfloat, (gsize) 3 * shape->height * shape->width);
  ok = cardiac_resizer_letterbox_to_tensor (self->resizer, &image,
      shape->height, job->input, &job->placement, &error);
  gst_video_frame_unmap (&frame);
  if (ok)
    return job;

  gst_cardiac_filter_warn_unread (filter, &error);
  roi_job_free (job);
  return NULL;
}

static RoiJob *
make_job (GstMregRoi *self, GstBuffer *buffer)
{
  RoiJob *job;

  return make_device_job (self, buffer, &job) ? job
                                              : make_host_job (self, buffer);
}

static gboolean
is_due (GstMregRoi *self, GstClockTime time)
{
  GstClockTime interval;

  if (!GST_CLOCK_TIME_IS_VALID (self->asked) || time < self->asked)
    return TRUE;
  GST_OBJECT_LOCK (self);
  interval = self->interval;
  GST_OBJECT_UNLOCK (self);
  return time - self->asked >= interval;
}

static void
detect (GstMregRoi *self, GstBuffer *buffer, GstClockTime time)
{
  gboolean exact = gst_cardiac_filter_is_exact (GST_CARDIAC_FILTER (self));
  RoiJob *job;

  take_outcomes (self);
  if (regions_show_no_picture (buffer)) {
    self->has_looked = TRUE;
    self->has_box = FALSE;
    return;
  }
  if (!is_due (self, time))
    return;
  /* Busy with an earlier picture: look again at the next one. */
  if (!exact && worker_is_busy (self->worker)) {
    self->counts.skipped++;
    return;
  }
  job = make_job (self, buffer);
  if (!job)
    return;
  regions_get_pictures (buffer, job->pictures);
  job->time = self->asked = time;
  worker_submit (self->worker, job);
  if (exact) {
    worker_wait (self->worker);
    take_outcomes (self);
  }
}

/* ---- one frame --------------------------------------------------------- */

static void
attach (GstMregRoi *self, GstBuffer *buffer, const GstCardiacBox *box,
    gdouble confidence, gboolean detected)
{
  const GstVideoInfo *info =
      gst_cardiac_filter_get_info (GST_CARDIAC_FILTER (self));
  GstCardiacGeometryMeta *meta = gst_buffer_add_cardiac_geometry_meta (buffer);
  gint left, top, right, bottom;

  meta->has_roi = TRUE;
  meta->roi = *box;
  meta->roi_confidence = confidence;
  meta->detected = detected;

  left = CLAMP (floor (box->x + 0.5), 0, GST_VIDEO_INFO_WIDTH (info));
  top = CLAMP (floor (box->y + 0.5), 0, GST_VIDEO_INFO_HEIGHT (info));
  right = CLAMP (floor (box->x + box->w + 0.5), 0, GST_VIDEO_INFO_WIDTH (info));
  bottom =
      CLAMP (floor (box->y + box->h + 0.5), 0, GST_VIDEO_INFO_HEIGHT (info));
  if (right > left && bottom > top)
    gst_buffer_add_video_region_of_interest_meta (
        buffer, ROI_TYPE, left, top, right - left, bottom - top);
}

static void
gst_mreg_roi_frame (
    GstCardiacFilter *filter, GstBuffer *buffer, GstClockTime time)
{
  GstMregRoi *self = GST_MREG_ROI (filter);
  GstCardiacBox roi;
  gboolean manual = manual_roi_get (&self->roi, GST_ELEMENT (self), &roi);

  self->counts.received++;
  if (!gst_cardiac_filter_is_enabled (filter)) {
    gst_mreg_roi_discard (filter);
  } else if (manual) {
    attach (self, buffer, &roi, 1, FALSE);
  } else if (self->worker) {
    if (GST_CLOCK_TIME_IS_VALID (time)
        && !GST_BUFFER_FLAG_IS_SET (buffer, GST_BUFFER_FLAG_CORRUPTED)
        && !GST_BUFFER_FLAG_IS_SET (buffer, GST_BUFFER_FLAG_GAP))
      detect (self, buffer, time);
    if (self->has_box)
      attach (self, buffer, &self->box, self->confidence, TRUE);
    if (self->has_looked)
      gst_buffer_add_cardiac_geometry_meta (buffer)->searched = TRUE;
  }

  GST_OBJECT_LOCK (self);
  self->stats = self->counts;
  GST_OBJECT_UNLOCK (self);
}
