/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A 4-D NIfTI file as a stack. Which axis runs through the slices and in which
 * direction is told by the affine: array order differs between tools. */

#include "reader.h"
#include "stack.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Axes of the volume that become columns, rows and slices. */
typedef struct Axes {
  int x, y, z;
  bool flip_y, flip_z;
} Axes;

/* Slices of cine MR lie wider apart than pixels; volumes that are even keep
 * their own third axis. */
static int
find_slice_axis (const CineVolume *volume)
{
  for (int z = 0; z < 3; z++) {
    double other =
        fmax (volume->spacing[(z + 1) % 3], volume->spacing[(z + 2) % 3]);

    if (volume->spacing[z] >= 1.5 * other)
      return z;
  }
  return 2;
}

static void
get_axis (const CineVolume *volume, int axis, double out[3])
{
  for (int i = 0; i < 3; i++)
    out[i] = volume->to_patient[i][axis];
}

/* Pictures are seen from the apex, as scanners show them: rows, columns and the
 * way to the base are right-handed. A converter may have turned rows over. */
static Axes
find_axes (const CineVolume *volume)
{
  Axes axes = { 0, 1, 2, false, false };
  double x[3], y[3], z[3], normal[3];

  axes.z = find_slice_axis (volume);
  axes.x = axes.z == 0 ? 1 : 0;
  axes.y = axes.z == 2 ? 1 : 2;
  if (!volume->has_affine)
    return axes;
  get_axis (volume, axes.x, x);
  get_axis (volume, axes.y, y);
  get_axis (volume, axes.z, z);
  cine_cross (x, y, normal);
  axes.flip_y = cine_towards_base (normal) < -CINE_BASE_CLEAR;
  axes.flip_z = cine_towards_base (z) > 0;
  return axes;
}

/* Where the first pixel of a slice lies, and directions. */
static void
set_geometry (CineStack *stack, const CineVolume *volume, const Axes *axes)
{
  double x[3], y[3], z[3];

  stack->spacing_mm[0] = volume->spacing[axes->x];
  stack->spacing_mm[1] = volume->spacing[axes->y];
  stack->gap_mm = volume->spacing[axes->z];
  stack->flipped = axes->flip_y;
  if (!volume->has_affine)
    return;
  get_axis (volume, axes->x, x);
  get_axis (volume, axes->y, y);
  get_axis (volume, axes->z, z);
  stack->spacing_mm[0] = sqrt (cine_dot (x, x));
  stack->spacing_mm[1] = sqrt (cine_dot (y, y));
  stack->gap_mm = sqrt (cine_dot (z, z));
  for (int i = 0; i < 3; i++) {
    stack->row[i] = x[i] / stack->spacing_mm[0];
    stack->column[i] = (axes->flip_y ? -y[i] : y[i]) / stack->spacing_mm[1];
    for (int s = 0; s < stack->slices; s++)
      stack->slice[s].position_mm[i] =
          volume->to_patient[i][3] + stack->slice[s].stored * z[i]
          + (axes->flip_y ? (stack->height - 1) * y[i] : 0);
  }
  stack->has_geometry = true;
  stack->base_known = fabs (cine_towards_base (z)) >= CINE_BASE_CLEAR;
}

/* Values as 16 bits: as they are when they fit, else stretched. */
static void
find_scale (const CineVolume *volume, size_t n, float *offset, float *factor)
{
  float low = INFINITY, high = -INFINITY;
  bool whole = true;

  for (size_t i = 0; i < n; i++) {
    float v = volume->values[i];

    low = v < low ? v : low;
    high = v > high ? v : high;
    whole = whole && v == rintf (v);
  }
  *offset = 0;
  *factor = 1;
  if (whole && low >= 0 && high <= 65535)
    return;
  if (whole && low < 0 && high - low <= 65535) {
    *offset = low;
    return;
  }
  *offset = low;
  *factor = high > low ? 65535 / (high - low) : 1;
}

