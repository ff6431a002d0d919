/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "core/npy.h"

#include "core/error.h"
#include "core/printable.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
  MAGIC_SIZE = 8,           ///< "\x93NUMPY", major, minor
  HEADER_LIMIT = 64 * 1024, ///< NumPy itself stays far below
  DESCR_SIZE = 16,
};

static const char magic[] = "\x93NUMPY";

/** A file being read: the header's text and where we are in it. */
typedef struct Reader {
  const char *path; ///< printable
  int descriptor;
  uint64_t size;           ///< of the file
  uint64_t data;           ///< where the data begin in the file
  char *header;            ///< NUL-terminated
  const char *next;        ///< the next character of it
  char descr[DESCR_SIZE];  ///< "" until read
  bool has_order, fortran; ///< the key `fortran_order`
  bool has_shape;
  CardiacTensor tensor; ///< rank and shape as read, then the dtype
  CardiacError **error;
} Reader;

static bool damaged (Reader *reader, const char *format, ...)
    __attribute__ ((format (printf, 2, 3)));

static bool
damaged (Reader *reader, const char *format, ...)
{
  char what[512];
  va_list args;

  va_start (args, format);
  vsnprintf (what, sizeof what, format, args);
  va_end (args);
  return cardiac_fail (reader->error, CARDIAC_ERROR_FORMAT,
      "'%s' is damaged or not a .npy file: %s; write it again with "
      "numpy.save()",
      reader->path, what);
}

static bool
fail_system (const char *path, const char *action, CardiacError **error)
{
  int number = errno;
  char reason[128];

  return cardiac_fail (error,
      number == ENOENT || number == ENOTDIR ? CARDIAC_ERROR_NOT_FOUND
                                            : CARDIAC_ERROR_IO,
      "'%s' cannot be %s: %s; check the path and its permissions", path, action,
      strerror_r (number, reason, sizeof reason));
}

/* Reads exactly `size` bytes. */
static bool
read_fully (Reader *reader, void *bytes, uint64_t size)
{
  char *to = bytes;

  while (size > 0) {
    size_t part = size < 1u << 30 ? (size_t) size : 1u << 30;
    ssize_t got = read (reader->descriptor, to, part);
    if (got < 0 && errno == EINTR)
      continue;
    if (got < 0)
      return fail_system (reader->path, "read", reader->error);
    if (got == 0)
      return damaged (reader, "it ended early while it was read");
    to += got;
    size -= (uint64_t) got;
  }
  return true;
}

/* ---- the header's text: a Python dictionary of three known keys ---- */

static void
skip_blanks (Reader *reader)
{
  while (*reader->next == ' ' || *reader->next == '\t' || *reader->next == '\n')
    reader->next++;
}

/* Takes `character`, after blanks, if it is next. */
static bool
take (Reader *reader, char character)
{
  skip_blanks (reader);
  if (*reader->next != character)
    return false;
  reader->next++;
  return true;
}

/* Takes a string in either quote without escapes. */
static bool
take_string (Reader *reader, char *text, size_t size)
{
  skip_blanks (reader);
  char quote = *reader->next;
  if (quote != '\'' && quote != '"')
    return false;
  const char *end = strchr (reader->next + 1, quote);
  if (!end)
    return false;
  size_t length = (size_t) (end - reader->next - 1);
  if (length >= size || memchr (reader->next, '\\', length + 1))
    return false;
  memcpy (text, reader->next + 1, length);
  text[length] = '\0';
  reader->next = end + 1;
  return true;
}

static bool
take_word (Reader *reader, const char *word)
{
  size_t length = strlen (word);

  skip_blanks (reader);
  if (strncmp (reader->next, word, length) != 0)
    return false;
  reader->next += length;
  return true;
}

static bool
take_extent (Reader *reader, int64_t *extent)
{
  skip_blanks (reader);
  if (*reader->next < '0' || *reader->next > '9')
    return false;
  *extent = 0;
  for (; *reader->next >= '0' && *reader->next <= '9'; reader->next++)
    if (__builtin_mul_overflow (*extent, 10, extent)
        || __builtin_add_overflow (*extent, *reader->next - '0', extent))
      return false;
  return true;
}

