/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef WORKER_H
#define WORKER_H

#include <cardiac/error.h>
#include <glib.h>

/* A thread that owns one network, and a mailbox for one job. It never touches
 * pads, buffers or the bus: it takes jobs and leaves outcomes. */

typedef struct _Worker Worker;

/** What the thread does; every function but the free ones runs in it. */
typedef struct {
  /** Makes the network and warms it up. */
  gboolean (*open) (gpointer network, CardiacError **error);
  /** Does a job and returns its outcome (never %NULL). */
  gpointer (*run) (gpointer network, gpointer job);
  void (*close) (gpointer network);
  GDestroyNotify free_job;
  GDestroyNotify free_outcome;
} WorkerClass;

/** Starts the thread and waits until the network is open.
 * @network: belongs to the thread until worker_free() returns
 * Returns: %NULL with @error when open() failed */
Worker *worker_new (const WorkerClass *klass, gpointer network,
    const gchar *name, CardiacError **error);

/** Ends the thread; waits for the job that it is at. */
void worker_free (Worker *worker);

/** Puts a job into the mailbox. A job that still waits there is thrown away.
 * Returns: whether one was */
gboolean worker_submit (Worker *worker, gpointer job);

/** Throws away the waiting job and all outcomes. */
void worker_forget (Worker *worker);

/** Waits until nothing is left to do.
 * Returns: %FALSE when worker_set_flushing() ended the wait */
gboolean worker_wait (Worker *worker);

/** While flushing, nobody waits. */
void worker_set_flushing (Worker *worker, gboolean flushing);

/** The oldest outcome that nobody took yet, or %NULL. The caller owns it. */
gpointer worker_take (Worker *worker);

/** Whether a job is waiting or being done. */
gboolean worker_is_busy (Worker *worker);

#endif
