/* SPDX-License-Identifier: LGPL-2.1-or-later */

/**
 * SECTION:element-echotestsrc
 * @title: echotestsrc
 * @short_description: an echo phantom with known mitral regurgitation
 *
 * Draws the screen of a scanner that shows a beating heart in the apical
 * four-chamber view with colour Doppler, in the habit of videotestsrc. What is
 * true of it is known: every frame carries #GstCardiacEchoTruthMeta (grade,
 * severity, phase, area of the jets) and #GstCardiacEchoPlacesMeta (where the
 * heart lies in this picture), and #GstEchoTestSrc:truth-location receives it
 * as JSON.
 *
 * By default it is a normal heart without regurgitation and without end.
 * #GstEchoTestSrc:phantom-seed or #GstEchoTestSrc:grade draws a whole recording
 * by chance, with its own length, anatomy, machine and jets. Other properties
 * change single settings of either. A property's value is the one in effect,
 * chosen or drawn.
 *
 * Severity is the sum over jets of area · (2.5 where the jet hugs a wall) ·
 * min (1, duration / 0.7) in the worst beat of the three clips that a recording
 * is graded from; grade 0 (none or trace) below 0.05, 1 (mild) below 0.2, else
 * 2.
 *
 * Every frame can be drawn in any order, with the same pixels: seeks are exact,
 * and so is playing backwards. The 640 x 480 screen is fitted into pictures of
 * any size, with black beside it.
 *
 * No patient is shown: weights trained on this are synthetic.
 *
 * ## Example launch lines
 * |[
 * gst-launch-1.0 echotestsrc is-live=true jet-area=0.3 jet-wall=lateral ! mregclassify ! cardiacoverlay ! videoconvert ! autovideosink
 * ]| A live picture with an eccentric jet, graded.
 * |[
 * gst-launch-1.0 echotestsrc grade=2 phantom-seed=7 truth-location=truth.json ! mregroi ! mregclassify results-location=results.jsonl ! fakesink
 * ]| Grades a drawn recording and writes down what was true.
 */

#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include "gstechotestsrc.h"

#include <gst/video/video.h>

#include "echochoice.h"
#include "echoshow.h"
#include "echotruth.h"
#include "frametime.h"

GST_DEBUG_CATEGORY_STATIC (echo_test_src_debug);
#define GST_CAT_DEFAULT echo_test_src_debug

#define FORMATS "{ RGB, BGRx, RGBx, BGRA, RGBA, xRGB, xBGR, ARGB, ABGR, BGR }"

#define DEFAULT_IS_LIVE FALSE
#define DEFAULT_HOLD FALSE
#define DEFAULT_TRUTH_ROI FALSE
#define DEFAULT_MASK_CELL 4
#define DEFAULT_LOCATION NULL

enum {
  PROP_0,
  PROP_IS_LIVE,
  PROP_HOLD,
  PROP_TRUTH_ROI,
  PROP_TRUTH_LOCATION,
  PROP_TRUTH_MASKS,
  PROP_MASK_CELL,
  PROP_CHOICE, /* the first of many */
};

struct _GstEchoTestSrc {
  GstPushSrc parent;

  /* properties, under the object lock */
  EchoChoice choice;
  gboolean changed; /* since the phantom was made */
  gboolean hold, truth_roi;
  gchar *truth_location, *truth_masks;
  gint mask_cell;

  /* what follows from them, likewise */
  EchoSettings settings;
  gboolean has_end;
  /* written by the streaming thread, under the lock */
  GstVideoInfo info;

  /* streaming thread */
  EchoShow show;
  EchoTruthFile *truth_file;
  EchoMasksFile *masks_file;
  gint cell;

  /* Frame n begins at origin + n / rate. */
  GstClockTime origin;
  guint64 next;
  GstClockTime wanted; /* place of a seek before the rate is known */
  gboolean reverse;
};

