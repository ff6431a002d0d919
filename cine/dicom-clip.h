/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CINE_DICOM_CLIP_H
#define CINE_DICOM_CLIP_H

#include "reader.h"

namespace cine {

/* As in CineDicomReader. */
CineRead clip_open (const char *path, CineClip *clip, char *why);
bool clip_frame (
    CineClip *clip, int frame, uint8_t *pixels, size_t stride, char *why);
void clip_close (CineClip *clip);

} // namespace cine

#endif
