/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "image/row.h"
#include "image/simd.h"

#include <string.h>

/* ---- geometry of chroma ------------------------------------------------ */

/** Where chroma is taken for a luma sample: (8 - weight) / 8 of chroma sample
 * `index` and weight / 8 of the next. */
typedef struct ChromaTap {
  int index, weight;
} ChromaTap;

/** With f = 2^sub luma samples to a chroma sample, a chroma sample c lies at
 * luma position c f (cosited) or c f + (f - 1) / 2. */
static ChromaTap
chroma_tap (int position, int sub, bool cosited)
{
  int factor = 1 << sub;
  int eighths = (2 * position - (cosited ? 0 : factor - 1)) * (4 / factor);
  /* Floor, also below zero. */
  int index = (eighths + 8) / 8 - 1;
  return (ChromaTap){ index, eighths - 8 * index };
}

static bool
cosited_across (const CardiacImage *image)
{
  return image->chroma_site == CARDIAC_CHROMA_LEFT
         || image->chroma_site == CARDIAC_CHROMA_TOP_LEFT;
}

static bool
cosited_down (const CardiacImage *image)
{
  return image->chroma_site == CARDIAC_CHROMA_TOP
         || image->chroma_site == CARDIAC_CHROMA_TOP_LEFT;
}

static int
clamp (int value, int low, int high)
{
  return value < low ? low : value > high ? high : value;
}

/* ---- chroma: between rows, then between columns ------------------------ */

CARDIAC_TEMPLATE void
mix_samples (int16_t *out, const uint8_t *a, const uint8_t *b, int n, int step,
    int weight)
{
  for (int c = 0; c < n; c++)
    out[c] = (int16_t) ((8 - weight) * a[(ptrdiff_t) c * step]
                        + weight * b[(ptrdiff_t) c * step]);
}

CARDIAC_LOOP static void
mix_rows (int16_t *restrict out, const uint8_t *restrict a,
    const uint8_t *restrict b, int n, int step, int weight)
{
  switch (step) {
    case 1:
      mix_samples (out, a, b, n, 1, weight);
      break;
    case 2:
      mix_samples (out, a, b, n, 2, weight);
      break;
    case 4:
      mix_samples (out, a, b, n, 4, weight);
      break;
    default:
      mix_samples (out, a, b, n, step, weight);
  }
}

/** out[2c], out[2c + 1] from line[c - 1], line[c], line[c + 1]. */
CARDIAC_LOOP static void
widen_twice (
    int16_t *restrict out, const int16_t *restrict line, int n, bool cosited)
{
  if (cosited) {
    for (int c = 0; c < n; c++) {
      out[2 * c] = (int16_t) (8 * line[c]);
      out[2 * c + 1] = (int16_t) (4 * line[c] + 4 * line[c + 1]);
    }
  } else {
    for (int c = 0; c < n; c++) {
      out[2 * c] = (int16_t) (2 * line[c - 1] + 6 * line[c]);
      out[2 * c + 1] = (int16_t) (6 * line[c] + 2 * line[c + 1]);
    }
  }
}

CARDIAC_LOOP static void
widen_not (int16_t *restrict out, const int16_t *restrict line, int n)
{
  for (int c = 0; c < n; c++)
    out[c] = (int16_t) (8 * line[c]);
}

static void
widen_by (int16_t *out, const int16_t *line, int n, int hsub, bool cosited)
{
  int factor = 1 << hsub;
  for (int phase = 0; phase < factor; phase++) {
    ChromaTap tap = chroma_tap (phase, hsub, cosited);
    const int16_t *from = line + tap.index;
    for (int c = 0; c < n; c++)
      out[c * factor + phase] =
          (int16_t) ((8 - tap.weight) * from[c] + tap.weight * from[c + 1]);
  }
}

