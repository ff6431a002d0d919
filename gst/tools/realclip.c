/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "realclip.h"

#include <echo/screen.h>
#include <gio/gio.h>
#include <gst/app/gstappsink.h>
#include <gst/app/gstappsrc.h>
#include <gst/video/video.h>
#include <jansson.h>
#include <math.h>
#include <string.h>

#include "echochoice.h"
#include "meta/gstcardiacmeta.h"

#define DEFAULT_TISSUE 90
/* Half the side of the square over which luma is averaged, pixels. */
#define SMOOTHING 2

struct _RealClip {
  gint width, height;
  GPtrArray *frames; /* GBytes, RGB, rows of 3 * width */
  gint first, last;
  gdouble apex[2], per_cm;
  gint tissue;
  EchoChoice anatomy;
  Drawer drawer;

  /* of the subject that is being painted */
  EchoPhantom *phantom;
  EchoSettings settings;
  guint8 *flow;  /* RGBA */
  guint8 *luma;  /* smoothed */
  guint32 *sums; /* of luma: (width + 1) * (height + 1) */
};

/* ---- reading ----------------------------------------------------------- */

static gboolean
take_frame (RealClip *self, GstSample *sample)
{
  GstVideoFrame frame;
  GstVideoInfo info;
  guint8 *pixels;
  gsize row;

  if (!gst_video_info_from_caps (&info, gst_sample_get_caps (sample))
      || (self->width
          && (info.width != self->width || info.height != self->height))
      || !gst_video_frame_map (
          &frame, &info, gst_sample_get_buffer (sample), GST_MAP_READ))
    return FALSE;
  self->width = info.width;
  self->height = info.height;
  row = (gsize) 3 * info.width;
  pixels = g_malloc (row * info.height);
  for (gint y = 0; y < info.height; y++)
    memcpy (pixels + y * row,
        (guint8 *) GST_VIDEO_FRAME_PLANE_DATA (&frame, 0)
            + y * GST_VIDEO_FRAME_PLANE_STRIDE (&frame, 0),
        row);
  gst_video_frame_unmap (&frame);
  g_ptr_array_add (self->frames, g_bytes_new_take (pixels, row * info.height));
  return TRUE;
}

/* False with an error, which no sink learns of. */
static gboolean
check_bus (GstBus *bus, GError **error)
{
  GstMessage *message = gst_bus_pop_filtered (bus, GST_MESSAGE_ERROR);

  if (!message)
    return TRUE;
  gst_message_parse_error (message, error, NULL);
  gst_message_unref (message);
  return FALSE;
}

static gboolean
take_frames (RealClip *self, GstAppSink *sink, GstBus *bus, GError **error)
{
  while (!gst_app_sink_is_eos (sink)) {
    GstSample *sample = gst_app_sink_try_pull_sample (sink, 50 * GST_MSECOND);

    if (sample) {
      take_frame (self, sample);
      gst_sample_unref (sample);
    } else if (!check_bus (bus, error)) {
      return FALSE;
    }
  }
  return check_bus (bus, error);
}

static gboolean
read_video (RealClip *self, const gchar *path, GError **error)
{
  GstElement *pipeline = gst_parse_launch (
      /* one thread: see pipelines/setup.sh */
      "filesrc name=file ! decodebin avdec_h264-0::max-threads=1 ! "
      "videoconvert ! "
      "video/x-raw,format=RGB ! appsink name=frames sync=false max-buffers=4",
      error);
  GstElement *file, *sink;
  gboolean fine;
  GstBus *bus;

  if (!pipeline)
    return FALSE;
  gst_object_ref_sink (pipeline);
  file = gst_bin_get_by_name (GST_BIN (pipeline), "file");
  sink = gst_bin_get_by_name (GST_BIN (pipeline), "frames");
  g_object_set (file, "location", path, NULL);
  gst_element_set_state (pipeline, GST_STATE_PLAYING);
  bus = gst_element_get_bus (pipeline);
  fine = take_frames (self, GST_APP_SINK (sink), bus, error);
  gst_element_set_state (pipeline, GST_STATE_NULL);
  gst_object_unref (bus);
  gst_object_unref (file);
  gst_object_unref (sink);
  gst_object_unref (pipeline);
  if (!fine)
    g_prefix_error (error, "\"%s\": ", path);
  return fine;
}

