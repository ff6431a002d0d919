/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CARDIAC_NETS_HEAD_H
#define CARDIAC_NETS_HEAD_H

#include "nets/weights.h"
#include <cardiac/mreg.h>

/** What the head's configuration chooses. */
typedef struct CardiacHead {
  int I, T, N, E, K;
  double beta, norm_epsilon;
  bool replicate;   ///< amp_padding
  bool running;     ///< norm
  bool probability; ///< select
  bool gate_rows;   ///< expert_gate
  double thresholds[CARDIAC_MREG_MAX_CLASSES - 1];
} CardiacHead;

/** Reads the configuration; I, T, N, E, K are set before. */
bool cardiac_head_read (
    CardiacHead *head, const CardiacModel *model, CardiacError **error);

/** Appends the head. Inputs of the program: "video_features" [I,T,E],
 * "patch_features" [I,T,N,E], "presence_text" [I,2,E] and, an instance i,
 * "grade_text.i" [K*E]. Outputs: "s2" [I,2], "presence" [I,2] (softmax),
 * "amplified" [I,T,E], "activation" [I,T,N,K], "experts" [I,K], "curve"
 * [I,T], "regression" [I], "mixed" [I,T,N]. */
void cardiac_head_build (
    const CardiacHead *head, CardiacProgram *program, CardiacWeights *weights);

#endif
