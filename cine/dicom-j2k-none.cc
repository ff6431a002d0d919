/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "dicom-j2k.h"

const bool cine::has_j2k = false;

bool
cine::starts_j2k (const uint8_t *, size_t)
{
  return false;
}

bool
cine::transforms_j2k (const uint8_t *, size_t)
{
  return false;
}

bool
cine::decode_j2k (const uint8_t *, size_t, const Samples &, uint8_t *, char *)
{
  return false;
}
