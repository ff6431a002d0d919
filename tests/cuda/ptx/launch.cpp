/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What nvcc's host code calls, under the names of the CUDA runtime: fat binaries
 * and kernels are registered, launches go to the emulation's streams and from
 * there to the interpreter, with the PTX for the device's compute capability.
 *
 *   PTX_COUNTS  1: prints what the first launch of each kernel and shape did;
 *               2: and the lines that waste most */
#include "ptx.h"
#include "cuda_runtime.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <mutex>
#include <set>

using namespace ptx;

namespace {

/* ---- fat binaries ---------------------------------------------------------- */

/* As nvcc and fatbinary write them; all little-endian. */
struct Wrapper {
  uint32_t magic, version;
  const char *data;
};

struct Header {
  uint32_t magic;
  uint16_t version, header_bytes;
  uint64_t bytes; ///< that follow
};

struct Entry {
  uint16_t kind, version; ///< 1: PTX
  uint32_t header_bytes;
  uint64_t bytes;
  uint32_t compressed_bytes, unknown, ptx_version, architecture;
};

enum { FAT_MAGIC = 0x466243b1 };
constexpr uint32_t HEADER_MAGIC = 0xba55ed50;

[[noreturn]] void
give_up (const char *what)
{
  fprintf (stderr, "PTX: %s\n", what);
  abort ();
}

std::vector<Module>
modules_of (const Wrapper *wrapper)
{
  std::vector<Module> modules;
  Header header;
  memcpy (&header, wrapper->data, sizeof header);
  if (wrapper->magic != FAT_MAGIC || header.magic != HEADER_MAGIC)
    give_up ("this nvcc writes another kind of fat binary");
  const char *at = wrapper->data + header.header_bytes,
             *end = at + header.bytes;
  while (at < end) {
    Entry entry;
    memcpy (&entry, at, sizeof entry);
    if (entry.kind == 1 && entry.compressed_bytes)
      give_up ("compressed PTX; compile with --no-compress");
    if (entry.kind == 1)
      modules.push_back ({ at + entry.header_bytes, (int) entry.architecture });
    at += entry.header_bytes + entry.bytes;
  }
  return modules;
}

/* ---- kernels --------------------------------------------------------------- */

struct Registration {
  const std::vector<Module> *modules;
  std::string name;
  std::map<int, std::unique_ptr<Kernel> > parsed; ///< by architecture
};

std::mutex mutex;

std::map<const void *, Registration> &
registrations ()
{
  static auto *it = new std::map<const void *, Registration>;
  return *it;
}

/** NULL: no PTX is for this device. */
const Kernel *
find_kernel (const void *host_function)
{
  const std::lock_guard<std::mutex> lock (mutex);
  cudaDeviceProp device;
  const auto found = registrations ().find (host_function);
  if (found == registrations ().end ())
    give_up ("a launch of what is no kernel");
  if (cudaGetDeviceProperties (&device, 0) != cudaSuccess)
    return nullptr;
  const Module *best = nullptr;
  for (const Module &module : *found->second.modules)
    if (module.architecture <= device.major * 10 + device.minor
        && (!best || module.architecture > best->architecture))
      best = &module;
  if (!best)
    return nullptr;
  auto &kernel = found->second.parsed[best->architecture];
  if (!kernel)
    kernel = parse (*best, found->second.name);
  return kernel.get ();
}

/* ---- counts ---------------------------------------------------------------- */

const char *const class_names[CLASSES] = { "move", "int", "div", "f32", "f64",
  "special", "tensor", "shuffle", "global", "shared", "other", "control" };

/** The source lines with most of what `amount` counts. */
void
print_most (
    const Block &block, const char *what, uint64_t (*amount) (const Counts &))
{
  const std::vector<Instruction> &code = block.kernel->code;
  std::map<std::pair<uint32_t, uint32_t>, uint64_t> lines;
  uint64_t sum = 0;
  for (size_t i = 0; i < code.size (); i++) {
    lines[{ code[i].file, code[i].source_line }] += amount (block.counts[i]);
    sum += amount (block.counts[i]);
  }
  std::multimap<uint64_t, std::pair<uint32_t, uint32_t> > order;
  for (const auto &line : lines)
    order.insert ({ line.second, line.first });
  int left = 8;
  for (auto it = order.rbegin (); it != order.rend () && left--; it++)
    if (it->first)
      fprintf (stderr, "    %5.1f %% of %s: %s:%u\n",
          100.0 * (double) it->first / (double) sum, what,
          block.kernel->module->file (it->second.first).c_str (),
          it->second.second);
}

void
print_counts (const Block &block)
{
  static std::set<std::string> printed;
  const Kernel &kernel = *block.kernel;
  const unsigned blocks = block.grid[0] * block.grid[1] * block.grid[2];
  char shape[200];
  snprintf (shape, sizeof shape, "grid %ux%ux%u, %u threads, %zu bytes shared",
      block.grid[0], block.grid[1], block.grid[2],
      block.dim[0] * block.dim[1] * block.dim[2], block.shared.size ());
  if (!printed.insert (kernel.name + shape).second)
    return;
  Counts sum = {};
  uint64_t of_class[CLASSES] = {};
  for (size_t i = 0; i < kernel.code.size (); i++) {
    const Counts &counts = block.counts[i];
    of_class[kernel.code[i].kind] += counts.runs;
    sum.runs += counts.runs;
    sum.sectors += counts.sectors, sum.ideal += counts.ideal;
    sum.waves += counts.waves, sum.extra += counts.extra;
  }
  const double warps = (double) blocks * (double) block.warps.size ();
  fprintf (stderr, "PTX counts: %s (sm_%d), %s\n  a warp: %.0f instructions:",
      kernel.name.c_str (), kernel.module->architecture, shape,
      (double) sum.runs / warps);
  for (int i = 0; i < CLASSES; i++)
    if (of_class[i])
      fprintf (
          stderr, " %.1f %s", (double) of_class[i] / warps, class_names[i]);
  fprintf (stderr,
      "\n  global: %llu sectors, %llu ideal; shared: %llu passes, %llu of "
      "conflicts\n",
      (unsigned long long) sum.sectors, (unsigned long long) sum.ideal,
      (unsigned long long) sum.waves, (unsigned long long) sum.extra);
  if (*getenv ("PTX_COUNTS") < '2')
    return;
  print_most (block, "instructions", [] (const Counts &c) { return c.runs; });
  print_most (block, "sectors too many",
      [] (const Counts &c) { return c.sectors - c.ideal; });
  print_most (block, "conflicts", [] (const Counts &c) { return c.extra; });
}

/* ---- launches -------------------------------------------------------------- */

struct Launch {
  const Kernel *kernel;
  cudaLaunchConfig_t config;
  std::vector<unsigned char> parameters;
};

cudaError_t
run_launch (void *state)
{
  const Launch *launch = (const Launch *) state;
  const dim3 &grid = launch->config.gridDim, &dim = launch->config.blockDim;
  Block block = { launch->kernel, { grid.x, grid.y, grid.z },
    { dim.x, dim.y, dim.z }, {}, launch->parameters.data (), {}, {}, {}, 0, 0,
    {}, {} };
  block.shared.resize (
      launch->kernel->shared_bytes + launch->config.dynamicSmemBytes);
  if (getenv ("PTX_COUNTS"))
    block.counts.resize (launch->kernel->code.size ());
  run_grid (&block);
  cuda_emulation_pass (1); /* own kernels are slower than libraries' */
  if (getenv ("PTX_COUNTS"))
    print_counts (block);
  return cudaSuccess;
}

void
destroy_launch (void *state)
{
  delete (Launch *) state;
}

} // namespace

