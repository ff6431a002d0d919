/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Runs a fuzz target without libFuzzer:
 *
 *   replay [--mutations=N] [--seed=N] [FILE...]
 *
 * Tries each file as it is and then N random mutations of it. Without files a
 * small model file and a small array are made. The input that is being tried
 * lies in the file named by CARDIAC_FUZZ_KEEP, if that is set, so that it is
 * there after a crash. */

#include "fuzz.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SIZE_LIMIT = 64 * 1024 * 1024 };

typedef struct Input {
  uint8_t *bytes;
  size_t size;
} Input;

static uint64_t random_state = 1;

/* splitmix64: below `limit`, which is at least 1. */
static size_t
random_below (size_t limit)
{
  uint64_t z = random_state += 0x9e3779b97f4a7c15;
  z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
  z = (z ^ z >> 27) * 0x94d049bb133111eb;
  return (size_t) ((z ^ z >> 31) % limit);
}

static void *
allocate (size_t size)
{
  void *memory = malloc (size ? size : 1);
  if (!memory)
    abort ();
  return memory;
}

static void
keep (const Input *input)
{
  const char *path = getenv ("CARDIAC_FUZZ_KEEP");
  FILE *file = path ? fopen (path, "wb") : NULL;
  if (!file)
    return;
  fwrite (input->bytes, 1, input->size, file);
  fclose (file);
}

/* Pieces that random bytes would hardly hit on. */
static const char *const pieces[] = { "9223372036854775807", "2147483648",
  "18446744073709551616", "-1", "0", "1e9", "null", "\\u0000", "\\ud800",
  "\"__metadata__\":", "\"dtype\":\"I64\"", "\"shape\":[]", "{}", "[]", "\xff",
  "\"data_offsets\":[0,0]", ".position_ids", "BF16", "F16", "(0,)", "True" };

/* A copy with one to four edits: a bit, a byte, a digit or mark, a piece put
 * in, a range taken out or doubled, the end cut. */
static Input
mutate (const Input *seed)
{
  static const char marks[] = "0123456789-.,:[]{}()\"'\\ ";
  Input out = { allocate (2 * seed->size + 256), seed->size };

  memcpy (out.bytes, seed->bytes, seed->size);
  for (size_t edits = 1 + random_below (4); edits > 0 && out.size > 0;
       edits--) {
    /* The beginning decides most. */
    size_t range =
        random_below (4) ? out.size : (out.size < 16 ? out.size : 16);
    size_t at = random_below (range);
    size_t rest = out.size - at;
    size_t length = 1 + random_below (rest < 32 ? rest : 32);
    const char *piece = pieces[random_below (sizeof pieces / sizeof *pieces)];
    switch (random_below (8)) {
      case 0:
        out.bytes[at] ^= (uint8_t) (1u << random_below (8));
        break;
      case 1:
        out.bytes[at] = (uint8_t) random_below (256);
        break;
      case 2:
      case 3:
        out.bytes[at] = (uint8_t) marks[random_below (sizeof marks - 1)];
        break;
      case 4:
        length = strlen (piece);
        memmove (out.bytes + at + length, out.bytes + at, rest);
        memcpy (out.bytes + at, piece, length);
        out.size += length;
        break;
      case 5:
        memmove (out.bytes + at, out.bytes + at + length, rest - length);
        out.size -= length;
        break;
      case 6:
        memmove (out.bytes + at + length, out.bytes + at, rest);
        out.size += length;
        break;
      case 7:
        out.size = at;
        break;
    }
  }
  return out;
}

/* Half of the time makes the header's length right again, so that mutations
 * get past it. */
static void
repair_length (Input *input, size_t data_size)
{
  if (input->size < 8 + data_size || random_below (2))
    return;
  uint64_t length = input->size - 8 - data_size;
  for (int i = 0; i < 8; i++)
    input->bytes[i] = (uint8_t) (length >> (8 * i));
}

/* An allocation of the exact size, in which a checker sees a byte too far. */
static void
try_exactly (const Input *input)
{
  uint8_t *exact = allocate (input->size);
  memcpy (exact, input->bytes, input->size);
  keep (input);
  LLVMFuzzerTestOneInput (exact, input->size);
  free (exact);
}

