/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "screen.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "common/random.h"
#include "font.h"

typedef struct Ink {
  uint8_t rgb[3];
} Ink;

static const Ink white = { { 215, 215, 215 } }, dim = { { 130, 130, 135 } },
                 cyan = { { 130, 225, 235 } }, green = { { 20, 150, 50 } },
                 blue = { { 80, 190, 250 } }, yellow = { { 225, 205, 90 } };

static const Ink *const ecg_ink[ECHO_LAYOUTS] = { &cyan, &green, &yellow };

/* ---- drawing on a part of the screen ----------------------------------- */

static double
scale_x (const Raster *r)
{
  return r->width / r->view.width;
}

static double
scale_y (const Raster *r)
{
  return r->height / r->view.height;
}

/* Lays ink over a pixel, covering `share` of it. */
static void
dot (const Raster *r, uint8_t *rgba, int x, int y, Ink ink, double share)
{
  if (x < 0 || y < 0 || x >= r->width || y >= r->height || share <= 0)
    return;
  uint8_t *p = rgba + 4 * ((size_t) y * r->width + x);
  int alpha = (int) (255 * fmin (1, share));
  if (alpha < p[3])
    return;
  memcpy (p, ink.rgb, 3);
  p[3] = (uint8_t) alpha;
}

/* Length of the part of [low, high] in pixel i. */
static double
covered (double low, double high, int i)
{
  return fmax (0, fmin (high, i + 1) - fmax (low, i));
}

/* A rectangle of screen pixels, its edges antialiased. */
static void
box (const Raster *r, uint8_t *rgba, double x0, double y0, double x1, double y1,
    Ink ink)
{
  x0 = (x0 - r->view.x) * scale_x (r);
  x1 = (x1 - r->view.x) * scale_x (r);
  y0 = (y0 - r->view.y) * scale_y (r);
  y1 = (y1 - r->view.y) * scale_y (r);
  int left = (int) fmax (0, floor (x0)),
      right = (int) fmin (r->width, ceil (x1));
  int top = (int) fmax (0, floor (y0)), low = (int) fmin (r->height, ceil (y1));
  for (int y = top; y < low; y++)
    for (int x = left; x < right; x++)
      dot (r, rgba, x, y, ink, covered (x0, x1, x) * covered (y0, y1, y));
}

static void
line (const Raster *r, uint8_t *rgba, double x0, double y0, double x1,
    double y1, double thick, Ink ink)
{
  double length = hypot (x1 - x0, y1 - y0);
  int steps = (int) ceil (length * fmax (scale_x (r), scale_y (r)) * 1.5) + 1;
  for (int i = 0; i <= steps; i++) {
    double x = x0 + (x1 - x0) * i / steps, y = y0 + (y1 - y0) * i / steps;
    box (r, rgba, x - thick / 2, y - thick / 2, x + thick / 2, y + thick / 2,
        ink);
  }
}

static void
text (const Raster *r, uint8_t *rgba, double x, double y, double size, Ink ink,
    const char *letters)
{
  for (; *letters; letters++, x += 6 * size)
    for (int row = 0; row < 7; row++)
      for (int column = 0; column < 5; column++)
        if (font_dot (*letters, column, row))
          box (r, rgba, x + column * size, y + row * size,
              x + (column + 1) * size, y + (row + 1) * size, ink);
}

/* ---- the sector and its surroundings ----------------------------------- */

SectorPlace
screen_sector (const EchoSettings *s)
{
  static const double x[ECHO_LAYOUTS] = { 300, 316, 330 };
  static const double y[ECHO_LAYOUTS] = { 42, 18, 30 };
  static const double height[ECHO_LAYOUTS] = { 372, 392, 396 };
  return (
      SectorPlace){ x[s->layout], y[s->layout], height[s->layout] / s->depth };
}

static void
at (const SectorPlace *p, double angle, double depth, double *x, double *y)
{
  *x = p->x + depth * p->per_cm * sin (angle);
  *y = p->y + depth * p->per_cm * cos (angle);
}

static void
draw_depth_marks (const EchoSettings *s, const Raster *r, uint8_t *rgba)
{
  SectorPlace p = screen_sector (s);
  Ink ink = s->layout == 1 ? blue : white;
  for (int cm = 0; cm <= (int) s->depth; cm++) {
    double x, y, size = cm % 5 ? 1.1 : 1.9;
    at (&p, s->sector + 0.05, cm, &x, &y);
    box (r, rgba, x - size, y - size, x + size, y + size, ink);
    if (s->layout == 0) {
      at (&p, -s->sector - 0.05, cm, &x, &y);
      box (r, rgba, x - size, y - size, x + size, y + size, ink);
    }
  }
}

