/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Base of mregroi and mregclassify; not an element of its own. */

#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include "gstcardiacfilter.h"

#include <string.h>

#include "gsterror.h"
#include "network.h"
#include "videoimage.h"

GST_DEBUG_CATEGORY_STATIC (cardiac_filter_debug);
#define GST_CAT_DEFAULT cardiac_filter_debug

#define DEFAULT_SYNC_MODE GST_CARDIAC_SYNC_AUTO
#define DEFAULT_ENABLED TRUE

enum {
  PROP_0,
  PROP_NETWORK, /* and those that follow */
  PROP_SYNC_MODE = PROP_NETWORK + NETWORK_PROPERTIES,
  PROP_ENABLED,
  PROP_STATS,
};

typedef struct {
  /* properties, under the object lock */
  NetworkSettings network;
  GstCardiacSyncMode sync_mode;
  gboolean enabled;

  CudaFrames *cuda;

  /* streaming thread */
  NetworkResources resources; /* under the object lock, too */
  GstVideoInfo info;
  gboolean exact_known, exact;
  guint warned_picture;
} GstCardiacFilterPrivate;

G_DEFINE_ABSTRACT_TYPE_WITH_PRIVATE (
    GstCardiacFilter, gst_cardiac_filter, GST_TYPE_BASE_TRANSFORM);

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
static void gst_cardiac_filter_set_context (
    GstElement *element, GstContext *context);
static gboolean gst_cardiac_filter_query (
    GstBaseTransform *trans, GstPadDirection direction, GstQuery *query);
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

  network_settings_install (klass, PROP_NETWORK,
      "the demonstration weights that come with the plugin, not trained on "
      "patients; without them mregclassify reports an error and mregroi finds "
      "nothing");
  g_object_class_install_property (klass, PROP_SYNC_MODE,
      g_param_spec_enum ("sync-mode", "Sync mode",
          "Whether video waits for the network", GST_TYPE_CARDIAC_SYNC_MODE,
          DEFAULT_SYNC_MODE, flags | GST_PARAM_MUTABLE_READY));
  g_object_class_install_property (klass, PROP_ENABLED,
      g_param_spec_boolean ("enabled", "Enabled",
          "Analyse the video. Video passes in either case", DEFAULT_ENABLED,
          flags | GST_PARAM_MUTABLE_PLAYING | GST_PARAM_CONTROLLABLE));
  g_object_class_install_property (klass, PROP_STATS,
      g_param_spec_boxed ("stats", "Statistics", "Counters and times",
          GST_TYPE_STRUCTURE, G_PARAM_READABLE | G_PARAM_STATIC_STRINGS));
}

static void
add_pad_templates (GstElementClass *klass)
{
  GstCaps *caps = cuda_frames_caps (
      gst_caps_from_string (GST_VIDEO_CAPS_MAKE (CARDIAC_VIDEO_FORMATS)));

  gst_element_class_add_pad_template (
      klass, gst_pad_template_new ("sink", GST_PAD_SINK, GST_PAD_ALWAYS, caps));
  gst_element_class_add_pad_template (
      klass, gst_pad_template_new ("src", GST_PAD_SRC, GST_PAD_ALWAYS, caps));
  gst_caps_unref (caps);
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

  add_pad_templates (element_class);
  element_class->change_state = gst_cardiac_filter_change_state;
  element_class->set_context = gst_cardiac_filter_set_context;

  trans_class->query = gst_cardiac_filter_query;
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

  network_settings_init (&priv->network);
  priv->sync_mode = DEFAULT_SYNC_MODE;
  priv->enabled = DEFAULT_ENABLED;
  gst_video_info_init (&priv->info);
  priv->cuda = cuda_frames_new ();

  gst_base_transform_set_in_place (GST_BASE_TRANSFORM (self), TRUE);
  /* A slow display must not cost frames of a recording behind a tee. */
  gst_base_transform_set_qos_enabled (GST_BASE_TRANSFORM (self), FALSE);
  gst_base_transform_set_gap_aware (GST_BASE_TRANSFORM (self), TRUE);
}

