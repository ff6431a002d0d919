/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef WATCH_H
#define WATCH_H

#include <cardiac/image.h>
#include <gst/gst.h>

/* Looks at every frame, cheaply: is it a repeat, does the picture stand still,
 * is anything shown at all, is there colour. */

/** Colour is looked for so often; Doppler does not come and go faster. */
#define WATCH_COLOUR_INTERVAL (50 * GST_MSECOND)

typedef struct {
  gboolean has_signature;
  CardiacSignature luma, colour; ///< of the newest distinct picture
  CardiacRectangle region;       ///< that it was computed over
  GstClockTime still_since;      ///< time of that picture
  gboolean has_content;          ///< a picture that is not blank was seen
  GstClockTime blank_since;      ///< NONE: the newest is not blank
  GstClockTime since;            ///< begin of the watch
  GstClockTime coloured_at;      ///< newest frame with colour, or `since`
  GstClockTime colour_checked;   ///< newest frame that was looked at
  gfloat coloured;               ///< share of coloured pixels there
} Watch;

typedef struct {
  gboolean repeat;             ///< shows what the one before showed
  gboolean blank;              ///< shows nothing
  GstClockTime still_for;      ///< how long the picture has stood still
  GstClockTime blank_for;      ///< how long nothing was shown; 0 when not blank
  gboolean never_content;      ///< nothing was ever shown
  GstClockTime colourless_for; ///< how long there was no colour
  gfloat coloured;             ///< share of coloured pixels, newest known
} Observation;

/** Forgets all pictures. */
void watch_reset (Watch *watch);

/** @region: where to look; %NULL: the whole picture (colour: its inner part) */
gboolean watch_frame (Watch *watch, const CardiacImage *image,
    const CardiacRectangle *region, GstClockTime time, Observation *observation,
    CardiacError **error);

#endif
