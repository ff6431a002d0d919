/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "checkop.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Operators computed again from their definitions, index by index, in double.
 * Slow on purpose, and different from the reference backend wherever that is
 * possible: it is what the reference is checked with. */

static double
activate (CardiacActivation activation, double x)
{
  switch (activation) {
    case CARDIAC_ACTIVATION_QUICK_GELU:
      return x * (1 / (1 + exp (-1.702 * x)));
    case CARDIAC_ACTIVATION_SILU:
      return x * (0.5 + 0.5 * tanh (0.5 * x));
    case CARDIAC_ACTIVATION_LEAKY_RELU:
      return fmax (x, 0) + 0.2 * fmin (x, 0);
    default:
      return x;
  }
}

static void
naive_linear (const CardiacOp *op, double *const *in, double *y)
{
  int64_t M = op->out.shape[0], N = op->out.shape[1], K = op->in[0].shape[1];
  for (int64_t m = 0; m < M; m++)
    for (int64_t n = 0; n < N; n++) {
      double sum = in[2] ? in[2][n] : 0;
      for (int64_t k = 0; k < K; k++)
        sum += in[0][m * K + k] * in[1][n * K + k];
      y[m * N + n] = activate (op->linear.activation, sum)
                     + (in[3] ? in[3][m * N + n] : 0);
    }
}

static void
naive_layer_norm (const CardiacOp *op, double *const *in, double *y)
{
  int64_t M = op->out.shape[0], D = op->out.shape[1];
  for (int64_t m = 0; m < M; m++) {
    const double *x = in[0] + m * D;
    double mean = 0, square = 0;
    for (int64_t i = 0; i < D; i++) {
      mean += x[i] / (double) D;
      square += x[i] * x[i] / (double) D;
    }
    for (int64_t i = 0; i < D; i++)
      y[m * D + i] = (x[i] - mean)
                         / sqrt (square - mean * mean + op->norm.epsilon)
                         * in[1][i]
                     + in[2][i];
  }
}

static void
naive_attention (const CardiacOp *op, double *const *in, double *out)
{
  int64_t B = op->out.shape[0], Tq = op->out.shape[1], Tk = op->in[1].shape[1];
  int64_t Lq = op->in[0].shape[2], Lk = op->in[1].shape[2];
  int64_t Lv = op->in[2].shape[2];
  int64_t H = op->attention.heads, d = op->attention.head_dim;
  for (int64_t b = 0; b < B; b++)
    for (int64_t h = 0; h < H; h++)
      for (int64_t t = 0; t < Tq; t++) {
        double *y = out + ((b * Tq + t) * H + h) * d;
        double total = 0;
        memset (y, 0, (size_t) d * sizeof *y);
        for (int64_t s = 0; s < Tk; s++) {
          const double *q =
              in[0] + (b * Tq + t) * Lq + op->attention.q_offset + h * d;
          const double *k =
              in[1] + (b * Tk + s) * Lk + op->attention.k_offset + h * d;
          const double *v =
              in[2] + (b * Tk + s) * Lv + op->attention.v_offset + h * d;
          double score = 0;
          for (int64_t i = 0; i < d; i++)
            score += q[i] * k[i];
          double weight = exp (score * op->attention.scale);
          total += weight;
          for (int64_t i = 0; i < d; i++)
            y[i] += weight * v[i];
        }
        for (int64_t i = 0; i < d; i++)
          y[i] /= total;
      }
}

static void
naive_matmul (const CardiacOp *op, double *const *in, double *y)
{
  int64_t M = op->out.shape[1], N = op->out.shape[2], K = op->in[0].shape[2];
  for (int64_t b = 0; b < op->out.shape[0]; b++)
    for (int64_t m = 0; m < M; m++)
      for (int64_t n = 0; n < N; n++) {
        double sum = 0;
        for (int64_t k = 0; k < K; k++)
          sum += in[0][(b * M + m) * K + k] * in[1][(b * N + n) * K + k];
        y[(b * M + m) * N + n] = op->matmul.alpha * sum;
      }
}

