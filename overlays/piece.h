/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CARDIAC_OVERLAYS_PIECE_H
#define CARDIAC_OVERLAYS_PIECE_H

#include "text.h"

/// All that a drawing depends on, as bytes: equal keys, equal pixels.
typedef GByteArray Key;

void key_begin (Key *key, const char *what);
void key_int (Key *key, int64_t number);
void key_double (Key *key, double number);
void key_string (Key *key, const char *string);
void key_bytes (Key *key, const void *data, size_t size);

/// Counters of one overlay.
typedef struct PieceCounter {
  uint64_t serial, redraws;
} PieceCounter;

/// A cached drawing. Zeroed memory is an empty one.
typedef struct Piece {
  Key *key;
  cairo_surface_t *surface; ///< NULL: nothing drawn, or nothing to draw
  int x, y;                 ///< where its author wants it, canvas pixels
  uint64_t serial;
  TextLog log;
} Piece;

/// NULL when the piece already shows this key. Otherwise forgets the old
/// drawing and gives a context on a new, clear surface, to be finished with
/// piece_end(). The key is copied.
cairo_t *piece_begin (
    Piece *piece, const Key *key, int width, int height, PieceCounter *counter);
void piece_end (Piece *piece, cairo_t *cr);
/// Keeps the key, so that an empty drawing is not tried again.
bool piece_is_current (const Piece *piece, const Key *key);
void piece_set_empty (Piece *piece, const Key *key);
void piece_clear (Piece *piece);

#endif
