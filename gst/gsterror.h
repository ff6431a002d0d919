/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef GST_ERROR_H
#define GST_ERROR_H

#include <cardiac/error.h>
#include <gst/gst.h>

/** Posts an error message for a failure of the engine: its sentence for a
 * person (it names the file, what was expected and found), its detail for a
 * log. Frees the error. Call it without the object lock. */
void gst_cardiac_post_error (GstElement *element, CardiacError **error);

#endif
