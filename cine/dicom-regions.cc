/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "dicom-regions.h"

#include "dicom-set.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <vector>

using namespace cine;

namespace {

const unsigned long MAX_ITEMS = 1024; /* that are looked at */

/* Where a region begins and how long it is along one axis of `size` pixels; the
 * file names its first and last pixel. False: no pixel of the picture. */
bool
cut (double first, double last, int size, int *from, int *length)
{
  if (!(first >= 0) || !(last >= first) || first >= size)
    return false;
  *from = (int) first;
  *length = (int) std::min (last, size - 1.0) - *from + 1;
  return true;
}

bool
take_region (DcmItem &item, const CineClip *clip, CineRegion *region)
{
  const DcmTagKey references[] = { DCM_ReferencePixelX0, DCM_ReferencePixelY0 };
  const DcmTagKey values[] = { DCM_ReferencePixelPhysicalValueX,
    DCM_ReferencePixelPhysicalValueY };
  const DcmTagKey units[] = { DCM_PhysicalUnitsXDirection,
    DCM_PhysicalUnitsYDirection };
  const DcmTagKey deltas[] = { DCM_PhysicalDeltaX, DCM_PhysicalDeltaY };
  double left = number (item, DCM_RegionLocationMinX0);
  double top = number (item, DCM_RegionLocationMinY0);

  *region = CineRegion ();
  if (!cut (left, number (item, DCM_RegionLocationMaxX1), clip->width,
          &region->x, &region->width)
      || !cut (top, number (item, DCM_RegionLocationMaxY1), clip->height,
          &region->y, &region->height))
    return false;
  region->format = integer (item, DCM_RegionSpatialFormat);
  region->type = integer (item, DCM_RegionDataType);
  region->flags = (unsigned) integer (item, DCM_RegionFlags);
  for (int axis = 0; axis < 2; axis++) {
    region->unit[axis] = integer (item, units[axis]);
    region->delta[axis] = number (item, deltas[axis]);
    region->value[axis] = number (item, values[axis]);
    /* The file counts from the region's corner. */
    region->reference[axis] =
        number (item, references[axis]) + (axis ? top : left);
    if (region->delta[axis] == 0)
      region->delta[axis] = NAN;
  }
  return true;
}

bool
is_same (const CineRegion &a, const CineRegion &b)
{
  return a.format == b.format && a.type == b.type && a.x == b.x && a.y == b.y
         && a.width == b.width && a.height == b.height;
}

} // namespace

bool
cine::take_regions (DcmItem &set, CineClip *clip)
{
  DcmSequenceOfItems *sequence = nullptr;
  std::vector<CineRegion> found;

  if (set.findAndGetSequence (DCM_SequenceOfUltrasoundRegions, sequence).bad ()
      || !sequence)
    return true;
  unsigned long n = std::min (sequence->card (), MAX_ITEMS);
  clip->n_senseless = (int) std::min (sequence->card () - n, 1000000ul);
  for (unsigned long i = 0; i < n; i++) {
    CineRegion region;
    DcmItem *item = sequence->getItem (i);
    bool fits = item && take_region (*item, clip, &region);
    if (fits
        && std::any_of (found.begin (), found.end (),
            [&] (const CineRegion &r) { return is_same (r, region); }))
      continue;
    if (fits && found.size () < CINE_MAX_REGIONS)
      found.push_back (region);
    else
      clip->n_senseless++;
  }
  if (found.empty ())
    return true;
  clip->regions =
      (CineRegion *) std::malloc (found.size () * sizeof (CineRegion));
  if (!clip->regions)
    return false;
  std::copy (found.begin (), found.end (), clip->regions);
  clip->n_regions = (int) found.size ();
  return true;
}
