/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CARDIAC_TESTS_PIXEL_H
#define CARDIAC_TESTS_PIXEL_H

#include <cairo.h>
#include <stdint.h>
#include <string.h>

/// 0xAARRGGBB of a 32-bit image.
static inline uint32_t
pixel (cairo_surface_t *surface, int x, int y)
{
  const unsigned char *row =
      cairo_image_surface_get_data (surface)
      + (size_t) y * (size_t) cairo_image_surface_get_stride (surface);
  uint32_t value;
  memcpy (&value, row + 4 * (size_t) x, 4);
  return value;
}

#endif
