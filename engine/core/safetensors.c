/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "core/safetensors.h"

#include "core/error.h"
#include "core/printable.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#if __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "tensors are used as they lie in the file, which is little endian"
#endif

enum {
  LENGTH_SIZE = 8,
  HEADER_LIMIT = 100 * 1000 * 1000, ///< bytes, as in the format's definition
  /** JSON values and keys in a header. A tensor has about 20, so this allows
   * 100 000 tensors; without it 100 MB of `[],[],[]` would take gigabytes. */
  ELEMENT_LIMIT = 2 * 1000 * 1000,
};

/** A tensor while its range is being checked. */
typedef struct Range {
  CardiacNamedTensor named;
  uint64_t begin, end; ///< bytes from the first data byte
  bool bookkeeping;    ///< of another program; checked, then left out
} Range;

typedef struct Parser {
  const char *path; ///< printable
  const uint8_t *data;
  uint64_t data_size;
  Range *ranges;
  int count;
  CardiacError **error;
} Parser;

static bool fail (Parser *parser, CardiacErrorCode code, const char *format,
    ...) __attribute__ ((format (printf, 3, 4)));

/* The message for a person: which file, what is wrong with it, what to do. */
static bool
fail (Parser *parser, CardiacErrorCode code, const char *format, ...)
{
  char what[1024];
  va_list args;

  va_start (args, format);
  vsnprintf (what, sizeof what, format, args);
  va_end (args);
  if (code == CARDIAC_ERROR_FORMAT)
    return cardiac_fail (parser->error, code,
        "model file '%s' is damaged or not a safetensors file: %s; copy, "
        "download or convert it again",
        parser->path, what);
  if (code == CARDIAC_ERROR_MODEL)
    return cardiac_fail (parser->error, code,
        "model file '%s' holds no network known here: %s; convert the "
        "checkpoint with this project's converter",
        parser->path, what);
  return cardiac_fail (
      parser->error, code, "model file '%s': %s", parser->path, what);
}

static bool
fail_no_memory (Parser *parser)
{
  return fail (
      parser, CARDIAC_ERROR_NO_MEMORY, "not enough memory for its header");
}

static uint64_t
load_little_endian (const uint8_t *p)
{
  uint64_t value = 0;
  for (int i = 0; i < LENGTH_SIZE; i++)
    value |= (uint64_t) p[i] << (8 * i);
  return value;
}

/* What a file that is no safetensors file at all most likely is instead, as the
 * end of a clause; "" if nothing comes to mind. */
static const char *
guess_kind (const uint8_t *bytes, size_t size)
{
  if (size >= 4 && memcmp (bytes, "PK\003\004", 4) == 0)
    return " (it looks like a PyTorch checkpoint, which must be converted)";
  if (size >= 2 && bytes[0] == 0x80 && bytes[1] <= 5)
    return " (it looks like a Python pickle, which must be converted)";
  if (size >= 8 && memcmp (bytes, "version ", 8) == 0)
    return " (it looks like a Git LFS pointer: run 'git lfs pull')";
  if (size >= 1 && bytes[0] == '{')
    return " (it looks like JSON, perhaps the index of a checkpoint in several "
           "files, which must be converted)";
  if (size >= 1 && bytes[0] == '<')
    return " (it looks like a web page)";
  return "";
}

/* ---- the header's length and JSON ---- */

/* Counts what parsing would allocate, without parsing: every value but the
 * first of its container follows a comma or colon, containers open with a
 * bracket. */
static bool
has_too_many_elements (const char *text, size_t length)
{
  size_t elements = 0;
  bool in_string = false;

  for (size_t i = 0; i < length; i++) {
    if (in_string) {
      if (text[i] == '\\')
        i++;
      else if (text[i] == '"')
        in_string = false;
    } else if (text[i] == '"') {
      in_string = true;
    } else if (text[i] == '{' || text[i] == '[' || text[i] == ','
               || text[i] == ':') {
      elements++;
    }
  }
  return elements > ELEMENT_LIMIT;
}

