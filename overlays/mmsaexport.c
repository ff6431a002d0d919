/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The bull's-eye as a file of its own. */
#include "overlay.h"

#include <cairo-features.h>
#ifdef CAIRO_HAS_SVG_SURFACE
#include <cairo-svg.h>
#endif

/* 1/500 of the height that a canvas with this panel would have. */
#define UNIT 1.75

static cairo_status_t
append (void *closure, const unsigned char *data, unsigned int length)
{
  g_byte_array_append (closure, data, length);
  return CAIRO_STATUS_SUCCESS;
}

/* Slices are not shown here; their insertions still make the ticks. */
static void
draw (CardiacOverlay *overlay, const MmsaView *view, cairo_surface_t *surface)
{
  TextLog log = { 0 };
  Bullseye place;
  MmsaColumnPlaces places;
  cairo_t *cr = cairo_create (surface);
  const ColumnPen pen = { cr, overlay->text, &log, UNIT };
  set_ink (cr, INK_GROUND, 1.0);
  cairo_paint (cr);
  mmsa_panel_side_by_side (&pen, view, CARDIAC_MMSA_EXPORT_WIDTH,
      CARDIAC_MMSA_EXPORT_HEIGHT, 0.0, &place, &places);
  cairo_destroy (cr);
  text_log_clear (&log);
}

/* The whole file or none: a reader never finds half of one. */
static bool
save (const GByteArray *data, cairo_status_t status, const char *path,
    char *message, size_t size)
{
  GError *error = NULL;
  if (status != CAIRO_STATUS_SUCCESS) {
    g_snprintf (message, size, "Picture %s cannot be made: %s.", path,
        cairo_status_to_string (status));
    return false;
  }
  if (!g_file_set_contents (
          path, (const char *) data->data, (gssize) data->len, &error)) {
    g_snprintf (
        message, size, "Picture cannot be written: %s.", error->message);
    g_error_free (error);
    return false;
  }
  return true;
}

static void
read_view (MmsaView *view, const CardiacMmsaView *given)
{
  CardiacMmsaView copy = *given;
  if (!picture_size_is_valid (copy.picture_width, copy.picture_height)) {
    copy.picture_width = CARDIAC_MMSA_EXPORT_WIDTH;
    copy.picture_height = CARDIAC_MMSA_EXPORT_HEIGHT;
  }
  copy.draw_motion = false; /* no arrows, and no words about them */
  mmsa_view_read (view, &copy);
}

bool
cardiac_mmsa_write_png (CardiacOverlay *overlay, const CardiacMmsaView *given,
    const char *path, char *message, size_t size)
{
  MmsaView view;
  read_view (&view, given);
  GByteArray *data = g_byte_array_new ();
  cairo_surface_t *surface = cairo_image_surface_create (CAIRO_FORMAT_RGB24,
      CARDIAC_MMSA_EXPORT_WIDTH, CARDIAC_MMSA_EXPORT_HEIGHT);
  draw (overlay, &view, surface);
  cairo_status_t status =
      cairo_surface_write_to_png_stream (surface, append, data);
  cairo_surface_destroy (surface);
  mmsa_view_clear (&view);
  bool good = save (data, status, path, message, size);
  g_byte_array_unref (data);
  return good;
}

bool
cardiac_mmsa_write_svg (CardiacOverlay *overlay, const CardiacMmsaView *given,
    const char *path, char *message, size_t size)
{
#ifdef CAIRO_HAS_SVG_SURFACE
  MmsaView view;
  read_view (&view, given);
  GByteArray *data = g_byte_array_new ();
  cairo_surface_t *surface = cairo_svg_surface_create_for_stream (
      append, data, CARDIAC_MMSA_EXPORT_WIDTH, CARDIAC_MMSA_EXPORT_HEIGHT);
  draw (overlay, &view, surface);
  cairo_surface_finish (surface);
  cairo_status_t status = cairo_surface_status (surface);
  cairo_surface_destroy (surface);
  mmsa_view_clear (&view);
  bool good = save (data, status, path, message, size);
  g_byte_array_unref (data);
  return good;
#else
  (void) overlay;
  (void) given;
  g_snprintf (message, size,
      "Picture %s cannot be made: Cairo was built without SVG.", path);
  return false;
#endif
}
