/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The smallest test harness: REQUIRE stops the program with the place and the
 * expression; SKIP ends it as skipped (77), saying why. */
#ifndef CARDIAC_TESTS_REQUIRE_H
#define CARDIAC_TESTS_REQUIRE_H

#include <stdio.h>
#include <stdlib.h>

#define REQUIRE(condition)                                                     \
  do {                                                                         \
    if (!(condition)) {                                                        \
      fprintf (stderr, "%s:%d: not so: %s\n", __FILE__, __LINE__, #condition); \
      exit (1);                                                                \
    }                                                                          \
  } while (0)

#define SKIP(...)                                                              \
  do {                                                                         \
    printf ("skipped: " __VA_ARGS__);                                          \
    printf ("\n");                                                             \
    exit (77);                                                                 \
  } while (0)

#endif
