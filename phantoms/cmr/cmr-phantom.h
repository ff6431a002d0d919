/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CMR_PHANTOM_H
#define CMR_PHANTOM_H

/* A short-axis cine-MR phantom with known truth: plain C, no GStreamer.
 * cmrtestsrc shows it, and training draws whole subjects from it.
 *
 * The heart is a motion of material points about the axis of the left
 * ventricle. At every slice three borders (endocardium, epicardium, outer border
 * of the right ventricle) are functions of angle and time; between them radius
 * moves linearly, so that the motion can be run backwards exactly: a picture is
 * drawn by asking each pixel where its material was at end-diastole, and the
 * true displacement between any two phases comes from the same two functions.
 *
 * Angles of the heart are degrees from the anterior insertion of the right
 * ventricle, growing through the septum, as in a polar slice. Pictures are
 * 16-bit grey, x the column, y the row, pixel centres at whole numbers. Nothing
 * is integrated from phase to phase: any picture can be drawn in any order, with
 * the same bits. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#ifndef PHANTOM_API
#define PHANTOM_API __attribute__ ((visibility ("default")))
#endif

enum {
  CMR_SEGMENTS = 16, ///< AHA 1..16 at index 0..15
  CMR_LEVELS = 3,    ///< basal, mid, apical
  CMR_MIN_PHASES = 8,
  CMR_MAX_PHASES = 64,
  CMR_MAX_SLICES = 16,
  CMR_MAX_SIDE = 640, ///< px, of a picture
};

/** Scores of wall motion. */
enum { CMR_NORMAL = 1, CMR_HYPOKINETIC, CMR_AKINETIC, CMR_DYSKINETIC };

/** Everything that a subject depends on. cmr_settings_default() gives a normal
 * heart. */
typedef struct CmrSettings {
  uint64_t seed; ///< of texture, borders' irregularities and noise
  /* the recording */
  int width, height;       ///< px, 64 .. CMR_MAX_SIDE
  int phases;              ///< of the cycle; phase 0 is end-diastole
  int slices;              ///< of the stack, base first
  double spacing_mm;       ///< between pixels, 0.5 .. 3
  double slice_spacing_mm; ///< between slices
  double cycle_ms;         ///< RR interval
  /* where the heart lies */
  double centre_x, centre_y; ///< px, LV axis at the middle of the stack
  double slant_x, slant_y;   ///< px, how far the axis wanders base to apex
  double rotation;           ///< radians, of the whole patient, clockwise
  double insertion;    ///< radians, direction of the anterior insertion in
                       ///< an unrotated patient, atan2 (dy, dx), y down
  double septum;       ///< radians, between the insertions, 1.4 .. 2.8
  bool mirror;         ///< left and right exchanged
  double misplacement; ///< mm, sd of slices' offsets (breath holds)
  /* anatomy at end-diastole */
  double cavity_mm;     ///< radius of the LV cavity at the base
  double wall_mm;       ///< mean thickness of the LV wall
  double rv_mm;         ///< largest width of the RV cavity at the base
  double papillary;     ///< size of the papillary muscles; 0: none, 1: usual
  double trabeculation; ///< roughness of the endocardium, share of radius
  /* motion: relative to end-diastole, at the peak of systole */
  int score[CMR_SEGMENTS];         ///< 1 .. 4
  double excursion[CMR_SEGMENTS];  ///< inward, share of the cavity's radius
  double thickening[CMR_SEGMENTS]; ///< share of the wall's thickness
  double delay[CMR_SEGMENTS];      ///< share of the cycle
  double border;                   ///< radians, sd of the blur between segments
  double systole;                  ///< share of the cycle, 0.25 .. 0.5
  double twist_base, twist_apex;   ///< radians, + in the sense of the angle
  double shift_x, shift_y;         ///< mm, of the whole heart
  double rv_excursion;             ///< share of the RV's width, 0 .. 0.6
  /* the picture */
  double gain;   ///< grey value of 100; LV blood is about 180
  double noise;  ///< sd of each channel, in units where blood is 180
  double bias;   ///< of the receiver coils, 0 .. 1.5
  double unwarp; ///< black margins of a distortion correction, 0 .. 0.2
} CmrSettings;

