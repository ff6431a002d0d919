/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CARDIAC_MMSA_H
#define CARDIAC_MMSA_H

#include <cardiac/model.h>
#include <cardiac/session.h>
#include <cardiac/tensor.h>

CARDIAC_BEGIN_DECLS

/** MMSA (Xue et al.): regional wall motion of 16 AHA segments from polar
 * short-axis cine MR over one cardiac cycle, an unsupervised optical-flow
 * branch guiding the attention of the scoring branch.
 *
 * One network is used by one thread at a time; different networks are
 * independent, also when they share a model and a pool. */
typedef struct CardiacMmsa CardiacMmsa;

enum {
  CARDIAC_MMSA_SEGMENTS = 16,
  CARDIAC_MMSA_ROWS = 80,      ///< radius, of a polar picture
  CARDIAC_MMSA_COLUMNS = 512,  ///< 16 segments of 32 columns
  CARDIAC_MMSA_SCORES = 4,     ///< normal, hypo-, a-, dyskinetic
  CARDIAC_MMSA_MIN_PHASES = 8, ///< t
  CARDIAC_MMSA_MAX_PHASES = 64,
};

/** Sizes of a network, read from its model file. */
typedef struct CardiacMmsaShape {
  int phases;      ///< t this network was planned for
  int flow_step;   ///< d, phases between the two pictures of a pair
  int scores;      ///< 4
  int kernel_taps; ///< T0 of KIConv
  int features;    ///< C4, channels of what the scores are made from
} CardiacMmsaShape;

/** Plans the network for cycles of `phases` (8..64) pictures. Takes a reference
 * on the model. Precision AUTO is fp32: it is fast enough, and a softmax over
 * thousands of positions suffers from 16 bits. Errors: MODEL (a tensor or key
 * does not fit, named), DEVICE, UNSUPPORTED (precision), NO_MEMORY,
 * INVALID_ARGUMENT (not an mmsa file, phases out of range). */
CARDIAC_API CardiacMmsa *cardiac_mmsa_new (CardiacModel *model, int phases,
    const CardiacSettings *settings, CardiacError **error);
CARDIAC_API void cardiac_mmsa_free (CardiacMmsa **mmsa);

CARDIAC_API const CardiacMmsaShape *cardiac_mmsa_shape (
    const CardiacMmsa *mmsa);
CARDIAC_API const CardiacRunInfo *cardiac_mmsa_run_info (
    const CardiacMmsa *mmsa);

/** What the network says of one cycle. Row-major float; freed with
 * cardiac_mmsa_result_free(). */
typedef struct CardiacMmsaResult {
  int phases;                        ///< t
  int scores[CARDIAC_MMSA_SEGMENTS]; ///< 1 .. 4, segment 1 first
  float logits[CARDIAC_MMSA_SEGMENTS][CARDIAC_MMSA_SCORES];
  float probabilities[CARDIAC_MMSA_SEGMENTS][CARDIAC_MMSA_SCORES];
  float index; ///< mean score of the 16 segments
  /** u from phase j to phase j + d mod t, [t,2,h,w]: radial (+ is outward),
   * then angular (+ is towards higher columns), in pixels of that scale. */
  float *flow1; ///< [t,2,80,512]
  float *flow2; ///< [t,2,40,256]
  float *flow4; ///< [t,2,20,128]
  /** Where a segment's attention lies, summing to 1; NULL at a scale without
   * MSA (a model of another structure). */
  float *attention1; ///< A [16,80,32]
  float *attention2; ///< A [16,40,16]
  float *attention3; ///< A [16,20,8]
  float *features;   ///< what the scores are made from, [16,C4,5,2]
} CardiacMmsaResult;

/** Scores one cycle.
 * @param polar P_pat `[t,80,512]`, grey / 255, columns 32 (k-1) .. 32 k - 1
 *   belonging to AHA segment k, t = the shape's phases; read only.
 * @return NULL with MODEL (weights that give no number), NO_MEMORY or DEVICE. */
CARDIAC_API CardiacMmsaResult *cardiac_mmsa_run (
    CardiacMmsa *mmsa, const float *polar, CardiacError **error);
CARDIAC_API void cardiac_mmsa_result_free (CardiacMmsaResult **result);

CARDIAC_END_DECLS

#endif
