/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Regions of DICOM recordings, from the file to the overlay: they are read as
 * hostile data, and what the scanner reserves is never drawn on. */

#include <glib/gstdio.h>
#include <gst/check/gstharness.h>
#include <gst/video/video.h>
#include <math.h>
#include <string.h>

#include "../require.h"
#include "gstcardiacoverlay.h"
#include "gstdicomdemux.h"
#include "made-clip.h"
#include "meta/cardiac.h"

#define RAW "1.2.840.10008.1.2.1"
#define FRAMES 15 /* one in each state */

static gchar *path;

typedef struct {
  GPtrArray *frames;
  GstCaps *caps;
  gchar *warning; /* the last one, or NULL */
} Recording;

/* A dark screen with a bright sector in the middle: nothing but the regions
 * tells where the ECG is. */
static void
write_file (gint width, gint height, const gchar *regions)
{
  gsize size = (gsize) 3 * width * height;
  guint8 *frames = g_malloc0 (FRAMES * size);
  gchar *elements =
      g_strdup_printf ("0028,0010=%d\n0028,0011=%d\n0028,0100=8\n0028,0101=8\n"
                       "0028,0102=7\n0028,0103=0\n0028,0002=3\n0028,0006=0\n"
                       "0028,0004=RGB\n0028,0008=%d\n0018,1063=40\n%s",
          height, width, FRAMES, regions);

  for (gint f = 0; f < FRAMES; f++)
    for (gint y = height / 4; y < 3 * height / 4; y++)
      memset (frames + f * size + 3 * (y * width + width / 3), 90 + f,
          3 * (width / 4));
  REQUIRE (!made_clip (path, elements, frames, FRAMES, size, 0, RAW));
  g_free (elements);
  g_free (frames);
}

static void
read_file (Recording *recording)
{
  GstHarness *h = gst_harness_new ("dicomdemux");
  GstBus *bus = gst_bus_new ();
  GstMessage *message;
  GstBuffer *buffer;
  gchar *data;
  gsize size;

  memset (recording, 0, sizeof *recording);
  recording->frames =
      g_ptr_array_new_with_free_func ((GDestroyNotify) gst_buffer_unref);
  gst_element_set_bus (h->element, bus);
  gst_harness_set_src_caps_str (h, "application/dicom");
  REQUIRE (g_file_get_contents (path, &data, &size, NULL));
  gst_harness_push (h, gst_buffer_new_wrapped (data, size));
  gst_harness_push_event (h, gst_event_new_eos ());
  for (gint f = 0; f < FRAMES; f++) {
    buffer = gst_harness_pull (h);
    REQUIRE (buffer != NULL);
    g_ptr_array_add (recording->frames, buffer);
  }
  recording->caps = gst_pad_get_current_caps (h->sinkpad);
  while ((message = gst_bus_pop (bus))) {
    GError *error = NULL;

    REQUIRE (GST_MESSAGE_TYPE (message) != GST_MESSAGE_ERROR);
    if (GST_MESSAGE_TYPE (message) == GST_MESSAGE_WARNING) {
      gst_message_parse_warning (message, &error, NULL);
      g_free (recording->warning);
      recording->warning = g_strdup (error->message);
      g_error_free (error);
    }
    gst_message_unref (message);
  }
  gst_element_set_bus (h->element, NULL);
  gst_object_unref (bus);
  gst_harness_teardown (h);
}

static void
forget (Recording *recording)
{
  g_ptr_array_unref (recording->frames);
  gst_caps_unref (recording->caps);
  g_free (recording->warning);
}

static GstCardiacRegionMeta *
get_region (GstBuffer *buffer, guint number)
{
  GstCardiacRegionMeta *region;
  gpointer state = NULL;

  while ((region = gst_buffer_iterate_cardiac_region_meta (buffer, &state)))
    if (region->number == number)
      return region;
  return NULL;
}

