/* SPDX-License-Identifier: LGPL-2.1-or-later */

/**
 * SECTION:element-cmrtestsrc
 * @title: cmrtestsrc
 * @short_description: a cine-MR phantom with known wall motion
 *
 * Plays short-axis slices of a beating heart that is drawn, not scanned, in the
 * habit of videotestsrc. Pads, buffers and their #GstCardiacSliceMeta are those
 * of cmrcinesrc; the landmarks are the truth, and each buffer also carries a
 * #GstCardiacCmrTruthMeta with the scores of the 16 segments.
 *
 * Without #GstCmrTestSrc:phantom-seed it is a normal heart in a usual picture;
 * with it anatomy, motion, resolution, noise and scores are drawn by chance.
 * #GstCmrTestSrc:scores sets the motion of segments by hand. The phases loop for
 * ever with loops=0.
 *
 * No patient is shown: weights trained on this are synthetic.
 *
 * ## Example launch lines
 * |[
 * gst-launch-1.0 cmrtestsrc is-live=true loops=0 scores=1,1,3,3,1,1,1,1,3,3,1,1,1,4,3,1 name=c c.review ! videoconvert ! autovideosink
 * ]| Shows a heart whose septum and inferior wall hardly move, until stopped.
 * |[
 * gst-launch-1.0 cmrtestsrc phantom-seed=7 truth-location=truth.json name=c c.mid ! video/x-raw,format=GRAY8 ! pngenc ! multifilesink location=mid-%02d.png
 * ]| Writes the mid slice of a drawn subject as pictures, and what is true of it.
 */

#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include "gstcmrtestsrc.h"

#include <math.h>

#include "cmrtruth.h"
#include "meta/gstcardiaccmrtruthmeta.h"

GST_DEBUG_CATEGORY_STATIC (cmr_test_src_debug);
#define GST_CAT_DEFAULT cmr_test_src_debug

#define DEFAULT_IS_LIVE FALSE
#define DEFAULT_PHANTOM_SEED -1
#define DEFAULT_SCORES NULL
#define DEFAULT_PHASES 0
#define DEFAULT_NOISE -1.0
#define DEFAULT_ROTATION 0.0
#define DEFAULT_MIRROR FALSE
#define DEFAULT_TRUTH_LOCATION NULL

enum {
  PROP_0,
  PROP_IS_LIVE,
  PROP_PHANTOM_SEED,
  PROP_SCORES,
  PROP_PHASES,
  PROP_NOISE,
  PROP_ROTATION,
  PROP_MIRROR,
  PROP_TRUTH_LOCATION,
};

struct _GstCmrTestSrc {
  GstCinePlayer parent;

  /* what a person sets; under the object lock */
  gint64 seed;
  gchar *scores, *truth_location;
  guint phases;
  gdouble noise, rotation;
  gboolean mirror;

  /* from READY to PAUSED on, constant while pictures are pushed */
  CmrTruth truth;
  gdouble contraction[CMR_MAX_PHASES];
};

G_DEFINE_FINAL_TYPE (GstCmrTestSrc, gst_cmr_test_src, GST_TYPE_CINE_PLAYER);
GST_ELEMENT_REGISTER_DEFINE (
    cmrtestsrc, "cmrtestsrc", GST_RANK_NONE, GST_TYPE_CMR_TEST_SRC);

static void gst_cmr_test_src_finalize (GObject *object);
static void gst_cmr_test_src_set_property (
    GObject *object, guint id, const GValue *value, GParamSpec *pspec);
static void gst_cmr_test_src_get_property (
    GObject *object, guint id, GValue *value, GParamSpec *pspec);
static gboolean gst_cmr_test_src_load (
    GstCinePlayer *player, CineShow *show, CineError *error);
static void gst_cmr_test_src_decorate (
    GstCinePlayer *player, guint phase, GstBuffer *buffer);

static void
install_picture_properties (GObjectClass *klass, GParamFlags flags)
{
  /**
   * GstCmrTestSrc:phases:
   *
   * Pictures of a cycle; 0: as drawn, 20 or 25.
   */
  g_object_class_install_property (klass, PROP_PHASES,
      g_param_spec_uint ("phases", "Phases",
          "Pictures of a cycle, from 8 on; 0: as drawn, 20 or 25", 0,
          CMR_MAX_PHASES, DEFAULT_PHASES, flags));
  /**
   * GstCmrTestSrc:noise:
   *
   * Standard deviation of the noise where blood is 180; -1: as drawn.
   */
  g_object_class_install_property (klass, PROP_NOISE,
      g_param_spec_double ("noise", "Noise",
          "Standard deviation of the noise where blood is 180; -1: as drawn",
          -1, 60, DEFAULT_NOISE, flags));
  /**
   * GstCmrTestSrc:rotation:
   *
   * Turns the patient in the picture, degrees clockwise, on top of what is
   * drawn.
   */
  g_object_class_install_property (klass, PROP_ROTATION,
      g_param_spec_double ("rotation", "Rotation",
          "Turns the patient in the picture, degrees clockwise", -180, 180,
          DEFAULT_ROTATION, flags));
  /**
   * GstCmrTestSrc:mirror:
   *
   * Exchanges left and right, as a wrongly stored stack does.
   */
  g_object_class_install_property (klass, PROP_MIRROR,
      g_param_spec_boolean ("mirror", "Mirror",
          "Exchanges left and right, as a wrongly stored stack does",
          DEFAULT_MIRROR, flags));
}

