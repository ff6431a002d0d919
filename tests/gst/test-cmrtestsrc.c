/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* cmrtestsrc: what its pads give, and that its truth is the phantom's. */

#include <gst/check/gstharness.h>
#include <gst/check/gsttestclock.h>
#include <glib/gstdio.h>
#include <gst/video/video.h>
#include <math.h>

#include "../require.h"
#include "cmr/cmr-phantom.h"
#include "gstcmrtestsrc.h"
#include "levels.h"
#include "meta/cardiac.h"

static GstHarness *
start (const gchar *pad, const gchar *first, ...)
{
  GstElement *element = g_object_new (GST_TYPE_CMR_TEST_SRC, NULL);
  GstHarness *harness;
  va_list more;

  va_start (more, first);
  g_object_set_valist (G_OBJECT (element), first, more);
  va_end (more);
  harness = gst_harness_new_with_element (element, NULL, pad);
  gst_object_unref (element);
  gst_harness_play (harness);
  return harness;
}

static GstBuffer *
pull (GstHarness *harness)
{
  GstBuffer *buffer = gst_harness_pull (harness);

  REQUIRE (buffer);
  return buffer;
}

static guint16
grey_at (GstBuffer *buffer, gint width, gdouble x, gdouble y)
{
  guint16 value;

  REQUIRE (gst_buffer_extract (buffer,
               2 * ((gsize) lround (y) * width + (gsize) lround (x)), &value, 2)
           == 2);
  return GUINT16_FROM_LE (value);
}

static void
a_slice_carries_the_phantoms_own_landmarks_and_scores (void)
{
  GstHarness *harness =
      start ("mid", "phantom-seed", G_GINT64_CONSTANT (7), NULL);
  CmrSliceTruth place;
  CmrSettings settings;
  CmrPhantom *phantom;
  CmrTruth truth;

  cmr_settings_draw (&settings, 7);
  phantom = cmr_phantom_new (&settings);
  cmr_phantom_truth (phantom, &truth);
  cmr_phantom_slice_truth (
      phantom, cmr_phantom_level_slice (phantom, 1), &place);
  for (gint p = 0; p < settings.phases; p++) {
    GstBuffer *buffer = pull (harness);
    GstCardiacSliceMeta *slice =
        gst_buffer_get_cardiac_slice_meta (buffer, GST_CARDIAC_LEVEL_MID);
    GstCardiacCmrTruthMeta *meta =
        gst_buffer_get_cardiac_cmr_truth_meta (buffer);

    REQUIRE (slice && meta);
    REQUIRE (slice->landmarks == GST_CARDIAC_LANDMARKS_TRUTH);
    REQUIRE ((gint) slice->phase == p);
    REQUIRE ((gint) slice->phases == settings.phases);
    for (guint i = 0; i < 2; i++) {
      REQUIRE (fabs (slice->lv_centre[i] - place.lv_centre[i]) < 1e-6);
      REQUIRE (fabs (slice->rv_anterior[i] - place.rv_anterior[i]) < 1e-6);
      REQUIRE (fabs (slice->rv_inferior[i] - place.rv_inferior[i]) < 1e-6);
    }
    for (guint k = 0; k < 16; k++)
      REQUIRE (meta->scores[k] == truth.score[k]);
    REQUIRE (meta->index == truth.index);
    REQUIRE (fabs (meta->contraction - cmr_phantom_contraction (phantom, p))
             < 1e-12);
    /* Blood at the axis, wall inside the insertion. */
    REQUIRE (
        grey_at (buffer, settings.width, place.lv_centre[0], place.lv_centre[1])
        > 1.7
              * grey_at (buffer, settings.width,
                  0.93 * place.rv_anterior[0] + 0.07 * place.lv_centre[0],
                  0.93 * place.rv_anterior[1] + 0.07 * place.lv_centre[1]));
    gst_buffer_unref (buffer);
  }
  /* One cycle, then the end. */
  REQUIRE (gst_harness_try_pull (harness) == NULL);
  cmr_phantom_free (&phantom);
  gst_harness_teardown (harness);
}

static void
scores_are_those_asked_for (void)
{
  GstHarness *harness = start ("basal", "scores",
      "1,2,3,4, 1,2,3,4,1,2,3,4,1,2,3,4", "phases", 12, NULL);
  GstBuffer *buffer = pull (harness);
  GstCardiacCmrTruthMeta *meta = gst_buffer_get_cardiac_cmr_truth_meta (buffer);

  for (gint k = 0; k < 16; k++)
    REQUIRE (meta->scores[k] == 1 + k % 4);
  REQUIRE (meta->index == 2.5);
  REQUIRE (meta->excursion[0] > 0.2 && meta->excursion[3] < 0.05);
  REQUIRE (gst_buffer_get_cardiac_slice_meta (buffer, -1)->phases == 12);
  gst_buffer_unref (buffer);
  gst_harness_teardown (harness);
}

static void
review_shows_all_three_slices (void)
{
  GstHarness *harness = start ("review", "phases", 8, NULL);
  GstBuffer *buffer = pull (harness);

  for (gint level = 0; level < 3; level++) {
    GstCardiacSliceMeta *slice =
        gst_buffer_get_cardiac_slice_meta (buffer, level);

    REQUIRE (slice && slice->landmarks == GST_CARDIAC_LANDMARKS_TRUTH);
    REQUIRE (slice->lv_centre[0] > slice->rectangle.x
             && slice->lv_centre[0] < slice->rectangle.x + slice->rectangle.w);
  }
  REQUIRE (gst_buffer_get_cardiac_cmr_truth_meta (buffer));
  gst_buffer_unref (buffer);
  gst_harness_teardown (harness);
}