/** Every input pixel adds to the outputs that it reaches. */
static void
naive_conv2d (const CardiacOp *op, double *const *in, double *y)
{
  const int64_t *xs = op->in[0].shape, *ws = op->in[1].shape;
  const int64_t *ys = op->out.shape;
  int64_t count = (int64_t) check_tensor_count (&op->out);
  for (int64_t i = 0; i < count; i++)
    y[i] = in[2] ? in[2][i % ys[3]] : 0;
  for (int64_t b = 0; b < xs[0]; b++)
    for (int64_t i = 0; i < xs[1]; i++)
      for (int64_t j = 0; j < xs[2]; j++)
        for (int64_t ky = 0; ky < ws[2]; ky++)
          for (int64_t kx = 0; kx < ws[3]; kx++) {
            int64_t top = i + op->conv.padding - ky;
            int64_t left = j + op->conv.padding - kx;
            int64_t oy = top / op->conv.stride, ox = left / op->conv.stride;
            if (top < 0 || left < 0 || top % op->conv.stride
                || left % op->conv.stride || oy >= ys[1] || ox >= ys[2])
              continue;
            for (int64_t ci = 0; ci < xs[3]; ci++)
              for (int64_t co = 0; co < ys[3]; co++)
                y[((b * ys[1] + oy) * ys[2] + ox) * ys[3] + co] +=
                    in[0][((b * xs[1] + i) * xs[2] + j) * xs[3] + ci]
                    * in[1][((co * ws[1] + ci) * ws[2] + ky) * ws[3] + kx];
          }
  for (int64_t i = 0; i < count; i++)
    y[i] = activate (op->conv.activation, y[i]) + (in[3] ? in[3][i] : 0);
}

/** Every input pixel is offered to the windows that see it. */
static void
naive_max_pool2d (const CardiacOp *op, double *const *in, double *y)
{
  const int64_t *xs = op->in[0].shape, *ys = op->out.shape;
  int64_t size = op->pool.kernel, stride = op->pool.stride;
  for (size_t i = 0; i < check_tensor_count (&op->out); i++)
    y[i] = -HUGE_VAL;
  for (int64_t b = 0; b < xs[0]; b++)
    for (int64_t i = 0; i < xs[1]; i++)
      for (int64_t j = 0; j < xs[2]; j++)
        for (int64_t oy = 0; oy < ys[1]; oy++)
          for (int64_t ox = 0; ox < ys[2]; ox++) {
            int64_t dy = i + op->pool.padding - oy * stride;
            int64_t dx = j + op->pool.padding - ox * stride;
            for (int64_t c = 0;
                 c < xs[3] && dy >= 0 && dy < size && dx >= 0 && dx < size;
                 c++) {
              double *at = &y[((b * ys[1] + oy) * ys[2] + ox) * ys[3] + c];
              *at =
                  fmax (*at, in[0][((b * xs[1] + i) * xs[2] + j) * xs[3] + c]);
            }
          }
}

/** Every input pixel adds its share to the windows that see it. */
static void
naive_avg_pool2d (const CardiacOp *op, double *const *in, double *y)
{
  const int64_t *xs = op->in[0].shape, *ys = op->out.shape;
  int64_t size = op->pool.kernel, stride = op->pool.stride;
  int64_t pixel = xs[2] * xs[3];
  memset (y, 0, check_tensor_count (&op->out) * sizeof *y);
  for (int64_t at = 0; at < (int64_t) check_tensor_count (&op->in[0]); at++) {
    int64_t b = at / (xs[1] * pixel), i = at / pixel % xs[1];
    int64_t j = at / xs[3] % xs[2];
    for (int64_t oy = 0; oy < ys[1]; oy++)
      for (int64_t ox = 0; ox < ys[2]; ox++) {
        int64_t dy = i + op->pool.padding - oy * stride;
        int64_t dx = j + op->pool.padding - ox * stride;
        if (dx >= 0 && dx < size && dy >= 0 && dy < size)
          y[((b * ys[1] + oy) * ys[2] + ox) * ys[3] + at % xs[3]] +=
              in[0][at] / (double) (size * size);
      }
  }
}

