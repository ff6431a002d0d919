/* SPDX-License-Identifier: LGPL-2.1-or-later */

#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include "cinepads.h"

const gchar *const cine_pad_names[CINE_SHOWS] = { "basal", "mid", "apical",
  "review" };

void
cine_pads_init (CinePads *self, GstElement *element, const CineShow *show)
{
  self->element = element;
  self->show = show;
  self->combiner = gst_flow_combiner_new ();
  gst_segment_init (&self->segment, GST_FORMAT_TIME);
}

void
cine_pads_clear (CinePads *self)
{
  g_clear_pointer (&self->combiner, gst_flow_combiner_free);
}

/* Nothing has been said on a pad. */
static void
start_anew (CinePad *pad)
{
  pad->started = pad->tagged = FALSE;
  pad->need_segment = TRUE;
}

gboolean
cine_pads_add (CinePads *self, guint kind, GstPad *pad)
{
  gboolean is_new;

  GST_OBJECT_LOCK (self->element);
  is_new = !self->pads[kind].pad;
  if (is_new) {
    self->pads[kind].pad = pad;
    start_anew (&self->pads[kind]);
    gst_flow_combiner_add_pad (self->combiner, pad);
  }
  GST_OBJECT_UNLOCK (self->element);
  return is_new;
}

void
cine_pads_remove (CinePads *self, GstPad *pad)
{
  GST_OBJECT_LOCK (self->element);
  for (guint kind = 0; kind < CINE_SHOWS; kind++)
    if (self->pads[kind].pad == pad)
      self->pads[kind].pad = NULL;
  gst_flow_combiner_remove_pad (self->combiner, pad);
  GST_OBJECT_UNLOCK (self->element);
}

static void
reset_flows (CinePads *self)
{
  GST_OBJECT_LOCK (self->element);
  gst_flow_combiner_reset (self->combiner);
  GST_OBJECT_UNLOCK (self->element);
}

void
cine_pads_begin (CinePads *self)
{
  self->group_id = gst_util_group_id_next ();
  self->seqnum = gst_util_seqnum_next ();
  reset_flows (self);
  GST_OBJECT_LOCK (self->element);
  for (guint kind = 0; kind < CINE_SHOWS; kind++)
    start_anew (&self->pads[kind]);
  GST_OBJECT_UNLOCK (self->element);
}

void
cine_pads_seek (CinePads *self, const GstSegment *segment, guint32 seqnum)
{
  self->segment = *segment;
  self->seqnum = seqnum;
  reset_flows (self);
  cine_pads_forget_segments (self);
}

void
cine_pads_forget_segments (CinePads *self)
{
  for (guint kind = 0; kind < CINE_SHOWS; kind++)
    self->pads[kind].need_segment = TRUE;
}

/* ---- streaming thread --------------------------------------------------- */

static GstPad *
ref_pad (CinePads *self, guint kind)
{
  GstPad *pad;

  GST_OBJECT_LOCK (self->element);
  pad = self->pads[kind].pad;
  if (pad)
    gst_object_ref (pad);
  GST_OBJECT_UNLOCK (self->element);
  return pad;
}

static void
push_stream_start (CinePads *self, guint kind, GstPad *pad)
{
  gchar *id =
      gst_pad_create_stream_id (pad, self->element, cine_pad_names[kind]);
  GstEvent *event = gst_event_new_stream_start (id);

  gst_event_set_group_id (event, self->group_id);
  gst_pad_push_event (pad, event);
  g_free (id);
}

