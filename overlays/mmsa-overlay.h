/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CARDIAC_MMSA_OVERLAY_H
#define CARDIAC_MMSA_OVERLAY_H

/* Draws one result of regional wall motion: a bull's-eye with its legend and
 * motion score index on a canvas that grows below or beside the picture, or
 * small in a corner of it; segment borders, numbered dots, RV insertions and
 * arrows of motion on the short-axis slices that the picture shows.
 *
 * Use, once a video frame, is that of mreg-overlay.h, whose overlay object,
 * rectangles and texts these are:
 *
 *   CardiacMmsaView view;
 *   cardiac_mmsa_view_init (&view);
 *   view.picture_width = 1200; ...            // what the metas say
 *   n = cardiac_overlay_draw_mmsa (overlay, &view, &rectangles);
 */

#include "mreg-overlay.h"

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

enum {
  CARDIAC_OVERLAY_SEGMENTS = 16, ///< AHA, without the apex
  CARDIAC_OVERLAY_SLICES = 3,    ///< basal, mid, apical
  CARDIAC_OVERLAY_SCORES = 4,    ///< normal, hypo-, a-, dyskinetic
  CARDIAC_OVERLAY_MAX_PHASES = 256,
  /// Scored segments without which no motion score index is drawn.
  CARDIAC_OVERLAY_DEFAULT_LEAST_SCORED = 12
};

/// Smallest CIEDE2000 between two scores' colours, as anybody sees them, that
/// a palette should have.
#define CARDIAC_OVERLAY_PALETTE_DISTANCE 20.0

/// Colours of the scores: straight sRGB, 0 .. 1.
typedef struct CardiacMmsaPalette {
  double rgb[CARDIAC_OVERLAY_SCORES + 1][3]; ///< [0]: not scored
} CardiacMmsaPalette;

/// Told apart with normal vision and without red, green or blue cones.
void cardiac_mmsa_palette_init (CardiacMmsaPalette *palette);

/// Reads a palette file (docs/overlay-mr.md): lines `1 = #D8F3DC` to
/// `4 = ...` and `unscored = ...` after `[wall-motion]`; `#` begins a comment.
/// @param palette set when true is returned, else left alone
/// @param message [size] one sentence when false is returned; cut to fit
bool cardiac_mmsa_palette_read (
    const char *path, CardiacMmsaPalette *palette, char *message, size_t size);

/// The two scores whose colours are hardest to tell apart, and for whom.
typedef struct CardiacMmsaPaletteWeakness {
  double distance;    ///< CIEDE2000
  int first, second;  ///< scores, 1 .. 4
  const char *vision; ///< "normal vision", "protanopia", ...
} CardiacMmsaPaletteWeakness;

CardiacMmsaPaletteWeakness cardiac_mmsa_palette_weakness (
    const CardiacMmsaPalette *palette);

/// A short-axis slice that the picture shows, in pixels of the picture; pixel
/// centres at whole numbers.
typedef struct CardiacMmsaSlice {
  bool shown;                  ///< default false: the picture has no such slice
  CardiacOverlayBox rectangle; ///< where it lies
  bool has_landmarks;          ///< default false: nothing is drawn on it
  double lv_centre[2];         ///< x (column), y (row)
  double rv_anterior[2], rv_inferior[2]; ///< RV insertions
  double crop_side; ///< of the square that became the polar picture; 0
                    ///< (default): 2.2 times the mean distance from centre to
                    ///< insertions, / 0.62
  int slice;        ///< number, 0 is the most basal one; -1 (default): unknown
  int phase;        ///< from 0; -1 (default): unknown
  int phases;       ///< of the cycle; 0 (default): unknown
} CardiacMmsaSlice;

