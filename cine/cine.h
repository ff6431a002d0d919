/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CINE_H
#define CINE_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Cine MR stacks: several parallel slices of the heart, each shown over one
 * cycle. Plain C, no GLib. Patient axes are DICOM's: x to the left, y posterior,
 * z to the head. Pictures: x is the column, y the row, pixel centres at whole
 * numbers. */

/** Why something failed. The first three are states that a result can have. */
typedef enum CineProblem {
  CINE_FINE,
  CINE_STACK_INCOMPLETE, ///< slices, phases or the time axis are missing
  CINE_PHASES_DIFFER,    ///< slices have different numbers of phases
  CINE_LEVEL_UNKNOWN,    ///< base and apex cannot be told apart
  CINE_NOT_FOUND,        ///< no such file
  CINE_UNREADABLE,       ///< damaged, or of another kind
  CINE_UNSUPPORTED,      ///< needs a module or a decoder that is not there
  CINE_BAD_SETTING,      ///< a setting does not fit the stack
  CINE_NO_MEMORY,
} CineProblem;

/** Owned by the caller; start with CINE_FINE. */
typedef struct CineError {
  CineProblem problem;
  char text[2048];   ///< one sentence for a person
  char detail[1024]; ///< for a log, may be empty
} CineError;

/** Fills in the error and returns false. Names of files and texts out of them
 * may be anything: the sentence is one line of valid UTF-8 all the same. */
bool cine_fail (CineError *error, CineProblem problem, const char *format, ...)
    __attribute__ ((format (printf, 3, 4)));

enum {
  CINE_MIN_SLICES = 3,
  CINE_MIN_PHASES = 2,
  CINE_MAX_NOTES = 16,
};

/** Bytes of pixels, two each, that a stack may be read from: several times a
 * short-axis cine, so that a few kilobytes of zeros do not take all memory. */
#define CINE_MAX_BYTES ((size_t) 512 << 20)

/** Where the times of phases come from. */
typedef enum CineTiming {
  CINE_TIMING_TRIGGER,  ///< trigger times of the files
  CINE_TIMING_INTERVAL, ///< the cycle's length, divided evenly
  CINE_TIMING_ASSUMED,  ///< nothing known: a cycle of one second
} CineTiming;

/** One slice over the cycle. */
typedef struct CineSlice {
  double position_mm[3]; ///< centre of the first pixel; NaN: unknown
  double cycle_ms;       ///< RR of this slice; NaN: unknown
  double *trigger_ms;    ///< [phases], after the R wave; NaN: unknown
  uint16_t window[2];    ///< 1st and 99th percentile over the cycle
  uint16_t *pixels;      ///< [phases][height][width]
  int stored;            ///< number of the slice in its file; DICOM: as here
} CineSlice;

/** A stack. Slice 0 is the most basal one. */
typedef struct CineStack {
  char *location; ///< what it was loaded from
  int width, height, slices, phases;
  double spacing_mm[2]; ///< between columns, between rows
  double gap_mm;        ///< between slices' centres
  bool has_geometry;    ///< whether positions and directions are known
  double row[3];        ///< direction of growing x; NaN: unknown
  double column[3];     ///< direction of growing y; NaN: unknown
  bool flipped;         ///< rows run against those of the file
  bool base_known;      ///< whether slice 0 is the base by geometry
  CineTiming timing;
  double *times_ms;   ///< [phases], from the first phase on, mean of the slices
  double cycle_ms;    ///< mean of the slices
  CineSlice *slice;   ///< [slices]
  uint16_t *pixels;   ///< [slices][phases][height][width]
  const char *format; ///< "DICOM" or "NIfTI"
  char manufacturer[65], model[65]; ///< of the scanner, or empty
  char *notes[CINE_MAX_NOTES];      ///< what a person should know
  int n_notes;
} CineStack;

/** Loads a stack.
 * @param location a directory of DICOM files, one DICOM multi-frame file or a
 *   4-D NIfTI file
 * @return NULL with an error of any kind. */
CineStack *cine_stack_load (const char *location, CineError *error);
void cine_stack_free (CineStack **stack);

/** Picture of one slice at one phase, [height][width]. */
static inline const uint16_t *
cine_picture (const CineStack *stack, int slice, int phase)
{
  return stack->slice[slice].pixels
         + (size_t) phase * stack->width * stack->height;
}

/** Adds a sentence to the notes; those that find no room are dropped. */
void cine_note (CineStack *stack, const char *format, ...)
    __attribute__ ((format (printf, 2, 3)));

#ifdef __cplusplus
}
#endif

#endif
