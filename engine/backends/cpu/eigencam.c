/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cpu.h"

#include <float.h>
#include <math.h>

/* Eigen-CAM (Muhammad & Yeasin 2020): X v, X [N,E] a frame's centred patches
 * and v its first right singular vector, and the ratio of the second singular
 * value to the first. One frame a piece, in double.
 *
 * The smaller of X Xᵀ and Xᵀ X is brought to tridiagonal form by Householder
 * reflections; eigenvalues by counting signs (Sturm); the vector by one
 * twisted factorisation (Dhillon & Parlett 2004). Nothing iterates on the
 * matrix itself, so nearly equal singular values cost nothing and are seen. */

typedef struct Tridiagonal {
  int64_t n;
  double *diagonal; ///< [n]
  double *side;     ///< [n], side[i] couples i and i+1
  double bound;     ///< of |eigenvalues|
  double tiny;      ///< stands for a pivot of 0
} Tridiagonal;

/** x [n,e] = p less its mean row; or its transpose [e,n]. */
static void
centre (const float *p, int64_t n, int64_t e, bool transpose, double *x)
{
  for (int64_t c = 0; c < e; c++) {
    double mean = 0;
    for (int64_t i = 0; i < n; i++)
      mean += p[i * e + c];
    mean /= (double) n;
    for (int64_t i = 0; i < n; i++)
      x[transpose ? c * n + i : i * e + c] = p[i * e + c] - mean;
  }
}

/** g [n,n] = x xᵀ, both halves; blocks of x stay in cache. */
static void
square (const CpuVector *vector, const double *x, int64_t n, int64_t depth,
    double *g)
{
  enum { BLOCK = 16 };
  for (int64_t first = 0; first < n; first += BLOCK)
    for (int64_t j = 0; j < n; j++)
      for (int64_t i = first > j ? first : j; i < cpu_min (first + BLOCK, n);
           i++)
        g[i * n + j] = g[j * n + i] =
            vector->dot_double (x + i * depth, x + j * depth, depth);
}

/** Reflects a [n] to (length, 0, ...): a becomes u with 1 - u uᵀ the
 * reflection. @return the length, signed. */
static double
reflect (const CpuVector *vector, double *a, int64_t n)
{
  const double length = sqrt (vector->dot_double (a, a, n));
  const double signed_length = a[0] > 0 ? -length : length;
  a[0] -= signed_length;
  const double norm = sqrt (vector->dot_double (a, a, n) / 2);
  for (int64_t i = 0; norm > 0 && i < n; i++)
    a[i] /= norm;
  return signed_length;
}

/** Row k of g keeps its reflection at columns k+1 .. n-1. @param q [n] */
static void
tridiagonalise (const CpuVector *vector, double *g, Tridiagonal *t, double *q)
{
  const int64_t n = t->n;
  for (int64_t k = 0; k < n; k++) {
    t->diagonal[k] = g[k * n + k];
    t->side[k] = 0;
    const int64_t rest = n - k - 1;
    if (rest == 0)
      break;
    double *u = g + k * n + k + 1;
    t->side[k] = reflect (vector, u, rest);
    /* A - u qᵀ - q uᵀ with q = A u - ½ (uᵀ A u) u */
    double *below = g + (k + 1) * n + k + 1;
    for (int64_t i = 0; i < rest; i++)
      q[i] = vector->dot_double (below + i * n, u, rest);
    const double half = 0.5 * vector->dot_double (q, u, rest);
    for (int64_t i = 0; i < rest; i++)
      q[i] -= half * u[i];
    for (int64_t i = 0; i < rest; i++)
      vector->subtract_two (below + i * n, u[i], q, q[i], u, rest);
  }
  double bound = 0;
  for (int64_t i = 0; i < n; i++)
    bound = fmax (bound, fabs (t->diagonal[i]) + fabs (t->side[i])
                             + (i ? fabs (t->side[i - 1]) : 0));
  t->bound = bound * (1 + 4 * DBL_EPSILON);
  t->tiny = DBL_EPSILON * DBL_EPSILON * t->bound + DBL_MIN;
}

static double
not_zero (const Tridiagonal *t, double pivot)
{
  return fabs (pivot) < t->tiny ? t->tiny : pivot;
}

/** Eigenvalues above `limit`: positive pivots of its factorisation. */
static int64_t
count_above (const Tridiagonal *t, double limit)
{
  int64_t count = 0;
  double coupling = 0;
  for (int64_t i = 0; i < t->n; i++) {
    const double pivot = not_zero (t, t->diagonal[i] - limit - coupling);
    count += pivot > 0;
    coupling = t->side[i] * t->side[i] / pivot;
  }
  return count;
}

/** The eigenvalue with `rank` larger ones, by halving. */
static double
eigenvalue (const Tridiagonal *t, int64_t rank)
{
  double low = -t->bound, high = t->bound;
  for (;;) {
    const double middle = low + (high - low) / 2;
    if (!(middle > low && middle < high))
      return low;
    if (count_above (t, middle) > rank)
      low = middle;
    else
      high = middle;
  }
}

/** Unit eigenvector: T - value factored from both ends; they meet where the
 * pivot is smallest, and there the vector is largest. @param work [4n] */
