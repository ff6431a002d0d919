/* SPDX-License-Identifier: LGPL-2.1-or-later */

/**
 * SECTION:element-cmrpolar
 * @title: cmrpolar
 * @short_description: turns short-axis slices of cine MR into polar pictures
 *
 * Cuts the left ventricle out of a short-axis slice, turns it so that the
 * anterior RV insertion is the reference, evens out its contrast, and gives a
 * polar picture: 80 rows from the centre of the cavity outwards, 192 columns
 * once around it, from the anterior insertion through the septum. The picture
 * may be turned or mirrored: the insertions say which way round it is.
 *
 * Landmarks come from the #GstCardiacSliceMeta of the picture (cmrcinesrc), or
 * from the properties, which come first. Without landmarks the picture is
 * black, and mmsascore says LEVEL_UNKNOWN.
 *
 * GRAY16 is mapped to grey by the window of the slice meta, and where there is
 * none by the 1st and 99th percentile of the stream's first picture.
 *
 * The output carries #GstCardiacPolarMeta, how it lies in the original, and the
 * slice meta of the original.
 *
 * Research use only: not for diagnosis.
 *
 * ## Example launch lines
 * |[
 * gst-launch-1.0 cmrcinesrc location=DIRECTORY landmarks=landmarks.json name=s s.mid ! cmrpolar ! videoscale ! video/x-raw,width=960,height=400 ! videoconvert ! autovideosink
 * ]| Shows the mid slice of a patient.
 * |[
 * gst-launch-1.0 videotestsrc pattern=zone-plate kx2=20 ky2=20 ! video/x-raw,format=GRAY8,width=256,height=256 ! cmrpolar lv-centre=128,128 rv-anterior=100,100 rv-inferior=100,156 ! videoconvert ! autovideosink
 * ]| Shows any picture around a centre.
 */

#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include "gstcmrpolar.h"

#include <string.h>

#include "polarslice.h"
#include "videoimage.h"

GST_DEBUG_CATEGORY_STATIC (cmr_polar_debug);
#define GST_CAT_DEFAULT cmr_polar_debug

#define DEFAULT_POINT ""
#define DEFAULT_SIDE 0
#define DEFAULT_LEVEL GST_CARDIAC_LEVEL_BASAL

#define POLAR_CAPS                                                             \
  "video/x-raw, format = GRAY8, width = 192, height = 80, "                    \
  "framerate = " GST_VIDEO_FPS_RANGE

enum {
  PROP_0,
  PROP_LV_CENTRE,
  PROP_RV_ANTERIOR,
  PROP_RV_INFERIOR,
  PROP_SIDE,
  PROP_LEVEL,
};

enum { LV_CENTRE, RV_ANTERIOR, RV_INFERIOR, POINTS };

static const gchar *point_names[POINTS] = { "lv-centre", "rv-anterior",
  "rv-inferior" };

typedef struct {
  gchar *text[POINTS];
  gboolean has_point[POINTS];
  gdouble point[POINTS][2];
  gdouble side;
  GstCardiacLevel level;
} Settings;

struct _GstCmrPolar {
  GstVideoFilter parent;

  Settings settings; /* under the object lock */

  /* streaming thread */
  PolarSlice slice;
  gboolean has_window;
  gdouble window[2]; /* of the first picture */
  gboolean warned_landmarks, warned_window;
};

G_DEFINE_FINAL_TYPE (GstCmrPolar, gst_cmr_polar, GST_TYPE_VIDEO_FILTER);
GST_ELEMENT_REGISTER_DEFINE (
    cmrpolar, "cmrpolar", GST_RANK_NONE, GST_TYPE_CMR_POLAR);

static GstStaticPadTemplate sink_template =
    GST_STATIC_PAD_TEMPLATE ("sink", GST_PAD_SINK, GST_PAD_ALWAYS,
        GST_STATIC_CAPS (GST_VIDEO_CAPS_MAKE ("{ GRAY8, GRAY16_LE }")));

static GstStaticPadTemplate src_template = GST_STATIC_PAD_TEMPLATE (
    "src", GST_PAD_SRC, GST_PAD_ALWAYS, GST_STATIC_CAPS (POLAR_CAPS));

static void gst_cmr_polar_set_property (
    GObject *object, guint id, const GValue *value, GParamSpec *pspec);
static void gst_cmr_polar_get_property (
    GObject *object, guint id, GValue *value, GParamSpec *pspec);
static void gst_cmr_polar_finalize (GObject *object);
static gboolean gst_cmr_polar_start (GstBaseTransform *trans);
static gboolean gst_cmr_polar_stop (GstBaseTransform *trans);
static gboolean gst_cmr_polar_sink_event (
    GstBaseTransform *trans, GstEvent *event);
