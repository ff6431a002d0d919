/* SPDX-License-Identifier: LGPL-2.1-or-later */

#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include "cycle.h"

#include <string.h>

#define PICTURE_SIZE (CARDIAC_POLAR_ROWS * CARDIAC_POLAR_COLUMNS)
#define PATIENT_SIZE (CARDIAC_POLAR_ROWS * 512)

/* Pictures of a level beyond a cycle, so that a source which pushes phase by
 * phase to all pads never waits for itself. */
#define SPARE_PICTURES CYCLE_MAX_PHASES

/* Pictures that make a cycle in any case: one too many for a network, so that
 * it is not taken for a whole one. */
#define MOST_PICTURES (CYCLE_MAX_PHASES + 1)

static const gchar *level_names[CYCLE_LEVELS] = { "basal", "mid", "apical" };

typedef struct {
  gboolean present, ended;
  GQueue pictures; /* CyclePicture */
} Level;

struct _CycleCollector {
  guint phases;
  Level level[CYCLE_LEVELS];
};

/* ---- collecting -------------------------------------------------------- */

CycleCollector *
cycle_collector_new (guint phases)
{
  CycleCollector *self = g_new0 (CycleCollector, 1);

  self->phases = phases;
  for (guint i = 0; i < CYCLE_LEVELS; i++)
    g_queue_init (&self->level[i].pictures);
  return self;
}

void
cycle_collector_free (CycleCollector *self)
{
  if (!self)
    return;
  for (guint i = 0; i < CYCLE_LEVELS; i++)
    g_queue_clear_full (&self->level[i].pictures, g_free);
  g_free (self);
}

void
cycle_collector_set_present (
    CycleCollector *self, guint level, gboolean present)
{
  self->level[level].present = present;
  cycle_collector_clear (self, level);
}

void
cycle_collector_clear (CycleCollector *self, guint level)
{
  g_queue_clear_full (&self->level[level].pictures, g_free);
  self->level[level].ended = FALSE;
}

void
cycle_collector_add (CycleCollector *self, guint level, CyclePicture *picture)
{
  g_queue_push_tail (&self->level[level].pictures, picture);
}

void
cycle_collector_end (CycleCollector *self, guint level)
{
  self->level[level].ended = TRUE;
}

gboolean
cycle_collector_is_ended (CycleCollector *self)
{
  for (guint i = 0; i < CYCLE_LEVELS; i++)
    if (self->level[i].present && !self->level[i].ended)
      return FALSE;
  return TRUE;
}

/* Whether a picture begins a cycle anew. */
static gboolean
begins_cycle (const CyclePicture *picture, const CyclePicture *before)
{
  return picture->has_slice && before->has_slice
         && (picture->loop != before->loop || picture->phase <= before->phase);
}

/* Whether these are all pictures of a cycle, or as many as are kept of one:
 * video cannot wait for the rest. */
static gboolean
ends_cycle (const CyclePicture *picture, guint count, guint phases)
{
  if (!picture->has_slice)
    return count == phases;
  return (phases > 0 && picture->phase + 1 == phases) || count == MOST_PICTURES;
}

/* The number of pictures of a level's first cycle, or -1 when its end is not
 * known yet. */
static gint
find_end (CycleCollector *self, Level *level)
{
  CyclePicture *before = NULL;
  gint count = 0;

  if (!level->present)
    return 0;
  for (GList *item = level->pictures.head; item; item = item->next) {
    CyclePicture *picture = item->data;
    guint phases = picture->has_slice ? picture->phases : self->phases;

    if (before && begins_cycle (picture, before))
      return count;
    count++;
    before = picture;
    if (ends_cycle (picture, count, phases))
      return count;
  }
  return level->ended ? count : -1;
}

gboolean
cycle_collector_is_full (CycleCollector *self, guint i)
{
  Level *level = &self->level[i];
  gint count = find_end (self, level);

  return count >= 0
         && g_queue_get_length (&level->pictures)
                >= (guint) count + SPARE_PICTURES;
}