/* "(2, 3)", "(2,)" or "()". */
static bool
take_shape (Reader *reader)
{
  CardiacTensor *tensor = &reader->tensor;

  if (!take (reader, '('))
    return damaged (reader, "its shape is not a tuple");
  tensor->rank = 0;
  while (!take (reader, ')')) {
    if (tensor->rank == CARDIAC_MAX_RANK)
      return cardiac_fail (reader->error, CARDIAC_ERROR_UNSUPPORTED,
          "'%s' has more than %d dimensions; reshape the array", reader->path,
          CARDIAC_MAX_RANK);
    if (!take_extent (reader, &tensor->shape[tensor->rank]))
      return damaged (reader,
          "extent %d of its shape is not a whole number "
          "of at least 0 within 64 bits",
          tensor->rank);
    tensor->rank++;
    bool comma = take (reader, ',');
    skip_blanks (reader);
    if (!comma && (*reader->next != ')' || tensor->rank == 1))
      return damaged (reader, "its shape is not a tuple");
  }
  return true;
}

/* One "key: value"; each key may come once. */
static bool
take_item (Reader *reader)
{
  char key[DESCR_SIZE];

  if (!take_string (reader, key, sizeof key) || !take (reader, ':'))
    return damaged (reader, "its header is not a dictionary of strings");
  if (strcmp (key, "descr") == 0 && !reader->descr[0]) {
    if (take_string (reader, reader->descr, sizeof reader->descr)
        && reader->descr[0])
      return true;
    return cardiac_fail (reader->error, CARDIAC_ERROR_UNSUPPORTED,
        "'%s' is an array of records; save one array of float32, uint8 or "
        "int64",
        reader->path);
  }
  if (strcmp (key, "fortran_order") == 0 && !reader->has_order) {
    reader->has_order = true;
    reader->fortran = take_word (reader, "True");
    return reader->fortran || take_word (reader, "False")
           || damaged (reader, "its fortran_order is not True or False");
  }
  if (strcmp (key, "shape") == 0 && !reader->has_shape) {
    reader->has_shape = true;
    return take_shape (reader);
  }
  char shown[CARDIAC_PRINTABLE_NAME];
  return damaged (reader, "its header has the unknown or repeated key '%s'",
      cardiac_printable (shown, sizeof shown, key));
}

static bool
parse_header (Reader *reader)
{
  if (!take (reader, '{'))
    return damaged (reader, "its header is not a dictionary");
  while (!take (reader, '}')) {
    if (!take_item (reader))
      return false;
    bool comma = take (reader, ',');
    skip_blanks (reader);
    if (!comma && *reader->next != '}')
      return damaged (reader, "its header is not a dictionary");
  }
  skip_blanks (reader);
  if (*reader->next)
    return damaged (reader, "its header goes on after the dictionary");
  if (!reader->descr[0] || !reader->has_order || !reader->has_shape)
    return damaged (
        reader, "its header has not all of descr, fortran_order and shape");
  return true;
}

/* ---- reading ---- */

/* Reads up to the data: magic, version, length, text. */
static bool
read_header (Reader *reader)
{
  uint8_t start[MAGIC_SIZE], length_bytes[4] = { 0 };

  if (reader->size < MAGIC_SIZE + 4)
    return damaged (reader, "it has only %" PRIu64 " bytes", reader->size);
  if (!read_fully (reader, start, sizeof start))
    return false;
  if (memcmp (start, magic, sizeof magic - 1) != 0)
    return damaged (reader, "it does not begin like one");
  if ((start[6] != 1 && start[6] != 2) || start[7] != 0)
    return cardiac_fail (reader->error, CARDIAC_ERROR_UNSUPPORTED,
        "'%s' is a .npy file of version %d.%d, where 1.0 or 2.0 is expected; "
        "save a plain array of numbers",
        reader->path, start[6], start[7]);

  int width = start[6] == 1 ? 2 : 4;
  if (!read_fully (reader, length_bytes, (uint64_t) width))
    return false;
  uint32_t length = length_bytes[0] | (uint32_t) length_bytes[1] << 8
                    | (uint32_t) length_bytes[2] << 16
                    | (uint32_t) length_bytes[3] << 24;
  reader->data = MAGIC_SIZE + (uint64_t) width + length;
  if (length > HEADER_LIMIT || reader->data > reader->size)
    return damaged (reader,
        "its header claims %" PRIu32 " bytes, where the file has %" PRIu64
        " and at most %d are allowed",
        length, reader->size, HEADER_LIMIT);
  reader->header = calloc (1, (size_t) length + 1);
  if (!reader->header)
    return cardiac_fail (reader->error, CARDIAC_ERROR_NO_MEMORY,
        "'%s': not enough memory for its header", reader->path);
  if (!read_fully (reader, reader->header, length))
    return false;
  if (memchr (reader->header, '\0', length))
    return damaged (reader, "its header holds a zero byte");
  reader->next = reader->header;
  return parse_header (reader);
}

