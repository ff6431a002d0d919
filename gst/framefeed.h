/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef FRAME_FEED_H
#define FRAME_FEED_H

#include "clipfeeder.h"
#include "gstcardiacfilter.h"

/** Gives a feeder a frame of a filter's video, wherever it lies: from where the
 * network computes, or from host memory. A frame that cannot be read is said
 * once.
 * @clip: receives a full clip to free with clip_free(), or %NULL
 * @on_device: grows with each frame that stays in GPU memory
 * Returns: whether it was read */
gboolean frame_feed_push (GstCardiacFilter *filter, ClipFeeder *feeder,
    GstBuffer *buffer, GstClockTime time, Observation *seen, Clip **clip,
    guint64 *on_device);

#endif