static guint
count_regions (GstBuffer *buffer)
{
  return gst_buffer_get_n_meta (buffer, GST_CARDIAC_REGION_META_API_TYPE);
}

/* ---- from the file ------------------------------------------------------ */

static void
every_frame_carries_what_the_file_says (void)
{
  GstCardiacRegionMeta *region;
  Recording r;

  write_file (
      320, 240, "region=1,1,20,30,219,129\nregion=4,10,0,200,319,239\n");
  read_file (&r);
  REQUIRE (r.warning == NULL);
  for (guint f = 0; f < r.frames->len; f++)
    REQUIRE (count_regions (g_ptr_array_index (r.frames, f)) == 2);
  region = get_region (g_ptr_array_index (r.frames, FRAMES - 1), 0);
  REQUIRE (region->kind == GST_CARDIAC_REGION_TISSUE && region->flags == 2);
  REQUIRE (region->spatial_format == 1 && region->data_type == 1);
  REQUIRE (region->box.x == 20 && region->box.y == 30);
  REQUIRE (region->box.w == 200 && region->box.h == 100);
  REQUIRE (region->unit[0] == 3 && region->unit[1] == 3);
  REQUIRE (region->delta[0] == 0.05 && region->delta[1] == -0.05);
  REQUIRE (region->reference[0] == 30 && region->reference[1] == 50);
  REQUIRE (
      region->reference_value[0] == 1.5 && region->reference_value[1] == -2);
  region = get_region (g_ptr_array_index (r.frames, 0), 1);
  REQUIRE (region->kind == GST_CARDIAC_REGION_OTHER && region->box.w == 320);
  forget (&r);
}

static void
boxes_are_cut_to_the_picture_or_passed_over (void)
{
  GstCardiacRegionMeta *region;
  GstBuffer *first;
  Recording r;

  write_file (320, 240,
      "region=1,1,300,200,4000000000,240\n"      /* cut */
      "region=1,1,300,200,319,239\n"             /* the same, then */
      "region=4,10,320,0,400,100\n"              /* right of the picture */
      "region=4,10,0,4294967295,10,4294967295\n" /* -1 as it were */
      "region=4,10,100,100,50,150\n"             /* reversed */
      "region=4,10,7,9,7,9\n");                  /* one pixel */
  read_file (&r);
  first = g_ptr_array_index (r.frames, 0);
  REQUIRE (count_regions (first) == 2);
  region = get_region (first, 0);
  REQUIRE (region->box.x == 300 && region->box.w == 20);
  REQUIRE (region->box.y == 200 && region->box.h == 40);
  region = get_region (first, 1);
  REQUIRE (region->box.x == 7 && region->box.w == 1 && region->box.h == 1);
  REQUIRE (r.warning == NULL); /* cropped files have such boxes */
  forget (&r);
}

static void
hundreds_of_regions_are_bounded (void)
{
  GString *regions = g_string_new (NULL);
  Recording r;

  for (gint i = 0; i < 2000; i++)
    g_string_append_printf (
        regions, "region=4,10,%d,%d,319,239\n", i % 300, i % 200);
  write_file (320, 240, regions->str);
  read_file (&r);
  REQUIRE (count_regions (g_ptr_array_index (r.frames, 0)) == 64);
  forget (&r);
  g_string_free (regions, TRUE);
}

/* ---- to the overlay ------------------------------------------------------ */

