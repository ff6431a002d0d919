/* SPDX-License-Identifier: LGPL-2.1-or-later */

/**
 * SECTION:element-cmrcinesrc
 * @title: cmrcinesrc
 * @short_description: plays a short-axis cine MR stack
 *
 * Reads a directory of DICOM files (any names; one series, several, or an
 * enhanced multi-frame object) or a 4-D NIfTI file, orders slices from base to
 * apex by their position in the patient and phases by their trigger times, and
 * plays one cycle of a basal, a mid and an apical slice.
 *
 * Pads are had on request: `basal`, `mid` and `apical` give the slices as they
 * are stored (GRAY16_LE, or GRAY8 between the 1st and 99th percentile), `review`
 * all three side by side, enlarged. Each buffer carries a #GstCardiacSliceMeta
 * for each slice in it.
 *
 * One thread pushes phase by phase to all pads: where pads end in different
 * sinks, put a queue behind each.
 *
 * A stack that cannot be played ends in an error message, before which a record
 * with its state (STACK_INCOMPLETE, PHASES_DIFFER, LEVEL_UNKNOWN) is posted as an
 * element message `cardiac-result`. A stack that can is described by an element
 * message `cardiac-stack`.
 *
 * ## Example launch lines
 * |[
 * gst-launch-1.0 cmrcinesrc location=patient/sax loops=5 name=c c.review ! videoconvert ! autovideosink
 * ]| Shows the three slices of a directory of DICOM files, five beats long.
 * |[
 * gst-launch-1.0 cmrcinesrc location=sax_4d.nii.gz landmarks=landmarks.json name=c c.mid ! video/x-raw,format=GRAY8 ! pngenc ! multifilesink location=mid-%02d.png
 * ]| Writes the phases of the mid slice as pictures.
 */

#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include "gstcmrcinesrc.h"

#include <gst/base/gstflowcombiner.h>
#include <stdio.h>
#include <string.h>

#include "cineshow.h"
#include "meta/gstcardiacresult.h"

GST_DEBUG_CATEGORY_STATIC (cmr_cine_src_debug);
#define GST_CAT_DEFAULT cmr_cine_src_debug

#define DEFAULT_LOCATION NULL
#define DEFAULT_LANDMARKS NULL
#define DEFAULT_SEGMENTATION NULL
#define DEFAULT_SEGMENTATION_LABELS NULL
#define DEFAULT_SLICE -1
#define DEFAULT_LEVEL_LANDMARKS NULL
#define DEFAULT_ESTIMATE_LANDMARKS TRUE
#define DEFAULT_LOOPS 1
#define DEFAULT_REVIEW_SIDE 0.0

enum {
  PROP_0,
  PROP_LOCATION,
  PROP_LANDMARKS,
  PROP_SEGMENTATION,
  PROP_SEGMENTATION_LABELS,
  PROP_ESTIMATE_LANDMARKS,
  PROP_LOOPS,
  PROP_REVIEW_SIDE,
  PROP_STACK,
  PROP_SLICE, /* of three levels */
  PROP_LEVEL_LANDMARKS = PROP_SLICE + CINE_LEVELS,
};

/* What a person sets; under the object lock. */
typedef struct {
  gchar *location, *landmarks, *segmentation, *segmentation_labels;
  gchar *level_landmarks[CINE_LEVELS];
  gint slice[CINE_LEVELS];
  gboolean estimate;
  guint loops;
  gdouble review_side;
} Settings;

typedef struct {
  GstPad *pad; /* under the object lock */

  /* streaming thread */
  gboolean started, tagged;
  GstVideoInfo info;
} Stream;

struct _GstCmrCineSrc {
  GstElement parent;

  Settings settings;
  Stream streams[CINE_SHOWS];

  /* from READY to PAUSED on, constant while the task runs */
  CineShow show;
  guint loops;

  /* streaming thread; seeks hold the task's lock */
  GstTask *task;
  GRecMutex task_lock;
  GstFlowCombiner *combiner;
  GstSegment segment;
  gboolean need_segment[CINE_SHOWS];
  guint group_id;
  guint32 seqnum; /* of the seek behind the segment */
  guint64 next;   /* picture, counted over all loops */

  /* under the object lock */
  guint32 last_seek;
  GstClockTime position;
};

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

static const gchar *const pad_names[CINE_SHOWS] = { "basal", "mid", "apical",
  "review" };

G_DEFINE_FINAL_TYPE (GstCmrCineSrc, gst_cmr_cine_src, GST_TYPE_ELEMENT);
GST_ELEMENT_REGISTER_DEFINE (
    cmrcinesrc, "cmrcinesrc", GST_RANK_NONE, GST_TYPE_CMR_CINE_SRC);

static void gst_cmr_cine_src_finalize (GObject *object);
static void gst_cmr_cine_src_set_property (
    GObject *object, guint id, const GValue *value, GParamSpec *pspec);
