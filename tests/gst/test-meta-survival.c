/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Which of our metas survive which elements. Elements that are not installed
 * are left out; if none is, the test is skipped. */

#include <string.h>

#include "../require.h"
#include "rig.h"

#define I420 "videoconvert ! capsfilter caps=video/x-raw,format=I420"

typedef struct {
  const gchar *launch;
  gboolean record, geometry;
  gdouble scale; /* of the geometry */
} Case;

static const Case cases[] = {
  { "identity", TRUE, TRUE, 1 },
  { "queue", TRUE, TRUE, 1 },
  { I420, TRUE, TRUE, 1 },
  { "videoscale ! capsfilter caps=video/x-raw,width=160,height=120", TRUE, TRUE,
      0.5 },
  { "videoconvertscale ! capsfilter "
    "caps=video/x-raw,format=NV12,width=640,height=480",
      TRUE, TRUE, 2 },
  { "videobalance saturation=0.5", TRUE, TRUE, 1 },
  /* GStreamer says from 1.28 on how it cropped: see test-meta-matrix.c. */
  { "videocrop right=32 bottom=16", TRUE, GST_CHECK_VERSION (1, 28, 0), 1 },
  { "videoflip video-direction=180", TRUE, FALSE, 1 },
  { "videorate ! capsfilter caps=video/x-raw,framerate=15/1", TRUE, TRUE, 1 },
  { "jpegenc", TRUE, TRUE, 1 },
  { "jpegenc ! jpegdec", TRUE, TRUE, 1 },
  /* Knows of no tags, as cudadownload does. */
  { "videoconvert ! capsfilter caps=video/x-raw,format=ARGB ! rgb2bayer", TRUE,
      FALSE, 1 },
  { I420 " ! x264enc tune=zerolatency ! h264parse", TRUE, TRUE, 1 },
};

static GstBuffer *
make_frame (const GstVideoInfo *info, guint i)
{
  GstBuffer *buffer = frame_new (
      info, FRAME_DOPPLER, i, i * GST_SECOND / 30, GST_SECOND / 30, FALSE);
  GstCardiacResult *result = gst_cardiac_result_new (GST_CARDIAC_RESULT_MREG);
  GstCardiacGeometryMeta *geometry =
      gst_buffer_add_cardiac_geometry_meta (buffer);
  GstCardiacEchoPlacesMeta *places =
      gst_buffer_add_cardiac_echo_places_meta (buffer);

  gst_buffer_add_cardiac_region_meta (buffer, 3)->box.x = 41;
  gst_buffer_add_cardiac_echo_truth_meta (buffer)->severity = 0.25;
  gst_buffer_add_cardiac_cmr_truth_meta (buffer)->index = 1.75;
  places->roi.x = places->atrium[0] = places->annulus[1][0] = 41;
  gst_buffer_add_cardiac_result_meta (buffer, result)->map_frame = 7;
  gst_cardiac_result_unref (result);
  geometry->has_roi = geometry->has_crop = TRUE;
  geometry->roi.x = geometry->crop.x = 41;
  geometry->roi.w = geometry->crop.w = 100.5;
  return buffer;
}

static GstBuffer *
get_output (GstHarness *harness, const GstVideoInfo *info)
{
  GstBuffer *out = NULL;

  for (guint i = 0; i < 40 && !out; i++) {
    REQUIRE (gst_harness_push (harness, make_frame (info, i)) == GST_FLOW_OK);
    g_usleep (1000);
    out = gst_harness_try_pull (harness);
  }
  if (!out) {
    gst_harness_push_event (harness, gst_event_new_eos ());
    out = gst_harness_pull (harness);
  }
  return out;
}

/* The truth is lost and kept as the record, its places as the geometry. */
static void
check_truth (GstBuffer *out, const Case *c)
{
  GstCardiacEchoTruthMeta *truth = gst_buffer_get_cardiac_echo_truth_meta (out);
  GstCardiacCmrTruthMeta *cmr = gst_buffer_get_cardiac_cmr_truth_meta (out);
  GstCardiacEchoPlacesMeta *places =
      gst_buffer_get_cardiac_echo_places_meta (out);

  REQUIRE ((truth != NULL) == c->record);
  REQUIRE ((cmr != NULL) == c->record);
  REQUIRE (!cmr || cmr->index == 1.75);
  REQUIRE ((places != NULL) == c->geometry);
  REQUIRE (!truth || truth->severity == 0.25);
  if (places) {
    REQUIRE (places->roi.x == 41 * c->scale);
    REQUIRE (places->atrium[0] == 41 * c->scale);
    REQUIRE (places->annulus[1][0] == 41 * c->scale);
  }
}

/* Lost and kept as the geometry, and never twice. */
static void
check_regions (GstBuffer *out, const Case *c)
{
  gpointer state = NULL;
  GstCardiacRegionMeta *region =
      gst_buffer_iterate_cardiac_region_meta (out, &state);

  REQUIRE ((region != NULL) == c->geometry);
  REQUIRE (!region || region->box.x == 41 * c->scale);
  REQUIRE (gst_buffer_get_n_meta (out, GST_CARDIAC_REGION_META_API_TYPE) <= 1);
}

static void
check (const Case *c)
{
  GstHarness *harness = gst_harness_new_parse (c->launch);
  GstCardiacGeometryMeta *geometry;
  GstCardiacResultMeta *record;
  GstVideoInfo info;
  GstBuffer *out;

  gst_video_info_set_format (&info, GST_VIDEO_FORMAT_RGB, 320, 240);
  info.fps_n = 30;
  gst_harness_set_src_caps (harness, gst_video_info_to_caps (&info));
  out = get_output (harness, &info);
  REQUIRE (out != NULL);

  record = gst_buffer_get_cardiac_result_meta (out);
  geometry = gst_buffer_get_cardiac_geometry_meta (out);
  g_print ("%-60.60s record %s, geometry %s\n", c->launch,
      record ? "kept" : "lost", geometry ? "kept" : "lost");
  REQUIRE ((record != NULL) == c->record);
  REQUIRE ((geometry != NULL) == c->geometry);
  REQUIRE (!record || (record->result && record->map_frame == 7));
  if (geometry) {
    REQUIRE (geometry->roi.x == 41 * c->scale);
    REQUIRE (geometry->crop.w == 100.5 * c->scale);
  }
  REQUIRE (gst_buffer_get_n_meta (out, GST_CARDIAC_RESULT_META_API_TYPE) <= 1);
  check_truth (out, c);
  check_regions (out, c);
  gst_buffer_unref (out);
  gst_harness_teardown (harness);
}

static gboolean
is_installed (const gchar *launch)
{
  GError *error = NULL;
  GstElement *element =
      gst_parse_launch_full (launch, NULL, GST_PARSE_FLAG_FATAL_ERRORS, &error);

  g_clear_error (&error);
  if (!element)
    return FALSE;
  gst_object_unref (gst_object_ref_sink (element));
  return TRUE;
}

int
main (int argc, char **argv)
{
  guint checked = 0;

  gst_init (&argc, &argv);
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++) {
    if (!is_installed (cases[i].launch)) {
      g_print ("%-60.60s not installed\n", cases[i].launch);
      continue;
    }
    check (&cases[i]);
    checked++;
  }
  gst_deinit ();
  if (checked < 3)
    SKIP ("only %u of the elements are installed", checked);
  return 0;
}