extern "C" {

void **
__cudaRegisterFatBinary (void *wrapper)
{
  return (void **) new std::vector<Module> (
      modules_of ((const Wrapper *) wrapper));
}

void
__cudaRegisterFatBinaryEnd (void **)
{
}

/** Kept: kernels that were parsed hang on it. */
void
__cudaUnregisterFatBinary (void **)
{
}

char
__cudaInitModule (void **)
{
  return 0;
}

void
__cudaRegisterFunction (void **modules, const char *host_function, char *,
    const char *name, int, uint3 *, uint3 *, dim3 *, dim3 *, int *)
{
  const std::lock_guard<std::mutex> lock (mutex);
  Registration &it = registrations ()[host_function];
  it.modules = (const std::vector<Module> *) modules;
  it.name = name;
}

cudaError_t
__cudaGetKernel (const void **kernel, const void *host_function)
{
  *kernel = host_function;
  return cudaSuccess;
}

cudaError_t
__cudaPopCallConfiguration (dim3 *, dim3 *, size_t *, void *)
{
  give_up ("launches by <<<>>> are not known");
}

cudaError_t
cudaLaunchKernelExC (
    const cudaLaunchConfig_t *config, const void *function, void **arguments)
{
  const Kernel *kernel = find_kernel (function);
  if (!kernel)
    return cuda_emulation_fail (cudaErrorNoKernelImageForDevice);
  const cudaError_t status =
      cuda_emulation_check_launch (*config, function, kernel->shared_bytes);
  if (status != cudaSuccess)
    return status;
  if (config->blockDim.x * config->blockDim.y * config->blockDim.z
      > kernel->most_threads) {
    fprintf (stderr, "PTX: kernel %s: blocks of more than its .maxntid, %u\n",
        kernel->name.c_str (), kernel->most_threads);
    abort ();
  }
  Launch *launch = new Launch{ kernel, *config,
    std::vector<unsigned char> (kernel->parameter_bytes) };
  for (size_t i = 0; i < kernel->parameters.size (); i++)
    memcpy (&launch->parameters[kernel->parameters[i].offset], arguments[i],
        kernel->parameters[i].bytes);
  return cuda_emulation_enqueue (
      config->stream, run_launch, launch, destroy_launch);
}

cudaError_t
__cudaLaunchKernel (const void *kernel, dim3 grid, dim3 block, void **arguments,
    size_t shared, cudaStream_t stream)
{
  const cudaLaunchConfig_t config = { grid, block, shared, stream };
  return cudaLaunchKernelExC (&config, kernel, arguments);
}

/* The same of CUDA 12's stubs. */
cudaError_t
cudaLaunchKernel (const void *function, dim3 grid, dim3 block, void **arguments,
    size_t shared, cudaStream_t stream)
{
  return __cudaLaunchKernel (function, grid, block, arguments, shared, stream);
}

cudaError_t
cudaFuncSetAttribute (const void *function, int attribute, int value)
{
  const Kernel *kernel = find_kernel (function);
  if (attribute != cudaFuncAttributeMaxDynamicSharedMemorySize || !kernel)
    return cuda_emulation_fail (cudaErrorInvalidValue);
  return cuda_emulation_allow_shared (function, value, kernel->shared_bytes);
}
} /* extern "C" */
