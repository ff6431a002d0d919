/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Recordings whose length is known at their end only. */

#include "../require.h"
#include "recording.h"

#define SIDE 4
#define FRAMES 16

static const gfloat levels[3 * SIDE * SIDE];

static void
add (Recording *recording, GstClockTime time, gboolean gap)
{
  Picture *picture = picture_new (levels, SIDE);

  picture->time = time;
  recording_add (recording, picture, gap);
}

static Recording *
record (double fps, double seconds, gsize budget)
{
  Recording *recording = recording_new (FRAMES, GST_SECOND, budget);
  GstClockTime period = GST_SECOND / fps;

  for (guint i = 0; i < fps * seconds; i++) {
    GstClockTime time = i * (GST_SECOND / fps);

    add (recording, time, FALSE);
    recording_extend (recording, time, time + period);
  }
  return recording;
}

static gboolean
get_clips (Recording *recording, double fps, Clip **clips)
{
  return recording_get_clips (recording, GST_SECOND / fps, 3, clips);
}

static void
free_clips (Clip **clips)
{
  for (guint i = 0; i < 3; i++)
    clip_free (clips[i]);
}

static GstClockTime
first_time (Clip *clip)
{
  return clip->pictures[0]->time;
}

static void
require_near (GstClockTime time, double seconds, double most)
{
  double off = time / (double) GST_SECOND - seconds;

  REQUIRE (off < most && off > -most);
}

static void
clips_lie_over_the_time_that_really_came (void)
{
  const double rates[] = { 13, 25, 30, 60 };

  for (guint r = 0; r < 4; r++) {
    Recording *recording = record (rates[r], 10, 1 << 30);
    double d = MAX (1, 16 / rates[r]);
    Clip *clips[3];

    REQUIRE (get_clips (recording, rates[r], clips));
    require_near (first_time (clips[0]), 0, 0.1);
    require_near (first_time (clips[1]), (10 - d) / 2, 0.1);
    require_near (first_time (clips[2]), 10 - d, 0.1);
    for (guint i = 0; i < 3; i++)
      REQUIRE (clips[i]->count == FRAMES);
    free_clips (clips);
    recording_free (recording);
  }
}

static void
clips_never_share_a_picture (void)
{
  Recording *recording = record (13, 3.8, 1 << 30);
  Clip *clips[3];

  REQUIRE (get_clips (recording, 13, clips));
  for (guint i = 0; i < 2; i++)
    REQUIRE (clips[i]->pictures[FRAMES - 1]->time < first_time (clips[i + 1]));
  free_clips (clips);
  recording_free (recording);
}

static void
three_seconds_are_enough_and_less_is_too_short (void)
{
  const double rates[] = { 25, 30, 60 };

  for (guint r = 0; r < 3; r++) {
    Recording *enough = record (rates[r], 3, 1 << 30);
    Recording *less = record (rates[r], 2.8, 1 << 30);
    Clip *clips[3];

    REQUIRE (get_clips (enough, rates[r], clips));
    free_clips (clips);
    REQUIRE (!get_clips (less, rates[r], clips));
    recording_free (enough);
    recording_free (less);
  }
}

static void
no_clip_holds_both_sides_of_a_gap (void)
{
  Recording *recording = recording_new (FRAMES, GST_SECOND, 1 << 30);
  Clip *clips[3];

  for (guint i = 0; i < 300; i++) {
    if (i >= 140 && i < 160)
      continue;
    add (recording, i * GST_SECOND / 30, i == 160);
    recording_extend (recording, 0, (i + 1) * GST_SECOND / 30);
  }
  REQUIRE (get_clips (recording, 30, clips));
  for (guint i = 0; i < 3; i++) {
    gboolean before = first_time (clips[i]) < 140 * GST_SECOND / 30;
    GstClockTime last = clips[i]->pictures[FRAMES - 1]->time;

    REQUIRE (before == (last < 140 * GST_SECOND / 30));
  }
  free_clips (clips);
  recording_free (recording);
}

static void
memory_is_bounded_and_the_middle_clip_stays_near (void)
{
  const gsize budget = 2000 * picture_size (SIDE);
  Recording *recording = record (60, 1800, budget);
  Clip *clips[3];

  REQUIRE (recording_get_size (recording) <= budget);
  REQUIRE (get_clips (recording, 60, clips));
  require_near (first_time (clips[0]), 0, 0.1);
  require_near (first_time (clips[1]), 899.5, 180);
  require_near (first_time (clips[2]), 1799, 0.1);
  free_clips (clips);
  recording_free (recording);
}

static void
an_empty_recording_has_no_clips (void)
{
  Recording *recording = recording_new (FRAMES, GST_SECOND, 1000);
  Clip *clips[3];

  REQUIRE (!get_clips (recording, 30, clips));
  REQUIRE (recording_get_duration (recording) == 0);
  recording_free (recording);
}

int
main (int argc, char **argv)
{
  gst_init (&argc, &argv);
  clips_lie_over_the_time_that_really_came ();
  clips_never_share_a_picture ();
  three_seconds_are_enough_and_less_is_too_short ();
  no_clip_holds_both_sides_of_a_gap ();
  memory_is_bounded_and_the_middle_clip_stays_near ();
  an_empty_recording_has_no_clips ();
  gst_deinit ();
  return 0;
}
