/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CARDIAC_TENSOR_H
#define CARDIAC_TENSOR_H

#include <cardiac/export.h>
#include <stddef.h>
#include <stdint.h>

CARDIAC_BEGIN_DECLS

enum { CARDIAC_MAX_RANK = 6 };

typedef enum CardiacDType {
  CARDIAC_F32,
  CARDIAC_BF16,
  CARDIAC_F16,
  CARDIAC_U8,
  CARDIAC_I64,
} CardiacDType;

typedef enum CardiacDevice {
  CARDIAC_DEVICE_HOST,
  CARDIAC_DEVICE_CUDA,
} CardiacDevice;

/** A view of a dense row-major array, the last index fastest. It owns nothing:
 * whoever hands it out says how long `data` lives. Rank 0 is a scalar. */
typedef struct CardiacTensor {
  CardiacDType dtype;
  CardiacDevice device;
  int rank;                        ///< 0 .. CARDIAC_MAX_RANK
  int64_t shape[CARDIAC_MAX_RANK]; ///< each >= 1; entries past rank unused
  void *data;                      ///< on `device`; may be unaligned
} CardiacTensor;

/** Bytes of one element: 4, 2, 2, 1 or 8. */
CARDIAC_API size_t cardiac_dtype_size (CardiacDType dtype);

/** "f32", "bf16", "f16", "u8" or "i64". */
CARDIAC_API const char *cardiac_dtype_name (CardiacDType dtype);

/** Product of the shape; 1 for rank 0. */
CARDIAC_API int64_t cardiac_tensor_count (const CardiacTensor *tensor);

CARDIAC_END_DECLS

#endif