/** Fills rows->full[k] with Cb or Cr of row y for columns from chroma_x0 on. */
static void
read_chroma (CardiacRows *rows, int k, int y)
{
  const CardiacImage *image = rows->image;
  const CardiacComponent *component = &image->component[1 + k];
  int hsub = component->hsub, vsub = component->vsub;
  int width = (image->width + (1 << hsub) - 1) >> hsub;
  int height = (image->height + (1 << vsub) - 1) >> vsub;
  int first = rows->chroma_x0, n = rows->chroma_x1 - first;
  int16_t *line = rows->line[k] + 1;

  /* One sample more on each side, as far as the picture reaches. */
  int from = first > 0 ? first - 1 : 0;
  int to = first + n < width ? first + n + 1 : width;
  ChromaTap tap = chroma_tap (y, vsub, cosited_down (image));
  int step = component->pixel_stride;
  const uint8_t *a = component->data
                     + component->stride * clamp (tap.index, 0, height - 1)
                     + (ptrdiff_t) from * step;
  const uint8_t *b = component->data
                     + component->stride * clamp (tap.index + 1, 0, height - 1)
                     + (ptrdiff_t) from * step;
  mix_rows (line + (from - first), a, b, to - from, step, tap.weight);
  if (from == first)
    line[-1] = line[0];
  if (to == first + n)
    line[n] = line[n - 1];

  bool cosited = cosited_across (image);
  if (hsub == 0)
    widen_not (rows->full[k], line, n);
  else if (hsub == 1)
    widen_twice (rows->full[k], line, n, cosited);
  else
    widen_by (rows->full[k], line, n, hsub, cosited);
}

/* ---- colour ------------------------------------------------------------ */

/** The constants of R = Y' + 2 (1 - Kr) Cr and so on, with the range's offsets
 * and scales folded in. */
static void
set_matrix (CardiacRows *rows, CardiacMatrix matrix, bool full_range)
{
  static const double k_red[] = { 0.299, 0.2126, 0.2627 };
  static const double k_blue[] = { 0.114, 0.0722, 0.0593 };
  double kr = k_red[matrix], kb = k_blue[matrix], kg = 1 - kr - kb;
  double luma = full_range ? 1 : 255.0 / 219;
  double chroma = full_range ? 1 : 255.0 / 224;
  double red_cr = 2 * (1 - kr) * chroma, blue_cb = 2 * (1 - kb) * chroma;
  double green_cr = -kr / kg * red_cr, green_cb = -kb / kg * blue_cb;
  double offset = (full_range ? 0 : -16 * luma) + 0.5;

  rows->luma = (float) luma;
  rows->red_cr = (float) (red_cr / 64);
  rows->green_cr = (float) (green_cr / 64);
  rows->green_cb = (float) (green_cb / 64);
  rows->blue_cb = (float) (blue_cb / 64);
  rows->red = (float) (offset - 128 * red_cr);
  rows->green = (float) (offset - 128 * (green_cr + green_cb));
  rows->blue = (float) (offset - 128 * blue_cb);
}

static void
set_expansion (CardiacRows *rows, bool full_range)
{
  for (int v = 0; v < 256; v++)
    rows->expand[v] =
        (uint8_t) (full_range ? v
                              : clamp (((v - 16) * 510 + 219) / 438, 0, 255));
}

CARDIAC_TEMPLATE int32_t
clip (float value)
{
  value = value < 0.0f ? 0.0f : value;
  return (int32_t) (value > 255.0f ? 255.0f : value);
}

CARDIAC_TEMPLATE void
yuv_pixels (const CardiacRows *rows, const uint8_t *luma, int step,
    const int16_t *restrict cb, const int16_t *restrict cr,
    uint32_t *restrict out, int n)
{
  float scale = rows->luma;
  float red_cr = rows->red_cr, blue_cb = rows->blue_cb;
  float green_cb = rows->green_cb, green_cr = rows->green_cr;
  float red = rows->red, green = rows->green, blue = rows->blue;
  for (int x = 0; x < n; x++) {
    float y = luma[(ptrdiff_t) x * step] * scale, u = cb[x], v = cr[x];
    int32_t r = clip (y + v * red_cr + red);
    int32_t g = clip (y + (u * green_cb + v * green_cr) + green);
    int32_t b = clip (y + u * blue_cb + blue);
    out[x] = CARDIAC_PIXEL (r, g, b);
  }
}

CARDIAC_LOOP static void
yuv_row (const CardiacRows *rows, const uint8_t *restrict luma, int step,
    const int16_t *restrict cb, const int16_t *restrict cr,
    uint32_t *restrict out, int n)
{
  if (step == 1)
    yuv_pixels (rows, luma, 1, cb, cr, out, n);
  else if (step == 2)
    yuv_pixels (rows, luma, 2, cb, cr, out, n);
  else
    yuv_pixels (rows, luma, step, cb, cr, out, n);
}

