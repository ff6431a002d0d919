/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "bench-peak.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/** Runs `count` rounds. @return floating-point operations done. */
typedef double (*PeakLoop) (long count);

static double
now (void)
{
  struct timespec t;
  clock_gettime (CLOCK_MONOTONIC, &t);
  return (double) t.tv_sec + 1e-9 * (double) t.tv_nsec;
}

/* ---- loops --------------------------------------------------------------------- */

#if defined(__x86_64__)
#include <cpuid.h>
#include <immintrin.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Independent sums that hide the latency of one multiply-add. The empty asm
 * keeps each in a register and the loop from being folded. */
#define KEEP(x) __asm__ volatile("" : "+v"(x))

__attribute__ ((target ("avx2,fma"))) static double
fma_ymm (long count)
{
  enum { SUMS = 12 };
  __m256 sums[SUMS], a = _mm256_set1_ps (0.999f), b = _mm256_set1_ps (1e-9f);
#pragma GCC unroll 12
  for (int i = 0; i < SUMS; i++)
    sums[i] = _mm256_set1_ps ((float) i);
  for (long round = 0; round < count; round++) {
#pragma GCC unroll 12
    for (int i = 0; i < SUMS; i++) {
      sums[i] = _mm256_fmadd_ps (sums[i], a, b);
      KEEP (sums[i]);
    }
  }
  return (double) count * SUMS * 8 * 2;
}

__attribute__ ((target ("avx512f"))) static double
fma_zmm (long count)
{
  enum { SUMS = 16 };
  __m512 sums[SUMS], a = _mm512_set1_ps (0.999f), b = _mm512_set1_ps (1e-9f);
#pragma GCC unroll 16
  for (int i = 0; i < SUMS; i++)
    sums[i] = _mm512_set1_ps ((float) i);
  for (long round = 0; round < count; round++) {
#pragma GCC unroll 16
    for (int i = 0; i < SUMS; i++) {
      sums[i] = _mm512_fmadd_ps (sums[i], a, b);
      KEEP (sums[i]);
    }
  }
  return (double) count * SUMS * 16 * 2;
}

__attribute__ ((target ("avx512f,avx512bf16"))) static double
dpbf16_zmm (long count)
{
  enum { SUMS = 16 };
  __m512 sums[SUMS];
  const __m512bh a = (__m512bh) _mm512_set1_epi32 (0x3f803f80); /* 1 */
  const __m512bh b = (__m512bh) _mm512_set1_epi32 (0x30003000);
#pragma GCC unroll 16
  for (int i = 0; i < SUMS; i++)
    sums[i] = _mm512_set1_ps ((float) i);
  for (long round = 0; round < count; round++) {
#pragma GCC unroll 16
    for (int i = 0; i < SUMS; i++) {
      sums[i] = _mm512_dpbf16_ps (sums[i], a, b);
      KEEP (sums[i]);
    }
  }
  return (double) count * SUMS * 32 * 2;
}

typedef struct __attribute__ ((packed)) TileConfig {
  uint8_t palette, start_row, reserved[14];
  uint16_t columns[16];
  uint8_t rows[16];
} TileConfig;

__attribute__ ((target ("amx-tile,amx-bf16"))) static double
amx_bf16 (long count)
{
  /* Static, and a barrier: the compiler may drop stores to a configuration
   * that it thinks is read by 8 bytes only. */
  static const TileConfig config = { .palette = 1,
    .columns = { 64, 64, 64, 64, 64, 64, 64, 64 },
    .rows = { 16, 16, 16, 16, 16, 16, 16, 16 } };
  static const uint16_t zeros[512] __attribute__ ((aligned (64)));
  __asm__ volatile("" ::: "memory");
  _tile_loadconfig (&config);
  _tile_loadd (4, zeros, 64);
  _tile_loadd (5, zeros, 64);
  _tile_loadd (6, zeros, 64);
  _tile_loadd (7, zeros, 64);
  _tile_zero (0);
  _tile_zero (1);
  _tile_zero (2);
  _tile_zero (3);
  for (long round = 0; round < count; round++) {
    _tile_dpbf16ps (0, 4, 6);
    _tile_dpbf16ps (1, 4, 7);
    _tile_dpbf16ps (2, 5, 6);
    _tile_dpbf16ps (3, 5, 7);
  }
  _tile_release ();
  return (double) count * 4 * 16 * 16 * 32 * 2;
}

