/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Records as JSON lines. The writer is a plain one, because the order of keys
 * and the spelling of numbers are part of the contract; the reader is strict
 * about types and lenient about keys that it does not know. */

#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include "gstcardiacresult.h"

#include <gio/gio.h>
#include <jansson.h>
#include <math.h>
#include <string.h>

#define SCHEMA "gst-cardiac/1"

static const gchar *type_names[] = { "mreg", "mmsa", "roi" };

/* ---- writing ----------------------------------------------------------- */

static void
append_key (GString *out, const gchar *key)
{
  if (out->len > 1 && out->str[out->len - 1] != '{')
    g_string_append_c (out, ',');
  g_string_append_printf (out, "\"%s\":", key);
}

static void
append_text (GString *out, const gchar *text)
{
  gchar *valid = g_utf8_make_valid (text, -1);

  g_string_append_c (out, '"');
  for (const gchar *p = valid; *p; p++) {
    guchar c = *p;

    if (c == '"' || c == '\\')
      g_string_append_printf (out, "\\%c", c);
    else if (c < 0x20 || c == 0x7f)
      g_string_append_printf (out, "\\u%04x", c);
    else
      g_string_append_c (out, c);
  }
  g_string_append_c (out, '"');
  g_free (valid);
}

/* The shortest of the decimal forms that reads back as the same number,
 * whatever the locale. */
static void
append_double (GString *out, gdouble value)
{
  gboolean single = (gdouble) (gfloat) value == value;
  gint digits = 6, most = single ? 9 : 17;
  gchar text[G_ASCII_DTOSTR_BUF_SIZE], format[8];

  if (!isfinite (value)) {
    g_string_append (out, "null");
    return;
  }
  for (; digits <= most; digits++) {
    gdouble back;

    g_snprintf (format, sizeof format, "%%.%dg", digits);
    g_ascii_formatd (text, sizeof text, format, value);
    back = g_ascii_strtod (text, NULL);
    if (back == value || (single && (gfloat) back == (gfloat) value))
      break;
  }
  g_string_append (out, text);
}

static void
append_floats (GString *out, const gfloat *values, guint count)
{
  g_string_append_c (out, '[');
  for (guint i = 0; i < count; i++) {
    if (i)
      g_string_append_c (out, ',');
    append_double (out, values[i]);
  }
  g_string_append_c (out, ']');
}

static void
append_text_member (GString *out, const gchar *key, const gchar *text)
{
  if (!text)
    return;
  append_key (out, key);
  append_text (out, text);
}

static void
append_spans (GString *out, const GstCardiacResult *result)
{
  append_key (out, "spans_ns");
  g_string_append_c (out, '[');
  for (guint i = 0; i < result->n_spans; i++)
    g_string_append_printf (out,
        "%s[%" G_GUINT64_FORMAT ",%" G_GUINT64_FORMAT "]", i ? "," : "",
        result->spans[i][0], result->spans[i][1]);
  g_string_append_c (out, ']');
}

/* One array an instance, parallel to `spans_ns`. */
static void
append_curve (GString *out, const GstCardiacResult *result)
{
  append_key (out, "curve");
  g_string_append_c (out, '[');
  for (guint i = 0; i < result->instances; i++) {
    if (i)
      g_string_append_c (out, ',');
    append_floats (
        out, result->curve + (gsize) i * result->n_points, result->n_points);
  }
  g_string_append_c (out, ']');
}

static void
append_roi (GString *out, const GstCardiacBox *roi)
{
  const gdouble numbers[] = { roi->x, roi->y, roi->w, roi->h };

  append_key (out, "roi");
  g_string_append_c (out, '[');
  for (guint i = 0; i < 4; i++) {
    if (i)
      g_string_append_c (out, ',');
    append_double (out, numbers[i]);
  }
  g_string_append_c (out, ']');
}

static void
append_scores (GString *out, const GstCardiacResult *result)
{
  append_key (out, "scores");
  g_string_append_c (out, '[');
  for (guint i = 0; i < GST_CARDIAC_SEGMENTS; i++) {
    if (i)
      g_string_append_c (out, ',');
    if (result->scores[i])
      g_string_append_printf (out, "%u", result->scores[i]);
    else
      g_string_append (out, "null");
  }
  g_string_append_c (out, ']');
}

