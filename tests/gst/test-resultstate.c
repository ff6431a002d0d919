/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* One state at a time, the first that applies. */

#include <string.h>

#include "../require.h"
#include "resultstate.h"

/* Everything is well, and there is a result. */
static StateInput
make_input (void)
{
  StateInput input = {
    .has_result = TRUE, .age = GST_SECOND, .stale_after = 3 * GST_SECOND
  };

  return input;
}

static void
each_fault_has_its_state_and_earlier_ones_win (void)
{
  StateInput input = make_input ();

  REQUIRE (state_pick (&input) == GST_CARDIAC_STATE_RESULT);
  input.unsure = TRUE;
  REQUIRE (state_pick (&input) == GST_CARDIAC_STATE_UNSURE);
  input.age = 3 * GST_SECOND;
  REQUIRE (state_pick (&input) == GST_CARDIAC_STATE_STALE);
  input.has_result = FALSE;
  REQUIRE (state_pick (&input) == GST_CARDIAC_STATE_WAIT);
  input.slow = TRUE;
  REQUIRE (state_pick (&input) == GST_CARDIAC_STATE_POOR_IMAGE);
  input.colourless_for = 2 * GST_SECOND;
  REQUIRE (state_pick (&input) == GST_CARDIAC_STATE_NO_DOPPLER);
  input.heartless_for = 900 * GST_MSECOND;
  REQUIRE (state_pick (&input) == GST_CARDIAC_STATE_NO_DOPPLER);
  input.heartless_for = GST_SECOND;
  REQUIRE (state_pick (&input) == GST_CARDIAC_STATE_VIEW_NOT_A4C);
  input.still_for = GST_SECOND;
  REQUIRE (state_pick (&input) == GST_CARDIAC_STATE_FROZEN);
  input.blank = TRUE;
  input.blank_for = GST_SECOND;
  REQUIRE (state_pick (&input) == GST_CARDIAC_STATE_NO_SIGNAL);
  input.paused = TRUE;
  REQUIRE (state_pick (&input) == GST_CARDIAC_STATE_PAUSED);
  input.model_error = "why";
  REQUIRE (state_pick (&input) == GST_CARDIAC_STATE_MODEL_ERROR);
}

static void
a_dark_moment_is_no_loss_of_signal (void)
{
  StateInput input = make_input ();

  input.blank = TRUE;
  input.blank_for = 50 * GST_MSECOND;
  REQUIRE (state_pick (&input) == GST_CARDIAC_STATE_RESULT);
  input.never_content = TRUE;
  REQUIRE (state_pick (&input) == GST_CARDIAC_STATE_NO_SIGNAL);
}

static GstCardiacResult *
make_result (gdouble value, gint grade, gdouble presence)
{
  GstCardiacResult *result = gst_cardiac_result_new (GST_CARDIAC_RESULT_MREG);

  result->n_classes = 3;
  result->thresholds[0] = 0.5;
  result->thresholds[1] = 1.5;
  result->value = value;
  result->grade = grade;
  result->presence = presence;
  return result;
}

static gboolean
is_unsure (gdouble value, gint grade, gdouble presence)
{
  GstCardiacResult *result = make_result (value, grade, presence);
  gchar *why;
  gboolean unsure = state_is_unsure (result, 0.1, &why);

  REQUIRE (unsure == (why != NULL));
  g_free (why);
  gst_cardiac_result_unref (result);
  return unsure;
}

static void
near_a_border_is_unsure (void)
{
  REQUIRE (is_unsure (0.45, 0, 0.1));
  REQUIRE (is_unsure (0.55, 1, 0.9));
  REQUIRE (is_unsure (1.59, 2, 0.9));
  REQUIRE (!is_unsure (1.0, 1, 0.9));
  REQUIRE (!is_unsure (0.0, 0, 0.1));
}

static void
a_contradiction_is_unsure (void)
{
  REQUIRE (is_unsure (0.0, 0, 0.9));
  REQUIRE (is_unsure (2.0, 2, 0.2));
}

int
main (int argc, char **argv)
{
  gst_init (&argc, &argv);
  each_fault_has_its_state_and_earlier_ones_win ();
  a_dark_moment_is_no_loss_of_signal ();
  near_a_border_is_unsure ();
  a_contradiction_is_unsure ();
  gst_deinit ();
  return 0;
}
