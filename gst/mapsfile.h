/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MAPS_FILE_H
#define MAPS_FILE_H

#include <cardiac/image.h>

#include "meta/gstcardiacresult.h"

/* What a second pass needs to draw a result and its JSON line does not hold:
 * where and when the frames were taken, the maps, the grades' names. One JSON
 * object:
 *
 *   schema      "gst-cardiac-maps/1"
 *   sha256      of the model; must be the record's
 *   spans_ns    the record's, so that the two files are known to belong together
 *   labels, thresholds
 *   picture     [width, height] that crops refer to
 *   crops       [x, y, side] an instance
 *   times_ns    [instance][frame], stream time
 *   method, rows, cols
 *   maps        [instance][frame][row * cols + col]; null: undefined
 */

/** Where the instances lay in the picture. */
typedef struct {
  gint width, height; ///< of the picture
  guint count;
  CardiacSquare crops[GST_CARDIAC_MAX_INSTANCES];
} MapsGeometry;

gboolean maps_file_write (const gchar *path, const GstCardiacResult *result,
    const MapsGeometry *geometry, GError **error);

/** Fills maps, times, labels and borders into @result. */
gboolean maps_file_read (const gchar *path, GstCardiacResult *result,
    MapsGeometry *geometry, GError **error);

#endif
