/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CARDIAC_YOLOV8_H
#define CARDIAC_YOLOV8_H

#include <cardiac/image.h>
#include <cardiac/model.h>
#include <cardiac/session.h>
#include <cardiac/tensor.h>

CARDIAC_BEGIN_DECLS

/** YOLOv8 detector of any scale. One network is used by one thread at a time. */
typedef struct CardiacYolov8 CardiacYolov8;

enum { CARDIAC_YOLOV8_MAX_DETECTIONS = 300 };

typedef struct CardiacDetection {
  float x1, y1, x2, y2; ///< pixels of the network's input
  float score;          ///< 0..1
  int class_index;
} CardiacDetection;

typedef struct CardiacYolov8Shape {
  int height, width; ///< of the network's input, multiples of 32
  int classes;
  int cells; ///< of the three grids together
} CardiacYolov8Shape;

/** Plans the network for an input of `height` x `width` pixels (multiples of
 * 32; 0 for the file's `input_side`). Errors as cardiac_mreg_new(). */
CARDIAC_API CardiacYolov8 *cardiac_yolov8_new (CardiacModel *model, int height,
    int width, const CardiacSettings *settings, CardiacError **error);
CARDIAC_API void cardiac_yolov8_free (CardiacYolov8 **yolov8);
CARDIAC_API const CardiacYolov8Shape *cardiac_yolov8_shape (
    const CardiacYolov8 *yolov8);
CARDIAC_API const CardiacRunInfo *cardiac_yolov8_run_info (
    const CardiacYolov8 *yolov8);

/** Runs the network and non-maximum suppression (score > 0.25, IoU > 0.7
 * suppresses within a class, at most 300).
 * @param input [3,height,width] float RGB in 0..1.
 * @param detections room for CARDIAC_YOLOV8_MAX_DETECTIONS.
 * @return number of detections, best first, or -1 with `*error`. */
CARDIAC_API int cardiac_yolov8_run (CardiacYolov8 *yolov8, const float *input,
    CardiacDetection *detections, CardiacError **error);

/** The same from a picture of any format and size, letterboxed as by
 * cardiac_resizer_letterbox_to_tensor(), where it lies. The network's input must
 * be a square.
 * @param image in device memory all that writes it must be finished.
 * @param detections in pixels of the network's input, as above.
 * @param placement receives where the picture lies in the input, for
 *   cardiac_letterbox_to_picture(); may be NULL.
 * @return as above. Errors: also INVALID_ARGUMENT (picture, input) and
 * UNSUPPORTED (a picture in device memory, and a network on the host). */
CARDIAC_API int cardiac_yolov8_run_image (CardiacYolov8 *yolov8,
    const CardiacImage *image, CardiacMemory memory,
    CardiacDetection *detections, CardiacLetterbox *placement,
    CardiacError **error);

/** `raw` of the last run: [4+classes, cells] float. Valid until the next run. */
CARDIAC_API void cardiac_yolov8_raw (
    const CardiacYolov8 *yolov8, CardiacTensor *tensor);

CARDIAC_END_DECLS

#endif