static bool
check_dtype (Reader *reader)
{
  const char *descr = reader->descr;
  char shown[CARDIAC_PRINTABLE_NAME];

  if (reader->fortran)
    return cardiac_fail (reader->error, CARDIAC_ERROR_UNSUPPORTED,
        "'%s' is in Fortran order, where C order is expected; save "
        "numpy.ascontiguousarray(array)",
        reader->path);
  if (strcmp (descr, "<f4") == 0)
    reader->tensor.dtype = CARDIAC_F32;
  else if (strcmp (descr, "|u1") == 0)
    reader->tensor.dtype = CARDIAC_U8;
  else if (strcmp (descr, "<i8") == 0)
    reader->tensor.dtype = CARDIAC_I64;
  else if (strcmp (descr, "<f8") == 0)
    return cardiac_fail (reader->error, CARDIAC_ERROR_UNSUPPORTED,
        "'%s' holds float64, where float32 is expected; save "
        "array.astype('float32')",
        reader->path);
  else if (descr[0] == '>')
    return cardiac_fail (reader->error, CARDIAC_ERROR_UNSUPPORTED,
        "'%s' is big endian ('%s'), where little endian is expected; save "
        "array.astype('<f4')",
        reader->path, cardiac_printable (shown, sizeof shown, descr));
  else
    return cardiac_fail (reader->error, CARDIAC_ERROR_UNSUPPORTED,
        "'%s' holds elements of type '%s', where float32, uint8 or int64 is "
        "expected; convert it with array.astype()",
        reader->path, cardiac_printable (shown, sizeof shown, descr));
  return true;
}

/* Bytes that the shape needs. Extents may be 0, so that the product of the
 * others is checked too: it must never overflow wherever it is computed. */
static bool
count_bytes (const CardiacTensor *tensor, uint64_t *bytes)
{
  int64_t product = (int64_t) cardiac_dtype_size (tensor->dtype);
  bool empty = false;

  for (int i = 0; i < tensor->rank; i++) {
    if (tensor->shape[i] == 0)
      empty = true;
    else if (tensor->shape[i] < 0
             || __builtin_mul_overflow (product, tensor->shape[i], &product))
      return false;
  }
  *bytes = empty ? 0 : (uint64_t) product;
  return true;
}

static bool
read_data (Reader *reader, CardiacNpy *out)
{
  uint64_t needed, stored = reader->size - reader->data;

  if (!count_bytes (&reader->tensor, &needed))
    return damaged (reader, "the size of its array overflows 64 bits");
  if (needed != stored)
    return damaged (reader,
        "it has %" PRIu64 " bytes of data, where its shape and type need "
        "%" PRIu64,
        stored, needed);
  void *data = needed <= SIZE_MAX - 1 ? malloc ((size_t) needed + 1) : NULL;
  if (!data)
    return cardiac_fail (reader->error, CARDIAC_ERROR_NO_MEMORY,
        "'%s': not enough memory for %" PRIu64 " bytes", reader->path, needed);
  if (!read_fully (reader, data, needed)) {
    free (data);
    return false;
  }
  reader->tensor.device = CARDIAC_DEVICE_HOST;
  reader->tensor.data = data;
  *out = (CardiacNpy){ .tensor = reader->tensor, .owned = data };
  return true;
}

