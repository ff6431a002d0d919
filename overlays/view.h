/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CARDIAC_OVERLAYS_VIEW_H
#define CARDIAC_OVERLAYS_VIEW_H

#include "piece.h"

enum { VIEW_STRINGS = 8 + CARDIAC_OVERLAY_MAX_CLASSES };

/// A view whose every field is in range and whose strings Pango can take.
typedef struct View {
  CardiacMRegView v;           ///< curve, map and no_draw still borrowed
  bool has_finding;            ///< grade, value, curve and map may be drawn
  bool has_scale;              ///< thresholds are finite and ascending
  double low, high;            ///< ends of the scale, in units of the value
  int neighbour;               ///< UNSURE: the lower neighbour
  char *strings[VIEW_STRINGS]; ///< owned
  int n_strings;
} View;

/// False when the picture's size is out of range. Freed with view_clear()
/// in any case.
bool view_read (View *view, const CardiacMRegView *given);
/// As above, but leaves the finding to the caller: `has_finding` is false and
/// RESULT stays RESULT.
bool view_read_frame (View *view, const CardiacMRegView *given);
void view_clear (View *view);

/// Adds everything but positions, age and what lies on the picture.
void view_key (const View *view, Key *key);
/// The part of it that is about model and device.
void view_key_model (const CardiacMRegView *v, Key *key);

bool picture_size_is_valid (int width, int height);

#endif
