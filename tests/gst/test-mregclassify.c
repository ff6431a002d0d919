/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* mregclassify between two pads. */

#include <glib/gstdio.h>
#include <math.h>
#include <string.h>

#include "../require.h"
#include "fake.h"
#include "gstmregclassify.h"
#include "rig.h"

#define WIDTH 96
#define HEIGHT 64

/* Of the test model. */
#define FRAMES 6
/* At 30 frames a second, the picture shown at 2 s + (FRAMES - 1/2) / FRAMES
 * completes the third clip; the fourth one comes a second later. */
#define FIRST_RESULT 87
#define SECOND_RESULT (FIRST_RESULT + 30)

static gchar *
classify (const gchar *properties)
{
  return g_strdup_printf ("mregclassify model=%s device=reference threads=1 %s",
      rig_model (), properties);
}

static void
start (Rig *rig, const gchar *properties)
{
  gchar *launch = classify (properties);

  rig_start (rig, launch);
  g_free (launch);
}

static void
start_30 (Rig *rig, const gchar *properties)
{
  start (rig, properties);
  rig_caps (rig, "I420", WIDTH, HEIGHT, 30);
}

static gchar *
temp_path (const gchar *name)
{
  static gchar *folder = NULL;

  if (!folder)
    folder = g_dir_make_tmp ("mreg-XXXXXX", NULL);
  return g_build_filename (folder, name, NULL);
}

/* ---- data passes ------------------------------------------------------- */

static void
every_format_is_read_where_it_lies (void)
{
  GstElementFactory *factory = gst_element_factory_find ("mregclassify");
  const GList *templates =
      gst_element_factory_get_static_pad_templates (factory);
  GstCaps *caps = gst_static_pad_template_get_caps (templates->data);
  const GValue *formats =
      gst_structure_get_value (gst_caps_get_structure (caps, 0), "format");

  REQUIRE (gst_value_list_get_size (formats) >= 20);
  for (guint i = 0; i < gst_value_list_get_size (formats); i++) {
    const gchar *format =
        g_value_get_string (gst_value_list_get_value (formats, i));
    gboolean grey = strcmp (format, "GRAY8") == 0;
    gint state = -1;
    Rig rig;

    start (&rig, "sync-mode=exact");
    rig_caps (&rig, format, WIDTH, HEIGHT, 17);
    for (guint f = 0; f < 51; f++) {
      GstClockTime pts = f * (GST_SECOND / 17);
      GstBuffer *buffer =
          frame_new (&rig.info, FRAME_DOPPLER, f, pts, GST_SECOND / 17, f % 2);

      REQUIRE (gst_harness_push (rig.harness, buffer) == GST_FLOW_OK);
      buffer = gst_harness_pull (rig.harness);
      state = rig_state (buffer);
      gst_buffer_unref (buffer);
    }
    if (grey)
      REQUIRE (state == GST_CARDIAC_STATE_NO_DOPPLER);
    else
      REQUIRE (gst_cardiac_state_has_finding (state));
    REQUIRE (rig_stat (&rig, "received") == 51);
    rig_stop (&rig);
  }
  gst_caps_unref (caps);
  gst_object_unref (factory);
}

static void
times_and_flags_and_pixels_are_untouched (void)
{
  GstBuffer *in, *out, *same;
  GstMapInfo a, b;
  Rig rig;

  start_30 (&rig, "sync-mode=exact");
  in = frame_new (&rig.info, FRAME_DOPPLER, 3, 77, 5, TRUE);
  GST_BUFFER_DTS (in) = 66;
  GST_BUFFER_OFFSET (in) = 9;
  GST_BUFFER_FLAG_SET (in, GST_BUFFER_FLAG_MARKER | GST_BUFFER_FLAG_DISCONT);
  same = gst_buffer_copy_deep (in);
  gst_harness_push (rig.harness, in);
  out = gst_harness_pull (rig.harness);
  REQUIRE (GST_BUFFER_PTS (out) == 77 && GST_BUFFER_DTS (out) == 66);
  REQUIRE (GST_BUFFER_DURATION (out) == 5 && GST_BUFFER_OFFSET (out) == 9);
  REQUIRE (GST_BUFFER_FLAG_IS_SET (out, GST_BUFFER_FLAG_MARKER));
  REQUIRE (GST_BUFFER_FLAG_IS_SET (out, GST_BUFFER_FLAG_DISCONT));
  gst_buffer_map (same, &a, GST_MAP_READ);
  gst_buffer_map (out, &b, GST_MAP_READ);
  REQUIRE (a.size == b.size && memcmp (a.data, b.data, a.size) == 0);
  gst_buffer_unmap (same, &a);
  gst_buffer_unmap (out, &b);
  gst_buffer_unref (same);
  gst_buffer_unref (out);
  rig_stop (&rig);
}

