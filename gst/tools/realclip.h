/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef REAL_CLIP_H
#define REAL_CLIP_H

#include "evaluation.h"

/* A real grey-scale recording of one beat, into which the phantom's colour flow
 * is painted: real tissue, speckle, shadows and screen, but made-up jets whose
 * severity is known.
 *
 * Where the heart lies is said by a JSON file:
 *
 *   apex           [x, y] of the sector's beams, pixels of the picture
 *   pixels_per_cm  scale of the picture
 *   beat           [first, last] frame of one beat; the R wave is the first one
 *   tissue         luma, 0 to 255, from which a place is tissue and shows no flow
 *   settings       settings of the phantom that describe this heart and beat, in
 *                  cm from the apex, under the names of echotestsrc's properties
 *
 * All else (jets, beats, other flow, machine) is drawn as for a phantom. */

typedef struct _RealClip RealClip;

RealClip *real_clip_open (
    const gchar *video, const gchar *anatomy, GError **error);
void real_clip_free (RealClip *clip);

/** Recording @number in this heart. */
void real_clip_draw_subject (
    RealClip *clip, gint64 number, gint grade, Subject *subject);

/** Paints frames for evaluation_new(); borrowed from @clip. */
const Drawer *real_clip_get_drawer (RealClip *clip);

/** Writes a subject's frames as lossless video (FFV1 in Matroska). */
gboolean real_clip_write (
    RealClip *clip, const Subject *subject, const gchar *path, GError **error);

#endif
