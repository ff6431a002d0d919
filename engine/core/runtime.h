/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CARDIAC_CORE_RUNTIME_H
#define CARDIAC_CORE_RUNTIME_H

#include "core/program.h"

/** An opened backend and the pool that runs its kernels. */
struct CardiacRuntime {
  const CardiacBackend *backend;
  void *context;
  CardiacPool *pool;
  CardiacDType activation;
  char device[32];
  char fallback[1024];
  CardiacRunInfo info; ///< strings point into this struct
};

#endif