static void
a_buffer_that_others_hold_is_not_copied (void)
{
  GstBuffer *in, *out;
  Rig rig;

  start_30 (&rig, "sync-mode=exact");
  in = frame_new (&rig.info, FRAME_DOPPLER, 0, 0, 1, FALSE);
  gst_harness_push (rig.harness, gst_buffer_ref (in));
  out = gst_harness_pull (rig.harness);
  REQUIRE (out != in);
  REQUIRE (gst_buffer_peek_memory (out, 0) == gst_buffer_peek_memory (in, 0));
  REQUIRE (!gst_buffer_get_cardiac_result_meta (in));
  REQUIRE (gst_buffer_get_cardiac_result_meta (out));
  /* Nothing upstream is kept. */
  gst_buffer_unref (out);
  REQUIRE (GST_MINI_OBJECT_REFCOUNT_VALUE (in) == 1);
  gst_buffer_unref (in);
  rig_stop (&rig);
}

static void
no_latency_is_added (void)
{
  Rig rig;

  start_30 (&rig, "sync-mode=live");
  gst_harness_set_upstream_latency (rig.harness, 20 * GST_MSECOND);
  REQUIRE (gst_harness_query_latency (rig.harness) == 20 * GST_MSECOND);
  rig_stop (&rig);
}

static void
frames_without_a_time_pass (void)
{
  GstBuffer *buffer;
  Rig rig;

  start_30 (&rig, "sync-mode=exact");
  buffer = frame_new (&rig.info, FRAME_DOPPLER, 0, GST_CLOCK_TIME_NONE,
      GST_CLOCK_TIME_NONE, FALSE);
  gst_harness_push (rig.harness, buffer);
  gst_buffer_unref (gst_harness_pull (rig.harness));
  REQUIRE (rig_stat (&rig, "untimed") == 1);
  rig_stop (&rig);
}

/* ---- results ----------------------------------------------------------- */

static void
frames_wait_until_the_third_clip_is_in (void)
{
  guint done = 0;
  Rig rig;

  start_30 (&rig, "sync-mode=exact");
  for (guint i = 0; i < 120; i++) {
    GstBuffer *buffer = rig_push (&rig, FRAME_DOPPLER, i);
    GstCardiacResultMeta *meta = gst_buffer_get_cardiac_result_meta (buffer);

    if (i < FIRST_RESULT) {
      REQUIRE (meta->result->state == GST_CARDIAC_STATE_WAIT);
      REQUIRE (meta->wait_total == 3 * FRAMES && meta->wait_done >= done);
      done = meta->wait_done;
      REQUIRE (meta->is_new == (i == 0));
    } else {
      REQUIRE (gst_cardiac_state_has_finding (meta->result->state));
      REQUIRE (meta->age == GST_BUFFER_PTS (buffer) - meta->result->pts);
      REQUIRE (meta->is_new == (i == FIRST_RESULT || i == SECOND_RESULT));
    }
    REQUIRE (gst_buffer_get_cardiac_geometry_meta (buffer)->has_crop);
    gst_buffer_unref (buffer);
  }
  REQUIRE (done == 3 * FRAMES - 1);
  REQUIRE (rig_stat (&rig, "clips-encoded") == 4);
  REQUIRE (rig_stat (&rig, "evaluations") == 2);
  rig_stop (&rig);
}