static void
install_properties (GObjectClass *klass)
{
  const GParamFlags flags =
      G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS | GST_PARAM_MUTABLE_READY;

  /**
   * GstCmrTestSrc:is-live:
   *
   * Whether pictures come at their time.
   */
  g_object_class_install_property (klass, PROP_IS_LIVE,
      g_param_spec_boolean ("is-live", "Is live", "Pictures come at their time",
          DEFAULT_IS_LIVE, flags));
  /**
   * GstCmrTestSrc:phantom-seed:
   *
   * Draws a subject by chance; -1: a normal heart.
   */
  g_object_class_install_property (klass, PROP_PHANTOM_SEED,
      g_param_spec_int64 ("phantom-seed", "Phantom seed",
          "Draws a subject by chance; -1: a normal heart", -1, G_MAXINT64,
          DEFAULT_PHANTOM_SEED, flags));
  /**
   * GstCmrTestSrc:scores:
   *
   * Scores of the 16 segments, "1,1,2,...": 1 normal, 2 hypokinetic, 3 akinetic,
   * 4 dyskinetic, each with its usual motion; empty: as drawn.
   */
  g_object_class_install_property (klass, PROP_SCORES,
      g_param_spec_string ("scores", "Scores",
          "Scores of the 16 segments, \"1,1,2,...\", each 1 to 4; empty: as "
          "drawn",
          DEFAULT_SCORES, flags));
  /**
   * GstCmrTestSrc:truth-location:
   *
   * File that receives scores, motion and landmarks as JSON; cmrcinesrc reads it
   * as a landmarks file.
   */
  g_object_class_install_property (klass, PROP_TRUTH_LOCATION,
      g_param_spec_string ("truth-location", "Truth location",
          "File that receives scores, motion and landmarks as JSON",
          DEFAULT_TRUTH_LOCATION, flags));
  install_picture_properties (klass, flags);
}

static void
gst_cmr_test_src_class_init (GstCmrTestSrcClass *klass)
{
  GstElementClass *element_class = GST_ELEMENT_CLASS (klass);
  GstCinePlayerClass *player_class = GST_CINE_PLAYER_CLASS (klass);
  GObjectClass *object_class = G_OBJECT_CLASS (klass);

  GST_DEBUG_CATEGORY_INIT (
      cmr_test_src_debug, "cmrtestsrc", 0, "cine-MR phantom");
  object_class->finalize = gst_cmr_test_src_finalize;
  object_class->set_property = gst_cmr_test_src_set_property;
  object_class->get_property = gst_cmr_test_src_get_property;
  install_properties (object_class);

  player_class->load = gst_cmr_test_src_load;
  player_class->decorate = gst_cmr_test_src_decorate;
  gst_element_class_set_static_metadata (element_class, "Cine MR test source",
      "Source/Video",
      "Draws a short-axis cine-MR phantom with known wall motion; no patient",
      "gst-cardiac");
}

static void
gst_cmr_test_src_init (GstCmrTestSrc *self)
{
  self->seed = DEFAULT_PHANTOM_SEED;
  self->phases = DEFAULT_PHASES;
  self->noise = DEFAULT_NOISE;
  self->rotation = DEFAULT_ROTATION;
  self->mirror = DEFAULT_MIRROR;
}

static void
gst_cmr_test_src_finalize (GObject *object)
{
  GstCmrTestSrc *self = GST_CMR_TEST_SRC (object);

  g_free (self->scores);
  g_free (self->truth_location);
  G_OBJECT_CLASS (gst_cmr_test_src_parent_class)->finalize (object);
}

static void
gst_cmr_test_src_set_property (
    GObject *object, guint id, const GValue *value, GParamSpec *pspec)
{
  GstCmrTestSrc *self = GST_CMR_TEST_SRC (object);

  if (id == PROP_IS_LIVE) {
    gst_cine_player_set_live (
        GST_CINE_PLAYER (self), g_value_get_boolean (value));
    return;
  }
  GST_OBJECT_LOCK (self);
  switch (id) {
    case PROP_PHANTOM_SEED:
      self->seed = g_value_get_int64 (value);
      break;
    case PROP_SCORES:
      g_free (self->scores);
      self->scores = g_value_dup_string (value);
      break;
    case PROP_PHASES:
      self->phases = g_value_get_uint (value);
      break;
    case PROP_NOISE:
      self->noise = g_value_get_double (value);
      break;
    case PROP_ROTATION:
      self->rotation = g_value_get_double (value);
      break;
    case PROP_MIRROR:
      self->mirror = g_value_get_boolean (value);
      break;
    case PROP_TRUTH_LOCATION:
      g_free (self->truth_location);
      self->truth_location = g_value_dup_string (value);
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
      break;
  }
  GST_OBJECT_UNLOCK (self);
}

