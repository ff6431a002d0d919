/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cpu.h"

#include <math.h>
#include <string.h>

/* Layer norm, softmax, means and MReg's amplification. */

/** Elements that make a piece worth its overhead. */
enum { PIECE_ELEMENTS = 32768, PIECE_CHANNELS = 64 };

static void
run_layer_norm (const CardiacKernel *kernel, void *const *in, void *out,
    int piece, void *scratch)
{
  const CpuLoop *loop = cpu_loop (kernel);
  const CardiacTensor *x = &loop->op.in[0], *y = &loop->op.out;
  const int64_t width = cardiac_tensor_width (x), first = piece * loop->chunk;
  const int64_t rows = cpu_min (loop->chunk, cardiac_tensor_rows (x) - first);
  (void) scratch;
  loop->vector->layer_norm (cpu_at (in[0], x->dtype, first * width), x->dtype,
      in[1], in[2], loop->op.norm.epsilon,
      cpu_at (out, y->dtype, first * width), y->dtype, rows, width);
}

CPU_PREPARE (layer_norm)
{
  const CardiacTensor *x = &op->in[0];
  if (!cpu_expect (op, 3) || op->in[1].dtype != CARDIAC_F32
      || op->in[2].dtype != CARDIAC_F32
      || cardiac_tensor_count (&op->in[1]) != cardiac_tensor_width (x)
      || cardiac_tensor_count (&op->in[2]) != cardiac_tensor_width (x)
      || cardiac_tensor_count (&op->out) != cardiac_tensor_count (x))
    return false;
  return cpu_loop_plan (context, op, kernel, run_layer_norm,
      cardiac_tensor_rows (x),
      cpu_parts (PIECE_ELEMENTS, cardiac_tensor_width (x)), 0, error);
}

static void
run_softmax (const CardiacKernel *kernel, void *const *in, void *out, int piece,
    void *scratch)
{
  const CpuLoop *loop = cpu_loop (kernel);
  const CardiacTensor *x = &loop->op.in[0];
  const int64_t width = cardiac_tensor_width (x), first = piece * loop->chunk;
  const int64_t rows = cpu_min (loop->chunk, cardiac_tensor_rows (x) - first);
  const float *from = (const float *) in[0] + first * width;
  float *y = (float *) out + first * width, *sums = scratch;
  loop->vector->exponentials (from, 1, y, CARDIAC_F32, sums, rows, width);
  for (int64_t row = 0; row < rows; row++)
    loop->vector->scale (
        y + row * width, 1.0f / sums[row], y + row * width, CARDIAC_F32, width);
}

CPU_PREPARE (softmax)
{
  const CardiacTensor *x = &op->in[0];
  if (!cpu_expect (op, 1) || x->dtype != CARDIAC_F32
      || op->out.dtype != CARDIAC_F32
      || cardiac_tensor_count (&op->out) != cardiac_tensor_count (x))
    return false;
  const int64_t chunk = cpu_parts (PIECE_ELEMENTS, cardiac_tensor_width (x));
  return cpu_loop_plan (context, op, kernel, run_softmax,
      cardiac_tensor_rows (x), chunk, (size_t) chunk * 4, error);
}

/* ---- mean over the middle axis --------------------------------------------------- */

static void
run_mean (const CardiacKernel *kernel, void *const *in, void *out, int piece,
    void *scratch)
{
  const CpuLoop *loop = cpu_loop (kernel);
  const int64_t rows = loop->op.in[0].shape[1], d = loop->op.in[0].shape[2];
  const float *x = (const float *) in[0] + piece * rows * d;
  float *y = (float *) out + piece * d;
  (void) scratch;
  memset (y, 0, (size_t) d * 4);
  for (int64_t row = 0; row < rows; row++)
    loop->vector->accumulate (y, x + row * d, d);
  loop->vector->scale (y, 1.0f / (float) rows, y, CARDIAC_F32, d);
}

CPU_PREPARE (mean)
{
  const CardiacTensor *x = &op->in[0];
  if (!cpu_expect (op, 1) || x->rank != 3 || x->dtype != CARDIAC_F32
      || op->out.dtype != CARDIAC_F32
      || cardiac_tensor_count (&op->out) != x->shape[0] * x->shape[2])
    return false;
  return cpu_loop_plan (
      context, op, kernel, run_mean, x->shape[0], 1, 0, error);
}

/* ---- cosine ------------------------------------------------------------------------ */

static void
run_cosine (const CardiacKernel *kernel, void *const *in, void *out, int piece,
    void *scratch)
{
  const CpuLoop *loop = cpu_loop (kernel);
  const int64_t classes = loop->op.in[1].shape[1];
  const int64_t e = loop->op.in[1].shape[2];
  const float *f = (const float *) in[0] + piece * e;
  float *y = (float *) out + piece * classes;
  (void) scratch;
  const float length = sqrtf (loop->vector->dot (f, f, e));
  for (int64_t c = 0; c < classes; c++) {
    const float *t = (const float *) in[1] + (piece * classes + c) * e;
    const float lengths = length * sqrtf (loop->vector->dot (t, t, e));
    y[c] = lengths == 0 ? 0
                        : loop->op.cosine.scale
                              * (loop->vector->dot (f, t, e) / lengths);
  }
}