static void
eigenvector (const Tridiagonal *t, double value, double *z, double *work)
{
  const int64_t n = t->n;
  double *down = work, *up = work + n;                /* pivots */
  double *left = work + 2 * n, *right = work + 3 * n; /* multipliers */
  int64_t meet = 0;
  double smallest = INFINITY, length = 0;

  for (int64_t i = 0; i < n; i++) {
    const double coupling = i ? left[i - 1] * t->side[i - 1] : 0;
    down[i] = not_zero (t, t->diagonal[i] - value - coupling);
    left[i] = t->side[i] / down[i];
  }
  for (int64_t i = n - 1; i >= 0; i--) {
    const double coupling = i + 1 < n ? right[i] * t->side[i] : 0;
    up[i] = not_zero (t, t->diagonal[i] - value - coupling);
    if (i > 0)
      right[i - 1] = t->side[i - 1] / up[i];
    const double pivot = fabs (down[i] + up[i] - (t->diagonal[i] - value));
    if (pivot < smallest) {
      smallest = pivot;
      meet = i;
    }
  }
  z[meet] = 1;
  for (int64_t i = meet - 1; i >= 0; i--)
    z[i] = -left[i] * z[i + 1];
  for (int64_t i = meet; i + 1 < n; i++)
    z[i + 1] = -right[i] * z[i];
  for (int64_t i = 0; i < n; i++)
    length += z[i] * z[i];
  length = sqrt (length);
  for (int64_t i = 0; i < n; i++)
    z[i] /= length;
}

/** +1 or -1: the map goes along with the mixed map, or where they have nothing
 * to do with one another, its extreme is positive. */
static double
sign_of (const double *map, const float *mixed, int64_t n)
{
  double mean = 0, mixed_mean = 0, product = 0, extreme = 0;
  for (int64_t i = 0; i < n; i++) {
    mean += map[i] / (double) n;
    mixed_mean += mixed[i] / (double) n;
    if (fabs (map[i]) > fabs (extreme))
      extreme = map[i];
  }
  for (int64_t i = 0; i < n; i++)
    product += (map[i] - mean) * (mixed[i] - mixed_mean);
  return (product != 0 ? product : extreme) < 0 ? -1 : 1;
}

static void
run_eigencam (const CardiacKernel *kernel, void *const *in, void *out,
    int piece, void *scratch)
{
  const CpuLoop *loop = cpu_loop (kernel);
  const CpuVector *vector = loop->vector;
  const int64_t n = loop->op.in[0].shape[1], e = loop->op.in[0].shape[2];
  const bool by_channel = e < n;
  const int64_t order = by_channel ? e : n, depth = by_channel ? n : e;
  const float *p = (const float *) in[0] + piece * n * e;
  const float *mixed = (const float *) in[1] + piece * n;
  float *y = (float *) out + piece * (n + 1);
  double *x = scratch, *g = x + n * e, *z = g + order * order;
  double *work = z + order, *map = work + 4 * order;
  Tridiagonal t = { .n = order, .diagonal = map + n, .side = map + n + order };

  centre (p, n, e, by_channel, x);
  square (vector, x, order, depth, g);
  tridiagonalise (vector, g, &t, work);
  const double largest = eigenvalue (&t, 0);
  const double next = order > 1 ? eigenvalue (&t, 1) : 0;
  eigenvector (&t, largest, z, work);
  for (int64_t k = order - 2; k >= 0; k--) { /* undo the reflections */
    const double *u = g + k * order + k + 1;
    const double along = vector->dot_double (u, z + k + 1, order - k - 1);
    for (int64_t i = 0; i < order - k - 1; i++)
      z[k + 1 + i] -= along * u[i];
  }

  const double first = sqrt (fmax (largest, 0));
  const double second = sqrt (fmax (next, 0));
  for (int64_t i = 0; i < n; i++) {
    map[i] = by_channel ? 0 : first * z[i]; /* X v = σ u */
    for (int64_t c = 0; by_channel && c < e; c++)
      map[i] += z[c] * x[c * n + i];
  }
  const double sign = sign_of (map, mixed, n);
  for (int64_t i = 0; i < n; i++)
    y[i] = (float) (sign * map[i]);
  y[n] = first > 0 ? (float) (second / first) : 1; /* nothing varies: a tie */
}

CPU_PREPARE (eigencam)
{
  const CardiacTensor *p = &op->in[0], *mixed = &op->in[1], *y = &op->out;
  if (!cpu_expect (op, 2) || p->rank != 3 || p->dtype != CARDIAC_F32
      || mixed->dtype != CARDIAC_F32 || y->dtype != CARDIAC_F32
      || cardiac_tensor_count (mixed) != p->shape[0] * p->shape[1]
      || cardiac_tensor_count (y) != p->shape[0] * (p->shape[1] + 1))
    return false;
  const int64_t n = p->shape[1], e = p->shape[2], order = cpu_min (n, e);
  return cpu_loop_plan (context, op, kernel, run_eigencam, p->shape[0], 1,
      (size_t) (n * e + order * order + n + 7 * order) * sizeof (double),
      error);
}
