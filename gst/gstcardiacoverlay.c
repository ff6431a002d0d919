/* SPDX-License-Identifier: LGPL-2.1-or-later */

/**
 * SECTION:element-cardiacoverlay
 * @title: cardiacoverlay
 * @short_description: draws cardiac results onto the video
 *
 * Draws what the metas of mregclassify and mregroi say: the grade or the reason
 * why there is none, a per-frame curve, contours of the network's activation,
 * the model and its state. Of mmsascore's it draws a bull's-eye with the motion
 * score index, and on the short-axis slices of cmrcinesrc segment borders,
 * numbered dots, RV insertions and arrows of motion. It decides nothing itself,
 * and without metas it says that no result comes.
 *
 * With `layout=inside` a strip lies within the picture; with `layout=panel` the
 * canvas grows and nothing of the picture is covered. Drawing happens in the
 * video's own format, or is left to a sink that takes overlay compositions.
 *
 * Nothing is drawn on regions that the video's #GstCardiacRegionMeta call
 * M-mode, spectra, ECG and other traces, bars or graphics, nor on
 * #GstCardiacOverlay:no-draw. Where they leave no room for the strip, the panel
 * takes its place, unless downstream takes no other size: then a warning says
 * that the strip covers something.
 *
 * "RESEARCH USE ONLY" is in every frame; no property removes it.
 *
 * ## Example launch lines
 * |[
 * gst-launch-1.0 v4l2src ! videoconvert ! mregclassify ! cardiacoverlay ! videoconvert ! autovideosink
 * ]| A live video with its grade.
 * |[
 * gst-launch-1.0 filesrc location=echo.mp4 ! decodebin ! mregclassify results=results.jsonl maps-location=maps.json ! cardiacoverlay layout=panel ! videoconvert ! x264enc quantizer=18 ! matroskamux ! filesink location=annotated.mkv
 * ]| Second pass over a file: the final result on every frame.
 * |[
 * gst-launch-1.0 cmrcinesrc location=patient name=c mmsascore name=s c.basal ! cmrpolar ! s.basal c.mid ! cmrpolar ! s.mid c.apical ! cmrpolar ! s.apical c.review ! s.video s. ! videoconvert ! cardiacoverlay layout=panel bullseye-png=bullseye.png ! videoconvert ! x264enc quantizer=18 ! matroskamux ! filesink location=annotated.mkv
 * ]| Wall motion of a cine MR study.
 */

#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include "gstcardiacoverlay.h"

#include <mmsa-overlay.h>

#include "bullseyefile.h"
#include "meta/gstcardiacmeta.h"
#include "meta/gstcardiacslicemeta.h"
#include "overlayblend.h"
#include "overlaycaps.h"
#include "overlaymmsaview.h"
#include "overlaysettings.h"
#include "overlayview.h"
#include "regions.h"
#include "videoimage.h"

GST_DEBUG_CATEGORY_STATIC (cardiac_overlay_debug);
#define GST_CAT_DEFAULT cardiac_overlay_debug

/* The strip looks for a free place so often. */
#define OBSERVE_INTERVAL (300 * GST_MSECOND)
/* A strip that covers more than this of the picture is worth a warning. */
#define COVERS_TOO_MUCH 0.05

struct _GstCardiacOverlay {
  GstVideoFilter parent;

  OverlaySettings settings; /* under the object lock */

  /* streaming thread */
  CardiacOverlay *overlay;
  OverlayBlend blend;
  BullseyeFile file;
  CardiacMmsaPalette palette;
  GstCardiacLayout layout;   /* while running */
  GstCardiacContent content; /* likewise */
  gboolean below;            /* the canvas grows below the picture */
  gboolean grown;  /* no room inside: a panel; under the object lock */
  gboolean stuck;  /* no room inside, and downstream takes no panel */
  gboolean attach; /* a composition to the buffer; else blend it */
  gboolean attach_known;
  gboolean negotiating;  /* a caps event is being handled */
  GstClockTime observed; /* newest picture shown to the overlay */
  guint observations;
  GstClockTime duration;
  gboolean duration_known;
  guint warned_covers, warned_unknown;
};

