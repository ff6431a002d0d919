/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* test-detector ROI-DEMO.safetensors YOLOV8.safetensors: the demonstration
 * detector finds the same heart in a phantom's frame wherever it lies, in every
 * kind of format; what cannot be done is refused. */
#include "../engine/require-error.h"
#include "echo/echo-phantom.h"
#include <cardiac/cardiac.h>
#include <cuda_runtime.h>

#include <math.h>
#include <string.h>

enum { WIDTH = 640, HEIGHT = 480, AREA = WIDTH * HEIGHT, BYTES = 4 * AREA };

/* The input differs by a rounding of its scale, fp32 by what that grows to. */
static const float most_pixels = 0.01f, most_score = 1e-4f;

typedef struct Format {
  const char *name;
  CardiacColour colour;
  CardiacComponent component[3]; ///< data: an offset from the frame's begin
} Format;

#define AT(offset) (const uint8_t *) (uintptr_t) (offset)

static const Format formats[] = {
  { "NV12", CARDIAC_COLOUR_YUV,
      { { AT (0), WIDTH, 1, 0, 0 }, { AT (AREA), WIDTH, 2, 1, 1 },
          { AT (AREA + 1), WIDTH, 2, 1, 1 } } },
  { "I420", CARDIAC_COLOUR_YUV,
      { { AT (0), WIDTH, 1, 0, 0 }, { AT (AREA), WIDTH / 2, 1, 1, 1 },
          { AT (AREA + AREA / 4), WIDTH / 2, 1, 1, 1 } } },
  { "YUY2", CARDIAC_COLOUR_YUV,
      { { AT (0), 2 * WIDTH, 2, 0, 0 }, { AT (1), 2 * WIDTH, 4, 1, 0 },
          { AT (3), 2 * WIDTH, 4, 1, 0 } } },
  { "RGBx", CARDIAC_COLOUR_RGB,
      { { AT (0), 4 * WIDTH, 4, 0, 0 }, { AT (1), 4 * WIDTH, 4, 0, 0 },
          { AT (2), 4 * WIDTH, 4, 0, 0 } } },
  { "BGRx", CARDIAC_COLOUR_RGB,
      { { AT (2), 4 * WIDTH, 4, 0, 0 }, { AT (1), 4 * WIDTH, 4, 0, 0 },
          { AT (0), 4 * WIDTH, 4, 0, 0 } } },
  { "GRAY8", CARDIAC_COLOUR_GRAY, { { AT (0), WIDTH, 1, 0, 0 } } },
};

static CardiacImage
image_of (const Format *format, const uint8_t *frame)
{
  CardiacImage image = { .width = WIDTH,
    .height = HEIGHT,
    .colour = format->colour,
    .matrix = CARDIAC_MATRIX_BT601,
    .full_range = true };
  for (int c = 0; c < 3; c++) {
    image.component[c] = format->component[c];
    image.component[c].data = frame + (uintptr_t) format->component[c].data;
  }
  return image;
}

/* Component c of a pixel: R, G, B or Y', Cb, Cr (BT.601, full range). */
static uint8_t
level (const Format *format, const uint8_t *rgb, int c)
{
  static const double rows[3][4] = { { 0.299, 0.587, 0.114, 0 },
    { -0.168736, -0.331264, 0.5, 128 }, { 0.5, -0.418688, -0.081312, 128 } };
  if (format->colour == CARDIAC_COLOUR_RGB)
    return rgb[c];
  const double *m = rows[c];
  const double value = m[0] * rgb[0] + m[1] * rgb[1] + m[2] * rgb[2] + m[3];
  return (uint8_t) fmin (fmax (value + 0.5, 0), 255);
}

static void
write_frame (const Format *format, const uint8_t *rgb, uint8_t *frame)
{
  memset (frame, 0, BYTES);
  for (int c = 0; c < (format->colour == CARDIAC_COLOUR_GRAY ? 1 : 3); c++) {
    const CardiacComponent *k = &format->component[c];
    for (int y = 0; y < HEIGHT >> k->vsub; y++)
      for (int x = 0; x < WIDTH >> k->hsub; x++)
        frame[(uintptr_t) k->data + y * k->stride + x * k->pixel_stride] =
            level (
                format, rgb + 3 * ((y << k->vsub) * WIDTH + (x << k->hsub)), c);
  }
}

/* @param truth the heart's rectangle. */
static void
draw_phantom (uint8_t *rgb, EchoView *truth)
{
  EchoSettings settings;
  echo_settings_default (&settings);
  EchoPhantom *phantom = echo_phantom_new (&settings);
  REQUIRE (phantom);
  const EchoView screen = { 0, 0, WIDTH, HEIGHT };
  echo_phantom_render (phantom, 0.4, screen, WIDTH, HEIGHT, rgb, 3 * WIDTH);
  *truth = echo_phantom_roi (phantom);
  echo_phantom_free (&phantom);
}

static CardiacYolov8 *
detector_new (const char *path, const char *device, int height)
{
  CardiacSettings settings;
  cardiac_settings_default (&settings);
  settings.device = device;
  settings.precision = CARDIAC_PRECISION_FP32;
  settings.threads = 1;
  CardiacModel *model = cardiac_model_load (path, NULL);
  REQUIRE (model);
  CardiacYolov8 *net = cardiac_yolov8_new (model, height, 0, &settings, NULL);
  REQUIRE (net);
  cardiac_model_unref (&model);
  return net;
}

typedef struct Found {
  int count;
  CardiacDetection all[CARDIAC_YOLOV8_MAX_DETECTIONS];
  CardiacLetterbox placement;
} Found;

