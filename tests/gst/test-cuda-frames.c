/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Frames in GPU memory from cudaupload to cudadownload, with a driver of our
 * own (cuda-driver/) under the real libgstcuda, and the engine's emulation of
 * CUDA as the network's device. */

#include <math.h>
#include <string.h>

#include "../require.h"
#include "rig.h"

#define GST_USE_UNSTABLE_API
#include <gmodule.h>
#include <gst/cuda/gstcudaloader.h>
#include <gst/cuda/gstcudamemory.h>
#include <gst/cuda/gstcudautils.h>

#define UPLOAD "cudaupload ! video/x-raw(memory:CUDAMemory) ! "
/* Both elements would rather do nothing. */
#define DOWNLOAD " ! cudadownload ! capsfilter caps=video/x-raw"
/* Large enough for the host to see every second row only. */
#define WIDTH 512
#define HEIGHT 400
#define FPS 30

typedef struct {
  GstElement *bin, *classify;
  GstHarness *harness;
  GstVideoInfo info;
  guint frame;
  GHashTable *memories; /* of upstream's frames */
} Line;

static GstPadProbeReturn
note_memory (GstPad *pad, GstPadProbeInfo *info, gpointer data)
{
  GstBuffer *buffer = GST_PAD_PROBE_INFO_BUFFER (info);

  g_hash_table_add (data, gst_buffer_peek_memory (buffer, 0));
  return GST_PAD_PROBE_OK;
}

static void
line_start (Line *line, const gchar *format, const gchar *launch,
    GstCudaContext *context)
{
  gchar *caps = frame_caps (format, WIDTH, HEIGHT, FPS, 1);
  GstPad *pad;

  memset (line, 0, sizeof *line);
  line->bin = gst_parse_bin_from_description (launch, TRUE, NULL);
  REQUIRE (line->bin);
  if (context) {
    GstContext *wrapped = gst_context_new_cuda_context (context);

    gst_element_set_context (line->bin, wrapped);
    gst_context_unref (wrapped);
  }
  line->classify = gst_bin_get_by_name (GST_BIN (line->bin), "mreg");
  line->memories = g_hash_table_new (NULL, NULL);
  pad = gst_element_get_static_pad (line->classify, "sink");
  gst_pad_add_probe (
      pad, GST_PAD_PROBE_TYPE_BUFFER, note_memory, line->memories, NULL);
  gst_object_unref (pad);
  line->harness = gst_harness_new_with_element (
      gst_object_ref_sink (line->bin), "sink", "src");
  gst_harness_set_src_caps_str (line->harness, caps);
  REQUIRE (gst_video_info_from_caps (&line->info, gst_caps_from_string (caps)));
  g_free (caps);
}

static void
line_stop (Line *line)
{
  gst_object_unref (line->classify);
  gst_object_unref (line->bin);
  gst_harness_teardown (line->harness);
  g_hash_table_unref (line->memories);
}

static guint64
line_stat (Line *line, const gchar *name)
{
  GstStructure *stats;
  guint64 value;

  g_object_get (line->classify, "stats", &stats, NULL);
  REQUIRE (gst_structure_get_uint64 (stats, name, &value));
  gst_structure_free (stats);
  return value;
}

/* Pictures repeat from second to second, so that all clips are alike. */
static GstBuffer *
line_push (Line *line, FrameKind kind)
{
  GstBuffer *buffer = frame_new (&line->info, kind, line->frame % FPS,
      line->frame * GST_SECOND / FPS, GST_SECOND / FPS, FALSE);

  line->frame++;
  gst_buffer_add_cardiac_echo_truth_meta (buffer);
  REQUIRE (gst_harness_push (line->harness, buffer) == GST_FLOW_OK);
  buffer = gst_harness_pull (line->harness);
  REQUIRE (buffer && gst_buffer_get_cardiac_echo_truth_meta (buffer));
  return buffer;
}

static gboolean
is_in_host_memory (GstBuffer *buffer)
{
  return !gst_is_cuda_memory (gst_buffer_peek_memory (buffer, 0));
}

/* The value of the first result, which comes through to host memory. */
static gdouble
line_grade (Line *line)
{
  gdouble value = NAN;

  while (isnan (value)) {
    GstBuffer *buffer = line_push (line, FRAME_DOPPLER);
    GstCardiacResultMeta *meta = gst_buffer_get_cardiac_result_meta (buffer);

    REQUIRE (meta && is_in_host_memory (buffer));
    if (gst_cardiac_state_has_finding (meta->result->state))
      value = meta->result->value;
    gst_buffer_unref (buffer);
    g_usleep (2000); /* the network has a turn */
  }
  return value;
}

