/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CARDIAC_MAPPING_H
#define CARDIAC_MAPPING_H

#include "gstcardiacresult.h"

/* How an element moved the pixels that a meta speaks of: x' = scale x + shift,
 * an axis each, of edges (a picture begins at 0, its first pixel ends at 1). */
typedef struct {
  gdouble scale[2], shift[2];
  gdouble from[2], to[2]; ///< what shows of the old picture, in new pixels
  gboolean whole;         ///< all of the old picture fills all of the new one
} CardiacMapping;

/** @type and @data are those of a GstMetaTransformFunction: a copy, a scaling
 * or, from GStreamer 1.28 on, a matrix, by which pictures are cropped and
 * padded, too.
 *
 * A meta that has nothing to say of the new picture is left out, and its
 * function returns %TRUE: to %FALSE for a matrix, elements answer with a mere
 * scaling.
 * Returns: %FALSE for what does not keep the axes: cells of a map would lie in
 *   another order, and patient directions would no longer hold */
gboolean cardiac_mapping_init (
    CardiacMapping *self, GQuark type, gpointer data);

void cardiac_mapping_point (const CardiacMapping *self, gdouble point[2]);
void cardiac_mapping_box (const CardiacMapping *self, GstCardiacBox *box);

/** Whether all of the mapped box shows in the new picture. */
gboolean cardiac_mapping_shows (
    const CardiacMapping *self, const GstCardiacBox *box);
/** Whether any of it does. */
gboolean cardiac_mapping_touches (
    const CardiacMapping *self, const GstCardiacBox *box);

#endif
