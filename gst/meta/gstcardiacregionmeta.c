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

#include "mapping.h"
#include "metadefine.h"

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

static const gchar *const region_tags[] = { GST_META_TAG_VIDEO_STR,
  GST_META_TAG_VIDEO_SIZE_STR, GST_META_TAG_VIDEO_ORIENTATION_STR, NULL };

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

static void
map_region (GstCardiacRegionMeta *self, const CardiacMapping *mapping)
{
  cardiac_mapping_box (mapping, &self->box);
  for (guint axis = 0; axis < 2; axis++) {
    self->delta[axis] /= mapping->scale[axis];
    /* Pixel centres lie at whole numbers, half a pixel inside the edges. */
    self->reference[axis] = (self->reference[axis] + 0.5) * mapping->scale[axis]
                            + mapping->shift[axis] - 0.5;
  }
}

/* Elements may both copy and transform: a number is there once. */
static gboolean
region_meta_transform (GstBuffer *dest, GstMeta *meta, GstBuffer *buffer,
    GQuark type, gpointer data)
{
  GstCardiacRegionMeta mapped = *(GstCardiacRegionMeta *) meta, *to;
  CardiacMapping mapping;

  if (!cardiac_mapping_init (&mapping, type, data))
    return FALSE;
  map_region (&mapped, &mapping);
  if (!cardiac_mapping_touches (&mapping, &mapped.box))
    return TRUE; /* nothing of it shows */
  to = gst_buffer_add_cardiac_region_meta (dest, mapped.number);
  mapped.meta = to->meta;
  *to = mapped;
  return TRUE;
}

GST_CARDIAC_DEFINE_META (
    Region, region, region_tags, region_meta_init, NULL, region_meta_transform)

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
