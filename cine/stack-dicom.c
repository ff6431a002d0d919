/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "dicom-scan.h"
#include "stack.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The number of phases that most slices have. */
static int
usual_phases (const CinePlanes *planes)
{
  int best = 0, most = 0;

  for (int i = 0; i < planes->n_places; i++) {
    int same = 0;

    for (int j = 0; j < planes->n_places; j++)
      same += planes->places[j].n_frames == planes->places[i].n_frames;
    if (same > most) {
      most = same;
      best = planes->places[i].n_frames;
    }
  }
  return best;
}

/* Where the widest gap of a slice's trigger times is, as ", none between 379
 * and 471 ms", or nothing. */
static void
describe_gap (const CinePlace *place, char *text, size_t size)
{
  double widest = 0, mean;
  int at = 0;

  text[0] = '\0';
  if (!place->timed || place->n_frames < 3)
    return;
  for (int i = 0; i + 1 < place->n_frames; i++) {
    double gap =
        place->frames[i + 1]->trigger_ms - place->frames[i]->trigger_ms;

    if (gap > widest) {
      widest = gap;
      at = i;
    }
  }
  mean = (place->frames[place->n_frames - 1]->trigger_ms
             - place->frames[0]->trigger_ms)
         / (place->n_frames - 1);
  if (widest > 1.5 * mean)
    snprintf (text, size, ", none between %.0f and %.0f ms",
        place->frames[at]->trigger_ms, place->frames[at + 1]->trigger_ms);
}

static bool
fail_phases (const CineScan *scan, const CinePlanes *planes, int expected,
    bool differ, CineError *error)
{
  for (int i = 0; i < planes->n_places; i++) {
    const CinePlace *place = &planes->places[i];
    char gap[96];

    if (place->n_frames == expected)
      continue;
    describe_gap (place, gap, sizeof gap);
    return cine_fail (error,
        differ ? CINE_PHASES_DIFFER : CINE_STACK_INCOMPLETE,
        "%s: the slice at %.1f mm (%s) has %d phases%s; %s %d; add what is "
        "missing or take out what is too much",
        scan->location, place->distance, scan->paths[place->frames[0]->file],
        place->n_frames, gap,
        differ ? "most slices have" : "its files announce", expected);
  }
  return true;
}

static bool
check_phases (const CineScan *scan, const CinePlanes *planes, CineError *error)
{
  int usual = usual_phases (planes), announced = 0;

  for (int i = 0; i < planes->n_places; i++)
    if (planes->places[i].announced > announced)
      announced = planes->places[i].announced;
  if (usual < CINE_MIN_PHASES && announced <= usual)
    return cine_fail (error, CINE_STACK_INCOMPLETE,
        "%s has no time axis: each of its %d slices is there once; expected a "
        "cine with the phases of a cycle",
        scan->location, planes->n_places);
  if (!fail_phases (scan, planes, usual, true, error))
    return false;
  if (usual < announced)
    return fail_phases (scan, planes, announced, false, error);
  return true;
}

static bool
check (const CineScan *scan, const CinePlanes *planes, bool reverse,
    CineError *error)
{
  double distances[1024];
  char gap[96];

  if (planes->n_places < CINE_MIN_SLICES) {
    const CinePlace *place = &planes->places[0];
    char announced[64] = "";

    describe_gap (place, gap, sizeof gap);
    if (place->announced > place->n_frames)
      snprintf (announced, sizeof announced, " of the %d that are announced",
          place->announced);
    return cine_fail (error, CINE_STACK_INCOMPLETE,
        "%s has %d slice%s of %d phase%s%s%s; expected %d parallel slices or "
        "more, from base to apex, each over the whole cycle",
        scan->location, planes->n_places, planes->n_places == 1 ? "" : "s",
        place->n_frames, place->n_frames == 1 ? "" : "s", announced, gap,
        CINE_MIN_SLICES);
  }
  if (planes->n_places > (int) (sizeof distances / sizeof *distances))
    return cine_fail (error, CINE_UNSUPPORTED,
        "%s has %d slices; at most %zu are read", scan->location,
        planes->n_places, sizeof distances / sizeof *distances);
  for (int i = 0; i < planes->n_places; i++)
    distances[i] = reverse ? -planes->places[planes->n_places - 1 - i].distance
                           : planes->places[i].distance;
  return check_phases (scan, planes, error)
         && cine_check_gaps (
             scan->location, distances, planes->n_places, error);
}

static double
get_cycle (const CineFrame *frame)
{
  if (frame->interval_ms > 200 && frame->interval_ms < 4000)
    return frame->interval_ms;
  if (frame->rate_bpm > 15 && frame->rate_bpm < 300)
    return 60000 / frame->rate_bpm;
  return NAN;
}

