/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The network's activation over the picture: two thin contours, and on request
 * a faint veil. Colour Doppler below must stay readable. */
#include "contour.h"
#include "isoline.h"

#include <math.h>

/* Share of the crop that the contours may cover. */
#define MOST_COVER 0.028
/* The veil is clear below this share of the peak and full above the next. */
#define VEIL_FROM 0.15
#define VEIL_FULL 0.5
#define LEAST_PEN 1.3 /* pixels */

/* The crop's part inside the picture, in whole pixels. */
static bool
visible_part (const CardiacMRegView *v, int *x, int *y, int *w, int *h)
{
  double left = fmax (ceil (v->crop.x), 0.0);
  double top = fmax (ceil (v->crop.y), 0.0);
  double right = fmin (floor (v->crop.x + v->crop.width), v->picture_width);
  double bottom = fmin (floor (v->crop.y + v->crop.height), v->picture_height);
  if (right - left < 8.0 || bottom - top < 8.0)
    return false;
  *x = (int) left;
  *y = (int) top;
  *w = (int) (right - left);
  *h = (int) (bottom - top);
  return true;
}

static int
fine_nodes (double pixels, int cells)
{
  return CLAMP ((int) (pixels / 3.0), MIN (4 * cells, 256), 256) + 1;
}

static void
map_key (const CardiacMRegView *v, Key *key)
{
  key_int (key, v->picture_width);
  key_int (key, v->picture_height);
  key_int (key, v->map_rows);
  key_int (key, v->map_cols);
  key_bytes (key, v->map,
      sizeof (float) * (size_t) v->map_rows * (size_t) v->map_cols);
  key_double (key, v->map_peak);
  key_bytes (key, &v->crop, sizeof v->crop);
  key_bytes (key, v->no_draw, sizeof (Box) * (size_t) v->n_no_draw);
}

/* Everything below stays off these places: colour bar, ECG, text. */
static void
clip_no_draw (
    cairo_t *cr, const CardiacMRegView *v, double width, double height)
{
  for (int i = 0; i < v->n_no_draw; i++) {
    Box b = v->no_draw[i];
    double left = floor (b.x), top = floor (b.y);
    cairo_rectangle (cr, 0, 0, width, height);
    cairo_rectangle (cr, left, top, ceil (b.x + b.width) - left,
        ceil (b.y + b.height) - top);
    cairo_set_fill_rule (cr, CAIRO_FILL_RULE_EVEN_ODD);
    cairo_clip (cr);
  }
  cairo_set_fill_rule (cr, CAIRO_FILL_RULE_WINDING);
}

typedef struct Pens {
  double outer, inner; ///< magenta, pixels
  double casing;       ///< black, at each side
} Pens;

/* 2 px at a crop of 480 px and above; thinner in a small picture, but not so
 * thin that antialiasing washes the colour out. */
static Pens
pens_for (const CardiacMRegView *v)
{
  double outer = fmin (fmax (v->crop.width / 240.0, LEAST_PEN), 2.0);
  return (Pens){ outer, 1.6 * outer, 0.5 * outer };
}

static double
covered (const Pens *pens, double outer_length, double inner_length)
{
  return outer_length * (pens->outer + 2.0 * pens->casing)
         + inner_length * (pens->inner + 2.0 * pens->casing);
}

typedef struct Lines {
  cairo_path_t *outer, *inner;
  double outer_length, inner_length;
} Lines;

static Lines
find_lines (
    const Field *field, const CardiacMRegView *v, double peak, cairo_t *cr)
{
  Lines lines;
  const Box *b = &v->crop;
  lines.outer_length = field_isoline (field, CARDIAC_OVERLAY_OUTER_LEVEL * peak,
      cr, b->x, b->y, b->width, b->height);
  lines.outer = cairo_copy_path (cr);
  cairo_new_path (cr);
  lines.inner_length = field_isoline (field, CARDIAC_OVERLAY_INNER_LEVEL * peak,
      cr, b->x, b->y, b->width, b->height);
  lines.inner = cairo_copy_path (cr);
  cairo_new_path (cr);
  return lines;
}

