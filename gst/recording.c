/* SPDX-License-Identifier: LGPL-2.1-or-later */

#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include "recording.h"

#include "clipsampler.h"

typedef struct {
  Picture *picture;
  gboolean gap; /* between it and the one before */
} Entry;

struct _Recording {
  guint frames;
  GstClockTime duration;
  gsize budget;
  GArray *entries; /* Entry, ascending time */
  gsize size;
  GstClockTime begin, end;
  guint thinning; /* one of so many clip lengths is kept; 1: all */
};

static void
clear_entry (gpointer data)
{
  picture_unref (((Entry *) data)->picture);
}

Recording *
recording_new (guint frames, GstClockTime duration, gsize budget)
{
  Recording *self = g_new0 (Recording, 1);

  self->frames = frames;
  self->duration = duration;
  self->budget = budget;
  self->entries = g_array_new (FALSE, FALSE, sizeof (Entry));
  g_array_set_clear_func (self->entries, clear_entry);
  recording_clear (self);
  return self;
}

void
recording_free (Recording *self)
{
  if (!self)
    return;
  g_array_unref (self->entries);
  g_free (self);
}

void
recording_clear (Recording *self)
{
  g_array_set_size (self->entries, 0);
  self->size = 0;
  self->begin = self->end = GST_CLOCK_TIME_NONE;
  self->thinning = 1;
}

static Entry *
get_entry (Recording *self, guint i)
{
  return &g_array_index (self->entries, Entry, i);
}

/* Length of a clip and of what may be around it: one that grew and the
 * half-step at either end. */
static GstClockTime
get_margin (Recording *self)
{
  return self->duration + self->duration / 2;
}

static gboolean
is_needed (Recording *self, GstClockTime time)
{
  GstClockTime from_start = time - self->begin;
  GstClockTime length = self->end - self->begin;
  GstClockTime margin = get_margin (self);

  if (from_start < margin || time + margin >= self->end)
    return TRUE; /* the first and the last clip */
  if (2 * from_start + margin < length)
    return FALSE; /* before any middle clip */
  return from_start / margin % self->thinning == 0;
}

/* Drops what no clip can use any more. */
static void
prune (Recording *self)
{
  gsize bytes = 0;
  gboolean gap = FALSE;
  guint kept = 0;

  for (guint i = 0; i < self->entries->len; i++) {
    Entry entry = *get_entry (self, i);

    if (!is_needed (self, entry.picture->time)) {
      picture_unref (entry.picture);
      gap = TRUE;
      continue;
    }
    entry.gap |= gap;
    gap = FALSE;
    bytes += picture_size (entry.picture->side);
    *get_entry (self, kept++) = entry;
  }
  /* The tail was moved or released above. */
  self->entries->len = kept;
  self->size = bytes;
}

void
recording_extend (Recording *self, GstClockTime begin, GstClockTime end)
{
  if (!GST_CLOCK_TIME_IS_VALID (self->begin))
    self->begin = begin;
  if (!GST_CLOCK_TIME_IS_VALID (self->end) || end > self->end)
    self->end = end;
}

void
recording_add (Recording *self, Picture *picture, gboolean gap)
{
  Entry entry = { picture, gap };

  recording_extend (self, picture->time, picture->time);
  g_array_append_val (self->entries, entry);
  self->size += picture_size (picture->side);
  if (self->size <= self->budget)
    return;

  prune (self);
  while (self->size > self->budget / 4 * 3 && self->thinning < 1u << 20) {
    gsize before = self->size;

    self->thinning *= 2;
    prune (self);
    if (self->size == before && self->thinning > self->entries->len)
      break;
  }
}

/* The runs of pictures between gaps: of indices, and of time. */
static guint
find_stretches (
    Recording *self, GstClockTime period, ClipStretch *stretches, guint *first)
{
  guint count = 0;

  for (guint i = 0; i < self->entries->len; i++) {
    Entry *entry = get_entry (self, i);

    if (i == 0 || entry->gap) {
      first[count] = i;
      stretches[count++].begin = entry->picture->time;
    }
    stretches[count - 1].end = entry->picture->time + period;
  }
  first[count] = self->entries->len;
  return count;
}

static gboolean
select_clip (Recording *self, const gint64 *times, guint from, guint to,
    GstClockTime period, GstClockTime start, GstClockTime duration, Clip *clip,
    guint *next)
{
  gint index[CLIP_MAX_FRAMES];

  if (!clip_select (
          times, to, from, period, start, duration, self->frames, index))
    return FALSE;
  for (guint j = 0; j < self->frames; j++)
    clip_add (clip, picture_ref (get_entry (self, index[j])->picture));
  *next = index[self->frames - 1] + 1;
  return TRUE;
}

gboolean
recording_get_clips (
    Recording *self, GstClockTime period, guint count, Clip **clips)
{
  guint length = self->entries->len, next = 0, done = 0;
  GstClockTime duration = MAX (self->duration, self->frames * period);
  ClipStretch *stretches = g_new (ClipStretch, length + 1);
  guint *first = g_new (guint, length + 1);
  gint64 *times = g_new (gint64, length + 1), starts[CLIP_MAX_COUNT];
  guint n = find_stretches (self, period, stretches, first);

  for (guint i = 0; i < length; i++)
    times[i] = get_entry (self, i)->picture->time;

  if (n > 0
      && clip_layout (stretches, n, self->begin, self->end, duration,
          period / 2, count, starts)) {
    for (; done < count; done++) {
      guint s = 0;

      while (s + 1 < n && stretches[s + 1].begin <= starts[done])
        s++;
      clips[done] = clip_new (self->frames);
      if (!select_clip (self, times, MAX (first[s], next), first[s + 1], period,
              starts[done], duration, clips[done], &next)) {
        g_clear_pointer (&clips[done], clip_free);
        break;
      }
    }
  }
  if (done < count)
    while (done > 0)
      g_clear_pointer (&clips[--done], clip_free);

  g_free (times);
  g_free (first);
  g_free (stretches);
  return done == count && count > 0;
}

GstClockTime
recording_get_duration (Recording *self)
{
  if (!GST_CLOCK_TIME_IS_VALID (self->begin))
    return 0;
  return self->end - self->begin;
}

guint
recording_get_count (Recording *self)
{
  return self->entries->len;
}

gsize
recording_get_size (Recording *self)
{
  return self->size;
}
