/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* mmsascore between pads: cycles, records, states, flushes and ends. */

#include <cardiac/mmsa.h>
#include <glib/gstdio.h>
#include <string.h>

#include "../require.h"
#include "gstmmsascore.h"
#include "scorerig.h"

#define PHASES 8

static const ScorePicture moving = { .phases = PHASES, .level = -1 };
static const ScorePicture still = {
  .phases = PHASES, .still = TRUE, .level = -1
};

/* What the engine says of the same pictures. */
static CardiacMmsaResult *
score_directly (const ScorePicture *picture)
{
  gfloat *polar = g_new (gfloat, (gsize) picture->phases * 80 * 512);
  CardiacModel *model = cardiac_model_load (score_model (), NULL);
  ScorePicture next = *picture;
  CardiacMmsaResult *result;
  CardiacSettings settings;
  CardiacMmsa *mmsa;

  REQUIRE (model != NULL);
  for (next.phase = 0; next.phase < next.phases; next.phase++) {
    GstBuffer *level[3];
    GstMapInfo map[3];

    for (guint i = 0; i < 3; i++) {
      level[i] = score_picture_new (i, &next);
      gst_buffer_map (level[i], &map[i], GST_MAP_READ);
    }
    cardiac_polar_segments (map[0].data, map[1].data, map[2].data,
        polar + (gsize) next.phase * 80 * 512);
    for (guint i = 0; i < 3; i++) {
      gst_buffer_unmap (level[i], &map[i]);
      gst_buffer_unref (level[i]);
    }
  }
  cardiac_settings_default (&settings);
  settings.device = "reference";
  settings.threads = 1;
  mmsa = cardiac_mmsa_new (model, picture->phases, &settings, NULL);
  REQUIRE (mmsa != NULL);
  result = cardiac_mmsa_run (mmsa, polar, NULL);
  REQUIRE (result != NULL);
  cardiac_mmsa_free (&mmsa);
  cardiac_model_unref (&model);
  g_free (polar);
  return result;
}

/* Mean of a segment's flow, from the definition. */
static gdouble
mean_flow (const CardiacMmsaResult *result, guint t, guint k, guint axis)
{
  gdouble sum = 0;

  for (guint y = 0; y < 80; y++)
    for (guint x = 0; x < 32; x++)
      sum += result->flow1[((t * 2 + axis) * 80 + y) * 512 + k * 32 + x];
  return sum / (80 * 32) * (axis == 1 && k >= 12 ? 1.5 : 1);
}

static void
check_scores (const GstCardiacResult *record)
{
  CardiacMmsaResult *direct = score_directly (&moving);

  REQUIRE (record->has_scores && record->scored == 16);
  REQUIRE (record->index == (gdouble) direct->index);
  REQUIRE (record->n_phases == PHASES && record->motion_step >= 1);
  for (guint k = 0; k < GST_CARDIAC_SEGMENTS; k++) {
    REQUIRE (record->scores[k] == direct->scores[k]);
    for (guint s = 0; s < GST_CARDIAC_SCORES; s++)
      REQUIRE (
          record->score_probabilities[k][s] == direct->probabilities[k][s]);
    for (guint t = 0; t < PHASES; t++)
      for (guint axis = 0; axis < 2; axis++)
        REQUIRE (ABS (record->motion[(t * 16 + k) * 2 + axis]
                      - mean_flow (direct, t, k, axis))
                 < 1e-5);
  }
  cardiac_mmsa_result_free (&direct);
}

/* So many buffers that carry this record; the first one says it is new. */
static void
check_buffers (ScoreRig *rig, guint count, const GstCardiacResult *record,
    guint first_number)
{
  for (guint i = 0; i < count; i++) {
    GstBuffer *buffer = score_rig_pop (rig);

    REQUIRE (score_record (buffer) == record);
    REQUIRE (gst_buffer_get_cardiac_result_meta (buffer)->is_new == (i == 0));
    REQUIRE (gst_buffer_get_cardiac_result_meta (buffer)->age
             == GST_CLOCK_TIME_NONE);
    REQUIRE (GST_BUFFER_PTS (buffer)
             == (first_number + i) * SCORE_PHASE_MS * GST_MSECOND);
    gst_buffer_unref (buffer);
  }
}

static GstCardiacResult *
pop_only_record (ScoreRig *rig)
{
  GstCardiacResult *record = score_rig_pop_record (rig);

  REQUIRE (record != NULL);
  REQUIRE (score_rig_pop_record (rig) == NULL);
  return record;
}

/* The one record of a rig that ends now, whose state is expected. */
static gchar *
finish_in_state (ScoreRig *rig, GstCardiacState state)
{
  GstCardiacResult *record;
  gchar *reason;

  score_rig_end (rig, SCORE_ALL);
  score_rig_wait_end (rig);
  record = pop_only_record (rig);
  REQUIRE (record->state == state && !record->has_scores);
  reason = g_strdup (record->reason);
  gst_cardiac_result_unref (record);
  return reason;
}

