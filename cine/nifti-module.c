/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* NIfTI through nifti_clib. The header is looked at before its numbers reach an
 * allocation. */

#include "reader.h"

#include <math.h>
#include <nifti1_io.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MODULE_API __attribute__ ((visibility ("default")))

MODULE_API const CineNiftiReader *cine_nifti_module (void);

enum {
  DIMENSIONS = 4,
  MAX_SIDE = 8192,
  MAX_OFFSET = 1 << 24, /* of the pixels: header and extensions */
  BLOCK = 1 << 20,      /* bytes that are converted at a time */
};

#define COPY(type)                                                             \
  do {                                                                         \
    const type *from = values;                                                 \
    for (size_t i = 0; i < n; i++)                                             \
      to[i] = (float) from[i];                                                 \
  } while (0)

/* False for complex numbers and colours. */
static bool
convert (int datatype, const void *values, float *to, size_t n)
{
  switch (datatype) {
    case DT_UINT8:
      COPY (uint8_t);
      break;
    case DT_INT8:
      COPY (int8_t);
      break;
    case DT_INT16:
      COPY (int16_t);
      break;
    case DT_UINT16:
      COPY (uint16_t);
      break;
    case DT_INT32:
      COPY (int32_t);
      break;
    case DT_UINT32:
      COPY (uint32_t);
      break;
    case DT_INT64:
      COPY (int64_t);
      break;
    case DT_UINT64:
      COPY (uint64_t);
      break;
    case DT_FLOAT32:
      COPY (float);
      break;
    case DT_FLOAT64:
      COPY (double);
      break;
    default:
      return false;
  }
  return true;
}

/* "2 x 3 x 4"; there is room for seven of five digits and a sign. */
static void
describe_sides (const nifti_1_header *header, char text[64])
{
  int at = 0;

  text[0] = '\0';
  for (int i = 1; i <= header->dim[0] && i <= 7; i++)
    at += snprintf (
        text + at, 64 - at, "%s%d", i > 1 ? " x " : "", header->dim[i]);
}

/* Values that the sides make; 0: they are no columns, rows, slices, phases. */
static double
count_values (const nifti_1_header *header)
{
  double values = header->dim[0] >= 1 && header->dim[0] <= 7;

  for (int i = 1; i <= header->dim[0] && i <= 7; i++)
    values *=
        header->dim[i] >= 1 && header->dim[i] <= (i > DIMENSIONS ? 1 : MAX_SIDE)
            ? header->dim[i]
            : 0;
  return values;
}

/* Whether the header is that of a stack which may be read. */
static CineRead
check_header (const nifti_1_header *header, char *why)
{
  const double mib = 1 << 20, bytes = 2 * count_values (header);
  char sides[64];

  describe_sides (header, sides);
  if (bytes == 0 || !(header->vox_offset <= MAX_OFFSET)) {
    snprintf (why, CINE_WHY,
        "its header claims values of %s from byte %g on; expected columns, "
        "rows, slices and phases of 1 to %d: write it again",
        sides, header->vox_offset, MAX_SIDE);
    return CINE_READ_DAMAGED;
  }
  if (!convert (header->datatype, NULL, NULL, 0)) {
    snprintf (why, CINE_WHY,
        "its values are of type %s; expected grey numbers: write it again",
        nifti_datatype_string (header->datatype));
    return CINE_READ_DAMAGED;
  }
  if (bytes > CINE_MAX_BYTES) {
    snprintf (why, CINE_WHY,
        "its header claims %s values, %.0f MiB of 16 bits each; at most %.0f "
        "MiB are read, several times a short-axis cine: leave out what does "
        "not belong to it",
        sides, bytes / mib, CINE_MAX_BYTES / mib);
    return CINE_READ_LARGE;
  }
  return CINE_READ_FINE;
}

static CineRead
read_header (const char *path, char *why)
{
  nifti_1_header *header = nifti_read_header (path, NULL, 0);
  CineRead read;

  if (!header) {
    snprintf (why, CINE_WHY, "it has no NIfTI header");
    return CINE_READ_OTHER;
  }
  read = check_header (header, why);
  free (header);
  return read;
}