static gchar *
describe (const gchar *format, ...)
{
  va_list arguments;
  gchar *properties, *launch;

  va_start (arguments, format);
  properties = g_strdup_vprintf (format, arguments);
  va_end (arguments);
  launch = g_strdup_printf (UPLOAD
      "mregclassify name=mreg model=%s precision=fp32 threads=1 "
      "roi=64,32,300,300 %s" DOWNLOAD,
      rig_model (), properties);
  g_free (properties);
  return launch;
}

static gdouble
grade (const gchar *format, const gchar *properties, GstCudaContext *context,
    gboolean on_device)
{
  gchar *launch = describe ("%s", properties);
  gdouble value;
  Line line;

  line_start (&line, format, launch, context);
  value = line_grade (&line);
  REQUIRE (line_stat (&line, "received") == line.frame);
  REQUIRE (line_stat (&line, "on-device") == (on_device ? line.frame : 0));
  /* None of upstream's frames is kept: its pool needs no more than this. */
  REQUIRE (g_hash_table_size (line.memories) <= 2);
  line_stop (&line);
  g_free (launch);
  printf ("  %s %s: %.6f\n", format, properties, value);
  return value;
}

/* Cut and resized by the GPU and by the host. */
static void
formats_are_read_on_the_device (void)
{
  static const gchar *const formats[] = { "NV12", "I420", "BGRx" };

  printf ("formats are read on the device\n");
  for (guint i = 0; i < G_N_ELEMENTS (formats); i++) {
    gdouble host =
        grade (formats[i], "device=reference sync-mode=live", NULL, FALSE);
    gdouble device =
        grade (formats[i], "device=cuda sync-mode=live", NULL, TRUE);

    REQUIRE (fabs (device - host) < 1e-3);
  }
}

static void
frames_elsewhere_are_downloaded (void)
{
  GstCudaContext *other = gst_cuda_context_new (0);
  gdouble host, value;

  printf ("frames elsewhere are downloaded\n");
  host = grade ("NV12", "device=reference sync-mode=live", NULL, FALSE);
  value = grade ("NV12", "device=cuda sync-mode=exact", NULL, FALSE);
  REQUIRE (fabs (value - host) < 1e-3);
  REQUIRE (other);
  value = grade ("NV12", "device=cuda sync-mode=live", other, FALSE);
  REQUIRE (fabs (value - host) < 1e-3);
  gst_object_unref (other);
}

/* The host sees some rows only, and sees in them what it has to. */
static void
states_are_the_same_on_the_device (void)
{
  static const struct {
    FrameKind kind;
    GstCardiacState state;
  } cases[] = {
    { FRAME_BLACK, GST_CARDIAC_STATE_NO_SIGNAL },
    { FRAME_GREY, GST_CARDIAC_STATE_NO_DOPPLER },
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++) {
    gchar *launch = describe ("device=cuda sync-mode=live");
    GstCardiacState state = GST_CARDIAC_STATE_WAIT;
    Line line;

    line_start (&line, "NV12", launch, NULL);
    while (line.frame < 10 * FPS) {
      GstBuffer *buffer = line_push (&line, cases[i].kind);

      state = rig_state (buffer);
      gst_buffer_unref (buffer);
    }
    REQUIRE (state == cases[i].state);
    REQUIRE (line_stat (&line, "on-device") == line.frame);
    line_stop (&line);
    g_free (launch);
  }
}

/* ---- the detector ------------------------------------------------------ */

/** Bytes that the driver has copied to the host. */
static gsize
get_downloaded (void)
{
  GModule *driver = g_module_open ("libcuda.so.1", G_MODULE_BIND_LAZY);
  size_t (*downloaded) (void);
  gsize bytes;

  REQUIRE (driver);
  REQUIRE (g_module_symbol (
      driver, "cuda_driver_downloaded", (gpointer *) &downloaded));
  bytes = downloaded ();
  g_module_close (driver);
  return bytes;
}

/** What is found in a phantom's frames. */
typedef struct {
  guint frames, boxes;
  gsize frame_size;
  GstCardiacBox last;
  guint64 detections, on_device;
  gsize downloaded;   ///< bytes, while it ran
  GstElement *source; ///< to be ended by the first box; or NULL
} Search;

