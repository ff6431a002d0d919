/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "made-j2k.h"

#include <string.h>

#include <openjpeg.h>

#include "../require.h"

typedef struct {
  GByteArray *bytes;
  gsize at;
} Sink;

static OPJ_SIZE_T
write_sink (void *buffer, OPJ_SIZE_T n, void *user)
{
  Sink *sink = user;

  if (sink->at + n > sink->bytes->len)
    g_byte_array_set_size (sink->bytes, sink->at + n);
  memcpy (sink->bytes->data + sink->at, buffer, n);
  sink->at += n;
  return n;
}

static OPJ_BOOL
seek_sink (OPJ_OFF_T to, void *user)
{
  ((Sink *) user)->at = to;
  return OPJ_TRUE;
}

static OPJ_OFF_T
skip_sink (OPJ_OFF_T n, void *user)
{
  ((Sink *) user)->at += n;
  return n;
}

static opj_image_t *
make_image (const J2kShape *shape, gconstpointer samples)
{
  opj_image_cmptparm_t parts[3];
  opj_image_t *image;

  memset (parts, 0, sizeof parts);
  for (gint c = 0; c < shape->components; c++) {
    parts[c].dx = parts[c].dy = 1;
    parts[c].w = shape->width;
    parts[c].h = shape->height;
    parts[c].prec = shape->bits;
    parts[c].sgnd = shape->is_signed;
  }
  image = opj_image_create (shape->components, parts,
      shape->components == 3 ? OPJ_CLRSPC_SRGB : OPJ_CLRSPC_GRAY);
  REQUIRE (image != NULL);
  image->x1 = shape->width;
  image->y1 = shape->height;
  for (gint i = 0; i < shape->width * shape->height; i++)
    for (gint c = 0; c < shape->components; c++) {
      gint at = i * shape->components + c;

      image->comps[c].data[i] =
          shape->bits > 8 ? (shape->is_signed ? ((const gint16 *) samples)[at]
                                              : ((const guint16 *) samples)[at])
                          : ((const guint8 *) samples)[at];
    }
  return image;
}

GByteArray *
made_j2k (const J2kShape *shape, gconstpointer samples)
{
  Sink sink = { g_byte_array_new (), 0 };
  opj_codec_t *codec =
      opj_create_compress (shape->jp2 ? OPJ_CODEC_JP2 : OPJ_CODEC_J2K);
  opj_stream_t *stream = opj_stream_create (1 << 16, OPJ_FALSE);
  opj_image_t *image = make_image (shape, samples);
  opj_cparameters_t parameters;

  opj_set_default_encoder_parameters (&parameters);
  parameters.tcp_mct = shape->transform;
  parameters.irreversible = shape->psnr > 0;
  parameters.tcp_numlayers = 1;
  parameters.numresolution = 4;
  parameters.cp_fixed_quality = shape->psnr > 0;
  parameters.cp_disto_alloc = shape->psnr <= 0;
  parameters.tcp_distoratio[0] = shape->psnr;
  opj_stream_set_user_data (stream, &sink, NULL);
  opj_stream_set_write_function (stream, write_sink);
  opj_stream_set_seek_function (stream, seek_sink);
  opj_stream_set_skip_function (stream, skip_sink);
  REQUIRE (opj_setup_encoder (codec, &parameters, image));
  REQUIRE (opj_start_compress (codec, image, stream));
  REQUIRE (opj_encode (codec, stream));
  REQUIRE (opj_end_compress (codec, stream));
  opj_stream_destroy (stream);
  opj_destroy_codec (codec);
  opj_image_destroy (image);
  if (sink.bytes->len % 2)
    g_byte_array_append (sink.bytes, (const guint8 *) "", 1);
  return sink.bytes;
}