static json_t *
parse_header (Parser *parser, const uint8_t *bytes, size_t size)
{
  if (size < LENGTH_SIZE + 2) {
    fail (parser, CARDIAC_ERROR_FORMAT,
        "it has %zu bytes, where at least %d are needed%s", size,
        LENGTH_SIZE + 2, guess_kind (bytes, size));
    return NULL;
  }
  uint64_t length = load_little_endian (bytes);
  if (length > HEADER_LIMIT) {
    fail (parser, CARDIAC_ERROR_FORMAT,
        "its header claims %" PRIu64 " bytes, where at most %d are allowed%s",
        length, HEADER_LIMIT, guess_kind (bytes, size));
    return NULL;
  }
  if (length > size - LENGTH_SIZE) {
    fail (parser, CARDIAC_ERROR_FORMAT,
        "its header claims %" PRIu64 " bytes, where the file has only %zu "
        "after the length%s",
        length, size - LENGTH_SIZE, guess_kind (bytes, size));
    return NULL;
  }

  const char *text = (const char *) bytes + LENGTH_SIZE;
  if (length == 0 || text[0] != '{') {
    fail (parser, CARDIAC_ERROR_FORMAT, "its header does not begin with '{'%s",
        guess_kind (bytes, size));
    return NULL;
  }
  if (has_too_many_elements (text, length)) {
    fail (parser, CARDIAC_ERROR_FORMAT,
        "its header holds more than %d JSON elements", ELEMENT_LIMIT);
    return NULL;
  }

  json_error_t problem;
  json_t *header = json_loadb (text, length, JSON_REJECT_DUPLICATES, &problem);
  if (!header) {
    char shown[CARDIAC_PRINTABLE_NAME];
    if (json_error_code (&problem) == json_error_out_of_memory)
      fail_no_memory (parser);
    else
      fail (parser, CARDIAC_ERROR_FORMAT,
          "its header is not valid JSON at byte %d (%s)", problem.position,
          cardiac_printable (shown, sizeof shown, problem.text));
    return NULL;
  }
  parser->data = bytes + LENGTH_SIZE + length;
  parser->data_size = size - LENGTH_SIZE - length;
  return header;
}

static bool
check_metadata (Parser *parser, const json_t *metadata)
{
  const char *key;
  json_t *value;

  if (!json_is_object (metadata))
    return fail (
        parser, CARDIAC_ERROR_FORMAT, "__metadata__ is not a JSON object");
  json_object_foreach ((json_t *) metadata, key, value)
  {
    char shown[CARDIAC_PRINTABLE_NAME];
    if (!json_is_string (value))
      return fail (parser, CARDIAC_ERROR_FORMAT,
          "the value of '%s' in __metadata__ is not a string",
          cardiac_printable (shown, sizeof shown, key));
  }
  return true;
}

/* ---- one tensor ---- */

/* Every dtype of the format. Only bookkeeping may have one that is `foreign`
 * here: those have no CardiacDType. */
static const struct StoredDType {
  const char *name;
  int size; ///< bytes of one element
  bool foreign;
  CardiacDType dtype;
} stored_dtypes[] = {
  { "F32", 4, false, CARDIAC_F32 },
  { "F16", 2, false, CARDIAC_F16 },
  { "BF16", 2, false, CARDIAC_BF16 },
  { "F64", 8, true, 0 },
  { "F8_E4M3", 1, true, 0 },
  { "F8_E5M2", 1, true, 0 },
  { "I64", 8, true, 0 },
  { "I32", 4, true, 0 },
  { "I16", 2, true, 0 },
  { "I8", 1, true, 0 },
  { "U64", 8, true, 0 },
  { "U32", 4, true, 0 },
  { "U16", 2, true, 0 },
  { "U8", 1, true, 0 },
  { "BOOL", 1, true, 0 },
};

