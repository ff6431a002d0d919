/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "age.h"

#define AGE_SIZE 11.0

void
age_draw (Piece *piece, TextKit *kit, const char *word, const AgePlace *place,
    Key *key, PieceCounter *counter)
{
  Box box = place->box;
  if (word == NULL || box.width < 1.0) {
    piece_clear (piece);
    return;
  }
  key_begin (key, "age");
  key_string (key, word);
  key_double (key, place->unit);
  key_bytes (key, &box, sizeof box);
  cairo_t *cr =
      piece_begin (piece, key, (int) box.width, (int) box.height, counter);
  if (cr) {
    set_ink (cr, INK_GROUND, 1.0);
    cairo_paint (cr);
    TextSpec age = { .role = CARDIAC_OVERLAY_ROLE_AGE,
      .string = word,
      .size = AGE_SIZE * place->unit,
      .weight = PANGO_WEIGHT_NORMAL,
      .ink = INK_QUIET,
      .lines = 1 };
    text_draw (kit, cr, &piece->log, &age,
        (Box){ 0.0, 0.0, box.width, box.height }, place->align);
    piece_end (piece, cr);
  }
  piece->x = place->x + (int) box.x;
  piece->y = place->y + (int) box.y;
}
