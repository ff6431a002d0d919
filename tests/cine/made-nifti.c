/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <ftw.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../require.h"
#include "made-stack.h"

static void
put16 (uint8_t *at, int v)
{
  int16_t value = (int16_t) v;

  memcpy (at, &value, 2);
}

static void
put_float (uint8_t *at, double v)
{
  float value = (float) v;

  memcpy (at, &value, 4);
}

/* Voxel to patient, NIfTI's axes: x to the right, y anterior. Columns of `m` are
 * steps along columns, rows and slices, then the first voxel. */
static void
get_affine (const MadeNifti *o, double m[3][4])
{
  int last = MADE_SLICES - 1;
  double first[3], next[3], row[3], column[3];

  made_axes (&o->stack, row, column);
  made_position (&o->stack, o->slices_turned ? last : 0, first);
  made_position (&o->stack, o->slices_turned ? last - 1 : 1, next);
  for (int i = 0; i < 3; i++) {
    double sign = i < 2 ? -1 : 1, down = made_spacing_mm * column[i];

    if (o->rows_turned)
      first[i] += (MADE_HEIGHT - 1) * down;
    next[i] += o->rows_turned ? (MADE_HEIGHT - 1) * down : 0;
    m[i][0] = sign * made_spacing_mm * row[i];
    m[i][1] = sign * (o->rows_turned ? -down : down);
    m[i][2] = sign * (next[i] - first[i]);
    m[i][3] = sign * first[i];
  }
}

/* Quaternion of a rotation whose w is not small. */
static double
put_quaternion (uint8_t *header, const double m[3][4])
{
  double r[3][3], det, w;

  for (int j = 0; j < 3; j++) {
    double length = hypot (hypot (m[0][j], m[1][j]), m[2][j]);

    for (int i = 0; i < 3; i++)
      r[i][j] = m[i][j] / length;
  }
  det = r[0][0] * (r[1][1] * r[2][2] - r[1][2] * r[2][1])
        - r[0][1] * (r[1][0] * r[2][2] - r[1][2] * r[2][0])
        + r[0][2] * (r[1][0] * r[2][1] - r[1][1] * r[2][0]);
  for (int i = 0; det < 0 && i < 3; i++)
    r[i][2] = -r[i][2];
  w = 0.5 * sqrt (1 + r[0][0] + r[1][1] + r[2][2]);
  REQUIRE (w > 0.05);
  put_float (header + 256, (r[2][1] - r[1][2]) / (4 * w));
  put_float (header + 260, (r[0][2] - r[2][0]) / (4 * w));
  put_float (header + 264, (r[1][0] - r[0][1]) / (4 * w));
  for (int i = 0; i < 3; i++)
    put_float (header + 268 + 4 * i, m[i][3]);
  return det < 0 ? -1 : 1;
}

static void
make_header (const MadeNifti *o, uint8_t header[352])
{
  const int32_t size = 348;
  const int n[3] = { MADE_WIDTH, MADE_HEIGHT, MADE_SLICES };
  const double mm[3] = { made_spacing_mm, made_spacing_mm, made_gap_mm };
  int move = o->slices_first ? 2 : 0;
  double m[3][4];

  memset (header, 0, 352);
  memcpy (header, &size, 4);
  put16 (header + 40, o->one_volume || o->labels ? 3 : 4);
  for (int i = 0; i < 3; i++) {
    put16 (header + 42 + 2 * i, n[(i + move) % 3]);
    put_float (header + 80 + 4 * i, mm[(i + move) % 3]);
  }
  put16 (header + 48, o->one_volume || o->labels ? 1 : MADE_PHASES);
  for (int i = 5; i < 8; i++)
    put16 (header + 40 + 2 * i, 1);
  put16 (header + 70, o->labels ? 2 : 4);
  put16 (header + 72, o->labels ? 8 : 16);
  put_float (header + 76, 1);
  put_float (
      header + 92, o->step > 0 ? o->step : made_cycle_ms / MADE_PHASES / 1000);
  put_float (header + 108, 352);
  header[123] = 2 + (o->units < 0 ? 0 : o->units ? o->units : 8);
  get_affine (o, m);
  if (o->quaternion) {
    put16 (header + 252, 1);
    put_float (header + 76, put_quaternion (header, m));
  } else if (!o->no_affine) {
    put16 (header + 254, 1);
    for (int i = 0; i < 3; i++)
      for (int j = 0; j < 4; j++)
        put_float (
            header + 280 + 16 * i + 4 * j, m[i][j < 3 ? (j + move) % 3 : 3]);
  }
  memcpy (header + 344, "n+1", 4);
}

static void
put_value (const MadeNifti *o, FILE *stream, int x, int y, int z, int phase)
{
  int slice = o->slices_turned ? MADE_SLICES - 1 - z : z;
  int row = o->rows_turned ? MADE_HEIGHT - 1 - y : y;

  if (o->labels) {
    fputc (made_label (&o->stack, slice, x, row, o->label_numbers), stream);
  } else {
    uint16_t grey = made_grey (&o->stack, slice, phase, x, row);

    fputc (grey & 255, stream);
    fputc (grey >> 8, stream);
  }
}

static void
put_volume (const MadeNifti *o, FILE *stream, int phase)
{
  if (o->slices_first) {
    for (int y = 0; y < MADE_HEIGHT; y++)
      for (int x = 0; x < MADE_WIDTH; x++)
        for (int z = 0; z < MADE_SLICES; z++)
          put_value (o, stream, x, y, z, phase);
    return;
  }
  for (int z = 0; z < MADE_SLICES; z++)
    for (int y = 0; y < MADE_HEIGHT; y++)
      for (int x = 0; x < MADE_WIDTH; x++)
        put_value (o, stream, x, y, z, phase);
}

void
made_write_nifti (const char *path, const MadeNifti *o)
{
  int phases = o->one_volume || o->labels ? 1 : MADE_PHASES;
  FILE *stream = fopen (path, "wb");
  uint8_t header[352];

  REQUIRE (stream != NULL);
  make_header (o, header);
  fwrite (header, 1, sizeof header, stream);
  for (int p = 0; p < phases; p++)
    put_volume (o, stream, p);
  if (o->cut) {
    fflush (stream);
    REQUIRE (ftruncate (fileno (stream), ftell (stream) - o->cut) == 0);
  }
  REQUIRE (fclose (stream) == 0);
}

static char root[256];

static int
remove_one (
    const char *path, const struct stat *status, int kind, struct FTW *walk)
{
  return remove (path);
}

static void
remove_all (void)
{
  nftw (root, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

const char *
made_folder (const char *name)
{
  const char *temporary = getenv ("TMPDIR");
  const char *path;

  if (!*root) {
    snprintf (root, sizeof root, "%s/made-stack-XXXXXX",
        temporary ? temporary : "/tmp");
    REQUIRE (mkdtemp (root) != NULL);
    atexit (remove_all);
  }
  path = made_path (root, name);
  REQUIRE (mkdir (path, 0700) == 0 || errno == EEXIST);
  return path;
}

/* Kept until the program ends; old ones are used again. */
const char *
made_path (const char *folder, const char *name)
{
  static char paths[1024][512];
  static unsigned next;
  char *path = paths[next++ % 1024];

  REQUIRE (snprintf (path, sizeof paths[0], "%s/%s", folder, name)
           < (int) sizeof paths[0]);
  return path;
}
