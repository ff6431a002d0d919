/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* cardiacoverlay with results of wall motion, between two pads. */

#include <glib/gstdio.h>
#include <math.h>
#include <mmsa-overlay.h>
#include <string.h>

#include "../require.h"
#include "gstcardiacoverlay.h"
#include "overlaymmsaview.h"
#include "rig.h"

#define SIDE 128
#define WIDTH (3 * SIDE)

/* A record as mmsascore makes it. */
static GstCardiacResult *
make_result (GstCardiacState state, gboolean is_final)
{
  GstCardiacResult *r = gst_cardiac_result_new (GST_CARDIAC_RESULT_MMSA);

  r->state = state;
  r->is_final = is_final;
  r->pts = 0;
  if (gst_cardiac_state_has_finding (state)) {
    r->has_scores = TRUE;
    for (guint k = 0; k < GST_CARDIAC_SEGMENTS; k++)
      r->scores[k] = 1 + k % 4;
    r->index = 2.5;
    r->scored = 16;
    r->n_phases = 20;
    r->motion_step = 3;
    r->motion = g_new0 (gfloat, 20 * GST_CARDIAC_SEGMENTS * 2);
    for (guint i = 0; i < 20 * GST_CARDIAC_SEGMENTS; i++)
      r->motion[2 * i] = -3;
  }
  r->model_name = g_strdup ("model");
  r->trained = TRUE;
  return r;
}

static void
add_slices (GstBuffer *buffer)
{
  for (guint level = 0; level < 3; level++) {
    GstCardiacSliceMeta *slice = gst_buffer_add_cardiac_slice_meta (buffer);
    gdouble x = level * SIDE;

    slice->level = level;
    slice->rectangle.x = x;
    slice->rectangle.w = slice->rectangle.h = SIDE;
    slice->landmarks = GST_CARDIAC_LANDMARKS_FILE;
    slice->lv_centre[0] = x + 64;
    slice->lv_centre[1] = 64;
    slice->rv_anterior[0] = x + 44;
    slice->rv_anterior[1] = 44;
    slice->rv_inferior[0] = x + 44;
    slice->rv_inferior[1] = 84;
    slice->slice = 3 * level + 1;
    slice->phase = 4;
    slice->phases = 20;
  }
}

static GstBuffer *
push (Rig *rig, GstCardiacResult *result, gboolean slices)
{
  GstBuffer *buffer = frame_new (&rig->info, FRAME_GREY, 7,
      rig->frame * GST_SECOND / 30, GST_SECOND / 30, FALSE);

  rig->frame++;
  if (slices)
    add_slices (buffer);
  if (result)
    gst_buffer_add_cardiac_result_meta (buffer, result);
  REQUIRE (gst_harness_push (rig->harness, buffer) == GST_FLOW_OK);
  buffer = gst_harness_pull (rig->harness);
  REQUIRE (buffer != NULL);
  return buffer;
}

static void
map_out (Rig *rig, GstVideoInfo *info, GstVideoFrame *frame, GstBuffer *buffer)
{
  GstCaps *caps = gst_pad_get_current_caps (rig->harness->sinkpad);

  REQUIRE (caps && gst_video_info_from_caps (info, caps));
  gst_caps_unref (caps);
  REQUIRE (gst_video_frame_map (frame, info, buffer, GST_MAP_READ));
}