static bool
read_open_file (Reader *reader, CardiacNpy *out)
{
  struct stat status;

  if (fstat (reader->descriptor, &status) != 0)
    return fail_system (reader->path, "read", reader->error);
  if (!S_ISREG (status.st_mode))
    return cardiac_fail (reader->error, CARDIAC_ERROR_IO,
        "'%s' is %s, where a .npy file is expected", reader->path,
        S_ISDIR (status.st_mode) ? "a directory" : "no regular file");
  reader->size = (uint64_t) status.st_size;
  return read_header (reader) && check_dtype (reader)
         && read_data (reader, out);
}

bool
cardiac_npy_read (const char *path, CardiacNpy *out, CardiacError **error)
{
  char shown[CARDIAC_PRINTABLE_PATH];
  Reader reader = { .error = error };

  *out = (CardiacNpy){ 0 };
  reader.path = cardiac_printable (shown, sizeof shown, path);
  /* Not to wait for a writer, were it a pipe. */
  reader.descriptor = open (path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
  if (reader.descriptor < 0)
    return fail_system (reader.path, "opened", error);
  bool good = read_open_file (&reader, out);
  close (reader.descriptor);
  free (reader.header);
  return good;
}

void
cardiac_npy_clear (CardiacNpy *npy)
{
  free (npy->owned);
  *npy = (CardiacNpy){ 0 };
}

/* ---- writing ---- */

static const char *
describe_dtype (CardiacDType dtype)
{
  switch (dtype) {
    case CARDIAC_F32:
      return "<f4";
    case CARDIAC_U8:
      return "|u1";
    case CARDIAC_I64:
      return "<i8";
    case CARDIAC_BF16:
    case CARDIAC_F16:
      break;
  }
  return NULL;
}

/* Magic, version, length and the dictionary, padded with blanks so that the
 * data begin at a multiple of 64. Returns the length, at most 256 + 64. */
static size_t
format_header (char text[320], const CardiacTensor *tensor)
{
  size_t used = MAGIC_SIZE + 2;

  used += (size_t) sprintf (text + used,
      "{'descr': '%s', 'fortran_order': False, 'shape': (",
      describe_dtype (tensor->dtype));
  for (int i = 0; i < tensor->rank; i++)
    used += (size_t) sprintf (
        text + used, "%s%" PRId64, i > 0 ? ", " : "", tensor->shape[i]);
  used +=
      (size_t) sprintf (text + used, "%s), }", tensor->rank == 1 ? "," : "");
  while (used % 64 != 63)
    text[used++] = ' ';
  text[used++] = '\n';

  size_t length = used - MAGIC_SIZE - 2;
  memcpy (text, magic, sizeof magic - 1);
  text[6] = 1;
  text[7] = 0;
  text[8] = (char) (length & 0xff);
  text[9] = (char) (length >> 8);
  return used;
}

/* Removes what a failed write left, but never a device or pipe. */
static void
remove_regular (const char *path)
{
  struct stat status;

  if (lstat (path, &status) == 0 && S_ISREG (status.st_mode))
    unlink (path);
}

bool
cardiac_npy_write (
    const char *path, const CardiacTensor *tensor, CardiacError **error)
{
  char shown[CARDIAC_PRINTABLE_PATH], header[320];
  uint64_t bytes = 0;

  cardiac_printable (shown, sizeof shown, path);
  if (!describe_dtype (tensor->dtype) || tensor->device != CARDIAC_DEVICE_HOST
      || tensor->rank < 0 || tensor->rank > CARDIAC_MAX_RANK
      || !count_bytes (tensor, &bytes) || bytes > SIZE_MAX)
    return cardiac_fail (error, CARDIAC_ERROR_INVALID_ARGUMENT,
        "'%s' cannot be written: only arrays of f32, u8 or i64 in host memory "
        "with at most %d dimensions can be",
        shown, CARDIAC_MAX_RANK);

  FILE *file = fopen (path, "wbe");
  if (!file)
    return fail_system (shown, "written", error);
  size_t length = format_header (header, tensor);
  bool good = fwrite (header, 1, length, file) == length
              && (bytes == 0
                  || fwrite (tensor->data, 1, (size_t) bytes, file) == bytes);
  int number = good ? 0 : errno;
  if (fclose (file) != 0 && good) {
    number = errno;
    good = false;
  }
  if (good)
    return true;
  remove_regular (path);
  errno = number;
  return fail_system (shown, "written", error);
}
