/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "backends/reference/reference.h"

#include <math.h>

/* YOLOv8's decoding. A cell says how far its box reaches to the left, top,
 * right and bottom, each as a distribution over 16 bins (distribution focal
 * loss); the distance is its mean, in strides. */

enum { BINS = 16, SCALES = 3 };
static const int strides[SCALES] = { 8, 16, 32 };

/** Σ j softmax(logits)_j */
static double
expected_distance (const void *data, CardiacDType dtype, int64_t first)
{
  double highest = -INFINITY, sum = 0, mean = 0;
  for (int j = 0; j < BINS; j++)
    highest = fmax (highest, (double) cardiac_load (data, dtype, first + j));
  for (int j = 0; j < BINS; j++) {
    double p = exp ((double) cardiac_load (data, dtype, first + j) - highest);
    sum += p;
    mean += j * p;
  }
  return mean / sum;
}

/** One row of cells of one scale; pieces count rows through the scales. */
static void
run_yolo_decode (const CardiacKernel *kernel, void *const *in, void *out,
    int piece, void *scratch)
{
  const CardiacOp *op = cardiac_reference_op (kernel);
  const int64_t cells = op->out.shape[1];
  float *y = out;
  int scale = 0;
  int64_t row = piece, first_cell = 0;
  (void) scratch;

  for (; row >= op->in[2 * scale].shape[1]; scale++) {
    row -= op->in[2 * scale].shape[1];
    first_cell += op->in[2 * scale].shape[1] * op->in[2 * scale].shape[2];
  }
  const CardiacTensor *box = &op->in[2 * scale], *class = box + 1;
  const int64_t width = box->shape[2], classes = class->shape[3];
  const double stride = strides[scale];

  for (int64_t x = 0; x < width; x++) {
    const int64_t from = row * width + x;
    const int64_t cell = first_cell + from;
    double side[4]; /* left, top, right, bottom */
    for (int i = 0; i < 4; i++)
      side[i] =
          expected_distance (in[2 * scale], box->dtype, (from * 4 + i) * BINS);
    y[cell] = (float) (((double) x + 0.5 + (side[2] - side[0]) / 2) * stride);
    y[cells + cell] =
        (float) (((double) row + 0.5 + (side[3] - side[1]) / 2) * stride);
    y[2 * cells + cell] = (float) ((side[0] + side[2]) * stride);
    y[3 * cells + cell] = (float) ((side[1] + side[3]) * stride);
    for (int64_t c = 0; c < classes; c++) {
      double logit = (double) cardiac_load (
          in[2 * scale + 1], class->dtype, from * classes + c);
      y[(4 + c) * cells + cell] = (float) (1 / (1 + exp (-logit)));
    }
  }
}

CARDIAC_REFERENCE_PREPARE (yolo_decode)
{
  if (!cardiac_reference_expect_tensors (op, 2 * SCALES, error))
    return false;
  int64_t rows = 0, cells = 0;
  bool fits = cardiac_reference_is (&op->out, CARDIAC_F32, 2);

  for (int i = 0; fits && i < SCALES; i++) {
    const CardiacTensor *box = &op->in[2 * i], *class = box + 1;
    fits = box->rank == 4 && class->rank == 4 && box->shape[0] == 1
           && class->shape[0] == 1 && box->shape[1] == class->shape[1]
           && box->shape[2] == class->shape[2] && box->shape[3] == 4 * BINS
           && class->shape[3] == op->out.shape[0] - 4;
    if (fits) {
      rows += box->shape[1];
      cells += box->shape[1] * box->shape[2];
    }
  }
  if (!cardiac_reference_expect (op, fits && op->out.shape[1] == cells,
          "three of box [1,H,W,64] and class [1,H,W,C], out [4+C,cells] f32",
          error))
    return false;
  return cardiac_reference_plan (kernel, op, run_yolo_decode, rows, 0, error);
}
