/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* echotestsrc: its pictures, times, properties and truth. */

#include <echo/echo-phantom.h>
#include <glib/gstdio.h>
#include <gst/check/gstharness.h>
#include <gst/video/video.h>
#include <jansson.h>
#include <math.h>
#include <string.h>

#include "../require.h"
#include "gstechotestsrc.h"
#include "meta/cardiac.h"
#include "rig.h"

#define SMALL "video/x-raw,format=RGB,width=96,height=72,framerate=20/1"

static GstHarness *
start (const gchar *launch, const gchar *caps)
{
  GstHarness *harness = gst_harness_new_parse (launch);

  gst_harness_set_sink_caps_str (harness, caps);
  gst_harness_play (harness);
  return harness;
}

static GstBuffer *
pull (GstHarness *harness)
{
  GstBuffer *buffer = gst_harness_pull (harness);

  REQUIRE (buffer != NULL);
  return buffer;
}

static gboolean
same_pixels (GstBuffer *a, GstBuffer *b)
{
  GstMapInfo map;
  gboolean same;

  REQUIRE (gst_buffer_map (a, &map, GST_MAP_READ));
  same = gst_buffer_get_size (b) == map.size
         && gst_buffer_memcmp (b, 0, map.data, map.size) == 0;
  gst_buffer_unmap (a, &map);
  return same;
}

/* The first frame of a source with these properties. */
static GstBuffer *
first_frame (const gchar *properties, const gchar *caps)
{
  gchar *launch = g_strdup_printf ("echotestsrc %s", properties);
  GstHarness *harness = start (launch, caps);
  GstBuffer *buffer = pull (harness);

  gst_harness_teardown (harness);
  g_free (launch);
  return buffer;
}

static gchar *
temp_path (const gchar *name)
{
  static gchar *folder = NULL;

  if (!folder)
    folder = g_dir_make_tmp ("echo-XXXXXX", NULL);
  return g_build_filename (folder, name, NULL);
}

/* ---- pictures ---------------------------------------------------------- */

/* R, G, B of a pixel in any packed format. */
static void
get_pixel (const GstVideoFrame *frame, gint x, gint y, guint8 rgb[3])
{
  for (guint c = 0; c < 3; c++)
    rgb[c] = ((guint8 *) GST_VIDEO_FRAME_COMP_DATA (
        frame, c))[y * GST_VIDEO_FRAME_COMP_STRIDE (frame, c)
                   + x * GST_VIDEO_FRAME_COMP_PSTRIDE (frame, c)];
}

static void
every_format_shows_the_same_colours (void)
{
  static const gchar *const formats[] = { "RGB", "BGR", "RGBx", "BGRx", "xRGB",
    "xBGR", "RGBA", "BGRA", "ARGB", "ABGR" };
  GstBuffer *reference = first_frame ("jet-area=0.4", SMALL);
  GstVideoFrame wanted;
  GstVideoInfo info;

  gst_video_info_set_format (&info, GST_VIDEO_FORMAT_RGB, 96, 72);
  REQUIRE (gst_video_frame_map (&wanted, &info, reference, GST_MAP_READ));
  for (guint f = 0; f < G_N_ELEMENTS (formats); f++) {
    gchar *caps = frame_caps (formats[f], 96, 72, 20, 1);
    GstBuffer *buffer = first_frame ("jet-area=0.4", caps);
    GstVideoFrame frame;

    gst_video_info_set_format (
        &info, gst_video_format_from_string (formats[f]), 96, 72);
    REQUIRE (gst_video_frame_map (&frame, &info, buffer, GST_MAP_READ));
    for (gint y = 0; y < 72; y++)
      for (gint x = 0; x < 96; x++) {
        guint8 a[3], b[3];

        get_pixel (&wanted, x, y, a);
        get_pixel (&frame, x, y, b);
        REQUIRE (memcmp (a, b, 3) == 0);
        if (GST_VIDEO_INFO_HAS_ALPHA (&info))
          REQUIRE (((guint8 *) GST_VIDEO_FRAME_COMP_DATA (&frame,
                       3))[y * GST_VIDEO_FRAME_COMP_STRIDE (&frame, 3) + 4 * x]
                   == 255);
      }
    gst_video_frame_unmap (&frame);
    gst_buffer_unref (buffer);
    g_free (caps);
  }
  gst_video_frame_unmap (&wanted);
  gst_buffer_unref (reference);
}

