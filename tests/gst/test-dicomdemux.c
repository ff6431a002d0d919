/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* DICOM recordings that DCMTK writes, through dicomdemux: pixels, colours,
 * times, seeks and messages. Real files where $GST_CARDIAC_TEST_DATA is. */

#include <glib/gstdio.h>
#include <gst/check/gstharness.h>
#include <gst/video/video.h>
#include <math.h>
#include <string.h>

#include "../require.h"
#include "gstdicomdemux.h"
#include "made-clip.h"
#ifdef HAVE_OPENJPEG
#include "made-j2k.h"
#endif

enum { W = 32, H = 24, N = 5, PIXELS = W * H };

#define SHAPE                                                                  \
  "0028,0010=24\n0028,0011=32\n0028,0100=8\n0028,0101=8\n0028,0102=7\n"        \
  "0028,0103=0\n"
#define COLOURED SHAPE "0028,0002=3\n0028,0006=0\n"
#define FRAMES "0028,0008=5\n"
#define TIME "0018,1063=76.0\n"
#define RAW "1.2.840.10008.1.2.1"
#define JPEG "1.2.840.10008.1.2.4.50"

static gchar *path;

typedef struct {
  GPtrArray *buffers;
  GstCaps *caps;
  GstTagList *tags;
  gint errors, warnings;
  gchar *text; /* of the last message */
} Played;

static void
keep_message (Played *played, GstMessage *message)
{
  GError *error = NULL;

  if (GST_MESSAGE_TYPE (message) == GST_MESSAGE_ERROR) {
    gst_message_parse_error (message, &error, NULL);
    played->errors++;
  } else {
    gst_message_parse_warning (message, &error, NULL);
    played->warnings++;
  }
  g_free (played->text);
  played->text = g_strdup (error->message);
  REQUIRE (!strstr (played->text, "Secret") && !strstr (played->text, "4711"));
  g_error_free (error);
}

static void
play_data (Played *played, const gchar *data, gsize size, guint64 max_size)
{
  GstHarness *h = gst_harness_new ("dicomdemux");
  GstBus *bus = gst_bus_new ();
  GstMessage *message;
  GstEvent *event;
  gboolean ended = FALSE;

  memset (played, 0, sizeof *played);
  played->buffers =
      g_ptr_array_new_with_free_func ((GDestroyNotify) gst_buffer_unref);
  gst_element_set_bus (h->element, bus);
  if (max_size)
    g_object_set (h->element, "max-size", max_size, NULL);
  gst_harness_set_src_caps_str (h, "application/dicom");
  for (gsize at = 0; at < size; at += 1000)
    gst_harness_push (
        h, gst_buffer_new_memdup (data + at, MIN (1000, size - at)));
  gst_harness_push_event (h, gst_event_new_eos ());
  while (!ended) {
    event = gst_harness_pull_event (h);
    REQUIRE (event != NULL);
    if (GST_EVENT_TYPE (event) == GST_EVENT_CAPS) {
      gst_event_parse_caps (event, &played->caps);
      gst_caps_ref (played->caps);
    }
    if (GST_EVENT_TYPE (event) == GST_EVENT_TAG) {
      gst_event_parse_tag (event, &played->tags);
      played->tags = gst_tag_list_ref (played->tags);
    }
    ended = GST_EVENT_TYPE (event) == GST_EVENT_EOS;
    gst_event_unref (event);
  }
  for (GstBuffer *b; (b = gst_harness_try_pull (h));)
    g_ptr_array_add (played->buffers, b);
  while ((message = gst_bus_pop_filtered (
              bus, GST_MESSAGE_ERROR | GST_MESSAGE_WARNING))) {
    keep_message (played, message);
    gst_message_unref (message);
  }
  gst_element_set_bus (h->element, NULL);
  gst_object_unref (bus);
  gst_harness_teardown (h);
}

static void
play (Played *played, const gchar *file)
{
  gchar *data;
  gsize size;

  REQUIRE (g_file_get_contents (file, &data, &size, NULL));
  play_data (played, data, size, 0);
  g_free (data);
}

static void
done (Played *played)
{
  g_ptr_array_unref (played->buffers);
  g_clear_pointer (&played->caps, gst_caps_unref);
  g_clear_pointer (&played->tags, gst_tag_list_unref);
  g_free (played->text);
}

/* Largest difference of a frame from RGB (or grey) samples, and their PSNR. */
static gint
compare (Played *played, guint frame, const guint8 *expected, gint channels,
    gdouble *psnr)
{
  GstVideoFrame picture;
  GstVideoInfo info;
  gint most = 0;
  gdouble squares = 0;

  REQUIRE (frame < played->buffers->len);
  REQUIRE (gst_video_info_from_caps (&info, played->caps));
  REQUIRE (gst_video_frame_map (&picture, &info,
      g_ptr_array_index (played->buffers, frame), GST_MAP_READ));
  for (gint i = 0; i < PIXELS * channels; i++) {
    gint y = i / (W * channels), x = i % (W * channels);
    const guint8 *row = (guint8 *) GST_VIDEO_FRAME_PLANE_DATA (&picture, 0)
                        + y * GST_VIDEO_FRAME_PLANE_STRIDE (&picture, 0);
    gint off = ABS (row[x] - expected[i]);

    most = MAX (most, off);
    squares += off * off;
  }
  gst_video_frame_unmap (&picture);
  if (psnr)
    *psnr = 10 * log10 (65025 * PIXELS * channels / MAX (squares, 1e-9));
  return most;
}

