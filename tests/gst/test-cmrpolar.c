/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* cmrpolar between two pads: the engine's picture, and the metas around it. */

#include <cardiac/polar.h>
#include <string.h>

#include "../require.h"
#include "gstcmrpolar.h"
#include "rig.h"

enum { SIDE = 101, OUT = CARDIAC_POLAR_ROWS * CARDIAC_POLAR_COLUMNS };

#define POINTS "lv-centre=50,48 rv-anterior=30,30 rv-inferior=31,66 "

static const CardiacSliceLandmarks landmarks = { { 50, 48 }, { 30, 30 },
  { 31, 66 } };

static guint8
grey_at (guint x, guint y, guint texture)
{
  return (x * x / 9 + y * 3 + texture * 40) % 256;
}

/* A picture of any width; what @texture says repeats every SIDE columns. */
static GstBuffer *
make_picture (Rig *rig, guint texture)
{
  GstBuffer *buffer =
      gst_buffer_new_allocate (NULL, GST_VIDEO_INFO_SIZE (&rig->info), NULL);
  GstVideoFrame frame;

  GST_BUFFER_PTS (buffer) = rig->frame++ * 40 * GST_MSECOND;
  GST_BUFFER_DURATION (buffer) = 40 * GST_MSECOND;
  REQUIRE (gst_video_frame_map (&frame, &rig->info, buffer, GST_MAP_WRITE));
  for (gint y = 0; y < GST_VIDEO_FRAME_HEIGHT (&frame); y++) {
    guint8 *row = (guint8 *) GST_VIDEO_FRAME_PLANE_DATA (&frame, 0)
                  + y * GST_VIDEO_FRAME_PLANE_STRIDE (&frame, 0);

    for (gint x = 0; x < GST_VIDEO_FRAME_WIDTH (&frame); x++) {
      guint8 grey = grey_at (x % SIDE, y, texture + x / SIDE);

      if (GST_VIDEO_FRAME_FORMAT (&frame) == GST_VIDEO_FORMAT_GRAY8)
        row[x] = grey;
      else
        GST_WRITE_UINT16_LE (row + 2 * x, 500 + 10 * grey);
    }
  }
  gst_video_frame_unmap (&frame);
  return buffer;
}

static GstCardiacSliceMeta *
add_slice (GstBuffer *buffer, GstCardiacLevel level, gint offset)
{
  GstCardiacSliceMeta *slice = gst_buffer_add_cardiac_slice_meta (buffer);

  slice->level = level;
  slice->rectangle.x = offset;
  slice->rectangle.w = slice->rectangle.h = SIDE;
  slice->landmarks = GST_CARDIAC_LANDMARKS_FILE;
  for (guint i = 0; i < 2; i++) {
    gint along = i == 0 ? offset : 0;

    slice->lv_centre[i] = landmarks.lv_centre[i] + along;
    slice->rv_anterior[i] = landmarks.rv_anterior[i] + along;
    slice->rv_inferior[i] = landmarks.rv_inferior[i] + along;
  }
  slice->phase = 7;
  slice->phases = 20;
  slice->trigger_ms = 321;
  return slice;
}

/* What the engine makes of a lone picture. */
static void
make_expected (guint texture, const CardiacSliceLandmarks *points, gdouble side,
    guint8 *polar)
{
  static guint8 grey[SIDE * SIDE];
  CardiacPolarGeometry geometry;
  CardiacPolarMap *map;

  for (guint i = 0; i < SIDE * SIDE; i++)
    grey[i] = grey_at (i % SIDE, i / SIDE, texture);
  REQUIRE (cardiac_polar_geometry (points, side, &geometry, NULL));
  map = cardiac_polar_map_new (&geometry, SIDE, SIDE, NULL);
  REQUIRE (map && cardiac_polar_map_run8 (map, grey, SIDE, polar, NULL));
  cardiac_polar_map_free (&map);
}

static GstBuffer *
pass (Rig *rig, GstBuffer *buffer)
{
  REQUIRE (gst_harness_push (rig->harness, buffer) == GST_FLOW_OK);
  buffer = gst_harness_pull (rig->harness);
  REQUIRE (buffer && gst_buffer_get_size (buffer) == OUT);
  return buffer;
}

static gboolean
equals (GstBuffer *buffer, const guint8 *polar)
{
  return gst_buffer_memcmp (buffer, 0, polar, OUT) == 0;
}

static gboolean
is_black (GstBuffer *buffer)
{
  static const guint8 black[OUT];

  return equals (buffer, black);
}

static guint
count_warnings (Rig *rig)
{
  GstMessage *message;
  guint count = 0;

  while ((message = gst_bus_pop_filtered (rig->bus, GST_MESSAGE_WARNING))) {
    gst_message_unref (message);
    count++;
  }
  return count;
}

