/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Modules are searched in $CARDIAC_READER_PATH, beside this code, in its build
 * tree's cine folder and where they are installed. */

#include "reader.h"

#include <dlfcn.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#ifndef CINE_MODULE_DIR
#define CINE_MODULE_DIR "/usr/local/lib/gst-cardiac"
#endif

/* Opens one file and calls the function that hands out its table. It is never
 * closed: what its libraries registered would dangle. */
static const void *
open_module (const char *directory, const char *name, const char *symbol,
    char *tried, size_t size)
{
  char path[4400];
  size_t used = strlen (tried);
  void *handle;
  union {
    void *data;
    const void *(*module) (void);
  } found;

  snprintf (path, sizeof path, "%s/libcardiac-%s.so", directory, name);
  handle = dlopen (path, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
  found.data = handle ? dlsym (handle, symbol) : NULL;
  if (!found.data) {
    snprintf (tried + used, size - used, "%s%s", used ? "; " : "", dlerror ());
    return NULL;
  }
  return found.module ();
}

static const void *
search_environment (
    const char *name, const char *symbol, char *tried, size_t size)
{
  const char *paths = getenv ("CARDIAC_READER_PATH");
  char *copy = paths && *paths ? strdup (paths) : NULL, *rest = NULL;
  const void *module = NULL;

  if (!copy)
    return NULL;
  for (char *directory = strtok_r (copy, ":", &rest); directory && !module;
       directory = strtok_r (NULL, ":", &rest))
    module = open_module (directory, name, symbol, tried, size);
  free (copy);
  return module;
}

static const void *
search_beside (const char *name, const char *symbol, char *tried, size_t size)
{
  const void *module = NULL;
  char folder[4200];
  Dl_info info;
  char *own;

  if (!dladdr ((void *) cine_dicom_reader, &info) || !info.dli_fname)
    return NULL;
  own = realpath (info.dli_fname, NULL);
  if (!own)
    return NULL;
  snprintf (folder, sizeof folder, "%s", dirname (own));
  free (own);
  module = open_module (folder, name, symbol, tried, size);
  if (!module) {
    strncat (folder, "/../cine", sizeof folder - strlen (folder) - 1);
    module = open_module (folder, name, symbol, tried, size);
  }
  return module;
}

static const void *
search (const char *name, const char *symbol, const char *what,
    const char *package, CineError *error)
{
  char tried[sizeof error->detail] = "";
  const void *module = search_environment (name, symbol, tried, sizeof tried);

  /* A path that is set alone decides, so that tests can do without. */
  if (!module && !getenv ("CARDIAC_READER_PATH")) {
    module = search_beside (name, symbol, tried, sizeof tried);
    if (!module)
      module = open_module (CINE_MODULE_DIR, name, symbol, tried, sizeof tried);
  }
  if (!module) {
    cine_fail (error, CINE_UNSUPPORTED,
        "%s files cannot be read: the module libcardiac-%s.so does not open; "
        "install %s and build again",
        what, name, package);
    snprintf (error->detail, sizeof error->detail, "tried: %s", tried);
  }
  return module;
}

static bool
check_abi (int abi, const char *name, CineError *error)
{
  if (abi == CINE_READER_ABI)
    return true;
  return cine_fail (error, CINE_UNSUPPORTED,
      "the module libcardiac-%s.so is of another version (%d, expected %d); "
      "build and install the whole project again",
      name, abi, CINE_READER_ABI);
}

const CineDicomReader *
cine_dicom_reader (CineError *error)
{
  const CineDicomReader *reader =
      search ("dicom", CINE_DICOM_SYMBOL, "DICOM", "libdcmtk-dev", error);

  return reader && check_abi (reader->abi, "dicom", error) ? reader : NULL;
}

const CineNiftiReader *
cine_nifti_reader (CineError *error)
{
  const CineNiftiReader *reader =
      search ("nifti", CINE_NIFTI_SYMBOL, "NIfTI", "libnifti-dev", error);

  return reader && check_abi (reader->abi, "nifti", error) ? reader : NULL;
}

bool
cine_volume_load (const char *path, CineVolume *volume,
    const CineNiftiReader **reader, CineError *error)
{
  char why[CINE_WHY] = "";
  CineRead read;

  *reader = cine_nifti_reader (error);
  if (!*reader)
    return false;
  read = (*reader)->load (path, volume, why);
  if (read == CINE_READ_FINE)
    return true;
  return cine_fail (error, CINE_UNREADABLE, "%s is %s NIfTI file: %s", path,
      read == CINE_READ_OTHER   ? "not a"
      : read == CINE_READ_LARGE ? "too large a"
                                : "a damaged",
      why);
}
