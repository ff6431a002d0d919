/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "core/error.h"
#include "cuda.h"

#include <dlfcn.h>
#include <string.h>

bool
cardiac_cuda_load (const char *library, const CardiacCudaFunction *wanted,
    int count, CardiacError **error)
{
  /* Not closed again: their threads and exit handlers outlive a dlclose(). */
  void *handle = dlopen (library, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
  if (!handle) {
    cardiac_fail (error, CARDIAC_ERROR_DEVICE, "%s does not open", library);
    cardiac_error_set_detail (error, "%s", dlerror ());
    return false;
  }
  for (int i = 0; i < count; i++) {
    void *function = dlsym (handle, wanted[i].name);
    if (!function)
      return cardiac_fail (error, CARDIAC_ERROR_DEVICE,
          "%s has no function %s: another version is needed", library,
          wanted[i].name);
    memcpy (wanted[i].place, &function, sizeof function);
  }
  return true;
}