G_DEFINE_FINAL_TYPE (GstEchoTestSrc, gst_echo_test_src, GST_TYPE_PUSH_SRC);
GST_ELEMENT_REGISTER_DEFINE (
    echotestsrc, "echotestsrc", GST_RANK_NONE, GST_TYPE_ECHO_TEST_SRC);

static GstStaticPadTemplate src_template =
    GST_STATIC_PAD_TEMPLATE ("src", GST_PAD_SRC, GST_PAD_ALWAYS,
        GST_STATIC_CAPS (GST_VIDEO_CAPS_MAKE (FORMATS)));

static void gst_echo_test_src_set_property (
    GObject *object, guint id, const GValue *value, GParamSpec *pspec);
static void gst_echo_test_src_get_property (
    GObject *object, guint id, GValue *value, GParamSpec *pspec);
static void gst_echo_test_src_finalize (GObject *object);
static gboolean gst_echo_test_src_start (GstBaseSrc *base);
static gboolean gst_echo_test_src_stop (GstBaseSrc *base);
static GstCaps *gst_echo_test_src_fixate (GstBaseSrc *base, GstCaps *caps);
static gboolean gst_echo_test_src_set_caps (GstBaseSrc *base, GstCaps *caps);
static gboolean gst_echo_test_src_decide_allocation (
    GstBaseSrc *base, GstQuery *query);
static gboolean gst_echo_test_src_is_seekable (GstBaseSrc *base);
static gboolean gst_echo_test_src_do_seek (
    GstBaseSrc *base, GstSegment *segment);
static gboolean gst_echo_test_src_query (GstBaseSrc *base, GstQuery *query);
static void gst_echo_test_src_get_times (GstBaseSrc *base, GstBuffer *buffer,
    GstClockTime *start, GstClockTime *end);
static GstFlowReturn gst_echo_test_src_fill (
    GstPushSrc *push, GstBuffer *buffer);

static void
install_properties (GObjectClass *klass)
{
  const GParamFlags flags = G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS;

  /**
   * GstEchoTestSrc:is-live:
   *
   * Whether frames come at their time, as from a grabber.
   */
  g_object_class_install_property (klass, PROP_IS_LIVE,
      g_param_spec_boolean ("is-live", "Is live",
          "Frames come at their time, as from a grabber", DEFAULT_IS_LIVE,
          flags | GST_PARAM_MUTABLE_READY));
  /**
   * GstEchoTestSrc:hold:
   *
   * Whether a picture stays until the scanner's next one, at
   * #GstEchoTestSrc:frame-rate: a grabber of 60 frames a second sees repeats.
   */
  g_object_class_install_property (klass, PROP_HOLD,
      g_param_spec_boolean ("hold", "Hold",
          "A picture stays until the next one at frame-rate, as on a screen "
          "that refreshes faster",
          DEFAULT_HOLD, flags | GST_PARAM_MUTABLE_PLAYING));
  /**
   * GstEchoTestSrc:truth-roi:
   *
   * Whether frames carry the true region of the heart as mregroi would find it,
   * so that mregclassify looks there without a detector.
   */
  g_object_class_install_property (klass, PROP_TRUTH_ROI,
      g_param_spec_boolean ("truth-roi", "True region",
          "Frames carry the true region of the heart, as mregroi would find it",
          DEFAULT_TRUTH_ROI, flags | GST_PARAM_MUTABLE_PLAYING));
  /**
   * GstEchoTestSrc:truth-location:
   *
   * File that receives what is true as one JSON object, when the element stops.
   */
  g_object_class_install_property (klass, PROP_TRUTH_LOCATION,
      g_param_spec_string ("truth-location", "Truth location",
          "File that receives settings, grades, region and each frame's jet "
          "area as JSON, when the element stops",
          DEFAULT_LOCATION, flags | GST_PARAM_MUTABLE_READY));
  /**
   * GstEchoTestSrc:truth-masks:
   *
   * NumPy file that receives where the jets and the left atrium are: uint8
   * [frames][2][rows][columns], the covered share of each cell.
   */
  g_object_class_install_property (klass, PROP_TRUTH_MASKS,
      g_param_spec_string ("truth-masks", "Truth masks",
          "File (.npy) that receives masks of jets and left atrium, uint8 "
          "[frames][2][rows][columns]",
          DEFAULT_LOCATION, flags | GST_PARAM_MUTABLE_READY));
  /**
   * GstEchoTestSrc:mask-cell:
   *
   * Pixels of the picture that a cell of the masks is wide and high.
   */
  g_object_class_install_property (klass, PROP_MASK_CELL,
      g_param_spec_int ("mask-cell", "Mask cell",
          "Pixels of the picture that a cell of the masks is wide and high", 1,
          64, DEFAULT_MASK_CELL, flags | GST_PARAM_MUTABLE_READY));
  echo_choice_install (klass, PROP_CHOICE);
}

