/* SPDX-License-Identifier: LGPL-2.1-or-later */

#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include "overlayview.h"

#include <math.h>

CardiacOverlayState
overlay_view_state (GstCardiacState state)
{
  switch (state) {
    case GST_CARDIAC_STATE_RESULT:
      return CARDIAC_OVERLAY_RESULT;
    case GST_CARDIAC_STATE_UNSURE:
      return CARDIAC_OVERLAY_UNSURE;
    case GST_CARDIAC_STATE_STALE:
      return CARDIAC_OVERLAY_STALE;
    case GST_CARDIAC_STATE_NO_SIGNAL:
      return CARDIAC_OVERLAY_NO_SIGNAL;
    case GST_CARDIAC_STATE_FROZEN:
      return CARDIAC_OVERLAY_FROZEN;
    case GST_CARDIAC_STATE_NO_DOPPLER:
      return CARDIAC_OVERLAY_NO_DOPPLER;
    case GST_CARDIAC_STATE_VIEW_NOT_A4C:
      return CARDIAC_OVERLAY_VIEW_NOT_A4C;
    case GST_CARDIAC_STATE_POOR_IMAGE:
      return CARDIAC_OVERLAY_POOR_IMAGE;
    case GST_CARDIAC_STATE_TOO_SHORT:
      return CARDIAC_OVERLAY_TOO_SHORT;
    case GST_CARDIAC_STATE_MODEL_ERROR:
      return CARDIAC_OVERLAY_MODEL_ERROR;
    case GST_CARDIAC_STATE_PAUSED:
      return CARDIAC_OVERLAY_PAUSED;
    case GST_CARDIAC_STATE_STACK_INCOMPLETE:
      return CARDIAC_OVERLAY_STACK_INCOMPLETE;
    case GST_CARDIAC_STATE_PHASES_DIFFER:
      return CARDIAC_OVERLAY_PHASES_DIFFER;
    case GST_CARDIAC_STATE_LEVEL_UNKNOWN:
      return CARDIAC_OVERLAY_LEVEL_UNKNOWN;
    default:
      return CARDIAC_OVERLAY_WAIT;
  }
}

static CardiacOverlayBox
get_box (const GstCardiacBox *box)
{
  CardiacOverlayBox copy = { box->x, box->y, box->w, box->h };

  return copy;
}

static gboolean
has_borders (const GstCardiacResult *result)
{
  for (guint k = 1; k + 1 < result->n_classes; k++)
    if (!(result->thresholds[k] > result->thresholds[k - 1]))
      return FALSE;
  return result->n_classes >= 2
         && (result->thresholds[0] != 0 || result->n_classes > 2);
}

static void
fill_labels (CardiacMRegView *view, OverlayViewText *text,
    const GstCardiacResult *result)
{
  view->n_classes = result->n_classes;
  for (guint k = 0; k < result->n_classes; k++) {
    if (result->labels[k]) {
      view->labels[k] = result->labels[k];
      continue;
    }
    g_snprintf (text->label[k], sizeof text->label[k], "grade %u", k);
    view->labels[k] = text->label[k];
  }
}

static void
fill_finding (CardiacMRegView *view, OverlayViewText *text,
    const GstCardiacResult *result)
{
  fill_labels (view, text, result);
  view->grade = result->grade;
  if (has_borders (result)) {
    view->value = result->value;
    for (guint k = 0; k + 1 < result->n_classes; k++)
      view->thresholds[k] = result->thresholds[k];
  } else {
    /* A record without the names and borders of a model file: no scale. */
    for (guint k = 0; k + 1 < result->n_classes; k++)
      view->thresholds[k] = k + 0.5;
  }
  if (result->has_probabilities && result->grade >= 0)
    view->probability = result->probabilities[result->grade];
  if (isfinite (result->presence))
    view->presence = result->presence;
}

