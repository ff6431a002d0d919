/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "stack.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static const size_t max_pixels = (size_t) 1 << 30;

bool
cine_check_size (
    const char *location, int pictures, int width, int height, CineError *error)
{
  double bytes = 2.0 * pictures * width * height, mib = 1 << 20;

  if (bytes <= (double) CINE_MAX_BYTES)
    return true;
  return cine_fail (error, CINE_UNREADABLE,
      "%s claims %d pictures of %d x %d pixels, %.0f MiB; at most %.0f MiB are "
      "read, several times a short-axis cine: take out what does not belong to "
      "it",
      location, pictures, width, height, bytes / mib, CINE_MAX_BYTES / mib);
}

static bool
allocate (CineStack *stack)
{
  size_t area = (size_t) stack->width * stack->height;
  size_t all = area * stack->phases * stack->slices;

  stack->times_ms = calloc (stack->phases, sizeof (double));
  stack->slice = calloc (stack->slices, sizeof *stack->slice);
  stack->pixels = calloc (all, sizeof (uint16_t));
  if (!stack->times_ms || !stack->slice || !stack->pixels)
    return false;
  for (int s = 0; s < stack->slices; s++) {
    CineSlice *slice = &stack->slice[s];

    slice->pixels = stack->pixels + s * area * stack->phases;
    slice->stored = s;
    slice->cycle_ms = NAN;
    slice->trigger_ms = calloc (stack->phases, sizeof (double));
    if (!slice->trigger_ms)
      return false;
    for (int i = 0; i < 3; i++)
      slice->position_mm[i] = NAN;
    for (int p = 0; p < stack->phases; p++)
      slice->trigger_ms[p] = NAN;
  }
  return true;
}

CineStack *
cine_stack_new (int width, int height, int slices, int phases, CineError *error)
{
  double all = (double) width * height * slices * phases;
  CineStack *stack =
      all <= (double) max_pixels ? calloc (1, sizeof *stack) : NULL;

  if (stack) {
    stack->width = width;
    stack->height = height;
    stack->slices = slices;
    stack->phases = phases;
    for (int i = 0; i < 3; i++)
      stack->row[i] = stack->column[i] = NAN;
    stack->gap_mm = stack->cycle_ms = NAN;
    if (allocate (stack))
      return stack;
    cine_stack_free (&stack);
  }
  cine_fail (error, CINE_NO_MEMORY,
      "%d slices of %d phases of %d x %d pixels do not fit into memory", slices,
      phases, width, height);
  return NULL;
}

void
cine_stack_free (CineStack **stack)
{
  CineStack *self = *stack;

  if (!self)
    return;
  for (int s = 0; self->slice && s < self->slices; s++)
    free (self->slice[s].trigger_ms);
  for (int i = 0; i < self->n_notes; i++)
    free (self->notes[i]);
  free (self->location);
  free (self->slice);
  free (self->times_ms);
  free (self->pixels);
  free (self);
  *stack = NULL;
}

bool
cine_is_nifti_name (const char *path)
{
  static const char *const endings[] = { ".nii", ".nii.gz", ".hdr", ".hdr.gz",
    ".img", ".img.gz" };
  size_t length = strlen (path);

  for (size_t i = 0; i < sizeof endings / sizeof *endings; i++) {
    size_t n = strlen (endings[i]);

    if (length > n && strcmp (path + length - n, endings[i]) == 0)
      return true;
  }
  return false;
}

/* Sizes that no scanner makes would make pictures that no memory holds. */
static bool
check_spacing (const CineStack *stack, const char *location, CineError *error)
{
  static const double least = 0.05, most = 50;
  const double *mm = stack->spacing_mm;

  if (mm[0] >= least && mm[0] <= most && mm[1] >= least && mm[1] <= most
      && stack->gap_mm >= least && stack->gap_mm <= 4 * most)
    return true;
  return cine_fail (error, CINE_UNREADABLE,
      "%s says that its pixels are %g x %g mm and its slices %g mm apart; "
      "expected %g to %g mm and up to %g mm: correct its header",
      location, mm[0], mm[1], stack->gap_mm, least, most, 4 * most);
}

CineStack *
cine_stack_load (const char *location, CineError *error)
{
  struct stat status;
  CineStack *stack;

  error->problem = CINE_FINE;
  error->text[0] = error->detail[0] = '\0';
  if (stat (location, &status) < 0) {
    cine_fail (error, CINE_NOT_FOUND,
        "there is no '%s'; expected a directory of DICOM files or a 4-D NIfTI "
        "file",
        location);
    return NULL;
  }
  if (!S_ISDIR (status.st_mode) && cine_is_nifti_name (location))
    stack = cine_stack_load_nifti (location, error);
  else
    stack = cine_stack_load_dicom (location, error);
  if (stack && !check_spacing (stack, location, error))
    cine_stack_free (&stack);
  if (stack) {
    stack->location = strdup (location);
    cine_set_times (stack);
    cine_set_windows (stack);
  }
  return stack;
}
