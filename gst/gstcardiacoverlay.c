/* SPDX-License-Identifier: LGPL-2.1-or-later */

/**
 * SECTION:element-cardiacoverlay
 * @title: cardiacoverlay
 * @short_description: draws cardiac results onto the video
 *
 * Draws what the metas of mregclassify and mregroi say: the grade or the reason
 * why there is none, a per-frame curve, contours of the network's activation,
 * the model and its state. It decides nothing itself, and without metas it says
 * that no result comes.
 *
 * With `layout=inside` a strip lies within the picture; with `layout=panel` the
 * canvas grows and nothing of the picture is covered. Drawing happens in the
 * video's own format, or is left to a sink that takes overlay compositions.
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
 */

#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include "gstcardiacoverlay.h"

#include <mreg-overlay.h>
#include <string.h>

#include "gstcardiacenums.h"
#include "meta/gstcardiacmeta.h"
#include "overlaycache.h"
#include "overlayview.h"
#include "panelcopy.h"
#include "videoimage.h"

GST_DEBUG_CATEGORY_STATIC (cardiac_overlay_debug);
#define GST_CAT_DEFAULT cardiac_overlay_debug

#define DEFAULT_LAYOUT GST_CARDIAC_LAYOUT_INSIDE
#define DEFAULT_ENABLED TRUE
#define DEFAULT_HIDE_MARKS FALSE
#define DEFAULT_WITHHOLD_GRADE FALSE
#define DEFAULT_DRAW_ROI TRUE
#define DEFAULT_MAP GST_CARDIAC_MAP_STYLE_CONTOUR
#define DEFAULT_FILL_ALPHA CARDIAC_OVERLAY_DEFAULT_FILL_ALPHA
#define DEFAULT_NO_DRAW ""
#define DEFAULT_NYQUIST NULL
#define DEFAULT_NOTE NULL

/* What can be drawn on, in pixels. */
#define MIN_SIZE 64
#define MAX_SIZE 16384
#define SIZE_RANGE "[ 64, 16384 ]"

/* The strip looks for a free place so often. */
#define OBSERVE_INTERVAL (300 * GST_MSECOND)
/* A strip that covers more than this of the picture is worth a warning. */
#define COVERS_TOO_MUCH 0.05

enum {
  PROP_0,
  PROP_LAYOUT,
  PROP_ENABLED,
  PROP_HIDE_MARKS,
  PROP_WITHHOLD_GRADE,
  PROP_DRAW_ROI,
  PROP_MAP,
  PROP_FILL_ALPHA,
  PROP_NO_DRAW,
  PROP_NYQUIST,
  PROP_NOTE,
};

typedef struct {
  GstCardiacLayout layout;
  gboolean enabled, hide_marks, withhold_grade, draw_roi;
  GstCardiacMapStyle map;
  gdouble fill_alpha;
  guint n_no_draw;
  CardiacOverlayBox no_draw[CARDIAC_OVERLAY_MAX_NO_DRAW];
} Settings;

struct _GstCardiacOverlay {
  GstVideoFilter parent;

  /* properties, under the object lock */
  Settings settings;
  gchar *no_draw_text, *nyquist, *note;

  /* streaming thread */
  CardiacOverlay *overlay;
  OverlayCache cache;
  PanelCopy panel;
  GstCardiacLayout layout; /* while running */
  gboolean attach;         /* a composition to the buffer; else blend it */
  gboolean attach_known;
  gboolean negotiating;  /* a caps event is being handled */
  GstClockTime observed; /* newest picture shown to the overlay */
  guint observations;
  GstClockTime duration;
  gboolean duration_known;
  guint warned_covers, warned_unknown;
};

#define FIELDS                                                                 \
  ", format = (string) " CARDIAC_VIDEO_FORMATS ", width = (int) " SIZE_RANGE   \
  ", height = (int) " SIZE_RANGE ", framerate = (fraction) [ 0, max ]"

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
static void gst_cardiac_overlay_before_transform (
    GstBaseTransform *trans, GstBuffer *buffer);
static gboolean gst_cardiac_overlay_set_info (GstVideoFilter *filter,
    GstCaps *in_caps, GstVideoInfo *in, GstCaps *out_caps, GstVideoInfo *out);
