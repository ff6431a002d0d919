/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "core/runtime.h"
#include "core/error.h"
#include "core/pool.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const precision_names[] = { "auto", "fp32", "bf16", "fp16" };

const char *
cardiac_precision_name (CardiacPrecision precision)
{
  return precision_names[precision];
}

void
cardiac_settings_default (CardiacSettings *settings)
{
  *settings = (CardiacSettings){ .device = "auto" };
}

static CardiacDType
dtype_of (CardiacPrecision precision)
{
  switch (precision) {
    case CARDIAC_PRECISION_BF16:
      return CARDIAC_BF16;
    case CARDIAC_PRECISION_FP16:
      return CARDIAC_F16;
    default:
      return CARDIAC_F32;
  }
}

static const char *
precision_of (CardiacDType activation)
{
  return activation == CARDIAC_BF16  ? "bf16"
         : activation == CARDIAC_F16 ? "fp16"
                                     : "fp32";
}

/* Opens one backend with the precision asked for. */
static bool
open_backend (CardiacRuntime *runtime, const char *name, int index,
    CardiacPrecision precision, CardiacError **error)
{
  const CardiacBackend *backend = cardiac_backend_find (name, error);
  if (!backend)
    return false;
  CardiacDType activation = precision == CARDIAC_PRECISION_AUTO
                                ? backend->preferred (index)
                                : dtype_of (precision);
  if (!backend->supports (index, activation))
    return cardiac_fail (error, CARDIAC_ERROR_UNSUPPORTED,
        "precision %s is not possible on device '%s' of this machine; use "
        "auto or fp32",
        precision_of (activation), name);
  CardiacBackendSettings settings = {
    .device_index = index,
    .activation = activation,
    .threads = cardiac_pool_threads (runtime->pool),
  };
  void *context = backend->open (&settings, error);
  if (!context)
    return false;
  runtime->backend = backend;
  runtime->context = context;
  runtime->activation = activation;
  return true;
}

/* cuda, cpu, reference: the first that can be had. Why a better one was not
 * taken is kept for people; a precision that none can do is an error. */
static bool
open_best (
    CardiacRuntime *runtime, CardiacPrecision precision, CardiacError **error)
{
  static const char *const order[] = { "cuda", "cpu", "reference" };
  for (int i = 0; i < 3; i++) {
    CardiacError *why = NULL;
    if (open_backend (runtime, order[i], 0, precision, &why)) {
      snprintf (runtime->device, sizeof runtime->device, "%s%s", order[i],
          i == 0 ? ":0" : "");
      return true;
    }
    size_t used = strlen (runtime->fallback);
    snprintf (runtime->fallback + used, sizeof runtime->fallback - used, "%s%s",
        used ? "; " : "", cardiac_error_message (why));
    cardiac_error_free (&why);
  }
  return cardiac_fail (
      error, CARDIAC_ERROR_UNSUPPORTED, "%s", runtime->fallback);
}

/* "cuda:2" -> "cuda", 2. */
static bool
open_named (CardiacRuntime *runtime, const char *device,
    CardiacPrecision precision, CardiacError **error)
{
  char name[32];
  const char *colon = strchr (device, ':');
  size_t length = colon ? (size_t) (colon - device) : strlen (device);
  char *end = NULL;
  long index = colon ? strtol (colon + 1, &end, 10) : 0;
  if (length >= sizeof name
      || (colon && (end == colon + 1 || *end || index < 0 || index > 255)))
    return cardiac_fail (error, CARDIAC_ERROR_DEVICE,
        "'%s' is not a device; auto, cuda, cuda:N, cpu and reference are",
        device);
  memcpy (name, device, length);
  name[length] = 0;
  if (colon && strcmp (name, "cuda") != 0)
    return cardiac_fail (error, CARDIAC_ERROR_DEVICE,
        "device '%s': only cuda takes a number", device);
  if (!open_backend (runtime, name, (int) index, precision, error))
    return false;
  if (strcmp (name, "cuda") == 0)
    snprintf (runtime->device, sizeof runtime->device, "cuda:%ld", index);
  else
    snprintf (runtime->device, sizeof runtime->device, "%s", name);
  return true;
}

static void
enter_worker (void *user, int piece, int worker)
{
  CardiacRuntime *runtime = user;
  runtime->backend->enter_thread (runtime->context);
}

CardiacRuntime *
cardiac_runtime_new (const CardiacSettings *settings, CardiacError **error)
{
  CardiacSettings chosen;
  cardiac_settings_default (&chosen);
  if (settings)
    chosen = *settings;
  if ((unsigned) chosen.precision > CARDIAC_PRECISION_FP16) {
    cardiac_fail (error, CARDIAC_ERROR_INVALID_ARGUMENT,
        "precision %d is not one of CardiacPrecision", (int) chosen.precision);
    return NULL;
  }
  CardiacRuntime *runtime = calloc (1, sizeof *runtime);
  if (!runtime) {
    cardiac_fail (error, CARDIAC_ERROR_NO_MEMORY, "no memory");
    return NULL;
  }
  runtime->pool = chosen.pool ? cardiac_pool_ref (chosen.pool)
                              : cardiac_pool_new (chosen.threads, error);
  if (!runtime->pool)
    goto failed;

  bool automatic = !chosen.device || strcmp (chosen.device, "auto") == 0;
  if (automatic ? !open_best (runtime, chosen.precision, error)
                : !open_named (runtime, chosen.device, chosen.precision, error))
    goto failed;

  if (runtime->backend->enter_thread)
    cardiac_pool_run (
        runtime->pool, enter_worker, runtime, CARDIAC_POOL_EACH_WORKER);
  runtime->info = (CardiacRunInfo){
    .device = runtime->device,
    .precision = precision_of (runtime->activation),
    .fallback = runtime->fallback,
    .threads = cardiac_pool_threads (runtime->pool),
  };
  return runtime;

failed:
  cardiac_runtime_free (&runtime);
  return NULL;
}

void
cardiac_runtime_free (CardiacRuntime **runtime)
{
  if (!runtime || !*runtime)
    return;
  CardiacRuntime *it = *runtime;
  if (it->context)
    it->backend->close (it->context);
  cardiac_pool_unref (&it->pool);
  free (it);
  *runtime = NULL;
}

const CardiacRunInfo *
cardiac_runtime_info (const CardiacRuntime *runtime)
{
  return &runtime->info;
}

CardiacDType
cardiac_runtime_activation (const CardiacRuntime *runtime)
{
  return runtime->activation;
}