#define FIELDS                                                                 \
  ", format = (string) " CARDIAC_VIDEO_FORMATS                                 \
  ", width = (int) " OVERLAY_SIZE_RANGE ", height = (int) " OVERLAY_SIZE_RANGE \
  ", framerate = (fraction) [ 0, max ]"

#define CAPS                                                                   \
  "video/x-raw" FIELDS ";"                                                     \
  "video/x-raw(" GST_CAPS_FEATURE_MEMORY_SYSTEM_MEMORY                         \
  ", " GST_CAPS_FEATURE_META_GST_VIDEO_OVERLAY_COMPOSITION ")" FIELDS

static GstStaticPadTemplate sink_template = GST_STATIC_PAD_TEMPLATE (
    "sink", GST_PAD_SINK, GST_PAD_ALWAYS, GST_STATIC_CAPS (CAPS));

static GstStaticPadTemplate src_template = GST_STATIC_PAD_TEMPLATE (
    "src", GST_PAD_SRC, GST_PAD_ALWAYS, GST_STATIC_CAPS (CAPS));

G_DEFINE_FINAL_TYPE (
    GstCardiacOverlay, gst_cardiac_overlay, GST_TYPE_VIDEO_FILTER);
GST_ELEMENT_REGISTER_DEFINE (
    cardiacoverlay, "cardiacoverlay", GST_RANK_NONE, GST_TYPE_CARDIAC_OVERLAY);

static void gst_cardiac_overlay_set_property (
    GObject *object, guint id, const GValue *value, GParamSpec *pspec);
static void gst_cardiac_overlay_get_property (
    GObject *object, guint id, GValue *value, GParamSpec *pspec);
static void gst_cardiac_overlay_finalize (GObject *object);
static gboolean gst_cardiac_overlay_start (GstBaseTransform *trans);
static gboolean gst_cardiac_overlay_stop (GstBaseTransform *trans);
static GstCaps *gst_cardiac_overlay_transform_caps (GstBaseTransform *trans,
    GstPadDirection direction, GstCaps *caps, GstCaps *filter);
static gboolean gst_cardiac_overlay_sink_event (
    GstBaseTransform *trans, GstEvent *event);
static gboolean gst_cardiac_overlay_transform_meta (
    GstBaseTransform *trans, GstBuffer *out, GstMeta *meta, GstBuffer *in);
static GstFlowReturn gst_cardiac_overlay_submit_input_buffer (
    GstBaseTransform *trans, gboolean is_discont, GstBuffer *buffer);
static void gst_cardiac_overlay_before_transform (
    GstBaseTransform *trans, GstBuffer *buffer);
static gboolean gst_cardiac_overlay_set_info (GstVideoFilter *filter,
    GstCaps *in_caps, GstVideoInfo *in, GstCaps *out_caps, GstVideoInfo *out);
static GstFlowReturn gst_cardiac_overlay_transform_frame (
    GstVideoFilter *filter, GstVideoFrame *in, GstVideoFrame *out);
static GstFlowReturn gst_cardiac_overlay_transform_frame_ip (
    GstVideoFilter *filter, GstVideoFrame *frame);

static void
gst_cardiac_overlay_class_init (GstCardiacOverlayClass *klass)
{
  GObjectClass *gobject_class = G_OBJECT_CLASS (klass);
  GstElementClass *element_class = GST_ELEMENT_CLASS (klass);
  GstBaseTransformClass *trans_class = GST_BASE_TRANSFORM_CLASS (klass);
  GstVideoFilterClass *filter_class = GST_VIDEO_FILTER_CLASS (klass);

  GST_DEBUG_CATEGORY_INIT (
      cardiac_overlay_debug, "cardiacoverlay", 0, "cardiac overlay");

  gobject_class->set_property = gst_cardiac_overlay_set_property;
  gobject_class->get_property = gst_cardiac_overlay_get_property;
  gobject_class->finalize = gst_cardiac_overlay_finalize;
  overlay_settings_install (gobject_class);

  gst_element_class_add_static_pad_template (element_class, &sink_template);
  gst_element_class_add_static_pad_template (element_class, &src_template);
  gst_element_class_set_static_metadata (element_class, "Cardiac overlay",
      "Filter/Editor/Video",
      "Draws cardiac results onto the video; research use only", "gst-cardiac");

  trans_class->start = gst_cardiac_overlay_start;
  trans_class->stop = gst_cardiac_overlay_stop;
  trans_class->transform_caps = gst_cardiac_overlay_transform_caps;
  trans_class->sink_event = gst_cardiac_overlay_sink_event;
  trans_class->transform_meta = gst_cardiac_overlay_transform_meta;
  trans_class->submit_input_buffer = gst_cardiac_overlay_submit_input_buffer;
  trans_class->before_transform = gst_cardiac_overlay_before_transform;
  filter_class->set_info = gst_cardiac_overlay_set_info;
  filter_class->transform_frame = gst_cardiac_overlay_transform_frame;
  filter_class->transform_frame_ip = gst_cardiac_overlay_transform_frame_ip;
}

