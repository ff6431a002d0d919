/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "palette.h"

#include <math.h>

#define RGB(hex)                                                               \
  {                                                                            \
    ((hex) >> 16 & 255) / 255.0, ((hex) >> 8 & 255) / 255.0,                   \
        ((hex) &255) / 255.0                                                   \
  }

Colour
ink (Ink name)
{
  static const Colour inks[INK_N] = {
    [INK_GROUND] = RGB (0x14161B),
    [INK_WELL] = RGB (0x1F2329),
    [INK_TEXT] = RGB (0xFFFFFF),
    [INK_QUIET] = RGB (0xA9B1BC),
    [INK_RULE] = RGB (0x3A4048),
    [INK_ACCENT] = RGB (0xFF4FD8),
    [INK_CAUTION] = RGB (0xF5CB6B),
    [INK_CHIP] = RGB (0x245A86),
    [INK_CHIP_IDLE] = RGB (0x464D57),
    [INK_CASING] = RGB (0x000000),
    [INK_MOTION] = RGB (0x7FD4F7),
  };
  return inks[name];
}

Colour
ink_of_grade (int grade, int n_classes)
{
  static const Colour low = RGB (0x46525F), high = RGB (0x9DB0C4);
  double t = n_classes > 1 ? (double) grade / (n_classes - 1) : 0.0;
  return (Colour){ low.r + t * (high.r - low.r), low.g + t * (high.g - low.g),
    low.b + t * (high.b - low.b) };
}

void
set_ink (cairo_t *cr, Ink name, double alpha)
{
  Colour c = ink (name);
  cairo_set_source_rgba (cr, c.r, c.g, c.b, alpha);
}

void
rounded_box (cairo_t *cr, CardiacOverlayBox b, double r)
{
  const double quarter = 1.57079632679489661923;
  cairo_new_sub_path (cr);
  cairo_arc (cr, b.x + b.width - r, b.y + r, r, -quarter, 0.0);
  cairo_arc (cr, b.x + b.width - r, b.y + b.height - r, r, 0.0, quarter);
  cairo_arc (cr, b.x + r, b.y + b.height - r, r, quarter, 2.0 * quarter);
  cairo_arc (cr, b.x + r, b.y + r, r, 2.0 * quarter, 3.0 * quarter);
  cairo_close_path (cr);
}

void
cardiac_overlay_accent (double rgb[3])
{
  Colour c = ink (INK_ACCENT);
  rgb[0] = c.r;
  rgb[1] = c.g;
  rgb[2] = c.b;
}

/* Van der Walt and Smith's viridis at nine even steps; between them linear,
 * which stays within 0.02 of the original. */
void
cardiac_overlay_viridis (double t, double rgb[3])
{
  static const double steps[9][3] = {
    { 0.267, 0.005, 0.329 },
    { 0.279, 0.175, 0.483 },
    { 0.230, 0.322, 0.546 },
    { 0.173, 0.449, 0.558 },
    { 0.128, 0.567, 0.551 },
    { 0.158, 0.684, 0.502 },
    { 0.369, 0.789, 0.383 },
    { 0.678, 0.864, 0.190 },
    { 0.993, 0.906, 0.144 },
  };
  double at = fmin (fmax (isfinite (t) ? t : 0.0, 0.0), 1.0) * 8.0;
  int i = at >= 8.0 ? 7 : (int) at;
  for (int c = 0; c < 3; c++)
    rgb[c] = steps[i][c] + (at - i) * (steps[i + 1][c] - steps[i][c]);
}
