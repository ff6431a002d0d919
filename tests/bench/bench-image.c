/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* How long a frame takes from its video format to a network's tensor: best and
 * median of many runs on one core. Prints one line a case; never fails on a
 * time, as machines differ. */

#include <cardiac/image.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { WIDTH = 1920, HEIGHT = 1080, RUNS = 100 };

typedef struct Bench {
  CardiacResizer *resizer;
  CardiacImage image;
  float *tensor;
} Bench;

static double
now_ms (void)
{
  struct timespec time;
  clock_gettime (CLOCK_MONOTONIC, &time);
  return (double) time.tv_sec * 1e3 + (double) time.tv_nsec * 1e-6;
}

static int
compare (const void *a, const void *b)
{
  double x = *(const double *) a, y = *(const double *) b;
  return (x > y) - (x < y);
}

static void
letterbox (Bench *bench)
{
  cardiac_resizer_letterbox_to_tensor (
      bench->resizer, &bench->image, 640, bench->tensor, NULL, NULL);
}

static void
square (Bench *bench)
{
  static const float mean[] = { 0.485f, 0.456f, 0.406f };
  static const float std[] = { 0.229f, 0.224f, 0.225f };
  CardiacSquare crop = { (WIDTH - HEIGHT) / 2, 0, HEIGHT };
  cardiac_resizer_square_to_tensor (bench->resizer, &bench->image, &crop, 224,
      mean, std, bench->tensor, NULL);
}

static void
signature (Bench *bench)
{
  CardiacSignature made;
  cardiac_image_signature (&bench->image, NULL, &made, NULL);
}

static void
coloured (Bench *bench)
{
  cardiac_image_coloured_fraction (
      &bench->image, NULL, CARDIAC_COLOURED_THRESHOLD, NULL);
}

static void
measure (
    const char *name, const char *format, void (*work) (Bench *), Bench *bench)
{
  double times[RUNS];
  work (bench);
  for (int i = 0; i < RUNS; i++) {
    double start = now_ms ();
    work (bench);
    times[i] = now_ms () - start;
  }
  qsort (times, RUNS, sizeof *times, compare);
  printf ("%-34s %-5s %7.3f ms best %7.3f ms median\n", name, format, times[0],
      times[RUNS / 2]);
}

static CardiacImage
nv12 (const uint8_t *data)
{
  const uint8_t *chroma = data + WIDTH * HEIGHT;
  return (CardiacImage){ .width = WIDTH,
    .height = HEIGHT,
    .colour = CARDIAC_COLOUR_YUV,
    .matrix = CARDIAC_MATRIX_BT709,
    .chroma_site = CARDIAC_CHROMA_LEFT,
    .component = { { data, WIDTH, 1, 0, 0 }, { chroma, WIDTH, 2, 1, 1 },
        { chroma + 1, WIDTH, 2, 1, 1 } } };
}

static CardiacImage
uyvy (const uint8_t *data)
{
  CardiacImage image = nv12 (data);
  for (int c = 0; c < 3; c++)
    image.component[c] = (CardiacComponent){ data
                                                 + (c == 0    ? 1
                                                     : c == 1 ? 0
                                                              : 2),
      2 * WIDTH, c == 0 ? 2 : 4, c > 0, 0 };
  return image;
}

static CardiacImage
bgrx (const uint8_t *data)
{
  CardiacImage image = nv12 (data);
  image.colour = CARDIAC_COLOUR_RGB;
  image.full_range = true;
  for (int c = 0; c < 3; c++)
    image.component[c] = (CardiacComponent){ data + 2 - c, 4 * WIDTH, 4, 0, 0 };
  return image;
}

int
main (void)
{
  size_t size = (size_t) WIDTH * HEIGHT * 4;
  uint8_t *data = malloc (size);
  Bench bench = { .resizer = cardiac_resizer_new (NULL),
    .tensor = malloc ((size_t) 3 * 640 * 640 * sizeof (float)) };
  if (!data || !bench.tensor || !bench.resizer)
    return 1;
  uint32_t state = 1;
  for (size_t i = 0; i < size; i++)
    data[i] = (uint8_t) ((state = state * 1664525u + 1013904223u) >> 24);

  CardiacImage images[] = { nv12 (data), uyvy (data), bgrx (data),
    cardiac_image_rgb (WIDTH, HEIGHT, data, 3 * WIDTH) };
  const char *names[] = { "NV12", "UYVY", "BGRx", "RGB" };
  for (size_t i = 0; i < sizeof images / sizeof *images; i++) {
    bench.image = images[i];
    measure ("1080p letterboxed to 640", names[i], letterbox, &bench);
    measure ("1080 square to 224, antialiased", names[i], square, &bench);
    measure ("1080p signature", names[i], signature, &bench);
    measure ("1080p coloured fraction", names[i], coloured, &bench);
  }
  cardiac_resizer_free (&bench.resizer);
  free (bench.tensor);
  free (data);
  return 0;
}
