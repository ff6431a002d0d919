/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* cmrcinesrc in pipelines, with a stack that is made up. */

#include <math.h>
#include <string.h>

#include <gst/video/video.h>

#include "../cine/made-stack.h"
#include "../require.h"
#include "gstcmrcinesrc.h"
#include "meta/cardiac.h"

#define CYCLE (900 * GST_MSECOND)
#define STEP (CYCLE / MADE_PHASES)

/* What came out of one pad. */
typedef struct {
  GMutex lock;
  GPtrArray *buffers;
  GstCaps *caps;
  GstSegment segment;
  guint segments, eos;
} Pipe;

static const gchar *
get_stack (void)
{
  static const gchar *path;
  /* Milliseconds: 0.09 s is no float. */
  const MadeNifti o = { .step = 90, .units = 16 };

  if (!path) {
    path = made_path (made_folder ("gst"), "stack.nii");
    made_write_nifti (path, &o);
  }
  return path;
}

static GstPadProbeReturn
watch (GstPad *pad, GstPadProbeInfo *info, gpointer data)
{
  Pipe *pipe = data;

  g_mutex_lock (&pipe->lock);
  if (GST_PAD_PROBE_INFO_TYPE (info) & GST_PAD_PROBE_TYPE_BUFFER) {
    g_ptr_array_add (
        pipe->buffers, gst_buffer_ref (GST_PAD_PROBE_INFO_BUFFER (info)));
  } else {
    GstEvent *event = GST_PAD_PROBE_INFO_EVENT (info);
    GstCaps *caps;

    if (GST_EVENT_TYPE (event) == GST_EVENT_CAPS) {
      gst_event_parse_caps (event, &caps);
      gst_caps_replace (&pipe->caps, caps);
    } else if (GST_EVENT_TYPE (event) == GST_EVENT_SEGMENT) {
      gst_event_copy_segment (event, &pipe->segment);
      pipe->segments++;
    } else if (GST_EVENT_TYPE (event) == GST_EVENT_EOS) {
      pipe->eos++;
    }
  }
  g_mutex_unlock (&pipe->lock);
  return GST_PAD_PROBE_OK;
}

/* @sink: name of a fakesink in the pipeline */
static Pipe *
pipe_new (GstElement *pipeline, const gchar *sink)
{
  GstElement *element = gst_bin_get_by_name (GST_BIN (pipeline), sink);
  GstPad *pad = gst_element_get_static_pad (element, "sink");
  Pipe *pipe = g_new0 (Pipe, 1);

  g_mutex_init (&pipe->lock);
  pipe->buffers =
      g_ptr_array_new_with_free_func ((GDestroyNotify) gst_buffer_unref);
  gst_pad_add_probe (pad,
      GST_PAD_PROBE_TYPE_BUFFER | GST_PAD_PROBE_TYPE_EVENT_DOWNSTREAM, watch,
      pipe, NULL);
  gst_object_unref (pad);
  gst_object_unref (element);
  return pipe;
}

static void
pipe_free (Pipe *pipe)
{
  g_ptr_array_unref (pipe->buffers);
  gst_caps_replace (&pipe->caps, NULL);
  g_mutex_clear (&pipe->lock);
  g_free (pipe);
}

static GstElement *
make (const gchar *properties, const gchar *branches)
{
  GError *error = NULL;
  gchar *launch = g_strdup_printf ("cmrcinesrc name=c location=%s %s %s",
      get_stack (), properties, branches);
  GstElement *pipeline = gst_parse_launch (launch, &error);

  if (error)
    g_print ("%s\n", error->message);
  REQUIRE (pipeline && !error);
  g_free (launch);
  return pipeline;
}

/* Waits for EOS; errors are failures. */
static void
wait_for_eos (GstElement *pipeline)
{
  GstBus *bus = gst_element_get_bus (pipeline);
  GstMessage *message = gst_bus_timed_pop_filtered (
      bus, GST_CLOCK_TIME_NONE, GST_MESSAGE_EOS | GST_MESSAGE_ERROR);

  REQUIRE (message && GST_MESSAGE_TYPE (message) == GST_MESSAGE_EOS);
  gst_message_unref (message);
  gst_object_unref (bus);
}

