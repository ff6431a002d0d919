/* SPDX-License-Identifier: LGPL-2.1-or-later */

#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include "clipfeeder.h"

#include <string.h>

#include "resultstate.h"
#include "videoimage.h"

/* Until anything else is known. */
#define USUAL_PERIOD (GST_SECOND / 30)
/* Caps lie about frame rates: what a gap is, is learnt from frames. */
#define PERIODS_BEFORE_GAPS 3

struct _ClipFeeder {
  ClipFeederSettings settings;
  GstClockTime duration; /* of clips: as set, or a heart beat */
  ClipFeederCounts counts;

  Watch watch;
  CardiacResizer *resizer;
  gfloat *levels; /* [3, S, S] */

  gboolean has_roi;
  GstCardiacBox roi;
  CardiacSquare crop;
  gint width, height; /* that `crop` was made for; 0: none yet */

  GstClockTime time;     /* newest frame */
  GstClockTime distinct; /* newest distinct picture */
  ClipPeriod arrivals;   /* of all frames */
  ClipPeriod distincts;  /* of distinct pictures */
  ClipSampler sampler;
  Clip *clip;
  gboolean broken; /* nothing is joined to what came before */
  Recording *recording;
};

ClipFeeder *
clip_feeder_new (const ClipFeederSettings *settings, CardiacError **error)
{
  ClipFeeder *self;
  CardiacResizer *resizer = cardiac_resizer_new (error);

  if (!resizer)
    return NULL;
  self = g_new0 (ClipFeeder, 1);
  self->settings = *settings;
  self->resizer = resizer;
  self->levels = g_new (gfloat, (gsize) 3 * settings->side * settings->side);
  self->clip = clip_new (settings->frames);
  clip_feeder_set_beat (self, 0);
  clip_feeder_set_period (self, 0);
  clip_feeder_reset (self);
  return self;
}

void
clip_feeder_free (ClipFeeder *self)
{
  if (!self)
    return;
  clip_free (self->clip);
  recording_free (self->recording);
  cardiac_resizer_free (&self->resizer);
  g_free (self->levels);
  g_free (self);
}

void
clip_feeder_set_period (ClipFeeder *self, GstClockTime period)
{
  clip_period_init (&self->arrivals, period ? period : USUAL_PERIOD);
  clip_period_init (&self->distincts, period ? period : USUAL_PERIOD);
}

void
clip_feeder_set_recording (ClipFeeder *self, gboolean recording)
{
  const ClipFeederSettings *settings = &self->settings;

  if (!recording)
    g_clear_pointer (&self->recording, recording_free);
  else if (!self->recording)
    self->recording =
        recording_new (settings->frames, self->duration, settings->budget);
}

void
clip_feeder_set_beat (ClipFeeder *self, GstClockTime beat)
{
  const ClipFeederSettings *settings = &self->settings;
  GstClockTime duration = MAX (settings->duration, beat);

  if (duration == self->duration)
    return;
  self->duration = duration;
  clip_sampler_init (
      &self->sampler, settings->frames, duration, settings->stride);
  clip_clear (self->clip);
  g_clear_pointer (&self->recording, recording_free);
}

GstClockTime
clip_feeder_get_clip_duration (ClipFeeder *self)
{
  return self->duration;
}

void
clip_feeder_break (ClipFeeder *self)
{
  clip_clear (self->clip);
  clip_sampler_restart (&self->sampler);
  self->broken = TRUE;
}

void
clip_feeder_reset (ClipFeeder *self)
{
  clip_feeder_break (self);
  watch_reset (&self->watch);
  self->time = self->distinct = GST_CLOCK_TIME_NONE;
  if (self->recording)
    recording_clear (self->recording);
}

void
clip_feeder_skip_corrupt (ClipFeeder *self)
{
  self->counts.received++;
  self->counts.corrupt++;
}

void
clip_feeder_skip_untimed (ClipFeeder *self)
{
  self->counts.received++;
  self->counts.untimed++;
}

/* ---- where to look ----------------------------------------------------- */

/* A detector's box trembles; the square stays unless it moves by more than a
 * twentieth of its side. So all frames of a clip are seen through one square. */
static gboolean
is_near (const CardiacSquare *a, const CardiacSquare *b)
{
  gdouble most = a->side / 20;

  return ABS (a->x - b->x) <= most && ABS (a->y - b->y) <= most
         && ABS (a->x + a->side - b->x - b->side) <= most
         && ABS (a->y + a->side - b->y - b->side) <= most;
}

gboolean
clip_feeder_set_region (
    ClipFeeder *self, const GstCardiacBox *roi, gint width, gint height)
{
  CardiacSquare crop = video_image_crop (width, height, roi);
  gboolean first = self->width == 0;

  if (self->width == width && self->height == height
      && self->has_roi == (roi != NULL) && is_near (&self->crop, &crop))
    return FALSE;

  self->width = width;
  self->height = height;
  self->crop = crop;
  self->has_roi = roi != NULL;
  self->roi = roi ? *roi : (GstCardiacBox){ 0, 0, width, height };
  if (first)
    return FALSE;
  clip_feeder_break (self);
  watch_reset (&self->watch);
  return TRUE;
}

const CardiacSquare *
clip_feeder_get_crop (ClipFeeder *self)
{
  return &self->crop;
}

const GstCardiacBox *
clip_feeder_get_roi (ClipFeeder *self)
{
  return self->has_roi ? &self->roi : NULL;
}

/* The part of the picture inside the square. */
static CardiacRectangle
get_region (ClipFeeder *self)
{
  gint left = MAX (0, (gint) self->crop.x), top = MAX (0, (gint) self->crop.y);
  gint right = MIN (self->width, (gint) (self->crop.x + self->crop.side));
  gint bottom = MIN (self->height, (gint) (self->crop.y + self->crop.side));
  CardiacRectangle region = { left, top, right - left, bottom - top };

  return region;
}

