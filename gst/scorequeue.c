/* SPDX-License-Identifier: LGPL-2.1-or-later */

#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include "scorequeue.h"

#include "cycle.h"

/* One cycle of buffers: as many as a cycle may have phases, and a little, so
 * that a source which pushes phase by phase need not wait for itself; more when
 * video is faster, up to a slow heart's beat. */
#define FEW_BUFFERS (CYCLE_MAX_PHASES + 2)
#define MOST_BUFFERS 256
#define LONG_CYCLE (2 * GST_SECOND)

/* Cycles may be scored before their video comes in. */
#define MOST_DECIDED 2

/* Times of different streams that mean the same may be rounded apart. */
#define TOLERANCE GST_USECOND

typedef struct {
  GstMiniObject *object;
  GstClockTime begin, time;
} Item;

typedef struct {
  GstCardiacResult *record;
  GstClockTime end;
  guint left;
  gboolean used;
} Decided;

struct _ScoreQueue {
  GQueue items;
  guint buffers;
  GstClockTime last; /* begin of the newest buffer */
  GQueue decided;
  GstCardiacResult *newest;
};

ScoreQueue *
score_queue_new (void)
{
  ScoreQueue *self = g_new0 (ScoreQueue, 1);

  self->last = GST_CLOCK_TIME_NONE;
  g_queue_init (&self->items);
  g_queue_init (&self->decided);
  return self;
}

static void
item_free (Item *item)
{
  gst_mini_object_unref (item->object);
  g_free (item);
}

static void
decided_free (Decided *decided)
{
  gst_cardiac_result_unref (decided->record);
  g_free (decided);
}

void
score_queue_clear (ScoreQueue *self)
{
  g_queue_clear_full (&self->items, (GDestroyNotify) item_free);
  g_queue_clear_full (&self->decided, (GDestroyNotify) decided_free);
  g_clear_pointer (&self->newest, gst_cardiac_result_unref);
  self->buffers = 0;
  self->last = GST_CLOCK_TIME_NONE;
}

void
score_queue_free (ScoreQueue *self)
{
  if (!self)
    return;
  score_queue_clear (self);
  g_free (self);
}

void
score_queue_push (ScoreQueue *self, GstMiniObject *object, GstClockTime begin,
    GstClockTime time)
{
  Item *item = g_new (Item, 1);

  item->object = object;
  item->begin = begin;
  item->time = time;
  g_queue_push_tail (&self->items, item);
  if (GST_IS_BUFFER (object)) {
    self->buffers++;
    self->last = begin;
  }
}

/* Running time from the oldest thing, when it is a buffer that waits, to the
 * newest buffer. */
static GstClockTime
get_span (ScoreQueue *self)
{
  const Item *head = g_queue_peek_head (&self->items);

  if (!head || !GST_CLOCK_TIME_IS_VALID (head->begin)
      || !GST_CLOCK_TIME_IS_VALID (self->last) || self->last < head->begin)
    return GST_CLOCK_TIME_NONE;
  return self->last - head->begin;
}

gboolean
score_queue_has_room (ScoreQueue *self)
{
  return self->buffers < FEW_BUFFERS
         || (self->buffers < MOST_BUFFERS && get_span (self) < LONG_CYCLE);
}

void
score_queue_decide (
    ScoreQueue *self, GstCardiacResult *record, GstClockTime end, guint count)
{
  Decided *decided = g_new (Decided, 1);

  decided->record = gst_cardiac_result_ref (record);
  decided->end = end;
  decided->left = count;
  decided->used = FALSE;
  g_queue_push_tail (&self->decided, decided);
  g_clear_pointer (&self->newest, gst_cardiac_result_unref);
  self->newest = gst_cardiac_result_ref (record);
}

gboolean
score_queue_is_ahead (ScoreQueue *self)
{
  return g_queue_get_length (&self->decided) >= MOST_DECIDED;
}

static gboolean
belongs (const Item *item, const Decided *decided)
{
  if (GST_CLOCK_TIME_IS_VALID (item->begin)
      && GST_CLOCK_TIME_IS_VALID (decided->end))
    return item->begin + TOLERANCE < decided->end;
  return decided->left > 0;
}

/* The cycle of a buffer; cycles that are over are forgotten. */
static Decided *
find_decided (ScoreQueue *self, const Item *item)
{
  Decided *decided;

  while ((decided = g_queue_peek_head (&self->decided))) {
    if (belongs (item, decided))
      return decided;
    decided_free (g_queue_pop_head (&self->decided));
  }
  return NULL;
}

ScoreQueueHead
score_queue_look (ScoreQueue *self)
{
  const Item *head = g_queue_peek_head (&self->items);

  if (!head)
    return SCORE_QUEUE_EMPTY;
  if (GST_IS_EVENT (head->object))
    return GST_EVENT_TYPE (head->object) == GST_EVENT_EOS ? SCORE_QUEUE_EOS
                                                          : SCORE_QUEUE_READY;
  return find_decided (self, head) ? SCORE_QUEUE_READY : SCORE_QUEUE_WAITS;
}

static GstMiniObject *
attach (GstMiniObject *object, const Item *item, GstCardiacResult *record,
    gboolean is_new)
{
  GstBuffer *buffer = gst_buffer_make_writable (GST_BUFFER_CAST (object));
  GstCardiacResultMeta *meta =
      gst_buffer_add_cardiac_result_meta (buffer, record);

  meta->is_new = is_new;
  /* Within its own cycle a record has no age. */
  if (GST_CLOCK_TIME_IS_VALID (item->time)
      && GST_CLOCK_TIME_IS_VALID (record->pts) && item->time > record->pts)
    meta->age = item->time - record->pts;
  return GST_MINI_OBJECT_CAST (buffer);
}

GstMiniObject *
score_queue_pop (ScoreQueue *self)
{
  Item *item = g_queue_pop_head (&self->items);
  GstMiniObject *object = item->object;
  Decided *decided;

  if (GST_IS_BUFFER (object)) {
    self->buffers--;
    decided = find_decided (self, item);
    if (decided) {
      object = attach (object, item, decided->record, !decided->used);
      decided->used = TRUE;
      decided->left -= decided->left > 0;
    } else if (self->newest) {
      object = attach (object, item, self->newest, FALSE);
    }
  }
  g_free (item);
  return object;
}