static void
naive_gate (const CardiacOp *op, double *const *in, double *y)
{
  const int64_t *xs = op->in[0].shape, *gs = op->in[1].shape;
  for (size_t i = 0; i < check_tensor_count (&op->out); i++) {
    int64_t c = (int64_t) i % xs[2], r = (int64_t) i / xs[2] % xs[1];
    int64_t b = (int64_t) i / xs[2] / xs[1];
    double g = in[1][(b * gs[1] + r % gs[1]) * gs[2] + c % gs[2]];
    y[i] = in[0][i] * (double) op->gate.offset
           + in[0][i] * (double) op->gate.scale * g;
  }
}

static void
naive_magnitude (const CardiacOp *op, double *const *in, double *y)
{
  for (size_t i = 0; i < check_tensor_count (&op->out); i++)
    y[i] = hypot (in[0][2 * i], in[0][2 * i + 1]);
}

static void
naive_softmax (const CardiacOp *op, double *const *in, double *y)
{
  int64_t width = op->out.shape[op->out.rank - 1];
  int64_t rows = (int64_t) check_tensor_count (&op->out) / width;
  for (int64_t i = 0; i < rows * width; i++) {
    double sum = 0;
    for (int64_t j = i / width * width; j < (i / width + 1) * width; j++)
      sum += exp (in[0][j] - in[0][i]);
    y[i] = 1 / sum;
  }
}

static void
naive_amplify (const CardiacOp *op, double *const *in, double *a)
{
  int64_t I = op->out.shape[0], T = op->out.shape[1], E = op->out.shape[2];
  const double *z = in[0], *w = in[1];
  for (int64_t c = 0; c < E; c++) {
    double mean = 0, variance = 0;
    for (int64_t i = 0; i < I; i++)
      for (int64_t t = 0; t < T; t++) {
        double g = in[2][c];
        for (int64_t k = -1; k <= 1; k++) {
          int64_t s = t + k, inside = s >= 0 && s < T;
          double square = 0;
          if (!inside)
            s = t;
          for (int64_t j = 0; j < E; j++)
            square += z[(i * T + s) * E + j] * z[(i * T + s) * E + j];
          if (inside || op->amplify.replicate)
            g += w[c * 3 + k + 1] * sqrt (square);
        }
        a[(i * T + t) * E + c] = z[(i * T + t) * E + c] + op->amplify.beta * g;
      }
    for (int64_t j = 0; j < I * T; j++)
      mean += a[j * E + c] / (double) (I * T);
    for (int64_t j = 0; j < I * T; j++)
      variance += pow (a[j * E + c] - mean, 2) / (double) (I * T);
    if (in[5]) {
      mean = in[5][c];
      variance = in[6][c];
    }
    for (int64_t j = 0; j < I * T; j++)
      a[j * E + c] = (a[j * E + c] - mean)
                         / sqrt (variance + op->amplify.epsilon) * in[3][c]
                     + in[4][c];
  }
}

/** One step of power iteration, v <- xᵀ (x v) kept off `other`.
 * @return |x v|, the singular value when v has settled. */
static double
power_step (const double *x, int64_t n, int64_t e, double *v, double *xv,
    const double *other)
{
  double along = 0, length = 0, value = 0;
  for (int64_t c = 0; other && c < e; c++)
    along += v[c] * other[c];
  for (int64_t c = 0; c < e; c++) {
    v[c] -= other ? along * other[c] : 0;
    length += v[c] * v[c];
  }
  for (int64_t c = 0; c < e; c++)
    v[c] /= sqrt (length);
  for (int64_t i = 0; i < n; i++) {
    xv[i] = 0;
    for (int64_t c = 0; c < e; c++)
      xv[i] += x[i * e + c] * v[c];
    value += xv[i] * xv[i];
  }
  for (int64_t c = 0; c < e; c++)
    v[c] = 0;
  for (int64_t i = 0; i < n; i++)
    for (int64_t c = 0; c < e; c++)
      v[c] += x[i * e + c] * xv[i];
  return sqrt (value);
}

