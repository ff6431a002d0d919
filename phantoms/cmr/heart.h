/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CMR_HEART_H
#define CMR_HEART_H

#include "cmr-phantom.h"

#include "chance.h"

/* Tables over the angle of the heart, one degree a step; the last equals the
 * first. */
enum { RING = 360 };

/* Borders between which radius moves linearly, from the axis outwards. */
enum { ENDOCARDIUM, EPICARDIUM, RV_BORDER, LIMIT, BORDERS };

/* The heart in one slice. Lengths in mm, angles in radians; "ring" angles are
 * those of the heart, from the anterior insertion through the septum. */
typedef struct Heart {
  double depth;     /* 0 base .. 1 apex */
  double centre[2]; /* px, of the axis at end-diastole */
  double pixel_mm;
  double turn[2];   /* cosine and sine of the patient's rotation */
  double insertion; /* direction of ring angle 0 in the patient */
  double septum;    /* ring angle of the inferior insertion */
  bool mirror;
  float still[BORDERS][RING + 1]; /* borders at end-diastole */
  float smooth[RING + 1];         /* endocardium without trabeculae */
  float rv_gap[RING + 1];         /* of it: the right ventricle's cavity */
  float excursion[RING + 1], thickening[RING + 1], delay[RING + 1];
  double twist;        /* at full contraction */
  double inner, outer; /* mm: twist and shift are whole within, none beyond */
  double reach;        /* mm, nothing moves beyond */
  double shift[2];     /* mm in the patient, at full contraction */
  double rv_excursion;
  double systole;
} Heart;

/* The heart of a slice at one moment. */
typedef struct Moment {
  float border[BORDERS][RING + 1];
  double shift[2];
  double twist;
} Moment;

/* Muscle's contraction at a time of the cycle (any real, period 1): 0 .. 1. */
double heart_contraction (double time, double systole);

void heart_init (Heart *heart, const CmrSettings *settings, int slice);
void heart_moment (const Heart *heart, double time, Moment *moment);

/* Value of a table at a ring angle, within 16 turns of 0. */
double ring_at (const float table[RING + 1], double angle);

/* Picture (px) to the patient's frame (mm from the axis), and back. */
void heart_to_patient (const Heart *heart, const double px[2], double mm[2]);
void heart_from_patient (const Heart *heart, const double mm[2], double px[2]);

/* Patient's frame at a moment to the radius and ring angle at which that material
 * is at end-diastole. False where nothing moves. */
bool heart_unmove (const Heart *heart, const Moment *moment, const double mm[2],
    double *radius, double *angle);

/* The way back. */
void heart_move (const Heart *heart, const Moment *moment, double radius,
    double angle, double mm[2]);

/* Radius and ring angle of a point of the patient's frame. */
void heart_ring (
    const Heart *heart, const double mm[2], double *radius, double *angle);

/* What the material at a place of end-diastole is. */
CmrTissue heart_tissue (const Heart *heart, double radius, double angle);

/* Borders of a segment, ring angles. */
void heart_segment_range (int segment, double *begin, double *end);

/* Excursion, thickening or delay of one level over the ring, blurred. */
void heart_level_motion (const CmrSettings *settings, const double *values,
    int level, float table[RING + 1]);

int heart_level_slice (const CmrSettings *settings, int level);

#endif