static gboolean
read_fields (RealClip *self, json_t *root, GError **error)
{
  json_t *apex = json_object_get (root, "apex");
  json_t *beat = json_object_get (root, "beat");
  json_t *tissue = json_object_get (root, "tissue");
  json_t *settings = json_object_get (root, "settings");

  for (gint i = 0; i < 2; i++)
    self->apex[i] = json_number_value (json_array_get (apex, i));
  self->per_cm = json_number_value (json_object_get (root, "pixels_per_cm"));
  self->first = json_integer_value (json_array_get (beat, 0));
  self->last = json_integer_value (json_array_get (beat, 1));
  self->tissue = tissue ? json_integer_value (tissue) : DEFAULT_TISSUE;
  if (json_array_size (apex) != 2 || json_array_size (beat) != 2
      || !(self->per_cm > 0) || !json_is_object (settings)) {
    g_set_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA,
        "\"apex\": [x, y], \"pixels_per_cm\": number, \"beat\": [first, last] "
        "and \"settings\": {...} are expected");
    return FALSE;
  }
  if (self->first < 0 || self->last <= self->first
      || self->last >= (gint) self->frames->len) {
    g_set_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA,
        "\"beat\" [%d, %d] is not within the video's %u frames", self->first,
        self->last, self->frames->len);
    return FALSE;
  }
  return echo_choice_set_json (&self->anatomy, settings, error);
}

static gboolean
read_anatomy (RealClip *self, const gchar *path, GError **error)
{
  json_error_t failure;
  json_t *root = json_load_file (path, JSON_REJECT_DUPLICATES, &failure);
  gboolean ok;

  if (!root) {
    g_set_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA,
        "\"%s\" line %d: %s", path, failure.line, failure.text);
    return FALSE;
  }
  ok = read_fields (self, root, error);
  if (!ok)
    g_prefix_error (error, "\"%s\": ", path);
  json_decref (root);
  return ok;
}

/* ---- painting ---------------------------------------------------------- */

/* Where the phantom's screen lies: its beams begin at the picture's apex, and a
 * centimetre is a centimetre. */
static void
place (gpointer data, EchoPicture *picture)
{
  RealClip *self = data;
  SectorPlace sector = screen_sector (&self->settings);
  gdouble scale = sector.per_cm / self->per_cm; /* screen a picture pixel */

  picture->width = self->width;
  picture->height = self->height;
  picture->view.width = self->width * scale;
  picture->view.height = self->height * scale;
  picture->view.x = sector.x - self->apex[0] * scale;
  picture->view.y = sector.y - self->apex[1] * scale;
}

static GstCaps *
get_caps (gpointer data, const Subject *subject)
{
  RealClip *self = data;
  gint n, d;

  gst_util_double_to_fraction (subject->settings.frame_rate, &n, &d);
  return gst_caps_new_simple ("video/x-raw", "format", G_TYPE_STRING, "RGB",
      "width", G_TYPE_INT, self->width, "height", G_TYPE_INT, self->height,
      "framerate", GST_TYPE_FRACTION, n, d, "pixel-aspect-ratio",
      GST_TYPE_FRACTION, 1, 1, NULL);
}