/// Everything that is drawn. Pointers are borrowed for the length of a call.
/// Start from cardiac_mmsa_view_init().
typedef struct CardiacMmsaView {
  /* where */
  int picture_width, picture_height; ///< pixels, 64 .. 8192; required
  CardiacOverlayLayout layout;       ///< default INSIDE
  const CardiacOverlayBox *no_draw;  ///< places that the strip leaves free
  int n_no_draw;                     ///< 0 .. MAX_NO_DRAW; more are ignored
  CardiacMmsaSlice slices[CARDIAC_OVERLAY_SLICES]; ///< basal, mid, apical

  /* switches */
  bool enabled;         ///< default true; false: only the marking and the
                        ///< model's identity stay
  bool hide_marks;      ///< nothing is drawn on the slices. Default false
  bool withhold_scores; ///< reader scores first. Default false
  bool draw_motion;     ///< arrows. Default true

  /* state; scores are drawn in RESULT and UNSURE only */
  CardiacOverlayState state; ///< default WAIT
  const char *reason;        ///< a sentence; NULL: the state's usual one
  int wait_done, wait_total; ///< WAIT n/N, phases; total 0: not shown
  const char *state_time;    ///< "hh:mm:ss" in FROZEN; NULL: not shown

  /* the finding */
  uint8_t scores[CARDIAC_OVERLAY_SEGMENTS]; ///< 1 .. 4; else: not scored
  bool unsure[CARDIAC_OVERLAY_SEGMENTS];    ///< outlined. Default false
  bool withhold_index; ///< the record has none. Default false
  int least_scored;    ///< 1 .. 16: below it no index is drawn; default
                       ///< DEFAULT_LEAST_SCORED
  const float *motion; ///< [n_phases][16][2]: mean motion of a segment from
                       ///< phase j to j + motion_step; radial (+ outward), then
                       ///< angular (+ through the septum), in pixels of the
                       ///< 80 x 192 polar picture; NULL (default): none
  int n_phases;        ///< 1 .. MAX_PHASES
  int motion_step;     ///< default 1

  /* the bull's-eye */
  double rv_anterior_angle; ///< where the anterior insertion lies, degrees
                            ///< counter-clockwise from the right; default 120
  double septum_angle;      ///< between the ticks, degrees; NaN (default): mean
      ///< of the basal and mid slices' landmarks, else 120
  const CardiacMmsaPalette *palette; ///< NULL (default): the default one

  /* provenance */
  double age_s;           ///< as in CardiacMRegView
  bool final;             ///< the result of the whole recording
  const char *model_name; ///< NULL: "no model"
  const char *model_hash; ///< SHA-256 or its head; 7 characters are drawn
  const char *device;     ///< e.g. "cpu"; NULL: not shown
  const char *precision;  ///< e.g. "fp32"; NULL: not shown
  bool trained;           ///< default false: UNTRAINED WEIGHTS
  bool synthetic;         ///< default false; SYNTHETIC WEIGHTS
  const char *landmarks;  ///< e.g. "landmarks from file"; NULL: not shown
  const char *note;       ///< one more short remark; NULL
} CardiacMmsaView;

/// Fills in the defaults named above.
void cardiac_mmsa_view_init (CardiacMmsaView *view);

/// Motion score index: sum of the scores by their number.
/// @param scored set to the number of segments with a score 1 .. 4
/// @return NaN when fewer than `least` are scored
double cardiac_mmsa_index (
    const uint8_t scores[CARDIAC_OVERLAY_SEGMENTS], int least, int *scored);

/// Whether the panel of a picture of this size lies below it (pictures at
/// least 2.4 times as wide as high: three slices side by side, wider than any
/// screen), or to its right.
bool cardiac_mmsa_panel_is_below (int picture_width, int picture_height);
/// Size of the panel layout's canvas: even sides, the picture 1:1 at the top
/// left. Whatever neither picture nor panel covers is made black by the caller.
/// To the right it is cardiac_overlay_panel_size(). False (and 0 x 0) for a
/// size out of range.
bool cardiac_mmsa_panel_size (int picture_width, int picture_height,
    int *canvas_width, int *canvas_height);

/// As cardiac_overlay_draw_mreg().
int cardiac_overlay_draw_mmsa (CardiacOverlay *overlay,
    const CardiacMmsaView *view, const CardiacOverlayRectangle **rectangles);

/// Where the bull's-eye of the last drawing lies, canvas pixels. False when
/// there is none.
bool cardiac_overlay_bullseye (
    const CardiacOverlay *overlay, double centre[2], double *radius);

/// Size of the exported picture, pixels.
enum { CARDIAC_MMSA_EXPORT_WIDTH = 1280, CARDIAC_MMSA_EXPORT_HEIGHT = 520 };

/// Writes bull's-eye, legend, index, state, model and marking as a picture of
/// its own; what the view says of slices and layout is not needed. The file
/// appears whole or not at all.
/// @param message [size] one sentence when false is returned; cut to fit
bool cardiac_mmsa_write_png (CardiacOverlay *overlay,
    const CardiacMmsaView *view, const char *path, char *message, size_t size);
/// As above; false too where Cairo was built without SVG.
bool cardiac_mmsa_write_svg (CardiacOverlay *overlay,
    const CardiacMmsaView *view, const char *path, char *message, size_t size);

#ifdef __cplusplus
}
#endif

#endif
