/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* One thread that feeds all pads of mmsascore, as cmrcinesrc does, with a queue
 * of one buffer before any of them, in both orders of pads: nothing may wait for
 * itself. A deadlock shows as the test's time limit. */

#include "../require.h"
#include "scorerig.h"

#define PHASES 10
#define LOOPS 3

/* Slices that stand still: the network is not what is tested here. */
static const ScorePicture still = {
  .phases = PHASES, .still = TRUE, .level = -1
};

static guint
count_records (ScoreRig *rig, GstCardiacState state)
{
  GstCardiacResult *record;
  guint count = 0;

  while ((record = score_rig_pop_record (rig))) {
    REQUIRE (record->state == state);
    gst_cardiac_result_unref (record);
    count++;
  }
  return count;
}

static void
check_order (ScoreRig *rig, guint count)
{
  for (guint i = 0; i < count; i++) {
    GstBuffer *buffer = score_rig_pop (rig);

    REQUIRE (score_record (buffer)->serial == 1 + i / PHASES);
    REQUIRE (GST_BUFFER_PTS (buffer) == i * SCORE_PHASE_MS * GST_MSECOND);
    gst_buffer_unref (buffer);
  }
}

static void
play_loops (guint pads, guint queues, gboolean last_first)
{
  ScorePicture picture = still;
  ScoreRig rig;

  score_rig_start (&rig, "", pads, queues);
  for (picture.loop = 0; picture.loop < LOOPS; picture.loop++)
    score_rig_push_cycle (&rig, &picture, last_first);
  score_rig_end (&rig, SCORE_ALL);
  score_rig_wait_end (&rig);
  REQUIRE (count_records (&rig, GST_CARDIAC_STATE_FROZEN) == LOOPS);
  check_order (&rig, LOOPS * PHASES);
  REQUIRE (!score_rig_pop_error (&rig));
  score_rig_stop (&rig);
}

static void
no_arrangement_of_queues_waits_for_itself (void)
{
  for (guint queues = 0; queues <= SCORE_ALL; queues++) {
    play_loops (SCORE_ALL, queues, FALSE);
    play_loops (SCORE_ALL, queues, TRUE);
    if (!(queues & 1 << SCORE_VIDEO)) {
      play_loops (SCORE_LEVELS, queues, FALSE);
      play_loops (SCORE_LEVELS, queues, TRUE);
    }
  }
}

/* One slice has fewer phases than the others, and says so. */
static void
unequal_slices_pass_with_any_queues (void)
{
  for (guint queues = 0; queues <= SCORE_ALL; queues += 3) {
    ScoreRig rig;

    score_rig_start (&rig, "", SCORE_ALL, queues);
    for (guint loop = 0; loop < LOOPS; loop++) {
      ScorePicture picture = still;

      picture.loop = loop;
      for (picture.phase = 0; picture.phase < PHASES; picture.phase++)
        for (guint pad = 0; pad < SCORE_PADS; pad++)
          if (pad != SCORE_APICAL || picture.phase != 4)
            REQUIRE (score_rig_push (&rig, pad, &picture) == GST_FLOW_OK);
    }
    score_rig_end (&rig, SCORE_ALL);
    score_rig_wait_end (&rig);
    REQUIRE (count_records (&rig, GST_CARDIAC_STATE_PHASES_DIFFER) == LOOPS);
    check_order (&rig, LOOPS * PHASES);
    score_rig_stop (&rig);
  }
}

typedef struct {
  ScoreRig *rig;
  guint pad;
} Source;

static gpointer
push_alone (gpointer data)
{
  Source *source = data;
  ScorePicture picture = still;

  for (picture.loop = 0; picture.loop < LOOPS; picture.loop++)
    for (picture.phase = 0; picture.phase < PHASES; picture.phase++)
      REQUIRE (
          score_rig_push (source->rig, source->pad, &picture) == GST_FLOW_OK);
  score_rig_end (source->rig, 1 << source->pad);
  return NULL;
}

static void
sources_with_threads_of_their_own_need_no_order (void)
{
  for (guint late = 0; late < SCORE_PADS; late++) {
    Source sources[SCORE_PADS];
    GThread *threads[SCORE_PADS];
    ScoreRig rig;

    score_rig_start (&rig, "", SCORE_ALL, 0);
    for (guint i = 0; i < SCORE_PADS; i++) {
      guint pad = (late + 1 + i) % SCORE_PADS; /* the late one comes last */

      sources[i] = (Source){ &rig, pad };
      threads[i] = g_thread_new ("source", push_alone, &sources[i]);
    }
    for (guint i = 0; i < SCORE_PADS; i++)
      g_thread_join (threads[i]);
    score_rig_wait_end (&rig);
    REQUIRE (count_records (&rig, GST_CARDIAC_STATE_FROZEN) == LOOPS);
    check_order (&rig, LOOPS * PHASES);
    score_rig_stop (&rig);
  }
}

int
main (int argc, char **argv)
{
  gst_init (&argc, &argv);
  if (!gst_registry_check_feature_version (
          gst_registry_get (), "queue", 1, 0, 0))
    SKIP ("no queue element");
  no_arrangement_of_queues_waits_for_itself ();
  unequal_slices_pass_with_any_queues ();
  sources_with_threads_of_their_own_need_no_order ();
  gst_deinit ();
  return 0;
}