/* Mean luma around each pixel. */
static void
smooth_luma (RealClip *self, const guint8 *rgb)
{
  gint width = self->width, height = self->height, row = width + 1;

  memset (self->sums, 0, row * sizeof self->sums[0]);
  for (gint y = 0; y < height; y++) {
    guint32 *sums = self->sums + (y + 1) * row, line = 0;

    sums[0] = 0;
    for (gint x = 0; x < width; x++, rgb += 3) {
      line += (rgb[0] * 77 + rgb[1] * 150 + rgb[2] * 29) >> 8;
      sums[x + 1] = sums[x + 1 - row] + line;
    }
  }
  for (gint y = 0; y < height; y++)
    for (gint x = 0; x < width; x++) {
      gint left = MAX (0, x - SMOOTHING),
           right = MIN (width, x + SMOOTHING + 1);
      gint top = MAX (0, y - SMOOTHING),
           bottom = MIN (height, y + SMOOTHING + 1);
      const guint32 *above = self->sums + top * row;
      const guint32 *below = self->sums + bottom * row;

      self->luma[y * width + x] =
          (below[right] - below[left] - above[right] + above[left])
          / ((right - left) * (bottom - top));
    }
}

static void
paint (RealClip *self, gdouble time, const guint8 *grey, guint8 *out)
{
  gsize count = (gsize) self->width * self->height;
  EchoPicture picture;

  place (self, &picture);
  echo_phantom_render_flow (self->phantom, time, picture.view, self->width,
      self->height, self->flow, (ptrdiff_t) 4 * self->width);
  smooth_luma (self, grey);
  memcpy (out, grey, 3 * count);
  for (gsize i = 0; i < count; i++)
    if (self->flow[4 * i + 3] >= 128 && self->luma[i] < self->tissue)
      memcpy (out + 3 * i, self->flow + 4 * i, 3);
}

static void
begin_subject (RealClip *self, const Subject *subject)
{
  echo_phantom_free (&self->phantom);
  self->settings = subject->settings;
  self->phantom = echo_phantom_new (&self->settings);
}

static void
attach_roi (RealClip *self, GstBuffer *buffer)
{
  GstCardiacGeometryMeta *meta = gst_buffer_add_cardiac_geometry_meta (buffer);
  EchoView roi = echo_phantom_roi (self->phantom);
  gdouble from[2] = { roi.x, roi.y };
  gdouble to[2] = { roi.x + roi.width, roi.y + roi.height };
  EchoPicture picture;

  place (self, &picture);
  echo_picture_map (&picture, from, from);
  echo_picture_map (&picture, to, to);
  meta->has_roi = TRUE;
  meta->roi.x = from[0];
  meta->roi.y = from[1];
  meta->roi.w = to[0] - from[0];
  meta->roi.h = to[1] - from[1];
  meta->roi_confidence = 1;
}

static GstBuffer *
draw (gpointer data, const Subject *subject, guint n)
{
  RealClip *self = data;
  gdouble rate = subject->settings.frame_rate, time = n / rate;
  gint length = self->last - self->first + 1;
  gsize offsets[GST_VIDEO_MAX_PLANES] = { 0 };
  gint strides[GST_VIDEO_MAX_PLANES] = { 3 * self->width };
  GstBuffer *buffer;
  EchoMoment moment;
  GBytes *grey;
  guint8 *out;

  if (n == 0)
    begin_subject (self, subject);
  if (time >= subject->settings.duration - 1e-9)
    return NULL;
  moment = echo_phantom_moment (self->phantom, time);
  grey = g_ptr_array_index (self->frames,
      self->first + MIN (length - 1, (gint) (moment.phase * length)));
  out = g_malloc (g_bytes_get_size (grey));
  paint (self, time, g_bytes_get_data (grey, NULL), out);

  buffer = gst_buffer_new_wrapped (out, g_bytes_get_size (grey));
  gst_buffer_add_video_meta_full (buffer, GST_VIDEO_FRAME_FLAG_NONE,
      GST_VIDEO_FORMAT_RGB, self->width, self->height, 1, offsets, strides);
  GST_BUFFER_PTS (buffer) = time * GST_SECOND + 0.5;
  GST_BUFFER_DURATION (buffer) = GST_SECOND / rate + 0.5;
  attach_roi (self, buffer);
  return buffer;
}

const Drawer *
real_clip_get_drawer (RealClip *self)
{
  return &self->drawer;
}

/* ---- subjects ---------------------------------------------------------- */