/* Frames leave as they came. */
static GstPadProbeReturn
note_box (GstPad *pad, GstPadProbeInfo *info, gpointer data)
{
  GstBuffer *buffer = GST_PAD_PROBE_INFO_BUFFER (info);
  GstCardiacGeometryMeta *meta = gst_buffer_get_cardiac_geometry_meta (buffer);
  GstVideoInfo video;
  GstCaps *caps = gst_pad_get_current_caps (pad);
  Search *search = data;

  REQUIRE (!is_in_host_memory (buffer));
  REQUIRE (gst_video_info_from_caps (&video, caps));
  gst_caps_unref (caps);
  search->frame_size = GST_VIDEO_INFO_SIZE (&video);
  search->frames++;
  if (meta && meta->has_roi) {
    search->boxes++;
    search->last = meta->roi;
  }
  if (search->boxes > 0 && search->source) {
    gst_element_send_event (search->source, gst_event_new_eos ());
    gst_clear_object (&search->source);
  }
  return GST_PAD_PROBE_OK;
}

static void
run_to_end (GstElement *pipeline)
{
  GstBus *bus = gst_element_get_bus (pipeline);
  GstMessage *message;

  REQUIRE (gst_element_set_state (pipeline, GST_STATE_PLAYING)
           != GST_STATE_CHANGE_FAILURE);
  message = gst_bus_timed_pop_filtered (
      bus, GST_CLOCK_TIME_NONE, GST_MESSAGE_EOS | GST_MESSAGE_ERROR);
  REQUIRE (GST_MESSAGE_TYPE (message) == GST_MESSAGE_EOS);
  gst_message_unref (message);
  gst_object_unref (bus);
}

static void
read_search_stats (GstElement *roi, Search *search)
{
  GstStructure *stats;

  g_object_get (roi, "stats", &stats, NULL);
  REQUIRE (gst_structure_get_uint64 (stats, "detections", &search->detections));
  REQUIRE (gst_structure_get_uint64 (stats, "on-device", &search->on_device));
  gst_structure_free (stats);
}

/* @frames: 0: until a box is found
 * @probe: of the detector's sink pad, or %NULL */
static Search
search_through (const gchar *format, const gchar *properties, guint frames,
    GstCudaContext *context, GstPadProbeCallback probe)
{
  gchar *launch = g_strdup_printf (
      "echotestsrc name=source num-buffers=%d ! videoconvert "
      "! video/x-raw,format=%s ! " UPLOAD "mregroi name=roi model=%s "
      "precision=fp32 threads=1 interval=0 %s ! fakesink name=end",
      frames ? (gint) frames : -1, format, g_getenv ("CARDIAC_TEST_DETECTOR"),
      properties);
  GstElement *pipeline = gst_parse_launch (launch, NULL), *roi, *end;
  gsize before = get_downloaded ();
  Search found = { 0 };
  GstPad *pad;

  REQUIRE (pipeline);
  if (context) {
    GstContext *wrapped = gst_context_new_cuda_context (context);

    gst_element_set_context (pipeline, wrapped);
    gst_context_unref (wrapped);
  }
  roi = gst_bin_get_by_name (GST_BIN (pipeline), "roi");
  end = gst_bin_get_by_name (GST_BIN (pipeline), "end");
  if (probe) {
    pad = gst_element_get_static_pad (roi, "sink");
    gst_pad_add_probe (pad, GST_PAD_PROBE_TYPE_BUFFER, probe, NULL, NULL);
    gst_object_unref (pad);
  }
  if (!frames)
    found.source = gst_bin_get_by_name (GST_BIN (pipeline), "source");
  pad = gst_element_get_static_pad (end, "sink");
  gst_pad_add_probe (pad, GST_PAD_PROBE_TYPE_BUFFER, note_box, &found, NULL);
  run_to_end (pipeline);
  read_search_stats (roi, &found);
  gst_element_set_state (pipeline, GST_STATE_NULL);
  found.downloaded = get_downloaded () - before;
  gst_object_unref (pad);
  gst_object_unref (end);
  gst_object_unref (roi);
  gst_object_unref (pipeline);
  g_free (launch);
  REQUIRE (!frames || found.frames == frames);
  printf ("  %s %s: %u boxes in %u frames, the last %.2f,%.2f,%.2f,%.2f; "
          "%" G_GSIZE_FORMAT " bytes downloaded\n",
      format, properties, found.boxes, found.frames, found.last.x, found.last.y,
      found.last.w, found.last.h, found.downloaded);
  return found;
}

static Search
search (const gchar *format, const gchar *properties, guint frames,
    GstCudaContext *context)
{
  return search_through (format, properties, frames, context, NULL);
}

