/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* From a source of three slices to scored video, in one pipeline with the
 * plugin as users have it: preroll, seek, loops, end. */

#include <gst/gst.h>
#include <string.h>

#include "../require.h"
#include "meta/cardiac.h"

#define PHASES 8

typedef struct {
  GstElement *pipeline;
  GstBus *bus;
  guint frames; ///< that reached the sink with scores
  guint others; ///< ... and without
} Player;

static GstPadProbeReturn
count_frame (GstPad *pad, GstPadProbeInfo *info, gpointer data)
{
  GstCardiacResultMeta *meta =
      gst_buffer_get_cardiac_result_meta (GST_PAD_PROBE_INFO_BUFFER (info));
  Player *player = data;

  if (meta && meta->result && meta->result->has_scores)
    player->frames++;
  else
    player->others++;
  return GST_PAD_PROBE_OK;
}

static void
start (Player *player, const gchar *source, const gchar *links)
{
  gchar *launch = g_strdup_printf (
      "cmrtestsrc phases=%d %s name=s mmsascore name=m model=%s threads=1 "
      "! fakesink name=f %s",
      PHASES, source, g_getenv ("CARDIAC_TEST_MMSA"), links);
  GstElement *sink;
  GstPad *pad;

  memset (player, 0, sizeof *player);
  player->pipeline = gst_parse_launch (launch, NULL);
  REQUIRE (player->pipeline != NULL);
  player->bus = gst_element_get_bus (player->pipeline);
  sink = gst_bin_get_by_name (GST_BIN (player->pipeline), "f");
  pad = gst_element_get_static_pad (sink, "sink");
  gst_pad_add_probe (pad, GST_PAD_PROBE_TYPE_BUFFER, count_frame, player, NULL);
  gst_object_unref (pad);
  gst_object_unref (sink);
  g_free (launch);
}

static void
stop (Player *player)
{
  gst_element_set_state (player->pipeline, GST_STATE_NULL);
  gst_object_unref (player->bus);
  gst_object_unref (player->pipeline);
}

/* Plays to the end and returns how many records with scores were posted since
 * the last call. */
static guint
play_to_end (Player *player)
{
  GstMessage *message;
  gboolean ended = FALSE;
  guint records = 0;

  gst_element_set_state (player->pipeline, GST_STATE_PLAYING);
  while (!ended) {
    const GstStructure *s;

    message = gst_bus_timed_pop_filtered (player->bus, GST_CLOCK_TIME_NONE,
        GST_MESSAGE_EOS | GST_MESSAGE_ERROR | GST_MESSAGE_ELEMENT);
    REQUIRE (GST_MESSAGE_TYPE (message) != GST_MESSAGE_ERROR);
    ended = GST_MESSAGE_TYPE (message) == GST_MESSAGE_EOS;
    s = gst_message_get_structure (message);
    if (s && gst_structure_has_name (s, "cardiac-result")
        && gst_structure_has_field (s, "scores"))
      records++;
    gst_message_unref (message);
  }
  return records;
}

#define DIRECT                                                                 \
  "s.basal ! cmrpolar ! m.basal s.mid ! cmrpolar ! m.mid "                     \
  "s.apical ! cmrpolar ! m.apical s.review ! m.video"
#define QUEUED                                                                 \
  "s.basal ! queue max-size-buffers=1 ! cmrpolar ! m.basal "                   \
  "s.mid ! cmrpolar ! queue ! m.mid s.apical ! cmrpolar ! m.apical "           \
  "s.review ! queue max-size-buffers=1 ! m.video"

static void
a_phantom_is_scored_with_and_without_queues (void)
{
  const gchar *links[] = { DIRECT, QUEUED };

  for (guint i = 0; i < G_N_ELEMENTS (links); i++) {
    Player player;

    start (&player, "loops=2", links[i]);
    REQUIRE (play_to_end (&player) == 2);
    REQUIRE (player.frames == 2 * PHASES && player.others == 0);
    stop (&player);
  }
}

static void
a_seek_to_the_start_scores_the_cycle_again (void)
{
  Player player;

  start (&player, "", DIRECT);
  gst_element_set_state (player.pipeline, GST_STATE_PAUSED);
  REQUIRE (
      gst_element_get_state (player.pipeline, NULL, NULL, GST_CLOCK_TIME_NONE)
      == GST_STATE_CHANGE_SUCCESS);
  REQUIRE (gst_element_seek_simple (
      player.pipeline, GST_FORMAT_TIME, GST_SEEK_FLAG_FLUSH, 0));
  REQUIRE (play_to_end (&player) == 2); /* the one of the preroll, too */
  REQUIRE (player.frames == 1 + PHASES && player.others == 0);

  /* And once more after the end. */
  player.frames = 0;
  REQUIRE (gst_element_seek_simple (
      player.pipeline, GST_FORMAT_TIME, GST_SEEK_FLAG_FLUSH, 0));
  REQUIRE (play_to_end (&player) == 1);
  REQUIRE (player.frames == PHASES && player.others == 0);
  stop (&player);
}

static void
a_slice_that_is_not_linked_is_missed (void)
{
  Player player;

  start (&player, "",
      "s.basal ! cmrpolar ! m.basal s.mid ! cmrpolar ! m.mid "
      "s.review ! m.video");
  REQUIRE (play_to_end (&player) == 0);
  REQUIRE (player.frames == 0 && player.others == PHASES);
  stop (&player);
}

int
main (int argc, char **argv)
{
  gst_init (&argc, &argv);
  if (!gst_registry_check_feature_version (
          gst_registry_get (), "queue", 1, 0, 0))
    SKIP ("no queue element");
  a_phantom_is_scored_with_and_without_queues ();
  a_seek_to_the_start_scores_the_cycle_again ();
  a_slice_that_is_not_linked_is_missed ();
  gst_deinit ();
  return 0;
}
