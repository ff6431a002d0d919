/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nets/nms.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>

static const float SCORE_ABOVE = 0.25f;
static const float IOU_ABOVE = 0.7f;

typedef struct Candidate {
  CardiacDetection box;
  int cell;
} Candidate;

/* Best first, equal scores in the order of cells. */
static int
by_score (const void *a, const void *b)
{
  const Candidate *x = a, *y = b;
  if (x->box.score != y->box.score)
    return x->box.score < y->box.score ? 1 : -1;
  return x->cell - y->cell;
}

static float
area (const CardiacDetection *d)
{
  return (d->x2 - d->x1) * (d->y2 - d->y1);
}

static bool
overlaps (const CardiacDetection *a, const CardiacDetection *b)
{
  float w = fminf (a->x2, b->x2) - fmaxf (a->x1, b->x1);
  float h = fminf (a->y2, b->y2) - fmaxf (a->y1, b->y1);
  if (w <= 0 || h <= 0)
    return false;
  float both = w * h;
  return both / (area (a) + area (b) - both) > IOU_ABOVE;
}

static Candidate
candidate_at (const float *raw, int classes, int cells, int i)
{
  Candidate it = { .cell = i };
  for (int c = 0; c < classes; c++) {
    float score = raw[(size_t) (4 + c) * cells + i];
    if (c == 0 || score > it.box.score) {
      it.box.score = score;
      it.box.class_index = c;
    }
  }
  float cx = raw[i], cy = raw[(size_t) cells + i];
  float w = raw[(size_t) 2 * cells + i], h = raw[(size_t) 3 * cells + i];
  it.box.x1 = cx - w / 2;
  it.box.y1 = cy - h / 2;
  it.box.x2 = cx + w / 2;
  it.box.y2 = cy + h / 2;
  return it;
}

int
cardiac_nms (const float *raw, int classes, int cells,
    CardiacDetection *detections, int most)
{
  Candidate *candidates = malloc (sizeof *candidates * cells);
  if (!candidates)
    return -1;
  int count = 0;
  for (int i = 0; i < cells; i++) {
    Candidate it = candidate_at (raw, classes, cells, i);
    if (it.box.score > SCORE_ABOVE)
      candidates[count++] = it;
  }
  qsort (candidates, count, sizeof *candidates, by_score);

  int kept = 0;
  for (int i = 0; i < count && kept < most; i++) {
    bool suppressed = false;
    for (int j = 0; j < kept && !suppressed; j++)
      suppressed = detections[j].class_index == candidates[i].box.class_index
                   && overlaps (&detections[j], &candidates[i].box);
    if (!suppressed)
      detections[kept++] = candidates[i].box;
  }
  free (candidates);
  return kept;
}
