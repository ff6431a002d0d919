/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CARDIAC_CORE_SAFETENSORS_H
#define CARDIAC_CORE_SAFETENSORS_H

#include <cardiac/error.h>
#include <cardiac/tensor.h>
#include <jansson.h>
#include <stdbool.h>

/* The container of a model file: a 64-bit little-endian header length, a JSON
 * header, then the tensors' bytes without gap or overlap. */

/** One tensor of the file; the name belongs to the header, the data to the
 * bytes that were parsed. */
typedef struct CardiacNamedTensor {
  const char *name; ///< UTF-8; may hold anything else: see printable.h
  CardiacTensor tensor;
} CardiacNamedTensor;

/** A parsed container; free it with cardiac_safetensors_clear(). */
typedef struct CardiacSafetensors {
  CardiacNamedTensor *tensors;  ///< in the order of their data
  int count;                    ///< >= 0
  CardiacNamedTensor **by_name; ///< the same, sorted by strcmp() of the name
  json_t *header;               ///< owns every name and the metadata
} CardiacSafetensors;

/** Parses `size` bytes, which are never written and must outlive `*out`.
 * Everything is checked: the header's length and JSON, each entry's keys,
 * dtype, shape (extents from 1 to INT32_MAX) and byte range, and that the
 * ranges cover the data exactly. Tensors that only bookkeeping of other
 * programs needs (`*.position_ids`,
 * `*.num_batches_tracked`) are checked and then left out. `path` is for
 * messages. On failure `*out` is all zero; errors: FORMAT (damaged or not
 * safetensors), MODEL (legal, but no network here has such a tensor),
 * NO_MEMORY. */
bool cardiac_safetensors_parse (const char *path, const void *bytes,
    size_t size, CardiacSafetensors *out, CardiacError **error);

/** Frees it; allowed on an all-zero object. */
void cardiac_safetensors_clear (CardiacSafetensors *file);

/** The tensor of that name, or NULL. */
const CardiacNamedTensor *cardiac_safetensors_find (
    const CardiacSafetensors *file, const char *name);

/** A string of `__metadata__`, or NULL; owned by the header. */
const char *cardiac_safetensors_metadata (
    const CardiacSafetensors *file, const char *key);

#endif