static void
gst_cardiac_overlay_init (GstCardiacOverlay *self)
{
  overlay_settings_init (&self->settings);
  self->layout = self->settings.layout;
  self->content = self->settings.content;
  self->duration = GST_CLOCK_TIME_NONE;

  gst_base_transform_set_in_place (
      GST_BASE_TRANSFORM (self), self->layout == GST_CARDIAC_LAYOUT_INSIDE);
  /* A slow display must not cost frames of a recording behind a tee. */
  gst_base_transform_set_qos_enabled (GST_BASE_TRANSFORM (self), FALSE);
}

static void
gst_cardiac_overlay_finalize (GObject *object)
{
  GstCardiacOverlay *self = GST_CARDIAC_OVERLAY (object);

  overlay_settings_clear (&self->settings);
  G_OBJECT_CLASS (gst_cardiac_overlay_parent_class)->finalize (object);
}

static void
gst_cardiac_overlay_set_property (
    GObject *object, guint id, const GValue *value, GParamSpec *pspec)
{
  GstCardiacOverlay *self = GST_CARDIAC_OVERLAY (object);

  GST_OBJECT_LOCK (self);
  overlay_settings_set (&self->settings, object, id, value, pspec);
  GST_OBJECT_UNLOCK (self);
}

static void
gst_cardiac_overlay_get_property (
    GObject *object, guint id, GValue *value, GParamSpec *pspec)
{
  GstCardiacOverlay *self = GST_CARDIAC_OVERLAY (object);

  GST_OBJECT_LOCK (self);
  overlay_settings_get (&self->settings, object, id, value, pspec);
  GST_OBJECT_UNLOCK (self);
}

static OverlaySettings
copy_settings (GstCardiacOverlay *self)
{
  OverlaySettings settings;

  GST_OBJECT_LOCK (self);
  overlay_settings_copy (&settings, &self->settings);
  GST_OBJECT_UNLOCK (self);
  return settings;
}

/* ---- life cycle -------------------------------------------------------- */

/* Colours that somebody cannot tell apart are drawn all the same: digits and
 * hatches are left. */
static gboolean
read_palette (GstCardiacOverlay *self, const gchar *location)
{
  CardiacMmsaPaletteWeakness weakness;
  gchar message[512];

  cardiac_mmsa_palette_init (&self->palette);
  if (!location || !*location)
    return TRUE;
  if (!cardiac_mmsa_palette_read (
          location, &self->palette, message, sizeof message)) {
    GST_ELEMENT_ERROR (self, RESOURCE, READ, ("%s", message), (NULL));
    return FALSE;
  }
  weakness = cardiac_mmsa_palette_weakness (&self->palette);
  if (weakness.distance < CARDIAC_OVERLAY_PALETTE_DISTANCE)
    GST_ELEMENT_WARNING (self, RESOURCE, SETTINGS,
        ("Palette %s: scores %d and %d are hard to tell apart with %s (colour "
         "difference %.0f, %.0f wanted).",
            location, weakness.first, weakness.second, weakness.vision,
            weakness.distance, CARDIAC_OVERLAY_PALETTE_DISTANCE),
        (NULL));
  return TRUE;
}

