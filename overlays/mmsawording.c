/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "mmsawording.h"
#include "wording.h"

#include <math.h>

#define DOT " \xc2\xb7 "
#define TIMES "\xc3\x97"

/* Reasons that read otherwise than in echo; NULL: those of any result. */
static const char *const reasons[CARDIAC_OVERLAY_N_STATES] = {
  [CARDIAC_OVERLAY_WAIT] = "Collecting the phases of one cycle.",
  [CARDIAC_OVERLAY_UNSURE] = "The scores are close to those of other grades.",
  [CARDIAC_OVERLAY_POOR_IMAGE] = "The slices are not good enough to be scored.",
  [CARDIAC_OVERLAY_TOO_SHORT] = "The recording does not hold a whole cycle.",
};

static bool
is_found (const MmsaView *view)
{
  return view->v.state == CARDIAC_OVERLAY_RESULT
         || view->v.state == CARDIAC_OVERLAY_UNSURE;
}

char *
mmsa_word_chip (const MmsaView *view)
{
  if (view->has_finding && view->v.state == CARDIAC_OVERLAY_RESULT
      && view->scored < CARDIAC_OVERLAY_SEGMENTS)
    return g_strdup_printf (
        "%d/%d SCORED", view->scored, CARDIAC_OVERLAY_SEGMENTS);
  return word_chip (&view->common);
}

char *
mmsa_word_scope (const MmsaView *view)
{
  int phases = 0;
  for (int i = 0; i < CARDIAC_OVERLAY_SLICES; i++)
    phases = MAX (phases, view->v.slices[i].phases);
  if (phases == 0)
    return g_strdup ("short-axis cine MR" DOT "AHA 16 segments");
  return g_strdup_printf (
      "short-axis cine MR" DOT "AHA 16 segments" DOT "%d phases", phases);
}

const char *
mmsa_word_reason (const MmsaView *view)
{
  const CardiacMRegView *v = &view->common.v;
  if (v->enabled && is_found (view) && view->v.withhold_scores)
    return "Shown once the reader has entered scores.";
  if (v->enabled && v->reason)
    return v->reason;
  if (v->enabled && reasons[v->state])
    return reasons[v->state];
  return word_reason (&view->common);
}

char *
mmsa_word_index (const MmsaView *view)
{
  return isfinite (view->index) ? g_strdup_printf ("%.2f", view->index)
                                : g_strdup ("\xe2\x80\x93");
}

char *
mmsa_word_scored (const MmsaView *view)
{
  int least = view->v.least_scored;
  if (isfinite (view->index) || view->scored >= least)
    return g_strdup_printf (
        "%d/%d scored", view->scored, CARDIAC_OVERLAY_SEGMENTS);
  return g_strdup_printf (
      "%d/%d scored, %d needed", view->scored, CARDIAC_OVERLAY_SEGMENTS, least);
}

char *
mmsa_word_short_index (const MmsaView *view)
{
  char *index = mmsa_word_index (view), *scored = mmsa_word_scored (view);
  char *word = g_strdup_printf ("WMSI %s" DOT "%s", index, scored);
  g_free (index);
  g_free (scored);
  return word;
}

char *
mmsa_word_motion (const MmsaView *view, double magnification)
{
  if (view->v.motion_step == 1)
    return g_strdup_printf (
        "mean motion to the next phase, " TIMES "%.0f", magnification);
  return g_strdup_printf ("mean motion over %d phases, " TIMES "%.0f",
      view->v.motion_step, magnification);
}

char *
mmsa_word_slice (const CardiacMmsaSlice *slice)
{
  GString *word = g_string_new (NULL);
  if (slice->slice >= 0)
    g_string_append_printf (word, "slice %d", slice->slice);
  if (slice->slice >= 0 && slice->phase >= 0)
    g_string_append (word, DOT);
  if (slice->phase >= 0)
    g_string_append_printf (
        word, "phase %d/%d", slice->phase + 1, slice->phases);
  return g_string_free (word, FALSE);
}
