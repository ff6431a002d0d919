/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* cardiacoverlay between two pads. */

#include <string.h>

#include "../require.h"
#include "gstcardiacoverlay.h"
#include "gstmregclassify.h"
#include "rig.h"

#define WIDTH 192
#define HEIGHT 144

/* A record as mregclassify makes it. */
static GstCardiacResult *
make_result (GstCardiacState state)
{
  GstCardiacResult *r = gst_cardiac_result_new (GST_CARDIAC_RESULT_MREG);

  r->state = state;
  r->pts = 0;
  r->instances = 3;
  r->n_classes = 3;
  r->labels[0] = g_strdup ("none/trace");
  r->labels[1] = g_strdup ("mild");
  r->labels[2] = g_strdup ("\xe2\x89\xa5 moderate");
  r->thresholds[0] = 0.5;
  r->thresholds[1] = 1.5;
  if (gst_cardiac_state_has_finding (state)) {
    r->grade = 1;
    r->value = 1;
    r->has_probabilities = TRUE;
    r->probabilities[1] = 0.9f;
  }
  r->model_name = g_strdup ("model");
  return r;
}

static GstBuffer *
push (Rig *rig, FrameKind kind, guint texture, GstCardiacResult *result)
{
  GstBuffer *buffer = frame_new (&rig->info, kind, texture,
      rig->frame * GST_SECOND / 30, GST_SECOND / 30, FALSE);

  rig->frame++;
  if (result) {
    GstCardiacGeometryMeta *geometry =
        gst_buffer_add_cardiac_geometry_meta (buffer);

    gst_buffer_add_cardiac_result_meta (buffer, result);
    geometry->has_roi = TRUE;
    geometry->roi.x = 50;
    geometry->roi.y = 40;
    geometry->roi.w = geometry->roi.h = 100;
  }
  REQUIRE (gst_harness_push (rig->harness, buffer) == GST_FLOW_OK);
  buffer = gst_harness_pull (rig->harness);
  REQUIRE (buffer != NULL);
  return buffer;
}

static void
get_out_info (Rig *rig, GstVideoInfo *info)
{
  GstCaps *caps = gst_pad_get_current_caps (rig->harness->sinkpad);

  REQUIRE (caps && gst_video_info_from_caps (info, caps));
  gst_caps_unref (caps);
}

/* How many samples differ from an undrawn frame, in columns
 * @from_x to @to_x. */
static guint
count_changes (GstBuffer *drawn, GstBuffer *bare,
    const GstVideoInfo *drawn_info, const GstVideoInfo *bare_info, gint from_x,
    gint to_x)
{
  GstVideoFrame a, b;
  guint changes = 0;

  REQUIRE (gst_video_frame_map (
      &a, (GstVideoInfo *) drawn_info, drawn, GST_MAP_READ));
  REQUIRE (
      gst_video_frame_map (&b, (GstVideoInfo *) bare_info, bare, GST_MAP_READ));
  for (gint c = 0; c < MIN (3, (gint) GST_VIDEO_FRAME_N_COMPONENTS (&a)); c++)
    for (gint y = 0; y < GST_VIDEO_FRAME_COMP_HEIGHT (&b, c); y++)
      for (gint x = from_x >> GST_VIDEO_FORMAT_INFO_W_SUB (b.info.finfo, c);
           x < to_x >> GST_VIDEO_FORMAT_INFO_W_SUB (b.info.finfo, c); x++) {
        const guint8 *p = (guint8 *) GST_VIDEO_FRAME_COMP_DATA (&a, c)
                          + y * GST_VIDEO_FRAME_COMP_STRIDE (&a, c)
                          + x * GST_VIDEO_FRAME_COMP_PSTRIDE (&a, c);
        const guint8 *q = (guint8 *) GST_VIDEO_FRAME_COMP_DATA (&b, c)
                          + y * GST_VIDEO_FRAME_COMP_STRIDE (&b, c)
                          + x * GST_VIDEO_FRAME_COMP_PSTRIDE (&b, c);

        changes += *p != *q;
      }
  gst_video_frame_unmap (&a);
  gst_video_frame_unmap (&b);
  return changes;
}

