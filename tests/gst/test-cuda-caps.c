/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Frames in GPU memory where there is no GPU: which caps pass, and that nothing
 * else is different. Runs in builds with and without libgstcuda. */

#include "../require.h"
#include "cudaframe.h"
#include "gstmregclassify.h"
#include "gstmregroi.h"
#include "rig.h"

#define DEVICE_CAPS                                                            \
  "video/x-raw(memory:CUDAMemory),format=NV12,width=96,height=64,"             \
  "framerate=30/1"
#define GL_CAPS                                                                \
  "video/x-raw(memory:GLMemory),format=NV12,width=96,height=64,framerate=30/1"

static gboolean
accepts (GstElement *element, const gchar *pad_name, const gchar *text)
{
  GstPad *pad = gst_element_get_static_pad (element, pad_name);
  GstCaps *caps = gst_caps_from_string (text);
  gboolean accepted = gst_pad_query_accept_caps (pad, caps);

  gst_caps_unref (caps);
  gst_object_unref (pad);
  return accepted;
}

static void
gpu_memory_passes_where_it_is_known (const gchar *launch)
{
  Rig rig;

  rig_start (&rig, launch);
  REQUIRE (accepts (rig.element, "sink", DEVICE_CAPS) == cuda_frames_built ());
  REQUIRE (accepts (rig.element, "src", DEVICE_CAPS) == cuda_frames_built ());
  REQUIRE (!accepts (rig.element, "sink", GL_CAPS));
  rig_caps (&rig, "NV12", 96, 64, 30);
  gst_buffer_unref (rig_push (&rig, FRAME_DOPPLER, 0));
  rig_stop (&rig);
}

/* What caps promise stays what it was: no frame is downloaded for others. */
static void
caps_with_the_feature_stay_as_they_are (void)
{
  GstCaps *device, *out;
  Rig rig;

  if (!cuda_frames_built ())
    return;
  rig_start (&rig, "mregroi roi=10,20,30,40");
  rig_caps (&rig, "NV12", 96, 64, 30);
  device = gst_caps_from_string (DEVICE_CAPS);
  gst_harness_set_src_caps (rig.harness, gst_caps_ref (device));
  gst_buffer_unref (rig_push (&rig, FRAME_DOPPLER, 0));
  out = gst_pad_get_current_caps (rig.harness->sinkpad);
  REQUIRE (out && gst_caps_is_subset (out, device));
  gst_caps_unref (out);
  gst_caps_unref (device);
  rig_stop (&rig);
}

/* A frame that is in host memory after all is read as such. */
static void
host_memory_under_device_caps_is_read (void)
{
  gchar *launch;
  Rig rig;

  if (!cuda_frames_built ())
    return;
  launch = g_strdup_printf (
      "mregclassify model=%s device=reference threads=1 sync-mode=live",
      rig_model ());
  rig_start (&rig, launch);
  rig_caps (&rig, "NV12", 96, 64, 30);
  gst_harness_set_src_caps_str (rig.harness, DEVICE_CAPS);
  rig_push_many (&rig, FRAME_DOPPLER, 10);
  REQUIRE (rig_stat (&rig, "received") == 10);
  REQUIRE (rig_stat (&rig, "analysed") > 0);
  REQUIRE (rig_stat (&rig, "on-device") == 0);
  rig_stop (&rig);
  g_free (launch);
}

static void
without_a_driver_no_context_is_offered (void)
{
  GstElement *element = gst_element_factory_make ("mregclassify", NULL);
  GstPad *pad = gst_element_get_static_pad (element, "sink");
  GstQuery *query = gst_query_new_context ("gst.cuda.context");
  GstBus *bus = gst_bus_new ();

  gst_element_set_bus (element, bus);
  REQUIRE (gst_element_set_state (element, GST_STATE_READY)
           == GST_STATE_CHANGE_SUCCESS);
  REQUIRE (!gst_bus_have_pending (bus)
           || !gst_bus_pop_filtered (
               bus, GST_MESSAGE_HAVE_CONTEXT | GST_MESSAGE_ERROR));
  REQUIRE (!gst_pad_query (pad, query));
  gst_element_set_state (element, GST_STATE_NULL);
  gst_element_set_bus (element, NULL);
  gst_query_unref (query);
  gst_object_unref (bus);
  gst_object_unref (pad);
  gst_object_unref (element);
}

int
main (int argc, char **argv)
{
  gchar *classify;

  gst_init (&argc, &argv);
  REQUIRE (GST_ELEMENT_REGISTER (mregclassify, NULL));
  REQUIRE (GST_ELEMENT_REGISTER (mregroi, NULL));
  classify = g_strdup_printf (
      "mregclassify model=%s device=reference threads=1", rig_model ());
  gpu_memory_passes_where_it_is_known (classify);
  gpu_memory_passes_where_it_is_known ("mregroi roi=10,20,30,40");
  caps_with_the_feature_stay_as_they_are ();
  host_memory_under_device_caps_is_read ();
  without_a_driver_no_context_is_offered ();
  g_free (classify);
  gst_deinit ();
  return 0;
}
