/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CARDIAC_IMAGE_H
#define CARDIAC_IMAGE_H

#include <cardiac/error.h>
#include <cardiac/export.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

CARDIAC_BEGIN_DECLS

/* From a video frame to a network's tensor in one pass.
 *
 * Every function reads the frame where it lies, whatever its layout. What a
 * frame *shows* is defined once: its 8-bit full-range RGB, as
 * cardiac_image_to_rgb() writes it. Resizing and the coloured fraction work on
 * exactly those values, so a frame gives the same tensor in every format that
 * holds the same RGB. (Signatures read luma alone, which is cheaper.)
 *
 * Conversion Y'CbCr -> R'G'B' follows ITU-R BT.601-7, BT.709-6 and BT.2020-2
 * (non-constant luminance), limited (16..235 / 16..240) or full range, rounded
 * to nearest and clipped. Subsampled chroma is interpolated linearly in both
 * directions at the position that `chroma_site` states, edges replicated;
 * frames are taken as progressive. Transfer functions and primaries are left
 * alone, alpha is ignored. */

/** What a picture's components mean. */
typedef enum CardiacColour {
  CARDIAC_COLOUR_GRAY = 0, ///< component[0] is grey (luma)
  CARDIAC_COLOUR_RGB = 1,  ///< components are R', G', B'
  CARDIAC_COLOUR_YUV = 2,  ///< components are Y', Cb, Cr
} CardiacColour;

/** The matrix between Y'CbCr and R'G'B'; read for CARDIAC_COLOUR_YUV only. */
typedef enum CardiacMatrix {
  CARDIAC_MATRIX_BT601 = 0,
  CARDIAC_MATRIX_BT709 = 1,
  CARDIAC_MATRIX_BT2020 = 2,
} CardiacMatrix;

/** Where a chroma sample lies among the luma samples that share it. Has an
 * effect only along directions that are subsampled. */
typedef enum CardiacChromaSite {
  CARDIAC_CHROMA_CENTRE = 0,   ///< in the middle both ways: JPEG, MPEG-1
  CARDIAC_CHROMA_LEFT = 1,     ///< left column, middle of rows: MPEG-2, H.264
  CARDIAC_CHROMA_TOP_LEFT = 2, ///< on the first luma sample: BT.2020, DV 4:2:2
  CARDIAC_CHROMA_TOP = 3,      ///< middle of columns, top row
} CardiacChromaSite;

enum {
  CARDIAC_IMAGE_MAX_SIZE = 16384, ///< pixels a picture may be wide or high
  CARDIAC_IMAGE_MAX_SIDE = 4096,  ///< largest side of a network's input
};

/** One component (channel) of a picture. Nothing is owned. */
typedef struct CardiacComponent {
  const uint8_t *data; ///< its first sample, top left
  ptrdiff_t stride;    ///< bytes from a row to the next; negative: bottom up
  int pixel_stride;    ///< bytes from a sample to the next in a row, 1..16
  int hsub, vsub;      ///< log2 of the subsampling, 0..2; 0 but for Cb and Cr
} CardiacComponent;

/** Any packed, planar or semi-planar picture of 8 bits a component.
 *
 * A value object that borrows the samples; they are only read, and only during
 * a call. A subsampled component has ceil (width / 2^hsub) samples a row and
 * ceil (height / 2^vsub) rows. With GStreamer: `data`, `stride`, `pixel_stride`
 * are GST_VIDEO_FRAME_COMP_DATA, _STRIDE, _PSTRIDE and `hsub`, `vsub` are
 * GST_VIDEO_FORMAT_INFO_W_SUB, _H_SUB of component c. */
typedef struct CardiacImage {
  int width, height;             ///< pixels, 1..CARDIAC_IMAGE_MAX_SIZE
  CardiacColour colour;          ///< meaning of `component`
  CardiacComponent component[3]; ///< in the order R,G,B or Y,Cb,Cr; gray: [0]
  CardiacMatrix matrix;          ///< for YUV
  CardiacChromaSite chroma_site; ///< for YUV
  bool full_range;               ///< samples span 0..255 and not 16..235 (240)
} CardiacImage;

/** A square of a picture, in its pixels; the picture's left and top edges are
 * at 0 (pixel centres at half integers). May lie partly or wholly outside. */
typedef struct CardiacSquare {
  double x, y; ///< left and top edge
  double side; ///< > 0, at most 65536
} CardiacSquare;

