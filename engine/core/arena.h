/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CARDIAC_CORE_ARENA_H
#define CARDIAC_CORE_ARENA_H

#include <stddef.h>

/** A block of memory that is in use from step `first` to step `last`. */
typedef struct CardiacArenaItem {
  size_t bytes;
  int first, last; ///< inclusive
  int user;        ///< the caller's number for it
  size_t offset;   ///< result: 64-byte aligned place in the arena
} CardiacArenaItem;

/** Gives every item a place such that items in use at the same step do not
 * overlap; sorts `items` by size. @return bytes of the arena. */
size_t cardiac_arena_lay_out (CardiacArenaItem *items, int count);

#endif