/** Power iteration on xᵀ x, once for each of two directions. */
static void
naive_eigencam (const CardiacOp *op, double *const *in, double *out)
{
  int64_t T = op->in[0].shape[0], n = op->in[0].shape[1];
  int64_t e = op->in[0].shape[2];
  double *v1 = malloc ((size_t) (2 * e + n) * sizeof *v1), *v2 = v1 + e;
  double *xv = v2 + e;
  for (int64_t t = 0; t < T; t++) {
    double *x = in[0] + t * n * e, *y = out + t * (n + 1), first = 0,
           second = 0, agreement = 0, mean = 0, length = 0;
    for (int64_t c = 0; c < e; c++) {
      double sum = 0;
      for (int64_t i = 0; i < n; i++)
        sum += x[i * e + c];
      for (int64_t i = 0; i < n; i++)
        x[i * e + c] -= sum / (double) n;
      v1[c] = cos ((double) (c * c));
      v2[c] = sin ((double) (c * c + 1));
    }
    for (int i = 0; i < 100; i++)
      first = power_step (x, n, e, v1, y, NULL);
    for (int64_t c = 0; c < e; c++)
      length += v1[c] * v1[c];
    for (int64_t c = 0; c < e; c++)
      v1[c] /= sqrt (length);
    for (int i = 0; i < 600; i++)
      second = power_step (x, n, e, v2, xv, v1);
    for (int64_t i = 0; i < n; i++)
      mean += in[1][t * n + i] / (double) n;
    for (int64_t i = 0; i < n; i++)
      agreement += y[i] * (in[1][t * n + i] - mean);
    for (int64_t i = 0; i < n; i++)
      y[i] = agreement < 0 ? -y[i] : y[i];
    y[n] = second / first;
  }
  free (v1);
}

static void
naive_yolo_decode (const CardiacOp *op, double *const *in, double *out)
{
  int64_t cells = op->out.shape[1], classes = op->out.shape[0] - 4, cell = 0;
  for (int scale = 0; scale < 3; scale++)
    for (int64_t y = 0; y < op->in[2 * scale].shape[1]; y++)
      for (int64_t x = 0; x < op->in[2 * scale].shape[2]; x++, cell++) {
        int64_t at = y * op->in[2 * scale].shape[2] + x;
        double stride = 8 << scale, reach[4];
        for (int side = 0; side < 4; side++) {
          double above = 0, below = 0;
          for (int j = 0; j < 16; j++) {
            double p = exp (in[2 * scale][at * 64 + side * 16 + j]);
            above += j * p;
            below += p;
          }
          reach[side] = above / below;
        }
        double x1 = (double) x + 0.5 - reach[0],
               x2 = (double) x + 0.5 + reach[2];
        double y1 = (double) y + 0.5 - reach[1],
               y2 = (double) y + 0.5 + reach[3];
        out[cell] = (x1 + x2) / 2 * stride;
        out[cells + cell] = (y1 + y2) / 2 * stride;
        out[2 * cells + cell] = (x2 - x1) * stride;
        out[3 * cells + cell] = (y2 - y1) * stride;
        for (int64_t c = 0; c < classes; c++)
          out[(4 + c) * cells + cell] =
              0.5 + 0.5 * tanh (in[2 * scale + 1][at * classes + c] / 2);
      }
}

/* Operators that move numbers: where each element of the result comes from. */

/** Where result i of an axis lies: between pixels low and high of x, so far
 * from the first. */
static double
place_between (int64_t i, int64_t count, int64_t *low, int64_t *high)
{
  double x = fmin (fmax (((double) i + 0.5) / 2 - 0.5, 0), (double) count - 1);
  *low = (int64_t) x;
  *high = *low + 1 < count ? *low + 1 : *low;
  return x - (double) *low;
}

static void
naive_bilinear2x (const CardiacOp *op, const double *x, double *y)
{
  const int64_t *s = op->in[0].shape;
  int64_t c = s[3], row = s[2] * c;
  for (int64_t at = 0; at < (int64_t) check_tensor_count (&op->out); at++) {
    int64_t top, bottom, left, right;
    double down =
        place_between (at / (2 * row) % (2 * s[1]), s[1], &top, &bottom);
    double over = place_between (at / c % (2 * s[2]), s[2], &left, &right);
    const double *from = x + at / (4 * s[1] * row) * s[1] * row + at % c;
    double upper = from[top * row + left * c] * (1 - over)
                   + from[top * row + right * c] * over;
    double lower = from[bottom * row + left * c] * (1 - over)
                   + from[bottom * row + right * c] * over;
    y[at] = (double) op->upsample.scale * (upper * (1 - down) + lower * down);
  }
}

