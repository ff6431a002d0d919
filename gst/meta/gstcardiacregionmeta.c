/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Tagged {video, size, orientation}: elements that move pixels in a way it
 * cannot follow drop it. */

#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include "gstcardiacregionmeta.h"

#include <gst/video/video.h>
#include <math.h>
#include <string.h>

static const GEnumValue kinds[] = {
  { GST_CARDIAC_REGION_UNKNOWN, "not said", "unknown" },
  { GST_CARDIAC_REGION_TISSUE, "2-D, grey", "tissue" },
  { GST_CARDIAC_REGION_COLOUR_FLOW, "2-D, colour Doppler", "colour-flow" },
  { GST_CARDIAC_REGION_M_MODE, "a line over time", "m-mode" },
  { GST_CARDIAC_REGION_SPECTRAL, "velocities over time", "spectral" },
  { GST_CARDIAC_REGION_OTHER, "traces, bars, graphics", "other" },
  { 0, NULL, NULL },
};

GType
gst_cardiac_region_kind_get_type (void)
{
  static gsize type = 0;

  if (g_once_init_enter (&type)) {
    GType registered = g_enum_register_static ("GstCardiacRegionKind", kinds);

    gst_type_mark_as_plugin_api (registered, 0);
    g_once_init_leave (&type, registered);
  }
  return type;
}

/* Numbers of PS3.3 C.8.5.5.1.1 and C.8.5.5.1.2. Whatever is not known to be a
 * picture is left alone. */
GstCardiacRegionKind
gst_cardiac_region_kind_from_dicom (guint spatial_format, guint data_type)
{
  switch (spatial_format) {
    case 0: /* none or not applicable */
    case 1: /* 2-D */
      break;
    case 2:
      return GST_CARDIAC_REGION_M_MODE;
    case 3:
      return GST_CARDIAC_REGION_SPECTRAL;
    default: /* waveform, graphics */
      return GST_CARDIAC_REGION_OTHER;
  }
  switch (data_type) {
    case 0: /* none or not applicable */
      return GST_CARDIAC_REGION_UNKNOWN;
    case 1:
    case 0xf: /* integrated backscatter */
      return GST_CARDIAC_REGION_TISSUE;
    case 2:
      return GST_CARDIAC_REGION_COLOUR_FLOW;
    case 3: /* pulsed wave */
    case 4: /* continuous wave */
      return GST_CARDIAC_REGION_SPECTRAL;
    default: /* traces, ECG, bars */
      return GST_CARDIAC_REGION_OTHER;
  }
}

gboolean
gst_cardiac_region_kind_is_reserved (GstCardiacRegionKind kind)
{
  return kind >= GST_CARDIAC_REGION_M_MODE;
}

GType
gst_cardiac_region_meta_api_get_type (void)
{
  static const gchar *tags[] = { GST_META_TAG_VIDEO_STR,
    GST_META_TAG_VIDEO_SIZE_STR, GST_META_TAG_VIDEO_ORIENTATION_STR, NULL };
  static gsize type = 0;

  if (g_once_init_enter (&type))
    g_once_init_leave (
        &type, gst_meta_api_type_register ("GstCardiacRegionMetaAPI", tags));
  return type;
}

static gboolean
region_meta_init (GstMeta *meta, gpointer params, GstBuffer *buffer)
{
  GstCardiacRegionMeta *self = (GstCardiacRegionMeta *) meta;

  memset (
      (guint8 *) self + sizeof (GstMeta), 0, sizeof *self - sizeof (GstMeta));
  for (guint axis = 0; axis < 2; axis++)
    self->delta[axis] = self->reference[axis] = self->reference_value[axis] =
        NAN;
  return TRUE;
}

/* x' = scale x + shift of edges, an axis each. */
typedef struct {
  gdouble scale[2], shift[2];
} Mapping;

/* False for what cannot be followed. Flips and turns are refused, because the
 * directions of the units would no longer hold. */
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
    const gfloat (*m)[3] = ((GstVideoMetaTransformMatrix *) data)->matrix;

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

static void
map_region (GstCardiacRegionMeta *self, const Mapping *map)
{
  self->box.x = self->box.x * map->scale[0] + map->shift[0];
  self->box.y = self->box.y * map->scale[1] + map->shift[1];
  self->box.w *= map->scale[0];
  self->box.h *= map->scale[1];
  for (guint axis = 0; axis < 2; axis++) {
    self->delta[axis] /= map->scale[axis];
    /* Pixel centres lie at whole numbers, half a pixel inside the edges. */
    self->reference[axis] = (self->reference[axis] + 0.5) * map->scale[axis]
                            + map->shift[axis] - 0.5;
  }
}

/* Elements may both copy and transform: a number is there once. */
static gboolean
region_meta_transform (GstBuffer *dest, GstMeta *meta, GstBuffer *buffer,
    GQuark type, gpointer data)
{
  GstCardiacRegionMeta *from = (GstCardiacRegionMeta *) meta, *to;
  GstMeta header;
  Mapping map;

  if (!get_mapping (type, data, &map))
    return FALSE;
  to = gst_buffer_add_cardiac_region_meta (dest, from->number);
  header = to->meta;
  *to = *from;
  to->meta = header;
  map_region (to, &map);
  return TRUE;
}

const GstMetaInfo *
gst_cardiac_region_meta_get_info (void)
{
  static const GstMetaInfo *info = NULL;

  if (g_once_init_enter ((GstMetaInfo **) &info)) {
    const GstMetaInfo *meta =
        gst_meta_register (GST_CARDIAC_REGION_META_API_TYPE,
            "GstCardiacRegionMeta", sizeof (GstCardiacRegionMeta),
            region_meta_init, NULL, region_meta_transform);
    g_once_init_leave ((GstMetaInfo **) &info, (GstMetaInfo *) meta);
  }
  return info;
}

GstCardiacRegionMeta *
gst_buffer_iterate_cardiac_region_meta (GstBuffer *buffer, gpointer *state)
{
  g_return_val_if_fail (GST_IS_BUFFER (buffer), NULL);
  g_return_val_if_fail (state != NULL, NULL);

  return (GstCardiacRegionMeta *) gst_buffer_iterate_meta_filtered (
      buffer, state, GST_CARDIAC_REGION_META_API_TYPE);
}

GstCardiacRegionMeta *
gst_buffer_add_cardiac_region_meta (GstBuffer *buffer, guint number)
{
  GstCardiacRegionMeta *region;
  gpointer state = NULL;

  g_return_val_if_fail (GST_IS_BUFFER (buffer), NULL);

  while ((region = gst_buffer_iterate_cardiac_region_meta (buffer, &state)))
    if (region->number == number)
      break;
  if (region)
    region_meta_init (&region->meta, NULL, buffer);
  else
    region = (GstCardiacRegionMeta *) gst_buffer_add_meta (
        buffer, gst_cardiac_region_meta_get_info (), NULL);
  region->number = number;
  return region;
}
