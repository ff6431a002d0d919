/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CYCLE_PICTURE_H
#define CYCLE_PICTURE_H

#include <gst/video/video.h>

#include "cycle.h"

/* From buffers to the pictures of cycles. */

/** A copy of a polar picture and of what its slice meta says; free with
 * g_free(). Buffers of others are never held for their pixels.
 * Returns: %NULL when it cannot be read or is not of 192x80 */
CyclePicture *cycle_picture_new (
    GstBuffer *buffer, const GstVideoInfo *info, const GstSegment *segment);

/** Running time of a buffer's begin and end and its stream time; NONE where there
 * are none. */
void cycle_buffer_times (const GstSegment *segment, GstBuffer *buffer,
    GstClockTime *begin, GstClockTime *end, GstClockTime *time);

#endif
