/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef ECHO_TRUTH_H
#define ECHO_TRUTH_H

#include <echo/echo-phantom.h>
#include <gst/gst.h>

/* Files with what is true of a phantom.
 *
 * The truth file is one JSON object:
 *
 *   schema     "gst-cardiac-echo-truth/1"
 *   rule       how severity and grade follow, in words
 *   type       "none", "central", "eccentric" or "multiple"
 *   recording  grade, severity, area, duration, eccentric, beat, instance; null
 *              where the recording has no end
 *   instances  the same of each clip, with begin_s and end_s
 *   picture    [width, height]
 *   roi        [x, y, width, height] of all chambers, pixels of the picture
 *   square     [x, y, width, height] that grading cuts out, likewise
 *   settings   every setting, under the names of echotestsrc's properties
 *   frames     pts_ns, beat, phase, jet_area: an array each, in the order in
 *              which frames were shown; at most ECHO_TRUTH_MAX_FRAMES, the
 *              first ones
 *
 * The masks file is NumPy's .npy, uint8 [frames][2][rows][columns]: the share of
 * each cell, 0 to 255, that the jets and that the left atrium cover. */

#define ECHO_TRUTH_MAX_FRAMES 1000000

/** "none", "central", "eccentric" or "multiple". */
const gchar *echo_truth_type (const EchoSettings *settings);

/** Instance that holds the recording's worst beat, 0 to 2. */
gint echo_truth_instance (const EchoSettings *settings);

/** Pixels of a picture: where the 640 x 480 screen lies in it. The screen is
 * fitted and centred; @pixel_aspect: width / height of a pixel. */
typedef struct {
  gint width, height;
  EchoView view; ///< what the picture shows, in screen coordinates
} EchoPicture;

void echo_picture_fit (
    EchoPicture *picture, gint width, gint height, gdouble pixel_aspect);
/** From the screen to the picture. */
void echo_picture_map (
    const EchoPicture *picture, const gdouble *screen, gdouble *pixels);

typedef struct _EchoTruthFile EchoTruthFile;

/** Makes or empties the file. %NULL with @error. */
EchoTruthFile *echo_truth_file_open (const gchar *path, GError **error);
void echo_truth_file_add (
    EchoTruthFile *file, GstClockTime time, const EchoMoment *moment);
/** Writes and closes; frees @file. @phantom: %NULL: nothing was shown, and the
 * file stays empty. */
gboolean echo_truth_file_close (EchoTruthFile *file,
    const EchoSettings *settings, gboolean has_end, const EchoPhantom *phantom,
    const EchoPicture *picture, GError **error);

typedef struct _EchoMasksFile EchoMasksFile;

EchoMasksFile *echo_masks_file_open (const gchar *path, GError **error);
/** @cell: pixels of the picture that a cell is wide and high. Frames of another
 * size than the first one's are an error. */
gboolean echo_masks_file_add (EchoMasksFile *file, EchoPhantom *phantom,
    gdouble time, const EchoPicture *picture, gint cell, GError **error);
gboolean echo_masks_file_close (EchoMasksFile *file, GError **error);

#endif
