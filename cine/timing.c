/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "stack.h"

#include <math.h>

/* Phases that cover less or more than this are not those of a heart's cycle,
 * whatever a file says. */
static const double min_span_ms = 20, max_span_ms = 20000;

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

/* Whether they are those of a cycle; says so when they are not. */
static bool
are_believable (CineStack *stack)
{
  for (int s = 0; s < stack->slices; s++) {
    const double *t = stack->slice[s].trigger_ms;
    double span = t[stack->phases - 1] - t[0];

    if (span >= min_span_ms && span <= max_span_ms)
      continue;
    cine_note (stack,
        "trigger times of slice %d cover %g ms, which is no heart's cycle: "
        "they are not used",
        s, span);
    return false;
  }
  return true;
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
  if (have_triggers (stack) && are_believable (stack)) {
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
