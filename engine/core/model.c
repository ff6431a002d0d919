/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "core/model-private.h"

#include "core/error.h"
#include "core/printable.h"
#include "core/sha256.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define MODEL_SUFFIX ".safetensors"
#define MODEL_VERSION "1"

/** Bytes of the configuration or card: ample for any size and label, and
 * bounds what parsing them can allocate. */
enum { METADATA_LIMIT = 1 << 20 };

static const char *const arch_names[] = {
  [CARDIAC_ARCH_XCLIP] = "xclip",
  [CARDIAC_ARCH_MREG] = "mreg",
  [CARDIAC_ARCH_YOLOV8] = "yolov8",
  [CARDIAC_ARCH_MMSA] = "mmsa",
};

enum { ARCH_COUNT = sizeof arch_names / sizeof *arch_names };

bool
cardiac_model_fail (
    const CardiacModel *model, CardiacError **error, const char *format, ...)
{
  char text[1024];
  va_list args;

  va_start (args, format);
  vsnprintf (text, sizeof text, format, args);
  va_end (args);
  return cardiac_fail (
      error, CARDIAC_ERROR_MODEL, "model file '%s': %s", model->shown, text);
}

/* ---- metadata ---- */

/* The value of a metadata key, or NULL with an error. */
static const char *
require_metadata (
    const CardiacModel *model, const char *key, CardiacError **error)
{
  const char *value = cardiac_safetensors_metadata (&model->file, key);

  if (!value)
    cardiac_model_fail (model, error,
        "it has no '%s' in its metadata, so it is not one of this project's "
        "models; convert the checkpoint first",
        key);
  return value;
}

static bool
read_version (const CardiacModel *model, CardiacError **error)
{
  const char *version = require_metadata (model, "gst_cardiac.version", error);
  char shown[CARDIAC_PRINTABLE_NAME];

  if (!version)
    return false;
  if (strcmp (version, MODEL_VERSION) != 0)
    return cardiac_model_fail (model, error,
        "its gst_cardiac.version is '%s', where " MODEL_VERSION
        " is expected; convert the checkpoint again or update this program",
        cardiac_printable (shown, sizeof shown, version));
  return true;
}

static bool
read_arch (CardiacModel *model, CardiacError **error)
{
  const char *arch = require_metadata (model, "gst_cardiac.arch", error);
  char shown[CARDIAC_PRINTABLE_NAME];

  if (!arch)
    return false;
  for (int i = 0; i < ARCH_COUNT; i++)
    if (strcmp (arch, arch_names[i]) == 0) {
      model->arch = (CardiacArch) i;
      return true;
    }
  return cardiac_model_fail (model, error,
      "its gst_cardiac.arch is '%s', where xclip, mreg, yolov8 or mmsa is "
      "expected; update this program or take another model",
      cardiac_printable (shown, sizeof shown, arch));
}

/* Parses the JSON object in metadata `key`; `*text` is the text itself. */
static json_t *
read_object (const CardiacModel *model, const char *key, const char **text,
    CardiacError **error)
{
  json_error_t problem;
  char shown[CARDIAC_PRINTABLE_NAME];

  *text = require_metadata (model, key, error);
  if (!*text)
    return NULL;
  size_t length = strlen (*text);
  if (length > METADATA_LIMIT) {
    cardiac_model_fail (model, error,
        "its %s has %zu bytes, where at most %d are allowed", key, length,
        METADATA_LIMIT);
    return NULL;
  }
  json_t *object = json_loadb (*text, length, JSON_REJECT_DUPLICATES, &problem);
  if (!object && json_error_code (&problem) == json_error_out_of_memory) {
    cardiac_fail (error, CARDIAC_ERROR_NO_MEMORY,
        "model file '%s': not enough memory for its %s", model->shown, key);
  } else if (!object) {
    cardiac_model_fail (model, error,
        "its %s is not valid JSON at byte %d (%s); convert the checkpoint "
        "again",
        key, problem.position,
        cardiac_printable (shown, sizeof shown, problem.text));
  } else if (!json_is_object (object)) {
    cardiac_model_fail (model, error,
        "its %s is not a JSON object; convert the checkpoint again", key);
    json_decref (object);
    object = NULL;
  }
  return object;
}

/* Labels are drawn on pictures and written to tables, so that they must be
 * text of one line. */
