/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "core/arena.h"

#include <stdbool.h>
#include <stdlib.h>

/* 64 bytes of alignment, and 64 of distance: kernels may read a vector past
 * the end of a value. */
static size_t
padded (size_t bytes)
{
  return ((bytes + 63) & ~(size_t) 63) + 64;
}

static int
larger_first (const void *a, const void *b)
{
  const CardiacArenaItem *x = a, *y = b;
  if (x->bytes != y->bytes)
    return x->bytes < y->bytes ? 1 : -1;
  return x->user - y->user;
}

static bool
alive_together (const CardiacArenaItem *a, const CardiacArenaItem *b)
{
  return a->first <= b->last && b->first <= a->last;
}

/* Is [offset, offset + bytes) free of the items placed so far? If not, where
 * does the first one in the way end? */
static bool
place_is_free (const CardiacArenaItem *items, int placed,
    const CardiacArenaItem *item, size_t offset, size_t *next)
{
  for (int i = 0; i < placed; i++) {
    const CardiacArenaItem *other = &items[i];
    if (alive_together (item, other)
        && offset < other->offset + padded (other->bytes)
        && other->offset < offset + padded (item->bytes)) {
      *next = other->offset + padded (other->bytes);
      return false;
    }
  }
  return true;
}

size_t
cardiac_arena_lay_out (CardiacArenaItem *items, int count)
{
  qsort (items, count, sizeof *items, larger_first);
  size_t total = 0;
  for (int i = 0; i < count; i++) {
    size_t best = 0, next = 0;
    while (!place_is_free (items, i, &items[i], best, &next))
      best = next;
    items[i].offset = best;
    if (best + padded (items[i].bytes) > total)
      total = best + padded (items[i].bytes);
  }
  return total;
}
