/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "dnn.h"

bool
cardiac_cuda_dnn_load (CardiacCudaDnnApi *api, CardiacError **error)
{
  const CardiacCudaFunction wanted[] = {
    { "cudnnGetErrorString", &api->error_string },
    { "cudnnCreate", &api->create },
    { "cudnnDestroy", &api->destroy },
    { "cudnnSetStream", &api->set_stream },
    { "cudnnBackendCreateDescriptor", &api->create_descriptor },
    { "cudnnBackendDestroyDescriptor", &api->destroy_descriptor },
    { "cudnnBackendSetAttribute", &api->set_attribute },
    { "cudnnBackendGetAttribute", &api->get_attribute },
    { "cudnnBackendFinalize", &api->finalize },
    { "cudnnBackendExecute", &api->execute },
  };
  return cardiac_cuda_load (CARDIAC_CUDA_LIBRARY ("libcudnn.so.", CUDNN_MAJOR),
      wanted, sizeof wanted / sizeof *wanted, error);
}