static void
stroke (cairo_t *cr, const cairo_path_t *path, double width, double casing)
{
  cairo_append_path (cr, path);
  set_ink (cr, INK_CASING, 1.0);
  cairo_set_line_width (cr, width + 2.0 * casing);
  cairo_stroke_preserve (cr);
  set_ink (cr, INK_ACCENT, 1.0);
  cairo_set_line_width (cr, width);
  cairo_stroke (cr);
}

/* A restless map would bury the picture below its lines: thinner pens first,
 * then the inner contour alone. */
static void
stroke_lines (cairo_t *cr, const Lines *lines, Pens pens, double area)
{
  double outer_length = lines->outer_length;
  double most = MOST_COVER * area;
  double least = 1.0 / pens.outer; /* below that only for a crowd */
  double factor =
      most / fmax (covered (&pens, outer_length, lines->inner_length), 1.0);
  factor = fmin (fmax (factor, least), 1.0);
  pens =
      (Pens){ pens.outer * factor, pens.inner * factor, pens.casing * factor };
  if (covered (&pens, outer_length, lines->inner_length) > most)
    outer_length = 0.0;
  if (outer_length > 0.0)
    stroke (cr, lines->outer, pens.outer, pens.casing);
  stroke (cr, lines->inner, pens.inner, pens.casing);
}

/* The smallest box of the crop that holds both lines, so that little is
 * blended. */
static bool
trim (cairo_t *cr, const Lines *lines, double margin, int *x, int *y, int *w,
    int *h)
{
  double x1, y1, x2, y2;
  cairo_append_path (cr, lines->outer);
  cairo_append_path (cr, lines->inner);
  cairo_path_extents (cr, &x1, &y1, &x2, &y2);
  cairo_new_path (cr);
  int left = MAX (*x, (int) floor (x1 - margin));
  int top = MAX (*y, (int) floor (y1 - margin));
  int right = MIN (*x + *w, (int) ceil (x2 + margin));
  int bottom = MIN (*y + *h, (int) ceil (y2 + margin));
  if (lines->outer_length + lines->inner_length <= 0.0 || right - left < 1
      || bottom - top < 1)
    return false;
  *x = left;
  *y = top;
  *w = right - left;
  *h = bottom - top;
  return true;
}

static double
peak_of (const CardiacMRegView *v)
{
  double peak = 0.0;
  if (v->map_peak > 0.0 && isfinite (v->map_peak))
    return v->map_peak;
  for (int i = 0; i < v->map_rows * v->map_cols; i++)
    if (isfinite (v->map[i]))
      peak = fmax (peak, v->map[i]);
  return peak;
}

static void
draw_lines (Piece *piece, const Field *field, const CardiacMRegView *v,
    const Key *key, PieceCounter *counter, const int place[4])
{
  int x = place[0], y = place[1], w = place[2], h = place[3];
  double area = (double) w * h;
  cairo_surface_t *none = cairo_image_surface_create (CAIRO_FORMAT_A1, 1, 1);
  cairo_t *ruler = cairo_create (none);
  Lines lines = find_lines (field, v, peak_of (v), ruler);
  if (!trim (ruler, &lines, 4.0, &x, &y, &w, &h)) {
    piece_set_empty (piece, key);
  } else {
    cairo_t *cr = piece_begin (piece, key, w, h, counter);
    cairo_translate (cr, -x, -y);
    clip_no_draw (cr, v, v->picture_width, v->picture_height);
    cairo_set_line_join (cr, CAIRO_LINE_JOIN_ROUND);
    cairo_set_line_cap (cr, CAIRO_LINE_CAP_ROUND);
    stroke_lines (cr, &lines, pens_for (v), area);
    piece_end (piece, cr);
    piece->x = x;
    piece->y = y;
  }
  cairo_path_destroy (lines.outer);
  cairo_path_destroy (lines.inner);
  cairo_destroy (ruler);
  cairo_surface_destroy (none);
}

