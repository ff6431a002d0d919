/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "levels.h"

#include <ctype.h>
#include <errno.h>
#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const names[CINE_LEVELS] = { "basal", "mid", "apical" };

const char *
cine_level_name (CineLevel level)
{
  return names[level];
}

/* A decimal number with a point, whatever the locale. */
static bool
parse_number (const char **text, double *out)
{
  char plain[64];
  size_t n = strspn (*text, "+-.0123456789eE");
  json_t *value;

  if (n == 0 || n >= sizeof plain - 2)
    return false;
  snprintf (plain, sizeof plain, "[%.*s]", (int) n, *text);
  value = json_loads (plain, 0, NULL);
  if (!value || !json_is_number (json_array_get (value, 0))) {
    json_decref (value);
    return false;
  }
  *out = json_number_value (json_array_get (value, 0));
  json_decref (value);
  *text += n;
  return true;
}

bool
cine_points_parse (const char *text, CinePoints *points)
{
  double values[6];
  int n = 0;

  do {
    while (isspace ((unsigned char) *text))
      text++;
    if (!parse_number (&text, &values[n++]))
      return false;
    while (isspace ((unsigned char) *text))
      text++;
  } while (n < 6 && *text++ == ',');
  text -= n < 6; /* what was no comma */
  if (*text || (n != 2 && n != 6))
    return false;
  points->has_centre = true;
  points->has_insertions = n == 6;
  memcpy (points->lv_centre, values, sizeof points->lv_centre);
  if (n == 6) {
    memcpy (points->rv_anterior, values + 2, sizeof points->rv_anterior);
    memcpy (points->rv_inferior, values + 4, sizeof points->rv_inferior);
  }
  return true;
}

/* A missing point is fine; a malformed one is not. */
static bool
read_point (const char *path, const char *level, const json_t *object,
    const char *name, double out[2], bool *there, CineError *error)
{
  const json_t *point = json_object_get (object, name);

  *there = false;
  if (!point || json_is_null (point))
    return true;
  if (json_array_size (point) == 2 && json_is_number (json_array_get (point, 0))
      && json_is_number (json_array_get (point, 1))) {
    for (int i = 0; i < 2; i++)
      out[i] = json_number_value (json_array_get (point, i));
    *there = true;
    return true;
  }
  return cine_fail (error, CINE_UNREADABLE,
      "%s: '%s' of level '%s' is not a pair of numbers; expected [column, row] "
      "in pixels",
      path, name, level);
}

static bool
read_level (const char *path, const char *level, const json_t *object,
    CineGiven *given, CineError *error)
{
  const json_t *slice = json_object_get (object, "slice");
  CinePoints *points = &given->points;
  bool anterior, inferior;

  if (!json_is_object (object))
    return cine_fail (error, CINE_UNREADABLE,
        "%s: level '%s' is not an object; expected slice and points", path,
        level);
  if (slice
      && (!json_is_integer (slice) || json_integer_value (slice) < 0
          || json_integer_value (slice) > 1000))
    return cine_fail (error, CINE_UNREADABLE,
        "%s: 'slice' of level '%s' is not a slice's number; expected 0 for the "
        "most basal one and so on",
        path, level);
  if (slice)
    given->slice = (int) json_integer_value (slice);
  if (!read_point (path, level, object, "lv_centre_xy", points->lv_centre,
          &points->has_centre, error)
      || !read_point (path, level, object, "rv_insertion_anterior_xy",
          points->rv_anterior, &anterior, error)
      || !read_point (path, level, object, "rv_insertion_inferior_xy",
          points->rv_inferior, &inferior, error))
    return false;
  if (anterior != inferior)
    return cine_fail (error, CINE_UNREADABLE,
        "%s: level '%s' has only one RV insertion; expected "
        "rv_insertion_anterior_xy and rv_insertion_inferior_xy, or neither",
        path, level);
  points->has_insertions = anterior;
  return true;
}

static bool
read_levels (const char *path, const json_t *root, CineGiven given[CINE_LEVELS],
    CineError *error)
{
  const json_t *levels = json_object_get (root, "levels");
  bool any = false;

  if (!json_is_object (levels))
    return cine_fail (error, CINE_UNREADABLE,
        "%s has no object 'levels'; expected {\"levels\": {\"basal\": ...}}",
        path);
  for (int l = 0; l < CINE_LEVELS; l++) {
    const json_t *level = json_object_get (levels, names[l]);

    if (level && !read_level (path, names[l], level, &given[l], error))
      return false;
    any = any || level;
  }
  if (!any)
    return cine_fail (error, CINE_UNREADABLE,
        "%s names none of the levels basal, mid, apical", path);
  return true;
}

bool
cine_landmarks_read (
    const char *path, CineGiven given[CINE_LEVELS], CineError *error)
{
  FILE *stream = fopen (path, "rb");
  json_error_t where;
  json_t *root;
  bool fine;

  if (!stream)
    return cine_fail (error, CINE_NOT_FOUND,
        "the landmarks file '%s' cannot be opened: %s", path, strerror (errno));
  root = json_loadf (stream, JSON_REJECT_DUPLICATES, &where);
  fclose (stream);
  if (!root)
    return cine_fail (error, CINE_UNREADABLE,
        "%s is not JSON: line %d: %s; expected a landmarks file", path,
        where.line, where.text);
  fine = read_levels (path, root, given, error);
  json_decref (root);
  return fine;
}
