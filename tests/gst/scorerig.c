/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "scorerig.h"

#include <gst/video/video.h>
#include <math.h>
#include <string.h>

#include "../require.h"

#define POLAR_CAPS "video/x-raw,format=GRAY8,width=192,height=80,framerate=25/1"
#define VIDEO_CAPS "video/x-raw,format=GRAY8,width=32,height=24,framerate=25/1"

enum { VIDEO_SIZE = 32 * 24, POLAR_SIZE = 192 * 80 };

static const gchar *pad_names[SCORE_PADS] = { "basal", "mid", "apical",
  "video" };

const gchar *
score_model (void)
{
  const gchar *model = g_getenv ("CARDIAC_TEST_MMSA");

  REQUIRE (model != NULL);
  return model;
}

/* ---- what comes out ---------------------------------------------------- */

static GstFlowReturn
take_buffer (GstPad *pad, GstObject *parent, GstBuffer *buffer)
{
  ScoreRig *rig = gst_pad_get_element_private (pad);
  GstFlowReturn flow;

  g_mutex_lock (&rig->lock);
  rig->holds = rig->held;
  g_cond_broadcast (&rig->cond);
  while (rig->held && !GST_PAD_IS_FLUSHING (pad))
    g_cond_wait (&rig->cond, &rig->lock);
  flow = GST_PAD_IS_FLUSHING (pad) ? GST_FLOW_FLUSHING : rig->flow;
  if (flow == GST_FLOW_OK)
    g_queue_push_tail (&rig->buffers, gst_buffer_ref (buffer));
  g_cond_broadcast (&rig->cond);
  g_mutex_unlock (&rig->lock);
  gst_buffer_unref (buffer);
  return flow;
}

static gboolean
take_event (GstPad *pad, GstObject *parent, GstEvent *event)
{
  ScoreRig *rig = gst_pad_get_element_private (pad);

  g_mutex_lock (&rig->lock);
  rig->ended |= GST_EVENT_TYPE (event) == GST_EVENT_EOS;
  rig->flushes += GST_EVENT_TYPE (event) == GST_EVENT_FLUSH_STOP;
  if (GST_EVENT_TYPE (event) == GST_EVENT_FLUSH_STOP
      || GST_EVENT_TYPE (event) == GST_EVENT_STREAM_START)
    rig->ended = FALSE;
  g_cond_broadcast (&rig->cond);
  g_mutex_unlock (&rig->lock);
  gst_event_unref (event);
  return TRUE;
}

static void
make_out (ScoreRig *rig)
{
  GstPad *src = gst_element_get_static_pad (rig->element, "src");

  rig->out = gst_pad_new ("out", GST_PAD_SINK);
  gst_pad_set_element_private (rig->out, rig);
  gst_pad_set_chain_function (rig->out, take_buffer);
  gst_pad_set_event_function (rig->out, take_event);
  gst_pad_set_active (rig->out, TRUE);
  REQUIRE (gst_pad_link (src, rig->out) == GST_PAD_LINK_OK);
  gst_object_unref (src);
}

/* ---- what goes in ------------------------------------------------------ */

static GstElement *
make_queue (GstPad *sink)
{
  GstElement *queue = gst_element_factory_make ("queue", NULL);
  GstPad *src;

  REQUIRE (queue != NULL);
  gst_object_ref_sink (queue);
  g_object_set (queue, "max-size-buffers", 1, NULL);
  src = gst_element_get_static_pad (queue, "src");
  REQUIRE (gst_pad_link (src, sink) == GST_PAD_LINK_OK);
  gst_object_unref (src);
  return queue;
}

static void
make_pad (ScoreRig *rig, guint i, gboolean queued)
{
  GstPad *sink = gst_element_request_pad_simple (rig->element, pad_names[i]);

  REQUIRE (sink != NULL);
  rig->pad[i] = gst_pad_new (pad_names[i], GST_PAD_SRC);
  if (queued) {
    rig->queue[i] = make_queue (sink);
    gst_object_unref (sink);
    sink = gst_element_get_static_pad (rig->queue[i], "sink");
  }
  REQUIRE (gst_pad_link (rig->pad[i], sink) == GST_PAD_LINK_OK);
  gst_pad_set_active (rig->pad[i], TRUE);
  gst_object_unref (sink);
}