/* Smooth colours that move from frame to frame. */
static void
paint (guint8 *frames)
{
  for (gint f = 0; f < N; f++)
    for (gint i = 0; i < PIXELS; i++) {
      guint8 *p = frames + 3 * (f * PIXELS + i);

      p[0] = 40 + 4 * (i % W) + 10 * f;
      p[1] = 200 - 5 * (i / W) - 8 * f;
      p[2] = 60 + 2 * (i % W) + 2 * (i / W);
    }
}

static void
frames_are_the_same_in_every_syntax (void)
{
  static const gchar *const lossless[] = { "1.2.840.10008.1.2", RAW,
    "1.2.840.10008.1.2.2", "1.2.840.10008.1.2.1.99", "1.2.840.10008.1.2.5",
    "1.2.840.10008.1.2.4.70", "1.2.840.10008.1.2.4.80" };
  guint8 frames[3 * N * PIXELS];
  gdouble psnr;
  Played p;

  paint (frames);
  for (guint s = 0; s < G_N_ELEMENTS (lossless); s++) {
    REQUIRE (!made_clip (path, COLOURED FRAMES TIME "0028,0004=RGB\n", frames,
        N, 3 * PIXELS, 0, lossless[s]));
    play (&p, path);
    REQUIRE (p.errors == 0 && p.warnings == 0 && p.buffers->len == N);
    for (gint f = 0; f < N; f++)
      REQUIRE (compare (&p, f, frames + 3 * f * PIXELS, 3, NULL) == 0);
    done (&p);
  }
  REQUIRE (!made_clip (path, COLOURED FRAMES TIME "0028,0004=RGB\n", frames, N,
      3 * PIXELS, 0, JPEG));
  play (&p, path);
  REQUIRE (p.errors == 0 && p.warnings == 0 && p.buffers->len == N);
  for (gint f = 0; f < N; f++) {
    compare (&p, f, frames + 3 * f * PIXELS, 3, &psnr);
    REQUIRE (psnr >= 40);
  }
  done (&p);
}

/* --- the red patch ------------------------------------------------------- */

static void
patch_is_red (const gchar *what)
{
  guint8 red[3 * PIXELS];
  Played p;

  for (gint i = 0; i < PIXELS; i++)
    memcpy (red + 3 * i, (guint8[]){ 200, 30, 20 }, 3);
  play (&p, path);
  if (p.errors || compare (&p, 0, red, 3, NULL) > 4)
    fprintf (stderr, "%s: %s\n", what, p.text ? p.text : "another colour");
  REQUIRE (p.errors == 0 && compare (&p, 0, red, 3, NULL) <= 4);
  done (&p);
}

static void
write_patch (const gchar *elements, const guint8 *unit, gsize n_unit,
    gsize size, const gchar *syntax)
{
  guint8 samples[3 * PIXELS];

  for (gsize i = 0; i < size; i++)
    samples[i] = unit[i % n_unit];
  REQUIRE (!made_clip (path, elements, samples, 1, size, 0, syntax));
}

static void
plain_patches_are_red (void)
{
  const guint8 rgb[] = { 200, 30, 20 }, ybr[] = { 80, 94, 214 };
  const guint8 packed[] = { 80, 80, 94, 214 }, index[] = { 1 };
  guint8 planes[3 * PIXELS];

  write_patch (COLOURED "0028,0004=RGB\n", rgb, 3, 3 * PIXELS, RAW);
  patch_is_red ("RGB");
  write_patch (COLOURED "0028,0004=YBR_FULL\n", ybr, 3, 3 * PIXELS, RAW);
  patch_is_red ("YBR_FULL");
  write_patch (COLOURED "0028,0004=YBR_FULL\n", ybr, 3, 3 * PIXELS,
      "1.2.840.10008.1.2.5");
  patch_is_red ("YBR_FULL in RLE");
  write_patch (COLOURED "0028,0004=YBR_FULL_422\n", packed, 4, 2 * PIXELS, RAW);
  patch_is_red ("YBR_FULL_422");
  write_patch (
      SHAPE "0028,0002=1\n0028,0004=PALETTE COLOR\n", index, 1, PIXELS, RAW);
  patch_is_red ("palette");
  for (gint i = 0; i < 3 * PIXELS; i++)
    planes[i] = rgb[i / PIXELS];
  REQUIRE (!made_clip (path, SHAPE "0028,0002=3\n0028,0006=1\n0028,0004=RGB\n",
      planes, 1, 3 * PIXELS, 0, RAW));
  patch_is_red ("planes");
}

/* A JPEG stream of three components as they are. @ids: of the components;
 * @app: a segment instead of JFIF's, or NULL */
