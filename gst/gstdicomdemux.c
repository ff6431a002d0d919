/* SPDX-License-Identifier: LGPL-2.1-or-later */

/**
 * SECTION:element-dicomdemux
 * @title: dicomdemux
 * @short_description: plays a DICOM recording
 *
 * Reads a DICOM file, as ultrasound scanners export it, and hands out its
 * frames: full-range RGB, or GRAY8 where they are monochrome, at the times that
 * the file tells. The file is collected in memory, then frames are decoded one
 * at a time; every one can be sought. docs/dicom.md says what is read, and how
 * colours and times are found.
 *
 * Nothing about the patient leaves the file but the heart rate
 * (%GST_TAG_BEATS_PER_MINUTE): other tags are the modality (title), the device,
 * and what times and colours come from (comment). What a person typed or
 * burned into pictures stays in them.
 *
 * ## Example launch lines
 * |[
 * gst-launch-1.0 filesrc location=echo.dcm ! decodebin ! videoconvert ! autovideosink
 * ]| Plays a recording.
 * |[
 * gst-launch-1.0 filesrc location=echo.dcm ! dicomdemux ! mregroi ! mregclassify sync-mode=exact results-location=/dev/stdout ! fakesink
 * ]| Grades it.
 */

#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include "gstdicomdemux.h"

#include <errno.h>
#include <gst/video/video.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "cineproblem.h"
#include "meta/gstcardiacregionmeta.h"
#include "reader.h"
#include "segmentend.h"

GST_DEBUG_CATEGORY_STATIC (dicom_demux_debug);
#define GST_CAT_DEFAULT dicom_demux_debug

#define DEFAULT_MAX_SIZE (G_GUINT64_CONSTANT (1) << 30)
#define DICOM_CAPS "application/dicom"

enum {
  PROP_0,
  PROP_MAX_SIZE,
};

struct _GstDicomDemux {
  GstElement parent;

  GstPad *sink, *src;
  guint64 max_size; /* under the object lock */

  /* The file as it comes, in memory; of the sink pad's thread. */
  gint file;
  guint64 size;
  gboolean failed; /* and was said */

  /* Set before the task starts, cleared after it stopped. Frames are decoded
   * under the source pad's stream lock. */
  const CineDicomReader *reader;
  CineClip clip;
  gchar *name; /* of the file, for messages */
  GstVideoInfo info;
  gboolean opened; /* atomic */

  /* Under the source pad's stream lock. */
  GstSegment segment;
  guint32 seqnum;
  gint frame;        /* the next one */
  gboolean announce; /* the segment is to be sent */
  gboolean discont;
  gint n_bad, first_bad;
  gchar *bad_reason;
  gboolean reported;
};

static GstStaticPadTemplate sink_template = GST_STATIC_PAD_TEMPLATE (
    "sink", GST_PAD_SINK, GST_PAD_ALWAYS, GST_STATIC_CAPS (DICOM_CAPS));
static GstStaticPadTemplate src_template =
    GST_STATIC_PAD_TEMPLATE ("src", GST_PAD_SRC, GST_PAD_ALWAYS,
        GST_STATIC_CAPS (GST_VIDEO_CAPS_MAKE ("{ RGB, GRAY8 }")));

static void gst_dicom_demux_finalize (GObject *object);
static void gst_dicom_demux_set_property (
    GObject *object, guint id, const GValue *value, GParamSpec *pspec);
static void gst_dicom_demux_get_property (
    GObject *object, guint id, GValue *value, GParamSpec *pspec);
static GstStateChangeReturn gst_dicom_demux_change_state (
    GstElement *element, GstStateChange change);
static GstFlowReturn gst_dicom_demux_chain (
    GstPad *pad, GstObject *parent, GstBuffer *buffer);
static gboolean gst_dicom_demux_sink_event (
    GstPad *pad, GstObject *parent, GstEvent *event);
static gboolean gst_dicom_demux_src_event (
    GstPad *pad, GstObject *parent, GstEvent *event);
static gboolean gst_dicom_demux_src_query (
    GstPad *pad, GstObject *parent, GstQuery *query);
static gboolean gst_dicom_demux_src_activate (
    GstPad *pad, GstObject *parent, GstPadMode mode, gboolean active);