/* Sum of a column of an RGB picture. */
static guint
column_sum (GstBuffer *buffer, const GstVideoInfo *info, gint x)
{
  GstVideoFrame frame;
  guint sum = 0;

  REQUIRE (gst_video_frame_map (
      &frame, (GstVideoInfo *) info, buffer, GST_MAP_READ));
  for (gint y = 0; y < info->height; y++) {
    guint8 rgb[3];

    get_pixel (&frame, x, y, rgb);
    sum += rgb[0] + rgb[1] + rgb[2];
  }
  gst_video_frame_unmap (&frame);
  return sum;
}

static void
any_size_is_filled_with_black_beside_the_screen (void)
{
  static const gint sizes[][2] = { { 1, 1 }, { 33, 17 }, { 17, 333 },
    { 720, 576 }, { 1920, 1080 }, { 7, 2000 } };
  GstVideoInfo info;
  GstBuffer *buffer;

  for (guint i = 0; i < G_N_ELEMENTS (sizes); i++) {
    gchar *caps = frame_caps ("RGB", sizes[i][0], sizes[i][1], 20, 1);

    buffer = first_frame ("", caps);
    gst_video_info_set_format (
        &info, GST_VIDEO_FORMAT_RGB, sizes[i][0], sizes[i][1]);
    REQUIRE (gst_buffer_get_size (buffer) == info.size);
    gst_buffer_unref (buffer);
    g_free (caps);
  }

  buffer = first_frame (
      "", "video/x-raw,format=RGB,width=854,height=480,framerate=20/1");
  gst_video_info_set_format (&info, GST_VIDEO_FORMAT_RGB, 854, 480);
  for (gint x = 0; x < 106; x++)
    REQUIRE (column_sum (buffer, &info, x) == 0
             && column_sum (buffer, &info, 853 - x) == 0);
  REQUIRE (column_sum (buffer, &info, 427) > 0);
  gst_buffer_unref (buffer);
}

static void
pixels_that_are_not_square_are_respected (void)
{
  GstBuffer *square = first_frame ("", SMALL);
  GstBuffer *wide = first_frame ("",
      "video/x-raw,format=RGB,width=48,height=72,framerate=20/1,"
      "pixel-aspect-ratio=2/1");
  GstCardiacEchoPlacesMeta *a =
      gst_buffer_get_cardiac_echo_places_meta (square);
  GstCardiacEchoPlacesMeta *b = gst_buffer_get_cardiac_echo_places_meta (wide);

  REQUIRE (fabs (a->roi.x - 2 * b->roi.x) < 1e-9);
  REQUIRE (fabs (a->roi.h - b->roi.h) < 1e-9);
  gst_buffer_unref (square);
  gst_buffer_unref (wide);
}

/* ---- time -------------------------------------------------------------- */

static void
frames_have_their_times_and_stop_when_told (void)
{
  GstHarness *harness = start ("echotestsrc num-buffers=7", SMALL);
  GstBuffer *buffer;
  gint64 duration;

  for (guint i = 0; i < 7; i++) {
    buffer = pull (harness);
    REQUIRE (GST_BUFFER_PTS (buffer) == i * GST_SECOND / 20);
    REQUIRE (GST_BUFFER_DURATION (buffer) == GST_SECOND / 20);
    REQUIRE (GST_BUFFER_OFFSET (buffer) == i);
    gst_buffer_unref (buffer);
  }
  REQUIRE (gst_harness_pull_until_eos (harness, &buffer) && !buffer);
  REQUIRE (gst_element_query_duration (
      harness->element, GST_FORMAT_TIME, &duration));
  REQUIRE (duration == 7 * GST_SECOND / 20);
  gst_harness_teardown (harness);
}

