/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The CUDA runtime for tests on machines without it.
 *
 * It is stricter than a device in what a program gets wrong. Device memory is
 * an address range that the host may touch only while a stream's work runs, so
 * that dereferencing a device pointer on the host ends the test; fresh memory
 * holds NaNs. Streams are lazy: nothing runs until it is waited for, so that
 * reading a result too early, or freeing what an unfinished copy needs, shows.
 * A copy whose device side is not inside one allocation is an error. What
 * cudaMemcpy sends to the device is there when the legacy stream has been waited
 * for, and other streams do not wait for that, as with pageable memory. While a
 * thread captures a stream it may not allocate, free, wait or use the legacy
 * stream, nor run what has not run before, because that loads code.
 *
 * The device's clock is not the host's: all that a stream runs takes one
 * microsecond, a kernel two, and longer where a fake says so. Which of several
 * ways is the faster is so the same each time.
 *
 * What the machine seems to have is set by environment variables, read at each
 * call:
 *   CUDA_EMULATION_DRIVER   driver version, default the runtime's; 0: no driver
 *   CUDA_EMULATION_DEVICES  number of devices, default 1
 *   CUDA_EMULATION_CAPABILITY  90 (default): 9.0
 *   CUDA_EMULATION_MEMORY_MIB  default 1024, at most 8192
 *   CUDA_EMULATION_NO_CAPTURE  set: capturing a stream fails at its end
 *   CUDA_EMULATION_IDLE        set: whatever a stream should run is not done, to
 *                              plan what is too large to run
 *   CUDA_EMULATION_FAIL_WORK   set: whatever a stream runs fails */
#include "include/cuda_runtime.h"

#include <algorithm>
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <vector>

#include <sys/mman.h>

/* AddressSanitizer sees what kernels read and write beside their arrays. */
#ifdef __SANITIZE_ADDRESS__
#include <sanitizer/asan_interface.h>
#else
#define ASAN_POISON_MEMORY_REGION(memory, bytes) ((void) 0)
#define ASAN_UNPOISON_MEMORY_REGION(memory, bytes) ((void) 0)
#endif

