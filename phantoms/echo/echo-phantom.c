/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* From beams to pixels, and what is true of a moment. */
#include "echo-phantom.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "colour.h"
#include "grey.h"
#include "screen.h"

/* Where a pixel of a view takes its grey and its colour from. */
typedef struct Tap {
  int32_t grey;   ///< beam * GREY_DEPTHS + depth; -1: outside the sector
  int32_t colour; ///< beam * COLOUR_DEPTHS + depth; -1: outside the box
  uint8_t grey_beam, grey_depth;     ///< shares of the next one, of 256
  uint8_t colour_beam, colour_depth; ///< likewise
} Tap;

struct EchoPhantom {
  EchoSettings settings;
  Textures textures;
  GreyPlan grey_plan;
  ColourMap map;
  float ecg[ECG_TABLE];

  /* of the view drawn last */
  Raster raster;
  size_t room; ///< pixels that taps and still have memory for
  Tap *taps;
  uint8_t *still; ///< rgba

  uint8_t *large; ///< for echo_phantom_instance()
  size_t large_room;

  uint8_t grey[GREY_BEAMS][GREY_DEPTHS];
  ColourPixel colour[COLOUR_BEAMS][COLOUR_DEPTHS];
};

EchoPhantom *
echo_phantom_new (const EchoSettings *settings)
{
  EchoPhantom *p = calloc (1, sizeof *p);
  if (p == NULL)
    return NULL;
  p->settings = *settings;
  echo_settings_clamp (&p->settings);
  if (!textures_make (&p->textures, p->settings.seed)) {
    free (p);
    return NULL;
  }
  grey_plan (&p->settings, &p->grey_plan);
  colour_map_make (&p->settings, &p->map);
  screen_make_ecg (&p->settings, p->ecg);
  return p;
}

void
echo_phantom_free (EchoPhantom **phantom)
{
  if (*phantom == NULL)
    return;
  free ((*phantom)->taps);
  free ((*phantom)->still);
  free ((*phantom)->large);
  free (*phantom);
  *phantom = NULL;
}

/* ---- views ------------------------------------------------------------- */

/* Splits a place on a grid into a cell and 256ths of the way to the next. */
static bool
split (double place, int count, int *cell, uint8_t *share)
{
  if (!(place >= 0) || place > count - 1)
    return false;
  *cell = place >= count - 1 ? count - 2 : (int) place;
  double rest = (place - *cell) * 256;
  *share = (uint8_t) (rest > 255 ? 255 : rest);
  return true;
}

static Tap
make_tap (
    const EchoSettings *s, const GreyPlan *plan, double angle, double depth)
{
  Tap tap = { -1, -1, 0, 0, 0, 0 };
  int beam, sample;

  if (split ((angle + s->sector) / plan->angle_step, GREY_BEAMS, &beam,
          &tap.grey_beam)
      && split ((depth - GREY_FIRST) / plan->step, GREY_DEPTHS, &sample,
          &tap.grey_depth))
    tap.grey = beam * GREY_DEPTHS + sample;
  double across = (angle - s->box_left) / (s->box_right - s->box_left);
  double along = (depth - s->box_top) / (s->box_bottom - s->box_top);
  if (tap.grey >= 0
      && split (
          across * (COLOUR_BEAMS - 1), COLOUR_BEAMS, &beam, &tap.colour_beam)
      && split (along * (COLOUR_DEPTHS - 1), COLOUR_DEPTHS, &sample,
          &tap.colour_depth))
    tap.colour = beam * COLOUR_DEPTHS + sample;
  return tap;
}

static bool
same_raster (const Raster *a, const Raster *b)
{
  return a->width == b->width && a->height == b->height
         && a->view.x == b->view.x && a->view.y == b->view.y
         && a->view.width == b->view.width && a->view.height == b->view.height;
}

/* Tables for a view; kept while it stays. */
static bool
set_view (EchoPhantom *p, EchoView view, int width, int height)
{
  Raster raster = { view, width, height };
  size_t count = (size_t) width * height;

  if (p->taps && same_raster (&raster, &p->raster))
    return true;
  if (count > p->room) {
    free (p->taps);
    free (p->still);
    p->taps = malloc (count * sizeof *p->taps);
    p->still = malloc (4 * count);
    p->room = p->taps && p->still ? count : 0;
    if (p->room == 0) {
      free (p->taps);
      free (p->still);
      p->taps = NULL;
      p->still = NULL;
      return false;
    }
  }
  p->raster = raster;
  SectorPlace place = screen_sector (&p->settings);
  for (int y = 0; y < height; y++) {
    double down =
        (view.y + (y + 0.5) * view.height / height - place.y) / place.per_cm;
    for (int x = 0; x < width; x++) {
      double right =
          (view.x + (x + 0.5) * view.width / width - place.x) / place.per_cm;
      p->taps[(size_t) y * width + x] = make_tap (&p->settings, &p->grey_plan,
          atan2 (right, down), hypot (right, down));
    }
  }
  memset (p->still, 0, 4 * count);
  screen_draw_still (&p->settings, &p->map, &raster, p->still);
  return true;
}