static GByteArray *
make_jpeg (const gchar *format, const guint8 *components, const gchar *ids,
    const guint8 *app, gsize n_app)
{
  GstHarness *h = gst_harness_new_parse ("jpegenc quality=98");
  GByteArray *stream = g_byte_array_new ();
  GstVideoInfo info;
  GstVideoFrame frame;
  GstBuffer *buffer;
  GstMapInfo map;
  GstCaps *caps;

  gst_video_info_set_format (
      &info, gst_video_format_from_string (format), W, H);
  info.fps_n = 25;
  caps = gst_video_info_to_caps (&info);
  gst_harness_set_src_caps (h, caps);
  buffer = gst_buffer_new_allocate (NULL, info.size, NULL);
  gst_video_frame_map (&frame, &info, buffer, GST_MAP_WRITE);
  for (gint c = 0; c < 3; c++)
    memset (GST_VIDEO_FRAME_PLANE_DATA (&frame, c), components[c],
        GST_VIDEO_FRAME_COMP_HEIGHT (&frame, c)
            * GST_VIDEO_FRAME_PLANE_STRIDE (&frame, c));
  gst_video_frame_unmap (&frame);
  gst_harness_push (h, buffer);
  buffer = gst_harness_pull (h);
  REQUIRE (buffer && gst_buffer_map (buffer, &map, GST_MAP_READ));
  REQUIRE (map.data[2] == 0xff && map.data[3] == 0xe0);
  g_byte_array_append (stream, map.data, 2);
  if (app)
    g_byte_array_append (stream, app, n_app);
  for (gsize at = app ? 4 + (map.data[4] << 8 | map.data[5]) : 2;
       at < map.size;) { /* segments up to the scan, then the rest */
    gsize n = map.data[at + 1] == 0xda
                  ? map.size - at
                  : 2 + (gsize) (map.data[at + 2] << 8 | map.data[at + 3]);
    gsize from = stream->len;

    g_byte_array_append (stream, map.data + at, n);
    for (gint c = 0; ids && c < 3; c++) {
      if (map.data[at + 1] == 0xc0)
        stream->data[from + 10 + 3 * c] = ids[c];
      if (map.data[at + 1] == 0xda)
        stream->data[from + 5 + 2 * c] = ids[c];
    }
    at += n;
  }
  if (stream->len % 2)
    g_byte_array_append (stream, (guint8[]){ 0 }, 1);
  gst_buffer_unmap (buffer, &map);
  gst_buffer_unref (buffer);
  gst_harness_teardown (h);
  return stream;
}

static void
jpeg_patch_is_red (const gchar *what, const gchar *format, const guint8 *values,
    const gchar *ids, const guint8 *app, gsize n_app, const gchar *elements)
{
  GByteArray *stream = make_jpeg (format, values, ids, app, n_app);

  REQUIRE (!made_clip (path, elements, stream->data, 1, stream->len, 1, JPEG));
  patch_is_red (what);
  g_byte_array_unref (stream);
}

static void
jpeg_patches_are_red_by_every_rule (void)
{
  const guint8 rgb[] = { 200, 30, 20 }, ybr[] = { 80, 94, 214 };
  const gchar *is_rgb = COLOURED "0028,0004=RGB\n";
  const gchar *is_ybr = COLOURED "0028,0004=YBR_FULL_422\n";
  guint8 adobe[] = { 0xff, 0xee, 0, 14, 'A', 'd', 'o', 'b', 'e', 0, 100, 0, 0,
    0, 0, 0 };
  const guint8 comment[] = { 0xff, 0xfe, 0, 4, 'n', 'o' };
  const gsize n = sizeof comment;
  GstElementFactory *factory = gst_element_factory_find ("jpegenc");

  if (!factory) {
    printf ("JPEG colours are not tested: there is no jpegenc\n");
    return;
  }
  gst_object_unref (factory);
  /* Tags say the opposite wherever a rule comes before them. */
  jpeg_patch_is_red ("rule 1", "Y444", ybr, NULL, NULL, 0, is_rgb);
  jpeg_patch_is_red (
      "rule 2, RGB", "Y444", rgb, NULL, adobe, sizeof adobe, is_ybr);
  adobe[15] = 1;
  jpeg_patch_is_red (
      "rule 2, YCbCr", "Y444", ybr, NULL, adobe, sizeof adobe, is_rgb);
  jpeg_patch_is_red ("rule 3", "Y444", rgb, "RGB", comment, n, is_ybr);
  jpeg_patch_is_red ("rule 4", "I420", ybr, NULL, comment, n, is_rgb);
  jpeg_patch_is_red ("rule 5", "Y444", rgb, NULL, comment, n, is_rgb);
  jpeg_patch_is_red ("the tag", "Y444", ybr, NULL, comment, n, is_ybr);
}

/* --- grey ---------------------------------------------------------------- */

static void
grey_is_shown_in_its_window (void)
{
  guint8 words[2 * PIXELS], expected[PIXELS], bytes[PIXELS];
  Played p;

  for (gint i = 0; i < PIXELS; i++) {
    gint v = i; /* 100 is black, 355 white */

    words[2 * i] = v & 255;
    words[2 * i + 1] = v >> 8;
    expected[i] = CLAMP (v - 100, 0, 255);
    bytes[i] = i % 256;
  }
  REQUIRE (!made_clip (path,
      "0028,0010=24\n0028,0011=32\n0028,0100=16\n0028,0101=12\n0028,0102=11\n"
      "0028,0103=0\n0028,0002=1\n0028,0004=MONOCHROME2\n0028,1050=228\n"
      "0028,1051=256\n",
      words, 1, sizeof words, 0, RAW));
  play (&p, path);
  REQUIRE (p.errors == 0 && compare (&p, 0, expected, 1, NULL) == 0);
  done (&p);
  REQUIRE (!made_clip (path, SHAPE "0028,0002=1\n0028,0004=MONOCHROME1\n",
      bytes, 1, sizeof bytes, 0, RAW));
  for (gint i = 0; i < PIXELS; i++)
    bytes[i] = 255 - bytes[i];
  play (&p, path);
  REQUIRE (p.errors == 0 && compare (&p, 0, bytes, 1, NULL) == 0);
  done (&p);
}

/* --- JPEG 2000 ----------------------------------------------------------- */

#ifdef HAVE_OPENJPEG

#define J2K "1.2.840.10008.1.2.4.90"
#define J2K_LOSSY "1.2.840.10008.1.2.4.91"

