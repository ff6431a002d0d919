/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CARDIAC_CORE_MODEL_H
#define CARDIAC_CORE_MODEL_H

#include <cardiac/model.h>

/* What networks read from a model beside its tensors. Every getter returns
 * false (or a default where one is given) with an error that names file, key,
 * expected and found. */

/** A model from bytes in memory, checked like a file; for tests. The bytes are
 * borrowed: they must outlive the model. `path` names it, in messages too. */
CardiacModel *cardiac_model_from_bytes (
    const char *path, const void *bytes, size_t size, CardiacError **error);

/** An integer of the configuration within [low, high]. With `fallback` >= low
 * a missing key takes it; with `fallback` < low a missing key is an error. */
bool cardiac_model_config_int (const CardiacModel *model, const char *key,
    int64_t low, int64_t high, int64_t fallback, int64_t *value,
    CardiacError **error);

/** A finite number of the configuration; missing: `fallback` (NaN: an error). */
bool cardiac_model_config_number (const CardiacModel *model, const char *key,
    double fallback, double *value, CardiacError **error);

/** An array of exactly `count` finite numbers; missing: left as they are. */
bool cardiac_model_config_numbers (const CardiacModel *model, const char *key,
    int count, double *values, CardiacError **error);

/** Index of the configuration's string in `choices` (NULL-terminated); missing:
 * `fallback` (below 0: an error). */
bool cardiac_model_config_choice (const CardiacModel *model, const char *key,
    const char *const *choices, int fallback, int *value, CardiacError **error);

bool cardiac_model_config_bool (const CardiacModel *model, const char *key,
    bool fallback, bool *value, CardiacError **error);

/** The index-th string of an array such as `presence_labels`; owned by the
 * model. NULL past the end or where there is no such array or string. */
const char *cardiac_model_config_string (
    const CardiacModel *model, const char *key, int index);

/** An error naming the first key of the configuration that is not in `keys`
 * (NULL-terminated). */
bool cardiac_model_config_known (
    const CardiacModel *model, const char *const *keys, CardiacError **error);

/** The tensor `name` converted to a fresh float array (free() it) after its
 * shape was checked: rank, then one extent each; an extent of -1 takes any and
 * is written back through `shape` (every extent fits an int). NULL with an
 * error that names the tensor, expected and found; an infinity or NaN among the
 * values is an error too. */
float *cardiac_model_floats (const CardiacModel *model, const char *name,
    int rank, int64_t *shape, CardiacError **error);

/** As above, only the check: no data is read. */
bool cardiac_model_shape (const CardiacModel *model, const char *name, int rank,
    int64_t *shape, CardiacError **error);

/** An error naming the first tensor of the file that no one asked for through
 * cardiac_model_floats()/shape(), given the list of names that the network
 * used (n of them). */
bool cardiac_model_no_unexpected (const CardiacModel *model,
    const char *const *used, int n, CardiacError **error);

/** Converts `count` stored elements (F32, F16, BF16; unaligned) to float. */
void cardiac_floats_from (
    float *out, const void *data, CardiacDType dtype, int64_t count);

#endif