static void
the_scanners_rate_is_taken_where_caps_leave_it_open (void)
{
  GstHarness *harness = start ("echotestsrc frame-rate=24 num-buffers=1",
      "video/x-raw,format=RGB,width=96,height=72");
  GstBuffer *buffer = pull (harness);

  REQUIRE (GST_BUFFER_DURATION (buffer) == GST_SECOND / 24);
  gst_buffer_unref (buffer);
  gst_harness_teardown (harness);
}

static void
a_drawn_recording_ends_and_says_when (void)
{
  GstHarness *harness = start ("echotestsrc phantom-seed=3", SMALL);
  EchoSettings settings;
  GstBuffer *buffer;
  gint64 duration, frames, n;

  echo_settings_draw (&settings, 3, -1);
  gst_buffer_unref (pull (harness));
  REQUIRE (gst_element_query_duration (
      harness->element, GST_FORMAT_TIME, &duration));
  REQUIRE (fabs (duration / 1e9 - settings.duration) < 1e-6);
  REQUIRE (gst_element_query_duration (
      harness->element, GST_FORMAT_DEFAULT, &frames));
  for (n = 1; n < frames; n++) {
    buffer = pull (harness);
    REQUIRE (GST_BUFFER_PTS (buffer) < (guint64) duration);
    gst_buffer_unref (buffer);
  }
  REQUIRE (gst_harness_pull_until_eos (harness, &buffer) && !buffer);
  REQUIRE (frames * (gint64) (GST_SECOND / 20) >= duration);
  gst_harness_teardown (harness);

  harness = start ("echotestsrc", SMALL);
  gst_buffer_unref (pull (harness));
  REQUIRE (
      !gst_element_query_duration (harness->element, GST_FORMAT_TIME, &duration)
      || duration == -1);
  gst_harness_teardown (harness);
}

static void
seek (GstHarness *harness, gdouble rate, GstClockTime from, GstClockTime to)
{
  REQUIRE (gst_harness_push_upstream_event (
      harness, gst_event_new_seek (rate, GST_FORMAT_TIME, GST_SEEK_FLAG_FLUSH,
                   GST_SEEK_TYPE_SET, from, GST_SEEK_TYPE_SET, to)));
}

/* All frames of a source, by number; frees with g_ptr_array_unref(). */
static GPtrArray *
pull_all (GstHarness *harness)
{
  GPtrArray *frames =
      g_ptr_array_new_with_free_func ((GDestroyNotify) gst_buffer_unref);
  gint64 count;

  g_ptr_array_add (frames, pull (harness));
  REQUIRE (gst_element_query_duration (
      harness->element, GST_FORMAT_DEFAULT, &count));
  while (frames->len < count)
    g_ptr_array_add (frames, pull (harness));
  return frames;
}

static void
require_frame (GstHarness *harness, GPtrArray *frames, guint n)
{
  GstBuffer *buffer = pull (harness), *wanted = g_ptr_array_index (frames, n);

  REQUIRE (GST_BUFFER_PTS (buffer) == GST_BUFFER_PTS (wanted));
  REQUIRE (same_pixels (buffer, wanted));
  gst_buffer_unref (buffer);
}

static void
seeks_give_the_same_frames_in_either_direction (void)
{
  /* A rate whose frame times are rounded. */
  GstHarness *harness = start ("echotestsrc phantom-seed=11 grade=1",
      "video/x-raw,format=RGB,width=96,height=72,framerate=24/1");
  GPtrArray *frames = pull_all (harness);
  guint count = frames->len;

  REQUIRE (count > 60);
  for (guint from = 1; from < count; from += 23) {
    GstClockTime time = GST_BUFFER_PTS (g_ptr_array_index (frames, from));

    seek (harness, 1, time, GST_CLOCK_TIME_NONE);
    for (guint n = from; n < count; n++)
      require_frame (harness, frames, n);
    seek (harness, -1, 0, time);
    for (guint n = from; n-- > 0;)
      require_frame (harness, frames, n);
  }
  /* Between two frames the earlier one is shown. */
  seek (harness, 1, 10 * GST_SECOND / 24 + GST_MSECOND, GST_CLOCK_TIME_NONE);
  require_frame (harness, frames, 10);
  g_ptr_array_unref (frames);
  gst_harness_teardown (harness);
}