static void
append_finding (GString *out, const GstCardiacResult *result)
{
  if (result->grade >= 0) {
    append_key (out, "grade");
    g_string_append_printf (out, "%d", result->grade);
    if (result->grade < (gint) result->n_classes)
      append_text_member (out, "label", result->labels[result->grade]);
  }
  if (isfinite (result->value)) {
    append_key (out, "value");
    append_double (out, result->value);
  }
}

static void
append_evaluation (GString *out, const GstCardiacResult *result)
{
  if (result->has_probabilities) {
    append_key (out, "probabilities");
    append_floats (out, result->probabilities, result->n_classes);
  }
  if (isfinite (result->presence)) {
    append_key (out, "presence");
    append_double (out, result->presence);
  }
  if (result->curve)
    append_curve (out, result);
}

static void
append_model (GString *out, const GstCardiacResult *result)
{
  append_key (out, "model");
  g_string_append_c (out, '{');
  append_text_member (out, "name", result->model_name);
  append_text_member (out, "sha256", result->model_sha256);
  append_text_member (out, "arch", result->model_arch);
  append_key (out, "trained");
  g_string_append (out, result->trained ? "true" : "false");
  append_key (out, "synthetic");
  g_string_append (out, result->synthetic ? "true" : "false");
  g_string_append_c (out, '}');
}

gchar *
gst_cardiac_result_to_json (const GstCardiacResult *result)
{
  gboolean finding;
  GString *out;

  g_return_val_if_fail (result != NULL, NULL);

  finding = gst_cardiac_state_has_finding (result->state);
  out = g_string_new ("{");
  append_text_member (out, "schema", SCHEMA);
  append_text_member (out, "type", type_names[result->type]);
  append_text_member (out, "state", gst_cardiac_state_name (result->state));
  append_text_member (out, "reason", result->reason);
  if (GST_CLOCK_TIME_IS_VALID (result->pts)) {
    append_key (out, "pts_ns");
    g_string_append_printf (out, "%" G_GUINT64_FORMAT, result->pts);
  }
  if (result->n_spans)
    append_spans (out, result);
  if (result->instance >= 0) {
    append_key (out, "instance");
    g_string_append_printf (out, "%d", result->instance);
  }
  if (result->instances) {
    append_key (out, "instances");
    g_string_append_printf (out, "%u", result->instances);
  }
  if (finding)
    append_finding (out, result);
  append_evaluation (out, result);
  if (result->has_roi)
    append_roi (out, &result->roi);
  if (finding && result->has_scores)
    append_scores (out, result);
  if (finding && isfinite (result->index)) {
    append_key (out, "index");
    append_double (out, result->index);
  }
  if (result->scored >= 0) {
    append_key (out, "scored");
    g_string_append_printf (out, "%d", result->scored);
  }
  if (result->model_name)
    append_model (out, result);
  append_text_member (out, "device", result->device);
  append_text_member (out, "precision", result->precision);
  if (result->inference_ms >= 0) {
    append_key (out, "inference_ms");
    append_double (out, round (result->inference_ms * 1000) / 1000);
  }
  append_text_member (out, "version", result->version);
  g_string_append_c (out, '}');
  return g_string_free (out, FALSE);
}

static void
add_scores (GstStructure *structure, const GstCardiacResult *result)
{
  GValue scores = G_VALUE_INIT, score = G_VALUE_INIT;

  gst_value_array_init (&scores, GST_CARDIAC_SEGMENTS);
  g_value_init (&score, G_TYPE_INT);
  for (guint k = 0; k < GST_CARDIAC_SEGMENTS; k++) {
    g_value_set_int (&score, result->scores[k]);
    gst_value_array_append_value (&scores, &score);
  }
  g_value_unset (&score);
  gst_structure_take_value (structure, "scores", &scores);
  if (isfinite (result->index))
    gst_structure_set (structure, "index", G_TYPE_DOUBLE, result->index, NULL);
  if (result->scored >= 0)
    gst_structure_set (structure, "scored", G_TYPE_INT, result->scored, NULL);
}

