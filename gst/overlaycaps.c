/* SPDX-License-Identifier: LGPL-2.1-or-later */

#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include "overlaycaps.h"

#include <gst/video/video.h>
#include <mmsa-overlay.h>

/* As in OVERLAY_SIZE_RANGE. */
#define MIN_SIZE 64
#define MAX_SIZE 16384

static void
set_size_range (GstStructure *structure)
{
  gst_structure_set (structure, "width", GST_TYPE_INT_RANGE, MIN_SIZE, MAX_SIZE,
      "height", GST_TYPE_INT_RANGE, MIN_SIZE, MAX_SIZE, NULL);
}

gboolean
overlay_caps_is_below (GstCardiacContent content, gint width, gint height)
{
  return content != GST_CARDIAC_CONTENT_MREG
         && cardiac_mmsa_panel_is_below (width, height);
}

static gboolean
get_canvas_size (GstCardiacContent content, gint width, gint height,
    gint *canvas_width, gint *canvas_height)
{
  return overlay_caps_is_below (content, width, height)
             ? cardiac_mmsa_panel_size (
                 width, height, canvas_width, canvas_height)
             : cardiac_overlay_panel_size (
                 width, height, canvas_width, canvas_height);
}

/* The canvas of a picture of known size; else any size. */
static gboolean
set_canvas_size (GstStructure *structure, GstCardiacContent content)
{
  gint width, height, canvas_width, canvas_height;

  if (!gst_structure_get_int (structure, "width", &width)
      || !gst_structure_get_int (structure, "height", &height)) {
    set_size_range (structure);
    return TRUE;
  }
  if (!get_canvas_size (content, width, height, &canvas_width, &canvas_height))
    return FALSE;
  gst_structure_set (structure, "width", G_TYPE_INT, canvas_width, "height",
      G_TYPE_INT, canvas_height, NULL);
  return TRUE;
}

GstCaps *
overlay_caps_resize (
    GstPadDirection direction, GstCaps *caps, GstCardiacContent content)
{
  GstCaps *result = gst_caps_new_empty ();

  for (guint i = 0; i < gst_caps_get_size (caps); i++) {
    GstStructure *structure =
        gst_structure_copy (gst_caps_get_structure (caps, i));

    if (direction == GST_PAD_SRC) {
      /* Which picture a canvas belongs to is not asked: upstream decides. */
      set_size_range (structure);
    } else if (!set_canvas_size (structure, content)) {
      gst_structure_free (structure);
      continue;
    }
    gst_caps_append_structure_full (result, structure,
        gst_caps_features_copy (gst_caps_get_features (caps, i)));
  }
  return result;
}

GstCaps *
overlay_caps_set_composition (GstCaps *caps, gboolean composition)
{
  GstCaps *result = gst_caps_copy (caps);

  for (guint i = 0; i < gst_caps_get_size (result); i++) {
    GstCapsFeatures *features = gst_caps_get_features (result, i);

    if (gst_caps_features_is_any (features))
      continue;
    gst_caps_features_remove (
        features, GST_CAPS_FEATURE_META_GST_VIDEO_OVERLAY_COMPOSITION);
    if (!composition)
      continue;
    if (gst_caps_features_get_size (features) == 0)
      gst_caps_features_add (features, GST_CAPS_FEATURE_MEMORY_SYSTEM_MEMORY);
    gst_caps_features_add (
        features, GST_CAPS_FEATURE_META_GST_VIDEO_OVERLAY_COMPOSITION);
  }
  return result;
}

gboolean
overlay_caps_takes_composition (GstPad *srcpad, GstCaps *with_feature)
{
  GstCaps *peer = gst_pad_peer_query_caps (srcpad, with_feature);
  gboolean takes = FALSE;

  for (guint i = 0; i < gst_caps_get_size (peer) && !takes; i++) {
    GstCapsFeatures *features = gst_caps_get_features (peer, i);

    takes = !gst_caps_features_is_any (features)
            && gst_caps_features_contains (
                features, GST_CAPS_FEATURE_META_GST_VIDEO_OVERLAY_COMPOSITION);
  }
  takes = takes && !gst_caps_is_any (peer);
  gst_caps_unref (peer);
  return takes;
}

gboolean
overlay_caps_has_composition (GstCaps *caps)
{
  return gst_caps_features_contains (gst_caps_get_features (caps, 0),
      GST_CAPS_FEATURE_META_GST_VIDEO_OVERLAY_COMPOSITION);
}
