/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* <cardiac/image.h> against a slow reference in double precision that is
 * written from the definitions, pixel by pixel, and shares no code or method
 * with the engine: no fixed-point chroma, no taps, no rows. */

#include "../require.h"

#include <cardiac/image.h>
#include <math.h>
#include <string.h>

#define REQUIRE_AT_MOST(value, limit)                                          \
  do {                                                                         \
    double value_ = (value), limit_ = (limit);                                 \
    if (!(value_ <= limit_)) {                                                 \
      fprintf (stderr, "%s:%d: not so: %s is %g, at most %g\n", __FILE__,      \
          __LINE__, #value, value_, limit_);                                   \
      exit (1);                                                                \
    }                                                                          \
  } while (0)

#define REQUIRE_REFUSED(call)                                                  \
  do {                                                                         \
    CardiacError *error = NULL;                                                \
    REQUIRE (!(call));                                                         \
    REQUIRE (error != NULL);                                                   \
    REQUIRE (cardiac_error_code (error) == CARDIAC_ERROR_INVALID_ARGUMENT);    \
    REQUIRE (strlen (cardiac_error_message (error)) > 10);                     \
    cardiac_error_free (&error);                                               \
  } while (0)

static const float no_mean[] = { 0, 0, 0 }, unit_std[] = { 1, 1, 1 };

/* ---- pictures ---------------------------------------------------------- */

typedef enum Format {
  NV12,
  NV21,
  I420,
  YV12,
  Y42B,
  Y444,
  YUY2,
  UYVY,
  Y41B,
  YVU9,
  RGB,
  BGR,
  BGRX,
  XRGB,
  GBR,
  GRAY8,
  FORMATS,
} Format;

typedef struct Picture {
  CardiacImage image;
  uint8_t *memory;
  size_t size;
} Picture;

static uint32_t random_state = 12345;

static uint32_t
random_bits (void)
{
  random_state ^= random_state << 13;
  random_state ^= random_state >> 17;
  return random_state ^= random_state << 5;
}

static void
set_component (Picture *picture, int c, size_t offset, int stride,
    int pixel_stride, int hsub, int vsub)
{
  picture->image.component[c] = (CardiacComponent){ picture->memory + offset,
    stride, pixel_stride, hsub, vsub };
}

/** A plane with samples of its own for each component, strides with padding. */
static void
set_planes (Picture *picture, int components, int hsub, int vsub, bool swapped)
{
  int width = picture->image.width, height = picture->image.height;
  size_t plane = (size_t) (width + 7) * (size_t) (height + 1);
  for (int c = 0; c < components; c++) {
    int place = swapped && c > 0 ? 3 - c : c;
    set_component (picture, c, (size_t) place * plane, width + 7, 1,
        c ? hsub : 0, c ? vsub : 0);
  }
}

static void
set_packed (Picture *picture, int pixel, int first, int second, int third)
{
  int stride = pixel * picture->image.width + 5;
  int offset[] = { first, second, third };
  for (int c = 0; c < 3; c++)
    set_component (picture, c, (size_t) offset[c], stride, pixel, 0, 0);
}

static void
set_semi_planar (Picture *picture, int u)
{
  int width = picture->image.width, height = picture->image.height;
  int stride = (width + 1) / 2 * 2 + 6;
  size_t luma = (size_t) stride * (size_t) height;
  set_component (picture, 0, 0, stride, 1, 0, 0);
  set_component (picture, 1, luma + (size_t) u, stride, 2, 1, 1);
  set_component (picture, 2, luma + 1 - (size_t) u, stride, 2, 1, 1);
}

static void
set_packed_yuv (Picture *picture, size_t y, size_t u, size_t v)
{
  int stride = (picture->image.width + 1) / 2 * 4 + 4;
  set_component (picture, 0, y, stride, 2, 0, 0);
  set_component (picture, 1, u, stride, 4, 1, 0);
  set_component (picture, 2, v, stride, 4, 1, 0);
}

static void
set_layout (Picture *picture, Format format)
{
  CardiacImage *image = &picture->image;
  image->colour = format >= GRAY8 ? CARDIAC_COLOUR_GRAY
                  : format >= RGB ? CARDIAC_COLOUR_RGB
                                  : CARDIAC_COLOUR_YUV;
  switch (format) {
    case NV12:
      set_semi_planar (picture, 0);
      break;
    case NV21:
      set_semi_planar (picture, 1);
      break;
    case I420:
      set_planes (picture, 3, 1, 1, false);
      break;
    case YV12:
      set_planes (picture, 3, 1, 1, true);
      break;
    case Y42B:
      set_planes (picture, 3, 1, 0, false);
      break;
    case Y444:
      set_planes (picture, 3, 0, 0, false);
      break;
    case Y41B:
      set_planes (picture, 3, 2, 0, false);
      break;
    case YVU9:
      set_planes (picture, 3, 2, 2, true);
      break;
    case YUY2:
      set_packed_yuv (picture, 0, 1, 3);
      break;
    case UYVY:
      set_packed_yuv (picture, 1, 0, 2);
      break;
    case RGB:
      set_packed (picture, 3, 0, 1, 2);
      break;
    case BGR:
      set_packed (picture, 3, 2, 1, 0);
      break;
    case BGRX:
      set_packed (picture, 4, 2, 1, 0);
      break;
    case XRGB:
      set_packed (picture, 4, 1, 2, 3);
      break;
    case GBR:
      set_planes (picture, 3, 0, 0, false);
      break;
    default:
      set_planes (picture, 1, 0, 0, false);
  }
}

/** A picture of random samples: the hardest content for interpolation. */
static Picture
new_picture (Format format, int width, int height, CardiacMatrix matrix,
    bool full_range, CardiacChromaSite site)
{
  Picture picture = { .size =
                          (size_t) (width + 16) * (size_t) (height + 2) * 5 };
  picture.memory = malloc (picture.size);
  REQUIRE (picture.memory != NULL);
  for (size_t i = 0; i < picture.size; i++)
    picture.memory[i] = (uint8_t) (random_bits () >> 11);
  picture.image.width = width;
  picture.image.height = height;
  picture.image.matrix = matrix;
  picture.image.full_range = full_range;
  picture.image.chroma_site = site;
  set_layout (&picture, format);
  return picture;
}

static Picture
new_rgb (int width, int height)
{
  return new_picture (
      RGB, width, height, CARDIAC_MATRIX_BT601, true, CARDIAC_CHROMA_CENTRE);
}

static void
free_picture (Picture *picture)
{
  free (picture->memory);
}

/* ---- the reference ----------------------------------------------------- */

static double
sample_at (const CardiacComponent *c, int x, int y)
{
  return c->data[y * c->stride + (ptrdiff_t) x * c->pixel_stride];
}

static double
limit (double value, double low, double high)
{
  return fmin (fmax (value, low), high);
}

/** A component at a luma pixel: the surface that its samples span, constant
 * beyond the outermost ones. */
static double
component_at (const CardiacImage *image, int c, int x, int y)
{
  const CardiacComponent *component = &image->component[c];
  double across = ldexp (1, component->hsub);
  double down = ldexp (1, component->vsub);
  CardiacChromaSite site = image->chroma_site;
  bool left = site == CARDIAC_CHROMA_LEFT || site == CARDIAC_CHROMA_TOP_LEFT;
  bool top = site == CARDIAC_CHROMA_TOP || site == CARDIAC_CHROMA_TOP_LEFT;
  double w = ceil (image->width / across), h = ceil (image->height / down);
  /* Positions measured from the picture's edge, pixel centres at halves. */
  double px = left ? x / across : (x + 0.5) / across - 0.5;
  double py = top ? y / down : (y + 0.5) / down - 0.5;
  px = limit (px, 0, w - 1);
  py = limit (py, 0, h - 1);
  int x0 = (int) px, y0 = (int) py;
  int x1 = x0 + 1 < w ? x0 + 1 : x0, y1 = y0 + 1 < h ? y0 + 1 : y0;
  double u = px - x0, v = py - y0;
  return (1 - v)
             * ((1 - u) * sample_at (component, x0, y0)
                 + u * sample_at (component, x1, y0))
         + v
               * ((1 - u) * sample_at (component, x0, y1)
                   + u * sample_at (component, x1, y1));
}

static double
to_byte (double value)
{
  return limit (value * 255, 0, 255);
}

/** The definition: Y' = Kr R + Kg G + Kb B, Cb = (B - Y) / (2 - 2 Kb),
 * Cr = (R - Y) / (2 - 2 Kr), solved for R, G, B; 0..255, not rounded. */
static void
reference_pixel (const CardiacImage *image, int x, int y, double rgb[3])
{
  double low = image->full_range ? 0 : 16;
  double span = image->full_range ? 255 : 219;
  if (image->colour != CARDIAC_COLOUR_YUV) {
    for (int c = 0; c < 3; c++) {
      int from = image->colour == CARDIAC_COLOUR_GRAY ? 0 : c;
      rgb[c] =
          to_byte ((sample_at (&image->component[from], x, y) - low) / span);
    }
    return;
  }
  double kr = (double[]){ 0.299, 0.2126, 0.2627 }[image->matrix];
  double kb = (double[]){ 0.114, 0.0722, 0.0593 }[image->matrix];
  double chroma = image->full_range ? 255 : 224;
  double luma = (sample_at (&image->component[0], x, y) - low) / span;
  double cb = (component_at (image, 1, x, y) - 128) / chroma;
  double cr = (component_at (image, 2, x, y) - 128) / chroma;
  double red = luma + cr * (2 - 2 * kr), blue = luma + cb * (2 - 2 * kb);
  rgb[0] = to_byte (red);
  rgb[1] = to_byte ((luma - kr * red - kb * blue) / (1 - kr - kb));
  rgb[2] = to_byte (blue);
}

/** Pixel (x, y) of the crop by its 8-bit RGB; black outside. */
static double
rgb_or_black (const uint8_t *rgb, int width, int height, int x, int y, int c)
{
  if (x < 0 || y < 0 || x >= width || y >= height)
    return 0;
  return rgb[((size_t) y * (size_t) width + (size_t) x) * 3 + (size_t) c];
}

static double
hat (double distance)
{
  return fmax (0, 1 - fabs (distance));
}

/** One sample of the antialiased square: a normalised sum over all pixels of
 * the crop, straight from the definition. */
static double
reference_square (const uint8_t *rgb, int width, int height,
    const CardiacSquare *crop, int side, int c, int i, int j)
{
  double scale = crop->side / side, base = fmax (scale, 1);
  double centre_x = crop->x + (j + 0.5) * scale;
  double centre_y = crop->y + (i + 0.5) * scale;
  double sum = 0, total = 0;
  for (int y = (int) floor (crop->y); y < crop->y + crop->side; y++) {
    double down = hat ((y + 0.5 - centre_y) / base);
    if (down == 0)
      continue;
    for (int x = (int) floor (crop->x); x < crop->x + crop->side; x++) {
      double weight = down * hat ((x + 0.5 - centre_x) / base);
      total += weight;
      sum += weight * rgb_or_black (rgb, width, height, x, y, c);
    }
  }
  return sum / total;
}

/* ---- colours ----------------------------------------------------------- */

static uint8_t *
converted (const CardiacImage *image)
{
  uint8_t *rgb = malloc ((size_t) image->width * (size_t) image->height * 3);
  REQUIRE (rgb != NULL);
  REQUIRE (cardiac_image_to_rgb (image, rgb, NULL));
  return rgb;
}

/** The exact value, rounded to nearest. */
static void
require_reference_colours (const CardiacImage *image)
{
  uint8_t *rgb = converted (image);
  for (int y = 0; y < image->height; y++)
    for (int x = 0; x < image->width; x++) {
      double exact[3];
      reference_pixel (image, x, y, exact);
      for (int c = 0; c < 3; c++) {
        double found = rgb_or_black (rgb, image->width, image->height, x, y, c);
        REQUIRE_AT_MOST (fabs (found - exact[c]), 0.5 + 1e-4);
      }
    }
  free (rgb);
}

static void
every_format_matrix_range_and_site_follows_the_standard (void)
{
  static const int sizes[][2] = { { 1, 1 }, { 2, 2 }, { 3, 5 }, { 33, 17 },
    { 64, 2 }, { 1, 9 } };
  for (int format = 0; format < FORMATS; format++)
    for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++)
      for (int matrix = 0; matrix < 3; matrix++)
        for (int full = 0; full < 2; full++)
          for (int site = 0; site < 4; site++) {
            Picture picture =
                new_picture ((Format) format, sizes[s][0], sizes[s][1],
                    (CardiacMatrix) matrix, full, (CardiacChromaSite) site);
            require_reference_colours (&picture.image);
            free_picture (&picture);
          }
}

