/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CARDIAC_TOOLS_BENCH_PEAK_H
#define CARDIAC_TOOLS_BENCH_PEAK_H

/* What this processor can multiply and add at most: loops that stay in
 * registers. Shares of this are comparable between machines; times are not. */

typedef struct BenchPeak {
  const char *fp32_name, *bf16_name; ///< instruction, or "none"
  double fp32, bf16;                 ///< GFLOP/s of all threads, 0: none
} BenchPeak;

/** Takes about half a second. */
BenchPeak bench_peak (int threads);

#endif
