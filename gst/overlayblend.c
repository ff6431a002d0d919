/* SPDX-License-Identifier: LGPL-2.1-or-later */

#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include "overlayblend.h"

#include "overlaycaps.h"

gboolean
overlay_blend_draw (OverlayBlend *self, GstVideoFrame *canvas,
    const CardiacOverlayRectangle *rectangles, guint count)
{
  const CardiacOverlayRectangle *pieces[CARDIAC_OVERLAY_MAX_RECTANGLES];
  GstVideoOverlayComposition *composition;
  guint n = 0;

  for (guint i = 0; i < count && i < CARDIAC_OVERLAY_MAX_RECTANGLES; i++) {
    if (rectangles[i].piece == CARDIAC_OVERLAY_PIECE_PANEL
        && panel_copy_draw (&self->panel, canvas, &rectangles[i]))
      continue;
    pieces[n++] = &rectangles[i];
  }
  if (n == 0)
    return count > 0;
  composition = overlay_cache_compose (&self->cache, pieces, n);
  return gst_video_overlay_composition_blend (composition, canvas);
}

/* Sinks may honour one composition a buffer only: ours goes behind one that is
 * there. */
gboolean
overlay_blend_attach (OverlayBlend *self, GstBuffer *buffer,
    const CardiacOverlayRectangle *rectangles, guint count)
{
  const CardiacOverlayRectangle *pieces[CARDIAC_OVERLAY_MAX_RECTANGLES];
  GstVideoOverlayCompositionMeta *meta =
      gst_buffer_get_video_overlay_composition_meta (buffer);
  GstVideoOverlayComposition *ours, *both;

  if (count == 0 || count > CARDIAC_OVERLAY_MAX_RECTANGLES)
    return FALSE;
  for (guint i = 0; i < count; i++)
    pieces[i] = &rectangles[i];
  ours = overlay_cache_compose (&self->cache, pieces, count);
  if (!meta) {
    gst_buffer_add_video_overlay_composition_meta (buffer, ours);
    return TRUE;
  }

  both = gst_video_overlay_composition_copy (meta->overlay);
  for (guint i = 0; i < count; i++)
    gst_video_overlay_composition_add_rectangle (
        both, gst_video_overlay_composition_get_rectangle (ours, i));
  gst_video_overlay_composition_unref (meta->overlay);
  meta->overlay = both;
  return TRUE;
}

gboolean
overlay_blend_may_attach (GstPad *pad)
{
  GstCaps *caps = gst_pad_get_current_caps (pad);
  gboolean attach = FALSE;

  if (caps && overlay_caps_has_composition (caps)) {
    GstQuery *query = gst_query_new_allocation (caps, FALSE);

    attach = gst_pad_peer_query (pad, query)
             && gst_query_find_allocation_meta (
                 query, GST_VIDEO_OVERLAY_COMPOSITION_META_API_TYPE, NULL);
    gst_query_unref (query);
  }
  gst_clear_caps (&caps);
  return attach;
}

void
overlay_blend_clear (OverlayBlend *self)
{
  overlay_cache_clear (&self->cache);
  panel_copy_clear (&self->panel);
}
