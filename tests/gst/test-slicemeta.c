/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Metas of MR slices: what copying and scaling a picture does to them. */

#include <gst/video/video.h>
#include <math.h>

#include "../require.h"
#include "meta/cardiac.h"

static gboolean
near (gdouble a, gdouble b)
{
  return fabs (a - b) < 1e-9;
}

static void
set_slice (GstCardiacSliceMeta *slice, GstCardiacLevel level, gdouble left)
{
  const GstCardiacBox box = { left, 0, 100, 200 };

  slice->level = level;
  slice->rectangle = box;
  slice->landmarks = GST_CARDIAC_LANDMARKS_FILE;
  slice->lv_centre[0] = left + 49.5;
  slice->lv_centre[1] = 99.5;
  slice->rv_anterior[0] = left - 0.5;
  slice->rv_anterior[1] = 30;
  slice->slice = 4;
  slice->phase = 7;
  slice->cycle_ms = 923;
  slice->window[1] = 311;
}

/* A review picture of three slices, 300 x 200. */
static GstBuffer *
make_review (void)
{
  GstBuffer *buffer = gst_buffer_new ();

  for (gint i = 0; i < 3; i++)
    set_slice (gst_buffer_add_cardiac_slice_meta (buffer), (GstCardiacLevel) i,
        100 * i);
  return buffer;
}

static void
transform_all (GstBuffer *to, GstBuffer *from, GQuark type, gpointer data)
{
  gpointer state = NULL;
  GstMeta *meta;

  while ((meta = gst_buffer_iterate_meta (from, &state)))
    meta->info->transform_func (to, meta, from, type, data);
}

static void
scale_to (GstBuffer *to, GstBuffer *from, gint width, gint height)
{
  GstVideoInfo in, out;
  GstVideoMetaTransform scale = { &in, &out };

  gst_video_info_set_format (&in, GST_VIDEO_FORMAT_GRAY8, 300, 200);
  gst_video_info_set_format (&out, GST_VIDEO_FORMAT_GRAY8, width, height);
  transform_all (to, from, gst_video_meta_transform_scale_get_quark (), &scale);
}

static void
a_new_slice_claims_nothing (void)
{
  GstBuffer *buffer = gst_buffer_new ();
  GstCardiacSliceMeta *slice;

  REQUIRE (gst_buffer_get_cardiac_slice_meta (buffer, -1) == NULL);
  slice = gst_buffer_add_cardiac_slice_meta (buffer);
  REQUIRE (slice->landmarks == GST_CARDIAC_LANDMARKS_NONE);
  REQUIRE (isnan (slice->trigger_ms) && isnan (slice->cycle_ms));
  REQUIRE (isnan (slice->position_mm[2]) && isnan (slice->row_direction[0]));
  REQUIRE (slice->scale == 1 && slice->window[1] == 0);
  gst_buffer_unref (buffer);
}

static void
levels_are_found_by_name_of_level (void)
{
  GstBuffer *buffer = make_review ();

  for (gint i = 0; i < 3; i++)
    REQUIRE (
        gst_buffer_get_cardiac_slice_meta (buffer, i)->rectangle.x == 100 * i);
  REQUIRE (gst_buffer_get_cardiac_slice_meta (buffer, -1) != NULL);
  gst_buffer_unref (buffer);
}

static void
a_copied_picture_keeps_its_slices (void)
{
  GstBuffer *buffer = make_review (), *twin = gst_buffer_copy (buffer);
  GstCardiacSliceMeta *slice = gst_buffer_get_cardiac_slice_meta (twin, 2);

  REQUIRE (gst_buffer_get_n_meta (twin, GST_CARDIAC_SLICE_META_API_TYPE) == 3);
  REQUIRE (slice->phase == 7 && slice->cycle_ms == 923 && slice->slice == 4);
  REQUIRE (slice->rectangle.x == 200 && slice->window[1] == 311);
  gst_buffer_unref (twin);
  gst_buffer_unref (buffer);
}

