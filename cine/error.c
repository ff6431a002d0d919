/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cine.h"

#include <stdio.h>
#include <stdlib.h>

bool
cine_fail (CineError *error, CineProblem problem, const char *format, ...)
{
  va_list arguments;

  error->problem = problem;
  error->detail[0] = '\0';
  va_start (arguments, format);
  vsnprintf (error->text, sizeof error->text, format, arguments);
  va_end (arguments);
  return false;
}

void
cine_note (CineStack *stack, const char *format, ...)
{
  va_list arguments;
  char *text = NULL;

  if (stack->n_notes == CINE_MAX_NOTES)
    return;
  va_start (arguments, format);
  if (vasprintf (&text, format, arguments) >= 0)
    stack->notes[stack->n_notes++] = text;
  va_end (arguments);
}