static void
draw_box_outline (const EchoSettings *s, const Raster *r, uint8_t *rgba)
{
  SectorPlace p = screen_sector (s);
  Ink ink = s->layout == 1 ? blue : s->layout == 2 ? white : yellow;
  double thick = s->layout == 1 ? 1.8 : 1.2, x0, y0, x1, y1;
  const int steps = 24;

  for (int side = 0; side < 2; side++) {
    double angle = side ? s->box_right : s->box_left;
    at (&p, angle, s->box_top, &x0, &y0);
    at (&p, angle, s->box_bottom, &x1, &y1);
    line (r, rgba, x0, y0, x1, y1, thick, ink);
    double depth = side ? s->box_top : s->box_bottom;
    for (int i = 0; i < steps; i++) {
      double width = s->box_right - s->box_left;
      at (&p, s->box_left + width * i / steps, depth, &x0, &y0);
      at (&p, s->box_left + width * (i + 1) / steps, depth, &x1, &y1);
      line (r, rgba, x0, y0, x1, y1, thick, ink);
    }
  }
}

static void
draw_grey_bar (
    const Raster *r, uint8_t *rgba, double x, double y, double height)
{
  const int steps = 16;
  for (int i = 0; i < steps; i++) {
    uint8_t grey = (uint8_t) (255 - 15 * i);
    box (r, rgba, x, y + height * i / steps, x + 11,
        y + height * (i + 1) / steps, (Ink){ { grey, grey, grey } });
  }
}

static void
draw_colour_bar (const EchoSettings *s, const ColourMap *map, const Raster *r,
    uint8_t *rgba, double x, double y, double height)
{
  char limit[16];

  for (int i = 0; i < COLOUR_MAP; i++)
    for (int half = 0; half < 2; half++) {
      const uint8_t *c = map->rgb[s->variance ? half : 0][COLOUR_MAP - 1 - i];
      double top = y + height * i / COLOUR_MAP;
      /* overlapping, so that no seam shows */
      box (r, rgba, x + 9 * half, top, x + 9 * (half + 1),
          top + 2 * height / COLOUR_MAP, (Ink){ { c[0], c[1], c[2] } });
    }
  snprintf (limit, sizeof limit, "%.0f", s->nyquist * 100);
  text (r, rgba, x - 2, y - 14, 1.5, white, limit);
  text (r, rgba, x - 2, y + height + 4, 1.5, white, limit);
  text (r, rgba, x - 6, y + height + 20, 1.2, dim, "CM/S");
}

static void
write_lines (const Raster *r, uint8_t *rgba, double x, double y, double size,
    double step, Ink ink, const char *const *lines)
{
  for (; *lines; lines++, y += step)
    text (r, rgba, x, y, size, ink, *lines);
}

typedef struct Writing {
  char rate[24], depth[24], beats[24], gain[24], filter[24], date[24];
} Writing;

static Writing
make_writing (const EchoSettings *s)
{
  Writing w;
  PhantomRandom r = phantom_random_new (s->seed, 4);
  snprintf (w.rate, sizeof w.rate, "%.0fHZ", s->frame_rate);
  snprintf (w.depth, sizeof w.depth, "%.0fCM", s->depth);
  snprintf (w.beats, sizeof w.beats, "%.0f BPM", s->heart_rate);
  snprintf (w.gain, sizeof w.gain, "GAIN %.0f", s->colour_gain * 62);
  snprintf (
      w.filter, sizeof w.filter, "WF %d", 40 + phantom_random_below (&r, 60));
  int hour = phantom_random_below (&r, 24);
  int minute = phantom_random_below (&r, 60),
      second = phantom_random_below (&r, 60);
  snprintf (w.date, sizeof w.date, "%02d:%02d:%02d", hour, minute, second);
  return w;
}