static void
play (GstElement *pipeline)
{
  gst_element_set_state (pipeline, GST_STATE_PLAYING);
  wait_for_eos (pipeline);
}

static void
stop (GstElement *pipeline)
{
  gst_element_set_state (pipeline, GST_STATE_NULL);
  gst_object_unref (pipeline);
}

#define SINK "fakesink async=false sync=false name="

static GstBuffer *
get (Pipe *pipe, guint i)
{
  return g_ptr_array_index (pipe->buffers, i);
}

static void
require_slice (Pipe *pipe, guint i, GstCardiacLevel level, gint slice)
{
  GstCardiacSliceMeta *meta =
      gst_buffer_get_cardiac_slice_meta (get (pipe, i), -1);
  const MadeOptions plain = { 0 };
  GstMapInfo map;

  REQUIRE (meta && meta->level == level && (gint) meta->slice == slice);
  REQUIRE (meta->slices == MADE_SLICES && meta->phases == MADE_PHASES);
  REQUIRE (meta->phase == i % MADE_PHASES && meta->loop == i / MADE_PHASES);
  REQUIRE (fabs (meta->cycle_ms - 900) < 0.01 && meta->scale == 1);
  REQUIRE (fabs (meta->trigger_ms - 90 * meta->phase) < 0.01);
  REQUIRE (meta->rectangle.w == MADE_WIDTH && meta->rectangle.x == 0);
  REQUIRE (meta->window[1] > meta->window[0]);
  REQUIRE (fabs (meta->row_direction[0] - made_row[0]) < 1e-5);
  gst_buffer_map (get (pipe, i), &map, GST_MAP_READ);
  for (gint y = 0; y < MADE_HEIGHT; y++)
    for (gint x = 0; x < MADE_WIDTH; x++)
      REQUIRE (GST_READ_UINT16_LE (map.data + 2 * (y * MADE_WIDTH + x))
               == made_grey (&plain, slice, meta->phase, x, y));
  gst_buffer_unmap (get (pipe, i), &map);
}

static void
three_pads_play_the_same_cycle (void)
{
  static const gint slices[] = { 1, 3, 5 };
  GstElement *pipeline = make (
      "loops=2", "c.basal ! " SINK "a c.mid ! " SINK "b c.apical ! " SINK "d");
  Pipe *pipes[] = { pipe_new (pipeline, "a"), pipe_new (pipeline, "b"),
    pipe_new (pipeline, "d") };

  play (pipeline);
  for (guint l = 0; l < 3; l++) {
    REQUIRE (pipes[l]->buffers->len == 2 * MADE_PHASES);
    REQUIRE (pipes[l]->eos == 1 && pipes[l]->segments == 1);
    REQUIRE (pipes[l]->segment.format == GST_FORMAT_TIME);
    REQUIRE (pipes[l]->segment.duration == 2 * CYCLE);
    for (guint i = 0; i < pipes[l]->buffers->len; i++) {
      require_slice (pipes[l], i, (GstCardiacLevel) l, slices[l]);
      REQUIRE (GST_BUFFER_PTS (get (pipes[l], i)) == i * STEP);
      REQUIRE (GST_BUFFER_DURATION (get (pipes[l], i)) == STEP);
    }
  }
  stop (pipeline);
  for (guint l = 0; l < 3; l++)
    pipe_free (pipes[l]);
}

