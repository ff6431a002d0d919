/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Whether a map's peak lies on a jet, with the phantom's own masks. */

#include "../require.h"
#include "tools/jetpeak.h"

#define CELLS 7
#define FRAMES 4

static EchoSettings settings;

/* The square that grading cuts out. */
static EchoView
square (gpointer data, GstClockTime time)
{
  return echo_phantom_square (data);
}

/* A result whose frames lie in the middle of systole, with flat maps. */
static GstCardiacResult *
make_result (void)
{
  GstCardiacResult *result = gst_cardiac_result_new (GST_CARDIAC_RESULT_MREG);

  result->instances = 1;
  result->instance = 0;
  result->n_points = FRAMES;
  result->map_rows = result->map_cols = CELLS;
  result->maps = g_new0 (gfloat, FRAMES * CELLS * CELLS);
  result->frame_times = g_new (GstClockTime, FRAMES);
  for (guint t = 0; t < FRAMES; t++)
    result->frame_times[t] = (150 + 20 * t) * GST_MSECOND;
  return result;
}

/* The cell that the jet covers most at a frame, or the farthest from it. */
static guint
find_cell (EchoPhantom *phantom, const GstCardiacResult *result, guint frame,
    gboolean covered)
{
  guint8 jet[CELLS * CELLS];
  guint best = 0, far = 0;
  gint distance = -1;

  echo_phantom_masks (phantom, result->frame_times[frame] / 1e9,
      echo_phantom_square (phantom), CELLS, CELLS, jet, NULL);
  for (guint i = 0; i < CELLS * CELLS; i++)
    if (jet[i] > jet[best])
      best = i;
  REQUIRE (jet[best] > 0);
  for (guint i = 0; i < CELLS * CELLS; i++) {
    gint rows = ABS ((gint) (i / CELLS) - (gint) (best / CELLS));
    gint columns = ABS ((gint) (i % CELLS) - (gint) (best % CELLS));

    if (MAX (rows, columns) > distance) {
      distance = MAX (rows, columns);
      far = i;
    }
  }
  REQUIRE (distance >= 3);
  return covered ? best : far;
}

static void
a_peak_on_the_jet_is_found_there (void)
{
  EchoPhantom *phantom = echo_phantom_new (&settings);

  for (guint on = 0; on < 2; on++) {
    GstCardiacResult *result = make_result ();
    guint cell = find_cell (phantom, result, 2, on);

    result->maps[2 * CELLS * CELLS + cell] = 5;
    REQUIRE (jet_peak (result, phantom, FALSE, square, phantom) == (gint) on);
    gst_cardiac_result_unref (result);
  }
  echo_phantom_free (&phantom);
}

static void
only_the_largest_jets_frame_counts_when_asked (void)
{
  EchoPhantom *phantom = echo_phantom_new (&settings);
  GstCardiacResult *result = make_result ();
  guint largest = 0, other;

  for (guint t = 1; t < FRAMES; t++)
    if (echo_phantom_moment (phantom, result->frame_times[t] / 1e9).jet_area
        > echo_phantom_moment (phantom, result->frame_times[largest] / 1e9)
              .jet_area)
      largest = t;
  other = (largest + 1) % FRAMES;
  /* The higher peak is beside the jet, in another frame. */
  result->maps[largest * CELLS * CELLS
               + find_cell (phantom, result, largest, TRUE)] = 1;
  result->maps[other * CELLS * CELLS
               + find_cell (phantom, result, other, FALSE)] = 2;
  REQUIRE (jet_peak (result, phantom, FALSE, square, phantom) == 0);
  REQUIRE (jet_peak (result, phantom, TRUE, square, phantom) == 1);
  gst_cardiac_result_unref (result);
  echo_phantom_free (&phantom);
}

static void
without_a_map_or_a_jet_nothing_is_said (void)
{
  GstCardiacResult *result = make_result ();
  EchoPhantom *phantom;

  settings.jets = 0;
  phantom = echo_phantom_new (&settings);
  result->maps[0] = 1;
  REQUIRE (jet_peak (result, phantom, TRUE, square, phantom) == -1);
  REQUIRE (jet_peak (result, phantom, FALSE, square, phantom) == 0);
  result->instance = -1;
  REQUIRE (jet_peak (result, phantom, FALSE, square, phantom) == -1);
  gst_cardiac_result_unref (result);

  result = gst_cardiac_result_new (GST_CARDIAC_RESULT_MREG);
  REQUIRE (jet_peak (result, phantom, FALSE, square, phantom) == -1);
  gst_cardiac_result_unref (result);
  echo_phantom_free (&phantom);
}

int
main (int argc, char **argv)
{
  gst_init (&argc, &argv);
  echo_settings_default (&settings);
  settings.jets = 1;
  settings.jet[0] =
      (EchoJet){ .area = 0.3, .aspect = 2, .onset = 0, .duration = 1 };

  a_peak_on_the_jet_is_found_there ();
  only_the_largest_jets_frame_counts_when_asked ();
  without_a_map_or_a_jet_nothing_is_said ();

  gst_deinit ();
  return 0;
}
