/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CARDIAC_CORE_POOL_H
#define CARDIAC_CORE_POOL_H

#include <cardiac/session.h>
#include <stdatomic.h>

/** One step of a sequence: `work (user, piece, worker)` for every piece. */
typedef struct CardiacPoolStep {
  void (*work) (void *user, int piece, int worker);
  void *user;
  int pieces;      ///< >= 0, or CARDIAC_POOL_EACH_WORKER
  atomic_int next; ///< the pool's own: pieces handed out
  atomic_int done; ///< the pool's own: pieces finished
} CardiacPoolStep;

/** As `pieces`: run once on every worker, piece = worker. */
enum { CARDIAC_POOL_EACH_WORKER = -1 };

/** Runs steps in order on the pool's own threads: all pieces of a step are
 * finished before the next begins. Returns when all are done; the calling
 * thread sleeps meanwhile. Which worker takes which piece is not fixed, so
 * callers cut work such that this does not matter. `worker` is
 * 0 .. threads-1, and no two pieces run with the same one at a time: it may
 * index scratch memory. Calls from several threads take turns. */
CARDIAC_API void cardiac_pool_run_steps (
    CardiacPool *pool, CardiacPoolStep *steps, int count);

/** A sequence of one step. */
CARDIAC_API void cardiac_pool_run (CardiacPool *pool,
    void (*work) (void *user, int piece, int worker), void *user, int pieces);

CARDIAC_API int cardiac_pool_threads (const CardiacPool *pool);

#endif
