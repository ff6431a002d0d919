/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CMR_TISSUE_H
#define CMR_TISSUE_H

#include "heart.h"

/* Signal of steady-state free precession: blood and fluid bright, fat brighter,
 * muscle dark, lung nearly black. Blood is about 180. */

enum { NOISE_SIDE = 64, LOOPS = 6 };

/* An ellipse of the patient's frame, mm. */
typedef struct Blob {
  double centre[2], half[2], direction, signal;
  double axis[2]; /* cosine and sine of the direction */
} Blob;

/* What surrounds the heart in one slice. */
typedef struct Tissue {
  float lattice[NOISE_SIDE][NOISE_SIDE]; /* -1 .. 1, repeats */
  Blob body;
  double fat_mm, muscle_mm;
  double diaphragm, dome; /* mm below the axis; its curvature */
  double liver_edge;      /* mm, right border of the liver at the top */
  Blob pad, stomach, spleen, loop[LOOPS];
  Blob papillary[2], band; /* band: of the right ventricle */
  double layer_signal;     /* fat about the heart */
  double texture[2];       /* origin of the noise in this slice */
} Tissue;

void tissue_init (
    Tissue *tissue, const Heart *heart, const CmrSettings *settings);

/* Signal of the material at a place of the patient's frame at end-diastole.
 * @param soft mm over which borders blur, about a pixel. */
double tissue_signal (
    const Tissue *tissue, const Heart *heart, const double mm[2], double soft);

/* Sensitivity of the coils at a place. */
double tissue_sensitivity (
    const Tissue *tissue, const double mm[2], double bias);

#endif
