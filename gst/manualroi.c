/* SPDX-License-Identifier: LGPL-2.1-or-later */

#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include "manualroi.h"

#include "videoimage.h"

void
manual_roi_init (ManualRoi *roi)
{
  const ManualRoi none = { g_strdup (MANUAL_ROI_DEFAULT), FALSE, FALSE,
    { 0, 0, 0, 0 } };

  *roi = none;
}

void
manual_roi_clear (ManualRoi *roi)
{
  g_clear_pointer (&roi->text, g_free);
}

/* In a running pipeline; says so there. */
static gboolean
refuse (GstElement *element, const gchar *text)
{
  gboolean running;

  GST_OBJECT_LOCK (element);
  running = GST_STATE (element) >= GST_STATE_PAUSED;
  GST_OBJECT_UNLOCK (element);
  if (running)
    GST_ELEMENT_WARNING (element, RESOURCE, SETTINGS,
        ("roi \"%s\" is not \"x,y,width,height\" in pixels; the region "
         "stays as it was.",
            text),
        (NULL));
  return running;
}

void
manual_roi_set (ManualRoi *roi, GstElement *element, const gchar *text)
{
  GstCardiacBox box = { 0, 0, 0, 0 };
  gboolean empty = !text || !*text, wrong;

  wrong = !empty && !video_image_parse_box (text, &box);
  if (wrong && refuse (element, text))
    return;
  GST_OBJECT_LOCK (element);
  g_free (roi->text);
  roi->text = g_strdup (text);
  roi->is_set = !empty;
  roi->wrong = wrong;
  roi->box = box;
  GST_OBJECT_UNLOCK (element);
}

gboolean
manual_roi_check (const ManualRoi *roi, GstElement *element)
{
  gchar *text;

  GST_OBJECT_LOCK (element);
  text = roi->wrong ? g_strdup (roi->text) : NULL;
  GST_OBJECT_UNLOCK (element);
  if (!text)
    return TRUE;
  GST_ELEMENT_ERROR (element, RESOURCE, SETTINGS,
      ("roi \"%s\" cannot be read: \"x,y,width,height\" in pixels is "
       "expected, such as 120,40,480,400; width and height are at least 1.",
          text),
      (NULL));
  g_free (text);
  return FALSE;
}

gboolean
manual_roi_get (const ManualRoi *roi, GstElement *element, GstCardiacBox *box)
{
  gboolean is_set;

  GST_OBJECT_LOCK (element);
  is_set = roi->is_set;
  if (box)
    *box = roi->box;
  GST_OBJECT_UNLOCK (element);
  return is_set;
}
