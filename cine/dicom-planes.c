/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* From single pictures to parallel slices: a directory may also hold long-axis
 * cines, localisers and slices that were measured again. */

#include "dicom-scan.h"
#include "stack.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const double same_place_mm = 1;
static const double parallel = 0.9998; /* cosine of 1 degree */
enum { MIN_COMPLETE = 8 };             /* phases of a measurement of its own */

static void
get_normal (const CineFrame *frame, double normal[3])
{
  cine_cross (frame->row, frame->column, normal);
}

static bool
are_parallel (const CineScan *scan, const CineFrame *a, const CineFrame *b)
{
  const CineDicomFile *fa = &scan->files[a->file], *fb = &scan->files[b->file];

  return fa->rows == fb->rows && fa->columns == fb->columns
         && cine_dot (a->row, b->row) > parallel
         && cine_dot (a->column, b->column) > parallel
         && fabs (a->spacing_mm[0] - b->spacing_mm[0]) < 0.01
         && fabs (a->spacing_mm[1] - b->spacing_mm[1]) < 0.01;
}

typedef struct Sortable {
  double key;
  CineFrame *frame;
} Sortable;

static int
compare_keys (const void *a, const void *b)
{
  double x = ((const Sortable *) a)->key, y = ((const Sortable *) b)->key;

  return (x > y) - (x < y);
}

static int
compare_objects (const void *a, const void *b)
{
  const CineFrame *x = *(CineFrame *const *) a, *y = *(CineFrame *const *) b;
  int order = strcmp (x->object, y->object);

  return order ? order : (x->index > y->index) - (x->index < y->index);
}

/* By series, the newest first. */
static int
compare_series (const void *a, const void *b)
{
  const CineFrame *x = *(CineFrame *const *) a, *y = *(CineFrame *const *) b;
  int order = (x->series_number < y->series_number)
              - (x->series_number > y->series_number);

  return order ? order : strcmp (y->series, x->series);
}

/* Files that are there twice count once. */
static void
drop_copies (CinePlace *place)
{
  int n = 0;

  qsort (
      place->frames, place->n_frames, sizeof *place->frames, compare_objects);
  for (int i = 0; i < place->n_frames; i++)
    if (i == 0 || !place->frames[i]->object[0]
        || compare_objects (&place->frames[i], &place->frames[n - 1]) != 0)
      place->frames[n++] = place->frames[i];
  place->n_frames = n;
}

/* A slice that was measured again is taken from its last measurement. Series of
 * a few pictures are parts of one. Returns whether something was left out. */
static bool
keep_last_measurement (CinePlace *place)
{
  bool whole = false;
  int first = 0;

  qsort (place->frames, place->n_frames, sizeof *place->frames, compare_series);
  for (int i = 1; i <= place->n_frames; i++) {
    if (i < place->n_frames
        && compare_series (&place->frames[i], &place->frames[first]) == 0)
      continue;
    if (i - first >= MIN_COMPLETE && !whole) {
      if (first == 0 && i == place->n_frames)
        return false;
      memmove (place->frames, place->frames + first,
          (i - first) * sizeof *place->frames);
      place->n_frames = i - first;
      return true;
    }
    first = i;
  }
  return false;
}

static bool
sort_by (CinePlace *place, bool triggers)
{
  Sortable *all = malloc (place->n_frames * sizeof *all);
  bool distinct = all != NULL;

  for (int i = 0; all && i < place->n_frames; i++) {
    CineFrame *frame = place->frames[i];

    all[i].key = triggers ? frame->trigger_ms : frame->instance;
    all[i].frame = frame;
    distinct = distinct && isfinite (all[i].key);
  }
  if (distinct)
    qsort (all, place->n_frames, sizeof *all, compare_keys);
  for (int i = 1; distinct && i < place->n_frames; i++)
    distinct = all[i].key > all[i - 1].key;
  for (int i = 0; distinct && i < place->n_frames; i++)
    place->frames[i] = all[i].frame;
  free (all);
  return distinct;
}

