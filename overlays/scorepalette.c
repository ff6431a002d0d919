/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Colours of wall motion scores, and the file that replaces them. */
#include "scorepalette.h"
#include "colour-difference.h"

#include <glib.h>
#include <string.h>
#include <sys/stat.h>

enum { N_COLOURS = CARDIAC_OVERLAY_SCORES + 1, MOST_BYTES = 64 * 1024 };

static const char *const keys[N_COLOURS] = { "unscored", "1", "2", "3", "4" };

static void
set_hex (double rgb[3], unsigned hex)
{
  for (int i = 0; i < 3; i++)
    rgb[i] = (hex >> (16 - 8 * i) & 255) / 255.0;
}

void
cardiac_mmsa_palette_init (CardiacMmsaPalette *palette)
{
  static const unsigned defaults[N_COLOURS] = { 0x5C626C, 0xD8F3DC, 0xF2B705,
    0xC8401E, 0x33176E };
  for (int i = 0; i < N_COLOURS; i++)
    set_hex (palette->rgb[i], defaults[i]);
}

Colour
score_colour (const CardiacMmsaPalette *palette, int score)
{
  const double *rgb = palette->rgb[score];
  return (Colour){ rgb[0], rgb[1], rgb[2] };
}

Ink
score_ink (const CardiacMmsaPalette *palette, int score)
{
  double lab[3];
  srgb_to_lab (palette->rgb[score], lab);
  return lab[0] > 60.0 ? INK_GROUND : INK_TEXT;
}

const char *
score_digit (int score)
{
  static const char *digits[N_COLOURS] = { "\xe2\x80\x93", "1", "2", "3", "4" };
  return digits[score];
}

const char *
score_word (int score)
{
  static const char *words[N_COLOURS] = { "not scored", "normal", "hypokinetic",
    "akinetic", "dyskinetic" };
  return words[score];
}

CardiacMmsaPaletteWeakness
cardiac_mmsa_palette_weakness (const CardiacMmsaPalette *palette)
{
  static const char *names[COLOUR_VISION_N] = { "normal vision", "protanopia",
    "deuteranopia", "tritanopia" };
  CardiacMmsaPaletteWeakness worst = { .distance = INFINITY };
  for (int vision = 0; vision < COLOUR_VISION_N; vision++)
    for (int a = 1; a < N_COLOURS; a++)
      for (int b = a + 1; b < N_COLOURS; b++) {
        double p[3], q[3];
        seen_colour (palette->rgb[a], (ColourVision) vision, p);
        seen_colour (palette->rgb[b], (ColourVision) vision, q);
        double distance = delta_e_2000 (p, q);
        if (distance < worst.distance)
          worst = (CardiacMmsaPaletteWeakness){ distance, a, b, names[vision] };
      }
  return worst;
}

/* A file being read. */
typedef struct Reader {
  const char *path;
  int line;
  bool in_section, seen[N_COLOURS];
  CardiacMmsaPalette palette;
  char *message;
  size_t size;
} Reader;

static bool
refuse (Reader *r, const char *expected, const char *found)
{
  char *shown = g_utf8_make_valid (found, (gssize) strnlen (found, 60));
  g_snprintf (r->message, r->size,
      "Palette %s, line %d: expected %s, found \"%s\".", r->path, r->line,
      expected, shown);
  g_free (shown);
  return false;
}

static bool
read_colour (const char *text, double rgb[3])
{
  if (text[0] != '#' || strlen (text) != 7)
    return false;
  for (int i = 1; i < 7; i++)
    if (!g_ascii_isxdigit (text[i]))
      return false;
  set_hex (rgb, (unsigned) g_ascii_strtoull (text + 1, NULL, 16));
  return true;
}

static bool
read_line (Reader *r, char *line)
{
  g_strstrip (line);
  if (*line == '\0' || *line == '#' || *line == ';')
    return true;
  if (*line == '[') {
    r->in_section = strcmp (line, "[wall-motion]") == 0;
    return r->in_section || refuse (r, "[wall-motion]", line);
  }
  char *value = strchr (line, '=');
  if (!r->in_section || value == NULL)
    return refuse (
        r, r->in_section ? "\"score = #RRGGBB\"" : "[wall-motion]", line);
  *value++ = '\0';
  g_strchomp (line);
  g_strchug (value);
  for (int i = 0; i < N_COLOURS; i++)
    if (strcmp (line, keys[i]) == 0) {
      if (r->seen[i])
        return refuse (r, "each score once", line);
      r->seen[i] = true;
      return read_colour (value, r->palette.rgb[i])
             || refuse (r, "a colour as #RRGGBB", value);
    }
  return refuse (r, "1, 2, 3, 4 or unscored", line);
}

static bool
read_lines (Reader *r, char *text)
{
  for (char *line = text; line != NULL;) {
    char *end = strchr (line, '\n');
    if (end)
      *end++ = '\0';
    r->line++;
    if (!read_line (r, line))
      return false;
    line = end;
  }
  for (int i = 0; i < N_COLOURS; i++)
    if (!r->seen[i]) {
      g_snprintf (r->message, r->size,
          "Palette %s has no colour for %s: add a line \"%s = #RRGGBB\".",
          r->path, score_word (i), keys[i]);
      return false;
    }
  return true;
}

bool
cardiac_mmsa_palette_read (
    const char *path, CardiacMmsaPalette *palette, char *message, size_t size)
{
  Reader r = { .path = path, .message = message, .size = size };
  GError *error = NULL;
  gchar *text = NULL;
  gsize length = 0;
  struct stat about;
  cardiac_mmsa_palette_init (&r.palette);
  if (stat (path, &about) == 0
      && (!S_ISREG (about.st_mode) || about.st_size > MOST_BYTES)) {
    g_snprintf (message, size,
        "Palette %s: expected a text file of at most %d bytes, found %s.", path,
        MOST_BYTES, S_ISREG (about.st_mode) ? "a longer one" : "no file");
    return false;
  }
  if (!g_file_get_contents (path, &text, &length, &error)) {
    g_snprintf (message, size, "Palette cannot be read: %s.", error->message);
    g_error_free (error);
    return false;
  }
  bool good = false;
  if (memchr (text, '\0', length))
    g_snprintf (
        message, size, "Palette %s: expected text, found a zero byte.", path);
  else
    good = read_lines (&r, text);
  if (good)
    *palette = r.palette;
  g_free (text);
  return good;
}
