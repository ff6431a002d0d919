/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Base of mregroi and mregclassify; not an element of its own. */

#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include "gstcardiacfilter.h"

#include <gst/base/gstbasesrc.h>

#include "gsterror.h"
#include "registry.h"
#include "videoimage.h"

GST_DEBUG_CATEGORY_STATIC (cardiac_filter_debug);
#define GST_CAT_DEFAULT cardiac_filter_debug

#define DEFAULT_MODEL ""
#define DEFAULT_DEVICE "auto"
#define DEFAULT_PRECISION GST_CARDIAC_PRECISION_AUTO
#define DEFAULT_THREADS 0
#define DEFAULT_SYNC_MODE GST_CARDIAC_SYNC_AUTO
#define DEFAULT_ENABLED TRUE
#define MAX_THREADS 256

enum {
  PROP_0,
  PROP_MODEL,
  PROP_DEVICE,
  PROP_PRECISION,
  PROP_THREADS,
  PROP_SYNC_MODE,
  PROP_ENABLED,
  PROP_ACTUAL_DEVICE,
  PROP_STATS,
};

typedef struct {
  /* properties, under the object lock */
  gchar *model_path;
  gchar *device;
  GstCardiacPrecision precision;
  gint threads;
  GstCardiacSyncMode sync_mode;
  gboolean enabled;
  gchar *actual_device;

  /* streaming thread */
  CardiacModel *model;
  guint model_users;
  CardiacPool *pool;
  GstVideoInfo info;
  gboolean exact_known, exact;
} GstCardiacFilterPrivate;

G_DEFINE_ABSTRACT_TYPE_WITH_PRIVATE (
    GstCardiacFilter, gst_cardiac_filter, GST_TYPE_BASE_TRANSFORM);

static GstStaticPadTemplate sink_template =
    GST_STATIC_PAD_TEMPLATE ("sink", GST_PAD_SINK, GST_PAD_ALWAYS,
        GST_STATIC_CAPS (GST_VIDEO_CAPS_MAKE (CARDIAC_VIDEO_FORMATS)));

static GstStaticPadTemplate src_template =
    GST_STATIC_PAD_TEMPLATE ("src", GST_PAD_SRC, GST_PAD_ALWAYS,
        GST_STATIC_CAPS (GST_VIDEO_CAPS_MAKE (CARDIAC_VIDEO_FORMATS)));

static GstCardiacFilterPrivate *
get_private (GstCardiacFilter *self)
{
  return gst_cardiac_filter_get_instance_private (self);
}

static void gst_cardiac_filter_set_property (
    GObject *object, guint id, const GValue *value, GParamSpec *pspec);
static void gst_cardiac_filter_get_property (
    GObject *object, guint id, GValue *value, GParamSpec *pspec);
static void gst_cardiac_filter_finalize (GObject *object);
static GstStateChangeReturn gst_cardiac_filter_change_state (
    GstElement *element, GstStateChange transition);
static gboolean gst_cardiac_filter_start (GstBaseTransform *trans);
static gboolean gst_cardiac_filter_stop (GstBaseTransform *trans);
static gboolean gst_cardiac_filter_set_caps (
    GstBaseTransform *trans, GstCaps *in, GstCaps *out);
static gboolean gst_cardiac_filter_sink_event (
    GstBaseTransform *trans, GstEvent *event);
static GstFlowReturn gst_cardiac_filter_prepare_output_buffer (
    GstBaseTransform *trans, GstBuffer *in, GstBuffer **out);
static GstFlowReturn gst_cardiac_filter_transform_ip (
    GstBaseTransform *trans, GstBuffer *buffer);