static void
for_each_format (void (*test) (const gchar *format))
{
  GstElementFactory *factory = gst_element_factory_find ("cardiacoverlay");
  const GList *templates =
      gst_element_factory_get_static_pad_templates (factory);
  GstCaps *caps = gst_static_pad_template_get_caps (templates->data);
  const GValue *formats =
      gst_structure_get_value (gst_caps_get_structure (caps, 0), "format");

  for (guint i = 0; i < gst_value_list_get_size (formats); i++)
    test (g_value_get_string (gst_value_list_get_value (formats, i)));
  gst_caps_unref (caps);
  gst_object_unref (factory);
}

static void
panel_in_format (const gchar *format)
{
  GstCardiacResult *result = make_result (GST_CARDIAC_STATE_RESULT);
  GstBuffer *bare, *drawn;
  GstVideoInfo out;
  Rig rig;

  rig_start (&rig, "cardiacoverlay layout=panel draw-roi=false");
  rig_caps (&rig, format, WIDTH, HEIGHT, 30);
  drawn = push (&rig, FRAME_DOPPLER, 7, result);
  bare = frame_new (&rig.info, FRAME_DOPPLER, 7, 0, 0, FALSE);
  get_out_info (&rig, &out);
  REQUIRE (out.width > WIDTH && out.width % 2 == 0);
  REQUIRE (out.height == 480);
  /* The picture lies 1:1 at the top left, and the panel beside it. */
  REQUIRE (count_changes (drawn, bare, &out, &rig.info, 0, WIDTH) == 0);
  REQUIRE (gst_buffer_get_cardiac_geometry_meta (drawn)->roi.x == 50);
  REQUIRE (gst_buffer_get_cardiac_result_meta (drawn)->result == result);
  gst_buffer_unref (drawn);
  gst_buffer_unref (bare);
  rig_stop (&rig);
  gst_cardiac_result_unref (result);
}

static void
a_panel_covers_nothing_in_any_format (void)
{
  for_each_format (panel_in_format);
}

static void
strip_in_format (const gchar *format)
{
  GstCardiacResult *result = make_result (GST_CARDIAC_STATE_RESULT);
  GstBuffer *bare, *drawn;
  Rig rig;

  rig_start (&rig, "cardiacoverlay");
  rig_caps (&rig, format, WIDTH, HEIGHT, 30);
  drawn = push (&rig, FRAME_GREY, 7, result);
  bare = frame_new (&rig.info, FRAME_GREY, 7, 0, 0, FALSE);
  REQUIRE (count_changes (drawn, bare, &rig.info, &rig.info, 0, WIDTH) > 1000);
  gst_buffer_unref (drawn);
  gst_buffer_unref (bare);
  rig_stop (&rig);
  gst_cardiac_result_unref (result);
}

static void
a_strip_is_drawn_in_any_format (void)
{
  for_each_format (strip_in_format);
}

/* The panel's lowest text lines: "RESEARCH USE ONLY". */
static guint
count_marking_pixels (Rig *rig, GstBuffer *buffer)
{
  GstVideoInfo out;
  GstVideoFrame frame;
  guint bright = 0;

  get_out_info (rig, &out);
  REQUIRE (gst_video_frame_map (&frame, &out, buffer, GST_MAP_READ));
  for (gint y = out.height - 40; y < out.height; y++) {
    const guint8 *row = (guint8 *) GST_VIDEO_FRAME_COMP_DATA (&frame, 0)
                        + y * GST_VIDEO_FRAME_COMP_STRIDE (&frame, 0);

    for (gint x = WIDTH; x < out.width; x++)
      bright += row[x] > 150;
  }
  gst_video_frame_unmap (&frame);
  return bright;
}

static void
the_marking_is_in_every_frame_whatever_is_set (void)
{
  static const gchar *settings[] = {
    "",
    "enabled=false",
    "withhold-grade=true",
    "hide-marks=true",
    "map=off",
    "enabled=false hide-marks=true withhold-grade=true draw-roi=false map=off",
  };

  for (guint i = 0; i < G_N_ELEMENTS (settings); i++) {
    gchar *launch =
        g_strdup_printf ("cardiacoverlay layout=panel %s", settings[i]);
    Rig rig;

    rig_start (&rig, launch);
    rig_caps (&rig, "I420", WIDTH, HEIGHT, 30);
    /* Every state, and -1: no record at all. */
    for (gint s = -1; s <= GST_CARDIAC_STATE_LEVEL_UNKNOWN; s++) {
      GstCardiacResult *result = s < 0 ? NULL : make_result (s);
      GstBuffer *buffer = push (&rig, FRAME_GREY, s, result);

      REQUIRE (count_marking_pixels (&rig, buffer) > 300);
      gst_buffer_unref (buffer);
      if (result)
        gst_cardiac_result_unref (result);
    }
    rig_stop (&rig);
    g_free (launch);
  }
}

