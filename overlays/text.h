/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CARDIAC_OVERLAYS_TEXT_H
#define CARDIAC_OVERLAYS_TEXT_H

#include "mreg-overlay.h"
#include "palette.h"

#include <pango/pangocairo.h>

typedef CardiacOverlayBox Box;

/// The fonts of one overlay.
typedef struct TextKit TextKit;

TextKit *text_kit_new (void);
void text_kit_free (TextKit *kit);
const char *text_kit_family (const TextKit *kit);
bool text_kit_is_intended (const TextKit *kit);

/// Texts of one piece, in the piece's pixels.
typedef struct TextLog {
  CardiacOverlayText *texts; ///< each owns its string
  int count, room;
} TextLog;

void text_log_clear (TextLog *log);

/// A text before it has a place. Strings are valid UTF-8 of one paragraph.
typedef struct TextSpec {
  CardiacOverlayRole role;
  const char *string; ///< borrowed; NULL or empty: no text
  double size;        ///< em, pixels
  double least_size;  ///< > 0: shrink down to it before ellipsising
  int weight;         ///< PANGO_WEIGHT_...
  Ink ink;
  int lines; ///< most lines; 1: never wraps
} TextSpec;

typedef enum TextAlign { TEXT_LEFT, TEXT_CENTRE, TEXT_RIGHT } TextAlign;

typedef struct TextExtent {
  double width, height; ///< logical, rounded up to whole pixels
  double size;          ///< em after shrinking
  bool ellipsised;
} TextExtent;

TextExtent text_measure (TextKit *kit, const TextSpec *spec, double width);
/// Draws in the box's upper edge (or its middle, for one line) and logs it.
void text_draw (TextKit *kit, cairo_t *cr, TextLog *log, const TextSpec *spec,
    Box box, TextAlign align);

/// A copy that Pango can take: valid UTF-8, one paragraph, at most 240
/// characters. Freed with g_free().
char *text_clean (const char *string);

#endif
