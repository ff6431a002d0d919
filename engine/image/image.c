/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "core/error.h"
#include "image/row.h"

#include <stdlib.h>

CardiacImage
cardiac_image_rgb (int width, int height, const uint8_t *data, ptrdiff_t stride)
{
  CardiacImage image = { .width = width,
    .height = height,
    .colour = CARDIAC_COLOUR_RGB,
    .full_range = true };
  for (int c = 0; c < 3; c++) {
    image.component[c].data = data ? data + c : NULL;
    image.component[c].stride = stride;
    image.component[c].pixel_stride = 3;
  }
  return image;
}

static bool
validate_component (const CardiacImage *image, int c, CardiacError **error)
{
  const CardiacComponent *component = &image->component[c];
  if (!component->data)
    return cardiac_fail (error, CARDIAC_ERROR_INVALID_ARGUMENT,
        "component %d of the picture has no data", c);
  if (component->pixel_stride < 1 || component->pixel_stride > 16)
    return cardiac_fail (error, CARDIAC_ERROR_INVALID_ARGUMENT,
        "component %d has a pixel stride of %d bytes; 1 to 16 are possible", c,
        component->pixel_stride);

  int most = image->colour == CARDIAC_COLOUR_YUV && c > 0 ? 2 : 0;
  if (component->hsub < 0 || component->hsub > most || component->vsub < 0
      || component->vsub > most)
    return cardiac_fail (error, CARDIAC_ERROR_INVALID_ARGUMENT,
        "component %d is subsampled by 2^%d across and 2^%d down; 2^0 to 2^%d "
        "are possible",
        c, component->hsub, component->vsub, most);

  ptrdiff_t samples =
      (image->width + (1 << component->hsub) - 1) >> component->hsub;
  ptrdiff_t needed = (samples - 1) * component->pixel_stride + 1;
  ptrdiff_t rows =
      (image->height + (1 << component->vsub) - 1) >> component->vsub;
  ptrdiff_t limit = PTRDIFF_MAX / CARDIAC_IMAGE_MAX_SIZE;
  bool near = component->stride > -needed && component->stride < needed;
  if (rows > 1
      && (near || component->stride > limit || component->stride < -limit))
    return cardiac_fail (error, CARDIAC_ERROR_INVALID_ARGUMENT,
        "component %d has a stride of %td bytes, but a row holds %td", c,
        component->stride, needed);
  return true;
}

bool
cardiac_image_validate (const CardiacImage *image, CardiacError **error)
{
  if (!image)
    return cardiac_fail (
        error, CARDIAC_ERROR_INVALID_ARGUMENT, "no picture was given");
  if (image->width < 1 || image->width > CARDIAC_IMAGE_MAX_SIZE
      || image->height < 1 || image->height > CARDIAC_IMAGE_MAX_SIZE)
    return cardiac_fail (error, CARDIAC_ERROR_INVALID_ARGUMENT,
        "a picture of %d x %d pixels is outside 1 x 1 to %d x %d", image->width,
        image->height, CARDIAC_IMAGE_MAX_SIZE, CARDIAC_IMAGE_MAX_SIZE);
  /* Callers may have cast anything into these. */
  if ((unsigned) image->colour > CARDIAC_COLOUR_YUV
      || (unsigned) image->matrix > CARDIAC_MATRIX_BT2020
      || (unsigned) image->chroma_site > CARDIAC_CHROMA_TOP)
    return cardiac_fail (error, CARDIAC_ERROR_INVALID_ARGUMENT,
        "unknown colour model %d, matrix %d or chroma site %d",
        (int) image->colour, (int) image->matrix, (int) image->chroma_site);
  int components = image->colour == CARDIAC_COLOUR_GRAY ? 1 : 3;
  for (int c = 0; c < components; c++)
    if (!validate_component (image, c, error))
      return false;
  return true;
}

bool
cardiac_image_to_rgb (
    const CardiacImage *image, uint8_t *out, CardiacError **error)
{
  if (!cardiac_image_validate (image, error))
    return false;
  if (!out)
    return cardiac_fail (error, CARDIAC_ERROR_INVALID_ARGUMENT,
        "no memory was given for the RGB picture");

  int width = image->width;
  size_t row_size = ((size_t) width * sizeof (uint32_t) + 63) / 64 * 64;
  char *memory =
      aligned_alloc (64, row_size + cardiac_rows_scratch_size (width));
  if (!memory)
    return cardiac_fail (error, CARDIAC_ERROR_NO_MEMORY,
        "out of memory for a row of %d pixels", width);

  uint32_t *pixels = (uint32_t *) memory;
  CardiacRows rows;
  cardiac_rows_init (&rows, image, 0, width, memory + row_size);
  for (int y = 0; y < image->height; y++) {
    cardiac_rows_read (&rows, y, pixels);
    for (int x = 0; x < width; x++) {
      *out++ = (uint8_t) CARDIAC_PIXEL_R (pixels[x]);
      *out++ = (uint8_t) CARDIAC_PIXEL_G (pixels[x]);
      *out++ = (uint8_t) CARDIAC_PIXEL_B (pixels[x]);
    }
  }
  free (memory);
  return true;
}
