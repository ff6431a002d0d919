/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef RESULT_STATE_H
#define RESULT_STATE_H

#include "meta/gstcardiacresult.h"

/* Which one word is true now. What is wrong with the picture comes before
 * counts of frames, and those before the age of a result. */

/** A picture that stands still for so long is frozen. */
#define STATE_FROZEN_AFTER GST_SECOND
/** Nothing shown for so long is no signal (a scene may begin in black). */
#define STATE_BLANK_AFTER (200 * GST_MSECOND)
/** No colour for so long is no Doppler; more than one beat. */
#define STATE_COLOURLESS_AFTER (1500 * GST_MSECOND)

/** No heart found for so long is another view: the detector may miss for a
 * moment. */
#define STATE_HEARTLESS_AFTER GST_SECOND

/** What is known at a frame. Durations are stream time. */
typedef struct {
  gboolean paused;          ///< analysis is switched off
  const gchar *model_error; ///< why the network failed, or NULL
  gboolean blank, never_content;
  GstClockTime blank_for, still_for, colourless_for;
  GstClockTime heartless_for; ///< how long the detector found no heart
  gboolean slow;            ///< too few pictures a second
  gboolean has_result;      ///< a network's result that is not erased
  GstClockTime age;         ///< of its newest frame
  gboolean unsure;          ///< see state_is_unsure()
  GstClockTime stale_after; ///< NONE: never
} StateInput;

/** The first state that applies. */
GstCardiacState state_pick (const StateInput *input);

/** Whether `value` lies within @band of a border, or the presence of
 * regurgitation contradicts the grade. @why: receives a sentence to free with
 * g_free(), may be %NULL. */
gboolean state_is_unsure (
    const GstCardiacResult *result, gdouble band, gchar **why);

/** The usual sentence of a state; static. */
const gchar *state_reason (GstCardiacState state);

#endif
