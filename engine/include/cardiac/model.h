/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CARDIAC_MODEL_H
#define CARDIAC_MODEL_H

#include <cardiac/error.h>
#include <cardiac/tensor.h>
#include <stdbool.h>

CARDIAC_BEGIN_DECLS

/** Which network a model file holds (`gst_cardiac.arch`). */
typedef enum CardiacArch {
  CARDIAC_ARCH_XCLIP,
  CARDIAC_ARCH_MREG,
  CARDIAC_ARCH_YOLOV8,
  CARDIAC_ARCH_MMSA,
} CardiacArch;

/** A model file, mapped and checked: immutable, counted, usable from any
 * thread. The file is treated as hostile: see docs/model-format.md. */
typedef struct CardiacModel CardiacModel;

/** Maps and checks a safetensors file. Every byte range, dtype and name is
 * checked here; whether the tensors fit the network is checked when a network
 * is made from the model. Returns a reference, or NULL with `*error`:
 * NOT_FOUND, IO, FORMAT (damaged, not safetensors), MODEL (not one of ours),
 * NO_MEMORY, INVALID_ARGUMENT (no path).
 * The message names the file.
 *
 * The file stays mapped while the model lives. Replace it by rename, as
 * installers and downloads do: a file that is cut short in place ends every
 * process that has it mapped (SIGBUS), one that is rewritten in place changes
 * the weights in use. */
CARDIAC_API CardiacModel *cardiac_model_load (
    const char *path, CardiacError **error);

CARDIAC_API CardiacModel *cardiac_model_ref (CardiacModel *model);

/** Drops a reference and sets `*model` to NULL; NULL is allowed. */
CARDIAC_API void cardiac_model_unref (CardiacModel **model);

CARDIAC_API CardiacArch cardiac_model_arch (const CardiacModel *model);

/** "xclip", "mreg", "yolov8", "mmsa". */
CARDIAC_API const char *cardiac_arch_name (CardiacArch arch);

/** The file's base name without ".safetensors"; for people. */
CARDIAC_API const char *cardiac_model_name (const CardiacModel *model);

/** The path it was loaded from. */
CARDIAC_API const char *cardiac_model_path (const CardiacModel *model);

/** SHA-256 of the whole file, 64 lower-case hex digits. */
CARDIAC_API const char *cardiac_model_sha256 (const CardiacModel *model);

/** The card's `trained` and `synthetic`. Missing keys read as false and true:
 * a file that does not say so is never shown as trained on patients. */
CARDIAC_API bool cardiac_model_trained (const CardiacModel *model);
CARDIAC_API bool cardiac_model_synthetic (const CardiacModel *model);

/** The configuration and card as JSON text; owned by the model. */
CARDIAC_API const char *cardiac_model_config_json (const CardiacModel *model);
CARDIAC_API const char *cardiac_model_card_json (const CardiacModel *model);

/** Class labels in order (config `labels`); NULL past the end. */
CARDIAC_API const char *cardiac_model_label (
    const CardiacModel *model, int index);

/** A tensor as stored (F32, F16 or BF16, maybe unaligned), or NULL. The view
 * and its data live as long as the model. */
CARDIAC_API const CardiacTensor *cardiac_model_tensor (
    const CardiacModel *model, const char *name);

/** Number of tensors, and the name of the i-th in the order of the file. */
CARDIAC_API int cardiac_model_tensor_count (const CardiacModel *model);
CARDIAC_API const char *cardiac_model_tensor_name (
    const CardiacModel *model, int index);

CARDIAC_END_DECLS

#endif
