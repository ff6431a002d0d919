/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../require.h"
#include "made-stack.h"

/* Bytes of a data set. */
typedef struct {
  uint8_t *data;
  size_t n;
  bool implicit;
  size_t room;
} Bytes;

static void
put (Bytes *b, const void *data, size_t n)
{
  if (b->n + n > b->room) {
    b->room = 2 * (b->n + n);
    b->data = realloc (b->data, b->room);
    REQUIRE (b->data != NULL);
  }
  memcpy (b->data + b->n, data, n);
  b->n += n;
}

static void
put16 (Bytes *b, unsigned v)
{
  put (b, (uint8_t[]){ v & 255, v >> 8 & 255 }, 2);
}

static void
put32 (Bytes *b, uint32_t v)
{
  put16 (b, v & 65535);
  put16 (b, v >> 16);
}

static void
put_header (
    Bytes *b, unsigned group, unsigned element, const char *vr, uint32_t length)
{
  bool wide = !strcmp (vr, "OB") || !strcmp (vr, "OW") || !strcmp (vr, "SQ");

  put16 (b, group);
  put16 (b, element);
  if (b->implicit) {
    put32 (b, length);
    return;
  }
  put (b, vr, 2);
  if (wide) {
    put16 (b, 0);
    put32 (b, length);
  } else {
    put16 (b, length);
  }
}

static void
put_text (Bytes *b, unsigned group, unsigned element, const char *vr,
    const char *text)
{
  size_t n = strlen (text);
  bool odd = n % 2;

  put_header (b, group, element, vr, n + odd);
  put (b, text, n);
  if (odd)
    put (b, strcmp (vr, "UI") ? " " : "\0", 1);
}

static void
put_us (Bytes *b, unsigned group, unsigned element, unsigned v)
{
  put_header (b, group, element, "US", 2);
  put16 (b, v);
}

static void
put_number (
    Bytes *b, unsigned group, unsigned element, const char *vr, double v)
{
  char text[32];

  snprintf (text, sizeof text, "%.10g", v);
  put_text (b, group, element, vr, text);
}

static void
put_vector (Bytes *b, unsigned group, unsigned element, const double *a,
    const double *c)
{
  char text[160];
  int n = snprintf (text, sizeof text, "%.10g\\%.10g\\%.10g", a[0], a[1], a[2]);

  if (c)
    snprintf (
        text + n, sizeof text - n, "\\%.10g\\%.10g\\%.10g", c[0], c[1], c[2]);
  put_text (b, group, element, "DS", text);
}

static void
put_file_header (Bytes *b, const char *kind, const char *syntax)
{
  static const uint8_t preamble[128];
  Bytes meta = { NULL, 0, false };

  put_header (&meta, 2, 1, "OB", 2);
  put (&meta, "\0\1", 2);
  put_text (&meta, 2, 2, "UI", kind);
  put_text (&meta, 2, 3, "UI", "1.2.3.4");
  put_text (&meta, 2, 0x10, "UI", syntax);
  put_text (&meta, 2, 0x12, "UI", "1.2.3");
  put (b, preamble, 128);
  put (b, "DICM", 4);
  b->implicit = false;
  put_header (b, 2, 0, "UL", 4);
  put32 (b, meta.n);
  put (b, meta.data, meta.n);
  free (meta.data);
}

static void
save (Bytes *b, const char *path)
{
  FILE *stream = fopen (path, "wb");

  REQUIRE (stream != NULL);
  REQUIRE (fwrite (b->data, 1, b->n, stream) == b->n);
  REQUIRE (fclose (stream) == 0);
  free (b->data);
}

static const char *
get_syntax (MadeSyntax syntax)
{
  return syntax == MADE_RLE        ? "1.2.840.10008.1.2.5"
         : syntax == MADE_IMPLICIT ? "1.2.840.10008.1.2"
                                   : "1.2.840.10008.1.2.1";
}

/* One plane of bytes, high or low, as literal runs. */
static void
put_plane (Bytes *b, const uint8_t *pixels, size_t n, int byte)
{
  for (size_t i = 0; i < n; i += 128) {
    uint8_t run[129];
    size_t length = n - i < 128 ? n - i : 128;

    run[0] = length - 1;
    for (size_t j = 0; j < length; j++)
      run[1 + j] = pixels[2 * (i + j) + byte];
    put (b, run, length + 1);
  }
  if (b->n % 2)
    put (b, "\x80", 1);
}

static void
put_rle (Bytes *b, const uint8_t *pixels, size_t n)
{
  Bytes high = { NULL, 0, false }, low = { NULL, 0, false };

  put_plane (&high, pixels, n, 1);
  put_plane (&low, pixels, n, 0);
  put_header (b, 0x7fe0, 0x10, "OB", 0xffffffff);
  put16 (b, 0xfffe);
  put16 (b, 0xe000);
  put32 (b, 0);
  put16 (b, 0xfffe);
  put16 (b, 0xe000);
  put32 (b, 64 + high.n + low.n);
  put32 (b, 2);
  put32 (b, 64);
  put32 (b, 64 + high.n);
  for (int i = 3; i < 16; i++)
    put32 (b, 0);
  put (b, high.data, high.n);
  put (b, low.data, low.n);
  put16 (b, 0xfffe);
  put16 (b, 0xe0dd);
  put32 (b, 0);
  free (high.data);
  free (low.data);
}