static void
grey_of_eight_bits_spans_the_window (void)
{
  GstElement *pipeline =
      make ("", "c.mid ! video/x-raw,format=GRAY8 ! " SINK "a");
  Pipe *pipe = pipe_new (pipeline, "a");
  GstCardiacSliceMeta *meta;
  const MadeOptions plain = { 0 };
  GstMapInfo map;

  play (pipeline);
  REQUIRE (pipe->buffers->len == MADE_PHASES);
  meta = gst_buffer_get_cardiac_slice_meta (get (pipe, 4), -1);
  gst_buffer_map (get (pipe, 4), &map, GST_MAP_READ);
  REQUIRE (map.size == MADE_WIDTH * MADE_HEIGHT);
  for (gint y = 0; y < MADE_HEIGHT; y++)
    for (gint x = 0; x < MADE_WIDTH; x++) {
      gdouble grey = (made_grey (&plain, 3, 4, x, y) - meta->window[0]) * 255.
                     / (meta->window[1] - meta->window[0]);

      REQUIRE (
          fabs (CLAMP (grey, 0, 255) - map.data[y * MADE_WIDTH + x]) <= 0.51);
    }
  gst_buffer_unmap (get (pipe, 4), &map);
  stop (pipeline);
  pipe_free (pipe);
}

/* The LV's middle is bright and its wall dark where the metas say they are. */
static void
require_marks (Pipe *pipe, guint level, gdouble scale)
{
  GstBuffer *buffer = get (pipe, 0);
  GstCardiacSliceMeta *meta =
      gst_buffer_get_cardiac_slice_meta (buffer, (gint) level);
  GstVideoInfo info;
  GstMapInfo map;
  const guint8 *row;

  REQUIRE (meta && meta->level == (GstCardiacLevel) level);
  REQUIRE (fabs (meta->scale - scale) < 0.02 * scale);
  REQUIRE (meta->landmarks == GST_CARDIAC_LANDMARKS_PROPERTY);
  REQUIRE (meta->lv_centre[0] > meta->rectangle.x);
  REQUIRE (meta->lv_centre[0] < meta->rectangle.x + meta->rectangle.w);
  gst_video_info_from_caps (&info, pipe->caps);
  gst_buffer_map (buffer, &map, GST_MAP_READ);
  row = map.data
        + (gint) (meta->lv_centre[1] + 0.5)
              * GST_VIDEO_INFO_PLANE_STRIDE (&info, 0);
  REQUIRE (row[(gint) (meta->lv_centre[0] + 0.5)] > 200);
  row = map.data
        + (gint) (meta->rv_anterior[1] + 0.5)
              * GST_VIDEO_INFO_PLANE_STRIDE (&info, 0);
  REQUIRE (row[(gint) (meta->rv_anterior[0] + 0.5)] < 100);
  gst_buffer_unmap (buffer, &map);
}

static gchar *
make_landmarks (void)
{
  static const gchar *const names[] = { "basal", "mid", "apical" };
  GString *text = g_string_new (NULL);
  const MadeOptions plain = { 0 };

  for (guint l = 0; l < 3; l++) {
    gdouble centre[2], radius;

    /* "Insertions" in the middle of the wall, left of and below the centre. */
    made_lv (&plain, 1 + 2 * l, 0, centre, &radius);
    g_string_append_printf (text, "%s-landmarks=%.1f,%.1f,%.1f,%.1f,%.1f,%.1f ",
        names[l], centre[0], centre[1], centre[0] - radius - 2.5, centre[1],
        centre[0], centre[1] + radius + 2.5);
  }
  return g_string_free (text, FALSE);
}

static void
require_review (const gchar *more, gdouble scale)
{
  gchar *landmarks = make_landmarks ();
  gchar *properties = g_strdup_printf ("%s %s", landmarks, more);
  GstElement *pipeline = make (properties, "c.review ! " SINK "a");
  Pipe *pipe = pipe_new (pipeline, "a");
  GstVideoInfo info;

  play (pipeline);
  REQUIRE (pipe->buffers->len == MADE_PHASES);
  REQUIRE (gst_video_info_from_caps (&info, pipe->caps));
  REQUIRE (GST_VIDEO_INFO_FORMAT (&info) == GST_VIDEO_FORMAT_GRAY8);
  REQUIRE (GST_VIDEO_INFO_HEIGHT (&info) == 512);
  REQUIRE (GST_VIDEO_INFO_WIDTH (&info) % 2 == 0);
  REQUIRE (
      gst_buffer_get_n_meta (get (pipe, 0), GST_CARDIAC_SLICE_META_API_TYPE)
      == 3);
  for (guint l = 0; l < 3; l++)
    require_marks (pipe, l, scale);
  stop (pipeline);
  pipe_free (pipe);
  g_free (properties);
  g_free (landmarks);
}

