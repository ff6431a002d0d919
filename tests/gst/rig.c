/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "rig.h"

#include <string.h>

#include "../require.h"

const gchar *
rig_model (void)
{
  const gchar *model = g_getenv ("CARDIAC_TEST_MODEL");

  REQUIRE (model != NULL);
  return model;
}

void
rig_start (Rig *rig, const gchar *launch)
{
  memset (rig, 0, sizeof *rig);
  rig->element = gst_parse_launch (launch, NULL);
  REQUIRE (rig->element != NULL);
  rig->harness = gst_harness_new_with_element (
      gst_object_ref_sink (rig->element), "sink", "src");
  gst_object_unref (rig->element); /* the harness holds it */
  rig->bus = gst_bus_new ();
  gst_element_set_bus (rig->element, rig->bus);
}

void
rig_stop (Rig *rig)
{
  gst_element_set_bus (rig->element, NULL);
  gst_bus_set_flushing (rig->bus, TRUE);
  gst_object_unref (rig->bus);
  gst_harness_teardown (rig->harness);
}

void
rig_caps (Rig *rig, const gchar *format, gint width, gint height, gint fps)
{
  gchar *text = frame_caps (format, width, height, fps, 1);
  GstCaps *caps = gst_caps_from_string (text);

  REQUIRE (gst_video_info_from_caps (&rig->info, caps));
  rig->fps = fps;
  gst_harness_set_src_caps (rig->harness, caps);
  g_free (text);
}

GstBuffer *
rig_push (Rig *rig, FrameKind kind, guint texture)
{
  GstClockTime pts = rig->frame * (GST_SECOND / rig->fps);
  GstBuffer *buffer =
      frame_new (&rig->info, kind, texture, pts, GST_SECOND / rig->fps, FALSE);

  rig->frame++;
  if (rig->heartless)
    gst_buffer_add_cardiac_geometry_meta (buffer)->searched = TRUE;
  if (rig->m_mode)
    gst_buffer_add_cardiac_region_meta (buffer, 0)->kind =
        GST_CARDIAC_REGION_M_MODE;
  REQUIRE (gst_harness_push (rig->harness, buffer) == GST_FLOW_OK);
  buffer = gst_harness_pull (rig->harness);
  REQUIRE (buffer != NULL);
  return buffer;
}

GstCardiacState
rig_push_many (Rig *rig, FrameKind kind, guint count)
{
  gint state = -1;

  for (guint i = 0; i < count; i++) {
    GstBuffer *buffer = rig_push (rig, kind, rig->frame);

    state = rig_state (buffer);
    gst_buffer_unref (buffer);
  }
  return state;
}

gint
rig_state (GstBuffer *buffer)
{
  GstCardiacResultMeta *meta = gst_buffer_get_cardiac_result_meta (buffer);

  return meta && meta->result ? (gint) meta->result->state : -1;
}

GstCardiacResult *
rig_last_record (Rig *rig, guint *count)
{
  GstCardiacResult *last = NULL;
  GstMessage *message;

  if (count)
    *count = 0;
  while ((message = gst_bus_pop_filtered (rig->bus, GST_MESSAGE_ELEMENT))) {
    const GstStructure *s = gst_message_get_structure (message);

    if (gst_structure_has_name (s, "cardiac-result")) {
      if (last)
        gst_cardiac_result_unref (last);
      gst_structure_get (s, "result", GST_TYPE_CARDIAC_RESULT, &last, NULL);
      if (count)
        ++*count;
    }
    gst_message_unref (message);
  }
  return last;
}

GError *
rig_start_error (const gchar *launch)
{
  GstElement *element = gst_parse_launch (launch, NULL);
  GstBus *bus = gst_bus_new ();
  GError *error = NULL;
  GstMessage *message;
  gboolean failed;

  REQUIRE (element != NULL);
  gst_object_ref_sink (element);
  gst_element_set_bus (element, bus);
  failed = gst_element_set_state (element, GST_STATE_PAUSED)
           == GST_STATE_CHANGE_FAILURE;
  message = gst_bus_pop_filtered (bus, GST_MESSAGE_ERROR);
  REQUIRE (failed == (message != NULL));
  if (message) {
    gst_message_parse_error (message, &error, NULL);
    gst_message_unref (message);
  }
  gst_element_set_state (element, GST_STATE_NULL);
  gst_element_set_bus (element, NULL);
  gst_bus_set_flushing (bus, TRUE);
  gst_object_unref (bus);
  gst_object_unref (element);
  return error;
}

guint64
rig_stat (Rig *rig, const gchar *name)
{
  GstStructure *stats;
  guint64 value = 0;

  g_object_get (rig->element, "stats", &stats, NULL);
  REQUIRE (gst_structure_get_uint64 (stats, name, &value));
  gst_structure_free (stats);
  return value;
}
