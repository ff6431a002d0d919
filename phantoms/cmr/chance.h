/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CMR_CHANCE_H
#define CMR_CHANCE_H

#include <stdint.h>

/* Random numbers: splitmix64, so that any seed will do, also 0, and streams of
 * different seeds do not resemble each other. */
typedef struct Chance {
  uint64_t state;
} Chance;

/* A stream of its own for (seed, stream). */
Chance chance_new (uint64_t seed, uint64_t stream);
uint64_t chance_next (Chance *chance);
double chance_uniform (Chance *chance, double low, double high);
double chance_normal (Chance *chance, double mean, double sd);

#endif
