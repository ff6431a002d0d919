#!/usr/bin/env python3
"""YOLOv8's losses and assignment against numbers worked out by hand."""
import math
import unittest

import oracle
import torch

from cardiac.modelfile import build
from cardiac.yolov8 import cells, distances
from cardiac.yolov8_losses import assign, ciou, detection_loss, distribution_focal_loss
from random_model import random_model


def box(*corners):
    return torch.tensor(corners, dtype=torch.float64)


class Ciou(unittest.TestCase):
    def test_equal_boxes_have_one(self):
        self.assertAlmostEqual(ciou(box(1, 2, 5, 9), box(1, 2, 5, 9)).item(), 1, 5)

    def test_shifted_squares(self):
        # common 2, union 6; centres 1 apart; hull 3 x 2: diagonal² 13
        self.assertAlmostEqual(ciou(box(0, 0, 2, 2), box(1, 0, 3, 2)).item(), 2 / 6 - 1 / 13, 6)

    def test_boxes_apart_are_told_how_far(self):
        # centres 4 apart; hull 5 x 1
        self.assertAlmostEqual(ciou(box(0, 0, 1, 1), box(4, 0, 5, 1)).item(), -16 / 26, 6)

    def test_other_aspect_about_the_same_centre(self):
        # 4 x 1 in 4 x 4: IoU 1/4; v = 4/π² (atan 4 - atan 1)², α = v / (3/4 + v)
        v = 4 / math.pi ** 2 * (math.atan(4) - math.pi / 4) ** 2
        self.assertAlmostEqual(ciou(box(0, 1.5, 4, 2.5), box(0, 0, 4, 4)).item(), 0.25 - v * v / (0.75 + v), 6)

    def test_the_weight_of_the_aspect_carries_no_gradient(self):
        def with_weight(height, alpha):            # 4 x height in the middle of 4 x 4: only IoU and v change
            v = 4 / math.pi ** 2 * (math.atan(4 / height) - math.pi / 4) ** 2
            return height / 4 - (v / (1 - height / 4 + v) if alpha is None else alpha) * v

        v = 4 / math.pi ** 2 * (math.atan(4) - math.pi / 4) ** 2
        slope, full = ((with_weight(1 + 1e-6, alpha) - with_weight(1 - 1e-6, alpha)) / 2e-6
                       for alpha in (v / (0.75 + v), None))
        a = box(0, 1.5, 4, 2.5).requires_grad_()
        ciou(a, box(0, 0, 4, 4)).backward()
        grown = (a.grad[3] - a.grad[1]).item() / 2  # by the height: both edges move by half
        self.assertAlmostEqual(grown, slope, 5)
        self.assertGreater(abs(grown - full), 0.005)


class Dfl(unittest.TestCase):
    def test_is_the_cross_entropy_of_the_two_neighbours(self):
        logits = torch.zeros(16, dtype=torch.float64)
        logits[3], logits[4] = math.log(6), math.log(2)        # softmax: 6/22, 2/22, 1/22 ...
        expected = -(0.75 * math.log(6 / 22) + 0.25 * math.log(2 / 22))
        self.assertAlmostEqual(distribution_focal_loss(logits, torch.tensor(3.25, dtype=torch.float64)).item(),
                               expected, 10)

    def test_of_a_whole_number_asks_for_one_bin(self):
        logits = torch.arange(16, dtype=torch.float64)
        self.assertAlmostEqual(distribution_focal_loss(logits, torch.tensor(7.0, dtype=torch.float64)).item(),
                               -logits.log_softmax(0)[7].item(), 10)

    def test_is_least_where_the_shares_are_those_of_the_distance(self):
        target = torch.tensor(2.3, dtype=torch.float64)
        logits = torch.full((16,), -30.0, dtype=torch.float64)
        logits[2], logits[3] = math.log(0.7), math.log(0.3)
        logits.requires_grad_()
        distribution_focal_loss(logits, target).backward()
        self.assertLess(logits.grad.abs().max().item(), 1e-9)


