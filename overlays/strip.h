/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CARDIAC_OVERLAYS_STRIP_H
#define CARDIAC_OVERLAYS_STRIP_H

#include "flow.h"
#include "occupancy.h"
#include "piece.h"

enum { STRIP_WIDTHS = 7, STRIP_SHAPES = 3 * STRIP_WIDTHS, STRIP_AVOIDS = 4 };

/// Where a strip inside the picture stands, and the place it keeps.
typedef struct Strip {
  Piece piece;
  bool placed;
  int shape;          ///< 0 (widest) .. STRIP_SHAPES-1 (narrowest and lowest)
  int column, row;    ///< of a 13 x 13 lattice of positions
  int better_seen;    ///< pictures in a row in which another place was better
  uint64_t looked_at; ///< number of pictures at the last look
  double covers;      ///< share of content and avoided places below the strip
} Strip;

/// What a strip shows, before it has a shape.
typedef struct StripContent StripContent;
struct StripContent {
  int picture_width, picture_height;
  double em;   ///< pixels
  bool lit;    ///< a state with a finding
  int chip;    ///< id of the item that is drawn as a chip
  double side; ///< of a square drawing left of the flow, pixels; 0: none
  Flow flow;
  Box avoid[STRIP_AVOIDS]; ///< places that stay free where others are as good
  int n_avoid;
  const Box *no_draw; ///< places that stay free at any cost
  int n_no_draw;
  const Box *pictures; ///< places that count as half empty where they are dark
  int n_pictures;
  /// Draws what is no text. `item` NULL: the square, at `box`. May be NULL.
  void (*draw) (const StripContent *content, cairo_t *cr, TextKit *kit,
      TextLog *log, const FlowItem *item, Box box);
  const void *user;
  double width, height; ///< found: outer size
};

/// Adds a place that stays free where it can, unless it is nearly the whole
/// picture.
void strip_avoid (StripContent *content, Box box);
/// Whether there is a place off all `no_draw` for the words that must stay.
bool strip_has_room (StripContent *content, TextKit *kit);
/// Draws what changed and finds the strip's place.
/// @param key all that the content and the fixed places depend on; the strip
///   adds its shape
void strip_draw (Strip *strip, TextKit *kit, StripContent *content,
    const Occupancy *occupancy, Key *key, PieceCounter *counter);
/// Lets the strip look for a new place.
void strip_forget (Strip *strip);

#endif
