/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Both resizes run row by row: the source rows that an output row needs are
 * converted to packed pixels (a few are kept, as neighbouring output rows share
 * them), blended into one float row, filtered across, and written to the three
 * planes. Blending rows first keeps the long loops over whole rows, and the
 * filter across then runs once an output row. */

#include "image/resize.h"
#include "core/error.h"
#include "image/row.h"
#include "image/simd.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
  KEPT_ROWS =
      48, ///< source rows, enough for scales to 23 without reading twice
  LETTERBOX_GREY = 114,
  MAX_SQUARE = 65536, ///< pixels a crop may be wide
};

/** Four floats: R, G, B, 0. */
typedef float Pixel __attribute__ ((vector_size (16)));

struct CardiacResizer {
  CardiacTaps across, down;
  size_t memory_size;
  char *memory; ///< one allocation that the pointers below cut up

  size_t pitch;            ///< pixels of a source row with its margin
  int kept;                ///< source rows that are kept, at most KEPT_ROWS
  int kept_row[KEPT_ROWS]; ///< which row lies in a slot, -1 none
  uint32_t *source;        ///< [kept, pitch] packed pixels
  float *blended;          ///< [pitch, 4]
  Pixel *line;             ///< [output]
  void *scratch;           ///< of the row reader
  CardiacRows rows;
};

CardiacResizer *
cardiac_resizer_new (CardiacError **error)
{
  CardiacResizer *resizer = calloc (1, sizeof *resizer);
  if (!resizer)
    cardiac_fail (error, CARDIAC_ERROR_NO_MEMORY, "out of memory");
  return resizer;
}

void
cardiac_resizer_free (CardiacResizer **resizer)
{
  if (!resizer || !*resizer)
    return;
  cardiac_taps_clear (&(*resizer)->across);
  cardiac_taps_clear (&(*resizer)->down);
  free ((*resizer)->memory);
  free (*resizer);
  *resizer = NULL;
}

/* ---- what is made of a picture ------------------------------------------ */

static bool
validate_square (const CardiacSquare *crop, int side, const float mean[3],
    const float std[3], CardiacError **error)
{
  if (!crop || !mean || !std)
    return cardiac_fail (error, CARDIAC_ERROR_INVALID_ARGUMENT,
        "square, mean and standard deviation must be given");
  if (side < 1 || side > CARDIAC_IMAGE_MAX_SIDE)
    return cardiac_fail (error, CARDIAC_ERROR_INVALID_ARGUMENT,
        "a network input of %d pixels is outside 1 to %d", side,
        CARDIAC_IMAGE_MAX_SIDE);
  /* Written so that NaN fails. */
  if (!(crop->side > 0 && crop->side <= MAX_SQUARE && fabs (crop->x) <= 1e6
          && fabs (crop->y) <= 1e6))
    return cardiac_fail (error, CARDIAC_ERROR_INVALID_ARGUMENT,
        "a square of %g pixels at %g, %g cannot be cut out", crop->side,
        crop->x, crop->y);
  for (int c = 0; c < 3; c++)
    if (!isfinite (mean[c]) || !(std[c] > 0) || !isfinite (std[c]))
      return cardiac_fail (error, CARDIAC_ERROR_INVALID_ARGUMENT,
          "channel %d cannot be normalised with mean %g and standard "
          "deviation %g",
          c, (double) mean[c], (double) std[c]);
  return true;
}

bool
cardiac_resize_square (const CardiacSquare *crop, int side, const float mean[3],
    const float std[3], CardiacResize *resize, CardiacError **error)
{
  if (!validate_square (crop, side, mean, std, error))
    return false;
  *resize = (CardiacResize){ .x = crop->x,
    .y = crop->y,
    .width = crop->side,
    .height = crop->side,
    .antialias = true,
    .side = side,
    .into = { 0, 0, side, side } };
  for (int c = 0; c < 3; c++) {
    resize->scale[c] = (float) (1 / (255.0 * (double) std[c]));
    resize->shift[c] = (float) (-(double) mean[c] / (double) std[c]);
  }
  return true;
}

CardiacResize
cardiac_resize_letterbox (const CardiacLetterbox *placement)
{
  const CardiacLetterbox *p = placement;
  const float scale = 1 / 255.0f;
  return (CardiacResize){ .width = p->picture_width,
    .height = p->picture_height,
    .rounded = true,
    .side = p->side,
    .into = { p->left, p->top, p->width, p->height },
    .padding = LETTERBOX_GREY,
    .scale = { scale, scale, scale } };
}

