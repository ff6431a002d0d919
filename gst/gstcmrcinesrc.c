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

#include <stdio.h>
#include <string.h>

GST_DEBUG_CATEGORY_STATIC (cmr_cine_src_debug);
#define GST_CAT_DEFAULT cmr_cine_src_debug

#define DEFAULT_LOCATION NULL
#define DEFAULT_LANDMARKS NULL
#define DEFAULT_SEGMENTATION NULL
#define DEFAULT_SEGMENTATION_LABELS NULL
#define DEFAULT_SLICE -1
#define DEFAULT_LEVEL_LANDMARKS NULL
#define DEFAULT_ESTIMATE_LANDMARKS TRUE

enum {
  PROP_0,
  PROP_LOCATION,
  PROP_LANDMARKS,
  PROP_SEGMENTATION,
  PROP_SEGMENTATION_LABELS,
  PROP_ESTIMATE_LANDMARKS,
  PROP_SLICE, /* of three levels */
  PROP_LEVEL_LANDMARKS = PROP_SLICE + CINE_LEVELS,
};

/* What a person sets; under the object lock. */
typedef struct {
  gchar *location, *landmarks, *segmentation, *segmentation_labels;
  gchar *level_landmarks[CINE_LEVELS];
  gint slice[CINE_LEVELS];
  gboolean estimate;
} Settings;

struct _GstCmrCineSrc {
  GstCinePlayer parent;

  Settings settings;
};

G_DEFINE_FINAL_TYPE (GstCmrCineSrc, gst_cmr_cine_src, GST_TYPE_CINE_PLAYER);
GST_ELEMENT_REGISTER_DEFINE (
    cmrcinesrc, "cmrcinesrc", GST_RANK_NONE, GST_TYPE_CMR_CINE_SRC);

static void gst_cmr_cine_src_finalize (GObject *object);
static void gst_cmr_cine_src_set_property (
    GObject *object, guint id, const GValue *value, GParamSpec *pspec);
static void gst_cmr_cine_src_get_property (
    GObject *object, guint id, GValue *value, GParamSpec *pspec);
static gboolean gst_cmr_cine_src_load (
    GstCinePlayer *player, CineShow *show, CineError *error);

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

  GST_CINE_PLAYER_CLASS (klass)->load = gst_cmr_cine_src_load;
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
  else
    G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
  GST_OBJECT_UNLOCK (object);
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
load (const Settings *settings, CineShow *show, CineError *error)
{
  CineLevelOptions options;

  if (!none_if_empty (settings->location))
    return cine_fail (error, CINE_NOT_FOUND,
        "cmrcinesrc has no location; set it to a directory of DICOM files or a "
        "4-D NIfTI file");
  if (!make_options (settings, &options, error))
    return FALSE;
  show->stack = cine_stack_load (settings->location, error);
  if (!show->stack)
    return FALSE;
  return cine_choose_levels (show->stack, &options, show->choice, error);
}

static gboolean
gst_cmr_cine_src_load (GstCinePlayer *player, CineShow *show, CineError *error)
{
  Settings settings = copy_settings (GST_CMR_CINE_SRC (player));
  gboolean fine = load (&settings, show, error);

  settings_clear (&settings);
  return fine;
}