/* ---- frames ------------------------------------------------------------ */

/* Keeps the clock of frames, and notices what is missing between them. */
static void
note_arrival (ClipFeeder *self, GstClockTime time)
{
  if (GST_CLOCK_TIME_IS_VALID (self->time)) {
    GstClockTime passed = time - self->time;

    if (self->arrivals.count >= PERIODS_BEFORE_GAPS
        && clip_is_gap (passed, clip_period_get (&self->arrivals))) {
      self->counts.gaps++;
      clip_feeder_break (self);
    }
    /* A lasting change of rate is a gap once or twice, then the new period. */
    clip_period_add (&self->arrivals, passed);
  }
  self->time = time;
  if (self->recording)
    recording_extend (
        self->recording, time, time + clip_period_get (&self->arrivals));
}

static void
note_distinct (ClipFeeder *self, GstClockTime time)
{
  if (!self->broken && GST_CLOCK_TIME_IS_VALID (self->distinct))
    clip_period_add (&self->distincts, time - self->distinct);
  self->distinct = time;
}

static Picture *
copy_picture (const FeederFrame *frame)
{
  CardiacImage image;
  GstBuffer *copy = frame->copy (frame->data, &image);

  return copy ? picture_new_frame (copy, &image) : NULL;
}

static Picture *
resize_picture (
    ClipFeeder *self, const CardiacImage *image, CardiacError **error)
{
  static const gfloat mean[3] = { 0, 0, 0 }, std[3] = { 1, 1, 1 };

  if (!cardiac_resizer_square_to_tensor (self->resizer, image, &self->crop,
          self->settings.side, mean, std, self->levels, error))
    return NULL;
  return picture_new (self->levels, self->settings.side);
}

static Picture *
make_picture (ClipFeeder *self, const FeederFrame *frame, GstClockTime time,
    gfloat coloured, CardiacError **error)
{
  Picture *picture = frame->copy ? copy_picture (frame)
                                 : resize_picture (self, &frame->image, error);

  if (!picture)
    return NULL;
  picture->time = time;
  picture->crop = self->crop;
  picture->roi = self->roi;
  picture->coloured = coloured;
  self->counts.analysed++;
  return picture;
}

static void
count_observation (ClipFeeder *self, const Observation *seen)
{
  self->counts.received++;
  self->counts.repeats += seen->repeat;
  self->counts.blank += seen->blank;
  self->counts.frozen += seen->still_for >= STATE_FROZEN_AFTER;
  self->counts.coloured += seen->coloured >= CARDIAC_COLOURED_FRACTION;
}

/* A clip is wholly in host memory or wholly in that of a GPU. */
static gboolean
is_of_other_memory (ClipFeeder *self, const FeederFrame *frame)
{
  return self->clip->count > 0
         && (self->clip->pictures[0]->frame != NULL) != (frame->copy != NULL);
}

gboolean
clip_feeder_push (ClipFeeder *self, const FeederFrame *frame, GstClockTime time,
    Observation *seen, Clip **clip, CardiacError **error)
{
  CardiacRectangle region = get_region (self);
  Picture *picture;
  gboolean wanted;

  *clip = NULL;
  region.y /= frame->step;
  region.height = MAX (1, region.height / frame->step);
  if (!watch_frame (&self->watch, &frame->image, self->has_roi ? &region : NULL,
          time, seen, error))
    return FALSE;
  count_observation (self, seen);
  note_arrival (self, time);

  if (seen->blank || seen->still_for >= STATE_FROZEN_AFTER
      || is_of_other_memory (self, frame))
    clip_feeder_break (self);
  if (seen->blank || seen->repeat)
    return TRUE;

  note_distinct (self, time);
  wanted = clip_sampler_take (
      &self->sampler, time, time + clip_period_get (&self->distincts));
  if (!wanted && !self->recording)
    return TRUE;

  picture = make_picture (self, frame, time, seen->coloured, error);
  if (!picture)
    return FALSE;
  if (self->recording)
    recording_add (self->recording, picture_ref (picture), self->broken);
  self->broken = FALSE;
  if (!wanted) {
    picture_unref (picture);
    return TRUE;
  }
  clip_add (self->clip, picture);
  if (clip_sampler_full (&self->sampler)) {
    *clip = self->clip;
    self->clip = clip_new (self->settings.frames);
    clip_sampler_advance (&self->sampler);
  }
  return TRUE;
}

GstClockTime
clip_feeder_get_period (ClipFeeder *self)
{
  return clip_period_get (&self->distincts);
}

GstClockTime
clip_feeder_get_longest_period (ClipFeeder *self)
{
  return self->duration * CLIP_FEEDER_MAX_GROWTH / self->settings.frames;
}

gboolean
clip_feeder_is_slow (ClipFeeder *self)
{
  return self->distincts.count >= PERIODS_BEFORE_GAPS
         && clip_feeder_get_period (self)
                > clip_feeder_get_longest_period (self);
}

guint
clip_feeder_get_taken (ClipFeeder *self)
{
  return self->clip->count;
}

GstClockTime
clip_feeder_get_time (ClipFeeder *self)
{
  return self->time;
}

gboolean
clip_feeder_get_clips (ClipFeeder *self, guint count, Clip **clips)
{
  return self->recording
         && recording_get_clips (
             self->recording, clip_period_get (&self->distincts), count, clips);
}

GstClockTime
clip_feeder_get_duration (ClipFeeder *self)
{
  return self->recording ? recording_get_duration (self->recording) : 0;
}

const ClipFeederCounts *
clip_feeder_get_counts (ClipFeeder *self)
{
  return &self->counts;
}