static void
review_shows_three_slices_side_by_side (void)
{
  require_review ("", 512. / MADE_HEIGHT);
  require_review ("review-side=100", 512. / 50);
}

static void
pads_that_are_not_linked_do_not_matter (void)
{
  GstElement *pipeline = make ("", "c.mid ! " SINK "a");
  GstElement *source = gst_bin_get_by_name (GST_BIN (pipeline), "c");
  GstPad *pad = gst_element_request_pad_simple (source, "basal");
  Pipe *pipe = pipe_new (pipeline, "a");

  REQUIRE (pad != NULL);
  play (pipeline);
  REQUIRE (pipe->buffers->len == MADE_PHASES);
  gst_element_release_request_pad (source, pad);
  gst_object_unref (pad);
  gst_object_unref (source);
  stop (pipeline);
  pipe_free (pipe);
}

static GstPadProbeReturn
hold (GstPad *pad, GstPadProbeInfo *info, gpointer held)
{
  g_atomic_int_set ((gint *) held, TRUE);
  return GST_PAD_PROBE_OK;
}

/* The mid pad goes while a push through it waits. */
static void
a_pad_that_is_released_stops_no_other (void)
{
  GstElement *pipeline = make ("", "c.mid ! " SINK "a c.review ! " SINK "b");
  GstElement *source = gst_bin_get_by_name (GST_BIN (pipeline), "c");
  GstElement *sink = gst_bin_get_by_name (GST_BIN (pipeline), "a");
  GstPad *pad = gst_element_get_static_pad (source, "mid");
  Pipe *pipe = pipe_new (pipeline, "b");
  gint held = FALSE;

  gst_pad_add_probe (pad, GST_PAD_PROBE_TYPE_BLOCK | GST_PAD_PROBE_TYPE_BUFFER,
      hold, &held, NULL);
  gst_element_set_state (pipeline, GST_STATE_PLAYING);
  while (!g_atomic_int_get (&held))
    g_usleep (1000);
  gst_element_release_request_pad (source, pad);
  gst_element_set_state (sink, GST_STATE_NULL);
  gst_bin_remove (GST_BIN (pipeline), sink);
  wait_for_eos (pipeline);
  REQUIRE (pipe->buffers->len == MADE_PHASES);
  gst_object_unref (pad);
  gst_object_unref (sink);
  gst_object_unref (source);
  stop (pipeline);
  pipe_free (pipe);
}

static void
seek_to (GstElement *pipeline, GstSeekFlags flags, GstClockTime start,
    GstClockTime end)
{
  REQUIRE (gst_element_seek (pipeline, 1, GST_FORMAT_TIME, flags,
      GST_SEEK_TYPE_SET, start,
      end == GST_CLOCK_TIME_NONE ? GST_SEEK_TYPE_NONE : GST_SEEK_TYPE_SET,
      end));
}

static void
seeks_are_exact_on_all_pads (void)
{
  GstElement *pipeline =
      make ("loops=3", "c.basal ! queue ! fakesink sync=false name=a "
                       "c.mid ! queue ! fakesink sync=false name=b");
  Pipe *pipes[] = { pipe_new (pipeline, "a"), pipe_new (pipeline, "b") };

  gst_element_set_state (pipeline, GST_STATE_PAUSED);
  REQUIRE (gst_element_get_state (pipeline, NULL, NULL, GST_CLOCK_TIME_NONE)
           == GST_STATE_CHANGE_SUCCESS);
  for (guint i = 0; i < 2; i++)
    g_ptr_array_set_size (pipes[i]->buffers, 0);
  /* The middle of phase 3 of the second loop, to the end of phase 6. */
  seek_to (pipeline, GST_SEEK_FLAG_FLUSH, CYCLE + 3 * STEP + STEP / 2,
      CYCLE + 7 * STEP);
  play (pipeline);
  for (guint i = 0; i < 2; i++) {
    g_mutex_lock (&pipes[i]->lock);
    REQUIRE (pipes[i]->buffers->len == 4);
    REQUIRE (pipes[i]->segment.start == CYCLE + 3 * STEP + STEP / 2);
    REQUIRE (GST_BUFFER_PTS (get (pipes[i], 0)) == CYCLE + 3 * STEP);
    REQUIRE (
        gst_buffer_get_cardiac_slice_meta (get (pipes[i], 0), -1)->loop == 1);
    REQUIRE (pipes[i]->eos == 1);
    g_mutex_unlock (&pipes[i]->lock);
  }
  stop (pipeline);
  for (guint i = 0; i < 2; i++)
    pipe_free (pipes[i]);
}

