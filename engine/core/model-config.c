/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "core/model-private.h"

#include "core/error.h"
#include "core/printable.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What a configuration holds, checked key by key. */

/* "configuration key 'frames' is 3.5, where a whole number from 1 to 64 is
 * expected". */
static bool
fail_key (const CardiacModel *model, CardiacError **error, const char *key,
    const char *expected)
{
  const json_t *value = json_object_get (model->config, key);
  char shown[CARDIAC_PRINTABLE_NAME];

  if (!value)
    return cardiac_model_fail (model, error,
        "configuration key '%s' is missing, where %s is expected", key,
        expected);
  char *text = json_dumps (value, JSON_ENCODE_ANY | JSON_COMPACT);
  cardiac_model_fail (model, error,
      "configuration key '%s' is %s, where %s is expected", key,
      cardiac_printable (shown, sizeof shown, text ? text : "?"), expected);
  free (text);
  return false;
}

bool
cardiac_model_config_int (const CardiacModel *model, const char *key,
    int64_t low, int64_t high, int64_t fallback, int64_t *value,
    CardiacError **error)
{
  const json_t *stored = json_object_get (model->config, key);
  char expected[96];

  if (!stored && fallback >= low) {
    *value = fallback;
    return true;
  }
  if (json_is_integer (stored) && json_integer_value (stored) >= low
      && json_integer_value (stored) <= high) {
    *value = json_integer_value (stored);
    return true;
  }
  if (low == high)
    snprintf (expected, sizeof expected, "%" PRId64, low);
  else
    snprintf (expected, sizeof expected,
        "a whole number from %" PRId64 " to %" PRId64, low, high);
  return fail_key (model, error, key, expected);
}

bool
cardiac_model_config_number (const CardiacModel *model, const char *key,
    double fallback, double *value, CardiacError **error)
{
  const json_t *stored = json_object_get (model->config, key);

  if (!stored && !isnan (fallback)) {
    *value = fallback;
    return true;
  }
  if (!json_is_number (stored) || !isfinite (json_number_value (stored)))
    return fail_key (model, error, key, "a number");
  *value = json_number_value (stored);
  return true;
}

bool
cardiac_model_config_numbers (const CardiacModel *model, const char *key,
    int count, double *values, CardiacError **error)
{
  const json_t *stored = json_object_get (model->config, key);
  char expected[64];

  if (!stored)
    return true;
  bool good =
      json_is_array (stored) && json_array_size (stored) == (size_t) count;
  for (int i = 0; good && i < count; i++) {
    const json_t *number = json_array_get (stored, (size_t) i);
    good = json_is_number (number) && isfinite (json_number_value (number));
  }
  if (!good) {
    snprintf (expected, sizeof expected, "an array of %d numbers", count);
    return fail_key (model, error, key, expected);
  }
  for (int i = 0; i < count; i++)
    values[i] = json_number_value (json_array_get (stored, (size_t) i));
  return true;
}

/* "one of 'a', 'b'", or "'a'". */
static void
list_choices (char *text, size_t size, const char *const *choices)
{
  size_t used = 0;

  for (int i = 0; choices[i] && used < size; i++) {
    int written = snprintf (text + used, size - used, "%s'%s'",
        i > 0        ? ", "
        : choices[1] ? "one of "
                     : "",
        choices[i]);
    used += written > 0 ? (size_t) written : 0;
  }
}

bool
cardiac_model_config_choice (const CardiacModel *model, const char *key,
    const char *const *choices, int fallback, int *value, CardiacError **error)
{
  const json_t *stored = json_object_get (model->config, key);
  const char *text = json_string_value (stored);
  char expected[256];

  if (!stored && fallback >= 0) {
    *value = fallback;
    return true;
  }
  for (int i = 0; text && choices[i]; i++)
    if (strcmp (text, choices[i]) == 0) {
      *value = i;
      return true;
    }
  list_choices (expected, sizeof expected, choices);
  return fail_key (model, error, key, expected);
}

bool
cardiac_model_config_bool (const CardiacModel *model, const char *key,
    bool fallback, bool *value, CardiacError **error)
{
  const json_t *stored = json_object_get (model->config, key);

  if (stored && !json_is_boolean (stored))
    return fail_key (model, error, key, "true or false");
  *value = stored ? json_is_true (stored) : fallback;
  return true;
}

const char *
cardiac_model_config_string (
    const CardiacModel *model, const char *key, int index)
{
  const json_t *stored = json_object_get (model->config, key);

  return index < 0
             ? NULL
             : json_string_value (json_array_get (stored, (size_t) index));
}

bool
cardiac_model_config_known (
    const CardiacModel *model, const char *const *keys, CardiacError **error)
{
  const char *key;
  json_t *value;

  json_object_foreach (model->config, key, value)
  {
    char shown[CARDIAC_PRINTABLE_NAME];
    int i = 0;
    while (keys[i] && strcmp (keys[i], key) != 0)
      i++;
    if (!keys[i])
      return cardiac_model_fail (model, error,
          "configuration key '%s' is unknown; it was written for a newer "
          "program or for another network",
          cardiac_printable (shown, sizeof shown, key));
  }
  return true;
}
