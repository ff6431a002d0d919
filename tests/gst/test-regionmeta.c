/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Regions of ultrasound screens: what copying and scaling a picture does to
 * them, and what elements conclude from them. */

#include <gst/video/video.h>
#include <math.h>

#include "../require.h"
#include "regions.h"

static void
add (GstBuffer *buffer, guint number, guint format, guint type, gdouble x,
    gdouble y, gdouble w, gdouble h)
{
  GstCardiacRegionMeta *region =
      gst_buffer_add_cardiac_region_meta (buffer, number);

  region->spatial_format = format;
  region->data_type = type;
  region->kind = gst_cardiac_region_kind_from_dicom (format, type);
  region->box = (GstCardiacBox){ x, y, w, h };
}

static GstCardiacRegionMeta *
get (GstBuffer *buffer, guint number)
{
  GstCardiacRegionMeta *region;
  gpointer state = NULL;

  while ((region = gst_buffer_iterate_cardiac_region_meta (buffer, &state)))
    if (region->number == number)
      return region;
  return NULL;
}

static void
transform_all (GstBuffer *to, GstBuffer *from, GQuark type, gpointer data)
{
  gpointer state = NULL;
  GstMeta *meta;

  while ((meta = gst_buffer_iterate_meta (from, &state)))
    meta->info->transform_func (to, meta, from, type, data);
}

static guint
count (GstBuffer *buffer)
{
  return gst_buffer_get_n_meta (buffer, GST_CARDIAC_REGION_META_API_TYPE);
}

static void
numbers_of_the_standard_have_their_kinds (void)
{
  const guint cases[][3] = { { 1, 1, GST_CARDIAC_REGION_TISSUE },
    { 1, 2, GST_CARDIAC_REGION_COLOUR_FLOW },
    { 0, 2, GST_CARDIAC_REGION_COLOUR_FLOW },
    { 0, 0, GST_CARDIAC_REGION_UNKNOWN }, { 2, 1, GST_CARDIAC_REGION_M_MODE },
    { 2, 2, GST_CARDIAC_REGION_M_MODE }, { 3, 3, GST_CARDIAC_REGION_SPECTRAL },
    { 1, 4, GST_CARDIAC_REGION_SPECTRAL }, { 4, 10, GST_CARDIAC_REGION_OTHER },
    { 0, 10, GST_CARDIAC_REGION_OTHER }, { 1, 13, GST_CARDIAC_REGION_OTHER },
    { 1, 14, GST_CARDIAC_REGION_OTHER }, { 5, 0, GST_CARDIAC_REGION_OTHER },
    { 77, 1, GST_CARDIAC_REGION_OTHER }, { 1, 999, GST_CARDIAC_REGION_OTHER } };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    REQUIRE (gst_cardiac_region_kind_from_dicom (cases[i][0], cases[i][1])
             == cases[i][2]);
  REQUIRE (!gst_cardiac_region_kind_is_reserved (GST_CARDIAC_REGION_UNKNOWN));
  REQUIRE (
      !gst_cardiac_region_kind_is_reserved (GST_CARDIAC_REGION_COLOUR_FLOW));
  REQUIRE (gst_cardiac_region_kind_is_reserved (GST_CARDIAC_REGION_M_MODE));
  REQUIRE (gst_cardiac_region_kind_is_reserved (GST_CARDIAC_REGION_OTHER));
}

