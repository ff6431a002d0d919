/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CINE_ENLARGE_H
#define CINE_ENLARGE_H

#include "cine.h"

/** A rectangle of a picture, pixels; edges lie at half numbers: the whole of a
 * picture is (-0.5, -0.5, width, height). */
typedef struct CineBox {
  double x, y, w, h;
} CineBox;

/** Grey of 16 bits as 8: window[0] becomes 0, window[1] 255. */
void cine_window8 (
    const uint16_t *from, size_t n, const uint16_t window[2], uint8_t *to);

/** A rectangle of a picture, enlarged with Catmull-Rom splines; black outside
 * the picture. False without memory.
 * @param from [height][width]
 * @param to [to_height] rows of to_width pixels, stride bytes apart */
bool cine_enlarge (const uint16_t *from, int width, int height,
    const CineBox *box, const uint16_t window[2], uint8_t *to, int to_width,
    int to_height, size_t stride);

#endif
