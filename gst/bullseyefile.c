/* SPDX-License-Identifier: LGPL-2.1-or-later */

#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include "bullseyefile.h"

#include <string.h>

#include "overlaymmsaview.h"

typedef bool (*Write) (CardiacOverlay *overlay, const CardiacMmsaView *view,
    const char *path, char *message, size_t size);

static gboolean
is_set (const gchar *location)
{
  return location && *location;
}

/* A picture that cannot be written is no reason to stop the video. */
static void
warn (BullseyeFile *self, GstElement *element, const gchar *location,
    const gchar *message)
{
  if (g_strcmp0 (self->failed, location) == 0)
    return;
  g_free (self->failed);
  self->failed = g_strdup (location);
  GST_ELEMENT_WARNING (element, RESOURCE, WRITE, ("%s", message), (NULL));
}

static void
write_one (BullseyeFile *self, GstElement *element, CardiacOverlay *overlay,
    const CardiacMmsaView *view, const gchar *location, Write write)
{
  gchar message[512];

  if (is_set (location)
      && !write (overlay, view, location, message, sizeof message))
    warn (self, element, location, message);
}

static void
write_files (BullseyeFile *self, GstElement *element, CardiacOverlay *overlay,
    const OverlaySettings *settings, const CardiacMmsaView *view)
{
  write_one (self, element, overlay, view, settings->bullseye_png,
      cardiac_mmsa_write_png);
  write_one (self, element, overlay, view, settings->bullseye_svg,
      cardiac_mmsa_write_svg);
  self->written = TRUE;
}

void
bullseye_file_see (BullseyeFile *self, GstElement *element,
    CardiacOverlay *overlay, const OverlaySettings *settings,
    GstCardiacResult *result, const CardiacMmsaView *view)
{
  if (!is_set (settings->bullseye_png) && !is_set (settings->bullseye_svg))
    return;
  if (self->result != result) {
    if (self->result)
      gst_cardiac_result_unref (self->result);
    self->result = gst_cardiac_result_ref (result);
    self->written = FALSE;
    self->width = view->picture_width;
    self->height = view->picture_height;
    memcpy (self->slices, view->slices, sizeof self->slices);
    self->landmarks = view->landmarks;
  }
  if (!self->written && result->is_final)
    write_files (self, element, overlay, settings, view);
}

void
bullseye_file_finish (BullseyeFile *self, GstElement *element,
    CardiacOverlay *overlay, const OverlaySettings *settings,
    const CardiacMmsaPalette *palette)
{
  const gchar *location = is_set (settings->bullseye_png)
                              ? settings->bullseye_png
                              : settings->bullseye_svg;
  CardiacMmsaView view;
  OverlayViewText text;
  gchar *message;

  if (!is_set (location) || self->written)
    return;
  if (!self->result) {
    message = g_strdup_printf ("Picture %s is not written: no result of wall "
                               "motion came with the video.",
        location);
    warn (self, element, location, message);
    g_free (message);
    return;
  }
  cardiac_mmsa_view_init (&view);
  view.picture_width = self->width;
  view.picture_height = self->height;
  view.enabled = settings->enabled;
  view.withhold_scores = settings->withhold_grade;
  view.least_scored = settings->min_scored;
  view.rv_anterior_angle = settings->rv_anterior_angle;
  view.note = settings->note;
  view.palette = palette;
  view.landmarks = self->landmarks;
  memcpy (view.slices, self->slices, sizeof view.slices);
  overlay_mmsa_view_fill_result (&view, &text, self->result);
  write_files (self, element, overlay, settings, &view);
}

void
bullseye_file_clear (BullseyeFile *self)
{
  if (self->result)
    gst_cardiac_result_unref (self->result);
  g_free (self->failed);
  memset (self, 0, sizeof *self);
}