static void
switches_take_effect_with_the_next_frame (void)
{
  GstCardiacResult *result = make_result (GST_CARDIAC_STATE_RESULT);
  GstBuffer *shown, *hidden, *again;
  GstVideoInfo out;
  Rig rig;

  rig_start (&rig, "cardiacoverlay layout=panel");
  rig_caps (&rig, "I420", WIDTH, HEIGHT, 30);
  shown = push (&rig, FRAME_GREY, 1, result);
  g_object_set (rig.element, "enabled", FALSE, NULL);
  hidden = push (&rig, FRAME_GREY, 1, result);
  g_object_set (rig.element, "enabled", TRUE, NULL);
  again = push (&rig, FRAME_GREY, 1, result);
  get_out_info (&rig, &out);
  REQUIRE (count_changes (shown, hidden, &out, &out, WIDTH, out.width) > 1000);
  REQUIRE (count_changes (shown, again, &out, &out, 0, out.width) == 0);
  gst_buffer_unref (shown);
  gst_buffer_unref (hidden);
  gst_buffer_unref (again);
  rig_stop (&rig);
  gst_cardiac_result_unref (result);
}

static void
a_picture_that_others_hold_is_not_drawn_on (void)
{
  GstBuffer *in, *out, *same;
  GstMapInfo a, b;
  Rig rig;

  rig_start (&rig, "cardiacoverlay");
  rig_caps (&rig, "YUY2", WIDTH, HEIGHT, 30);
  in = frame_new (&rig.info, FRAME_GREY, 0, 0, 1, FALSE);
  same = gst_buffer_copy_deep (in);
  gst_harness_push (rig.harness, gst_buffer_ref (in));
  out = gst_harness_pull (rig.harness);
  gst_buffer_map (in, &a, GST_MAP_READ);
  gst_buffer_map (same, &b, GST_MAP_READ);
  REQUIRE (memcmp (a.data, b.data, a.size) == 0);
  gst_buffer_unmap (in, &a);
  gst_buffer_unmap (same, &b);
  gst_buffer_unref (in);
  gst_buffer_unref (out);
  gst_buffer_unref (same);
  rig_stop (&rig);
}

static void
odd_sizes_and_changes_of_size_are_drawn (void)
{
  static const gint sizes[][2] = { { 64, 64 }, { 131, 97 }, { 1001, 701 },
    { 321, 240 }, { 640, 481 } };

  for (guint panel = 0; panel < 2; panel++) {
    Rig rig;

    rig_start (&rig,
        panel ? "cardiacoverlay layout=panel" : "cardiacoverlay layout=inside");
    for (guint i = 0; i < G_N_ELEMENTS (sizes); i++) {
      GstVideoInfo out;

      rig_caps (&rig, i % 2 ? "I420" : "NV12", sizes[i][0], sizes[i][1], 30);
      gst_buffer_unref (push (&rig, FRAME_DOPPLER, i, NULL));
      get_out_info (&rig, &out);
      REQUIRE (!panel || (out.width % 2 == 0 && out.height % 2 == 0));
      REQUIRE (panel || out.width == sizes[i][0]);
    }
    rig_stop (&rig);
  }
}

/* What a sink that draws compositions says of itself. */
static void
offer_composition (Rig *rig, const gchar *caps)
{
  gst_harness_add_propose_allocation_meta (
      rig->harness, GST_VIDEO_OVERLAY_COMPOSITION_META_API_TYPE, NULL);
  gst_harness_set_sink_caps_str (rig->harness, caps);
}

