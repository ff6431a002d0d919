/* SPDX-License-Identifier: LGPL-2.1-or-later */

#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include "segmentend.h"

GstEvent *
segment_end (GstElement *element, const GstSegment *segment, guint32 seqnum)
{
  GstEvent *event;

  if (segment->flags & GST_SEGMENT_FLAG_SEGMENT) {
    gint64 stop = GST_CLOCK_TIME_IS_VALID (segment->stop) ? segment->stop
                                                          : segment->duration;
    GstMessage *message = gst_message_new_segment_done (
        GST_OBJECT (element), GST_FORMAT_TIME, stop);

    gst_message_set_seqnum (message, seqnum);
    gst_element_post_message (element, message);
    event = gst_event_new_segment_done (GST_FORMAT_TIME, stop);
  } else {
    event = gst_event_new_eos ();
  }
  gst_event_set_seqnum (event, seqnum);
  return event;
}
