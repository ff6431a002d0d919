/* SPDX-License-Identifier: LGPL-2.1-or-later */

#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include "mregsettings.h"

#define DEFAULT_CLIP_DURATION GST_SECOND
#define DEFAULT_CLIP_STRIDE 0
#define DEFAULT_UNSURE_BAND 0.1
#define DEFAULT_STALE_TIME (3 * GST_SECOND)
#define DEFAULT_ERASE_TIME (10 * GST_SECOND)
#define DEFAULT_HEATMAP GST_CARDIAC_HEATMAP_ACTIVATION
#define DEFAULT_INTERIM TRUE
#define DEFAULT_LOCATION NULL

static void
install_sampling_properties (GObjectClass *klass, guint first)
{
  const GParamFlags flags = G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS;

  /**
   * GstMregClassify:clip-duration:
   *
   * Length of a clip in nanoseconds; at least one heart beat: where a tag tells
   * the heart rate, a clip that is shorter grows to a beat. Where it holds
   * fewer than 16 different frames, the clip grows to 16 frame periods.
   */
  g_object_class_install_property (klass, first + MREG_CLIP_DURATION,
      g_param_spec_uint64 ("clip-duration", "Clip duration",
          "Length of a clip in ns; at least one heart beat", 100 * GST_MSECOND,
          60 * GST_SECOND, DEFAULT_CLIP_DURATION,
          flags | GST_PARAM_MUTABLE_READY));
  /**
   * GstMregClassify:clip-stride:
   *
   * Time from the start of a clip to the start of the next one while a window
   * slides over the video. Clips never overlap.
   */
  g_object_class_install_property (klass, first + MREG_CLIP_STRIDE,
      g_param_spec_uint64 ("clip-stride", "Clip stride",
          "Time in ns from clip to clip in live use; 0, or less than "
          "clip-duration: clip-duration",
          0, 3600 * GST_SECOND, DEFAULT_CLIP_STRIDE,
          flags | GST_PARAM_MUTABLE_READY));
}

static void
install_result_properties (GObjectClass *klass, guint first)
{
  const GParamFlags flags = G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS;

  /**
   * GstMregClassify:unsure-band:
   *
   * A value as near as this to the border of two grades is UNSURE.
   */
  g_object_class_install_property (klass, first + MREG_UNSURE_BAND,
      g_param_spec_double ("unsure-band", "Unsure band",
          "Distance of the value to a border of grades that is UNSURE", 0, 10,
          DEFAULT_UNSURE_BAND,
          flags | GST_PARAM_MUTABLE_PLAYING | GST_PARAM_CONTROLLABLE));
  /**
   * GstMregClassify:stale-time:
   *
   * Age in nanoseconds from which a result is STALE and no grade is shown.
   */
  g_object_class_install_property (klass, first + MREG_STALE_TIME,
      g_param_spec_uint64 ("stale-time", "Stale time",
          "Age in ns from which a result is no longer shown as current", 0,
          G_MAXINT64, DEFAULT_STALE_TIME, flags | GST_PARAM_MUTABLE_PLAYING));
  /**
   * GstMregClassify:erase-time:
   *
   * Age in nanoseconds from which a result is forgotten.
   */
  g_object_class_install_property (klass, first + MREG_ERASE_TIME,
      g_param_spec_uint64 ("erase-time", "Erase time",
          "Age in ns from which a result is forgotten", 0, G_MAXINT64,
          DEFAULT_ERASE_TIME, flags | GST_PARAM_MUTABLE_PLAYING));
  /**
   * GstMregClassify:heatmap:
   *
   * Which map of the network's activation results carry.
   */
  g_object_class_install_property (klass, first + MREG_HEATMAP,
      g_param_spec_enum ("heatmap", "Heatmap",
          "Map of the network's activation", GST_TYPE_CARDIAC_HEATMAP,
          DEFAULT_HEATMAP, flags | GST_PARAM_MUTABLE_PLAYING));
  /**
   * GstMregClassify:interim:
   *
   * Whether a file is graded while it runs, too, and not only at its end.
   */
  g_object_class_install_property (klass, first + MREG_INTERIM,
      g_param_spec_boolean ("interim", "Interim results",
          "In exact mode, grade while the recording runs and not only at its "
          "end",
          DEFAULT_INTERIM, flags | GST_PARAM_MUTABLE_READY));
}

