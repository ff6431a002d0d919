/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CINE_DICOM_J2K_H
#define CINE_DICOM_J2K_H

/* JPEG 2000 through OpenJPEG. A build without it has dicom-j2k-none.cc. */

#include "dicom-colour.h"

namespace cine {

extern const bool has_j2k;

/** Whether a fragment begins a picture: a codestream, or one in a JP2 file. */
bool starts_j2k (const uint8_t *data, size_t size);

/** Whether the codestream's components go through its own transform, so that
 * what is decoded is RGB whatever tags say. */
bool transforms_j2k (const uint8_t *data, size_t size);

/** Decodes a picture of the size, components and bytes of `samples` into
 * [height][width][components], little endian. `why` is set unless true. */
bool decode_j2k (const uint8_t *data, size_t size, const Samples &samples,
    uint8_t *stored, char *why);

} // namespace cine

#endif