static void gst_dicom_demux_loop (gpointer data);

G_DEFINE_FINAL_TYPE (GstDicomDemux, gst_dicom_demux, GST_TYPE_ELEMENT);
GST_ELEMENT_REGISTER_DEFINE (
    dicomdemux, "dicomdemux", GST_RANK_PRIMARY, GST_TYPE_DICOM_DEMUX);

static void
find_dicom (GstTypeFind *find, gpointer data)
{
  const guint8 *magic = gst_type_find_peek (find, 128, 4);

  if (magic && !memcmp (magic, "DICM", 4))
    gst_type_find_suggest_empty_simple (
        find, GST_TYPE_FIND_MAXIMUM, DICOM_CAPS);
}

GST_TYPE_FIND_REGISTER_DEFINE (dicom, DICOM_CAPS, GST_RANK_PRIMARY, find_dicom,
    "dcm,dicom,dic", gst_static_caps_get (&sink_template.static_caps), NULL,
    NULL);

static void
gst_dicom_demux_class_init (GstDicomDemuxClass *klass)
{
  GstElementClass *element_class = GST_ELEMENT_CLASS (klass);
  GObjectClass *object_class = G_OBJECT_CLASS (klass);

  GST_DEBUG_CATEGORY_INIT (
      dicom_demux_debug, "dicomdemux", 0, "DICOM recordings");
  object_class->finalize = gst_dicom_demux_finalize;
  object_class->set_property = gst_dicom_demux_set_property;
  object_class->get_property = gst_dicom_demux_get_property;
  element_class->change_state = gst_dicom_demux_change_state;

  /**
   * GstDicomDemux:max-size:
   *
   * Largest file that is taken into memory, in bytes.
   */
  g_object_class_install_property (object_class, PROP_MAX_SIZE,
      g_param_spec_uint64 ("max-size", "Largest size",
          "Largest file that is taken into memory, in bytes", 1, G_MAXUINT32,
          DEFAULT_MAX_SIZE,
          G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS
              | GST_PARAM_MUTABLE_READY));

  gst_element_class_add_static_pad_template (element_class, &sink_template);
  gst_element_class_add_static_pad_template (element_class, &src_template);
  gst_element_class_set_static_metadata (element_class, "DICOM recordings",
      "Codec/Demuxer/Video/Medical",
      "Decodes the frames of a DICOM file (ultrasound multi-frame)",
      "gst-cardiac");
}

static void
gst_dicom_demux_init (GstDicomDemux *self)
{
  self->max_size = DEFAULT_MAX_SIZE;
  self->file = -1;

  self->sink = gst_pad_new_from_static_template (&sink_template, "sink");
  gst_pad_set_chain_function (self->sink, gst_dicom_demux_chain);
  gst_pad_set_event_function (self->sink, gst_dicom_demux_sink_event);
  gst_element_add_pad (GST_ELEMENT (self), self->sink);

  self->src = gst_pad_new_from_static_template (&src_template, "src");
  gst_pad_set_event_function (self->src, gst_dicom_demux_src_event);
  gst_pad_set_query_function (self->src, gst_dicom_demux_src_query);
  gst_pad_set_activatemode_function (self->src, gst_dicom_demux_src_activate);
  gst_pad_use_fixed_caps (self->src);
  gst_element_add_pad (GST_ELEMENT (self), self->src);
}

static void
forget_file (GstDicomDemux *self)
{
  if (self->file >= 0)
    close (self->file);
  self->file = -1;
  self->size = 0;
  self->failed = FALSE;
}

/* Neither pad may be active. */
static void
gst_dicom_demux_reset (GstDicomDemux *self)
{
  if (g_atomic_int_get (&self->opened))
    self->reader->clip_close (&self->clip);
  g_atomic_int_set (&self->opened, FALSE);
  forget_file (self);
  g_clear_pointer (&self->name, g_free);
  g_clear_pointer (&self->bad_reason, g_free);
  self->n_bad = 0;
  self->reported = FALSE;
}

static void
gst_dicom_demux_finalize (GObject *object)
{
  gst_dicom_demux_reset (GST_DICOM_DEMUX (object));
  G_OBJECT_CLASS (gst_dicom_demux_parent_class)->finalize (object);
}