static void
install_file_properties (GObjectClass *klass, guint first)
{
  const GParamFlags flags =
      G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS | GST_PARAM_MUTABLE_READY;

  /**
   * GstMregClassify:results:
   *
   * JSON lines of an earlier pass. The last result is attached to every frame;
   * no network runs.
   */
  g_object_class_install_property (klass, first + MREG_RESULTS,
      g_param_spec_string ("results", "Results",
          "JSON lines of a first pass, whose last result every frame gets; no "
          "network runs",
          DEFAULT_LOCATION, flags));
  /**
   * GstMregClassify:results-location:
   *
   * File that receives one JSON object a line for each record.
   */
  g_object_class_install_property (klass, first + MREG_RESULTS_LOCATION,
      g_param_spec_string ("results-location", "Results location",
          "File that receives one JSON object a line", DEFAULT_LOCATION,
          flags));
  /**
   * GstMregClassify:maps-location:
   *
   * File that receives the maps of the final result, for a second pass. With
   * #GstMregClassify:results, the file that they are read from.
   */
  g_object_class_install_property (klass, first + MREG_MAPS_LOCATION,
      g_param_spec_string ("maps-location", "Maps location",
          "File for the maps of the final result; read when \"results\" is "
          "set",
          DEFAULT_LOCATION, flags));
}

void
mreg_settings_install (GObjectClass *klass, guint first)
{
  install_sampling_properties (klass, first);
  install_result_properties (klass, first);
  install_file_properties (klass, first);
}

void
mreg_settings_init (MregSettings *settings)
{
  const MregTuning tuning = {
    .clip_duration = DEFAULT_CLIP_DURATION,
    .clip_stride = DEFAULT_CLIP_STRIDE,
    .stale_time = DEFAULT_STALE_TIME,
    .erase_time = DEFAULT_ERASE_TIME,
    .unsure_band = DEFAULT_UNSURE_BAND,
    .heatmap = DEFAULT_HEATMAP,
    .interim = DEFAULT_INTERIM,
  };

  settings->tuning = tuning;
  settings->results = g_strdup (DEFAULT_LOCATION);
  settings->results_location = g_strdup (DEFAULT_LOCATION);
  settings->maps_location = g_strdup (DEFAULT_LOCATION);
}

void
mreg_settings_clear (MregSettings *settings)
{
  g_clear_pointer (&settings->results, g_free);
  g_clear_pointer (&settings->results_location, g_free);
  g_clear_pointer (&settings->maps_location, g_free);
}

static void
set_string (gchar **string, const GValue *value)
{
  g_free (*string);
  *string = g_value_dup_string (value);
}

void
mreg_settings_set (MregSettings *settings, guint property, const GValue *value)
{
  MregTuning *tuning = &settings->tuning;

  switch (property) {
    case MREG_CLIP_DURATION:
      tuning->clip_duration = g_value_get_uint64 (value);
      break;
    case MREG_CLIP_STRIDE:
      tuning->clip_stride = g_value_get_uint64 (value);
      break;
    case MREG_UNSURE_BAND:
      tuning->unsure_band = g_value_get_double (value);
      break;
    case MREG_STALE_TIME:
      tuning->stale_time = g_value_get_uint64 (value);
      break;
    case MREG_ERASE_TIME:
      tuning->erase_time = g_value_get_uint64 (value);
      break;
    case MREG_HEATMAP:
      tuning->heatmap = g_value_get_enum (value);
      break;
    case MREG_INTERIM:
      tuning->interim = g_value_get_boolean (value);
      break;
    case MREG_RESULTS:
      set_string (&settings->results, value);
      break;
    case MREG_RESULTS_LOCATION:
      set_string (&settings->results_location, value);
      break;
    case MREG_MAPS_LOCATION:
      set_string (&settings->maps_location, value);
      break;
    default:
      g_assert_not_reached ();
  }
}

void
mreg_settings_get (const MregSettings *settings, guint property, GValue *value)
{
  const MregTuning *tuning = &settings->tuning;

  switch (property) {
    case MREG_CLIP_DURATION:
      g_value_set_uint64 (value, tuning->clip_duration);
      break;
    case MREG_CLIP_STRIDE:
      g_value_set_uint64 (value, tuning->clip_stride);
      break;
    case MREG_UNSURE_BAND:
      g_value_set_double (value, tuning->unsure_band);
      break;
    case MREG_STALE_TIME:
      g_value_set_uint64 (value, tuning->stale_time);
      break;
    case MREG_ERASE_TIME:
      g_value_set_uint64 (value, tuning->erase_time);
      break;
    case MREG_HEATMAP:
      g_value_set_enum (value, tuning->heatmap);
      break;
    case MREG_INTERIM:
      g_value_set_boolean (value, tuning->interim);
      break;
    case MREG_RESULTS:
      g_value_set_string (value, settings->results);
      break;
    case MREG_RESULTS_LOCATION:
      g_value_set_string (value, settings->results_location);
      break;
    case MREG_MAPS_LOCATION:
      g_value_set_string (value, settings->maps_location);
      break;
    default:
      g_assert_not_reached ();
  }
}
