/* SPDX-License-Identifier: LGPL-2.1-or-later */

#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include "mapsfile.h"

#include <gio/gio.h>
#include <jansson.h>
#include <math.h>
#include <string.h>

#define SCHEMA "gst-cardiac-maps/1"
#define MAX_POINTS 1024
#define MAX_GRID 256

/* ---- writing ----------------------------------------------------------- */

static json_t *
real (gdouble value)
{
  return isfinite (value) ? json_real (value) : json_null ();
}

static json_t *
make_spans (const GstCardiacResult *result)
{
  json_t *spans = json_array ();

  for (guint i = 0; i < result->n_spans; i++)
    json_array_append_new (
        spans, json_pack ("[I,I]", (json_int_t) result->spans[i][0],
                   (json_int_t) result->spans[i][1]));
  return spans;
}

static json_t *
make_labels (const GstCardiacResult *result)
{
  json_t *labels = json_array ();

  for (guint k = 0; k < result->n_classes; k++)
    json_array_append_new (
        labels, json_string (result->labels[k] ? result->labels[k] : ""));
  return labels;
}

static json_t *
make_thresholds (const GstCardiacResult *result)
{
  json_t *thresholds = json_array ();

  for (guint k = 0; k + 1 < result->n_classes; k++)
    json_array_append_new (thresholds, real (result->thresholds[k]));
  return thresholds;
}

static json_t *
make_crops (const MapsGeometry *geometry)
{
  json_t *crops = json_array ();

  for (guint i = 0; i < geometry->count; i++)
    json_array_append_new (
        crops, json_pack ("[f,f,f]", geometry->crops[i].x, geometry->crops[i].y,
                   geometry->crops[i].side));
  return crops;
}

static json_t *
make_times (const GstCardiacResult *result)
{
  json_t *times = json_array ();

  for (guint i = 0; i < result->instances; i++) {
    json_t *row = json_array ();

    for (guint t = 0; t < result->n_points; t++)
      json_array_append_new (
          row, json_integer (result->frame_times[i * result->n_points + t]));
    json_array_append_new (times, row);
  }
  return times;
}

static json_t *
make_maps (const GstCardiacResult *result)
{
  guint cells = result->map_rows * result->map_cols;
  const gfloat *cell = result->maps;
  json_t *maps = json_array ();

  for (guint i = 0; i < result->instances; i++) {
    json_t *frames = json_array ();

    for (guint t = 0; t < result->n_points; t++) {
      json_t *map = json_array ();

      for (guint n = 0; n < cells; n++)
        json_array_append_new (map, real (*cell++));
      json_array_append_new (frames, map);
    }
    json_array_append_new (maps, frames);
  }
  return maps;
}

gboolean
maps_file_write (const gchar *path, const GstCardiacResult *result,
    const MapsGeometry *geometry, GError **error)
{
  json_t *root = json_object ();
  gchar *text;
  gboolean ok;

  json_object_set_new (root, "schema", json_string (SCHEMA));
  json_object_set_new (root, "sha256",
      json_string (result->model_sha256 ? result->model_sha256 : ""));
  json_object_set_new (root, "spans_ns", make_spans (result));
  json_object_set_new (root, "labels", make_labels (result));
  json_object_set_new (root, "thresholds", make_thresholds (result));
  json_object_set_new (
      root, "picture", json_pack ("[i,i]", geometry->width, geometry->height));
  json_object_set_new (root, "crops", make_crops (geometry));
  if (result->frame_times)
    json_object_set_new (root, "times_ns", make_times (result));
  if (result->maps) {
    json_object_set_new (root, "method", json_string (result->map_method));
    json_object_set_new (root, "rows", json_integer (result->map_rows));
    json_object_set_new (root, "cols", json_integer (result->map_cols));
    json_object_set_new (root, "maps", make_maps (result));
  }

  text = json_dumps (root, JSON_COMPACT | JSON_REAL_PRECISION (9));
  json_decref (root);
  ok = text
       && g_file_set_contents_full (
           path, text, -1, G_FILE_SET_CONTENTS_NONE, 0666, error);
  free (text);
  return ok;
}

/* ---- reading ----------------------------------------------------------- */

static gboolean
read_labels (const json_t *root, GstCardiacResult *result)
{
  const json_t *labels = json_object_get (root, "labels");
  const json_t *thresholds = json_object_get (root, "thresholds");
  gsize count = json_array_size (labels);

  if (count < 2 || count > GST_CARDIAC_MAX_CLASSES
      || json_array_size (thresholds) != count - 1
      || result->grade >= (gint) count
      || (result->has_probabilities && result->n_classes != count))
    return FALSE;
  result->n_classes = count;
  for (gsize k = 0; k < count; k++) {
    const json_t *label = json_array_get (labels, k);

    if (!json_is_string (label))
      return FALSE;
    g_free (result->labels[k]);
    result->labels[k] = g_strdup (json_string_value (label));
  }
  for (gsize k = 0; k + 1 < count; k++) {
    const json_t *threshold = json_array_get (thresholds, k);

    if (!json_is_number (threshold))
      return FALSE;
    result->thresholds[k] = json_number_value (threshold);
  }
  return TRUE;
}

