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

/* The component that shows Doppler best: Cr, or red. */
static gint
get_colour_component (const CardiacImage *image)
{
  switch (image->colour) {
    case CARDIAC_COLOUR_YUV:
      return 2;
    case CARDIAC_COLOUR_RGB:
      return 0;
    default:
      return -1;
  }
}

/* Signature of the colour alone: two pictures of one luma may differ in it. It
 * is that of a grey picture which the component is. */
static gboolean
make_colour_signature (const CardiacImage *image,
    const CardiacRectangle *region, CardiacSignature *signature,
    CardiacError **error)
{
  gint c = get_colour_component (image);
  CardiacComponent component = image->component[c];
  CardiacImage grey = { 0 };
  CardiacRectangle part;

  grey.colour = CARDIAC_COLOUR_GRAY;
  grey.full_range = true;
  grey.width = (image->width + (1 << component.hsub) - 1) >> component.hsub;
  grey.height = (image->height + (1 << component.vsub) - 1) >> component.vsub;
  grey.component[0] = component;
  grey.component[0].hsub = grey.component[0].vsub = 0;

  part.x = region->x >> component.hsub;
  part.y = region->y >> component.vsub;
  part.width = MAX (1, region->width >> component.hsub);
  part.height = MAX (1, region->height >> component.vsub);
  return cardiac_image_signature (&grey, &part, signature, error);
}

static gboolean
make_signatures (const CardiacImage *image, const CardiacRectangle *region,
    CardiacSignature *luma, CardiacSignature *colour, CardiacError **error)
{
  if (!cardiac_image_signature (image, region, luma, error))
    return FALSE;
  if (get_colour_component (image) < 0) {
    *colour = *luma;
    return TRUE;
  }
  return make_colour_signature (image, region, colour, error);
}

gboolean
watch_frame (Watch *self, const CardiacImage *image,
    const CardiacRectangle *region, GstClockTime time, Observation *observation,
    CardiacError **error)
{
  const CardiacRectangle whole = { 0, 0, image->width, image->height };
  const CardiacRectangle *where = region ? region : &whole;
  CardiacSignature luma, colour;

  if (!make_signatures (image, where, &luma, &colour, error))
    return FALSE;

  if (!GST_CLOCK_TIME_IS_VALID (self->since))
    self->since = self->coloured_at = time;

  observation->repeat = self->has_signature
                        && same_region (where, &self->region)
                        && cardiac_signature_same (&luma, &self->luma)
                        && cardiac_signature_same (&colour, &self->colour);
  if (!observation->repeat) {
    /* Repeats are compared with the first of them, so that a slow change is a
     * change in the end. */
    self->luma = luma;
    self->colour = colour;
    self->has_signature = TRUE;
    self->region = *where;
    self->still_since = time;
  }

  observation->blank = cardiac_signature_is_blank (&luma)
                       && cardiac_signature_is_blank (&colour);
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
