/* SPDX-License-Identifier: LGPL-2.1-or-later */

#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include "overlaycache.h"

GstVideoOverlayRectangle *
overlay_cache_wrap (const CardiacOverlayRectangle *piece, gint x, gint y)
{
  cairo_surface_t *surface = cairo_surface_reference (piece->surface);
  gint stride = cairo_image_surface_get_stride (surface);
  gsize size = (gsize) stride * piece->height;
  gsize offset[GST_VIDEO_MAX_PLANES] = {
    0,
  };
  gint strides[GST_VIDEO_MAX_PLANES] = {
    stride,
  };
  GstVideoOverlayRectangle *rectangle;
  GstBuffer *buffer;

  buffer = gst_buffer_new_wrapped_full (GST_MEMORY_FLAG_READONLY,
      cairo_image_surface_get_data (surface), size, 0, size, surface,
      (GDestroyNotify) cairo_surface_destroy);
  gst_buffer_add_video_meta_full (buffer, GST_VIDEO_FRAME_FLAG_NONE,
      GST_VIDEO_OVERLAY_COMPOSITION_FORMAT_RGB, piece->width, piece->height, 1,
      offset, strides);
  rectangle = gst_video_overlay_rectangle_new_raw (buffer, x, y, piece->width,
      piece->height, GST_VIDEO_OVERLAY_FORMAT_FLAG_PREMULTIPLIED_ALPHA);
  gst_buffer_unref (buffer);
  return rectangle;
}

static gboolean
is_same (const OverlayCacheEntry *entry, const CardiacOverlayRectangle *piece)
{
  return entry->serial == piece->serial && entry->x == piece->x
         && entry->y == piece->y;
}

static gboolean
is_unchanged (OverlayCache *self, const CardiacOverlayRectangle *const *pieces,
    guint count)
{
  if (self->count != count)
    return FALSE;
  for (guint i = 0; i < count; i++)
    if (!is_same (&self->entries[i], pieces[i]))
      return FALSE;
  return TRUE;
}

static GstVideoOverlayRectangle *
get_rectangle (OverlayCache *self, const CardiacOverlayRectangle *piece)
{
  for (guint i = 0; i < self->count; i++)
    if (is_same (&self->entries[i], piece))
      return gst_video_overlay_rectangle_ref (self->entries[i].rectangle);
  return overlay_cache_wrap (piece, piece->x, piece->y);
}

GstVideoOverlayComposition *
overlay_cache_compose (OverlayCache *self,
    const CardiacOverlayRectangle *const *pieces, guint count)
{
  OverlayCache next = {
    0,
  };

  if (self->composition && is_unchanged (self, pieces, count))
    return self->composition;

  for (guint i = 0; i < count; i++) {
    OverlayCacheEntry *entry = &next.entries[next.count++];

    entry->serial = pieces[i]->serial;
    entry->x = pieces[i]->x;
    entry->y = pieces[i]->y;
    entry->rectangle = get_rectangle (self, pieces[i]);
    if (next.composition)
      gst_video_overlay_composition_add_rectangle (
          next.composition, entry->rectangle);
    else
      next.composition = gst_video_overlay_composition_new (entry->rectangle);
  }
  overlay_cache_clear (self);
  *self = next;
  return self->composition;
}

void
overlay_cache_clear (OverlayCache *self)
{
  for (guint i = 0; i < self->count; i++)
    gst_video_overlay_rectangle_unref (self->entries[i].rectangle);
  self->count = 0;
  g_clear_pointer (&self->composition, gst_video_overlay_composition_unref);
}
