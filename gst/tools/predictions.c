/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "predictions.h"

#include <errno.h>
#include <gio/gio.h>
#include <glib/gstdio.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define HEADER                                                                 \
  "seed,label,grade,value,p0,p1,p2,presence,instance,state,jet,severity,"      \
  "area,duration,eccentric,best_instance,severity0,severity1,severity2,"       \
  "peak_in_jet,peak_in_largest_jet,heart_rate,frame_rate,layout,nyquist,"      \
  "colour_gain,variance"

struct _Predictions {
  FILE *file;
  gchar *path;
  GHashTable *numbers; /* gint64 */
};

static gboolean
fail (GError **error, const gchar *path)
{
  gint code = errno;

  g_set_error (error, G_FILE_ERROR, g_file_error_from_errno (code),
      "cannot write \"%s\": %s", path, g_strerror (code));
  return FALSE;
}

static void
note_number (Predictions *self, gint64 number)
{
  gint64 *key = g_new (gint64, 1);

  *key = number;
  g_hash_table_add (self->numbers, key);
}

/* The numbers of whole lines; a line that was cut off is cut away. */
static gboolean
read_lines (Predictions *self, GError **error)
{
  gchar *text, *line, *end;
  gboolean ok = TRUE;
  gsize length;

  if (!g_file_get_contents (self->path, &text, &length, error))
    return FALSE;
  if (length > 0 && !g_str_has_prefix (text, HEADER "\n")) {
    g_set_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA,
        "\"%s\" does not begin with the line \"%.40s...\": it holds something "
        "else; name another file",
        self->path, HEADER);
    g_free (text);
    return FALSE;
  }
  for (line = text; (end = strchr (line, '\n')); line = end + 1)
    if (line > text)
      note_number (self, g_ascii_strtoll (line, NULL, 10));
  if (*line && truncate (self->path, line - text) != 0)
    ok = fail (error, self->path);
  g_free (text);
  return ok;
}

Predictions *
predictions_open (const gchar *path, GError **error)
{
  Predictions *self = g_new0 (Predictions, 1);
  gboolean is_new = !g_file_test (path, G_FILE_TEST_EXISTS);

  self->path = g_strdup (path);
  self->numbers =
      g_hash_table_new_full (g_int64_hash, g_int64_equal, g_free, NULL);
  if (!is_new && !read_lines (self, error))
    goto failed;
  self->file = g_fopen (path, "ae");
  if (!self->file) {
    fail (error, path);
    goto failed;
  }
  fseek (self->file, 0, SEEK_END);
  if (ftell (self->file) == 0 && fputs (HEADER "\n", self->file) == EOF) {
    fail (error, path);
    goto failed;
  }
  return self;

failed:
  predictions_close (self);
  return NULL;
}

void
predictions_close (Predictions *self)
{
  if (!self)
    return;
  if (self->file)
    fclose (self->file);
  g_hash_table_unref (self->numbers);
  g_free (self->path);
  g_free (self);
}

gboolean
predictions_has (const Predictions *self, gint64 number)
{
  return g_hash_table_contains (self->numbers, &number);
}

/* ---- one line ---------------------------------------------------------- */

static void
add_real (GString *line, gboolean known, gdouble value)
{
  gchar text[G_ASCII_DTOSTR_BUF_SIZE];

  g_string_append_c (line, ',');
  if (known && isfinite (value))
    g_string_append (line, g_ascii_formatd (text, sizeof text, "%.6g", value));
}

static void
add_count (GString *line, gint value)
{
  g_string_append_c (line, ',');
  if (value >= 0)
    g_string_append_printf (line, "%d", value);
}

static void
add_prediction (GString *line, const GstCardiacResult *result)
{
  gboolean known = gst_cardiac_state_has_finding (result->state);

  add_count (line, known ? result->grade : -1);
  add_real (line, known, result->value);
  for (guint k = 0; k < 3; k++)
    add_real (line, known && result->has_probabilities && k < result->n_classes,
        result->probabilities[k]);
  add_real (line, known, result->presence);
  add_count (line, known ? result->instance : -1);
  g_string_append_printf (line, ",%s", gst_cardiac_state_name (result->state));
}

static void
add_truth (GString *line, const EchoSettings *settings)
{
  EchoTruth truth = echo_recording_truth (settings);

  g_string_append_printf (line, ",%s", echo_truth_type (settings));
  add_real (line, TRUE, truth.severity);
  add_real (line, TRUE, truth.area);
  add_real (line, TRUE, truth.duration);
  add_count (line, truth.eccentric);
  add_count (line, echo_truth_instance (settings));
  for (gint k = 0; k < ECHO_INSTANCES; k++) {
    gdouble begin = echo_instance_begin (settings, k);

    add_real (line, TRUE,
        echo_truth (settings, begin, begin + settings->clip).severity);
  }
}

gboolean
predictions_add (Predictions *self, const Subject *subject,
    const Prediction *prediction, GError **error)
{
  const EchoSettings *settings = &subject->settings;
  gint label = echo_recording_truth (settings).grade;
  gboolean positive = label > 0 && prediction->result->grade > 0;
  GString *line = g_string_new (NULL);
  gboolean ok;

  g_string_append_printf (
      line, "%" G_GINT64_FORMAT ",%d", subject->number, label);
  add_prediction (line, prediction->result);
  add_truth (line, settings);
  add_count (line, positive ? prediction->peak_in_jet : -1);
  add_count (line, positive ? prediction->peak_in_largest_jet : -1);
  add_real (line, TRUE, settings->heart_rate);
  add_real (line, TRUE, settings->frame_rate);
  add_count (line, settings->layout);
  add_real (line, TRUE, settings->nyquist);
  add_real (line, TRUE, settings->colour_gain);
  add_count (line, settings->variance);
  g_string_append_c (line, '\n');

  ok = fputs (line->str, self->file) != EOF && fflush (self->file) == 0;
  if (ok)
    note_number (self, subject->number);
  else
    fail (error, self->path);
  g_string_free (line, TRUE);
  return ok;
}