static void
live_frames_come_at_their_time (void)
{
  GstHarness *harness = gst_harness_new_parse ("echotestsrc is-live=true");
  GstQuery *query = gst_query_new_latency ();
  GstTestClock *clock;
  GstClockTime lowest;
  gboolean live;

  gst_harness_set_sink_caps_str (harness, SMALL);
  gst_harness_use_testclock (harness);
  gst_harness_play (harness);
  clock = gst_harness_get_testclock (harness);
  for (guint i = 0; i < 4; i++) {
    GstBuffer *buffer;

    gst_test_clock_wait_for_next_pending_id (clock, NULL);
    REQUIRE (gst_harness_buffers_in_queue (harness) == 0);
    REQUIRE (gst_harness_crank_single_clock_wait (harness));
    buffer = pull (harness);
    REQUIRE (GST_BUFFER_PTS (buffer) == i * GST_SECOND / 20);
    gst_buffer_unref (buffer);
  }
  REQUIRE (gst_pad_peer_query (harness->sinkpad, query));
  gst_query_parse_latency (query, &live, &lowest, NULL);
  REQUIRE (live && lowest == GST_SECOND / 20);
  gst_query_unref (query);
  gst_object_unref (clock);
  gst_harness_teardown (harness);
}

static void
a_held_picture_stays_until_the_scanners_next_one (void)
{
  GstHarness *harness =
      start ("echotestsrc hold=true frame-rate=20 num-buffers=12",
          "video/x-raw,format=RGB,width=96,height=72,framerate=60/1");
  GstBuffer *before = pull (harness);

  for (guint i = 1; i < 12; i++) {
    GstBuffer *buffer = pull (harness);

    REQUIRE (same_pixels (before, buffer) == (i % 3 != 0));
    gst_buffer_unref (before);
    before = buffer;
  }
  gst_buffer_unref (before);
  gst_harness_teardown (harness);
}

/* ---- settings ---------------------------------------------------------- */

static void
properties_show_what_is_in_effect (void)
{
  GstElement *element = gst_element_factory_make ("echotestsrc", NULL);
  EchoSettings drawn;
  gdouble value;
  gint jets, wall;

  gst_object_ref_sink (element);
  g_object_get (element, "jets", &jets, NULL);
  REQUIRE (jets == 0);
  g_object_set (element, "jet-wall", 1, NULL);
  g_object_get (element, "jets", &jets, "jet-wall", &wall, NULL);
  REQUIRE (jets == 1 && wall == 1);
  gst_object_unref (element);

  /* Chosen settings win over drawn ones, whatever came first. */
  element = gst_element_factory_make ("echotestsrc", NULL);
  gst_object_ref_sink (element);
  echo_settings_draw (&drawn, 42, 2);
  g_object_set (element, "nyquist", 0.33, "grade", 2, "phantom-seed",
      G_GINT64_CONSTANT (42), NULL);
  g_object_get (element, "heart-rate", &value, NULL);
  REQUIRE (value == drawn.heart_rate);
  g_object_get (element, "jet-area", &value, NULL);
  REQUIRE (value == drawn.jet[0].area);
  g_object_get (element, "nyquist", &value, NULL);
  REQUIRE (value == 0.33);
  gst_object_unref (element);
}

static void
beats_are_factors_that_repeat (void)
{
  GstElement *element = gst_element_factory_make ("echotestsrc", NULL);
  GValue value = G_VALUE_INIT;

  gst_object_ref_sink (element);
  gst_util_set_object_arg (G_OBJECT (element), "beats", "<1, 0.25, 0>");
  g_value_init (&value, GST_TYPE_ARRAY);
  g_object_get_property (G_OBJECT (element), "beats", &value);
  REQUIRE (gst_value_array_get_size (&value) == ECHO_BEATS);
  for (guint i = 0; i < ECHO_BEATS; i++)
    REQUIRE (g_value_get_double (gst_value_array_get_value (&value, i))
             == (i % 3 == 0   ? 1
                 : i % 3 == 1 ? 0.25
                              : 0));
  g_value_unset (&value);
  gst_object_unref (element);
}

