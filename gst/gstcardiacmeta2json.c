/* SPDX-License-Identifier: LGPL-2.1-or-later */

/**
 * SECTION:element-cardiacmeta2json
 * @title: cardiacmeta2json
 * @short_description: writes the records that video carries as JSON lines
 *
 * Passes everything on and writes each record that buffers carry as
 * #GstCardiacResultMeta once, as one JSON object on one line. It works
 * wherever the metas get: behind a queue, a tee, a scaler or an encoder.
 *
 * Metas exist on frames; the final result of a recording is known at its end
 * and is written by mregclassify (`results-location`).
 *
 * ## Example launch lines
 * |[
 * gst-launch-1.0 v4l2src ! videoconvert ! mregclassify ! cardiacmeta2json location=live.jsonl ! fakesink
 * ]| Records what a live video shows.
 * |[
 * gst-launch-1.0 filesrc location=echo.mp4 ! decodebin ! mregclassify ! videoconvert ! x264enc ! cardiacmeta2json location=/dev/stdout ! matroskamux ! filesink location=echo.mkv
 * ]| Shows records while a file is encoded.
 */

#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include "gstcardiacmeta2json.h"

#include "jsonlines.h"
#include "meta/gstcardiacmeta.h"

#define DEFAULT_LOCATION NULL

enum {
  PROP_0,
  PROP_LOCATION,
};

struct _GstCardiacMeta2json {
  GstBaseTransform parent;

  gchar *location; /* under the object lock */

  /* streaming thread */
  JsonLines *lines;
  GstCardiacResult *last; /* newest that was written */
};

static GstStaticPadTemplate sink_template = GST_STATIC_PAD_TEMPLATE (
    "sink", GST_PAD_SINK, GST_PAD_ALWAYS, GST_STATIC_CAPS_ANY);

static GstStaticPadTemplate src_template = GST_STATIC_PAD_TEMPLATE (
    "src", GST_PAD_SRC, GST_PAD_ALWAYS, GST_STATIC_CAPS_ANY);

G_DEFINE_FINAL_TYPE (
    GstCardiacMeta2json, gst_cardiac_meta2json, GST_TYPE_BASE_TRANSFORM);
GST_ELEMENT_REGISTER_DEFINE (cardiacmeta2json, "cardiacmeta2json",
    GST_RANK_NONE, GST_TYPE_CARDIAC_META2JSON);

static void
gst_cardiac_meta2json_finalize (GObject *object)
{
  g_free (GST_CARDIAC_META2JSON (object)->location);
  G_OBJECT_CLASS (gst_cardiac_meta2json_parent_class)->finalize (object);
}

static void
gst_cardiac_meta2json_set_property (
    GObject *object, guint id, const GValue *value, GParamSpec *pspec)
{
  GstCardiacMeta2json *self = GST_CARDIAC_META2JSON (object);

  GST_OBJECT_LOCK (self);
  switch (id) {
    case PROP_LOCATION:
      g_free (self->location);
      self->location = g_value_dup_string (value);
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
      break;
  }
  GST_OBJECT_UNLOCK (self);
}

static void
gst_cardiac_meta2json_get_property (
    GObject *object, guint id, GValue *value, GParamSpec *pspec)
{
  GstCardiacMeta2json *self = GST_CARDIAC_META2JSON (object);

  GST_OBJECT_LOCK (self);
  switch (id) {
    case PROP_LOCATION:
      g_value_set_string (value, self->location);
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
      break;
  }
  GST_OBJECT_UNLOCK (self);
}

static gboolean
gst_cardiac_meta2json_start (GstBaseTransform *trans)
{
  GstCardiacMeta2json *self = GST_CARDIAC_META2JSON (trans);
  GError *error = NULL;
  gchar *path;

  GST_OBJECT_LOCK (self);
  path = g_strdup (self->location);
  GST_OBJECT_UNLOCK (self);
  if (!path || !*path) {
    g_free (path);
    GST_ELEMENT_ERROR (self, RESOURCE, SETTINGS,
        ("There is no file to write records to. Set location=FILE.jsonl, or "
         "location=/dev/stdout."),
        (NULL));
    return FALSE;
  }
  self->lines = json_lines_open (path, &error);
  g_free (path);
  if (self->lines)
    return TRUE;

  GST_ELEMENT_ERROR (self, RESOURCE, OPEN_WRITE,
      ("Records cannot be written: %s. Check location.", error->message),
      (NULL));
  g_error_free (error);
  return FALSE;
}

