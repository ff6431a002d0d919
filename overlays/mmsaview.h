/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CARDIAC_OVERLAYS_MMSA_VIEW_H
#define CARDIAC_OVERLAYS_MMSA_VIEW_H

#include "aha.h"
#include "mmsa-overlay.h"
#include "view.h"

/// A view of wall motion whose every field is in range.
typedef struct MmsaView {
  CardiacMmsaView v; ///< motion and no_draw still borrowed; strings: `common`
  View common;       ///< what is said of any result: state, model, age
  const char *landmarks;
  bool has_finding; ///< scores, index and motion may be drawn
  CardiacMmsaPalette palette;
  int scored;                                         ///< segments with a score
  double index;                                       ///< NaN: not drawn
  AhaOrientation orientation[CARDIAC_OVERLAY_SLICES]; ///< has_landmarks only
  double septum_angle; ///< of the bull's-eye, degrees
  int shown;           ///< slices
} MmsaView;

/// False when the picture's size is out of range. Freed with
/// mmsa_view_clear() in any case.
bool mmsa_view_read (MmsaView *view, const CardiacMmsaView *given);
void mmsa_view_clear (MmsaView *view);

/// Adds all that panel and bull's-eye depend on, but no positions and no phase.
void mmsa_view_key (const MmsaView *view, Key *key);
/// Adds all that the marks of one slice depend on, but motion and phase.
void mmsa_slice_key (const MmsaView *view, int slice, Key *key);

/// Radial and angular motion of a segment in the phase that the slice shows;
/// NULL: none.
const float *mmsa_view_motion (const MmsaView *view, int slice, int segment);

#endif