/* Everything that the overlay can draw, in every state. */
static void
add_result (GstBuffer *buffer, GstCardiacState state, gint width, gint height)
{
  GstCardiacResult *r = gst_cardiac_result_new (GST_CARDIAC_RESULT_MREG);
  GstCardiacGeometryMeta *geometry =
      gst_buffer_add_cardiac_geometry_meta (buffer);
  GstCardiacResultMeta *meta;
  const gint cells = 7;

  r->state = state;
  r->pts = 0;
  r->is_final = TRUE;
  r->instances = 1;
  r->n_classes = 3;
  r->labels[0] = g_strdup ("none/trace");
  r->labels[1] = g_strdup ("mild");
  r->labels[2] = g_strdup ("\xe2\x89\xa5 moderate");
  r->thresholds[0] = 0.5;
  r->thresholds[1] = 1.5;
  r->reason = g_strdup ("a long reason, which is left out where there is no "
                        "room for as many words as this one takes");
  if (gst_cardiac_state_has_finding (state)) {
    r->grade = 1;
    r->value = 1.45;
    r->instance = 0;
  }
  r->model_name = g_strdup ("mreg-demo");
  r->model_sha256 = g_strdup ("0123456789abcdef");
  r->device = g_strdup ("cpu");
  r->precision = g_strdup ("bf16");
  r->trained = r->synthetic = TRUE;
  r->n_points = 1;
  r->map_rows = r->map_cols = cells;
  r->map_peaks[0] = 1;
  r->maps = g_new (gfloat, cells * cells);
  for (gint i = 0; i < cells * cells; i++)
    r->maps[i] = (i / cells + i % cells) % 3 / 2.f;
  meta = gst_buffer_add_cardiac_result_meta (buffer, r);
  meta->map_instance = meta->map_frame = 0;
  gst_cardiac_result_unref (r);
  geometry->has_roi = geometry->has_crop = TRUE;
  geometry->roi = geometry->crop =
      (GstCardiacBox){ 0, 0, MIN (width, height), MIN (width, height) };
}

static guint
count_changes (
    const GstVideoFrame *a, const GstVideoFrame *b, const GstCardiacBox *box)
{
  guint changes = 0;

  for (guint c = 0; c < GST_VIDEO_FRAME_N_COMPONENTS (b); c++) {
    gint w = GST_VIDEO_FORMAT_INFO_W_SUB (b->info.finfo, c);
    gint h = GST_VIDEO_FORMAT_INFO_H_SUB (b->info.finfo, c);

    for (gint y = (gint) box->y >> h; y <= ((gint) (box->y + box->h) - 1) >> h;
         y++)
      for (gint x = (gint) box->x >> w;
           x <= ((gint) (box->x + box->w) - 1) >> w; x++) {
        const guint8 *p = (guint8 *) GST_VIDEO_FRAME_COMP_DATA (a, c)
                          + y * GST_VIDEO_FRAME_COMP_STRIDE (a, c)
                          + x * GST_VIDEO_FRAME_COMP_PSTRIDE (a, c);
        const guint8 *q = (guint8 *) GST_VIDEO_FRAME_COMP_DATA (b, c)
                          + y * GST_VIDEO_FRAME_COMP_STRIDE (b, c)
                          + x * GST_VIDEO_FRAME_COMP_PSTRIDE (b, c);

        changes += *p != *q;
      }
  }
  return changes;
}

typedef struct {
  guint reserved; /* regions that must not be drawn on */
  guint trespass; /* samples of them that were */
  guint drawn;    /* samples of the whole picture */
  gint width;     /* of what came out */
  gint warnings;
  gboolean marked; /* "RESEARCH USE ONLY" or something else, in each frame */
} Seen;

static void
compare (Seen *seen, GstBuffer *drawn, GstBuffer *bare, GstCaps *drawn_caps,
    GstCaps *bare_caps)
{
  GstCardiacBox whole = { 0 };
  GstVideoInfo drawn_info, bare_info;
  GstCardiacRegionMeta *region;
  GstVideoFrame a, b;
  gpointer state = NULL;
  guint changes;

  REQUIRE (gst_video_info_from_caps (&drawn_info, drawn_caps));
  REQUIRE (gst_video_info_from_caps (&bare_info, bare_caps));
  REQUIRE (gst_video_frame_map (&a, &drawn_info, drawn, GST_MAP_READ));
  REQUIRE (gst_video_frame_map (&b, &bare_info, bare, GST_MAP_READ));
  while ((region = gst_buffer_iterate_cardiac_region_meta (bare, &state))) {
    if (!gst_cardiac_region_kind_is_reserved (region->kind))
      continue;
    seen->reserved++;
    seen->trespass += count_changes (&a, &b, &region->box);
  }
  whole.w = bare_info.width;
  whole.h = bare_info.height;
  changes = count_changes (&a, &b, &whole);
  seen->drawn += changes;
  seen->marked =
      seen->marked && (changes > 0 || drawn_info.width > bare_info.width);
  seen->width = drawn_info.width;
  gst_video_frame_unmap (&a);
  gst_video_frame_unmap (&b);
}