static bool
has_amx_bf16 (void)
{
  enum { ARCH_REQ_XCOMP_PERM = 0x1023, XFEATURE_XTILEDATA = 18 };
  unsigned a, b, c, d;
  if (!__get_cpuid_count (7, 0, &a, &b, &c, &d))
    return false;
  if (!(d >> 22 & 1) || !(d >> 24 & 1))
    return false;
  return syscall (SYS_arch_prctl, ARCH_REQ_XCOMP_PERM, XFEATURE_XTILEDATA) == 0;
}

static PeakLoop
fp32_loop (const char **name)
{
  __builtin_cpu_init ();
  if (__builtin_cpu_supports ("avx512f")) {
    *name = "AVX-512 fma";
    return fma_zmm;
  }
  if (__builtin_cpu_supports ("avx2") && __builtin_cpu_supports ("fma")) {
    *name = "AVX2 fma";
    return fma_ymm;
  }
  *name = "none";
  return NULL;
}

static PeakLoop
bf16_loop (const char **name)
{
  if (has_amx_bf16 ()) {
    *name = "AMX tdpbf16ps";
    return amx_bf16;
  }
  if (__builtin_cpu_supports ("avx512bf16")) {
    *name = "AVX-512 vdpbf16ps";
    return dpbf16_zmm;
  }
  *name = "none";
  return NULL;
}

#else

static PeakLoop
fp32_loop (const char **name)
{
  *name = "none";
  return NULL;
}

static PeakLoop
bf16_loop (const char **name)
{
  *name = "none";
  return NULL;
}

#endif

/* ---- measuring ------------------------------------------------------------------- */

typedef struct Runner {
  PeakLoop loop;
  long count;
  double operations;
  pthread_t thread;
} Runner;

static void *
run_loop (void *data)
{
  Runner *runner = data;
  runner->operations = runner->loop (runner->count);
  return NULL;
}

/** GFLOP/s of one run on all threads. */
static double
run_once (PeakLoop loop, long count, int threads, Runner *runners)
{
  double begin = now (), operations = 0;
  int started = 0;
  for (int i = 0; i < threads; i++, started++) {
    runners[i] = (Runner){ .loop = loop, .count = count };
    if (pthread_create (&runners[i].thread, NULL, run_loop, &runners[i]) != 0)
      break;
  }
  for (int i = 0; i < started; i++) {
    pthread_join (runners[i].thread, NULL);
    operations += runners[i].operations;
  }
  return operations / (now () - begin) * 1e-9;
}

/** The best of several runs of some 10 ms: fresh threads may share a processor
 * for a while. */
static double
measure (PeakLoop loop, int threads)
{
  enum { RUNS = 24 };
  Runner *runners = calloc ((size_t) threads, sizeof *runners);
  if (!loop || !runners) {
    free (runners);
    return 0;
  }
  double begin = now ();
  loop (200000);
  long count = (long) (200000 * 0.01 / (now () - begin));
  double best = 0;
  for (int i = 0; i < RUNS; i++) {
    double rate = run_once (loop, count, threads, runners);
    best = rate > best ? rate : best;
  }
  free (runners);
  return best;
}

BenchPeak
bench_peak (int threads)
{
  BenchPeak peak;
  peak.fp32 = measure (fp32_loop (&peak.fp32_name), threads);
  peak.bf16 = measure (bf16_loop (&peak.bf16_name), threads);
  return peak;
}