static gboolean
gst_cardiac_overlay_start (GstBaseTransform *trans)
{
  GstCardiacOverlay *self = GST_CARDIAC_OVERLAY (trans);
  OverlaySettings settings = copy_settings (self);
  gboolean readable = read_palette (self, settings.palette);

  self->layout = settings.layout;
  self->content = settings.content;
  self->stuck = FALSE;
  GST_OBJECT_LOCK (self);
  self->grown = FALSE;
  GST_OBJECT_UNLOCK (self);
  overlay_settings_clear (&settings);
  if (!readable)
    return FALSE;
  self->overlay = cardiac_overlay_new ();
  if (!self->overlay) {
    GST_ELEMENT_ERROR (self, RESOURCE, NO_SPACE_LEFT,
        ("There is not enough memory to draw."), (NULL));
    return FALSE;
  }
  if (!cardiac_overlay_font_is_intended (self->overlay))
    GST_ELEMENT_INFO (self, RESOURCE, NOT_FOUND,
        ("The font Inter is not installed; text is drawn in %s.",
            cardiac_overlay_font (self->overlay)),
        (NULL));

  gst_base_transform_set_in_place (
      trans, self->layout == GST_CARDIAC_LAYOUT_INSIDE);
  self->observed = GST_CLOCK_TIME_NONE;
  self->observations = 0;
  self->duration_known = FALSE;
  self->duration = GST_CLOCK_TIME_NONE;
  self->warned_covers = self->warned_unknown = 0;
  return TRUE;
}

static gboolean
gst_cardiac_overlay_stop (GstBaseTransform *trans)
{
  GstCardiacOverlay *self = GST_CARDIAC_OVERLAY (trans);

  overlay_blend_clear (&self->blend);
  bullseye_file_clear (&self->file);
  cardiac_overlay_free (&self->overlay);
  return TRUE;
}

/* ---- caps -------------------------------------------------------------- */

/* Within the picture the strip may travel as a composition, for a sink to draw
 * in its own resolution. A composition of others that comes in stays one. What
 * is possible is both; which one it is, is decided when caps come, because the
 * base class would take caps without change if it could. */
static GstCaps *
choose_feature (
    GstCardiacOverlay *self, GstPadDirection direction, GstCaps *caps)
{
  GstCaps *with = overlay_caps_set_composition (caps, TRUE);
  GstCaps *result;

  if (direction == GST_PAD_SRC || !self->negotiating) {
    result = gst_caps_merge (overlay_caps_set_composition (caps, FALSE), with);
  } else if (gst_caps_is_subset (caps, with)
             || overlay_caps_takes_composition (
                 GST_BASE_TRANSFORM_SRC_PAD (self), with)) {
    result = with;
  } else {
    result = overlay_caps_set_composition (caps, FALSE);
    gst_caps_unref (with);
  }
  return result;
}

static GstCaps *
intersect (GstCaps *first, GstCaps *second)
{
  GstCaps *common =
      gst_caps_intersect_full (first, second, GST_CAPS_INTERSECT_FIRST);

  gst_caps_unref (first);
  gst_caps_unref (second);
  return common;
}

static GstCaps *
gst_cardiac_overlay_transform_caps (GstBaseTransform *trans,
    GstPadDirection direction, GstCaps *caps, GstCaps *filter)
{
  GstCardiacOverlay *self = GST_CARDIAC_OVERLAY (trans);
  GstPad *other = direction == GST_PAD_SINK ? trans->srcpad : trans->sinkpad;
  GstCardiacLayout layout;
  GstCardiacContent content;
  GstCaps *result;

  GST_OBJECT_LOCK (self);
  layout = self->grown ? GST_CARDIAC_LAYOUT_PANEL : self->settings.layout;
  content = self->settings.content;
  GST_OBJECT_UNLOCK (self);

  if (layout == GST_CARDIAC_LAYOUT_PANEL)
    result = overlay_caps_resize (direction, caps, content);
  else
    result = choose_feature (self, direction, caps);
  result = intersect (result, gst_pad_get_pad_template_caps (other));
  if (filter)
    result = intersect (gst_caps_ref (filter), result);
  return result;
}

static gboolean
gst_cardiac_overlay_sink_event (GstBaseTransform *trans, GstEvent *event)
{
  GstCardiacOverlay *self = GST_CARDIAC_OVERLAY (trans);
  gboolean handled;

  if (GST_EVENT_TYPE (event) == GST_EVENT_EOS && self->overlay) {
    OverlaySettings settings = copy_settings (self);

    bullseye_file_finish (&self->file, GST_ELEMENT (self), self->overlay,
        &settings, &self->palette);
    overlay_settings_clear (&settings);
  }
  self->negotiating = GST_EVENT_TYPE (event) == GST_EVENT_CAPS;
  handled = GST_BASE_TRANSFORM_CLASS (gst_cardiac_overlay_parent_class)
                ->sink_event (trans, event);
  self->negotiating = FALSE;
  return handled;
}

