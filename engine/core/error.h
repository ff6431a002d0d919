/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CARDIAC_CORE_ERROR_H
#define CARDIAC_CORE_ERROR_H

#include <cardiac/error.h>
#include <stdbool.h>

/** Sets `*error` (if `error` is not NULL and `*error` is) and returns false,
 * so that a caller can write `return cardiac_fail (error, CODE, "...");`.
 * The text is the sentence for a person, printf style. */
CARDIAC_API bool cardiac_fail (CardiacError **error, CardiacErrorCode code,
    const char *format, ...) __attribute__ ((format (printf, 3, 4)));

/** Sets the detail of an error just made (no-op if `error` or `*error` is
 * NULL); replaces an earlier one. */
CARDIAC_API void cardiac_error_set_detail (CardiacError **error,
    const char *format, ...) __attribute__ ((format (printf, 2, 3)));

/** Puts "prefix: " before the message of an error just made. */
CARDIAC_API void cardiac_error_prefix (CardiacError **error, const char *format,
    ...) __attribute__ ((format (printf, 2, 3)));

#endif
