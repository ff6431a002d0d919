/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "core/pool.h"
#include "core/error.h"

#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>

enum { MAX_THREADS = 256 };

/* How often a worker looks for the end of a step before it sleeps. Steps of a
 * detector last some 100 us; going to sleep and being woken costs 50. */
enum { SPINS = 4000 };

typedef struct Worker {
  CardiacPool *pool;
  int index;
  pthread_t thread;
} Worker;

struct CardiacPool {
  atomic_int references;
  int threads;
  Worker *workers;

  pthread_mutex_t turn; ///< held by the caller whose sequence runs

  pthread_mutex_t lock;  ///< guards what follows
  pthread_cond_t wake;   ///< workers: a sequence began, a step ended, or quit
  pthread_cond_t finish; ///< caller: all workers are through
  CardiacPoolStep *steps;
  int count;
  unsigned long sequence; ///< number of the sequence that runs
  int through;            ///< workers that are done with it
  int sleepers;           ///< workers asleep inside a sequence
  bool quit;
};

static inline void
relax (void)
{
#if defined(__x86_64__) || defined(__i386__)
  __builtin_ia32_pause ();
#elif defined(__aarch64__)
  __asm__ volatile("yield");
#endif
}

static inline int
step_size (const CardiacPool *pool, const CardiacPoolStep *step)
{
  return step->pieces == CARDIAC_POOL_EACH_WORKER ? pool->threads
                                                  : step->pieces;
}

static inline bool
step_is_done (CardiacPoolStep *step, int size)
{
  return atomic_load_explicit (&step->done, memory_order_acquire) == size;
}

/* Waits until every piece of the step is finished: first looking, then asleep. */
static void
wait_for_step (CardiacPool *pool, CardiacPoolStep *step, int size)
{
  for (int i = 0; i < SPINS; i++) {
    if (step_is_done (step, size))
      return;
    relax ();
  }
  pthread_mutex_lock (&pool->lock);
  pool->sleepers++;
  while (!step_is_done (step, size))
    pthread_cond_wait (&pool->wake, &pool->lock);
  pool->sleepers--;
  pthread_mutex_unlock (&pool->lock);
}

static void
finish_pieces (CardiacPool *pool, CardiacPoolStep *step, int size, int pieces)
{
  int done =
      atomic_fetch_add_explicit (&step->done, pieces, memory_order_acq_rel)
      + pieces;
  if (done != size)
    return;
  /* The lock is taken so that no one falls asleep between looking and us. */
  pthread_mutex_lock (&pool->lock);
  if (pool->sleepers > 0)
    pthread_cond_broadcast (&pool->wake);
  pthread_mutex_unlock (&pool->lock);
}

static void
run_step (CardiacPool *pool, CardiacPoolStep *step, int worker)
{
  int size = step_size (pool, step);
  if (size == 0)
    return;
  if (step->pieces == CARDIAC_POOL_EACH_WORKER) {
    step->work (step->user, worker, worker);
    finish_pieces (pool, step, size, 1);
  } else {
    int mine = 0;
    for (;;) {
      int piece =
          atomic_fetch_add_explicit (&step->next, 1, memory_order_relaxed);
      if (piece >= size)
        break;
      step->work (step->user, piece, worker);
      mine++;
    }
    if (mine > 0)
      finish_pieces (pool, step, size, mine);
  }
  wait_for_step (pool, step, size);
}

static void *
worker_main (void *data)
{
  Worker *worker = data;
  CardiacPool *pool = worker->pool;
  unsigned long seen = 0;

  pthread_mutex_lock (&pool->lock);
  for (;;) {
    while (pool->sequence == seen && !pool->quit)
      pthread_cond_wait (&pool->wake, &pool->lock);
    if (pool->quit)
      break;
    seen = pool->sequence;
    CardiacPoolStep *steps = pool->steps;
    int count = pool->count;
    pthread_mutex_unlock (&pool->lock);

    for (int i = 0; i < count; i++)
      run_step (pool, &steps[i], worker->index);

    pthread_mutex_lock (&pool->lock);
    if (++pool->through == pool->threads)
      pthread_cond_signal (&pool->finish);
  }
  pthread_mutex_unlock (&pool->lock);
  return NULL;
}