static void gst_cmr_cine_src_get_property (
    GObject *object, guint id, GValue *value, GParamSpec *pspec);
static GstPad *gst_cmr_cine_src_request_new_pad (GstElement *element,
    GstPadTemplate *template, const gchar *name, const GstCaps *caps);
static void gst_cmr_cine_src_release_pad (GstElement *element, GstPad *pad);
static GstStateChangeReturn gst_cmr_cine_src_change_state (
    GstElement *element, GstStateChange transition);
static void gst_cmr_cine_src_loop (gpointer data);
static gboolean gst_cmr_cine_src_event (
    GstPad *pad, GstObject *parent, GstEvent *event);
static gboolean gst_cmr_cine_src_query (
    GstPad *pad, GstObject *parent, GstQuery *query);

static void
install_level_properties (GObjectClass *klass)
{
  const GParamFlags flags =
      G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS | GST_PARAM_MUTABLE_READY;
  static const gchar *const slices[] = { "basal-slice", "mid-slice",
    "apical-slice" };
  static const gchar *const landmarks[] = { "basal-landmarks", "mid-landmarks",
    "apical-landmarks" };

  for (guint l = 0; l < CINE_LEVELS; l++) {
    g_object_class_install_property (klass, PROP_SLICE + l,
        g_param_spec_int (slices[l], slices[l],
            "Number of the slice, 0 being the most basal one; -1: of the side "
            "file, else by its place within the LV",
            -1, 1000, DEFAULT_SLICE, flags));
    g_object_class_install_property (klass, PROP_LEVEL_LANDMARKS + l,
        g_param_spec_string (landmarks[l], landmarks[l],
            "\"x,y,x,y,x,y\": LV centre, anterior and inferior RV insertion in "
            "pixels of the stored slice (column, row, from 0); \"x,y\": the "
            "centre alone",
            DEFAULT_LEVEL_LANDMARKS, flags));
  }
}

static void
install_landmark_properties (GObjectClass *klass)
{
  const GParamFlags flags =
      G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS | GST_PARAM_MUTABLE_READY;

  /**
   * GstCmrCineSrc:landmarks:
   *
   * Side file with slices and landmarks of the levels, JSON.
   */
  g_object_class_install_property (klass, PROP_LANDMARKS,
      g_param_spec_string ("landmarks", "Landmarks",
          "JSON side file with slices and landmarks of the levels",
          DEFAULT_LANDMARKS, flags | GST_PARAM_MUTABLE_READY));
  /**
   * GstCmrCineSrc:segmentation:
   *
   * NIfTI file with labels of LV cavity, myocardium and RV, from which
   * landmarks and the LV's extent are derived.
   */
  g_object_class_install_property (klass, PROP_SEGMENTATION,
      g_param_spec_string ("segmentation", "Segmentation",
          "NIfTI file with labels of LV, myocardium and RV",
          DEFAULT_SEGMENTATION, flags));
  /**
   * GstCmrCineSrc:segmentation-labels:
   *
   * Numbers of LV cavity, myocardium and RV in the segmentation, "3,2,1"; empty:
   * told by what touches what. RV 0: there is none.
   */
  g_object_class_install_property (klass, PROP_SEGMENTATION_LABELS,
      g_param_spec_string ("segmentation-labels", "Segmentation labels",
          "Numbers of LV, myocardium and RV, as \"3,2,1\"; empty: told by what "
          "touches what",
          DEFAULT_SEGMENTATION_LABELS, flags));
  /**
   * GstCmrCineSrc:estimate-landmarks:
   *
   * Whether landmarks that nothing else gives are looked for in the pictures.
   * They are marked as estimated.
   */
  g_object_class_install_property (klass, PROP_ESTIMATE_LANDMARKS,
      g_param_spec_boolean ("estimate-landmarks", "Estimate landmarks",
          "Look for landmarks in the pictures where nothing else gives them",
          DEFAULT_ESTIMATE_LANDMARKS, flags));
}

static void
install_properties (GObjectClass *klass)
{
  const GParamFlags flags =
      G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS | GST_PARAM_MUTABLE_READY;

  /**
   * GstCmrCineSrc:location:
   *
   * A directory of DICOM files, a DICOM multi-frame file or a 4-D NIfTI file.
   */
  g_object_class_install_property (klass, PROP_LOCATION,
      g_param_spec_string ("location", "Location",
          "Directory of DICOM files, DICOM multi-frame or 4-D NIfTI file",
          DEFAULT_LOCATION, flags));
  /**
   * GstCmrCineSrc:loops:
   *
   * How often the cycle is played; 0: for ever.
   */
  g_object_class_install_property (klass, PROP_LOOPS,
      g_param_spec_uint ("loops", "Loops",
          "How often the cycle is played; 0: for ever", 0, 1000000,
          DEFAULT_LOOPS, flags));
  /**
   * GstCmrCineSrc:review-side:
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
   * GstCmrCineSrc:stack:
   *
   * What is known of the stack, from PAUSED on; as the message `cardiac-stack`.
   */
  g_object_class_install_property (klass, PROP_STACK,
      g_param_spec_boxed ("stack", "Stack",
          "Format, size, timing, slices and landmarks of the stack that plays",
          GST_TYPE_STRUCTURE, G_PARAM_READABLE | G_PARAM_STATIC_STRINGS));
  install_landmark_properties (klass);
  install_level_properties (klass);
}