static void
grey_levels_stay_grey_in_every_matrix (void)
{
  for (int matrix = 0; matrix < 3; matrix++)
    for (int full = 0; full < 2; full++)
      for (int level = 0; level < 256; level++) {
        Picture picture = new_picture (
            I420, 5, 3, (CardiacMatrix) matrix, full, CARDIAC_CHROMA_LEFT);
        memset (picture.memory, 128, picture.size);
        memset (picture.memory, level, 12 * 4);
        uint8_t *rgb = converted (&picture.image);
        double exact = full ? level : (level - 16) * 255.0 / 219;
        for (int i = 0; i < 5 * 3 * 3; i++)
          REQUIRE_AT_MOST (fabs (rgb[i] - limit (exact, 0, 255)), 0.5001);
        free (rgb);
        free_picture (&picture);
      }
}

static void
a_bottom_up_picture_is_read_upside_down (void)
{
  Picture picture = new_rgb (7, 5);
  uint8_t *rgb = converted (&picture.image);
  CardiacImage flipped = picture.image;
  for (int c = 0; c < 3; c++) {
    flipped.component[c].data += 4 * flipped.component[c].stride;
    flipped.component[c].stride *= -1;
  }
  uint8_t *turned = converted (&flipped);
  for (size_t y = 0; y < 5; y++)
    REQUIRE (memcmp (rgb + y * 21, turned + (4 - y) * 21, 21) == 0);
  free (rgb);
  free (turned);
  free_picture (&picture);
}

