/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CARDIAC_TESTS_TEXTS_H
#define CARDIAC_TESTS_TEXTS_H

#include "mreg-overlay.h"
#include "require.h"

/* What holds of texts in any drawing. */

static inline bool
contains (const CardiacOverlayBox *outer, const CardiacOverlayBox *inner)
{
  const double slack = 1.01; /* logical extents are rounded up */
  return inner->x >= outer->x - slack && inner->y >= outer->y - slack
         && inner->x + inner->width <= outer->x + outer->width + slack
         && inner->y + inner->height <= outer->y + outer->height + slack;
}

static inline bool
meet (const CardiacOverlayBox *a, const CardiacOverlayBox *b)
{
  return a->x + a->width > b->x + 1e-6 && b->x + b->width > a->x + 1e-6
         && a->y + a->height > b->y + 1e-6 && b->y + b->height > a->y + 1e-6;
}

static inline const CardiacOverlayText *
find (const CardiacOverlayText *texts, int count, CardiacOverlayRole role)
{
  for (int i = 0; i < count; i++)
    if (texts[i].role == role)
      return &texts[i];
  return NULL;
}

/// Model line and marking may shrink a little to stay in one line.
static inline double
least_size (CardiacOverlayRole role, int height)
{
  bool foot = role == CARDIAC_OVERLAY_ROLE_MODEL
              || role == CARDIAC_OVERLAY_ROLE_MARKING;
  return 0.022 * height * (foot ? 0.9 : 0.999);
}

/// Marking, state, model and what the weights are worth are there, uncut.
static inline void
require_permanent (const CardiacOverlayText *texts, int count,
    const char *worth, const char *where)
{
  const CardiacOverlayText *marking =
      find (texts, count, CARDIAC_OVERLAY_ROLE_MARKING);
  const CardiacOverlayText *state =
      find (texts, count, CARDIAC_OVERLAY_ROLE_STATE);
  const CardiacOverlayText *weights =
      find (texts, count, CARDIAC_OVERLAY_ROLE_WEIGHTS);
  REQUIRE (marking && !marking->ellipsised
               && strcmp (marking->text, CARDIAC_OVERLAY_MARKING) == 0,
      "%s: no marking", where);
  REQUIRE (state && !state->ellipsised, "%s: no state", where);
  REQUIRE (
      find (texts, count, CARDIAC_OVERLAY_ROLE_MODEL), "%s: no model", where);
  REQUIRE (weights && !weights->ellipsised && strstr (weights->text, worth),
      "%s: no weights", where);
}

/// Each text is inside its box and the canvas, and no boxes overlap.
static inline void
require_boxes_apart (const CardiacOverlayText *texts, int count,
    const CardiacOverlayBox *canvas, const char *where)
{
  for (int i = 0; i < count; i++) {
    REQUIRE (contains (&texts[i].box, &texts[i].ink),
        "%s: '%s' leaves its box: %g+%g %g+%g in %g+%g %g+%g", where,
        texts[i].text, texts[i].ink.x, texts[i].ink.width, texts[i].ink.y,
        texts[i].ink.height, texts[i].box.x, texts[i].box.width, texts[i].box.y,
        texts[i].box.height);
    REQUIRE (contains (canvas, &texts[i].ink), "%s: '%s' leaves the canvas",
        where, texts[i].text);
    for (int j = 0; j < i; j++)
      REQUIRE (!meet (&texts[i].box, &texts[j].box), "%s: '%s' meets '%s'",
          where, texts[i].text, texts[j].text);
  }
}

#endif
