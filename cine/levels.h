/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CINE_LEVELS_H
#define CINE_LEVELS_H

#include "cine.h"

/** Levels of the left ventricle, in the order of AHA segments. */
typedef enum CineLevel {
  CINE_BASAL,
  CINE_MID,
  CINE_APICAL,
  CINE_LEVELS,
} CineLevel;

/** Where landmarks come from, the surest first. */
typedef enum CineSource {
  CINE_SOURCE_NONE,
  CINE_SOURCE_PROPERTY,
  CINE_SOURCE_FILE,
  CINE_SOURCE_SEGMENTATION,
  CINE_SOURCE_ESTIMATED,
  CINE_SOURCE_TRUTH, ///< of a phantom; never chosen by cine_choose_levels()
} CineSource;

/** "basal", "mid", "apical". */
const char *cine_level_name (CineLevel level);

/** Points of a slice, pixels. */
typedef struct CinePoints {
  bool has_centre, has_insertions;
  double lv_centre[2], rv_anterior[2], rv_inferior[2];
} CinePoints;

/** What a person says of a level; points are those of the stored picture. */
typedef struct CineGiven {
  int slice; ///< -1: not said
  CinePoints points;
} CineGiven;

/** What labels or pictures say of one slice; points are those of the stack's
 * picture. */
typedef struct CineFinding {
  double lv_area_mm2; ///< at end-diastole; 0: no LV here
  CinePoints points;
} CineFinding;

/** How levels and landmarks are to be found. */
typedef struct CineLevelOptions {
  CineGiven property[CINE_LEVELS];
  const char *file;         ///< side file, or NULL
  const char *segmentation; ///< NIfTI labels, or NULL
  int labels[3]; ///< numbers of LV, myocardium, RV in it; 0, 0, 0: by position
  bool estimate; ///< find landmarks in the pictures where nothing else is known
} CineLevelOptions;

/** One level, ready to be shown. */
typedef struct CineChoice {
  int slice;
  CineSource source; ///< the least sure one of the three points; NONE: unset
  CinePoints points; ///< of the stack's picture
} CineChoice;

/** Defaults: everything is found out, landmarks are estimated. */
void cine_level_options_init (CineLevelOptions *options);

/** Chooses slices and landmarks of all levels; adds notes to the stack.
 * Problems: LEVEL_UNKNOWN, BAD_SETTING, NOT_FOUND, UNREADABLE, UNSUPPORTED. */
bool cine_choose_levels (CineStack *stack, const CineLevelOptions *options,
    CineChoice choices[CINE_LEVELS], CineError *error);

/** Reads a side file (docs/cine-mr.md). Levels that it does not name stay as
 * cine_level_options_init() leaves them. */
bool cine_landmarks_read (
    const char *path, CineGiven given[CINE_LEVELS], CineError *error);

/** Reads "x,y,x,y,x,y": LV centre, anterior, inferior insertion; "x,y" is the
 * centre alone. */
bool cine_points_parse (const char *text, CinePoints *points);

/** Findings of a label file, [slices]; freed with free(). */
CineFinding *cine_find_by_labels (const CineStack *stack, const char *path,
    const int labels[3], CineError *error);

/** Findings of the pictures themselves, [slices]; freed with free(). NULL:
 * nothing that looks like a heart, or no memory. */
CineFinding *cine_find_in_pictures (const CineStack *stack);

enum { CINE_ANGLES = 120 }; ///< a circle around the LV centre, 3 degrees each

/** Direction of an angle in the picture. */
void cine_direction (int angle, double out[2]);

/** The ends of the septum: of the longest arc at which the RV touches.
 * @param touches [CINE_ANGLES] where the RV lies against the LV
 * @param radius [CINE_ANGLES] of the LV's outer border, pixels
 * @return false without such an arc */
bool cine_find_insertions (const CineStack *stack, const bool *touches,
    const double *radius, CinePoints *points);

#endif
