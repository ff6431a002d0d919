/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cpu.h"

#include <math.h>
#include <string.h>

/* Operators on NHWC pictures that are not convolutions. A piece is some rows. */

enum { PIECE_ELEMENTS = 32768 };

/* ---- planes to pixels -------------------------------------------------------------- */

static void
run_nchw_to_nhwc (const CardiacKernel *kernel, void *const *in, void *out,
    int piece, void *scratch)
{
  const CpuLoop *loop = cpu_loop (kernel);
  const CardiacTensor *x = &loop->op.in[0], *y = &loop->op.out;
  const int64_t c = x->shape[1], height = x->shape[2], width = x->shape[3];
  const int64_t last =
      cpu_min ((piece + 1) * loop->chunk, x->shape[0] * height);
  (void) scratch;
  for (int64_t row = piece * loop->chunk; row < last; row++) {
    const int64_t from = (row / height * c * height + row % height) * width;
    loop->vector->interleave ((const float *) in[0] + from, height * width, c,
        width, cpu_at (out, y->dtype, row * width * c), y->dtype);
  }
}

CPU_PREPARE (nchw_to_nhwc)
{
  const CardiacTensor *x = &op->in[0], *y = &op->out;
  if (!cpu_expect (op, 1) || x->rank != 4 || y->rank != 4
      || x->dtype != CARDIAC_F32 || y->shape[0] != x->shape[0]
      || y->shape[1] != x->shape[2] || y->shape[2] != x->shape[3]
      || y->shape[3] != x->shape[1])
    return false;
  return cpu_loop_plan (context, op, kernel, run_nchw_to_nhwc,
      x->shape[0] * x->shape[2],
      cpu_parts (PIECE_ELEMENTS, x->shape[1] * x->shape[3]), 0, error);
}

/* ---- axes in another order ---------------------------------------------------------- */

/** Rows of y's last axis. */
static void
run_permute (const CardiacKernel *kernel, void *const *in, void *out, int piece,
    void *scratch)
{
  const CpuLoop *loop = cpu_loop (kernel);
  const CardiacTensor *x = &loop->op.in[0], *y = &loop->op.out;
  const int *axes = loop->op.permute.axes, inner = y->rank - 1;
  const int64_t width = y->shape[inner];
  const int64_t last =
      cpu_min ((piece + 1) * loop->chunk, cardiac_tensor_count (y) / width);
  int64_t stride[CARDIAC_MAX_RANK], step = 1; /* of axes of x */
  (void) scratch;
  for (int axis = x->rank - 1; axis >= 0; axis--) {
    stride[axis] = step;
    step *= x->shape[axis];
  }
  for (int64_t row = piece * loop->chunk; row < last; row++) {
    const float *from = in[0];
    float *to = (float *) out + row * width;
    int64_t rest = row;
    for (int axis = inner - 1; axis >= 0; axis--) {
      from += rest % y->shape[axis] * stride[axes[axis]];
      rest /= y->shape[axis];
    }
    for (int64_t i = 0; i < width; i++)
      to[i] = from[i * stride[axes[inner]]];
  }
}

CPU_PREPARE (permute)
{
  const CardiacTensor *x = &op->in[0], *y = &op->out;
  unsigned seen = 0;
  if (!cpu_expect (op, 1) || x->rank != y->rank || x->dtype != CARDIAC_F32
      || y->dtype != CARDIAC_F32)
    return false;
  for (int i = 0; i < y->rank; i++) {
    const int axis = op->permute.axes[i];
    if (axis < 0 || axis >= x->rank || y->shape[i] != x->shape[axis])
      return false;
    seen |= 1u << axis;
  }
  if (seen != (1u << x->rank) - 1)
    return false;
  const int64_t width = cardiac_tensor_width (y);
  return cpu_loop_plan (context, op, kernel, run_permute,
      cardiac_tensor_rows (y), cpu_parts (PIECE_ELEMENTS, width), 0, error);
}

/* ---- upsampling --------------------------------------------------------------------- */

