/* SPDX-License-Identifier: LGPL-2.1-or-later */

#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include "watch.h"

#include <string.h>

void
watch_reset (Watch *self)
{
  memset (self, 0, sizeof *self);
  self->still_since = self->blank_since = GST_CLOCK_TIME_NONE;
  self->since = self->coloured_at = GST_CLOCK_TIME_NONE;
  self->colour_checked = GST_CLOCK_TIME_NONE;
}

static gboolean
same_region (const CardiacRectangle *a, const CardiacRectangle *b)
{
  return a->x == b->x && a->y == b->y && a->width == b->width
         && a->height == b->height;
}

static gboolean
check_colour (Watch *self, const CardiacImage *image,
    const CardiacRectangle *region, GstClockTime time, CardiacError **error)
{
  if (GST_CLOCK_TIME_IS_VALID (self->colour_checked)
      && time < self->colour_checked + WATCH_COLOUR_INTERVAL)
    return TRUE;

  self->coloured = cardiac_image_coloured_fraction (
      image, region, CARDIAC_COLOURED_THRESHOLD, error);
  if (self->coloured < 0)
    return FALSE;
  self->colour_checked = time;
  if (self->coloured >= CARDIAC_COLOURED_FRACTION)
    self->coloured_at = time;
  return TRUE;
}

static GstClockTime
since (GstClockTime time, GstClockTime begin)
{
  return GST_CLOCK_TIME_IS_VALID (begin) && time > begin ? time - begin : 0;
}

gboolean
watch_frame (Watch *self, const CardiacImage *image,
    const CardiacRectangle *region, GstClockTime time,
    Observation *observation, CardiacError **error)
{
  const CardiacRectangle whole = { 0, 0, image->width, image->height };
  const CardiacRectangle *where = region ? region : &whole;
  CardiacSignature signature;

  if (!cardiac_image_signature (image, where, &signature, error))
    return FALSE;

  if (!GST_CLOCK_TIME_IS_VALID (self->since))
    self->since = self->coloured_at = time;

  observation->repeat
      = self->has_signature && same_region (where, &self->region)
        && cardiac_signature_same (&signature, &self->signature);
  if (!observation->repeat) {
    /* Repeats are compared with the first of them, so that a slow change is a
     * change in the end. */
    self->signature = signature;
    self->has_signature = TRUE;
    self->region = *where;
    self->still_since = time;
  }

  observation->blank = cardiac_signature_is_blank (&signature);
  if (!observation->blank) {
    self->has_content = TRUE;
    self->blank_since = GST_CLOCK_TIME_NONE;
  } else if (!GST_CLOCK_TIME_IS_VALID (self->blank_since)) {
    self->blank_since = time;
  }

  if (!check_colour (self, image, region, time, error))
    return FALSE;

  observation->never_content = !self->has_content;
  observation->still_for = since (time, self->still_since);
  observation->blank_for = since (time, self->blank_since);
  observation->colourless_for = since (time, self->coloured_at);
  observation->coloured = self->coloured;
  return TRUE;
}
