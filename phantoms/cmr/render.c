/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "phantom.h"

#include <math.h>
#include <stdlib.h>

/* The patch: material of the heart at end-diastole over radius and angle, so
 * that a pixel needs no sine to find its signal. */
static const double patch_step_mm = 0.5;

/* Width of a border that a scanner of this resolution shows. */
static const double blur_pixels = 1.5;

static void
draw_patch (Slice *slice, const CmrSettings *s)
{
  double soft = blur_pixels * s->spacing_mm;
  for (int row = 0; row < slice->patch_rows; row++)
    for (int i = 0; i < PATCH_ANGLES; i++) {
      double radius = row * patch_step_mm;
      double direction = slice->heart.insertion - i * (2 * M_PI / PATCH_ANGLES);
      double mm[2] = { radius * cos (direction), radius * sin (direction) };
      slice->patch[row * PATCH_ANGLES + i] =
          tissue_signal (&slice->tissue, &slice->heart, mm, soft);
    }
}

/* Margins that a correction of the gradients' distortion leaves: curved at the
 * sides. */
static bool
in_margin (const CmrSettings *s, double x, double y)
{
  double across = fabs (2 * x / (s->width - 1) - 1);
  double along = fabs (2 * y / (s->height - 1) - 1);
  return across > 1 - s->unwarp * (1 - 0.9 * along * along);
}

static void
draw_still (Slice *slice, const CmrSettings *s)
{
  for (int y = 0; y < s->height; y++)
    for (int x = 0; x < s->width; x++) {
      size_t at = (size_t) y * s->width + x;
      double px[2] = { x, y }, mm[2];
      heart_to_patient (&slice->heart, px, mm);
      bool margin = in_margin (s, x, y);
      slice->gain[at] =
          margin ? 0
                 : s->gain * tissue_sensitivity (&slice->tissue, mm, s->bias);
      slice->still[at] = margin ? 0
                                : tissue_signal (&slice->tissue, &slice->heart,
                                    mm, blur_pixels * s->spacing_mm);
    }
}

static void
box_of_heart (Slice *slice, const CmrSettings *s)
{
  double reach = slice->heart.reach / s->spacing_mm + 1;
  slice->left = (int) fmax (0, slice->heart.centre[0] - reach);
  slice->top = (int) fmax (0, slice->heart.centre[1] - reach);
  slice->right = (int) fmin (s->width - 1, slice->heart.centre[0] + reach);
  slice->bottom = (int) fmin (s->height - 1, slice->heart.centre[1] + reach);
}

bool
slice_prepare (CmrPhantom *phantom, Slice *slice)
{
  if (slice->still)
    return true;
  const CmrSettings *s = &phantom->settings;
  size_t pixels = (size_t) s->width * s->height;
  slice->patch_rows = (int) (slice->heart.reach / patch_step_mm) + 3;
  slice->patch = malloc (sizeof (float) * slice->patch_rows * PATCH_ANGLES);
  slice->gain = malloc (sizeof (float) * pixels);
  slice->still = malloc (sizeof (float) * pixels);
  if (!slice->patch || !slice->gain || !slice->still) {
    slice_forget (slice);
    return false;
  }
  tissue_init (&slice->tissue, &slice->heart, s);
  draw_patch (slice, s);
  draw_still (slice, s);
  box_of_heart (slice, s);
  return true;
}

void
slice_forget (Slice *slice)
{
  free (slice->patch);
  free (slice->gain);
  free (slice->still);
  slice->patch = slice->gain = slice->still = NULL;
}

static float
patch_at (const Slice *slice, double radius, double angle)
{
  double turns = angle * (1 / (2 * M_PI)) + 16;
  double x = (turns - (int) turns) * PATCH_ANGLES;
  double y = radius * (1 / patch_step_mm);
  int i = (int) x & (PATCH_ANGLES - 1), j = (int) y;
  if (j > slice->patch_rows - 2)
    j = slice->patch_rows - 2;
  float fx = x - (int) x, fy = y - j;
  int next = (i + 1) & (PATCH_ANGLES - 1);
  const float *row = slice->patch + (size_t) j * PATCH_ANGLES;
  float top = row[i] + (row[next] - row[i]) * fx;
  row += PATCH_ANGLES;
  float bottom = row[i] + (row[next] - row[i]) * fx;
  return top + (bottom - top) * fy;
}

