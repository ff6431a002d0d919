/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef OVERLAY_SETTINGS_H
#define OVERLAY_SETTINGS_H

#include <mmsa-overlay.h>

#include "gstcardiacenums.h"

/* Properties of cardiacoverlay: what they are, and their values. Callers lock.
 */

typedef struct {
  GstCardiacLayout layout;
  GstCardiacContent content;
  gboolean enabled, hide_marks, withhold_grade, draw_roi, draw_motion;
  GstCardiacMapStyle map;
  gdouble fill_alpha, rv_anterior_angle;
  gint min_scored;
  guint n_no_draw;
  CardiacOverlayBox no_draw[CARDIAC_OVERLAY_MAX_NO_DRAW];
  gchar *no_draw_text, *nyquist, *note;
  gchar *palette, *bullseye_png, *bullseye_svg; ///< locations, or %NULL
} OverlaySettings;

void overlay_settings_install (GObjectClass *klass);
void overlay_settings_init (OverlaySettings *settings);
void overlay_settings_clear (OverlaySettings *settings);
/** A copy with strings of its own; clear it. */
void overlay_settings_copy (
    OverlaySettings *copy, const OverlaySettings *settings);

/** Sets what the property says, or warns and leaves it. */
void overlay_settings_set (OverlaySettings *settings, GObject *object, guint id,
    const GValue *value, GParamSpec *pspec);
void overlay_settings_get (const OverlaySettings *settings, GObject *object,
    guint id, GValue *value, GParamSpec *pspec);

#endif