/* Pictures one after the other, each padded to the longest. */
static GByteArray *
compress (const J2kShape *shape, const guint8 *frames, gint n, guint *size)
{
  gsize frame = (gsize) PIXELS * shape->components * (shape->bits > 8 ? 2 : 1);
  GByteArray *all = g_byte_array_new (), *one[N];

  *size = 0;
  for (gint f = 0; f < n; f++) {
    one[f] = made_j2k (shape, frames + f * frame);
    *size = MAX (*size, one[f]->len);
  }
  g_byte_array_set_size (all, n * *size);
  memset (all->data, 0, all->len);
  for (gint f = 0; f < n; f++) {
    memcpy (all->data + f * *size, one[f]->data, one[f]->len);
    g_byte_array_unref (one[f]);
  }
  return all;
}

/* @parts: fragments a frame */
static void
write_j2k (const J2kShape *shape, const guint8 *frames, gint n,
    const gchar *elements, const gchar *syntax, gint parts)
{
  guint size;
  GByteArray *all = compress (shape, frames, n, &size);

  while (size % (2 * parts)) { /* zeros behind a stream mean nothing */
    GByteArray *longer = g_byte_array_new ();

    for (gint f = 0; f < n; f++) {
      g_byte_array_append (longer, all->data + f * size, size);
      g_byte_array_append (longer, (const guint8 *) "\0", 2);
    }
    g_byte_array_unref (all);
    all = longer;
    size += 2;
  }
  REQUIRE (!made_clip (
      path, elements, all->data, n * parts, size / parts, 1, syntax));
  g_byte_array_unref (all);
}

static void
colours_come_out_exactly (const J2kShape *shape, const gchar *tag, gint parts)
{
  gchar *elements =
      g_strconcat (COLOURED FRAMES TIME "0028,0004=", tag, "\n", NULL);
  guint8 frames[3 * N * PIXELS];
  Played p;

  paint (frames);
  write_j2k (shape, frames, N, elements, J2K, parts);
  play (&p, path);
  REQUIRE (p.errors == 0 && p.warnings == 0 && p.buffers->len == N);
  for (gint f = 0; f < N; f++)
    REQUIRE (compare (&p, f, frames + 3 * f * PIXELS, 3, NULL) == 0);
  done (&p);
  g_free (elements);
}

static void
jpeg_2000_colours_are_right (void)
{
  J2kShape shape = { W, H, 3, 8, FALSE, TRUE, 0, FALSE };
  guint8 frames[3 * N * PIXELS], ybr[3 * PIXELS];
  gdouble psnr;
  Played p;

  colours_come_out_exactly (&shape, "YBR_RCT", 1);
  colours_come_out_exactly (&shape, "YBR_FULL", 1); /* a lie */
  colours_come_out_exactly (&shape, "YBR_RCT", 3);
  shape.jp2 = TRUE;
  colours_come_out_exactly (&shape, "YBR_RCT", 1);
  shape.jp2 = shape.transform = FALSE;
  colours_come_out_exactly (&shape, "RGB", 1);
  for (gint i = 0; i < PIXELS; i++)
    memcpy (ybr + 3 * i, (guint8[]){ 80, 94, 214 }, 3);
  write_j2k (&shape, ybr, 1, COLOURED "0028,0004=YBR_FULL\n", J2K, 1);
  patch_is_red ("YBR_FULL in JPEG 2000");

  shape.transform = TRUE;
  shape.psnr = 50;
  paint (frames);
  write_j2k (&shape, frames, N, COLOURED FRAMES TIME "0028,0004=YBR_ICT\n",
      J2K_LOSSY, 1);
  play (&p, path);
  REQUIRE (p.errors == 0 && p.warnings == 0 && p.buffers->len == N);
  for (gint f = 0; f < N; f++) {
    REQUIRE (compare (&p, f, frames + 3 * f * PIXELS, 3, &psnr) > 0);
    REQUIRE (psnr >= 40);
  }
  done (&p);
}

/* Of 12 bits, and of 16 with a sign: 100 is black, 355 white. */
static void
jpeg_2000_grey_is_right (void)
{
  const gchar *window = "0028,1050=228\n0028,1051=256\n";
  const gchar *both = "0028,0010=24\n0028,0011=32\n0028,0100=16\n"
                      "0028,0002=1\n0028,0004=MONOCHROME2\n";
  J2kShape shape = { W, H, 1, 12, FALSE, FALSE, 0, FALSE };
  gint16 words[PIXELS];
  guint8 expected[PIXELS];
  Played p;

  for (gint sign = 0; sign < 2; sign++) {
    gint bits = sign ? 16 : 12;
    gchar *elements =
        g_strdup_printf ("%s%s0028,0101=%d\n0028,0102=%d\n0028,0103=%d\n", both,
            window, bits, bits - 1, sign);

    for (gint i = 0; i < PIXELS; i++) {
      words[i] = i - 300 * sign;
      expected[i] = CLAMP (words[i] - 100, 0, 255);
    }
    shape.bits = bits;
    shape.is_signed = sign;
    write_j2k (&shape, (const guint8 *) words, 1, elements, J2K, 1);
    play (&p, path);
    REQUIRE (p.errors == 0 && compare (&p, 0, expected, 1, NULL) == 0);
    done (&p);
    g_free (elements);
  }
}

