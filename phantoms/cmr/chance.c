/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "chance.h"

#include <math.h>

uint64_t
chance_next (Chance *chance)
{
  uint64_t z = chance->state += 0x9e3779b97f4a7c15u;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
  return z ^ (z >> 31);
}

Chance
chance_new (uint64_t seed, uint64_t stream)
{
  Chance mix = { seed };
  Chance chance = { chance_next (&mix) + stream * 0xd1342543de82ef95u };
  chance_next (&chance);
  return chance;
}

double
chance_uniform (Chance *chance, double low, double high)
{
  double unit = (double) (chance_next (chance) >> 11) * 0x1p-53;
  return low + (high - low) * unit;
}

double
chance_normal (Chance *chance, double mean, double sd)
{
  double radius = sqrt (-2 * log (1 - chance_uniform (chance, 0, 1)));
  return mean + sd * radius * cos (chance_uniform (chance, 0, 2 * M_PI));
}