static void
points_by_hand_give_the_engines_picture (void)
{
  static guint8 expected[OUT];
  GstBuffer *buffer;
  Rig rig;

  rig_start (&rig, "cmrpolar side=60 level=mid " POINTS);
  rig_caps (&rig, "GRAY8", SIDE, SIDE, 25);
  for (guint texture = 0; texture < 3; texture++) {
    GstCardiacPolarMeta *meta;

    make_expected (texture, &landmarks, 60, expected);
    buffer = pass (&rig, make_picture (&rig, texture));
    REQUIRE (equals (buffer, expected));
    REQUIRE (GST_BUFFER_PTS (buffer) == texture * 40 * GST_MSECOND);
    REQUIRE (GST_BUFFER_DURATION (buffer) == 40 * GST_MSECOND);
    meta = gst_buffer_get_cardiac_polar_meta (buffer);
    REQUIRE (meta && meta->level == GST_CARDIAC_LEVEL_MID && meta->side == 60);
    REQUIRE (meta->centre[0] == 50 && meta->sense == -1);
    REQUIRE (meta->width == SIDE && meta->height == SIDE);
    REQUIRE (!gst_buffer_get_cardiac_slice_meta (buffer, -1));
    gst_buffer_unref (buffer);
  }
  REQUIRE (count_warnings (&rig) == 0);
  rig_stop (&rig);
}

static void
landmarks_of_the_slice_are_used_and_passed_on (void)
{
  static guint8 expected[OUT];
  GstCardiacSliceMeta *slice;
  GstBuffer *buffer;
  Rig rig;

  make_expected (1, &landmarks, 0, expected);
  rig_start (&rig, "cmrpolar");
  rig_caps (&rig, "GRAY16_LE", SIDE, SIDE, 25);
  buffer = make_picture (&rig, 1);
  slice = add_slice (buffer, GST_CARDIAC_LEVEL_APICAL, 0);
  slice->window[0] = 500;
  slice->window[1] = 3050;
  buffer = pass (&rig, buffer);
  REQUIRE (equals (buffer, expected));
  slice = gst_buffer_get_cardiac_slice_meta (buffer, GST_CARDIAC_LEVEL_APICAL);
  REQUIRE (slice && slice->phase == 7 && slice->trigger_ms == 321);
  REQUIRE (slice->landmarks == GST_CARDIAC_LANDMARKS_FILE);
  REQUIRE (slice->rv_inferior[1] == 66 && slice->rectangle.w == SIDE);
  REQUIRE (
      gst_buffer_get_n_meta (buffer, GST_CARDIAC_SLICE_META_API_TYPE) == 1);
  REQUIRE (gst_buffer_get_cardiac_polar_meta (buffer)->level
           == GST_CARDIAC_LEVEL_APICAL);
  gst_buffer_unref (buffer);
  rig_stop (&rig);
}

static void
points_by_hand_come_before_those_of_the_slice (void)
{
  static guint8 expected[OUT];
  CardiacSliceLandmarks moved = { { 60, 50 }, { 30, 30 }, { 31, 66 } };
  GstBuffer *buffer;
  Rig rig;

  make_expected (0, &moved, 0, expected);
  rig_start (
      &rig, "cmrpolar lv-centre=60,50 rv-anterior=30,30 rv-inferior=31,66");
  rig_caps (&rig, "GRAY8", SIDE, SIDE, 25);
  buffer = make_picture (&rig, 0);
  add_slice (buffer, GST_CARDIAC_LEVEL_BASAL, 0);
  buffer = pass (&rig, buffer);
  REQUIRE (equals (buffer, expected));
  REQUIRE (gst_buffer_get_cardiac_slice_meta (buffer, -1)->landmarks
           == GST_CARDIAC_LANDMARKS_PROPERTY);
  REQUIRE (gst_buffer_get_cardiac_slice_meta (buffer, -1)->lv_centre[0] == 60);
  gst_buffer_unref (buffer);

  /* They may move while pictures come in. */
  make_expected (0, &landmarks, 0, expected);
  g_object_set (rig.element, "lv-centre", "50,48", NULL);
  buffer = pass (&rig, make_picture (&rig, 0));
  REQUIRE (equals (buffer, expected));
  gst_buffer_unref (buffer);

  /* Two points of three say nothing: the slice's are used. */
  g_object_set (rig.element, "lv-centre", "60,50", "rv-inferior", "", NULL);
  buffer = make_picture (&rig, 0);
  add_slice (buffer, GST_CARDIAC_LEVEL_BASAL, 0);
  buffer = pass (&rig, buffer);
  REQUIRE (equals (buffer, expected));
  REQUIRE (gst_buffer_get_cardiac_slice_meta (buffer, -1)->landmarks
           == GST_CARDIAC_LANDMARKS_FILE);
  gst_buffer_unref (buffer);
  rig_stop (&rig);
}

