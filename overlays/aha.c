/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "aha.h"

#include <math.h>

#define DEGREE 0.017453292519943295

/* Cerqueira et al., Circulation 105 (2002). Basal and mid segments 2 and 8
 * begin at the anterior insertion; the apical ones are 90 degrees wide and 14
 * is centred on the middle of a septum of 120 degrees. */
static const AhaSegment segments[AHA_SEGMENTS] = {
  { AHA_BASAL, "basal anterior", 300, 60 },
  { AHA_BASAL, "basal anteroseptal", 0, 60 },
  { AHA_BASAL, "basal inferoseptal", 60, 60 },
  { AHA_BASAL, "basal inferior", 120, 60 },
  { AHA_BASAL, "basal inferolateral", 180, 60 },
  { AHA_BASAL, "basal anterolateral", 240, 60 },
  { AHA_MID, "mid anterior", 300, 60 },
  { AHA_MID, "mid anteroseptal", 0, 60 },
  { AHA_MID, "mid inferoseptal", 60, 60 },
  { AHA_MID, "mid inferior", 120, 60 },
  { AHA_MID, "mid inferolateral", 180, 60 },
  { AHA_MID, "mid anterolateral", 240, 60 },
  { AHA_APICAL, "apical anterior", 285, 90 },
  { AHA_APICAL, "apical septal", 15, 90 },
  { AHA_APICAL, "apical inferior", 105, 90 },
  { AHA_APICAL, "apical lateral", 195, 90 },
};

static const AhaSide sides[AHA_SIDES] = {
  { "Ant", 330 },
  { "Sept", 60 },
  { "Inf", 150 },
  { "Lat", 240 },
};

const AhaSegment *
aha_segment (int number)
{
  return &segments[number - 1];
}

const char *
aha_level_name (AhaLevel level)
{
  static const char *names[AHA_LEVELS] = { "basal", "mid", "apical" };
  return names[level];
}

void
aha_ring (AhaLevel level, double *inner, double *outer)
{
  double width = (1.0 - AHA_CENTRE) / AHA_LEVELS;
  *outer = 1.0 - (double) level * width;
  *inner = *outer - width;
}

const AhaSide *
aha_side (int i)
{
  return &sides[i];
}

bool
aha_orient (const double centre[2], const double anterior[2],
    const double inferior[2], AhaOrientation *orientation)
{
  double to_anterior[2], to_inferior[2];
  for (int i = 0; i < 2; i++) {
    if (!isfinite (centre[i]) || !isfinite (anterior[i])
        || !isfinite (inferior[i]))
      return false;
    to_anterior[i] = anterior[i] - centre[i];
    to_inferior[i] = inferior[i] - centre[i];
  }
  double a = hypot (to_anterior[0], to_anterior[1]);
  double b = hypot (to_inferior[0], to_inferior[1]);
  double dot =
      to_anterior[0] * to_inferior[0] + to_anterior[1] * to_inferior[1];
  double cross =
      to_anterior[0] * to_inferior[1] - to_anterior[1] * to_inferior[0];
  if (!(a >= 1.0) || !(b >= 1.0) || a > 1e6 || b > 1e6
      || fabs (cross) < 1e-3 * a * b)
    return false;
  *orientation = (AhaOrientation){
    .centre = { centre[0], centre[1] },
    .radius = (a + b) / 2.0,
    .anterior = atan2 (to_anterior[1], to_anterior[0]),
    .sense = cross > 0.0 ? 1.0 : -1.0,
    .septum = atan2 (fabs (cross), dot) / DEGREE,
  };
  return true;
}

double
aha_picture_angle (const AhaOrientation *orientation, double degrees)
{
  return orientation->anterior + orientation->sense * degrees * DEGREE;
}
