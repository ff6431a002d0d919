/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MREG_SETTINGS_H
#define MREG_SETTINGS_H

#include <gst/gst.h>

#include "gstcardiacenums.h"

/* Properties of mregclassify that say how clips are sampled and judged, and where
 * results go: what they are, and their values. Callers lock. */

/** Properties, in the order of their numbers in the element. */
enum {
  MREG_CLIP_DURATION,
  MREG_CLIP_STRIDE,
  MREG_UNSURE_BAND,
  MREG_STALE_TIME,
  MREG_ERASE_TIME,
  MREG_HEATMAP,
  MREG_INTERIM,
  MREG_RESULTS,
  MREG_RESULTS_LOCATION,
  MREG_MAPS_LOCATION,
  MREG_SETTINGS,
};

typedef struct {
  GstClockTime clip_duration, clip_stride, stale_time, erase_time;
  gdouble unsure_band;
  GstCardiacHeatmap heatmap;
  gboolean interim;
} MregTuning;

typedef struct {
  MregTuning tuning;
  gchar *results, *results_location, *maps_location;
} MregSettings;

/** Installs them under the numbers from @first on. */
void mreg_settings_install (GObjectClass *klass, guint first);
void mreg_settings_init (MregSettings *settings);
void mreg_settings_clear (MregSettings *settings);
void mreg_settings_set (
    MregSettings *settings, guint property, const GValue *value);
void mreg_settings_get (
    const MregSettings *settings, guint property, GValue *value);

#endif
