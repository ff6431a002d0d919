/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef OVERLAY_CACHE_H
#define OVERLAY_CACHE_H

#include <gst/video/video.h>
#include <mreg-overlay.h>

/* GStreamer's rectangles and composition for the pieces of an overlay. What has
 * not changed is the same object with the same sequence number, so that a sink
 * which uploads rectangles as textures uploads them once. */

typedef struct {
  uint64_t serial; ///< of the piece; 0: unused
  gint x, y;
  GstVideoOverlayRectangle *rectangle;
} OverlayCacheEntry;

typedef struct {
  OverlayCacheEntry entries[CARDIAC_OVERLAY_MAX_RECTANGLES];
  guint count;
  GstVideoOverlayComposition *composition; ///< of these entries, or NULL
} OverlayCache;

/** The composition of the pieces, in order, or %NULL for no pieces. Owned by
 * the cache. */
GstVideoOverlayComposition *overlay_cache_compose (OverlayCache *cache,
    const CardiacOverlayRectangle *const *pieces, guint count);
void overlay_cache_clear (OverlayCache *cache);

/** A rectangle that shares the piece's memory, at (x, y). */
GstVideoOverlayRectangle *overlay_cache_wrap (
    const CardiacOverlayRectangle *piece, gint x, gint y);

#endif
