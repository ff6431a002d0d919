/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "wording.h"

#include <math.h>

#define DOT " \xc2\xb7 "

static const struct {
  const char *chip, *reason;
} states[CARDIAC_OVERLAY_N_STATES] = {
  [CARDIAC_OVERLAY_WAIT] = { "WAIT",
      "Collecting frames for the first result." },
  [CARDIAC_OVERLAY_RESULT] = { "RESULT", NULL },
  [CARDIAC_OVERLAY_UNSURE] = { "UNSURE",
      "The value is close to the border of two grades." },
  [CARDIAC_OVERLAY_STALE] = { "STALE",
      "No new result has come in; the last one is withdrawn." },
  [CARDIAC_OVERLAY_NO_SIGNAL] = { "NO SIGNAL", "The input shows no picture." },
  [CARDIAC_OVERLAY_FROZEN] = { "FROZEN",
      "The picture stands still; frames are not collected." },
  [CARDIAC_OVERLAY_NO_DOPPLER] = { "NO DOPPLER",
      "No colour Doppler in the picture: switch colour flow on." },
  [CARDIAC_OVERLAY_VIEW_NOT_A4C] = { "VIEW NOT A4C",
      "Grading needs an apical four-chamber view." },
  [CARDIAC_OVERLAY_POOR_IMAGE] = { "POOR IMAGE",
      "The picture is not good enough to be graded." },
  [CARDIAC_OVERLAY_TOO_SHORT] = { "TOO SHORT",
      "The recording does not hold the clips that a grade needs." },
  [CARDIAC_OVERLAY_MODEL_ERROR] = { "MODEL ERROR",
      "The network could not be run." },
  [CARDIAC_OVERLAY_PAUSED] = { "PAUSED", "Analysis is paused." },
  [CARDIAC_OVERLAY_STACK_INCOMPLETE] = { "STACK INCOMPLETE",
      "A slice or a phase of the cycle is missing." },
  [CARDIAC_OVERLAY_PHASES_DIFFER] = { "PHASES DIFFER",
      "The slices do not have the same number of phases." },
  [CARDIAC_OVERLAY_LEVEL_UNKNOWN] = { "LEVEL UNKNOWN",
      "Which slice is basal, mid or apical is not known." },
};

char *
word_chip (const View *view)
{
  const CardiacMRegView *v = &view->v;
  const char *word = states[v->state].chip;
  if (!v->enabled)
    return g_strdup ("OFF");
  if (v->withhold_grade
      && (v->state == CARDIAC_OVERLAY_RESULT
          || v->state == CARDIAC_OVERLAY_UNSURE))
    return g_strdup ("READER FIRST");
  if (v->state == CARDIAC_OVERLAY_WAIT && v->wait_total > 0)
    return g_strdup_printf (
        "WAIT %d/%d", CLAMP (v->wait_done, 0, v->wait_total), v->wait_total);
  if (v->state == CARDIAC_OVERLAY_STALE && v->age_s >= 0.0)
    return v->age_s < 100.0 ? g_strdup_printf ("STALE %d s", (int) v->age_s)
                            : g_strdup_printf (
                                "STALE %.0f min", fmin (v->age_s, 6e6) / 60.0);
  if (v->state == CARDIAC_OVERLAY_FROZEN && v->state_time)
    return g_strdup_printf ("FROZEN %s", v->state_time);
  return g_strdup (word);
}

char *
word_grade (const View *view)
{
  const CardiacMRegView *v = &view->v;
  if (!view->has_finding)
    return NULL;
  if (v->state == CARDIAC_OVERLAY_UNSURE && !v->unsure_alone)
    return g_strdup_printf (
        "%s | %s", v->labels[view->neighbour], v->labels[view->neighbour + 1]);
  return g_strdup (v->labels[v->grade]);
}

const char *
word_reason (const View *view)
{
  const CardiacMRegView *v = &view->v;
  if (!v->enabled)
    return "Drawing is switched off.";
  if (v->state == CARDIAC_OVERLAY_RESULT || v->state == CARDIAC_OVERLAY_UNSURE)
    if (v->withhold_grade)
      return "Shown once the reader has entered a grade.";
  if (v->state == CARDIAC_OVERLAY_RESULT)
    return NULL;
  return v->reason ? v->reason : states[v->state].reason;
}

const char *
word_confidence (const View *view)
{
  const CardiacMRegView *v = &view->v;
  if (!view->has_finding || !v->trained || !(v->probability >= 0.0))
    return NULL;
  if (v->state == CARDIAC_OVERLAY_UNSURE) /* the chip says it */
    return NULL;
  bool contradicted =
      v->presence >= 0.0 && (v->presence >= 0.5) != (v->grade > 0);
  return v->probability >= 0.75 && !contradicted ? "likely" : "less certain";
}

char *
word_value (const View *view)
{
  if (!view->has_finding || !isfinite (view->v.value)
      || fabs (view->v.value) > 999.0)
    return NULL;
  return g_strdup_printf ("%.2f", view->v.value);
}

char *
word_nyquist (const View *view)
{
  return view->v.nyquist ? g_strdup_printf ("Nyquist %s", view->v.nyquist)
                         : g_strdup ("Nyquist ?");
}

char *
word_age (const View *view)
{
  const CardiacMRegView *v = &view->v;
  if (v->age_s < 0.0)
    return v->final ? g_strdup ("whole recording") : NULL;
  double age = v->age_s;
  if (age <= 10.0)
    return g_strdup_printf (
        "result age %.1f s", fmax (ceil (age * 2.0) / 2.0, 0.5));
  if (age <= 120.0)
    return g_strdup_printf ("result age %.0f s", ceil (age));
  return g_strdup_printf ("result age %.0f min", ceil (fmin (age, 6e6) / 60.0));
}

char *
word_model (const View *view)
{
  const CardiacMRegView *v = &view->v;
  if (v->model_name == NULL)
    return g_strdup ("no model");
  GString *line = g_string_new (v->model_name);
  if (v->model_hash) {
    char *head = g_utf8_substring (
        v->model_hash, 0, MIN (7, g_utf8_strlen (v->model_hash, -1)));
    g_string_append_printf (line, " %s", head);
    g_free (head);
  }
  if (v->precision || v->device)
    g_string_append (line, DOT);
  if (v->precision)
    g_string_append_printf (line, "%s ", v->precision);
  if (v->device)
    g_string_append (line, v->device);
  return g_strchomp (g_string_free (line, FALSE));
}

const char *
word_weights (const View *view, bool with_meaning)
{
  const CardiacMRegView *v = &view->v;
  if (v->model_name == NULL)
    return NULL;
  if (!v->trained)
    return with_meaning ? "UNTRAINED WEIGHTS" DOT "not a finding"
                        : "UNTRAINED WEIGHTS";
  if (v->synthetic)
    return with_meaning ? "SYNTHETIC WEIGHTS" DOT "not a finding"
                        : "SYNTHETIC WEIGHTS";
  return NULL;
}

char *
word_instance (const View *view)
{
  const CardiacMRegView *v = &view->v;
  if (v->selected < 0)
    return g_strdup_printf ("%d instances", v->n_instances);
  return g_strdup_printf ("instance %d of %d", v->selected + 1, v->n_instances);
}
