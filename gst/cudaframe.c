/* SPDX-License-Identifier: LGPL-2.1-or-later */

#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include "cudaframe.h"

#include <gmodule.h>
#include <string.h>

#define GST_USE_UNSTABLE_API
#include <gst/cuda/gstcudabufferpool.h>
#include <gst/cuda/gstcudaloader.h>
#include <gst/cuda/gstcudautils.h>

#include "videoimage.h"

GST_DEBUG_CATEGORY_STATIC (cuda_frame_debug);
#define GST_CAT_DEFAULT cuda_frame_debug

/* The library aborts in calls that come before the driver is loaded. */
#define DRIVER "libcuda.so.1"

struct _CudaFrames {
  GMutex lock;
  GstCudaContext *context; /* the pipeline's, under the lock */

  /* streaming thread */
  CUcontext primary; /* of the network's device; NULL: it is not on one */
  GstVideoInfo info;
  GstBufferPool *pool; /* of copies; made with the first one */
  guint8 *rows;        /* for glances */
  gsize rows_size;
  gboolean said; /* that frames are downloaded */
};

CudaFrames *
cuda_frames_new (void)
{
  CudaFrames *self = g_new0 (CudaFrames, 1);

  GST_DEBUG_CATEGORY_INIT (
      cuda_frame_debug, "cardiaccuda", 0, "frames in GPU memory");
  g_mutex_init (&self->lock);
  gst_video_info_init (&self->info);
  return self;
}

/* Copies that are out come back to it and are freed. */
static void
drop_pool (CudaFrames *self)
{
  if (self->pool)
    gst_buffer_pool_set_active (self->pool, FALSE);
  gst_clear_object (&self->pool);
}

void
cuda_frames_free (CudaFrames *self)
{
  drop_pool (self);
  gst_clear_object (&self->context);
  g_free (self->rows);
  g_mutex_clear (&self->lock);
  g_free (self);
}

gboolean
cuda_frames_built (void)
{
  return TRUE;
}

GstCaps *
cuda_frames_caps (GstCaps *caps)
{
  GstCaps *device = gst_caps_copy (caps);

  gst_caps_set_features_simple (device,
      gst_caps_features_new_single (GST_CAPS_FEATURE_MEMORY_CUDA_MEMORY));
  gst_caps_append (device, caps);
  return device;
}

/* ---- contexts ---------------------------------------------------------- */

/* The number in "cuda:N"; "auto" and "cuda" are the first device; -1: none. */
static gint
get_device (const gchar *name)
{
  if (!name || !*name || strcmp (name, "auto") == 0
      || strcmp (name, "cuda") == 0)
    return 0;
  if (!g_str_has_prefix (name, "cuda:") || !g_ascii_isdigit (name[5]))
    return -1;
  return (gint) g_ascii_strtoull (name + 5, NULL, 10);
}

/* The context that the CUDA runtime, and so the engine, computes in. It is
 * never given back: other elements' frames may outlive this one. */
static gboolean
get_primary (gint number, CUdevice *device, CUcontext *context)
{
  CUresult (CUDAAPI * retain) (CUcontext *, CUdevice);
  gboolean ok = FALSE;
  GModule *driver;

  if (number < 0 || !gst_cuda_load_library ())
    return FALSE;
  driver = g_module_open (DRIVER, G_MODULE_BIND_LAZY);
  if (!driver)
    return FALSE;
  if (g_module_symbol (
          driver, "cuDevicePrimaryCtxRetain", (gpointer *) &retain))
    ok = gst_cuda_result (CuInit (0))
         && gst_cuda_result (CuDeviceGet (device, number))
         && gst_cuda_result (retain (context, *device));
  g_module_close (driver); /* libgstcuda holds it, too */
  return ok;
}

static GstCudaContext *
ref_context (CudaFrames *self)
{
  GstCudaContext *context = NULL;

  g_mutex_lock (&self->lock);
  if (self->context)
    context = gst_object_ref (self->context);
  g_mutex_unlock (&self->lock);
  return context;
}

void
cuda_frames_offer_context (
    CudaFrames *self, GstElement *element, const gchar *name)
{
  GstCudaContext *context;
  GstContext *offer;
  CUcontext primary;
  CUdevice device;

  if (!get_primary (get_device (name), &device, &primary))
    return;
  gst_element_post_message (
      element, gst_message_new_need_context (
                   GST_OBJECT (element), GST_CUDA_CONTEXT_TYPE));
  if ((context = ref_context (self))) { /* the application's, or a sibling's */
    gst_object_unref (context);
    return;
  }
  context = gst_cuda_context_new_wrapped (primary, device);
  if (!context)
    return;
  offer = gst_context_new_cuda_context (context);
  gst_object_unref (context);
  gst_element_set_context (element, offer);
  gst_element_post_message (
      element, gst_message_new_have_context (GST_OBJECT (element), offer));
}