static void
copy_pixels (CineStack *stack, const CineVolume *volume, const Axes *axes)
{
  size_t stride[3] = { 1, volume->dim[0],
    (size_t) volume->dim[0] * volume->dim[1] };
  size_t whole = stride[2] * volume->dim[2];
  float offset, factor;

  find_scale (volume, whole * volume->dim[3], &offset, &factor);
  for (int s = 0; s < stack->slices; s++)
    for (int p = 0; p < stack->phases; p++) {
      const float *from =
          volume->values + p * whole + stack->slice[s].stored * stride[axes->z];
      uint16_t *to =
          stack->slice[s].pixels + (size_t) p * stack->width * stack->height;

      for (int y = 0; y < stack->height; y++) {
        int stored_y = axes->flip_y ? stack->height - 1 - y : y;

        for (int x = 0; x < stack->width; x++) {
          float v =
              (from[x * stride[axes->x] + stored_y * stride[axes->y]] - offset)
              * factor;

          *to++ = v > 0 ? v < 65535 ? (uint16_t) lrintf (v) : 65535 : 0;
        }
      }
    }
}

/* Milliseconds between volumes. Many converters leave 0 or 1, or no unit, so
 * only steps that make a heart's cycle are believed. */
static double
find_step (const CineVolume *volume)
{
  const double units[] = { volume->step_unit, 1, 1e-3 };

  for (int i = volume->step_unit > 0 ? 0 : 1;
       i < (volume->step_unit > 0 ? 1 : 3); i++) {
    double step = volume->step * units[i] * 1000;
    double cycle = step * volume->dim[3];

    if (cycle >= 250 && cycle <= 3000)
      return step;
  }
  return NAN;
}

static void
set_triggers (CineStack *stack, double step)
{
  for (int s = 0; s < stack->slices; s++) {
    for (int p = 0; p < stack->phases; p++)
      stack->slice[s].trigger_ms[p] = p * step;
    stack->slice[s].cycle_ms = stack->phases * step;
  }
}

static bool
check (const char *location, const CineVolume *volume, const Axes *axes,
    CineError *error)
{
  int slices = volume->dim[axes->z];

  if (volume->dim[3] < CINE_MIN_PHASES)
    return cine_fail (error, CINE_STACK_INCOMPLETE,
        "%s has no time axis: it is one volume of %d x %d x %d; expected four "
        "dimensions, the fourth being the phases of a cycle",
        location, volume->dim[0], volume->dim[1], volume->dim[2]);
  if (slices < CINE_MIN_SLICES)
    return cine_fail (error, CINE_STACK_INCOMPLETE,
        "%s has %d slice%s; expected %d or more, from base to apex", location,
        slices, slices == 1 ? "" : "s", CINE_MIN_SLICES);
  return true;
}

static CineStack *
make_stack (const char *location, const CineVolume *volume, CineError *error)
{
  Axes axes = find_axes (volume);
  CineStack *stack;

  if (!check (location, volume, &axes, error))
    return NULL;
  stack = cine_stack_new (volume->dim[axes.x], volume->dim[axes.y],
      volume->dim[axes.z], volume->dim[3], error);
  if (!stack)
    return NULL;
  stack->format = "NIfTI";
  for (int s = 0; s < stack->slices; s++)
    stack->slice[s].stored = axes.flip_z ? stack->slices - 1 - s : s;
  set_geometry (stack, volume, &axes);
  copy_pixels (stack, volume, &axes);
  set_triggers (stack, find_step (volume));
  return stack;
}

CineStack *
cine_stack_load_nifti (const char *location, CineError *error)
{
  const CineNiftiReader *reader;
  CineVolume volume;
  CineStack *stack;

  if (!cine_volume_load (location, &volume, &reader, error))
    return NULL;
  stack = make_stack (location, &volume, error);
  reader->clear (&volume);
  return stack;
}