/* ---- the square -------------------------------------------------------- */

static void
require_reference_square (
    const CardiacImage *image, const CardiacSquare *crop, int side)
{
  static const float mean[] = { 0.485f, 0.456f, 0.406f };
  static const float std[] = { 0.229f, 0.224f, 0.225f };
  size_t plane = (size_t) side * (size_t) side;
  float *out = malloc (3 * plane * sizeof *out);
  uint8_t *rgb = converted (image);
  REQUIRE (out != NULL);
  REQUIRE (
      cardiac_image_square_to_tensor (image, crop, side, mean, std, out, NULL));
  int step = side > 12 ? side / 12 : 1;
  for (int c = 0; c < 3; c++)
    for (int i = 0; i < side; i += i + step < side ? step : 1)
      for (int j = 0; j < side; j += j + step < side ? step : 1) {
        double value = reference_square (
            rgb, image->width, image->height, crop, side, c, i, j);
        double expected = (value / 255 - (double) mean[c]) / (double) std[c];
        double found =
            out[(size_t) c * plane + (size_t) i * (size_t) side + (size_t) j];
        REQUIRE_AT_MOST (fabs (found - expected), 3e-6);
      }
  free (out);
  free (rgb);
}

static void
square_equals_the_definition (void)
{
  static const struct {
    CardiacSquare crop;
    int side;
  } cases[] = {
    { { 0, 0, 60 }, 60 },         /* a copy */
    { { 20, 0, 60 }, 16 },        /* shrinking */
    { { 0, 0, 60 }, 1 },          /* to one sample */
    { { 3, 5, 20 }, 64 },         /* enlarging */
    { { 7, 9, 1 }, 5 },           /* one pixel */
    { { 10.25, 3.5, 41.7 }, 13 }, /* between pixels */
    { { -15, -20, 100 }, 24 },    /* black all round */
    { { -15, -20, 100 }, 150 },   /* the same enlarged */
    { { 70, 40, 40 }, 10 },       /* over a corner */
    { { 90.5, 30, 0.25 }, 3 },    /* inside one pixel, outside the picture */
    { { 500, 500, 30 }, 8 },      /* nothing to be seen */
    { { -3, -150, 400 }, 11 },    /* mostly black */
  };
  static const Format formats[] = { RGB, NV12, YUY2, GRAY8, Y41B };
  for (size_t f = 0; f < sizeof formats / sizeof *formats; f++) {
    Picture picture = new_picture (
        formats[f], 90, 61, CARDIAC_MATRIX_BT709, false, CARDIAC_CHROMA_LEFT);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
      require_reference_square (&picture.image, &cases[i].crop, cases[i].side);
    free_picture (&picture);
  }
}

