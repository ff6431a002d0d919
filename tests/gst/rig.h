/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef RIG_H
#define RIG_H

#include <gst/check/gstharness.h>

#include "frames.h"
#include "meta/cardiac.h"

/* One element between two pads, with a bus, fed with made-up frames. */

typedef struct {
  GstHarness *harness;
  GstElement *element;
  GstBus *bus;
  GstVideoInfo info;
  gdouble fps;
  guint frame;        ///< number of the next one
  gboolean heartless; ///< frames carry word of a detector that finds no heart
  gboolean m_mode;    ///< frames carry word of a screen of M-mode alone
} Rig;

/** @launch: the element and its properties, as for gst-launch */
void rig_start (Rig *rig, const gchar *launch);
void rig_stop (Rig *rig);

/** Sets caps; frames that follow have this rate. */
void rig_caps (
    Rig *rig, const gchar *format, gint width, gint height, gint fps);

/** The next frame, pushed and pulled. Unref it. */
GstBuffer *rig_push (Rig *rig, FrameKind kind, guint texture);

/** So many frames with moving textures; returns the last one's state. */
GstCardiacState rig_push_many (Rig *rig, FrameKind kind, guint count);

/** The state that a frame carries, or -1. */
gint rig_state (GstBuffer *buffer);

/** The newest `cardiac-result` message's record, or %NULL; unref it. Others
 * before it are dropped. @count: receives how many there were */
GstCardiacResult *rig_last_record (Rig *rig, guint *count);

/** Starts the element and returns the error that it posts; free it. %NULL when
 * it starts. */
GError *rig_start_error (const gchar *launch);

/** Counter of the `stats` property. */
guint64 rig_stat (Rig *rig, const gchar *name);

/** The model that tests use; from the environment. */
const gchar *rig_model (void);

#endif
