/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MREG_REPORT_H
#define MREG_REPORT_H

#include "clipfeeder.h"
#include "meta/gstcardiacmeta.h"
#include "mregrecord.h"

/* What mregclassify says of a video: the newest finding of the network, the
 * record that follows from it and from the state of the video, which frames
 * carry, and the messages and lines of `results-location` that say it.
 *
 * Used by the streaming thread alone. */

typedef struct _MregReport MregReport;

/** @element: in whose name things are said; outlives the report
 * @results_location: property, read under the element's lock
 * Returns: %NULL after an error was posted */
MregReport *mreg_report_new (
    GstElement *element, gchar *const *results_location);
void mreg_report_free (MregReport *report);

/** What records say of the network and of frames; borrowed. To be set before
 * anything but findings is said. */
void mreg_report_set_source (
    MregReport *report, const MregProvenance *provenance, ClipFeeder *feeder);

/** The network's newest finding, not said yet; takes it. */
void mreg_report_take_finding (MregReport *report, GstCardiacResult *record);
/** Borrowed, or %NULL. */
GstCardiacResult *mreg_report_get_finding (MregReport *report);
void mreg_report_forget_finding (MregReport *report);

/** Why the network failed, one sentence; %NULL: it did not. */
void mreg_report_set_failure (MregReport *report, const gchar *failure);
const gchar *mreg_report_get_failure (MregReport *report);

/** Whether the scanner says that there is no 2-D picture; VIEW_NOT_A4C says so
 * then. */
void mreg_report_set_no_picture (MregReport *report, gboolean no_picture);

/** Makes what frames carry follow from the state, and says it where it is new. A
 * state with a finding shows the finding. */
void mreg_report_update (
    MregReport *report, GstCardiacState state, GstClockTime time);

/** Says why a recording, at its end, has no grade. */
void mreg_report_end (MregReport *report, GstCardiacState state);

/** How many records were said. */
guint64 mreg_report_count (MregReport *report);

/** Whether frames carry a record of this state. */
gboolean mreg_report_shows (MregReport *report, GstCardiacState state);
/** Frames carry nothing until the next mreg_report_update(). */
void mreg_report_forget_shown (MregReport *report);

/** Attaches the record and its place on a frame of stream time @time (or NONE).
 * Returns: the meta, or %NULL when there is nothing to carry */
GstCardiacResultMeta *mreg_report_attach (
    MregReport *report, GstBuffer *buffer, GstClockTime time);

/** Attaches where was looked: a region for people and the network's square.
 * Either may be %NULL. */
void mreg_attach_geometry (
    GstBuffer *buffer, const GstCardiacBox *roi, const CardiacSquare *crop);

#endif
