/* SPDX-License-Identifier: LGPL-2.1-or-later */

#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include "network.h"

#include <gst/base/gstbasesrc.h>

#include "registry.h"

#define MAX_THREADS 256

/* ---- properties -------------------------------------------------------- */

void
network_settings_init (NetworkSettings *settings)
{
  settings->model = g_strdup (NETWORK_DEFAULT_MODEL);
  settings->device = g_strdup (NETWORK_DEFAULT_DEVICE);
  settings->precision = NETWORK_DEFAULT_PRECISION;
  settings->threads = NETWORK_DEFAULT_THREADS;
}

void
network_settings_clear (NetworkSettings *settings)
{
  g_clear_pointer (&settings->model, g_free);
  g_clear_pointer (&settings->device, g_free);
  g_clear_pointer (&settings->actual_device, g_free);
}

void
network_settings_install (
    GObjectClass *klass, guint first, const gchar *empty_model)
{
  const GParamFlags flags =
      G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS | GST_PARAM_MUTABLE_READY;
  gchar *blurb =
      g_strdup_printf ("Model file (safetensors). Empty: %s", empty_model);

  g_object_class_install_property (klass, first + NETWORK_MODEL,
      g_param_spec_string ("model", "Model", g_intern_string (blurb),
          NETWORK_DEFAULT_MODEL, flags));
  g_object_class_install_property (klass, first + NETWORK_DEVICE,
      g_param_spec_string ("device", "Device",
          "auto, cuda, cuda:N, cpu or reference. auto takes what can be had; "
          "a device that is named and cannot be had is an error",
          NETWORK_DEFAULT_DEVICE, flags));
  g_object_class_install_property (klass, first + NETWORK_PRECISION,
      g_param_spec_enum ("precision", "Precision", "Precision of the network",
          GST_TYPE_CARDIAC_PRECISION, NETWORK_DEFAULT_PRECISION, flags));
  g_object_class_install_property (klass, first + NETWORK_THREADS,
      g_param_spec_int ("threads", "Threads",
          "Threads of the network. 0: all processors, but one for the video "
          "in live use",
          0, MAX_THREADS, NETWORK_DEFAULT_THREADS, flags));
  g_object_class_install_property (klass, first + NETWORK_ACTUAL_DEVICE,
      g_param_spec_string ("actual-device", "Actual device",
          "Device and precision that the network runs on", NULL,
          G_PARAM_READABLE | G_PARAM_STATIC_STRINGS));
  g_free (blurb);
}

void
network_settings_set (
    NetworkSettings *settings, guint property, const GValue *value)
{
  switch (property) {
    case NETWORK_MODEL:
      g_free (settings->model);
      settings->model = g_value_dup_string (value);
      break;
    case NETWORK_DEVICE:
      g_free (settings->device);
      settings->device = g_value_dup_string (value);
      break;
    case NETWORK_PRECISION:
      settings->precision = g_value_get_enum (value);
      break;
    case NETWORK_THREADS:
      settings->threads = g_value_get_int (value);
      break;
    default:
      g_assert_not_reached ();
  }
}

void
network_settings_get (
    const NetworkSettings *settings, guint property, GValue *value)
{
  switch (property) {
    case NETWORK_MODEL:
      g_value_set_string (value, settings->model);
      break;
    case NETWORK_DEVICE:
      g_value_set_string (value, settings->device);
      break;
    case NETWORK_PRECISION:
      g_value_set_enum (value, settings->precision);
      break;
    case NETWORK_THREADS:
      g_value_set_int (value, settings->threads);
      break;
    case NETWORK_ACTUAL_DEVICE:
      g_value_set_string (value, settings->actual_device);
      break;
    default:
      g_assert_not_reached ();
  }
}

void
network_settings_set_run_info (
    NetworkSettings *settings, GstElement *element, const CardiacRunInfo *info)
{
  gchar *text = info ? g_strdup_printf ("%s %s, %d threads", info->device,
                    info->precision, info->threads)
                     : NULL;

  if (info)
    GST_INFO_OBJECT (element, "network runs on %s", text);
  if (info && info->fallback && *info->fallback)
    GST_INFO_OBJECT (element, "no better device: %s", info->fallback);
  GST_OBJECT_LOCK (element);
  g_free (settings->actual_device);
  settings->actual_device = text;
  GST_OBJECT_UNLOCK (element);
}

