/* SPDX-License-Identifier: LGPL-2.1-or-later */

#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include "mmsascoreparts.h"

/* Caps of the video pass through; polar pictures have theirs. */
static GstCaps *
get_caps (GstPad *other, GstPad *pad, GstCaps *filter)
{
  GstCaps *templ = gst_pad_get_pad_template_caps (pad), *caps, *result;

  caps = gst_pad_peer_query_caps (other, filter);
  result = gst_caps_intersect_full (caps, templ, GST_CAPS_INTERSECT_FIRST);
  gst_caps_unref (caps);
  gst_caps_unref (templ);
  return result;
}

static GstCaps *
get_src_caps (GstMmsaScore *self, GstCaps *filter)
{
  GstPad *video = gst_element_get_static_pad (GST_ELEMENT (self), "video");
  GstCaps *caps, *all;

  if (video) {
    caps = get_caps (video, self->src, filter);
    gst_object_unref (video);
    return caps;
  }
  all = gst_pad_template_get_caps (gst_element_class_get_pad_template (
      GST_ELEMENT_GET_CLASS (self), "basal"));
  if (!filter)
    return all;
  caps = gst_caps_intersect_full (filter, all, GST_CAPS_INTERSECT_FIRST);
  gst_caps_unref (all);
  return caps;
}

/* Video waits for its cycle to be complete and then to be scored. */
static gboolean
query_latency (GstMmsaScore *self, GstQuery *query)
{
  GstClockTime min = 0, max = GST_CLOCK_TIME_NONE, held;
  gboolean live = FALSE;

  for (guint i = 0; i < SINKS; i++) {
    GstPad *pad = gst_element_get_static_pad (
        GST_ELEMENT (self), mmsa_score_sink_names[i]);
    GstQuery *upstream = gst_query_new_latency ();
    GstClockTime its_min, its_max;
    gboolean its_live;

    if (pad && gst_pad_peer_query (pad, upstream)) {
      gst_query_parse_latency (upstream, &its_live, &its_min, &its_max);
      live |= its_live;
      min = MAX (min, its_min);
      max = MIN (max, its_max);
    }
    gst_query_unref (upstream);
    gst_clear_object (&pad);
  }
  g_mutex_lock (&self->lock);
  held = self->cycle_duration + self->network_time;
  g_mutex_unlock (&self->lock);
  if (GST_CLOCK_TIME_IS_VALID (max))
    max += held;
  gst_query_set_latency (query, live, min + held, max);
  return TRUE;
}

gboolean
mmsa_score_src_query (GstPad *pad, GstObject *parent, GstQuery *query)
{
  GstMmsaScore *self = GST_MMSA_SCORE (parent);
  GstCaps *filter, *caps;

  switch (GST_QUERY_TYPE (query)) {
    case GST_QUERY_CAPS:
      gst_query_parse_caps (query, &filter);
      caps = get_src_caps (self, filter);
      gst_query_set_caps_result (query, caps);
      gst_caps_unref (caps);
      return TRUE;
    case GST_QUERY_LATENCY:
      return query_latency (self, query);
    default:
      return gst_pad_query_default (pad, parent, query);
  }
}

gboolean
mmsa_score_sink_query (GstPad *pad, GstObject *parent, GstQuery *query)
{
  GstMmsaScore *self = GST_MMSA_SCORE (parent);
  GstCaps *filter, *caps;

  switch (GST_QUERY_TYPE (query)) {
    case GST_QUERY_CAPS:
      if (mmsa_score_get_number (pad) != VIDEO)
        break;
      gst_query_parse_caps (query, &filter);
      caps = get_caps (self->src, pad, filter);
      gst_query_set_caps_result (query, caps);
      gst_caps_unref (caps);
      return TRUE;
    case GST_QUERY_ALLOCATION:
      /* A cycle of buffers is held: they cannot be those of a sink's pool. */
      return FALSE;
    default:
      break;
  }
  return gst_pad_query_default (pad, parent, query);
}
