/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "evaluation.h"

#include <gst/app/gstappsrc.h>
#include <gst/video/video.h>
#include <string.h>

#include "jetpeak.h"
#include "meta/gstcardiacmeta.h"
#include "registry.h"

/* Nothing takes so long: a pipeline that hangs is an error. */
#define PATIENCE (120 * GST_SECOND)

typedef struct {
  GstClockTime time;
  GstCardiacBox crop;
} Crop;

struct _Evaluation {
  const Drawer *drawer;
  EvaluationOptions options;
  GstElement *pipeline, *source, *grader;
  GstBus *bus;
  /* Kept while the pipeline is stopped, so that it is read once. */
  CardiacModel *model;

  /* filled by the streaming thread; read when it has stopped */
  GArray *crops;
};

/* ---- the pipeline ------------------------------------------------------ */

static GstPadProbeReturn
note_crop (GstPad *pad, GstPadProbeInfo *info, gpointer data)
{
  Evaluation *self = data;
  GstBuffer *buffer = GST_PAD_PROBE_INFO_BUFFER (info);
  GstCardiacGeometryMeta *meta = gst_buffer_get_cardiac_geometry_meta (buffer);
  Crop crop;

  if (meta && meta->has_crop) {
    crop.time = GST_BUFFER_PTS (buffer);
    crop.crop = meta->crop;
    g_array_append_val (self->crops, crop);
  }
  return GST_PAD_PROBE_OK;
}

static void
append_quoted (GString *text, const gchar *name, const gchar *value)
{
  gchar *quoted;

  if (!value)
    return;
  quoted = g_strescape (value, NULL);
  g_string_append_printf (text, " %s=\"%s\"", name, quoted);
  g_free (quoted);
}

static void
append_network (GString *text, const gchar *element,
    const EvaluationOptions *options, const gchar *model)
{
  g_string_append_printf (text, " ! %s name=%s sync-mode=exact threads=%d",
      element, element, options->threads);
  append_quoted (text, "model", model);
  append_quoted (text, "device", options->device);
  append_quoted (text, "precision", options->precision);
}

static gchar *
describe (const EvaluationOptions *options, const Drawer *drawer)
{
  GString *text =
      g_string_new (drawer ? "appsrc name=source format=time max-bytes=0"
                           : "echotestsrc name=source");

  if (!drawer) {
    if (options->region == REGION_TRUTH)
      g_string_append (text, " truth-roi=true");
    if (options->width > 0 && options->height > 0)
      g_string_append_printf (text,
          " ! capsfilter caps=video/x-raw,width=%d,height=%d", options->width,
          options->height);
  }
  if (options->region == REGION_DETECTOR)
    append_network (text, "mregroi", options, options->detector);
  append_network (text, "mregclassify", options, options->model);
  g_string_append (text, " interim=false ! fakesink sync=false");
  return g_string_free (text, FALSE);
}

Evaluation *
evaluation_new (
    const EvaluationOptions *options, const Drawer *drawer, GError **error)
{
  Evaluation *self = g_new0 (Evaluation, 1);
  gchar *launch = describe (options, drawer), *path;
  GstPad *pad;

  self->options = *options;
  self->drawer = drawer;
  self->crops = g_array_new (FALSE, FALSE, sizeof (Crop));
  self->pipeline =
      gst_parse_launch_full (launch, NULL, GST_PARSE_FLAG_FATAL_ERRORS, error);
  g_free (launch);
  if (!self->pipeline) {
    evaluation_free (self);
    return NULL;
  }
  gst_object_ref_sink (self->pipeline);
  self->source = gst_bin_get_by_name (GST_BIN (self->pipeline), "source");
  self->grader = gst_bin_get_by_name (GST_BIN (self->pipeline), "mregclassify");
  self->bus = gst_element_get_bus (self->pipeline);
  pad = gst_element_get_static_pad (self->grader, "src");
  gst_pad_add_probe (pad, GST_PAD_PROBE_TYPE_BUFFER, note_crop, self, NULL);
  gst_object_unref (pad);
  /* A model that is missing is said by the element, in full. */
  path = registry_find_model (options->model, "mreg-demo.safetensors");
  if (path)
    self->model = registry_get_model (path, NULL, NULL);
  g_free (path);
  return self;
}

void
evaluation_free (Evaluation *self)
{
  if (!self)
    return;
  if (self->pipeline) {
    gst_element_set_state (self->pipeline, GST_STATE_NULL);
    gst_object_unref (self->source);
    gst_object_unref (self->grader);
    gst_object_unref (self->bus);
    gst_object_unref (self->pipeline);
  }
  registry_release_model (&self->model);
  g_array_unref (self->crops);
  g_free (self);
}

/* ---- one recording ----------------------------------------------------- */

static void
feed (Evaluation *self, const Subject *subject)
{
  const Drawer *drawer = self->drawer;
  GstAppSrc *source = GST_APP_SRC (self->source);
  GstCaps *caps = drawer->caps (drawer->data, subject);
  GstBuffer *buffer;

  gst_app_src_set_caps (source, caps);
  gst_caps_unref (caps);
  for (guint n = 0; (buffer = drawer->draw (drawer->data, subject, n)); n++) {
    if (self->options.region == REGION_WHOLE) {
      GstMeta *meta = (GstMeta *) gst_buffer_get_cardiac_geometry_meta (buffer);

      if (meta)
        gst_buffer_remove_meta (buffer, meta);
    }
    if (gst_app_src_push_buffer (source, buffer) != GST_FLOW_OK)
      return; /* the bus says why */
  }
  gst_app_src_end_of_stream (source);
}

