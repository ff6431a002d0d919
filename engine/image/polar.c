/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <cardiac/polar.h>

#include "core/error.h"
#include "image/clahe.h"

#include <cardiac/image.h>
#include <math.h>
#include <stdlib.h>

/* Radius of the crop a mean distance from the centre to the insertions, so that
 * the wall lies at about 0.55 of the polar picture. */
#define SIDE_OF_DISTANCE (2.2 / 0.62)

/* Insertions nearer to one line with the centre than this sine say nothing
 * about the sense of rotation. */
#define LEAST_SINE 1e-3

enum {
  ROWS = CARDIAC_POLAR_ROWS,
  COLUMNS = CARDIAC_POLAR_COLUMNS,
  SIDE = CARDIAC_POLAR_SIDE,
  MAX_SUBSAMPLES = 8, ///< a direction, of a crop that shrinks the picture
};

/* Between four pixels: the upper left one and the parts of the others. */
typedef struct Place {
  int32_t x, y;
  double right, down;
} Place;

struct CardiacPolarMap {
  int width, height;
  int subsamples;
  Place *crop; ///< [160][160][subsamples^2]
  Place polar[ROWS * COLUMNS];
  uint8_t cropped[SIDE * SIDE];
  double equalised[SIDE * SIDE];
  ClaheScratch clahe;
};

/* ---- geometry ---------------------------------------------------------- */

bool
cardiac_polar_geometry (const CardiacSliceLandmarks *landmarks, double side,
    CardiacPolarGeometry *geometry, CardiacError **error)
{
  if (!landmarks || !geometry)
    return cardiac_fail (error, CARDIAC_ERROR_INVALID_ARGUMENT,
        "no landmarks or no room for the geometry were given");

  const double *centre = landmarks->lv_centre;
  double anterior[2], inferior[2];
  for (int i = 0; i < 2; i++) {
    anterior[i] = landmarks->rv_anterior[i] - centre[i];
    inferior[i] = landmarks->rv_inferior[i] - centre[i];
  }
  double to_anterior = hypot (anterior[0], anterior[1]);
  double to_inferior = hypot (inferior[0], inferior[1]);
  double across = anterior[0] * inferior[1] - anterior[1] * inferior[0];

  if (!isfinite (to_anterior) || !isfinite (to_inferior))
    return cardiac_fail (error, CARDIAC_ERROR_INVALID_ARGUMENT,
        "a landmark of the slice is not a finite number");
  if (!(to_anterior >= 1) || !(to_inferior >= 1))
    return cardiac_fail (error, CARDIAC_ERROR_INVALID_ARGUMENT,
        "an RV insertion lies less than a pixel from the LV centre (%g, %g)",
        centre[0], centre[1]);
  if (fabs (across) < LEAST_SINE * to_anterior * to_inferior)
    return cardiac_fail (error, CARDIAC_ERROR_INVALID_ARGUMENT,
        "both RV insertions lie on one line with the LV centre (%g, %g), so "
        "that it is unknown on which side the septum is",
        centre[0], centre[1]);
  if (!(side >= 0) || !isfinite (side))
    return cardiac_fail (error, CARDIAC_ERROR_INVALID_ARGUMENT,
        "a crop of %g pixels is no size; 0 chooses one", side);

  *geometry = (CardiacPolarGeometry){
    .centre = { centre[0], centre[1] },
    .side =
        side > 0 ? side : SIDE_OF_DISTANCE * (to_anterior + to_inferior) / 2,
    .angle0 = atan2 (anterior[1], anterior[0]),
    .sense = across > 0 ? 1 : -1,
  };
  return true;
}

void
cardiac_polar_to_picture (const CardiacPolarGeometry *geometry, double row,
    double column, double *x, double *y)
{
  double radius = row * geometry->side / SIDE;
  double angle =
      geometry->angle0 + geometry->sense * column * 2 * M_PI / COLUMNS;
  *x = geometry->centre[0] + radius * cos (angle);
  *y = geometry->centre[1] + radius * sin (angle);
}

void
cardiac_polar_from_picture (const CardiacPolarGeometry *geometry, double x,
    double y, double *row, double *column)
{
  double right = x - geometry->centre[0], down = y - geometry->centre[1];
  double angle = geometry->sense * (atan2 (down, right) - geometry->angle0);
  double turns = angle / (2 * M_PI);

  *row = hypot (right, down) * SIDE / geometry->side;
  *column = fmod ((turns - floor (turns)) * COLUMNS, COLUMNS);
}

