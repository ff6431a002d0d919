/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CINE_SHOW_H
#define CINE_SHOW_H

#include <gst/video/video.h>

#include "levels.h"

/* What cmrcinesrc shows: pictures of a stack as buffers with their metas. */

typedef enum {
  CINE_SHOW_BASAL,
  CINE_SHOW_MID,
  CINE_SHOW_APICAL,
  CINE_SHOW_REVIEW, ///< all three side by side
  CINE_SHOWS,
} CineShowKind;

typedef struct {
  CineStack *stack; ///< owned
  CineChoice choice[CINE_LEVELS];
  gdouble review_side; ///< mm around the LV centre; 0: whole slices
} CineShow;

/** The formats that can be had, best first. */
GstCaps *cine_show_caps (const CineShow *show, CineShowKind kind);

/** One picture. %NULL without memory. */
GstBuffer *cine_show_buffer (const CineShow *show, CineShowKind kind,
    const GstVideoInfo *info, guint phase, guint loop);

/** Start and end of a phase within the cycle. */
GstClockTime cine_show_time (const CineShow *show, guint phase);

/** Length of the cycle. */
GstClockTime cine_show_cycle (const CineShow *show);

/** What is known of the stack, as a structure named "cardiac-stack". */
GstStructure *cine_show_describe (const CineShow *show);

/** Tags of one stream. They name no patient. */
GstTagList *cine_show_tags (const CineShow *show, CineShowKind kind);

#endif
