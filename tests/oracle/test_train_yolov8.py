#!/usr/bin/env python3
"""The detector's training: its pictures and boxes, its parts, and a short run that must learn something."""
import json
import math
import os
import subprocess
import unittest

import oracle
import numpy as np
import torch

from cardiac import load_model, roi_data, screens
from cardiac.phantom import EchoPhantom, PhantomError, draw, library
from cardiac.picture import Letterbox
from cardiac.roi_metrics import overlap, summary, top_boxes
from cardiac.yolov8 import YoloV8, detections
from cardiac.yolov8_training import Average, initialise, rate_factor
from random_model import yolov8_shapes
import train_yolov8

try:
    library()
    NO_PHANTOMS = None
except PhantomError as error:
    NO_PHANTOMS = str(error)
try:
    from PIL import Image
except ImportError:
    Image = None
HELD_OUT = 10_000_000


@unittest.skipIf(NO_PHANTOMS, NO_PHANTOMS)
class Screens(unittest.TestCase):
    def test_box_follows_the_heart_wherever_the_view_puts_it(self):
        for seed in range(12):
            echo = EchoPhantom(draw(seed))
            view, width, height, box = screens.place_heart(np.random.default_rng(seed), screens.chambers(echo))
            atrium = echo.masks(0.3, view, width, height)[1] > 128
            rows, columns = atrium.any(1).nonzero()[0], atrium.any(0).nonzero()[0]
            slack = 0.03 * max(box[2] - box[0], box[3] - box[1])
            self.assertGreater(columns[0], box[0] - slack)
            self.assertLess(columns[-1], box[2] + slack)
            self.assertGreater(rows[0], (box[1] + box[3]) / 2 - slack)        # the atrium is the lower half
            self.assertLess(abs(rows[-1] + 1 - box[3]), max(0.25 * (box[3] - box[1]), 6))

    def test_screens_are_whole_and_boxes_lie_on_them(self):
        for index in range(40):
            picture, boxes = roi_data.Samples(96, 5)[index]
            self.assertEqual((picture.dtype, tuple(picture.shape)), (torch.uint8, (3, 96, 96)))
            for box in boxes:
                self.assertTrue((box >= 0).all() and (box <= 96).all() and (box[2:] - box[:2] > 8).all())

    def test_a_sample_follows_from_seed_and_index(self):
        first, again, other = (roi_data.Samples(96, seed)[7] for seed in (1, 1, 2))
        self.assertTrue(torch.equal(first[0], again[0]) and torch.equal(first[1], again[1]))
        self.assertFalse(torch.equal(first[0], other[0]))

    def test_every_kind_of_empty_screen_can_be_drawn(self):
        for make in set(screens.EMPTY):
            for seed in range(4):
                picture = make(np.random.default_rng(seed), 131, 97)
                self.assertEqual((picture.dtype, picture.shape), (np.uint8, (97, 131, 3)), make.__name__)