static void
install_properties (GObjectClass *klass)
{
  const GParamFlags flags = G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS;

  g_object_class_install_property (klass, PROP_MODEL,
      g_param_spec_string ("model", "Model",
          "Model file (safetensors). Empty: the demonstration weights that "
          "come with the plugin, not trained on patients; without them "
          "mregclassify reports an error and mregroi finds nothing",
          DEFAULT_MODEL, flags | GST_PARAM_MUTABLE_READY));
  g_object_class_install_property (klass, PROP_DEVICE,
      g_param_spec_string ("device", "Device",
          "auto, cuda, cuda:N, cpu or reference. auto takes what can be had; "
          "a device that is named and cannot be had is an error",
          DEFAULT_DEVICE, flags | GST_PARAM_MUTABLE_READY));
  g_object_class_install_property (klass, PROP_PRECISION,
      g_param_spec_enum ("precision", "Precision", "Precision of the network",
          GST_TYPE_CARDIAC_PRECISION, DEFAULT_PRECISION,
          flags | GST_PARAM_MUTABLE_READY));
  g_object_class_install_property (klass, PROP_THREADS,
      g_param_spec_int ("threads", "Threads",
          "Threads of the network. 0: all processors, but one for the video "
          "in live use",
          0, MAX_THREADS, DEFAULT_THREADS, flags | GST_PARAM_MUTABLE_READY));
  g_object_class_install_property (klass, PROP_SYNC_MODE,
      g_param_spec_enum ("sync-mode", "Sync mode",
          "Whether video waits for the network", GST_TYPE_CARDIAC_SYNC_MODE,
          DEFAULT_SYNC_MODE, flags | GST_PARAM_MUTABLE_READY));
  g_object_class_install_property (klass, PROP_ENABLED,
      g_param_spec_boolean ("enabled", "Enabled",
          "Analyse the video. Video passes in either case", DEFAULT_ENABLED,
          flags | GST_PARAM_MUTABLE_PLAYING | GST_PARAM_CONTROLLABLE));
  g_object_class_install_property (klass, PROP_ACTUAL_DEVICE,
      g_param_spec_string ("actual-device", "Actual device",
          "Device and precision that the network runs on", NULL,
          G_PARAM_READABLE | G_PARAM_STATIC_STRINGS));
  g_object_class_install_property (klass, PROP_STATS,
      g_param_spec_boxed ("stats", "Statistics", "Counters and times",
          GST_TYPE_STRUCTURE, G_PARAM_READABLE | G_PARAM_STATIC_STRINGS));
}

static void
gst_cardiac_filter_class_init (GstCardiacFilterClass *klass)
{
  GObjectClass *gobject_class = G_OBJECT_CLASS (klass);
  GstElementClass *element_class = GST_ELEMENT_CLASS (klass);
  GstBaseTransformClass *trans_class = GST_BASE_TRANSFORM_CLASS (klass);

  GST_DEBUG_CATEGORY_INIT (
      cardiac_filter_debug, "cardiacfilter", 0, "cardiac video filters");

  gobject_class->set_property = gst_cardiac_filter_set_property;
  gobject_class->get_property = gst_cardiac_filter_get_property;
  gobject_class->finalize = gst_cardiac_filter_finalize;
  install_properties (gobject_class);

  gst_element_class_add_static_pad_template (element_class, &sink_template);
  gst_element_class_add_static_pad_template (element_class, &src_template);
  element_class->change_state = gst_cardiac_filter_change_state;

  trans_class->start = gst_cardiac_filter_start;
  trans_class->stop = gst_cardiac_filter_stop;
  trans_class->set_caps = gst_cardiac_filter_set_caps;
  trans_class->sink_event = gst_cardiac_filter_sink_event;
  trans_class->prepare_output_buffer = gst_cardiac_filter_prepare_output_buffer;
  trans_class->transform_ip = gst_cardiac_filter_transform_ip;

  gst_type_mark_as_plugin_api (GST_TYPE_CARDIAC_FILTER, 0);
}

static void
gst_cardiac_filter_init (GstCardiacFilter *self)
{
  GstCardiacFilterPrivate *priv = get_private (self);

  priv->model_path = g_strdup (DEFAULT_MODEL);
  priv->device = g_strdup (DEFAULT_DEVICE);
  priv->precision = DEFAULT_PRECISION;
  priv->threads = DEFAULT_THREADS;
  priv->sync_mode = DEFAULT_SYNC_MODE;
  priv->enabled = DEFAULT_ENABLED;
  gst_video_info_init (&priv->info);

  gst_base_transform_set_in_place (GST_BASE_TRANSFORM (self), TRUE);
  /* A slow display must not cost frames of a recording behind a tee. */
  gst_base_transform_set_qos_enabled (GST_BASE_TRANSFORM (self), FALSE);
  gst_base_transform_set_gap_aware (GST_BASE_TRANSFORM (self), TRUE);
}