static void
take_result (GstMessage *message, Prediction *prediction)
{
  const GstStructure *structure = gst_message_get_structure (message);
  GstCardiacResult *result = NULL;

  if (!gst_structure_has_name (structure, "cardiac-result")
      || !gst_structure_get (
          structure, "result", GST_TYPE_CARDIAC_RESULT, &result, NULL))
    return;
  if (result->is_final && result->type == GST_CARDIAC_RESULT_MREG) {
    prediction_clear (prediction);
    prediction->result = result;
  } else {
    gst_cardiac_result_unref (result);
  }
}

/* Until the end; the last final record is the recording's. */
static gboolean
wait_for_result (Evaluation *self, Prediction *prediction, GError **error)
{
  for (;;) {
    GstMessage *message = gst_bus_timed_pop_filtered (self->bus, PATIENCE,
        GST_MESSAGE_EOS | GST_MESSAGE_ERROR | GST_MESSAGE_ELEMENT);
    GstMessageType type;

    if (!message) {
      g_set_error (error, GST_STREAM_ERROR, GST_STREAM_ERROR_FAILED,
          "the pipeline did not say anything for %d s",
          (gint) (PATIENCE / GST_SECOND));
      return FALSE;
    }
    type = GST_MESSAGE_TYPE (message);
    if (type == GST_MESSAGE_ERROR)
      gst_message_parse_error (message, error, NULL);
    else if (type == GST_MESSAGE_ELEMENT)
      take_result (message, prediction);
    gst_message_unref (message);
    if (type == GST_MESSAGE_ERROR)
      return FALSE;
    if (type == GST_MESSAGE_EOS)
      break;
  }
  if (prediction->result)
    return TRUE;
  g_set_error (error, GST_STREAM_ERROR, GST_STREAM_ERROR_FAILED,
      "the pipeline ended without a result");
  return FALSE;
}

/* ---- where the map's peak lies ----------------------------------------- */

typedef struct {
  const Evaluation *evaluation;
  EchoPicture picture;
} Placing;

/* The crop at a time, from pixels of the picture to the phantom's screen. */
static EchoView
view_at (gpointer data, GstClockTime time)
{
  const Placing *placing = data;
  const EchoPicture *picture = &placing->picture;
  const GArray *crops = placing->evaluation->crops;
  gdouble x = picture->view.width / picture->width;
  gdouble y = picture->view.height / picture->height;
  const GstCardiacBox *crop = &g_array_index (crops, Crop, 0).crop;
  EchoView view;

  for (guint i = 0; i < crops->len; i++)
    if (g_array_index (crops, Crop, i).time <= time)
      crop = &g_array_index (crops, Crop, i).crop;
  view.x = picture->view.x + crop->x * x;
  view.y = picture->view.y + crop->y * y;
  view.width = crop->w * x;
  view.height = crop->h * y;
  return view;
}

static void
check_peaks (Evaluation *self, const Subject *subject, Prediction *prediction)
{
  Placing placing = { .evaluation = self };
  EchoPhantom *phantom;
  GstVideoInfo info;
  GstCaps *caps;
  GstPad *pad;

  if (prediction->result->grade <= 0 || self->crops->len == 0)
    return;
  pad = gst_element_get_static_pad (self->grader, "src");
  caps = gst_pad_get_current_caps (pad);
  gst_object_unref (pad);
  if (!caps || !gst_video_info_from_caps (&info, caps)) {
    gst_clear_caps (&caps);
    return;
  }
  gst_caps_unref (caps);
  if (self->drawer)
    self->drawer->place (self->drawer->data, &placing.picture);
  else
    echo_picture_fit (&placing.picture, info.width, info.height, 1);

  phantom = echo_phantom_new (&subject->settings);
  prediction->peak_in_jet =
      jet_peak (prediction->result, phantom, FALSE, view_at, &placing);
  prediction->peak_in_largest_jet =
      jet_peak (prediction->result, phantom, TRUE, view_at, &placing);
  echo_phantom_free (&phantom);
}

gboolean
evaluation_run (Evaluation *self, const Subject *subject,
    Prediction *prediction, GError **error)
{
  gboolean ok;

  memset (prediction, 0, sizeof *prediction);
  prediction->peak_in_jet = prediction->peak_in_largest_jet = -1;
  g_array_set_size (self->crops, 0);
  if (!self->drawer)
    g_object_set (self->source, "phantom-seed", subject->number, "grade",
        subject->grade, NULL);

  gst_element_set_state (self->pipeline, GST_STATE_PLAYING);
  if (self->drawer)
    feed (self, subject);
  ok = wait_for_result (self, prediction, error);
  if (ok)
    check_peaks (self, subject, prediction);
  gst_element_set_state (self->pipeline, GST_STATE_READY);
  gst_bus_set_flushing (self->bus, TRUE);
  gst_bus_set_flushing (self->bus, FALSE);
  if (!ok)
    prediction_clear (prediction);
  return ok;
}

void
prediction_clear (Prediction *prediction)
{
  if (prediction->result)
    gst_cardiac_result_unref (prediction->result);
  prediction->result = NULL;
}
