/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "backends/reference/reference.h"

#include <float.h>
#include <math.h>

/* Eigen-CAM (Muhammad & Yeasin 2020): the patches of a frame, centred,
 * projected on the direction in which they vary most: X v1, v1 the first right
 * singular vector of the centred X [N,E].
 *
 * Directly rather than by iteration: the smaller of X Xᵀ and Xᵀ X is brought to
 * tridiagonal form by Householder reflections, its two largest eigenvalues are
 * found by counting signs (Sturm) and the first vector by inverse iteration
 * (Golub & Van Loan, 8.3-8.4). The work is the same for every picture, and ties
 * between singular values, which are where iterations fail, are seen exactly.
 * Squaring X in double loses nothing that the two largest values need. */

enum { BISECTIONS = 128, INVERSE_ITERATIONS = 4 };

static double
dot_double (const double *a, const double *b, int64_t count)
{
  double sums[8] = { 0 };
  int64_t i = 0;
  for (; i + 8 <= count; i += 8)
    for (int lane = 0; lane < 8; lane++)
      sums[lane] += a[i + lane] * b[i + lane];
  for (; i < count; i++)
    sums[i & 7] += a[i] * b[i];
  return ((sums[0] + sums[1]) + (sums[2] + sums[3]))
         + ((sums[4] + sums[5]) + (sums[6] + sums[7]));
}

/** y += factor x */
static void
add_scaled (double *y, double factor, const double *x, int64_t count)
{
  for (int64_t i = 0; i < count; i++)
    y[i] += factor * x[i];
}

/** x [n,e] = p - its mean row; or transposed [e,n]. */
static void
load_centred (const float *p, int64_t n, int64_t e, bool transpose, double *x)
{
  for (int64_t c = 0; c < e; c++) {
    double mean = 0;
    for (int64_t i = 0; i < n; i++)
      mean += (double) p[i * e + c];
    mean /= (double) n;
    for (int64_t i = 0; i < n; i++)
      x[transpose ? c * n + i : i * e + c] = (double) p[i * e + c] - mean;
  }
}

/** g [n,n] = x xᵀ, x [n,depth]. */
static void
gram (const double *x, int64_t n, int64_t depth, double *g)
{
  for (int64_t i = 0; i < n; i++)
    for (int64_t j = 0; j <= i; j++)
      g[i * n + j] = g[j * n + i] =
          dot_double (x + i * depth, x + j * depth, depth);
}

/** Turns the symmetric g [n,n] into a tridiagonal matrix of the same
 * eigenvalues: `diagonal` [n], `side` [n] (side[i] couples i and i+1). Row k of
 * g keeps the reflection 1 - u uᵀ (|u|² = 2, or u = 0) at columns k+1 .. n-1.
 * @param work [n] */
static void
tridiagonalise (
    double *g, int64_t n, double *diagonal, double *side, double *work)
{
  for (int64_t k = 0; k < n; k++) {
    double *u = g + k * n + k + 1;
    const int64_t rest = n - k - 1;
    diagonal[k] = g[k * n + k];
    side[k] = 0;
    if (rest == 0)
      break;

    const double length = sqrt (dot_double (u, u, rest));
    const double reflected = u[0] > 0 ? -length : length;
    side[k] = reflected;
    /* u = (a - reflected e1) √2 / |a - reflected e1| */
    u[0] -= reflected;
    const double square = dot_double (u, u, rest);
    const double scale = square > 0 ? sqrt (2 / square) : 0;
    for (int64_t i = 0; i < rest; i++)
      u[i] *= scale;

    /* Below: (1 - u uᵀ) A (1 - u uᵀ) = A - u qᵀ - q uᵀ,
     * q = A u - ½ (uᵀ A u) u. */
    for (int64_t i = 0; i < rest; i++)
      work[i] = dot_double (g + (k + 1 + i) * n + k + 1, u, rest);
    add_scaled (work, -0.5 * dot_double (work, u, rest), u, rest);
    for (int64_t i = 0; i < rest; i++) {
      double *row = g + (k + 1 + i) * n + k + 1;
      for (int64_t j = 0; j < rest; j++)
        row[j] -= u[i] * work[j] + work[i] * u[j];
    }
  }
}

/** How many eigenvalues of the tridiagonal matrix lie below `limit`: the
 * negative pivots of its LDLᵀ decomposition (Sylvester). */
