/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "core/printable.h"

#include <assert.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

/* Decodes one character of NUL-terminated text into `*code`; returns its
 * length, or 0 where the bytes are not valid UTF-8 (stray, overlong, surrogate
 * or beyond U+10FFFF). */
static int
decode (const char *text, uint32_t *code)
{
  static const uint32_t smallest[5] = { 0, 0, 0x80, 0x800, 0x10000 };
  uint8_t first = (uint8_t) text[0];
  int length = first < 0x80       ? 1
               : first >> 5 == 6  ? 2
               : first >> 4 == 14 ? 3
               : first >> 3 == 30 ? 4
                                  : 0;

  if (length == 0)
    return 0;
  *code = length == 1 ? first : first & (0x7fu >> length);
  for (int i = 1; i < length; i++) {
    uint8_t next = (uint8_t) text[i];
    if (next >> 6 != 2)
      return 0;
    *code = *code << 6 | (next & 0x3f);
  }
  if (*code < smallest[length] || *code > 0x10ffff
      || (*code >= 0xd800 && *code <= 0xdfff))
    return 0;
  return length;
}

/* Controls, line separators, and the characters that hide or reorder text. */
static bool
is_deceptive (uint32_t code)
{
  return code < 0x20 || (code >= 0x7f && code < 0xa0) || code == 0x61c
         || (code >= 0x200b && code <= 0x200f)
         || (code >= 0x2028 && code <= 0x202e)
         || (code >= 0x2060 && code <= 0x206f) || code == 0xfeff
         || (code >= 0xfff9 && code <= 0xfffb)
         || (code >= 0xe0000 && code <= 0xe007f);
}

/* Writes the first character of `text` to `piece`, escaped where needed;
 * returns how many bytes of the text that took. */
static int
print_one (char *piece, size_t size, const char *text)
{
  uint32_t code = 0;
  int length = decode (text, &code);

  if (length == 0) {
    snprintf (piece, size, "\\x%02x", (unsigned) (uint8_t) *text);
    return 1;
  }
  if (!is_deceptive (code))
    snprintf (piece, size, "%.*s", length, text);
  else if (code < 0x80)
    snprintf (piece, size, "\\x%02x", (unsigned) code);
  else
    snprintf (piece, size, "\\u{%x}", (unsigned) code);
  return length;
}

const char *
cardiac_printable (char *buffer, size_t size, const char *text)
{
  size_t used = 0;
  size_t cut = 0; /* the last place where "..." and the NUL still fit */

  assert (size >= 8);
  while (*text) {
    char piece[16];
    text += print_one (piece, sizeof piece, text);
    size_t needed = strlen (piece);
    if (used + needed + 1 > size) {
      memcpy (buffer + cut, "...", 4);
      return buffer;
    }
    memcpy (buffer + used, piece, needed);
    used += needed;
    if (used + 4 <= size)
      cut = used;
  }
  buffer[used] = '\0';
  return buffer;
}

bool
cardiac_is_printable (const char *text)
{
  while (*text) {
    uint32_t code = 0;
    int length = decode (text, &code);
    if (length == 0 || is_deceptive (code))
      return false;
    text += length;
  }
  return true;
}
