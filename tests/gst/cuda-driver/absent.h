/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef ABSENT_H
#define ABSENT_H

/* NVIDIA's headers are not included beside this one, so that arguments can be
 * left out. */

#pragma GCC visibility push(default)

/** A function of the driver that is found, and that no test needs. */
#define ABSENT(name)                                                           \
  int name (void);                                                             \
  int name (void)                                                              \
  {                                                                            \
    return 801; /* CUDA_ERROR_NOT_SUPPORTED */                                 \
  }

#endif