static void
square_equals_the_definition_at_extreme_sizes (void)
{
  Picture point = new_rgb (1, 1), wide = new_rgb (16384, 2);
  require_reference_square (&point.image, &(CardiacSquare){ 0, 0, 1 }, 1);
  require_reference_square (&point.image, &(CardiacSquare){ 0, 0, 1 }, 224);
  require_reference_square (&point.image, &(CardiacSquare){ -3, -3, 7 }, 4);
  require_reference_square (&wide.image, &(CardiacSquare){ 0, 0, 700 }, 3);
  free_picture (&point);
  free_picture (&wide);
}

static void
what_lies_outside_the_picture_is_black_before_normalising (void)
{
  static const float mean[] = { 0.5f, 0.25f, 0.1f }, std[] = { 0.5f, 1, 2 };
  Picture picture = new_rgb (8, 8);
  float out[3 * 4 * 4];
  REQUIRE (cardiac_image_square_to_tensor (
      &picture.image, &(CardiacSquare){ 100, 0, 8 }, 4, mean, std, out, NULL));
  for (int c = 0; c < 3; c++)
    for (int i = 0; i < 16; i++)
      REQUIRE_AT_MOST (
          fabs ((double) (out[16 * c + i] + mean[c] / std[c])), 1e-7);
  free_picture (&picture);
}

