/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef SEGMENT_END_H
#define SEGMENT_END_H

#include <gst/gst.h>

/** What ends a segment of time on its pads: EOS or, where the seek asked for
 * it, SEGMENT_DONE, which is posted as a message, too.
 *
 * Returns: (transfer full): the event to push
 */
GstEvent *segment_end (
    GstElement *element, const GstSegment *segment, guint32 seqnum);

#endif
