/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CARDIAC_CORE_MODEL_PRIVATE_H
#define CARDIAC_CORE_MODEL_PRIVATE_H

#include "core/model.h"
#include "core/safetensors.h"

#include <stdatomic.h>

/* Shared by model.c, model-config.c and model-tensors.c only. */

/** Immutable after it was made, but for the count of references. */
struct CardiacModel {
  atomic_int references;
  char *path;    ///< as given
  char *shown;   ///< the path, printable, for messages
  char *name;    ///< base name without ".safetensors"
  void *mapping; ///< the mapped file, or NULL when the bytes are borrowed
  size_t size;   ///< of the mapping
  char sha256[65];
  CardiacSafetensors file;
  CardiacArch arch;
  const char *config_text; ///< owned by `file`
  const char *card_text;   ///< owned by `file`
  json_t *config;          ///< an object
  bool trained;
  bool synthetic;
};

/** Sets a MODEL error "model file 'PATH': TEXT" and returns false. */
bool cardiac_model_fail (const CardiacModel *model, CardiacError **error,
    const char *format, ...) __attribute__ ((format (printf, 3, 4)));

#endif
