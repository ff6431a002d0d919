/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CARDIAC_TESTS_REQUIRE_H
#define CARDIAC_TESTS_REQUIRE_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/// Ends the test when a condition does not hold; the rest is printf's.
#define REQUIRE(condition, ...)                                                \
  do {                                                                         \
    if (!(condition)) {                                                        \
      fprintf (stderr, "%s:%d: %s\n  ", __FILE__, __LINE__, #condition);       \
      fprintf (stderr, __VA_ARGS__);                                           \
      fputc ('\n', stderr);                                                    \
      exit (1);                                                                \
    }                                                                          \
  } while (0)

typedef struct TestCase {
  const char *name;
  void (*run) (void);
} TestCase;

#define TEST(function)                                                         \
  {                                                                            \
#function, function                                                        \
  }

/// Runs the test that argv[1] names, all without one. 0, or 2 for no such.
#define RUN_TESTS(cases, argc, argv)                                           \
  run_tests ((cases), sizeof (cases) / sizeof *(cases), (argc), (argv))

static inline int
run_tests (const TestCase *cases, size_t count, int argc, char **argv)
{
  int ran = 0;
  for (size_t i = 0; i < count; i++)
    if (argc < 2 || strcmp (argv[1], cases[i].name) == 0) {
      printf ("%s\n", cases[i].name);
      fflush (stdout);
      cases[i].run ();
      ran++;
    }
  return ran ? 0 : 2;
}

#endif
