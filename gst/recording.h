/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef RECORDING_H
#define RECORDING_H

#include "picture.h"

/* The pictures of a recording whose length is not known yet, kept until its end
 * decides which clips are graded: those at k (D - d) / 2, k = 0, 1, 2.
 *
 * Memory is bounded. While D grows, the middle clip can only begin at
 * (D - d) / 2 or later, so what lies between the first clip and that time is
 * let go: half of the recording is kept. Where that is still more than the
 * budget, the middle part is thinned out in time: of every 2, 4, 8, ... clip
 * lengths one is kept, and the middle clip moves to the nearest kept one. Short
 * recordings (40 s at 30 frames a second and 224 x 224) are never thinned. */

/** Bytes of pictures. */
#define RECORDING_DEFAULT_BUDGET (256 * 1024 * 1024)

typedef struct _Recording Recording;

Recording *recording_new (guint frames, GstClockTime duration, gsize budget);
void recording_free (Recording *recording);

/** Forgets everything. */
void recording_clear (Recording *recording);

/** Adds a distinct picture, in order of time; takes the reference.
 * @gap: no clip may hold both this picture and the one before */
void recording_add (Recording *recording, Picture *picture, gboolean gap);

/** Says that the recording lasts until @end (frames that are no pictures, such
 * as repeats and damaged ones, count too). */
void recording_extend (
    Recording *recording, GstClockTime begin, GstClockTime end);

/** Places the clips.
 * @period: time between distinct pictures
 * @clips: receives @count clips, free with clip_free()
 * Returns: %FALSE when they do not fit without overlap */
gboolean recording_get_clips (
    Recording *recording, GstClockTime period, guint count, Clip **clips);

/** Time from the first to the last frame, with the latter's duration. */
GstClockTime recording_get_duration (Recording *recording);

/** Number of pictures and their bytes. */
guint recording_get_count (Recording *recording);
gsize recording_get_size (Recording *recording);

#endif
