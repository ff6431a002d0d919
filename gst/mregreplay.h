/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MREG_REPLAY_H
#define MREG_REPLAY_H

#include <gst/video/video.h>

/* The second pass over a file: its result is read, and every frame carries it. */

typedef struct _MregReplay MregReplay;

/** @results: JSON lines, of which the last result counts; @maps: file of its
 * maps, or %NULL or ""
 * Returns: %NULL after an error was posted on @element */
MregReplay *mreg_replay_new (
    GstElement *element, const gchar *results, const gchar *maps);
void mreg_replay_free (MregReplay *replay);

/** Attaches the result to a frame of stream time @time (or NONE); with the first
 * one, says it as a message of @element. */
void mreg_replay_attach (MregReplay *replay, GstElement *element,
    GstBuffer *buffer, GstClockTime time, const GstVideoInfo *info);

#endif