/* Buffers that PyTorch saves and no network computes with. */
static bool
is_bookkeeping (const char *name)
{
  const char *dot = strrchr (name, '.');
  const char *last = dot ? dot + 1 : name;

  return strcmp (last, "position_ids") == 0
         || strcmp (last, "num_batches_tracked") == 0;
}

static bool
check_keys (Parser *parser, const char *shown, const json_t *entry)
{
  const char *key;
  json_t *value;

  if (!json_is_object (entry))
    return fail (parser, CARDIAC_ERROR_FORMAT,
        "the entry of tensor '%s' is not a JSON object", shown);
  json_object_foreach ((json_t *) entry, key, value)
  {
    char found[CARDIAC_PRINTABLE_NAME];
    if (strcmp (key, "dtype") != 0 && strcmp (key, "shape") != 0
        && strcmp (key, "data_offsets") != 0)
      return fail (parser, CARDIAC_ERROR_FORMAT,
          "tensor '%s' has the unknown key '%s', where dtype, shape and "
          "data_offsets are allowed",
          shown, cardiac_printable (found, sizeof found, key));
  }
  return true;
}

static const struct StoredDType *
read_dtype (
    Parser *parser, const char *shown, const json_t *entry, bool bookkeeping)
{
  const char *name = json_string_value (json_object_get (entry, "dtype"));
  char found[CARDIAC_PRINTABLE_NAME];

  if (!name) {
    fail (
        parser, CARDIAC_ERROR_FORMAT, "tensor '%s' has no dtype string", shown);
    return NULL;
  }
  for (size_t i = 0; i < sizeof stored_dtypes / sizeof *stored_dtypes; i++) {
    const struct StoredDType *stored = &stored_dtypes[i];
    if (strcmp (stored->name, name) != 0)
      continue;
    if (stored->foreign && !bookkeeping) {
      fail (parser, CARDIAC_ERROR_MODEL,
          "tensor '%s' has dtype %s, where F32, F16 or BF16 is expected", shown,
          name);
      return NULL;
    }
    return stored;
  }
  fail (parser, CARDIAC_ERROR_FORMAT,
      "tensor '%s' has the unknown dtype '%s', where F32, F16 or BF16 is "
      "expected",
      shown, cardiac_printable (found, sizeof found, name));
  return NULL;
}

/* Reads the shape into `tensor` and its size in bytes into `*size`. */
static bool
read_shape (Parser *parser, const char *shown, const json_t *entry,
    int element_size, CardiacTensor *tensor, uint64_t *size)
{
  const json_t *shape = json_object_get (entry, "shape");

  if (!json_is_array (shape))
    return fail (
        parser, CARDIAC_ERROR_FORMAT, "tensor '%s' has no shape array", shown);
  size_t rank = json_array_size (shape);
  if (rank > CARDIAC_MAX_RANK)
    return fail (parser, CARDIAC_ERROR_MODEL,
        "tensor '%s' has %zu dimensions, where at most %d are expected", shown,
        rank, CARDIAC_MAX_RANK);

  *size = (uint64_t) element_size;
  tensor->rank = (int) rank;
  for (size_t i = 0; i < rank; i++) {
    const json_t *extent = json_array_get (shape, i);
    if (!json_is_integer (extent) || json_integer_value (extent) < 0)
      return fail (parser, CARDIAC_ERROR_FORMAT,
          "extent %zu in the shape of tensor '%s' is not a whole number of at "
          "least 0",
          i, shown);
    if (json_integer_value (extent) == 0)
      return fail (parser, CARDIAC_ERROR_MODEL,
          "tensor '%s' is empty: extent %zu of its shape is 0", shown, i);
    if (json_integer_value (extent) > INT32_MAX)
      return fail (parser, CARDIAC_ERROR_MODEL,
          "extent %zu of tensor '%s' is above %" PRId32, i, shown, INT32_MAX);
    tensor->shape[i] = json_integer_value (extent);
    if (__builtin_mul_overflow (*size, (uint64_t) tensor->shape[i], size)
        || *size > INT64_MAX)
      return fail (parser, CARDIAC_ERROR_FORMAT,
          "the size of tensor '%s' overflows 64 bits", shown);
  }
  return true;
}

