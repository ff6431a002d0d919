/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A libcuda.so.1 for tests on machines without a GPU: as much of the driver as
 * libgstcuda opens, with one device whose memory is the host's. It proves that
 * calls come in an order that a driver takes: memory is copied in the context
 * that it was allocated in, and asynchronous copies are not done before their
 * stream is waited for. It counts what the host gets. It proves nothing of a
 * GPU.
 *
 * Elements of GStreamer 1.22 leave it to the default stream to come after
 * theirs. From 1.24 on whoever reads their memory waits for its stream: with
 * CUDA_DRIVER_STREAMS=apart, the default stream waits for no other. */

#pragma GCC visibility push(default)
#include <cuda.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

enum { PITCH = 512, MOST_CONTEXTS = 64, MOST_BLOCKS = 1024, MOST_COPIES = 64 };

struct CUctx_st {
  int number;
};

typedef struct Block {
  char *begin;
  size_t size;
  CUcontext context;
} Block;

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct CUctx_st contexts[MOST_CONTEXTS]; /* the first one: primary */
static int context_count = 1;
static Block blocks[MOST_BLOCKS];
static struct {
  CUDA_MEMCPY2D what;
  CUstream stream;
} copies[MOST_COPIES]; /* not done yet */
static int copy_count;
static size_t downloaded; /* bytes */
static __thread CUcontext stack[16];
static __thread int depth;

/* ---- devices and contexts ---------------------------------------------- */

CUresult
cuInit (unsigned int flags)
{
  return CUDA_SUCCESS;
}

CUresult
cuDriverGetVersion (int *version)
{
  *version = 12000;
  return CUDA_SUCCESS;
}

CUresult
cuGetErrorName (CUresult error, const char **name)
{
  *name = error == CUDA_SUCCESS ? "CUDA_SUCCESS" : "CUDA_ERROR";
  return CUDA_SUCCESS;
}

CUresult
cuGetErrorString (CUresult error, const char **text)
{
  return cuGetErrorName (error, text);
}

CUresult
cuDeviceGetCount (int *count)
{
  *count = 1;
  return CUDA_SUCCESS;
}

CUresult
cuDeviceGet (CUdevice *device, int ordinal)
{
  *device = ordinal;
  return ordinal == 0 ? CUDA_SUCCESS : CUDA_ERROR_INVALID_DEVICE;
}

CUresult
cuDeviceGetName (char *name, int length, CUdevice device)
{
  strncpy (name, "a driver for tests", (size_t) length - 1);
  name[length - 1] = '\0';
  return CUDA_SUCCESS;
}

CUresult
cuDeviceGetAttribute (int *value, CUdevice_attribute what, CUdevice device)
{
  *value = what == CU_DEVICE_ATTRIBUTE_TEXTURE_ALIGNMENT ? PITCH : 9;
  return CUDA_SUCCESS;
}

CUresult
cuDeviceCanAccessPeer (int *can, CUdevice device, CUdevice peer)
{
  *can = 0;
  return CUDA_SUCCESS;
}

CUresult
cuDevicePrimaryCtxRetain (CUcontext *context, CUdevice device)
{
  *context = &contexts[0];
  return CUDA_SUCCESS;
}

CUresult
cuCtxPushCurrent_v2 (CUcontext context)
{
  stack[depth++] = context;
  return CUDA_SUCCESS;
}

CUresult
cuCtxPopCurrent_v2 (CUcontext *context)
{
  if (depth == 0)
    return CUDA_ERROR_INVALID_CONTEXT;
  depth--;
  if (context)
    *context = stack[depth];
  return CUDA_SUCCESS;
}

CUresult cuCtxCreate_v2 (
    CUcontext *context, unsigned int flags, CUdevice device);
CUresult
cuCtxCreate_v2 (CUcontext *context, unsigned int flags, CUdevice device)
{
  if (context_count == MOST_CONTEXTS)
    return CUDA_ERROR_OUT_OF_MEMORY;
  *context = &contexts[context_count++];
  return cuCtxPushCurrent_v2 (*context);
}

CUresult
cuCtxDestroy_v2 (CUcontext context)
{
  return CUDA_SUCCESS;
}

/* ---- copies ------------------------------------------------------------ */

static void
run (const CUDA_MEMCPY2D *copy)
{
  const char *from = copy->srcMemoryType == CU_MEMORYTYPE_DEVICE
                         ? (char *) copy->srcDevice
                         : copy->srcHost;
  char *to = copy->dstMemoryType == CU_MEMORYTYPE_DEVICE
                 ? (char *) copy->dstDevice
                 : copy->dstHost;

  if (copy->srcMemoryType == CU_MEMORYTYPE_DEVICE
      && copy->dstMemoryType == CU_MEMORYTYPE_HOST)
    downloaded += copy->Height * copy->WidthInBytes;
  for (size_t y = 0; y < copy->Height; y++)
    memcpy (
        to + y * copy->dstPitch, from + y * copy->srcPitch, copy->WidthInBytes);
}

static void
run_all (void)
{
  for (int i = 0; i < copy_count; i++)
    run (&copies[i].what);
  copy_count = 0;
}

