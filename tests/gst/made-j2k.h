/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MADE_J2K_H
#define MADE_J2K_H

#include <glib.h>

/** How a picture is compressed. */
typedef struct {
  gint width, height, components;
  gint bits; ///< 1 to 16; above 8 samples are gint16
  gboolean is_signed;
  gboolean transform; ///< of components: RCT, or ICT where lossy
  gdouble psnr;       ///< dB; 0: lossless
  gboolean jp2;       ///< a JP2 file, not a bare codestream
} J2kShape;

/** A JPEG 2000 picture by OpenJPEG, of an even size. Free it. */
GByteArray *made_j2k (const J2kShape *shape, gconstpointer samples);

#endif
