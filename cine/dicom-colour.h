/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CINE_DICOM_COLOUR_H
#define CINE_DICOM_COLOUR_H

/* What stored samples mean, and their way to RGB or grey of 8 bits. */

#include <cstddef>
#include <cstdint>
#include <vector>

namespace cine {

enum class Colour { GREY, PALETTE, RGB, YBR, YBR_422 };

/** Stored samples of one frame: little endian, whole rows without padding. */
struct Samples {
  Colour colour;
  int width, height;
  bool planar;    ///< component after component
  bool is_signed; ///< 16-bit samples alone
  bool inverted;  ///< low values are bright
  int bytes;      ///< a sample, 1 or 2
  int bits;       ///< of a sample that count
  /** Stored values that become 0 and 255, of 16-bit grey. */
  double low, high;
  std::vector<uint8_t> palette; ///< RGB after RGB
  int palette_first;            ///< stored value of the first entry

  int channels () const; ///< of the picture: 1 or 3
  /** Bytes of a frame as stored. YBR_422 is Y Y Cb Cr for two pixels. */
  size_t size () const;
};

/** Shows a frame. */
void show (const Samples &samples, const uint8_t *stored, uint8_t *pixels,
    size_t stride);

/** Lowest and highest value of a frame of grey. */
void find_range (
    const Samples &samples, const uint8_t *stored, double *low, double *high);

/** What the head of a JPEG stream says. */
struct JpegHead {
  bool jfif, adobe, lossless;
  int transform; ///< of the Adobe marker: 0 RGB, 1 YCbCr
  int width, height, components;
  int id[4], factors[4]; ///< horizontal and vertical sampling, a nibble each
};

/** False where the stream has no frame header. */
bool read_jpeg_head (const uint8_t *data, size_t size, JpegHead *head);

/** Colour of three components, and the rule (1 to 5, 0: the tag decides) that
 * says so. Rules in their order: JFIF; Adobe; identifiers 'R', 'G', 'B'; thinner
 * chroma; the tag says RGB. Lossless processes do not transform colour: Adobe,
 * then the tag. */
Colour judge_jpeg (const JpegHead &head, bool tag_is_rgb, int *rule);

} // namespace cine

#endif
