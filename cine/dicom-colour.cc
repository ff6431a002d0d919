/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "dicom-colour.h"

#include <algorithm>
#include <cstring>

using namespace cine;

namespace {

/* Full-range YCbCr of JPEG (ITU-T T.871), in 16 bits of fraction. */
void
put_ybr (int y, int cb, int cr, uint8_t *pixel)
{
  const int half = 1 << 15;
  int r = y + ((91881 * (cr - 128) + half) >> 16);
  int g = y + ((-22554 * (cb - 128) - 46802 * (cr - 128) + half) >> 16);
  int b = y + ((116130 * (cb - 128) + half) >> 16);

  pixel[0] = (uint8_t) std::clamp (r, 0, 255);
  pixel[1] = (uint8_t) std::clamp (g, 0, 255);
  pixel[2] = (uint8_t) std::clamp (b, 0, 255);
}

/* A sample of one byte or two. */
int
get_value (const Samples &samples, const uint8_t *stored, size_t i)
{
  if (samples.bytes == 1)
    return stored[i];
  int value = stored[2 * i] | stored[2 * i + 1] << 8;
  value &= (1 << samples.bits) - 1;
  if (samples.is_signed && value >> (samples.bits - 1))
    value -= 1 << samples.bits;
  return value;
}

uint8_t
get_grey (const Samples &samples, const uint8_t *stored, size_t i)
{
  int value = get_value (samples, stored, i);

  if (samples.bytes == 2) {
    double range = samples.high - samples.low;
    double share =
        range > 0 ? (value - samples.low) / range : value > samples.low;
    value = (int) (255 * std::clamp (share, 0., 1.) + 0.5);
  }
  return (uint8_t) (samples.inverted ? 255 - value : value);
}

void
show_palette_row (
    const Samples &samples, const uint8_t *stored, size_t i, uint8_t *row)
{
  int last = (int) (samples.palette.size () / 3) - 1;

  for (int x = 0; x < samples.width; x++) {
    int entry = get_value (samples, stored, i + x) - samples.palette_first;
    std::memcpy (
        row + 3 * x, &samples.palette[3 * std::clamp (entry, 0, last)], 3);
  }
}

void
show_422_row (
    const Samples &samples, const uint8_t *stored, size_t i, uint8_t *row)
{
  for (int x = 0; x < samples.width; x++) {
    const uint8_t *pair = stored + 2 * ((i + x) & ~(size_t) 1);
    put_ybr (pair[(i + x) % 2], pair[2], pair[3], row + 3 * x);
  }
}

void
show_three_row (
    const Samples &samples, const uint8_t *stored, size_t i, uint8_t *row)
{
  size_t pixel = samples.planar ? 1 : 3;
  size_t component =
      samples.planar ? (size_t) samples.width * samples.height : 1;
  const uint8_t *from = stored + i * pixel;

  for (int x = 0; x < samples.width; x++, from += pixel, row += 3) {
    if (samples.colour == Colour::YBR)
      put_ybr (from[0], from[component], from[2 * component], row);
    else
      for (int c = 0; c < 3; c++)
        row[c] = from[c * component];
  }
}

int
get_word (const uint8_t *data)
{
  return data[0] << 8 | data[1];
}

/* SOF: all but DHT, JPG and DAC among C0 to CF, and JPEG-LS's. */
bool
is_frame_header (int marker)
{
  return (marker >= 0xc0 && marker <= 0xcf && marker != 0xc4 && marker != 0xc8
             && marker != 0xcc)
         || marker == 0xf7;
}

bool
read_frame_header (int marker, const uint8_t *data, size_t size, JpegHead *head)
{
  if (size < 6 || size < 6 + 3 * (size_t) data[5])
    return false;
  head->lossless = marker == 0xc3 || marker == 0xf7;
  head->height = get_word (data + 1);
  head->width = get_word (data + 3);
  head->components = data[5];
  for (int c = 0; c < std::min (head->components, 4); c++) {
    head->id[c] = data[6 + 3 * c];
    head->factors[c] = data[7 + 3 * c];
  }
  return true;
}

} // namespace

int
Samples::channels () const
{
  return colour == Colour::GREY ? 1 : 3;
}

size_t
Samples::size () const
{
  size_t pixels = (size_t) width * height;

  if (colour == Colour::YBR_422)
    return 2 * ((pixels + 1) & ~(size_t) 1);
  return colour == Colour::RGB || colour == Colour::YBR ? 3 * pixels
                                                        : pixels * bytes;
}

void
cine::show (const Samples &samples, const uint8_t *stored, uint8_t *pixels,
    size_t stride)
{
  for (int y = 0; y < samples.height; y++) {
    size_t i = (size_t) y * samples.width;
    uint8_t *row = pixels + y * stride;

    if (samples.colour == Colour::PALETTE)
      show_palette_row (samples, stored, i, row);
    else if (samples.colour == Colour::YBR_422)
      show_422_row (samples, stored, i, row);
    else if (samples.colour != Colour::GREY)
      show_three_row (samples, stored, i, row);
    else
      for (int x = 0; x < samples.width; x++)
        row[x] = get_grey (samples, stored, i + x);
  }
}

void
cine::find_range (
    const Samples &samples, const uint8_t *stored, double *low, double *high)
{
  size_t n = (size_t) samples.width * samples.height;
  int least = get_value (samples, stored, 0), most = least;

  for (size_t i = 1; i < n; i++) {
    int value = get_value (samples, stored, i);
    least = std::min (least, value);
    most = std::max (most, value);
  }
  *low = least;
  *high = most;
}

bool
cine::read_jpeg_head (const uint8_t *data, size_t size, JpegHead *head)
{
  size_t at = 2;

  *head = JpegHead ();
  if (size < 4 || get_word (data) != 0xffd8)
    return false;
  while (at + 4 <= size && data[at] == 0xff) {
    int marker = data[at + 1];
    if (marker == 0xff) { /* filling */
      at++;
      continue;
    }
    size_t length = get_word (data + at + 2);
    const uint8_t *body = data + at + 4;
    if (length < 2 || at + 2 + length > size)
      return false;
    if (is_frame_header (marker))
      return read_frame_header (marker, body, length - 2, head);
    if (marker == 0xe0 && length >= 7 && !std::memcmp (body, "JFIF", 5))
      head->jfif = true;
    if (marker == 0xee && length >= 14 && !std::memcmp (body, "Adobe", 5)) {
      head->adobe = true;
      head->transform = body[11];
    }
    at += 2 + length;
  }
  return false;
}

Colour
cine::judge_jpeg (const JpegHead &head, bool tag_is_rgb, int *rule)
{
  Colour tagged = tag_is_rgb ? Colour::RGB : Colour::YBR;
  bool thin =
      head.factors[1] != head.factors[0] || head.factors[2] != head.factors[0];

  if (head.jfif && !head.lossless) {
    *rule = 1;
    return Colour::YBR;
  }
  if (head.adobe) {
    *rule = 2;
    return head.transform ? Colour::YBR : Colour::RGB;
  }
  *rule = 0;
  if (head.lossless)
    return tagged;
  if (head.id[0] == 'R' && head.id[1] == 'G' && head.id[2] == 'B') {
    *rule = 3;
    return Colour::RGB;
  }
  *rule = thin ? 4 : tag_is_rgb ? 5 : 0;
  return thin ? Colour::YBR : tagged;
}