static void
require_same_box (const Search *a, const Search *b)
{
  static const gdouble pixels = 0.05;

  REQUIRE (a->boxes == b->boxes);
  REQUIRE (fabs (a->last.x - b->last.x) < pixels
           && fabs (a->last.y - b->last.y) < pixels
           && fabs (a->last.w - b->last.w) < pixels
           && fabs (a->last.h - b->last.h) < pixels);
}

/* Not one byte of a frame comes to the host, in either mode. */
static void
hearts_are_found_on_the_device (void)
{
  static const gchar *const formats[] = { "NV12", "I420", "BGRx", "RGBx" };
  enum { FRAMES = 3, UNTIL_FOUND = 0 };
  Search live;

  printf ("hearts are found on the device\n");
  for (guint i = 0; i < G_N_ELEMENTS (formats); i++) {
    Search host =
        search (formats[i], "device=reference sync-mode=exact", FRAMES, NULL);
    Search device =
        search (formats[i], "device=cuda sync-mode=exact", FRAMES, NULL);

    REQUIRE (host.boxes == FRAMES && host.on_device == 0);
    REQUIRE (host.downloaded >= FRAMES * host.frame_size);
    REQUIRE (device.on_device == FRAMES && device.downloaded == 0);
    require_same_box (&host, &device);
  }
  live = search ("NV12", "device=cuda sync-mode=live", UNTIL_FOUND, NULL);
  REQUIRE (live.boxes > 0 && live.downloaded == 0);
  REQUIRE (live.on_device >= live.detections && live.detections > 0);
}

#if GST_CHECK_VERSION(1, 24, 0)
/* The same frame in memory that has a stream of its own, and whose upload is
 * enqueued there when it is mapped. */
static GstPadProbeReturn
write_on_a_stream (GstPad *pad, GstPadProbeInfo *info, gpointer data)
{
  GstBuffer *buffer =
      gst_buffer_make_writable (GST_PAD_PROBE_INFO_BUFFER (info));
  GstMemory *memory = gst_buffer_peek_memory (buffer, 0), *twin;
  GstCudaMemory *cuda = GST_CUDA_MEMORY_CAST (memory);
  GstCudaStream *stream = gst_cuda_stream_new (cuda->context);
  GstMapInfo read, write;

  twin = gst_cuda_allocator_alloc (NULL, cuda->context, stream, &cuda->info);
  REQUIRE (stream && twin && twin->size == memory->size);
  REQUIRE (gst_memory_map (memory, &read, GST_MAP_READ));
  REQUIRE (gst_memory_map (twin, &write, GST_MAP_WRITE));
  memcpy (write.data, read.data, read.size);
  gst_memory_unmap (twin, &write);
  gst_memory_unmap (memory, &read);
  gst_buffer_replace_all_memory (buffer, twin);
  gst_cuda_stream_unref (stream);
  GST_PAD_PROBE_INFO_DATA (info) = buffer;
  return GST_PAD_PROBE_OK;
}

static void
frames_of_a_stream_are_waited_for (void)
{
  Search host, device;

  printf ("frames of a stream are waited for\n");
  host = search ("NV12", "device=reference sync-mode=exact", 2, NULL);
  device = search_through (
      "NV12", "device=cuda sync-mode=exact", 2, NULL, write_on_a_stream);
  REQUIRE (device.boxes == 2 && device.on_device == 2);
  require_same_box (&host, &device);
}
#else
static void
frames_of_a_stream_are_waited_for (void)
{
  printf ("frames have no streams before GStreamer 1.24\n");
}
#endif

static void
hearts_elsewhere_are_found_after_a_download (void)
{
  GstCudaContext *other = gst_cuda_context_new (0);
  Search found;

  printf ("hearts elsewhere are found after a download\n");
  REQUIRE (other);
  found = search ("NV12", "device=cuda sync-mode=exact", 2, other);
  REQUIRE (found.boxes == 2 && found.on_device == 0);
  REQUIRE (found.downloaded >= 2 * found.frame_size);
  gst_object_unref (other);
}

int
main (int argc, char **argv)
{
  GstElementFactory *upload;

  gst_init (&argc, &argv);
  if (!gst_cuda_load_library ())
    SKIP ("this libgstcuda wants more of a driver than the test has");
  upload = gst_element_factory_find ("cudaupload");
  if (!upload)
    SKIP ("cudaupload is not installed");
  gst_object_unref (upload);
  formats_are_read_on_the_device ();
  frames_elsewhere_are_downloaded ();
  states_are_the_same_on_the_device ();
  hearts_are_found_on_the_device ();
  frames_of_a_stream_are_waited_for ();
  hearts_elsewhere_are_found_after_a_download ();
  gst_deinit ();
  return 0;
}