/** A rectangle of whole pixels. */
typedef struct CardiacRectangle {
  int x, y, width, height; ///< pixels
} CardiacRectangle;

/** Describes packed 8-bit full-range RGB: R, G, B, R, G, B, ...
 * @param stride bytes from a row to the next, at least 3 * width. */
CARDIAC_API CardiacImage cardiac_image_rgb (
    int width, int height, const uint8_t *data, ptrdiff_t stride);

/** Checks everything that the functions below require of a picture, as each of
 * them does itself: sizes, pointers, strides, enumerations.
 * @return false with CARDIAC_ERROR_INVALID_ARGUMENT. */
CARDIAC_API bool cardiac_image_validate (
    const CardiacImage *image, CardiacError **error);

/** Converts the whole picture to packed RGB.
 * @param out [height, width, 3], no padding, R first, 0..255. */
CARDIAC_API bool cardiac_image_to_rgb (
    const CardiacImage *image, uint8_t *out, CardiacError **error);

/* ---- resizing ---------------------------------------------------------- */

/** Filter taps and scratch rows, kept between calls: as long as a frame's
 * geometry does not change, resizing allocates nothing. One resizer serves one
 * thread at a time. The functions that take one give the same bits with a new
 * and with a used one; the forms without are for occasional use. */
typedef struct CardiacResizer CardiacResizer;

/** @return a resizer, or NULL with CARDIAC_ERROR_NO_MEMORY. Free it with
 * cardiac_resizer_free(). */
CARDIAC_API CardiacResizer *cardiac_resizer_new (CardiacError **error);

/** Frees `*resizer` (may be NULL) and sets it to NULL. */
CARDIAC_API void cardiac_resizer_free (CardiacResizer **resizer);

/** Cuts a square out of a picture, resizes and normalises it.
 *
 * Bilinear with half-pixel centres; when shrinking, the triangle is widened by
 * the scale (antialias), as Pillow's resize (BILINEAR) does after crop (). The
 * filter never reaches beyond the square: taps that would are dropped and the
 * rest is normalised. Pixels of the square outside the picture are black
 * (R = G = B = 0 before normalising). The two passes run in float; nothing is
 * rounded between. out = (value / 255 - mean) / std.
 *
 * @param crop the square; whole numbers give exactly crop-then-resize.
 * @param side pixels of the result, 1..CARDIAC_IMAGE_MAX_SIDE.
 * @param mean, std of R, G, B on the scale 0..1; std > 0.
 * @param out [3, side, side], R plane first.
 * @return false with CARDIAC_ERROR_INVALID_ARGUMENT or _NO_MEMORY; `out` is
 * then unchanged. */
CARDIAC_API bool cardiac_resizer_square_to_tensor (CardiacResizer *resizer,
    const CardiacImage *image, const CardiacSquare *crop, int side,
    const float mean[3], const float std[3], float *out, CardiacError **error);

/** cardiac_resizer_square_to_tensor() with a resizer of its own. */
CARDIAC_API bool cardiac_image_square_to_tensor (const CardiacImage *image,
    const CardiacSquare *crop, int side, const float mean[3],
    const float std[3], float *out, CardiacError **error);

/** Where a letterboxed picture lies in the network's input. */
typedef struct CardiacLetterbox {
  int side;                          ///< of the network's input, pixels
  int picture_width, picture_height; ///< the frame, pixels
  int width, height;                 ///< the resized frame inside the input
  int left, top;                     ///< its first column and row
} CardiacLetterbox;

/** Resizes a whole picture into a padded square, as YOLOv8 expects it:
 * r = min (side / height, side / width), also above 1; width and height times
 * r, rounded half to even (at least 1); bilinear with half-pixel centres and
 * *no* antialias, rounded to 8 bits (half up); top = round ((side - height') /
 * 2 - 0.1), left likewise; the padding is 114. out = value / 255.
 *
 * @param side 1..CARDIAC_IMAGE_MAX_SIDE, usually 640.
 * @param out [3, side, side], R plane first, 0..1.
 * @param placement receives the geometry; may be NULL.
 * @return false as cardiac_resizer_square_to_tensor(). */
CARDIAC_API bool cardiac_resizer_letterbox_to_tensor (CardiacResizer *resizer,
    const CardiacImage *image, int side, float *out,
    CardiacLetterbox *placement, CardiacError **error);