void
score_rig_begin (ScoreRig *rig, guint pads)
{
  for (guint i = 0; i < SCORE_PADS; i++) {
    GstCaps *caps;
    GstSegment segment;

    if (!rig->pad[i] || !(pads & 1 << i))
      continue;
    caps = gst_caps_from_string (i == SCORE_VIDEO ? VIDEO_CAPS : POLAR_CAPS);
    gst_segment_init (&segment, GST_FORMAT_TIME);
    gst_pad_push_event (rig->pad[i], gst_event_new_stream_start (pad_names[i]));
    gst_pad_push_event (rig->pad[i], gst_event_new_caps (caps));
    gst_pad_push_event (rig->pad[i], gst_event_new_segment (&segment));
    gst_caps_unref (caps);
  }
}

void
score_rig_start (
    ScoreRig *rig, const gchar *properties, guint pads, guint queues)
{
  gchar *launch = g_strdup_printf (
      "mmsascore model=%s device=reference threads=1 timeout=60000000000 %s",
      score_model (), properties);

  memset (rig, 0, sizeof *rig);
  g_mutex_init (&rig->lock);
  g_cond_init (&rig->cond);
  g_queue_init (&rig->buffers);
  rig->element = gst_parse_launch (launch, NULL);
  REQUIRE (rig->element != NULL);
  gst_object_ref_sink (rig->element);
  rig->bus = gst_bus_new ();
  gst_element_set_bus (rig->element, rig->bus);
  make_out (rig);
  for (guint i = 0; i < SCORE_PADS; i++)
    if (pads & 1 << i)
      make_pad (rig, i, queues & 1 << i);
  REQUIRE (gst_element_set_state (rig->element, GST_STATE_PLAYING)
           != GST_STATE_CHANGE_FAILURE);
  for (guint i = 0; i < SCORE_PADS; i++)
    if (rig->queue[i])
      gst_element_set_state (rig->queue[i], GST_STATE_PLAYING);
  score_rig_begin (rig, pads);
  g_free (launch);
}

static void
release (ScoreRig *rig)
{
  g_mutex_lock (&rig->lock);
  rig->held = FALSE;
  g_cond_broadcast (&rig->cond);
  g_mutex_unlock (&rig->lock);
}

void
score_rig_stop (ScoreRig *rig)
{
  release (rig);
  gst_element_set_state (rig->element, GST_STATE_NULL);
  for (guint i = 0; i < SCORE_PADS; i++) {
    if (!rig->pad[i])
      continue;
    gst_pad_set_active (rig->pad[i], FALSE);
    if (rig->queue[i]) {
      gst_element_set_state (rig->queue[i], GST_STATE_NULL);
      gst_object_unref (rig->queue[i]);
    }
    gst_object_unref (rig->pad[i]);
  }
  gst_pad_set_active (rig->out, FALSE);
  gst_element_set_bus (rig->element, NULL);
  gst_bus_set_flushing (rig->bus, TRUE);
  gst_object_unref (rig->bus);
  gst_object_unref (rig->out);
  gst_object_unref (rig->element);
  g_queue_clear_full (&rig->buffers, (GDestroyNotify) gst_buffer_unref);
  g_cond_clear (&rig->cond);
  g_mutex_clear (&rig->lock);
}

static void
draw (guint8 *grey, guint pad, const ScorePicture *picture)
{
  gdouble turn = picture->still || picture->phases == 0
                     ? 0
                     : 2 * G_PI * picture->phase / picture->phases;

  for (guint i = 0; i < POLAR_SIZE; i++) {
    gdouble row = i / 192, column = i % 192;
    gdouble wall = 40 + 6 * cos (turn) + pad + 3 * sin (column * G_PI / 96);

    grey[i] = CLAMP (
        120 + 90 * tanh ((wall - row) / 4) + 30 * sin (column / 9 + row / 7), 0,
        255);
  }
}

/* Drawing takes longer than all else, and most pictures are the same. */
static void
draw_or_copy (guint8 *grey, guint pad, const ScorePicture *picture)
{
  static guint8 still[3][POLAR_SIZE];

  if (!picture->still) {
    draw (grey, pad, picture);
    return;
  }
  if (still[pad][0] == 0) /* no picture begins in black */
    draw (still[pad], pad, picture);
  memcpy (grey, still[pad], POLAR_SIZE);
}

static void
add_slice (GstBuffer *buffer, guint pad, const ScorePicture *picture)
{
  GstCardiacSliceMeta *slice = gst_buffer_add_cardiac_slice_meta (buffer);

  slice->level = picture->level < 0 ? (gint) pad : picture->level;
  slice->landmarks = picture->no_landmarks ? GST_CARDIAC_LANDMARKS_NONE
                                           : GST_CARDIAC_LANDMARKS_FILE;
  slice->phase = picture->phase;
  slice->phases = picture->phases;
  slice->loop = picture->loop;
}