static void
get_pixels (Bytes *b, const MadeOptions *options, int slice, int phase)
{
  for (int y = 0; y < MADE_HEIGHT; y++)
    for (int x = 0; x < MADE_WIDTH; x++)
      put16 (b, made_grey (options, slice, phase, x, y));
}

static void
put_pixels (Bytes *b, const MadeOptions *options, int slice, int phase)
{
  Bytes pixels = { NULL, 0, false };

  get_pixels (&pixels, options, slice, phase);
  if (options->syntax == MADE_RLE) {
    put_rle (b, pixels.data, pixels.n / 2);
  } else {
    put_header (b, 0x7fe0, 0x10, "OW", pixels.n);
    put (b, pixels.data, pixels.n);
  }
  free (pixels.data);
}

static void
put_shape (Bytes *b, int frames, int side)
{
  put_us (b, 0x28, 2, 1);
  put_text (b, 0x28, 4, "CS", "MONOCHROME2");
  if (frames > 1)
    put_number (b, 0x28, 8, "IS", frames);
  put_us (b, 0x28, 0x10, side ? side : MADE_HEIGHT);
  put_us (b, 0x28, 0x11, side ? side : MADE_WIDTH);
  if (frames == 1) {
    char text[64];

    snprintf (text, sizeof text, "%g\\%g", made_spacing_mm, made_spacing_mm);
    put_text (b, 0x28, 0x30, "DS", text);
  }
  put_us (b, 0x28, 0x100, 16);
  put_us (b, 0x28, 0x101, 12);
  put_us (b, 0x28, 0x102, 11);
  put_us (b, 0x28, 0x103, 0);
}

static double
get_trigger (const MadeOptions *options, int slice, int phase)
{
  double step = made_cycle_ms / MADE_PHASES
                * (options->stretch != 0 ? options->stretch : 1);

  return options->same_triggers
             ? 0
             : (options->late ? 5 * slice : 0) + 10 + step * phase;
}

static void
put_times (Bytes *b, const MadeOptions *options, int slice, int phase)
{
  if (!options->no_triggers)
    put_number (b, 0x18, 0x1060, "DS", get_trigger (options, slice, phase));
  if (!options->no_interval)
    put_number (b, 0x18, 0x1062, "IS", made_cycle_ms);
  if (options->announced)
    put_number (b, 0x18, 0x1090, "IS", options->announced);
}

static void
write_picture (
    const char *path, const MadeOptions *options, int slice, int phase)
{
  bool other = options->other_patient == slice + 1;
  int series = 5 + options->series + (options->series_a_slice ? slice : 0);
  double position[3], row[3], column[3];
  Bytes b = { NULL, 0, false };
  char uid[64];

  put_file_header (
      &b, "1.2.840.10008.5.1.4.1.1.4", get_syntax (options->syntax));
  b.implicit = options->syntax == MADE_IMPLICIT;
  put_text (&b, 8, 8, "CS", "ORIGINAL\\PRIMARY\\OTHER");
  put_text (&b, 8, 0x16, "UI", "1.2.840.10008.5.1.4.1.1.4");
  snprintf (uid, sizeof uid, "1.2.3.%d.%d.%d", series, slice, phase);
  put_text (&b, 8, 0x18, "UI", uid);
  put_text (&b, 8, 0x60, "CS", "MR");
  put_text (&b, 0x10, 0x10, "PN", other ? "B" : "A");
  put_text (&b, 0x10, 0x20, "LO", other ? "2" : "1");
  put_times (&b, options, slice, phase);
  put_text (&b, 0x20, 0xd, "UI", "1.2.9");
  snprintf (uid, sizeof uid, "1.2.7.%d", series);
  put_text (&b, 0x20, 0xe, "UI", uid);
  put_number (&b, 0x20, 0x11, "IS", series);
  put_number (&b, 0x20, 0x13, "IS", slice * MADE_PHASES + phase + 1);
  made_position (options, slice, position);
  made_axes (options, row, column);
  put_vector (&b, 0x20, 0x32, position, NULL);
  put_vector (&b, 0x20, 0x37, row, column);
  put_shape (&b, options->frames ? options->frames : 1, options->side);
  put_pixels (&b, options, slice, phase);
  save (&b, path);
}

void
made_write_dicom (const char *folder, const MadeOptions *options)
{
  int phases = options->phases ? options->phases : MADE_PHASES;
  int end = options->end_slice ? options->end_slice : MADE_SLICES;

  for (int s = options->first_slice; s < end; s++)
    for (int p = 0; p < phases; p++) {
      int number = s * MADE_PHASES + p;
      char name[64];

      if (options->skip_slice == s + 1
          || (options->skip_picture[0] == s + 1
              && options->skip_picture[1] == p + 1))
        continue;
      if (options->reversed_names)
        number = 10000 - number;
      /* Names that say nothing and sort like nothing. */
      snprintf (name, sizeof name, "%sx%04x",
          options->prefix ? options->prefix : "", (number * 40503u) & 0xffff);
      write_picture (made_path (folder, name), options, s, p);
    }
}

