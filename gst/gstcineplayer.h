/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef GST_CINE_PLAYER_H
#define GST_CINE_PLAYER_H

#include <gst/gst.h>

#include "cineshow.h"

G_BEGIN_DECLS

#define GST_TYPE_CINE_PLAYER (gst_cine_player_get_type ())
G_DECLARE_DERIVABLE_TYPE (
    GstCinePlayer, gst_cine_player, GST, CINE_PLAYER, GstElement)

/**
 * GstCinePlayerClass:
 * @load: from READY to PAUSED: fills in the stack and its levels; review_side is
 *   set. Takes the object lock itself where it needs it.
 * @decorate: optional: adds to a buffer before it is pushed. Streaming thread.
 *
 * Plays the basal, mid and apical slice of a stack over one or more cycles: what
 * cmrcinesrc and cmrtestsrc have in common. Pads `basal`, `mid`, `apical` and
 * `review` on request, one task that pushes phase by phase to all of them, seeks.
 */
struct _GstCinePlayerClass {
  GstElementClass parent;

  gboolean (*load) (GstCinePlayer *self, CineShow *show, CineError *error);
  void (*decorate) (GstCinePlayer *self, guint phase, GstBuffer *buffer);
};

/** Whether pictures come at their time and there is no preroll nor seek; to be
 * set before PAUSED. */
void gst_cine_player_set_live (GstCinePlayer *self, gboolean live);
gboolean gst_cine_player_is_live (GstCinePlayer *self);

G_END_DECLS

#endif