static void
fill_curve (CardiacMRegView *view, const GstCardiacResult *result)
{
  guint count = MIN (result->instances, CARDIAC_OVERLAY_MAX_INSTANCES);

  if (!result->curve || result->n_points < 2 || result->n_spans < count)
    return;
  view->n_instances = count;
  view->n_points = result->n_points;
  view->curve = result->curve;
  view->selected = result->instance;
  for (guint i = 0; i < count; i++) {
    view->spans_ns[i][0] = result->spans[i][0];
    view->spans_ns[i][1] = result->spans[i][1];
  }
}

static void
fill_map (CardiacMRegView *view, const GstCardiacResultMeta *meta,
    const GstCardiacGeometryMeta *geometry)
{
  const GstCardiacResult *result = meta->result;
  const gfloat *map =
      gst_cardiac_result_get_map (result, meta->map_instance, meta->map_frame);

  /* Without maps, and live, where a result comes after the frames that it is
   * about, none is ever drawn: no legend either. */
  if (!result->maps || !result->is_final)
    view->map_mode = CARDIAC_OVERLAY_MAP_OFF;
  if (!map || !geometry || !geometry->has_crop)
    return;
  view->map = map;
  view->map_rows = result->map_rows;
  view->map_cols = result->map_cols;
  view->map_peak = result->map_peaks[meta->map_instance];
  view->crop = get_box (&geometry->crop);
}

static void
fill_provenance (CardiacMRegView *view, const GstCardiacResult *result)
{
  view->final = result->is_final;
  view->model_name = result->model_name;
  view->model_hash = result->model_sha256;
  view->device = result->device;
  view->precision = result->precision;
  view->trained = result->trained;
  view->synthetic = result->synthetic;
}

void
overlay_view_fill_model (CardiacMRegView *view, OverlayViewText *text,
    const GstCardiacResultMeta *meta)
{
  if (!meta || meta->result->type != GST_CARDIAC_RESULT_MREG)
    return;
  fill_provenance (view, meta->result);
  fill_labels (view, text, meta->result);
}

void
overlay_view_format_time (gchar *text, gsize size, GstClockTime time)
{
  guint64 seconds = time / GST_SECOND;

  g_snprintf (text, size, "%02u:%02u:%02u", (guint) (seconds / 3600 % 100),
      (guint) (seconds / 60 % 60), (guint) (seconds % 60));
}

void
overlay_view_fill (CardiacMRegView *view, OverlayViewText *text,
    const GstCardiacResultMeta *meta, const GstCardiacGeometryMeta *geometry,
    GstClockTime time, GstClockTime duration)
{
  const GstCardiacResult *result = meta ? meta->result : NULL;

  if (geometry && geometry->has_roi) {
    view->roi = get_box (&geometry->roi);
    view->draw_roi = true;
  }
  if (!result || result->type != GST_CARDIAC_RESULT_MREG) {
    view->state = CARDIAC_OVERLAY_WAIT;
    view->reason = "no result comes with the video";
    return;
  }

  view->state = overlay_view_state (result->state);
  view->reason = result->reason;
  view->wait_done = meta->wait_done;
  view->wait_total = meta->wait_total;
  if (result->state == GST_CARDIAC_STATE_FROZEN
      && GST_CLOCK_TIME_IS_VALID (result->pts)) {
    overlay_view_format_time (
        text->state_time, sizeof text->state_time, result->pts);
    view->state_time = text->state_time;
  }
  if (!result->is_final && GST_CLOCK_TIME_IS_VALID (meta->age))
    view->age_s = meta->age / (gdouble) GST_SECOND;
  fill_provenance (view, result);
  if (!gst_cardiac_state_has_finding (result->state) || result->grade < 0)
    return;

  fill_finding (view, text, result);
  /* Presence and grade contradict each other: the doubt is not about a border;
   * the grade stands alone and the reason says why it is doubted. */
  view->unsure_alone = isfinite (result->presence)
                       && (result->presence >= 0.5) != (result->grade > 0);
  fill_curve (view, result);
  fill_map (view, meta, geometry);
  if (GST_CLOCK_TIME_IS_VALID (time))
    view->position_ns = time;
  if (result->is_final && GST_CLOCK_TIME_IS_VALID (duration))
    view->duration_ns = duration;
}