static GstFlowReturn gst_cardiac_overlay_transform_frame (
    GstVideoFilter *filter, GstVideoFrame *in, GstVideoFrame *out);
static GstFlowReturn gst_cardiac_overlay_transform_frame_ip (
    GstVideoFilter *filter, GstVideoFrame *frame);

static void
install_properties (GObjectClass *klass)
{
  const GParamFlags flags = G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS;
  const GParamFlags live =
      flags | GST_PARAM_MUTABLE_PLAYING | GST_PARAM_CONTROLLABLE;

  /**
   * GstCardiacOverlay:layout:
   *
   * Whether text lies within the picture or beside it.
   */
  g_object_class_install_property (klass, PROP_LAYOUT,
      g_param_spec_enum ("layout", "Layout",
          "A strip within the picture, or a panel on a larger canvas",
          GST_TYPE_CARDIAC_LAYOUT, DEFAULT_LAYOUT,
          flags | GST_PARAM_MUTABLE_READY));
  /**
   * GstCardiacOverlay:enabled:
   *
   * False leaves the research marking and the model's identity only.
   */
  g_object_class_install_property (klass, PROP_ENABLED,
      g_param_spec_boolean ("enabled", "Enabled",
          "Draw results; the research marking stays in either case",
          DEFAULT_ENABLED, live));
  /**
   * GstCardiacOverlay:hide-marks:
   *
   * A momentary look at the bare picture: no contours, fill or box.
   */
  g_object_class_install_property (klass, PROP_HIDE_MARKS,
      g_param_spec_boolean ("hide-marks", "Hide marks",
          "Draw nothing on the heart; text stays", DEFAULT_HIDE_MARKS, live));
  /**
   * GstCardiacOverlay:withhold-grade:
   *
   * The reader grades first: grade, value, curve and activation are not shown.
   */
  g_object_class_install_property (klass, PROP_WITHHOLD_GRADE,
      g_param_spec_boolean ("withhold-grade", "Withhold grade",
          "Show no grade, value, curve or activation (the reader comes first)",
          DEFAULT_WITHHOLD_GRADE, live));
  /**
   * GstCardiacOverlay:draw-roi:
   *
   * Corner brackets around the region that is analysed.
   */
  g_object_class_install_property (klass, PROP_DRAW_ROI,
      g_param_spec_boolean ("draw-roi", "Draw region",
          "Draw corner brackets around the region of interest",
          DEFAULT_DRAW_ROI, live));
  /**
   * GstCardiacOverlay:map:
   *
   * How the network's activation is drawn. It is no jet area.
   */
  g_object_class_install_property (klass, PROP_MAP,
      g_param_spec_enum ("map", "Map",
          "How the network's activation is drawn (it is no jet area)",
          GST_TYPE_CARDIAC_MAP_STYLE, DEFAULT_MAP, live));
  /**
   * GstCardiacOverlay:fill-alpha:
   *
   * Opacity of `map=fill`. More than 0.35 would falsify Doppler colours and is
   * drawn as 0.35.
   */
  g_object_class_install_property (klass, PROP_FILL_ALPHA,
      g_param_spec_double ("fill-alpha", "Fill alpha",
          "Opacity of map=fill; above 0.35 it is 0.35", 0, 1,
          DEFAULT_FILL_ALPHA, live));
  /**
   * GstCardiacOverlay:no-draw:
   *
   * Places that stay free, "x,y,width,height;x,y,width,height;..." in pixels:
   * the ECG, the colour bar, the patient's name.
   */
  g_object_class_install_property (klass, PROP_NO_DRAW,
      g_param_spec_string ("no-draw", "No draw",
          "Places that stay free: x,y,width,height;... in pixels",
          DEFAULT_NO_DRAW, flags | GST_PARAM_MUTABLE_PLAYING));
  /**
   * GstCardiacOverlay:nyquist:
   *
   * Velocity scale of the Doppler, such as "52 cm/s"; the size of a jet depends
   * on it.
   */
  g_object_class_install_property (klass, PROP_NYQUIST,
      g_param_spec_string ("nyquist", "Nyquist limit",
          "Velocity scale to print, such as \"52 cm/s\"; unset: unknown",
          DEFAULT_NYQUIST, flags | GST_PARAM_MUTABLE_PLAYING));
  /**
   * GstCardiacOverlay:note:
   *
   * One more short remark.
   */
  g_object_class_install_property (klass, PROP_NOTE,
      g_param_spec_string ("note", "Note", "One more short remark",
          DEFAULT_NOTE, flags | GST_PARAM_MUTABLE_PLAYING));
}

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
  install_properties (gobject_class);

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
  trans_class->before_transform = gst_cardiac_overlay_before_transform;
  filter_class->set_info = gst_cardiac_overlay_set_info;
  filter_class->transform_frame = gst_cardiac_overlay_transform_frame;
  filter_class->transform_frame_ip = gst_cardiac_overlay_transform_frame_ip;
}