static void
gst_cmr_cine_src_class_init (GstCmrCineSrcClass *klass)
{
  GstElementClass *element_class = GST_ELEMENT_CLASS (klass);
  GObjectClass *object_class = G_OBJECT_CLASS (klass);

  GST_DEBUG_CATEGORY_INIT (
      cmr_cine_src_debug, "cmrcinesrc", 0, "cine MR source");
  object_class->finalize = gst_cmr_cine_src_finalize;
  object_class->set_property = gst_cmr_cine_src_set_property;
  object_class->get_property = gst_cmr_cine_src_get_property;
  install_properties (object_class);

  element_class->request_new_pad = gst_cmr_cine_src_request_new_pad;
  element_class->release_pad = gst_cmr_cine_src_release_pad;
  element_class->change_state = gst_cmr_cine_src_change_state;
  for (guint i = 0; i < CINE_SHOWS; i++)
    gst_element_class_add_static_pad_template (element_class, &templates[i]);
  gst_element_class_set_static_metadata (element_class, "Cine MR source",
      "Source/Video/Medical",
      "Plays basal, mid and apical short-axis slices of a cine MR stack "
      "(DICOM, NIfTI)",
      "gst-cardiac");
}

static void
gst_cmr_cine_src_init (GstCmrCineSrc *self)
{
  for (guint l = 0; l < CINE_LEVELS; l++)
    self->settings.slice[l] = DEFAULT_SLICE;
  self->settings.estimate = DEFAULT_ESTIMATE_LANDMARKS;
  self->settings.loops = DEFAULT_LOOPS;
  self->settings.review_side = DEFAULT_REVIEW_SIDE;
  self->combiner = gst_flow_combiner_new ();
  g_rec_mutex_init (&self->task_lock);
  self->task = gst_task_new (gst_cmr_cine_src_loop, self, NULL);
  gst_task_set_lock (self->task, &self->task_lock);
  gst_segment_init (&self->segment, GST_FORMAT_TIME);
  GST_OBJECT_FLAG_SET (self, GST_ELEMENT_FLAG_SOURCE);
}

static void
settings_clear (Settings *settings)
{
  g_clear_pointer (&settings->location, g_free);
  g_clear_pointer (&settings->landmarks, g_free);
  g_clear_pointer (&settings->segmentation, g_free);
  g_clear_pointer (&settings->segmentation_labels, g_free);
  for (guint l = 0; l < CINE_LEVELS; l++)
    g_clear_pointer (&settings->level_landmarks[l], g_free);
}

static void
gst_cmr_cine_src_finalize (GObject *object)
{
  GstCmrCineSrc *self = GST_CMR_CINE_SRC (object);

  settings_clear (&self->settings);
  gst_flow_combiner_free (self->combiner);
  gst_object_unref (self->task);
  g_rec_mutex_clear (&self->task_lock);
  G_OBJECT_CLASS (gst_cmr_cine_src_parent_class)->finalize (object);
}

/* The place of a text property, or NULL. */
static gchar **
find_text (Settings *settings, guint id)
{
  switch (id) {
    case PROP_LOCATION:
      return &settings->location;
    case PROP_LANDMARKS:
      return &settings->landmarks;
    case PROP_SEGMENTATION:
      return &settings->segmentation;
    case PROP_SEGMENTATION_LABELS:
      return &settings->segmentation_labels;
    default:
      if (id >= PROP_LEVEL_LANDMARKS && id < PROP_LEVEL_LANDMARKS + CINE_LEVELS)
        return &settings->level_landmarks[id - PROP_LEVEL_LANDMARKS];
      return NULL;
  }
}

static void
gst_cmr_cine_src_set_property (
    GObject *object, guint id, const GValue *value, GParamSpec *pspec)
{
  Settings *settings = &GST_CMR_CINE_SRC (object)->settings;
  gchar **text = find_text (settings, id);

  GST_OBJECT_LOCK (object);
  if (text) {
    g_free (*text);
    *text = g_value_dup_string (value);
  } else if (id >= PROP_SLICE && id < PROP_SLICE + CINE_LEVELS) {
    settings->slice[id - PROP_SLICE] = g_value_get_int (value);
  } else if (id == PROP_ESTIMATE_LANDMARKS) {
    settings->estimate = g_value_get_boolean (value);
  } else if (id == PROP_LOOPS) {
    settings->loops = g_value_get_uint (value);
  } else if (id == PROP_REVIEW_SIDE) {
    settings->review_side = g_value_get_double (value);
  } else {
    G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
  }
  GST_OBJECT_UNLOCK (object);
}

