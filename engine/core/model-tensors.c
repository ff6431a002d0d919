/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "core/model-private.h"

#include "core/error.h"
#include "core/printable.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Whether the tensors of a model fit a network. */

/* "[3,*,16]"; -1 is any extent. */
static const char *
format_shape (char *text, size_t size, int rank, const int64_t *shape)
{
  size_t used = (size_t) snprintf (text, size, "[");

  for (int i = 0; i < rank && used < size; i++) {
    const char *comma = i > 0 ? "," : "";
    used += (size_t) (shape[i] < 0
                          ? snprintf (text + used, size - used, "%s*", comma)
                          : snprintf (text + used, size - used, "%s%" PRId64,
                              comma, shape[i]));
  }
  if (used < size)
    snprintf (text + used, size - used, "]");
  return text;
}

/* Room for six extents of 19 digits. */
enum { SHAPE_TEXT = 160 };

static bool
fits (const CardiacTensor *tensor, int rank, const int64_t *shape)
{
  if (tensor->rank != rank)
    return false;
  for (int i = 0; i < rank; i++)
    if (shape[i] >= 0 && shape[i] != tensor->shape[i])
      return false;
  return true;
}

/* The tensor, if it is there and has the shape, whose free extents are then
 * written; else NULL with an error. */
static const CardiacTensor *
find_tensor (const CardiacModel *model, const char *name, int rank,
    int64_t *shape, CardiacError **error)
{
  const CardiacTensor *tensor = cardiac_model_tensor (model, name);
  char expected[SHAPE_TEXT], found[SHAPE_TEXT], shown[CARDIAC_PRINTABLE_NAME];

  cardiac_printable (shown, sizeof shown, name);
  format_shape (expected, sizeof expected, rank, shape);
  if (!tensor) {
    cardiac_model_fail (model, error,
        "tensor '%s' of shape %s is missing for a network of type %s", shown,
        expected, cardiac_arch_name (model->arch));
    return NULL;
  }
  if (!fits (tensor, rank, shape)) {
    cardiac_model_fail (model, error,
        "tensor '%s' has shape %s, where %s is expected", shown,
        format_shape (found, sizeof found, tensor->rank, tensor->shape),
        expected);
    return NULL;
  }
  if (rank > 0)
    memcpy (shape, tensor->shape, (size_t) rank * sizeof *shape);
  return tensor;
}

bool
cardiac_model_shape (const CardiacModel *model, const char *name, int rank,
    int64_t *shape, CardiacError **error)
{
  return find_tensor (model, name, rank, shape, error) != NULL;
}

static bool
all_finite (const float *values, int64_t count)
{
  for (int64_t i = 0; i < count; i++)
    if (!isfinite (values[i]))
      return false;
  return true;
}

float *
cardiac_model_floats (const CardiacModel *model, const char *name, int rank,
    int64_t *shape, CardiacError **error)
{
  const CardiacTensor *tensor = find_tensor (model, name, rank, shape, error);
  char shown[CARDIAC_PRINTABLE_NAME];

  if (!tensor)
    return NULL;
  /* No overflow: the file holds at least two bytes of every element. */
  int64_t count = cardiac_tensor_count (tensor);
  float *values = malloc ((size_t) count * sizeof *values);
  if (!values) {
    cardiac_fail (error, CARDIAC_ERROR_NO_MEMORY,
        "model file '%s': not enough memory for tensor '%s' of %" PRId64
        " elements",
        model->shown, cardiac_printable (shown, sizeof shown, name), count);
    return NULL;
  }
  cardiac_floats_from (values, tensor->data, tensor->dtype, count);
  if (!all_finite (values, count)) {
    cardiac_model_fail (model, error,
        "tensor '%s' holds an infinity or NaN, so that no result would be a "
        "number; train or convert the model again",
        cardiac_printable (shown, sizeof shown, name));
    free (values);
    return NULL;
  }
  return values;
}

static int
compare_texts (const void *a, const void *b)
{
  const char *const *left = a, *const *right = b;

  return strcmp (*left, *right);
}

bool
cardiac_model_no_unexpected (const CardiacModel *model, const char *const *used,
    int n, CardiacError **error)
{
  const char **sorted = malloc (((size_t) n + 1) * sizeof *sorted);
  const char *unexpected = NULL;
  char shown[CARDIAC_PRINTABLE_NAME];

  if (!sorted)
    return cardiac_fail (error, CARDIAC_ERROR_NO_MEMORY,
        "not enough memory for the names of %d tensors", n);
  for (int i = 0; i < n; i++)
    sorted[i] = used[i];
  qsort (sorted, (size_t) n, sizeof *sorted, compare_texts);
  for (int i = 0; i < model->file.count && !unexpected; i++) {
    const char *name = model->file.tensors[i].name;
    if (!bsearch (&name, sorted, (size_t) n, sizeof *sorted, compare_texts))
      unexpected = name;
  }
  free (sorted);
  if (unexpected)
    return cardiac_model_fail (model, error,
        "tensor '%s' has no place in a network of type %s; was the model "
        "converted for another network?",
        cardiac_printable (shown, sizeof shown, unexpected),
        cardiac_arch_name (model->arch));
  return true;
}