static void
gst_cardiac_filter_finalize (GObject *object)
{
  GstCardiacFilterPrivate *priv = get_private (GST_CARDIAC_FILTER (object));

  g_free (priv->model_path);
  g_free (priv->device);
  g_free (priv->actual_device);
  G_OBJECT_CLASS (gst_cardiac_filter_parent_class)->finalize (object);
}

static void
gst_cardiac_filter_set_property (
    GObject *object, guint id, const GValue *value, GParamSpec *pspec)
{
  GstCardiacFilterPrivate *priv = get_private (GST_CARDIAC_FILTER (object));

  GST_OBJECT_LOCK (object);
  switch (id) {
    case PROP_MODEL:
      g_free (priv->model_path);
      priv->model_path = g_value_dup_string (value);
      break;
    case PROP_DEVICE:
      g_free (priv->device);
      priv->device = g_value_dup_string (value);
      break;
    case PROP_PRECISION:
      priv->precision = g_value_get_enum (value);
      break;
    case PROP_THREADS:
      priv->threads = g_value_get_int (value);
      break;
    case PROP_SYNC_MODE:
      priv->sync_mode = g_value_get_enum (value);
      break;
    case PROP_ENABLED:
      priv->enabled = g_value_get_boolean (value);
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
      break;
  }
  GST_OBJECT_UNLOCK (object);
}

static GstStructure *
get_stats (GstCardiacFilter *self)
{
  GstCardiacFilterClass *klass = GST_CARDIAC_FILTER_GET_CLASS (self);
  GstStructure *stats = klass->get_stats (self);

  GST_OBJECT_LOCK (self);
  gst_structure_set (
      stats, "model-users", G_TYPE_UINT, get_private (self)->model_users, NULL);
  GST_OBJECT_UNLOCK (self);
  return stats;
}

static void
gst_cardiac_filter_get_property (
    GObject *object, guint id, GValue *value, GParamSpec *pspec)
{
  GstCardiacFilter *self = GST_CARDIAC_FILTER (object);
  GstCardiacFilterPrivate *priv = get_private (self);

  if (id == PROP_STATS) {
    g_value_take_boxed (value, get_stats (self));
    return;
  }

  GST_OBJECT_LOCK (object);
  switch (id) {
    case PROP_MODEL:
      g_value_set_string (value, priv->model_path);
      break;
    case PROP_DEVICE:
      g_value_set_string (value, priv->device);
      break;
    case PROP_PRECISION:
      g_value_set_enum (value, priv->precision);
      break;
    case PROP_THREADS:
      g_value_set_int (value, priv->threads);
      break;
    case PROP_SYNC_MODE:
      g_value_set_enum (value, priv->sync_mode);
      break;
    case PROP_ENABLED:
      g_value_set_boolean (value, priv->enabled);
      break;
    case PROP_ACTUAL_DEVICE:
      g_value_set_string (value, priv->actual_device);
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
      break;
  }
  GST_OBJECT_UNLOCK (object);
}

/* ---- life cycle -------------------------------------------------------- */

/* The waiting streaming thread has to come back before pads can be stopped. */
static GstStateChangeReturn
gst_cardiac_filter_change_state (GstElement *element, GstStateChange transition)
{
  GstCardiacFilter *self = GST_CARDIAC_FILTER (element);
  GstCardiacFilterClass *klass = GST_CARDIAC_FILTER_GET_CLASS (self);

  if (transition == GST_STATE_CHANGE_PAUSED_TO_READY)
    klass->unlock (self, TRUE);
  return GST_ELEMENT_CLASS (gst_cardiac_filter_parent_class)
      ->change_state (element, transition);
}