CPU_PREPARE (cosine)
{
  const CardiacTensor *f = &op->in[0], *t = &op->in[1];
  if (!cpu_expect (op, 2) || f->dtype != CARDIAC_F32 || t->rank != 3
      || t->dtype != CARDIAC_F32 || op->out.dtype != CARDIAC_F32
      || cardiac_tensor_width (f) != t->shape[2]
      || cardiac_tensor_rows (f) != t->shape[0]
      || cardiac_tensor_count (&op->out) != t->shape[0] * t->shape[1])
    return false;
  return cpu_loop_plan (
      context, op, kernel, run_cosine, t->shape[0], 1, 0, error);
}

/* ---- amplification (MReg, Eq. 1) ----------------------------------------------------- */

/** m[i,t-1], m[i,t], m[i,t+1], padded. */
static void
neighbours (
    const CardiacOp *op, const float *lengths, int64_t t, float around[3])
{
  const int64_t frames = op->in[0].shape[1];
  const bool replicate = op->amplify.replicate;
  around[0] = t > 0 ? lengths[t - 1] : replicate ? lengths[0] : 0;
  around[1] = lengths[t];
  around[2] = t + 1 < frames ? lengths[t + 1]
              : replicate    ? lengths[frames - 1]
                             : 0;
}

/** Mean of v over the video and its spread, one channel at a time: sums in
 * double, because a video may hold hundreds of frames. */
static void
video_moments (
    const float *v, int64_t count, int64_t stride, float *mean, float *variance)
{
  double sum = 0, squares = 0;
  for (int64_t i = 0; i < count; i++)
    sum += v[i * stride];
  sum /= (double) count;
  for (int64_t i = 0; i < count; i++)
    squares += (v[i * stride] - sum) * (v[i * stride] - sum);
  *mean = (float) sum;
  *variance = (float) (squares / (double) count);
}

static void
run_amplify (const CardiacKernel *kernel, void *const *in, void *out, int piece,
    void *scratch)
{
  const CpuLoop *loop = cpu_loop (kernel);
  const CardiacOp *op = &loop->op;
  const int64_t frames = op->in[0].shape[1], e = op->in[0].shape[2];
  const int64_t count = op->in[0].shape[0] * frames;
  const int64_t first = piece * loop->chunk;
  const int64_t last = cpu_min (first + loop->chunk, e);
  const float *z = in[0], *w = in[1], *bias = in[2];
  const float *gain = in[3], *offset = in[4];
  float *a = out, *lengths = scratch;

  for (int64_t i = 0; i < count; i++)
    lengths[i] = sqrtf (loop->vector->dot (z + i * e, z + i * e, e));
  for (int64_t i = 0; i < count; i++) {
    float around[3];
    neighbours (op, lengths + i / frames * frames, i % frames, around);
    for (int64_t c = first; c < last; c++)
      a[i * e + c] =
          z[i * e + c]
          + op->amplify.beta
                * (bias[c] + w[3 * c] * around[0] + w[3 * c + 1] * around[1]
                    + w[3 * c + 2] * around[2]);
  }
  for (int64_t c = first; c < last; c++) {
    float mean, variance;
    if (cardiac_op_has (op, 5)) {
      mean = ((const float *) in[5])[c];
      variance = ((const float *) in[6])[c];
    } else {
      video_moments (a + c, count, e, &mean, &variance);
    }
    const float factor = gain[c] / sqrtf (variance + op->amplify.epsilon);
    for (int64_t i = 0; i < count; i++)
      a[i * e + c] = (a[i * e + c] - mean) * factor + offset[c];
  }
}

CPU_PREPARE (amplify)
{
  const CardiacTensor *z = &op->in[0];
  if (!cpu_expect (op, 5) || z->rank != 3
      || cardiac_op_has (op, 5) != cardiac_op_has (op, 6)
      || cardiac_tensor_count (&op->out) != cardiac_tensor_count (z)
      || op->out.dtype != CARDIAC_F32)
    return false;
  const int64_t e = z->shape[2];
  for (int i = 0; i < op->inputs; i++)
    if (op->in[i].dtype != CARDIAC_F32
        || (i && cardiac_op_has (op, i)
            && cardiac_tensor_count (&op->in[i]) != (i == 1 ? 3 * e : e)))
      return false;
  return cpu_loop_plan (context, op, kernel, run_amplify, e, PIECE_CHANNELS,
      (size_t) (z->shape[0] * z->shape[1]) * 4, error);
}