static void
jpeg_2000_damage_is_said_once (void)
{
  const gchar *elements = COLOURED FRAMES TIME "0028,0004=YBR_RCT\n";
  J2kShape shape = { W, H, 3, 8, FALSE, TRUE, 0, FALSE };
  guint8 frames[3 * N * PIXELS];
  GByteArray *all;
  gchar *data;
  gsize length;
  guint size;
  Played p;

  paint (frames);
  all = compress (&shape, frames, N, &size);
  memset (all->data + 2 * size + size / 2, 0, size / 2); /* of the third */
  REQUIRE (!made_clip (path, elements, all->data, N, size, 1, J2K));
  play (&p, path);
  REQUIRE (p.errors == 0 && p.warnings == 1 && p.buffers->len == N - 1);
  REQUIRE (strstr (p.text, "frame 2") && strstr (p.text, "damaged"));
  done (&p);
  g_byte_array_unref (all);

  write_j2k (&shape, frames, N, elements, J2K, 1);
  REQUIRE (g_file_get_contents (path, &data, &length, NULL));
  play_data (&p, data, length - 30, 0);
  REQUIRE (p.errors == 0 && p.warnings == 1 && p.buffers->len == N - 1);
  REQUIRE (strstr (p.text, "cut off after 4 of 5 frames"));
  done (&p);
  g_free (data);

  shape.width = W / 2; /* other pictures than the header describes */
  shape.height = 2 * H;
  write_j2k (&shape, frames, N, elements, J2K, 1);
  play (&p, path);
  REQUIRE (p.errors == 1 && p.warnings == 0 && p.buffers->len == 0);
  REQUIRE (strstr (p.text, "16 x 48 px"));
  done (&p);
}

static void
jpeg_2000_is_played (void)
{
  jpeg_2000_colours_are_right ();
  jpeg_2000_grey_is_right ();
  jpeg_2000_damage_is_said_once ();
}

#define REAL_J2K 1, 0, 0, NULL

#else

static void
jpeg_2000_is_played (void)
{
  printf ("JPEG 2000 is not tested: it is not built in\n");
}

#define REAL_J2K 0, 1, 0, "JPEG 2000"

#endif

/* --- times --------------------------------------------------------------- */

static void
times_are (const gchar *elements, const gdouble *ms, gint warnings,
    const gchar *source)
{
  gchar *all = g_strconcat (COLOURED "0028,0004=RGB\n", elements, NULL);
  guint8 frames[3 * N * PIXELS];
  gchar *comment = NULL;
  Played p;

  paint (frames);
  REQUIRE (!made_clip (path, all, frames, N, 3 * PIXELS, 0, RAW));
  play (&p, path);
  REQUIRE (p.errors == 0 && p.warnings == warnings && p.buffers->len == N);
  for (gint f = 0; f < N; f++) {
    GstBuffer *b = g_ptr_array_index (p.buffers, f);

    REQUIRE (fabs (GST_BUFFER_PTS (b) - ms[f] * 1e6) <= 1);
    REQUIRE (fabs (GST_BUFFER_DURATION (b) - (ms[f + 1] - ms[f]) * 1e6) <= 1);
  }
  REQUIRE (gst_tag_list_get_string (p.tags, GST_TAG_COMMENT, &comment));
  REQUIRE (strstr (comment, source));
  g_free (comment);
  comment = gst_tag_list_to_string (p.tags);
  REQUIRE (!strstr (comment, "Secret") && !strstr (comment, "4711"));
  g_free (comment);
  g_free (all);
  done (&p);
}

static void
times_come_from_the_best_source (void)
{
  const gdouble even[] = { 0, 76, 152, 228, 304, 380 };
  const gdouble vector[] = { 0, 30, 80, 110, 160, 210 };
  const gdouble at50[] = { 0, 20, 40, 60, 80, 100 };
  const gdouble at30[] = { 0, 100 / 3., 200 / 3., 100, 400 / 3., 500 / 3. };

  times_are (FRAMES TIME "0018,1065=40\\30\\50\\30\\50\n", vector, 0,
      "Frame Time Vector");
  times_are (FRAMES TIME "0018,0040=50\n", even, 0, "Frame Time");
  times_are (FRAMES "0018,0040=50\n0008,2144=10\n", at50, 0, "Cine Rate");
  times_are (FRAMES "0008,2144=50\n0018,0072=9\n", at50, 0, "Recommended");
  times_are (FRAMES "0018,0072=0.1\n", at50, 0, "Effective Duration");
  times_are (FRAMES, at30, 1, "30 fps assumed");
  times_are (FRAMES "0018,1063=0\n", at30, 1, "30 fps assumed");
  times_are (FRAMES "0018,1063=-5\n0018,0040=50\n", at50, 1, "Cine Rate");
  times_are (FRAMES TIME "0018,1065=0\\30\\50\n", even, 1, "Frame Time");
  times_are (
      FRAMES TIME "0018,1065=0\\30\\-50\\30\\50\n", even, 1, "Frame Time");
}

static void
rate_is (const gchar *elements, gdouble rate)
{
  gchar *all = g_strconcat (COLOURED TIME "0028,0004=RGB\n", elements, NULL);
  guint8 frame[3 * PIXELS] = { 0 };
  gdouble found = 0;
  Played p;

  REQUIRE (!made_clip (path, all, frame, 1, sizeof frame, 0, RAW));
  play (&p, path);
  REQUIRE (p.errors == 0 && p.warnings == 0);
  REQUIRE (gst_tag_list_get_double (p.tags, GST_TAG_BEATS_PER_MINUTE, &found)
           == (rate > 0));
  REQUIRE (fabs (found - rate) < 0.01);
  done (&p);
  g_free (all);
}

