/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Found through $CARDIAC_BACKEND_PATH alone; never installed. */
#include "fake.h"

#include <pthread.h>
#include <stdlib.h>

#include "backends/backend.h"

typedef struct Gated {
  CardiacKernel inner;
} Gated;

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static bool held; /* what follows, too, under the lock */
static int waiting;

void
fake_hold (void)
{
  pthread_mutex_lock (&lock);
  held = true;
  pthread_mutex_unlock (&lock);
}

void
fake_wait_held (void)
{
  pthread_mutex_lock (&lock);
  while (waiting == 0)
    pthread_cond_wait (&changed, &lock);
  pthread_mutex_unlock (&lock);
}

void
fake_release (void)
{
  pthread_mutex_lock (&lock);
  held = false;
  pthread_cond_broadcast (&changed);
  pthread_mutex_unlock (&lock);
}

static void
pass_gate (void)
{
  pthread_mutex_lock (&lock);
  waiting++;
  pthread_cond_broadcast (&changed);
  while (held)
    pthread_cond_wait (&changed, &lock);
  waiting--;
  pthread_mutex_unlock (&lock);
}

static void
gated_run (const CardiacKernel *kernel, void *const *in, void *out, int piece,
    void *scratch)
{
  const Gated *gated = kernel->state;
  if (piece == 0)
    pass_gate ();
  gated->inner.run (&gated->inner, in, out, piece, scratch);
}

static void
gated_destroy (CardiacKernel *kernel)
{
  Gated *gated = kernel->state;
  if (gated->inner.destroy)
    gated->inner.destroy (&gated->inner);
  free (gated);
}

static bool
fake_prepare (void *context, const CardiacOp *op, CardiacKernel *kernel,
    CardiacError **error)
{
  if (!cardiac_backend_reference ()->prepare (context, op, kernel, error))
    return false;
  if (op->kind != CARDIAC_OP_PATCHIFY && op->kind != CARDIAC_OP_NCHW_TO_NHWC)
    return true;
  Gated *gated = malloc (sizeof *gated);
  if (!gated)
    abort ();
  gated->inner = *kernel;
  kernel->run = gated_run;
  kernel->destroy = gated_destroy;
  kernel->state = gated;
  return true;
}

static void *
fake_open (const CardiacBackendSettings *settings, CardiacError **error)
{
  return cardiac_backend_reference ()->open (settings, error);
}

static void
fake_close (void *context)
{
  cardiac_backend_reference ()->close (context);
}

static CardiacDType
fake_preferred (int device_index)
{
  return CARDIAC_F32;
}

static bool
fake_supports (int device_index, CardiacDType activation)
{
  return activation == CARDIAC_F32;
}

CARDIAC_API const CardiacBackend *cardiac_backend_module (void);

const CardiacBackend *
cardiac_backend_module (void)
{
  static const CardiacBackend fake = {
    .abi = CARDIAC_BACKEND_ABI,
    .name = "fake",
    .open = fake_open,
    .close = fake_close,
    .preferred = fake_preferred,
    .supports = fake_supports,
    .prepare = fake_prepare,
  };
  return &fake;
}
