/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CINE_PADS_H
#define CINE_PADS_H

#include <gst/base/gstflowcombiner.h>

#include "cineshow.h"

/* The source pads of a cine player, which come and go, and what each has been
 * told: stream, caps, segment, tags. */

typedef struct {
  GstPad *pad; ///< %NULL: not requested; under the element's lock

  /* streaming thread */
  gboolean started, tagged, need_segment;
  GstVideoInfo info;
} CinePad;

typedef struct {
  GstElement *element; ///< borrowed
  CinePad pads[CINE_SHOWS];
  GstFlowCombiner *combiner; ///< under the element's lock

  /* streaming thread */
  const CineShow *show;
  guint group_id;
  GstSegment segment; ///< of what comes next
  guint32 seqnum;     ///< of the seek behind it
} CinePads;

/** Names of the pads, by what they show. */
extern const gchar *const cine_pad_names[CINE_SHOWS];

/** @element, @show: borrowed for the life of the pads */
void cine_pads_init (CinePads *self, GstElement *element, const CineShow *show);
void cine_pads_clear (CinePads *self);

/** Takes a pad for what it shows. False: there is one already */
gboolean cine_pads_add (CinePads *self, guint kind, GstPad *pad);
/** What its last push returns concerns nobody any more. */
void cine_pads_remove (CinePads *self, GstPad *pad);

/** A new stream on all pads, in the segment that is set. */
void cine_pads_begin (CinePads *self);

/** What comes next is in another segment. */
void cine_pads_seek (CinePads *self, const GstSegment *segment, guint32 seqnum);

/** Downstream has no segment after a flush. */
void cine_pads_forget_segments (CinePads *self);

/** Pushes an event on all pads. Takes @event. */
void cine_pads_push_event (CinePads *self, GstEvent *event);

/** Makes the buffer of a pad's picture; %NULL: it cannot.
 * @discont: it is the first one of a segment */
typedef GstBuffer *(*CinePadsMake) (
    gpointer data, guint kind, const GstVideoInfo *info, gboolean discont);

/** One picture to every pad. Returns: the flow of all */
GstFlowReturn cine_pads_push (CinePads *self, CinePadsMake make, gpointer data);

/** Tells pads that got no picture what the stream is. */
void cine_pads_prepare_all (CinePads *self);

#endif
