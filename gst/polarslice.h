/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef POLAR_SLICE_H
#define POLAR_SLICE_H

#include <cardiac/polar.h>
#include <gst/video/video.h>

#include "meta/gstcardiacslicemeta.h"

/* One slice within a picture, its landmarks and its tables, which are made
 * again only when something about them changes. */

/** Where a slice lies in its picture. */
typedef struct {
  gint x, y, width, height; ///< of the picture; all of it, but for reviews
  CardiacSliceLandmarks landmarks; ///< pixels of the picture
  gdouble side;                    ///< of the crop, pixels; 0: chosen
} PolarPlace;

typedef struct {
  CardiacPolarMap *map; ///< NULL: none yet
  PolarPlace place;     ///< that it was made for
  CardiacPolarGeometry geometry;
} PolarSlice;

/** The whole picture, or the rectangle of a slice on a review picture, and the
 * landmarks of the slice (NULL: none). */
void polar_place_init (PolarPlace *place, const GstVideoInfo *info,
    const GstCardiacSliceMeta *slice);

/** Makes the tables of a place unless they are there. */
gboolean polar_slice_set_place (
    PolarSlice *slice, const PolarPlace *place, CardiacError **error);

/** Maps a picture of GRAY8 or GRAY16_LE.
 * @window: GRAY16 values of black and white
 * @polar: receives rows of 192 bytes, one after the other */
gboolean polar_slice_run (PolarSlice *slice, const GstVideoFrame *frame,
    const gdouble window[2], guint8 *polar, CardiacError **error);

void polar_slice_clear (PolarSlice *slice);

/** 1st and 99th percentile of a picture of GRAY16_LE. */
void polar_find_window (const GstVideoFrame *frame, gdouble window[2]);

#endif
