/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Which frames make a clip, on numbers alone. */

#include <string.h>

#include "../require.h"
#include "clipsampler.h"

#define SECOND INT64_C (1000000000)
#define MAX_FRAMES 4096

static int64_t pts[MAX_FRAMES];

static int
make_steady (double fps, double seconds)
{
  int count = 0;

  for (; count < MAX_FRAMES && count / fps < seconds; count++)
    pts[count] = (int64_t) (count * (SECOND / fps));
  return count;
}

/* Runs the online sampler, which knows the nominal rate (caps say it); returns
 * the indices that it takes. */
static int
run_online (double fps, int count, int64_t duration, int64_t stride, int *taken)
{
  ClipSampler sampler;
  ClipPeriod period;
  int n = 0;

  clip_period_init (&period, SECOND / fps);
  clip_sampler_init (&sampler, 16, duration, stride);
  for (int i = 0; i < count; i++) {
    if (i)
      clip_period_add (&period, pts[i] - pts[i - 1]);
    if (!clip_sampler_take (
            &sampler, pts[i], pts[i] + clip_period_get (&period)))
      continue;
    taken[n++] = i;
    if (clip_sampler_full (&sampler))
      clip_sampler_advance (&sampler);
  }
  return n;
}

static void
frame_j_is_what_is_shown_at_its_time (void)
{
  const double rates[] = { 24, 25, 30, 50, 60, 120 };

  for (int r = 0; r < 6; r++) {
    int count = make_steady (rates[r], 10), index[16], taken[MAX_FRAMES];

    REQUIRE (clip_select (
        pts, count, 0, SECOND / rates[r], 2 * SECOND, SECOND, 16, index));
    for (int j = 0; j < 16; j++) {
      int64_t time = 2 * SECOND + (2 * j + 1) * SECOND / 32;

      REQUIRE (pts[index[j]] <= time);
      REQUIRE (index[j] == count - 1 || pts[index[j] + 1] > time);
    }
    /* ... and so it is while frames come in. */
    REQUIRE (run_online (rates[r], count, SECOND, 0, taken) >= 9 * 16);
    for (int j = 0; j < 16; j++) {
      int64_t time = (2 * j + 1) * SECOND / 32;

      REQUIRE (pts[taken[j]] <= time && pts[taken[j] + 1] > time);
    }
  }
}

static void
no_frame_is_taken_twice (void)
{
  const double rates[] = { 5, 13, 16, 16.5, 17, 20, 30 };

  for (int r = 0; r < 7; r++) {
    int count = make_steady (rates[r], 20), taken[MAX_FRAMES];
    int n = run_online (rates[r], count, SECOND, 0, taken);

    REQUIRE (n >= 16);
    for (int i = 1; i < n; i++)
      REQUIRE (taken[i] > taken[i - 1]);
  }
}

static void
a_clip_of_13_frames_a_second_grows_to_16_periods (void)
{
  int count = make_steady (13, 10), index[16], taken[MAX_FRAMES];

  REQUIRE (
      clip_select (pts, count, 0, SECOND / 13, 0, 16 * SECOND / 13, 16, index));
  for (int j = 0; j < 16; j++)
    REQUIRE (index[j] == j);

  run_online (13, count, SECOND, 0, taken);
  for (int j = 0; j < 48; j++)
    REQUIRE (taken[j] == j);
}

static void
a_jittering_camera_still_fills_a_second (void)
{
  int count = make_steady (20, 10), taken[MAX_FRAMES], index[16];

  for (int i = 0; i < count; i++)
    pts[i] += (i * 7919 % 21 - 10) * SECOND / 1000;
  pts[0] = 0;
  REQUIRE (run_online (20, count, SECOND, 0, taken) > 8 * 16);
  for (int j = 1; j < 16; j++)
    REQUIRE (taken[j] > taken[j - 1]);
  REQUIRE (pts[taken[15]] < SECOND + SECOND / 10);

  REQUIRE (
      clip_select (pts, count, 0, SECOND / 20, 3 * SECOND, SECOND, 16, index));
  for (int j = 1; j < 16; j++)
    REQUIRE (index[j] > index[j - 1]);
  REQUIRE (pts[index[0]] >= 3 * SECOND - SECOND / 10);
  REQUIRE (pts[index[15]] < 4 * SECOND);
}

static void
clips_follow_each_other_by_the_stride (void)
{
  int count = make_steady (30, 10), taken[MAX_FRAMES];

  REQUIRE (run_online (30, count, SECOND, 2 * SECOND, taken) == 5 * 16);
  for (int k = 0; k < 5; k++) {
    REQUIRE (pts[taken[16 * k]] >= k * 2 * SECOND - SECOND / 30);
    REQUIRE (pts[taken[16 * k + 15]] < k * 2 * SECOND + SECOND);
  }
  /* A stride of less than the duration would overlap. */
  REQUIRE (run_online (30, count, SECOND, SECOND / 2, taken) == 10 * 16);
}