/* As elements do it for frames in host memory. */
static Found
find_letterboxed (CardiacYolov8 *net, const CardiacImage *image)
{
  Found found;
  const int side = cardiac_yolov8_shape (net)->height;
  float *input = malloc (3 * sizeof *input * (size_t) side * (size_t) side);
  REQUIRE (input
           && cardiac_image_letterbox_to_tensor (
               image, side, input, &found.placement, NULL));
  found.count = cardiac_yolov8_run (net, input, found.all, NULL);
  free (input);
  return found;
}

static Found
find (CardiacYolov8 *net, const CardiacImage *image, CardiacMemory memory)
{
  Found found;
  memset (&found, 0xff, sizeof found);
  found.count = cardiac_yolov8_run_image (
      net, image, memory, found.all, &found.placement, NULL);
  return found;
}

static void
require_same (const Found *a, const Found *b)
{
  REQUIRE (a->count == b->count);
  REQUIRE (memcmp (&a->placement, &b->placement, sizeof a->placement) == 0);
  for (int i = 0; i < a->count; i++) {
    const CardiacDetection *p = &a->all[i], *q = &b->all[i];
    REQUIRE (p->class_index == q->class_index);
    REQUIRE (fabsf (p->score - q->score) <= most_score);
    REQUIRE (fabsf (p->x1 - q->x1) <= most_pixels
             && fabsf (p->y1 - q->y1) <= most_pixels
             && fabsf (p->x2 - q->x2) <= most_pixels
             && fabsf (p->y2 - q->y2) <= most_pixels);
  }
}

static void
require_heart (const Found *found, const EchoView *truth)
{
  REQUIRE (found->count > 0);
  const CardiacDetection *best = &found->all[0];
  float box[4] = { best->x1, best->y1, best->x2, best->y2 };
  cardiac_letterbox_to_picture (&found->placement, box);
  const double width =
      fmin (box[2], truth->x + truth->width) - fmax (box[0], truth->x);
  const double height =
      fmin (box[3], truth->y + truth->height) - fmax (box[1], truth->y);
  const double common = fmax (width, 0) * fmax (height, 0);
  const double both = (double) (box[2] - box[0]) * (double) (box[3] - box[1])
                      + truth->width * truth->height - common;
  printf ("  %.1f..%.1f x %.1f..%.1f, score %.3f, IoU %.2f\n", (double) box[0],
      (double) box[2], (double) box[1], (double) box[3], (double) best->score,
      common / both);
  REQUIRE (common / both > 0.7);
}

static void
a_heart_is_found_wherever_the_frame_lies (const char *path)
{
  static uint8_t rgb[3 * AREA], frame[BYTES];
  CardiacYolov8 *net = detector_new (path, "cuda", 0);
  EchoView truth;
  void *copy = NULL;
  draw_phantom (rgb, &truth);
  REQUIRE (cudaMalloc (&copy, BYTES) == cudaSuccess);
  for (size_t i = 0; i < sizeof formats / sizeof *formats; i++) {
    printf ("a phantom's frame in %s\n", formats[i].name);
    write_frame (&formats[i], rgb, frame);
    REQUIRE (
        cudaMemcpy (copy, frame, BYTES, cudaMemcpyHostToDevice) == cudaSuccess);
    REQUIRE (cudaStreamSynchronize (NULL) == cudaSuccess);
    const CardiacImage here = image_of (&formats[i], frame);
    const CardiacImage there = image_of (&formats[i], copy);
    const Found expected = find_letterboxed (net, &here);
    const Found host = find (net, &here, CARDIAC_MEMORY_HOST);
    const Found device = find (net, &there, CARDIAC_MEMORY_DEVICE);
    require_heart (&expected, &truth);
    require_same (&expected, &host);
    require_same (&expected, &device);
  }
  cudaFree (copy);
  cardiac_yolov8_free (&net);
}

static void
what_cannot_be_done_is_refused (const char *path)
{
  static uint8_t frame[BYTES];
  CardiacDetection all[CARDIAC_YOLOV8_MAX_DETECTIONS];
  CardiacImage image = image_of (&formats[0], frame);
  CardiacError *error = NULL;
  CardiacYolov8 *net = detector_new (path, "reference", 0);
  printf ("what cannot be done is refused\n");
  REQUIRE (cardiac_yolov8_run_image (
               net, &image, CARDIAC_MEMORY_DEVICE, all, NULL, &error)
           == -1);
  require_error (error, CARDIAC_ERROR_UNSUPPORTED,
      "device 'reference' reads no pictures in device memory");
  REQUIRE (cardiac_yolov8_run_image (
               net, &image, CARDIAC_MEMORY_HOST, all, NULL, NULL)
           >= 0);
  image.height = 0;
  for (int memory = 0; memory < 2; memory++) {
    error = NULL;
    REQUIRE (cardiac_yolov8_run_image (
                 net, &image, (CardiacMemory) memory, all, NULL, &error)
             == -1);
    require_error (error, CARDIAC_ERROR_INVALID_ARGUMENT, "0 pixels");
  }
  cardiac_yolov8_free (&net);

  image.height = HEIGHT;
  error = NULL;
  net = detector_new (path, "cuda", 32);
  REQUIRE (cardiac_yolov8_run_image (
               net, &image, CARDIAC_MEMORY_HOST, all, NULL, &error)
           == -1);
  require_error (error, CARDIAC_ERROR_INVALID_ARGUMENT, "a square input");
  cardiac_yolov8_free (&net);
}

int
main (int argc, char **argv)
{
  REQUIRE (argc == 3);
  a_heart_is_found_wherever_the_frame_lies (argv[1]);
  what_cannot_be_done_is_refused (argv[2]);
  return 0;
}
