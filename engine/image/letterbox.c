/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "core/error.h"

#include <cardiac/image.h>
#include <math.h>

/** round () half to even, as Python's and as the sizes of MODELS.md need. */
static int
round_half_even (double value)
{
  double below = floor (value), part = value - below;
  bool up = part > 0.5 || (part == 0.5 && fmod (below, 2) != 0);
  return (int) below + up;
}

static int
scaled (int length, double ratio)
{
  int rounded = round_half_even (length * ratio);
  return rounded < 1 ? 1 : rounded;
}

bool
cardiac_letterbox_place (int picture_width, int picture_height, int side,
    CardiacLetterbox *placement, CardiacError **error)
{
  if (!placement)
    return cardiac_fail (error, CARDIAC_ERROR_INVALID_ARGUMENT,
        "no room was given for the placement");
  if (picture_width < 1 || picture_width > CARDIAC_IMAGE_MAX_SIZE
      || picture_height < 1 || picture_height > CARDIAC_IMAGE_MAX_SIZE)
    return cardiac_fail (error, CARDIAC_ERROR_INVALID_ARGUMENT,
        "a picture of %d x %d pixels is outside 1 x 1 to %d x %d",
        picture_width, picture_height, CARDIAC_IMAGE_MAX_SIZE,
        CARDIAC_IMAGE_MAX_SIZE);
  if (side < 1 || side > CARDIAC_IMAGE_MAX_SIDE)
    return cardiac_fail (error, CARDIAC_ERROR_INVALID_ARGUMENT,
        "a network input of %d pixels is outside 1 to %d", side,
        CARDIAC_IMAGE_MAX_SIDE);

  double across = (double) side / picture_width;
  double down = (double) side / picture_height;
  double ratio = down < across ? down : across;
  int width = scaled (picture_width, ratio);
  int height = scaled (picture_height, ratio);
  *placement = (CardiacLetterbox){ .side = side,
    .picture_width = picture_width,
    .picture_height = picture_height,
    .width = width,
    .height = height,
    .left = round_half_even ((side - width) / 2.0 - 0.1),
    .top = round_half_even ((side - height) / 2.0 - 0.1) };
  return true;
}

static float
back (float position, int start, int picture, int scaled_length)
{
  double value = ((double) position - start) * picture / (double) scaled_length;
  return (float) (value > 0 ? value < picture ? value : picture : 0);
}

void
cardiac_letterbox_to_picture (const CardiacLetterbox *placement, float box[4])
{
  const CardiacLetterbox *p = placement;
  for (int corner = 0; corner < 4; corner += 2) {
    box[corner] = back (box[corner], p->left, p->picture_width, p->width);
    box[corner + 1] =
        back (box[corner + 1], p->top, p->picture_height, p->height);
  }
}
