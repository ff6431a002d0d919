/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* mregroi and cardiacmeta2json between two pads. */

#include <glib/gstdio.h>
#include <string.h>

#include "../require.h"
#include "gstcardiacmeta2json.h"
#include "gstmregclassify.h"
#include "gstmregroi.h"
#include "rig.h"

static void
a_box_given_by_hand_needs_no_model (void)
{
  GstVideoRegionOfInterestMeta *roi;
  GstCardiacGeometryMeta *geometry;
  GstBuffer *buffer;
  Rig rig;

  rig_start (&rig, "mregroi roi=10,20,30,40");
  rig_caps (&rig, "NV12", 96, 64, 30);
  buffer = rig_push (&rig, FRAME_DOPPLER, 0);
  geometry = gst_buffer_get_cardiac_geometry_meta (buffer);
  REQUIRE (geometry && geometry->has_roi && !geometry->detected);
  REQUIRE (geometry->roi.x == 10 && geometry->roi.h == 40);
  roi = gst_buffer_get_video_region_of_interest_meta_id (buffer, 0);
  REQUIRE (roi && roi->x == 10 && roi->y == 20 && roi->w == 30 && roi->h == 40);
  gst_buffer_unref (buffer);

  /* Outside the picture there is nothing for other elements to look at. */
  g_object_set (rig.element, "roi", "90,60,30,40", NULL);
  buffer = rig_push (&rig, FRAME_DOPPLER, 1);
  roi = gst_buffer_get_video_region_of_interest_meta_id (buffer, 0);
  REQUIRE (roi && roi->w == 6 && roi->h == 4);
  gst_buffer_unref (buffer);

  g_object_set (rig.element, "enabled", FALSE, NULL);
  buffer = rig_push (&rig, FRAME_DOPPLER, 2);
  REQUIRE (!gst_buffer_get_cardiac_geometry_meta (buffer));
  gst_buffer_unref (buffer);
  rig_stop (&rig);
}

static void
an_untrained_detector_is_not_used_and_says_so_once (void)
{
  gchar *launch = g_strdup_printf (
      "mregroi model=%s device=reference", g_getenv ("CARDIAC_TEST_DETECTOR"));
  guint warnings = 0;
  GstMessage *message;
  GstBuffer *buffer;
  Rig rig;

  rig_start (&rig, launch);
  /* Was started without a bus: once more with one. */
  gst_element_set_state (rig.element, GST_STATE_NULL);
  gst_element_set_state (rig.element, GST_STATE_PLAYING);
  rig_caps (&rig, "I420", 96, 64, 30);
  for (guint i = 0; i < 40; i++) {
    buffer = rig_push (&rig, FRAME_DOPPLER, i);
    REQUIRE (!gst_buffer_get_cardiac_geometry_meta (buffer));
    gst_buffer_unref (buffer);
  }
  while ((message = gst_bus_pop_filtered (rig.bus, GST_MESSAGE_WARNING))) {
    warnings++;
    gst_message_unref (message);
  }
  REQUIRE (warnings == 1);
  rig_stop (&rig);
  g_free (launch);
}

/* The test's random detector, passed off as a trained one. */
static gchar *
make_trained_detector (void)
{
  static const gchar untrained[] = "\\\"trained\\\": false";
  gchar *path = g_build_filename (g_get_tmp_dir (), "yolo-XXXXXX", NULL);
  gchar *bytes, *place;
  gsize length;

  g_close (g_mkstemp (path), NULL);
  REQUIRE (g_file_get_contents (
      g_getenv ("CARDIAC_TEST_DETECTOR"), &bytes, &length, NULL));
  place = g_strstr_len (bytes + 8, length - 8, untrained);
  REQUIRE (place != NULL);
  memcpy (place + strlen (untrained) - 5, "true ", 5);
  REQUIRE (g_file_set_contents (path, bytes, length, NULL));
  g_free (bytes);
  return path;
}

/* Frames with a box, of 61 at 30 a second. */
static guint
run_detector (const gchar *model, gdouble min_confidence)
{
  gchar *launch = g_strdup_printf (
      "mregroi model=%s device=reference threads=1 sync-mode=exact "
      "interval=200000000 min-confidence=%g",
      model, min_confidence);
  guint boxes = 0;
  Rig rig;

  rig_start (&rig, launch);
  rig_caps (&rig, "UYVY", 96, 64, 30);
  for (guint i = 0; i < 61; i++) {
    GstBuffer *buffer = rig_push (&rig, FRAME_DOPPLER, i);
    GstCardiacGeometryMeta *geometry =
        gst_buffer_get_cardiac_geometry_meta (buffer);

    if (geometry) {
      REQUIRE (geometry->searched);
      REQUIRE (geometry->has_roi == geometry->detected);
    }
    if (geometry && geometry->has_roi) {
      REQUIRE (geometry->roi_confidence >= min_confidence);
      REQUIRE (
          geometry->roi.x >= 0 && geometry->roi.x + geometry->roi.w < 96.01);
      REQUIRE (
          geometry->roi.y >= 0 && geometry->roi.y + geometry->roi.h < 64.01);
      boxes++;
    }
    gst_buffer_unref (buffer);
  }
  REQUIRE (rig_stat (&rig, "detections") == 11);
  REQUIRE ((boxes == 0) == (rig_stat (&rig, "misses") == 11));
  rig_stop (&rig);
  g_free (launch);
  return boxes;
}

