/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cine.h"

#include "core/printable.h"

#include <stdio.h>
#include <string.h>

bool
cine_fail (CineError *error, CineProblem problem, const char *format, ...)
{
  char text[sizeof error->text];
  va_list arguments;

  error->problem = problem;
  error->detail[0] = '\0';
  va_start (arguments, format);
  vsnprintf (text, sizeof text, format, arguments);
  va_end (arguments);
  cardiac_printable (error->text, sizeof error->text, text);
  return false;
}

void
cine_note (CineStack *stack, const char *format, ...)
{
  char text[2048], note[sizeof text], *kept;
  va_list arguments;

  if (stack->n_notes == CINE_MAX_NOTES)
    return;
  va_start (arguments, format);
  vsnprintf (text, sizeof text, format, arguments);
  va_end (arguments);
  kept = strdup (cardiac_printable (note, sizeof note, text));
  if (kept)
    stack->notes[stack->n_notes++] = kept;
}