static bool
read_offsets (Parser *parser, const char *shown, const json_t *entry,
    uint64_t size, Range *range)
{
  const json_t *offsets = json_object_get (entry, "data_offsets");
  const json_t *begin = json_array_get (offsets, 0);
  const json_t *end = json_array_get (offsets, 1);

  if (json_array_size (offsets) != 2 || !json_is_integer (begin)
      || !json_is_integer (end) || json_integer_value (begin) < 0
      || json_integer_value (end) < 0)
    return fail (parser, CARDIAC_ERROR_FORMAT,
        "data_offsets of tensor '%s' are not two whole numbers of at least 0",
        shown);
  range->begin = (uint64_t) json_integer_value (begin);
  range->end = (uint64_t) json_integer_value (end);
  if (range->begin > range->end)
    return fail (parser, CARDIAC_ERROR_FORMAT,
        "data_offsets of tensor '%s' end at %" PRIu64 " before they begin at "
        "%" PRIu64,
        shown, range->end, range->begin);
  if (range->end > parser->data_size)
    return fail (parser, CARDIAC_ERROR_FORMAT,
        "tensor '%s' ends at byte %" PRIu64 " of the data, where the file has "
        "%" PRIu64 " (is it cut short?)",
        shown, range->end, parser->data_size);
  if (range->end - range->begin != size)
    return fail (parser, CARDIAC_ERROR_FORMAT,
        "tensor '%s' has %" PRIu64 " bytes of data, where its shape and dtype "
        "need %" PRIu64,
        shown, range->end - range->begin, size);
  return true;
}

static bool
read_tensor (Parser *parser, const char *name, const json_t *entry)
{
  Range *range = &parser->ranges[parser->count];
  CardiacTensor *tensor = &range->named.tensor;
  char shown[CARDIAC_PRINTABLE_NAME];
  uint64_t size = 0;

  cardiac_printable (shown, sizeof shown, name);
  range->named.name = name;
  range->bookkeeping = is_bookkeeping (name);
  if (!check_keys (parser, shown, entry))
    return false;
  const struct StoredDType *stored =
      read_dtype (parser, shown, entry, range->bookkeeping);
  if (!stored || !read_shape (parser, shown, entry, stored->size, tensor, &size)
      || !read_offsets (parser, shown, entry, size, range))
    return false;
  tensor->dtype = stored->dtype;
  tensor->device = CARDIAC_DEVICE_HOST;
  tensor->data = (void *) (parser->data + range->begin);
  parser->count++;
  return true;
}

/* ---- all tensors ---- */

static int
compare_begin (const void *a, const void *b)
{
  const Range *left = a, *right = b;

  if (left->begin != right->begin)
    return left->begin < right->begin ? -1 : 1;
  return strcmp (left->named.name, right->named.name);
}

static int
compare_name (const void *a, const void *b)
{
  CardiacNamedTensor *const *left = a, *const *right = b;

  return strcmp ((*left)->name, (*right)->name);
}

/* Sorts the ranges and checks that they cover the data once. No range is empty
 * here, so that each ends after it begins. */