static void
gst_echo_test_src_class_init (GstEchoTestSrcClass *klass)
{
  GObjectClass *gobject_class = G_OBJECT_CLASS (klass);
  GstElementClass *element_class = GST_ELEMENT_CLASS (klass);
  GstBaseSrcClass *base_class = GST_BASE_SRC_CLASS (klass);

  GST_DEBUG_CATEGORY_INIT (
      echo_test_src_debug, "echotestsrc", 0, "echo phantom");

  gobject_class->set_property = gst_echo_test_src_set_property;
  gobject_class->get_property = gst_echo_test_src_get_property;
  gobject_class->finalize = gst_echo_test_src_finalize;
  install_properties (gobject_class);

  gst_element_class_set_static_metadata (element_class, "Echo test source",
      "Source/Video",
      "Draws an echo phantom with known mitral regurgitation; no patient",
      "gst-cardiac");
  gst_element_class_add_static_pad_template (element_class, &src_template);

  base_class->start = gst_echo_test_src_start;
  base_class->stop = gst_echo_test_src_stop;
  base_class->fixate = gst_echo_test_src_fixate;
  base_class->set_caps = gst_echo_test_src_set_caps;
  base_class->decide_allocation = gst_echo_test_src_decide_allocation;
  base_class->is_seekable = gst_echo_test_src_is_seekable;
  base_class->do_seek = gst_echo_test_src_do_seek;
  base_class->query = gst_echo_test_src_query;
  base_class->get_times = gst_echo_test_src_get_times;
  GST_PUSH_SRC_CLASS (klass)->fill = gst_echo_test_src_fill;
}

static void
gst_echo_test_src_init (GstEchoTestSrc *self)
{
  echo_choice_init (&self->choice);
  self->has_end = echo_choice_resolve (&self->choice, &self->settings);
  self->changed = TRUE;
  self->hold = DEFAULT_HOLD;
  self->truth_roi = DEFAULT_TRUTH_ROI;
  self->mask_cell = DEFAULT_MASK_CELL;
  self->wanted = GST_CLOCK_TIME_NONE;
  gst_video_info_init (&self->info);
  gst_base_src_set_format (GST_BASE_SRC (self), GST_FORMAT_TIME);
  gst_base_src_set_live (GST_BASE_SRC (self), DEFAULT_IS_LIVE);
}

static void
gst_echo_test_src_finalize (GObject *object)
{
  GstEchoTestSrc *self = GST_ECHO_TEST_SRC (object);

  g_free (self->truth_location);
  g_free (self->truth_masks);
  G_OBJECT_CLASS (gst_echo_test_src_parent_class)->finalize (object);
}

/* ---- properties -------------------------------------------------------- */

