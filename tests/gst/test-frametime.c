/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Numbers of frames and their times, also where a period is no whole number of
 * nanoseconds. */

#include "../require.h"
#include "frametime.h"

static const gint rates[][2] = { { 25, 1 }, { 30, 1 }, { 30000, 1001 },
  { 60000, 1001 }, { 13, 1 }, { 7, 3 } };

static GstVideoInfo
at_rate (gint n, gint d)
{
  GstVideoInfo info;

  gst_video_info_set_format (&info, GST_VIDEO_FORMAT_RGB, 64, 48);
  GST_VIDEO_INFO_FPS_N (&info) = n;
  GST_VIDEO_INFO_FPS_D (&info) = d;
  return info;
}

static void
a_frame_is_shown_from_its_begin_to_the_next_one (void)
{
  for (guint r = 0; r < G_N_ELEMENTS (rates); r++) {
    GstVideoInfo info = at_rate (rates[r][0], rates[r][1]);

    for (guint64 n = 0; n < 5000; n += 7) {
      REQUIRE (frame_at (&info, frame_time (&info, n)) == n);
      REQUIRE (frame_at (&info, frame_time (&info, n + 1) - 1) == n);
    }
  }
}

static void
frames_before_a_time_have_begun (void)
{
  for (guint r = 0; r < G_N_ELEMENTS (rates); r++) {
    GstVideoInfo info = at_rate (rates[r][0], rates[r][1]);

    REQUIRE (frames_before (&info, 0) == 0);
    for (guint64 n = 0; n < 5000; n += 7) {
      REQUIRE (frames_before (&info, frame_time (&info, n)) == n);
      REQUIRE (frames_before (&info, frame_time (&info, n) + 1) == n + 1);
    }
  }
}

static void
a_rate_of_0_is_one_frame (void)
{
  GstVideoInfo info = at_rate (0, 1);

  REQUIRE (frame_time (&info, 5) == 0);
  REQUIRE (frame_at (&info, GST_SECOND) == 0);
  REQUIRE (frames_before (&info, GST_SECOND) == 1);
}

int
main (int argc, char **argv)
{
  gst_init (&argc, &argv);
  a_frame_is_shown_from_its_begin_to_the_next_one ();
  frames_before_a_time_have_begun ();
  a_rate_of_0_is_one_frame ();
  gst_deinit ();
  return 0;
}
