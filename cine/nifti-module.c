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
  MAX_SIDE = 8192,
  MAX_VALUES = 1 << 29,
};

/* Whether the dimensions are ones of a stack that fits into memory. */
static CineRead
check_header (const char *path, char *why)
{
  nifti_1_header *header = nifti_read_header (path, NULL, 0);
  double values = 1;
  int n;

  if (!header) {
    snprintf (why, CINE_WHY, "it has no NIfTI header");
    return CINE_READ_OTHER;
  }
  n = header->dim[0];
  for (int i = 1; i <= n && i <= 7; i++) {
    if (header->dim[i] < 1 || header->dim[i] > MAX_SIDE)
      values = INFINITY;
    values *= header->dim[i];
  }
  if (n < 1 || n > 7 || !(values <= MAX_VALUES)) {
    snprintf (why, CINE_WHY,
        "its header claims %d dimensions with %g values; at most %d fit", n,
        values, MAX_VALUES);
    free (header);
    return CINE_READ_DAMAGED;
  }
  free (header);
  return CINE_READ_FINE;
}

#define COPY(type)                                                             \
  do {                                                                         \
    const type *from = image->data;                                            \
    for (size_t i = 0; i < n; i++)                                             \
      to[i] = (float) from[i];                                                 \
  } while (0)

/* False for complex numbers and colours. */
static bool
convert (const nifti_image *image, float *to, size_t n)
{
  switch (image->datatype) {
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

/* Reads values as they are stored. nifti_image_load() takes a broken gzip file
 * for a complete one, so every block is counted here. */
static bool
read_values (nifti_image *image, size_t bytes)
{
  znzFile file = znzopen (image->iname, "rb", nifti_is_gzfile (image->iname));
  bool fine = !znz_isnull (file) && image->iname_offset >= 0
              && znzseek (file, image->iname_offset, SEEK_SET) >= 0;
  size_t done = 0;

  image->data = fine ? malloc (bytes) : NULL;
  fine = image->data != NULL;
  while (fine && done < bytes) {
    size_t block = bytes - done < 1 << 20 ? bytes - done : 1 << 20;

    fine = znzread ((char *) image->data + done, 1, block, file) == block;
    done += block;
  }
  znzclose (file);
  if (fine && image->swapsize > 1 && image->byteorder != nifti_short_order ())
    nifti_swap_Nbytes (bytes / image->swapsize, image->swapsize, image->data);
  return fine;
}

static CineRead
load_image (nifti_image *image, CineVolume *volume, char *why)
{
  size_t n = (size_t) image->nvox;

  take_header (image, volume);
  if (n
      != (size_t) volume->dim[0] * volume->dim[1] * volume->dim[2]
             * volume->dim[3]) {
    snprintf (why, CINE_WHY,
        "it has more than four dimensions; expected columns, rows, slices and "
        "phases");
    return CINE_READ_DAMAGED;
  }
  if (!read_values (image, n * image->nbyper)) {
    snprintf (why, CINE_WHY,
        "it ends before the %d x %d x %d x %d values that its header claims; "
        "copy it again",
        volume->dim[0], volume->dim[1], volume->dim[2], volume->dim[3]);
    return CINE_READ_DAMAGED;
  }
  volume->values = malloc (n * sizeof (float));
  if (!volume->values || !convert (image, volume->values, n)) {
    snprintf (why, CINE_WHY,
        volume->values ? "its values are of type %s; expected grey numbers"
                       : "out of memory for values of type %s",
        nifti_datatype_string (image->datatype));
    return CINE_READ_DAMAGED;
  }
  for (size_t i = 0; i < n; i++)
    if (!isfinite (volume->values[i]))
      volume->values[i] = 0;
  return CINE_READ_FINE;
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
  read = check_header (path, why);
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