static gboolean
same_spans (const json_t *root, const GstCardiacResult *result)
{
  const json_t *spans = json_object_get (root, "spans_ns");

  if (json_array_size (spans) != result->n_spans)
    return FALSE;
  for (guint i = 0; i < result->n_spans; i++)
    for (guint e = 0; e < 2; e++)
      if ((GstClockTime) json_integer_value (
              json_array_get (json_array_get (spans, i), e))
          != result->spans[i][e])
        return FALSE;
  return TRUE;
}

static gboolean
read_geometry (const json_t *root, MapsGeometry *geometry)
{
  const json_t *picture = json_object_get (root, "picture");
  const json_t *crops = json_object_get (root, "crops");

  geometry->count = MIN (json_array_size (crops), GST_CARDIAC_MAX_INSTANCES);
  geometry->width = json_integer_value (json_array_get (picture, 0));
  geometry->height = json_integer_value (json_array_get (picture, 1));
  for (guint i = 0; i < geometry->count; i++) {
    const json_t *crop = json_array_get (crops, i);

    geometry->crops[i].x = json_number_value (json_array_get (crop, 0));
    geometry->crops[i].y = json_number_value (json_array_get (crop, 1));
    geometry->crops[i].side = json_number_value (json_array_get (crop, 2));
  }
  return geometry->width > 0 && geometry->height > 0;
}

static gboolean
read_times (const json_t *root, GstCardiacResult *result)
{
  const json_t *times = json_object_get (root, "times_ns");
  gsize points = json_array_size (json_array_get (times, 0));

  if (!times)
    return TRUE;
  if (json_array_size (times) != result->instances || points == 0
      || points > MAX_POINTS || (result->curve && result->n_points != points))
    return FALSE;
  result->n_points = points;
  result->frame_times = g_new (GstClockTime, result->instances * points);
  for (guint i = 0; i < result->instances; i++) {
    const json_t *row = json_array_get (times, i);

    if (json_array_size (row) != points)
      return FALSE;
    for (gsize t = 0; t < points; t++)
      result->frame_times[i * points + t] =
          json_integer_value (json_array_get (row, t));
  }
  return TRUE;
}

static gboolean
read_maps (const json_t *root, GstCardiacResult *result)
{
  const json_t *maps = json_object_get (root, "maps");
  const json_t *method = json_object_get (root, "method");
  json_int_t rows = json_integer_value (json_object_get (root, "rows"));
  json_int_t cols = json_integer_value (json_object_get (root, "cols"));
  gfloat *cell;

  if (!maps)
    return TRUE;
  if (rows < 2 || rows > MAX_GRID || cols < 2 || cols > MAX_GRID
      || !json_is_string (method) || !result->frame_times
      || json_array_size (maps) != result->instances)
    return FALSE;

  result->map_method = g_strdup (json_string_value (method));
  result->map_rows = rows;
  result->map_cols = cols;
  result->maps = cell = g_new (
      gfloat, (gsize) result->instances * result->n_points * rows * cols);
  for (guint i = 0; i < result->instances; i++) {
    result->map_peaks[i] = 0;
    for (guint t = 0; t < result->n_points; t++) {
      const json_t *map = json_array_get (json_array_get (maps, i), t);

      if ((json_int_t) json_array_size (map) != rows * cols)
        return FALSE;
      for (json_int_t n = 0; n < rows * cols; n++, cell++) {
        const json_t *value = json_array_get (map, n);

        *cell = json_is_number (value) ? json_number_value (value) : NAN;
        if (*cell > result->map_peaks[i])
          result->map_peaks[i] = *cell;
      }
    }
  }
  return TRUE;
}

gboolean
maps_file_read (const gchar *path, GstCardiacResult *result,
    MapsGeometry *geometry, GError **error)
{
  const gchar *wrong = NULL;
  json_error_t failure;
  json_t *root;
  gchar *text;
  gsize length;

  if (!g_file_get_contents (path, &text, &length, error))
    return FALSE;
  root = json_loadb (text, length, JSON_REJECT_DUPLICATES, &failure);
  g_free (text);
  if (!root) {
    g_set_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA,
        "%s is not JSON: %s", path, failure.text);
    return FALSE;
  }

  if (g_strcmp0 (json_string_value (json_object_get (root, "schema")), SCHEMA))
    wrong = "schema is not " SCHEMA;
  else if (g_strcmp0 (json_string_value (json_object_get (root, "sha256")),
               result->model_sha256 ? result->model_sha256 : "")
           || !same_spans (root, result))
    wrong = "it belongs to another result";
  else if (!read_labels (root, result))
    wrong = "labels or thresholds do not fit the result";
  else if (!read_geometry (root, geometry))
    wrong = "picture or crops are damaged";
  else if (!read_times (root, result) || !read_maps (root, result))
    wrong = "times or maps are damaged";
  if (wrong)
    g_set_error (
        error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA, "%s: %s", path, wrong);
  json_decref (root);
  return wrong == NULL;
}