static void
each_cycle_gives_one_record_that_its_video_carries (void)
{
  gchar *path = g_build_filename (g_get_tmp_dir (), "scores-XXXXXX", NULL);
  gchar *properties, *text, **lines, *json;
  ScorePicture second = moving;
  GstCardiacResult *record;
  ScoreRig rig;

  g_close (g_mkstemp (path), NULL);
  properties = g_strdup_printf ("results-location=%s", path);
  score_rig_start (&rig, properties, SCORE_ALL, 0);
  score_rig_push_cycle (&rig, &moving, FALSE);
  score_rig_wait (&rig, PHASES);
  record = pop_only_record (&rig);
  REQUIRE (record->state == GST_CARDIAC_STATE_RESULT && record->serial == 1);
  REQUIRE (record->n_spans == 1 && record->spans[0][0] == 0);
  REQUIRE (record->pts == (PHASES - 1) * SCORE_PHASE_MS * GST_MSECOND);
  REQUIRE (strcmp (record->model_arch, "mmsa") == 0 && !record->trained);
  REQUIRE (strcmp (record->device, "reference") == 0);
  check_scores (record);
  check_buffers (&rig, PHASES, record, 0);
  json = gst_cardiac_result_to_json (record);
  gst_cardiac_result_unref (record);

  /* The same cycle again: another record, without another run. */
  second.loop = 1;
  score_rig_push_cycle (&rig, &second, TRUE);
  score_rig_end (&rig, SCORE_ALL);
  score_rig_wait_end (&rig);
  record = pop_only_record (&rig);
  REQUIRE (record->serial == 2 && record->has_scores);
  check_buffers (&rig, PHASES, record, PHASES);
  gst_cardiac_result_unref (record);
  REQUIRE (score_rig_stat (&rig, "scored") == 1);
  REQUIRE (score_rig_stat (&rig, "repeated") == 1);
  REQUIRE (score_rig_stat (&rig, "frames") == 2 * PHASES);
  score_rig_stop (&rig);

  REQUIRE (g_file_get_contents (path, &text, NULL, NULL));
  lines = g_strsplit (text, "\n", -1);
  REQUIRE (g_strv_length (lines) == 3 && strcmp (lines[0], json) == 0);
  REQUIRE (strstr (lines[1], "\"scores\":["));
  g_strfreev (lines);
  g_unlink (path);
  g_free (text);
  g_free (json);
  g_free (properties);
  g_free (path);
}

static void
without_video_the_basal_picture_carries_the_record (void)
{
  GstCardiacResult *record;
  GstBuffer *buffer;
  ScoreRig rig;

  score_rig_start (&rig, "", SCORE_LEVELS, 0);
  score_rig_push_cycle (&rig, &still, FALSE);
  score_rig_wait (&rig, PHASES);
  record = pop_only_record (&rig);
  buffer = score_rig_pop (&rig);
  REQUIRE (gst_buffer_get_size (buffer) == 80 * 192);
  REQUIRE (score_record (buffer) == record);
  REQUIRE (gst_buffer_get_cardiac_slice_meta (buffer, GST_CARDIAC_LEVEL_BASAL));
  gst_buffer_unref (buffer);
  gst_cardiac_result_unref (record);
  score_rig_end (&rig, SCORE_ALL);
  score_rig_wait_end (&rig);
  score_rig_stop (&rig);
}

static void
a_missing_slice_is_a_stack_incomplete (void)
{
  gchar *reason;
  ScoreRig rig;

  score_rig_start (&rig, "", SCORE_ALL & ~(1 << SCORE_APICAL), 0);
  score_rig_push_cycle (&rig, &moving, FALSE);
  reason = finish_in_state (&rig, GST_CARDIAC_STATE_STACK_INCOMPLETE);
  REQUIRE (strstr (reason, "apical") && !strstr (reason, "mid"));
  score_rig_wait (&rig, PHASES); /* video passes all the same */
  g_free (reason);
  score_rig_stop (&rig);
}

static void
a_slice_without_pictures_is_a_stack_incomplete (void)
{
  gchar *reason;
  ScoreRig rig;

  score_rig_start (&rig, "", SCORE_ALL, 0);
  for (guint phase = 0; phase < PHASES; phase++) {
    ScorePicture picture = moving;

    picture.phase = phase;
    REQUIRE (score_rig_push (&rig, SCORE_MID, &picture) == GST_FLOW_OK);
    REQUIRE (score_rig_push (&rig, SCORE_VIDEO, &picture) == GST_FLOW_OK);
  }
  reason = finish_in_state (&rig, GST_CARDIAC_STATE_STACK_INCOMPLETE);
  REQUIRE (strstr (reason, "basal, apical"));
  score_rig_wait (&rig, PHASES);
  g_free (reason);
  score_rig_stop (&rig);

  score_rig_start (&rig, "", SCORE_ALL, 0);
  reason = finish_in_state (&rig, GST_CARDIAC_STATE_STACK_INCOMPLETE);
  g_free (reason);
  score_rig_stop (&rig);
}