namespace {

long
setting (const char *name, long otherwise)
{
  const char *text = getenv (name);
  return text ? strtol (text, nullptr, 10) : otherwise;
}

/* ---- device memory --------------------------------------------------------- */

class Heap {
public:
  Heap ()
  {
    base = (char *) mmap (nullptr, size, PROT_NONE,
        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (base == MAP_FAILED)
      abort ();
    ASAN_POISON_MEMORY_REGION (base, size);
  }

  /* First fit, with a gap after each block that belongs to nobody. */
  void *
  allocate (size_t bytes)
  {
    std::lock_guard<std::mutex> lock (mutex);
    const size_t room = (bytes + 511) / 256 * 256;
    size_t at = 0;
    for (auto &block : blocks) {
      if (block.first - at >= room)
        break;
      at = block.first + (block.second + 511) / 256 * 256;
    }
    if (at + room > limit ())
      return nullptr;
    blocks[at] = bytes;
    count++;
    ASAN_UNPOISON_MEMORY_REGION (base + at, bytes);
    if (!getenv ("CUDA_EMULATION_IDLE")) {
      open_locked ();
      memset (base + at, 0xff, bytes);
      std::fill_n ((uint16_t *) (base + at), bytes / 2,
          (uint16_t) CUDA_EMULATION_FRESH);
      close_locked ();
    }
    return base + at;
  }

  bool
  release (void *memory)
  {
    std::lock_guard<std::mutex> lock (mutex);
    auto block = blocks.find ((size_t) ((char *) memory - base));
    if (block == blocks.end ())
      return false;
    ASAN_POISON_MEMORY_REGION (memory, block->second);
    blocks.erase (block);
    return true;
  }

  bool
  near (const void *memory) const
  {
    return (const char *) memory >= base && (const char *) memory < base + size;
  }

  /* The live block that holds an address, or NULL. */
  const char *
  find (const void *memory, size_t *bytes)
  {
    if (!near (memory))
      return nullptr;
    std::lock_guard<std::mutex> lock (mutex);
    const size_t at = (size_t) ((const char *) memory - base);
    auto after = blocks.upper_bound (at);
    if (after == blocks.begin ())
      return nullptr;
    auto block = std::prev (after);
    *bytes = block->second;
    return at <= block->first + block->second ? base + block->first : nullptr;
  }

  /* Inside one live block? */
  bool
  holds (const void *memory, size_t bytes)
  {
    size_t size;
    const char *begin = find (memory, &size);
    return begin && (const char *) memory + bytes <= begin + size;
  }

  void
  open ()
  {
    std::lock_guard<std::mutex> lock (mutex);
    open_locked ();
  }

  void
  close ()
  {
    std::lock_guard<std::mutex> lock (mutex);
    close_locked ();
  }

  size_t
  used ()
  {
    std::lock_guard<std::mutex> lock (mutex);
    size_t sum = 0;
    for (auto &block : blocks)
      sum += block.second;
    return sum;
  }

  static size_t
  limit ()
  {
    return (size_t) setting ("CUDA_EMULATION_MEMORY_MIB", 1024) << 20;
  }

  uint64_t count = 0; ///< allocations ever made

private:
  void
  open_locked ()
  {
    if (opened++ == 0)
      mprotect (base, size, PROT_READ | PROT_WRITE);
  }

  void
  close_locked ()
  {
    if (--opened == 0)
      mprotect (base, size, PROT_NONE);
  }

  static constexpr size_t size = (size_t) 8 << 30; ///< of addresses

  char *base;
  std::map<size_t, size_t> blocks; ///< offset -> bytes
  std::mutex mutex;
  int opened = 0;
};

Heap &
heap ()
{
  static Heap *it = new Heap; /* outlives every static destructor */
  return *it;
}

/* ---- work ------------------------------------------------------------------ */

struct Work {
  CudaEmulationWork run;
  std::shared_ptr<void> state;
};

std::atomic<uint64_t> recordings{ 0 };
std::atomic<uint64_t> microseconds{ 0 };
std::atomic<uint64_t> engine_runs[CUDA_EMULATION_ENGINES];
thread_local cudaStream_t capturing = nullptr; ///< by this thread
thread_local cudaError_t last_error = cudaSuccess;
thread_local int current_device = 0;

cudaError_t
keep (cudaError_t error)
{
  if (error != cudaSuccess)
    last_error = error;
  return error;
}

/* Is there a device at all? */
cudaError_t
present ()
{
  const long driver = setting ("CUDA_EMULATION_DRIVER", CUDART_VERSION);
  if (driver / 1000 < CUDART_VERSION / 1000)
    return cudaErrorInsufficientDriver;
  return setting ("CUDA_EMULATION_DEVICES", 1) > 0 ? cudaSuccess
                                                   : cudaErrorNoDevice;
}

cudaError_t
run_one (const Work &work)
{
  if (getenv ("CUDA_EMULATION_IDLE"))
    return cudaSuccess;
  microseconds++;
  return getenv ("CUDA_EMULATION_FAIL_WORK") ? cudaErrorIllegalAddress
                                             : work.run (work.state.get ());
}

struct Copy {
  void *to;
  const void *from;
  size_t bytes;
  bool down;
};

std::atomic<uint64_t> downloads;

cudaError_t
run_copy (void *state)
{
  const Copy *copy = static_cast<Copy *> (state);
  memcpy (copy->to, copy->from, copy->bytes);
  downloads += copy->down;
  return cudaSuccess;
}

/* The sides of a copy lie where `kind` says. */
bool
copy_fits (const void *to, const void *from, size_t bytes, cudaMemcpyKind kind)
{
  const bool to_device =
      kind == cudaMemcpyHostToDevice || kind == cudaMemcpyDeviceToDevice;
  const bool from_device =
      kind == cudaMemcpyDeviceToHost || kind == cudaMemcpyDeviceToDevice;
  return kind != cudaMemcpyDefault
         && (to_device ? heap ().holds (to, bytes) : !heap ().near (to))
         && (from_device ? heap ().holds (from, bytes) : !heap ().near (from));
}

} // namespace

struct CUgraph_st {
  std::vector<Work> work;
};

struct CUgraphExec_st {
  std::vector<Work> work;
};

struct CUstream_st {
  std::vector<Work> pending;
  std::unique_ptr<CUgraph_st> capture; ///< what is being captured
  bool invalidated = false;

