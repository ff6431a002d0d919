/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "stack.h"

#include <math.h>

/* Whether every slice has rising trigger times. */
static bool
have_triggers (const CineStack *stack)
{
  for (int s = 0; s < stack->slices; s++)
    for (int p = 0; p < stack->phases; p++) {
      const double *t = stack->slice[s].trigger_ms;

      if (!isfinite (t[p]) || (p > 0 && t[p] <= t[p - 1]))
        return false;
    }
  return true;
}

/* Mean RR of the slices that know theirs, or NaN. */
static double
mean_cycle (const CineStack *stack)
{
  double sum = 0;
  int n = 0;

  for (int s = 0; s < stack->slices; s++)
    if (stack->slice[s].cycle_ms > 0) {
      sum += stack->slice[s].cycle_ms;
      n++;
    }
  return n > 0 ? sum / n : NAN;
}

static void
set_from_triggers (CineStack *stack)
{
  int n = stack->phases;
  double last, cycle = mean_cycle (stack);

  for (int p = 0; p < n; p++) {
    for (int s = 0; s < stack->slices; s++)
      stack->times_ms[p] +=
          stack->slice[s].trigger_ms[p] - stack->slice[s].trigger_ms[0];
    stack->times_ms[p] /= stack->slices;
  }
  last = stack->times_ms[n - 1];
  if (!(cycle > last)) {
    if (cycle > 0)
      cine_note (stack,
          "the files say a cycle of %.0f ms, but their phases cover %.0f ms: "
          "the cycle is taken as %.0f ms",
          cycle, last, last * n / (n - 1));
    cycle = last * n / (n - 1);
  } else if (last * n / (n - 1) < 0.85 * cycle) {
    cine_note (stack,
        "the phases cover %.0f of a cycle's %.0f ms: its end is not shown",
        last * n / (n - 1), cycle);
  }
  stack->timing = CINE_TIMING_TRIGGER;
  stack->cycle_ms = cycle;
}

void
cine_set_times (CineStack *stack)
{
  if (have_triggers (stack)) {
    set_from_triggers (stack);
    return;
  }
  stack->cycle_ms = mean_cycle (stack);
  stack->timing = CINE_TIMING_INTERVAL;
  if (!(stack->cycle_ms > 0)) {
    stack->timing = CINE_TIMING_ASSUMED;
    stack->cycle_ms = 1000;
    cine_note (stack,
        "neither trigger times nor a heart rate are known: the cycle is "
        "assumed to last 1 s");
  }
  for (int p = 0; p < stack->phases; p++)
    stack->times_ms[p] = stack->cycle_ms * p / stack->phases;
}
