/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef BULLSEYE_FILE_H
#define BULLSEYE_FILE_H

#include <gst/gst.h>
#include <mmsa-overlay.h>

#include "overlaysettings.h"
#include "meta/gstcardiacresult.h"

/* The bull's-eye as files: written with each final result of wall motion, and
 * at the end of the stream when none was final. */

typedef struct {
  GstCardiacResult *result; ///< newest of wall motion, or %NULL
  gint width, height;       ///< of the picture that it came with
  CardiacMmsaSlice slices[CARDIAC_OVERLAY_SLICES]; ///< in that picture
  const gchar *landmarks;                          ///< likewise; static
  gboolean written;                                ///< `result` is in the files
  gchar *failed; ///< location that could not be written: said once
} BullseyeFile;

/** Remembers what a frame shows and writes it if it is final and new.
 * @view: of the frame, with @result filled in */
void bullseye_file_see (BullseyeFile *self, GstElement *element,
    CardiacOverlay *overlay, const OverlaySettings *settings,
    GstCardiacResult *result, const CardiacMmsaView *view);

/** The stream has ended: writes what is not written yet. */
void bullseye_file_finish (BullseyeFile *self, GstElement *element,
    CardiacOverlay *overlay, const OverlaySettings *settings,
    const CardiacMmsaPalette *palette);

void bullseye_file_clear (BullseyeFile *self);

#endif
