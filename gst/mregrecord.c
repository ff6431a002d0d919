/* SPDX-License-Identifier: LGPL-2.1-or-later */

#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include "mregrecord.h"

#include <math.h>
#include <string.h>

#include "network.h"
#include "resultstate.h"

GstCardiacResult *
mreg_record_new (const MregProvenance *from)
{
  GstCardiacResult *record = gst_cardiac_result_new (GST_CARDIAC_RESULT_MREG);

  network_fill_record (record, from->model);
  if (!from->model)
    return record;
  if (!from->shape)
    return record;

  record->device = g_strdup (from->run_info->device);
  record->precision = g_strdup (from->run_info->precision);
  record->n_classes = MIN (from->shape->classes, GST_CARDIAC_MAX_CLASSES);
  for (guint k = 0; k < record->n_classes; k++)
    record->labels[k] = g_strdup (cardiac_model_label (from->model, k));
  for (guint k = 0; k + 1 < record->n_classes; k++)
    record->thresholds[k] = from->shape->thresholds[k];
  return record;
}

static void
set_clips (GstCardiacResult *record, const MregOutcome *outcome)
{
  const Picture *newest;

  record->instances = outcome->count;
  record->n_points = outcome->clips[0]->count;
  record->n_spans = outcome->count;
  record->frame_times =
      g_new (GstClockTime, record->instances * record->n_points);
  for (guint i = 0; i < outcome->count; i++) {
    const Clip *clip = outcome->clips[i];

    record->spans[i][0] = clip->pictures[0]->time;
    record->spans[i][1] = clip->pictures[clip->count - 1]->time;
    for (guint t = 0; t < clip->count; t++)
      record->frame_times[i * record->n_points + t] = clip->pictures[t]->time;
  }
  newest = outcome->clips[outcome->count - 1]->pictures[record->n_points - 1];
  record->pts = newest->time;
  record->has_roi = TRUE; /* the whole picture where none was given */
  record->roi = newest->roi;
}

/* One cell of a map; NaN where the method says nothing. */
static gfloat
get_cell (const CardiacMRegResult *result, GstCardiacHeatmap heatmap, gint i,
    gint t, gint n)
{
  gint patches = result->grid * result->grid;
  gsize at = ((gsize) i * result->frames + t) * patches + n;

  switch (heatmap) {
    case GST_CARDIAC_HEATMAP_MIXED:
      return result->mixed[at];
    case GST_CARDIAC_HEATMAP_EIGENCAM:
      if (i != result->selected || !result->eigencam_defined[t])
        return NAN;
      return result->eigencam[(gsize) t * patches + n];
    default:
      return result->activation[at * result->classes + result->grade];
  }
}

static void
set_maps (GstCardiacResult *record, const CardiacMRegResult *result,
    GstCardiacHeatmap heatmap)
{
  gint patches = result->grid * result->grid;
  gfloat *cell;

  if (heatmap == GST_CARDIAC_HEATMAP_NONE)
    return;
  record->map_method = g_strdup (gst_cardiac_heatmap_name (heatmap));
  record->map_rows = record->map_cols = result->grid;
  record->maps = cell =
      g_new (gfloat, (gsize) result->instances * result->frames * patches);
  for (gint i = 0; i < result->instances; i++) {
    record->map_peaks[i] = 0;
    for (gint t = 0; t < result->frames; t++) {
      for (gint n = 0; n < patches; n++, cell++) {
        *cell = get_cell (result, heatmap, i, t, n);
        if (*cell > record->map_peaks[i])
          record->map_peaks[i] = *cell;
      }
    }
  }
}

GstCardiacResult *
mreg_record_from_outcome (const MregOutcome *outcome,
    const MregProvenance *provenance, GstCardiacHeatmap heatmap, gdouble band)
{
  const CardiacMRegResult *result = outcome->result;
  GstCardiacResult *record = mreg_record_new (provenance);
  gchar *why;

  set_clips (record, outcome);
  record->is_final = outcome->is_final;
  record->instance = result->selected;
  record->grade = result->grade;
  record->value = result->value;
  record->presence = result->presence[result->selected];
  record->has_probabilities = TRUE;
  memcpy (record->probabilities, result->probabilities,
      record->n_classes * sizeof (gfloat));
  record->curve = g_memdup2 (result->curve,
      (gsize) result->instances * result->frames * sizeof (gfloat));
  record->inference_ms = outcome->inference_ms;
  set_maps (record, result, heatmap);

  if (state_is_unsure (record, band, &why)) {
    record->state = GST_CARDIAC_STATE_UNSURE;
    record->reason = why;
  } else {
    record->state = GST_CARDIAC_STATE_RESULT;
  }
  return record;
}