/* A sequence of items that are already bytes. */
static void
put_sequence (
    Bytes *b, unsigned group, unsigned element, const Bytes *items, int n)
{
  size_t all = 0;

  for (int i = 0; i < n; i++)
    all += 8 + items[i].n;
  put_header (b, group, element, "SQ", all);
  for (int i = 0; i < n; i++) {
    put16 (b, 0xfffe);
    put16 (b, 0xe000);
    put32 (b, items[i].n);
    put (b, items[i].data, items[i].n);
    free (items[i].data);
  }
}

static void
put_double (Bytes *b, unsigned group, unsigned element, double v)
{
  put_header (b, group, element, "FD", 8);
  put (b, &v, 8);
}

static Bytes
make_shared (void)
{
  Bytes shared = { NULL, 0, false }, item = { NULL, 0, false };
  char text[64];

  put_vector (&item, 0x20, 0x37, made_row, made_column);
  put_sequence (&shared, 0x20, 0x9116, &item, 1);
  item = (Bytes){ NULL, 0, false };
  snprintf (text, sizeof text, "%g\\%g", made_spacing_mm, made_spacing_mm);
  put_text (&item, 0x28, 0x30, "DS", text);
  put_sequence (&shared, 0x28, 0x9110, &item, 1);
  return shared;
}

static Bytes
make_frame (const MadeOptions *options, int slice, int phase)
{
  Bytes frame = { NULL, 0, false }, item = { NULL, 0, false };
  double position[3];

  put_double (&item, 0x20, 0x9153, get_trigger (options, slice, phase));
  put_double (&item, 0x20, 0x9251, made_cycle_ms);
  put_sequence (&frame, 0x18, 0x9118, &item, 1);
  item = (Bytes){ NULL, 0, false };
  made_position (options, slice, position);
  put_vector (&item, 0x20, 0x32, position, NULL);
  put_sequence (&frame, 0x20, 0x9113, &item, 1);
  return frame;
}

void
made_write_enhanced (const char *path, const MadeOptions *options)
{
  enum { N = MADE_SLICES * MADE_PHASES };
  Bytes b = { NULL, 0, false }, shared = make_shared (), frames[N];
  Bytes pixels = { NULL, 0, false };

  /* Phases first, from the apex on. */
  for (int i = 0; i < N; i++) {
    int slice = MADE_SLICES - 1 - i % MADE_SLICES, phase = i / MADE_SLICES;

    frames[i] = make_frame (options, slice, phase);
    get_pixels (&pixels, options, slice, phase);
  }
  put_file_header (
      &b, "1.2.840.10008.5.1.4.1.1.4.1", get_syntax (MADE_EXPLICIT));
  put_text (&b, 8, 0x16, "UI", "1.2.840.10008.5.1.4.1.1.4.1");
  put_text (&b, 8, 0x18, "UI", "1.2.3.4");
  put_text (&b, 8, 0x60, "CS", "MR");
  put_text (&b, 0x10, 0x20, "LO", "1");
  put_text (&b, 0x20, 0xd, "UI", "1.2.9");
  put_text (&b, 0x20, 0xe, "UI", "1.2.7.1");
  put_shape (&b, N, 0);
  put_sequence (&b, 0x5200, 0x9229, &shared, 1);
  put_sequence (&b, 0x5200, 0x9230, frames, N);
  put_header (&b, 0x7fe0, 0x10, "OW", pixels.n);
  put (&b, pixels.data, pixels.n);
  free (pixels.data);
  save (&b, path);
}

void
made_write_odd (const char *path, const char *modality)
{
  const MadeOptions plain = { 0 };
  bool mr = !strcmp (modality, "MR");
  const char *kind =
      mr ? "1.2.840.10008.5.1.4.1.1.4" : "1.2.840.10008.5.1.4.1.1.7";
  static const double row[3] = { 0, 1, 0 }, column[3] = { 0, 0, -1 };
  Bytes b = { NULL, 0, false };

  put_file_header (&b, kind, get_syntax (MADE_EXPLICIT));
  put_text (&b, 8, 0x16, "UI", kind);
  put_text (&b, 8, 0x18, "UI", "1.2.3.99");
  put_text (&b, 8, 0x60, "CS", modality);
  put_text (&b, 0x10, 0x10, "PN", "A");
  put_text (&b, 0x10, 0x20, "LO", "1");
  put_text (&b, 0x20, 0xd, "UI", "1.2.9");
  if (mr) {
    put_vector (&b, 0x20, 0x32, made_origin, NULL);
    put_vector (&b, 0x20, 0x37, row, column);
  }
  put_shape (&b, 1, 0);
  put_pixels (&b, &plain, 0, 0);
  save (&b, path);
}