static void
gst_cmr_cine_src_get_property (
    GObject *object, guint id, GValue *value, GParamSpec *pspec)
{
  GstCmrCineSrc *self = GST_CMR_CINE_SRC (object);
  Settings *settings = &self->settings;
  gchar **text = find_text (settings, id);

  GST_OBJECT_LOCK (object);
  if (text)
    g_value_set_string (value, *text);
  else if (id >= PROP_SLICE && id < PROP_SLICE + CINE_LEVELS)
    g_value_set_int (value, settings->slice[id - PROP_SLICE]);
  else if (id == PROP_ESTIMATE_LANDMARKS)
    g_value_set_boolean (value, settings->estimate);
  else if (id == PROP_LOOPS)
    g_value_set_uint (value, settings->loops);
  else if (id == PROP_REVIEW_SIDE)
    g_value_set_double (value, settings->review_side);
  else if (id == PROP_STACK)
    g_value_take_boxed (
        value, self->show.stack ? cine_show_describe (&self->show) : NULL);
  else
    G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
  GST_OBJECT_UNLOCK (object);
}

static GstPad *
gst_cmr_cine_src_request_new_pad (GstElement *element, GstPadTemplate *template,
    const gchar *name, const GstCaps *caps)
{
  const gchar *wanted = GST_PAD_TEMPLATE_NAME_TEMPLATE (template);
  GstCmrCineSrc *self = GST_CMR_CINE_SRC (element);
  guint kind = 0;
  GstPad *pad;

  while (strcmp (wanted, pad_names[kind]) != 0)
    kind++;
  pad = gst_pad_new_from_template (template, wanted);
  gst_pad_set_event_function (pad, gst_cmr_cine_src_event);
  gst_pad_set_query_function (pad, gst_cmr_cine_src_query);
  gst_pad_use_fixed_caps (pad);

  GST_OBJECT_LOCK (self);
  if (self->streams[kind].pad) {
    GST_OBJECT_UNLOCK (self);
    GST_WARNING_OBJECT (self, "pad '%s' has been requested before", wanted);
    gst_object_unref (gst_object_ref_sink (pad));
    return NULL;
  }
  self->streams[kind].pad = pad;
  self->streams[kind].started = self->streams[kind].tagged = FALSE;
  self->need_segment[kind] = TRUE;
  gst_flow_combiner_add_pad (self->combiner, pad);
  GST_OBJECT_UNLOCK (self);

  gst_pad_set_active (pad, TRUE);
  gst_element_add_pad (element, pad);
  return pad;
}

static void
gst_cmr_cine_src_release_pad (GstElement *element, GstPad *pad)
{
  GstCmrCineSrc *self = GST_CMR_CINE_SRC (element);

  /* Ends a push that waits downstream. */
  gst_pad_set_active (pad, FALSE);
  GST_OBJECT_LOCK (self);
  for (guint i = 0; i < CINE_SHOWS; i++)
    if (self->streams[i].pad == pad)
      self->streams[i].pad = NULL;
  gst_flow_combiner_remove_pad (self->combiner, pad);
  GST_OBJECT_UNLOCK (self);
  gst_element_remove_pad (element, pad);
}

/* --- from READY to PAUSED --- */

static void
get_error_number (CineProblem problem, GQuark *domain, gint *number)
{
  *domain = GST_RESOURCE_ERROR;
  switch (problem) {
    case CINE_NOT_FOUND:
      *number = GST_RESOURCE_ERROR_NOT_FOUND;
      return;
    case CINE_BAD_SETTING:
      *number = GST_RESOURCE_ERROR_SETTINGS;
      return;
    case CINE_UNREADABLE:
      *number = GST_RESOURCE_ERROR_READ;
      return;
    case CINE_NO_MEMORY:
      *number = GST_RESOURCE_ERROR_NO_SPACE_LEFT;
      return;
    case CINE_UNSUPPORTED:
      *domain = GST_CORE_ERROR;
      *number = GST_CORE_ERROR_MISSING_PLUGIN;
      return;
    default:
      *domain = GST_STREAM_ERROR;
      *number = GST_STREAM_ERROR_FORMAT;
      return;
  }
}

static gboolean
get_state (CineProblem problem, GstCardiacState *state)
{
  switch (problem) {
    case CINE_STACK_INCOMPLETE:
      *state = GST_CARDIAC_STATE_STACK_INCOMPLETE;
      return TRUE;
    case CINE_PHASES_DIFFER:
      *state = GST_CARDIAC_STATE_PHASES_DIFFER;
      return TRUE;
    case CINE_LEVEL_UNKNOWN:
      *state = GST_CARDIAC_STATE_LEVEL_UNKNOWN;
      return TRUE;
    default:
      return FALSE;
  }
}