static gboolean
gst_cardiac_overlay_set_info (GstVideoFilter *filter, GstCaps *in_caps,
    GstVideoInfo *in, GstCaps *out_caps, GstVideoInfo *out)
{
  GstCardiacOverlay *self = GST_CARDIAC_OVERLAY (filter);

  cardiac_overlay_forget (self->overlay);
  overlay_blend_clear (&self->blend);
  self->below = self->layout == GST_CARDIAC_LAYOUT_PANEL
                && overlay_caps_is_below (self->content,
                    GST_VIDEO_INFO_WIDTH (in), GST_VIDEO_INFO_HEIGHT (in));
  self->observed = GST_CLOCK_TIME_NONE;
  self->observations = 0;
  self->attach_known = FALSE;
  self->stuck = FALSE;
  return TRUE;
}

/* The picture keeps its place and size on the canvas: whatever is said about
 * pixels stays true. */
static gboolean
gst_cardiac_overlay_transform_meta (
    GstBaseTransform *trans, GstBuffer *out, GstMeta *meta, GstBuffer *in)
{
  static GQuark memory = 0;

  if (!memory)
    memory = g_quark_from_static_string (GST_META_TAG_MEMORY_STR);
  return !gst_meta_api_type_has_tag (meta->info->api, memory);
}

/* ---- drawing ----------------------------------------------------------- */

static void
gst_cardiac_overlay_before_transform (
    GstBaseTransform *trans, GstBuffer *buffer)
{
  GstClockTime time = GST_BUFFER_PTS (buffer);

  if (GST_CLOCK_TIME_IS_VALID (time))
    gst_object_sync_values (GST_OBJECT (trans), time);
}

static GstClockTime
get_stream_time (GstCardiacOverlay *self, GstBuffer *buffer)
{
  GstSegment *segment = &GST_BASE_TRANSFORM (self)->segment;

  if (!GST_BUFFER_PTS_IS_VALID (buffer) || segment->format != GST_FORMAT_TIME)
    return GST_CLOCK_TIME_NONE;
  return gst_segment_to_stream_time (
      segment, GST_FORMAT_TIME, GST_BUFFER_PTS (buffer));
}

/* Asked for once: the length of a recording does not change. */
static GstClockTime
get_duration (GstCardiacOverlay *self)
{
  gint64 duration;

  if (!self->duration_known) {
    self->duration_known = TRUE;
    if (gst_pad_peer_query_duration (
            GST_BASE_TRANSFORM_SINK_PAD (self), GST_FORMAT_TIME, &duration)
        && duration > 0)
      self->duration = duration;
  }
  return self->duration;
}

static void
observe (GstCardiacOverlay *self, const GstVideoFrame *frame, GstClockTime time)
{
  guint component = GST_VIDEO_INFO_IS_RGB (&frame->info) ? 1 : 0;

  if (GST_CLOCK_TIME_IS_VALID (self->observed) && GST_CLOCK_TIME_IS_VALID (time)
      && time >= self->observed && time - self->observed < OBSERVE_INTERVAL)
    return;
  self->observed = time;
  self->observations++;
  cardiac_overlay_observe_luma (self->overlay,
      GST_VIDEO_FRAME_COMP_DATA (frame, component),
      GST_VIDEO_FRAME_WIDTH (frame), GST_VIDEO_FRAME_HEIGHT (frame),
      GST_VIDEO_FRAME_COMP_STRIDE (frame, component),
      GST_VIDEO_FRAME_COMP_PSTRIDE (frame, component));
}

static void
warn_when_covering (GstCardiacOverlay *self)
{
  if (self->warned_covers || self->observations < 4
      || cardiac_overlay_strip_covers (self->overlay) <= COVERS_TOO_MUCH)
    return;
  self->warned_covers++;
  GST_ELEMENT_WARNING (self, STREAM, FAILED,
      ("The picture leaves no room for the text strip, which covers parts of "
       "it. Use layout=panel."),
      (NULL));
}