static void
a_variable_rate_is_sampled_by_time (void)
{
  int count = 0, index[16];
  int64_t time = 0;

  /* A second at 60, a second at 25, a second at 30 frames a second. */
  for (int part = 0; part < 3; part++) {
    const int fps[] = { 60, 25, 30 };

    for (int i = 0; i < fps[part]; i++, time += SECOND / fps[part])
      pts[count++] = time;
  }
  REQUIRE (
      clip_select (pts, count, 0, SECOND / 30, SECOND / 2, SECOND, 16, index));
  for (int j = 0; j < 16; j++) {
    int64_t at = SECOND / 2 + (2 * j + 1) * SECOND / 32;

    REQUIRE (pts[index[j]] <= at && pts[index[j] + 1] > at);
  }
}

static void
three_clips_lie_at_the_ends_and_in_the_middle (void)
{
  const ClipStretch whole = { 0, 10 * SECOND };
  int64_t starts[3];

  REQUIRE (clip_layout (&whole, 1, 0, 10 * SECOND, SECOND, 0, 3, starts));
  REQUIRE (starts[0] == 0);
  REQUIRE (starts[1] == 9 * SECOND / 2);
  REQUIRE (starts[2] == 9 * SECOND);
}

static void
three_clips_need_three_durations (void)
{
  ClipStretch whole = { 0, 3 * SECOND - 1 };
  int64_t starts[3];

  REQUIRE (!clip_layout (&whole, 1, 0, whole.end, SECOND, 0, 3, starts));
  /* A nanosecond that rounding took away is no reason. */
  REQUIRE (
      clip_layout (&whole, 1, 0, whole.end, SECOND, SECOND / 60, 3, starts));
  REQUIRE (starts[0] < starts[1] && starts[1] < starts[2]);
}

static void
no_clip_holds_a_gap (void)
{
  const ClipStretch parts[] = { { 0, 4 * SECOND + SECOND / 2 },
    { 5 * SECOND + SECOND / 4, 10 * SECOND } };
  int64_t starts[3];

  REQUIRE (clip_layout (parts, 2, 0, 10 * SECOND, SECOND, 0, 3, starts));
  REQUIRE (starts[0] == 0);
  /* 4.5 s was wanted; 3.5 s and 5.25 s are possible. */
  REQUIRE (starts[1] == 5 * SECOND + SECOND / 4);
  REQUIRE (starts[2] == 9 * SECOND);
}

static void
gaps_push_clips_aside_but_never_over_each_other (void)
{
  const ClipStretch parts[] = { { 0, 1 * SECOND },
    { 8 * SECOND, 10 * SECOND } };
  const ClipStretch few[] = { { 0, 1 * SECOND }, { 9 * SECOND, 10 * SECOND } };
  int64_t starts[3];

  REQUIRE (clip_layout (parts, 2, 0, 10 * SECOND, SECOND, 0, 3, starts));
  REQUIRE (starts[0] == 0);
  REQUIRE (starts[1] == 8 * SECOND);
  REQUIRE (starts[2] == 9 * SECOND);
  REQUIRE (!clip_layout (few, 2, 0, 10 * SECOND, SECOND, 0, 3, starts));
}

static void
a_gap_is_more_than_two_periods (void)
{
  REQUIRE (!clip_is_gap (2 * SECOND / 30, SECOND / 30));
  REQUIRE (clip_is_gap (3 * SECOND / 30, SECOND / 30));
  REQUIRE (!clip_is_gap (SECOND, 0));
}

static void
the_period_is_a_median (void)
{
  ClipPeriod period;

  clip_period_init (&period, 42);
  REQUIRE (clip_period_get (&period) == 42);
  for (int i = 0; i < 40; i++)
    clip_period_add (&period, i % 5 == 0 ? SECOND : SECOND / 25);
  REQUIRE (clip_period_get (&period) == SECOND / 25);
}

int
main (void)
{
  frame_j_is_what_is_shown_at_its_time ();
  no_frame_is_taken_twice ();
  a_clip_of_13_frames_a_second_grows_to_16_periods ();
  a_jittering_camera_still_fills_a_second ();
  clips_follow_each_other_by_the_stride ();
  a_variable_rate_is_sampled_by_time ();
  three_clips_lie_at_the_ends_and_in_the_middle ();
  three_clips_need_three_durations ();
  no_clip_holds_a_gap ();
  gaps_push_clips_aside_but_never_over_each_other ();
  a_gap_is_more_than_two_periods ();
  the_period_is_a_median ();
  return 0;
}
