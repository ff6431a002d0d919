/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Metas of cropped, padded and scaled pictures, which GStreamer describes by a
 * matrix from 1.28 on: what they say lies where it is seen. */

#include <math.h>
#include <string.h>

#include "../require.h"
#include "rig.h"

#if GST_CHECK_VERSION(1, 28, 0)

#define WIDTH 320
#define HEIGHT 240
/* A white rectangle on black. */
#define LEFT 96
#define TOP 64
#define WIDE 64
#define HIGH 48

typedef struct {
  const gchar *launch;
  gboolean box, places, slice, polar; /* kept */
} Case;

#define SCALED(width, height)                                                  \
  "videoscale ! capsfilter caps=video/x-raw,width=" #width ",height=" #height  \
  ",pixel-aspect-ratio=1/1"

static const Case cases[] = {
  { "identity", TRUE, TRUE, TRUE, TRUE },
  { SCALED (160, 120), TRUE, TRUE, TRUE, TRUE },
  { SCALED (500, 240), TRUE, TRUE, TRUE, FALSE }, /* bars at the sides */
  { SCALED (320, 300), TRUE, TRUE, TRUE, FALSE }, /* above and below */
  { SCALED (480, 250), TRUE, TRUE, TRUE, FALSE },
  { "videocrop left=32 top=16", TRUE, TRUE, TRUE, FALSE },
  { "videocrop right=32", TRUE, TRUE, TRUE, FALSE },
  { "videocrop left=32 ! " SCALED (576, 480), TRUE, TRUE, TRUE, FALSE },
  /* through the rectangle */
  { "videocrop left=128", FALSE, TRUE, TRUE, FALSE },
  { "videocrop bottom=150", FALSE, TRUE, TRUE, FALSE },
  /* past it */
  { "videocrop left=200", FALSE, TRUE, FALSE, FALSE },
  { "videobox left=-20 top=-10", TRUE, TRUE, TRUE, FALSE },
  { "videobox left=20 top=-10 bottom=30", TRUE, TRUE, TRUE, FALSE },
  { "identity ! compositor background=black sink_0::xpos=40 sink_0::ypos=8 ! "
    "capsfilter caps=video/x-raw,width=480,height=300",
      TRUE, TRUE, TRUE, FALSE },
  /* Turned and mirrored ones cannot be followed. */
  { "videoflip video-direction=180", FALSE, FALSE, FALSE, FALSE },
  { "videoflip video-direction=90r", FALSE, FALSE, FALSE, FALSE },
  { "videoflip video-direction=horiz", FALSE, FALSE, FALSE, FALSE },
};

static GstBuffer *
make_frame (guint number, gboolean is_polar)
{
  const GstCardiacBox box = { LEFT, TOP, WIDE, HIGH };
  GstBuffer *buffer = gst_buffer_new_allocate (NULL, WIDTH * HEIGHT, NULL);
  GstCardiacGeometryMeta *geometry =
      gst_buffer_add_cardiac_geometry_meta (buffer);
  GstCardiacEchoPlacesMeta *places =
      gst_buffer_add_cardiac_echo_places_meta (buffer);
  GstCardiacSliceMeta *slice = gst_buffer_add_cardiac_slice_meta (buffer);
  GstMapInfo map;

  GST_BUFFER_PTS (buffer) = number * GST_SECOND / 30;
  GST_BUFFER_DURATION (buffer) = GST_SECOND / 30;
  geometry->has_roi = geometry->has_crop = TRUE;
  geometry->roi = geometry->crop = places->roi = slice->rectangle = box;
  places->atrium[0] = LEFT + WIDE / 2.0;
  places->atrium[1] = TOP + HIGH / 2.0;
  slice->landmarks = GST_CARDIAC_LANDMARKS_FILE;
  /* the centre of the rectangle's first pixel */
  slice->lv_centre[0] = LEFT;
  slice->lv_centre[1] = TOP;
  if (is_polar)
    gst_buffer_add_cardiac_polar_meta (buffer)->centre[0] = LEFT;

  gst_buffer_map (buffer, &map, GST_MAP_WRITE);
  memset (map.data, 0, map.size);
  for (guint y = TOP; y < TOP + HIGH; y++)
    memset (map.data + y * WIDTH + LEFT, 255, WIDE);
  gst_buffer_unmap (buffer, &map);
  return buffer;
}

static GstBuffer *
run (const gchar *launch, gboolean is_polar, GstVideoInfo *info)
{
  GstHarness *harness = gst_harness_new_parse (launch);
  GstBuffer *out = NULL;
  GstCaps *caps;

  gst_harness_set_src_caps_str (harness,
      "video/x-raw,format=GRAY8,width=320,height=240,framerate=30/1,"
      "pixel-aspect-ratio=1/1");
  for (guint i = 0; i < 100 && !out; i++) {
    REQUIRE (
        gst_harness_push (harness, make_frame (i, is_polar)) == GST_FLOW_OK);
    g_usleep (1000);
    out = gst_harness_try_pull (harness);
  }
  REQUIRE (out != NULL);
  caps = gst_pad_get_current_caps (harness->sinkpad);
  REQUIRE (gst_video_info_from_caps (info, caps));
  gst_caps_unref (caps);
  gst_harness_teardown (harness);
  return out;
}

