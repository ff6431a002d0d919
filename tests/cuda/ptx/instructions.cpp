/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What each instruction does, by the PTX manual. Only those stand here that
 * nvcc makes of the engine's kernels, and their nearest relatives. */
#include "ptx.h"
#include "backends/reference/storage.h"

#include <cmath>
#include <cstring>
#include <limits>
#include <unordered_map>
#include <utility>

namespace ptx {
namespace {

using std::string;

std::unordered_map<string, Operation> operations;

/* ---- one result a lane --------------------------------------------------- */

template <class T>
constexpr char kind_of = std::is_same<T, bool>::value ? 'p'
                         : sizeof (T) == 8            ? 'd'
                                                      : 'w';

template <class T>
inline T
get (const void *slot, int lane)
{
  if constexpr (std::is_same<T, bool>::value)
    return *(const uint32_t *) slot >> lane & 1;
  else if constexpr (sizeof (T) < 4)
    return (T) ((const uint32_t *) slot)[lane];
  else
    return ((const T *) slot)[lane];
}

template <class T>
inline void
put (void *slot, int lane, T value)
{
  if constexpr (sizeof (T) < 4)
    ((uint32_t *) slot)[lane] = (uint32_t) value;
  else
    ((T *) slot)[lane] = value;
}

/** F gives a result R for operands A... of each lane. */
template <class F, class R, class... A, size_t... I>
inline void
each_lane (Warp &warp, const Instruction &in, std::index_sequence<I...>)
{
  void *const to = warp.slot (in.operand[0]);
  const void *const from[] = { warp.slot (in.operand[1 + I])... };
  const uint32_t active = warp.active;
  if constexpr (std::is_same<R, bool>::value) {
    uint32_t bits = 0;
    for (int i = 0; i < WARP; i++)
      bits |= (uint32_t) F::of (get<A> (from[I], i)...) << i;
    *(uint32_t *) to = (*(uint32_t *) to & ~active) | (bits & active);
  } else if (active == ALL) {
#pragma GCC ivdep
    for (int i = 0; i < WARP; i++)
      put<R> (to, i, F::of (get<A> (from[I], i)...));
  } else {
    for (int i = 0; i < WARP; i++)
      if (active >> i & 1)
        put<R> (to, i, F::of (get<A> (from[I], i)...));
  }
}

template <class F, class R, class... A>
void
each (Warp &warp, const Instruction &in)
{
  each_lane<F, R, A...> (warp, in, std::index_sequence_for<A...>{});
}

template <class F, class R, class... A>
void
add (const string &name, Class kind, R (*) (A...))
{
  const char kinds[] = { kind_of<R>, kind_of<A>..., 0 };
  operations[name] = { each<F, R, A...>, kind, kinds };
}

/** Operands are a, b, c, d. */
#define EACH(name, kind, R, parameters, expression)                            \
  {                                                                            \
    struct F {                                                                 \
      static inline R of parameters                                            \
      {                                                                        \
        return (R) (expression);                                               \
      }                                                                        \
    };                                                                         \
    add<F> (name, kind, &F::of);                                               \
  }

/** Integers may wrap around. */
template <class T> using Unsigned = typename std::make_unsigned<T>::type;

template <class T>
inline T
shift_left (T a, uint32_t by)
{
  return by < 8 * sizeof (T) ? (T) ((Unsigned<T>) a << by) : 0;
}

template <class T>
inline T
shift_right (T a, uint32_t by)
{
  const uint32_t most = 8 * sizeof (T) - 1;
  return by <= most ? (T) (a >> by) : std::is_signed<T>::value ? a >> most : 0;
}

template <class T>
void
comparisons (const string &type, Class kind)
{
  EACH ("setp.eq." + type, kind, bool, (T a, T b), a == b)
  EACH ("setp.ne." + type, kind, bool, (T a, T b), a<b || a> b)
  EACH ("setp.lt." + type, kind, bool, (T a, T b), a < b)
  EACH ("setp.le." + type, kind, bool, (T a, T b), a <= b)
  EACH ("setp.gt." + type, kind, bool, (T a, T b), a > b)
  EACH ("setp.ge." + type, kind, bool, (T a, T b), a >= b)
}

/** True where a or b is NaN. */
template <class T>
void
unordered_comparisons (const string &type, Class kind)
{
  EACH ("setp.equ." + type, kind, bool, (T a, T b), !(a < b || a > b))
  EACH ("setp.neu." + type, kind, bool, (T a, T b), !(a == b))
  EACH ("setp.ltu." + type, kind, bool, (T a, T b), !(a >= b))
  EACH ("setp.leu." + type, kind, bool, (T a, T b), !(a > b))
  EACH ("setp.gtu." + type, kind, bool, (T a, T b), !(a <= b))
  EACH ("setp.geu." + type, kind, bool, (T a, T b), !(a < b))
  EACH ("setp.nan." + type, kind, bool, (T a, T b), a != a || b != b)
  EACH ("setp.num." + type, kind, bool, (T a, T b), a == a && b == b)
}

template <class T>
void
integers (const string &type)
{
  typedef Unsigned<T> U;
  EACH ("add." + type, INTEGERS, T, (T a, T b), (U) a + (U) b)
  EACH ("sub." + type, INTEGERS, T, (T a, T b), (U) a - (U) b)
  EACH ("neg." + type, INTEGERS, T, (T a), -(U) a)
  EACH ("abs." + type, INTEGERS, T, (T a), a < 0 ? -(U) a : (U) a)
  EACH ("min." + type, INTEGERS, T, (T a, T b), b < a ? b : a)
  EACH ("max." + type, INTEGERS, T, (T a, T b), a < b ? b : a)
  /* Through 64 bits: short unsigned numbers would become signed ones. */
  EACH ("mul.lo." + type, INTEGERS, T, (T a, T b), (uint64_t) a * (uint64_t) b)
  EACH ("mad.lo." + type, INTEGERS, T, (T a, T b, T c),
      (uint64_t) a * (uint64_t) b + (uint64_t) c)
  /* By nought: all bits, as devices do. */
  EACH ("div." + type, DIVISIONS, T, (T a, T b),
      b == 0                                    ? (T) ~(T) 0
      : std::is_signed<T>::value && b == (T) -1 ? (T) (0 - (U) a)
                                                : (T) (a / b))
  EACH ("rem." + type, DIVISIONS, T, (T a, T b),
      b == 0                                    ? a
      : std::is_signed<T>::value && b == (T) -1 ? 0
                                                : (T) (a % b))
  EACH ("shr." + type, INTEGERS, T, (T a, uint32_t b), shift_right (a, b))
  comparisons<T> (type, INTEGERS);
}

template <class T>
void
bits (const string &type)
{
  EACH ("mov." + type, MOVES, T, (T a), a)
  EACH ("and." + type, INTEGERS, T, (T a, T b), a & b)
  EACH ("or." + type, INTEGERS, T, (T a, T b), a | b)
  EACH ("xor." + type, INTEGERS, T, (T a, T b), a ^ b)
  EACH ("not." + type, INTEGERS, T, (T a), ~a)
  EACH ("shl." + type, INTEGERS, T, (T a, uint32_t b), shift_left (a, b))
  EACH ("shr." + type, INTEGERS, T, (T a, uint32_t b), shift_right (a, b))
  EACH ("setp.eq." + type, INTEGERS, bool, (T a, T b), a == b)
  EACH ("setp.ne." + type, INTEGERS, bool, (T a, T b), a != b)
}

template <class T>
void
choices (const string &type)
{
  EACH ("mov." + type, MOVES, T, (T a), a)
  EACH ("selp." + type, MOVES, T, (T a, T b, bool c), c ? a : b)
}

/** The smaller, or the one that is a number. */
template <class T>
void
floats (const string &type, Class kind)
{
  for (const string rounding : { "", "rn." }) {
    EACH ("add." + rounding + type, kind, T, (T a, T b), a + b)
    EACH ("sub." + rounding + type, kind, T, (T a, T b), a - b)
    EACH ("mul." + rounding + type, kind, T, (T a, T b), a * b)
  }
  EACH ("fma.rn." + type, kind, T, (T a, T b, T c), std::fma (a, b, c))
  EACH ("min." + type, kind, T, (T a, T b), a < b || b != b ? a : b)
  EACH ("max." + type, kind, T, (T a, T b), a > b || b != b ? a : b)
  EACH ("neg." + type, kind, T, (T a), -a)
  EACH ("abs." + type, kind, T, (T a), std::fabs (a))
  EACH ("div.rn." + type, DIVISIONS, T, (T a, T b), a / b)
  EACH ("rcp.rn." + type, DIVISIONS, T, (T a), 1 / a)
  EACH ("sqrt.rn." + type, DIVISIONS, T, (T a), std::sqrt (a))
  comparisons<T> (type, kind);
  unordered_comparisons<T> (type, kind);
}

/** Of a double a + b: what rounding took away (Knuth). */
inline double
lost (double a, double b)
{
  const double sum = a + b, part = sum - a;
  return (a - (sum - part)) + (b - part);
}

/** a b + c, rounded down. */
inline float
fma_down (float a, float b, float c)
{
  const double product = (double) a * b, sum = product + c;
  const float y = (float) sum;
  const bool above = y > sum || (y == sum && lost (product, c) < 0);
  return above ? std::nextafter (y, -INFINITY) : y;
}

/** x with nearly the largest relative error that the manual allows, one way or
 * the other: devices have another than the host's functions. */
inline float
approximate (float x, float error)
{
  const int32_t any = (int32_t) (cardiac_float_bits (x) * 2654435769u);
  const float y = x + x * (error * 0.75f * (float) any * 0x1p-31f);
  return std::isfinite (y) ? y : x;
}

inline float
flush (float x)
{
  return std::fabs (x) < 0x1p-126f ? std::copysign (0.0f, x) : x;
}

/** a / b to two units in the last place; 0 for the largest b. */
inline float
divide (float a, float b)
{
  if (std::fabs (b) > 0x1p126f && !std::isinf (b))
    return std::isinf (a) ? NAN : a * 0.0f;
  return approximate (a / b, 0x1p-22f);
}

template <class T>
inline T
saturate (double x)
{
  typedef std::numeric_limits<T> Limits;
  return x != x                            ? 0
         : x <= (double) Limits::lowest () ? Limits::lowest ()
         : x >= (double) Limits::max ()    ? Limits::max ()
                                           : (T) x;
}

template <class To, class From>
void
conversion (const string &name)
{
  EACH ("cvt." + name, MOVES, To, (From a), a)
}

template <class From>
void
conversions_of_integers (const string &from)
{
  conversion<uint16_t, From> ("u16." + from);
  conversion<int16_t, From> ("s16." + from);
  conversion<uint32_t, From> ("u32." + from);
  conversion<int32_t, From> ("s32." + from);
  conversion<uint64_t, From> ("u64." + from);
  conversion<int64_t, From> ("s64." + from);
  conversion<float, From> ("rn.f32." + from);
  conversion<double, From> ("rn.f64." + from);
}

template <class To>
void
conversions_to_integers (const string &to)
{
  EACH ("cvt.rzi." + to + ".f32", MOVES, To, (float a),
      saturate<To> (std::trunc (a)))
  EACH ("cvt.rni." + to + ".f32", MOVES, To, (float a),
      saturate<To> (std::rint (a)))
  EACH ("cvt.rmi." + to + ".f32", MOVES, To, (float a),
      saturate<To> (std::floor (a)))
}

void
conversions_of_floats ()
{
  conversion<double, float> ("f64.f32");
  conversion<float, double> ("rn.f32.f64");
  EACH ("cvt.sat.f32.f32", FLOATS, float, (float a), a > 0 ? a < 1 ? a : 1 : 0)
  EACH ("cvt.f32.f16", MOVES, float, (uint16_t a), cardiac_from_f16 (a))
  EACH ("cvt.f32.bf16", MOVES, float, (uint16_t a), cardiac_from_bf16 (a))
  EACH ("cvt.rn.f16.f32", MOVES, uint16_t, (float a), cardiac_to_f16 (a))
  EACH ("cvt.rn.bf16.f32", MOVES, uint16_t, (float a), cardiac_to_bf16 (a))
  EACH ("cvt.rn.f16x2.f32", MOVES, uint32_t, (float a, float b),
      (uint32_t) cardiac_to_f16 (a) << 16 | cardiac_to_f16 (b))
  EACH ("cvt.rn.bf16x2.f32", MOVES, uint32_t, (float a, float b),
      (uint32_t) cardiac_to_bf16 (a) << 16 | cardiac_to_bf16 (b))
}

/** `count` bits of a into b from bit `at` on. */
template <class T>
inline T
insert_bits (T a, T b, uint32_t at, uint32_t count)
{
  const uint32_t width = 8 * sizeof (T);
  at &= 255, count &= 255;
  const T ones = count >= width ? ~(T) 0 : ((T) 1 << count) - 1;
  const T mask = at >= width ? 0 : ones << at;
  return (b & ~mask) | (at >= width ? 0 : a << at & mask);
}

/** Two halves of each lane's number. */
template <class Whole, class Half>
void
unpack (Warp &warp, const Instruction &in)
{
  for (int i = 0; i < WARP; i++)
    if (warp.active >> i & 1) {
      const Whole whole = get<Whole> (warp.slot (in.operand[2]), i);
      put<Half> (warp.slot (in.operand[0]), i, (Half) whole);
      put<Half> (
          warp.slot (in.operand[1]), i, (Half) (whole >> 8 * sizeof (Half)));
    }
}

void
others ()
{
  EACH ("fma.rm.f32", FLOATS, float, (float a, float b, float c),
      fma_down (a, b, c))
  EACH ("ex2.approx.f32", SPECIALS, float, (float a),
      approximate (std::exp2 (a), 0x1p-22f))
  EACH ("ex2.approx.ftz.f32", SPECIALS, float, (float a),
      flush (approximate (std::exp2 (a), 0x1p-22f)))
  EACH ("rsqrt.approx.f32", SPECIALS, float, (float a),
      approximate (1 / std::sqrt (a), 0x1p-23f))
  EACH ("rsqrt.approx.f64", DIVISIONS, double, (double a), 1 / std::sqrt (a))
  EACH ("div.approx.f32", SPECIALS, float, (float a, float b), divide (a, b))
  EACH ("mul.hi.s32", INTEGERS, int32_t, (int32_t a, int32_t b),
      (int64_t) a * b >> 32)
  EACH ("mul.hi.u32", INTEGERS, uint32_t, (uint32_t a, uint32_t b),
      (uint64_t) a * b >> 32)
  EACH ("mul.wide.s32", INTEGERS, int64_t, (int32_t a, int32_t b),
      (int64_t) a * b)
  EACH ("mul.wide.u32", INTEGERS, uint64_t, (uint32_t a, uint32_t b),
      (uint64_t) a * b)
  EACH ("mul.wide.s16", INTEGERS, int32_t, (int16_t a, int16_t b), a * b)
  EACH ("mul.wide.u16", INTEGERS, uint32_t, (uint16_t a, uint16_t b),
      (uint32_t) a * b)
  EACH ("bfi.b32", INTEGERS, uint32_t,
      (uint32_t a, uint32_t b, uint32_t c, uint32_t d),
      insert_bits (a, b, c, d))
  EACH ("bfi.b64", INTEGERS, uint64_t,
      (uint64_t a, uint64_t b, uint32_t c, uint32_t d),
      insert_bits (a, b, c, d))
  EACH ("mov.b32.pack", MOVES, uint32_t, (uint16_t a, uint16_t b),
      (uint32_t) b << 16 | a)
  EACH ("mov.b64.pack", MOVES, uint64_t, (uint32_t a, uint32_t b),
      (uint64_t) b << 32 | a)
  operations["mov.b32.unpack"] = { unpack<uint32_t, uint16_t>, MOVES, "www" };
  operations["mov.b64.unpack"] = { unpack<uint64_t, uint32_t>, MOVES, "wwd" };
  /* Global addresses are generic ones. */
  EACH ("cvta.global.u64", MOVES, uint64_t, (uint64_t a), a)
  EACH ("cvta.to.global.u64", MOVES, uint64_t, (uint64_t a), a)
  EACH ("cvta.shared.u64", MOVES, uint64_t, (uint64_t a), a + SHARED_WINDOW)
  EACH ("cvta.to.shared.u64", MOVES, uint64_t, (uint64_t a), a - SHARED_WINDOW)
  EACH ("cvta.local.u64", MOVES, uint64_t, (uint64_t a), a + LOCAL_WINDOW)
  EACH ("cvta.to.local.u64", MOVES, uint64_t, (uint64_t a), a - LOCAL_WINDOW)
}

/* ---- predicates ---------------------------------------------------------- */

template <class F>
void
predicates (Warp &warp, const Instruction &in)
{
  uint32_t *to = (uint32_t *) warp.slot (in.operand[0]);
  const uint32_t a = *(uint32_t *) warp.slot (in.operand[1]),
                 b = *(uint32_t *) warp.slot (in.operand[2]);
  *to = (*to & ~warp.active) | (F::of (a, b) & warp.active);
}

#define PREDICATES(name, operands, expression)                                 \
  {                                                                            \
    struct F {                                                                 \
      static uint32_t                                                          \
      of (uint32_t a, uint32_t b)                                              \
      {                                                                        \
        return (void) b, expression;                                           \
      }                                                                        \
    };                                                                         \
    operations[name] = { predicates<F>, CONTROLS, operands };                  \
  }

void
all_predicates ()
{
  PREDICATES ("mov.pred", "pp", a)
  PREDICATES ("not.pred", "pp", ~a)
  PREDICATES ("and.pred", "ppp", a & b)
  PREDICATES ("or.pred", "ppp", a | b)
  PREDICATES ("xor.pred", "ppp", a ^ b)
}

/* ---- of a warp ----------------------------------------------------------- */

void
require_lanes (const Warp &warp, const Instruction &in, uint32_t wanted)
{
  if (warp.active != wanted)
    complain (
        warp, in, -1, "for lanes %08x, but %08x do it", wanted, warp.active);
}

/** The lane whose value goes to `lane`, and whether it is in range. */
template <char MODE>
bool
shuffle_source (int lane, uint32_t b, uint32_t c, int *source)
{
  const int segment = c >> 8 & 31, clamp = c & 31;
  const int least = lane & segment, most = least | (clamp & ~segment);
  const int by = b & 31;
  const int j = MODE == 'i'   ? least | (by & ~segment)
                : MODE == 'u' ? lane - by
                : MODE == 'd' ? lane + by
                              : lane ^ by;
  const bool inside = MODE == 'u' ? j >= most : j <= most;
  *source = inside ? j : lane;
  return inside;
}

template <char MODE>
void
shuffle (Warp &warp, const Instruction &in)
{
  uint32_t *to = (uint32_t *) warp.slot (in.operand[0]);
  uint32_t *inside = (uint32_t *) warp.slot (in.operand[1]);
  const uint32_t *b = (uint32_t *) warp.slot (in.operand[3]),
                 *c = (uint32_t *) warp.slot (in.operand[4]),
                 *mask = (uint32_t *) warp.slot (in.operand[5]);
  uint32_t value[WARP], was_inside = 0;
  memcpy (value, warp.slot (in.operand[2]), sizeof value);
  for (int i = 0; i < WARP; i++)
    if (warp.active >> i & 1) {
      int source;
      require_lanes (warp, in, mask[i]);
      was_inside |= (uint32_t) shuffle_source<MODE> (i, b[i], c[i], &source)
                    << i;
      if (!(warp.active >> source & 1))
        complain (warp, in, i, "from lane %d, which is not there", source);
      to[i] = value[source];
    }
  *inside = (*inside & ~warp.active) | was_inside;
}

void
ballot (Warp &warp, const Instruction &in)
{
  const uint32_t votes = *(uint32_t *) warp.slot (in.operand[1]) & warp.active;
  for (int i = 0; i < WARP; i++)
    if (warp.active >> i & 1) {
      require_lanes (warp, in, ((uint32_t *) warp.slot (in.operand[2]))[i]);
      ((uint32_t *) warp.slot (in.operand[0]))[i] = votes;
    }
}

void
warp_barrier (Warp &warp, const Instruction &in)
{
  for (int i = 0; i < WARP; i++)
    if (warp.active >> i & 1)
      require_lanes (warp, in, ((uint32_t *) warp.slot (in.operand[0]))[i]);
  warp.sync++;
}

void
block_barrier (Warp &warp, const Instruction &in)
{
  if (*(uint32_t *) warp.slot (in.operand[0]) != 0)
    complain (warp, in, -1, "only barrier 0 is known");
  if (warp.active != warp.lanes)
    complain (warp, in, -1, "lanes %08x reach the barrier, %08x do not",
        warp.active, warp.lanes & ~warp.active);
  warp.waits = &in;
}

void
trap (Warp &warp, const Instruction &in)
{
  complain (warp, in, -1, "the kernel gives up");
}

template <bool BF16>
float
number (uint32_t pair, int which)
{
  const uint16_t bits = (uint16_t) (pair >> 16 * which);
  return BF16 ? cardiac_from_bf16 (bits) : cardiac_from_f16 (bits);
}

/** d = a b + c; a [16,K], b [K,8], the PTX manual's "Matrix Fragments for
 * mma.m16n8k16" and "... k8": element i of a lane's registers, group = lane / 4,
 * member = lane % 4. */
template <int K, bool BF16>
void
mma (Warp &warp, const Instruction &in)
{
  float a[16][K], b[K][8];
  require_lanes (warp, in, ALL);
  const auto word = [&] (int operand, int lane) {
    return ((uint32_t *) warp.slot (in.operand[operand]))[lane];
  };
  for (int lane = 0; lane < WARP; lane++) {
    const int group = lane >> 2, member = lane & 3;
    for (int i = 0; i < K / 2; i++) {
      const int row = i % 4 < 2 ? group : group + 8;
      const int column = member * 2 + (i & 1) + (i < 4 ? 0 : 8);
      a[row][column] = number<BF16> (word (4 + i / 2, lane), i & 1);
    }
    for (int i = 0; i < K / 4; i++)
      b[member * 2 + (i & 1) + (i < 2 ? 0 : 8)][group] =
          number<BF16> (word (4 + K / 4 + i / 2, lane), i & 1);
  }
  float sum[16][8] = {};
  for (int row = 0; row < 16; row++)
    for (int k = 0; k < K; k++)
      for (int column = 0; column < 8; column++)
        sum[row][column] += a[row][k] * b[k][column];
  for (int lane = 0; lane < WARP; lane++)
    for (int i = 0; i < 4; i++) {
      const float *c = (float *) warp.slot (in.operand[4 + 3 * K / 8 + i]);
      float *d = (float *) warp.slot (in.operand[i]);
      d[lane] = c[lane]
                + sum[(lane >> 2) + (i < 2 ? 0 : 8)][(lane & 3) * 2 + (i & 1)];
    }
}

/** COUNT 8x8 matrices of 16 bits; lane l gives the address of row l % 8 of
 * matrix l / 8. */
template <int COUNT, bool TRANSPOSE>
void
ldmatrix (Warp &warp, const Instruction &in)
{
  uint16_t matrix[COUNT][8][8];
  uint64_t address[WARP] = {};
  require_lanes (warp, in, ALL);
  for (unsigned i = 0; i < COUNT * 8; i++) {
    const void *base = warp.slot (in.address);
    address[i] =
        (in.address_wide ? ((uint64_t *) base)[i] : ((uint32_t *) base)[i])
        + in.offset;
    check_shared (warp, in, i, address[i], 16, false);
    memcpy (matrix[i / 8][i % 8], &warp.block->shared[address[i]], 16);
  }
  count_waves (
      warp, in, (uint32_t) (((uint64_t) 1 << COUNT * 8) - 1), address, 16);
  for (int m = 0; m < COUNT; m++)
    for (int lane = 0; lane < WARP; lane++) {
      const int row = lane / 4, column = lane % 4 * 2;
      const uint32_t low =
          TRANSPOSE ? matrix[m][column][row] : matrix[m][row][column];
      const uint32_t high =
          TRANSPOSE ? matrix[m][column + 1][row] : matrix[m][row][column + 1];
      ((uint32_t *) warp.slot (in.operand[m]))[lane] = high << 16 | low;
    }
}

/* ---- copies in the background -------------------------------------------- */

void
copy_async (Warp &warp, const Instruction &in)
{
  uint64_t from[WARP] = {}, to[WARP] = {};
  for (unsigned i = 0; i < WARP; i++)
    if (warp.active >> i & 1) {
      const void *base = warp.slot (in.address);
      to[i] =
          (in.address_wide ? ((uint64_t *) base)[i] : ((uint32_t *) base)[i])
          + in.offset;
      from[i] = ((uint64_t *) warp.slot (in.operand[0]))[i];
      if (((uint32_t *) warp.slot (in.operand[1]))[i] != 16)
        complain (warp, in, i, "only copies of 16 bytes are known");
      check_shared (warp, in, i, to[i], 16, true);
      mark_pending (warp, to[i], 16, true);
      warp.copies.push_back ({ i, warp.groups, to[i], (void *) from[i] });
    }
  check_global (warp, in, warp.active, from, 16);
  count_waves (warp, in, warp.active, to, 16);
}

/** The active lanes' copies of all but the last `left` groups are done. Lanes
 * of a warp count their groups together here. */
void
finish_copies (Warp &warp, const Instruction &in, unsigned left)
{
  std::vector<Copy> rest;
  for (const Copy &copy : warp.copies) {
    if (!(warp.active >> copy.lane & 1) || copy.group + left >= warp.groups) {
      rest.push_back (copy);
      continue;
    }
    mark_pending (warp, copy.shared, 16, false);
    check_shared (warp, in, copy.lane, copy.shared, 16, true);
    memcpy (&warp.block->shared[copy.shared], copy.global, 16);
  }
  warp.copies.swap (rest);
}

void
copy_commit (Warp &warp, const Instruction &in)
{
  require_lanes (warp, in, warp.live);
  warp.groups++;
}

void
copy_wait (Warp &warp, const Instruction &in)
{
  finish_copies (warp, in, *(uint32_t *) warp.slot (in.operand[0]));
}

void
of_warps ()
{
  operations["shfl.sync.idx.b32"] = { shuffle<'i'>, SHUFFLES, "wpwwww" };
  operations["shfl.sync.up.b32"] = { shuffle<'u'>, SHUFFLES, "wpwwww" };
  operations["shfl.sync.down.b32"] = { shuffle<'d'>, SHUFFLES, "wpwwww" };
  operations["shfl.sync.bfly.b32"] = { shuffle<'b'>, SHUFFLES, "wpwwww" };
  operations["vote.sync.ballot.b32"] = { ballot, SHUFFLES, "wpw" };
  operations["bar.warp.sync"] = { warp_barrier, CONTROLS, "w" };
  operations["bar.sync"] = { block_barrier, CONTROLS, "w" };
  operations["trap"] = { trap, CONTROLS, "" };
  const string mma16 = "mma.sync.aligned.m16n8k16.row.col.f32.",
               mma8 = "mma.sync.aligned.m16n8k8.row.col.f32.";
  operations[mma16 + "f16.f16.f32"] = { mma<16, false>, TENSORS,
    string (14, 'w') };
  operations[mma16 + "bf16.bf16.f32"] = { mma<16, true>, TENSORS,
    string (14, 'w') };
  operations[mma8 + "f16.f16.f32"] = { mma<8, false>, TENSORS,
    string (11, 'w') };
  const string matrices = "ldmatrix.sync.aligned.m8n8.x4.";
  operations[matrices + "shared.b16"] = { ldmatrix<4, false>, TENSORS, "wwww" };
  operations[matrices + "trans.shared.b16"] = { ldmatrix<4, true>, TENSORS,
    "wwww" };
  operations["cp.async.cg.shared.global"] = { copy_async, GLOBALS, "dw" };
  operations["cp.async.commit_group"] = { copy_commit, CONTROLS, "" };
  operations["cp.async.wait_group"] = { copy_wait, CONTROLS, "w" };
}

/* ---- loads and stores ---------------------------------------------------- */

template <class T>
void
load (Warp &warp, const Instruction &in)
{
  unsigned char *at[WARP];
  resolve (warp, in, at);
  for (unsigned e = 0; e < in.count; e++) {
    void *to = warp.slot (in.operand[e]);
    for (int i = 0; i < WARP; i++)
      if (warp.active >> i & 1) {
        T value;
        memcpy (&value, at[i] + e * sizeof value, sizeof value);
        if (in.wide)
          ((uint64_t *) to)[i] = (uint64_t) value;
        else
          ((uint32_t *) to)[i] = (uint32_t) value;
      }
  }
}

template <class T>
void
store (Warp &warp, const Instruction &in)
{
  unsigned char *at[WARP];
  resolve (warp, in, at);
  for (unsigned e = 0; e < in.count; e++) {
    const void *from = warp.slot (in.operand[e]);
    for (int i = 0; i < WARP; i++)
      if (warp.active >> i & 1) {
        const T value =
            in.wide ? (T) ((uint64_t *) from)[i] : (T) ((uint32_t *) from)[i];
        memcpy (at[i] + e * sizeof value, &value, sizeof value);
      }
  }
}

const std::map<string, std::pair<Handler, Handler> > accesses = {
  { "b8", { load<uint8_t>, store<uint8_t> } },
  { "u8", { load<uint8_t>, store<uint8_t> } },
  { "s8", { load<int8_t>, store<uint8_t> } },
  { "b16", { load<uint16_t>, store<uint16_t> } },
  { "u16", { load<uint16_t>, store<uint16_t> } },
  { "s16", { load<int16_t>, store<uint16_t> } },
  { "b32", { load<uint32_t>, store<uint32_t> } },
  { "u32", { load<uint32_t>, store<uint32_t> } },
  { "f32", { load<uint32_t>, store<uint32_t> } },
  { "s32", { load<int32_t>, store<uint32_t> } },
  { "b64", { load<uint64_t>, store<uint64_t> } },
  { "u64", { load<uint64_t>, store<uint64_t> } },
  { "s64", { load<uint64_t>, store<uint64_t> } },
  { "f64", { load<uint64_t>, store<uint64_t> } },
};

const std::map<string, Space> spaces = { { "global", GLOBAL },
  { "shared", SHARED }, { "local", LOCAL }, { "param", PARAM } };

void
fill ()
{
  integers<int16_t> ("s16"), integers<uint16_t> ("u16");
  integers<int32_t> ("s32"), integers<uint32_t> ("u32");
  integers<int64_t> ("s64"), integers<uint64_t> ("u64");
  bits<uint16_t> ("b16"), bits<uint32_t> ("b32"), bits<uint64_t> ("b64");
  for (const string kind : { "b", "u", "s" }) {
    choices<uint16_t> (kind + "16");
    choices<uint32_t> (kind + "32");
    choices<uint64_t> (kind + "64");
  }
  choices<float> ("f32"), choices<double> ("f64");
  floats<float> ("f32", FLOATS), floats<double> ("f64", DOUBLES);
  conversions_of_integers<int8_t> ("s8");
  conversions_of_integers<uint8_t> ("u8");
  conversions_of_integers<int16_t> ("s16");
  conversions_of_integers<uint16_t> ("u16");
  conversions_of_integers<int32_t> ("s32");
  conversions_of_integers<uint32_t> ("u32");
  conversions_of_integers<int64_t> ("s64");
  conversions_of_integers<uint64_t> ("u64");
  conversions_to_integers<int32_t> ("s32");
  conversions_to_integers<uint32_t> ("u32");
  conversions_of_floats ();
  others ();
  all_predicates ();
  of_warps ();
}

} // namespace

const Operation *
find_operation (const string &name)
{
  if (operations.empty ())
    fill ();
  const auto found = operations.find (name);
  return found == operations.end () ? nullptr : &found->second;
}

bool
decode_access (const std::vector<string> &parts, Instruction *in)
{
  in->store = parts[0] == "st";
  if ((!in->store && parts[0] != "ld") || parts.size () < 2)
    return false;
  const string &type = parts.back ();
  const auto access = accesses.find (type);
  if (access == accesses.end ())
    return false;
  in->run = in->store ? access->second.second : access->second.first;
  in->width = (uint8_t) (strtoul (type.c_str () + 1, nullptr, 10) / 8);
  in->count = 1;
  for (size_t i = 1; i + 1 < parts.size (); i++) {
    const auto space = spaces.find (parts[i]);
    if (space != spaces.end ())
      in->space = space->second;
    else if (parts[i] == "v2" || parts[i] == "v4")
      in->count = (uint8_t) (parts[i][1] - '0');
    else if (parts[i] != "nc" && parts[i] != "volatile")
      return false;
  }
  in->kind = in->space == GLOBAL || in->space == GENERIC ? GLOBALS
             : in->space == SHARED                       ? SHAREDS
                                                         : OTHERS;
  return true;
}

/* ---- branches ------------------------------------------------------------ */

static void
do_branch (Warp &warp, const Instruction &in)
{
  Frame &top = warp.frames.back ();
  const uint32_t taken = warp.active, rest = top.lanes & ~taken;
  if (!taken)
    return;
  if (!rest) {
    top.next = in.target;
    return;
  }
  const uint32_t next = top.next, meet = in.reconverge;
  if (meet == top.reconverge) /* the frame below waits there already */
    warp.frames.pop_back ();
  else
    top.next = meet;
  if (next != meet)
    warp.frames.push_back ({ next, meet, rest });
  if (in.target != meet)
    warp.frames.push_back ({ in.target, meet, taken });
}

static void
do_leave (Warp &warp, const Instruction &)
{
  warp.live &= ~warp.active;
  for (Frame &frame : warp.frames)
    frame.lanes &= ~warp.active;
}

const Handler branch = do_branch, leave = do_leave;

} // namespace ptx