/* Under the object lock. Returns whether caps may have to follow. */
static gboolean
set_choice (GstEchoTestSrc *self, guint id, const GValue *value)
{
  gdouble rate = self->settings.frame_rate;

  if (!echo_choice_set (&self->choice, id - PROP_CHOICE, value))
    return FALSE;
  self->changed = TRUE;
  self->has_end = echo_choice_resolve (&self->choice, &self->settings);
  return self->settings.frame_rate != rate;
}

static void
gst_echo_test_src_set_property (
    GObject *object, guint id, const GValue *value, GParamSpec *pspec)
{
  GstEchoTestSrc *self = GST_ECHO_TEST_SRC (object);
  gboolean renegotiate = FALSE;

  if (id == PROP_IS_LIVE) {
    gst_base_src_set_live (GST_BASE_SRC (self), g_value_get_boolean (value));
    return;
  }

  GST_OBJECT_LOCK (self);
  switch (id) {
    case PROP_HOLD:
      self->hold = g_value_get_boolean (value);
      break;
    case PROP_TRUTH_ROI:
      self->truth_roi = g_value_get_boolean (value);
      break;
    case PROP_TRUTH_LOCATION:
      g_free (self->truth_location);
      self->truth_location = g_value_dup_string (value);
      break;
    case PROP_TRUTH_MASKS:
      g_free (self->truth_masks);
      self->truth_masks = g_value_dup_string (value);
      break;
    case PROP_MASK_CELL:
      self->mask_cell = g_value_get_int (value);
      break;
    default:
      if (id >= PROP_CHOICE)
        renegotiate = set_choice (self, id, value);
      else
        G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
      break;
  }
  GST_OBJECT_UNLOCK (self);
  if (renegotiate)
    gst_pad_mark_reconfigure (GST_BASE_SRC_PAD (self));
}

static void
gst_echo_test_src_get_property (
    GObject *object, guint id, GValue *value, GParamSpec *pspec)
{
  GstEchoTestSrc *self = GST_ECHO_TEST_SRC (object);

  if (id == PROP_IS_LIVE) {
    g_value_set_boolean (value, gst_base_src_is_live (GST_BASE_SRC (self)));
    return;
  }

  GST_OBJECT_LOCK (self);
  switch (id) {
    case PROP_HOLD:
      g_value_set_boolean (value, self->hold);
      break;
    case PROP_TRUTH_ROI:
      g_value_set_boolean (value, self->truth_roi);
      break;
    case PROP_TRUTH_LOCATION:
      g_value_set_string (value, self->truth_location);
      break;
    case PROP_TRUTH_MASKS:
      g_value_set_string (value, self->truth_masks);
      break;
    case PROP_MASK_CELL:
      g_value_set_int (value, self->mask_cell);
      break;
    default:
      if (id >= PROP_CHOICE)
        echo_choice_get (&self->choice, id - PROP_CHOICE, value);
      else
        G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
      break;
  }
  GST_OBJECT_UNLOCK (self);
}

/* ---- life cycle -------------------------------------------------------- */

static gboolean
is_empty (const gchar *text)
{
  return !text || !*text;
}

/* Files that cannot be written are said at the start, not at the end. */
static gboolean
open_files (GstEchoTestSrc *self)
{
  gchar *truth, *masks;
  GError *error = NULL;

  GST_OBJECT_LOCK (self);
  truth = g_strdup (self->truth_location);
  masks = g_strdup (self->truth_masks);
  self->cell = self->mask_cell;
  GST_OBJECT_UNLOCK (self);

  if (!is_empty (truth))
    self->truth_file = echo_truth_file_open (truth, &error);
  if (!error && !is_empty (masks))
    self->masks_file = echo_masks_file_open (masks, &error);
  g_free (truth);
  g_free (masks);
  if (!error)
    return TRUE;
  GST_ELEMENT_ERROR (self, RESOURCE, OPEN_WRITE,
      ("The truth cannot be written: %s. Check truth-location and truth-masks.",
          error->message),
      (NULL));
  g_error_free (error);
  return FALSE;
}