static gboolean
is_upstream_live (GstCardiacFilter *self)
{
  GstQuery *query = gst_query_new_latency ();
  gboolean live = FALSE;

  if (gst_pad_peer_query (GST_BASE_TRANSFORM_SINK_PAD (self), query))
    gst_query_parse_latency (query, &live, NULL, NULL);
  gst_query_unref (query);
  return live;
}

static gboolean
find_exact (GstCardiacFilter *self)
{
  GstCardiacSyncMode mode;

  GST_OBJECT_LOCK (self);
  mode = get_private (self)->sync_mode;
  GST_OBJECT_UNLOCK (self);
  if (mode == GST_CARDIAC_SYNC_AUTO)
    return !is_upstream_live (self);
  return mode == GST_CARDIAC_SYNC_EXACT;
}

static gboolean
is_live_source (GstElement *element)
{
  GParamSpec *pspec;
  gboolean live = FALSE;

  if (GST_IS_BASE_SRC (element))
    return gst_base_src_is_live (GST_BASE_SRC (element));
  pspec =
      g_object_class_find_property (G_OBJECT_GET_CLASS (element), "is-live");
  if (pspec && pspec->value_type == G_TYPE_BOOLEAN)
    g_object_get (element, "is-live", &live, NULL);
  return live;
}

/* Sources rarely know their latency before they run: asks them whether they are
 * live. A guess, good enough to choose a number of threads. */
static gboolean
has_live_source (GstCardiacFilter *self)
{
  GstObject *top = gst_object_ref (GST_OBJECT (self)), *parent;
  GValue value = G_VALUE_INIT;
  gboolean live = FALSE;
  GstIterator *sources;

  while ((parent = gst_object_get_parent (top))) {
    gst_object_unref (top);
    top = parent;
  }
  if (GST_IS_BIN (top)) {
    sources = gst_bin_iterate_sources (GST_BIN (top));
    while (!live && gst_iterator_next (sources, &value) == GST_ITERATOR_OK) {
      live = is_live_source (g_value_get_object (&value));
      g_value_reset (&value);
    }
    g_value_unset (&value);
    gst_iterator_free (sources);
  }
  gst_object_unref (top);
  return live;
}

/* 0, the default, leaves one processor to the video in live use. */
static gint
choose_threads (GstCardiacFilter *self, gint threads)
{
  gint processors = cardiac_processors ();
  GstCardiacSyncMode mode;

  if (threads > 0)
    return threads;
  GST_OBJECT_LOCK (self);
  mode = get_private (self)->sync_mode;
  GST_OBJECT_UNLOCK (self);
  if (processors > 1
      && (mode == GST_CARDIAC_SYNC_LIVE
          || (mode == GST_CARDIAC_SYNC_AUTO && has_live_source (self))))
    processors--;
  return CLAMP (processors, 1, MAX_THREADS);
}

static void
post_no_model (GstCardiacFilter *self)
{
  const gchar *demo = GST_CARDIAC_FILTER_GET_CLASS (self)->demo_model;

  GST_ELEMENT_ERROR (self, RESOURCE, NOT_FOUND,
      ("There is no model: the property \"model\" is empty and the "
       "demonstration weights %s were not found. Set model=FILE.safetensors.",
          demo),
      ("looked in $CARDIAC_MODEL_PATH, %s, %s", CARDIAC_MODEL_DIR,
          CARDIAC_MODEL_SOURCE_DIR));
}