static void
draw_layout (
    const EchoSettings *s, const ColourMap *map, const Raster *r, uint8_t *rgba)
{
  Writing w = make_writing (s);

  if (s->layout == 0) {
    const char *const right[] = { "PHANTOM 4V", w.depth, w.rate, w.gain,
      w.filter, w.beats, NULL };
    write_lines (r, rgba, 520, 52, 1.5, 17, white, right);
    draw_grey_bar (r, rgba, 6, 52, 180);
    draw_colour_bar (s, map, r, rgba, 560, 190, 96);
    box (r, rgba, 0, 462, 640, 480, (Ink){ { 42, 44, 62 } });
    text (r, rgba, 60, 465, 1.5, dim, "SPEED    NORMAL    RUN/STOP");
  } else if (s->layout == 1) {
    const char *const left[] = { "PHANTOM", "3.5/2.7-L", w.date, "PROC 2/0/E/B",
      "", "ID:", "", w.gain, "COMP 60", w.beats, "", w.depth, w.rate, NULL };
    write_lines (r, rgba, 3, 4, 1.7, 16, white, left);
    draw_colour_bar (s, map, r, rgba, 588, 40, 130);
    draw_grey_bar (r, rgba, 618, 30, 190);
  } else {
    const char *const left[] = { "FR", w.rate, w.depth, "", "2D", "66% C 50",
      "P LOW", "HPEN", "", "CF", w.gain, w.filter, NULL };
    write_lines (r, rgba, 8, 40, 1.3, 13, white, left);
    text (r, rgba, 8, 8, 1.5, yellow, "ADULT ECHO PHANTOM");
    text (r, rgba, 548, 452, 1.6, yellow, w.beats);
    draw_colour_bar (s, map, r, rgba, 604, 56, 110);
  }
}

void
screen_draw_still (
    const EchoSettings *s, const ColourMap *map, const Raster *r, uint8_t *rgba)
{
  draw_layout (s, map, r, rgba);
  draw_depth_marks (s, r, rgba);
  if (s->colour)
    draw_box_outline (s, r, rgba);
}

/* ---- ECG --------------------------------------------------------------- */

static double
hill (double x, double middle, double width)
{
  double d = (x - middle) / width;
  return exp (-d * d);
}

/* P, QRS and T at a phase of the cycle, about -0.2 .. 1. */
static double
ecg (const EchoSettings *s, double phase)
{
  double t_wave = s->systole * 0.8, p = phase;
  double value = 0;
  for (int wrap = -1; wrap <= 1; wrap++, p = phase + wrap)
    value += hill (p, 0, 0.012) - 0.16 * hill (p, -0.025, 0.01)
             - 0.22 * hill (p, 0.028, 0.012) + 0.16 * hill (p, t_wave, 0.05)
             + 0.09 * hill (p, -0.16, 0.028);
  return value;
}

void
screen_make_ecg (const EchoSettings *s, float table[ECG_TABLE])
{
  for (int i = 0; i < ECG_TABLE; i++)
    table[i] = (float) ecg (s, (i + 0.5) / ECG_TABLE);
}

typedef struct EcgPlace {
  double left, right, base, height, span; ///< span: s from left to right
} EcgPlace;

static const EcgPlace ecg_places[ECHO_LAYOUTS] = { { 40, 250, 446, 40, 2.4 },
  { 56, 340, 448, 34, 3.0 }, { 60, 540, 462, 30, 4.0 } };

/* Points a column: the R wave is narrower than a column. */
enum { ECG_PARTS = 5 };

/* The trace is written from left to right, again and again; a gap runs ahead
 * of the newest point. */
void
screen_draw_ecg (const EchoSettings *s, const float *table, const Raster *r,
    double time, uint8_t *rgb, ptrdiff_t stride)
{
  EcgPlace p = ecg_places[s->layout];
  const uint8_t *ink = ecg_ink[s->layout]->rgb;
  double sweep = floor (time / p.span),
         now = p.left + (time / p.span - sweep) * (p.right - p.left);
  int first = (int) fmax (0, ceil ((p.left - r->view.x) * scale_x (r) - 0.5));
  int last = (int) fmin (r->width, (p.right - r->view.x) * scale_x (r) - 0.5);

  for (int x = first; x < last; x++) {
    double screen = r->view.x + (x + 0.5) / scale_x (r);
    double low = 1e9, high = -1e9, thick = fmax (0.7, 0.8 * scale_y (r));
    if (screen > now && screen < now + 14)
      continue;
    for (int part = 0; part <= ECG_PARTS; part++) {
      double place = r->view.x + (x + (double) part / ECG_PARTS) / scale_x (r);
      double t =
          (sweep - (screen > now) + (place - p.left) / (p.right - p.left))
          * p.span;
      double cycles = t * s->heart_rate / 60 + s->phase;
      double value =
          table[(int) ((cycles - floor (cycles)) * ECG_TABLE) % ECG_TABLE];
      double y = (p.base - p.height * value - r->view.y) * scale_y (r);
      low = fmin (low, y);
      high = fmax (high, y);
    }
    for (int i = (int) floor (low - thick); i <= (int) floor (high + thick);
         i++) {
      double share = fmin (1, covered (low - thick, high + thick, i));
      if (i < 0 || i >= r->height)
        continue;
      uint8_t *pixel = rgb + i * stride + 3 * x;
      for (int k = 0; k < 3; k++)
        pixel[k] = (uint8_t) (pixel[k] + (ink[k] - pixel[k]) * share);
    }
  }
}
