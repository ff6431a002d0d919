/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CARDIAC_ERROR_H
#define CARDIAC_ERROR_H

#include <cardiac/export.h>

CARDIAC_BEGIN_DECLS

/** What kind of thing went wrong; stable numbers. */
typedef enum CardiacErrorCode {
  CARDIAC_ERROR_INVALID_ARGUMENT = 1, ///< the caller's argument is out of range
  CARDIAC_ERROR_NOT_FOUND = 2,        ///< a file does not exist
  CARDIAC_ERROR_IO = 3,               ///< a file cannot be read or written
  CARDIAC_ERROR_FORMAT = 4,           ///< a file is damaged or of another kind
  CARDIAC_ERROR_MODEL = 5, ///< a model's tensors or configuration do not fit
  CARDIAC_ERROR_UNSUPPORTED = 6, ///< legal, but not supported here
  CARDIAC_ERROR_DEVICE = 7,      ///< the asked device cannot be had
  CARDIAC_ERROR_NO_MEMORY = 8,   ///< an allocation failed
  CARDIAC_ERROR_INTERNAL = 9,    ///< a library below reported a failure
} CardiacErrorCode;

/** One failure: a code, a sentence for a person, a detail for a log.
 *
 * Functions that can fail take `CardiacError **error` last. NULL is allowed
 * (the failure is then only seen in the return value). On failure `*error`,
 * which must have been NULL, receives a new object; free it with
 * cardiac_error_free(). On success it is left alone. */
typedef struct CardiacError CardiacError;

CARDIAC_API CardiacErrorCode cardiac_error_code (const CardiacError *error);

/** One sentence for a person: what, which file, expected, found, what to do.
 * Owned by the error. */
CARDIAC_API const char *cardiac_error_message (const CardiacError *error);

/** More for a log; may be "". Owned by the error. */
CARDIAC_API const char *cardiac_error_detail (const CardiacError *error);

/** Frees `*error` (may be NULL) and sets it to NULL. */
CARDIAC_API void cardiac_error_free (CardiacError **error);

CARDIAC_END_DECLS

#endif