static void
the_end_of_a_recording_gives_its_result (void)
{
  GstCardiacResult *record;
  Rig rig;

  start_30 (&rig, "sync-mode=exact interim=false");
  REQUIRE (rig_push_many (&rig, FRAME_DOPPLER, 150) == GST_CARDIAC_STATE_WAIT);
  gst_harness_push_event (rig.harness, gst_event_new_eos ());
  record = rig_last_record (&rig, NULL);
  REQUIRE (record && gst_cardiac_state_has_finding (record->state));
  REQUIRE (record->is_final && record->n_spans == 3);
  /* Clips at k (D - d) / 2 with D = 5 s, d = 1 s. */
  for (guint i = 0; i < 3; i++)
    REQUIRE (ABS ((gint64) record->spans[i][0] - (gint64) (i * 2 * GST_SECOND))
             < GST_SECOND / 10);
  REQUIRE (record->grade >= 0 && record->grade < (gint) record->n_classes);
  REQUIRE (record->maps && record->curve && record->frame_times);
  gst_cardiac_result_unref (record);
  REQUIRE (rig_stat (&rig, "clips-encoded") == 3);
  rig_stop (&rig);
}

static void
write_results (const gchar *results, const gchar *maps)
{
  gchar *properties = g_strdup_printf (
      "sync-mode=exact results-location=%s maps-location=%s", results, maps);
  Rig rig;

  start_30 (&rig, properties);
  rig_push_many (&rig, FRAME_DOPPLER, 130);
  gst_harness_push_event (rig.harness, gst_event_new_eos ());
  rig_stop (&rig);
  g_free (properties);
}

/* Lines without the one number that is time. */
static gchar *
read_without_times (const gchar *path)
{
  GRegex *regex = g_regex_new ("\"inference_ms\":[0-9.e+-]+,", 0, 0, NULL);
  gchar *text, *clean;

  REQUIRE (g_file_get_contents (path, &text, NULL, NULL));
  clean = g_regex_replace_literal (regex, text, -1, 0, "", 0, NULL);
  g_regex_unref (regex);
  g_free (text);
  return clean;
}

static void
two_runs_give_the_same_lines (void)
{
  gchar *one = temp_path ("one.jsonl"), *two = temp_path ("two.jsonl");
  gchar *maps = temp_path ("maps.json"), *a, *b;

  write_results (one, maps);
  write_results (two, maps);
  a = read_without_times (one);
  b = read_without_times (two);
  REQUIRE (strcmp (a, b) == 0);
  REQUIRE (strstr (a, "\"state\":\"WAIT\"") == strstr (a, "\"state\":"));
  g_free (a);
  g_free (b);
  g_free (one);
  g_free (two);
  g_free (maps);
}

static void
a_second_pass_puts_the_result_on_every_frame (void)
{
  gchar *results = temp_path ("results.jsonl"), *maps = temp_path ("m.json");
  gchar *launch = g_strdup_printf (
      "mregclassify results=%s maps-location=%s", results, maps);
  guint inside = 0;
  Rig rig;

  write_results (results, maps);
  rig_start (&rig, launch);
  rig_caps (&rig, "BGRx", WIDTH, HEIGHT, 30);
  for (guint i = 0; i < 130; i++) {
    GstBuffer *buffer = rig_push (&rig, FRAME_DOPPLER, i);
    GstCardiacResultMeta *meta = gst_buffer_get_cardiac_result_meta (buffer);
    GstCardiacGeometryMeta *geometry =
        gst_buffer_get_cardiac_geometry_meta (buffer);

    REQUIRE (meta->result->is_final && meta->result->labels[0]);
    REQUIRE (gst_cardiac_state_has_finding (meta->result->state));
    if (meta->map_instance < 0) {
      REQUIRE (!geometry || !geometry->has_crop);
    } else {
      REQUIRE (geometry->has_crop && geometry->crop.w == WIDTH);
      REQUIRE (gst_cardiac_result_get_map (
          meta->result, meta->map_instance, meta->map_frame));
      inside++;
    }
    gst_buffer_unref (buffer);
  }
  /* Three clips of 4.33 s, each from its first to its last sampled frame. */
  REQUIRE (inside >= 3 * 25 && inside <= 3 * 30);
  rig_stop (&rig);
  g_free (launch);
  g_free (results);
  g_free (maps);
}

/* ---- states ------------------------------------------------------------ */

static GstCardiacState
state_at_end (Rig *rig)
{
  GstCardiacResult *record;
  GstCardiacState state;

  gst_harness_push_event (rig->harness, gst_event_new_eos ());
  record = rig_last_record (rig, NULL);
  REQUIRE (record && record->is_final && record->reason);
  REQUIRE (record->grade < 0 || gst_cardiac_state_has_finding (record->state));
  state = record->state;
  gst_cardiac_result_unref (record);
  return state;
}