static void
gst_dicom_demux_set_property (
    GObject *object, guint id, const GValue *value, GParamSpec *pspec)
{
  GST_OBJECT_LOCK (object);
  if (id == PROP_MAX_SIZE)
    GST_DICOM_DEMUX (object)->max_size = g_value_get_uint64 (value);
  else
    G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
  GST_OBJECT_UNLOCK (object);
}

static void
gst_dicom_demux_get_property (
    GObject *object, guint id, GValue *value, GParamSpec *pspec)
{
  GST_OBJECT_LOCK (object);
  if (id == PROP_MAX_SIZE)
    g_value_set_uint64 (value, GST_DICOM_DEMUX (object)->max_size);
  else
    G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
  GST_OBJECT_UNLOCK (object);
}

static GstStateChangeReturn
gst_dicom_demux_change_state (GstElement *element, GstStateChange change)
{
  GstStateChangeReturn done = GST_ELEMENT_CLASS (gst_dicom_demux_parent_class)
                                  ->change_state (element, change);

  if (change == GST_STATE_CHANGE_PAUSED_TO_READY)
    gst_dicom_demux_reset (GST_DICOM_DEMUX (element));
  return done;
}

/* The file's path or address where upstream knows it. */
static void
find_name (GstDicomDemux *self)
{
  GstQuery *query = gst_query_new_uri ();
  gchar *uri = NULL;

  g_clear_pointer (&self->name, g_free);
  if (gst_pad_peer_query (self->sink, query)) {
    gst_query_parse_uri (query, &uri);
    self->name = uri ? g_filename_from_uri (uri, NULL, NULL) : NULL;
    if (!self->name)
      self->name = g_steal_pointer (&uri);
  }
  g_free (uri);
  gst_query_unref (query);
  if (!self->name)
    self->name = g_strdup ("the DICOM file");
}

static void
post_problem (GstDicomDemux *self, CineProblem problem, const gchar *why)
{
  CineError error = { CINE_FINE };

  if (!self->name)
    find_name (self);
  cine_fail (&error, problem, "%s: %s", self->name, why);
  cine_problem_post (GST_ELEMENT (self), &error);
}

static gboolean
write_all (gint file, const guint8 *data, gsize size)
{
  while (size > 0) {
    gssize done = write (file, data, size);

    if (done < 0 && errno == EINTR)
      continue;
    if (done <= 0)
      return FALSE;
    data += done;
    size -= done;
  }
  return TRUE;
}

static gboolean
keep_buffer (GstDicomDemux *self, GstBuffer *buffer)
{
  GstMapInfo map;
  gboolean kept;

  if (self->file < 0)
    self->file = memfd_create ("dicom", MFD_CLOEXEC);
  if (self->file < 0 || !gst_buffer_map (buffer, &map, GST_MAP_READ))
    return FALSE;
  kept = write_all (self->file, map.data, map.size);
  self->size += map.size;
  gst_buffer_unmap (buffer, &map);
  return kept;
}

static GstFlowReturn
gst_dicom_demux_chain (GstPad *pad, GstObject *parent, GstBuffer *buffer)
{
  GstDicomDemux *self = GST_DICOM_DEMUX (parent);
  GstFlowReturn flow = GST_FLOW_OK;
  guint64 most;

  GST_OBJECT_LOCK (self);
  most = self->max_size;
  GST_OBJECT_UNLOCK (self);
  if (g_atomic_int_get (&self->opened)) {
    flow = GST_FLOW_EOS;
  } else if (self->failed) {
    flow = GST_FLOW_ERROR;
  } else if (self->size + gst_buffer_get_size (buffer) > most) {
    gchar *why =
        g_strdup_printf ("it is larger than max-size, %" G_GUINT64_FORMAT
                         " bytes; set max-size higher if the memory is there",
            most);

    post_problem (self, CINE_UNREADABLE, why);
    g_free (why);
    flow = GST_FLOW_ERROR;
  } else if (!keep_buffer (self, buffer)) {
    post_problem (self, CINE_NO_MEMORY, "no memory is left to hold the file");
    flow = GST_FLOW_ERROR;
  }
  self->failed = flow == GST_FLOW_ERROR;
  gst_buffer_unref (buffer);
  return flow;
}