/* Plays the file through the overlay. @after: behind it, or NULL */
static void
draw_file (
    Seen *seen, const gchar *format, const gchar *overlay, const gchar *after)
{
  gchar *before = g_strdup_printf (
      "videoconvert ! capsfilter caps=video/x-raw,format=%s", format);
  gchar *launch = g_strdup_printf ("cardiacoverlay map=fill %s%s%s", overlay,
      after ? " ! " : "", after ? after : "");
  GstHarness *bare = gst_harness_new_parse (before);
  GstHarness *drawn = gst_harness_new_parse (launch);
  GstBus *bus = gst_bus_new ();
  GstMessage *message;
  GstVideoInfo info;
  Recording r;

  memset (seen, 0, sizeof *seen);
  seen->marked = TRUE;
  read_file (&r);
  REQUIRE (gst_video_info_from_caps (&info, r.caps));
  gst_element_set_bus (drawn->element, bus);
  gst_harness_set_src_caps (bare, gst_caps_ref (r.caps));
  for (gint f = 0; f < FRAMES; f++) {
    GstBuffer *in = gst_buffer_copy (g_ptr_array_index (r.frames, f)), *out;
    GstCaps *bare_caps, *drawn_caps;

    add_result (in, (GstCardiacState) f, info.width, info.height);
    REQUIRE (gst_harness_push (bare, in) == GST_FLOW_OK);
    in = gst_harness_pull (bare);
    bare_caps = gst_pad_get_current_caps (bare->sinkpad);
    if (f == 0)
      gst_harness_set_src_caps (drawn, gst_caps_ref (bare_caps));
    REQUIRE (
        gst_harness_push (drawn, gst_buffer_copy_deep (in)) == GST_FLOW_OK);
    out = gst_harness_pull (drawn);
    drawn_caps = gst_pad_get_current_caps (drawn->sinkpad);
    compare (seen, out, in, drawn_caps, bare_caps);
    gst_caps_unref (bare_caps);
    gst_caps_unref (drawn_caps);
    gst_buffer_unref (in);
    gst_buffer_unref (out);
  }
  while ((message = gst_bus_pop_filtered (bus, GST_MESSAGE_WARNING))) {
    seen->warnings++;
    gst_message_unref (message);
  }
  gst_element_set_bus (drawn->element, NULL);
  gst_object_unref (bus);
  gst_harness_teardown (bare);
  gst_harness_teardown (drawn);
  forget (&r);
  g_free (before);
  g_free (launch);
}

/* As on a scanner: 2-D in the middle with a colour box, bars at its right, an
 * ECG over the whole width below. */
static gchar *
five_regions (gint w, gint h)
{
  return g_strdup_printf ("region=1,1,%d,%d,%d,%d\nregion=1,2,%d,%d,%d,%d\n"
                          "region=4,10,%d,%d,%d,%d\nregion=1,14,%d,%d,%d,%d\n"
                          "region=1,13,%d,%d,%d,%d\n",
      w / 10, h / 10, 8 * w / 10, 8 * h / 10, w / 3, h / 3, w / 2, 2 * h / 3, 0,
      84 * h / 100 + 1, w - 1, 97 * h / 100, 94 * w / 100 + 1, h / 10,
      98 * w / 100, h / 2, 88 * w / 100, h / 10, 92 * w / 100, h / 2);
}

