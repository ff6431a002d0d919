/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Renders the sample pictures of the documentation.
 *
 *   overlay-pictures                         all samples, to the directory in
 *                                            CARDIAC_PICTURES_DIR; nothing is
 *                                            written without it
 *   overlay-pictures DIRECTORY               all samples
 *   overlay-pictures DIRECTORY PICTURE.png   this picture in both layouts, to
 *                                            look at a real one
 */
#include "mmsa-scene.h"
#include "scene.h"

#include <stdio.h>
#include <stdlib.h>

static void
write_png (cairo_surface_t *surface, const char *directory, const char *name)
{
  char path[4096];
  if (directory == NULL) {
    if (cairo_surface_status (surface))
      exit (1);
    return;
  }
  snprintf (path, sizeof path, "%s/%s.png", directory, name);
  cairo_status_t status = cairo_surface_write_to_png (surface, path);
  if (status != CAIRO_STATUS_SUCCESS) {
    fprintf (stderr, "%s: %s\n", path, cairo_status_to_string (status));
    exit (1);
  }
  printf ("%s\n", path);
}

static cairo_surface_t *
render (Scene *scene, cairo_surface_t *picture)
{
  CardiacOverlay *overlay = cardiac_overlay_new ();
  const CardiacOverlayRectangle *rectangles;
  int width = scene->view.picture_width, height = scene->view.picture_height;
  if (scene->view.layout == CARDIAC_OVERLAY_PANEL)
    cardiac_overlay_panel_size (
        scene->view.picture_width, scene->view.picture_height, &width, &height);
  else
    scene_observe (overlay, picture);
  int count = cardiac_overlay_draw_mreg (overlay, &scene->view, &rectangles);
  cairo_surface_t *canvas =
      scene_compose (picture, width, height, rectangles, count);
  cardiac_overlay_free (&overlay);
  return canvas;
}

static cairo_surface_t *
render_mmsa (MmsaScene *scene)
{
  CardiacOverlay *overlay = cardiac_overlay_new ();
  const CardiacOverlayRectangle *rectangles;
  cairo_surface_t *picture = mmsa_scene_picture (scene);
  int width, height;
  mmsa_scene_canvas (scene, &width, &height);
  int count = cardiac_overlay_draw_mmsa (overlay, &scene->view, &rectangles);
  cairo_surface_t *canvas =
      scene_compose (picture, width, height, rectangles, count);
  cairo_surface_destroy (picture);
  cardiac_overlay_free (&overlay);
  return canvas;
}

static void
sample_mmsa (const char *directory, const char *name, MmsaScene *scene)
{
  cairo_surface_t *canvas = render_mmsa (scene);
  write_png (canvas, directory, name);
  cairo_surface_destroy (canvas);
}

/* States that an echo result can have; the others are of cine MR. */
enum { ECHO_STATES = CARDIAC_OVERLAY_STACK_INCOMPLETE };

/* Every state at a given size, in a montage of whole canvases. */
static void
contact_sheet (const char *directory, const char *name, int width, int height,
    CardiacOverlayLayout layout, int columns)
{
  int w = width, h = height, rows = (ECHO_STATES + columns - 1) / columns;
  if (layout == CARDIAC_OVERLAY_PANEL)
    cardiac_overlay_panel_size (width, height, &w, &h);
  cairo_surface_t *picture = scene_picture (width, height, 0.5);
  cairo_surface_t *sheet = cairo_image_surface_create (
      CAIRO_FORMAT_RGB24, columns * (w + 8) + 8, rows * (h + 8) + 8);
  cairo_t *cr = cairo_create (sheet);
  cairo_set_source_rgb (cr, 0.45, 0.47, 0.5);
  cairo_paint (cr);
  for (int s = 0; s < ECHO_STATES; s++) {
    Scene scene;
    scene_init (&scene, width, height, layout);
    scene_set_state (&scene, (CardiacOverlayState) s);
    cairo_surface_t *canvas = render (&scene, picture);
    cairo_set_source_surface (
        cr, canvas, 8 + s % columns * (w + 8), 8 + s / columns * (h + 8));
    cairo_paint (cr);
    cairo_surface_destroy (canvas);
  }
  cairo_destroy (cr);
  write_png (sheet, directory, name);
  cairo_surface_destroy (sheet);
  cairo_surface_destroy (picture);
}

static void
sample (const char *directory, const char *name, Scene *scene)
{
  cairo_surface_t *picture = scene_picture (
      scene->view.picture_width, scene->view.picture_height, 0.5);
  cairo_surface_t *canvas = render (scene, picture);
  write_png (canvas, directory, name);
  cairo_surface_destroy (canvas);
  cairo_surface_destroy (picture);
}

