/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "levels.h"
#include "stack.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What is known of the stack while levels are chosen. */
typedef struct Known {
  CineStack *stack;
  const CineLevelOptions *options;
  CineGiven file[CINE_LEVELS];
  CineFinding *labelled, *estimated; ///< [slices], or NULL
} Known;

void
cine_level_options_init (CineLevelOptions *options)
{
  memset (options, 0, sizeof *options);
  options->estimate = true;
  for (int l = 0; l < CINE_LEVELS; l++)
    options->property[l].slice = -1;
}

/* The slice that a person chose, or -1. */
static int
given_slice (const Known *known, int level)
{
  int slice = known->options->property[level].slice;

  return slice >= 0 ? slice : known->file[level].slice;
}

static bool
all_given (const Known *known)
{
  for (int l = 0; l < CINE_LEVELS; l++)
    if (given_slice (known, l) < 0)
      return false;
  return true;
}

static bool
check_given (const Known *known, CineError *error)
{
  for (int l = 0; l < CINE_LEVELS; l++) {
    int slice = given_slice (known, l);

    if (slice >= known->stack->slices)
      return cine_fail (error, CINE_BAD_SETTING,
          "the %s slice is set to %d, but %s has %d slices; expected 0 (most "
          "basal) to %d",
          cine_level_name (l), slice, known->stack->location,
          known->stack->slices, known->stack->slices - 1);
  }
  return true;
}

/* First and last slice with an LV, the whole stack when nothing is known. */
static void
find_extent (const Known *known, int *first, int *last)
{
  const CineFinding *findings =
      known->labelled ? known->labelled : known->estimated;

  *first = 0;
  *last = known->stack->slices - 1;
  if (!findings)
    return;
  while (*first < *last && findings[*first].lv_area_mm2 <= 0)
    ++*first;
  while (*last > *first && findings[*last].lv_area_mm2 <= 0)
    --*last;
  if (*last - *first + 1 < CINE_MIN_SLICES) {
    *first = 0;
    *last = known->stack->slices - 1;
  }
}

/* Ratio of the LV's area in the apical to that in the basal third of its
 * extent, or NaN. */
static double
get_taper (const CineFinding *findings, int first, int last)
{
  int third = (last - first + 1) / 3;
  double basal = 0, apical = 0;

  if (!findings || third < 1)
    return NAN;
  for (int i = 0; i < third; i++) {
    basal += findings[first + i].lv_area_mm2;
    apical += findings[last - i].lv_area_mm2;
  }
  return basal > 0 ? apical / basal : NAN;
}

/* Base and apex must be told apart before slices are chosen by position. */
static bool
check_base (const Known *known, int first, int last, CineError *error)
{
  /* Labels are sharp; what is seen in pictures is believed with a margin. */
  double limit = known->labelled ? 1.2 : 1.5;
  double taper = get_taper (
      known->labelled ? known->labelled : known->estimated, first, last);
  static const char *const todo =
      "set basal-slice, mid-slice and apical-slice by hand";
  bool contradicted = taper > limit;

  if (all_given (known)) {
    if (contradicted || !known->stack->base_known)
      cine_note (known->stack,
          "base and apex cannot be told apart by geometry; the slices given by "
          "hand are believed");
    return true;
  }
  if (!known->stack->has_geometry)
    return cine_fail (error, CINE_LEVEL_UNKNOWN,
        "%s has no orientation (sform and qform are 0), so base and apex "
        "cannot be told apart; %s",
        known->stack->location, todo);
  if (!known->stack->base_known)
    return cine_fail (error, CINE_LEVEL_UNKNOWN,
        "the slices of %s are not short-axis ones by their orientation, so "
        "base and apex cannot be told apart; %s",
        known->stack->location, todo);
  if (contradicted)
    return cine_fail (error, CINE_LEVEL_UNKNOWN,
        "%s: by position slice %d is the base, but the LV is %.1f times larger "
        "at the other end; %s",
        known->stack->location, first, taper, todo);
  return true;
}

/* Thirds of the LV; the last tenth is the apical cap (segment 17), in which
 * there is no cavity to score. */
static int
choose_slice (int level, int first, int last)
{
  int n = last - first + 1;

  if (n >= 6)
    n -= (n + 5) / 10;
  return first + (2 * level + 1) * n / 6;
}

/* From the stored picture to the stack's. */
static void
turn (const CineStack *stack, double point[2])
{
  if (stack->flipped)
    point[1] = stack->height - 1 - point[1];
}

static void
take_points (const CinePoints *from, CineSource source, CineSource used[2],
    CinePoints *to)
{
  if (from->has_centre && !to->has_centre) {
    memcpy (to->lv_centre, from->lv_centre, sizeof to->lv_centre);
    to->has_centre = true;
    used[0] = source;
  }
  if (from->has_insertions && !to->has_insertions) {
    memcpy (to->rv_anterior, from->rv_anterior, sizeof to->rv_anterior);
    memcpy (to->rv_inferior, from->rv_inferior, sizeof to->rv_inferior);
    to->has_insertions = true;
    used[1] = source;
  }
}

static CinePoints
turned (const CineStack *stack, CinePoints points)
{
  turn (stack, points.lv_centre);
  turn (stack, points.rv_anterior);
  turn (stack, points.rv_inferior);
  return points;
}

