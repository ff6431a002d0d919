/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "../require.h"
#include "core/arena.h"
#include "core/pool.h"

#include <pthread.h>
#include <string.h>

enum { PIECES = 1000, STEPS = 200 };

static atomic_int counts[PIECES];
static int busy_worker[64];

static void
count_piece (void *user, int piece, int worker)
{
  REQUIRE (worker >= 0 && worker < 64);
  REQUIRE (busy_worker[worker] == 0); /* a data race, were it not one worker */
  busy_worker[worker] = 1;
  atomic_fetch_add (&counts[piece], 1);
  busy_worker[worker] = 0;
}

static void
every_piece_runs_once (CardiacPool *pool)
{
  memset (counts, 0, sizeof counts);
  cardiac_pool_run (pool, count_piece, NULL, PIECES);
  for (int i = 0; i < PIECES; i++)
    REQUIRE (atomic_load (&counts[i]) == 1);
  cardiac_pool_run (pool, count_piece, NULL, 0);
}

/* Each step reads what the whole step before it wrote. */
static int values[2][17];

static void
advance (void *user, int piece, int worker)
{
  int step = *(int *) user, sum = 0;
  for (int i = 0; i < 17; i++)
    sum += values[step & 1][i];
  values[!(step & 1)][piece] = sum % 1009 + piece;
}

static void
steps_follow_each_other (CardiacPool *pool, unsigned *checksum)
{
  static CardiacPoolStep steps[STEPS];
  static int numbers[STEPS];
  for (int i = 0; i < 17; i++)
    values[0][i] = i;
  for (int s = 0; s < STEPS; s++) {
    numbers[s] = s;
    steps[s] =
        (CardiacPoolStep){ .work = advance, .user = &numbers[s], .pieces = 17 };
  }
  cardiac_pool_run_steps (pool, steps, STEPS);
  *checksum = 0;
  for (int i = 0; i < 17; i++)
    *checksum = *checksum * 31 + (unsigned) values[STEPS & 1][i];
}

static void
mark_worker (void *user, int piece, int worker)
{
  REQUIRE (piece == worker);
  atomic_fetch_add (&counts[worker], 1);
}

static void
every_worker_is_entered_once (CardiacPool *pool)
{
  memset (counts, 0, sizeof counts);
  cardiac_pool_run (pool, mark_worker, NULL, CARDIAC_POOL_EACH_WORKER);
  for (int i = 0; i < cardiac_pool_threads (pool); i++)
    REQUIRE (atomic_load (&counts[i]) == 1);
}

static void
add_one (void *user, int piece, int worker)
{
  ++*(long *) user; /* one piece: callers must take turns */
}

static void *
caller (void *data)
{
  void **arguments = data;
  for (int i = 0; i < 500; i++)
    cardiac_pool_run (arguments[0], add_one, arguments[1], 1);
  return NULL;
}

static void
callers_take_turns (CardiacPool *pool)
{
  long total = 0;
  void *arguments[2] = { pool, &total };
  pthread_t threads[3];
  for (int i = 0; i < 3; i++)
    REQUIRE (pthread_create (&threads[i], NULL, caller, arguments) == 0);
  for (int i = 0; i < 3; i++)
    pthread_join (threads[i], NULL);
  REQUIRE (total == 1500);
}

static void
arena_gives_no_two_living_items_the_same_place (void)
{
  CardiacArenaItem items[60];
  unsigned seed = 7;
  size_t sum = 0;
  for (int i = 0; i < 60; i++) {
    seed = seed * 1664525u + 1013904223u;
    int first = (seed >> 8) % 50, last = first + (seed >> 20) % 10;
    items[i] = (CardiacArenaItem){
      .bytes = (seed >> 12) % 5000, .user = i, .first = first, .last = last
    };
    sum += items[i].bytes + 128;
  }
  size_t total = cardiac_arena_lay_out (items, 60);
  REQUIRE (total < sum / 2); /* memory is shared */
  for (int i = 0; i < 60; i++) {
    REQUIRE (items[i].offset % 64 == 0);
    REQUIRE (items[i].offset + items[i].bytes <= total);
    for (int j = 0; j < i; j++)
      REQUIRE (items[i].last < items[j].first || items[j].last < items[i].first
               || items[i].offset + items[i].bytes <= items[j].offset
               || items[j].offset + items[j].bytes <= items[i].offset);
  }
}

static void
a_senseless_number_of_threads_is_refused (void)
{
  CardiacError *error = NULL;
  REQUIRE (!cardiac_pool_new (-1, &error));
  REQUIRE (cardiac_error_code (error) == CARDIAC_ERROR_INVALID_ARGUMENT);
  cardiac_error_free (&error);
  REQUIRE (!cardiac_pool_new (257, NULL));
}

int
main (void)
{
  static const int threads[] = { 1, 2, 3, 8 };
  unsigned checksum[4];
  for (int i = 0; i < 4; i++) {
    CardiacPool *pool = cardiac_pool_new (threads[i], NULL);
    REQUIRE (pool && cardiac_pool_threads (pool) == threads[i]);
    every_piece_runs_once (pool);
    steps_follow_each_other (pool, &checksum[i]);
    REQUIRE (checksum[i] == checksum[0]);
    every_worker_is_entered_once (pool);
    callers_take_turns (pool);
    CardiacPool *second = cardiac_pool_ref (pool);
    cardiac_pool_unref (&pool);
    every_piece_runs_once (second);
    cardiac_pool_unref (&second);
  }
  arena_gives_no_two_living_items_the_same_place ();
  a_senseless_number_of_threads_is_refused ();
  return 0;
}