static int64_t
count_below (const double *diagonal, const double *side, int64_t n,
    double limit, double tiny)
{
  int64_t count = 0;
  double pivot = 1;
  for (int64_t i = 0; i < n; i++) {
    double coupling = i ? side[i - 1] * side[i - 1] / pivot : 0;
    pivot = diagonal[i] - limit - coupling;
    if (fabs (pivot) < tiny)
      pivot = -tiny;
    count += pivot < 0;
  }
  return count;
}

/** The eigenvalue that `rank` others are above (0: the largest). */
static double
eigenvalue (const double *diagonal, const double *side, int64_t n, int64_t rank,
    double bound)
{
  const double tiny = DBL_MIN + DBL_EPSILON * DBL_EPSILON * bound;
  double low = -bound, high = bound;
  for (int i = 0; i < BISECTIONS; i++) {
    double middle = low + (high - low) / 2;
    if (!(middle > low && middle < high))
      break;
    if (count_below (diagonal, side, n, middle, tiny) <= n - 1 - rank)
      low = middle;
    else
      high = middle;
  }
  return low + (high - low) / 2;
}

/** Gershgorin's bound on |eigenvalues|. */
static double
spectral_bound (const double *diagonal, const double *side, int64_t n)
{
  double bound = 0;
  for (int64_t i = 0; i < n; i++)
    bound = fmax (bound,
        fabs (diagonal[i]) + fabs (side[i]) + (i ? fabs (side[i - 1]) : 0));
  return bound * (1 + 4 * DBL_EPSILON);
}

/** Solves (T - value) x = x in place: Gaussian elimination with row exchange,
 * pivots kept away from zero. @param work [3n] */
static void
solve_shifted (const double *diagonal, const double *side, int64_t n,
    double value, double tiny, double *x, double *work)
{
  double *main = work, *above = work + n, *above2 = work + 2 * n;
  double pivot = diagonal[0] - value, next = n > 1 ? side[0] : 0;

  for (int64_t i = 0; i < n; i++) {
    if (i == n - 1) {
      main[i] = pivot;
      above[i] = above2[i] = 0;
    } else {
      double below = side[i], corner = diagonal[i + 1] - value;
      double far = i + 2 < n ? side[i + 1] : 0;
      if (fabs (below) > fabs (pivot)) { /* rows i and i+1 change places */
        double factor = pivot / below;
        main[i] = below;
        above[i] = corner;
        above2[i] = far;
        pivot = next - factor * corner;
        next = -factor * far;
        double swapped = x[i];
        x[i] = x[i + 1];
        x[i + 1] = swapped - factor * x[i + 1];
      } else {
        if (fabs (pivot) < tiny)
          pivot = tiny;
        double factor = below / pivot;
        main[i] = pivot;
        above[i] = next;
        above2[i] = 0;
        pivot = corner - factor * next;
        next = far;
        x[i + 1] -= factor * x[i];
      }
    }
  }
  for (int64_t i = n - 1; i >= 0; i--) {
    double right = x[i];
    if (i + 1 < n)
      right -= above[i] * x[i + 1];
    if (i + 2 < n)
      right -= above2[i] * x[i + 2];
    x[i] = right / (fabs (main[i]) < tiny ? tiny : main[i]);
  }
}

static void
normalise (double *x, int64_t n)
{
  double largest = 0;
  for (int64_t i = 0; i < n; i++)
    largest = fmax (largest, fabs (x[i]));
  if (!(largest > 0))
    return;
  for (int64_t i = 0; i < n; i++) /* first: squares must not overflow */
    x[i] /= largest;
  const double length = sqrt (dot_double (x, x, n));
  for (int64_t i = 0; i < n; i++)
    x[i] /= length;
}

/** The two largest eigenvalues of g [n,n] (destroyed) and the first one's unit
 * vector. @param work [6n] */
