/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MREG_RECORD_H
#define MREG_RECORD_H

#include "gstcardiacenums.h"
#include "mregnetwork.h"

/* From what the network says to what is said about the video. */

/** What a record says of its network; strings are borrowed. */
typedef struct {
  CardiacModel *model;
  const CardiacMRegShape *shape;
  const CardiacRunInfo *run_info;
} MregProvenance;

/** A record without a finding, with names, labels and borders filled in. */
GstCardiacResult *mreg_record_new (const MregProvenance *provenance);

/** The record of an outcome that has a result; state is RESULT or UNSURE.
 * @band: see state_is_unsure() */
GstCardiacResult *mreg_record_from_outcome (const MregOutcome *outcome,
    const MregProvenance *provenance, GstCardiacHeatmap heatmap, gdouble band);

#endif
