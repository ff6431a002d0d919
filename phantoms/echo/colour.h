/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef ECHO_COLOUR_H
#define ECHO_COLOUR_H

#include "flow.h"
#include "texture.h"

/* The colour-flow picture: beams by depths of the colour box. */

enum { COLOUR_BEAMS = 64, COLOUR_DEPTHS = 112, COLOUR_MAP = 64 };

typedef struct ColourPixel {
  uint8_t r, g, b, a; ///< a: 0 or 255
} ColourPixel;

/** Colours of -nyquist .. nyquist without and with disorder. */
typedef struct ColourMap {
  uint8_t rgb[2][COLOUR_MAP][3];
} ColourMap;

void colour_map_make (const EchoSettings *settings, ColourMap *map);

void colour_draw (const EchoSettings *settings, const Textures *textures,
    const ColourMap *map, const Heart *heart, const Flow *flow,
    ColourPixel pixels[COLOUR_BEAMS][COLOUR_DEPTHS]);

#endif
