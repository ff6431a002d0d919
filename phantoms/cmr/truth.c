/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "phantom.h"

#include <math.h>

static double
segment_mean (int segment, const float table[RING + 1])
{
  double begin, end, sum = 0;
  heart_segment_range (segment, &begin, &end);
  enum { STEPS = 180 };
  for (int i = 0; i < STEPS; i++)
    sum += ring_at (table, begin + (i + 0.5) / STEPS * (end - begin));
  return sum / STEPS;
}

void
cmr_phantom_truth (const CmrPhantom *phantom, CmrTruth *truth)
{
  const CmrSettings *s = &phantom->settings;
  double sum = 0;
  for (int level = 0; level < CMR_LEVELS; level++) {
    float excursion[RING + 1], thickening[RING + 1];
    heart_level_motion (s, s->excursion, level, excursion);
    heart_level_motion (s, s->thickening, level, thickening);
    for (int k = level * 6; k < (level < 2 ? level * 6 + 6 : 16); k++) {
      truth->score[k] = s->score[k];
      truth->excursion[k] = segment_mean (k, excursion);
      truth->thickening[k] = segment_mean (k, thickening);
      sum += s->score[k];
    }
  }
  truth->index = sum / CMR_SEGMENTS;
}

/* A point of the epicardium at end-diastole, px. */
static void
epicardium_at (const Heart *heart, double angle, double px[2])
{
  double radius = ring_at (heart->still[EPICARDIUM], angle);
  double mm[2] = { radius * cos (heart->insertion - angle),
    radius * sin (heart->insertion - angle) };
  heart_from_patient (heart, mm, px);
}

void
cmr_phantom_slice_truth (
    const CmrPhantom *phantom, int slice, CmrSliceTruth *truth)
{
  const Heart *heart = &phantom->slice[slice].heart;
  truth->level = -1;
  for (int level = 0; level < CMR_LEVELS; level++)
    if (heart_level_slice (&phantom->settings, level) == slice)
      truth->level = level;
  truth->depth = heart->depth;
  truth->lv_centre[0] = heart->centre[0];
  truth->lv_centre[1] = heart->centre[1];
  epicardium_at (heart, 0, truth->rv_anterior);
  epicardium_at (heart, heart->septum, truth->rv_inferior);
}

void
cmr_phantom_displace (const CmrPhantom *phantom, int slice, int from, int to,
    size_t count, const double *points, double *moved, uint8_t *tissue)
{
  const Heart *heart = &phantom->slice[slice].heart;
  int phases = phantom->settings.phases;
  Moment before, after;
  heart_moment (heart, (double) from / phases, &before);
  heart_moment (heart, (double) to / phases, &after);
  for (size_t i = 0; i < count; i++) {
    const double *px = points + 2 * i;
    double mm[2], radius, angle;
    heart_to_patient (heart, px, mm);
    bool moves = heart_unmove (heart, &before, mm, &radius, &angle);
    if (tissue)
      tissue[i] =
          moves ? heart_tissue (heart, radius, angle) : CMR_SURROUNDINGS;
    if (moves) {
      heart_move (heart, &after, radius, angle, mm);
      heart_from_patient (heart, mm, moved + 2 * i);
    } else {
      moved[2 * i] = px[0];
      moved[2 * i + 1] = px[1];
    }
  }
}