static void
an_endless_cycle_ends_where_a_seek_says (void)
{
  GstElement *pipeline =
      make ("loops=0", "c.mid ! queue ! fakesink name=a sync=false");
  Pipe *pipe = pipe_new (pipeline, "a");
  gint64 duration;

  gst_element_set_state (pipeline, GST_STATE_PAUSED);
  gst_element_get_state (pipeline, NULL, NULL, GST_CLOCK_TIME_NONE);
  REQUIRE (!gst_element_query_duration (pipeline, GST_FORMAT_TIME, &duration));
  g_ptr_array_set_size (pipe->buffers, 0);
  seek_to (pipeline, GST_SEEK_FLAG_FLUSH, 100 * CYCLE, 102 * CYCLE);
  play (pipeline);
  REQUIRE (pipe->buffers->len == 2 * MADE_PHASES);
  stop (pipeline);
  pipe_free (pipe);
}

static void
stopping_does_not_wait_for_a_blocked_sink (void)
{
  GstElement *pipeline = make ("loops=0",
      "c.review ! fakesink c.basal ! fakesink async=false sync=false");

  /* Two synchronised sinks without queues: one task, so the second waits. */
  for (guint i = 0; i < 3; i++) {
    gst_element_set_state (pipeline, GST_STATE_PLAYING);
    g_usleep (20000);
    gst_element_set_state (pipeline, GST_STATE_READY);
  }
  stop (pipeline);
}

/* Error and state of a pipeline that cannot start. */
static void
require_error (const gchar *properties, GQuark domain, gint code,
    const gchar *words, const gchar *state)
{
  GstElement *pipeline = make (properties, "c.review ! fakesink");
  GstBus *bus = gst_element_get_bus (pipeline);
  const gchar *told = NULL;
  GError *error = NULL;
  GstMessage *record = NULL, *message;

  REQUIRE (gst_element_set_state (pipeline, GST_STATE_PAUSED)
           == GST_STATE_CHANGE_FAILURE);
  message = gst_bus_pop_filtered (bus, GST_MESSAGE_ELEMENT | GST_MESSAGE_ERROR);
  if (message && GST_MESSAGE_TYPE (message) == GST_MESSAGE_ELEMENT) {
    record = message;
    message = gst_bus_pop_filtered (bus, GST_MESSAGE_ERROR);
  }
  REQUIRE (message != NULL);
  gst_message_parse_error (message, &error, NULL);
  g_print ("%s\n", error->message);
  REQUIRE (g_error_matches (error, domain, code));
  REQUIRE (strstr (error->message, words));
  if (record)
    told =
        gst_structure_get_string (gst_message_get_structure (record), "state");
  REQUIRE (g_strcmp0 (told, state) == 0);
  gst_clear_message (&record);
  gst_message_unref (message);
  g_clear_error (&error);
  gst_object_unref (bus);
  stop (pipeline);
}