/* The middle of a picture stays its middle, its left edge its left edge. */
static void
a_scaled_picture_maps_its_points (void)
{
  GstBuffer *buffer = make_review (), *twin = gst_buffer_new ();
  GstCardiacSliceMeta *slice;

  scale_to (twin, buffer, 600, 600);
  slice = gst_buffer_get_cardiac_slice_meta (twin, 1);
  REQUIRE (slice->rectangle.x == 200 && slice->rectangle.w == 200);
  REQUIRE (slice->rectangle.h == 600);
  REQUIRE (near (slice->lv_centre[0], 299.5));
  REQUIRE (near (slice->lv_centre[1], 299.5));
  REQUIRE (near (slice->rv_anterior[0], 199.5));
  REQUIRE (near (slice->scale, sqrt (6)));
  gst_buffer_unref (twin);
  gst_buffer_unref (buffer);
}

static void
a_level_is_there_once_after_copy_and_scale (void)
{
  GstBuffer *buffer = make_review (), *twin = gst_buffer_copy (buffer);

  scale_to (twin, buffer, 600, 400);
  REQUIRE (gst_buffer_get_n_meta (twin, GST_CARDIAC_SLICE_META_API_TYPE) == 3);
  REQUIRE (gst_buffer_get_cardiac_slice_meta (twin, 0)->rectangle.w == 200);
  gst_buffer_unref (twin);
  gst_buffer_unref (buffer);
}

static void
an_unknown_transformation_drops_both (void)
{
  GstBuffer *buffer = make_review (), *twin = gst_buffer_new ();

  gst_buffer_add_cardiac_polar_meta (buffer);
  transform_all (twin, buffer, g_quark_from_static_string ("turn"), NULL);
  REQUIRE (gst_buffer_get_cardiac_slice_meta (twin, -1) == NULL);
  REQUIRE (gst_buffer_get_cardiac_polar_meta (twin) == NULL);
  gst_buffer_unref (twin);
  gst_buffer_unref (buffer);
}

/* What is known of a polar picture is said in pixels of its original. */
static void
a_scaled_polar_picture_keeps_its_original (void)
{
  GstBuffer *buffer = gst_buffer_new (), *twin = gst_buffer_new ();
  GstCardiacPolarMeta *polar = gst_buffer_add_cardiac_polar_meta (buffer);

  set_slice (
      gst_buffer_add_cardiac_slice_meta (buffer), GST_CARDIAC_LEVEL_MID, 0);
  REQUIRE (polar->sense == 1);
  polar->centre[0] = 49.5;
  polar->angle0 = -2;
  polar->sense = -1;
  polar->width = 100;
  scale_to (twin, buffer, 600, 400);
  polar = gst_buffer_get_cardiac_polar_meta (twin);
  REQUIRE (polar->centre[0] == 49.5 && polar->angle0 == -2);
  REQUIRE (polar->sense == -1 && polar->width == 100);
  REQUIRE (gst_buffer_get_cardiac_slice_meta (twin, -1)->lv_centre[0] == 49.5);
  gst_buffer_unref (twin);
  gst_buffer_unref (buffer);
}

static void
enums_have_names (void)
{
  GEnumClass *levels = g_type_class_ref (GST_TYPE_CARDIAC_LEVEL);
  GEnumClass *sources = g_type_class_ref (GST_TYPE_CARDIAC_LANDMARKS_SOURCE);

  REQUIRE (g_enum_get_value_by_nick (levels, "apical")->value
           == GST_CARDIAC_LEVEL_APICAL);
  REQUIRE (g_enum_get_value_by_nick (sources, "estimated")->value
           == GST_CARDIAC_LANDMARKS_ESTIMATED);
  g_type_class_unref (levels);
  g_type_class_unref (sources);
}

int
main (int argc, char **argv)
{
  gst_init (&argc, &argv);
  a_new_slice_claims_nothing ();
  levels_are_found_by_name_of_level ();
  a_copied_picture_keeps_its_slices ();
  a_scaled_picture_maps_its_points ();
  a_level_is_there_once_after_copy_and_scale ();
  an_unknown_transformation_drops_both ();
  a_scaled_polar_picture_keeps_its_original ();
  enums_have_names ();
  gst_deinit ();
  return 0;
}
