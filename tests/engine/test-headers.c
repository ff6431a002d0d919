/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A program that sees only what is installed. */
#include <cardiac/cardiac.h>

#include "../require.h"

#include <string.h>

int
main (void)
{
  CardiacError *error = NULL;
  REQUIRE (!cardiac_model_load ("/nonexistent/model.safetensors", &error));
  REQUIRE (cardiac_error_code (error) == CARDIAC_ERROR_NOT_FOUND);
  REQUIRE (
      strstr (cardiac_error_message (error), "/nonexistent/model.safetensors"));
  cardiac_error_free (&error);
  REQUIRE (!error);

  CardiacSettings settings;
  cardiac_settings_default (&settings);
  REQUIRE (strcmp (settings.device, "auto") == 0 && settings.threads == 0);
  REQUIRE (cardiac_processors () >= 1);
  return 0;
}