static void
naive_upsample2x (const CardiacOp *op, double *const *in, double *y)
{
  const int64_t *s = op->in[0].shape;
  if (op->upsample.bilinear) {
    naive_bilinear2x (op, in[0], y);
    return;
  }
  for (int64_t b = 0; b < s[0]; b++)
    for (int64_t i = 0; i < s[1]; i++)
      for (int64_t j = 0; j < s[2]; j++)
        for (int64_t c = 0; c < s[3]; c++)
          for (int64_t corner = 0; corner < 4; corner++)
            y[((b * 2 * s[1] + 2 * i + corner / 2) * 2 * s[2] + 2 * j
                  + corner % 2)
                    * s[3]
                + c] = in[0][((b * s[1] + i) * s[2] + j) * s[3] + c];
}

static void
naive_concat (const CardiacOp *op, double *const *in, double *y)
{
  int64_t all = op->out.shape[op->out.rank - 1], first = 0;
  int64_t rows = (int64_t) check_tensor_count (&op->out) / all;
  for (int i = 0; i < op->inputs; i++) {
    int64_t C = op->in[i].shape[op->in[i].rank - 1];
    for (int64_t row = 0; row < rows; row++)
      for (int64_t c = 0; c < C; c++)
        y[row * all + first + c] = in[i][row * C + c];
    first += C;
  }
}

static void
naive_slice (const CardiacOp *op, double *const *in, double *y)
{
  int64_t C = op->out.shape[op->out.rank - 1];
  int64_t all = op->in[0].shape[op->in[0].rank - 1];
  for (int64_t i = 0; i < (int64_t) check_tensor_count (&op->out); i++)
    y[i] = in[0][i / C * all + op->slice.first + i % C];
}

static void
naive_binary (const CardiacOp *op, double *const *in, double *y)
{
  size_t period = check_tensor_count (&op->in[1]);
  for (size_t i = 0; i < check_tensor_count (&op->out); i++)
    y[i] = op->binary.multiply ? in[0][i] * in[1][i % period]
                               : in[0][i] + in[1][i % period];
}

static void
naive_patchify (const CardiacOp *op, double *const *in, double *y)
{
  int64_t B = op->in[0].shape[0], S = op->in[0].shape[3];
  int64_t P = op->patchify.patch, n = S / P;
  for (int64_t b = 0; b < B; b++)
    for (int64_t c = 0; c < 3; c++)
      for (int64_t i = 0; i < S; i++)
        for (int64_t j = 0; j < S; j++)
          y[(b * n * n + i / P * n + j / P) * 3 * P * P + c * P * P + i % P * P
              + j % P] = in[0][((b * 3 + c) * S + i) * S + j];
}

static void
naive_tokens (const CardiacOp *op, double *const *in, double *y)
{
  int64_t N = op->in[0].shape[1], R = op->out.shape[1], D = op->out.shape[2];
  for (int64_t i = 0; i < op->out.shape[0] * R * D; i++) {
    int64_t b = i / (R * D), row = i / D % R, d = i % D;
    y[i] = row > N ? 0 : in[2][row * D + d];
    if (row == 0)
      y[i] += in[1][d];
    else if (row <= N)
      y[i] += in[0][(b * N + row - 1) * D + d];
  }
}

static void
naive_rows_load (const CardiacOp *op, double *const *in, double *y)
{
  int64_t R = op->in[0].shape[1], n = op->out.shape[1], D = op->out.shape[2];
  for (int64_t i = 0; i < op->out.shape[0] * n * D; i++)
    y[i] = in[0][(i / (n * D) * R + op->rows.first + i / D % n) * D + i % D];
}