static void
post_write_error (GstEchoTestSrc *self, GError *error)
{
  GST_ELEMENT_ERROR (self, RESOURCE, WRITE,
      ("The truth cannot be written: %s.", error->message), (NULL));
  g_error_free (error);
}

static void
close_files (GstEchoTestSrc *self)
{
  EchoShow *show = &self->show;
  GError *error = NULL;

  if (self->truth_file
      && !echo_truth_file_close (self->truth_file, &show->settings,
          show->has_end, show->phantom, &show->picture, &error))
    post_write_error (self, g_steal_pointer (&error));
  if (self->masks_file && !echo_masks_file_close (self->masks_file, &error))
    post_write_error (self, g_steal_pointer (&error));
  self->truth_file = NULL;
  self->masks_file = NULL;
}

static gboolean
gst_echo_test_src_start (GstBaseSrc *base)
{
  GstEchoTestSrc *self = GST_ECHO_TEST_SRC (base);

  self->origin = 0;
  self->next = 0;
  self->wanted = GST_CLOCK_TIME_NONE;
  self->reverse = FALSE;
  GST_OBJECT_LOCK (self);
  self->changed = TRUE;
  gst_video_info_init (&self->info);
  GST_OBJECT_UNLOCK (self);
  if (open_files (self))
    return TRUE;
  close_files (self);
  return FALSE;
}

static gboolean
gst_echo_test_src_stop (GstBaseSrc *base)
{
  GstEchoTestSrc *self = GST_ECHO_TEST_SRC (base);

  close_files (self);
  echo_show_clear (&self->show);
  return TRUE;
}

/* ---- caps -------------------------------------------------------------- */

static GstCaps *
gst_echo_test_src_fixate (GstBaseSrc *base, GstCaps *caps)
{
  GstEchoTestSrc *self = GST_ECHO_TEST_SRC (base);
  GstStructure *structure;
  gdouble rate;
  gint n, d;

  GST_OBJECT_LOCK (self);
  rate = self->settings.frame_rate;
  GST_OBJECT_UNLOCK (self);
  gst_util_double_to_fraction (rate, &n, &d);

  caps = gst_caps_make_writable (caps);
  structure = gst_caps_get_structure (caps, 0);
  gst_structure_fixate_field_nearest_int (
      structure, "width", ECHO_SCREEN_WIDTH);
  gst_structure_fixate_field_nearest_int (
      structure, "height", ECHO_SCREEN_HEIGHT);
  gst_structure_fixate_field_nearest_fraction (structure, "framerate", n, d);
  if (gst_structure_has_field (structure, "pixel-aspect-ratio"))
    gst_structure_fixate_field_nearest_fraction (
        structure, "pixel-aspect-ratio", 1, 1);
  else
    gst_structure_set (
        structure, "pixel-aspect-ratio", GST_TYPE_FRACTION, 1, 1, NULL);
  return GST_BASE_SRC_CLASS (gst_echo_test_src_parent_class)
      ->fixate (base, caps);
}

static void
go_to (GstEchoTestSrc *self, GstClockTime time)
{
  self->origin = 0;
  self->next = self->reverse ? frames_before (&self->info, time)
                             : frame_at (&self->info, time);
}

