/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CARDIAC_XCLIP_H
#define CARDIAC_XCLIP_H

#include <cardiac/model.h>
#include <cardiac/session.h>
#include <cardiac/tensor.h>

CARDIAC_BEGIN_DECLS

/** X-CLIP (Ni et al., ECCV 2022) as a zero-shot video classifier. One network
 * is used by one thread at a time. */
typedef struct CardiacXclip CardiacXclip;

CARDIAC_API CardiacXclip *cardiac_xclip_new (
    CardiacModel *model, const CardiacSettings *settings, CardiacError **error);
CARDIAC_API void cardiac_xclip_free (CardiacXclip **xclip);
CARDIAC_API const CardiacRunInfo *cardiac_xclip_run_info (
    const CardiacXclip *xclip);

/** Sizes: frames T, side S, patches N, embedding E, classes C; normalisation. */
typedef struct CardiacXclipShape {
  int frames, side, patches, embed, classes;
  float mean[3], std[3];
} CardiacXclipShape;

CARDIAC_API const CardiacXclipShape *cardiac_xclip_shape (
    const CardiacXclip *xclip);

/** Runs one clip. @param frames [T,3,S,S] float, normalised RGB. */
CARDIAC_API bool cardiac_xclip_run (
    CardiacXclip *xclip, const float *frames, CardiacError **error);

/** An output of the last run: "frame_features" [T,E], "patch_features" [T,N,E],
 * "video_features" [T,E], "prompted_text" [C,E], "logits" [C]. Valid until the
 * next run or free. False when there is no such name. */
CARDIAC_API bool cardiac_xclip_output (
    const CardiacXclip *xclip, const char *name, CardiacTensor *tensor);

CARDIAC_END_DECLS

#endif