/* Samples of the picture's part of a canvas that are no longer the picture. */
static guint
count_changes (Rig *rig, GstBuffer *drawn)
{
  GstBuffer *bare = frame_new (&rig->info, FRAME_GREY, 7, 0, 0, FALSE);
  GstVideoFrame a, b;
  GstVideoInfo out;
  guint changes = 0;

  map_out (rig, &out, &a, drawn);
  REQUIRE (gst_video_frame_map (&b, &rig->info, bare, GST_MAP_READ));
  for (gint c = 0; c < MIN (3, (gint) GST_VIDEO_FRAME_N_COMPONENTS (&a)); c++)
    for (gint y = 0; y < GST_VIDEO_FRAME_COMP_HEIGHT (&b, c); y++)
      for (gint x = 0; x < GST_VIDEO_FRAME_COMP_WIDTH (&b, c); x++) {
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
  gst_buffer_unref (bare);
  return changes;
}

/* Pixels of a score's colour in a BGRx canvas. */
static guint
count_colour (Rig *rig, GstBuffer *drawn, gint score)
{
  CardiacMmsaPalette palette;
  GstVideoFrame frame;
  GstVideoInfo out;
  guint count = 0;

  cardiac_mmsa_palette_init (&palette);
  map_out (rig, &out, &frame, drawn);
  for (gint y = 0; y < out.height; y++)
    for (gint x = 0; x < out.width; x++) {
      const guint8 *p = (guint8 *) GST_VIDEO_FRAME_PLANE_DATA (&frame, 0)
                        + y * GST_VIDEO_FRAME_PLANE_STRIDE (&frame, 0) + 4 * x;
      gboolean same = TRUE;

      for (gint c = 0; c < 3; c++)
        same =
            same && ABS (p[2 - c] - lrint (255 * palette.rgb[score][c])) <= 1;
      count += same;
    }
  gst_video_frame_unmap (&frame);
  return count;
}

static void
review_in_format (const gchar *format)
{
  GstCardiacResult *result = make_result (GST_CARDIAC_STATE_RESULT, TRUE);
  GstVideoFrame frame;
  GstVideoInfo out;
  GstBuffer *drawn;
  Rig rig;
  gint width, height;

  rig_start (&rig, "cardiacoverlay layout=panel hide-marks=true");
  rig_caps (&rig, format, WIDTH, SIDE, 30);
  drawn = push (&rig, result, TRUE);
  map_out (&rig, &out, &frame, drawn);
  gst_video_frame_unmap (&frame);
  REQUIRE (cardiac_mmsa_panel_size (WIDTH, SIDE, &width, &height));
  REQUIRE (out.width == width && out.height == height && height > 2 * SIDE);
  /* The slices lie 1:1 at the top left, and their metas still fit. */
  REQUIRE (count_changes (&rig, drawn) == 0);
  REQUIRE (
      gst_buffer_get_cardiac_slice_meta (drawn, 2)->rectangle.x == 2 * SIDE);
  gst_buffer_unref (drawn);
  rig_stop (&rig);
  gst_cardiac_result_unref (result);
}

static void
a_review_canvas_grows_below_in_any_format (void)
{
  GstElementFactory *factory = gst_element_factory_find ("cardiacoverlay");
  const GList *templates =
      gst_element_factory_get_static_pad_templates (factory);
  GstCaps *caps = gst_static_pad_template_get_caps (templates->data);
  const GValue *formats =
      gst_structure_get_value (gst_caps_get_structure (caps, 0), "format");

  for (guint i = 0; i < gst_value_list_get_size (formats); i++)
    review_in_format (
        g_value_get_string (gst_value_list_get_value (formats, i)));
  gst_caps_unref (caps);
  gst_object_unref (factory);
}

/* Right of a picture that is narrower than its panel, and below odd ones. */
static void
what_nothing_covers_is_black (void)
{
  GstVideoFrame frame;
  GstVideoInfo out;
  GstBuffer *drawn;
  Rig rig;

  rig_start (&rig, "cardiacoverlay layout=panel");
  rig_caps (&rig, "GRAY8", 3 * 101, 101, 30);
  drawn = push (&rig, NULL, FALSE);
  map_out (&rig, &out, &frame, drawn);
  REQUIRE (out.width == 720);
  for (gint y = 0; y < 102; y++)
    for (gint x = y < 101 ? 303 : 0; x < out.width; x++)
      REQUIRE (((guint8 *) GST_VIDEO_FRAME_PLANE_DATA (
                   &frame, 0))[y * GST_VIDEO_FRAME_PLANE_STRIDE (&frame, 0) + x]
               <= 16);
  gst_video_frame_unmap (&frame);
  gst_buffer_unref (drawn);
  rig_stop (&rig);
}

static void
content_decides_where_the_canvas_grows (void)
{
  static const struct {
    const gchar *content;
    gint width, height;
    gboolean below;
  } cases[] = {
    { "auto", WIDTH, SIDE, TRUE },
    { "mmsa", WIDTH, SIDE, TRUE },
    { "mreg", WIDTH, SIDE, FALSE },
    { "auto", 640, 480, FALSE },
    { "mmsa", 256, 256, FALSE },
    { "auto", 2560, 1080, FALSE },
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++) {
    gchar *launch = g_strdup_printf (
        "cardiacoverlay layout=panel content=%s", cases[i].content);
    GstCardiacResult *records[] = {
      NULL,
      make_result (GST_CARDIAC_STATE_RESULT, TRUE),
      gst_cardiac_result_new (GST_CARDIAC_RESULT_MREG),
      gst_cardiac_result_new (GST_CARDIAC_RESULT_ROI),
    };
    Rig rig;

    rig_start (&rig, launch);
    rig_caps (&rig, "I420", cases[i].width, cases[i].height, 30);
    /* Whatever comes then is drawn, or it is said why not. */
    for (guint k = 0; k < G_N_ELEMENTS (records); k++) {
      GstBuffer *drawn = push (&rig, records[k], FALSE);
      GstVideoFrame frame;
      GstVideoInfo out;

      map_out (&rig, &out, &frame, drawn);
      gst_video_frame_unmap (&frame);
      REQUIRE ((out.height > MAX (480, cases[i].height)) == cases[i].below);
      REQUIRE (cases[i].below || out.width > cases[i].width + 200);
      gst_buffer_unref (drawn);
      if (records[k])
        gst_cardiac_result_unref (records[k]);
    }
    rig_stop (&rig);
    g_free (launch);
  }
}

static void
scores_come_from_the_record (void)
{
  for (gint s = 0; s <= GST_CARDIAC_STATE_LEVEL_UNKNOWN; s++) {
    GstCardiacResult *result = make_result (s, TRUE);
    gboolean found = gst_cardiac_state_has_finding (s);
    GstBuffer *drawn;
    Rig rig;

    rig_start (&rig, "cardiacoverlay layout=panel");
    rig_caps (&rig, "BGRx", WIDTH, SIDE, 30);
    drawn = push (&rig, result, TRUE);
    for (gint score = 1; score < 5; score++)
      REQUIRE ((count_colour (&rig, drawn, score) > 500) == found);
    gst_buffer_unref (drawn);

    g_object_set (rig.element, "withhold-grade", TRUE, NULL);
    drawn = push (&rig, result, TRUE);
    for (gint score = 1; score < 5; score++)
      REQUIRE (count_colour (&rig, drawn, score) < 100);
    gst_buffer_unref (drawn);
    rig_stop (&rig);
    gst_cardiac_result_unref (result);
  }
}

static void
slices_are_marked_where_their_landmarks_are (void)
{
  GstCardiacResult *result = make_result (GST_CARDIAC_STATE_RESULT, TRUE);
  GstBuffer *drawn, *polar;
  guint all, still;
  Rig rig;

  rig_start (&rig, "cardiacoverlay layout=panel");
  rig_caps (&rig, "GRAY8", WIDTH, SIDE, 30);
  drawn = push (&rig, result, TRUE);
  all = count_changes (&rig, drawn);
  gst_buffer_unref (drawn);
  g_object_set (rig.element, "draw-motion", FALSE, NULL);
  drawn = push (&rig, result, TRUE);
  still = count_changes (&rig, drawn);
  gst_buffer_unref (drawn);
  REQUIRE (still > 500 && all > still + 100);

  drawn = push (&rig, result, FALSE);
  REQUIRE (count_changes (&rig, drawn) == 0);
  gst_buffer_unref (drawn);

  /* Beside a polar picture the landmarks are those of its original. */
  polar = frame_new (&rig.info, FRAME_GREY, 7, 0, 0, FALSE);
  add_slices (polar);
  gst_buffer_add_cardiac_polar_meta (polar);
  gst_buffer_add_cardiac_result_meta (polar, result);
  REQUIRE (gst_harness_push (rig.harness, polar) == GST_FLOW_OK);
  drawn = gst_harness_pull (rig.harness);
  REQUIRE (count_changes (&rig, drawn) == 0);
  gst_buffer_unref (drawn);
  rig_stop (&rig);
  gst_cardiac_result_unref (result);
}

static void
landmarks_are_as_sure_as_the_least_sure_slice (void)
{
  GstBuffer *buffer = gst_buffer_new ();
  CardiacMmsaView view;

  cardiac_mmsa_view_init (&view);
  add_slices (buffer);
  overlay_mmsa_view_fill_slices (&view, buffer);
  REQUIRE (strcmp (view.landmarks, "landmarks from file") == 0);
  cardiac_mmsa_view_init (&view);
  gst_buffer_get_cardiac_slice_meta (buffer, GST_CARDIAC_LEVEL_APICAL)
      ->landmarks = GST_CARDIAC_LANDMARKS_ESTIMATED;
  overlay_mmsa_view_fill_slices (&view, buffer);
  REQUIRE (strcmp (view.landmarks, "landmarks estimated") == 0);
  gst_buffer_unref (buffer);
}

static void
a_strip_with_a_small_map_lies_inside (void)
{
  GstCardiacResult *result = make_result (GST_CARDIAC_STATE_RESULT, TRUE);
  GstBuffer *drawn;
  Rig rig;

  rig_start (&rig, "cardiacoverlay");
  rig_caps (&rig, "BGRx", 960, 320, 30);
  drawn = push (&rig, result, FALSE);
  for (gint score = 1; score < 4; score++)
    REQUIRE (count_colour (&rig, drawn, score) > 200);
  gst_buffer_unref (drawn);
  rig_stop (&rig);
  gst_cardiac_result_unref (result);
}

/* Files. */

static gchar *
make_location (const gchar *suffix)
{
  gchar *name =
      g_strdup_printf ("overlay-%d-%s", (gint) g_random_int (), suffix);
  gchar *path = g_build_filename (g_get_tmp_dir (), name, NULL);

  g_free (name);
  return path;
}

static gboolean
begins_with (const gchar *path, const gchar *head)
{
  gchar *text = NULL;
  gboolean good = g_file_get_contents (path, &text, NULL, NULL)
                  && strncmp (text, head, strlen (head)) == 0;

  g_free (text);
  return good;
}

static guint
count_warnings (Rig *rig)
{
  GstMessage *message;
  guint count = 0;

  while ((message = gst_bus_pop_filtered (rig->bus, GST_MESSAGE_WARNING))) {
    count++;
    gst_message_unref (message);
  }
  return count;
}

static void
a_final_result_writes_the_files (void)
{
  GstCardiacResult *early = make_result (GST_CARDIAC_STATE_WAIT, FALSE);
  GstCardiacResult *late = make_result (GST_CARDIAC_STATE_RESULT, TRUE);
  gchar *png = make_location ("a.png"), *svg = make_location ("a.svg");
  Rig rig;

  rig_start (&rig, "cardiacoverlay layout=panel");
  g_object_set (rig.element, "bullseye-png", png, "bullseye-svg", svg, NULL);
  rig_caps (&rig, "I420", WIDTH, SIDE, 30);
  gst_buffer_unref (push (&rig, early, TRUE));
  REQUIRE (!g_file_test (png, G_FILE_TEST_EXISTS));
  gst_buffer_unref (push (&rig, late, TRUE));
  REQUIRE (begins_with (png, "\x89PNG") && begins_with (svg, "<?xml"));

  /* Once for one record. */
  g_unlink (png);
  g_unlink (svg);
  gst_buffer_unref (push (&rig, late, TRUE));
  gst_harness_push_event (rig.harness, gst_event_new_eos ());
  REQUIRE (!g_file_test (png, G_FILE_TEST_EXISTS));
  REQUIRE (count_warnings (&rig) == 0);
  rig_stop (&rig);
  gst_cardiac_result_unref (early);
  gst_cardiac_result_unref (late);
  g_free (png);
  g_free (svg);
}

static void
the_end_of_the_stream_writes_what_is_left (void)
{
  GstCardiacResult *live = make_result (GST_CARDIAC_STATE_RESULT, FALSE);
  gchar *png = make_location ("b.png");
  Rig rig;

  rig_start (&rig, "cardiacoverlay layout=inside");
  g_object_set (rig.element, "bullseye-png", png, NULL);
  rig_caps (&rig, "I420", WIDTH, SIDE, 30);
  gst_buffer_unref (push (&rig, live, TRUE));
  gst_cardiac_result_unref (live);
  REQUIRE (!g_file_test (png, G_FILE_TEST_EXISTS));
  gst_harness_push_event (rig.harness, gst_event_new_eos ());
  REQUIRE (begins_with (png, "\x89PNG"));
  g_unlink (png);
  rig_stop (&rig);
  g_free (png);
}

static void
files_that_cannot_be_written_are_told_once (void)
{
  GstCardiacResult *result = make_result (GST_CARDIAC_STATE_RESULT, TRUE);
  gchar *png = make_location ("never.png");
  Rig rig;

  rig_start (&rig, "cardiacoverlay bullseye-png=/no/such/place/a.png");
  rig_caps (&rig, "I420", WIDTH, SIDE, 30);
  gst_buffer_unref (push (&rig, result, TRUE));
  gst_buffer_unref (push (&rig, result, TRUE));
  gst_cardiac_result_unref (result);
  result = make_result (GST_CARDIAC_STATE_RESULT, TRUE);
  gst_buffer_unref (push (&rig, result, TRUE));
  gst_cardiac_result_unref (result);
  REQUIRE (count_warnings (&rig) == 1);
  rig_stop (&rig);

  rig_start (&rig, "cardiacoverlay");
  g_object_set (rig.element, "bullseye-png", png, NULL);
  rig_caps (&rig, "I420", WIDTH, SIDE, 30);
  gst_buffer_unref (push (&rig, NULL, FALSE));
  gst_harness_push_event (rig.harness, gst_event_new_eos ());
  REQUIRE (count_warnings (&rig) == 1);
  REQUIRE (!g_file_test (png, G_FILE_TEST_EXISTS));
  rig_stop (&rig);
  g_free (png);
}

static void
a_palette_is_read_at_the_start_or_refused (void)
{
  static const gchar own[] = "[wall-motion]\n1 = #102030\n2 = #405060\n"
                             "3 = #708090\n4 = #a0b0c0\nunscored = #ffffff\n";
  gchar *path = make_location ("palette.ini");
  gchar *launch = g_strdup_printf ("cardiacoverlay palette=%s", path);
  GstCardiacResult *result = make_result (GST_CARDIAC_STATE_RESULT, TRUE);
  GError *error = rig_start_error (launch);
  GstBuffer *drawn;
  gchar *panel;
  Rig rig;

  REQUIRE (error && strstr (error->message, path));
  g_clear_error (&error);
  REQUIRE (g_file_set_contents (path, "[wall-motion]\n1 = green\n", -1, NULL));
  error = rig_start_error (launch);
  REQUIRE (error && strstr (error->message, "line 2"));
  g_clear_error (&error);
  REQUIRE (g_file_set_contents (path, own, -1, NULL));
  REQUIRE (!rig_start_error (launch));

  panel = g_strdup_printf ("%s layout=panel", launch);
  rig_start (&rig, panel);
  rig_caps (&rig, "BGRx", WIDTH, SIDE, 30);
  drawn = push (&rig, result, TRUE);
  REQUIRE (count_colour (&rig, drawn, 2) < 100);
  gst_buffer_unref (drawn);
  rig_stop (&rig);
  g_unlink (path);
  gst_cardiac_result_unref (result);
  g_free (panel);
  g_free (launch);
  g_free (path);
}

int
main (int argc, char **argv)
{
  gst_init (&argc, &argv);
  GST_ELEMENT_REGISTER (cardiacoverlay, NULL);

  a_review_canvas_grows_below_in_any_format ();
  what_nothing_covers_is_black ();
  content_decides_where_the_canvas_grows ();
  scores_come_from_the_record ();
  slices_are_marked_where_their_landmarks_are ();
  landmarks_are_as_sure_as_the_least_sure_slice ();
  a_strip_with_a_small_map_lies_inside ();
  a_final_result_writes_the_files ();
  the_end_of_the_stream_writes_what_is_left ();
  files_that_cannot_be_written_are_told_once ();
  a_palette_is_read_at_the_start_or_refused ();

  gst_deinit ();
  return 0;
}