static void
gst_cardiac_overlay_init (GstCardiacOverlay *self)
{
  Settings *settings = &self->settings;

  settings->layout = self->layout = DEFAULT_LAYOUT;
  settings->enabled = DEFAULT_ENABLED;
  settings->hide_marks = DEFAULT_HIDE_MARKS;
  settings->withhold_grade = DEFAULT_WITHHOLD_GRADE;
  settings->draw_roi = DEFAULT_DRAW_ROI;
  settings->map = DEFAULT_MAP;
  settings->fill_alpha = DEFAULT_FILL_ALPHA;
  self->no_draw_text = g_strdup (DEFAULT_NO_DRAW);
  self->duration = GST_CLOCK_TIME_NONE;

  gst_base_transform_set_in_place (
      GST_BASE_TRANSFORM (self), DEFAULT_LAYOUT == GST_CARDIAC_LAYOUT_INSIDE);
  /* A slow display must not cost frames of a recording behind a tee. */
  gst_base_transform_set_qos_enabled (GST_BASE_TRANSFORM (self), FALSE);
}

static void
gst_cardiac_overlay_finalize (GObject *object)
{
  GstCardiacOverlay *self = GST_CARDIAC_OVERLAY (object);

  g_free (self->no_draw_text);
  g_free (self->nyquist);
  g_free (self->note);
  G_OBJECT_CLASS (gst_cardiac_overlay_parent_class)->finalize (object);
}

/* ---- properties -------------------------------------------------------- */

static void
set_string (gchar **string, const GValue *value)
{
  g_free (*string);
  *string = g_value_dup_string (value);
}

static void
set_no_draw (GstCardiacOverlay *self, const GValue *value)
{
  const gchar *text = g_value_get_string (value);
  gchar **parts = g_strsplit (text ? text : "", ";", -1);
  CardiacOverlayBox boxes[CARDIAC_OVERLAY_MAX_NO_DRAW];
  guint count = 0;

  for (guint i = 0; parts[i]; i++) {
    GstCardiacBox box;

    if (!*g_strstrip (parts[i]))
      continue;
    if (count == CARDIAC_OVERLAY_MAX_NO_DRAW
        || !video_image_parse_box (parts[i], &box)) {
      g_warning ("no-draw \"%s\" is not a list of up to %d "
                 "\"x,y,width,height\" in pixels",
          text, CARDIAC_OVERLAY_MAX_NO_DRAW);
      goto done;
    }
    boxes[count].x = box.x;
    boxes[count].y = box.y;
    boxes[count].width = box.w;
    boxes[count++].height = box.h;
  }

  GST_OBJECT_LOCK (self);
  set_string (&self->no_draw_text, value);
  memcpy (self->settings.no_draw, boxes, count * sizeof boxes[0]);
  self->settings.n_no_draw = count;
  GST_OBJECT_UNLOCK (self);

done:
  g_strfreev (parts);
}