/* Values that no one should set; the picture is drawn all the same. */
static void
set_hostile (GObject *object, GParamSpec *pspec, guint round)
{
  static const gdouble reals[] = { NAN, INFINITY, -INFINITY, 1e308, -1e308, 0,
    1e-308 };
  static const gint64 integers[] = { G_MAXINT64, G_MININT64, -1, 0, G_MAXINT };
  gint64 integer = integers[round % G_N_ELEMENTS (integers)];
  GValue value = G_VALUE_INIT, wide = G_VALUE_INIT;

  g_value_init (&value, pspec->value_type);
  if (pspec->value_type == G_TYPE_DOUBLE) {
    g_value_set_double (&value, reals[round % G_N_ELEMENTS (reals)]);
  } else if (G_IS_PARAM_SPEC_ENUM (pspec)) {
    g_value_set_enum (&value, (gint) integer);
  } else {
    g_value_init (&wide, G_TYPE_INT64);
    g_value_set_int64 (&wide, integer);
    REQUIRE (g_value_transform (&wide, &value));
    g_value_unset (&wide);
  }
  g_object_set_property (object, pspec->name, &value);
  g_value_unset (&value);
}

static void
ignore (
    const gchar *domain, GLogLevelFlags level, const gchar *text, gpointer data)
{
}

static void
hostile_values_harm_nothing (void)
{
  /* GObject warns of values out of range, of late as of a fault. */
  GLogLevelFlags fatal = g_log_set_always_fatal (G_LOG_FATAL_MASK);
  guint handler = g_log_set_handler (
      "GLib-GObject", G_LOG_LEVEL_WARNING | G_LOG_LEVEL_CRITICAL, ignore, NULL);

  for (guint round = 0; round < 35; round++) {
    GstHarness *harness = gst_harness_new ("echotestsrc");
    GObject *object = G_OBJECT (harness->element);
    GParamSpec **pspecs;
    guint count;

    pspecs =
        g_object_class_list_properties (G_OBJECT_GET_CLASS (object), &count);
    for (guint i = 0; i < count; i++)
      if (pspecs[i]->owner_type == GST_TYPE_ECHO_TEST_SRC
          && strcmp (pspecs[i]->name, "is-live")
          && !G_IS_PARAM_SPEC_STRING (pspecs[i])
          && pspecs[i]->value_type != GST_TYPE_ARRAY)
        set_hostile (object, pspecs[i], round + i * (round / 7));
    g_free (pspecs);
    gst_util_set_object_arg (object, "beats", round % 2 ? "<>" : "<-7, 1e9>");
    g_object_set (object, "num-buffers", 2, NULL);
    gst_harness_set_sink_caps_str (harness, SMALL);
    gst_harness_play (harness);
    gst_buffer_unref (pull (harness));
    gst_harness_teardown (harness);
  }
  g_log_remove_handler ("GLib-GObject", handler);
  g_log_set_always_fatal (fatal);
}

static void
a_jet_can_grow_while_it_plays (void)
{
  GstHarness *harness = gst_harness_new ("echotestsrc");
  GstTestClock *clock;
  gint grade[2];

  g_object_set (harness->element, "is-live", TRUE, NULL);
  gst_harness_set_sink_caps_str (harness, SMALL);
  gst_harness_use_testclock (harness);
  gst_harness_play (harness);
  clock = gst_harness_get_testclock (harness);
  for (guint i = 0; i < 2; i++) {
    GstBuffer *buffer;

    if (i)
      g_object_set (harness->element, "jet-area", 0.5, NULL);
    /* One frame may be drawn already. */
    for (guint n = 0; n < 2; n++) {
      gst_test_clock_wait_for_next_pending_id (clock, NULL);
      REQUIRE (gst_harness_crank_single_clock_wait (harness));
      buffer = pull (harness);
      grade[i] = gst_buffer_get_cardiac_echo_truth_meta (buffer)->grade;
      gst_buffer_unref (buffer);
    }
  }
  REQUIRE (grade[0] == 0 && grade[1] == 2);
  gst_object_unref (clock);
  gst_harness_teardown (harness);
}

