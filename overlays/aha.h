/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CARDIAC_OVERLAYS_AHA_H
#define CARDIAC_OVERLAYS_AHA_H

#include <stdbool.h>

/* Where the 16 segments of the American Heart Association's model lie. Angles
 * count from the anterior RV insertion through the septum: on the bull's-eye
 * that is counter-clockwise, on a picture it is as the landmarks say. */

enum { AHA_SEGMENTS = 16, AHA_LEVELS = 3 };

typedef enum AhaLevel { AHA_BASAL, AHA_MID, AHA_APICAL } AhaLevel;

typedef struct AhaSegment {
  AhaLevel level;
  const char *name; ///< "basal anterior"
  double begin;     ///< degrees after the anterior insertion
  double extent;    ///< degrees
} AhaSegment;

/// @param number 1 .. 16
const AhaSegment *aha_segment (int number);
/// "basal", "mid", "apical".
const char *aha_level_name (AhaLevel level);

/// Where the anterior insertion lies on a bull's-eye in AHA's position, degrees
/// counter-clockwise from the right.
#define AHA_ANTERIOR_ANGLE 120.0
/// The septum's share of the ring in that position, degrees.
#define AHA_SEPTUM_ANGLE 120.0

/// Inner and outer radius of a level's ring, as shares of the bull's-eye's.
void aha_ring (AhaLevel level, double *inner, double *outer);
/// Radius of the empty centre, where a 17th segment would be, likewise.
#define AHA_CENTRE 0.2

/// What the four sides are called, and where they are.
typedef struct AhaSide {
  const char *letters;
  double angle; ///< degrees after the anterior insertion
} AhaSide;
enum { AHA_SIDES = 4 };
/// @param i 0 .. 3: anterior, septal, inferior, lateral
const AhaSide *aha_side (int i);

/// How a short-axis picture is oriented; x is the column, y the row.
typedef struct AhaOrientation {
  double centre[2]; ///< of the LV, pixels
  double radius;    ///< mean distance of the insertions from it, pixels
  double anterior;  ///< angle of the anterior insertion, radians, y down
  double sense;     ///< +1: the picture's angle grows through the septum, or -1
  double septum;    ///< from insertion to insertion, degrees, 0 .. 180
} AhaOrientation;

/// The rule of <cardiac/polar.h>: the sense of rotation is the one in which the
/// inferior insertion comes before 180 degrees. False for points that are not
/// finite, coincide, or lie on one line with the centre.
bool aha_orient (const double centre[2], const double anterior[2],
    const double inferior[2], AhaOrientation *orientation);
/// Angle on the picture, radians, y down, of an angle after the insertion.
double aha_picture_angle (const AhaOrientation *orientation, double degrees);

#endif
