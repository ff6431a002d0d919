/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MADE_CLIP_H
#define MADE_CLIP_H

#ifdef __cplusplus
extern "C" {
#endif

/** Writes a DICOM file by DCMTK.
 * @param elements "gggg,eeee=value" a line, in any order; for an ultrasound
 *   region "region=spatial format,data type,x0,y0,x1,y1"; "fragments=1" for JPEG
 *   in parts of 1 kB
 * @param frames [n_frames][size] plain samples, or fragments that are
 *   compressed as `syntax` says where `is_stream`
 * @param syntax UID that the samples are brought to
 * Returns 0 when it worked. */
int made_clip (const char *path, const char *elements,
    const unsigned char *frames, int n_frames, unsigned size, int is_stream,
    const char *syntax);

#ifdef __cplusplus
}
#endif

#endif