static void
black_is_no_signal (void)
{
  Rig rig;

  start_30 (&rig, "sync-mode=exact");
  REQUIRE (
      rig_push_many (&rig, FRAME_BLACK, 120) == GST_CARDIAC_STATE_NO_SIGNAL);
  REQUIRE (state_at_end (&rig) == GST_CARDIAC_STATE_NO_SIGNAL);
  rig_stop (&rig);
}

static void
grey_is_no_doppler (void)
{
  Rig rig;

  start_30 (&rig, "sync-mode=exact");
  REQUIRE (
      rig_push_many (&rig, FRAME_GREY, 120) == GST_CARDIAC_STATE_NO_DOPPLER);
  REQUIRE (state_at_end (&rig) == GST_CARDIAC_STATE_NO_DOPPLER);
  rig_stop (&rig);
}

static void
where_a_detector_finds_no_heart_the_view_is_another (void)
{
  Rig rig;

  start_30 (&rig, "sync-mode=exact");
  rig.heartless = TRUE;
  REQUIRE (rig_push_many (&rig, FRAME_DOPPLER, 120)
           == GST_CARDIAC_STATE_VIEW_NOT_A4C);
  REQUIRE (state_at_end (&rig) == GST_CARDIAC_STATE_VIEW_NOT_A4C);
  rig_stop (&rig);

  /* a moment without one is none, and a region by hand is believed */
  start_30 (&rig, "sync-mode=exact");
  rig_push_many (&rig, FRAME_DOPPLER, 90);
  rig.heartless = TRUE;
  rig_push_many (&rig, FRAME_DOPPLER, 20);
  REQUIRE (gst_cardiac_state_has_finding (state_at_end (&rig)));
  rig_stop (&rig);
  start_30 (&rig, "sync-mode=exact roi=0,0,64,64");
  rig.heartless = TRUE;
  rig_push_many (&rig, FRAME_DOPPLER, 120);
  REQUIRE (gst_cardiac_state_has_finding (state_at_end (&rig)));
  rig_stop (&rig);
}

/* A clip is never shorter than a beat whose length is known. */
static void
clips_grow_to_a_beat (void)
{
  static const struct {
    gdouble rate; /* beats a minute; 0: no tag */
    gdouble clip; /* s; 0: too long for the recording */
  } cases[] = { { 0, 1 }, { 80, 1 }, { 50, 1.2 }, { 40, 0 }, { 1, 1 } };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++) {
    GstCardiacResult *record;
    Rig rig;

    start_30 (&rig, "sync-mode=exact");
    if (cases[i].rate > 0)
      gst_harness_push_event (
          rig.harness, gst_event_new_tag (gst_tag_list_new (
                           GST_TAG_BEATS_PER_MINUTE, cases[i].rate, NULL)));
    rig_push_many (&rig, FRAME_DOPPLER, 110); /* 3.67 s */
    gst_harness_push_event (rig.harness, gst_event_new_eos ());
    record = rig_last_record (&rig, NULL);
    REQUIRE (record && record->is_final);
    if (cases[i].clip > 0) {
      gdouble span = (record->spans[0][1] - record->spans[0][0]) / 1e9;

      gdouble frames = record->n_points;

      /* from the middle of the first part to that of the last */
      REQUIRE (gst_cardiac_state_has_finding (record->state));
      REQUIRE (fabs (span - cases[i].clip * (frames - 1) / frames) < 0.035);
    } else {
      REQUIRE (record->state == GST_CARDIAC_STATE_TOO_SHORT);
      REQUIRE (strstr (record->reason, "3 clips of 1.50 s"));
    }
    gst_cardiac_result_unref (record);
    rig_stop (&rig);
  }
}

