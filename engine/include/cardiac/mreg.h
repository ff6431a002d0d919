/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CARDIAC_MREG_H
#define CARDIAC_MREG_H

#include <cardiac/image.h>
#include <cardiac/model.h>
#include <cardiac/session.h>
#include <cardiac/tensor.h>

CARDIAC_BEGIN_DECLS

/** MReg (Liu et al. 2025) on the X-CLIP video backbone (Ni et al. 2022): a
 * backbone that runs once an instance (a clip of `frames` frames), and a head
 * that runs over `instances` instances of one video.
 *
 * One network is used by one thread at a time; different networks are
 * independent, also when they share a model and a pool. */
typedef struct CardiacMReg CardiacMReg;

enum { CARDIAC_MREG_MAX_CLASSES = 8 };

/** Sizes of a network, read from its model file. */
typedef struct CardiacMRegShape {
  int instances; ///< I, 3
  int frames;    ///< T, frames an instance
  int side;      ///< S, input side in pixels
  int patches;   ///< N, patches a frame: grid * grid
  int grid;      ///< patches a side
  int embed;     ///< E
  int classes;   ///< K, grades
  float mean[3]; ///< of RGB in 0..1, subtracted from the input
  float std[3];  ///< of RGB in 0..1, divides the input
  double
      thresholds[CARDIAC_MREG_MAX_CLASSES - 1]; ///< K-1 ascending borders of r
} CardiacMRegShape;

/** Plans the network: shapes, packed weights, memory. Takes a reference on the
 * model. Errors: MODEL (a tensor or key does not fit, named), DEVICE,
 * UNSUPPORTED (precision), NO_MEMORY, INVALID_ARGUMENT (not an mreg file). */
CARDIAC_API CardiacMReg *cardiac_mreg_new (
    CardiacModel *model, const CardiacSettings *settings, CardiacError **error);
CARDIAC_API void cardiac_mreg_free (CardiacMReg **mreg);

CARDIAC_API const CardiacMRegShape *cardiac_mreg_shape (
    const CardiacMReg *mreg);
CARDIAC_API const CardiacRunInfo *cardiac_mreg_run_info (
    const CardiacMReg *mreg);

/** What the backbone keeps of one instance: floats, where the network computes.
 * Freed before the network that it was made for. */
typedef struct CardiacInstance CardiacInstance;

CARDIAC_API CardiacInstance *cardiac_instance_new (
    const CardiacMReg *mreg, CardiacError **error);
CARDIAC_API void cardiac_instance_free (CardiacInstance **instance);

/** The features of an instance, writable (a caller that has features of its
 * own fills them instead of calling cardiac_mreg_encode()). In host memory;
 * asked for again after an encode.
 * `name`: "frame_features" c [T,E], "patch_features" p [T,N,E],
 * "video_features" z [T,E], "presence_text" t' [2,E], "grade_text" t' [K,E].
 * False when there is no such name, or the device fails. */
CARDIAC_API bool cardiac_instance_tensor (
    CardiacInstance *instance, const char *name, CardiacTensor *tensor);

/** Runs the backbone on one instance.
 * @param frames `[T,3,S,S]` float, RGB, already normalised; read only. */
CARDIAC_API bool cardiac_mreg_encode (CardiacMReg *mreg, const float *frames,
    CardiacInstance *instance, CardiacError **error);

/** The same from pictures of any format and size: a square of each is resized
 * and normalised as by cardiac_resizer_square_to_tensor(), where it lies.
 * @param images one of each of the `frames` frames. In device memory all that
 *   writes them must be finished.
 * @param crop one for all of them. Errors: also UNSUPPORTED (pictures in device
 * memory, and a network on the host). */
CARDIAC_API bool cardiac_mreg_encode_images (CardiacMReg *mreg,
    const CardiacImage *images, CardiacMemory memory, const CardiacSquare *crop,
    CardiacInstance *instance, CardiacError **error);

/** What the head says of a video. Arrays are row-major float. Freed with
 * cardiac_mreg_result_free(); immutable for everyone else. */
typedef struct CardiacMRegResult {
  int instances, frames, grid, embed, classes; ///< I, T, √N, E, K
  int grade;    ///< of the selected instance, 0 .. K-1
  int selected; ///< i*, 0 .. I-1
  float value;  ///< r[i*], the regression
  float probabilities[CARDIAC_MREG_MAX_CLASSES]; ///< softmax_k e[i*,k]
  float *s2;              ///< [I,2] X-CLIP logits of (normal, regurgitation)
  float *presence;        ///< [I] softmax(s2)[1]
  float *amplified;       ///< a [I,T,E]
  float *activation;      ///< e [I,T,N,K], patch activation of each grade
  float *experts;         ///< [I,K] mean over t and n
  float *curve;           ///< [I,T] regression of each frame
  float *regression;      ///< [I]
  float *mixed;           ///< [I,T,N] Σ_k c_k e, signed
  float *eigencam;        ///< [T,N] of the selected instance
  bool *eigencam_defined; ///< [T] false where two singular values nearly tie
} CardiacMRegResult;

/** Runs the head over exactly shape->instances instances, in time order. */
CARDIAC_API CardiacMRegResult *cardiac_mreg_grade (CardiacMReg *mreg,
    CardiacInstance *const *instances, int count, CardiacError **error);
CARDIAC_API void cardiac_mreg_result_free (CardiacMRegResult **result);

CARDIAC_END_DECLS

#endif
