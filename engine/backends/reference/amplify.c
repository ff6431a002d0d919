/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "backends/reference/reference.h"

#include <math.h>

/* MReg's feature amplification (paper, Eq. 1): where a frame's feature is long,
 * it is pushed along a learnt direction, then every channel is normalised over
 * all frames of all instances of the video.
 *
 *   m[i,t]   = |z[i,t]|
 *   g[i,t,c] = Σ_k w[c,k] m[i,t+k-1] + b[c]
 *   a        = Norm(z + beta g)
 *
 * Norm takes mean and biased variance of this video, or stored ones. */

enum { PIECE_CHANNELS = 64 };

/** m[i,t]; or what pads it when t is outside the instance. */
static double
padded_length (const CardiacOp *op, const double *lengths, int64_t t)
{
  const int64_t frames = op->in[0].shape[1];
  if (t >= 0 && t < frames)
    return lengths[t];
  if (!op->amplify.replicate)
    return 0;
  return lengths[t < 0 ? 0 : frames - 1];
}

/** v[i,t] = z[i,t,c] + beta g[i,t,c] */
static void
amplify_channel (const CardiacOp *op, void *const *in, int64_t c,
    const double *lengths, double *v)
{
  const int64_t instances = op->in[0].shape[0], frames = op->in[0].shape[1];
  const int64_t e = op->in[0].shape[2];
  const float *z = in[0], *w = (const float *) in[1] + 3 * c;
  const double bias = (double) ((const float *) in[2])[c];

  for (int64_t i = 0; i < instances; i++)
    for (int64_t t = 0; t < frames; t++) {
      double g = bias;
      for (int64_t k = 0; k < 3; k++)
        g +=
            (double) w[k] * padded_length (op, lengths + i * frames, t + k - 1);
      v[i * frames + t] =
          (double) z[(i * frames + t) * e + c] + (double) op->amplify.beta * g;
    }
}

/** Mean and biased variance. */
static void
moments (const double *v, int64_t count, double *mean, double *variance)
{
  *mean = *variance = 0;
  for (int64_t i = 0; i < count; i++)
    *mean += v[i];
  *mean /= (double) count;
  for (int64_t i = 0; i < count; i++)
    *variance += (v[i] - *mean) * (v[i] - *mean);
  *variance /= (double) count;
}

/** Some channels of all frames. */
static void
run_amplify (const CardiacKernel *kernel, void *const *in, void *out, int piece,
    void *scratch)
{
  const CardiacOp *op = cardiac_reference_op (kernel);
  const int64_t count = op->in[0].shape[0] * op->in[0].shape[1];
  const int64_t e = op->in[0].shape[2];
  const int64_t first = (int64_t) piece * PIECE_CHANNELS;
  const int64_t last = cardiac_reference_min (first + PIECE_CHANNELS, e);
  const float *z = in[0], *gain = in[3], *offset = in[4];
  float *a = out;
  double *lengths = scratch;
  double *v = lengths + count;

  for (int64_t i = 0; i < count; i++)
    lengths[i] = sqrt (cardiac_reference_dot (z + i * e, z + i * e, e));

  for (int64_t c = first; c < last; c++) {
    double mean, variance;
    amplify_channel (op, in, c, lengths, v);
    if (cardiac_op_has (op, 5)) {
      mean = (double) ((const float *) in[5])[c];
      variance = (double) ((const float *) in[6])[c];
    } else {
      moments (v, count, &mean, &variance);
    }
    double scale =
        (double) gain[c] / sqrt (variance + (double) op->amplify.epsilon);
    for (int64_t i = 0; i < count; i++)
      a[i * e + c] = (float) ((v[i] - mean) * scale + (double) offset[c]);
  }
}

CARDIAC_REFERENCE_PREPARE (amplify)
{
  if (!cardiac_reference_expect_tensors (op, 5, error))
    return false;
  const CardiacTensor *z = &op->in[0];

  if (!cardiac_reference_expect (op,
          cardiac_reference_is (z, CARDIAC_F32, 3)
              && op->out.dtype == CARDIAC_F32
              && cardiac_reference_same_shape (z, &op->out),
          "z and out [I,T,E] in f32", error))
    return false;
  const int64_t e = z->shape[2];
  bool fits = cardiac_reference_is_vector (op, 1, 3 * e)
              && cardiac_op_has (op, 5) == cardiac_op_has (op, 6);
  for (int i = 2; i <= 6; i++)
    fits = fits && cardiac_reference_is_vector (op, i, e);
  if (!cardiac_reference_expect (op, fits,
          "conv weight [E,3], conv bias, norm weight, norm bias [E], and both "
          "running moments [E] or none",
          error))
    return false;
  return cardiac_reference_plan (kernel, op, run_amplify,
      cardiac_reference_parts (e, PIECE_CHANNELS),
      2 * (size_t) (z->shape[0] * z->shape[1]) * sizeof (double), error);
}