/* Before its colours or a detector are asked. */
static void
a_screen_of_m_mode_is_another_view (void)
{
  GstCardiacResult *record;
  Rig rig;

  start_30 (&rig, "sync-mode=exact");
  rig.m_mode = TRUE;
  REQUIRE (rig_push_many (&rig, FRAME_DOPPLER, 120)
           == GST_CARDIAC_STATE_VIEW_NOT_A4C);
  gst_harness_push_event (rig.harness, gst_event_new_eos ());
  record = rig_last_record (&rig, NULL);
  REQUIRE (record && record->is_final);
  REQUIRE (record->state == GST_CARDIAC_STATE_VIEW_NOT_A4C);
  REQUIRE (strstr (record->reason, "M-mode"));
  gst_cardiac_result_unref (record);
  rig_stop (&rig);

  start_30 (&rig, "sync-mode=exact roi=0,0,64,64");
  rig.m_mode = TRUE;
  rig_push_many (&rig, FRAME_DOPPLER, 120);
  REQUIRE (gst_cardiac_state_has_finding (state_at_end (&rig)));
  rig_stop (&rig);
}

static void
one_picture_for_a_second_is_frozen (void)
{
  Rig rig;

  start_30 (&rig, "sync-mode=exact");
  rig_push_many (&rig, FRAME_DOPPLER, 100);
  for (guint i = 0; i < 40; i++) {
    GstBuffer *buffer = rig_push (&rig, FRAME_DOPPLER, 5000);
    gboolean frozen = rig_state (buffer) == GST_CARDIAC_STATE_FROZEN;

    REQUIRE (frozen == (i >= 30));
    gst_buffer_unref (buffer);
  }
  rig_stop (&rig);

  start_30 (&rig, "sync-mode=exact");
  for (guint i = 0; i < 120; i++)
    gst_buffer_unref (rig_push (&rig, FRAME_DOPPLER, 0));
  REQUIRE (state_at_end (&rig) == GST_CARDIAC_STATE_FROZEN);
  rig_stop (&rig);
}

static void
a_short_recording_is_too_short (void)
{
  Rig rig;

  start_30 (&rig, "sync-mode=exact");
  rig_push_many (&rig, FRAME_DOPPLER, 80);
  REQUIRE (state_at_end (&rig) == GST_CARDIAC_STATE_TOO_SHORT);
  rig_stop (&rig);
}

/* One picture a second shows no beat, however long the recording is. */
static void
too_few_pictures_a_second_are_a_poor_image (void)
{
  GstCardiacResult *record;
  Rig rig;

  for (guint count = 8; count <= 40; count += 32) {
    start (&rig, "sync-mode=exact");
    rig_caps (&rig, "I420", WIDTH, HEIGHT, 1);
    REQUIRE (rig_push_many (&rig, FRAME_DOPPLER, count)
             == GST_CARDIAC_STATE_POOR_IMAGE);
    gst_harness_push_event (rig.harness, gst_event_new_eos ());
    record = rig_last_record (&rig, NULL);
    REQUIRE (record->is_final && record->grade < 0);
    REQUIRE (record->state == GST_CARDIAC_STATE_POOR_IMAGE);
    REQUIRE (strstr (record->reason, "1.0 pictures a second") != NULL);
    gst_cardiac_result_unref (record);
    rig_stop (&rig);
  }
}

static void
switched_off_is_paused (void)
{
  Rig rig;

  start_30 (&rig, "sync-mode=exact");
  REQUIRE (
      gst_cardiac_state_has_finding (rig_push_many (&rig, FRAME_DOPPLER, 95)));
  g_object_set (rig.element, "enabled", FALSE, NULL);
  REQUIRE (rig_push_many (&rig, FRAME_DOPPLER, 1) == GST_CARDIAC_STATE_PAUSED);
  g_object_set (rig.element, "enabled", TRUE, NULL);
  REQUIRE (rig_push_many (&rig, FRAME_DOPPLER, 1) == GST_CARDIAC_STATE_WAIT);
  rig_stop (&rig);
}

static void
another_region_clears_the_grade_at_once (void)
{
  Rig rig;

  start_30 (&rig, "sync-mode=exact");
  REQUIRE (
      gst_cardiac_state_has_finding (rig_push_many (&rig, FRAME_DOPPLER, 95)));
  g_object_set (rig.element, "roi", "20,10,40,40", NULL);
  REQUIRE (rig_push_many (&rig, FRAME_DOPPLER, 1) == GST_CARDIAC_STATE_WAIT);
  rig_stop (&rig);
}