class Assign(unittest.TestCase):
    """Twelve cells in a row with centres 0.5, 1.5 ..., y = 0.5; true boxes of height 1."""

    centres = torch.stack([torch.arange(12) + 0.5, torch.full((12,), 0.5)], 1).double()

    def run_assign(self, true_boxes, boxes, scores=None, classes=None, valid=None):
        true_boxes = torch.tensor(true_boxes, dtype=torch.float64)[None]
        count = true_boxes.shape[1]
        scores = torch.full((1, 12, 2), 0.25).double() if scores is None else scores
        classes = torch.zeros(1, count, dtype=torch.long) if classes is None else torch.tensor([classes])
        valid = torch.ones(1, count, dtype=torch.bool) if valid is None else torch.tensor([valid])
        result = assign(scores, boxes, self.centres, true_boxes, classes, valid)
        return [x[0] for x in result]

    def everywhere(self, *corners):
        return box(*corners).expand(1, 12, 4).clone()

    def test_only_cells_whose_centre_lies_inside_are_taken(self):
        positive, boxes, scores = self.run_assign([[2.2, 0, 5.2, 1]], self.everywhere(2.2, 0, 5.2, 1))
        self.assertEqual(positive.nonzero()[:, 0].tolist(), [2, 3, 4])
        self.assertEqual(boxes[3].tolist(), [2.2, 0, 5.2, 1])
        self.assertEqual(boxes[7].tolist(), [0, 0, 0, 0])
        # all predict the box: the target is the largest CIoU, one, and zero for the other class
        torch.testing.assert_close(scores[:, 0], positive.double(), atol=1e-5, rtol=0)
        self.assertEqual(scores[:, 1].abs().max().item(), 0)

    def test_ten_cells_of_the_largest_metric_are_taken(self):
        scores = torch.full((1, 12, 2), 0.25).double()
        scores[0, 4, 0], scores[0, 9, 0] = 0.01, 0.04
        positive, _, target = self.run_assign([[0, 0, 12, 1]], self.everywhere(0, 0, 12, 1), scores)
        self.assertEqual((~positive).nonzero()[:, 0].tolist(), [4, 9])
        self.assertEqual(int(positive.sum()), 10)
        self.assertEqual(target[4, 0].item(), 0)

    def test_targets_are_metrics_scaled_to_the_largest_overlap(self):
        boxes = self.everywhere(0, 0, 2, 2)                    # no overlap worth speaking of
        true = [[0, 0, 4, 1]]
        boxes[0, 1] = box(0, 0, 4, 1)                          # CIoU 1
        boxes[0, 2] = box(0, 0, 3, 1)                          # IoU 3/4, centres 1/2 apart, diagonal² 17
        scores = torch.full((1, 12, 2), 0.25).double()
        scores[0, 1, 0] = 0.09
        angle = math.atan(4) - math.atan(3)
        v = 4 / math.pi ** 2 * angle ** 2
        overlap = 0.75 - 0.25 / 17 - v * v / (0.25 + v)
        t1, t2 = 0.3, 0.5 * overlap ** 6
        self.assertGreater(t1, t2)
        _, _, target = self.run_assign(true, boxes, scores)
        self.assertAlmostEqual(target[1, 0].item(), 1, 5)
        self.assertAlmostEqual(target[2, 0].item(), t2 / t1, 5)

    def test_a_cell_wanted_twice_goes_to_the_box_it_overlaps_most(self):
        boxes = self.everywhere(0, 0, 6, 1)
        boxes[0, 5] = box(4, 0, 10, 1)
        positive, boxes, target = self.run_assign([[0, 0, 6, 1], [4, 0, 10, 1]], boxes, classes=[0, 1])
        self.assertEqual(boxes[4].tolist(), [0, 0, 6, 1])
        self.assertEqual(boxes[5].tolist(), [4, 0, 10, 1])
        self.assertEqual(target[5, 0].item(), 0)
        self.assertAlmostEqual(target[5, 1].item(), 1, 5)
        self.assertTrue(positive[4] and positive[5])

    def test_padding_takes_nothing(self):
        positive, _, target = self.run_assign([[0, 0, 12, 1], [0, 0, 0, 0]], self.everywhere(0, 0, 12, 1),
                                              valid=[False, False])
        self.assertFalse(positive.any())
        self.assertEqual(target.abs().sum().item(), 0)

    def test_the_score_of_the_true_class_counts(self):
        scores = torch.full((1, 12, 2), 0.25).double()
        scores[0, :, 1] = torch.linspace(0.9, 0.1, 12).double()
        positive, _, target = self.run_assign([[0, 0, 12, 1]], self.everywhere(0, 0, 12, 1), scores, classes=[1])
        self.assertEqual(positive.nonzero()[:, 0].tolist(), list(range(10)))
        self.assertAlmostEqual(target[9, 1].item(), math.sqrt(scores[0, 9, 1].item() / 0.9), 5)