/* Opens the collected file. */
static gboolean
open_clip (GstDicomDemux *self)
{
  CineError error = { CINE_FINE };
  char why[CINE_WHY] = "";
  gchar path[64];
  CineRead read;

  find_name (self);
  self->reader = cine_dicom_reader (&error);
  if (!self->reader) {
    cine_problem_post (GST_ELEMENT (self), &error);
    return FALSE;
  }
  if (self->size == 0) {
    post_problem (
        self, CINE_UNREADABLE, "it is empty; a DICOM file is expected");
    return FALSE;
  }
  g_snprintf (path, sizeof path, "/proc/self/fd/%d", self->file);
  read = self->reader->clip_open (path, &self->clip, why);
  if (read == CINE_READ_FINE) {
    g_atomic_int_set (&self->opened, TRUE);
    return TRUE;
  }
  post_problem (self,
      read == CINE_READ_REFUSED ? CINE_UNSUPPORTED : CINE_UNREADABLE, why);
  return FALSE;
}

static GstClockTime
get_end (GstDicomDemux *self)
{
  return self->clip.starts_ns[self->clip.n_frames];
}

/* Frames a second, or 0/1 where they are not evenly spaced. */
static void
get_rate (const CineClip *clip, gint *n, gint *d)
{
  guint64 first = clip->starts_ns[1];

  *n = 0;
  *d = 1;
  for (gint i = 1; i <= clip->n_frames; i++) {
    gint64 off = clip->starts_ns[i] - clip->starts_ns[i - 1] - first;

    if (ABS (off) > 1000) /* rounding of times in files */
      return;
  }
  if (!gst_video_guess_framerate (first, n, d))
    gst_util_double_to_fraction ((gdouble) GST_SECOND / first, n, d);
}

static GstCaps *
make_caps (GstDicomDemux *self)
{
  const CineClip *clip = &self->clip;
  gboolean grey = clip->channels == 1;
  GstVideoInfo *info = &self->info;

  gst_video_info_set_format (info,
      grey ? GST_VIDEO_FORMAT_GRAY8 : GST_VIDEO_FORMAT_RGB, clip->width,
      clip->height);
  gst_video_colorimetry_from_string (
      &info->colorimetry, grey ? "1:0:0:0" : GST_VIDEO_COLORIMETRY_SRGB);
  get_rate (clip, &info->fps_n, &info->fps_d);
  return gst_video_info_to_caps (info);
}

static GstTagList *
make_tags (const CineClip *clip)
{
  GstTagList *tags = gst_tag_list_new_empty ();
  gchar *title = g_strdup_printf ("DICOM %s",
      g_utf8_validate (clip->modality, -1, NULL) ? clip->modality : "");
  gchar *comment = g_strdup_printf ("times: %s", clip->timing);

  gst_tag_list_add (tags, GST_TAG_MERGE_REPLACE, GST_TAG_TITLE,
      g_strstrip (title), GST_TAG_COMMENT, comment, GST_TAG_CONTAINER_FORMAT,
      "DICOM", NULL);
  if (*clip->manufacturer && g_utf8_validate (clip->manufacturer, -1, NULL))
    gst_tag_list_add (tags, GST_TAG_MERGE_REPLACE, GST_TAG_DEVICE_MANUFACTURER,
        clip->manufacturer, NULL);
  if (*clip->model && g_utf8_validate (clip->model, -1, NULL))
    gst_tag_list_add (
        tags, GST_TAG_MERGE_REPLACE, GST_TAG_DEVICE_MODEL, clip->model, NULL);
  if (clip->beat_ms > 0)
    gst_tag_list_add (tags, GST_TAG_MERGE_REPLACE, GST_TAG_BEATS_PER_MINUTE,
        60000 / clip->beat_ms, NULL);
  g_free (title);
  g_free (comment);
  return tags;
}