static gboolean
gst_cardiac_meta2json_stop (GstBaseTransform *trans)
{
  GstCardiacMeta2json *self = GST_CARDIAC_META2JSON (trans);

  g_clear_pointer (&self->lines, json_lines_close);
  g_clear_pointer (&self->last, gst_cardiac_result_unref);
  return TRUE;
}

/* Encoders may reorder frames: a record is written when it is newer than all
 * before, or of another element. */
static gboolean
is_news (GstCardiacMeta2json *self, const GstCardiacResult *result)
{
  if (!self->last || result->type != self->last->type)
    return TRUE;
  return result != self->last && result->serial > self->last->serial;
}

static GstFlowReturn
gst_cardiac_meta2json_transform_ip (GstBaseTransform *trans, GstBuffer *buffer)
{
  GstCardiacMeta2json *self = GST_CARDIAC_META2JSON (trans);
  GstCardiacResultMeta *meta = gst_buffer_get_cardiac_result_meta (buffer);
  GError *error = NULL;

  if (!meta || !meta->result || !is_news (self, meta->result))
    return GST_FLOW_OK;
  if (self->last)
    gst_cardiac_result_unref (self->last);
  self->last = gst_cardiac_result_ref (meta->result);
  if (json_lines_write (self->lines, meta->result, &error))
    return GST_FLOW_OK;

  GST_ELEMENT_ERROR (self, RESOURCE, WRITE,
      ("Records cannot be written: %s.", error->message), (NULL));
  g_error_free (error);
  return GST_FLOW_ERROR;
}

static void
gst_cardiac_meta2json_class_init (GstCardiacMeta2jsonClass *klass)
{
  GObjectClass *gobject_class = G_OBJECT_CLASS (klass);
  GstElementClass *element_class = GST_ELEMENT_CLASS (klass);
  GstBaseTransformClass *trans_class = GST_BASE_TRANSFORM_CLASS (klass);

  gobject_class->finalize = gst_cardiac_meta2json_finalize;
  gobject_class->set_property = gst_cardiac_meta2json_set_property;
  gobject_class->get_property = gst_cardiac_meta2json_get_property;

  /**
   * GstCardiacMeta2json:location:
   *
   * File that receives one JSON object a line.
   */
  g_object_class_install_property (gobject_class, PROP_LOCATION,
      g_param_spec_string ("location", "Location",
          "File that receives one JSON object a line", DEFAULT_LOCATION,
          G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS
              | GST_PARAM_MUTABLE_READY));

  gst_element_class_add_static_pad_template (element_class, &sink_template);
  gst_element_class_add_static_pad_template (element_class, &src_template);
  gst_element_class_set_static_metadata (element_class,
      "Cardiac records to JSON lines", "Filter/Analyzer/Video",
      "Writes the records that buffers carry as JSON lines", "gst-cardiac");

  trans_class->start = gst_cardiac_meta2json_start;
  trans_class->stop = gst_cardiac_meta2json_stop;
  trans_class->transform_ip = gst_cardiac_meta2json_transform_ip;
  trans_class->transform_ip_on_passthrough = TRUE;
  trans_class->passthrough_on_same_caps = TRUE;
}

static void
gst_cardiac_meta2json_init (GstCardiacMeta2json *self)
{
  gst_base_transform_set_in_place (GST_BASE_TRANSFORM (self), TRUE);
  gst_base_transform_set_passthrough (GST_BASE_TRANSFORM (self), TRUE);
  gst_base_transform_set_qos_enabled (GST_BASE_TRANSFORM (self), FALSE);
}
