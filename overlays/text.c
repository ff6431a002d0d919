/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Measuring, fitting and drawing of text, and the log of where it stands. */
#include "text.h"

#include <math.h>
#include <string.h>

#define FAMILY "Inter"
#define FALLBACK "Inter, Noto Sans, DejaVu Sans, sans-serif"

struct TextKit {
  PangoFontMap *map;
  PangoContext *context;
  char *family;       /* that is really drawn in */
  GHashTable *memory; /* of measures: shaping a text costs some 50 us */
};

enum { MOST_REMEMBERED = 1024 };

static char *
family_of (TextKit *kit)
{
  PangoFontDescription *wish = pango_font_description_from_string (FALLBACK);
  PangoFont *font = pango_context_load_font (kit->context, wish);
  pango_font_description_free (wish);
  if (font == NULL)
    return g_strdup ("none");

  PangoFontDescription *got = pango_font_describe (font);
  char *family = g_strdup (pango_font_description_get_family (got));
  pango_font_description_free (got);
  g_object_unref (font);
  return family;
}

TextKit *
text_kit_new (void)
{
  TextKit *kit = g_new0 (TextKit, 1);
  /* A map of its own: Pango's default one is shared by a thread. */
  kit->map = pango_cairo_font_map_new ();
  pango_cairo_font_map_set_resolution (PANGO_CAIRO_FONT_MAP (kit->map), 96);
  kit->context = pango_font_map_create_context (kit->map);
  pango_context_set_round_glyph_positions (kit->context, FALSE);

  /* Sub-pixel antialiasing would need to know the picture below. */
  cairo_font_options_t *options = cairo_font_options_create ();
  cairo_font_options_set_antialias (options, CAIRO_ANTIALIAS_GRAY);
  cairo_font_options_set_hint_style (options, CAIRO_HINT_STYLE_SLIGHT);
  cairo_font_options_set_hint_metrics (options, CAIRO_HINT_METRICS_OFF);
  pango_cairo_context_set_font_options (kit->context, options);
  cairo_font_options_destroy (options);

  kit->family = family_of (kit);
  kit->memory = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
  return kit;
}

void
text_kit_free (TextKit *kit)
{
  if (kit == NULL)
    return;
  g_hash_table_unref (kit->memory);
  g_free (kit->family);
  g_object_unref (kit->context);
  g_object_unref (kit->map);
  g_free (kit);
}

const char *
text_kit_family (const TextKit *kit)
{
  return kit->family;
}

bool
text_kit_is_intended (const TextKit *kit)
{
  return g_str_has_prefix (kit->family, FAMILY);
}

static PangoLayout *
shape (TextKit *kit, const TextSpec *spec, double size, double width)
{
  PangoLayout *layout = pango_layout_new (kit->context);
  PangoFontDescription *font = pango_font_description_from_string (FALLBACK);
  pango_font_description_set_weight (font, spec->weight);
  pango_font_description_set_absolute_size (font, size * PANGO_SCALE);
  pango_layout_set_font_description (layout, font);
  pango_font_description_free (font);

  PangoAttrList *attributes = pango_attr_list_new ();
  pango_attr_list_insert (
      attributes, pango_attr_font_features_new ("tnum=1, calt=1"));
  pango_layout_set_attributes (layout, attributes);
  pango_attr_list_unref (attributes);

  pango_layout_set_text (layout, spec->string, -1);
  if (width > 0.0) {
    pango_layout_set_width (layout, floor (width) * PANGO_SCALE);
    pango_layout_set_ellipsize (layout, PANGO_ELLIPSIZE_END);
    pango_layout_set_height (layout, -MAX (spec->lines, 1));
    pango_layout_set_wrap (layout, PANGO_WRAP_WORD_CHAR);
  }
  return layout;
}

/* Largest size in [least, size] at which one line is no wider than width. */
static double
fitting_size (TextKit *kit, const TextSpec *spec, double width)
{
  if (spec->least_size <= 0.0 || width <= 0.0)
    return spec->size;
  PangoRectangle logical;
  PangoLayout *layout = shape (kit, spec, spec->size, 0.0);
  pango_layout_get_extents (layout, NULL, &logical);
  g_object_unref (layout);
  double natural = (double) logical.width / PANGO_SCALE + 1.0;
  if (natural <= width)
    return spec->size;
  return fmax (floor (spec->size * width / natural * 4.0) / 4.0,
      fmin (spec->least_size, spec->size));
}