/* ---- threads ----------------------------------------------------------- */

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

gboolean
network_has_live_source (GstElement *element)
{
  GstObject *top = gst_object_ref (GST_OBJECT (element)), *parent;
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

static gint
choose_threads (gint threads, gboolean live)
{
  gint processors = cardiac_processors ();

  if (threads > 0)
    return threads;
  if (live && processors > 1)
    processors--;
  return CLAMP (processors, 1, MAX_THREADS);
}

/* ---- the model --------------------------------------------------------- */

gchar *
network_find_model (
    const NetworkSettings *settings, GstElement *element, const gchar *demo)
{
  gchar *model, *path;

  GST_OBJECT_LOCK (element);
  model = g_strdup (settings->model);
  GST_OBJECT_UNLOCK (element);
  path = registry_find_model (model, demo);
  g_free (model);
  return path;
}

gboolean
network_resources_open (NetworkResources *resources,
    const NetworkSettings *settings, GstElement *element, const gchar *path,
    gboolean live, CardiacSettings *engine, CardiacError **error)
{
  CardiacPrecision precision;
  gint threads;

  GST_OBJECT_LOCK (element);
  precision = (CardiacPrecision) settings->precision;
  threads = choose_threads (settings->threads, live);
  resources->device =
      g_strdup (settings->device && *settings->device ? settings->device
                                                      : NETWORK_DEFAULT_DEVICE);
  GST_OBJECT_UNLOCK (element);
  resources->model = registry_get_model (path, &resources->users, error);
  if (!resources->model)
    return FALSE;
  resources->pool = registry_get_pool (threads, error);
  if (!resources->pool)
    return FALSE;

  cardiac_settings_default (engine);
  engine->precision = precision;
  engine->pool = resources->pool;
  engine->device = resources->device;
  return TRUE;
}

void
network_resources_close (NetworkResources *resources)
{
  registry_release_pool (&resources->pool);
  registry_release_model (&resources->model);
  g_clear_pointer (&resources->device, g_free);
  resources->users = 0;
}

void
network_post_no_model (GstElement *element, const gchar *demo)
{
  GST_ELEMENT_ERROR (element, RESOURCE, NOT_FOUND,
      ("There is no model: the property \"model\" is empty and the "
       "demonstration weights %s were not found. Set model=FILE.safetensors.",
          demo),
      ("looked in $CARDIAC_MODEL_PATH, %s, %s", CARDIAC_MODEL_DIR,
          CARDIAC_MODEL_SOURCE_DIR));
}

void
network_fill_record (GstCardiacResult *record, CardiacModel *model)
{
  record->version = g_strdup (VERSION);
  if (!model)
    return;
  record->model_name = g_strdup (cardiac_model_name (model));
  record->model_sha256 = g_strdup (cardiac_model_sha256 (model));
  record->model_arch =
      g_strdup (cardiac_arch_name (cardiac_model_arch (model)));
  record->trained = cardiac_model_trained (model);
  record->synthetic = cardiac_model_synthetic (model);
}

void
network_take_failure (CardiacError **error, gchar **failure, gchar **detail)
{
  *failure =
      g_strdup (*error ? cardiac_error_message (*error) : "the network failed");
  *detail = g_strdup (*error ? cardiac_error_detail (*error) : "");
  cardiac_error_free (error);
}

void
network_plan_init (
    NetworkPlan *plan, CardiacModel *model, const CardiacSettings *settings)
{
  plan->model = cardiac_model_ref (model);
  plan->settings = *settings;
  plan->device = g_strdup (settings->device);
  plan->settings.device = plan->device;
  if (settings->pool)
    plan->settings.pool = cardiac_pool_ref (settings->pool);
}

void
network_plan_clear (NetworkPlan *plan)
{
  if (plan->settings.pool)
    cardiac_pool_unref (&plan->settings.pool);
  cardiac_model_unref (&plan->model);
  g_clear_pointer (&plan->device, g_free);
}