static gboolean
open_network (GstCardiacFilter *self)
{
  GstCardiacFilterPrivate *priv = get_private (self);
  GstCardiacFilterClass *klass = GST_CARDIAC_FILTER_GET_CLASS (self);
  CardiacError *error = NULL;
  CardiacSettings settings;
  CardiacModel *model;
  gchar *path, *device;
  gint threads;
  guint users;
  gboolean ok = FALSE;

  GST_OBJECT_LOCK (self);
  path = registry_find_model (priv->model_path, klass->demo_model);
  device = g_strdup (priv->device);
  threads = priv->threads;
  cardiac_settings_default (&settings);
  settings.precision = (CardiacPrecision) priv->precision;
  GST_OBJECT_UNLOCK (self);

  if (!path && klass->model_optional) {
    ok = klass->open (self, NULL, NULL, &error);
    goto done;
  }
  if (!path) {
    post_no_model (self);
    goto done;
  }
  model = registry_get_model (path, &users, &error);
  if (!model)
    goto failed;
  GST_OBJECT_LOCK (self);
  priv->model = model;
  priv->model_users = users;
  GST_OBJECT_UNLOCK (self);

  priv->pool = registry_get_pool (choose_threads (self, threads), &error);
  if (!priv->pool)
    goto failed;
  settings.pool = priv->pool;
  settings.device = device && *device ? device : DEFAULT_DEVICE;
  ok = klass->open (self, model, &settings, &error);
  if (!ok)
    goto failed;

done:
  g_free (path);
  g_free (device);
  return ok;

  /* ERRORS */
failed:
  /* Without an error object, open() has posted one itself. */
  if (error)
    gst_cardiac_post_error (GST_ELEMENT (self), &error);
  goto done;
}

static gboolean
gst_cardiac_filter_start (GstBaseTransform *trans)
{
  GstCardiacFilter *self = GST_CARDIAC_FILTER (trans);
  GstCardiacFilterPrivate *priv = get_private (self);
  GstCardiacFilterClass *klass = GST_CARDIAC_FILTER_GET_CLASS (self);
  CardiacError *error = NULL;
  gboolean ok;

  priv->exact_known = FALSE;
  if (!klass->needs_network || klass->needs_network (self))
    ok = open_network (self);
  else
    ok = klass->open (self, NULL, NULL, &error);
  if (error)
    gst_cardiac_post_error (GST_ELEMENT (self), &error);
  if (!ok) {
    gst_cardiac_filter_stop (trans);
    return FALSE;
  }
  klass->unlock (self, FALSE);
  return TRUE;
}

static gboolean
gst_cardiac_filter_stop (GstBaseTransform *trans)
{
  GstCardiacFilter *self = GST_CARDIAC_FILTER (trans);
  GstCardiacFilterPrivate *priv = get_private (self);
  CardiacModel *model;

  GST_CARDIAC_FILTER_GET_CLASS (self)->close (self);
  registry_release_pool (&priv->pool);
  GST_OBJECT_LOCK (self);
  model = priv->model;
  priv->model = NULL;
  priv->model_users = 0;
  g_clear_pointer (&priv->actual_device, g_free);
  GST_OBJECT_UNLOCK (self);
  registry_release_model (&model);
  gst_video_info_init (&priv->info);
  return TRUE;
}

/* ---- data flow --------------------------------------------------------- */

static gboolean
gst_cardiac_filter_set_caps (GstBaseTransform *trans, GstCaps *in, GstCaps *out)
{
  GstCardiacFilter *self = GST_CARDIAC_FILTER (trans);
  GstVideoInfo info;

  if (!gst_video_info_from_caps (&info, in)) {
    GST_ERROR_OBJECT (self, "not video caps: %" GST_PTR_FORMAT, in);
    return FALSE;
  }
  get_private (self)->info = info;
  GST_CARDIAC_FILTER_GET_CLASS (self)->format (self, &info);
  return TRUE;
}

static gboolean
gst_cardiac_filter_sink_event (GstBaseTransform *trans, GstEvent *event)
{
  GstCardiacFilter *self = GST_CARDIAC_FILTER (trans);
  GstCardiacFilterClass *klass = GST_CARDIAC_FILTER_GET_CLASS (self);

  switch (GST_EVENT_TYPE (event)) {
    case GST_EVENT_FLUSH_START:
      klass->unlock (self, TRUE);
      break;
    case GST_EVENT_FLUSH_STOP:
      klass->unlock (self, FALSE);
      klass->discard (self);
      break;
    case GST_EVENT_EOS:
      klass->drain (self);
      break;
    default:
      break;
  }
  return GST_BASE_TRANSFORM_CLASS (gst_cardiac_filter_parent_class)
      ->sink_event (trans, event);
}

/* Only metas are added: where others hold the buffer too, a new one shares its
 * memory. The base class would copy the pixels. */
