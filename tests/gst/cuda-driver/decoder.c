/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A libnvcuvid.so.1 that decodes nothing: GStreamer's plugin has cudaupload and
 * cudadownload only where it finds one. */

#include "absent.h"

ABSENT (cuvidCreateDecoder)
ABSENT (cuvidCreateVideoParser)
ABSENT (cuvidCtxLock)
ABSENT (cuvidCtxLockCreate)
ABSENT (cuvidCtxLockDestroy)
ABSENT (cuvidCtxUnlock)
ABSENT (cuvidDecodePicture)
ABSENT (cuvidDestroyDecoder)
ABSENT (cuvidDestroyVideoParser)
ABSENT (cuvidGetDecoderCaps)
ABSENT (cuvidMapVideoFrame64)
ABSENT (cuvidParseVideoData)
ABSENT (cuvidUnmapVideoFrame64)
