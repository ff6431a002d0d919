/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Functions that libgstcuda wants to find. */

#include "absent.h"

ABSENT (cuCtxDisablePeerAccess)
ABSENT (cuCtxEnablePeerAccess)
ABSENT (cuCtxGetLimit)
ABSENT (cuCtxSetLimit)
ABSENT (cuCtxSynchronize)
ABSENT (cuDeviceGetUuid)
ABSENT (cuEventCreate)
ABSENT (cuEventDestroy_v2)
ABSENT (cuEventRecord)
ABSENT (cuEventSynchronize)
ABSENT (cuGLGetDevices_v2)
ABSENT (cuGraphicsGLRegisterBuffer)
ABSENT (cuGraphicsGLRegisterImage)
ABSENT (cuGraphicsMapResources)
ABSENT (cuGraphicsResourceGetMappedPointer_v2)
ABSENT (cuGraphicsResourceSetMapFlags_v2)
ABSENT (cuGraphicsSubResourceGetMappedArray)
ABSENT (cuGraphicsUnmapResources)
ABSENT (cuGraphicsUnregisterResource)
ABSENT (cuIpcCloseMemHandle)
ABSENT (cuIpcGetEventHandle)
ABSENT (cuIpcGetMemHandle)
ABSENT (cuIpcOpenEventHandle)
ABSENT (cuIpcOpenMemHandle)
ABSENT (cuLaunchKernel)
ABSENT (cuMemcpyDtoDAsync_v2)
ABSENT (cuMemcpyDtoD_v2)
ABSENT (cuMemcpyDtoHAsync_v2)
ABSENT (cuMemcpyDtoH_v2)
ABSENT (cuMemcpyHtoDAsync_v2)
ABSENT (cuMemcpyHtoD_v2)
ABSENT (cuMemsetD2D16Async)
ABSENT (cuMemsetD2D16_v2)
ABSENT (cuMemsetD2D32Async)
ABSENT (cuMemsetD2D32_v2)
ABSENT (cuMemsetD2D8Async)
ABSENT (cuMemsetD2D8_v2)
ABSENT (cuModuleGetFunction)
ABSENT (cuModuleLoadData)
ABSENT (cuModuleUnload)
ABSENT (cuTexObjectCreate)
ABSENT (cuTexObjectDestroy)

/* By its old name and its new one. */
int cuStreamDestroy (void);
int
cuStreamDestroy (void)
{
  return 0; /* CUDA_SUCCESS */
}

int cuStreamDestroy_v2 (void);
int
cuStreamDestroy_v2 (void)
{
  return 0;
}