static gboolean
gst_echo_test_src_set_caps (GstBaseSrc *base, GstCaps *caps)
{
  GstEchoTestSrc *self = GST_ECHO_TEST_SRC (base);
  GstVideoInfo info, before = self->info;
  gboolean first = GST_VIDEO_INFO_FORMAT (&before) == GST_VIDEO_FORMAT_UNKNOWN;

  if (!gst_video_info_from_caps (&info, caps)) {
    GST_ERROR_OBJECT (self, "not video caps: %" GST_PTR_FORMAT, caps);
    return FALSE;
  }
  GST_OBJECT_LOCK (self);
  self->info = info;
  GST_OBJECT_UNLOCK (self);

  if (first) {
    if (GST_CLOCK_TIME_IS_VALID (self->wanted))
      go_to (self, self->wanted);
  } else if (GST_VIDEO_INFO_FPS_N (&before) != GST_VIDEO_INFO_FPS_N (&info)
             || GST_VIDEO_INFO_FPS_D (&before)
                    != GST_VIDEO_INFO_FPS_D (&info)) {
    /* Time goes on at another rate. */
    self->origin += frame_time (&before, self->next);
    self->next = 0;
  }

  if (echo_show_set_format (&self->show, &info))
    return TRUE;
  GST_ELEMENT_ERROR (self, RESOURCE, NO_SPACE_LEFT,
      ("There is no memory for pictures of %d x %d pixels; ask for smaller "
       "ones.",
          GST_VIDEO_INFO_WIDTH (&info), GST_VIDEO_INFO_HEIGHT (&info)),
      (NULL));
  return FALSE;
}

static gboolean
gst_echo_test_src_decide_allocation (GstBaseSrc *base, GstQuery *query)
{
  GstBufferPool *pool = NULL;
  GstStructure *config;
  GstCaps *caps;
  guint size = 0, min = 0, max = 0;
  gboolean update = gst_query_get_n_allocation_pools (query) > 0;

  gst_query_parse_allocation (query, &caps, NULL);
  if (update)
    gst_query_parse_nth_allocation_pool (query, 0, &pool, &size, &min, &max);
  size = MAX (size, GST_VIDEO_INFO_SIZE (&GST_ECHO_TEST_SRC (base)->info));
  if (!pool)
    pool = gst_video_buffer_pool_new ();

  config = gst_buffer_pool_get_config (pool);
  gst_buffer_pool_config_set_params (config, caps, size, min, max);
  if (gst_query_find_allocation_meta (query, GST_VIDEO_META_API_TYPE, NULL))
    gst_buffer_pool_config_add_option (
        config, GST_BUFFER_POOL_OPTION_VIDEO_META);
  gst_buffer_pool_set_config (pool, config);

  if (update)
    gst_query_set_nth_allocation_pool (query, 0, pool, size, min, max);
  else
    gst_query_add_allocation_pool (query, pool, size, min, max);
  gst_object_unref (pool);
  return GST_BASE_SRC_CLASS (gst_echo_test_src_parent_class)
      ->decide_allocation (base, query);
}

/* ---- time -------------------------------------------------------------- */

static gboolean
gst_echo_test_src_is_seekable (GstBaseSrc *base)
{
  return !gst_base_src_is_live (base);
}

/* Length of the recording; NONE: it has no end. Object lock held. */
static GstClockTime
get_duration (GstEchoTestSrc *self)
{
  gint buffers = GST_BASE_SRC (self)->num_buffers;
  GstClockTime duration = GST_CLOCK_TIME_NONE, limit;

  if (self->has_end)
    duration = self->settings.duration * GST_SECOND + 0.5;
  if (buffers >= 0 && GST_VIDEO_INFO_FPS_N (&self->info) > 0) {
    limit = frame_time (&self->info, buffers);
    duration = MIN (duration, limit); /* NONE is the largest */
  }
  return duration;
}

static gboolean
gst_echo_test_src_do_seek (GstBaseSrc *base, GstSegment *segment)
{
  GstEchoTestSrc *self = GST_ECHO_TEST_SRC (base);
  GstClockTime time = segment->position, duration;

  GST_OBJECT_LOCK (self);
  duration = get_duration (self);
  GST_OBJECT_UNLOCK (self);

  segment->time = segment->start;
  self->reverse = segment->rate < 0;
  if (self->reverse && !GST_CLOCK_TIME_IS_VALID (segment->stop)) {
    if (!GST_CLOCK_TIME_IS_VALID (duration)) {
      GST_WARNING_OBJECT (self, "a video without end cannot end in reverse");
      return FALSE;
    }
    segment->stop = time = segment->position = duration;
  }
  if (GST_VIDEO_INFO_FORMAT (&self->info) == GST_VIDEO_FORMAT_UNKNOWN)
    self->wanted = time;
  else
    go_to (self, time);
  return TRUE;
}