static void
gst_cardiac_filter_finalize (GObject *object)
{
  GstCardiacFilterPrivate *priv = get_private (GST_CARDIAC_FILTER (object));

  network_settings_clear (&priv->network);
  cuda_frames_free (priv->cuda);
  G_OBJECT_CLASS (gst_cardiac_filter_parent_class)->finalize (object);
}

static void
gst_cardiac_filter_set_property (
    GObject *object, guint id, const GValue *value, GParamSpec *pspec)
{
  GstCardiacFilterPrivate *priv = get_private (GST_CARDIAC_FILTER (object));

  GST_OBJECT_LOCK (object);
  switch (id) {
    case PROP_SYNC_MODE:
      priv->sync_mode = g_value_get_enum (value);
      break;
    case PROP_ENABLED:
      priv->enabled = g_value_get_boolean (value);
      break;
    default:
      if (id >= PROP_NETWORK && id < PROP_NETWORK + NETWORK_PROPERTIES)
        network_settings_set (&priv->network, id - PROP_NETWORK, value);
      else
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
  gst_structure_set (stats, "model-users", G_TYPE_UINT,
      get_private (self)->resources.users, NULL);
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
    case PROP_SYNC_MODE:
      g_value_set_enum (value, priv->sync_mode);
      break;
    case PROP_ENABLED:
      g_value_set_boolean (value, priv->enabled);
      break;
    default:
      if (id >= PROP_NETWORK && id < PROP_NETWORK + NETWORK_PROPERTIES)
        network_settings_get (&priv->network, id - PROP_NETWORK, value);
      else
        G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
      break;
  }
  GST_OBJECT_UNLOCK (object);
}

/* ---- life cycle -------------------------------------------------------- */

static gboolean
needs_network (GstCardiacFilter *self)
{
  GstCardiacFilterClass *klass = GST_CARDIAC_FILTER_GET_CLASS (self);

  return !klass->needs_network || klass->needs_network (self);
}

/* Elements upstream go to READY after this one, and take contexts then. */
static void
offer_context (GstCardiacFilter *self)
{
  GstCardiacFilterPrivate *priv = get_private (self);
  gchar *device;

  if (!needs_network (self))
    return;
  GST_OBJECT_LOCK (self);
  device = g_strdup (priv->network.device);
  GST_OBJECT_UNLOCK (self);
  cuda_frames_offer_context (priv->cuda, GST_ELEMENT (self), device);
  g_free (device);
}

static void
gst_cardiac_filter_set_context (GstElement *element, GstContext *context)
{
  CudaFrames *cuda = get_private (GST_CARDIAC_FILTER (element))->cuda;

  cuda_frames_set_context (cuda, element, context);
  GST_ELEMENT_CLASS (gst_cardiac_filter_parent_class)
      ->set_context (element, context);
}

static gboolean
gst_cardiac_filter_query (
    GstBaseTransform *trans, GstPadDirection direction, GstQuery *query)
{
  CudaFrames *cuda = get_private (GST_CARDIAC_FILTER (trans))->cuda;

  if (GST_QUERY_TYPE (query) == GST_QUERY_CONTEXT
      && cuda_frames_answer (cuda, GST_ELEMENT (trans), query))
    return TRUE;
  return GST_BASE_TRANSFORM_CLASS (gst_cardiac_filter_parent_class)
      ->query (trans, direction, query);
}

