/* SPDX-License-Identifier: LGPL-2.1-or-later */

#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include "regions.h"

#include <math.h>

/* A heart's box is on a picture when they share so much of the smaller one: a
 * colour box covers a part of the heart, and a sector is larger than it. */
#define SHARED 0.25

static gboolean
is_picture (const GstCardiacRegionMeta *region)
{
  return region->kind == GST_CARDIAC_REGION_TISSUE
         || region->kind == GST_CARDIAC_REGION_COLOUR_FLOW
         || (region->kind == GST_CARDIAC_REGION_UNKNOWN
             && region->spatial_format == 1);
}

gboolean
regions_show_no_picture (GstBuffer *buffer)
{
  GstCardiacRegionMeta *region;
  gpointer state = NULL;
  gboolean over_time = FALSE;

  while ((region = gst_buffer_iterate_cardiac_region_meta (buffer, &state))) {
    if (is_picture (region))
      return FALSE;
    over_time = over_time || region->kind == GST_CARDIAC_REGION_M_MODE
                || region->kind == GST_CARDIAC_REGION_SPECTRAL;
  }
  return over_time;
}

/* With colour beside grey, the network's picture is the one with colour. */
void
regions_get_pictures (GstBuffer *buffer, GArray *boxes)
{
  gboolean coloured = FALSE;
  GstCardiacRegionMeta *region;
  gpointer state = NULL;

  while ((region = gst_buffer_iterate_cardiac_region_meta (buffer, &state))) {
    gboolean colour = region->kind == GST_CARDIAC_REGION_COLOUR_FLOW;

    if (!is_picture (region) || (coloured && !colour))
      continue;
    if (colour && !coloured)
      g_array_set_size (boxes, 0);
    coloured = coloured || colour;
    g_array_append_val (boxes, region->box);
  }
}

static gdouble
overlap (gdouble a, gdouble a_length, gdouble b, gdouble b_length)
{
  return MAX (0, MIN (a + a_length, b + b_length) - MAX (a, b));
}

gboolean
regions_hold (const GArray *pictures, const GstCardiacBox *box)
{
  for (guint i = 0; i < pictures->len; i++) {
    const GstCardiacBox *p = &g_array_index (pictures, GstCardiacBox, i);
    gdouble common = overlap (box->x, box->w, p->x, p->w)
                     * overlap (box->y, box->h, p->y, p->h);

    if (common > SHARED * MIN (box->w * box->h, p->w * p->h))
      return TRUE;
  }
  return pictures->len == 0;
}

/* Pixels of a cell share one sample of colour. */
static CardiacOverlayBox
widen (const GstCardiacBox *box, const GstVideoInfo *info)
{
  gint w = 1, h = 1;
  CardiacOverlayBox wide;

  for (guint c = 0; c < GST_VIDEO_INFO_N_COMPONENTS (info); c++) {
    w = MAX (w, 1 << GST_VIDEO_FORMAT_INFO_W_SUB (info->finfo, c));
    h = MAX (h, 1 << GST_VIDEO_FORMAT_INFO_H_SUB (info->finfo, c));
  }
  wide.x = floor (box->x / w) * w;
  wide.y = floor (box->y / h) * h;
  wide.width = ceil ((box->x + box->w) / w) * w - wide.x;
  wide.height = ceil ((box->y + box->h) / h) * h - wide.y;
  return wide;
}

void
regions_add_places (
    RegionPlaces *places, GstBuffer *buffer, const GstVideoInfo *info)
{
  GstCardiacRegionMeta *region;
  gpointer state = NULL;

  while ((region = gst_buffer_iterate_cardiac_region_meta (buffer, &state))) {
    const GstCardiacBox *box = &region->box;

    if (gst_cardiac_region_kind_is_reserved (region->kind)) {
      if (places->n_no_draw < G_N_ELEMENTS (places->no_draw))
        places->no_draw[places->n_no_draw++] = widen (box, info);
    } else if (is_picture (region)
               && places->n_pictures < G_N_ELEMENTS (places->pictures)) {
      places->pictures[places->n_pictures++] =
          (CardiacOverlayBox){ box->x, box->y, box->w, box->h };
    }
  }
}
