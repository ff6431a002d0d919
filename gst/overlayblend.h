/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef OVERLAY_BLEND_H
#define OVERLAY_BLEND_H

#include "overlaycache.h"
#include "panelcopy.h"

/* How the pieces of an overlay get into a frame: their pixels, or a composition
 * that somebody downstream draws. */

typedef struct {
  OverlayCache cache;
  PanelCopy panel;
} OverlayBlend;

/** Draws the pieces. %FALSE when that cannot be done. */
gboolean overlay_blend_draw (OverlayBlend *self, GstVideoFrame *canvas,
    const CardiacOverlayRectangle *rectangles, guint count);

/** Adds them to a writable buffer as a composition. */
gboolean overlay_blend_attach (OverlayBlend *self, GstBuffer *buffer,
    const CardiacOverlayRectangle *rectangles, guint count);

/** Whether a composition may be attached. Asked with the first frame of a
 * format: an element that works in place makes no allocation query of its own
 * accord, and downstream knows the caps now. */
gboolean overlay_blend_may_attach (GstPad *srcpad);

void overlay_blend_clear (OverlayBlend *self);

#endif