CARDIAC_TEMPLATE void
rgb_pixels (const uint8_t *r, const uint8_t *g, const uint8_t *b, int step_r,
    int step_g, int step_b, uint32_t *restrict out, int n)
{
  for (ptrdiff_t x = 0; x < n; x++)
    out[x] = CARDIAC_PIXEL (r[x * step_r], g[x * step_g], b[x * step_b]);
}

CARDIAC_LOOP static void
rgb_row (const uint8_t *restrict r, const uint8_t *restrict g,
    const uint8_t *restrict b, int step_r, int step_g, int step_b,
    uint32_t *restrict out, int n)
{
  bool same = step_r == step_g && step_r == step_b;
  if (same && step_r == 1)
    rgb_pixels (r, g, b, 1, 1, 1, out, n);
  else if (same && step_r == 3)
    rgb_pixels (r, g, b, 3, 3, 3, out, n);
  else if (same && step_r == 4)
    rgb_pixels (r, g, b, 4, 4, 4, out, n);
  else
    rgb_pixels (r, g, b, step_r, step_g, step_b, out, n);
}

static void
expand_row (const uint8_t expand[256], uint32_t *pixels, int n)
{
  for (int x = 0; x < n; x++) {
    uint32_t p = pixels[x];
    pixels[x] = CARDIAC_PIXEL (expand[CARDIAC_PIXEL_R (p)],
        expand[CARDIAC_PIXEL_G (p)], expand[CARDIAC_PIXEL_B (p)]);
  }
}

/* ---- reading ----------------------------------------------------------- */

/** Samples of one scratch line: the columns, a whole chroma sample more at both
 * ends, and a margin; a multiple of 64 bytes. */
static size_t
line_samples (int columns)
{
  return ((size_t) columns + 16 + 31) / 32 * 32;
}

size_t
cardiac_rows_scratch_size (int columns)
{
  return 4 * line_samples (columns) * sizeof (int16_t);
}

void
cardiac_rows_init (
    CardiacRows *rows, const CardiacImage *image, int x0, int x1, void *scratch)
{
  size_t samples = line_samples (x1 - x0);
  int16_t *memory = scratch;
  memset (rows, 0, sizeof *rows);
  rows->image = image;
  rows->x0 = x0;
  rows->x1 = x1;
  for (int k = 0; k < 2; k++) {
    rows->full[k] = memory + (size_t) k * samples;
    rows->line[k] = memory + (size_t) (2 + k) * samples;
  }
  if (image->colour == CARDIAC_COLOUR_YUV)
    set_matrix (rows, image->matrix, image->full_range);
  else
    set_expansion (rows, image->full_range);
}

static const uint8_t *
sample (const CardiacComponent *component, int x, int y)
{
  return component->data + component->stride * y
         + (ptrdiff_t) x * component->pixel_stride;
}

static void
read_yuv (CardiacRows *rows, int y, uint32_t *out)
{
  const CardiacComponent *component = rows->image->component;
  const int16_t *chroma[2];
  for (int k = 0; k < 2; k++) {
    int hsub = component[1 + k].hsub;
    rows->chroma_x0 = rows->x0 >> hsub;
    rows->chroma_x1 = ((rows->x1 - 1) >> hsub) + 1;
    read_chroma (rows, k, y);
    chroma[k] = rows->full[k] + (rows->x0 - (rows->chroma_x0 << hsub));
  }
  yuv_row (rows, sample (&component[0], rows->x0, y), component[0].pixel_stride,
      chroma[0], chroma[1], out, rows->x1 - rows->x0);
}

void
cardiac_rows_read (CardiacRows *rows, int y, uint32_t *out)
{
  const CardiacImage *image = rows->image;
  if (image->colour == CARDIAC_COLOUR_YUV) {
    read_yuv (rows, y, out);
    return;
  }
  const CardiacComponent *c = image->component;
  bool gray = image->colour == CARDIAC_COLOUR_GRAY;
  const CardiacComponent *green = gray ? c : c + 1;
  const CardiacComponent *blue = gray ? c : c + 2;
  int n = rows->x1 - rows->x0;
  rgb_row (sample (c, rows->x0, y), sample (green, rows->x0, y),
      sample (blue, rows->x0, y), c->pixel_stride, green->pixel_stride,
      blue->pixel_stride, out, n);
  if (!image->full_range)
    expand_row (rows->expand, out, n);
}