/* An unknown kind of record is no reason to stop: it is not drawn. */
static GstCardiacResultMeta *
get_result (GstCardiacOverlay *self, GstBuffer *buffer)
{
  GstCardiacResultMeta *meta = gst_buffer_get_cardiac_result_meta (buffer);

  if (!meta || !meta->result || meta->result->type == GST_CARDIAC_RESULT_MREG
      || meta->result->type == GST_CARDIAC_RESULT_MMSA)
    return meta && meta->result ? meta : NULL;
  if (self->warned_unknown++ == 0)
    GST_WARNING_OBJECT (self, "records of another kind are not drawn");
  return NULL;
}

/* What is drawn follows the record; without one, the canvas or the picture. */
static gboolean
shows_wall_motion (GstCardiacOverlay *self, const GstCardiacResultMeta *meta,
    GstBuffer *buffer, const GstVideoFrame *picture)
{
  /* The canvas has no room where its panel would lie. */
  if (self->layout == GST_CARDIAC_LAYOUT_PANEL && !self->below
      && cardiac_mmsa_panel_is_below (
          GST_VIDEO_FRAME_WIDTH (picture), GST_VIDEO_FRAME_HEIGHT (picture)))
    return FALSE;
  if (meta && !self->below)
    return meta->result->type == GST_CARDIAC_RESULT_MMSA;
  return self->below || self->content == GST_CARDIAC_CONTENT_MMSA
         || gst_buffer_get_cardiac_slice_meta (buffer, -1) != NULL;
}

/* Places by hand and those that the video tells. */
static void
find_places (RegionPlaces *places, const OverlaySettings *settings,
    GstBuffer *buffer, const GstVideoInfo *info)
{
  places->n_pictures = 0;
  places->n_no_draw = settings->n_no_draw;
  memcpy (places->no_draw, settings->no_draw,
      settings->n_no_draw * sizeof settings->no_draw[0]);
  regions_add_places (places, buffer, info);
}

static void
fill_mreg (GstCardiacOverlay *self, CardiacMRegView *view,
    const OverlaySettings *settings, const RegionPlaces *places,
    const GstVideoInfo *info)
{
  cardiac_mreg_view_init (view);
  view->picture_width = GST_VIDEO_INFO_WIDTH (info);
  view->picture_height = GST_VIDEO_INFO_HEIGHT (info);
  view->layout = self->layout == GST_CARDIAC_LAYOUT_PANEL
                     ? CARDIAC_OVERLAY_PANEL
                     : CARDIAC_OVERLAY_INSIDE;
  view->enabled = settings->enabled;
  view->hide_marks = settings->hide_marks;
  view->withhold_grade = settings->withhold_grade;
  view->map_mode = (CardiacOverlayMap) settings->map;
  view->fill_alpha = settings->fill_alpha;
  view->no_draw = places->no_draw;
  view->n_no_draw = places->n_no_draw;
  view->pictures = places->pictures;
  view->n_pictures = places->n_pictures;
  view->nyquist = settings->nyquist;
  view->note = settings->note;
}

static guint
draw_mreg (GstCardiacOverlay *self, GstBuffer *buffer,
    const GstCardiacResultMeta *meta, const GstVideoFrame *picture,
    const OverlaySettings *settings, const CardiacOverlayRectangle **rectangles)
{
  GstClockTime time = get_stream_time (self, buffer);
  OverlayViewText text;
  CardiacMRegView view;
  RegionPlaces places;
  guint count;

  find_places (&places, settings, buffer, &picture->info);
  fill_mreg (self, &view, settings, &places, &picture->info);
  overlay_view_fill (&view, &text, meta,
      gst_buffer_get_cardiac_geometry_meta (buffer), time,
      meta && meta->result->is_final ? get_duration (self)
                                     : GST_CLOCK_TIME_NONE);
  if (meta && meta->result->type == GST_CARDIAC_RESULT_MMSA)
    view.reason = "a result of wall motion needs content=mmsa";
  view.draw_roi = view.draw_roi && settings->draw_roi;

  if (view.layout == CARDIAC_OVERLAY_INSIDE)
    observe (self, picture, time);
  count = MAX (0, cardiac_overlay_draw_mreg (self->overlay, &view, rectangles));
  if (view.layout == CARDIAC_OVERLAY_INSIDE)
    warn_when_covering (self);
  return count;
}