/* ---- drawing ----------------------------------------------------------- */

static inline int
blend4 (int a, int b, int c, int d, int across, int along)
{
  int left = a * (256 - along) + b * along;
  int right = c * (256 - along) + d * along;
  return (left * (256 - across) + right * across + 32768) >> 16;
}

static uint8_t
tap_grey (const EchoPhantom *p, const Tap *tap)
{
  const uint8_t *g = &p->grey[0][0] + tap->grey;
  return (uint8_t) blend4 (g[0], g[1], g[GREY_DEPTHS], g[GREY_DEPTHS + 1],
      tap->grey_beam, tap->grey_depth);
}

/* A colour is mixed from those of the four cells that hold one. */
static bool
tap_colour (const EchoPhantom *p, const Tap *tap, uint8_t rgb[3])
{
  const ColourPixel *c = &p->colour[0][0] + tap->colour;
  const ColourPixel cell[4] = { c[0], c[1], c[COLOUR_DEPTHS],
    c[COLOUR_DEPTHS + 1] };
  int x = tap->colour_beam, y = tap->colour_depth;
  int weight[4] = { (256 - x) * (256 - y), (256 - x) * y, x * (256 - y),
    x * y };
  int sum = 0, r = 0, g = 0, b = 0;

  for (int k = 0; k < 4; k++) {
    int w = cell[k].a ? weight[k] : 0;
    sum += w;
    r += w * cell[k].r;
    g += w * cell[k].g;
    b += w * cell[k].b;
  }
  if (sum < 32768)
    return false;
  rgb[0] = (uint8_t) (r / sum);
  rgb[1] = (uint8_t) (g / sum);
  rgb[2] = (uint8_t) (b / sum);
  return true;
}

static void
draw_beams (EchoPhantom *p, double t, bool grey)
{
  Heart heart;
  Flow flow;

  heart_at (&p->settings, t, &heart);
  flow_at (&p->settings, &heart, &flow);
  if (grey)
    grey_draw (&p->settings, &p->grey_plan, &p->textures, &heart, p->grey);
  if (p->settings.colour)
    colour_draw (&p->settings, &p->textures, &p->map, &heart, &flow, p->colour);
}

/* Tissue that is bright hides flow: the machine's colour priority. */
#define COLOUR_PRIORITY 150

void
echo_phantom_render (EchoPhantom *p, double t, EchoView view, int width,
    int height, uint8_t *rgb, ptrdiff_t stride)
{
  if (!set_view (p, view, width, height)) {
    for (int y = 0; y < height; y++)
      memset (rgb + y * stride, 0, 3 * (size_t) width);
    return;
  }
  draw_beams (p, t, true);
  for (int y = 0; y < height; y++) {
    const Tap *tap = p->taps + (size_t) y * width;
    const uint8_t *still = p->still + 4 * (size_t) y * width;
    uint8_t *out = rgb + y * stride;
    for (int x = 0; x < width; x++, tap++, still += 4, out += 3) {
      uint8_t grey = tap->grey >= 0 ? tap_grey (p, tap) : 0;
      if (!(p->settings.colour && tap->colour >= 0 && grey < COLOUR_PRIORITY
              && tap_colour (p, tap, out)))
        out[0] = out[1] = out[2] = grey;
      if (still[3])
        for (int k = 0; k < 3; k++)
          out[k] = (uint8_t) (out[k] + (still[k] - out[k]) * still[3] / 255);
    }
  }
  screen_draw_ecg (&p->settings, p->ecg, &p->raster, t, rgb, stride);
}

void
echo_phantom_render_flow (EchoPhantom *p, double t, EchoView view, int width,
    int height, uint8_t *rgba, ptrdiff_t stride)
{
  bool ready = set_view (p, view, width, height);

  if (ready)
    draw_beams (p, t, false);
  for (int y = 0; y < height; y++) {
    uint8_t *out = rgba + y * stride;
    memset (out, 0, 4 * (size_t) width);
    if (!ready || !p->settings.colour)
      continue;
    const Tap *tap = p->taps + (size_t) y * width;
    for (int x = 0; x < width; x++, tap++, out += 4)
      if (tap->colour >= 0 && tap_colour (p, tap, out))
        out[3] = 255;
  }
}

