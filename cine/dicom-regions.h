/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CINE_DICOM_REGIONS_H
#define CINE_DICOM_REGIONS_H

#include "reader.h"

#include <dcmtk/config/osconfig.h>
#include <dcmtk/dcmdata/dctk.h>

namespace cine {

/** Regions of `clip`, whose size is set, by the Sequence of Ultrasound Regions.
 * Boxes are cut to the picture. Left out and counted are those that lie outside
 * it, as in files that were cropped, or are reversed, and those for which there
 * is no room. False: out of memory. */
bool take_regions (DcmItem &set, CineClip *clip);

} // namespace cine

#endif