/* ---- tables ------------------------------------------------------------ */

static Place
place_at (double x, double y)
{
  double left = floor (x), top = floor (y);
  return (Place){ (int32_t) left, (int32_t) top, x - left, y - top };
}

static double
clamp (double value, double low, double high)
{
  return value < low ? low : value > high ? high : value;
}

/* Crop pixel (u, v) -> picture: the anterior insertion lies in the direction of
 * growing u, and the crop is mirrored where the picture turns the other way.
 * What lies outside the picture meets the black pixels around it. */
static void
fill_crop (CardiacPolarMap *map, const CardiacPolarGeometry *g)
{
  int fine = SIDE * map->subsamples, k = map->subsamples;
  double step = g->side / fine, middle = g->side / 2;
  double cosine = cos (g->angle0), sine = sin (g->angle0);
  Place *place = map->crop;

  for (int pixel = 0; pixel < SIDE * SIDE; pixel++) {
    for (int sample = 0; sample < k * k; sample++) {
      int row = pixel / SIDE * k + sample / k;
      int column = pixel % SIDE * k + sample % k;
      double v = (row + 0.5) * step - middle,
             u = (column + 0.5) * step - middle;
      double x = g->centre[0] + cosine * u - g->sense * sine * v;
      double y = g->centre[1] + sine * u + g->sense * cosine * v;
      *place++ =
          place_at (clamp (x, -1, map->width), clamp (y, -1, map->height));
    }
  }
}

static void
fill_polar (CardiacPolarMap *map)
{
  const double middle = SIDE / 2 - 0.5;

  for (int row = 0; row < ROWS; row++) {
    for (int column = 0; column < COLUMNS; column++) {
      double radius = row + 0.5, angle = (column + 0.5) * 2 * M_PI / COLUMNS;
      map->polar[row * COLUMNS + column] = place_at (
          middle + radius * cos (angle), middle + radius * sin (angle));
    }
  }
}

static bool
check_map (
    const CardiacPolarGeometry *g, int width, int height, CardiacError **error)
{
  if (!g)
    return cardiac_fail (error, CARDIAC_ERROR_INVALID_ARGUMENT,
        "no geometry of the slice was given");
  if (width < 1 || width > CARDIAC_IMAGE_MAX_SIZE || height < 1
      || height > CARDIAC_IMAGE_MAX_SIZE)
    return cardiac_fail (error, CARDIAC_ERROR_INVALID_ARGUMENT,
        "a picture of %d x %d pixels is outside 1 x 1 to %d x %d", width,
        height, CARDIAC_IMAGE_MAX_SIZE, CARDIAC_IMAGE_MAX_SIZE);
  if (!(g->side > 0 && g->side <= 2 * CARDIAC_IMAGE_MAX_SIZE)
      || !isfinite (g->angle0) || (g->sense != 1 && g->sense != -1))
    return cardiac_fail (error, CARDIAC_ERROR_INVALID_ARGUMENT,
        "a crop of %g pixels turned by %g radians, sense %g, cannot be cut out",
        g->side, g->angle0, g->sense);
  if (!(g->centre[0] >= -0.5 && g->centre[0] <= width - 0.5
          && g->centre[1] >= -0.5 && g->centre[1] <= height - 0.5))
    return cardiac_fail (error, CARDIAC_ERROR_INVALID_ARGUMENT,
        "the LV centre (%g, %g) lies outside the picture of %d x %d pixels",
        g->centre[0], g->centre[1], width, height);
  return true;
}

CardiacPolarMap *
cardiac_polar_map_new (const CardiacPolarGeometry *geometry, int width,
    int height, CardiacError **error)
{
  if (!check_map (geometry, width, height, error))
    return NULL;

  double shrink = ceil (geometry->side / SIDE);
  int subsamples = (int) clamp (shrink, 1, MAX_SUBSAMPLES);
  CardiacPolarMap *map = calloc (1, sizeof *map);
  if (map)
    map->crop =
        malloc (sizeof *map->crop * SIDE * SIDE * subsamples * subsamples);
  if (!map || !map->crop) {
    free (map);
    cardiac_fail (error, CARDIAC_ERROR_NO_MEMORY,
        "no memory for the tables of a polar picture");
    return NULL;
  }
  map->width = width;
  map->height = height;
  map->subsamples = subsamples;
  fill_crop (map, geometry);
  fill_polar (map);
  return map;
}