static gboolean
answer_duration (GstEchoTestSrc *self, GstQuery *query)
{
  GstClockTime duration;
  GstFormat format;
  GstVideoInfo info;

  gst_query_parse_duration (query, &format, NULL);
  GST_OBJECT_LOCK (self);
  duration = get_duration (self);
  info = self->info;
  GST_OBJECT_UNLOCK (self);

  if (!GST_CLOCK_TIME_IS_VALID (duration))
    return FALSE;
  if (format == GST_FORMAT_TIME) {
    gst_query_set_duration (query, format, duration);
    return TRUE;
  }
  if (format != GST_FORMAT_DEFAULT || GST_VIDEO_INFO_FPS_N (&info) == 0)
    return FALSE;
  gst_query_set_duration (query, format, frames_before (&info, duration));
  return TRUE;
}

static gboolean
answer_latency (GstEchoTestSrc *self, GstQuery *query)
{
  GstVideoInfo info;

  GST_OBJECT_LOCK (self);
  info = self->info;
  GST_OBJECT_UNLOCK (self);
  if (GST_VIDEO_INFO_FPS_N (&info) == 0)
    return FALSE;
  gst_query_set_latency (query, gst_base_src_is_live (GST_BASE_SRC (self)),
      frame_time (&info, 1), GST_CLOCK_TIME_NONE);
  return TRUE;
}

static gboolean
answer_convert (GstEchoTestSrc *self, GstQuery *query)
{
  GstFormat from, to;
  GstVideoInfo info;
  gint64 value, result;

  GST_OBJECT_LOCK (self);
  info = self->info;
  GST_OBJECT_UNLOCK (self);
  gst_query_parse_convert (query, &from, &value, &to, NULL);
  if (GST_VIDEO_INFO_FORMAT (&info) == GST_VIDEO_FORMAT_UNKNOWN
      || !gst_video_info_convert (&info, from, value, to, &result))
    return FALSE;
  gst_query_set_convert (query, from, value, to, result);
  return TRUE;
}

static gboolean
gst_echo_test_src_query (GstBaseSrc *base, GstQuery *query)
{
  GstEchoTestSrc *self = GST_ECHO_TEST_SRC (base);
  gboolean done = FALSE;

  switch (GST_QUERY_TYPE (query)) {
    case GST_QUERY_DURATION:
      done = answer_duration (self, query);
      break;
    case GST_QUERY_LATENCY:
      done = answer_latency (self, query);
      break;
    case GST_QUERY_CONVERT:
      done = answer_convert (self, query);
      break;
    default:
      break;
  }
  return done
         || GST_BASE_SRC_CLASS (gst_echo_test_src_parent_class)
                ->query (base, query);
}

static void
gst_echo_test_src_get_times (
    GstBaseSrc *base, GstBuffer *buffer, GstClockTime *start, GstClockTime *end)
{
  *start = *end = GST_CLOCK_TIME_NONE;
  if (!gst_base_src_is_live (base) || !GST_BUFFER_PTS_IS_VALID (buffer))
    return;
  *start = GST_BUFFER_PTS (buffer);
  if (GST_BUFFER_DURATION_IS_VALID (buffer))
    *end = *start + GST_BUFFER_DURATION (buffer);
}

/* Makes what is shown follow the properties. */
static gboolean
update_phantom (GstEchoTestSrc *self)
{
  EchoShow *show = &self->show;
  gboolean changed;

  GST_OBJECT_LOCK (self);
  changed = self->changed;
  self->changed = FALSE;
  show->settings = self->settings;
  show->has_end = self->has_end;
  show->hold = self->hold;
  show->with_roi = self->truth_roi;
  GST_OBJECT_UNLOCK (self);
  if ((show->phantom && !changed) || echo_show_make (show))
    return TRUE;
  GST_ELEMENT_ERROR (self, RESOURCE, NO_SPACE_LEFT,
      ("There is no memory for a phantom."), (NULL));
  return FALSE;
}

