/* SPDX-License-Identifier: LGPL-2.1-or-later */

#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include "overlaysettings.h"

#include <string.h>

#include "videoimage.h"

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
#define DEFAULT_CONTENT GST_CARDIAC_CONTENT_AUTO
#define DEFAULT_DRAW_MOTION TRUE
#define DEFAULT_MIN_SCORED CARDIAC_OVERLAY_DEFAULT_LEAST_SCORED
#define DEFAULT_RV_ANTERIOR_ANGLE 120.0

enum {
  PROP_0,
  PROP_LAYOUT,
  PROP_CONTENT,
  PROP_ENABLED,
  PROP_HIDE_MARKS,
  PROP_WITHHOLD_GRADE,
  PROP_DRAW_ROI,
  PROP_MAP,
  PROP_FILL_ALPHA,
  PROP_NO_DRAW,
  PROP_NYQUIST,
  PROP_NOTE,
  PROP_DRAW_MOTION,
  PROP_MIN_SCORED,
  PROP_RV_ANTERIOR_ANGLE,
  PROP_PALETTE,
  PROP_BULLSEYE_PNG,
  PROP_BULLSEYE_SVG,
};

static void
install_wall_motion (GObjectClass *klass)
{
  const GParamFlags flags = G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS;

  /**
   * GstCardiacOverlay:draw-motion:
   *
   * Arrows of the segments' mean motion on short-axis slices.
   */
  g_object_class_install_property (klass, PROP_DRAW_MOTION,
      g_param_spec_boolean ("draw-motion", "Draw motion",
          "Draw arrows of wall motion on the slices", DEFAULT_DRAW_MOTION,
          flags | GST_PARAM_MUTABLE_PLAYING | GST_PARAM_CONTROLLABLE));
  /**
   * GstCardiacOverlay:min-scored:
   *
   * Scored segments without which no motion score index is drawn.
   */
  g_object_class_install_property (klass, PROP_MIN_SCORED,
      g_param_spec_int ("min-scored", "Least scored segments",
          "Scored segments without which no motion score index is drawn", 1,
          CARDIAC_OVERLAY_SEGMENTS, DEFAULT_MIN_SCORED,
          flags | GST_PARAM_MUTABLE_PLAYING));
  /**
   * GstCardiacOverlay:rv-anterior-angle:
   *
   * Where the anterior RV insertion lies on the bull's-eye; the map turns with
   * it. 120 is AHA's position.
   */
  g_object_class_install_property (klass, PROP_RV_ANTERIOR_ANGLE,
      g_param_spec_double ("rv-anterior-angle", "RV anterior angle",
          "Anterior RV insertion on the bull's-eye, degrees counter-clockwise "
          "from the right",
          0, 360, DEFAULT_RV_ANTERIOR_ANGLE,
          flags | GST_PARAM_MUTABLE_PLAYING));
  /**
   * GstCardiacOverlay:palette:
   *
   * File with the colours of wall motion scores; unset: colours that people
   * with any kind of colour vision tell apart.
   */
  g_object_class_install_property (klass, PROP_PALETTE,
      g_param_spec_string ("palette", "Palette",
          "File with the colours of wall motion scores", NULL,
          flags | GST_PARAM_MUTABLE_READY));
  /**
   * GstCardiacOverlay:bullseye-png:
   *
   * Where the bull's-eye is written as a picture of its own: with each final
   * result of wall motion, else at the end of the stream.
   */
  g_object_class_install_property (klass, PROP_BULLSEYE_PNG,
      g_param_spec_string ("bullseye-png", "Bull's-eye PNG",
          "File to write the bull's-eye to", NULL,
          flags | GST_PARAM_MUTABLE_PLAYING));
  /**
   * GstCardiacOverlay:bullseye-svg:
   *
   * As bullseye-png, for print.
   */
  g_object_class_install_property (klass, PROP_BULLSEYE_SVG,
      g_param_spec_string ("bullseye-svg", "Bull's-eye SVG",
          "File to write the bull's-eye to, as vectors", NULL,
          flags | GST_PARAM_MUTABLE_PLAYING));
}