static void
run_input (const Input *seed, long mutations)
{
  uint64_t length = 0;
  for (size_t i = 0; i < 8 && i < seed->size; i++)
    length |= (uint64_t) seed->bytes[i] << (8 * i);
  size_t data_size = seed->size >= 8 && length <= seed->size - 8
                         ? seed->size - 8 - (size_t) length
                         : 0;

  try_exactly (seed);
  for (long i = 0; i < mutations; i++) {
    Input mutated = mutate (seed);
    repair_length (&mutated, data_size);
    try_exactly (&mutated);
    free (mutated.bytes);
  }
}

static Input
read_input (const char *path)
{
  FILE *file = fopen (path, "rb");
  Input input = { NULL, 0 };
  long size = -1;

  if (file && fseek (file, 0, SEEK_END) == 0)
    size = ftell (file);
  if (size < 0 || size > SIZE_LIMIT) {
    fprintf (stderr, "%s: cannot be read, or has more than %d bytes\n", path,
        SIZE_LIMIT);
    exit (2);
  }
  rewind (file);
  input.bytes = allocate ((size_t) size);
  input.size = fread (input.bytes, 1, (size_t) size, file);
  fclose (file);
  return input;
}

static void
run_made_inputs (long mutations)
{
  static const char header[] =
      "{\"__metadata__\":{\"gst_cardiac.arch\":\"mreg\","
      "\"gst_cardiac.version\":\"1\",\"gst_cardiac.config\":"
      "\"{\\\"frames\\\":16,\\\"beta\\\":2,\\\"norm\\\":\\\"video\\\","
      "\\\"image_mean\\\":[0,1,2],\\\"labels\\\":[\\\"a\\\",\\\"b\\\"]}\","
      "\"gst_cardiac.card\":\"{\\\"trained\\\":true}\"},"
      "\"a\":{\"dtype\":\"F32\",\"shape\":[2,1],\"data_offsets\":[0,8]},"
      "\"b\":{\"dtype\":\"F16\",\"shape\":[],\"data_offsets\":[8,10]},"
      "\"c.position_ids\":{\"dtype\":\"I64\",\"shape\":[1],"
      "\"data_offsets\":[10,18]},"
      "\"d\":{\"dtype\":\"BF16\",\"shape\":[1,2],\"data_offsets\":[18,22]}}";
  static const char array[] =
      "\x93NUMPY\1\0\x36\0{'descr': '<f4', 'fortran_order': False, "
      "'shape': (2,), }    \n\0\0\0\0\0\0\0";
  size_t length = sizeof header - 1, data_size = 22;
  Input model = { allocate (8 + length + data_size), 8 + length + data_size };

  memset (model.bytes, 0, model.size);
  model.bytes[0] = (uint8_t) length;
  model.bytes[1] = (uint8_t) (length >> 8);
  memcpy (model.bytes + 8, header, length);
  run_input (&model, mutations);
  free (model.bytes);

  Input npy = { allocate (sizeof array), sizeof array };
  memcpy (npy.bytes, array, sizeof array);
  npy.bytes[8] = (uint8_t) (sizeof array - 10 - 8);
  run_input (&npy, mutations);
  free (npy.bytes);
}

int
main (int argc, char **argv)
{
  static const struct option options[] = { { "mutations", required_argument,
                                               NULL, 'm' },
    { "seed", required_argument, NULL, 's' }, { NULL, 0, NULL, 0 } };
  long mutations = 0;
  int option;

  while ((option = getopt_long (argc, argv, "", options, NULL)) != -1) {
    if (option == 'm')
      mutations = strtol (optarg, NULL, 10);
    else if (option == 's')
      random_state = strtoull (optarg, NULL, 10);
    else
      return 2;
  }
  if (optind == argc)
    run_made_inputs (mutations);
  for (int i = optind; i < argc; i++) {
    Input input = read_input (argv[i]);
    run_input (&input, mutations);
    free (input.bytes);
  }
  return 0;
}
