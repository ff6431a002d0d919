/* SPDX-License-Identifier: LGPL-2.1-or-later */

#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include "mapping.h"

#include <gst/video/video.h>
#include <math.h>

/* Pixels; matrices are of single precision. */
#define ROUNDING 0.01

static void
init_scale (CardiacMapping *self, const GstVideoMetaTransform *scale)
{
  self->scale[0] = GST_VIDEO_INFO_WIDTH (scale->out_info)
                   / (gdouble) GST_VIDEO_INFO_WIDTH (scale->in_info);
  self->scale[1] = GST_VIDEO_INFO_HEIGHT (scale->out_info)
                   / (gdouble) GST_VIDEO_INFO_HEIGHT (scale->in_info);
}

#if GST_CHECK_VERSION(1, 28, 0)
static gboolean
is_all_of (const GstVideoRectangle *rectangle, const GstVideoInfo *info)
{
  return rectangle->x == 0 && rectangle->y == 0
         && rectangle->w == GST_VIDEO_INFO_WIDTH (info)
         && rectangle->h == GST_VIDEO_INFO_HEIGHT (info);
}

/* The matrix leads from the input's rectangle to the output's, each with its
 * own origin. */
static gboolean
init_matrix (CardiacMapping *self, const GstVideoMetaTransformMatrix *transform)
{
  const GstVideoRectangle *in = &transform->in_rectangle;
  const GstVideoRectangle *out = &transform->out_rectangle;
  const gint origin[2] = { in->x, in->y };
  const gint begin[2] = { out->x, out->y }, size[2] = { out->w, out->h };
  const gint most[2] = { GST_VIDEO_INFO_WIDTH (transform->out_info),
    GST_VIDEO_INFO_HEIGHT (transform->out_info) };
  const gfloat (*m)[3] = transform->matrix;

  if (m[0][1] != 0 || m[1][0] != 0 || m[2][0] != 0 || m[2][1] != 0
      || m[2][2] != 1 || m[0][0] <= 0 || m[1][1] <= 0)
    return FALSE;
  for (guint axis = 0; axis < 2; axis++) {
    self->scale[axis] = m[axis][axis];
    self->shift[axis] =
        m[axis][2] + begin[axis] - origin[axis] * self->scale[axis];
    self->from[axis] = MAX (0, begin[axis]);
    self->to[axis] = MIN (most[axis], begin[axis] + size[axis]);
  }
  self->whole = is_all_of (in, transform->in_info)
                && is_all_of (out, transform->out_info) && m[0][2] == 0
                && m[1][2] == 0;
  return TRUE;
}
#endif

gboolean
cardiac_mapping_init (CardiacMapping *self, GQuark type, gpointer data)
{
  const CardiacMapping same = { { 1, 1 }, { 0, 0 }, { -INFINITY, -INFINITY },
    { INFINITY, INFINITY }, TRUE };

  *self = same;
#if GST_CHECK_VERSION(1, 28, 0)
  if (GST_VIDEO_META_TRANSFORM_IS_MATRIX (type))
    return init_matrix (self, data);
#endif
  if (GST_VIDEO_META_TRANSFORM_IS_SCALE (type))
    init_scale (self, data);
  else
    return GST_META_TRANSFORM_IS_COPY (type);
  return TRUE;
}

void
cardiac_mapping_point (const CardiacMapping *self, gdouble point[2])
{
  for (guint axis = 0; axis < 2; axis++)
    point[axis] = self->scale[axis] * point[axis] + self->shift[axis];
}

void
cardiac_mapping_box (const CardiacMapping *self, GstCardiacBox *box)
{
  gdouble corner[2] = { box->x, box->y };

  cardiac_mapping_point (self, corner);
  box->x = corner[0];
  box->y = corner[1];
  box->w *= self->scale[0];
  box->h *= self->scale[1];
}

gboolean
cardiac_mapping_shows (const CardiacMapping *self, const GstCardiacBox *box)
{
  return box->x >= self->from[0] - ROUNDING
         && box->y >= self->from[1] - ROUNDING
         && box->x + box->w <= self->to[0] + ROUNDING
         && box->y + box->h <= self->to[1] + ROUNDING;
}

gboolean
cardiac_mapping_touches (const CardiacMapping *self, const GstCardiacBox *box)
{
  return box->x < self->to[0] && box->y < self->to[1]
         && box->x + box->w > self->from[0] && box->y + box->h > self->from[1];
}
