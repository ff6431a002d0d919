/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A backend for tests, `device=fake`: the reference, made slow. Every network
 * run sleeps $CARDIAC_FAKE_DELAY_MS (default 0) in its first operator. Found
 * through $CARDIAC_BACKEND_PATH alone; never installed. */
#include "backends/backend.h"

#include <stdlib.h>
#include <time.h>

typedef struct Delayed {
  CardiacKernel inner;
} Delayed;

static void
delayed_run (const CardiacKernel *kernel, void *const *in, void *out, int piece,
    void *scratch)
{
  const Delayed *delayed = kernel->state;
  if (piece == 0) {
    const char *text = getenv ("CARDIAC_FAKE_DELAY_MS");
    long ms = text ? atol (text) : 0;
    struct timespec pause = { ms / 1000, ms % 1000 * 1000000 };
    nanosleep (&pause, NULL);
  }
  delayed->inner.run (&delayed->inner, in, out, piece, scratch);
}

static void
delayed_destroy (CardiacKernel *kernel)
{
  Delayed *delayed = kernel->state;
  if (delayed->inner.destroy)
    delayed->inner.destroy (&delayed->inner);
  free (delayed);
}

static bool
fake_prepare (void *context, const CardiacOp *op, CardiacKernel *kernel,
    CardiacError **error)
{
  if (!cardiac_backend_reference ()->prepare (context, op, kernel, error))
    return false;
  if (op->kind != CARDIAC_OP_PATCHIFY && op->kind != CARDIAC_OP_NCHW_TO_NHWC)
    return true;
  Delayed *delayed = malloc (sizeof *delayed);
  if (!delayed)
    abort ();
  delayed->inner = *kernel;
  kernel->run = delayed_run;
  kernel->destroy = delayed_destroy;
  kernel->state = delayed;
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