/* The record of a stack without scores, then the error that ends the pipeline. */
static void
post_problem (GstCmrCineSrc *self, const CineError *error)
{
  GstStructure *details = NULL;
  GstCardiacState state;
  GQuark domain;
  gint number;

  if (get_state (error->problem, &state)) {
    GstCardiacResult *record = gst_cardiac_result_new (GST_CARDIAC_RESULT_MMSA);

    record->state = state;
    record->reason = g_strdup (error->text);
    record->version = g_strdup (VERSION);
    gst_element_post_message (
        GST_ELEMENT (self), gst_message_new_element (GST_OBJECT (self),
                                gst_cardiac_result_to_structure (record)));
    gst_cardiac_result_unref (record);
    details = gst_structure_new ("cardiac-stack-problem", "state",
        G_TYPE_STRING, gst_cardiac_state_name (state), NULL);
  }
  get_error_number (error->problem, &domain, &number);
  gst_element_message_full_with_details (GST_ELEMENT (self), GST_MESSAGE_ERROR,
      domain, number, g_strdup (error->text),
      *error->detail ? g_strdup (error->detail) : NULL, __FILE__, G_STRFUNC,
      __LINE__, details);
}

static Settings
copy_settings (GstCmrCineSrc *self)
{
  Settings copy;

  GST_OBJECT_LOCK (self);
  copy = self->settings;
  copy.location = g_strdup (copy.location);
  copy.landmarks = g_strdup (copy.landmarks);
  copy.segmentation = g_strdup (copy.segmentation);
  copy.segmentation_labels = g_strdup (copy.segmentation_labels);
  for (guint l = 0; l < CINE_LEVELS; l++)
    copy.level_landmarks[l] = g_strdup (copy.level_landmarks[l]);
  GST_OBJECT_UNLOCK (self);
  return copy;
}

static const gchar *
none_if_empty (const gchar *text)
{
  return text && *text ? text : NULL;
}

static gboolean
make_options (
    const Settings *settings, CineLevelOptions *options, CineError *error)
{
  const gchar *labels = none_if_empty (settings->segmentation_labels);
  gint *n = options->labels;
  gchar rest;

  cine_level_options_init (options);
  options->file = none_if_empty (settings->landmarks);
  options->segmentation = none_if_empty (settings->segmentation);
  options->estimate = settings->estimate;
  for (guint l = 0; l < CINE_LEVELS; l++) {
    const gchar *text = none_if_empty (settings->level_landmarks[l]);

    options->property[l].slice = settings->slice[l];
    if (text && !cine_points_parse (text, &options->property[l].points))
      return cine_fail (error, CINE_BAD_SETTING,
          "%s-landmarks is '%s'; expected \"x,y,x,y,x,y\" (LV centre, anterior "
          "and inferior RV insertion) or \"x,y\"",
          cine_level_name ((CineLevel) l), text);
  }
  if (labels
      && (sscanf (labels, "%d,%d,%d%c", &n[0], &n[1], &n[2], &rest) != 3
          || n[0] < 1 || n[1] < 1 || n[2] < 0 || n[0] > 15 || n[1] > 15
          || n[2] > 15))
    return cine_fail (error, CINE_BAD_SETTING,
        "segmentation-labels is '%s'; expected three numbers from 1 to 15, "
        "\"LV,myocardium,RV\", the last one 0 when there is no RV",
        labels);
  return TRUE;
}

static gboolean
load (GstCmrCineSrc *self, const Settings *settings, CineShow *show,
    CineError *error)
{
  CineLevelOptions options;

  if (!none_if_empty (settings->location))
    return cine_fail (error, CINE_NOT_FOUND,
        "cmrcinesrc has no location; set it to a directory of DICOM files or a "
        "4-D NIfTI file");
  if (!make_options (settings, &options, error))
    return FALSE;
  show->review_side = settings->review_side;
  show->stack = cine_stack_load (settings->location, error);
  if (!show->stack)
    return FALSE;
  return cine_choose_levels (show->stack, &options, show->choice, error);
}

static void
post_notes (GstCmrCineSrc *self)
{
  const CineStack *stack = self->show.stack;

  for (gint i = 0; i < stack->n_notes; i++)
    GST_ELEMENT_WARNING (self, STREAM, FORMAT, ("%s", stack->notes[i]), (NULL));
  gst_element_post_message (
      GST_ELEMENT (self), gst_message_new_element (GST_OBJECT (self),
                              cine_show_describe (&self->show)));
}