/* ---- truth ------------------------------------------------------------- */

static void
every_frame_says_what_is_true (void)
{
  GstHarness *harness = start ("echotestsrc phantom-seed=5 grade=2",
      "video/x-raw,format=BGRx,width=1280,height=960,framerate=20/1");
  EchoSettings settings;
  EchoPhantom *phantom;
  EchoTruth truth;
  EchoView roi;

  echo_settings_draw (&settings, 5, 2);
  truth = echo_recording_truth (&settings);
  phantom = echo_phantom_new (&settings);
  roi = echo_phantom_roi (phantom);
  for (guint i = 0; i < 20; i++) {
    GstBuffer *buffer = pull (harness);
    GstCardiacEchoTruthMeta *meta =
        gst_buffer_get_cardiac_echo_truth_meta (buffer);
    GstCardiacEchoPlacesMeta *places =
        gst_buffer_get_cardiac_echo_places_meta (buffer);
    EchoMoment moment = echo_phantom_moment (phantom, i / 20.0);

    REQUIRE (meta && meta->grade == 2 && meta->severity == truth.severity);
    REQUIRE (meta->eccentric == truth.eccentric && meta->area == truth.area);
    REQUIRE (meta->worst_beat == truth.beat);
    REQUIRE (meta->instance >= 0 && meta->instance < ECHO_INSTANCES);
    REQUIRE (fabs (meta->phase - moment.phase) < 1e-6);
    REQUIRE (fabs (meta->jet_area - moment.jet_area) < 1e-6);
    REQUIRE (meta->systole == moment.systole);
    REQUIRE (places && fabs (places->roi.x - 2 * roi.x) < 1e-6);
    REQUIRE (fabs (places->roi.h - 2 * roi.height) < 1e-6);
    REQUIRE (fabs (places->atrium[1] - 2 * moment.atrium[1]) < 1e-3);
    REQUIRE (!gst_buffer_get_cardiac_geometry_meta (buffer));
    gst_buffer_unref (buffer);
  }
  echo_phantom_free (&phantom);
  gst_harness_teardown (harness);
}

static void
the_true_region_can_stand_for_a_detector (void)
{
  GstBuffer *buffer = first_frame ("truth-roi=true", SMALL);
  GstCardiacGeometryMeta *geometry =
      gst_buffer_get_cardiac_geometry_meta (buffer);
  GstCardiacEchoPlacesMeta *places =
      gst_buffer_get_cardiac_echo_places_meta (buffer);

  REQUIRE (geometry && geometry->has_roi && !geometry->detected);
  REQUIRE (memcmp (&geometry->roi, &places->roi, sizeof places->roi) == 0);
  gst_buffer_unref (buffer);
}

static gdouble
real (json_t *object, const gchar *name)
{
  json_t *value = json_object_get (object, name);

  REQUIRE (json_is_number (value));
  return json_number_value (value);
}

static void
check_truth_file (const gchar *path, gdouble last_area, guint count)
{
  json_t *root = json_load_file (path, JSON_REJECT_DUPLICATES, NULL);
  json_t *recording = json_object_get (root, "recording");
  json_t *instances = json_object_get (root, "instances");
  json_t *frames = json_object_get (root, "frames");
  json_t *areas = json_object_get (frames, "jet_area");
  EchoSettings settings;
  EchoTruth truth;

  echo_settings_draw (&settings, 8, 1);
  truth = echo_recording_truth (&settings);
  REQUIRE (!strcmp (json_string_value (json_object_get (root, "schema")),
      "gst-cardiac-echo-truth/1"));
  REQUIRE (real (recording, "grade") == 1);
  REQUIRE (fabs (real (recording, "severity") - truth.severity) < 1e-6);
  REQUIRE (json_array_size (instances) == ECHO_INSTANCES);
  for (guint k = 0; k < ECHO_INSTANCES; k++) {
    json_t *instance = json_array_get (instances, k);

    REQUIRE (real (instance, "severity") <= truth.severity + 1e-6);
    REQUIRE ((k == real (recording, "instance"))
             == (fabs (real (instance, "severity") - truth.severity) < 1e-6));
  }
  REQUIRE (json_array_size (json_object_get (root, "roi")) == 4);
  REQUIRE (fabs (real (json_object_get (root, "settings"), "heart_rate")
                 - settings.heart_rate)
           < 1e-4);
  REQUIRE (json_array_size (areas) == count);
  REQUIRE (json_array_size (json_object_get (frames, "pts_ns")) == count);
  REQUIRE (
      fabs (json_number_value (json_array_get (areas, count - 1)) - last_area)
      < 1e-6);
  json_decref (root);
}