static void
the_heart_rate_is_a_tag_where_it_makes_sense (void)
{
  rate_is ("", 0);
  rate_is ("0018,1088=61\n", 61);
  rate_is ("0018,1088=0\n", 0);
  rate_is ("0018,1088=6100\n", 0);
  rate_is ("0018,1088=61\n0018,6060=100\\1300\\2500\\3700\n", 50);
  rate_is ("0018,6060=0\\1200\\2100\\2101\\3601\n", 50); /* median */
  rate_is ("0018,1088=61\n0018,6060=100\n", 61);
  rate_is ("0018,1088=61\n0018,6060=5000\\4000\\-3\\90000\n", 61);
}

/* --- seeks --------------------------------------------------------------- */

static GstClockTime
seek_to (GstElement *pipeline, GstElement *sink, GstClockTime time)
{
  GstSample *sample = NULL;
  GstClockTime pts;

  REQUIRE (gst_element_seek_simple (pipeline, GST_FORMAT_TIME,
      GST_SEEK_FLAG_FLUSH | GST_SEEK_FLAG_ACCURATE, time));
  REQUIRE (gst_element_get_state (pipeline, NULL, NULL, GST_CLOCK_TIME_NONE)
           == GST_STATE_CHANGE_SUCCESS);
  g_object_get (sink, "last-sample", &sample, NULL);
  REQUIRE (sample != NULL);
  pts = GST_BUFFER_PTS (gst_sample_get_buffer (sample));
  gst_sample_unref (sample);
  return pts;
}

/* As players that loop ask for it. */
static void
ends_with_segment_done (GstElement *pipeline)
{
  GstBus *bus = gst_element_get_bus (pipeline);
  GstMessage *message;
  GstFormat format;
  gint64 end;

  REQUIRE (gst_element_seek (pipeline, 1, GST_FORMAT_TIME,
      GST_SEEK_FLAG_FLUSH | GST_SEEK_FLAG_SEGMENT, GST_SEEK_TYPE_SET, 0,
      GST_SEEK_TYPE_SET, 200 * GST_MSECOND));
  gst_element_set_state (pipeline, GST_STATE_PLAYING);
  message = gst_bus_timed_pop_filtered (bus, GST_CLOCK_TIME_NONE,
      GST_MESSAGE_SEGMENT_DONE | GST_MESSAGE_EOS | GST_MESSAGE_ERROR);
  REQUIRE (message && GST_MESSAGE_TYPE (message) == GST_MESSAGE_SEGMENT_DONE);
  gst_message_parse_segment_done (message, &format, &end);
  REQUIRE (format == GST_FORMAT_TIME && end == 200 * GST_MSECOND);
  gst_message_unref (message);
  gst_object_unref (bus);
}

static void
every_frame_can_be_sought (void)
{
  const gint order[] = { 3, 0, 4, 1, 2 };
  guint8 frames[3 * N * PIXELS];
  GstElement *pipeline, *sink;
  gint64 duration;
  gchar *launch;

  paint (frames);
  REQUIRE (!made_clip (path, COLOURED FRAMES TIME "0028,0004=RGB\n", frames, N,
      3 * PIXELS, 0, "1.2.840.10008.1.2.4.70"));
  launch = g_strdup_printf ("filesrc location=%s ! decodebin ! fakesink "
                            "enable-last-sample=true name=s sync=true",
      path);
  pipeline = gst_parse_launch (launch, NULL);
  sink = gst_bin_get_by_name (GST_BIN (pipeline), "s");
  gst_element_set_state (pipeline, GST_STATE_PAUSED);
  REQUIRE (gst_element_get_state (pipeline, NULL, NULL, GST_CLOCK_TIME_NONE)
           == GST_STATE_CHANGE_SUCCESS);
  REQUIRE (gst_element_query_duration (pipeline, GST_FORMAT_TIME, &duration));
  REQUIRE (duration == 380 * GST_MSECOND);
  for (guint i = 0; i < G_N_ELEMENTS (order); i++)
    REQUIRE (seek_to (pipeline, sink, (order[i] * 76 + 40) * GST_MSECOND)
             == (GstClockTime) order[i] * 76 * GST_MSECOND);
  ends_with_segment_done (pipeline);
  gst_element_set_state (pipeline, GST_STATE_NULL);
  gst_object_unref (sink);
  gst_object_unref (pipeline);
  g_free (launch);
}

/* --- what cannot be played ----------------------------------------------- */

static void
fails (const gchar *data, gsize size, guint64 max_size, const gchar *says)
{
  Played p;

  play_data (&p, data, size, max_size);
  REQUIRE (p.errors == 1 && p.warnings == 0 && p.buffers->len == 0);
  REQUIRE (strstr (p.text, says));
  done (&p);
}

static gchar *
find_bytes (gchar *data, gsize size, const gchar *text)
{
  gsize n = strlen (text);

  for (gsize i = 0; i + n <= size; i++)
    if (!memcmp (data + i, text, n))
      return data + i;
  REQUIRE (!"there");
  return NULL;
}

static void
what_cannot_be_played_is_said_once (void)
{
  guint8 frames[3 * N * PIXELS];
  gchar *data;
  gsize size;
  Played p;

  paint (frames);
  REQUIRE (!made_clip (path, COLOURED "0028,0008=9\n" TIME "0028,0004=RGB\n",
      frames, N, 3 * PIXELS, 0, RAW));
  play (&p, path);
  REQUIRE (p.errors == 0 && p.warnings == 1 && p.buffers->len == N);
  REQUIRE (strstr (p.text, "promises 9 frames, it holds 5"));
  done (&p);
  REQUIRE (g_file_get_contents (path, &data, &size, NULL));
  fails (data, size, 5000, "max-size");
  fails (data, 300, 0, "cut off");
  fails (data, 0, 0, "empty");
  fails ("just some text", 14, 0, "no DICOM header");
  memcpy (find_bytes (data, size, RAW), "1.2.840.10008.1.2.77", 20);
  fails (data, size, 0, "1.2.840.10008.1.2.77, which is not read");
  g_free (data);
}

