/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef PICTURE_H
#define PICTURE_H

#include <cardiac/image.h>
#include <gst/gst.h>

#include "meta/gstcardiacresult.h"

/* One frame as a network will see it: cut out, resized, not yet normalised; or,
 * for a network on a GPU, a whole frame there that it cuts and resizes itself.
 * It is a copy; the video buffer it came from is never kept. */

/** A level of 255 in `samples`: 1/256 of a grey level are kept, so that keeping
 * pictures in 16 bits changes no result. */
#define PICTURE_WHITE 65280

/** Counted, and immutable but for picture_drop_frame(). */
typedef struct {
  gint refs;
  GstClockTime time;  ///< stream time
  CardiacSquare crop; ///< pixels of the frame
  GstCardiacBox roi;  ///< what the crop was made from: a region, or the frame
  gfloat coloured;    ///< share of coloured pixels; < 0: not known
  GstBuffer *frame;   ///< in GPU memory; NULL: `samples` are the picture
  CardiacImage image; ///< of `frame`
  gint side;          ///< S
  guint16 samples[];  ///< [3, S, S]
} Picture;

/** @levels: [3, side, side] in 0..1 */
Picture *picture_new (const gfloat *levels, gint side);
/** A picture without samples.
 * @frame: keeps what @image describes, in the memory of the network's GPU; the
 *   picture owns it from now on */
Picture *picture_new_frame (GstBuffer *frame, const CardiacImage *image);
/** Lets the frame go, once its clip is encoded. */
void picture_drop_frame (Picture *picture);
Picture *picture_ref (Picture *picture);
void picture_unref (Picture *picture);
gsize picture_size (gint side);

/** Writes (value - mean) / std, [3, side, side]. */
void picture_normalise (const Picture *picture, const gfloat mean[3],
    const gfloat std[3], gfloat *out);

/** The frames of one instance, in order. */
typedef struct {
  guint count;
  Picture *pictures[];
} Clip;

/** An empty clip with room for @frames. */
Clip *clip_new (guint frames);
Clip *clip_copy (const Clip *clip);
void clip_free (Clip *clip);

/** Takes the pictures out again. */
void clip_clear (Clip *clip);

/** Adds a picture and takes its reference. */
void clip_add (Clip *clip, Picture *picture);

/** Whether both hold the very same pictures. */
gboolean clip_equal (const Clip *a, const Clip *b);

/** The largest coloured share among the frames. */
gfloat clip_coloured (const Clip *clip);

#endif