static void
gst_cmr_test_src_get_property (
    GObject *object, guint id, GValue *value, GParamSpec *pspec)
{
  GstCmrTestSrc *self = GST_CMR_TEST_SRC (object);

  if (id == PROP_IS_LIVE) {
    g_value_set_boolean (
        value, gst_cine_player_is_live (GST_CINE_PLAYER (self)));
    return;
  }
  GST_OBJECT_LOCK (self);
  switch (id) {
    case PROP_PHANTOM_SEED:
      g_value_set_int64 (value, self->seed);
      break;
    case PROP_SCORES:
      g_value_set_string (value, self->scores);
      break;
    case PROP_PHASES:
      g_value_set_uint (value, self->phases);
      break;
    case PROP_NOISE:
      g_value_set_double (value, self->noise);
      break;
    case PROP_ROTATION:
      g_value_set_double (value, self->rotation);
      break;
    case PROP_MIRROR:
      g_value_set_boolean (value, self->mirror);
      break;
    case PROP_TRUTH_LOCATION:
      g_value_set_string (value, self->truth_location);
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
      break;
  }
  GST_OBJECT_UNLOCK (self);
}

/* --- from READY to PAUSED --- */

static gboolean
apply_scores (CmrSettings *settings, const gchar *text, CineError *error)
{
  gchar **parts = g_strsplit (text, ",", -1);
  gboolean fine = g_strv_length (parts) == CMR_SEGMENTS;

  for (gint k = 0; fine && k < CMR_SEGMENTS; k++) {
    gint64 score;

    fine = g_ascii_string_to_signed (
        g_strstrip (parts[k]), 10, CMR_NORMAL, CMR_DYSKINETIC, &score, NULL);
    if (fine)
      cmr_settings_score (settings, k, (gint) score);
  }
  g_strfreev (parts);
  return fine
         || cine_fail (error, CINE_BAD_SETTING,
             "scores is '%s'; expected 16 numbers from 1 to 4 with commas "
             "between them",
             text);
}

/* Settings, and the name of the side file, which is to be freed. */
static gboolean
resolve (GstCmrTestSrc *self, CmrSettings *settings, gchar **location,
    CineError *error)
{
  gboolean fine = TRUE;

  GST_OBJECT_LOCK (self);
  if (self->seed < 0)
    cmr_settings_default (settings);
  else
    cmr_settings_draw (settings, (guint64) self->seed);
  if (self->phases > 0)
    settings->phases = MAX (CMR_MIN_PHASES, (gint) self->phases);
  if (self->noise >= 0)
    settings->noise = self->noise;
  settings->rotation += self->rotation * G_PI / 180;
  settings->mirror = self->mirror;
  if (self->scores && *self->scores)
    fine = apply_scores (settings, self->scores, error);
  *location = fine && self->truth_location && *self->truth_location
                  ? g_strdup (self->truth_location)
                  : NULL;
  GST_OBJECT_UNLOCK (self);
  return fine;
}

static gboolean
write_truth (const CmrPhantom *phantom, const gchar *path, CineError *error)
{
  GError *problem = NULL;
  gboolean fine = cmr_truth_write (phantom, path, &problem);

  if (!fine)
    cine_fail (error, CINE_BAD_SETTING,
        "truth-location '%s' cannot be written: %s; name a file in a folder "
        "that exists and can be written to",
        path, problem->message);
  g_clear_error (&problem);
  return fine;
}

static gboolean
gst_cmr_test_src_load (GstCinePlayer *player, CineShow *show, CineError *error)
{
  GstCmrTestSrc *self = GST_CMR_TEST_SRC (player);
  gchar *location = NULL;
  CmrPhantom *phantom;
  CmrSettings settings;
  gboolean fine;

  if (!resolve (self, &settings, &location, error))
    return FALSE;
  phantom = cmr_phantom_new (&settings);
  if (phantom)
    fine = cmr_truth_show (phantom, show, error)
           && (!location || write_truth (phantom, location, error));
  else
    fine = cine_fail (
        error, CINE_NO_MEMORY, "the phantom does not fit into memory");
  if (fine) {
    cmr_phantom_truth (phantom, &self->truth);
    for (gint p = 0; p < show->stack->phases; p++)
      self->contraction[p] = cmr_phantom_contraction (phantom, p);
  }
  cmr_phantom_free (&phantom);
  g_free (location);
  return fine;
}

/* --- streaming thread --- */

static void
gst_cmr_test_src_decorate (
    GstCinePlayer *player, guint phase, GstBuffer *buffer)
{
  GstCmrTestSrc *self = GST_CMR_TEST_SRC (player);
  GstCardiacCmrTruthMeta *meta = gst_buffer_add_cardiac_cmr_truth_meta (buffer);

  for (gint k = 0; k < CMR_SEGMENTS; k++) {
    meta->scores[k] = self->truth.score[k];
    meta->excursion[k] = self->truth.excursion[k];
    meta->thickening[k] = self->truth.thickening[k];
  }
  meta->index = self->truth.index;
  meta->contraction = self->contraction[phase];
}
