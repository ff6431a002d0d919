/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef NETWORK_H
#define NETWORK_H

#include <cardiac/model.h>
#include <cardiac/session.h>
#include <gst/gst.h>

#include "gstcardiacenums.h"
#include "meta/gstcardiacresult.h"

/* What every element with a network has: the properties that say which model
 * runs how, and the model and the threads that follow from them. */

#define NETWORK_DEFAULT_MODEL ""
#define NETWORK_DEFAULT_DEVICE "auto"
#define NETWORK_DEFAULT_PRECISION GST_CARDIAC_PRECISION_AUTO
#define NETWORK_DEFAULT_THREADS 0

/** Properties, in the order of their numbers in an element. */
enum {
  NETWORK_MODEL,
  NETWORK_DEVICE,
  NETWORK_PRECISION,
  NETWORK_THREADS,
  NETWORK_ACTUAL_DEVICE,
  NETWORK_PROPERTIES,
};

/** Values of the properties. An element keeps them under its lock. */
typedef struct {
  gchar *model, *device;
  GstCardiacPrecision precision;
  gint threads;
  gchar *actual_device; ///< that the network runs on; %NULL: none runs
} NetworkSettings;

void network_settings_init (NetworkSettings *settings);
void network_settings_clear (NetworkSettings *settings);

/** Installs `model`, `device`, `precision`, `threads` and `actual-device` under
 * the numbers from @first on. @empty_model: what an empty `model` means, a
 * sentence. */
void network_settings_install (
    GObjectClass *klass, guint first, const gchar *empty_model);
void network_settings_set (
    NetworkSettings *settings, guint property, const GValue *value);
void network_settings_get (
    const NetworkSettings *settings, guint property, GValue *value);

/** Says what the network of @element really runs on, as `actual-device` and in
 * the log; @info %NULL: none runs any more. Takes the element's lock. */
void network_settings_set_run_info (
    NetworkSettings *settings, GstElement *element, const CardiacRunInfo *info);

/** What a worker's network is planned from: its own references. */
typedef struct {
  CardiacModel *model;
  CardiacSettings settings;
  gchar *device;
} NetworkPlan;

void network_plan_init (
    NetworkPlan *plan, CardiacModel *model, const CardiacSettings *settings);
void network_plan_clear (NetworkPlan *plan);

/** A model and threads, both shared through the registry. */
typedef struct {
  CardiacModel *model;
  guint users; ///< of the model, this one too
  CardiacPool *pool;
  gchar *device; ///< that was asked for
} NetworkResources;

/** Whether a source of the pipeline that holds @element says it is live. A guess
 * before the pipeline runs, good enough to choose a number of threads. */
gboolean network_has_live_source (GstElement *element);

/** The model file that @element shall use; free with g_free(). %NULL: `model` is
 * empty and the file @demo is not installed. Takes the element's lock. */
gchar *network_find_model (
    const NetworkSettings *settings, GstElement *element, const gchar *demo);

/** Loads the model @path and makes the threads; all processors by default, but
 * one for the video when @live. Takes the element's lock.
 * @engine: receives settings for the network; they borrow from @resources */
gboolean network_resources_open (NetworkResources *resources,
    const NetworkSettings *settings, GstElement *element, const gchar *path,
    gboolean live, CardiacSettings *engine, CardiacError **error);

/** Gives them back. */
void network_resources_close (NetworkResources *resources);

/** Posts the error that there is no model. @demo: the file that was looked for */
void network_post_no_model (GstElement *element, const gchar *demo);

/** Fills in what a record says of its software and of its model (NULL: none). */
void network_fill_record (GstCardiacResult *record, CardiacModel *model);

/** What a worker's outcome says of an error, which is freed here. The strings are
 * the outcome's, to be freed with g_free(). */
void network_take_failure (
    CardiacError **error, gchar **failure, gchar **detail);

#endif