static void
a_used_resizer_gives_the_bits_of_a_new_one (void)
{
  Picture a = new_picture (
      NV12, 101, 67, CARDIAC_MATRIX_BT709, false, CARDIAC_CHROMA_LEFT);
  Picture b = new_rgb (40, 300);
  CardiacResizer *resizer = cardiac_resizer_new (NULL);
  float fresh[3 * 48 * 48], used[3 * 48 * 48];
  CardiacSquare crop = { 5, -3, 70 };
  for (int round = 0; round < 4; round++) {
    const CardiacImage *image = round % 2 ? &b.image : &a.image;
    REQUIRE (cardiac_image_square_to_tensor (
        image, &crop, 48, no_mean, unit_std, fresh, NULL));
    REQUIRE (cardiac_resizer_square_to_tensor (
        resizer, image, &crop, 48, no_mean, unit_std, used, NULL));
    REQUIRE (memcmp (fresh, used, sizeof used) == 0);
    REQUIRE (cardiac_image_letterbox_to_tensor (image, 48, fresh, NULL, NULL));
    REQUIRE (cardiac_resizer_letterbox_to_tensor (
        resizer, image, 48, used, NULL, NULL));
    REQUIRE (memcmp (fresh, used, sizeof used) == 0);
  }
  cardiac_resizer_free (&resizer);
  REQUIRE (resizer == NULL);
  free_picture (&a);
  free_picture (&b);
}

/* ---- the letterbox ----------------------------------------------------- */

/** Bilinear between the four neighbours of a point, edges repeated. */
static double
reference_bilinear (
    const uint8_t *rgb, int width, int height, double x, double y, int c)
{
  x = limit (x, 0, width - 1);
  y = limit (y, 0, height - 1);
  int x0 = (int) x, y0 = (int) y;
  int x1 = x0 + 1 < width ? x0 + 1 : x0, y1 = y0 + 1 < height ? y0 + 1 : y0;
  double top = rgb_or_black (rgb, width, height, x0, y0, c) * (1 - x + x0)
               + rgb_or_black (rgb, width, height, x1, y0, c) * (x - x0);
  double bottom = rgb_or_black (rgb, width, height, x0, y1, c) * (1 - x + x0)
                  + rgb_or_black (rgb, width, height, x1, y1, c) * (x - x0);
  return top * (1 - y + y0) + bottom * (y - y0);
}

static double
reference_letterbox (
    const uint8_t *rgb, const CardiacLetterbox *p, int c, int i, int j)
{
  if (i < p->top || i >= p->top + p->height || j < p->left
      || j >= p->left + p->width)
    return 114;
  double x = (j - p->left + 0.5) * p->picture_width / p->width - 0.5;
  double y = (i - p->top + 0.5) * p->picture_height / p->height - 0.5;
  return reference_bilinear (rgb, p->picture_width, p->picture_height, x, y, c);
}

static void
require_reference_letterbox (const CardiacImage *image, int side)
{
  size_t plane = (size_t) side * (size_t) side;
  float *out = malloc (3 * plane * sizeof *out);
  uint8_t *rgb = converted (image);
  CardiacLetterbox place;
  REQUIRE (out != NULL);
  REQUIRE (cardiac_image_letterbox_to_tensor (image, side, out, &place, NULL));
  for (int c = 0; c < 3; c++)
    for (int i = 0; i < side; i++)
      for (int j = 0; j < side; j++) {
        double found =
            255.0
            * (double) out[(size_t) c * plane + (size_t) i * (size_t) side
                           + (size_t) j];
        double exact = reference_letterbox (rgb, &place, c, i, j);
        REQUIRE_AT_MOST (fabs (found - rint (found)), 1e-4);
        REQUIRE_AT_MOST (fabs (found - exact), 0.5001);
      }
  free (out);
  free (rgb);
}

static void
letterbox_equals_the_definition (void)
{
  static const int sizes[][3] = { { 1, 1, 1 }, { 1, 1, 64 }, { 64, 48, 64 },
    { 48, 64, 64 }, { 101, 67, 64 }, { 67, 101, 63 }, { 128, 96, 64 },
    { 20, 11, 64 }, { 400, 1, 32 }, { 1, 400, 32 }, { 640, 480, 96 },
    { 16384, 3, 16 } };
  static const Format formats[] = { RGB, NV12, BGRX, GRAY8 };
  for (size_t f = 0; f < sizeof formats / sizeof *formats; f++)
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
      Picture picture = new_picture (formats[f], sizes[i][0], sizes[i][1],
          CARDIAC_MATRIX_BT601, false, CARDIAC_CHROMA_CENTRE);
      require_reference_letterbox (&picture.image, sizes[i][2]);
      free_picture (&picture);
    }
}

/** Numbers worked out with Python's round (). */
static void
letterbox_places_the_picture_as_yolo_does (void)
{
  static const int expected[][7] = {
    /* picture, side -> left, top, width, height */
    { 1920, 1080, 640, 0, 140, 640, 360 }, { 640, 480, 640, 0, 80, 640, 480 },
    { 800, 600, 640, 0, 80, 640, 480 },
    { 1280, 481, 640, 0, 200, 640, 240 }, /* 240.5 goes to even */
    { 1280, 483, 640, 0, 199, 640, 242 }, /* 241.5 too */
    { 1280, 470, 640, 0, 202, 640, 235 }, /* odd rest: more below */
    { 470, 1280, 640, 202, 0, 235, 640 },
    { 320, 240, 640, 0, 80, 640, 480 }, /* enlarges */
    { 16384, 1, 640, 0, 319, 640, 1 },  /* never less than one row */
  };
  for (size_t i = 0; i < sizeof expected / sizeof *expected; i++) {
    const int *e = expected[i];
    CardiacLetterbox p;
    REQUIRE (cardiac_letterbox_place (e[0], e[1], e[2], &p, NULL));
    REQUIRE (p.left == e[3] && p.top == e[4]);
    REQUIRE (p.width == e[5] && p.height == e[6]);
  }
}

