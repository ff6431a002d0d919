/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CARDIAC_CORE_PRINTABLE_H
#define CARDIAC_CORE_PRINTABLE_H

#include <stdbool.h>
#include <stddef.h>

/* Sizes that hold most tensor names, keys and paths whole. */
enum { CARDIAC_PRINTABLE_NAME = 128, CARDIAC_PRINTABLE_PATH = 1024 };

/** Writes `text`, which may come from a hostile file, in a form that is safe
 * to print: valid UTF-8 of one line, without control characters or characters
 * that reorder text. Those and stray bytes become \xNN or \u{N}; what does not
 * fit in `size` (at least 8) ends in "...". Returns `buffer`. */
const char *cardiac_printable (char *buffer, size_t size, const char *text);

/** Whether cardiac_printable() would leave `text` as it is, given room. */
bool cardiac_is_printable (const char *text);

#endif
