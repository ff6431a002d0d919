/* SPDX-License-Identifier: LGPL-2.1-or-later */

#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include "overlaymmsaview.h"

#include <math.h>
#include <string.h>

#include "meta/gstcardiacslicemeta.h"

/* A segment whose likeliest score has less than this is outlined. */
#define SURE 0.5

G_STATIC_ASSERT ((int) CARDIAC_OVERLAY_SEGMENTS == GST_CARDIAC_SEGMENTS);

static const gchar *
get_landmarks (GstCardiacLandmarksSource source)
{
  switch (source) {
    case GST_CARDIAC_LANDMARKS_PROPERTY:
      return "landmarks by hand";
    case GST_CARDIAC_LANDMARKS_FILE:
      return "landmarks from file";
    case GST_CARDIAC_LANDMARKS_SEGMENTATION:
      return "landmarks from labels";
    case GST_CARDIAC_LANDMARKS_ESTIMATED:
      return "landmarks estimated";
    case GST_CARDIAC_LANDMARKS_TRUTH:
      return "landmarks of a phantom";
    default:
      return NULL;
  }
}

static void
fill_slice (
    CardiacMmsaSlice *slice, const GstCardiacSliceMeta *meta, gboolean is_polar)
{
  slice->shown = true;
  slice->slice = MIN (meta->slice, G_MAXINT);
  slice->phases = MIN (meta->phases, G_MAXINT);
  slice->phase = MIN (meta->phase, G_MAXINT);
  if (is_polar)
    return;
  slice->rectangle.x = meta->rectangle.x;
  slice->rectangle.y = meta->rectangle.y;
  slice->rectangle.width = meta->rectangle.w;
  slice->rectangle.height = meta->rectangle.h;
  slice->has_landmarks = meta->landmarks != GST_CARDIAC_LANDMARKS_NONE;
  memcpy (slice->lv_centre, meta->lv_centre, sizeof meta->lv_centre);
  memcpy (slice->rv_anterior, meta->rv_anterior, sizeof meta->rv_anterior);
  memcpy (slice->rv_inferior, meta->rv_inferior, sizeof meta->rv_inferior);
}

void
overlay_mmsa_view_fill_slices (CardiacMmsaView *view, GstBuffer *buffer)
{
  /* Landmarks beside a polar picture are those of its original. */
  gboolean is_polar = gst_buffer_get_cardiac_polar_meta (buffer) != NULL;
  GstCardiacLandmarksSource landmarks = GST_CARDIAC_LANDMARKS_NONE;

  for (gint level = 0; level < CARDIAC_OVERLAY_SLICES; level++) {
    const GstCardiacSliceMeta *meta =
        gst_buffer_get_cardiac_slice_meta (buffer, level);
    CardiacMmsaSlice *slice = &view->slices[level];

    if (!meta)
      continue;
    slice->rectangle.width = view->picture_width;
    slice->rectangle.height = view->picture_height;
    fill_slice (slice, meta, is_polar);
    /* One word stands for all slices: that of the least sure one. */
    landmarks = MAX (landmarks, meta->landmarks);
  }
  if (!view->landmarks)
    view->landmarks = get_landmarks (landmarks);
}

static void
fill_scores (CardiacMmsaView *view, const GstCardiacResult *result)
{
  memcpy (view->scores, result->scores, sizeof view->scores);
  view->withhold_index = !isfinite (result->index);
  for (guint k = 0; k < GST_CARDIAC_SEGMENTS; k++) {
    gfloat most = 0;

    for (guint s = 0; s < GST_CARDIAC_SCORES; s++)
      most = MAX (most, result->score_probabilities[k][s]);
    view->unsure[k] = result->has_score_probabilities && result->trained
                      && result->scores[k] > 0 && most < SURE;
  }
  if (result->motion && result->n_phases > 0) {
    view->motion = result->motion;
    view->n_phases = result->n_phases;
    view->motion_step = MAX (result->motion_step, 1);
  }
}

void
overlay_mmsa_view_fill_result (CardiacMmsaView *view, OverlayViewText *text,
    const GstCardiacResult *result)
{
  if (!result) {
    view->state = CARDIAC_OVERLAY_WAIT;
    view->reason = "no result comes with the video";
    return;
  }
  view->state = overlay_view_state (result->state);
  view->reason = result->reason;
  if (result->state == GST_CARDIAC_STATE_FROZEN
      && GST_CLOCK_TIME_IS_VALID (result->pts)) {
    overlay_view_format_time (
        text->state_time, sizeof text->state_time, result->pts);
    view->state_time = text->state_time;
  }
  view->final = result->is_final;
  view->model_name = result->model_name;
  view->model_hash = result->model_sha256;
  view->device = result->device;
  view->precision = result->precision;
  view->trained = result->trained;
  view->synthetic = result->synthetic;
  if (gst_cardiac_state_has_finding (result->state) && result->has_scores)
    fill_scores (view, result);
}

void
overlay_mmsa_view_fill_frame (
    CardiacMmsaView *view, const GstCardiacResultMeta *meta)
{
  view->wait_done = meta->wait_done;
  view->wait_total = meta->wait_total;
  if (!meta->result->is_final && GST_CLOCK_TIME_IS_VALID (meta->age))
    view->age_s = meta->age / (gdouble) GST_SECOND;
}
