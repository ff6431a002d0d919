/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "core/error.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

struct CardiacError {
  CardiacErrorCode code;
  char *message;
  char *detail;
};

CardiacErrorCode
cardiac_error_code (const CardiacError *error)
{
  return error->code;
}

const char *
cardiac_error_message (const CardiacError *error)
{
  return error->message ? error->message : "out of memory";
}

const char *
cardiac_error_detail (const CardiacError *error)
{
  return error->detail ? error->detail : "";
}

void
cardiac_error_free (CardiacError **error)
{
  if (!error || !*error)
    return;
  free ((*error)->message);
  free ((*error)->detail);
  free (*error);
  *error = NULL;
}

bool
cardiac_fail (
    CardiacError **error, CardiacErrorCode code, const char *format, ...)
{
  if (!error || *error)
    return false;
  CardiacError *made = calloc (1, sizeof *made);
  if (!made)
    return false;
  made->code = code;
  va_list args;
  va_start (args, format);
  if (vasprintf (&made->message, format, args) < 0)
    made->message = NULL;
  va_end (args);
  *error = made;
  return false;
}

void
cardiac_error_set_detail (CardiacError **error, const char *format, ...)
{
  if (!error || !*error)
    return;
  char *text = NULL;
  va_list args;
  va_start (args, format);
  if (vasprintf (&text, format, args) < 0)
    text = NULL;
  va_end (args);
  free ((*error)->detail);
  (*error)->detail = text;
}

void
cardiac_error_prefix (CardiacError **error, const char *format, ...)
{
  if (!error || !*error)
    return;
  char *prefix = NULL;
  va_list args;
  va_start (args, format);
  if (vasprintf (&prefix, format, args) < 0)
    prefix = NULL;
  va_end (args);
  char *joined = NULL;
  if (!prefix
      || asprintf (&joined, "%s: %s", prefix, cardiac_error_message (*error))
             < 0)
    joined = NULL;
  free (prefix);
  if (!joined)
    return;
  free ((*error)->message);
  (*error)->message = joined;
}
