/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "clipsampler.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

/* ---- frame period ------------------------------------------------------ */

void
clip_period_init (ClipPeriod *period, int64_t assumed)
{
  memset (period, 0, sizeof *period);
  period->assumed = assumed;
}

void
clip_period_add (ClipPeriod *period, int64_t distance)
{
  if (distance <= 0)
    return;
  period->recent[period->next] = distance;
  period->next = (period->next + 1) % CLIP_PERIOD_MEMORY;
  if (period->count < CLIP_PERIOD_MEMORY)
    period->count++;
}

static int
compare_times (const void *a, const void *b)
{
  int64_t x = *(const int64_t *) a, y = *(const int64_t *) b;

  return (x > y) - (x < y);
}

int64_t
clip_period_get (const ClipPeriod *period)
{
  int64_t sorted[CLIP_PERIOD_MEMORY];

  if (period->count == 0)
    return period->assumed;
  memcpy (sorted, period->recent, sizeof sorted);
  qsort (sorted, period->count, sizeof sorted[0], compare_times);
  return sorted[period->count / 2];
}

bool
clip_is_gap (int64_t distance, int64_t period)
{
  return period > 0 && distance > 2 * period + period / 4;
}

/* ---- while frames come in ---------------------------------------------- */

void
clip_sampler_init (
    ClipSampler *sampler, int frames, int64_t duration, int64_t stride)
{
  assert (frames >= 1 && frames <= CLIP_MAX_FRAMES && duration > 0);

  sampler->frames = frames;
  sampler->duration = duration;
  sampler->stride = stride > duration ? stride : duration;
  clip_sampler_restart (sampler);
}

void
clip_sampler_restart (ClipSampler *sampler)
{
  sampler->start = -1;
  sampler->taken = 0;
  sampler->end = 0;
}

/* Time of frame j of a clip. */
static int64_t
sample_time (int64_t start, int64_t duration, int frames, int j)
{
  return start + duration * (2 * j + 1) / (2 * frames);
}

bool
clip_sampler_take (ClipSampler *sampler, int64_t pts, int64_t next)
{
  if (sampler->start < 0)
    sampler->start = pts;
  if (clip_sampler_full (sampler)
      || next <= sample_time (sampler->start, sampler->duration,
             sampler->frames, sampler->taken))
    return false;
  sampler->taken++;
  sampler->end = next;
  return true;
}

bool
clip_sampler_full (const ClipSampler *sampler)
{
  return sampler->taken == sampler->frames;
}

void
clip_sampler_advance (ClipSampler *sampler)
{
  int64_t next = sampler->start + sampler->stride;

  /* A regular clip's last picture may be shown a little beyond its end; only
   * a clip that grew moves the next one. */
  if (sampler->end - sampler->start
      > sampler->duration + sampler->duration / sampler->frames)
    next = next > sampler->end ? next : sampler->end;
  sampler->start = next;
  sampler->taken = 0;
}

/* ---- when all are known ------------------------------------------------ */

static int
larger (int a, int b)
{
  return a > b ? a : b;
}

static int
smaller (int a, int b)
{
  return a < b ? a : b;
}

bool
clip_select (const int64_t *pts, int count, int first, int64_t period,
    int64_t start, int64_t duration, int frames, int *index)
{
  int shown = first, last = count - 1, previous = first - 1;

  if (count - first < frames)
    return false;
  /* The last picture that begins before the clip's end, or one of those that
   * it grows by. */
  while (last > first + frames - 1 && pts[last] >= start + duration)
    last--;

  for (int j = 0; j < frames; j++) {
    int64_t time = sample_time (start, duration, frames, j);

    while (shown < count - 1 && pts[shown + 1] <= time)
      shown++;
    index[j] = smaller (larger (shown, previous + 1), last - frames + 1 + j);
    if (index[j] <= previous)
      return false;
    previous = index[j];
  }
  return pts[last] + period > start;
}

/* Earliest possible starts; false when the clips do not fit. */
static bool
pack_left (const ClipStretch *stretches, int count, int64_t length, int clips,
    int64_t *starts)
{
  int s = 0;
  int64_t at = count ? stretches[0].begin : 0;

  for (int k = 0; k < clips; k++) {
    while (s < count && at + length > stretches[s].end) {
      if (++s < count && at < stretches[s].begin)
        at = stretches[s].begin;
    }
    if (s == count)
      return false;
    starts[k] = at;
    at += length;
  }
  return true;
}

/* Latest possible starts; the clips are known to fit. */
static void
pack_right (const ClipStretch *stretches, int count, int64_t length, int clips,
    int64_t *starts)
{
  int s = count - 1;
  int64_t end = stretches[s].end;

  for (int k = clips - 1; k >= 0; k--) {
    while (s > 0 && end - length < stretches[s].begin) {
      s--;
      if (end > stretches[s].end)
        end = stretches[s].end;
    }
    starts[k] = end - length;
    end -= length;
  }
}

static int64_t
distance (int64_t a, int64_t b)
{
  return a > b ? a - b : b - a;
}

/* The start nearest to `wanted` in [low, high] that lies in a stretch. */
static int64_t
nearest_start (const ClipStretch *stretches, int count, int64_t need,
    int64_t wanted, int64_t low, int64_t high)
{
  int64_t best = high;

  for (int s = 0; s < count; s++) {
    int64_t from = stretches[s].begin, to = stretches[s].end - need, start;

    if (from < low)
      from = low;
    if (to > high)
      to = high;
    if (from > to)
      continue;
    start = wanted < from ? from : wanted > to ? to : wanted;
    if (distance (start, wanted) < distance (best, wanted))
      best = start;
  }
  return best;
}

bool
clip_layout (const ClipStretch *stretches, int count, int64_t begin,
    int64_t end, int64_t duration, int64_t slack, int clips, int64_t *starts)
{
  int64_t earliest[CLIP_MAX_COUNT], latest[CLIP_MAX_COUNT];
  int64_t need = duration - slack, low = begin;

  assert (clips >= 1 && clips <= CLIP_MAX_COUNT);

  /* Neighbours may share the slack too, or three clips of one third of the
   * recording each would not fit because of a nanosecond. */
  if (!pack_left (stretches, count, need, clips, earliest))
    return false;
  pack_right (stretches, count, need, clips, latest);

  for (int k = 0; k < clips; k++) {
    int64_t room = end - begin - duration;
    int64_t wanted = begin;

    if (room > 0 && clips > 1)
      wanted += k * room / (clips - 1);
    if (low < earliest[k])
      low = earliest[k];
    starts[k] = nearest_start (stretches, count, need, wanted, low, latest[k]);
    low = starts[k] + need;
  }
  return true;
}