/* What a person must know before the first frame. */
static void
say_what_was_found (GstDicomDemux *self)
{
  const CineClip *clip = &self->clip;

  GST_INFO_OBJECT (self,
      "%d frames of %d x %d, %d regions (%d more make no sense), colours: %s, "
      "times: %s",
      clip->n_frames, clip->width, clip->height, clip->n_regions,
      clip->n_senseless, clip->colour, clip->timing);
  if (*clip->notes)
    GST_ELEMENT_WARNING (self, STREAM, FORMAT,
        ("%s: %s; times: %s", self->name, clip->notes, clip->timing), (NULL));
  else if (clip->timing_assumed && clip->n_frames > 1)
    GST_ELEMENT_WARNING (self, STREAM, FORMAT,
        ("%s: it tells no frame rate; 30 fps assumed", self->name), (NULL));
}

static void
start_stream (GstDicomDemux *self)
{
  gchar *id = gst_pad_create_stream_id (self->src, GST_ELEMENT (self), NULL);
  GstEvent *start = gst_event_new_stream_start (id);
  GstEvent *upstream =
      gst_pad_get_sticky_event (self->sink, GST_EVENT_STREAM_START, 0);
  guint group = gst_util_group_id_next ();

  if (upstream) {
    guint its;

    if (gst_event_parse_group_id (upstream, &its)
        && its != GST_GROUP_ID_INVALID)
      group = its;
    gst_event_unref (upstream);
  }
  gst_event_set_group_id (start, group);
  gst_pad_push_event (self->src, start);
  g_free (id);
}

static void
start_playing (GstDicomDemux *self)
{
  GstCaps *caps;

  start_stream (self);
  caps = make_caps (self);
  gst_pad_push_event (self->src, gst_event_new_caps (caps));
  gst_caps_unref (caps);
  gst_pad_push_event (self->src, gst_event_new_tag (make_tags (&self->clip)));
  say_what_was_found (self);

  gst_segment_init (&self->segment, GST_FORMAT_TIME);
  self->segment.duration = get_end (self);
  self->seqnum = gst_util_seqnum_next ();
  self->frame = 0;
  self->announce = self->discont = TRUE;
  gst_pad_start_task (self->src, gst_dicom_demux_loop, self, NULL);
}

static gboolean
gst_dicom_demux_sink_event (GstPad *pad, GstObject *parent, GstEvent *event)
{
  GstDicomDemux *self = GST_DICOM_DEMUX (parent);

  switch (GST_EVENT_TYPE (event)) {
    case GST_EVENT_EOS:
      if (!g_atomic_int_get (&self->opened)) {
        if (!self->failed && open_clip (self)) {
          start_playing (self);
        } else {
          start_stream (self);
          gst_pad_push_event (self->src, gst_event_new_eos ());
        }
      }
      break;
    case GST_EVENT_FLUSH_STOP:
      if (!g_atomic_int_get (&self->opened))
        forget_file (self);
      break;
    default:
      /* Events of the file's bytes mean nothing to frames. */
      break;
  }
  gst_event_unref (event);
  return TRUE;
}

static void
report_bad (GstDicomDemux *self)
{
  const CineClip *clip = &self->clip;
  gint missing = clip->n_promised - clip->n_frames;
  gchar *cut = NULL;

  if (self->reported)
    return;
  self->reported = TRUE;
  if (clip->is_cut && clip->n_promised > 0)
    cut = g_strdup_printf ("it is cut off after %d of %d frames",
        clip->n_frames, clip->n_promised);
  else if (clip->is_cut)
    cut = g_strdup_printf ("it is cut off after %d frames", clip->n_frames);
  if (self->n_bad > 0) {
    gchar *why = g_strdup_printf ("%d of %d frames cannot be decoded, the "
                                  "first is frame %d (%s); %s%scopy or "
                                  "export it again",
        self->n_bad, clip->n_frames, self->first_bad, self->bad_reason,
        cut ? cut : "", cut ? "; " : "");

    if (self->n_bad == clip->n_frames)
      post_problem (self, CINE_UNREADABLE, why);
    else
      GST_ELEMENT_WARNING (
          self, STREAM, DECODE, ("%s: %s", self->name, why), (NULL));
    g_free (why);
  } else if (cut) {
    GST_ELEMENT_WARNING (self, STREAM, DECODE,
        ("%s: %s; copy it again", self->name, cut), (NULL));
  } else if (missing > 0) {
    GST_ELEMENT_WARNING (self, STREAM, DECODE,
        ("%s: its header promises %d frames, it holds %d; copy or export it "
         "again",
            self->name, clip->n_promised, clip->n_frames),
        (NULL));
  }
  g_free (cut);
}