class Pictures(oracle.DirectoryTest):
    def test_letterbox_places_pictures_as_the_engine_does(self):
        rng = np.random.default_rng(0)
        for height, width in ((480, 640), (333, 219), (90, 160)):
            picture = rng.integers(0, 256, (height, width, 3), np.uint8)
            place = Letterbox(height, width, 160)
            got, boxes = roi_data.letterbox(picture, np.array([[10, 20, 60, 70]], np.float32), 160)
            apart = np.abs(got.permute(1, 2, 0).numpy().astype(int) - place.apply(picture).astype(int))
            self.assertLessEqual(apart.max(), 1)
            np.testing.assert_allclose(place.boxes_back(boxes.double()), [[10, 20, 60, 70]], atol=1e-3)

    def test_cropping_moves_boxes_with_the_picture(self):
        picture = np.zeros((120, 200, 3), np.uint8)
        picture[40:80, 90:150] = 255
        changed = 0
        for seed in range(20):
            out, boxes = roi_data.crop_screen(np.random.default_rng(seed), picture,
                                                  np.array([[90, 40, 150, 80]], np.float32))
            x1, y1, x2, y2 = boxes[0].astype(int)
            self.assertTrue((out[y1:y2, x1:x2] == 255).all())
            self.assertEqual(int((out > 0).sum()), (x2 - x1) * (y2 - y1) * 3)
            changed += out.shape != picture.shape
        self.assertGreater(changed, 10)

    def test_flip_is_its_own_inverse_and_not_done_unasked(self):
        picture = np.arange(24, dtype=np.uint8).reshape(2, 4, 3)
        boxes = np.array([[0, 0, 1, 2]], np.float32)
        mirrored, moved = roi_data.flip(picture, boxes)
        self.assertEqual(moved.tolist(), [[3, 0, 4, 2]])
        self.assertTrue((roi_data.flip(mirrored, moved)[0] == picture).all())
        self.assertFalse(roi_data.Samples(96, 0).flips)

    def test_batches_pad_boxes(self):
        picture = torch.zeros(3, 4, 4, dtype=torch.uint8)
        pictures, boxes, classes, valid = roi_data.collate([
            (picture, torch.zeros(0, 4)), (picture, torch.ones(2, 4)), (picture, torch.full((1, 4), 2.0))])
        self.assertEqual(valid.tolist(), [[False, False], [True, True], [True, False]])
        self.assertEqual(boxes[2, 0].tolist(), [2, 2, 2, 2])
        self.assertEqual((tuple(pictures.shape), tuple(classes.shape)), ((3, 3, 4, 4), (3, 2)))


class Manifest(oracle.DirectoryTest):
    HEAD = "path,x1,y1,x2,y2,split\n"

    def manifest(self, text):
        with open(self.path("boxes.csv"), "w", encoding="utf-8") as file:
            file.write(text)
        for name in ("a.png", "b.png"):
            with open(self.path(name), "wb") as file:
                file.write(b"not a picture")
        return self.path("boxes.csv")

    def refused(self, text, *words):
        with self.assertRaises(roi_data.ManifestError) as caught:
            roi_data.read_manifest(self.manifest(text), "train")
        for word in words:
            self.assertIn(word, str(caught.exception))

    def test_boxes_of_a_file_belong_together_and_splits_apart(self):
        path = self.manifest(self.HEAD + "a.png,1,2,3,4,train\nb.png,,,,,train\n"
                             "a.png,5,6,7,8.5,train\nb.png,1,1,2,2,test\n")
        rows = roi_data.read_manifest(path, "train")
        self.assertEqual([os.path.basename(name) for name, _ in rows], ["a.png", "b.png"])
        self.assertEqual(rows[0][1].tolist(), [[1, 2, 3, 4], [5, 6, 7, 8.5]])
        self.assertEqual(rows[1][1].shape, (0, 4))
        self.assertEqual(len(roi_data.read_manifest(path, "test")), 1)

    def test_errors_name_line_and_value(self):
        self.refused("path,x1,y1,x2,split\n", "y2")
        self.refused(self.HEAD + "a.png,1,2,3,4,training\n", "line 2", "training")
        self.refused(self.HEAD + "c.png,1,2,3,4,train\n", "line 2", "c.png")
        self.refused(self.HEAD + "a.png,1,2,3,,train\n", "line 2", "four numbers")
        self.refused(self.HEAD + "a.png,3,2,1,4,train\n", "line 2", "x1 < x2")
        self.refused(self.HEAD + "a.png,nan,2,1,4,train\n", "line 2")

    @unittest.skipUnless(Image, "Pillow is not installed")
    def test_pictures_are_read_and_damaged_ones_named(self):
        path = self.path("grey.png")
        Image.fromarray(np.full((5, 7), 9, np.uint8)).save(path)
        self.assertEqual(roi_data.read_frames(path).shape, (1, 5, 7, 3))
        self.manifest("")
        with self.assertRaisesRegex(roi_data.ManifestError, "a.png"):
            roi_data.read_picture(self.path("a.png"))

    def test_videos_are_read_and_damaged_ones_named(self):
        path = self.path("v.avi")
        try:
            subprocess.run(["ffmpeg", "-v", "error", "-f", "lavfi", "-i", "testsrc=size=48x32:rate=10:duration=2",
                            path], check=True)
        except (FileNotFoundError, subprocess.CalledProcessError):
            self.skipTest("ffmpeg is not installed or cannot make a video")
        frames = roi_data.read_video(path, 5, 3)
        self.assertEqual(frames.shape, (3, 32, 48, 3))
        self.assertFalse((frames[0] == frames[1]).all())
        with open(self.path("w.avi"), "wb") as file:
            file.write(b"no video")
        with self.assertRaisesRegex(roi_data.ManifestError, "w.avi"):
            roi_data.read_video(self.path("w.avi"))