/* States of wall motion, at half size. */
static void
contact_sheet_mmsa (const char *directory, const char *name)
{
  static const CardiacOverlayState states[] = { CARDIAC_OVERLAY_WAIT,
    CARDIAC_OVERLAY_RESULT, CARDIAC_OVERLAY_PHASES_DIFFER,
    CARDIAC_OVERLAY_STACK_INCOMPLETE };
  MmsaScene scene;
  int w, h;
  mmsa_scene_init (&scene, 768, 256, CARDIAC_OVERLAY_PANEL);
  mmsa_scene_canvas (&scene, &w, &h);
  cairo_surface_t *sheet = cairo_image_surface_create (
      CAIRO_FORMAT_RGB24, 2 * (w + 8) + 8, 2 * (h + 8) + 8);
  cairo_t *cr = cairo_create (sheet);
  cairo_set_source_rgb (cr, 0.45, 0.47, 0.5);
  cairo_paint (cr);
  for (int i = 0; i < 4; i++) {
    mmsa_scene_init (&scene, 768, 256, CARDIAC_OVERLAY_PANEL);
    mmsa_scene_set_state (&scene, states[i]);
    if (i == 1) { /* too little for an index; weights without training */
      for (int k = 1; k < CARDIAC_OVERLAY_SEGMENTS; k += 2)
        scene.view.scores[k] = 0;
      scene.view.trained = false;
    }
    cairo_surface_t *canvas = render_mmsa (&scene);
    cairo_set_source_surface (
        cr, canvas, 8 + i % 2 * (w + 8), 8 + i / 2 * (h + 8));
    cairo_paint (cr);
    cairo_surface_destroy (canvas);
  }
  cairo_destroy (cr);
  write_png (sheet, directory, name);
  cairo_surface_destroy (sheet);
}

static void
samples_mmsa (const char *directory)
{
  MmsaScene scene;
  char path[4096], message[300];
  CardiacOverlay *overlay = cardiac_overlay_new ();
  mmsa_scene_init (&scene, 1200, 400, CARDIAC_OVERLAY_PANEL);
  sample_mmsa (directory, "overlay-mr-panel", &scene);
  snprintf (path, sizeof path, "%s/bullseye.png", directory ? directory : ".");
  if (directory
      && !cardiac_mmsa_write_png (
          overlay, &scene.view, path, message, sizeof message)) {
    fprintf (stderr, "%s\n", message);
    exit (1);
  }
  mmsa_scene_init (&scene, 320, 320, CARDIAC_OVERLAY_PANEL);
  sample_mmsa (directory, "overlay-mr-slice", &scene);
  mmsa_scene_init (&scene, 1200, 400, CARDIAC_OVERLAY_INSIDE);
  sample_mmsa (directory, "overlay-mr-inside", &scene);
  contact_sheet_mmsa (directory, "overlay-mr-states");
  cardiac_overlay_free (&overlay);
}

static void
samples (const char *directory)
{
  Scene scene;
  samples_mmsa (directory);
  scene_init (&scene, 800, 600, CARDIAC_OVERLAY_PANEL);
  sample (directory, "overlay-panel", &scene);
  scene_init (&scene, 800, 600, CARDIAC_OVERLAY_INSIDE);
  sample (directory, "overlay-inside", &scene);
  scene_init (&scene, 640, 480, CARDIAC_OVERLAY_PANEL);
  scene_set_state (&scene, CARDIAC_OVERLAY_UNSURE);
  scene.view.trained = false;
  scene.view.map_mode = CARDIAC_OVERLAY_MAP_FILL;
  sample (directory, "overlay-unsure-untrained-fill", &scene);
  contact_sheet (
      directory, "overlay-panel-states", 304, 304, CARDIAC_OVERLAY_PANEL, 4);
  contact_sheet (
      directory, "overlay-inside-states", 480, 360, CARDIAC_OVERLAY_INSIDE, 4);
}

static cairo_surface_t *
to_rgb24 (cairo_surface_t *png)
{
  int width = cairo_image_surface_get_width (png);
  int height = cairo_image_surface_get_height (png);
  cairo_surface_t *picture =
      cairo_image_surface_create (CAIRO_FORMAT_RGB24, width, height);
  cairo_t *cr = cairo_create (picture);
  cairo_set_source_surface (cr, png, 0, 0);
  cairo_paint (cr);
  cairo_destroy (cr);
  cairo_surface_destroy (png);
  return picture;
}

static void
given_picture (const char *directory, const char *path)
{
  static const CardiacOverlayState states[] = { CARDIAC_OVERLAY_RESULT,
    CARDIAC_OVERLAY_UNSURE, CARDIAC_OVERLAY_NO_DOPPLER };
  cairo_surface_t *picture =
      to_rgb24 (cairo_image_surface_create_from_png (path));
  for (int layout = 0; layout < 2; layout++)
    for (int i = 0; i < 3; i++) {
      Scene scene;
      char name[64];
      scene_init (&scene, cairo_image_surface_get_width (picture),
          cairo_image_surface_get_height (picture),
          (CardiacOverlayLayout) layout);
      scene_set_state (&scene, states[i]);
      cairo_surface_t *canvas = render (&scene, picture);
      snprintf (name, sizeof name, "%s-%s", layout ? "panel" : "inside",
          scene_state_name (states[i]));
      write_png (canvas, directory, name);
      cairo_surface_destroy (canvas);
    }
  cairo_surface_destroy (picture);
}

int
main (int argc, char **argv)
{
  if (argc == 1)
    samples (getenv ("CARDIAC_PICTURES_DIR"));
  else if (argc == 2)
    samples (argv[1]);
  else if (argc == 3)
    given_picture (argv[1], argv[2]);
  else {
    fprintf (stderr, "usage: overlay-pictures DIRECTORY [PICTURE.png]\n");
    return 2;
  }
  return 0;
}