static void
a_box_maps_back_and_is_clipped (void)
{
  CardiacLetterbox p;
  REQUIRE (cardiac_letterbox_place (1920, 1080, 640, &p, NULL));
  float box[] = { 100, 240, 300.5f, 400 };
  cardiac_letterbox_to_picture (&p, box);
  REQUIRE_AT_MOST (fabs ((double) box[0] - 300), 1e-3);
  REQUIRE_AT_MOST (fabs ((double) box[1] - 300), 1e-3);
  REQUIRE_AT_MOST (fabs ((double) box[2] - 901.5), 1e-3);
  REQUIRE_AT_MOST (fabs ((double) box[3] - 780), 1e-3);
  float outside[] = { -5, 0, 700, 640 };
  cardiac_letterbox_to_picture (&p, outside);
  REQUIRE (outside[0] == 0 && outside[1] == 0);
  REQUIRE (outside[2] == 1920 && outside[3] == 1080);
  float nothing[] = { NAN, NAN, 1, 200 };
  cardiac_letterbox_to_picture (&p, nothing);
  REQUIRE (nothing[0] == 0 && nothing[1] == 0);
}

/* ---- what a picture shows ---------------------------------------------- */

static void
paint (Picture *picture, CardiacRectangle area, uint8_t r, uint8_t g, uint8_t b)
{
  const CardiacComponent *c = picture->image.component;
  for (int y = area.y; y < area.y + area.height; y++)
    for (int x = area.x; x < area.x + area.width; x++) {
      size_t at = (size_t) (c[0].data - picture->memory)
                  + (size_t) (y * c[0].stride + 3 * x);
      picture->memory[at] = r;
      picture->memory[at + 1] = g;
      picture->memory[at + 2] = b;
    }
}

static void
coloured_pixels_are_counted_inside_the_region_only (void)
{
  Picture picture = new_rgb (200, 100);
  paint (&picture, (CardiacRectangle){ 0, 0, 200, 100 }, 90, 100, 95);
  paint (&picture, (CardiacRectangle){ 50, 40, 10, 10 }, 200, 30, 20);
  paint (&picture, (CardiacRectangle){ 0, 0, 20, 100 }, 0, 0, 255);
  CardiacRectangle left = { -50, 0, 70, 100 }, none = { 300, 0, 9, 9 };
  CardiacRectangle jet = { 45, 35, 20, 20 };
  float fraction = cardiac_image_coloured_fraction (
      &picture.image, &jet, CARDIAC_COLOURED_THRESHOLD, NULL);
  REQUIRE_AT_MOST (fabs ((double) fraction - 0.25), 1e-6);
  REQUIRE (
      cardiac_image_coloured_fraction (&picture.image, &left, 48, NULL) == 1);
  REQUIRE (
      cardiac_image_coloured_fraction (&picture.image, &none, 48, NULL) == 0);
  CardiacRectangle inner = cardiac_image_inner_region (200, 100);
  double expected = 100.0 / (inner.width * inner.height);
  fraction = cardiac_image_coloured_fraction (&picture.image, NULL, 48, NULL);
  REQUIRE_AT_MOST (fabs ((double) fraction - expected), 1e-6);
  /* The threshold itself is still grey. */
  paint (&picture, (CardiacRectangle){ 0, 0, 200, 100 }, 100, 148, 120);
  REQUIRE (
      cardiac_image_coloured_fraction (&picture.image, NULL, 48, NULL) == 0);
  REQUIRE (
      cardiac_image_coloured_fraction (&picture.image, NULL, 47, NULL) == 1);
  free_picture (&picture);
}