/* ---- truth ------------------------------------------------------------- */

typedef struct Bounds {
  double x0, y0, x1, y1;
} Bounds;

static void
include (const EchoSettings *s, double u, double v, Bounds *b)
{
  SectorPlace place = screen_sector (s);
  double x, y;
  heart_to_body (s, u, v, &x, &y);
  x = place.x + x * place.per_cm;
  y = place.y + y * place.per_cm;
  b->x0 = fmin (b->x0, x);
  b->x1 = fmax (b->x1, x);
  b->y0 = fmin (b->y0, y);
  b->y1 = fmax (b->y1, y);
}

static void
include_chambers (const EchoSettings *s, const Heart *h, Bounds *b)
{
  const Ellipse lv = { 0, h->lv_middle, h->lv_a, h->lv_middle };
  const Ellipse *all[] = { &lv, &h->la, &h->ra, &h->rv };

  for (int k = 0; k < 4; k++)
    for (int i = 0; i < 64; i++) {
      double angle = i * M_PI / 32;
      double u = all[k]->u + all[k]->a * cos (angle);
      double v = all[k]->v + all[k]->b * sin (angle);
      if (all[k] == &h->rv)
        u = fmin (u, -h->lv_a);
      include (s, u, v, b);
    }
}

EchoView
echo_phantom_roi (const EchoPhantom *p)
{
  Bounds b = { 1e9, 1e9, -1e9, -1e9 };
  for (int c = 0; c <= 1; c++) {
    Heart heart;
    heart_shape (&p->settings, (float) c, &heart);
    include_chambers (&p->settings, &heart, &b);
  }
  b.x0 = fmax (0, b.x0);
  b.y0 = fmax (0, b.y0);
  b.x1 = fmin (ECHO_SCREEN_WIDTH, b.x1);
  b.y1 = fmin (ECHO_SCREEN_HEIGHT, b.y1);
  return (EchoView){ b.x0, b.y0, b.x1 - b.x0, b.y1 - b.y0 };
}

EchoView
echo_phantom_square (const EchoPhantom *p)
{
  EchoView roi = echo_phantom_roi (p);
  double side = fmax (roi.width, roi.height);
  double x = roi.x + roi.width / 2 - side / 2,
         y = roi.y + roi.height / 2 - side / 2;
  x = fmax (0, fmin (x, ECHO_SCREEN_WIDTH - side));
  y = fmax (0, fmin (y, ECHO_SCREEN_HEIGHT - side));
  return (EchoView){ x, y, side, side };
}

EchoMoment
echo_phantom_moment (const EchoPhantom *p, double t)
{
  const EchoSettings *s = &p->settings;
  SectorPlace place = screen_sector (s);
  EchoMoment m = { 0 };
  Heart h;

  heart_at (s, t, &h);
  m.beat = h.beat;
  m.phase = h.phase;
  m.systole = h.systole <= 1;
  m.jet_area = flow_jet_area (s, &h);
  for (int k = 0; k < 2; k++) {
    heart_to_body (s, h.annulus[k], h.base, &m.annulus[k][0], &m.annulus[k][1]);
    m.annulus[k][0] = place.x + place.per_cm * m.annulus[k][0];
    m.annulus[k][1] = place.y + place.per_cm * m.annulus[k][1];
  }
  heart_to_body (s, h.la.u, h.la.v, &m.atrium[0], &m.atrium[1]);
  m.atrium[0] = place.x + place.per_cm * m.atrium[0];
  m.atrium[1] = place.y + place.per_cm * m.atrium[1];
  return m;
}

enum { SUBCELLS = 3 };

typedef struct MaskPlace {
  double u0, v0, du_x, dv_x, du_y, dv_y; ///< heart coordinates of a view
} MaskPlace;

/* Heart coordinates are an affine map of the view's. */
static MaskPlace
mask_place (const EchoSettings *s, EchoView view, int width, int height)
{
  SectorPlace place = screen_sector (s);
  double c = cos (s->tilt) / s->scale, n = sin (s->tilt) / s->scale;
  double x = (view.x - place.x) / place.per_cm - s->heart_x;
  double y = (view.y - place.y) / place.per_cm - s->heart_y;
  double dx = view.width / width / place.per_cm / SUBCELLS;
  double dy = view.height / height / place.per_cm / SUBCELLS;
  return (MaskPlace){ x * c + y * n, -x * n + y * c, dx * c, -dx * n, dy * n,
    dy * c };
}

