/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "core/sha256.h"

#include <string.h>

/* FIPS 180-4, 4.2.2: the first 32 bits of the fractional parts of the cube
 * roots of the first 64 primes. */
static const uint32_t round_constants[64] = { 0x428a2f98, 0x71374491,
  0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
  0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe,
  0x9bdc06a7, 0xc19bf174, 0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc,
  0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da, 0x983e5152, 0xa831c66d,
  0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
  0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb,
  0x81c2c92e, 0x92722c85, 0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3,
  0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070, 0x19a4c116, 0x1e376c08,
  0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
  0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb,
  0xbef9a3f7, 0xc67178f2 };

static inline uint32_t
rotate_right (uint32_t x, int n)
{
  return x >> n | x << (32 - n);
}

static inline uint32_t
load_big_endian (const uint8_t *p)
{
  return (uint32_t) p[0] << 24 | (uint32_t) p[1] << 16 | (uint32_t) p[2] << 8
         | p[3];
}

/* FIPS 180-4, 6.2.2, on `blocks` blocks of 64 bytes. */
static void
compress (uint32_t state[8], const uint8_t *data, size_t blocks)
{
  for (; blocks > 0; blocks--, data += 64) {
    uint32_t w[64];
    for (int t = 0; t < 16; t++)
      w[t] = load_big_endian (data + 4 * t);
    for (int t = 16; t < 64; t++) {
      uint32_t s0 = rotate_right (w[t - 15], 7) ^ rotate_right (w[t - 15], 18)
                    ^ w[t - 15] >> 3;
      uint32_t s1 = rotate_right (w[t - 2], 17) ^ rotate_right (w[t - 2], 19)
                    ^ w[t - 2] >> 10;
      w[t] = w[t - 16] + s0 + w[t - 7] + s1;
    }

    uint32_t a = state[0], b = state[1], c = state[2], d = state[3];
    uint32_t e = state[4], f = state[5], g = state[6], h = state[7];
    for (int t = 0; t < 64; t++) {
      uint32_t s1 =
          rotate_right (e, 6) ^ rotate_right (e, 11) ^ rotate_right (e, 25);
      uint32_t choose = (e & f) ^ (~e & g);
      uint32_t t1 = h + s1 + choose + round_constants[t] + w[t];
      uint32_t s0 =
          rotate_right (a, 2) ^ rotate_right (a, 13) ^ rotate_right (a, 22);
      uint32_t majority = (a & b) ^ (a & c) ^ (b & c);
      h = g, g = f, f = e, e = d + t1;
      d = c, c = b, b = a, a = t1 + s0 + majority;
    }
    state[0] += a, state[1] += b, state[2] += c, state[3] += d;
    state[4] += e, state[5] += f, state[6] += g, state[7] += h;
  }
}

void
cardiac_sha256_init (CardiacSha256 *sha)
{
  *sha = (CardiacSha256){
    .state = { 0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f,
        0x9b05688c, 0x1f83d9ab, 0x5be0cd19 },
  };
}

void
cardiac_sha256_update (CardiacSha256 *sha, const void *data, size_t size)
{
  const uint8_t *bytes = data;
  size_t held = sha->length % 64;

  if (size == 0)
    return;
  sha->length += size;
  if (held > 0) {
    size_t taken = size < 64 - held ? size : 64 - held;
    memcpy (sha->block + held, bytes, taken);
    bytes += taken, size -= taken;
    if (held + taken < 64)
      return;
    compress (sha->state, sha->block, 1);
  }
  compress (sha->state, bytes, size / 64);
  memcpy (sha->block, bytes + size / 64 * 64, size % 64);
}

void
cardiac_sha256_finish (CardiacSha256 *sha, char hex[65])
{
  static const char digits[] = "0123456789abcdef";
  uint64_t bits = sha->length * 8;
  size_t held = sha->length % 64;

  sha->block[held++] = 0x80;
  if (held > 56) {
    memset (sha->block + held, 0, 64 - held);
    compress (sha->state, sha->block, 1);
    held = 0;
  }
  memset (sha->block + held, 0, 56 - held);
  for (int i = 0; i < 8; i++)
    sha->block[56 + i] = (uint8_t) (bits >> (56 - 8 * i));
  compress (sha->state, sha->block, 1);

  for (int i = 0; i < 64; i++)
    hex[i] = digits[sha->state[i / 8] >> (28 - 4 * (i % 8)) & 15];
  hex[64] = '\0';
}