CardiacAxis
cardiac_resize_across (const CardiacResize *resize, const CardiacImage *image)
{
  return (CardiacAxis){ resize->x, resize->width, image->width,
    resize->into.width, resize->antialias };
}

CardiacAxis
cardiac_resize_down (const CardiacResize *resize, const CardiacImage *image)
{
  return (CardiacAxis){ resize->y, resize->height, image->height,
    resize->into.height, resize->antialias };
}

/* ---- planning ---------------------------------------------------------- */

static size_t
round_up (size_t value, size_t step)
{
  return (value + step - 1) / step * step;
}

static bool
reserve (CardiacResizer *resizer, size_t size)
{
  if (size <= resizer->memory_size)
    return true;
  char *memory = aligned_alloc (64, size);
  if (!memory)
    return false;
  memset (memory, 0, size);
  free (resizer->memory);
  resizer->memory = memory;
  resizer->memory_size = size;
  return true;
}

/** Sets filters, buffers and the row reader up. Allocates only if the geometry
 * changed since the last call. */
static bool
plan (CardiacResizer *resizer, const CardiacImage *image,
    const CardiacResize *resize, CardiacError **error)
{
  const CardiacAxis across = cardiac_resize_across (resize, image);
  const CardiacAxis down = cardiac_resize_down (resize, image);
  if (!cardiac_taps_set (&resizer->across, &across)
      || !cardiac_taps_set (&resizer->down, &down))
    return cardiac_fail (error, CARDIAC_ERROR_NO_MEMORY,
        "out of memory for a resize to %d pixels", across.output);

  int columns = resizer->across.last - resizer->across.first;
  int kept = resizer->down.most + 1;
  resizer->kept = kept < KEPT_ROWS ? kept : KEPT_ROWS;
  /* One pixel more, as the two-tap filter reads it with weight 0. */
  resizer->pitch = round_up ((size_t) columns + 1, 16);
  size_t source = resizer->pitch * sizeof (uint32_t);
  size_t blended = resizer->pitch * sizeof (Pixel);
  size_t line = round_up ((size_t) across.output * sizeof (Pixel), 64);
  if (!reserve (resizer, source * (size_t) resizer->kept + blended + line
                             + cardiac_rows_scratch_size (columns)))
    return cardiac_fail (error, CARDIAC_ERROR_NO_MEMORY,
        "out of memory for rows of %d pixels", columns);

  char *memory = resizer->memory;
  resizer->source = (uint32_t *) memory;
  memory += source * (size_t) resizer->kept;
  resizer->blended = (float *) memory;
  memory += blended;
  resizer->line = (Pixel *) memory;
  resizer->scratch = memory + line;
  for (int slot = 0; slot < KEPT_ROWS; slot++)
    resizer->kept_row[slot] = -1;
  if (columns > 0)
    cardiac_rows_init (&resizer->rows, image, resizer->across.first,
        resizer->across.last, resizer->scratch);
  return true;
}

/* ---- down: blending source rows ---------------------------------------- */

CARDIAC_LOOP static void
blend_one (float *restrict out, const uint8_t *restrict a, float wa, size_t n)
{
  out = __builtin_assume_aligned (out, 64);
  for (size_t i = 0; i < n; i++)
    out[i] = wa * a[i];
}

CARDIAC_LOOP static void
blend_two (float *restrict out, const uint8_t *restrict a,
    const uint8_t *restrict b, float wa, float wb, size_t n)
{
  out = __builtin_assume_aligned (out, 64);
  for (size_t i = 0; i < n; i++)
    out[i] = wa * a[i] + wb * b[i];
}

/** Adds four rows. */
CARDIAC_LOOP static void
blend_four_more (float *restrict out, const uint8_t *restrict a,
    const uint8_t *restrict b, const uint8_t *restrict c,
    const uint8_t *restrict d, const float weight[4], size_t n)
{
  float wa = weight[0], wb = weight[1], wc = weight[2], wd = weight[3];
  out = __builtin_assume_aligned (out, 64);
  for (size_t i = 0; i < n; i++)
    out[i] += (wa * a[i] + wb * b[i]) + (wc * c[i] + wd * d[i]);
}

