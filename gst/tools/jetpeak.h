/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef JET_PEAK_H
#define JET_PEAK_H

#include <echo/echo-phantom.h>

#include "meta/gstcardiacresult.h"

/** A crop of a picture, in the phantom's screen coordinates. */
typedef EchoView (*JetPeakView) (gpointer data, GstClockTime time);

/** Whether the highest cell of the selected instance's map lies on a jet: a jet
 * pixel is no farther away from the cell's centre than one cell, along either
 * axis.
 * @at_largest: only the sampled frame with the largest jet is looked at, and
 *   not the frame that holds the highest cell of the whole instance
 * Returns: 1, 0, or -1: there is no map or no such frame */
gint jet_peak (const GstCardiacResult *result, EchoPhantom *phantom,
    gboolean at_largest, JetPeakView view, gpointer data);

#endif
