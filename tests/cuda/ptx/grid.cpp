/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Runs the blocks of a grid one after another, a block's warps in turn from
 * barrier to barrier. */
#include "ptx.h"

#include <cstdarg>
#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace ptx {

void
complain (
    const Warp &warp, const Instruction &in, int lane, const char *format, ...)
{
  const Block &block = *warp.block;
  va_list args;
  fprintf (stderr,
      "PTX: kernel %s, %s:%u (PTX line %u: %.*s), block (%u,%u,%u), ",
      block.kernel->name.c_str (),
      block.kernel->module->file (in.file).c_str (), in.source_line, in.line,
      (int) in.text.size (), in.text.data (), block.index[0], block.index[1],
      block.index[2]);
  fprintf (stderr, lane < 0 ? "warp %u: " : "thread %u: ",
      lane < 0 ? warp.number : warp.number * WARP + (unsigned) lane);
  va_start (args, format);
  vfprintf (stderr, format, args);
  va_end (args);
  fputc ('\n', stderr);
  abort ();
}

/** Goes on until the warp waits at a barrier or has left. */
static void
run_warp (Warp *warp)
{
  Block &block = *warp->block;
  const std::vector<Instruction> &code = block.kernel->code;
  warp->waits = nullptr;
  while (!warp->frames.empty () && !warp->waits) {
    Frame &top = warp->frames.back ();
    if (!top.lanes || top.next == top.reconverge) {
      warp->frames.pop_back ();
      continue;
    }
    const Instruction &in = code[top.next++];
    warp->active = top.lanes;
    if (in.guard) {
      const uint32_t guard = *(uint32_t *) warp->slot (in.guard);
      warp->active &= in.guard_not ? ~guard : guard;
    }
    if (!block.counts.empty ())
      block.counts[&in - code.data ()].runs++;
    if (warp->active)
      in.run (*warp, in);
  }
  if (warp->frames.empty () && !warp->copies.empty ())
    complain (
        *warp, code.back (), -1, "ends with copies that were not waited for");
}

static uint32_t
special (const Block &block, unsigned thread, const std::string &name)
{
  const unsigned axis = (unsigned) (name.back () - 'x');
  const unsigned *dim = block.dim;
  if (axis < 3 && name.compare (0, 5, "%tid.") == 0)
    return axis == 0   ? thread % dim[0]
           : axis == 1 ? thread / dim[0] % dim[1]
                       : thread / dim[0] / dim[1];
  if (axis < 3 && name.compare (0, 6, "%ntid.") == 0)
    return dim[axis];
  if (axis < 3 && name.compare (0, 7, "%ctaid.") == 0)
    return block.index[axis];
  if (axis < 3 && name.compare (0, 8, "%nctaid.") == 0)
    return block.grid[axis];
  if (name == "%laneid")
    return thread % WARP;
  fprintf (stderr, "PTX: unknown register %s\n", name.c_str ());
  abort ();
}

static void
make_warp (Block *block, Warp *warp, unsigned threads)
{
  const Kernel &kernel = *block->kernel;
  const unsigned left = threads - warp->number * WARP;
  warp->block = block;
  warp->lanes = left < WARP ? (1u << left) - 1 : ALL;
  warp->slots.resize (kernel.slots);
  warp->local.resize (kernel.local_bytes * WARP);
  for (const Constant &constant : kernel.constants) {
    void *to = warp->slot (constant.slot);
    for (int i = 0; i < WARP; i++)
      if (constant.kind == 'd')
        ((uint64_t *) to)[i] = constant.bits;
      else
        ((uint32_t *) to)[i] = (uint32_t) constant.bits;
  }
}

static void
begin_warp (Warp *warp)
{
  const Kernel &kernel = *warp->block->kernel;
  warp->live = warp->lanes;
  warp->sync = 0;
  warp->groups = 0;
  warp->copies.clear ();
  warp->frames = { { 0, (uint32_t) kernel.code.size (), warp->lanes } };
  for (const Special &one : kernel.specials)
    for (unsigned i = 0; i < WARP; i++)
      ((uint32_t *) warp->slot (one.slot))[i] =
          special (*warp->block, warp->number * WARP + i, one.name);
}

/** All warps have left, or wait. False: they have left. */
static bool
open_barrier (Block *block)
{
  const Warp *waiting = nullptr, *left = nullptr;
  for (const Warp &warp : block->warps)
    (warp.waits ? waiting : left) = &warp;
  if (waiting && left)
    complain (*waiting, *waiting->waits, -1,
        "waits at a barrier that warp %u has left without reaching",
        left->number);
  for (const Warp &warp : block->warps)
    if (waiting && warp.waits != waiting->waits)
      complain (*waiting, *waiting->waits, -1,
          "waits here, warp %u at the barrier of PTX line %u", warp.number,
          warp.waits->line);
  block->epoch++;
  return waiting != nullptr;
}

static void
run_block (Block *block)
{
  block->first_epoch = ++block->epoch;
  for (Warp &warp : block->warps)
    begin_warp (&warp);
  do
    for (Warp &warp : block->warps)
      run_warp (&warp);
  while (open_barrier (block));
}

void
run_grid (Block *block)
{
  const unsigned threads = block->dim[0] * block->dim[1] * block->dim[2];
  block->warps.resize ((threads + WARP - 1) / WARP);
  for (unsigned i = 0; i < block->warps.size (); i++) {
    block->warps[i].number = i;
    make_warp (block, &block->warps[i], threads);
  }
  block->cells.assign (
      (block->shared.size () >> block->kernel->cell_shift) + 1, Cell{});
  block->bounds.assign (block->kernel->code.size (), { 1, 0 });
  block->epoch = 0;
  unsigned *const index = block->index;
  for (index[2] = 0; index[2] < block->grid[2]; index[2]++)
    for (index[1] = 0; index[1] < block->grid[1]; index[1]++)
      for (index[0] = 0; index[0] < block->grid[0]; index[0]++)
        run_block (block);
}

} // namespace ptx