static bool
check_coverage (Parser *parser)
{
  uint64_t covered = 0;

  if (parser->count > 0)
    qsort (parser->ranges, (size_t) parser->count, sizeof *parser->ranges,
        compare_begin);
  for (int i = 0; i < parser->count; i++) {
    const Range *range = &parser->ranges[i];
    char shown[CARDIAC_PRINTABLE_NAME], before[CARDIAC_PRINTABLE_NAME];
    cardiac_printable (shown, sizeof shown, range->named.name);
    if (range->begin < covered)
      return fail (parser, CARDIAC_ERROR_FORMAT,
          "tensors '%s' and '%s' overlap",
          cardiac_printable (
              before, sizeof before, parser->ranges[i - 1].named.name),
          shown);
    if (range->begin > covered)
      return fail (parser, CARDIAC_ERROR_FORMAT,
          "%" PRIu64 " bytes before tensor '%s' belong to no tensor",
          range->begin - covered, shown);
    covered = range->end;
  }
  if (covered != parser->data_size)
    return fail (parser, CARDIAC_ERROR_FORMAT,
        "%" PRIu64 " bytes at its end belong to no tensor",
        parser->data_size - covered);
  return true;
}

/* Moves what networks can use from the ranges to `out`. */
static bool
collect (Parser *parser, CardiacSafetensors *out)
{
  size_t slots = (size_t) parser->count + 1; /* never a request for 0 bytes */

  out->tensors = calloc (slots, sizeof *out->tensors);
  out->by_name = calloc (slots, sizeof (CardiacNamedTensor *));
  if (!out->tensors || !out->by_name)
    return fail_no_memory (parser);
  for (int i = 0; i < parser->count; i++) {
    if (parser->ranges[i].bookkeeping)
      continue;
    out->tensors[out->count] = parser->ranges[i].named;
    out->by_name[out->count] = &out->tensors[out->count];
    out->count++;
  }
  qsort (out->by_name, (size_t) out->count, sizeof (CardiacNamedTensor *),
      compare_name);
  return true;
}

static bool
read_entries (Parser *parser, CardiacSafetensors *out)
{
  const char *key;
  json_t *entry;

  if (!json_is_object (out->header))
    return fail (
        parser, CARDIAC_ERROR_FORMAT, "its header is not a JSON object");
  parser->ranges =
      calloc (json_object_size (out->header) + 1, sizeof *parser->ranges);
  if (!parser->ranges)
    return fail_no_memory (parser);
  json_object_foreach (out->header, key, entry)
  {
    bool good = strcmp (key, "__metadata__") == 0
                    ? check_metadata (parser, entry)
                    : read_tensor (parser, key, entry);
    if (!good)
      return false;
  }
  return check_coverage (parser) && collect (parser, out);
}

bool
cardiac_safetensors_parse (const char *path, const void *bytes, size_t size,
    CardiacSafetensors *out, CardiacError **error)
{
  char shown[CARDIAC_PRINTABLE_PATH];
  Parser parser = { .error = error };

  parser.path = cardiac_printable (shown, sizeof shown, path);
  *out = (CardiacSafetensors){ .header = parse_header (&parser, bytes, size) };
  bool good = out->header && read_entries (&parser, out);
  free (parser.ranges);
  if (!good)
    cardiac_safetensors_clear (out);
  return good;
}

void
cardiac_safetensors_clear (CardiacSafetensors *file)
{
  free (file->tensors);
  free (file->by_name);
  json_decref (file->header);
  *file = (CardiacSafetensors){ 0 };
}

static int
compare_key (const void *key, const void *element)
{
  CardiacNamedTensor *const *named = element;

  return strcmp (key, (*named)->name);
}

const CardiacNamedTensor *
cardiac_safetensors_find (const CardiacSafetensors *file, const char *name)
{
  if (file->count == 0)
    return NULL;
  CardiacNamedTensor **found = bsearch (name, file->by_name,
      (size_t) file->count, sizeof (CardiacNamedTensor *), compare_key);
  return found ? *found : NULL;
}

const char *
cardiac_safetensors_metadata (const CardiacSafetensors *file, const char *key)
{
  return json_string_value (
      json_object_get (json_object_get (file->header, "__metadata__"), key));
}
