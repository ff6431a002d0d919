/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Two metas for the reason of gstcardiacmeta.c: what has no coordinates
 * survives more. */

#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include "gstcardiactruthmeta.h"

#include <gst/video/video.h>
#include <string.h>

#include "metadefine.h"

/* All that follows the GstMeta. */
#define clear_fields(self)                                                     \
  memset ((guint8 *) (self) + sizeof (GstMeta), 0,                             \
      sizeof *(self) - sizeof (GstMeta))

static const gchar *const truth_tags[] = { NULL };

static gboolean
truth_meta_init (GstMeta *meta, gpointer params, GstBuffer *buffer)
{
  GstCardiacEchoTruthMeta *self = (GstCardiacEchoTruthMeta *) meta;

  clear_fields (self);
  self->worst_beat = self->instance = -1;
  return TRUE;
}

/* Without coordinates, every transformation is a copy. */
static gboolean
truth_meta_transform (GstBuffer *dest, GstMeta *meta, GstBuffer *buffer,
    GQuark type, gpointer data)
{
  GstCardiacEchoTruthMeta *to = gst_buffer_add_cardiac_echo_truth_meta (dest);
  GstMeta header = to->meta;

  *to = *(GstCardiacEchoTruthMeta *) meta;
  to->meta = header;
  return TRUE;
}

GST_CARDIAC_DEFINE_META (EchoTruth, echo_truth, truth_tags, truth_meta_init,
    NULL, truth_meta_transform)

static const gchar *const places_tags[] = { GST_META_TAG_VIDEO_STR,
  GST_META_TAG_VIDEO_SIZE_STR, GST_META_TAG_VIDEO_ORIENTATION_STR, NULL };

static gboolean
places_meta_init (GstMeta *meta, gpointer params, GstBuffer *buffer)
{
  clear_fields ((GstCardiacEchoPlacesMeta *) meta);
  return TRUE;
}

/* x' = scale x + shift, an axis each. */
typedef struct {
  gdouble scale[2], shift[2];
} Mapping;

static void
map_point (const Mapping *map, gdouble *point)
{
  for (guint axis = 0; axis < 2; axis++)
    point[axis] = map->scale[axis] * point[axis] + map->shift[axis];
}

static void
map_places (const Mapping *map, GstCardiacEchoPlacesMeta *places)
{
  gdouble corner[2] = { places->roi.x, places->roi.y };

  map_point (map, corner);
  places->roi.x = corner[0];
  places->roi.y = corner[1];
  places->roi.w *= map->scale[0];
  places->roi.h *= map->scale[1];
  map_point (map, places->annulus[0]);
  map_point (map, places->annulus[1]);
  map_point (map, places->atrium);
}

/* False for what cannot be followed. */
static gboolean
get_mapping (GQuark type, gpointer data, Mapping *map)
{
  const Mapping identity = { { 1, 1 }, { 0, 0 } };

  *map = identity;
  if (GST_VIDEO_META_TRANSFORM_IS_SCALE (type)) {
    GstVideoMetaTransform *scale = data;

    map->scale[0] = GST_VIDEO_INFO_WIDTH (scale->out_info)
                    / (gdouble) GST_VIDEO_INFO_WIDTH (scale->in_info);
    map->scale[1] = GST_VIDEO_INFO_HEIGHT (scale->out_info)
                    / (gdouble) GST_VIDEO_INFO_HEIGHT (scale->in_info);
    return TRUE;
  }
#if GST_CHECK_VERSION(1, 28, 0)
  if (GST_VIDEO_META_TRANSFORM_IS_MATRIX (type)) {
    const GstVideoMetaTransformMatrix *transform = data;
    const gfloat (*m)[3] = transform->matrix;

    if (m[0][1] != 0 || m[1][0] != 0 || m[2][0] != 0 || m[2][1] != 0
        || m[2][2] != 1 || m[0][0] <= 0 || m[1][1] <= 0)
      return FALSE;
    for (guint axis = 0; axis < 2; axis++) {
      map->scale[axis] = m[axis][axis];
      map->shift[axis] = m[axis][2];
    }
    return TRUE;
  }
#endif
  return GST_META_TRANSFORM_IS_COPY (type);
}

static gboolean
places_meta_transform (GstBuffer *dest, GstMeta *meta, GstBuffer *buffer,
    GQuark type, gpointer data)
{
  GstCardiacEchoPlacesMeta *to;
  GstMeta header;
  Mapping map;

  if (!get_mapping (type, data, &map))
    return FALSE;
  to = gst_buffer_add_cardiac_echo_places_meta (dest);
  header = to->meta;
  *to = *(GstCardiacEchoPlacesMeta *) meta;
  to->meta = header;
  map_places (&map, to);
  return TRUE;
}

GST_CARDIAC_DEFINE_META (EchoPlaces, echo_places, places_tags, places_meta_init,
    NULL, places_meta_transform)

GstCardiacEchoTruthMeta *
gst_buffer_add_cardiac_echo_truth_meta (GstBuffer *buffer)
{
  GstCardiacEchoTruthMeta *meta;

  g_return_val_if_fail (GST_IS_BUFFER (buffer), NULL);

  meta = gst_buffer_get_cardiac_echo_truth_meta (buffer);
  if (!meta)
    meta = (GstCardiacEchoTruthMeta *) gst_buffer_add_meta (
        buffer, gst_cardiac_echo_truth_meta_get_info (), NULL);
  return meta;
}

GstCardiacEchoPlacesMeta *
gst_buffer_add_cardiac_echo_places_meta (GstBuffer *buffer)
{
  GstCardiacEchoPlacesMeta *meta;

  g_return_val_if_fail (GST_IS_BUFFER (buffer), NULL);

  meta = gst_buffer_get_cardiac_echo_places_meta (buffer);
  if (!meta)
    meta = (GstCardiacEchoPlacesMeta *) gst_buffer_add_meta (
        buffer, gst_cardiac_echo_places_meta_get_info (), NULL);
  return meta;
}

GstCardiacEchoTruthMeta *
gst_buffer_get_cardiac_echo_truth_meta (GstBuffer *buffer)
{
  g_return_val_if_fail (GST_IS_BUFFER (buffer), NULL);

  return (GstCardiacEchoTruthMeta *) gst_buffer_get_meta (
      buffer, GST_CARDIAC_ECHO_TRUTH_META_API_TYPE);
}

GstCardiacEchoPlacesMeta *
gst_buffer_get_cardiac_echo_places_meta (GstBuffer *buffer)
{
  g_return_val_if_fail (GST_IS_BUFFER (buffer), NULL);

  return (GstCardiacEchoPlacesMeta *) gst_buffer_get_meta (
      buffer, GST_CARDIAC_ECHO_PLACES_META_API_TYPE);
}