static void
reset_stream (GstCmrCineSrc *self)
{
  gst_segment_init (&self->segment, GST_FORMAT_TIME);
  if (self->loops > 0)
    self->segment.duration = self->loops * cine_show_cycle (&self->show);
  self->group_id = gst_util_group_id_next ();
  self->seqnum = gst_util_seqnum_next ();
  self->next = 0;
  gst_flow_combiner_reset (self->combiner);
  GST_OBJECT_LOCK (self);
  self->last_seek = GST_SEQNUM_INVALID;
  self->position = GST_CLOCK_TIME_NONE;
  for (guint i = 0; i < CINE_SHOWS; i++) {
    self->streams[i].started = self->streams[i].tagged = FALSE;
    self->need_segment[i] = TRUE;
  }
  GST_OBJECT_UNLOCK (self);
}

static gboolean
gst_cmr_cine_src_open (GstCmrCineSrc *self)
{
  Settings settings = copy_settings (self);
  CineError error = { CINE_FINE, "", "" };
  CineShow show = { NULL };
  gboolean fine = load (self, &settings, &show, &error);

  if (fine) {
    GST_OBJECT_LOCK (self);
    self->show = show;
    self->loops = settings.loops;
    GST_OBJECT_UNLOCK (self);
    reset_stream (self);
    post_notes (self);
  } else {
    cine_stack_free (&show.stack);
    post_problem (self, &error);
  }
  settings_clear (&settings);
  return fine;
}

static void
gst_cmr_cine_src_close (GstCmrCineSrc *self)
{
  GST_OBJECT_LOCK (self);
  cine_stack_free (&self->show.stack);
  GST_OBJECT_UNLOCK (self);
}

static GstStateChangeReturn
gst_cmr_cine_src_change_state (GstElement *element, GstStateChange transition)
{
  GstCmrCineSrc *self = GST_CMR_CINE_SRC (element);
  GstStateChangeReturn result;

  if (transition == GST_STATE_CHANGE_READY_TO_PAUSED
      && !gst_cmr_cine_src_open (self))
    return GST_STATE_CHANGE_FAILURE;
  if (transition == GST_STATE_CHANGE_PAUSED_TO_READY)
    gst_task_stop (self->task);

  result = GST_ELEMENT_CLASS (gst_cmr_cine_src_parent_class)
               ->change_state (element, transition);

  if (transition == GST_STATE_CHANGE_READY_TO_PAUSED) {
    if (result == GST_STATE_CHANGE_FAILURE)
      gst_cmr_cine_src_close (self);
    else
      gst_task_start (self->task);
  }
  if (transition == GST_STATE_CHANGE_PAUSED_TO_READY) {
    /* Pads are inactive by now, so no push waits. */
    gst_task_join (self->task);
    gst_cmr_cine_src_close (self);
  }
  return result;
}

/* --- streaming thread --- */

/* Start of a picture, counted over all loops. */
static GstClockTime
get_time (const GstCmrCineSrc *self, guint64 picture)
{
  guint phases = self->show.stack->phases;

  return picture / phases * cine_show_cycle (&self->show)
         + cine_show_time (&self->show, picture % phases);
}

/* The picture that is shown at a time. */
static guint64
find_picture (const GstCmrCineSrc *self, GstClockTime time)
{
  guint phases = self->show.stack->phases;
  guint64 picture = time / cine_show_cycle (&self->show) * phases;

  while (get_time (self, picture + 1) <= time)
    picture++;
  return picture;
}

static GstPad *
ref_pad (GstCmrCineSrc *self, guint kind)
{
  GstPad *pad;

  GST_OBJECT_LOCK (self);
  pad = self->streams[kind].pad;
  if (pad)
    gst_object_ref (pad);
  GST_OBJECT_UNLOCK (self);
  return pad;
}

static void
push_stream_start (GstCmrCineSrc *self, guint kind, GstPad *pad)
{
  gchar *id =
      gst_pad_create_stream_id (pad, GST_ELEMENT (self), pad_names[kind]);
  GstEvent *event = gst_event_new_stream_start (id);

  gst_event_set_group_id (event, self->group_id);
  gst_pad_push_event (pad, event);
  g_free (id);
}

/* The best of our formats that downstream takes. */
static gboolean
negotiate (GstCmrCineSrc *self, guint kind, GstPad *pad)
{
  GstCaps *ours = cine_show_caps (&self->show, kind);
  GstCaps *theirs = gst_pad_peer_query_caps (pad, NULL);
  GstCaps *both =
      gst_caps_intersect_full (ours, theirs, GST_CAPS_INTERSECT_FIRST);
  gboolean fine = !gst_caps_is_empty (both);

  gst_caps_unref (ours);
  gst_caps_unref (theirs);
  both = fine ? gst_caps_fixate (both) : both;
  fine = fine && gst_video_info_from_caps (&self->streams[kind].info, both);
  if (fine)
    fine = gst_pad_push_event (pad, gst_event_new_caps (both))
           || !gst_pad_is_linked (pad);
  gst_caps_unref (both);
  return fine;
}