/* Premultiplied viridis, of the field's own resolution. */
static cairo_surface_t *
veil (const Field *field, double peak, double alpha)
{
  cairo_surface_t *surface = cairo_image_surface_create (
      CAIRO_FORMAT_ARGB32, field->cols, field->rows);
  if (cairo_surface_status (surface))
    return surface;
  int stride = cairo_image_surface_get_stride (surface);
  unsigned char *data = cairo_image_surface_get_data (surface);
  for (int r = 0; r < field->rows; r++) {
    uint32_t *row = (uint32_t *) (void *) (data + (gsize) r * stride);
    for (int c = 0; c < field->cols; c++) {
      double t = field->values[r * field->cols + c] / peak, rgb[3];
      double s = (t - VEIL_FROM) / (VEIL_FULL - VEIL_FROM);
      s = fmin (fmax (s, 0.0), 1.0);
      double a = alpha * s * s * (3.0 - 2.0 * s);
      cardiac_overlay_viridis (t, rgb);
      row[c] = (uint32_t) (a * 255.0) << 24
               | (uint32_t) (a * rgb[0] * 255.0) << 16
               | (uint32_t) (a * rgb[1] * 255.0) << 8
               | (uint32_t) (a * rgb[2] * 255.0);
    }
  }
  cairo_surface_mark_dirty (surface);
  return surface;
}

static void
draw_veil (Piece *piece, const Field *field, const CardiacMRegView *v,
    const Key *key, PieceCounter *counter, const int place[4])
{
  double peak = peak_of (v);
  if (peak <= 0.0) {
    piece_set_empty (piece, key);
    return;
  }
  cairo_t *cr = piece_begin (piece, key, place[2], place[3], counter);
  cairo_surface_t *colours = veil (field, peak, v->fill_alpha);
  cairo_translate (cr, -place[0], -place[1]);
  clip_no_draw (cr, v, v->picture_width, v->picture_height);
  cairo_translate (cr, v->crop.x, v->crop.y);
  /* Node 0 lies on the edge, so half a node sticks out at either side. */
  cairo_scale (cr, v->crop.width / (field->cols - 1),
      v->crop.height / (field->rows - 1));
  cairo_set_source_surface (cr, colours, -0.5, -0.5);
  cairo_pattern_set_filter (cairo_get_source (cr), CAIRO_FILTER_BILINEAR);
  cairo_pattern_set_extend (cairo_get_source (cr), CAIRO_EXTEND_PAD);
  cairo_paint (cr);
  cairo_surface_destroy (colours);
  piece_end (piece, cr);
  piece->x = place[0];
  piece->y = place[1];
}

void
contour_draw (Piece *fill, Piece *contour, const View *view, Key *key,
    PieceCounter *counter)
{
  const CardiacMRegView *v = &view->v;
  int place[4];
  bool shown = view->has_finding && !v->hide_marks && v->map
               && v->map_mode != CARDIAC_OVERLAY_MAP_OFF
               && visible_part (v, &place[0], &place[1], &place[2], &place[3]);
  if (!shown) {
    piece_clear (fill);
    piece_clear (contour);
    return;
  }
  Field field = { 0 };
  key_begin (key, "contour");
  map_key (v, key);
  bool lines_old = !piece_is_current (contour, key);
  if (lines_old) {
    field_from_map (&field, v->map, v->map_rows, v->map_cols,
        fine_nodes (v->crop.height, v->map_rows),
        fine_nodes (v->crop.width, v->map_cols));
    draw_lines (contour, &field, v, key, counter, place);
  }
  if (v->map_mode != CARDIAC_OVERLAY_MAP_FILL || v->fill_alpha <= 0.0) {
    piece_clear (fill);
  } else {
    key_double (key, v->fill_alpha);
    if (!piece_is_current (fill, key)) {
      if (!field.values)
        field_from_map (&field, v->map, v->map_rows, v->map_cols,
            fine_nodes (v->crop.height, v->map_rows),
            fine_nodes (v->crop.width, v->map_cols));
      draw_veil (fill, &field, v, key, counter, place);
    }
  }
  field_clear (&field);
}