static void
first_eigenvector (
    double *g, int64_t n, double values[2], double *vector, double *work)
{
  double *diagonal = work, *side = work + n, *more = work + 2 * n;

  tridiagonalise (g, n, diagonal, side, more);
  const double bound = spectral_bound (diagonal, side, n);
  values[0] = eigenvalue (diagonal, side, n, 0, bound);
  values[1] = n > 1 ? eigenvalue (diagonal, side, n, 1, bound) : 0;

  /* Any start will do that is not orthogonal to the vector; rounding sees to
   * that. This one has no symmetry. */
  for (int64_t i = 0; i < n; i++)
    vector[i] = 1 + 0.5 * sin (1.0 + 1.7 * (double) i);
  for (int i = 0; i < INVERSE_ITERATIONS; i++) {
    solve_shifted (
        diagonal, side, n, values[0], DBL_EPSILON * bound, vector, more);
    normalise (vector, n);
  }
  for (int64_t k = n - 2; k >= 0; k--) { /* undo the reflections */
    const double *u = g + k * n + k + 1;
    add_scaled (vector + k + 1, -dot_double (u, vector + k + 1, n - k - 1), u,
        n - k - 1);
  }
}

/** The sign that goes with the mixed map; should they be unrelated, the
 * largest value is positive. */
static double
sign_of (const double *cam, const float *mixed, int64_t n)
{
  double mixed_mean = 0, cam_mean = 0, product = 0;
  double extreme = 0;
  for (int64_t i = 0; i < n; i++) {
    mixed_mean += (double) mixed[i] / (double) n;
    cam_mean += cam[i] / (double) n;
    if (fabs (cam[i]) > fabs (extreme))
      extreme = cam[i];
  }
  for (int64_t i = 0; i < n; i++)
    product += (cam[i] - cam_mean) * ((double) mixed[i] - mixed_mean);
  if (product == 0)
    product = extreme;
  return product < 0 ? -1 : 1;
}

/** Doubles of scratch: x, the square matrix, vector and map, work. */
static int64_t
scratch_doubles (int64_t n, int64_t e)
{
  const int64_t order = cardiac_reference_min (n, e);
  return n * e + order * order + n + 7 * order;
}

/** The map of one frame, and the ratio that says how clear it is. */
static void
run_eigencam (const CardiacKernel *kernel, void *const *in, void *out,
    int piece, void *scratch)
{
  const CardiacOp *op = cardiac_reference_op (kernel);
  const int64_t n = op->in[0].shape[1], e = op->in[0].shape[2];
  const bool by_channel = e < n;
  const int64_t order = by_channel ? e : n, depth = by_channel ? n : e;
  const float *p = (const float *) in[0] + piece * n * e;
  const float *mixed = (const float *) in[1] + piece * n;
  float *y = (float *) out + piece * (n + 1);
  double *x = scratch;
  double *g = x + n * e;
  double *cam = g + order * order;
  double *vector = cam + n;
  double *work = vector + order;
  double values[2];

  load_centred (p, n, e, by_channel, x);
  gram (x, order, depth, g);
  first_eigenvector (g, order, values, vector, work);
  const double first = sqrt (fmax (values[0], 0));
  const double second = sqrt (fmax (values[1], 0));

  for (int64_t i = 0; i < n; i++)
    cam[i] = by_channel ? 0 : first * vector[i]; /* X v1 = sigma1 u1 */
  if (by_channel)                                /* x is transposed here */
    for (int64_t c = 0; c < e; c++)
      add_scaled (cam, vector[c], x + c * n, n);

  const double sign = sign_of (cam, mixed, n);
  for (int64_t i = 0; i < n; i++)
    y[i] = (float) (sign * cam[i]);
  /* A frame without any variation has no direction: a tie. */
  y[n] = first > 0 ? (float) (second / first) : 1;
}

CARDIAC_REFERENCE_PREPARE (eigencam)
{
  if (!cardiac_reference_expect_tensors (op, 2, error))
    return false;
  const CardiacTensor *p = &op->in[0], *mixed = &op->in[1], *y = &op->out;

  if (!cardiac_reference_expect (op,
          cardiac_reference_is (p, CARDIAC_F32, 3)
              && cardiac_reference_is (mixed, CARDIAC_F32, 2)
              && cardiac_reference_is (y, CARDIAC_F32, 2)
              && mixed->shape[0] == p->shape[0]
              && mixed->shape[1] == p->shape[1] && y->shape[0] == p->shape[0]
              && y->shape[1] == p->shape[1] + 1,
          "p [T,N,E], mixed map [T,N], out [T,N+1] in f32", error))
    return false;
  return cardiac_reference_plan (kernel, op, run_eigencam, p->shape[0],
      (size_t) scratch_doubles (p->shape[1], p->shape[2]) * sizeof (double),
      error);
}
