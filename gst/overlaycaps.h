/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef OVERLAY_CAPS_H
#define OVERLAY_CAPS_H

#include <gst/gst.h>

#include "gstcardiacenums.h"

/* What comes out of cardiacoverlay for what goes in: the canvas' size, and
 * whether the overlay travels as a composition. */

/* What can be drawn on, in pixels. */
#define OVERLAY_SIZE_RANGE "[ 64, 16384 ]"

/** Whether the canvas of a picture of this size grows below it. */
gboolean overlay_caps_is_below (
    GstCardiacContent content, gint width, gint height);

/** Sizes across the element when the canvas is larger than the picture.
 * @direction: of the pad that @caps are those of */
GstCaps *overlay_caps_resize (
    GstPadDirection direction, GstCaps *caps, GstCardiacContent content);

/** @caps with or without the feature of overlay compositions. */
GstCaps *overlay_caps_set_composition (GstCaps *caps, gboolean composition);

/** Whether what is behind @srcpad names the feature; one that takes anything
 * does not. */
gboolean overlay_caps_takes_composition (GstPad *srcpad, GstCaps *with_feature);

gboolean overlay_caps_has_composition (GstCaps *caps);

#endif
