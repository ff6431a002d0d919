/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef EVALUATION_H
#define EVALUATION_H

#include <gst/gst.h>

#include "echotruth.h"
#include "meta/gstcardiacresult.h"

/* One pipeline that grades many recordings, one after the other, through the
 * elements and the engine as a user runs them:
 *
 *   source ! [mregroi !] mregclassify sync-mode=exact interim=false ! fakesink
 *
 * The source is echotestsrc or, where a drawer is given, frames that the drawer
 * paints. */

typedef enum {
  REGION_DETECTOR, ///< mregroi's
  REGION_TRUTH,    ///< what the phantom knows
  REGION_WHOLE,    ///< the whole picture
} Region;

typedef struct {
  const gchar *model, *detector; ///< files; NULL: the elements' own
  const gchar *device, *precision;
  gint threads;
  Region region;
  gint width, height; ///< of pictures; 0: as they come
} EvaluationOptions;

/** A recording to grade. */
typedef struct {
  gint64 number;         ///< of echo_settings_draw()
  gint grade;            ///< that it is drawn with, -1: any
  EchoSettings settings; ///< what is true of it
} Subject;

/** Paints frames that are not echotestsrc's. */
typedef struct {
  gpointer data;
  /** Caps of the frames, RGB; transfer full. */
  GstCaps *(*caps) (gpointer data, const Subject *subject);
  /** Frame @n with its time; NULL at the end. */
  GstBuffer *(*draw) (gpointer data, const Subject *subject, guint n);
  /** Where the phantom's screen lies in the picture. */
  void (*place) (gpointer data, EchoPicture *picture);
} Drawer;

/** What the pipeline said. */
typedef struct {
  GstCardiacResult *result; ///< the final record; owned
  gint peak_in_jet;         ///< see jet_peak(); -1: unknown
  gint peak_in_largest_jet; ///< likewise
} Prediction;

typedef struct _Evaluation Evaluation;

/** @drawer: %NULL: echotestsrc. Borrowed. %NULL with @error. */
Evaluation *evaluation_new (
    const EvaluationOptions *options, const Drawer *drawer, GError **error);
void evaluation_free (Evaluation *evaluation);

/** Grades one. %FALSE with @error when the pipeline failed. */
gboolean evaluation_run (Evaluation *evaluation, const Subject *subject,
    Prediction *prediction, GError **error);
void prediction_clear (Prediction *prediction);

#endif
