/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CINE_DICOM_TIMING_H
#define CINE_DICOM_TIMING_H

#include "reader.h"

#include <dcmtk/config/osconfig.h>
#include <dcmtk/dcmdata/dctk.h>

namespace cine {

/** Times of `clip`'s frames, whose numbers are set, by the first of these that
 * makes sense: Frame Time Vector, Frame Time, Cine Rate, Recommended Display
 * Frame Rate, Effective Duration; else 30 frames a second. What does not is
 * noted. False: out of memory. */
bool take_timing (DcmItem &set, CineClip *clip);

/** Length of a beat, by the median time between R waves, else by the heart rate;
 * left at 0 where neither makes sense. */
void take_beat (DcmItem &set, CineClip *clip);

/** Adds a sentence to the clip's notes. */
void note (CineClip *clip, const char *format, ...)
    __attribute__ ((format (printf, 2, 3)));

} // namespace cine

#endif