static void
a_detector_runs_every_interval (void)
{
  gchar *model = make_trained_detector ();

  REQUIRE (run_detector (model, 0) > 0);
  REQUIRE (run_detector (model, 1) == 0);
  g_unlink (model);
  g_free (model);
}

static void
a_missing_detector_is_an_error_with_its_name (void)
{
  GError *error = rig_start_error ("mregroi model=/no/such/yolo.safetensors");

  REQUIRE (g_error_matches (
      error, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_NOT_FOUND));
  REQUIRE (strstr (error->message, "/no/such/yolo.safetensors") != NULL);
  g_error_free (error);
}

static void
a_box_that_cannot_be_read_is_an_error (void)
{
  static const gchar *const wrong[] = { "heart", "1,2,3", "1,2,3,nan",
    "10,10,0,40", "1,2,3,4,5", ",,," };

  for (guint i = 0; i < G_N_ELEMENTS (wrong); i++) {
    gchar *launch = g_strdup_printf ("mregroi roi=\"%s\"", wrong[i]);
    GError *error = rig_start_error (launch);

    REQUIRE (g_error_matches (
        error, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_SETTINGS));
    REQUIRE (strstr (error->message, wrong[i]) != NULL);
    REQUIRE (strstr (error->message, "x,y,width,height") != NULL);
    g_error_free (error);
    g_free (launch);
  }
}

static void
a_wrong_box_leaves_a_running_one_alone (void)
{
  GstCardiacGeometryMeta *geometry;
  GstMessage *message;
  GstBuffer *buffer;
  Rig rig;

  rig_start (&rig, "mregroi roi=10,20,30,40");
  rig_caps (&rig, "NV12", 96, 64, 30);
  g_object_set (rig.element, "roi", "heart", NULL);
  message = gst_bus_pop_filtered (rig.bus, GST_MESSAGE_WARNING);
  REQUIRE (message != NULL);
  gst_message_unref (message);
  buffer = rig_push (&rig, FRAME_DOPPLER, 0);
  geometry = gst_buffer_get_cardiac_geometry_meta (buffer);
  REQUIRE (geometry && geometry->has_roi && geometry->roi.x == 10);
  gst_buffer_unref (buffer);
  rig_stop (&rig);
}

static GstCardiacResult *
make_result (guint64 serial)
{
  GstCardiacResult *r = gst_cardiac_result_new (GST_CARDIAC_RESULT_MREG);

  r->serial = serial;
  r->pts = serial;
  return r;
}

static void
every_record_becomes_one_line (void)
{
  gchar *path = g_build_filename (g_get_tmp_dir (), "json-XXXXXX", NULL);
  gchar *launch, *text, **lines;
  Rig rig;

  g_close (g_mkstemp (path), NULL);
  launch = g_strdup_printf ("cardiacmeta2json location=%s", path);
  rig_start (&rig, launch);
  rig_caps (&rig, "I420", 96, 64, 30);
  for (guint i = 0; i < 9; i++) {
    GstCardiacResult *result = make_result (1 + i / 3);
    GstBuffer *buffer = frame_new (&rig.info, FRAME_GREY, i, i, 1, FALSE);

    gst_buffer_add_cardiac_result_meta (buffer, result);
    gst_cardiac_result_unref (result);
    gst_harness_push (rig.harness, gst_buffer_ref (buffer));
    gst_buffer_unref (gst_harness_pull (rig.harness));
    gst_buffer_unref (buffer);
  }
  rig_stop (&rig);

  REQUIRE (g_file_get_contents (path, &text, NULL, NULL));
  lines = g_strsplit (text, "\n", -1);
  REQUIRE (g_strv_length (lines) == 4 && !*lines[3]);
  for (guint i = 0; i < 3; i++) {
    gchar *pts = g_strdup_printf ("\"pts_ns\":%u", i + 1);

    REQUIRE (strstr (lines[i], pts) != NULL);
    g_free (pts);
  }
  g_strfreev (lines);
  g_free (text);
  g_unlink (path);
  g_free (path);
  g_free (launch);
}

static void
lines_need_a_file (void)
{
  GError *error = rig_start_error ("cardiacmeta2json");

  REQUIRE (
      g_error_matches (error, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_SETTINGS));
  g_error_free (error);
  error = rig_start_error ("cardiacmeta2json location=/no/such/folder/x");
  REQUIRE (g_error_matches (
      error, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_OPEN_WRITE));
  REQUIRE (strstr (error->message, "/no/such/folder/x") != NULL);
  g_error_free (error);
}

int
main (int argc, char **argv)
{
  gst_init (&argc, &argv);
  GST_ELEMENT_REGISTER (mregroi, NULL);
  GST_ELEMENT_REGISTER (cardiacmeta2json, NULL);

  a_box_given_by_hand_needs_no_model ();
  an_untrained_detector_is_not_used_and_says_so_once ();
  a_detector_runs_every_interval ();
  a_missing_detector_is_an_error_with_its_name ();
  a_box_that_cannot_be_read_is_an_error ();
  a_wrong_box_leaves_a_running_one_alone ();
  every_record_becomes_one_line ();
  lines_need_a_file ();

  gst_deinit ();
  return 0;
}