static GstCaps *gst_cmr_polar_transform_caps (GstBaseTransform *trans,
    GstPadDirection direction, GstCaps *caps, GstCaps *filter);
static gboolean gst_cmr_polar_transform_meta (
    GstBaseTransform *trans, GstBuffer *out, GstMeta *meta, GstBuffer *in);
static gboolean gst_cmr_polar_set_info (GstVideoFilter *filter, GstCaps *in,
    GstVideoInfo *in_info, GstCaps *out, GstVideoInfo *out_info);
static GstFlowReturn gst_cmr_polar_transform_frame (
    GstVideoFilter *filter, GstVideoFrame *in, GstVideoFrame *out);

static void
install_properties (GObjectClass *klass)
{
  const GParamFlags flags =
      G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS | GST_PARAM_MUTABLE_PLAYING;

  /**
   * GstCmrPolar:lv-centre:
   *
   * Centre of the left ventricle's cavity, "x,y" in pixels of the incoming
   * picture, pixel centres at whole numbers.
   */
  g_object_class_install_property (klass, PROP_LV_CENTRE,
      g_param_spec_string ("lv-centre", "LV centre",
          "Centre of the LV cavity, x,y in pixels; empty: of the slice meta",
          DEFAULT_POINT, flags));
  /**
   * GstCmrPolar:rv-anterior:
   *
   * Anterior insertion of the right ventricle, "x,y" in pixels.
   */
  g_object_class_install_property (klass, PROP_RV_ANTERIOR,
      g_param_spec_string ("rv-anterior", "Anterior RV insertion",
          "Anterior RV insertion, x,y in pixels; empty: of the slice meta",
          DEFAULT_POINT, flags));
  /**
   * GstCmrPolar:rv-inferior:
   *
   * Inferior insertion of the right ventricle, "x,y" in pixels.
   */
  g_object_class_install_property (klass, PROP_RV_INFERIOR,
      g_param_spec_string ("rv-inferior", "Inferior RV insertion",
          "Inferior RV insertion, x,y in pixels; empty: of the slice meta",
          DEFAULT_POINT, flags));
  /**
   * GstCmrPolar:side:
   *
   * Side of the square that is cut out around the centre.
   */
  g_object_class_install_property (klass, PROP_SIDE,
      g_param_spec_double ("side", "Side",
          "Side of the crop in pixels; 0: 2.2 / 0.62 times the mean distance "
          "from the centre to the insertions",
          0, CARDIAC_POLAR_SIDE * 100, DEFAULT_SIDE, flags));
  /**
   * GstCmrPolar:level:
   *
   * Level of pictures that do not say theirs, and the slice that is taken from
   * a review picture, which holds three.
   */
  g_object_class_install_property (klass, PROP_LEVEL,
      g_param_spec_enum ("level", "Level",
          "Level of pictures without a slice meta; slice taken from a review "
          "picture",
          GST_TYPE_CARDIAC_LEVEL, DEFAULT_LEVEL, flags));
}

static void
gst_cmr_polar_class_init (GstCmrPolarClass *klass)
{
  GObjectClass *gobject_class = G_OBJECT_CLASS (klass);
  GstElementClass *element_class = GST_ELEMENT_CLASS (klass);
  GstBaseTransformClass *trans_class = GST_BASE_TRANSFORM_CLASS (klass);
  GstVideoFilterClass *filter_class = GST_VIDEO_FILTER_CLASS (klass);

  GST_DEBUG_CATEGORY_INIT (
      cmr_polar_debug, "cmrpolar", 0, "polar pictures of cine MR");

  gobject_class->set_property = gst_cmr_polar_set_property;
  gobject_class->get_property = gst_cmr_polar_get_property;
  gobject_class->finalize = gst_cmr_polar_finalize;
  install_properties (gobject_class);

  gst_element_class_add_static_pad_template (element_class, &sink_template);
  gst_element_class_add_static_pad_template (element_class, &src_template);
  gst_element_class_set_static_metadata (element_class,
      "Polar map of a short-axis slice", "Filter/Effect/Video",
      "Turns short-axis slices of cine MR into polar pictures, aligned at the "
      "RV insertions; research use only",
      "gst-cardiac");

  trans_class->start = gst_cmr_polar_start;
  trans_class->stop = gst_cmr_polar_stop;
  trans_class->sink_event = gst_cmr_polar_sink_event;
  trans_class->transform_caps = gst_cmr_polar_transform_caps;
  trans_class->transform_meta = gst_cmr_polar_transform_meta;
  filter_class->set_info = gst_cmr_polar_set_info;
  filter_class->transform_frame = gst_cmr_polar_transform_frame;
}

