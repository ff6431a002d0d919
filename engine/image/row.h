/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CARDIAC_IMAGE_ROW_H
#define CARDIAC_IMAGE_ROW_H

#include <cardiac/image.h>

/** Reads rows of a valid picture as packed pixels of 4 bytes in memory order
 * R, G, B, 0 (full range). The picture and the scratch memory must outlive it.
 * Everything about the layout is worked out once, in cardiac_rows_init(). */
typedef struct CardiacRows {
  const CardiacImage *image;
  int x0, x1;               ///< columns read: [x0, x1)
  int chroma_x0, chroma_x1; ///< chroma samples of these columns
  int16_t *line[2];         ///< a row of Cb and Cr between rows, times 8
  int16_t *full[2];         ///< the same between columns, times 64
  float luma;               ///< R, G, B per step of Y
  float red_cr, green_cb, green_cr, blue_cb; ///< per 1/64 step of Cb, Cr
  float red, green, blue; ///< constant terms, with 0.5 for rounding
  uint8_t expand[256];    ///< sample range to full range, gray and RGB
} CardiacRows;

/** Bytes of scratch memory that reading `columns` columns takes. */
CARDIAC_API size_t cardiac_rows_scratch_size (int columns);

/** @param scratch aligned to 64 bytes, of the size above. */
CARDIAC_API void cardiac_rows_init (CardiacRows *rows,
    const CardiacImage *image, int x0, int x1, void *scratch);

/** Writes pixels [x0, x1) of row y to `out`. */
void cardiac_rows_read (CardiacRows *rows, int y, uint32_t *out);

/** The bytes R, G, B of a packed pixel. */
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
#define CARDIAC_PIXEL(r, g, b)                                                 \
  ((uint32_t) (r) | (uint32_t) (g) << 8 | (uint32_t) (b) << 16)
#define CARDIAC_PIXEL_R(p) ((p) &255)
#define CARDIAC_PIXEL_G(p) ((p) >> 8 & 255)
#define CARDIAC_PIXEL_B(p) ((p) >> 16 & 255)
#else
#define CARDIAC_PIXEL(r, g, b)                                                 \
  ((uint32_t) (r) << 24 | (uint32_t) (g) << 16 | (uint32_t) (b) << 8)
#define CARDIAC_PIXEL_R(p) ((p) >> 24)
#define CARDIAC_PIXEL_G(p) ((p) >> 16 & 255)
#define CARDIAC_PIXEL_B(p) ((p) >> 8 & 255)
#endif

#endif