/* Whether the strip, whatever it may say of this record, has to lie on a place
 * that stays free. One of wall motion goes where it covers least. */
static gboolean
lacks_room (GstCardiacOverlay *self, GstBuffer *buffer)
{
  const GstVideoInfo *info = &GST_VIDEO_FILTER (self)->in_info;
  GstCardiacResultMeta *meta = get_result (self, buffer);
  OverlaySettings settings;
  OverlayViewText text;
  CardiacMRegView view;
  RegionPlaces places;
  gboolean room;

  if (meta ? meta->result->type == GST_CARDIAC_RESULT_MMSA
           : self->content == GST_CARDIAC_CONTENT_MMSA
                 || gst_buffer_get_cardiac_slice_meta (buffer, -1))
    return FALSE;
  settings = copy_settings (self);
  find_places (&places, &settings, buffer, info);
  fill_mreg (self, &view, &settings, &places, info);
  overlay_view_fill_model (&view, &text, meta);
  room = cardiac_overlay_strip_has_room (self->overlay, &view);
  overlay_settings_clear (&settings);
  return !room;
}

/* The panel instead, if downstream takes its size. */
static void
grow (GstCardiacOverlay *self)
{
  GstBaseTransform *trans = GST_BASE_TRANSFORM (self);
  GstCaps *caps = gst_pad_get_current_caps (GST_BASE_TRANSFORM_SINK_PAD (self));
  GstCaps *canvas = overlay_caps_resize (GST_PAD_SINK, caps, self->content);
  gboolean taken = !gst_caps_is_empty (canvas)
                   && gst_pad_peer_query_accept_caps (
                       GST_BASE_TRANSFORM_SRC_PAD (self), canvas);

  gst_caps_unref (caps);
  gst_caps_unref (canvas);
  if (!taken) {
    self->stuck = TRUE;
    GST_ELEMENT_WARNING (self, STREAM, FAILED,
        ("Regions of the screen leave no room for the text strip, which covers "
         "parts of them, and no panel fits downstream. Use layout=panel."),
        (NULL));
    return;
  }
  GST_ELEMENT_INFO (self, STREAM, FORMAT,
      ("Regions of the screen leave no room for the text strip: it is a panel "
       "beside the picture."),
      (NULL));
  self->layout = GST_CARDIAC_LAYOUT_PANEL;
  GST_OBJECT_LOCK (self);
  self->grown = TRUE;
  GST_OBJECT_UNLOCK (self);
  gst_base_transform_set_in_place (trans, FALSE);
  gst_base_transform_reconfigure_src (trans);
}

static GstFlowReturn
gst_cardiac_overlay_submit_input_buffer (
    GstBaseTransform *trans, gboolean is_discont, GstBuffer *buffer)
{
  GstCardiacOverlay *self = GST_CARDIAC_OVERLAY (trans);

  if (self->layout == GST_CARDIAC_LAYOUT_INSIDE && !self->stuck
      && GST_VIDEO_FILTER (self)->negotiated && lacks_room (self, buffer))
    grow (self);
  return GST_BASE_TRANSFORM_CLASS (gst_cardiac_overlay_parent_class)
      ->submit_input_buffer (trans, is_discont, buffer);
}

static void
fill_mmsa (GstCardiacOverlay *self, CardiacMmsaView *view,
    const OverlaySettings *settings, const GstVideoFrame *picture)
{
  cardiac_mmsa_view_init (view);
  view->picture_width = GST_VIDEO_FRAME_WIDTH (picture);
  view->picture_height = GST_VIDEO_FRAME_HEIGHT (picture);
  view->layout = self->layout == GST_CARDIAC_LAYOUT_PANEL
                     ? CARDIAC_OVERLAY_PANEL
                     : CARDIAC_OVERLAY_INSIDE;
  view->enabled = settings->enabled;
  view->hide_marks = settings->hide_marks;
  view->withhold_scores = settings->withhold_grade;
  view->draw_motion = settings->draw_motion;
  view->least_scored = settings->min_scored;
  view->rv_anterior_angle = settings->rv_anterior_angle;
  view->no_draw = settings->no_draw;
  view->n_no_draw = settings->n_no_draw;
  view->note = settings->note;
  view->palette = &self->palette;
}