static void
files_hold_the_truth_and_the_masks (void)
{
  gchar *truth = temp_path ("truth.json"), *masks = temp_path ("masks.npy");
  gchar *launch = g_strdup_printf ("echotestsrc phantom-seed=8 grade=1 "
                                   "truth-location=%s truth-masks=%s "
                                   "mask-cell=8 num-buffers=25",
      truth, masks);
  GstHarness *harness = start (
      launch, "video/x-raw,format=RGB,width=100,height=75,framerate=20/1");
  gdouble area = -1;
  gchar *bytes;
  gsize length;
  guint most = 0;

  for (guint i = 0; i < 25; i++) {
    GstBuffer *buffer = pull (harness);

    area = gst_buffer_get_cardiac_echo_truth_meta (buffer)->jet_area;
    gst_buffer_unref (buffer);
  }
  gst_harness_teardown (harness);
  check_truth_file (truth, area, 25);

  REQUIRE (g_file_get_contents (masks, &bytes, &length, NULL));
  REQUIRE (length == 128 + 25 * 2 * 10 * 13);
  REQUIRE (memcmp (bytes, "\x93NUMPY\x01\x00\x76\x00", 10) == 0);
  REQUIRE (g_strstr_len (bytes + 10, 118, "'shape': (25, 2, 10, 13)") != NULL);
  REQUIRE (bytes[127] == '\n');
  /* The atrium is somewhere in each picture. */
  for (guint i = 0; i < 130; i++)
    most = MAX (most, (guint8) bytes[128 + 24 * 260 + 130 + i]);
  REQUIRE (most > 128);
  g_free (bytes);
  g_free (launch);
  g_free (truth);
  g_free (masks);
}

static void
files_that_cannot_be_written_are_said_at_once (void)
{
  static const gchar *const names[] = { "truth-location", "truth-masks" };

  for (guint i = 0; i < 2; i++) {
    gchar *launch =
        g_strdup_printf ("echotestsrc %s=/no/such/folder/x", names[i]);
    GError *error = rig_start_error (launch);

    REQUIRE (g_error_matches (
        error, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_OPEN_WRITE));
    REQUIRE (strstr (error->message, "/no/such/folder/x") != NULL);
    g_error_free (error);
    g_free (launch);
  }
}

int
main (int argc, char **argv)
{
  gst_init (&argc, &argv);
  GST_ELEMENT_REGISTER (echotestsrc, NULL);

  every_format_shows_the_same_colours ();
  any_size_is_filled_with_black_beside_the_screen ();
  pixels_that_are_not_square_are_respected ();
  frames_have_their_times_and_stop_when_told ();
  the_scanners_rate_is_taken_where_caps_leave_it_open ();
  a_drawn_recording_ends_and_says_when ();
  seeks_give_the_same_frames_in_either_direction ();
  live_frames_come_at_their_time ();
  a_held_picture_stays_until_the_scanners_next_one ();
  properties_show_what_is_in_effect ();
  beats_are_factors_that_repeat ();
  hostile_values_harm_nothing ();
  a_jet_can_grow_while_it_plays ();
  every_frame_says_what_is_true ();
  the_true_region_can_stand_for_a_detector ();
  files_hold_the_truth_and_the_masks ();
  files_that_cannot_be_written_are_said_at_once ();

  gst_deinit ();
  return 0;
}
