/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Kernels of one float array, run to see what they do or how they fail. */
#ifndef CARDIAC_TESTS_RUN_KERNEL_H
#define CARDIAC_TESTS_RUN_KERNEL_H

#include "../require.h"
#include "launch.h"

#include <cstring>
#include <sys/wait.h>
#include <unistd.h>

enum { THREADS = 64 };

static float *
device_array (size_t count)
{
  void *memory = nullptr;
  REQUIRE (cudaMalloc (&memory, count * sizeof (float)) == cudaSuccess);
  return (float *) memory;
}

/** Runs a kernel of one float array and brings the array back. */
static void
run (void (*kernel) (float *), size_t shared, float *array, float *result,
    size_t count)
{
  cudaStream_t stream;
  REQUIRE (cudaStreamCreateWithFlags (&stream, cudaStreamNonBlocking)
           == cudaSuccess);
  REQUIRE (
      launch (kernel, dim3 (1), THREADS, shared, stream, array) == cudaSuccess);
  REQUIRE (cudaStreamSynchronize (stream) == cudaSuccess);
  REQUIRE (cudaStreamDestroy (stream) == cudaSuccess);
  REQUIRE (
      cudaMemcpy (result, array, count * sizeof *result, cudaMemcpyDeviceToHost)
      == cudaSuccess);
}

/** Runs the kernel in a process of its own. Does it say `message`, and fail or
 * not as it `fails`? */
static bool
says (void (*kernel) (float *), size_t shared, const char *message, bool fails)
{
  int ends[2], status;
  char text[8192];
  size_t length = 0;
  REQUIRE (pipe (ends) == 0);
  const pid_t child = fork ();
  REQUIRE (child >= 0);
  if (child == 0) {
    float result[4 * THREADS];
    dup2 (ends[1], STDERR_FILENO);
    close (ends[0]);
    close (ends[1]);
    run (kernel, shared, device_array (4 * THREADS), result, 4 * THREADS);
    _exit (0);
  }
  close (ends[1]);
  for (ssize_t got;
       length < sizeof text - 1
       && (got = read (ends[0], text + length, sizeof text - 1 - length)) > 0;)
    length += (size_t) got;
  text[length] = '\0';
  close (ends[0]);
  REQUIRE (waitpid (child, &status, 0) == child);
  const bool failed = !WIFEXITED (status) || WEXITSTATUS (status) != 0;
  if (failed != fails || !strstr (text, message))
    fprintf (stderr, "status %d, \"%s\" where \"%s\" was expected\n", status,
        text, message);
  return failed == fails && strstr (text, message);
}

/** Does the kernel end its process with a message that holds `message`? */
static bool
is_caught (void (*kernel) (float *), size_t shared, const char *message)
{
  return says (kernel, shared, message, true);
}

#endif