/** Rows of x; each becomes two rows of y. */
static void
run_nearest2x (const CardiacKernel *kernel, void *const *in, void *out,
    int piece, void *scratch)
{
  const CpuLoop *loop = cpu_loop (kernel);
  const CardiacTensor *x = &loop->op.in[0];
  const size_t pixel = (size_t) x->shape[3] * cpu_size (x->dtype);
  const int64_t width = x->shape[2];
  const int64_t last =
      cpu_min ((piece + 1) * loop->chunk, x->shape[0] * x->shape[1]);
  (void) scratch;
  for (int64_t row = piece * loop->chunk; row < last; row++) {
    const char *from = (const char *) in[0] + (size_t) (row * width) * pixel;
    char *upper = (char *) out + (size_t) (4 * row * width) * pixel;
    char *lower = upper + (size_t) (2 * width) * pixel;
    for (int64_t column = 0; column < width; column++) {
      memcpy (upper + (size_t) (2 * column) * pixel, from, pixel);
      memcpy (upper + (size_t) (2 * column + 1) * pixel, from, pixel);
      from += pixel;
    }
    memcpy (lower, upper, (size_t) (2 * width) * pixel);
  }
}

static int64_t
clamp (int64_t i, int64_t count)
{
  return i < 0 ? 0 : cpu_min (i, count - 1);
}

/** A row of W pixels to one of 2 W: 3/4 of the pixel that covers a result and
 * 1/4 of its neighbour on that side. */
static void
widen (const CpuVector *vector, const float *row, int64_t width, int64_t c,
    void *out, CardiacDType dtype, int64_t at)
{
  for (int64_t column = 0; column < 2 * width; column++) {
    const int64_t j = column / 2;
    const int64_t beside = clamp (j + (column % 2 ? 1 : -1), width);
    vector->blend (0.75f, row + j * c, CARDIAC_F32, 0.25f, row + beside * c,
        CARDIAC_F32, cpu_at (out, dtype, at + column * c), dtype, c);
  }
}

/** Rows of y. */
static void
run_bilinear2x (const CardiacKernel *kernel, void *const *in, void *out,
    int piece, void *scratch)
{
  const CpuLoop *loop = cpu_loop (kernel);
  const CardiacTensor *x = &loop->op.in[0], *y = &loop->op.out;
  const int64_t height = x->shape[1], pixels = x->shape[2];
  const int64_t c = x->shape[3], width = pixels * c;
  const float scale = loop->op.upsample.scale;
  const int64_t last =
      cpu_min ((piece + 1) * loop->chunk, y->shape[0] * y->shape[1]);
  for (int64_t at = piece * loop->chunk; at < last; at++) {
    const int64_t b = at / y->shape[1], row = at % y->shape[1];
    const int64_t beside = clamp (row / 2 + (row % 2 ? 1 : -1), height);
    const int64_t near = (b * height + row / 2) * width;
    const int64_t far = (b * height + beside) * width;
    loop->vector->blend (0.75f * scale, cpu_at (in[0], x->dtype, near),
        x->dtype, 0.25f * scale, cpu_at (in[0], x->dtype, far), x->dtype,
        scratch, CARDIAC_F32, width);
    widen (loop->vector, scratch, pixels, c, out, y->dtype, at * 2 * width);
  }
}

CPU_PREPARE (upsample2x)
{
  const CardiacTensor *x = &op->in[0], *y = &op->out;
  if (!cpu_expect (op, 1) || x->rank != 4 || y->rank != 4
      || y->shape[0] != x->shape[0] || y->shape[1] != 2 * x->shape[1]
      || y->shape[2] != 2 * x->shape[2] || y->shape[3] != x->shape[3])
    return false;
  const int64_t width = x->shape[2] * x->shape[3];
  if (op->upsample.bilinear)
    return cpu_loop_plan (context, op, kernel, run_bilinear2x,
        y->shape[0] * y->shape[1], cpu_parts (PIECE_ELEMENTS / 2, width),
        (size_t) width * 4, error);
  if (x->dtype != y->dtype)
    return false;
  return cpu_loop_plan (context, op, kernel, run_nearest2x,
      x->shape[0] * x->shape[1],
      cpu_parts (PIECE_ELEMENTS / 4, x->shape[2] * x->shape[3]), 0, error);
}