/* What precedes buffers on a pad. */
static GstFlowReturn
prepare (GstCmrCineSrc *self, guint kind, GstPad *pad)
{
  Stream *stream = &self->streams[kind];
  gboolean renegotiate = gst_pad_check_reconfigure (pad);

  if (!stream->started) {
    push_stream_start (self, kind, pad);
    renegotiate = TRUE;
  }
  if (renegotiate && !negotiate (self, kind, pad))
    return GST_PAD_IS_FLUSHING (pad) ? GST_FLOW_FLUSHING
                                     : GST_FLOW_NOT_NEGOTIATED;
  stream->started = TRUE;
  if (self->need_segment[kind]) {
    GstEvent *event = gst_event_new_segment (&self->segment);

    gst_event_set_seqnum (event, self->seqnum);
    self->need_segment[kind] = FALSE;
    gst_pad_push_event (pad, event);
  }
  if (!stream->tagged) {
    stream->tagged = TRUE;
    gst_pad_push_event (
        pad, gst_event_new_tag (cine_show_tags (&self->show, kind)));
  }
  return GST_FLOW_OK;
}

static GstFlowReturn
push_picture (GstCmrCineSrc *self, guint kind, GstPad *pad, guint64 picture,
    gboolean discont)
{
  guint phases = self->show.stack->phases;
  GstFlowReturn flow = prepare (self, kind, pad);
  GstBuffer *buffer;

  if (flow != GST_FLOW_OK)
    return flow;
  buffer = cine_show_buffer (&self->show, kind, &self->streams[kind].info,
      picture % phases, picture / phases);
  if (!buffer)
    return GST_FLOW_ERROR;
  GST_BUFFER_PTS (buffer) = get_time (self, picture);
  GST_BUFFER_DURATION (buffer) =
      get_time (self, picture + 1) - GST_BUFFER_PTS (buffer);
  GST_BUFFER_OFFSET (buffer) = picture;
  GST_BUFFER_OFFSET_END (buffer) = picture + 1;
  if (discont)
    GST_BUFFER_FLAG_SET (buffer, GST_BUFFER_FLAG_DISCONT);
  return gst_pad_push (pad, buffer);
}

static void
push_to_all (GstCmrCineSrc *self, GstEvent *event)
{
  for (guint kind = 0; kind < CINE_SHOWS; kind++) {
    GstPad *pad = ref_pad (self, kind);

    if (!pad)
      continue;
    gst_pad_push_event (pad, gst_event_ref (event));
    gst_object_unref (pad);
  }
  gst_event_unref (event);
}

/* One phase to every pad. */
static GstFlowReturn
push_phase (GstCmrCineSrc *self)
{
  GstFlowReturn all = GST_FLOW_NOT_LINKED;
  gboolean discont;

  for (guint kind = 0; kind < CINE_SHOWS; kind++) {
    GstPad *pad = ref_pad (self, kind);
    GstFlowReturn flow;

    if (!pad)
      continue;
    discont = self->need_segment[kind];
    flow = push_picture (self, kind, pad, self->next, discont);
    all = gst_flow_combiner_update_pad_flow (self->combiner, pad, flow);
    gst_object_unref (pad);
    if (all != GST_FLOW_OK && all != GST_FLOW_NOT_LINKED)
      break;
  }
  return all;
}

static void
finish (GstCmrCineSrc *self)
{
  GstEvent *event;

  /* A stream of no buffer still says what it is. */
  for (guint kind = 0; kind < CINE_SHOWS; kind++) {
    GstPad *pad = ref_pad (self, kind);

    if (pad && self->need_segment[kind])
      prepare (self, kind, pad);
    if (pad)
      gst_object_unref (pad);
  }
  if (self->segment.flags & GST_SEGMENT_FLAG_SEGMENT) {
    GstClockTime stop = GST_CLOCK_TIME_IS_VALID (self->segment.stop)
                            ? self->segment.stop
                            : self->segment.duration;
    GstMessage *message =
        gst_message_new_segment_done (GST_OBJECT (self), GST_FORMAT_TIME, stop);

    gst_message_set_seqnum (message, self->seqnum);
    gst_element_post_message (GST_ELEMENT (self), message);
    event = gst_event_new_segment_done (GST_FORMAT_TIME, stop);
  } else {
    event = gst_event_new_eos ();
  }
  gst_event_set_seqnum (event, self->seqnum);
  push_to_all (self, event);
}

static void
stop_for (GstCmrCineSrc *self, GstFlowReturn flow)
{
  GstEvent *event;

  gst_task_pause (self->task);
  if (flow == GST_FLOW_EOS) {
    finish (self);
    return;
  }
  if (flow == GST_FLOW_FLUSHING)
    return;
  if (flow == GST_FLOW_NOT_LINKED)
    GST_ELEMENT_ERROR (self, STREAM, FAILED,
        ("cmrcinesrc has no linked pad; link basal, mid, apical or review"),
        (NULL));
  else if (flow == GST_FLOW_NOT_NEGOTIATED)
    GST_ELEMENT_ERROR (self, STREAM, FORMAT,
        ("what follows cmrcinesrc takes none of its formats; slices are "
         "GRAY16_LE or GRAY8, review is GRAY8: put videoconvert behind it"),
        (NULL));
  else
    GST_ELEMENT_FLOW_ERROR (self, flow);
  event = gst_event_new_eos ();
  gst_event_set_seqnum (event, self->seqnum);
  push_to_all (self, event);
}

