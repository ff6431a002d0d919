/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CARDIAC_NETS_BACKBONE_H
#define CARDIAC_NETS_BACKBONE_H

#include "nets/weights.h"

/** Sizes of an X-CLIP video backbone, read from tensor shapes and
 * configuration. Symbols as in Ni et al. 2022. */
typedef struct CardiacBackbone {
  int S, P, N, T; ///< input side, patch side, patches a frame, frames
  int D, L, H;    ///< vision width, layers, heads
  int E;          ///< joint embedding width
  int F;          ///< vision MLP width
  int mit_layers, mit_heads, mit_mlp;
  int prompt_layers, prompt_heads, prompt_mlp;
  float epsilon; ///< of every layer norm
  float mean[3], std[3];
} CardiacBackbone;

/** Reads and checks all sizes of a model of arch xclip or mreg. */
bool cardiac_backbone_read (
    CardiacBackbone *backbone, const CardiacModel *model, CardiacError **error);

/** What the backbone computes, all F32. */
typedef struct CardiacBackboneValues {
  CardiacValue c;        ///< frame_features [T,E]
  CardiacValue p;        ///< patch_features [T,N,E]
  CardiacValue z;        ///< video_features [T,E]
  CardiacValue prompted; ///< prompted_text t' [C,E]
} CardiacBackboneValues;

/** Appends the backbone to a program.
 * @param frames value [T,3,S,S] F32, normalised. @param text value [C,E] F32:
 * class text embeddings, which nothing overwrites. */
CardiacBackboneValues cardiac_backbone_build (const CardiacBackbone *backbone,
    CardiacProgram *program, CardiacWeights *weights, CardiacValue frames,
    CardiacValue text, int classes);

#endif
