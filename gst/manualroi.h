/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MANUAL_ROI_H
#define MANUAL_ROI_H

#include <gst/gst.h>

#include "meta/gstcardiacresult.h"

/* The property `roi` of elements: where a person says to look. */

#define MANUAL_ROI_DEFAULT ""

/** Under the element's lock. */
typedef struct {
  gchar *text;
  gboolean is_set, wrong; ///< wrong: the text cannot be read
  GstCardiacBox box;      ///< in pixels
} ManualRoi;

void manual_roi_init (ManualRoi *roi);
void manual_roi_clear (ManualRoi *roi);

/** Takes @text ("x,y,width,height", or empty for none). What cannot be read is
 * kept for manual_roi_check() to refuse; in a running pipeline the bus gets a
 * warning instead, and the region stays. Takes the element's lock. */
void manual_roi_set (ManualRoi *roi, GstElement *element, const gchar *text);

/** Whether the text can be read, or none is set; posts an error otherwise. Takes
 * the element's lock. */
gboolean manual_roi_check (const ManualRoi *roi, GstElement *element);

/** Whether one is set. Takes the element's lock. @box: receives it, or %NULL */
gboolean manual_roi_get (
    const ManualRoi *roi, GstElement *element, GstCardiacBox *box);

#endif
