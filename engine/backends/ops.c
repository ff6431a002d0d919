/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "backends/backend.h"

const char *
cardiac_op_name (CardiacOpKind kind)
{
  static const char *const names[CARDIAC_OP_KINDS] = {
    [CARDIAC_OP_LINEAR] = "linear",
    [CARDIAC_OP_LAYER_NORM] = "layer_norm",
    [CARDIAC_OP_ATTENTION] = "attention",
    [CARDIAC_OP_MATMUL] = "matmul",
    [CARDIAC_OP_CONV2D] = "conv2d",
    [CARDIAC_OP_MAX_POOL2D] = "max_pool2d",
    [CARDIAC_OP_AVG_POOL2D] = "avg_pool2d",
    [CARDIAC_OP_UPSAMPLE2X] = "upsample2x",
    [CARDIAC_OP_CONCAT] = "concat",
    [CARDIAC_OP_SLICE] = "slice",
    [CARDIAC_OP_SOFTMAX] = "softmax",
    [CARDIAC_OP_BINARY] = "binary",
    [CARDIAC_OP_GATE] = "gate",
    [CARDIAC_OP_MAGNITUDE] = "magnitude",
    [CARDIAC_OP_PATCHIFY] = "patchify",
    [CARDIAC_OP_TOKENS] = "tokens",
    [CARDIAC_OP_ROWS_LOAD] = "rows_load",
    [CARDIAC_OP_ROWS_STORE] = "rows_store",
    [CARDIAC_OP_MEAN] = "mean",
    [CARDIAC_OP_NCHW_TO_NHWC] = "nchw_to_nhwc",
    [CARDIAC_OP_PERMUTE] = "permute",
    [CARDIAC_OP_COSINE] = "cosine",
    [CARDIAC_OP_AMPLIFY] = "amplify",
    [CARDIAC_OP_EIGENCAM] = "eigencam",
    [CARDIAC_OP_YOLO_DECODE] = "yolo_decode",
  };
  if (kind < 0 || kind >= CARDIAC_OP_KINDS || !names[kind])
    return "unknown";
  return names[kind];
}