static void
gst_cardiac_overlay_set_property (
    GObject *object, guint id, const GValue *value, GParamSpec *pspec)
{
  GstCardiacOverlay *self = GST_CARDIAC_OVERLAY (object);
  Settings *settings = &self->settings;

  if (id == PROP_NO_DRAW) {
    set_no_draw (self, value);
    return;
  }
  if (id == PROP_FILL_ALPHA
      && g_value_get_double (value) > CARDIAC_OVERLAY_MAX_FILL_ALPHA)
    g_warning ("fill-alpha %.2f would falsify Doppler colours; drawn as %.2f",
        g_value_get_double (value), CARDIAC_OVERLAY_MAX_FILL_ALPHA);

  GST_OBJECT_LOCK (self);
  switch (id) {
    case PROP_LAYOUT:
      settings->layout = g_value_get_enum (value);
      break;
    case PROP_ENABLED:
      settings->enabled = g_value_get_boolean (value);
      break;
    case PROP_HIDE_MARKS:
      settings->hide_marks = g_value_get_boolean (value);
      break;
    case PROP_WITHHOLD_GRADE:
      settings->withhold_grade = g_value_get_boolean (value);
      break;
    case PROP_DRAW_ROI:
      settings->draw_roi = g_value_get_boolean (value);
      break;
    case PROP_MAP:
      settings->map = g_value_get_enum (value);
      break;
    case PROP_FILL_ALPHA:
      settings->fill_alpha =
          MIN (g_value_get_double (value), CARDIAC_OVERLAY_MAX_FILL_ALPHA);
      break;
    case PROP_NYQUIST:
      set_string (&self->nyquist, value);
      break;
    case PROP_NOTE:
      set_string (&self->note, value);
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
      break;
  }
  GST_OBJECT_UNLOCK (self);
}

static void
gst_cardiac_overlay_get_property (
    GObject *object, guint id, GValue *value, GParamSpec *pspec)
{
  GstCardiacOverlay *self = GST_CARDIAC_OVERLAY (object);
  const Settings *settings = &self->settings;

  GST_OBJECT_LOCK (self);
  switch (id) {
    case PROP_LAYOUT:
      g_value_set_enum (value, settings->layout);
      break;
    case PROP_ENABLED:
      g_value_set_boolean (value, settings->enabled);
      break;
    case PROP_HIDE_MARKS:
      g_value_set_boolean (value, settings->hide_marks);
      break;
    case PROP_WITHHOLD_GRADE:
      g_value_set_boolean (value, settings->withhold_grade);
      break;
    case PROP_DRAW_ROI:
      g_value_set_boolean (value, settings->draw_roi);
      break;
    case PROP_MAP:
      g_value_set_enum (value, settings->map);
      break;
    case PROP_FILL_ALPHA:
      g_value_set_double (value, settings->fill_alpha);
      break;
    case PROP_NO_DRAW:
      g_value_set_string (value, self->no_draw_text);
      break;
    case PROP_NYQUIST:
      g_value_set_string (value, self->nyquist);
      break;
    case PROP_NOTE:
      g_value_set_string (value, self->note);
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
      break;
  }
  GST_OBJECT_UNLOCK (self);
}

/* ---- life cycle -------------------------------------------------------- */

static gboolean
gst_cardiac_overlay_start (GstBaseTransform *trans)
{
  GstCardiacOverlay *self = GST_CARDIAC_OVERLAY (trans);

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

  GST_OBJECT_LOCK (self);
  self->layout = self->settings.layout;
  GST_OBJECT_UNLOCK (self);
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

  overlay_cache_clear (&self->cache);
  panel_copy_clear (&self->panel);
  cardiac_overlay_free (&self->overlay);
  return TRUE;
}

/* ---- caps -------------------------------------------------------------- */

static void
set_size_range (GstStructure *structure)
{
  gst_structure_set (structure, "width", GST_TYPE_INT_RANGE, MIN_SIZE, MAX_SIZE,
      "height", GST_TYPE_INT_RANGE, MIN_SIZE, MAX_SIZE, NULL);
}

/* The canvas of a picture of known size; else any size. */
static gboolean
set_canvas_size (GstStructure *structure)
{
  gint width, height, canvas_width, canvas_height;

  if (!gst_structure_get_int (structure, "width", &width)
      || !gst_structure_get_int (structure, "height", &height)) {
    set_size_range (structure);
    return TRUE;
  }
  if (!cardiac_overlay_panel_size (
          width, height, &canvas_width, &canvas_height))
    return FALSE;
  gst_structure_set (structure, "width", G_TYPE_INT, canvas_width, "height",
      G_TYPE_INT, canvas_height, NULL);
  return TRUE;
}

