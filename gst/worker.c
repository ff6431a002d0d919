/* SPDX-License-Identifier: LGPL-2.1-or-later */

#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include "worker.h"

/* More than this many results that nobody looks at are not worth keeping. */
#define MAX_OUTCOMES 4

struct _Worker {
  const WorkerClass *klass;
  gpointer network;
  GThread *thread;

  GMutex lock; /* protects everything below */
  GCond cond;  /* anything below has changed */
  enum { OPENING, OPEN, FAILED } phase;
  CardiacError *error;
  gpointer job; /* the mailbox */
  gboolean running;
  gboolean flushing;
  gboolean quit;
  guint generation; /* of jobs; grows when they are forgotten */
  GQueue outcomes;
};

static void
clear_outcomes (Worker *self)
{
  gpointer outcome;

  while ((outcome = g_queue_pop_head (&self->outcomes)))
    self->klass->free_outcome (outcome);
}

static void
clear_job (Worker *self)
{
  if (self->job)
    self->klass->free_job (self->job);
  self->job = NULL;
}

/* Called with the lock; gives it up while the network runs. */
static void
run_job (Worker *self)
{
  gpointer job = self->job, outcome;
  guint generation = self->generation;

  self->job = NULL;
  self->running = TRUE;
  g_mutex_unlock (&self->lock);

  outcome = self->klass->run (self->network, job);
  self->klass->free_job (job);

  g_mutex_lock (&self->lock);
  self->running = FALSE;
  if (generation != self->generation) {
    self->klass->free_outcome (outcome);
  } else {
    g_queue_push_tail (&self->outcomes, outcome);
    if (g_queue_get_length (&self->outcomes) > MAX_OUTCOMES)
      self->klass->free_outcome (g_queue_pop_head (&self->outcomes));
  }
  g_cond_broadcast (&self->cond);
}

static gpointer
worker_main (gpointer data)
{
  Worker *self = data;
  CardiacError *error = NULL;
  gboolean opened = self->klass->open (self->network, &error);

  g_mutex_lock (&self->lock);
  self->phase = opened ? OPEN : FAILED;
  self->error = error;
  g_cond_broadcast (&self->cond);

  while (opened && !self->quit) {
    if (self->job)
      run_job (self);
    else
      g_cond_wait (&self->cond, &self->lock);
  }
  g_mutex_unlock (&self->lock);

  self->klass->close (self->network);
  return NULL;
}

Worker *
worker_new (const WorkerClass *klass, gpointer network, const gchar *name,
    CardiacError **error)
{
  Worker *self = g_new0 (Worker, 1);
  gboolean failed;

  self->klass = klass;
  self->network = network;
  g_mutex_init (&self->lock);
  g_cond_init (&self->cond);
  g_queue_init (&self->outcomes);
  self->thread = g_thread_new (name, worker_main, self);

  g_mutex_lock (&self->lock);
  while (self->phase == OPENING)
    g_cond_wait (&self->cond, &self->lock);
  failed = self->phase == FAILED;
  if (failed && error) {
    *error = self->error;
    self->error = NULL;
  }
  g_mutex_unlock (&self->lock);

  if (failed) {
    worker_free (self);
    return NULL;
  }
  return self;
}

void
worker_free (Worker *self)
{
  g_mutex_lock (&self->lock);
  self->quit = TRUE;
  g_cond_broadcast (&self->cond);
  g_mutex_unlock (&self->lock);
  g_thread_join (self->thread);

  clear_job (self);
  clear_outcomes (self);
  cardiac_error_free (&self->error);
  g_cond_clear (&self->cond);
  g_mutex_clear (&self->lock);
  g_free (self);
}

gboolean
worker_submit (Worker *self, gpointer job)
{
  gboolean replaced;

  g_mutex_lock (&self->lock);
  replaced = self->job != NULL;
  clear_job (self);
  self->job = job;
  g_cond_broadcast (&self->cond);
  g_mutex_unlock (&self->lock);
  return replaced;
}

void
worker_forget (Worker *self)
{
  g_mutex_lock (&self->lock);
  self->generation++;
  clear_job (self);
  clear_outcomes (self);
  g_cond_broadcast (&self->cond);
  g_mutex_unlock (&self->lock);
}

gboolean
worker_wait (Worker *self)
{
  gboolean idle;

  g_mutex_lock (&self->lock);
  while ((self->job || self->running) && !self->flushing)
    g_cond_wait (&self->cond, &self->lock);
  idle = !self->job && !self->running;
  g_mutex_unlock (&self->lock);
  return idle;
}

void
worker_set_flushing (Worker *self, gboolean flushing)
{
  g_mutex_lock (&self->lock);
  self->flushing = flushing;
  g_cond_broadcast (&self->cond);
  g_mutex_unlock (&self->lock);
}

gpointer
worker_take (Worker *self)
{
  gpointer outcome;

  g_mutex_lock (&self->lock);
  outcome = g_queue_pop_head (&self->outcomes);
  g_mutex_unlock (&self->lock);
  return outcome;
}

gboolean
worker_is_busy (Worker *self)
{
  gboolean busy;

  g_mutex_lock (&self->lock);
  busy = self->job || self->running;
  g_mutex_unlock (&self->lock);
  return busy;
}