static GstFlowReturn
gst_cardiac_filter_prepare_output_buffer (
    GstBaseTransform *trans, GstBuffer *in, GstBuffer **out)
{
  *out = gst_buffer_is_writable (in) ? in : gst_buffer_copy (in);
  return GST_FLOW_OK;
}

static GstFlowReturn
gst_cardiac_filter_transform_ip (GstBaseTransform *trans, GstBuffer *buffer)
{
  GstCardiacFilter *self = GST_CARDIAC_FILTER (trans);
  GstCardiacFilterPrivate *priv = get_private (self);
  GstClockTime time = GST_CLOCK_TIME_NONE;

  if (!priv->exact_known) {
    priv->exact = find_exact (self);
    priv->exact_known = TRUE;
    GST_INFO_OBJECT (self, "video %s for the network",
        priv->exact ? "waits" : "does not wait");
  }

  if (GST_BUFFER_PTS_IS_VALID (buffer)) {
    gst_object_sync_values (GST_OBJECT (self), GST_BUFFER_PTS (buffer));
    if (trans->segment.format == GST_FORMAT_TIME)
      time = gst_segment_to_stream_time (
          &trans->segment, GST_FORMAT_TIME, GST_BUFFER_PTS (buffer));
  }
  GST_CARDIAC_FILTER_GET_CLASS (self)->frame (self, buffer, time);
  return GST_FLOW_OK;
}

/* ---- for subclasses ---------------------------------------------------- */

const GstVideoInfo *
gst_cardiac_filter_get_info (GstCardiacFilter *self)
{
  return &get_private (self)->info;
}

CardiacModel *
gst_cardiac_filter_get_model (GstCardiacFilter *self)
{
  return get_private (self)->model;
}

gboolean
gst_cardiac_filter_is_exact (GstCardiacFilter *self)
{
  return get_private (self)->exact;
}

gboolean
gst_cardiac_filter_is_enabled (GstCardiacFilter *self)
{
  gboolean enabled;

  GST_OBJECT_LOCK (self);
  enabled = get_private (self)->enabled;
  GST_OBJECT_UNLOCK (self);
  return enabled;
}

void
gst_cardiac_filter_set_run_info (
    GstCardiacFilter *self, const CardiacRunInfo *info)
{
  GstCardiacFilterPrivate *priv = get_private (self);

  GST_OBJECT_LOCK (self);
  g_free (priv->actual_device);
  priv->actual_device = g_strdup_printf (
      "%s %s, %d threads", info->device, info->precision, info->threads);
  GST_OBJECT_UNLOCK (self);

  GST_INFO_OBJECT (self, "network runs on %s, %s, %d threads", info->device,
      info->precision, info->threads);
  if (info->fallback && *info->fallback)
    GST_INFO_OBJECT (self, "no better device: %s", info->fallback);
}

gboolean
gst_cardiac_filter_refuse_roi (GstCardiacFilter *self, const gchar *text)
{
  gboolean running;

  GST_OBJECT_LOCK (self);
  running = GST_STATE (self) >= GST_STATE_PAUSED;
  GST_OBJECT_UNLOCK (self);
  if (running)
    GST_ELEMENT_WARNING (self, RESOURCE, SETTINGS,
        ("roi \"%s\" is not \"x,y,width,height\" in pixels; the region "
         "stays as it was.",
            text),
        (NULL));
  return running;
}

void
gst_cardiac_filter_post_wrong_roi (GstCardiacFilter *self, const gchar *text)
{
  GST_ELEMENT_ERROR (self, RESOURCE, SETTINGS,
      ("roi \"%s\" cannot be read: \"x,y,width,height\" in pixels is "
       "expected, such as 120,40,480,400; width and height are at least 1.",
          text),
      (NULL));
}

void
gst_cardiac_filter_warn_once (
    GstCardiacFilter *self, guint *done, const gchar *text, const gchar *detail)
{
  if ((*done)++)
    return;
  GST_ELEMENT_WARNING (
      self, STREAM, FAILED, ("%s", text), ("%s", detail ? detail : ""));
}