static void
gst_cmr_polar_init (GstCmrPolar *self)
{
  for (guint i = 0; i < POINTS; i++)
    self->settings.text[i] = g_strdup (DEFAULT_POINT);
  self->settings.side = DEFAULT_SIDE;
  self->settings.level = DEFAULT_LEVEL;
  /* Every phase of the cycle counts, however slow a display is. */
  gst_base_transform_set_qos_enabled (GST_BASE_TRANSFORM (self), FALSE);
}

static void
gst_cmr_polar_finalize (GObject *object)
{
  GstCmrPolar *self = GST_CMR_POLAR (object);

  for (guint i = 0; i < POINTS; i++)
    g_free (self->settings.text[i]);
  G_OBJECT_CLASS (gst_cmr_polar_parent_class)->finalize (object);
}

/* ---- properties -------------------------------------------------------- */

/* A point that cannot be read leaves the old one alone and says so. */
static void
set_point (GstCmrPolar *self, guint i, const GValue *value)
{
  Settings *settings = &self->settings;
  const gchar *text = g_value_get_string (value);
  gboolean empty = !text || !*text;
  gdouble point[2] = { 0, 0 };

  if (!empty && !video_image_parse_point (text, point)) {
    g_warning ("%s \"%s\" is not \"x,y\" in pixels", point_names[i], text);
    return;
  }
  GST_OBJECT_LOCK (self);
  g_free (settings->text[i]);
  settings->text[i] = g_value_dup_string (value);
  settings->has_point[i] = !empty;
  memcpy (settings->point[i], point, sizeof point);
  GST_OBJECT_UNLOCK (self);
}

static void
gst_cmr_polar_set_property (
    GObject *object, guint id, const GValue *value, GParamSpec *pspec)
{
  GstCmrPolar *self = GST_CMR_POLAR (object);

  switch (id) {
    case PROP_LV_CENTRE:
    case PROP_RV_ANTERIOR:
    case PROP_RV_INFERIOR:
      set_point (self, id - PROP_LV_CENTRE, value);
      return;
    default:
      break;
  }

  GST_OBJECT_LOCK (self);
  switch (id) {
    case PROP_SIDE:
      self->settings.side = g_value_get_double (value);
      break;
    case PROP_LEVEL:
      self->settings.level = g_value_get_enum (value);
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
      break;
  }
  GST_OBJECT_UNLOCK (self);
}

static void
gst_cmr_polar_get_property (
    GObject *object, guint id, GValue *value, GParamSpec *pspec)
{
  GstCmrPolar *self = GST_CMR_POLAR (object);

  GST_OBJECT_LOCK (self);
  switch (id) {
    case PROP_LV_CENTRE:
    case PROP_RV_ANTERIOR:
    case PROP_RV_INFERIOR:
      g_value_set_string (value, self->settings.text[id - PROP_LV_CENTRE]);
      break;
    case PROP_SIDE:
      g_value_set_double (value, self->settings.side);
      break;
    case PROP_LEVEL:
      g_value_set_enum (value, self->settings.level);
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
      break;
  }
  GST_OBJECT_UNLOCK (self);
}

/* Strings are not for use without the lock. */
static Settings
get_settings (GstCmrPolar *self)
{
  Settings settings;

  GST_OBJECT_LOCK (self);
  settings = self->settings;
  GST_OBJECT_UNLOCK (self);
  return settings;
}

/* ---- life cycle -------------------------------------------------------- */

static gboolean
gst_cmr_polar_start (GstBaseTransform *trans)
{
  GstCmrPolar *self = GST_CMR_POLAR (trans);
  Settings settings = get_settings (self);
  guint set = 0;

  for (guint i = 0; i < POINTS; i++)
    set += settings.has_point[i];
  self->has_window = self->warned_landmarks = self->warned_window = FALSE;
  if (set == 0 || set == POINTS)
    return TRUE;

  for (guint i = 0; i < POINTS; i++) {
    if (!settings.has_point[i]) {
      GST_ELEMENT_ERROR (self, RESOURCE, SETTINGS,
          ("%u of the 3 landmarks are given and %s is not: set lv-centre, "
           "rv-anterior and rv-inferior, or none of them.",
              set, point_names[i]),
          (NULL));
      break;
    }
  }
  return FALSE;
}

