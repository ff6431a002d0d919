/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CLIP_FEEDER_H
#define CLIP_FEEDER_H

#include "clipsampler.h"
#include "picture.h"
#include "recording.h"
#include "watch.h"

/* From frames, one after the other, to clips: says what the pictures show,
 * leaves out repeats, damaged frames and gaps, cuts out what the network will
 * see, and fills the sliding clip and, if asked, the recording.
 *
 * Used by the streaming thread alone. */

typedef struct {
  guint64 received, analysed, repeats, corrupt, gaps, untimed, blank, frozen,
      coloured;
} ClipFeederCounts;

typedef struct _ClipFeeder ClipFeeder;

typedef struct {
  guint frames;                  ///< T
  gint side;                     ///< S
  GstClockTime duration, stride; ///< of clips
  gsize budget;                  ///< bytes of a recording
} ClipFeederSettings;

ClipFeeder *clip_feeder_new (
    const ClipFeederSettings *settings, CardiacError **error);
void clip_feeder_free (ClipFeeder *feeder);

/** Frame period to assume until one is seen; 0: unknown. */
void clip_feeder_set_period (ClipFeeder *feeder, GstClockTime period);

/** Length of a heart beat; 0: unknown. Clips that are shorter grow to it. Between
 * recordings only: what was collected is forgotten when clips change. */
void clip_feeder_set_beat (ClipFeeder *feeder, GstClockTime beat);
GstClockTime clip_feeder_get_clip_duration (ClipFeeder *feeder);

/** Whether to keep the whole recording for clip_feeder_get_clips(). */
void clip_feeder_set_recording (ClipFeeder *feeder, gboolean recording);

/** What comes next does not belong to what came before: no clip may hold both.
 * The recording goes on. */
void clip_feeder_break (ClipFeeder *feeder);

/** Forgets everything but the counts. */
void clip_feeder_reset (ClipFeeder *feeder);

/** A frame that cannot be analysed but was there. */
void clip_feeder_skip_corrupt (ClipFeeder *feeder);
void clip_feeder_skip_untimed (ClipFeeder *feeder);

/** Changes the region that is looked at; %NULL: the whole picture.
 * Returns: whether it is another one than before */
gboolean clip_feeder_set_region (
    ClipFeeder *feeder, const GstCardiacBox *roi, gint width, gint height);

/** The square of the current region. */
const CardiacSquare *clip_feeder_get_crop (ClipFeeder *feeder);
/** The current region, or %NULL: the whole picture. */
const GstCardiacBox *clip_feeder_get_roi (ClipFeeder *feeder);

/** A frame to look at. */
typedef struct {
  CardiacImage image; ///< in host memory
  gint step;          ///< `image` holds every step-th row only; 1: all
  /** Copies the whole frame within GPU memory; %NULL: the picture is made of
   * `image`. See cuda_frames_copy(). */
  GstBuffer *(*copy) (gpointer data, CardiacImage *image);
  gpointer data;
} FeederFrame;

/** One frame. Its time must not be before the one of the last. A recording
 * takes frames in host memory only.
 * @clip: receives a full clip to free with clip_free(), or %NULL
 * Returns: %FALSE when the picture could not be read, with @error but where
 *   FeederFrame.copy failed */
gboolean clip_feeder_push (ClipFeeder *feeder, const FeederFrame *frame,
    GstClockTime time, Observation *observation, Clip **clip,
    CardiacError **error);

/** Time between distinct pictures, in the median. */
GstClockTime clip_feeder_get_period (ClipFeeder *feeder);

/** The longest time between distinct pictures at which a clip shows motion: it
 * grows by no more than CLIP_FEEDER_MAX_GROWTH. */
#define CLIP_FEEDER_MAX_GROWTH 2
GstClockTime clip_feeder_get_longest_period (ClipFeeder *feeder);

/** Whether pictures are known to come more slowly than that. */
gboolean clip_feeder_is_slow (ClipFeeder *feeder);

/** Frames of the clip that is being filled. */
guint clip_feeder_get_taken (ClipFeeder *feeder);

/** Time of the newest frame, or NONE. */
GstClockTime clip_feeder_get_time (ClipFeeder *feeder);

/** The clips of the recording; see recording_get_clips(). */
gboolean clip_feeder_get_clips (ClipFeeder *feeder, guint count, Clip **clips);
GstClockTime clip_feeder_get_duration (ClipFeeder *feeder);

const ClipFeederCounts *clip_feeder_get_counts (ClipFeeder *feeder);

#endif