static void
run_stream (CUstream stream)
{
  const char *streams = getenv ("CUDA_DRIVER_STREAMS");
  int left = 0;

  if (!streams || strcmp (streams, "apart") != 0) {
    run_all ();
    return;
  }
  for (int i = 0; i < copy_count; i++)
    if (copies[i].stream == stream)
      run (&copies[i].what);
    else
      copies[left++] = copies[i];
  copy_count = left;
}

/* ---- memory ------------------------------------------------------------ */

static CUcontext
get_current (void)
{
  return depth ? stack[depth - 1] : NULL;
}

static Block *
find_block (const char *address)
{
  for (int i = 0; i < MOST_BLOCKS; i++)
    if (blocks[i].begin && address >= blocks[i].begin
        && address < blocks[i].begin + blocks[i].size)
      return &blocks[i];
  return NULL;
}

static CUresult
allocate (CUdeviceptr *address, size_t size)
{
  CUresult result = CUDA_ERROR_OUT_OF_MEMORY;

  if (!get_current ())
    return CUDA_ERROR_INVALID_CONTEXT;
  pthread_mutex_lock (&lock);
  for (int i = 0; i < MOST_BLOCKS && result != CUDA_SUCCESS; i++) {
    if (blocks[i].begin)
      continue;
    blocks[i] = (Block){ malloc (size), size, get_current () };
    memset (blocks[i].begin, 0xcd, size);
    *address = (CUdeviceptr) blocks[i].begin;
    result = CUDA_SUCCESS;
  }
  pthread_mutex_unlock (&lock);
  return result;
}

CUresult
cuMemAlloc_v2 (CUdeviceptr *address, size_t size)
{
  return allocate (address, size);
}

CUresult
cuMemAllocPitch_v2 (CUdeviceptr *address, size_t *pitch, size_t width,
    size_t height, unsigned int element)
{
  *pitch = (width + PITCH - 1) / PITCH * PITCH;
  return allocate (address, *pitch * height);
}

CUresult
cuMemFree_v2 (CUdeviceptr address)
{
  Block *block;

  pthread_mutex_lock (&lock);
  run_all (); /* as the driver does */
  block = find_block ((char *) address);
  if (block) {
    free (block->begin);
    memset (block, 0, sizeof *block);
  }
  pthread_mutex_unlock (&lock);
  return block ? CUDA_SUCCESS : CUDA_ERROR_INVALID_VALUE;
}

CUresult
cuMemAllocHost_v2 (void **address, size_t size)
{
  *address = malloc (size);
  return CUDA_SUCCESS;
}

CUresult
cuMemFreeHost (void *address)
{
  free (address);
  return CUDA_SUCCESS;
}

/* All of it in one block, of the current context. */
static int
is_of_context (const char *begin, size_t pitch, const CUDA_MEMCPY2D *copy)
{
  const Block *block = find_block (begin);

  return block && block->context == get_current ()
         && begin + pitch * (copy->Height - 1) + copy->WidthInBytes
                <= block->begin + block->size;
}

static CUresult
check (const CUDA_MEMCPY2D *copy)
{
  int ok = copy->Height > 0 && copy->WidthInBytes > 0;

  if (copy->srcMemoryType == CU_MEMORYTYPE_DEVICE)
    ok = ok && is_of_context ((char *) copy->srcDevice, copy->srcPitch, copy);
  if (copy->dstMemoryType == CU_MEMORYTYPE_DEVICE)
    ok = ok && is_of_context ((char *) copy->dstDevice, copy->dstPitch, copy);
  return ok ? CUDA_SUCCESS : CUDA_ERROR_INVALID_VALUE;
}

/** Bytes copied from devices to the host. For tests alone. */
size_t cuda_driver_downloaded (void);
size_t
cuda_driver_downloaded (void)
{
  size_t bytes;

  pthread_mutex_lock (&lock);
  bytes = downloaded;
  pthread_mutex_unlock (&lock);
  return bytes;
}

CUresult
cuMemcpy2DAsync_v2 (const CUDA_MEMCPY2D *copy, CUstream stream)
{
  CUresult result;

  pthread_mutex_lock (&lock);
  result = check (copy);
  if (result == CUDA_SUCCESS) {
    if (copy_count == MOST_COPIES)
      run_all ();
    copies[copy_count].what = *copy;
    copies[copy_count++].stream = stream;
  }
  pthread_mutex_unlock (&lock);
  return result;
}

CUresult
cuMemcpy2D_v2 (const CUDA_MEMCPY2D *copy)
{
  CUresult result;

  pthread_mutex_lock (&lock);
  result = check (copy);
  if (result == CUDA_SUCCESS) {
    run_stream (NULL);
    run (copy);
  }
  pthread_mutex_unlock (&lock);
  return result;
}

CUresult
cuStreamSynchronize (CUstream stream)
{
  pthread_mutex_lock (&lock);
  run_stream (stream);
  pthread_mutex_unlock (&lock);
  return CUDA_SUCCESS;
}

CUresult
cuStreamCreate (CUstream *stream, unsigned int flags)
{
  static int count;

  pthread_mutex_lock (&lock);
  *stream = (CUstream) (size_t) ++count;
  pthread_mutex_unlock (&lock);
  return CUDA_SUCCESS;
}