/* @size: bytes of the file that are left */
static void
plays_whole_frames (const gchar *data, gsize size, guint whole,
    const guint8 *frames, const gchar *says)
{
  Played p;

  play_data (&p, data, size, 0);
  if (p.warnings != 1 || p.buffers->len != whole)
    fprintf (stderr, "%u frames, %s\n", p.buffers->len, p.text ? p.text : "");
  REQUIRE (p.errors == 0 && p.warnings == 1 && p.buffers->len == whole);
  for (guint f = 0; f < whole; f++)
    REQUIRE (compare (&p, f, frames + 3 * f * PIXELS, 3, NULL) == 0);
  if (!strstr (p.text, says))
    fprintf (stderr, "%s\n", p.text);
  REQUIRE (strstr (p.text, says) && strstr (p.text, "copy it again"));
  done (&p);
}

static void
a_file_that_is_cut_off_plays_its_whole_frames (void)
{
  guint8 frames[3 * N * PIXELS];
  gchar *data;
  gsize size;

  paint (frames);
  REQUIRE (!made_clip (path, COLOURED FRAMES TIME "0028,0004=RGB\n", frames, N,
      3 * PIXELS, 0, RAW));
  REQUIRE (g_file_get_contents (path, &data, &size, NULL));
  plays_whole_frames (data, size - 1, 4, frames, "cut off after 4 of 5 frames");
  plays_whole_frames (data, size - 3 * PIXELS, 4, frames, "after 4 of 5");
  plays_whole_frames (data, size - 3 * PIXELS - 1, 3, frames, "after 3 of 5");
  plays_whole_frames (data, size - 4 * 3 * PIXELS, 1, frames, "after 1 of 5");
  fails (data, size - 5 * 3 * PIXELS + 100, 0, "within its first frame");
  fails (data, size - 5 * 3 * PIXELS, 0, "within its first frame");
  fails (data, size - 5 * 3 * PIXELS - 9, 0, "cut off");
  g_free (data);

  REQUIRE (!made_clip (path, COLOURED FRAMES TIME "0028,0004=RGB\n", frames, N,
      3 * PIXELS, 0, "1.2.840.10008.1.2.1.99"));
  REQUIRE (g_file_get_contents (path, &data, &size, NULL));
  fails (data, size - 20, 0, "cut off");
  g_free (data);
}

/* Where fragments begin: items of `data`, the offset table first. */
static guint
find_items (const gchar *data, gsize size, gsize *items, guint most)
{
  const gchar *pixels = find_bytes ((gchar *) data, size, "OB");
  guint32 length;
  gsize at;
  guint n = 0;

  /* (7fe0,0010) OB, reserved, undefined length */
  while (memcmp (pixels - 4, "\xe0\x7f\x10\x00", 4))
    pixels = find_bytes ((gchar *) pixels + 1, data + size - pixels - 1, "OB");
  at = pixels + 8 - data;
  while (n < most && !memcmp (data + at, "\xfe\xff\x00\xe0", 4)) {
    items[n++] = at;
    memcpy (&length, data + at + 4, sizeof length);
    at += 8 + GUINT32_FROM_LE (length);
  }
  items[n] = at; /* the delimiter */
  return n;
}

static void
compressed_frames_are_whole_or_left_out (void)
{
  static const gchar *const syntaxes[] = { "1.2.840.10008.1.2.5",
    "1.2.840.10008.1.2.4.70", "1.2.840.10008.1.2.4.80" };
  guint8 frames[3 * N * PIXELS];
  gsize items[N + 3], size;
  gchar *data;

  paint (frames);
  for (guint s = 0; s < G_N_ELEMENTS (syntaxes); s++) {
    REQUIRE (!made_clip (path, COLOURED FRAMES TIME "0028,0004=RGB\n", frames,
        N, 3 * PIXELS, 0, syntaxes[s]));
    REQUIRE (g_file_get_contents (path, &data, &size, NULL));
    REQUIRE (find_items (data, size, items, N + 2) == N + 1);
    plays_whole_frames (data, items[N + 1], 5, frames, "after 5 of 5 frames");
    plays_whole_frames (data, items[N + 1] - 1, 4, frames, "after 4 of 5");
    plays_whole_frames (data, items[N] + 20, 4, frames, "after 4 of 5");
    plays_whole_frames (data, items[N] + 5, 4, frames, "after 4 of 5");
    plays_whole_frames (data, items[3], 2, frames, "after 2 of 5 frames");
    fails (data, items[1] + 30, 0, "within its first frame");
    fails (data, items[1], 0, "within its first frame");
    g_free (data);
  }
}

/* The offset table says which fragments a frame has. */
static void
frames_in_several_fragments_are_whole_or_left_out (void)
{
  guint8 frames[3 * N * PIXELS];
  gsize items[8 * N + 2], size;
  guint parts;
  gchar *data;

  for (gint i = 0; i < 3 * N * PIXELS; i++)
    frames[i] = (guint) i * 2654435761u >> 24;
  REQUIRE (
      !made_clip (path, COLOURED FRAMES TIME "0028,0004=RGB\nfragments=1\n",
          frames, N, 3 * PIXELS, 0, "1.2.840.10008.1.2.4.70"));
  REQUIRE (g_file_get_contents (path, &data, &size, NULL));
  parts = (find_items (data, size, items, 8 * N + 1) - 1) / N;
  REQUIRE (parts > 1 && find_items (data, size, items, 8 * N + 1) % N == 1);
  for (guint part = parts; part < parts * N; part++) { /* so many are whole */
    gchar *says =
        g_strdup_printf ("cut off after %u of 5 frames", part / parts);

    plays_whole_frames (data, items[part + 1], part / parts, frames, says);
    plays_whole_frames (data, items[part + 1] + 20, part / parts, frames, says);
    g_free (says);
  }
  g_free (data);
}