static gboolean
write_truth (GstEchoTestSrc *self, GstClockTime pts, gdouble time,
    const EchoMoment *moment)
{
  GError *error = NULL;

  if (self->truth_file)
    echo_truth_file_add (self->truth_file, pts, moment);
  if (!self->masks_file
      || echo_masks_file_add (self->masks_file, self->show.phantom, time,
          &self->show.picture, self->cell, &error))
    return TRUE;
  post_write_error (self, error);
  return FALSE;
}

/* ---- frames ------------------------------------------------------------ */

/* Which frame comes next; false at the end. */
static gboolean
take_frame (GstEchoTestSrc *self, guint64 *n, GstClockTime *pts)
{
  gboolean still = GST_VIDEO_INFO_FPS_N (&self->info) == 0;
  GstClockTime end = GST_CLOCK_TIME_NONE;

  if (self->reverse && self->next == 0)
    return FALSE;
  *n = self->reverse ? self->next - 1 : self->next;
  *pts = self->origin + frame_time (&self->info, *n);
  GST_OBJECT_LOCK (self);
  if (self->has_end)
    end = self->settings.duration * GST_SECOND + 0.5;
  GST_OBJECT_UNLOCK (self);
  if (*pts >= end || (still && *n > 0))
    return FALSE;
  self->next = self->reverse ? *n : *n + 1;
  return TRUE;
}

static void
set_times (GstEchoTestSrc *self, GstBuffer *buffer, guint64 n, GstClockTime pts)
{
  GST_BUFFER_PTS (buffer) = pts;
  GST_BUFFER_DTS (buffer) = GST_CLOCK_TIME_NONE;
  GST_BUFFER_DURATION (buffer) = GST_CLOCK_TIME_NONE;
  if (GST_VIDEO_INFO_FPS_N (&self->info) > 0)
    GST_BUFFER_DURATION (buffer) =
        self->origin + frame_time (&self->info, n + 1) - pts;
  GST_BUFFER_OFFSET (buffer) = n;
  GST_BUFFER_OFFSET_END (buffer) = n + 1;
}

static GstFlowReturn
gst_echo_test_src_fill (GstPushSrc *push, GstBuffer *buffer)
{
  GstEchoTestSrc *self = GST_ECHO_TEST_SRC (push);
  GstVideoFrame frame;
  EchoMoment moment;
  GstClockTime pts;
  gdouble time;
  guint64 n;

  if (GST_VIDEO_INFO_FORMAT (&self->info) == GST_VIDEO_FORMAT_UNKNOWN)
    return GST_FLOW_NOT_NEGOTIATED;
  if (!take_frame (self, &n, &pts))
    return GST_FLOW_EOS;
  gst_object_sync_values (GST_OBJECT (self), pts);
  if (!update_phantom (self))
    return GST_FLOW_ERROR;
  if (!gst_video_frame_map (&frame, &self->info, buffer, GST_MAP_WRITE)) {
    GST_ELEMENT_ERROR (self, RESOURCE, WRITE,
        ("A frame's memory cannot be written to."), (NULL));
    return GST_FLOW_ERROR;
  }
  time = echo_show_time (&self->show, pts);
  echo_show_draw (&self->show, &frame, time);
  gst_video_frame_unmap (&frame);

  moment = echo_phantom_moment (self->show.phantom, time);
  set_times (self, buffer, n, pts);
  echo_show_attach (&self->show, buffer, time, &moment);
  return write_truth (self, pts, time, &moment) ? GST_FLOW_OK : GST_FLOW_ERROR;
}
