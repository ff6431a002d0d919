/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "backends/backend.h"
#include "core/error.h"

#include <dlfcn.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#ifndef CARDIAC_MODULE_DIR
#define CARDIAC_MODULE_DIR "/usr/local/lib/gst-cardiac"
#endif

/** What was tried, for people to read when nothing was found. */
typedef struct Attempts {
  char all[4096];     ///< "path: why; ..."
  char present[4352]; ///< why the first module file that is there did not open
} Attempts;

static void
note_attempt (Attempts *attempts, const char *path, const char *why)
{
  size_t used = strlen (attempts->all);
  snprintf (attempts->all + used, sizeof attempts->all - used, "%s%s",
      used ? "; " : "", why);
  if (!attempts->present[0] && access (path, F_OK) == 0)
    snprintf (attempts->present, sizeof attempts->present, "%s", why);
}

/* Opens one module file. It is never closed: the threads of an OpenMP runtime
 * outlive a dlclose() and would run unmapped code. */
static const CardiacBackend *
open_module (const char *path, const char *name, Attempts *attempts)
{
  void *handle = dlopen (path, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
  if (!handle) {
    note_attempt (attempts, path, dlerror ());
    return NULL;
  }
  CardiacBackendModule module =
      (CardiacBackendModule) dlsym (handle, CARDIAC_BACKEND_SYMBOL);
  const CardiacBackend *backend = module ? module () : NULL;
  if (!backend || backend->abi != CARDIAC_BACKEND_ABI
      || strcmp (backend->name, name) != 0) {
    char why[4352];
    snprintf (
        why, sizeof why, "%s: not a '%s' backend of this version", path, name);
    note_attempt (attempts, path, why);
    dlclose (handle);
    return NULL;
  }
  return backend;
}

/* The directory of the library (or program) that holds this code. */
static bool
own_directory (char *out, size_t size)
{
  Dl_info info;
  if (!dladdr ((void *) cardiac_backend_find, &info) || !info.dli_fname)
    return false;
  char *path = realpath (info.dli_fname, NULL);
  if (!path)
    return false;
  snprintf (out, size, "%s", dirname (path));
  free (path);
  return true;
}

static const CardiacBackend *
try_directory (const char *directory, const char *name, Attempts *attempts)
{
  char path[4096];
  snprintf (path, sizeof path, "%s/libcardiac-%s.so", directory, name);
  return open_module (path, name, attempts);
}

/* $CARDIAC_BACKEND_PATH: directories between colons. */
static const CardiacBackend *
try_environment (const char *name, Attempts *attempts)
{
  const char *paths = getenv ("CARDIAC_BACKEND_PATH");
  if (!paths || !*paths)
    return NULL;
  char *copy = strdup (paths);
  const CardiacBackend *backend = NULL;
  char *rest = NULL;
  for (char *directory = strtok_r (copy, ":", &rest); directory && !backend;
       directory = strtok_r (NULL, ":", &rest))
    backend = try_directory (directory, name, attempts);
  free (copy);
  return backend;
}

const CardiacBackend *
cardiac_backend_find (const char *name, CardiacError **error)
{
  if (strcmp (name, "reference") == 0)
    return cardiac_backend_reference ();

  Attempts attempts = { 0 };
  const CardiacBackend *backend = NULL;
  char own[4000], beside[4096];
  if (strspn (name, "abcdefghijklmnopqrstuvwxyz0123456789") != strlen (name)
      || !*name) {
    cardiac_fail (error, CARDIAC_ERROR_DEVICE,
        "'%s' is not a device; auto, cuda, cuda:N, cpu and reference are",
        name);
    return NULL;
  }
  backend = try_environment (name, &attempts);
  if (!backend && own_directory (own, sizeof own)) {
    backend = try_directory (own, name, &attempts);
    snprintf (beside, sizeof beside, "%s/backends/%s", own, name);
    if (!backend)
      backend = try_directory (beside, name, &attempts);
  }
  if (!backend)
    backend = try_directory (CARDIAC_MODULE_DIR, name, &attempts);
  if (!backend && strcmp (name, "cuda") != 0 && strcmp (name, "cpu") != 0) {
    cardiac_fail (error, CARDIAC_ERROR_DEVICE,
        "'%s' is not a device; auto, cuda, cuda:N, cpu and reference are",
        name);
  } else if (!backend && attempts.present[0]) {
    cardiac_fail (error, CARDIAC_ERROR_DEVICE, "device '%s' cannot be had: %s",
        name, attempts.present);
  } else if (!backend) {
    cardiac_fail (error, CARDIAC_ERROR_DEVICE,
        "device '%s' cannot be had: its module libcardiac-%s.so is not "
        "installed",
        name, name);
  }
  if (!backend)
    cardiac_error_set_detail (error, "tried: %s", attempts.all);
  return backend;
}
