/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Feeds bytes to the readers of model files and, where they begin like one, of
 * .npy files, and then uses whatever was accepted.
 *
 * With libFuzzer, from the root of the sources:
 *
 *   clang -g -O1 -fsanitize=fuzzer,address,undefined -std=gnu11 \
 *     -D_GNU_SOURCE -Iengine/include -Iengine tests/fuzz/fuzz-model-file.c \
 *     engine/core/{model,model-config,model-tensors,npy,safetensors,tensor}.c \
 *     engine/core/{sha256,printable,error}.c -ljansson -o fuzz-model-file
 *   ./fuzz-model-file -max_len=4096 corpus/
 *
 * Without it, replay.c in the same directory has a main() that runs files and
 * random mutations of them: replace `fuzzer,` above by nothing and add it to
 * the sources. */

#include "fuzz.h"

#include "core/model.h"
#include "core/npy.h"
#include "core/printable.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* What must hold for every input; ends the process, which is how a fuzzer sees
 * a defect. */
static void
require (bool condition)
{
  if (!condition)
    abort ();
}

static void
check_error (CardiacError **error)
{
  require (*error != NULL);
  require (cardiac_error_message (*error)[0] != '\0');
  require (cardiac_is_printable (cardiac_error_message (*error)));
  cardiac_error_free (error);
}

static void
use_tensors (const CardiacModel *model)
{
  int count = cardiac_model_tensor_count (model);
  const char **names = calloc ((size_t) count, sizeof *names);

  require (names != NULL && count > 0);
  for (int i = 0; i < count; i++) {
    int64_t shape[CARDIAC_MAX_RANK] = { -1, -1, -1, -1, -1, -1 };
    CardiacError *error = NULL;
    names[i] = cardiac_model_tensor_name (model, i);
    const CardiacTensor *tensor = cardiac_model_tensor (model, names[i]);
    require (tensor && cardiac_tensor_count (tensor) > 0);
    float *values =
        cardiac_model_floats (model, names[i], tensor->rank, shape, &error);
    if (!values)
      check_error (&error);
    free (values);
    require (!cardiac_model_shape (
        model, names[i], tensor->rank + 1, (int64_t[7]){ 0 }, &error));
    check_error (&error);
  }
  require (cardiac_model_no_unexpected (model, names, count, NULL));
  require (!cardiac_model_no_unexpected (model, names, count - 1, NULL));
  free (names);
}

static void
use_configuration (const CardiacModel *model)
{
  static const char *const choices[] = { "video", "running", NULL };
  CardiacError *error = NULL;
  int64_t whole;
  double numbers[3];
  int choice;
  bool flag;

  for (int i = 0; cardiac_model_label (model, i); i++)
    require (cardiac_is_printable (cardiac_model_label (model, i)));
  if (!cardiac_model_config_int (model, "frames", 1, 64, 0, &whole, &error))
    check_error (&error);
  if (!cardiac_model_config_number (model, "beta", NAN, numbers, &error))
    check_error (&error);
  if (!cardiac_model_config_numbers (model, "image_mean", 3, numbers, &error))
    check_error (&error);
  if (!cardiac_model_config_choice (
          model, "norm", choices, -1, &choice, &error))
    check_error (&error);
  if (!cardiac_model_config_bool (model, "flag", true, &flag, &error))
    check_error (&error);
  if (!cardiac_model_config_known (model, choices, &error))
    check_error (&error);
}

static void
try_model (const uint8_t *data, size_t size)
{
  CardiacError *error = NULL;
  CardiacModel *model = cardiac_model_from_bytes ("fuzz", data, size, &error);

  if (!model) {
    check_error (&error);
    return;
  }
  require (strlen (cardiac_model_sha256 (model)) == 64);
  use_tensors (model);
  use_configuration (model);
  cardiac_model_unref (&model);
}

static void
try_npy (const uint8_t *data, size_t size)
{
  CardiacError *error = NULL;
  CardiacNpy npy;
  char path[64];
  int descriptor = memfd_create ("fuzz", MFD_CLOEXEC);

  require (descriptor >= 0);
  require (write (descriptor, data, size) == (ssize_t) size);
  snprintf (path, sizeof path, "/proc/self/fd/%d", descriptor);
  if (!cardiac_npy_read (path, &npy, &error)) {
    check_error (&error);
  } else {
    /* Copying reads every byte, where a checker sees one too far. */
    size_t bytes = (size_t) cardiac_tensor_count (&npy.tensor)
                   * cardiac_dtype_size (npy.tensor.dtype);
    void *copy = malloc (bytes + 1);
    require (copy && bytes <= size);
    memcpy (copy, npy.owned, bytes);
    free (copy);
  }
  cardiac_npy_clear (&npy);
  close (descriptor);
}

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  if (size >= 6 && memcmp (data, "\x93NUMPY", 6) == 0)
    try_npy (data, size);
  try_model (data, size);
  return 0;
}
