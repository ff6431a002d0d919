/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef REGIONS_H
#define REGIONS_H

#include <gst/video/video.h>
#include <mreg-overlay.h>

#include "meta/gstcardiacregionmeta.h"

/* What the regions of an ultrasound screen mean for the elements. */

/** Whether the scanner says that the screen shows M-mode or spectra and no 2-D
 * picture: no heart can be looked at. False where nothing is said. */
gboolean regions_show_no_picture (GstBuffer *buffer);

/** Boxes in which a heart may be found; none: anywhere.
 * @boxes: an array of GstCardiacBox that is filled */
void regions_get_pictures (GstBuffer *buffer, GArray *boxes);

/** Whether a box lies on one of these; always where there are none. */
gboolean regions_hold (const GArray *pictures, const GstCardiacBox *box);

/** Places of the overlay. */
typedef struct {
  guint n_no_draw, n_pictures;
  CardiacOverlayBox no_draw[CARDIAC_OVERLAY_MAX_NO_DRAW];
  CardiacOverlayBox pictures[CARDIAC_OVERLAY_MAX_PICTURES];
} RegionPlaces;

/** Adds the buffer's regions, until there is no room. Those that stay free are
 * widened so that no sample of theirs, colour included, is shared with a pixel
 * outside. */
void regions_add_places (
    RegionPlaces *places, GstBuffer *buffer, const GstVideoInfo *info);

#endif
