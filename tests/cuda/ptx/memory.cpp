/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Looks at every address before it is used. */
#include "ptx.h"
#include "cuda_runtime.h"

#include <algorithm>
#include <cstring>

namespace ptx {
namespace {

enum { SECTOR = 32, BANKS = 32 };

void
check_alignment (Warp &warp, const Instruction &in, uint32_t lanes,
    const uint64_t *address, unsigned bytes)
{
  for (unsigned i = 0; i < WARP; i++)
    if (lanes >> i & 1 && address[i] & (bytes - 1))
      complain (warp, in, (int) i, "misaligned: %#llx is no multiple of %u",
          (unsigned long long) address[i], bytes);
}

/** Is it inside an allocation? Keeps which one. */
void
check_bounds (Warp &warp, const Instruction &in, unsigned lane,
    uint64_t address, unsigned bytes)
{
  Block &block = *warp.block;
  auto &bounds = block.bounds[(size_t) (&in - block.kernel->code.data ())];
  if (address >= bounds.first && address + bytes <= bounds.second)
    return;
  size_t size;
  const char *begin =
      (const char *) cuda_emulation_find ((const void *) address, &size);
  if (!begin)
    complain (warp, in, (int) lane, "out of bounds: %#llx is no device memory",
        (unsigned long long) address);
  bounds = { (uintptr_t) begin, (uintptr_t) begin + size };
  if (address + bytes > bounds.second)
    complain (warp, in, (int) lane,
        "out of bounds: %u bytes at offset %llu of the %zu at %p", bytes,
        (unsigned long long) (address - bounds.first), size, begin);
}

/** Did anything write it? Bytes are not looked at: pictures hold anything. */
void
check_written (Warp &warp, const Instruction &in, unsigned lane,
    uint64_t address, unsigned bytes)
{
  const unsigned step = bytes == 2 || in.width == 2 ? 2 : 4;
  for (unsigned i = 0; i + step <= bytes; i += step) {
    uint16_t found[2];
    memcpy (found, (const char *) address + i, step);
    if (found[0] == CUDA_EMULATION_FRESH
        && found[step / 4] == CUDA_EMULATION_FRESH)
      complain (warp, in, (int) lane, "uninitialised: nothing wrote %#llx",
          (unsigned long long) address + i);
  }
}

void
count_sectors (Warp &warp, const Instruction &in, uint32_t lanes,
    const uint64_t *address, unsigned bytes)
{
  uint64_t sector[WARP];
  unsigned count = 0;
  for (unsigned i = 0; i < WARP; i++)
    if (lanes >> i & 1)
      sector[count++] = address[i] / SECTOR;
  const unsigned least = (count * bytes + SECTOR - 1) / SECTOR;
  std::sort (sector, sector + count);
  const unsigned distinct =
      (unsigned) (std::unique (sector, sector + count) - sector);
  Counts *counts = &warp.block->counts[&in - warp.block->kernel->code.data ()];
  counts->sectors += distinct;
  counts->ideal += std::min (least, distinct);
}

/** Generic addresses without their window; all lanes in one space. */
Space
find_space (Warp &warp, const Instruction &in, uint64_t *address)
{
  Space space = GENERIC;
  for (int i = 0; i < WARP; i++)
    if (warp.active >> i & 1) {
      const Space one = address[i] & SHARED_WINDOW  ? SHARED
                        : address[i] & LOCAL_WINDOW ? LOCAL
                                                    : GLOBAL;
      if (space != GENERIC && one != space)
        complain (warp, in, i, "lanes in two spaces are not known");
      space = one;
      address[i] &= ~(SHARED_WINDOW | LOCAL_WINDOW);
    }
  return space;
}

void
check_small (Warp &warp, const Instruction &in, unsigned lane, uint64_t address,
    unsigned bytes, size_t size, const char *name)
{
  if (address > size || size - address < bytes)
    complain (warp, in, (int) lane,
        "out of bounds: %u bytes at offset %lld of %zu of %s memory", bytes,
        (long long) address, size, name);
}

} // namespace

void
check_global (Warp &warp, const Instruction &in, uint32_t lanes,
    const uint64_t *address, unsigned bytes)
{
  check_alignment (warp, in, lanes, address, bytes);
  for (unsigned i = 0; i < WARP; i++)
    if (lanes >> i & 1) {
      check_bounds (warp, in, i, address[i], bytes);
      if (!in.store && bytes > 1)
        check_written (warp, in, i, address[i], bytes);
    }
  if (!warp.block->counts.empty ())
    count_sectors (warp, in, lanes, address, bytes);
}

/* ---- shared memory ------------------------------------------------------- */

/** A thread of the block, and when. */
struct User {
  Warp &warp;
  const Instruction &in;
  unsigned lane;

  unsigned
  thread () const
  {
    return warp.number * WARP + lane;
  }

