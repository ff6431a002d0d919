/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CARDIAC_OVERLAYS_SLICE_MARKS_H
#define CARDIAC_OVERLAYS_SLICE_MARKS_H

#include "mmsaview.h"

/// How much longer arrows are than the motion that they stand for.
#define SLICE_MARKS_MAGNIFICATION 4.0

/// What is drawn on one slice of the picture.
typedef struct SliceMarks {
  Piece segments; ///< borders, insertions, dots: change with the result
  Piece motion;   ///< arrows: change with the phase
} SliceMarks;

/// @param em of the dots' digits, pixels
void slice_marks_draw (SliceMarks *marks, TextKit *kit, const MmsaView *view,
    int slice, double em, Key *key, PieceCounter *counter);
void slice_marks_clear (SliceMarks *marks);

#endif