gboolean
cycle_collector_is_endless (CycleCollector *self, guint i)
{
  Level *level = &self->level[i];

  return find_end (self, level) < 0
         && g_queue_get_length (&level->pictures) >= CYCLE_MAX_PHASES;
}

gboolean
cycle_collector_is_ready (CycleCollector *self)
{
  gboolean any = FALSE;

  for (guint i = 0; i < CYCLE_LEVELS; i++) {
    gint count = find_end (self, &self->level[i]);

    if (count < 0)
      return FALSE;
    any |= count > 0;
  }
  return any;
}

/* ---- what may be scored ------------------------------------------------ */

static void
say (Cycle *cycle, GstCardiacState state, gchar *reason)
{
  cycle->state = state;
  cycle->reason = reason;
}

static gchar *
list_missing (const Cycle *cycle)
{
  GString *names = g_string_new (NULL);

  for (guint i = 0; i < CYCLE_LEVELS; i++)
    if (cycle->count[i] == 0)
      g_string_append_printf (
          names, "%s%s", names->len ? ", " : "", level_names[i]);
  return g_string_free (names, FALSE);
}

/* Nothing is said of where a slice lies, or it lies elsewhere. */
static gboolean
check_levels (Cycle *cycle)
{
  for (guint i = 0; i < CYCLE_LEVELS; i++) {
    for (guint t = 0; t < cycle->count[i]; t++) {
      const CyclePicture *picture = cycle->pictures[i][t];

      if (!picture->has_slice)
        continue;
      if (!picture->has_landmarks) {
        say (cycle, GST_CARDIAC_STATE_LEVEL_UNKNOWN,
            g_strdup_printf ("The %s slice has no landmarks.", level_names[i]));
        return FALSE;
      }
      if ((guint) picture->level != i
          && (guint) picture->level < CYCLE_LEVELS) {
        say (cycle, GST_CARDIAC_STATE_LEVEL_UNKNOWN,
            g_strdup_printf ("The pad of the %s slice gets a slice that says "
                             "it is %s.",
                level_names[i], level_names[picture->level]));
        return FALSE;
      }
    }
  }
  return TRUE;
}

static gboolean
is_constant (const Cycle *cycle, guint level)
{
  for (guint t = 1; t < cycle->count[level]; t++)
    if (memcmp (cycle->pictures[level][0]->grey,
            cycle->pictures[level][t]->grey, PICTURE_SIZE)
        != 0)
      return FALSE;
  return TRUE;
}

/* A slice that stands still has no motion to score. */
static gboolean
check_motion (Cycle *cycle)
{
  for (guint i = 0; i < CYCLE_LEVELS; i++) {
    if (cycle->count[i] > 1 && is_constant (cycle, i)) {
      say (cycle, GST_CARDIAC_STATE_FROZEN,
          g_strdup_printf (
              "All phases of the %s slice are the same.", level_names[i]));
      return FALSE;
    }
  }
  return TRUE;
}

static gboolean
check_counts (Cycle *cycle)
{
  const guint *count = cycle->count;
  guint whole = MAX (cycle->declared, count[0]);

  if (count[0] != count[1] || count[0] != count[2]) {
    say (cycle, GST_CARDIAC_STATE_PHASES_DIFFER,
        g_strdup_printf ("The basal, mid and apical slices have %u, %u and %u "
                         "phases.",
            count[0], count[1], count[2]));
    return FALSE;
  }
  if (cycle->partial && cycle->declared <= CYCLE_MAX_PHASES) {
    say (cycle, GST_CARDIAC_STATE_TOO_SHORT,
        g_strdup_printf (
            "%u of the cycle's %u phases came in.", count[0], cycle->declared));
    return FALSE;
  }
  if (whole < CYCLE_MIN_PHASES || whole > CYCLE_MAX_PHASES) {
    say (cycle,
        whole < CYCLE_MIN_PHASES ? GST_CARDIAC_STATE_TOO_SHORT
                                 : GST_CARDIAC_STATE_MODEL_ERROR,
        g_strdup_printf ("The cycle has %u phases; the network takes %u to %u.",
            whole, CYCLE_MIN_PHASES, CYCLE_MAX_PHASES));
    return FALSE;
  }
  return TRUE;
}

