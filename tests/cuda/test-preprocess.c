/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Frames in device memory become the tensor that the CPU makes of them: every
 * kind of layout, range, matrix and chroma site, squares inside and partly or
 * wholly outside, shrunk and enlarged; letterboxes likewise. */
#include "../require.h"
#include "preprocess.h"

#include <math.h>
#include <string.h>

enum { WIDTH = 83, HEIGHT = 61, BYTES = 4 * WIDTH * HEIGHT, MOST_SIDE = 120 };

/* Sums of the same numbers in another order. */
static const double tolerance = 2e-6;

static const float mean[3] = { 0.485f, 0.456f, 0.406f };
static const float std[3] = { 0.229f, 0.224f, 0.225f };

CARDIAC_API const CardiacBackend *cardiac_backend_module (void);

typedef struct Layout {
  const char *name;
  CardiacColour colour;
  CardiacComponent component[3]; ///< data: an offset from the frame's begin
} Layout;

#define AT(offset) (const uint8_t *) (uintptr_t) (offset)

enum {
  HALF = (WIDTH + 1) / 2,
  HALF_ROWS = (HEIGHT + 1) / 2,
  AREA = WIDTH * HEIGHT,
};

static const Layout layouts[] = {
  { "NV12", CARDIAC_COLOUR_YUV,
      { { AT (0), WIDTH, 1, 0, 0 }, { AT (AREA), 2 * HALF, 2, 1, 1 },
          { AT (AREA + 1), 2 * HALF, 2, 1, 1 } } },
  { "I420", CARDIAC_COLOUR_YUV,
      { { AT (0), WIDTH, 1, 0, 0 }, { AT (AREA), HALF, 1, 1, 1 },
          { AT (AREA + HALF * HALF_ROWS), HALF, 1, 1, 1 } } },
  { "YUY2", CARDIAC_COLOUR_YUV,
      { { AT (0), 4 * HALF, 2, 0, 0 }, { AT (1), 4 * HALF, 4, 1, 0 },
          { AT (3), 4 * HALF, 4, 1, 0 } } },
  { "Y41B", CARDIAC_COLOUR_YUV,
      { { AT (0), WIDTH, 1, 0, 0 }, { AT (AREA), 21, 1, 2, 0 },
          { AT (AREA + 21 * HEIGHT), 21, 1, 2, 0 } } },
  { "RGBx", CARDIAC_COLOUR_RGB,
      { { AT (0), 4 * WIDTH, 4, 0, 0 }, { AT (1), 4 * WIDTH, 4, 0, 0 },
          { AT (2), 4 * WIDTH, 4, 0, 0 } } },
  { "BGRx, bottom up", CARDIAC_COLOUR_RGB,
      { { AT (4 * WIDTH * (HEIGHT - 1) + 2), -4 * WIDTH, 4, 0, 0 },
          { AT (4 * WIDTH * (HEIGHT - 1) + 1), -4 * WIDTH, 4, 0, 0 },
          { AT (4 * WIDTH * (HEIGHT - 1)), -4 * WIDTH, 4, 0, 0 } } },
  { "GRAY8", CARDIAC_COLOUR_GRAY, { { AT (0), WIDTH, 1, 0, 0 } } },
};

static const struct {
  CardiacSquare crop;
  int side;
} cuts[] = {
  { { 11, 3, 48 }, 24 },       /* half */
  { { 0.3, 0.7, 60.1 }, 17 },  /* not by whole numbers */
  { { 20.5, 10.25, 15 }, 40 }, /* enlarged */
  { { -12, -7.5, 100 }, 32 },  /* partly outside, all sides */
  { { 70, 50, 64 }, 24 },      /* over a corner */
  { { 200, 10, 30 }, 16 },     /* wholly outside: black */
  { { 5, 5, 50 }, 96 },
  { { 0, 0, WIDTH }, 40 }, /* the first letterbox's columns, with antialias */
};