static const uint8_t *
source_row (CardiacResizer *resizer, int y)
{
  int slot = y % resizer->kept;
  uint32_t *row = resizer->source + (size_t) slot * resizer->pitch;
  if (resizer->kept_row[slot] != y) {
    cardiac_rows_read (&resizer->rows, y, row);
    resizer->kept_row[slot] = y;
  }
  return (const uint8_t *) row;
}

/** Adds up to four rows from y on. */
static void
blend_more (CardiacResizer *resizer, int y, const float *weight, int count)
{
  const uint8_t *row[4];
  float padded[4] = { 0, 0, 0, 0 };
  for (int k = 0; k < 4; k++) {
    row[k] = source_row (resizer, k < count ? y + k : y);
    if (k < count)
      padded[k] = weight[k];
  }
  blend_four_more (resizer->blended, row[0], row[1], row[2], row[3], padded,
      4 * resizer->pitch);
}

/** Fills resizer->blended for output row i. */
static void
blend_rows (CardiacResizer *resizer, int i)
{
  const CardiacTaps *taps = &resizer->down;
  const float *weight = taps->weight + (size_t) i * (size_t) taps->most;
  int y = taps->start[i], count = taps->count[i];
  size_t n = 4 * resizer->pitch;
  if (count == 0)
    memset (resizer->blended, 0, n * sizeof (float));
  else if (count == 1)
    blend_one (resizer->blended, source_row (resizer, y), weight[0], n);
  else {
    const uint8_t *a = source_row (resizer, y);
    const uint8_t *b = source_row (resizer, y + 1);
    blend_two (resizer->blended, a, b, weight[0], weight[1], n);
    for (int k = 2; k < count; k += 4)
      blend_more (resizer, y + k, weight + k, count - k < 4 ? count - k : 4);
  }
}

/* ---- across ------------------------------------------------------------ */

static void
filter_two_taps (const CardiacTaps *taps, const Pixel *row, Pixel *line)
{
  const int *start = taps->start;
  const float *weight = taps->weight;
  row -= taps->first;
  for (int x = 0; x < taps->axis.output; x++)
    line[x] =
        weight[2 * x] * row[start[x]] + weight[2 * x + 1] * row[start[x] + 1];
}

static void
filter_many_taps (const CardiacTaps *taps, const Pixel *row, Pixel *line)
{
  const float *weight = taps->weight;
  for (int x = 0; x < taps->axis.output; x++, weight += taps->most) {
    const Pixel *from = row + (taps->start[x] - taps->first);
    int count = taps->count[x], k = 0;
    Pixel even = { 0, 0, 0, 0 }, odd = even;
    for (; k + 1 < count; k += 2) {
      even += weight[k] * from[k];
      odd += weight[k + 1] * from[k + 1];
    }
    if (k < count)
      even += weight[k] * from[k];
    line[x] = even + odd;
  }
}

static void
filter_across (CardiacResizer *resizer)
{
  const CardiacTaps *taps = &resizer->across;
  const Pixel *row = (const Pixel *) resizer->blended;
  if (taps->most == 2)
    filter_two_taps (taps, row, resizer->line);
  else
    filter_many_taps (taps, row, resizer->line);
}

/* ---- writing planes ---------------------------------------------------- */

CARDIAC_LOOP static void
write_scaled (const float *restrict line, int n, Pixel scale, Pixel offset,
    float *restrict r, float *restrict g, float *restrict b)
{
  float scale_r = scale[0], scale_g = scale[1], scale_b = scale[2];
  float offset_r = offset[0], offset_g = offset[1], offset_b = offset[2];
  for (int x = 0; x < n; x++) {
    r[x] = line[4 * x] * scale_r + offset_r;
    g[x] = line[4 * x + 1] * scale_g + offset_g;
    b[x] = line[4 * x + 2] * scale_b + offset_b;
  }
}

CARDIAC_LOOP static void
write_rounded (const float *restrict line, int n, float *restrict r,
    float *restrict g, float *restrict b)
{
  for (int x = 0; x < n; x++) {
    r[x] = (float) (int) (line[4 * x] + 0.5f) / 255.0f;
    g[x] = (float) (int) (line[4 * x + 1] + 0.5f) / 255.0f;
    b[x] = (float) (int) (line[4 * x + 2] + 0.5f) / 255.0f;
  }
}

