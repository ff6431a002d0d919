/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Times a frame: everything redrawn, nothing changed, a new map only. */
#include "scene.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { ROUNDS = 60 };

static double
now_ms (void)
{
  struct timespec t;
  clock_gettime (CLOCK_MONOTONIC, &t);
  return (double) t.tv_sec * 1e3 + (double) t.tv_nsec / 1e6;
}

static int
by_size (const void *a, const void *b)
{
  double x = *(const double *) a, y = *(const double *) b;
  return (x > y) - (x < y);
}

/* What changes from frame to frame. */
typedef enum Change { NOTHING, EVERYTHING, MAP, OBSERVED } Change;

static double
median_ms (CardiacOverlayLayout layout, int width, int height, Change change)
{
  CardiacOverlay *overlay = cardiac_overlay_new ();
  const CardiacOverlayRectangle *rectangles;
  cairo_surface_t *picture = scene_picture (width, height, 0.5);
  double times[ROUNDS];
  Scene scene;
  scene_init (&scene, width, height, layout);
  scene_observe (overlay, picture);
  cardiac_overlay_draw_mreg (overlay, &scene.view, &rectangles);
  for (int i = 0; i < ROUNDS; i++) {
    scene.view.position_ns = i * 30000000ll;
    if (change == EVERYTHING) {
      scene.view.value = 1.5 + i / 1000.0;
      scene.curve[0] = (float) i;
    }
    if (change == EVERYTHING || change == MAP)
      scene.map[100] = (float) i / 50.0f;
    double start = now_ms ();
    if (change == OBSERVED)
      scene_observe (overlay, picture);
    cardiac_overlay_draw_mreg (overlay, &scene.view, &rectangles);
    times[i] = now_ms () - start;
  }
  cairo_surface_destroy (picture);
  cardiac_overlay_free (&overlay);
  qsort (times, ROUNDS, sizeof *times, by_size);
  return times[ROUNDS / 2];
}

int
main (void)
{
  static const char *layouts[] = { "inside", "panel" };
  static const int sizes[][2] = { { 640, 480 }, { 1920, 1080 } };
  printf ("median ms a frame     all redrawn   new map   nothing   observed\n");
  for (int layout = 0; layout < 2; layout++)
    for (int i = 0; i < 2; i++) {
      int w = sizes[i][0], h = sizes[i][1];
      CardiacOverlayLayout l = (CardiacOverlayLayout) layout;
      printf ("%-6s %4dx%-4d %17.2f %9.2f %9.3f %10.2f\n", layouts[layout], w,
          h, median_ms (l, w, h, EVERYTHING), median_ms (l, w, h, MAP),
          median_ms (l, w, h, NOTHING), median_ms (l, w, h, OBSERVED));
    }
  return 0;
}