class Parts(unittest.TestCase):
    def test_rate_warms_up_and_falls_to_a_hundredth(self):
        self.assertAlmostEqual(rate_factor(0, 100, 10), 0.1)
        self.assertAlmostEqual(rate_factor(10, 100, 10), 1)
        self.assertAlmostEqual(rate_factor(55, 100, 10), 0.01 + 0.99 / 2)
        self.assertAlmostEqual(rate_factor(100, 100, 10), 0.01)

    def test_average_follows_weights_and_statistics(self):
        model = torch.nn.Sequential(torch.nn.Linear(1, 1), torch.nn.BatchNorm1d(1))
        average = Average(model, 0.9)
        before = model[0].weight.item()
        model[0].weight.data += 1
        model[1].running_mean += 2
        average.update(model, 1000)
        self.assertAlmostEqual(average.model[0].weight.item(), before + 0.1, 5)
        self.assertAlmostEqual(average.model[1].running_mean.item(), 0.2, 5)
        average.update(model, 1)                       # (1 + 1) / (10 + 1) of the old
        self.assertAlmostEqual(average.model[1].running_mean.item(), 0.2 * 2 / 11 + 2 * 9 / 11, 5)

    def test_first_boxes_have_the_typical_size(self):
        torch.manual_seed(4)
        model = YoloV8({"input_side": 160, "sppf_activation": True, "labels": ["heart"]}, yolov8_shapes("tiny", 1))
        initialise(model, 160, (60, 90))
        with torch.no_grad():
            raw = model.train()(torch.rand(2, 3, 160, 160))
        self.assertLess(abs(raw[:, 2].mean().item() - 60), 12)
        self.assertLess(abs(raw[:, 3].mean().item() - 90), 12)
        self.assertLess(raw[:, 4].max().item(), 0.25)

    def test_best_box_is_what_suppression_keeps_first(self):
        raw = torch.rand(1, 5, 50, generator=torch.Generator().manual_seed(3))
        box, score = top_boxes(raw)
        boxes, scores, _ = detections(raw[0])
        self.assertTrue(torch.equal(box[0], boxes[0]))
        self.assertEqual(score.item(), scores[0].item())

    def test_figures_count_an_unseen_heart_as_nothing(self):
        figures = summary([0.8, 0.9, 0.4], [0.9, 0.2, 0.6], [0.1, 0.3])
        self.assertAlmostEqual(figures["mean_iou"], (0.8 + 0 + 0.4) / 3)
        self.assertAlmostEqual(figures["recall_50"], 1 / 3)
        self.assertEqual(figures["false_positives"], 0.5)
        self.assertTrue(math.isclose(overlap([0, 0, 2, 2], [[9, 9, 10, 10], [1, 0, 3, 2]]), 1 / 3))


def ring(seed):
    """(picture, box) of a bright ring anywhere on noise: a heart that a tiny network learns in seconds."""
    rng = np.random.default_rng(seed)
    width, height = 120, 96
    x, y = np.meshgrid(np.arange(width), np.arange(height))
    rx, ry = rng.uniform(12, 30, 2)
    cx, cy = rng.uniform(rx + 2, width - rx - 2), rng.uniform(ry + 2, height - ry - 2)
    r = np.hypot((x - cx) / rx, (y - cy) / ry)
    grey = np.where((r < 1) & (r > 0.6), 200, 30) + rng.normal(0, 15, (height, width))
    return np.repeat(grey.clip(0, 255).astype(np.uint8)[:, :, None], 3, 2), (cx - rx, cy - ry, cx + rx, cy + ry)