static void
results_get_stale_and_are_erased (void)
{
  Rig rig;

  /* The second clip after the first result would end at 34 s. */
  start_30 (
      &rig, "sync-mode=exact clip-duration=200000000 clip-stride=15000000000");
  for (guint i = 0; i < 30 * 45; i++) {
    GstBuffer *buffer = rig_push (&rig, FRAME_DOPPLER, i);
    GstCardiacResultMeta *meta = gst_buffer_get_cardiac_result_meta (buffer);
    GstClockTime age = meta->age;

    if (i > 30 * 32) {
      if (meta->result->state == GST_CARDIAC_STATE_STALE)
        REQUIRE (i >= 30 * 33 && i <= 30 * 41);
      else if (gst_cardiac_state_has_finding (meta->result->state))
        REQUIRE (age < 3 * GST_SECOND);
      else
        REQUIRE (meta->result->state == GST_CARDIAC_STATE_WAIT && i >= 30 * 40);
      if (meta->result->state != GST_CARDIAC_STATE_RESULT
          && meta->result->state != GST_CARDIAC_STATE_UNSURE)
        REQUIRE (meta->result->grade < 0);
    }
    gst_buffer_unref (buffer);
  }
  rig_stop (&rig);
}

/* ---- trouble in the stream --------------------------------------------- */

static void
damaged_frames_and_gaps_are_left_out_and_counted (void)
{
  GstCardiacResult *record;
  Rig rig;

  start_30 (&rig, "sync-mode=exact interim=false");
  for (guint i = 0; i < 300; i++) {
    GstBuffer *buffer;

    if (i == 100) {
      rig.frame += 10;
      i += 10;
    }
    buffer = frame_new (&rig.info, FRAME_DOPPLER, i,
        rig.frame++ * GST_SECOND / 30, GST_SECOND / 30, FALSE);
    if (i == 50 || i == 200)
      GST_BUFFER_FLAG_SET (buffer, GST_BUFFER_FLAG_CORRUPTED);
    gst_harness_push (rig.harness, buffer);
    gst_buffer_unref (gst_harness_pull (rig.harness));
  }
  gst_harness_push_event (rig.harness, gst_event_new_eos ());
  REQUIRE (rig_stat (&rig, "corrupt") == 2);
  REQUIRE (rig_stat (&rig, "gaps") == 1);
  record = rig_last_record (&rig, NULL);
  REQUIRE (gst_cardiac_state_has_finding (record->state));
  for (guint t = 0; t < 3 * FRAMES; t++) {
    REQUIRE (record->frame_times[t] != 50 * GST_SECOND / 30);
    REQUIRE (record->frame_times[t] != 200 * GST_SECOND / 30);
  }
  for (guint i = 0; i < 3; i++)
    REQUIRE (record->spans[i][1] < 100 * GST_SECOND / 30
             || record->spans[i][0] >= 110 * GST_SECOND / 30);
  gst_cardiac_result_unref (record);
  rig_stop (&rig);
}

static void
repeats_of_a_grabber_are_not_sampled (void)
{
  guint64 analysed;
  Rig rig;

  /* 20 different pictures a second in a capture of 60. */
  start (&rig, "sync-mode=exact");
  rig_caps (&rig, "I420", WIDTH, HEIGHT, 60);
  for (guint i = 0; i < 240; i++)
    gst_buffer_unref (rig_push (&rig, FRAME_DOPPLER, i / 3));
  analysed = rig_stat (&rig, "analysed");
  REQUIRE (analysed == 80);
  REQUIRE (rig_stat (&rig, "repeats") == 160);
  REQUIRE (rig_stat (&rig, "evaluations") >= 1);
  rig_stop (&rig);
}

static void
time_that_goes_back_starts_anew (void)
{
  Rig rig;

  start_30 (&rig, "sync-mode=exact");
  REQUIRE (
      gst_cardiac_state_has_finding (rig_push_many (&rig, FRAME_DOPPLER, 95)));
  rig.frame = 0;
  REQUIRE (rig_push_many (&rig, FRAME_DOPPLER, 1) == GST_CARDIAC_STATE_WAIT);
  REQUIRE (
      gst_cardiac_state_has_finding (rig_push_many (&rig, FRAME_DOPPLER, 94)));
  rig_stop (&rig);
}