static guint
draw_mmsa (GstCardiacOverlay *self, GstBuffer *buffer,
    const GstCardiacResultMeta *meta, const GstVideoFrame *picture,
    const OverlaySettings *settings, const CardiacOverlayRectangle **rectangles)
{
  GstCardiacResult *result = meta ? meta->result : NULL;
  OverlayViewText text;
  CardiacMmsaView view;

  fill_mmsa (self, &view, settings, picture);
  overlay_mmsa_view_fill_slices (&view, buffer);
  if (result && result->type != GST_CARDIAC_RESULT_MMSA) {
    view.reason = "a result of mitral regurgitation needs content=mreg";
  } else {
    overlay_mmsa_view_fill_result (&view, &text, result);
    if (meta)
      overlay_mmsa_view_fill_frame (&view, meta);
    if (result)
      bullseye_file_see (&self->file, GST_ELEMENT (self), self->overlay,
          settings, result, &view);
  }
  return MAX (0, cardiac_overlay_draw_mmsa (self->overlay, &view, rectangles));
}

static guint
draw (GstCardiacOverlay *self, GstBuffer *buffer, const GstVideoFrame *picture,
    const CardiacOverlayRectangle **rectangles)
{
  GstCardiacResultMeta *meta = get_result (self, buffer);
  OverlaySettings settings = copy_settings (self);
  guint count;

  if (shows_wall_motion (self, meta, buffer, picture))
    count = draw_mmsa (self, buffer, meta, picture, &settings, rectangles);
  else
    count = draw_mreg (self, buffer, meta, picture, &settings, rectangles);
  overlay_settings_clear (&settings);
  return count;
}

/* The marking has to be in every frame: one that cannot be drawn on does not
 * pass. */
static GstFlowReturn
finish (GstCardiacOverlay *self, gboolean drawn)
{
  if (drawn)
    return GST_FLOW_OK;
  GST_ELEMENT_ERROR (self, STREAM, FAILED,
      ("The overlay cannot be drawn; without its marking no frame passes."),
      (NULL));
  return GST_FLOW_ERROR;
}

static GstFlowReturn
gst_cardiac_overlay_transform_frame_ip (
    GstVideoFilter *filter, GstVideoFrame *frame)
{
  GstCardiacOverlay *self = GST_CARDIAC_OVERLAY (filter);
  const CardiacOverlayRectangle *rectangles;
  guint count = draw (self, frame->buffer, frame, &rectangles);

  if (!self->attach_known) {
    self->attach = overlay_blend_may_attach (GST_BASE_TRANSFORM_SRC_PAD (self));
    GST_INFO_OBJECT (self, "the overlay is %s",
        self->attach ? "attached for downstream to draw" : "drawn here");
  }
  self->attach_known = TRUE;
  return finish (self, self->attach ? overlay_blend_attach (
                           &self->blend, frame->buffer, rectangles, count)
                                    : overlay_blend_draw (&self->blend, frame,
                                        rectangles, count));
}

/* What neither picture nor panel covers. */
static void
blacken_rest (
    GstCardiacOverlay *self, GstVideoFrame *out, const GstVideoFrame *in)
{
  gint width = GST_VIDEO_FRAME_WIDTH (in), height = GST_VIDEO_FRAME_HEIGHT (in);

  if (!self->below && GST_VIDEO_FRAME_HEIGHT (out) > height)
    panel_copy_blacken (out, GST_VIDEO_FRAME_WIDTH (out), height);
  if (self->below && (GST_VIDEO_FRAME_WIDTH (out) > width || height % 2 != 0))
    panel_copy_blacken (out, width, height);
}

static GstFlowReturn
gst_cardiac_overlay_transform_frame (
    GstVideoFilter *filter, GstVideoFrame *in, GstVideoFrame *out)
{
  GstCardiacOverlay *self = GST_CARDIAC_OVERLAY (filter);
  const CardiacOverlayRectangle *rectangles;
  guint count = draw (self, in->buffer, in, &rectangles);

  panel_copy_frame (out, 0, 0, in);
  blacken_rest (self, out, in);
  return finish (
      self, overlay_blend_draw (&self->blend, out, rectangles, count));
}