static void
a_sink_that_draws_compositions_gets_one (void)
{
  GstCardiacResult *result = make_result (GST_CARDIAC_STATE_RESULT);
  GstVideoOverlayCompositionMeta *one, *two;
  GstBuffer *first, *second, *bare;
  Rig rig;

  rig_start (&rig, "cardiacoverlay");
  offer_composition (&rig,
      "video/x-raw(memory:SystemMemory,meta:GstVideoOverlayComposition);"
      "video/x-raw");
  rig_caps (&rig, "NV12", WIDTH, HEIGHT, 30);
  first = push (&rig, FRAME_GREY, 1, result);
  bare = frame_new (&rig.info, FRAME_GREY, 1, 0, 0, FALSE);
  REQUIRE (count_changes (first, bare, &rig.info, &rig.info, 0, WIDTH) == 0);
  one = gst_buffer_get_video_overlay_composition_meta (first);
  REQUIRE (
      one && gst_video_overlay_composition_n_rectangles (one->overlay) > 0);

  /* Unchanged, it is the same composition: nothing is uploaded again. */
  second = push (&rig, FRAME_GREY, 1, result);
  two = gst_buffer_get_video_overlay_composition_meta (second);
  REQUIRE (gst_video_overlay_composition_get_seqnum (one->overlay)
           == gst_video_overlay_composition_get_seqnum (two->overlay));
  gst_buffer_unref (first);
  gst_buffer_unref (second);
  gst_buffer_unref (bare);
  rig_stop (&rig);
  gst_cardiac_result_unref (result);
}

static void
a_sink_that_does_not_gets_pixels (void)
{
  GstCardiacResult *result = make_result (GST_CARDIAC_STATE_RESULT);
  GstBuffer *drawn, *bare;
  Rig rig;

  rig_start (&rig, "cardiacoverlay");
  gst_harness_set_sink_caps_str (rig.harness,
      "video/x-raw(memory:SystemMemory,meta:GstVideoOverlayComposition);"
      "video/x-raw");
  rig_caps (&rig, "NV12", WIDTH, HEIGHT, 30);
  drawn = push (&rig, FRAME_GREY, 1, result);
  bare = frame_new (&rig.info, FRAME_GREY, 1, 0, 0, FALSE);
  REQUIRE (count_changes (drawn, bare, &rig.info, &rig.info, 0, WIDTH) > 1000);
  REQUIRE (!gst_buffer_get_video_overlay_composition_meta (drawn));
  gst_buffer_unref (drawn);
  gst_buffer_unref (bare);
  rig_stop (&rig);
  gst_cardiac_result_unref (result);
}

static void
an_unreadable_no_draw_list_is_refused (void)
{
  GstElement *element = gst_element_factory_make ("cardiacoverlay", NULL);
  gchar *text;

  g_object_set (element, "no-draw", "1,2,30,40; 5,6,7,8", NULL);
  g_object_get (element, "no-draw", &text, NULL);
  REQUIRE (strcmp (text, "1,2,30,40; 5,6,7,8") == 0);
  g_free (text);
  g_log_set_always_fatal (G_LOG_FATAL_MASK);
  g_object_set (element, "no-draw", "1,2,30", NULL);
  g_object_get (element, "no-draw", &text, NULL);
  REQUIRE (strcmp (text, "1,2,30,40; 5,6,7,8") == 0);
  g_free (text);
  gst_object_unref (element);
}

static void
too_opaque_a_fill_is_clamped (void)
{
  GstElement *element = gst_element_factory_make ("cardiacoverlay", NULL);
  gdouble alpha;

  g_object_set (element, "fill-alpha", 0.9, NULL);
  g_object_get (element, "fill-alpha", &alpha, NULL);
  REQUIRE (alpha < 0.351);
  gst_object_unref (element);
}

int
main (int argc, char **argv)
{
  gst_init (&argc, &argv);
  GST_ELEMENT_REGISTER (cardiacoverlay, NULL);

  a_panel_covers_nothing_in_any_format ();
  a_strip_is_drawn_in_any_format ();
  the_marking_is_in_every_frame_whatever_is_set ();
  switches_take_effect_with_the_next_frame ();
  a_picture_that_others_hold_is_not_drawn_on ();
  odd_sizes_and_changes_of_size_are_drawn ();
  a_sink_that_draws_compositions_gets_one ();
  a_sink_that_does_not_gets_pixels ();
  an_unreadable_no_draw_list_is_refused ();
  too_opaque_a_fill_is_clamped ();

  gst_deinit ();
  return 0;
}
