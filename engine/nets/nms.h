/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CARDIAC_NETS_NMS_H
#define CARDIAC_NETS_NMS_H

#include <cardiac/yolov8.h>

/** Greedy non-maximum suppression as YOLOv8 does it: cells whose best class
 * scores above 0.25, by score (stable), drop those of the same class that
 * overlap a kept one by an IoU above 0.7.
 * @param raw [4+classes, cells]: cx, cy, w, h, then scores.
 * @return number of detections (at most `most`), or -1 without memory. */
int cardiac_nms (const float *raw, int classes, int cells,
    CardiacDetection *detections, int most);

#endif
