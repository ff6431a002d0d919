/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef ECHO_PHANTOM_H
#define ECHO_PHANTOM_H

/* An apical four-chamber colour-Doppler phantom with known truth: plain C, no
 * GStreamer. It draws the whole screen of a scanner; echotestsrc shows it, and
 * training renders parts of it straight to a network's size.
 *
 * Anatomy and flow are functions of time and place; nothing is integrated from
 * frame to frame, so any frame can be drawn in any order, with the same bits.
 *
 * Lengths in cm: x to the right of the screen, y away from the transducer,
 * whose apex is the origin. "Screen" coordinates are pixels of a nominal
 * 640 x 480 picture. Times are seconds. */

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
  ECHO_SCREEN_WIDTH = 640,
  ECHO_SCREEN_HEIGHT = 480,
  ECHO_MAX_JETS = 2,
  ECHO_BEATS = 16,    ///< factors that repeat
  ECHO_LAYOUTS = 3,   ///< furniture of three scanners
  ECHO_INSTANCES = 3, ///< clips that a recording is graded from
};

/** Borders of severity between grades 0 | 1 and 1 | 2. */
#define ECHO_SEVERITY_MILD 0.05
#define ECHO_SEVERITY_MODERATE 0.20
/** What eccentricity multiplies severity with: a wall-hugging jet looks smaller
 * than it is (Coanda effect). */
#define ECHO_ECCENTRIC_FACTOR 2.5
/** Share of systole from which on a jet counts whole. */
#define ECHO_FULL_DURATION 0.7

/** A regurgitant jet into the left atrium, at its largest. */
typedef struct EchoJet {
  double area;      ///< of the jet / of the left atrium at end-systole, 0 .. 1
  double aspect;    ///< length / width, 1.5 .. 5
  int wall;         ///< eccentric: hugs the septal (-1) or the lateral (+1)
                    ///< wall; 0: central
  double direction; ///< of a central jet, radians from the atrium's axis,
                    ///< + is lateral
  double orifice;   ///< place on the coaptation line, -1 (septal) .. 1
  double onset;     ///< share of systole at which it begins, 0 .. 1
  double duration;  ///< in systole, share of it, 0 .. 1 - onset
} EchoJet;

/** Everything that a recording depends on. echo_settings_default() gives a
 * normal heart without regurgitation. */
typedef struct EchoSettings {
  uint64_t seed; ///< of speckle, noise and turbulence
  /* the recording */
  double duration;   ///< s; three clips of `clip` s fit into it
  double clip;       ///< s, length of an instance
  double frame_rate; ///< 1/s
  /* the heart's clock */
  double heart_rate; ///< beats a minute, 40 .. 160
  double phase;      ///< of the cycle at t = 0, 0 .. 1; 0 is the R wave
  double systole;    ///< share of the cycle, 0.3 .. 0.5
  /* anatomy */
  double heart_x;             ///< cm, of the left ventricle's apex
  double heart_y;             ///< cm
  double tilt;                ///< radians, of the heart's axis
  double scale;               ///< of the whole heart, about 1
  double lv_length, lv_width; ///< cm, cavity at end-diastole
  double la_length, la_width; ///< cm, at end-systole
  double rv_width, ra_width;  ///< cm
  double ra_length;           ///< cm
  double wall;                ///< cm, thickness of the left ventricle's wall
  double shortening; ///< share of lv_width that systole takes, 0 .. 0.5
  double excursion;  ///< cm, of the mitral annulus
  /* regurgitation */
  int jets; ///< 0 .. ECHO_MAX_JETS
  EchoJet jet[ECHO_MAX_JETS];
  double beat[ECHO_BEATS]; ///< factor of all jets' areas in beat i mod BEATS;
                           ///< beat 0 holds t = 0
  /* other flow */
  double inflow;         ///< m/s, peak E
  double inflow_a;       ///< m/s, peak A
  double outflow;        ///< m/s, LVOT
  double pulmonary_vein; ///< m/s; 0: none
  double swirl;          ///< m/s, in the left atrium; 0: none
  double tricuspid_jet;  ///< area / right atrium; 0: none
  /* the machine */
  double depth;               ///< cm
  double sector;              ///< radians, half the opening
  double nyquist;             ///< m/s
  double colour_gain;         ///< 0 .. 1.5; 1 is right
  double colour_noise;        ///< share of specks in the box, 0 .. 0.1
  double grey_gain;           ///< 0.5 .. 1.5
  double grey_noise;          ///< 0 .. 1
  double depth_gain;          ///< loss of brightness with depth, 0 .. 1
  bool variance;              ///< green for turbulence
  double box_left, box_right; ///< radians, sides of the colour box
  double box_top, box_bottom; ///< cm
  int layout;                 ///< 0 .. ECHO_LAYOUTS-1: screen furniture
  bool colour;                ///< false: grey scale alone
} EchoSettings;

PHANTOM_API void echo_settings_default (EchoSettings *settings);

