/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CARDIAC_TOOLS_BENCH_OPS_H
#define CARDIAC_TOOLS_BENCH_OPS_H

#include "core/program.h"

/** A planned program of unrelated operators: those that ViT-B/16 and B/32 over
 * 16 frames and YOLOv8n at 640 pixels spend their time in. NULL with an
 * error. */
CardiacProgram *bench_ops_program (
    CardiacRuntime *runtime, CardiacError **error);

#endif