static void
what_cannot_be_played_says_its_state (void)
{
  const gchar *still = made_path (made_folder ("gst"), "still.nii");
  const gchar *lost = made_path (made_folder ("gst"), "lost.nii");
  const MadeNifti one = { .one_volume = true }, nowhere = { .no_affine = true };
  gchar *text;

  made_write_nifti (still, &one);
  made_write_nifti (lost, &nowhere);
  text = g_strdup_printf ("location=%s", still);
  require_error (text, GST_STREAM_ERROR, GST_STREAM_ERROR_FORMAT,
      "no time axis", "STACK_INCOMPLETE");
  g_free (text);
  text = g_strdup_printf ("location=%s", lost);
  require_error (text, GST_STREAM_ERROR, GST_STREAM_ERROR_FORMAT,
      "no orientation", "LEVEL_UNKNOWN");
  g_free (text);
  require_error ("location=/no/such/stack", GST_RESOURCE_ERROR,
      GST_RESOURCE_ERROR_NOT_FOUND, "/no/such/stack", NULL);
  require_error ("location=\"\"", GST_RESOURCE_ERROR,
      GST_RESOURCE_ERROR_NOT_FOUND, "no location", NULL);
  require_error ("mid-slice=99", GST_RESOURCE_ERROR,
      GST_RESOURCE_ERROR_SETTINGS, "mid slice is set to 99", NULL);
  require_error ("mid-landmarks=1,2,3", GST_RESOURCE_ERROR,
      GST_RESOURCE_ERROR_SETTINGS, "mid-landmarks is '1,2,3'", NULL);
  require_error ("segmentation-labels=1,2", GST_RESOURCE_ERROR,
      GST_RESOURCE_ERROR_SETTINGS, "segmentation-labels is '1,2'", NULL);
}

static void
nothing_linked_is_an_error_and_no_hang (void)
{
  GstElement *source = gst_element_factory_make ("cmrcinesrc", NULL);
  GstBus *bus = gst_bus_new ();
  GstMessage *message;

  g_object_set (source, "location", get_stack (), NULL);
  gst_element_set_bus (source, bus);
  gst_element_set_state (source, GST_STATE_PLAYING);
  message =
      gst_bus_timed_pop_filtered (bus, GST_CLOCK_TIME_NONE, GST_MESSAGE_ERROR);
  REQUIRE (message != NULL);
  gst_message_unref (message);
  gst_element_set_state (source, GST_STATE_NULL);
  gst_object_unref (bus);
  gst_object_unref (gst_object_ref_sink (source));
}

static void
the_stack_is_described (void)
{
  GstElement *pipeline = make ("", "c.review ! " SINK "a");
  GstElement *source = gst_bin_get_by_name (GST_BIN (pipeline), "c");
  GstStructure *stack = NULL;
  gint slices = 0, mid = 0;

  g_object_get (source, "stack", &stack, NULL);
  REQUIRE (stack == NULL);
  play (pipeline);
  g_object_get (source, "stack", &stack, NULL);
  REQUIRE (stack && gst_structure_get_int (stack, "slices", &slices));
  REQUIRE (gst_structure_get_int (stack, "mid-slice", &mid));
  REQUIRE (slices == MADE_SLICES && mid == 3);
  REQUIRE (!g_strcmp0 (
      gst_structure_get_string (stack, "mid-landmarks"), "estimated"));
  gst_structure_free (stack);
  gst_object_unref (source);
  stop (pipeline);
}

int
main (int argc, char **argv)
{
  gst_init (&argc, &argv);
  if (!gst_element_register (
          NULL, "cmrcinesrc", GST_RANK_NONE, gst_cmr_cine_src_get_type ()))
    return 1;
  three_pads_play_the_same_cycle ();
  grey_of_eight_bits_spans_the_window ();
  review_shows_three_slices_side_by_side ();
  pads_that_are_not_linked_do_not_matter ();
  a_pad_that_is_released_stops_no_other ();
  seeks_are_exact_on_all_pads ();
  an_endless_cycle_ends_where_a_seek_says ();
  stopping_does_not_wait_for_a_blocked_sink ();
  what_cannot_be_played_says_its_state ();
  nothing_linked_is_an_error_and_no_hang ();
  the_stack_is_described ();
  gst_deinit ();
  return 0;
}