/** Draws a recording by chance. Severity is log-uniform within its grade, no
 * nearer than 0.1 in log to a border; a worst beat lies in one of the three
 * instances and all other beats' areas are scaled down.
 * @param grade 0, 1, 2; -1: in the paper's proportions 403 : 307 : 98. */
PHANTOM_API void echo_settings_draw (
    EchoSettings *settings, uint64_t seed, int grade);

/** Brings every field into its range.
 * @return false when something had to change. */
PHANTOM_API bool echo_settings_clamp (EchoSettings *settings);

/** What is true of a stretch of time: its worst beat's regurgitation. */
typedef struct EchoTruth {
  int beat;        ///< the worst one; -1: no beat's systole lies here
  double area;     ///< jets' area / left atrium, largest
  double duration; ///< share of systole, longest jet
  bool eccentric;  ///< the larger jet hugs a wall
  double severity; ///< Σ area * (eccentric ? 2.5 : 1) * min (1, duration / 0.7)
  int grade;       ///< 0 below 0.05, 1 below 0.2, else 2
} EchoTruth;

PHANTOM_API int echo_grade (double severity);
PHANTOM_API EchoTruth echo_truth (
    const EchoSettings *settings, double begin, double end);

/** Begin of instance k: k (duration - clip) / 2. */
PHANTOM_API double echo_instance_begin (const EchoSettings *settings, int k);

/** The recording: the worst of its three instances. */
PHANTOM_API EchoTruth echo_recording_truth (const EchoSettings *settings);

/** A part of the screen, in pixels of 640 x 480; may reach beyond it (black).*/
typedef struct EchoView {
  double x, y, width, height;
} EchoView;

/** One recording, ready to draw: tables that depend on its settings. Used by
 * one thread at a time. NULL when memory ran out. */
typedef struct EchoPhantom EchoPhantom;
PHANTOM_API EchoPhantom *echo_phantom_new (const EchoSettings *settings);
PHANTOM_API void echo_phantom_free (EchoPhantom **phantom);

/** The rectangle that covers all chambers, over the whole cycle. */
PHANTOM_API EchoView echo_phantom_roi (const EchoPhantom *phantom);

/** The square that grading cuts out: the longer side of the ROI about its
 * centre, shifted into the screen. */
PHANTOM_API EchoView echo_phantom_square (const EchoPhantom *phantom);

/** Draws the screen (or part of it) at time t.
 * @param view what to draw; @param rgb [height][stride], R first. */
PHANTOM_API void echo_phantom_render (EchoPhantom *phantom, double t,
    EchoView view, int width, int height, uint8_t *rgb, ptrdiff_t stride);

/** The colour flow alone, for pictures of another origin.
 * @param rgba [height][stride], straight alpha 0 or 255. */
PHANTOM_API void echo_phantom_render_flow (EchoPhantom *phantom, double t,
    EchoView view, int width, int height, uint8_t *rgba, ptrdiff_t stride);

/** Where the jets and the left atrium are at time t.
 * @param jet, atrium [height][width], covered share of each cell, 0 .. 255;
 *   either may be NULL.
 * @return jets' area / left atrium's end-systolic area at this time. */
PHANTOM_API double echo_phantom_masks (EchoPhantom *phantom, double t,
    EchoView view, int width, int height, uint8_t *jet, uint8_t *atrium);

/** What the heart does at a time. */
typedef struct EchoMoment {
  int beat;     ///< number of the beat
  double phase; ///< of the cycle, 0 .. 1; 0 is the R wave
  bool systole;
  double jet_area;      ///< / left atrium's end-systolic area
  double annulus[2][2]; ///< screen: septal, then lateral end of the mitral
                        ///< annulus (x, y)
  double atrium[2];     ///< screen: centre of the left atrium
} EchoMoment;
PHANTOM_API EchoMoment echo_phantom_moment (
    const EchoPhantom *phantom, double t);

/** The frames of instance k as a grading pipeline samples them from a file of
 * frame_rate: frame j is the one shown at begin + (j + 1/2) clip / frames, each
 * frame at most once.
 * @param times receives `frames` times. */
PHANTOM_API void echo_instance_times (
    const EchoSettings *settings, int k, int frames, double *times);

/** For training, in one call: `frames` pictures of instance k.
 * @param view usually echo_phantom_square(), jittered
 * @param side of the pictures; drawn twice as large and shrunk with the
 *   triangle filter that the pipeline shrinks with
 * @param rgb [frames][side][side][3]
 * @param cells side of the masks; @param jet, @param atrium
 *   [frames][cells][cells], may be NULL; @param area [frames], may be NULL. */
PHANTOM_API void echo_phantom_instance (EchoPhantom *phantom, int k, int frames,
    EchoView view, int side, uint8_t *rgb, int cells, uint8_t *jet,
    uint8_t *atrium, float *area);

#ifdef __cplusplus
}
#endif

#endif
