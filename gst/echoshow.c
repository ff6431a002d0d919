/* SPDX-License-Identifier: LGPL-2.1-or-later */

#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include "echoshow.h"

#include <math.h>

#include "meta/gstcardiacmeta.h"
#include "meta/gstcardiactruthmeta.h"

gboolean
echo_show_make (EchoShow *show)
{
  echo_phantom_free (&show->phantom);
  show->phantom = echo_phantom_new (&show->settings);
  if (!show->phantom)
    return FALSE;
  show->truth = echo_recording_truth (&show->settings);
  show->instance = echo_truth_instance (&show->settings);
  return TRUE;
}

gboolean
echo_show_set_format (EchoShow *show, const GstVideoInfo *info)
{
  gint width = GST_VIDEO_INFO_WIDTH (info);
  gint height = GST_VIDEO_INFO_HEIGHT (info);

  echo_picture_fit (&show->picture, width, height,
      GST_VIDEO_INFO_PAR_N (info) / (gdouble) GST_VIDEO_INFO_PAR_D (info));
  g_clear_pointer (&show->scratch, g_free);
  if (GST_VIDEO_INFO_FORMAT (info) == GST_VIDEO_FORMAT_RGB)
    return TRUE;
  show->scratch = g_try_malloc_n ((gsize) 3 * width, height);
  return show->scratch != NULL;
}

void
echo_show_clear (EchoShow *show)
{
  echo_phantom_free (&show->phantom);
  g_clear_pointer (&show->scratch, g_free);
}

/* ---- pictures ---------------------------------------------------------- */

gdouble
echo_show_time (const EchoShow *show, GstClockTime pts)
{
  gdouble time = pts / (gdouble) GST_SECOND;
  gdouble rate = show->settings.frame_rate;

  /* A nanosecond, lest a rounded time show the picture before. */
  return show->hold ? floor ((time + 1e-9) * rate) / rate : time;
}

/* From RGB to another order of the same bytes. */
static void
reorder (GstVideoFrame *frame, const guint8 *rgb)
{
  gint width = GST_VIDEO_FRAME_WIDTH (frame);
  gint height = GST_VIDEO_FRAME_HEIGHT (frame);
  gint pixel = GST_VIDEO_FRAME_COMP_PSTRIDE (frame, 0);
  guint8 *data = GST_VIDEO_FRAME_PLANE_DATA (frame, 0);
  gint at[3], other;

  for (gint c = 0; c < 3; c++)
    at[c] = GST_VIDEO_FRAME_COMP_POFFSET (frame, c);
  other = 6 - at[0] - at[1] - at[2]; /* of bytes 0 to 3 */

  for (gint y = 0; y < height; y++) {
    guint8 *out = data + y * GST_VIDEO_FRAME_PLANE_STRIDE (frame, 0);

    for (gint x = 0; x < width; x++, rgb += 3, out += pixel) {
      out[at[0]] = rgb[0];
      out[at[1]] = rgb[1];
      out[at[2]] = rgb[2];
      if (pixel == 4)
        out[other] = 255;
    }
  }
}

void
echo_show_draw (EchoShow *show, GstVideoFrame *frame, gdouble time)
{
  gint width = GST_VIDEO_FRAME_WIDTH (frame);
  gint height = GST_VIDEO_FRAME_HEIGHT (frame);

  if (!show->scratch) {
    echo_phantom_render (show->phantom, time, show->picture.view, width, height,
        GST_VIDEO_FRAME_PLANE_DATA (frame, 0),
        GST_VIDEO_FRAME_PLANE_STRIDE (frame, 0));
    return;
  }
  echo_phantom_render (show->phantom, time, show->picture.view, width, height,
      show->scratch, (ptrdiff_t) 3 * width);
  reorder (frame, show->scratch);
}

/* ---- truth ------------------------------------------------------------- */

static void
attach_truth (const EchoShow *show, GstBuffer *buffer, gdouble time,
    const EchoMoment *moment)
{
  GstCardiacEchoTruthMeta *meta =
      gst_buffer_add_cardiac_echo_truth_meta (buffer);
  gdouble window = ECHO_INSTANCES * show->settings.clip;
  EchoTruth truth = show->truth;

  if (!show->has_end) {
    gdouble end = MAX (time, window);

    truth = echo_truth (&show->settings, end - window, end);
  }
  meta->grade = truth.grade;
  meta->severity = truth.severity;
  meta->area = truth.area;
  meta->duration = truth.duration;
  meta->eccentric = truth.eccentric;
  meta->worst_beat = truth.beat;
  meta->instance = show->has_end ? show->instance : -1;
  meta->beat = moment->beat;
  meta->phase = moment->phase;
  meta->systole = moment->systole;
  meta->jet_area = moment->jet_area;
}

static void
attach_places (
    const EchoShow *show, GstBuffer *buffer, const EchoMoment *moment)
{
  GstCardiacEchoPlacesMeta *meta =
      gst_buffer_add_cardiac_echo_places_meta (buffer);
  EchoView roi = echo_phantom_roi (show->phantom);
  gdouble from[2] = { roi.x, roi.y };
  gdouble to[2] = { roi.x + roi.width, roi.y + roi.height };

  echo_picture_map (&show->picture, from, from);
  echo_picture_map (&show->picture, to, to);
  meta->roi.x = from[0];
  meta->roi.y = from[1];
  meta->roi.w = to[0] - from[0];
  meta->roi.h = to[1] - from[1];
  for (guint side = 0; side < 2; side++)
    echo_picture_map (
        &show->picture, moment->annulus[side], meta->annulus[side]);
  echo_picture_map (&show->picture, moment->atrium, meta->atrium);

  if (show->with_roi) {
    GstCardiacGeometryMeta *geometry =
        gst_buffer_add_cardiac_geometry_meta (buffer);

    geometry->has_roi = TRUE;
    geometry->roi = meta->roi;
    geometry->roi_confidence = 1;
  }
}

void
echo_show_attach (const EchoShow *show, GstBuffer *buffer, gdouble time,
    const EchoMoment *moment)
{
  attach_truth (show, buffer, time, moment);
  attach_places (show, buffer, moment);
}