static void
reserved_regions_come_out_as_they_went_in (void)
{
  static const struct {
    gint w, h;
    const gchar *format;
  } cases[] = { { 320, 240, "RGB" }, { 431, 301, "YUY2" }, { 431, 301, "YUV9" },
    { 640, 480, "NV12" }, { 800, 600, "I420" } };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++) {
    gint w = cases[i].w, h = cases[i].h;
    gchar *regions = five_regions (w, h);
    Seen inside, panel;

    write_file (w, h, regions);
    g_free (regions);
    draw_file (&inside, cases[i].format, "layout=inside", NULL);
    draw_file (&panel, cases[i].format, "layout=panel", NULL);
    printf ("%4d x %d %s: %u samples drawn inside, %u beside a panel\n", w, h,
        cases[i].format, inside.drawn, panel.drawn);
    REQUIRE (inside.reserved == 3 * FRAMES && panel.reserved == 3 * FRAMES);
    REQUIRE (inside.trespass == 0 && panel.trespass == 0);
    REQUIRE (inside.width == w && inside.marked && inside.drawn > 0);
    REQUIRE (panel.width > w && panel.drawn > 0); /* contours and corners */
  }
}

/* A free band below a spectrum, lower and lower: the strip says less, then the
 * panel comes. */
static void
a_strip_says_less_before_it_trespasses (void)
{
  guint inside = 0, panels = 0;

  for (gint end = 160; end < 240; end += 16) {
    gchar *regions = g_strdup_printf ("region=3,3,0,0,319,%d\n", end - 1);
    Seen seen;

    write_file (320, 240, regions);
    g_free (regions);
    draw_file (&seen, "RGB", "layout=inside", NULL);
    REQUIRE (seen.trespass == 0 && seen.marked);
    inside += seen.width == 320;
    panels += seen.width > 320;
    REQUIRE (seen.width > 320 || panels == 0);
  }
  REQUIRE (inside > 0 && panels > 0);
}

static void
without_room_the_panel_takes_over (void)
{
  Seen seen;

  /* a spectrum with margins that no strip fits into */
  write_file (640, 480, "region=3,3,30,30,609,449\n");
  draw_file (&seen, "I420", "layout=inside", NULL);
  REQUIRE (seen.width > 640 && seen.trespass == 0 && seen.marked);
  REQUIRE (seen.warnings == 0);

  /* places by hand count as much */
  write_file (640, 480, "");
  draw_file (&seen, "I420", "layout=inside no-draw=30,30,580,420", NULL);
  REQUIRE (seen.width > 640);

  /* where no other size is taken, it is said that something is covered */
  write_file (640, 480, "region=3,3,30,30,609,449\n");
  draw_file (&seen, "I420", "layout=inside",
      "capsfilter caps=video/x-raw,width=640,height=480");
  REQUIRE (seen.width == 640 && seen.marked && seen.trespass > 0);
}

int
main (int argc, char **argv)
{
  gint file;

  gst_init (&argc, &argv);
  gst_element_register (
      NULL, "dicomdemux", GST_RANK_PRIMARY, GST_TYPE_DICOM_DEMUX);
  GST_ELEMENT_REGISTER (cardiacoverlay, NULL);
  file = g_file_open_tmp ("regions-XXXXXX.dcm", &path, NULL);
  REQUIRE (file >= 0);
  g_close (file, NULL);
  every_frame_carries_what_the_file_says ();
  boxes_are_cut_to_the_picture_or_passed_over ();
  hundreds_of_regions_are_bounded ();
  reserved_regions_come_out_as_they_went_in ();
  a_strip_says_less_before_it_trespasses ();
  without_room_the_panel_takes_over ();
  g_remove (path);
  g_free (path);
  return 0;
}