/* Of letterboxes: shrunk, shrunk to a half, enlarged by little and by much. */
static const int sides[] = { 40, (WIDTH + 1) / 2, 96, MOST_SIDE };

/* The image of a layout whose frame begins at `frame`. */
static CardiacImage
image_of (const Layout *layout, const uint8_t *frame, int variant)
{
  CardiacImage image = {
    .width = WIDTH,
    .height = HEIGHT,
    .colour = layout->colour,
    .matrix = (CardiacMatrix) (variant % 3),
    .chroma_site = (CardiacChromaSite) (variant % 4),
    .full_range = variant % 2,
  };
  for (int c = 0; c < 3; c++) {
    image.component[c] = layout->component[c];
    image.component[c].data = frame + (uintptr_t) layout->component[c].data;
  }
  return image;
}

typedef struct Device {
  CardiacCudaContext *context;
  CardiacCudaResizer *resizer;
  uint8_t *frame;
  float *out;
} Device;

/* The largest difference of what the device makes of a picture. */
static double
compare (const Device *device, const CardiacImage *there,
    const CardiacResize *resize, const float *expected)
{
  static float got[3 * MOST_SIDE * MOST_SIDE];
  const size_t count = 3 * (size_t) resize->side * (size_t) resize->side;
  double worst = 0;
  REQUIRE (cardiac_cuda_resizer_place (
      device->resizer, there, resize, device->out, NULL));
  REQUIRE (cudaMemcpyAsync (got, device->out, count * sizeof *got,
               cudaMemcpyDeviceToHost, device->context->stream)
           == cudaSuccess);
  REQUIRE (cudaStreamSynchronize (device->context->stream) == cudaSuccess);
  REQUIRE (device->context->failure == cudaSuccess);
  for (size_t i = 0; i < count; i++) {
    const double difference = fabs ((double) got[i] - (double) expected[i]);
    if (!(difference <= worst)) /* NaN too */
      worst = difference;
  }
  return worst;
}

/* The largest differences of one layout's squares and letterboxes. */
static double
compare_squares (
    const Device *device, const Layout *layout, const uint8_t *frame)
{
  static float expected[3 * MOST_SIDE * MOST_SIDE];
  double worst = 0;
  for (size_t cut = 0; cut < sizeof cuts / sizeof *cuts; cut++)
    for (int variant = 0; variant < 4; variant++) {
      const CardiacImage here = image_of (layout, frame, variant);
      const CardiacImage there = image_of (layout, device->frame, variant);
      CardiacResize resize;
      REQUIRE (cardiac_image_square_to_tensor (
          &here, &cuts[cut].crop, cuts[cut].side, mean, std, expected, NULL));
      REQUIRE (cardiac_resize_square (
          &cuts[cut].crop, cuts[cut].side, mean, std, &resize, NULL));
      worst = fmax (worst, compare (device, &there, &resize, expected));
    }
  return worst;
}

static double
compare_letterbox (const Device *device, const CardiacImage *here,
    const CardiacImage *there, int side)
{
  static float expected[3 * MOST_SIDE * MOST_SIDE];
  CardiacLetterbox placement;
  REQUIRE (cardiac_image_letterbox_to_tensor (
      here, side, expected, &placement, NULL));
  const CardiacResize resize = cardiac_resize_letterbox (&placement);
  return compare (device, there, &resize, expected);
}

/* Of wide pictures, and of their left parts, which are high. */
static double
compare_letterboxes (
    const Device *device, const Layout *layout, const uint8_t *frame)
{
  static const int widths[] = { WIDTH, 31 };
  double worst = 0;
  for (size_t i = 0; i < sizeof sides / sizeof *sides; i++)
    for (int variant = 0; variant < 8; variant++) {
      CardiacImage here = image_of (layout, frame, variant % 4);
      CardiacImage there = image_of (layout, device->frame, variant % 4);
      here.width = there.width = widths[variant / 4];
      worst = fmax (worst, compare_letterbox (device, &here, &there, sides[i]));
    }
  return worst;
}