static gboolean
gst_cmr_polar_stop (GstBaseTransform *trans)
{
  polar_slice_clear (&GST_CMR_POLAR (trans)->slice);
  return TRUE;
}

static gboolean
gst_cmr_polar_sink_event (GstBaseTransform *trans, GstEvent *event)
{
  if (GST_EVENT_TYPE (event) == GST_EVENT_STREAM_START)
    GST_CMR_POLAR (trans)->has_window = FALSE;
  return GST_BASE_TRANSFORM_CLASS (gst_cmr_polar_parent_class)
      ->sink_event (trans, event);
}

/* ---- negotiation ------------------------------------------------------- */

/* Any size on one side, one size on the other; the rate passes. */
static GstCaps *
gst_cmr_polar_transform_caps (GstBaseTransform *trans,
    GstPadDirection direction, GstCaps *caps, GstCaps *filter)
{
  GstCaps *other = gst_static_pad_template_get_caps (
      direction == GST_PAD_SINK ? &src_template : &sink_template);
  GstCaps *result = gst_caps_new_empty ();

  for (guint i = 0; i < gst_caps_get_size (caps); i++) {
    const GstStructure *from = gst_caps_get_structure (caps, i);
    const GValue *rate = gst_structure_get_value (from, "framerate");
    GstCaps *to = gst_caps_copy (other);

    if (rate)
      gst_caps_set_value (to, "framerate", rate);
    result = gst_caps_merge (result, to);
  }
  gst_caps_unref (other);

  if (filter) {
    GstCaps *all = result;

    result = gst_caps_intersect_full (filter, all, GST_CAPS_INTERSECT_FIRST);
    gst_caps_unref (all);
  }
  return result;
}

static gboolean
gst_cmr_polar_set_info (GstVideoFilter *filter, GstCaps *in,
    GstVideoInfo *in_info, GstCaps *out, GstVideoInfo *out_info)
{
  GST_CMR_POLAR (filter)->has_window = FALSE;
  return TRUE;
}

/* ---- data flow --------------------------------------------------------- */

/* Slices and earlier polar metas lie elsewhere in a polar picture; what is
 * said of the original is added by hand. */
static gboolean
gst_cmr_polar_transform_meta (
    GstBaseTransform *trans, GstBuffer *out, GstMeta *meta, GstBuffer *in)
{
  if (meta->info->api == GST_CARDIAC_SLICE_META_API_TYPE
      || meta->info->api == GST_CARDIAC_POLAR_META_API_TYPE)
    return FALSE;
  return GST_BASE_TRANSFORM_CLASS (gst_cmr_polar_parent_class)
      ->transform_meta (trans, out, meta, in);
}

static GstCardiacSliceMeta *
find_slice (GstBuffer *buffer, GstCardiacLevel level)
{
  GstCardiacSliceMeta *slice =
      gst_buffer_get_cardiac_slice_meta (buffer, level);

  return slice ? slice : gst_buffer_get_cardiac_slice_meta (buffer, -1);
}

/* While it runs, points are set one after the other: the first two of them
 * say nothing yet. */
static gboolean
have_all_points (const Settings *settings)
{
  return settings->has_point[LV_CENTRE] && settings->has_point[RV_ANTERIOR]
         && settings->has_point[RV_INFERIOR];
}

/* Points that were given by hand come first.
 * Returns: where the landmarks come from */
static GstCardiacLandmarksSource
find_place (const Settings *settings, const GstVideoInfo *info,
    const GstCardiacSliceMeta *slice, PolarPlace *place)
{
  CardiacSliceLandmarks *points = &place->landmarks;

  polar_place_init (place, info, slice);
  place->side = settings->side;
  if (!have_all_points (settings))
    return slice ? slice->landmarks : GST_CARDIAC_LANDMARKS_NONE;
  memcpy (points->lv_centre, settings->point[LV_CENTRE], 2 * sizeof (gdouble));
  memcpy (
      points->rv_anterior, settings->point[RV_ANTERIOR], 2 * sizeof (gdouble));
  memcpy (
      points->rv_inferior, settings->point[RV_INFERIOR], 2 * sizeof (gdouble));
  return GST_CARDIAC_LANDMARKS_PROPERTY;
}

static void
warn_landmarks (GstCmrPolar *self, const gchar *why)
{
  if (self->warned_landmarks)
    return;
  self->warned_landmarks = TRUE;
  GST_ELEMENT_WARNING (self, STREAM, WRONG_TYPE,
      ("A slice cannot be turned: %s. Give lv-centre, rv-anterior and "
       "rv-inferior (x,y in pixels), or a landmarks file to the source.",
          why),
      (NULL));
}

