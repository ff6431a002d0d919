/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "core/error.h"
#include "dnn.h"

#include <dlfcn.h>
#include <stdio.h>

#define TEXT_OF(x) #x
#define TEXT(x) TEXT_OF (x)
#define LIBRARY "libcudnn.so." TEXT (CUDNN_MAJOR)

static bool
find_function (void *library, const char *name, void **function)
{
  *function = dlsym (library, name);
  return *function != NULL;
}

bool
cardiac_cuda_dnn_load (CardiacCudaDnnApi *api, CardiacError **error)
{
  void *library = dlopen (LIBRARY, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
  if (!library) {
    cardiac_fail (error, CARDIAC_ERROR_DEVICE,
        "this network has convolutions, and on device 'cuda' they need "
        "cuDNN %d (" LIBRARY "), which does not open",
        CUDNN_MAJOR);
    cardiac_error_set_detail (error, "%s", dlerror ());
    return false;
  }
  struct {
    const char *name;
    void **function;
  } const wanted[] = {
    { "cudnnGetVersion", (void **) &api->get_version },
    { "cudnnGetErrorString", (void **) &api->error_string },
    { "cudnnGetLastErrorString", (void **) &api->last_error_string },
    { "cudnnCreate", (void **) &api->create },
    { "cudnnDestroy", (void **) &api->destroy },
    { "cudnnSetStream", (void **) &api->set_stream },
    { "cudnnBackendCreateDescriptor", (void **) &api->create_descriptor },
    { "cudnnBackendDestroyDescriptor", (void **) &api->destroy_descriptor },
    { "cudnnBackendSetAttribute", (void **) &api->set_attribute },
    { "cudnnBackendGetAttribute", (void **) &api->get_attribute },
    { "cudnnBackendFinalize", (void **) &api->finalize },
    { "cudnnBackendExecute", (void **) &api->execute },
  };
  for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++)
    if (!find_function (library, wanted[i].name, wanted[i].function))
      return cardiac_fail (error, CARDIAC_ERROR_DEVICE,
          LIBRARY " has no function %s: another version is needed",
          wanted[i].name);
  return true;
}