/** cardiac_resizer_letterbox_to_tensor() with a resizer of its own. */
CARDIAC_API bool cardiac_image_letterbox_to_tensor (const CardiacImage *image,
    int side, float *out, CardiacLetterbox *placement, CardiacError **error);

/** The geometry alone.
 * @return false with CARDIAC_ERROR_INVALID_ARGUMENT. */
CARDIAC_API bool cardiac_letterbox_place (int picture_width, int picture_height,
    int side, CardiacLetterbox *placement, CardiacError **error);

/** Maps a box from pixels of the network's input to pixels of the picture, in
 * place, clipped to the picture: x = (x' - left) * picture_width / width.
 * @param box x1, y1, x2, y2. */
CARDIAC_API void cardiac_letterbox_to_picture (
    const CardiacLetterbox *placement, float box[4]);

/* ---- what a picture shows ---------------------------------------------- */

/** A colour distance (see cardiac_image_coloured_fraction()) that separates
 * colour Doppler from grey images, JPEG noise and dim tints. */
#define CARDIAC_COLOURED_THRESHOLD 48

/** A coloured fraction of the inner picture above which a frame holds colour
 * Doppler. See engine/image/README.md for the measurement. */
#define CARDIAC_COLOURED_FRACTION 0.005f

/** The share of coloured pixels in a part of a picture.
 *
 * A pixel is coloured if max (R,G,B) - min (R,G,B) > threshold. In parts with
 * more than 540 rows only every second, third, ... row is looked at.
 *
 * @param region where to look; clipped to the picture; NULL: the inner part of
 * the picture that cardiac_image_inner_region() gives.
 * @param threshold 0..254, usually CARDIAC_COLOURED_THRESHOLD.
 * @return 0..1; a region without a pixel gives 0; -1 with
 * CARDIAC_ERROR_INVALID_ARGUMENT or _NO_MEMORY. */
CARDIAC_API float cardiac_image_coloured_fraction (const CardiacImage *image,
    const CardiacRectangle *region, int threshold, CardiacError **error);

/** The part of an ultrasound screen where no coloured writing is expected: the
 * frame without 15 % at the left and right, 12 % at the top and 20 % at the
 * bottom (colour bar, menus, the machine's marks, the ECG trace). */
CARDIAC_API CardiacRectangle cardiac_image_inner_region (int width, int height);

enum {
  CARDIAC_SIGNATURE_COLUMNS = 64,
  CARDIAC_SIGNATURE_ROWS = 48,
};

/** A frame in miniature: the mean luma of each cell of a 64 x 48 grid. Kept by
 * value (6 KiB); compare signatures of the same region only. */
typedef struct CardiacSignature {
  uint16_t cell[CARDIAC_SIGNATURE_ROWS][CARDIAC_SIGNATURE_COLUMNS]; ///< full-
      ///< range luma in 1/256 grey
      ///< levels, 0..65280
  float mean;     ///< of the cells, grey levels 0..255
  float cell_min; ///< darkest cell, grey levels
  float cell_max; ///< brightest cell, grey levels
} CardiacSignature;

/** How far two signatures are apart, in grey levels. */
typedef struct CardiacSignatureDifference {
  float mean; ///< mean over the cells of the absolute difference
  float max;  ///< the largest absolute difference of a cell
} CardiacSignatureDifference;

/** Computes a signature: every pixel of the region counts.
 * @param region part to look at, clipped to the picture; NULL: all of it. It
 * must share a pixel with the picture. */
CARDIAC_API bool cardiac_image_signature (const CardiacImage *image,
    const CardiacRectangle *region, CardiacSignature *signature,
    CardiacError **error);

CARDIAC_API CardiacSignatureDifference cardiac_signature_difference (
    const CardiacSignature *a, const CardiacSignature *b);

/** Whether two signatures show the same picture but for the noise of a capture
 * card or a codec: mean <= 0.5 and max <= 6 grey levels. Where the machine's
 * writing or ECG moves on over a still picture, take signatures of the region
 * without them. */
CARDIAC_API bool cardiac_signature_same (
    const CardiacSignature *a, const CardiacSignature *b);

/** Whether nothing is shown: all cells within 6 grey levels of each other (a
 * black, grey or blue screen without writing). */
CARDIAC_API bool cardiac_signature_is_blank (const CardiacSignature *signature);

CARDIAC_END_DECLS

#endif