static bool
check_labels (const CardiacModel *model, CardiacError **error)
{
  const json_t *labels = json_object_get (model->config, "labels");
  size_t i;
  json_t *label;

  if (!labels)
    return true;
  if (!json_is_array (labels))
    return cardiac_model_fail (
        model, error, "configuration key 'labels' is not an array of strings");
  json_array_foreach ((json_t *) labels, i, label)
  {
    const char *text = json_string_value (label);
    if (!text || !*text || !cardiac_is_printable (text))
      return cardiac_model_fail (model, error,
          "configuration key 'labels' has no printable string at index %zu", i);
  }
  return true;
}

static bool
read_config (CardiacModel *model, CardiacError **error)
{
  model->config =
      read_object (model, "gst_cardiac.config", &model->config_text, error);
  return model->config && check_labels (model, error);
}

/* A boolean of the card; `*value` stays as it is where the key is missing. */
static bool
read_card_flag (const CardiacModel *model, const json_t *card, const char *key,
    bool *value, CardiacError **error)
{
  const json_t *flag = json_object_get (card, key);

  if (!flag)
    return true;
  if (!json_is_boolean (flag))
    return cardiac_model_fail (
        model, error, "'%s' in its gst_cardiac.card is not true or false", key);
  *value = json_is_true (flag);
  return true;
}

static bool
read_card (CardiacModel *model, CardiacError **error)
{
  static const char *const texts[] = { "name", "licence", "training_data",
    "intended_use" };
  json_t *card =
      read_object (model, "gst_cardiac.card", &model->card_text, error);

  if (!card)
    return false;
  model->trained = false;
  model->synthetic = true;
  bool good =
      read_card_flag (model, card, "trained", &model->trained, error)
      && read_card_flag (model, card, "synthetic", &model->synthetic, error);
  for (size_t i = 0; good && i < sizeof texts / sizeof *texts; i++) {
    const json_t *text = json_object_get (card, texts[i]);
    if (text && !json_is_string (text))
      good = cardiac_model_fail (model, error,
          "'%s' in its gst_cardiac.card is not a string", texts[i]);
  }
  json_decref (card);
  return good;
}

/* ---- making ---- */

static char *
base_name (const char *path)
{
  const char *slash = strrchr (path, '/');
  const char *base = slash ? slash + 1 : path;
  size_t length = strlen (base), suffix = strlen (MODEL_SUFFIX);

  if (length > suffix && strcmp (base + length - suffix, MODEL_SUFFIX) == 0)
    length -= suffix;
  return strndup (base, length);
}

/* A model that so far only knows its path. */
static CardiacModel *
make_model (const char *path, CardiacError **error)
{
  CardiacModel *model = calloc (1, sizeof *model);

  if (model) {
    atomic_init (&model->references, 1);
    model->path = strdup (path);
    model->name = base_name (path);
    model->shown = malloc (CARDIAC_PRINTABLE_PATH);
  }
  if (!model || !model->path || !model->name || !model->shown) {
    cardiac_model_unref (&model);
    cardiac_fail (
        error, CARDIAC_ERROR_NO_MEMORY, "not enough memory for a model");
    return NULL;
  }
  cardiac_printable (model->shown, CARDIAC_PRINTABLE_PATH, path);
  return model;
}

static bool
fail_system (
    const CardiacModel *model, CardiacError **error, const char *action)
{
  int number = errno;
  char reason[128];

  cardiac_fail (error,
      number == ENOENT || number == ENOTDIR ? CARDIAC_ERROR_NOT_FOUND
      : number == ENOMEM                    ? CARDIAC_ERROR_NO_MEMORY
                                            : CARDIAC_ERROR_IO,
      "model file '%s' cannot be %s: %s; check the path and its permissions",
      model->shown, action, strerror_r (number, reason, sizeof reason));
  return false;
}

/* Maps the open file. The mapping is private and read-only, but a file that
 * someone shortens while it is mapped ends the process with SIGBUS, and one
 * that is rewritten in place changes under us. Only whoever may write the file
 * can do that, and replacing it by rename is safe: cardiac_model_load() says
 * so. */
static bool
map_descriptor (CardiacModel *model, int descriptor, CardiacError **error)
{
  struct stat status;

  if (fstat (descriptor, &status) != 0)
    return fail_system (model, error, "read");
  if (!S_ISREG (status.st_mode))
    return cardiac_fail (error, CARDIAC_ERROR_IO,
        "model file '%s' is %s, where a regular file is expected", model->shown,
        S_ISDIR (status.st_mode) ? "a directory" : "no file");
  if (status.st_size == 0)
    return cardiac_fail (error, CARDIAC_ERROR_FORMAT,
        "model file '%s' is empty; copy, download or convert it again",
        model->shown);
  if ((uintmax_t) status.st_size > SIZE_MAX)
    return cardiac_fail (error, CARDIAC_ERROR_NO_MEMORY,
        "model file '%s' is too large for this machine", model->shown);

  void *mapping = mmap (
      NULL, (size_t) status.st_size, PROT_READ, MAP_PRIVATE, descriptor, 0);
  if (mapping == MAP_FAILED)
    return fail_system (model, error, "mapped");
  model->mapping = mapping;
  model->size = (size_t) status.st_size;
  return true;
}