static bool
order_in_time (const CineScan *scan, CinePlace *place, CineError *error)
{
  place->timed = sort_by (place, true);
  if (place->timed || sort_by (place, false))
    return true;
  return cine_fail (error, CINE_STACK_INCOMPLETE,
      "%s: the %d pictures around %s have neither distinct trigger times nor "
      "distinct instance numbers; they cannot be ordered in time",
      scan->location, place->n_frames, scan->paths[place->frames[0]->file]);
}

/* Cuts a list that is ordered along the normal into places. */
static bool
cut (CinePlanes *planes, Sortable *all, int n)
{
  planes->places = calloc (n, sizeof *planes->places);
  planes->frames = malloc (n * sizeof *planes->frames);
  if (!planes->places || !planes->frames)
    return false;
  qsort (all, n, sizeof *all, compare_keys);
  for (int i = 0; i < n; i++) {
    CinePlace *place = &planes->places[planes->n_places - (i > 0)];

    planes->frames[i] = all[i].frame;
    if (i == 0 || all[i].key - place->distance > same_place_mm) {
      place = &planes->places[planes->n_places++];
      place->distance = all[i].key;
      place->frames = &planes->frames[i];
    }
    place->n_frames++;
    if (all[i].frame->announced > place->announced)
      place->announced = all[i].frame->announced;
  }
  for (int i = 0; i < planes->n_places; i++) {
    drop_copies (&planes->places[i]);
    if (keep_last_measurement (&planes->places[i]))
      planes->n_repeated++;
  }
  return true;
}

/* All pictures parallel to the first of them that has no group yet. */
static bool
take_group (const CineScan *scan, bool *taken, int first, CinePlanes *planes)
{
  const CineFrame *model = scan->frames[first];
  Sortable *all = malloc (scan->n_frames * sizeof *all);
  bool fine = all != NULL;
  int n = 0;

  memset (planes, 0, sizeof *planes);
  get_normal (model, planes->normal);
  for (int i = first; fine && i < scan->n_frames; i++)
    if (!taken[i]
        && (i == first || are_parallel (scan, model, scan->frames[i]))) {
      taken[i] = true;
      all[n].frame = scan->frames[i];
      all[n++].key = cine_dot (scan->frames[i]->position_mm, planes->normal);
    }
  fine = fine && cut (planes, all, n);
  free (all);
  return fine;
}

static int
count_frames (const CinePlanes *planes)
{
  int n = 0;

  for (int i = 0; i < planes->n_places; i++)
    n += planes->places[i].n_frames;
  return n;
}

/* Whether these could be a cine stack at all. */
static bool
is_stack (const CinePlanes *planes)
{
  int moving = 0;

  for (int i = 0; i < planes->n_places; i++)
    moving += planes->places[i].n_frames >= CINE_MIN_PHASES;
  return moving >= CINE_MIN_SLICES;
}

bool
cine_find_planes (const CineScan *scan, CinePlanes *planes, CineError *error)
{
  bool *taken = calloc (scan->n_frames, sizeof *taken), fine = taken != NULL;
  int stacks = 0;

  memset (planes, 0, sizeof *planes);
  for (int i = 0; fine && i < scan->n_frames; i++) {
    CinePlanes group;
    bool better;

    if (taken[i])
      continue;
    fine = take_group (scan, taken, i, &group);
    stacks += is_stack (&group);
    better = is_stack (&group) != is_stack (planes)
                 ? is_stack (&group)
                 : count_frames (&group) > count_frames (planes);
    if (better) {
      CinePlanes worse = *planes;

      *planes = group;
      group = worse;
    }
    cine_planes_clear (&group);
  }
  free (taken);
  planes->alone = stacks <= 1;
  if (!fine)
    return cine_fail (
        error, CINE_NO_MEMORY, "%s holds too many pictures", scan->location);
  for (int i = 0; i < planes->n_places; i++)
    if (!order_in_time (scan, &planes->places[i], error))
      return false;
  return true;
}

void
cine_planes_clear (CinePlanes *planes)
{
  free (planes->places);
  free (planes->frames);
  memset (planes, 0, sizeof *planes);
}