static void
a_flush_forgets_everything (void)
{
  GstSegment segment;
  Rig rig;

  start_30 (&rig, "sync-mode=exact");
  rig_push_many (&rig, FRAME_DOPPLER, 95);
  gst_harness_push_event (rig.harness, gst_event_new_flush_start ());
  gst_harness_push_event (rig.harness, gst_event_new_flush_stop (TRUE));
  gst_segment_init (&segment, GST_FORMAT_TIME);
  gst_harness_push_event (rig.harness, gst_event_new_segment (&segment));
  REQUIRE (rig_push_many (&rig, FRAME_DOPPLER, 1) == GST_CARDIAC_STATE_WAIT);
  rig.frame = 0;
  rig_push_many (&rig, FRAME_DOPPLER, 80);
  REQUIRE (state_at_end (&rig) == GST_CARDIAC_STATE_TOO_SHORT);
  rig_stop (&rig);
}

static void
caps_may_change_in_the_middle (void)
{
  Rig rig;

  start_30 (&rig, "sync-mode=exact");
  rig_push_many (&rig, FRAME_DOPPLER, 95);
  rig_caps (&rig, "BGRx", 131, 97, 30);
  REQUIRE (rig_push_many (&rig, FRAME_DOPPLER, 1) == GST_CARDIAC_STATE_WAIT);
  REQUIRE (
      gst_cardiac_state_has_finding (rig_push_many (&rig, FRAME_DOPPLER, 95)));
  rig_stop (&rig);
}

/* ---- a slow network ---------------------------------------------------- */

static void
start_held (Rig *rig, const gchar *properties, gint fps)
{
  gchar *launch =
      g_strdup_printf ("mregclassify model=%s device=fake threads=1 %s",
          rig_model (), properties);

  rig_start (rig, launch);
  rig_caps (rig, "I420", WIDTH, HEIGHT, fps);
  fake_hold ();
  g_free (launch);
}

/* A clip is with the network, the next one waits, and others take its place. */
static void
sixty_frames_a_second_leave_while_the_network_is_held (void)
{
  Rig rig;

  start_held (&rig, "sync-mode=live", 60);
  REQUIRE (rig_push_many (&rig, FRAME_DOPPLER, 600) == GST_CARDIAC_STATE_WAIT);
  REQUIRE (rig_stat (&rig, "received") == 600);
  REQUIRE (rig_stat (&rig, "clips-encoded") == 0);
  REQUIRE (rig_stat (&rig, "clips-skipped") > 0);
  fake_release ();
  rig_stop (&rig);
}

static gpointer
push_until_flushing (gpointer data)
{
  Rig *rig = data;
  guint i = 0;

  while (gst_harness_push (
             rig->harness, frame_new (&rig->info, FRAME_DOPPLER, i,
                               i * GST_SECOND / 30, GST_SECOND / 30, FALSE))
         == GST_FLOW_OK)
    i++;
  return NULL;
}

static gpointer
set_to_null (gpointer element)
{
  gst_element_set_state (element, GST_STATE_NULL);
  return NULL;
}

/* The network itself is waited for, the video that waits for it is not. */
static void
stopping_lets_waiting_video_go (void)
{
  GThread *push, *stop;
  Rig rig;

  start_held (&rig, "sync-mode=exact", 30);
  push = g_thread_new ("push", push_until_flushing, &rig);
  fake_wait_held ();
  stop = g_thread_new ("stop", set_to_null, rig.element);
  g_thread_join (push);
  fake_release ();
  g_thread_join (stop);
  rig_stop (&rig);
}

static void
states_can_be_cycled (void)
{
  gchar *launch = classify ("sync-mode=live");
  GstElement *element = gst_parse_launch (launch, NULL);

  gst_object_ref_sink (element);
  for (guint i = 0; i < 30; i++) {
    REQUIRE (gst_element_set_state (element, GST_STATE_PLAYING)
             != GST_STATE_CHANGE_FAILURE);
    REQUIRE (gst_element_set_state (
                 element, i % 2 ? GST_STATE_READY : GST_STATE_NULL)
             == GST_STATE_CHANGE_SUCCESS);
  }
  gst_element_set_state (element, GST_STATE_NULL);
  gst_object_unref (element);
  g_free (launch);
}