/* Sizes across the element when the canvas is larger than the picture. */
static GstCaps *
resize_caps (GstPadDirection direction, GstCaps *caps)
{
  GstCaps *result = gst_caps_new_empty ();

  for (guint i = 0; i < gst_caps_get_size (caps); i++) {
    GstStructure *structure =
        gst_structure_copy (gst_caps_get_structure (caps, i));

    if (direction == GST_PAD_SRC) {
      /* Which picture a canvas belongs to is not asked: upstream decides. */
      set_size_range (structure);
    } else if (!set_canvas_size (structure)) {
      gst_structure_free (structure);
      continue;
    }
    gst_caps_append_structure_full (result, structure,
        gst_caps_features_copy (gst_caps_get_features (caps, i)));
  }
  return result;
}

static GstCaps *
set_composition_feature (GstCaps *caps, gboolean composition)
{
  GstCaps *result = gst_caps_copy (caps);

  for (guint i = 0; i < gst_caps_get_size (result); i++) {
    GstCapsFeatures *features = gst_caps_get_features (result, i);

    if (gst_caps_features_is_any (features))
      continue;
    gst_caps_features_remove (
        features, GST_CAPS_FEATURE_META_GST_VIDEO_OVERLAY_COMPOSITION);
    if (!composition)
      continue;
    if (gst_caps_features_get_size (features) == 0)
      gst_caps_features_add (features, GST_CAPS_FEATURE_MEMORY_SYSTEM_MEMORY);
    gst_caps_features_add (
        features, GST_CAPS_FEATURE_META_GST_VIDEO_OVERLAY_COMPOSITION);
  }
  return result;
}

/* Whether downstream names the feature; one that takes anything does not. */
static gboolean
takes_composition (GstCardiacOverlay *self, GstCaps *with_feature)
{
  GstCaps *peer =
      gst_pad_peer_query_caps (GST_BASE_TRANSFORM_SRC_PAD (self), with_feature);
  gboolean takes = FALSE;

  for (guint i = 0; i < gst_caps_get_size (peer) && !takes; i++) {
    GstCapsFeatures *features = gst_caps_get_features (peer, i);

    takes = !gst_caps_features_is_any (features)
            && gst_caps_features_contains (
                features, GST_CAPS_FEATURE_META_GST_VIDEO_OVERLAY_COMPOSITION);
  }
  takes = takes && !gst_caps_is_any (peer);
  gst_caps_unref (peer);
  return takes;
}

/* Within the picture the strip may travel as a composition, for a sink to draw
 * in its own resolution. A composition of others that comes in stays one. What
 * is possible is both; which one it is, is decided when caps come, because the
 * base class would take caps without change if it could. */