GstStructure *
gst_cardiac_result_to_structure (GstCardiacResult *result)
{
  gchar *json;
  GstStructure *structure;

  g_return_val_if_fail (result != NULL, NULL);

  json = gst_cardiac_result_to_json (result);
  structure = gst_structure_new ("cardiac-result", "type", G_TYPE_STRING,
      type_names[result->type], "state", G_TYPE_STRING,
      gst_cardiac_state_name (result->state), "serial", G_TYPE_UINT64,
      result->serial, "final", G_TYPE_BOOLEAN, result->is_final, "json",
      G_TYPE_STRING, json, "result", GST_TYPE_CARDIAC_RESULT, result, NULL);
  g_free (json);

  if (result->reason)
    gst_structure_set (
        structure, "reason", G_TYPE_STRING, result->reason, NULL);
  if (GST_CLOCK_TIME_IS_VALID (result->pts))
    gst_structure_set (structure, "pts-ns", G_TYPE_UINT64, result->pts, NULL);
  if (!gst_cardiac_state_has_finding (result->state))
    return structure;
  if (result->grade >= 0)
    gst_structure_set (structure, "grade", G_TYPE_INT, result->grade, NULL);
  if (result->grade >= 0 && result->grade < (gint) result->n_classes
      && result->labels[result->grade])
    gst_structure_set (
        structure, "label", G_TYPE_STRING, result->labels[result->grade], NULL);
  if (isfinite (result->value))
    gst_structure_set (structure, "value", G_TYPE_DOUBLE, result->value, NULL);
  if (result->has_scores)
    add_scores (structure, result);
  return structure;
}

/* ---- reading ----------------------------------------------------------- */

static gchar *
dup_text (const json_t *object, const gchar *key)
{
  return g_strdup (json_string_value (json_object_get (object, key)));
}

static gdouble
get_double (const json_t *object, const gchar *key, gdouble otherwise)
{
  const json_t *value = json_object_get (object, key);

  return json_is_number (value) ? json_number_value (value) : otherwise;
}

static gint
get_int (
    const json_t *object, const gchar *key, gint low, gint high, gint otherwise)
{
  const json_t *value = json_object_get (object, key);

  if (!json_is_integer (value) || json_integer_value (value) < low
      || json_integer_value (value) > high)
    return otherwise;
  return json_integer_value (value);
}

static gfloat
array_float (const json_t *array, gsize i)
{
  const json_t *value = json_array_get (array, i);

  return json_is_number (value) ? json_number_value (value) : NAN;
}

static void
read_spans (GstCardiacResult *result, const json_t *spans)
{
  for (gsize i = 0; i < json_array_size (spans); i++) {
    const json_t *span = json_array_get (spans, i);
    const json_t *first = json_array_get (span, 0);
    const json_t *last = json_array_get (span, 1);

    if (i >= GST_CARDIAC_MAX_INSTANCES || !json_is_integer (first)
        || !json_is_integer (last) || json_integer_value (first) < 0
        || json_integer_value (last) < json_integer_value (first))
      return;
    result->spans[i][0] = json_integer_value (first);
    result->spans[i][1] = json_integer_value (last);
    result->n_spans = i + 1;
  }
}

static void
read_curve (GstCardiacResult *result, const json_t *curve)
{
  gsize instances = json_array_size (curve);
  gsize points = json_array_size (json_array_get (curve, 0));

  if (instances == 0 || instances > GST_CARDIAC_MAX_INSTANCES || points == 0
      || points > 1024)
    return;
  for (gsize i = 0; i < instances; i++)
    if (json_array_size (json_array_get (curve, i)) != points)
      return;

  result->instances = instances;
  result->n_points = points;
  result->curve = g_new (gfloat, instances * points);
  for (gsize i = 0; i < instances; i++)
    for (gsize t = 0; t < points; t++)
      result->curve[i * points + t] =
          array_float (json_array_get (curve, i), t);
}

static void
read_finding (GstCardiacResult *result, const json_t *root)
{
  const json_t *scores = json_object_get (root, "scores");

  result->grade = get_int (root, "grade", 0, GST_CARDIAC_MAX_CLASSES - 1, -1);
  if (result->grade >= 0)
    result->labels[result->grade] = dup_text (root, "label");
  result->n_classes = MAX ((gint) result->n_classes, result->grade + 1);
  result->value = get_double (root, "value", NAN);
  result->index = get_double (root, "index", NAN);
  if (json_array_size (scores) == GST_CARDIAC_SEGMENTS) {
    result->has_scores = TRUE;
    for (gsize i = 0; i < GST_CARDIAC_SEGMENTS; i++) {
      const json_t *score = json_array_get (scores, i);
      json_int_t value = json_integer_value (score);

      result->scores[i] = value >= 1 && value <= 4 ? value : 0;
    }
  }
}