static void
install_text (GObjectClass *klass)
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
   * GstCardiacOverlay:content:
   *
   * What the panel is made for, because its place and size are agreed on before
   * a first result comes: `mreg` grows the canvas to the right; `mmsa` below
   * pictures that are at least 2.4 times as wide as high, such as the review
   * picture of cmrcinesrc, else to the right. `auto` is `mmsa` for such wide
   * pictures and `mreg` for others. Within the picture, and to its right,
   * results of any kind are drawn whatever this says.
   */
  g_object_class_install_property (klass, PROP_CONTENT,
      g_param_spec_enum ("content", "Content",
          "Kind of result that layout=panel makes room for",
          GST_TYPE_CARDIAC_CONTENT, DEFAULT_CONTENT,
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
   * GstCardiacOverlay:withhold-grade:
   *
   * The reader grades first: grade, value, curve and activation are not shown.
   */
  g_object_class_install_property (klass, PROP_WITHHOLD_GRADE,
      g_param_spec_boolean ("withhold-grade", "Withhold grade",
          "Show no grade, value, curve or activation (the reader comes first)",
          DEFAULT_WITHHOLD_GRADE, live));
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
install_marks (GObjectClass *klass)
{
  const GParamFlags flags = G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS;
  const GParamFlags live =
      flags | GST_PARAM_MUTABLE_PLAYING | GST_PARAM_CONTROLLABLE;

  /**
   * GstCardiacOverlay:hide-marks:
   *
   * A momentary look at the bare picture: no contours, fill or box.
   */
  g_object_class_install_property (klass, PROP_HIDE_MARKS,
      g_param_spec_boolean ("hide-marks", "Hide marks",
          "Draw nothing on the heart; text stays", DEFAULT_HIDE_MARKS, live));
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
}

void
overlay_settings_install (GObjectClass *klass)
{
  install_text (klass);
  install_marks (klass);
  install_wall_motion (klass);
}

void
overlay_settings_init (OverlaySettings *settings)
{
  memset (settings, 0, sizeof *settings);
  settings->layout = DEFAULT_LAYOUT;
  settings->content = DEFAULT_CONTENT;
  settings->enabled = DEFAULT_ENABLED;
  settings->hide_marks = DEFAULT_HIDE_MARKS;
  settings->withhold_grade = DEFAULT_WITHHOLD_GRADE;
  settings->draw_roi = DEFAULT_DRAW_ROI;
  settings->draw_motion = DEFAULT_DRAW_MOTION;
  settings->map = DEFAULT_MAP;
  settings->fill_alpha = DEFAULT_FILL_ALPHA;
  settings->min_scored = DEFAULT_MIN_SCORED;
  settings->rv_anterior_angle = DEFAULT_RV_ANTERIOR_ANGLE;
  settings->no_draw_text = g_strdup (DEFAULT_NO_DRAW);
}

void
overlay_settings_clear (OverlaySettings *settings)
{
  g_clear_pointer (&settings->no_draw_text, g_free);
  g_clear_pointer (&settings->nyquist, g_free);
  g_clear_pointer (&settings->note, g_free);
  g_clear_pointer (&settings->palette, g_free);
  g_clear_pointer (&settings->bullseye_png, g_free);
  g_clear_pointer (&settings->bullseye_svg, g_free);
}

void
overlay_settings_copy (OverlaySettings *copy, const OverlaySettings *settings)
{
  *copy = *settings;
  copy->no_draw_text = g_strdup (settings->no_draw_text);
  copy->nyquist = g_strdup (settings->nyquist);
  copy->note = g_strdup (settings->note);
  copy->palette = g_strdup (settings->palette);
  copy->bullseye_png = g_strdup (settings->bullseye_png);
  copy->bullseye_svg = g_strdup (settings->bullseye_svg);
}

static void
set_string (gchar **string, const GValue *value)
{
  g_free (*string);
  *string = g_value_dup_string (value);
}

static void
set_no_draw (OverlaySettings *settings, const GValue *value)
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

  set_string (&settings->no_draw_text, value);
  memcpy (settings->no_draw, boxes, count * sizeof boxes[0]);
  settings->n_no_draw = count;

done:
  g_strfreev (parts);
}

/* Properties that are a switch or a string, and where they are kept. */
static gboolean *
find_switch (OverlaySettings *settings, guint id)
{
  switch (id) {
    case PROP_ENABLED:
      return &settings->enabled;
    case PROP_HIDE_MARKS:
      return &settings->hide_marks;
    case PROP_WITHHOLD_GRADE:
      return &settings->withhold_grade;
    case PROP_DRAW_ROI:
      return &settings->draw_roi;
    case PROP_DRAW_MOTION:
      return &settings->draw_motion;
    default:
      return NULL;
  }
}

static gchar **
find_string (OverlaySettings *settings, guint id)
{
  switch (id) {
    case PROP_NO_DRAW:
      return &settings->no_draw_text;
    case PROP_NYQUIST:
      return &settings->nyquist;
    case PROP_NOTE:
      return &settings->note;
    case PROP_PALETTE:
      return &settings->palette;
    case PROP_BULLSEYE_PNG:
      return &settings->bullseye_png;
    case PROP_BULLSEYE_SVG:
      return &settings->bullseye_svg;
    default:
      return NULL;
  }
}

static void
set_fill_alpha (OverlaySettings *settings, gdouble alpha)
{
  if (alpha > CARDIAC_OVERLAY_MAX_FILL_ALPHA)
    g_warning ("fill-alpha %.2f would falsify Doppler colours; drawn as %.2f",
        alpha, CARDIAC_OVERLAY_MAX_FILL_ALPHA);
  settings->fill_alpha = MIN (alpha, CARDIAC_OVERLAY_MAX_FILL_ALPHA);
}

void
overlay_settings_set (OverlaySettings *settings, GObject *object, guint id,
    const GValue *value, GParamSpec *pspec)
{
  if (id == PROP_NO_DRAW) {
    set_no_draw (settings, value);
    return;
  }
  if (find_string (settings, id)) {
    set_string (find_string (settings, id), value);
    return;
  }
  if (find_switch (settings, id)) {
    *find_switch (settings, id) = g_value_get_boolean (value);
    return;
  }

  switch (id) {
    case PROP_LAYOUT:
      settings->layout = g_value_get_enum (value);
      break;
    case PROP_CONTENT:
      settings->content = g_value_get_enum (value);
      break;
    case PROP_MAP:
      settings->map = g_value_get_enum (value);
      break;
    case PROP_FILL_ALPHA:
      set_fill_alpha (settings, g_value_get_double (value));
      break;
    case PROP_MIN_SCORED:
      settings->min_scored = g_value_get_int (value);
      break;
    case PROP_RV_ANTERIOR_ANGLE:
      settings->rv_anterior_angle = g_value_get_double (value);
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
      break;
  }
}

void
overlay_settings_get (const OverlaySettings *settings, GObject *object,
    guint id, GValue *value, GParamSpec *pspec)
{
  OverlaySettings *all = (OverlaySettings *) settings;

  if (find_string (all, id)) {
    g_value_set_string (value, *find_string (all, id));
    return;
  }
  if (find_switch (all, id)) {
    g_value_set_boolean (value, *find_switch (all, id));
    return;
  }

  switch (id) {
    case PROP_LAYOUT:
      g_value_set_enum (value, settings->layout);
      break;
    case PROP_CONTENT:
      g_value_set_enum (value, settings->content);
      break;
    case PROP_MAP:
      g_value_set_enum (value, settings->map);
      break;
    case PROP_FILL_ALPHA:
      g_value_set_double (value, settings->fill_alpha);
      break;
    case PROP_MIN_SCORED:
      g_value_set_int (value, settings->min_scored);
      break;
    case PROP_RV_ANTERIOR_ANGLE:
      g_value_set_double (value, settings->rv_anterior_angle);
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
      break;
  }
}