static void
a_scaled_picture_maps_its_regions (void)
{
  GstBuffer *buffer = gst_buffer_new (), *twin;
  GstVideoInfo in, out;
  GstVideoMetaTransform scale = { &in, &out };
  GstCardiacRegionMeta *region;

  add (buffer, 0, 1, 1, 10, 20, 100, 50);
  add (buffer, 1, 4, 10, 0, 80, 160, 40);
  region = get (buffer, 0);
  region->delta[0] = 0.05;
  region->delta[1] = -0.06;
  region->reference[0] = 49.5;
  region->unit[0] = 3;
  twin = gst_buffer_copy (buffer);
  REQUIRE (count (twin) == 2 && get (twin, 1)->data_type == 10);
  REQUIRE (get (twin, 0)->delta[1] == -0.06 && isnan (get (twin, 1)->delta[1]));

  gst_video_info_set_format (&in, GST_VIDEO_FORMAT_GRAY8, 160, 120);
  gst_video_info_set_format (&out, GST_VIDEO_FORMAT_GRAY8, 320, 360);
  transform_all (
      twin, buffer, gst_video_meta_transform_scale_get_quark (), &scale);
  REQUIRE (count (twin) == 2); /* copied before: once each */
  region = get (twin, 0);
  REQUIRE (region->box.x == 20 && region->box.y == 60);
  REQUIRE (region->box.w == 200 && region->box.h == 150);
  REQUIRE (region->delta[0] == 0.025 && region->delta[1] == -0.02);
  REQUIRE (region->reference[0] == 99.5 && isnan (region->reference[1]));
  REQUIRE (region->unit[0] == 3 && region->kind == GST_CARDIAC_REGION_TISSUE);
  gst_buffer_unref (twin);

  twin = gst_buffer_new ();
  transform_all (twin, buffer, g_quark_from_static_string ("turn"), NULL);
  REQUIRE (count (twin) == 0);
  gst_buffer_unref (twin);
  gst_buffer_unref (buffer);
}

/* With another picture beside it, the heart is where the colour is. */
static void
a_heart_is_on_a_picture_and_on_colour_where_there_is_any (void)
{
  GArray *pictures = g_array_new (FALSE, FALSE, sizeof (GstCardiacBox));
  const GstCardiacBox left = { 20, 20, 100, 100 }, right = { 220, 20, 90, 90 };
  const GstCardiacBox trace = { 20, 200, 100, 40 };
  GstBuffer *buffer = gst_buffer_new ();

  REQUIRE (regions_hold (pictures, &left)); /* nothing is known */
  add (buffer, 0, 0, 0, 0, 0, 400, 300);
  add (buffer, 1, 1, 1, 0, 0, 190, 150);
  add (buffer, 2, 4, 10, 0, 180, 400, 80);
  regions_get_pictures (buffer, pictures);
  REQUIRE (pictures->len == 1);
  REQUIRE (regions_hold (pictures, &left));
  REQUIRE (
      !regions_hold (pictures, &right) && !regions_hold (pictures, &trace));

  add (buffer, 3, 1, 2, 250, 40, 40, 40); /* a colour box within the heart */
  g_array_set_size (pictures, 0);
  regions_get_pictures (buffer, pictures);
  REQUIRE (pictures->len == 1);
  REQUIRE (!regions_hold (pictures, &left) && regions_hold (pictures, &right));
  g_array_unref (pictures);
  gst_buffer_unref (buffer);
}

static void
a_screen_of_m_mode_or_spectra_alone_shows_no_picture (void)
{
  GstBuffer *buffer = gst_buffer_new ();

  REQUIRE (!regions_show_no_picture (buffer));
  add (buffer, 0, 4, 10, 0, 200, 400, 80); /* an ECG alone says nothing */
  add (buffer, 1, 0, 0, 0, 0, 400, 300);
  REQUIRE (!regions_show_no_picture (buffer));
  add (buffer, 2, 2, 1, 0, 0, 400, 200);
  REQUIRE (regions_show_no_picture (buffer));
  add (buffer, 2, 3, 4, 0, 0, 400, 200);
  REQUIRE (regions_show_no_picture (buffer));
  add (buffer, 3, 1, 2, 0, 0, 100, 100);
  REQUIRE (!regions_show_no_picture (buffer));
  gst_buffer_unref (buffer);
}

int
main (int argc, char **argv)
{
  gst_init (&argc, &argv);
  numbers_of_the_standard_have_their_kinds ();
  a_scaled_picture_maps_its_regions ();
  a_heart_is_on_a_picture_and_on_colour_where_there_is_any ();
  a_screen_of_m_mode_or_spectra_alone_shows_no_picture ();
  gst_deinit ();
  return 0;
}
