/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Functions that libgstcuda wants to find. */

#include "absent.h"

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
