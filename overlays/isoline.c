/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Marching squares (Lorensen and Cline 1987, in two dimensions). */
#include "isoline.h"

#include <glib.h>
#include <math.h>

static float
cell (const float *map, int rows, int cols, int r, int c)
{
  float value = map[CLAMP (r, 0, rows - 1) * cols + CLAMP (c, 0, cols - 1)];
  return isfinite (value) && value > 0.0f ? value : 0.0f;
}

/* Keys 1981: the four weights at t between the two inner samples. */
static void
catmull_rom (double t, double weights[4])
{
  weights[0] = ((-0.5 * t + 1.0) * t - 0.5) * t;
  weights[1] = (1.5 * t - 2.5) * t * t + 1.0;
  weights[2] = ((-1.5 * t + 2.0) * t + 0.5) * t;
  weights[3] = (0.5 * t - 0.5) * t * t;
}

/* Index of the second of four cells round node i of n, and the weights. */
static int
taps (int i, int n, int cells, double weights[4])
{
  double at = (double) i / (n - 1) * cells - 0.5;
  double base = floor (at);
  catmull_rom (at - base, weights);
  return (int) base;
}

void
field_from_map (Field *field, const float *map, int map_rows, int map_cols,
    int rows, int cols)
{
  *field = (Field){ .rows = rows, .cols = cols };
  field->values = g_new (float, (gsize) rows *cols);
  double *stretched = g_new (double, (gsize) map_rows *cols);
  double w[4];
  for (int c = 0; c < cols; c++) {
    int base = taps (c, cols, map_cols, w);
    for (int r = 0; r < map_rows; r++) {
      double sum = 0.0;
      for (int k = 0; k < 4; k++)
        sum += w[k] * cell (map, map_rows, map_cols, r, base - 1 + k);
      stretched[r * cols + c] = sum;
    }
  }
  for (int r = 0; r < rows; r++) {
    int base = taps (r, rows, map_rows, w);
    for (int c = 0; c < cols; c++) {
      double sum = 0.0;
      for (int k = 0; k < 4; k++)
        sum +=
            w[k] * stretched[CLAMP (base - 1 + k, 0, map_rows - 1) * cols + c];
      float value = (float) fmax (sum, 0.0);
      field->values[r * cols + c] = value;
      field->peak = fmaxf (field->peak, value);
    }
  }
  g_free (stretched);
}

void
field_clear (Field *field)
{
  g_free (field->values);
  *field = (Field){ 0 };
}

/* A crossing lies on an edge of the grid: 2 * node for the edge to the right,
 * 2 * node + 1 for the one below. Each has at most one neighbour in each of
 * the two squares that share the edge. */
typedef struct Tracer {
  const Field *field;
  float level;
  int *next; /* [2 * nodes][2], -1: none */
} Tracer;

static float
at (const Field *field, int r, int c)
{
  return field->values[r * field->cols + c];
}

static void
link_edges (Tracer *tracer, int a, int b)
{
  tracer->next[2 * a + (tracer->next[2 * a] >= 0)] = b;
  tracer->next[2 * b + (tracer->next[2 * b] >= 0)] = a;
}

static void
link_square (Tracer *tracer, int r, int c)
{
  const Field *f = tracer->field;
  float level = tracer->level;
  int node = r * f->cols + c;
  int top = 2 * node, left = 2 * node + 1;
  int bottom = 2 * (node + f->cols), right = 2 * (node + 1) + 1;
  int corners = (at (f, r, c) >= level) | (at (f, r, c + 1) >= level) << 1
                | (at (f, r + 1, c + 1) >= level) << 2
                | (at (f, r + 1, c) >= level) << 3;
  bool middle = (at (f, r, c) + at (f, r, c + 1) + at (f, r + 1, c)
                    + at (f, r + 1, c + 1))
                    / 4.0f
                >= level;
  switch (corners) {
    case 1:
    case 14:
      link_edges (tracer, top, left);
      break;
    case 2:
    case 13:
      link_edges (tracer, top, right);
      break;
    case 3:
    case 12:
      link_edges (tracer, left, right);
      break;
    case 4:
    case 11:
      link_edges (tracer, right, bottom);
      break;
    case 6:
    case 9:
      link_edges (tracer, top, bottom);
      break;
    case 7:
    case 8:
      link_edges (tracer, left, bottom);
      break;
    case 5:
    case 10: /* a saddle: joined if its middle is inside */
      if (middle == (corners == 5)) {
        link_edges (tracer, top, right);
        link_edges (tracer, left, bottom);
      } else {
        link_edges (tracer, top, left);
        link_edges (tracer, right, bottom);
      }
      break;
    default:
      break;
  }
}

static void
crossing (const Tracer *tracer, int edge, double *x, double *y)
{
  const Field *f = tracer->field;
  int node = edge / 2, r = node / f->cols, c = node % f->cols;
  bool down = edge & 1;
  double a = at (f, r, c), b = down ? at (f, r + 1, c) : at (f, r, c + 1);
  double t = a == b ? 0.5 : (tracer->level - a) / (b - a);
  *x = (c + (down ? 0.0 : t)) / (f->cols - 1);
  *y = (r + (down ? t : 0.0)) / (f->rows - 1);
}

/* Gives up the link from one edge to another. */
static void
cut (Tracer *tracer, int from, int to)
{
  int *links = &tracer->next[2 * from];
  if (links[0] == to)
    links[0] = -1;
  else if (links[1] == to)
    links[1] = -1;
}

/* Walks one line from an edge and forgets its links on the way. */
static double
walk (Tracer *tracer, int start, cairo_t *cr, const double place[4])
{
  double x, y, last_x, last_y, length = 0.0;
  crossing (tracer, start, &x, &y);
  last_x = place[0] + x * place[2];
  last_y = place[1] + y * place[3];
  cairo_move_to (cr, last_x, last_y);
  for (int edge = start;;) {
    const int *links = &tracer->next[2 * edge];
    int next = links[0] >= 0 ? links[0] : links[1];
    if (next < 0)
      break;
    cut (tracer, edge, next);
    cut (tracer, next, edge);
    crossing (tracer, next, &x, &y);
    x = place[0] + x * place[2];
    y = place[1] + y * place[3];
    length += hypot (x - last_x, y - last_y);
    last_x = x;
    last_y = y;
    edge = next;
    if (edge == start) {
      cairo_close_path (cr);
      break;
    }
    cairo_line_to (cr, x, y);
  }
  return length;
}

double
field_isoline (const Field *field, float level, cairo_t *cr, double x, double y,
    double width, double height)
{
  int edges = 2 * field->rows * field->cols;
  Tracer tracer = { field, level, g_new (int, 2 * (gsize) edges) };
  for (int i = 0; i < 2 * edges; i++)
    tracer.next[i] = -1;
  for (int r = 0; r + 1 < field->rows; r++)
    for (int c = 0; c + 1 < field->cols; c++)
      link_square (&tracer, r, c);

  double place[4] = { x, y, width, height }, length = 0.0;
  /* Open lines from one of their ends first; what is left are rings. */
  for (int rings = 0; rings < 2; rings++)
    for (int e = 0; e < edges; e++) {
      int ends = (tracer.next[2 * e] >= 0) + (tracer.next[2 * e + 1] >= 0);
      if (ends == 1 + rings)
        length += walk (&tracer, e, cr, place);
    }
  g_free (tracer.next);
  return length;
}