/* The beat that was drawn as the worst need not lie in a clip any more: this
 * heart has its own rate. The worst of a clip becomes it. */
static void
move_worst_beat (EchoSettings *settings, gint64 number)
{
  gint k = number % ECHO_INSTANCES;
  gdouble begin = echo_instance_begin (settings, k);
  gint beat = echo_truth (settings, begin, begin + settings->clip).beat;

  for (gint i = 0; i < ECHO_BEATS; i++)
    settings->beat[i] = MIN (settings->beat[i], 0.7);
  if (beat >= 0)
    settings->beat[beat % ECHO_BEATS] = 1;
}

void
real_clip_draw_subject (
    RealClip *self, gint64 number, gint grade, Subject *subject)
{
  EchoChoice choice = self->anatomy;

  choice.recording = number;
  choice.grade = grade;
  subject->number = number;
  subject->grade = grade;
  echo_choice_resolve (&choice, &subject->settings);
  move_worst_beat (&subject->settings, number);
}

/* ---- the whole --------------------------------------------------------- */

RealClip *
real_clip_open (const gchar *video, const gchar *anatomy, GError **error)
{
  RealClip *self = g_new0 (RealClip, 1);
  gsize count;

  self->frames =
      g_ptr_array_new_with_free_func ((GDestroyNotify) g_bytes_unref);
  echo_choice_init (&self->anatomy);
  self->drawer =
      (Drawer){ .data = self, .caps = get_caps, .draw = draw, .place = place };
  if (!read_video (self, video, error)
      || !read_anatomy (self, anatomy, error)) {
    real_clip_free (self);
    return NULL;
  }
  count = (gsize) self->width * self->height;
  self->flow = g_malloc (4 * count);
  self->luma = g_malloc (count);
  self->sums = g_new (guint32, (gsize) (self->width + 1) * (self->height + 1));
  return self;
}

void
real_clip_free (RealClip *self)
{
  if (!self)
    return;
  echo_phantom_free (&self->phantom);
  g_ptr_array_unref (self->frames);
  g_free (self->flow);
  g_free (self->luma);
  g_free (self->sums);
  g_free (self);
}

gboolean
real_clip_write (
    RealClip *self, const Subject *subject, const gchar *path, GError **error)
{
  GstElement *pipeline =
      gst_parse_launch ("appsrc name=source format=time max-bytes=0 ! "
                        "videoconvert ! avenc_ffv1 ! "
                        "matroskamux ! filesink name=file",
          error);
  GstElement *source, *file;
  GstMessage *message;
  GstBuffer *buffer;
  GstCaps *caps;
  GstBus *bus;
  gboolean ok;

  if (!pipeline)
    return FALSE;
  gst_object_ref_sink (pipeline);
  source = gst_bin_get_by_name (GST_BIN (pipeline), "source");
  file = gst_bin_get_by_name (GST_BIN (pipeline), "file");
  g_object_set (file, "location", path, NULL);
  caps = get_caps (self, subject);
  gst_app_src_set_caps (GST_APP_SRC (source), caps);
  gst_caps_unref (caps);
  gst_element_set_state (pipeline, GST_STATE_PLAYING);
  for (guint n = 0; (buffer = draw (self, subject, n)); n++)
    if (gst_app_src_push_buffer (GST_APP_SRC (source), buffer) != GST_FLOW_OK)
      break;
  gst_app_src_end_of_stream (GST_APP_SRC (source));
  bus = gst_element_get_bus (pipeline);
  message = gst_bus_timed_pop_filtered (
      bus, GST_CLOCK_TIME_NONE, GST_MESSAGE_EOS | GST_MESSAGE_ERROR);
  ok = GST_MESSAGE_TYPE (message) == GST_MESSAGE_EOS;
  if (!ok)
    gst_message_parse_error (message, error, NULL);
  gst_message_unref (message);
  gst_element_set_state (pipeline, GST_STATE_NULL);
  gst_object_unref (bus);
  gst_object_unref (file);
  gst_object_unref (source);
  gst_object_unref (pipeline);
  return ok;
}
