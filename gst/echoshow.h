/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef ECHO_SHOW_H
#define ECHO_SHOW_H

#include <gst/video/video.h>

#include "echotruth.h"

/* What echotestsrc shows: a phantom, drawn into frames, and what is true of
 * them. For the streaming thread. */

typedef struct {
  EchoPhantom *phantom; ///< %NULL: none yet
  EchoSettings settings;
  gboolean has_end;  ///< of the recording
  gboolean hold;     ///< a picture stays until the scanner's next one
  gboolean with_roi; ///< frames carry the true region as mregroi would find it

  EchoTruth truth; ///< of the recording
  gint instance;   ///< the clip that holds its worst beat
  EchoPicture picture;
  guint8 *scratch; ///< a picture in RGB; %NULL: drawn in place
} EchoShow;

/** Makes the phantom of @settings anew. False: no memory */
gboolean echo_show_make (EchoShow *show);

/** Frames that follow are of this format. False: no memory */
gboolean echo_show_set_format (EchoShow *show, const GstVideoInfo *info);

/** Time in the recording of the picture that a frame shows, s. */
gdouble echo_show_time (const EchoShow *show, GstClockTime pts);

/** Draws the picture of a time into a mapped frame. */
void echo_show_draw (EchoShow *show, GstVideoFrame *frame, gdouble time);

/** Attaches what is true at that time. */
void echo_show_attach (const EchoShow *show, GstBuffer *buffer, gdouble time,
    const EchoMoment *moment);

void echo_show_clear (EchoShow *show);

#endif