static void
gst_cmr_cine_src_loop (gpointer data)
{
  GstCmrCineSrc *self = data;
  guint64 all = (guint64) self->loops * self->show.stack->phases;
  GstClockTime time = get_time (self, self->next);
  GstFlowReturn flow = GST_FLOW_EOS;

  if ((all == 0 || self->next < all)
      && (!GST_CLOCK_TIME_IS_VALID (self->segment.stop)
          || time < self->segment.stop))
    flow = push_phase (self);
  if (flow == GST_FLOW_OK) {
    self->next++;
    GST_OBJECT_LOCK (self);
    self->position = time;
    GST_OBJECT_UNLOCK (self);
  } else {
    GST_DEBUG_OBJECT (self, "stops: %s", gst_flow_get_name (flow));
    stop_for (self, flow);
  }
}

/* --- seeks and queries --- */

static gboolean
take_seek (GstCmrCineSrc *self, guint32 seqnum)
{
  gboolean is_new;

  GST_OBJECT_LOCK (self);
  is_new = self->last_seek != seqnum;
  self->last_seek = seqnum;
  GST_OBJECT_UNLOCK (self);
  return is_new;
}

static void
apply_seek (GstCmrCineSrc *self, const GstSegment *segment, guint32 seqnum)
{
  self->segment = *segment;
  self->seqnum = seqnum;
  self->next = find_picture (self, segment->position);
  gst_flow_combiner_reset (self->combiner);
  for (guint kind = 0; kind < CINE_SHOWS; kind++)
    self->need_segment[kind] = TRUE;
}

/* A bin sends the same seek through each of its sinks: the first one counts. */
static gboolean
seek (GstCmrCineSrc *self, GstEvent *event)
{
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
  if (format != GST_FORMAT_TIME || rate <= 0 || !self->show.stack)
    return FALSE;
  if (!take_seek (self, seqnum))
    return TRUE;
  if (flags & GST_SEEK_FLAG_FLUSH) {
    flush = gst_event_new_flush_start ();
    gst_event_set_seqnum (flush, seqnum);
    push_to_all (self, flush);
  }
  gst_task_pause (self->task);
  g_rec_mutex_lock (&self->task_lock);
  segment = self->segment;
  fine = gst_segment_do_seek (
      &segment, rate, format, flags, start_type, start, stop_type, stop, NULL);
  if (flags & GST_SEEK_FLAG_FLUSH) {
    flush = gst_event_new_flush_stop (TRUE);
    gst_event_set_seqnum (flush, seqnum);
    push_to_all (self, flush);
  }
  if (fine)
    apply_seek (self, &segment, seqnum);
  gst_task_start (self->task);
  g_rec_mutex_unlock (&self->task_lock);
  return fine;
}

static gboolean
gst_cmr_cine_src_event (GstPad *pad, GstObject *parent, GstEvent *event)
{
  GstCmrCineSrc *self = GST_CMR_CINE_SRC (parent);
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
answer_duration (GstCmrCineSrc *self, GstQuery *query)
{
  GstFormat format;

  gst_query_parse_duration (query, &format, NULL);
  if (format != GST_FORMAT_TIME || !self->show.stack || self->loops == 0)
    return FALSE;
  gst_query_set_duration (
      query, format, self->loops * cine_show_cycle (&self->show));
  return TRUE;
}

static gboolean
answer_seeking (GstCmrCineSrc *self, GstQuery *query)
{
  GstFormat format;
  gint64 end = -1;

  gst_query_parse_seeking (query, &format, NULL, NULL, NULL);
  if (self->show.stack && self->loops > 0)
    end = self->loops * cine_show_cycle (&self->show);
  gst_query_set_seeking (query, format, format == GST_FORMAT_TIME, 0, end);
  return TRUE;
}

static gboolean
gst_cmr_cine_src_query (GstPad *pad, GstObject *parent, GstQuery *query)
{
  GstCmrCineSrc *self = GST_CMR_CINE_SRC (parent);
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
      if (format == GST_FORMAT_TIME && self->position != GST_CLOCK_TIME_NONE) {
        gst_query_set_position (query, format, self->position);
        known = TRUE;
      }
      GST_OBJECT_UNLOCK (self);
      return known;
    case GST_QUERY_LATENCY:
      gst_query_set_latency (query, FALSE, 0, GST_CLOCK_TIME_NONE);
      return TRUE;
    default:
      return gst_pad_query_default (pad, parent, query);
  }
}
