/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef OVERLAY_MMSA_VIEW_H
#define OVERLAY_MMSA_VIEW_H

#include <mmsa-overlay.h>

#include "overlayview.h"

/* From records and metas of cine MR to what is drawn. Strings and arrays stay
 * those of the record: the view lives no longer than it. */

/** Fills in the slices that a picture shows, and the landmarks' source. */
void overlay_mmsa_view_fill_slices (CardiacMmsaView *view, GstBuffer *buffer);

/** Fills in what a record says.
 * @text: what strings are kept in
 * @result: of wall motion; %NULL: none has come */
void overlay_mmsa_view_fill_result (CardiacMmsaView *view,
    OverlayViewText *text, const GstCardiacResult *result);

/** Fills in what is known at this frame only. */
void overlay_mmsa_view_fill_frame (
    CardiacMmsaView *view, const GstCardiacResultMeta *meta);

#endif