  /** Has nothing come between then and now that orders us? */
  bool
  meets (unsigned thread, uint32_t sync) const
  {
    return thread / WARP != warp.number || sync == warp.sync;
  }
};

[[noreturn]] static void
race (const User &user, uint64_t address, const char *what, unsigned other)
{
  complain (user.warp, user.in, (int) user.lane,
      "race: shared memory at %llu was %s by thread %u, and no barrier since",
      (unsigned long long) address, what, other);
}

static void
look_at_writer (const User &user, const Cell &cell, uint64_t address)
{
  if (cell.write_epoch == user.warp.block->epoch
      && cell.writer != user.thread ()
      && user.meets (cell.writer, cell.write_sync))
    race (user, address, "written", cell.writer);
}

static void
read_cell (const User &user, Cell *cell, uint64_t address)
{
  const uint32_t epoch = user.warp.block->epoch;
  const uint16_t thread = (uint16_t) user.thread ();
  if (cell->pending)
    complain (user.warp, user.in, (int) user.lane,
        "cp.async: shared memory at %llu is read before the copy was waited "
        "for",
        (unsigned long long) address);
  if (cell->write_epoch < user.warp.block->first_epoch)
    complain (user.warp, user.in, (int) user.lane,
        "uninitialised: nothing wrote shared memory at %llu",
        (unsigned long long) address);
  look_at_writer (user, *cell, address);
  if (cell->read_epoch != epoch)
    cell->readers = Cell::ONE;
  else if (cell->reader / WARP != thread / WARP)
    cell->readers = Cell::MANY;
  else if (cell->readers != Cell::MANY)
    cell->readers = cell->read_sync != user.warp.sync || cell->reader == thread
                        ? cell->readers
                        : Cell::ONE_WARP;
  cell->read_epoch = epoch;
  cell->read_sync = user.warp.sync;
  cell->reader = thread;
}

static void
write_cell (const User &user, Cell *cell, uint64_t address)
{
  const uint32_t epoch = user.warp.block->epoch;
  look_at_writer (user, *cell, address);
  if (cell->read_epoch == epoch
      && (cell->readers == Cell::MANY
          || user.meets (cell->reader, cell->read_sync))
      && (cell->readers != Cell::ONE || cell->reader != user.thread ()))
    race (user, address, "read", cell->reader);
  cell->write_epoch = epoch;
  cell->write_sync = user.warp.sync;
  cell->writer = (uint16_t) user.thread ();
}

void
check_shared (Warp &warp, const Instruction &in, unsigned lane,
    uint64_t address, unsigned bytes, bool store)
{
  Block &block = *warp.block;
  const unsigned shift = block.kernel->cell_shift;
  const User user = { warp, in, lane };
  check_small (warp, in, lane, address, bytes, block.shared.size (), "shared");
  if (address & (bytes - 1))
    complain (warp, in, (int) lane, "misaligned: %llu is no multiple of %u",
        (unsigned long long) address, bytes);
  for (uint64_t i = address >> shift; i < (address + bytes) >> shift; i++)
    if (store)
      write_cell (user, &block.cells[i], i << shift);
    else
      read_cell (user, &block.cells[i], i << shift);
}

void
mark_pending (Warp &warp, uint64_t address, unsigned bytes, bool pending)
{
  Block &block = *warp.block;
  const unsigned shift = block.kernel->cell_shift;
  for (uint64_t i = address >> shift; i < (address + bytes) >> shift; i++)
    block.cells[i].pending = pending;
}

/** Lanes whose accesses together have 128 bytes go in one pass, unless two of
 * them want different words of a bank. */
void
count_waves (Warp &warp, const Instruction &in, uint32_t lanes,
    const uint64_t *address, unsigned bytes)
{
  if (warp.block->counts.empty ())
    return;
  Counts *counts = &warp.block->counts[&in - warp.block->kernel->code.data ()];
  const unsigned together = bytes <= 4 ? (unsigned) WARP : WARP * 4 / bytes;
  for (unsigned first = 0; first < WARP; first += together) {
    std::vector<uint64_t> bank[BANKS];
    size_t most = 0;
    for (unsigned i = first; i < first + together; i++)
      for (unsigned j = 0; lanes >> i & 1 && j < bytes; j += 4) {
        const uint64_t word = (address[i] + j) / 4;
        auto &words = bank[word % BANKS];
        if (std::find (words.begin (), words.end (), word) == words.end ())
          words.push_back (word);
        most = std::max (most, words.size ());
      }
    counts->waves += most;
    counts->extra += most ? most - 1 : 0;
  }
}

/* ---- all spaces ---------------------------------------------------------- */

void
resolve (Warp &warp, const Instruction &in, unsigned char **at)
{
  Block &block = *warp.block;
  const unsigned bytes = in.width * in.count;
  const void *base = warp.slot (in.address);
  uint64_t address[WARP];
  for (int i = 0; i < WARP; i++)
    address[i] = (in.address_wide ? ((const uint64_t *) base)[i]
                                  : ((const uint32_t *) base)[i])
                 + (uint64_t) in.offset;
  Space space = in.space;
  if (space == GENERIC)
    space = find_space (warp, in, address);
  if (space == GLOBAL)
    check_global (warp, in, warp.active, address, bytes);
  else
    check_alignment (warp, in, warp.active, address, bytes);
  if (space == SHARED)
    count_waves (warp, in, warp.active, address, bytes);
  const size_t local = block.kernel->local_bytes;
  for (unsigned i = 0; i < WARP; i++)
    if (warp.active >> i & 1) {
      if (space == GLOBAL) {
        at[i] = (unsigned char *) address[i];
      } else if (space == SHARED) {
        check_shared (warp, in, i, address[i], bytes, in.store);
        at[i] = &block.shared[address[i]];
      } else if (space == LOCAL) {
        check_small (warp, in, i, address[i], bytes, local, "local");
        at[i] = &warp.local[i * local + address[i]];
      } else {
        check_small (warp, in, i, address[i], bytes,
            block.kernel->parameter_bytes, "parameter");
        at[i] = (unsigned char *) block.parameters + address[i];
      }
    }
}

} // namespace ptx
