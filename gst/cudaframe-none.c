/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A build without libgstcuda. */

#include "cudaframe.h"

CudaFrames *
cuda_frames_new (void)
{
  return NULL;
}

void
cuda_frames_free (CudaFrames *self)
{
}

gboolean
cuda_frames_built (void)
{
  return FALSE;
}

GstCaps *
cuda_frames_caps (GstCaps *caps)
{
  return caps;
}

void
cuda_frames_offer_context (
    CudaFrames *self, GstElement *element, const gchar *device)
{
}

void
cuda_frames_set_context (
    CudaFrames *self, GstElement *element, GstContext *context)
{
}

gboolean
cuda_frames_answer (CudaFrames *self, GstElement *element, GstQuery *query)
{
  return FALSE;
}

void
cuda_frames_set_device (CudaFrames *self, const gchar *device)
{
}

void
cuda_frames_set_format (CudaFrames *self, const GstVideoInfo *info)
{
}

gboolean
cuda_frames_map (CudaFrames *self, GstBuffer *buffer, GstVideoFrame *frame)
{
  return FALSE;
}

gboolean
cuda_frames_glance (CudaFrames *self, const GstVideoFrame *frame, gint step,
    CardiacImage *image)
{
  return FALSE;
}

GstBuffer *
cuda_frames_copy (
    CudaFrames *self, const GstVideoFrame *frame, CardiacImage *image)
{
  return NULL;
}
