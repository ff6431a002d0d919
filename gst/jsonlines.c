/* SPDX-License-Identifier: LGPL-2.1-or-later */

#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include "jsonlines.h"

#include <errno.h>
#include <gio/gio.h>
#include <fcntl.h>
#include <unistd.h>
#include <glib/gstdio.h>
#include <stdio.h>
#include <string.h>

struct _JsonLines {
  FILE *file;
  gchar *path;
};

static void
set_errno (GError **error, const gchar *doing, const gchar *path)
{
  gint code = errno;

  g_set_error (error, G_FILE_ERROR, g_file_error_from_errno (code),
      "cannot %s \"%s\": %s", doing, path, g_strerror (code));
}

/* The standard streams as they are: opening their names would start a file
 * that they are redirected to anew. */
static FILE *
open_for_writing (const gchar *path)
{
  gint copy;

  if (strcmp (path, "/dev/stdout") == 0 || strcmp (path, "-") == 0)
    copy = fcntl (STDOUT_FILENO, F_DUPFD_CLOEXEC, 3);
  else if (strcmp (path, "/dev/stderr") == 0)
    copy = fcntl (STDERR_FILENO, F_DUPFD_CLOEXEC, 3);
  else
    return g_fopen (path, "we");
  return copy < 0 ? NULL : fdopen (copy, "w");
}

JsonLines *
json_lines_open (const gchar *path, GError **error)
{
  JsonLines *self;
  FILE *file = open_for_writing (path);

  if (!file) {
    set_errno (error, "write", path);
    return NULL;
  }
  self = g_new (JsonLines, 1);
  self->file = file;
  self->path = g_strdup (path);
  return self;
}

gboolean
json_lines_open_for (
    GstElement *element, gchar *const *location, JsonLines **lines)
{
  GError *error = NULL;
  gchar *path;

  GST_OBJECT_LOCK (element);
  path = g_strdup (*location);
  GST_OBJECT_UNLOCK (element);
  if (path && *path) {
    *lines = json_lines_open (path, &error);
    if (!*lines)
      GST_ELEMENT_ERROR (element, RESOURCE, OPEN_WRITE,
          ("Results cannot be written: %s. Check results-location.",
              error->message),
          (NULL));
  }
  g_free (path);
  if (!error)
    return TRUE;
  g_error_free (error);
  return FALSE;
}

void
json_lines_close (JsonLines *self)
{
  if (!self)
    return;
  fclose (self->file);
  g_free (self->path);
  g_free (self);
}

gboolean
json_lines_write (
    JsonLines *self, const GstCardiacResult *result, GError **error)
{
  gchar *json = gst_cardiac_result_to_json (result);
  gboolean ok =
      fprintf (self->file, "%s\n", json) >= 0 && fflush (self->file) == 0;

  if (!ok)
    set_errno (error, "write", self->path);
  g_free (json);
  return ok;
}

GstCardiacResult *
json_lines_read_last (
    const gchar *path, GstCardiacResultType type, GError **error)
{
  GstCardiacResult *last = NULL;
  gchar *text, *line, *end;
  gsize length;
  guint number = 0;

  if (!g_file_get_contents (path, &text, &length, error))
    return NULL;

  for (line = text; line < text + length; line = end + 1) {
    GstCardiacResult *result;
    GError *failure = NULL;

    end = memchr (line, '\n', text + length - line);
    if (!end)
      end = text + length;
    number++;
    if (end == line)
      continue;
    result = gst_cardiac_result_from_json (line, end - line, &failure);
    if (!result) {
      g_propagate_prefixed_error (error, failure, "%s:%u: ", path, number);
      g_clear_pointer (&last, gst_cardiac_result_unref);
      goto done;
    }
    if (result->type != type) {
      gst_cardiac_result_unref (result);
      continue;
    }
    if (last)
      gst_cardiac_result_unref (last);
    last = result;
  }
  if (!last)
    g_set_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA,
        "%s holds no record of this type", path);

done:
  g_free (text);
  return last;
}