static TextExtent
extent_of (PangoLayout *layout, double size)
{
  PangoRectangle logical;
  pango_layout_get_extents (layout, NULL, &logical);
  return (TextExtent){
    .width = ceil ((double) logical.width / PANGO_SCALE),
    .height = ceil ((double) logical.height / PANGO_SCALE),
    .size = size,
    .ellipsised = pango_layout_is_ellipsized (layout),
  };
}

TextExtent
text_measure (TextKit *kit, const TextSpec *spec, double width)
{
  if (spec->string == NULL || *spec->string == '\0')
    return (TextExtent){ .size = spec->size };
  char *name = g_strdup_printf ("%.3f %.3f %.3f %d %d %s", spec->size,
      spec->least_size, width, spec->weight, spec->lines, spec->string);
  TextExtent *extent = g_hash_table_lookup (kit->memory, name);
  if (extent) {
    g_free (name);
    return *extent;
  }
  double size = fitting_size (kit, spec, width);
  PangoLayout *layout = shape (kit, spec, size, width);
  extent = g_new (TextExtent, 1);
  *extent = extent_of (layout, size);
  g_object_unref (layout);
  if (g_hash_table_size (kit->memory) >= MOST_REMEMBERED)
    g_hash_table_remove_all (kit->memory);
  g_hash_table_insert (kit->memory, name, extent);
  return *extent;
}

static void
log_text (TextLog *log, const TextSpec *spec, Box box, Box ink_box,
    const TextExtent *extent)
{
  if (log->count == log->room) {
    log->room = MAX (16, 2 * log->room);
    log->texts = g_renew (CardiacOverlayText, log->texts, log->room);
  }
  log->texts[log->count++] = (CardiacOverlayText){
    .role = spec->role,
    .text = g_strdup (spec->string),
    .box = box,
    .ink = ink_box,
    .size = extent->size,
    .ellipsised = extent->ellipsised,
  };
}

void
text_draw (TextKit *kit, cairo_t *cr, TextLog *log, const TextSpec *spec,
    Box box, TextAlign align)
{
  if (spec->string == NULL || *spec->string == '\0')
    return;
  double size = fitting_size (kit, spec, box.width);
  PangoLayout *layout = shape (kit, spec, size, box.width);
  TextExtent extent = extent_of (layout, size);
  static const double shares[] = { 0.0, 0.5, 1.0 };
  static const PangoAlignment aligns[] = { PANGO_ALIGN_LEFT, PANGO_ALIGN_CENTER,
    PANGO_ALIGN_RIGHT };
  pango_layout_set_alignment (layout, aligns[align]);

  double spare = fmax (box.width - extent.width, 0.0);
  Box at = { box.x + shares[align] * spare,
    box.y + fmax ((box.height - extent.height) / 2.0, 0.0), extent.width,
    extent.height };
  cairo_save (cr);
  set_ink (cr, spec->ink, 1.0);
  cairo_move_to (cr, box.x, at.y);
  pango_cairo_show_layout (cr, layout);
  cairo_restore (cr);
  log_text (log, spec, box, at, &extent);
  g_object_unref (layout);
}

void
text_log_clear (TextLog *log)
{
  for (int i = 0; i < log->count; i++)
    g_free ((char *) log->texts[i].text);
  g_free (log->texts);
  *log = (TextLog){ 0 };
}

char *
text_clean (const char *string)
{
  if (string == NULL)
    return NULL;
  char *valid = g_utf8_make_valid (string, strnlen (string, 2000));
  char *end =
      g_utf8_offset_to_pointer (valid, MIN (g_utf8_strlen (valid, -1), 240));
  *end = '\0';
  GString *clean = g_string_new (NULL);
  for (const char *p = valid; *p; p = g_utf8_next_char (p)) {
    gunichar c = g_utf8_get_char (p);
    g_string_append_unichar (
        clean, g_unichar_isspace (c) || !g_unichar_isdefined (c)
                       || g_unichar_iscntrl (c)
                       || g_unichar_type (c) == G_UNICODE_FORMAT || c == 0x2028
                       || c == 0x2029
                   ? ' '
                   : c);
  }
  g_free (valid);
  return g_string_free (clean, FALSE);
}