/* The white rectangle, to a pixel; empty where there is none. */
static GstCardiacBox
find_white (GstBuffer *buffer, const GstVideoInfo *info)
{
  gint left = G_MAXINT, top = G_MAXINT, right = 0, bottom = 0;
  GstCardiacBox box = { 0, 0, 0, 0 };
  GstVideoFrame frame;

  REQUIRE (gst_video_frame_map (&frame, info, buffer, GST_MAP_READ));
  for (gint y = 0; y < GST_VIDEO_INFO_HEIGHT (info); y++)
    for (gint x = 0; x < GST_VIDEO_INFO_WIDTH (info); x++) {
      const guint8 *row = GST_VIDEO_FRAME_PLANE_DATA (&frame, 0);

      if (row[y * GST_VIDEO_FRAME_PLANE_STRIDE (&frame, 0)
              + x * GST_VIDEO_FRAME_COMP_PSTRIDE (&frame, 0)]
          < 128)
        continue;
      left = MIN (left, x);
      right = MAX (right, x + 1);
      top = MIN (top, y);
      bottom = MAX (bottom, y + 1);
    }
  gst_video_frame_unmap (&frame);
  if (right > 0)
    box = (GstCardiacBox){ left, top, right - left, bottom - top };
  return box;
}

static gboolean
is_near (gdouble a, gdouble b)
{
  return fabs (a - b) <= 1;
}

/* What shows of @box in the picture is @seen. */
static void
require_seen (const GstCardiacBox *box, const GstCardiacBox *seen,
    const GstVideoInfo *info)
{
  gdouble left = MAX (0, box->x), top = MAX (0, box->y);
  gdouble right = MIN (GST_VIDEO_INFO_WIDTH (info), box->x + box->w);
  gdouble bottom = MIN (GST_VIDEO_INFO_HEIGHT (info), box->y + box->h);

  if (right <= left || bottom <= top) {
    REQUIRE (seen->w == 0);
    return;
  }
  REQUIRE (is_near (left, seen->x) && is_near (top, seen->y));
  REQUIRE (is_near (right, seen->x + seen->w));
  REQUIRE (is_near (bottom, seen->y + seen->h));
}

static void
check (const Case *c)
{
  GstVideoInfo info;
  GstBuffer *out = run (c->launch, FALSE, &info);
  GstCardiacBox seen = find_white (out, &info);
  GstCardiacGeometryMeta *geometry = gst_buffer_get_cardiac_geometry_meta (out);
  GstCardiacEchoPlacesMeta *places =
      gst_buffer_get_cardiac_echo_places_meta (out);
  GstCardiacSliceMeta *slice = gst_buffer_get_cardiac_slice_meta (out, -1);

  g_print ("%-70.70s seen at %.0f, %.0f, %.0f x %.0f\n", c->launch, seen.x,
      seen.y, seen.w, seen.h);
  REQUIRE ((geometry != NULL) == c->box);
  REQUIRE ((places != NULL) == c->places);
  REQUIRE ((slice != NULL) == c->slice);
  if (geometry) {
    REQUIRE (geometry->has_roi && geometry->has_crop);
    require_seen (&geometry->roi, &seen, &info);
    require_seen (&geometry->crop, &seen, &info);
  }
  if (places) {
    require_seen (&places->roi, &seen, &info);
    REQUIRE (is_near (places->atrium[0], places->roi.x + places->roi.w / 2));
    REQUIRE (is_near (places->atrium[1], places->roi.y + places->roi.h / 2));
  }
  if (slice) {
    gdouble half = slice->scale / 2; /* of a pixel, which was one */

    require_seen (&slice->rectangle, &seen, &info);
    REQUIRE (is_near (slice->lv_centre[0] + 0.5, slice->rectangle.x + half));
    REQUIRE (is_near (slice->lv_centre[1] + 0.5, slice->rectangle.y + half));
  }
  gst_buffer_unref (out);
}

/* A polar picture is one only as a whole, and its slice's points are those of
 * the original. */
static void
check_polar (const Case *c)
{
  GstVideoInfo info;
  GstBuffer *out = run (c->launch, TRUE, &info);
  GstCardiacPolarMeta *polar = gst_buffer_get_cardiac_polar_meta (out);
  GstCardiacSliceMeta *slice = gst_buffer_get_cardiac_slice_meta (out, -1);

  REQUIRE ((polar != NULL) == c->polar);
  REQUIRE ((slice != NULL) == c->polar);
  REQUIRE (!polar || polar->centre[0] == LEFT);
  REQUIRE (!slice || slice->lv_centre[0] == LEFT);
  gst_buffer_unref (out);
}

int
main (int argc, char **argv)
{
  gst_init (&argc, &argv);
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++) {
    check (&cases[i]);
    check_polar (&cases[i]);
  }
  gst_deinit ();
  return 0;
}

#else

int
main (void)
{
  SKIP ("built with GStreamer %d.%d; metas are handed matrices from 1.28 on",
      GST_VERSION_MAJOR, GST_VERSION_MINOR);
}

#endif
