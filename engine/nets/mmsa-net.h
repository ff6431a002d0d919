/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CARDIAC_NETS_MMSA_NET_H
#define CARDIAC_NETS_MMSA_NET_H

#include "nets/weights.h"
#include <cardiac/mmsa.h>

/** The three scales at which flow and features meet: 1, 1/2, 1/4. */
enum { CARDIAC_MMSA_SCALES = 3 };

/** MMSA's two branches for one number of phases: what the configuration
 * chooses, and the sizes that are read from shapes. */
typedef struct CardiacMmsaNet {
  int t;       ///< phases
  int d;       ///< of the pairs (P_j, P_{j+d})
  int T0;      ///< taps of KIConv's base kernel
  int flow[4]; ///< widths at scales 1, 1/2, 1/4 and the bottleneck
  int C[4];    ///< widths of the CNN's blocks
  int Q;       ///< of the attention's encodings
  int squeezed, embedded, hidden, scores;
  bool attended[CARDIAC_MMSA_SCALES];
  bool concatenate;     ///< the flow instead of MSA
  bool leaky_attention; ///< LeakyReLU on the encodings
  bool gain_by_area;    ///< A times h w
  bool tse, tse_by_width;
  bool non_local;
  bool flow_residual; ///< u += 2 up(coarser u)
} CardiacMmsaNet;

/** Reads configuration and sizes. */
bool cardiac_mmsa_net_read (CardiacMmsaNet *net, const CardiacModel *model,
    int phases, CardiacError **error);

/** Flow of `batch` pairs. Input `pairs` [batch,80,512,2]; outputs `flow1`,
 * `flow2`, `flow4` [batch,h,w,2], kept: radial, angular. */
void cardiac_mmsa_build_flow (const CardiacMmsaNet *net,
    CardiacProgram *program, CardiacWeights *weights, int batch);

/** Scores of the 16 segments. Inputs `polar` [t,80,512,1] and, kept, `motion1`,
 * `motion2`, `motion4` [t,h,w,2], the flow of all pairs; outputs `flow1`,
 * `flow2`, `flow4` [t,2,h,w], `attention1..3` [16,h*w] where there is MSA,
 * `features` [16,5,2,C4], `logits` and `probabilities` [16,4]. */
void cardiac_mmsa_build_scores (const CardiacMmsaNet *net,
    CardiacProgram *program, CardiacWeights *weights);

#endif
