/* SPDX-License-Identifier: LGPL-2.1-or-later */

#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include "echotruth.h"

#include <errno.h>
#include <gio/gio.h>
#include <glib/gstdio.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "echochoice.h"

#define SCHEMA "gst-cardiac-echo-truth/1"

const gchar *
echo_truth_type (const EchoSettings *settings)
{
  if (settings->jets == 0)
    return "none";
  if (settings->jets > 1)
    return "multiple";
  return settings->jet[0].wall ? "eccentric" : "central";
}

static EchoTruth
instance_truth (const EchoSettings *settings, gint k)
{
  gdouble begin = echo_instance_begin (settings, k);

  return echo_truth (settings, begin, begin + settings->clip);
}

gint
echo_truth_instance (const EchoSettings *settings)
{
  gdouble severity[ECHO_INSTANCES];
  gint worst = 0;

  for (gint k = 0; k < ECHO_INSTANCES; k++) {
    severity[k] = instance_truth (settings, k).severity;
    if (severity[k] > severity[worst])
      worst = k;
  }
  return worst;
}

void
echo_picture_fit (
    EchoPicture *picture, gint width, gint height, gdouble pixel_aspect)
{
  gdouble across = width * pixel_aspect / ECHO_SCREEN_WIDTH;
  gdouble down = height / (gdouble) ECHO_SCREEN_HEIGHT;
  gdouble scale = MIN (across, down); /* picture rows a screen pixel */

  picture->width = width;
  picture->height = height;
  picture->view.width = width * pixel_aspect / scale;
  picture->view.height = height / scale;
  picture->view.x = (ECHO_SCREEN_WIDTH - picture->view.width) / 2;
  picture->view.y = (ECHO_SCREEN_HEIGHT - picture->view.height) / 2;
}

void
echo_picture_map (
    const EchoPicture *picture, const gdouble *screen, gdouble *pixels)
{
  const EchoView *view = &picture->view;

  pixels[0] = (screen[0] - view->x) * picture->width / view->width;
  pixels[1] = (screen[1] - view->y) * picture->height / view->height;
}

/* ---- truth ------------------------------------------------------------- */

typedef struct {
  GstClockTime time;
  gint beat;
  gfloat phase, jet_area;
} Frame;

struct _EchoTruthFile {
  FILE *file;
  gchar *path;
  GArray *frames;
};

static void
set_errno (GError **error, const gchar *path)
{
  gint code = errno;

  g_set_error (error, G_FILE_ERROR, g_file_error_from_errno (code),
      "cannot write \"%s\": %s", path, g_strerror (code));
}

EchoTruthFile *
echo_truth_file_open (const gchar *path, GError **error)
{
  FILE *file = g_fopen (path, "we");
  EchoTruthFile *self;

  if (!file) {
    set_errno (error, path);
    return NULL;
  }
  self = g_new (EchoTruthFile, 1);
  self->file = file;
  self->path = g_strdup (path);
  self->frames = g_array_new (FALSE, FALSE, sizeof (Frame));
  return self;
}

void
echo_truth_file_add (
    EchoTruthFile *self, GstClockTime time, const EchoMoment *moment)
{
  Frame frame = { time, moment->beat, moment->phase, moment->jet_area };

  if (self->frames->len < ECHO_TRUTH_MAX_FRAMES)
    g_array_append_val (self->frames, frame);
}

static void
add_truth (json_t *object, const EchoTruth *truth)
{
  json_object_set_new (object, "grade", json_integer (truth->grade));
  json_object_set_new (object, "severity", json_real (truth->severity));
  json_object_set_new (object, "area", json_real (truth->area));
  json_object_set_new (object, "duration", json_real (truth->duration));
  json_object_set_new (object, "eccentric", json_boolean (truth->eccentric));
  json_object_set_new (object, "beat", json_integer (truth->beat));
}

static json_t *
make_recording (const EchoSettings *settings)
{
  EchoTruth truth = echo_recording_truth (settings);
  json_t *object = json_object ();

  add_truth (object, &truth);
  json_object_set_new (
      object, "instance", json_integer (echo_truth_instance (settings)));
  return object;
}

static json_t *
make_instances (const EchoSettings *settings)
{
  json_t *instances = json_array ();

  for (gint k = 0; k < ECHO_INSTANCES; k++) {
    gdouble begin = echo_instance_begin (settings, k);
    EchoTruth truth = instance_truth (settings, k);
    json_t *object = json_object ();

    json_object_set_new (object, "begin_s", json_real (begin));
    json_object_set_new (object, "end_s", json_real (begin + settings->clip));
    add_truth (object, &truth);
    json_array_append_new (instances, object);
  }
  return instances;
}

static void
add_places (
    json_t *root, const EchoPhantom *phantom, const EchoPicture *picture)
{
  EchoView boxes[2] = { echo_phantom_roi (phantom),
    echo_phantom_square (phantom) };
  static const gchar *const names[2] = { "roi", "square" };

  json_object_set_new (
      root, "picture", json_pack ("[i,i]", picture->width, picture->height));
  for (guint i = 0; i < 2; i++) {
    gdouble from[2] = { boxes[i].x, boxes[i].y };
    gdouble to[2] = { boxes[i].x + boxes[i].width,
      boxes[i].y + boxes[i].height };

    echo_picture_map (picture, from, from);
    echo_picture_map (picture, to, to);
    json_object_set_new (root, names[i],
        json_pack (
            "[f,f,f,f]", from[0], from[1], to[0] - from[0], to[1] - from[1]));
  }
}