static GstCaps *
choose_feature (
    GstCardiacOverlay *self, GstPadDirection direction, GstCaps *caps)
{
  GstCaps *with = set_composition_feature (caps, TRUE);
  GstCaps *result;

  if (direction == GST_PAD_SRC || !self->negotiating) {
    result = gst_caps_merge (set_composition_feature (caps, FALSE), with);
  } else if (gst_caps_is_subset (caps, with)
             || takes_composition (self, with)) {
    result = with;
  } else {
    result = set_composition_feature (caps, FALSE);
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
  GstCaps *result;

  GST_OBJECT_LOCK (self);
  layout = self->settings.layout;
  GST_OBJECT_UNLOCK (self);

  if (layout == GST_CARDIAC_LAYOUT_PANEL)
    result = resize_caps (direction, caps);
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

  self->negotiating = GST_EVENT_TYPE (event) == GST_EVENT_CAPS;
  handled = GST_BASE_TRANSFORM_CLASS (gst_cardiac_overlay_parent_class)
                ->sink_event (trans, event);
  self->negotiating = FALSE;
  return handled;
}

static gboolean
has_composition_feature (GstCaps *caps)
{
  return gst_caps_features_contains (gst_caps_get_features (caps, 0),
      GST_CAPS_FEATURE_META_GST_VIDEO_OVERLAY_COMPOSITION);
}

/* Asked with the first frame of a format: an element that works in place makes
 * no allocation query of its own accord, and downstream knows the caps now. */
static gboolean
find_attach (GstCardiacOverlay *self)
{
  GstPad *pad = GST_BASE_TRANSFORM_SRC_PAD (self);
  GstCaps *caps = gst_pad_get_current_caps (pad);
  gboolean attach = FALSE;

  if (caps && has_composition_feature (caps)) {
    GstQuery *query = gst_query_new_allocation (caps, FALSE);

    attach = gst_pad_peer_query (pad, query)
             && gst_query_find_allocation_meta (
                 query, GST_VIDEO_OVERLAY_COMPOSITION_META_API_TYPE, NULL);
    gst_query_unref (query);
  }
  gst_clear_caps (&caps);
  GST_INFO_OBJECT (self, "the overlay is %s",
      attach ? "attached for downstream to draw" : "drawn here");
  return attach;
}

static gboolean
gst_cardiac_overlay_set_info (GstVideoFilter *filter, GstCaps *in_caps,
    GstVideoInfo *in, GstCaps *out_caps, GstVideoInfo *out)
{
  GstCardiacOverlay *self = GST_CARDIAC_OVERLAY (filter);

  cardiac_overlay_forget (self->overlay);
  overlay_cache_clear (&self->cache);
  panel_copy_clear (&self->panel);
  self->observed = GST_CLOCK_TIME_NONE;
  self->observations = 0;
  self->attach_known = FALSE;
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

  if (meta && meta->result && meta->result->type != GST_CARDIAC_RESULT_MREG) {
    if (self->warned_unknown++ == 0)
      GST_WARNING_OBJECT (self, "records of another kind are not drawn");
    return NULL;
  }
  return meta;
}

static guint
draw (GstCardiacOverlay *self, GstBuffer *buffer, const GstVideoFrame *picture,
    const CardiacOverlayRectangle **rectangles)
{
  GstCardiacResultMeta *meta = get_result (self, buffer);
  GstClockTime time = get_stream_time (self, buffer);
  OverlayViewText text;
  CardiacMRegView view;
  Settings settings;
  gchar *nyquist, *note;
  guint count;

  GST_OBJECT_LOCK (self);
  settings = self->settings;
  nyquist = g_strdup (self->nyquist);
  note = g_strdup (self->note);
  GST_OBJECT_UNLOCK (self);

  cardiac_mreg_view_init (&view);
  view.picture_width = GST_VIDEO_FRAME_WIDTH (picture);
  view.picture_height = GST_VIDEO_FRAME_HEIGHT (picture);
  view.layout = self->layout == GST_CARDIAC_LAYOUT_PANEL
                    ? CARDIAC_OVERLAY_PANEL
                    : CARDIAC_OVERLAY_INSIDE;
  view.enabled = settings.enabled;
  view.hide_marks = settings.hide_marks;
  view.withhold_grade = settings.withhold_grade;
  view.map_mode = (CardiacOverlayMap) settings.map;
  view.fill_alpha = settings.fill_alpha;
  view.no_draw = settings.no_draw;
  view.n_no_draw = settings.n_no_draw;
  view.nyquist = nyquist;
  view.note = note;
  overlay_view_fill (&view, &text, meta,
      gst_buffer_get_cardiac_geometry_meta (buffer), time,
      meta && meta->result && meta->result->is_final ? get_duration (self)
                                                     : GST_CLOCK_TIME_NONE);
  view.draw_roi = view.draw_roi && settings.draw_roi;

  if (view.layout == CARDIAC_OVERLAY_INSIDE)
    observe (self, picture, time);
  count = MAX (0, cardiac_overlay_draw_mreg (self->overlay, &view, rectangles));
  if (view.layout == CARDIAC_OVERLAY_INSIDE)
    warn_when_covering (self);
  g_free (nyquist);
  g_free (note);
  return count;
}

/* The marking has to be in every frame: one that cannot be drawn on does not
 * pass. */
static GstFlowReturn
blend (GstCardiacOverlay *self, GstVideoFrame *canvas,
    const CardiacOverlayRectangle *rectangles, guint count)
{
  const CardiacOverlayRectangle *pieces[CARDIAC_OVERLAY_MAX_RECTANGLES];
  GstVideoOverlayComposition *composition;
  guint n = 0;

  for (guint i = 0; i < count && i < CARDIAC_OVERLAY_MAX_RECTANGLES; i++) {
    if (rectangles[i].piece == CARDIAC_OVERLAY_PIECE_PANEL
        && panel_copy_draw (&self->panel, canvas, &rectangles[i]))
      continue;
    pieces[n++] = &rectangles[i];
  }
  if (n == 0)
    return count ? GST_FLOW_OK : GST_FLOW_ERROR;
  composition = overlay_cache_compose (&self->cache, pieces, n);
  if (!gst_video_overlay_composition_blend (composition, canvas))
    return GST_FLOW_ERROR;
  return GST_FLOW_OK;
}

/* Sinks may honour one composition a buffer only: ours goes behind one that is
 * there. */
static GstFlowReturn
attach (GstCardiacOverlay *self, GstBuffer *buffer,
    const CardiacOverlayRectangle *rectangles, guint count)
{
  const CardiacOverlayRectangle *pieces[CARDIAC_OVERLAY_MAX_RECTANGLES];
  GstVideoOverlayCompositionMeta *meta =
      gst_buffer_get_video_overlay_composition_meta (buffer);
  GstVideoOverlayComposition *ours, *both;

  if (count == 0 || count > CARDIAC_OVERLAY_MAX_RECTANGLES)
    return GST_FLOW_ERROR;
  for (guint i = 0; i < count; i++)
    pieces[i] = &rectangles[i];
  ours = overlay_cache_compose (&self->cache, pieces, count);
  if (!meta) {
    gst_buffer_add_video_overlay_composition_meta (buffer, ours);
    return GST_FLOW_OK;
  }

  both = gst_video_overlay_composition_copy (meta->overlay);
  for (guint i = 0; i < count; i++)
    gst_video_overlay_composition_add_rectangle (
        both, gst_video_overlay_composition_get_rectangle (ours, i));
  gst_video_overlay_composition_unref (meta->overlay);
  meta->overlay = both;
  return GST_FLOW_OK;
}

static GstFlowReturn
gst_cardiac_overlay_transform_frame_ip (
    GstVideoFilter *filter, GstVideoFrame *frame)
{
  GstCardiacOverlay *self = GST_CARDIAC_OVERLAY (filter);
  const CardiacOverlayRectangle *rectangles;
  guint count = draw (self, frame->buffer, frame, &rectangles);
  GstFlowReturn flow;

  if (!self->attach_known)
    self->attach = find_attach (self);
  self->attach_known = TRUE;
  flow = self->attach ? attach (self, frame->buffer, rectangles, count)
                      : blend (self, frame, rectangles, count);
  if (flow != GST_FLOW_OK)
    GST_ELEMENT_ERROR (self, STREAM, FAILED,
        ("The overlay cannot be drawn; without its marking no frame passes."),
        (NULL));
  return flow;
}

static GstFlowReturn
gst_cardiac_overlay_transform_frame (
    GstVideoFilter *filter, GstVideoFrame *in, GstVideoFrame *out)
{
  GstCardiacOverlay *self = GST_CARDIAC_OVERLAY (filter);
  const CardiacOverlayRectangle *rectangles;
  guint count = draw (self, in->buffer, in, &rectangles);
  GstFlowReturn flow;

  panel_copy_frame (out, 0, in);
  if (GST_VIDEO_FRAME_HEIGHT (out) > GST_VIDEO_FRAME_HEIGHT (in))
    panel_copy_blacken (out, GST_VIDEO_FRAME_HEIGHT (in));
  flow = blend (self, out, rectangles, count);
  if (flow != GST_FLOW_OK)
    GST_ELEMENT_ERROR (self, STREAM, FAILED,
        ("The overlay cannot be drawn; without its marking no frame passes."),
        (NULL));
  return flow;
}