static void
every_layout_gives_the_tensor_of_the_cpu (const Device *device)
{
  static uint8_t frame[BYTES];
  uint32_t state = 1;
  for (size_t l = 0; l < sizeof layouts / sizeof *layouts; l++) {
    for (size_t i = 0; i < BYTES; i++)
      frame[i] = (uint8_t) ((state = state * 1664525 + 1013904223) >> 24);
    REQUIRE (cudaMemcpy (device->frame, frame, BYTES, cudaMemcpyHostToDevice)
             == cudaSuccess);
    REQUIRE (cudaStreamSynchronize (NULL) == cudaSuccess);
    const double squares = compare_squares (device, &layouts[l], frame);
    const double boxes = compare_letterboxes (device, &layouts[l], frame);
    printf ("%-16s squares %.2g, letterboxes %.2g (at most %.2g)\n",
        layouts[l].name, squares, boxes, tolerance);
    REQUIRE (squares <= tolerance && boxes <= tolerance);
  }
}

static void
one_geometry_allocates_once (const Device *device)
{
  const CardiacImage image = image_of (&layouts[0], device->frame, 0);
  CardiacResize resize;
  uint64_t before = 0;
  REQUIRE (cardiac_resize_square (
      &cuts[0].crop, cuts[0].side, mean, std, &resize, NULL));
  for (int i = 0; i < 3; i++) {
    REQUIRE (cardiac_cuda_resizer_place (
        device->resizer, &image, &resize, device->out, NULL));
    if (i == 0)
      before = cuda_emulation_allocations ();
  }
  REQUIRE (cuda_emulation_allocations () == before);
}

static void
nonsense_is_refused (const Device *device)
{
  const CardiacSquare nowhere = { NAN, 0, 10 };
  CardiacImage image = image_of (&layouts[0], device->frame, 0);
  CardiacError *error = NULL;
  CardiacResize resize;
  REQUIRE (!cardiac_resize_square (&nowhere, 16, mean, std, &resize, &error));
  REQUIRE (cardiac_error_code (error) == CARDIAC_ERROR_INVALID_ARGUMENT);
  cardiac_error_free (&error);
  REQUIRE (
      !cardiac_resize_square (&cuts[0].crop, 0, mean, std, &resize, &error));
  cardiac_error_free (&error);
  REQUIRE (cardiac_resize_square (&cuts[0].crop, 16, mean, std, &resize, NULL));
  image.component[1].data = NULL;
  REQUIRE (!cardiac_cuda_resizer_place (
      device->resizer, &image, &resize, device->out, &error));
  REQUIRE (cardiac_error_code (error) == CARDIAC_ERROR_INVALID_ARGUMENT);
  cardiac_error_free (&error);
}

int
main (void)
{
  const CardiacBackendSettings settings = { .activation = CARDIAC_F32,
    .threads = 1 };
  const CardiacBackend *backend = cardiac_backend_module ();
  Device device = { .context = backend->open (&settings, NULL) };
  REQUIRE (device.context);
  device.resizer = cardiac_cuda_resizer_new (device.context, NULL);
  device.frame = cardiac_cuda_allocate (device.context, BYTES, NULL);
  device.out = cardiac_cuda_allocate (
      device.context, 3 * sizeof (float) * MOST_SIDE * MOST_SIDE, NULL);
  REQUIRE (device.resizer && device.frame && device.out);

  every_layout_gives_the_tensor_of_the_cpu (&device);
  one_geometry_allocates_once (&device);
  nonsense_is_refused (&device);

  cardiac_cuda_resizer_free (&device.resizer);
  cudaFree (device.frame);
  cudaFree (device.out);
  backend->close (device.context);
  return 0;
}