/* ---- the square -------------------------------------------------------- */

bool
cardiac_resizer_square_to_tensor (CardiacResizer *resizer,
    const CardiacImage *image, const CardiacSquare *crop, int side,
    const float mean[3], const float std[3], float *out, CardiacError **error)
{
  CardiacResize resize;
  if (!resizer || !out)
    return cardiac_fail (error, CARDIAC_ERROR_INVALID_ARGUMENT,
        "resizer and output must be given");
  if (!cardiac_image_validate (image, error)
      || !cardiac_resize_square (crop, side, mean, std, &resize, error)
      || !plan (resizer, image, &resize, error))
    return false;

  Pixel scale = { 0 }, offset = { 0 };
  for (int c = 0; c < 3; c++) {
    scale[c] = resize.scale[c];
    offset[c] = resize.shift[c];
  }
  size_t plane = (size_t) side * (size_t) side;
  bool seen = resizer->across.last > resizer->across.first;
  if (!seen)
    memset (resizer->line, 0, (size_t) side * sizeof (Pixel));
  for (int i = 0; i < side; i++, out += side) {
    if (seen) {
      blend_rows (resizer, i);
      filter_across (resizer);
    }
    write_scaled ((const float *) resizer->line, side, scale, offset, out,
        out + plane, out + 2 * plane);
  }
  return true;
}

bool
cardiac_image_square_to_tensor (const CardiacImage *image,
    const CardiacSquare *crop, int side, const float mean[3],
    const float std[3], float *out, CardiacError **error)
{
  CardiacResizer *resizer = cardiac_resizer_new (error);
  bool done = resizer
              && cardiac_resizer_square_to_tensor (
                  resizer, image, crop, side, mean, std, out, error);
  cardiac_resizer_free (&resizer);
  return done;
}

/* ---- the letterbox ----------------------------------------------------- */

static void
fill_grey (float *out, size_t n)
{
  for (size_t i = 0; i < n; i++)
    out[i] = LETTERBOX_GREY / 255.0f;
}

/** Pads what the picture does not cover of one plane. */
static void
pad_plane (const CardiacLetterbox *place, float *plane)
{
  size_t side = (size_t) place->side, left = (size_t) place->left;
  size_t right = left + (size_t) place->width;
  int below = place->top + place->height;
  fill_grey (plane, (size_t) place->top * side);
  for (int y = place->top; y < below && place->width < place->side; y++) {
    float *row = plane + (size_t) y * side;
    fill_grey (row, left);
    fill_grey (row + right, side - right);
  }
  fill_grey (
      plane + (size_t) below * side, (size_t) (place->side - below) * side);
}

bool
cardiac_resizer_letterbox_to_tensor (CardiacResizer *resizer,
    const CardiacImage *image, int side, float *out,
    CardiacLetterbox *placement, CardiacError **error)
{
  CardiacLetterbox place;
  if (!resizer || !out)
    return cardiac_fail (error, CARDIAC_ERROR_INVALID_ARGUMENT,
        "resizer and output must be given");
  if (!cardiac_image_validate (image, error)
      || !cardiac_letterbox_place (
          image->width, image->height, side, &place, error))
    return false;
  const CardiacResize resize = cardiac_resize_letterbox (&place);
  if (!plan (resizer, image, &resize, error))
    return false;

  size_t plane = (size_t) side * (size_t) side;
  for (int c = 0; c < 3; c++)
    pad_plane (&place, out + (size_t) c * plane);
  float *row = out + (size_t) place.top * (size_t) side + place.left;
  for (int i = 0; i < place.height; i++, row += side) {
    blend_rows (resizer, i);
    filter_across (resizer);
    write_rounded ((const float *) resizer->line, place.width, row, row + plane,
        row + 2 * plane);
  }
  if (placement)
    *placement = place;
  return true;
}

bool
cardiac_image_letterbox_to_tensor (const CardiacImage *image, int side,
    float *out, CardiacLetterbox *placement, CardiacError **error)
{
  CardiacResizer *resizer = cardiac_resizer_new (error);
  bool done = resizer
              && cardiac_resizer_letterbox_to_tensor (
                  resizer, image, side, out, placement, error);
  cardiac_resizer_free (&resizer);
  return done;
}