static void
the_side_file_serves_cmrcinesrc_as_landmarks (void)
{
  gchar *folder = g_dir_make_tmp ("cmrtestsrc-XXXXXX", NULL);
  gchar *path = g_build_filename (folder, "truth.json", NULL);
  GstHarness *harness = start ("apical", "phantom-seed", G_GINT64_CONSTANT (3),
      "truth-location", path, NULL);
  GstBuffer *buffer = pull (harness);
  GstCardiacSliceMeta *slice =
      gst_buffer_get_cardiac_slice_meta (buffer, GST_CARDIAC_LEVEL_APICAL);
  CineError error = { CINE_FINE, "", "" };
  CineLevelOptions options;
  CineGiven *given = options.property;

  cine_level_options_init (&options);
  REQUIRE (cine_landmarks_read (path, given, &error));
  REQUIRE (given[2].slice == (gint) slice->slice);
  REQUIRE (given[2].points.has_centre && given[2].points.has_insertions);
  for (guint i = 0; i < 2; i++) {
    REQUIRE (fabs (given[2].points.lv_centre[i] - slice->lv_centre[i]) < 1e-5);
    REQUIRE (
        fabs (given[2].points.rv_inferior[i] - slice->rv_inferior[i]) < 1e-5);
  }
  gst_buffer_unref (buffer);
  gst_harness_teardown (harness);
  g_remove (path);
  g_rmdir (folder);
  g_free (path);
  g_free (folder);
}

/* Without a peer: the state change alone. */
static void
refuses (const gchar *property, const gchar *value, const gchar *words)
{
  GstElement *element = g_object_new (GST_TYPE_CMR_TEST_SRC, NULL);
  GstBus *bus = gst_bus_new ();
  GstMessage *message;
  GError *error = NULL;

  gst_object_ref_sink (element);
  gst_element_set_bus (element, bus);
  g_object_set (element, property, value, NULL);
  REQUIRE (gst_element_set_state (element, GST_STATE_PAUSED)
           == GST_STATE_CHANGE_FAILURE);
  message = gst_bus_pop_filtered (bus, GST_MESSAGE_ERROR);
  REQUIRE (message);
  gst_message_parse_error (message, &error, NULL);
  REQUIRE (strstr (error->message, words));
  g_clear_error (&error);
  gst_message_unref (message);
  gst_element_set_state (element, GST_STATE_NULL);
  gst_element_set_bus (element, NULL);
  gst_object_unref (element);
  gst_object_unref (bus);
}

static void
bad_settings_end_in_one_sentence (void)
{
  refuses ("scores", "1,2,3", "expected 16 numbers from 1 to 4");
  refuses ("scores", "1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,5", "from 1 to 4");
  refuses ("truth-location", "/nowhere/at/all.json", "cannot be written");
}

static void
two_runs_give_the_same_bytes (void)
{
  guint64 hash[2] = { 0xcbf29ce484222325u, 0xcbf29ce484222325u };

  for (gint run = 0; run < 2; run++) {
    GstHarness *harness = start (
        "mid", "phantom-seed", G_GINT64_CONSTANT (11), "phases", 8, NULL);

    for (gint p = 0; p < 8; p++) {
      GstBuffer *buffer = pull (harness);
      GstMapInfo map;

      REQUIRE (gst_buffer_map (buffer, &map, GST_MAP_READ));
      for (gsize i = 0; i < map.size; i++)
        hash[run] = (hash[run] ^ map.data[i]) * 0x100000001b3u;
      gst_buffer_unmap (buffer, &map);
      gst_buffer_unref (buffer);
    }
    gst_harness_teardown (harness);
  }
  REQUIRE (hash[0] == hash[1]);
}

static void
live_pictures_come_at_their_time (void)
{
  GstElement *element = g_object_new (
      GST_TYPE_CMR_TEST_SRC, "is-live", TRUE, "loops", 0, "phases", 10, NULL);
  GstHarness *harness = gst_harness_new_with_element (element, NULL, "basal");
  GstTestClock *clock;
  GstBuffer *buffer;
  GstQuery *query = gst_query_new_latency ();
  gboolean live;

  gst_object_unref (element);
  gst_harness_use_testclock (harness);
  gst_harness_play (harness);
  clock = gst_harness_get_testclock (harness);
  REQUIRE (gst_element_query (harness->element, query));
  gst_query_parse_latency (query, &live, NULL, NULL);
  gst_query_unref (query);
  REQUIRE (live);
  /* Default cycle of 900 ms: a picture each 90 ms, also beyond the first
   * cycle. */
  for (guint n = 0; n < 13; n++) {
    gst_test_clock_wait_for_next_pending_id (clock, NULL);
    REQUIRE (gst_harness_buffers_in_queue (harness) == 0);
    REQUIRE (gst_harness_crank_single_clock_wait (harness));
    buffer = pull (harness);
    REQUIRE (GST_BUFFER_PTS (buffer) == n * 90 * GST_MSECOND);
    REQUIRE (gst_buffer_get_cardiac_slice_meta (buffer, -1)->loop == n / 10);
    gst_buffer_unref (buffer);
  }
  gst_object_unref (clock);
  gst_harness_teardown (harness);
}

int
main (int argc, char **argv)
{
  gst_init (&argc, &argv);
  a_slice_carries_the_phantoms_own_landmarks_and_scores ();
  scores_are_those_asked_for ();
  review_shows_all_three_slices ();
  the_side_file_serves_cmrcinesrc_as_landmarks ();
  bad_settings_end_in_one_sentence ();
  two_runs_give_the_same_bytes ();
  live_pictures_come_at_their_time ();
  return 0;
}
