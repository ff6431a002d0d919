/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Model files and .npy files as an attacker, a broken download or another
 * program may write them. Links the engine's internal functions. */

#include "core/model.h"
#include "core/npy.h"
#include "core/printable.h"
#include "core/sha256.h"

#include <inttypes.h>
#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int failures;

#define CHECK(condition)                                                       \
  ((condition) ? (void) 0                                                      \
               : (void) (failures++, fprintf (stderr, "%s:%d: %s is false\n",  \
                                         __FILE__, __LINE__, #condition)))

/* Ends the test: what follows would crash. */
#define REQUIRE(condition)                                                     \
  do {                                                                         \
    if (!(condition)) {                                                        \
      failures++;                                                              \
      fprintf (                                                                \
          stderr, "%s:%d: %s is false\n", __FILE__, __LINE__, #condition);     \
      return;                                                                  \
    }                                                                          \
  } while (0)

/* ---- files ---- */

static char directory[256];

static const char *
path_of (const char *name)
{
  static char path[512];
  snprintf (path, sizeof path, "%s/%s", directory, name);
  return path;
}

static void
write_file (const char *path, const void *bytes, size_t size)
{
  FILE *file = fopen (path, "wb");
  if (!file || fwrite (bytes, 1, size, file) != size || fclose (file) != 0) {
    perror (path);
    exit (99);
  }
}

/* The bytes of a safetensors file; free() them. */
static uint8_t *
make_bytes (
    const char *header, const void *data, size_t data_size, size_t *size)
{
  size_t length = strlen (header);
  uint8_t *bytes = calloc (1, 8 + length + data_size + 1);
  for (int i = 0; i < 8; i++)
    bytes[i] = (uint8_t) ((uint64_t) length >> (8 * i));
  memcpy (bytes + 8, header, length);
  if (data)
    memcpy (bytes + 8 + length, data, data_size);
  *size = 8 + length + data_size;
  return bytes;
}

static const char *
write_model (
    const char *name, const char *header, const void *data, size_t data_size)
{
  size_t size;
  const char *path = path_of (name);
  uint8_t *bytes = make_bytes (header, data, data_size, &size);
  write_file (path, bytes, size);
  free (bytes);
  return path;
}

#define METADATA_OF(arch, version, config, card)                               \
  "\"__metadata__\":{\"gst_cardiac.arch\":\"" arch                             \
  "\",\"gst_cardiac.version\":\"" version                                      \
  "\",\"gst_cardiac.config\":\"" config "\",\"gst_cardiac.card\":\"" card      \
  "\"}"
#define METADATA METADATA_OF ("xclip", "1", "{}", "{}")
#define TENSOR(name, dtype, shape, begin, end)                                 \
  "\"" name "\":{\"dtype\":\"" dtype "\",\"shape\":[" shape                    \
  "],\"data_offsets\":[" #begin "," #end "]}"
#define GOOD_TENSOR TENSOR ("a", "F32", "2", 0, 8)
#define WITH_CONFIG(config)                                                    \
  "{" METADATA_OF ("mreg", "1", config, "{}") "," GOOD_TENSOR "}"
#define WITH_CARD(card)                                                        \
  "{" METADATA_OF ("mreg", "1", "{}", card) "," GOOD_TENSOR "}"

/* ---- bad model files ---- */

typedef struct BadModel {
  const char *what;
  const char *header;
  size_t data_size;
  CardiacErrorCode code;
  const char *message; ///< a part of the expected one
} BadModel;

#define FORMAT CARDIAC_ERROR_FORMAT
#define MODEL CARDIAC_ERROR_MODEL
#define UNSUPPORTED CARDIAC_ERROR_UNSUPPORTED

static const BadModel bad_models[] = {
  { "header_is_an_array", "[1,2,3]", 0, FORMAT, "does not begin with '{'" },
  { "header_begins_with_a_blank", " {" METADATA "," GOOD_TENSOR "}", 8, FORMAT,
      "does not begin with '{'" },
  { "header_is_cut", "{" METADATA ",\"a\":{", 8, FORMAT, "not valid JSON" },
  { "header_goes_on", "{" METADATA "," GOOD_TENSOR "}{}", 8, FORMAT,
      "not valid JSON" },
  { "name_is_not_utf8", "{" METADATA "," TENSOR ("\xff", "F32", "2", 0, 8) "}",
      8, FORMAT, "not valid JSON" },
  { "name_is_overlong_utf8",
      "{" METADATA "," TENSOR ("\xc0\xaf", "F32", "2", 0, 8) "}", 8, FORMAT,
      "not valid JSON" },
  { "name_holds_a_zero",
      "{" METADATA "," TENSOR ("a\\u0000b", "F32", "2", 0, 8) "}", 8, FORMAT,
      "not valid JSON" },
  { "tensor_comes_twice", "{" METADATA "," GOOD_TENSOR "," GOOD_TENSOR "}", 8,
      FORMAT, "duplicate" },
  { "dtype_comes_twice",
      "{" METADATA ",\"a\":{\"dtype\":\"F32\",\"dtype\":\"F16\",\"shape\":[2],"
      "\"data_offsets\":[0,8]}}",
      8, FORMAT, "duplicate" },
  { "metadata_comes_twice", "{" METADATA "," METADATA "," GOOD_TENSOR "}", 8,
      FORMAT, "duplicate" },
  { "metadata_is_a_list", "{\"__metadata__\":[]," GOOD_TENSOR "}", 8, FORMAT,
      "__metadata__ is not a JSON object" },
  { "metadata_holds_a_number", "{\"__metadata__\":{\"k\":1}," GOOD_TENSOR "}",
      8, FORMAT, "the value of 'k' in __metadata__ is not a string" },
  { "entry_is_a_number", "{" METADATA ",\"a\":7}", 8, FORMAT,
      "the entry of tensor 'a' is not a JSON object" },
  { "entry_has_an_unknown_key",
      "{" METADATA ",\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":"
      "[0,8],\"strides\":[1]}}",
      8, FORMAT, "tensor 'a' has the unknown key 'strides'" },
  { "dtype_is_missing",
      "{" METADATA ",\"a\":{\"shape\":[2],\"data_offsets\":[0,8]}}", 8, FORMAT,
      "tensor 'a' has no dtype string" },
  { "dtype_is_a_number",
      "{" METADATA ",\"a\":{\"dtype\":4,\"shape\":[2],\"data_offsets\":[0,8]}}",
      8, FORMAT, "tensor 'a' has no dtype string" },
  { "dtype_is_unknown", "{" METADATA "," TENSOR ("a", "F33", "2", 0, 8) "}", 8,
      FORMAT, "tensor 'a' has the unknown dtype 'F33'" },
  { "dtype_is_not_ours", "{" METADATA "," TENSOR ("a", "I64", "1", 0, 8) "}", 8,
      MODEL, "tensor 'a' has dtype I64, where F32, F16 or BF16" },
  { "shape_is_missing",
      "{" METADATA ",\"a\":{\"dtype\":\"F32\",\"data_offsets\":[0,8]}}", 8,
      FORMAT, "tensor 'a' has no shape array" },
  { "shape_is_a_string",
      "{" METADATA ",\"a\":{\"dtype\":\"F32\",\"shape\":\"2\","
      "\"data_offsets\":[0,8]}}",
      8, FORMAT, "tensor 'a' has no shape array" },
  { "shape_has_seven_dimensions",
      "{" METADATA "," TENSOR ("a", "F32", "1,1,1,1,1,1,2", 0, 8) "}", 8, MODEL,
      "tensor 'a' has 7 dimensions, where at most 6" },
  { "extent_is_negative", "{" METADATA "," TENSOR ("a", "F32", "-2", 0, 8) "}",
      8, FORMAT, "extent 0 in the shape of tensor 'a'" },
  { "extent_is_a_fraction",
      "{" METADATA "," TENSOR ("a", "F32", "1,2.0", 0, 8) "}", 8, FORMAT,
      "extent 1 in the shape of tensor 'a'" },
  { "extent_is_true", "{" METADATA "," TENSOR ("a", "F32", "true", 0, 8) "}", 8,
      FORMAT, "extent 0 in the shape of tensor 'a'" },
  { "extent_is_zero", "{" METADATA "," TENSOR ("a", "F32", "2,0", 0, 0) "}", 0,
      MODEL, "tensor 'a' is empty: extent 1" },
  { "extent_does_not_fit_64_bits",
      "{" METADATA "," TENSOR ("a", "F32", "18446744073709551617", 0, 4) "}", 4,
      FORMAT, "not valid JSON" },
  { "extent_does_not_fit_an_int",
      "{" METADATA "," TENSOR ("a", "F32", "2147483648", 0, 8) "}", 8, MODEL,
      "extent 0 of tensor 'a' is above 2147483647" },
  { "size_overflows_to_a_small_one",
      "{" METADATA
      "," TENSOR ("a", "F32", "2147483647,2147483647,2147483647", 0, 8) "}",
      8, FORMAT, "the size of tensor 'a' overflows" },
  { "size_overflows_exactly_to_zero",
      "{" METADATA
      "," TENSOR ("a", "F32", "1073741824,1073741824,16", 0, 0) "}",
      0, FORMAT, "the size of tensor 'a' overflows" },
  { "offsets_are_missing",
      "{" METADATA ",\"a\":{\"dtype\":\"F32\",\"shape\":[2]}}", 8, FORMAT,
      "data_offsets of tensor 'a' are not two" },
  { "offsets_are_three",
      "{" METADATA ",\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":"
      "[0,8,8]}}",
      8, FORMAT, "data_offsets of tensor 'a' are not two" },
  { "offset_is_negative", "{" METADATA "," TENSOR ("a", "F32", "2", -8, 0) "}",
      8, FORMAT, "data_offsets of tensor 'a' are not two" },
  { "offsets_are_reversed", "{" METADATA "," TENSOR ("a", "F32", "2", 8, 0) "}",
      8, FORMAT, "data_offsets of tensor 'a' end at 0 before they begin at 8" },
  { "offset_is_beyond_the_file",
      "{" METADATA "," TENSOR ("a", "F32", "2", 0, 8) "}", 7, FORMAT,
      "tensor 'a' ends at byte 8 of the data, where the file has 7" },
  { "offset_is_as_large_as_can_be",
      "{" METADATA "," TENSOR (
          "a", "F32", "2", 9223372036854775799, 9223372036854775807) "}",
      8, FORMAT, "ends at byte 9223372036854775807" },
  { "range_is_larger_than_the_shape",
      "{" METADATA "," TENSOR ("a", "F32", "2", 0, 12) "}", 12, FORMAT,
      "tensor 'a' has 12 bytes of data, where its shape and dtype need 8" },
  { "range_is_smaller_than_the_shape",
      "{" METADATA "," TENSOR ("a", "F16", "3", 0, 4) "}", 4, FORMAT,
      "tensor 'a' has 4 bytes of data, where its shape and dtype need 6" },
  { "tensors_overlap",
      "{" METADATA "," GOOD_TENSOR "," TENSOR ("b", "F32", "2", 4, 12) "}", 12,
      FORMAT, "tensors 'a' and 'b' overlap" },
  { "tensors_are_the_same_range",
      "{" METADATA "," GOOD_TENSOR "," TENSOR ("b", "F32", "2", 0, 8) "}", 8,
      FORMAT, "tensors 'a' and 'b' overlap" },
  { "gap_between_tensors",
      "{" METADATA "," GOOD_TENSOR "," TENSOR ("b", "F32", "1", 9, 13) "}", 13,
      FORMAT, "1 bytes before tensor 'b' belong to no tensor" },
  { "gap_before_the_first_tensor",
      "{" METADATA "," TENSOR ("a", "F32", "2", 4, 12) "}", 12, FORMAT,
      "4 bytes before tensor 'a' belong to no tensor" },
  { "data_go_on_after_the_last_tensor", "{" METADATA "," GOOD_TENSOR "}", 9,
      FORMAT, "1 bytes at its end belong to no tensor" },
  { "bookkeeping_is_checked_too",
      "{" METADATA "," GOOD_TENSOR
      "," TENSOR ("x.position_ids", "I64", "1", 8, 15) "}",
      15, FORMAT, "tensor 'x.position_ids' has 7 bytes" },
  { "name_colours_the_terminal",
      "{" METADATA "," TENSOR ("\\u001b[31m\\u202e", "I64", "1", 0, 8) "}", 8,
      MODEL, "tensor '\\x1b[31m\\u{202e}' has dtype I64" },
  { "metadata_is_missing", "{" GOOD_TENSOR "}", 8, MODEL,
      "no 'gst_cardiac.arch' in its metadata" },
  { "version_is_missing",
      "{\"__metadata__\":{\"gst_cardiac.arch\":\"xclip\"}," GOOD_TENSOR "}", 8,
      MODEL, "no 'gst_cardiac.version' in its metadata" },
  { "config_is_missing",
      "{\"__metadata__\":{\"gst_cardiac.arch\":\"xclip\","
      "\"gst_cardiac.version\":\"1\"}," GOOD_TENSOR "}",
      8, MODEL, "no 'gst_cardiac.config' in its metadata" },
  { "card_is_missing",
      "{\"__metadata__\":{\"gst_cardiac.arch\":\"xclip\","
      "\"gst_cardiac.version\":\"1\",\"gst_cardiac.config\":\"{}\"}"
      "," GOOD_TENSOR "}",
      8, MODEL, "no 'gst_cardiac.card' in its metadata" },
  { "arch_is_unknown",
      "{" METADATA_OF ("resnet", "1", "{}", "{}") "," GOOD_TENSOR "}", 8, MODEL,
      "gst_cardiac.arch is 'resnet', where xclip, mreg, yolov8 or mmsa" },
  { "version_is_newer",
      "{" METADATA_OF ("xclip", "2", "{}", "{}") "," GOOD_TENSOR "}", 8, MODEL,
      "gst_cardiac.version is '2', where 1 is expected" },
  { "config_is_garbage", WITH_CONFIG ("{heads:"), 8, MODEL,
      "gst_cardiac.config is not valid JSON" },
  { "config_is_an_array", WITH_CONFIG ("[]"), 8, MODEL,
      "gst_cardiac.config is not a JSON object" },
  { "config_repeats_a_key", WITH_CONFIG ("{\\\"a\\\":1,\\\"a\\\":2}"), 8, MODEL,
      "duplicate" },
  { "labels_are_an_object", WITH_CONFIG ("{\\\"labels\\\":{}}"), 8, MODEL,
      "'labels' is not an array" },
  { "label_is_a_number", WITH_CONFIG ("{\\\"labels\\\":[\\\"a\\\",1]}"), 8,
      MODEL, "'labels' has no printable string at index 1" },
  { "label_has_two_lines", WITH_CONFIG ("{\\\"labels\\\":[\\\"a\\\\nb\\\"]}"),
      8, MODEL, "'labels' has no printable string at index 0" },
  { "card_is_garbage", WITH_CARD ("trained"), 8, MODEL,
      "gst_cardiac.card is not valid JSON" },
  { "card_says_trained_in_a_string",
      WITH_CARD ("{\\\"trained\\\":\\\"true\\\"}"), 8, MODEL,
      "'trained' in its gst_cardiac.card is not true or false" },
  { "card_has_a_number_for_a_licence", WITH_CARD ("{\\\"licence\\\":3}"), 8,
      MODEL, "'licence' in its gst_cardiac.card is not a string" },
  { "no_tensors", "{" METADATA "}", 0, MODEL, "holds no tensors" },
  { "only_bookkeeping",
      "{" METADATA "," TENSOR ("x.position_ids", "I64", "1", 0, 8) "}", 8,
      MODEL, "holds no tensors" },
};

/* The file at `path` must fail like this, in one printable sentence that names
 * it. */
static void
expect_failure (const char *what, const char *path, CardiacErrorCode code,
    const char *message)
{
  CardiacError *error = NULL;
  CardiacModel *model = cardiac_model_load (path, &error);

  if (model || !error) {
    failures++;
    fprintf (stderr, "%s: loaded\n", what);
    cardiac_model_unref (&model);
    return;
  }
  const char *text = cardiac_error_message (error);
  if (cardiac_error_code (error) != code || !strstr (text, message)
      || !strstr (text, path) || !cardiac_is_printable (text)) {
    failures++;
    fprintf (stderr, "%s: error %d \"%s\", expected %d \"%s\"\n", what,
        cardiac_error_code (error), text, code, message);
  }
  cardiac_error_free (&error);
  CHECK (cardiac_model_load (path, NULL) == NULL);
}

static void
every_bad_header_has_its_message (void)
{
  for (size_t i = 0; i < sizeof bad_models / sizeof *bad_models; i++) {
    const BadModel *bad = &bad_models[i];
    const char *path =
        write_model ("bad.safetensors", bad->header, NULL, bad->data_size);
    expect_failure (bad->what, path, bad->code, bad->message);
  }
}

static void
every_bad_start_has_its_message (void)
{
  static const struct {
    const char *what;
    const char *bytes;
    size_t size;
    const char *message;
  } starts[] = {
    { "one_byte", "x", 1, "it has 1 bytes" },
    { "nine_bytes", "\1\0\0\0\0\0\0\0{", 9, "it has 9 bytes" },
    { "length_zero", "\0\0\0\0\0\0\0\0{}", 10, "does not begin with '{'" },
    { "length_one_too_large", "\3\0\0\0\0\0\0\0{}", 10,
        "claims 3 bytes, where the file has only 2" },
    { "length_all_ones", "\xff\xff\xff\xff\xff\xff\xff\xff{}", 10,
        "claims 18446744073709551615 bytes, where at most 100000000" },
    { "length_wraps_the_sum", "\xf8\xff\xff\xff\xff\xff\xff\xff{}", 10,
        "claims 18446744073709551608 bytes" },
    { "torch_checkpoint", "PK\3\4aaaaaaaa", 12, "like a PyTorch checkpoint" },
    { "pickle", "\x80\2}q\0aaaaaaaaa", 14, "like a Python pickle" },
    { "lfs_pointer", "version https://git-lfs", 23, "'git lfs pull'" },
    { "index", "{\"weight_map\": {}}", 18, "in several files" },
    { "web_page", "<!DOCTYPE html>", 15, "like a web page" },
  };
  for (size_t i = 0; i < sizeof starts / sizeof *starts; i++) {
    const char *path = path_of ("start.safetensors");
    write_file (path, starts[i].bytes, starts[i].size);
    expect_failure (starts[i].what, path, FORMAT, starts[i].message);
  }
}

static void
what_is_no_file_has_its_message (void)
{
  expect_failure ("missing", path_of ("missing.safetensors"),
      CARDIAC_ERROR_NOT_FOUND, "cannot be opened: No such file");
  expect_failure ("directory", directory, CARDIAC_ERROR_IO,
      "is a directory, where a regular file is expected");
  expect_failure ("device", "/dev/zero", CARDIAC_ERROR_IO,
      "where a regular file is expected");

  const char *path = path_of ("pipe");
  CHECK (mkfifo (path, 0600) == 0);
  expect_failure (
      "pipe", path, CARDIAC_ERROR_IO, "where a regular file is expected");

  path = path_of ("empty.safetensors");
  write_file (path, "", 0);
  expect_failure ("empty", path, FORMAT, "is empty");

  CardiacError *error = NULL;
  CHECK (!cardiac_model_load (NULL, &error));
  REQUIRE (error);
  CHECK (cardiac_error_code (error) == CARDIAC_ERROR_INVALID_ARGUMENT);
  cardiac_error_free (&error);
}

static void
header_above_100_mb_is_refused_unread (void)
{
  const char *path = path_of ("long.safetensors");
  write_file (path, "\1\xe1\xf5\5\0\0\0\0{", 9); /* 100 000 001 */
  CHECK (truncate (path, 200 * 1000 * 1000) == 0);
  expect_failure ("long", path, FORMAT, "claims 100000001 bytes");
  unlink (path);
}

static void
header_of_empty_lists_is_refused_before_it_fills_the_memory (void)
{
  size_t pairs = 3 * 1000 * 1000, size;
  char *header = malloc (3 * pairs + 16);
  char *end = header + sprintf (header, "{\"a\":[");
  for (size_t i = 0; i < pairs; i++, end += 3)
    memcpy (end, "[],", 3);
  strcpy (end - 1, "]}");
  uint8_t *bytes = make_bytes (header, NULL, 0, &size);
  CardiacError *error = NULL;
  CHECK (!cardiac_model_from_bytes ("lists", bytes, size, &error));
  REQUIRE (error);
  CHECK (strstr (cardiac_error_message (error), "JSON elements"));
  cardiac_error_free (&error);
  free (header);
  free (bytes);
}

static void
deep_nesting_is_refused (void)
{
  static char header[200001];
  size_t size;
  header[0] = '{';
  memcpy (header + 1, "\"a\":", 4);
  memset (header + 5, '[', sizeof header - 6);
  uint8_t *bytes = make_bytes (header, NULL, 0, &size);
  CardiacError *error = NULL;
  CHECK (!cardiac_model_from_bytes ("deep", bytes, size, &error));
  REQUIRE (error);
  CHECK (cardiac_error_code (error) == FORMAT);
  cardiac_error_free (&error);
  free (bytes);
}

static void
config_above_one_mib_is_refused (void)
{
  size_t blanks = 1 << 20, size;
  char *config = malloc (blanks + 3), *header = malloc (blanks + 1024);
  memset (config, ' ', blanks);
  strcpy (config + blanks, "{}");
  sprintf (header,
      "{\"__metadata__\":{\"gst_cardiac.arch\":\"xclip\","
      "\"gst_cardiac.version\":\"1\",\"gst_cardiac.config\":\"%s\","
      "\"gst_cardiac.card\":\"{}\"}," GOOD_TENSOR "}",
      config);
  uint8_t *bytes = make_bytes (header, NULL, 8, &size);
  CardiacError *error = NULL;
  CHECK (!cardiac_model_from_bytes ("config", bytes, size, &error));
  REQUIRE (error);
  CHECK (strstr (cardiac_error_message (error), "at most 1048576 are allowed"));
  cardiac_error_free (&error);
  free (bytes);
  free (header);
  free (config);
}

/* ---- good model files ---- */

/* Header of odd length, so that the data are unaligned; data in another order
 * than the entries; every dtype; bookkeeping between tensors; rank 0 and 6. */
static const char good_header[] = "{" METADATA_OF ("mreg", "1",
    "{\\\"frames\\\":16,\\\"beta\\\":2.5,\\\"norm\\\":\\\"video\\\","
    "\\\"labels\\\":[\\\"none\\\",\\\"≥ moderate\\\"],"
    "\\\"presence_labels\\\":[\\\"normal\\\",\\\"MR\\\"],"
    "\\\"thresholds\\\":[0.5,1.5],\\\"flag\\\":true}",
    "{\\\"trained\\\":true,\\\"synthetic\\\":false,"
    "\\\"licence\\\":\\\"CC0\\\"}") "," TENSOR ("scale", "F32", "", 21,
    25) "," TENSOR ("half", "F16", "3,1", 8, 14) "," TENSOR ("brain", "BF16",
    "1,1,1,1,1,2", 0, 4) "," TENSOR ("bn.num_batches_tracked", "U8", "7", 14,
    21) "," TENSOR ("single", "F32", "1", 4, 8) "}  ";

static const uint8_t good_data[25] = {
  0x80, 0x3f, 0x00, 0xc0,             /* brain: 1, -2 */
  0x00, 0x00, 0x40, 0x40,             /* single: 3 */
  0x00, 0x3c, 0x00, 0xbc, 0x01, 0x00, /* half: 1, -1, 2^-24 */
  0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x00, 0x00, 0x20,
  0x41, /* scale: 10 */
};

static CardiacModel *
load_good (void)
{
  CardiacError *error = NULL;
  const char *path = write_model (
      "good.model.safetensors", good_header, good_data, sizeof good_data);
  CardiacModel *model = cardiac_model_load (path, &error);
  if (!model) {
    failures++;
    fprintf (stderr, "good file: %s\n", cardiac_error_message (error));
  }
  cardiac_error_free (&error);
  return model;
}

static void
good_file_says_what_it_is (void)
{
  CardiacModel *model = load_good ();
  REQUIRE (model);
  CHECK (cardiac_model_arch (model) == CARDIAC_ARCH_MREG);
  CHECK (!strcmp (cardiac_arch_name (CARDIAC_ARCH_MREG), "mreg"));
  CHECK (!strcmp (cardiac_model_name (model), "good.model"));
  CHECK (
      !strcmp (cardiac_model_path (model), path_of ("good.model.safetensors")));
  CHECK (cardiac_model_trained (model));
  CHECK (!cardiac_model_synthetic (model));
  CHECK (strstr (cardiac_model_config_json (model), "\"frames\":16"));
  CHECK (strstr (cardiac_model_card_json (model), "CC0"));
  CHECK (!strcmp (cardiac_model_label (model, 1), "≥ moderate"));
  CHECK (!cardiac_model_label (model, 2));
  CHECK (!cardiac_model_label (model, -1));
  cardiac_model_unref (&model);
  CHECK (!model);
  cardiac_model_unref (&model);
}

static void
digest_is_that_of_the_whole_file (void)
{
  size_t size;
  char hex[65];
  CardiacSha256 sha;
  uint8_t *bytes = make_bytes (good_header, good_data, sizeof good_data, &size);
  cardiac_sha256_init (&sha);
  cardiac_sha256_update (&sha, bytes, size);
  cardiac_sha256_finish (&sha, hex);
  free (bytes);
  CardiacModel *model = load_good ();
  REQUIRE (model);
  CHECK (!strcmp (cardiac_model_sha256 (model), hex));
  cardiac_model_unref (&model);
}

static void
card_without_flags_is_never_shown_as_trained_on_patients (void)
{
  const char *path = write_model (
      "card.safetensors", "{" METADATA "," GOOD_TENSOR "}", NULL, 8);
  CardiacModel *model = cardiac_model_load (path, NULL);
  REQUIRE (model);
  CHECK (!cardiac_model_trained (model));
  CHECK (cardiac_model_synthetic (model));
  CHECK (!cardiac_model_label (model, 0));
  cardiac_model_unref (&model);
}

static void
tensors_are_listed_in_the_order_of_their_data (void)
{
  static const char *const names[] = { "brain", "single", "half", "scale" };
  CardiacModel *model = load_good ();
  REQUIRE (model);
  REQUIRE (cardiac_model_tensor_count (model) == 4);
  for (int i = 0; i < 4; i++)
    CHECK (!strcmp (cardiac_model_tensor_name (model, i), names[i]));
  CHECK (!cardiac_model_tensor_name (model, 4));
  CHECK (!cardiac_model_tensor_name (model, -1));
  CHECK (!cardiac_model_tensor (model, "bn.num_batches_tracked"));
  CHECK (!cardiac_model_tensor (model, "zzz"));
  const CardiacTensor *scale = cardiac_model_tensor (model, "scale");
  REQUIRE (scale);
  CHECK (scale->rank == 0 && scale->dtype == CARDIAC_F32
         && cardiac_tensor_count (scale) == 1);
  cardiac_model_unref (&model);
}

static void
unaligned_tensors_of_every_dtype_become_floats (void)
{
  CardiacModel *model = load_good ();
  CardiacError *error = NULL;
  REQUIRE (model);
  int64_t free_shape[2] = { -1, 1 }, six[6] = { 1, 1, 1, 1, 1, -1 };
  float *half = cardiac_model_floats (model, "half", 2, free_shape, &error);
  float *brain = cardiac_model_floats (model, "brain", 6, six, &error);
  float *scale = cardiac_model_floats (model, "scale", 0, NULL, &error);
  REQUIRE (half && brain && scale && !error);
  CHECK (free_shape[0] == 3 && six[5] == 2);
  CHECK (half[0] == 1 && half[1] == -1 && half[2] == 0x1p-24f);
  CHECK (brain[0] == 1 && brain[1] == -2);
  CHECK (scale[0] == 10);
  free (half);
  free (brain);
  free (scale);
  cardiac_model_unref (&model);
}

/* Checks and frees the error that a getter made. */
static void
expect_message (
    int line, bool succeeded, CardiacError **error, const char *message)
{
  if (succeeded || !*error || cardiac_error_code (*error) != CARDIAC_ERROR_MODEL
      || !strstr (cardiac_error_message (*error), message)
      || !strstr (cardiac_error_message (*error), "good.model.safetensors")) {
    failures++;
    fprintf (stderr, "line %d: \"%s\", expected \"%s\"\n", line,
        *error ? cardiac_error_message (*error) : "(no error)", message);
  }
  cardiac_error_free (error);
}

#define EXPECT_MESSAGE(call, message)                                          \
  expect_message (__LINE__, (call), &error, message)

static void
tensor_that_does_not_fit_is_named (void)
{
  CardiacModel *model = load_good ();
  CardiacError *error = NULL;
  REQUIRE (model);
  int64_t shape[3] = { 4, -1, 1 };
  EXPECT_MESSAGE (cardiac_model_shape (model, "half", 3, shape, &error),
      "tensor 'half' has shape [3,1], where [4,*,1] is expected");
  EXPECT_MESSAGE (cardiac_model_shape (model, "half", 2, shape, &error),
      "tensor 'half' has shape [3,1], where [4,*] is expected");
  EXPECT_MESSAGE (cardiac_model_shape (model, "none", 1, shape, &error),
      "tensor 'none' of shape [4] is missing for a network of type mreg");
  EXPECT_MESSAGE (cardiac_model_floats (model, "half", 0, NULL, &error) != NULL,
      "has shape [3,1], where [] is expected");
  CHECK (shape[0] == 4 && shape[1] == -1);

  static const char *const all[] = { "scale", "half", "brain", "single" };
  CHECK (cardiac_model_no_unexpected (model, all, 4, &error));
  EXPECT_MESSAGE (cardiac_model_no_unexpected (model, all, 3, &error),
      "tensor 'single' has no place in a network of type mreg");
  EXPECT_MESSAGE (cardiac_model_no_unexpected (model, NULL, 0, &error),
      "tensor 'brain' has no place");
  cardiac_model_unref (&model);
}

static void
tensor_with_infinity_or_nan_is_refused (void)
{
  static const float values[2] = { 1, INFINITY };
  size_t size;
  uint8_t *bytes = make_bytes (
      "{" METADATA "," GOOD_TENSOR "}", values, sizeof values, &size);
  CardiacError *error = NULL;
  CardiacModel *model =
      cardiac_model_from_bytes ("good.model.safetensors", bytes, size, NULL);
  REQUIRE (model);
  int64_t shape[1] = { 2 };
  EXPECT_MESSAGE (cardiac_model_floats (model, "a", 1, shape, &error) != NULL,
      "tensor 'a' holds an infinity or NaN");
  cardiac_model_unref (&model);
  free (bytes);
}

static void
configuration_is_read_key_by_key (void)
{
  static const char *const norms[] = { "running", "video", NULL };
  CardiacModel *model = load_good ();
  CardiacError *error = NULL;
  REQUIRE (model);
  int64_t whole = 0;
  double number = 0, numbers[3] = { 7, 8, 9 };
  int choice = -1;
  bool flag = false;
  CHECK (cardiac_model_config_int (model, "frames", 1, 64, 0, &whole, &error));
  CHECK (whole == 16);
  CHECK (cardiac_model_config_int (model, "none", 1, 64, 3, &whole, &error));
  CHECK (whole == 3);
  CHECK (cardiac_model_config_number (model, "beta", NAN, &number, &error));
  CHECK (number == 2.5);
  CHECK (cardiac_model_config_number (model, "frames", 0, &number, &error));
  CHECK (number == 16);
  CHECK (cardiac_model_config_number (model, "none", 0.25, &number, &error));
  CHECK (number == 0.25);
  CHECK (cardiac_model_config_numbers (model, "none", 3, numbers, &error));
  CHECK (numbers[0] == 7);
  CHECK (
      cardiac_model_config_numbers (model, "thresholds", 2, numbers, &error));
  CHECK (numbers[0] == 0.5 && numbers[1] == 1.5 && numbers[2] == 9);
  CHECK (
      cardiac_model_config_choice (model, "norm", norms, 0, &choice, &error));
  CHECK (choice == 1);
  CHECK (
      cardiac_model_config_choice (model, "none", norms, 0, &choice, &error));
  CHECK (choice == 0);
  CHECK (cardiac_model_config_bool (model, "flag", false, &flag, &error));
  CHECK (flag);
  CHECK (!strcmp (
      cardiac_model_config_string (model, "presence_labels", 1), "MR"));
  CHECK (!cardiac_model_config_string (model, "presence_labels", 2));
  CHECK (!cardiac_model_config_string (model, "beta", 0));
  CHECK (!error);
  cardiac_model_unref (&model);
}

static void
configuration_that_does_not_fit_is_named (void)
{
  static const char *const norms[] = { "running", "none", NULL };
  static const char *const known[] = { "frames", "beta", "norm", "labels",
    "presence_labels", "thresholds", "flag", NULL };
  CardiacModel *model = load_good ();
  CardiacError *error = NULL;
  REQUIRE (model);
  int64_t whole;
  double numbers[3];
  int choice;
  bool flag;
  EXPECT_MESSAGE (
      cardiac_model_config_int (model, "frames", 17, 64, 0, &whole, &error),
      "key 'frames' is 16, where a whole number from 17 to 64 is expected");
  EXPECT_MESSAGE (
      cardiac_model_config_int (model, "frames", 8, 8, 8, &whole, &error),
      "key 'frames' is 16, where 8 is expected");
  EXPECT_MESSAGE (
      cardiac_model_config_int (model, "beta", 1, 64, 0, &whole, &error),
      "key 'beta' is 2.5, where a whole number");
  EXPECT_MESSAGE (
      cardiac_model_config_int (model, "heads", 1, 64, 0, &whole, &error),
      "key 'heads' is missing, where a whole number from 1 to 64");
  EXPECT_MESSAGE (
      cardiac_model_config_number (model, "norm", 1, numbers, &error),
      "key 'norm' is \"video\", where a number is expected");
  EXPECT_MESSAGE (
      cardiac_model_config_number (model, "eps", NAN, numbers, &error),
      "key 'eps' is missing");
  EXPECT_MESSAGE (
      cardiac_model_config_numbers (model, "thresholds", 3, numbers, &error),
      "key 'thresholds' is [0.5,1.5], where an array of 3 numbers");
  EXPECT_MESSAGE (
      cardiac_model_config_numbers (model, "labels", 2, numbers, &error),
      "where an array of 2 numbers");
  EXPECT_MESSAGE (
      cardiac_model_config_choice (model, "norm", norms, 0, &choice, &error),
      "key 'norm' is \"video\", where one of 'running', 'none' is expected");
  EXPECT_MESSAGE (
      cardiac_model_config_bool (model, "frames", true, &flag, &error),
      "key 'frames' is 16, where true or false is expected");
  CHECK (cardiac_model_config_known (model, known, &error));
  EXPECT_MESSAGE (cardiac_model_config_known (model, known + 1, &error),
      "key 'frames' is unknown");
  cardiac_model_unref (&model);
}

static void *
hold_and_drop (void *data)
{
  for (int i = 0; i < 20000; i++) {
    CardiacModel *model = cardiac_model_ref (data);
    if (!cardiac_model_tensor (model, "scale"))
      return NULL;
    cardiac_model_unref (&model);
  }
  return data;
}

static void
model_is_shared_by_threads (void)
{
  CardiacModel *model = load_good ();
  pthread_t threads[4];
  void *result;
  REQUIRE (model);
  for (int i = 0; i < 4; i++)
    REQUIRE (pthread_create (&threads[i], NULL, hold_and_drop, model) == 0);
  for (int i = 0; i < 4; i++) {
    pthread_join (threads[i], &result);
    CHECK (result == model);
  }
  cardiac_model_unref (&model);
}

/* ---- damaged files ---- */

static uint32_t
next_random (uint32_t *state)
{
  *state ^= *state << 13;
  *state ^= *state >> 17;
  *state ^= *state << 5;
  return *state;
}

/* Reads everything there is, so that a memory checker sees each access. */
static bool
loads_or_explains (const uint8_t *bytes, size_t size)
{
  CardiacError *error = NULL;
  CardiacModel *model =
      cardiac_model_from_bytes ("damaged", bytes, size, &error);
  bool loaded = model != NULL;

  if (!model) {
    CHECK (error && cardiac_error_code (error) > 0);
    CHECK (error && cardiac_is_printable (cardiac_error_message (error)));
    cardiac_error_free (&error);
    return false;
  }
  CHECK (!error);
  for (int i = 0; i < cardiac_model_tensor_count (model); i++) {
    const char *name = cardiac_model_tensor_name (model, i);
    const CardiacTensor *tensor = cardiac_model_tensor (model, name);
    int64_t shape[CARDIAC_MAX_RANK] = { -1, -1, -1, -1, -1, -1 };
    CHECK (tensor);
    free (cardiac_model_floats (
        model, name, tensor ? tensor->rank : 0, shape, NULL));
  }
  for (int i = 0; cardiac_model_label (model, i); i++)
    CHECK (*cardiac_model_label (model, i));
  cardiac_model_unref (&model);
  return loaded;
}

static void
damaged_file_loads_or_explains (void)
{
  size_t size;
  uint8_t *bytes = make_bytes (good_header, good_data, sizeof good_data, &size);
  uint32_t state = 20240607;
  int loaded = 0, refused = 0;

  for (int round = 0; round < 2000; round++) {
    /* An allocation of the exact size: a byte too far is seen. */
    size_t at = next_random (&state) % size;
    size_t kept = round % 4 == 3 ? at : size;
    uint8_t *damaged = malloc (kept ? kept : 1);
    memcpy (damaged, bytes, kept);
    if (round % 4 == 0)
      damaged[at] ^= (uint8_t) (1u << next_random (&state) % 8);
    else if (round % 4 == 1)
      damaged[at] = (uint8_t) next_random (&state);
    else if (round % 4 == 2)
      damaged[at] = (uint8_t) "0917-.,:[]{}\"\\ "[next_random (&state) % 15];
    if (loads_or_explains (damaged, kept))
      loaded++;
    else
      refused++;
    free (damaged);
  }
  /* Both happen, or the test would show nothing. */
  CHECK (loaded > 50 && refused > 1000);
  free (bytes);
}

static void
file_cut_anywhere_is_refused (void)
{
  size_t size;
  uint8_t *bytes = make_bytes (good_header, good_data, sizeof good_data, &size);
  for (size_t kept = 0; kept < size; kept++) {
    uint8_t *cut = malloc (kept ? kept : 1);
    memcpy (cut, bytes, kept);
    CHECK (!loads_or_explains (cut, kept));
    free (cut);
  }
  CHECK (loads_or_explains (bytes, size));
  free (bytes);
}

/* ---- numbers ---- */

static float
convert_one (uint16_t bits, CardiacDType dtype)
{
  uint8_t unaligned[3] = { 0, (uint8_t) bits, (uint8_t) (bits >> 8) };
  float value;
  cardiac_floats_from (&value, unaligned + 1, dtype, 1);
  return value;
}

static void
every_half_is_converted_exactly (void)
{
  for (uint32_t bits = 0; bits < 0x10000; bits++) {
    float value = convert_one ((uint16_t) bits, CARDIAC_F16);
    int exponent = bits >> 10 & 31, fraction = bits & 1023;
    bool negative = bits >> 15;
    if (exponent == 31 && fraction)
      CHECK (isnan (value));
    else if (exponent == 31)
      CHECK (value == (negative ? -INFINITY : INFINITY));
    else
      CHECK (fabsf (value)
             == (exponent ? ldexpf ((float) (1024 + fraction), exponent - 25)
                          : ldexpf ((float) fraction, -24)));
    CHECK (isnan (value) || !signbit (value) == !negative);
  }
}

static void
known_halves_and_brain_floats_are_converted (void)
{
  CHECK (convert_one (0x3555, CARDIAC_F16) == 0.333251953125f);
  CHECK (convert_one (0x7bff, CARDIAC_F16) == 65504);
  CHECK (convert_one (0x0400, CARDIAC_F16) == 0x1p-14f);
  CHECK (convert_one (0x03ff, CARDIAC_F16) == 6.097555160522461e-05f);
  CHECK (convert_one (0x8001, CARDIAC_F16) == -5.960464477539063e-08f);
  CHECK (convert_one (0x3fc0, CARDIAC_BF16) == 1.5f);
  CHECK (convert_one (0x4049, CARDIAC_BF16) == 3.140625f);
  CHECK (convert_one (0x7f7f, CARDIAC_BF16) == 0x1.fep+127f);
  CHECK (convert_one (0x0001, CARDIAC_BF16) == 0x1p-133f);
  CHECK (convert_one (0xff80, CARDIAC_BF16) == -INFINITY);
  CHECK (isnan (convert_one (0x7fc1, CARDIAC_BF16)));
  CHECK (signbit (convert_one (0x8000, CARDIAC_BF16)));
}

static void
dtypes_have_sizes_and_names (void)
{
  static const struct {
    CardiacDType dtype;
    size_t size;
    const char *name;
  } all[] = { { CARDIAC_F32, 4, "f32" }, { CARDIAC_BF16, 2, "bf16" },
    { CARDIAC_F16, 2, "f16" }, { CARDIAC_U8, 1, "u8" },
    { CARDIAC_I64, 8, "i64" } };
  for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
    CHECK (cardiac_dtype_size (all[i].dtype) == all[i].size);
    CHECK (!strcmp (cardiac_dtype_name (all[i].dtype), all[i].name));
  }
}

static void
sha256_gives_the_vectors_of_fips_180 (void)
{
  static const struct {
    const char *text;
    int times;
    const char *hex;
  } vectors[] = {
    { "", 1,
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855" },
    { "abc", 1,
        "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad" },
    { "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq", 1,
        "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1" },
    { "abcdefghbcdefghicdefghijdefghijkefghijklfghijklmghijklmnhijklmnoijklmnop"
      "jklmnopqklmnopqrlmnopqrsmnopqrstnopqrstu",
        1, "cf5b16a778af8380036ce59e7b0492370b249b11e8f07a51afac45037afee9d1" },
    { "aaaaaaaaaaaaaaaaaaaaaaaaa", 40000,
        "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0" },
  };
  for (size_t i = 0; i < sizeof vectors / sizeof *vectors; i++) {
    CardiacSha256 sha;
    char hex[65];
    cardiac_sha256_init (&sha);
    for (int n = 0; n < vectors[i].times; n++)
      cardiac_sha256_update (&sha, vectors[i].text, strlen (vectors[i].text));
    cardiac_sha256_finish (&sha, hex);
    CHECK (!strcmp (hex, vectors[i].hex));
  }
}

static void
sha256_does_not_depend_on_the_pieces (void)
{
  uint8_t bytes[300];
  char whole[65], pieces[65];
  CardiacSha256 sha;
  for (size_t i = 0; i < sizeof bytes; i++)
    bytes[i] = (uint8_t) (i * 7);
  for (size_t size = 0; size < sizeof bytes; size += 13) {
    cardiac_sha256_init (&sha);
    cardiac_sha256_update (&sha, bytes, size);
    cardiac_sha256_finish (&sha, whole);
    for (size_t split = 0; split <= size; split += 5) {
      cardiac_sha256_init (&sha);
      cardiac_sha256_update (&sha, bytes, split);
      cardiac_sha256_update (&sha, bytes + split, size - split);
      cardiac_sha256_finish (&sha, pieces);
      CHECK (!strcmp (whole, pieces));
    }
  }
}

static void
hostile_text_is_printed_harmlessly (void)
{
  char buffer[CARDIAC_PRINTABLE_NAME], small[8];
  CHECK (!strcmp (cardiac_printable (buffer, sizeof buffer, "äöü ≥ 🫀"),
      "äöü ≥ 🫀"));
  CHECK (!strcmp (cardiac_printable (buffer, sizeof buffer, "a\nb\x7f\xff"),
      "a\\x0ab\\x7f\\xff"));
  CHECK (!strcmp (
      cardiac_printable (buffer, sizeof buffer, "\xe2\x80\xae\xc2\x85"),
      "\\u{202e}\\u{85}"));
  CHECK (!strcmp (cardiac_printable (buffer, sizeof buffer, "\xed\xa0\x80"),
      "\\xed\\xa0\\x80"));
  CHECK (
      !strcmp (cardiac_printable (small, sizeof small, "1234567"), "1234567"));
  CHECK (
      !strcmp (cardiac_printable (small, sizeof small, "12345678"), "1234..."));
  CHECK (!strcmp (cardiac_printable (small, sizeof small, "123≥≥"), "123..."));
  CHECK (!strcmp (cardiac_printable (small, sizeof small, ""), ""));
  CHECK (cardiac_is_printable ("≥ moderate"));
  CHECK (!cardiac_is_printable ("a\tb"));
  CHECK (!cardiac_is_printable ("\xe2\x89"));
}

/* ---- .npy ---- */

static void
round_trip (CardiacTensor tensor)
{
  CardiacError *error = NULL;
  CardiacNpy npy;
  const char *path = path_of ("round.npy");
  size_t bytes = (size_t) cardiac_tensor_count (&tensor)
                 * cardiac_dtype_size (tensor.dtype);
  struct stat status;

  REQUIRE (cardiac_npy_write (path, &tensor, &error));
  REQUIRE (stat (path, &status) == 0);
  CHECK (((size_t) status.st_size - bytes) % 64 == 0);
  REQUIRE (cardiac_npy_read (path, &npy, &error));
  CHECK (!error);
  CHECK (npy.tensor.dtype == tensor.dtype && npy.tensor.rank == tensor.rank);
  for (int i = 0; i < tensor.rank; i++)
    CHECK (npy.tensor.shape[i] == tensor.shape[i]);
  CHECK (npy.tensor.data == npy.owned && npy.owned);
  CHECK (npy.owned && memcmp (npy.owned, tensor.data, bytes) == 0);
  cardiac_npy_clear (&npy);
  CHECK (!npy.owned);
  cardiac_npy_clear (&npy);
}

static void
arrays_survive_a_round_trip (void)
{
  uint8_t data[8 * 720];
  for (size_t i = 0; i < sizeof data; i++)
    data[i] = (uint8_t) (i * 31);
  static const CardiacDType dtypes[] = { CARDIAC_F32, CARDIAC_U8, CARDIAC_I64 };
  for (int d = 0; d < 3; d++) {
    CardiacTensor tensor = {
      .dtype = dtypes[d], .shape = { 1, 2, 3, 4, 5, 6 }, .data = data
    };
    for (tensor.rank = 0; tensor.rank <= CARDIAC_MAX_RANK; tensor.rank++)
      round_trip (tensor);
  }
  round_trip ((CardiacTensor){
      .dtype = CARDIAC_F32, .rank = 2, .shape = { 0, 4 }, .data = data });
}

static void
array_is_written_as_numpy_writes_it (void)
{
  float values[3] = { 1, 2, 3 };
  char bytes[256] = "";
  const char *path = path_of ("numpy.npy");
  CHECK (cardiac_npy_write (path,
      &(CardiacTensor){ .rank = 1, .shape = { 3 }, .data = values }, NULL));
  FILE *file = fopen (path, "rb");
  REQUIRE (file);
  size_t size = fread (bytes, 1, sizeof bytes, file);
  fclose (file);
  static const char header[] =
      "\x93NUMPY\1\0v\0{'descr': '<f4', 'fortran_order': False, "
      "'shape': (3,), }";
  CHECK (size == 128 + sizeof values);
  CHECK (memcmp (bytes, header, sizeof header - 1) == 0);
  CHECK (bytes[126] == ' ' && bytes[127] == '\n');
}

static void
array_that_cannot_be_written_says_so (void)
{
  float value = 1;
  CardiacError *error = NULL;
  CardiacTensor tensor = { .dtype = CARDIAC_BF16, .data = &value };
  CHECK (!cardiac_npy_write (path_of ("x.npy"), &tensor, &error));
  REQUIRE (error);
  CHECK (cardiac_error_code (error) == CARDIAC_ERROR_INVALID_ARGUMENT);
  cardiac_error_free (&error);

  tensor.dtype = CARDIAC_F32;
  CHECK (!cardiac_npy_write (path_of ("none/x.npy"), &tensor, &error));
  REQUIRE (error);
  CHECK (cardiac_error_code (error) == CARDIAC_ERROR_NOT_FOUND);
  cardiac_error_free (&error);

  if (access ("/dev/full", W_OK) == 0) {
    CHECK (!cardiac_npy_write ("/dev/full", &tensor, &error));
    REQUIRE (error);
    CHECK (cardiac_error_code (error) == CARDIAC_ERROR_IO);
    cardiac_error_free (&error);
    CHECK (access ("/dev/full", F_OK) == 0);
  }
}

static const char *
write_npy (int major, const char *header, size_t data_size)
{
  char bytes[1024] = "\x93NUMPY";
  size_t length = strlen (header), start = major == 1 ? 10 : 12;
  const char *path = path_of ("made.npy");
  bytes[6] = (char) major;
  bytes[8] = (char) (length & 255);
  bytes[9] = (char) (length >> 8);
  memcpy (bytes + start, header, length);
  write_file (path, bytes, start + length + data_size);
  return path;
}

static void
arrays_of_other_writers_are_read (void)
{
  static const struct {
    int major;
    const char *header;
    size_t data_size;
    int rank;
  } good[] = {
    { 1, "{'descr':'<f4','fortran_order':False,'shape':(2,)}", 8, 1 },
    { 2, "{'descr': '<i8', 'fortran_order': False, 'shape': (), }\n", 8, 0 },
    { 1, "{\"shape\": (1, 2), \"fortran_order\": False, \"descr\": \"|u1\"}", 2,
        2 },
    { 1, "{'descr':'<f4','fortran_order':False,'shape':(2,3,)}   \n", 24, 2 },
  };
  for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
    CardiacError *error = NULL;
    CardiacNpy npy;
    const char *path =
        write_npy (good[i].major, good[i].header, good[i].data_size);
    if (!cardiac_npy_read (path, &npy, &error)) {
      failures++;
      fprintf (
          stderr, "%s: %s\n", good[i].header, cardiac_error_message (error));
      cardiac_error_free (&error);
      continue;
    }
    CHECK (npy.tensor.rank == good[i].rank);
    cardiac_npy_clear (&npy);
  }
}

static void
every_bad_array_has_its_message (void)
{
  static const struct {
    int major;
    const char *header;
    size_t data_size;
    CardiacErrorCode code;
    const char *message;
  } bad[] = {
    { 1, "{'descr':'<f8','fortran_order':False,'shape':(1,)}", 8, UNSUPPORTED,
        "float64, where float32 is expected; save array.astype('float32')" },
    { 1, "{'descr':'>f4','fortran_order':False,'shape':(1,)}", 4, UNSUPPORTED,
        "big endian" },
    { 1, "{'descr':'|O','fortran_order':False,'shape':(1,)}", 4, UNSUPPORTED,
        "elements of type '|O'" },
    { 1, "{'descr':[('a','<f4')],'fortran_order':False,'shape':(1,)}", 4,
        UNSUPPORTED, "array of records" },
    { 1, "{'descr':'<f4','fortran_order':True,'shape':(1,2)}", 8, UNSUPPORTED,
        "Fortran order" },
    { 1, "{'descr':'<f4','fortran_order':False,'shape':(1,1,1,1,1,1,1)}", 4,
        UNSUPPORTED, "more than 6 dimensions" },
    { 3, "{'descr':'<f4','fortran_order':False,'shape':(1,)}", 4, UNSUPPORTED,
        "version 3.0" },
    { 1, "{'descr':'<f4','fortran_order':False,'shape':(2,)}", 4, FORMAT,
        "4 bytes of data, where its shape and type need 8" },
    { 1, "{'descr':'<f4','fortran_order':False,'shape':(2,)}", 9, FORMAT,
        "9 bytes of data, where its shape and type need 8" },
    { 1, "{'descr':'<f4','fortran_order':False,'shape':(-1,)}", 4, FORMAT,
        "extent 0 of its shape" },
    { 1, "{'descr':'<f4','fortran_order':False,'shape':(1,1.0)}", 4, FORMAT,
        "shape is not a tuple" },
    { 1, "{'descr':'<f4','fortran_order':False,'shape':(1)}", 4, FORMAT,
        "shape is not a tuple" },
    { 1, "{'descr':'<f4','fortran_order':False,'shape':1}", 4, FORMAT,
        "shape is not a tuple" },
    { 1, "{'descr':'<f4','fortran_order':False,'shape':(1,", 4, FORMAT,
        "extent 1 of its shape" },
    { 1,
        "{'descr':'<f4','fortran_order':False,'shape':(4611686018427387904,4)}",
        0, FORMAT, "overflows 64 bits" },
    { 1,
        "{'descr':'|u1','fortran_order':False,"
        "'shape':(0,4611686018427387904,4)}",
        0, FORMAT, "overflows 64 bits" },
    { 1,
        "{'descr':'<f4','fortran_order':False,'shape':(99999999999999999999,)}",
        4, FORMAT, "extent 0 of its shape" },
    { 1, "{'descr':'<f4','fortran_order':0,'shape':(1,)}", 4, FORMAT,
        "fortran_order is not True or False" },
    { 1, "{'descr':'<f4','fortran_order':False}", 4, FORMAT, "not all of" },
    { 1, "{'descr':'<f4','descr':'<f4','fortran_order':False,'shape':()}", 4,
        FORMAT, "unknown or repeated key 'descr'" },
    { 1, "{'descr':'<f4','fortran_order':False,'shape':(),'x':1}", 4, FORMAT,
        "unknown or repeated key 'x'" },
    { 1, "{'descr':'<f4' 'fortran_order':False,'shape':()}", 4, FORMAT,
        "not a dictionary" },
    { 1, "{'descr':'<f4','fortran_order':False,'shape':()} x", 4, FORMAT,
        "goes on after the dictionary" },
    { 1, "{'descr", 4, FORMAT, "not a dictionary" },
    { 1, "", 4, FORMAT, "not a dictionary" },
    { 1, "[]", 4, FORMAT, "not a dictionary" },
  };
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
    CardiacError *error = NULL;
    CardiacNpy npy;
    const char *path =
        write_npy (bad[i].major, bad[i].header, bad[i].data_size);
    bool read = cardiac_npy_read (path, &npy, &error);
    if (read || !error || cardiac_error_code (error) != bad[i].code
        || !strstr (cardiac_error_message (error), bad[i].message)
        || !strstr (cardiac_error_message (error), path)) {
      failures++;
      fprintf (stderr, "%s: \"%s\", expected \"%s\"\n", bad[i].header,
          error ? cardiac_error_message (error) : "(read)", bad[i].message);
    }
    CHECK (read || !npy.owned);
    cardiac_npy_clear (&npy);
    cardiac_error_free (&error);
  }
}

static void
damaged_array_is_read_or_explained (void)
{
  char bytes[160] = "\x93NUMPY\1\0v";
  const char *path = path_of ("damaged.npy");
  uint32_t state = 7;
  int loaded = 0;

  memset (bytes + 10, ' ', 118);
  memcpy (bytes + 10,
      "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 4), }", 59);
  bytes[127] = '\n';
  for (int round = 0; round < 1000; round++) {
    char damaged[160];
    size_t size = sizeof bytes, at = next_random (&state) % size;
    memcpy (damaged, bytes, sizeof bytes);
    if (round % 3 == 2)
      size = next_random (&state) % size;
    else
      damaged[at] =
          (char) (round % 3 ? next_random (&state)
                            : (uint32_t) "(), '\":{}0123-"[next_random (&state)
                                                           % 14]);
    write_file (path, damaged, size);
    CardiacError *error = NULL;
    CardiacNpy npy;
    if (cardiac_npy_read (path, &npy, &error))
      loaded++;
    else
      CHECK (error && cardiac_is_printable (cardiac_error_message (error)));
    cardiac_npy_clear (&npy);
    cardiac_error_free (&error);
  }
  CHECK (loaded > 20 && loaded < 900);
}

static void
what_is_no_array_file_has_its_message (void)
{
  CardiacError *error = NULL;
  CardiacNpy npy;
  CHECK (!cardiac_npy_read (path_of ("missing.npy"), &npy, &error));
  CHECK (error && cardiac_error_code (error) == CARDIAC_ERROR_NOT_FOUND);
  cardiac_error_free (&error);
  CHECK (!cardiac_npy_read (directory, &npy, &error));
  CHECK (error && cardiac_error_code (error) == CARDIAC_ERROR_IO);
  cardiac_error_free (&error);
  write_file (path_of ("text.npy"), "not an array", 12);
  CHECK (!cardiac_npy_read (path_of ("text.npy"), &npy, &error));
  CHECK (error && cardiac_error_code (error) == FORMAT);
  cardiac_error_free (&error);
}

#define TEST(function)                                                         \
  {                                                                            \
#function, function                                                        \
  }

static const struct {
  const char *name;
  void (*run) (void);
} tests[] = {
  TEST (every_bad_header_has_its_message),
  TEST (every_bad_start_has_its_message),
  TEST (what_is_no_file_has_its_message),
  TEST (header_above_100_mb_is_refused_unread),
  TEST (header_of_empty_lists_is_refused_before_it_fills_the_memory),
  TEST (deep_nesting_is_refused),
  TEST (config_above_one_mib_is_refused),
  TEST (good_file_says_what_it_is),
  TEST (digest_is_that_of_the_whole_file),
  TEST (card_without_flags_is_never_shown_as_trained_on_patients),
  TEST (tensors_are_listed_in_the_order_of_their_data),
  TEST (unaligned_tensors_of_every_dtype_become_floats),
  TEST (tensor_that_does_not_fit_is_named),
  TEST (tensor_with_infinity_or_nan_is_refused),
  TEST (configuration_is_read_key_by_key),
  TEST (configuration_that_does_not_fit_is_named),
  TEST (model_is_shared_by_threads),
  TEST (damaged_file_loads_or_explains),
  TEST (file_cut_anywhere_is_refused),
  TEST (every_half_is_converted_exactly),
  TEST (known_halves_and_brain_floats_are_converted),
  TEST (dtypes_have_sizes_and_names),
  TEST (sha256_gives_the_vectors_of_fips_180),
  TEST (sha256_does_not_depend_on_the_pieces),
  TEST (hostile_text_is_printed_harmlessly),
  TEST (arrays_survive_a_round_trip),
  TEST (array_is_written_as_numpy_writes_it),
  TEST (array_that_cannot_be_written_says_so),
  TEST (arrays_of_other_writers_are_read),
  TEST (every_bad_array_has_its_message),
  TEST (damaged_array_is_read_or_explained),
  TEST (what_is_no_array_file_has_its_message),
};

static void
remove_files (void)
{
  static const char *const names[] = { "bad.safetensors", "start.safetensors",
    "pipe", "empty.safetensors", "long.safetensors", "good.model.safetensors",
    "card.safetensors", "round.npy", "numpy.npy", "x.npy", "made.npy",
    "damaged.npy", "text.npy" };
  for (size_t i = 0; i < sizeof names / sizeof *names; i++)
    unlink (path_of (names[i]));
  if (rmdir (directory) != 0)
    perror (directory);
}

/* Without arguments all tests run, else those named. */
int
main (int argc, char **argv)
{
  const char *parent = getenv ("TMPDIR");
  snprintf (directory, sizeof directory, "%s/cardiac-model-file-XXXXXX",
      parent && *parent ? parent : "/tmp");
  if (!mkdtemp (directory)) {
    perror (directory);
    return 99;
  }
  for (size_t i = 0; i < sizeof tests / sizeof *tests; i++) {
    bool chosen = argc < 2;
    for (int a = 1; a < argc; a++)
      chosen = chosen || strcmp (argv[a], tests[i].name) == 0;
    if (!chosen)
      continue;
    int before = failures;
    tests[i].run ();
    printf ("%s %s\n", failures > before ? "FAILED" : "ok", tests[i].name);
  }
  remove_files ();
  return failures > 0;
}