/* After the last frame of the segment. */
static void
finish_segment (GstDicomDemux *self)
{
  if (self->frame >= self->clip.n_frames)
    report_bad (self);
  gst_pad_push_event (self->src,
      segment_end (GST_ELEMENT (self), &self->segment, self->seqnum));
  gst_pad_pause_task (self->src);
}

static void
attach_regions (GstDicomDemux *self, GstBuffer *buffer)
{
  for (gint i = 0; i < self->clip.n_regions; i++) {
    const CineRegion *region = &self->clip.regions[i];
    GstCardiacRegionMeta *meta = gst_buffer_add_cardiac_region_meta (buffer, i);

    meta->spatial_format = region->format;
    meta->data_type = region->type;
    meta->kind =
        gst_cardiac_region_kind_from_dicom (region->format, region->type);
    meta->flags = region->flags;
    meta->box.x = region->x;
    meta->box.y = region->y;
    meta->box.w = region->width;
    meta->box.h = region->height;
    for (gint axis = 0; axis < 2; axis++) {
      meta->unit[axis] = region->unit[axis];
      meta->delta[axis] = region->delta[axis];
      meta->reference[axis] = region->reference[axis];
      meta->reference_value[axis] = region->value[axis];
    }
  }
}

/* One frame, or NULL where it cannot be decoded. */
static GstBuffer *
make_frame (GstDicomDemux *self, gint number)
{
  const guint64 *starts = self->clip.starts_ns;
  GstBuffer *buffer =
      gst_buffer_new_allocate (NULL, GST_VIDEO_INFO_SIZE (&self->info), NULL);
  char why[CINE_WHY] = "";
  GstVideoFrame frame;
  gboolean there;

  gst_video_frame_map (&frame, &self->info, buffer, GST_MAP_WRITE);
  there = self->reader->clip_frame (&self->clip, number,
      GST_VIDEO_FRAME_PLANE_DATA (&frame, 0),
      GST_VIDEO_FRAME_PLANE_STRIDE (&frame, 0), why);
  gst_video_frame_unmap (&frame);
  if (!there) {
    GST_INFO_OBJECT (self, "frame %d: %s", number, why);
    if (!self->reported && self->n_bad++ == 0) {
      self->first_bad = number;
      self->bad_reason = g_strdup (why);
    }
    gst_buffer_unref (buffer);
    return NULL;
  }
  GST_BUFFER_PTS (buffer) = starts[number];
  GST_BUFFER_DURATION (buffer) = starts[number + 1] - starts[number];
  GST_BUFFER_OFFSET (buffer) = number;
  GST_BUFFER_OFFSET_END (buffer) = number + 1;
  attach_regions (self, buffer);
  return buffer;
}

static void
gst_dicom_demux_loop (gpointer data)
{
  GstDicomDemux *self = data;
  GstSegment *segment = &self->segment;
  GstFlowReturn flow;
  GstBuffer *buffer;

  if (self->announce) {
    GstEvent *event = gst_event_new_segment (segment);

    gst_event_set_seqnum (event, self->seqnum);
    gst_pad_push_event (self->src, event);
    self->announce = FALSE;
  }
  if (self->frame >= self->clip.n_frames
      || (GST_CLOCK_TIME_IS_VALID (segment->stop)
          && self->clip.starts_ns[self->frame] >= segment->stop)) {
    finish_segment (self);
    return;
  }
  buffer = make_frame (self, self->frame++);
  if (!buffer) {
    self->discont = TRUE;
    return;
  }
  if (self->discont)
    GST_BUFFER_FLAG_SET (buffer, GST_BUFFER_FLAG_DISCONT);
  self->discont = FALSE;
  segment->position = GST_BUFFER_PTS (buffer);
  flow = gst_pad_push (self->src, buffer);
  if (flow == GST_FLOW_OK)
    return;
  GST_DEBUG_OBJECT (self, "stopping: %s", gst_flow_get_name (flow));
  gst_pad_pause_task (self->src);
  if (flow == GST_FLOW_EOS)
    finish_segment (self);
  else if (flow < GST_FLOW_EOS || flow == GST_FLOW_NOT_LINKED) {
    GST_ELEMENT_FLOW_ERROR (self, flow);
    gst_pad_push_event (self->src, gst_event_new_eos ());
  }
}