static void
draw_heart (const Slice *slice, const CmrSettings *s, const Moment *moment,
    float *signal)
{
  double origin[2] = { slice->left, slice->top }, right[2], down[2], start[2];
  heart_to_patient (&slice->heart, origin, start);
  origin[0] += 1;
  heart_to_patient (&slice->heart, origin, right);
  origin[0] -= 1;
  origin[1] += 1;
  heart_to_patient (&slice->heart, origin, down);
  for (int y = slice->top; y <= slice->bottom; y++)
    for (int x = slice->left; x <= slice->right; x++) {
      double mm[2], radius, angle;
      for (int k = 0; k < 2; k++)
        mm[k] = start[k] + (x - slice->left) * (right[k] - start[k])
                + (y - slice->top) * (down[k] - start[k]);
      if (heart_unmove (&slice->heart, moment, mm, &radius, &angle))
        signal[(size_t) y * s->width + x] = patch_at (slice, radius, angle);
    }
}

/* Magnitude of a complex signal with noise in both channels. */
static void
record (const CmrPhantom *phantom, const Slice *slice, uint64_t stream,
    const float *signal, uint16_t *grey, ptrdiff_t stride)
{
  const CmrSettings *s = &phantom->settings;
  Chance chance = chance_new (s->seed, stream);
  float sd = s->noise * s->gain;
  for (int y = 0; y < s->height; y++) {
    uint16_t *out = (uint16_t *) ((uint8_t *) grey + y * stride);
    size_t at = (size_t) y * s->width;
    for (int x = 0; x < s->width; x++, at++) {
      if (slice->gain[at] <= 0) {
        out[x] = 0;
        continue;
      }
      uint64_t bits = chance_next (&chance);
      float real = signal[at] * slice->gain[at]
                   + sd * phantom->normal[bits & (NORMALS - 1)];
      float imaginary = sd * phantom->normal[bits >> 32 & (NORMALS - 1)];
      float value = sqrtf (real * real + imaginary * imaginary) + 0.5f;
      out[x] = value < 65535 ? (uint16_t) value : 65535;
    }
  }
}

bool
cmr_phantom_render (CmrPhantom *phantom, int number, int phase, uint16_t *grey,
    ptrdiff_t stride)
{
  const CmrSettings *s = &phantom->settings;
  Slice *slice = &phantom->slice[number];
  if (!slice_prepare (phantom, slice))
    return false;
  size_t pixels = (size_t) s->width * s->height;
  for (size_t i = 0; i < pixels; i++)
    phantom->signal[i] = slice->still[i];
  Moment moment;
  heart_moment (&slice->heart, (double) phase / s->phases, &moment);
  draw_heart (slice, s, &moment, phantom->signal);
  record (phantom, slice, 1000 + number * CMR_MAX_PHASES + phase,
      phantom->signal, grey, stride);
  return true;
}

bool
cmr_phantom_render_levels (CmrPhantom *phantom, uint16_t *grey)
{
  const CmrSettings *s = &phantom->settings;
  ptrdiff_t stride = s->width * (ptrdiff_t) sizeof *grey;
  for (int level = 0; level < CMR_LEVELS; level++)
    for (int phase = 0; phase < s->phases; phase++) {
      if (!cmr_phantom_render (phantom,
              cmr_phantom_level_slice (phantom, level), phase, grey, stride))
        return false;
      grey += (size_t) s->width * s->height;
    }
  return true;
}

bool
cmr_phantom_render_stack (CmrPhantom *phantom, uint16_t *grey)
{
  const CmrSettings *s = &phantom->settings;
  ptrdiff_t stride = s->width * (ptrdiff_t) sizeof *grey;
  for (int phase = 0; phase < s->phases; phase++)
    for (int slice = 0; slice < s->slices; slice++) {
      if (!cmr_phantom_render (phantom, slice, phase, grey, stride))
        return false;
      grey += (size_t) s->width * s->height;
    }
  return true;
}
