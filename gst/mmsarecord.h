/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MMSA_RECORD_H
#define MMSA_RECORD_H

#include "cycle.h"
#include "mmsanetwork.h"

/** The record of a cycle: what the network said of it, or why it was not asked.
 * @model: may be %NULL
 * @outcome: %NULL when the cycle cannot be scored */
GstCardiacResult *mmsa_record_new (
    const Cycle *cycle, const MmsaOutcome *outcome, CardiacModel *model);

#endif