/* NIfTI's x is to the right and y anterior: both turn. */
static void
take_affine (const nifti_image *image, CineVolume *volume)
{
  const float (*m)[4] = NULL;

  if (image->sform_code > 0)
    m = image->sto_xyz.m;
  else if (image->qform_code > 0)
    m = image->qto_xyz.m;
  if (!m)
    return;
  volume->has_affine = true;
  for (int i = 0; i < 3; i++)
    for (int j = 0; j < 4; j++) {
      volume->to_patient[i][j] = i < 2 ? -(double) m[i][j] : (double) m[i][j];
      volume->has_affine &= isfinite (m[i][j]);
    }
}

static void
take_header (const nifti_image *image, CineVolume *volume)
{
  const int dims[4] = { image->nx, image->ny, image->nz, image->nt };
  const float steps[3] = { image->dx, image->dy, image->dz };

  memset (volume, 0, sizeof *volume);
  for (int i = 0; i < 4; i++)
    volume->dim[i] = dims[i] > 0 ? dims[i] : 1;
  for (int i = 0; i < 3; i++)
    volume->spacing[i] = isfinite (steps[i]) && steps[i] > 0 ? steps[i] : 1;
  volume->step = isfinite (image->dt) && image->dt > 0 ? image->dt : 0;
  volume->step_unit = image->time_units == NIFTI_UNITS_SEC    ? 1
                      : image->time_units == NIFTI_UNITS_MSEC ? 1e-3
                      : image->time_units == NIFTI_UNITS_USEC ? 1e-6
                                                              : 0;
  take_affine (image, volume);
}

/* Reads and converts `n` values. nifti_image_load() takes a broken gzip file for
 * a complete one, and all of it at once. */
static bool
read_block (
    const nifti_image *image, znzFile file, void *block, float *to, size_t n)
{
  size_t bytes = n * image->nbyper;

  if (znzread (block, 1, bytes, file) != bytes)
    return false;
  if (image->swapsize > 1 && image->byteorder != nifti_short_order ())
    nifti_swap_Nbytes (bytes / image->swapsize, image->swapsize, block);
  convert (image->datatype, block, to, n);
  for (size_t i = 0; i < n; i++)
    to[i] = isfinite (to[i]) ? to[i] : 0;
  return true;
}

static bool
read_values (const nifti_image *image, float *to)
{
  znzFile file = znzopen (image->iname, "rb", nifti_is_gzfile (image->iname));
  void *block = malloc (BLOCK);
  size_t left = (size_t) image->nvox, most = BLOCK / image->nbyper;
  bool fine = block && !znz_isnull (file) && image->iname_offset >= 0
              && znzseek (file, image->iname_offset, SEEK_SET) >= 0;

  while (fine && left > 0) {
    size_t n = left < most ? left : most;

    fine = read_block (image, file, block, to, n);
    to += n;
    left -= n;
  }
  znzclose (file);
  free (block);
  return fine;
}

static CineRead
load_image (const nifti_image *image, CineVolume *volume, char *why)
{
  take_header (image, volume);
  volume->values = malloc ((size_t) image->nvox * sizeof (float));
  if (volume->values && read_values (image, volume->values))
    return CINE_READ_FINE;
  snprintf (why, CINE_WHY,
      volume->values
          ? "it ends before the %d x %d x %d x %d values that its header "
            "claims; copy it again"
          : "there is no memory for %d x %d x %d x %d values",
      volume->dim[0], volume->dim[1], volume->dim[2], volume->dim[3]);
  return CINE_READ_DAMAGED;
}

static void
clear (CineVolume *volume)
{
  free (volume->values);
  memset (volume, 0, sizeof *volume);
}

static CineRead
load (const char *path, CineVolume *volume, char *why)
{
  nifti_image *image;
  CineRead read;

  memset (volume, 0, sizeof *volume);
  nifti_set_debug_level (0);
  if (is_nifti_file (path) < 1) {
    snprintf (why, CINE_WHY,
        "expected a file .nii, .nii.gz or .hdr/.img with a NIfTI-1 header");
    return CINE_READ_OTHER;
  }
  read = read_header (path, why);
  if (read != CINE_READ_FINE)
    return read;
  image = nifti_image_read (path, 0);
  if (!image) {
    snprintf (why, CINE_WHY, "its header does not hold together");
    return CINE_READ_DAMAGED;
  }
  read = load_image (image, volume, why);
  nifti_image_free (image);
  if (read != CINE_READ_FINE)
    clear (volume);
  return read;
}

const CineNiftiReader *
cine_nifti_module (void)
{
  static const CineNiftiReader reader = { CINE_READER_ABI, load, clear };

  return &reader;
}