static void
judge (Cycle *cycle)
{
  for (guint i = 0; i < CYCLE_LEVELS; i++) {
    if (cycle->count[i] == 0) {
      gchar *missing = list_missing (cycle);

      say (cycle, GST_CARDIAC_STATE_STACK_INCOMPLETE,
          g_strdup_printf ("Slices are missing: %s.", missing));
      g_free (missing);
      return;
    }
  }
  if (check_levels (cycle) && check_counts (cycle) && check_motion (cycle))
    say (cycle, GST_CARDIAC_STATE_RESULT, NULL);
}

/* ---- cycles ------------------------------------------------------------ */

static void
take_level (CycleCollector *self, Cycle *cycle, guint i)
{
  Level *level = &self->level[i];
  gint count = MAX (find_end (self, level), 0);

  cycle->count[i] = count;
  cycle->pictures[i] = g_new0 (CyclePicture *, count + 1);
  for (gint t = 0; t < count; t++) {
    CyclePicture *picture = g_queue_pop_head (&level->pictures);
    guint phases = picture->has_slice ? picture->phases : self->phases;

    cycle->pictures[i][t] = picture;
    cycle->declared = MAX (cycle->declared, phases);
  }
}

/* A level that lacks phases makes them differ; that all lack the same ones at
 * the begin or end of a stream is another thing. */
static void
find_partial (Cycle *cycle)
{
  cycle->partial = cycle->count[0] < cycle->declared
                   && cycle->count[0] == cycle->count[1]
                   && cycle->count[0] == cycle->count[2];
}

static void
find_times (Cycle *cycle)
{
  cycle->first = cycle->last = cycle->end = GST_CLOCK_TIME_NONE;
  for (guint i = 0; i < CYCLE_LEVELS; i++) {
    CyclePicture *last;

    if (cycle->count[i] == 0)
      continue;
    last = cycle->pictures[i][cycle->count[i] - 1];
    if (!GST_CLOCK_TIME_IS_VALID (cycle->first))
      cycle->first = cycle->pictures[i][0]->time;
    if (GST_CLOCK_TIME_IS_VALID (last->time)
        && (!GST_CLOCK_TIME_IS_VALID (cycle->last) || last->time > cycle->last))
      cycle->last = last->time;
    if (GST_CLOCK_TIME_IS_VALID (last->end)
        && (!GST_CLOCK_TIME_IS_VALID (cycle->end) || last->end > cycle->end))
      cycle->end = last->end;
  }
}

Cycle *
cycle_collector_take (CycleCollector *self)
{
  Cycle *cycle = g_new0 (Cycle, 1);

  for (guint i = 0; i < CYCLE_LEVELS; i++)
    take_level (self, cycle, i);
  find_partial (cycle);
  find_times (cycle);
  judge (cycle);
  return cycle;
}

void
cycle_free (Cycle *cycle)
{
  if (!cycle)
    return;
  for (guint i = 0; i < CYCLE_LEVELS; i++) {
    for (guint t = 0; t < cycle->count[i]; t++)
      g_free (cycle->pictures[i][t]);
    g_free (cycle->pictures[i]);
  }
  g_free (cycle->reason);
  g_free (cycle);
}

guint
cycle_phases (const Cycle *cycle)
{
  return cycle->count[0];
}

gfloat *
cycle_get_patient (const Cycle *cycle)
{
  gfloat *polar = g_new (gfloat, (gsize) cycle->count[0] * PATIENT_SIZE);

  for (guint t = 0; t < cycle->count[0]; t++)
    cardiac_polar_segments (cycle->pictures[GST_CARDIAC_LEVEL_BASAL][t]->grey,
        cycle->pictures[GST_CARDIAC_LEVEL_MID][t]->grey,
        cycle->pictures[GST_CARDIAC_LEVEL_APICAL][t]->grey,
        polar + (gsize) t * PATIENT_SIZE);
  return polar;
}