/* The mid slice lacks a phase, in two loops from one thread. */
static void
unequal_phases_are_said_and_stop_nothing (void)
{
  GstCardiacResult *record;
  ScorePicture picture = moving;
  guint records = 0;
  ScoreRig rig;

  score_rig_start (&rig, "", SCORE_ALL, 0);
  for (picture.loop = 0; picture.loop < 2; picture.loop++) {
    for (picture.phase = 0; picture.phase < PHASES; picture.phase++) {
      for (gint pad = SCORE_PADS - 1; pad >= 0; pad--)
        if (pad != SCORE_MID || picture.phase != PHASES - 1)
          REQUIRE (score_rig_push (&rig, pad, &picture) == GST_FLOW_OK);
    }
  }
  score_rig_end (&rig, SCORE_ALL);
  score_rig_wait_end (&rig);
  while ((record = score_rig_pop_record (&rig))) {
    REQUIRE (record->state == GST_CARDIAC_STATE_PHASES_DIFFER);
    REQUIRE (strstr (record->reason, "8, 7 and 8"));
    gst_cardiac_result_unref (record);
    records++;
  }
  REQUIRE (records == 2);
  score_rig_wait (&rig, 2 * PHASES);
  REQUIRE (!score_rig_pop_error (&rig));
  score_rig_stop (&rig);
}

