/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CARDIAC_NETS_PROGRAMS_H
#define CARDIAC_NETS_PROGRAMS_H

#include "core/program.h"
#include <cardiac/mmsa.h>
#include <cardiac/mreg.h>
#include <cardiac/xclip.h>
#include <cardiac/yolov8.h>

/* The programs behind the public networks, for benchmarks and tests that list
 * or time operators. Owned by the network. */

CARDIAC_API CardiacProgram *cardiac_xclip_program (CardiacXclip *xclip);
CARDIAC_API CardiacProgram *cardiac_mreg_backbone_program (CardiacMReg *mreg);
CARDIAC_API CardiacProgram *cardiac_mreg_head_program (CardiacMReg *mreg);
CARDIAC_API CardiacProgram *cardiac_mreg_eigencam_program (CardiacMReg *mreg);
CARDIAC_API CardiacProgram *cardiac_yolov8_program (CardiacYolov8 *yolov8);
CARDIAC_API CardiacProgram *cardiac_mmsa_flow_program (CardiacMmsa *mmsa);
CARDIAC_API CardiacProgram *cardiac_mmsa_score_program (CardiacMmsa *mmsa);

/** How often the flow program runs for one cycle. */
CARDIAC_API int cardiac_mmsa_flow_runs (const CardiacMmsa *mmsa);

#endif
