/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The thread that owns a network, and its mailbox. */

#include <string.h>

#include "../require.h"
#include "worker.h"

/* A network that adds one and can be held up. */
typedef struct {
  GMutex lock;
  GCond cond;
  gboolean held, refuses;
  gint running, closed; /* under the lock */
} Network;

static gboolean
network_open (gpointer data, CardiacError **error)
{
  return !((Network *) data)->refuses;
}

static gpointer
network_run (gpointer data, gpointer job)
{
  Network *network = data;
  gint *outcome = g_new (gint, 1);

  g_mutex_lock (&network->lock);
  network->running++;
  g_cond_broadcast (&network->cond);
  while (network->held)
    g_cond_wait (&network->cond, &network->lock);
  g_mutex_unlock (&network->lock);
  *outcome = *(gint *) job + 1;
  return outcome;
}

static void
network_close (gpointer data)
{
  ((Network *) data)->closed++;
}

static const WorkerClass klass = { network_open, network_run, network_close,
  g_free, g_free };

static gint *
job_new (gint number)
{
  gint *job = g_new (gint, 1);

  *job = number;
  return job;
}

static Worker *
start (Network *network)
{
  memset (network, 0, sizeof *network);
  g_mutex_init (&network->lock);
  g_cond_init (&network->cond);
  return worker_new (&klass, network, "test", NULL);
}

static void
stop (Network *network, Worker *worker)
{
  if (worker)
    worker_free (worker);
  g_mutex_clear (&network->lock);
  g_cond_clear (&network->cond);
}

/* Waits until a job is being done and cannot end. */
static void
hold (Network *network, Worker *worker)
{
  g_mutex_lock (&network->lock);
  network->held = TRUE;
  network->running = 0;
  g_mutex_unlock (&network->lock);
  worker_submit (worker, job_new (1));
  g_mutex_lock (&network->lock);
  while (network->running == 0)
    g_cond_wait (&network->cond, &network->lock);
  g_mutex_unlock (&network->lock);
}

static void
release (Network *network)
{
  g_mutex_lock (&network->lock);
  network->held = FALSE;
  g_cond_broadcast (&network->cond);
  g_mutex_unlock (&network->lock);
}

static void
require_outcome (Worker *worker, gint number)
{
  gint *outcome = worker_take (worker);

  REQUIRE (outcome && *outcome == number);
  g_free (outcome);
}

static void
a_job_has_an_outcome (void)
{
  Network network;
  Worker *worker = start (&network);

  REQUIRE (!worker_submit (worker, job_new (41)));
  REQUIRE (worker_wait (worker));
  require_outcome (worker, 42);
  REQUIRE (!worker_take (worker));
  stop (&network, worker);
  REQUIRE (network.closed == 1);
}

static void
only_the_newest_job_waits (void)
{
  Network network;
  Worker *worker = start (&network);

  hold (&network, worker);
  REQUIRE (worker_is_busy (worker));
  REQUIRE (!worker_submit (worker, job_new (10)));
  REQUIRE (worker_submit (worker, job_new (20)));
  release (&network);
  REQUIRE (worker_wait (worker));
  REQUIRE (!worker_is_busy (worker));
  require_outcome (worker, 2);
  require_outcome (worker, 21);
  REQUIRE (!worker_take (worker));
  stop (&network, worker);
}

static void
nobody_waits_while_flushing (void)
{
  Network network;
  Worker *worker = start (&network);

  hold (&network, worker);
  worker_set_flushing (worker, TRUE);
  REQUIRE (!worker_wait (worker));
  worker_set_flushing (worker, FALSE);
  release (&network);
  REQUIRE (worker_wait (worker));
  stop (&network, worker);
}

static void
what_is_forgotten_has_no_outcome (void)
{
  Network network;
  Worker *worker = start (&network);

  hold (&network, worker);
  worker_submit (worker, job_new (10));
  worker_forget (worker);
  release (&network);
  REQUIRE (worker_wait (worker));
  REQUIRE (!worker_take (worker));
  worker_submit (worker, job_new (30));
  REQUIRE (worker_wait (worker));
  require_outcome (worker, 31);
  stop (&network, worker);
}

static void
outcomes_that_nobody_takes_do_not_pile_up (void)
{
  Network network;
  Worker *worker = start (&network);
  guint count = 0;
  gpointer outcome;

  for (gint i = 0; i < 100; i++) {
    worker_submit (worker, job_new (i));
    worker_wait (worker);
  }
  while ((outcome = worker_take (worker))) {
    g_free (outcome);
    count++;
  }
  REQUIRE (count >= 1 && count <= 8);
  stop (&network, worker);
}

static void
a_network_that_does_not_open_gives_no_worker (void)
{
  Network network;

  memset (&network, 0, sizeof network);
  network.refuses = TRUE;
  REQUIRE (!worker_new (&klass, &network, "test", NULL));
  REQUIRE (network.closed == 1);
}

static void
work_that_waits_is_dropped_at_the_end (void)
{
  Network network;
  Worker *worker = start (&network);

  for (gint i = 0; i < 100; i++)
    worker_submit (worker, job_new (i));
  stop (&network, worker);
}

int
main (void)
{
  a_job_has_an_outcome ();
  only_the_newest_job_waits ();
  nobody_waits_while_flushing ();
  what_is_forgotten_has_no_outcome ();
  outcomes_that_nobody_takes_do_not_pile_up ();
  a_network_that_does_not_open_gives_no_worker ();
  work_that_waits_is_dropped_at_the_end ();
  return 0;
}