static void
what_cannot_be_scored_says_why (void)
{
  const struct {
    ScorePicture picture;
    GstCardiacState state;
    const gchar *word;
  } cases[] = {
    { { .phases = PHASES, .level = -1, .no_landmarks = TRUE },
        GST_CARDIAC_STATE_LEVEL_UNKNOWN, "no landmarks" },
    { { .phases = PHASES, .level = GST_CARDIAC_LEVEL_MID },
        GST_CARDIAC_STATE_LEVEL_UNKNOWN, "says it is mid" },
    { { .phases = 5, .level = -1 }, GST_CARDIAC_STATE_TOO_SHORT, "5 phases" },
    { { .phases = 65, .level = -1 }, GST_CARDIAC_STATE_MODEL_ERROR,
        "65 phases" },
    { { .phases = PHASES, .level = -1, .still = TRUE },
        GST_CARDIAC_STATE_FROZEN, "are the same" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++) {
    gchar *reason;
    ScoreRig rig;

    score_rig_start (&rig, "", SCORE_ALL, 0);
    score_rig_push_cycle (&rig, &cases[i].picture, FALSE);
    reason = finish_in_state (&rig, cases[i].state);
    REQUIRE (strstr (reason, cases[i].word));
    score_rig_wait (&rig, cases[i].picture.phases);
    g_free (reason);
    score_rig_stop (&rig);
  }
}

/* From one thread: nothing may wait for phases that come later. */
static void
a_cycle_that_is_far_too_long_holds_nothing_up (void)
{
  const ScorePicture picture = { .phases = 300, .level = -1, .still = TRUE };
  GstCardiacResult *record;
  guint records = 0;
  ScoreRig rig;

  score_rig_start (&rig, "", SCORE_ALL, 0);
  score_rig_push_cycle (&rig, &picture, FALSE);
  score_rig_end (&rig, SCORE_ALL);
  score_rig_wait_end (&rig);
  while ((record = score_rig_pop_record (&rig))) {
    REQUIRE (record->state == GST_CARDIAC_STATE_MODEL_ERROR);
    REQUIRE (strstr (record->reason, "300 phases"));
    gst_cardiac_result_unref (record);
    records++;
  }
  REQUIRE (records >= 1);
  score_rig_wait (&rig, picture.phases);
  score_rig_stop (&rig);
}

static void
push_bare (ScoreRig *rig, guint pictures, gboolean timeless)
{
  ScorePicture picture = { .phases = pictures,
    .bare = TRUE,
    .still = TRUE,
    .timeless = timeless,
    .level = -1 };

  score_rig_push_cycle (rig, &picture, FALSE);
}

static void
pictures_that_say_no_phase_end_with_the_stream_or_by_number (void)
{
  gchar *reason;
  ScoreRig rig;

  score_rig_start (&rig, "", SCORE_ALL, 0);
  push_bare (&rig, 11, FALSE);
  reason = finish_in_state (&rig, GST_CARDIAC_STATE_FROZEN);
  g_free (reason);
  score_rig_stop (&rig);

  for (guint timeless = 0; timeless < 2; timeless++) {
    GstCardiacResult *first, *second;

    score_rig_start (&rig, "phases=8", SCORE_ALL, 0);
    push_bare (&rig, 16, timeless);
    score_rig_end (&rig, SCORE_ALL);
    score_rig_wait_end (&rig);
    first = score_rig_pop_record (&rig);
    second = pop_only_record (&rig);
    for (guint i = 0; i < 16; i++) {
      GstBuffer *buffer = score_rig_pop (&rig);

      REQUIRE (score_record (buffer) == (i < 8 ? first : second));
      gst_buffer_unref (buffer);
    }
    gst_cardiac_result_unref (first);
    gst_cardiac_result_unref (second);
    score_rig_stop (&rig);
  }
}

static void
pictures_without_end_are_an_error (void)
{
  ScorePicture picture = { .phases = 100, .bare = TRUE, .level = -1 };
  GstFlowReturn flow = GST_FLOW_OK;
  GError *error;
  ScoreRig rig;

  score_rig_start (&rig, "", SCORE_ALL, 0);
  while (flow == GST_FLOW_OK && picture.phase++ < 100)
    flow = score_rig_push (&rig, SCORE_BASAL, &picture);
  REQUIRE (flow == GST_FLOW_ERROR && picture.phase == 65);
  error = score_rig_pop_error (&rig);
  REQUIRE (
      g_error_matches (error, GST_STREAM_ERROR, GST_STREAM_ERROR_WRONG_TYPE));
  REQUIRE (strstr (error->message, "phases=N"));
  g_error_free (error);
  score_rig_stop (&rig);
}

static void
a_part_of_a_cycle_at_the_end_keeps_the_result (void)
{
  GstCardiacResult *record;
  ScorePicture part = moving;
  ScoreRig rig;

  score_rig_start (&rig, "", SCORE_ALL, 0);
  score_rig_push_cycle (&rig, &moving, FALSE);
  part.loop = 1;
  for (part.phase = 0; part.phase < 3; part.phase++)
    for (guint pad = 0; pad < SCORE_PADS; pad++)
      REQUIRE (score_rig_push (&rig, pad, &part) == GST_FLOW_OK);
  score_rig_end (&rig, SCORE_ALL);
  score_rig_wait_end (&rig);
  record = pop_only_record (&rig);
  REQUIRE (record->has_scores);
  for (guint i = 0; i < PHASES + 3; i++) {
    GstBuffer *buffer = score_rig_pop (&rig);

    REQUIRE (score_record (buffer) == record);
    gst_buffer_unref (buffer);
  }
  gst_cardiac_result_unref (record);
  score_rig_stop (&rig);
}

static void
a_part_of_a_cycle_alone_is_too_short (void)
{
  ScorePicture part = moving;
  gchar *reason;
  ScoreRig rig;

  score_rig_start (&rig, "", SCORE_ALL, 0);
  for (part.phase = 0; part.phase < 3; part.phase++)
    for (guint pad = 0; pad < SCORE_PADS; pad++)
      REQUIRE (score_rig_push (&rig, pad, &part) == GST_FLOW_OK);
  reason = finish_in_state (&rig, GST_CARDIAC_STATE_TOO_SHORT);
  REQUIRE (strstr (reason, "3 of the cycle's 8"));
  g_free (reason);
  score_rig_stop (&rig);
}

static void
flush (ScoreRig *rig)
{
  for (guint i = 0; i < SCORE_PADS; i++)
    if (rig->pad[i])
      gst_pad_push_event (rig->pad[i], gst_event_new_flush_start ());
  for (guint i = 0; i < SCORE_PADS; i++)
    if (rig->pad[i])
      gst_pad_push_event (rig->pad[i], gst_event_new_flush_stop (TRUE));
  score_rig_begin (rig, SCORE_ALL);
}

static void
a_flush_forgets_the_cycle_that_was_begun (void)
{
  ScorePicture part = still;
  GstCardiacResult *record;
  ScoreRig rig;

  score_rig_start (&rig, "", SCORE_ALL, 0);
  for (part.phase = 0; part.phase < 5; part.phase++)
    for (guint pad = 0; pad < SCORE_PADS; pad++)
      REQUIRE (score_rig_push (&rig, pad, &part) == GST_FLOW_OK);
  flush (&rig);
  REQUIRE (rig.flushes == 1);
  score_rig_push_cycle (&rig, &still, FALSE);
  score_rig_end (&rig, SCORE_ALL);
  score_rig_wait_end (&rig);
  record = pop_only_record (&rig);
  REQUIRE (record->state == GST_CARDIAC_STATE_FROZEN);
  check_buffers (&rig, PHASES, record, 0);
  gst_cardiac_result_unref (record);

  /* And after the end. */
  flush (&rig);
  score_rig_push_cycle (&rig, &still, TRUE);
  score_rig_end (&rig, SCORE_ALL);
  score_rig_wait_end (&rig);
  record = pop_only_record (&rig);
  check_buffers (&rig, PHASES, record, 0);
  gst_cardiac_result_unref (record);
  score_rig_stop (&rig);
}

static void
a_flush_while_the_network_runs_leaves_no_old_record (void)
{
  GstCardiacResult *record;
  ScoreRig rig;

  score_rig_start (&rig, "", SCORE_ALL, 0);
  score_rig_push_cycle (&rig, &moving, FALSE);
  flush (&rig);
  score_rig_push_cycle (&rig, &still, FALSE);
  score_rig_end (&rig, SCORE_ALL);
  score_rig_wait_end (&rig);
  /* Whether the first cycle was done before the flush or not, what comes out
   * now belongs to the second. */
  for (guint i = 0; i < PHASES; i++) {
    GstBuffer *buffer = score_rig_pop (&rig);

    if (score_record (buffer)->state == GST_CARDIAC_STATE_RESULT)
      i--; /* came out before the flush */
    else
      REQUIRE (score_record (buffer)->state == GST_CARDIAC_STATE_FROZEN);
    gst_buffer_unref (buffer);
  }
  while ((record = score_rig_pop_record (&rig)))
    gst_cardiac_result_unref (record);
  score_rig_stop (&rig);
}

static gpointer
push_for_ever (gpointer data)
{
  ScoreRig *rig = data;
  ScorePicture picture = still;

  for (picture.loop = 0;; picture.loop++) {
    for (picture.phase = 0; picture.phase < PHASES; picture.phase++) {
      for (guint pad = 0; pad < SCORE_PADS; pad++) {
        GstFlowReturn flow;

        if (!rig->pad[pad])
          continue;
        flow = score_rig_push (rig, pad, &picture);
        if (flow != GST_FLOW_OK)
          return GINT_TO_POINTER (flow);
      }
    }
  }
}

static void
stopping_lets_waiting_threads_go (void)
{
  GThread *thread;
  ScoreRig rig;

  for (guint pads = SCORE_LEVELS; pads <= SCORE_ALL;
       pads += SCORE_ALL - SCORE_LEVELS) {
    score_rig_start (&rig, "", pads, 0);
    g_mutex_lock (&rig.lock);
    rig.held = TRUE; /* nothing leaves, so the thread has to wait in the end */
    g_mutex_unlock (&rig.lock);
    thread = g_thread_new ("source", push_for_ever, &rig);
    score_rig_wait_held (&rig);
    g_usleep (20000); /* time to fill all queues; not needed to succeed */
    g_mutex_lock (&rig.lock);
    rig.held = FALSE;
    rig.flow = GST_FLOW_FLUSHING;
    g_cond_broadcast (&rig.cond);
    g_mutex_unlock (&rig.lock);
    gst_element_set_state (rig.element, GST_STATE_READY);
    REQUIRE (GPOINTER_TO_INT (g_thread_join (thread)) == GST_FLOW_FLUSHING);
    score_rig_stop (&rig);
  }
}

static void
a_failure_downstream_reaches_all_sources (void)
{
  ScoreRig rig;

  score_rig_start (&rig, "", SCORE_ALL, 0);
  rig.flow = GST_FLOW_ERROR;
  REQUIRE (GPOINTER_TO_INT (push_for_ever (&rig)) == GST_FLOW_ERROR);
  score_rig_stop (&rig);

  score_rig_start (&rig, "", SCORE_ALL, 0);
  rig.flow = GST_FLOW_EOS;
  REQUIRE (GPOINTER_TO_INT (push_for_ever (&rig)) == GST_FLOW_EOS);
  score_rig_stop (&rig);
}

static void
waiting_for_a_silent_pad_ends_in_an_error_that_names_it (void)
{
  ScorePicture picture = still;
  GstFlowReturn flow = GST_FLOW_OK;
  GError *error;
  ScoreRig rig;

  score_rig_start (&rig, "timeout=50000000", SCORE_ALL, 0);
  while (flow == GST_FLOW_OK) { /* the mid slice never comes */
    for (picture.phase = 0; picture.phase < PHASES && flow == GST_FLOW_OK;
         picture.phase++) {
      flow = score_rig_push (&rig, SCORE_BASAL, &picture);
      if (flow == GST_FLOW_OK)
        flow = score_rig_push (&rig, SCORE_APICAL, &picture);
    }
    picture.loop++;
  }
  REQUIRE (flow == GST_FLOW_ERROR);
  error = score_rig_pop_error (&rig);
  REQUIRE (g_error_matches (error, GST_STREAM_ERROR, GST_STREAM_ERROR_FAILED));
  REQUIRE (strstr (error->message, "waits for pictures of mid, video"));
  g_error_free (error);
  score_rig_stop (&rig);
}

static void
require_posted (ScoreRig *rig, const gchar *words)
{
  GstMessage *message = gst_bus_timed_pop_filtered (
      rig->bus, GST_CLOCK_TIME_NONE, GST_MESSAGE_ERROR);
  GError *error = NULL;

  REQUIRE (message != NULL);
  gst_message_parse_error (message, &error, NULL);
  REQUIRE (strstr (error->message, words));
  g_error_free (error);
  gst_message_unref (message);
}

/* All others have said everything, and no thread waits for room. */
static void
a_silent_pad_is_an_error_at_the_end_of_the_others_too (void)
{
  ScorePicture picture = still;
  ScoreRig rig;

  for (guint mute = 0; mute < SCORE_PADS; mute++) {
    score_rig_start (&rig, "timeout=50000000", SCORE_ALL, 0);
    for (picture.phase = 0; picture.phase < PHASES; picture.phase++)
      for (guint pad = 0; pad < SCORE_PADS; pad++)
        if (pad != mute)
          REQUIRE (score_rig_push (&rig, pad, &picture) == GST_FLOW_OK);
    score_rig_end (&rig, SCORE_ALL & ~(1 << mute));
    require_posted (&rig, GST_PAD_NAME (rig.pad[mute]));
    score_rig_stop (&rig);
  }
}

/* Nothing is pushed after it that could return the failure. */
static void
a_failure_before_the_end_is_an_error (void)
{
  ScoreRig rig;

  score_rig_start (&rig, "", SCORE_ALL, 0);
  rig.flow = GST_FLOW_NOT_LINKED;
  score_rig_push_cycle (&rig, &still, TRUE); /* a slice completes it */
  while (score_rig_stat (&rig, "frames") == 0)
    g_usleep (1000);
  g_usleep (20000); /* it has returned; not needed to succeed */
  score_rig_end (&rig, SCORE_ALL);
  require_posted (&rig, "");
  score_rig_stop (&rig);
}

static void
slices_that_go_on_after_the_video_are_told_to_end (void)
{
  ScorePicture picture = still;
  GstFlowReturn flow = GST_FLOW_OK;
  ScoreRig rig;

  score_rig_start (&rig, "", SCORE_ALL, 0);
  REQUIRE (score_rig_push (&rig, SCORE_VIDEO, &picture) == GST_FLOW_OK);
  score_rig_end (&rig, 1 << SCORE_VIDEO);
  while (flow == GST_FLOW_OK) {
    for (guint pad = 0; pad < SCORE_VIDEO && flow == GST_FLOW_OK; pad++)
      flow = score_rig_push (&rig, pad, &picture);
    picture.loop += picture.phase == PHASES - 1;
    picture.phase = (picture.phase + 1) % PHASES;
  }
  REQUIRE (flow == GST_FLOW_EOS);
  score_rig_wait_end (&rig);
  REQUIRE (!score_rig_pop_error (&rig));
  score_rig_stop (&rig);
}

static void
the_stream_that_leaves_ends_with_the_video_pad (void)
{
  ScorePicture picture = still;
  GstFlowReturn flow = GST_FLOW_OK;
  GstPad *video;
  ScoreRig rig;

  score_rig_start (&rig, "", SCORE_ALL, 0);
  REQUIRE (score_rig_push (&rig, SCORE_VIDEO, &picture) == GST_FLOW_OK);
  video = gst_element_get_static_pad (rig.element, "video");
  gst_element_release_request_pad (rig.element, video);
  gst_object_unref (video);
  while (flow == GST_FLOW_OK) {
    for (guint pad = 0; pad < SCORE_VIDEO && flow == GST_FLOW_OK; pad++)
      flow = score_rig_push (&rig, pad, &picture);
    picture.loop += picture.phase == PHASES - 1;
    picture.phase = (picture.phase + 1) % PHASES;
  }
  REQUIRE (flow == GST_FLOW_EOS);
  score_rig_wait_end (&rig);
  REQUIRE (g_queue_get_length (&rig.buffers) == 1);
  REQUIRE (!score_rig_pop_error (&rig));
  score_rig_stop (&rig);
}

static void
what_comes_before_it_is_paused_is_refused (void)
{
  GstElement *element = gst_element_factory_make ("mmsascore", NULL);

  gst_object_ref_sink (element);
  for (guint i = 0; i < 2; i++) {
    GstPad *pad =
        gst_element_request_pad_simple (element, i == 0 ? "basal" : "video");
    const GstEventType types[] = { GST_EVENT_FLUSH_START, GST_EVENT_FLUSH_STOP,
      GST_EVENT_EOS };

    for (guint e = 0; e < G_N_ELEMENTS (types); e++)
      REQUIRE (!gst_pad_send_event (pad,
          types[e] == GST_EVENT_FLUSH_START  ? gst_event_new_flush_start ()
          : types[e] == GST_EVENT_FLUSH_STOP ? gst_event_new_flush_stop (TRUE)
                                             : gst_event_new_eos ()));
    gst_object_unref (pad);
  }
  gst_object_unref (element);
}

static GstClockTime
get_latency (ScoreRig *rig)
{
  GstPad *src = gst_element_get_static_pad (rig->element, "src");
  GstQuery *query = gst_query_new_latency ();
  GstClockTime min;

  REQUIRE (gst_pad_query (src, query));
  gst_query_parse_latency (query, NULL, &min, NULL);
  gst_query_unref (query);
  gst_object_unref (src);
  return min;
}

static void
latency_is_a_cycle_and_the_time_of_the_network (void)
{
  const GstClockTime cycle = PHASES * SCORE_PHASE_MS * GST_MSECOND;
  GstStructure *stats;
  gdouble ms = 0;
  ScoreRig rig;

  score_rig_start (&rig, "", SCORE_ALL, 0);
  REQUIRE (get_latency (&rig) == 0);
  score_rig_push_cycle (&rig, &moving, FALSE);
  score_rig_wait (&rig, PHASES);
  g_object_get (rig.element, "stats", &stats, NULL);
  REQUIRE (gst_structure_get_double (stats, "inference-ms", &ms) && ms > 0);
  REQUIRE (get_latency (&rig) >= cycle + ms * GST_MSECOND);
  gst_structure_free (stats);
  score_rig_stop (&rig);
}

static void
a_source_that_is_held_up_downstream_may_wait (void)
{
  GThread *thread;
  ScoreRig rig;

  score_rig_start (&rig, "timeout=1000000", SCORE_ALL, 0);
  g_mutex_lock (&rig.lock);
  rig.held = TRUE;
  g_mutex_unlock (&rig.lock);
  thread = g_thread_new ("source", push_for_ever, &rig);
  score_rig_wait_held (&rig);
  g_usleep (20000); /* many timeouts long */
  REQUIRE (!score_rig_pop_error (&rig));
  g_mutex_lock (&rig.lock);
  rig.held = FALSE;
  rig.flow = GST_FLOW_EOS;
  g_cond_broadcast (&rig.cond);
  g_mutex_unlock (&rig.lock);
  REQUIRE (GPOINTER_TO_INT (g_thread_join (thread)) == GST_FLOW_EOS);
  REQUIRE (!score_rig_pop_error (&rig));
  score_rig_stop (&rig);
}

static void
an_element_without_an_outgoing_stream_says_so (void)
{
  GError *error;
  ScoreRig rig;

  score_rig_start (&rig, "", 1 << SCORE_MID | 1 << SCORE_APICAL, 0);
  score_rig_push_cycle (&rig, &moving, FALSE);
  score_rig_end (&rig, SCORE_ALL);
  error = score_rig_pop_error (&rig);
  REQUIRE (g_error_matches (error, GST_CORE_ERROR, GST_CORE_ERROR_PAD));
  g_error_free (error);
  score_rig_stop (&rig);
}

static void
pictures_before_their_caps_are_refused (void)
{
  GstSegment segment;
  GError *error;
  ScoreRig rig;

  score_rig_start (&rig, "", SCORE_ALL, 0);
  gst_pad_push_event (rig.pad[SCORE_MID], gst_event_new_flush_start ());
  gst_pad_push_event (rig.pad[SCORE_MID], gst_event_new_flush_stop (TRUE));
  gst_pad_set_active (rig.pad[SCORE_MID], FALSE); /* forgets sticky events */
  gst_pad_set_active (rig.pad[SCORE_MID], TRUE);
  gst_element_set_state (rig.element, GST_STATE_READY);
  gst_element_set_state (rig.element, GST_STATE_PLAYING);
  gst_segment_init (&segment, GST_FORMAT_TIME);
  gst_pad_push_event (rig.pad[SCORE_MID], gst_event_new_stream_start ("mid"));
  gst_pad_push_event (rig.pad[SCORE_MID], gst_event_new_segment (&segment));
  REQUIRE (score_rig_push (&rig, SCORE_MID, &still) == GST_FLOW_NOT_NEGOTIATED);
  error = score_rig_pop_error (&rig);
  REQUIRE (g_error_matches (error, GST_STREAM_ERROR, GST_STREAM_ERROR_FORMAT));
  g_error_free (error);
  score_rig_stop (&rig);
}

static void
it_starts_again_where_it_stopped (void)
{
  gchar *reason;
  ScoreRig rig;

  score_rig_start (&rig, "", SCORE_ALL, 0);
  score_rig_push_cycle (&rig, &still, FALSE);
  reason = finish_in_state (&rig, GST_CARDIAC_STATE_FROZEN);
  g_free (reason);
  gst_element_set_state (rig.element, GST_STATE_READY);
  g_queue_clear_full (&rig.buffers, (GDestroyNotify) gst_buffer_unref);
  rig.ended = FALSE;
  gst_element_set_state (rig.element, GST_STATE_PLAYING);
  for (guint i = 0; i < SCORE_PADS; i++) {
    gst_pad_set_active (rig.pad[i], FALSE);
    gst_pad_set_active (rig.pad[i], TRUE);
  }
  gst_pad_set_active (rig.out, FALSE);
  gst_pad_set_active (rig.out, TRUE);
  score_rig_begin (&rig, SCORE_ALL);
  score_rig_push_cycle (&rig, &still, FALSE);
  reason = finish_in_state (&rig, GST_CARDIAC_STATE_FROZEN);
  g_free (reason);
  score_rig_wait (&rig, PHASES);
  score_rig_stop (&rig);
}

/* Everything, and then everything again, on the same pads. */
static gpointer
play_twice (gpointer data)
{
  ScorePicture picture = moving;
  ScoreRig *rig = data;

  score_rig_push_cycle (rig, &picture, FALSE);
  score_rig_end (rig, SCORE_ALL);
  score_rig_begin (rig, SCORE_ALL);
  picture.still = TRUE;
  score_rig_push_cycle (rig, &picture, FALSE);
  score_rig_end (rig, SCORE_ALL);
  return NULL;
}

/* The first one's end is still in the element when the second one comes. */
static void
a_second_recording_follows_the_end_of_the_first (void)
{
  GstCardiacResult *record;
  GThread *thread;
  ScoreRig rig;

  score_rig_start (&rig, "", SCORE_ALL, 0);
  rig.held = TRUE;
  thread = g_thread_new ("source", play_twice, &rig);
  score_rig_wait_held (&rig);
  g_usleep (50000); /* for it to come too early; not needed to succeed */
  g_mutex_lock (&rig.lock);
  rig.held = FALSE;
  g_cond_broadcast (&rig.cond);
  g_mutex_unlock (&rig.lock);
  g_thread_join (thread);
  score_rig_wait (&rig, 2 * PHASES);
  score_rig_wait_end (&rig);

  record = score_rig_pop_record (&rig);
  REQUIRE (record && record->state == GST_CARDIAC_STATE_RESULT);
  check_buffers (&rig, PHASES, record, 0);
  gst_cardiac_result_unref (record);
  record = pop_only_record (&rig);
  REQUIRE (record->state == GST_CARDIAC_STATE_FROZEN && record->serial == 2);
  check_buffers (&rig, PHASES, record, 0);
  gst_cardiac_result_unref (record);
  REQUIRE (!score_rig_pop_error (&rig));
  score_rig_stop (&rig);
}

static gpointer
begin_mid (gpointer data)
{
  ScoreRig *rig = data;

  score_rig_begin (rig, 1 << SCORE_MID);
  return GINT_TO_POINTER (score_rig_push (rig, SCORE_MID, &still));
}

/* ... and may wait for it when all is stopped. */
static void
a_second_recording_that_waits_is_let_go (void)
{
  GstFlowReturn flow;
  GThread *thread;
  ScoreRig rig;

  score_rig_start (&rig, "", SCORE_ALL, 0);
  score_rig_push_cycle (&rig, &still, FALSE);
  score_rig_end (&rig, 1 << SCORE_MID);
  thread = g_thread_new ("source", begin_mid, &rig);
  g_usleep (20000); /* for it to wait; not needed to succeed */
  gst_element_set_state (rig.element, GST_STATE_READY);
  flow = GPOINTER_TO_INT (g_thread_join (thread));
  REQUIRE (flow == GST_FLOW_FLUSHING);
  score_rig_stop (&rig);
}

static void
check_start_error (
    const gchar *launch, GQuark domain, gint code, const gchar *word)
{
  GstElement *element = gst_parse_launch (launch, NULL);
  GstBus *bus = gst_bus_new ();
  GstMessage *message;
  GError *error;

  gst_object_ref_sink (element);
  gst_element_set_bus (element, bus);
  REQUIRE (gst_element_set_state (element, GST_STATE_PAUSED)
           == GST_STATE_CHANGE_FAILURE);
  message = gst_bus_pop_filtered (bus, GST_MESSAGE_ERROR);
  REQUIRE (message != NULL);
  gst_message_parse_error (message, &error, NULL);
  REQUIRE (g_error_matches (error, domain, code));
  REQUIRE (strstr (error->message, word));
  g_error_free (error);
  gst_message_unref (message);
  gst_element_set_state (element, GST_STATE_NULL);
  gst_element_set_bus (element, NULL);
  gst_object_unref (bus);
  gst_object_unref (element);
}

static void
what_keeps_it_from_starting_is_said (void)
{
  gchar *launch;

  check_start_error ("mmsascore model=/no/such/file", GST_RESOURCE_ERROR,
      GST_RESOURCE_ERROR_NOT_FOUND, "/no/such/file");
  launch =
      g_strdup_printf ("mmsascore model=%s", g_getenv ("CARDIAC_TEST_MODEL"));
  check_start_error (
      launch, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_SETTINGS, "mmsa");
  g_free (launch);
  launch = g_strdup_printf ("mmsascore model=%s device=reference "
                            "results-location=/no/such/directory/r.jsonl",
      score_model ());
  check_start_error (launch, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_OPEN_WRITE,
      "results-location");
  g_free (launch);
}

static void
pads_but_video_come_and_go (void)
{
  ScoreRig rig;
  GstPad *pad;

  score_rig_start (&rig, "", SCORE_LEVELS, 0);
  REQUIRE (!gst_element_request_pad_simple (rig.element, "video"));
  pad = gst_element_get_static_pad (rig.element, "apical");
  gst_pad_unlink (rig.pad[SCORE_APICAL], pad);
  gst_element_release_request_pad (rig.element, pad);
  gst_object_unref (pad);
  pad = gst_element_request_pad_simple (rig.element, "apical");
  REQUIRE (pad != NULL);
  REQUIRE (gst_pad_link (rig.pad[SCORE_APICAL], pad) == GST_PAD_LINK_OK);
  gst_object_unref (pad);
  score_rig_push_cycle (&rig, &still, FALSE);
  score_rig_wait (&rig, PHASES);
  score_rig_stop (&rig);
}

int
main (int argc, char **argv)
{
  gst_init (&argc, &argv);
  GST_ELEMENT_REGISTER (mmsascore, NULL);
  each_cycle_gives_one_record_that_its_video_carries ();
  without_video_the_basal_picture_carries_the_record ();
  a_missing_slice_is_a_stack_incomplete ();
  a_slice_without_pictures_is_a_stack_incomplete ();
  unequal_phases_are_said_and_stop_nothing ();
  what_cannot_be_scored_says_why ();
  a_cycle_that_is_far_too_long_holds_nothing_up ();
  pictures_that_say_no_phase_end_with_the_stream_or_by_number ();
  pictures_without_end_are_an_error ();
  a_part_of_a_cycle_at_the_end_keeps_the_result ();
  a_part_of_a_cycle_alone_is_too_short ();
  a_flush_forgets_the_cycle_that_was_begun ();
  a_flush_while_the_network_runs_leaves_no_old_record ();
  stopping_lets_waiting_threads_go ();
  a_failure_downstream_reaches_all_sources ();
  waiting_for_a_silent_pad_ends_in_an_error_that_names_it ();
  a_silent_pad_is_an_error_at_the_end_of_the_others_too ();
  a_failure_before_the_end_is_an_error ();
  slices_that_go_on_after_the_video_are_told_to_end ();
  the_stream_that_leaves_ends_with_the_video_pad ();
  what_comes_before_it_is_paused_is_refused ();
  latency_is_a_cycle_and_the_time_of_the_network ();
  a_source_that_is_held_up_downstream_may_wait ();
  an_element_without_an_outgoing_stream_says_so ();
  pictures_before_their_caps_are_refused ();
  it_starts_again_where_it_stopped ();
  a_second_recording_follows_the_end_of_the_first ();
  a_second_recording_that_waits_is_let_go ();
  what_keeps_it_from_starting_is_said ();
  pads_but_video_come_and_go ();
  gst_deinit ();
  return 0;
}