class Training(oracle.DirectoryTest):
    def train(self, name, *options):
        train_yolov8.main([self.path(name), "--size", "tiny", "--side", "64", "--check-every", "1000",
                           "--precision", "fp32", *options])
        with open(self.path(f"{name}/log.jsonl"), encoding="utf-8") as file:
            return [json.loads(line) for line in file]

    @unittest.skipIf(NO_PHANTOMS, NO_PHANTOMS)
    def test_a_resumed_run_goes_on_as_if_nothing_had_happened(self):
        options = "--batch", "2", "--steps", "4", "--check", "2"
        self.train("whole", *options)
        step = train_yolov8.training_step
        calls = []

        def interrupted(*arguments):
            if len(calls) == 2:
                raise KeyboardInterrupt
            calls.append(1)
            return step(*arguments)
        train_yolov8.training_step = interrupted
        self.addCleanup(setattr, train_yolov8, "training_step", step)
        with self.assertRaisesRegex(SystemExit, "after 2 steps"):
            self.train("parts", *options)
        train_yolov8.training_step = step
        self.train("parts", *options, "--resume")
        whole, parts = (torch.load(self.path(f"{name}/last.pt")) for name in ("whole", "parts"))
        self.assertEqual(parts["step"], 4)
        for part in ("model", "average"):
            for name, value in whole[part].items():
                self.assertTrue(torch.equal(value, parts[part][name]), name)
        with self.assertRaisesRegex(SystemExit, "--batch"):
            self.train("parts", "--batch", "3", "--steps", "4", "--resume")

    @unittest.skipUnless(Image, "Pillow is not installed")
    def test_a_short_run_on_drawn_boxes_learns_to_find_them(self):
        with open(self.path("boxes.csv"), "w", encoding="utf-8") as file:
            file.write(Manifest.HEAD)
            for seed in range(64):
                picture, box = ring(seed)
                Image.fromarray(picture).save(self.path(f"{seed}.png"))
                file.write(f"{seed}.png,{','.join(f'{v:.2f}' for v in box)},{'train' if seed < 60 else 'val'}\n")
        log = self.train("run", "--manifest", self.path("boxes.csv"), "--empty-share", "0", "--batch", "8",
                         "--steps", "120", "--rate", "1e-2", "--warm-up", "10", "--average", "0.9")
        losses = [record["total"] for record in log if "total" in record]
        self.assertLess(np.mean(losses[-3:]), 0.7 * np.mean(losses[:3]))

        model = load_model(self.path("run/roi.safetensors")).float()
        self.assertEqual((model.card["trained"], model.card["synthetic"]), (True, False))
        samples = [roi_data.letterbox(picture, np.array([box], np.float32), 64) for picture, box in
                   (ring(seed) for seed in range(HELD_OUT, HELD_OUT + 48))]
        middle = torch.cat([boxes for _, boxes in samples]).mean(0)
        always = np.mean([overlap(middle, boxes) for _, boxes in samples])
        with torch.no_grad():
            boxes, _ = top_boxes(model(torch.stack([picture for picture, _ in samples]).float() / 255))
        found = np.mean([overlap(box, sample[1]) for box, sample in zip(boxes, samples)])
        print(f"mean IoU {found:.3f}, of the mean box {always:.3f}")
        self.assertGreater(found, always + 0.2)
        with self.assertRaisesRegex(SystemExit, "fit --size"):
            train_yolov8.main([self.path("other"), "--manifest", self.path("boxes.csv"), "--side", "64", "--steps", "1",
                               "--initial", self.path("run/roi.safetensors")])


if __name__ == "__main__":
    oracle.main()