/* ---- pooling ------------------------------------------------------------------------ */

/** One row of y: the window's rows first, then its columns. */
static void
run_pool2d (const CardiacKernel *kernel, void *const *in, void *out, int piece,
    void *scratch)
{
  const CpuLoop *loop = cpu_loop (kernel);
  const CardiacOp *op = &loop->op;
  const CardiacTensor *x = &op->in[0], *y = &op->out;
  const CpuVector *vector = loop->vector;
  const int64_t height = x->shape[1], width = x->shape[2], c = x->shape[3];
  const int64_t side = op->pool.kernel, stride = op->pool.stride;
  const int64_t b = piece / y->shape[1], row = piece % y->shape[1];
  const int64_t above = row * stride - op->pool.padding;
  const int64_t top = above < 0 ? 0 : above;
  const int64_t bottom = cpu_min (above + side, height);
  const bool mean = op->kind == CARDIAC_OP_AVG_POOL2D;
  const float share = 1.0f / (float) (side * side);
  float *columns = scratch, *pixel = columns + width * c;

  for (int64_t line = top; line < bottom; line++) {
    const void *from =
        cpu_at (in[0], x->dtype, (b * height + line) * width * c);
    if (line == top)
      vector->convert (columns, CARDIAC_F32, from, x->dtype, width * c);
    else if (mean)
      vector->binary (false, from, x->dtype, columns, CARDIAC_F32, columns,
          CARDIAC_F32, width * c);
    else
      vector->maximum (columns, from, x->dtype, width * c);
  }
  for (int64_t column = 0; column < y->shape[2]; column++) {
    const int64_t before = column * stride - op->pool.padding;
    const int64_t left = before < 0 ? 0 : before;
    const int64_t right = cpu_min (before + side, width);
    void *to = cpu_at (out, y->dtype, (piece * y->shape[2] + column) * c);
    memcpy (pixel, columns + left * c, (size_t) c * 4);
    for (int64_t i = left + 1; i < right; i++)
      if (mean)
        vector->accumulate (pixel, columns + i * c, c);
      else
        vector->maximum (pixel, columns + i * c, CARDIAC_F32, c);
    if (mean)
      vector->scale (pixel, share, to, y->dtype, c);
    else
      vector->convert (to, y->dtype, pixel, CARDIAC_F32, c);
  }
}

static bool
plan_pool2d (const CpuContext *context, const CardiacOp *op,
    CardiacKernel *kernel, CardiacError **error)
{
  const CardiacTensor *x = &op->in[0], *y = &op->out;
  const int64_t side = op->pool.kernel, stride = op->pool.stride;
  const int64_t padding = op->pool.padding;
  if (!cpu_expect (op, 1) || x->rank != 4 || y->rank != 4 || side < 1
      || stride < 1 || padding < 0 || 2 * padding > side
      || y->shape[0] != x->shape[0] || y->shape[3] != x->shape[3]
      || y->shape[1] != (x->shape[1] + 2 * padding - side) / stride + 1
      || y->shape[2] != (x->shape[2] + 2 * padding - side) / stride + 1)
    return false;
  return cpu_loop_plan (context, op, kernel, run_pool2d,
      y->shape[0] * y->shape[1], 1,
      (size_t) ((x->shape[2] + 1) * x->shape[3]) * 4, error);
}

CPU_PREPARE (max_pool2d)
{
  return op->in[0].dtype == op->out.dtype
         && plan_pool2d (context, op, kernel, error);
}

CPU_PREPARE (avg_pool2d)
{
  return plan_pool2d (context, op, kernel, error);
}

/* ---- YOLOv8's decoding ---------------------------------------------------------------- */

enum { BINS = 16, SCALES = 3 };
static const int strides[SCALES] = { 8, 16, 32 };