static void
two_elements_share_one_model (void)
{
  GstStructure *stats;
  guint users = 0;
  Rig one, two;

  start_30 (&one, "sync-mode=exact");
  start_30 (&two, "sync-mode=exact");
  g_object_get (two.element, "stats", &stats, NULL);
  REQUIRE (gst_structure_get_uint (stats, "model-users", &users));
  REQUIRE (users == 2);
  gst_structure_free (stats);
  rig_stop (&one);
  REQUIRE (
      gst_cardiac_state_has_finding (rig_push_many (&two, FRAME_DOPPLER, 95)));
  rig_stop (&two);
}

/* ---- errors ------------------------------------------------------------ */

static void
require_error (const gchar *launch, GQuark domain, gint code, const gchar *says)
{
  GError *error = rig_start_error (launch);

  REQUIRE (error != NULL);
  if (error->domain != domain || error->code != code
      || !strstr (error->message, says))
    g_printerr ("%s: %s %d: %s\n", launch, g_quark_to_string (error->domain),
        error->code, error->message);
  REQUIRE (error->domain == domain && error->code == code);
  REQUIRE (strstr (error->message, says) != NULL);
  g_error_free (error);
}

static void
errors_say_which_file_and_what_is_wrong (void)
{
  gchar *broken = temp_path ("broken.safetensors"), *launch;

  REQUIRE (g_file_set_contents (broken, "this is no model", -1, NULL));
  require_error ("mregclassify model=/no/such/file.safetensors",
      GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_NOT_FOUND, "/no/such/file");
  launch = g_strdup_printf ("mregclassify model=%s", broken);
  require_error (launch, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_SETTINGS,
      "broken.safetensors");
  g_free (launch);
  launch = g_strdup_printf (
      "mregclassify model=%s", g_getenv ("CARDIAC_TEST_DETECTOR"));
  require_error (
      launch, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_SETTINGS, "mreg");
  g_free (launch);
  launch =
      g_strdup_printf ("mregclassify model=%s device=teapot", rig_model ());
  require_error (launch, GST_LIBRARY_ERROR, GST_LIBRARY_ERROR_INIT, "teapot");
  g_free (launch);
  launch = classify ("results-location=/no/such/folder/results.jsonl");
  require_error (launch, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_OPEN_WRITE,
      "/no/such/folder");
  g_free (launch);
  require_error ("mregclassify results=/no/such/results.jsonl",
      GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_READ, "/no/such/results");
  launch = g_strdup_printf ("mregclassify results=%s", broken);
  require_error (launch, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_READ,
      "broken.safetensors:1");
  g_free (launch);
  g_free (broken);
  require_error ("mregclassify roi=1,2,3", GST_RESOURCE_ERROR,
      GST_RESOURCE_ERROR_SETTINGS, "1,2,3");
}

int
main (int argc, char **argv)
{
  gst_init (&argc, &argv);
  GST_ELEMENT_REGISTER (mregclassify, NULL);

  every_format_is_read_where_it_lies ();
  times_and_flags_and_pixels_are_untouched ();
  a_buffer_that_others_hold_is_not_copied ();
  no_latency_is_added ();
  frames_without_a_time_pass ();
  frames_wait_until_the_third_clip_is_in ();
  the_end_of_a_recording_gives_its_result ();
  two_runs_give_the_same_lines ();
  a_second_pass_puts_the_result_on_every_frame ();
  black_is_no_signal ();
  grey_is_no_doppler ();
  where_a_detector_finds_no_heart_the_view_is_another ();
  clips_grow_to_a_beat ();
  a_screen_of_m_mode_is_another_view ();
  one_picture_for_a_second_is_frozen ();
  a_short_recording_is_too_short ();
  too_few_pictures_a_second_are_a_poor_image ();
  switched_off_is_paused ();
  another_region_clears_the_grade_at_once ();
  results_get_stale_and_are_erased ();
  damaged_frames_and_gaps_are_left_out_and_counted ();
  repeats_of_a_grabber_are_not_sampled ();
  time_that_goes_back_starts_anew ();
  a_flush_forgets_everything ();
  caps_may_change_in_the_middle ();
  sixty_frames_a_second_leave_while_the_network_is_held ();
  stopping_lets_waiting_video_go ();
  states_can_be_cycled ();
  two_elements_share_one_model ();
  errors_say_which_file_and_what_is_wrong ();

  gst_deinit ();
  return 0;
}
