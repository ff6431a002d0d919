/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Cached surfaces: drawn once for a key, replaced and never overwritten. */
#include "piece.h"

#include <string.h>

void
key_bytes (Key *key, const void *data, size_t size)
{
  g_byte_array_append (key, data, (guint) size);
}

void
key_begin (Key *key, const char *what)
{
  g_byte_array_set_size (key, 0);
  key_string (key, what);
}

void
key_int (Key *key, int64_t number)
{
  key_bytes (key, &number, sizeof number);
}

void
key_double (Key *key, double number)
{
  key_bytes (key, &number, sizeof number);
}

void
key_string (Key *key, const char *string)
{
  /* The length keeps "ab","c" apart from "a","bc"; NULL from "". */
  key_int (key, string ? (int64_t) strlen (string) : -1);
  if (string)
    key_bytes (key, string, strlen (string));
}

bool
piece_is_current (const Piece *piece, const Key *key)
{
  return piece->key && piece->key->len == key->len
         && memcmp (piece->key->data, key->data, key->len) == 0;
}

void
piece_clear (Piece *piece)
{
  if (piece->key)
    g_byte_array_unref (piece->key);
  if (piece->surface)
    cairo_surface_destroy (piece->surface);
  text_log_clear (&piece->log);
  *piece = (Piece){ 0 };
}

void
piece_set_empty (Piece *piece, const Key *key)
{
  piece_clear (piece);
  piece->key = g_byte_array_sized_new (key->len);
  key_bytes (piece->key, key->data, key->len);
}

cairo_t *
piece_begin (
    Piece *piece, const Key *key, int width, int height, PieceCounter *counter)
{
  if (piece_is_current (piece, key))
    return NULL;
  piece_set_empty (piece, key);
  piece->surface = cairo_image_surface_create (
      CAIRO_FORMAT_ARGB32, MAX (width, 1), MAX (height, 1));
  piece->serial = ++counter->serial;
  counter->redraws++;
  return cairo_create (piece->surface);
}

void
piece_end (Piece *piece, cairo_t *cr)
{
  bool good = cairo_status (cr) == CAIRO_STATUS_SUCCESS;
  cairo_destroy (cr);
  cairo_surface_flush (piece->surface);
  if (!good || cairo_surface_status (piece->surface)) {
    cairo_surface_destroy (piece->surface);
    piece->surface = NULL;
  }
}