/** Σ j softmax (logits)_j, for the four sides of each of `cells` boxes.
 * @param logits [cells*4,BINS], @param e the same size, @param sums
 *   [cells*4]; distances overwrite the sums. */
static void
expected_distances (const CpuVector *vector, const float *logits, float *e,
    float *sums, int64_t cells)
{
  vector->exponentials (logits, 1, e, CARDIAC_F32, sums, 4 * cells, BINS);
  for (int64_t side = 0; side < 4 * cells; side++) {
    float mean = 0;
    for (int j = 0; j < BINS; j++)
      mean += (float) j * e[side * BINS + j];
    sums[side] = mean / sums[side];
  }
}

/** A row of cells; `side` [width,4] are its distances. */
static void
store_boxes (const float *side, int64_t width, int64_t row, float stride,
    float *y, int64_t cells)
{
  for (int64_t x = 0; x < width; x++, side += 4) {
    y[x] = ((float) x + 0.5f + (side[2] - side[0]) / 2) * stride;
    y[cells + x] = ((float) row + 0.5f + (side[3] - side[1]) / 2) * stride;
    y[2 * cells + x] = (side[0] + side[2]) * stride;
    y[3 * cells + x] = (side[1] + side[3]) * stride;
  }
}

/** One row of cells of one scale; pieces count rows through the scales. */
static void
run_yolo_decode (const CardiacKernel *kernel, void *const *in, void *out,
    int piece, void *scratch)
{
  const CpuLoop *loop = cpu_loop (kernel);
  const CardiacOp *op = &loop->op;
  const int64_t cells = op->out.shape[1];
  int scale = 0;
  int64_t row = piece, first_cell = 0;
  for (; row >= op->in[2 * scale].shape[1]; scale++) {
    row -= op->in[2 * scale].shape[1];
    first_cell += op->in[2 * scale].shape[1] * op->in[2 * scale].shape[2];
  }
  const CardiacTensor *box = &op->in[2 * scale], *class = box + 1;
  const int64_t width = box->shape[2], classes = class->shape[3];
  float *y = (float *) out + first_cell + row * width;

  float *logits = scratch, *e = logits + width * 4 * BINS;
  float *sums = e + width * 4 * BINS;
  loop->vector->convert (logits, CARDIAC_F32,
      cpu_at (in[2 * scale], box->dtype, row * width * 4 * BINS), box->dtype,
      width * 4 * BINS);
  expected_distances (loop->vector, logits, e, sums, width);
  store_boxes (sums, width, row, (float) strides[scale], y, cells);

  float *scores = scratch;
  loop->vector->sigmoid (
      cpu_at (in[2 * scale + 1], class->dtype, row * width * classes),
      class->dtype, scores, width * classes);
  for (int64_t c = 0; c < classes; c++)
    for (int64_t x = 0; x < width; x++)
      y[(4 + c) * cells + x] = scores[x * classes + c];
}

CPU_PREPARE (yolo_decode)
{
  if (!cpu_expect (op, 2 * SCALES) || op->out.rank != 2
      || op->out.dtype != CARDIAC_F32)
    return false;
  int64_t rows = 0, cells = 0, widest = 0;
  const int64_t classes = op->out.shape[0] - 4;
  for (int i = 0; i < SCALES; i++) {
    const CardiacTensor *box = &op->in[2 * i], *class = box + 1;
    if (box->rank != 4 || class->rank != 4 || box->shape[0] != 1
        || class->shape[0] != 1 || box->shape[1] != class->shape[1]
        || box->shape[2] != class->shape[2] || box->shape[3] != 4 * BINS
        || class->shape[3] != classes)
      return false;
    rows += box->shape[1];
    cells += box->shape[1] * box->shape[2];
    widest = widest > box->shape[2] ? widest : box->shape[2];
  }
  if (cells != op->out.shape[1])
    return false;
  const int64_t boxes = 2 * 4 * BINS + 4;
  return cpu_loop_plan (context, op, kernel, run_yolo_decode, rows, 1,
      (size_t) (widest * (boxes > classes ? boxes : classes)) * 4, error);
}
