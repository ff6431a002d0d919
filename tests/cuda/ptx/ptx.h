/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CARDIAC_PTX_H
#define CARDIAC_PTX_H

/* An interpreter of PTX, the virtual machine code that nvcc makes of a kernel,
 * for tests on machines without a GPU. The 32 lanes of a warp go in lockstep and
 * part at branches; they meet again at the branch's immediate post-dominator.
 * What a kernel does wrong ends the process with a message that says kernel,
 * source line, PTX line, block and thread:
 *   - addresses that are misaligned, or not wholly inside one allocation, the
 *     block's shared memory or the thread's local memory;
 *   - shared memory that two threads use, one of them writing, with no barrier
 *     between; that is read before it was written, or while cp.async fills it;
 *   - global memory that is read before anything wrote it;
 *   - barriers that not all threads reach; shfl, vote, mma, ldmatrix of lanes
 *     that are not the ones of the mask;
 *   - copies nobody waits for; blocks larger than .maxntid.
 * An instruction that it doesn't know does so, too.
 *
 * parse.cpp reads a kernel, instructions.cpp says what instructions do,
 * memory.cpp checks addresses, grid.cpp runs blocks, launch.cpp is the part of
 * the CUDA runtime through which nvcc's host code comes here. */

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace ptx {

enum { WARP = 32, MOST_OPERANDS = 14 };

constexpr uint32_t ALL = ~0u;

/** A register: of 32 lanes. A 64-bit one takes two neighbours; a predicate is
 * bit i of the first word for lane i. */
struct alignas (128) Slot
{
  uint32_t at[WARP];
};

/** Slot 0 takes what nobody wants. */
enum { NOWHERE = 0 };

/** What instructions are counted as. */
enum Class {
  MOVES,
  INTEGERS,
  DIVISIONS, ///< and square roots, remainders: a subroutine each
  FLOATS,
  DOUBLES,
  SPECIALS, ///< exponentials, approximate reciprocals
  TENSORS,  ///< mma, ldmatrix
  SHUFFLES,
  GLOBALS,
  SHAREDS,
  OTHERS, ///< parameters, local memory
  CONTROLS,
  CLASSES
};

enum Space { GENERIC, GLOBAL, SHARED, LOCAL, PARAM };

struct Warp;
struct Instruction;
typedef void (*Handler) (Warp &, const Instruction &);

struct Instruction {
  Handler run;
  Class kind;
  uint32_t operand[MOST_OPERANDS]; ///< slots, in the text's order
  uint32_t guard;                  ///< a predicate's slot, or NOWHERE
  bool guard_not;
  /* of memory */
  Space space;
  bool store;
  bool address_wide;    ///< 64 bits, else 32
  bool wide;            ///< loads go to 64-bit registers
  uint8_t width, count; ///< bytes of an element, elements
  uint32_t address;     ///< a slot
  int64_t offset;       ///< added to it
  /* of branches: indices of instructions */
  uint32_t target, reconverge;
  /* for messages */
  uint32_t line, file, source_line;
  std::string_view text;
};

struct Parameter {
  size_t offset, bytes;
};

/** A register that is filled before the kernel runs. */
struct Constant {
  uint32_t slot;
  char kind; ///< 'w': 32 bits, 'd': 64, 'p': a predicate
  uint64_t bits;
};

struct Special {
  uint32_t slot;
  std::string name;
};

struct Module;

struct Kernel {
  const Module *module;
  std::string name; ///< as a person writes it
  std::vector<Instruction> code;
  uint32_t slots;
  std::vector<Constant> constants;
  std::vector<Special> specials;
  std::vector<Parameter> parameters;
  size_t parameter_bytes = 0;
  size_t shared_bytes = 0; ///< static
  size_t local_bytes = 0;  ///< a thread
  unsigned most_threads = 1024;
  unsigned cell_shift = 2; ///< log2 of the smallest access to shared memory
};

/** PTX of one .cu for one architecture. */
struct Module {
  std::string_view text;
  int architecture;
  /** The path of `.file number`. */
  std::string file (uint32_t number) const;
};

/** Reads kernel `name`; ends the process where it cannot. */
std::unique_ptr<Kernel> parse (const Module &module, const std::string &name);

/** What an opcode does; its operands' kinds as Constant has them. */
struct Operation {
  Handler run;
  Class kind;
  std::string operands;
};

/** NULL: there is none of that name. */
const Operation *find_operation (const std::string &name);

/** Loads and stores: sets handler and fields by the opcode's parts. False: no
 * such access. */
bool decode_access (const std::vector<std::string> &parts, Instruction *in);

extern const Handler branch, leave;

/* ---- running ------------------------------------------------------------ */

struct Counts {
  uint64_t runs;           ///< by a warp
  uint64_t sectors, ideal; ///< of 32 bytes of global memory
  uint64_t waves, extra;   ///< passes over shared memory; those of conflicts
};

/** What is known of a few bytes of shared memory. Times are counted in barriers
 * of the block (epoch) and of the warp (sync). */
struct Cell {
  uint32_t write_epoch, write_sync, read_epoch, read_sync;
  uint16_t writer, reader;
  enum : uint8_t { ONE, ONE_WARP, MANY } readers;
  bool pending; ///< cp.async is filling it
};

struct Copy {
  unsigned lane, group;
  uint64_t shared;
  const void *global;
};

/** Lanes that go together. */
struct Frame {
  uint32_t next, reconverge, lanes;
};

struct Block;

struct Warp {
  Block *block;
  unsigned number;
  std::vector<Slot> slots;
  uint32_t lanes;  ///< that it began with
  uint32_t live;   ///< that have not left
  uint32_t active; ///< that do the instruction
  std::vector<Frame> frames;
  const Instruction *waits; ///< at a barrier, or NULL
  uint32_t sync;
  std::vector<Copy> copies;
  unsigned groups; ///< of copies, closed
  std::vector<unsigned char> local;

  void *
  slot (uint32_t number)
  {
    return &slots[number];
  }
};

/** A grid that runs, and its one block that runs. */
struct Block {
  const Kernel *kernel;
  unsigned grid[3], dim[3], index[3];
  const unsigned char *parameters;
  std::vector<Warp> warps;
  std::vector<unsigned char> shared;
  std::vector<Cell> cells;
  uint32_t epoch, first_epoch;
  /** Where each instruction last was in global memory. */
  std::vector<std::pair<uintptr_t, uintptr_t> > bounds;
  std::vector<Counts> counts; ///< a line of code each; empty: not counted
};

/** Runs all blocks. */
void run_grid (Block *block);

/** Ends the process with a message; lane < 0: the whole warp. */
[[noreturn]] void complain (const Warp &warp, const Instruction &in, int lane,
    const char *format, ...) __attribute__ ((format (printf, 4, 5)));

/* ---- memory ------------------------------------------------------------- */

constexpr uint64_t SHARED_WINDOW = (uint64_t) 1 << 62,
                   LOCAL_WINDOW = (uint64_t) 1 << 61;

/** Where each active lane's access lies for the host, after all checks. */
void resolve (Warp &warp, const Instruction &in, unsigned char **at);

/** ldmatrix and cp.async: the check of one row or copy. */
void check_shared (Warp &warp, const Instruction &in, unsigned lane,
    uint64_t address, unsigned bytes, bool store);
void check_global (Warp &warp, const Instruction &in, uint32_t lanes,
    const uint64_t *address, unsigned bytes);
/** Copies fill it, or have filled it now. */
void mark_pending (Warp &warp, uint64_t address, unsigned bytes, bool pending);
/** Counts passes over shared memory. */
void count_waves (Warp &warp, const Instruction &in, uint32_t lanes,
    const uint64_t *address, unsigned bytes);

} // namespace ptx

#endif