static void
read_provenance (GstCardiacResult *result, const json_t *root)
{
  const json_t *model = json_object_get (root, "model");

  result->model_name = dup_text (model, "name");
  result->model_sha256 = dup_text (model, "sha256");
  result->model_arch = dup_text (model, "arch");
  result->trained = json_is_true (json_object_get (model, "trained"));
  result->synthetic = json_is_true (json_object_get (model, "synthetic"));
  result->device = dup_text (root, "device");
  result->precision = dup_text (root, "precision");
  result->inference_ms = get_double (root, "inference_ms", -1);
  result->version = dup_text (root, "version");
}

static void
read_evaluation (GstCardiacResult *result, const json_t *root)
{
  const json_t *list = json_object_get (root, "probabilities");
  const json_t *roi = json_object_get (root, "roi");
  const json_t *pts = json_object_get (root, "pts_ns");

  if (json_is_integer (pts) && json_integer_value (pts) >= 0)
    result->pts = json_integer_value (pts);
  read_spans (result, json_object_get (root, "spans_ns"));
  result->instances =
      get_int (root, "instances", 0, GST_CARDIAC_MAX_INSTANCES, 0);
  read_curve (result, json_object_get (root, "curve"));
  result->instance =
      get_int (root, "instance", 0, (gint) result->instances - 1, -1);
  result->presence = get_double (root, "presence", NAN);
  result->scored = get_int (root, "scored", 0, GST_CARDIAC_SEGMENTS, -1);
  if (json_array_size (list) >= 2
      && json_array_size (list) <= GST_CARDIAC_MAX_CLASSES) {
    result->has_probabilities = TRUE;
    result->n_classes = json_array_size (list);
    for (guint k = 0; k < result->n_classes; k++)
      result->probabilities[k] = array_float (list, k);
  }
  if (json_array_size (roi) == 4) {
    result->has_roi = TRUE;
    result->roi.x = array_float (roi, 0);
    result->roi.y = array_float (roi, 1);
    result->roi.w = array_float (roi, 2);
    result->roi.h = array_float (roi, 3);
  }
}

static GstCardiacResult *
read_record (const json_t *root, GError **error)
{
  const gchar *schema, *type, *state;
  GstCardiacResult *result;
  GstCardiacState value;
  guint kind;

  schema = json_string_value (json_object_get (root, "schema"));
  type = json_string_value (json_object_get (root, "type"));
  state = json_string_value (json_object_get (root, "state"));
  if (g_strcmp0 (schema, SCHEMA) != 0) {
    g_set_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA,
        "schema is \"%s\", expected \"" SCHEMA "\"", schema ? schema : "");
    return NULL;
  }
  for (kind = 0; kind < G_N_ELEMENTS (type_names); kind++)
    if (g_strcmp0 (type, type_names[kind]) == 0)
      break;
  if (kind == G_N_ELEMENTS (type_names)
      || !gst_cardiac_state_from_name (state, &value)) {
    g_set_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA,
        "type \"%s\" or state \"%s\" is unknown", type ? type : "",
        state ? state : "");
    return NULL;
  }

  result = gst_cardiac_result_new (kind);
  result->state = value;
  result->reason = dup_text (root, "reason");
  read_evaluation (result, root);
  if (gst_cardiac_state_has_finding (value))
    read_finding (result, root);
  read_provenance (result, root);
  return result;
}

GstCardiacResult *
gst_cardiac_result_from_json (const gchar *json, gsize length, GError **error)
{
  json_error_t failure;
  json_t *root;
  GstCardiacResult *result;

  g_return_val_if_fail (json != NULL, NULL);

  root = json_loadb (json, length, JSON_REJECT_DUPLICATES, &failure);
  if (!root) {
    g_set_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA,
        "not JSON: %s at byte %d", failure.text, failure.position);
    return NULL;
  }
  result = read_record (root, error);
  json_decref (root);
  return result;
}
