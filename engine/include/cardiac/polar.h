/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CARDIAC_POLAR_H
#define CARDIAC_POLAR_H

#include <cardiac/error.h>
#include <cardiac/export.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

CARDIAC_BEGIN_DECLS

/** A short-axis slice of cine MR in polar space, aligned by anatomy: column 0
 * lies at the anterior RV insertion, columns grow through the septum. */

enum {
  CARDIAC_POLAR_ROWS = 80,     ///< radius, row i at (i + 1/2) px of the crop
  CARDIAC_POLAR_COLUMNS = 192, ///< angle, column j at (j + 1/2) 360 / 192 deg
  CARDIAC_POLAR_SIDE = 160,    ///< of the crop, px
};

/** Anatomical points of a slice, in pixels of its picture: x is the column, y
 * the row, pixel centres at whole numbers. */
typedef struct CardiacSliceLandmarks {
  double lv_centre[2];    ///< centre of the LV cavity
  double rv_anterior[2];  ///< anterior RV insertion
  double rv_inferior[2];  ///< inferior RV insertion
} CardiacSliceLandmarks;

/** How a slice was cut out: picture (x, y) <-> crop <-> polar. */
typedef struct CardiacPolarGeometry {
  double centre[2];  ///< LV centre, pixels of the picture
  double side;       ///< of the crop, pixels of the picture
  double angle0;     ///< of column edge 0, radians, atan2 (dy, dx), y down
  double sense;      ///< +1: the picture's angle grows with the column, else -1
} CardiacPolarGeometry;

/** The geometry that landmarks give.
 * @param side of the crop in pixels of the picture; 0: 2.2 times the mean
 *   distance from centre to insertions, / 0.62.
 * @return false with INVALID_ARGUMENT: points that coincide, are not finite, or
 * lie on one line with the centre so that no sense of rotation follows. */
CARDIAC_API bool cardiac_polar_geometry (const CardiacSliceLandmarks *landmarks,
    double side, CardiacPolarGeometry *geometry, CardiacError **error);

/** Polar (row, column; fractional, centres at i + 1/2 as edges are at whole
 * numbers) to the picture, and back. */
CARDIAC_API void cardiac_polar_to_picture (const CardiacPolarGeometry *geometry,
    double row, double column, double *x, double *y);
CARDIAC_API void cardiac_polar_from_picture (
    const CardiacPolarGeometry *geometry, double x, double y, double *row,
    double *column);

/** Look-up tables of one geometry and picture size. One map serves one thread
 * at a time. */
typedef struct CardiacPolarMap CardiacPolarMap;

CARDIAC_API CardiacPolarMap *cardiac_polar_map_new (
    const CardiacPolarGeometry *geometry, int width, int height,
    CardiacError **error);
CARDIAC_API void cardiac_polar_map_free (CardiacPolarMap **map);

/** Crop, rotate, resize to 160 x 160, CLAHE with Rayleigh target, polar.
 * @param grey8 or @param grey16: the picture, one of them; @param stride in
 *   bytes. @param low, @param high: grey16 values that become 0 and 255 (1st and
 *   99th percentile of the slice's whole cycle); ignored for grey8.
 * @param polar [80,192]. */
CARDIAC_API bool cardiac_polar_map_run8 (CardiacPolarMap *map,
    const uint8_t *grey8, ptrdiff_t stride, uint8_t *polar,
    CardiacError **error);
CARDIAC_API bool cardiac_polar_map_run16 (CardiacPolarMap *map,
    const uint16_t *grey16, ptrdiff_t stride, double low, double high,
    uint8_t *polar, CardiacError **error);

/** Cuts the polar pictures of three slices of one phase into segments 1..16 in
 * AHA order, 32 columns each (the apical slice is rolled by 15 degrees and each
 * of its segments resampled from 48 columns), divided by 255.
 * @param basal, mid, apical [80,192]; @param out one phase of P_pat [80,512]. */
CARDIAC_API void cardiac_polar_segments (const uint8_t *basal,
    const uint8_t *mid, const uint8_t *apical, float *out);

CARDIAC_END_DECLS

#endif
