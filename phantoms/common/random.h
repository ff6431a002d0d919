/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef PHANTOM_RANDOM_H
#define PHANTOM_RANDOM_H

/* Random numbers that are the same everywhere: SplitMix64 (Steele et al.,
 * OOPSLA 2014). */

#include <stdint.h>

typedef struct PhantomRandom {
  uint64_t state;
} PhantomRandom;

static inline uint64_t
phantom_random_mix (uint64_t z)
{
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
  return z ^ (z >> 31);
}

static inline uint64_t
phantom_random_bits (PhantomRandom *random)
{
  random->state += 0x9e3779b97f4a7c15u;
  return phantom_random_mix (random->state);
}

/** Another stream for each `purpose` of a seed. */
static inline PhantomRandom
phantom_random_new (uint64_t seed, uint64_t purpose)
{
  PhantomRandom random = { phantom_random_mix (seed + 0x632be59bd9b4e019u)
                           ^ phantom_random_mix (purpose + 1) };
  phantom_random_bits (&random);
  return random;
}

/** Uniform in [0, 1). */
static inline double
phantom_random_unit (PhantomRandom *random)
{
  return (double) (phantom_random_bits (random) >> 11) * 0x1p-53;
}

static inline double
phantom_random_between (PhantomRandom *random, double low, double high)
{
  return low + (high - low) * phantom_random_unit (random);
}

/** 0 .. n-1. */
static inline int
phantom_random_below (PhantomRandom *random, int n)
{
  return (int) (phantom_random_unit (random) * n);
}

#endif
