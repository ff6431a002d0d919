/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CARDIAC_MREG_OVERLAY_H
#define CARDIAC_MREG_OVERLAY_H

/* Draws one mitral regurgitation result: as a side panel beside the picture or
 * as a strip inside it, and the network's activation on the picture.
 *
 * Use, once a video frame:
 *
 *   CardiacMRegView view;
 *   cardiac_mreg_view_init (&view);
 *   view.picture_width = 600; ...             // what the result meta says
 *   cardiac_overlay_observe_luma (...);       // `inside` only, 2 to 5 a second
 *   n = cardiac_overlay_draw_mreg (overlay, &view, &rectangles);
 *   // blend rectangles[0 .. n-1] in this order
 *
 * The library reads no clock, keeps no globals and starts no threads. An
 * overlay is used by one thread at a time; different overlays are independent.
 */

#include <stdbool.h>
#include <stdint.h>
#include <cairo.h>

#ifdef __cplusplus
extern "C" {
#endif

enum {
  CARDIAC_OVERLAY_MAX_CLASSES = 8,    ///< grades
  CARDIAC_OVERLAY_MAX_INSTANCES = 8,  ///< clips of one result
  CARDIAC_OVERLAY_MAX_NO_DRAW = 80,   ///< rectangles that stay free
  CARDIAC_OVERLAY_MAX_PICTURES = 16,  ///< rectangles that the strip spares
  CARDIAC_OVERLAY_MAX_RECTANGLES = 16 ///< pieces of one frame
};

/// Largest opacity of the fill; requests above are drawn with this one.
#define CARDIAC_OVERLAY_MAX_FILL_ALPHA 0.35
#define CARDIAC_OVERLAY_DEFAULT_FILL_ALPHA 0.25
/// Levels of the two contours, as shares of the map's peak.
#define CARDIAC_OVERLAY_OUTER_LEVEL 0.5
#define CARDIAC_OVERLAY_INNER_LEVEL 0.8
/// In every picture that this library draws; no setting removes it.
#define CARDIAC_OVERLAY_MARKING                                                \
  "RESEARCH USE ONLY \xe2\x80\x93 not for diagnosis"

/// One state at a time. A grade is drawn in RESULT and UNSURE only.
typedef enum CardiacOverlayState {
  CARDIAC_OVERLAY_WAIT,         ///< frames of a first result still come in
  CARDIAC_OVERLAY_RESULT,       ///< a grade
  CARDIAC_OVERLAY_UNSURE,       ///< value near a border, or a contradiction
  CARDIAC_OVERLAY_STALE,        ///< the newest result is too old to be shown
  CARDIAC_OVERLAY_NO_SIGNAL,    ///< black or absent input
  CARDIAC_OVERLAY_FROZEN,       ///< equal frames
  CARDIAC_OVERLAY_NO_DOPPLER,   ///< no colour in the picture
  CARDIAC_OVERLAY_VIEW_NOT_A4C, ///< another view than the network's
  CARDIAC_OVERLAY_POOR_IMAGE,
  CARDIAC_OVERLAY_TOO_SHORT,        ///< the recording does not hold the clips
  CARDIAC_OVERLAY_MODEL_ERROR,      ///< no usable model, or inference failed
  CARDIAC_OVERLAY_PAUSED,           ///< analysis is switched off, video goes on
  CARDIAC_OVERLAY_STACK_INCOMPLETE, ///< cine MR: a level or phase is missing
  CARDIAC_OVERLAY_PHASES_DIFFER,    ///< cine MR: slices of unequal cycles
  CARDIAC_OVERLAY_LEVEL_UNKNOWN,    ///< cine MR: basal, mid or apical?
  CARDIAC_OVERLAY_N_STATES
} CardiacOverlayState;

typedef enum CardiacOverlayLayout {
  CARDIAC_OVERLAY_INSIDE, ///< strip within the picture; canvas = picture
  CARDIAC_OVERLAY_PANEL   ///< panel to the right; canvas from
                          ///< cardiac_overlay_panel_size()
} CardiacOverlayLayout;

typedef enum CardiacOverlayMap {
  CARDIAC_OVERLAY_MAP_OFF,
  CARDIAC_OVERLAY_MAP_CONTOUR, ///< two iso-contours, nothing inside; default
  CARDIAC_OVERLAY_MAP_FILL     ///< viridis veil and the contours
} CardiacOverlayMap;

/// In picture pixels; (x, y) is the top left corner.
typedef struct CardiacOverlayBox {
  double x, y, width, height;
} CardiacOverlayBox;

/// Everything that is drawn. Pointers are borrowed for the length of a call:
/// the overlay copies what it keeps. Start from cardiac_mreg_view_init().
typedef struct CardiacMRegView {
  /* where */
  int picture_width, picture_height; ///< pixels, 64 .. 8192; required
  CardiacOverlayLayout layout;       ///< default INSIDE
  const CardiacOverlayBox *no_draw;  ///< places that stay as they are; may be
                                     ///< NULL
  int n_no_draw;                     ///< 0 .. MAX_NO_DRAW; more are ignored
  const CardiacOverlayBox *pictures; ///< places that count as picture even
                                     ///< where it is dark; may be NULL
  int n_pictures;                    ///< 0 .. MAX_PICTURES; more are ignored

  /* switches */
  bool enabled;        ///< default true; false: only the marking and the
                       ///< model's identity stay
  bool hide_marks;     ///< momentary look at the bare picture: no contours,
                       ///< fill or ROI; text stays. Default false
  bool withhold_grade; ///< reader grades first: grade, value, curve and
                       ///< activation are not shown. Default false

  /* state */
  CardiacOverlayState state; ///< default WAIT
  const char *reason;        ///< a sentence; NULL: the state's usual one.
                             ///< Not drawn in RESULT
  int wait_done, wait_total; ///< WAIT n/N, frames; total 0: not shown
  const char *state_time;    ///< "hh:mm:ss" in FROZEN; NULL: not shown

  /* the finding; read in RESULT and UNSURE only */
  int n_classes;                                      ///< K, 2 .. MAX_CLASSES
  const char *labels[CARDIAC_OVERLAY_MAX_CLASSES];    ///< from the model file
  double thresholds[CARDIAC_OVERLAY_MAX_CLASSES - 1]; ///< K-1 ascending borders
                                                      ///< of the value
  int grade;                                          ///< 0 .. K-1
  bool unsure_alone;   ///< UNSURE for another reason than a border: the grade
                       ///< is drawn alone, and `unsure_low` is not used
  int unsure_low;      ///< UNSURE: lower one of the two neighbours, 0 .. K-2;
                       ///< -1 (default): those beside the nearest threshold
  double value;        ///< regression; NaN (default): not shown
  double probability;  ///< of the grade, 0 .. 1; < 0 (default): no word.
                       ///< >= 0.75 "likely", less "less certain"; UNSURE has
                       ///< no word beside its chip
  double presence;     ///< of regurgitation, 0 .. 1; < 0 (default): unknown.
                       ///< A contradiction to the grade makes "less certain"
  const char *nyquist; ///< e.g. "52 cm/s"; NULL: "Nyquist ?"

  /* the curve of value per frame */
  int n_instances;    ///< 0 (default): no curve; .. MAX_INSTANCES
  int n_points;       ///< T, frames an instance, >= 2
  const float *curve; ///< [n_instances][n_points]; non-finite: a gap
  int64_t spans_ns[CARDIAC_OVERLAY_MAX_INSTANCES][2]; ///< first, last; stream
                                                      ///< time, ns
  int selected;        ///< 0 .. n_instances-1; -1 (default): none
  int64_t position_ns; ///< playhead, stream time; < 0 (default): none
  int64_t duration_ns; ///< of the recording; 0 (default): live, the axis is
                       ///< that of the spans

  /* marks on the picture */
  CardiacOverlayBox roi; ///< the box the clip was cut from
  bool draw_roi;         ///< corner brackets; never set it for an untrained
                         ///< detector. Default false
  CardiacOverlayMap map_mode; ///< default CONTOUR
  double fill_alpha;          ///< 0 .. 0.35; default 0.25
  const float *map;           ///< [map_rows][map_cols] of this frame; NULL
                              ///< (default): none. Below 0 and NaN count as 0
  int map_rows, map_cols;     ///< 2 .. 256
  double map_peak;        ///< peak over the instance, so that levels mean the
                          ///< same in its frames; <= 0 (default): this grid's
  CardiacOverlayBox crop; ///< the square that the network saw; cell (r, c)
                          ///< covers crop.y + r * height / rows, ...; may
                          ///< exceed the picture

  /* provenance */
  double age_s;           ///< now - newest frame used; < 0 (default): not shown
  bool final;             ///< review: the result of the whole recording
  const char *model_name; ///< NULL: "no model"
  const char *model_hash; ///< SHA-256 or its head; 7 characters are drawn
  const char *device;     ///< e.g. "cpu"; NULL: not shown
  const char *precision;  ///< e.g. "bf16"; NULL: not shown
  bool trained;      ///< default false: UNTRAINED WEIGHTS, no confidence word
  bool synthetic;    ///< default false; SYNTHETIC WEIGHTS
  bool view_checked; ///< default false: "view not checked"
  const char *note;  ///< one more short remark ("frame rate assumed"); NULL
} CardiacMRegView;

/// Fills in the defaults named above.
void cardiac_mreg_view_init (CardiacMRegView *view);

/// Size of the panel layout's canvas for a picture: even sides, at least 480
/// rows, the picture 1:1 at the top left, the panel at x = picture_width over
/// the whole height. The caller makes what lies below a picture of less than
/// 480 rows black. False (and 0 x 0) for a size out of range.
bool cardiac_overlay_panel_size (int picture_width, int picture_height,
    int *canvas_width, int *canvas_height);
/// Width of the panel alone, canvas width - picture width; 0 out of range.
int cardiac_overlay_panel_width (int picture_width, int picture_height);

/// Caches, fonts, and where the strip is.
typedef struct CardiacOverlay CardiacOverlay;

/// Never NULL but when memory is out.
CardiacOverlay *cardiac_overlay_new (void);
/// Frees and clears the pointer; NULL is allowed. Surfaces that the caller
/// holds references to live on.
void cardiac_overlay_free (CardiacOverlay **overlay);

/// What a rectangle shows.
typedef enum CardiacOverlayPiece {
  CARDIAC_OVERLAY_PIECE_FILL,
  CARDIAC_OVERLAY_PIECE_CONTOUR,
  CARDIAC_OVERLAY_PIECE_ROI,      ///< one of four corner brackets
  CARDIAC_OVERLAY_PIECE_PANEL,    ///< opaque
  CARDIAC_OVERLAY_PIECE_PLAYHEAD, ///< small, over the panel
  CARDIAC_OVERLAY_PIECE_AGE,      ///< small, opaque, over the panel
  CARDIAC_OVERLAY_PIECE_STRIP,
  CARDIAC_OVERLAY_PIECE_SEGMENTS, ///< borders, insertions, dots of a slice
  CARDIAC_OVERLAY_PIECE_MOTION,   ///< arrows of a slice
  CARDIAC_OVERLAY_PIECE_CAPTION   ///< of a slice; small, opaque, on the panel
} CardiacOverlayPiece;

/// A piece of a frame. Its surface is a premultiplied CAIRO_FORMAT_ARGB32
/// image (GStreamer's GST_VIDEO_OVERLAY_COMPOSITION_FORMAT_RGB with
/// FORMAT_FLAG_PREMULTIPLIED_ALPHA) that nobody writes to any more: new content
/// comes in a new surface. A caller may wrap its memory without a copy when it
/// holds a cairo_surface_reference().
typedef struct CardiacOverlayRectangle {
  CardiacOverlayPiece piece;
  cairo_surface_t *surface; ///< owned by the overlay, valid until the next
                            ///< call of cardiac_overlay_draw_*() or free;
                            ///< reference it to keep it
  int x, y;                 ///< top left corner in canvas pixels
  int width, height;        ///< of the surface; wholly inside the canvas
  uint64_t serial;          ///< same serial = same surface. Never 0, never used
                            ///< again within one overlay. x and y may change
                            ///< while it stays
} CardiacOverlayRectangle;

/// Says what a frame of this view consists of, and draws only what changed.
/// @param rectangles set to an array owned by the overlay, valid until the
///   next call; blend in order.
/// @return their number, 1 .. MAX_RECTANGLES; 0 when the picture size is out
///   of range or memory is out. Other fields out of range are clamped or left
///   out: a view is never refused for what it says.
int cardiac_overlay_draw_mreg (CardiacOverlay *overlay,
    const CardiacMRegView *view, const CardiacOverlayRectangle **rectangles);

/// `inside` only: shows the overlay the picture (before anything is drawn on
/// it), so that the strip stays off sector, ECG, bars and text. Two to five
/// times a second are enough; costs one pass over every 2nd row. Without it
/// the strip goes to the corner that no_draw leaves free.
/// @param luma first luma byte; black near 0 or 16
/// @param row_stride bytes from row to row
/// @param pixel_stride bytes from pixel to pixel (1: planar, 2: UYVY, 4: BGRx
///   with luma pointing at green)
void cardiac_overlay_observe_luma (CardiacOverlay *overlay, const uint8_t *luma,
    int width, int height, int row_stride, int pixel_stride);
/// Forgets the observed pictures (new source, new layout of the scanner).
void cardiac_overlay_forget (CardiacOverlay *overlay);
/// `inside` only: whether a strip of this view's words finds a place off all
/// no_draw places, in every state that may come. It is asked for what the view
/// says of model, labels and places, and answers at once while they stay.
/// Where it is false the strip covers parts of them: use the panel.
bool cardiac_overlay_strip_has_room (
    CardiacOverlay *overlay, const CardiacMRegView *view);
/// Share of the strip of the last drawing that lies over picture content or
/// no_draw places, 0 .. 1. Above ~0.05 a caller should warn: use the panel.
double cardiac_overlay_strip_covers (const CardiacOverlay *overlay);

/// Family that text is really drawn in, e.g. "Inter" or "DejaVu Sans"; owned
/// by the overlay.
const char *cardiac_overlay_font (const CardiacOverlay *overlay);
/// False when Inter is absent and the system's sans stands in.
bool cardiac_overlay_font_is_intended (const CardiacOverlay *overlay);

/// What a text says; for tests and accessibility.
typedef enum CardiacOverlayRole {
  CARDIAC_OVERLAY_ROLE_TITLE,
  CARDIAC_OVERLAY_ROLE_STATE, ///< never dropped
  CARDIAC_OVERLAY_ROLE_GRADE, ///< never dropped in RESULT and UNSURE
  CARDIAC_OVERLAY_ROLE_CONFIDENCE,
  CARDIAC_OVERLAY_ROLE_VALUE,
  CARDIAC_OVERLAY_ROLE_SCALE,
  CARDIAC_OVERLAY_ROLE_CURVE,
  CARDIAC_OVERLAY_ROLE_LEGEND,
  CARDIAC_OVERLAY_ROLE_REASON,
  CARDIAC_OVERLAY_ROLE_NOTE, ///< Nyquist, view not checked, note
  CARDIAC_OVERLAY_ROLE_AGE,
  CARDIAC_OVERLAY_ROLE_MODEL,   ///< never dropped
  CARDIAC_OVERLAY_ROLE_WEIGHTS, ///< UNTRAINED / SYNTHETIC; never dropped
  CARDIAC_OVERLAY_ROLE_MARKING, ///< RESEARCH USE ONLY; never dropped
  CARDIAC_OVERLAY_ROLE_SCORE,   ///< digit of a segment
  CARDIAC_OVERLAY_ROLE_INDEX,   ///< motion score index, n/16 scored
  CARDIAC_OVERLAY_ROLE_SIDE,    ///< Ant, Sept, Inf, Lat
  CARDIAC_OVERLAY_ROLE_CENTRE,  ///< 17, n/a
  CARDIAC_OVERLAY_ROLE_CAPTION  ///< of a slice
} CardiacOverlayRole;

/// A text as it stands on the canvas.
typedef struct CardiacOverlayText {
  CardiacOverlayRole role;
  const char *text;      ///< whole string, also when ellipsised; owned by the
                         ///< overlay, valid until the next drawing
  CardiacOverlayBox box; ///< allotted place, canvas pixels; boxes never overlap
  CardiacOverlayBox ink; ///< logical extents of the drawn lines, inside `box`
  double size;           ///< font size (em), pixels
  bool ellipsised;
} CardiacOverlayText;

/// Texts of the last drawing.
/// @param texts set to an array owned by the overlay, valid until the next
///   call of any function on it
/// @return their number
int cardiac_overlay_texts (
    CardiacOverlay *overlay, const CardiacOverlayText **texts);

/// How many surfaces were drawn since the overlay was made; does not move
/// while only positions change.
uint64_t cardiac_overlay_redraws (const CardiacOverlay *overlay);

/// Colours of the palettes, for tests and documents: straight (not
/// premultiplied) red, green, blue in 0 .. 1.
void cardiac_overlay_accent (double rgb[3]);
void cardiac_overlay_viridis (double t, double rgb[3]);

#ifdef __cplusplus
}
#endif

#endif
