/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "dicom-j2k.h"

#include "reader.h"

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <memory>

#include <openjpeg.h>

using namespace cine;

namespace {

const uint8_t CODESTREAM[] = { 0xff, 0x4f, 0xff, 0x51 }; /* SOC, SIZ */
const uint8_t JP2[] = { 0, 0, 0, 12, 'j', 'P', ' ', ' ', 13, 10, 0x87, 10 };

bool
begins (const uint8_t *data, size_t size, const uint8_t *with, size_t length)
{
  return size >= length && !std::memcmp (data, with, length);
}

/* A codestream in memory. */
struct Source {
  const uint8_t *data;
  size_t size, at;
};

OPJ_SIZE_T
read_source (void *buffer, OPJ_SIZE_T n, void *user)
{
  Source *source = (Source *) user;
  n = std::min<OPJ_SIZE_T> (n, source->size - source->at);
  if (n == 0)
    return (OPJ_SIZE_T) -1;
  std::memcpy (buffer, source->data + source->at, n);
  source->at += n;
  return n;
}

OPJ_OFF_T
skip_source (OPJ_OFF_T n, void *user)
{
  Source *source = (Source *) user;
  if (n < 0 || (OPJ_UINT64) n > source->size - source->at)
    return -1;
  source->at += (size_t) n;
  return n;
}

OPJ_BOOL
seek_source (OPJ_OFF_T to, void *user)
{
  Source *source = (Source *) user;
  if (to < 0 || (OPJ_UINT64) to > source->size)
    return OPJ_FALSE;
  source->at = (size_t) to;
  return OPJ_TRUE;
}

/* The first complaint is the cause of the others. */
void
hear (const char *text, void *user)
{
  char *first = (char *) user;
  if (*first)
    return;
  std::snprintf (first, CINE_WHY / 2, "%s", text);
  first[std::strcspn (first, "\r\n")] = '\0';
}

struct CloseCodec {
  void
  operator() (opj_codec_t *codec)
  {
    opj_destroy_codec (codec);
  }
};

struct CloseStream {
  void
  operator() (opj_stream_t *stream)
  {
    opj_stream_destroy (stream);
  }
};

struct CloseImage {
  void
  operator() (opj_image_t *image)
  {
    opj_image_destroy (image);
  }
};

using Codec = std::unique_ptr<opj_codec_t, CloseCodec>;
using Stream = std::unique_ptr<opj_stream_t, CloseStream>;
using Image = std::unique_ptr<opj_image_t, CloseImage>;

int
count_components (const Samples &samples)
{
  return samples.colour == Colour::RGB || samples.colour == Colour::YBR ? 3 : 1;
}

/* Whether the codestream is a picture as the header describes it: before
 * anything is decoded, so that no memory is taken for another one. */
bool
check_image (const opj_image_t &image, const Samples &samples, char *why)
{
  unsigned width = image.x1 - image.x0, height = image.y1 - image.y0;
  bool fits = image.x1 > image.x0 && image.y1 > image.y0
              && width == (unsigned) samples.width
              && height == (unsigned) samples.height
              && image.numcomps == (unsigned) count_components (samples);
  for (unsigned c = 0; fits && c < image.numcomps; c++)
    fits = image.comps[c].dx == 1 && image.comps[c].dy == 1
           && image.comps[c].prec >= 1
           && image.comps[c].prec <= 8u * samples.bytes;
  if (!fits)
    std::snprintf (why, CINE_WHY,
        "its JPEG 2000 picture is %u x %u px of %u components of %u bits, "
        "expected %d x %d of %d of at most %d",
        width, height, image.numcomps, image.numcomps ? image.comps[0].prec : 0,
        samples.width, samples.height, count_components (samples),
        8 * samples.bytes);
  return fits;
}

/* Negative values stay what they are in as many bytes. A palette of a JP2 file
 * makes other components than the header promised. */
bool
store (const opj_image_t &image, const Samples &samples, uint8_t *stored)
{
  size_t n = (size_t) samples.width * samples.height;

  if (image.numcomps != (unsigned) count_components (samples))
    return false;
  for (unsigned c = 0; c < image.numcomps; c++) {
    const opj_image_comp_t &from = image.comps[c];
    if (!from.data || from.w != (unsigned) samples.width
        || from.h != (unsigned) samples.height)
      return false;
    uint8_t *to = stored + (size_t) c * samples.bytes;
    for (size_t i = 0; i < n; i++, to += image.numcomps * samples.bytes) {
      to[0] = (uint8_t) from.data[i];
      if (samples.bytes == 2)
        to[1] = (uint8_t) (from.data[i] >> 8);
    }
  }
  return true;
}

Stream
open_stream (Source *source)
{
  Stream stream (opj_stream_create (1 << 16, OPJ_TRUE));

  if (stream) {
    opj_stream_set_user_data (stream.get (), source, nullptr);
    opj_stream_set_user_data_length (stream.get (), source->size);
    opj_stream_set_read_function (stream.get (), read_source);
    opj_stream_set_skip_function (stream.get (), skip_source);
    opj_stream_set_seek_function (stream.get (), seek_source);
  }
  return stream;
}

} // namespace

const bool cine::has_j2k = true;

bool
cine::starts_j2k (const uint8_t *data, size_t size)
{
  return begins (data, size, CODESTREAM, sizeof CODESTREAM)
         || begins (data, size, JP2, sizeof JP2);
}

bool
cine::transforms_j2k (const uint8_t *data, size_t size)
{
  const uint8_t *end = data + size;
  /* A JP2 file holds the codestream behind some boxes. */
  const uint8_t *at =
      std::search (data, end, CODESTREAM, CODESTREAM + sizeof CODESTREAM);

  /* Segments of the main header, up to the first tile: marker, length. */
  for (at += std::min<size_t> (2, end - at); end - at >= 4 && at[0] == 0xff;) {
    size_t length = (size_t) (at[2] << 8 | at[3]);
    if (at[1] == 0x90 || length < 2 || (size_t) (end - at) < 2 + length)
      return false;
    if (at[1] == 0x52 && length >= 7) /* COD: style, order, layers (2), this */
      return at[8] == 1;
    at += 2 + length;
  }
  return false;
}

bool
cine::decode_j2k (const uint8_t *data, size_t size, const Samples &samples,
    uint8_t *stored, char *why)
{
  bool jp2 = begins (data, size, JP2, sizeof JP2);
  char complaint[CINE_WHY / 2] = "";
  Source source = { data, size, 0 };
  Codec codec (opj_create_decompress (jp2 ? OPJ_CODEC_JP2 : OPJ_CODEC_J2K));
  Stream stream = open_stream (&source);
  opj_dparameters_t parameters;
  opj_image_t *read = nullptr;

  if (!codec || !stream) {
    std::snprintf (why, CINE_WHY, "out of memory");
    return false;
  }
  opj_set_error_handler (codec.get (), hear, complaint);
  opj_set_default_decoder_parameters (&parameters);
  bool fine = opj_setup_decoder (codec.get (), &parameters)
              && opj_read_header (stream.get (), codec.get (), &read);
  Image image (read);
  if (fine && !check_image (*image, samples, why))
    return false;
  if (fine && opj_decode (codec.get (), stream.get (), image.get ())
      && store (*image, samples, stored))
    return true;
  std::snprintf (why, CINE_WHY, "its JPEG 2000 codestream is damaged%s%s%s",
      *complaint ? " (" : "", complaint, *complaint ? ")" : "");
  return false;
}