/* The frame that is shown at a time. */
static gint
find_frame (const CineClip *clip, guint64 time)
{
  gint low = 0, high = clip->n_frames;

  while (low < high) {
    gint middle = (low + high) / 2;

    if (clip->starts_ns[middle + 1] <= time)
      low = middle + 1;
    else
      high = middle;
  }
  return low;
}

static void
flush (GstDicomDemux *self, GstEvent *event, guint32 seqnum)
{
  gst_event_set_seqnum (event, seqnum);
  gst_pad_push_event (self->src, event);
}

static gboolean
seek (GstDicomDemux *self, GstEvent *event)
{
  guint32 seqnum = gst_event_get_seqnum (event);
  GstSeekType start_type, stop_type;
  gint64 start, stop;
  GstSegment segment;
  GstSeekFlags flags;
  GstFormat format;
  gboolean flushing;
  gdouble rate;

  gst_event_parse_seek (
      event, &rate, &format, &flags, &start_type, &start, &stop_type, &stop);
  if (format != GST_FORMAT_TIME || rate <= 0
      || !g_atomic_int_get (&self->opened))
    return FALSE;
  flushing = (flags & GST_SEEK_FLAG_FLUSH) != 0;
  if (flushing)
    flush (self, gst_event_new_flush_start (), seqnum);
  else
    gst_pad_pause_task (self->src);

  GST_PAD_STREAM_LOCK (self->src);
  segment = self->segment;
  if (flushing)
    flush (self, gst_event_new_flush_stop (TRUE), seqnum);
  if (gst_segment_do_seek (&segment, rate, format, flags, start_type, start,
          stop_type, stop, NULL)) {
    self->segment = segment;
    self->seqnum = seqnum;
    self->frame = find_frame (&self->clip, segment.position);
    self->announce = self->discont = TRUE;
  }
  gst_pad_start_task (self->src, gst_dicom_demux_loop, self, NULL);
  GST_PAD_STREAM_UNLOCK (self->src);
  return TRUE;
}

static gboolean
gst_dicom_demux_src_event (GstPad *pad, GstObject *parent, GstEvent *event)
{
  gboolean done;

  if (GST_EVENT_TYPE (event) != GST_EVENT_SEEK)
    return gst_pad_event_default (pad, parent, event);
  done = seek (GST_DICOM_DEMUX (parent), event);
  gst_event_unref (event);
  return done;
}

static gboolean
gst_dicom_demux_src_query (GstPad *pad, GstObject *parent, GstQuery *query)
{
  GstDicomDemux *self = GST_DICOM_DEMUX (parent);
  gboolean opened = g_atomic_int_get (&self->opened);
  GstFormat format;

  switch (GST_QUERY_TYPE (query)) {
    case GST_QUERY_DURATION:
      gst_query_parse_duration (query, &format, NULL);
      if (!opened || format != GST_FORMAT_TIME)
        return FALSE;
      gst_query_set_duration (query, format, get_end (self));
      return TRUE;
    case GST_QUERY_POSITION:
      gst_query_parse_position (query, &format, NULL);
      if (!opened || format != GST_FORMAT_TIME)
        return FALSE;
      gst_query_set_position (query, format, self->segment.position);
      return TRUE;
    case GST_QUERY_SEEKING:
      gst_query_parse_seeking (query, &format, NULL, NULL, NULL);
      gst_query_set_seeking (query, format, opened && format == GST_FORMAT_TIME,
          0, opened ? (gint64) get_end (self) : -1);
      return TRUE;
    default:
      return gst_pad_query_default (pad, parent, query);
  }
}

static gboolean
gst_dicom_demux_src_activate (
    GstPad *pad, GstObject *parent, GstPadMode mode, gboolean active)
{
  if (mode != GST_PAD_MODE_PUSH)
    return FALSE;
  return active || gst_pad_stop_task (pad);
}
