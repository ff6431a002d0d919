/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Functions that libgstcuda wants to find and no test needs; cuda.h is not
 * included, so that arguments can be left out. */

#pragma GCC visibility push(default)

#define ABSENT(name)                                                           \
  int name (void);                                                             \
  int name (void)                                                              \
  {                                                                            \
    return 801; /* CUDA_ERROR_NOT_SUPPORTED */                                 \
  }

ABSENT (cuCtxDisablePeerAccess)
ABSENT (cuCtxEnablePeerAccess)
ABSENT (cuGLGetDevices_v2)
ABSENT (cuGraphicsGLRegisterBuffer)
ABSENT (cuGraphicsGLRegisterImage)
ABSENT (cuGraphicsMapResources)
ABSENT (cuGraphicsResourceGetMappedPointer_v2)
ABSENT (cuGraphicsResourceSetMapFlags_v2)
ABSENT (cuGraphicsSubResourceGetMappedArray)
ABSENT (cuGraphicsUnmapResources)
ABSENT (cuGraphicsUnregisterResource)
ABSENT (cuLaunchKernel)
ABSENT (cuModuleGetFunction)
ABSENT (cuModuleLoadData)
ABSENT (cuModuleUnload)
ABSENT (cuTexObjectCreate)
ABSENT (cuTexObjectDestroy)

int cuStreamDestroy (void);
int
cuStreamDestroy (void)
{
  return 0; /* CUDA_SUCCESS */
}
