/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef ECHO_GREY_H
#define ECHO_GREY_H

#include "heart.h"
#include "texture.h"

/* The grey-scale picture as the machine has it: beams by depths. */

enum { GREY_BEAMS = 104, GREY_DEPTHS = 224 };

/** Depth of the first sample, cm: the transducer's face. */
#define GREY_FIRST 0.35f

/** What of a recording does not change with time. */
typedef struct GreyPlan {
  float sine[GREY_BEAMS], cosine[GREY_BEAMS];
  float shadow[GREY_BEAMS]; ///< dB lost behind ribs and by poor contact
  float step;               ///< cm between samples
  float angle_step;         ///< radians between beams
  float tgc[GREY_DEPTHS];   ///< dB
} GreyPlan;

void grey_plan (const EchoSettings *settings, GreyPlan *plan);

/** @param pixels 0 .. 255 */
void grey_draw (const EchoSettings *settings, const GreyPlan *plan,
    const Textures *textures, const Heart *heart,
    uint8_t pixels[GREY_BEAMS][GREY_DEPTHS]);

#endif
