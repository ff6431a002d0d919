/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef ECHO_TEXTURE_H
#define ECHO_TEXTURE_H

#include <stdbool.h>
#include <stdint.h>

/* Periodic random pictures: rows are beams, columns depth. Sizes are powers of
 * two. */
enum {
  SPECKLE_BEAMS = 128,
  SPECKLE_DEPTHS = 512,
  NOISE_BEAMS = 64,
  NOISE_DEPTHS = 128,
};

/** What the machine's pictures are made of, for one seed. */
typedef struct Textures {
  /** Fully developed speckle (Rayleigh) in dB, mean about -2.5. */
  float speckle[SPECKLE_BEAMS][SPECKLE_DEPTHS];
  /** Normal numbers, a little alike from beam to beam and along the beam, as
   * colour Doppler estimates are. */
  float noise[NOISE_BEAMS][NOISE_DEPTHS];
  float patches[NOISE_BEAMS][NOISE_DEPTHS]; ///< slow normal numbers
} Textures;

/** @return false when memory ran out. */
bool textures_make (Textures *textures, uint64_t seed);

#endif
