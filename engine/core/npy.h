/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CARDIAC_CORE_NPY_H
#define CARDIAC_CORE_NPY_H

#include <cardiac/error.h>
#include <cardiac/tensor.h>
#include <stdbool.h>

/* NumPy's .npy files, versions 1 and 2: little endian, C order, rank 0 to
 * CARDIAC_MAX_RANK. The file is treated as hostile, like a model file. Unlike
 * elsewhere an extent may be 0 (a picture without detections). */

/** An array read from a file; free it with cardiac_npy_clear(). */
typedef struct CardiacNpy {
  CardiacTensor tensor; ///< F32, U8 or I64 on the host; data is `owned`
  void *owned;          ///< malloc'ed, aligned for any type; never NULL
} CardiacNpy;

/** Reads a float32, uint8 or int64 array; on failure `*out` is all zero.
 * Errors: NOT_FOUND, IO, FORMAT (damaged, not .npy), UNSUPPORTED (another
 * dtype, byte order, Fortran order, rank; says how to convert), NO_MEMORY. */
bool cardiac_npy_read (const char *path, CardiacNpy *out, CardiacError **error);

/** Frees what cardiac_npy_read() allocated; allowed on an all-zero object. */
void cardiac_npy_clear (CardiacNpy *npy);

/** Writes a host F32, U8 or I64 tensor as .npy version 1, replacing the file.
 * A file that could not be written whole is removed. Errors: INVALID_ARGUMENT
 * (dtype, device, shape), IO. */
bool cardiac_npy_write (
    const char *path, const CardiacTensor *tensor, CardiacError **error);

#endif
