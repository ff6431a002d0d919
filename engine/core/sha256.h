/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CARDIAC_CORE_SHA256_H
#define CARDIAC_CORE_SHA256_H

#include <stddef.h>
#include <stdint.h>

/* SHA-256 (FIPS 180-4). */

/** A digest in the making; no cleanup is needed. */
typedef struct CardiacSha256 {
  uint32_t state[8];
  uint64_t length;   ///< bytes taken so far
  uint8_t block[64]; ///< the last length % 64 bytes
} CardiacSha256;

void cardiac_sha256_init (CardiacSha256 *sha);

/** Takes `size` more bytes. */
void cardiac_sha256_update (CardiacSha256 *sha, const void *data, size_t size);

/** Ends the digest and writes 64 lower-case hex digits and a NUL. */
void cardiac_sha256_finish (CardiacSha256 *sha, char hex[65]);

#endif