static bool
in_jets (const Flow *flow, int jets, float u, float v)
{
  for (int j = 0; j < jets; j++)
    if (jet_offset (&flow->jet[j], u, v, NULL) <= 1.0f)
      return true;
  return false;
}

double
echo_phantom_masks (EchoPhantom *p, double t, EchoView view, int width,
    int height, uint8_t *jet, uint8_t *atrium)
{
  MaskPlace m = mask_place (&p->settings, view, width, height);
  Heart h;
  Flow flow;

  heart_at (&p->settings, t, &h);
  flow_at (&p->settings, &h, &flow);
  for (int cell = 0; cell < width * height; cell++) {
    int x = cell % width * SUBCELLS, y = cell / width * SUBCELLS;
    int jet_count = 0, atrium_count = 0;
    for (int k = 0; k < SUBCELLS * SUBCELLS; k++) {
      double i = x + k % SUBCELLS + 0.5, j = y + k / SUBCELLS + 0.5;
      float u = (float) (m.u0 + i * m.du_x + j * m.du_y);
      float v = (float) (m.v0 + i * m.dv_x + j * m.dv_y);
      jet_count += jet && in_jets (&flow, p->settings.jets, u, v);
      atrium_count +=
          atrium && v > h.base && ellipse_distance (&h.la, u, v) < 0;
    }
    if (jet)
      jet[cell] = (uint8_t) (jet_count * 255 / (SUBCELLS * SUBCELLS));
    if (atrium)
      atrium[cell] = (uint8_t) (atrium_count * 255 / (SUBCELLS * SUBCELLS));
  }
  return flow_jet_area (&p->settings, &h);
}

/* ---- instances for training -------------------------------------------- */

/* One row of a picture of half the width: 1 3 3 1 over each four columns. The
 * outermost tap of the first and last pixel is left out; sums are of 8. */
static void
halve_row (const uint8_t *large, int side, uint16_t *sums)
{
  const uint8_t *in = large;
  for (int x = 0; x < side; x++, in += 6)
    for (int k = 0; k < 3; k++)
      sums[3 * x + k] =
          (uint16_t) ((x > 0 ? in[k - 3] : 0) + 3 * in[k] + 3 * in[k + 3]
                      + (x + 1 < side ? in[k + 6] : 0));
}

/* Halves a picture with the triangle filter of an antialiased bilinear resize.
 * @param sums room for 2 side rows */
static void
halve (const uint8_t *large, int side, uint16_t *sums, uint8_t *small)
{
  const int row = 3 * side;

  for (int y = 0; y < 2 * side; y++)
    halve_row (large + (size_t) y * 2 * row, side, sums + (size_t) y * row);
  for (int y = 0; y < side; y++) {
    const uint16_t *in = sums + (size_t) 2 * y * row;
    bool top = y > 0, low = y + 1 < side;
    int rows = 6 + top + low;
    for (int i = 0; i < row; i++) {
      int columns = i < 3 || i >= row - 3 ? 7 : 8, weight = rows * columns;
      int sum = (top ? in[i - row] : 0) + 3 * in[i] + 3 * in[i + row]
                + (low ? in[i + 2 * row] : 0);
      small[(size_t) y * row + i] = (uint8_t) ((sum + weight / 2) / weight);
    }
  }
}

void
echo_phantom_instance (EchoPhantom *p, int k, int frames, EchoView view,
    int side, uint8_t *rgb, int cells, uint8_t *jet, uint8_t *atrium,
    float *area)
{
  size_t need = (12 + 12) * (size_t) side * side; /* the picture, its sums */
  double *times = malloc (frames * sizeof *times);

  if (need > p->large_room) {
    free (p->large);
    p->large = malloc (need);
    p->large_room = p->large ? need : 0;
  }
  if (times && p->large) {
    echo_instance_times (&p->settings, k, frames, times);
    for (int j = 0; j < frames; j++) {
      size_t mask = (size_t) j * cells * cells;
      echo_phantom_render (p, times[j], view, 2 * side, 2 * side, p->large,
          6 * (ptrdiff_t) side);
      halve (p->large, side,
          (uint16_t *) (p->large + 12 * (size_t) side * side),
          rgb + 3 * (size_t) j * side * side);
      double share = 0;
      if (cells > 0)
        share = echo_phantom_masks (p, times[j], view, cells, cells,
            jet ? jet + mask : NULL, atrium ? atrium + mask : NULL);
      if (area)
        area[j] = (float) share;
    }
  }
  free (times);
}
