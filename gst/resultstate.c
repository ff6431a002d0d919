/* SPDX-License-Identifier: LGPL-2.1-or-later */

#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include "resultstate.h"

#include <math.h>

GstCardiacState
state_pick (const StateInput *in)
{
  if (in->model_error)
    return GST_CARDIAC_STATE_MODEL_ERROR;
  if (in->paused)
    return GST_CARDIAC_STATE_PAUSED;
  if (in->blank && (in->never_content || in->blank_for >= STATE_BLANK_AFTER))
    return GST_CARDIAC_STATE_NO_SIGNAL;
  if (in->still_for >= STATE_FROZEN_AFTER)
    return GST_CARDIAC_STATE_FROZEN;
  if (in->heartless_for >= STATE_HEARTLESS_AFTER)
    return GST_CARDIAC_STATE_VIEW_NOT_A4C;
  if (in->colourless_for >= STATE_COLOURLESS_AFTER)
    return GST_CARDIAC_STATE_NO_DOPPLER;
  if (in->slow)
    return GST_CARDIAC_STATE_POOR_IMAGE;
  if (!in->has_result)
    return GST_CARDIAC_STATE_WAIT;
  if (GST_CLOCK_TIME_IS_VALID (in->stale_after) && in->age >= in->stale_after)
    return GST_CARDIAC_STATE_STALE;
  return in->unsure ? GST_CARDIAC_STATE_UNSURE : GST_CARDIAC_STATE_RESULT;
}

gboolean
state_is_unsure (const GstCardiacResult *result, gdouble band, gchar **why)
{
  if (why)
    *why = NULL;

  for (guint k = 0; k + 1 < result->n_classes; k++) {
    if (fabs (result->value - result->thresholds[k]) > band)
      continue;
    if (why)
      *why = g_strdup_printf ("value is near the border between %s and %s",
          result->labels[k], result->labels[k + 1]);
    return TRUE;
  }
  if (isfinite (result->presence)
      && (result->presence >= 0.5) != (result->grade > 0)) {
    if (why)
      *why =
          g_strdup (result->grade > 0
                        ? "graded, but regurgitation is not seen as present"
                        : "regurgitation is seen as present, but not graded");
    return TRUE;
  }
  return FALSE;
}

const gchar *
state_reason (GstCardiacState state)
{
  switch (state) {
    case GST_CARDIAC_STATE_RESULT:
      return "graded";
    case GST_CARDIAC_STATE_UNSURE:
      return "graded, but near a border";
    case GST_CARDIAC_STATE_WAIT:
      return "frames of a first result are coming in";
    case GST_CARDIAC_STATE_STALE:
      return "the newest result is too old";
    case GST_CARDIAC_STATE_NO_SIGNAL:
      return "nothing is shown";
    case GST_CARDIAC_STATE_FROZEN:
      return "the picture stands still";
    case GST_CARDIAC_STATE_VIEW_NOT_A4C:
      return "no heart in four-chamber view is found in the picture";
    case GST_CARDIAC_STATE_NO_DOPPLER:
      return "no colour in the picture";
    case GST_CARDIAC_STATE_POOR_IMAGE:
      return "too few pictures a second";
    case GST_CARDIAC_STATE_TOO_SHORT:
      return "the recording does not hold three clips without overlap";
    case GST_CARDIAC_STATE_MODEL_ERROR:
      return "the network failed";
    case GST_CARDIAC_STATE_PAUSED:
      return "analysis is switched off";
    default:
      return NULL;
  }
}
