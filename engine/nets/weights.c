/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nets/weights.h"
#include "core/error.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { NAME_SIZE = 160 };

void
cardiac_weights_init (
    CardiacWeights *weights, const CardiacModel *model, CardiacProgram *program)
{
  *weights = (CardiacWeights){ .model = model, .program = program };
}

void
cardiac_weights_clear (CardiacWeights *weights)
{
  for (int i = 0; i < weights->count; i++)
    free (weights->used[i]);
  free (weights->used);
  *weights = (CardiacWeights){ 0 };
}

static void
fail_memory (CardiacWeights *weights)
{
  CardiacError *error = NULL;
  cardiac_fail (&error, CARDIAC_ERROR_NO_MEMORY, "no memory for weights of %s",
      cardiac_model_path (weights->model));
  cardiac_program_fail (weights->program, error);
}

void
cardiac_weights_note (CardiacWeights *weights, const char *name)
{
  if (weights->count == weights->room) {
    int room = weights->room ? 2 * weights->room : 256;
    char **larger = realloc (weights->used, room * sizeof *larger);
    if (!larger) {
      fail_memory (weights);
      return;
    }
    weights->used = larger;
    weights->room = room;
  }
  char *copy = strdup (name);
  if (copy)
    weights->used[weights->count++] = copy;
  else
    fail_memory (weights);
}

static float *
read_floats (
    CardiacWeights *weights, int rank, const int64_t *shape, const char *name)
{
  CardiacError *error = NULL;
  int64_t wanted[CARDIAC_MAX_RANK];
  for (int i = 0; i < rank; i++)
    wanted[i] = shape[i];
  cardiac_weights_note (weights, name);
  float *data =
      cardiac_model_floats (weights->model, name, rank, wanted, &error);
  if (!data)
    cardiac_program_fail (weights->program, error);
  return data;
}

float *
cardiac_weights_floats (CardiacWeights *weights, int rank, const int64_t *shape,
    const char *format, ...)
{
  char name[NAME_SIZE];
  va_list args;
  va_start (args, format);
  vsnprintf (name, sizeof name, format, args);
  va_end (args);
  return read_floats (weights, rank, shape, name);
}

static CardiacValue
constant (
    CardiacWeights *weights, int rank, const int64_t *shape, const char *name)
{
  float *data = read_floats (weights, rank, shape, name);
  return data ? cardiac_program_constant (
             weights->program, data, rank, shape, NULL)
              : 0;
}

CardiacValue
cardiac_weights_vector (
    CardiacWeights *weights, int64_t n, const char *format, ...)
{
  char name[NAME_SIZE];
  va_list args;
  va_start (args, format);
  vsnprintf (name, sizeof name, format, args);
  va_end (args);
  return constant (weights, 1, (int64_t[]){ n }, name);
}

CardiacValue
cardiac_weights_matrix (CardiacWeights *weights, int64_t rows, int64_t columns,
    const char *format, ...)
{
  char name[NAME_SIZE];
  va_list args;
  va_start (args, format);
  vsnprintf (name, sizeof name, format, args);
  va_end (args);
  return constant (weights, 2, (int64_t[]){ rows, columns }, name);
}

CardiacValue
cardiac_weights_stack (CardiacWeights *weights, const char *const *parts, int n,
    int64_t rows, int64_t columns, const char *prefix, int layer,
    const char *suffix)
{
  int rank = columns ? 2 : 1;
  int64_t part_count = rows * (columns ? columns : 1);
  float *packed = malloc (n * part_count * sizeof *packed);
  if (!packed) {
    fail_memory (weights);
    return 0;
  }
  for (int i = 0; i < n; i++) {
    char name[NAME_SIZE];
    snprintf (
        name, sizeof name, "%s.%d.%s.%s", prefix, layer, parts[i], suffix);
    float *part =
        read_floats (weights, rank, (int64_t[]){ rows, columns }, name);
    if (!part) {
      free (packed);
      return 0;
    }
    memcpy (packed + i * part_count, part, part_count * sizeof *part);
    free (part);
  }
  return cardiac_program_constant (
      weights->program, packed, rank, (int64_t[]){ n * rows, columns }, NULL);
}

bool
cardiac_weights_all_used (CardiacWeights *weights)
{
  CardiacError *error = NULL;
  if (cardiac_model_no_unexpected (weights->model,
          (const char *const *) weights->used, weights->count, &error))
    return true;
  cardiac_program_fail (weights->program, error);
  return false;
}