class Loss(unittest.TestCase):
    """Two cells of stride 8 beside each other: a picture of 16 x 8."""

    grid = torch.tensor([[0.5, 0.5], [1.5, 0.5]]), torch.tensor([8.0, 8.0])

    def loss(self, box_logits, class_logits, true, valid=True):
        return detection_loss((box_logits[None], class_logits[None]), self.grid, torch.tensor([[true]]),
                              torch.zeros(1, 1, dtype=torch.long), torch.tensor([[valid]]))

    def test_a_picture_without_heart_costs_the_scores_alone(self):
        loss = self.loss(torch.zeros(64, 2), torch.zeros(1, 2), [0.0, 0, 0, 0], False)
        self.assertAlmostEqual(loss.total.item(), 0.5 * 2 * math.log(2), 5)     # no score: divided by one
        self.assertEqual(loss.box.item(), 0)
        self.assertEqual(loss.dfl.item(), 0)

    def test_parts_by_hand(self):
        # even logits say 7.5 cells each way: 120 x 120 about (4, 4) and (12, 4). The true box is the first:
        # CIoU 1; the second has IoU 112/128, its centre 8 apart, in a hull of 128 x 120
        loss = self.loss(torch.zeros(64, 2), torch.zeros(1, 2), [-56.0, -56, 64, 64])
        overlap = 112 / 128 - 64 / (128 ** 2 + 120 ** 2)
        score = overlap ** 6
        total = 1 + score
        self.assertAlmostEqual(loss.classes.item(), 0.5 * 2 * math.log(2) / total, 5)
        self.assertAlmostEqual(loss.box.item(), 7.5 * (1 - overlap) * score / total, 5)
        self.assertAlmostEqual(loss.dfl.item(), 1.5 * math.log(16), 5)
        self.assertAlmostEqual(loss.total.item(), (loss.classes + loss.box + loss.dfl).item(), 5)

    def test_is_least_where_network_says_the_truth(self):
        sure = torch.full((64, 2), -20.0)
        for side, distance in enumerate((0, 0, 1, 1)):        # bins 0 and 1: half a cell each way
            sure[16 * side:16 * side + 2] = 0
        loss = self.loss(sure, torch.tensor([[20.0, -20.0]]), [0.0, 0, 8, 8])
        self.assertLess(loss.box.item(), 1e-4)
        self.assertAlmostEqual(loss.dfl.item(), 1.5 * math.log(2), 3)           # of a distance between bins
        self.assertLess(loss.classes.item(), 1e-4)


class Network(unittest.TestCase):
    def test_output_is_made_of_the_logits_that_training_sees(self):
        config, tensors = random_model("yolov8", "tiny", 4)
        model = build("yolov8", config, tensors).double().requires_grad_(False)
        x = torch.rand(2, 3, 64, 96, dtype=torch.float64)
        features = model.features(x)
        box_logits, class_logits = model.model["22"].logits(features)
        centres, strides = cells(features)
        raw = model(x)
        self.assertEqual(strides.tolist(), [8.0] * 96 + [16.0] * 24 + [32.0] * 6)
        self.assertEqual(centres[13].tolist(), [1.5, 1.5])
        side = distances(box_logits)
        torch.testing.assert_close(raw[:, 4:], class_logits.sigmoid())
        torch.testing.assert_close(raw[:, 2], (side[:, 0] + side[:, 2]) * strides)
        torch.testing.assert_close(raw[:, 0] - raw[:, 2] / 2, (centres[:, 0] - side[:, 0]) * strides)


if __name__ == "__main__":
    oracle.main()
