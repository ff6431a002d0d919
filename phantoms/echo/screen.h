/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef ECHO_SCREEN_H
#define ECHO_SCREEN_H

#include "colour.h"

/* A scanner's screen around the sector: writing, scales, ECG. Everything is
 * placed in pixels of 640 x 480 and drawn straight at the size asked for. */

/** Where a view's pixels lie on the screen. */
typedef struct Raster {
  EchoView view;
  int width, height;
} Raster;

/** Screen place of the transducer and pixels a cm. */
typedef struct SectorPlace {
  double x, y, per_cm;
} SectorPlace;

SectorPlace screen_sector (const EchoSettings *settings);

/** Draws what stands still. @param rgba [height][width][4], straight alpha,
 * filled with 0 before. */
void screen_draw_still (const EchoSettings *settings, const ColourMap *map,
    const Raster *raster, uint8_t *rgba);

enum { ECG_TABLE = 1024 };

/** The ECG over one cycle, about -0.2 .. 1. */
void screen_make_ecg (const EchoSettings *settings, float table[ECG_TABLE]);

/** Draws the ECG up to now onto a picture. */
void screen_draw_ecg (const EchoSettings *settings, const float *table,
    const Raster *raster, double time, uint8_t *rgb, ptrdiff_t stride);

#endif
