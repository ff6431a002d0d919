/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef PANEL_COPY_H
#define PANEL_COPY_H

#include <gst/video/video.h>
#include <mreg-overlay.h>

/* The panel in the video's own format: converted once for each drawing and then
 * copied, row by row, into every frame. */

typedef struct {
  uint64_t serial; ///< of the piece in `buffer`; 0: none
  GstVideoInfo info;
  GstBuffer *buffer;
} PanelCopy;

/** Puts the panel into a canvas frame.
 * Returns: %FALSE when the panel's corner does not lie on a chroma sample; it
 * then has to be blended like other pieces */
gboolean panel_copy_draw (PanelCopy *copy, GstVideoFrame *canvas,
    const CardiacOverlayRectangle *panel);
void panel_copy_clear (PanelCopy *copy);

/** Copies a frame into a larger one of the same format, its corner at (@x, @y),
 * which lies on a chroma sample. */
void panel_copy_frame (
    GstVideoFrame *canvas, gint x, gint y, const GstVideoFrame *picture);

/** Makes everything below row @y or right of column @x black; both lie on the
 * canvas or at its edge. */
void panel_copy_blacken (GstVideoFrame *canvas, gint x, gint y);

#endif