static void
missing_module_is_said_once (void)
{
  gchar *was = g_strdup (g_getenv ("CARDIAC_READER_PATH"));
  guint8 frame[3 * PIXELS] = { 0 };
  Played p;

  REQUIRE (!made_clip (
      path, COLOURED "0028,0004=RGB\n", frame, 1, sizeof frame, 0, RAW));
  g_setenv ("CARDIAC_READER_PATH", "/nowhere", TRUE);
  play (&p, path);
  REQUIRE (p.errors == 1 && p.warnings == 0 && strstr (p.text, "libdcmtk-dev"));
  done (&p);
  if (was)
    g_setenv ("CARDIAC_READER_PATH", was, TRUE);
  else
    g_unsetenv ("CARDIAC_READER_PATH");
  g_free (was);
}

/* --- real files ---------------------------------------------------------- */

static void
real_files_end_as_they_should (void)
{
  static const struct {
    const gchar *file;
    gint frames, errors, warnings;
    const gchar *says;
  } cases[] = {
    { "echo/a4c_gray_65f_acuson_deid.dcm", 65, 0, 0, NULL },
    { "echo/plax_colour_mr_ar_10f_palette_rle.dcm", 10, 0, 0, NULL },
    { "echo/plax_colour_mr_ar_loop50_jpeg422.dcm", 50, 0, 0, NULL },
    { "bad/d_a4c_corrupt_frame12.dcm", 29, 0, 1, "frame 12" },
    { "bad/d_a4c_frametime_0.dcm", 30, 0, 1, "30 fps assumed" },
    { "bad/d_a4c_nframes_0.dcm", 30, 0, 1, "it holds 30" },
    { "bad/d_a4c_nframes_300_has_30.dcm", 30, 0, 1, "promises 300" },
    { "bad/d_a4c_rows_0.dcm", 0, 1, 0, "0 rows" },
    { "bad/d_a4c_trunc_in_header.dcm", 0, 1, 0, "cut off" },
    { "bad/d_empty.dcm", 0, 1, 0, "empty" },
    { "bad/d_text_named.dcm", 0, 1, 0, "no DICOM header" },
    { "bad/u_mr_truncated.dcm", 0, 1, 0, "cut off" },
    { "bad/u_no_pixel_data_24f.dcm", 0, 1, 0, "no pictures" },
    { "bad/u_rgb_rle_2f.dcm", 2, 0, 1, "30 fps assumed" },
    { "bad/u_us_bigendian_planar_rgb_1f.dcm", 1, 0, 0, NULL },
    { "bad/u_us_j2k_rct_1f.dcm", REAL_J2K },
    { "bad/u_us_palette_1f_philips.dcm", 1, 0, 0, NULL },
    { "bad/u_us_ybr422_uncompressed_1f.dcm", 1, 0, 0, NULL },
  };
  const gchar *given = g_getenv ("GST_CARDIAC_TEST_DATA");
  gchar *folder = given ? g_strdup (given)
                        : g_build_filename (g_getenv ("CARDIAC_PROJECT_ROOT"),
                            "..", "shared", "data", NULL);

  if (!g_file_test (folder, G_FILE_TEST_IS_DIR)) {
    printf ("real files are not tested: no folder %s\n", folder);
    g_free (folder);
    return;
  }
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++) {
    gchar *file = g_build_filename (folder, cases[i].file, NULL);
    Played p;

    play (&p, file);
    if ((gint) p.buffers->len != cases[i].frames)
      fprintf (stderr, "%s: %u frames\n", file, p.buffers->len);
    REQUIRE ((gint) p.buffers->len == cases[i].frames);
    REQUIRE (p.errors == cases[i].errors && p.warnings == cases[i].warnings);
    REQUIRE (!cases[i].says || strstr (p.text, cases[i].says));
    done (&p);
    g_free (file);
  }
  g_free (folder);
}

int
main (int argc, char **argv)
{
  gint file;

  gst_init (&argc, &argv);
  gst_element_register (
      NULL, "dicomdemux", GST_RANK_PRIMARY, GST_TYPE_DICOM_DEMUX);
  GST_TYPE_FIND_REGISTER (dicom, NULL);
  file = g_file_open_tmp ("clip-XXXXXX.dcm", &path, NULL);
  REQUIRE (file >= 0);
  g_close (file, NULL);
  frames_are_the_same_in_every_syntax ();
  plain_patches_are_red ();
  jpeg_patches_are_red_by_every_rule ();
  grey_is_shown_in_its_window ();
  jpeg_2000_is_played ();
  times_come_from_the_best_source ();
  the_heart_rate_is_a_tag_where_it_makes_sense ();
  every_frame_can_be_sought ();
  what_cannot_be_played_is_said_once ();
  a_file_that_is_cut_off_plays_its_whole_frames ();
  compressed_frames_are_whole_or_left_out ();
  frames_in_several_fragments_are_whole_or_left_out ();
  missing_module_is_said_once ();
  real_files_end_as_they_should ();
  g_remove (path);
  g_free (path);
  return 0;
}