PHANTOM_API void cmr_settings_default (CmrSettings *settings);

/** Draws a subject by chance. Scores come from a smooth random field over the
 * wall, cut so that they occur as often as in the paper: 794, 348, 207 and 91 of
 * 1440. A segment's excursion is normal about its score's mean, and
 * neighbouring scores overlap, so that no reader could be always right. */
PHANTOM_API void cmr_settings_draw (CmrSettings *settings, uint64_t seed);

/** Gives a segment the usual motion of a score. */
PHANTOM_API void cmr_settings_score (
    CmrSettings *settings, int segment, int score);

/** Brings every field into its range.
 * @return false when something had to change. */
PHANTOM_API bool cmr_settings_clamp (CmrSettings *settings);

/** sizeof (CmrSettings), for callers in other languages. */
PHANTOM_API size_t cmr_settings_size (void);

/** What is true of a subject. */
typedef struct CmrTruth {
  int score[CMR_SEGMENTS];
  double excursion[CMR_SEGMENTS];  ///< mean over the segment, borders blurred
  double thickening[CMR_SEGMENTS]; ///< likewise
  double index;                    ///< mean of the scores
} CmrTruth;

/** What is true of a slice. */
typedef struct CmrSliceTruth {
  int level;             ///< 0 basal, 1 mid, 2 apical: the slice whose motion
                         ///< is exactly that of the segments; else -1
  double depth;          ///< 0 the base .. 1 the apex
  double lv_centre[2];   ///< px: x, y
  double rv_anterior[2]; ///< px
  double rv_inferior[2]; ///< px
} CmrSliceTruth;

/** What lies at a point. */
typedef enum CmrTissue {
  CMR_SURROUNDINGS,
  CMR_LV_BLOOD, ///< with the papillary muscles
  CMR_LV_WALL,
  CMR_RV_BLOOD,
  CMR_RV_WALL,
} CmrTissue;

/** One subject, ready to draw. Used by one thread at a time; takes a copy of
 * the settings, clamped. NULL when memory ran out. */
typedef struct CmrPhantom CmrPhantom;
PHANTOM_API CmrPhantom *cmr_phantom_new (const CmrSettings *settings);
PHANTOM_API void cmr_phantom_free (CmrPhantom **phantom);

PHANTOM_API const CmrSettings *cmr_phantom_settings (const CmrPhantom *phantom);
PHANTOM_API void cmr_phantom_truth (const CmrPhantom *phantom, CmrTruth *truth);
PHANTOM_API void cmr_phantom_slice_truth (
    const CmrPhantom *phantom, int slice, CmrSliceTruth *truth);

/** Number of the slice of a level (0, 1, 2). */
PHANTOM_API int cmr_phantom_level_slice (const CmrPhantom *phantom, int level);

/** How far the heart's muscle is contracted, 0 .. 1 (phase may be fractional).*/
PHANTOM_API double cmr_phantom_contraction (
    const CmrPhantom *phantom, double phase);

/** Draws a picture.
 * @param grey [height][stride], stride in bytes.
 * @return false when memory ran out. */
PHANTOM_API bool cmr_phantom_render (CmrPhantom *phantom, int slice, int phase,
    uint16_t *grey, ptrdiff_t stride);

/** Draws the cycles of the three levels.
 * @param grey [3][phases][height][width]. */
PHANTOM_API bool cmr_phantom_render_levels (
    CmrPhantom *phantom, uint16_t *grey);

/** Draws the whole stack.
 * @param grey [phases][slices][height][width], as a 4-D NIfTI stores it. */
PHANTOM_API bool cmr_phantom_render_stack (CmrPhantom *phantom, uint16_t *grey);

/** Where the material that lies at points of one phase lies in another.
 * @param count of the points; @param points [count][2] (x, y) px in phase
 *   `from`; @param moved [count][2] receives them in phase `to`;
 * @param tissue [count] receives a CmrTissue in phase `from`; may be NULL. */
PHANTOM_API void cmr_phantom_displace (const CmrPhantom *phantom, int slice,
    int from, int to, size_t count, const double *points, double *moved,
    uint8_t *tissue);

#ifdef __cplusplus
}
#endif

#endif
