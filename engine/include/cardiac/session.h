/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CARDIAC_SESSION_H
#define CARDIAC_SESSION_H

#include <cardiac/error.h>
#include <stdbool.h>

CARDIAC_BEGIN_DECLS

/** Worker threads that any number of networks share. Counted; thread-safe:
 * networks that share a pool take turns on it. */
typedef struct CardiacPool CardiacPool;

/** @param threads 1 .. 256, or 0 for as many as the process may run on. */
CARDIAC_API CardiacPool *cardiac_pool_new (int threads, CardiacError **error);
CARDIAC_API CardiacPool *cardiac_pool_ref (CardiacPool *pool);
CARDIAC_API void cardiac_pool_unref (CardiacPool **pool);

/** Number of processors this process may run on, at least 1. */
CARDIAC_API int cardiac_processors (void);

typedef enum CardiacPrecision {
  CARDIAC_PRECISION_AUTO, ///< by a table of processor vendor and ISA
  CARDIAC_PRECISION_FP32,
  CARDIAC_PRECISION_BF16,
  CARDIAC_PRECISION_FP16,
} CardiacPrecision;

/** "auto", "fp32", "bf16" or "fp16". */
CARDIAC_API const char *cardiac_precision_name (CardiacPrecision precision);

/** How a network is to run. Fill with cardiac_settings_default() first. */
typedef struct CardiacSettings {
  /** "auto", "cuda", "cuda:N", "cpu" or "reference". auto takes the first of
   * cuda, cpu, reference that can be had; a device that is named and cannot be
   * had is an error. NULL reads as "auto". */
  const char *device;
  CardiacPrecision precision;
  int threads;       ///< 0 = all processors; ignored when `pool` is set
  CardiacPool *pool; ///< shared pool (a reference is taken), or NULL
  void *reserved[4]; ///< must be NULL
} CardiacSettings;

CARDIAC_API void cardiac_settings_default (CardiacSettings *settings);

/** Where the samples of pictures lie. */
typedef enum CardiacMemory {
  CARDIAC_MEMORY_HOST = 0,
  CARDIAC_MEMORY_DEVICE = 1, ///< of the device that the network computes on
} CardiacMemory;

/** What a network really runs on; strings are owned by the network. */
typedef struct CardiacRunInfo {
  const char *device;    ///< "cpu", "reference", "cuda:0"
  const char *precision; ///< "fp32", "bf16", "fp16"
  /** Why `auto` did not take a better device; "" when it did. */
  const char *fallback;
  int threads;
} CardiacRunInfo;

CARDIAC_END_DECLS

#endif
