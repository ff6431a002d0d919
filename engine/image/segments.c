/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Polar pictures of three levels to the 16 AHA segments of a phase. */
#include <cardiac/polar.h>

enum {
  ROWS = CARDIAC_POLAR_ROWS,
  COLUMNS = CARDIAC_POLAR_COLUMNS,
  SEGMENT = 32,       ///< columns of a segment
  RING = 6 * SEGMENT, ///< of a basal or mid slice
  OUT = 2 * RING + 4 * SEGMENT,
  APEX_ROLL = 8,     ///< 15 degrees
  APEX_SEGMENT = 48, ///< columns, before they become 32
};

/* Segments 2, 3, 4, 5, 6, 1 follow each other from column 0. */
static void
split_ring (const uint8_t *row, float *out)
{
  for (int column = 0; column < RING; column++)
    out[(column + SEGMENT) % RING] = row[column] / 255.f;
}

/* Segments 14, 15, 16, 13 follow each other from column 8. Three columns become
 * two by area: each takes one and a half. */
static void
split_apex (const uint8_t *row, float *out)
{
  for (int segment = 0; segment < 4; segment++) {
    int first = APEX_ROLL + (segment + 3) % 4 * APEX_SEGMENT;

    for (int pair = 0; pair < SEGMENT / 2; pair++) {
      int a = row[(first + 3 * pair) % COLUMNS];
      int b = row[(first + 3 * pair + 1) % COLUMNS];
      int c = row[(first + 3 * pair + 2) % COLUMNS];

      out[segment * SEGMENT + 2 * pair] = (2 * a + b) / (3 * 255.f);
      out[segment * SEGMENT + 2 * pair + 1] = (b + 2 * c) / (3 * 255.f);
    }
  }
}

void
cardiac_polar_segments (
    const uint8_t *basal, const uint8_t *mid, const uint8_t *apical, float *out)
{
  for (int row = 0; row < ROWS; row++, out += OUT) {
    split_ring (basal + row * COLUMNS, out);
    split_ring (mid + row * COLUMNS, out + RING);
    split_apex (apical + row * COLUMNS, out + 2 * RING);
  }
}