static void
naive_rows_store (const CardiacOp *op, double *const *in, double *y)
{
  int64_t R = op->out.shape[1], n = op->in[1].shape[1], D = op->out.shape[2];
  for (int64_t i = 0; i < op->out.shape[0] * R * D; i++) {
    int64_t row = i / D % R - op->rows.first;
    y[i] = row < 0 || row >= n ? in[0][i]
                               : in[1][(i / (R * D) * n + row) * D + i % D];
  }
}

static void
naive_mean (const CardiacOp *op, double *const *in, double *y)
{
  int64_t R = op->in[0].shape[1], D = op->in[0].shape[2];
  for (int64_t i = 0; i < op->in[0].shape[0] * D; i++) {
    y[i] = 0;
    for (int64_t r = 0; r < R; r++)
      y[i] += in[0][(i / D * R + r) * D + i % D] / (double) R;
  }
}

static void
naive_nchw_to_nhwc (const CardiacOp *op, double *const *in, double *y)
{
  int64_t H = op->out.shape[1], W = op->out.shape[2], C = op->out.shape[3];
  for (int64_t i = 0; i < op->out.shape[0] * H * W * C; i++)
    y[i] = in[0][(i / (H * W * C) * C + i % C) * H * W + i / C % (H * W)];
}

/** From x's side: where each of its elements goes. */
static void
naive_permute (const CardiacOp *op, double *const *in, double *y)
{
  const CardiacTensor *x = &op->in[0];
  for (int64_t i = 0; i < cardiac_tensor_count (x); i++) {
    int64_t index[CARDIAC_MAX_RANK], rest = i, to = 0;
    for (int axis = x->rank - 1; axis >= 0; axis--) {
      index[axis] = rest % x->shape[axis];
      rest /= x->shape[axis];
    }
    for (int axis = 0; axis < x->rank; axis++)
      to = to * op->out.shape[axis] + index[op->permute.axes[axis]];
    y[to] = in[0][i];
  }
}

static void
naive_cosine (const CardiacOp *op, double *const *in, double *y)
{
  int64_t A = op->in[1].shape[0], C = op->in[1].shape[1];
  int64_t E = op->in[1].shape[2];
  for (int64_t i = 0; i < A * C; i++) {
    double ft = 0, ff = 0, tt = 0;
    for (int64_t e = 0; e < E; e++) {
      double f = in[0][i / C * E + e], t = in[1][i * E + e];
      ft += f * t;
      ff += f * f;
      tt += t * t;
    }
    y[i] = op->cosine.scale * ft / sqrt (ff * tt);
  }
}

void
check_naive (const CardiacOp *op, double *const *in, double *out)
{
  switch (op->kind) {
#define NAIVE(NAME, name)                                                      \
  case CARDIAC_OP_##NAME:                                                      \
    naive_##name (op, in, out);                                                \
    break;
    NAIVE (LINEAR, linear)
    NAIVE (LAYER_NORM, layer_norm)
    NAIVE (ATTENTION, attention)
    NAIVE (MATMUL, matmul)
    NAIVE (CONV2D, conv2d)
    NAIVE (MAX_POOL2D, max_pool2d)
    NAIVE (AVG_POOL2D, avg_pool2d)
    NAIVE (UPSAMPLE2X, upsample2x)
    NAIVE (CONCAT, concat)
    NAIVE (SLICE, slice)
    NAIVE (SOFTMAX, softmax)
    NAIVE (BINARY, binary)
    NAIVE (GATE, gate)
    NAIVE (MAGNITUDE, magnitude)
    NAIVE (PATCHIFY, patchify)
    NAIVE (TOKENS, tokens)
    NAIVE (ROWS_LOAD, rows_load)
    NAIVE (ROWS_STORE, rows_store)
    NAIVE (MEAN, mean)
    NAIVE (NCHW_TO_NHWC, nchw_to_nhwc)
    NAIVE (PERMUTE, permute)
    NAIVE (COSINE, cosine)
    NAIVE (AMPLIFY, amplify)
    NAIVE (EIGENCAM, eigencam)
    NAIVE (YOLO_DECODE, yolo_decode)
#undef NAIVE
    case CARDIAC_OP_KINDS:
      break;
  }
}
