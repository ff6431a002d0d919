/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CARDIAC_OVERLAYS_WORDING_H
#define CARDIAC_OVERLAYS_WORDING_H

#include "view.h"

/// Every word that is drawn, in one place. Results of type char * are freed
/// with g_free(); NULL: nothing to say.

#define WORD_TITLE "Mitral regurgitation"
#define WORD_SCOPE "A4C colour only \xc2\xb7 screening cue"
#define WORD_VIEW "view not checked"
#define WORD_LEGEND "network activation, not jet area"
#define WORD_NO_GRADE "No grade"

char *word_chip (const View *view);
char *word_grade (const View *view);
/// A sentence for every state but RESULT.
const char *word_reason (const View *view);
const char *word_confidence (const View *view);
char *word_value (const View *view);
char *word_nyquist (const View *view);
/// In steps of half a second and rounded up, so that digits do not flicker and
/// no result looks younger than it is.
char *word_age (const View *view);
char *word_model (const View *view);
/// Short form for the strip, long form for the panel.
const char *word_weights (const View *view, bool with_meaning);
char *word_instance (const View *view);

#endif