  cudaError_t
  finish ()
  {
    std::vector<Work> now;
    now.swap (pending);
    cudaError_t status = cudaSuccess;
    heap ().open ();
    for (size_t i = 0; i < now.size () && status == cudaSuccess; i++)
      status = run_one (now[i]);
    heap ().close ();
    return status;
  }
};

struct CUevent_st {
  cudaStream_t stream = nullptr;
  uint64_t microseconds = 0;
};

namespace {

cudaError_t
run_time (void *state)
{
  static_cast<CUevent_st *> (state)->microseconds = microseconds;
  return cudaSuccess;
}

/* Copies to the device that the legacy stream has not finished. */
struct Underway {
  void *to;
  std::vector<char> bytes;
};

std::mutex underway_mutex;
std::vector<Underway> underway;

void
finish_underway ()
{
  std::lock_guard<std::mutex> lock (underway_mutex);
  heap ().open ();
  for (const Underway &copy : underway)
    memcpy (copy.to, copy.bytes.data (), copy.bytes.size ());
  heap ().close ();
  underway.clear ();
}

/* What must not be done by a thread that captures a stream. */
bool
is_forbidden ()
{
  if (capturing)
    capturing->invalidated = true;
  return capturing != nullptr;
}

} // namespace

extern "C" {

cudaError_t
cuda_emulation_load (const void *what, cudaStream_t stream)
{
  static std::mutex mutex;
  static std::set<const void *> loaded;
  std::lock_guard<std::mutex> lock (mutex);
  if (!loaded.insert (what).second || !stream || !stream->capture)
    return cudaSuccess;
  stream->invalidated = true;
  return keep (cudaErrorStreamCaptureUnsupported);
}

void
cuda_emulation_pass (unsigned longer)
{
  microseconds += longer;
}

void
cuda_emulation_count_engine (int number)
{
  engine_runs[number]++;
}

uint64_t
cuda_emulation_engine_runs (int number)
{
  return engine_runs[number];
}

cudaError_t
cuda_emulation_enqueue (cudaStream_t stream, CudaEmulationWork run, void *state,
    void (*destroy) (void *))
{
  Work work = { run, std::shared_ptr<void> (
                         state, destroy ? destroy : [] (void *) {}) };
  if (!stream) { /* the legacy stream: at once */
    if (is_forbidden ())
      return keep (cudaErrorStreamCaptureUnsupported);
    finish_underway ();
    heap ().open ();
    cudaError_t status = run_one (work);
    heap ().close ();
    return keep (status);
  }
  (stream->capture ? stream->capture->work : stream->pending).push_back (work);
  return cudaSuccess;
}

cudaError_t
cuda_emulation_fail (cudaError_t error)
{
  return keep (error);
}

int
cuda_emulation_is_device (const void *memory, size_t bytes)
{
  return heap ().holds (memory, bytes);
}

const void *
cuda_emulation_find (const void *memory, size_t *bytes)
{
  return heap ().find (memory, bytes);
}

uint64_t
cuda_emulation_allocations (void)
{
  return heap ().count;
}

uint64_t
cuda_emulation_downloads (void)
{
  return downloads;
}

uint64_t
cuda_emulation_recordings (void)
{
  return recordings;
}

/* ---- devices and errors ---------------------------------------------------- */

cudaError_t
cudaGetDeviceCount (int *count)
{
  cudaError_t status = present ();
  if (status == cudaSuccess)
    *count = (int) setting ("CUDA_EMULATION_DEVICES", 1);
  return keep (status);
}

cudaError_t
cudaSetDevice (int device)
{
  cudaError_t status = present ();
  if (status == cudaSuccess
      && (device < 0 || device >= setting ("CUDA_EMULATION_DEVICES", 1)))
    status = cudaErrorInvalidDevice;
  if (status == cudaSuccess)
    current_device = device;
  return keep (status);
}

cudaError_t
cudaGetDevice (int *device)
{
  *device = current_device;
  return keep (present ());
}

cudaError_t
cudaGetDeviceProperties (cudaDeviceProp *prop, int device)
{
  cudaError_t status = present ();
  if (status != cudaSuccess)
    return keep (status);
  const int capability = (int) setting ("CUDA_EMULATION_CAPABILITY", 90);
  memset (prop, 0, sizeof *prop);
  snprintf (prop->name, sizeof prop->name, "emulated device %d", device);
  prop->totalGlobalMem = Heap::limit ();
  prop->sharedMemPerBlock = 48 << 10;
  prop->sharedMemPerBlockOptin = capability < 80 ? 64 << 10 : 227 << 10;
  prop->major = capability / 10;
  prop->minor = capability % 10;
  prop->multiProcessorCount = 4;
  prop->l2CacheSize = 4 << 20;
  return cudaSuccess;
}

cudaError_t
cudaDriverGetVersion (int *version)
{
  *version = (int) setting ("CUDA_EMULATION_DRIVER", CUDART_VERSION);
  return cudaSuccess;
}

cudaError_t
cudaRuntimeGetVersion (int *version)
{
  *version = CUDART_VERSION;
  return cudaSuccess;
}

const char *
cudaGetErrorName (cudaError_t error)
{
  switch (error) {
    case cudaSuccess:
      return "cudaSuccess";
    case cudaErrorMemoryAllocation:
      return "cudaErrorMemoryAllocation";
    case cudaErrorInsufficientDriver:
      return "cudaErrorInsufficientDriver";
    case cudaErrorNoDevice:
      return "cudaErrorNoDevice";
    case cudaErrorInvalidDevice:
      return "cudaErrorInvalidDevice";
    case cudaErrorIllegalAddress:
      return "cudaErrorIllegalAddress";
    case cudaErrorInvalidValue:
      return "cudaErrorInvalidValue";
    default:
      return "cudaErrorUnknown";
  }
}

const char *
cudaGetErrorString (cudaError_t error)
{
  return error == cudaErrorIllegalAddress
             ? "an illegal memory access was encountered"
             : cudaGetErrorName (error);
}

cudaError_t
cudaGetLastError (void)
{
  cudaError_t error = last_error;
  last_error = cudaSuccess;
  return error;
}

cudaError_t
cudaPeekAtLastError (void)
{
  return last_error;
}

/* ---- memory ---------------------------------------------------------------- */

cudaError_t
cudaMalloc (void **memory, size_t bytes)
{
  if (is_forbidden ())
    return keep (cudaErrorStreamCaptureUnsupported);
  if (present () != cudaSuccess)
    return keep (present ());
  *memory = heap ().allocate (bytes);
  return *memory ? cudaSuccess : keep (cudaErrorMemoryAllocation);
}

cudaError_t
cudaFree (void *memory)
{
  if (memory && is_forbidden ())
    return keep (cudaErrorStreamCaptureUnsupported);
  if (memory)
    finish_underway ();
  return !memory || heap ().release (memory) ? cudaSuccess
                                             : keep (cudaErrorInvalidValue);
}

cudaError_t
cudaHostAlloc (void **memory, size_t bytes, unsigned flags)
{
  if (is_forbidden ())
    return keep (cudaErrorStreamCaptureUnsupported);
  if (present () != cudaSuccess)
    return keep (present ());
  return posix_memalign (memory, 4096, bytes) == 0
             ? cudaSuccess
             : keep (cudaErrorMemoryAllocation);
}

cudaError_t
cudaFreeHost (void *memory)
{
  free (memory);
  return cudaSuccess;
}

cudaError_t
cudaMemGetInfo (size_t *unused, size_t *total)
{
  *total = Heap::limit ();
  *unused = *total - heap ().used ();
  return cudaSuccess;
}

cudaError_t
cudaMemcpy (void *to, const void *from, size_t bytes, cudaMemcpyKind kind)
{
  if (kind != cudaMemcpyHostToDevice)
    return cudaMemcpyAsync (to, from, bytes, kind, nullptr);
  if (is_forbidden ())
    return keep (cudaErrorStreamCaptureUnsupported);
  if (!copy_fits (to, from, bytes, kind))
    return keep (cudaErrorInvalidValue);
  const char *first = static_cast<const char *> (from);
  std::lock_guard<std::mutex> lock (underway_mutex);
  underway.push_back ({ to, std::vector<char> (first, first + bytes) });
  return cudaSuccess;
}

cudaError_t
cudaMemcpyAsync (void *to, const void *from, size_t bytes, cudaMemcpyKind kind,
    cudaStream_t stream)
{
  if (!copy_fits (to, from, bytes, kind))
    return keep (cudaErrorInvalidValue);
  return cuda_emulation_enqueue (stream, run_copy,
      new Copy{ to, from, bytes, kind == cudaMemcpyDeviceToHost },
      [] (void *state) { delete static_cast<Copy *> (state); });
}

cudaError_t
cudaMemsetAsync (void *memory, int value, size_t bytes, cudaStream_t stream)
{
  struct Set {
    void *memory;
    int value;
    size_t bytes;
  };
  if (!heap ().holds (memory, bytes))
    return keep (cudaErrorInvalidValue);
  auto run = [] (void *state) {
    const Set *set = static_cast<Set *> (state);
    memset (set->memory, set->value, set->bytes);
    return cudaSuccess;
  };
  return cuda_emulation_enqueue (stream, run, new Set{ memory, value, bytes },
      [] (void *state) { delete static_cast<Set *> (state); });
}

cudaError_t
cudaMemset (void *memory, int value, size_t bytes)
{
  return cudaMemsetAsync (memory, value, bytes, nullptr);
}

/* ---- streams and events ---------------------------------------------------- */

cudaError_t
cudaStreamCreateWithFlags (cudaStream_t *stream, unsigned flags)
{
  if (present () != cudaSuccess)
    return keep (present ());
  *stream = new CUstream_st;
  return cudaSuccess;
}

cudaError_t
cudaStreamDestroy (cudaStream_t stream)
{
  delete stream;
  return cudaSuccess;
}

cudaError_t
cudaStreamSynchronize (cudaStream_t stream)
{
  if (stream && stream->capture) {
    stream->invalidated = true;
    return keep (cudaErrorStreamCaptureUnsupported);
  }
  if (!stream)
    finish_underway ();
  return stream ? keep (stream->finish ()) : cudaSuccess;
}

cudaError_t
cudaEventCreate (cudaEvent_t *event)
{
  *event = new CUevent_st;
  return cudaSuccess;
}

cudaError_t
cudaEventDestroy (cudaEvent_t event)
{
  delete event;
  return cudaSuccess;
}

cudaError_t
cudaEventRecord (cudaEvent_t event, cudaStream_t stream)
{
  event->stream = stream;
  return cuda_emulation_enqueue (stream, run_time, event, nullptr);
}

cudaError_t
cudaEventSynchronize (cudaEvent_t event)
{
  return cudaStreamSynchronize (event->stream);
}

cudaError_t
cudaEventElapsedTime (float *ms, cudaEvent_t begin, cudaEvent_t end)
{
  *ms = 1e-3f * (float) (end->microseconds - begin->microseconds);
  return cudaSuccess;
}

/* ---- graphs ---------------------------------------------------------------- */

cudaError_t
cudaStreamBeginCapture (cudaStream_t stream, cudaStreamCaptureMode mode)
{
  if (stream->capture)
    return keep (cudaErrorInvalidValue);
  stream->capture = std::make_unique<CUgraph_st> ();
  stream->invalidated = getenv ("CUDA_EMULATION_NO_CAPTURE") != nullptr;
  capturing = stream;
  return cudaSuccess;
}

cudaError_t
cudaStreamEndCapture (cudaStream_t stream, cudaGraph_t *graph)
{
  if (!stream->capture)
    return keep (cudaErrorInvalidValue);
  *graph = nullptr;
  capturing = nullptr;
  if (stream->invalidated) {
    stream->capture.reset ();
    return keep (cudaErrorStreamCaptureInvalidated);
  }
  *graph = stream->capture.release ();
  return cudaSuccess;
}

cudaError_t
cudaGraphInstantiate (
    cudaGraphExec_t *exec, cudaGraph_t graph, unsigned long long flags)
{
  *exec = new CUgraphExec_st{ graph->work };
  recordings++;
  return cudaSuccess;
}

cudaError_t
cudaGraphDestroy (cudaGraph_t graph)
{
  delete graph;
  return cudaSuccess;
}

cudaError_t
cudaGraphUpload (cudaGraphExec_t exec, cudaStream_t stream)
{
  return cudaSuccess;
}

cudaError_t
cudaGraphLaunch (cudaGraphExec_t exec, cudaStream_t stream)
{
  stream->pending.insert (
      stream->pending.end (), exec->work.begin (), exec->work.end ());
  return cudaSuccess;
}

cudaError_t
cudaGraphExecDestroy (cudaGraphExec_t exec)
{
  delete exec;
  return cudaSuccess;
}
} /* extern "C" */