static void
a_signature_holds_the_mean_luma_of_cells (void)
{
  Picture picture = new_picture (
      I420, 133, 97, CARDIAC_MATRIX_BT709, false, CARDIAC_CHROMA_LEFT);
  CardiacSignature signature;
  REQUIRE (cardiac_image_signature (&picture.image, NULL, &signature, NULL));
  double total = 0;
  for (int i = 0; i < CARDIAC_SIGNATURE_ROWS; i++)
    for (int j = 0; j < CARDIAC_SIGNATURE_COLUMNS; j++) {
      double sum = 0, n = 0;
      for (int y = i * 97 / 48; y < (i + 1) * 97 / 48; y++)
        for (int x = j * 133 / 64; x < (j + 1) * 133 / 64; x++, n++)
          sum += sample_at (&picture.image.component[0], x, y);
      double luma = limit ((sum / n - 16) * 255 / 219, 0, 255);
      REQUIRE_AT_MOST (fabs (signature.cell[i][j] / 256.0 - luma), 0.003);
      total += luma;
    }
  REQUIRE_AT_MOST (fabs ((double) signature.mean - total / (64 * 48)), 0.003);
  free_picture (&picture);
}

/** Uniform noise of -4..4: more than a good grabber makes. */
static void
add_noise (Picture *picture)
{
  for (size_t i = 0; i < picture->size; i++)
    picture->memory[i] = (uint8_t) limit (
        picture->memory[i] + (double) (random_bits () % 9) - 4, 0, 255);
}

static void
noise_keeps_a_picture_the_same_and_a_small_change_does_not (void)
{
  Picture picture = new_rgb (1280, 720);
  paint (&picture, (CardiacRectangle){ 0, 0, 1280, 720 }, 60, 60, 60);
  CardiacSignature clean, noisy, moved;
  REQUIRE (cardiac_image_signature (&picture.image, NULL, &clean, NULL));
  add_noise (&picture);
  REQUIRE (cardiac_image_signature (&picture.image, NULL, &noisy, NULL));
  REQUIRE (cardiac_signature_same (&clean, &noisy));
  REQUIRE (cardiac_signature_difference (&clean, &noisy).max > 0);
  paint (&picture, (CardiacRectangle){ 600, 300, 12, 12 }, 120, 120, 120);
  REQUIRE (cardiac_image_signature (&picture.image, NULL, &moved, NULL));
  REQUIRE (!cardiac_signature_same (&noisy, &moved));
  /* A dimmed screen has no large cell difference, but a large mean. */
  paint (&picture, (CardiacRectangle){ 0, 0, 1280, 720 }, 61, 61, 61);
  REQUIRE (cardiac_image_signature (&picture.image, NULL, &moved, NULL));
  REQUIRE (!cardiac_signature_same (&clean, &moved));
  free_picture (&picture);
}

static void
a_screen_without_content_is_blank (void)
{
  Picture picture = new_rgb (640, 480);
  CardiacSignature signature;
  REQUIRE (cardiac_image_signature (&picture.image, NULL, &signature, NULL));
  REQUIRE (!cardiac_signature_is_blank (&signature));
  paint (&picture, (CardiacRectangle){ 0, 0, 640, 480 }, 0, 0, 200);
  add_noise (&picture);
  REQUIRE (cardiac_image_signature (&picture.image, NULL, &signature, NULL));
  REQUIRE (cardiac_signature_is_blank (&signature));
  paint (&picture, (CardiacRectangle){ 300, 200, 30, 30 }, 90, 90, 90);
  REQUIRE (cardiac_image_signature (&picture.image, NULL, &signature, NULL));
  REQUIRE (!cardiac_signature_is_blank (&signature));
  free_picture (&picture);
}

static void
tiny_and_huge_pictures_have_signatures (void)
{
  Picture tiny = new_rgb (1, 1),
          huge = new_picture (GRAY8, 16384, 200, CARDIAC_MATRIX_BT601, true,
              CARDIAC_CHROMA_CENTRE);
  CardiacSignature signature;
  REQUIRE (cardiac_image_signature (&tiny.image, NULL, &signature, NULL));
  REQUIRE (signature.cell_min == signature.cell_max);
  REQUIRE (cardiac_image_signature (&huge.image, NULL, &signature, NULL));
  REQUIRE_AT_MOST (fabs ((double) signature.mean - 127.5), 2);
  free_picture (&tiny);
  free_picture (&huge);
}

/* ---- refusals ---------------------------------------------------------- */

