/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The overlay object, and the frame that is put together on it. */
#include "overlay.h"

CardiacOverlay *
cardiac_overlay_new (void)
{
  CardiacOverlay *overlay = g_new0 (CardiacOverlay, 1);
  overlay->text = text_kit_new ();
  overlay->scratch = g_byte_array_new ();
  overlay->asked = g_byte_array_new ();
  overlay->texts = g_array_new (FALSE, FALSE, sizeof (CardiacOverlayText));
  return overlay;
}

static void
clear_marks (CardiacOverlay *overlay)
{
  piece_clear (&overlay->fill);
  piece_clear (&overlay->contour);
  for (int i = 0; i < 4; i++)
    piece_clear (&overlay->corners[i]);
  for (int i = 0; i < CARDIAC_OVERLAY_SLICES; i++)
    slice_marks_clear (&overlay->slices[i]);
}

void
cardiac_overlay_free (CardiacOverlay **handle)
{
  CardiacOverlay *overlay = *handle;
  *handle = NULL;
  if (overlay == NULL)
    return;
  clear_marks (overlay);
  panel_clear (&overlay->panel);
  mmsa_panel_clear (&overlay->mmsa_panel);
  piece_clear (&overlay->strip.piece);
  occupancy_clear (&overlay->occupancy);
  g_array_unref (overlay->texts);
  g_byte_array_unref (overlay->scratch);
  g_byte_array_unref (overlay->asked);
  text_kit_free (overlay->text);
  g_free (overlay);
}

void
overlay_begin (CardiacOverlay *overlay)
{
  overlay->n_rectangles = 0;
  overlay->bullseye = (Bullseye){ 0 };
}

void
overlay_show (
    CardiacOverlay *overlay, CardiacOverlayPiece kind, const Piece *piece)
{
  if (piece->surface == NULL)
    return;
  int i = overlay->n_rectangles++;
  overlay->shown[i] = piece;
  overlay->rectangles[i] = (CardiacOverlayRectangle){
    .piece = kind,
    .surface = piece->surface,
    .x = piece->x,
    .y = piece->y,
    .width = cairo_image_surface_get_width (piece->surface),
    .height = cairo_image_surface_get_height (piece->surface),
    .serial = piece->serial,
  };
}

void
cardiac_overlay_observe_luma (CardiacOverlay *overlay, const uint8_t *luma,
    int width, int height, int row_stride, int pixel_stride)
{
  if (luma == NULL || pixel_stride < 1
      || !picture_size_is_valid (width, height))
    return;
  occupancy_observe (
      &overlay->occupancy, luma, width, height, row_stride, pixel_stride);
}

void
cardiac_overlay_forget (CardiacOverlay *overlay)
{
  occupancy_clear (&overlay->occupancy);
  strip_forget (&overlay->strip);
}

double
cardiac_overlay_strip_covers (const CardiacOverlay *overlay)
{
  return overlay->layout == CARDIAC_OVERLAY_INSIDE ? overlay->strip.covers
                                                   : 0.0;
}

const char *
cardiac_overlay_font (const CardiacOverlay *overlay)
{
  return text_kit_family (overlay->text);
}

bool
cardiac_overlay_font_is_intended (const CardiacOverlay *overlay)
{
  return text_kit_is_intended (overlay->text);
}

int
cardiac_overlay_texts (
    CardiacOverlay *overlay, const CardiacOverlayText **texts)
{
  g_array_set_size (overlay->texts, 0);
  for (int i = 0; i < overlay->n_rectangles; i++) {
    const Piece *piece = overlay->shown[i];
    for (int j = 0; j < piece->log.count; j++) {
      CardiacOverlayText text = piece->log.texts[j];
      text.box.x += piece->x;
      text.box.y += piece->y;
      text.ink.x += piece->x;
      text.ink.y += piece->y;
      g_array_append_val (overlay->texts, text);
    }
  }
  *texts = (const CardiacOverlayText *) (void *) overlay->texts->data;
  return (int) overlay->texts->len;
}

uint64_t
cardiac_overlay_redraws (const CardiacOverlay *overlay)
{
  return overlay->counter.redraws;
}

bool
cardiac_overlay_bullseye (
    const CardiacOverlay *overlay, double centre[2], double *radius)
{
  centre[0] = overlay->bullseye.x;
  centre[1] = overlay->bullseye.y;
  *radius = overlay->bullseye.radius;
  return overlay->bullseye.radius > 0.0;
}
