/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CARDIAC_IMAGE_RESIZE_H
#define CARDIAC_IMAGE_RESIZE_H

#include "image/taps.h"

#include <cardiac/image.h>

/** How a network's input [3,side,side] is made of a picture: a rectangle of the
 * picture is resized into a rectangle of the input, with padding around it. The
 * CPU and devices do the same. */
typedef struct CardiacResize {
  double x, y, width, height; ///< of the picture, its pixels; black outside it
  bool antialias;             ///< widen the filters when shrinking
  bool rounded;               ///< values are rounded to 8 bits, half up
  int side;                   ///< of the input, pixels
  CardiacRectangle into;      ///< of the input
  float padding;              ///< 0..255
  float scale[3], shift[3];   ///< out = value scale + shift; of padding, too
} CardiacResize;

/** That of cardiac_resizer_square_to_tensor().
 * @return false with INVALID_ARGUMENT, as there. */
CARDIAC_API bool cardiac_resize_square (const CardiacSquare *crop, int side,
    const float mean[3], const float std[3], CardiacResize *resize,
    CardiacError **error);

/** That of cardiac_resizer_letterbox_to_tensor().
 * @param placement as cardiac_letterbox_place() gives it. */
CARDIAC_API CardiacResize cardiac_resize_letterbox (
    const CardiacLetterbox *placement);

/** Its filters for a picture. */
CARDIAC_API CardiacAxis cardiac_resize_across (
    const CardiacResize *resize, const CardiacImage *image);
CARDIAC_API CardiacAxis cardiac_resize_down (
    const CardiacResize *resize, const CardiacImage *image);

#endif