void
cardiac_pool_run_steps (CardiacPool *pool, CardiacPoolStep *steps, int count)
{
  for (int i = 0; i < count; i++) {
    atomic_store_explicit (&steps[i].next, 0, memory_order_relaxed);
    atomic_store_explicit (&steps[i].done, 0, memory_order_relaxed);
  }
  pthread_mutex_lock (&pool->turn);
  pthread_mutex_lock (&pool->lock);
  pool->steps = steps;
  pool->count = count;
  pool->through = 0;
  pool->sequence++;
  pthread_cond_broadcast (&pool->wake);
  while (pool->through < pool->threads)
    pthread_cond_wait (&pool->finish, &pool->lock);
  pthread_mutex_unlock (&pool->lock);
  pthread_mutex_unlock (&pool->turn);
}

void
cardiac_pool_run (CardiacPool *pool,
    void (*work) (void *user, int piece, int worker), void *user, int pieces)
{
  CardiacPoolStep step = { .work = work, .user = user, .pieces = pieces };
  cardiac_pool_run_steps (pool, &step, 1);
}

int
cardiac_pool_threads (const CardiacPool *pool)
{
  return pool->threads;
}

int
cardiac_processors (void)
{
  cpu_set_t set;
  if (sched_getaffinity (0, sizeof set, &set) != 0)
    return 1;
  int count = CPU_COUNT (&set);
  return count < 1 ? 1 : count > MAX_THREADS ? MAX_THREADS : count;
}

/* Ends the first `started` workers and frees the pool. */
static void
pool_destroy (CardiacPool *pool, int started)
{
  pthread_mutex_lock (&pool->lock);
  pool->quit = true;
  pthread_cond_broadcast (&pool->wake);
  pthread_mutex_unlock (&pool->lock);
  for (int i = 0; i < started; i++)
    pthread_join (pool->workers[i].thread, NULL);
  pthread_cond_destroy (&pool->wake);
  pthread_cond_destroy (&pool->finish);
  pthread_mutex_destroy (&pool->lock);
  pthread_mutex_destroy (&pool->turn);
  free (pool->workers);
  free (pool);
}

CardiacPool *
cardiac_pool_new (int threads, CardiacError **error)
{
  if (threads < 0 || threads > MAX_THREADS) {
    cardiac_fail (error, CARDIAC_ERROR_INVALID_ARGUMENT,
        "%d threads asked for; 0 (all processors) to %d are possible", threads,
        MAX_THREADS);
    return NULL;
  }
  if (threads == 0)
    threads = cardiac_processors ();

  CardiacPool *pool = calloc (1, sizeof *pool);
  Worker *workers = calloc (threads, sizeof *workers);
  if (!pool || !workers) {
    free (pool);
    free (workers);
    cardiac_fail (
        error, CARDIAC_ERROR_NO_MEMORY, "no memory for %d threads", threads);
    return NULL;
  }
  atomic_init (&pool->references, 1);
  pool->threads = threads;
  pool->workers = workers;
  pthread_mutex_init (&pool->turn, NULL);
  pthread_mutex_init (&pool->lock, NULL);
  pthread_cond_init (&pool->wake, NULL);
  pthread_cond_init (&pool->finish, NULL);

  for (int i = 0; i < threads; i++) {
    Worker *worker = &workers[i];
    worker->pool = pool;
    worker->index = i;
    if (pthread_create (&worker->thread, NULL, worker_main, worker) != 0) {
      cardiac_fail (error, CARDIAC_ERROR_NO_MEMORY,
          "cannot start thread %d of %d", i + 1, threads);
      pool_destroy (pool, i);
      return NULL;
    }
    char name[16];
    snprintf (name, sizeof name, "cardiac-%hhu", (unsigned char) i);
    pthread_setname_np (worker->thread, name);
  }
  return pool;
}

CardiacPool *
cardiac_pool_ref (CardiacPool *pool)
{
  atomic_fetch_add (&pool->references, 1);
  return pool;
}

void
cardiac_pool_unref (CardiacPool **pool)
{
  if (!pool || !*pool)
    return;
  CardiacPool *it = *pool;
  *pool = NULL;
  if (atomic_fetch_sub (&it->references, 1) == 1)
    pool_destroy (it, it->threads);
}