static bool
map_file (CardiacModel *model, CardiacError **error)
{
  /* Not to wait for a writer, were it a pipe. */
  int descriptor =
      open (model->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);

  if (descriptor < 0)
    return fail_system (model, error, "opened");
  bool good = map_descriptor (model, descriptor, error);
  close (descriptor);
  return good;
}

/* Reads everything from the bytes; the digest last, since it takes longest. */
static bool
read_bytes (
    CardiacModel *model, const void *bytes, size_t size, CardiacError **error)
{
  if (!cardiac_safetensors_parse (model->path, bytes, size, &model->file, error)
      || !read_arch (model, error) || !read_version (model, error)
      || !read_config (model, error) || !read_card (model, error))
    return false;
  if (model->file.count == 0)
    return cardiac_model_fail (
        model, error, "it holds no tensors; convert the checkpoint again");

  CardiacSha256 sha;
  cardiac_sha256_init (&sha);
  cardiac_sha256_update (&sha, bytes, size);
  cardiac_sha256_finish (&sha, model->sha256);
  return true;
}

CardiacModel *
cardiac_model_load (const char *path, CardiacError **error)
{
  if (!path || !*path) {
    cardiac_fail (
        error, CARDIAC_ERROR_INVALID_ARGUMENT, "no model file was given");
    return NULL;
  }
  CardiacModel *model = make_model (path, error);
  if (!model)
    return NULL;
  if (!map_file (model, error)
      || !read_bytes (model, model->mapping, model->size, error))
    cardiac_model_unref (&model);
  return model;
}

CardiacModel *
cardiac_model_from_bytes (
    const char *path, const void *bytes, size_t size, CardiacError **error)
{
  CardiacModel *model = make_model (path, error);

  if (model && !read_bytes (model, bytes, size, error))
    cardiac_model_unref (&model);
  return model;
}

CardiacModel *
cardiac_model_ref (CardiacModel *model)
{
  atomic_fetch_add_explicit (&model->references, 1, memory_order_relaxed);
  return model;
}

void
cardiac_model_unref (CardiacModel **pointer)
{
  CardiacModel *model = pointer ? *pointer : NULL;

  if (!model)
    return;
  *pointer = NULL;
  if (atomic_fetch_sub_explicit (&model->references, 1, memory_order_acq_rel)
      != 1)
    return;
  cardiac_safetensors_clear (&model->file);
  json_decref (model->config);
  if (model->mapping)
    munmap (model->mapping, model->size);
  free (model->path);
  free (model->shown);
  free (model->name);
  free (model);
}

/* ---- reading ---- */

CardiacArch
cardiac_model_arch (const CardiacModel *model)
{
  return model->arch;
}

const char *
cardiac_arch_name (CardiacArch arch)
{
  return (unsigned) arch < ARCH_COUNT ? arch_names[arch] : "?";
}

const char *
cardiac_model_name (const CardiacModel *model)
{
  return model->name;
}

const char *
cardiac_model_path (const CardiacModel *model)
{
  return model->path;
}

const char *
cardiac_model_sha256 (const CardiacModel *model)
{
  return model->sha256;
}

bool
cardiac_model_trained (const CardiacModel *model)
{
  return model->trained;
}

bool
cardiac_model_synthetic (const CardiacModel *model)
{
  return model->synthetic;
}

const char *
cardiac_model_config_json (const CardiacModel *model)
{
  return model->config_text;
}

const char *
cardiac_model_card_json (const CardiacModel *model)
{
  return model->card_text;
}

const char *
cardiac_model_label (const CardiacModel *model, int index)
{
  const json_t *labels = json_object_get (model->config, "labels");

  return index < 0
             ? NULL
             : json_string_value (json_array_get (labels, (size_t) index));
}

int
cardiac_model_tensor_count (const CardiacModel *model)
{
  return model->file.count;
}

const char *
cardiac_model_tensor_name (const CardiacModel *model, int index)
{
  return index < 0 || index >= model->file.count
             ? NULL
             : model->file.tensors[index].name;
}

const CardiacTensor *
cardiac_model_tensor (const CardiacModel *model, const char *name)
{
  const CardiacNamedTensor *found =
      cardiac_safetensors_find (&model->file, name);

  return found ? &found->tensor : NULL;
}
