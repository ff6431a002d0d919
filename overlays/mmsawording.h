/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CARDIAC_OVERLAYS_MMSA_WORDING_H
#define CARDIAC_OVERLAYS_MMSA_WORDING_H

#include "mmsaview.h"

/// Every word about wall motion that is drawn. Results of type char * are freed
/// with g_free(); NULL: nothing to say.

#define WORD_MMSA_TITLE "Regional wall motion"
#define WORD_MMSA_INDEX "motion score index"
#define WORD_MMSA_NO_SCORES "No scores"

char *mmsa_word_chip (const MmsaView *view);
char *mmsa_word_scope (const MmsaView *view);
/// In RESULT only when the record gives one.
const char *mmsa_word_reason (const MmsaView *view);
/// "1.93", or a dash.
char *mmsa_word_index (const MmsaView *view);
/// "15/16 scored"; says what is missing when there is no index.
char *mmsa_word_scored (const MmsaView *view);
/// The index in one line, for the strip.
char *mmsa_word_short_index (const MmsaView *view);
char *mmsa_word_motion (const MmsaView *view, double magnification);
/// "slice 4 . phase 7/20".
char *mmsa_word_slice (const CardiacMmsaSlice *slice);

#endif
