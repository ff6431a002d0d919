/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CLIP_SAMPLER_H
#define CLIP_SAMPLER_H

/* Which frames make a clip. Plain C on numbers: no GStreamer, no pictures.
 *
 * A clip of `frames` frames and `duration` d that starts at t0 takes as frame j
 * the picture shown at t0 + (j + 1/2) d / frames, each distinct picture at most
 * once. Where d holds fewer than `frames` distinct pictures, it takes them one
 * after the other, and the clip grows to `frames` frame periods.
 *
 * Times are nanoseconds. */

#include <stdbool.h>
#include <stdint.h>

enum { CLIP_MAX_FRAMES = 64, CLIP_MAX_COUNT = 8, CLIP_PERIOD_MEMORY = 31 };

/** Median distance of the last frames. */
typedef struct ClipPeriod {
  int64_t recent[CLIP_PERIOD_MEMORY];
  int count, next;
  int64_t assumed; ///< answer as long as nothing was seen
} ClipPeriod;

void clip_period_init (ClipPeriod *period, int64_t assumed);
void clip_period_add (ClipPeriod *period, int64_t distance);
int64_t clip_period_get (const ClipPeriod *period);

/** A gap: more than two frame periods, with room for jitter. */
bool clip_is_gap (int64_t distance, int64_t period);

/** Chooses frames while they come in. */
typedef struct ClipSampler {
  int frames;       ///< a clip, 1 .. CLIP_MAX_FRAMES
  int64_t duration; ///< d
  int64_t stride;   ///< from start to start, at least d
  int64_t start;    ///< t0 of the clip that is being filled; < 0: next frame's
  int taken;        ///< frames in it
  int64_t end;      ///< where the newest frame stops being shown
} ClipSampler;

void clip_sampler_init (
    ClipSampler *sampler, int frames, int64_t duration, int64_t stride);

/** Drops what was taken; the next clip starts with the next frame. */
void clip_sampler_restart (ClipSampler *sampler);

/** Whether the distinct picture that is shown from `pts` to (as far as one can
 * tell) `next` belongs to the clip; if so it is counted as taken. After the
 * last one, call clip_sampler_advance(). */
bool clip_sampler_take (ClipSampler *sampler, int64_t pts, int64_t next);
bool clip_sampler_full (const ClipSampler *sampler);

/** Goes on to the next clip: a stride later, or where a grown clip ended. */
void clip_sampler_advance (ClipSampler *sampler);

/** Chooses a clip among pictures that are all known.
 * @param pts ascending times of distinct pictures; @param count of them
 * @param first index of the first one that may be used
 * @param period how long the last one is shown
 * @param index receives `frames` ascending indices
 * @return false when there are too few. */
bool clip_select (const int64_t *pts, int count, int first, int64_t period,
    int64_t start, int64_t duration, int frames, int *index);

/** A stretch of time without gaps. */
typedef struct ClipStretch {
  int64_t begin, end;
} ClipStretch;

/** Places `clips` clips of length `duration` over [begin, end): as near as
 * possible to begin + k (end - begin - duration) / (clips - 1), inside the
 * stretches, in order, without overlap.
 * @param slack how much too short a stretch may be (rounded time stamps)
 * @param starts receives `clips` times
 * @return false when they do not fit. */
bool clip_layout (const ClipStretch *stretches, int count, int64_t begin,
    int64_t end, int64_t duration, int64_t slack, int clips, int64_t *starts);

#endif