static json_t *
make_frames (const GArray *frames)
{
  json_t *times = json_array (), *beats = json_array ();
  json_t *phases = json_array (), *areas = json_array ();

  for (guint i = 0; i < frames->len; i++) {
    const Frame *frame = &g_array_index (frames, Frame, i);

    json_array_append_new (times, json_integer (frame->time));
    json_array_append_new (beats, json_integer (frame->beat));
    json_array_append_new (phases, json_real (frame->phase));
    json_array_append_new (areas, json_real (frame->jet_area));
  }
  return json_pack ("{s:o,s:o,s:o,s:o}", "pts_ns", times, "beat", beats,
      "phase", phases, "jet_area", areas);
}

static json_t *
make_root (EchoTruthFile *self, const EchoSettings *settings, gboolean has_end,
    const EchoPhantom *phantom, const EchoPicture *picture)
{
  json_t *root = json_object ();
  gchar *rule = g_strdup_printf ("of the worst beat in three clips: severity = "
                                 "sum of area * (%g where the "
                                 "jet hugs a wall) * min (1, duration / %g); "
                                 "grade 0 below %g, 1 below %g, "
                                 "else 2",
      ECHO_ECCENTRIC_FACTOR, ECHO_FULL_DURATION, ECHO_SEVERITY_MILD,
      ECHO_SEVERITY_MODERATE);

  json_object_set_new (root, "schema", json_string (SCHEMA));
  json_object_set_new (root, "rule", json_string (rule));
  json_object_set_new (root, "type", json_string (echo_truth_type (settings)));
  json_object_set_new (
      root, "recording", has_end ? make_recording (settings) : json_null ());
  json_object_set_new (
      root, "instances", has_end ? make_instances (settings) : json_array ());
  add_places (root, phantom, picture);
  json_object_set_new (root, "settings", echo_settings_to_json (settings));
  json_object_set_new (root, "frames", make_frames (self->frames));
  g_free (rule);
  return root;
}

gboolean
echo_truth_file_close (EchoTruthFile *self, const EchoSettings *settings,
    gboolean has_end, const EchoPhantom *phantom, const EchoPicture *picture,
    GError **error)
{
  gboolean ok = TRUE;

  if (phantom) {
    json_t *root = make_root (self, settings, has_end, phantom, picture);

    ok = json_dumpf (root, self->file, JSON_COMPACT | JSON_REAL_PRECISION (9))
             == 0
         && fputc ('\n', self->file) != EOF;
    json_decref (root);
  }
  if (!ok)
    set_errno (error, self->path);
  if (fclose (self->file) != 0 && ok) {
    set_errno (error, self->path);
    ok = FALSE;
  }
  g_array_unref (self->frames);
  g_free (self->path);
  g_free (self);
  return ok;
}

/* ---- masks ------------------------------------------------------------- */

/* The header has a fixed size and is written again when the number of frames is
 * known. */
#define NPY_HEADER 128

struct _EchoMasksFile {
  FILE *file;
  gchar *path;
  gint rows, columns;
  guint64 frames;
  guint8 *masks; /* [2][rows][columns] */
};

EchoMasksFile *
echo_masks_file_open (const gchar *path, GError **error)
{
  FILE *file = g_fopen (path, "w+e");
  EchoMasksFile *self;

  if (!file) {
    set_errno (error, path);
    return NULL;
  }
  self = g_new0 (EchoMasksFile, 1);
  self->file = file;
  self->path = g_strdup (path);
  return self;
}

static gboolean
write_header (EchoMasksFile *self)
{
  /* 118 bytes follow */
  static const gchar magic[10] = { '\x93', 'N', 'U', 'M', 'P', 'Y', 1, 0, 118,
    0 };
  gchar text[NPY_HEADER - sizeof magic + 1];
  gint length = g_snprintf (text, sizeof text,
      "{'descr': '|u1', 'fortran_order': False, "
      "'shape': (%" G_GUINT64_FORMAT ", 2, %d, %d), }",
      self->frames, self->rows, self->columns);

  memset (text + length, ' ', sizeof text - length - 2);
  text[sizeof text - 2] = '\n';
  return fseek (self->file, 0, SEEK_SET) == 0
         && fwrite (magic, sizeof magic, 1, self->file) == 1
         && fwrite (text, sizeof text - 1, 1, self->file) == 1;
}

gboolean
echo_masks_file_add (EchoMasksFile *self, EchoPhantom *phantom, gdouble time,
    const EchoPicture *picture, gint cell, GError **error)
{
  gint rows = (picture->height + cell - 1) / cell;
  gint columns = (picture->width + cell - 1) / cell;
  gsize size = (gsize) rows * columns;
  EchoView view = picture->view;

  if (!self->masks) {
    self->rows = rows;
    self->columns = columns;
    self->masks = g_malloc (2 * size);
    if (!write_header (self))
      goto failed;
  } else if (rows != self->rows || columns != self->columns) {
    g_set_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA,
        "\"%s\" holds masks of %d x %d cells; a frame of %d x %d cannot be "
        "added",
        self->path, self->columns, self->rows, columns, rows);
    return FALSE;
  }

  /* Cells on the right and lower border may reach beyond the picture. */
  view.width *= columns * cell / (gdouble) picture->width;
  view.height *= rows * cell / (gdouble) picture->height;
  echo_phantom_masks (
      phantom, time, view, columns, rows, self->masks, self->masks + size);
  if (fwrite (self->masks, 2 * size, 1, self->file) != 1)
    goto failed;
  self->frames++;
  return TRUE;

failed:
  set_errno (error, self->path);
  return FALSE;
}

gboolean
echo_masks_file_close (EchoMasksFile *self, GError **error)
{
  gboolean ok = write_header (self);

  if (!ok)
    set_errno (error, self->path);
  if (fclose (self->file) != 0 && ok) {
    set_errno (error, self->path);
    ok = FALSE;
  }
  g_free (self->masks);
  g_free (self->path);
  g_free (self);
  return ok;
}