static void
broken_pictures_are_refused (void)
{
  Picture picture = new_picture (
      NV12, 10, 8, CARDIAC_MATRIX_BT601, false, CARDIAC_CHROMA_LEFT);
  CardiacImage good = picture.image, bad;
  REQUIRE (cardiac_image_validate (&good, NULL));
  REQUIRE_REFUSED (cardiac_image_validate (NULL, &error));
#define REFUSE(change)                                                         \
  bad = good;                                                                  \
  bad.change;                                                                  \
  REQUIRE_REFUSED (cardiac_image_validate (&bad, &error));                     \
  REQUIRE (!cardiac_image_validate (&bad, NULL))
  REFUSE (width = 0);
  REFUSE (width = CARDIAC_IMAGE_MAX_SIZE + 1);
  REFUSE (height = -1);
  REFUSE (colour = (CardiacColour) 3);
  REFUSE (colour = (CardiacColour) -1);
  REFUSE (matrix = (CardiacMatrix) 7);
  REFUSE (chroma_site = (CardiacChromaSite) 4);
  REFUSE (component[0].data = NULL);
  REFUSE (component[2].data = NULL);
  REFUSE (component[0].stride = 9);
  REFUSE (component[0].stride = -9);
  REFUSE (component[0].stride = PTRDIFF_MAX / 2);
  REFUSE (component[1].stride = 8);
  REFUSE (component[1].pixel_stride = 0);
  REFUSE (component[1].pixel_stride = 17);
  REFUSE (component[1].hsub = 3);
  REFUSE (component[2].vsub = -1);
  REFUSE (component[0].hsub = 1);
#undef REFUSE
  free_picture (&picture);
}

static void
impossible_requests_are_refused (void)
{
  Picture picture = new_rgb (10, 8);
  const CardiacImage *image = &picture.image;
  float out[3 * 16] = { 7 };
  CardiacSquare crop = { 0, 0, 8 };
  CardiacSignature signature;
  CardiacRectangle outside = { 10, 0, 5, 5 };
  CardiacLetterbox place;
  const float bad_std[] = { 1, 0, 1 }, bad_mean[] = { 0, NAN, 0 };
#define SQUARE(crop, side, mean, std, out)                                     \
  cardiac_image_square_to_tensor (image, crop, side, mean, std, out, &error)
  REQUIRE_REFUSED (SQUARE (NULL, 4, no_mean, unit_std, out));
  REQUIRE_REFUSED (SQUARE (&crop, 0, no_mean, unit_std, out));
  REQUIRE_REFUSED (SQUARE (&crop, 5000, no_mean, unit_std, out));
  REQUIRE_REFUSED (SQUARE (&crop, 4, NULL, unit_std, out));
  REQUIRE_REFUSED (SQUARE (&crop, 4, no_mean, bad_std, out));
  REQUIRE_REFUSED (SQUARE (&crop, 4, bad_mean, unit_std, out));
  REQUIRE_REFUSED (SQUARE (&crop, 4, no_mean, unit_std, NULL));
  static const CardiacSquare bad[] = { { NAN, 0, 8 }, { 0, INFINITY, 8 },
    { 0, 0, 0 }, { 0, 0, -1 }, { 0, 0, NAN }, { 0, 0, 1e9 }, { 1e30, 0, 8 } };
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
    REQUIRE_REFUSED (SQUARE (&bad[i], 4, no_mean, unit_std, out));
#undef SQUARE
  REQUIRE (out[0] == 7);
  REQUIRE_REFUSED (
      cardiac_image_letterbox_to_tensor (image, 0, out, NULL, &error));
  REQUIRE_REFUSED (
      cardiac_image_letterbox_to_tensor (image, 4, NULL, NULL, &error));
  REQUIRE_REFUSED (
      cardiac_image_letterbox_to_tensor (NULL, 4, out, NULL, &error));
  REQUIRE_REFUSED (
      cardiac_resizer_letterbox_to_tensor (NULL, image, 4, out, NULL, &error));
  REQUIRE_REFUSED (cardiac_letterbox_place (0, 5, 640, &place, &error));
  REQUIRE_REFUSED (cardiac_letterbox_place (5, 5, 640, NULL, &error));
  REQUIRE_REFUSED (cardiac_image_to_rgb (image, NULL, &error));
  REQUIRE_REFUSED (
      cardiac_image_coloured_fraction (image, NULL, 255, &error) >= 0);
  REQUIRE_REFUSED (cardiac_image_signature (image, NULL, NULL, &error));
  REQUIRE_REFUSED (
      cardiac_image_signature (image, &outside, &signature, &error));
  free_picture (&picture);
}

int
main (void)
{
  every_format_matrix_range_and_site_follows_the_standard ();
  grey_levels_stay_grey_in_every_matrix ();
  a_bottom_up_picture_is_read_upside_down ();
  square_equals_the_definition ();
  square_equals_the_definition_at_extreme_sizes ();
  what_lies_outside_the_picture_is_black_before_normalising ();
  a_used_resizer_gives_the_bits_of_a_new_one ();
  letterbox_equals_the_definition ();
  letterbox_places_the_picture_as_yolo_does ();
  a_box_maps_back_and_is_clipped ();
  coloured_pixels_are_counted_inside_the_region_only ();
  a_signature_holds_the_mean_luma_of_cells ();
  noise_keeps_a_picture_the_same_and_a_small_change_does_not ();
  a_screen_without_content_is_blank ();
  tiny_and_huge_pictures_have_signatures ();
  broken_pictures_are_refused ();
  impossible_requests_are_refused ();
  return 0;
}
