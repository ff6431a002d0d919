/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "backends/reference/reference.h"

/** What a kernel position sees: x's window at (top, left) of picture b as
 * [Ci,kh,kw], the order of the weights; zeros outside. */
static void
load_window (const CardiacOp *op, const void *data, int64_t b, int64_t top,
    int64_t left, float *window)
{
  const CardiacTensor *x = &op->in[0];
  const int64_t height = x->shape[1], width = x->shape[2];
  const int64_t channels = x->shape[3];
  const int64_t kh = op->in[1].shape[2], kw = op->in[1].shape[3];

  for (int64_t ky = 0; ky < kh; ky++)
    for (int64_t kx = 0; kx < kw; kx++) {
      int64_t row = top + ky, column = left + kx;
      bool inside = row >= 0 && row < height && column >= 0 && column < width;
      int64_t at = ((b * height + row) * width + column) * channels;
      for (int64_t c = 0; c < channels; c++)
        window[(c * kh + ky) * kw + kx] =
            inside ? cardiac_load (data, x->dtype, at + c) : 0;
    }
}

/** y = act(conv(x) + b) + residual, one row of one picture. */
static void
run_conv2d (const CardiacKernel *kernel, void *const *in, void *out, int piece,
    void *scratch)
{
  const CardiacOp *op = cardiac_reference_op (kernel);
  const int64_t out_height = op->out.shape[1], out_width = op->out.shape[2];
  const int64_t co = op->out.shape[3];
  const int64_t depth =
      op->in[1].shape[1] * op->in[1].shape[2] * op->in[1].shape[3];
  const int64_t stride = op->conv.stride, padding = op->conv.padding;
  const int64_t b = piece / out_height, y = piece % out_height;
  const float *bias = cardiac_op_has (op, 2) ? in[2] : NULL;
  const void *residual = cardiac_op_has (op, 3) ? in[3] : NULL;
  double *sums = scratch;
  float *windows = (float *) (sums + CARDIAC_REFERENCE_ROW_BLOCK * co);

  for (int64_t x = 0; x < out_width; x += CARDIAC_REFERENCE_ROW_BLOCK) {
    int64_t pixels =
        cardiac_reference_min (CARDIAC_REFERENCE_ROW_BLOCK, out_width - x);
    for (int64_t i = 0; i < pixels; i++)
      load_window (op, in[0], b, y * stride - padding,
          (x + i) * stride - padding, windows + i * depth);
    cardiac_reference_products (windows, pixels, in[1], co, depth, sums);

    int64_t at = ((b * out_height + y) * out_width + x) * co;
    for (int64_t i = 0; i < pixels * co; i++) {
      double value = sums[i] + (bias ? (double) bias[i % co] : 0);
      value = cardiac_reference_activate (op->conv.activation, value);
      if (residual)
        value += (double) cardiac_load (residual, op->in[3].dtype, at + i);
      cardiac_store (out, op->out.dtype, at + i, (float) value);
    }
  }
}

CARDIAC_REFERENCE_PREPARE (conv2d)
{
  if (!cardiac_reference_expect_tensors (op, 2, error))
    return false;
  const CardiacTensor *x = &op->in[0], *w = &op->in[1], *y = &op->out;
  const int64_t stride = op->conv.stride, padding = op->conv.padding;

  if (!cardiac_reference_expect (op,
          x->rank == 4 && cardiac_reference_is (w, CARDIAC_F32, 4)
              && y->rank == 4 && w->shape[1] == x->shape[3]
              && y->shape[0] == x->shape[0] && y->shape[3] == w->shape[0],
          "x [B,H,W,Ci], w [Co,Ci,kh,kw], y [B,Ho,Wo,Co]", error)
      || !cardiac_reference_expect (op,
          stride >= 1 && padding >= 0
              && x->shape[1] + 2 * padding >= w->shape[2]
              && x->shape[2] + 2 * padding >= w->shape[3]
              && y->shape[1]
                     == (x->shape[1] + 2 * padding - w->shape[2]) / stride + 1
              && y->shape[2]
                     == (x->shape[2] + 2 * padding - w->shape[3]) / stride + 1,
          "Ho = (H + 2 padding - kh) / stride + 1, and Wo alike", error)
      || !cardiac_reference_expect (op,
          cardiac_reference_is_vector (op, 2, w->shape[0])
              && (!cardiac_op_has (op, 3)
                  || cardiac_reference_same_shape (&op->in[3], y)),
          "b [Co] in f32 and a residual of y's shape", error))
    return false;

  const int64_t depth = w->shape[1] * w->shape[2] * w->shape[3];
  size_t scratch = CARDIAC_REFERENCE_ROW_BLOCK
                   * ((size_t) w->shape[0] * sizeof (double)
                       + (size_t) depth * sizeof (float));
  if (!cardiac_reference_plan (
          kernel, op, run_conv2d, y->shape[0] * y->shape[1], scratch, error))
    return false;
  kernel->flop = 2.0 * (double) cardiac_tensor_count (y) * (double) depth;
  return true;
}