/* The surest source of each point. */
static void
choose_points (const Known *known, int level, CineChoice *choice)
{
  CineSource used[2] = { CINE_SOURCE_NONE, CINE_SOURCE_NONE };
  CinePoints given =
      turned (known->stack, known->options->property[level].points);

  take_points (&given, CINE_SOURCE_PROPERTY, used, &choice->points);
  if (known->file[level].slice == choice->slice
      || known->file[level].slice < 0) {
    given = turned (known->stack, known->file[level].points);
    take_points (&given, CINE_SOURCE_FILE, used, &choice->points);
  } else if (known->file[level].points.has_centre) {
    cine_note (known->stack,
        "the %s landmarks of %s belong to slice %d and are not used on slice "
        "%d",
        cine_level_name (level), known->options->file, known->file[level].slice,
        choice->slice);
  }
  if (known->labelled)
    take_points (&known->labelled[choice->slice].points,
        CINE_SOURCE_SEGMENTATION, used, &choice->points);
  if (known->estimated && known->options->estimate)
    take_points (&known->estimated[choice->slice].points, CINE_SOURCE_ESTIMATED,
        used, &choice->points);
  choice->source = CINE_SOURCE_NONE;
  if (choice->points.has_centre && choice->points.has_insertions)
    choice->source = used[0] > used[1] ? used[0] : used[1];
}

/* Levels must be three slices from base to apex: what is given by hand may
 * meet what was chosen here. Where a person says everything and the stack does
 * not tell base from apex, it may run either way. */
static bool
check_order (const Known *known, const CineChoice *choices, CineError *error)
{
  int basal = choices[CINE_BASAL].slice, mid = choices[CINE_MID].slice,
      apical = choices[CINE_APICAL].slice;

  if ((basal < mid && mid < apical)
      || (all_given (known) && basal > mid && mid > apical))
    return true;
  return cine_fail (error, CINE_BAD_SETTING,
      "the basal, mid and apical slices of %s are %d, %d and %d; expected "
      "three different ones in the order from base (0) to apex (%d): set "
      "basal-slice, mid-slice and apical-slice, or none of them",
      known->stack->location, basal, mid, apical, known->stack->slices - 1);
}

static bool
check_points (
    const Known *known, int level, const CineChoice *choice, CineError *error)
{
  const double *points[] = { choice->points.lv_centre,
    choice->points.rv_anterior, choice->points.rv_inferior };
  static const char *const names[] = { "LV centre", "anterior RV insertion",
    "inferior RV insertion" };
  const CineStack *stack = known->stack;

  for (int i = 0; i < 3; i++) {
    if (!(i == 0 ? choice->points.has_centre : choice->points.has_insertions))
      continue;
    if (!(points[i][0] >= -0.5 && points[i][1] >= -0.5
            && points[i][0] <= stack->width - 0.5
            && points[i][1] <= stack->height - 0.5))
      return cine_fail (error, CINE_BAD_SETTING,
          "the %s %s lies at (%g, %g), outside the picture of %d x %d pixels",
          cine_level_name (level), names[i], points[i][0], points[i][1],
          stack->width, stack->height);
  }
  return true;
}

static void
note_sources (const Known *known, const CineChoice *choices)
{
  for (int l = 0; l < CINE_LEVELS; l++) {
    if (choices[l].source == CINE_SOURCE_ESTIMATED)
      cine_note (known->stack,
          "landmarks of the %s slice are estimated from the pictures; look at "
          "them before trusting scores",
          cine_level_name (l));
    else if (choices[l].source == CINE_SOURCE_NONE)
      cine_note (known->stack,
          "landmarks of the %s slice are unknown; give them with landmarks= or "
          "%s-landmarks=",
          cine_level_name (l), cine_level_name (l));
  }
}

static bool
choose (Known *known, CineChoice choices[CINE_LEVELS], CineError *error)
{
  int first, last;

  if (!check_given (known, error))
    return false;
  find_extent (known, &first, &last);
  if (!check_base (known, first, last, error))
    return false;
  for (int l = 0; l < CINE_LEVELS; l++) {
    CineChoice *choice = &choices[l];

    memset (choice, 0, sizeof *choice);
    choice->slice = given_slice (known, l);
    if (choice->slice < 0)
      choice->slice = choose_slice (l, first, last);
    choose_points (known, l, choice);
    if (!check_points (known, l, choice, error))
      return false;
  }
  if (!check_order (known, choices, error))
    return false;
  note_sources (known, choices);
  return true;
}

/* Whether pictures must be looked into at all. */
static bool
needs_pictures (const Known *known)
{
  if (!all_given (known))
    return true;
  for (int l = 0; l < CINE_LEVELS; l++) {
    const CinePoints *property = &known->options->property[l].points;
    const CinePoints *file = &known->file[l].points;

    if (!(property->has_centre || file->has_centre)
        || !(property->has_insertions || file->has_insertions))
      return true;
  }
  return false;
}

bool
cine_choose_levels (CineStack *stack, const CineLevelOptions *options,
    CineChoice choices[CINE_LEVELS], CineError *error)
{
  Known known = { stack, options, { { 0 } }, NULL, NULL };
  bool fine = true;

  for (int l = 0; l < CINE_LEVELS; l++)
    known.file[l].slice = -1;
  if (options->file)
    fine = cine_landmarks_read (options->file, known.file, error);
  if (fine && options->segmentation) {
    known.labelled = cine_find_by_labels (
        stack, options->segmentation, options->labels, error);
    fine = known.labelled != NULL;
  }
  if (fine && needs_pictures (&known))
    known.estimated = cine_find_in_pictures (stack);
  fine = fine && choose (&known, choices, error);
  free (known.labelled);
  free (known.estimated);
  return fine;
}