void
cuda_frames_set_context (
    CudaFrames *self, GstElement *element, GstContext *context)
{
  g_mutex_lock (&self->lock);
  gst_cuda_handle_set_context (element, context, -1, &self->context);
  g_mutex_unlock (&self->lock);
}

gboolean
cuda_frames_answer (CudaFrames *self, GstElement *element, GstQuery *query)
{
  GstCudaContext *context = ref_context (self);
  gboolean answered;

  if (!context)
    return FALSE;
  answered = gst_cuda_handle_context_query (element, query, context);
  gst_object_unref (context);
  return answered;
}

void
cuda_frames_set_device (CudaFrames *self, const gchar *name)
{
  CUdevice device;

  drop_pool (self);
  self->said = FALSE;
  if (!name || !g_str_has_prefix (name, "cuda")
      || !get_primary (get_device (name), &device, &self->primary))
    self->primary = NULL;
}

/* ---- frames ------------------------------------------------------------ */

void
cuda_frames_set_format (CudaFrames *self, const GstVideoInfo *info)
{
  drop_pool (self);
  self->info = *info;
}

static void
say_downloaded (CudaFrames *self, const gchar *why)
{
  if (!self->said)
    GST_INFO ("frames in GPU memory are downloaded: %s", why);
  self->said = TRUE;
}

gboolean
cuda_frames_map (CudaFrames *self, GstBuffer *buffer, GstVideoFrame *frame)
{
  GstMemory *memory = gst_buffer_peek_memory (buffer, 0);

  if (gst_buffer_n_memory (buffer) != 1 || !gst_is_cuda_memory (memory))
    return FALSE;
  if (!self->primary) {
    say_downloaded (self, "the network computes elsewhere");
    return FALSE;
  }
  if (gst_cuda_context_get_handle (GST_CUDA_MEMORY_CAST (memory)->context)
      != self->primary) {
    say_downloaded (self, "they belong to another CUDA context than the "
                          "network's");
    return FALSE;
  }
  if (!gst_video_frame_map (frame, &self->info, buffer,
          GST_MAP_READ | GST_MAP_CUDA | GST_VIDEO_FRAME_MAP_FLAG_NO_REF))
    return FALSE;
#if GST_CHECK_VERSION(1, 24, 0)
  /* Mapping may have enqueued an upload. */
  gst_cuda_memory_sync (GST_CUDA_MEMORY_CAST (memory));
#endif
  return TRUE;
}

/* A component of each plane that pictures are made of; -1: none (alpha). */
static gint
get_component (const GstVideoFrame *frame, guint plane)
{
  const GstVideoFormatInfo *format = frame->info.finfo;
  guint components = MIN (3, GST_VIDEO_FORMAT_INFO_N_COMPONENTS (format));

  for (guint c = 0; c < components; c++)
    if (GST_VIDEO_FORMAT_INFO_PLANE (format, c) == plane)
      return c;
  return -1;
}

static gsize
get_row_bytes (const GstVideoFrame *frame, gint component)
{
  return (gsize) GST_VIDEO_FRAME_COMP_WIDTH (frame, component)
         * GST_VIDEO_FRAME_COMP_PSTRIDE (frame, component);
}

/* Of a mapped frame; @step: rows of the plane from one row to the next. */
static CUDA_MEMCPY2D
describe_copy (const GstVideoFrame *frame, guint plane, guint step)
{
  gint component = get_component (frame, plane);
  gsize stride = GST_VIDEO_FRAME_PLANE_STRIDE (frame, plane);
  CUDA_MEMCPY2D copy = {
    .srcMemoryType = CU_MEMORYTYPE_DEVICE,
    .srcDevice = (CUdeviceptr) GST_VIDEO_FRAME_PLANE_DATA (frame, plane),
    .srcPitch = stride * step,
    .WidthInBytes = get_row_bytes (frame, component),
  };

  return copy;
}

/* All copies go through the context's default stream, which comes after what
 * elements of GStreamer 1.22 have enqueued on theirs; for what those of later
 * versions have, cuda_frames_map() waits. */
static gboolean
enqueue (const CUDA_MEMCPY2D *copy)
{
  return gst_cuda_result (CuMemcpy2DAsync (copy, NULL));
}

static gboolean
finish (gboolean ok)
{
  ok = gst_cuda_result (CuStreamSynchronize (NULL)) && ok;
  gst_cuda_context_pop (NULL);
  return ok;
}

static gboolean
begin (const GstVideoFrame *frame)
{
  GstMemory *memory = gst_buffer_peek_memory (frame->buffer, 0);

  return gst_cuda_context_push (GST_CUDA_MEMORY_CAST (memory)->context);
}

/* How a component is thinned: by leaving out rows as far as it has as many as
 * the luma, else by a subsampling that is less by so much. */
static guint
get_row_step (gint step, gint vsub)
{
  return MAX (1, step >> vsub);
}

static void
thin (CardiacImage *image, gint step)
{
  image->height = (image->height + step - 1) / step;
  for (guint c = 0; c < G_N_ELEMENTS (image->component); c++)
    for (gint left = step; left > 1 && image->component[c].vsub > 0; left /= 2)
      image->component[c].vsub--;
}

