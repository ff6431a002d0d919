"""How good a detector is: IoU of its best box, recall, and what it sees where there is no heart."""
import numpy as np
import torch

from .yolov8 import SCORE_THRESHOLD, corners, iou


def top_boxes(raw):
    """raw [B,4+classes,cells] -> corners [B,4] and scores [B] of the best cell, as suppression keeps it first."""
    scores, best = raw[:, 4:].amax(1).max(1)
    boxes = raw[:, :4].gather(2, best[:, None, None].expand(-1, 4, 1))[:, :, 0]
    return corners(boxes), scores


def overlap(box, boxes):
    """Largest IoU of a box with the true ones; 0 without any."""
    if not len(boxes):
        return 0.0
    return iou(torch.as_tensor(box, dtype=torch.float64), torch.as_tensor(boxes, dtype=torch.float64)).max().item()


def summary(overlaps, scores, empty_scores):
    """Figures of a set. A heart that no score over the threshold says counts as IoU 0."""
    overlaps, scores, empty = (np.asarray(x, float) for x in (overlaps, scores, empty_scores))
    seen = np.where(scores > SCORE_THRESHOLD, overlaps, 0)
    figures = {}
    if len(seen):
        figures.update(hearts=len(seen), mean_iou=float(seen.mean()), recall_50=float((seen > 0.5).mean()),
                       recall_75=float((seen > 0.75).mean()), iou_5th=float(np.percentile(seen, 5)),
                       lowest_score=float(scores.min()))
    if len(empty):
        figures.update(empty=len(empty), false_positives=float((empty > SCORE_THRESHOLD).mean()),
                       highest_empty_score=float(empty.max()))
    return figures


@torch.no_grad()
def check(model, samples):
    """Figures of a model in evaluation mode on [(uint8 [3,S,S], boxes [n,4])]."""
    overlaps, scores, empty = [], [], []
    for picture, boxes in samples:
        box, score = top_boxes(model(picture[None].float() / 255))
        if len(boxes):
            overlaps.append(overlap(box[0], boxes))
            scores.append(score.item())
        else:
            empty.append(score.item())
    return summary(overlaps, scores, empty)
