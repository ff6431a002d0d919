"""What YOLOv8 is trained with: CIoU, distribution focal loss and binary cross-entropy, on cells
that task-aligned assignment gives to the true boxes.

    CIoU   Zheng et al., "Enhancing geometric factors in model learning and inference", 2020
    DFL    Li et al., "Generalized focal loss", NeurIPS 2020, equation 6
    TAL    Feng et al., "TOOD: task-aligned one-stage object detection", ICCV 2021, section 3.2

Boxes are corners x1, y1, x2, y2. A cell is a place of one of the three output maps.
"""
import math
from typing import NamedTuple

import torch
import torch.nn.functional as F

from .yolov8 import BINS, distances

TOP_CELLS = 10             # of each true box
SCORE_POWER, OVERLAP_POWER = 0.5, 6.0
BOX_GAIN, CLASS_GAIN, DFL_GAIN = 7.5, 0.5, 1.5
EPS = 1e-7


def ciou(a, b):
    """Complete IoU of boxes a, b [...,4], broadcast: IoU - ρ²/c² - αv, from -1.5 to 1.

    ρ is the distance of the centres, c the diagonal of the smallest box around both, v compares
    the aspects; α = v / (1 - IoU + v) is a weight and carries no gradient.
    """
    size_a, size_b = a[..., 2:] - a[..., :2], b[..., 2:] - b[..., :2]
    common = (torch.minimum(a[..., 2:], b[..., 2:]) - torch.maximum(a[..., :2], b[..., :2])).clamp(min=0).prod(-1)
    iou = common / (size_a.prod(-1) + size_b.prod(-1) - common + EPS)
    hull = torch.maximum(a[..., 2:], b[..., 2:]) - torch.minimum(a[..., :2], b[..., :2])
    apart = (a[..., :2] + a[..., 2:] - b[..., :2] - b[..., 2:]) / 2
    distance = (apart ** 2).sum(-1) / ((hull ** 2).sum(-1) + EPS)
    angle = torch.atan(size_a[..., 0] / (size_a[..., 1] + EPS)) - torch.atan(size_b[..., 0] / (size_b[..., 1] + EPS))
    v = 4 / math.pi ** 2 * angle ** 2
    with torch.no_grad():
        alpha = v / (1 - iou + v + EPS)
    return iou - distance - alpha * v


def distribution_focal_loss(logits, target):
    """logits [...,16], target [...] in bins, 0 .. 14.99 -> cross-entropy [...] of its two neighbours.

    -((j+1 - y) log S_j + (y - j) log S_(j+1)) with j the whole part of y.
    """
    lower = target.long()
    share = target - lower
    log_s = logits.log_softmax(-1)
    at_lower = log_s.gather(-1, lower[..., None])[..., 0]
    at_upper = log_s.gather(-1, lower[..., None] + 1)[..., 0]
    return -((1 - share) * at_lower + share * at_upper)


class Assignment(NamedTuple):
    """What each cell shall say. Cells that belong to no true box have zeros."""
    positive: torch.Tensor     # [B,cells] boolean
    boxes: torch.Tensor        # [B,cells,4]
    scores: torch.Tensor       # [B,cells,classes]


def assign(scores, boxes, centres, true_boxes, true_classes, valid):
    """Task-aligned assignment.

    scores [B,cells,classes] (probabilities) and boxes [B,cells,4] are the network's; centres [cells,2];
    true_boxes [B,M,4], true_classes [B,M], valid [B,M] (false: padding). All lengths in one unit.

    The metric of a true box and a cell whose centre lies in it is t = score^0.5 · CIoU^6. A box takes
    the 10 cells of largest t; a cell that several boxes want goes to the one that it overlaps most. The
    cell's score shall be t, scaled such that the box's largest t becomes its largest CIoU.
    """
    count = true_boxes.shape[1]
    corner = centres[None, None]
    inside = torch.cat([corner - true_boxes[:, :, None, :2], true_boxes[:, :, None, 2:] - corner], 3).amin(3) > 1e-9
    inside &= valid[:, :, None]                                                      # [B,M,cells]
    overlap = ciou(true_boxes[:, :, None], boxes[:, None]).clamp(min=0) * inside
    score = scores.transpose(1, 2).gather(1, true_classes[:, :, None].expand(-1, -1, scores.shape[1])) * inside
    metric = score ** SCORE_POWER * overlap ** OVERLAP_POWER

    # cells outside rank last, so that ties at zero never cost a box its own cells
    top = torch.where(inside, metric, -torch.ones_like(metric)).topk(min(TOP_CELLS, metric.shape[2]), 2).indices
    chosen = torch.zeros_like(inside).scatter_(2, top, True) & inside
    wanted = chosen.sum(1, keepdim=True) > 1
    best = F.one_hot(overlap.argmax(1), count).transpose(1, 2).bool()
    chosen = torch.where(wanted, best & inside, chosen)

    metric, overlap = metric * chosen, overlap * chosen
    metric = metric * overlap.amax(2, keepdim=True) / (metric.amax(2, keepdim=True) + 1e-9)
    owner = chosen.to(torch.uint8).argmax(1)                                         # [B,cells]
    positive = chosen.any(1)
    target = F.one_hot(true_classes.gather(1, owner), scores.shape[2]) * metric.amax(1)[:, :, None]
    return Assignment(positive, true_boxes.gather(1, owner[:, :, None].expand(-1, -1, 4)) * positive[:, :, None],
                      target.to(scores.dtype))


class Losses(NamedTuple):
    """Weighted parts, averaged over the pictures."""
    total: torch.Tensor
    box: torch.Tensor
    classes: torch.Tensor
    dfl: torch.Tensor


def detection_loss(logits, grid, true_boxes, true_classes, valid):
    """7.5 CIoU + 0.5 BCE + 1.5 DFL; each is a sum over cells, divided by the sum of target scores.

    logits: box [B,64,cells], class [B,classes,cells]; grid: centres [cells,2] in cells, strides [cells];
    true_boxes [B,M,4] in pixels of the input.
    """
    box_logits, class_logits = (x.float() for x in logits)
    centres, strides = (x.float() for x in grid)
    class_logits = class_logits.transpose(1, 2)
    side = distances(box_logits).transpose(1, 2)                                     # [B,cells,4], in cells
    boxes = torch.cat([centres - side[..., :2], centres + side[..., 2:]], 2)
    with torch.no_grad():
        target = assign(class_logits.sigmoid(), boxes * strides[:, None], centres * strides[:, None],
                        true_boxes, true_classes, valid)
    scale = target.scores.sum().clamp(min=1)
    classes = F.binary_cross_entropy_with_logits(class_logits, target.scores, reduction="sum") / scale

    positive = target.positive
    weight = target.scores.sum(2)[positive]
    true = (target.boxes / strides[:, None])[positive]
    box = ((1 - ciou(boxes[positive], true)) * weight).sum() / scale
    centre = centres.expand(len(boxes), -1, -1)[positive]
    wanted = torch.cat([centre - true[:, :2], true[:, 2:] - centre], 1).clamp(0, BINS - 1 - 0.01)
    bins = box_logits.transpose(1, 2).unflatten(2, (4, BINS))[positive]
    dfl = (distribution_focal_loss(bins, wanted).mean(1) * weight).sum() / scale
    box, classes, dfl = BOX_GAIN * box, CLASS_GAIN * classes, DFL_GAIN * dfl
    return Losses(box + classes + dfl, box, classes, dfl)