static void
one_slice_of_a_review_picture_is_like_a_lone_one (void)
{
  static guint8 expected[OUT];
  GstBuffer *buffer;
  Rig rig;

  make_expected (6, &landmarks, 0, expected);
  rig_start (&rig, "cmrpolar level=mid");
  rig_caps (&rig, "GRAY8", 3 * SIDE, SIDE, 25);
  buffer = make_picture (&rig, 5);
  add_slice (buffer, GST_CARDIAC_LEVEL_BASAL, 0);
  add_slice (buffer, GST_CARDIAC_LEVEL_MID, SIDE);
  add_slice (buffer, GST_CARDIAC_LEVEL_APICAL, 2 * SIDE);
  buffer = pass (&rig, buffer);
  REQUIRE (equals (buffer, expected));
  REQUIRE (
      gst_buffer_get_n_meta (buffer, GST_CARDIAC_SLICE_META_API_TYPE) == 1);
  REQUIRE (gst_buffer_get_cardiac_polar_meta (buffer)->centre[0] == 50 + SIDE);
  gst_buffer_unref (buffer);
  rig_stop (&rig);
}

static void
without_landmarks_pictures_are_black_and_one_warning_says_so (void)
{
  GstCardiacSliceMeta *slice;
  GstBuffer *buffer;
  Rig rig;

  rig_start (&rig, "cmrpolar");
  rig_caps (&rig, "GRAY8", SIDE, SIDE, 25);
  for (guint i = 0; i < 2; i++) {
    buffer = make_picture (&rig, 0);
    add_slice (buffer, GST_CARDIAC_LEVEL_MID, 0)->landmarks =
        GST_CARDIAC_LANDMARKS_NONE;
    buffer = pass (&rig, buffer);
    slice = gst_buffer_get_cardiac_slice_meta (buffer, GST_CARDIAC_LEVEL_MID);
    REQUIRE (is_black (buffer));
    REQUIRE (slice && slice->landmarks == GST_CARDIAC_LANDMARKS_NONE);
    REQUIRE (!gst_buffer_get_cardiac_polar_meta (buffer));
    gst_buffer_unref (buffer);
  }
  REQUIRE (count_warnings (&rig) == 1);
  rig_stop (&rig);
}

static void
landmarks_that_fit_no_picture_are_as_good_as_none (void)
{
  GstCardiacSliceMeta *slice;
  GstBuffer *buffer;
  Rig rig;

  rig_start (&rig, "cmrpolar");
  rig_caps (&rig, "GRAY8", SIDE, SIDE, 25);
  buffer = make_picture (&rig, 0);
  slice = add_slice (buffer, GST_CARDIAC_LEVEL_MID, 0);
  slice->lv_centre[0] = 5000;
  buffer = pass (&rig, buffer);
  slice = gst_buffer_get_cardiac_slice_meta (buffer, -1);
  REQUIRE (is_black (buffer));
  REQUIRE (slice->landmarks == GST_CARDIAC_LANDMARKS_NONE);
  REQUIRE (count_warnings (&rig) == 1);
  gst_buffer_unref (buffer);
  rig_stop (&rig);
}

static void
a_missing_landmark_is_an_error_that_names_it (void)
{
  GError *error = rig_start_error ("cmrpolar lv-centre=1,1 rv-anterior=9,1");

  REQUIRE (
      g_error_matches (error, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_SETTINGS));
  REQUIRE (strstr (error->message, "rv-inferior is not"));
  g_error_free (error);
}

/* The upper row, far from the crop, becomes brighter than all else. */
static void
brighten (Rig *rig, GstBuffer *buffer)
{
  GstVideoFrame frame;

  REQUIRE (gst_video_frame_map (&frame, &rig->info, buffer, GST_MAP_READWRITE));
  for (guint x = 0; x < SIDE; x++)
    GST_WRITE_UINT16_LE (
        (guint8 *) GST_VIDEO_FRAME_PLANE_DATA (&frame, 0) + 2 * x, 60000);
  gst_video_frame_unmap (&frame);
}

static void
deep_pictures_without_a_window_take_that_of_the_first (void)
{
  GstBuffer *first, *second;
  GstMapInfo map;
  Rig rig;

  rig_start (&rig, "cmrpolar side=50 " POINTS);
  rig_caps (&rig, "GRAY16_LE", SIDE, SIDE, 25);
  first = pass (&rig, make_picture (&rig, 0));
  second = make_picture (&rig, 0);
  brighten (&rig, second);
  second = pass (&rig, second);
  REQUIRE (!is_black (first));
  REQUIRE (gst_buffer_map (second, &map, GST_MAP_READ));
  REQUIRE (equals (first, map.data));
  gst_buffer_unmap (second, &map);
  gst_buffer_unref (first);
  gst_buffer_unref (second);
  rig_stop (&rig);
}

int
main (int argc, char **argv)
{
  gst_init (&argc, &argv);
  GST_ELEMENT_REGISTER (cmrpolar, NULL);
  points_by_hand_give_the_engines_picture ();
  landmarks_of_the_slice_are_used_and_passed_on ();
  points_by_hand_come_before_those_of_the_slice ();
  one_slice_of_a_review_picture_is_like_a_lone_one ();
  without_landmarks_pictures_are_black_and_one_warning_says_so ();
  landmarks_that_fit_no_picture_are_as_good_as_none ();
  a_missing_landmark_is_an_error_that_names_it ();
  deep_pictures_without_a_window_take_that_of_the_first ();
  gst_deinit ();
  return 0;
}
