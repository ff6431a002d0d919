/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CINE_ESTIMATE_H
#define CINE_ESTIMATE_H

#include "levels.h"

/* Finding the LV and the septum in pictures without any training: what is bright,
 * round, walled in on all sides and beats is the LV; the bright chamber that
 * shares a wall with it towards the patient's right is the RV. */

/** One picture of floats. */
typedef struct CineImage {
  int width, height;
  double mm; ///< a pixel's side, mean of both
  float *value;
} CineImage;

/** Value between pixels, bilinear; 0 outside. */
float cine_image_at (const CineImage *image, double x, double y);

/** Pictures of a stack over time. */
typedef struct CineHeart {
  const CineStack *stack;
  CineImage *mean;   ///< [slices], over the phases
  CineImage *spread; ///< [slices], standard deviation over the phases
} CineHeart;

bool cine_heart_init (CineHeart *heart, const CineStack *stack);
void cine_heart_clear (CineHeart *heart);

/** A circle that looks like an LV. */
typedef struct CineCircle {
  double centre[2];  ///< pixels
  double radius;     ///< pixels
  double score;      ///< contrast of its wall against it, share of the window
  float blood, wall; ///< grey of both
} CineCircle;

/** One circle a slice, close to those of the neighbours. */
bool cine_find_circles (const CineHeart *heart, CineCircle *circles);

/** The cavity's border around a centre: bright within, dark without. Moves the
 * centre to the cavity's centroid.
 * @param radius [CINE_ANGLES], pixels
 * @return its area, pixels^2 */
double cine_find_contour (
    const CineImage *image, CineCircle *circle, double *radius);

/** The ends of the septum, from the RV's blood. False without an RV. */
bool cine_find_septum (const CineHeart *heart, int slice,
    const CineImage *image, const CineCircle *circle, const double *radius,
    CinePoints *points);

#endif