static void
fill_header (CineStack *stack, const CineScan *scan, const CinePlanes *planes,
    bool reverse)
{
  const CineFrame *first = planes->places[0].frames[0];
  const CineDicomFile *file = &scan->files[first->file];
  int n = stack->slices;

  stack->format = "DICOM";
  stack->has_geometry = true;
  stack->base_known =
      fabs (cine_towards_base (planes->normal)) >= CINE_BASE_CLEAR;
  memcpy (stack->manufacturer, file->manufacturer, sizeof stack->manufacturer);
  memcpy (stack->model, file->model, sizeof stack->model);
  memcpy (stack->spacing_mm, first->spacing_mm, sizeof stack->spacing_mm);
  memcpy (stack->row, first->row, sizeof stack->row);
  memcpy (stack->column, first->column, sizeof stack->column);
  stack->gap_mm =
      (planes->places[n - 1].distance - planes->places[0].distance) / (n - 1);
  for (int s = 0; s < n; s++) {
    const CinePlace *place = &planes->places[reverse ? n - 1 - s : s];
    CineSlice *slice = &stack->slice[s];

    memcpy (slice->position_mm, place->frames[0]->position_mm,
        sizeof slice->position_mm);
    slice->cycle_ms = get_cycle (place->frames[0]);
    for (int p = 0; place->timed && p < stack->phases; p++)
      slice->trigger_ms[p] = place->frames[p]->trigger_ms;
  }
}

/* Places that want a picture of one file. */
typedef struct Wish {
  int file, index;
  uint16_t *pixels;
} Wish;

static int
compare_wishes (const void *a, const void *b)
{
  const Wish *x = a, *y = b;

  return x->file != y->file ? x->file - y->file : x->index - y->index;
}

static void
list_wishes (
    CineStack *stack, const CinePlanes *planes, bool reverse, Wish *wishes)
{
  size_t area = (size_t) stack->width * stack->height;

  for (int s = 0; s < stack->slices; s++) {
    const CinePlace *place =
        &planes->places[reverse ? stack->slices - 1 - s : s];

    for (int p = 0; p < stack->phases; p++) {
      wishes->file = place->frames[p]->file;
      wishes->index = place->frames[p]->index;
      wishes->pixels = stack->slice[s].pixels + p * area;
      wishes++;
    }
  }
  qsort (wishes - (size_t) stack->slices * stack->phases,
      (size_t) stack->slices * stack->phases, sizeof *wishes, compare_wishes);
}

/* Decodes each file once. */
static bool
grant (const CineScan *scan, const Wish *wishes, size_t n, size_t area,
    CineError *error)
{
  uint16_t *pixels = NULL;
  bool fine = true;
  int file = -1;

  for (size_t i = 0; fine && i < n; i++) {
    if (wishes[i].file != file) {
      const CineDicomFile *f = &scan->files[file = wishes[i].file];
      char why[CINE_WHY] = "out of memory";

      free (pixels);
      pixels = NULL;
      fine = cine_check_size (
          scan->paths[file], f->n_frames, f->columns, f->rows, error);
      if (!fine)
        break;
      pixels = malloc (area * f->n_frames * sizeof *pixels);
      fine = pixels && scan->reader->load (scan->paths[file], f, pixels, why);
      if (!fine) {
        cine_fail (error, CINE_UNREADABLE, "%s cannot be shown: %s",
            scan->paths[file], why);
        break;
      }
    }
    memcpy (wishes[i].pixels, pixels + area * wishes[i].index,
        area * sizeof *pixels);
  }
  free (pixels);
  return fine;
}

static bool
load_pixels (CineStack *stack, const CineScan *scan, const CinePlanes *planes,
    bool reverse, CineError *error)
{
  size_t n = (size_t) stack->slices * stack->phases;
  Wish *wishes = malloc (n * sizeof *wishes);
  bool fine;

  if (!wishes)
    return cine_fail (
        error, CINE_NO_MEMORY, "out of memory for %zu pictures", n);
  list_wishes (stack, planes, reverse, wishes);
  fine = grant (scan, wishes, n, (size_t) stack->width * stack->height, error);
  free (wishes);
  return fine;
}

static void
add_notes (CineStack *stack, const CineScan *scan, const CinePlanes *planes)
{
  if (!planes->alone)
    cine_note (stack,
        "%s holds several cine stacks; the one with most pictures is shown",
        scan->location);
  if (planes->n_repeated > 0)
    cine_note (stack,
        "%d slices were measured more than once; their last series is shown",
        planes->n_repeated);
  for (int i = 0; i < planes->n_places; i++)
    if (!planes->places[i].timed) {
      cine_note (stack,
          "trigger times are missing or not distinct: phases are ordered by "
          "instance number");
      break;
    }
}

static CineStack *
make_stack (const CineScan *scan, const CinePlanes *planes, CineError *error)
{
  /* Places ascend along the normal; slice 0 is the base. */
  bool reverse = cine_towards_base (planes->normal) > 0;
  const CineDicomFile *file;
  CineStack *stack;

  if (!check (scan, planes, reverse, error))
    return NULL;
  file = &scan->files[planes->places[0].frames[0]->file];
  if (!cine_check_size (scan->location,
          planes->n_places * planes->places[0].n_frames, file->columns,
          file->rows, error))
    return NULL;
  stack = cine_stack_new (file->columns, file->rows, planes->n_places,
      planes->places[0].n_frames, error);
  if (!stack)
    return NULL;
  fill_header (stack, scan, planes, reverse);
  add_notes (stack, scan, planes);
  if (!load_pixels (stack, scan, planes, reverse, error))
    cine_stack_free (&stack);
  return stack;
}

CineStack *
cine_stack_load_dicom (const char *location, CineError *error)
{
  CinePlanes planes = { { 0, 0, 0 }, NULL, NULL, 0, 0, true };
  CineStack *stack = NULL;
  CineScan scan;

  if (cine_scan (&scan, location, error)
      && cine_find_planes (&scan, &planes, error))
    stack = make_stack (&scan, &planes, error);
  cine_planes_clear (&planes);
  cine_scan_clear (&scan);
  return stack;
}
