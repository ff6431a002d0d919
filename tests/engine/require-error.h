/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef REQUIRE_ERROR_H
#define REQUIRE_ERROR_H

#include "../require.h"
#include <cardiac/error.h>
#include <stdio.h>
#include <string.h>

/** The error is there, of this code, and its message holds these words; frees
 * it. */
static inline void
require_error (CardiacError *error, CardiacErrorCode code, const char *words)
{
  REQUIRE (error);
  printf ("  %s\n", cardiac_error_message (error));
  REQUIRE (cardiac_error_code (error) == code);
  REQUIRE (strstr (cardiac_error_message (error), words));
  cardiac_error_free (&error);
}

#endif
