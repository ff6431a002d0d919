/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef JSON_LINES_H
#define JSON_LINES_H

#include "meta/gstcardiacresult.h"

/* A file of records, one JSON object a line, complete after every line. */

typedef struct _JsonLines JsonLines;

/** Makes the file, or empties it. %NULL with @error. */
JsonLines *json_lines_open (const gchar *path, GError **error);

/** The same for an element's property `results-location`.
 * @location: the property, read under the element's lock; %NULL or "": none
 * @lines: receives the file, or is left alone when there is none
 * Returns: %FALSE when it cannot be made, which is posted as an error */
gboolean json_lines_open_for (
    GstElement *element, gchar *const *location, JsonLines **lines);
void json_lines_close (JsonLines *lines);
gboolean json_lines_write (
    JsonLines *lines, const GstCardiacResult *result, GError **error);

/** The last line of a file whose type is @type: the result of a recording. */
GstCardiacResult *json_lines_read_last (
    const gchar *path, GstCardiacResultType type, GError **error);

#endif
