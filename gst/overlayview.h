/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef OVERLAY_VIEW_H
#define OVERLAY_VIEW_H

#include <mreg-overlay.h>

#include "meta/gstcardiacmeta.h"

/** What the strings of a view are kept in. */
typedef struct {
  gchar state_time[16];
  gchar label[GST_CARDIAC_MAX_CLASSES][16];
} OverlayViewText;

/** Fills in what a record and its place on this frame say. Strings and arrays
 * stay those of the record: the view lives no longer than it.
 * @meta: %NULL: no record has come
 * @geometry: %NULL: unknown
 * @time: stream time of the frame, or NONE
 * @duration: of the recording, or NONE */
void overlay_view_fill (CardiacMRegView *view, OverlayViewText *text,
    const GstCardiacResultMeta *meta, const GstCardiacGeometryMeta *geometry,
    GstClockTime time, GstClockTime duration);

/** Fills in what a record says of its model and grades, whatever its state. */
void overlay_view_fill_model (CardiacMRegView *view, OverlayViewText *text,
    const GstCardiacResultMeta *meta);

/** The state of a record as the drawing calls it. */
CardiacOverlayState overlay_view_state (GstCardiacState state);

/** "hh:mm:ss" */
void overlay_view_format_time (gchar *text, gsize size, GstClockTime time);

#endif