/* The values of black and white of deep pictures. */
static void
find_window (GstCmrPolar *self, const GstVideoFrame *in,
    const GstCardiacSliceMeta *slice)
{
  if (GST_VIDEO_FRAME_FORMAT (in) == GST_VIDEO_FORMAT_GRAY8)
    return;
  if (slice && slice->window[1] > slice->window[0]) {
    self->window[0] = slice->window[0];
    self->window[1] = slice->window[1];
    return;
  }
  if (self->has_window)
    return;
  polar_find_window (in, self->window);
  self->has_window = TRUE;
  if (!self->warned_window)
    GST_INFO_OBJECT (self, "no window is known: from the first picture, %g, %g",
        self->window[0], self->window[1]);
  self->warned_window = TRUE;
}

static gboolean
map_slice (GstCmrPolar *self, const PolarPlace *place, const GstVideoFrame *in,
    guint8 *polar)
{
  CardiacError *error = NULL;

  if (polar_slice_set_place (&self->slice, place, &error)
      && polar_slice_run (&self->slice, in, self->window, polar, &error))
    return TRUE;
  warn_landmarks (self, cardiac_error_message (error));
  cardiac_error_free (&error);
  return FALSE;
}

static void
add_polar_meta (GstCmrPolar *self, GstBuffer *buffer, const GstVideoFrame *in,
    GstCardiacLevel level)
{
  const CardiacPolarGeometry *geometry = &self->slice.geometry;
  GstCardiacPolarMeta *meta = gst_buffer_add_cardiac_polar_meta (buffer);

  meta->level = level;
  meta->centre[0] = geometry->centre[0];
  meta->centre[1] = geometry->centre[1];
  meta->side = geometry->side;
  meta->angle0 = geometry->angle0;
  meta->sense = geometry->sense;
  meta->width = GST_VIDEO_FRAME_WIDTH (in);
  meta->height = GST_VIDEO_FRAME_HEIGHT (in);
}

static void
add_slice_meta (GstBuffer *buffer, const GstCardiacSliceMeta *from,
    const PolarPlace *place, GstCardiacLandmarksSource landmarks)
{
  GstCardiacSliceMeta *to = gst_buffer_add_cardiac_slice_meta (buffer);
  GstMeta head = to->meta;

  *to = *from;
  to->meta = head;
  to->landmarks = landmarks;
  if (landmarks == GST_CARDIAC_LANDMARKS_NONE)
    return;
  memcpy (to->lv_centre, place->landmarks.lv_centre, sizeof to->lv_centre);
  memcpy (
      to->rv_anterior, place->landmarks.rv_anterior, sizeof to->rv_anterior);
  memcpy (
      to->rv_inferior, place->landmarks.rv_inferior, sizeof to->rv_inferior);
}

static void
copy_rows (GstVideoFrame *out, const guint8 *polar)
{
  guint8 *row = GST_VIDEO_FRAME_PLANE_DATA (out, 0);

  for (gint y = 0; y < CARDIAC_POLAR_ROWS; y++) {
    if (polar)
      memcpy (row, polar + y * CARDIAC_POLAR_COLUMNS, CARDIAC_POLAR_COLUMNS);
    else
      memset (row, 0, CARDIAC_POLAR_COLUMNS);
    row += GST_VIDEO_FRAME_PLANE_STRIDE (out, 0);
  }
}

static GstFlowReturn
gst_cmr_polar_transform_frame (
    GstVideoFilter *filter, GstVideoFrame *in, GstVideoFrame *out)
{
  GstCmrPolar *self = GST_CMR_POLAR (filter);
  Settings settings = get_settings (self);
  GstCardiacSliceMeta *slice = find_slice (in->buffer, settings.level);
  guint8 polar[CARDIAC_POLAR_ROWS * CARDIAC_POLAR_COLUMNS];
  GstCardiacLandmarksSource landmarks;
  gboolean mapped = FALSE;
  PolarPlace place;

  landmarks = find_place (&settings, &in->info, slice, &place);
  find_window (self, in, slice);
  if (landmarks == GST_CARDIAC_LANDMARKS_NONE)
    warn_landmarks (self, "its landmarks are not known");
  else
    mapped = map_slice (self, &place, in, polar);

  copy_rows (out, mapped ? polar : NULL);
  if (mapped)
    add_polar_meta (
        self, out->buffer, in, slice ? slice->level : settings.level);
  if (slice)
    add_slice_meta (out->buffer, slice, &place,
        mapped ? landmarks : GST_CARDIAC_LANDMARKS_NONE);
  return GST_FLOW_OK;
}
