/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CARDIAC_OVERLAYS_ISOLINE_H
#define CARDIAC_OVERLAYS_ISOLINE_H

#include <cairo.h>
#include <stdbool.h>

/// A smooth, non-negative map on a fine grid. Node (r, c) lies at
/// (r / (rows - 1), c / (cols - 1)) of the square it covers.
typedef struct Field {
  int rows, cols;
  float *values; ///< owned
  float peak;    ///< largest value
} Field;

/// Catmull-Rom interpolation of a map of cells (values stand for cell centres;
/// edges are repeated outwards); below 0 and NaN become 0.
void field_from_map (Field *field, const float *map, int map_rows, int map_cols,
    int rows, int cols);
void field_clear (Field *field);

/// Adds the lines at `level` to the path of cr, which maps the field's square
/// to x, y, width, height. Lines are joined end to end, and open where they
/// meet the square's edge. Returns their length in units of the context.
double field_isoline (const Field *field, float level, cairo_t *cr, double x,
    double y, double width, double height);

#endif