/* The waiting streaming thread has to come back before pads can be stopped. */
static GstStateChangeReturn
gst_cardiac_filter_change_state (GstElement *element, GstStateChange transition)
{
  GstCardiacFilter *self = GST_CARDIAC_FILTER (element);
  GstCardiacFilterClass *klass = GST_CARDIAC_FILTER_GET_CLASS (self);

  if (transition == GST_STATE_CHANGE_NULL_TO_READY)
    offer_context (self);
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

/* Whether video is expected not to wait, asked before the pipeline runs. */
static gboolean
will_be_live (GstCardiacFilter *self)
{
  GstCardiacSyncMode mode;

  GST_OBJECT_LOCK (self);
  mode = get_private (self)->sync_mode;
  GST_OBJECT_UNLOCK (self);
  return mode == GST_CARDIAC_SYNC_LIVE
         || (mode == GST_CARDIAC_SYNC_AUTO
             && network_has_live_source (GST_ELEMENT (self)));
}

/* Without an error object, open() has posted one itself. */
static gboolean
open_network (GstCardiacFilter *self, CardiacError **error)
{
  GstCardiacFilterPrivate *priv = get_private (self);
  GstCardiacFilterClass *klass = GST_CARDIAC_FILTER_GET_CLASS (self);
  NetworkResources resources = { NULL };
  CardiacSettings engine;
  gboolean ok;
  gchar *path;

  path = network_find_model (
      &priv->network, GST_ELEMENT (self), klass->demo_model);
  if (!path && klass->model_optional)
    return klass->open (self, NULL, NULL, error);
  if (!path) {
    network_post_no_model (GST_ELEMENT (self), klass->demo_model);
    return FALSE;
  }
  ok = network_resources_open (&resources, &priv->network, GST_ELEMENT (self),
      path, will_be_live (self), &engine, error);
  GST_OBJECT_LOCK (self);
  priv->resources = resources;
  GST_OBJECT_UNLOCK (self);
  g_free (path);
  return ok && klass->open (self, resources.model, &engine, error);
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
  priv->warned_picture = 0;
  if (needs_network (self))
    ok = open_network (self, &error);
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
  NetworkResources resources;

  GST_CARDIAC_FILTER_GET_CLASS (self)->close (self);
  GST_OBJECT_LOCK (self);
  resources = priv->resources;
  memset (&priv->resources, 0, sizeof priv->resources);
  GST_OBJECT_UNLOCK (self);
  network_settings_set_run_info (&priv->network, GST_ELEMENT (self), NULL);
  network_resources_close (&resources);
  cuda_frames_set_device (priv->cuda, NULL);
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
  cuda_frames_set_format (get_private (self)->cuda, &info);
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

CudaFrames *
gst_cardiac_filter_get_cuda (GstCardiacFilter *self)
{
  return get_private (self)->cuda;
}

CardiacModel *
gst_cardiac_filter_get_model (GstCardiacFilter *self)
{
  return get_private (self)->resources.model;
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

  network_settings_set_run_info (&priv->network, GST_ELEMENT (self), info);
  cuda_frames_set_device (priv->cuda, info->device);
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

gboolean
gst_cardiac_filter_map (
    GstCardiacFilter *self, GstBuffer *buffer, GstVideoFrame *frame)
{
  GstCardiacFilterPrivate *priv = get_private (self);
  gchar *text;

  if (gst_video_frame_map (frame, &priv->info, buffer,
          GST_MAP_READ | GST_VIDEO_FRAME_MAP_FLAG_NO_REF))
    return TRUE;
  text = g_strdup_printf (
      "A frame cannot be read in system memory. Put a download or convert "
      "element (cudadownload, gldownload, videoconvert) before %s.",
      GST_OBJECT_NAME (self));
  gst_cardiac_filter_warn_once (self, &priv->warned_picture, text, NULL);
  g_free (text);
  return FALSE;
}

void
gst_cardiac_filter_warn_unread (GstCardiacFilter *self, CardiacError **error)
{
  gst_cardiac_filter_warn_once (self, &get_private (self)->warned_picture,
      *error ? cardiac_error_message (*error) : CUDA_FRAMES_FAILED,
      *error ? cardiac_error_detail (*error) : NULL);
  cardiac_error_free (error);
}