/* The best of our formats that downstream takes. */
static gboolean
negotiate (CinePads *self, guint kind, GstPad *pad)
{
  GstCaps *ours = cine_show_caps (self->show, kind);
  GstCaps *theirs = gst_pad_peer_query_caps (pad, NULL);
  GstCaps *both =
      gst_caps_intersect_full (ours, theirs, GST_CAPS_INTERSECT_FIRST);
  gboolean fine = !gst_caps_is_empty (both);

  gst_caps_unref (ours);
  gst_caps_unref (theirs);
  both = fine ? gst_caps_fixate (both) : both;
  fine = fine && gst_video_info_from_caps (&self->pads[kind].info, both);
  if (fine)
    fine = gst_pad_push_event (pad, gst_event_new_caps (both))
           || !gst_pad_is_linked (pad);
  gst_caps_unref (both);
  return fine;
}

/* What precedes buffers on a pad. */
static GstFlowReturn
prepare (CinePads *self, guint kind, GstPad *pad)
{
  CinePad *stream = &self->pads[kind];
  gboolean renegotiate = gst_pad_check_reconfigure (pad);

  if (!stream->started) {
    push_stream_start (self, kind, pad);
    renegotiate = TRUE;
  }
  if (renegotiate && !negotiate (self, kind, pad))
    return GST_PAD_IS_FLUSHING (pad) ? GST_FLOW_FLUSHING
                                     : GST_FLOW_NOT_NEGOTIATED;
  stream->started = TRUE;
  if (stream->need_segment) {
    GstEvent *event = gst_event_new_segment (&self->segment);

    gst_event_set_seqnum (event, self->seqnum);
    stream->need_segment = FALSE;
    gst_pad_push_event (pad, event);
  }
  if (!stream->tagged) {
    stream->tagged = TRUE;
    gst_pad_push_event (
        pad, gst_event_new_tag (cine_show_tags (self->show, kind)));
  }
  return GST_FLOW_OK;
}

void
cine_pads_push_event (CinePads *self, GstEvent *event)
{
  for (guint kind = 0; kind < CINE_SHOWS; kind++) {
    GstPad *pad = ref_pad (self, kind);

    if (!pad)
      continue;
    gst_pad_push_event (pad, gst_event_ref (event));
    gst_object_unref (pad);
  }
  gst_event_unref (event);
}

/* The flow of all pads, of which one has pushed; those that were released
 * meanwhile do not count. */
static GstFlowReturn
combine (CinePads *self, guint kind, GstPad *pad, GstFlowReturn flow,
    GstFlowReturn before)
{
  GstFlowReturn all = before;

  GST_OBJECT_LOCK (self->element);
  if (self->pads[kind].pad == pad)
    all = gst_flow_combiner_update_pad_flow (self->combiner, pad, flow);
  GST_OBJECT_UNLOCK (self->element);
  return all;
}

static GstFlowReturn
push_picture (
    CinePads *self, guint kind, GstPad *pad, CinePadsMake make, gpointer data)
{
  gboolean discont = self->pads[kind].need_segment;
  GstFlowReturn flow = prepare (self, kind, pad);
  GstBuffer *buffer;

  if (flow != GST_FLOW_OK)
    return flow;
  buffer = make (data, kind, &self->pads[kind].info, discont);
  return buffer ? gst_pad_push (pad, buffer) : GST_FLOW_ERROR;
}

GstFlowReturn
cine_pads_push (CinePads *self, CinePadsMake make, gpointer data)
{
  GstFlowReturn all = GST_FLOW_NOT_LINKED;

  for (guint kind = 0; kind < CINE_SHOWS; kind++) {
    GstPad *pad = ref_pad (self, kind);
    GstFlowReturn flow;

    if (!pad)
      continue;
    flow = push_picture (self, kind, pad, make, data);
    all = combine (self, kind, pad, flow, all);
    gst_object_unref (pad);
    if (all != GST_FLOW_OK && all != GST_FLOW_NOT_LINKED)
      break;
  }
  return all;
}

void
cine_pads_prepare_all (CinePads *self)
{
  for (guint kind = 0; kind < CINE_SHOWS; kind++) {
    GstPad *pad = ref_pad (self, kind);

    if (pad && self->pads[kind].need_segment)
      prepare (self, kind, pad);
    if (pad)
      gst_object_unref (pad);
  }
}
