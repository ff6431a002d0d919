/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MADE_STACK_H
#define MADE_STACK_H

#include <stdbool.h>
#include <stdint.h>

/* A heart of discs as a cine MR stack, written as DICOM or NIfTI files byte by
 * byte, so that tests know every pixel. */

enum {
  MADE_WIDTH = 112,
  MADE_HEIGHT = 96,
  MADE_SLICES = 8,
  MADE_PHASES = 10,
};

extern const double made_spacing_mm, made_gap_mm, made_cycle_ms;
extern const double made_row[3], made_column[3], made_origin[3];

typedef enum {
  MADE_EXPLICIT, ///< VR
  MADE_IMPLICIT,
  MADE_RLE, ///< compressed
} MadeSyntax;

/** How a stack is written. Zero is the plainest one. */
typedef struct {
  MadeSyntax syntax;
  bool reversed_names;        ///< files count from apex and last phase
  bool series_a_slice;        ///< else one for all
  bool upside_down;           ///< the LV grows towards the apex
  bool turned;                ///< slices that are not short-axis ones
  bool mirrored;              ///< pictures seen from the base
  bool no_triggers;           ///< no trigger times
  bool same_triggers;         ///< trigger times are all 0
  bool no_interval;           ///< neither RR nor heart rate
  double stretch;             ///< of trigger times; 0: none
  bool late;                  ///< each slice's first trigger is another one
  int announced;              ///< pictures a cycle; 0: not said
  int first_slice, end_slice; ///< range to write; 0, 0: all
  int phases;                 ///< 0: all
  int skip_slice;             ///< 1 + slice to leave out; 0: none
  int skip_picture[2];        ///< 1 + slice, 1 + phase to leave out; 0: none
  int other_patient;          ///< 1 + slice that is another patient's; 0: none
  int series;                 ///< added to the series number
  const char *prefix;         ///< of file names
  int brighter;               ///< added to each grey
  int side;                   ///< that headers claim; 0: of the pictures
  int frames;                 ///< that each header claims; 0: 1
} MadeOptions;

/** Grey of a pixel; slice 0 is the base. */
uint16_t made_grey (
    const MadeOptions *options, int slice, int phase, int x, int y);

/** Centre and radius of the LV, pixels; phase 0 is end-diastole. */
void made_lv (const MadeOptions *options, int slice, int phase,
    double centre[2], double *radius);
/** Insertions of the RV. */
void made_insertions (const MadeOptions *options, int slice, double anterior[2],
    double inferior[2]);
/** Label of a pixel at end-diastole: 0, or numbers[0] in the LV, [1] in its
 * wall, [2] in the RV. */
int made_label (
    const MadeOptions *options, int slice, int x, int y, const int numbers[3]);

/** Directions of rows and columns. */
void made_axes (const MadeOptions *options, double row[3], double column[3]);
/** Place of a slice's first pixel. */
void made_position (const MadeOptions *options, int slice, double out[3]);

/** Writes a stack as one file a picture. */
void made_write_dicom (const char *folder, const MadeOptions *options);
/** Writes one enhanced multi-frame file. */
void made_write_enhanced (const char *path, const MadeOptions *options);
/** Writes a file of modality @modality without place, or of MR with one. */
void made_write_odd (const char *path, const char *modality);

/** How a NIfTI file is written. Zero is the plainest one. */
typedef struct {
  bool rows_turned;   ///< as dcm2niix does
  bool slices_turned; ///< apex first
  bool slices_first;  ///< slices are the first axis
  bool no_affine;
  bool quaternion; ///< qform only
  bool labels;     ///< 8-bit labels of end-diastole instead of pictures
  int label_numbers[3];
  bool one_volume; ///< no time
  double step;     ///< time between volumes; 0: the cycle's, in seconds
  int units;       ///< code of time units; 0: seconds, -1: none
  int cut;         ///< bytes to leave out at the end
  MadeOptions stack;
} MadeNifti;

void made_write_nifti (const char *path, const MadeNifti *options);

/** A folder below the test's own, which is removed at exit. */
const char *made_folder (const char *name);
/** "folder/name"; never freed. */
const char *made_path (const char *folder, const char *name);

#endif
