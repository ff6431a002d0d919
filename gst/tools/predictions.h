/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef PREDICTIONS_H
#define PREDICTIONS_H

#include "evaluation.h"

/* A CSV of predictions, one line a recording, that grows and can be resumed.
 * Empty fields are unknown.
 *
 *   seed, label           number of the recording; its true grade
 *   grade, value, p0, p1, p2, presence, instance, state
 *                         what the pipeline said
 *   jet                   none, central, eccentric or multiple
 *   severity, area, duration, eccentric, best_instance
 *                         of the worst beat, and the clip that holds it
 *   severity0, severity1, severity2
 *                         of the clips
 *   peak_in_jet           1: the map's highest cell in the selected clip lies on
 *                         a jet, dilated by one cell; true positives only
 *   peak_in_largest_jet   likewise at the sampled frame with the largest jet
 *   heart_rate, frame_rate, layout, nyquist, colour_gain, variance
 *                         of the recording */

typedef struct _Predictions Predictions;

/** Opens the file, or makes it. What follows its last whole line is cut off.
 * %NULL with @error, also when it holds something else. */
Predictions *predictions_open (const gchar *path, GError **error);
void predictions_close (Predictions *predictions);

/** Whether the file holds this recording. */
gboolean predictions_has (const Predictions *predictions, gint64 number);

gboolean predictions_add (Predictions *predictions, const Subject *subject,
    const Prediction *prediction, GError **error);

#endif