gboolean
cuda_frames_glance (CudaFrames *self, const GstVideoFrame *frame, gint step,
    CardiacImage *image)
{
  gsize stride = 0, used = 0;
  gboolean ok = TRUE;

  video_image_describe (frame, image);
  thin (image, step);
  for (guint c = 0; c < 3 && image->component[c].data; c++)
    stride = MAX (stride, get_row_bytes (frame, c));
  if (self->rows_size < 3 * stride * image->height) {
    self->rows_size = 3 * stride * image->height;
    g_free (self->rows);
    self->rows = g_malloc (self->rows_size);
  }

  if (!begin (frame))
    return FALSE;
  for (guint p = 0; p < GST_VIDEO_FRAME_N_PLANES (frame); p++) {
    const guint8 *plane = GST_VIDEO_FRAME_PLANE_DATA (frame, p);
    gint of = get_component (frame, p);
    CUDA_MEMCPY2D copy;

    if (of < 0)
      continue;
    copy = describe_copy (frame, p,
        get_row_step (
            step, GST_VIDEO_FORMAT_INFO_H_SUB (frame->info.finfo, of)));
    copy.Height = -(-image->height >> image->component[of].vsub);
    copy.dstMemoryType = CU_MEMORYTYPE_HOST;
    copy.dstHost = self->rows + used;
    copy.dstPitch = stride;
    used += stride * copy.Height;
    ok = ok && enqueue (&copy);
    for (guint c = 0; c < 3 && image->component[c].data; c++)
      if (GST_VIDEO_FORMAT_INFO_PLANE (frame->info.finfo, c) == p) {
        image->component[c].data =
            (guint8 *) copy.dstHost + (image->component[c].data - plane);
        image->component[c].stride = stride;
      }
  }
  return finish (ok);
}

static GstBufferPool *
make_pool (CudaFrames *self, GstCudaContext *context)
{
  GstBufferPool *pool = gst_cuda_buffer_pool_new (context);
  GstStructure *config = gst_buffer_pool_get_config (pool);
  GstCaps *caps = gst_video_info_to_caps (&self->info);

  gst_caps_set_features_simple (
      caps, gst_caps_features_new_single (GST_CAPS_FEATURE_MEMORY_CUDA_MEMORY));
  gst_buffer_pool_config_set_params (
      config, caps, GST_VIDEO_INFO_SIZE (&self->info), 0, 0);
  gst_buffer_pool_config_add_option (config, GST_BUFFER_POOL_OPTION_VIDEO_META);
  gst_caps_unref (caps);
  if (!gst_buffer_pool_set_config (pool, config)
      || !gst_buffer_pool_set_active (pool, TRUE))
    gst_clear_object (&pool);
  return pool;
}

static GstBuffer *
acquire (CudaFrames *self, GstCudaContext *context)
{
  GstBuffer *buffer = NULL;

  if (!self->pool)
    self->pool = make_pool (self, context);
  if (self->pool)
    gst_buffer_pool_acquire_buffer (self->pool, &buffer, NULL);
  return buffer;
}

static gboolean
copy_planes (const GstVideoFrame *from, const GstVideoFrame *to)
{
  gboolean ok = TRUE;

  if (!begin (from))
    return FALSE;
  for (guint p = 0; p < GST_VIDEO_FRAME_N_PLANES (from); p++) {
    gint of = get_component (from, p);
    CUDA_MEMCPY2D copy;

    if (of < 0)
      continue;
    copy = describe_copy (from, p, 1);
    copy.Height = GST_VIDEO_FRAME_COMP_HEIGHT (from, of);
    copy.dstMemoryType = CU_MEMORYTYPE_DEVICE;
    copy.dstDevice = (CUdeviceptr) GST_VIDEO_FRAME_PLANE_DATA (to, p);
    copy.dstPitch = GST_VIDEO_FRAME_PLANE_STRIDE (to, p);
    ok = ok && enqueue (&copy);
  }
  return finish (ok);
}

GstBuffer *
cuda_frames_copy (
    CudaFrames *self, const GstVideoFrame *frame, CardiacImage *image)
{
  GstMemory *memory = gst_buffer_peek_memory (frame->buffer, 0);
  GstBuffer *copy = acquire (self, GST_CUDA_MEMORY_CAST (memory)->context);
  GstVideoFrame mapped;
  gboolean ok;

  if (!copy)
    return NULL;
  ok = gst_video_frame_map (&mapped, &self->info, copy,
      GST_MAP_WRITE | GST_MAP_CUDA | GST_VIDEO_FRAME_MAP_FLAG_NO_REF);
  if (ok) {
    ok = copy_planes (frame, &mapped);
    video_image_describe (&mapped, image);
    gst_video_frame_unmap (&mapped);
  }
  if (!ok)
    gst_clear_buffer (&copy);
  return copy;
}