GstBuffer *
score_picture_new (guint pad, const ScorePicture *picture)
{
  gsize size = pad == SCORE_VIDEO ? VIDEO_SIZE : POLAR_SIZE;
  GstBuffer *buffer = gst_buffer_new_allocate (NULL, size, NULL);
  guint number = picture->loop * picture->phases + picture->phase;
  GstMapInfo map;

  gst_buffer_map (buffer, &map, GST_MAP_WRITE);
  if (pad == SCORE_VIDEO)
    memset (map.data, number, size);
  else
    draw_or_copy (map.data, pad, picture);
  gst_buffer_unmap (buffer, &map);

  if (!picture->timeless) {
    GST_BUFFER_PTS (buffer) = number * SCORE_PHASE_MS * GST_MSECOND;
    GST_BUFFER_DURATION (buffer) = SCORE_PHASE_MS * GST_MSECOND;
  }
  if (!picture->bare && pad != SCORE_VIDEO)
    add_slice (buffer, pad, picture);
  return buffer;
}

GstFlowReturn
score_rig_push (ScoreRig *rig, guint pad, const ScorePicture *picture)
{
  return gst_pad_push (rig->pad[pad], score_picture_new (pad, picture));
}

void
score_rig_push_cycle (
    ScoreRig *rig, const ScorePicture *picture, gboolean last_first)
{
  ScorePicture next = *picture;

  for (next.phase = 0; next.phase < next.phases; next.phase++) {
    for (guint i = 0; i < SCORE_PADS; i++) {
      guint pad = last_first ? SCORE_PADS - 1 - i : i;

      if (rig->pad[pad])
        REQUIRE (score_rig_push (rig, pad, &next) == GST_FLOW_OK);
    }
  }
}

void
score_rig_end (ScoreRig *rig, guint pads)
{
  for (guint i = 0; i < SCORE_PADS; i++)
    if (rig->pad[i] && (pads & 1 << i))
      gst_pad_push_event (rig->pad[i], gst_event_new_eos ());
}

/* ---- what is known of it ----------------------------------------------- */

void
score_rig_wait (ScoreRig *rig, guint buffers)
{
  g_mutex_lock (&rig->lock);
  while (g_queue_get_length (&rig->buffers) < buffers)
    g_cond_wait (&rig->cond, &rig->lock);
  g_mutex_unlock (&rig->lock);
}

void
score_rig_wait_end (ScoreRig *rig)
{
  g_mutex_lock (&rig->lock);
  while (!rig->ended)
    g_cond_wait (&rig->cond, &rig->lock);
  g_mutex_unlock (&rig->lock);
}

void
score_rig_wait_held (ScoreRig *rig)
{
  g_mutex_lock (&rig->lock);
  while (!rig->holds)
    g_cond_wait (&rig->cond, &rig->lock);
  g_mutex_unlock (&rig->lock);
}

GstBuffer *
score_rig_pop (ScoreRig *rig)
{
  GstBuffer *buffer;

  score_rig_wait (rig, 1);
  g_mutex_lock (&rig->lock);
  buffer = g_queue_pop_head (&rig->buffers);
  g_mutex_unlock (&rig->lock);
  return buffer;
}

GstCardiacResult *
score_record (GstBuffer *buffer)
{
  GstCardiacResultMeta *meta = gst_buffer_get_cardiac_result_meta (buffer);

  REQUIRE (meta && meta->result);
  return meta->result;
}

GstCardiacResult *
score_rig_pop_record (ScoreRig *rig)
{
  GstCardiacResult *record = NULL;
  GstMessage *message;

  while (!record
         && (message = gst_bus_pop_filtered (rig->bus, GST_MESSAGE_ELEMENT))) {
    const GstStructure *s = gst_message_get_structure (message);

    if (gst_structure_has_name (s, "cardiac-result"))
      gst_structure_get (s, "result", GST_TYPE_CARDIAC_RESULT, &record, NULL);
    gst_message_unref (message);
  }
  return record;
}

GError *
score_rig_pop_error (ScoreRig *rig)
{
  GstMessage *message = gst_bus_pop_filtered (rig->bus, GST_MESSAGE_ERROR);
  GError *error = NULL;

  if (message) {
    gst_message_parse_error (message, &error, NULL);
    gst_message_unref (message);
  }
  return error;
}

guint64
score_rig_stat (ScoreRig *rig, const gchar *name)
{
  GstStructure *stats;
  guint64 value = 0;

  g_object_get (rig->element, "stats", &stats, NULL);
  REQUIRE (gst_structure_get_uint64 (stats, name, &value));
  gst_structure_free (stats);
  return value;
}
