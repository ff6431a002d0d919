/* SPDX-License-Identifier: LGPL-2.1-or-later */

#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include "picture.h"

gsize
picture_size (gint side)
{
  return sizeof (Picture) + (gsize) 3 * side * side * sizeof (guint16);
}

Picture *
picture_new (const gfloat *levels, gint side)
{
  gsize count = (gsize) 3 * side * side;
  Picture *self = g_malloc (picture_size (side));

  self->refs = 1;
  self->time = GST_CLOCK_TIME_NONE;
  self->coloured = -1;
  self->frame = NULL;
  self->side = side;
  for (gsize i = 0; i < count; i++)
    self->samples[i] =
        (guint16) (CLAMP (levels[i], 0.f, 1.f) * PICTURE_WHITE + 0.5f);
  return self;
}

Picture *
picture_new_frame (GstBuffer *frame, const CardiacImage *image)
{
  Picture *self = g_new0 (Picture, 1);

  self->refs = 1;
  self->time = GST_CLOCK_TIME_NONE;
  self->coloured = -1;
  self->frame = frame;
  self->image = *image;
  return self;
}

void
picture_drop_frame (Picture *self)
{
  gst_clear_buffer (&self->frame);
}

Picture *
picture_ref (Picture *self)
{
  g_atomic_int_inc (&self->refs);
  return self;
}

void
picture_unref (Picture *self)
{
  if (!g_atomic_int_dec_and_test (&self->refs))
    return;
  picture_drop_frame (self);
  g_free (self);
}

void
picture_normalise (
    const Picture *self, const gfloat mean[3], const gfloat std[3], gfloat *out)
{
  gsize plane = (gsize) self->side * self->side;

  for (gint c = 0; c < 3; c++) {
    const guint16 *in = self->samples + c * plane;

    for (gsize i = 0; i < plane; i++)
      out[c * plane + i] = ((gfloat) in[i] / PICTURE_WHITE - mean[c]) / std[c];
  }
}

Clip *
clip_new (guint frames)
{
  return g_malloc0 (sizeof (Clip) + frames * sizeof (Picture *));
}

Clip *
clip_copy (const Clip *clip)
{
  Clip *copy = clip_new (clip->count);

  for (guint i = 0; i < clip->count; i++)
    clip_add (copy, picture_ref (clip->pictures[i]));
  return copy;
}

void
clip_clear (Clip *clip)
{
  for (guint i = 0; i < clip->count; i++)
    picture_unref (clip->pictures[i]);
  clip->count = 0;
}

void
clip_free (Clip *clip)
{
  if (!clip)
    return;
  clip_clear (clip);
  g_free (clip);
}

void
clip_add (Clip *clip, Picture *picture)
{
  clip->pictures[clip->count++] = picture;
}

gboolean
clip_equal (const Clip *a, const Clip *b)
{
  if (a->count != b->count)
    return FALSE;
  for (guint i = 0; i < a->count; i++)
    if (a->pictures[i] != b->pictures[i])
      return FALSE;
  return TRUE;
}

gfloat
clip_coloured (const Clip *clip)
{
  gfloat most = -1;

  for (guint i = 0; i < clip->count; i++)
    most = MAX (most, clip->pictures[i]->coloured);
  return most;
}