void
cardiac_polar_map_free (CardiacPolarMap **map)
{
  if (!map || !*map)
    return;
  free ((*map)->crop);
  free (*map);
  *map = NULL;
}

/* ---- pictures ---------------------------------------------------------- */

/* A picture of one of two depths, in grey levels 0..255. */
typedef struct Source {
  const uint8_t *data;
  ptrdiff_t stride;
  int width, height;
  bool deep;
  double low, scale;
} Source;

static inline double
grey_at (const Source *source, int x, int y)
{
  const uint8_t *row = source->data + y * source->stride;

  if (!source->deep)
    return row[x];
  double grey = (((const uint16_t *) (const void *) row)[x] - source->low)
                * source->scale;
  return clamp (grey, 0, 255);
}

static inline double
grey_or_black (const Source *source, int x, int y)
{
  if (x < 0 || y < 0 || x >= source->width || y >= source->height)
    return 0;
  return grey_at (source, x, y);
}

static inline double
blend (double upper_left, double upper_right, double lower_left,
    double lower_right, const Place *place)
{
  double upper = upper_left * (1 - place->right) + upper_right * place->right;
  double lower = lower_left * (1 - place->right) + lower_right * place->right;
  return upper * (1 - place->down) + lower * place->down;
}

static double
sample_picture (const Source *source, const Place *place)
{
  int x = place->x, y = place->y;

  return blend (grey_or_black (source, x, y), grey_or_black (source, x + 1, y),
      grey_or_black (source, x, y + 1), grey_or_black (source, x + 1, y + 1),
      place);
}

static void
crop_picture (CardiacPolarMap *map, const Source *source)
{
  int samples = map->subsamples * map->subsamples;
  const Place *place = map->crop;

  for (int pixel = 0; pixel < SIDE * SIDE; pixel++) {
    double sum = 0;
    for (int sample = 0; sample < samples; sample++)
      sum += sample_picture (source, place++);
    map->cropped[pixel] = (uint8_t) (sum / samples + 0.5);
  }
}

/* The outermost column and row of places lie between the last two pixels. */
static void
turn_polar (const CardiacPolarMap *map, uint8_t *polar)
{
  for (int i = 0; i < ROWS * COLUMNS; i++) {
    const Place *place = map->polar + i;
    const double *grey = map->equalised + place->y * SIDE + place->x;

    polar[i] =
        (uint8_t) (blend (grey[0], grey[1], grey[SIDE], grey[SIDE + 1], place)
                   + 0.5);
  }
}

static bool
run (CardiacPolarMap *map, Source *source, uint8_t *polar, CardiacError **error)
{
  int bytes = source->deep ? 2 : 1;

  if (!map || !source->data || !polar)
    return cardiac_fail (error, CARDIAC_ERROR_INVALID_ARGUMENT,
        "a polar picture needs a map, a picture and room for the result");
  if (llabs (source->stride) < (long long) map->width * bytes
      || source->stride % bytes != 0)
    return cardiac_fail (error, CARDIAC_ERROR_INVALID_ARGUMENT,
        "rows of %d pixels do not fit a stride of %lld bytes", map->width,
        (long long) source->stride);
  source->width = map->width;
  source->height = map->height;
  crop_picture (map, source);
  clahe_run (map->cropped, map->equalised, &map->clahe);
  turn_polar (map, polar);
  return true;
}

bool
cardiac_polar_map_run8 (CardiacPolarMap *map, const uint8_t *grey8,
    ptrdiff_t stride, uint8_t *polar, CardiacError **error)
{
  Source source = { .data = grey8, .stride = stride };

  return run (map, &source, polar, error);
}

bool
cardiac_polar_map_run16 (CardiacPolarMap *map, const uint16_t *grey16,
    ptrdiff_t stride, double low, double high, uint8_t *polar,
    CardiacError **error)
{
  if (!isfinite (low) || !isfinite (high) || high < low)
    return cardiac_fail (error, CARDIAC_ERROR_INVALID_ARGUMENT,
        "a window from %g to %g has no width", low, high);

  Source source = { .data = (const uint8_t *) grey16,
    .stride = stride,
    .deep = true,
    .low = low,
    .scale = 255 / fmax (high - low, 1e-9) };
  return run (map, &source, polar, error);
}
